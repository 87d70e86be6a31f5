#include "hmac_sha256.h"

#include <string.h>

enum { BLOCK = 64 };

static void start(struct dory_sha256 *ctx, uint8_t block[BLOCK], uint8_t flip)
{
    for (size_t i = 0; i < BLOCK; i++)
        block[i] ^= flip;
    dory_sha256_init(ctx);
    dory_sha256_update(ctx, block, BLOCK);
}

void dory_hmac_sha256_init(struct dory_hmac_sha256 *h, const uint8_t *key, size_t n)
{
    uint8_t block[BLOCK] = {0};

    if (n > BLOCK) {
        dory_sha256_init(&h->inner);
        dory_sha256_update(&h->inner, key, n);
        dory_sha256_final(&h->inner, block);
    } else if (n > 0) {
        memcpy(block, key, n);
    }
    start(&h->inner, block, 0x36);
    start(&h->outer, block, 0x36 ^ 0x5c);
    dory_wipe(block, sizeof block);
}

void dory_hmac_sha256_update(struct dory_hmac_sha256 *h, const void *bytes, size_t n)
{
    dory_sha256_update(&h->inner, bytes, n);
}

void dory_hmac_sha256_final(struct dory_hmac_sha256 *h, uint8_t mac[32])
{
    dory_sha256_final(&h->inner, mac);
    dory_sha256_update(&h->outer, mac, 32);
    dory_sha256_final(&h->outer, mac);
}
