/* mlkem768x25519-sha256 (draft-ietf-sshm-mlkem-hybrid-kex): K = SHA-256(K_PQ || K_CL), safe while one of the two holds.
   In a folder of its own: a board that lists it must have DORY_KEX_STATE_SIZE for it. */
#include "../curve.h"
#include "../dory_crypto.h"
#include "../mlkem.h"

enum { PUBLIC = DORY_MLKEM_PUBLIC, CIPHERTEXT = DORY_MLKEM_CIPHERTEXT, POINT = 32 };

/* The seed and not the private key of 2,400 bytes that comes from it: the client makes it twice. */
struct state {
    uint8_t seed[DORY_MLKEM_SEED];
    uint8_t scalar[POINT];
};
_Static_assert(sizeof(struct state) <= DORY_KEX_STATE_SIZE, "DORY_KEX_STATE_SIZE is too small for mlkem768x25519");

static int keypair(void *state, uint8_t *init, const struct dory_rng *rng)
{
    struct state *s = state;

    if (rng->fill(rng->ctx, s->seed, sizeof s->seed) != DORY_OK || rng->fill(rng->ctx, s->scalar, sizeof s->scalar) != DORY_OK) {
        dory_wipe(s, sizeof *s);
        return DORY_E_RNG;
    }
    dory_mlkem_public(init, s->seed);
    dory_x25519_public(init + PUBLIC, s->scalar);
    return DORY_OK;
}

/* Wipes the two secrets. */
static void combine(uint8_t secret[32], uint8_t pq[32], uint8_t cl[32])
{
    struct dory_sha256 h;

    dory_sha256_init(&h);
    dory_sha256_update(&h, pq, 32);
    dory_sha256_update(&h, cl, 32);
    dory_sha256_final(&h, secret);
    dory_wipe(pq, 32);
    dory_wipe(cl, 32);
}

static int enc_with(const uint8_t *init, uint8_t *reply, uint8_t secret[32], const uint8_t entropy[DORY_MLKEM_ENTROPY],
                    const uint8_t scalar[POINT])
{
    uint8_t pq[32], cl[32];

    if (dory_mlkem_enc(reply, pq, init, entropy) != DORY_OK || dory_x25519(cl, scalar, init + PUBLIC) != DORY_OK) {
        dory_wipe(pq, sizeof pq);
        dory_wipe(cl, sizeof cl);
        dory_wipe(secret, 32);
        return DORY_E_CRYPTO;
    }
    dory_x25519_public(reply + CIPHERTEXT, scalar);
    combine(secret, pq, cl);
    return DORY_OK;
}

static int enc(const uint8_t *init, uint8_t *reply, uint8_t secret[32], const struct dory_rng *rng)
{
    uint8_t entropy[DORY_MLKEM_ENTROPY], scalar[POINT];
    int r = DORY_E_RNG;

    if (rng->fill(rng->ctx, entropy, sizeof entropy) == DORY_OK && rng->fill(rng->ctx, scalar, sizeof scalar) == DORY_OK)
        r = enc_with(init, reply, secret, entropy, scalar);
    dory_wipe(entropy, sizeof entropy);
    dory_wipe(scalar, sizeof scalar);
    return r;
}

/* A ciphertext that was tampered with gives a secret that nobody knows: the host key's signature fails then. */
static int dec(void *state, const uint8_t *reply, uint8_t secret[32])
{
    struct state *s = state;
    uint8_t pq[32], cl[32];
    int r = dory_x25519(cl, s->scalar, reply + CIPHERTEXT);

    dory_mlkem_dec(pq, reply, s->seed);
    dory_wipe(s, sizeof *s);
    combine(secret, pq, cl);
    if (r != DORY_OK)
        dory_wipe(secret, 32);
    return r;
}

const struct dory_kex dory_kex_mlkem768x25519_sha256 = {
    .name = "mlkem768x25519-sha256",
    .init_size = PUBLIC + POINT,
    .reply_size = CIPHERTEXT + POINT,
    .state_size = sizeof(struct state),
    .secret_is_string = true,
    .keypair = keypair,
    .enc = enc,
    .dec = dec,
};
