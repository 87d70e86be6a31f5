/* One SSH session of a device that serves scp (and the host of tests/unit/test_pull.c), as a board's main loop would hold it. */
#ifndef TESTS_DEVICE_SESSION_H
#define TESTS_DEVICE_SESSION_H

#include "dory_scp.h"
#include "dory_ssh.h"
#include "pump.h"

enum { SESSION_RX = 3584, SESSION_TX = 2048 };

struct session {
    struct dory_ssh ssh;
    struct dory_ssh_config config;
    struct dory_channel channel;
    struct dory_stream *streams[1];
    struct dory_pump pump;
    union {
        struct dory_stream stream;
        struct dory_scp_source source;
        struct dory_scp_sink sink;
    } engine;
    struct dory_scp_flat command;
    struct dory_fs *fs;
    const struct dory_key *key; /* the host key; one user's key, too, is that of this image */
    struct dory_hostkey hostkey;
    const uint8_t *user_key;
    size_t user_key_n;
    uint8_t hostkey_blob[64];
    uint8_t rx[SESSION_RX], tx[SESSION_TX];
};

/* user_key: the public blob of the one key that may log in. */
int session_start(struct session *s, struct dory_fs *fs, const struct dory_rng *rng, const struct dory_key *hostkey, const uint8_t *user_key,
                  size_t user_key_n);
/* Answers what waits and moves what can move. The caller fills dory_ssh_recvpkt_buf and drains dory_ssh_sendpkt_buf between turns. */
void session_turn(struct session *s, uint64_t now_ms);
void session_end(struct session *s);

#endif
