/* From host to host through this machine by SFTP: a download, an upload, and a file system between them. */
#include "dory_sftp_client.h"
#include "scp_between.h"
#include "scp_progress.h"
#include "scp_say.h"
#include "scp_sftp.h"

struct pair {
    struct dory_client *from, *to;
    int from_channel, to_channel;
    struct dory_between between;
    struct dory_sftp_get get;
    struct dory_sftp_put put;
    struct dory_copy_view from_view, to_view;
};

/* The upload of a file that could not be fetched: that has been said. */
static void on_error(void *ctx, const char *path, const char *text)
{
    struct pair *p = ctx;

    if (!p->between.aborted)
        dory_copy_events.error(&p->to_view, path, text);
}

static void on_message(void *ctx, const char *text, size_t n)
{
    struct pair *p = ctx;

    dory_copy_message(&p->to_view, text, n);
}

static bool has_ended(struct dory_client *c, int channel, const struct dory_stream *stream)
{
    return stream->ops->status(stream) != DORY_E_AGAIN || dory_client_is_over(c) ||
           (dory_client_channel(c, channel) & (DORY_CH_FAILED | DORY_CH_CLOSED));
}

static enum dory_copy_result finish(struct dory_client *c, int channel, struct dory_stream *stream, const struct dory_copy_view *view)
{
    bool failed = (dory_client_channel(c, channel) & DORY_CH_FAILED) != 0;
    int status = stream->ops->status(stream), exit_status = dory_client_finish(c, channel, false);

    stream->ops->stop(stream);
    return dory_copy_settle(c, failed, status, exit_status, view);
}

static enum dory_copy_result run(struct pair *p)
{
    struct dory_client *both[] = {p->from, p->to};
    struct dory_stream *get = &p->get.base.stream, *put = &p->put.base.stream;
    enum dory_copy_result a, b;

    p->from->also_moved = p->to->also_moved = &p->between.changed;
    while (!has_ended(p->to, p->to_channel, put)) {
        dory_clients_step(p->between.in_over ? both + 1 : both, p->between.in_over ? 1 : 2);
        if (p->between.in_over || !has_ended(p->from, p->from_channel, get))
            continue;
        if (get->ops->status(get) == DORY_E_AGAIN)
            get->ops->stop(get);
        p->between.in_over = p->between.changed = true;
    }
    p->from->also_moved = p->to->also_moved = NULL;
    p->from_view.heard |= p->to_view.heard;
    a = finish(p->from, p->from_channel, get, &p->from_view);
    p->to_view.heard |= p->from_view.heard || a != DORY_COPY_OK;
    b = finish(p->to, p->to_channel, put, &p->to_view);
    return a > b ? a : b;
}

enum dory_copy_result dory_sftp_across(struct dory_client *from, struct dory_client *to, const struct dory_cli_options *o,
                                       const struct dory_cli_location *source, const struct dory_cli_location *target, bool several)
{
    static const struct dory_transfer_events to_events = {.message = on_message, .error = on_error};
    static struct pair p;
    struct dory_sftp_client_config config = {.flags = o->flags & (DORY_SCP_RECURSE | DORY_SCP_TIMES)};

    p.from = from;
    p.to = to;
    p.from_view = (struct dory_copy_view){.host = from->host, .sftp = true};
    p.to_view = (struct dory_copy_view){.host = to->host, .sftp = true};
    dory_between_init(&p.between, dory_sftp_get_info, &p.get);

    config.fs = &p.between.in;
    config.path = source->path;
    config.item = dory_between_target;
    config.events = &dory_copy_events;
    config.events_ctx = &p.from_view;
    config.match = dory_scp_glob;
    config.in_order = true;
    config.item_ctx = &p.between;
    dory_sftp_get_init(&p.get, &config);

    config.flags |= several || dory_cli_is_dots(source->path) ? DORY_SFTP_DIR : 0;
    config.fs = &p.between.out;
    config.path = target->path;
    config.item = dory_between_item;
    config.events = &to_events;
    config.events_ctx = &p;
    dory_sftp_put_init(&p.put, &config);

    p.from_channel = dory_client_start(from, NULL, &p.get.base.stream);
    p.to_channel = p.from_channel < 0 ? -1 : dory_client_start(to, NULL, &p.put.base.stream);
    return p.to_channel < 0 ? DORY_COPY_FAILED : run(&p);
}
