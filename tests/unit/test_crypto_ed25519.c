/* ssh-ed25519 keys and signatures against RFC 8032 and the 1,024 vectors of Ed25519's authors, in SSH's blobs. */
#include "tests/vectors/vectors.h"

#include "crypto-port/dory_crypto.h"

enum { HEAD = 19, KEY = HEAD + 32, SIG = HEAD + 64 };

static const struct dory_sigalg *const alg = &dory_sig_ssh_ed25519;
static const struct dory_keytype *const type = &dory_key_ed25519;

static void blob(uint8_t *out, const uint8_t *bytes, uint8_t n)
{
    memcpy(out, "\0\0\0\013ssh-ed25519\0\0\0", HEAD - 1);
    out[HEAD - 1] = n;
    memcpy(out + HEAD, bytes, n);
}

static int verify(const uint8_t pub[32], const uint8_t *msg, size_t n, const uint8_t sig[64])
{
    uint8_t key_blob[KEY], sig_blob[SIG];

    blob(key_blob, pub, 32);
    blob(sig_blob, sig, 64);
    return alg->verify(key_blob, KEY, msg, n, sig_blob, SIG);
}

static void check_pair(const uint8_t seed[32], const uint8_t pub[32], const uint8_t *msg, size_t n, const uint8_t sig[64])
{
    uint8_t expected[SIG], got[SIG];
    struct dory_key key;

    assert_int_equal(dory_ed25519_from_seed(&key, seed), DORY_OK);
    assert_ptr_equal(key.type, type);
    blob(expected, pub, 32);
    assert_int_equal(type->public_blob(&key, got, KEY), KEY);
    assert_memory_equal(got, expected, KEY);
    blob(expected, sig, 64);
    assert_int_equal(type->sign(&key, "ssh-ed25519", msg, n, got, SIG, NULL), SIG);
    assert_memory_equal(got, expected, SIG);
    assert_int_equal(verify(pub, msg, n, sig), DORY_OK);
}

static void test_rfc8032(void **state)
{
    struct vectors *v = vec_open("tests/vectors", "rfc8032.txt");

    (void)state;
    while (vec_next(v))
        check_pair(vec(v, "Seed")->bytes, vec(v, "Public")->bytes, vec(v, "Msg")->bytes, vec(v, "Msg")->n, vec(v, "Sig")->bytes);
    vec_close(v, 4);
}

/* Lines of seed+public:public:message:signature+message. The last one is RFC 8032's TEST 1024. */
static void test_authors_vectors(void **state)
{
    static char line[8192];
    static uint8_t secret[64], pub[32], msg[1100], sig[1200];
    char path[512];
    size_t n = 0;
    unsigned lines = 0;
    FILE *f;

    (void)state;
    snprintf(path, sizeof path, "%s/asymmetric/Ed25519/sign.input", vec_debian());
    f = fopen(path, "r");
    assert_non_null(f);
    for (; fgets(line, sizeof line, f); lines++) {
        char *second = strchr(line, ':') + 1, *third = strchr(second, ':') + 1, *fourth = strchr(third, ':') + 1;
        assert_int_equal(vec_hex(secret, sizeof secret, line), 64);
        assert_int_equal(vec_hex(pub, sizeof pub, second), 32);
        n = vec_hex(msg, sizeof msg, third);
        assert_int_equal(vec_hex(sig, sizeof sig, fourth), 64 + n);
        check_pair(secret, pub, msg, n, sig);
        sig[lines % 64] ^= (uint8_t)(1u << lines / 64 % 8);
        assert_int_equal(verify(pub, msg, n, sig), DORY_E_CRYPTO);
    }
    fclose(f);
    assert_int_equal(lines, 1024);
    assert_int_equal(n, 1023);
}

static struct dory_key a_key(void)
{
    struct dory_key key;
    uint8_t seed[32] = {42};

    dory_ed25519_from_seed(&key, seed);
    return key;
}

static const uint8_t message[] = "a message";

/* A5: S + L satisfies the same equation; only the range check tells it apart. */
static void test_s_not_below_the_group_order(void **state)
{
    static const char order[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    struct dory_key key = a_key();
    uint8_t key_blob[KEY], sig[SIG], l[32];
    unsigned carry = 0;

    (void)state;
    vec_hex(l, 32, order);
    type->public_blob(&key, key_blob, KEY);
    type->sign(&key, "ssh-ed25519", message, sizeof message, sig, SIG, NULL);
    assert_int_equal(alg->verify(key_blob, KEY, message, sizeof message, sig, SIG), DORY_OK);
    for (int i = 0; i < 32; i++, carry >>= 8) {
        carry += (unsigned)sig[HEAD + 32 + i] + l[i];
        sig[HEAD + 32 + i] = (uint8_t)carry;
    }
    assert_int_equal(alg->verify(key_blob, KEY, message, sizeof message, sig, SIG), DORY_E_CRYPTO);
}

/* A5: S = 1 and R = the base point satisfy S B = R + h A whenever h A vanishes: for one message in eight at least, when A has small order.
   OpenSSL accepts such signatures. All encodings of the eight points, those that are not canonical included. */
static void test_keys_of_small_order(void **state)
{
    static const char *const points[] = {"0100000000000000000000000000000000000000000000000000000000000000",
                                         "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                         "0000000000000000000000000000000000000000000000000000000000000000",
                                         "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                                         "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                                         "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                         "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
    uint8_t pub[32], sig[64] = {0};

    (void)state;
    vec_hex(sig, 32, "5866666666666666666666666666666666666666666666666666666666666666");
    sig[32] = 1;
    for (size_t i = 0; i < 2 * sizeof points / sizeof points[0]; i++) {
        vec_hex(pub, 32, points[i / 2]);
        pub[31] |= (uint8_t)(i % 2 << 7);
        for (uint8_t m = 0; m < 64; m++) assert_int_equal(verify(pub, &m, 1, sig), DORY_E_CRYPTO);
    }
}

static void test_blobs_are_parsed_strictly(void **state)
{
    struct dory_key key = a_key();
    uint8_t k[KEY + 1] = {0}, s[SIG + 1] = {0};

    (void)state;
    type->public_blob(&key, k, KEY);
    type->sign(&key, "ssh-ed25519", message, sizeof message, s, SIG, NULL);
    for (size_t n = 0; n <= KEY + 1; n++)
        assert_int_equal(alg->verify(k, n, message, sizeof message, s, SIG), n == KEY ? DORY_OK : DORY_E_CRYPTO);
    for (size_t n = 0; n <= SIG + 1; n++)
        assert_int_equal(alg->verify(k, KEY, message, sizeof message, s, n), n == SIG ? DORY_OK : DORY_E_CRYPTO);
    for (size_t bit = 0; bit < 8 * KEY; bit++) {
        k[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(alg->verify(k, KEY, message, sizeof message, s, SIG), DORY_E_CRYPTO);
        k[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * SIG; bit++) {
        s[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(alg->verify(k, KEY, message, sizeof message, s, SIG), DORY_E_CRYPTO);
        s[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(alg->verify(k, KEY, message, sizeof message - 1, s, SIG), DORY_E_CRYPTO);
    assert_int_equal(alg->verify(k, KEY, message, sizeof message, s, SIG), DORY_OK);
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
    uint8_t seed[32];

    (void)state;
    memset(seed, 7, sizeof seed);
    dory_ed25519_from_seed(&same, seed);
    assert_int_equal(type->generate(&key, 256, &rng), DORY_OK);
    assert_memory_equal(key.secret, same.secret, 64);
    answer = DORY_E_RNG;
    assert_int_equal(type->generate(&key, 0, &rng), DORY_E_RNG);
}

static void test_no_room_and_other_algorithms(void **state)
{
    struct dory_key key = a_key();
    uint8_t out[SIG] = {0}, zero[SIG] = {0};

    (void)state;
    assert_int_equal(type->public_blob(&key, out, KEY - 1), DORY_E_SPACE);
    assert_int_equal(type->sign(&key, "ssh-ed25519", message, 1, out, SIG - 1, NULL), DORY_E_SPACE);
    assert_int_equal(type->sign(&key, "rsa-sha2-256", message, 1, out, SIG, NULL), DORY_E_ARG);
    assert_memory_equal(out, zero, SIG);
    assert_string_equal(alg->name, "ssh-ed25519");
    assert_string_equal(alg->key_type, "ssh-ed25519");
    assert_string_equal(type->name, "ssh-ed25519");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc8032),
        cmocka_unit_test(test_authors_vectors),
        cmocka_unit_test(test_s_not_below_the_group_order),
        cmocka_unit_test(test_keys_of_small_order),
        cmocka_unit_test(test_blobs_are_parsed_strictly),
        cmocka_unit_test(test_generate),
        cmocka_unit_test(test_no_room_and_other_algorithms),
    };

    return dory_crypto_init() == DORY_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
