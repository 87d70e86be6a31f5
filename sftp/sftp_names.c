/* READDIR: as many entries as the room takes, each with the line that `ls -l` would show. */
#include "sftp_internal.h"
#include "dory_number.h"

#include <string.h>

/* Where the columns of a line begin: mode, links, owner, group, size, date, name. They are wide enough for what stands there, so that the
   length of an entry is known before its attributes are. */
enum { LINKS_AT = 13, OWNER_AT = 15, GROUP_AT = 26, SIZE_END = 57, DATE_AT = 58, NAME_AT = 71 };
enum { HEAD_N = 13, ATTRS_N = 32, NO_ATTRS_N = 4 };

/* The largest entry. */
enum { ENTRY_N = 4 + DORY_NAME_MAX + 4 + NAME_AT + DORY_NAME_MAX + ATTRS_N };

static void write_mode(char *out, const struct dory_fs_info *info)
{
    static const char kinds[] = "?-dlp", bits[] = "rwxrwxrwx";

    out[0] = kinds[info->type];
    for (int i = 0; i < 9; i++) out[1 + i] = info->mode >> (8 - i) & 1 ? bits[i] : '-';
    for (int i = 0; i < 3; i++)
        if (info->mode >> (11 - i) & 1)
            out[3 + 3 * i] = (char)((out[3 + 3 * i] == '-' ? 'S' : 's') + (i == 2));
}

/* A number that ends before `end`. */
static void write_right(char *end, uint64_t value)
{
    char digits[20];
    size_t n = dory_put_number(digits, value);

    memcpy(end - n, digits, n);
}

static bool is_leap(uint32_t year)
{
    return year % 4 == 0 && year != 2100; /* all that 32 bits of seconds reach */
}

/* "Nov 21 06:05" (UTC), or "Nov 21  2026" for what is older than half a year or of the future. */
static void write_date(char *out, uint32_t time, uint32_t now)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint32_t day = time / 86400, minute = time % 86400 / 60, year = 1970, month = 0, n;

    for (; day >= (n = 365 + (uint32_t)is_leap(year)); year++) day -= n;
    for (; day >= (n = lengths[month] + (uint32_t)(month == 1 && is_leap(year))); month++) day -= n;
    memcpy(out, months + 3 * month, 3);
    write_right(out + 6, day + 1);
    if (now && time <= now && now - time < 183 * 86400) {
        memcpy(out + 7, "00:00", 5);
        write_right(out + 9, minute / 60);
        write_right(out + 12, minute % 60);
    } else {
        write_right(out + 12, year);
    }
}

/* As `ls -l` writes it, up to the name. */
static void write_line(char line[NAME_AT], const struct dory_sftp_server *s, const struct sftp_attrs *attrs)
{
    memset(line, ' ', NAME_AT);
    write_mode(line, &s->info);
    line[LINKS_AT] = '1';
    dory_put_number(line + OWNER_AT, attrs->uid);
    dory_put_number(line + GROUP_AT, attrs->gid);
    write_right(line + SIZE_END, attrs->size);
    write_date(line + DATE_AT, attrs->mtime, (uint32_t)s->config.now);
}

/* An entry whose attributes could not be had is as long as any other: blanks stand for them. */
void dory_sftp_put_entry(struct sftp_writer *w, const struct dory_sftp_server *s)
{
    size_t n = strlen(s->name), pad = s->known ? 0 : ATTRS_N - NO_ATTRS_N;
    struct sftp_attrs attrs;
    char line[NAME_AT];

    dory_sftp_from_info(&attrs, &s->info);
    if (!s->known)
        attrs.flags = 0;
    write_line(line, s, &attrs);
    dory_sftp_put_string(w, s->name, n);
    dory_sftp_put32(w, (uint32_t)(NAME_AT + pad + n));
    dory_sftp_put_bytes(w, line, NAME_AT);
    while (pad--) dory_sftp_put8(w, ' ');
    dory_sftp_put_bytes(w, s->name, n);
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
    s->looked = false;
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
        return 0;
    }
    if (dory_sftp_look(s) == DORY_E_AGAIN)
        return 0;
    if (cap < HEAD_N + ENTRY_N) {
        s->named = false;
        s->answer = SFTP_NAME;
        return 0;
    }
    count = fill(s, &w);
    if (s->named) {
        /* Its name is taken from the directory already: it is the last one of this answer, and follows when its attributes are known. */
        waiting = 4 + 4 + NAME_AT + ATTRS_N + 2 * (uint32_t)strlen(s->name);
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
