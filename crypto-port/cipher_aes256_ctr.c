/* aes256-ctr (RFC 4344 4): the counter runs on from packet to packet. packet_length is left in the clear, because this house uses
   it with encrypt-then-MAC only; a struct dory_mac checks the packet before open sees it. */
#include <string.h>

#include <mbedtls/aes.h>

#include "dory_crypto.h"
#include "length_clear.h"

enum { HEAD = 4, BLOCK = 16 };

struct context {
    mbedtls_aes_context aes;
    uint8_t counter[BLOCK];
};
_Static_assert(sizeof(struct context) <= DORY_CIPHER_CTX_SIZE, "DORY_CIPHER_CTX_SIZE is too small for AES-CTR");

static int init(void *ctx, const uint8_t *key, const uint8_t *iv)
{
    struct context *c = ctx;

    memcpy(c->counter, iv, sizeof c->counter);
    mbedtls_aes_init(&c->aes);
    return mbedtls_aes_setkey_enc(&c->aes, key, 256) == 0 ? DORY_OK : DORY_E_CRYPTO;
}

/* A packet is whole blocks, so no key stream is left over from one to the next. */
static int crypt(void *ctx, uint32_t seq, uint8_t *pkt, size_t n)
{
    struct context *c = ctx;
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

const struct dory_cipher dory_cipher_aes256_ctr = {
    .name = "aes256-ctr",
    .key_size = 32,
    .iv_size = BLOCK,
    .block_size = BLOCK,
    .tag_size = 0,
    .ctx_size = sizeof(struct context),
    .init = init,
    .length = dory_length_clear,
    .seal = crypt,
    .open = crypt,
};
