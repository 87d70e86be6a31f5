/* Local paths as items of the SCP engines, and what must not be left behind when a signal ends the program. */
#ifndef DORY_CLI_FILES_H
#define DORY_CLI_FILES_H

#include "dory_scp.h"
#include "platform/posix/dory_posix_fs.h"

/* ---- What a source sends: local paths, one after the other ---- */
struct dory_cli_sources {
    struct dory_posix_fs fs; /* trusting: the person's own files */
    char **paths;
    int count, next;
    bool contents;      /* "." and ".." stand for what is in them: no sink takes such a name */
    const char *listed; /* a path that is being listed so, or NULL */
    int list_dir;
    char name[DORY_NAME_MAX + 1];
    char shown[DORY_SCP_PATH_MAX];
};

/* DORY_OK, or why not, which has been said. `paths` stays with the caller. */
int dory_cli_sources_open(struct dory_cli_sources *sources, char **paths, int count, bool contents);
void dory_cli_sources_close(struct dory_cli_sources *sources);
int dory_cli_sources_item(void *sources, struct dory_transfer_item *item); /* dory_transfer_item_fn */

/* Does the path stand for the contents of a directory ("." or "..", alone or as last component)? */
bool dory_cli_is_dots(const char *path);

/* ---- Where a sink stores: one local path ---- */
struct dory_cli_target {
    struct dory_posix_fs fs;
    const char *path;
    bool given, is_dir;
    int error; /* why it cannot be used; the item function gives it */
    char name[DORY_NAME_MAX + 1];
};

/* A directory becomes the root of a confined file system unless `trusting`; anything else is a name in a trusted directory.
   On an error the target must still be closed, and may be given to a sink, which then reports it. */
int dory_cli_target_open(struct dory_cli_target *target, const char *path, bool trusting);
/* The same target for another sink. */
void dory_cli_target_again(struct dory_cli_target *target);
void dory_cli_target_close(struct dory_cli_target *target);
int dory_cli_target_item(void *target, struct dory_transfer_item *item);

/* ---- Signals ---- */

/* From here to `off`: SIGINT, SIGTERM, SIGHUP remove what fs created and did not commit, then end the process as they would. NULL: only
   the file descriptors are restored (see dory_cli_unblock). */
void dory_cli_guard_on(struct dory_posix_fs *fs);
void dory_cli_guard_off(void);
/* Makes fd non-blocking until the program ends, where it is a pipe or a socket: it is shared with who started us. */
void dory_cli_unblock(int fd);
void dory_cli_restore_blocking(void);

#endif
