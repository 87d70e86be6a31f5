/* How a name becomes a descriptor without leaving the root. The kernel decides in every case; paths read from /proc are only hints about
   where to start, so a stale or forged one can at worst name another file below the root. */
#define _FILE_OFFSET_BITS 64
#include "posix_fs_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* RESOLVE_BENEATH says EAGAIN when a rename elsewhere raced with "..". */
#define RACE_TRIES 16

static int open_beneath(int dir_fd, const char *path, int flags)
{
#ifdef SYS_openat2
    struct open_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC), .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    for (int i = 0; i < RACE_TRIES; i++) {
        int fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            return fd;
    }
    errno = EXDEV;
#else
    (void)dir_fd, (void)path, (void)flags;
    errno = ENOSYS;
#endif
    return -1;
}

bool dory_posix_detect_openat2(int dir_fd)
{
    int fd = open_beneath(dir_fd, ".", O_PATH | O_DIRECTORY);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int open_plain(int dir_fd, const char *name, int flags)
{
    int fd;
    do fd = openat(dir_fd, name, flags | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* O_PATH | O_NOFOLLOW opens a link itself, and O_DIRECTORY calls it "not a directory": both must be DORY_E_LOOP. */
static int open_no_link(int dir_fd, const char *name, int flags)
{
    struct stat st;
    int fd = open_plain(dir_fd, name, flags | O_NOFOLLOW);
    if (fd < 0) {
        int error = dory_posix_error(errno);
        if (error == DORY_E_NOTDIR && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
            return DORY_E_LOOP;
        return error;
    }
    if ((flags & O_PATH) && (fstat(fd, &st) != 0 || S_ISLNK(st.st_mode))) {
        close(fd);
        return DORY_E_LOOP;
    }
    return fd;
}

/* The absolute path of what fd has open, as the kernel sees it now. */
static int path_of(int fd, char path[PATH_MAX])
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, PATH_MAX);
    if (n <= 0 || n >= PATH_MAX || path[0] != '/')
        return DORY_E_LOOP;
    path[n] = 0;
    return DORY_OK;
}

/* Cuts the root's own path off `path`; what is left is relative, "" for the root itself. NULL if it does not begin with it. */
static char *below_root(struct dory_posix_fs *fs, char *path)
{
    char root[PATH_MAX];
    if (path_of(fs->root_fd, root) != DORY_OK)
        return NULL;
    size_t n = strlen(root);
    if (n == 1)
        return path + 1;
    if (strncmp(path, root, n) != 0)
        return NULL;
    if (path[n] == 0)
        return path + n;
    return path[n] == '/' ? path + n + 1 : NULL;
}

/* For a link that leaves its own directory: the same name once more, from the root. */
static int resolve_from_root(struct dory_posix_fs *fs, int dir_fd, const char *name, int flags)
{
    char path[PATH_MAX];
    if (path_of(dir_fd, path) != DORY_OK)
        return DORY_E_LOOP;
    size_t n = strlen(path);
    if (n + 1 + strlen(name) + 1 > sizeof path)
        return DORY_E_NAME;
    if (path[n - 1] != '/')
        path[n++] = '/';
    strcpy(path + n, name);
    const char *rest = below_root(fs, path);
    if (rest == NULL)
        return DORY_E_ACCESS;
    int fd = open_beneath(fs->root_fd, rest, flags);
    return fd >= 0 ? fd : dory_posix_error(errno);
}

int dory_posix_resolve(struct dory_posix_fs *fs, int dir_fd, const char *name, int flags)
{
    bool trusting = fs->flags & DORY_POSIX_FS_TRUSTING;
    if ((flags & O_NOFOLLOW) || (!trusting && !fs->has_openat2))
        return open_no_link(dir_fd, name, flags);
    int fd = trusting ? open_plain(dir_fd, name, flags) : open_beneath(dir_fd, name, flags);
    if (fd >= 0)
        return fd;
    if (!trusting && errno == EXDEV)
        return resolve_from_root(fs, dir_fd, name, flags);
    return dory_posix_error(errno);
}

/* Splits "a/b/c" (or "/c", or "c") and opens "a/b" beneath the root, or anywhere if trusting. */
static int open_parent(struct dory_posix_fs *fs, char *path, char base[DORY_NAME_MAX + 1])
{
    char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;
    if (dory_posix_check_name(last) != DORY_OK)
        return DORY_E_LOOP;
    strcpy(base, last);
    const char *dir = slash == path ? "/" : slash ? path : ".";
    if (slash && slash != path)
        *slash = 0;
    int fd = fs->flags & DORY_POSIX_FS_TRUSTING ? open_plain(AT_FDCWD, dir, O_PATH | O_DIRECTORY)
                                                : open_beneath(fs->root_fd, dir, O_PATH | O_DIRECTORY);
    return fd >= 0 ? fd : dory_posix_error(errno);
}

int dory_posix_link_parent(struct dory_posix_fs *fs, int dir_fd, const char *name, char base[DORY_NAME_MAX + 1], struct stat *st)
{
    char path[PATH_MAX];
    int fd = dory_posix_resolve(fs, dir_fd, name, O_PATH);
    if (fd == DORY_E_NOENT)
        return DORY_E_LOOP;
    if (fd < 0)
        return fd;
    int r = fstat(fd, st) == 0 ? path_of(fd, path) : dory_posix_error(errno);
    close(fd);
    if (r != DORY_OK)
        return r;
    char *rest = fs->flags & DORY_POSIX_FS_TRUSTING ? path : below_root(fs, path);
    if (rest == NULL)
        return DORY_E_ACCESS;
    int parent = open_parent(fs, rest, base);
    if (parent < 0)
        return parent;
    /* A path is only a hint: the file found through it must be the one that the link led to. */
    struct stat found;
    if (fstatat(parent, base, &found, AT_SYMLINK_NOFOLLOW) != 0 || found.st_dev != st->st_dev || found.st_ino != st->st_ino) {
        close(parent);
        return DORY_E_LOOP;
    }
    return parent;
}
