/* Small tools shared by the files of this folder that read and write people's text files. */
#ifndef POSIX_INTERNAL_H
#define POSIX_INTERNAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "dory_crypto.h"
#include "dory_posix_text.h"

/* Formats into `why`, escaped, and returns `error`. */
int dory_why(char why[DORY_WHY_MAX], int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The usual "cannot read PATH: …" for the value of errno. */
int dory_why_errno(char why[DORY_WHY_MAX], const char *verb, const char *path, int err);

/* Lines of a file, in bounded memory. Lines that are longer, or that hold a NUL, are counted and left out. */
#define DORY_LINE_MAX 16384
struct dory_lines {
    int fd;
    unsigned number;   /* of the line given last, from 1 */
    unsigned left_out; /* number of the line left out last; 0: none */
    bool eof, overlong;
    size_t at, n;
    char buf[DORY_LINE_MAX + 1];
};
int dory_lines_open(struct dory_lines *lines, const char *path); /* DORY_OK or the error of open */
/* 1: *line is NUL-terminated, without its line end, writable, and lives until the next call. 0: no more. Negative: cannot be read. */
int dory_lines_next(struct dory_lines *lines, char **line);
void dory_lines_close(struct dory_lines *lines); /* wipes what was read */

/* Cuts the next word off *rest (blanks are spaces and tabs); NULL if there is none. */
char *dory_next_word(char **rest);
char *dory_skip_blanks(char *text);

/* Writes a whole file under a temporary name, syncs it and renames it. DORY_E_EXIST: it exists and `replace` is false. */
int dory_write_file(const char *path, mode_t mode, const void *bytes, size_t n, bool replace);
/* At most cap bytes of a file; its size, DORY_E_SPACE if it is larger, or another error. others: mode bits beyond the owner's if
   the file is this user's own, else 0; may be NULL. */
int dory_read_file(const char *path, void *bytes, size_t cap, mode_t *others);

/* RFC 4251 5 strings in a blob. `bad` stays set once something did not fit. */
struct dory_blob {
    const uint8_t *p;
    size_t n;
    bool bad;
};
uint32_t dory_blob_u32(struct dory_blob *in);
struct dory_blob dory_blob_string(struct dory_blob *in);
bool dory_blob_is(const struct dory_blob *string, const char *text);
/* The type inside a public key blob, NUL-terminated, fit to be a word in a file; false if there is none such. */
bool dory_blob_type(const uint8_t *blob, size_t n, char *type, size_t cap);

#endif
