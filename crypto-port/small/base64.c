/* Base64 without libsodium's, whose file brings assert() and with it printf. What is encoded on a device is public. */
#include "../dory_crypto.h"

static const char letters[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int dory_base64_encode(char *out, size_t cap, const uint8_t *bytes, size_t n, bool pad)
{
    size_t size = pad ? (n + 2) / 3 * 4 : (n * 4 + 2) / 3, at = 0;
    uint32_t bits = 0;
    unsigned have = 0;

    if (n > INT32_MAX / 2 || cap < size + 1)
        return DORY_E_SPACE;
    for (size_t i = 0; i < n; i++) {
        bits = bits << 8 | bytes[i];
        for (have += 8; have >= 6; have -= 6)
            out[at++] = letters[bits >> (have - 6) & 63];
    }
    if (have > 0)
        out[at++] = letters[bits << (6 - have) & 63];
    while (at < size)
        out[at++] = '=';
    out[at] = '\0';
    return (int)at;
}

static int value(char c)
{
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Padded, without anything else between, and with zeros where bits are left over. */
int dory_base64_decode(uint8_t *out, size_t cap, const char *text, size_t n)
{
    size_t padding = 0, at = 0;
    uint32_t bits = 0;
    unsigned have = 0;
    int v;

    if (n > INT32_MAX || n % 4 != 0)
        return DORY_E_ARG;
    while (padding < 2 && padding < n && text[n - 1 - padding] == '=')
        padding++;
    if (cap < n / 4 * 3 - padding)
        return DORY_E_SPACE;
    for (size_t i = 0; i < n - padding; i++) {
        if ((v = value(text[i])) < 0)
            return DORY_E_ARG;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[at++] = (uint8_t)(bits >> have);
        }
    }
    return bits & ((1u << have) - 1) ? DORY_E_ARG : (int)at;
}
