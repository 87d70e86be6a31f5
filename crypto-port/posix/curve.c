#include <sodium.h>

#include "../curve.h"
#include "../dory_crypto.h"

void dory_x25519_public(uint8_t point[32], const uint8_t scalar[32])
{
    crypto_scalarmult_curve25519_base(point, scalar);
}

int dory_x25519(uint8_t shared[32], const uint8_t scalar[32], const uint8_t point[32])
{
    return crypto_scalarmult_curve25519(shared, scalar, point) == 0 ? DORY_OK : DORY_E_CRYPTO;
}

void dory_ed25519_expand(uint8_t secret[64], const uint8_t seed[32])
{
    uint8_t pub[32];

    crypto_sign_ed25519_seed_keypair(pub, secret, seed);
}

void dory_ed25519_sign(uint8_t sig[64], const uint8_t *msg, size_t n, const uint8_t secret[64])
{
    crypto_sign_ed25519_detached(sig, NULL, msg, n, secret);
}

int dory_ed25519_verify(const uint8_t sig[64], const uint8_t *msg, size_t n, const uint8_t pub[32])
{
    return crypto_sign_ed25519_verify_detached(sig, msg, n, pub) == 0 ? DORY_OK : DORY_E_CRYPTO;
}
