/* RSA private keys. Only the five numbers are kept, in fixed places; what Mbed TLS makes of them lives on the heap for one operation and
   is wiped when it is freed. Private operations are blinded, and checked before the signature is handed out (K2). */
#include <string.h>

#include "../bytes.h"
#include "rsa.h"

#define RSA_NAME "ssh-rsa"

enum { N_AT = 0, D_AT = RSA_MAX, P_AT = 2 * RSA_MAX, Q_AT = P_AT + RSA_MAX / 2, E_AT = Q_AT + RSA_MAX / 2, TOTAL = E_AT + RSA_E_MAX };

static const struct place {
    uint16_t at, n;
} places[] = {[DORY_RSA_N] = {N_AT, RSA_MAX},
              [DORY_RSA_E] = {E_AT, RSA_E_MAX},
              [DORY_RSA_D] = {D_AT, RSA_MAX},
              [DORY_RSA_P] = {P_AT, RSA_MAX / 2},
              [DORY_RSA_Q] = {Q_AT, RSA_MAX / 2}};

_Static_assert(TOTAL <= DORY_KEY_SECRET_SIZE, "DORY_KEY_SECRET_SIZE is too small for RSA");
_Static_assert(4 + 7 + 4 + RSA_E_MAX + 1 + 4 + RSA_MAX + 1 <= DORY_KEY_BLOB_MAX, "DORY_KEY_BLOB_MAX");

static int draw(void *ctx, unsigned char *out, size_t n)
{
    const struct dory_rng *rng = ctx;

    return rng->fill(rng->ctx, out, n) == DORY_OK ? 0 : MBEDTLS_ERR_RSA_RNG_FAILED;
}

static struct dory_number trim(const uint8_t *p, size_t n)
{
    while (n > 0 && *p == 0) p++, n--;
    return (struct dory_number){p, n};
}

static struct dory_number number(const struct dory_key *key, enum dory_rsa_number which)
{
    return trim(key->secret + places[which].at, places[which].n);
}

/* Without the zeros in front: Mbed TLS would compute with them too, for tens of milliseconds. */
static int import(mbedtls_rsa_context *rsa, const struct dory_key *key)
{
    const struct dory_number n = number(key, DORY_RSA_N), p = number(key, DORY_RSA_P), q = number(key, DORY_RSA_Q),
                             d = number(key, DORY_RSA_D), e = number(key, DORY_RSA_E);
    int error = mbedtls_rsa_import_raw(rsa, n.p, n.n, p.p, p.n, q.p, q.n, d.p, d.n, e.p, e.n);

    return error ? error : mbedtls_rsa_complete(rsa);
}

static int store(struct dory_key *key, enum dory_rsa_number which, struct dory_number v)
{
    struct place place = places[which];

    v = trim(v.p, v.n);
    if (v.n == 0)
        return DORY_E_CRYPTO; /* Mbed TLS would work it out from the others */
    if (v.n > place.n)
        return DORY_E_NOSYS;
    memset(key->secret + place.at, 0, place.n - v.n);
    memcpy(key->secret + place.at + place.n - v.n, v.p, v.n);
    return DORY_OK;
}

static int check(const struct dory_key *key)
{
    mbedtls_rsa_context rsa;
    int r = DORY_E_CRYPTO;

    mbedtls_rsa_init(&rsa);
    if (import(&rsa, key) == 0)
        r = dory_rsa_is_usable(&rsa) ? DORY_OK : DORY_E_NOSYS;
    if (r == DORY_OK && mbedtls_rsa_check_privkey(&rsa) != 0)
        r = DORY_E_CRYPTO;
    mbedtls_rsa_free(&rsa);
    return r;
}

int dory_rsa_from_numbers(struct dory_key *key, const struct dory_number numbers[5])
{
    int r = DORY_OK;

    key->type = &dory_key_rsa;
    for (unsigned i = 0; i < 5 && r == DORY_OK; i++) r = store(key, i, numbers[i]);
    if (r == DORY_OK)
        r = check(key);
    if (r != DORY_OK)
        dory_wipe(key, sizeof *key);
    return r;
}

/* d mod p-1, d mod q-1, 1/q mod p */
static int derived(const struct dory_key *key, enum dory_rsa_number which, uint8_t *out, size_t cap)
{
    mbedtls_rsa_context rsa;
    mbedtls_mpi v[3];
    int r = DORY_E_CRYPTO;

    mbedtls_rsa_init(&rsa);
    for (int i = 0; i < 3; i++) mbedtls_mpi_init(&v[i]);
    if (import(&rsa, key) == 0 && mbedtls_rsa_export_crt(&rsa, &v[0], &v[1], &v[2]) == 0) {
        size_t n = mbedtls_mpi_size(&v[which - DORY_RSA_DP]);
        r = n <= cap && mbedtls_mpi_write_binary(&v[which - DORY_RSA_DP], out, n) == 0 ? (int)n : DORY_E_SPACE;
    }
    for (int i = 0; i < 3; i++) mbedtls_mpi_free(&v[i]);
    mbedtls_rsa_free(&rsa);
    return r;
}

int dory_rsa_number(const struct dory_key *key, enum dory_rsa_number which, uint8_t *out, size_t cap)
{
    struct dory_number v;

    if (which >= DORY_RSA_DP)
        return derived(key, which, out, cap);
    v = number(key, which);
    if (v.n > cap)
        return DORY_E_SPACE;
    memcpy(out, v.p, v.n);
    return (int)v.n;
}

static int export_generated(struct dory_key *key, const mbedtls_rsa_context *rsa)
{
    uint8_t *s = key->secret;

    key->type = &dory_key_rsa;
    return mbedtls_rsa_export_raw(rsa, s + N_AT, RSA_MAX, s + P_AT, RSA_MAX / 2, s + Q_AT, RSA_MAX / 2, s + D_AT, RSA_MAX, s + E_AT,
                                  RSA_E_MAX) == 0
               ? DORY_OK
               : DORY_E_CRYPTO;
}

static int generate(struct dory_key *key, unsigned bits, const struct dory_rng *rng)
{
    mbedtls_rsa_context rsa;
    struct dory_rng source = *rng;
    int r;

    if (bits < DORY_RSA_BITS_MIN || bits > DORY_RSA_BITS_MAX || bits % 2 != 0)
        return DORY_E_ARG;
    mbedtls_rsa_init(&rsa);
    r = mbedtls_rsa_gen_key(&rsa, draw, &source, bits, 65537);
    r = r == 0 ? export_generated(key, &rsa) : r == MBEDTLS_ERR_RSA_RNG_FAILED ? DORY_E_RNG : DORY_E_CRYPTO;
    mbedtls_rsa_free(&rsa);
    if (r != DORY_OK)
        dory_wipe(key, sizeof *key);
    return r;
}

static uint8_t *put_string(uint8_t *p, const void *bytes, size_t n)
{
    store_be32(p, (uint32_t)n);
    memcpy(p + 4, bytes, n);
    return p + 4 + n;
}

/* An mpint; the places begin with zeros, of which one stays where the top bit is set. */
static uint8_t *put_number(uint8_t *p, const struct dory_key *key, enum dory_rsa_number which)
{
    uint8_t bytes[1 + RSA_MAX] = {0};
    int n = dory_rsa_number(key, which, bytes + 1, RSA_MAX);
    size_t sign_byte = bytes[1] >> 7;

    return put_string(p, bytes + 1 - sign_byte, (size_t)n + sign_byte);
}

static int public_blob(const struct dory_key *key, uint8_t *out, size_t cap)
{
    uint8_t *p = out;

    if (cap < DORY_KEY_BLOB_MAX)
        return DORY_E_SPACE;
    p = put_string(p, RSA_NAME, strlen(RSA_NAME));
    p = put_number(p, key, DORY_RSA_E);
    p = put_number(p, key, DORY_RSA_N);
    return (int)(p - out);
}

static int sign(const struct dory_key *key, const char *alg, const uint8_t *msg, size_t n, uint8_t *out, size_t cap,
                const struct dory_rng *rng)
{
    const struct dory_rsa_hash *hash = dory_rsa_hash_of(alg);
    struct dory_rng source = *rng;
    mbedtls_rsa_context rsa;
    uint8_t digest[64], sig[RSA_MAX];
    int r = DORY_E_CRYPTO;

    if (hash == NULL)
        return DORY_E_ARG;
    if (cap < DORY_KEY_BLOB_MAX)
        return DORY_E_SPACE;
    dory_rsa_digest(hash, msg, n, digest);
    mbedtls_rsa_init(&rsa);
    if (import(&rsa, key) == 0 && mbedtls_rsa_get_len(&rsa) <= sizeof sig &&
        mbedtls_rsa_rsassa_pkcs1_v15_sign(&rsa, draw, &source, hash->type, hash->size, digest, sig) == 0)
        r = (int)(put_string(put_string(out, alg, strlen(alg)), sig, mbedtls_rsa_get_len(&rsa)) - out);
    mbedtls_rsa_free(&rsa);
    return r;
}

const struct dory_keytype dory_key_rsa = {
    .name = RSA_NAME,
    .algorithms = {"rsa-sha2-512", "rsa-sha2-256"},
    .generate = generate,
    .public_blob = public_blob,
    .sign = sign,
};
