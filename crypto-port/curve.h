/* The curve arithmetic under curve25519 and ed25519: posix/curve.c calls libsodium, small/curve.c cuts it down for flash. */
#ifndef DORY_CRYPTO_CURVE_H
#define DORY_CRYPTO_CURVE_H

#include <stddef.h>
#include <stdint.h>

void dory_x25519_public(uint8_t point[32], const uint8_t scalar[32]);
/* DORY_E_CRYPTO: the peer's point has small order, the result would be zero (RFC 7748 6.1). */
int dory_x25519(uint8_t shared[32], const uint8_t scalar[32], const uint8_t point[32]);

void dory_ed25519_expand(uint8_t secret[64], const uint8_t seed[32]); /* secret = seed || public key */
void dory_ed25519_sign(uint8_t sig[64], const uint8_t *msg, size_t n, const uint8_t secret[64]);
/* Refuses S >= L, public keys and R of small order, and encodings that are not canonical. */
int dory_ed25519_verify(const uint8_t sig[64], const uint8_t *msg, size_t n, const uint8_t pub[32]);

#endif
