#include <string.h>

#include "curve.h"
#include "dory_crypto.h"
#include "sig_ed25519.h"

static int verify(const uint8_t *key, size_t key_n, const uint8_t *msg, size_t n, const uint8_t *sig, size_t sig_n)
{
    if (key_n != ED25519_KEY_SIZE || memcmp(key, ED25519_KEY_HEAD, ED25519_HEAD_SIZE) != 0)
        return DORY_E_CRYPTO;
    if (sig_n != ED25519_SIG_SIZE || memcmp(sig, ED25519_SIG_HEAD, ED25519_HEAD_SIZE) != 0)
        return DORY_E_CRYPTO;
    return dory_ed25519_verify(sig + ED25519_HEAD_SIZE, msg, n, key + ED25519_HEAD_SIZE);
}

const struct dory_sigalg dory_sig_ssh_ed25519 = {
    .name = ED25519_NAME,
    .key_type = ED25519_NAME,
    .verify = verify,
};
