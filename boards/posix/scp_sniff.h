/* Listens to the first bytes that a remote scp says, to tell it from a host that has none and may have SFTP. */
#ifndef DORY_CLI_SNIFF_H
#define DORY_CLI_SNIFF_H

#include <stdbool.h>

#include "dory_stream.h"

struct dory_sniff {
    struct dory_stream stream; /* for the channel, in front of that of the copy */
    struct dory_stream *inner;
    bool spoke;     /* something came that only an scp would say */
    bool sftp_only; /* what sshd says in place of a command where SFTP alone is allowed */
    size_t n, at;   /* of that text, so far; how much of it the copy's engine has taken after all */
};

void dory_sniff_init(struct dory_sniff *sniff, struct dory_stream *inner);
/* The command has ended. `gone`: another way is taken, the copy's engine is stopped in silence; else it is told now what was kept from
   it. */
void dory_sniff_end(struct dory_sniff *sniff, bool gone);
/* Nothing of a copy has begun: does this end of a command mean that there is no scp? `errors` is what it wrote to standard error. */
bool dory_sniff_no_scp(const struct dory_sniff *sniff, bool refused, int exit_status, const char *errors);

#endif
