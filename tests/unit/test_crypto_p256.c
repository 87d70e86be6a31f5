/* ecdh-sha2-nistp256 against OpenSSL, and what it refuses (T6). */
#include "tests/vectors/vectors.h"

#include "crypto-port/dory_crypto.h"

enum { POINT = 65 };

/* Hands out what a test laid down, in order; then no more. */
struct tape {
    uint8_t bytes[256];
    size_t n, at;
};

static int play(void *ctx, uint8_t *out, size_t n)
{
    struct tape *t = ctx;

    if (t->n - t->at < n) {
        memset(out, 0x11, n / 2);
        return DORY_E_RNG;
    }
    memcpy(out, t->bytes + t->at, n);
    t->at += n;
    return DORY_OK;
}

static void lay(struct tape *t, const uint8_t *bytes, size_t n)
{
    assert_true(t->n + n <= sizeof t->bytes);
    memcpy(t->bytes + t->n, bytes, n);
    t->n += n;
}

static int fill_counting(void *ctx, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)(++*(unsigned *)ctx * 2654435761u >> 24);
    return DORY_OK;
}

static const struct dory_kex *const kex = &dory_kex_ecdh_sha2_nistp256;
static const uint8_t zero[DORY_KEX_STATE_SIZE];

/* A client with this private key that receives this point; its own point goes to `own`. */
static int as_client(const uint8_t priv[32], const uint8_t pub[POINT], uint8_t own[POINT], uint8_t secret[32])
{
    _Alignas(8) uint8_t state[DORY_KEX_STATE_SIZE] = {0};
    struct tape tape = {0};
    const struct dory_rng rng = {play, &tape};
    int r;

    lay(&tape, priv, 32);
    assert_int_equal(kex->keypair(state, own, &rng), DORY_OK);
    memset(secret, 0x5a, 32);
    r = kex->dec(state, pub, secret);
    assert_memory_equal(state, zero, sizeof state);
    return r;
}

static int as_server(const uint8_t priv[32], const uint8_t pub[POINT], uint8_t own[POINT], uint8_t secret[32])
{
    struct tape tape = {0};
    const struct dory_rng rng = {play, &tape};

    lay(&tape, priv, 32);
    memset(secret, 0x5a, 32);
    return kex->enc(pub, own, secret, &rng);
}

static void expect(const uint8_t *priv, const uint8_t *pub, const uint8_t *shared, const uint8_t *own)
{
    uint8_t secret[32], mine[POINT];

    assert_int_equal(as_client(priv, pub, mine, secret), shared ? DORY_OK : DORY_E_CRYPTO);
    assert_memory_equal(secret, shared ? shared : zero, 32);
    if (own) assert_memory_equal(mine, own, POINT);
    assert_int_equal(as_server(priv, pub, mine, secret), shared ? DORY_OK : DORY_E_CRYPTO);
    assert_memory_equal(secret, shared ? shared : zero, 32);
    if (own) assert_memory_equal(mine, own, POINT);
}

/* Secrets that begin with zero bytes among them: x is always 32 bytes, the engine makes the mpint of it. */
static void test_openssl(void **state)
{
    struct vectors *v = vec_open("tests/vectors", "openssl-p256.txt");
    unsigned leading_zeros = 0;

    (void)state;
    while (vec_next(v)) {
        expect(vec(v, "Private")->bytes, vec(v, "Public")->bytes, vec(v, "Shared")->bytes, vec(v, "Own")->bytes);
        leading_zeros += vec(v, "Shared")->bytes[0] == 0;
    }
    assert_int_equal(leading_zeros, 4);
    vec_close(v, 60);
}

/* T6: each bit of a good point flipped (off the curve, another format, or x above the modulus), the point at infinity, zeros, the modulus. */
static void test_bad_points(void **state)
{
    struct vectors *v = vec_open("tests/vectors", "openssl-p256.txt");
    uint8_t priv[32] = {1, 2, 3}, point[POINT];

    (void)state;
    assert_true(vec_next(v));
    for (unsigned bit = 0; bit < 8 * POINT; bit++) {
        memcpy(point, vec(v, "Public")->bytes, POINT);
        point[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect(priv, point, NULL, NULL);
    }
    for (unsigned format = 0; format < 256; format++) {
        memset(point, 0, POINT);
        point[0] = (uint8_t)format;
        expect(priv, point, NULL, NULL);
        memcpy(point + 1, vec(v, "Public")->bytes + 1, POINT - 1);
        if (format != 4) expect(priv, point, NULL, NULL);
    }
    point[0] = 4;
    vec_hex(point + 1, 32, "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"); /* x = p, y = sqrt(b): x = 0 in disguise */
    vec_hex(point + 33, 32, "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4");
    expect(priv, point, NULL, NULL);
    vec_close(v, 1);
}

static int fill_all(void *ctx, uint8_t *out, size_t n)
{
    memset(out, *(uint8_t *)ctx, n);
    return DORY_OK;
}

/* Scalars that are 0, the order, or above it are drawn again; a source that gives nothing else is refused. */
static void test_scalars_out_of_range(void **state)
{
    static const char *const bad[] = {"0000000000000000000000000000000000000000000000000000000000000000",
                                      "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
                                      "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
    uint8_t ctx[DORY_KEX_STATE_SIZE], init[POINT], one[32] = {0}, g_x[32], b = 0xff;
    const struct dory_rng broken = {fill_all, &b};

    (void)state;
    one[31] = 1;
    vec_hex(g_x, 32, "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct tape tape = {0};
        const struct dory_rng rng = {play, &tape};
        uint8_t scalar[32];
        vec_hex(scalar, 32, bad[i]);
        lay(&tape, scalar, 32);
        lay(&tape, one, 32);
        assert_int_equal(kex->keypair(ctx, init, &rng), DORY_OK);
        assert_memory_equal(init + 1, g_x, 32);
    }
    assert_int_equal(kex->keypair(ctx, init, &broken), DORY_E_RNG);
    assert_memory_equal(ctx, zero, kex->state_size);
}

static void test_both_sides_agree(void **state)
{
    uint8_t ctx[DORY_KEX_STATE_SIZE], init[POINT], reply[POINT], ours[32], theirs[32];
    unsigned counter = 0;
    const struct dory_rng rng = {fill_counting, &counter};

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(kex->keypair(ctx, init, &rng), DORY_OK);
        assert_int_equal(kex->enc(init, reply, theirs, &rng), DORY_OK);
        assert_int_equal(kex->dec(ctx, reply, ours), DORY_OK);
        assert_memory_equal(ours, theirs, 32);
    }
}

/* K4 */
static void test_no_entropy(void **state)
{
    uint8_t ctx[DORY_KEX_STATE_SIZE] = {0}, init[POINT] = {4}, reply[POINT], secret[32];
    struct tape tape = {0};
    const struct dory_rng rng = {play, &tape};

    (void)state;
    assert_int_equal(kex->keypair(ctx, init, &rng), DORY_E_RNG);
    assert_memory_equal(ctx, zero, sizeof ctx);
    assert_int_equal(kex->enc(init, reply, secret, &rng), DORY_E_RNG);
}

static void test_descriptor(void **state)
{
    (void)state;
    assert_string_equal(kex->name, "ecdh-sha2-nistp256");
    assert_int_equal(kex->init_size, POINT);
    assert_int_equal(kex->reply_size, POINT);
    assert_true(kex->state_size <= DORY_KEX_STATE_SIZE);
    assert_false(kex->secret_is_string);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openssl),
        cmocka_unit_test(test_bad_points),       cmocka_unit_test(test_scalars_out_of_range),
        cmocka_unit_test(test_both_sides_agree), cmocka_unit_test(test_no_entropy),
        cmocka_unit_test(test_descriptor),
    };

    return dory_crypto_init() == DORY_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
