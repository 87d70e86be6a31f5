#define _FILE_OFFSET_BITS 64
#include "dory_posix_known_hosts.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix_internal.h"

#define HOST_MAX    280
#define SHA1_SIZE   20
#define HASH_PREFIX "|1|"

struct entry {
    bool revoked;
    struct dory_public_key key;
    const char *file;
    unsigned line;
};

typedef void visit_fn(void *ctx, const struct entry *entry);

/* The name as files write it, in small letters. With wildcards or separators in it, a name could match what it does not mean. */
static int make_name(char out[HOST_MAX], const char *host, unsigned port)
{
    size_t n = strlen(host);
    if (n == 0 || n > 255 || port > 65535)
        return DORY_E_ARG;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)host[i] <= ' ' || host[i] == 0x7F || strchr(",*?!|#[]@\"", host[i]) != NULL)
            return DORY_E_ARG;
    snprintf(out, HOST_MAX, port == 22 || port == 0 ? "%s" : "[%s]:%u", host, port);
    for (char *p = out; *p; p++) *p = (char)tolower((unsigned char)*p);
    return DORY_OK;
}

/* ---- reading */

static bool matches_hashed(const char *name, const char *field)
{
    uint8_t salt[64], hash[SHA1_SIZE + 4], mac[SHA1_SIZE];
    const char *second = strchr(field + strlen(HASH_PREFIX), '|');
    if (strncmp(field, HASH_PREFIX, strlen(HASH_PREFIX)) != 0 || second == NULL)
        return false;
    const char *first = field + strlen(HASH_PREFIX);
    int salt_n = dory_base64_decode(salt, sizeof salt, first, (size_t)(second - first));
    int hash_n = dory_base64_decode(hash, sizeof hash, second + 1, strlen(second + 1));
    if (salt_n <= 0 || hash_n != SHA1_SIZE)
        return false;
    dory_hmac_sha1(salt, (size_t)salt_n, (const uint8_t *)name, strlen(name), mac);
    return dory_equal(mac, hash, SHA1_SIZE);
}

static bool matches(const char *name, const char *field)
{
    return field[0] == '|' ? strlen(field) > strlen(HASH_PREFIX) && matches_hashed(name, field) : dory_match_list(name, field);
}

/* `[@marker] names type base64 [comment]`. False for what is not about this host or not understood. */
static bool parse(char *line, const char *name, struct entry *entry)
{
    char *rest = line, *names = dory_next_word(&rest);
    if (names == NULL || names[0] == '#')
        return false;
    entry->revoked = false;
    if (names[0] == '@') {
        if (strcmp(names, "@revoked") != 0)
            return false; /* certificate authorities sign certificates, which are not offered */
        entry->revoked = true;
        names = dory_next_word(&rest);
    }
    return names && matches(name, names) && dory_public_key_parse(rest, strlen(rest), &entry->key) == DORY_OK;
}

static int visit_file(const char *file, const char *name, visit_fn *visit, void *ctx, char why[DORY_WHY_MAX])
{
    struct dory_lines lines;
    struct entry entry = {.file = file};
    char *line;
    int r = dory_lines_open(&lines, file);
    if (r == DORY_E_NOENT || r == DORY_E_NOTDIR)
        return DORY_OK;
    if (r == DORY_OK) {
        while ((r = dory_lines_next(&lines, &line)) == 1) {
            entry.line = lines.number;
            if (parse(line, name, &entry))
                visit(ctx, &entry);
        }
        dory_lines_close(&lines);
    }
    return r == DORY_OK ? r : dory_why(why, r, "cannot read %s: %s", file, dory_strerror(r));
}

static int visit_files(const char *const *files, const char *name, visit_fn *visit, void *ctx, char why[DORY_WHY_MAX])
{
    int r = DORY_OK;
    for (; *files && r == DORY_OK; files++) r = visit_file(*files, name, visit, ctx, why);
    return r;
}

struct search {
    const uint8_t *blob;
    size_t n;
    char type[DORY_KEY_TYPE_MAX];
    struct dory_known_result *result;
};

/* A revocation beats a match, a match beats another key of the type, and that beats keys of other types. */
static int weight(enum dory_known verdict)
{
    static const int weights[] = {
        [DORY_KNOWN_UNKNOWN] = 0, [DORY_KNOWN_OTHER_TYPE] = 1, [DORY_KNOWN_CHANGED] = 2, [DORY_KNOWN_MATCH] = 3, [DORY_KNOWN_REVOKED] = 4};
    return weights[verdict];
}

static void compare(void *ctx, const struct entry *entry)
{
    struct search *search = ctx;
    bool same = entry->key.blob_n == search->n && memcmp(entry->key.blob, search->blob, search->n) == 0;
    if (entry->revoked && !same)
        return;
    enum dory_known verdict = entry->revoked                               ? DORY_KNOWN_REVOKED
                              : same                                       ? DORY_KNOWN_MATCH
                              : strcmp(entry->key.type, search->type) == 0 ? DORY_KNOWN_CHANGED
                                                                           : DORY_KNOWN_OTHER_TYPE;
    struct dory_known_result *result = search->result;
    if (weight(verdict) <= weight(result->verdict))
        return;
    result->verdict = verdict;
    result->file = entry->file;
    result->line = entry->line;
    strcpy(result->type, entry->key.type);
    dory_fingerprint(result->fingerprint, entry->key.blob, entry->key.blob_n);
}

int dory_known_hosts_check(const char *const *files, const char *host, unsigned port, const uint8_t *blob, size_t n,
                           struct dory_known_result *result, char why[DORY_WHY_MAX])
{
    char name[HOST_MAX], plain[HOST_MAX];
    struct dory_known_result without_port = {.verdict = DORY_KNOWN_UNKNOWN};
    struct search search = {.blob = blob, .n = n, .result = result};
    why[0] = 0;
    *result = without_port;
    int r = make_name(name, host, port);
    if (r != DORY_OK)
        return dory_why(why, r, "%s is not a possible host name", host);
    if (!dory_blob_type(blob, n, search.type, sizeof search.type))
        return dory_why(why, DORY_E_CRYPTO, "the host key of %s is damaged", host);
    r = visit_files(files, name, compare, &search, why);
    if (r != DORY_OK || result->verdict != DORY_KNOWN_UNKNOWN || strcmp(name, host) == 0)
        return r;
    /* As ssh does: the key under the plain name vouches for another port too, but its absence or difference there says nothing. */
    make_name(plain, host, 22);
    search.result = &without_port;
    r = visit_files(files, plain, compare, &search, why);
    if (r == DORY_OK && (without_port.verdict == DORY_KNOWN_MATCH || without_port.verdict == DORY_KNOWN_REVOKED))
        *result = without_port;
    return r;
}

int dory_key_is_revoked(const char *file, const uint8_t *blob, size_t n, char why[DORY_WHY_MAX])
{
    struct dory_lines lines;
    struct dory_public_key key;
    char *line;
    bool found = false;
    int r = dory_lines_open(&lines, file);
    why[0] = 0;
    if (r != DORY_OK)
        return dory_why(why, r, "cannot read the revoked keys in %s: %s", file, dory_strerror(r));
    while (!found && (r = dory_lines_next(&lines, &line)) == 1) {
        if (lines.number == 1 && strcmp(line, "SSHKRL") == 0) {
            dory_lines_close(&lines);
            return dory_why(why, DORY_E_NOSYS, "%s is a binary key revocation list; only lists of public keys are understood", file);
        }
        found = dory_public_key_parse(line, strlen(line), &key) == DORY_OK && key.blob_n == n && memcmp(key.blob, blob, n) == 0;
    }
    unsigned left_out = lines.left_out;
    dory_lines_close(&lines);
    if (found)
        return 1;
    if (r == DORY_OK && left_out) /* it may name this key */
        return dory_why(why, DORY_E_CRYPTO, "%s:%u: line over %d bytes, or with a NUL in it, in a list of revoked keys", file, left_out,
                        DORY_LINE_MAX);
    return r == DORY_OK ? 0 : dory_why(why, r, "cannot read the revoked keys in %s: %s", file, dory_strerror(r));
}

struct types {
    char *out;
    size_t cap, n;
    int count;
};

static bool listed(const char *list, const char *type)
{
    size_t n = strlen(type);
    for (const char *p = list; (p = strstr(p, type)) != NULL; p += n)
        if ((p == list || p[-1] == ',') && (p[n] == 0 || p[n] == ','))
            return true;
    return false;
}

static void add_type(void *ctx, const struct entry *entry)
{
    struct types *types = ctx;
    size_t n = strlen(entry->key.type);
    if (entry->revoked || listed(types->out, entry->key.type) || types->n + n + 2 > types->cap)
        return;
    if (types->n > 0)
        types->out[types->n++] = ',';
    memcpy(types->out + types->n, entry->key.type, n + 1);
    types->n += n;
    types->count++;
}

int dory_known_hosts_types(const char *const *files, const char *host, unsigned port, char *out, size_t cap)
{
    char name[HOST_MAX], why[DORY_WHY_MAX];
    struct types types = {.out = out, .cap = cap};
    if (cap == 0)
        return DORY_E_SPACE;
    out[0] = 0;
    int r = make_name(name, host, port);
    if (r == DORY_OK)
        r = visit_files(files, name, add_type, &types, why);
    if (r == DORY_OK && types.count == 0 && make_name(name, host, 22) == DORY_OK)
        r = visit_files(files, name, add_type, &types, why);
    return r == DORY_OK ? types.count : r;
}

/* ---- writing */

static int hash_name(char *name, const struct dory_rng *rng)
{
    uint8_t salt[SHA1_SIZE], mac[SHA1_SIZE];
    char salt64[32], mac64[32];
    int r = rng->fill(rng->ctx, salt, sizeof salt);
    if (r != DORY_OK)
        return r;
    dory_hmac_sha1(salt, sizeof salt, (const uint8_t *)name, strlen(name), mac);
    dory_base64_encode(salt64, sizeof salt64, salt, sizeof salt, true);
    dory_base64_encode(mac64, sizeof mac64, mac, sizeof mac, true);
    snprintf(name, HOST_MAX, HASH_PREFIX "%s|%s", salt64, mac64);
    return DORY_OK;
}

static void make_directory(const char *file)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(file, '/');
    if (slash == NULL || slash == file || (size_t)(slash - file) >= sizeof dir)
        return;
    memcpy(dir, file, (size_t)(slash - file));
    dir[slash - file] = 0;
    (void)mkdir(dir, 0700); /* if that fails, opening the file says why */
}

/* An editor may have left the last line without its end. */
static bool lacks_newline(int fd)
{
    char last = '\n';
    off_t end = lseek(fd, 0, SEEK_END);
    return end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n';
}

static int append(const char *file, const char *line, size_t n, char why[DORY_WHY_MAX])
{
    int fd = open(file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0 && errno == ENOENT) {
        make_directory(file);
        fd = open(file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    }
    if (fd < 0)
        return dory_why_errno(why, "write", file, errno);
    size_t skip = lacks_newline(fd) ? 0 : 1;
    ssize_t r = write(fd, line + skip, n - skip);
    int err = r < 0 ? errno : r != (ssize_t)(n - skip) ? ENOSPC : 0;
    if (close(fd) != 0 && err == 0)
        err = errno;
    return err == 0 ? DORY_OK : dory_why_errno(why, "write", file, err);
}

int dory_known_hosts_add(const char *file, const char *host, unsigned port, const uint8_t *blob, size_t n, bool hash,
                         const struct dory_rng *rng, char why[DORY_WHY_MAX])
{
    char name[HOST_MAX], line[2 * DORY_KEY_BLOB_MAX + HOST_MAX];
    why[0] = 0;
    int r = make_name(name, host, port);
    if (r != DORY_OK)
        return dory_why(why, r, "%s is not a possible host name", host);
    if (hash && (r = hash_name(name, rng)) != DORY_OK)
        return dory_why(why, r, "no randomness to hash the name of %s", host);
    size_t used = (size_t)snprintf(line, sizeof line, "\n%s ", name);
    r = dory_public_key_line(line + used, sizeof line - used - 1, blob, n, NULL);
    if (r < 0)
        return dory_why(why, r, "the host key of %s cannot be written", host);
    used += (size_t)r;
    line[used++] = '\n';
    return append(file, line, used, why);
}
