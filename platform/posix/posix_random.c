#include "dory_posix_sys.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

int dory_posix_rng(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    for (size_t done = 0; done < n;) {
        ssize_t r = getrandom(out + done, n - done, 0);
        if (r > 0)
            done += (size_t)r;
        else if (r == 0 || errno != EINTR) {
            memset(out, 0, n);
            return DORY_E_RNG;
        }
    }
    return DORY_OK;
}
