/* From host to host through this machine: two connections and a relay between them. */
#include <stdlib.h>

#include "scp_copy.h"
#include "scp_progress.h"
#include "scp_relay.h"
#include "scp_say.h"
#include "scp_sftp.h"
#include "scp_sniff.h"

/* One of the two hosts. */
struct side {
    struct dory_client *client;
    struct dory_stream *stream; /* the relay's */
    struct dory_copy_view *view;
    struct dory_sniff sniff;
    int channel;
    bool failed, no_scp;
    int status, exit_status;
};

static bool start(struct side *s, const char *command, bool certain)
{
    dory_sniff_init(&s->sniff, s->stream);
    s->sniff.spoke = certain || s->client->has_scp;
    s->client->holding = !s->sniff.spoke;
    s->channel = dory_client_start(s->client, command, &s->sniff.stream);
    return s->channel >= 0;
}

static bool has_ended(const struct side *s)
{
    if (s->client->holding && s->sniff.spoke)
        dory_client_release_stderr(s->client, true);
    return s->sniff.stream.ops->status(&s->sniff.stream) != DORY_E_AGAIN || dory_client_is_over(s->client) ||
           (dory_client_channel(s->client, s->channel) & (DORY_CH_FAILED | DORY_CH_CLOSED));
}

static void finish(struct side *s)
{
    struct dory_client *c = s->client;

    s->failed = (dory_client_channel(c, s->channel) & DORY_CH_FAILED) != 0;
    s->status = s->sniff.stream.ops->status(&s->sniff.stream);
    s->exit_status = dory_client_finish(c, s->channel, s->status == 0);
    s->no_scp = !dory_client_is_over(c) && dory_sniff_no_scp(&s->sniff, s->failed, s->exit_status, c->held);
    c->no_scp |= s->no_scp;
    c->has_scp |= s->sniff.spoke && !s->no_scp;
}

static enum dory_copy_result settle(struct side *s)
{
    dory_client_release_stderr(s->client, true);
    return dory_copy_settle(s->client, s->failed, s->status, s->exit_status, s->view);
}

/* *no_scp: one of the hosts has none and nothing has begun. */
static enum dory_copy_result run(struct side *from, struct side *to, const char *get, const char *put, bool certain, bool *no_scp)
{
    struct dory_client *both[] = {from->client, to->client};
    enum dory_copy_result a, b;

    if (!start(from, get, certain))
        return DORY_COPY_FAILED;
    if (!start(to, put, certain)) { /* the other one is not left at it */
        from->stream->ops->stop(from->stream);
        finish(from);
        dory_client_release_stderr(from->client, true);
        return DORY_COPY_FAILED;
    }
    while (!has_ended(from) && !has_ended(to)) dory_clients_step(both, 2);
    from->stream->ops->stop(from->stream);
    while (!has_ended(to)) /* what is queued for the target */
        dory_clients_step(&to->client, 1);
    dory_meter_break();
    finish(from);
    finish(to);
    *no_scp = !certain && (from->no_scp || to->no_scp);
    if (*no_scp) {
        dory_client_release_stderr(from->client, false);
        dory_client_release_stderr(to->client, false);
        return DORY_COPY_FAILED;
    }
    from->view->heard |= to->view->heard;
    a = settle(from);
    to->view->heard |= from->view->heard || a != DORY_COPY_OK;
    b = settle(to);
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
    struct side from_side = {.client = from, .stream = &relay.from, .view = &from_view};
    struct side to_side = {.client = to, .stream = &relay.to, .view = &to_view};
    char get[DORY_COMMAND_MAX], put[DORY_COMMAND_MAX];
    enum dory_copy_result result;
    bool no_scp = false;

    if (o->sftp || from->no_scp || to->no_scp)
        return dory_sftp_across(from, to, o, source, target, several);
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
    result = run(&from_side, &to_side, get, put, o->classic, &no_scp);
    return no_scp ? dory_sftp_across(from, to, o, source, target, several) : result;
}
