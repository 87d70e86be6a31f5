#include "ssh_fuzz.h"

#include "ssh_peer.h"

enum { CLIENT_ENGINE = 1, STRICT = 2, READ_AHEAD = 4, MANUAL_EVENTS = 8, MANUAL_DATA = 16, ASK = 32 };
enum {
    RAW,
    SEALED,
    SEALED_TWICE,
    ACCEPT,
    REFUSE,
    CHOOSE,
    SIGN,
    TICK,
    SEND,
    TAKE,
    OPEN,
    END,
    REKEY,
    DRAIN,
    CUT,
    SAY_GOODBYE,
    PARTIAL,
    RESPOND,
    PROVE,
    WINDOW,
    DIRECT,
    STEPS
};

#define PROMISE(cond)                                                                                                                      \
    do {                                                                                                                                   \
        if (!(cond))                                                                                                                       \
            broken(#cond);                                                                                                                 \
    } while (0)

static void broken(const char *promise)
{
    fprintf(stderr, "broken promise: %s\n", promise);
    abort();
}

static struct dory_wire w;
static struct {
    bool is;
    size_t n;
    uint8_t name[DORY_USER_NAME_MAX];
} bound; /* the user who succeeded in part */

/* ---- starting points, made once ---- */

static struct start {
    bool made;
    struct dory_wire_saved saved;
} starts[WIRE_PHASES][8];

static void configure(unsigned flags)
{
    dory_pipe_free(&w.to_engine); /* the buffers belong to the starting points, the queues to nobody */
    dory_pipe_free(&w.from_engine);
    dory_pipe_free(&w.recorded);
    dory_wire_new(&w, flags & CLIENT_ENGINE ? &dory_ssh_client : &dory_ssh_server);
    if (!(flags & STRICT))
        w.lists[0] = "curve25519-sha256,ext-info-c";
    w.config.read_ahead = flags & READ_AHEAD;
    w.config.rx_size = 4096;
    w.config.tx_size = 4100;
    w.config.channel_count = 3;
    w.config.rekey_bytes = 100000;
    w.config.login_grace_ms = 100000;
    w.config.idle_ms = 200000;
    w.config.keepalive_ms = 30000;
    w.config.auth_methods = DORY_AUTH_PASSWORD | DORY_AUTH_PUBLICKEY | DORY_AUTH_NONE | DORY_AUTH_KEYBOARD_INTERACTIVE;
    w.config.hostkeys_wanted = flags & CLIENT_ENGINE;
    w.config.banner = "hello\r\n";
}

static void begin_at(enum dory_wire_phase phase, unsigned flags)
{
    struct start *s = &starts[phase][flags & 7];

    if (!s->made) {
        configure(flags);
        dory_wire_to(&w, phase);
        dory_wire_save(&w, &s->saved);
        s->made = true;
    }
    dory_wire_restore(&w, &s->saved);
    w.hold = flags & MANUAL_EVENTS ? ~0U : 0;
    w.hold_data = flags & MANUAL_DATA;
    w.auth_plan = flags & ASK ? DORY_AUTH_PUBLICKEY : DORY_AUTH_PASSWORD;
    w.auth_ask = flags & ASK;
    w.auth_limit = 20;
    bound.is = false;
}

/* ---- what must hold whatever comes ---- */

static bool inside(const uint8_t *p, size_t n, const uint8_t *buffer, size_t size)
{
    return n > 0 && p >= buffer && n <= size && p + n <= buffer + size;
}

static void check_windows(unsigned state)
{
    const struct dory_ssh_config *c = &w.config;
    struct dory_event e;
    uint32_t extended;
    int channel;
    size_t n;
    const uint8_t *p = dory_ssh_recvpkt_buf(&w.ssh, &n);

    PROMISE((p != NULL) == ((state & DORY_RECVPKT) != 0));
    PROMISE(!p || inside(p, n, c->rx, c->rx_size));
    p = dory_ssh_sendpkt_buf(&w.ssh, &n);
    PROMISE((p != NULL) == ((state & DORY_SENDPKT) != 0));
    PROMISE(!p || inside(p, n, c->tx, c->tx_size));
    p = dory_ssh_recvdata_buf(&w.ssh, &channel, &extended, &n);
    PROMISE((p != NULL) == ((state & DORY_RECVDATA) != 0));
    PROMISE(!p || (inside(p, n, c->rx, c->rx_size) && channel >= 0 && channel < c->channel_count && extended <= 1));
    PROMISE((dory_ssh_event(&w.ssh, &e) != DORY_EV_NONE) == ((state & DORY_EVENT) != 0));
    PROMISE(!e.data || e.n == 0 || inside(e.data, e.n, c->rx, c->rx_size) || inside(e.data, e.n, c->tx, c->tx_size) || e.data == w.ssh.h);
}

static void check(int *error, bool was_in)
{
    unsigned state = dory_ssh_state(&w.ssh);
    int now = dory_ssh_error(&w.ssh);

    PROMISE(*error == DORY_OK || now == *error);
    PROMISE((now != DORY_OK) == ((state & DORY_DONE) != 0));
    PROMISE(now == DORY_OK || !(state & (DORY_RECVPKT | DORY_RECVDATA | DORY_SENDDATA | DORY_EVENT)));
    PROMISE(was_in || !(state & DORY_READY) || w.server || w.logins > 0);
    PROMISE(was_in || !(state & DORY_READY) || !w.server || w.seen[MSG_USERAUTH_REQUEST] || w.events[DORY_EV_AUTH] > 0);
    PROMISE(now != DORY_E_ARG && now != DORY_E_STATE && now != DORY_E_AGAIN);
    check_windows(state);
    *error = now;
}

/* ---- steps ---- */

static uint8_t at(const uint8_t *arg, size_t n, size_t i)
{
    return i < n ? arg[i] : 0;
}

static bool proves(const struct dory_event *e)
{
    return e->type == DORY_EV_AUTH_REQUEST && (e->method != DORY_AUTH_PUBLICKEY || e->signed_ok);
}

static void manual_accept(bool yes)
{
    struct dory_event e;

    dory_ssh_event(&w.ssh, &e);
    PROMISE(!bound.is || !proves(&e) || (e.user_n == bound.n && memcmp(e.user, bound.name, bound.n) == 0));
    if (yes && proves(&e))
        w.logins++;
    w.event_counted = false;
    if (yes)
        dory_ssh_accept(&w.ssh);
    else
        dory_ssh_refuse(&w.ssh);
}

static void accept_partial(uint8_t methods)
{
    struct dory_event e;

    dory_ssh_event(&w.ssh, &e);
    w.event_counted = false;
    if (proves(&e) && e.user_n <= sizeof bound.name) {
        bound.is = true;
        bound.n = e.user_n;
        memcpy(bound.name, e.user, e.user_n);
    }
    dory_ssh_accept_partial(&w.ssh, methods);
}

static void respond(const uint8_t *arg, size_t n)
{
    struct dory_response responses[UINT8_MAX];
    struct dory_event e;
    const uint8_t *text;
    size_t text_n;
    unsigned i;
    bool echo;

    dory_ssh_event(&w.ssh, &e);
    for (i = 0; i < e.count && dory_ssh_prompt(&w.ssh, i, &text, &text_n, &echo); i++) {
        PROMISE(text_n == 0 || inside(text, text_n, w.config.rx, w.config.rx_size));
        responses[i] = (struct dory_response){arg, n < 100 ? n : 100};
    }
    PROMISE(e.type != DORY_EV_PROMPTS || (i == e.count && !dory_ssh_prompt(&w.ssh, i, &text, &text_n, &echo)));
    if (dory_ssh_auth_respond(&w.ssh, responses, e.count) == DORY_OK)
        w.event_counted = false;
}

static void prove(const uint8_t *arg, size_t n)
{
    if (dory_ssh_prove_hostkeys(&w.ssh, arg, n) == DORY_OK)
        w.event_counted = false;
}

static void choose(const uint8_t *arg, size_t n)
{
    switch (at(arg, n, 0) % 5) {
    case 0: dory_ssh_auth_none(&w.ssh); break;
    case 1: dory_ssh_auth_password(&w.ssh, arg, n); break;
    case 2: dory_ssh_auth_publickey(&w.ssh, "ssh-ed25519", w.userkey.blob, w.userkey.n, at(arg, n, 1) & 1); break;
    case 3: dory_ssh_auth_interactive(&w.ssh); break;
    default: dory_ssh_auth_publickey(&w.ssh, "ssh-ed25519", arg, n, at(arg, n, 1) & 1); break;
    }
}

static void send_channel_data(const uint8_t *arg, size_t n)
{
    size_t room, want = (size_t)at(arg, n, 1) * 20;
    uint8_t *p = dory_ssh_senddata_buf(&w.ssh, at(arg, n, 0) % 5 - 1, at(arg, n, 2) % 3 == 0, &room);

    PROMISE((p != NULL) == (room > 0));
    if (!p)
        return;
    PROMISE(inside(p, room, w.config.tx, w.config.tx_size));
    if (want > room)
        want = room;
    memset(p, 'f', want);
    dory_ssh_senddata_ack(&w.ssh, want);
}

static void take_data(const uint8_t *arg, size_t n)
{
    int channel;
    uint32_t extended;
    size_t have, want = 1 + (size_t)at(arg, n, 0) * 16;

    if (dory_ssh_recvdata_buf(&w.ssh, &channel, &extended, &have))
        dory_ssh_recvdata_ack(&w.ssh, want < have ? want : have);
}

static void end_channel(const uint8_t *arg, size_t n)
{
    int channel = at(arg, n, 0) % 5 - 1;

    switch (at(arg, n, 1) % 4) {
    case 0: dory_ssh_channel_eof(&w.ssh, channel); break;
    case 1: dory_ssh_channel_close(&w.ssh, channel); break;
    case 2: dory_ssh_channel_exit(&w.ssh, channel, at(arg, n, 2)); break;
    default: dory_ssh_channel_release(&w.ssh, channel); break;
    }
}

static void sealed(const uint8_t *arg, size_t n)
{
    if (n > 30000)
        n = 30000;
    if (w.keys_pending[0] && n && arg[0] == MSG_NEWKEYS)
        dory_wire_send_newkeys(&w);
    else
        dory_wire_send(&w, arg, n);
}

static void perform(unsigned what, const uint8_t *arg, size_t n)
{
    switch (what) {
    case RAW: dory_wire_raw(&w, arg, n); break;
    case SEALED_TWICE: sealed(arg, n); /* fallthrough */
    case SEALED: sealed(arg, n); break;
    case ACCEPT: manual_accept(true); break;
    case REFUSE: manual_accept(false); break;
    case CHOOSE: choose(arg, n); break;
    case SIGN: dory_ssh_sign(&w.ssh, arg, n); break;
    case TICK: dory_wire_tick(&w, (uint64_t)at(arg, n, 0) * at(arg, n, 1)); break;
    case SEND: send_channel_data(arg, n); break;
    case TAKE: take_data(arg, n); break;
    case OPEN:
        if (w.server)
            dory_ssh_channel_open(&w.ssh, at(arg, n, 0) & 1 ? DORY_REQUEST_EXEC : DORY_REQUEST_SUBSYSTEM, "word", 4);
        break;
    case END: end_channel(arg, n); break;
    case REKEY: dory_ssh_rekey(&w.ssh); break;
    case DRAIN: w.hold_drain = !w.hold_drain; break;
    case CUT: dory_ssh_recvpkt_eof(&w.ssh); break;
    case PARTIAL: accept_partial(at(arg, n, 0)); break;
    case RESPOND: respond(arg, n); break;
    case PROVE: prove(arg, n); break;
    case WINDOW: dory_ssh_channel_window(&w.ssh, at(arg, n, 0) % 5 - 1, (uint32_t)at(arg, n, 1) << at(arg, n, 2) % 25); break;
    case DIRECT:
        if (w.server)
            dory_ssh_channel_open_direct(&w.ssh, (const char *)arg, n, at(arg, n, 0));
        break;
    default: dory_ssh_disconnect(&w.ssh, SSH_DISCONNECT_BY_APPLICATION, "done"); break;
    }
}

unsigned dory_fuzz_ssh(const uint8_t *input, size_t n)
{
    enum dory_wire_phase phase;
    int error = DORY_OK;
    bool was_in;

    if (n < 2)
        return 0;
    phase = input[1] % WIRE_PHASES;
    was_in = phase > WIRE_AUTH;
    begin_at(phase, input[0]);
    input += 2;
    n -= 2;
    while (n >= 3 && dory_pipe_size(&w.to_engine) < 100000) {
        unsigned what = input[0] % STEPS;
        size_t length = input[1] | (size_t)input[2] << 8;
        input += 3;
        n -= 3;
        if (length > n)
            length = n;
        perform(what, input, length);
        input += length;
        n -= length;
        dory_wire_pump(&w);
        check(&error, was_in);
    }
    w.hold_drain = false;
    dory_wire_pump(&w);
    check(&error, was_in);
    return dory_ssh_state(&w.ssh);
}

/* ---- seeds ---- */

static size_t put_step(uint8_t *out, size_t cap, size_t n, unsigned what, const uint8_t *arg, size_t arg_n)
{
    if (arg_n > 65535)
        arg_n = 65535;
    if (n + 3 + arg_n > cap)
        return n;
    out[n++] = (uint8_t)what;
    out[n++] = (uint8_t)arg_n;
    out[n++] = (uint8_t)(arg_n >> 8);
    if (arg_n)
        memcpy(out + n, arg, arg_n);
    return n + arg_n;
}

/* All bytes that the scripted peer sends in a whole session: with the same seeds they are good again. */
static size_t record(unsigned flags, uint8_t *out, size_t cap)
{
    static const uint8_t exec[1] = {1};
    size_t n, login;

    configure(flags);
    w.record = true;
    dory_wire_to(&w, WIRE_CONNECTION);
    login = dory_pipe_size(&w.recorded);
    dory_wire_prove_alive(&w);
    out[0] = (uint8_t)flags;
    out[1] = WIRE_VERSION;
    n = put_step(out, cap, 2, RAW, dory_pipe_peek(&w.recorded), login);
    if (flags & CLIENT_ENGINE)
        n = put_step(out, cap, n, OPEN, exec, 1); /* what its caller does in between */
    n = put_step(out, cap, n, RAW, dory_pipe_peek(&w.recorded) + login, dory_pipe_size(&w.recorded) - login);
    dory_wire_free(&w);
    return n;
}

static size_t message_seed(unsigned number, uint8_t *out, size_t cap)
{
    static struct dory_bytes b;
    unsigned type = number % 128, phase = number / 128 % WIRE_PHASES, role = number / 128 / WIRE_PHASES;
    size_t n = 2;

    if (role > 1)
        return 0;
    type = type == 127 ? MSG_PING : type;
    begin_at(phase, role | STRICT);
    out[0] = (uint8_t)(role | STRICT | (number * 37 & ~7U & 0x3f));
    out[1] = (uint8_t)phase;
    for (unsigned i = 0; i < 3; i++) {
        uint8_t arg[3] = {1, 0, (uint8_t)i};
        dory_wire_build_message(&w, &b, i ? (type + i * 31) % 128 : type);
        n = put_step(out, cap, n, SEALED, b.p, b.n);
        n = put_step(out, cap, n, ACCEPT + (number + i) % (STEPS - ACCEPT), arg, 3);
    }
    return n;
}

size_t dory_fuzz_seed(unsigned number, uint8_t *out, size_t cap)
{
    if (number < DORY_FUZZ_SESSIONS)
        return record(number, out, cap);
    return message_seed(number - DORY_FUZZ_SESSIONS, out, cap);
}

/* ---- mutation ---- */

static size_t erase(uint8_t *p, size_t n, size_t from, size_t count)
{
    if (count > n - from)
        count = n - from;
    memmove(p + from, p + from + count, n - from - count);
    return n - count;
}

static size_t insert(uint8_t *p, size_t n, size_t cap, size_t to, const uint8_t *from, size_t count)
{
    if (count > cap - n)
        count = cap - n;
    memmove(p + to + count, p + to, n - to);
    memcpy(p + to, from, count);
    return n + count;
}

static size_t change(struct dory_kit_rng *rng, uint8_t *p, size_t n, size_t cap, const uint8_t *other, size_t other_n)
{
    static const uint32_t odd[] = {0, 1, 4, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    static uint8_t copy[256];
    uint32_t i = dory_kit_random(rng, (uint32_t)n), count = 1 + dory_kit_random(rng, 60), v;

    switch (dory_kit_random(rng, 8)) {
    case 0: p[i] ^= (uint8_t)(1U << dory_kit_random(rng, 8)); return n;
    case 1: p[i] = (uint8_t)dory_kit_random(rng, 256); return n;
    case 2:
        v = odd[dory_kit_random(rng, sizeof odd / sizeof *odd)];
        for (uint32_t k = 0; k < 4 && i + k < n; k++) p[i + k] = (uint8_t)(v >> (24 - 8 * k));
        return n;
    case 3: return n > 8 ? erase(p, n, i, count) : n;
    case 4:
        count = count < n - i ? count : (uint32_t)(n - i);
        memcpy(copy, p + i, count);
        return insert(p, n, cap, dory_kit_random(rng, (uint32_t)n), copy, count);
    case 5:
        for (v = 0; v < count; v++) copy[v] = (uint8_t)dory_kit_random(rng, 256);
        return insert(p, n, cap, i, copy, count);
    case 6: p[i] = (uint8_t)(p[i] + (dory_kit_random(rng, 2) ? 1 : 255)); return n;
    default:
        if (other_n < 6)
            return n;
        v = 2 + dory_kit_random(rng, (uint32_t)other_n - 2);
        return insert(p, n, cap, n, other + v, other_n - v);
    }
}

size_t dory_fuzz_mutate(struct dory_kit_rng *rng, uint8_t *input, size_t n, size_t cap, const uint8_t *other, size_t other_n)
{
    uint32_t times = 1 + dory_kit_random(rng, 6);

    while (times-- && n > 2) n = change(rng, input, n, cap, other, other_n);
    return n;
}
