/* ecdh-sha2-nistp256 and ecdsa-sha2-nistp256 on a device: published vectors, forgeries, points that are none, and what each operation
   costs. An image of its own, so that its flash can be told from that of the curves that a board has in any case. */
#include "check.h"
#include "dory_crypto.h"
#include "p256.h"

enum { HEAD = 40, KEY = HEAD + 64, SIG = 105 };

static const struct dory_kex *const kex = &dory_kex_ecdh_sha2_nistp256;
static const struct dory_keytype *const type = &dory_key_ecdsa_nistp256;
static const struct dory_sigalg *const alg = &dory_sig_ecdsa_sha2_nistp256;
static const char name[] = "ecdsa-sha2-nistp256";
static const uint8_t message[] = "a message";
static const char order[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

static int fill_fixed(void *ctx, uint8_t *out, size_t n)
{
    memcpy(out, ctx, n);
    return DORY_OK;
}

static int fill_nothing(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    memset(out, 1, n);
    return DORY_E_RNG;
}

static int as_server(const uint8_t scalar[32], const uint8_t point[65], uint8_t own[65], uint8_t secret[32])
{
    uint8_t copy[32];
    const struct dory_rng rng = {fill_fixed, copy};

    memcpy(copy, scalar, 32);
    return kex->enc(point, own, secret, &rng);
}

/* 21 M instructions a multiplication: the first ten records, each in both roles. */
static void test_ecdh(void)
{
    uint8_t own[65], secret[32], state[32], scalar[32];
    const struct dory_rng rng = {fill_fixed, scalar};

    open_vectors("tests/vectors/openssl-p256.txt");
    while (records < 10 && next_record()) {
        expect(as_server(bytes("Private", NULL), bytes("Public", NULL), own, secret) == DORY_OK);
        expect(memcmp(secret, bytes("Shared", NULL), 32) == 0 && memcmp(own, bytes("Own", NULL), 65) == 0);
        memcpy(scalar, bytes("Private", NULL), 32);
        expect(kex->keypair(state, own, &rng) == DORY_OK && memcmp(own, bytes("Own", NULL), 65) == 0);
        expect(kex->dec(state, bytes("Public", NULL), secret) == DORY_OK && memcmp(secret, bytes("Shared", NULL), 32) == 0);
    }
    expect(records == 10);
}

/* T6: a bit flipped in every byte, another format, zeros. The scalar is 1, so a good point would show as its own x. */
static void test_bad_points(void)
{
    uint8_t point[64], one[32] = {0}, secret[32], encoded[65], own[65];

    one[31] = 1;
    open_vectors("tests/vectors/openssl-p256.txt");
    expect(next_record());
    memcpy(point, bytes("Public", NULL) + 1, 64);
    expect(dory_p256_agree(secret, one, point) == DORY_OK && memcmp(secret, point, 32) == 0);
    for (unsigned i = 0; i < 64; i++) {
        point[i] ^= (uint8_t)(1u << i % 8);
        expect(dory_p256_agree(secret, one, point) == DORY_E_CRYPTO);
        point[i] ^= (uint8_t)(1u << i % 8);
    }
    memcpy(encoded + 1, point, 64);
    for (encoded[0] = 0; encoded[0] < 8; encoded[0]++)
        expect((as_server(one, encoded, own, secret) == DORY_OK) == (encoded[0] == 4));
    memset(point, 0, sizeof point);
    expect(dory_p256_agree(secret, one, point) == DORY_E_CRYPTO);
    hex(point, order);
    expect(dory_p256_agree(secret, point, encoded + 1) == DORY_E_CRYPTO); /* as a scalar */
}

/* K1 */
static void test_rfc6979(void)
{
    uint8_t blob[DORY_KEY_BLOB_MAX], sig[DORY_KEY_BLOB_MAX];
    struct dory_key key;

    open_vectors("tests/vectors/rfc6979-p256.txt");
    while (next_record()) {
        size_t n;
        const uint8_t *msg = bytes("Msg", &n), *r = bytes("R", NULL), *s = bytes("S", NULL);
        int size;
        expect(dory_ecdsa_nistp256_from_scalar(&key, bytes("Private", NULL)) == DORY_OK);
        expect(type->public_blob(&key, blob, sizeof blob) == KEY && memcmp(blob + HEAD, bytes("Public", NULL), 64) == 0);
        size = type->sign(&key, name, msg, n, sig, sizeof sig, NULL);
        expect(size > 96 && memcmp(sig + 23 + 4 + 4 + (r[0] >> 7), r, 32) == 0 && memcmp(sig + size - 32, s, 32) == 0);
        expect(alg->verify(blob, KEY, msg, n, sig, (size_t)size) == DORY_OK);
        expect(alg->verify(blob, KEY, msg, n - 1, sig, (size_t)size) == DORY_E_CRYPTO);
        sig[60] ^= 1;
        expect(alg->verify(blob, KEY, msg, n, sig, (size_t)size) == DORY_E_CRYPTO);
    }
    expect(records == 2);
}

/* A5 */
static void test_numbers_out_of_range(void)
{
    uint8_t sig[64], digest[32] = {1}, bad[64], point[64], scalar[32] = {5}, n[32];

    hex(n, order);
    expect(dory_p256_public(point, scalar) == DORY_OK && dory_p256_sign(sig, scalar, digest, scalar) == DORY_OK);
    expect(dory_p256_verify(sig, point, digest) == DORY_OK);
    for (unsigned half = 0; half < 64; half += 32)
        for (unsigned how = 0; how < 3; how++) {
            memcpy(bad, sig, 64);
            memset(bad + half, how == 0 ? 0 : 0xff, 32);
            if (how == 1) memcpy(bad + half, n, 32);
            expect(dory_p256_verify(bad, point, digest) == DORY_E_CRYPTO);
        }
    expect(!dory_p256_is_scalar(n));
    n[31]--;
    expect(dory_p256_is_scalar(n));
}

static void test_no_entropy(void)
{
    const struct dory_rng none = {fill_nothing, NULL};
    uint8_t init[65] = {4}, reply[65], secret[32], state[32];
    struct dory_key key;

    expect(kex->keypair(state, init, &none) == DORY_E_RNG && kex->enc(init, reply, secret, &none) == DORY_E_RNG);
    expect(type->generate(&key, 256, &none) == DORY_E_RNG);
}

/* ---- what each operation costs */

static struct dory_key a_key;
static uint8_t signature[DORY_KEY_BLOB_MAX], key_blob[DORY_KEY_BLOB_MAX], seed[32] = {3}, point[65];
static int signature_n;

static void do_key(void)
{
    dory_ecdsa_nistp256_from_scalar(&a_key, seed);
}

static void do_sign(void)
{
    signature_n = type->sign(&a_key, name, message, sizeof message, signature, sizeof signature, NULL);
}

static void do_verify(void)
{
    expect(alg->verify(key_blob, KEY, message, sizeof message, signature, (size_t)signature_n) == DORY_OK);
}

static void do_exchange(void)
{
    uint8_t reply[65], secret[32];

    expect(as_server(seed, point, reply, secret) == DORY_OK);
}

static void test_costs(void)
{
    measure("nistp256 key", do_key);
    type->public_blob(&a_key, key_blob, sizeof key_blob);
    point[0] = 4;
    memcpy(point + 1, key_blob + HEAD, 64);
    measure("ecdsa-sha2-nistp256 sign", do_sign);
    measure("ecdsa-sha2-nistp256 verify", do_verify);
    measure("ecdh-sha2-nistp256 exchange, server", do_exchange);
}

int main(void)
{
    run("ECDH on P-256: OpenSSL's values in both roles", test_ecdh);
    run("ECDH on P-256: points that are not on the curve are refused", test_bad_points);
    run("ECDSA on P-256: RFC 6979", test_rfc6979);
    run("ECDSA on P-256: r and s out of range are refused", test_numbers_out_of_range);
    run("no entropy, no key", test_no_entropy);
    run("costs", test_costs);
    return failures ? 1 : 0;
}
