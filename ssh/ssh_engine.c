/* The engine's heart: what may come when, who handles it, and what goes out next. */
#include <string.h>

#include "ssh_internal.h"

/* ---- Which message is legal: by role, and by what this side is waiting for ---- */

enum {
    C = 1,              /* may come to a client */
    S = 2,              /* may come to a server */
    IN_FIRST_KEX = 4,   /* first key exchange, not strict */
    IN_STRICT_KEX = 8,  /* first key exchange, strict */
    IN_REKEY = 16,      /* the peer's SSH_MSG_KEXINIT of a re-exchange is in, its SSH_MSG_NEWKEYS not */
    IN_SERVICE = 32,
    IN_AUTH = 64,
    IN_CONNECTION = 128,
    IN_KEX = IN_FIRST_KEX | IN_STRICT_KEX | IN_REKEY,
    AFTER_KEX = IN_SERVICE | IN_AUTH | IN_CONNECTION
};

static const struct {
    uint8_t first, last, where;
} legal[] = {
    {SSH_MSG_DISCONNECT, SSH_MSG_DISCONNECT, C | S | IN_KEX | AFTER_KEX},
    {SSH_MSG_IGNORE, SSH_MSG_DEBUG, C | S | IN_FIRST_KEX | IN_REKEY | AFTER_KEX},
    {SSH_MSG_SERVICE_REQUEST, SSH_MSG_SERVICE_REQUEST, S | IN_SERVICE | IN_AUTH}, /* paramiko asks anew before each try */
    {SSH_MSG_SERVICE_ACCEPT, SSH_MSG_SERVICE_ACCEPT, C | IN_SERVICE},
    {SSH_MSG_EXT_INFO, SSH_MSG_EXT_INFO, C | S | IN_SERVICE},
    {SSH_MSG_EXT_INFO, SSH_MSG_EXT_INFO, C | IN_AUTH},
    {SSH_MSG_KEXINIT, SSH_MSG_KEXINIT, C | S | AFTER_KEX},           /* the first one has a case of its own in is_legal */
    {SSH_MSG_NEWKEYS, SSH_MSG_NEWKEYS, C | S | IN_KEX},              /* further judged by dory_i_newkeys */
    {SSH_MSG_KEX_ECDH_INIT, SSH_MSG_KEX_ECDH_INIT, S | IN_KEX},      /* likewise by kex_message */
    {SSH_MSG_KEX_ECDH_REPLY, SSH_MSG_KEX_ECDH_REPLY, C | IN_KEX},
    {SSH_MSG_USERAUTH_REQUEST, SSH_MSG_USERAUTH_REQUEST, S | IN_AUTH | IN_CONNECTION},
    {SSH_MSG_USERAUTH_FAILURE, SSH_MSG_USERAUTH_BANNER, C | IN_AUTH},
    {SSH_MSG_USERAUTH_PK_OK, SSH_MSG_USERAUTH_PK_OK, C | IN_AUTH},
    {SSH_MSG_USERAUTH_INFO_RESPONSE, SSH_MSG_USERAUTH_INFO_RESPONSE, S | IN_AUTH},
    {SSH_MSG_GLOBAL_REQUEST, SSH_MSG_REQUEST_FAILURE, C | S | IN_CONNECTION},
    {SSH_MSG_CHANNEL_OPEN, SSH_MSG_CHANNEL_OPEN, C | S | IN_CONNECTION},
    {SSH_MSG_CHANNEL_OPEN_CONFIRMATION, SSH_MSG_CHANNEL_OPEN_FAILURE, C | IN_CONNECTION},
    {SSH_MSG_CHANNEL_WINDOW_ADJUST, SSH_MSG_CHANNEL_REQUEST, C | S | IN_CONNECTION},
    {SSH_MSG_CHANNEL_SUCCESS, SSH_MSG_CHANNEL_FAILURE, C | IN_CONNECTION},
    {SSH_MSG_PING, SSH_MSG_PING, C | S | IN_CONNECTION},
};

static unsigned where(const struct dory_ssh *s)
{
    if (!s->first_kex_done)
        return s->strict ? IN_STRICT_KEX : IN_FIRST_KEX;
    if (s->kex_state >= KEX_AGREED)
        return IN_REKEY;
    return s->phase == PHASE_SERVICE ? IN_SERVICE : s->phase == PHASE_AUTH ? IN_AUTH : IN_CONNECTION;
}

enum verdict { LEGAL, UNKNOWN, ILLEGAL };

static enum verdict judge(const struct dory_ssh *s, uint8_t type)
{
    unsigned place = where(s), role = dory_i_is_server(s) ? S : C, i;
    bool known = false;

    if (type == SSH_MSG_KEXINIT && !s->first_kex_done)
        return s->kex_state == KEX_SENT ? LEGAL : ILLEGAL;
    for (i = 0; i < sizeof legal / sizeof legal[0]; i++)
        if (type >= legal[i].first && type <= legal[i].last) {
            known = true;
            if ((legal[i].where & role) && (legal[i].where & place))
                return LEGAL;
        }
    /* RFC 4253 11.4 for what nobody knows, but never during a key exchange, nor numbers of a later layer before their time. */
    if (known || place & IN_KEX || (type >= 30 && type < 50) || (type >= 60 && type < 80) || (type >= 80 && !(place & IN_CONNECTION)))
        return ILLEGAL;
    return UNKNOWN;
}

/* ---- Errors ---- */

int dory_i_explain(struct dory_ssh *s, int error, const char *what)
{
    if (!s->what)
        s->what = what;
    return error;
}

static uint32_t reason_of(const struct dory_ssh *s, int error)
{
    switch (error) {
    case DORY_E_MAC:
        return SSH_DISCONNECT_MAC_ERROR;
    case DORY_E_NO_COMMON:
    case DORY_E_KEX:
        return SSH_DISCONNECT_KEY_EXCHANGE_FAILED;
    case DORY_E_HOSTKEY:
        return SSH_DISCONNECT_HOST_KEY_NOT_VERIFIABLE;
    case DORY_E_AUTH:
        return dory_i_is_server(s) ? SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE : SSH_DISCONNECT_AUTH_CANCELLED_BY_USER;
    case DORY_E_VERSION:
        return SSH_DISCONNECT_PROTOCOL_VERSION_NOT_SUPPORTED;
    case DORY_E_TIMEOUT:
    case DORY_E_RNG:
    case DORY_E_SPACE:
        return SSH_DISCONNECT_BY_APPLICATION;
    default:
        return SSH_DISCONNECT_PROTOCOL_ERROR;
    }
}

static void send_disconnect(struct dory_ssh *s, uint32_t reason, const char *text)
{
    struct dory_writer w;

    if (s->building)
        dory_wipe(s->config->tx + s->tx_tail, s->config->tx_size - s->tx_tail);
    s->building = BUILD_NONE;
    s->tx_limit = s->config->tx_size;
    w = dory_i_begin(s, SSH_MSG_DISCONNECT);
    dory_i_put32(&w, reason);
    dory_i_put_text(&w, text);
    dory_i_put_text(&w, "");
    s->sent_reason = reason;
    (void)dory_i_end(s, &w); /* no room: then the peer sees the stream end */
}

/* Before the version exchange is over the peer could not read a packet. */
void dory_i_fail(struct dory_ssh *s, int error)
{
    if (s->error)
        return;
    if (error != DORY_E_DISCONNECTED && error != DORY_E_CUT && s->phase != PHASE_VERSION)
        send_disconnect(s, s->sent_reason ? s->sent_reason : reason_of(s, error), s->what ? s->what : dory_strerror(error));
    s->pending.type = DORY_EV_NONE;
    s->error = error;
}

/* ---- Dispatch ---- */

static int unimplemented(struct dory_ssh *s)
{
    struct dory_writer w = dory_i_begin(s, SSH_MSG_UNIMPLEMENTED);
    dory_i_put32(&w, s->rx.seq - 1);
    return dory_i_end(s, &w);
}

static int peer_disconnected(struct dory_ssh *s, struct dory_reader *r)
{
    struct dory_slice text;

    s->sent_reason = dory_i_get32(r);
    text = dory_i_get_string(r);
    s->detail = text.p;
    s->detail_n = text.n;
    return DORY_E_DISCONNECTED;
}

/* A guessed packet that was wrong is dropped unread (RFC 4253 7). */
static int kex_method(struct dory_ssh *s, struct dory_reader *r)
{
    if (s->kex_state != KEX_AGREED)
        return dory_i_error(s, DORY_E_PROTOCOL, "key exchange message out of place");
    if (s->guess_wrong) {
        s->guess_wrong = false;
        return DORY_OK;
    }
    return s->config->role->kex_message(s, r);
}

int dory_i_transport(struct dory_ssh *s, uint8_t type, struct dory_reader *r)
{
    switch (type) {
    case SSH_MSG_DISCONNECT:
        return peer_disconnected(s, r);
    case SSH_MSG_IGNORE:
    case SSH_MSG_DEBUG:
    case SSH_MSG_UNIMPLEMENTED:
        return DORY_OK;
    case SSH_MSG_KEXINIT:
        return dory_i_kexinit(s, r);
    case SSH_MSG_NEWKEYS:
        return dory_i_newkeys(s, r);
    default:
        return kex_method(s, r);
    }
}

/* Up to authentication every message may be answered at once. Later ones, and noise, leave at most a flag, a counter or a bit behind:
   they are read even when nothing can be written, or two peers with full buffers would wait for each other. */
static bool needs_room(const struct dory_ssh *s, uint8_t type)
{
    if (type <= SSH_MSG_DEBUG || type >= SSH_MSG_GLOBAL_REQUEST)
        return false;
    return type != SSH_MSG_NEWKEYS || !s->first_kex_done;
}

static int handle(struct dory_ssh *s, uint8_t type, struct dory_reader *r)
{
    enum verdict verdict = judge(s, type);

    if (verdict == ILLEGAL)
        return dory_i_error(s, DORY_E_PROTOCOL, "a message that must not come now");
    if (verdict == UNKNOWN)
        return dory_i_has_room(s) ? unimplemented(s) : DORY_E_AGAIN;
    if (type <= SSH_MSG_DEBUG || (type >= SSH_MSG_KEXINIT && type < SSH_MSG_USERAUTH_REQUEST))
        return dory_i_transport(s, type, r);
    if (type < SSH_MSG_GLOBAL_REQUEST)
        return s->config->role->message(s, type, r);
    return dory_i_connection(s, type, r);
}

/* A half-full transmit buffer must drain first; an empty one is as much room as there will ever be. */
bool dory_i_has_room(const struct dory_ssh *s)
{
    return s->tx_tail == 0 || dory_i_room(s) >= dory_i_reserve(s);
}

static int dispatch(struct dory_ssh *s)
{
    const uint8_t *payload = dory_i_payload(s);
    struct dory_reader r = {payload + 1, payload + s->payload_n, false};
    int rc;

    if (needs_room(s, payload[0]) && !dory_i_has_room(s))
        return 0;
    rc = handle(s, payload[0], &r);
    if (rc)
        return rc == DORY_E_AGAIN ? 0 : rc;
    if (s->rx_state == RX_PACKET && !s->pending.type)
        dory_i_consume(s);
    return 1;
}

static int step(struct dory_ssh *s)
{
    switch (s->rx_state) {
    case RX_VERSION:
        return dory_i_version(s);
    case RX_PACKET:
        return dispatch(s);
    default:
        return dory_i_receive(s);
    }
}

/* Does all that can be done with the bytes that are there. The client's choice of a method waits until nothing else is to be read, so
   that SSH_MSG_EXT_INFO is known first where it came along. */
void dory_i_progress(struct dory_ssh *s)
{
    int rc = 1;

    while (!s->error && rc > 0) {
        rc = dory_i_flush(s);
        if (rc == 0 && !s->pending.type && !s->building && s->rx_state != RX_DATA)
            rc = step(s);
        if (rc < 0)
            dory_i_fail(s, rc);
    }
    if (!s->error && s->auth_wanted && !s->pending.type && !s->kex_tx && s->rx_state <= RX_BODY) {
        s->auth_wanted = false;
        s->pending.methods = s->auth_methods;
        s->pending.partial = s->auth_partial;
        dory_i_raise(s, DORY_EV_AUTH);
    }
}

/* ---- Life ---- */

static int check_config(const struct dory_ssh_config *c)
{
    if (!c->role || !c->software || !c->rng.fill || !c->kex || !c->ciphers || !c->macs || !c->signatures || !c->rx || !c->tx)
        return DORY_E_ARG;
    if (c->rx_size < DORY_MIN_BUFFER || c->tx_size < DORY_MIN_BUFFER || (c->channel_count && !c->channels))
        return DORY_E_ARG;
    if (c->role->server ? !c->hostkeys || !c->hostkey_count : !c->user)
        return DORY_E_ARG;
    if (c->banner && strlen(c->banner) > c->tx_size / 2)
        return DORY_E_ARG;
    return DORY_OK;
}

int dory_ssh_init(struct dory_ssh *s, const struct dory_ssh_config *c, uint64_t now_ms)
{
    size_t most;
    int rc = check_config(c);

    memset(s, 0, sizeof *s);
    s->config = c;
    s->error = rc;
    if (rc)
        return rc;
    memset(c->channels, 0, c->channel_count * sizeof c->channels[0]);
    s->now = s->started = s->heard = s->data_moved = now_ms;
    s->rx_pos = DORY_PACKET_HEADROOM;
    s->tx_limit = c->tx_size;
    s->sig_algs = UINT32_MAX;
    s->auth_methods = c->role->server ? c->auth_methods : 0;
    most = c->rx_size - DORY_PACKET_OVERHEAD - 1 - 13 - 255;
    s->max_packet = (uint32_t)(most < DORY_CHANNEL_MAX_PACKET ? most : DORY_CHANNEL_MAX_PACKET);
    s->window = c->window ? c->window : (uint32_t)(4 * c->rx_size);
    rc = dory_i_send_version(s);
    if (rc == 0)
        rc = dory_i_kex_start(s);
    s->error = rc;
    return rc;
}

int dory_ssh_error(const struct dory_ssh *s)
{
    return s->error;
}

const char *dory_ssh_error_text(const struct dory_ssh *s)
{
    return s->what ? s->what : "";
}

const uint8_t *dory_ssh_error_detail(const struct dory_ssh *s, size_t *n)
{
    *n = s->error ? s->detail_n : 0;
    return *n ? s->detail : NULL;
}

uint32_t dory_ssh_disconnect_reason(const struct dory_ssh *s)
{
    return s->sent_reason;
}

void dory_ssh_disconnect(struct dory_ssh *s, enum dory_disconnect reason, const char *text)
{
    if (s->error)
        return;
    if (s->phase != PHASE_VERSION)
        send_disconnect(s, reason, text);
    s->pending.type = DORY_EV_NONE;
    s->error = DORY_E_CLOSED;
}

int dory_ssh_recvpkt_eof(struct dory_ssh *s)
{
    if (!s->error)
        dory_i_fail(s, DORY_E_CUT);
    return s->error == DORY_E_CLOSED || s->error == DORY_E_DISCONNECTED ? DORY_OK : s->error;
}

void dory_ssh_wipe(struct dory_ssh *s)
{
    dory_wipe(s->config->rx, s->config->rx_size);
    dory_wipe(s->config->tx, s->config->tx_size);
    dory_wipe(s, sizeof *s);
    s->error = DORY_E_STATE;
}

/* ---- Events ---- */

void dory_i_raise(struct dory_ssh *s, enum dory_event_type type)
{
    s->pending.type = type;
}

enum dory_event_type dory_ssh_event(const struct dory_ssh *s, struct dory_event *event)
{
    *event = s->pending;
    return s->pending.type;
}

/* The held packet is done with unless the answer raised the next event. */
int dory_i_answer(struct dory_ssh *s, bool yes, int rc)
{
    enum dory_event_type type = s->pending.type;

    if (s->error)
        return s->error;
    if (rc == 0) {
        memset(&s->pending, 0, sizeof s->pending);
        rc = s->config->role->answer(s, type, yes);
    }
    if (rc < 0)
        dory_i_fail(s, rc);
    else if (s->rx_state == RX_PACKET && !s->pending.type)
        dory_i_consume(s);
    dory_i_progress(s);
    return s->error;
}

int dory_ssh_accept(struct dory_ssh *s)
{
    if (s->error)
        return s->error;
    if (!s->pending.type || s->pending.type == DORY_EV_AUTH || s->pending.type == DORY_EV_SIGN || s->pending.type == DORY_EV_PROMPTS)
        return DORY_E_STATE;
    return dory_i_answer(s, true, DORY_OK);
}

int dory_ssh_refuse(struct dory_ssh *s)
{
    if (s->error)
        return s->error;
    return s->pending.type ? dory_i_answer(s, false, DORY_OK) : DORY_E_STATE;
}

int dory_ssh_sign(struct dory_ssh *s, const uint8_t *signature, size_t n)
{
    struct dory_writer w;

    if (s->error)
        return s->error;
    if (s->pending.type != DORY_EV_SIGN || s->building != BUILD_HELD)
        return DORY_E_STATE;
    w.p = s->tx_open;
    w.end = s->config->tx + s->tx_limit - 196;
    w.bad = false;
    dory_i_put_string(&w, signature, n);
    s->building = BUILD_NONE;
    return dory_i_answer(s, true, dory_i_end(s, &w));
}

/* ---- Time ---- */

static void sooner(uint64_t *deadline, uint64_t when)
{
    if (when < *deadline)
        *deadline = when;
}

static void expire(struct dory_ssh *s, uint64_t *next, uint64_t since, uint64_t ms, const char *what)
{
    if (ms == 0)
        return;
    if (s->now - since >= ms)
        dory_i_fail(s, dory_i_error(s, DORY_E_TIMEOUT, what));
    else
        sooner(next, since + ms);
}

static void tick_connection(struct dory_ssh *s, uint64_t *next)
{
    const struct dory_ssh_config *c = s->config;
    uint64_t rekey = c->rekey_ms ? c->rekey_ms : 3600000;
    uint64_t keepalive;

    expire(s, next, s->data_moved, c->idle_ms, "idle for too long");
    if (s->kex_state == KEX_NONE) {
        if (s->now - s->keyed >= rekey)
            s->kex_wanted = true;
        else
            sooner(next, s->keyed + rekey);
    }
    if (c->keepalive_ms == 0 || s->error)
        return;
    keepalive = s->heard + (uint64_t)c->keepalive_ms * (s->keepalives + 1U);
    if (s->now >= keepalive) {
        if (s->keepalives >= (c->keepalive_max ? c->keepalive_max : 3)) {
            dory_i_fail(s, dory_i_error(s, DORY_E_TIMEOUT, "the peer does not answer"));
            return;
        }
        s->keepalives++;
        s->keepalive_due = true;
        keepalive += c->keepalive_ms;
    }
    sooner(next, keepalive);
}

/* While this side is asked, or cannot take data, the peer's silence is our own making. */
static void excuse_peer(struct dory_ssh *s, uint64_t now_ms)
{
    if (s->pending.type || s->rx_state == RX_DATA) {
        s->kex_started += now_ms - s->now;
        s->heard = now_ms;
    }
}

uint64_t dory_ssh_tick(struct dory_ssh *s, uint64_t now_ms)
{
    const struct dory_ssh_config *c = s->config;
    uint64_t next = UINT64_MAX;

    excuse_peer(s, now_ms);
    s->now = now_ms;
    if (s->error)
        return next;
    if (s->kex_state != KEX_NONE)
        expire(s, &next, s->kex_started, c->reply_ms ? c->reply_ms : 60000, "the key exchange takes too long");
    if (s->phase < PHASE_CONNECTION)
        expire(s, &next, s->started, c->login_grace_ms, "the login takes too long");
    else
        tick_connection(s, &next);
    dory_i_progress(s);
    return s->error ? UINT64_MAX : next;
}

/* ---- For people ---- */

void dory_ssh_names(const struct dory_ssh *s, struct dory_ssh_names *names)
{
    names->kex = s->kex ? s->kex->name : "";
    names->hostkey = s->hostkey_algorithm ? s->hostkey_algorithm : "";
    names->cipher_out = s->tx.cipher ? s->tx.cipher->name : "";
    names->cipher_in = s->rx.cipher ? s->rx.cipher->name : "";
    names->mac_out = s->tx.mac ? s->tx.mac->name : "";
    names->mac_in = s->rx.mac ? s->rx.mac->name : "";
    names->peer_version = s->peer_version;
    names->rekeys = s->rekeys;
}

bool dory_ssh_is_strict(const struct dory_ssh *s)
{
    return s->strict;
}
