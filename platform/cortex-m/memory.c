/* In place of picolibc's, which go byte by byte: every byte of a transfer is copied once from lwIP's buffers to the engine's, and what was
   secret is wiped all the time. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int byte, size_t n);

#define OURS __attribute__((used, optimize("no-tree-loop-distribute-patterns")))

/* Four words at a time; single loads and stores need no alignment on ARMv7-M. */
OURS void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t *d = to;
    const uint8_t *s = from, *const most = s + (n & ~(size_t)15), *const end = s + n;

    while (s != most) {
        uint32_t a, b, c, e;

        __builtin_memcpy(&a, s, 4);
        __builtin_memcpy(&b, s + 4, 4);
        __builtin_memcpy(&c, s + 8, 4);
        __builtin_memcpy(&e, s + 12, 4);
        __builtin_memcpy(d, &a, 4);
        __builtin_memcpy(d + 4, &b, 4);
        __builtin_memcpy(d + 8, &c, 4);
        __builtin_memcpy(d + 12, &e, 4);
        s += 16;
        d += 16;
    }
    while (s != end)
        *d++ = *s++;
    return to;
}

OURS void *memset(void *to, int byte, size_t n)
{
    uint8_t *d = to, *const most = d + (n & ~(size_t)15), *const end = d + n;
    const uint32_t word = (uint8_t)byte * 0x01010101u;

    while (d != most) {
        __builtin_memcpy(d, &word, 4);
        __builtin_memcpy(d + 4, &word, 4);
        __builtin_memcpy(d + 8, &word, 4);
        __builtin_memcpy(d + 12, &word, 4);
        d += 16;
    }
    while (d != end)
        *d++ = (uint8_t)byte;
    return to;
}
