/* Is this the host that the person means? known_hosts, and the question for a key that was never seen. */
#include "scp_client.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "platform/posix/dory_posix_known_hosts.h"
#include "scp_known_files.h"
#include "scp_say.h"

static void add_file(const struct dory_client *c, struct dory_known_files *files, const char *name)
{
    if (files->n == DORY_KNOWN_FILES_MAX || !strcasecmp(name, "none") ||
        dory_client_expand(c, name, files->names[files->n], sizeof files->names[0]) < 0)
        return;
    files->list[files->n] = files->names[files->n];
    files->n++;
}

static void add_files(const struct dory_client *c, struct dory_known_files *files, const struct dory_cli_names *names, const char *a,
                      const char *b)
{
    for (int i = 0; i < names->n; i++) add_file(c, files, names->at[i]);
    if (names->n)
        return;
    add_file(c, files, a);
    add_file(c, files, b);
}

void dory_client_known_files(const struct dory_client *c, struct dory_known_files *files)
{
    const struct dory_cli_ssh *o = &c->options->ssh;

    memset(files->list, 0, sizeof files->list);
    files->n = 0;
    add_files(c, files, &o->user_known_hosts, "~/.ssh/known_hosts", "~/.ssh/known_hosts2");
    files->writable = files->n > 0;
    add_files(c, files, &o->global_known_hosts, "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2");
}

void dory_client_prefer_known(struct dory_client *c)
{
    const char *chosen = c->options->ssh.hostkey_algorithms;
    struct dory_known_files files;
    char types[512];

    if (chosen && *chosen != '+' && *chosen != '-')
        return; /* as ssh: a list of the person's own keeps its order */
    dory_client_known_files(c, &files);
    if (dory_known_hosts_types(files.list, c->known_as, c->known_port, types, sizeof types) > 0)
        dory_cli_algorithms_prefer(&c->algorithms, types);
}

struct offered {
    const uint8_t *key;
    size_t n;
    char fingerprint[DORY_FINGERPRINT_MAX];
    const char *label;
    char picture[DORY_PICTURE_MAX]; /* "" unless it is wanted */
};

static void say_changed(const struct dory_client *c, const struct dory_known_result *known, const struct offered *offered)
{
    dory_say_plain(DORY_LOG_ERROR, "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n"
                                   "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n"
                                   "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n"
                                   "Somebody could be eavesdropping on you right now (man-in-the-middle attack),\n"
                                   "or the host was installed anew.");
    dory_say(DORY_LOG_ERROR, "%s offers the %s key %s", c->known_as, offered->label, offered->fingerprint);
    dory_say(DORY_LOG_ERROR, "but %s:%u holds the key %s", known->file, known->line, known->fingerprint);
    if (c->known_port == 22)
        dory_say(DORY_LOG_ERROR, "If its administrator confirms the new key, remove the old: ssh-keygen -f '%s' -R '%s'", known->file,
                 c->known_as);
    else
        dory_say(DORY_LOG_ERROR, "If its administrator confirms the new key, remove the old: ssh-keygen -f '%s' -R '[%s]:%u'", known->file,
                 c->known_as, c->known_port);
}

/* The person types yes, no or the fingerprint. */
static bool ask(const struct dory_client *c, const struct dory_known_result *known, const struct offered *offered)
{
    const char *prompt = "Are you sure you want to continue connecting (yes/no/[fingerprint])? ";
    char question[1024], answer[128];
    int n;

    snprintf(question, sizeof question,
             "The authenticity of host '%s (%s)' port %u can't be established.\n%s key fingerprint is %s.\n%s%s%s%s", c->host, c->known_as,
             c->port, offered->label, offered->fingerprint, offered->picture, *offered->picture ? "\n" : "",
             known->verdict == DORY_KNOWN_OTHER_TYPE ? "Keys of other types are known for this host.\n" : "", prompt);
    for (prompt = question;; prompt = "Please type 'yes', 'no' or the fingerprint: ") {
        n = dory_tty_ask(prompt, answer, sizeof answer);
        if (n == DORY_E_SPACE)
            continue;
        if (n == DORY_E_NOSYS) {
            dory_say(DORY_LOG_ERROR, "The %s key %s of %s is not known, and there is no terminal to ask.", offered->label,
                     offered->fingerprint, c->known_as);
            dory_say_plain(DORY_LOG_ERROR, "-o StrictHostKeyChecking=accept-new takes the key of a host that was never seen.");
        }
        if (n < 0 || !strcasecmp(answer, "no"))
            return false;
        if (!strcasecmp(answer, "yes") || !strcmp(answer, offered->fingerprint))
            return true;
    }
}

static void remember(const struct dory_client *c, const struct dory_known_files *files, const struct offered *offered)
{
    const struct dory_rng *rng = &c->config.rng;
    char why[DORY_WHY_MAX];

    if (!files->writable)
        return;
    if (dory_known_hosts_add(files->list[0], c->known_as, c->known_port, offered->key, offered->n, c->options->ssh.hash_known_hosts == 1,
                             rng, why) < 0) {
        dory_say(DORY_LOG_INFO, "The host key was not remembered:");
        dory_say_plain(DORY_LOG_INFO, why);
        return;
    }
    if (c->known_port == 22)
        dory_say(DORY_LOG_INFO, "Warning: Permanently added '%s' (%s) to the list of known hosts.", c->known_as, offered->label);
    else
        dory_say(DORY_LOG_INFO, "Warning: Permanently added '[%s]:%u' (%s) to the list of known hosts.", c->known_as, c->known_port,
                 offered->label);
}

/* Only a key that a person has confirmed may bring others with it (UpdateHostKeys), as with ssh. */
static bool new_host(struct dory_client *c, const struct dory_known_files *files, const struct dory_known_result *known,
                     const struct offered *offered)
{
    int strict = c->options->ssh.strict;

    if (strict == DORY_STRICT_YES || (strict == DORY_STRICT_ACCEPT_NEW && known->verdict == DORY_KNOWN_OTHER_TYPE)) {
        dory_say(DORY_LOG_ERROR, "No %s host key is known for %s and you have requested strict checking. It offers %s.", offered->label,
                 c->known_as, offered->fingerprint);
        return false;
    }
    if (strict < 0 || strict == DORY_STRICT_ASK) {
        if (c->options->ssh.batch == 1) {
            dory_say(DORY_LOG_ERROR, "The %s key %s of %s is not known, and batch mode asks nothing.", offered->label, offered->fingerprint,
                     c->known_as);
            return false;
        }
        if (!ask(c, known, offered))
            return false;
        c->known = true;
    }
    remember(c, files, offered);
    return true;
}

/* RevokedHostKeys and RequiredRSASize: what no known_hosts file makes good. */
static bool is_allowed(const struct dory_client *c, const struct offered *offered)
{
    const struct dory_cli_ssh *o = &c->options->ssh;
    const char *file = o->revoked_host_keys;
    char path[4096], why[DORY_WHY_MAX] = "";
    int revoked = 0;

    if (!strcmp(offered->label, "RSA") && dory_key_bits(offered->key, offered->n) < (unsigned)(o->rsa_bits > 0 ? o->rsa_bits : 0)) {
        dory_say(DORY_LOG_ERROR, "%s offers the RSA key %s, which is shorter than RequiredRSASize asks for.", c->known_as,
                 offered->fingerprint);
        return false;
    }
    if (!file || !strcasecmp(file, "none"))
        return true;
    if (dory_client_expand(c, file, path, sizeof path) < 0)
        return dory_say(DORY_LOG_ERROR, "scp: RevokedHostKeys: bad name %s", file), false;
    revoked = dory_key_is_revoked(path, offered->key, offered->n, why);
    if (revoked < 0)
        dory_say_plain(DORY_LOG_ERROR, why);
    if (revoked > 0)
        dory_say(DORY_LOG_ERROR, "%s offers the %s key %s, which %s lists as revoked.", c->known_as, offered->label, offered->fingerprint,
                 path);
    return revoked == 0;
}

static bool is_trusted(struct dory_client *c, const struct offered *offered)
{
    struct dory_known_result known;
    struct dory_known_files files;
    char why[DORY_WHY_MAX];

    dory_client_known_files(c, &files);
    if (dory_known_hosts_check(files.list, c->known_as, c->known_port, offered->key, offered->n, &known, why) < 0) {
        dory_say_plain(DORY_LOG_ERROR, why);
        return false;
    }
    switch (known.verdict) {
    case DORY_KNOWN_MATCH:
        dory_say(DORY_LOG_DEBUG, "debug1: Host '%s' is known and matches the %s host key, found in %s:%u", c->known_as, offered->label,
                 known.file, known.line);
        if (*offered->picture) {
            dory_say(DORY_LOG_INFO, "Host key fingerprint is %s", offered->fingerprint);
            dory_say_plain(DORY_LOG_INFO, offered->picture);
        }
        c->known = true;
        return true;
    case DORY_KNOWN_REVOKED:
        dory_say(DORY_LOG_ERROR, "%s offers the %s key %s, which %s:%u marks as revoked.", c->known_as, offered->label,
                 offered->fingerprint, known.file, known.line);
        return false;
    case DORY_KNOWN_CHANGED:
        say_changed(c, &known, offered);
        if (c->options->ssh.strict != DORY_STRICT_NO)
            return false;
        dory_say_plain(DORY_LOG_ERROR, "Host key checking is off: going on, but no password will be sent to this host.");
        c->auth.no_password = c->auth.no_interactive = true; /* what is asked that way is a password nearly always */
        return true;
    default: return new_host(c, &files, &known, offered);
    }
}

void dory_client_on_hostkey(struct dory_client *c, const struct dory_event *event)
{
    struct offered offered = {.key = event->key, .n = event->key_n, .label = dory_key_label(event->key, event->key_n)};

    dory_fingerprint(offered.fingerprint, event->key, event->key_n);
    if (c->options->ssh.visual_host_key == 1)
        dory_key_picture(offered.picture, event->key, event->key_n);
    dory_say(DORY_LOG_DEBUG, "debug1: Server host key: %s %s", event->algorithm, offered.fingerprint);
    if (is_allowed(c, &offered) && is_trusted(c, &offered)) {
        c->met = true;
        dory_ssh_accept(&c->ssh);
    } else {
        dory_ssh_refuse(&c->ssh);
    }
}
