/* ~ and the % tokens of ssh_config(5). */
#ifndef DORY_CLI_EXPAND_H
#define DORY_CLI_EXPAND_H

#include <stddef.h>

/* What the tokens stand for; NULL: that one is not known here. */
struct dory_cli_tokens {
    const char *host;     /* %n: as named by the person */
    const char *address;  /* %h */
    const char *known_as; /* %k */
    const char *user;     /* %r: there */
    const char *jump;     /* %j: ProxyJump's list */
    unsigned port;        /* %p */
};

/* Each: 0; -1 too long, or an unknown token. `letters` of the tokens that may be used besides %%; NULL: all. */
int dory_cli_percent(const struct dory_cli_tokens *tokens, const char *letters, const char *text, char *out, size_t cap);
/* ~ and ~user at the beginning. */
int dory_cli_tilde(const char *name, char *out, size_t cap);
/* A file name: ~, ${VARIABLE} and all tokens. */
int dory_cli_path(const struct dory_cli_tokens *tokens, const char *name, char *out, size_t cap);

/* $HOME, or the home directory of the account. */
const char *dory_cli_home(void);
/* The login name on this machine. */
const char *dory_cli_local_user(void);

#endif
