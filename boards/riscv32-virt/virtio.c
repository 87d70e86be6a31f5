#include <string.h>

#include "virt.h"

/* Register offsets, 4.2.2 */
enum {
    MAGIC = 0x00, VERSION = 0x04, DEVICE = 0x08, DRIVER_FEATURES = 0x20, DRIVER_FEATURES_SELECT = 0x24,
    QUEUE_SELECT = 0x30, QUEUE_MAX = 0x34, QUEUE_SIZE = 0x38, QUEUE_READY = 0x44, QUEUE_NOTIFY = 0x50,
    STATUS = 0x70, QUEUE_DESCRIPTORS = 0x80, QUEUE_AVAILABLE = 0x90, QUEUE_USED = 0xA0
};
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, WRITABLE = 2, SLOTS = 8 };

#define FIRST_SLOT 0x10001000u
#define SLOT_SIZE 0x1000u
#define MAGIC_VALUE 0x74726976u

static volatile uint32_t *reg(uint32_t base, uint32_t offset)
{
    return (volatile uint32_t *)(base + offset);
}

static void fence(void)
{
    __asm__ volatile("fence" ::: "memory");
}

static void add_status(uint32_t base, uint32_t bits)
{
    *reg(base, STATUS) |= bits;
}

uint32_t virtio_find(uint32_t kind)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        uint32_t base = FIRST_SLOT + i * SLOT_SIZE;

        if (*reg(base, MAGIC) != MAGIC_VALUE || *reg(base, VERSION) != 2 || *reg(base, DEVICE) != kind)
            continue;
        *reg(base, STATUS) = 0;
        add_status(base, ACKNOWLEDGE);
        add_status(base, DRIVER);
        *reg(base, DRIVER_FEATURES_SELECT) = 0;
        *reg(base, DRIVER_FEATURES) = 0;
        *reg(base, DRIVER_FEATURES_SELECT) = 1;
        *reg(base, DRIVER_FEATURES) = 1; /* VERSION_1, bit 32 */
        add_status(base, FEATURES_OK);
        if (*reg(base, STATUS) & FEATURES_OK)
            return base;
    }
    return 0;
}

static void set_address(uint32_t base, uint32_t offset, const void *p)
{
    *reg(base, offset) = (uint32_t)(uintptr_t)p;
    *reg(base, offset + 4) = 0;
}

bool virtio_queue_start(struct virtio_queue *queue, uint32_t base, uint16_t number)
{
    memset(queue, 0, sizeof *queue);
    queue->base = base;
    queue->number = number;
    *reg(base, QUEUE_SELECT) = number;
    if (*reg(base, QUEUE_READY) != 0 || *reg(base, QUEUE_MAX) < VIRTIO_QUEUE)
        return false;
    *reg(base, QUEUE_SIZE) = VIRTIO_QUEUE;
    set_address(base, QUEUE_DESCRIPTORS, queue->descriptors);
    set_address(base, QUEUE_AVAILABLE, &queue->available);
    set_address(base, QUEUE_USED, &queue->used);
    *reg(base, QUEUE_READY) = 1;
    return true;
}

void virtio_go(uint32_t base)
{
    add_status(base, DRIVER_OK);
}

void virtio_give(struct virtio_queue *queue, uint16_t i, const void *bytes, uint32_t n, bool writable)
{
    queue->descriptors[i] = (struct virtio_descriptor){
        .address = (uint32_t)(uintptr_t)bytes,
        .length = n,
        .flags = writable ? WRITABLE : 0,
    };
    queue->available.ring[queue->available.index % VIRTIO_QUEUE] = i;
    fence();
    queue->available.index++;
    fence();
}

void virtio_notify(const struct virtio_queue *queue)
{
    *reg(queue->base, QUEUE_NOTIFY) = queue->number;
}

int virtio_take(struct virtio_queue *queue, uint32_t *n)
{
    const volatile uint16_t *index = &queue->used.index;
    uint32_t at = queue->seen % VIRTIO_QUEUE;

    if (*index == queue->seen)
        return -1;
    fence();
    queue->seen++;
    *n = queue->used.ring[at].length;
    return (int)(queue->used.ring[at].id % VIRTIO_QUEUE);
}
