/* rsa-sha2-256 and rsa-sha2-512 against NIST's vectors, and what they refuse (A5, K2). */
#include "tests/vectors/vectors.h"

#include "crypto-port/dory_crypto.h"

static const struct dory_keytype *const type = &dory_key_rsa;
static const struct dory_sigalg *const algs[] = {&dory_sig_rsa_sha2_256, &dory_sig_rsa_sha2_512};
static const uint8_t message[] = "a message";

static int fill_counting(void *ctx, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)(++*(unsigned *)ctx * 2654435761u >> 24);
    return DORY_OK;
}
static unsigned counter;
static const struct dory_rng rng = {fill_counting, &counter};

static int fill_nothing(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    memset(out, 0x11, n);
    return DORY_E_RNG;
}

static size_t put_string(uint8_t *out, const void *bytes, size_t n)
{
    out[0] = out[1] = 0;
    out[2] = (uint8_t)(n >> 8);
    out[3] = (uint8_t)n;
    memcpy(out + 4, bytes, n);
    return 4 + n;
}

static size_t put_mpint(uint8_t *out, const uint8_t *bytes, size_t n)
{
    uint8_t number[1100] = {0};

    while (n > 0 && *bytes == 0) bytes++, n--;
    memcpy(number + 1, bytes, n);
    return n > 0 && *bytes & 0x80 ? put_string(out, number, n + 1) : put_string(out, number + 1, n);
}

static size_t key_blob(uint8_t *out, const uint8_t *e, size_t e_n, const uint8_t *n, size_t n_n)
{
    size_t at = put_string(out, "ssh-rsa", 7);

    at += put_mpint(out + at, e, e_n);
    return at + put_mpint(out + at, n, n_n);
}

static size_t sig_blob(uint8_t *out, const char *alg, const uint8_t *s, size_t n)
{
    size_t at = put_string(out, alg, strlen(alg));

    return at + put_string(out + at, s, n);
}

struct modulus {
    uint8_t n[1024], p[512], q[512];
    size_t n_n, p_n, q_n;
};

static void keep(uint8_t *out, size_t *out_n, const struct vec_field *f)
{
    memcpy(out, f->bytes, f->n);
    *out_n = f->n;
}

/* Verified as NIST says; and where it is good, we sign the same. */
static void check_record(const struct vectors *v, const struct modulus *m, const struct dory_sigalg *alg, bool big_enough)
{
    const struct vec_field *e = vec(v, "e"), *d = vec(v, "d"), *msg = vec(v, "Msg"), *s = vec(v, "S");
    const struct dory_number numbers[5] = {{m->n, m->n_n}, {e->bytes, e->n}, {d->bytes, d->n}, {m->p, m->p_n}, {m->q, m->q_n}};
    bool good = vec(v, "Result")->text[0] == 'P' && big_enough;
    uint8_t blob[4096], sig[4096], got[DORY_KEY_BLOB_MAX];
    size_t blob_n = key_blob(blob, e->bytes, e->n, m->n, m->n_n), sig_n = sig_blob(sig, alg->name, s->bytes, s->n);
    struct dory_key key;

    assert_int_equal(alg->verify(blob, blob_n, msg->bytes, msg->n, sig, sig_n), good ? DORY_OK : big_enough ? DORY_E_CRYPTO : DORY_E_NOSYS);
    if (!big_enough)
        assert_int_equal(dory_rsa_from_numbers(&key, numbers), DORY_E_NOSYS);
    if (!good)
        return;
    assert_int_equal(dory_rsa_from_numbers(&key, numbers), DORY_OK);
    assert_int_equal(type->public_blob(&key, got, sizeof got), blob_n);
    assert_memory_equal(got, blob, blob_n);
    assert_int_equal(type->sign(&key, alg->name, msg->bytes, msg->n, got, sizeof got, &rng), sig_n);
    assert_memory_equal(got, sig, sig_n);
}

/* A5: the signatures by 1024 and 1536 bits are good ones too, and refused. */
static void test_nist(void **state)
{
    struct vectors *v = vec_open(vec_debian(), "asymmetric/RSA/FIPS_186-2/SigVer15_186-3.rsp");
    struct modulus m = {.n_n = 0};
    unsigned tried = 0, small = 0, good = 0;

    (void)state;
    while (vec_next(v)) {
        if (vec_find(v, "n")) keep(m.n, &m.n_n, vec(v, "n"));
        if (vec_find(v, "p")) keep(m.p, &m.p_n, vec(v, "p"));
        if (vec_find(v, "q")) keep(m.q, &m.q_n, vec(v, "q"));
        if (!vec_find(v, "SHAAlg")) continue;
        for (int i = 0; i < 2; i++) {
            if (strcmp(vec(v, "SHAAlg")->text, i ? "SHA512" : "SHA256") != 0) continue;
            check_record(v, &m, algs[i], m.n_n >= 256);
            tried++;
            small += m.n_n < 256;
            good += vec(v, "Result")->text[0] == 'P' && m.n_n >= 256;
        }
    }
    assert_int_equal(small, 72);
    assert_int_equal(tried, 180);
    assert_int_equal(good, 18);
    vec_close(v, 180);
}

static struct dory_key key_2048;

static int make_key(void **state)
{
    (void)state;
    return type->generate(&key_2048, 2048, &rng) == DORY_OK ? 0 : -1;
}

static void test_generate(void **state)
{
    const struct dory_rng none = {fill_nothing, NULL};
    struct dory_key key, same;
    uint8_t blob[DORY_KEY_BLOB_MAX], numbers[8][1024];
    struct dory_number list[5];

    (void)state;
    for (int i = 0; i < 8; i++) {
        int n = dory_rsa_number(&key_2048, (enum dory_rsa_number)i, numbers[i], sizeof numbers[i]);
        assert_true(n >= 1 && n <= 256);
        assert_int_not_equal(numbers[i][0], 0);
        if (i < 5) list[i] = (struct dory_number){numbers[i], (size_t)n};
        if (i == DORY_RSA_N) assert_true(n == 256 && numbers[i][0] & 0x80);
        assert_int_equal(dory_rsa_number(&key_2048, (enum dory_rsa_number)i, numbers[i], (size_t)n - 1), DORY_E_SPACE);
        assert_int_equal(dory_rsa_number(&key_2048, (enum dory_rsa_number)i, numbers[i], (size_t)n), n);
    }
    assert_memory_equal(numbers[DORY_RSA_E], "\1\0\1", 3);
    assert_int_equal(dory_rsa_from_numbers(&same, list), DORY_OK);
    assert_memory_equal(same.secret, key_2048.secret, sizeof same.secret);
    assert_int_equal(type->public_blob(&same, blob, sizeof blob), 4 + 7 + 4 + 3 + 4 + 257);
    assert_int_equal(type->generate(&key, 2046, &rng), DORY_E_ARG);
    assert_int_equal(type->generate(&key, 2049, &rng), DORY_E_ARG);
    assert_int_equal(type->generate(&key, 8194, &rng), DORY_E_ARG);
    assert_int_equal(type->generate(&key, 2048, &none), DORY_E_RNG);
    assert_int_equal(type->sign(&key_2048, "rsa-sha2-512", message, 1, blob, sizeof blob, &none), DORY_E_CRYPTO);
}

/* Numbers that are damaged, swapped or missing make no key. */
static void test_numbers_that_do_not_belong_together(void **state)
{
    uint8_t numbers[5][1024];
    struct dory_number list[5];
    struct dory_key key;

    (void)state;
    for (int i = 0; i < 5; i++)
        list[i] = (struct dory_number){numbers[i], (size_t)dory_rsa_number(&key_2048, (enum dory_rsa_number)i, numbers[i], 1024)};
    for (int i = 0; i < 5; i++) {
        for (size_t at = 0; at < list[i].n; at += 37) {
            numbers[i][at] ^= 4;
            assert_true(dory_rsa_from_numbers(&key, list) < 0);
            numbers[i][at] ^= 4;
        }
        struct dory_number was = list[i];
        list[i].n = 0;
        assert_true(dory_rsa_from_numbers(&key, list) < 0);
        list[i] = was;
    }
    list[DORY_RSA_Q] = list[DORY_RSA_P];
    assert_true(dory_rsa_from_numbers(&key, list) < 0);
}

/* K2: a fault in the private numbers while the key lies in memory. A signature that went out would give the key away. */
static void test_a_faulty_signature_does_not_leave(void **state)
{
    uint8_t sig[DORY_KEY_BLOB_MAX], untouched[DORY_KEY_BLOB_MAX];
    unsigned faults = 0;

    (void)state;
    memset(untouched, 0x5a, sizeof untouched);
    for (size_t at = 0; at < sizeof key_2048.secret; at += 61) {
        struct dory_key key = key_2048;
        if (key.secret[at] == 0) continue;
        key.secret[at] ^= 0x10;
        memset(sig, 0x5a, sizeof sig);
        assert_int_equal(type->sign(&key, "rsa-sha2-256", message, sizeof message, sig, sizeof sig, &rng), DORY_E_CRYPTO);
        assert_memory_equal(sig, untouched, sizeof sig);
        faults++;
    }
    assert_true(faults >= 10);
}

static void test_every_byte_counts(void **state)
{
    uint8_t k[DORY_KEY_BLOB_MAX + 1], s[DORY_KEY_BLOB_MAX + 1];

    (void)state;
    size_t k_n = (size_t)type->public_blob(&key_2048, k, sizeof k);
    for (int i = 0; i < 2; i++) {
        const struct dory_sigalg *alg = algs[i];
        size_t n = (size_t)type->sign(&key_2048, alg->name, message, sizeof message, s, sizeof s, &rng);
        assert_int_equal(alg->verify(k, k_n, message, sizeof message, s, n), DORY_OK);
        assert_int_equal(algs[!i]->verify(k, k_n, message, sizeof message, s, n), DORY_E_CRYPTO); /* by the other algorithm */
        for (size_t cut = 0; cut < k_n; cut++) assert_int_equal(alg->verify(k, cut, message, sizeof message, s, n), DORY_E_CRYPTO);
        for (size_t cut = 0; cut < n; cut++) assert_int_equal(alg->verify(k, k_n, message, sizeof message, s, cut), DORY_E_CRYPTO);
        k[k_n] = s[n] = 0;
        assert_int_equal(alg->verify(k, k_n + 1, message, sizeof message, s, n), DORY_E_CRYPTO);
        assert_int_equal(alg->verify(k, k_n, message, sizeof message, s, n + 1), DORY_E_CRYPTO);
        for (size_t at = 0; at < k_n; at++) {
            k[at] ^= (uint8_t)(1u << at % 8);
            assert_true(alg->verify(k, k_n, message, sizeof message, s, n) < 0);
            k[at] ^= (uint8_t)(1u << at % 8);
        }
        for (size_t at = 0; at < n; at++) {
            s[at] ^= (uint8_t)(1u << at % 8);
            assert_int_equal(alg->verify(k, k_n, message, sizeof message, s, n), DORY_E_CRYPTO);
            s[at] ^= (uint8_t)(1u << at % 8);
        }
        assert_int_equal(alg->verify(k, k_n, message, sizeof message - 1, s, n), DORY_E_CRYPTO);
    }
}

/* A number of the wrong length, though of the right value; s plus the modulus; SHA-1 under its own name and under ours. */
static void test_the_number_has_the_length_of_the_modulus(void **state)
{
    uint8_t k[DORY_KEY_BLOB_MAX], s[DORY_KEY_BLOB_MAX], twisted[DORY_KEY_BLOB_MAX + 300], number[300] = {0}, modulus[256];
    size_t k_n = (size_t)type->public_blob(&key_2048, k, sizeof k), head = 4 + 12 + 4;
    unsigned carry = 0;

    (void)state;
    assert_int_equal(type->sign(&key_2048, "rsa-sha2-256", message, sizeof message, s, sizeof s, &rng), head + 256);
    for (size_t zeros = 0; zeros < 4; zeros++) {
        memcpy(number + zeros, s + head, 256);
        assert_int_equal(algs[0]->verify(k, k_n, message, sizeof message, twisted, sig_blob(twisted, "rsa-sha2-256", number, 256 + zeros)),
                         zeros ? DORY_E_CRYPTO : DORY_OK);
        memset(number, 0, sizeof number);
    }
    assert_int_equal(algs[0]->verify(k, k_n, message, sizeof message, twisted, sig_blob(twisted, "ssh-rsa", s + head, 256)), DORY_E_CRYPTO);
    dory_rsa_number(&key_2048, DORY_RSA_N, modulus, sizeof modulus);
    for (int i = 255; i >= 0; i--, carry >>= 8) number[i + 1] = (uint8_t)(carry += (unsigned)s[head + (size_t)i] + modulus[i]);
    number[0] = (uint8_t)carry;
    assert_int_equal(algs[0]->verify(k, k_n, message, sizeof message, twisted,
                                     sig_blob(twisted, "rsa-sha2-256", number + !carry, 256 + carry)),
                     DORY_E_CRYPTO);
}

/* Moduli and exponents that are no key: even, tiny or huge exponents, an even modulus, more than 8192 bits. */
static void test_keys_that_are_refused(void **state)
{
    static const char *const exponents[] = {"00", "01", "02", "010000", "01000000000000000001", ""};
    uint8_t blob[3000], s[DORY_KEY_BLOB_MAX], e[16], n[1100];

    (void)state;
    size_t sig_n = (size_t)type->sign(&key_2048, "rsa-sha2-256", message, sizeof message, s, sizeof s, &rng);
    size_t n_n = (size_t)dory_rsa_number(&key_2048, DORY_RSA_N, n, sizeof n);
    for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++) {
        size_t e_n = vec_hex(e, sizeof e, exponents[i]);
        assert_true(algs[0]->verify(blob, key_blob(blob, e, e_n, n, n_n), message, sizeof message, s, sig_n) < 0);
    }
    e[0] = 3;
    n[255] &= 0xfe;
    assert_int_equal(algs[0]->verify(blob, key_blob(blob, e, 1, n, 256), message, sizeof message, s, sig_n), DORY_E_CRYPTO);
    memset(n, 0xff, sizeof n);
    for (size_t size = 1024; size < 1100; size++) {
        uint8_t sig[1200];
        memset(s, 0, sizeof s);
        assert_int_equal(algs[0]->verify(blob, key_blob(blob, e, 1, n, size), message, sizeof message, sig,
                                         sig_blob(sig, "rsa-sha2-256", n, size)),
                         size > 1024 ? DORY_E_NOSYS : DORY_E_CRYPTO);
    }
}

static void test_names(void **state)
{
    uint8_t out[DORY_KEY_BLOB_MAX];

    (void)state;
    assert_string_equal(type->name, "ssh-rsa");
    assert_string_equal(type->algorithms[0], "rsa-sha2-512");
    assert_string_equal(type->algorithms[1], "rsa-sha2-256");
    assert_null(type->algorithms[2]);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(algs[i]->name, i ? "rsa-sha2-512" : "rsa-sha2-256");
        assert_string_equal(algs[i]->key_type, "ssh-rsa");
        assert_int_equal(type->sign(&key_2048, algs[i]->name, message, 1, out, 200, &rng), DORY_E_SPACE);
    }
    assert_int_equal(type->public_blob(&key_2048, out, 200), DORY_E_SPACE);
    assert_int_equal(type->sign(&key_2048, "ssh-rsa", message, 1, out, sizeof out, &rng), DORY_E_ARG);
    assert_int_equal(type->sign(&key_2048, "ssh-ed25519", message, 1, out, sizeof out, &rng), DORY_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nist),
        cmocka_unit_test(test_generate),
        cmocka_unit_test(test_numbers_that_do_not_belong_together),
        cmocka_unit_test(test_a_faulty_signature_does_not_leave),
        cmocka_unit_test(test_every_byte_counts),
        cmocka_unit_test(test_the_number_has_the_length_of_the_modulus),
        cmocka_unit_test(test_keys_that_are_refused),
        cmocka_unit_test(test_names),
    };

    return dory_crypto_init() == DORY_OK ? cmocka_run_group_tests(tests, make_key, NULL) : 1;
}
