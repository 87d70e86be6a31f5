/* The grammar of a line of ssh_config(5). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scp_say.h"
#include "scp_sshopt.h"

#define CHUNK 16384

/* One word to `out`, and where it ended. Backslashes keep only a quote, a backslash or, outside of quotes, a blank from meaning more. */
static const char *take_word(const char *text, char **out, bool *bad)
{
    char quote = '\0', *at = *out;

    for (; *text && (quote || !strchr(" \t", *text)); text++) {
        bool escapes = *text == '\\' && text[1] && (strchr("'\"\\", text[1]) || (!quote && text[1] == ' '));

        if (escapes)
            *at++ = *++text;
        else if (!quote && (*text == '"' || *text == '\''))
            quote = *text;
        else if (quote && *text == quote)
            quote = '\0';
        else
            *at++ = *text;
    }
    *at++ = '\0';
    *out = at;
    *bad |= quote != '\0';
    return text;
}

static const char *take_name(struct dory_cli_words *w, const char *text)
{
    static const char blank[] = " \t\r\n\f";
    size_t n;

    text += strspn(text, blank);
    if (*text == '=')
        text += 1 + strspn(text + 1, blank);
    n = strcspn(text, " \t\r\n\f=\"");
    if (*text == '#')
        n = 0;
    for (size_t i = 0; i < n && i < sizeof w->name - 1; i++) w->name[i] = (char)tolower((unsigned char)text[i]);
    text += n;
    text += strspn(text, blank);
    if (*text == '=')
        text += 1 + strspn(text + 1, blank);
    return text;
}

void dory_cli_words_split(struct dory_cli_words *w, const char *text)
{
    char *out = w->room;

    memset(w->name, 0, sizeof w->name);
    w->n = 0;
    w->rest = take_name(w, text);
    w->bad = strlen(w->rest) > DORY_CLI_LINE_MAX;
    for (text = w->rest; *w->name && !w->bad;) {
        text += strspn(text, " \t");
        if (!*text || *text == '#')
            break;
        if (w->n == DORY_CLI_WORDS_MAX) {
            w->bad = true;
            break;
        }
        w->word[w->n++] = out;
        text = take_word(text, &out, &w->bad);
    }
}

/* ---- Texts that stay */

struct chunk {
    struct chunk *older;
    size_t used;
    char text[];
};

const char *dory_cli_keep(const char *text)
{
    static struct chunk *kept;
    static size_t room;
    size_t n = strlen(text) + 1;
    struct chunk *c;

    if (!kept || n > room - kept->used) {
        room = n > CHUNK ? n : CHUNK;
        c = malloc(sizeof *c + room);
        if (!c) {
            dory_say(DORY_LOG_QUIET, "scp: out of memory");
            exit(255);
        }
        c->older = kept;
        c->used = 0;
        kept = c;
    }
    kept->used += n;
    return memcpy(kept->text + kept->used - n, text, n);
}
