/* The machine's entropy device. QEMU's takes from the host; another emulator need not: this is an emulator's source all the same. */
#include <string.h>

#include "dory_board.h"
#include "virt.h"

enum { CHUNK = 64, PATIENCE_MS = 2000 };

static struct virtio_queue queue;
static uint8_t buffer[CHUNK];
static bool started;

static bool start(void)
{
    uint32_t base = virtio_find(VIRTIO_RNG);

    if (base == 0 || !virtio_queue_start(&queue, base, 0))
        return false;
    virtio_go(base);
    return true;
}

/* A device that does not answer is left holding the buffer: nothing is asked of it again. */
static uint32_t ask(uint32_t n)
{
    uint64_t end = dory_board_millis() + PATIENCE_MS;
    uint32_t got;

    virtio_give(&queue, 0, buffer, n, true);
    virtio_notify(&queue);
    while (virtio_take(&queue, &got) < 0)
        if (dory_board_millis() > end)
            return 0;
    return got < n ? got : n;
}

/* As platform/emulated/entropy.c: a product that links this file by accident does not link. */
extern const char dory_this_image_is_for_an_emulator_only[];
static const char *const volatile mark = dory_this_image_is_for_an_emulator_only;

const bool dory_board_emulated = true;

int dory_board_entropy(uint8_t *out, size_t n)
{
    static bool dead;

    if (!mark || (!started && !(started = start())))
        dead = true;
    while (n > 0 && !dead) {
        uint32_t got = ask(n < CHUNK ? (uint32_t)n : CHUNK);

        dead = got == 0;
        memcpy(out, buffer, got);
        memset(buffer, 0, sizeof buffer);
        out += got;
        n -= got;
    }
    return n == 0 ? DORY_OK : DORY_E_RNG;
}
