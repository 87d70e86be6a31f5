/* The log: a ring of pages, each with a head and then lines. A line is padded with blanks to whole units, so that what is in flash is the text
 * as it is read, and the end of a page's text is where its erased bytes begin. */
#include <string.h>

#include "flash_internal.h"

enum { ERASE, HEAD, READY };
enum { HEAD_BYTES = 16 };
#define HEAD_MAX (HEAD_BYTES > DORY_FLASH_UNIT_MAX ? HEAD_BYTES : DORY_FLASH_UNIT_MAX)

static uint32_t head_size(const struct dory_flash_fs *fs)
{
    return fs->flash->unit > HEAD_BYTES ? fs->flash->unit : HEAD_BYTES;
}

static uint32_t address(const struct dory_flash_fs *fs, uint32_t page)
{
    return (fs->slots[fs->log.slot].first + page) * fs->flash->page;
}

static void make_head(uint8_t head[HEAD_MAX], uint32_t sequence)
{
    memset(head, 0xFF, HEAD_MAX);
    memcpy(head, "DLog", 4);
    dory_i_flash_put32(head + 4, sequence);
    dory_i_flash_put32(head + 8, ~sequence);
    memcpy(head + 12, "goLD", 4);
}

/* What flash that checks itself cannot read is text that a cut of power left half written. */
static int read_text(struct dory_flash_fs *fs, uint32_t at, uint8_t *bytes, size_t n)
{
    int r = fs->flash->ops->read(fs->flash, at, bytes, n);

    for (size_t i = 0; r == DORY_E_IO && i < n; i++) {
        int one = fs->flash->ops->read(fs->flash, at + (uint32_t)i, bytes + i, 1);

        if (one == DORY_E_AGAIN)
            return one;
        if (one)
            bytes[i] = '?';
    }
    return r == DORY_E_AGAIN ? r : DORY_OK;
}

/* DORY_E_NOENT: the page has no good head. */
static int read_head(struct dory_flash_fs *fs, uint32_t page, uint32_t *sequence)
{
    uint8_t head[HEAD_BYTES], good[HEAD_MAX];
    int r = read_text(fs, address(fs, page), head, sizeof head);

    if (r)
        return r;
    *sequence = dory_i_flash_get32(head + 4);
    make_head(good, *sequence);
    return memcmp(head, good, sizeof head) == 0 ? DORY_OK : DORY_E_NOENT;
}

/* Where the text of a page ends. */
static int used(struct dory_flash_fs *fs, uint32_t page, uint32_t *end)
{
    uint8_t bytes[64];
    uint32_t at = fs->flash->page, n = sizeof bytes;

    while (at > head_size(fs)) {
        n = at - head_size(fs) < sizeof bytes ? at - head_size(fs) : (uint32_t)sizeof bytes;
        int r = read_text(fs, address(fs, page) + at - n, bytes, n);

        if (r)
            return r;
        while (n > 0 && bytes[n - 1] == 0xFF) {
            n--;
            at--;
        }
        if (n > 0)
            break;
    }
    /* A unit is used whole. */
    *end = (at + fs->flash->unit - 1) & ~(fs->flash->unit - 1);
    return DORY_OK;
}

/* ---- reading: from the page behind the one that is written, around the ring */

/* The i-th page in order of age: its number, and where its text ends. DORY_E_NOENT: it holds none. */
static int by_age(struct dory_flash_fs *fs, uint32_t i, uint32_t *page, uint32_t *end)
{
    uint32_t pages = fs->slots[fs->log.slot].pages, sequence;
    int r;

    *page = (fs->log.page + 1 + i) % pages;
    if (*page == fs->log.page && fs->log.step != READY)
        return DORY_E_NOENT;
    r = read_head(fs, *page, &sequence);
    if (!r && *page == fs->log.page)
        *end = fs->log.at;
    else if (!r)
        r = used(fs, *page, end);
    return r;
}

static int size_of_all(struct dory_flash_fs *fs, uint32_t *size)
{
    uint32_t page, end;

    *size = 0;
    for (uint32_t i = 0; i < fs->slots[fs->log.slot].pages; i++) {
        int r = by_age(fs, i, &page, &end);

        if (r && r != DORY_E_NOENT)
            return r;
        if (!r)
            *size += end - head_size(fs);
    }
    return DORY_OK;
}

static uint8_t printable(uint8_t c)
{
    return (c >= ' ' && c <= '~') || c == '\n' ? c : '?';
}

static long read(struct dory_flash_fs *fs, uint32_t offset, uint8_t *buf, size_t n)
{
    uint32_t page, end, text;

    for (uint32_t i = 0; i < fs->slots[fs->log.slot].pages; i++) {
        int r = by_age(fs, i, &page, &end);

        if (r == DORY_E_NOENT)
            continue;
        if (r)
            return r;
        text = end - head_size(fs);
        if (offset >= text) {
            offset -= text;
            continue;
        }
        if (n > text - offset)
            n = text - offset;
        r = read_text(fs, address(fs, page) + head_size(fs) + offset, buf, n);
        /* A line that a cut of power left half programmed. */
        for (size_t k = 0; !r && k < n; k++)
            buf[k] = printable(buf[k]);
        return r ? r : (long)n;
    }
    return 0;
}

static const struct dory_flash_log_ops ops = {size_of_all, read};

/* ---- mount */

static int mount(struct dory_flash_fs *fs, unsigned slot)
{
    struct dory_flash_log *log = &fs->log;
    bool any = false;
    uint32_t sequence;

    *log = (struct dory_flash_log){.ops = &ops, .slot = (uint8_t)slot, .step = ERASE, .sequence = 1};
    for (uint32_t page = 0; page < fs->slots[slot].pages; page++) {
        int r = read_head(fs, page, &sequence);

        if (r == DORY_E_NOENT || (!r && any && (int32_t)(sequence - log->sequence) < 0))
            continue;
        if (r)
            return r;
        any = true;
        log->page = page;
        log->sequence = sequence;
        log->step = READY;
    }
    return any ? used(fs, log->page, &log->at) : DORY_OK;
}

int dory_flash_mount_log(struct dory_flash_fs *fs)
{
    int r = DORY_E_NOENT;

    for (unsigned i = 0; i < fs->count; i++)
        if (fs->slots[i].kind == DORY_FLASH_LOG)
            r = mount(fs, i);
    if (r)
        fs->log.ops = NULL;
    return r;
}

/* ---- writing */

static bool is_read(const struct dory_flash_fs *fs)
{
    for (int i = 0; i < DORY_FLASH_HANDLES; i++)
        if (fs->handles[i].used && fs->handles[i].slot == fs->log.slot)
            return true;
    return false;
}

/* Makes the page that is to be written ready. */
static int make_ready(struct dory_flash_fs *fs)
{
    struct dory_flash_log *log = &fs->log;
    uint8_t head[HEAD_MAX];
    int r = DORY_OK;

    if (log->step == ERASE) {
        if (is_read(fs))
            return DORY_E_AGAIN;
        r = fs->flash->ops->erase(fs->flash, fs->slots[log->slot].first + log->page);
        if (r)
            return r;
        log->step = HEAD;
    }
    if (log->step == HEAD) {
        make_head(head, log->sequence);
        r = dory_i_flash_burn(fs, &log->programmed, address(fs, log->page), head, head_size(fs));
        if (r == DORY_E_IO)
            log->step = ERASE; /* the next line tries again */
        if (r)
            return r;
        log->step = READY;
        log->at = head_size(fs);
    }
    return r;
}

static uint32_t record_size(const struct dory_flash_fs *fs, size_t n)
{
    n = (n < DORY_FLASH_LINE_MAX ? n : DORY_FLASH_LINE_MAX) + 1;
    return (uint32_t)(n + fs->flash->unit - 1) & ~(fs->flash->unit - 1);
}

bool dory_flash_log_erases(const struct dory_flash_fs *fs, size_t n)
{
    return fs->log.step == ERASE || fs->log.at + record_size(fs, n) > fs->flash->page;
}

int dory_flash_log(struct dory_flash_fs *fs, const char *line, size_t n)
{
    struct dory_flash_log *log = &fs->log;
    uint8_t record[DORY_FLASH_LINE_MAX + 1 + DORY_FLASH_UNIT_MAX];
    uint32_t size = record_size(fs, n);
    int r;

    if (!log->ops)
        return DORY_E_NOENT;
    if (log->step == READY && log->at + size > fs->flash->page) {
        if (is_read(fs))
            return DORY_E_AGAIN;
        log->step = ERASE;
        log->page = (log->page + 1) % fs->slots[log->slot].pages;
        log->sequence++;
    }
    r = make_ready(fs);
    if (r)
        return r;
    memset(record, ' ', sizeof record);
    for (size_t i = 0; i < n && i < DORY_FLASH_LINE_MAX; i++)
        record[i] = line[i] == '\n' ? '?' : printable((uint8_t)line[i]);
    record[size - 1] = '\n';
    r = fs->flash->ops->program(fs->flash, address(fs, log->page) + log->at, record, size);
    if (r != DORY_E_AGAIN)
        log->at += size; /* where it failed, nobody knows what is there */
    return r;
}
