#include "pump.h"

#include <string.h>

static uint32_t bit(int channel)
{
    return (uint32_t)1 << channel;
}

static struct dory_stream *stream_at(const struct dory_pump *pump, int channel)
{
    return channel >= 0 && channel < pump->count ? pump->streams[channel] : NULL;
}

void dory_pump_init(struct dory_pump *pump, struct dory_ssh *ssh, struct dory_stream **streams, uint8_t count, bool server)
{
    memset(pump, 0, sizeof *pump);
    pump->ssh = ssh;
    pump->streams = streams;
    pump->count = count;
    pump->server = server;
    for (int i = 0; i < count; i++)
        streams[i] = NULL;
}

static void set_window(const struct dory_pump *pump, int channel, const struct dory_stream *stream)
{
    if (stream->ops->window)
        (void)dory_ssh_channel_window(pump->ssh, channel, stream->ops->window(stream));
}

void dory_pump_attach(struct dory_pump *pump, int channel, struct dory_stream *stream)
{
    struct dory_stream *old = stream_at(pump, channel);

    if (channel < 0 || channel >= pump->count)
        return;
    if (old && old != stream)
        old->ops->stop(old);
    pump->streams[channel] = stream;
    pump->eof_told &= ~bit(channel);
    pump->stopped &= ~bit(channel);
    pump->exited &= ~bit(channel);
    if (stream && !stream->ops->window && pump->window)
        (void)dory_ssh_channel_window(pump->ssh, channel, pump->window);
    else if (stream)
        set_window(pump, channel, stream);
}

void dory_pump_stop(struct dory_pump *pump)
{
    for (int i = 0; i < pump->count; i++)
        dory_pump_attach(pump, i, NULL);
}

/* Hands one slice to its stream. *stalled: it was not taken whole. */
static bool receive(struct dory_pump *pump, bool *stalled)
{
    int channel;
    uint32_t extended;
    size_t n, took;
    const uint8_t *bytes = dory_ssh_recvdata_buf(pump->ssh, &channel, &extended, &n);
    struct dory_stream *stream;

    *stalled = false;
    if (!bytes)
        return false;
    stream = stream_at(pump, channel);
    took = n;
    if (extended) {
        if (pump->extended)
            pump->extended(pump->ctx, channel, bytes, n);
    } else if (stream) {
        took = stream->ops->push(stream, bytes, n);
        set_window(pump, channel, stream); /* before the acknowledgement, which may grant what the stream no longer has */
    }
    *stalled = took < n;
    if (took)
        dory_ssh_recvdata_ack(pump->ssh, took);
    return took > 0;
}

/* The channel is closed. The end of data may have come just before: a stream that ends in order by that is not stopped. */
static void settle(struct dory_stream *stream)
{
    uint8_t unsent[64];

    for (int i = 0; i < 4 && stream->ops->status(stream) == DORY_E_AGAIN; i++)
        stream->ops->pull(stream, unsent, sizeof unsent);
    if (stream->ops->status(stream) == DORY_E_AGAIN)
        stream->ops->stop(stream);
}

static bool tell_ends(struct dory_pump *pump)
{
    bool moved = false;

    for (int i = 0; i < pump->count; i++) {
        struct dory_stream *stream = pump->streams[i];
        unsigned state;

        if (!stream)
            continue;
        state = dory_ssh_channel_state(pump->ssh, i);
        if ((state & DORY_CH_EOF) && !(pump->eof_told & bit(i))) {
            stream->ops->eof(stream);
            pump->eof_told |= bit(i);
            moved = true;
        }
        if ((state & DORY_CH_CLOSED) && !(pump->stopped & bit(i))) {
            settle(stream);
            pump->stopped |= bit(i);
            moved = true;
        }
    }
    return moved;
}

/* One packet of this channel, filled by as many pulls as fit. *asked: there was room and the stream was asked for bytes. */
static bool send_from(struct dory_pump *pump, int channel, bool *asked)
{
    struct dory_stream *stream = pump->streams[channel];
    size_t room, n, total = 0;
    int status;
    uint8_t *buf;

    if (!stream || (pump->exited & bit(channel)))
        return false;
    buf = dory_ssh_senddata_buf(pump->ssh, channel, 0, &room);
    if (!buf)
        return false;
    *asked = true;
    while (total < room && (n = stream->ops->pull(stream, buf + total, room - total)) > 0)
        total += n;
    dory_ssh_senddata_ack(pump->ssh, total);
    if (total)
        set_window(pump, channel, stream);
    if (total || !pump->server)
        return total > 0;

    status = stream->ops->status(stream);
    if (status == DORY_E_AGAIN || dory_ssh_channel_exit(pump->ssh, channel, (uint32_t)status) != DORY_OK)
        return false;
    pump->exited |= bit(channel);
    return true;
}

static bool send_one(struct dory_pump *pump, bool *asked)
{
    if (!(dory_ssh_state(pump->ssh) & DORY_SENDDATA))
        return false;
    for (int i = 0; i < pump->count; i++) {
        int channel = (pump->next + i) % pump->count;

        if (send_from(pump, channel, asked)) {
            pump->next = (uint8_t)((channel + 1) % pump->count);
            return true;
        }
    }
    return false;
}

unsigned dory_pump(struct dory_pump *pump, unsigned turns)
{
    unsigned result = 0;
    bool moved, stalled, asked;

    do {
        asked = false;
        moved = receive(pump, &stalled);
        moved |= tell_ends(pump);
        moved |= send_one(pump, &asked);
        if (moved)
            result |= DORY_PUMP_MOVED;
    } while (moved && turns-- > 1);
    /* A stalled stream that had room for its answer waits for its file system, not for the peer. */
    if (moved || (stalled && asked))
        result |= DORY_PUMP_AGAIN;
    return result;
}
