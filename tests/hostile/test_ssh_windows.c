/* A9: windows and maximum packet sizes (RFC 4254 5.2), from both sides. */
#include "ssh_peer.h"

static struct dory_wire w;
static struct dory_bytes b;
static struct dory_wire_msg m;

static void begin(const struct dory_ssh_role *role, enum dory_wire_phase phase)
{
    dory_wire_new(&w, role);
    dory_wire_to(&w, phase);
}

static void expect_protocol_error(void)
{
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PROTOCOL);
}

static void send_data(size_t n)
{
    dory_wire_put_data(&b, w.engine_channel, n);
    dory_wire_send_bytes(&w, &b);
}

/* ---- windows and sizes ---- */

static uint64_t adjusts(void)
{
    uint64_t sum = 0;
    while (dory_wire_recv(&w, &m))
        if (m.type == MSG_WINDOW_ADJUST) {
            CHECK_EQ(dory_get32(&m.body), DORY_WIRE_CHANNEL);
            sum += dory_get32(&m.body);
            CHECK(!m.body.bad && m.body.n == 0);
        }
    return sum;
}

static void A9_data_beyond_the_window(const struct dory_ssh_role *role)
{
    static const uint32_t windows[] = {1, 2, 100, 1000, 20000};

    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        for (uint64_t excess = 0; excess < 2; excess++) {
            uint64_t granted;
            dory_kit_case("window %u, %u byte too many", windows[i], (unsigned)excess);
            dory_wire_new(&w, role);
            w.config.window = windows[i];
            dory_wire_to(&w, WIRE_CHANNEL);
            CHECK_EQ(w.engine_window, windows[i]);
            granted = windows[i];
            for (int k = 0; k < 5; k++) { /* the sum of what was given counts, not each packet */
                send_data((size_t)(granted * 2 / 5));
                granted += adjusts() - granted * 2 / 5;
                CHECK(granted <= windows[i]);
            }
            send_data((size_t)(granted + excess));
            if (excess)
                expect_protocol_error();
            else
                CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
            dory_wire_free(&w);
        }
}
DORY_BOTH_ROLES(A9_data_beyond_the_window)

/* When the peer is told that it may send more: at half of a small window, and of a large one at 128 KiB, as what it lacks when a burst ends
   is missing for a round trip. */
static void a_window_is_topped_up_in_time(const struct dory_ssh_role *role)
{
    static const struct {
        uint32_t window, due;
    } cases[] = {{20000, 10000}, {256 * 1024, 128 * 1024}, {2 * 1024 * 1024, 128 * 1024}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t sent = 0;
        uint64_t more = 0;

        dory_kit_case("window %u", cases[i].window);
        dory_wire_new(&w, role);
        w.config.window = cases[i].window;
        dory_wire_to(&w, WIRE_CHANNEL);
        for (; !more && sent < cases[i].window; sent += 1000) {
            send_data(1000);
            more = adjusts();
        }
        CHECK(sent >= cases[i].due && sent < cases[i].due + 1000);
        CHECK_EQ(more, sent);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(a_window_is_topped_up_in_time)

static void A9_data_beyond_the_maximum_packet(const struct dory_ssh_role *role)
{
    for (int kind = 0; kind < 4; kind++) {
        size_t n;
        dory_kit_case("kind %d", kind);
        begin(role, WIRE_CHANNEL);
        CHECK(w.engine_max >= 32768 && w.engine_max < w.config.rx_size);
        n = w.engine_max + (kind & 1);
        if (kind < 2) {
            send_data(n);
        } else {
            dory_wire_put_channel(&b, MSG_EXTENDED_DATA, w.engine_channel);
            dory_put32(&b, 1);
            dory_put32(&b, (uint32_t)n);
            dory_put_fill(&b, 'e', n);
            dory_wire_send_bytes(&w, &b);
        }
        if (kind & 1)
            expect_protocol_error();
        else
            CHECK_EQ(w.got, w.engine_max);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(A9_data_beyond_the_maximum_packet)

/* What is advertised can be received, whatever the buffer: a full data packet under every cipher. */
static void advertised_maximum_can_be_received(const struct dory_ssh_role *role)
{
    static const size_t sizes[] = {DORY_MIN_BUFFER, DORY_MIN_BUFFER + 5, 4096, 8192, 33000, 70000};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int c = 0; c < DORY_WIRE_CIPHERS; c++) {
            dory_wire_new(&w, role);
            dory_wire_use_cipher(&w, c);
            w.config.rx_size = sizes[i];
            dory_kit_case("buffer %zu, %s", sizes[i], w.cipher->name);
            dory_wire_to(&w, WIRE_CHANNEL);
            for (int k = 0; k < 4; k++) send_data(w.engine_max);
            CHECK_EQ(w.got, (uint64_t)4 * w.engine_max);
            dory_wire_prove_alive(&w);
            dory_wire_free(&w);
        }
}
DORY_BOTH_ROLES(advertised_maximum_can_be_received)

static void A9_window_adjust_that_overflows(const struct dory_ssh_role *role)
{
    static const struct {
        uint32_t window, add[3];
        bool good;
    } cases[] = {{1, {0xfffffffe, 0, 0}, true},
                 {1, {0xffffffff, 0, 0}, false},
                 {0, {0xffffffff, 0, 0}, true},
                 {0, {0xffffffff, 1, 0}, false},
                 {0x80000000, {0x7fffffff, 0, 0}, true},
                 {0x80000000, {0x80000000, 0, 0}, false},
                 {1U << 20, {0x7fffffff, 0x7ff00000, 0x100001}, false}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dory_kit_case("window %u and %u, %u, %u more", cases[i].window, cases[i].add[0], cases[i].add[1], cases[i].add[2]);
        dory_wire_new(&w, role);
        w.window = cases[i].window;
        dory_wire_to(&w, WIRE_CHANNEL);
        for (int k = 0; k < 3; k++) {
            dory_wire_put_channel(&b, MSG_WINDOW_ADJUST, w.engine_channel);
            dory_put32(&b, cases[i].add[k]);
            dory_wire_send_bytes(&w, &b);
        }
        if (cases[i].good)
            dory_wire_prove_alive(&w);
        else
            expect_protocol_error();
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(A9_window_adjust_that_overflows)

/* The engine as sender keeps to the peer's window and maximum packet, down to one byte. */
static void A9_own_data_keeps_to_window_and_maximum(const struct dory_ssh_role *role)
{
    static const struct {
        uint32_t window, max, add;
    } cases[] = {{0, 1, 1},        {1, 1, 1}, {5, 3, 2}, {100, 1000, 7}, {1000, 100, 1000}, {0, 32768, 70000}, {100000, 0xffffffff, 1},
                 {40000, 35000, 1}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t granted = cases[i].window, came = 0;
        dory_kit_case("window %u, maximum %u, then %u at a time", cases[i].window, cases[i].max, cases[i].add);
        dory_wire_new(&w, role);
        w.window = cases[i].window;
        w.max_packet = cases[i].max;
        dory_wire_to(&w, WIRE_CHANNEL);
        for (int k = 0; k < 8; k++) {
            size_t n;
            uint8_t *p;
            while ((p = dory_ssh_senddata_buf(&w.ssh, w.channel, k & 1, &n)) != NULL) {
                memset(p, 's', n);
                CHECK_EQ(dory_ssh_senddata_ack(&w.ssh, n), DORY_OK);
                dory_wire_pump(&w);
            }
            while (dory_wire_recv(&w, &m)) {
                CHECK_EQ(m.type, k & 1 ? MSG_EXTENDED_DATA : MSG_DATA);
                CHECK_EQ(dory_get32(&m.body), DORY_WIRE_CHANNEL);
                if (k & 1)
                    CHECK_EQ(dory_get32(&m.body), 1);
                n = dory_get_string(&m.body).n;
                CHECK(n > 0 && n <= cases[i].max && !m.body.bad && m.body.n == 0);
                came += n;
            }
            CHECK_EQ(came, granted); /* all of it, and not a byte more */
            dory_wire_put_channel(&b, MSG_WINDOW_ADJUST, w.engine_channel);
            dory_put32(&b, cases[i].add);
            dory_wire_send_bytes(&w, &b);
            granted += cases[i].add;
        }
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(A9_own_data_keeps_to_window_and_maximum)

/* More than senddata_buf offered is refused, and nothing of it leaves. */
static void callers_cannot_overrun_the_window_either(const struct dory_ssh_role *role)
{
    size_t n;
    uint64_t before;

    dory_wire_new(&w, role);
    w.window = 50;
    dory_wire_to(&w, WIRE_CHANNEL);
    before = w.drained;
    CHECK(dory_ssh_senddata_buf(&w.ssh, w.channel, 0, &n));
    CHECK_EQ(n, 50);
    CHECK_EQ(dory_ssh_senddata_ack(&w.ssh, 51), DORY_E_ARG);
    CHECK_EQ(dory_ssh_senddata_ack(&w.ssh, 1), DORY_E_STATE);
    dory_wire_pump(&w);
    CHECK_EQ(w.drained, before);
    CHECK(dory_ssh_senddata_buf(&w.ssh, w.channel, 0, &n));
    CHECK_EQ(dory_ssh_senddata_ack(&w.ssh, 0), DORY_OK);
    dory_wire_pump(&w);
    CHECK_EQ(w.drained, before);
    CHECK(!dory_ssh_senddata_buf(&w.ssh, w.channel + 1, 0, &n) && n == 0);
    CHECK(!dory_ssh_senddata_buf(&w.ssh, -1, 0, &n) && n == 0);
    CHECK(!dory_ssh_senddata_buf(&w.ssh, 1000, 0, &n) && n == 0);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(callers_cannot_overrun_the_window_either)

/* A consumer of one byte at a time: the adjusts add up, and the window never grows beyond what was promised at the start. */
static void window_comes_back(const struct dory_ssh_role *role)
{
    static const uint32_t windows[] = {1, 2, 3, 7, 64, 1000};

    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        uint64_t granted = windows[i], sent = 0;
        dory_kit_case("window %u", windows[i]);
        dory_wire_new(&w, role);
        w.config.window = windows[i];
        w.take = 1;
        dory_wire_to(&w, WIRE_CHANNEL);
        while (sent < 3000) {
            uint64_t n = granted - sent;
            CHECK(n > 0 && n <= windows[i]);
            send_data((size_t)n);
            sent += n;
            CHECK_EQ(w.got, sent);
            granted += adjusts();
            CHECK(granted <= sent + windows[i]);
        }
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(window_comes_back)

/* A sender is not kept waiting until the last byte of the window is taken. */
static void half_a_window_comes_back(const struct dory_ssh_role *role)
{
    static const uint32_t windows[] = {2, 10, 1000, 32768};

    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        dory_kit_case("window %u", windows[i]);
        dory_wire_new(&w, role);
        w.config.window = windows[i];
        dory_wire_to(&w, WIRE_CHANNEL);
        for (int k = 0; k < 10; k++) {
            send_data(windows[i] / 2);
            CHECK_EQ(adjusts(), windows[i] / 2);
        }
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(half_a_window_comes_back)

static void no_window_for_data_that_is_not_taken(const struct dory_ssh_role *role)
{
    dory_wire_new(&w, role);
    w.config.window = 1000;
    dory_wire_to(&w, WIRE_CHANNEL);
    w.hold_data = true;
    send_data(1000);
    CHECK_EQ(adjusts(), 0);
    w.hold_data = false;
    w.take = 1;
    CHECK_EQ(adjusts(), 1000);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(no_window_for_data_that_is_not_taken)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DORY_BOTH_TESTS(A9_data_beyond_the_window),
        DORY_BOTH_TESTS(A9_data_beyond_the_maximum_packet),
        DORY_BOTH_TESTS(advertised_maximum_can_be_received),
        DORY_BOTH_TESTS(A9_window_adjust_that_overflows),
        DORY_BOTH_TESTS(A9_own_data_keeps_to_window_and_maximum),
        DORY_BOTH_TESTS(callers_cannot_overrun_the_window_either),
        DORY_BOTH_TESTS(window_comes_back),
        DORY_BOTH_TESTS(half_a_window_comes_back),
        DORY_BOTH_TESTS(a_window_is_topped_up_in_time),
        DORY_BOTH_TESTS(no_window_for_data_that_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
