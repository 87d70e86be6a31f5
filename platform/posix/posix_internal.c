#define _FILE_OFFSET_BITS 64
#include "posix_internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dory_posix_fs.h"
#include "dory_posix_sys.h"
#include "posix_fs_internal.h"

int dory_why(char why[DORY_WHY_MAX], int error, const char *format, ...)
{
    char text[DORY_WHY_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    dory_escape_text(why, DORY_WHY_MAX, text, strlen(text));
    return error;
}

int dory_why_errno(char why[DORY_WHY_MAX], const char *verb, const char *path, int err)
{
    return dory_why(why, dory_posix_error(err), "cannot %s %s: %s", verb, path, strerror(err));
}

/* ---- lines */

int dory_lines_open(struct dory_lines *lines, const char *path)
{
    lines->number = lines->left_out = 0;
    lines->eof = lines->overlong = false;
    lines->at = lines->n = 0;
    lines->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return lines->fd >= 0 ? DORY_OK : dory_posix_error(errno);
}

static int fill(struct dory_lines *lines)
{
    if (lines->at > 0) {
        lines->n -= lines->at;
        memmove(lines->buf, lines->buf + lines->at, lines->n);
        lines->at = 0;
    } else if (lines->n == DORY_LINE_MAX) {
        lines->overlong = true;
        lines->n = 0;
    }
    ssize_t r;
    do r = read(lines->fd, lines->buf + lines->n, DORY_LINE_MAX - lines->n);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return dory_posix_error(errno);
    if (r == 0)
        lines->eof = true;
    lines->n += (size_t)r;
    return DORY_OK;
}

int dory_lines_next(struct dory_lines *lines, char **line)
{
    for (;;) {
        char *start = lines->buf + lines->at;
        size_t left = lines->n - lines->at;
        char *end = memchr(start, '\n', left);
        if (end == NULL && !lines->eof) {
            int r = fill(lines);
            if (r != DORY_OK)
                return r;
            continue;
        }
        if (end == NULL && left == 0)
            return 0;
        size_t n = end ? (size_t)(end - start) : left;
        lines->at += end ? n + 1 : n;
        lines->number++;
        bool good = !lines->overlong && memchr(start, 0, n) == NULL;
        lines->overlong = false;
        if (!good) {
            lines->left_out = lines->number;
            continue;
        }
        if (n > 0 && start[n - 1] == '\r')
            n--;
        start[n] = 0; /* the '\n', or the spare byte behind the buffer */
        *line = start;
        return 1;
    }
}

void dory_lines_close(struct dory_lines *lines)
{
    if (lines->fd >= 0)
        close(lines->fd);
    dory_wipe(lines, sizeof *lines);
    lines->fd = -1;
}

char *dory_skip_blanks(char *text)
{
    return text + strspn(text, " \t");
}

char *dory_next_word(char **rest)
{
    char *word = dory_skip_blanks(*rest);
    if (*word == 0)
        return NULL;
    char *end = word + strcspn(word, " \t");
    *rest = *end ? end + 1 : end;
    *end = 0;
    return word;
}

/* ---- patterns */

static bool same(char a, char b, bool fold)
{
    return a == b || (fold && tolower((unsigned char)a) == tolower((unsigned char)b));
}

/* `*` remembers one place to come back to, so that the time is bounded by text times pattern. */
static bool match_one(const char *text, const char *p, const char *p_end, bool fold)
{
    const char *star = NULL, *from = NULL;
    while (*text) {
        if (p < p_end && *p == '*') {
            star = ++p;
            from = text;
        } else if (p < p_end && (*p == '?' || same(*p, *text, fold))) {
            p++, text++;
        } else if (star) {
            p = star;
            text = ++from;
        } else {
            return false;
        }
    }
    while (p < p_end && *p == '*') p++;
    return p == p_end;
}

static bool match_list(const char *text, const char *list, bool fold)
{
    bool found = false;
    while (*list) {
        const char *end = list + strcspn(list, ",");
        bool negated = *list == '!';
        if (end > list + negated && match_one(text, list + negated, end, fold)) {
            if (negated)
                return false;
            found = true;
        }
        list = *end ? end + 1 : end;
    }
    return found;
}

bool dory_match_list(const char *text, const char *list)
{
    return match_list(text, list, true);
}

bool dory_match_list_exactly(const char *text, const char *list)
{
    return match_list(text, list, false);
}

bool dory_match_pattern(const char *text, const char *pattern)
{
    return match_one(text, pattern, pattern + strlen(pattern), false);
}

/* ---- whole files */

static int write_all(int fd, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        ssize_t r = write(fd, bytes, n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return dory_posix_error(r == 0 ? EIO : errno);
        bytes += r;
        n -= (size_t)r;
    }
    return DORY_OK;
}

int dory_write_file(const char *path, mode_t mode, const void *bytes, size_t n, bool replace)
{
    char temp[PATH_MAX];
    uint8_t random[6];
    if (dory_posix_rng(NULL, random, sizeof random) != DORY_OK)
        return DORY_E_RNG;
    int length =
        snprintf(temp, sizeof temp, "%s.%02x%02x%02x%02x%02x%02x", path, random[0], random[1], random[2], random[3], random[4], random[5]);
    if (length < 0 || (size_t)length >= sizeof temp)
        return DORY_E_NAME;
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return dory_posix_error(errno);
    int r = write_all(fd, bytes, n);
    if (r == DORY_OK && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
        r = dory_posix_error(errno);
    if (close(fd) != 0 && r == DORY_OK)
        r = dory_posix_error(errno);
    if (r == DORY_OK && !replace)
        r = dory_posix_rename_new(AT_FDCWD, temp, AT_FDCWD, path);
    else if (r == DORY_OK && rename(temp, path) != 0)
        r = dory_posix_error(errno);
    if (r != DORY_OK)
        unlink(temp);
    return r;
}

int dory_read_file(const char *path, void *bytes, size_t cap, mode_t *others)
{
    struct stat st;
    size_t n = 0;
    ssize_t r = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return dory_posix_error(errno);
    if (others)
        *others = fstat(fd, &st) != 0 ? 077 : st.st_uid == getuid() ? st.st_mode & 077 : 0; /* unknown counts as open to all */
    while (r != 0 && n < cap) {
        r = read(fd, (uint8_t *)bytes + n, cap - n);
        if (r < 0 && errno != EINTR)
            break;
        if (r > 0)
            n += (size_t)r;
    }
    int err = errno;
    uint8_t one;
    bool more = r > 0 && read(fd, &one, 1) == 1;
    close(fd);
    if (r < 0)
        return dory_posix_error(err);
    return more ? DORY_E_SPACE : (int)n;
}

/* ---- blobs */

uint32_t dory_blob_u32(struct dory_blob *in)
{
    if (in->bad || in->n < 4) {
        in->bad = true;
        return 0;
    }
    const uint8_t *p = in->p;
    in->p += 4;
    in->n -= 4;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

struct dory_blob dory_blob_string(struct dory_blob *in)
{
    uint32_t n = dory_blob_u32(in);
    if (in->bad || n > in->n) {
        in->bad = true;
        return (struct dory_blob){.p = in->p, .n = 0, .bad = true};
    }
    struct dory_blob string = {.p = in->p, .n = n};
    in->p += n;
    in->n -= n;
    return string;
}

bool dory_blob_is(const struct dory_blob *string, const char *text)
{
    return !string->bad && string->n == strlen(text) && memcmp(string->p, text, string->n) == 0;
}

bool dory_blob_type(const uint8_t *blob, size_t n, char *type, size_t cap)
{
    struct dory_blob in = {.p = blob, .n = n}, name = dory_blob_string(&in);
    if (name.bad || name.n == 0 || name.n >= cap)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == ',')
            return false;
    memcpy(type, name.p, name.n);
    type[name.n] = 0;
    return true;
}
