/* One fuzzed copy: a client of SCP or SFTP, and a host that answers as the input says. Input: 8 bytes of circumstances, then answers, most
   of which are in place, so that the copy gets somewhere. */
#ifndef COPY_FUZZ_H
#define COPY_FUZZ_H

#include <stddef.h>
#include <stdint.h>

enum { COPY_FUZZ_PLANS = 16 }; /* input[0] modulo this: what is copied */

/* Aborts where a promise is broken: something is created that was not asked for, touched that is not the target's, left open or half
   done. */
void copy_fuzz(const uint8_t *input, size_t n);

#endif
