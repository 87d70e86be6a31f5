/* The records that a sink reads, parsed exactly. */
#ifndef SCP_RECORD_H
#define SCP_RECORD_H

#include "scp_internal.h"

struct scp_record {
    uint16_t mode;
    int64_t size, mtime, atime;
    const char *name;
};

/* A line without its end, NUL behind it, that begins with C, D or T. NULL, or what is wrong with it. */
const char *dory_scp_parse_record(const char *line, size_t n, struct scp_record *record);

#endif
