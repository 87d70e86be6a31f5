#include "scp_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "scp_files.h"
#include "scp_progress.h"
#include "scp_spawn.h"

#define ROOM (128 * 1024)

struct channel {
    struct dory_stream *stream;
    int in_fd, out_fd;
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
    got = read(c->in_fd, c->in, sizeof c->in);
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
    put = write(c->out_fd, c->out + c->out_at, c->out_n - c->out_at);
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
    int timeout = dory_meter_tick();

    if (!c->in_ended && c->in_at == c->in_n)
        waits[0] = (struct pollfd){.fd = c->in_fd, .events = POLLIN};
    if (c->out_at < c->out_n)
        waits[1] = (struct pollfd){.fd = c->out_fd, .events = POLLOUT};
    poll(waits, 2, stalled || (waits[0].fd < 0 && waits[1].fd < 0) ? 5 : timeout);
}

/* Input is waited for before it is read: it may be a terminal or a file, which do not know how not to block. */
int dory_pipe_converse(struct dory_stream *stream, int in, int out)
{
    static struct channel c;
    int status;

    memset(&c, 0, offsetof(struct channel, in));
    c.stream = stream;
    c.in_fd = in;
    c.out_fd = out;
    dory_cli_unblock(in);
    dory_cli_unblock(out);
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

/* Both ends of both pipes, closed on exec. */
static int make_pipes(int there[2], int back[2])
{
    if (pipe2(there, O_CLOEXEC) < 0)
        return -1;
    if (pipe2(back, O_CLOEXEC) == 0)
        return 0;
    close(there[0]);
    close(there[1]);
    return -1;
}

int dory_pipe_run(struct dory_stream *stream, char *const argv[])
{
    int there[2], back[2], status;
    pid_t child;

    if (make_pipes(there, back) < 0) {
        stream->ops->stop(stream);
        return -1;
    }
    child = dory_cli_spawn(argv, there[0], back[1]);
    close(there[0]);
    close(back[1]);
    if (child > 0)
        status = dory_pipe_converse(stream, back[0], there[1]);
    else
        stream->ops->stop(stream), status = -1;
    close(there[1]);
    close(back[0]);
    if (child > 0)
        dory_cli_wait(child);
    return status;
}
