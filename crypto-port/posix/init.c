#include <sodium.h>

#include "../dory_crypto.h"

int dory_crypto_init(void)
{
    return sodium_init() >= 0 ? DORY_OK : DORY_E_CRYPTO;
}
