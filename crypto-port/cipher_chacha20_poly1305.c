/* chacha20-poly1305@openssh.com, as OpenSSH's PROTOCOL.chacha20poly1305 describes it. */
#include <string.h>

#include <sodium/crypto_onetimeauth_poly1305.h>
#include <sodium/crypto_stream_chacha20.h>

#include "bytes.h"
#include "dory_crypto.h"

enum { HEAD = 4, NONCE = 8, TAG = 16 };

struct context {
    uint8_t payload_key[32]; /* K_2: the first half of the key */
    uint8_t length_key[32];  /* K_1 */
};
_Static_assert(sizeof(struct context) <= DORY_CIPHER_CTX_SIZE, "DORY_CIPHER_CTX_SIZE is too small for chacha20-poly1305");

static int init(void *ctx, const uint8_t *key, const uint8_t *iv)
{
    struct context *c = ctx;

    (void)iv; /* the nonce is the sequence number */
    memcpy(c->payload_key, key, 32);
    memcpy(c->length_key, key + 32, 32);
    return DORY_OK;
}

static void make_nonce(uint8_t nonce[NONCE], uint32_t seq)
{
    memset(nonce, 0, NONCE - 4);
    store_be32(nonce + NONCE - 4, seq);
}

/* Block 0 of the payload's key stream is the key of Poly1305. */
static void authenticate(const struct context *c, const uint8_t nonce[NONCE], const uint8_t *pkt, size_t n, uint8_t tag[TAG])
{
    uint8_t key[32];

    crypto_stream_chacha20(key, sizeof key, nonce, c->payload_key);
    crypto_onetimeauth_poly1305(tag, pkt, n, key);
    dory_wipe(key, sizeof key);
}

static void crypt(const struct context *c, const uint8_t nonce[NONCE], uint8_t *pkt, size_t n)
{
    crypto_stream_chacha20_xor(pkt, pkt, HEAD, nonce, c->length_key);
    crypto_stream_chacha20_xor_ic(pkt + HEAD, pkt + HEAD, n - HEAD, nonce, 1, c->payload_key);
}

static uint32_t length(void *ctx, uint32_t seq, const uint8_t head[4])
{
    const struct context *c = ctx;
    uint8_t nonce[NONCE], clear[HEAD];

    make_nonce(nonce, seq);
    crypto_stream_chacha20_xor(clear, head, HEAD, nonce, c->length_key);
    return load_be32(clear);
}

static int seal(void *ctx, uint32_t seq, uint8_t *pkt, size_t n)
{
    uint8_t nonce[NONCE];

    if (n < HEAD)
        return DORY_E_ARG;
    make_nonce(nonce, seq);
    crypt(ctx, nonce, pkt, n);
    authenticate(ctx, nonce, pkt, n, pkt + n);
    return DORY_OK;
}

static int open(void *ctx, uint32_t seq, uint8_t *pkt, size_t n)
{
    uint8_t nonce[NONCE], tag[TAG];
    bool good;

    if (n < HEAD)
        return DORY_E_ARG;
    make_nonce(nonce, seq);
    authenticate(ctx, nonce, pkt, n, tag);
    good = dory_equal(tag, pkt + n, TAG);
    dory_wipe(tag, sizeof tag);
    if (!good)
        return DORY_E_MAC;
    crypt(ctx, nonce, pkt, n);
    return DORY_OK;
}

const struct dory_cipher dory_cipher_chacha20_poly1305 = {
    .name = "chacha20-poly1305@openssh.com",
    .key_size = 64,
    .iv_size = 0,
    .block_size = 8,
    .tag_size = TAG,
    .ctx_size = sizeof(struct context),
    .init = init,
    .length = length,
    .seal = seal,
    .open = open,
};
