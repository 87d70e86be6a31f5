/* The network card: receive buffers that the device fills, transmit buffers that it empties, one copy each way. */
#include <string.h>

#include "virt.h"

enum { HEADER = 12, FRAME_MAX = 1514, FEATURE_MAC = 1 << 5, CONFIG = 0x100, RECEIVE = 0, TRANSMIT = 1 };

struct buffer {
    _Alignas(4) uint8_t bytes[HEADER + FRAME_MAX + 2];
};

static struct virtio_queue receive, transmit;
static struct buffer in[VIRTIO_QUEUE], out[VIRTIO_QUEUE / 2];
static uint16_t busy;    /* bits of `out` that the device holds */
static int waiting = -1; /* of `in`: taken from the device and not yet given back */
static uint32_t waiting_n;

static void offer(uint16_t i)
{
    virtio_give(&receive, i, in[i].bytes, sizeof in[i].bytes, true);
}

bool virt_net_start(uint8_t mac[6])
{
    uint32_t base = virtio_find(VIRTIO_NET, FEATURE_MAC);

    if (base == 0 || !virtio_queue_start(&receive, base, RECEIVE) || !virtio_queue_start(&transmit, base, TRANSMIT))
        return false;
    for (unsigned i = 0; i < 6; i++)
        mac[i] = *(volatile uint8_t *)(base + CONFIG + i);
    virtio_go(base);
    for (uint16_t i = 0; i < VIRTIO_QUEUE; i++)
        offer(i);
    virtio_notify(&receive);
    return true;
}

const uint8_t *virt_net_frame(size_t *n)
{
    if (waiting < 0)
        waiting = virtio_take(&receive, &waiting_n);
    if (waiting < 0)
        return NULL;
    *n = waiting_n < HEADER ? 0 : waiting_n - HEADER;
    return in[waiting].bytes + HEADER;
}

void virt_net_release(void)
{
    offer((uint16_t)waiting);
    virtio_notify(&receive);
    waiting = -1;
}

uint8_t *virt_net_room(void)
{
    uint32_t n;
    int i;

    while ((i = virtio_take(&transmit, &n)) >= 0)
        busy &= (uint16_t)~(1u << i);
    for (i = 0; i < VIRTIO_QUEUE / 2; i++)
        if (!(busy >> i & 1))
            return out[i].bytes + HEADER;
    return NULL;
}

void virt_net_send(const uint8_t *room, size_t n)
{
    uint8_t *bytes = out[0].bytes + (room - HEADER - out[0].bytes);
    uint16_t i = (uint16_t)((size_t)(bytes - out[0].bytes) / sizeof out[0]);

    memset(bytes, 0, HEADER);
    busy |= (uint16_t)(1u << i);
    virtio_give(&transmit, i, bytes, (uint32_t)(HEADER + n), false);
    virtio_notify(&transmit);
}
