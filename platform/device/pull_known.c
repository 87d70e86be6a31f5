/* The config slot "known_hosts", line by line: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT. */
#include <string.h>

#include "pull_internal.h"

enum { LINE = 256, CHUNK = 32 };

struct reader {
    struct dory_flash_fs *flash;
    unsigned slot;
    uint32_t at;
    uint8_t chunk[CHUNK];
    long have, used;
    bool cut; /* line is not all of it */
    char line[LINE];
};

/* The next byte, -1 at the end, or an error below that (which DORY_E_ARG never is). */
static int next(struct reader *r)
{
    if (r->used == r->have) {
        r->have = dory_flash_get(r->flash, r->slot, r->at, r->chunk, CHUNK);
        r->used = 0;
        if (r->have <= 0)
            return r->have == 0 ? -1 : (int)r->have;
        r->at += (uint32_t)r->have;
    }
    return r->chunk[r->used++];
}

/* 1: r->line is the next line, cut where it is longer than any line that matters. 0: no more. Or an error. */
static int next_line(struct reader *r)
{
    size_t n = 0;
    int c;

    r->cut = false;
    while ((c = next(r)) >= 0 && c != '\n') {
        r->cut |= n == LINE - 1;
        if (n < LINE - 1)
            r->line[n++] = (char)c;
    }
    r->line[n] = '\0';
    if (c < -1)
        return c;
    return c == '\n' || n > 0;
}

static char *field(char **at)
{
    char *start = *at + strspn(*at, " \t\r"), *end = start + strcspn(start, " \t\r");

    *at = end + (*end != '\0');
    *end = '\0';
    return start;
}

/* Is `host` one of the names parted by commas? */
static bool names(const char *list, const char *host)
{
    size_t n = strlen(host);

    for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
        if (strncmp(p, host, n) == 0 && (p[n] == ',' || p[n] == '\0'))
            return true;
    return false;
}

/* A key of a type that this device does not ask for says nothing of the one that the host will show. */
static bool is_of_use(const struct dory_pull *p, const char *type)
{
    for (const struct dory_sigalg *const *s = p->config->signatures; *s; s++)
        if (strcmp((*s)->key_type, type) == 0)
            return true;
    return false;
}

/* What this line says of the host: one of DORY_PULL_*. `key` in base64, or "". A key that is revoked for somebody is so for all: the names
   may be patterns, and where a line is too long for us to see its key, it may be this one. */
static int judge(const struct dory_pull *p, char *line, bool cut, const char *key)
{
    char *marker = line[strspn(line, " \t")] == '@' ? field(&line) : NULL, *list = field(&line), *type = field(&line), *blob = field(&line);

    if (marker)
        return strcmp(marker, "@revoked") == 0 && *key && (cut || strcmp(blob, key) == 0) ? DORY_PULL_REVOKED : DORY_PULL_UNKNOWN;
    if (*list == '#' || !names(list, p->host) || !is_of_use(p, type))
        return DORY_PULL_UNKNOWN;
    return strcmp(blob, key) == 0 ? DORY_PULL_KNOWN : DORY_PULL_OTHER;
}

int dory_i_pull_known(struct dory_pull *p, const uint8_t *key, size_t n)
{
    struct reader r = {.flash = p->config->flash};
    int slot = dory_flash_find(r.flash, "known_hosts"), verdict = DORY_PULL_UNKNOWN, got;
    char text[LINE] = "";

    if (slot < 0 || (key && dory_base64_encode(text, sizeof text, key, n, true) < 0))
        return DORY_PULL_UNKNOWN;
    r.slot = (unsigned)slot;
    while ((got = next_line(&r)) > 0) {
        int said = judge(p, r.line, r.cut, text);
        verdict = said > verdict ? said : verdict;
    }
    return got == DORY_E_NOENT ? DORY_PULL_UNKNOWN : got < 0 ? got : verdict;
}
