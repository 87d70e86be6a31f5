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

/* The device of that kind, reset and offered VERSION_1 and `features`: its base address, 0 where there is none. */
uint32_t virtio_find(uint32_t kind, uint32_t features);
bool virtio_queue_start(struct virtio_queue *queue, uint32_t base, uint16_t number);
void virtio_go(uint32_t base);
/* Hands over buffer `i`, for the device to read or (writable) to fill. */
void virtio_give(struct virtio_queue *queue, uint16_t i, const void *bytes, uint32_t n, bool writable);
void virtio_notify(const struct virtio_queue *queue);
/* The next buffer that the device is done with, and how much it wrote; -1: none. */
int virtio_take(struct virtio_queue *queue, uint32_t *n);

/* ---- the devices */

void virt_uart_start(void);
void virt_uart_write(char c);
int virt_uart_read(void); /* -1: nothing came */
void virt_print(const char *text);

void virt_clock_start(void);
uint64_t virt_now_ms(void);
/* Returns when the time has come, a frame arrived or a key was pressed; perhaps earlier. */
void virt_sleep(uint64_t until_ms);

bool virt_net_start(uint8_t mac[6]);
/* The frame that has waited longest, until it is released; NULL: none. */
const uint8_t *virt_net_frame(size_t *n);
void virt_net_release(void);
/* Room for a frame of up to 1,514 bytes; NULL: all are on their way. Then send it, or leave it. */
uint8_t *virt_net_room(void);
void virt_net_send(const uint8_t *room, size_t n);

bool virt_random(uint8_t *out, size_t n);

uint32_t virt_stack_used(void); /* since reset, the deepest */
int main(void);                 /* its result is the exit status */

/* ---- semihosting: the host's arguments, files and exit status */

int virt_arguments(char *text, size_t cap);
_Noreturn void virt_exit(uint32_t status);
_Noreturn void virt_reboot(void);
int virt_file_open(const char *path); /* which must be there; -1: it is not */
uint32_t virt_file_size(int file);
bool virt_file_read(int file, uint32_t offset, void *bytes, uint32_t n);
bool virt_file_write(int file, uint32_t offset, const void *bytes, uint32_t n);

#endif
