#include "scp_internal.h"

bool dory_scp_get_number(const char **at, int64_t *value)
{
    const char *p = *at;
    uint64_t sum = 0;

    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = (unsigned)(*p - '0');

        if (sum > (uint64_t)INT64_MAX / 10)
            return false;
        sum = sum * 10 + digit;
        if (sum > (uint64_t)INT64_MAX)
            return false;
    }
    *at = p;
    *value = (int64_t)sum;
    return true;
}
