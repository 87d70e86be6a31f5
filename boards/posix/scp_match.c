/* Match lines of ssh_config(5). */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "platform/posix/dory_posix_text.h"
#include "scp_config.h"
#include "scp_expand.h"
#include "scp_spawn.h"
#include "scp_say.h"

struct line {
    struct dory_cli_subject *subject;
    const struct dory_cli_ssh *settings;
    const struct dory_cli_words *words;
    const char *place; /* for messages */
    int at;
    bool holds; /* so far */
};

/* The next word, or the text behind the = that ends a criterion's name; NULL: none. */
static const char *argument(struct line *l, char *behind)
{
    if (!behind && l->at < l->words->n && l->words->word[l->at][0] == '=')
        behind = l->words->word[l->at++] + 1;
    if (behind && *behind)
        return behind;
    return l->at < l->words->n ? l->words->word[l->at++] : NULL;
}

static struct dory_cli_tokens tokens(const struct line *l, char address[256])
{
    const struct dory_cli_ssh *o = l->settings;
    struct dory_cli_tokens t = {.host = l->subject->named, .address = l->subject->named};

    if (o->hostname && dory_cli_percent(&t, "h", o->hostname, address, 256) == 0)
        t.address = address;
    t.known_as = o->host_key_alias ? o->host_key_alias : l->subject->named;
    t.user = o->user ? o->user : dory_cli_local_user();
    t.jump = o->proxy_jump ? o->proxy_jump : "";
    t.port = o->port > 0 ? (unsigned)o->port : 22;
    return t;
}

static int run(const struct line *l, const struct dory_cli_tokens *t, const char *command, char *why, size_t cap)
{
    char text[DORY_CLI_LINE_MAX];

    if (!l->holds)
        return 0; /* what an earlier criterion has decided is not asked again */
    if (dory_cli_percent(t, NULL, command, text, sizeof text) < 0) {
        snprintf(why, cap, "Match exec: unknown token, or too long: %.200s", command);
        return -1;
    }
    dory_say(DORY_LOG_DEBUG, "debug1: Executing command: '%.500s'", text);
    return dory_cli_shell_status(text) == 0;
}

static int with_argument(const struct line *l, const char *name, const char *value, char *why, size_t cap)
{
    char address[256];
    const struct dory_cli_tokens t = tokens(l, address);

    if (!strcasecmp(name, "host"))
        return dory_match_list(t.address, value);
    if (!strcasecmp(name, "originalhost"))
        return dory_match_list(t.host, value);
    if (!strcasecmp(name, "user"))
        return dory_match_list_exactly(t.user, value);
    if (!strcasecmp(name, "localuser"))
        return dory_match_list_exactly(dory_cli_local_user(), value);
    if (!strcasecmp(name, "tagged"))
        return dory_match_list_exactly(l->settings->tag ? l->settings->tag : "", value);
    if (!strcasecmp(name, "exec"))
        return run(l, &t, value, why, cap);
    snprintf(why, cap, "Unsupported Match attribute %s", name);
    return -1;
}

/* One criterion. */
static int criterion(struct line *l, char *why, size_t cap)
{
    char *name = l->words->word[l->at++], *behind;
    bool negated = *name == '!';
    const char *value;
    int holds = 1;

    name += negated;
    behind = strchr(name, '=');
    if (behind)
        *behind++ = '\0';
    if (!strcasecmp(name, "all")) {
        if (l->at < l->words->n || behind)
            return snprintf(why, cap, "%s: 'all' cannot be combined with other Match attributes", l->place), -1;
    } else if (!strcasecmp(name, "final") || !strcasecmp(name, "canonical")) {
        l->subject->wants_final |= (*name | 0x20) == 'f';
        holds = l->subject->final;
    } else if ((value = argument(l, behind)) != NULL) {
        holds = with_argument(l, name, value, why, cap);
    } else {
        return snprintf(why, cap, "Missing Match criteria for %s", name), -1;
    }
    return holds < 0 ? holds : holds != negated;
}

int dory_cli_match(struct dory_cli_subject *subject, const struct dory_cli_ssh *settings, const struct dory_cli_words *words,
                   const char *place, char *why, size_t cap)
{
    struct line l = {.subject = subject, .settings = settings, .words = words, .place = place, .holds = true};

    while (l.at < words->n) {
        int holds = criterion(&l, why, cap);

        if (holds < 0)
            return -1;
        l.holds &= holds == 1;
    }
    return l.holds;
}
