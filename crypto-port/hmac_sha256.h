/* HMAC-SHA-256 (RFC 2104). After init the struct may be copied by assignment: that is what makes PBKDF2 cheap. */
#ifndef DORY_CRYPTO_HMAC_SHA256_H
#define DORY_CRYPTO_HMAC_SHA256_H

#include "dory_crypto.h"

struct dory_hmac_sha256 {
    struct dory_sha256 inner, outer;
};
void dory_hmac_sha256_init(struct dory_hmac_sha256 *h, const uint8_t *key, size_t n);
void dory_hmac_sha256_update(struct dory_hmac_sha256 *h, const void *bytes, size_t n);
void dory_hmac_sha256_final(struct dory_hmac_sha256 *h, uint8_t mac[32]); /* wipes h */

#endif
