/* curve25519 and ed25519 in little flash. libsodium's portable files are included here, not linked: one copy of the field arithmetic
   serves both, and the linker leaves out what only their own entry points use, 30 KiB of tables and unrolled loops. In their place stand
   the ladder and a multiplication of the base point that makes its table as it runs. */
#include "../curve.h"

#include <mbedtls/sha512.h>

#include "../dory_crypto.h"
#include "scalar.h"

#define sodium_memzero dory_wipe
#include <crypto_core/ed25519/ref10/ed25519_ref10.c>
#include <crypto_scalarmult/curve25519/ref10/x25519_ref10.c>

int dory_x25519(uint8_t shared[32], const uint8_t scalar[32], const uint8_t point[32])
{
    static const uint8_t zero[32];

    if (crypto_scalarmult_curve25519_ref10(shared, scalar, point) != 0 || dory_equal(shared, zero, 32))
        return DORY_E_CRYPTO;
    return DORY_OK;
}

void dory_x25519_public(uint8_t point[32], const uint8_t scalar[32])
{
    static const uint8_t base[32] = {9};

    crypto_scalarmult_curve25519_ref10(point, scalar, base);
}

/* SHA-512 over up to three pieces */
static void hash(uint8_t digest[64], const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n, const uint8_t *c, size_t c_n)
{
    mbedtls_sha512_context h;

    mbedtls_sha512_init(&h);
    mbedtls_sha512_starts(&h, 0);
    mbedtls_sha512_update(&h, a, a_n);
    mbedtls_sha512_update(&h, b, b_n);
    mbedtls_sha512_update(&h, c, c_n);
    mbedtls_sha512_finish(&h, digest);
    mbedtls_sha512_free(&h);
}

/* The private scalar and, behind it, the prefix of the nonce (RFC 8032 5.1.5). */
static void private_half(uint8_t az[64], const uint8_t seed[32])
{
    hash(az, seed, 32, NULL, 0, NULL, 0);
    az[0] &= 248;
    az[31] &= 127;
    az[31] |= 64;
}

/* Digits from -8 to 8, so that a = sum of e[i] 16^i; a[31] <= 127. */
static void digits(signed char e[64], const uint8_t a[32])
{
    int carry = 0;

    for (int i = 0; i < 64; i++) {
        int digit = (a[i / 2] >> i % 2 * 4 & 15) + carry;
        carry = i < 63 ? (digit + 8) >> 4 : 0;
        e[i] = (signed char)(digit - carry * 16);
    }
}

/* h = p times a, in constant time: ge25519_scalarmult without its table's intermediate values, which take 2 KiB of stack. a is below 2^255. */
static void times(ge25519_p3 *h, const ge25519_p3 *p, const uint8_t a[32])
{
    ge25519_cached multiples[8], t;
    ge25519_p2 s;
    ge25519_p1p1 r;
    signed char e[64];

    *h = *p;
    ge25519_p3_to_cached(&multiples[0], h);
    for (int i = 1; i < 8; i++) {
        ge25519_add(&r, h, &multiples[0]);
        ge25519_p1p1_to_p3(h, &r);
        ge25519_p3_to_cached(&multiples[i], h);
    }

    digits(e, a);
    ge25519_p3_0(h);
    for (int i = 63;; i--) {
        ge25519_cmov8_cached(&t, multiples, e[i]);
        ge25519_add(&r, h, &t);
        if (i == 0)
            break;
        for (int doublings = 0; doublings < 4; doublings++) {
            ge25519_p1p1_to_p2(&s, &r);
            ge25519_p2_dbl(&r, &s);
        }
        ge25519_p1p1_to_p3(h, &r);
    }
    ge25519_p1p1_to_p3(h, &r);
    dory_wipe(e, sizeof e);
    dory_wipe(&t, sizeof t);
    dory_wipe(&s, sizeof s);
    dory_wipe(&r, sizeof r);
}

/* The base point times a. The one decoder that is here negates, so it is given the negative. */
static void base_point_times(ge25519_p3 *h, const uint8_t a[32])
{
    static const uint8_t minus_base[32] = {0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                           0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0xE6};
    ge25519_p3 base;

    ge25519_frombytes_negate_vartime(&base, minus_base);
    times(h, &base, a);
}

static void base_times(uint8_t out[32], const uint8_t a[32])
{
    ge25519_p3 h;

    base_point_times(&h, a);
    ge25519_p3_tobytes(out, &h);
    dory_wipe(&h, sizeof h);
}

void dory_ed25519_expand(uint8_t secret[64], const uint8_t seed[32])
{
    uint8_t az[64];

    private_half(az, seed);
    memmove(secret, seed, 32);
    base_times(secret + 32, az);
    dory_wipe(az, sizeof az);
}

/* sig = R || S (RFC 8032 5.1.6) */
void dory_ed25519_sign(uint8_t sig[64], const uint8_t *msg, size_t n, const uint8_t secret[64])
{
    uint8_t az[64], nonce[64], challenge[64];

    private_half(az, secret);
    hash(nonce, az + 32, 32, msg, n, NULL, 0);
    dory_scalar_reduce(nonce, nonce);
    base_times(sig, nonce);
    hash(challenge, sig, 32, secret + 32, 32, msg, n);
    dory_scalar_reduce(challenge, challenge);
    dory_scalar_muladd(sig + 32, az, challenge, nonce);
    dory_wipe(az, sizeof az);
    dory_wipe(nonce, sizeof nonce);
}

/* The checks of libsodium's crypto_sign_ed25519_verify_detached, in its order. All of it is public; two multiplications one after the other take
   twice the time of libsodium's joint one, and 2 KiB less of flash. */
int dory_ed25519_verify(const uint8_t sig[64], const uint8_t *msg, size_t n, const uint8_t pub[32])
{
    uint8_t challenge[64], expected[32];
    ge25519_p3 minus_a, sum;
    ge25519_cached t;
    ge25519_p1p1 r;

    if (!sc25519_is_canonical(sig + 32) || ge25519_has_small_order(sig))
        return DORY_E_CRYPTO;
    if (!ge25519_is_canonical(pub) || ge25519_has_small_order(pub))
        return DORY_E_CRYPTO;
    if (ge25519_frombytes_negate_vartime(&minus_a, pub) != 0)
        return DORY_E_CRYPTO;
    hash(challenge, sig, 32, pub, 32, msg, n);
    dory_scalar_reduce(challenge, challenge);
    times(&sum, &minus_a, challenge);
    ge25519_p3_to_cached(&t, &sum);
    base_point_times(&sum, sig + 32);
    ge25519_add(&r, &sum, &t);
    ge25519_p1p1_to_p3(&sum, &r);
    ge25519_p3_tobytes(expected, &sum);
    return dory_equal(expected, sig, 32) ? DORY_OK : DORY_E_CRYPTO;
}
