/* Copies within this machine: a source and a sink, wired to each other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scp_copy.h"
#include "scp_progress.h"
#include "scp_say.h"

#define ROOM (128 * 1024)

/* Bytes on their way from one engine to the other. */
struct pipe_end {
    uint8_t bytes[ROOM];
    size_t at, n;
};

static bool move(struct pipe_end *pipe, struct dory_stream *from, struct dory_stream *to)
{
    size_t took;

    if (pipe->at == pipe->n) {
        pipe->at = 0;
        pipe->n = from->ops->pull(from, pipe->bytes, sizeof pipe->bytes);
    }
    if (pipe->at == pipe->n)
        return false;
    took = to->ops->push(to, pipe->bytes + pipe->at, pipe->n - pipe->at);
    pipe->at += took;
    return took > 0;
}

static enum dory_copy_result join(struct dory_stream *source, struct dory_stream *sink)
{
    static struct pipe_end there, back;
    bool told = false;

    there.at = there.n = back.at = back.n = 0;
    for (;;) {
        bool moved = move(&there, source, sink);

        moved |= move(&back, sink, source);
        if (moved)
            continue;
        if (sink->ops->status(sink) != DORY_E_AGAIN && source->ops->status(source) != DORY_E_AGAIN)
            break;
        if (!told && source->ops->status(source) != DORY_E_AGAIN)
            sink->ops->eof(sink);
        else if (!told && sink->ops->status(sink) != DORY_E_AGAIN)
            source->ops->eof(source);
        else
            break;
        told = true;
    }
    int status = source->ops->status(source) | sink->ops->status(sink);
    source->ops->stop(source);
    sink->ops->stop(sink);
    return status == 0 ? DORY_COPY_OK : DORY_COPY_FAILED;
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* A file onto itself, or a directory into itself, is a mistake that would not end well. */
static bool is_into_itself(const char *from, const struct dory_cli_target *target)
{
    const char *slash = strrchr(from, '/');
    struct stat a, b;
    char *inner, *outer, path[DORY_SCP_PATH_MAX];
    bool inside;
    size_t n;

    if (stat(from, &a) < 0)
        return false;
    snprintf(path, sizeof path, "%s/%s", target->path, slash ? slash + 1 : from);
    if (stat(target->is_dir ? path : target->path, &b) == 0 && same(&a, &b))
        return true;
    if (!S_ISDIR(a.st_mode))
        return false;
    outer = realpath(from, NULL);
    inner = realpath(target->path, NULL);
    if (!inner) { /* what is still to be made lies where its parent is */
        snprintf(path, sizeof path, "%.*s", (int)(strlen(target->path) - strlen(target->name)), target->path);
        inner = realpath(*path ? path : ".", NULL);
    }
    n = outer ? strlen(outer) : 0;
    inside = outer && inner && !strncmp(outer, inner, n) && (inner[n] == '/' || !inner[n] || n == 1);
    free(outer);
    free(inner);
    return inside;
}

enum dory_copy_result dory_copy_here(const struct dory_cli_options *o, char *path, struct dory_cli_target *target, bool several)
{
    static struct dory_cli_sources sources;
    static struct dory_scp_source source;
    static struct dory_scp_sink sink;
    struct dory_copy_view view = {.host = NULL};
    struct dory_scp_config config = {
        .flags = o->flags & (DORY_SCP_RECURSE | DORY_SCP_TIMES),
        .events = &dory_copy_local_events,
        .events_ctx = &view,
        .tree = &dory_scp_tree,
        .item = dory_cli_sources_item,
        .item_ctx = &sources,
        .fs = &sources.fs.fs,
    };
    enum dory_copy_result result;

    if (is_into_itself(path, target)) {
        dory_say(DORY_LOG_QUIET, "scp: '%s' cannot be copied onto or into itself ('%s')", path, target->path);
        return DORY_COPY_FAILED;
    }
    if (dory_cli_sources_open(&sources, &path, 1, o->flags & DORY_SCP_RECURSE) < 0)
        return DORY_COPY_FAILED;
    dory_scp_source_init(&source, &config);
    dory_cli_target_again(target);
    config.flags |= several || (config.flags & DORY_SCP_RECURSE && dory_cli_is_dots(path)) ? DORY_SCP_DIR : 0;
    config.fs = &target->fs.fs;
    config.item = dory_cli_target_item;
    config.item_ctx = target;
    dory_scp_sink_init(&sink, &config);
    dory_cli_guard_on(&target->fs);
    result = join(&source.base.stream, &sink.base.stream);
    dory_cli_guard_off();
    dory_meter_break();
    dory_cli_sources_close(&sources);
    return result;
}
