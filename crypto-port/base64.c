#include <limits.h>

#include <sodium.h>

#include "dory_crypto.h"

int dory_base64_encode(char *out, size_t cap, const uint8_t *bytes, size_t n, bool pad)
{
    int variant = pad ? sodium_base64_VARIANT_ORIGINAL : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    size_t need; /* with the NUL */

    if (n > INT_MAX / 2)
        return DORY_E_SPACE;
    need = sodium_base64_ENCODED_LEN(n, (unsigned)variant);
    if (cap < need)
        return DORY_E_SPACE;
    sodium_bin2base64(out, need, bytes, n, variant); /* fills all it is given with NUL: so not cap */
    return (int)(need - 1);
}

int dory_base64_decode(uint8_t *out, size_t cap, const char *text, size_t n)
{
    size_t written;

    if (n > INT_MAX || n % 4 != 0)
        return DORY_E_ARG;
    if (n > 0 && cap < n / 4 * 3 - (text[n - 1] == '=') - (text[n - 2] == '='))
        return DORY_E_SPACE;
    if (sodium_base642bin(out, cap, text, n, NULL, &written, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return DORY_E_ARG;
    return (int)written;
}
