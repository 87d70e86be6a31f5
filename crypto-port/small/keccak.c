#include "keccak.h"

#include <string.h>

enum { LANES = 25, ROUNDS = 24 };

/* Where byte i of the state lies. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define PLACE(i) ((i) ^ 7)
#else
#define PLACE(i) (i)
#endif

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

/* Theta (FIPS 202 3.2.1) */
static void theta(uint64_t a[LANES])
{
    uint64_t c[5];

    for (int x = 0; x < 5; x++)
        c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    for (int x = 0; x < 5; x++) {
        uint64_t d = c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1);
        for (int y = 0; y < LANES; y += 5)
            a[x + y] ^= d;
    }
}

/* Rho and pi (3.2.2, 3.2.3): each lane goes, rotated, to where the next one in the walk of (x, y) -> (y, 2x + 3y) lies. */
static void rho_pi(uint64_t a[LANES])
{
    uint64_t moving = a[1];
    unsigned x = 1, y = 0;

    for (unsigned t = 1, by = 0; t < LANES; t++) {
        unsigned to = (2 * x + 3 * y) % 5;
        uint64_t next;
        by = (by + t) % 64;
        x = y;
        y = to;
        next = a[x + 5 * y];
        a[x + 5 * y] = rotate(moving, by);
        moving = next;
    }
}

/* Chi (3.2.4) */
static void chi(uint64_t a[LANES])
{
    for (uint64_t *row = a; row < a + LANES; row += 5) {
        const uint64_t first = row[0], second = row[1];
        for (int x = 0; x < 3; x++)
            row[x] ^= ~row[x + 1] & row[x + 2];
        row[3] ^= ~row[4] & first;
        row[4] ^= ~first & second;
    }
}

static void permute(uint64_t a[LANES])
{
    uint8_t lfsr = 1; /* makes iota's constants (3.2.5) */

    for (int round = 0; round < ROUNDS; round++) {
        theta(a);
        rho_pi(a);
        chi(a);
        for (unsigned place = 1; place <= 64; place *= 2) {
            a[0] ^= (uint64_t)(lfsr & 1) << (place - 1);
            lfsr = (uint8_t)(lfsr << 1 ^ (lfsr >> 7) * 0x71);
        }
    }
}

static uint8_t *byte_at(struct dory_keccak *k, unsigned i)
{
    return (uint8_t *)k->lanes + PLACE(i);
}

void dory_keccak_init(struct dory_keccak *k, uint8_t rate)
{
    memset(k, 0, sizeof *k);
    k->rate = rate;
}

void dory_keccak_absorb(struct dory_keccak *k, const uint8_t *bytes, size_t n)
{
    for (; n > 0; n--) {
        *byte_at(k, k->at++) ^= *bytes++;
        if (k->at == k->rate) {
            permute(k->lanes);
            k->at = 0;
        }
    }
}

void dory_keccak_pad(struct dory_keccak *k, uint8_t domain)
{
    *byte_at(k, k->at) ^= domain;
    *byte_at(k, k->rate - 1u) ^= 0x80;
    k->at = k->rate;
}

void dory_keccak_squeeze(struct dory_keccak *k, uint8_t *out, size_t n)
{
    for (; n > 0; n--) {
        if (k->at == k->rate) {
            permute(k->lanes);
            k->at = 0;
        }
        *out++ = *byte_at(k, k->at++);
    }
}
