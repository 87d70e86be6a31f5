/* A9: channels (RFC 4254 5 and 6) against peers that do not keep to ends, numbers or the order of requests. */
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

static void send_on_channel(unsigned type)
{
    dory_wire_put_channel(&b, type, w.engine_channel);
    dory_wire_send_bytes(&w, &b);
}

static void expect_next(unsigned type)
{
    CHECK(dory_wire_recv(&w, &m));
    CHECK_EQ(m.type, type);
}

/* ---- ends ---- */

static void send_extended(void)
{
    dory_wire_put_channel(&b, MSG_EXTENDED_DATA, w.engine_channel);
    dory_put32(&b, 1);
    dory_put_text(&b, "late");
    dory_wire_send_bytes(&w, &b);
}

static void send_adjust(void)
{
    dory_wire_put_channel(&b, MSG_WINDOW_ADJUST, w.engine_channel);
    dory_put32(&b, 10);
    dory_wire_send_bytes(&w, &b);
}

static void send_request(void)
{
    dory_wire_put_channel(&b, MSG_CHANNEL_REQUEST, w.engine_channel);
    dory_put_text(&b, "signal");
    dory_put8(&b, 0);
    dory_put_text(&b, "TERM");
    dory_wire_send_bytes(&w, &b);
}

static void A9_data_after_eof(const struct dory_ssh_role *role)
{
    for (int i = 0; i < 6; i++) {
        bool good = i > 2;
        dory_kit_case("case %d", i);
        begin(role, WIRE_CHANNEL);
        send_on_channel(MSG_EOF);
        CHECK(dory_ssh_channel_state(&w.ssh, w.channel) & DORY_CH_EOF);
        switch (i) {
        case 0: send_data(5); break;
        case 1: send_extended(); break;
        case 2: send_on_channel(MSG_EOF); break;
        case 3: send_adjust(); break; /* the other direction is still open */
        case 4: send_request(); break;
        default: send_on_channel(MSG_CLOSE); break;
        }
        if (good)
            CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
        else
            expect_protocol_error();
        CHECK_EQ(w.got, 0);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(A9_data_after_eof)

static void A9_anything_after_close(const struct dory_ssh_role *role)
{
    for (int released = 0; released < 2; released++)
        for (int i = 0; i < 6; i++) {
            dory_kit_case("case %d, released %d", i, released);
            begin(role, WIRE_CHANNEL);
            send_on_channel(MSG_CLOSE);
            dory_wire_expect(&w, MSG_CLOSE, &m); /* RFC 4254 5.3: answered */
            CHECK_EQ(dory_get32(&m.body), DORY_WIRE_CHANNEL);
            CHECK(dory_ssh_channel_state(&w.ssh, w.channel) & DORY_CH_CLOSED);
            if (released)
                dory_ssh_channel_release(&w.ssh, w.channel);
            switch (i) {
            case 0: send_data(5); break;
            case 1: send_extended(); break;
            case 2: send_on_channel(MSG_EOF); break;
            case 3: send_adjust(); break;
            case 4: send_request(); break;
            default: send_on_channel(MSG_CLOSE); break;
            }
            expect_protocol_error();
            CHECK_EQ(w.got, 0);
            dory_wire_free(&w);
        }
}
DORY_BOTH_ROLES(A9_anything_after_close)

/* The same where our own CLOSE has to wait for the end of a key exchange. */
static void A9_anything_after_close_during_a_rekey(const struct dory_ssh_role *role)
{
    for (int i = 0; i < 6; i++) {
        dory_kit_case("case %d", i);
        begin(role, WIRE_REKEY_KEXINIT);
        send_on_channel(MSG_CLOSE);
        CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
        CHECK(dory_ssh_channel_state(&w.ssh, w.channel) & DORY_CH_EOF);
        switch (i) {
        case 0: send_data(5); break;
        case 1: send_extended(); break;
        case 2: send_on_channel(MSG_EOF); break;
        case 3: send_adjust(); break;
        case 4: send_request(); break;
        default: send_on_channel(MSG_CLOSE); break;
        }
        expect_protocol_error();
        CHECK_EQ(w.got, 0);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(A9_anything_after_close_during_a_rekey)

/* What was under way when this side closed is dropped without harm, and then the channel is free. */
static void data_that_crosses_our_close(const struct dory_ssh_role *role)
{
    begin(role, WIRE_CHANNEL);
    CHECK_EQ(dory_ssh_channel_close(&w.ssh, w.channel), DORY_OK);
    dory_wire_expect(&w, MSG_CLOSE, NULL);
    send_data(100);
    send_extended();
    send_adjust();
    send_request();
    send_on_channel(MSG_EOF);
    CHECK_EQ(w.got, 0);
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
    send_on_channel(MSG_CLOSE);
    CHECK(dory_ssh_channel_state(&w.ssh, w.channel) & DORY_CH_CLOSED);
    dory_wire_expect_silence(&w); /* no second CLOSE, no EOF, no adjust */
    dory_ssh_channel_release(&w.ssh, w.channel);
    CHECK_EQ(dory_ssh_channel_state(&w.ssh, w.channel), 0);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(data_that_crosses_our_close)

/* Our own EOF is said once, and nothing follows it on that channel. */
static void own_eof(const struct dory_ssh_role *role)
{
    size_t n;

    begin(role, WIRE_CHANNEL);
    CHECK_EQ(dory_ssh_channel_eof(&w.ssh, w.channel), DORY_OK);
    CHECK_EQ(dory_ssh_channel_eof(&w.ssh, w.channel), DORY_OK);
    CHECK(!dory_ssh_senddata_buf(&w.ssh, w.channel, 0, &n));
    expect_next(MSG_EOF);
    dory_wire_expect_silence(&w);
    send_data(10); /* the peer may still send */
    CHECK_EQ(w.got, 10);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(own_eof)

static void exit_says_status_eof_close(void **state)
{
    (void)state;
    begin(&dory_ssh_server, WIRE_CHANNEL);
    CHECK_EQ(dory_ssh_channel_exit(&w.ssh, w.channel, 0x12345678), DORY_OK);
    expect_next(MSG_CHANNEL_REQUEST);
    CHECK_EQ(dory_get32(&m.body), DORY_WIRE_CHANNEL);
    CHECK(dory_view_is(dory_get_string(&m.body), "exit-status"));
    CHECK_EQ(dory_get8(&m.body), 0);
    CHECK_EQ(dory_get32(&m.body), 0x12345678);
    expect_next(MSG_EOF);
    expect_next(MSG_CLOSE);
    dory_wire_expect_silence(&w);
    CHECK(!(dory_ssh_channel_state(&w.ssh, w.channel) & DORY_CH_CLOSED));
    send_on_channel(MSG_CLOSE);
    CHECK(dory_ssh_channel_state(&w.ssh, w.channel) & DORY_CH_CLOSED);
    dory_wire_free(&w);
}

static void send_exit(const char *type, uint32_t status)
{
    dory_wire_put_channel(&b, MSG_CHANNEL_REQUEST, w.engine_channel);
    dory_put_text(&b, type);
    dory_put8(&b, 0);
    if (strcmp(type, "exit-status") == 0) {
        dory_put32(&b, status);
    } else {
        dory_put_text(&b, "KILL");
        dory_put8(&b, 0);
        dory_put_text(&b, "killed");
        dory_put_text(&b, "");
    }
    dory_wire_send_bytes(&w, &b);
}

static void how_a_command_ended(void **state)
{
    (void)state;
    begin(&dory_ssh_client, WIRE_CHANNEL);
    send_exit("exit-status", 42);
    CHECK(dory_ssh_channel_state(&w.ssh, w.channel) & DORY_CH_EXITED);
    CHECK_EQ(dory_ssh_channel_status(&w.ssh, w.channel), 42);
    dory_wire_free(&w);

    begin(&dory_ssh_client, WIRE_CHANNEL);
    send_exit("exit-signal", 0);
    CHECK(dory_ssh_channel_state(&w.ssh, w.channel) & DORY_CH_EXITED);
    CHECK_EQ(dory_ssh_channel_status(&w.ssh, w.channel), -1);
    dory_wire_free(&w);

    begin(&dory_ssh_client, WIRE_CHANNEL);
    send_on_channel(MSG_CLOSE);
    CHECK(!(dory_ssh_channel_state(&w.ssh, w.channel) & DORY_CH_EXITED));
    CHECK_EQ(dory_ssh_channel_status(&w.ssh, w.channel), -1);
    dory_wire_free(&w);
}

/* ---- numbers ---- */

static void A9_unknown_channel_numbers(const struct dory_ssh_role *role)
{
    static const uint32_t numbers[] = {1, 3, 4, 5, 77, 255, 256, 65536, 0x7fffffff, 0x80000000, 0xffffffff};

    for (int open = 0; open < 2; open++)
        for (unsigned type = MSG_OPEN_CONFIRMATION; type <= MSG_CHANNEL_FAILURE; type++)
            for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
                struct dory_wire_saved saved;
                dory_kit_case("message %u for channel %u, channel 0 open: %d", type, numbers[i], open);
                if (i == 0) {
                    begin(role, open ? WIRE_CHANNEL : WIRE_CONNECTION);
                    dory_wire_save(&w, &saved);
                }
                dory_wire_restore(&w, &saved);
                w.engine_channel = numbers[i];
                dory_wire_put_channel(&b, type, numbers[i]);
                if (type == MSG_DATA)
                    dory_put_text(&b, "data");
                if (type == MSG_WINDOW_ADJUST)
                    dory_put32(&b, 1);
                if (type == MSG_CHANNEL_REQUEST)
                    dory_put_text(&b, "exec"), dory_put8(&b, 1), dory_put_text(&b, "x");
                dory_wire_send_bytes(&w, &b);
                expect_protocol_error();
                if (i == sizeof numbers / sizeof *numbers - 1) {
                    dory_wire_forget(&saved);
                    dory_wire_free(&w);
                }
            }
}
DORY_BOTH_ROLES(A9_unknown_channel_numbers)

static void expect_open_failure(uint32_t number, uint32_t reason)
{
    dory_wire_expect(&w, MSG_OPEN_FAILURE, &m);
    CHECK_EQ(dory_get32(&m.body), number);
    CHECK_EQ(dory_get32(&m.body), reason);
    dory_get_string(&m.body);
    dory_get_string(&m.body);
    CHECK(!m.body.bad && m.body.n == 0);
}

static void A9_opens_that_a_server_refuses(void **state)
{
    static const char *const types[] = {
        "direct-tcpip", "x11", "forwarded-tcpip", "direct-streamlocal@openssh.com", "tun@openssh.com", "", "sessio", "session2", "Session"};
    (void)state;

    begin(&dory_ssh_server, WIRE_CHANNEL);
    for (uint32_t i = 0; i < sizeof types / sizeof *types; i++) {
        dory_kit_case("type \"%s\"", types[i]);
        dory_wire_put_open(&b, types[i], 1000 + i, 1000, 1000);
        dory_put_text(&b, "127.0.0.1"); /* what belongs to the type is of no interest */
        dory_put32(&b, 22);
        dory_wire_send_bytes(&w, &b);
        expect_open_failure(1000 + i, 3);
    }
    dory_kit_case("maximum packet 0");
    dory_wire_put_open(&b, "session", 2000, 1000, 0);
    dory_wire_send_bytes(&w, &b);
    expect_open_failure(2000, 1);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

static void A9_opens_to_a_client_are_refused(void **state)
{
    static const char *const types[] = {"session", "x11", "forwarded-tcpip", "auth-agent@openssh.com", "direct-tcpip"};
    (void)state;

    for (enum dory_wire_phase phase = WIRE_CONNECTION; phase <= WIRE_CHANNEL; phase++) {
        begin(&dory_ssh_client, phase);
        for (uint32_t i = 0; i < 500; i++) {
            dory_kit_case("phase %s, open %u", dory_wire_phase_name(phase), i);
            dory_wire_put_open(&b, types[i % 5], 0xffffffff - i, 1000, 1000);
            dory_wire_send_bytes(&w, &b);
            expect_open_failure(0xffffffff - i, 1);
        }
        CHECK_EQ(w.seen[MSG_OPEN_CONFIRMATION], 0);
        dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}

static void A9_more_channels_than_there_are(void **state)
{
    (void)state;
    for (uint8_t count = 1; count <= 16; count += 5) {
        uint32_t numbers[16];
        dory_kit_case("%u channels", count);
        dory_wire_new(&w, &dory_ssh_server);
        w.config.channel_count = count;
        dory_wire_to(&w, WIRE_CONNECTION);
        for (uint8_t i = 0; i < count; i++) {
            numbers[i] = dory_wire_open_session(&w, 500U + i, "run");
            for (uint8_t k = 0; k < i; k++) CHECK(numbers[k] != numbers[i]);
        }
        for (uint32_t i = 0; i < 20; i++) {
            dory_wire_put_open(&b, "session", 900 + i, 1000, 1000);
            dory_wire_send_bytes(&w, &b);
            expect_open_failure(900 + i, 4);
        }
        /* one ends; it is free for the next only when the caller has let go of it */
        dory_wire_put_channel(&b, MSG_CLOSE, numbers[0]);
        dory_wire_send_bytes(&w, &b);
        dory_wire_put_open(&b, "session", 990, 1000, 1000);
        dory_wire_send_bytes(&w, &b);
        expect_open_failure(990, 4);
        dory_ssh_channel_release(&w.ssh, (int)numbers[0]);
        dory_wire_open_session(&w, 991, "run");
        dory_wire_free(&w);
    }
}

/* Channels of one session, opened and closed for a long time: none is lost. */
static void A9_channels_come_and_go(void **state)
{
    (void)state;
    begin(&dory_ssh_server, WIRE_CHANNEL);
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t number;
        dory_kit_case("conversation %u", i);
        number = dory_wire_open_session(&w, 100 + i, "run");
        dory_wire_put_data(&b, number, 10);
        dory_wire_send_bytes(&w, &b);
        CHECK_EQ(dory_ssh_channel_exit(&w.ssh, (int)number, 0), DORY_OK);
        dory_wire_put_channel(&b, MSG_CLOSE, number);
        dory_wire_send_bytes(&w, &b);
        dory_wire_expect(&w, MSG_CLOSE, &m);
        CHECK_EQ(dory_get32(&m.body), 100 + i);
        CHECK(dory_ssh_channel_state(&w.ssh, (int)number) & DORY_CH_CLOSED);
        dory_ssh_channel_release(&w.ssh, (int)number);
    }
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

static void A9_bad_confirmations_to_a_client(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        dory_kit_case("case %d", i);
        begin(&dory_ssh_client, i == 3 ? WIRE_CONNECTION : WIRE_OPENING);
        dory_wire_put_channel(&b, MSG_OPEN_CONFIRMATION, i == 3 ? 0 : w.engine_channel);
        dory_put32(&b, DORY_WIRE_CHANNEL);
        dory_put32(&b, 1000);
        dory_put32(&b, i == 0 ? 0 : 1000); /* maximum packet */
        if (i == 1)
            dory_put8(&b, 0);
        dory_wire_send_bytes(&w, &b);
        if (i == 2) { /* twice */
            CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
            dory_wire_send_bytes(&w, &b);
        }
        expect_protocol_error();
        dory_wire_free(&w);
    }
}

static void A9_messages_before_the_confirmation(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        dory_kit_case("case %d", i);
        begin(&dory_ssh_client, WIRE_OPENING);
        switch (i) {
        case 0: send_data(5); break;
        case 1: send_extended(); break;
        case 2: send_on_channel(MSG_EOF); break;
        case 3: send_adjust(); break;
        case 4: send_exit("exit-status", 0); break;
        default: send_on_channel(MSG_CLOSE); break;
        }
        expect_protocol_error();
        CHECK_EQ(w.got, 0);
        dory_wire_free(&w);
    }
}

static void open_failure_frees_the_clients_channel(void **state)
{
    (void)state;
    begin(&dory_ssh_client, WIRE_OPENING);
    dory_wire_put_channel(&b, MSG_OPEN_FAILURE, w.engine_channel);
    dory_put32(&b, 1);
    dory_put_text(&b, "administratively prohibited");
    dory_put_text(&b, "");
    dory_wire_send_bytes(&w, &b);
    CHECK(dory_ssh_channel_state(&w.ssh, w.channel) & DORY_CH_FAILED);
    CHECK(dory_ssh_channel_state(&w.ssh, w.channel) & DORY_CH_CLOSED);
    dory_wire_expect_silence(&w);
    dory_ssh_channel_release(&w.ssh, w.channel);
    w.phase = WIRE_CONNECTION;
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

/* ---- requests ---- */

static void A9_second_request_on_a_channel(void **state)
{
    static const char *const types[] = {"exec", "subsystem", "shell"};
    (void)state;

    begin(&dory_ssh_server, WIRE_CHANNEL);
    for (int i = 0; i < 3; i++)
        for (unsigned reply = 0; reply < 2; reply++) {
            dory_kit_case("%s, reply wanted %u", types[i], reply);
            dory_wire_put_channel(&b, MSG_CHANNEL_REQUEST, w.engine_channel);
            dory_put_text(&b, types[i]);
            dory_put8(&b, reply);
            dory_put_text(&b, "again");
            dory_wire_send_bytes(&w, &b);
            if (reply)
                expect_next(MSG_CHANNEL_FAILURE);
            dory_wire_expect_silence(&w);
            CHECK_EQ(w.events[DORY_EV_CHANNEL_REQUEST], 1);
        }
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

/* RFC 4254 6.5: only one may succeed; a refused one is none. */
static void a_refused_request_may_be_followed_by_another(void **state)
{
    (void)state;
    begin(&dory_ssh_server, WIRE_REQUESTED);
    w.refuse = 1U << DORY_EV_CHANNEL_REQUEST;
    dory_wire_put_exec(&b, w.engine_channel, "no", true);
    dory_wire_send_bytes(&w, &b);
    expect_next(MSG_CHANNEL_FAILURE);
    CHECK(!(dory_ssh_channel_state(&w.ssh, w.last.e.channel) & DORY_CH_STARTED));
    w.refuse = 0;
    dory_wire_prove_alive(&w);
    CHECK_EQ(w.events[DORY_EV_CHANNEL_REQUEST], 2);
    dory_wire_free(&w);
}

static void A9_requests_that_are_not_served(void **state)
{
    static const char *const types[] = {"pty-req", "env",   "shell", "x11-req", "window-change", "auth-agent-req@openssh.com",
                                        "signal",  "break", "",      "exe",     "exec2",         "eow@openssh.com"};
    (void)state;

    begin(&dory_ssh_server, WIRE_REQUESTED);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (unsigned reply = 0; reply < 2; reply++) {
            dory_kit_case("%s, reply wanted %u", types[i], reply);
            dory_wire_put_channel(&b, MSG_CHANNEL_REQUEST, w.engine_channel);
            dory_put_text(&b, types[i]);
            dory_put8(&b, reply);
            dory_put_text(&b, "LANG");
            dory_put_text(&b, "C");
            dory_wire_send_bytes(&w, &b);
            if (reply)
                expect_next(MSG_CHANNEL_FAILURE);
            dory_wire_expect_silence(&w);
        }
    CHECK_EQ(w.events[DORY_EV_CHANNEL_REQUEST], 0);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

static void A9_requests_to_a_client(void **state)
{
    static const char *const types[] = {"exec", "subsystem", "shell", "env", "unknown"};
    (void)state;

    begin(&dory_ssh_client, WIRE_CHANNEL);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        dory_kit_case("%s", types[i]);
        dory_wire_put_exec(&b, w.engine_channel, "x", true);
        b.n = 5;
        dory_put_text(&b, types[i]);
        dory_put8(&b, 1);
        dory_put_text(&b, "x");
        dory_wire_send_bytes(&w, &b);
        expect_next(MSG_CHANNEL_FAILURE);
    }
    CHECK_EQ(w.events[DORY_EV_CHANNEL_REQUEST], 0);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

static void A9_command_lines_of_any_length(void **state)
{
    static const size_t sizes[] = {0, 1, 255, 256, 4095, 4096, 4097, 10000};
    (void)state;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        dory_kit_case("command of %zu bytes", sizes[i]);
        begin(&dory_ssh_server, WIRE_REQUESTED);
        w.hold = 1U << DORY_EV_CHANNEL_REQUEST;
        dory_wire_put_channel(&b, MSG_CHANNEL_REQUEST, w.engine_channel);
        dory_put_text(&b, "exec");
        dory_put8(&b, 1);
        dory_put32(&b, (uint32_t)sizes[i]);
        dory_put_fill(&b, 'c', sizes[i]);
        dory_wire_send_bytes(&w, &b);
        CHECK_EQ(w.events[DORY_EV_CHANNEL_REQUEST], 1);
        CHECK_EQ(w.last.e.n, sizes[i]); /* whole, never cut */
        CHECK_EQ(w.last.e.request, DORY_REQUEST_EXEC);
        dory_wire_free(&w);
    }
}

static void answers_to_no_request(void **state)
{
    (void)state;
    for (unsigned type = MSG_CHANNEL_SUCCESS; type <= MSG_CHANNEL_FAILURE; type++) {
        dory_kit_case("message %u twice", type);
        begin(&dory_ssh_client, WIRE_REQUESTED);
        send_on_channel(type);
        CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
        CHECK_EQ((dory_ssh_channel_state(&w.ssh, w.channel) & DORY_CH_FAILED) != 0, type == MSG_CHANNEL_FAILURE);
        send_on_channel(type);
        expect_protocol_error();
        dory_wire_free(&w);
    }
}

/* RFC 4254 5.2 knows one type of extended data. Others never pass for data or stderr. */
static void extended_data_of_unknown_type(const struct dory_ssh_role *role)
{
    static const uint32_t types[] = {0, 2, 7, 0xffffffff};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        int channel;
        uint32_t extended = 99;
        size_t n;
        dory_kit_case("type %u", types[i]);
        begin(role, WIRE_CHANNEL);
        w.hold_data = true;
        dory_wire_put_channel(&b, MSG_EXTENDED_DATA, w.engine_channel);
        dory_put32(&b, types[i]);
        dory_put_text(&b, "what?");
        dory_wire_send_bytes(&w, &b);
        CHECK(!dory_ssh_recvdata_buf(&w.ssh, &channel, &extended, &n));
        if (dory_ssh_error(&w.ssh) == DORY_OK) /* dropped: then its window comes back */
            for (int k = 0; k < 40; k++) {
                dory_wire_put_channel(&b, MSG_EXTENDED_DATA, w.engine_channel);
                dory_put32(&b, types[i]);
                dory_put32(&b, 20000);
                dory_put_fill(&b, 'e', 20000);
                dory_wire_send_bytes(&w, &b);
                CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
            }
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(extended_data_of_unknown_type)

static void empty_data(const struct dory_ssh_role *role)
{
    begin(role, WIRE_CHANNEL);
    for (int i = 0; i < 1000; i++) send_data(0);
    CHECK_EQ(w.got, 0);
    dory_wire_expect_silence(&w);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(empty_data)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DORY_BOTH_TESTS(A9_data_after_eof),
        DORY_BOTH_TESTS(A9_anything_after_close),
        DORY_BOTH_TESTS(A9_anything_after_close_during_a_rekey),
        DORY_BOTH_TESTS(data_that_crosses_our_close),
        DORY_BOTH_TESTS(own_eof),
        cmocka_unit_test(exit_says_status_eof_close),
        cmocka_unit_test(how_a_command_ended),
        DORY_BOTH_TESTS(A9_unknown_channel_numbers),
        cmocka_unit_test(A9_opens_that_a_server_refuses),
        cmocka_unit_test(A9_opens_to_a_client_are_refused),
        cmocka_unit_test(A9_more_channels_than_there_are),
        cmocka_unit_test(A9_channels_come_and_go),
        cmocka_unit_test(A9_bad_confirmations_to_a_client),
        cmocka_unit_test(A9_messages_before_the_confirmation),
        cmocka_unit_test(open_failure_frees_the_clients_channel),
        cmocka_unit_test(A9_second_request_on_a_channel),
        cmocka_unit_test(a_refused_request_may_be_followed_by_another),
        cmocka_unit_test(A9_requests_that_are_not_served),
        cmocka_unit_test(A9_requests_to_a_client),
        cmocka_unit_test(A9_command_lines_of_any_length),
        cmocka_unit_test(answers_to_no_request),
        DORY_BOTH_TESTS(extended_data_of_unknown_type),
        DORY_BOTH_TESTS(empty_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
