#include <mbedtls/constant_time.h>
#include <mbedtls/platform_util.h>

#include "dory_crypto.h"

void dory_wipe(void *p, size_t n)
{
    mbedtls_platform_zeroize(p, n);
}

bool dory_equal(const void *a, const void *b, size_t n)
{
    return mbedtls_ct_memcmp(a, b, n) == 0;
}
