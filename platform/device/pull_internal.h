/* What the files of `pull` share. */
#ifndef DORY_PULL_INTERNAL_H
#define DORY_PULL_INTERNAL_H

#include "pull.h"

/* How a try ended, or that it has not. */
enum { DORY_PULL_GOES_ON, DORY_PULL_GOOD, DORY_PULL_AGAIN, DORY_PULL_FINAL };

/* [-P port] user@address:path slot. DORY_E_ARG with p->reason set. */
int dory_i_pull_parse(struct dory_pull *p, const char *args);

/* Sets p->reason; the first of a try stays, unless it was hearsay. */
void dory_i_pull_because(struct dory_pull *p, const char *reason);

/* Is `key` that of p->host? NULL: is any key of it known? */
enum { DORY_PULL_UNKNOWN, DORY_PULL_OTHER, DORY_PULL_KNOWN, DORY_PULL_REVOKED };
int dory_i_pull_known(struct dory_pull *p, const uint8_t *key, size_t n); /* or DORY_E_AGAIN, DORY_E_IO */

/* The SSH session of a try, on p->conn. */
void dory_i_pull_open(struct dory_pull *p, uint64_t now);
/* Sets p->verdict when it is over. Returns the milliseconds until the next turn. */
uint32_t dory_i_pull_go(struct dory_pull *p, uint64_t now);
/* Ends it, whatever it was at; the connection goes. */
void dory_i_pull_close(struct dory_pull *p);

#endif
