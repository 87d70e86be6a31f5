/* READDIR: as many entries as the room takes, each with the line that `ls -l` would show. */
#include "sftp_internal.h"
#include "dory_number.h"

#include <string.h>

/* What stands before the name in a line: mode, links, owner, group, size, date, and blanks. In a `wide` one numbers have all the room that
   they can need, so that its length is known before they are. */
enum { MODE_N = 10, LINKS_N = 3, OWNER_N = 8, SIZE_N = 8, DATE_N = 12, BLANKS = 6, WIDE_OWNER_N = 10, WIDE_SIZE_N = 20 };
enum { WIDE_LINE_N = MODE_N + LINKS_N + 2 * WIDE_OWNER_N + WIDE_SIZE_N + DATE_N + BLANKS, ATTRS_N = 32, NO_ATTRS_N = 4 };
enum { HEAD_N = 13 };

/* The largest entry. */
enum { ENTRY_N = 4 + DORY_NAME_MAX + 4 + WIDE_LINE_N + DORY_NAME_MAX + ATTRS_N };

static void put_mode(struct sftp_writer *w, const struct dory_sftp_server *s)
{
    static const char kinds[] = "?-dlp", bits[] = "rwxrwxrwx";
    uint16_t mode = s->info.mode;
    char text[MODE_N];

    memset(text, '-', sizeof text);
    text[0] = kinds[s->known && s->info.type < sizeof kinds - 1 ? s->info.type : 0];
    for (int i = 0; i < 9; i++)
        if (mode >> (8 - i) & 1)
            text[1 + i] = bits[i];
    for (int i = 0; i < 3; i++) {
        char *x = &text[3 * (i + 1)];

        if (mode >> (11 - i) & 1)
            *x = (char)((*x == '-' ? 'S' : 's') + (i == 2));
    }
    dory_sftp_put_bytes(w, text, sizeof text);
}

/* A blank and a number, right or left in its column. */
static void put_number(struct sftp_writer *w, uint64_t value, unsigned column, bool left)
{
    char text[20];
    size_t n = dory_put_number(text, value), pad = column > n ? column - n : 0;

    dory_sftp_put8(w, ' ');
    if (left)
        dory_sftp_put_bytes(w, text, n);
    while (pad--)
        dory_sftp_put8(w, ' ');
    if (!left)
        dory_sftp_put_bytes(w, text, n);
}

static bool is_leap(uint32_t year)
{
    return year % 4 == 0 && year != 2100; /* all that 32 bits of seconds reach */
}

static void put_two(char *out, uint32_t value, char pad)
{
    out[0] = value < 10 ? pad : (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
}

/* "Nov 21 06:05" (UTC), or "Nov 21  2026" for what is older than half a year or of the future. */
static void put_date(struct sftp_writer *w, uint32_t time, int64_t now)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint32_t day = time / 86400, second = time % 86400, year = 1970, month = 0, n;
    char text[DATE_N];

    for (; day >= (n = is_leap(year) ? 366 : 365); year++)
        day -= n;
    for (; day >= (n = lengths[month] + (uint32_t)(month == 1 && is_leap(year))); month++)
        day -= n;
    memset(text, ' ', sizeof text);
    memcpy(text, months + 3 * month, 3);
    put_two(text + 4, day + 1, ' ');
    if (now && time <= now && now - time < 183 * 86400) {
        put_two(text + 7, second / 3600, '0');
        text[9] = ':';
        put_two(text + 10, second / 60 % 60, '0');
    } else {
        dory_put_number(text + 8, year);
    }
    dory_sftp_put_bytes(w, text, sizeof text);
}

static void put_line(struct sftp_writer *w, const struct dory_sftp_server *s, const struct sftp_attrs *attrs)
{
    unsigned owner = s->wide ? WIDE_OWNER_N : OWNER_N, size = s->wide ? WIDE_SIZE_N : SIZE_N;

    if (s->wide && !s->known)
        size += ATTRS_N - NO_ATTRS_N;
    put_mode(w, s);
    put_number(w, 1, LINKS_N, false);
    put_number(w, attrs->uid, owner, true);
    put_number(w, attrs->gid, owner, true);
    put_number(w, attrs->size, size, false);
    dory_sftp_put8(w, ' ');
    put_date(w, attrs->mtime, s->config.now);
    dory_sftp_put8(w, ' ');
    dory_sftp_put_bytes(w, s->name, strlen(s->name));
}

void dory_sftp_put_entry(struct sftp_writer *w, const struct dory_sftp_server *s)
{
    struct sftp_writer measure = {.skip = SIZE_MAX};
    struct sftp_attrs attrs;

    dory_sftp_from_info(&attrs, &s->info);
    if (!s->known)
        attrs.flags = 0;
    dory_sftp_put_text(w, s->name);
    put_line(&measure, s, &attrs);
    dory_sftp_put32(w, (uint32_t)(SIZE_MAX - measure.skip));
    put_line(w, s, &attrs);
    dory_sftp_put_attrs(w, &attrs);
}

int dory_sftp_look(struct dory_sftp_server *s)
{
    struct dory_fs *fs = s->config.fs;
    int r;

    if (s->looked)
        return DORY_OK;
    r = fs->ops->lookup(fs, s->handles[s->file].fs, s->name, false, &s->info);
    if (r == DORY_E_AGAIN)
        return r;
    s->known = r >= 0;
    s->looked = true;
    if (!s->known)
        memset(&s->info, 0, sizeof s->info);
    return DORY_OK;
}

/* The next name. 1: there is one, 0: none. */
static int next(struct dory_sftp_server *s)
{
    int r = SFTP_CALL(s, next, s->handles[s->file].fs, s->name, DORY_NAME_MAX + 1);

    s->named = r > 0;
    s->looked = s->wide = false;
    return r;
}

/* No name at all: the end, or an error. */
static void say_none(struct dory_sftp_server *s, int r)
{
    s->error = (int8_t)(r ? r : SFTP_END);
    s->answer = SFTP_STATUS;
}

/* Entries behind the room for the head, until no more fit or the file system is busy; how many. */
static uint32_t fill(struct dory_sftp_server *s, struct sftp_writer *w)
{
    uint32_t count = 0;

    while (dory_sftp_look(s) == DORY_OK) {
        dory_sftp_put_entry(w, s);
        s->named = false;
        count++;
        if ((size_t)(w->end - w->p) < ENTRY_N || next(s) <= 0)
            break;
    }
    return count;
}

size_t dory_sftp_say_names(struct dory_sftp_server *s, uint8_t *buf, size_t cap)
{
    struct sftp_writer w = {buf + HEAD_N, buf + cap, false, false, 0}, head = {buf, buf + HEAD_N, false, false, 0};
    uint32_t count, waiting = 0;
    int r = s->named ? 1 : next(s);

    if (r <= 0) {
        if (r == DORY_E_AGAIN)
            return 0;
        say_none(s, r);
        return dory_sftp_say(s, buf, cap);
    }
    if (dory_sftp_look(s) == DORY_E_AGAIN)
        return 0;
    if (cap < HEAD_N + ENTRY_N) {
        s->named = false;
        s->answer = SFTP_NAME;
        return dory_sftp_say(s, buf, cap);
    }
    count = fill(s, &w);
    if (s->named) {
        /* Its name is taken from the directory already: it is the last one of this answer, and follows when its attributes are known. */
        s->wide = true;
        waiting = 4 + 4 + WIDE_LINE_N + ATTRS_N + 2 * (uint32_t)strlen(s->name);
    }
    dory_sftp_put32(&head, (uint32_t)(w.p - buf - 4) + waiting);
    dory_sftp_put8(&head, SSH_FXP_NAME);
    dory_sftp_put32(&head, s->id);
    dory_sftp_put32(&head, count + (waiting > 0));
    if (waiting)
        s->answer = SFTP_ENTRY;
    else
        dory_sftp_answered(s);
    s->named = false;
    return (size_t)(w.p - buf);
}
