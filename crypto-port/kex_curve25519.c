#include "curve.h"
#include "dory_crypto.h"

enum { SIZE = 32 };
_Static_assert(SIZE <= DORY_KEX_STATE_SIZE, "DORY_KEX_STATE_SIZE is too small for curve25519");

static int random_scalar(uint8_t scalar[SIZE], const struct dory_rng *rng)
{
    if (rng->fill(rng->ctx, scalar, SIZE) == DORY_OK)
        return DORY_OK;
    dory_wipe(scalar, SIZE);
    return DORY_E_RNG;
}

static int keypair(void *state, uint8_t *init, const struct dory_rng *rng)
{
    int r = random_scalar(state, rng);

    if (r == DORY_OK)
        dory_x25519_public(init, state);
    return r;
}

static int agree(uint8_t secret[SIZE], uint8_t scalar[SIZE], const uint8_t *point)
{
    int r = dory_x25519(secret, scalar, point);

    dory_wipe(scalar, SIZE);
    if (r != DORY_OK)
        dory_wipe(secret, SIZE);
    return r;
}

static int enc(const uint8_t *init, uint8_t *reply, uint8_t secret[SIZE], const struct dory_rng *rng)
{
    uint8_t scalar[SIZE];
    int r = random_scalar(scalar, rng);

    if (r != DORY_OK)
        return r;
    dory_x25519_public(reply, scalar);
    return agree(secret, scalar, init);
}

static int dec(void *state, const uint8_t *reply, uint8_t secret[SIZE])
{
    return agree(secret, state, reply);
}

#define CURVE25519(wire_name)                                                                                                         \
    {                                                                                                                                 \
        .name = (wire_name), .init_size = SIZE, .reply_size = SIZE, .state_size = SIZE, .keypair = keypair, .enc = enc, .dec = dec,   \
    }

const struct dory_kex dory_kex_curve25519_sha256 = CURVE25519("curve25519-sha256");
const struct dory_kex dory_kex_curve25519_sha256_libssh = CURVE25519("curve25519-sha256@libssh.org");
