/* What the engines need above dory_fs.h: the components of a path, and closing for good. */
#ifndef DORY_PATH_H
#define DORY_PATH_H

#include "dory_fs.h"

/* A component of a path after "." and double slashes were passed over and ".." has taken back the component before it, all without looking
   at the file system. */
struct dory_path_part {
    const char *text;
    size_t n;
    uint16_t next; /* where the following one is to be looked for */
    bool last;     /* none follows */
    bool slash;    /* the last one, and a slash stands behind it */
};

/* Fills *part with the component of path[0..n) that counts, at or behind `at`; n at most UINT16_MAX, no NUL in it.
   1: there is one, 0: none. A ".." above the root means the root if `stay`, else DORY_E_ACCESS, however far behind. */
int dory_path_part(const char *path, size_t n, size_t at, bool stay, struct dory_path_part *part);

/* Closes *handle with `close` or `abort` of the file system and forgets it; -1 is none. For places with nowhere to come back to: busy is
   asked again at once, a hundred times at most. */
void dory_fs_drop(struct dory_fs *fs, int (*how)(struct dory_fs *fs, int handle), int *handle);

#endif
