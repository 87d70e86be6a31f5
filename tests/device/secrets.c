/* Run under valgrind: whatever is secret is marked as undefined while it is used. With an argument, a branch depends on a secret. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "crypto-port/curve.h"
#include "crypto-port/dory_crypto.h"
#include "crypto-port/mlkem.h"
#include "crypto-port/small/keccak.h"
#include "tests/ct/secret.h"

/* SHAKE128 makes the matrix from rho alone, the half of the hashed seed that is part of the public key. */
void __real_dory_keccak_absorb(struct dory_keccak *k, const uint8_t *bytes, size_t n);
void __wrap_dory_keccak_absorb(struct dory_keccak *k, const uint8_t *bytes, size_t n);
void __wrap_dory_keccak_absorb(struct dory_keccak *k, const uint8_t *bytes, size_t n)
{
    if (k->rate == DORY_SHAKE128_RATE) make_public((void *)(uintptr_t)bytes, n);
    __real_dory_keccak_absorb(k, bytes, n);
}

static void agree(void)
{
    uint8_t scalar[32] = {1, 2, 3, 0xa5}, point[32], shared[32];

    make_secret(scalar, sizeof scalar);
    dory_x25519_public(point, scalar);
    make_public(point, sizeof point);
    if (dory_x25519(shared, scalar, point) != DORY_OK) puts("x25519 failed");
}

/* A ciphertext is public when it was sent; whether it was the one for this key shows in the secret, which nobody sees. */
static void encapsulate(void)
{
    uint8_t seed[DORY_MLKEM_SEED] = {4, 5, 6}, entropy[DORY_MLKEM_ENTROPY] = {7}, ours[32], theirs[32];
    uint8_t public[DORY_MLKEM_PUBLIC], ciphertext[DORY_MLKEM_CIPHERTEXT];

    make_secret(seed, sizeof seed);
    make_secret(entropy, sizeof entropy);
    dory_mlkem_public(public, seed);
    make_public(public, sizeof public);
    if (dory_mlkem_enc(ciphertext, theirs, public, entropy) != DORY_OK) puts("ML-KEM refused its own key");
    make_public(ciphertext, sizeof ciphertext);
    dory_mlkem_dec(ours, ciphertext, seed);
    if (!dory_equal(ours, theirs, 32)) puts("ML-KEM failed");
    ciphertext[5] ^= 1;
    dory_mlkem_dec(ours, ciphertext, seed);
    if (dory_equal(ours, theirs, 32)) puts("ML-KEM took another ciphertext");
}

static void sign(void)
{
    static const uint8_t message[] = "message";
    uint8_t seed[32] = {7, 8, 9, 0x5a}, secret[64], sig[64];

    make_secret(seed, sizeof seed);
    dory_ed25519_expand(secret, seed);
    make_public(secret + 32, 32);
    dory_ed25519_sign(sig, message, sizeof message, secret);
    make_public(sig, sizeof sig);
    if (dory_ed25519_verify(sig, message, sizeof message, secret + 32) != DORY_OK) puts("ed25519 failed");
}

static int draw(void *ctx, uint8_t *out, size_t n)
{
    memset(out, *(uint8_t *)ctx, n);
    make_secret(out, n);
    return DORY_OK;
}

/* p256.c is compiled with p256-m's own marks here: whether a scalar is in range is public, and what is sent. */
static void nistp256(void)
{
    static const uint8_t message[] = "message";
    const struct dory_kex *kex = &dory_kex_ecdh_sha2_nistp256;
    const struct dory_keytype *type = &dory_key_ecdsa_nistp256;
    uint8_t byte = 0x5a, state[DORY_KEX_STATE_SIZE], init[65], reply[65], ours[32], theirs[32], blob[DORY_KEY_BLOB_MAX], sig[DORY_KEY_BLOB_MAX];
    const struct dory_rng rng = {draw, &byte};
    struct dory_key key;
    int n;

    kex->keypair(state, init, &rng);
    make_public(init, sizeof init);
    if (kex->enc(init, reply, theirs, &rng) != DORY_OK) puts("nistp256 refused its own point");
    make_public(reply, sizeof reply);
    if (kex->dec(state, reply, ours) != DORY_OK || !dory_equal(ours, theirs, 32)) puts("nistp256 failed");
    type->generate(&key, 0, &rng);
    type->public_blob(&key, blob, sizeof blob);
    make_public(blob, sizeof blob);
    n = type->sign(&key, "ecdsa-sha2-nistp256", message, sizeof message, sig, sizeof sig, NULL);
    if (n <= 0 || dory_sig_ecdsa_sha2_nistp256.verify(blob, 104, message, sizeof message, sig, (size_t)n) != DORY_OK) puts("ecdsa failed");
}

static void seal(void)
{
    _Alignas(16) uint8_t ctx[DORY_CIPHER_CTX_SIZE];
    uint8_t key[64] = {1}, packet[4 + 72 + 16] = {0, 0, 0, 72};
    const struct dory_cipher *cipher = &dory_cipher_chacha20_poly1305;

    make_secret(key, sizeof key);
    make_secret(packet + 4, 72);
    cipher->init(ctx, key, key);
    cipher->seal(ctx, 3, packet, 76);
    make_public(packet, sizeof packet);
    if (cipher->open(ctx, 3, packet, 76) != DORY_OK) puts("chacha20-poly1305 failed");
}

int main(int argc, char **argv)
{
    uint8_t secret = 1;

    (void)argv;
    agree();
    encapsulate();
    sign();
    nistp256();
    seal();
    make_secret(&secret, 1);
    if (argc > 1 && secret) puts("a leak");
    return 0;
}
