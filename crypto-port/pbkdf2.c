#include <string.h>

#include "bytes.h"
#include "hmac_sha256.h"

/* RFC 8018 5.2, its first block only: one SHA-256 is all the output anyone asks for here. */
int dory_pbkdf2_sha256(const uint8_t *password, size_t n, const uint8_t *salt, size_t salt_n, uint32_t rounds, uint8_t out[32])
{
    struct dory_hmac_sha256 keyed, h;
    uint8_t u[32], index[4];

    if (rounds == 0)
        return DORY_E_ARG;
    dory_hmac_sha256_init(&keyed, password, n);
    store_be32(index, 1);
    h = keyed;
    dory_hmac_sha256_update(&h, salt, salt_n);
    dory_hmac_sha256_update(&h, index, sizeof index);
    dory_hmac_sha256_final(&h, u);
    memcpy(out, u, 32);
    while (--rounds > 0) {
        h = keyed;
        dory_hmac_sha256_update(&h, u, sizeof u);
        dory_hmac_sha256_final(&h, u);
        for (size_t i = 0; i < sizeof u; i++)
            out[i] ^= u[i];
    }
    dory_wipe(&keyed, sizeof keyed);
    dory_wipe(u, sizeof u);
    return DORY_OK;
}
