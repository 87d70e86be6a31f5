/* What a copy is made of, whatever protocol carries it: the objects that are copied and who is told of them. Used by scp/ and sftp/. */
#ifndef DORY_TRANSFER_H
#define DORY_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file-system object named by its directory and one component. */
struct dory_transfer_item {
    int dir;          /* a handle; the engine owns and closes it once the item was given */
    bool self;        /* the object is `dir` itself, a directory */
    bool slash;       /* asked for with a slash behind: must be a directory (target) */
    const char *name; /* one component. With `self`, the name that a source announces */
    const char *path; /* as the person wrote it, for messages */
};

/* Gives the next object to send, or the target to store to. 1: *item is filled, its strings live until the next call (source) or as long
   as the engine (target). 0: no more. DORY_E_AGAIN: ask again later. Any other error is reported with item->path, which must be set, and
   the following item is asked for. A receiving engine asks until 0 and refuses more than one item as ambiguous. */
typedef int (*dory_transfer_item_fn)(void *ctx, struct dory_transfer_item *item);

/* Who wants to know. Every member may be NULL. Bytes from the peer (names, text) are raw: escape them before a terminal sees them. */
struct dory_transfer_events {
    /* A file begins: its path for messages, its name on the wire, its announced size. */
    void (*begin)(void *ctx, const char *path, const char *name, uint64_t size);
    void (*progress)(void *ctx, uint64_t done);
    /* Exactly one for each begin: DORY_OK, or why the file did not arrive whole. */
    void (*end)(void *ctx, const char *path, uint64_t size, int status);
    /* What the peer reported, one line without its end: "scp: x: Permission denied". */
    void (*message)(void *ctx, const char *text, size_t n);
    /* What went wrong on this side; SCP sends it to the peer, too. path may be "". */
    void (*error)(void *ctx, const char *path, const char *text);
};

#endif
