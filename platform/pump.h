/* Moves bytes between the channels of one SSH connection and the streams that they carry. Knows no socket, no clock, no heap:
   a board fills recvpkt and drains sendpkt, and calls dory_pump in between. */
#ifndef DORY_PUMP_H
#define DORY_PUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dory_ssh.h"
#include "dory_stream.h"

/* Channel numbers are bits of a word here. */
#define DORY_PUMP_CHANNELS 32

struct dory_pump {
    struct dory_ssh *ssh;
    struct dory_stream **streams; /* by channel, of the caller; NULL where none: what comes there is dropped */
    uint8_t count;                /* of streams, at most DORY_PUMP_CHANNELS */
    bool server;                  /* a finished stream ends its channel with its exit status */
    uint8_t next;                 /* whose turn to send it is */
    uint32_t eof_told, stopped, exited;
    uint32_t window;              /* for streams that do not say how much they take; 0: the SSH config's stays */
    void (*extended)(void *ctx, int channel, const uint8_t *bytes, size_t n); /* stderr of the peer, raw; NULL: dropped */
    void *ctx;
};

/* streams[0..count) is cleared. */
void dory_pump_init(struct dory_pump *pump, struct dory_ssh *ssh, struct dory_stream **streams, uint8_t count, bool server);

/* Puts a stream on a channel; NULL takes it off, after stopping it. */
void dory_pump_attach(struct dory_pump *pump, int channel, struct dory_stream *stream);

/* Stops every stream: nothing half done is left in a file system. */
void dory_pump_stop(struct dory_pump *pump);

enum {
    DORY_PUMP_MOVED = 1, /* something moved: look at sendpkt */
    DORY_PUMP_AGAIN = 2  /* call again soon, though the wire be silent: turns were used up, or a stream is busy */
};
/* Moves bytes until nothing moves, or for `turns` turns: in each, one slice received and one packet sent, channel after channel. */
unsigned dory_pump(struct dory_pump *pump, unsigned turns);

#endif
