/* Network chips whose buffers are one register: words, from and to memory that need not be aligned. */
#include <string.h>

#include "cortex_m.h"

void dory_fifo_put(struct dory_fifo *fifo, const uint8_t *bytes, size_t n)
{
    volatile uint32_t *to = fifo->to;
    const unsigned have = fifo->have, shift = 8 * have;
    uint32_t word = fifo->word, next;

    for (; n >= 4; n -= 4, bytes += 4) {
        memcpy(&next, bytes, 4);
        *to = word | next << shift;
        word = have ? next >> (32 - shift) : 0;
    }
    for (fifo->word = word; n > 0; n--) {
        fifo->word |= (uint32_t)*bytes++ << 8 * fifo->have;
        if (++fifo->have == 4) {
            *to = fifo->word;
            fifo->word = 0;
            fifo->have = 0;
        }
    }
}

void dory_fifo_end(struct dory_fifo *fifo)
{
    if (fifo->have)
        *fifo->to = fifo->word;
    fifo->have = 0;
    fifo->word = 0;
}

void dory_fifo_get(volatile uint32_t *from, uint8_t *to, size_t n)
{
    uint32_t word;

    for (; n >= 16; n -= 16, to += 16) {
        word = *from;
        memcpy(to, &word, 4);
        word = *from;
        memcpy(to + 4, &word, 4);
        word = *from;
        memcpy(to + 8, &word, 4);
        word = *from;
        memcpy(to + 12, &word, 4);
    }
    for (; n >= 4; n -= 4, to += 4) {
        word = *from;
        memcpy(to, &word, 4);
    }
    if (n > 0) {
        word = *from;
        memcpy(to, &word, n);
    }
}

void dory_fifo_drop(volatile uint32_t *from, size_t words)
{
    while (words-- > 0)
        (void)*from;
}
