/* The settings of ssh_config(5) that a copy knows, from -o and from files. The first value of a name wins, as in ssh; identities add up. */
#ifndef DORY_CLI_SSHOPT_H
#define DORY_CLI_SSHOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DORY_CLI_IDENTITIES_MAX 32
#define DORY_CLI_FILES_MAX      16
#define DORY_CLI_WORDS_MAX      512
#define DORY_CLI_LINE_MAX       16384

enum dory_cli_strict { DORY_STRICT_NO, DORY_STRICT_YES, DORY_STRICT_ASK, DORY_STRICT_ACCEPT_NEW };
enum dory_cli_update { DORY_UPDATE_NO, DORY_UPDATE_YES, DORY_UPDATE_ASK };
enum dory_cli_log { DORY_LOG_QUIET, DORY_LOG_ERROR, DORY_LOG_INFO, DORY_LOG_VERBOSE, DORY_LOG_DEBUG };

struct dory_cli_names {
    const char *at[DORY_CLI_FILES_MAX];
    int n; /* 0: not given */
};

/* -1 and NULL: not given. Texts live until the program ends, so that the struct may be copied. */
struct dory_cli_ssh {
    int port, strict, log, family; /* enum dory_cli_strict, enum dory_cli_log, AF_* */
    int batch, password_auth, pubkey_auth, interactive_auth, identities_only, hash_known_hosts, visual_host_key;
    int connect_timeout, alive_interval, alive_max, password_prompts, connect_attempts; /* seconds, counts */
    int tcp_keepalive, rsa_bits, update_hostkeys;                                       /* enum dory_cli_update */
    int64_t rekey_bytes, rekey_seconds;
    const char *user, *hostname, *host_key_alias, *bind_address;
    struct dory_cli_names user_known_hosts, global_known_hosts; /* with ~ and tokens, see dory_client_expand; "none" */
    const char *revoked_host_keys;
    const char *ciphers, *macs, *kex, *hostkey_algorithms, *pubkey_algorithms, *preferred_auth; /* lists, perhaps with + - ^ in front */
    const char *proxy_command, *proxy_jump;                                                     /* at most one of them; "none" */
    const char *identity_agent; /* "none", "SSH_AUTH_SOCK", "$VARIABLE", or a path with ~ and tokens */
    const char *ignore_unknown, *tag;
    const char *unsupported;                         /* a name that cannot be ignored and is not honoured: no connection */
    const char *identities[DORY_CLI_IDENTITIES_MAX]; /* with ~ and tokens; "none": this one names no file */
    bool identity_given[DORY_CLI_IDENTITIES_MAX];    /* by -i, not by a setting */
    int identity_count;
};

/* A line, split as ssh does: quotes and backslashes removed, a comment dropped. */
struct dory_cli_words {
    char name[64];    /* in small letters; "" for an empty line */
    const char *rest; /* what stands behind the name, as it was written */
    char *word[DORY_CLI_WORDS_MAX];
    int n;
    bool bad; /* quotes do not match, or there are too many words */
    char room[DORY_CLI_LINE_MAX + DORY_CLI_WORDS_MAX];
};

void dory_cli_ssh_init(struct dory_cli_ssh *options);

/* text lives as long as words does. */
void dory_cli_words_split(struct dory_cli_words *words, const char *text);

/* Applies a line that is neither Host nor Match nor Include. 0; or -1 with a sentence in why,
   which begins with the place as ssh writes it. */
int dory_cli_ssh_apply(struct dory_cli_ssh *options, const struct dory_cli_words *words, const char *file, unsigned line, char *why,
                       size_t cap);

/* One -o argument, "Name=value" or "Name value"; why as above, for the place "command-line line 0". */
int dory_cli_ssh_option(struct dory_cli_ssh *options, const char *argument, char *why, size_t cap);

/* -i */
int dory_cli_ssh_identity(struct dory_cli_ssh *options, const char *path, char *why, size_t cap);

/* A copy of the text that lives until the program ends. */
const char *dory_cli_keep(const char *text);

/* Is the name in a list of the form ",a,b,"? Case does not matter. */
bool dory_cli_lists(const char *list, const char *name);

/* 1..65535, or -1. */
int dory_cli_port(const char *text);

#endif
