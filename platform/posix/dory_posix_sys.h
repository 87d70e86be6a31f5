/* Entropy and time of a POSIX machine. */
#ifndef DORY_POSIX_SYS_H
#define DORY_POSIX_SYS_H

#include <stddef.h>
#include <stdint.h>

#include "dory_error.h"

/* For struct dory_rng: fills out[0..n) from the kernel's generator, waiting until it is seeded. ctx is not used (NULL).
   DORY_E_RNG: the kernel has none; out is then all zero and must not be used. */
int dory_posix_rng(void *ctx, uint8_t *out, size_t n);

/* Milliseconds of a clock that never steps; its zero means nothing. */
uint64_t dory_posix_now_ms(void);

/* Seconds since 1970, as the machine believes. */
int64_t dory_posix_unix_time(void);

#endif
