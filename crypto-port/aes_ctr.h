/* AES in counter mode for SSH packets on Mbed TLS, for keys of any size. */
#ifndef DORY_CRYPTO_AES_CTR_H
#define DORY_CRYPTO_AES_CTR_H

#include <mbedtls/aes.h>

#include "dory_crypto.h"
#include "length_clear.h"

enum { AES_BLOCK_SIZE = 16 };

struct dory_aes_ctr {
    mbedtls_aes_context aes;
    uint8_t counter[AES_BLOCK_SIZE];
};

int dory_aes_ctr_init(void *ctx, const uint8_t *key, unsigned key_bits, const uint8_t *iv);
int dory_aes_ctr_crypt(void *ctx, uint32_t seq, uint8_t *pkt, size_t n);

#define DORY_AES_CTR(wire_name, key_bytes, init_function)                                                                             \
    {                                                                                                                                 \
        .name = (wire_name), .key_size = (key_bytes), .iv_size = AES_BLOCK_SIZE, .block_size = AES_BLOCK_SIZE, .tag_size = 0,         \
        .ctx_size = sizeof(struct dory_aes_ctr), .init = (init_function), .length = dory_length_clear, .seal = dory_aes_ctr_crypt,    \
        .open = dory_aes_ctr_crypt,                                                                                                   \
    }

#endif
