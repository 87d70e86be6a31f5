/* The packet ciphers against OpenSSL, NIST SP 800-38A, RFC 8439 and the draft of chacha20-poly1305; what they do to a forged packet. */
#include "tests/vectors/vectors.h"

#include "crypto-port/dory_crypto.h"

enum { TAG = 16 };

struct context {
    _Alignas(16) uint8_t bytes[DORY_CIPHER_CTX_SIZE];
};

/* A packet on the heap at any alignment, with nothing behind it, so that the address sanitizer sees one byte too many. */
struct packet {
    uint8_t *base, *p;
    size_t n; /* tag included */
};

static struct packet packet_of(const uint8_t *bytes, size_t n, size_t room, size_t align)
{
    struct packet k = {malloc(n + room + align), NULL, n + room};

    k.p = k.base + align;
    memcpy(k.p, bytes, n);
    memset(k.p + n, 0xee, room);
    return k;
}

static void check_record(const struct dory_cipher *c, struct context *tx, struct context *rx, uint32_t seq,
                         const struct vec_field *plain, const struct vec_field *sealed, size_t align)
{
    struct packet k = packet_of(plain->bytes, plain->n, c->tag_size, align);

    assert_int_equal(k.n, sealed->n);
    assert_int_equal(c->seal(tx, seq, k.p, plain->n), DORY_OK);
    assert_memory_equal(k.p, sealed->bytes, sealed->n);
    assert_int_equal(c->length(rx, seq, k.p), plain->n - 4);
    assert_memory_equal(k.p, sealed->bytes, sealed->n);
    assert_int_equal(c->open(rx, seq, k.p, plain->n), DORY_OK);
    assert_memory_equal(k.p, plain->bytes, plain->n);
    free(k.base);
}

/* one_connection: the records follow each other on one pair of contexts, so that counters that run on are seen. */
static void check_file(const struct dory_cipher *c, const char *file, bool one_connection, unsigned at_least)
{
    struct vectors *v = vec_open("tests/vectors", file);
    struct context tx, rx;

    while (vec_next(v)) {
        const struct vec_field *iv = vec_find(v, "IV"), *seq = vec_find(v, "Seq");
        if (v->records == 1 || !one_connection) {
            assert_int_equal(c->init(&tx, vec(v, "Key")->bytes, iv ? iv->bytes : NULL), DORY_OK);
            assert_int_equal(c->init(&rx, vec(v, "Key")->bytes, iv ? iv->bytes : NULL), DORY_OK);
        }
        check_record(c, &tx, &rx, seq ? (uint32_t)vec_number(v, "Seq") : v->records, vec(v, "Packet"), vec(v, "Sealed"),
                     v->records % 17);
    }
    vec_close(v, at_least);
}

static void test_chacha20_poly1305_draft(void **state)
{
    (void)state;
    check_file(&dory_cipher_chacha20_poly1305, "draft-ietf-sshm-chacha20-poly1305.txt", false, 1);
}

static void test_chacha20_poly1305_openssl(void **state)
{
    (void)state;
    check_file(&dory_cipher_chacha20_poly1305, "openssl-chacha20-poly1305.txt", false, 100);
}

static void test_aes256_gcm_openssl(void **state)
{
    (void)state;
    check_file(&dory_cipher_aes256_gcm, "openssl-aes256-gcm.txt", true, 100);
}

static void test_aes128_gcm_openssl(void **state)
{
    (void)state;
    check_file(&dory_cipher_aes128_gcm, "openssl-aes128-gcm.txt", true, 100);
}

static void test_aes256_gcm_fast_openssl(void **state)
{
    (void)state;
    if (!dory_aes_is_fast()) skip(); /* the machine's doing */
    check_file(&dory_cipher_aes256_gcm_fast, "openssl-aes256-gcm.txt", true, 100);
}

static void test_aes256_ctr_openssl(void **state)
{
    (void)state;
    check_file(&dory_cipher_aes256_ctr, "openssl-aes256-ctr.txt", true, 8);
}

static void test_aes128_ctr_openssl(void **state)
{
    (void)state;
    check_file(&dory_cipher_aes128_ctr, "openssl-aes128-ctr.txt", true, 8);
}

static void check_sp800_38a(const struct dory_cipher *c, const char *file)
{
    struct vectors *v = vec_open("tests/vectors", file);
    struct context ctx;
    uint8_t pkt[4 + 64] = {0};

    assert_true(vec_next(v));
    assert_int_equal(c->init(&ctx, vec(v, "Key")->bytes, vec(v, "IV")->bytes), DORY_OK);
    memcpy(pkt + 4, vec(v, "Plain")->bytes, 64);
    assert_int_equal(c->seal(&ctx, 0, pkt, sizeof pkt), DORY_OK);
    assert_memory_equal(pkt + 4, vec(v, "Cipher")->bytes, 64);
    assert_memory_equal(pkt, "\0\0\0", 4);
    vec_close(v, 1);
}

static void test_aes_ctr_sp800_38a(void **state)
{
    (void)state;
    check_sp800_38a(&dory_cipher_aes256_ctr, "sp800-38a-ctr-aes256.txt");
    check_sp800_38a(&dory_cipher_aes128_ctr, "sp800-38a-ctr-aes128.txt");
}

/* RFC 8439 A.1, the vectors whose 96-bit nonce and 32-bit counter this construction can reach: the payload's key stream begins with
   block 1, the length's is block 0. */
static void test_chacha20_rfc8439(void **state)
{
    const struct dory_cipher *c = &dory_cipher_chacha20_poly1305;
    uint8_t key[64] = {0}, pkt[4 + 64 + TAG] = {0}, expected[64];
    struct context ctx;

    (void)state;
    c->init(&ctx, key, NULL);
    assert_int_equal(c->length(&ctx, 0, (const uint8_t[4]){0}), 0x76b8e0ad); /* vector 1 */
    assert_int_equal(c->length(&ctx, 2, (const uint8_t[4]){0}), 0xc2c64d37); /* vector 5 */
    assert_int_equal(c->seal(&ctx, 0, pkt, 4 + 64), DORY_OK);                /* vector 2 */
    vec_hex(expected, 64,
            "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a"
            "1f4b794d6f");
    assert_memory_equal(pkt + 4, expected, 64);
    key[31] = 1;
    memset(pkt, 0, sizeof pkt);
    c->init(&ctx, key, NULL);
    assert_int_equal(c->seal(&ctx, 0, pkt, 4 + 64), DORY_OK); /* vector 3 */
    vec_hex(expected, 64,
            "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64add"
            "eb006c13a0");
    assert_memory_equal(pkt + 4, expected, 64);
}

static bool same_byte_throughout(const uint8_t *p, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (p[i] != p[0]) return false;
    return true;
}

/* One bit wrong at every position: refused, and what stays in the buffer is the ciphertext or a constant, never plaintext. After it the
   context still opens the true packet. */
static void check_forgeries(const struct dory_cipher *c, size_t n, bool untouched)
{
    static const uint8_t key[64] = {1, 2, 3}, iv[16] = {4, 5, 6};
    uint8_t plain[400], sealed[400 + TAG];
    struct context tx, rx;

    for (size_t i = 0; i < n; i++) plain[i] = (uint8_t)(i * 31 + 7);
    memcpy(sealed, plain, n);
    c->init(&tx, key, iv);
    c->init(&rx, key, iv);
    assert_int_equal(c->seal(&tx, 9, sealed, n), DORY_OK);
    for (size_t at = 0; at < n + TAG; at++) {
        struct packet forged = packet_of(sealed, n + TAG, 0, at % 16), kept;
        forged.p[at] ^= (uint8_t)(1u << at % 8);
        kept = packet_of(forged.p, n + TAG, 0, 0);
        assert_int_equal(c->open(&rx, 9, forged.p, n), DORY_E_MAC);
        if (memcmp(forged.p, kept.p, n) != 0) assert_true(!untouched && same_byte_throughout(forged.p + 4, n - 4));
        free(forged.base);
        free(kept.base);
    }
    assert_int_equal(c->open(&rx, 9, sealed, n), DORY_OK);
    assert_memory_equal(sealed, plain, n);
}

static void test_forged_packets(void **state)
{
    (void)state;
    for (size_t n = 20; n <= 324; n += 16) {
        check_forgeries(&dory_cipher_chacha20_poly1305, n, true);
        check_forgeries(&dory_cipher_aes256_gcm, n, false);
        check_forgeries(&dory_cipher_aes128_gcm, n, false);
        if (dory_aes_is_fast()) check_forgeries(&dory_cipher_aes256_gcm_fast, n, false);
    }
}

static void test_sequence_number_is_authenticated(void **state)
{
    static const uint8_t key[64] = {1};
    const struct dory_cipher *c = &dory_cipher_chacha20_poly1305;
    uint8_t pkt[36 + TAG] = {0};
    struct context ctx;

    (void)state;
    c->init(&ctx, key, NULL);
    assert_int_equal(c->seal(&ctx, UINT32_MAX, pkt, 36), DORY_OK);
    for (unsigned bit = 0; bit < 32; bit++) assert_int_equal(c->open(&ctx, UINT32_MAX ^ 1u << bit, pkt, 36), DORY_E_MAC);
    assert_int_equal(c->open(&ctx, UINT32_MAX, pkt, 36), DORY_OK);
}

/* A packet of GCM cannot be opened twice or out of order: the invocation counter has gone on. */
static void test_gcm_refuses_replay(void **state)
{
    static const uint8_t key[64] = {1}, iv[16] = {2};
    const struct dory_cipher *c = &dory_cipher_aes256_gcm;
    uint8_t pkt[36 + TAG] = {0}, again[36 + TAG];
    struct context tx, rx;

    (void)state;
    c->init(&tx, key, iv);
    c->init(&rx, key, iv);
    assert_int_equal(c->seal(&tx, 0, pkt, 36), DORY_OK);
    memcpy(again, pkt, sizeof again);
    assert_int_equal(c->open(&rx, 0, pkt, 36), DORY_OK);
    assert_int_equal(c->open(&rx, 1, again, 36), DORY_E_MAC);
}

/* The two implementations of GCM, each opening what the other sealed, over one connection of 301 packets and some large ones. */
static void test_gcm_implementations_agree(void **state)
{
    static const uint8_t key[32] = {9, 8, 7}, iv[12] = {1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80};
    static uint8_t plain[4 + 65536];
    const struct dory_cipher *c[2] = {&dory_cipher_aes256_gcm, &dory_cipher_aes256_gcm_fast};
    struct context tx[2], rx[2];

    (void)state;
    if (!dory_aes_is_fast()) skip();
    for (size_t i = 0; i < sizeof plain; i++) plain[i] = (uint8_t)(i * i >> 3);
    for (int i = 0; i < 2; i++) {
        c[i]->init(&tx[i], key, iv);
        c[i]->init(&rx[i], key, iv);
    }
    for (size_t n = 4; n <= sizeof plain; n = n < 304 ? n + 1 : n * 3 / 2) {
        struct packet k[2];
        for (unsigned i = 0; i < 2; i++) {
            k[i] = packet_of(plain, n, TAG, (n + 5 * i) % 19);
            assert_int_equal(c[i]->seal(&tx[i], 0, k[i].p, n), DORY_OK);
        }
        assert_memory_equal(k[0].p, k[1].p, n + TAG);
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(c[i]->open(&rx[i], 0, k[1 - i].p, n), DORY_OK);
            assert_memory_equal(k[1 - i].p, plain, n);
            free(k[1 - i].base);
        }
    }
}

static void test_descriptors(void **state)
{
    const struct dory_cipher *const all[] = {&dory_cipher_chacha20_poly1305, &dory_cipher_aes256_gcm, &dory_cipher_aes256_gcm_fast,
                                             &dory_cipher_aes128_gcm,        &dory_cipher_aes256_ctr, &dory_cipher_aes128_ctr};
    static const uint8_t key[64], iv[16];
    struct context ctx;
    uint8_t pkt[64];

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_true(all[i]->ctx_size <= DORY_CIPHER_CTX_SIZE);
        assert_true(all[i]->key_size <= sizeof key && all[i]->iv_size <= sizeof iv);
        if (all[i]->init(&ctx, key, iv) != DORY_OK) {
            assert_true(all[i] == &dory_cipher_aes256_gcm_fast && !dory_aes_is_fast());
            continue;
        }
        assert_int_equal(all[i]->seal(&ctx, 0, pkt, 3), DORY_E_ARG);
        assert_int_equal(all[i]->open(&ctx, 0, pkt, 3), DORY_E_ARG);
    }
    assert_int_equal(dory_cipher_aes128_ctr.seal(&ctx, 0, pkt, 21), DORY_E_ARG);
    assert_string_equal(all[0]->name, "chacha20-poly1305@openssh.com");
    assert_string_equal(all[1]->name, "aes256-gcm@openssh.com");
    assert_string_equal(all[2]->name, all[1]->name);
    assert_string_equal(all[3]->name, "aes128-gcm@openssh.com");
    assert_string_equal(all[4]->name, "aes256-ctr");
    assert_string_equal(all[5]->name, "aes128-ctr");
    assert_int_equal(all[3]->key_size, 16);
    assert_int_equal(all[5]->key_size, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chacha20_poly1305_draft),
        cmocka_unit_test(test_chacha20_poly1305_openssl),
        cmocka_unit_test(test_aes256_gcm_openssl),
        cmocka_unit_test(test_aes128_gcm_openssl),
        cmocka_unit_test(test_aes256_gcm_fast_openssl),
        cmocka_unit_test(test_aes256_ctr_openssl),
        cmocka_unit_test(test_aes128_ctr_openssl),
        cmocka_unit_test(test_aes_ctr_sp800_38a),
        cmocka_unit_test(test_chacha20_rfc8439),
        cmocka_unit_test(test_forged_packets),
        cmocka_unit_test(test_sequence_number_is_authenticated),
        cmocka_unit_test(test_gcm_refuses_replay),
        cmocka_unit_test(test_gcm_implementations_agree),
        cmocka_unit_test(test_descriptors),
    };

    return dory_crypto_init() == DORY_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
