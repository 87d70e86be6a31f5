#include <string.h>

#include <mbedtls/sha1.h>

#include "../dory_crypto.h"

enum { BLOCK = 64, DIGEST = 20 };

static void hash_pair(const uint8_t a[BLOCK], const uint8_t *b, size_t n, uint8_t digest[DIGEST])
{
    mbedtls_sha1_context ctx;

    mbedtls_sha1_init(&ctx);
    mbedtls_sha1_starts(&ctx);
    mbedtls_sha1_update(&ctx, a, BLOCK);
    mbedtls_sha1_update(&ctx, b, n);
    mbedtls_sha1_finish(&ctx, digest);
    mbedtls_sha1_free(&ctx);
}

void dory_hmac_sha1(const uint8_t *key, size_t key_n, const uint8_t *bytes, size_t n, uint8_t mac[20])
{
    uint8_t block[BLOCK] = {0}, inner[DIGEST];

    if (key_n > BLOCK)
        mbedtls_sha1(key, key_n, block);
    else if (key_n > 0)
        memcpy(block, key, key_n);
    for (size_t i = 0; i < BLOCK; i++)
        block[i] ^= 0x36;
    hash_pair(block, bytes, n, inner);
    for (size_t i = 0; i < BLOCK; i++)
        block[i] ^= 0x36 ^ 0x5c;
    hash_pair(block, inner, sizeof inner, mac);
    dory_wipe(block, sizeof block);
}
