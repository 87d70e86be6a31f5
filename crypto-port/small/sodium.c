/* What libsodium's sources call and no device file of it provides. */
#include <stddef.h>

#include <sodium/utils.h>

/* In constant time: the callers do not say whether the bytes are secret. */
int sodium_is_zero(const unsigned char *n, const size_t nlen)
{
    unsigned char any = 0;

    for (size_t i = 0; i < nlen; i++)
        any |= n[i];
    return (int)((any - 1u) >> 31);
}
