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
static bool take_options(struct dory_scp_command *command, const char *letters)
{
    static const char known[] = "rpdvqtf"; /* in the order of the flags */

    for (; *letters; letters++) {
        const char *at = strchr(known, *letters);

        if (!at)
            return false;
        command->flags |= 1u << (at - known);
    }
    return true;
}

/* Everything before the paths, which stay; NULL, or why it is refused. */
static const char *take_head(struct dory_scp_command *command)
{
    const char *at = command->words;
    unsigned role;

    if (!command->end || !is_scp(at))
        return "only scp is offered here";
    for (;;) {
        command->next = (uint16_t)(command->next + strlen(at) + 1);
        at = command->words + command->next;
        if (command->next >= command->end || at[0] != '-' || !at[1])
            break;
        if (strcmp(at, "--") == 0) {
            command->next = (uint16_t)(command->next + 3);
            break;
        }
        if (!take_options(command, at + 1))
            return usage;
    }
    role = command->flags & (DORY_SCP_TO | DORY_SCP_FROM);
    return command->next < command->end && (role == DORY_SCP_TO || role == DORY_SCP_FROM) ? NULL : usage;
}

int dory_scp_command_parse(struct dory_scp_command *command, struct dory_fs *fs, const char *line, size_t n)
{
    struct splitter s = {.at = line, .end = line + n, .out = command->words, .cap = sizeof command->words};

    command->flags = 0;
    command->next = 0;
    dory_scp_path_begin(&command->path, fs, "", false);
    dory_scp_path_stop(&command->path);
    if (memchr(line, '\0', n))
        s.error = no_shell;
    while (word(&s))
        continue;
    command->end = (uint16_t)s.n;
    command->error = s.error ? s.error : take_head(command);
    if (!command->error)
        return DORY_OK;
    return s.n == s.cap ? DORY_E_SPACE : DORY_E_PROTOCOL;
}

int dory_scp_command_item(void *ctx, struct dory_transfer_item *item)
{
    struct dory_scp_command *command = ctx;
    int r;

    while ((r = dory_scp_path_next(&command->path, item)) == 0 && command->next < command->end) {
        const char *word = command->words + command->next;

        dory_scp_path_begin(&command->path, command->path.fs, word, false);
        command->next = (uint16_t)(command->next + strlen(word) + 1);
    }
    return r;
}

void dory_scp_command_stop(struct dory_scp_command *command)
{
    dory_scp_path_stop(&command->path);
    command->next = command->end;
}
