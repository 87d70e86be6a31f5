/* Verification of rsa-sha2-256 and rsa-sha2-512 (RFC 8332 3) on Mbed TLS, which puts the expected padding together and compares: nothing
   of what came is parsed. */
#include <string.h>

#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>

#include "../bytes.h"
#include "rsa.h"

static const struct dory_rsa_hash hashes[] = {{"rsa-sha2-512", MBEDTLS_MD_SHA512, 64}, {"rsa-sha2-256", MBEDTLS_MD_SHA256, 32}};

const struct dory_rsa_hash *dory_rsa_hash_of(const char *algorithm)
{
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
        if (strcmp(hashes[i].algorithm, algorithm) == 0)
            return &hashes[i];
    return NULL;
}

void dory_rsa_digest(const struct dory_rsa_hash *hash, const uint8_t *msg, size_t n, uint8_t digest[64])
{
    if (hash->size == 64)
        mbedtls_sha512(msg, n, digest, 0);
    else
        mbedtls_sha256(msg, n, digest, 0);
}

bool dory_rsa_is_usable(const mbedtls_rsa_context *rsa)
{
    mbedtls_mpi n, e;
    bool good;

    mbedtls_mpi_init(&n);
    mbedtls_mpi_init(&e);
    good = mbedtls_rsa_export(rsa, &n, NULL, NULL, NULL, &e) == 0 && mbedtls_mpi_bitlen(&n) >= DORY_RSA_BITS_MIN &&
           mbedtls_mpi_bitlen(&n) <= DORY_RSA_BITS_MAX && mbedtls_mpi_get_bit(&n, 0) && mbedtls_mpi_get_bit(&e, 0) &&
           mbedtls_mpi_cmp_int(&e, 3) >= 0 && mbedtls_mpi_bitlen(&e) <= 8 * RSA_E_MAX;
    mbedtls_mpi_free(&n);
    mbedtls_mpi_free(&e);
    return good;
}

/* What is left of a blob. */
struct rest {
    const uint8_t *p;
    size_t n;
};

static bool take_string(struct rest *in, struct rest *out)
{
    if (in->n < 4 || in->n - 4 < load_be32(in->p))
        return false;
    *out = (struct rest){in->p + 4, load_be32(in->p)};
    in->p += 4 + out->n;
    in->n -= 4 + out->n;
    return true;
}

static bool take_name(struct rest *in, const char *name)
{
    struct rest text;

    return take_string(in, &text) && text.n == strlen(name) && memcmp(text.p, name, text.n) == 0;
}

/* Positive, in its shortest form (RFC 4251 5). */
static bool take_number(struct rest *in, struct rest *out)
{
    if (!take_string(in, out) || out->n == 0 || out->p[0] & 0x80 || (out->p[0] == 0 && (out->n < 2 || !(out->p[1] & 0x80))))
        return false;
    return true;
}

static int load_public(mbedtls_rsa_context *rsa, const uint8_t *key, size_t key_n)
{
    struct rest in = {key, key_n}, e, n;

    if (!take_name(&in, "ssh-rsa") || !take_number(&in, &e) || !take_number(&in, &n) || in.n != 0)
        return DORY_E_CRYPTO;
    if (n.n < DORY_RSA_BITS_MIN / 8 || n.n > RSA_MAX + 1)
        return DORY_E_NOSYS;
    if (mbedtls_rsa_import_raw(rsa, n.p, n.n, NULL, 0, NULL, 0, NULL, 0, e.p, e.n) != 0 || mbedtls_rsa_complete(rsa) != 0)
        return DORY_E_CRYPTO;
    return dory_rsa_is_usable(rsa) ? DORY_OK : DORY_E_NOSYS;
}

static int verify(const char *algorithm, const uint8_t *key, size_t key_n, const uint8_t *msg, size_t n, const uint8_t *sig, size_t sig_n)
{
    const struct dory_rsa_hash *hash = dory_rsa_hash_of(algorithm);
    struct rest in = {sig, sig_n}, number;
    mbedtls_rsa_context rsa;
    uint8_t digest[64];
    int r;

    if (!take_name(&in, algorithm) || !take_string(&in, &number) || in.n != 0)
        return DORY_E_CRYPTO;
    mbedtls_rsa_init(&rsa);
    r = load_public(&rsa, key, key_n);
    if (r == DORY_OK) {
        dory_rsa_digest(hash, msg, n, digest);
        if (number.n != mbedtls_rsa_get_len(&rsa) ||
            mbedtls_rsa_rsassa_pkcs1_v15_verify(&rsa, hash->type, hash->size, digest, number.p) != 0)
            r = DORY_E_CRYPTO;
    }
    mbedtls_rsa_free(&rsa);
    return r;
}

static int verify_256(const uint8_t *key, size_t key_n, const uint8_t *msg, size_t n, const uint8_t *sig, size_t sig_n)
{
    return verify("rsa-sha2-256", key, key_n, msg, n, sig, sig_n);
}

static int verify_512(const uint8_t *key, size_t key_n, const uint8_t *msg, size_t n, const uint8_t *sig, size_t sig_n)
{
    return verify("rsa-sha2-512", key, key_n, msg, n, sig, sig_n);
}

const struct dory_sigalg dory_sig_rsa_sha2_256 = {.name = "rsa-sha2-256", .key_type = "ssh-rsa", .verify = verify_256};
const struct dory_sigalg dory_sig_rsa_sha2_512 = {.name = "rsa-sha2-512", .key_type = "ssh-rsa", .verify = verify_512};
