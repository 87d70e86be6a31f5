/* aes128-gcm@openssh.com: as aes256-gcm@openssh.com, but for the key. */
#include "aes_gcm.h"

static int init(void *ctx, const uint8_t *key, const uint8_t *iv)
{
    return dory_aes_gcm_init(ctx, key, 128, iv);
}

const struct dory_cipher dory_cipher_aes128_gcm = DORY_AES_GCM("aes128-gcm@openssh.com", 16, init);
