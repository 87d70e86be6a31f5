/* ecdh-sha2-nistp256 (RFC 5656 4) on Mbed TLS, whose big numbers live on the heap and are wiped when they are freed.
   Its arithmetic modulo p has branches that depend on values; what protects the scalar is that each multiplication begins with random
   coordinates. */
#include <string.h>

#include <mbedtls/ecdh.h>
#include <sodium.h>

#include "../dory_crypto.h"

enum { SIZE = 32, POINT = 65, TRIES = 8 };

struct state {
    uint8_t scalar[SIZE];
    uint8_t blinding[SIZE]; /* key of the random numbers that hide the scalar in a multiplication; dec has no other source */
};
_Static_assert(sizeof(struct state) <= DORY_KEX_STATE_SIZE, "DORY_KEX_STATE_SIZE is too small for nistp256");

struct numbers {
    mbedtls_ecp_group group;
    mbedtls_mpi scalar, x;
    mbedtls_ecp_point point;
    uint8_t blinding[SIZE], used[crypto_stream_chacha20_NONCEBYTES];
};

static int begin(struct numbers *n)
{
    memset(n, 0, sizeof *n);
    mbedtls_ecp_group_init(&n->group);
    mbedtls_mpi_init(&n->scalar);
    mbedtls_mpi_init(&n->x);
    mbedtls_ecp_point_init(&n->point);
    return mbedtls_ecp_group_load(&n->group, MBEDTLS_ECP_DP_SECP256R1);
}

static void end(struct numbers *n)
{
    mbedtls_ecp_point_free(&n->point);
    mbedtls_mpi_free(&n->x);
    mbedtls_mpi_free(&n->scalar);
    mbedtls_ecp_group_free(&n->group);
    dory_wipe(n, sizeof *n);
}

static int blind(void *ctx, unsigned char *out, size_t size)
{
    struct numbers *n = ctx;

    crypto_stream_chacha20(out, size, n->used, n->blinding);
    sodium_increment(n->used, sizeof n->used);
    return 0;
}

/* Not 0 also where the scalar is 0 or not below the group's order. */
static int load_scalar(struct numbers *n, const struct state *s)
{
    int e = mbedtls_mpi_read_binary(&n->scalar, s->scalar, SIZE);

    memcpy(n->blinding, s->blinding, SIZE);
    return e ? e : mbedtls_ecp_check_privkey(&n->group, &n->scalar);
}

/* FIPS 186-5 A.2.2: draw again until it is in range; one draw in 2^32 is not. */
static int draw(struct numbers *n, struct state *s, const struct dory_rng *rng)
{
    for (int i = 0; i < TRIES; i++) {
        if (rng->fill(rng->ctx, s->scalar, SIZE) != DORY_OK || rng->fill(rng->ctx, s->blinding, SIZE) != DORY_OK)
            break;
        if (load_scalar(n, s) == 0)
            return DORY_OK;
    }
    dory_wipe(s, sizeof *s);
    return DORY_E_RNG;
}

static int public_point(struct numbers *n, uint8_t out[POINT])
{
    size_t size;

    if (mbedtls_ecp_mul(&n->group, &n->point, &n->scalar, &n->group.G, blind, n) != 0 ||
        mbedtls_ecp_point_write_binary(&n->group, &n->point, MBEDTLS_ECP_PF_UNCOMPRESSED, &size, out, POINT) != 0)
        return DORY_E_CRYPTO;
    return DORY_OK;
}

/* The peer's point must be uncompressed and on the curve (RFC 5656 4, SEC 1 3.2.2.1). */
static int agree(struct numbers *n, const uint8_t theirs[POINT], uint8_t secret[SIZE])
{
    if (theirs[0] == 4 && mbedtls_ecp_point_read_binary(&n->group, &n->point, theirs, POINT) == 0 &&
        mbedtls_ecp_check_pubkey(&n->group, &n->point) == 0 &&
        mbedtls_ecdh_compute_shared(&n->group, &n->x, &n->point, &n->scalar, blind, n) == 0 &&
        mbedtls_mpi_write_binary(&n->x, secret, SIZE) == 0)
        return DORY_OK;
    dory_wipe(secret, SIZE);
    return DORY_E_CRYPTO;
}

static int keypair(void *state, uint8_t *init, const struct dory_rng *rng)
{
    struct numbers n;
    int r = begin(&n) == 0 ? draw(&n, state, rng) : DORY_E_CRYPTO;

    if (r == DORY_OK)
        r = public_point(&n, init);
    end(&n);
    if (r != DORY_OK)
        dory_wipe(state, sizeof(struct state));
    return r;
}

static int enc(const uint8_t *init, uint8_t *reply, uint8_t secret[SIZE], const struct dory_rng *rng)
{
    struct numbers n;
    struct state s;
    int r = begin(&n) == 0 ? draw(&n, &s, rng) : DORY_E_CRYPTO;

    if (r == DORY_OK)
        r = public_point(&n, reply);
    if (r == DORY_OK)
        r = agree(&n, init, secret);
    end(&n);
    dory_wipe(&s, sizeof s);
    return r;
}

static int dec(void *state, const uint8_t *reply, uint8_t secret[SIZE])
{
    struct numbers n;
    int r = begin(&n) == 0 && load_scalar(&n, state) == 0 ? agree(&n, reply, secret) : DORY_E_CRYPTO;

    end(&n);
    dory_wipe(state, sizeof(struct state));
    if (r != DORY_OK)
        dory_wipe(secret, SIZE);
    return r;
}

const struct dory_kex dory_kex_ecdh_sha2_nistp256 = {
    .name = "ecdh-sha2-nistp256",
    .init_size = POINT,
    .reply_size = POINT,
    .state_size = sizeof(struct state),
    .keypair = keypair,
    .enc = enc,
    .dec = dec,
};
