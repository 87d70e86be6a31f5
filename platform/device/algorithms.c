/* What every device speaks, for the tables of a board. Key exchanges: kex_classic.c, kex_hybrid.c. */
#include "dory_algorithms.h"

const struct dory_cipher *const dory_device_ciphers[] = {&dory_cipher_chacha20_poly1305, NULL};
const struct dory_mac *const dory_device_macs[] = {NULL}; /* the cipher has a tag of its own */
const struct dory_sigalg *const dory_device_signatures[] = {&dory_sig_ssh_ed25519, NULL};
