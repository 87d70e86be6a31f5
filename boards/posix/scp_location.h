/* A source or target as people type it: "path", "[user@]host:[path]", "[user@][v6]:[path]", "scp://[user@]host[:port][/path]". */
#ifndef DORY_CLI_LOCATION_H
#define DORY_CLI_LOCATION_H

#include <stdbool.h>
#include <stddef.h>

struct dory_cli_location {
    bool remote;
    int port;         /* -1: not given */
    const char *user; /* NULL: not given */
    const char *host; /* without brackets; NULL where local */
    const char *path; /* "." where none was given */
    const char *text; /* as it was typed, for messages */
    char room[4608];  /* what the pointers point into */
};

/* 0; or -1 with a sentence in why. */
int dory_cli_location_parse(struct dory_cli_location *location, const char *text, char *why, size_t cap);

/* The next hop of a ProxyJump list, "[user@]host[:port]" or "ssh://…", which is the last one: the others come before it and go to rest, ""
   if none. False where it is none. */
bool dory_cli_jump_parse(const char *list, struct dory_cli_location *hop, char *rest, size_t cap);
/* "none", or a list whose every hop can be parsed. */
bool dory_cli_jump_is_good(const char *list);

/* The last components that a server may send for `path` (struct dory_scp_config, names): as a glob, and taken literally, which is what a
   shell passes on when nothing matches. Returns how many, 1 or 2. */
int dory_cli_location_names(const char *path, char names[2][512]);

#endif
