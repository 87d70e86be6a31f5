/* Who may log in. Users that do not exist cost the same work and get the same replies as the one that does. */
#include <stdio.h>
#include <string.h>

#include "serve.h"

/* After a password was checked for t ms, none is checked for 3t: guessing takes at most a quarter of the one thread. */
#define PASSWORD_REST 3

bool dory_session_sign(struct serve_session *session, const struct dory_event *event)
{
    struct serve *serve = session->serve;
    uint8_t signature[DORY_KEY_BLOB_MAX];
    const struct dory_key *key = &serve->keys[serve->hostkey_file[event->index]];
    int n = key->type->sign(key, event->algorithm, event->data, event->n, signature, sizeof signature, &serve->rng);

    if (n > 0 && dory_ssh_sign(&session->ssh, signature, (size_t)n) == DORY_OK)
        return true;
    dory_serve_log("%s: the host key cannot sign: %s", session->peer, dory_strerror(n));
    dory_ssh_refuse(&session->ssh);
    return true;
}

static bool is_the_user(const struct serve_session *session, const struct dory_event *event)
{
    const char *name = session->serve->options.user;
    size_t n = strlen(name);

    return event->user_n == n && memcmp(event->user, name, n) == 0;
}

static bool key_fits(const struct serve_session *session, const struct dory_event *event, struct dory_key_grant *grant)
{
    const char *file = session->serve->options.authorized_keys;
    char why[DORY_WHY_MAX] = "";
    int error;

    if (!file)
        return false;
    error = dory_authorized_keys_match(file, event->key, event->key_n, session->address, dory_posix_unix_time(), grant, why);
    if (error != DORY_OK && why[0])
        dory_serve_log("%s: key %s: %s", session->peer, session->fingerprint, why);
    return error == DORY_OK;
}

static bool password_fits(struct serve_session *session, const struct dory_event *event)
{
    struct serve *serve = session->serve;
    uint64_t start = dory_posix_now_ms(), end;
    char why[DORY_WHY_MAX] = "";
    int error;

    if (!serve->options.password_file)
        return false;
    error = dory_password_check(serve->options.password_file, serve->options.user, event->data, event->n, why);
    if (error != DORY_OK && error != DORY_E_AUTH)
        dory_serve_log("%s: %s", session->peer, why);
    end = dory_posix_now_ms();
    serve->password_after = end + PASSWORD_REST * (end - start);
    return error == DORY_OK;
}

static bool asks_for_password(uint8_t method)
{
    return method == DORY_AUTH_PASSWORD || method == DORY_AUTH_KEYBOARD_INTERACTIVE;
}

static const char *name_of(uint8_t method)
{
    switch (method) {
    case DORY_AUTH_PUBLICKEY: return "publickey";
    case DORY_AUTH_PASSWORD: return "password";
    case DORY_AUTH_KEYBOARD_INTERACTIVE: return "keyboard-interactive";
    default: return "none";
    }
}

static void log_decision(const struct serve_session *session, const char *method, bool fits)
{
    dory_serve_log("%s: user %s, %s%s%s: %s", session->peer, session->user, method, session->fingerprint[0] ? " " : "",
                   session->fingerprint, fits ? "accepted" : "refused");
}

bool dory_session_authenticate(struct serve_session *session, const struct dory_event *event)
{
    struct dory_key_grant grant = {.command = ""};
    bool fits = false, proved = event->signed_ok || asks_for_password(event->method);

    if (asks_for_password(event->method) && session->serve->now < session->serve->password_after)
        return false;
    dory_escape_text(session->user, sizeof session->user, event->user, event->user_n);
    session->fingerprint[0] = '\0';
    if (event->method == DORY_AUTH_PUBLICKEY) {
        dory_fingerprint(session->fingerprint, event->key, event->key_n);
        fits = key_fits(session, event, &grant);
    } else if (asks_for_password(event->method)) {
        fits = password_fits(session, event);
    }
    fits = is_the_user(session, event) && fits;

    /* Clients ask about every key they have: what was not signed is no attempt. Who came in is in the session's line, too. */
    if (session->serve->options.verbose || (proved && !fits))
        log_decision(session, name_of(event->method), fits);
    if (fits && proved) {
        session->authenticated = true;
        session->method = name_of(event->method);
        session->grant = grant;
    }
    if (fits)
        dory_ssh_accept(&session->ssh);
    else
        dory_ssh_refuse(&session->ssh);
    return true;
}

static bool is_text(const struct dory_event *request, const char *text)
{
    return request->n == strlen(text) && !memcmp(request->data, text, request->n);
}

void dory_session_force(const struct serve_session *session, struct dory_event *request)
{
    const char *command = session->grant.command;
    char shown[SERVE_PATHS_SHOWN];
    bool is_subsystem = request->request == DORY_REQUEST_SUBSYSTEM;

    if (!command[0] || (is_subsystem && !is_text(request, "sftp")))
        return; /* a subsystem that is not there is refused in any case */
    dory_escape_text(shown, sizeof shown, request->data, request->n);
    dory_serve_log("%s: %s instead of %s, as the line of its key says", session->peer, command, shown);
    if (is_subsystem && !strcmp(command, "internal-sftp"))
        command = "sftp";
    else
        request->request = DORY_REQUEST_EXEC; /* sshd's internal-sftp refuses these, and so does this server */
    request->data = (const uint8_t *)command;
    request->n = strlen(command);
}
