/* One bit at a time: libsodium unrolls these two functions to 6 KiB of code. There is no multiplication, whose time depends on the
   operands where it makes 64 bits (Cortex-M3), no branch and no index that depends on a number. */
#include "scalar.h"

#include "../dory_crypto.h"

enum { WORDS = 8 };

/* Run 2,400 times in a login: here speed is worth 600 bytes. */
#define FAST __attribute__((optimize("O3")))

static const uint32_t L[WORDS] = {0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de, 0, 0, 0, 0x10000000};

static void load(uint32_t r[WORDS], const uint8_t bytes[32])
{
    for (int i = 0; i < WORDS; i++, bytes += 4)
        r[i] = (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

static void store(uint8_t bytes[32], const uint32_t r[WORDS])
{
    for (int i = 0; i < 4 * WORDS; i++)
        bytes[i] = (uint8_t)(r[i / 4] >> i % 4 * 8);
}

static uint32_t bit(const uint8_t *bytes, int i)
{
    return bytes[i / 8] >> i % 8 & 1u;
}

/* r < 2 L becomes r mod L. What a mask is made of is hidden from the compiler, which could make a branch of it. */
FAST static void subtract_once(uint32_t r[WORDS])
{
    uint32_t t[WORDS], borrow = 0, keep;

    for (int i = 0; i < WORDS; i++) {
        uint64_t d = (uint64_t)r[i] - L[i] - borrow;
        t[i] = (uint32_t)d;
        borrow = (uint32_t)(d >> 32) & 1;
    }
    keep = 0 - borrow;
    __asm__("" : "+r"(keep));
    for (int i = 0; i < WORDS; i++)
        r[i] = (r[i] & keep) | (t[i] & ~keep);
}

/* r = 2 r + low */
FAST static void twice(uint32_t r[WORDS], uint32_t low)
{
    for (int i = 0; i < WORDS; i++) {
        uint32_t high = r[i] >> 31;
        r[i] = r[i] << 1 | low;
        low = high;
    }
    subtract_once(r);
}

/* r = r + a, or r if not `wanted` */
FAST static void add(uint32_t r[WORDS], const uint32_t a[WORDS], uint32_t wanted)
{
    uint32_t mask = 0 - wanted;
    uint64_t sum = 0;

    __asm__("" : "+r"(mask));
    for (int i = 0; i < WORDS; i++) {
        sum += (uint64_t)r[i] + (a[i] & mask);
        r[i] = (uint32_t)sum;
        sum >>= 32;
    }
    subtract_once(r);
}

void dory_scalar_reduce(uint8_t r[32], const uint8_t wide[64])
{
    uint32_t x[WORDS] = {0};

    for (int i = 0; i < 31; i++) /* the upper 248 bits are below L */
        x[i / 4] |= (uint32_t)wide[33 + i] << i % 4 * 8;
    for (int i = 263; i >= 0; i--)
        twice(x, bit(wide, i));
    store(r, x);
    dory_wipe(x, sizeof x);
}

void dory_scalar_muladd(uint8_t r[32], const uint8_t a[32], const uint8_t b[32], const uint8_t c[32])
{
    uint32_t x[WORDS] = {0}, y[WORDS];

    load(y, b);
    for (int i = 255; i >= 0; i--) {
        twice(x, 0);
        add(x, y, bit(a, i));
    }
    load(y, c);
    add(x, y, 1);
    store(r, x);
    dory_wipe(x, sizeof x);
    dory_wipe(y, sizeof y);
}
