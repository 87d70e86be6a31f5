#include "scp_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scp_progress.h"
#include "scp_say.h"
#include "scp_sftp.h"
#include "scp_sniff.h"

/* ---- Events of the engines ---- */

static void on_begin(void *ctx, const char *path, const char *name, uint64_t size)
{
    struct dory_copy_view *view = ctx;

    snprintf(view->path, sizeof view->path, "%s", path);
    view->size = size;
    view->done = 0;
    view->active = true;
    dory_meter_begin(name, size);
}

static void on_progress(void *ctx, uint64_t done)
{
    struct dory_copy_view *view = ctx;

    view->done = done;
    dory_meter_update(done);
}

static void on_end(void *ctx, const char *path, uint64_t size, int status)
{
    struct dory_copy_view *view = ctx;

    (void)path, (void)size;
    if (status == DORY_OK)
        dory_meter_end();
    else
        dory_meter_break();
    view->active = status == DORY_E_CUT;
}

void dory_copy_message(void *ctx, const char *text, size_t n)
{
    struct dory_copy_view *view = ctx;

    if (n >= 5 && !memcmp(text, "scp: ", 5)) {
        text += 5;
        n -= 5;
    }
    view->heard = true;
    dory_say(DORY_LOG_QUIET, "scp: %s: %.*s", view->host, (int)n, text);
}

static void on_error(void *ctx, const char *path, const char *text)
{
    struct dory_copy_view *view = ctx;

    view->heard = true;
    dory_say(DORY_LOG_QUIET, "scp: %s%s%s", path, *path ? ": " : "", text);
}

const struct dory_transfer_events dory_copy_events = {on_begin, on_progress, on_end, dory_copy_message, on_error};
const struct dory_transfer_events dory_copy_local_events = {on_begin, on_progress, on_end, NULL, on_error};

void dory_copy_say_lost(const struct dory_copy_view *view)
{
    if (view->active)
        dory_say(DORY_LOG_QUIET, "scp: %s: connection lost (%" PRIu64 " of %" PRIu64 " bytes of %s)", view->host, view->done, view->size,
                 view->path);
    else
        dory_say(DORY_LOG_QUIET, "scp: %s: connection lost", view->host);
}

/* ---- One command on one channel ---- */

enum dory_copy_result dory_copy_judge(struct dory_client *c, const struct dory_copy_view *view, int stream_status, int exit_status)
{
    const char *program = view->sftp ? "SFTP server" : "scp program";
    bool spoken = view->heard || c->remote_spoke;

    if (exit_status == 127)
        dory_say(DORY_LOG_QUIET, "scp: %s: no %s was found there", c->host, program);
    else if (exit_status == DORY_FINISH_SIGNAL)
        dory_say(DORY_LOG_QUIET, "scp: %s: the %s there was killed by a signal", c->host, program);
    else if (exit_status == DORY_FINISH_NEVER)
        dory_say(DORY_LOG_QUIET, "scp: %s: the %s there does not end", c->host, program);
    else if (exit_status > 0 && !spoken)
        dory_say(DORY_LOG_QUIET, "scp: %s: the %s there failed with exit status %d", c->host, program, exit_status);
    else if (stream_status != 0 && !spoken)
        dory_say(DORY_LOG_QUIET, "scp: %s: the copy ended before its time", c->host);
    return stream_status == 0 && (exit_status == 0 || exit_status == DORY_FINISH_SILENT) ? DORY_COPY_OK : DORY_COPY_FAILED;
}

static enum dory_copy_result refused(const struct dory_client *c, const struct dory_copy_view *view)
{
    dory_say(DORY_LOG_QUIET,
             view->sftp && c->no_scp ? "scp: %s: no scp program was found there, and it offers no SFTP"
             : view->sftp            ? "scp: %s: the host offers no SFTP"
                                     : "scp: %s: the host refuses to run scp",
             c->host);
    return DORY_COPY_FAILED;
}

enum dory_copy_result dory_copy_settle(struct dory_client *c, bool failed, int status, int exit_status, const struct dory_copy_view *view)
{
    dory_meter_break();
    if (failed)
        return refused(c, view);
    if (status == 0 && (exit_status == 0 || view->sftp)) /* every request was answered: how a server ends then does not matter */
        return DORY_COPY_OK;
    if (dory_client_is_over(c)) {
        dory_client_report(c);
        dory_copy_say_lost(view);
        return DORY_COPY_LOST;
    }
    return dory_copy_judge(c, view, status, exit_status);
}

static bool has_failed(const struct dory_client *c, int channel)
{
    return (dory_client_channel(c, channel) & DORY_CH_FAILED) != 0;
}

enum dory_copy_result dory_copy_converse(struct dory_client *c, const char *command, struct dory_stream *stream,
                                         const struct dory_copy_view *view, bool *no_scp)
{
    struct dory_sniff sniff;
    int channel, status, exit_status;
    bool failed;

    dory_sniff_init(&sniff, stream);
    sniff.spoke = c->has_scp || !no_scp;
    c->holding = !sniff.spoke;
    channel = dory_client_start(c, command, &sniff.stream);
    if (channel < 0) {
        stream->ops->stop(stream);
        return DORY_COPY_FAILED;
    }
    while (sniff.stream.ops->status(&sniff.stream) == DORY_E_AGAIN && !dory_client_is_over(c) &&
           !(dory_client_channel(c, channel) & (DORY_CH_FAILED | DORY_CH_CLOSED))) {
        dory_clients_step(&c, 1);
        if (c->holding && sniff.spoke)
            dory_client_release_stderr(c, true);
    }
    failed = has_failed(c, channel);
    status = sniff.stream.ops->status(&sniff.stream);
    exit_status = dory_client_finish(c, channel, status == 0 && !view->sftp);
    if (no_scp)
        *no_scp = !dory_client_is_over(c) && dory_sniff_no_scp(&sniff, failed, exit_status, c->held);
    if (no_scp && *no_scp) {
        dory_client_release_stderr(c, false);
        dory_sniff_end(&sniff, true);
        return DORY_COPY_FAILED;
    }
    dory_client_release_stderr(c, true);
    dory_sniff_end(&sniff, failed);
    c->has_scp |= command && sniff.spoke;
    return dory_copy_settle(c, failed, status, exit_status, view);
}

/* No host has begun to copy by SCP: is it tried? Where there is none the host is not asked again. */
static bool by_scp(const struct dory_client *c, const struct dory_cli_options *o)
{
    return c && !o->sftp && !c->no_scp;
}

static bool make_command(char command[DORY_COMMAND_MAX], const struct dory_cli_options *o, unsigned more, const struct dory_cli_location *l)
{
    unsigned flags = o->flags & (DORY_SCP_RECURSE | DORY_SCP_TIMES | DORY_SCP_VERBOSE);

    if (dory_scp_command_format(command, DORY_COMMAND_MAX, flags | more, l->path) >= 0)
        return true;
    dory_say(DORY_LOG_QUIET, "scp: %s: the path is too long", l->text);
    return false;
}

static struct dory_scp_config engine(const struct dory_cli_options *o, struct dory_posix_fs *fs, struct dory_copy_view *view, unsigned more)
{
    return (struct dory_scp_config){
        .fs = &fs->fs,
        .flags = (o->flags & (DORY_SCP_RECURSE | DORY_SCP_TIMES)) | more,
        .events = &dory_copy_events,
        .events_ctx = view,
        .tree = &dory_scp_tree,
    };
}

/* ---- To a host ---- */

enum dory_copy_result dory_copy_up(struct dory_client *c, const struct dory_cli_options *o, char **paths, int count,
                                   const struct dory_cli_location *target, bool several)
{
    static struct dory_cli_sources sources;
    static struct dory_scp_source source;
    struct dory_copy_view view = {.host = target->host};
    struct dory_scp_config config = engine(o, &sources.fs, &view, 0);
    char command[DORY_COMMAND_MAX];
    enum dory_copy_result result;
    bool no_scp = false, recurse = o->flags & DORY_SCP_RECURSE;

    if (!by_scp(c, o))
        return dory_sftp_up(c, o, paths, count, target, several);
    for (int i = 0; i < count; i++) several |= recurse && dory_cli_is_dots(paths[i]);
    if (!make_command(command, o, DORY_SCP_TO | (several ? DORY_SCP_DIR : 0), target) ||
        dory_cli_sources_open(&sources, paths, count, recurse) < 0)
        return DORY_COPY_FAILED;
    config.item = dory_cli_sources_item;
    config.item_ctx = &sources;
    dory_scp_source_init(&source, &config);
    result = dory_copy_converse(c, command, &source.base.stream, &view, o->classic ? NULL : &no_scp);
    dory_cli_sources_close(&sources);
    c->no_scp |= no_scp;
    return no_scp ? dory_sftp_up(c, o, paths, count, target, several) : result;
}

/* ---- From a host ---- */

enum dory_copy_result dory_copy_down(struct dory_client *c, const struct dory_cli_options *o, const struct dory_cli_location *from,
                                     struct dory_cli_target *target, bool several)
{
    static struct dory_scp_sink sink;
    static char names[2][512];
    const char *name_list[] = {names[0], names[1]};
    struct dory_copy_view view = {.host = from->host};
    struct dory_scp_config config = engine(o, &target->fs, &view, several ? DORY_SCP_DIR : 0);
    char command[DORY_COMMAND_MAX];
    enum dory_copy_result result;
    bool no_scp = false;

    if (!by_scp(c, o))
        return dory_sftp_down(c, o, from, target, several);
    if (!make_command(command, o, DORY_SCP_FROM, from))
        return DORY_COPY_FAILED;
    dory_cli_target_again(target);
    config.item = dory_cli_target_item;
    config.item_ctx = target;
    if (!o->any_name) {
        config.name_count = (size_t)dory_cli_location_names(from->path, names);
        config.names = name_list;
        config.asked_for = dory_scp_asked_for;
    }
    dory_scp_sink_init(&sink, &config);
    dory_cli_guard_on(&target->fs);
    result = dory_copy_converse(c, command, &sink.base.stream, &view, o->classic ? NULL : &no_scp);
    dory_cli_guard_off();
    c->no_scp |= no_scp;
    return no_scp ? dory_sftp_down(c, o, from, target, several) : result;
}
