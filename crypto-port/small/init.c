#include "../dory_crypto.h"

/* Nothing to choose at run time: a device has one implementation of each algorithm. */
int dory_crypto_init(void)
{
    return DORY_OK;
}
