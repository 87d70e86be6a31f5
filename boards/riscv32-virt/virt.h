/* What the files of this board tell each other: QEMU's virt machine. Nothing here is for silicon. */
#ifndef VIRT_H
#define VIRT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- virtio over MMIO, version 2 (Virtual I/O Device 1.1, 4.2.2): one queue is two of these rings and its descriptors */

enum { VIRTIO_NET = 1, VIRTIO_RNG = 4, VIRTIO_QUEUE = 8 };

struct virtio_descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

struct virtio_queue {
    _Alignas(16) struct virtio_descriptor descriptors[VIRTIO_QUEUE];
    struct {
        uint16_t flags, index, ring[VIRTIO_QUEUE], used_event;
    } available;
    _Alignas(4) struct {
        uint16_t flags, index;
        struct {
            uint32_t id, length;
        } ring[VIRTIO_QUEUE];
        uint16_t available_event;
    } used;
    uint32_t base; /* of the device */
    uint16_t number;
    uint16_t seen; /* of used.index */
};

/* The device of that kind, reset, with VERSION_1 and no other feature: its base address, 0 where there is none. */
uint32_t virtio_find(uint32_t kind);
bool virtio_queue_start(struct virtio_queue *queue, uint32_t base, uint16_t number);
void virtio_go(uint32_t base);
/* Hands over buffer `i`, for the device to read or (writable) to fill. */
void virtio_give(struct virtio_queue *queue, uint16_t i, const void *bytes, uint32_t n, bool writable);
void virtio_notify(const struct virtio_queue *queue);
/* The next buffer that the device is done with, and how much it wrote; -1: none. */
int virtio_take(struct virtio_queue *queue, uint32_t *n);

/* ---- started by reset, before main */

void virt_uart_start(void);
void virt_clock_start(void);
bool virt_net_start(void); /* false: there is no network device */

int main(void); /* its result is the exit status */

#endif
