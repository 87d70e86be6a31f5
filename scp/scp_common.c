#include "scp_internal.h"
#include "dory_path.h"

#include <string.h>

void dory_scp_init(struct dory_scp *scp, const struct dory_stream_ops *ops, const struct dory_scp_config *config)
{
    static const struct dory_transfer_events nobody;

    memset(scp, 0, sizeof *scp);
    scp->stream.ops = ops;
    scp->config = *config;
    if (!scp->config.events)
        scp->config.events = &nobody;
    scp->file = scp->dir = -1;
}

int dory_scp_dir(const struct dory_scp *scp)
{
    return scp->depth ? scp->stack[scp->depth - 1].dir : scp->dir;
}

int dory_scp_status(const struct dory_stream *stream)
{
    const struct dory_scp *scp = (const struct dory_scp *)stream;

    if (!scp->ended || scp->sending)
        return DORY_E_AGAIN;
    return scp->failed ? 1 : 0;
}

void dory_scp_say(struct dory_scp *scp, size_t n)
{
    scp->line_len = (uint16_t)n;
    scp->line_sent = 0;
    scp->sending = true;
}

void dory_scp_say_good(struct dory_scp *scp)
{
    scp->line[0] = '\0';
    dory_scp_say(scp, 1);
}

size_t dory_scp_drain(struct dory_scp *scp, uint8_t *buf, size_t cap)
{
    size_t n = (size_t)(scp->line_len - scp->line_sent);

    if (n > cap)
        n = cap;
    memcpy(buf, scp->line + scp->line_sent, n);
    scp->line_sent = (uint16_t)(scp->line_sent + n);
    if (scp->line_sent == scp->line_len) {
        scp->sending = false;
        scp->line_len = 0;
    }
    return n;
}

void dory_scp_tell(struct dory_scp *scp, const char *path, const char *text)
{
    const struct dory_transfer_events *events = scp->config.events;

    scp->failed = true;
    if (events->error)
        events->error(scp->config.events_ctx, path, text);
}

static size_t append(char *out, size_t at, const char *text)
{
    size_t n = strlen(text);

    memcpy(out + at, text, n);
    return at + n;
}

static void send_error(struct dory_scp *scp, char kind, const char *path, const char *text)
{
    size_t n = strlen(path), room = sizeof scp->line - strlen(text) - 16, at;
    char *line = scp->line;

    dory_scp_tell(scp, path, text);
    line[0] = kind;
    at = append(line, 1, "scp: ");
    if (n > room)
        path += n - room;
    if (n) {
        size_t from = at;

        at = append(line, at, path);
        /* A line end in a name would let it speak for the protocol. */
        for (; from < at; from++)
            if (line[from] == '\n')
                line[from] = '?';
        at = append(line, at, ": ");
    }
    at = append(line, at, text);
    line[at++] = '\n';
    dory_scp_say(scp, at);
}

void dory_scp_complain(struct dory_scp *scp, const char *path, const char *text)
{
    send_error(scp, 1, path, text);
}

void dory_scp_complain_error(struct dory_scp *scp, int error)
{
    dory_scp_complain(scp, scp->path, dory_strerror(error));
}

void dory_scp_protocol_error(struct dory_scp *scp, const char *text)
{
    send_error(scp, 2, "protocol error", text);
    scp->ended = true;
}

bool dory_scp_gather(struct dory_scp *scp, const uint8_t *bytes, size_t n, size_t *used)
{
    const uint8_t *end = memchr(bytes, '\n', n);
    size_t take = end ? (size_t)(end - bytes) : n;
    size_t keep = sizeof scp->line - 1 - scp->line_len;
    size_t lost;

    if (keep > take)
        keep = take;
    memcpy(scp->line + scp->line_len, bytes, keep);
    scp->line_len = (uint16_t)(scp->line_len + keep);
    scp->line[scp->line_len] = '\0';
    lost = scp->line_lost + take - keep;
    scp->line_lost = (uint16_t)(lost > SCP_TEXT_MAX ? SCP_TEXT_MAX : lost);
    *used = take + (end ? 1 : 0);
    return end != NULL;
}

void dory_scp_told(struct dory_scp *scp)
{
    const struct dory_transfer_events *events = scp->config.events;
    size_t skip = scp->line_len && (scp->line[0] == 1 || scp->line[0] == 2);

    scp->failed = true;
    if (events->message)
        events->message(scp->config.events_ctx, scp->line + skip, scp->line_len - skip);
    scp->line_len = scp->line_lost = 0;
}

int dory_scp_reply(struct dory_scp *scp, const uint8_t *bytes, size_t n, size_t *used)
{
    char kind;

    if (scp->line_len == 0 && bytes[0] == 0) {
        *used = 1;
        return SCP_REPLY_GOOD;
    }
    if (!dory_scp_gather(scp, bytes, n, used)) {
        if (scp->line_lost < SCP_TEXT_MAX)
            return SCP_REPLY_MORE;
        dory_scp_protocol_error(scp, "reply without end");
        return SCP_REPLY_FATAL;
    }
    kind = scp->line_len ? scp->line[0] : 0;
    dory_scp_told(scp);
    if (kind == 1)
        return SCP_REPLY_ERROR;
    if (kind == 2)
        scp->ended = true;
    else
        dory_scp_protocol_error(scp, "unexpected reply");
    return SCP_REPLY_FATAL;
}

void dory_scp_path_put(struct dory_scp *scp, const char *path)
{
    size_t n = strlen(path);

    if (n > DORY_SCP_PATH_MAX)
        n = DORY_SCP_PATH_MAX;
    memcpy(scp->path, path, n);
    scp->path[n] = '\0';
    scp->prefix = 0;
}

uint16_t dory_scp_join(char path[DORY_SCP_PATH_MAX + DORY_NAME_MAX + 2], uint16_t prefix)
{
    size_t n = strlen(path);

    if (n == 0 || path[n - 1] == '/')
        return (uint16_t)n;
    if (n >= DORY_SCP_PATH_MAX)
        return prefix;
    path[n] = '/';
    path[n + 1] = '\0';
    return (uint16_t)(n + 1);
}

void dory_scp_enter(struct dory_scp *scp)
{
    scp->present.prefix = scp->prefix;
    scp->stack[scp->depth++] = scp->present;
    scp->prefix = dory_scp_join(scp->path, scp->prefix);
}

void dory_scp_leave(struct dory_scp *scp)
{
    struct dory_scp_level *level = &scp->stack[--scp->depth];

    dory_scp_close(scp->config.fs, &level->dir);
    scp->path[scp->prefix] = '\0';
    scp->prefix = level->prefix;
}

void dory_scp_begin(struct dory_scp *scp, const char *name)
{
    const struct dory_transfer_events *events = scp->config.events;

    scp->done = 0;
    scp->error = DORY_OK;
    scp->shown = true;
    if (events->begin)
        events->begin(scp->config.events_ctx, scp->path, name, scp->size);
}

void dory_scp_advance(struct dory_scp *scp, size_t n)
{
    const struct dory_transfer_events *events = scp->config.events;

    scp->done += n;
    if (events->progress)
        events->progress(scp->config.events_ctx, scp->done);
}

void dory_scp_done(struct dory_scp *scp, int status)
{
    const struct dory_transfer_events *events = scp->config.events;

    if (!scp->shown)
        return;
    scp->shown = false;
    if (events->end)
        events->end(scp->config.events_ctx, scp->path, scp->size, status);
}

void dory_scp_close(struct dory_fs *fs, int *handle)
{
    dory_fs_drop(fs, fs->ops->close, handle);
}

void dory_scp_release(struct dory_scp *scp)
{
    dory_scp_close(scp->config.fs, &scp->file);
    dory_scp_close(scp->config.fs, &scp->dir);
    while (scp->depth)
        dory_scp_leave(scp);
    dory_scp_done(scp, scp->error ? scp->error : DORY_E_CUT);
    scp->ended = true;
}
