/* The one file-system interface, used by scp/ and sftp/ alike.
 *
 * A handle is a small non-negative int given by the file system and valid until close (or commit or abort for a created file).
 * Every call that takes a name takes a directory handle and ONE component: never "", ".", "..", never a '/' or NUL (DORY_E_NAME),
 * at most DORY_NAME_MAX bytes. Traversal above the root thus cannot be expressed. Names are NUL-terminated and live for the call only.
 * Symbolic links are followed by `open` only as far as the implementation keeps them below the root; otherwise DORY_E_ACCESS or
 * DORY_E_LOOP.
 *
 * Every call returns DORY_OK, a count or a handle, or a negative enum dory_error. A NULL function pointer means DORY_E_NOSYS.
 * DORY_E_AGAIN from any call means "busy": nothing has happened, call again later with the same arguments.
 */
#ifndef DORY_FS_H
#define DORY_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dory_config.h"
#include "dory_error.h"

enum dory_fs_type { DORY_FS_FILE = 1, DORY_FS_DIR = 2, DORY_FS_LINK = 3, DORY_FS_OTHER = 4 };

/* What is known of a file. Times are seconds since 1970. */
struct dory_fs_info {
    uint8_t type;   /* enum dory_fs_type */
    uint16_t mode;  /* permission bits 07777 */
    uint32_t uid, gid;
    uint64_t size;  /* bytes */
    int64_t mtime, atime;
};

/* Which members of a struct dory_fs_info `setinfo` applies. */
enum { DORY_FS_SET_MODE = 1, DORY_FS_SET_TIMES = 2, DORY_FS_SET_SIZE = 4, DORY_FS_SET_OWNER = 8 };

/* One more bit for `commit`, which needs no info: DORY_E_EXIST, and the temporary file removed, if the name holds something by then. A file
   system of fixed slots may leave that to who calls it. */
enum { DORY_FS_COMMIT_NEW = 16 };

/* How `open` opens. READ and DIR need an existing object; DORY_FS_OPEN_WRITE opens an existing file in place
   (for SFTP; SCP uploads go through create/commit). NOFOLLOW: a symbolic link as last component is DORY_E_LOOP. */
enum { DORY_FS_OPEN_READ = 1, DORY_FS_OPEN_WRITE = 2, DORY_FS_OPEN_DIR = 4, DORY_FS_OPEN_NOFOLLOW = 8 };

struct dory_fs_space {
    uint64_t total, free; /* bytes */
    uint64_t files, files_free;
    uint32_t block; /* bytes */
};

struct dory_fs;

struct dory_fs_ops {
    /* A new handle on the root directory. */
    int (*root)(struct dory_fs *fs);
    int (*open)(struct dory_fs *fs, int dir, const char *name, unsigned flags);
    /* A second handle on the same directory as `dir`. */
    int (*dup)(struct dory_fs *fs, int dir);
    /* Of an open handle. */
    int (*info)(struct dory_fs *fs, int handle, struct dory_fs_info *info);
    /* Of a name without opening it; `follow` says what happens to a symbolic link as last component. */
    int (*lookup)(struct dory_fs *fs, int dir, const char *name, bool follow, struct dory_fs_info *info);
    /* The next entry's name, NUL-terminated, into name[cap]; "." and ".." are never given. 1: one given, 0: no more.
       A name longer than cap-1 is left out. */
    int (*next)(struct dory_fs *fs, int dir, char *name, size_t cap);
    /* At an offset; a short count is allowed, 0 from read means end of file, DORY_E_AGAIN means busy. */
    long (*read)(struct dory_fs *fs, int handle, uint64_t offset, uint8_t *buf, size_t n);
    long (*write)(struct dory_fs *fs, int handle, uint64_t offset, const uint8_t *buf, size_t n);

    /* Opens a new file under a temporary identity that no reader finds under `name`; what `name` held stays until commit.
       `size` is the announced size (UINT64_MAX: unknown): DORY_E_NOSPC at once where it cannot fit.
       DORY_E_ISDIR if `name` is a directory. `mode` is what the file gets, under the process's umask. */
    int (*create)(struct dory_fs *fs, int dir, const char *name, uint16_t mode, uint64_t size);
    /* Makes the created file durable and visible under its name, in one step, replacing what was there; `set` and `info` are applied
       before (bits DORY_FS_SET_*). Without DORY_FS_SET_MODE a file that replaces another keeps the other's mode. The handle is closed
       whatever is returned, except DORY_E_AGAIN. On failure the old file is intact and the temporary one removed. If the content was
       committed and only mode or times could not be set, 1 is returned. */
    int (*commit)(struct dory_fs *fs, int handle, unsigned set, const struct dory_fs_info *info);
    /* Removes the temporary file; the old one is untouched. The handle is closed. */
    int (*abort)(struct dory_fs *fs, int handle);

    int (*mkdir)(struct dory_fs *fs, int dir, const char *name, uint16_t mode);
    int (*setinfo)(struct dory_fs *fs, int handle, unsigned set, const struct dory_fs_info *info);
    int (*sync)(struct dory_fs *fs, int handle);
    int (*close)(struct dory_fs *fs, int handle);

    int (*remove)(struct dory_fs *fs, int dir, const char *name);  /* a file or link */
    int (*rmdir)(struct dory_fs *fs, int dir, const char *name);
    /* `replace` false: DORY_E_EXIST when the target is there. */
    int (*rename)(struct dory_fs *fs, int dir, const char *name, int to_dir, const char *to_name, bool replace);
    long (*readlink)(struct dory_fs *fs, int dir, const char *name, char *target, size_t cap);
    int (*space)(struct dory_fs *fs, int handle, struct dory_fs_space *space);
};

/* An implementation embeds this as its first member. */
struct dory_fs {
    const struct dory_fs_ops *ops;
    bool read_only; /* every changing call: DORY_E_ROFS */
};

#endif
