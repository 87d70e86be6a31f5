#include "scp_internal.h"

#include <string.h>

/* The command line being written; past its room nothing is written, only counted. */
struct writer {
    char *out;
    size_t n, cap;
    bool quoted; /* inside '' */
};

static void put(struct writer *w, char c)
{
    if (w->n < w->cap)
        w->out[w->n] = c;
    w->n++;
}

static void quotes(struct writer *w, bool on)
{
    if (w->quoted != on)
        put(w, '\'');
    w->quoted = on;
}

static bool is_safe(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("/._-+,:@%", c));
}

/* A character that the remote shell is to hand on as it is. */
static void put_literal(struct writer *w, char c)
{
    if (c == '\'') {
        quotes(w, false);
        put(w, '\\');
    } else if (!is_safe(c)) {
        quotes(w, true);
    }
    put(w, c);
}

static const char *put_tilde(struct writer *w, const char *path)
{
    const char *end = path;

    if (*end == '~')
        for (end++; *end != '/' && is_safe(*end); end++)
            continue;
    if (*end && *end != '/')
        return path;
    while (path < end)
        put(w, *path++);
    return end;
}

int dory_scp_command_format(char *out, size_t cap, unsigned flags, const char *path)
{
    static const char letters[] = "rpdvq";
    struct writer w = {.out = out, .cap = cap};
    bool globs = flags & DORY_SCP_FROM;

    for (const char *p = "scp "; *p; p++)
        put(&w, *p);
    for (unsigned i = 0; letters[i]; i++)
        if (flags >> i & 1) {
            put(&w, '-');
            put(&w, letters[i]);
            put(&w, ' ');
        }
    for (const char *p = globs ? "-f -- " : "-t -- "; *p; p++)
        put(&w, *p);

    for (path = put_tilde(&w, *path ? path : "."); *path; path++) {
        if (globs && strchr("*?[]", *path)) {
            quotes(&w, false);
            put(&w, *path);
            if (*path == '[' && (path[1] == '!' || path[1] == '^'))
                put(&w, *++path); /* in quotes it would be one of the characters */
        } else {
            if (globs && *path == '\\' && path[1])
                path++;
            put_literal(&w, *path);
        }
    }
    quotes(&w, false);
    put(&w, '\0');
    return w.n <= cap && w.n <= INT32_MAX ? (int)w.n - 1 : DORY_E_SPACE;
}
