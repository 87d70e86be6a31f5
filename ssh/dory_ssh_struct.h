/* The inside of struct dory_ssh, public only so that its size is known at compile time. Callers touch no member. */
#ifndef DORY_SSH_STRUCT_H
#define DORY_SSH_STRUCT_H

#include <stdalign.h>

/* One direction of the transport: keys, and what was moved under them. */
struct dory_direction {
    const struct dory_cipher *cipher; /* NULL before the first SSH_MSG_NEWKEYS */
    const struct dory_mac *mac;       /* NULL when the cipher has a tag */
    uint32_t seq;
    uint32_t first_seq; /* of these keys */
    uint64_t bytes;     /* under these keys */
    alignas(16) uint8_t cipher_ctx[DORY_CIPHER_CTX_SIZE];
    alignas(8) uint8_t mac_ctx[DORY_MAC_CTX_SIZE];
};

struct dory_channel {
    uint32_t flags;     /* DORY_CH_* and the engine's own */
    uint32_t peer;      /* recipient channel */
    uint32_t tx_window; /* bytes that may still be sent */
    uint32_t tx_max;    /* the peer's maximum packet size */
    uint32_t rx_window; /* bytes that the peer may still send */
    uint32_t rx_target; /* what rx_window is topped up to */
    uint32_t replies;   /* answers to channel requests that wait for a rekey to end, oldest in bit 0; 1: success */
    uint32_t status;
    const char *text; /* client: command or subsystem */
    uint16_t text_n;
    uint8_t request;
    uint8_t reply_count;
};

struct dory_ssh {
    const struct dory_ssh_config *config;
    int error;
    uint8_t phase, kex_state, rx_state, building;
    bool strict, first_kex_done, guess_wrong, peer_wants_ext_info;
    bool kex_tx;     /* from our SSH_MSG_KEXINIT to our SSH_MSG_NEWKEYS: nothing else may be sent */
    bool kex_wanted; /* a rekey is due */
    bool auth_wanted, auth_none_seen, banner_sent;
    uint8_t auth_outstanding, auth_methods, auth_failures;
    bool auth_partial, auth_asked;
    bool auth_bound; /* server: what succeeded so far was of auth_user */
    uint8_t auth_user_n;
    uint8_t auth_user[DORY_USER_NAME_MAX]; /* server: who is asked by SSH_MSG_USERAUTH_INFO_REQUEST, or succeeded in part */
    uint8_t ping_n, ping_count, open_fail_count, keepalives;
    bool keepalive_due;
    bool want_reply;           /* of the channel request that waits */
    uint16_t global_failures;  /* SSH_MSG_REQUEST_FAILUREs to send */
    uint16_t global_awaited;   /* own global requests without an answer */
    uint16_t proof_awaited;    /* the last of so many answers is that to hostkeys-prove-00@openssh.com */
    uint16_t version_lines; /* client: lines before the version */
    uint32_t window;        /* initial, per channel */
    uint32_t max_packet;    /* advertised */
    uint32_t sent_reason, rekeys, sig_algs;

    /* Receive: the packet under work starts at rx_pos; rx_len bytes are there, rx_need make it whole. */
    size_t rx_pos, rx_len, rx_need;
    size_t payload_n; /* of the open packet; its payload starts at rx_pos + 5 */
    size_t slice_pos, slice_n;
    uint32_t slice_extended;
    int slice_channel;

    /* Transmit: sealed bytes in [tx_head, tx_tail), the packet being built behind; nothing beyond tx_limit. */
    size_t tx_head, tx_tail, tx_limit, tx_start;
    uint8_t *tx_open; /* end of what a held packet has so far */
    int tx_channel;
    uint32_t tx_extended;

    /* Key exchange. */
    const struct dory_kex *kex;
    const char *hostkey_algorithm;
    uint8_t hostkey_index;
    const struct dory_cipher *next_cipher[2]; /* client to server, server to client */
    const struct dory_mac *next_mac[2];
    uint8_t cookie[16];
    struct dory_sha256 version_hash; /* after V_C and V_S */
    union {
        struct dory_sha256 hash; /* while the exchange hash is gathered */
        struct {
            uint8_t h[32]; /* then the hash itself */
            uint8_t k[40]; /* and the shared secret as it is hashed, mpint or string, until the keys are taken */
        };
    };
    uint8_t k_n;
    uint8_t session_id[32];
    uint8_t hostkey_id[32]; /* client: SHA-256 of the accepted key */
    alignas(8) uint8_t kex_secret[DORY_KEX_STATE_SIZE];

    struct dory_event pending;
    uint8_t auth_key_id[32]; /* client: SHA-256 of the key that was asked for */
    const char *auth_algorithm;
    uint8_t ping[16];
    uint32_t open_fail_peer[4];
    uint8_t open_fail_reason[4];
    const char *what; /* static text: what the error is about */
    const uint8_t *detail;
    size_t detail_n;

    uint64_t now, started, keyed, heard, kex_started, data_moved;
    char peer_version[40];

    struct dory_direction rx, tx;
};

#endif
