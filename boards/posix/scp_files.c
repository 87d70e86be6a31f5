#include "scp_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scp_say.h"

static int say_path(const char *path, int error)
{
    dory_say(DORY_LOG_QUIET, "scp: %s: %s", path, dory_strerror(error));
    return error;
}

/* Where the last component begins and ends; trailing slashes are behind it. */
static void last_component(const char *path, size_t *begin, size_t *end)
{
    size_t n = strlen(path);

    while (n && path[n - 1] == '/') n--;
    *end = n;
    while (n && path[n - 1] != '/') n--;
    *begin = n;
}

static bool is_dots(const char *name, size_t n)
{
    return n == 0 || (n == 1 && name[0] == '.') || (n == 2 && name[0] == '.' && name[1] == '.');
}

bool dory_cli_is_dots(const char *path)
{
    size_t begin, end;

    last_component(path, &begin, &end);
    return is_dots(path + begin, end - begin);
}

/* A handle on the directory that holds the last component, whose name goes to name. */
static int open_parent(struct dory_posix_fs *fs, const char *path, char name[DORY_NAME_MAX + 1])
{
    size_t begin, end;
    char *parent;
    int dir;

    last_component(path, &begin, &end);
    if (end - begin > DORY_NAME_MAX)
        return DORY_E_NAME;
    memcpy(name, path + begin, end - begin);
    name[end - begin] = '\0';
    if (!begin)
        return dory_posix_fs_open_dir(fs, ".");
    parent = strndup(path, begin);
    dir = parent ? dory_posix_fs_open_dir(fs, parent) : DORY_E_SPACE;
    free(parent);
    return dir;
}

/* ---- Sources ---- */

int dory_cli_sources_open(struct dory_cli_sources *s, char **paths, int count, bool contents)
{
    int result = dory_posix_fs_init(&s->fs, "/", DORY_POSIX_FS_TRUSTING | DORY_POSIX_FS_READ_ONLY);

    s->paths = paths;
    s->count = count;
    s->next = 0;
    s->contents = contents;
    s->listed = NULL;
    return result < 0 ? say_path("/", result) : DORY_OK;
}

void dory_cli_sources_close(struct dory_cli_sources *s)
{
    dory_posix_fs_close(&s->fs);
}

/* The next entry of the directory that is listed. */
static int entry(struct dory_cli_sources *s, struct dory_transfer_item *item)
{
    const struct dory_fs_ops *ops = s->fs.fs.ops;
    int more = ops->next(&s->fs.fs, s->list_dir, s->name, sizeof s->name);

    if (more > 0) {
        snprintf(s->shown, sizeof s->shown, "%s/%s", s->listed, s->name);
        item->dir = ops->dup(&s->fs.fs, s->list_dir);
        item->name = s->name;
        item->path = s->shown;
        if (item->dir >= 0)
            return 1;
        more = item->dir;
    }
    item->path = s->listed;
    ops->close(&s->fs.fs, s->list_dir);
    s->listed = NULL;
    return more;
}

/* A directory under a name that its path does not say: "/", or "." for a peer that asked for it. */
static int itself(struct dory_cli_sources *s, const char *path, struct dory_transfer_item *item)
{
    char *real = realpath(path, NULL);
    const char *slash = real ? strrchr(real, '/') : NULL;

    snprintf(s->name, sizeof s->name, "%s", slash && slash[1] ? slash + 1 : "root");
    free(real);
    item->self = true;
    item->name = s->name;
    item->dir = dory_posix_fs_open_dir(&s->fs, path);
    return item->dir < 0 ? item->dir : 1;
}

int dory_cli_sources_item(void *sources, struct dory_transfer_item *item)
{
    struct dory_cli_sources *s = sources;
    const char *path;
    struct stat st;
    int more;

    memset(item, 0, sizeof *item);
    if (s->listed && (more = entry(s, item)) != 0)
        return more;
    if (s->next == s->count)
        return 0;
    path = item->path = s->paths[s->next++];
    if (stat(path, &st) < 0)
        return dory_posix_error(errno);
    if (!dory_cli_is_dots(path)) {
        item->dir = open_parent(&s->fs, path, s->name);
        item->name = s->name;
        return item->dir < 0 ? item->dir : 1;
    }
    if (!s->contents)
        return itself(s, path, item);
    s->list_dir = dory_posix_fs_open_dir(&s->fs, path);
    if (s->list_dir < 0)
        return s->list_dir;
    s->listed = path;
    return dory_cli_sources_item(s, item);
}

/* ---- Target ---- */

int dory_cli_target_open(struct dory_cli_target *t, const char *path, bool trusting)
{
    struct stat st;
    int dir;

    t->path = path;
    t->given = false;
    t->is_dir = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    t->error = dory_posix_fs_init(&t->fs, t->is_dir ? path : "/",
                                  DORY_POSIX_FS_IN_PLACE | (trusting || !t->is_dir ? DORY_POSIX_FS_TRUSTING : 0));
    if (t->error < 0) {
        int result = dory_posix_fs_init(&t->fs, "/", DORY_POSIX_FS_TRUSTING);

        return result < 0 ? result : t->error;
    }
    if (t->is_dir)
        return DORY_OK;
    dir = open_parent(&t->fs, path, t->name);
    if (dir >= 0)
        t->fs.fs.ops->close(&t->fs.fs, dir);
    else
        t->error = dir;
    return t->error;
}

void dory_cli_target_again(struct dory_cli_target *t)
{
    t->given = false;
}

void dory_cli_target_close(struct dory_cli_target *t)
{
    dory_posix_fs_close(&t->fs);
}

int dory_cli_target_item(void *target, struct dory_transfer_item *item)
{
    struct dory_cli_target *t = target;

    if (t->given)
        return 0;
    t->given = true;
    memset(item, 0, sizeof *item);
    item->path = t->path;
    if (t->error < 0)
        return t->error;
    item->name = t->name;
    item->self = t->is_dir;
    item->slash = t->path[strlen(t->path) - 1] == '/';
    item->dir = t->is_dir ? t->fs.fs.ops->root(&t->fs.fs) : open_parent(&t->fs, t->path, t->name);
    return item->dir < 0 ? item->dir : 1;
}
