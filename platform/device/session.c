/* One connection: bytes in and out, events, and what runs on its one channel. Every call does a bounded amount of work and none waits. */
#include <string.h>

#include "device_internal.h"

enum { IDLE, STREAM, COMMAND, SENT }; /* session->work */
enum { ROUNDS = 8, PACKETS = 4, BUSY_MS = 1, END_MS = 2000 };
enum { GRACE_MS = 120 * 1000, IDLE_MS = 10 * 60 * 1000, KEEPALIVE_MS = 30 * 1000 };

/* ---- the log */

void dory_i_session_say(struct dory_device_session *session, const char *format, ...)
{
    char buf[DORY_FLASH_LINE_MAX], peer[DORY_CONN_PEER_MAX];
    struct dory_text text;
    va_list args;

    session->ops->peer(session->conn, peer);
    dory_text_init(&text, buf, sizeof buf);
    dory_text_say(&text, "%s: ", peer);
    va_start(args, format);
    dory_text_vsay(&text, format, args);
    va_end(args);
    dory_device_log(session->device, buf);
}

static void on_end(void *ctx, const char *path, uint64_t size, int status)
{
    struct dory_device_session *session = ctx;

    dory_i_session_say(session, "%s of %b, %u bytes: %s", session->command.words.flags & DORY_SCP_TO ? "upload" : "download", path, strlen(path),
                       (uint32_t)size, status ? dory_strerror(status) : "done");
    session->device->transfers += !status;
}

static const struct dory_transfer_events events = {.end = on_end};

/* ---- what clients ask for */

static bool names_scp(const char *line)
{
    return strncmp(line, "scp", 3) == 0 && (line[3] == ' ' || line[3] == '\t' || !line[3]);
}

static void refuse_command(struct dory_device_session *session, const char *why, const char *what)
{
    struct dory_device_output *out = &session->engine.output;

    session->work = COMMAND;
    out->command = NULL;
    out->sent = 0;
    out->status = 127;
    dory_text_init(&out->text, out->buf, sizeof out->buf);
    dory_text_say(&out->text, "%b%s%s\n", what, strcspn(what, " \t"), *what ? ": " : "", why);
}

static void start_command(struct dory_device_session *session, const char *line)
{
    struct dory_device_output *out = &session->engine.output;
    const char *args;
    const struct dory_device_command *command = dory_i_device_command(session->device, line, false, &args);
    size_t n;

    if (!command) {
        refuse_command(session, "no such command here; `help` lists them", line);
        return;
    }
    session->work = COMMAND;
    n = strlen(args);
    while (n && (args[n - 1] == ' ' || args[n - 1] == '\t'))
        n--;
    memmove(out->args, args, n);
    out->args[n] = '\0';
    out->command = command;
    out->sent = 0;
}

static void start_scp(struct dory_device_session *session, const char *line, int channel)
{
    struct dory_scp_config config = {.fs = &session->device->flash.fs, .item = dory_scp_flat_item, .item_ctx = &session->command, .events = &events,
                                     .events_ctx = session};

    if (dory_scp_flat_parse(&session->command, config.fs, line, strlen(line)) != DORY_OK) {
        refuse_command(session, session->command.words.error ? session->command.words.error : "bad command line", "scp");
        return;
    }
    session->work = STREAM;
    config.flags = session->command.words.flags;
    if (config.flags & DORY_SCP_TO)
        dory_scp_sink_init(&session->engine.sink, &config);
    else
        dory_scp_source_init(&session->engine.source, &config);
    dory_pump_attach(&session->pump, channel, &session->engine.stream);
}

static bool start_subsystem(struct dory_device_session *session, const struct dory_event *event)
{
    const struct dory_device_subsystem *subsystem = session->device->config->subsystem;

    if (!subsystem || event->n != strlen(subsystem->name) || memcmp(event->data, subsystem->name, event->n) != 0 ||
        subsystem->size > sizeof session->engine)
        return false;
    session->work = STREAM;
    subsystem->init(&session->engine, session);
    dory_pump_attach(&session->pump, event->channel, &session->engine.stream);
    return true;
}

static void request(struct dory_device_session *session, const struct dory_event *event)
{
    char line[DORY_COMMAND_MAX];

    if (event->request != DORY_REQUEST_EXEC) {
        if (start_subsystem(session, event))
            dory_ssh_accept(&session->ssh);
        else
            dory_ssh_refuse(&session->ssh);
        return;
    }
    if (event->n >= sizeof line || memchr(event->data, 0, event->n)) {
        refuse_command(session, "the command line is too long for this device", "");
    } else {
        memcpy(line, event->data, event->n);
        line[event->n] = '\0';
        if (names_scp(line + strspn(line, " \t")))
            start_scp(session, line, event->channel);
        else
            start_command(session, line);
    }
    dory_ssh_accept(&session->ssh);
}

/* Runs what is to run, then sends what it said: to stderr if it failed. True: something moved. */
static bool work(struct dory_device_session *session)
{
    struct dory_device_output *out = &session->engine.output;
    size_t room;
    uint8_t *buf;

    if (session->work != COMMAND)
        return false;
    if (out->command) {
        dory_text_init(&out->text, out->buf, sizeof out->buf);
        out->status = out->command->run(session->device, out->args, &out->text);
        if (out->status == DORY_E_AGAIN) {
            session->again = true;
            return false;
        }
        out->command = NULL;
    }
    if (out->sent == out->text.n) {
        if (dory_ssh_channel_exit(&session->ssh, 0, (uint32_t)out->status) != DORY_OK)
            return false;
        session->work = SENT;
        return true;
    }
    buf = dory_ssh_senddata_buf(&session->ssh, 0, out->status ? SSH_EXTENDED_DATA_STDERR : 0, &room);
    if (!buf)
        return false;
    if (room > out->text.n - out->sent)
        room = out->text.n - out->sent;
    memcpy(buf, out->buf + out->sent, room);
    out->sent += room;
    dory_ssh_senddata_ack(&session->ssh, room);
    return true;
}

static void stop_work(struct dory_device_session *session)
{
    dory_pump_attach(&session->pump, 0, NULL);
    session->work = IDLE;
}

static bool close_channel(struct dory_device_session *session)
{
    if (!(dory_ssh_channel_state(&session->ssh, 0) & DORY_CH_CLOSED))
        return false;
    stop_work(session);
    dory_ssh_channel_release(&session->ssh, 0);
    return true;
}

/* ---- events */

static void sign(struct dory_device_session *session, const struct dory_event *event)
{
    const struct dory_key *key = &session->device->key;
    uint8_t blob[128];
    int n = key->type->sign(key, event->algorithm, event->data, event->n, blob, sizeof blob, &session->device->rng);

    if (n > 0)
        dory_ssh_sign(&session->ssh, blob, (size_t)n);
    else
        dory_ssh_refuse(&session->ssh);
}

static void log_in(struct dory_device_session *session, const struct dory_event *event)
{
    char how[DEVICE_FINGERPRINT] = "password";

    session->authenticated = true;
    session->device->logins++;
    if (event->method == DORY_AUTH_PUBLICKEY)
        dory_i_device_fingerprint(how, event->key, event->key_n);
    dory_i_session_say(session, "login of %b, %s", event->user, event->user_n, how);
}

/* False: not answered yet. */
static bool authenticate(struct dory_device_session *session, const struct dory_event *event)
{
    int r = dory_i_device_authenticate(session, event);

    if (r == DORY_E_AGAIN) {
        session->again = true;
        return false;
    }
    if (r == 1 && (event->signed_ok || event->method != DORY_AUTH_PUBLICKEY))
        log_in(session, event);
    if (r == 1) {
        dory_ssh_accept(&session->ssh);
    } else {
        session->refused |= event->method != DORY_AUTH_NONE;
        dory_ssh_refuse(&session->ssh);
    }
    return true;
}

/* True: an event was answered. */
static bool answer(struct dory_device_session *session)
{
    struct dory_event event;

    switch (dory_ssh_event(&session->ssh, &event)) {
    case DORY_EV_NONE: return false;
    case DORY_EV_SIGN: sign(session, &event); return true;
    case DORY_EV_AUTH_REQUEST: return authenticate(session, &event);
    case DORY_EV_CHANNEL_REQUEST: request(session, &event); return true;
    default: dory_ssh_refuse(&session->ssh); return true;
    }
}

/* ---- bytes */

static bool move_in(struct dory_device_session *session)
{
    size_t room, n;
    uint8_t *to = dory_ssh_recvpkt_buf(&session->ssh, &room);
    const uint8_t *from = to ? session->ops->recv_buf(session->conn, &n) : NULL;

    if (!from || !n)
        return false;
    if (n > room)
        n = room;
    memcpy(to, from, n);
    dory_ssh_recvpkt_ack(&session->ssh, n);
    session->ops->recv_ack(session->conn, n);
    return true;
}

static bool move_out(struct dory_device_session *session)
{
    const uint8_t *from;
    bool moved = false;
    size_t n, sent;

    while ((from = dory_ssh_sendpkt_buf(&session->ssh, &n)) != NULL && n) {
        sent = session->ops->send(session->conn, from, n);
        if (!sent)
            break;
        dory_ssh_sendpkt_ack(&session->ssh, sent);
        moved = true;
    }
    return moved;
}

/* ---- life */

void dory_i_session_begin(struct dory_device_session *session, const struct dory_conn_ops *ops, void *conn)
{
    struct dory_device *device = session->device;
    const struct dory_device_config *config = device->config;

    memset(session, 0, offsetof(struct dory_device_session, engine));
    session->device = device;
    session->ops = ops;
    session->conn = conn;
    session->started = device->now;
    session->config = (struct dory_ssh_config){
        .role = &dory_ssh_server, .software = DEVICE_SOFTWARE, .rng = device->rng,
        .kex = config->kex, .ciphers = config->ciphers, .macs = config->macs, .signatures = config->signatures,
        .hostkeys = &device->hostkey, .hostkey_count = 1,
        .rx = session->rx, .rx_size = sizeof session->rx, .tx = session->tx, .tx_size = sizeof session->tx,
        .channels = &session->channel, .channel_count = 1,
        .login_grace_ms = GRACE_MS, .idle_ms = IDLE_MS, .keepalive_ms = KEEPALIVE_MS,
        .auth_methods = DORY_AUTH_PUBLICKEY | DORY_AUTH_PASSWORD | DORY_AUTH_KEYBOARD_INTERACTIVE};
    dory_pump_init(&session->pump, &session->ssh, session->streams, 1, true);
    if (dory_ssh_init(&session->ssh, &session->config, device->now) != DORY_OK)
        dory_i_session_abort(session);
}

static void forget(struct dory_device_session *session)
{
    stop_work(session);
    dory_i_device_leave_password(session);
    dory_ssh_wipe(&session->ssh);
    session->ops = NULL;
}

void dory_i_session_abort(struct dory_device_session *session)
{
    session->ops->abort(session->conn);
    forget(session);
}

static void end(struct dory_device_session *session, bool all_said)
{
    int error = dory_ssh_error(&session->ssh);
    bool orderly = error == DORY_OK || error == DORY_E_CLOSED || error == DORY_E_CUT || error == DORY_E_DISCONNECTED;
    const char *text = dory_ssh_error_text(&session->ssh);

    if (!session->authenticated || !orderly)
        dory_i_session_say(session, "%s%s: %s", session->authenticated ? "ended" : "no login", session->refused ? ", keys or passwords refused" : "",
                           *text ? text : dory_strerror(error));
    (all_said ? session->ops->close : session->ops->abort)(session->conn);
    forget(session);
}

/* The connection is over: nothing half done stays, the last words go out if the peer takes them in time. If not, what TCP still holds for it
   is given up too: others need that memory. */
static void wind_up(struct dory_device_session *session)
{
    size_t left;

    if (!session->ending) {
        session->ending = true;
        session->end_by = session->device->now + END_MS;
        stop_work(session);
        dory_i_device_leave_password(session);
    }
    move_out(session);
    if (!dory_ssh_sendpkt_buf(&session->ssh, &left) || !left)
        end(session, true);
    else if (session->device->now >= session->end_by)
        end(session, false);
}

void dory_i_session_disconnect(struct dory_device_session *session, const char *text)
{
    stop_work(session);
    dory_ssh_disconnect(&session->ssh, SSH_DISCONNECT_BY_APPLICATION, text);
}

/* The peer sends no more, and all that it sent was taken. */
static bool is_cut(const struct dory_device_session *session)
{
    size_t n;

    return session->ops->state(session->conn) >= DORY_CONN_ENDED && !session->ops->recv_buf(session->conn, &n) && !session->again &&
           !(dory_ssh_state(&session->ssh) & (DORY_EVENT | DORY_DONE));
}

/* A stream that waits for the flash looks like one that waits for the peer: it is asked again soon in either case. */
static bool is_running(const struct dory_device_session *session)
{
    const struct dory_stream *stream = session->streams[0];

    return stream && stream->ops->status(stream) == DORY_E_AGAIN;
}

uint32_t dory_i_session_turn(struct dory_device_session *session)
{
    bool moved = true;
    unsigned pumped;

    for (int round = 0; moved && round < ROUNDS; round++) {
        session->again = false;
        moved = move_in(session);
        moved |= answer(session);
        pumped = dory_pump(&session->pump, PACKETS);
        moved |= (pumped & DORY_PUMP_MOVED) != 0;
        session->again |= (pumped & DORY_PUMP_AGAIN) != 0;
        moved |= work(session);
        moved |= close_channel(session);
        moved |= move_out(session);
    }
    session->wake = dory_ssh_tick(&session->ssh, session->device->now);
    if (!moved && is_cut(session))
        dory_ssh_recvpkt_eof(&session->ssh);
    if (dory_ssh_state(&session->ssh) & DORY_DONE) {
        wind_up(session);
        return session->ops ? BUSY_MS : UINT32_MAX;
    }
    if (moved || session->wake <= session->device->now)
        return 0;
    if (session->again || is_running(session))
        return BUSY_MS;
    return session->wake - session->device->now < UINT32_MAX ? (uint32_t)(session->wake - session->device->now) : UINT32_MAX;
}
