/* One fuzzed conversation with the SFTP server. Input: 8 bytes of circumstances, then what the client says. */
#ifndef SFTP_FUZZ_H
#define SFTP_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Aborts where the server breaks a promise: handles or files left behind, bytes not taken that window() covered, answers that are none. */
void sftp_fuzz(const uint8_t *input, size_t n);
/* A conversation that means something, to begin with. */
size_t sftp_fuzz_seed(uint8_t *out, size_t cap);

#endif
