/* dory_fs.h over a directory tree: handles, reading, writing, listing. Confinement is in
   posix_fs_resolve.c, uploads in posix_fs_create.c. */
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS        64
#include "posix_fs_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct dory_posix_fs *self(struct dory_fs *fs)
{
    return (struct dory_posix_fs *)fs;
}

int dory_posix_error(int err)
{
    switch (err) {
    case 0: return DORY_OK;
    case ENOENT: return DORY_E_NOENT;
    case EEXIST: return DORY_E_EXIST;
    case ENOTDIR: return DORY_E_NOTDIR;
    case EISDIR: return DORY_E_ISDIR;
    case EACCES:
    case EPERM:
    case EXDEV:
    case ETXTBSY:
    case EBUSY: return DORY_E_ACCESS;
    case EROFS: return DORY_E_ROFS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return DORY_E_NOSPC;
    case ENAMETOOLONG: return DORY_E_NAME;
    case ELOOP: return DORY_E_LOOP;
    case EMFILE:
    case ENFILE: return DORY_E_NFILE;
    case ENOTEMPTY: return DORY_E_NOTEMPTY;
    case ENOSYS:
    case EOPNOTSUPP: return DORY_E_NOSYS;
    case EAGAIN: return DORY_E_AGAIN;
    case EINVAL:
    case EBADF: return DORY_E_ARG;
    default: return DORY_E_IO;
    }
}

static int result(int r)
{
    return r >= 0 ? DORY_OK : dory_posix_error(errno);
}

int dory_posix_check_name(const char *name)
{
    if (name == NULL || name[0] == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return DORY_E_NAME;
    size_t n = strnlen(name, DORY_NAME_MAX + 1);
    return n > DORY_NAME_MAX || memchr(name, '/', n) != NULL ? DORY_E_NAME : DORY_OK;
}

/* ---- handles */

struct dory_posix_handle *dory_posix_handle(struct dory_posix_fs *fs, int handle)
{
    if (handle < 0 || handle >= DORY_POSIX_HANDLES || !fs->handles[handle].used)
        return NULL;
    return &fs->handles[handle];
}

int dory_posix_new_handle(struct dory_posix_fs *fs, int fd)
{
    if (fd < -1)
        return fd;
    for (int i = 0; i < DORY_POSIX_HANDLES; i++) {
        struct dory_posix_handle *h = &fs->handles[i];
        if (h->used)
            continue;
        h->fd = fd;
        h->dir_fd = -1;
        h->in_place = h->is_dir = h->stream = h->keep_mode = false;
        h->next_off = 0;
        h->end = 0;
        h->used = true;
        return i;
    }
    if (fd >= 0)
        close(fd);
    return DORY_E_NFILE;
}

int dory_posix_free_handle(struct dory_posix_fs *fs, int handle)
{
    struct dory_posix_handle *h = &fs->handles[handle];
    int r = h->fd >= 0 && close(h->fd) != 0 && errno != EINTR ? dory_posix_error(errno) : DORY_OK;
    if (h->dir_fd >= 0)
        close(h->dir_fd);
    if (fs->dents_owner == handle)
        fs->dents_owner = -1;
    h->used = false;
    return r;
}

/* The checks that every call with a directory and a name begins with. */
static int check_at(struct dory_fs *fs, int dir, const char *name, bool changes, int *dir_fd)
{
    struct dory_posix_handle *d = dory_posix_handle(self(fs), dir);
    if (d == NULL)
        return DORY_E_ARG;
    if (changes && fs->read_only)
        return DORY_E_ROFS;
    *dir_fd = d->fd;
    return dory_posix_check_name(name);
}

/* A directory that may be passed through but not listed is still a directory: O_PATH. */
static int open_dir(struct dory_posix_fs *fs, int dir_fd, const char *name, int flags)
{
    bool dot = strcmp(name, ".") == 0;
    int how[] = {O_RDONLY | O_DIRECTORY, O_PATH | O_DIRECTORY};
    int fd = DORY_E_ACCESS;
    for (int i = 0; i < 2 && fd == DORY_E_ACCESS; i++) {
        if (!dot)
            fd = dory_posix_resolve(fs, dir_fd, name, how[i] | flags);
        else if ((fd = openat(dir_fd, ".", how[i] | O_CLOEXEC)) < 0)
            fd = dory_posix_error(errno);
    }
    int handle = dory_posix_new_handle(fs, fd);
    if (handle >= 0)
        fs->handles[handle].is_dir = true;
    return handle;
}

static int fs_root(struct dory_fs *fs)
{
    return open_dir(self(fs), self(fs)->root_fd, ".", 0);
}

static int fs_dup(struct dory_fs *fs, int dir)
{
    struct dory_posix_handle *d = dory_posix_handle(self(fs), dir);
    if (d == NULL)
        return DORY_E_ARG;
    return d->is_dir ? open_dir(self(fs), d->fd, ".", 0) : DORY_E_NOTDIR;
}

/* A confined tree holds no way to a device: opening one can block or act. */
static int check_kind(struct dory_posix_fs *fs, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return dory_posix_error(errno);
    if (S_ISDIR(st.st_mode))
        return DORY_E_ISDIR;
    if (!S_ISREG(st.st_mode) && !(fs->flags & DORY_POSIX_FS_TRUSTING))
        return DORY_E_NOTREG;
    if (st.st_size >= 1 << 20)
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return DORY_OK;
}

static int fs_open(struct dory_fs *fs, int dir, const char *name, unsigned flags)
{
    int dir_fd, r = check_at(fs, dir, name, flags & DORY_FS_OPEN_WRITE, &dir_fd);
    if (r != DORY_OK)
        return r;
    int nofollow = flags & DORY_FS_OPEN_NOFOLLOW ? O_NOFOLLOW : 0;
    if (flags & DORY_FS_OPEN_DIR)
        return flags & DORY_FS_OPEN_WRITE ? DORY_E_ARG : open_dir(self(fs), dir_fd, name, nofollow);
    bool reads = flags & DORY_FS_OPEN_READ, writes = flags & DORY_FS_OPEN_WRITE;
    if (!reads && !writes)
        return DORY_E_ARG;
    int access = reads && writes ? O_RDWR : writes ? O_WRONLY : O_RDONLY;
    /* O_NONBLOCK: opening a FIFO must not wait for its other end. It does nothing to files. */
    int fd = dory_posix_resolve(self(fs), dir_fd, name, access | O_NONBLOCK | O_NOCTTY | nofollow);
    if (fd >= 0 && (r = check_kind(self(fs), fd)) != DORY_OK) {
        close(fd);
        return r;
    }
    return dory_posix_new_handle(self(fs), fd);
}

static int fs_close(struct dory_fs *fs, int handle)
{
    struct dory_posix_handle *h = dory_posix_handle(self(fs), handle);
    if (h == NULL)
        return DORY_E_ARG;
    return h->dir_fd >= 0 ? dory_posix_abort(fs, handle) : dory_posix_free_handle(self(fs), handle);
}

/* ---- what is known of a file */

static void fill_info(struct dory_fs_info *info, const struct stat *st)
{
    info->type = S_ISREG(st->st_mode)   ? DORY_FS_FILE
                 : S_ISDIR(st->st_mode) ? DORY_FS_DIR
                 : S_ISLNK(st->st_mode) ? DORY_FS_LINK
                                        : DORY_FS_OTHER;
    info->mode = st->st_mode & 07777;
    info->uid = st->st_uid;
    info->gid = st->st_gid;
    info->size = (uint64_t)st->st_size;
    info->mtime = st->st_mtime;
    info->atime = st->st_atime;
}

static int fs_info(struct dory_fs *fs, int handle, struct dory_fs_info *info)
{
    struct dory_posix_handle *h = dory_posix_handle(self(fs), handle);
    struct stat st;
    if (h == NULL)
        return DORY_E_ARG;
    if (fstat(h->fd, &st) != 0)
        return dory_posix_error(errno);
    fill_info(info, &st);
    return DORY_OK;
}

static int fs_lookup(struct dory_fs *fs, int dir, const char *name, bool follow, struct dory_fs_info *info)
{
    struct stat st;
    int dir_fd, r = check_at(fs, dir, name, false, &dir_fd);
    if (r != DORY_OK)
        return r;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return dory_posix_error(errno);
    if (follow && S_ISLNK(st.st_mode)) {
        int fd = dory_posix_resolve(self(fs), dir_fd, name, O_PATH);
        if (fd < 0)
            return fd;
        r = fstat(fd, &st) == 0 ? DORY_OK : dory_posix_error(errno);
        close(fd);
        if (r != DORY_OK)
            return r;
    }
    fill_info(info, &st);
    return DORY_OK;
}

int dory_posix_apply(int fd, unsigned set, const struct dory_fs_info *info)
{
    int r = DORY_OK, first = DORY_OK;
    if ((set & DORY_FS_SET_SIZE) && (info->size > INT64_MAX || ftruncate(fd, (off_t)info->size) != 0))
        first = info->size > INT64_MAX ? DORY_E_NOSPC : dory_posix_error(errno);
    if ((set & DORY_FS_SET_OWNER) && fchown(fd, info->uid, info->gid) != 0)
        r = dory_posix_error(errno);
    if (first == DORY_OK)
        first = r;
    r = (set & DORY_FS_SET_MODE) && fchmod(fd, info->mode & 07777) != 0 ? dory_posix_error(errno) : DORY_OK;
    if (first == DORY_OK)
        first = r;
    if (set & DORY_FS_SET_TIMES) { /* last, because the others change them */
        struct timespec times[2] = {{.tv_sec = (time_t)info->atime}, {.tv_sec = (time_t)info->mtime}};
        if (futimens(fd, times) != 0 && first == DORY_OK)
            first = dory_posix_error(errno);
    }
    return first;
}

static int fs_setinfo(struct dory_fs *fs, int handle, unsigned set, const struct dory_fs_info *info)
{
    struct dory_posix_handle *h = dory_posix_handle(self(fs), handle);
    if (h == NULL || info == NULL)
        return DORY_E_ARG;
    if (fs->read_only)
        return DORY_E_ROFS;
    int r = dory_posix_apply(h->fd, set, info);
    return r == DORY_E_ARG && h->is_dir ? DORY_E_ACCESS : r; /* EBADF: O_PATH */
}

static int fs_space(struct dory_fs *fs, int handle, struct dory_fs_space *space)
{
    struct dory_posix_handle *h = dory_posix_handle(self(fs), handle);
    struct statvfs v;
    if (h == NULL)
        return DORY_E_ARG;
    if (fstatvfs(h->fd, &v) != 0)
        return dory_posix_error(errno);
    *space = (struct dory_fs_space){.total = (uint64_t)v.f_blocks * v.f_frsize,
                                    .free = (uint64_t)v.f_bavail * v.f_frsize,
                                    .files = v.f_files,
                                    .files_free = v.f_favail,
                                    .block = (uint32_t)v.f_bsize};
    return DORY_OK;
}

/* ---- content */

static long fs_read(struct dory_fs *fs, int handle, uint64_t offset, uint8_t *buf, size_t n)
{
    struct dory_posix_handle *h = dory_posix_handle(self(fs), handle);
    ssize_t r;
    if (h == NULL || offset > INT64_MAX)
        return DORY_E_ARG;
    if (n > LONG_MAX)
        n = LONG_MAX;
    do r = pread(h->fd, buf, n, (off_t)offset);
    while (r < 0 && errno == EINTR);
    return r >= 0 ? r : dory_posix_error(errno);
}

static long fs_write(struct dory_fs *fs, int handle, uint64_t offset, const uint8_t *buf, size_t n)
{
    struct dory_posix_handle *h = dory_posix_handle(self(fs), handle);
    ssize_t r;
    if (h == NULL)
        return DORY_E_ARG;
    if (fs->read_only)
        return DORY_E_ROFS;
    if (offset > (uint64_t)INT64_MAX - n)
        return DORY_E_NOSPC;
    do r = h->stream ? write(h->fd, buf, n) : pwrite(h->fd, buf, n, (off_t)offset);
    while (r < 0 && errno == EINTR);
    if (r > 0 && offset + (uint64_t)r > h->end)
        h->end = offset + (uint64_t)r;
    return r >= 0 ? r : dory_posix_error(errno);
}

static int fs_sync(struct dory_fs *fs, int handle)
{
    struct dory_posix_handle *h = dory_posix_handle(self(fs), handle);
    return h == NULL ? DORY_E_ARG : result(fsync(h->fd));
}

/* ---- listing */

struct dent {
    uint64_t ino;
    int64_t off;
    uint16_t size;
    uint8_t type;
    char name[];
};

/* All listings share one buffer; who comes back to it reads on from behind the entry that it was given last. */
static int more_entries(struct dory_posix_fs *fs, int dir)
{
    struct dory_posix_handle *d = &fs->handles[dir];
    if (fs->dents_owner != dir && lseek(d->fd, (off_t)d->next_off, SEEK_SET) < 0)
        return dory_posix_error(errno);
    fs->dents_owner = -1;
    long n = syscall(SYS_getdents64, d->fd, fs->dents, sizeof fs->dents);
    if (n < 0)
        return dory_posix_error(errno);
    fs->dents_owner = dir;
    fs->dents_at = 0;
    fs->dents_n = (unsigned)n;
    return n > 0;
}

static bool is_own_temp(struct dory_posix_fs *fs, const char *name)
{
    for (int i = 0; i < DORY_POSIX_HANDLES; i++)
        if (fs->handles[i].used && fs->handles[i].pending && strcmp(fs->handles[i].temp, name) == 0)
            return true;
    return false;
}

static int fs_next(struct dory_fs *base, int dir, char *name, size_t cap)
{
    struct dory_posix_fs *fs = self(base);
    struct dory_posix_handle *d = dory_posix_handle(fs, dir);
    if (d == NULL)
        return DORY_E_ARG;
    if (!d->is_dir)
        return DORY_E_NOTDIR;
    for (;;) {
        if (fs->dents_owner != dir || fs->dents_at >= fs->dents_n) {
            int r = more_entries(fs, dir);
            if (r <= 0)
                return r == DORY_E_ARG ? DORY_E_ACCESS : r; /* EBADF: O_PATH */
        }
        const struct dent *e = (const void *)(fs->dents + fs->dents_at);
        fs->dents_at += e->size;
        d->next_off = e->off;
        size_t n = strlen(e->name);
        if (n >= cap || strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0 || is_own_temp(fs, e->name))
            continue;
        memcpy(name, e->name, n + 1);
        return 1;
    }
}

/* ---- names */

static int fs_mkdir(struct dory_fs *fs, int dir, const char *name, uint16_t mode)
{
    int dir_fd, r = check_at(fs, dir, name, true, &dir_fd);
    return r != DORY_OK ? r : result(mkdirat(dir_fd, name, mode & 01777));
}

static int fs_remove(struct dory_fs *fs, int dir, const char *name)
{
    int dir_fd, r = check_at(fs, dir, name, true, &dir_fd);
    return r != DORY_OK ? r : result(unlinkat(dir_fd, name, 0));
}

static int fs_rmdir(struct dory_fs *fs, int dir, const char *name)
{
    int dir_fd, r = check_at(fs, dir, name, true, &dir_fd);
    if (r == DORY_OK)
        r = result(unlinkat(dir_fd, name, AT_REMOVEDIR));
    return r == DORY_E_EXIST ? DORY_E_NOTEMPTY : r;
}

/* Where the file system lacks RENAME_NOREPLACE: a second link cannot replace either, but only files can have one. */
int dory_posix_rename_new(int dir_fd, const char *name, int to_fd, const char *to_name)
{
    if (renameat2(dir_fd, name, to_fd, to_name, RENAME_NOREPLACE) == 0)
        return DORY_OK;
    if (errno != ENOSYS && errno != EINVAL)
        return dory_posix_error(errno);
    if (linkat(dir_fd, name, to_fd, to_name, 0) != 0)
        return errno == EPERM ? DORY_E_NOSYS : dory_posix_error(errno);
    return result(unlinkat(dir_fd, name, 0));
}

static int fs_rename(struct dory_fs *fs, int dir, const char *name, int to_dir, const char *to_name, bool replace)
{
    int dir_fd, to_fd, r = check_at(fs, dir, name, true, &dir_fd);
    if (r == DORY_OK)
        r = check_at(fs, to_dir, to_name, true, &to_fd);
    if (r != DORY_OK)
        return r;
    return replace ? result(renameat(dir_fd, name, to_fd, to_name)) : dory_posix_rename_new(dir_fd, name, to_fd, to_name);
}

static long fs_readlink(struct dory_fs *fs, int dir, const char *name, char *target, size_t cap)
{
    int dir_fd, r = check_at(fs, dir, name, false, &dir_fd);
    if (r != DORY_OK)
        return r;
    if (cap == 0)
        return DORY_E_SPACE;
    ssize_t n = readlinkat(dir_fd, name, target, cap);
    if (n < 0)
        return dory_posix_error(errno);
    if ((size_t)n == cap)
        return DORY_E_SPACE;
    target[n] = 0;
    return n;
}

/* ---- the whole */

static const struct dory_fs_ops ops = {
    .root = fs_root,
    .open = fs_open,
    .dup = fs_dup,
    .info = fs_info,
    .lookup = fs_lookup,
    .next = fs_next,
    .read = fs_read,
    .write = fs_write,
    .create = dory_posix_create,
    .commit = dory_posix_commit,
    .abort = dory_posix_abort,
    .mkdir = fs_mkdir,
    .setinfo = fs_setinfo,
    .sync = fs_sync,
    .close = fs_close,
    .remove = fs_remove,
    .rmdir = fs_rmdir,
    .rename = fs_rename,
    .readlink = fs_readlink,
    .space = fs_space,
};

/* Takes root_fd over. */
static int init(struct dory_posix_fs *fs, int root_fd, unsigned flags)
{
    memset(fs, 0, sizeof *fs);
    fs->root_fd = root_fd;
    fs->dents_owner = -1;
    if (root_fd < 0)
        return dory_posix_error(errno);
    fs->fs.ops = &ops;
    fs->fs.read_only = flags & DORY_POSIX_FS_READ_ONLY;
    fs->flags = flags;
    fs->has_openat2 = !(flags & DORY_POSIX_FS_NO_OPENAT2) && dory_posix_detect_openat2(root_fd);
    return DORY_OK;
}

int dory_posix_fs_init(struct dory_posix_fs *fs, const char *root, unsigned flags)
{
    return init(fs, open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), flags);
}

int dory_posix_fs_init_fd(struct dory_posix_fs *fs, int dir_fd, unsigned flags)
{
    return init(fs, openat(dir_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC), flags);
}

int dory_posix_fs_open_dir(struct dory_posix_fs *fs, const char *path)
{
    if (!(fs->flags & DORY_POSIX_FS_TRUSTING))
        return DORY_E_STATE;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == EACCES)
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int handle = dory_posix_new_handle(fs, fd >= 0 ? fd : dory_posix_error(errno));
    if (handle >= 0)
        fs->handles[handle].is_dir = true;
    return handle;
}

void dory_posix_fs_close(struct dory_posix_fs *fs)
{
    dory_posix_fs_cleanup(fs);
    for (int i = 0; i < DORY_POSIX_HANDLES; i++)
        if (fs->handles[i].used)
            dory_posix_free_handle(fs, i);
    if (fs->root_fd >= 0)
        close(fs->root_fd);
    fs->root_fd = -1;
}
