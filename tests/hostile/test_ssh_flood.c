/* T8, T10, T12: peers that send too much, rekey too often, or never answer; and the messages that a good peer answers politely. */
#include "ssh_peer.h"

static struct dory_wire w;
static struct dory_bytes b;

static void begin(const struct dory_ssh_role *role, enum dory_wire_phase phase)
{
    dory_wire_new(&w, role);
    dory_wire_to(&w, phase);
}

static unsigned count(unsigned type)
{
    unsigned n = 0;
    struct dory_wire_msg m;
    while (dory_wire_recv(&w, &m)) n += m.type == type;
    return n;
}

static void queue(const struct dory_bytes *payload, int times)
{
    dory_wire_queue(&w, payload, times);
}

/* ---- T10: EXT_INFO ---- */

static void T10_ext_info_that_claims_4_billion_entries(const struct dory_ssh_role *role)
{
    static const uint32_t claims[] = {0xffffffff, 0x80000000, 1000000, 3};

    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        dory_kit_case("%u entries claimed, one there", claims[i]);
        begin(role, WIRE_SERVICE);
        b.n = 0;
        dory_put8(&b, MSG_EXT_INFO);
        dory_put32(&b, claims[i]);
        dory_put_text(&b, "server-sig-algs");
        dory_put_text(&b, "ssh-ed25519");
        dory_wire_send_bytes(&w, &b);
        if (w.server)
            dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PROTOCOL);
        else
            CHECK(dory_ssh_error(&w.ssh) == DORY_OK || dory_ssh_error(&w.ssh) == DORY_E_PROTOCOL); /* a server reads none of it */
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T10_ext_info_that_claims_4_billion_entries)

static void T10_ext_info_with_many_and_large_entries(const struct dory_ssh_role *role)
{
    begin(role, WIRE_SERVICE);
    b.n = 0;
    dory_put8(&b, MSG_EXT_INFO);
    dory_put32(&b, 3001);
    for (int i = 0; i < 3000; i++) {
        dory_put32(&b, 0);
        dory_put32(&b, 0);
    }
    dory_put_text(&b, "server-sig-algs");
    dory_put_text(&b, "rsa-sha2-256,ssh-ed25519");
    dory_wire_send_bytes(&w, &b);
    dory_wire_prove_alive(&w);
    if (w.server)
        CHECK_EQ(dory_ssh_server_sig_algs(&w.ssh), 1);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T10_ext_info_with_many_and_large_entries)

static void T10_sig_algs_without_ours(void **state)
{
    (void)state;
    begin(&dory_ssh_client, WIRE_SERVICE);
    b.n = 0;
    dory_put8(&b, MSG_EXT_INFO);
    dory_put32(&b, 1);
    dory_put_text(&b, "server-sig-algs");
    dory_put_text(&b, "rsa-sha2-256,ssh-ed255190");
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(dory_ssh_server_sig_algs(&w.ssh), 0);
    dory_wire_free(&w);
}

/* RFC 8308 2.3: a server sends it as the first message under its new keys, and only to a client that asked. */
static void ext_info_only_where_asked_for(void **state)
{
    struct dory_wire_msg m;
    (void)state;

    for (int asked = 0; asked < 2; asked++) {
        dory_kit_case("ext-info-c %d", asked);
        dory_wire_new(&w, &dory_ssh_server);
        if (asked)
            w.lists[0] = "curve25519-sha256,ext-info-c,kex-strict-c-v00@openssh.com";
        dory_wire_to(&w, WIRE_NEWKEYS);
        CHECK_EQ(dory_wire_recv(&w, &m), asked);
        if (asked) {
            CHECK_EQ(m.type, MSG_EXT_INFO);
            CHECK_EQ(m.seq, 0);
            CHECK(dory_get32(&m.body) >= 1);
            CHECK(dory_view_is(dory_get_string(&m.body), "server-sig-algs"));
            CHECK(dory_list_has(dory_get_string(&m.body), "ssh-ed25519"));
        }
        dory_wire_to(&w, WIRE_CHANNEL);
        dory_wire_rekey(&w);
        dory_wire_prove_alive(&w);
        CHECK_EQ(w.seen[MSG_EXT_INFO], asked); /* and not again at a rekey */
        dory_wire_free(&w);
    }
}

/* ---- T10: requests and their answers ---- */

static void T10_global_requests_are_answered(const struct dory_ssh_role *role)
{
    static const char *const names[] = {"keepalive@openssh.com", "unknown@example.com", "tcpip-forward", "hostkeys-prove-00@openssh.com",
                                        ""};

    begin(role, WIRE_CONNECTION);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct dory_wire_msg m;
        dory_kit_case("\"%s\"", names[i]);
        dory_wire_put_global(&b, names[i], true);
        dory_wire_send_bytes(&w, &b);
        CHECK(dory_wire_recv(&w, &m));
        CHECK_EQ(m.type, MSG_REQUEST_FAILURE);
        CHECK_EQ(m.body.n, 0);
        dory_wire_put_global(&b, names[i], false);
        dory_wire_send_bytes(&w, &b);
        dory_wire_expect_silence(&w);
    }
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T10_global_requests_are_answered)

static void T10_hostkeys_00_is_silently_ignored(void **state)
{
    (void)state;
    begin(&dory_ssh_client, WIRE_CONNECTION);
    dory_wire_put_global(&b, "hostkeys-00@openssh.com", false);
    for (uint8_t i = 0; i < 50; i++) dory_put_string(&b, w.hostkey.blob, w.hostkey.n);
    dory_wire_send_bytes(&w, &b);
    dory_wire_expect_silence(&w);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

static void T10_channel_keepalive_is_refused_politely(const struct dory_ssh_role *role)
{
    struct dory_wire_msg m;

    begin(role, WIRE_CHANNEL);
    dory_wire_put_channel(&b, MSG_CHANNEL_REQUEST, w.engine_channel);
    dory_put_text(&b, "keepalive@openssh.com");
    dory_put8(&b, 1);
    dory_wire_send_bytes(&w, &b);
    CHECK(dory_wire_recv(&w, &m));
    CHECK_EQ(m.type, MSG_CHANNEL_FAILURE);
    CHECK_EQ(dory_get32(&m.body), DORY_WIRE_CHANNEL);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T10_channel_keepalive_is_refused_politely)

static void T10_global_request_flood(const struct dory_ssh_role *role)
{
    for (int drained = 0; drained < 2; drained++) {
        dory_kit_case("output %s", drained ? "read" : "not read for long");
        begin(role, WIRE_CHANNEL);
        w.hold_drain = !drained;
        dory_wire_put_global(&b, "flood@example.com", true);
        queue(&b, 5000);
        dory_wire_pump(&w);
        if (!drained)
            CHECK(dory_pipe_size(&w.to_engine) > 1000); /* nothing more is taken until the answers have gone */
        w.hold_drain = false;
        CHECK_EQ(count(MSG_REQUEST_FAILURE), 5000);
        dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T10_global_request_flood)

static void T10_unknown_messages_have_their_numbers_told(const struct dory_ssh_role *role)
{
    struct dory_wire_msg m;
    uint32_t first;

    for (int drained = 0; drained < 2; drained++) {
        begin(role, WIRE_CHANNEL);
        first = w.out.seq;
        b.n = 0;
        dory_put8(&b, 150);
        queue(&b, 3000);
        w.hold_drain = !drained;
        dory_wire_pump(&w);
        w.hold_drain = false;
        for (uint32_t i = 0; i < 3000; i++) {
            CHECK(dory_wire_recv(&w, &m));
            CHECK_EQ(m.type, MSG_UNIMPLEMENTED);
            CHECK_EQ(dory_get32(&m.body), first + i);
            CHECK_EQ(m.body.n, 0);
        }
        dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T10_unknown_messages_have_their_numbers_told)

static void T10_ping_is_answered_with_its_data(const struct dory_ssh_role *role)
{
    struct dory_wire_msg m;
    char text[17];

    begin(role, WIRE_CHANNEL);
    for (size_t n = 0; n <= 16; n++) {
        dory_kit_case("ping of %zu bytes", n);
        memset(text, (int)('a' + n), n);
        text[n] = 0;
        b.n = 0;
        dory_put8(&b, MSG_PING);
        dory_put_text(&b, text);
        dory_wire_send_bytes(&w, &b);
        CHECK(dory_wire_recv(&w, &m));
        CHECK_EQ(m.type, MSG_PONG);
        CHECK(dory_view_is(dory_get_string(&m.body), text));
        CHECK_EQ(m.body.n, 0);
    }
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T10_ping_is_answered_with_its_data)

/* Larger than what is kept for an answer: answered all the same, or refused; never half. */
static void T10_large_ping(const struct dory_ssh_role *role)
{
    for (size_t n = 17; n < 32000; n = n * 5 / 2) {
        struct dory_wire_msg m;
        dory_kit_case("ping of %zu bytes", n);
        begin(role, WIRE_CHANNEL);
        b.n = 0;
        dory_put8(&b, MSG_PING);
        dory_put32(&b, (uint32_t)n);
        dory_put_fill(&b, 'p', n);
        dory_wire_send_bytes(&w, &b);
        if (dory_ssh_error(&w.ssh)) {
            dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PROTOCOL);
        } else {
            dory_wire_expect(&w, MSG_PONG, &m);
            CHECK_EQ(dory_get_string(&m.body).n, n);
        }
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T10_large_ping)

/* A flood of pings that nobody reads the answers of: each is answered, with its own data, in order. */
static void T10_ping_flood(const struct dory_ssh_role *role)
{
    begin(role, WIRE_CHANNEL);
    w.hold_drain = true;
    for (uint32_t i = 0; i < 3000; i++) {
        b.n = 0;
        dory_put8(&b, MSG_PING);
        dory_put32(&b, 4);
        dory_put32(&b, i);
        queue(&b, 1);
    }
    dory_wire_pump(&w);
    w.hold_drain = false;
    for (uint32_t i = 0; i < 3000; i++) {
        struct dory_wire_msg m;
        dory_kit_case("ping %u", i);
        CHECK(dory_wire_recv(&w, &m));
        CHECK_EQ(m.type, MSG_PONG);
        CHECK_EQ(dory_get32(&m.body), 4);
        CHECK_EQ(dory_get32(&m.body), i);
    }
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T10_ping_flood)

static void T10_ignore_and_debug_flood(const struct dory_ssh_role *role)
{
    begin(role, WIRE_CHANNEL);
    w.hold_drain = true; /* they need no answer, so they pass even then */
    for (int i = 0; i < 2; i++) {
        b.n = 0;
        dory_put8(&b, i ? MSG_DEBUG : MSG_IGNORE);
        if (i)
            dory_put8(&b, 1);
        dory_put32(&b, 3000);
        dory_put_fill(&b, 0x1b, 3000);
        if (i)
            dory_put_text(&b, "");
        queue(&b, 3000);
        dory_wire_pump(&w);
        CHECK_EQ(dory_pipe_size(&w.to_engine), 0);
    }
    w.hold_drain = false;
    dory_wire_expect_silence(&w);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T10_ignore_and_debug_flood)

/* ---- T8: rekeying ---- */

static void T8_peer_rekeys_between_all_messages(const struct dory_ssh_role *role)
{
    for (int c = 0; c < DORY_WIRE_CIPHERS; c++) {
        dory_wire_new(&w, role);
        dory_wire_use_cipher(&w, c);
        for (enum dory_wire_phase phase = WIRE_SERVICE; phase <= WIRE_CHANNEL; phase++) {
            dory_kit_case("%s, phase %s", w.cipher->name, dory_wire_phase_name(phase));
            dory_wire_to(&w, phase);
            dory_wire_rekey(&w);
            dory_wire_rekey(&w);
        }
        dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T8_peer_rekeys_between_all_messages)

/* Both KEXINITs cross on the wire: one exchange, not two. */
static void T8_both_begin_at_once(const struct dory_ssh_role *role)
{
    for (int i = 0; i < 5; i++) {
        if (i == 0)
            begin(role, WIRE_CHANNEL);
        w.hold_drain = true;
        CHECK_EQ(dory_ssh_rekey(&w.ssh), DORY_OK);
        dory_wire_send_kexinit(&w);
        w.hold_drain = false;
        dory_wire_recv_kexinit(&w);
        if (w.server)
            dory_wire_recv_kex(&w);
        w.phase = WIRE_REKEY_KEX;
        dory_wire_prove_alive(&w);
        CHECK_EQ(w.seen[MSG_KEXINIT], 2 + i);
    }
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T8_both_begin_at_once)

/* RFC 4253 7.1 and 9: what a peer sends before its KEXINIT is served, and what must be answered waits for the end of the exchange. */
static void T8_requests_during_our_kexinit_are_answered_after_it(const struct dory_ssh_role *role)
{
    begin(role, WIRE_REKEY_KEXINIT);
    dory_wire_put_global(&b, "x@example.com", true);
    queue(&b, 200);
    dory_wire_pump(&w);
    dory_wire_put_data(&b, w.engine_channel, 1000);
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(w.got, 1000);
    dory_wire_expect_silence(&w);
    dory_wire_to(&w, WIRE_CHANNEL);
    CHECK_EQ(count(MSG_REQUEST_FAILURE), 200);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T8_requests_during_our_kexinit_are_answered_after_it)

/* Answers to channel requests keep their order across a rekey. */
static void T8_channel_answers_keep_their_order(void **state)
{
    static const bool exec_at[] = {false, false, true, false, false};
    struct dory_wire_msg m;
    uint32_t number;
    (void)state;

    begin(&dory_ssh_server, WIRE_CHANNEL);
    dory_wire_put_open(&b, "session", 5, 100000, 1000);
    dory_wire_send_bytes(&w, &b);
    dory_wire_expect(&w, MSG_OPEN_CONFIRMATION, &m);
    dory_get32(&m.body);
    number = dory_get32(&m.body);
    dory_wire_to(&w, WIRE_REKEY_KEXINIT);
    for (size_t i = 0; i < sizeof exec_at; i++) {
        dory_wire_put_exec(&b, number, "run", true);
        if (!exec_at[i])
            memcpy(b.p + 9, "envy", 4);
        dory_wire_send_bytes(&w, &b);
    }
    dory_wire_to(&w, WIRE_CHANNEL);
    for (size_t i = 0; i < sizeof exec_at; i++) {
        dory_kit_case("answer %zu", i);
        CHECK(dory_wire_recv(&w, &m));
        CHECK_EQ(m.type, exec_at[i] ? MSG_CHANNEL_SUCCESS : MSG_CHANNEL_FAILURE);
        CHECK_EQ(dory_get32(&m.body), 5);
    }
    dory_wire_free(&w);
}

/* CVE-2025-26466: what is owed during an exchange is bounded. Either all is answered later, or the flood is refused. */
static void flood_during_kex(const struct dory_ssh_role *role, unsigned request, unsigned answer)
{
    uint64_t before;

    dory_kit_case("flood of message %u", request);
    begin(role, WIRE_REKEY_KEXINIT);
    before = w.drained;
    b.n = 0;
    if (request == MSG_GLOBAL_REQUEST) {
        dory_wire_put_global(&b, "x", true);
    } else if (request == MSG_PING) {
        dory_put8(&b, MSG_PING);
        dory_put_text(&b, "data");
    } else if (request == MSG_CHANNEL_REQUEST) {
        dory_wire_put_channel(&b, MSG_CHANNEL_REQUEST, w.engine_channel);
        dory_put_text(&b, "unknown");
        dory_put8(&b, 1);
    } else {
        dory_wire_put_open(&b, "x11", 9, 100, 100);
    }
    queue(&b, 20000);
    dory_wire_pump(&w);
    if (dory_ssh_error(&w.ssh)) {
        dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PROTOCOL);
    } else {
        CHECK_EQ(w.drained, before);
        dory_wire_to(&w, WIRE_CHANNEL);
        CHECK_EQ(count(answer), 20000);
    }
    dory_wire_free(&w);
}

static void T8_floods_during_a_key_exchange_are_bounded(const struct dory_ssh_role *role)
{
    flood_during_kex(role, MSG_GLOBAL_REQUEST, MSG_REQUEST_FAILURE);
    flood_during_kex(role, MSG_PING, MSG_PONG);
    flood_during_kex(role, MSG_CHANNEL_REQUEST, MSG_CHANNEL_FAILURE);
    flood_during_kex(role, MSG_OPEN, MSG_OPEN_FAILURE);
}
DORY_BOTH_ROLES(T8_floods_during_a_key_exchange_are_bounded)

static void T8_silent_peer_times_out(const struct dory_ssh_role *role)
{
    static const enum dory_wire_phase phases[] = {WIRE_VERSION,       WIRE_KEXINIT,   WIRE_KEX,          WIRE_NEWKEYS,
                                                  WIRE_REKEY_KEXINIT, WIRE_REKEY_KEX, WIRE_REKEY_NEWKEYS};
    for (int limit = 0; limit < 2; limit++)
        for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
            uint64_t ms = limit ? 5000 : 60000, next;
            dory_kit_case("phase %s, %u ms", dory_wire_phase_name(phases[i]), (unsigned)ms);
            dory_wire_new(&w, role);
            w.config.reply_ms = limit ? 5000 : 0;
            dory_wire_to(&w, phases[i]);
            next = dory_wire_tick(&w, ms - 1);
            CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
            CHECK_EQ(next, w.now + 1);
            dory_wire_tick(&w, 1);
            CHECK_EQ(dory_ssh_error(&w.ssh), DORY_E_TIMEOUT);
            CHECK(dory_ssh_state(&w.ssh) & DORY_DONE);
            CHECK_EQ(dory_ssh_tick(&w.ssh, w.now + 1), UINT64_MAX);
            dory_wire_free(&w);
        }
}
DORY_BOTH_ROLES(T8_silent_peer_times_out)

/* A peer that rekeys while our output is full: its KEXINIT waits, and is served when there is room. */
static void T8_kexinit_when_nothing_can_be_said(const struct dory_ssh_role *role)
{
    begin(role, WIRE_CHANNEL);
    dory_wire_fill_output(&w);
    dory_wire_send_kexinit(&w);
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
    w.hold_drain = false;
    dory_wire_recv_kexinit(&w);
    if (w.server)
        dory_wire_recv_kex(&w);
    w.phase = WIRE_REKEY_KEX;
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T8_kexinit_when_nothing_can_be_said)

/* Talking about something else does not help. */
static void T8_peer_that_never_answers_kexinit_but_talks(const struct dory_ssh_role *role)
{
    begin(role, WIRE_REKEY_KEXINIT);
    for (int i = 0; i < 100 && !dory_ssh_error(&w.ssh); i++) {
        dory_wire_put_data(&b, w.engine_channel, 10);
        dory_wire_send_bytes(&w, &b);
        dory_wire_tick(&w, 1000);
        CHECK(i < 60);
    }
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_E_TIMEOUT);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T8_peer_that_never_answers_kexinit_but_talks)

/* ---- T12: sequence numbers; the only tests that reach into the struct ---- */

static void packets_used(uint32_t n, uint32_t seq)
{
    w.ssh.tx.seq = w.in.seq = seq;
    w.ssh.rx.seq = w.out.seq = seq;
    w.ssh.tx.first_seq = w.ssh.rx.first_seq = seq - n;
}

static void send_ignores(int n)
{
    b.n = 0;
    dory_put8(&b, MSG_IGNORE);
    dory_put_text(&b, "");
    for (int i = 0; i < n; i++) dory_wire_send_bytes(&w, &b);
}

static void T12_rekey_after_2_to_the_31_packets(const struct dory_ssh_role *role)
{
    struct dory_wire_msg m;

    for (int lax = 0; lax < 2; lax++)
        for (uint32_t limit = 0; limit < 2; limit++) {
            dory_kit_case("%s, limit %u", lax ? "lax" : "strict", limit);
            dory_wire_new(&w, role);
            if (lax)
                w.lists[0] = "curve25519-sha256";
            w.config.rekey_packets = limit ? 0xffffffff : 0; /* more than the bound is the bound */
            dory_wire_to(&w, WIRE_CHANNEL);
            packets_used(0x7fffffff - 3, lax ? 0xfffffff0 : 0x7fffffff - 3);
            send_ignores(3);
            dory_wire_expect_silence(&w);
            send_ignores(1);
            CHECK(dory_wire_find(&w, MSG_KEXINIT, &m));
            dory_wire_free(&w);
        }
}
DORY_BOTH_ROLES(T12_rekey_after_2_to_the_31_packets)

/* Without strict key exchange the number wraps, under keys that are young enough (RFC 4253 6.4). */
static void T12_number_wraps_in_a_lax_session(const struct dory_ssh_role *role)
{
    for (int c = 0; c < DORY_WIRE_CIPHERS; c++) {
        struct dory_wire_msg m;
        dory_wire_new(&w, role);
        dory_wire_use_cipher(&w, c);
        dory_kit_case("%s", w.cipher->name);
        w.lists[0] = "curve25519-sha256";
        dory_wire_to(&w, WIRE_CHANNEL);
        packets_used(100, 0xfffffffd);
        for (uint32_t i = 0; i < 6; i++) {
            b.n = 0;
            dory_put8(&b, 150);
            dory_wire_send_bytes(&w, &b);
            CHECK(dory_wire_recv(&w, &m));
            CHECK_EQ(m.type, MSG_UNIMPLEMENTED);
            CHECK_EQ(dory_get32(&m.body), 0xfffffffd + i);
        }
        dory_wire_prove_alive(&w);
        dory_wire_rekey(&w);
        dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T12_number_wraps_in_a_lax_session)

/* A peer that never finishes the rekey does not get the same number twice under the same keys. */
static void T12_no_number_twice_under_the_same_keys(const struct dory_ssh_role *role)
{
    begin(role, WIRE_REKEY_KEXINIT);
    packets_used(0xfffffff8, 0xfffffff8);
    for (int i = 0; i < 12 && !dory_ssh_error(&w.ssh); i++) send_ignores(1);
    CHECK(dory_ssh_error(&w.ssh) != DORY_OK);
    CHECK(w.out.seq >= 0xfffffff8 || w.out.seq == 0);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T12_no_number_twice_under_the_same_keys)

/* The same for what we send: a peer that makes us answer and answer. */
static void T12_own_numbers_do_not_repeat(const struct dory_ssh_role *role)
{
    struct dory_wire_msg m;
    unsigned answers = 0;

    begin(role, WIRE_REKEY_KEXINIT);
    w.ssh.tx.seq = w.in.seq = 0xfffffff8;
    w.ssh.tx.first_seq = 0;
    b.n = 0;
    dory_put8(&b, 150);
    for (int i = 0; i < 12 && !dory_ssh_error(&w.ssh); i++) dory_wire_send_bytes(&w, &b);
    CHECK(dory_ssh_error(&w.ssh) != DORY_OK);
    while (dory_wire_recv(&w, &m)) {
        CHECK(m.seq >= 0xfffffff8);
        answers++;
    }
    CHECK(answers > 0 && answers <= 8);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T12_own_numbers_do_not_repeat)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DORY_BOTH_TESTS(T10_ext_info_that_claims_4_billion_entries),
        DORY_BOTH_TESTS(T10_ext_info_with_many_and_large_entries),
        cmocka_unit_test(T10_sig_algs_without_ours),
        cmocka_unit_test(ext_info_only_where_asked_for),
        DORY_BOTH_TESTS(T10_global_requests_are_answered),
        cmocka_unit_test(T10_hostkeys_00_is_silently_ignored),
        DORY_BOTH_TESTS(T10_channel_keepalive_is_refused_politely),
        DORY_BOTH_TESTS(T10_global_request_flood),
        DORY_BOTH_TESTS(T10_unknown_messages_have_their_numbers_told),
        DORY_BOTH_TESTS(T10_ping_is_answered_with_its_data),
        DORY_BOTH_TESTS(T10_large_ping),
        DORY_BOTH_TESTS(T10_ping_flood),
        DORY_BOTH_TESTS(T10_ignore_and_debug_flood),
        DORY_BOTH_TESTS(T8_peer_rekeys_between_all_messages),
        DORY_BOTH_TESTS(T8_both_begin_at_once),
        DORY_BOTH_TESTS(T8_requests_during_our_kexinit_are_answered_after_it),
        cmocka_unit_test(T8_channel_answers_keep_their_order),
        DORY_BOTH_TESTS(T8_floods_during_a_key_exchange_are_bounded),
        DORY_BOTH_TESTS(T8_silent_peer_times_out),
        DORY_BOTH_TESTS(T8_kexinit_when_nothing_can_be_said),
        DORY_BOTH_TESTS(T8_peer_that_never_answers_kexinit_but_talks),
        DORY_BOTH_TESTS(T12_rekey_after_2_to_the_31_packets),
        DORY_BOTH_TESTS(T12_number_wraps_in_a_lax_session),
        DORY_BOTH_TESTS(T12_no_number_twice_under_the_same_keys),
        DORY_BOTH_TESTS(T12_own_numbers_do_not_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
