/* Arithmetic modulo L = 2^252 + 27742317777372353535851937790883648493, the order of Ed25519's base point. Little-endian, in constant time. */
#ifndef DORY_CRYPTO_SCALAR_H
#define DORY_CRYPTO_SCALAR_H

#include <stdint.h>

void dory_scalar_reduce(uint8_t r[32], const uint8_t wide[64]);
/* r = a b + c; b and c are below L, a is any number */
void dory_scalar_muladd(uint8_t r[32], const uint8_t a[32], const uint8_t b[32], const uint8_t c[32]);

#endif
