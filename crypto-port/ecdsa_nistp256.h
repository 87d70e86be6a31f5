/* The public blob of ecdsa-sha2-nistp256 (RFC 5656 3.1): a fixed head, then the point. */
#ifndef DORY_CRYPTO_ECDSA_NISTP256_H
#define DORY_CRYPTO_ECDSA_NISTP256_H

#include "p256.h"

#define ECDSA_NAME     "ecdsa-sha2-nistp256"
#define ECDSA_TYPE     "\0\0\0\023" ECDSA_NAME
#define ECDSA_KEY_HEAD ECDSA_TYPE "\0\0\0\010nistp256\0\0\0\101\004"

enum {
    ECDSA_TYPE_SIZE = 4 + 19,
    ECDSA_HEAD_SIZE = ECDSA_TYPE_SIZE + 4 + 8 + 4 + 1, /* with the byte that says "uncompressed" */
    ECDSA_KEY_SIZE = ECDSA_HEAD_SIZE + P256_POINT,
    ECDSA_NUMBER_MAX = 4 + 1 + P256_SIZE,
    ECDSA_SIG_MAX = ECDSA_TYPE_SIZE + 4 + 2 * ECDSA_NUMBER_MAX,
};
_Static_assert(sizeof ECDSA_TYPE == ECDSA_TYPE_SIZE + 1, "type of both blobs");
_Static_assert(sizeof ECDSA_KEY_HEAD == ECDSA_HEAD_SIZE + 1, "head of the key blob");

#endif
