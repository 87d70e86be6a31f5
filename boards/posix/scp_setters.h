/* How the words of a setting become a member of struct dory_cli_ssh. */
#ifndef DORY_CLI_SETTERS_H
#define DORY_CLI_SETTERS_H

#include "scp_sshopt.h"

/* NULL: taken. Otherwise what is wrong, with one %s at most, for the first word. */
typedef const char *dory_cli_setter(struct dory_cli_ssh *options, const struct dory_cli_words *words, void *member);

extern dory_cli_setter dory_set_flag, dory_set_number, dory_set_time, dory_set_text, dory_set_port, dory_set_strict, dory_set_update,
    dory_set_log, dory_set_family, dory_set_rekey, dory_set_identity, dory_set_names, dory_set_ciphers, dory_set_macs, dory_set_kex,
    dory_set_key_types, dory_set_command, dory_set_jump, dory_set_pubkey, dory_set_proper;

#endif
