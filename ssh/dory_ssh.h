/* The SSH engine: bytes in, bytes out (RFC 4250-4254, 8308, 8709, 8731).
 *
 * It does no I/O, allocates nothing and keeps no global. The caller gives one struct dory_ssh, a receive and a transmit buffer and a
 * table of channels, moves bytes through four windows, answers events, and calls dory_ssh_tick now and then.
 *
 *     recvpkt   bytes from the peer go in          recvdata   channel data comes out
 *     sendpkt   bytes for the peer come out        senddata   channel data goes in
 *
 * Each window is ..._buf, which says where and how much, then ..._ack, which says how much was done. A window that is closed gives NULL
 * and 0. Pointers from ..._buf and from an event are valid until the next call on the same struct that is not a ..._buf, a state query
 * or a tick. dory_ssh_state tells which windows are open. After an error every call returns that error; what is already sealed, a
 * SSH_MSG_DISCONNECT last, can still be fetched through sendpkt.
 *
 * One struct is used by one thread at a time. The engine is deterministic: same bytes, answers, ticks and randomness, same output.
 */
#ifndef DORY_SSH_H
#define DORY_SSH_H

#include "dory_config.h"
#include "dory_crypto.h"
#include "dory_error.h"

/* Bytes a buffer needs beyond the packet itself: room in front for the session identifier (RFC 4252 7), and the tag behind. */
#define DORY_PACKET_HEADROOM 32
#define DORY_PACKET_OVERHEAD (DORY_PACKET_HEADROOM + 4 + 64)

struct dory_ssh;
struct dory_ssh_role;

/* What is linked decides what an image can do: a server that never names dory_ssh_client holds no client code. */
extern const struct dory_ssh_role dory_ssh_client;
extern const struct dory_ssh_role dory_ssh_server;

enum { SSH_EXTENDED_DATA_STDERR = 1 }; /* RFC 4254 5.2 */

/* RFC 4253 11.1 */
enum dory_disconnect {
    SSH_DISCONNECT_HOST_NOT_ALLOWED_TO_CONNECT = 1,
    SSH_DISCONNECT_PROTOCOL_ERROR = 2,
    SSH_DISCONNECT_KEY_EXCHANGE_FAILED = 3,
    SSH_DISCONNECT_RESERVED = 4,
    SSH_DISCONNECT_MAC_ERROR = 5,
    SSH_DISCONNECT_COMPRESSION_ERROR = 6,
    SSH_DISCONNECT_SERVICE_NOT_AVAILABLE = 7,
    SSH_DISCONNECT_PROTOCOL_VERSION_NOT_SUPPORTED = 8,
    SSH_DISCONNECT_HOST_KEY_NOT_VERIFIABLE = 9,
    SSH_DISCONNECT_CONNECTION_LOST = 10,
    SSH_DISCONNECT_BY_APPLICATION = 11,
    SSH_DISCONNECT_TOO_MANY_CONNECTIONS = 12,
    SSH_DISCONNECT_AUTH_CANCELLED_BY_USER = 13,
    SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE = 14,
    SSH_DISCONNECT_ILLEGAL_USER_NAME = 15
};

/* RFC 4252 methods, as bits. */
enum { DORY_AUTH_NONE = 1, DORY_AUTH_PASSWORD = 2, DORY_AUTH_PUBLICKEY = 4, DORY_AUTH_KEYBOARD_INTERACTIVE = 8 };

/* A public host key under one signature algorithm; the private half never enters the engine (see DORY_EV_SIGN). */
struct dory_hostkey {
    const char *algorithm; /* "ssh-ed25519" */
    const uint8_t *blob;   /* RFC 4253 6.6 */
    size_t n;
};

/* All pointers must live as long as the struct dory_ssh. Arrays of pointers end with NULL and are in order of preference. */
struct dory_ssh_config {
    const struct dory_ssh_role *role;
    const char *software; /* RFC 4253 4.2 softwareversion, e.g. "Dory_1.0" */
    struct dory_rng rng;

    const struct dory_kex *const *kex;
    const struct dory_cipher *const *ciphers;
    const struct dory_mac *const *macs;           /* may be an empty array when every cipher has a tag */
    const struct dory_sigalg *const *signatures;  /* client: host key algorithms accepted; server: for user keys (server-sig-algs) */
    const struct dory_sigalg *const *user_signatures; /* client: what dory_ssh_server_sig_algs is about; NULL: signatures */
    const struct dory_hostkey *hostkeys;          /* server */
    uint8_t hostkey_count;

    uint8_t *rx;    /* at least DORY_MIN_BUFFER; packets up to rx_size - DORY_PACKET_OVERHEAD are accepted */
    size_t rx_size;
    bool read_ahead; /* recvpkt offers all free room, not exactly the packet's missing bytes: fewer system calls, some bytes moved */
    uint8_t *tx;    /* at least DORY_MIN_BUFFER */
    size_t tx_size;
    struct dory_channel *channels; /* simultaneous session channels; given uninitialised */
    uint8_t channel_count;
    uint32_t window; /* RFC 4254 5.2 initial window size of each channel, see dory_ssh_channel_window; 0: four receive buffers */

    /* Rekeying (RFC 4253 9): begun when any of them is reached; 0 means the default. */
    uint64_t rekey_bytes;   /* in either direction; default 1 GiB; as low as 256 for tests */
    uint32_t rekey_packets; /* default and upper bound 2^31 */
    uint32_t rekey_ms;      /* default one hour */

    uint32_t login_grace_ms; /* from init to authentication; 0: none */
    uint32_t idle_ms;        /* without a channel data byte either way; 0: none */
    uint32_t reply_ms;       /* a key exchange must end in this time; 0: default 60 s */
    uint32_t keepalive_ms;   /* after this much silence send keepalive@openssh.com; 0: never */
    uint8_t keepalive_max;   /* unanswered ones before DORY_E_TIMEOUT; 0: 3 */

    const char *user;         /* client: RFC 4252 user name */
    bool hostkeys_wanted;     /* client: DORY_EV_HOSTKEYS comes where the server tells its keys */
    uint8_t auth_methods;     /* server: DORY_AUTH_* offered */
    uint8_t auth_tries;       /* server: failures before disconnect; 0: 6. The first "none" is free */
    const char *banner;       /* server: RFC 4252 5.4, sent before the first answer; at most tx_size / 2 bytes; NULL: none */
};

/* Smallest rx_size and tx_size: OpenSSH's SSH_MSG_KEXINIT is about 1.6 KiB. */
#define DORY_MIN_BUFFER 2048

/* ---- Life ---- */

/* DORY_E_ARG: a config that cannot work. now_ms is any monotonic clock, the same that dory_ssh_tick is given. */
int dory_ssh_init(struct dory_ssh *ssh, const struct dory_ssh_config *config, uint64_t now_ms);

/* Deadlines, rekeying by time, keepalives. Returns when to call again at the latest, in the same clock; UINT64_MAX: no need. */
uint64_t dory_ssh_tick(struct dory_ssh *ssh, uint64_t now_ms);

enum {
    DORY_RECVPKT = 1,  /* recvpkt has room */
    DORY_SENDPKT = 2,  /* sendpkt has bytes */
    DORY_RECVDATA = 4, /* recvdata has bytes */
    DORY_SENDDATA = 8, /* some channel can take senddata */
    DORY_EVENT = 16,   /* an event waits for its answer */
    DORY_READY = 32,   /* authenticated: channels can be opened */
    DORY_DONE = 64     /* over, in order or by an error; sendpkt may still hold the last words */
};
unsigned dory_ssh_state(const struct dory_ssh *ssh);

/* DORY_OK while all is well, else why it is over: DORY_E_CLOSED in order, anything else an error. */
int dory_ssh_error(const struct dory_ssh *ssh);
/* Static English text, e.g. "no common cipher" or the message that must not come; "" where dory_strerror says it all. */
const char *dory_ssh_error_text(const struct dory_ssh *ssh);
/* What belongs to the error, for people: the peer's disconnect text, or its algorithm list where none was common. Raw bytes from the
   peer: escape before printing. NULL and 0 where there is none. Valid until dory_ssh_wipe. */
const uint8_t *dory_ssh_error_detail(const struct dory_ssh *ssh, size_t *n);
/* After DORY_E_NO_COMMON: what the peer offered, one name-list a kind, 0 to 7 in the order of RFC 4253 7.1: kex, host key, cipher client to
   server and back, MAC likewise, compression likewise. As raw and as long-lived as the detail above. NULL and 0: no such list. */
const uint8_t *dory_ssh_peer_offer(const struct dory_ssh *ssh, unsigned kind, size_t *n);
/* The reason code of a SSH_MSG_DISCONNECT that came (DORY_E_DISCONNECTED), else that of the one that was sent. */
uint32_t dory_ssh_disconnect_reason(const struct dory_ssh *ssh);

/* Ends in order: SSH_MSG_DISCONNECT with reason, then DORY_DONE. text may be "" and lives for the call. */
void dory_ssh_disconnect(struct dory_ssh *ssh, enum dory_disconnect reason, const char *text);
/* The transport saw the end of the peer's byte stream. DORY_OK if it came after an orderly end, else DORY_E_CUT. */
int dory_ssh_recvpkt_eof(struct dory_ssh *ssh);
/* Clears every secret. The struct is unusable until init. */
void dory_ssh_wipe(struct dory_ssh *ssh);

/* ---- The four windows ---- */

uint8_t *dory_ssh_recvpkt_buf(struct dory_ssh *ssh, size_t *n);
int dory_ssh_recvpkt_ack(struct dory_ssh *ssh, size_t n);
const uint8_t *dory_ssh_sendpkt_buf(struct dory_ssh *ssh, size_t *n);
int dory_ssh_sendpkt_ack(struct dory_ssh *ssh, size_t n);

/* Data of one packet, a slice of the receive buffer; until it is acknowledged whole, no further packet is processed.
   *extended is 0, or SSH_EXTENDED_DATA_STDERR; other extended data is dropped by the engine. Acknowledging returns window to the peer,
   up to what dory_ssh_channel_window says. Data of a channel that this side has closed is dropped by the engine. */
const uint8_t *dory_ssh_recvdata_buf(struct dory_ssh *ssh, int *channel, uint32_t *extended, size_t *n);
int dory_ssh_recvdata_ack(struct dory_ssh *ssh, size_t n);

/* Room for one SSH_MSG_CHANNEL_DATA (or, extended != 0, EXTENDED_DATA) on `channel`, inside the transmit buffer; *n is bounded by the
   peer's window and maximum packet size and by the buffer. ack seals it with n bytes, 0 gives it up. Between buf and ack make no other
   call on this struct. */
uint8_t *dory_ssh_senddata_buf(struct dory_ssh *ssh, int channel, uint32_t extended, size_t *n);
int dory_ssh_senddata_ack(struct dory_ssh *ssh, size_t n);

/* ---- Events: each holds the connection's progress until it is answered ---- */

enum dory_event_type {
    DORY_EV_NONE = 0,
    /* client: the server proved to hold `key` (signature already verified). Answer: accept or refuse. Refusing ends with
       DORY_E_HOSTKEY. Comes once a connection; another key at a rekey is refused by the engine. */
    DORY_EV_HOSTKEY,
    /* both: sign data[0..n) with `algorithm`; server: host key number `index`; client: the key given to dory_ssh_auth_publickey.
       Answer: dory_ssh_sign with the signature blob, or refuse (client: DORY_EV_AUTH comes again; server: the connection ends). */
    DORY_EV_SIGN,
    /* client: choose a method. `methods` is what the server says can continue (0: not asked yet), `partial` RFC 4252 5.1.
       Answer: one of dory_ssh_auth_*, or refuse to end with DORY_E_AUTH. */
    DORY_EV_AUTH,
    /* client: RFC 4252 5.4 banner text in data, raw. Answer: accept. */
    DORY_EV_BANNER,
    /* client: SSH_MSG_USERAUTH_INFO_REQUEST (RFC 4256 3.2): `count` prompts, which dory_ssh_prompt tells; the request's name in data, its
       instruction in user, all raw. Comes again as often as the server likes. Answer: dory_ssh_auth_respond, or refuse (DORY_EV_AUTH
       comes again). */
    DORY_EV_PROMPTS,
    /* client: SSH_MSG_USERAUTH_PASSWD_CHANGEREQ, prompt in data. Answer: accept; DORY_EV_AUTH follows with methods as before. */
    DORY_EV_PASSWD_CHANGE,
    /* server: `method`, `user`; password (also of keyboard-interactive, where the engine asks one "Password: ") in data, or key, algorithm
       and `signed_ok`: true when a signature came and is good, false when the client only asks whether the key would do. Bad signatures
       never reach here. A pending password is wiped with the answer. Answer: accept, refuse, or dory_ssh_accept_partial. The caller does
       the same work for users that do not exist. */
    DORY_EV_AUTH_REQUEST,
    /* client: all host keys of the server, hostkeys-00@openssh.com (OpenSSH's PROTOCOL 2.5), one string after the other in data, nothing of
       them proved. Answer: dory_ssh_prove_hostkeys, or accept to leave it. */
    DORY_EV_HOSTKEYS,
    /* client: the proof that was asked for: in data a signature for each key, in that order and unverified. Each is over the strings
       "hostkeys-prove-00@openssh.com", the session identifier (key), and the key's blob. Answer: accept. Does not come where the server
       refuses. */
    DORY_EV_HOSTKEYS_PROOF,
    /* server: `request` on `channel`; the command or subsystem name in data, not NUL-terminated. Answer: accept or refuse. */
    DORY_EV_CHANNEL_REQUEST
};

enum dory_request { DORY_REQUEST_EXEC = 1, DORY_REQUEST_SUBSYSTEM = 2 };

/* Slices point into the engine's buffers and are valid until the answer. */
struct dory_event {
    enum dory_event_type type;
    const uint8_t *data;
    size_t n;
    const uint8_t *key; /* public key blob */
    size_t key_n;
    const char *algorithm;
    const uint8_t *user;
    size_t user_n;
    uint8_t method;  /* one DORY_AUTH_ bit */
    uint8_t methods; /* DORY_AUTH_ bits */
    bool partial;
    bool signed_ok;
    uint8_t index;
    uint8_t count;   /* prompts */
    uint8_t request; /* enum dory_request */
    int channel;
};

/* The event that waits; its type is also returned. DORY_EV_NONE: none. May be asked again until answered. */
enum dory_event_type dory_ssh_event(const struct dory_ssh *ssh, struct dory_event *event);
int dory_ssh_accept(struct dory_ssh *ssh);
int dory_ssh_refuse(struct dory_ssh *ssh);
/* server: the method succeeded and one of `methods` (DORY_AUTH_ bits) must follow (RFC 4252 5.1); only these are taken from now on, and
   only for the same user: another name ends the connection. DORY_E_SPACE: a name of more than DORY_USER_NAME_MAX bytes; the event still
   waits. */
int dory_ssh_accept_partial(struct dory_ssh *ssh, uint8_t methods);
/* signature is a whole blob (RFC 4253 6.6), copied. */
int dory_ssh_sign(struct dory_ssh *ssh, const uint8_t *signature, size_t n);

/* client answers to DORY_EV_AUTH. Everything is copied but `algorithm`, which must live until the next DORY_EV_AUTH or DORY_READY. */
int dory_ssh_auth_none(struct dory_ssh *ssh);
/* DORY_EV_SIGN follows; with `ask` only once the server has said that the key would do (saves a prompt or a touch, costs a round trip). */
int dory_ssh_auth_publickey(struct dory_ssh *ssh, const char *algorithm, const uint8_t *key, size_t n, bool ask);
int dory_ssh_auth_password(struct dory_ssh *ssh, const uint8_t *password, size_t n);
/* keyboard-interactive (RFC 4256); DORY_EV_PROMPTS follows. */
int dory_ssh_auth_interactive(struct dory_ssh *ssh);
/* Prompt number i of the DORY_EV_PROMPTS that waits: its text, raw, and whether what is typed may be shown. false: no such prompt. */
bool dory_ssh_prompt(const struct dory_ssh *ssh, unsigned i, const uint8_t **text, size_t *n, bool *echo);
/* The answers, one a prompt; copied. DORY_E_ARG: `count` is not the number of prompts; DORY_E_SPACE: they do not fit into one packet, try
   shorter ones. */
struct dory_response {
    const uint8_t *p;
    size_t n;
};
int dory_ssh_auth_respond(struct dory_ssh *ssh, const struct dory_response *responses, unsigned count);
/* Asks the server to prove that it holds these keys: strings, as in the event's data. Copied. DORY_E_AGAIN, DORY_E_SPACE: not now (a key
   exchange runs, or the transmit buffer is full); the event still waits. */
int dory_ssh_prove_hostkeys(struct dory_ssh *ssh, const uint8_t *keys, size_t n);
/* client: bit i set: the server's server-sig-algs (RFC 8308) names config.user_signatures[i]; UINT32_MAX: it did not say. */
uint32_t dory_ssh_server_sig_algs(const struct dory_ssh *ssh);

/* ---- Channels ---- */

/* client: opens a session channel and asks for request with text (command or subsystem name). Returns its number, or DORY_E_SPACE when
   all are in use. text must live until DORY_CH_STARTED or DORY_CH_FAILED is seen. */
int dory_ssh_channel_open(struct dory_ssh *ssh, enum dory_request request, const char *text, size_t n);

/* client: opens a channel to a TCP port that the server reaches (RFC 4254 7.2, direct-tcpip); DORY_CH_STARTED when it stands. host[0..n)
   is copied. Returns its number, DORY_E_SPACE when all are in use, DORY_E_AGAIN where nothing can be sent now: try again after the next
   bytes. Needs ssh_direct_client.o and nothing else. */
int dory_ssh_channel_open_direct(struct dory_ssh *ssh, const char *host, size_t n, uint16_t port);
/* client: why the server refused to open a channel that is DORY_CH_FAILED: RFC 4254 5.1 reason code; 0: it was opened. */
uint32_t dory_ssh_channel_refusal(const struct dory_ssh *ssh, int channel);

enum {
    DORY_CH_USED = 1,       /* not free */
    DORY_CH_STARTED = 2,    /* the request was accepted */
    DORY_CH_FAILED = 4,     /* open or request was refused */
    DORY_CH_EOF = 8,        /* the peer sends no more data, and all of it was taken */
    DORY_CH_EXITED = 16,    /* client: exit-status or exit-signal came */
    DORY_CH_CLOSED = 32     /* closed by both: release it */
};
unsigned dory_ssh_channel_state(const struct dory_ssh *ssh, int channel);
/* client: the exit-status; -1 where a signal ended the command or none came. */
int dory_ssh_channel_status(const struct dory_ssh *ssh, int channel);
/* How many bytes may be on their way to this side: from now on the peer's window is topped up to `bytes` beyond what was acknowledged, by
   a SSH_MSG_CHANNEL_WINDOW_ADJUST when at least half or 128 KiB are missing (RFC 4254 5.2). Begins as config.window; what the peer was once
   granted is never taken back. DORY_E_ARG: no such channel. */
int dory_ssh_channel_window(struct dory_ssh *ssh, int channel, uint32_t bytes);
/* No more data from this side: SSH_MSG_CHANNEL_EOF once what is acknowledged has gone. */
int dory_ssh_channel_eof(struct dory_ssh *ssh, int channel);
/* server: exit-status, EOF and CLOSE. */
int dory_ssh_channel_exit(struct dory_ssh *ssh, int channel, uint32_t status);
int dory_ssh_channel_close(struct dory_ssh *ssh, int channel);
/* Frees a channel that is DORY_CH_CLOSED, or was closed by this side and whose number is no longer wanted. */
void dory_ssh_channel_release(struct dory_ssh *ssh, int channel);

/* Begins a key re-exchange now, where none runs (RFC 4253 9). */
int dory_ssh_rekey(struct dory_ssh *ssh);

/* ---- What was agreed, for people (-v). "" before the first key exchange. ---- */
struct dory_ssh_names {
    const char *kex, *hostkey, *cipher_out, *cipher_in, *mac_out, *mac_in;
    const char *peer_version; /* NUL-terminated, printable ASCII, shortened */
    uint32_t rekeys;
};
void dory_ssh_names(const struct dory_ssh *ssh, struct dory_ssh_names *names);

/* Strict key exchange (kex-strict-*-v00@openssh.com) was agreed. */
bool dory_ssh_is_strict(const struct dory_ssh *ssh);

#include "dory_ssh_struct.h"

#endif
