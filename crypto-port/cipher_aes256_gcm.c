/* aes256-gcm@openssh.com (RFC 5647, with the names and tag of OpenSSH's PROTOCOL 1.6) on Mbed TLS: runs everywhere. */
#include <string.h>

#include <mbedtls/gcm.h>

#include "dory_crypto.h"
#include "gcm_nonce.h"
#include "length_clear.h"

#ifndef MBEDTLS_BLOCK_CIPHER_C
#error "with MBEDTLS_CIPHER_C, Mbed TLS's GCM takes its key schedule from the heap: leave it out of the configuration"
#endif

enum { HEAD = 4 };

struct context {
    mbedtls_gcm_context gcm;
    uint8_t nonce[GCM_NONCE_SIZE];
};
_Static_assert(sizeof(struct context) <= DORY_CIPHER_CTX_SIZE, "DORY_CIPHER_CTX_SIZE is too small for Mbed TLS's GCM");

static int init(void *ctx, const uint8_t *key, const uint8_t *iv)
{
    struct context *c = ctx;

    memcpy(c->nonce, iv, sizeof c->nonce);
    mbedtls_gcm_init(&c->gcm);
    return mbedtls_gcm_setkey(&c->gcm, MBEDTLS_CIPHER_ID_AES, key, 256) == 0 ? DORY_OK : DORY_E_CRYPTO;
}

static int seal(void *ctx, uint32_t seq, uint8_t *pkt, size_t n)
{
    struct context *c = ctx;
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
static int open(void *ctx, uint32_t seq, uint8_t *pkt, size_t n)
{
    struct context *c = ctx;
    uint8_t *body = pkt + HEAD;

    (void)seq;
    if (n < HEAD)
        return DORY_E_ARG;
    if (mbedtls_gcm_auth_decrypt(&c->gcm, n - HEAD, c->nonce, sizeof c->nonce, pkt, HEAD, pkt + n, GCM_TAG_SIZE, body, body) != 0)
        return DORY_E_MAC;
    gcm_nonce_next(c->nonce);
    return DORY_OK;
}

const struct dory_cipher dory_cipher_aes256_gcm = {
    .name = "aes256-gcm@openssh.com",
    .key_size = 32,
    .iv_size = GCM_NONCE_SIZE,
    .block_size = 16,
    .tag_size = GCM_TAG_SIZE,
    .ctx_size = sizeof(struct context),
    .init = init,
    .length = dory_length_clear,
    .seal = seal,
    .open = open,
};
