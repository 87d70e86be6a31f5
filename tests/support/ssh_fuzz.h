/* One input drives one engine: bytes of the network and choices of the application, in any order.
 *
 *     byte 0   bit 0 role, 1 strict key exchange, 2 read ahead, 3 events wait for the input, 4 data waits for the input, 5 ask first
 *     byte 1   the phase at which it begins (enum dory_wire_phase), so that what lies behind the encryption is reached
 *     then     steps: what (1 byte), length (2 bytes, little endian), argument
 *
 * "Sealed" steps are messages that the scripted peer encrypts properly. After each step the engine's promises are checked; a broken one
 * calls abort.
 */
#ifndef DORY_TEST_SSH_FUZZ_H
#define DORY_TEST_SSH_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "ssh_kit.h"

/* Returns dory_ssh_state at the end. */
unsigned dory_fuzz_ssh(const uint8_t *input, size_t n);

/* Proper inputs to start from: DORY_FUZZ_SESSIONS whole recorded sessions, then each message in each phase. Returns 0 behind the last. */
#define DORY_FUZZ_SESSIONS 8
size_t dory_fuzz_seed(unsigned number, uint8_t *out, size_t cap);
/* Changes an input in place; `other` is one to cut from. Returns the new size. */
size_t dory_fuzz_mutate(struct dory_kit_rng *rng, uint8_t *input, size_t n, size_t cap, const uint8_t *other, size_t other_n);

#endif
