/* How a slot is written. The page of the trailer is erased first, so that the trailer of what was there never stands over other content; the
 * mark is programmed last, so that nothing counts before it is whole; and what was programmed is read back before it is believed. */
#include <string.h>

#include "flash_internal.h"

enum { WRITING, BODY, MARK, BROKEN };
enum { HASH_AT_ONCE = 4096 }; /* bytes; between such parts the network has its turn */

/* ---- program and prove */

int dory_i_flash_prove(struct dory_flash_fs *fs, uint32_t at, const uint8_t *bytes, size_t n)
{
    uint8_t there[64];

    for (size_t i = 0, part; i < n; i += part) {
        part = n - i < sizeof there ? n - i : sizeof there;
        int r = fs->flash->ops->read(fs->flash, at + (uint32_t)i, there, part);

        if (r)
            return r;
        if (memcmp(there, bytes + i, part) != 0)
            return DORY_E_IO;
    }
    return DORY_OK;
}

int dory_i_flash_burn(struct dory_flash_fs *fs, bool *programmed, uint32_t at, const uint8_t *bytes, size_t n)
{
    int r;

    if (!*programmed) {
        r = fs->flash->ops->program(fs->flash, at, bytes, n);
        if (r)
            return r;
        *programmed = true;
    }
    r = dory_i_flash_prove(fs, at, bytes, n);
    if (r != DORY_E_AGAIN)
        *programmed = false;
    return r;
}

static uint32_t base_of(const struct dory_flash_fs *fs, const struct dory_flash_writer *w)
{
    return dory_i_flash_base(fs, w->slot, w->copy);
}

/* The page of the trailer; what was there is gone from then on, and gives its number to what follows. */
static int begin_erasing(struct dory_flash_fs *fs, struct dory_flash_writer *w, uint32_t page)
{
    struct flash_trailer old;
    int r = DORY_E_NOENT;

    if (fs->state[w->slot] != DORY_FLASH_NONE)
        r = dory_i_flash_read_trailer(fs, w->slot, fs->state[w->slot] & 1, &old);
    if (r == DORY_E_AGAIN)
        return r;
    if (r && w->copy != (fs->state[w->slot] & 1) && fs->state[w->slot] != DORY_FLASH_NONE)
        return DORY_E_IO; /* the copy that counts cannot be read: with what number would the other one follow it? */
    w->sequence = r ? 1 : old.sequence + 1;
    r = fs->flash->ops->erase(fs->flash, base_of(fs, w) / fs->flash->page + page);
    if (r == DORY_E_AGAIN)
        return r;
    w->begun = true;
    if (fs->slots[w->slot].kind == DORY_FLASH_FIRMWARE)
        fs->state[w->slot] = DORY_FLASH_NONE; /* also where the erase failed: nobody knows what it left */
    return r;
}

int dory_i_flash_prepare(struct dory_flash_fs *fs, struct dory_flash_writer *w, uint32_t at)
{
    uint32_t last = dory_i_flash_copy_pages(fs, w->slot) - 1, first = base_of(fs, w) / fs->flash->page;
    int r = w->begun ? DORY_OK : begin_erasing(fs, w, last);

    while (!r && w->erased < last && w->erased <= at / fs->flash->page) {
        r = fs->flash->ops->erase(fs->flash, first + w->erased);
        if (!r)
            w->erased++;
    }
    return r;
}

static int burn_part(struct dory_flash_fs *fs, struct dory_flash_writer *w)
{
    int r = dory_i_flash_burn(fs, &w->programmed, base_of(fs, w) + w->done, w->part, fs->flash->unit);

    if (!r) {
        w->done += w->part_n;
        w->part_n = 0;
    }
    return r;
}

/* Whole units, straight from the caller's buffer. */
static long burn_units(struct dory_flash_fs *fs, struct dory_flash_writer *w, const uint8_t *bytes, size_t n)
{
    uint32_t at = base_of(fs, w) + w->done, left = fs->flash->page - w->done % fs->flash->page;
    int r;

    if (!w->unproved) {
        uint32_t whole = (uint32_t)(n < left ? n & ~(size_t)(fs->flash->unit - 1) : left);

        r = fs->flash->ops->program(fs->flash, at, bytes, whole);
        if (r)
            return r;
        w->unproved = whole;
    }
    if (n < w->unproved)
        return DORY_E_ARG;
    r = dory_i_flash_prove(fs, at, bytes, w->unproved);
    if (r)
        return r;
    n = w->unproved;
    w->done += w->unproved;
    w->unproved = 0;
    return (long)n;
}

static long write_some(struct dory_flash_fs *fs, struct dory_flash_writer *w, const uint8_t *bytes, size_t n)
{
    uint32_t unit = fs->flash->unit;
    int r = w->part_n == unit ? burn_part(fs, w) : DORY_OK;

    if (!r)
        r = dory_i_flash_prepare(fs, w, w->done);
    if (r)
        return r;
    if (!w->part_n && n >= unit)
        return burn_units(fs, w, bytes, n);
    if (n > unit - w->part_n)
        n = unit - w->part_n;
    memcpy(w->part + w->part_n, bytes, n);
    w->part_n = (uint8_t)(w->part_n + n);
    return (long)n;
}

long dory_i_flash_write(struct dory_flash_fs *fs, struct dory_flash_writer *w, uint64_t at, const uint8_t *bytes, size_t n)
{
    uint32_t room = dory_i_flash_room(fs, w->slot);
    size_t taken = 0;
    long r = 0;

    if (w->step == BROKEN)
        return DORY_E_IO;
    if (w->step != WRITING || at != (uint64_t)w->done + w->part_n)
        return DORY_E_ARG;
    if (n && at >= room)
        return DORY_E_NOSPC;
    if (n > room - at)
        n = (size_t)(room - at);
    while (taken < n && (r = write_some(fs, w, bytes + taken, n - taken)) > 0)
        taken += (size_t)r;
    if (r == DORY_E_IO)
        w->step = BROKEN;
    return taken ? (long)taken : r;
}

/* ---- the end */

static int pad(struct dory_flash_fs *fs, struct dory_flash_writer *w)
{
    int r = dory_i_flash_prepare(fs, w, 0);

    if (r || !w->part_n)
        return r;
    memset(w->part + w->part_n, 0xFF, sizeof w->part - w->part_n);
    return burn_part(fs, w);
}

static int hash(struct dory_flash_fs *fs, const struct dory_flash_writer *w)
{
    uint8_t bytes[128];

    if (fs->hash_of != w) {
        if (fs->hash_of)
            return DORY_E_AGAIN;
        dory_sha256_init(&fs->hash);
        fs->hash_of = w;
        fs->hash_at = 0;
    }
    for (uint32_t i = 0, n; i < HASH_AT_ONCE && fs->hash_at < w->done; i += n) {
        n = w->done - fs->hash_at < sizeof bytes ? w->done - fs->hash_at : sizeof bytes;
        int r = fs->flash->ops->read(fs->flash, base_of(fs, w) + fs->hash_at, bytes, n);

        if (r)
            return r;
        dory_sha256_update(&fs->hash, bytes, n);
        fs->hash_at += n;
    }
    return fs->hash_at < w->done ? DORY_E_AGAIN : DORY_OK;
}

static int burn_body(struct dory_flash_fs *fs, struct dory_flash_writer *w)
{
    struct flash_trailer t = {.flags = w->removing ? FLASH_REMOVED : 0, .sequence = w->sequence, .length = w->done, .mtime = w->mtime};
    struct dory_sha256 h;
    uint8_t body[FLASH_BODY];
    int r = hash(fs, w);

    if (r)
        return r;
    h = fs->hash;
    dory_sha256_final(&h, t.sha256);
    dory_i_flash_make_body(fs, w->slot, &t, body);
    return dory_i_flash_burn(fs, &w->programmed, dory_i_flash_trailer(fs, w->slot, w->copy), body, sizeof body);
}

static int burn_mark(struct dory_flash_fs *fs, struct dory_flash_writer *w)
{
    uint8_t mark[FLASH_MARK > DORY_FLASH_UNIT_MAX ? FLASH_MARK : DORY_FLASH_UNIT_MAX];

    dory_i_flash_make_mark(mark, sizeof mark);
    return dory_i_flash_burn(fs, &w->programmed, dory_i_flash_trailer(fs, w->slot, w->copy) + FLASH_BODY, mark, dory_i_flash_mark_size(fs));
}

int dory_i_flash_commit(struct dory_flash_fs *fs, struct dory_flash_writer *w)
{
    int r = w->step == BROKEN ? DORY_E_IO : w->unproved ? DORY_E_STATE : DORY_OK;

    while (!r) {
        r = w->step == WRITING ? pad(fs, w) : w->step == BODY ? burn_body(fs, w) : burn_mark(fs, w);
        if (!r && w->step++ == MARK)
            break;
    }
    if (r == DORY_E_AGAIN)
        return r;
    if (!r)
        fs->state[w->slot] = (uint8_t)(w->copy | (w->removing ? FLASH_STATE_ABSENT : 0));
    dory_i_flash_stop(fs, w);
    return r;
}

void dory_i_flash_stop(struct dory_flash_fs *fs, struct dory_flash_writer *w)
{
    w->used = 0;
    if (fs->hash_of == w)
        fs->hash_of = NULL;
}

int dory_i_flash_begin(struct dory_flash_fs *fs, unsigned slot, struct dory_flash_writer *w)
{
    uint8_t copy = fs->slots[slot].kind == DORY_FLASH_CONFIG && fs->state[slot] != DORY_FLASH_NONE ? (fs->state[slot] & 1) ^ 1 : 0;

    for (int i = 0; i < DORY_FLASH_WRITERS; i++)
        if (fs->writers[i].used && fs->writers[i].slot == slot)
            return DORY_E_STATE;
    for (int i = 0; i < DORY_FLASH_HANDLES; i++)
        if (fs->handles[i].used && fs->handles[i].slot == slot && fs->handles[i].copy == copy)
            return DORY_E_STATE;
    *w = (struct dory_flash_writer){.used = 1, .slot = (uint8_t)slot, .copy = copy};
    return DORY_OK;
}
