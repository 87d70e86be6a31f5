#include "scp_sftp.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "dory_sftp_client.h"
#include "scp_pipe.h"
#include "scp_progress.h"
#include "scp_say.h"

_Static_assert((int)DORY_SFTP_RECURSE == DORY_SCP_RECURSE && (int)DORY_SFTP_TIMES == DORY_SCP_TIMES && (int)DORY_SFTP_DIR == DORY_SCP_DIR,
               "one set of options for both protocols");

/* A server that is a program here. */
static enum dory_copy_result run_here(const struct dory_cli_options *o, struct dory_stream *stream, const struct dory_copy_view *view)
{
    char *argv[] = {(char *)(uintptr_t)o->sftp_server, NULL};
    int status = dory_pipe_run(stream, argv);

    dory_meter_break();
    if (status < 0)
        dory_say(DORY_LOG_QUIET, "scp: %s: %s", o->sftp_server, strerror(errno));
    else if (status && !view->heard)
        dory_say(DORY_LOG_QUIET, "scp: %s: the copy ended before its time", o->sftp_server);
    return status ? DORY_COPY_FAILED : DORY_COPY_OK;
}

static enum dory_copy_result converse(struct dory_client *c, const struct dory_cli_options *o, struct dory_stream *stream,
                                      const struct dory_copy_view *view)
{
    return c ? dory_copy_converse(c, NULL, stream, view, NULL) : run_here(o, stream, view);
}

static struct dory_sftp_client_config engine(const struct dory_cli_options *o, struct dory_posix_fs *fs, struct dory_copy_view *view,
                                             const struct dory_cli_location *there, bool dir)
{
    return (struct dory_sftp_client_config){
        .fs = &fs->fs,
        .flags = (o->flags & (DORY_SCP_RECURSE | DORY_SCP_TIMES)) | (dir ? DORY_SFTP_DIR : 0),
        .path = there->path,
        .events = &dory_copy_events,
        .events_ctx = view,
    };
}

enum dory_copy_result dory_sftp_up(struct dory_client *c, const struct dory_cli_options *o, char **paths, int count,
                                   const struct dory_cli_location *target, bool several)
{
    static struct dory_cli_sources sources;
    static struct dory_sftp_put put;
    struct dory_copy_view view = {.host = target->host, .sftp = true};
    struct dory_sftp_client_config config;
    enum dory_copy_result result;
    bool recurse = o->flags & DORY_SCP_RECURSE, contents = false;

    for (int i = 0; i < count; i++) contents |= recurse && dory_cli_is_dots(paths[i]);
    if (dory_cli_sources_open(&sources, paths, count, recurse) < 0)
        return DORY_COPY_FAILED;
    config = engine(o, &sources.fs, &view, target, several || contents);
    config.item = dory_cli_sources_item;
    config.item_ctx = &sources;
    dory_sftp_put_init(&put, &config);
    result = converse(c, o, &put.base.stream, &view);
    if (result != DORY_COPY_OK && several && sources.next == 0) /* the target is no folder: no other source can go there either */
        result = DORY_COPY_LOST;
    dory_cli_sources_close(&sources);
    return result;
}

/* Pipes and terminals take content in its order only. */
static bool wants_order(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

enum dory_copy_result dory_sftp_down(struct dory_client *c, const struct dory_cli_options *o, const struct dory_cli_location *from,
                                     struct dory_cli_target *target, bool several)
{
    static struct dory_sftp_get get;
    struct dory_copy_view view = {.host = from->host, .sftp = true};
    struct dory_sftp_client_config config = engine(o, &target->fs, &view, from, several);
    enum dory_copy_result result;

    dory_cli_target_again(target);
    config.item = dory_cli_target_item;
    config.item_ctx = target;
    config.match = dory_scp_glob;
    config.in_order = wants_order(target->path);
    dory_sftp_get_init(&get, &config);
    dory_cli_guard_on(&target->fs);
    result = converse(c, o, &get.base.stream, &view);
    dory_cli_guard_off();
    return result;
}
