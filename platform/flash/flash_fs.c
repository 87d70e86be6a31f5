/* dory_fs.h over slots: one directory, whose files are the slots of the table. */
#include <string.h>

#include "flash_internal.h"

enum { FREE, DIR, READER }; /* struct dory_flash_handle.used */

/* Handles of writers follow those of readers. */
enum { FIRST_WRITER = DORY_FLASH_HANDLES };

static struct dory_flash_fs *flash_of(struct dory_fs *fs)
{
    return (struct dory_flash_fs *)fs;
}

static struct dory_flash_handle *handle_of(struct dory_flash_fs *fs, int handle, uint8_t used)
{
    return handle >= 0 && handle < DORY_FLASH_HANDLES && fs->handles[handle].used == used ? &fs->handles[handle] : NULL;
}

/* A file under creation. */
static struct dory_flash_writer *writer_of(struct dory_flash_fs *fs, int handle)
{
    int i = handle - FIRST_WRITER;

    return handle >= FIRST_WRITER && i < DORY_FLASH_WRITERS && fs->writers[i].used ? &fs->writers[i] : NULL;
}

static int new_handle(struct dory_flash_fs *fs, uint8_t used, unsigned slot, unsigned copy, uint32_t size)
{
    for (int i = 0; i < DORY_FLASH_HANDLES; i++) {
        if (fs->handles[i].used)
            continue;
        fs->handles[i] = (struct dory_flash_handle){.used = used, .slot = (uint8_t)slot, .copy = (uint8_t)copy, .size = size};
        return i;
    }
    return DORY_E_NFILE;
}

/* The slot of a name in a directory. */
static int slot_of(struct dory_flash_fs *fs, int dir, const char *name)
{
    size_t n = strlen(name);
    int slot;

    if (!handle_of(fs, dir, DIR))
        return DORY_E_ARG;
    if (n == 0 || n > DORY_NAME_MAX || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return DORY_E_NAME;
    slot = dory_flash_find(fs, name);
    return slot >= 0 && fs->slots[slot].hidden ? DORY_E_NOENT : slot;
}

static bool is_log(const struct dory_flash_fs *fs, int slot)
{
    return fs->slots[slot].kind == DORY_FLASH_LOG;
}

static bool is_there(const struct dory_flash_fs *fs, int slot)
{
    return is_log(fs, slot) ? fs->log.ops != NULL : dory_i_flash_has_content(fs, (unsigned)slot);
}

/* The firmware that runs, or will after the next boot. */
static bool is_needed(const struct dory_flash_fs *fs, int slot)
{
    return slot == fs->running || slot == fs->chosen;
}

/* ---- looking */

static int root(struct dory_fs *fs)
{
    return new_handle(flash_of(fs), DIR, DORY_FLASH_NONE, 0, 0);
}

static int dup(struct dory_fs *fs, int dir)
{
    return handle_of(flash_of(fs), dir, DIR) ? root(fs) : DORY_E_ARG;
}

static int open(struct dory_fs *base, int dir, const char *name, unsigned flags)
{
    struct dory_flash_fs *fs = flash_of(base);
    struct dory_flash_status status;
    int slot = slot_of(fs, dir, name), r;

    if (slot < 0)
        return slot;
    if ((flags & DORY_FS_OPEN_WRITE) && base->read_only)
        return DORY_E_ROFS;
    if (!is_there(fs, slot))
        return DORY_E_NOENT;
    if (flags & DORY_FS_OPEN_DIR)
        return DORY_E_NOTDIR;
    if (flags & DORY_FS_OPEN_WRITE)
        return DORY_E_NOSYS;
    r = dory_flash_status(fs, (unsigned)slot, &status);
    return r ? r : new_handle(fs, READER, (unsigned)slot, is_log(fs, slot) ? 0 : fs->state[slot], status.size);
}

static void fill_info(const struct dory_flash_fs *fs, unsigned slot, uint32_t size, int64_t mtime, struct dory_fs_info *info)
{
    static const uint16_t modes[] = {[DORY_FLASH_FIRMWARE] = 0644, [DORY_FLASH_CONFIG] = 0600, [DORY_FLASH_LOG] = 0444};

    *info = (struct dory_fs_info){.type = DORY_FS_FILE, .mode = modes[fs->slots[slot].kind], .size = size, .mtime = mtime, .atime = mtime};
}

static int info(struct dory_fs *base, int handle, struct dory_fs_info *out)
{
    struct dory_flash_fs *fs = flash_of(base);
    const struct dory_flash_handle *h = handle_of(fs, handle, READER);
    const struct dory_flash_writer *w = writer_of(fs, handle);
    struct flash_trailer t = {0};
    int r = DORY_OK;

    if (handle_of(fs, handle, DIR)) {
        *out = (struct dory_fs_info){.type = DORY_FS_DIR, .mode = 0755};
        return DORY_OK;
    }
    if (w) {
        fill_info(fs, w->slot, w->done + w->part_n, w->mtime, out);
        return DORY_OK;
    }
    if (!h)
        return DORY_E_ARG;
    if (!is_log(fs, h->slot))
        r = dory_i_flash_read_trailer(fs, h->slot, h->copy, &t);
    fill_info(fs, h->slot, h->size, t.mtime, out);
    return r;
}

static int lookup(struct dory_fs *base, int dir, const char *name, bool follow, struct dory_fs_info *out)
{
    struct dory_flash_fs *fs = flash_of(base);
    struct dory_flash_status status;
    int slot = slot_of(fs, dir, name), r;

    (void)follow;
    if (slot < 0)
        return slot;
    if (!is_there(fs, slot))
        return DORY_E_NOENT;
    r = dory_flash_status(fs, (unsigned)slot, &status);
    if (!r)
        fill_info(fs, (unsigned)slot, status.size, status.mtime, out);
    return r;
}

static int next(struct dory_fs *base, int dir, char *name, size_t cap)
{
    struct dory_flash_fs *fs = flash_of(base);
    struct dory_flash_handle *h = handle_of(fs, dir, DIR);

    if (!h)
        return DORY_E_ARG;
    while (h->cursor < fs->count) {
        int slot = h->cursor++;

        if (fs->slots[slot].hidden || !is_there(fs, slot) || strlen(fs->slots[slot].name) >= cap)
            continue;
        strcpy(name, fs->slots[slot].name);
        return 1;
    }
    return 0;
}

static long read(struct dory_fs *base, int handle, uint64_t offset, uint8_t *buf, size_t n)
{
    struct dory_flash_fs *fs = flash_of(base);
    const struct dory_flash_handle *h = handle_of(fs, handle, READER);
    int r;

    if (!h)
        return DORY_E_ARG;
    if (offset >= h->size)
        return 0;
    if (n > h->size - offset)
        n = (size_t)(h->size - offset);
    if (is_log(fs, h->slot))
        return fs->log.ops->read(fs, (uint32_t)offset, buf, n);
    r = fs->flash->ops->read(fs->flash, dory_i_flash_base(fs, h->slot, h->copy) + (uint32_t)offset, buf, n);
    return r ? r : (long)n;
}

static int close(struct dory_fs *base, int handle)
{
    struct dory_flash_fs *fs = flash_of(base);

    if (!handle_of(fs, handle, DIR) && !handle_of(fs, handle, READER))
        return DORY_E_ARG;
    fs->handles[handle].used = FREE;
    return DORY_OK;
}

/* ---- changing */

/* A slot that may be written now. */
static int changing(struct dory_flash_fs *fs, int dir, const char *name)
{
    int slot = slot_of(fs, dir, name);

    if (slot < 0)
        return slot == DORY_E_NOENT && fs->fs.read_only ? DORY_E_ROFS : slot;
    if (fs->fs.read_only)
        return DORY_E_ROFS;
    return is_log(fs, slot) || is_needed(fs, slot) ? DORY_E_ACCESS : slot;
}

static int create(struct dory_fs *base, int dir, const char *name, uint16_t mode, uint64_t size)
{
    struct dory_flash_fs *fs = flash_of(base);
    int slot = changing(fs, dir, name), i = 0, r;

    (void)mode;
    if (slot < 0)
        return slot;
    if (size != UINT64_MAX && size > dory_i_flash_room(fs, (unsigned)slot))
        return DORY_E_NOSPC;
    while (i < DORY_FLASH_WRITERS && fs->writers[i].used)
        i++;
    if (i == DORY_FLASH_WRITERS)
        return DORY_E_NFILE;
    r = dory_i_flash_begin(fs, (unsigned)slot, &fs->writers[i]);
    return r ? r : FIRST_WRITER + i;
}

static long write(struct dory_fs *base, int handle, uint64_t offset, const uint8_t *buf, size_t n)
{
    struct dory_flash_writer *w = writer_of(flash_of(base), handle);

    return w ? dory_i_flash_write(flash_of(base), w, offset, buf, n) : DORY_E_ARG;
}

/* Modes are what they are; times are kept. Clients of SFTP end an upload by cutting the file where it ends anyway. */
static int setinfo(struct dory_fs *base, int handle, unsigned set, const struct dory_fs_info *with)
{
    struct dory_flash_writer *w = writer_of(flash_of(base), handle);

    if (base->read_only)
        return DORY_E_ROFS;
    if (!w || (set & DORY_FS_SET_OWNER) || ((set & DORY_FS_SET_SIZE) && with->size != w->done + w->part_n))
        return DORY_E_NOSYS;
    if (set & DORY_FS_SET_TIMES)
        w->mtime = with->mtime;
    return DORY_OK;
}

static int commit(struct dory_fs *base, int handle, unsigned set, const struct dory_fs_info *with)
{
    struct dory_flash_writer *w = writer_of(flash_of(base), handle);

    if (!w)
        return DORY_E_ARG;
    if (set & DORY_FS_SET_TIMES)
        w->mtime = with->mtime;
    return dory_i_flash_commit(flash_of(base), w);
}

static int abort_created(struct dory_fs *base, int handle)
{
    struct dory_flash_writer *w = writer_of(flash_of(base), handle);

    if (!w)
        return DORY_E_ARG;
    dory_i_flash_stop(flash_of(base), w);
    return DORY_OK;
}

/* What was committed is in flash already: it was read back. What is being written counts for nothing before its commit, so no promise. */
static int sync(struct dory_fs *base, int handle)
{
    struct dory_flash_fs *fs = flash_of(base);

    if (writer_of(fs, handle))
        return DORY_E_NOSYS;
    return handle_of(fs, handle, DIR) || handle_of(fs, handle, READER) ? DORY_OK : DORY_E_ARG;
}

static int remove_file(struct dory_fs *base, int dir, const char *name)
{
    struct dory_flash_fs *fs = flash_of(base);
    struct dory_flash_writer w;
    int slot = changing(fs, dir, name), r;

    if (slot < 0)
        return slot;
    if (!is_there(fs, slot))
        return DORY_E_NOENT;
    if (fs->slots[slot].kind == DORY_FLASH_CONFIG)
        return dory_flash_put(fs, (unsigned)slot, NULL, 0);
    r = dory_i_flash_begin(fs, (unsigned)slot, &w);
    while (!r && (r = dory_i_flash_prepare(fs, &w, 0)) == DORY_E_AGAIN)
        r = DORY_OK;
    return r;
}

const struct dory_fs_ops dory_i_flash_ops = {
    .root = root, .open = open, .dup = dup, .info = info, .lookup = lookup, .next = next, .read = read, .write = write,
    .create = create, .commit = commit, .abort = abort_created, .setinfo = setinfo, .sync = sync, .close = close,
    .remove = remove_file};
