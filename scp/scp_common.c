#include "scp_internal.h"
#include "dory_path.h"

#include <string.h>

void dory_scp_init(struct dory_scp *scp, const struct dory_stream_ops *ops, const struct dory_scp_config *config,
                   int (*drop)(struct dory_fs *fs, int handle))
{
    static const struct dory_transfer_events nobody;

    memset(scp, 0, sizeof *scp);
    scp->stream.ops = ops;
    scp->config = *config;
    scp->drop = drop;
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

void dory_scp_tell(struct dory_scp *scp, const char *text)
{
    const struct dory_transfer_events *events = scp->config.events;

    scp->failed = true;
    if (events->error)
        events->error(scp->config.events_ctx, scp->path, text);
}

/* A line end in a name would let it speak for the protocol. */
static char *append(char *at, const char *text)
{
    for (; *text; text++)
        *at++ = *text == '\n' ? '?' : *text;
    return at;
}

static void send_error(struct dory_scp *scp, char kind, const char *text)
{
    size_t n = strlen(scp->path), room = sizeof scp->line - strlen(text) - 16;
    char *at = scp->line;

    dory_scp_tell(scp, text);
    *at++ = kind;
    at = append(at, "scp: ");
    if (n)
        at = append(append(at, scp->path + (n > room ? n - room : 0)), ": ");
    at = append(at, text);
    *at++ = '\n';
    dory_scp_say(scp, (size_t)(at - scp->line));
}

void dory_scp_complain(struct dory_scp *scp, int error)
{
    send_error(scp, 1, dory_strerror(error));
}

void dory_scp_protocol_error(struct dory_scp *scp, const char *text)
{
    dory_scp_release(scp);
    dory_scp_path_put(scp, "protocol error");
    send_error(scp, 2, text);
}

void dory_scp_told(struct dory_scp *scp)
{
    const struct dory_transfer_events *events = scp->config.events;
    size_t skip = scp->line[0] == 1 || scp->line[0] == 2;

    scp->failed = true;
    if (events->message)
        events->message(scp->config.events_ctx, scp->line + skip, scp->line_len - skip);
    scp->line_len = scp->line_lost = 0;
}

/* The next whole thing; MORE, or FATAL if that is a line beyond all measure. */
static int gather(struct dory_scp *scp, const uint8_t *bytes, size_t n, size_t *used)
{
    for (*used = 0; *used < n;) {
        uint8_t c = bytes[(*used)++];
        bool first = scp->line_len == 0;

        if (c == '\n' || (c == 0 && first)) {
            scp->line[scp->line_len] = '\0';
            return c ? SCP_HEARD_LINE : SCP_HEARD_GOOD;
        }
        if (scp->line_len < sizeof scp->line - 1)
            scp->line[scp->line_len++] = (char)c;
        else if ((uint8_t)scp->line[0] > 2 || ++scp->line_lost == SCP_TEXT_MAX)
            return SCP_HEARD_FATAL;
    }
    return SCP_HEARD_MORE;
}

int dory_scp_hear(struct dory_scp *scp, const uint8_t *bytes, size_t n, size_t *used, int wanted)
{
    int heard = gather(scp, bytes, n, used);
    char kind = scp->line[0];

    if (heard == SCP_HEARD_MORE)
        return heard;
    if (heard == SCP_HEARD_FATAL) {
        dory_scp_protocol_error(scp, "line too long");
    } else if (kind == 1 || kind == 2) {
        dory_scp_told(scp);
        if (kind == 1)
            return SCP_HEARD_ERROR;
        dory_scp_release(scp);
    } else if (heard == wanted) {
        return heard;
    } else {
        if (kind)
            dory_scp_told(scp);
        dory_scp_protocol_error(scp, "unexpected reply");
    }
    return SCP_HEARD_FATAL;
}

bool dory_scp_copy(char *out, const char *text, size_t max)
{
    while (max-- && *text)
        *out++ = *text++;
    *out = '\0';
    return !*text;
}

void dory_scp_path_put(struct dory_scp *scp, const char *path)
{
    dory_scp_copy(scp->path, path, DORY_SCP_PATH_MAX);
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

void dory_scp_begin(struct dory_scp *scp)
{
    const struct dory_transfer_events *events = scp->config.events;

    scp->done = 0;
    scp->error = DORY_OK;
    scp->shown = true;
    if (events->begin)
        events->begin(scp->config.events_ctx, scp->path, scp->name, scp->present.info.size);
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
        events->end(scp->config.events_ctx, scp->path, scp->present.info.size, status);
}

void dory_scp_close(struct dory_fs *fs, int *handle)
{
    dory_fs_drop(fs, fs->ops->close, handle);
}

void dory_scp_drop(struct dory_scp *scp, int why)
{
    dory_fs_drop(scp->config.fs, scp->drop, &scp->file);
    dory_scp_done(scp, why);
}

void dory_scp_release(struct dory_scp *scp)
{
    dory_scp_drop(scp, scp->error ? scp->error : DORY_E_CUT);
    dory_scp_close(scp->config.fs, &scp->dir);
    while (scp->depth)
        dory_scp_leave(scp);
    scp->ended = true;
}

void dory_scp_stop(struct dory_stream *stream)
{
    struct dory_scp *scp = (struct dory_scp *)stream;

    scp->failed |= !scp->ended;
    scp->sending = false;
    dory_scp_release(scp);
}
