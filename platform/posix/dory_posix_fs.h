/* dory_fs.h over a directory tree of a Linux machine.
 *
 * Confined (the default; the server, and a client's target tree): nothing outside the root can be reached. Every name is resolved by the
 * kernel beneath the directory handle (openat2, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS). A symbolic link that climbs above its own
 * directory is resolved once more beneath the root, so links within the root work and links out of it are DORY_E_ACCESS, also while
 * somebody swaps them. Absolute links are refused. Where the kernel has no openat2 (before 5.6), no link is followed at all: DORY_E_LOOP.
 *
 * Trusting (the client's own sources, a single target file): links are followed as by cp, the tree is the user's own.
 *
 * What `create` makes: `.NAME.xxxxxxxx.dory-part` in the same directory, renamed over NAME by commit. If NAME is a symbolic link, the
 * file it leads to is replaced (in the same confinement) and the link stays. A device, FIFO or socket is never replaced: a trusting file
 * system writes it in place (also through a link such as /dev/stdout), a confined one says DORY_E_NOTREG. A replaced file keeps its owner
 * where the process may set it; its other hard links keep the old content.
 */
#ifndef DORY_POSIX_FS_H
#define DORY_POSIX_FS_H

#include <signal.h>

#include "dory_fs.h"

/* Handles of one file system, for all conversations that share it. */
#ifndef DORY_POSIX_HANDLES
#define DORY_POSIX_HANDLES 128
#endif

enum {
    DORY_POSIX_FS_TRUSTING = 1,
    DORY_POSIX_FS_READ_ONLY = 2,
    /* commit waits until content and name are on the disk. Without it they are as durable as after cp or scp: safe against the end of
       this process, not against the loss of power. Off by default because it costs a disk round trip a file. */
    DORY_POSIX_FS_DURABLE = 4,
    DORY_POSIX_FS_NO_OPENAT2 = 8, /* for tests: behave as on an old kernel */
    /* An existing file that may be written, in a directory that may not, is written in place, as by cp or OpenSSH's scp: what it held is
       gone from the first byte on, and an interrupted upload leaves a mixture. Without it such an upload is refused. */
    DORY_POSIX_FS_IN_PLACE = 16
};

/* All members are private. */
struct dory_posix_handle {
    bool used;
    int fd;                        /* -1: none */
    int dir_fd;                    /* of a created file: where it will appear, else -1 */
    volatile sig_atomic_t pending; /* a temporary name may exist */
    bool in_place, is_dir, stream, keep_mode;
    uint64_t end; /* in_place: behind the last byte written */
    uint16_t mode; /* keep_mode: of the file that is replaced */
    uint32_t uid, gid;
    int64_t next_off;             /* directories: where `next` goes on */
    char name[DORY_NAME_MAX + 1]; /* created files: the final name, and the temporary one */
    char temp[DORY_NAME_MAX + 1];
};

struct dory_posix_fs {
    struct dory_fs fs; /* first */
    int root_fd;
    unsigned flags;
    bool has_openat2;
    int dents_owner; /* the handle whose entries are in dents, or -1 */
    unsigned dents_at, dents_n;
    _Alignas(8) uint8_t dents[8192];
    struct dory_posix_handle handles[DORY_POSIX_HANDLES];
};

/* Opens the tree at `root` (a path, "" is an error; followed if it is a link) and fills *fs, which the caller keeps until
   dory_posix_fs_close. `fs->fs` is what engines take. Errors: DORY_E_NOENT, DORY_E_NOTDIR, DORY_E_ACCESS, … */
int dory_posix_fs_init(struct dory_posix_fs *fs, const char *root, unsigned flags);

/* The same for an open directory; `dir_fd` stays the caller's. */
int dory_posix_fs_init_fd(struct dory_posix_fs *fs, int dir_fd, unsigned flags);

/* Trusting only (else DORY_E_STATE): a handle on the directory at any `path`, so that one file system serves sources from many places. */
int dory_posix_fs_open_dir(struct dory_posix_fs *fs, const char *path);

/* Removes what was created and not committed, closes everything. *fs may be initialised again. */
void dory_posix_fs_close(struct dory_posix_fs *fs);

/* Only removes what was created and not committed. Async-signal-safe: for a handler that then ends the process. Every later call on a
   created file may fail. */
void dory_posix_fs_cleanup(struct dory_posix_fs *fs);

/* The enum dory_error for a value of errno. */
int dory_posix_error(int err);

#endif
