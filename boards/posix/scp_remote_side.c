/* `scp -t` and `scp -f`: the program that a client's sshd runs. Standard input and output are the channel. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "scp_copy.h"

#define ROOM (128 * 1024)

struct channel {
    struct dory_stream *stream;
    bool in_ended, broken;
    size_t in_at, in_n, out_at, out_n;
    uint8_t in[ROOM], out[ROOM];
};

/* Each of these: did anything move? */
static bool read_some(struct channel *c)
{
    ssize_t got;

    if (c->in_at < c->in_n || c->in_ended)
        return false;
    got = read(STDIN_FILENO, c->in, sizeof c->in);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    c->in_at = 0;
    c->in_n = got > 0 ? (size_t)got : 0;
    if (got <= 0) {
        c->in_ended = true;
        c->stream->ops->eof(c->stream);
    }
    return true;
}

static bool push_some(struct channel *c)
{
    size_t took;

    if (c->in_at == c->in_n)
        return false;
    took = c->stream->ops->push(c->stream, c->in + c->in_at, c->in_n - c->in_at);
    c->in_at += took;
    return took > 0;
}

static bool pull_some(struct channel *c)
{
    if (c->out_at < c->out_n)
        return false;
    c->out_at = 0;
    c->out_n = c->stream->ops->pull(c->stream, c->out, sizeof c->out);
    return c->out_n > 0;
}

static bool write_some(struct channel *c)
{
    ssize_t put;

    if (c->out_at == c->out_n)
        return false;
    put = write(STDOUT_FILENO, c->out + c->out_at, c->out_n - c->out_at);
    if (put < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (put < 0) {
        c->broken = true;
        return false;
    }
    c->out_at += (size_t)put;
    return true;
}

static bool is_over(const struct channel *c)
{
    return c->broken || (c->stream->ops->status(c->stream) != DORY_E_AGAIN && c->out_at == c->out_n);
}

static void wait_for_more(const struct channel *c)
{
    struct pollfd waits[2] = {{.fd = -1}, {.fd = -1}};
    bool stalled = c->in_at < c->in_n && c->out_at == c->out_n;

    if (!c->in_ended && c->in_at == c->in_n)
        waits[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    if (c->out_at < c->out_n)
        waits[1] = (struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT};
    poll(waits, 2, stalled || (waits[0].fd < 0 && waits[1].fd < 0) ? 5 : -1);
}

/* Input is waited for before it is read: it may be a terminal or a file, which do not know how not to block. */
static int converse(struct dory_stream *stream)
{
    static struct channel c;
    int status;

    c.stream = stream;
    dory_cli_unblock(STDIN_FILENO);
    dory_cli_unblock(STDOUT_FILENO);
    while (!is_over(&c)) {
        bool moved = push_some(&c);

        moved |= pull_some(&c);
        moved |= write_some(&c);
        if (moved)
            continue;
        wait_for_more(&c);
        read_some(&c);
    }
    stream->ops->stop(stream);
    status = c.broken ? 1 : stream->ops->status(stream);
    dory_cli_restore_blocking();
    return status == DORY_E_AGAIN ? 1 : status;
}

static int be_sink(const struct dory_cli_options *o, struct dory_scp_config *config)
{
    static struct dory_cli_target target;
    static struct dory_scp_sink sink;
    int status;

    dory_cli_target_open(&target, o->paths[0], true);
    config->fs = &target.fs.fs;
    config->item = dory_cli_target_item;
    config->item_ctx = &target;
    dory_scp_sink_init(&sink, config);
    dory_cli_guard_on(&target.fs);
    status = converse(&sink.base.stream);
    dory_cli_guard_off();
    dory_cli_target_close(&target);
    return status;
}

static int be_source(const struct dory_cli_options *o, struct dory_scp_config *config)
{
    static struct dory_cli_sources sources;
    static struct dory_scp_source source;
    int status;

    if (dory_cli_sources_open(&sources, o->paths, o->path_count, false) < 0)
        return 1;
    config->fs = &sources.fs.fs;
    config->item = dory_cli_sources_item;
    config->item_ctx = &sources;
    dory_scp_source_init(&source, config);
    dory_cli_guard_on(NULL);
    status = converse(&source.base.stream);
    dory_cli_guard_off();
    dory_cli_sources_close(&sources);
    return status;
}

int dory_copy_remote_side(const struct dory_cli_options *o)
{
    struct dory_scp_config config = {.flags = o->flags};

    signal(SIGPIPE, SIG_IGN);
    return o->flags & DORY_SCP_TO ? be_sink(o, &config) : be_source(o, &config);
}
