/* The calls of dory_fs.h. */
#include "ram_internal.h"

#include <string.h>

static struct dory_ram_fs *ram_of(struct dory_fs *fs)
{
    return (struct dory_ram_fs *)fs;
}

/* Every call passes here: counts it, and says whether it is to misbehave. */
static int call(struct dory_ram_fs *ram, enum dory_ram_call which)
{
    if (ram->before)
        ram->before(ram, which);
    if (ram->only && !(ram->only >> which & 1))
        return DORY_OK;
    ram->calls++;
    if (ram->fail_at && ram->calls == ram->fail_at)
        return ram->fail_with;
    if (ram->busy_every && ram->calls % ram->busy_every == 0)
        return DORY_E_AGAIN;
    return DORY_OK;
}

static bool is_name(const char *name)
{
    size_t n = strlen(name);

    return n && n <= DORY_NAME_MAX && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static struct dory_ram_handle *handle_of(struct dory_ram_fs *ram, int handle)
{
    if (handle < 0 || handle >= DORY_RAM_HANDLES || !ram->handles[handle].used)
        return NULL;
    return &ram->handles[handle];
}

/* The node of a directory handle, or an error; `name` is checked with it. */
static int dir_of(struct dory_ram_fs *ram, int dir, const char *name)
{
    const struct dory_ram_handle *handle = handle_of(ram, dir);

    if (!handle)
        return DORY_E_ARG;
    if (ram->nodes[handle->node].type != DORY_FS_DIR)
        return DORY_E_NOTDIR;
    return is_name(name) ? handle->node : DORY_E_NAME;
}

/* The same for a directory that is to be changed. */
static int changing(struct dory_ram_fs *ram, int dir, const char *name)
{
    int r = dir_of(ram, dir, name);

    if (r < 0)
        return r;
    if (ram->fs.read_only)
        return DORY_E_ROFS;
    return ram->nodes[r].mode & 0200 ? r : DORY_E_ACCESS;
}

static int child_of(struct dory_ram_fs *ram, int dir, const char *name)
{
    int r = dir_of(ram, dir, name);

    if (r < 0)
        return r;
    return ram->nodes[r].mode & 0100 ? dory_ram_child(ram, r, name, strlen(name)) : DORY_E_ACCESS;
}

static int new_handle(struct dory_ram_fs *ram, int node, unsigned flags)
{
    for (int i = 0; i < DORY_RAM_HANDLES; i++) {
        if (ram->handles[i].used)
            continue;
        memset(&ram->handles[i], 0, sizeof ram->handles[i]);
        ram->handles[i].used = true;
        ram->handles[i].node = node;
        ram->handles[i].flags = flags;
        ram->handles[i].block = -1;
        return i;
    }
    return DORY_E_NFILE;
}

static void drop_handle(struct dory_ram_fs *ram, int handle)
{
    ram->handles[handle].used = false;
    dory_ram_free_unheld(ram, ram->handles[handle].node);
}

static int root(struct dory_fs *fs)
{
    int r = call(ram_of(fs), DORY_RAM_ROOT);

    return r ? r : new_handle(ram_of(fs), 0, DORY_FS_OPEN_DIR);
}

static int open_node(struct dory_ram_fs *ram, int node, unsigned flags)
{
    const struct dory_ram_node *n = &ram->nodes[node];

    if (flags & DORY_FS_OPEN_DIR) {
        if (n->type != DORY_FS_DIR)
            return DORY_E_NOTDIR;
    } else if (n->type == DORY_FS_DIR) {
        return DORY_E_ISDIR;
    }
    if (flags & DORY_FS_OPEN_WRITE && ram->fs.read_only)
        return DORY_E_ROFS;
    if ((flags & (DORY_FS_OPEN_READ | DORY_FS_OPEN_DIR) && !(n->mode & 0400)) || (flags & DORY_FS_OPEN_WRITE && !(n->mode & 0200)))
        return DORY_E_ACCESS;
    return new_handle(ram, node, flags);
}

static int open(struct dory_fs *fs, int dir, const char *name, unsigned flags)
{
    struct dory_ram_fs *ram = ram_of(fs);
    int r = call(ram, DORY_RAM_OPEN);

    if (r)
        return r;
    r = child_of(ram, dir, name);
    if (r >= 0 && ram->nodes[r].type == DORY_FS_LINK)
        r = flags & DORY_FS_OPEN_NOFOLLOW ? DORY_E_LOOP : dory_ram_follow(ram, r);
    return r < 0 ? r : open_node(ram, r, flags);
}

static int dup(struct dory_fs *fs, int dir)
{
    struct dory_ram_fs *ram = ram_of(fs);
    int r = call(ram, DORY_RAM_DUP);

    if (r)
        return r;
    r = dir_of(ram, dir, "x");
    return r < 0 ? r : new_handle(ram, r, DORY_FS_OPEN_DIR);
}

static void fill_info(const struct dory_ram_node *node, struct dory_fs_info *info)
{
    *info = (struct dory_fs_info){.type = node->type, .mode = node->mode, .uid = node->uid, .gid = node->gid, .size = node->size,
                                  .mtime = node->mtime, .atime = node->atime};
}

static int info(struct dory_fs *fs, int handle, struct dory_fs_info *out)
{
    struct dory_ram_fs *ram = ram_of(fs);
    const struct dory_ram_handle *h = handle_of(ram, handle);
    int r = call(ram, DORY_RAM_INFO);

    if (r)
        return r;
    if (!h)
        return DORY_E_ARG;
    fill_info(&ram->nodes[h->node], out);
    return DORY_OK;
}

static int lookup(struct dory_fs *fs, int dir, const char *name, bool follow, struct dory_fs_info *out)
{
    struct dory_ram_fs *ram = ram_of(fs);
    int r = call(ram, DORY_RAM_LOOKUP);

    if (r)
        return r;
    r = child_of(ram, dir, name);
    if (r >= 0 && follow)
        r = dory_ram_follow(ram, r);
    if (r < 0)
        return r;
    fill_info(&ram->nodes[r], out);
    return DORY_OK;
}

static int next(struct dory_fs *fs, int dir, char *name, size_t cap)
{
    struct dory_ram_fs *ram = ram_of(fs);
    struct dory_ram_handle *h = handle_of(ram, dir);
    int r = call(ram, DORY_RAM_NEXT);

    if (r)
        return r;
    if (!h)
        return DORY_E_ARG;
    while (++h->cursor < ram->node_count) {
        const struct dory_ram_node *node = &ram->nodes[h->cursor];

        if (node->type && node->linked && node->parent == h->node && strlen(node->name) < cap) {
            strcpy(name, node->name);
            return 1;
        }
    }
    h->cursor = ram->node_count - 1;
    return 0;
}

static size_t bitten(const struct dory_ram_fs *ram, size_t n)
{
    return ram->bite && n > ram->bite ? ram->bite : n;
}

static long read(struct dory_fs *fs, int handle, uint64_t offset, uint8_t *buf, size_t n)
{
    struct dory_ram_fs *ram = ram_of(fs);
    struct dory_ram_handle *h = handle_of(ram, handle);
    int r = call(ram, DORY_RAM_READ);

    if (r)
        return r;
    if (!h || !(h->flags & DORY_FS_OPEN_READ))
        return DORY_E_ARG;
    return dory_ram_read_blocks(ram, h, offset, buf, bitten(ram, n));
}

static long write(struct dory_fs *fs, int handle, uint64_t offset, const uint8_t *buf, size_t n)
{
    struct dory_ram_fs *ram = ram_of(fs);
    struct dory_ram_handle *h = handle_of(ram, handle);
    int r = call(ram, DORY_RAM_WRITE);

    if (r)
        return r;
    if (!h || !(h->flags & DORY_FS_OPEN_WRITE))
        return DORY_E_ARG;
    ram->nodes[h->node].mtime = ram->now;
    return dory_ram_write_blocks(ram, h, offset, buf, bitten(ram, n));
}

static int create(struct dory_fs *fs, int dir, const char *name, uint16_t mode, uint64_t size)
{
    struct dory_ram_fs *ram = ram_of(fs);
    int r = call(ram, DORY_RAM_CREATE), parent, old, node;

    if (r)
        return r;
    parent = changing(ram, dir, name);
    if (parent < 0)
        return parent;
    old = dory_ram_child(ram, parent, name, strlen(name));
    if (old >= 0 && ram->nodes[old].type == DORY_FS_DIR)
        return DORY_E_ISDIR;
    if (old >= 0 && ram->nodes[old].type == DORY_FS_OTHER)
        return DORY_E_ACCESS;
    if (size != UINT64_MAX && !ram->late_full && size > (uint64_t)ram->free_blocks * DORY_RAM_BLOCK)
        return DORY_E_NOSPC;
    node = dory_ram_new_node(ram, DORY_FS_FILE, (uint16_t)(mode & ~ram->umask));
    if (node < 0)
        return node;
    r = new_handle(ram, node, DORY_FS_OPEN_WRITE);
    if (r < 0) {
        ram->nodes[node].type = 0;
        return r;
    }
    ram->handles[r].creating = true;
    ram->handles[r].dir = parent;
    strcpy(ram->handles[r].name, name);
    return r;
}

static void apply(struct dory_ram_node *node, unsigned set, const struct dory_fs_info *with)
{
    if (set & DORY_FS_SET_MODE)
        node->mode = with->mode;
    if (set & DORY_FS_SET_TIMES) {
        node->mtime = with->mtime;
        node->atime = with->atime;
    }
    if (set & DORY_FS_SET_OWNER) {
        node->uid = with->uid;
        node->gid = with->gid;
    }
}

/* The name may have changed hands since create: what is there now decides. */
static int replace(struct dory_ram_fs *ram, const struct dory_ram_handle *h, bool must_be_new)
{
    int old = dory_ram_child(ram, h->dir, h->name, strlen(h->name));

    if (!ram->nodes[h->dir].linked)
        return DORY_E_NOENT;
    if (old >= 0 && must_be_new)
        return DORY_E_EXIST;
    if (old >= 0) {
        if (ram->nodes[old].type == DORY_FS_DIR)
            return DORY_E_ISDIR;
        if (ram->nodes[old].type == DORY_FS_FILE)
            ram->nodes[h->node].mode = ram->nodes[old].mode;
        dory_ram_unlink_node(ram, old);
    }
    dory_ram_link_node(ram, h->node, h->dir, h->name, strlen(h->name));
    return DORY_OK;
}

static int commit(struct dory_fs *fs, int handle, unsigned set, const struct dory_fs_info *with)
{
    struct dory_ram_fs *ram = ram_of(fs);
    struct dory_ram_handle *h = handle_of(ram, handle);
    int r = call(ram, DORY_RAM_COMMIT);

    if (r == DORY_E_AGAIN)
        return r;
    if (!h || !h->creating)
        return DORY_E_ARG;
    if (!r)
        r = replace(ram, h, set & DORY_FS_COMMIT_NEW);
    if (!r && ram->half_commit && set)
        r = 1;
    else if (!r)
        apply(&ram->nodes[h->node], set, with);
    drop_handle(ram, handle);
    return r;
}

static int close_as(struct dory_fs *fs, int handle, enum dory_ram_call which, bool creating)
{
    struct dory_ram_fs *ram = ram_of(fs);
    struct dory_ram_handle *h = handle_of(ram, handle);
    int r = call(ram, which);

    if (r == DORY_E_AGAIN)
        return r;
    if (!h || h->creating != creating)
        return DORY_E_ARG;
    drop_handle(ram, handle);
    return r;
}

static int abort_created(struct dory_fs *fs, int handle) { return close_as(fs, handle, DORY_RAM_ABORT, true); }

static int close(struct dory_fs *fs, int handle) { return close_as(fs, handle, DORY_RAM_CLOSE, false); }

static int mkdir(struct dory_fs *fs, int dir, const char *name, uint16_t mode)
{
    struct dory_ram_fs *ram = ram_of(fs);
    int r = call(ram, DORY_RAM_MKDIR), parent;

    if (r)
        return r;
    parent = changing(ram, dir, name);
    if (parent < 0)
        return parent;
    if (dory_ram_child(ram, parent, name, strlen(name)) >= 0)
        return DORY_E_EXIST;
    r = dory_ram_new_node(ram, DORY_FS_DIR, (uint16_t)(mode & ~ram->umask));
    if (r < 0)
        return r;
    dory_ram_link_node(ram, r, parent, name, strlen(name));
    return DORY_OK;
}

static int setinfo(struct dory_fs *fs, int handle, unsigned set, const struct dory_fs_info *with)
{
    struct dory_ram_fs *ram = ram_of(fs);
    struct dory_ram_handle *h = handle_of(ram, handle);
    int r = call(ram, DORY_RAM_SETINFO);

    if (r)
        return r;
    if (!h)
        return DORY_E_ARG;
    if (fs->read_only)
        return DORY_E_ROFS;
    if (set & DORY_FS_SET_SIZE && ram->nodes[h->node].type != DORY_FS_FILE)
        return DORY_E_ISDIR;
    if (set & DORY_FS_SET_SIZE && (r = dory_ram_resize(ram, h->node, with->size)) < 0)
        return r;
    apply(&ram->nodes[h->node], set, with);
    return DORY_OK;
}

static int sync(struct dory_fs *fs, int handle)
{
    int r = call(ram_of(fs), DORY_RAM_SYNC);

    return r ? r : handle_of(ram_of(fs), handle) ? DORY_OK : DORY_E_ARG;
}

static bool is_empty(const struct dory_ram_fs *ram, int dir)
{
    for (int i = 1; i < ram->node_count; i++)
        if (ram->nodes[i].type && ram->nodes[i].linked && ram->nodes[i].parent == dir)
            return false;
    return true;
}

static int remove_as(struct dory_fs *fs, int dir, const char *name, enum dory_ram_call which)
{
    struct dory_ram_fs *ram = ram_of(fs);
    int r = call(ram, which), node;

    if (r)
        return r;
    r = changing(ram, dir, name);
    if (r < 0)
        return r;
    node = dory_ram_child(ram, r, name, strlen(name));
    if (node < 0)
        return node;
    if (which == DORY_RAM_REMOVE && ram->nodes[node].type == DORY_FS_DIR)
        return DORY_E_ISDIR;
    if (which == DORY_RAM_RMDIR && ram->nodes[node].type != DORY_FS_DIR)
        return DORY_E_NOTDIR;
    if (which == DORY_RAM_RMDIR && !is_empty(ram, node))
        return DORY_E_NOTEMPTY;
    dory_ram_unlink_node(ram, node);
    return DORY_OK;
}

static int remove_file(struct dory_fs *fs, int dir, const char *name) { return remove_as(fs, dir, name, DORY_RAM_REMOVE); }

static int rmdir(struct dory_fs *fs, int dir, const char *name) { return remove_as(fs, dir, name, DORY_RAM_RMDIR); }

/* May `node` take the place of `old`? */
static int displace(struct dory_ram_fs *ram, int node, int old, bool replacing)
{
    bool dir = ram->nodes[node].type == DORY_FS_DIR, old_dir = ram->nodes[old].type == DORY_FS_DIR;

    if (!replacing)
        return DORY_E_EXIST;
    if (dir != old_dir)
        return old_dir ? DORY_E_ISDIR : DORY_E_NOTDIR;
    if (old_dir && !is_empty(ram, old))
        return DORY_E_NOTEMPTY;
    dory_ram_unlink_node(ram, old);
    return DORY_OK;
}

static int rename(struct dory_fs *fs, int dir, const char *name, int to_dir, const char *to_name, bool replacing)
{
    struct dory_ram_fs *ram = ram_of(fs);
    int r = call(ram, DORY_RAM_RENAME), from, to, node, old;

    if (r)
        return r;
    from = changing(ram, dir, name);
    to = changing(ram, to_dir, to_name);
    if (from < 0 || to < 0)
        return from < 0 ? from : to;
    node = dory_ram_child(ram, from, name, strlen(name));
    if (node < 0)
        return node;
    for (int above = to; above > 0; above = ram->nodes[above].parent)
        if (above == node)
            return DORY_E_ARG;
    old = dory_ram_child(ram, to, to_name, strlen(to_name));
    if (old == node)
        return replacing ? DORY_OK : DORY_E_EXIST;
    if (old >= 0 && (r = displace(ram, node, old, replacing)) < 0)
        return r;
    dory_ram_link_node(ram, node, to, to_name, strlen(to_name));
    return DORY_OK;
}

static long readlink(struct dory_fs *fs, int dir, const char *name, char *target, size_t cap)
{
    struct dory_ram_fs *ram = ram_of(fs);
    int r = call(ram, DORY_RAM_READLINK);

    if (r)
        return r;
    r = child_of(ram, dir, name);
    if (r < 0)
        return r;
    if (ram->nodes[r].type != DORY_FS_LINK)
        return DORY_E_ARG;
    if (ram->nodes[r].size > cap)
        return DORY_E_SPACE;
    return (long)dory_ram_content(ram, r, 0, target, cap);
}

static int space(struct dory_fs *fs, int handle, struct dory_fs_space *out)
{
    struct dory_ram_fs *ram = ram_of(fs);
    int r = call(ram, DORY_RAM_SPACE);

    if (r)
        return r;
    if (!handle_of(ram, handle))
        return DORY_E_ARG;
    memset(out, 0, sizeof *out);
    out->block = DORY_RAM_BLOCK;
    out->total = (uint64_t)ram->block_count * DORY_RAM_BLOCK;
    out->free = (uint64_t)ram->free_blocks * DORY_RAM_BLOCK;
    out->files = (uint64_t)ram->node_count;
    for (int i = 0; i < ram->node_count; i++)
        out->files_free += !ram->nodes[i].type;
    return DORY_OK;
}

static const struct dory_fs_ops ops = {
    .root = root, .open = open, .dup = dup, .info = info, .lookup = lookup, .next = next, .read = read, .write = write,
    .create = create, .commit = commit, .abort = abort_created, .mkdir = mkdir, .setinfo = setinfo, .sync = sync, .close = close,
    .remove = remove_file, .rmdir = rmdir, .rename = rename, .readlink = readlink, .space = space};

void dory_ram_init(struct dory_ram_fs *ram, struct dory_ram_node *nodes, int node_count, struct dory_ram_block *blocks, int block_count)
{
    memset(ram, 0, sizeof *ram);
    memset(nodes, 0, (size_t)node_count * sizeof *nodes);
    memset(blocks, 0, (size_t)block_count * sizeof *blocks);
    ram->fs.ops = &ops;
    ram->nodes = nodes;
    ram->node_count = node_count;
    ram->blocks = blocks;
    ram->block_count = ram->free_blocks = block_count;
    dory_ram_new_node(ram, DORY_FS_DIR, 0755);
    ram->nodes[0].linked = true;
}
