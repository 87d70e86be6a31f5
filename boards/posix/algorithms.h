/* What the POSIX programs speak: the lists that client and server give to the engine, most preferred first. */
#ifndef DORY_ALGORITHMS_H
#define DORY_ALGORITHMS_H

#include "dory_crypto.h"

extern const struct dory_kex *const dory_kex_list[];
extern const struct dory_mac *const dory_mac_list[];
extern const struct dory_sigalg *const dory_signature_list[];
extern const struct dory_keytype *const dory_keytype_list[];

/* In the order of this machine's speed. */
const struct dory_cipher *const *dory_cipher_list(void);

#endif
