/* One connection: bytes in and out, events, and how it ends. Every call does a bounded amount of work and none waits. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "algorithms.h"
#include "offers.h"
#include "platform/posix/dory_posix_net.h"
#include "serve.h"

/* A read shorter than this ends a burst: the peer may be waiting for the acknowledgement. */
#define SHORT_READ 4096
/* What one session may do before the others have their turn: rounds of work and write, packets in a round, bytes written in all. */
#define ROUNDS 4
#define PACKETS 64
#define FAIR_SHARE (128 * 1024)

static void configure(struct serve_session *session)
{
    const struct serve *serve = session->serve;
    const struct serve_options *options = &serve->options;

    session->config = (struct dory_ssh_config){
        .role = &dory_ssh_server,
        .software = DORY_SOFTWARE,
        .rng = serve->rng,
        .kex = dory_kex_list,
        .ciphers = dory_cipher_list(),
        .macs = dory_mac_list,
        .signatures = dory_signature_list,
        .hostkeys = serve->hostkeys,
        .hostkey_count = serve->hostkey_count,
        .rx = session->rx,
        .rx_size = sizeof session->rx,
        .read_ahead = true,
        .tx = session->tx,
        .tx_size = sizeof session->tx,
        .channels = session->channels,
        .channel_count = SERVE_CHANNELS,
        .window = SERVE_FIRST_WINDOW,
        .login_grace_ms = options->login_grace_s * 1000,
        .idle_ms = options->idle_s * 1000,
        .auth_methods = (uint8_t)((options->authorized_keys ? DORY_AUTH_PUBLICKEY : 0) |
                                  (options->password_file ? DORY_AUTH_PASSWORD | DORY_AUTH_KEYBOARD_INTERACTIVE : 0)),
        .auth_tries = (uint8_t)options->max_auth_tries,
    };
}

bool dory_session_begin(struct serve *serve, struct serve_session *session, int fd, const struct sockaddr *address, socklen_t n)
{
    int on = 1, error;

    memset(session, 0, offsetof(struct serve_session, fs));
    session->serve = serve;
    session->fd = fd;
    session->started = serve->now;
    session->method = "none";
    for (int i = 0; i < SERVE_CHANNELS; i++)
        session->work[i].kind = WORK_NONE;
    dory_serve_name_address(address, n, session->address, session->peer);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    configure(session);
    error = dory_posix_fs_init_fd(&session->fs, serve->root_fd, serve->options.read_only ? DORY_POSIX_FS_READ_ONLY : 0);
    if (error == DORY_OK) {
        error = dory_ssh_init(&session->ssh, &session->config, serve->now);
        if (error != DORY_OK)
            dory_posix_fs_close(&session->fs);
    }
    if (error != DORY_OK) {
        dory_serve_log("%s: cannot begin a session: %s", session->peer, dory_strerror(error));
        return false;
    }
    dory_pump_init(&session->pump, &session->ssh, session->streams, SERVE_CHANNELS, true);
    session->pump.window = SERVE_WINDOW;
    session->live = true;
    session->poll_at = -1;
    return true;
}

static void read_socket(struct serve_session *session)
{
    size_t room;
    uint8_t *buf = dory_ssh_recvpkt_buf(&session->ssh, &room);
    ssize_t n;

    if (!buf || session->peer_closed)
        return;
    n = recv(session->fd, buf, room, 0);
    if (n > 0) {
        dory_ssh_recvpkt_ack(&session->ssh, (size_t)n);
        if (n < SHORT_READ)
            dory_net_quickack(session->fd);
    } else if (n == 0) {
        session->peer_closed = true;
    } else if (errno != EAGAIN && errno != EINTR) {
        session->peer_closed = true;
        session->socket_error = errno;
    }
}

/* True: the socket took everything. After a write error output is thrown away, but what the peer sent before it left is still read. */
static bool write_socket(struct serve_session *session, size_t *written)
{
    const uint8_t *buf;
    size_t n;

    while ((buf = dory_ssh_sendpkt_buf(&session->ssh, &n)) && n) {
        ssize_t sent = session->write_dead ? (ssize_t)n : send(session->fd, buf, n, MSG_NOSIGNAL);

        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (sent < 0) {
            session->write_dead = true;
            session->socket_error = errno;
            continue;
        }
        dory_ssh_sendpkt_ack(&session->ssh, (size_t)sent);
        *written += (size_t)sent;
        if ((size_t)sent < n)
            return false;
    }
    return true;
}

static void join_names(char out[96], const char *cipher, const char *mac)
{
    snprintf(out, 96, "%s%s%s", cipher, mac[0] ? " " : "", mac);
}

static void report_login(struct serve_session *session)
{
    struct dory_ssh_names names;
    char in[96], out[96];
    bool same;

    dory_ssh_names(&session->ssh, &names);
    join_names(in, names.cipher_in, names.mac_in);
    join_names(out, names.cipher_out, names.mac_out);
    same = strcmp(in, out) == 0;
    dory_serve_log("%s: user %s logged in: %s, %s, %s, %s%s%s, %s", session->peer, session->user, names.peer_version, names.kex,
                   names.hostkey, in, same ? "" : " in and ", same ? "" : out,
                   dory_ssh_is_strict(&session->ssh) ? "strict key exchange" : "not strict");
}

/* True: an event was answered. */
static bool answer(struct serve_session *session)
{
    struct dory_event event;
    bool was = session->authenticated;

    switch (dory_ssh_event(&session->ssh, &event)) {
    case DORY_EV_NONE:
        return false;
    case DORY_EV_SIGN:
        return dory_session_sign(session, &event);
    case DORY_EV_AUTH_REQUEST:
        if (!dory_session_authenticate(session, &event))
            return false;
        if (session->authenticated && !was && session->serve->options.verbose)
            report_login(session);
        return true;
    case DORY_EV_CHANNEL_REQUEST:
        dory_session_force(session, &event);
        dory_session_request(session, &event);
        return true;
    default:
        dory_ssh_refuse(&session->ssh);
        return true;
    }
}

/* True: an SFTP conversation could go on at once. */
static bool is_copying(struct serve_session *session)
{
    bool more = false;

    for (int i = 0; i < SERVE_CHANNELS; i++) {
        if (session->work[i].kind != WORK_SFTP)
            continue;
        more |= session->work[i].engine.sftp.copying;
        session->work[i].engine.sftp.copying = false;
    }
    return more;
}

/* True: something moved. */
static bool work(struct serve_session *session)
{
    bool moved = answer(session);
    unsigned pumped = dory_pump(&session->pump, PACKETS);

    moved |= dory_session_channels(session);
    session->again = is_copying(session) || (pumped & DORY_PUMP_AGAIN);
    return moved || (pumped & DORY_PUMP_MOVED);
}

static const char *ending(const struct serve_session *session, char *buf, size_t cap)
{
    int error = dory_ssh_error(&session->ssh);
    size_t n;
    const uint8_t *detail = dory_ssh_error_detail(&session->ssh, &n);
    const char *text = dory_ssh_error_text(&session->ssh);
    char shown[200] = "";

    if (session->sent_away)
        return session->sent_away;
    if (error == DORY_E_DISCONNECTED && dory_ssh_disconnect_reason(&session->ssh) == SSH_DISCONNECT_BY_APPLICATION)
        return "closed by the client";
    if (error == DORY_OK || error == DORY_E_CUT) {
        if (session->socket_error)
            return strerror(session->socket_error);
        return session->authenticated ? "closed by the client" : "the client went away";
    }
    if (detail && error != DORY_E_NO_COMMON)
        dory_escape_text(shown, sizeof shown, detail, n);
    snprintf(buf, cap, "%s%s%s%s%s", dory_strerror(error), text[0] ? ": " : "", text, shown[0] ? ": " : "", shown);
    return buf;
}

static void log_offer(void *ctx, const char *line)
{
    const struct serve_session *session = ctx;

    dory_serve_log("%s: %s", session->peer, line);
}

static void report_end(struct serve_session *session)
{
    char buf[512];
    const char *how = ending(session, buf, sizeof buf);
    uint64_t s = (session->serve->now - session->started) / 1000;

    if (session->authenticated)
        dory_serve_log("%s: session of %s (%s%s%s), %u transfer%s, %" PRIu64 " s: %s", session->peer, session->user, session->method,
                       session->fingerprint[0] ? " " : "", session->fingerprint, session->transfers,
                       session->transfers == 1 ? "" : "s", s, how);
    else
        dory_serve_log("%s: session without login%s%s%s%s, %" PRIu64 " s: %s", session->peer, session->user[0] ? " as " : "", session->user,
                       session->fingerprint[0] ? ", last key " : "", session->fingerprint, s, how);
    if (dory_ssh_error(&session->ssh) == DORY_E_NO_COMMON)
        dory_offers(&session->ssh, &session->config, true, log_offer, session);
}

static void end(struct serve_session *session)
{
    report_end(session);
    dory_posix_fs_close(&session->fs);
    dory_ssh_wipe(&session->ssh);
    dory_serve_linger(session->serve, session->fd);
    session->live = false;
}

/* The connection is over: nothing half done stays, the last words go out if the peer takes them in time. */
static void wind_up(struct serve_session *session)
{
    size_t written = 0;

    if (!session->ending) {
        session->ending = true;
        session->end_by = session->serve->now + SERVE_END_MS;
        dory_session_stop_channels(session);
    }
    if (write_socket(session, &written) || session->serve->now >= session->end_by)
        end(session);
}

short dory_session_interest(struct serve_session *session)
{
    unsigned state = dory_ssh_state(&session->ssh);
    short events = 0;

    if ((state & DORY_RECVPKT) && !session->peer_closed)
        events |= POLLIN;
    if (state & DORY_SENDPKT)
        events |= POLLOUT;
    return events;
}

void dory_session_turn(struct serve_session *session, short revents)
{
    bool moved = true, blocked = false;
    size_t written = 0;

    if (revents & (POLLIN | POLLHUP | POLLERR))
        read_socket(session);
    session->again = false;
    for (int round = 0; moved && round < ROUNDS && written < FAIR_SHARE; round++) {
        moved = work(session);
        blocked = blocked || !write_socket(session, &written);
    }
    session->again |= moved;
    session->wake = dory_ssh_tick(&session->ssh, session->serve->now);
    if (session->peer_closed && !session->again && !(dory_ssh_state(&session->ssh) & (DORY_EVENT | DORY_DONE)))
        dory_ssh_recvpkt_eof(&session->ssh);
    if (dory_ssh_state(&session->ssh) & DORY_DONE)
        wind_up(session);
}

void dory_session_disconnect(struct serve_session *session, enum dory_disconnect reason, const char *text)
{
    if (dory_ssh_error(&session->ssh) == DORY_OK)
        session->sent_away = text;
    dory_session_stop_channels(session);
    dory_ssh_disconnect(&session->ssh, reason, text);
    wind_up(session);
}
