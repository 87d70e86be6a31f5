/* What the sink and its directories share. */
#ifndef SCP_SINK_H
#define SCP_SINK_H

#include "scp_internal.h"

/* The first state of scp_tree.c, behind the sink's own. */
enum { SCP_SINK_TREE = 7 };

struct dory_scp_tree {
    /* A D record with its name, or an E record. NULL, or why the conversation ends. */
    const char *(*take)(struct dory_scp *scp, char kind, const char *name);
    /* In a state from TREE on: DORY_OK when it has gone on to another, or a negative error, which is the answer. */
    int (*step)(struct dory_scp *scp);
};

/* Reads the record in `line` exactly: into present.info, and where its name is. NULL, or what is wrong with it. "." is left to the caller. */
const char *dory_i_scp_parse(struct dory_scp *scp, const char **name);
/* Gives the present object its name; `state` will store it. NULL, or why the conversation ends. */
const char *dory_i_scp_store(struct dory_scp *scp, const char *name, uint8_t state);
/* The one answer to the present record; the next may come. */
void dory_i_scp_answer(struct dory_scp *scp, int error);
/* Which members of level->info a commit or a setinfo is to apply. */
unsigned dory_i_scp_settings(const struct dory_scp *scp, const struct dory_scp_level *level);

#endif
