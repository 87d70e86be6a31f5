/* Between the files posix_fs*.c. */
#ifndef POSIX_FS_INTERNAL_H
#define POSIX_FS_INTERNAL_H

#include <sys/stat.h>

#include "dory_posix_fs.h"

/* Opens the single component `name` of dir_fd with open(2)'s flags, links followed only as far as the file system's mode allows.
   Returns a file descriptor or a negative enum dory_error. */
int dory_posix_resolve(struct dory_posix_fs *fs, int dir_fd, const char *name, int flags);

/* For a symbolic link to an existing file: that file's directory (a descriptor of the caller's), its name there, and what it is. */
int dory_posix_link_parent(struct dory_posix_fs *fs, int dir_fd, const char *name, char base[DORY_NAME_MAX + 1], struct stat *st);

bool dory_posix_detect_openat2(int dir_fd);

/* DORY_OK or DORY_E_NAME. */
int dory_posix_check_name(const char *name);

/* NULL unless `handle` is open. */
struct dory_posix_handle *dory_posix_handle(struct dory_posix_fs *fs, int handle);
/* A slot for fd, which is closed if there is none. fd may be a negative error, which is returned. */
int dory_posix_new_handle(struct dory_posix_fs *fs, int fd);
/* Closes what the slot holds. An error of close(2) is returned: some file systems report a failed write only then. */
int dory_posix_free_handle(struct dory_posix_fs *fs, int handle);

/* Applies what `set` names; tries all of it and returns the first error. */
int dory_posix_apply(int fd, unsigned set, const struct dory_fs_info *info);

int dory_posix_create(struct dory_fs *base, int dir, const char *name, uint16_t mode, uint64_t size);
int dory_posix_commit(struct dory_fs *base, int handle, unsigned set, const struct dory_fs_info *info);
int dory_posix_abort(struct dory_fs *base, int handle);

/* rename(2) that never replaces. */
int dory_posix_rename_new(int dir_fd, const char *name, int to_fd, const char *to_name);

#endif
