/* What the files of the engine share. Nothing here is for callers. */
#ifndef DORY_SSH_INTERNAL_H
#define DORY_SSH_INTERNAL_H

#include "dory_ssh.h"
#include "ssh_wire.h"

enum { /* RFC 4250 4.1.2, RFC 8308, and OpenSSH's ping */
    SSH_MSG_DISCONNECT = 1,
    SSH_MSG_IGNORE = 2,
    SSH_MSG_UNIMPLEMENTED = 3,
    SSH_MSG_DEBUG = 4,
    SSH_MSG_SERVICE_REQUEST = 5,
    SSH_MSG_SERVICE_ACCEPT = 6,
    SSH_MSG_EXT_INFO = 7,
    SSH_MSG_KEXINIT = 20,
    SSH_MSG_NEWKEYS = 21,
    SSH_MSG_KEX_ECDH_INIT = 30,
    SSH_MSG_KEX_ECDH_REPLY = 31,
    SSH_MSG_USERAUTH_REQUEST = 50,
    SSH_MSG_USERAUTH_FAILURE = 51,
    SSH_MSG_USERAUTH_SUCCESS = 52,
    SSH_MSG_USERAUTH_BANNER = 53,
    SSH_MSG_USERAUTH_PK_OK = 60, /* also SSH_MSG_USERAUTH_PASSWD_CHANGEREQ and, RFC 4256: */
    SSH_MSG_USERAUTH_INFO_REQUEST = 60,
    SSH_MSG_USERAUTH_INFO_RESPONSE = 61,
    SSH_MSG_GLOBAL_REQUEST = 80,
    SSH_MSG_REQUEST_SUCCESS = 81,
    SSH_MSG_REQUEST_FAILURE = 82,
    SSH_MSG_CHANNEL_OPEN = 90,
    SSH_MSG_CHANNEL_OPEN_CONFIRMATION = 91,
    SSH_MSG_CHANNEL_OPEN_FAILURE = 92,
    SSH_MSG_CHANNEL_WINDOW_ADJUST = 93,
    SSH_MSG_CHANNEL_DATA = 94,
    SSH_MSG_CHANNEL_EXTENDED_DATA = 95,
    SSH_MSG_CHANNEL_EOF = 96,
    SSH_MSG_CHANNEL_CLOSE = 97,
    SSH_MSG_CHANNEL_REQUEST = 98,
    SSH_MSG_CHANNEL_SUCCESS = 99,
    SSH_MSG_CHANNEL_FAILURE = 100,
    SSH_MSG_PING = 192,
    SSH_MSG_PONG = 193
};

enum phase { PHASE_VERSION, PHASE_KEX, PHASE_SERVICE, PHASE_AUTH, PHASE_CONNECTION };
enum kex_state {
    KEX_NONE,
    KEX_SENT,    /* our SSH_MSG_KEXINIT is out, the peer's is not in */
    KEX_AGREED,  /* both are known; the method's own messages follow */
    KEX_NEWKEYS  /* our SSH_MSG_NEWKEYS is out, the peer's is not in */
};
enum rx_state { RX_VERSION, RX_HEAD, RX_BODY, RX_PACKET, RX_DATA };
enum building { BUILD_NONE, BUILD_HELD, BUILD_DATA };

/* The engine's own channel flags, above DORY_CH_*. */
enum {
    CH_WANT_OPEN = 1 << 8,
    CH_OPENING = 1 << 9,
    CH_WANT_CONFIRM = 1 << 10,
    CH_OPEN = 1 << 11,
    CH_WANT_REQUEST = 1 << 12,
    CH_REQUEST_SENT = 1 << 13,
    CH_HAS_REQUEST = 1 << 14,
    CH_WANT_EXIT = 1 << 15,
    CH_WANT_EOF = 1 << 16,
    CH_EOF_SENT = 1 << 17,
    CH_WANT_CLOSE = 1 << 18,
    CH_CLOSE_SENT = 1 << 19,
    CH_CLOSE_CAME = 1 << 20,
    CH_RELEASED = 1 << 21
};

/* A message handler returns DORY_OK or an error; it may raise an event, which holds the packet until answered. */
struct dory_ssh_role {
    bool server;
    int (*kex_agreed)(struct dory_ssh *s);
    int (*kex_message)(struct dory_ssh *s, struct dory_reader *r);
    int (*keys_ready)(struct dory_ssh *s); /* the first key exchange is complete */
    int (*message)(struct dory_ssh *s, uint8_t type, struct dory_reader *r);
    int (*answer)(struct dory_ssh *s, enum dory_event_type event, bool yes);
    int (*flush_channel)(struct dory_ssh *s, struct dory_channel *c);
};

static inline bool dory_i_is_server(const struct dory_ssh *s)
{
    return s->config->role->server;
}

/* engine */
int dory_i_explain(struct dory_ssh *s, int error, const char *what); /* notes the text; returns error */
static inline int dory_i_error(struct dory_ssh *s, int error, const char *what)
{
    return DORY_ERROR_TEXTS > 1 ? dory_i_explain(s, error, what) : error;
}
void dory_i_fail(struct dory_ssh *s, int error);
void dory_i_progress(struct dory_ssh *s);
void dory_i_raise(struct dory_ssh *s, enum dory_event_type type);
int dory_i_answer(struct dory_ssh *s, bool yes, int rc);

/* packets */
int dory_i_receive(struct dory_ssh *s); /* 1: a step was made, 0: more bytes are needed */
void dory_i_consume(struct dory_ssh *s);
static inline uint8_t *dory_i_payload(const struct dory_ssh *s)
{
    return s->config->rx + s->rx_pos + 5;
}
size_t dory_i_room(const struct dory_ssh *s); /* payload bytes that one more packet can hold */
struct dory_writer dory_i_begin(struct dory_ssh *s, uint8_t type);
struct dory_writer dory_i_begin_signed(struct dory_ssh *s, uint8_t type); /* session identifier in front */
int dory_i_end(struct dory_ssh *s, const struct dory_writer *w);
int dory_i_end_padded(struct dory_ssh *s, const struct dory_writer *w); /* hides the length of a password */
int dory_i_seal(struct dory_ssh *s, size_t payload_n, size_t round);
int dory_i_version(struct dory_ssh *s);
int dory_i_send_version(struct dory_ssh *s);

/* key exchange */
int dory_i_kex_start(struct dory_ssh *s);
int dory_i_kexinit(struct dory_ssh *s, struct dory_reader *r);
void dory_i_kex_secret(struct dory_ssh *s, const uint8_t *host_key, size_t host_key_n, const uint8_t *init, const uint8_t *reply,
                       uint8_t secret[32]);
int dory_i_send_newkeys(struct dory_ssh *s);
int dory_i_newkeys(struct dory_ssh *s, struct dory_reader *r);
const struct dory_sigalg *dory_i_find_signature(const struct dory_ssh *s, struct dory_slice name);
void dory_i_put_signatures(const struct dory_ssh *s, struct dory_writer *w);

/* connection */
bool dory_i_may_send(const struct dory_ssh *s);
int dory_i_flush(struct dory_ssh *s);
int dory_i_connection(struct dory_ssh *s, uint8_t type, struct dory_reader *r);
int dory_i_transport(struct dory_ssh *s, uint8_t type, struct dory_reader *r);
bool dory_i_rekey_due(const struct dory_ssh *s);
bool dory_i_has_room(const struct dory_ssh *s); /* for the largest reply */
static inline size_t dory_i_reserve(const struct dory_ssh *s)
{
    size_t half = s->config->tx_size / 2;
    return half < DORY_TX_RESERVE ? half : DORY_TX_RESERVE;
}
int dory_i_may_reply(struct dory_ssh *s, const struct dory_channel *c); /* DORY_E_AGAIN: no place for the answer now */
int dory_i_reply(struct dory_ssh *s, struct dory_channel *c, bool success);
struct dory_channel *dory_i_channel(struct dory_ssh *s, int channel);
struct dory_channel *dory_i_get_channel(struct dory_ssh *s, struct dory_reader *r, uint32_t flags);
void dory_i_channel_start(struct dory_ssh *s, struct dory_channel *c, uint32_t flags);
int dory_i_refuse_open(struct dory_ssh *s, uint32_t peer, uint8_t reason);
void dory_i_channel_settle(struct dory_channel *c);

#endif
