/* What every implementation of dory_fs.h must do, as CMocka tests. An implementation's own test program calls fs_conformance once. */
#ifndef FS_CONFORMANCE_H
#define FS_CONFORMANCE_H

#include "dory_fs.h"

struct fs_conformance {
    /* An empty file system, made anew for each test. Its user may write everywhere. */
    struct dory_fs *(*fresh)(void *ctx);
    /* After each test; true if nothing is left open and no temporary file is anywhere. May be NULL. */
    bool (*clean)(void *ctx, struct dory_fs *fs);
    /* A symbolic link at the root. NULL: there are none. */
    void (*symlink)(void *ctx, struct dory_fs *fs, const char *name, const char *target);
    void *ctx;
    bool flat;     /* no directories below the root */
    bool no_modes; /* modes and times are not kept */
};

/* How many tests failed. */
int fs_conformance(const char *name, const struct fs_conformance *what);

#endif
