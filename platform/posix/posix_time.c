#define _TIME_BITS        64
#define _FILE_OFFSET_BITS 64
#include "dory_posix_sys.h"

#include <time.h>

uint64_t dory_posix_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int64_t dory_posix_unix_time(void)
{
    return time(NULL);
}
