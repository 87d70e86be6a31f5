#include <string.h>

#include "pull_internal.h"

void dory_i_pull_because(struct dory_pull *p, const char *reason)
{
    size_t n = strlen(reason);

    if (p->reason[0] && !p->hearsay)
        return;
    p->hearsay = false;
    if (n > sizeof p->reason - 1)
        n = sizeof p->reason - 1;
    memcpy(p->reason, reason, n);
    p->reason[n] = '\0';
}

/* Decimal, no sign; behind it, or NULL. */
static const char *number(const char *text, uint32_t most, uint32_t *value)
{
    const char *start = text;

    for (*value = 0; *text >= '0' && *text <= '9'; text++) {
        *value = 10 * *value + (uint32_t)(*text - '0');
        if (*value > most)
            return NULL;
    }
    return text == start ? NULL : text;
}

static bool address(const char *text, uint8_t out[4])
{
    for (int i = 0; i < 4; i++) {
        uint32_t v;

        text = number(text, 255, &v);
        if (!text || *text != (i < 3 ? '.' : '\0'))
            return false;
        out[i] = (uint8_t)v;
        text++;
    }
    return true;
}

static char *word(char **at)
{
    char *start = *at + strspn(*at, " \t"), *end = start + strcspn(start, " \t");

    *at = end + (*end != '\0');
    *end = '\0';
    return start;
}

/* user@address:path, cut into its three. */
static bool location(struct dory_pull *p, char *text)
{
    char *at = strchr(text, '@'), *colon = at ? strchr(at, ':') : NULL;

    if (!colon || at == text || !colon[1])
        return false;
    *at = *colon = '\0';
    p->user = text;
    p->path = colon + 1;
    return address(at + 1, p->address);
}

static bool port(struct dory_pull *p, const char *text)
{
    uint32_t v;
    const char *end = number(text, 65535, &v);

    p->port = (uint16_t)v;
    return end && !*end && v > 0;
}

static void name_host(struct dory_pull *p)
{
    struct dory_text host;

    dory_text_init(&host, p->host, sizeof p->host);
    dory_text_put(&host, p->port == 22 ? "" : "[");
    for (int i = 0; i < 4; i++) {
        dory_text_put(&host, i ? "." : "");
        dory_text_number(&host, p->address[i]);
    }
    if (p->port == 22)
        return;
    dory_text_put(&host, "]:");
    dory_text_number(&host, p->port);
}

static int refuse(struct dory_pull *p, const char *reason)
{
    dory_i_pull_because(p, reason);
    return DORY_E_ARG;
}

/* The name that the host will announce: the last component of the path. */
static bool name_file(struct dory_pull *p)
{
    const char *slash = strrchr(p->path, '/'), *name = slash ? slash + 1 : p->path;
    size_t n = strlen(name);

    if (n == 0 || n >= sizeof p->name)
        return false;
    memcpy(p->name, name, n + 1);
    p->names[0] = p->name;
    return true;
}

/* The path is one word for the host's shell, but for a leading "~/", which is its user's home. */
static bool name_command(struct dory_pull *p)
{
    const char *path = p->path;
    struct dory_text line;

    dory_text_init(&line, p->command, sizeof p->command);
    dory_text_put(&line, "scp -f -- ");
    if (strncmp(path, "~/", 2) == 0) {
        dory_text_put(&line, "~/");
        path += 2;
    }
    dory_text_put(&line, "'");
    for (; *path; path++)
        dory_text_put(&line, *path == '\'' ? "'\\''" : (const char[]){*path, '\0'});
    dory_text_put(&line, "'");
    return !line.cut;
}

int dory_i_pull_parse(struct dory_pull *p, const char *args)
{
    char *at = p->words, *first;
    size_t n = strlen(args);

    if (n >= sizeof p->words)
        return refuse(p, "the line is too long");
    memcpy(p->words, args, n + 1);
    p->port = 22;
    first = word(&at);
    if (strcmp(first, "-P") == 0) {
        if (!port(p, word(&at)))
            return refuse(p, "-P wants a port");
        first = word(&at);
    }
    p->slot = word(&at);
    if (!location(p, first) || !*p->slot || *word(&at))
        return refuse(p, "usage: pull [-P port] user@10.0.2.2:path slot");
    if (strlen(p->user) > DORY_USER_NAME_MAX || !name_file(p))
        return refuse(p, "the name is too long");
    if (!name_command(p))
        return refuse(p, "the path is too long");
    if (dory_flash_find(p->config->flash, p->slot) < 0)
        return refuse(p, "no such slot");
    name_host(p);
    return DORY_OK;
}
