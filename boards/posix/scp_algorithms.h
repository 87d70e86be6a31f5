/* The algorithms that a connection offers: those linked, as -c and -o Ciphers, MACs, KexAlgorithms and HostKeyAlgorithms choose. */
#ifndef DORY_CLI_ALGORITHMS_H
#define DORY_CLI_ALGORITHMS_H

#include "dory_crypto.h"
#include "scp_sshopt.h"

#define DORY_CLI_ALGORITHMS_MAX 16

/* NULL-ended, most preferred first. */
struct dory_cli_algorithms {
    const struct dory_kex *kex[DORY_CLI_ALGORITHMS_MAX + 1];
    const struct dory_cipher *ciphers[DORY_CLI_ALGORITHMS_MAX + 1];
    const struct dory_mac *macs[DORY_CLI_ALGORITHMS_MAX + 1];
    const struct dory_sigalg *signatures[DORY_CLI_ALGORITHMS_MAX + 1];
};

/* 0; or -1 with a sentence in why. */
int dory_cli_algorithms_choose(struct dory_cli_algorithms *a, const struct dory_cli_ssh *options, char *why, size_t cap);

/* Moves the algorithms for the key types in `types` (separated by commas) to the front. */
void dory_cli_algorithms_prefer(struct dory_cli_algorithms *a, const char *types);

/* Is every name of the list one that OpenSSH or this program knows? As ssh checks it where the list is read. */
bool dory_cli_algorithms_known(const char *list, bool patterns);

/* The core of it: which of names[0..count) a list as in ssh_config(5) picks ("a,b", "+a", "-pattern", "^a"), as indices in order.
   Returns how many, or -1 with a sentence in why. Names that are not linked are passed over. */
int dory_cli_pick(const char *const *names, int count, const char *list, int *order, char *why, size_t cap);

#endif
