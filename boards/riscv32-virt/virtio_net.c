/* The network card: receive buffers that the device fills, transmit buffers that it empties, one copy each way. */
#include <string.h>

#include "dory_board.h"
#include "virt.h"

enum { HEADER = 12, FRAME_MAX = 1514, RECEIVE = 0, TRANSMIT = 1, OUT = 2, PATIENCE_MS = 2 };

struct buffer {
    _Alignas(4) uint8_t bytes[HEADER + FRAME_MAX + 2];
};

static struct virtio_queue receive, transmit;
static struct buffer in[VIRTIO_QUEUE], out[OUT];
static uint16_t busy;    /* bits of `out` that the device holds */
static int waiting = -1; /* of `in`: taken from the device and not yet given back */
static uint32_t waiting_n;

static void offer(uint16_t i)
{
    virtio_give(&receive, i, in[i].bytes, sizeof in[i].bytes, true);
}

bool virt_net_start(void)
{
    uint32_t base = virtio_find(VIRTIO_NET);

    if (base == 0 || !virtio_queue_start(&receive, base, RECEIVE) || !virtio_queue_start(&transmit, base, TRANSMIT))
        return false;
    virtio_go(base);
    for (uint16_t i = 0; i < VIRTIO_QUEUE; i++)
        offer(i);
    virtio_notify(&receive);
    return true;
}

static void next(void)
{
    while (waiting < 0 && (waiting = virtio_take(&receive, &waiting_n)) >= 0 && waiting_n <= HEADER) {
        offer((uint16_t)waiting);
        waiting = -1;
    }
}

size_t dory_board_frame_size(void)
{
    next();
    return waiting < 0 ? 0 : waiting_n - HEADER;
}

void dory_board_frame_take(uint8_t *to)
{
    next();
    if (waiting < 0)
        return;
    if (to)
        memcpy(to, in[waiting].bytes + HEADER, waiting_n - HEADER);
    offer((uint16_t)waiting);
    virtio_notify(&receive);
    waiting = -1;
}

/* A buffer that the device does not hold, or -1. */
static int look_for_buffer(void)
{
    uint32_t n;
    int i;

    while ((i = virtio_take(&transmit, &n)) >= 0)
        busy &= (uint16_t)~(1u << i);
    for (i = 0; i < OUT; i++)
        if (!(busy >> i & 1))
            return i;
    return -1;
}

/* The device empties them while this processor goes on, some microseconds later. */
static int free_buffer(void)
{
    uint64_t end = dory_board_millis() + PATIENCE_MS;
    int i;

    do
        i = look_for_buffer();
    while (i < 0 && dory_board_millis() <= end);
    return i;
}

int dory_board_frame_send(const struct dory_board_piece *pieces, unsigned count)
{
    int i = free_buffer();
    size_t n = HEADER;

    if (i < 0)
        return DORY_E_AGAIN;
    memset(out[i].bytes, 0, HEADER);
    for (; count > 0; count--, pieces++) {
        if (pieces->n > sizeof out[i].bytes - n)
            return DORY_E_ARG;
        memcpy(out[i].bytes + n, pieces->p, pieces->n);
        n += pieces->n;
    }
    busy |= (uint16_t)(1u << i);
    virtio_give(&transmit, (uint16_t)i, out[i].bytes, n, false);
    virtio_notify(&transmit);
    return DORY_OK;
}
