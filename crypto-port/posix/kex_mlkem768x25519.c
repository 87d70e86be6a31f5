/* mlkem768x25519-sha256 (draft-ietf-sshm-mlkem-hybrid-kex, FIPS 203): K = SHA-256(K_PQ || K_CL), safe while one of the two holds. */
#include <sodium.h>

#include "../curve.h"
#include "../dory_crypto.h"

enum {
    PUBLIC = crypto_kem_mlkem768_PUBLICKEYBYTES,
    PRIVATE = crypto_kem_mlkem768_SECRETKEYBYTES,
    CIPHERTEXT = crypto_kem_mlkem768_CIPHERTEXTBYTES,
    ENC_SEED = 32,
    POINT = 32
};

/* The seed and not the private key of 2,400 bytes that comes from it: the client makes it twice. */
struct state {
    uint8_t seed[crypto_kem_mlkem768_SEEDBYTES];
    uint8_t scalar[POINT];
};
_Static_assert(sizeof(struct state) <= DORY_KEX_STATE_SIZE, "DORY_KEX_STATE_SIZE is too small for mlkem768x25519");

static int keypair(void *state, uint8_t *init, const struct dory_rng *rng)
{
    struct state *s = state;
    uint8_t private[PRIVATE];

    if (rng->fill(rng->ctx, s->seed, sizeof s->seed) != DORY_OK || rng->fill(rng->ctx, s->scalar, sizeof s->scalar) != DORY_OK) {
        dory_wipe(s, sizeof *s);
        return DORY_E_RNG;
    }
    crypto_kem_mlkem768_seed_keypair(init, private, s->seed);
    dory_wipe(private, sizeof private);
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

/* libsodium refuses a public key with coefficients >= q (FIPS 203 7.2), tests/unit/test_crypto_mlkem.c holds it to that. */
static int enc_with(const uint8_t *init, uint8_t *reply, uint8_t secret[32], const uint8_t seed[ENC_SEED], const uint8_t scalar[POINT])
{
    uint8_t pq[32], cl[32];

    if (crypto_kem_mlkem768_enc_deterministic(reply, pq, init, seed) != 0 || dory_x25519(cl, scalar, init + PUBLIC) != DORY_OK) {
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
    uint8_t seed[ENC_SEED], scalar[POINT];
    int r = DORY_E_RNG;

    if (rng->fill(rng->ctx, seed, sizeof seed) == DORY_OK && rng->fill(rng->ctx, scalar, sizeof scalar) == DORY_OK)
        r = enc_with(init, reply, secret, seed, scalar);
    dory_wipe(seed, sizeof seed);
    dory_wipe(scalar, sizeof scalar);
    return r;
}

/* A ciphertext that was tampered with gives a secret that nobody knows (FIPS 203 6.3): the host key's signature fails then. */
static int dec(void *state, const uint8_t *reply, uint8_t secret[32])
{
    struct state *s = state;
    uint8_t public[PUBLIC], private[PRIVATE], pq[32], cl[32];
    int r = dory_x25519(cl, s->scalar, reply + CIPHERTEXT);

    crypto_kem_mlkem768_seed_keypair(public, private, s->seed);
    if (crypto_kem_mlkem768_dec(pq, reply, private) != 0)
        r = DORY_E_CRYPTO;
    dory_wipe(private, sizeof private);
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
