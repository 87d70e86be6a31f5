/* PEM key files (RFC 7468, RFC 1421), read by Mbed TLS, whose decryption of legacy files this uses too. */
#include <string.h>

#include <mbedtls/pem.h>

#include "key_der.h"

struct label {
    const char *begin, *end;
    int (*parse)(struct dory_key *key, struct dory_der in);
};

#define ENCLOSE(name) "-----BEGIN " name "-----", "-----END " name "-----"
static const struct label labels[] = {
    {ENCLOSE("RSA PRIVATE KEY"), dory_der_rsa},
    {ENCLOSE("EC PRIVATE KEY"), dory_der_ec},
    {ENCLOSE("PRIVATE KEY"), dory_der_pkcs8},
    {ENCLOSE("ENCRYPTED PRIVATE KEY"), NULL},
};

static int read_error(int e)
{
    switch (e) {
    case MBEDTLS_ERR_PEM_PASSWORD_REQUIRED: return DORY_E_PASSPHRASE;
    case MBEDTLS_ERR_PEM_PASSWORD_MISMATCH: return DORY_E_BAD_PASSPHRASE;
    case MBEDTLS_ERR_PEM_UNKNOWN_ENC_ALG:
    case MBEDTLS_ERR_PEM_FEATURE_UNAVAILABLE: return DORY_E_NOSYS;
    default: return DORY_E_CRYPTO;
    }
}

static int parse_encrypted(struct dory_key *key, struct dory_der in, const char *passphrase)
{
    int r = passphrase ? dory_der_decrypt(&in, passphrase) : DORY_E_PASSPHRASE;

    return r == DORY_OK ? dory_der_pkcs8(key, in) : r;
}

static int parse(struct dory_key *key, const struct label *label, mbedtls_pem_context *pem, const char *passphrase)
{
    size_t n;
    uint8_t *der = (uint8_t *)(uintptr_t)mbedtls_pem_get_buffer(pem, &n); /* the context's own, on the heap */
    struct dory_der in = {der, der + n, false};

    return label->parse ? label->parse(key, in) : parse_encrypted(key, in, passphrase);
}

int dory_key_from_pem(struct dory_key *key, const char *text, const char *passphrase)
{
    const struct label *label = labels;
    mbedtls_pem_context pem;
    size_t used;
    bool encrypted = strstr(text, "\nProc-Type:") != NULL;
    int r, e;

    while (strstr(text, label->begin) == NULL)
        if (++label == labels + sizeof labels / sizeof *labels)
            return strstr(text, "-----BEGIN ") ? DORY_E_NOSYS : DORY_E_CRYPTO;
    mbedtls_pem_init(&pem);
    e = mbedtls_pem_read_buffer(&pem, label->begin, label->end, (const uint8_t *)text, (const uint8_t *)passphrase,
                                passphrase ? strlen(passphrase) : 0, &used);
    r = e == 0 ? parse(key, label, &pem, passphrase) : read_error(e);
    mbedtls_pem_free(&pem);
    if (r == DORY_E_CRYPTO && passphrase && (encrypted || label->parse == NULL))
        r = DORY_E_BAD_PASSPHRASE; /* one wrong passphrase in 256 looks right until here */
    if (r != DORY_OK)
        dory_wipe(key, sizeof *key);
    return r;
}
