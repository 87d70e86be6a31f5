/* ecdsa-sha2-nistp256 against RFC 6979 and NIST's vectors, and what it refuses (A5). */
#include "tests/vectors/vectors.h"

#include "crypto-port/dory_crypto.h"
#include "crypto-port/p256.h"

enum { TYPE = 23, HEAD = 40, KEY = HEAD + 64, NUMBER = 37, SIG = TYPE + 4 + 2 * NUMBER };

static const struct dory_sigalg *const alg = &dory_sig_ecdsa_sha2_nistp256;
static const struct dory_keytype *const type = &dory_key_ecdsa_nistp256;
static const char name[] = "ecdsa-sha2-nistp256";
static const char order[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

static size_t put_string(uint8_t *out, const void *bytes, size_t n)
{
    out[0] = out[1] = 0;
    out[2] = (uint8_t)(n >> 8);
    out[3] = (uint8_t)n;
    memcpy(out + 4, bytes, n);
    return 4 + n;
}

/* As RFC 4251 5 writes a number. */
static size_t put_mpint(uint8_t *out, const uint8_t *bytes, size_t n)
{
    uint8_t number[64] = {0};

    while (n > 0 && *bytes == 0) bytes++, n--;
    memcpy(number + 1, bytes, n);
    return n > 0 && *bytes & 0x80 ? put_string(out, number, n + 1) : put_string(out, number + 1, n);
}

static void key_blob(uint8_t out[KEY], const uint8_t *x, const uint8_t *y)
{
    uint8_t point[65] = {4};
    size_t n = put_string(out, name, 19);

    memcpy(point + 1, x, 32);
    memcpy(point + 33, y, 32);
    n += put_string(out + n, "nistp256", 8);
    assert_int_equal(n + put_string(out + n, point, 65), KEY);
}

static size_t sig_blob(uint8_t *out, const uint8_t *r, size_t r_n, const uint8_t *s, size_t s_n)
{
    uint8_t inner[256];
    size_t n = put_mpint(inner, r, r_n), at = put_string(out, name, 19);

    n += put_mpint(inner + n, s, s_n);
    return at + put_string(out + at, inner, n);
}

static int verify(const uint8_t *key, const uint8_t *msg, size_t n, const uint8_t *r, size_t r_n, const uint8_t *s, size_t s_n)
{
    uint8_t sig[512];

    return alg->verify(key, KEY, msg, n, sig, sig_blob(sig, r, r_n, s, s_n));
}

/* K1: the nonce is the RFC's, so the signature is too, each time. */
static void test_rfc6979(void **state)
{
    struct vectors *v = vec_open("tests/vectors", "rfc6979-p256.txt");
    uint8_t expected[SIG], got[DORY_KEY_BLOB_MAX], blob[KEY];
    struct dory_key key;

    (void)state;
    while (vec_next(v)) {
        const struct vec_field *msg = vec(v, "Msg");
        size_t n = sig_blob(expected, vec(v, "R")->bytes, 32, vec(v, "S")->bytes, 32);
        assert_int_equal(dory_ecdsa_nistp256_from_scalar(&key, vec(v, "Private")->bytes), DORY_OK);
        key_blob(blob, vec(v, "Public")->bytes, vec(v, "Public")->bytes + 32);
        assert_int_equal(type->public_blob(&key, got, sizeof got), KEY);
        assert_memory_equal(got, blob, KEY);
        for (int twice = 0; twice < 2; twice++) {
            assert_int_equal(type->sign(&key, name, msg->bytes, msg->n, got, sizeof got, NULL), n);
            assert_memory_equal(got, expected, n);
        }
        assert_int_equal(alg->verify(blob, KEY, msg->bytes, msg->n, got, n), DORY_OK);
    }
    vec_close(v, 2);
}

/* FIPS 186-3 with the nonces that NIST gives. */
static void test_nist_signatures(void **state)
{
    struct vectors *v = vec_open(vec_debian(), "asymmetric/ECDSA/FIPS_186-3/SigGen.txt");
    unsigned tried = 0;

    (void)state;
    while (vec_next(v)) {
        uint8_t sig[64], digest[32], blob[KEY];
        struct dory_sha256 h;
        if (strcmp(v->section, "[P-256,SHA-256]") != 0 || !vec_find(v, "Msg"))
            continue;
        dory_sha256_init(&h);
        dory_sha256_update(&h, vec(v, "Msg")->bytes, vec(v, "Msg")->n);
        dory_sha256_final(&h, digest);
        assert_int_equal(dory_p256_sign(sig, vec(v, "d")->bytes, digest, vec(v, "k")->bytes), DORY_OK);
        assert_memory_equal(sig, vec(v, "R")->bytes, 32);
        assert_memory_equal(sig + 32, vec(v, "S")->bytes, 32);
        key_blob(blob, vec(v, "Qx")->bytes, vec(v, "Qy")->bytes);
        assert_int_equal(verify(blob, vec(v, "Msg")->bytes, vec(v, "Msg")->n, sig, 32, sig + 32, 32), DORY_OK);
        tried++;
    }
    assert_int_equal(tried, 15);
    vec_close(v, 15);
}

static void test_nist_verification(void **state)
{
    struct vectors *v = vec_open(vec_debian(), "asymmetric/ECDSA/FIPS_186-3/SigVer.rsp");
    unsigned good = 0, bad = 0;

    (void)state;
    while (vec_next(v)) {
        uint8_t blob[KEY];
        bool valid;
        if (strcmp(v->section, "[P-256,SHA-256]") != 0 || !vec_find(v, "Msg"))
            continue;
        valid = vec(v, "Result")->text[0] == 'P';
        key_blob(blob, vec(v, "Qx")->bytes, vec(v, "Qy")->bytes);
        assert_int_equal(verify(blob, vec(v, "Msg")->bytes, vec(v, "Msg")->n, vec(v, "R")->bytes, vec(v, "R")->n, vec(v, "S")->bytes,
                                vec(v, "S")->n),
                         valid ? DORY_OK : DORY_E_CRYPTO);
        good += valid;
        bad += !valid;
    }
    assert_int_equal(good, 3);
    assert_int_equal(bad, 12);
    vec_close(v, 15);
}

/* NIST's public keys that are out of range or not on the curve. (One number that is too large has 65 digits, of which the last is not read.) */
static void test_nist_public_keys(void **state)
{
    struct vectors *v = vec_open(vec_debian(), "asymmetric/ECDSA/FIPS_186-3/PKV.rsp");
    unsigned good = 0, bad = 0;
    uint8_t one[32] = {0}, shared[32];

    (void)state;
    one[31] = 1;
    while (vec_next(v)) {
        uint8_t point[64] = {0};
        bool valid;
        if (strcmp(v->section, "[P-256]") != 0 || !vec_find(v, "Qx"))
            continue;
        valid = vec(v, "Result")->text[0] == 'P';
        if (vec(v, "Qx")->n > 32 || vec(v, "Qy")->n > 32) {
            assert_false(valid);
            bad++;
            continue;
        }
        memcpy(point + 32 - vec(v, "Qx")->n, vec(v, "Qx")->bytes, vec(v, "Qx")->n);
        memcpy(point + 64 - vec(v, "Qy")->n, vec(v, "Qy")->bytes, vec(v, "Qy")->n);
        assert_int_equal(dory_p256_agree(shared, one, point), valid ? DORY_OK : DORY_E_CRYPTO);
        good += valid;
        bad += !valid;
    }
    assert_true(good >= 3 && bad >= 3);
    vec_close(v, 6);
}

static const uint8_t message[] = "a message";

static struct dory_key a_key(uint8_t blob[KEY])
{
    struct dory_key key;
    uint8_t scalar[32] = {42, 1, 2, 3};

    assert_int_equal(dory_ecdsa_nistp256_from_scalar(&key, scalar), DORY_OK);
    assert_int_equal(type->public_blob(&key, blob, KEY), KEY);
    return key;
}

/* A5: r and s of 0, n, above n, and the good ones plus n. */
static void test_numbers_out_of_range(void **state)
{
    uint8_t blob[KEY], sig[DORY_KEY_BLOB_MAX], scalar[32], digest[32], numbers[64], n[32], bad[33], zero[32] = {0};
    struct dory_key key = a_key(blob);
    struct dory_sha256 h;
    unsigned carry;

    (void)state;
    vec_hex(n, 32, order);
    memcpy(scalar, key.secret, 32);
    dory_sha256_init(&h);
    dory_sha256_update(&h, message, sizeof message);
    dory_sha256_final(&h, digest);
    assert_int_equal(dory_p256_sign(numbers, scalar, digest, digest), DORY_OK);
    assert_int_equal(verify(blob, message, sizeof message, numbers, 32, numbers + 32, 32), DORY_OK);
    for (int which = 0; which < 2; which++) {
        const uint8_t *good = numbers + 32 * which;
        for (int how = 0; how < 4; how++) {
            size_t size = 32;
            memset(bad, 0, sizeof bad);
            if (how == 1) memcpy(bad, n, 32);
            if (how == 2) memset(bad, 0xff, 32);
            if (how == 3) {
                size = 33;
                carry = 0;
                for (int i = 31; i >= 0; i--, carry >>= 8) bad[i + 1] = (uint8_t)(carry += (unsigned)good[i] + n[i]);
                bad[0] = (uint8_t)carry;
            }
            assert_int_equal(which ? verify(blob, message, sizeof message, numbers, 32, bad, size)
                                   : verify(blob, message, sizeof message, bad, size, numbers + 32, 32),
                             DORY_E_CRYPTO);
        }
    }
    assert_int_equal(verify(blob, message, sizeof message, zero, 32, zero, 32), DORY_E_CRYPTO);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dory_p256_sign(sig, scalar, digest, i ? n : zero), DORY_E_CRYPTO);
        assert_int_equal(dory_p256_sign(sig, i ? n : zero, digest, scalar), DORY_E_CRYPTO);
        assert_int_equal(dory_ecdsa_nistp256_from_scalar(&key, i ? n : zero), DORY_E_CRYPTO);
    }
}

/* Only the shortest positive form of an mpint; nothing behind the two; the lengths as they must be. */
static void test_numbers_are_written_in_one_way(void **state)
{
    uint8_t blob[KEY], sig[DORY_KEY_BLOB_MAX], numbers[64], inner[160], twisted[256], digest[32];
    struct dory_key key = a_key(blob);
    struct dory_sha256 h;

    (void)state;
    dory_sha256_init(&h);
    dory_sha256_update(&h, message, sizeof message);
    dory_sha256_final(&h, digest);
    assert_int_equal(dory_p256_sign(numbers, key.secret, digest, digest), DORY_OK);
    for (int how = 0; how < 6; how++) {
        uint8_t padded[40] = {0};
        size_t n = 0, at = put_string(twisted, name, 19);
        memcpy(padded + 8, numbers, 32);
        if (how == 0) n = put_mpint(inner, numbers, 32);
        if (how == 1) n = put_string(inner, padded + 6, 34);                          /* two zeros in front */
        if (how == 2) n = put_string(inner, numbers, 32);                             /* negative, or as it should be */
        if (how == 3) n = put_string(inner, padded, 40);
        if (how == 4) n = put_string(inner, padded + 7, 33);                          /* as it should be, or one zero too many */
        if (how == 5) n = put_mpint(inner, numbers, 32);
        n += put_mpint(inner + n, numbers + 32, 32);
        if (how == 5) inner[n++] = 0;
        n = at + put_string(twisted + at, inner, n);
        bool good = how == 0 || (how == 2 && !(numbers[0] & 0x80)) || (how == 4 && numbers[0] & 0x80);
        assert_int_equal(alg->verify(blob, KEY, message, sizeof message, twisted, n), good ? DORY_OK : DORY_E_CRYPTO);
    }
    int n = type->sign(&key, name, message, sizeof message, sig, sizeof sig, NULL);
    assert_true(n > 0);
    sig[n] = 0;
    for (int i = 0; i <= n + 1; i++)
        assert_int_equal(alg->verify(blob, KEY, message, sizeof message, sig, (size_t)i), i == n ? DORY_OK : DORY_E_CRYPTO);
}

static void test_every_bit_counts(void **state)
{
    uint8_t k[KEY + 1] = {0}, s[DORY_KEY_BLOB_MAX];
    struct dory_key key = a_key(k);
    int n = type->sign(&key, name, message, sizeof message, s, sizeof s, NULL);

    (void)state;
    for (size_t i = 0; i <= KEY + 1; i++)
        assert_int_equal(alg->verify(k, i, message, sizeof message, s, (size_t)n), i == KEY ? DORY_OK : DORY_E_CRYPTO);
    for (size_t bit = 0; bit < 8 * KEY; bit++) {
        k[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(alg->verify(k, KEY, message, sizeof message, s, (size_t)n), DORY_E_CRYPTO);
        k[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * (size_t)n; bit++) {
        s[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(alg->verify(k, KEY, message, sizeof message, s, (size_t)n), DORY_E_CRYPTO);
        s[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(alg->verify(k, KEY, message, sizeof message - 1, s, (size_t)n), DORY_E_CRYPTO);
    assert_int_equal(alg->verify(k, KEY, message, sizeof message, s, (size_t)n), DORY_OK);
}

/* 300 keys and messages: numbers with zeros in front and with the top bit set come up, and each signature verifies. */
static void test_all_lengths(void **state)
{
    uint8_t blob[KEY], sig[DORY_KEY_BLOB_MAX], scalar[32] = {0, 1};
    unsigned lengths[SIG + 1] = {0}, kinds = 0;
    struct dory_key key;

    (void)state;
    for (unsigned i = 1; i <= 300; i++) {
        scalar[31] = (uint8_t)i;
        scalar[0] = (uint8_t)(i * 7);
        assert_int_equal(dory_ecdsa_nistp256_from_scalar(&key, scalar), DORY_OK);
        type->public_blob(&key, blob, KEY);
        int n = type->sign(&key, name, scalar, 32, sig, sizeof sig, NULL);
        assert_true(n >= TYPE + 4 + 2 * 35 && n <= SIG);
        assert_int_equal(alg->verify(blob, KEY, scalar, 32, sig, (size_t)n), DORY_OK);
        lengths[n]++;
    }
    for (int i = 0; i <= SIG; i++) kinds += lengths[i] > 0;
    assert_true(kinds >= 3);
}

static int fill(void *ctx, uint8_t *out, size_t n)
{
    memset(out, 7, n);
    return *(int *)ctx;
}

static void test_generate(void **state)
{
    int answer = DORY_OK;
    const struct dory_rng rng = {fill, &answer};
    struct dory_key key, same;
    uint8_t scalar[32];

    (void)state;
    memset(scalar, 7, sizeof scalar);
    assert_int_equal(dory_ecdsa_nistp256_from_scalar(&same, scalar), DORY_OK);
    assert_int_equal(type->generate(&key, 256, &rng), DORY_OK);
    assert_memory_equal(key.secret, same.secret, 96);
    assert_int_equal(type->generate(&key, 384, &rng), DORY_E_ARG);
    answer = DORY_E_RNG;
    assert_int_equal(type->generate(&key, 0, &rng), DORY_E_RNG);
}

static void test_no_room_and_other_algorithms(void **state)
{
    uint8_t blob[KEY], out[SIG];
    struct dory_key key = a_key(blob);

    (void)state;
    assert_int_equal(type->public_blob(&key, out, KEY - 1), DORY_E_SPACE);
    assert_int_equal(type->sign(&key, name, message, 1, out, SIG - 1, NULL), DORY_E_SPACE);
    assert_int_equal(type->sign(&key, "ssh-ed25519", message, 1, out, SIG, NULL), DORY_E_ARG);
    assert_string_equal(alg->name, name);
    assert_string_equal(alg->key_type, name);
    assert_string_equal(type->name, name);
    assert_string_equal(type->algorithms[0], name);
    assert_null(type->algorithms[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc6979),
        cmocka_unit_test(test_nist_signatures),
        cmocka_unit_test(test_nist_verification),
        cmocka_unit_test(test_nist_public_keys),
        cmocka_unit_test(test_numbers_out_of_range),
        cmocka_unit_test(test_numbers_are_written_in_one_way),
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_all_lengths),
        cmocka_unit_test(test_generate),
        cmocka_unit_test(test_no_room_and_other_algorithms),
    };

    return dory_crypto_init() == DORY_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
