/* P-256 on p256-m: 3 KiB of code, no heap, no table, no branch or index that depends on a secret. Its file is included here, not linked,
   because its own entry points take their random numbers, the nonce of a signature too, from a global function; ours are handed in. */
#include "p256.h"

#include <psa/crypto.h>

#define MBEDTLS_PSA_P256M_DRIVER_ENABLED
#define psa_generate_random(out, n) ((void)(out), (void)(n), -1) /* of the entry points that are not used */
/* Where a product of 64 bits takes the same time whatever the factors are. Elsewhere p256-m puts it together from 16-bit factors. */
#if defined(__x86_64__) || defined(__aarch64__)
#define MUL64_IS_CONSTANT_TIME
#endif
#include <p256-m/p256-m.c>

enum { TRIES = 8 };

/* Whether a secret is in range is no secret. CT_UNPOISON is p256-m's word for that, and empty but for `make ct`. */
static bool load_scalar(uint32_t s[8], const uint8_t bytes[P256_SIZE])
{
    int r = scalar_from_bytes(s, bytes);

    CT_UNPOISON(&r, sizeof r);
    return r == 0;
}

bool dory_p256_is_scalar(const uint8_t scalar[P256_SIZE])
{
    uint32_t s[8];
    bool good = load_scalar(s, scalar);

    dory_wipe(s, sizeof s);
    return good;
}

/* One draw in 2^32 is out of range. */
int dory_p256_draw(uint8_t out[P256_SIZE], const struct dory_rng *rng)
{
    for (int i = 0; i < TRIES && rng->fill(rng->ctx, out, P256_SIZE) == DORY_OK; i++)
        if (dory_p256_is_scalar(out))
            return DORY_OK;
    dory_wipe(out, P256_SIZE);
    return DORY_E_RNG;
}

int dory_p256_public(uint8_t point[P256_POINT], const uint8_t scalar[P256_SIZE])
{
    uint32_t s[8], x[8], y[8];
    bool good = load_scalar(s, scalar);

    if (good) {
        scalar_mult(x, y, p256_gx, p256_gy, s);
        point_to_bytes(point, x, y);
    }
    dory_wipe(s, sizeof s);
    return good ? DORY_OK : DORY_E_CRYPTO;
}

int dory_p256_agree(uint8_t x[P256_SIZE], const uint8_t scalar[P256_SIZE], const uint8_t point[P256_POINT])
{
    return p256_ecdh_shared_secret(x, scalar, point) == P256_SUCCESS ? DORY_OK : DORY_E_CRYPTO;
}

/* SEC 1 4.1.3, as p256_ecdsa_sign does it but for where k comes from: s = (e + r d) / k. */
static int sign_with(uint8_t sig[2 * P256_SIZE], uint32_t d[8], const uint8_t digest[32], uint32_t k[8])
{
    uint32_t r[8], e[8];

    scalar_mult(r, e, p256_gx, p256_gy, k);
    m256_done(r, &p256_p);
    ecdsa_m256_mod_n(r);
    CT_UNPOISON(r, sizeof r);
    u256_to_bytes(sig, r);
    if (u256_diff0(r) == 0)
        return DORY_E_CRYPTO;
    m256_prep(r, &p256_n);
    ecdsa_m256_from_hash(e, digest, 32);
    m256_prep(d, &p256_n);
    m256_prep(k, &p256_n);
    m256_inv(k, k, &p256_n);
    m256_mul(d, r, d, &p256_n);
    m256_add(d, e, d, &p256_n);
    m256_mul(d, k, d, &p256_n);
    CT_UNPOISON(d, 32);
    m256_to_bytes(sig + P256_SIZE, d, &p256_n);
    return dory_p256_is_scalar(sig + P256_SIZE) ? DORY_OK : DORY_E_CRYPTO;
}

int dory_p256_sign(uint8_t sig[2 * P256_SIZE], const uint8_t scalar[P256_SIZE], const uint8_t digest[32], const uint8_t k[P256_SIZE])
{
    uint32_t d[8], nonce[8];
    int r = DORY_E_CRYPTO;

    if (load_scalar(d, scalar) && load_scalar(nonce, k))
        r = sign_with(sig, d, digest, nonce);
    dory_wipe(d, sizeof d);
    dory_wipe(nonce, sizeof nonce);
    return r;
}

int dory_p256_verify(const uint8_t sig[2 * P256_SIZE], const uint8_t point[P256_POINT], const uint8_t digest[32])
{
    return p256_ecdsa_verify(sig, point, digest, 32) == P256_SUCCESS ? DORY_OK : DORY_E_CRYPTO;
}
