/* The hash of a password as text, `$pbkdf2-sha256$ROUNDS$SALT$HASH` (base64 without padding), which POSIX and devices read alike. */
#ifndef DORY_PLATFORM_PASSWORD_H
#define DORY_PLATFORM_PASSWORD_H

#include <stdbool.h>

#include "dory_crypto.h"

#define DORY_PASSWORD_SCHEME   "$pbkdf2-sha256$"
#define DORY_PASSWORD_SALT_MAX 64

struct dory_password_verifier {
    uint32_t rounds; /* 1..rounds_max */
    uint8_t salt[DORY_PASSWORD_SALT_MAX];
    size_t salt_n;
    uint8_t hash[32];
};

/* From text[0..n). False: it is none, or wants more rounds. Salts of less than 8 bytes are refused. */
bool dory_password_verifier_parse(const char *text, size_t n, uint32_t rounds_max, struct dory_password_verifier *v);

#endif
