/* What `-o Name=value` (ssh_config(5) names) can set. The first value of a name wins, as in ssh; identities add up. */
#ifndef DORY_CLI_SSHOPT_H
#define DORY_CLI_SSHOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DORY_CLI_IDENTITIES_MAX 32
#define DORY_CLI_TEXT_SIZE      16384

enum dory_cli_strict { DORY_STRICT_NO, DORY_STRICT_YES, DORY_STRICT_ASK, DORY_STRICT_ACCEPT_NEW };
enum dory_cli_log { DORY_LOG_QUIET, DORY_LOG_ERROR, DORY_LOG_INFO, DORY_LOG_VERBOSE, DORY_LOG_DEBUG };

/* -1 and NULL: not given. Texts live in `text`. */
struct dory_cli_ssh {
    int port, strict, log, family; /* enum dory_cli_strict, enum dory_cli_log, AF_* */
    int batch, password_auth, pubkey_auth, identities_only, hash_known_hosts;
    int connect_timeout, alive_interval, alive_max, password_prompts, connect_attempts; /* seconds, counts */
    int tcp_keepalive;
    int64_t rekey_bytes, rekey_seconds;
    const char *user, *hostname, *host_key_alias;
    const char *user_known_hosts, *global_known_hosts; /* names separated by spaces */
    const char *ciphers, *macs, *kex, *hostkey_algorithms, *preferred_auth;
    const char *identities[DORY_CLI_IDENTITIES_MAX];
    int identity_count;
    size_t text_used;
    char text[DORY_CLI_TEXT_SIZE];
};

void dory_cli_ssh_init(struct dory_cli_ssh *options);

/* 0; or -1 with a sentence in why. */
int dory_cli_ssh_set(struct dory_cli_ssh *options, const char *name, const char *value, char *why, size_t cap);

/* One -o argument, "Name=value" or "Name value". */
int dory_cli_ssh_option(struct dory_cli_ssh *options, const char *argument, char *why, size_t cap);

int dory_cli_ssh_identity(struct dory_cli_ssh *options, const char *path, char *why, size_t cap);

/* Is the name in a list of the form ",a,b,"? Case does not matter. */
bool dory_cli_lists(const char *list, const char *name);

/* 1..65535, or -1. */
int dory_cli_port(const char *text);

#endif
