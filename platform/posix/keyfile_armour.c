/* The lines around a key in base64 (RFC 7468). Written here, because Mbed TLS leaves a copy of the key on the heap. */
#include <stdio.h>
#include <string.h>

#include "keyfile_internal.h"

int dory_armour(const char *label, size_t width, const uint8_t *bytes, size_t n, char *text, size_t cap)
{
    char base64[DORY_KEYFILE_MAX];
    int r = dory_base64_encode(base64, sizeof base64, bytes, n, true);
    size_t used = 0, length = r < 0 ? 0 : (size_t)r;
    if (r >= 0 && cap < length + length / width + 2 * strlen("-----BEGIN -----\n") + 2 * strlen(label) + 2)
        r = DORY_E_SPACE;
    if (r >= 0) {
        used = (size_t)sprintf(text, "-----BEGIN %s-----\n", label);
        for (size_t i = 0; i < length; i += width) used += (size_t)sprintf(text + used, "%.*s\n", (int)width, base64 + i);
        used += (size_t)sprintf(text + used, "-----END %s-----\n", label);
    }
    dory_wipe(base64, sizeof base64);
    return r >= 0 ? (int)used : r;
}
