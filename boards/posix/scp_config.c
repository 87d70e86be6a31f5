#include "scp_config.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix/dory_posix_text.h"
#include "scp_expand.h"
#include "scp_say.h"

#define DEPTH_MAX 16

struct reading {
    struct dory_cli_ssh *settings;
    struct dory_cli_subject subject;
    bool system; /* below /etc/ssh, where ~ means nobody */
};

/* One file. */
struct file {
    const char *name;
    FILE *stream;
    unsigned line, bad;
    int depth;
    bool active; /* the last Host or Match line holds */
    bool never;  /* nothing in this file does: it is included where nothing holds */
};

enum outcome { MISSING /* or closed to us: errno */, DONE, FAILED };

static enum outcome read_file(struct reading *r, const char *name, bool check, bool active, bool never, int depth);

static bool host_line_holds(const struct reading *r, const struct dory_cli_words *w)
{
    bool holds = false;

    for (int i = 0; i < w->n; i++) {
        bool negated = w->word[i][0] == '!';

        if (!dory_match_pattern(r->subject.host, w->word[i] + negated))
            continue;
        if (negated)
            return false;
        holds = true;
    }
    return holds;
}

/* A relative name lies beside the configuration that names it. */
static bool include_path(const struct reading *r, const char *name, char *out, size_t cap)
{
    const char *home = dory_cli_home();
    int n;

    if (*name == '~' && r->system)
        return false;
    if (*name == '~')
        return dory_cli_tilde(name, out, cap) == 0;
    if (*name == '/')
        n = snprintf(out, cap, "%s", name);
    else if (r->system)
        n = snprintf(out, cap, "/etc/ssh/%s", name);
    else
        n = snprintf(out, cap, "%s/.ssh/%s", home, name);
    return n >= 0 && (size_t)n < cap;
}

static bool say_closed(const char *name)
{
    dory_say(DORY_LOG_QUIET, "Can't open user config file %s: %s", name, strerror(errno));
    return false;
}

static bool include_one(struct reading *r, struct file *f, const char *name)
{
    char pattern[4096];
    glob_t found;
    bool good = true;

    if (!include_path(r, name, pattern, sizeof pattern)) {
        dory_say(DORY_LOG_QUIET, "%s line %u: bad include path %s.", f->name, f->line, name);
        return false;
    }
    if (glob(pattern, 0, NULL, &found) != 0) {
        dory_say(DORY_LOG_DEBUG, "debug1: %s line %u: include %s matched no files", f->name, f->line, pattern);
        return true;
    }
    for (size_t i = 0; good && i < found.gl_pathc; i++) {
        enum outcome outcome = read_file(r, found.gl_pathv[i], true, f->active, f->never || !f->active, f->depth + 1);

        good = outcome == DONE || (outcome == MISSING && (errno == ENOENT || say_closed(found.gl_pathv[i])));
    }
    globfree(&found);
    return good;
}

static bool include(struct reading *r, struct file *f, const struct dory_cli_words *w)
{
    for (int i = 0; i < w->n; i++)
        if (!include_one(r, f, w->word[i]))
            return false;
    return true;
}

static bool match_line(struct reading *r, struct file *f, const struct dory_cli_words *w)
{
    char why[5000], place[4200];
    int holds;

    snprintf(place, sizeof place, "%s line %u", f->name, f->line);
    holds = f->never ? 0 : dory_cli_match(&r->subject, r->settings, w, place, why, sizeof why);
    if (holds < 0) {
        dory_say(DORY_LOG_QUIET, "%s", why);
        dory_say(DORY_LOG_QUIET, "%s: Bad Match condition", place);
        f->bad++;
    }
    f->active = holds == 1;
    return true;
}

static bool setting(struct reading *r, struct file *f, const struct dory_cli_words *w)
{
    struct dory_cli_ssh unused; /* what does not hold is checked all the same */
    char why[1024];

    if (!f->active) {
        dory_cli_ssh_init(&unused);
        unused.ignore_unknown = r->settings->ignore_unknown;
    }
    if (dory_cli_ssh_apply(f->active ? r->settings : &unused, w, f->name, f->line, why, sizeof why) < 0) {
        dory_say(DORY_LOG_QUIET, "%s", why);
        f->bad++;
    }
    return true;
}

/* False: nothing more can be read. */
static bool take_line(struct reading *r, struct file *f, char *text)
{
    struct dory_cli_words words;
    size_t n = strlen(text);

    while (n && strchr(" \t\r\n\f", text[n - 1])) text[--n] = '\0';
    dory_cli_words_split(&words, text);
    if (words.n && !words.bad && !strcmp(words.name, "host")) {
        f->active = !f->never && host_line_holds(r, &words);
        if (f->active)
            dory_say(DORY_LOG_DEBUG, "debug1: %s line %u: Applying options for %s", f->name, f->line, r->subject.host);
        return true;
    }
    if (words.n && !words.bad && !strcmp(words.name, "match"))
        return match_line(r, f, &words);
    if (words.n && !words.bad && !strcmp(words.name, "include"))
        return include(r, f, &words);
    return setting(r, f, &words);
}

static bool is_safe(FILE *stream, const char *name)
{
    struct stat st;

    if (fstat(fileno(stream), &st) == 0 && (st.st_uid == 0 || st.st_uid == getuid()) && !(st.st_mode & 022))
        return true;
    dory_say(DORY_LOG_QUIET, "Bad owner or permissions on %s", name);
    return false;
}

static bool take_lines(struct reading *r, struct file *f)
{
    char *text = NULL;
    size_t room = 0;
    bool good = true;

    while (good && getline(&text, &room, f->stream) >= 0) {
        f->line++;
        good = take_line(r, f, text);
    }
    if (ferror(f->stream)) {
        dory_say(DORY_LOG_QUIET, "Can't read %s: %s", f->name, strerror(errno));
        good = false;
    }
    free(text);
    if (f->bad)
        dory_say(DORY_LOG_QUIET, "%s: terminating, %u bad configuration options", f->name, f->bad);
    return good && !f->bad;
}

static enum outcome read_file(struct reading *r, const char *name, bool check, bool active, bool never, int depth)
{
    struct file f = {.name = name, .depth = depth, .active = active, .never = never};
    bool good;

    if (depth > DEPTH_MAX) {
        dory_say(DORY_LOG_QUIET, "Too many recursive configuration includes");
        return FAILED;
    }
    f.stream = fopen(name, "re");
    if (!f.stream)
        return MISSING;
    dory_say(DORY_LOG_DEBUG, "debug1: Reading configuration data %s", name);
    good = (!check || is_safe(f.stream, name)) && take_lines(r, &f);
    fclose(f.stream);
    return good ? DONE : FAILED;
}

/* One pass over all files there are. */
static bool pass(struct reading *r, const char *file)
{
    char own[4096];

    r->system = false;
    if (file) {
        enum outcome outcome = read_file(r, file, false, true, false, 0);

        if (outcome == MISSING)
            return say_closed(file);
        return outcome == DONE;
    }
    snprintf(own, sizeof own, "%s/.ssh/config", dory_cli_home());
    if (read_file(r, own, true, true, false, 0) == FAILED)
        return false;
    r->system = true;
    return read_file(r, "/etc/ssh/ssh_config", false, true, false, 0) != FAILED;
}

bool dory_cli_config_read(struct dory_cli_ssh *settings, const char *file, const char *host)
{
    struct reading r = {.settings = settings, .subject = {.host = host, .named = host}};
    const struct dory_cli_tokens tokens = {.host = host, .address = host};
    char address[256];

    if (file && !strcasecmp(file, "none"))
        return true;
    if (!pass(&r, file))
        return false;
    if (!r.subject.wants_final)
        return true;
    r.subject.final = true;
    if (settings->hostname && dory_cli_percent(&tokens, "h", settings->hostname, address, sizeof address) == 0)
        r.subject.host = address;
    return pass(&r, file);
}
