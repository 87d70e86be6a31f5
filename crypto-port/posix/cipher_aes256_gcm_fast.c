/* aes256-gcm@openssh.com on libsodium: for CPUs with instructions for AES and carry-less multiplication. */
#include <string.h>

#include <sodium.h>

#include "../dory_crypto.h"
#include "../gcm_nonce.h"
#include "../length_clear.h"

enum { HEAD = 4 };

struct context {
    crypto_aead_aes256gcm_state state;
    uint8_t nonce[GCM_NONCE_SIZE];
};
_Static_assert(sizeof(struct context) <= DORY_CIPHER_CTX_SIZE, "DORY_CIPHER_CTX_SIZE is too small for libsodium's GCM");
_Static_assert(_Alignof(struct context) <= 16, "a cipher context is aligned to 16");

bool dory_aes_is_fast(void)
{
    return crypto_aead_aes256gcm_is_available() != 0;
}

static int init(void *ctx, const uint8_t *key, const uint8_t *iv)
{
    struct context *c = ctx;

    if (!dory_aes_is_fast())
        return DORY_E_CRYPTO;
    memcpy(c->nonce, iv, sizeof c->nonce);
    return crypto_aead_aes256gcm_beforenm(&c->state, key) == 0 ? DORY_OK : DORY_E_CRYPTO;
}

static int seal(void *ctx, uint32_t seq, uint8_t *pkt, size_t n)
{
    struct context *c = ctx;
    uint8_t *body = pkt + HEAD;

    (void)seq;
    if (n < HEAD)
        return DORY_E_ARG;
    if (crypto_aead_aes256gcm_encrypt_detached_afternm(body, pkt + n, NULL, body, n - HEAD, pkt, HEAD, NULL, c->nonce, &c->state) != 0)
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
    if (crypto_aead_aes256gcm_decrypt_detached_afternm(body, NULL, body, n - HEAD, pkt + n, pkt, HEAD, c->nonce, &c->state) != 0)
        return DORY_E_MAC;
    gcm_nonce_next(c->nonce);
    return DORY_OK;
}

const struct dory_cipher dory_cipher_aes256_gcm_fast = {
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
