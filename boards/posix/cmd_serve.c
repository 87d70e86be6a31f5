/* `dory serve`: options, keys, and the start. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "serve.h"

static const char usage[] =
    "usage: dory serve --listen ADDR:PORT --root DIR --host-key FILE --user NAME\n"
    "                  [--authorized-keys FILE] [--password-file FILE] [options]\n"
    "\n"
    "Serves the files below DIR to scp clients. No shell, no other program.\n"
    "\n"
    "  --listen ADDR:PORT       where; [V6-ADDR]:PORT, *:PORT for every address, port 0 for a free one; may be repeated\n"
    "  --root DIR               nothing outside can be reached\n"
    "  --host-key FILE          private key of this server (dory keygen makes one); one of each type\n"
    "  --user NAME              the name to log in as\n"
    "  --authorized-keys FILE   who may, in the format of OpenSSH\n"
    "  --password-file FILE     lines that --hash-password makes\n"
    "  --read-only              nothing is written\n"
    "  --max-sessions N         at once (32)\n"
    "  --max-auth-tries N       failed logins before the connection ends (6)\n"
    "  --login-grace-time S     seconds for a login (60)\n"
    "  --idle-timeout S         seconds without a byte of data before a session ends, 0 for never (600)\n"
    "  --hash-password [USER]   asks for a password, prints a line for --password-file\n"
    "  -v                       a line for each login and file as well\n";

void dory_serve_log(const char *format, ...)
{
    va_list list;

    flockfile(stdout);
    fputs("dory: ", stdout);
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
    fflush(stdout);
    funlockfile(stdout);
}

/* ---- options ---- */

enum {
    OPT_LISTEN = 256, OPT_ROOT, OPT_HOST_KEY, OPT_USER, OPT_AUTHORIZED_KEYS, OPT_PASSWORD_FILE, OPT_READ_ONLY, OPT_MAX_SESSIONS,
    OPT_MAX_AUTH_TRIES, OPT_LOGIN_GRACE_TIME, OPT_IDLE_TIMEOUT, OPT_HASH_PASSWORD
};

static const struct option long_options[] = {
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"root", required_argument, NULL, OPT_ROOT},
    {"host-key", required_argument, NULL, OPT_HOST_KEY},
    {"user", required_argument, NULL, OPT_USER},
    {"authorized-keys", required_argument, NULL, OPT_AUTHORIZED_KEYS},
    {"password-file", required_argument, NULL, OPT_PASSWORD_FILE},
    {"read-only", no_argument, NULL, OPT_READ_ONLY},
    {"max-sessions", required_argument, NULL, OPT_MAX_SESSIONS},
    {"max-auth-tries", required_argument, NULL, OPT_MAX_AUTH_TRIES},
    {"login-grace-time", required_argument, NULL, OPT_LOGIN_GRACE_TIME},
    {"idle-timeout", required_argument, NULL, OPT_IDLE_TIMEOUT},
    {"hash-password", no_argument, NULL, OPT_HASH_PASSWORD},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool number(const char *name, const char *text, unsigned min, unsigned max, unsigned *out)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value < min || value > max) {
        fprintf(stderr, "dory serve: %s %s: not a number from %u to %u\n", name, text, min, max);
        return false;
    }
    *out = (unsigned)value;
    return true;
}

static bool add(const char *name, const char **list, unsigned *n, unsigned max)
{
    if (*n == max) {
        fprintf(stderr, "dory serve: %s: at most %u of them\n", name, max);
        return false;
    }
    list[(*n)++] = optarg;
    return true;
}

static bool take_option(struct serve_options *options, int option)
{
    switch (option) {
    case OPT_LISTEN: return add("--listen", options->listen, &options->listens, SERVE_LISTENS);
    case OPT_HOST_KEY: return add("--host-key", options->hostkey, &options->hostkeys, SERVE_HOSTKEYS);
    case OPT_ROOT: options->root = optarg; return true;
    case OPT_USER: options->user = optarg; return true;
    case OPT_AUTHORIZED_KEYS: options->authorized_keys = optarg; return true;
    case OPT_PASSWORD_FILE: options->password_file = optarg; return true;
    case OPT_READ_ONLY: options->read_only = true; return true;
    case OPT_MAX_SESSIONS: return number("--max-sessions", optarg, 1, 1000, &options->max_sessions);
    case OPT_MAX_AUTH_TRIES: return number("--max-auth-tries", optarg, 1, 255, &options->max_auth_tries);
    case OPT_LOGIN_GRACE_TIME: return number("--login-grace-time", optarg, 1, 86400, &options->login_grace_s);
    case OPT_IDLE_TIMEOUT: return number("--idle-timeout", optarg, 0, 1000000, &options->idle_s);
    case 'v': options->verbose++; return true;
    default: fprintf(stderr, "dory serve --help lists the options\n"); return false;
    }
}

static bool is_complete(const struct serve_options *options)
{
    const struct {
        bool missing;
        const char *what;
    } needs[] = {
        {!options->listens, "--listen ADDR:PORT"},
        {!options->root, "--root DIR"},
        {!options->hostkeys, "--host-key FILE"},
        {!options->user, "--user NAME"},
        {!options->authorized_keys && !options->password_file, "--authorized-keys FILE or --password-file FILE"},
    };

    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        if (!needs[i].missing)
            continue;
        fprintf(stderr, "dory serve: %s is missing; dory serve --help lists the options\n", needs[i].what);
        return false;
    }
    if (!options->user[0] || strlen(options->user) > DORY_USER_NAME_MAX) {
        fprintf(stderr, "dory serve: --user: a name of 1 to %d bytes\n", DORY_USER_NAME_MAX);
        return false;
    }
    return true;
}

/* ---- start ---- */

static bool read_hostkey(struct serve *serve, unsigned i)
{
    const char *file = serve->options.hostkey[i];
    char why[DORY_WHY_MAX];
    int error = dory_keyfile_load(file, NULL, &serve->keys[i], NULL, why);

    if (error == DORY_E_NOENT)
        fprintf(stderr, "dory serve: there is no host key %s; make one with\n  dory keygen -t ed25519 -N '' -f %s\n", file, file);
    else if (error == DORY_E_PASSPHRASE)
        fprintf(stderr, "dory serve: %s; a server has nobody to ask for it: use a host key without one\n", why);
    else if (error != DORY_OK)
        fprintf(stderr, "dory serve: %s\n", why);
    return error == DORY_OK;
}

/* A key is offered under each algorithm that it can sign with. */
static bool load_hostkey(struct serve *serve, unsigned i)
{
    const char *file = serve->options.hostkey[i];
    const struct dory_keytype *type;
    int n;

    if (!read_hostkey(serve, i))
        return false;
    type = serve->keys[i].type;
    for (unsigned other = 0; other < i; other++)
        if (serve->keys[other].type == type) {
            fprintf(stderr, "dory serve: %s and %s are both %s keys; a server has one of each type\n", serve->options.hostkey[other], file,
                    type->name);
            return false;
        }
    n = type->public_blob(&serve->keys[i], serve->key_blobs[i], sizeof serve->key_blobs[i]);
    if (n < 0) {
        fprintf(stderr, "dory serve: %s: %s\n", file, dory_strerror(n));
        return false;
    }
    for (unsigned a = 0; type->algorithms[a] && serve->hostkey_count < SERVE_ALGORITHMS; a++) {
        serve->hostkey_file[serve->hostkey_count] = (uint8_t)i;
        serve->hostkeys[serve->hostkey_count++] = (struct dory_hostkey){type->algorithms[a], serve->key_blobs[i], (size_t)n};
    }
    return true;
}

static bool is_readable(const char *option, const char *file)
{
    if (!file || access(file, R_OK) == 0)
        return true;
    fprintf(stderr, "dory serve: %s %s: %s\n", option, file, strerror(errno));
    return false;
}

static bool open_root(struct serve *serve)
{
    serve->root_fd = open(serve->options.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (serve->root_fd >= 0)
        return true;
    fprintf(stderr, "dory serve: --root %s: %s\n", serve->options.root, strerror(errno));
    return false;
}

static bool prepare_crypto(struct serve *serve)
{
    uint8_t probe[32];

    serve->rng = (struct dory_rng){dory_posix_rng, NULL};
    if (serve->rng.fill(serve->rng.ctx, probe, sizeof probe) != DORY_OK) {
        fputs("dory serve: this machine has no source of randomness; without one no key is safe\n", stderr);
        return false;
    }
    dory_wipe(probe, sizeof probe);
    if (dory_crypto_init() == DORY_OK)
        return true;
    fputs("dory serve: the cryptographic library cannot run here\n", stderr);
    return false;
}

/* Memory is taken here once, and touched only as far as it is used. */
static bool allocate(struct serve *serve)
{
    struct rlimit files;

    serve->sessions = calloc(serve->options.max_sessions, sizeof *serve->sessions);
    serve->polls = calloc(SERVE_SOCKETS + serve->options.max_sessions + SERVE_LINGERS, sizeof *serve->polls);
    for (unsigned i = 0; i < SERVE_LINGERS; i++)
        serve->lingers[i].fd = -1;
    if (!serve->sessions || !serve->polls) {
        fprintf(stderr, "dory serve: no memory for %u sessions of %zu bytes; lower --max-sessions\n", serve->options.max_sessions,
                sizeof *serve->sessions);
        return false;
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    return true;
}

static bool start(struct serve *serve)
{
    const struct serve_options *options = &serve->options;

    if (!prepare_crypto(serve) || !open_root(serve) || !is_readable("--authorized-keys", options->authorized_keys) ||
        !is_readable("--password-file", options->password_file))
        return false;
    for (unsigned i = 0; i < options->hostkeys; i++)
        if (!load_hostkey(serve, i))
            return false;
    if (!allocate(serve))
        return false;
    for (unsigned i = 0; i < options->listens; i++)
        if (dory_serve_listen(serve, options->listen[i]) != 0)
            return false;
    serve->now = dory_posix_now_ms();
    return true;
}

static void announce(const struct serve *serve)
{
    char keys[SERVE_HOSTKEYS * (DORY_FINGERPRINT_MAX + 16)] = "", print[DORY_FINGERPRINT_MAX], where[SERVE_PEER_MAX];
    char root[4 * PATH_MAX];
    size_t at = 0;

    for (unsigned i = 0; i < serve->hostkey_count; i++) {
        const struct dory_hostkey *key = &serve->hostkeys[i];

        if (i > 0 && serve->hostkey_file[i] == serve->hostkey_file[i - 1])
            continue;
        dory_fingerprint(print, key->blob, key->n);
        at += (size_t)snprintf(keys + at, sizeof keys - at, "%s%s (%s)", i ? ", " : "", print, dory_key_label(key->blob, key->n));
    }
    dory_escape_text(root, sizeof root, serve->options.root, strlen(serve->options.root));
    for (unsigned i = 0; i < serve->socket_count; i++) {
        dory_serve_name_socket(serve->sockets[i].fd, where);
        dory_serve_log("listening on %s, root %s%s, host key %s", where, root, serve->options.read_only ? " (read-only)" : "", keys);
    }
}

static void release(struct serve *serve)
{
    dory_wipe(serve->keys, sizeof serve->keys);
    for (unsigned i = 0; i < serve->socket_count; i++)
        close(serve->sockets[i].fd);
    if (serve->root_fd >= 0)
        close(serve->root_fd);
    free(serve->sessions);
    free(serve->polls);
}

int dory_cmd_serve(int argc, char **argv)
{
    static struct serve serve;
    static char name[] = "dory serve";
    int option, status = 1;

    argv[0] = name; /* for the messages of getopt */
    serve.root_fd = -1;
    serve.options = (struct serve_options){.max_sessions = 32, .max_auth_tries = 6, .login_grace_s = 60, .idle_s = 600};
    while ((option = getopt_long(argc, argv, "vh", long_options, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (option == OPT_HASH_PASSWORD)
            return dory_cmd_hash_password(optind < argc ? argv[optind] : NULL);
        if (!take_option(&serve.options, option))
            return 2;
    }
    if (optind < argc) {
        fprintf(stderr, "dory serve: %s: not an option; dory serve --help lists them\n", argv[optind]);
        return 2;
    }
    if (!is_complete(&serve.options))
        return 2;
    if (start(&serve)) {
        announce(&serve);
        status = dory_serve_loop(&serve);
    }
    release(&serve);
    return status;
}
