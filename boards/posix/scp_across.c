/* From host to host through this machine: two connections and a relay between them. */
#include <stdlib.h>

#include "scp_copy.h"
#include "scp_progress.h"
#include "scp_relay.h"
#include "scp_say.h"

static bool has_ended(struct dory_client *c, int channel, const struct dory_stream *stream)
{
    return stream->ops->status(stream) != DORY_E_AGAIN || dory_client_is_over(c) ||
           (dory_client_channel(c, channel) & (DORY_CH_FAILED | DORY_CH_CLOSED));
}

static enum dory_copy_result finish(struct dory_client *c, int channel, struct dory_stream *stream, const struct dory_copy_view *view)
{
    bool refused = (dory_client_channel(c, channel) & DORY_CH_FAILED) != 0;
    int status = stream->ops->status(stream), exit_status;

    if (refused)
        dory_say(DORY_LOG_QUIET, "scp: %s: the host refuses to run scp", c->host);
    exit_status = dory_client_finish(c, channel, status == 0);
    if (status == 0 && exit_status == 0)
        return DORY_COPY_OK;
    if (dory_client_is_over(c)) {
        dory_client_report(c);
        dory_copy_say_lost(view);
        return DORY_COPY_LOST;
    }
    return refused ? DORY_COPY_FAILED : dory_copy_judge(c, view, status, exit_status);
}

static enum dory_copy_result run(struct dory_client *from, struct dory_client *to, const char *get, const char *put,
                                 struct dory_relay *relay, struct dory_copy_view *from_view, struct dory_copy_view *to_view)
{
    struct dory_client *both[] = {from, to};
    int from_channel = dory_client_start(from, get, &relay->from);
    int to_channel = from_channel < 0 ? -1 : dory_client_start(to, put, &relay->to);
    enum dory_copy_result a, b;

    if (to_channel < 0)
        return DORY_COPY_FAILED;
    while (!has_ended(from, from_channel, &relay->from) && !has_ended(to, to_channel, &relay->to)) dory_clients_step(both, 2);
    relay->from.ops->stop(&relay->from);
    while (!has_ended(to, to_channel, &relay->to)) /* what is queued for the target */
        dory_clients_step(&to, 1);
    dory_meter_break();
    from_view->heard |= to_view->heard;
    a = finish(from, from_channel, &relay->from, from_view);
    to_view->heard |= from_view->heard || a != DORY_COPY_OK;
    b = finish(to, to_channel, &relay->to, to_view);
    return a > b ? a : b;
}

enum dory_copy_result dory_copy_across(struct dory_client *from, struct dory_client *to, const struct dory_cli_options *o,
                                       const struct dory_cli_location *source, const struct dory_cli_location *target, bool several)
{
    static struct dory_relay relay;
    static char names[2][512];
    const char *name_list[] = {names[0], names[1]};
    unsigned flags = o->flags & (DORY_SCP_RECURSE | DORY_SCP_TIMES | DORY_SCP_VERBOSE);
    struct dory_copy_view from_view = {.host = from->host}, to_view = {.host = to->host};
    struct dory_relay_config config = {
        .flags = flags,
        .events = &dory_copy_events,
        .events_ctx = &from_view,
        .from_message = dory_copy_message,
        .from_ctx = &from_view,
        .to_message = dory_copy_message,
        .to_ctx = &to_view,
    };
    char get[DORY_COMMAND_MAX], put[DORY_COMMAND_MAX];

    if (dory_scp_command_format(get, sizeof get, flags | DORY_SCP_FROM, source->path) < 0 ||
        dory_scp_command_format(put, sizeof put, flags | DORY_SCP_TO | (several ? DORY_SCP_DIR : 0), target->path) < 0) {
        dory_say(DORY_LOG_QUIET, "scp: %s: the path is too long", source->text);
        return DORY_COPY_FAILED;
    }
    if (!o->any_name) {
        config.name_count = (size_t)dory_cli_location_names(source->path, names);
        config.names = name_list;
    }
    dory_relay_init(&relay, &config);
    return run(from, to, get, put, &relay, &from_view, &to_view);
}
