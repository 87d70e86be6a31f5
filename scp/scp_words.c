#include "scp_internal.h"

#include <string.h>

static const char no_shell[] = "only quotes and globs are understood";
static const char unfinished[] = "unfinished quote";
static const char too_long[] = "command line too long";
static const char usage[] = "usage: scp [-dprqv] -t|-f path";

/* A comment, or another user's home. */
static bool is_shells(const char *word)
{
    return *word == '#' || (*word == '~' && word[1] && word[1] != '/');
}

/* Whether a backslash takes the character behind it as it is. */
static bool escapes(const char *at, const char *end, char quote)
{
    return *at == '\\' && (!quote || (quote == '"' && at + 1 < end && memchr("$`\"\\", at[1], 4)));
}

/* Splits the line into words, each with a NUL. What is quoted is meant as it is: it gets a backslash where it would mean more.
   NULL, or why the line is refused. */
static const char *split(struct dory_scp_words *w, const char *at, size_t n)
{
    static const char special[] = ";|&<>()\n$`"; /* within "" the last two, within '' none */
    const char *end = at + n;
    char *out = w->words, *word = NULL;
    char quote = 0;

    for (; at < end || word; at++) {
        char c = at < end ? *at : ' ';
        bool literal = quote;

        if (at >= end && quote)
            return unfinished;
        if (!quote && (c == ' ' || c == '\t')) {
            if (!word)
                continue;
            *out++ = '\0';
            if (is_shells(word))
                return no_shell;
            word = NULL;
            continue;
        }
        if (out >= w->words + DORY_COMMAND_MAX)
            return too_long;
        if (!word)
            word = out;
        if (!c || (quote != '\'' && strchr(quote ? special + 8 : special, c)))
            return no_shell;
        if (quote ? c == quote : c == '\'' || c == '"') {
            quote ^= c;
            continue;
        }
        if (escapes(at, end, quote)) {
            if (++at >= end || !*at || *at == '\n')
                return unfinished;
            c = *at;
            literal = true;
        }
        if (literal && strchr("*?[]\\~#", c))
            *out++ = '\\';
        *out++ = c;
    }
    w->end = (uint16_t)(out - w->words);
    return NULL;
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

const char *dory_scp_words_next(struct dory_scp_words *w)
{
    const char *next = w->words + w->next;

    if (w->next >= w->end)
        return NULL;
    w->next = (uint16_t)(w->next + strlen(next) + 1);
    return next;
}

/* Everything before the paths, which stay; NULL, or why it is refused. */
static const char *take_head(struct dory_scp_words *w)
{
    const char *word = dory_scp_words_next(w);
    unsigned role;

    if (!word || !is_scp(word))
        return "only scp is offered here";
    while ((word = dory_scp_words_next(w)) != NULL && strcmp(word, "--") != 0) {
        if (*word != '-' || !word[1]) {
            w->next = (uint16_t)(word - w->words);
            break;
        }
        if (!take_options(w, word + 1))
            return usage;
    }
    role = w->flags & (DORY_SCP_TO | DORY_SCP_FROM);
    return w->next < w->end && (role == DORY_SCP_TO || role == DORY_SCP_FROM) ? NULL : usage;
}

int dory_scp_words_parse(struct dory_scp_words *w, const char *line, size_t n)
{
    w->flags = 0;
    w->next = w->end = 0;
    w->error = split(w, line, n);
    if (!w->error)
        w->error = take_head(w);
    if (!w->error)
        return DORY_OK;
    return w->error == too_long ? DORY_E_SPACE : DORY_E_PROTOCOL;
}

