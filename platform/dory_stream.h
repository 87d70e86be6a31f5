/* What a session channel carries: an engine that takes and gives bytes. scp/ and sftp/ implement it, the pump drives it. */
#ifndef DORY_STREAM_H
#define DORY_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "dory_error.h"

struct dory_stream;

struct dory_stream_ops {
    /* Takes bytes from the peer. Returns how many it took, 0..n; fewer than n: busy (a file system wrote less, or an answer waits to be
       pulled first): offer the rest again later. After the end of the conversation it takes and ignores everything. */
    size_t (*push)(struct dory_stream *stream, const uint8_t *bytes, size_t n);
    /* Puts up to cap bytes for the peer; 0: nothing now. File content is read straight into buf. cap >= 1 is always served. */
    size_t (*pull)(struct dory_stream *stream, uint8_t *buf, size_t cap);
    /* The peer will send no more bytes. */
    void (*eof)(struct dory_stream *stream);
    /* Ends at once, whatever the state: created files are aborted, handles closed. Safe to call more than once. */
    void (*stop)(struct dory_stream *stream);
    /* DORY_E_AGAIN while the conversation runs; then its exit status: 0 when everything was transferred and committed, else 1..255. */
    int (*status)(const struct dory_stream *stream);
    /* How many bytes push would take now although pull were never called again. A stream that answers requests says it, so that a peer
       that does not read answers cannot be held up with its window adjustments behind requests that nobody takes. NULL: any number. */
    uint32_t (*window)(const struct dory_stream *stream);
};

/* An engine embeds this as its first member. */
struct dory_stream {
    const struct dory_stream_ops *ops;
};

#endif
