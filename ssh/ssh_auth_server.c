/* RFC 4252: the server's side of authentication. */
#include <string.h>

#include "ssh_roles.h"

int dory_i_server_service(struct dory_ssh *s, struct dory_reader *r)
{
    struct dory_slice name = dory_i_get_string(r);
    struct dory_writer w;

    if (!dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_SERVICE_REQUEST");
    if (!dory_i_is(name, "ssh-userauth")) {
        s->sent_reason = SSH_DISCONNECT_SERVICE_NOT_AVAILABLE;
        return dory_i_error(s, DORY_E_PROTOCOL, "no such service");
    }
    w = dory_i_begin(s, SSH_MSG_SERVICE_ACCEPT);
    dory_i_put_text(&w, "ssh-userauth");
    s->phase = PHASE_AUTH;
    s->auth_outstanding = 0;
    return dory_i_end(s, &w);
}

static int send_banner(struct dory_ssh *s)
{
    struct dory_writer w;

    if (s->banner_sent || !s->config->banner)
        return DORY_OK;
    s->banner_sent = true;
    w = dory_i_begin(s, SSH_MSG_USERAUTH_BANNER);
    dory_i_put_text(&w, s->config->banner);
    dory_i_put_text(&w, "");
    return dory_i_end(s, &w);
}

static void put_methods(struct dory_writer *w, uint8_t methods)
{
    static const struct {
        uint8_t bit;
        const char *name;
    } names[] = {
        {DORY_AUTH_PUBLICKEY, "publickey"}, {DORY_AUTH_PASSWORD, "password"}, {DORY_AUTH_KEYBOARD_INTERACTIVE, "keyboard-interactive"}};
    uint8_t *length = dory_i_put(w, 4);
    const uint8_t *start = w->p;
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (methods & names[i].bit) {
            if (w->p != start)
                dory_i_put8(w, ',');
            dory_i_put_bytes(w, names[i].name, strlen(names[i].name));
        }
    if (!w->bad)
        dory_i_store32(length, (uint32_t)(w->p - start));
}

static int send_failure(struct dory_ssh *s, bool partial)
{
    struct dory_writer w;
    int rc = send_banner(s);

    if (rc)
        return rc;
    w = dory_i_begin(s, SSH_MSG_USERAUTH_FAILURE);
    put_methods(&w, s->auth_methods);
    dory_i_put8(&w, partial);
    return dory_i_end(s, &w);
}

static int fail_try(struct dory_ssh *s)
{
    uint8_t tries = s->config->auth_tries ? s->config->auth_tries : 6;

    if (++s->auth_failures >= tries)
        return dory_i_error(s, DORY_E_AUTH, "too many authentication failures");
    return send_failure(s, false);
}

static int ask_caller(struct dory_ssh *s, uint8_t method, struct dory_slice user)
{
    s->pending.method = method;
    s->pending.user = user.p;
    s->pending.user_n = user.n;
    dory_i_raise(s, DORY_EV_AUTH_REQUEST);
    return DORY_OK;
}

/* The first "none" only asks for the list of methods and costs no try. */
static int try_none(struct dory_ssh *s, struct dory_slice user)
{
    if (s->auth_methods & DORY_AUTH_NONE)
        return ask_caller(s, DORY_AUTH_NONE, user);
    if (s->auth_none_seen)
        return fail_try(s);
    s->auth_none_seen = true;
    return send_failure(s, false);
}

static int try_password(struct dory_ssh *s, struct dory_slice user, struct dory_reader *r)
{
    bool change = dory_i_get8(r) != 0;
    struct dory_slice password = dory_i_get_string(r);

    if (change)
        dory_i_get_string(r);
    if (!dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed password request");
    if (change || !(s->auth_methods & DORY_AUTH_PASSWORD))
        return fail_try(s);
    s->pending.data = password.p;
    s->pending.n = password.n;
    return ask_caller(s, DORY_AUTH_PASSWORD, user);
}

/* What is signed is the session identifier and the request up to the signature: it is laid in front of the request, where the packet's
   length and the buffer's headroom were. */
static int verify_request(struct dory_ssh *s, const struct dory_sigalg *alg, struct dory_slice key, const uint8_t *end,
                          struct dory_slice signature)
{
    uint8_t *payload = dory_i_payload(s);
    uint8_t *front = payload - 36;

    dory_i_store32(front, 32);
    memcpy(front + 4, s->session_id, 32);
    return alg->verify(key.p, key.n, front, (size_t)(end - front), signature.p, signature.n);
}

static bool key_has_type(struct dory_slice key, const char *type)
{
    struct dory_reader r = {key.p, key.p + key.n, false};
    struct dory_slice name = dory_i_get_string(&r);
    return !r.bad && dory_i_is(name, type);
}

static int try_publickey(struct dory_ssh *s, struct dory_slice user, struct dory_reader *r)
{
    bool is_signed = dory_i_get8(r) != 0;
    struct dory_slice name = dory_i_get_string(r);
    struct dory_slice key = dory_i_get_string(r);
    const uint8_t *end = r->p;
    struct dory_slice signature = {NULL, 0};
    const struct dory_sigalg *alg;

    if (is_signed)
        signature = dory_i_get_string(r);
    if (!dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed publickey request");
    alg = dory_i_find_signature(s, name);
    if (!(s->auth_methods & DORY_AUTH_PUBLICKEY) || !alg || !key_has_type(key, alg->key_type))
        return fail_try(s);
    if (is_signed && verify_request(s, alg, key, end, signature))
        return fail_try(s);
    s->pending.key = key.p;
    s->pending.key_n = key.n;
    s->pending.algorithm = alg->name;
    s->pending.signed_ok = is_signed;
    return ask_caller(s, DORY_AUTH_PUBLICKEY, user);
}

/* RFC 4256: one prompt for one password. The answer comes without a name, so the user's is kept. */
static int try_interactive(struct dory_ssh *s, struct dory_slice user, struct dory_reader *r)
{
    struct dory_writer w;

    dory_i_get_string(r);
    dory_i_get_string(r);
    if (!dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed keyboard-interactive request");
    if (!(s->auth_methods & DORY_AUTH_KEYBOARD_INTERACTIVE) || user.n > sizeof s->auth_user)
        return fail_try(s);
    memcpy(s->auth_user, user.p, user.n);
    s->auth_user_n = (uint8_t)user.n;
    s->auth_outstanding = DORY_AUTH_KEYBOARD_INTERACTIVE;
    w = dory_i_begin(s, SSH_MSG_USERAUTH_INFO_REQUEST);
    dory_i_put_text(&w, "");
    dory_i_put_text(&w, "");
    dory_i_put_text(&w, "");
    dory_i_put32(&w, 1);
    dory_i_put_text(&w, "Password: ");
    dory_i_put8(&w, 0);
    return dory_i_end(s, &w);
}

int dory_i_server_auth_response(struct dory_ssh *s, struct dory_reader *r)
{
    uint32_t count = dory_i_get32(r);
    struct dory_slice password = {NULL, 0}, user = {s->auth_user, s->auth_user_n};

    if (count == 1)
        password = dory_i_get_string(r);
    if (!s->auth_outstanding || r->bad || (count <= 1 && !dory_i_at_end(r)))
        return dory_i_error(s, DORY_E_PROTOCOL, "SSH_MSG_USERAUTH_INFO_RESPONSE out of place");
    s->auth_outstanding = 0;
    if (count != 1)
        return fail_try(s);
    s->pending.data = password.p;
    s->pending.n = password.n;
    return ask_caller(s, DORY_AUTH_KEYBOARD_INTERACTIVE, user);
}

/* Requests after success are ignored (RFC 4252 5.3); a new one ends what another began (RFC 4256 3.1). */
int dory_i_server_auth(struct dory_ssh *s, struct dory_reader *r)
{
    struct dory_slice user = dory_i_get_string(r);
    struct dory_slice service = dory_i_get_string(r);
    struct dory_slice method = dory_i_get_string(r);

    if (r->bad)
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_USERAUTH_REQUEST");
    if (s->phase == PHASE_CONNECTION)
        return DORY_OK;
    if (s->auth_bound && (user.n != s->auth_user_n || memcmp(user.p, s->auth_user, user.n)))
        return dory_i_error(s, DORY_E_AUTH, "another user after a partial success"); /* RFC 4252 5 */
    s->auth_outstanding = 0;
    if (!dory_i_is(service, "ssh-connection")) {
        s->sent_reason = SSH_DISCONNECT_SERVICE_NOT_AVAILABLE;
        return dory_i_error(s, DORY_E_PROTOCOL, "no such service");
    }
    if (dory_i_is(method, "none"))
        return try_none(s, user);
    if (dory_i_is(method, "password"))
        return try_password(s, user, r);
    if (dory_i_is(method, "publickey"))
        return try_publickey(s, user, r);
    if (dory_i_is(method, "keyboard-interactive"))
        return try_interactive(s, user, r);
    return fail_try(s);
}

static int send_pk_ok(struct dory_ssh *s)
{
    const uint8_t *payload = dory_i_payload(s);
    struct dory_reader r = {payload + 1, payload + s->payload_n, false};
    struct dory_slice name, key;
    struct dory_writer w;
    int i;

    for (i = 0; i < 3; i++)
        dory_i_get_string(&r);
    dory_i_get8(&r);
    name = dory_i_get_string(&r);
    key = dory_i_get_string(&r);
    w = dory_i_begin(s, SSH_MSG_USERAUTH_PK_OK);
    dory_i_put_string(&w, name.p, name.n);
    dory_i_put_string(&w, key.p, key.n);
    return dory_i_end(s, &w);
}

/* The held request is looked at again: a publickey request without a signature is answered by SSH_MSG_USERAUTH_PK_OK. */
static bool only_asks(const struct dory_ssh *s)
{
    const uint8_t *payload = dory_i_payload(s);
    struct dory_reader r = {payload + 1, payload + s->payload_n, false};
    struct dory_slice method;

    if (payload[0] != SSH_MSG_USERAUTH_REQUEST)
        return false;
    dory_i_get_string(&r);
    dory_i_get_string(&r);
    method = dory_i_get_string(&r);
    return dory_i_is(method, "publickey") && dory_i_get8(&r) == 0;
}

int dory_i_server_auth_answer(struct dory_ssh *s, bool yes)
{
    bool asks = only_asks(s);
    struct dory_writer w;
    int rc;

    if (yes && asks)
        return send_pk_ok(s);
    dory_wipe(dory_i_payload(s), s->payload_n); /* may hold a password */
    if (!yes)
        return fail_try(s);
    if (s->auth_partial) {
        s->auth_partial = false;
        return send_failure(s, true);
    }
    rc = send_banner(s);
    if (rc)
        return rc;
    w = dory_i_begin(s, SSH_MSG_USERAUTH_SUCCESS);
    s->phase = PHASE_CONNECTION;
    s->data_moved = s->now;
    return dory_i_end(s, &w);
}

int dory_ssh_accept_partial(struct dory_ssh *s, uint8_t methods)
{
    if (s->error)
        return s->error;
    if (s->pending.type != DORY_EV_AUTH_REQUEST)
        return DORY_E_STATE;
    if (!only_asks(s)) {
        if (s->pending.user_n > sizeof s->auth_user)
            return DORY_E_SPACE;
        memmove(s->auth_user, s->pending.user, s->pending.user_n);
        s->auth_user_n = (uint8_t)s->pending.user_n;
        s->auth_methods = methods;
        s->auth_partial = s->auth_bound = true;
    }
    return dory_i_answer(s, true, DORY_OK);
}
