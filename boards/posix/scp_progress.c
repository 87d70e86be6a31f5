#include "scp_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "platform/posix/dory_posix_text.h"

#define STALLED_MS    5000
#define RIGHT_COLUMNS 35

void dory_progress_begin(struct dory_progress *p, const char *name, uint64_t size, uint64_t now_ms)
{
    memset(p, 0, sizeof *p);
    dory_escape_text(p->name, sizeof p->name, name, strlen(name));
    p->size = size;
    p->began_ms = p->marked_ms = p->moved_ms = now_ms;
}

void dory_progress_update(struct dory_progress *p, uint64_t done, uint64_t now_ms)
{
    uint64_t passed = now_ms - p->marked_ms;

    if (done != p->done)
        p->moved_ms = now_ms;
    p->done = done;
    if (passed < 500)
        return;
    double sample = (double)(done - p->marked_done) * 1000 / (double)passed;
    p->rate = p->marked_done || p->rate > 0 ? p->rate * 0.7 + sample * 0.3 : sample;
    p->marked_ms = now_ms;
    p->marked_done = done;
}

/* Reads one UTF-8 character that dory_escape_text let pass. */
static size_t character(const char *text, size_t n, wchar_t *out)
{
    unsigned char c = (unsigned char)*text;
    size_t more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    unsigned long value = more ? c & (0x3fU >> more) : c;

    if (more >= n)
        more = n - 1;
    for (size_t i = 1; i <= more; i++) value = value << 6 | ((unsigned char)text[i] & 0x3f);
    *out = (wchar_t)value;
    return more + 1;
}

int dory_progress_fit(const char *text, size_t *n, int columns)
{
    size_t at = 0;
    int used = 0;

    while (at < *n) {
        wchar_t c;
        size_t length = character(text + at, *n - at, &c);
        int width = (unsigned)c < 0x80 ? 1 : wcwidth(c);

        if (width < 0) {
            *n = at;
            return -1;
        }
        if (used + width > columns)
            break;
        used += width;
        at += length;
    }
    *n = at;
    return used;
}

/* The name in exactly `columns` columns; a character that the locale cannot show becomes '?'. */
static size_t put_name(const struct dory_progress *p, int columns, char *out, size_t cap)
{
    const char *text = p->name;
    size_t left = strlen(text), at = 0;
    int used = 0;

    while (left && used < columns && at + 8 < cap) {
        wchar_t c;
        size_t length = character(text, left, &c), fits = length;
        int width = dory_progress_fit(text, &fits, columns - used);

        if (width < 0) {
            out[at++] = '?';
            width = 1;
        } else if (fits < length) {
            break;
        } else {
            memcpy(out + at, text, length);
            at += length;
        }
        used += width;
        text += length;
        left -= length;
    }
    while (used++ < columns && at + 1 < cap) out[at++] = ' ';
    out[at] = '\0';
    return at;
}

static void put_size(char *out, size_t cap, uint64_t bytes)
{
    static const char unit[] = " KMGTPE";
    size_t i = 0;

    for (; bytes >= 10000; i++) bytes = bytes / 1024 + bytes % 1024 / 512;
    snprintf(out, cap, "%4" PRIu64 "%c%s", bytes, unit[i], i ? "B" : " ");
}

static void put_rate(char *out, size_t cap, double rate)
{
    static const char unit[] = "KMGTPE";
    size_t i = 0;

    rate /= 1024;
    for (; rate >= 1000 && i < sizeof unit - 2; i++) rate /= 1024;
    snprintf(out, cap, "%5.1f%cB/s", rate, unit[i]);
}

static void put_time(char *out, size_t cap, double seconds)
{
    unsigned long s = seconds > 359999 ? 359999 : (unsigned long)(seconds + 0.5);

    if (s >= 3600)
        snprintf(out, cap, "%2lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, cap, "   %02lu:%02lu", s / 60, s % 60);
}

void dory_progress_line(const struct dory_progress *p, bool final, uint64_t now_ms, int columns, char *out, size_t cap)
{
    char size[32], rate[32], time[32], right[80];
    double elapsed = (double)(now_ms - p->began_ms) / 1000, speed = p->rate;
    unsigned percent = 100;
    const char *tail = " ETA";
    size_t at, n;

    if (p->size)
        percent = (unsigned)((double)p->done * 100 / (double)p->size);
    if (percent == 100 && p->done < p->size)
        percent = 99;
    if (final || speed <= 0)
        speed = (double)p->done / (elapsed > 0 ? elapsed : 0.001);
    put_size(size, sizeof size, p->done);
    put_rate(rate, sizeof rate, speed);
    if (final) {
        put_time(time, sizeof time, elapsed);
        tail = "    ";
    } else if (now_ms - p->moved_ms >= STALLED_MS) {
        strcpy(time, "- stalled -");
        tail = " ";
    } else if (speed > 0 && p->size >= p->done) {
        put_time(time, sizeof time, (double)(p->size - p->done) / speed);
    } else {
        strcpy(time, "   --:--");
    }
    n = (size_t)snprintf(right, sizeof right, " %3u%% %s %s %s%s", percent, size, rate, time, tail);
    at = columns > RIGHT_COLUMNS ? put_name(p, columns - RIGHT_COLUMNS, out, cap) : 0;
    if (columns < RIGHT_COLUMNS && (int)n > columns)
        n = columns > 0 ? (size_t)columns : 0;
    if (n >= cap - at)
        n = cap - at - 1;
    memcpy(out + at, right, n);
    out[at + n] = '\0';
}
