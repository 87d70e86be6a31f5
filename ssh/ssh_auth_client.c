/* RFC 4252: the client's side of authentication. */
#include <string.h>

#include "ssh_roles.h"

/* The service request goes out with the first authentication request behind it: nothing has to be waited for. */
int dory_i_client_service(struct dory_ssh *s)
{
    struct dory_writer w = dory_i_begin(s, SSH_MSG_SERVICE_REQUEST);
    dory_i_put_text(&w, "ssh-userauth");
    s->auth_wanted = true;
    return dory_i_end(s, &w);
}

static void put_request(struct dory_ssh *s, struct dory_writer *w, const char *method)
{
    dory_i_put_text(w, s->config->user);
    dory_i_put_text(w, "ssh-connection");
    dory_i_put_text(w, method);
}

static int may_choose(const struct dory_ssh *s)
{
    if (s->error)
        return s->error;
    return s->pending.type == DORY_EV_AUTH ? DORY_OK : DORY_E_STATE;
}

static int submit(struct dory_ssh *s, int rc, uint8_t method)
{
    if (rc == DORY_E_SPACE)
        return rc;
    if (rc) {
        dory_i_fail(s, rc);
        return rc;
    }
    memset(&s->pending, 0, sizeof s->pending);
    s->auth_outstanding = method;
    dory_i_progress(s);
    return s->error;
}

int dory_ssh_auth_none(struct dory_ssh *s)
{
    struct dory_writer w;
    int rc = may_choose(s);

    if (rc)
        return rc;
    w = dory_i_begin(s, SSH_MSG_USERAUTH_REQUEST);
    put_request(s, &w, "none");
    return submit(s, dory_i_end(s, &w), DORY_AUTH_NONE);
}

int dory_ssh_auth_password(struct dory_ssh *s, const uint8_t *password, size_t n)
{
    struct dory_writer w;
    int rc = may_choose(s);

    if (rc)
        return rc;
    w = dory_i_begin(s, SSH_MSG_USERAUTH_REQUEST);
    put_request(s, &w, "password");
    dory_i_put8(&w, 0);
    dory_i_put_string(&w, password, n);
    return submit(s, dory_i_end_padded(s, &w), DORY_AUTH_PASSWORD);
}

int dory_ssh_auth_interactive(struct dory_ssh *s)
{
    struct dory_writer w;
    int rc = may_choose(s);

    if (rc)
        return rc;
    w = dory_i_begin(s, SSH_MSG_USERAUTH_REQUEST);
    put_request(s, &w, "keyboard-interactive");
    dory_i_put_text(&w, "");
    dory_i_put_text(&w, "");
    return submit(s, dory_i_end(s, &w), DORY_AUTH_KEYBOARD_INTERACTIVE);
}

/* The prompts of the held SSH_MSG_USERAUTH_INFO_REQUEST: its name, instruction and language come first. */
bool dory_ssh_prompt(const struct dory_ssh *s, unsigned i, const uint8_t **text, size_t *n, bool *echo)
{
    const uint8_t *payload = dory_i_payload(s);
    struct dory_reader r = {payload + 1, payload + s->payload_n, false};
    struct dory_slice prompt;
    unsigned skip;

    if (s->error || s->pending.type != DORY_EV_PROMPTS || i >= s->pending.count)
        return false;
    for (skip = 0; skip < 3; skip++)
        dory_i_get_string(&r);
    dory_i_get32(&r);
    do {
        prompt = dory_i_get_string(&r);
        *echo = dory_i_get8(&r) != 0;
    } while (i--);
    *text = prompt.p;
    *n = prompt.n;
    return true;
}

int dory_ssh_auth_respond(struct dory_ssh *s, const struct dory_response *responses, unsigned count)
{
    struct dory_writer w;
    unsigned i;
    int rc;

    if (s->error)
        return s->error;
    if (s->pending.type != DORY_EV_PROMPTS)
        return DORY_E_STATE;
    if (count != s->pending.count)
        return DORY_E_ARG;
    w = dory_i_begin(s, SSH_MSG_USERAUTH_INFO_RESPONSE);
    dory_i_put32(&w, count);
    for (i = 0; i < count; i++)
        dory_i_put_string(&w, responses[i].p, responses[i].n);
    rc = dory_i_end_padded(s, &w);
    return rc == DORY_E_SPACE ? rc : dory_i_answer(s, true, rc);
}

int dory_i_client_auth_responded(struct dory_ssh *s, bool yes)
{
    if (!yes) {
        s->auth_outstanding = 0;
        s->auth_wanted = true;
    }
    return DORY_OK;
}

static void key_id(const uint8_t *key, size_t n, uint8_t id[32])
{
    struct dory_sha256 h;
    dory_sha256_init(&h);
    dory_sha256_update(&h, key, n);
    dory_sha256_final(&h, id);
}

static void put_publickey(struct dory_ssh *s, struct dory_writer *w, bool with_signature, const uint8_t *key, size_t n)
{
    put_request(s, w, "publickey");
    dory_i_put8(w, with_signature);
    dory_i_put_text(w, s->auth_algorithm);
    dory_i_put_string(w, key, n);
}

/* Builds the request up to its signature and asks for that. */
static int ask_for_signature(struct dory_ssh *s, const uint8_t *key, size_t n)
{
    struct dory_writer w = dory_i_begin_signed(s, SSH_MSG_USERAUTH_REQUEST);
    const uint8_t *data = s->config->tx + s->tx_start + 5 - 36;

    put_publickey(s, &w, true, key, n);
    if (w.bad)
        return DORY_E_SPACE;
    memset(&s->pending, 0, sizeof s->pending);
    s->pending.data = data;
    s->pending.n = (size_t)(w.p - data);
    s->pending.key = w.p - n;
    s->pending.key_n = n;
    s->pending.algorithm = s->auth_algorithm;
    s->tx_open = w.p;
    s->building = BUILD_HELD;
    dory_i_raise(s, DORY_EV_SIGN);
    return DORY_OK;
}

int dory_ssh_auth_publickey(struct dory_ssh *s, const char *algorithm, const uint8_t *key, size_t n, bool ask)
{
    struct dory_writer w;
    int rc = may_choose(s);

    if (rc)
        return rc;
    s->auth_algorithm = algorithm;
    if (!ask)
        return ask_for_signature(s, key, n);
    key_id(key, n, s->auth_key_id);
    w = dory_i_begin(s, SSH_MSG_USERAUTH_REQUEST);
    put_publickey(s, &w, false, key, n);
    rc = dory_i_end(s, &w);
    s->auth_asked = rc == DORY_OK;
    return submit(s, rc, DORY_AUTH_PUBLICKEY);
}

int dory_i_client_auth_signed(struct dory_ssh *s, bool yes)
{
    s->building = BUILD_NONE;
    s->auth_outstanding = yes ? DORY_AUTH_PUBLICKEY : 0;
    s->auth_wanted = !yes;
    return DORY_OK;
}

uint32_t dory_ssh_server_sig_algs(const struct dory_ssh *s)
{
    return s->sig_algs;
}

static uint32_t known_signatures(const struct dory_ssh *s, struct dory_slice list)
{
    const struct dory_sigalg *const *own = s->config->user_signatures ? s->config->user_signatures : s->config->signatures;
    struct dory_slice name;
    uint32_t mask = 0;
    unsigned i;

    while (dory_i_next_name(&list, &name))
        for (i = 0; i < 32 && own[i]; i++)
            if (dory_i_is(name, own[i]->name))
                mask |= UINT32_C(1) << i;
    return mask;
}

/* RFC 8308 2.4; a count beyond what the packet holds ends with the packet. */
static int ext_info(struct dory_ssh *s, struct dory_reader *r)
{
    uint32_t count = dory_i_get32(r);

    for (; count && !r->bad; count--) {
        struct dory_slice name = dory_i_get_string(r);
        struct dory_slice value = dory_i_get_string(r);
        if (!r->bad && dory_i_is(name, "server-sig-algs"))
            s->sig_algs = known_signatures(s, value);
    }
    return dory_i_at_end(r) ? DORY_OK : dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_EXT_INFO");
}

static int service_accept(struct dory_ssh *s, struct dory_reader *r)
{
    struct dory_slice name = dory_i_get_string(r);

    if (!dory_i_at_end(r) || !dory_i_is(name, "ssh-userauth"))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_SERVICE_ACCEPT");
    s->phase = PHASE_AUTH;
    return DORY_OK;
}

static uint8_t read_methods(struct dory_slice list)
{
    struct dory_slice name;
    uint8_t methods = 0;

    while (dory_i_next_name(&list, &name)) {
        if (dory_i_is(name, "publickey"))
            methods |= DORY_AUTH_PUBLICKEY;
        else if (dory_i_is(name, "password"))
            methods |= DORY_AUTH_PASSWORD;
        else if (dory_i_is(name, "keyboard-interactive"))
            methods |= DORY_AUTH_KEYBOARD_INTERACTIVE;
    }
    return methods;
}

static int failure(struct dory_ssh *s, struct dory_reader *r)
{
    struct dory_slice list = dory_i_get_string(r);
    bool partial = dory_i_get8(r) != 0;

    if (!dory_i_at_end(r) || !s->auth_outstanding)
        return dory_i_error(s, DORY_E_PROTOCOL, "SSH_MSG_USERAUTH_FAILURE out of place");
    s->auth_methods = read_methods(list);
    s->auth_partial = partial;
    s->auth_outstanding = 0;
    s->auth_asked = false;
    s->auth_wanted = true;
    return DORY_OK;
}

static int success(struct dory_ssh *s, struct dory_reader *r)
{
    if (!dory_i_at_end(r) || !s->auth_outstanding || s->auth_asked)
        return dory_i_error(s, DORY_E_PROTOCOL, "SSH_MSG_USERAUTH_SUCCESS out of place");
    s->auth_outstanding = 0;
    s->phase = PHASE_CONNECTION;
    s->data_moved = s->now;
    return DORY_OK;
}

static int banner(struct dory_ssh *s, struct dory_reader *r)
{
    struct dory_slice text = dory_i_get_string(r);

    dory_i_get_string(r);
    if (!dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_USERAUTH_BANNER");
    s->pending.data = text.p;
    s->pending.n = text.n;
    dory_i_raise(s, DORY_EV_BANNER);
    return DORY_OK;
}

static int pk_ok(struct dory_ssh *s, struct dory_reader *r)
{
    struct dory_slice name = dory_i_get_string(r);
    struct dory_slice key = dory_i_get_string(r);
    uint8_t id[32];

    if (!dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_USERAUTH_PK_OK");
    key_id(key.p, key.n, id);
    if (!dory_i_is(name, s->auth_algorithm) || !dory_equal(id, s->auth_key_id, sizeof id))
        return dory_i_error(s, DORY_E_PROTOCOL, "SSH_MSG_USERAUTH_PK_OK for another key");
    s->auth_asked = false;
    s->auth_outstanding = 0;
    return ask_for_signature(s, key.p, key.n);
}

static int passwd_change(struct dory_ssh *s, struct dory_reader *r)
{
    struct dory_slice prompt = dory_i_get_string(r);

    dory_i_get_string(r);
    if (!dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_USERAUTH_PASSWD_CHANGEREQ");
    s->auth_outstanding = 0;
    s->auth_wanted = true;
    s->pending.data = prompt.p;
    s->pending.n = prompt.n;
    dory_i_raise(s, DORY_EV_PASSWD_CHANGE);
    return DORY_OK;
}

static int info_request(struct dory_ssh *s, struct dory_reader *r)
{
    struct dory_slice name = dory_i_get_string(r);
    struct dory_slice instruction = dory_i_get_string(r);
    uint32_t count, i;

    dory_i_get_string(r);
    count = dory_i_get32(r);
    for (i = 0; i < count && !r->bad; i++) {
        dory_i_get_string(r);
        dory_i_get8(r);
    }
    if (!dory_i_at_end(r) || count > UINT8_MAX)
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_USERAUTH_INFO_REQUEST");
    s->pending.data = name.p;
    s->pending.n = name.n;
    s->pending.user = instruction.p;
    s->pending.user_n = instruction.n;
    s->pending.count = (uint8_t)count;
    dory_i_raise(s, DORY_EV_PROMPTS);
    return DORY_OK;
}

int dory_i_client_auth(struct dory_ssh *s, uint8_t type, struct dory_reader *r)
{
    switch (type) {
    case SSH_MSG_SERVICE_ACCEPT:
        return service_accept(s, r);
    case SSH_MSG_EXT_INFO:
        return ext_info(s, r);
    case SSH_MSG_USERAUTH_FAILURE:
        return failure(s, r);
    case SSH_MSG_USERAUTH_SUCCESS:
        return success(s, r);
    case SSH_MSG_USERAUTH_BANNER:
        return banner(s, r);
    default:
        if (s->auth_outstanding == DORY_AUTH_PUBLICKEY && s->auth_asked)
            return pk_ok(s, r);
        if (s->auth_outstanding == DORY_AUTH_PASSWORD)
            return passwd_change(s, r);
        if (s->auth_outstanding == DORY_AUTH_KEYBOARD_INTERACTIVE)
            return info_request(s, r);
        return dory_i_error(s, DORY_E_PROTOCOL, "an authentication prompt that nobody asked for");
    }
}
