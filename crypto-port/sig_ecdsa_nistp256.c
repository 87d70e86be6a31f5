/* Verification of ecdsa-sha2-nistp256 (RFC 5656 3.1.2): type, and a string that holds r and s as mpints. */
#include <string.h>

#include "bytes.h"
#include "ecdsa_nistp256.h"

/* The mpint at p, of 1 to n - 1, as 32 bytes; only the shortest form (RFC 4251 5). Returns what is behind it, NULL if it is none. */
static const uint8_t *take_number(const uint8_t *p, const uint8_t *end, uint8_t out[P256_SIZE])
{
    size_t n;

    if (end - p < 4 || (n = load_be32(p)) == 0 || (size_t)(end - p) - 4 < n)
        return NULL;
    p += 4;
    end = p + n;
    if (*p & 0x80 || (*p == 0 && (n < 2 || !(p[1] & 0x80)))) /* negative, or a zero too many */
        return NULL;
    if (*p == 0)
        p++, n--;
    if (n > P256_SIZE)
        return NULL;
    memset(out, 0, P256_SIZE - n);
    memcpy(out + P256_SIZE - n, p, n);
    return end;
}

static int verify(const uint8_t *key, size_t key_n, const uint8_t *msg, size_t n, const uint8_t *sig, size_t sig_n)
{
    const uint8_t *end = sig + sig_n, *p = sig + ECDSA_TYPE_SIZE + 4;
    uint8_t numbers[2 * P256_SIZE], digest[32];
    struct dory_sha256 hash;

    if (key_n != ECDSA_KEY_SIZE || memcmp(key, ECDSA_KEY_HEAD, ECDSA_HEAD_SIZE) != 0)
        return DORY_E_CRYPTO;
    if (sig_n < ECDSA_TYPE_SIZE + 4 || memcmp(sig, ECDSA_TYPE, ECDSA_TYPE_SIZE) != 0 ||
        load_be32(sig + ECDSA_TYPE_SIZE) != sig_n - ECDSA_TYPE_SIZE - 4)
        return DORY_E_CRYPTO;
    if ((p = take_number(p, end, numbers)) == NULL || take_number(p, end, numbers + P256_SIZE) != end)
        return DORY_E_CRYPTO;
    dory_sha256_init(&hash);
    dory_sha256_update(&hash, msg, n);
    dory_sha256_final(&hash, digest);
    return dory_p256_verify(numbers, key + ECDSA_HEAD_SIZE, digest);
}

const struct dory_sigalg dory_sig_ecdsa_sha2_nistp256 = {
    .name = ECDSA_NAME,
    .key_type = ECDSA_NAME,
    .verify = verify,
};
