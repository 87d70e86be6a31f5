/* Deadlines and keepalives, by tick alone (A6, T8). */
#include "ssh_pair.h"
#include "ssh_peer.h"

static struct dory_wire w;
static struct dory_bytes b;
static struct dory_wire_msg m;

static void answer_keepalive(void)
{
    b.n = 0;
    dory_put8(&b, MSG_REQUEST_FAILURE);
    dory_wire_send_bytes(&w, &b);
}

static void expect_keepalive(void)
{
    CHECK(dory_wire_recv(&w, &m));
    CHECK_EQ(m.type, MSG_GLOBAL_REQUEST);
    CHECK(dory_view_is(dory_get_string(&m.body), "keepalive@openssh.com"));
    CHECK_EQ(dory_get8(&m.body), 1);
    CHECK_EQ(m.body.n, 0);
}

static void keepalives_are_sent_in_silence(const struct dory_ssh_role *role)
{
    dory_wire_new(&w, role);
    w.config.keepalive_ms = 1000;
    dory_wire_to(&w, WIRE_CHANNEL);
    for (int i = 0; i < 20; i++) {
        dory_wire_tick(&w, 999);
        dory_wire_expect_silence(&w);
        dory_wire_tick(&w, 1);
        expect_keepalive();
        answer_keepalive();
    }
    dory_wire_tick(&w, 999); /* anything heard counts */
    dory_wire_put_data(&b, w.engine_channel, 1);
    dory_wire_send_bytes(&w, &b);
    dory_wire_tick(&w, 999);
    dory_wire_expect_silence(&w);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(keepalives_are_sent_in_silence)

static void unanswered_keepalives_end_the_session(const struct dory_ssh_role *role)
{
    for (uint8_t max = 0; max <= 5; max++) {
        unsigned limit = max ? max : 3;
        dory_kit_case("keepalive_max %u", max);
        dory_wire_new(&w, role);
        w.config.keepalive_ms = 1000;
        w.config.keepalive_max = max;
        dory_wire_to(&w, WIRE_CHANNEL);
        for (unsigned i = 0; i < limit; i++) {
            dory_wire_tick(&w, 1000);
            expect_keepalive();
        }
        dory_wire_tick(&w, 999);
        CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
        dory_wire_tick(&w, 1);
        CHECK_EQ(dory_ssh_error(&w.ssh), DORY_E_TIMEOUT);
        CHECK_EQ(w.seen[MSG_GLOBAL_REQUEST], limit);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(unanswered_keepalives_end_the_session)

/* A REQUEST_SUCCESS will do too; an answer to nothing will not. */
static void answers_to_keepalives(const struct dory_ssh_role *role)
{
    dory_wire_new(&w, role);
    w.config.keepalive_ms = 1000;
    dory_wire_to(&w, WIRE_CHANNEL);
    dory_wire_tick(&w, 1000);
    expect_keepalive();
    b.n = 0;
    dory_put8(&b, MSG_REQUEST_SUCCESS);
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(answers_to_keepalives)

/* While this side does not read (its application is busy, or thinks about an answer), the peer's answers cannot be heard. */
static void silence_of_our_own_making_is_not_the_peers(void **state)
{
    (void)state;
    for (int event = 0; event < 2; event++) {
        dory_kit_case("%s", event ? "a request that waits for its answer" : "data that is not taken");
        dory_wire_new(&w, &dory_ssh_server);
        w.config.keepalive_ms = 1000;
        dory_wire_to(&w, event ? WIRE_REQUESTED : WIRE_CHANNEL);
        if (event) {
            w.hold = 1U << DORY_EV_CHANNEL_REQUEST;
            dory_wire_put_exec(&b, w.engine_channel, "run", true);
        } else {
            w.hold_data = true;
            dory_wire_put_data(&b, w.engine_channel, 100);
        }
        dory_wire_send_bytes(&w, &b);
        for (int i = 0; i < 60; i++) {
            dory_wire_tick(&w, 500);
            while (dory_wire_recv(&w, &m))
                if (m.type == MSG_GLOBAL_REQUEST)
                    answer_keepalive();
        }
        CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
        w.hold = 0;
        w.hold_data = false;
        dory_wire_pump(&w);
        CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
        dory_wire_free(&w);
    }
}

static void no_keepalive_during_a_key_exchange(const struct dory_ssh_role *role)
{
    dory_wire_new(&w, role);
    w.config.keepalive_ms = 1000;
    w.config.keepalive_max = 100;
    dory_wire_to(&w, WIRE_REKEY_KEXINIT);
    for (int i = 0; i < 5; i++) dory_wire_tick(&w, 1000);
    dory_wire_expect_silence(&w);
    dory_wire_to(&w, WIRE_CHANNEL);
    dory_wire_prove_alive(&w);
    CHECK(w.seen[MSG_GLOBAL_REQUEST] <= 1); /* what was due is said once */
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(no_keepalive_during_a_key_exchange)

static void no_keepalive_before_login(const struct dory_ssh_role *role)
{
    dory_wire_new(&w, role);
    w.config.keepalive_ms = 10;
    dory_wire_to(&w, WIRE_AUTH);
    for (int i = 0; i < 50; i++) dory_wire_tick(&w, 10);
    dory_wire_expect_silence(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(no_keepalive_before_login)

/* ---- idle ---- */

static void send_one(int way)
{
    size_t n;
    uint8_t *p;

    if (way == 0) {
        dory_wire_put_data(&b, w.engine_channel, 1);
        dory_wire_send_bytes(&w, &b);
    } else {
        p = dory_ssh_senddata_buf(&w.ssh, w.channel, 0, &n);
        CHECK(p);
        *p = 'x';
        CHECK_EQ(dory_ssh_senddata_ack(&w.ssh, 1), DORY_OK);
    }
}

static void idle_sessions_end(const struct dory_ssh_role *role)
{
    for (int way = 0; way < 2; way++) {
        dory_kit_case("data %s", way ? "out" : "in");
        dory_wire_new(&w, role);
        w.config.idle_ms = 5000;
        dory_wire_to(&w, WIRE_CHANNEL);
        for (int i = 0; i < 5; i++) {
            dory_wire_tick(&w, 4999);
            CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
            send_one(way);
        }
        CHECK_EQ(dory_wire_tick(&w, 4999), w.now + 1);
        dory_wire_tick(&w, 1);
        CHECK_EQ(dory_ssh_error(&w.ssh), DORY_E_TIMEOUT);
        CHECK_EQ(dory_wire_end_reason(&w), SSH_DISCONNECT_BY_APPLICATION);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(idle_sessions_end)

/* Only channel data is work: not keepalives, requests, IGNOREs, rekeys. */
static void chatter_is_not_work(const struct dory_ssh_role *role)
{
    int i;

    dory_wire_new(&w, role);
    w.config.idle_ms = 10000;
    w.config.keepalive_ms = 900;
    dory_wire_to(&w, WIRE_CHANNEL);
    for (i = 0; i < 20 && !dory_ssh_error(&w.ssh); i++) {
        dory_wire_put_global(&b, "x", true);
        dory_wire_send_bytes(&w, &b);
        if (i == 3)
            dory_wire_rekey(&w);
        dory_wire_tick(&w, 1000);
    }
    CHECK_EQ(i, 10);
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_E_TIMEOUT);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(chatter_is_not_work)

static void idle_starts_with_the_login(const struct dory_ssh_role *role)
{
    dory_wire_new(&w, role);
    w.config.idle_ms = 1000;
    dory_wire_to(&w, WIRE_AUTH);
    dory_wire_tick(&w, 50000);
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
    dory_wire_to(&w, WIRE_CONNECTION);
    dory_wire_tick(&w, 999);
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
    dory_wire_tick(&w, 1);
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_E_TIMEOUT);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(idle_starts_with_the_login)

/* ---- the deadline that tick returns ---- */

static void no_limits_no_deadline(const struct dory_ssh_role *role)
{
    dory_wire_new(&w, role);
    w.config.rekey_ms = UINT32_MAX;
    dory_wire_to(&w, WIRE_AUTH);
    CHECK_EQ(dory_wire_tick(&w, 1), UINT64_MAX);
    dory_wire_to(&w, WIRE_CHANNEL);
    CHECK(dory_wire_tick(&w, 1) > w.now + 4000000000U);
    dory_wire_tick(&w, 100000000);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(no_limits_no_deadline)

/* Called only when it asked to be called, or every millisecond: the same happens at the same time. */
static uint64_t time_of_death(const struct dory_ssh_role *role, bool every_ms, uint64_t start, unsigned *keepalives)
{
    uint64_t next;

    dory_wire_new(&w, role);
    w.now = start;
    w.config.login_grace_ms = 3000;
    w.config.keepalive_ms = 700;
    w.config.keepalive_max = 7;
    w.config.idle_ms = 4000;
    w.config.rekey_ms = 1100;
    w.config.reply_ms = 2500;
    dory_wire_to(&w, WIRE_CHANNEL);
    next = dory_wire_tick(&w, 0);
    while (!dory_ssh_error(&w.ssh)) {
        CHECK(next > w.now && next != UINT64_MAX);
        next = dory_wire_tick(&w, every_ms ? 1 : next - w.now);
        while (dory_wire_recv(&w, &m))
            ;
    }
    *keepalives = w.seen[MSG_GLOBAL_REQUEST] * 100 + w.seen[MSG_KEXINIT];
    dory_wire_free(&w);
    return w.now - start;
}

static void deadlines_are_enough(const struct dory_ssh_role *role)
{
    static const uint64_t starts[] = {0, 1, 1000, UINT64_C(0xffffff00), UINT64_C(0x7fffffffffffff00)};

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        unsigned said, said_often;
        uint64_t died = time_of_death(role, false, starts[i], &said);
        dory_kit_case("clock starts at %llu", (unsigned long long)starts[i]);
        CHECK_EQ(time_of_death(role, true, starts[i], &said_often), died);
        CHECK_EQ(said, said_often);
        CHECK_EQ(died, 1100 + 2500); /* rekey by time, never answered */
    }
}
DORY_BOTH_ROLES(deadlines_are_enough)

/* A deadline that passes while an event waits ends the session, and the event with it. */
static void deadline_while_an_event_waits(void **state)
{
    struct dory_event e;
    (void)state;

    dory_wire_new(&w, &dory_ssh_client);
    w.config.login_grace_ms = 1000;
    w.hold = 1U << DORY_EV_HOSTKEY;
    dory_wire_to(&w, WIRE_KEX);
    dory_wire_send_kex(&w);
    CHECK_EQ(dory_ssh_event(&w.ssh, &e), DORY_EV_HOSTKEY);
    dory_wire_tick(&w, 1000);
    CHECK_EQ(dory_ssh_event(&w.ssh, &e), DORY_EV_NONE);
    CHECK_EQ(dory_ssh_accept(&w.ssh), DORY_E_TIMEOUT);
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_BY_APPLICATION, DORY_E_TIMEOUT);
    dory_wire_free(&w);
}

/* A person who looks long at a fingerprint is not a silent peer. */
static void reply_time_does_not_run_while_this_side_is_asked(void **state)
{
    (void)state;
    dory_wire_new(&w, &dory_ssh_client);
    w.config.reply_ms = 1000;
    w.hold = 1U << DORY_EV_HOSTKEY;
    dory_wire_to(&w, WIRE_KEX);
    dory_wire_send_kex(&w);
    dory_wire_tick(&w, 120000);
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
    w.hold = 0;
    dory_wire_expect(&w, MSG_NEWKEYS, NULL);
    w.phase = WIRE_NEWKEYS;
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

/* A pair under many limits at once, ticking all the while, comes to no harm. */
static void set_limits(struct dory_pair *p, void *ctx)
{
    uint32_t round_ms = *(uint32_t *)ctx;

    p->tick_ms = round_ms;
    p->pipe_max = 4000; /* what is on the way delays every answer */
    p->conversations = 4;
    p->up = p->down = 30000;
    p->client.read_max = p->server.read_max = 500;
    for (int i = 0; i < 2; i++) {
        struct dory_ssh_config *c = i ? &p->server.config : &p->client.config;
        c->rekey_ms = 60 * round_ms;
        c->keepalive_ms = 20 * round_ms;
        c->keepalive_max = 5;
        c->idle_ms = 20000;
        c->login_grace_ms = 20000;
        c->reply_ms = 20000;
    }
}

static void busy_sessions_live_under_all_limits(void **state)
{
    (void)state;
    for (uint32_t ms = 1; ms < 30; ms += 4) {
        dory_kit_case("%u ms a round", ms);
        dory_pair_whole(set_limits, &ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DORY_BOTH_TESTS(keepalives_are_sent_in_silence),
        DORY_BOTH_TESTS(unanswered_keepalives_end_the_session),
        DORY_BOTH_TESTS(answers_to_keepalives),
        cmocka_unit_test(silence_of_our_own_making_is_not_the_peers),
        DORY_BOTH_TESTS(no_keepalive_during_a_key_exchange),
        DORY_BOTH_TESTS(no_keepalive_before_login),
        DORY_BOTH_TESTS(idle_sessions_end),
        DORY_BOTH_TESTS(chatter_is_not_work),
        DORY_BOTH_TESTS(idle_starts_with_the_login),
        DORY_BOTH_TESTS(no_limits_no_deadline),
        DORY_BOTH_TESTS(deadlines_are_enough),
        cmocka_unit_test(deadline_while_an_event_waits),
        cmocka_unit_test(reply_time_does_not_run_while_this_side_is_asked),
        cmocka_unit_test(busy_sessions_live_under_all_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
