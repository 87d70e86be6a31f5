#include <mbedtls/sha256.h>

#include "dory_crypto.h"

_Static_assert(sizeof(mbedtls_sha256_context) <= sizeof(struct dory_sha256), "struct dory_sha256 is too small for the library's context");

/* The library's functions can fail only in hardware back ends, which this port does not use. */
static mbedtls_sha256_context *inside(struct dory_sha256 *ctx)
{
    return (mbedtls_sha256_context *)(void *)ctx->opaque;
}

void dory_sha256_init(struct dory_sha256 *ctx)
{
    mbedtls_sha256_init(inside(ctx));
    mbedtls_sha256_starts(inside(ctx), 0);
}

void dory_sha256_update(struct dory_sha256 *ctx, const void *bytes, size_t n)
{
    mbedtls_sha256_update(inside(ctx), bytes, n);
}

void dory_sha256_final(struct dory_sha256 *ctx, uint8_t digest[32])
{
    mbedtls_sha256_finish(inside(ctx), digest);
    mbedtls_sha256_free(inside(ctx));
}
