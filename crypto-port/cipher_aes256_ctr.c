/* aes256-ctr (RFC 4344 4): the counter runs on from packet to packet. packet_length is left in the clear, because this house uses
   it with encrypt-then-MAC only; a struct dory_mac checks the packet before open sees it. */
#include "aes_ctr.h"

static int init(void *ctx, const uint8_t *key, const uint8_t *iv)
{
    return dory_aes_ctr_init(ctx, key, 256, iv);
}

const struct dory_cipher dory_cipher_aes256_ctr = DORY_AES_CTR("aes256-ctr", 32, init);
