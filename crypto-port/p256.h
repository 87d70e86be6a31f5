/* The curve arithmetic under ecdh-sha2-nistp256 and ecdsa-sha2-nistp256. Numbers are 32 bytes, points x || y, all big-endian. */
#ifndef DORY_CRYPTO_P256_H
#define DORY_CRYPTO_P256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dory_crypto.h"

enum { P256_SIZE = 32, P256_POINT = 64, P256_ENCODED = 65 };

/* In range: 1 to n - 1. */
bool dory_p256_is_scalar(const uint8_t scalar[P256_SIZE]);
/* A scalar that is in range, by drawing again (FIPS 186-5 A.2.2). DORY_E_RNG: out is wiped. */
int dory_p256_draw(uint8_t out[P256_SIZE], const struct dory_rng *rng);
/* Both: DORY_E_CRYPTO if the scalar is out of range, or the peer's point is not on the curve. */
int dory_p256_public(uint8_t point[P256_POINT], const uint8_t scalar[P256_SIZE]);
int dory_p256_agree(uint8_t x[P256_SIZE], const uint8_t scalar[P256_SIZE], const uint8_t point[P256_POINT]);

/* sig = r || s over a SHA-256 digest, with the nonce k. DORY_E_CRYPTO: k is out of range, or r or s would be 0: take another k. */
int dory_p256_sign(uint8_t sig[2 * P256_SIZE], const uint8_t scalar[P256_SIZE], const uint8_t digest[32], const uint8_t k[P256_SIZE]);
/* Refuses r or s of 0 or not below n (A5), and points that are not on the curve. */
int dory_p256_verify(const uint8_t sig[2 * P256_SIZE], const uint8_t point[P256_POINT], const uint8_t digest[32]);

#endif
