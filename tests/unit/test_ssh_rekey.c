/* Key re-exchange at every position (T8): by bytes, packets, time and on demand, from either side or both, in the middle of everything. */
#include "ssh_pair.h"
#include "ssh_peer.h"

enum { CLIENT = 1, SERVER = 2, BOTH = 3 };
static const char *const sides[] = {"", "client", "server", "both"};

static uint32_t rekeys(const struct dory_pair *p)
{
    struct dory_ssh_names c, s;
    dory_ssh_names(&p->client.ssh, &c);
    dory_ssh_names(&p->server.ssh, &s);
    CHECK(c.rekeys <= s.rekeys + 1 && s.rekeys <= c.rekeys + 1); /* the end may come in the middle of one */
    return c.rekeys < s.rekeys ? c.rekeys : s.rekeys;
}

struct limits {
    int who;
    uint64_t bytes;
    uint32_t packets;
    size_t read, buffer;
    unsigned delay;
    int cipher;
};

static void begin(struct dory_pair *p, const struct limits *l)
{
    dory_pair_new(p);
    p->conversations = 3;
    p->up = 2000;
    p->down = 3000;
    p->err = 200;
    for (int i = 0; i < 2; i++) {
        struct dory_pair_side *side = i ? &p->server : &p->client;
        side->config.ciphers = dory_wire_all_ciphers + l->cipher;
        side->read_max = side->write_max = l->read;
        side->event_delay = l->delay;
        side->send_max = 150; /* many packets, many positions */
        if (l->buffer)
            side->config.rx_size = side->config.tx_size = l->buffer;
        if (!(l->who & (i ? SERVER : CLIENT)))
            continue;
        side->config.rekey_bytes = l->bytes;
        side->config.rekey_packets = l->packets;
    }
    dory_pair_start(p);
}

static uint32_t whole(const struct limits *l)
{
    static struct dory_pair p;
    uint32_t n;

    begin(&p, l);
    dory_pair_run(&p);
    dory_pair_check(&p);
    n = rekeys(&p);
    dory_pair_free(&p);
    return n;
}

static void T8_rekey_every_few_bytes(void **state)
{
    uint32_t most = 0;
    (void)state;

    for (int who = CLIENT; who <= BOTH; who++)
        for (uint64_t bytes = 256; bytes < 3000; bytes += bytes < 300 ? 3 : 173) {
            struct limits l = {.who = who, .bytes = bytes, .cipher = (int)(bytes % 3)};
            uint32_t n;
            dory_kit_case("%s rekeys after %u bytes", sides[who], (unsigned)bytes);
            n = whole(&l);
            CHECK(n >= (bytes < 400 ? 10 : 2));
            most = n > most ? n : most;
        }
    dory_kit_say("at most %u rekeys in one session", most);
}

static void T8_rekey_every_few_packets(void **state)
{
    (void)state;
    for (int who = CLIENT; who <= BOTH; who++)
        for (uint32_t packets = 1; packets <= 24; packets++) {
            struct limits l = {.who = who, .packets = packets, .cipher = (int)packets % 3};
            dory_kit_case("%s rekeys after %u packets", sides[who], packets);
            CHECK(whole(&l) >= 2);
        }
}

static void T8_rekey_with_small_chunks_and_buffers(void **state)
{
    (void)state;
    for (int who = CLIENT; who <= BOTH; who++)
        for (size_t read = 0; read < 40; read += 13) {
            struct limits l = {.who = who, .bytes = 700, .read = read, .buffer = DORY_MIN_BUFFER + read};
            dory_kit_case("%s, reads of %zu", sides[who], read);
            CHECK(whole(&l) >= 5);
        }
}

static void T8_rekey_with_slow_signatures(void **state)
{
    (void)state;
    for (int who = CLIENT; who <= BOTH; who++) {
        struct limits l = {.who = who, .bytes = 500, .delay = 7};
        dory_kit_case("%s", sides[who]);
        CHECK(whole(&l) >= 5);
    }
}

/* ---- at each step of a session, on demand ---- */

static unsigned at_round;
static int by_whom;

static void force(struct dory_pair *p)
{
    if (p->rounds != at_round)
        return;
    for (int i = 0; i < 2; i++) {
        struct dory_pair_side *side = i ? &p->server : &p->client;
        int rc;
        if (!(by_whom & (i ? SERVER : CLIENT)))
            continue;
        rc = dory_ssh_rekey(&side->ssh);
        CHECK(rc == DORY_OK || rc == DORY_E_STATE || rc == dory_ssh_error(&side->ssh));
    }
}

/* Small steps, so that there are many: a few hundred bytes a round. */
static unsigned forced_session(unsigned round, int who, uint32_t *n)
{
    static struct dory_pair p;
    unsigned rounds;
    struct limits l = {0};

    begin(&p, &l);
    p.on_round = force;
    p.client.read_max = p.server.read_max = 120;
    p.client.write_max = p.server.write_max = 120;
    at_round = round;
    by_whom = who;
    dory_pair_run(&p);
    dory_pair_check(&p);
    *n = rekeys(&p);
    CHECK(*n <= 2); /* both may begin, one behind the other */
    rounds = p.rounds;
    dory_pair_free(&p);
    return rounds;
}

static void T8_rekey_forced_at_each_step(void **state)
{
    (void)state;
    for (int who = CLIENT; who <= BOTH; who++) {
        uint32_t n, sum = 0;
        unsigned rounds = 1000;
        for (unsigned round = 1; round <= rounds; round++) {
            dory_kit_case("%s begins in round %u", sides[who], round);
            rounds = forced_session(round, who, &n);
            sum += n;
        }
        dory_kit_say("%s: %u positions, %u rekeys", sides[who], rounds, sum);
        CHECK(sum > rounds / 4);
    }
}

/* ---- while something else is going on, against the scripted peer ---- */

static struct dory_wire w;
static struct dory_bytes b;

/* The peer's KEXINIT comes behind a request that waits for its answer. */
static void kexinit_behind_a_login_request(void **state)
{
    (void)state;
    for (int good = 0; good < 2; good++) {
        dory_kit_case("password %s", good ? "good" : "wrong");
        dory_wire_new(&w, &dory_ssh_server);
        dory_wire_to(&w, WIRE_AUTH);
        w.hold = 1U << DORY_EV_AUTH_REQUEST;
        dory_wire_put_password(&b, "alice", good ? "secret" : "wrong");
        dory_wire_send_bytes(&w, &b);
        dory_wire_send_kexinit(&w);
        CHECK_EQ(w.seen[MSG_USERAUTH_FAILURE] + w.seen[MSG_USERAUTH_SUCCESS], 0);
        w.hold = 0;
        dory_wire_expect(&w, good ? MSG_USERAUTH_SUCCESS : MSG_USERAUTH_FAILURE, NULL);
        dory_wire_recv_kexinit(&w);
        dory_wire_send_kex(&w);
        dory_wire_recv_kex(&w);
        dory_wire_expect(&w, MSG_NEWKEYS, NULL);
        dory_wire_send_newkeys(&w);
        w.phase = good ? WIRE_CONNECTION : WIRE_AUTH;
        dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}

/* The server rekeys while the client's signer thinks. The answer to the old question is sent after the exchange, once. */
static void kexinit_while_the_client_signs(void **state)
{
    (void)state;
    for (int ask = 0; ask < 2; ask++) {
        dory_kit_case("ask %d", ask);
        dory_wire_new(&w, &dory_ssh_client);
        w.auth_plan = DORY_AUTH_PUBLICKEY;
        w.hold = 1U << (ask ? DORY_EV_AUTH : DORY_EV_SIGN);
        dory_wire_to(&w, WIRE_NEWKEYS);
        dory_wire_send_newkeys(&w);
        b.n = 0;
        dory_put8(&b, MSG_SERVICE_ACCEPT);
        dory_put_text(&b, "ssh-userauth");
        dory_wire_send_bytes(&w, &b);
        CHECK_EQ(w.events[ask ? DORY_EV_AUTH : DORY_EV_SIGN], 1);
        dory_wire_send_kexinit(&w);
        w.hold = 0;
        dory_wire_pump(&w);
        dory_wire_recv_kexinit(&w);
        dory_wire_recv_kex(&w);
        dory_wire_send_kex(&w);
        dory_wire_expect(&w, MSG_NEWKEYS, NULL);
        dory_wire_send_newkeys(&w);
        w.phase = WIRE_AUTH;
        if (!w.seen[MSG_USERAUTH_REQUEST])
            dory_wire_expect(&w, MSG_USERAUTH_REQUEST, NULL);
        CHECK_EQ(w.seen[MSG_USERAUTH_REQUEST], 1);
        dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}

/* What the application says during an exchange is said after it: opens, EOF, close, exit-status. */
static void application_goes_on_during_an_exchange(void **state)
{
    (void)state;
    dory_wire_new(&w, &dory_ssh_client);
    dory_wire_to(&w, WIRE_REKEY_KEXINIT);
    CHECK(dory_ssh_channel_open(&w.ssh, DORY_REQUEST_EXEC, "two", 3) >= 0);
    CHECK_EQ(dory_ssh_channel_eof(&w.ssh, w.channel), DORY_OK);
    dory_wire_expect_silence(&w);
    dory_wire_to(&w, WIRE_CHANNEL);
    dory_wire_pump(&w);
    dory_wire_expect(&w, MSG_EOF, NULL);
    dory_wire_expect(&w, MSG_OPEN, NULL);
    dory_wire_free(&w);

    dory_wire_new(&w, &dory_ssh_server);
    dory_wire_to(&w, WIRE_REKEY_KEX);
    CHECK_EQ(dory_ssh_channel_exit(&w.ssh, w.channel, 9), DORY_OK);
    dory_wire_expect_silence(&w);
    dory_wire_to(&w, WIRE_CHANNEL);
    dory_wire_expect(&w, MSG_CHANNEL_REQUEST, NULL);
    dory_wire_expect(&w, MSG_EOF, NULL);
    dory_wire_expect(&w, MSG_CLOSE, NULL);
    dory_wire_free(&w);
}

/* No data leaves between our KEXINIT and our NEWKEYS; what the peer sends meanwhile arrives. */
static void data_during_an_exchange(const struct dory_ssh_role *role)
{
    size_t n;

    for (enum dory_wire_phase phase = WIRE_REKEY_KEXINIT; phase <= WIRE_REKEY_KEX; phase++) {
        dory_kit_case("phase %s", dory_wire_phase_name(phase));
        dory_wire_new(&w, role);
        dory_wire_to(&w, phase);
        CHECK(!dory_ssh_senddata_buf(&w.ssh, w.channel, 0, &n));
        CHECK_EQ(n, 0);
        CHECK(!(dory_ssh_state(&w.ssh) & DORY_SENDDATA));
        CHECK_EQ(dory_ssh_rekey(&w.ssh), DORY_E_STATE);
        if (phase == WIRE_REKEY_KEXINIT) {
            dory_wire_put_data(&b, w.engine_channel, 20000);
            dory_wire_send_bytes(&w, &b);
            CHECK_EQ(w.got, 20000);
        }
        dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(data_during_an_exchange)

/* One exchange takes each limit back to its start. */
static void limits_start_again(const struct dory_ssh_role *role)
{
    struct dory_wire_msg m;

    dory_wire_new(&w, role);
    w.config.rekey_bytes = 10000;
    dory_wire_to(&w, WIRE_CHANNEL);
    dory_wire_rekey(&w);
    for (int i = 0; i < 9; i++) {
        dory_wire_put_data(&b, w.engine_channel, 1000);
        dory_wire_send_bytes(&w, &b);
        dory_wire_expect_silence(&w);
    }
    dory_wire_put_data(&b, w.engine_channel, 1000);
    dory_wire_send_bytes(&w, &b);
    CHECK(dory_wire_recv(&w, &m));
    CHECK_EQ(m.type, MSG_KEXINIT);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(limits_start_again)

static void packet_limit_starts_again(const struct dory_ssh_role *role)
{
    for (int lax = 0; lax < 2; lax++) {
        dory_kit_case("%s", lax ? "lax" : "strict");
        dory_wire_new(&w, role);
        if (lax)
            w.lists[0] = "curve25519-sha256";
        w.config.rekey_packets = 40;
        dory_wire_to(&w, WIRE_CHANNEL);
        for (int k = 0; k < 3; k++) {
            struct dory_wire_msg m;
            dory_wire_rekey(&w);
            b.n = 0;
            dory_put8(&b, MSG_IGNORE);
            dory_put_text(&b, "");
            for (int i = 0; i < 39; i++) dory_wire_send_bytes(&w, &b);
            dory_wire_expect_silence(&w);
            if (k < 2)
                continue;
            dory_wire_send_bytes(&w, &b);
            CHECK(dory_wire_recv(&w, &m));
            CHECK_EQ(m.type, MSG_KEXINIT);
        }
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(packet_limit_starts_again)

static void rekey_is_refused_where_it_cannot_be(const struct dory_ssh_role *role)
{
    for (enum dory_wire_phase phase = WIRE_VERSION; phase <= WIRE_AUTH; phase++) {
        dory_kit_case("phase %s", dory_wire_phase_name(phase));
        dory_wire_new(&w, role);
        dory_wire_to(&w, phase);
        CHECK_EQ(dory_ssh_rekey(&w.ssh), DORY_E_STATE);
        dory_wire_prove_alive(&w);
        CHECK_EQ(w.seen[MSG_KEXINIT], 1);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(rekey_is_refused_where_it_cannot_be)

static void rekey_by_time(const struct dory_ssh_role *role)
{
    static const uint32_t limits[] = {0, 1, 1000, 7200000};

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        uint64_t ms = limits[i] ? limits[i] : 3600000, next;
        dory_kit_case("rekey_ms %u", limits[i]);
        dory_wire_new(&w, role);
        w.config.rekey_ms = limits[i];
        w.config.reply_ms = 10;
        dory_wire_to(&w, WIRE_CHANNEL);
        for (unsigned k = 1; k <= 3; k++) {
            if (ms > 1) {
                next = dory_wire_tick(&w, ms - 1);
                CHECK_EQ(next, w.now + 1);
                dory_wire_expect_silence(&w);
            }
            dory_wire_tick(&w, 1);
            dory_wire_recv_kexinit(&w);
            CHECK_EQ(w.seen[MSG_KEXINIT], k + 1);
            w.phase = WIRE_REKEY_KEXINIT;
            dory_wire_to(&w, WIRE_CHANNEL);
        }
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(rekey_by_time)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T8_rekey_every_few_bytes),
        cmocka_unit_test(T8_rekey_every_few_packets),
        cmocka_unit_test(T8_rekey_with_small_chunks_and_buffers),
        cmocka_unit_test(T8_rekey_with_slow_signatures),
        cmocka_unit_test(T8_rekey_forced_at_each_step),
        cmocka_unit_test(kexinit_behind_a_login_request),
        cmocka_unit_test(kexinit_while_the_client_signs),
        cmocka_unit_test(application_goes_on_during_an_exchange),
        DORY_BOTH_TESTS(data_during_an_exchange),
        DORY_BOTH_TESTS(limits_start_again),
        DORY_BOTH_TESTS(packet_limit_starts_again),
        DORY_BOTH_TESTS(rekey_is_refused_where_it_cannot_be),
        DORY_BOTH_TESTS(rekey_by_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
