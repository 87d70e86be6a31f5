/* A client and a server engine wired in memory, with an application on each: the client holds `conversations` one after another, as many
 * at once as there are channels; each sends `up` bytes and gets `down` bytes (and `err` bytes of stderr), whose every byte is checked.
 * Chunk sizes of each direction, buffers, windows and limits are free; time stands still unless tick_ms says otherwise.
 */
#ifndef DORY_TEST_SSH_PAIR_H
#define DORY_TEST_SSH_PAIR_H

#include "ssh_kit.h"

#define DORY_PAIR_CHANNELS 16

struct dory_pair;

struct dory_pair_stream {
    bool used, eof_said, exit_said, eof_seen;
    int index; /* of the conversation */
    uint64_t sent, got, err_sent, err_got;
    uint8_t echo[700];
    size_t echo_n;
};

struct dory_pair_side {
    struct dory_ssh ssh;
    struct dory_ssh_config config;
    struct dory_channel channels[DORY_PAIR_CHANNELS];
    struct dory_kit_rng rng;
    struct dory_pair_stream stream[DORY_PAIR_CHANNELS];

    size_t read_max, write_max; /* bytes per round through recvpkt and sendpkt; 0: all */
    size_t ack_max, send_max;   /* bytes per round through recvdata and per senddata; 0: all */
    unsigned ack_every;         /* takes data in every n-th round only */
    unsigned event_delay;       /* rounds until an event is answered */
    unsigned refuse;            /* 1 << enum dory_event_type */
    unsigned refuse_nth;        /* only its n-th; 0: each */
    bool closed_early;          /* closes its channels in the middle */

    unsigned waited;
    int next; /* the channel whose turn it is to send */
    unsigned events[16];
    bool event_seen;
    bool eof_told;
    int eof_result;
    int last_error;       /* of the last call of a window */
    struct dory_pipe out; /* on its way to the other side */
    struct dory_pipe record;
};

struct dory_pair {
    struct dory_pair_side client, server;

    /* the plan */
    int conversations;
    uint64_t up, down, err;
    bool echo; /* the server sends back what comes, instead of `down` bytes */
    enum dory_request request;
    uint32_t status;
    uint8_t method; /* DORY_AUTH_ bit of the client */
    bool ask, none_first;
    bool accept_none;
    bool stay; /* the client does not disconnect at the end */
    bool record;
    uint64_t tick_ms;
    size_t pipe_max; /* what the way between them holds, as a socket's buffers do */
    void (*on_round)(struct dory_pair *p);
    void *ctx;

    /* how it went */
    uint64_t now;
    unsigned rounds;
    int opened, finished, failed;
    struct dory_kit_key hostkey, userkey;
    struct dory_hostkey hostkey_entry;
};

void dory_pair_new(struct dory_pair *p);
void dory_pair_start(struct dory_pair *p);
void dory_pair_free(struct dory_pair *p);
/* One step of each side. False: nothing moved. */
bool dory_pair_round(struct dory_pair *p);
/* Until both engines are over (or, with stay, all conversations are). A standstill fails the test. */
void dory_pair_run(struct dory_pair *p);
/* The same without failing: false at a standstill. */
bool dory_pair_try(struct dory_pair *p);
/* Everything arrived, in order, with the right status, and both ended in order. */
void dory_pair_check(struct dory_pair *p);
/* new, start, run, check, free: with what `set` changes. */
void dory_pair_whole(void (*set)(struct dory_pair *p, void *ctx), void *ctx);

uint8_t dory_pair_pattern(int index, int direction, uint64_t offset);

#endif
