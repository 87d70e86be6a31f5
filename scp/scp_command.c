#include "scp_internal.h"

#include <string.h>

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
        s->error = "unmatched '";
    s->at++;
}

static void double_quotes(struct splitter *s)
{
    for (; s->at < s->end && *s->at != '"' && !s->error; s->at++) {
        if (*s->at == '$' || *s->at == '`')
            s->error = "no shell here: $ and ` are not understood";
        else if (*s->at == '\\' && s->at + 1 < s->end && memchr("$`\"\\", s->at[1], 4))
            s->at++;
        put_quoted(s, *s->at);
    }
    if (s->at == s->end && !s->error)
        s->error = "unmatched \"";
    s->at++;
}

/* Any character outside quotes, and what follows it where it opens something. */
static void plain(struct splitter *s, bool first)
{
    char c = *s->at++;

    if (memchr("$`;|&<>()\n", c, 10) || (first && c == '#'))
        s->error = "no shell here: only quotes, backslashes and globs are understood";
    else if (c == '\'')
        single_quotes(s);
    else if (c == '"')
        double_quotes(s);
    else if (c != '\\')
        put(s, c);
    else if (s->at < s->end && *s->at != '\n')
        put_quoted(s, *s->at++);
    else
        s->error = "nothing behind a backslash";
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
        s->error = "no home directory of another user here";
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

/* The letters of one option word. */
static bool take_options(struct dory_scp_command *command, const char *letters)
{
    static const char known[] = "rpdvqtf";
    static const uint8_t flags[] = {DORY_SCP_RECURSE, DORY_SCP_TIMES, DORY_SCP_DIR, DORY_SCP_VERBOSE,
                                    DORY_SCP_QUIET,   DORY_SCP_TO,    DORY_SCP_FROM};

    for (; *letters; letters++) {
        const char *at = strchr(known, *letters);

        if (!at) {
            command->error = "unknown option of scp";
            return false;
        }
        command->flags |= flags[at - known];
    }
    return true;
}

/* Everything before the paths; the rest of the words stays. */
static bool take_head(struct dory_scp_command *command)
{
    const char *at = command->words;
    unsigned role;

    if (!command->end || !is_scp(at)) {
        command->error = "only scp is offered here";
        return false;
    }
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
            return false;
    }
    role = command->flags & (DORY_SCP_TO | DORY_SCP_FROM);
    if (role != DORY_SCP_TO && role != DORY_SCP_FROM)
        command->error = "scp without -t or -f";
    else if (command->next >= command->end)
        command->error = "scp without a path";
    return !command->error;
}

int dory_scp_command_parse(struct dory_scp_command *command, struct dory_fs *fs, const char *line, size_t n)
{
    struct splitter s = {.at = line, .end = line + n, .out = command->words, .cap = sizeof command->words};

    command->flags = 0;
    command->error = NULL;
    command->next = command->end = 0;
    command->active = false;
    dory_scp_path_begin(&command->path, fs, "", false);
    dory_scp_path_stop(&command->path);
    if (memchr(line, '\0', n))
        s.error = "NUL in the command line";
    while (word(&s))
        continue;
    command->end = (uint16_t)s.n;
    if (s.error)
        command->error = s.error;
    else
        take_head(command);
    if (!command->error)
        return DORY_OK;
    return s.n == s.cap ? DORY_E_SPACE : DORY_E_PROTOCOL;
}

int dory_scp_command_item(void *ctx, struct dory_scp_item *item)
{
    struct dory_scp_command *command = ctx;
    int r;

    for (;;) {
        if (command->active) {
            r = dory_scp_path_next(&command->path, item);
            if (r != 0)
                return r;
        }
        command->active = command->next < command->end;
        if (!command->active)
            return 0;
        dory_scp_path_begin(&command->path, command->path.fs, command->words + command->next, false);
        command->next = (uint16_t)(command->next + strlen(command->words + command->next) + 1);
    }
}

void dory_scp_command_stop(struct dory_scp_command *command)
{
    dory_scp_path_stop(&command->path);
    command->active = false;
    command->next = command->end;
}
