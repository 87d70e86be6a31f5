#include "scp_internal.h"

#include <string.h>

static const char no_shell[] = "only quotes, backslashes and globs are understood here";
static const char unfinished[] = "unfinished quoting";
static const char usage[] = "usage: scp [-dprqv] -t|-f path";

/* Splits a line into words; `at` and `end` are the line's, out[0..n) what was made of it. */
struct splitter {
    const char *at, *end;
    char *out;
    size_t n, cap;
    const char *error;
};

static void put(struct splitter *s, char c)
{
    if (s->n < s->cap)
        s->out[s->n++] = c;
    else
        s->error = "command line too long";
}

/* A character that is meant as it is, also where a glob or a home directory would be read. */
static void put_quoted(struct splitter *s, char c)
{
    if (memchr("*?[]\\~", c, 6))
        put(s, '\\');
    put(s, c);
}

static void single_quotes(struct splitter *s)
{
    for (; s->at < s->end && *s->at != '\''; s->at++)
        put_quoted(s, *s->at);
    if (s->at == s->end)
        s->error = unfinished;
    s->at++;
}

static void double_quotes(struct splitter *s)
{
    for (; s->at < s->end && *s->at != '"' && !s->error; s->at++) {
        if (*s->at == '$' || *s->at == '`')
            s->error = no_shell;
        else if (*s->at == '\\' && s->at + 1 < s->end && memchr("$`\"\\", s->at[1], 4))
            s->at++;
        put_quoted(s, *s->at);
    }
    if (s->at == s->end && !s->error)
        s->error = unfinished;
    s->at++;
}

/* Any character outside quotes, and what follows it where it opens something. */
static void plain(struct splitter *s, bool first)
{
    char c = *s->at++;

    if (memchr("$`;|&<>()\n", c, 10) || (first && c == '#'))
        s->error = no_shell;
    else if (c == '\'')
        single_quotes(s);
    else if (c == '"')
        double_quotes(s);
    else if (c != '\\')
        put(s, c);
    else if (s->at < s->end && *s->at != '\n')
        put_quoted(s, *s->at++);
    else
        s->error = unfinished;
}

static bool is_blank(const struct splitter *s)
{
    return *s->at == ' ' || *s->at == '\t';
}

/* One word with its NUL; false at the end of the line. */
static bool word(struct splitter *s)
{
    while (s->at < s->end && is_blank(s))
        s->at++;
    if (s->at == s->end || s->error)
        return false;
    if (s->at + 1 < s->end && *s->at == '~' && s->at[1] != '/' && s->at[1] != ' ' && s->at[1] != '\t')
        s->error = no_shell;
    for (bool first = true; s->at < s->end && !is_blank(s) && !s->error; first = false)
        plain(s, first);
    put(s, '\0');
    return !s->error;
}

static bool is_scp(const char *program)
{
    const char *slash = strrchr(program, '/');

    return strcmp(slash ? slash + 1 : program, "scp") == 0;
}

/* The letters of one option word; false if one is unknown. */
static bool take_options(struct dory_scp_words *w, const char *letters)
{
    static const char known[] = "rpdvqtf"; /* in the order of the flags */

    for (; *letters; letters++) {
        const char *at = strchr(known, *letters);

        if (!at)
            return false;
        w->flags |= 1u << (at - known);
    }
    return true;
}

/* Everything before the paths, which stay; NULL, or why it is refused. */
static const char *take_head(struct dory_scp_words *w)
{
    const char *at = w->words;
    unsigned role;

    if (!w->end || !is_scp(at))
        return "only scp is offered here";
    for (;;) {
        w->next = (uint16_t)(w->next + strlen(at) + 1);
        at = w->words + w->next;
        if (w->next >= w->end || at[0] != '-' || !at[1])
            break;
        if (strcmp(at, "--") == 0) {
            w->next = (uint16_t)(w->next + 3);
            break;
        }
        if (!take_options(w, at + 1))
            return usage;
    }
    role = w->flags & (DORY_SCP_TO | DORY_SCP_FROM);
    return w->next < w->end && (role == DORY_SCP_TO || role == DORY_SCP_FROM) ? NULL : usage;
}

int dory_scp_words_parse(struct dory_scp_words *w, const char *line, size_t n)
{
    struct splitter s = {.at = line, .end = line + n, .out = w->words, .cap = sizeof w->words};

    w->flags = 0;
    w->next = 0;
    if (memchr(line, '\0', n))
        s.error = no_shell;
    while (word(&s))
        continue;
    w->end = (uint16_t)s.n;
    w->error = s.error ? s.error : take_head(w);
    if (!w->error)
        return DORY_OK;
    return s.n == s.cap ? DORY_E_SPACE : DORY_E_PROTOCOL;
}

const char *dory_scp_words_next(struct dory_scp_words *w)
{
    const char *next = w->words + w->next;

    if (w->next >= w->end)
        return NULL;
    w->next = (uint16_t)(w->next + strlen(next) + 1);
    return next;
}
