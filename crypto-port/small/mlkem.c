/* ML-KEM-768 in little stack. libsodium's arithmetic of polynomials is included here; what stands over it, K-PKE and the transform of
   FIPS 203, is made again so that the matrix, the private key and the second ciphertext are never there as a whole: each polynomial
   is made when it is needed. 4 to 6 KiB of stack in place of 10 to 18. */
#include "../mlkem.h"

#include "../dory_crypto.h"
#include "keccak.h"

#define sodium_memzero dory_wipe
#include <crypto_kem/mlkem768/ref/kem_mlkem768_ref.c>

enum { K = MLKEM768_K, POLY = MLKEM768_POLYBYTES, DU = MLKEM768_POLYCOMPRESSEDBYTES_DU, DV = MLKEM768_POLYCOMPRESSEDBYTES_DV };

/* All that is on the stack for long, in one place, so that it is wiped in one call. */
struct work {
    poly s[K]; /* the secret vector: s, or y when encrypting */
    poly a, product, sum;
    struct dory_keccak hash;
    uint8_t bytes[DU];
};

static void sha3(struct dory_keccak *hash, uint8_t *out, size_t out_n, const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
    dory_keccak_init(hash, out_n == 64 ? DORY_SHA3_512_RATE : DORY_SHA3_256_RATE);
    dory_keccak_absorb(hash, a, a_n);
    dory_keccak_absorb(hash, b, b_n);
    dory_keccak_pad(hash, DORY_DOMAIN_SHA3);
    dory_keccak_squeeze(hash, out, out_n);
}

/* SamplePolyCBD of PRF(seed, number) (FIPS 203 4.2.2) */
static void noise(struct work *w, poly *r, const uint8_t seed[32], uint8_t number)
{
    dory_keccak_init(&w->hash, DORY_SHAKE256_RATE);
    dory_keccak_absorb(&w->hash, seed, 32);
    dory_keccak_absorb(&w->hash, &number, 1);
    dory_keccak_pad(&w->hash, DORY_DOMAIN_SHAKE);
    dory_keccak_squeeze(&w->hash, w->bytes, MLKEM768_ETA2 * MLKEM768_N / 4);
    poly_cbd_eta2(r, w->bytes);
}

/* SampleNTT of rho || column || row: one element of the matrix. How long it takes depends on rho, which is public. */
static void element(struct work *w, const uint8_t rho[32], unsigned column, unsigned row)
{
    const uint8_t place[2] = {(uint8_t)column, (uint8_t)row};
    unsigned n = 0;

    dory_keccak_init(&w->hash, DORY_SHAKE128_RATE);
    dory_keccak_absorb(&w->hash, rho, 32);
    dory_keccak_absorb(&w->hash, place, sizeof place);
    dory_keccak_pad(&w->hash, DORY_DOMAIN_SHAKE);
    while (n < MLKEM768_N) {
        dory_keccak_squeeze(&w->hash, w->bytes, DORY_SHAKE128_RATE);
        n += rej_uniform(w->a.coeffs + n, MLKEM768_N - n, w->bytes, DORY_SHAKE128_RATE);
    }
}

/* sum += a * s, or sum = a * s for the first */
static void accumulate(struct work *w, const poly *s, bool first)
{
    if (first) {
        poly_basemul(&w->sum, &w->a, s);
    } else {
        poly_basemul(&w->product, &w->a, s);
        poly_add(&w->sum, &w->sum, &w->product);
    }
}

/* sum = the row of the matrix, or of its transpose, times s */
static void row_times_s(struct work *w, const uint8_t rho[32], unsigned row, bool transposed)
{
    for (unsigned column = 0; column < K; column++) {
        element(w, rho, transposed ? row : column, transposed ? column : row);
        accumulate(w, &w->s[column], column == 0);
    }
    poly_reduce(&w->sum);
}

/* Coefficients from 0 to q - 1 */
static void canonical(poly *p)
{
    poly_reduce(p);
    poly_csubq(p);
}

static void secret_vector(struct work *w, const uint8_t seed[32])
{
    for (uint8_t i = 0; i < K; i++) {
        noise(w, &w->s[i], seed, i);
        poly_ntt(&w->s[i]);
        poly_reduce(&w->s[i]);
    }
}

/* rho || sigma = G(d || k) (K-PKE.KeyGen) */
static void split(struct work *w, uint8_t both[64], const uint8_t seed[DORY_MLKEM_SEED])
{
    static const uint8_t k = K;

    sha3(&w->hash, both, 64, seed, 32, &k, 1);
}

static void public_key(struct work *w, uint8_t *public, const uint8_t both[64])
{
    secret_vector(w, both + 32);
    for (uint8_t i = 0; i < K; i++) {
        row_times_s(w, both, i, false);
        poly_tomont(&w->sum);
        noise(w, &w->a, both + 32, (uint8_t)(K + i));
        poly_ntt(&w->a);
        poly_add(&w->sum, &w->sum, &w->a);
        canonical(&w->sum);
        poly_tobytes(public + i * POLY, &w->sum);
    }
    memcpy(public + K * POLY, both, 32);
}

void dory_mlkem_public(uint8_t public[DORY_MLKEM_PUBLIC], const uint8_t seed[DORY_MLKEM_SEED])
{
    struct work w;
    uint8_t both[64];

    split(&w, both, seed);
    public_key(&w, public, both);
    dory_wipe(&w, sizeof w);
    dory_wipe(both, sizeof both);
}

/* Where a ciphertext goes, or what it is compared with: one of the two. */
struct target {
    uint8_t *out;
    const uint8_t *expected;
    uint8_t differ; /* from what was expected, in any bit */
};

static void put(struct target *t, const uint8_t *piece, size_t n)
{
    if (t->out) {
        memcpy(t->out, piece, n);
        t->out += n;
        return;
    }
    for (; n > 0; n--)
        t->differ |= (uint8_t)(*t->expected++ ^ *piece++);
}

/* sum, back among polynomials, plus the noise of that number */
static void finish(struct work *w, const uint8_t coins[32], uint8_t number)
{
    poly_invntt(&w->sum);
    noise(w, &w->a, coins, number);
    poly_add(&w->sum, &w->sum, &w->a);
}

/* K-PKE.Encrypt */
static void encrypt(struct work *w, struct target *t, const uint8_t message[32], const uint8_t *public, const uint8_t coins[32])
{
    secret_vector(w, coins);
    for (uint8_t i = 0; i < K; i++) {
        row_times_s(w, public + K * POLY, i, true);
        finish(w, coins, (uint8_t)(K + i));
        canonical(&w->sum);
        poly_compress_du(w->bytes, &w->sum);
        put(t, w->bytes, DU);
    }
    for (unsigned i = 0; i < K; i++) {
        poly_frombytes(&w->a, public + i * POLY);
        accumulate(w, &w->s[i], i == 0);
    }
    poly_reduce(&w->sum);
    finish(w, coins, 2 * K);
    poly_frommsg(&w->a, message);
    poly_add(&w->sum, &w->sum, &w->a);
    canonical(&w->sum);
    poly_compress_dv(w->bytes, &w->sum);
    put(t, w->bytes, DV);
}

static bool is_canonical(poly *a, const uint8_t *public)
{
    bool good = true;

    for (unsigned i = 0; i < K; i++) {
        poly_frombytes(a, public + i * POLY);
        for (unsigned j = 0; j < MLKEM768_N; j++)
            good &= a->coeffs[j] < MLKEM768_Q;
    }
    return good;
}

/* shared || coins = G(message || H(public)) */
static void derive(struct work *w, uint8_t both[64], const uint8_t message[32], const uint8_t *public)
{
    uint8_t digest[32];

    sha3(&w->hash, digest, sizeof digest, public, DORY_MLKEM_PUBLIC, NULL, 0);
    sha3(&w->hash, both, 64, message, 32, digest, sizeof digest);
}

int dory_mlkem_enc(uint8_t ciphertext[DORY_MLKEM_CIPHERTEXT], uint8_t secret[32], const uint8_t public[DORY_MLKEM_PUBLIC],
                   const uint8_t entropy[DORY_MLKEM_ENTROPY])
{
    struct target target = {.out = ciphertext};
    struct work w;
    uint8_t both[64];

    if (!is_canonical(&w.a, public))
        return DORY_E_CRYPTO;
    derive(&w, both, entropy, public);
    encrypt(&w, &target, entropy, public, both + 32);
    memcpy(secret, both, 32);
    dory_wipe(&w, sizeof w);
    dory_wipe(both, sizeof both);
    return DORY_OK;
}

/* K-PKE.Decrypt */
static void decrypt(struct work *w, uint8_t message[32], const uint8_t *ciphertext, const uint8_t sigma[32])
{
    secret_vector(w, sigma);
    for (unsigned i = 0; i < K; i++) {
        poly_decompress_du(&w->a, ciphertext + i * DU);
        poly_ntt(&w->a);
        poly_reduce(&w->a);
        accumulate(w, &w->s[i], i == 0);
    }
    poly_reduce(&w->sum);
    poly_invntt(&w->sum);
    poly_decompress_dv(&w->a, ciphertext + K * DU);
    poly_sub(&w->sum, &w->a, &w->sum);
    canonical(&w->sum);
    poly_tomsg(message, &w->sum);
}

/* What a wrong ciphertext gives: J(z || ciphertext) */
static void reject(struct work *w, uint8_t secret[32], const uint8_t z[32], const uint8_t *ciphertext)
{
    dory_keccak_init(&w->hash, DORY_SHAKE256_RATE);
    dory_keccak_absorb(&w->hash, z, 32);
    dory_keccak_absorb(&w->hash, ciphertext, DORY_MLKEM_CIPHERTEXT);
    dory_keccak_pad(&w->hash, DORY_DOMAIN_SHAKE);
    dory_keccak_squeeze(&w->hash, secret, 32);
}

void dory_mlkem_dec(uint8_t secret[32], const uint8_t ciphertext[DORY_MLKEM_CIPHERTEXT], const uint8_t seed[DORY_MLKEM_SEED])
{
    struct target target = {.expected = ciphertext};
    struct work w;
    uint8_t public[DORY_MLKEM_PUBLIC], both[64], message[32];

    split(&w, both, seed);
    decrypt(&w, message, ciphertext, both + 32);
    public_key(&w, public, both);
    derive(&w, both, message, public);
    encrypt(&w, &target, message, public, both + 32);
    reject(&w, secret, seed + 32, ciphertext);
    cmov(secret, both, 32, (uint8_t)((target.differ - 1u) >> 8 & 1u));
    dory_wipe(&w, sizeof w);
    dory_wipe(both, sizeof both);
    dory_wipe(message, sizeof message);
}
