#include "scp_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "algorithms.h"
#include "commands.h"
#include "platform/posix/dory_posix_net.h"
#include "platform/posix/dory_posix_sys.h"
#include "scp_config.h"
#include "scp_progress.h"
#include "scp_say.h"

#define CLIENTS_MAX 2
#define PUMP_TURNS  64
#define BUSY_MS     5
#define SHORT_READ  4096
#define PROXY_MS    (15 * 60 * 1000) /* who types the password of a hop takes his time before the target's first word comes */

/* ---- Bytes: socket and engine ---- */

bool dory_client_is_held(const struct dory_client *c, uint64_t now_ms)
{
    return c->options->limit && c->free_at_us > now_ms * 1000;
}

/* At a limited rate bytes go in small portions, each a twentieth of a second's worth. */
size_t dory_client_portion(const struct dory_client *c, size_t n)
{
    size_t most = (size_t)(c->options->limit / 20);

    if (!c->options->limit)
        return n;
    if (most < 512)
        most = 512;
    return n < most ? n : most;
}

void dory_client_charge(struct dory_client *c, size_t n, uint64_t now_ms)
{
    if (!c->options->limit)
        return;
    if (c->free_at_us < now_ms * 1000)
        c->free_at_us = now_ms * 1000;
    c->free_at_us += (uint64_t)n * 1000000 / c->options->limit;
}

static bool receive(struct dory_client *c, uint64_t now)
{
    size_t n;
    uint8_t *room = dory_ssh_recvpkt_buf(&c->ssh, &n);
    ssize_t got;

    /* Under -l nobody polls while there is more to send than may go: answers would wait until all of it has. */
    if ((!c->readable && !c->options->limit) || !room || dory_client_is_held(c, now))
        return false;
    n = dory_client_portion(c, n);
    got = recv(c->fd, room, n, 0);
    if (got > 0) {
        c->readable = (size_t)got == n;
        if (got < SHORT_READ)
            dory_net_quickack(c->fd);
        dory_client_charge(c, (size_t)got, now);
        dory_ssh_recvpkt_ack(&c->ssh, (size_t)got);
        return true;
    }
    if (got < 0 && errno == EINTR)
        return true;
    c->readable = false;
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got < 0)
        c->error_number = errno;
    dory_ssh_recvpkt_eof(&c->ssh);
    return true;
}

/* When the peer reads no more it may still have said why: its last words are read before the connection is given up. */
static bool transmit(struct dory_client *c, uint64_t now)
{
    const uint8_t *bytes;
    bool moved = false;
    size_t n;

    while (!dory_client_is_held(c, now) && (bytes = dory_ssh_sendpkt_buf(&c->ssh, &n)) && n) {
        ssize_t put = (ssize_t)n;

        if (!c->broken) {
            n = dory_client_portion(c, n);
            put = send(c->fd, bytes, n, MSG_NOSIGNAL);
            if (put < 0 && errno == EINTR)
                continue;
            if (put < 0 && errno == EAGAIN)
                break;
            if (put < 0) {
                c->error_number = errno;
                c->broken = true;
                continue;
            }
            dory_client_charge(c, (size_t)put, now);
        }
        dory_ssh_sendpkt_ack(&c->ssh, (size_t)put);
        moved = true;
        if ((size_t)put < n)
            break;
    }
    return moved;
}

/* ---- Events ---- */

static bool answer(struct dory_client *c)
{
    struct dory_event event;

    switch (dory_ssh_event(&c->ssh, &event)) {
    case DORY_EV_NONE: return false;
    case DORY_EV_HOSTKEY:
        dory_client_say_names(c);
        dory_client_on_hostkey(c, &event);
        return true;
    case DORY_EV_HOSTKEYS: dory_client_on_hostkeys(c, &event); return true;
    case DORY_EV_HOSTKEYS_PROOF: dory_client_on_hostkeys_proof(c, &event); return true;
    case DORY_EV_SIGN: dory_client_on_sign(c, &event); return true;
    case DORY_EV_AUTH: dory_client_on_auth(c, &event); return true;
    case DORY_EV_BANNER:
        dory_client_show_text(event.data, event.n);
        dory_ssh_accept(&c->ssh);
        return true;
    case DORY_EV_PROMPTS: dory_client_on_prompts(c, &event); return true;
    case DORY_EV_PASSWD_CHANGE:
        dory_client_show_text(event.data, event.n);
        dory_say(DORY_LOG_ERROR, "The password of %s@%s has expired: log in with ssh and change it.", c->user, c->host);
        c->auth.no_password = true;
        dory_ssh_accept(&c->ssh);
        return true;
    default: dory_ssh_refuse(&c->ssh); return true;
    }
}

/* ---- The loop ---- */

static bool turn(struct dory_client *c, bool *busy)
{
    uint64_t now = dory_posix_now_ms();
    unsigned pumped;
    bool moved;

    if (c->program)
        return dory_program_turn(c, now, busy);
    dory_ssh_tick(&c->ssh, now);
    moved = receive(c, now);
    while (answer(c)) /* what they send goes out together */
        moved = true;
    pumped = dory_pump(&c->pump, PUMP_TURNS);
    *busy |= (pumped & DORY_PUMP_AGAIN) != 0;
    moved |= (pumped & DORY_PUMP_MOVED) != 0;
    return moved | transmit(c, now);
}

static void sooner(int *timeout, uint64_t at, uint64_t now)
{
    uint64_t ms = at > now ? at - now : 0;

    if (at != UINT64_MAX && (*timeout < 0 || ms < (uint64_t)*timeout))
        *timeout = ms > 60000 ? 60000 : (int)ms;
}

/* What to wait for; fd -1 where nothing, so that a closed connection does not wake us for ever. */
static struct pollfd interest(struct dory_client *c, uint64_t now, int *timeout)
{
    struct pollfd wait = {.fd = -1};
    size_t n;

    if (c->wake_at)
        sooner(timeout, c->wake_at, now);
    if (!c->program)
        sooner(timeout, dory_ssh_tick(&c->ssh, now), now);
    if (dory_client_is_held(c, now)) {
        sooner(timeout, c->free_at_us / 1000 + 1, now);
        return wait;
    }
    if (c->program)
        return dory_program_interest(c);
    if (dory_ssh_recvpkt_buf(&c->ssh, &n))
        wait.events |= POLLIN;
    if (dory_ssh_sendpkt_buf(&c->ssh, &n) && n)
        wait.events |= POLLOUT;
    if (wait.events)
        wait.fd = c->fd;
    return wait;
}

static bool also_moved(struct dory_client *c)
{
    bool moved = c->also_moved && *c->also_moved;

    if (moved)
        *c->also_moved = false;
    return moved;
}

void dory_clients_step(struct dory_client *const *clients, int count)
{
    struct pollfd waits[2 * CLIENTS_MAX];
    int timeout = dory_meter_tick();
    bool moved = false, busy = false;
    uint64_t now;

    for (int i = 0; i < count; i++) moved |= turn(clients[i], &busy);
    for (int i = 0; i < count; i++) moved |= dory_client_is_over(clients[i]) || also_moved(clients[i]);
    if (moved)
        return;
    if (busy)
        timeout = BUSY_MS;
    now = dory_posix_now_ms();
    for (int i = 0; i < count; i++) {
        waits[i] = interest(clients[i], now, &timeout);
        waits[count + i] = clients[i]->also ? *clients[i]->also : (struct pollfd){.fd = -1};
    }
    if (poll(waits, 2 * (nfds_t)count, timeout) <= 0)
        return;
    for (int i = 0; i < count; i++)
        if (waits[i].revents & (POLLIN | POLLHUP | POLLERR))
            clients[i]->readable = true;
}

bool dory_client_is_over(const struct dory_client *c)
{
    return c->program ? c->lost : (dory_ssh_state(&c->ssh) & DORY_DONE) != 0;
}

unsigned dory_client_channel(const struct dory_client *c, int channel)
{
    return c->program ? c->program->state : dory_ssh_channel_state(&c->ssh, channel);
}

/* ---- Life ---- */

struct dory_cli_tokens dory_client_tokens(const struct dory_client *c)
{
    const char *jump = c->options->ssh.proxy_jump;

    return (struct dory_cli_tokens){
        .host = c->host,
        .address = c->address,
        .known_as = c->known_as,
        .user = c->user,
        .jump = jump ? jump : "",
        .port = c->port,
    };
}

int dory_client_expand(const struct dory_client *c, const char *name, char *out, size_t cap)
{
    const struct dory_cli_tokens tokens = dory_client_tokens(c);

    return dory_cli_path(&tokens, name, out, cap);
}

/* The command line goes before the location, which goes before the files. */
static bool settle(struct dory_client *c, const struct dory_cli_options *options, const struct dory_cli_location *l)
{
    struct dory_cli_ssh *o = &c->own.ssh;

    c->own = *options;
    c->options = &c->own;
    c->user_named = l->user;
    c->port_named = l->port > 0;
    c->asked_port = l->port > 0 ? l->port : options->port;
    if (!o->user && l->user)
        o->user = dory_cli_keep(l->user);
    if (o->port < 0)
        o->port = l->port > 0 ? l->port : options->port;
    if (!options->program && !dory_cli_config_read(o, options->config_file, l->host))
        return false;
    dory_say_level(o->log >= 0 ? (enum dory_cli_log)o->log : DORY_LOG_INFO);
    return true;
}

static bool set_names(struct dory_client *c, const struct dory_cli_location *l)
{
    const struct dory_cli_ssh *o = &c->options->ssh;
    const struct dory_cli_tokens given = {.host = l->host, .address = l->host};

    c->port = (uint16_t)(o->port > 0 ? o->port : 22);
    c->known_port = o->host_key_alias ? 22 : c->port;
    snprintf(c->user, sizeof c->user, "%s", o->user ? o->user : dory_cli_local_user());
    snprintf(c->host, sizeof c->host, "%s", l->host);
    if (dory_cli_percent(&given, "h", o->hostname ? o->hostname : "%h", c->address, sizeof c->address) < 0) {
        dory_say(DORY_LOG_ERROR, "scp: %s: cannot make a host name of '%s'", l->host, o->hostname ? o->hostname : l->host);
        return false;
    }
    snprintf(c->known_as, sizeof c->known_as, "%s", o->host_key_alias ? o->host_key_alias : c->address);
    return true;
}

bool dory_client_is_for(const struct dory_client *c, const struct dory_cli_options *o, const struct dory_cli_location *l)
{
    bool user = o->ssh.user || (l->user ? !strcmp(c->user, l->user) : !c->user_named);
    bool port = o->ssh.port > 0 || (l->port > 0 ? c->port == l->port : !c->port_named);

    return user && port && !strcasecmp(c->host, l->host);
}

static uint32_t ms(int seconds)
{
    return seconds <= 0 ? 0 : seconds > 4000000 ? 4000000000U : (uint32_t)seconds * 1000;
}

static void configure(struct dory_client *c)
{
    const struct dory_cli_ssh *o = &c->options->ssh;

    c->config = (struct dory_ssh_config){
        .role = &dory_ssh_client,
        .software = DORY_SOFTWARE,
        .rng = {dory_posix_rng, NULL},
        .kex = c->algorithms.kex,
        .ciphers = c->algorithms.ciphers,
        .macs = c->algorithms.macs,
        .signatures = c->algorithms.signatures,
        .user_signatures = dory_signature_list,
        .rx = c->rx,
        .rx_size = sizeof c->rx,
        .read_ahead = true,
        .tx = c->tx,
        .tx_size = sizeof c->tx,
        .channels = c->channels,
        .channel_count = DORY_CLIENT_CHANNELS,
        .window = DORY_CLIENT_WINDOW,
        .rekey_bytes = o->rekey_bytes > 0 ? (uint64_t)o->rekey_bytes : 0,
        .rekey_ms = ms((int)o->rekey_seconds),
        .reply_ms = o->connect_timeout > 0 ? ms(o->connect_timeout) : c->proxy ? PROXY_MS : 0,
        .keepalive_ms = ms(o->alive_interval),
        .keepalive_max = (uint8_t)(o->alive_max < 0     ? 3
                                   : o->alive_max > 255 ? 255
                                                        : o->alive_max),
        .user = c->user,
        .hostkeys_wanted = dory_client_updates_hostkeys(c),
    };
}

static void say_trying(void *ctx, const char *address, const char *failed)
{
    const struct dory_client *c = ctx;

    if (failed)
        dory_say(DORY_LOG_DEBUG, "debug1: connect to address %s port %u: %s", address, c->port, failed);
    else
        dory_say(DORY_LOG_DEBUG, "debug1: Connecting to %s [%s] port %u.", c->address, address, c->port);
}

static int dial(struct dory_client *c)
{
    const struct dory_cli_ssh *o = &c->options->ssh;
    bool proxy = (o->proxy_command && strcasecmp(o->proxy_command, "none")) || (o->proxy_jump && strcasecmp(o->proxy_jump, "none"));
    struct dory_net_target target = {
        .host = c->address,
        .port = c->port,
        .family = o->family < 0 ? AF_UNSPEC : o->family,
        .timeout_ms = ms(o->connect_timeout),
        .from = o->bind_address,
        .keepalive = o->tcp_keepalive != 0,
        .trying = say_trying,
        .ctx = c,
    };
    int attempts = o->connect_attempts < 1 ? 1 : o->connect_attempts;
    char why[DORY_WHY_MAX];

    if (proxy)
        return dory_client_by_proxy(c);
    do {
        c->fd = dory_net_connect(&target, why);
    } while (c->fd < 0 && c->fd != DORY_E_NOENT && --attempts > 0 && !sleep(1));
    if (c->fd < 0)
        dory_say(DORY_LOG_ERROR, "scp: %s", why);
    return c->fd;
}

static bool log_in(struct dory_client *c)
{
    dory_client_auth_begin(c);
    while (!dory_client_is_over(c) && !(dory_ssh_state(&c->ssh) & DORY_READY)) dory_clients_step(&c, 1);
    dory_client_forget_keys(c);
    if (dory_client_is_over(c)) {
        transmit(c, dory_posix_now_ms());
        dory_client_report(c);
        return false;
    }
    c->auth.done = true;
    dory_say(DORY_LOG_DEBUG, "debug1: Authenticated to %s ([%s]:%u) using \"%s\".", c->host, c->address, c->port,
             dory_client_method_name(c->auth.last));
    return true;
}

/* A setting that says whom to trust or which way to go is never ignored. */
static bool is_possible(const struct dory_client *c)
{
    const struct dory_cli_ssh *o = &c->options->ssh;
    const char *name = o->unsupported;

    if (name)
        dory_say(DORY_LOG_ERROR, "scp: %s: %s is set for this host and not supported by this version", c->host, name);
    return !name;
}

static bool begin(struct dory_client *c)
{
    char why[1024];

    if (c->options->program)
        return (c->program = calloc(1, sizeof *c->program)) != NULL;
    if (!is_possible(c))
        return false;

    if (dory_cli_algorithms_choose(&c->algorithms, &c->options->ssh, why, sizeof why) < 0) {
        dory_say(DORY_LOG_ERROR, "scp: %s: %s", c->host, why);
        return false;
    }
    dory_client_prefer_known(c);
    if (dial(c) < 0)
        return false;
    configure(c);
    if (dory_ssh_init(&c->ssh, &c->config, dory_posix_now_ms()) < 0) {
        dory_say(DORY_LOG_ERROR, "scp: %s", dory_strerror(dory_ssh_error(&c->ssh)));
        return false;
    }
    dory_pump_init(&c->pump, &c->ssh, c->streams, DORY_CLIENT_CHANNELS, false);
    c->pump.extended = dory_client_on_stderr;
    c->pump.ctx = c;
    return log_in(c);
}

struct dory_client *dory_client_open(const struct dory_cli_options *options, const struct dory_cli_location *location)
{
    struct dory_client *c = malloc(sizeof *c);

    if (!c) {
        dory_say(DORY_LOG_ERROR, "scp: out of memory");
        return NULL;
    }
    memset(c, 0, offsetof(struct dory_client, rx));
    c->fd = -1;
    if (settle(c, options, location) && set_names(c, location) && begin(c))
        return c;
    dory_client_close(c);
    return NULL;
}

void dory_client_close(struct dory_client *c)
{
    if (!c)
        return;
    if (c->program)
        dory_program_end(c);
    free(c->program);
    if (c->pump.ssh) {
        dory_pump_stop(&c->pump);
        dory_ssh_disconnect(&c->ssh, SSH_DISCONNECT_BY_APPLICATION, "disconnected by user");
        c->free_at_us = 0;
        transmit(c, dory_posix_now_ms());
        dory_ssh_wipe(&c->ssh);
    }
    if (c->fd >= 0)
        close(c->fd);
    dory_client_forget_keys(c);
    dory_client_end_proxy(c);
    dory_wipe(&c->auth, sizeof c->auth);
    free(c);
}
