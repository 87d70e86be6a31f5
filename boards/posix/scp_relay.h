/* From one host to another through this machine: the records of the source host's `scp -f` are read, judged as a sink would judge them,
 * and passed on to the target host's `scp -t`, whose replies go back. Content passes through without a file here.
 *
 * The source host cannot name anything outside the target: a record that a sink would refuse ends the copy. */
#ifndef DORY_CLI_RELAY_H
#define DORY_CLI_RELAY_H

#include "dory_scp.h"

struct dory_relay_queue {
    size_t at, n;
    uint8_t bytes[64 * 1024];
};

struct dory_relay_config {
    unsigned flags;           /* DORY_SCP_RECURSE, DORY_SCP_TIMES */
    const char *const *names; /* as in struct dory_scp_config */
    size_t name_count;
    const struct dory_transfer_events *events; /* begin, progress, end; error for records that are refused */
    void *events_ctx;
    void (*from_message)(void *ctx, const char *text, size_t n); /* what the source host reported */
    void *from_ctx;
    void (*to_message)(void *ctx, const char *text, size_t n); /* what the target host reported */
    void *to_ctx;
};

struct dory_relay {
    struct dory_stream from; /* for the channel of `scp -f` */
    struct dory_stream to;   /* for the channel of `scp -t` */
    struct dory_relay_config config;
    uint8_t state;
    char sent; /* what the target's next reply is about: O opening, T C D E a record, S the status behind the content */
    bool failed, shown, seen, has_times;
    bool bad; /* the source could not read the present file whole */
    unsigned depth;
    uint64_t size, left; /* of the present file */
    size_t line_n, reply_n;
    char name[DORY_NAME_MAX + 1];
    char line[DORY_SCP_LINE_MAX];
    char reply[DORY_SCP_LINE_MAX];
    struct dory_relay_queue forth, back;
};

void dory_relay_init(struct dory_relay *relay, const struct dory_relay_config *config);

#endif
