/* The pump between two real engines wired in memory: scripted streams on both ends, every kind of slowness. */
#include "platform/pump.h"
#include "ssh_kit.h"

#define CHANNELS 4
#define BUFFER (16 * 1024)

/* A stream that gives `give` bytes of a pattern and takes what comes, checking it. */
struct script {
    struct dory_stream stream;
    uint64_t give, given, taken;
    uint8_t seed, expect;
    size_t bite;       /* largest push it takes at once; 0: all */
    unsigned moody;    /* every second offer is refused */
    bool stuck;        /* every offer is */
    unsigned offers;
    int exit_status;
    bool wants_eof;    /* runs until eof was told */
    unsigned stubborn; /* 1: eof does not end it */
    unsigned eofs, stops;
    bool wrong;
};

static uint8_t pattern(uint8_t seed, uint64_t at)
{
    return (uint8_t)(at * 7 + (at >> 8) + seed);
}

static size_t script_push(struct dory_stream *stream, const uint8_t *bytes, size_t n)
{
    struct script *s = (struct script *)stream;

    if (s->stuck || (s->moody && s->offers++ % 2 == 0))
        return 0;
    if (s->bite && n > s->bite)
        n = s->bite;
    for (size_t i = 0; i < n; i++)
        s->wrong |= bytes[i] != pattern(s->expect, s->taken++);
    return n;
}

static size_t script_pull(struct dory_stream *stream, uint8_t *buf, size_t cap)
{
    struct script *s = (struct script *)stream;
    size_t n = s->give - s->given < cap ? (size_t)(s->give - s->given) : cap;

    for (size_t i = 0; i < n; i++)
        buf[i] = pattern(s->seed, s->given++);
    return n;
}

static void script_eof(struct dory_stream *stream)
{
    ((struct script *)stream)->eofs++;
}

static void script_stop(struct dory_stream *stream)
{
    ((struct script *)stream)->stops++;
}

static int script_status(const struct dory_stream *stream)
{
    const struct script *s = (const struct script *)stream;
    return s->given < s->give || (s->wants_eof && (!s->eofs || s->stubborn)) ? DORY_E_AGAIN : s->exit_status;
}

static const struct dory_stream_ops script_ops = {script_push, script_pull, script_eof, script_stop, script_status, NULL};

/* ---- two ends ---- */

struct end {
    struct dory_ssh ssh;
    struct dory_ssh_config config;
    struct dory_channel channels[CHANNELS];
    struct dory_stream *streams[CHANNELS];
    struct script scripts[CHANNELS];
    struct dory_pump pump;
    struct dory_kit_rng rng;
    uint8_t rx[BUFFER], tx[BUFFER];
};

struct pair {
    struct end client, server;
    struct dory_kit_key key;
    struct dory_hostkey hostkey;
    char stderr_text[64];
    size_t stderr_n;
};

static const struct dory_kex *const kex[] = {&dory_kex_curve25519_sha256, NULL};
static const struct dory_cipher *const ciphers[] = {&dory_cipher_chacha20_poly1305, NULL};
static const struct dory_mac *const macs[] = {NULL};
static const struct dory_sigalg *const signatures[] = {&dory_sig_ssh_ed25519, NULL};

static void begin_end(struct end *e, const struct dory_ssh_role *role, uint32_t seed, uint32_t window)
{
    dory_kit_rng_init(&e->rng, seed);
    e->config.role = role;
    e->config.software = "Test_1";
    e->config.rng = dory_kit_rng(&e->rng);
    e->config.kex = kex;
    e->config.ciphers = ciphers;
    e->config.macs = macs;
    e->config.signatures = signatures;
    e->config.rx = e->rx;
    e->config.tx = e->tx;
    e->config.rx_size = e->config.tx_size = BUFFER;
    e->config.read_ahead = seed % 2;
    e->config.channels = e->channels;
    e->config.channel_count = CHANNELS;
    e->config.window = window;
    e->config.user = "u";
    e->config.auth_methods = DORY_AUTH_PASSWORD;
    CHECK_EQ(dory_ssh_init(&e->ssh, &e->config, 0), DORY_OK);
    dory_pump_init(&e->pump, &e->ssh, e->streams, CHANNELS, role == &dory_ssh_server);
}

static void on_stderr(void *ctx, int channel, const uint8_t *bytes, size_t n)
{
    struct pair *p = ctx;

    (void)channel;
    CHECK(p->stderr_n + n <= sizeof p->stderr_text);
    memcpy(p->stderr_text + p->stderr_n, bytes, n);
    p->stderr_n += n;
}

static struct pair *new_pair(uint32_t window)
{
    struct pair *p = calloc(1, sizeof *p);

    CHECK(p != NULL);
    dory_kit_key(&p->key, 1);
    p->hostkey = (struct dory_hostkey){"ssh-ed25519", p->key.blob, p->key.n};
    p->server.config.hostkeys = &p->hostkey;
    p->server.config.hostkey_count = 1;
    begin_end(&p->client, &dory_ssh_client, 2, window);
    begin_end(&p->server, &dory_ssh_server, 3, window);
    p->client.pump.extended = on_stderr;
    p->client.pump.ctx = p;
    return p;
}

static void free_pair(struct pair *p)
{
    CHECK(!p->client.scripts[0].wrong && !p->server.scripts[0].wrong);
    dory_ssh_wipe(&p->client.ssh);
    dory_ssh_wipe(&p->server.ssh);
    free(p);
}

static struct script *on(struct end *e, int channel, uint64_t give, bool wants_eof)
{
    struct script *s = &e->scripts[channel];

    *s = (struct script){.stream.ops = &script_ops, .give = give, .wants_eof = wants_eof};
    s->seed = (uint8_t)(channel * 2 + e->pump.server);
    s->expect = (uint8_t)(channel * 2 + !e->pump.server);
    dory_pump_attach(&e->pump, channel, &s->stream);
    return s;
}

static bool answer(struct pair *p, struct end *e)
{
    struct dory_event event;
    uint8_t signature[128];

    switch (dory_ssh_event(&e->ssh, &event)) {
    case DORY_EV_NONE:
        return false;
    case DORY_EV_SIGN:
        dory_ssh_sign(&e->ssh, signature, dory_kit_sign(&p->key, event.data, event.n, signature, sizeof signature));
        return true;
    case DORY_EV_AUTH:
        dory_ssh_auth_password(&e->ssh, (const uint8_t *)"x", 1);
        return true;
    default:
        dory_ssh_accept(&e->ssh);
        return true;
    }
}

static bool carry(struct end *from, struct end *to)
{
    size_t n, room;
    const uint8_t *out = dory_ssh_sendpkt_buf(&from->ssh, &n);
    uint8_t *in = dory_ssh_recvpkt_buf(&to->ssh, &room);

    if (!out || !in)
        return false;
    if (n > room)
        n = room;
    memcpy(in, out, n);
    dory_ssh_recvpkt_ack(&to->ssh, n);
    dory_ssh_sendpkt_ack(&from->ssh, n);
    return true;
}

/* One round of everything; true while something moves. */
static bool round_of(struct pair *p, unsigned turns)
{
    int moved = answer(p, &p->client) + answer(p, &p->server);

    moved += (dory_pump(&p->client.pump, turns) | dory_pump(&p->server.pump, turns)) != 0;
    return moved + carry(&p->client, &p->server) + carry(&p->server, &p->client) > 0;
}

static void run(struct pair *p)
{
    for (long i = 0; round_of(p, 3); i++)
        CHECK(i < 10000000);
    CHECK_EQ(dory_ssh_error(&p->client.ssh), DORY_OK);
    CHECK_EQ(dory_ssh_error(&p->server.ssh), DORY_OK);
}

static int open_channel(struct pair *p)
{
    int channel = dory_ssh_channel_open(&p->client.ssh, DORY_REQUEST_EXEC, "x", 1);

    CHECK(channel >= 0);
    return channel;
}

/* ---- the tests ---- */

/* Both directions at once on every channel, at every small window. */
static void test_both_ways(void **state)
{
    static const uint32_t windows[] = {1, 2, 3, 7, 64, 1000, 4096, 65536, 2097152};

    (void)state;
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++) {
        struct pair *p = new_pair(windows[w]);
        uint64_t n = windows[w] < 64 ? 300 : 50000;

        dory_kit_case("window %u", (unsigned)windows[w]);
        run(p);
        for (int i = 0; i < CHANNELS; i++) {
            CHECK_EQ(open_channel(p), i);
            on(&p->client, i, n + (uint64_t)i, false);
            on(&p->server, i, 2 * n + (uint64_t)i, true)->exit_status = 3 + i;
        }
        run(p);
        for (int i = 0; i < CHANNELS; i++) {
            CHECK_EQ(p->server.scripts[i].taken, n + (uint64_t)i);
            CHECK_EQ(p->client.scripts[i].taken, 2 * n + (uint64_t)i);
            CHECK(!p->server.scripts[i].wrong && !p->client.scripts[i].wrong);
            CHECK_EQ(p->server.scripts[i].eofs, 0);
            dory_ssh_channel_eof(&p->client.ssh, i);
        }
        run(p);
        for (int i = 0; i < CHANNELS; i++) {
            CHECK_EQ(p->server.scripts[i].eofs, 1);
            CHECK(dory_ssh_channel_state(&p->client.ssh, i) & DORY_CH_EXITED);
            CHECK_EQ(dory_ssh_channel_status(&p->client.ssh, i), 3 + i);
        }
        free_pair(p);
    }
}

/* One packet a turn, channel after channel: nobody runs ahead. */
static void test_fair(void **state)
{
    struct pair *p = new_pair(1 << 20);
    uint64_t least = UINT64_MAX, most = 0;

    (void)state;
    run(p);
    for (int i = 0; i < CHANNELS; i++) {
        open_channel(p);
        on(&p->client, i, 0, false);
        on(&p->server, i, 1 << 19, false);
    }
    while (p->server.scripts[0].given < 1 << 17)
        CHECK(round_of(p, 1));
    for (int i = 0; i < CHANNELS; i++) {
        uint64_t given = p->server.scripts[i].given;
        least = given < least ? given : least;
        most = given > most ? given : most;
    }
    CHECK(most - least <= 2 * BUFFER);
    free_pair(p);
}

/* A stream that takes a byte now and then: the pump says that it wants to be called again, and nothing is lost. */
static void test_busy(void **state)
{
    struct pair *p = new_pair(5000);
    struct script *slow;

    (void)state;
    run(p);
    open_channel(p);
    on(&p->client, 0, 20000, false);
    slow = on(&p->server, 0, 0, true);
    slow->bite = 3;
    slow->moody = 1;
    run(p);
    CHECK_EQ(slow->taken, 20000);
    CHECK(!slow->wrong);
    free_pair(p);
}

/* A stream that answers each byte by a hundred and holds few questions: the peer never has more of them on their way than it can take. */
enum { QUESTIONS = 64, ANSWER = 100 };

struct oracle {
    struct dory_stream stream;
    uint32_t waiting, said; /* questions; bytes of the first one's answer */
    uint64_t answered;
};

static size_t oracle_push(struct dory_stream *stream, const uint8_t *bytes, size_t n)
{
    struct oracle *o = (struct oracle *)stream;

    (void)bytes;
    CHECK(n <= QUESTIONS - o->waiting);
    o->waiting += (uint32_t)n;
    return n;
}

static size_t oracle_pull(struct dory_stream *stream, uint8_t *buf, size_t cap)
{
    struct oracle *o = (struct oracle *)stream;
    size_t n = o->waiting ? ANSWER - o->said : 0;

    n = n < cap ? n : cap;
    for (size_t i = 0; i < n; i++)
        buf[i] = pattern(1, o->answered * ANSWER + o->said + i);
    o->said += (uint32_t)n;
    if (o->said == ANSWER) {
        o->said = 0;
        o->waiting--;
        o->answered++;
    }
    return n;
}

static void oracle_end(struct dory_stream *stream)
{
    (void)stream;
}

static int oracle_status(const struct dory_stream *stream)
{
    (void)stream;
    return DORY_E_AGAIN;
}

static uint32_t oracle_window(const struct dory_stream *stream)
{
    return QUESTIONS - ((const struct oracle *)stream)->waiting;
}

static const struct dory_stream_ops oracle_ops = {oracle_push, oracle_pull, oracle_end, oracle_end, oracle_status, oracle_window};

static void test_questions(void **state)
{
    struct pair *p = new_pair(QUESTIONS);
    struct oracle oracle = {.stream = {&oracle_ops}};

    (void)state;
    run(p);
    CHECK_EQ(open_channel(p), 0);
    p->server.pump.window = 1 << 20; /* for those that say nothing */
    on(&p->client, 0, 3000, false);
    p->client.scripts[0].bite = 7;
    dory_pump_attach(&p->server.pump, 0, &oracle.stream);
    run(p);
    CHECK_EQ(oracle.answered, 3000);
    CHECK_EQ(p->client.scripts[0].taken, 3000 * ANSWER);
    free_pair(p);
}

/* The window grows once it is known what a channel carries. */
static void test_grown_window(void **state)
{
    struct pair *p = new_pair(100);
    struct script *stuck;

    (void)state;
    p->server.pump.window = 5000;
    run(p);
    open_channel(p);
    run(p);
    stuck = on(&p->server, 0, 0, true);
    stuck->stuck = true;
    on(&p->client, 0, 20000, false);
    for (int i = 0; i < 100; i++)
        round_of(p, 3);
    CHECK_EQ(p->client.scripts[0].given, 5000);
    stuck->stuck = false;
    run(p);
    CHECK_EQ(stuck->taken, 20000);
    CHECK(!stuck->wrong);
    free_pair(p);
}

/* What comes for nobody is dropped and does not hold up the others. */
static void test_nobody(void **state)
{
    struct pair *p = new_pair(3000);

    (void)state;
    run(p);
    for (int i = 0; i < 2; i++) {
        open_channel(p);
        on(&p->client, i, 40000, false);
    }
    on(&p->server, 1, 0, true);
    run(p);
    CHECK_EQ(p->client.scripts[0].given, 40000);
    CHECK_EQ(p->server.scripts[1].taken, 40000);
    free_pair(p);
}

static void test_stderr(void **state)
{
    struct pair *p = new_pair(3000);
    size_t room;
    uint8_t *buf;

    (void)state;
    run(p);
    open_channel(p);
    on(&p->client, 0, 0, false);
    run(p);
    buf = dory_ssh_senddata_buf(&p->server.ssh, 0, 1, &room);
    CHECK(buf && room >= 5);
    memcpy(buf, "oh no", 5);
    dory_ssh_senddata_ack(&p->server.ssh, 5);
    run(p);
    CHECK_EQ(p->stderr_n, 5);
    CHECK(memcmp(p->stderr_text, "oh no", 5) == 0);
    CHECK_EQ(p->client.scripts[0].taken, 0);
    free_pair(p);
}

/* The peer closes in the middle: the stream is told the end, and stopped if that does not end it; again when it is taken off. */
static void closed_early(unsigned stubborn)
{
    struct pair *p = new_pair(3000);
    struct script *s;

    run(p);
    open_channel(p);
    s = on(&p->server, 0, 0, true);
    s->stubborn = stubborn;
    run(p);
    dory_ssh_channel_close(&p->client.ssh, 0);
    run(p);
    CHECK_EQ(s->eofs, 1);
    CHECK_EQ(s->stops, s->stubborn);
    CHECK(dory_ssh_channel_state(&p->server.ssh, 0) & DORY_CH_CLOSED);
    dory_pump_attach(&p->server.pump, 0, NULL);
    CHECK_EQ(s->stops, 1 + s->stubborn);
    on(&p->server, 1, 0, true);
    on(&p->server, 3, 0, true);
    dory_pump_stop(&p->server.pump);
    CHECK_EQ(p->server.scripts[1].stops, 1);
    CHECK_EQ(p->server.scripts[3].stops, 1);
    free_pair(p);
}

static void test_closed_early(void **state)
{
    (void)state;
    closed_early(0);
    closed_early(1);
}

/* Numbers that are no channel change nothing. */
static void test_bounds(void **state)
{
    struct pair *p = new_pair(0);

    (void)state;
    dory_pump_attach(&p->server.pump, -1, &p->server.scripts[0].stream);
    dory_pump_attach(&p->server.pump, CHANNELS, &p->server.scripts[0].stream);
    for (int i = 0; i < CHANNELS; i++)
        CHECK(p->server.streams[i] == NULL);
    free_pair(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways), cmocka_unit_test(test_fair),         cmocka_unit_test(test_busy),  cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_stderr),    cmocka_unit_test(test_closed_early), cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_questions), cmocka_unit_test(test_grown_window),
    };

    return cmocka_run_group_tests_name("pump", tests, NULL, NULL);
}
