/* Mbed TLS 3.6 as the POSIX programs need it: the direct API, no PSA, no X.509, no TLS, no entropy collector (randomness is handed in). */

/* Platform */
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_NO_UDBL_DIVISION

/* Hashes and what is built on them. SHA-1 is for hashed known_hosts files alone. */
#define MBEDTLS_MD_C
#define MBEDTLS_SHA1_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_PKCS5_C

/* AES. Without MBEDTLS_CIPHER_C, GCM calls AES through block_cipher and needs no heap. */
#define MBEDTLS_AES_C
#define MBEDTLS_AESNI_C
#define MBEDTLS_CIPHER_MODE_CTR
#define MBEDTLS_GCM_C

/* RSA. P-256 is p256-m's, ed25519 and curve25519 are libsodium's. */
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_GENPRIME
#define MBEDTLS_OID_C

/* Key files. MD5 is there for the legacy encryption of PEM files, which derives its key with it. */
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_BASE64_C
#define MBEDTLS_PEM_PARSE_C
#define MBEDTLS_CIPHER_MODE_CBC
#define MBEDTLS_MD5_C
