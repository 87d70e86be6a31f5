/* NOR flash of a device as a file system of fixed slots (dory_fs.h): firmware images, small files of configuration, a log.
 *
 * One flat root directory. A slot's name is its file; there are no others. What a cut of power at any moment leaves is the old content or
 * the new one, as far as a slot has room for both:
 *
 *   firmware   one image, run in place from the slot's first byte. The slot that runs and the slot chosen for the next boot are never
 *              written, so that a valid image is always left; the name that is given says which slot is meant.
 *   config     a small file in two copies; a new one is written into the older copy and counts once its mark stands.
 *   log        text lines in a ring of pages, the oldest page is given up for new lines. Read only for a file system's users.
 *
 * docs/FLASH.md has the bytes. Writes go to a slot in order, without gaps; modes are not kept, times are (those that `scp -p` brings, else 0).
 */
#ifndef DORY_FLASH_H
#define DORY_FLASH_H

#include "dory_crypto.h"
#include "dory_fs.h"

/* Limits of an image; a board overrides them in its dory_limits.h. */
#ifndef DORY_FLASH_SLOTS
#define DORY_FLASH_SLOTS 8
#endif
#ifndef DORY_FLASH_HANDLES /* directories and files open for reading, of all sessions; an SCP session takes up to four */
#define DORY_FLASH_HANDLES 12
#endif
#ifndef DORY_FLASH_WRITERS /* files under creation, of all sessions */
#define DORY_FLASH_WRITERS 2
#endif
#ifndef DORY_FLASH_UNIT_MAX
#define DORY_FLASH_UNIT_MAX 8
#endif

/* ---- The driver, which a board gives. Addresses are bytes from the start of the driver's flash. ----
 *
 * Every call returns DORY_OK; DORY_E_AGAIN: the flash is busy with an earlier operation and nothing of this one has happened, it will be
 * called again; or DORY_E_IO. DORY_OK from erase and program means accepted: the driver may still be at it when it returns, and then says
 * DORY_E_AGAIN to every call until it is done. A driver that waits for the hardware itself never says DORY_E_AGAIN. What was programmed is
 * read back and compared by the caller, so a driver need not.
 */
struct dory_flash;
struct dory_flash_ops {
    /* Any address, any n. */
    int (*read)(struct dory_flash *flash, uint32_t at, void *out, size_t n);
    /* Sets the page's bytes to 0xFF. */
    int (*erase)(struct dory_flash *flash, uint32_t page);
    /* at and n are multiples of unit, within one page, of erased bytes. bytes need not be aligned; the driver is done with them when it returns DORY_OK. */
    int (*program)(struct dory_flash *flash, uint32_t at, const uint8_t *bytes, size_t n);
};
struct dory_flash {
    const struct dory_flash_ops *ops;
    uint32_t page;  /* bytes erased at once, a power of two, at least 256 */
    uint32_t pages; /* of them */
    uint32_t unit;  /* bytes programmed at once: 1, 2, 4 … DORY_FLASH_UNIT_MAX */
};

/* ---- The table of slots, which a board gives ---- */

enum dory_flash_kind { DORY_FLASH_FIRMWARE = 1, DORY_FLASH_CONFIG = 2, DORY_FLASH_LOG = 3 };
struct dory_flash_slot {
    const char *name;
    uint32_t first, pages; /* config: an even number, half for each copy; log: at least 2 */
    uint8_t kind;          /* enum dory_flash_kind */
    bool hidden;           /* not a file of the file system: the program's own (host key, boot choice) */
};

/* Private, as all of struct dory_flash_fs. */
struct dory_flash_handle {
    uint8_t used; /* 0: free */
    uint8_t slot, copy, cursor;
    uint32_t size;
};
struct dory_flash_writer {
    uint8_t used, slot, copy, step;
    uint8_t part_n;    /* bytes in `part` */
    bool removing;     /* commits the absence of content */
    bool begun;        /* the page of the trailer is erased */
    bool programmed;   /* what is under way was accepted by the driver, but not read back */
    uint32_t done;     /* bytes in flash, read back */
    uint32_t unproved; /* bytes behind them, programmed and not read back */
    uint32_t erased;   /* pages, from the first */
    uint32_t sequence;
    int64_t mtime;
    uint8_t part[DORY_FLASH_UNIT_MAX];
};
struct dory_flash_fs;
struct dory_flash_log_ops {
    int (*size)(struct dory_flash_fs *fs, uint32_t *size);
    long (*read)(struct dory_flash_fs *fs, uint32_t offset, uint8_t *buf, size_t n);
};
struct dory_flash_log {
    const struct dory_flash_log_ops *ops; /* NULL: it is not mounted */
    uint8_t slot;
    uint8_t step;      /* of the page to write: erase, head, ready */
    bool programmed;
    uint32_t page;     /* in the slot, that is written */
    uint32_t at;       /* in the page */
    uint32_t sequence; /* of the page */
};
#define DORY_FLASH_NONE 0xFF

struct dory_flash_fs {
    struct dory_fs fs; /* first */
    struct dory_flash *flash;
    const struct dory_flash_slot *slots;
    uint8_t count, running, chosen;
    uint8_t state[DORY_FLASH_SLOTS]; /* the copy that counts, with a bit where it says that there is nothing; DORY_FLASH_NONE */
    const struct dory_flash_writer *hash_of; /* whose content is hashed; NULL: nobody's */
    uint32_t hash_at;
    struct dory_sha256 hash;
    struct dory_flash_handle handles[DORY_FLASH_HANDLES];
    struct dory_flash_writer writers[DORY_FLASH_WRITERS];
    struct dory_flash_log log;
};

/* DORY_E_ARG: a geometry or table that cannot work: page numbers, overlaps, names, kinds. For a board's test: mount takes a table as it is. */
int dory_flash_check(const struct dory_flash *flash, const struct dory_flash_slot *slots, unsigned count);

/* Looks at all slots; changes nothing. running: the name of the firmware slot that this program runs from, NULL: none.
   DORY_E_ARG: more slots or larger units than the limits above, or no such firmware slot. DORY_E_AGAIN: call again. */
int dory_flash_mount(struct dory_flash_fs *fs, struct dory_flash *flash, const struct dory_flash_slot *slots, unsigned count,
                     const char *running);

/* Then the log, in a program that has one: what does not call this holds no code for it, and a log slot of its table stays empty.
   DORY_E_NOENT: the table has no log. DORY_E_AGAIN: call again. */
int dory_flash_mount_log(struct dory_flash_fs *fs);

/* ---- For the program itself; hidden slots as well. A slot is its index in the table. ---- */

/* DORY_E_NOENT: no such name. */
int dory_flash_find(const struct dory_flash_fs *fs, const char *name);

struct dory_flash_status {
    bool valid;   /* its mark and trailer are good */
    bool running, chosen; /* firmware */
    uint32_t size, room; /* bytes: of the content; the most that fits */
    uint32_t sequence;
    int64_t mtime;
    uint8_t sha256[32]; /* as the trailer says */
};
int dory_flash_status(struct dory_flash_fs *fs, unsigned slot, struct dory_flash_status *status);

/* Content of a valid slot at an offset; fewer bytes at its end. DORY_E_NOENT: there is none. */
long dory_flash_get(struct dory_flash_fs *fs, unsigned slot, uint32_t at, void *out, size_t n);

/* The following three do not say DORY_E_AGAIN but wait for the flash, some erases at most. */

/* Replaces a config slot's content in one step; NULL: there is none from then on. DORY_E_NOSPC: more than fits. DORY_E_STATE: the slot is being read
   or uploaded. */
int dory_flash_put(struct dory_flash_fs *fs, unsigned slot, const void *bytes, size_t n);

/* Reads a slot's content and compares it with the hash in its trailer. DORY_E_NOENT: no valid mark, or firmware of no bytes. DORY_E_CRYPTO: the content is another. */
int dory_flash_verify(struct dory_flash_fs *fs, unsigned slot);

/* The boot choice is the content of the hidden config slot named "boot": a firmware slot's name. Verifies that slot, then writes the choice in
   one step. DORY_E_NOENT: no valid image there. DORY_E_CRYPTO: damaged. DORY_E_STATE: it is being uploaded. DORY_E_ARG: no firmware slot, or
   the table has no "boot". Without a choice the first firmware slot of the table counts. */
int dory_flash_activate(struct dory_flash_fs *fs, unsigned slot);

/* Appends one line (without its end, cut at DORY_FLASH_LINE_MAX; what is not printable ASCII becomes '?') to the log. The oldest page is
   erased when the newest is full, but not while somebody reads the log: DORY_E_AGAIN, call again with the same line. DORY_E_NOENT: no log is mounted. */
#define DORY_FLASH_LINE_MAX 120
int dory_flash_log(struct dory_flash_fs *fs, const char *line, size_t n);
/* A line of n bytes would have a page erased: the caller can bound wear. */
bool dory_flash_log_erases(const struct dory_flash_fs *fs, size_t n);

#endif
