/* Lists of algorithms for a board's struct dory_device_config. What a board does not name is not linked; another list is another file like these. */
#ifndef DORY_ALGORITHMS_H
#define DORY_ALGORITHMS_H

#include "dory_crypto.h"

extern const struct dory_kex *const dory_device_kex_classic[]; /* curve25519-sha256 */
extern const struct dory_kex *const dory_device_kex_hybrid[];  /* mlkem768x25519-sha256 before it: MLKEM = 1 in board.mk */
extern const struct dory_cipher *const dory_device_ciphers[];  /* chacha20-poly1305@openssh.com */
extern const struct dory_mac *const dory_device_macs[];        /* none */
extern const struct dory_sigalg *const dory_device_signatures[]; /* ssh-ed25519 */

#endif
