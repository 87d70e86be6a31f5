/* A file system that holds nothing: what one engine stores in it another one reads from it at the same time, object after object in the
 * order of the first. So a copy from host to host is a download and an upload, and neither of them knows. */
#ifndef DORY_CLI_BETWEEN_H
#define DORY_CLI_BETWEEN_H

#include "dory_fs.h"
#include "dory_transfer.h"

struct dory_between {
    struct dory_fs in;  /* to store to: a target that is a directory; with `in_order` */
    struct dory_fs out; /* to read from, by the items of dory_between_item */
    /* Of the object that is being made: times and mode, which are told only after its content otherwise. */
    const struct dory_fs_info *(*about)(const void *ctx);
    const void *ctx;
    bool changed; /* something was done that the other side may have waited for: set here, taken back by who looks */
    bool in_over; /* nothing more will be stored */
    bool aborted; /* the present file did not arrive whole */
    /* Private: one thing is handed over at a time. */
    uint8_t offered;                    /* what: enum */
    bool handed;                        /* the reader was told its name */
    bool made;                          /* a directory that is not entered yet by who made it */
    bool file_open, file_ended, let_go; /* let_go: the reader wants no more of it */
    bool target_given;
    unsigned offered_at, in_depth;   /* directories entered */
    struct dory_fs_info info, taken; /* of what is offered; of what the reader has opened */
    uint64_t written, read;
    char name[DORY_NAME_MAX + 1], made_name[DORY_NAME_MAX + 1], out_name[DORY_NAME_MAX + 1];
    uint8_t ring[512 * 1024];
};

void dory_between_init(struct dory_between *between, const struct dory_fs_info *(*about)(const void *), const void *ctx);
int dory_between_target(void *between, struct dory_transfer_item *item); /* dory_transfer_item_fn: the one target */
int dory_between_item(void *between, struct dory_transfer_item *item);   /* dory_transfer_item_fn: what was stored */

#endif
