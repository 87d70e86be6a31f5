#include "key_der.h"

#include <string.h>

#include <mbedtls/asn1.h>

#include "key_oids.h"

enum {
    SEQUENCE = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE,
    FIELD = MBEDTLS_ASN1_CONTEXT_SPECIFIC,
    STRUCTURE = FIELD | MBEDTLS_ASN1_CONSTRUCTED
};

struct dory_der dory_der_take(struct dory_der *in, int tag)
{
    struct dory_der content = {in->p, in->p, true};
    size_t n;

    if (in->bad || mbedtls_asn1_get_tag(&in->p, in->end, &n, tag) != 0) {
        in->bad = true;
        return content;
    }
    content = (struct dory_der){in->p, in->p + n, false};
    in->p += n;
    return content;
}

bool dory_der_next_is(const struct dory_der *in, int tag)
{
    return !in->bad && in->p < in->end && *in->p == tag;
}

bool dory_der_at_end(const struct dory_der *in)
{
    return !in->bad && in->p == in->end;
}

struct dory_number dory_der_number(struct dory_der *in)
{
    struct dory_der v = dory_der_take(in, MBEDTLS_ASN1_INTEGER);

    if (v.bad || v.p == v.end || *v.p & 0x80) {
        in->bad = true;
        return (struct dory_number){NULL, 0};
    }
    return (struct dory_number){v.p, (size_t)(v.end - v.p)};
}

bool dory_der_is_number(struct dory_der *in, unsigned value)
{
    struct dory_number v = dory_der_number(in);

    return v.n == 1 && v.p[0] == value;
}

bool dory_der_is_oid(struct dory_der *in, const char *oid)
{
    struct dory_der copy = *in, v = dory_der_take(&copy, MBEDTLS_ASN1_OID);
    size_t n = strlen(oid);

    if (v.bad || (size_t)(v.end - v.p) != n || memcmp(v.p, oid, n) != 0)
        return false;
    *in = copy;
    return true;
}

int dory_der_rsa(struct dory_key *key, struct dory_der in)
{
    struct dory_der s = dory_der_take(&in, SEQUENCE);
    struct dory_number numbers[DORY_RSA_IQMP + 1];

    if (!dory_der_at_end(&in) || !dory_der_is_number(&s, 0))
        return DORY_E_CRYPTO;
    for (unsigned i = 0; i <= DORY_RSA_IQMP; i++) numbers[i] = dory_der_number(&s);
    return dory_der_at_end(&s) ? dory_rsa_from_numbers(key, numbers) : DORY_E_CRYPTO;
}

/* curve: known already from around it; else it must be said here. */
static int ec_private(struct dory_key *key, struct dory_der in, bool curve)
{
    struct dory_der s = dory_der_take(&in, SEQUENCE), scalar, field, point = {NULL, NULL, false};
    int r;

    if (!dory_der_at_end(&in) || !dory_der_is_number(&s, 1))
        return DORY_E_CRYPTO;
    scalar = dory_der_take(&s, MBEDTLS_ASN1_OCTET_STRING);
    if (dory_der_next_is(&s, STRUCTURE | 0)) {
        field = dory_der_take(&s, STRUCTURE | 0);
        curve = true;
        if (!dory_der_is_oid(&field, OID_P256))
            return DORY_E_NOSYS;
    }
    if (dory_der_next_is(&s, STRUCTURE | 1)) {
        field = dory_der_take(&s, STRUCTURE | 1);
        point = dory_der_take(&field, MBEDTLS_ASN1_BIT_STRING);
    }
    if (!dory_der_at_end(&s) || !curve || scalar.end - scalar.p != 32)
        return DORY_E_CRYPTO;
    r = dory_ecdsa_nistp256_from_scalar(key, scalar.p);
    if (r == DORY_OK && point.p &&
        (point.bad || point.end - point.p != 66 || point.p[0] != 0 || point.p[1] != 4 || !dory_equal(point.p + 2, key->secret + 32, 64)))
        r = DORY_E_CRYPTO;
    return r;
}

int dory_der_ec(struct dory_key *key, struct dory_der in)
{
    return ec_private(key, in, false);
}

static int ed25519_private(struct dory_key *key, struct dory_der in)
{
    struct dory_der seed = dory_der_take(&in, MBEDTLS_ASN1_OCTET_STRING);

    if (!dory_der_at_end(&in) || seed.end - seed.p != 32)
        return DORY_E_CRYPTO;
    return dory_ed25519_from_seed(key, seed.p);
}

int dory_der_pkcs8(struct dory_key *key, struct dory_der in)
{
    struct dory_der s = dory_der_take(&in, SEQUENCE), type, inner;
    struct dory_number version = dory_der_number(&s);

    type = dory_der_take(&s, SEQUENCE);
    inner = dory_der_take(&s, MBEDTLS_ASN1_OCTET_STRING);
    if (!dory_der_at_end(&in) || s.bad || version.n != 1 || version.p[0] > 1) /* attributes and the public key may follow */
        return DORY_E_CRYPTO;
    if (dory_der_is_oid(&type, OID_RSA))
        return dory_der_rsa(key, inner);
    if (dory_der_is_oid(&type, OID_ED25519))
        return ed25519_private(key, inner);
    if (dory_der_is_oid(&type, OID_EC))
        return dory_der_is_oid(&type, OID_P256) ? ec_private(key, inner, true) : DORY_E_NOSYS;
    return DORY_E_NOSYS;
}
