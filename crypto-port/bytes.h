/* Big-endian integers, as SSH writes them. */
#ifndef DORY_CRYPTO_BYTES_H
#define DORY_CRYPTO_BYTES_H

#include <stdint.h>

static inline uint32_t load_be32(const uint8_t p[4])
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void store_be32(uint8_t p[4], uint32_t v)
{
    for (int i = 3; i >= 0; i--, v >>= 8)
        p[i] = (uint8_t)v;
}

#endif
