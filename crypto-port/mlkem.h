/* ML-KEM-768 (FIPS 203) under the hybrid key exchange: posix/mlkem.c calls libsodium, small/mlkem.c needs a third of its stack. */
#ifndef DORY_CRYPTO_MLKEM_H
#define DORY_CRYPTO_MLKEM_H

#include <stdint.h>

enum { DORY_MLKEM_SEED = 64, DORY_MLKEM_PUBLIC = 1184, DORY_MLKEM_CIPHERTEXT = 1088, DORY_MLKEM_ENTROPY = 32 };

/* The encapsulation key that belongs to a seed d || z. The seed is all that is kept of the private half. */
void dory_mlkem_public(uint8_t public[DORY_MLKEM_PUBLIC], const uint8_t seed[DORY_MLKEM_SEED]);
/* DORY_E_CRYPTO: a coefficient of the key is not below q (FIPS 203 7.2); nothing was written. */
int dory_mlkem_enc(uint8_t ciphertext[DORY_MLKEM_CIPHERTEXT], uint8_t secret[32], const uint8_t public[DORY_MLKEM_PUBLIC],
                   const uint8_t entropy[DORY_MLKEM_ENTROPY]);
/* Never fails: a ciphertext that was not made for this key gives a secret that nobody knows (FIPS 203 6.3). */
void dory_mlkem_dec(uint8_t secret[32], const uint8_t ciphertext[DORY_MLKEM_CIPHERTEXT], const uint8_t seed[DORY_MLKEM_SEED]);

#endif
