/* AES-GCM for SSH packets on Mbed TLS, for keys of any size. */
#ifndef DORY_CRYPTO_AES_GCM_H
#define DORY_CRYPTO_AES_GCM_H

#include <mbedtls/gcm.h>

#include "dory_crypto.h"
#include "gcm_nonce.h"
#include "length_clear.h"

struct dory_aes_gcm {
    mbedtls_gcm_context gcm;
    uint8_t nonce[GCM_NONCE_SIZE];
};

int dory_aes_gcm_init(void *ctx, const uint8_t *key, unsigned key_bits, const uint8_t *iv);
int dory_aes_gcm_seal(void *ctx, uint32_t seq, uint8_t *pkt, size_t n);
int dory_aes_gcm_open(void *ctx, uint32_t seq, uint8_t *pkt, size_t n);

#define DORY_AES_GCM(wire_name, key_bytes, init_function)                                                                             \
    {                                                                                                                                 \
        .name = (wire_name), .key_size = (key_bytes), .iv_size = GCM_NONCE_SIZE, .block_size = 16, .tag_size = GCM_TAG_SIZE,          \
        .ctx_size = sizeof(struct dory_aes_gcm), .init = (init_function), .length = dory_length_clear, .seal = dory_aes_gcm_seal,     \
        .open = dory_aes_gcm_open,                                                                                                    \
    }

#endif
