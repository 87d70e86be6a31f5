/* A scripted SSH peer that shares no code with ssh/: it speaks raw messages to one engine under test, in either role, and can be
 * stopped, bent and misused at any point. Messages, key derivation and exchange hash are its own; only the primitives behind
 * dory_crypto.h are common.
 *
 *     dory_wire_new(&w, &dory_ssh_server);          the engine's role; change w.config and the options below
 *     dory_wire_to(&w, WIRE_AUTH);                  a proper conversation up to there
 *     dory_wire_send(&w, payload, n);               whatever the test is about
 *     dory_wire_expect_disconnect(&w, reason, error);
 *     dory_wire_free(&w);
 */
#ifndef DORY_TEST_SSH_PEER_H
#define DORY_TEST_SSH_PEER_H

#include "ssh_kit.h"

enum {
    MSG_DISCONNECT = 1,
    MSG_IGNORE = 2,
    MSG_UNIMPLEMENTED = 3,
    MSG_DEBUG = 4,
    MSG_SERVICE_REQUEST = 5,
    MSG_SERVICE_ACCEPT = 6,
    MSG_EXT_INFO = 7,
    MSG_NEWCOMPRESS = 8,
    MSG_KEXINIT = 20,
    MSG_NEWKEYS = 21,
    MSG_KEX_INIT = 30,
    MSG_KEX_REPLY = 31,
    MSG_USERAUTH_REQUEST = 50,
    MSG_USERAUTH_FAILURE = 51,
    MSG_USERAUTH_SUCCESS = 52,
    MSG_USERAUTH_BANNER = 53,
    MSG_USERAUTH_60 = 60,
    MSG_USERAUTH_61 = 61,
    MSG_GLOBAL_REQUEST = 80,
    MSG_REQUEST_SUCCESS = 81,
    MSG_REQUEST_FAILURE = 82,
    MSG_OPEN = 90,
    MSG_OPEN_CONFIRMATION = 91,
    MSG_OPEN_FAILURE = 92,
    MSG_WINDOW_ADJUST = 93,
    MSG_DATA = 94,
    MSG_EXTENDED_DATA = 95,
    MSG_EOF = 96,
    MSG_CLOSE = 97,
    MSG_CHANNEL_REQUEST = 98,
    MSG_CHANNEL_SUCCESS = 99,
    MSG_CHANNEL_FAILURE = 100,
    MSG_PING = 192,
    MSG_PONG = 193
};

/* What has happened when a phase is reached; the next proper step has not. */
enum dory_wire_phase {
    WIRE_VERSION,       /* nothing sent */
    WIRE_KEXINIT,       /* version lines exchanged, the engine's KEXINIT is here, ours not sent */
    WIRE_KEX,           /* both KEXINITs; ours to send: 30 or 31 */
    WIRE_NEWKEYS,       /* 30 and 31 exchanged, the engine's NEWKEYS is here, ours not sent */
    WIRE_SERVICE,       /* ours to send: SERVICE_REQUEST or SERVICE_ACCEPT */
    WIRE_AUTH,          /* ours to send: a USERAUTH_REQUEST, or the answer to one */
    WIRE_CONNECTION,    /* authenticated, no channel */
    WIRE_OPENING,       /* engine is client: its CHANNEL_OPEN is here (a server passes through) */
    WIRE_REQUESTED,     /* engine is client: its CHANNEL_REQUEST is here (a server: channel open, nothing requested) */
    WIRE_CHANNEL,       /* the command runs */
    WIRE_REKEY_KEXINIT, /* the engine's KEXINIT of a rekey is here, ours not sent */
    WIRE_REKEY_KEX,
    WIRE_REKEY_NEWKEYS,
    WIRE_PHASES
};
const char *dory_wire_phase_name(enum dory_wire_phase phase);

struct dory_wire_direction {
    const struct dory_cipher *cipher; /* NULL: in the clear */
    const struct dory_mac *mac;
    uint32_t seq;
    _Alignas(16) uint8_t cipher_ctx[DORY_CIPHER_CTX_SIZE];
    _Alignas(16) uint8_t mac_ctx[DORY_MAC_CTX_SIZE];
};

/* A message from the engine; payload is valid until the next receive. */
struct dory_wire_msg {
    unsigned type;
    uint32_t seq;
    struct dory_view body; /* behind the type byte */
    struct dory_view whole;
};

#define DORY_WIRE_CHANNEL  77 /* our channel number */
#define DORY_WIRE_CHANNELS 16
#define DORY_WIRE_KEEP     12288

/* The last event of a type that asks for authentication or a channel, copied. */
struct dory_wire_event {
    struct dory_event e;
    uint8_t data[DORY_WIRE_KEEP];
    uint8_t user[DORY_WIRE_KEEP];
};

struct dory_wire {
    /* the engine under test */
    struct dory_ssh ssh;
    struct dory_ssh_config config;
    struct dory_channel channels[DORY_WIRE_CHANNELS];
    struct dory_kit_rng engine_rng;
    uint64_t now;
    bool started;

    /* how the application above it behaves */
    unsigned hold, refuse; /* bit 1 << enum dory_event_type */
    uint8_t auth_plan;     /* client: a DORY_AUTH_ bit */
    bool auth_ask;
    int auth_limit; /* client: tries before it gives up by refusing; 0: never */
    bool hold_data, hold_drain;
    size_t take;         /* recvdata bytes acknowledged at once; 0: all */
    size_t chunk;        /* recvpkt bytes given at once; 0: all */
    unsigned events[16]; /* how many came, by type; an event counts once */
    struct dory_wire_event last;
    bool event_counted;
    unsigned logins;       /* server: requests that prove something, accepted */
    uint64_t got, got_sum; /* channel data that came */
    uint8_t got_bytes[4096];
    uint64_t drained; /* bytes that left the engine */
    int last_error;   /* of the last call of a window */

    /* the scripted peer */
    bool server; /* this end */
    struct dory_kit_rng rng;
    const char *version;   /* whole line, with its end */
    const char *lists[10]; /* KEXINIT name-lists, all set by dory_wire_new */
    bool follows;          /* first_kex_packet_follows */
    const struct dory_kex *kex;
    const struct dory_cipher *cipher; /* what our lists offer */
    const struct dory_mac *mac;
    const struct dory_cipher *cipher_sc; /* server to client, where that is another; always one with a tag */
    struct dory_kit_key hostkey, userkey;
    uint32_t window, max_packet; /* of our side of channels */
    const char *password;
    bool no_strict_reset;                /* misbehave: keep counting at NEWKEYS */
    int64_t forge_length, forge_padding; /* next packet only; -1: honest */

    struct dory_pipe to_engine, from_engine;
    bool record;
    struct dory_pipe recorded; /* what the engine took */
    struct dory_wire_direction in, out;
    uint8_t iv[2][64], key[2][64], mac_key[2][64]; /* pending; client to server first */
    bool keys_pending[2];                          /* out, in */
    bool strict, strict_fixed;
    unsigned seen[256]; /* messages of the engine, by number */
    bool engine_in_kex; /* between its KEXINIT and its NEWKEYS: RFC 4253 7.1 is checked at every message */
    struct dory_view their_kexinit_lists[10];
    struct dory_bytes my_kexinit, their_kexinit;
    char their_version[256];
    uint8_t kex_state[DORY_KEX_STATE_SIZE], kex_mine[2048], kex_theirs[2048];
    size_t kex_theirs_n;
    uint8_t secret[32]; /* of the last exchange */
    uint8_t h[32], session_id[32];
    bool have_session;
    uint32_t engine_channel; /* the engine's number for our channel */
    uint32_t engine_window, engine_max;
    int channel; /* what the engine's caller calls it */
    enum dory_wire_phase phase;
    uint8_t packet[DORY_KIT_BYTES]; /* the last one received */
};

void dory_wire_new(struct dory_wire *w, const struct dory_ssh_role *engine_role);
void dory_wire_free(struct dory_wire *w);
/* Every option is fixed: init of the engine. Called by the first step if the test does not. */
void dory_wire_start(struct dory_wire *w);

/* Moves bytes and answers events until nothing more happens. */
void dory_wire_pump(struct dory_wire *w);
uint64_t dory_wire_tick(struct dory_wire *w, uint64_t ms); /* so much later */

/* Bytes as they are. Returns how many the engine took. */
size_t dory_wire_raw(struct dory_wire *w, const void *p, size_t n);
/* A sealed packet into out without sending it; the sequence number moves on. Returns its size. */
size_t dory_wire_seal(struct dory_wire *w, const void *payload, size_t n, uint8_t *out, size_t cap);
/* Sends one message. Returns its sequence number. */
uint32_t dory_wire_send(struct dory_wire *w, const void *payload, size_t n);
uint32_t dory_wire_send_bytes(struct dory_wire *w, const struct dory_bytes *b);
uint32_t dory_wire_send_type(struct dory_wire *w, unsigned type);
/* The same without moving it: several lie there when the engine next reads. */
void dory_wire_queue(struct dory_wire *w, const struct dory_bytes *b, int times);
/* The next message of the engine; false: none. NEWKEYS switches the keys. */
bool dory_wire_recv(struct dory_wire *w, struct dory_wire_msg *m);
/* The next one of this type; others are dropped, a DISCONNECT fails the test unless asked for. */
void dory_wire_expect(struct dory_wire *w, unsigned type, struct dory_wire_msg *m);
/* Like it, but false where none came. */
bool dory_wire_find(struct dory_wire *w, unsigned type, struct dory_wire_msg *m);
/* The engine has ended with `error` and told us `reason` last; what came before is dropped. */
void dory_wire_expect_disconnect(struct dory_wire *w, uint32_t reason, int error);
/* The engine has ended; the reason of its DISCONNECT, 0 where none came. */
uint32_t dory_wire_end_reason(struct dory_wire *w);
/* Nothing came, and all is well. */
void dory_wire_expect_silence(struct dory_wire *w);

/* The steps of a proper conversation, as the wire's role has them. */
void dory_wire_to(struct dory_wire *w, enum dory_wire_phase phase);
void dory_wire_versions(struct dory_wire *w);
void dory_wire_send_kexinit(struct dory_wire *w);
void dory_wire_recv_kexinit(struct dory_wire *w);
void dory_wire_send_kex(struct dory_wire *w); /* 30, or 31 with the host key's signature */
void dory_wire_recv_kex(struct dory_wire *w); /* the other one */
void dory_wire_send_newkeys(struct dory_wire *w);
void dory_wire_rekey(struct dory_wire *w); /* a whole one, begun by us */
/* From wherever it is: the conversation can still be brought to a running command, and data goes both ways. */
void dory_wire_prove_alive(struct dory_wire *w);

/* Parts of it, for tests that bend them. */
void dory_wire_take_keys(struct dory_wire *w, struct dory_wire_direction *d, int side); /* side 0: client to server */
void dory_wire_build_kexinit(struct dory_wire *w, struct dory_bytes *b);
/* Sends 31 with this public value; `signature` NULL: the host key signs, else these bytes. */
void dory_wire_send_reply(struct dory_wire *w, const uint8_t *reply, size_t n, const uint8_t secret[32], const uint8_t *signature,
                          size_t signature_n);
void dory_wire_put_request(struct dory_bytes *b, const char *user, const char *method); /* 50, user, ssh-connection, method */
void dory_wire_put_password(struct dory_bytes *b, const char *user, const char *password);
/* A publickey request of `key`; `session` 32 bytes and signature over exactly these fields, or sign false: only asks. */
void dory_wire_put_publickey(struct dory_wire *w, struct dory_bytes *b, const char *user, const char *algorithm,
                             const struct dory_kit_key *key, bool sign);
void dory_wire_put_open(struct dory_bytes *b, const char *type, uint32_t channel, uint32_t window, uint32_t max);
void dory_wire_put_channel(struct dory_bytes *b, unsigned type, uint32_t channel);
void dory_wire_put_exec(struct dory_bytes *b, uint32_t channel, const char *command, bool reply);
void dory_wire_put_data(struct dory_bytes *b, uint32_t channel, size_t n);
/* A well-formed message of this number for the engine as it is now; what nobody knows has a short string. */
void dory_wire_build_message(struct dory_wire *w, struct dory_bytes *b, unsigned type);
void dory_wire_put_global(struct dory_bytes *b, const char *name, bool reply);
/* The engine's output is not read, and it has said as much as it can: data, then answers. */
void dory_wire_fill_output(struct dory_wire *w);
/* Opens and runs one more session channel of ours (engine is server). Returns the engine's number for it. */
uint32_t dory_wire_open_session(struct dory_wire *w, uint32_t our_number, const char *command);

/* Going back in time. */
struct dory_wire_saved {
    struct dory_snap snap;
    struct dory_pipe to_engine, from_engine;
};
void dory_wire_save(struct dory_wire *w, struct dory_wire_saved *saved);
void dory_wire_restore(struct dory_wire *w, const struct dory_wire_saved *saved);
void dory_wire_forget(struct dory_wire_saved *saved);

/* One test in both roles of the engine: static void name(const struct dory_ssh_role *role) becomes name_server and name_client. */
#define DORY_BOTH_ROLES(name)                                                                                                              \
    static void name##_server(void **state)                                                                                                \
    {                                                                                                                                      \
        (void)state;                                                                                                                       \
        dory_kit_case("server");                                                                                                           \
        name(&dory_ssh_server);                                                                                                            \
    }                                                                                                                                      \
    static void name##_client(void **state)                                                                                                \
    {                                                                                                                                      \
        (void)state;                                                                                                                       \
        dory_kit_case("client");                                                                                                           \
        name(&dory_ssh_client);                                                                                                            \
    }
#define DORY_BOTH_TESTS(name) cmocka_unit_test(name##_server), cmocka_unit_test(name##_client)

/* The ciphers by name, each with its MAC where it needs one, as the only ones that the peer offers. */
#define DORY_WIRE_CIPHERS 5
void dory_wire_use_cipher(struct dory_wire *w, int number);

/* The algorithms that the engine under test is given. */
extern const struct dory_kex *const dory_wire_all_kex[];
extern const struct dory_cipher *const dory_wire_all_ciphers[];
extern const struct dory_mac *const dory_wire_all_macs[];
extern const struct dory_sigalg *const dory_wire_all_signatures[];

#endif
