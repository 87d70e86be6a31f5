/* hmac-sha2-512-etm@openssh.com on libsodium, whose HMAC takes the 64 bytes of key as they are. */
#include <string.h>

#include <sodium.h>

#include "../bytes.h"
#include "../dory_crypto.h"

enum { KEY = 64, TAG = crypto_auth_hmacsha512_BYTES };

struct context {
    uint8_t key[KEY];
};
_Static_assert(sizeof(struct context) <= DORY_MAC_CTX_SIZE, "DORY_MAC_CTX_SIZE is too small for hmac-sha2-512-etm");

static void init(void *ctx, const uint8_t *key)
{
    struct context *c = ctx;

    memcpy(c->key, key, sizeof c->key);
}

static void compute(void *ctx, uint32_t seq, const uint8_t *pkt, size_t n, uint8_t *tag)
{
    const struct context *c = ctx;
    crypto_auth_hmacsha512_state h;
    uint8_t number[4];

    store_be32(number, seq);
    crypto_auth_hmacsha512_init(&h, c->key, sizeof c->key);
    crypto_auth_hmacsha512_update(&h, number, sizeof number);
    crypto_auth_hmacsha512_update(&h, pkt, n);
    crypto_auth_hmacsha512_final(&h, tag);
    dory_wipe(&h, sizeof h);
}

const struct dory_mac dory_mac_hmac_sha2_512_etm = {
    .name = "hmac-sha2-512-etm@openssh.com",
    .key_size = KEY,
    .tag_size = TAG,
    .ctx_size = sizeof(struct context),
    .init = init,
    .compute = compute,
};
