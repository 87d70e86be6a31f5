#include "dory_text.h"

#include <string.h>

void dory_text_init(struct dory_text *text, char *buf, size_t cap)
{
    *text = (struct dory_text){.p = buf, .cap = cap};
    buf[0] = '\0';
}

static void put(struct dory_text *text, char c)
{
    if (text->n + 1 >= text->cap) {
        text->cut = true;
        return;
    }
    text->p[text->n++] = c;
    text->p[text->n] = '\0';
}

void dory_text_put(struct dory_text *text, const char *s)
{
    while (*s)
        put(text, *s++);
}

void dory_text_bytes(struct dory_text *text, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < n; i++)
        put(text, p[i] >= ' ' && p[i] <= '~' ? (char)p[i] : '?');
}

void dory_text_number(struct dory_text *text, uint32_t v)
{
    char digits[11], *p = digits + sizeof digits;

    *--p = '\0';
    do
        *--p = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    dory_text_put(text, p);
}

void dory_text_hex(struct dory_text *text, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        put(text, digits[bytes[i] >> 4]);
        put(text, digits[bytes[i] & 15]);
    }
}

void dory_text_column(struct dory_text *text, size_t width)
{
    size_t line = text->n;

    while (line > 0 && text->p[line - 1] != '\n')
        line--;
    do
        put(text, ' ');
    while (text->n - line < width && !text->cut);
}

static void say_one(struct dory_text *text, char what, va_list *args)
{
    const void *p;

    switch (what) {
    case 's': dory_text_put(text, va_arg(*args, const char *)); break;
    case 'u': dory_text_number(text, va_arg(*args, uint32_t)); break;
    case 't': dory_text_column(text, va_arg(*args, unsigned)); break;
    default:
        p = va_arg(*args, const void *);
        if (what == 'b')
            dory_text_bytes(text, p, va_arg(*args, size_t));
        else
            dory_text_hex(text, p, va_arg(*args, size_t));
    }
}

void dory_text_vsay(struct dory_text *text, const char *format, va_list args)
{
    va_list rest;

    va_copy(rest, args);
    for (; *format; format++) {
        if (*format == '%')
            say_one(text, *++format, &rest);
        else
            put(text, *format);
    }
    va_end(rest);
}

void dory_text_say(struct dory_text *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    dory_text_vsay(text, format, args);
    va_end(args);
}
