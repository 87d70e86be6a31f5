/* The progress meter: `name   45%  123MB  11.2MB/s   00:12 ETA`, as wide as the terminal. The first part is arithmetic and text only. */
#ifndef DORY_CLI_PROGRESS_H
#define DORY_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dory_progress {
    char name[1024]; /* escaped */
    uint64_t size, done;
    uint64_t began_ms, marked_ms, moved_ms; /* marked: the last rate sample; moved: the last byte */
    uint64_t marked_done;
    double rate; /* bytes a second, smoothed */
};

void dory_progress_begin(struct dory_progress *p, const char *name, uint64_t size, uint64_t now_ms);
void dory_progress_update(struct dory_progress *p, uint64_t done, uint64_t now_ms);
/* One line of exactly `columns` columns, or fewer where that is too narrow, NUL-terminated; `final`: the file ended, show the average. */
void dory_progress_line(const struct dory_progress *p, bool final, uint64_t now_ms, int columns, char *out, size_t cap);

/* Columns that the UTF-8 in text[0..*n) takes, at most `columns`; *n becomes the bytes that fit. -1 where a character has no width in
   this locale: *n is then where it stands. */
int dory_progress_fit(const char *text, size_t *n, int columns);

/* Only where standard output is a terminal and this process is in its foreground; all calls may then be made without asking. */
void dory_meter_enable(bool wanted);
void dory_meter_begin(const char *name, uint64_t size);
void dory_meter_update(uint64_t done);
void dory_meter_end(void);
/* Now and then, so that a stalled transfer shows. Returns in how many ms again, -1: no need. */
int dory_meter_tick(void);
/* Moves to a fresh line, so that a message does not begin in the meter's. */
void dory_meter_break(void);

#endif
