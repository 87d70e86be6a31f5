/* aes256-gcm@openssh.com (RFC 5647, with the names and tag of OpenSSH's PROTOCOL 1.6) on Mbed TLS: runs everywhere. */
#include "aes_gcm.h"

static int init(void *ctx, const uint8_t *key, const uint8_t *iv)
{
    return dory_aes_gcm_init(ctx, key, 256, iv);
}

const struct dory_cipher dory_cipher_aes256_gcm = DORY_AES_GCM("aes256-gcm@openssh.com", 32, init);
