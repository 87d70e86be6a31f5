/* curve25519 and ed25519 in little flash. libsodium's portable files are included here, not linked: one copy of the field arithmetic
   serves both, and the linker leaves out what only their own entry points use, 30 KiB of tables and unrolled loops. In their place stand
   the ladder and a multiplication of the base point that makes its table as it runs. */
#include "../curve.h"

#include <mbedtls/sha512.h>

#include "../dory_crypto.h"
#include "scalar.h"

/* Unrolled functions of libsodium's header, 1.3 KiB together, for which shorter ones stand in. */
#define fe25519_sq2 unused_fe25519_sq2
#define fe25519_cswap unused_fe25519_cswap
#include <private/ed25519_ref10.h>
#undef fe25519_sq2
#undef fe25519_cswap

/* Twice a square. */
static void fe25519_sq2(fe25519 h, const fe25519 f)
{
    (void)unused_fe25519_sq2;
    fe25519_sq(h, f);
    fe25519_mul32(h, h, 2);
}

/* Swaps where b is 1, not where it is 0, in constant time. */
static void fe25519_cswap(fe25519 f, fe25519 g, unsigned b)
{
    const uint32_t mask = 0u - b;

    (void)unused_fe25519_cswap;
    for (int i = 0; i < 10; i++) {
        uint32_t x = ((uint32_t)f[i] ^ (uint32_t)g[i]) & mask;

        f[i] = (int32_t)((uint32_t)f[i] ^ x);
        g[i] = (int32_t)((uint32_t)g[i] ^ x);
    }
}

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

/* RFC 8032 5.1: y = 4/5, x even; T = xy */
static const ge25519_p3 base_point = {
    .X = {52811034, 25909283, 16144682, 17082669, 27570973, 30858332, 40966398, 8378388, 20764389, 8758491},
    .Y = {40265304, 26843545, 13421772, 20132659, 26843545, 6710886, 53687091, 13421772, 40265318, 26843545},
    .Z = {1},
    .T = {28827043, 27438313, 39759291, 244362, 8635006, 11264893, 19351346, 13413597, 16611511, 27139452},
};

/* m[i] = p + 2ip, or p + ip. */
static void multiply(ge25519_cached m[8], const ge25519_p3 *p, bool odd)
{
    ge25519_cached step;
    ge25519_p3 h = *p;
    ge25519_p1p1 r;

    if (odd) {
        ge25519_p3_dbl(&r, p);
        ge25519_p1p1_to_p3(&h, &r);
    }
    ge25519_p3_to_cached(&step, &h);
    h = *p;
    for (int i = 0;; i++) {
        ge25519_p3_to_cached(&m[i], &h);
        if (i == 7)
            break;
        ge25519_add(&r, &h, &step);
        ge25519_p1p1_to_p3(&h, &r);
    }
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

/* The base point times a, encoded: ge25519_scalarmult without its table's intermediate values, which take 2 KiB of stack. */
static void base_times(uint8_t out[32], const uint8_t a[32])
{
    ge25519_cached multiples[8], t;
    ge25519_p3 h;
    ge25519_p2 s;
    ge25519_p1p1 r;
    signed char e[64];

    multiply(multiples, &base_point, false);
    digits(e, a);
    ge25519_p3_0(&h);
    for (int i = 63;; i--) {
        ge25519_cmov8_cached(&t, multiples, e[i]);
        ge25519_add(&r, &h, &t);
        if (i == 0)
            break;
        for (int doublings = 0; doublings < 4; doublings++) {
            ge25519_p1p1_to_p2(&s, &r);
            ge25519_p2_dbl(&r, &s);
        }
        ge25519_p1p1_to_p3(&h, &r);
    }
    ge25519_p1p1_to_p3(&h, &r);
    ge25519_p3_tobytes(out, &h);
    dory_wipe(e, sizeof e);
    dory_wipe(&t, sizeof t);
    dory_wipe(&h, sizeof h);
    dory_wipe(&s, sizeof s);
    dory_wipe(&r, sizeof r);
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

/* Eight times p is the neutral point, the only one with x = 0 that is eight times another. */
static bool is_of_small_order(const fe25519 x, const fe25519 y, const fe25519 z)
{
    ge25519_p2 s;
    ge25519_p1p1 r;

    fe25519_copy(s.X, x);
    fe25519_copy(s.Y, y);
    fe25519_copy(s.Z, z);
    for (int i = 0; i < 3; i++) {
        ge25519_p2_dbl(&r, &s);
        ge25519_p1p1_to_p2(&s, &r);
    }
    return fe25519_iszero(s.X);
}

static void add_digit(ge25519_p1p1 *r, const ge25519_cached odd[8], int digit)
{
    ge25519_p3 h;

    if (digit == 0)
        return;
    ge25519_p1p1_to_p3(&h, r);
    if (digit > 0)
        ge25519_add(r, &h, &odd[digit / 2]);
    else
        ge25519_sub(r, &h, &odd[-digit / 2]);
}

/* aA + bB: libsodium's joint multiplication without its table of multiples of B. */
static void both_times(ge25519_p2 *s, const uint8_t a[32], const ge25519_p3 *A, const uint8_t b[32])
{
    ge25519_cached a_odd[8], b_odd[8];
    signed char a_digits[256], b_digits[256];
    ge25519_p1p1 r;

    multiply(a_odd, A, true);
    multiply(b_odd, &base_point, true);
    slide_vartime(a_digits, a);
    slide_vartime(b_digits, b);
    ge25519_p2_0(s);
    for (int i = 255; i >= 0; i--) {
        ge25519_p2_dbl(&r, s);
        add_digit(&r, a_odd, a_digits[i]);
        add_digit(&r, b_odd, b_digits[i]);
        ge25519_p1p1_to_p2(s, &r);
    }
}

/* The checks of libsodium's crypto_sign_ed25519_verify_detached. All of it is public. */
int dory_ed25519_verify(const uint8_t sig[64], const uint8_t *msg, size_t n, const uint8_t pub[32])
{
    uint8_t challenge[64], expected[32];
    ge25519_p3 minus_a;
    ge25519_p2 r;

    if (!sc25519_is_canonical(sig + 32) || !ge25519_is_canonical(pub) || ge25519_frombytes_negate_vartime(&minus_a, pub) != 0 ||
        is_of_small_order(minus_a.X, minus_a.Y, minus_a.Z))
        return DORY_E_CRYPTO;
    hash(challenge, sig, 32, pub, 32, msg, n);
    dory_scalar_reduce(challenge, challenge);
    both_times(&r, challenge, &minus_a, sig + 32);
    ge25519_tobytes(expected, &r);
    return dory_equal(expected, sig, 32) && !is_of_small_order(r.X, r.Y, r.Z) ? DORY_OK : DORY_E_CRYPTO;
}
