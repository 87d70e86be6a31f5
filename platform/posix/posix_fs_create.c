/* Uploads: a temporary file beside the target, renamed over it when it is whole. */
#define _FILE_OFFSET_BITS 64
#include "posix_fs_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "dory_posix_sys.h"

#define SUFFIX     ".dory-part"
#define RANDOM_N   8
#define TEMP_TRIES 8

/* The last byte at which name[0..n) can be cut to at most `max` bytes without splitting a UTF-8 character. */
static size_t cut_utf8(const char *name, size_t n, size_t max)
{
    if (n <= max)
        return n;
    while (max > 0 && ((unsigned char)name[max] & 0xC0) == 0x80) max--;
    return max;
}

static int temp_name(struct dory_posix_handle *h, size_t max)
{
    static const char letters[32] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t random[RANDOM_N];
    char tag[RANDOM_N + 1];
    if (dory_posix_rng(NULL, random, sizeof random) != DORY_OK)
        return DORY_E_RNG;
    for (size_t i = 0; i < RANDOM_N; i++) tag[i] = letters[random[i] & 31];
    tag[RANDOM_N] = 0;
    size_t n = cut_utf8(h->name, strlen(h->name), max);
    h->temp[0] = '.';
    memcpy(h->temp + 1, h->name, n);
    snprintf(h->temp + 1 + n, sizeof h->temp - 1 - n, ".%s" SUFFIX, tag);
    return DORY_OK;
}

static void drop_temp(struct dory_posix_handle *h)
{
    if (!h->pending)
        return;
    unlinkat(h->dir_fd, h->temp, 0);
    h->pending = 0;
}

/* Fills h->temp and opens it. `pending` is set before the file exists, so that a signal at any moment finds it. */
static int open_temp(struct dory_posix_handle *h, mode_t mode)
{
    size_t max = DORY_NAME_MAX - sizeof SUFFIX - RANDOM_N - 1;
    for (int i = 0; i < TEMP_TRIES; i++) {
        int r = temp_name(h, max);
        if (r != DORY_OK)
            return r;
        atomic_signal_fence(memory_order_seq_cst);
        h->pending = 1;
        int fd = openat(h->dir_fd, h->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd >= 0)
            return fd;
        h->pending = 0;
        if (errno == ENAMETOOLONG)
            max = 0; /* a file system with shorter names */
        else if (errno != EEXIST && errno != EINTR)
            return dory_posix_error(errno);
    }
    return DORY_E_EXIST;
}

static int has_room(int dir_fd, uint64_t size)
{
    struct statvfs v;
    if (size == 0 || size == UINT64_MAX || fstatvfs(dir_fd, &v) != 0)
        return DORY_OK;
    if (v.f_blocks == 0 || v.f_frsize == 0)
        return DORY_OK; /* a file system that does not tell */
    return size / v.f_frsize > v.f_bfree ? DORY_E_NOSPC : DORY_OK;
}

static int keep_place(struct dory_posix_handle *h, int dir_fd, const char *name)
{
    h->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
    strcpy(h->name, name);
    return h->dir_fd >= 0 ? DORY_OK : dory_posix_error(errno);
}

/* Finds out what the name holds now, following a link to the file it means: fills dir_fd, name and *st (st_mode 0: nothing there). */
static int find_target(struct dory_posix_fs *fs, struct dory_posix_handle *h, int dir_fd, const char *name, struct stat *st)
{
    if (fstatat(dir_fd, name, st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT)
            return dory_posix_error(errno);
        st->st_mode = 0;
    }
    if (S_ISLNK(st->st_mode)) {
        h->dir_fd = dory_posix_link_parent(fs, dir_fd, name, h->name, st);
        if (h->dir_fd < 0)
            return h->dir_fd;
    } else {
        int r = keep_place(h, dir_fd, name);
        if (r != DORY_OK)
            return r;
    }
    return S_ISDIR(st->st_mode) ? DORY_E_ISDIR : DORY_OK;
}

/* What cannot be replaced by a name of its own. `kind` is a file type of stat. */
static int open_in_place(struct dory_posix_fs *fs, struct dory_posix_handle *h, int dir_fd, const char *name, mode_t kind)
{
    int fd = dory_posix_resolve(fs, dir_fd, name, O_WRONLY | O_NOCTTY);
    h->in_place = true;
    h->stream = !S_ISBLK(kind) && !S_ISREG(kind);
    return fd;
}

/* A device or a pipe, perhaps behind a link that no path leads to: /dev/stdout. */
static bool is_device(struct dory_posix_fs *fs, int dir_fd, const char *name, mode_t *kind)
{
    struct stat st;
    if (!(fs->flags & DORY_POSIX_FS_TRUSTING) || fstatat(dir_fd, name, &st, 0) != 0)
        return false;
    *kind = st.st_mode & S_IFMT;
    return !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int open_beside(struct dory_posix_fs *fs, struct dory_posix_handle *h, int dir_fd, const char *name, mode_t mode, uint64_t size)
{
    struct stat old;
    int r = find_target(fs, h, dir_fd, name, &old);
    if (r != DORY_OK)
        return r;
    if (old.st_mode != 0 && !S_ISREG(old.st_mode))
        return DORY_E_NOTREG;
    r = has_room(h->dir_fd, size);
    if (r != DORY_OK)
        return r;
    h->keep_mode = old.st_mode != 0;
    h->mode = old.st_mode & 0777;
    h->uid = old.st_uid;
    h->gid = old.st_gid;
    /* A private file stays private while it is replaced; a new one gets its mode from the kernel, umask and ACLs included. */
    int fd = open_temp(h, h->keep_mode ? 0600 : mode & 0777);
    if ((fd != DORY_E_ACCESS && fd != DORY_E_ROFS) || !h->keep_mode || !(fs->flags & DORY_POSIX_FS_IN_PLACE))
        return fd;
    int there = open_in_place(fs, h, dir_fd, name, S_IFREG);
    return there >= 0 ? there : fd;
}

static int open_upload(struct dory_posix_fs *fs, struct dory_posix_handle *h, int dir_fd, const char *name, mode_t mode, uint64_t size)
{
    mode_t kind;
    if (!is_device(fs, dir_fd, name, &kind))
        return open_beside(fs, h, dir_fd, name, mode, size);
    int r = keep_place(h, dir_fd, name);
    return r == DORY_OK ? open_in_place(fs, h, dir_fd, name, kind) : r;
}

int dory_posix_create(struct dory_fs *base, int dir, const char *name, uint16_t mode, uint64_t size)
{
    struct dory_posix_fs *fs = (struct dory_posix_fs *)base;
    struct dory_posix_handle *d = dory_posix_handle(fs, dir);
    int r = dory_posix_check_name(name);
    if (d == NULL)
        return DORY_E_ARG;
    if (r != DORY_OK)
        return r;
    if (base->read_only)
        return DORY_E_ROFS;
    int handle = dory_posix_new_handle(fs, -1);
    if (handle < 0)
        return handle;
    struct dory_posix_handle *h = &fs->handles[handle];
    int fd = open_upload(fs, h, d->fd, name, mode, size);
    if (fd < 0) {
        dory_posix_free_handle(fs, handle);
        return fd;
    }
    h->fd = fd;
    return handle;
}

/* The replaced file's owner and mode. Where its group cannot be given, the new group gets no more than everybody has. */
static int keep_identity(struct dory_posix_handle *h)
{
    struct stat st;
    mode_t mode = h->mode;
    if (fstat(h->fd, &st) != 0)
        return dory_posix_error(errno);
    if (st.st_uid != h->uid && fchown(h->fd, h->uid, (gid_t)-1) != 0)
        h->uid = st.st_uid;
    if (st.st_gid != h->gid && fchown(h->fd, (uid_t)-1, h->gid) != 0)
        mode &= ~(mode_t)070 | (mode & 07) << 3;
    return fchmod(h->fd, mode) == 0 ? DORY_OK : dory_posix_error(errno);
}

static int sync_dir(int dir_fd)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* dir_fd may be O_PATH */
    if (fd < 0)
        return dory_posix_error(errno);
    int r = fsync(fd) == 0 ? DORY_OK : dory_posix_error(errno);
    close(fd);
    return r;
}

/* DORY_OK, 1 if only mode or times failed, or an error. */
static int make_visible(struct dory_posix_fs *fs, struct dory_posix_handle *h, unsigned set, const struct dory_fs_info *info)
{
    int partial = 0;
    if (set & DORY_FS_SET_SIZE) {
        int r = dory_posix_apply(h->fd, DORY_FS_SET_SIZE, info);
        if (r != DORY_OK)
            return r;
    }
    if (h->keep_mode && !(set & DORY_FS_SET_MODE) && keep_identity(h) != DORY_OK)
        partial = 1;
    if (dory_posix_apply(h->fd, set & ~(unsigned)DORY_FS_SET_SIZE, info) != DORY_OK)
        partial = 1;
    if ((fs->flags & DORY_POSIX_FS_DURABLE) && fsync(h->fd) != 0)
        return dory_posix_error(errno);
    int fd = h->fd;
    h->fd = -1;
    if (close(fd) != 0)
        return dory_posix_error(errno); /* before the rename: NFS tells of a full disk here */
    if (set & DORY_FS_COMMIT_NEW) {
        int r = dory_posix_rename_new(h->dir_fd, h->temp, h->dir_fd, h->name);
        if (r != DORY_OK)
            return r;
    } else if (renameat(h->dir_fd, h->temp, h->dir_fd, h->name) != 0) {
        return dory_posix_error(errno);
    }
    h->pending = 0;
    if ((fs->flags & DORY_POSIX_FS_DURABLE) && sync_dir(h->dir_fd) != DORY_OK)
        partial = 1;
    return partial;
}

/* A device keeps its mode and times, a file is cut where the new content ends. */
static int end_in_place(struct dory_posix_fs *fs, int handle, unsigned set, const struct dory_fs_info *info)
{
    struct dory_posix_handle *h = &fs->handles[handle];
    int r = DORY_OK;
    if (h->keep_mode && !(set & DORY_FS_SET_SIZE) && ftruncate(h->fd, (off_t)h->end) != 0)
        r = dory_posix_error(errno);
    else if (h->keep_mode && dory_posix_apply(h->fd, set, info) != DORY_OK)
        r = 1;
    int closed = dory_posix_free_handle(fs, handle);
    return r != DORY_OK ? r : closed;
}

int dory_posix_commit(struct dory_fs *base, int handle, unsigned set, const struct dory_fs_info *info)
{
    struct dory_posix_fs *fs = (struct dory_posix_fs *)base;
    struct dory_posix_handle *h = dory_posix_handle(fs, handle);
    if (h == NULL || h->dir_fd < 0 || ((set & ~(unsigned)DORY_FS_COMMIT_NEW) != 0 && info == NULL))
        return DORY_E_ARG;
    if (h->in_place)
        return end_in_place(fs, handle, set, info);
    int r = make_visible(fs, h, set, info);
    drop_temp(h);
    dory_posix_free_handle(fs, handle);
    return r == DORY_E_AGAIN ? DORY_E_IO : r;
}

int dory_posix_abort(struct dory_fs *base, int handle)
{
    struct dory_posix_fs *fs = (struct dory_posix_fs *)base;
    struct dory_posix_handle *h = dory_posix_handle(fs, handle);
    if (h == NULL || h->dir_fd < 0)
        return DORY_E_ARG;
    drop_temp(h);
    dory_posix_free_handle(fs, handle);
    return DORY_OK;
}

void dory_posix_fs_cleanup(struct dory_posix_fs *fs)
{
    int saved = errno;
    for (int i = 0; i < DORY_POSIX_HANDLES; i++) drop_temp(&fs->handles[i]);
    errno = saved;
}
