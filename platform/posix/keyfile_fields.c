/* What a private key consists of, type by type. A new type is one more row at the end. */
#include <string.h>

#include "keyfile_internal.h"

void dory_writer_put(struct dory_writer *out, const void *bytes, size_t n)
{
    if (n > 0 && out->n + n <= out->cap)
        memcpy(out->p + out->n, bytes, n);
    out->n += n;
}

void dory_writer_string(struct dory_writer *out, const void *bytes, size_t n)
{
    uint8_t length[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    dory_writer_put(out, length, 4);
    dory_writer_put(out, bytes, n);
}

/* Positive, in its shortest form (RFC 4251 5). */
static struct dory_number take_number(struct dory_blob *in)
{
    struct dory_blob v = dory_blob_string(in);
    if (v.bad || v.n == 0 || v.p[0] & 0x80 || (v.p[0] == 0 && (v.n < 2 || !(v.p[1] & 0x80)))) {
        in->bad = true;
        return (struct dory_number){NULL, 0};
    }
    return (struct dory_number){v.p, v.n};
}

/* number[0..n) behind a free byte, which becomes the sign where one is needed */
static void put_number(struct dory_writer *out, uint8_t *number, size_t n)
{
    number[-1] = 0;
    while (n > 0 && *number == 0) number++, n--;
    if (n > 0 && *number & 0x80)
        number--, n++;
    dory_writer_string(out, number, n);
}

/* ---- ssh-ed25519: the public key, then seed and public key */

static int read_ed25519(struct dory_blob *in, struct dory_key *key)
{
    struct dory_blob pub = dory_blob_string(in), secret = dory_blob_string(in);
    if (in->bad || pub.n != 32 || secret.n != 64)
        return DORY_E_CRYPTO;
    int r = dory_ed25519_from_seed(key, secret.p);
    if (r == DORY_OK && (!dory_equal(key->secret, secret.p, 64) || !dory_equal(key->secret + 32, pub.p, 32)))
        r = DORY_E_CRYPTO;
    return r;
}

static int put_ed25519(struct dory_writer *out, const struct dory_key *key)
{
    dory_writer_string(out, key->secret + 32, 32);
    dory_writer_string(out, key->secret, 64);
    return DORY_OK;
}

/* ---- ecdsa-sha2-nistp256: the curve's name, the point, the scalar */

static int read_ecdsa(struct dory_blob *in, struct dory_key *key)
{
    struct dory_blob curve = dory_blob_string(in), point = dory_blob_string(in);
    struct dory_number scalar = take_number(in);
    uint8_t padded[32] = {0};
    if (in->bad || !dory_blob_is(&curve, "nistp256") || point.n != 65 || point.p[0] != 4 || scalar.n > 33)
        return DORY_E_CRYPTO;
    if (scalar.n == 33)
        scalar.p++, scalar.n--;
    memcpy(padded + 32 - scalar.n, scalar.p, scalar.n);
    int r = dory_ecdsa_nistp256_from_scalar(key, padded);
    dory_wipe(padded, sizeof padded);
    if (r == DORY_OK && !dory_equal(key->secret + 32, point.p + 1, 64))
        r = DORY_E_CRYPTO;
    return r;
}

static int put_ecdsa(struct dory_writer *out, const struct dory_key *key)
{
    uint8_t point[65] = {4}, scalar[1 + 32];
    memcpy(point + 1, key->secret + 32, 64);
    memcpy(scalar + 1, key->secret, 32);
    dory_writer_string(out, "nistp256", 8);
    dory_writer_string(out, point, sizeof point);
    put_number(out, scalar + 1, 32);
    dory_wipe(scalar, sizeof scalar);
    return DORY_OK;
}

/* ---- ssh-rsa: n, e, d, 1/q mod p, p, q */

static const enum dory_rsa_number rsa_order[] = {DORY_RSA_N, DORY_RSA_E, DORY_RSA_D, DORY_RSA_IQMP, DORY_RSA_P, DORY_RSA_Q};

static int read_rsa(struct dory_blob *in, struct dory_key *key)
{
    struct dory_number numbers[DORY_RSA_IQMP + 1];
    for (size_t i = 0; i < sizeof rsa_order / sizeof *rsa_order; i++) numbers[rsa_order[i]] = take_number(in);
    return in->bad ? DORY_E_CRYPTO : dory_rsa_from_numbers(key, numbers);
}

static int put_rsa(struct dory_writer *out, const struct dory_key *key)
{
    uint8_t number[1 + DORY_RSA_BITS_MAX / 8];
    int n = 0;
    for (size_t i = 0; n >= 0 && i < sizeof rsa_order / sizeof *rsa_order; i++)
        if ((n = dory_rsa_number(key, rsa_order[i], number + 1, sizeof number - 1)) >= 0)
            put_number(out, number + 1, (size_t)n);
    dory_wipe(number, sizeof number);
    return n < 0 ? n : DORY_OK;
}

static const struct {
    const struct dory_keytype *type;
    int (*read)(struct dory_blob *in, struct dory_key *key);
    int (*put)(struct dory_writer *out, const struct dory_key *key);
} fields[] = {
    {&dory_key_ed25519, read_ed25519, put_ed25519},
    {&dory_key_ecdsa_nistp256, read_ecdsa, put_ecdsa},
    {&dory_key_rsa, read_rsa, put_rsa},
};
#define TYPES (sizeof fields / sizeof *fields)

int dory_key_fields_read(struct dory_blob *in, struct dory_key *key)
{
    struct dory_blob type = dory_blob_string(in);
    for (size_t i = 0; i < TYPES; i++)
        if (dory_blob_is(&type, fields[i].type->name))
            return fields[i].read(in, key);
    return in->bad ? DORY_E_CRYPTO : DORY_E_NOSYS;
}

int dory_key_fields_put(struct dory_writer *out, const struct dory_key *key)
{
    for (size_t i = 0; i < TYPES; i++)
        if (fields[i].type == key->type) {
            dory_writer_string(out, key->type->name, strlen(key->type->name));
            return fields[i].put(out, key);
        }
    return DORY_E_NOSYS;
}
