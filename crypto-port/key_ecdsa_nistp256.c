/* Private keys of ecdsa-sha2-nistp256: the scalar, and the point that belongs to it. */
#include <string.h>

#include "bytes.h"
#include "ecdsa_nistp256.h"
#include "hmac_sha256.h"

enum { POINT_AT = P256_SIZE };

_Static_assert(P256_SIZE + P256_POINT <= DORY_KEY_SECRET_SIZE, "DORY_KEY_SECRET_SIZE is too small for ecdsa-sha2-nistp256");
_Static_assert(ECDSA_SIG_MAX <= DORY_KEY_BLOB_MAX && ECDSA_KEY_SIZE <= DORY_KEY_BLOB_MAX, "DORY_KEY_BLOB_MAX");

int dory_ecdsa_nistp256_from_scalar(struct dory_key *key, const uint8_t scalar[32])
{
    key->type = &dory_key_ecdsa_nistp256;
    memmove(key->secret, scalar, P256_SIZE);
    return dory_p256_public(key->secret + POINT_AT, key->secret);
}

static int generate(struct dory_key *key, unsigned bits, const struct dory_rng *rng)
{
    uint8_t scalar[P256_SIZE];
    int r;

    if (bits != 0 && bits != 256)
        return DORY_E_ARG;
    r = dory_p256_draw(scalar, rng);
    if (r == DORY_OK)
        r = dory_ecdsa_nistp256_from_scalar(key, scalar);
    dory_wipe(scalar, sizeof scalar);
    return r;
}

static int public_blob(const struct dory_key *key, uint8_t *out, size_t cap)
{
    if (cap < ECDSA_KEY_SIZE)
        return DORY_E_SPACE;
    memcpy(out, ECDSA_KEY_HEAD, ECDSA_HEAD_SIZE);
    memcpy(out + ECDSA_HEAD_SIZE, key->secret + POINT_AT, P256_POINT);
    return ECDSA_KEY_SIZE;
}

/* RFC 6979 3.2 for SHA-256 and a group order of 256 bits: the nonce hangs on key and message alone, and nobody can bias it (K1). */
struct nonces {
    uint8_t k[32], v[32];
};

static void mac(const uint8_t k[32], const uint8_t v[32], const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n, uint8_t out[32])
{
    struct dory_hmac_sha256 h;

    dory_hmac_sha256_init(&h, k, 32);
    dory_hmac_sha256_update(&h, v, 32);
    dory_hmac_sha256_update(&h, a, a_n);
    dory_hmac_sha256_update(&h, b, b_n);
    dory_hmac_sha256_final(&h, out);
}

static void reseed(struct nonces *s, uint8_t mark, const uint8_t *more, size_t n)
{
    uint8_t head[1 + P256_SIZE] = {mark};

    if (n > 0)
        memcpy(head + 1, more, P256_SIZE);
    mac(s->k, s->v, head, n > 0 ? sizeof head : 1, n > 0 ? more + P256_SIZE : NULL, n > 0 ? n - P256_SIZE : 0, s->k);
    mac(s->k, s->v, NULL, 0, NULL, 0, s->v);
    dory_wipe(head, sizeof head);
}

/* The digest modulo n: it is below 2 n. */
static void digest_to_octets(uint8_t out[32], const uint8_t digest[32])
{
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    unsigned borrow = 0;

    for (int i = 31; i >= 0; i--) {
        unsigned d = 0x100u + digest[i] - order[i] - borrow;
        out[i] = (uint8_t)d;
        borrow = d < 0x100;
    }
    if (borrow)
        memcpy(out, digest, 32);
}

static int sign_digest(uint8_t sig[2 * P256_SIZE], const uint8_t scalar[P256_SIZE], const uint8_t digest[32])
{
    uint8_t seed[2 * P256_SIZE];
    struct nonces s;
    int r;

    memset(s.k, 0, sizeof s.k);
    memset(s.v, 1, sizeof s.v);
    memcpy(seed, scalar, P256_SIZE);
    digest_to_octets(seed + P256_SIZE, digest);
    reseed(&s, 0, seed, sizeof seed);
    reseed(&s, 1, seed, sizeof seed);
    for (;;) {
        mac(s.k, s.v, NULL, 0, NULL, 0, s.v);
        r = dory_p256_sign(sig, scalar, digest, s.v);
        if (r == DORY_OK || !dory_p256_is_scalar(scalar))
            break;
        reseed(&s, 0, NULL, 0);
    }
    dory_wipe(seed, sizeof seed);
    dory_wipe(&s, sizeof s);
    return r;
}

static uint8_t *put_number(uint8_t *p, const uint8_t number[P256_SIZE])
{
    size_t skip = 0;
    uint32_t sign_byte;

    while (skip < P256_SIZE - 1 && number[skip] == 0) skip++;
    sign_byte = number[skip] >> 7;
    store_be32(p, (uint32_t)(P256_SIZE - skip) + sign_byte);
    p += 4;
    if (sign_byte)
        *p++ = 0;
    memcpy(p, number + skip, P256_SIZE - skip);
    return p + P256_SIZE - skip;
}

static int sign(const struct dory_key *key, const char *alg, const uint8_t *msg, size_t n, uint8_t *out, size_t cap,
                const struct dory_rng *rng)
{
    uint8_t digest[32], numbers[2 * P256_SIZE], *p;
    struct dory_sha256 hash;
    int r;

    (void)rng;
    if (strcmp(alg, ECDSA_NAME) != 0)
        return DORY_E_ARG;
    if (cap < ECDSA_SIG_MAX)
        return DORY_E_SPACE;
    dory_sha256_init(&hash);
    dory_sha256_update(&hash, msg, n);
    dory_sha256_final(&hash, digest);
    r = sign_digest(numbers, key->secret, digest);
    if (r != DORY_OK)
        return r;
    memcpy(out, ECDSA_TYPE, ECDSA_TYPE_SIZE);
    p = put_number(out + ECDSA_TYPE_SIZE + 4, numbers);
    p = put_number(p, numbers + P256_SIZE);
    store_be32(out + ECDSA_TYPE_SIZE, (uint32_t)(p - out) - ECDSA_TYPE_SIZE - 4);
    return (int)(p - out);
}

const struct dory_keytype dory_key_ecdsa_nistp256 = {
    .name = ECDSA_NAME,
    .algorithms = {ECDSA_NAME},
    .generate = generate,
    .public_blob = public_blob,
    .sign = sign,
};
