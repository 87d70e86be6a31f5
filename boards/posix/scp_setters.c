#include "scp_setters.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "scp_algorithms.h"
#include "scp_location.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int choose(const char *const names[], size_t count, const char *value)
{
    for (size_t i = 0; i < count; i++)
        if (!strcasecmp(names[i], value))
            return (int)i;
    return -1;
}

static const char *first_wins(int *member, int value, const char *wrong)
{
    if (value < 0)
        return wrong;
    if (*member < 0)
        *member = value;
    return NULL;
}

static const char unsupported[] = "unsupported option \"%s\".";

const char *dory_set_flag(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    static const char *const names[] = {"no", "yes", "false", "true"};
    int i = choose(names, COUNT(names), w->word[0]);

    (void)o;
    return first_wins(member, i < 0 ? -1 : i & 1, unsupported);
}

const char *dory_set_pubkey(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    bool bound = !strcasecmp(w->word[0], "unbound") || !strcasecmp(w->word[0], "host-bound");

    return bound ? first_wins(member, 1, NULL) : dory_set_flag(o, w, member);
}

/* Decimal digits only, no sign, no blank. */
static int number(const char *value, const char **end)
{
    unsigned long n;
    char *stop;

    *end = value;
    if (!isdigit((unsigned char)*value))
        return -1;
    errno = 0;
    n = strtoul(value, &stop, 10);
    *end = stop;
    return errno || n > INT_MAX ? -1 : (int)n;
}

const char *dory_set_number(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    const char *end;
    int n = number(w->word[0], &end);

    (void)o;
    return first_wins(member, *end ? -1 : n, "integer value invalid.");
}

/* ssh_config(5) TIME FORMATS: 90, 90s, 1m30s, 1h. */
static int seconds(const char *value)
{
    static const char units[] = "smhdw";
    static const int factors[] = {1, 60, 3600, 86400, 604800};
    long long total = 0;

    if (!*value)
        return -1;
    while (*value) {
        int n = number(value, &value), factor = 1;

        if (n < 0)
            return -1;
        if (*value) {
            const char *unit = strchr(units, tolower((unsigned char)*value++));

            if (!unit)
                return -1;
            factor = factors[unit - units];
        }
        total += (long long)n * factor;
        if (total > INT_MAX)
            return -1;
    }
    return (int)total;
}

const char *dory_set_time(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    (void)o;
    return first_wins(member, strcasecmp(w->word[0], "none") ? seconds(w->word[0]) : 0, "invalid time value.");
}

static const char *keep_first(const char **text, const char *value)
{
    if (!*text)
        *text = dory_cli_keep(value);
    return NULL;
}

const char *dory_set_text(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    (void)o;
    return keep_first(member, w->word[0]);
}

const char *dory_set_names(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    struct dory_cli_names *names = member;

    (void)o;
    if (w->n > DORY_CLI_FILES_MAX)
        return "too many known hosts files.";
    for (int i = 0; i < w->n; i++)
        if (!*w->word[i] || (w->n > 1 && !strcasecmp(w->word[i], "none")))
            return "keyword argument is empty, or \"none\" beside others";
    if (names->n)
        return NULL;
    for (; names->n < w->n; names->n++) names->at[names->n] = dory_cli_keep(w->word[names->n]);
    return NULL;
}

int dory_cli_port(const char *text)
{
    const char *end;
    int n = number(text, &end);

    return *end || n < 1 || n > 65535 ? -1 : n;
}

const char *dory_set_port(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    (void)o;
    return first_wins(member, dory_cli_port(w->word[0]), "Bad port '%s'.");
}

const char *dory_set_strict(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    static const char *const names[] = {"no", "yes", "ask", "accept-new", "false", "true", "off"};
    static const int values[] = {DORY_STRICT_NO, DORY_STRICT_YES, DORY_STRICT_ASK, DORY_STRICT_ACCEPT_NEW,
                                 DORY_STRICT_NO, DORY_STRICT_YES, DORY_STRICT_NO};
    int i = choose(names, COUNT(names), w->word[0]);

    (void)o;
    return first_wins(member, i < 0 ? -1 : values[i], unsupported);
}

const char *dory_set_update(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    static const char *const names[] = {"no", "yes", "ask", "false", "true"};
    static const int values[] = {DORY_UPDATE_NO, DORY_UPDATE_YES, DORY_UPDATE_ASK, DORY_UPDATE_NO, DORY_UPDATE_YES};
    int i = choose(names, COUNT(names), w->word[0]);

    (void)o;
    return first_wins(member, i < 0 ? -1 : values[i], unsupported);
}

const char *dory_set_log(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    static const char *const names[] = {"quiet", "fatal", "error", "info", "verbose", "debug", "debug1", "debug2", "debug3"};
    static const int values[] = {DORY_LOG_QUIET, DORY_LOG_QUIET, DORY_LOG_ERROR, DORY_LOG_INFO, DORY_LOG_VERBOSE,
                                 DORY_LOG_DEBUG, DORY_LOG_DEBUG, DORY_LOG_DEBUG, DORY_LOG_DEBUG};
    int i = choose(names, COUNT(names), w->word[0]);

    (void)o;
    return first_wins(member, i < 0 ? -1 : values[i], "unsupported log level '%s'");
}

const char *dory_set_family(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    static const char *const names[] = {"any", "inet", "inet6"};
    static const int values[] = {AF_UNSPEC, AF_INET, AF_INET6};
    int i = choose(names, COUNT(names), w->word[0]);

    (void)o;
    return first_wins(member, i < 0 ? -1 : values[i], unsupported);
}

static int64_t bytes(const char *value)
{
    static const char units[] = "kmg";
    const char *end, *unit;
    int64_t n = number(value, &end);

    if (n < 0 || !*end)
        return n;
    unit = strchr(units, tolower((unsigned char)*end));
    if (!unit || end[1])
        return -1;
    return n << (10 * (unit - units + 1));
}

/* "1G", "1G 1h", "default none" */
const char *dory_set_rekey(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    int64_t n = 0, s = 0;

    (void)member;
    if (w->n < 1 || (strcasecmp(w->word[0], "default") && (n = bytes(w->word[0])) < 0))
        return "Bad number '%s': Invalid argument";
    if (n && n < 16)
        return "RekeyLimit too small";
    if (w->n > 1 && strcasecmp(w->word[1], "none") && (s = seconds(w->word[1])) <= 0)
        return "invalid time value.";
    if (o->rekey_bytes < 0) {
        o->rekey_bytes = n;
        o->rekey_seconds = s;
    }
    return NULL;
}

const char *dory_set_identity(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    (void)member;
    if (o->identity_count == DORY_CLI_IDENTITIES_MAX)
        return "Too many identity files specified.";
    for (int i = 0; i < o->identity_count; i++)
        if (!o->identity_given[i] && !strcmp(o->identities[i], w->word[0]))
            return NULL;
    o->identities[o->identity_count++] = dory_cli_keep(w->word[0]);
    return NULL;
}

/* ---- Lists of algorithms ---- */

static const char *names(const char **member, const char *list, bool patterns, const char *wrong)
{
    return dory_cli_algorithms_known(list, patterns) ? keep_first(member, list) : wrong;
}

const char *dory_set_ciphers(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    (void)o;
    return names(member, w->word[0], false, "Bad SSH2 cipher spec '%s'.");
}

const char *dory_set_macs(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    (void)o;
    return names(member, w->word[0], false, "Bad SSH2 MAC spec '%s'.");
}

const char *dory_set_kex(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    (void)o;
    return names(member, w->word[0], false, "Bad SSH2 KexAlgorithms '%s'.");
}

const char *dory_set_key_types(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    (void)o;
    return names(member, w->word[0], true, "Bad key types '%s'.");
}

/* ---- The way to the host: whichever of ProxyCommand and ProxyJump comes first ---- */

static const char *way(struct dory_cli_ssh *o, const char **member, const char *value)
{
    char text[DORY_CLI_LINE_MAX];
    size_t n = strlen(value);

    if (n >= sizeof text)
        return "argument is too long";
    memcpy(text, value, n + 1);
    while (n && strchr(" \t\r\n\f", text[n - 1])) text[--n] = '\0';
    if (!o->proxy_command && !o->proxy_jump)
        *member = dory_cli_keep(text);
    return NULL;
}

const char *dory_set_command(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    return way(o, member, w->rest);
}

const char *dory_set_jump(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    if (w->n != 1 || !dory_cli_jump_is_good(w->word[0]))
        return "Invalid ProxyJump \"%s\"";
    return way(o, member, w->word[0]);
}

/* ---- What would change whom to trust or the way to the host, and is not honoured ---- */

const char *dory_set_proper(struct dory_cli_ssh *o, const struct dory_cli_words *w, void *member)
{
    (void)member;
    if (w->n && strcasecmp(w->word[0], "none") && strcasecmp(w->word[0], "no"))
        return keep_first(&o->unsupported, w->name);
    return NULL;
}
