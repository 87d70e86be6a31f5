/* Text put together in a buffer without printf. What does not fit is cut, and `cut` says so; the text stays NUL-terminated. */
#ifndef DORY_TEXT_H
#define DORY_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dory_text {
    char *p;
    size_t n, cap; /* n characters before the NUL */
    bool cut;
};

void dory_text_init(struct dory_text *text, char *buf, size_t cap); /* cap >= 1 */
void dory_text_put(struct dory_text *text, const char *s);
/* Foreign bytes: what is not printable ASCII becomes '?'. */
void dory_text_bytes(struct dory_text *text, const void *bytes, size_t n);
void dory_text_number(struct dory_text *text, uint32_t v);
void dory_text_hex(struct dory_text *text, const uint8_t *bytes, size_t n);
/* Blanks up to column `width` of the present line, one at least. */
void dory_text_column(struct dory_text *text, size_t width);

/* Several at once: %s a text; %u a uint32_t; %b foreign bytes and %h bytes in hex, each a pointer and a size_t; %t an unsigned: the column. No other. */
void dory_text_say(struct dory_text *text, const char *format, ...);
void dory_text_vsay(struct dory_text *text, const char *format, va_list args);

#endif
