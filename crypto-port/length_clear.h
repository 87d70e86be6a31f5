/* struct dory_cipher's length for ciphers that leave packet_length in the clear. */
#ifndef DORY_CRYPTO_LENGTH_CLEAR_H
#define DORY_CRYPTO_LENGTH_CLEAR_H

#include <stdint.h>

uint32_t dory_length_clear(void *ctx, uint32_t seq, const uint8_t head[4]);

#endif
