#include "aes_gcm.h"

#include <string.h>

#ifndef MBEDTLS_BLOCK_CIPHER_C
#error "with MBEDTLS_CIPHER_C, Mbed TLS's GCM takes its key schedule from the heap: leave it out of the configuration"
#endif

enum { HEAD = 4 };

_Static_assert(sizeof(struct dory_aes_gcm) <= DORY_CIPHER_CTX_SIZE, "DORY_CIPHER_CTX_SIZE is too small for Mbed TLS's GCM");

int dory_aes_gcm_init(void *ctx, const uint8_t *key, unsigned key_bits, const uint8_t *iv)
{
    struct dory_aes_gcm *c = ctx;

    memcpy(c->nonce, iv, sizeof c->nonce);
    mbedtls_gcm_init(&c->gcm);
    return mbedtls_gcm_setkey(&c->gcm, MBEDTLS_CIPHER_ID_AES, key, key_bits) == 0 ? DORY_OK : DORY_E_CRYPTO;
}

int dory_aes_gcm_seal(void *ctx, uint32_t seq, uint8_t *pkt, size_t n)
{
    struct dory_aes_gcm *c = ctx;
    uint8_t *body = pkt + HEAD;

    (void)seq;
    if (n < HEAD)
        return DORY_E_ARG;
    if (mbedtls_gcm_crypt_and_tag(&c->gcm, MBEDTLS_GCM_ENCRYPT, n - HEAD, c->nonce, sizeof c->nonce, pkt, HEAD, body, body, GCM_TAG_SIZE,
                                  pkt + n) != 0)
        return DORY_E_CRYPTO;
    gcm_nonce_next(c->nonce);
    return DORY_OK;
}

/* The library decrypts while it computes the tag, and overwrites the whole body before it reports a wrong one. */
int dory_aes_gcm_open(void *ctx, uint32_t seq, uint8_t *pkt, size_t n)
{
    struct dory_aes_gcm *c = ctx;
    uint8_t *body = pkt + HEAD;

    (void)seq;
    if (n < HEAD)
        return DORY_E_ARG;
    if (mbedtls_gcm_auth_decrypt(&c->gcm, n - HEAD, c->nonce, sizeof c->nonce, pkt, HEAD, pkt + n, GCM_TAG_SIZE, body, body) != 0)
        return DORY_E_MAC;
    gcm_nonce_next(c->nonce);
    return DORY_OK;
}
