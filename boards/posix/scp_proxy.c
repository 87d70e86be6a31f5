/* Ways to a host other than a TCP connection of ours: through hosts in between (ProxyJump), or a command (ProxyCommand). Each hop is a
   process with a socket to the one that asked for it; it has the settings, host keys and logins of its own host, as with ssh -W. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dory_scp.h"
#include "scp_client.h"
#include "scp_progress.h"
#include "scp_say.h"
#include "scp_spawn.h"

#define HOPS_MAX   16
#define GOODBYE_MS 1000

/* ---- A channel to a TCP port there, carried by a socket ---- */

struct carrier {
    struct dory_stream stream; /* first */
    struct pollfd wait;        /* its fd is the socket */
    bool in_ended, broken;
};

static size_t take(struct dory_stream *stream, const uint8_t *bytes, size_t n)
{
    struct carrier *k = (struct carrier *)stream;
    ssize_t put = k->broken ? (ssize_t)n : send(k->wait.fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);

    k->wait.events &= ~POLLOUT;
    if (put >= 0)
        return (size_t)put;
    if (errno == EAGAIN || errno == EINTR)
        k->wait.events |= POLLOUT;
    else
        k->broken = true;
    return k->broken ? n : 0;
}

static size_t give(struct dory_stream *stream, uint8_t *buf, size_t cap)
{
    struct carrier *k = (struct carrier *)stream;
    ssize_t got = k->in_ended ? -1 : recv(k->wait.fd, buf, cap, MSG_DONTWAIT);

    if (got > 0)
        return (size_t)got;
    if (k->in_ended || (got < 0 && (errno == EAGAIN || errno == EINTR)))
        return 0;
    k->in_ended = true;
    k->wait.events &= ~POLLIN;
    return 0;
}

static void end_there(struct dory_stream *stream)
{
    shutdown(((struct carrier *)stream)->wait.fd, SHUT_WR);
}

static void stop(struct dory_stream *stream)
{
    ((struct carrier *)stream)->broken = true;
}

static int status(const struct dory_stream *stream)
{
    return ((const struct carrier *)stream)->broken ? 1 : DORY_E_AGAIN;
}

static const struct dory_stream_ops ops = {.push = take, .pull = give, .eof = end_there, .stop = stop, .status = status};

/* The stream is there from the first moment: what the far end says may come together with the news that the channel stands. */
static int open_channel(struct dory_client *c, const char *host, uint16_t port, struct dory_stream *stream)
{
    int channel;

    while ((channel = dory_ssh_channel_open_direct(&c->ssh, host, strlen(host), port)) == DORY_E_AGAIN && !dory_client_is_over(c))
        dory_clients_step(&c, 1);
    if (channel >= 0)
        dory_pump_attach(&c->pump, channel, stream);
    while (channel >= 0 && !dory_client_is_over(c) && !(dory_ssh_channel_state(&c->ssh, channel) & (DORY_CH_STARTED | DORY_CH_FAILED)))
        dory_clients_step(&c, 1);
    return channel;
}

static const char *refusal(const struct dory_client *c, int channel)
{
    static const char *const reasons[] = {"refused", "administratively prohibited", "connect failed", "unknown channel type",
                                          "resource shortage"};
    uint32_t reason = dory_ssh_channel_refusal(&c->ssh, channel);

    return reason < sizeof reasons / sizeof *reasons ? reasons[reason] : reasons[0];
}

/* Moves bytes until either side has ended. */
static void run(struct dory_client *c, int channel, struct carrier *k)
{
    bool told = false;

    c->also = &k->wait;
    while (!k->broken && !dory_client_is_over(c) && !(dory_ssh_channel_state(&c->ssh, channel) & DORY_CH_CLOSED)) {
        if (k->in_ended && !told) {
            dory_ssh_channel_eof(&c->ssh, channel);
            told = true;
        }
        dory_clients_step(&c, 1);
    }
    c->also = NULL;
}

static bool carry(struct dory_client *c, int fd, const char *host, uint16_t port)
{
    struct carrier k = {.stream = {&ops}, .wait = {.fd = fd, .events = POLLIN}};
    int channel = open_channel(c, host, port, &k.stream);
    bool open = channel >= 0 && !(dory_ssh_channel_state(&c->ssh, channel) & DORY_CH_FAILED);

    if (open && !dory_client_is_over(c))
        run(c, channel, &k);
    else if (!dory_client_is_over(c))
        dory_say(DORY_LOG_ERROR, "scp: %s: no way from there to %s port %u: %s", c->host, host, port,
                 channel < 0 ? dory_strerror(channel) : refusal(c, channel));
    if (channel >= 0)
        dory_pump_attach(&c->pump, channel, NULL);
    if (dory_client_is_over(c))
        dory_client_report(c);
    return open;
}

/* ---- Through another host ---- */

/* As with ssh: the hop has its own settings from the same files; of the command line it takes -F, -v, and -B. */
static void hop_options(struct dory_cli_options *o, const struct dory_cli_options *from, const char *rest)
{
    memset(o, 0, sizeof *o);
    dory_cli_ssh_init(&o->ssh);
    o->port = -1;
    o->config_file = from->config_file;
    o->flags = from->flags & DORY_SCP_VERBOSE;
    o->ssh.log = o->flags ? DORY_LOG_DEBUG : -1;
    o->ssh.batch = from->ssh.batch == 1 ? 1 : -1;
    if (*rest)
        o->ssh.proxy_jump = rest;
}

static void be_hop(const struct dory_client *for_whom, const struct dory_cli_location *hop, const char *rest, int fd)
{
    struct dory_cli_options options;
    struct dory_client *c;
    bool good = false;

    dory_cli_shed(fd);
    signal(SIGPIPE, SIG_IGN);
    dory_meter_enable(false);
    hop_options(&options, for_whom->options, rest);
    dory_say_level(options.ssh.log >= 0 ? (enum dory_cli_log)options.ssh.log : DORY_LOG_INFO);
    c = dory_client_open(&options, hop);
    if (c)
        good = carry(c, fd, for_whom->address, for_whom->port);
    dory_client_close(c);
    _exit(good ? 0 : 255);
}

static bool is_loop(const struct dory_client *c, const struct dory_cli_location *hop)
{
    return !strcmp(hop->host, c->address) && (hop->port > 0 ? hop->port : 22) == c->port && (!hop->user || !strcmp(hop->user, c->user));
}

static int jump(struct dory_client *c, int fd)
{
    static int hops;
    struct dory_cli_location hop;
    char rest[DORY_CLI_LINE_MAX];

    if (!dory_cli_jump_parse(c->options->ssh.proxy_jump, &hop, rest, sizeof rest) || is_loop(c, &hop) || ++hops > HOPS_MAX) {
        dory_say(DORY_LOG_ERROR, "jumphost loop via %s", c->options->ssh.proxy_jump);
        return -1;
    }
    dory_say(DORY_LOG_DEBUG, "debug1: %s port %u is reached through %s", c->address, c->port, hop.host);
    fflush(NULL);
    c->proxy = fork();
    if (c->proxy == 0)
        be_hop(c, &hop, rest, fd);
    hops--;
    return c->proxy < 0 ? -1 : 0;
}

/* ---- Through a command ---- */

static int command(struct dory_client *c, int fd)
{
    const struct dory_cli_tokens tokens = dory_client_tokens(c);
    char text[DORY_CLI_LINE_MAX] = "exec ";

    if (dory_cli_percent(&tokens, NULL, c->options->ssh.proxy_command, text + 5, sizeof text - 5) < 0) {
        dory_say(DORY_LOG_ERROR, "scp: %s: ProxyCommand is too long or has an unknown token: %s", c->host, c->options->ssh.proxy_command);
        return -1;
    }
    dory_say(DORY_LOG_DEBUG, "debug1: Executing proxy command: %s", text);
    c->proxy = dory_cli_spawn_shell(text, fd, fd);
    return c->proxy < 0 ? -1 : 0;
}

int dory_client_by_proxy(struct dory_client *c)
{
    int ends[2], result;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        dory_say(DORY_LOG_ERROR, "scp: socketpair: %s", strerror(errno));
        return -1;
    }
    result = c->options->ssh.proxy_jump ? jump(c, ends[1]) : command(c, ends[1]);
    close(ends[1]);
    if (result < 0) {
        close(ends[0]);
        return -1;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    c->fd = ends[0];
    return c->fd;
}

static bool ends_within(pid_t child, int ms)
{
    const struct timespec moment = {.tv_nsec = 5000000};
    pid_t ended = 0;

    for (int i = 0; ended == 0 && i < ms / 5; i++) {
        ended = waitpid(child, NULL, WNOHANG);
        if (ended == 0)
            nanosleep(&moment, NULL);
    }
    return ended != 0;
}

/* Its socket is closed already, so that it says its goodbye and ends. Who does not is told to; who does not listen is left alone. */
void dory_client_end_proxy(struct dory_client *c)
{
    if (c->proxy > 0 && !ends_within(c->proxy, GOODBYE_MS)) {
        kill(c->proxy, SIGHUP);
        ends_within(c->proxy, GOODBYE_MS);
    }
    c->proxy = 0;
}
