/* Text for people: reasons, foreign bytes made harmless, questions on the terminal. */
#ifndef DORY_POSIX_TEXT_H
#define DORY_POSIX_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dory_error.h"

/* Where a function of platform/posix says in words why it failed: one or more lines, NUL-terminated, without a last line end, safe to
   print. It is set on every failure, and to "" on success. */
#define DORY_WHY_MAX 768

/* Writes bytes[0..n) as text that cannot command a terminal: control characters, DEL, C1, bidirectional overrides and whatever is not
   UTF-8 become \n \t \r \\ or \ooo (octal, one a byte). NUL-terminated and cut between characters if `cap` (>= 1) is too small.
   A text of n bytes needs at most 4n+1. Returns the length written. */
size_t dory_escape_text(char *out, size_t cap, const void *bytes, size_t n);

/* Does text match a comma list of patterns with * and ?; `!` before one that matches makes the whole false. Case is ignored. */
bool dory_match_list(const char *text, const char *list);
/* The same where case matters, and with one pattern, in which a comma or `!` is nothing special. */
bool dory_match_list_exactly(const char *text, const char *list);
bool dory_match_pattern(const char *text, const char *pattern);

/* Shows `prompt` as it is (escape foreign parts first) on the controlling terminal and reads a line without echo into buf, NUL-terminated
   and without the line end; returns its length. The terminal is restored on the way out, also when a signal ends or stops the process.
   DORY_E_NOSYS: no terminal. DORY_E_CLOSED: end of file or interrupted. DORY_E_SPACE: longer than cap-1. buf is wiped on error; the caller
   wipes it otherwise. */
int dory_tty_password(const char *prompt, char *buf, size_t cap);

/* The same with echo. */
int dory_tty_ask(const char *prompt, char *buf, size_t cap);

#endif
