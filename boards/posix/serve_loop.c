/* The poll loop: who is served when, who may come in, and the end. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "serve.h"

#define ACCEPTS_A_TURN 16
#define ACCEPT_PAUSE_MS 50 /* no room for newcomers just now */
#define STRANGER_MS 1500
#define LOGIN_MS 20000

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
}

/* ---- closing ---- */

void dory_serve_linger(struct serve *serve, int fd)
{
    unsigned at = 0;

    if (shutdown(fd, SHUT_WR) != 0) {
        close(fd);
        return;
    }
    for (unsigned i = 0; i < SERVE_LINGERS; i++) {
        if (serve->lingers[i].fd < 0) {
            at = i;
            break;
        }
        if (serve->lingers[i].until < serve->lingers[at].until)
            at = i;
    }
    if (serve->lingers[at].fd >= 0)
        close(serve->lingers[at].fd);
    serve->lingers[at].fd = fd;
    serve->lingers[at].poll_at = -1;
    serve->lingers[at].until = serve->now + SERVE_LINGER_MS;
}

static void drain_linger(struct serve *serve, unsigned i, short revents)
{
    char bin[4096];
    ssize_t n = 1;

    if (revents)
        n = recv(serve->lingers[i].fd, bin, sizeof bin, 0);
    if (n > 0 && serve->now < serve->lingers[i].until)
        return;
    if (n < 0 && (errno == EAGAIN || errno == EINTR) && serve->now < serve->lingers[i].until)
        return;
    close(serve->lingers[i].fd);
    serve->lingers[i].fd = -1;
}

/* ---- coming in ---- */

/* In words that a stock client shows: SSH_MSG_DISCONNECT (RFC 4253 11.1) before any key exchange. */
static void turn_away(struct serve *serve, int fd, const struct sockaddr *address, socklen_t address_n)
{
    static const char text[] = "too many sessions, try again later";
    uint8_t packet[128] = {0};
    size_t n = sizeof text - 1, payload = 1 + 4 + 4 + n + 4, padding = 8 - (5 + payload) % 8;
    static const char version[] = "SSH-2.0-" DORY_SOFTWARE "\r\n";
    char peer[SERVE_PEER_MAX];

    dory_serve_name_address(address, address_n, NULL, peer);
    if (padding < 4)
        padding += 8;
    packet[3] = (uint8_t)(1 + payload + padding);
    packet[4] = (uint8_t)padding;
    packet[5] = 1; /* SSH_MSG_DISCONNECT */
    packet[9] = SSH_DISCONNECT_TOO_MANY_CONNECTIONS;
    packet[13] = (uint8_t)n;
    memcpy(packet + 14, text, n);
    if (send(fd, version, sizeof version - 1, MSG_NOSIGNAL | MSG_MORE) > 0)
        (void)!send(fd, packet, 5 + payload + padding, MSG_NOSIGNAL);
    dory_serve_log("%s: turned away: too many sessions", peer);
    dory_serve_linger(serve, fd);
}

static unsigned half_open_of(const struct serve *serve, const char *address)
{
    unsigned n = 0;

    for (unsigned i = 0; i < serve->options.max_sessions; i++) {
        const struct serve_session *session = &serve->sessions[i];

        n += session->live && !session->authenticated && (!address || strcmp(session->address, address) == 0);
    }
    return n;
}

/* Who goes when logins under way leave no room: the oldest of the address that has most of them. One without a key exchange may have to go
   after STRANGER_MS, one that may be typing a password after LOGIN_MS; before that newcomers wait in the kernel's queue. */
static struct serve_session *find_victim(const struct serve *serve)
{
    struct serve_session *victim = NULL;
    unsigned most = 0;

    for (unsigned i = 0; i < serve->options.max_sessions; i++) {
        struct serve_session *session = &serve->sessions[i];
        struct dory_ssh_names names;
        unsigned count;

        if (!session->live || session->authenticated || session->ending)
            continue;
        dory_ssh_names(&session->ssh, &names);
        if (serve->now - session->started < (names.cipher_in[0] ? LOGIN_MS : STRANGER_MS))
            continue;
        count = half_open_of(serve, session->address);
        if (!victim || count > most || (count == most && session->started < victim->started)) {
            most = count;
            victim = session;
        }
    }
    return victim;
}

static struct serve_session *free_session(struct serve *serve)
{
    for (unsigned i = 0; i < serve->options.max_sessions; i++)
        if (!serve->sessions[i].live)
            return &serve->sessions[i];
    return NULL;
}

/* Half of the sessions, rounded up, are for logins under way; the others cannot be taken by those who never log in.
   NULL: no room now; *full: nor soon, all have logged in. */
static struct serve_session *make_room(struct serve *serve, bool *full)
{
    struct serve_session *room = free_session(serve), *victim;
    unsigned half_open = half_open_of(serve, NULL);

    *full = !room && !half_open;
    if (room && half_open < (serve->options.max_sessions + 1) / 2)
        return room;
    victim = find_victim(serve);
    if (!victim)
        return NULL;
    dory_session_disconnect(victim, SSH_DISCONNECT_TOO_MANY_CONNECTIONS, "too many logins at once");
    return free_session(serve);
}

/* True: there may be more. */
static bool accept_one(struct serve *serve, int listener)
{
    struct sockaddr_storage address;
    socklen_t n = sizeof address;
    bool full;
    struct serve_session *session = make_room(serve, &full);
    int fd;

    if (!session && !full) {
        serve->accept_after = serve->now + ACCEPT_PAUSE_MS;
        return false;
    }
    fd = accept4(listener, (struct sockaddr *)&address, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            serve->accept_after = serve->now + ACCEPT_PAUSE_MS;
        return errno == ECONNABORTED || errno == EINTR;
    }
    if (session && dory_session_begin(serve, session, fd, (struct sockaddr *)&address, n))
        dory_session_turn(session, 0);
    else
        turn_away(serve, fd, (struct sockaddr *)&address, n);
    return true;
}

/* ---- the loop ---- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Where in serve->polls the events of this descriptor will be found. */
static int watch(struct serve *serve, int fd, short events)
{
    if (!events)
        return -1;
    serve->polls[serve->poll_count] = (struct pollfd){.fd = fd, .events = events};
    return (int)serve->poll_count++;
}

static short seen(const struct serve *serve, int at)
{
    return at < 0 ? 0 : serve->polls[at].revents;
}

static uint64_t prepare_session(struct serve *serve, struct serve_session *session)
{
    session->poll_at = watch(serve, session->fd, dory_session_interest(session));
    if (session->again)
        return 0;
    if (serve->now < serve->password_after && (dory_ssh_state(&session->ssh) & DORY_EVENT))
        return sooner(session->wake, serve->password_after);
    return session->ending ? session->end_by : session->wake;
}

/* Only what is watched goes to poll: it takes no more entries than there are descriptors. Returns when to wake up at the latest. */
static uint64_t prepare(struct serve *serve)
{
    uint64_t wake = serve->stop_by ? serve->stop_by : UINT64_MAX;
    bool accepting = serve->now >= serve->accept_after;

    serve->poll_count = 0;
    if (serve->socket_count && !accepting)
        wake = serve->accept_after;
    for (unsigned i = 0; i < serve->socket_count; i++)
        serve->sockets[i].poll_at = watch(serve, serve->sockets[i].fd, accepting ? POLLIN : 0);
    for (unsigned i = 0; i < serve->options.max_sessions; i++)
        if (serve->sessions[i].live)
            wake = sooner(wake, prepare_session(serve, &serve->sessions[i]));
    for (unsigned i = 0; i < SERVE_LINGERS; i++) {
        serve->lingers[i].poll_at = -1;
        if (serve->lingers[i].fd < 0)
            continue;
        serve->lingers[i].poll_at = watch(serve, serve->lingers[i].fd, POLLIN);
        wake = sooner(wake, serve->lingers[i].until);
    }
    return wake;
}

static void wait_until(struct serve *serve, uint64_t wake, const sigset_t *mask)
{
    uint64_t ms = wake > serve->now ? wake - serve->now : 0;
    struct timespec limit = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    const struct timespec pause = {.tv_nsec = 100000000};

    if (ppoll(serve->polls, serve->poll_count, wake == UINT64_MAX ? NULL : &limit, mask) < 0) {
        if (errno != EINTR)
            nanosleep(&pause, NULL); /* no memory: others end meanwhile */
        for (unsigned i = 0; i < serve->poll_count; i++)
            serve->polls[i].revents = 0;
    }
    serve->now = dory_posix_now_ms();
}

static bool anybody(const struct serve *serve)
{
    for (unsigned i = 0; i < serve->options.max_sessions; i++)
        if (serve->sessions[i].live)
            return true;
    for (unsigned i = 0; i < SERVE_LINGERS; i++)
        if (serve->lingers[i].fd >= 0)
            return true;
    return false;
}

static bool is_due(const struct serve *serve, const struct serve_session *session, short revents)
{
    return revents || session->again || session->ending || serve->now >= session->wake ||
           (dory_ssh_state(&session->ssh) & DORY_EVENT);
}

/* Sessions before newcomers: a free place is seen first. Each turn begins with another one: what is rationed, the checking of passwords,
   is not always the first one's. */
static void turn(struct serve *serve)
{
    serve->first = (serve->first + 1) % serve->options.max_sessions;
    for (unsigned n = 0; n < serve->options.max_sessions; n++) {
        struct serve_session *session = &serve->sessions[(serve->first + n) % serve->options.max_sessions];
        short revents = session->live ? seen(serve, session->poll_at) : 0;

        if (session->live && is_due(serve, session, revents))
            dory_session_turn(session, revents);
    }
    for (unsigned i = 0; i < SERVE_LINGERS; i++)
        if (serve->lingers[i].poll_at >= 0)
            drain_linger(serve, i, seen(serve, serve->lingers[i].poll_at));
    for (unsigned i = 0; i < serve->socket_count; i++)
        for (int n = 0; n < ACCEPTS_A_TURN && seen(serve, serve->sockets[i].poll_at) && accept_one(serve, serve->sockets[i].fd); n++)
            ;
}

static void begin_stop(struct serve *serve)
{
    serve->stop_by = serve->now + SERVE_END_MS;
    for (unsigned i = 0; i < serve->socket_count; i++)
        close(serve->sockets[i].fd);
    serve->socket_count = 0;
    for (unsigned i = 0; i < serve->options.max_sessions; i++)
        if (serve->sessions[i].live)
            dory_session_disconnect(&serve->sessions[i], SSH_DISCONNECT_BY_APPLICATION, "the server is going down");
}

/* Signals come only while the loop waits. */
static void prepare_signals(sigset_t *while_waiting)
{
    struct sigaction action = {.sa_handler = on_signal};
    const int stops[] = {SIGTERM, SIGINT, SIGHUP};
    sigset_t block;

    sigemptyset(&block);
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        sigaction(stops[i], &action, NULL);
        sigaddset(&block, stops[i]);
    }
    sigprocmask(SIG_BLOCK, &block, while_waiting);
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
        sigdelset(while_waiting, stops[i]);
    signal(SIGPIPE, SIG_IGN);
}

int dory_serve_loop(struct serve *serve)
{
    sigset_t while_waiting;

    prepare_signals(&while_waiting);
    for (;;) {
        uint64_t wake;

        if (stop_signal && !serve->stop_by)
            begin_stop(serve);
        if (serve->stop_by && (serve->now >= serve->stop_by || !anybody(serve)))
            break;
        wake = prepare(serve);
        wait_until(serve, wake, &while_waiting);
        turn(serve);
    }
    dory_serve_log("stopped");
    return 0;
}
