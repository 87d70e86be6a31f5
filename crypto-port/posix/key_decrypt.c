/* Private keys in PKCS #8 under a passphrase: PBES2 with PBKDF2 over SHA-2 and AES-CBC (RFC 8018 6.2), which is what OpenSSL 1.1 and later
   and ssh-keygen -m PKCS8 write. */
#include <string.h>

#include <mbedtls/aes.h>
#include <mbedtls/asn1.h>
#include <mbedtls/pkcs5.h>

#include "key_der.h"
#include "key_oids.h"

#define ROUNDS_MAX 10000000

enum { SEQUENCE = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE, BLOCK = 16 };

struct scheme {
    struct dory_der salt, iv;
    unsigned rounds, key_n;
    mbedtls_md_type_t prf;
};

static unsigned small_number(struct dory_der *in)
{
    struct dory_number v = dory_der_number(in);
    unsigned value = 0;

    if (v.n > 4)
        in->bad = true;
    for (size_t i = 0; i < v.n && v.n <= 4; i++) value = value << 8 | v.p[i];
    return value;
}

/* Where none is named it is HMAC with SHA-1, which is not used here. */
static bool read_prf(struct scheme *scheme, struct dory_der *in)
{
    struct dory_der prf = dory_der_take(in, SEQUENCE);

    if (dory_der_is_oid(&prf, OID_HMAC_SHA256))
        scheme->prf = MBEDTLS_MD_SHA256;
    else if (dory_der_is_oid(&prf, OID_HMAC_SHA512))
        scheme->prf = MBEDTLS_MD_SHA512;
    else
        return false;
    return true;
}

static bool read_kdf(struct scheme *scheme, struct dory_der in)
{
    struct dory_der s;

    if (!dory_der_is_oid(&in, OID_PBKDF2))
        return false;
    s = dory_der_take(&in, SEQUENCE);
    scheme->salt = dory_der_take(&s, MBEDTLS_ASN1_OCTET_STRING);
    scheme->rounds = small_number(&s);
    if (dory_der_next_is(&s, MBEDTLS_ASN1_INTEGER) && small_number(&s) != scheme->key_n)
        return false;
    return read_prf(scheme, &s) && dory_der_at_end(&s) && scheme->rounds > 0 && scheme->rounds <= ROUNDS_MAX;
}

static bool read_cipher(struct scheme *scheme, struct dory_der in)
{
    if (dory_der_is_oid(&in, OID_AES_CBC "\x2a"))
        scheme->key_n = 32;
    else if (dory_der_is_oid(&in, OID_AES_CBC "\x16"))
        scheme->key_n = 24;
    else if (dory_der_is_oid(&in, OID_AES_CBC "\x02"))
        scheme->key_n = 16;
    else
        return false;
    scheme->iv = dory_der_take(&in, MBEDTLS_ASN1_OCTET_STRING);
    return dory_der_at_end(&in) && scheme->iv.end - scheme->iv.p == BLOCK;
}

static bool read_scheme(struct scheme *scheme, struct dory_der in)
{
    struct dory_der s, kdf, cipher;

    if (!dory_der_is_oid(&in, OID_PBES2))
        return false;
    s = dory_der_take(&in, SEQUENCE);
    kdf = dory_der_take(&s, SEQUENCE);
    cipher = dory_der_take(&s, SEQUENCE);
    return dory_der_at_end(&s) && read_cipher(scheme, cipher) && read_kdf(scheme, kdf);
}

static int decrypt(const struct scheme *scheme, const char *passphrase, uint8_t *bytes, size_t n)
{
    mbedtls_aes_context aes;
    uint8_t key[32];
    int e = mbedtls_pkcs5_pbkdf2_hmac_ext(scheme->prf, (const uint8_t *)passphrase, strlen(passphrase), scheme->salt.p,
                                          (size_t)(scheme->salt.end - scheme->salt.p), scheme->rounds, scheme->key_n, key);

    mbedtls_aes_init(&aes);
    if (e == 0)
        e = mbedtls_aes_setkey_dec(&aes, key, 8 * scheme->key_n);
    if (e == 0)
        e = mbedtls_aes_crypt_cbc(&aes, MBEDTLS_AES_DECRYPT, n, scheme->iv.p, bytes, bytes);
    mbedtls_aes_free(&aes);
    dory_wipe(key, sizeof key);
    return e == 0 ? DORY_OK : DORY_E_CRYPTO;
}

/* RFC 5652 6.3: as many bytes as their value says; 0: none such. */
static size_t padding(const uint8_t *bytes, size_t n)
{
    uint8_t last = bytes[n - 1];

    if (last == 0 || last > BLOCK)
        return 0;
    for (size_t i = n - last; i < n; i++)
        if (bytes[i] != last)
            return 0;
    return last;
}

int dory_der_decrypt(struct dory_der *in, const char *passphrase)
{
    struct dory_der s = dory_der_take(in, SEQUENCE), how = dory_der_take(&s, SEQUENCE);
    struct dory_der data = dory_der_take(&s, MBEDTLS_ASN1_OCTET_STRING);
    struct scheme scheme = {.rounds = 0};
    size_t n = (size_t)(data.end - data.p), pad;
    int r;

    if (!dory_der_at_end(in) || !dory_der_at_end(&s) || n == 0 || n % BLOCK != 0)
        return DORY_E_CRYPTO;
    if (!read_scheme(&scheme, how))
        return DORY_E_NOSYS;
    r = decrypt(&scheme, passphrase, data.p, n);
    if (r != DORY_OK)
        return r;
    pad = padding(data.p, n);
    *in = (struct dory_der){data.p, data.end - pad, false};
    return pad ? DORY_OK : DORY_E_BAD_PASSPHRASE;
}
