#include "aes_ctr.h"

#include <string.h>

enum { HEAD = 4, BLOCK = AES_BLOCK_SIZE };

_Static_assert(sizeof(struct dory_aes_ctr) <= DORY_CIPHER_CTX_SIZE, "DORY_CIPHER_CTX_SIZE is too small for AES-CTR");

int dory_aes_ctr_init(void *ctx, const uint8_t *key, unsigned key_bits, const uint8_t *iv)
{
    struct dory_aes_ctr *c = ctx;

    memcpy(c->counter, iv, sizeof c->counter);
    mbedtls_aes_init(&c->aes);
    return mbedtls_aes_setkey_enc(&c->aes, key, key_bits) == 0 ? DORY_OK : DORY_E_CRYPTO;
}

/* A packet is whole blocks, so no key stream is left over from one to the next. */
int dory_aes_ctr_crypt(void *ctx, uint32_t seq, uint8_t *pkt, size_t n)
{
    struct dory_aes_ctr *c = ctx;
    uint8_t *body = pkt + HEAD, stream[BLOCK];
    size_t used = 0;
    int r;

    (void)seq;
    if (n < HEAD || (n - HEAD) % BLOCK != 0)
        return DORY_E_ARG;
    r = mbedtls_aes_crypt_ctr(&c->aes, n - HEAD, &used, c->counter, stream, body, body);
    dory_wipe(stream, sizeof stream);
    return r == 0 ? DORY_OK : DORY_E_CRYPTO;
}
