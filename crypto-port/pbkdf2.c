#include <string.h>

#include "bytes.h"
#include "hmac_sha256.h"

/* RFC 8018 5.2, its first block only: one SHA-256 is all the output anyone asks for here. */
int dory_pbkdf2_begin(struct dory_pbkdf2 *kdf, const uint8_t *password, size_t n, const uint8_t *salt, size_t salt_n, uint32_t rounds)
{
    struct dory_hmac_sha256 h;
    uint8_t index[4];

    if (rounds == 0)
        return DORY_E_ARG;
    dory_hmac_sha256_init(&h, password, n);
    kdf->keyed[0] = h.inner;
    kdf->keyed[1] = h.outer;
    store_be32(index, 1);
    dory_hmac_sha256_update(&h, salt, salt_n);
    dory_hmac_sha256_update(&h, index, sizeof index);
    dory_hmac_sha256_final(&h, kdf->u);
    memcpy(kdf->out, kdf->u, sizeof kdf->out);
    kdf->left = rounds - 1;
    return DORY_OK;
}

uint32_t dory_pbkdf2_step(struct dory_pbkdf2 *kdf, uint32_t rounds)
{
    struct dory_hmac_sha256 h;

    for (; kdf->left > 0 && rounds > 0; kdf->left--, rounds--) {
        h.inner = kdf->keyed[0];
        h.outer = kdf->keyed[1];
        dory_hmac_sha256_update(&h, kdf->u, sizeof kdf->u);
        dory_hmac_sha256_final(&h, kdf->u);
        for (size_t i = 0; i < sizeof kdf->u; i++)
            kdf->out[i] ^= kdf->u[i];
    }
    return kdf->left;
}

int dory_pbkdf2_sha256(const uint8_t *password, size_t n, const uint8_t *salt, size_t salt_n, uint32_t rounds, uint8_t out[32])
{
    struct dory_pbkdf2 kdf;
    int r = dory_pbkdf2_begin(&kdf, password, n, salt, salt_n, rounds);

    if (r)
        return r;
    dory_pbkdf2_step(&kdf, rounds);
    memcpy(out, kdf.out, sizeof kdf.out);
    dory_wipe(&kdf, sizeof kdf);
    return DORY_OK;
}
