/* ecdh-sha2-nistp256 (RFC 5656 4) */
#include <string.h>

#include "p256.h"

_Static_assert(P256_SIZE <= DORY_KEX_STATE_SIZE, "DORY_KEX_STATE_SIZE is too small for nistp256");

/* The uncompressed form (SEC 1 2.3.3), the only one that is taken from a peer. */
static int encode_public(uint8_t out[P256_ENCODED], const uint8_t scalar[P256_SIZE])
{
    out[0] = 4;
    return dory_p256_public(out + 1, scalar);
}

static int agree(uint8_t secret[P256_SIZE], uint8_t scalar[P256_SIZE], const uint8_t theirs[P256_ENCODED])
{
    int r = theirs[0] == 4 ? dory_p256_agree(secret, scalar, theirs + 1) : DORY_E_CRYPTO;

    dory_wipe(scalar, P256_SIZE);
    if (r != DORY_OK)
        dory_wipe(secret, P256_SIZE);
    return r;
}

static int keypair(void *state, uint8_t *init, const struct dory_rng *rng)
{
    int r = dory_p256_draw(state, rng);

    return r == DORY_OK ? encode_public(init, state) : r;
}

static int enc(const uint8_t *init, uint8_t *reply, uint8_t secret[P256_SIZE], const struct dory_rng *rng)
{
    uint8_t scalar[P256_SIZE];
    int r = dory_p256_draw(scalar, rng);

    if (r != DORY_OK)
        return r;
    encode_public(reply, scalar);
    return agree(secret, scalar, init);
}

static int dec(void *state, const uint8_t *reply, uint8_t secret[P256_SIZE])
{
    return agree(secret, state, reply);
}

const struct dory_kex dory_kex_ecdh_sha2_nistp256 = {
    .name = "ecdh-sha2-nistp256",
    .init_size = P256_ENCODED,
    .reply_size = P256_ENCODED,
    .state_size = P256_SIZE,
    .keypair = keypair,
    .enc = enc,
    .dec = dec,
};
