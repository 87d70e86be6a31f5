/* SHA-256, HMAC, PBKDF2, base64 and the two memory helpers, against NIST, RFC 4231, 2202, 7914 and 4648. */
#include "tests/vectors/vectors.h"

#include "crypto-port/dory_crypto.h"
#include "crypto-port/hmac_sha256.h"

static void sha256(const uint8_t *bytes, size_t n, size_t step, uint8_t digest[32])
{
    struct dory_sha256 ctx;

    dory_sha256_init(&ctx);
    for (size_t at = 0; at < n; at += step) dory_sha256_update(&ctx, bytes + at, n - at < step ? n - at : step);
    dory_sha256_final(&ctx, digest);
}

static void nist_messages(const char *file, unsigned at_least)
{
    struct vectors *v = vec_open(vec_debian(), file);
    uint8_t digest[32];

    while (vec_next(v)) {
        const struct vec_field *msg = vec_find(v, "Msg");
        if (!msg) continue;
        for (size_t step = 1; step < 300; step += step < 70 ? 1 : 61) {
            sha256(msg->bytes, vec_number(v, "Len") / 8, step, digest);
            assert_memory_equal(digest, vec(v, "MD")->bytes, 32);
        }
    }
    vec_close(v, at_least);
}

static void test_sha256_nist(void **state)
{
    (void)state;
    nist_messages("hashes/SHA2/SHA256ShortMsg.rsp", 65);
    nist_messages("hashes/SHA2/SHA256LongMsg.rsp", 64);
}

/* SHAVS 6.4: each digest follows from the three before it, 1,000 times over. */
static void test_sha256_monte_carlo(void **state)
{
    struct vectors *v = vec_open(vec_debian(), "hashes/SHA2/SHA256Monte.rsp");
    uint8_t m[4][32];

    (void)state;
    assert_true(vec_next(v));
    memcpy(m[3], vec(v, "Seed")->bytes, 32);
    while (vec_next(v)) {
        for (int i = 0; i < 3; i++) memcpy(m[i], m[3], 32);
        for (int round = 0; round < 1000; round++) {
            sha256(m[0], 96, 96, m[3]);
            memmove(m[0], m[1], 96);
        }
        memcpy(m[3], m[2], 32);
        assert_memory_equal(m[3], vec(v, "MD")->bytes, 32);
    }
    vec_close(v, 101);
}

/* The exchange hash and the session id come from copies of one running hash. */
static void test_sha256_context_can_be_copied(void **state)
{
    struct dory_sha256 a, b;
    uint8_t one[32], other[32];

    (void)state;
    dory_sha256_init(&a);
    dory_sha256_update(&a, "some bytes of a prefix that is longer than one block of 64 bytes; ", 66);
    b = a;
    dory_sha256_update(&b, "tail", 4);
    dory_sha256_final(&b, other);
    dory_sha256_update(&a, "tail", 4);
    dory_sha256_final(&a, one);
    assert_memory_equal(one, other, 32);
}

static void test_hmac_sha256_rfc4231(void **state)
{
    struct vectors *v = vec_open(vec_debian(), "HMAC/rfc-4231-sha256.txt");
    struct dory_hmac_sha256 h;
    uint8_t mac[32];

    (void)state;
    while (vec_next(v)) {
        const struct vec_field *key = vec_find(v, "Key"), *msg = vec_find(v, "Msg");
        if (!key) continue;
        dory_hmac_sha256_init(&h, key->bytes, key->n);
        dory_hmac_sha256_update(&h, msg->bytes, msg->n);
        dory_hmac_sha256_final(&h, mac);
        assert_memory_equal(mac, vec(v, "MD")->bytes, vec(v, "MD")->n); /* one of them is cut to 128 bits */
    }
    vec_close(v, 6);
}

static void test_hmac_sha1_rfc2202(void **state)
{
    struct vectors *v = vec_open(vec_debian(), "HMAC/rfc-2202-sha1.txt");
    uint8_t mac[20];

    (void)state;
    while (vec_next(v)) {
        const struct vec_field *key = vec_find(v, "Key"), *msg = vec_find(v, "Msg");
        if (!key) continue;
        dory_hmac_sha1(key->bytes, key->n, msg->bytes, msg->n, mac);
        assert_memory_equal(mac, vec(v, "MD")->bytes, 20);
    }
    vec_close(v, 7);
}

static void compute_etm(const struct dory_mac *mac, const uint8_t *key, const struct vec_field *msg, uint8_t *tag)
{
    const uint8_t *m = msg->bytes; /* the first four bytes pass for the sequence number */
    uint64_t ctx[DORY_MAC_CTX_SIZE / 8];

    assert_true(mac->ctx_size <= sizeof ctx);
    mac->init(ctx, key);
    mac->compute(ctx, (uint32_t)m[0] << 24 | (uint32_t)m[1] << 16 | (uint32_t)m[2] << 8 | m[3], m + 4, msg->n - 4, tag);
}

/* HMAC fills keys up to its block with zeros (RFC 2104 2), so a shorter key may be brought to its full size beforehand. */
static void check_mac(const struct dory_mac *mac, const char *file)
{
    struct vectors *v = vec_open(vec_debian(), file);
    unsigned tested = 0;
    uint8_t tag[64];

    while (vec_next(v)) {
        const struct vec_field *key = vec_find(v, "Key");
        uint8_t filled[64] = {0};
        if (!key || key->n > mac->key_size) continue;
        memcpy(filled, key->bytes, key->n);
        compute_etm(mac, filled, vec(v, "Msg"), tag);
        assert_memory_equal(tag, vec(v, "MD")->bytes, mac->tag_size);
        tested++;
    }
    assert_int_equal(tested, 4);
    vec_close(v, 6);
}

static void test_mac_etm_rfc4231(void **state)
{
    (void)state;
    check_mac(&dory_mac_hmac_sha2_256_etm, "HMAC/rfc-4231-sha256.txt");
    check_mac(&dory_mac_hmac_sha2_512_etm, "HMAC/rfc-4231-sha512.txt");
}

static void check_pbkdf2(const char *password, const char *salt, uint32_t rounds, const char *expected)
{
    uint8_t key[32], wanted[32];

    assert_int_equal(vec_hex(wanted, 32, expected), 32);
    assert_int_equal(dory_pbkdf2_sha256((const uint8_t *)password, strlen(password), (const uint8_t *)salt, strlen(salt), rounds, key),
                     DORY_OK);
    assert_memory_equal(key, wanted, 32);
}

/* Section 11 gives 64 bytes; the first 32 are the first block. */
static void test_pbkdf2_rfc7914(void **state)
{
    uint8_t key[32] = {0};

    (void)state;
    check_pbkdf2("passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    check_pbkdf2("Password", "NaCl", 80000, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
    assert_int_equal(dory_pbkdf2_sha256(key, 1, key, 1, 0, key), DORY_E_ARG);
}

static const struct {
    const char *plain, *text;
} rfc4648[] = {
    {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};

static void test_base64_rfc4648(void **state)
{
    char text[16];
    uint8_t plain[16];

    (void)state;
    for (size_t i = 0; i < sizeof rfc4648 / sizeof rfc4648[0]; i++) {
        const char *p = rfc4648[i].plain, *t = rfc4648[i].text;
        size_t p_n = strlen(p), t_n = strlen(t), bare = strcspn(t, "=");
        memset(text, '!', sizeof text);
        assert_int_equal(dory_base64_encode(text, t_n + 1, (const uint8_t *)p, p_n, true), (int)t_n);
        assert_string_equal(text, t);
        assert_int_equal(text[t_n + 1], '!');
        assert_int_equal(dory_base64_encode(text, t_n, (const uint8_t *)p, p_n, true), DORY_E_SPACE);
        assert_int_equal(dory_base64_encode(text, bare + 1, (const uint8_t *)p, p_n, false), (int)bare);
        assert_int_equal(strlen(text), bare);
        assert_memory_equal(text, t, bare);
        assert_int_equal(dory_base64_decode(plain, p_n, t, t_n), (int)p_n);
        assert_memory_equal(plain, p, p_n);
        if (p_n > 0) assert_int_equal(dory_base64_decode(plain, p_n - 1, t, t_n), DORY_E_SPACE);
    }
}

static void test_base64_refuses(void **state)
{
    static const char *const bad[] = {
        "Zg=", "Zg", "Zg===", "Z", "====", "=", "Zh==", "Zm9=", "Zg==Zg==", "Z g=", "Zm9v\n", "Zm9\n", "Zm-_", "Zm\0v", "Zg=A"};
    uint8_t out[16];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(dory_base64_decode(out, sizeof out, bad[i], strlen(bad[i])), DORY_E_ARG);
    assert_int_equal(dory_base64_decode(out, sizeof out, "Zm\0v", 4), DORY_E_ARG);
}

static void test_base64_every_byte_and_length(void **state)
{
    uint8_t bytes[300], back[300];
    char text[420];

    (void)state;
    for (size_t n = 0; n <= sizeof bytes; n++) {
        for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)(i * 7 + n);
        int t = dory_base64_encode(text, sizeof text, bytes, n, true);
        assert_int_equal(t, (n + 2) / 3 * 4);
        assert_int_equal(dory_base64_decode(back, sizeof back, text, (size_t)t), (int)n);
        assert_memory_equal(back, bytes, n);
    }
}

static void test_equal_and_wipe(void **state)
{
    uint8_t a[40], b[40], zero[40] = {0};

    (void)state;
    memset(a, 0xa5, sizeof a);
    memcpy(b, a, sizeof b);
    assert_true(dory_equal(a, b, sizeof a));
    assert_true(dory_equal(a, zero, 0));
    for (size_t i = 0; i < 8 * sizeof a; i++) {
        b[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_false(dory_equal(a, b, sizeof a));
        b[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    dory_wipe(a + 1, sizeof a - 2);
    assert_int_equal(a[0], 0xa5);
    assert_memory_equal(a + 1, zero, sizeof a - 2);
    assert_int_equal(a[39], 0xa5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256_nist),
        cmocka_unit_test(test_sha256_monte_carlo),
        cmocka_unit_test(test_sha256_context_can_be_copied),
        cmocka_unit_test(test_hmac_sha256_rfc4231),
        cmocka_unit_test(test_hmac_sha1_rfc2202),
        cmocka_unit_test(test_mac_etm_rfc4231),
        cmocka_unit_test(test_pbkdf2_rfc7914),
        cmocka_unit_test(test_base64_rfc4648),
        cmocka_unit_test(test_base64_refuses),
        cmocka_unit_test(test_base64_every_byte_and_length),
        cmocka_unit_test(test_equal_and_wipe),
    };

    return dory_crypto_init() == DORY_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
