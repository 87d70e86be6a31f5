#include "dory_posix_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The character at p[0..n): its length in bytes, or 0 if that is no well-formed UTF-8 (overlong forms and surrogates are not). */
static size_t utf8(const uint8_t *p, size_t n, uint32_t *code)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = p[0] < 0x80 ? 1 : p[0] >= 0xC2 && p[0] < 0xE0 ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 : p[0] >= 0xF0 && p[0] < 0xF5 ? 4 : 0;
    if (length == 0 || length > n)
        return 0;
    *code = length == 1 ? p[0] : p[0] & (0xFFU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (p[i] & 0x3F);
    }
    return *code < least[length] || *code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000) ? 0 : length;
}

static bool harmless(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == '\\')
        return false;
    if (c == 0x061C || (c >= 0x200E && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069))
        return false;
    return c != 0xFEFF;
}

static size_t escape_byte(char out[5], uint8_t c)
{
    static const char plain[] = "\n\t\r\\", shown[] = "ntr\\";
    const char *at = c ? strchr(plain, c) : NULL;
    return (size_t)(at ? snprintf(out, 5, "\\%c", shown[at - plain]) : snprintf(out, 5, "\\%03o", (unsigned)c));
}

size_t dory_escape_text(char *out, size_t cap, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    size_t used = 0;
    while (n > 0) {
        char escaped[5];
        uint32_t code = 0;
        size_t length = utf8(p, n, &code), taken = length ? length : 1, width = length;
        const void *shown = p;
        if (length == 0 || !harmless(code)) {
            taken = 1;
            width = escape_byte(escaped, *p);
            shown = escaped;
        }
        if (used + width + 1 > cap)
            break;
        memcpy(out + used, shown, width);
        used += width;
        p += taken;
        n -= taken;
    }
    out[used] = 0;
    return used;
}
