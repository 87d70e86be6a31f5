/* Events wait for their answer, for as long as it takes, and may be refused (A7). */
#include "ssh_pair.h"
#include "ssh_peer.h"

static struct dory_wire w;
static struct dory_bytes b;

/* ---- late ---- */

static void set_late(struct dory_pair *p, void *ctx)
{
    unsigned delay = *(unsigned *)ctx;

    p->client.event_delay = delay;
    p->server.event_delay = delay * 2;
    p->tick_ms = 10;
    p->none_first = true;
    p->method = delay & 1 ? DORY_AUTH_PUBLICKEY : DORY_AUTH_PASSWORD;
    p->ask = delay & 2;
    p->conversations = 3;
    p->client.config.rekey_bytes = 1500; /* the server's signature is late at each rekey too */
}

static void events_answered_late(void **state)
{
    (void)state;
    for (unsigned delay = 0; delay < 40; delay += delay < 8 ? 1 : 9) {
        dory_kit_case("%u rounds late", delay);
        dory_pair_whole(set_late, &delay);
    }
}

/* While it waits an event stays as it was, byte for byte, whatever is asked, ticked, or lies in the socket. */
static void expect_steady(enum dory_event_type type)
{
    struct dory_event first, again;
    uint8_t copy[600];
    size_t room;

    CHECK_EQ(dory_ssh_event(&w.ssh, &first), type);
    CHECK(first.n <= sizeof copy);
    if (first.n)
        memcpy(copy, first.data, first.n);
    for (int i = 0; i < 5; i++) {
        dory_wire_tick(&w, 100);
        CHECK(dory_ssh_state(&w.ssh) & DORY_EVENT);
        CHECK(!(dory_ssh_state(&w.ssh) & DORY_RECVPKT));
        CHECK(!dory_ssh_recvpkt_buf(&w.ssh, &room) && room == 0);
        CHECK_EQ(dory_ssh_event(&w.ssh, &again), type);
        CHECK(again.type == first.type && again.n == first.n && again.data == first.data && again.key == first.key);
        CHECK(again.user == first.user && again.method == first.method && again.channel == first.channel);
        CHECK(!first.n || memcmp(copy, again.data, again.n) == 0);
    }
}

static void client_events_are_steady(void **state)
{
    (void)state;
    dory_kit_case("client");
    dory_wire_new(&w, &dory_ssh_client);
    w.hold = ~0U;
    dory_wire_to(&w, WIRE_KEX);
    dory_wire_send_kex(&w);
    dory_wire_send_newkeys(&w); /* lies there unread */
    expect_steady(DORY_EV_HOSTKEY);
    CHECK_EQ(dory_ssh_accept(&w.ssh), DORY_OK);
    dory_wire_pump(&w);
    expect_steady(DORY_EV_AUTH);
    CHECK_EQ(dory_ssh_accept(&w.ssh), DORY_E_STATE); /* a method is wanted, not a nod */
    CHECK_EQ(dory_ssh_auth_publickey(&w.ssh, "ssh-ed25519", w.userkey.blob, w.userkey.n, false), DORY_OK);
    expect_steady(DORY_EV_SIGN);
    CHECK_EQ(dory_ssh_accept(&w.ssh), DORY_E_STATE);
    CHECK_EQ(dory_ssh_auth_none(&w.ssh), DORY_E_STATE);
    dory_wire_free(&w);
}

static void server_events_are_steady(void **state)
{
    (void)state;
    dory_kit_case("server");
    dory_wire_new(&w, &dory_ssh_server);
    dory_wire_to(&w, WIRE_KEX);
    w.hold = ~0U;
    dory_wire_send_kex(&w);
    expect_steady(DORY_EV_SIGN);
    CHECK_EQ(dory_ssh_accept(&w.ssh), DORY_E_STATE);
    w.hold = 0;
    dory_wire_recv_kex(&w);
    dory_wire_expect(&w, MSG_NEWKEYS, NULL);
    w.phase = WIRE_NEWKEYS;
    dory_wire_to(&w, WIRE_AUTH);
    w.hold = ~0U;
    dory_wire_put_password(&b, "alice", "secret");
    dory_wire_send_bytes(&w, &b);
    dory_wire_put_global(&b, "x", false); /* lies there unread */
    dory_wire_send_bytes(&w, &b);
    expect_steady(DORY_EV_AUTH_REQUEST);
    CHECK_EQ(dory_ssh_sign(&w.ssh, (const uint8_t *)"x", 1), DORY_E_STATE);
    w.hold = 0;
    dory_wire_pump(&w);
    w.phase = WIRE_CONNECTION;
    dory_wire_to(&w, WIRE_REQUESTED);
    w.hold = ~0U;
    dory_wire_put_exec(&b, w.engine_channel, "scp -t .", true);
    dory_wire_send_bytes(&w, &b);
    expect_steady(DORY_EV_CHANNEL_REQUEST);
    CHECK_EQ(dory_ssh_sign(&w.ssh, (const uint8_t *)"x", 1), DORY_E_STATE);
    dory_wire_free(&w);
}

/* ---- what is in them ---- */

static void server_sign_event_names_the_key(void **state)
{
    struct dory_kit_key keys[3];
    struct dory_hostkey table[3];
    struct dory_event e;
    (void)state;

    dory_wire_new(&w, &dory_ssh_server);
    for (uint8_t i = 0; i < 3; i++) {
        dory_kit_key(&keys[i], (uint8_t)(i + 50));
        table[i] = (struct dory_hostkey){i == 1 ? "ssh-ed25519" : i ? "second@example.com" : "first@example.com", keys[i].blob, keys[i].n};
    }
    w.config.hostkeys = table;
    w.config.hostkey_count = 3;
    w.hold = 1U << DORY_EV_SIGN;
    dory_wire_to(&w, WIRE_KEX);
    dory_wire_send_kex(&w);
    CHECK_EQ(dory_ssh_event(&w.ssh, &e), DORY_EV_SIGN);
    CHECK_EQ(e.index, 1); /* the one that the peer's list has */
    assert_string_equal(e.algorithm, "ssh-ed25519");
    CHECK_EQ(e.n, 32);
    CHECK(e.key_n == keys[1].n && memcmp(e.key, keys[1].blob, e.key_n) == 0);
    w.hostkey = keys[1];
    w.hold = 0;
    dory_wire_recv_kex(&w);
    CHECK(memcmp(w.h, w.session_id, 32) == 0);
    dory_wire_expect(&w, MSG_NEWKEYS, NULL);
    w.phase = WIRE_NEWKEYS;
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

/* RFC 4252 7: what the client signs, checked against the peer's own idea of it. */
static void client_signs_what_the_rfc_says(void **state)
{
    static struct dory_bytes data;
    struct dory_wire_msg m;
    struct dory_view signature;
    (void)state;

    for (int ask = 0; ask < 2; ask++) {
        dory_kit_case("ask %d", ask);
        dory_wire_new(&w, &dory_ssh_client);
        w.auth_plan = DORY_AUTH_PUBLICKEY;
        w.auth_ask = ask;
        dory_wire_to(&w, WIRE_SERVICE);
        b.n = 0;
        dory_put8(&b, MSG_SERVICE_ACCEPT);
        dory_put_text(&b, "ssh-userauth");
        dory_wire_send_bytes(&w, &b);
        dory_wire_expect(&w, MSG_USERAUTH_REQUEST, &m);
        if (ask) {
            CHECK_EQ(w.events[DORY_EV_SIGN], 0);
            CHECK(dory_view_contains(m.whole, "publickey\0\0\0\0\x0bssh-ed25519", 25));
            b.n = 0;
            dory_put8(&b, MSG_USERAUTH_60);
            dory_put_text(&b, "ssh-ed25519");
            dory_put_string(&b, w.userkey.blob, w.userkey.n);
            dory_wire_send_bytes(&w, &b);
            dory_wire_expect(&w, MSG_USERAUTH_REQUEST, &m);
        }
        dory_wire_put_request(&b, "alice", "publickey");
        dory_put8(&b, 1);
        dory_put_text(&b, "ssh-ed25519");
        dory_put_string(&b, w.userkey.blob, w.userkey.n);
        CHECK(m.whole.n > b.n && memcmp(m.whole.p, b.p, b.n) == 0);
        m.body = dory_view(m.whole.p + b.n, m.whole.n - b.n);
        signature = dory_get_string(&m.body);
        CHECK(!m.body.bad && m.body.n == 0);
        data.n = 0;
        dory_put_string(&data, w.session_id, 32);
        dory_put_raw(&data, b.p, b.n);
        CHECK_EQ(dory_sig_ssh_ed25519.verify(w.userkey.blob, w.userkey.n, data.p, data.n, signature.p, signature.n), DORY_OK);
        dory_wire_free(&w);
    }
}

/* A rekey asks nobody about a host key that is known. */
static void host_key_is_asked_about_once(void **state)
{
    (void)state;
    dory_wire_new(&w, &dory_ssh_client);
    dory_wire_to(&w, WIRE_CHANNEL);
    for (int i = 0; i < 4; i++) dory_wire_rekey(&w);
    dory_wire_prove_alive(&w);
    CHECK_EQ(w.events[DORY_EV_HOSTKEY], 1);
    dory_wire_free(&w);
}

/* ---- refused ---- */

struct refusal {
    const char *name;
    bool server;
    enum dory_event_type type;
    unsigned nth;
    uint8_t method;
    int client, server_error;
    uint32_t reason; /* as the other side hears it */
};

static void refuse(const struct refusal *r)
{
    static struct dory_pair p;
    struct dory_pair_side *side = r->server ? &p.server : &p.client;
    const struct dory_pair_side *other = r->server ? &p.client : &p.server;

    dory_kit_case("%s", r->name);
    dory_pair_new(&p);
    p.method = r->method;
    side->refuse = 1U << r->type;
    side->refuse_nth = r->nth;
    p.client.config.rekey_bytes = 600;
    p.up = p.down = 3000;
    dory_pair_start(&p);
    dory_pair_run(&p);
    CHECK_EQ(dory_ssh_error(&p.client.ssh), r->client);
    CHECK_EQ(dory_ssh_error(&p.server.ssh), r->server_error);
    CHECK_EQ(dory_ssh_disconnect_reason(&other->ssh), r->reason);
    CHECK_EQ(p.finished, 0);
    dory_pair_free(&p);
}

static void refusing_each_event(void **state)
{
    static const struct refusal refusals[] = {
        {"the host key", false, DORY_EV_HOSTKEY, 1, DORY_AUTH_PASSWORD, DORY_E_HOSTKEY, DORY_E_DISCONNECTED, 9},
        {"to choose a method", false, DORY_EV_AUTH, 1, DORY_AUTH_PASSWORD, DORY_E_AUTH, DORY_E_DISCONNECTED, 13},
        {"to sign as server", true, DORY_EV_SIGN, 1, DORY_AUTH_PASSWORD, DORY_E_DISCONNECTED, DORY_E_KEX, 3},
        {"to sign as server, at a rekey", true, DORY_EV_SIGN, 2, DORY_AUTH_PASSWORD, DORY_E_DISCONNECTED, DORY_E_KEX, 3},
        {"every password", true, DORY_EV_AUTH_REQUEST, 0, DORY_AUTH_PASSWORD, DORY_E_DISCONNECTED, DORY_E_AUTH, 14},
        {"every key", true, DORY_EV_AUTH_REQUEST, 0, DORY_AUTH_PUBLICKEY, DORY_E_DISCONNECTED, DORY_E_AUTH, 14},
    };
    (void)state;

    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) refuse(&refusals[i]);
}

static void set_second_chance(struct dory_pair *p, void *ctx)
{
    unsigned variant = *(unsigned *)ctx;

    p->method = variant & 1 ? DORY_AUTH_PUBLICKEY : DORY_AUTH_PASSWORD;
    p->ask = variant & 2;
    if (variant & 4) { /* the client's own signer refuses once, then it is asked for a method again */
        p->client.refuse = 1U << DORY_EV_SIGN;
        p->client.refuse_nth = 1;
    } else {
        p->server.refuse = 1U << DORY_EV_AUTH_REQUEST;
        p->server.refuse_nth = 1;
    }
}

static void a_refused_login_may_be_tried_again(void **state)
{
    (void)state;
    for (unsigned variant = 0; variant < 8; variant++) {
        if ((variant & 4) && !(variant & 1))
            continue;
        dory_kit_case("variant %u", variant);
        dory_pair_whole(set_second_chance, &variant);
    }
}

static void refused_commands_leave_the_session_alive(void **state)
{
    static struct dory_pair p;
    (void)state;

    dory_pair_new(&p);
    p.conversations = 6;
    p.server.refuse = 1U << DORY_EV_CHANNEL_REQUEST;
    p.server.refuse_nth = 3;
    dory_pair_start(&p);
    dory_pair_run(&p);
    CHECK_EQ(p.finished, 6);
    CHECK_EQ(p.failed, 1);
    CHECK_EQ(dory_ssh_error(&p.client.ssh), DORY_E_CLOSED);
    dory_pair_free(&p);
}

/* ---- signatures that are no good ---- */

static void signatures_of_odd_sizes(void **state)
{
    static uint8_t blob[60000];
    static const size_t sizes[] = {0, 1, 83, 1100};
    (void)state;

    memset(blob, 0x55, sizeof blob);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct dory_wire_msg m;
        dory_kit_case("host signature of %zu bytes", sizes[i]);
        dory_wire_new(&w, &dory_ssh_server);
        w.hold = 1U << DORY_EV_SIGN;
        dory_wire_to(&w, WIRE_KEX);
        dory_wire_send_kex(&w);
        CHECK_EQ(dory_ssh_sign(&w.ssh, blob, sizes[i]), DORY_OK);
        dory_wire_expect(&w, MSG_KEX_REPLY, &m);
        dory_get_string(&m.body);
        dory_get_string(&m.body);
        CHECK_EQ(dory_get_string(&m.body).n, sizes[i]);
        CHECK(!m.body.bad && m.body.n == 0);
        dory_wire_free(&w);
    }
    dory_kit_case("larger than the buffer");
    dory_wire_new(&w, &dory_ssh_server);
    w.hold = 1U << DORY_EV_SIGN;
    dory_wire_to(&w, WIRE_KEX);
    dory_wire_send_kex(&w);
    CHECK_EQ(dory_ssh_sign(&w.ssh, blob, sizeof blob), DORY_E_SPACE);
    dory_wire_free(&w);
}

static void a_bad_user_signature_costs_a_try(void **state)
{
    static struct dory_pair p;
    static const uint8_t bad[83] = {0, 0, 0, 11, 's', 's', 'h', '-', 'e', 'd', '2', '5', '5', '1', '9', 0, 0, 0, 64};
    (void)state;

    dory_pair_new(&p);
    p.method = DORY_AUTH_PUBLICKEY;
    p.client.event_delay = 1;
    dory_pair_start(&p);
    while (p.client.events[DORY_EV_SIGN] == 0) CHECK(dory_pair_round(&p));
    CHECK_EQ(dory_ssh_sign(&p.client.ssh, bad, sizeof bad), DORY_OK);
    p.client.event_seen = false;
    dory_pair_run(&p);
    dory_pair_check(&p);
    CHECK_EQ(p.client.events[DORY_EV_AUTH], 2);
    CHECK_EQ(p.server.events[DORY_EV_AUTH_REQUEST], 1); /* the bad one never reached it */
    dory_pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_answered_late),
        cmocka_unit_test(client_events_are_steady),
        cmocka_unit_test(server_events_are_steady),
        cmocka_unit_test(server_sign_event_names_the_key),
        cmocka_unit_test(client_signs_what_the_rfc_says),
        cmocka_unit_test(host_key_is_asked_about_once),
        cmocka_unit_test(refusing_each_event),
        cmocka_unit_test(a_refused_login_may_be_tried_again),
        cmocka_unit_test(refused_commands_leave_the_session_alive),
        cmocka_unit_test(signatures_of_odd_sizes),
        cmocka_unit_test(a_bad_user_signature_costs_a_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
