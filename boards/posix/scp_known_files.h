/* Which known_hosts files count for a connection. */
#ifndef DORY_CLI_KNOWN_FILES_H
#define DORY_CLI_KNOWN_FILES_H

#include "scp_client.h"

#define DORY_KNOWN_FILES_MAX (2 * DORY_CLI_FILES_MAX)

struct dory_known_files {
    char names[DORY_KNOWN_FILES_MAX][1024];
    const char *list[DORY_KNOWN_FILES_MAX + 1];
    int n;
    bool writable; /* the first one is the person's, a new key can be added to it */
};

void dory_client_known_files(const struct dory_client *client, struct dory_known_files *files);

#endif
