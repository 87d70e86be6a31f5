#include "../mlkem.h"

#include <sodium.h>

#include "../dory_crypto.h"

_Static_assert(DORY_MLKEM_PUBLIC == crypto_kem_mlkem768_PUBLICKEYBYTES && DORY_MLKEM_CIPHERTEXT == crypto_kem_mlkem768_CIPHERTEXTBYTES &&
                   DORY_MLKEM_SEED == crypto_kem_mlkem768_SEEDBYTES,
               "libsodium's ML-KEM-768 is another");

void dory_mlkem_public(uint8_t public[DORY_MLKEM_PUBLIC], const uint8_t seed[DORY_MLKEM_SEED])
{
    uint8_t private[crypto_kem_mlkem768_SECRETKEYBYTES];

    crypto_kem_mlkem768_seed_keypair(public, private, seed);
    dory_wipe(private, sizeof private);
}

/* libsodium refuses a public key with coefficients >= q, tests/unit/test_crypto_mlkem.c holds it to that. */
int dory_mlkem_enc(uint8_t ciphertext[DORY_MLKEM_CIPHERTEXT], uint8_t secret[32], const uint8_t public[DORY_MLKEM_PUBLIC],
                   const uint8_t entropy[DORY_MLKEM_ENTROPY])
{
    return crypto_kem_mlkem768_enc_deterministic(ciphertext, secret, public, entropy) == 0 ? DORY_OK : DORY_E_CRYPTO;
}

void dory_mlkem_dec(uint8_t secret[32], const uint8_t ciphertext[DORY_MLKEM_CIPHERTEXT], const uint8_t seed[DORY_MLKEM_SEED])
{
    uint8_t public[DORY_MLKEM_PUBLIC], private[crypto_kem_mlkem768_SECRETKEYBYTES];

    crypto_kem_mlkem768_seed_keypair(public, private, seed);
    if (crypto_kem_mlkem768_dec(secret, ciphertext, private) != 0)
        dory_wipe(secret, 32); /* cannot happen: there is nothing that it refuses */
    dory_wipe(private, sizeof private);
}
