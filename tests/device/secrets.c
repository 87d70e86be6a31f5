/* Run under valgrind: whatever is secret is marked as undefined while it is used. With an argument, a branch depends on a secret. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <valgrind/memcheck.h>

#include "crypto-port/curve.h"
#include "crypto-port/dory_crypto.h"

static void make_secret(void *p, size_t n)
{
    VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

static void make_public(void *p, size_t n)
{
    VALGRIND_MAKE_MEM_DEFINED(p, n);
}

/* Linked in place of dory_equal (--wrap): whether two secrets are equal is told to the world, how they differ is not. */
bool __real_dory_equal(const void *a, const void *b, size_t n);
bool __wrap_dory_equal(const void *a, const void *b, size_t n);
bool __wrap_dory_equal(const void *a, const void *b, size_t n)
{
    bool same = __real_dory_equal(a, b, n);

    make_public(&same, sizeof same);
    return same;
}

static void agree(void)
{
    uint8_t scalar[32] = {1, 2, 3, 0xa5}, point[32], shared[32];

    make_secret(scalar, sizeof scalar);
    dory_x25519_public(point, scalar);
    make_public(point, sizeof point);
    if (dory_x25519(shared, scalar, point) != DORY_OK) puts("x25519 failed");
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
    sign();
    seal();
    make_secret(&secret, 1);
    if (argc > 1 && secret) puts("a leak");
    return 0;
}
