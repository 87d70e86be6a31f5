/* NIST's 31,500 vectors of AES-256-GCM and AES-128-GCM, against both libraries as this build configures them. They cannot go through dory_crypto.h: none has
   the four bytes of associated data that an SSH packet has. */
#include "tests/vectors/vectors.h"

#include <mbedtls/gcm.h>
#include <sodium.h>

struct record {
    const struct vec_field *key, *iv, *aad, *plain, *cipher, *tag; /* plain is NULL in a forgery */
};

static struct record record_of(const struct vectors *v)
{
    struct record r = {vec(v, "Key"), vec(v, "IV"), vec(v, "AAD"), NULL, vec(v, "CT"), vec(v, "Tag")};

    r.plain = vec_find(v, "FAIL") ? NULL : vec(v, "PT");
    return r;
}

static void with_mbedtls(const struct record *r)
{
    static uint8_t out[256];
    uint8_t tag[16];
    mbedtls_gcm_context gcm;
    int e;

    mbedtls_gcm_init(&gcm);
    assert_int_equal(mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, r->key->bytes, 8 * (unsigned)r->key->n), 0);
    e = mbedtls_gcm_auth_decrypt(&gcm, r->cipher->n, r->iv->bytes, r->iv->n, r->aad->bytes, r->aad->n, r->tag->bytes, r->tag->n,
                                 r->cipher->bytes, out);
    assert_int_equal(e, r->plain ? 0 : MBEDTLS_ERR_GCM_AUTH_FAILED);
    if (r->plain) {
        assert_memory_equal(out, r->plain->bytes, r->plain->n);
        assert_int_equal(mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, r->plain->n, r->iv->bytes, r->iv->n, r->aad->bytes,
                                                   r->aad->n, r->plain->bytes, out, r->tag->n, tag),
                         0);
        assert_memory_equal(out, r->cipher->bytes, r->cipher->n);
        assert_memory_equal(tag, r->tag->bytes, r->tag->n);
    }
    mbedtls_gcm_free(&gcm);
}

/* libsodium has keys of 256 bits, nonces of 96 bits and whole tags only. */
static void with_sodium(const struct record *r)
{
    static uint8_t out[256];
    uint8_t tag[16];
    crypto_aead_aes256gcm_state s;
    int e;

    if (!crypto_aead_aes256gcm_is_available() || r->key->n != 32 || r->iv->n != 12 || r->tag->n != 16) return;
    crypto_aead_aes256gcm_beforenm(&s, r->key->bytes);
    e = crypto_aead_aes256gcm_decrypt_detached_afternm(out, NULL, r->cipher->bytes, r->cipher->n, r->tag->bytes, r->aad->bytes,
                                                       r->aad->n, r->iv->bytes, &s);
    assert_int_equal(e, r->plain ? 0 : -1);
    if (r->plain) {
        assert_memory_equal(out, r->plain->bytes, r->plain->n);
        crypto_aead_aes256gcm_encrypt_detached_afternm(out, tag, NULL, r->plain->bytes, r->plain->n, r->aad->bytes, r->aad->n, NULL,
                                                       r->iv->bytes, &s);
        assert_memory_equal(out, r->cipher->bytes, r->cipher->n);
        assert_memory_equal(tag, r->tag->bytes, 16);
    }
}

static void check(const char *file)
{
    struct vectors *v = vec_open(vec_debian(), file);

    while (vec_next(v)) {
        if (vec_find(v, "Count")) {
            struct record r = record_of(v);
            with_mbedtls(&r);
            with_sodium(&r);
        }
    }
    vec_close(v, 7875);
}

static void test_encrypt(void **state)
{
    (void)state;
    check("ciphers/AES/GCM/gcmEncryptExtIV256.rsp");
    check("ciphers/AES/GCM/gcmEncryptExtIV128.rsp");
}

static void test_decrypt(void **state)
{
    (void)state;
    check("ciphers/AES/GCM/gcmDecrypt256.rsp");
    check("ciphers/AES/GCM/gcmDecrypt128.rsp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_encrypt), cmocka_unit_test(test_decrypt)};

    return sodium_init() >= 0 ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
