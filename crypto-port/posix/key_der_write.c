/* Private keys as DER, which is written from its end to its front as Mbed TLS does it. */
#include <string.h>

#include <mbedtls/aes.h>
#include <mbedtls/asn1write.h>
#include <mbedtls/pkcs5.h>

#include "../dory_crypto.h"
#include "key_oids.h"

enum {
    SEQUENCE = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE,
    STRUCTURE = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED,
    ROUNDS = 100000,
    BLOCK = 16
};

/* What is written stands at [p, end). */
struct out {
    uint8_t *start, *p, *end;
    bool bad;
};

static void raw(struct out *o, const void *bytes, size_t n)
{
    o->bad = o->bad || mbedtls_asn1_write_raw_buffer(&o->p, o->start, bytes, n) < 0;
}

/* Wraps what was written since `end` was the front. */
static void wrap(struct out *o, const uint8_t *end, int tag)
{
    o->bad = o->bad || mbedtls_asn1_write_len(&o->p, o->start, (size_t)(end - o->p)) < 0 ||
             mbedtls_asn1_write_tag(&o->p, o->start, (unsigned char)tag) < 0;
}

static void element(struct out *o, int tag, const void *bytes, size_t n)
{
    const uint8_t *end = o->p;

    raw(o, bytes, n);
    wrap(o, end, tag);
}

static void version(struct out *o, uint8_t value)
{
    element(o, MBEDTLS_ASN1_INTEGER, &value, 1);
}

static void rsa_number(struct out *o, const struct dory_key *key, enum dory_rsa_number which)
{
    uint8_t number[1 + DORY_RSA_BITS_MAX / 8] = {0};
    int n = dory_rsa_number(key, which, number + 1, sizeof number - 1);
    size_t sign_byte = number[1] >> 7;

    o->bad = o->bad || n < 0;
    if (n >= 0)
        element(o, MBEDTLS_ASN1_INTEGER, number + 1 - sign_byte, (size_t)n + sign_byte);
    dory_wipe(number, sizeof number);
}

static void put_rsa(struct out *o, const struct dory_key *key)
{
    const uint8_t *end = o->p;

    for (int i = DORY_RSA_IQMP; i >= DORY_RSA_N; i--) rsa_number(o, key, (enum dory_rsa_number)i);
    version(o, 0);
    wrap(o, end, SEQUENCE);
}

static void put_ec(struct out *o, const struct dory_key *key, bool with_curve)
{
    const uint8_t *end = o->p, *field = o->p;

    raw(o, key->secret + 32, 64);
    raw(o, "\0\4", 2);
    wrap(o, field, MBEDTLS_ASN1_BIT_STRING);
    wrap(o, field, STRUCTURE | 1);
    if (with_curve) {
        field = o->p;
        element(o, MBEDTLS_ASN1_OID, OID_P256, strlen(OID_P256));
        wrap(o, field, STRUCTURE | 0);
    }
    element(o, MBEDTLS_ASN1_OCTET_STRING, key->secret, 32);
    version(o, 1);
    wrap(o, end, SEQUENCE);
}

static void put_algorithm(struct out *o, const struct dory_key *key)
{
    const uint8_t *end = o->p;

    if (key->type == &dory_key_rsa) {
        element(o, MBEDTLS_ASN1_NULL, "", 0);
        element(o, MBEDTLS_ASN1_OID, OID_RSA, strlen(OID_RSA));
    } else if (key->type == &dory_key_ecdsa_nistp256) {
        element(o, MBEDTLS_ASN1_OID, OID_P256, strlen(OID_P256));
        element(o, MBEDTLS_ASN1_OID, OID_EC, strlen(OID_EC));
    } else {
        element(o, MBEDTLS_ASN1_OID, OID_ED25519, strlen(OID_ED25519));
    }
    wrap(o, end, SEQUENCE);
}

static void put_pkcs8(struct out *o, const struct dory_key *key)
{
    const uint8_t *end = o->p;

    if (key->type == &dory_key_rsa)
        put_rsa(o, key);
    else if (key->type == &dory_key_ecdsa_nistp256)
        put_ec(o, key, false);
    else
        element(o, MBEDTLS_ASN1_OCTET_STRING, key->secret, 32);
    wrap(o, end, MBEDTLS_ASN1_OCTET_STRING);
    put_algorithm(o, key);
    version(o, 0);
    wrap(o, end, SEQUENCE);
}

/* ---- RFC 8018 6.2: PBKDF2 with HMAC-SHA-256, AES-256-CBC */

struct locks {
    uint8_t salt[BLOCK], iv[BLOCK];
};

static int lock(struct out *o, const char *passphrase, const struct locks *locks)
{
    mbedtls_aes_context aes;
    uint8_t key[32], iv[BLOCK];
    size_t n = (size_t)(o->end - o->p), pad = BLOCK - n % BLOCK;
    int e;

    if ((size_t)(o->p - o->start) < pad)
        return DORY_E_SPACE;
    memmove(o->p - pad, o->p, n);
    o->p -= pad;
    memset(o->end - pad, (int)pad, pad);
    memcpy(iv, locks->iv, BLOCK);
    mbedtls_aes_init(&aes);
    e = mbedtls_pkcs5_pbkdf2_hmac_ext(MBEDTLS_MD_SHA256, (const uint8_t *)passphrase, strlen(passphrase), locks->salt, BLOCK, ROUNDS,
                                      sizeof key, key) ||
        mbedtls_aes_setkey_enc(&aes, key, 256) || mbedtls_aes_crypt_cbc(&aes, MBEDTLS_AES_ENCRYPT, n + pad, iv, o->p, o->p);
    mbedtls_aes_free(&aes);
    dory_wipe(key, sizeof key);
    return e == 0 ? DORY_OK : DORY_E_CRYPTO;
}

static void put_scheme(struct out *o, const struct locks *locks)
{
    static const uint8_t rounds[] = {ROUNDS >> 16, ROUNDS >> 8 & 0xff, ROUNDS & 0xff};
    const uint8_t *end = o->p, *part;

    element(o, MBEDTLS_ASN1_OCTET_STRING, locks->iv, BLOCK);
    element(o, MBEDTLS_ASN1_OID, OID_AES_CBC "\x2a", strlen(OID_AES_CBC) + 1);
    wrap(o, end, SEQUENCE);
    part = o->p;
    element(o, MBEDTLS_ASN1_NULL, "", 0);
    element(o, MBEDTLS_ASN1_OID, OID_HMAC_SHA256, strlen(OID_HMAC_SHA256));
    wrap(o, part, SEQUENCE);
    element(o, MBEDTLS_ASN1_INTEGER, rounds, sizeof rounds);
    element(o, MBEDTLS_ASN1_OCTET_STRING, locks->salt, BLOCK);
    wrap(o, part, SEQUENCE);
    element(o, MBEDTLS_ASN1_OID, OID_PBKDF2, strlen(OID_PBKDF2));
    wrap(o, part, SEQUENCE);
    wrap(o, end, SEQUENCE);
    element(o, MBEDTLS_ASN1_OID, OID_PBES2, strlen(OID_PBES2));
    wrap(o, end, SEQUENCE);
}

static int encrypt(struct out *o, const char *passphrase, const struct dory_rng *rng)
{
    const uint8_t *end = o->end;
    struct locks locks;
    int r = rng->fill(rng->ctx, (uint8_t *)&locks, sizeof locks);

    if (r == DORY_OK && !o->bad)
        r = lock(o, passphrase, &locks);
    if (r != DORY_OK)
        return r;
    wrap(o, end, MBEDTLS_ASN1_OCTET_STRING);
    put_scheme(o, &locks);
    wrap(o, end, SEQUENCE);
    return DORY_OK;
}

/* Without a passphrase any form, with one PKCS #8. The label; NULL: there is no such form. */
static const char *put_form(struct out *o, const struct dory_key *key, bool pkcs8, bool encrypted)
{
    if (pkcs8) {
        put_pkcs8(o, key);
        return encrypted ? "ENCRYPTED PRIVATE KEY" : "PRIVATE KEY";
    }
    if (encrypted || key->type == &dory_key_ed25519)
        return NULL;
    if (key->type == &dory_key_rsa) {
        put_rsa(o, key);
        return "RSA PRIVATE KEY";
    }
    put_ec(o, key, true);
    return "EC PRIVATE KEY";
}

int dory_key_to_der(const struct dory_key *key, bool pkcs8, const char *passphrase, const struct dory_rng *rng, uint8_t *der, size_t cap,
                    const char **label)
{
    struct out o = {der, der + cap, der + cap, false};
    bool encrypted = passphrase && *passphrase;
    size_t n;
    int r = DORY_OK;

    *label = put_form(&o, key, pkcs8, encrypted);
    if (*label == NULL)
        return DORY_E_NOSYS;
    if (encrypted)
        r = encrypt(&o, passphrase, rng);
    if (r == DORY_OK && o.bad)
        r = DORY_E_SPACE;
    n = (size_t)(o.end - o.p);
    if (r == DORY_OK)
        memmove(der, o.p, n);
    dory_wipe(der + (r == DORY_OK ? n : 0), cap - (r == DORY_OK ? n : 0));
    return r == DORY_OK ? (int)n : r;
}
