/* Where things lie, which copy counts, and what the program itself asks of slots. */
#include <string.h>

#include "flash_internal.h"

static const uint8_t mark_bytes[FLASH_MARK] = {0xA5, 0x5A, 0xC3, 0x3C, 0x96, 0x69, 0xE1, 0x1E};

/* ---- layout */

uint32_t dory_i_flash_mark_size(const struct dory_flash_fs *fs)
{
    return fs->flash->unit > FLASH_MARK ? fs->flash->unit : FLASH_MARK;
}

uint32_t dory_i_flash_copy_pages(const struct dory_flash_fs *fs, unsigned slot)
{
    return fs->slots[slot].kind == DORY_FLASH_CONFIG ? fs->slots[slot].pages / 2 : fs->slots[slot].pages;
}

uint32_t dory_i_flash_base(const struct dory_flash_fs *fs, unsigned slot, unsigned copy)
{
    return (fs->slots[slot].first + copy * dory_i_flash_copy_pages(fs, slot)) * fs->flash->page;
}

uint32_t dory_i_flash_room(const struct dory_flash_fs *fs, unsigned slot)
{
    return dory_i_flash_copy_pages(fs, slot) * fs->flash->page - FLASH_BODY - dory_i_flash_mark_size(fs);
}

uint32_t dory_i_flash_trailer(const struct dory_flash_fs *fs, unsigned slot, unsigned copy)
{
    return dory_i_flash_base(fs, slot, copy) + dory_i_flash_room(fs, slot);
}

/* ---- trailers */

uint32_t dory_i_flash_get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void dory_i_flash_put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

void dory_i_flash_make_mark(uint8_t *mark, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mark[i] = mark_bytes[i % FLASH_MARK];
}

/* The end of a body: enough of its hash to tell it from one half erased or half programmed. */
static void check_of(const uint8_t body[FLASH_BODY], uint8_t digest[32])
{
    struct dory_sha256 hash;

    dory_sha256_init(&hash);
    dory_sha256_update(&hash, body, FLASH_BODY - 8);
    dory_sha256_final(&hash, digest);
}

void dory_i_flash_make_body(const struct dory_flash_fs *fs, unsigned slot, const struct flash_trailer *trailer, uint8_t body[FLASH_BODY])
{
    uint8_t digest[32];

    memcpy(body, "Dory\1", 5);
    body[5] = fs->slots[slot].kind;
    body[6] = trailer->flags;
    body[7] = 0;
    dory_i_flash_put32(body + 8, trailer->sequence);
    dory_i_flash_put32(body + 12, trailer->length);
    dory_i_flash_put32(body + 16, (uint32_t)trailer->mtime);
    dory_i_flash_put32(body + 20, (uint32_t)((uint64_t)trailer->mtime >> 32));
    memcpy(body + 24, trailer->sha256, 32);
    check_of(body, digest);
    memcpy(body + FLASH_BODY - 8, digest, 8);
}

int dory_i_flash_read_trailer(struct dory_flash_fs *fs, unsigned slot, unsigned copy, struct flash_trailer *trailer)
{
    uint8_t bytes[FLASH_BODY], digest[32], mark[FLASH_MARK > DORY_FLASH_UNIT_MAX ? FLASH_MARK : DORY_FLASH_UNIT_MAX];
    uint32_t at = dory_i_flash_trailer(fs, slot, copy);
    int r = fs->flash->ops->read(fs->flash, at, bytes, sizeof bytes);

    if (r)
        return r == DORY_E_AGAIN ? r : DORY_E_NOENT; /* flash that checks itself cannot read what a cut of power left half written */
    check_of(bytes, digest);
    if (memcmp(bytes, "Dory\1", 5) != 0 || bytes[5] != fs->slots[slot].kind || memcmp(bytes + FLASH_BODY - 8, digest, 8) != 0)
        return DORY_E_NOENT;
    dory_i_flash_make_mark(mark, sizeof mark);
    r = dory_i_flash_prove(fs, at + FLASH_BODY, mark, dory_i_flash_mark_size(fs));
    if (r)
        return r == DORY_E_AGAIN ? r : DORY_E_NOENT;
    trailer->flags = bytes[6];
    trailer->sequence = dory_i_flash_get32(bytes + 8);
    trailer->length = dory_i_flash_get32(bytes + 12);
    trailer->mtime = (int64_t)(dory_i_flash_get32(bytes + 16) | (uint64_t)dory_i_flash_get32(bytes + 20) << 32);
    memcpy(trailer->sha256, bytes + 24, 32);
    return trailer->length <= dory_i_flash_room(fs, slot) ? DORY_OK : DORY_E_NOENT;
}

/* ---- mount */

/* Of two good copies the one written later counts. */
static int mount_slot(struct dory_flash_fs *fs, unsigned slot)
{
    struct flash_trailer best = {0}, t;
    unsigned copies = fs->slots[slot].kind == DORY_FLASH_CONFIG ? 2 : 1;

    fs->state[slot] = DORY_FLASH_NONE;
    for (unsigned copy = 0; copy < copies; copy++) {
        int r = dory_i_flash_read_trailer(fs, slot, copy, &t);

        if (r == DORY_E_NOENT || (!r && fs->state[slot] != DORY_FLASH_NONE && (int32_t)(t.sequence - best.sequence) < 0))
            continue;
        if (r)
            return r;
        best = t;
        fs->state[slot] = (uint8_t)(copy | (t.flags & FLASH_REMOVED ? FLASH_STATE_ABSENT : 0));
    }
    return DORY_OK;
}

static int firmware_named(const struct dory_flash_fs *fs, const char *name)
{
    int slot = dory_flash_find(fs, name);

    return slot >= 0 && fs->slots[slot].kind != DORY_FLASH_FIRMWARE ? DORY_E_NOENT : slot;
}

static int read_choice(struct dory_flash_fs *fs)
{
    char name[DORY_NAME_MAX + 1];
    int boot = dory_flash_find(fs, "boot");
    long n = boot < 0 ? DORY_E_NOENT : dory_flash_get(fs, (unsigned)boot, 0, name, sizeof name - 1);
    int slot = DORY_E_NOENT;

    if (n < 0 && n != DORY_E_NOENT)
        return (int)n;
    if (n > 0) {
        name[n] = '\0';
        slot = firmware_named(fs, name);
    }
    for (unsigned i = 0; slot < 0 && i < fs->count; i++)
        if (fs->slots[i].kind == DORY_FLASH_FIRMWARE)
            slot = (int)i;
    fs->chosen = slot < 0 ? DORY_FLASH_NONE : (uint8_t)slot;
    return DORY_OK;
}

extern const struct dory_fs_ops dory_i_flash_ops;

int dory_flash_mount(struct dory_flash_fs *fs, struct dory_flash *flash, const struct dory_flash_slot *slots, unsigned count,
                     const char *running)
{
    int r = DORY_OK, slot = DORY_FLASH_NONE;

    memset(fs, 0, sizeof *fs);
    fs->fs.ops = &dory_i_flash_ops;
    fs->flash = flash;
    fs->slots = slots;
    fs->count = (uint8_t)count;
    if (count > DORY_FLASH_SLOTS || flash->unit > DORY_FLASH_UNIT_MAX)
        return DORY_E_ARG;
    for (unsigned i = 0; i < count && !r; i++)
        r = slots[i].kind == DORY_FLASH_LOG ? DORY_OK : mount_slot(fs, i);
    if (!r && running && (slot = firmware_named(fs, running)) < 0)
        return DORY_E_ARG;
    fs->running = (uint8_t)slot;
    return r ? r : read_choice(fs);
}

/* ---- what the program asks */

int dory_flash_find(const struct dory_flash_fs *fs, const char *name)
{
    for (unsigned i = 0; i < fs->count; i++)
        if (strcmp(fs->slots[i].name, name) == 0)
            return (int)i;
    return DORY_E_NOENT;
}

bool dory_i_flash_has_content(const struct dory_flash_fs *fs, unsigned slot)
{
    return fs->state[slot] < FLASH_STATE_ABSENT;
}

int dory_flash_status(struct dory_flash_fs *fs, unsigned slot, struct dory_flash_status *status)
{
    struct flash_trailer t = {0};
    int r = DORY_OK;

    memset(status, 0, sizeof *status);
    status->running = slot == fs->running;
    status->chosen = slot == fs->chosen;
    if (fs->slots[slot].kind == DORY_FLASH_LOG) {
        status->valid = fs->log.ops != NULL;
        status->room = fs->slots[slot].pages * fs->flash->page;
        return status->valid ? fs->log.ops->size(fs, &status->size) : DORY_OK;
    }
    status->room = dory_i_flash_room(fs, slot);
    status->valid = dory_i_flash_has_content(fs, slot);
    if (status->valid)
        r = dory_i_flash_read_trailer(fs, slot, fs->state[slot], &t);
    status->size = t.length;
    status->sequence = t.sequence;
    status->mtime = t.mtime;
    memcpy(status->sha256, t.sha256, sizeof t.sha256);
    return r;
}

long dory_flash_get(struct dory_flash_fs *fs, unsigned slot, uint32_t at, void *out, size_t n)
{
    struct dory_flash_status status;
    int r = dory_flash_status(fs, slot, &status);

    if (r)
        return r;
    if (!status.valid)
        return DORY_E_NOENT;
    if (at >= status.size)
        return 0;
    if (n > status.size - at)
        n = status.size - at;
    if (fs->slots[slot].kind == DORY_FLASH_LOG)
        return fs->log.ops->read(fs, at, out, n);
    r = fs->flash->ops->read(fs->flash, dory_i_flash_base(fs, slot, fs->state[slot]) + at, out, n);
    return r ? r : (long)n;
}

/* Until the flash is not busy. */
#define WAIT(r, call)                                                                                                                      \
    do                                                                                                                                     \
        (r) = (int)(call);                                                                                                                 \
    while ((r) == DORY_E_AGAIN)

int dory_flash_put(struct dory_flash_fs *fs, unsigned slot, const void *bytes, size_t n)
{
    struct dory_flash_writer w;
    int r;

    if (fs->slots[slot].kind != DORY_FLASH_CONFIG)
        return DORY_E_ARG;
    if (n > dory_i_flash_room(fs, slot))
        return DORY_E_NOSPC;
    r = dory_i_flash_begin(fs, slot, &w);
    w.removing = !bytes;
    for (uint32_t at = 0; r >= 0 && at < n; at += r > 0 ? (uint32_t)r : 0)
        WAIT(r, dory_i_flash_write(fs, &w, at, (const uint8_t *)bytes + at, n - at));
    if (r < 0)
        return r;
    fs->hash_of = NULL; /* an upload that is being hashed begins again */
    WAIT(r, dory_i_flash_commit(fs, &w));
    return r;
}

int dory_flash_verify(struct dory_flash_fs *fs, unsigned slot)
{
    struct dory_flash_status status;
    struct dory_sha256 hash;
    uint8_t bytes[128], digest[32];
    int r;

    WAIT(r, dory_flash_status(fs, slot, &status));
    if (r)
        return r;
    if (!status.valid || fs->slots[slot].kind == DORY_FLASH_LOG || (fs->slots[slot].kind == DORY_FLASH_FIRMWARE && !status.size))
        return DORY_E_NOENT;
    dory_sha256_init(&hash);
    for (uint32_t at = 0, n; at < status.size; at += n) {
        n = status.size - at < sizeof bytes ? status.size - at : sizeof bytes;
        WAIT(r, fs->flash->ops->read(fs->flash, dory_i_flash_base(fs, slot, fs->state[slot]) + at, bytes, n));
        if (r)
            return r;
        dory_sha256_update(&hash, bytes, n);
    }
    dory_sha256_final(&hash, digest);
    return memcmp(digest, status.sha256, sizeof digest) == 0 ? DORY_OK : DORY_E_CRYPTO;
}

int dory_flash_activate(struct dory_flash_fs *fs, unsigned slot)
{
    int boot = dory_flash_find(fs, "boot"), r;
    struct dory_flash_writer w;

    if (boot < 0 || fs->slots[slot].kind != DORY_FLASH_FIRMWARE)
        return DORY_E_ARG;
    r = dory_i_flash_begin(fs, slot, &w); /* nobody writes it */
    if (!r)
        r = dory_flash_verify(fs, slot);
    if (r == DORY_E_NOENT && slot == fs->running)
        r = DORY_OK; /* it came by another way than an upload, and it works */
    if (!r)
        r = dory_flash_put(fs, (unsigned)boot, fs->slots[slot].name, strlen(fs->slots[slot].name));
    if (!r)
        fs->chosen = (uint8_t)slot;
    return r;
}
