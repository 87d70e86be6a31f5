/* The nonce of AES-GCM in SSH (RFC 5647 7.1): 4 fixed bytes, then an invocation counter that starts where the key derivation put it. */
#ifndef DORY_CRYPTO_GCM_NONCE_H
#define DORY_CRYPTO_GCM_NONCE_H

#include <stdint.h>

enum { GCM_NONCE_SIZE = 12, GCM_TAG_SIZE = 16, GCM_FIXED_SIZE = 4 };

static inline void gcm_nonce_next(uint8_t nonce[GCM_NONCE_SIZE])
{
    for (int i = GCM_NONCE_SIZE - 1; i >= GCM_FIXED_SIZE && ++nonce[i] == 0; i--)
        continue;
}

#endif
