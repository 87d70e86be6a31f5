/* Keccak-f[1600] and the sponge over it (FIPS 202), in loops: libsodium unrolls the permutation to 10 KiB of code. */
#ifndef DORY_CRYPTO_KECCAK_H
#define DORY_CRYPTO_KECCAK_H

#include <stddef.h>
#include <stdint.h>

enum { DORY_SHAKE128_RATE = 168, DORY_SHAKE256_RATE = 136, DORY_SHA3_256_RATE = 136, DORY_SHA3_512_RATE = 72 };
enum { DORY_DOMAIN_SHA3 = 0x06, DORY_DOMAIN_SHAKE = 0x1f };

struct dory_keccak {
    uint64_t lanes[25];
    uint8_t rate, at; /* bytes of a block, and how many of the present one are used */
};

void dory_keccak_init(struct dory_keccak *k, uint8_t rate);
void dory_keccak_absorb(struct dory_keccak *k, const uint8_t *bytes, size_t n);
/* No more is absorbed; from here on squeeze. */
void dory_keccak_pad(struct dory_keccak *k, uint8_t domain);
void dory_keccak_squeeze(struct dory_keccak *k, uint8_t *out, size_t n);

#endif
