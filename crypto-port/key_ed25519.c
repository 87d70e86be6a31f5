#include <string.h>

#include "curve.h"
#include "dory_crypto.h"
#include "sig_ed25519.h"

_Static_assert(DORY_KEY_SECRET_SIZE >= 64, "DORY_KEY_SECRET_SIZE is too small for ssh-ed25519");
_Static_assert(ED25519_SIG_SIZE <= DORY_KEY_BLOB_MAX, "DORY_KEY_BLOB_MAX");

int dory_ed25519_from_seed(struct dory_key *key, const uint8_t seed[32])
{
    key->type = &dory_key_ed25519;
    dory_ed25519_expand(key->secret, seed);
    return DORY_OK;
}

static int generate(struct dory_key *key, unsigned bits, const struct dory_rng *rng)
{
    uint8_t seed[32];
    int r;

    (void)bits; /* the curve has one size */
    r = rng->fill(rng->ctx, seed, sizeof seed) == DORY_OK ? dory_ed25519_from_seed(key, seed) : DORY_E_RNG;
    dory_wipe(seed, sizeof seed);
    return r;
}

static int public_blob(const struct dory_key *key, uint8_t *out, size_t cap)
{
    if (cap < ED25519_KEY_SIZE)
        return DORY_E_SPACE;
    memcpy(out, ED25519_KEY_HEAD, ED25519_HEAD_SIZE);
    memcpy(out + ED25519_HEAD_SIZE, key->secret + 32, 32);
    return ED25519_KEY_SIZE;
}

static int sign(const struct dory_key *key, const char *alg, const uint8_t *msg, size_t n, uint8_t *out, size_t cap,
                const struct dory_rng *rng)
{
    (void)rng; /* RFC 8032: the nonce is derived */
    if (strcmp(alg, ED25519_NAME) != 0)
        return DORY_E_ARG;
    if (cap < ED25519_SIG_SIZE)
        return DORY_E_SPACE;
    memcpy(out, ED25519_SIG_HEAD, ED25519_HEAD_SIZE);
    dory_ed25519_sign(out + ED25519_HEAD_SIZE, msg, n, key->secret);
    return ED25519_SIG_SIZE;
}

const struct dory_keytype dory_key_ed25519 = {
    .name = ED25519_NAME,
    .algorithms = {ED25519_NAME},
    .generate = generate,
    .public_blob = public_blob,
    .sign = sign,
};
