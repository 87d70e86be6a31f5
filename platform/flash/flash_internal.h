/* The inside of platform/flash.
 *
 *   flash_fs.c     the calls of dory_fs.h            flash_write.c  how a slot is written: erase, program, prove, mark
 *   flash_slot.c   layout, trailers, mount           flash_log.c    the ring of lines
 *   flash_check.c  is a table possible?
 */
#ifndef FLASH_INTERNAL_H
#define FLASH_INTERNAL_H

#include "dory_flash.h"

/* A trailer ends a copy: the body, then the mark (docs/FLASH.md). */
enum { FLASH_BODY = 64, FLASH_MARK = 8, FLASH_REMOVED = 1 };
#define FLASH_STATE_ABSENT 0x80 /* in fs->state: the copy that counts says that there is no content */

struct flash_trailer {
    uint8_t flags;
    uint32_t sequence, length;
    int64_t mtime;
    uint8_t sha256[32];
};

/* flash_slot.c */
uint32_t dory_i_flash_mark_size(const struct dory_flash_fs *fs);
uint32_t dory_i_flash_copy_pages(const struct dory_flash_fs *fs, unsigned slot);
/* Addresses: of the first byte of a copy and of its trailer. */
uint32_t dory_i_flash_base(const struct dory_flash_fs *fs, unsigned slot, unsigned copy);
uint32_t dory_i_flash_trailer(const struct dory_flash_fs *fs, unsigned slot, unsigned copy);
uint32_t dory_i_flash_room(const struct dory_flash_fs *fs, unsigned slot);
/* DORY_E_NOENT: no good trailer there, or none that can be read. */
int dory_i_flash_read_trailer(struct dory_flash_fs *fs, unsigned slot, unsigned copy, struct flash_trailer *trailer);
void dory_i_flash_make_body(const struct dory_flash_fs *fs, unsigned slot, const struct flash_trailer *trailer, uint8_t body[FLASH_BODY]);
void dory_i_flash_make_mark(uint8_t *mark, size_t n);
bool dory_i_flash_has_content(const struct dory_flash_fs *fs, unsigned slot);
uint32_t dory_i_flash_get32(const uint8_t *p);
void dory_i_flash_put32(uint8_t *p, uint32_t v);

/* flash_write.c. All but find and stop may say DORY_E_AGAIN. */
int dory_i_flash_prove(struct dory_flash_fs *fs, uint32_t at, const uint8_t *bytes, size_t n);
int dory_i_flash_burn(struct dory_flash_fs *fs, bool *programmed, uint32_t at, const uint8_t *bytes, size_t n);
/* May the slot be written? Makes *w the writer of its other copy, or of its only one. DORY_OK, DORY_E_STATE. */
int dory_i_flash_begin(struct dory_flash_fs *fs, unsigned slot, struct dory_flash_writer *w);
long dory_i_flash_write(struct dory_flash_fs *fs, struct dory_flash_writer *w, uint64_t at, const uint8_t *bytes, size_t n);
int dory_i_flash_commit(struct dory_flash_fs *fs, struct dory_flash_writer *w);
void dory_i_flash_stop(struct dory_flash_fs *fs, struct dory_flash_writer *w);
/* Erases what must be erased before the byte at `at` can be programmed. */
int dory_i_flash_prepare(struct dory_flash_fs *fs, struct dory_flash_writer *w, uint32_t at);

#endif
