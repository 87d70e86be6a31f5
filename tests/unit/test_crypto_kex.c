/* curve25519-sha256 against RFC 7748, through the interface that the SSH engine uses. */
#include "tests/vectors/vectors.h"

#include "crypto-port/dory_crypto.h"

static int fill_fixed(void *ctx, uint8_t *out, size_t n)
{
    assert_int_equal(n, 32);
    memcpy(out, ctx, n);
    return DORY_OK;
}

static int fill_short(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    memset(out, 0x11, n / 2);
    return DORY_E_RNG;
}

static const struct dory_rng no_entropy = {fill_short, NULL};
static const struct dory_kex *const kex = &dory_kex_curve25519_sha256;
static const uint8_t zero[DORY_KEX_STATE_SIZE];

/* A client with this private key that receives this public value. */
static int as_client(const uint8_t priv[32], const uint8_t pub[32], uint8_t secret[32])
{
    uint8_t scalar[32], state[DORY_KEX_STATE_SIZE] = {0}, init[32];
    const struct dory_rng rng = {fill_fixed, scalar};
    int r;

    memcpy(scalar, priv, 32);
    assert_int_equal(kex->keypair(state, init, &rng), DORY_OK);
    r = kex->dec(state, pub, secret);
    assert_memory_equal(state, zero, sizeof state);
    return r;
}

static int as_server(const uint8_t priv[32], const uint8_t pub[32], uint8_t secret[32])
{
    uint8_t scalar[32], reply[32];
    const struct dory_rng rng = {fill_fixed, scalar};

    memcpy(scalar, priv, 32);
    return kex->enc(pub, reply, secret, &rng);
}

static void expect(const struct vectors *v, bool valid)
{
    const uint8_t *priv = vec(v, "Private")->bytes, *pub = vec(v, "Public")->bytes, *shared = vec(v, "Shared")->bytes;
    uint8_t secret[32];

    memset(secret, 0x5a, sizeof secret);
    assert_int_equal(as_client(priv, pub, secret), valid ? DORY_OK : DORY_E_CRYPTO);
    assert_memory_equal(secret, valid ? shared : zero, 32);
    memset(secret, 0x5a, sizeof secret);
    assert_int_equal(as_server(priv, pub, secret), valid ? DORY_OK : DORY_E_CRYPTO);
    assert_memory_equal(secret, valid ? shared : zero, 32);
}

static void test_rfc7748(void **state)
{
    struct vectors *v = vec_open("tests/vectors", "rfc7748.txt");

    (void)state;
    while (vec_next(v)) expect(v, true);
    vec_close(v, 3);
}

static void test_rfc7748_thousand_rounds(void **state)
{
    uint8_t k[32] = {9}, u[32] = {9}, next[32], after_1[32], after_1000[32];

    (void)state;
    vec_hex(after_1, 32, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    vec_hex(after_1000, 32, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
    for (int round = 1; round <= 1000; round++) {
        assert_int_equal(as_client(k, u, next), DORY_OK);
        memcpy(u, k, 32);
        memcpy(k, next, 32);
        if (round == 1) assert_memory_equal(k, after_1, 32);
    }
    assert_memory_equal(k, after_1000, 32);
}

static void test_rfc7748_public_values(void **state)
{
    static const char *const pairs[][2] = {{"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
                                            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"},
                                           {"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
                                            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"}};
    uint8_t scalar[32], expected[32], ctx[DORY_KEX_STATE_SIZE], init[32];
    const struct dory_rng rng = {fill_fixed, scalar};

    (void)state;
    for (int i = 0; i < 2; i++) {
        vec_hex(scalar, 32, pairs[i][0]);
        vec_hex(expected, 32, pairs[i][1]);
        assert_int_equal(kex->keypair(ctx, init, &rng), DORY_OK);
        assert_memory_equal(init, expected, 32);
    }
}

/* T6: every point of small order, in each encoding that exists (0, 1, two of order 8, -1; p and p + 1; each with the top bit set). */
static void test_points_of_small_order(void **state)
{
    static const char *const points[] = {"0000000000000000000000000000000000000000000000000000000000000000",
                                         "0100000000000000000000000000000000000000000000000000000000000000",
                                         "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                                         "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                                         "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                         "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                         "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
    uint8_t priv[32] = {1, 2, 3}, pub[32], secret[32];

    (void)state;
    for (size_t i = 0; i < 2 * sizeof points / sizeof points[0]; i++) {
        assert_int_equal(vec_hex(pub, 32, points[i / 2]), 32);
        pub[31] |= (uint8_t)(i % 2 << 7);
        assert_int_equal(as_client(priv, pub, secret), DORY_E_CRYPTO);
        assert_int_equal(as_server(priv, pub, secret), DORY_E_CRYPTO);
    }
}

static int fill_counting(void *ctx, uint8_t *out, size_t n)
{
    memset(out, ++*(uint8_t *)ctx, n);
    return DORY_OK;
}

static void test_both_sides_agree(void **state)
{
    uint8_t ctx[DORY_KEX_STATE_SIZE], init[32], reply[32], ours[32], theirs[32], counter = 0;
    const struct dory_rng rng = {fill_counting, &counter};

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(kex->keypair(ctx, init, &rng), DORY_OK);
        assert_int_equal(dory_kex_curve25519_sha256_libssh.enc(init, reply, theirs, &rng), DORY_OK);
        assert_int_equal(kex->dec(ctx, reply, ours), DORY_OK);
        assert_memory_equal(ours, theirs, 32);
    }
}

/* K4: no entropy, no key; and nothing of the half-filled scalar stays. */
static void test_no_entropy(void **state)
{
    uint8_t ctx[DORY_KEX_STATE_SIZE] = {0}, init[32] = {9}, reply[32], secret[32];

    (void)state;
    assert_int_equal(kex->keypair(ctx, init, &no_entropy), DORY_E_RNG);
    assert_memory_equal(ctx, zero, sizeof ctx);
    assert_int_equal(kex->enc(init, reply, secret, &no_entropy), DORY_E_RNG);
}

static void test_descriptors(void **state)
{
    (void)state;
    assert_string_equal(kex->name, "curve25519-sha256");
    assert_string_equal(dory_kex_curve25519_sha256_libssh.name, "curve25519-sha256@libssh.org");
    assert_true(kex->dec == dory_kex_curve25519_sha256_libssh.dec);
    assert_int_equal(kex->init_size, 32);
    assert_int_equal(kex->reply_size, 32);
    assert_true(kex->state_size <= DORY_KEX_STATE_SIZE);
    assert_false(kex->secret_is_string);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc7748),
        cmocka_unit_test(test_rfc7748_thousand_rounds),
        cmocka_unit_test(test_rfc7748_public_values),
        cmocka_unit_test(test_points_of_small_order),
        cmocka_unit_test(test_both_sides_agree),
        cmocka_unit_test(test_no_entropy),
        cmocka_unit_test(test_descriptors),
    };

    return dory_crypto_init() == DORY_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
