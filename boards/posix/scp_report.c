/* What a person is told of a connection: what was agreed, what the far side wrote, why it ended. */
#include "scp_client.h"

#include <string.h>

#include "offers.h"
#include "scp_say.h"

void dory_client_say_names(const struct dory_client *c)
{
    struct dory_ssh_names names;

    if (dory_say_is_level() < DORY_LOG_DEBUG)
        return;
    dory_ssh_names(&c->ssh, &names);
    dory_say(DORY_LOG_DEBUG, "debug1: Remote software version: %s", names.peer_version);
    dory_say(DORY_LOG_DEBUG, "debug1: Authenticating to %s:%u as '%s'", c->address, c->port, c->user);
    dory_say(DORY_LOG_DEBUG, "debug1: kex: algorithm: %s%s", names.kex, dory_ssh_is_strict(&c->ssh) ? " (strict)" : "");
    dory_say(DORY_LOG_DEBUG, "debug1: kex: host key algorithm: %s", names.hostkey);
}

void dory_client_say_ciphers(const struct dory_client *c)
{
    struct dory_ssh_names names;

    if (dory_say_is_level() < DORY_LOG_DEBUG)
        return;
    dory_ssh_names(&c->ssh, &names);
    dory_say(DORY_LOG_DEBUG, "debug1: kex: server->client cipher: %s MAC: %s compression: none", names.cipher_in,
             *names.mac_in ? names.mac_in : "<implicit>");
    dory_say(DORY_LOG_DEBUG, "debug1: kex: client->server cipher: %s MAC: %s compression: none", names.cipher_out,
             *names.mac_out ? names.mac_out : "<implicit>");
}

void dory_client_show_text(const uint8_t *at, size_t size)
{
    const uint8_t *end = at + size;

    while (at < end) {
        const uint8_t *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((line_end ? line_end : end) - at);

        dory_say(DORY_LOG_INFO, "%.*s", (int)(n && at[n - 1] == '\r' ? n - 1 : n), (const char *)at);
        at += n + 1;
    }
}

/* ---- Standard error of the far side, line by line ---- */

void dory_client_release_stderr(struct dory_client *c, bool matters)
{
    char *line = c->held, *end;

    c->holding = false;
    for (; (end = memchr(line, '\n', c->held_n - (size_t)(line - c->held))); line = end + 1)
        dory_say(matters ? DORY_LOG_ERROR : DORY_LOG_DEBUG, "%.*s", (int)(end - line), line);
    c->held_n = 0;
}

static bool hold(struct dory_client *c)
{
    if (c->holding && c->held_n + c->line_n + 2 > sizeof c->held)
        dory_client_release_stderr(c, true);
    if (!c->holding)
        return false;
    memcpy(c->held + c->held_n, c->line, c->line_n);
    c->held_n += c->line_n;
    c->held[c->held_n++] = '\n';
    c->held[c->held_n] = '\0';
    return true;
}

void dory_client_flush_stderr(struct dory_client *c)
{
    if (c->line_n && !hold(c))
        dory_say(DORY_LOG_ERROR, "%.*s", (int)c->line_n, c->line);
    c->line_n = 0;
}

void dory_client_on_stderr(void *client, int channel, const uint8_t *bytes, size_t n)
{
    struct dory_client *c = client;

    (void)channel;
    c->remote_spoke |= n > 0;
    while (n--) {
        char byte = (char)*bytes++;

        if (byte == '\n' || c->line_n == sizeof c->line)
            dory_client_flush_stderr(c);
        if (byte != '\n' && byte != '\r')
            c->line[c->line_n++] = byte;
    }
}

/* ---- Why it is over ---- */

static const char *methods(uint8_t bits)
{
    static const char *const names[] = {
        "",
        "password",
        "publickey",
        "publickey,password",
        "keyboard-interactive",
        "password,keyboard-interactive",
        "publickey,keyboard-interactive",
        "publickey,password,keyboard-interactive",
    };

    return names[bits >> 1 & 7];
}

static void denied(const struct dory_client *c)
{
    const struct dory_client_auth *a = &c->auth;

    dory_say(DORY_LOG_ERROR, "%s@%s: Permission denied (%s).", c->user, c->host, methods(a->methods));
    if (a->passwords_tried || a->interactive_tried || a->sign_failed)
        return;
    if (a->methods & DORY_AUTH_PUBLICKEY && !a->keys_offered && c->options->ssh.pubkey_auth != 0)
        dory_say(DORY_LOG_INFO, "No key was offered: %s; -i FILE names another.",
                 c->options->ssh.identity_count ? "none that was named could be used" : "there is none in ~/.ssh or the ssh-agent");
    else if (a->methods & DORY_AUTH_PUBLICKEY && a->keys_offered)
        dory_say(DORY_LOG_INFO,
                 "The host does not take the key for this user: its public half belongs into ~%s/.ssh/authorized_keys there.", c->user);
}

static void say_offer(void *ctx, const char *line)
{
    (void)ctx;
    dory_say_plain(DORY_LOG_ERROR, line);
}

static void no_common(const struct dory_client *c)
{
    dory_say(DORY_LOG_ERROR, "Unable to negotiate with %s port %u: %s", c->address, c->port, dory_ssh_error_text(&c->ssh));
    dory_offers(&c->ssh, &c->config, false, say_offer, NULL);
}

static void sent_away(const struct dory_client *c, const char *text, size_t n)
{
    dory_say(DORY_LOG_ERROR, "Received disconnect from %s port %u:%u: %.*s", c->address, c->port, dory_ssh_disconnect_reason(&c->ssh),
             (int)n, text);
    if (!c->auth.done && c->auth.keys_offered > 1)
        dory_say(DORY_LOG_INFO, "%d keys were offered; -o IdentitiesOnly=yes -i FILE offers one alone.", c->auth.keys_offered);
}

static void cut(const struct dory_client *c)
{
    const char *how = c->error_number ? strerror(c->error_number) : "closed by the remote host";
    struct dory_ssh_names names;

    dory_ssh_names(&c->ssh, &names);
    if (*names.peer_version)
        dory_say(DORY_LOG_ERROR, "Connection to %s port %u lost: %s", c->address, c->port, how);
    else
        dory_say(DORY_LOG_ERROR, "Connection to %s port %u lost before an SSH server introduced itself there: %s", c->address, c->port,
                 how);
}

void dory_client_report(struct dory_client *c)
{
    int error = c->program ? DORY_OK : dory_ssh_error(&c->ssh);
    size_t n;
    const char *text = (const char *)dory_ssh_error_detail(&c->ssh, &n);

    dory_client_flush_stderr(c);
    if (c->reported || error == DORY_OK || error == DORY_E_CLOSED)
        return;
    c->reported = true;
    switch (error) {
    case DORY_E_AUTH: denied(c); break;
    case DORY_E_HOSTKEY: dory_say(DORY_LOG_ERROR, "%s: Host key verification failed.", c->host); break;
    case DORY_E_NO_COMMON: no_common(c); break;
    case DORY_E_DISCONNECTED: sent_away(c, text ? text : "", n); break;
    case DORY_E_CUT: cut(c); break;
    case DORY_E_TIMEOUT:
        dory_say(DORY_LOG_ERROR, "Connection to %s port %u timed out: the host does not answer.", c->address, c->port);
        break;
    default:
        text = dory_ssh_error_text(&c->ssh);
        dory_say(DORY_LOG_ERROR, "Connection to %s port %u: %s", c->address, c->port, *text ? text : dory_strerror(error));
    }
}
