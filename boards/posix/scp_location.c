#include "scp_location.h"

#include "scp_sshopt.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The colon behind the host, or NULL for a local path: one that begins with a colon, or has a slash before the first. */
static const char *host_colon(const char *text)
{
    bool bracket = *text == '[';

    if (*text == ':')
        return NULL;
    for (const char *p = text; *p; p++) {
        if (p[0] == '@' && p[1] == '[')
            bracket = true;
        if (bracket && p[0] == ']' && p[1] == ':')
            return p + 1;
        if (!bracket && *p == ':')
            return p;
        if (*p == '/')
            return NULL;
    }
    return NULL;
}

static bool user_is_good(const char *user)
{
    if (!*user || *user == '-')
        return false;
    for (; *user; user++)
        if ((unsigned char)*user <= ' ' || (unsigned char)*user >= 0x7f || strchr("'\"`#;&<>|(){}$\\", *user))
            return false;
    return true;
}

static bool host_is_good(const char *host)
{
    if (!*host || *host == '-')
        return false;
    for (; *host; host++)
        if ((unsigned char)*host <= ' ' || (unsigned char)*host >= 0x7f || strchr("'\"`$\\;&<>|(){}", *host))
            return false;
    return true;
}

/* Splits "[user@]host" in place. */
static int authority(struct dory_cli_location *l, char *text, char *why, size_t cap)
{
    char *at = strrchr(text, '@');
    size_t n;

    if (at) {
        *at = '\0';
        l->user = text;
        text = at + 1;
        if (!user_is_good(l->user)) {
            snprintf(why, cap, "%s: invalid user name", l->user);
            return -1;
        }
    }
    n = strlen(text);
    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        text[n - 1] = '\0';
        text++;
    }
    l->host = text;
    if (host_is_good(text))
        return 0;
    snprintf(why, cap, "%s: invalid host name", *text ? text : l->text);
    return -1;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3986 2.1, in place. */
static int unescape(char *text)
{
    char *out = text;

    for (; *text; text++) {
        if (*text == '%') {
            int high = hex(text[1]), low = high < 0 ? -1 : hex(text[2]);

            if (low < 0 || (high | low) == 0)
                return -1;
            *out++ = (char)(high * 16 + low);
            text += 2;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
    return 0;
}

static int parse_uri(struct dory_cli_location *l, char *why, size_t cap)
{
    char *text = l->room + strlen("scp://"), *slash = strchr(text, '/'), *colon, *user_end;

    l->path = slash && slash[1] ? slash + 1 : ".";
    if (slash)
        *slash = '\0';
    colon = strrchr(text, ':');
    if (colon && !strchr(colon, ']')) {
        *colon = '\0';
        l->port = dory_cli_port(colon + 1);
        if (l->port < 0) {
            snprintf(why, cap, "%s: bad port \"%s\"", l->text, colon + 1);
            return -1;
        }
    }
    user_end = strrchr(text, '@');
    if (user_end && memchr(text, ';', (size_t)(user_end - text))) /* connection parameters: nothing of theirs is ours */
        memmove(strchr(text, ';'), user_end, strlen(user_end) + 1);
    if (unescape(text) < 0 || (slash && unescape(slash + 1) < 0)) {
        snprintf(why, cap, "%s: bad %%-escape in URI", l->text);
        return -1;
    }
    return authority(l, text, why, cap);
}

int dory_cli_location_parse(struct dory_cli_location *l, const char *text, char *why, size_t cap)
{
    const char *colon = host_colon(text);
    size_t n = strlen(text);

    memset(l, 0, offsetof(struct dory_cli_location, room));
    l->port = -1;
    l->text = l->path = text;
    if (n >= sizeof l->room) {
        snprintf(why, cap, "%.60s...: name too long", text);
        return -1;
    }
    memcpy(l->room, text, n + 1);
    if (!strncasecmp(text, "scp://", 6)) {
        l->remote = true;
        return parse_uri(l, why, cap);
    }
    if (!colon) {
        if (*text)
            return 0;
        snprintf(why, cap, "an empty name is no file");
        return -1;
    }
    l->remote = true;
    l->room[colon - text] = '\0';
    l->path = colon[1] ? l->room + (colon - text) + 1 : ".";
    return authority(l, l->room, why, cap);
}

bool dory_cli_jump_parse(const char *list, struct dory_cli_location *hop, char *rest, size_t cap)
{
    const char *comma = strrchr(list, ','), *last = comma ? comma + 1 : list;
    size_t n = comma ? (size_t)(comma - list) : 0;
    char uri[1024], why[1200];

    if (!strncasecmp(last, "ssh://", 6))
        last += 6;
    if (n >= cap || strpbrk(last, "/;") || strlen(last) + 7 > sizeof uri) /* "%j" may go to a shell as it stands */
        return false;
    snprintf(uri, sizeof uri, "scp://%s", last);
    memmove(rest, list, n);
    rest[n] = '\0';
    if (dory_cli_location_parse(hop, uri, why, sizeof why) < 0)
        return false;
    hop->text = hop->host;
    return true;
}

bool dory_cli_jump_is_good(const char *list)
{
    struct dory_cli_location hop;
    char room[DORY_CLI_LINE_MAX];

    if (!strcasecmp(list, "none"))
        return true;
    if (strlen(list) >= sizeof room)
        return false;
    strcpy(room, list);
    do
        if (!dory_cli_jump_parse(room, &hop, room, sizeof room))
            return false;
    while (*room);
    return true;
}

/* A backslash before every glob character that has none. */
static void literal(const char *pattern, char *out, size_t cap)
{
    size_t n = 0;

    for (; *pattern && n + 3 < cap; pattern++) {
        if (*pattern == '\\' && pattern[1])
            out[n++] = *pattern++;
        else if (strchr("*?[]\\", *pattern))
            out[n++] = '\\';
        out[n++] = *pattern;
    }
    out[n] = '\0';
}

int dory_cli_location_names(const char *path, char names[2][512])
{
    size_t end = strlen(path), begin;

    while (end && path[end - 1] == '/') end--;
    for (begin = end; begin && path[begin - 1] != '/'; begin--)
        ;
    snprintf(names[0], sizeof names[0], "%.*s", (int)(end - begin), path + begin);
    if (!*names[0] || !strcmp(names[0], ".") || !strcmp(names[0], "..") || (begin == 0 && *names[0] == '~')) {
        strcpy(names[0], "/");
        return 1;
    }
    literal(names[0], names[1], sizeof names[1]);
    return strcmp(names[0], names[1]) ? 2 : 1;
}
