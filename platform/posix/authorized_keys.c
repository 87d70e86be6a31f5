/* authorized_keys: which keys may log in, and under which conditions. Whatever is not understood leads to "no". */
#define _TIME_BITS        64
#define _FILE_OFFSET_BITS 64
#include "dory_posix_auth.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "posix_internal.h"

struct query {
    const uint8_t *blob;
    size_t n;
    const char *peer; /* "" if unknown */
    int64_t now;
    struct dory_key_grant *grant;
    char unknown[128]; /* what to say of an option that cannot be honoured */
};

/* ---- from= */

static int parse_address(const char *text, uint8_t address[16])
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    if (inet_pton(AF_INET, text, address) == 1)
        return 4;
    if (inet_pton(AF_INET6, text, address) != 1)
        return 0;
    if (memcmp(address, mapped, 12) != 0)
        return 16;
    memmove(address, address + 12, 4); /* an IPv4 peer of an IPv6 socket */
    return 4;
}

/* Does peer lie in ADDRESS/BITS? Sets *bad if the pattern is none. */
static bool in_network(const char *peer, const char *pattern, bool *bad)
{
    char text[64];
    uint8_t net[16], address[16];
    const char *slash = strchr(pattern, '/');
    char *end;
    snprintf(text, sizeof text, "%.*s", (int)(slash - pattern), pattern);
    int n = parse_address(text, net), peer_n = parse_address(peer, address);
    long bits = strtol(slash + 1, &end, 10);
    if (n == 0 || slash[1] < '0' || slash[1] > '9' || *end != 0 || bits > n * 8) {
        *bad = true;
        return false;
    }
    if (peer_n != n || memcmp(net, address, (size_t)bits / 8) != 0)
        return false;
    unsigned mask = 0xFF00U >> (bits % 8) & 0xFF;
    return mask == 0 || ((net[bits / 8] ^ address[bits / 8]) & mask) == 0;
}

/* Patterns over addresses, and networks. Names of hosts are not looked up: one never matches, and a negated one, which might have kept this
   peer out, makes the list unusable. */
static const char *check_from(const char *peer, char *list)
{
    bool found = false, bad = false;
    for (char *p = list, *next; p; p = next) {
        next = strchr(p, ',');
        if (next)
            *next++ = 0;
        p = dory_skip_blanks(p);
        p[strcspn(p, " \t")] = 0;
        bool negated = *p == '!';
        const char *pattern = p + negated;
        bool matches = strchr(pattern, '/') ? in_network(peer, pattern, &bad) : *pattern && dory_match_list(peer, pattern);
        if (negated && strchr(pattern, '/') == NULL && pattern[strspn(pattern, "0123456789abcdefABCDEF.:*?")] != 0)
            bad = true;
        if (matches && negated)
            return "from= excludes the address of the client";
        found = found || matches;
    }
    if (bad)
        return "from= holds what this server cannot check";
    return found && *peer ? NULL : "from= does not name the address of the client";
}

/* ---- expiry-time= */

static int digits(const char **p, int n)
{
    int v = 0;
    while (n-- > 0) v = v * 10 + *(*p)++ - '0';
    return v;
}

/* YYYYMMDD or YYYYMMDDHHMM or YYYYMMDDHHMMSS, local time, or UTC with a Z. */
static bool parse_time(const char *text, int64_t *when)
{
    size_t n = strspn(text, "0123456789");
    bool utc = strcmp(text + n, "Z") == 0;
    if ((n != 8 && n != 12 && n != 14) || (!utc && text[n] != 0))
        return false;
    const char *p = text;
    struct tm tm = {.tm_isdst = -1};
    tm.tm_year = digits(&p, 4) - 1900;
    tm.tm_mon = digits(&p, 2) - 1;
    tm.tm_mday = digits(&p, 2);
    if (n > 8)
        tm.tm_hour = digits(&p, 2), tm.tm_min = digits(&p, 2);
    if (n > 12)
        tm.tm_sec = digits(&p, 2);
    if (tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    int day = tm.tm_mday;
    *when = utc ? timegm(&tm) : mktime(&tm);
    return tm.tm_mday == day; /* no 31 June */
}

static const char *check_expiry(int64_t now, const char *text)
{
    int64_t when;
    if (!parse_time(text, &when))
        return "expiry-time= is not a date";
    return now >= when ? "the key has expired (expiry-time=)" : NULL;
}

/* ---- options */

/* They restrict or allow what this server does not have. */
static bool is_moot(const char *name)
{
    static const char *const moot[] = {"restrict",   "no-port-forwarding", "no-agent-forwarding", "no-x11-forwarding", "no-pty",
                                       "no-user-rc", "port-forwarding",    "agent-forwarding",    "x11-forwarding",    "pty",
                                       "user-rc"};
    for (size_t i = 0; i < sizeof moot / sizeof *moot; i++)
        if (strcasecmp(name, moot[i]) == 0)
            return true;
    return false;
}

/* What dory serve does in process; whatever else a shell would do with the text is refused when it is carried out. */
static bool is_runnable(const char *command)
{
    if (strcmp(command, "internal-sftp") == 0)
        return true;
    if (strncmp(command, "scp ", 4) != 0 || strlen(command) >= DORY_FORCED_MAX)
        return false;
    for (const char *p = command + 4; *(p += strspn(p, " ")) == '-'; p += strcspn(p, " "))
        if (strcspn(p, "tf") < strcspn(p, " "))
            return true;
    return false;
}

static const char *force(struct query *query, const char *command)
{
    if (query->grant->command[0])
        return "it has more than one command=";
    if (!is_runnable(command))
        return "it has a command= other than internal-sftp and scp -t or -f, and this server runs no other programs";
    strcpy(query->grant->command, command);
    return NULL;
}

static const char *is_unknown(struct query *query, const char *name)
{
    snprintf(query->unknown, sizeof query->unknown, "it has the option %.40s, which this server cannot honour", name);
    return query->unknown;
}

/* NULL if the option lets this key in, else why not. value is NULL for an option without. */
static const char *check_option(struct query *query, const char *name, char *value)
{
    if (value == NULL)
        return is_moot(name) ? NULL : is_unknown(query, name);
    if (strcasecmp(name, "from") == 0)
        return check_from(query->peer, value);
    if (strcasecmp(name, "expiry-time") == 0)
        return check_expiry(query->now, value);
    if (strcasecmp(name, "permitopen") == 0 || strcasecmp(name, "permitlisten") == 0)
        return NULL; /* nothing is forwarded */
    if (strcasecmp(name, "command") == 0)
        return force(query, value);
    return is_unknown(query, name);
}

/* Unquotes a value in place; returns what follows its closing quote, NULL if there is none. Only \" is an escape. */
static char *unquote(char *text)
{
    char *to = text;
    for (char *p = text; *p; p++) {
        if (*p == '"') {
            *to = 0;
            return p + 1;
        }
        if (*p == '\\' && p[1] == '"')
            p++;
        *to++ = *p;
    }
    return NULL;
}

/* The end of the options: the first blank outside quotes. */
static char *end_of_options(char *p)
{
    bool quoted = false;
    for (; *p && (quoted || (*p != ' ' && *p != '\t')); p++) {
        if (*p == '\\' && p[1] == '"')
            p++;
        else if (*p == '"')
            quoted = !quoted;
    }
    return p;
}

static const char *check_options(struct query *query, char *p)
{
    while (*p) {
        char *name = p, *value = NULL;
        p += strcspn(p, "=,");
        char stop = *p;
        if (stop)
            *p++ = 0;
        if (stop == '=') {
            if (*p++ != '"')
                return "its options are malformed";
            value = p;
            p = unquote(value);
            if (p == NULL || (*p != 0 && *p != ','))
                return "its options are malformed";
            stop = *p;
            if (stop)
                *p++ = 0;
        }
        if (stop == ',' && *p == 0)
            return "its options are malformed";
        const char *refused = check_option(query, name, value);
        if (refused)
            return refused;
    }
    return NULL;
}

/* ---- the file */

static bool is_key(const struct query *query, const char *text, struct dory_public_key *key)
{
    return dory_public_key_parse(text, strlen(text), key) == DORY_OK && key->blob_n == query->n &&
           memcmp(key->blob, query->blob, query->n) == 0;
}

/* 1: this line lets the key in. 0: it is about something else. DORY_E_AUTH: it is this key, and *refused says why not. */
static int check_line(struct query *query, char *line, const char **refused)
{
    struct dory_public_key key;
    line = dory_skip_blanks(line);
    if (*line == 0 || *line == '#')
        return 0;
    if (is_key(query, line, &key))
        return 1;
    char *end = end_of_options(line);
    if (*end == 0)
        return 0;
    *end++ = 0;
    if (!is_key(query, end, &key))
        return 0;
    *refused = check_options(query, line);
    if (*refused)
        query->grant->command[0] = 0;
    return *refused ? DORY_E_AUTH : 1;
}

/* Others may write `dir`, and so put another file in place of what is in it. With a sticky bit they cannot. */
static bool is_open(const struct stat *dir)
{
    return (dir->st_mode & 022) && !(dir->st_mode & S_ISVTX);
}

static bool is_strangers(const struct stat *st)
{
    return st->st_uid != 0 && st->st_uid != geteuid();
}

static int check_parent(const char *file, char why[DORY_WHY_MAX])
{
    char parent[PATH_MAX];
    struct stat dir;
    const char *slash = strrchr(file, '/');
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - file) + 1 : 1, slash ? file : ".");
    if (stat(parent, &dir) != 0)
        return DORY_OK;
    if (is_open(&dir))
        return dory_why(why, DORY_E_ACCESS, "other people can replace %s, so it is ignored: chmod go-w %s", file, parent);
    if (is_strangers(&dir))
        return dory_why(why, DORY_E_ACCESS, "%s belongs to somebody else, who can replace %s, so it is ignored", parent, file);
    return DORY_OK;
}

/* Directories further up, of the file itself when it is a link. */
static int check_ancestors(const char *file, char why[DORY_WHY_MAX])
{
    char path[PATH_MAX];
    struct stat dir;
    if (realpath(file, path) == NULL)
        return dory_why(why, DORY_E_IO, "cannot examine %s", file);
    int r = check_parent(path, why);
    for (char *slash; r == DORY_OK && (slash = strrchr(path, '/')) && slash > path;) {
        *slash = 0;
        if (stat(path, &dir) == 0 && is_open(&dir))
            return dory_why(why, DORY_E_ACCESS, "other people can replace %s, so it is ignored: chmod go-w %s", file, path);
    }
    return r;
}

/* Whoever can write the file, or put another in its place, can let himself in. */
static int check_owner(int fd, const char *file, char why[DORY_WHY_MAX])
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return dory_why(why, DORY_E_IO, "cannot examine %s", file);
    if (st.st_mode & 022)
        return dory_why(why, DORY_E_ACCESS, "%s can be written by other people (mode %04o), so it is ignored: chmod go-w %s", file,
                        (unsigned)st.st_mode & 07777, file);
    if (is_strangers(&st))
        return dory_why(why, DORY_E_ACCESS, "%s belongs to somebody else, so it is ignored", file);
    int r = check_parent(file, why);
    return r == DORY_OK ? check_ancestors(file, why) : r;
}

static int search(struct dory_lines *lines, const char *file, struct query *query, char why[DORY_WHY_MAX])
{
    char *line;
    int r = check_owner(lines->fd, file, why), more;
    if (r != DORY_OK)
        return r;
    while ((more = dory_lines_next(lines, &line)) == 1) {
        const char *refused = NULL;
        r = check_line(query, line, &refused);
        if (r == 1) {
            why[0] = 0;
            return DORY_OK;
        }
        if (r == DORY_E_AUTH)
            dory_why(why, r, "%s:%u: key not accepted: %s", file, lines->number, refused);
    }
    if (more != 0)
        return dory_why(why, DORY_E_IO, "cannot read %s: %s", file, dory_strerror(more));
    if (lines->left_out && why[0] == 0)
        dory_why(why, DORY_E_AUTH, "%s:%u: line left out: over %d bytes, or with a NUL in it", file, lines->left_out, DORY_LINE_MAX);
    return DORY_E_AUTH;
}

int dory_authorized_keys_match(const char *file, const uint8_t *blob, size_t n, const char *peer, int64_t now, struct dory_key_grant *grant,
                               char why[DORY_WHY_MAX])
{
    struct dory_lines lines;
    char address[64];
    uint8_t bytes[16];
    snprintf(address, sizeof address, "%s", peer ? peer : "");
    address[strcspn(address, "%")] = 0; /* fe80::1%eth0 */
    if (parse_address(address, bytes) == 4)
        inet_ntop(AF_INET, bytes, address, sizeof address);
    struct query query = {.blob = blob, .n = n, .peer = address, .now = now, .grant = grant};
    why[0] = 0;
    grant->command[0] = 0;
    int r = dory_lines_open(&lines, file);
    if (r != DORY_OK)
        return dory_why(why, r == DORY_E_NOENT ? r : DORY_E_IO, "cannot read %s: %s", file, dory_strerror(r));
    r = search(&lines, file, &query, why);
    dory_lines_close(&lines);
    return r;
}
