/* dory scp: which copies a command line asks for, and over which connections. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "dory_crypto.h"
#include "scp_copy.h"
#include "scp_progress.h"
#include "scp_say.h"

#define CONNECTIONS_MAX 64

/* One run of the command. */
struct job {
    struct dory_cli_options options;
    struct dory_cli_location target, source; /* source: the one under work */
    bool several;
    struct dory_client *clients[CONNECTIONS_MAX]; /* each is kept for the sources that follow */
    int client_count;
    bool failed, no_connection;
    bool no_source; /* a file here is missing */
};

/* The connection for a location; a relay needs two, even to one host: neither side may wait behind the other. */
static struct dory_client *connection(struct job *job, const struct dory_cli_location *location, const struct dory_client *other)
{
    struct dory_client *c;

    for (int i = 0; i < job->client_count; i++) {
        c = job->clients[i];
        if (c != other && dory_client_is_for(c, &job->options, location) && !dory_client_is_over(c))
            return c;
    }
    if (job->client_count == CONNECTIONS_MAX) {
        dory_say(DORY_LOG_QUIET, "scp: more than %d hosts", CONNECTIONS_MAX);
        return NULL;
    }
    c = dory_client_open(&job->options, location);
    if (c)
        job->clients[job->client_count++] = c;
    return c;
}

/* -D needs no host: its server is a program here, and *c stays NULL. */
static bool reach(struct job *job, const struct dory_cli_location *location, struct dory_client **c)
{
    *c = job->options.sftp_server ? NULL : connection(job, location, NULL);
    return *c || job->options.sftp_server;
}

static void count(struct job *job, enum dory_copy_result result)
{
    job->failed |= result != DORY_COPY_OK;
    job->no_connection |= result == DORY_COPY_LOST;
}

static bool parse(struct job *job, struct dory_cli_location *location, const char *text)
{
    char why[512];

    if (dory_cli_location_parse(location, text, why, sizeof why) == 0)
        return true;
    dory_say(DORY_LOG_QUIET, "scp: %s", why);
    job->failed = true;
    return false;
}

/* How many local paths come in a row: they share one channel. */
static int local_run(char **paths, int n)
{
    struct dory_cli_location location;
    char why[512];
    int i = 0;

    while (i < n && dory_cli_location_parse(&location, paths[i], why, sizeof why) == 0 && !location.remote) i++;
    return i;
}

static int count_missing(char **paths, int n)
{
    struct stat st;
    int missing = 0;

    while (n--) missing += stat(paths[n], &st) < 0;
    return missing;
}

static void say_missing(char **paths, int n)
{
    for (int i = 0; i < n; i++) dory_say(DORY_LOG_QUIET, "scp: %s: %s", paths[i], dory_strerror(dory_posix_error(ENOENT)));
}

static void upload(struct job *job, char **paths, int n)
{
    int missing = count_missing(paths, n);
    struct dory_client *c;

    job->no_source |= missing > 0;
    if (missing == n) { /* nobody should type a password for a file that is not there */
        say_missing(paths, n);
        job->failed = true;
        return;
    }
    count(job, reach(job, &job->target, &c) ? dory_copy_up(c, &job->options, paths, n, &job->target, job->several) : DORY_COPY_LOST);
}

static void across(struct job *job)
{
    struct dory_client *from, *to;

    if (job->options.sftp_server) {
        dory_say(DORY_LOG_QUIET, "scp: -D copies between this machine and its server only");
        job->failed = true;
        return;
    }
    from = connection(job, &job->source, NULL);
    to = from && !job->options.direct ? connection(job, &job->target, from) : NULL;
    if (from && job->options.direct)
        job->failed |= dory_copy_direct(from, &job->options, &job->source, &job->target) != DORY_COPY_OK;
    else if (job->options.direct)
        job->failed = true; /* as OpenSSH's: a command that has failed, not a connection that is lost */
    else
        count(job, to ? dory_copy_across(from, to, &job->options, &job->source, &job->target, job->several) : DORY_COPY_LOST);
}

static void to_remote(struct job *job)
{
    char **paths = job->options.paths;
    int left = job->options.path_count - 1;

    while (left > 0 && !job->no_connection) {
        int n = local_run(paths, left);

        if (n > 0)
            upload(job, paths, n);
        else if (n = 1, parse(job, &job->source, *paths))
            across(job);
        paths += n;
        left -= n;
    }
}

static void copy_to_local(struct job *job, struct dory_cli_target *target, char *from)
{
    struct dory_client *c;

    if (!parse(job, &job->source, from))
        return;
    if (!job->source.remote) {
        count(job, dory_copy_here(&job->options, from, target, job->several));
        return;
    }
    count(job, reach(job, &job->source, &c) ? dory_copy_down(c, &job->options, &job->source, target, job->several) : DORY_COPY_LOST);
}

static void to_local(struct job *job)
{
    static struct dory_cli_target target;
    const char *path = job->target.path;
    int error = dory_cli_target_open(&target, path, false);
    struct stat st;

    if (job->several && error == DORY_OK && !target.is_dir)
        error = stat(path, &st) < 0 ? dory_posix_error(errno) : DORY_E_NOTDIR;
    if (error < 0) {
        dory_say(DORY_LOG_QUIET, "scp: %s: %s", path, dory_strerror(error));
        job->failed = true;
    }
    for (int i = 0; error == DORY_OK && i < job->options.path_count - 1; i++) copy_to_local(job, &target, job->options.paths[i]);
    dory_cli_target_close(&target);
}

static int run(struct job *job)
{
    const struct dory_cli_options *o = &job->options;

    job->several = o->path_count > 2 || o->flags & DORY_SCP_DIR;
    if (!parse(job, &job->target, o->paths[o->path_count - 1]))
        return 1;
    if (job->target.remote)
        to_remote(job);
    else
        to_local(job);
    while (job->client_count) dory_client_close(job->clients[--job->client_count]);
    if ((job->no_connection || job->no_source) && !o->classic)
        return 255;
    return job->failed;
}

int dory_cmd_scp(int argc, char **argv)
{
    static struct job job;
    int status = dory_cli_options_parse(&job.options, argc, argv);

    if (status >= 0)
        return status;
    setlocale(LC_CTYPE, "");
    if (dory_crypto_init() < 0) {
        dory_say(DORY_LOG_QUIET, "scp: the cryptographic libraries cannot run on this machine");
        return 1;
    }
    if (job.options.flags & (DORY_SCP_TO | DORY_SCP_FROM))
        return dory_copy_remote_side(&job.options);
    signal(SIGPIPE, SIG_IGN);
    dory_meter_enable(!(job.options.flags & DORY_SCP_QUIET));
    return run(&job);
}
