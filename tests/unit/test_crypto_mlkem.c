/* mlkem768x25519-sha256: NIST's and Wycheproof's known answers, what it refuses (T6), and that both sides agree. The answers are read from
   libsodium's own tests, in the sources that this build uses ($SODIUM_DIR). The interop tests hold it against Dropbear's, which is another one. */
#include "tests/vectors/vectors.h"

#include "crypto-port/dory_crypto.h"
#include "crypto-port/mlkem.h"

enum { PUBLIC = 1184, CIPHERTEXT = 1088, INIT = PUBLIC + 32, REPLY = CIPHERTEXT + 32, Q = 3329 };

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

static const struct dory_kex *const kex = &dory_kex_mlkem768x25519_sha256;
static const uint8_t zero[DORY_KEX_STATE_SIZE];

/* RFC 7748 6.1 */
static struct {
    uint8_t alice[32], alice_public[32], bob[32], bob_public[32], shared[32];
} x25519;

static void load_x25519(void)
{
    vec_hex(x25519.alice, 32, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    vec_hex(x25519.alice_public, 32, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    vec_hex(x25519.bob, 32, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    vec_hex(x25519.bob_public, 32, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    vec_hex(x25519.shared, 32, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

static int as_server(const uint8_t *public, const uint8_t *entropy, uint8_t reply[REPLY], uint8_t secret[32])
{
    static uint8_t init[INIT];
    struct tape tape = {0};
    const struct dory_rng rng = {play, &tape};

    lay(&tape, entropy, 32);
    lay(&tape, x25519.bob, 32);
    memcpy(init, public, PUBLIC);
    memcpy(init + PUBLIC, x25519.alice_public, 32);
    memset(secret, 0x5a, 32);
    return kex->enc(init, reply, secret, &rng);
}

static void set_coefficient(uint8_t *key, unsigned i, unsigned value)
{
    uint8_t *p = key + i / 2 * 3;

    if (i % 2 == 0) {
        p[0] = (uint8_t)value;
        p[1] = (uint8_t)((p[1] & 0xf0) | value >> 8);
    } else {
        p[1] = (uint8_t)((p[1] & 0x0f) | value << 4);
        p[2] = (uint8_t)(value >> 4);
    }
}

/* T6: q - 1 passes in every place, q and 4,095 in none. */
static void test_every_coefficient(void **state)
{
    static uint8_t init[INIT], key[PUBLIC], reply[REPLY];
    uint8_t ctx[DORY_KEX_STATE_SIZE], secret[32];
    struct tape tape = {0};
    const struct dory_rng rng = {play, &tape};

    (void)state;
    lay(&tape, zero, 32);
    lay(&tape, zero, 32);
    lay(&tape, x25519.alice, 32);
    assert_int_equal(kex->keypair(ctx, init, &rng), DORY_OK);
    for (unsigned i = 0; i < 768; i++) {
        memcpy(key, init, PUBLIC);
        set_coefficient(key, i, Q - 1);
        assert_int_equal(as_server(key, zero, reply, secret), DORY_OK);
        set_coefficient(key, i, Q);
        assert_int_equal(as_server(key, zero, reply, secret), DORY_E_CRYPTO);
        set_coefficient(key, i, 4095);
        assert_int_equal(as_server(key, zero, reply, secret), DORY_E_CRYPTO);
    }
}

/* T6: a good half does not make up for an X25519 value of small order, on either side; nothing of the secret stays. */
static void test_zero_x25519(void **state)
{
    static uint8_t init[INIT], reply[REPLY];
    uint8_t ctx[DORY_KEX_STATE_SIZE] = {0}, secret[32];
    unsigned counter = 0;
    const struct dory_rng rng = {fill_counting, &counter};

    (void)state;
    assert_int_equal(kex->keypair(ctx, init, &rng), DORY_OK);
    assert_int_equal(kex->enc(init, reply, secret, &rng), DORY_OK);
    memset(reply + CIPHERTEXT, 0, 32);
    memset(secret, 0x5a, 32);
    assert_int_equal(kex->dec(ctx, reply, secret), DORY_E_CRYPTO);
    assert_memory_equal(secret, zero, 32);
    assert_memory_equal(ctx, zero, sizeof ctx);
    memset(init + PUBLIC, 0, 32);
    memset(secret, 0x5a, 32);
    assert_int_equal(kex->enc(init, reply, secret, &rng), DORY_E_CRYPTO);
    assert_memory_equal(secret, zero, 32);
}

static void test_both_sides_agree(void **state)
{
    static uint8_t init[INIT], reply[REPLY];
    uint8_t ctx[DORY_KEX_STATE_SIZE], ours[32], theirs[32];
    unsigned counter = 0;
    const struct dory_rng rng = {fill_counting, &counter};

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(kex->keypair(ctx, init, &rng), DORY_OK);
        assert_int_equal(kex->enc(init, reply, theirs, &rng), DORY_OK);
        if (i % 2) reply[i * 27] ^= 1; /* rejected without a word: the secrets differ (FIPS 203 6.3) */
        assert_int_equal(kex->dec(ctx, reply, ours), DORY_OK);
        assert_int_equal(memcmp(ours, theirs, 32) == 0, i % 2 == 0);
    }
}

/* The same bytes from each implementation: posix/ is libsodium's, small/ ours for the most part, tests/device runs it on its processors. */
static void test_the_same_values_everywhere(void **state)
{
    static const char expected[] = "a3e5ecae3832615a39f61a8818cf336f2470b700500b72f28c410cccd6d2ca64";
    static uint8_t init[INIT], reply[REPLY];
    uint8_t ctx[DORY_KEX_STATE_SIZE], secret[32], digest[32], wanted[32];
    struct dory_sha256 all;
    unsigned counter = 0;
    const struct dory_rng rng = {fill_counting, &counter};

    (void)state;
    dory_sha256_init(&all);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(kex->keypair(ctx, init, &rng), DORY_OK);
        assert_int_equal(kex->enc(init, reply, secret, &rng), DORY_OK);
        dory_sha256_update(&all, init, sizeof init);
        dory_sha256_update(&all, reply, sizeof reply);
        dory_sha256_update(&all, secret, sizeof secret);
        reply[i * 50] ^= (uint8_t)(i % 2); /* every other one is rejected without a word (FIPS 203 6.3) */
        assert_int_equal(kex->dec(ctx, reply, secret), DORY_OK);
        dory_sha256_update(&all, secret, sizeof secret);
    }
    dory_sha256_final(&all, digest);
    vec_hex(wanted, 32, expected);
    assert_memory_equal(digest, wanted, 32);
}

/* ---- known answers: C strings, in pieces, behind the name of an array */

static char answers[256 * 1024];

static void read_answers(void)
{
    const char *folder = getenv("SODIUM_DIR");
    char path[512];
    FILE *f;

    snprintf(path, sizeof path, "%s/test/default/kem_mlkem768.c", folder ? folder : "third_party/libsodium");
    f = fopen(path, "r");
    if (!f) fail_msg("cannot read libsodium's known answers in %s", path);
    answers[fread(answers, 1, sizeof answers - 1, f)] = 0;
    fclose(f);
}

/* The string from *at on, which is set behind it: pieces in quotes up to a comma or a semicolon. 0: there is none. */
static size_t take_string(const char **at, uint8_t *out, size_t cap)
{
    size_t n = 0;
    const char *p = *at;

    for (p += strcspn(p, "\"}"); *p == '"'; p += strspn(p, " \n")) {
        n += vec_hex(out + n, cap - n, p + 1);
        p = strchr(p + 1, '"') + 1;
    }
    *at = p;
    return n;
}

static size_t answer(const char *name, uint8_t *out, size_t cap)
{
    char declared[64];
    const char *at;

    snprintf(declared, sizeof declared, " %s[] =", name);
    at = strstr(answers, declared);
    if (!at) fail_msg("libsodium's tests have no %s", name);
    return take_string(&at, out, cap);
}

static void numbered(int i, const char *what, uint8_t out[32])
{
    char name[32];

    snprintf(name, sizeof name, "tv%d_%s", i, what);
    assert_int_equal(answer(name, out, 32), 32);
}

static void test_nist_known_answers(void **state)
{
    static uint8_t public[PUBLIC], ciphertext[CIPHERTEXT];
    uint8_t seed[64], prefix[32], m[32], wanted[32], secret[32];

    (void)state;
    read_answers();
    for (int i = 1; i <= 2; i++) {
        numbered(i, "d", seed);
        numbered(i, "z", seed + 32);
        numbered(i, "m", m);
        numbered(i, "ss", wanted);
        numbered(i, "pk_prefix", prefix);
        dory_mlkem_public(public, seed);
        assert_memory_equal(public, prefix, 32);
        numbered(i, "ct_prefix", prefix);
        assert_int_equal(dory_mlkem_enc(ciphertext, secret, public, m), DORY_OK);
        assert_memory_equal(ciphertext, prefix, 32);
        assert_memory_equal(secret, wanted, 32);
        memset(secret, 0, 32);
        dory_mlkem_dec(secret, ciphertext, seed);
        assert_memory_equal(secret, wanted, 32);
    }
}

static void test_wycheproof_known_answers(void **state)
{
    static uint8_t public[PUBLIC], wanted[PUBLIC + 1], ciphertext[CIPHERTEXT];
    uint8_t seed[64], secret[32];
    const char *at;
    unsigned refused = 0;

    (void)state;
    read_answers();
    assert_int_equal(answer("wycheproof_seed", seed, sizeof seed), 64);
    assert_int_equal(answer("wycheproof_ek", wanted, sizeof wanted), PUBLIC);
    dory_mlkem_public(public, seed);
    assert_memory_equal(public, wanted, PUBLIC);
    assert_int_equal(answer("wycheproof_ct", ciphertext, sizeof ciphertext), CIPHERTEXT);
    assert_int_equal(answer("wycheproof_ss", wanted, sizeof wanted), 32);
    dory_mlkem_dec(secret, ciphertext, seed);
    assert_memory_equal(secret, wanted, 32);
    at = strstr(answers, "wycheproof_invalid_ek[] =");
    assert_non_null(at);
    while (take_string(&at, wanted, sizeof wanted) == PUBLIC) {
        assert_int_equal(dory_mlkem_enc(ciphertext, secret, wanted, seed), DORY_E_CRYPTO);
        refused++;
    }
    assert_true(refused >= 10);
}

/* K4 */
static void test_no_entropy(void **state)
{
    static const uint8_t some[64] = {1};
    static uint8_t init[INIT], reply[REPLY];
    uint8_t ctx[DORY_KEX_STATE_SIZE] = {0}, secret[32];

    (void)state;
    for (size_t n = 0; n <= 64; n += 32) {
        struct tape tape = {0};
        const struct dory_rng rng = {play, &tape};
        lay(&tape, some, n);
        assert_int_equal(kex->keypair(ctx, init, &rng), DORY_E_RNG);
        assert_memory_equal(ctx, zero, sizeof ctx);
        tape.at = 0;
        if (n < 64) assert_int_equal(kex->enc(init, reply, secret, &rng), DORY_E_RNG);
    }
}

static void test_descriptor(void **state)
{
    (void)state;
    assert_string_equal(kex->name, "mlkem768x25519-sha256");
    assert_int_equal(kex->init_size, 1216);
    assert_int_equal(kex->reply_size, 1120);
    assert_true(kex->state_size <= DORY_KEX_STATE_SIZE);
    assert_true(kex->secret_is_string);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_coefficient),
        cmocka_unit_test(test_zero_x25519),      cmocka_unit_test(test_both_sides_agree), cmocka_unit_test(test_no_entropy),
        cmocka_unit_test(test_nist_known_answers), cmocka_unit_test(test_wycheproof_known_answers),
        cmocka_unit_test(test_descriptor),       cmocka_unit_test(test_the_same_values_everywhere),
    };

    load_x25519();
    return dory_crypto_init() == DORY_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
