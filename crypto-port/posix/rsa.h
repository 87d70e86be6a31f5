/* RSA as SSH uses it (RFC 8332): PKCS #1 v1.5 over SHA-256 or SHA-512, keys of 2048 to 8192 bits. */
#ifndef DORY_CRYPTO_RSA_H
#define DORY_CRYPTO_RSA_H

#include <mbedtls/rsa.h>

#include "../dory_crypto.h"

enum { RSA_MAX = 1024, RSA_E_MAX = 8 }; /* bytes */
_Static_assert(RSA_MAX <= MBEDTLS_MPI_MAX_SIZE, "Mbed TLS is configured for smaller numbers");

struct dory_rsa_hash {
    const char *algorithm;
    mbedtls_md_type_t type;
    unsigned size;
};
/* NULL: not a signature algorithm of this type. */
const struct dory_rsa_hash *dory_rsa_hash_of(const char *algorithm);
void dory_rsa_digest(const struct dory_rsa_hash *hash, const uint8_t *msg, size_t n, uint8_t digest[64]);

/* Modulus and exponent fit to be used: size, odd. Whether the modulus is a product of two primes nobody can see. */
bool dory_rsa_is_usable(const mbedtls_rsa_context *rsa);

#endif
