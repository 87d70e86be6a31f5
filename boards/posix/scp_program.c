#include "scp_program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/posix/dory_posix_sys.h"
#include "scp_client.h"
#include "scp_say.h"
#include "scp_spawn.h"

#define ARGUMENTS_MAX (DORY_CLI_PASSED_MAX + 24)
#define SSH_FAILED    255

struct arguments {
    char *at[ARGUMENTS_MAX];
    int n;
};

static void add(struct arguments *a, const char *word)
{
    a->at[a->n++] = (char *)(uintptr_t)word;
}

/* In OpenSSH's order, which other programs that know its options have learned. */
static void make_arguments(struct arguments *a, const struct dory_client *c, const char *command, char port[16])
{
    static const char *const first[] = {"-x", "-oPermitLocalCommand=no", "-oClearAllForwardings=yes", "-oRemoteCommand=none",
                                        "-oRequestTTY=no"};
    const struct dory_cli_options *o = c->options;

    add(a, o->program);
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) add(a, first[i]);
    for (int i = 0; i < o->passed_n; i++) add(a, o->passed[i]);
    add(a, "-oForwardAgent=no"); /* -A has come before it, if at all */
    if (c->asked_port > 0) {
        snprintf(port, 16, "%d", c->asked_port);
        add(a, "-p");
        add(a, port);
    }
    if (c->user_named) {
        add(a, "-l");
        add(a, c->user);
    }
    if (!command)
        add(a, "-s");
    add(a, "--");
    add(a, c->host);
    add(a, command ? command : "sftp");
    a->at[a->n] = NULL;
}

bool dory_program_start(struct dory_client *c, const char *command, struct dory_stream *stream)
{
    struct dory_program *p = c->program;
    struct arguments a = {.n = 0};
    int ends[2] = {-1, -1};
    char port[16];

    memset(p, 0, offsetof(struct dory_program, in));
    make_arguments(&a, c, command, port);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0)
        p->child = dory_cli_spawn(a.at, ends[1], ends[1]);
    if (p->child <= 0) {
        dory_say(DORY_LOG_ERROR, "scp: %s: %s", c->options->program, strerror(errno));
        p->child = 0;
        close(ends[0]);
        close(ends[1]);
        return false;
    }
    close(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    p->fd = ends[0];
    p->stream = stream;
    p->state = DORY_CH_USED | DORY_CH_STARTED;
    return true;
}

/* Each of these: did anything move? */
static bool push(struct dory_program *p)
{
    size_t took = p->in_at < p->in_n ? p->stream->ops->push(p->stream, p->in + p->in_at, p->in_n - p->in_at) : 0;

    p->in_at += took;
    p->stalled = p->in_at < p->in_n;
    return took > 0;
}

/* As in the pump: a stream that ends in order by the end of its input is not stopped. Where nothing ever came there was no connection, and
   what the stream would say of it is no news. */
static void input_ended(struct dory_program *p)
{
    uint8_t unsent[64];

    p->state |= DORY_CH_EOF | DORY_CH_CLOSED;
    if (p->heard)
        p->stream->ops->eof(p->stream);
    for (int i = 0; i < 4 && p->stream->ops->status(p->stream) == DORY_E_AGAIN; i++) p->stream->ops->pull(p->stream, unsent, sizeof unsent);
    if (p->stream->ops->status(p->stream) == DORY_E_AGAIN)
        p->stream->ops->stop(p->stream);
}

static bool receive(struct dory_client *c, uint64_t now)
{
    struct dory_program *p = c->program;
    ssize_t got;

    if (p->in_at < p->in_n || p->state & DORY_CH_EOF || dory_client_is_held(c, now))
        return false;
    got = recv(p->fd, p->in, dory_client_portion(c, sizeof p->in), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    p->in_at = 0;
    p->in_n = got > 0 ? (size_t)got : 0;
    p->heard |= got > 0;
    if (got > 0)
        dory_client_charge(c, (size_t)got, now);
    else
        input_ended(p);
    return true;
}

static bool pull(struct dory_program *p)
{
    if (p->out_at < p->out_n || p->state & DORY_CH_CLOSED)
        return false;
    p->out_at = 0;
    p->out_n = p->stream->ops->pull(p->stream, p->out, sizeof p->out);
    return p->out_n > 0;
}

static bool transmit(struct dory_client *c, uint64_t now)
{
    struct dory_program *p = c->program;
    ssize_t put;

    if (p->out_at == p->out_n) {
        if (!p->wants_end || p->shut)
            return false;
        shutdown(p->fd, SHUT_WR);
        p->shut = true;
        return true;
    }
    if (dory_client_is_held(c, now))
        return false;
    put = p->deaf ? (ssize_t)(p->out_n - p->out_at)
                  : send(p->fd, p->out + p->out_at, dory_client_portion(c, p->out_n - p->out_at), MSG_NOSIGNAL);
    if (put < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (put < 0) {
        p->deaf = true; /* its last words are read all the same */
        return true;
    }
    dory_client_charge(c, (size_t)put, now);
    p->out_at += (size_t)put;
    return true;
}

bool dory_program_turn(struct dory_client *c, uint64_t now, bool *busy)
{
    struct dory_program *p = c->program;
    bool moved;

    if (!p->child || p->state & DORY_CH_CLOSED)
        return false;
    moved = push(p);
    moved |= receive(c, now);
    moved |= pull(p);
    moved |= transmit(c, now);
    *busy |= p->stalled && p->out_at == p->out_n;
    return moved;
}

struct pollfd dory_program_interest(const struct dory_client *c)
{
    const struct dory_program *p = c->program;
    struct pollfd wait = {.fd = -1};

    if (!p->child || p->state & DORY_CH_CLOSED)
        return wait;
    if (p->in_at == p->in_n)
        wait.events |= POLLIN;
    if (p->out_at < p->out_n)
        wait.events |= POLLOUT;
    wait.fd = wait.events ? p->fd : -1;
    return wait;
}

/* ssh says why itself, and ends with 255, when there is no connection. */
void dory_program_end(struct dory_client *c)
{
    struct dory_program *p = c->program;

    if (!p->child)
        return;
    close(p->fd);
    if (!(p->state & DORY_CH_CLOSED))
        kill(p->child, SIGTERM);
    p->status = dory_cli_wait(p->child);
    p->child = 0;
    p->state |= DORY_CH_CLOSED | DORY_CH_EXITED;
    c->lost |= p->status == SSH_FAILED;
}
