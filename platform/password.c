#include "password.h"

#include <string.h>

/* Base64 without padding, which the strict decoder wants. */
static int decode(uint8_t *out, size_t cap, const char *text, size_t n)
{
    char padded[128];

    if (n % 4 == 1 || n + 4 > sizeof padded)
        return DORY_E_ARG;
    memcpy(padded, text, n);
    while (n % 4)
        padded[n++] = '=';
    return dory_base64_decode(out, cap, padded, n);
}

/* Decimal digits, no leading zero, up to a '$'; 0 if there is no such number up to max. */
static uint32_t number(const char *text, const char *end, uint32_t max, const char **after)
{
    uint32_t v = 0;

    if (text == end || *text < '1')
        return 0;
    for (; text < end && *text >= '0' && *text <= '9'; text++) {
        if (v > max / 10)
            return 0;
        v = v * 10 + (uint32_t)(*text - '0');
    }
    *after = text + 1;
    return text < end && *text == '$' && v <= max ? v : 0;
}

bool dory_password_verifier_parse(const char *text, size_t n, uint32_t rounds_max, struct dory_password_verifier *v)
{
    const size_t scheme = sizeof DORY_PASSWORD_SCHEME - 1;
    const char *end = text + n, *salt, *dollar;
    uint8_t hash[36];
    int salt_n;

    if (n < scheme || memcmp(text, DORY_PASSWORD_SCHEME, scheme) != 0)
        return false;
    v->rounds = number(text + scheme, end, rounds_max, &salt);
    if (v->rounds == 0)
        return false;
    dollar = memchr(salt, '$', (size_t)(end - salt));
    if (dollar == NULL)
        return false;
    salt_n = decode(v->salt, sizeof v->salt, salt, (size_t)(dollar - salt));
    if (salt_n < 8 || decode(hash, sizeof hash, dollar + 1, (size_t)(end - dollar - 1)) != sizeof v->hash)
        return false;
    memcpy(v->hash, hash, sizeof v->hash);
    v->salt_n = (size_t)salt_n;
    return true;
}
