#include "scp_between.h"

#include <stdio.h>
#include <string.h>

/* What the storing side has made and the reading side has not taken yet. */
enum { NOTHING, A_FILE, A_DIR };

/* Handles of both sides: a directory's is its depth. */
enum { FILE_HANDLE = 1000 };

static struct dory_between *of_in(struct dory_fs *fs)
{
    return (struct dory_between *)(void *)((char *)fs - offsetof(struct dory_between, in));
}

static struct dory_between *of_out(struct dory_fs *fs)
{
    return (struct dory_between *)(void *)((char *)fs - offsetof(struct dory_between, out));
}

/* ---- The storing side */

static int in_root(struct dory_fs *fs)
{
    (void)fs;
    return 0;
}

static int in_dup(struct dory_fs *fs, int dir)
{
    (void)fs;
    return dir;
}

/* A directory is there once it was made, and then it is entered. */
static int in_open(struct dory_fs *fs, int dir, const char *name, unsigned flags)
{
    struct dory_between *b = of_in(fs);

    if (!(flags & DORY_FS_OPEN_DIR) || !b->made || strcmp(b->made_name, name) != 0)
        return DORY_E_NOENT;
    b->made = false;
    b->in_depth = (unsigned)dir + 1;
    return dir + 1;
}

static bool is_idle(const struct dory_between *b)
{
    return b->offered == NOTHING && !b->file_open;
}

static void offer(struct dory_between *b, uint8_t what, int dir, const char *name)
{
    b->offered = what;
    b->offered_at = (unsigned)dir;
    b->handed = false;
    b->changed = true;
    b->info = *b->about(b->ctx);
    b->info.type = what == A_DIR ? DORY_FS_DIR : DORY_FS_FILE;
    snprintf(b->name, sizeof b->name, "%s", name);
}

static int in_mkdir(struct dory_fs *fs, int dir, const char *name, uint16_t mode)
{
    struct dory_between *b = of_in(fs);

    (void)mode;
    if (!is_idle(b))
        return DORY_E_AGAIN;
    offer(b, A_DIR, dir, name);
    b->made = true;
    snprintf(b->made_name, sizeof b->made_name, "%s", name);
    return DORY_OK;
}

static int in_create(struct dory_fs *fs, int dir, const char *name, uint16_t mode, uint64_t size)
{
    struct dory_between *b = of_in(fs);

    (void)mode, (void)size;
    if (!is_idle(b))
        return DORY_E_AGAIN;
    offer(b, A_FILE, dir, name);
    b->file_open = true;
    b->file_ended = b->aborted = b->let_go = false;
    b->written = b->read = 0;
    return FILE_HANDLE;
}

static long in_write(struct dory_fs *fs, int handle, uint64_t offset, const uint8_t *buf, size_t n)
{
    struct dory_between *b = of_in(fs);
    size_t at = (size_t)(b->written % sizeof b->ring), room = sizeof b->ring - (size_t)(b->written - b->read);

    (void)handle;
    if (b->let_go)
        return (long)n; /* the reader wants no more of it and has said why */
    if (offset != b->written)
        return DORY_E_ARG;
    if (n > room)
        n = room;
    if (n > sizeof b->ring - at)
        n = sizeof b->ring - at;
    if (!n)
        return DORY_E_AGAIN;
    memcpy(b->ring + at, buf, n);
    b->written += n;
    b->changed = true;
    return (long)n;
}

static int in_commit(struct dory_fs *fs, int handle, unsigned set, const struct dory_fs_info *info)
{
    struct dory_between *b = of_in(fs);

    (void)handle, (void)set, (void)info;
    b->file_ended = b->changed = true;
    if (b->let_go)
        b->file_open = false;
    return DORY_OK;
}

static int in_abort(struct dory_fs *fs, int handle)
{
    of_in(fs)->aborted = true;
    return in_commit(fs, handle, 0, NULL);
}

static int in_info(struct dory_fs *fs, int handle, struct dory_fs_info *info)
{
    (void)fs, (void)handle;
    memset(info, 0, sizeof *info);
    info->type = DORY_FS_DIR;
    info->mode = 0777;
    return DORY_OK;
}

/* A directory was filled; its times were told when it was made. */
static int in_setinfo(struct dory_fs *fs, int handle, unsigned set, const struct dory_fs_info *info)
{
    (void)fs, (void)handle, (void)set, (void)info;
    return DORY_OK;
}

static int in_close(struct dory_fs *fs, int handle)
{
    struct dory_between *b = of_in(fs);

    if (handle > 0 && handle != FILE_HANDLE) {
        b->in_depth = (unsigned)handle - 1;
        b->changed = true;
    }
    return DORY_OK;
}

static const struct dory_fs_ops in_ops = {
    .root = in_root,
    .dup = in_dup,
    .open = in_open,
    .mkdir = in_mkdir,
    .create = in_create,
    .write = in_write,
    .commit = in_commit,
    .abort = in_abort,
    .info = in_info,
    .setinfo = in_setinfo,
    .close = in_close,
};

int dory_between_target(void *between, struct dory_transfer_item *item)
{
    struct dory_between *b = between;

    if (b->target_given)
        return 0;
    b->target_given = true;
    *item = (struct dory_transfer_item){.dir = 0, .self = true, .name = "", .path = ""};
    return 1;
}

/* ---- The reading side */

/* The reader passes over what is offered: also what is in a directory that it has not entered. */
static void let_go(struct dory_between *b)
{
    if (b->offered == A_FILE) {
        b->let_go = true;
        b->file_open = !b->file_ended;
    }
    b->offered = NOTHING;
    b->changed = true;
}

/* An object in the directory of that depth: 1, 0 where it has ended, DORY_E_AGAIN. */
static int next_at(struct dory_between *b, unsigned depth)
{
    if (b->offered != NOTHING && (b->offered_at > depth || (b->offered_at == depth && b->handed)))
        let_go(b);
    if (b->offered != NOTHING && b->offered_at == depth) {
        b->handed = true;
        return 1;
    }
    if (b->offered != NOTHING)
        return 0;
    return !b->made && (depth ? b->in_depth < depth : b->in_over) ? 0 : DORY_E_AGAIN;
}

static int out_next(struct dory_fs *fs, int dir, char *name, size_t cap)
{
    struct dory_between *b = of_out(fs);
    int r = next_at(b, (unsigned)dir);

    if (r == 1)
        snprintf(name, cap, "%s", b->name);
    return r;
}

int dory_between_item(void *between, struct dory_transfer_item *item)
{
    struct dory_between *b = between;
    int r = next_at(b, 0);

    if (r != 1)
        return r;
    snprintf(b->out_name, sizeof b->out_name, "%s", b->name);
    *item = (struct dory_transfer_item){.dir = 0, .name = b->out_name, .path = b->out_name};
    return 1;
}

static int out_open(struct dory_fs *fs, int dir, const char *name, unsigned flags)
{
    struct dory_between *b = of_out(fs);
    bool is_dir = b->offered == A_DIR;

    (void)name;
    if (is_dir && !(flags & DORY_FS_OPEN_DIR))
        return DORY_E_ISDIR;
    b->taken = b->info;
    b->offered = NOTHING;
    b->changed = true;
    return is_dir ? dir + 1 : FILE_HANDLE;
}

static int out_info(struct dory_fs *fs, int handle, struct dory_fs_info *info)
{
    (void)handle;
    *info = of_out(fs)->taken;
    return DORY_OK;
}

static long out_read(struct dory_fs *fs, int handle, uint64_t offset, uint8_t *buf, size_t n)
{
    struct dory_between *b = of_out(fs);
    size_t at = (size_t)(b->read % sizeof b->ring), there = (size_t)(b->written - b->read);

    (void)handle;
    if (offset != b->read)
        return DORY_E_ARG;
    if (!there && b->file_ended)
        return b->aborted ? DORY_E_CUT : 0;
    if (n > there)
        n = there;
    if (n > sizeof b->ring - at)
        n = sizeof b->ring - at;
    if (!n)
        return DORY_E_AGAIN;
    memcpy(buf, b->ring + at, n);
    b->read += n;
    b->changed = true;
    return (long)n;
}

/* A file that is closed before its end is let go: what still comes of it is dropped. */
static int out_close(struct dory_fs *fs, int handle)
{
    struct dory_between *b = of_out(fs);

    if (handle == FILE_HANDLE) {
        b->let_go = b->changed = true;
        if (b->file_ended)
            b->file_open = false;
    }
    return DORY_OK;
}

static const struct dory_fs_ops out_ops = {.next = out_next, .open = out_open, .info = out_info, .read = out_read, .close = out_close};

void dory_between_init(struct dory_between *b, const struct dory_fs_info *(*about)(const void *), const void *ctx)
{
    memset(b, 0, offsetof(struct dory_between, ring));
    b->in.ops = &in_ops;
    b->out.ops = &out_ops;
    b->about = about;
    b->ctx = ctx;
}
