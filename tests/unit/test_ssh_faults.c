/* What goes wrong around the engine: the stream cut at every byte (T11), randomness that fails at the n-th call (K4), calls that do not fit
 * the moment, and the promise that an error sticks. */
#include "ssh_pair.h"
#include "ssh_peer.h"

static struct dory_pair p;

/* ---- T11: the stream ends after each byte ---- */

static void save_side(struct dory_snap *snap, struct dory_pair_side *side)
{
    dory_snap_add(snap, &side->ssh, sizeof side->ssh);
    dory_snap_add(snap, side->channels, sizeof side->channels);
    dory_snap_add(snap, side->config.rx, side->config.rx_size);
    dory_snap_add(snap, side->config.tx, side->config.tx_size);
}

static void drain(struct dory_ssh *s)
{
    size_t n;
    while (dory_ssh_sendpkt_buf(s, &n)) {
        CHECK(n > 0);
        dory_ssh_sendpkt_ack(s, n);
    }
    CHECK_EQ(n, 0);
}

static void expect_dead(struct dory_pair_side *side, int error)
{
    struct dory_ssh *s = &side->ssh;
    struct dory_event e;
    int channel;
    uint32_t extended;
    size_t n = 1;

    CHECK_EQ(dory_ssh_error(s), error);
    CHECK(dory_ssh_state(s) & DORY_DONE);
    CHECK(!(dory_ssh_state(s) & (DORY_RECVPKT | DORY_RECVDATA | DORY_SENDDATA | DORY_EVENT)));
    CHECK(!dory_ssh_recvpkt_buf(s, &n) && n == 0);
    CHECK_EQ(dory_ssh_recvpkt_ack(s, 0), error);
    CHECK(!dory_ssh_recvdata_buf(s, &channel, &extended, &n) && n == 0);
    CHECK_EQ(dory_ssh_recvdata_ack(s, 0), error);
    CHECK(!dory_ssh_senddata_buf(s, 0, 0, &n) && n == 0);
    CHECK_EQ(dory_ssh_senddata_ack(s, 0), error);
    CHECK_EQ(dory_ssh_event(s, &e), DORY_EV_NONE);
    CHECK_EQ(dory_ssh_accept(s), error);
    CHECK_EQ(dory_ssh_refuse(s), error);
    CHECK_EQ(dory_ssh_sign(s, (const uint8_t *)"x", 1), error);
    CHECK_EQ(dory_ssh_auth_none(s), error);
    CHECK_EQ(dory_ssh_auth_password(s, (const uint8_t *)"x", 1), error);
    CHECK_EQ(dory_ssh_auth_publickey(s, "ssh-ed25519", (const uint8_t *)"x", 1, false), error);
    CHECK_EQ(dory_ssh_rekey(s), error);
    CHECK_EQ(dory_ssh_channel_open(s, DORY_REQUEST_EXEC, "x", 1), error);
    CHECK_EQ(dory_ssh_channel_eof(s, 0), error);
    CHECK_EQ(dory_ssh_channel_close(s, 0), error);
    CHECK_EQ(dory_ssh_channel_exit(s, 0, 0), error);
    CHECK_EQ(dory_ssh_tick(s, p.now + 1), UINT64_MAX);
    dory_ssh_disconnect(s, SSH_DISCONNECT_BY_APPLICATION, "");
    CHECK_EQ(dory_ssh_error(s), error);
    drain(s);
    CHECK_EQ(dory_ssh_error(s), error);
}

/* Whatever the state before: now the peer is gone. Then time goes back, and the session goes on by one byte. */
static void cut_here(struct dory_pair_side *side)
{
    struct dory_snap snap = {0};
    int error = dory_ssh_error(&side->ssh);

    save_side(&snap, side);
    CHECK_EQ(dory_ssh_recvpkt_eof(&side->ssh), error ? DORY_OK : DORY_E_CUT);
    expect_dead(side, error ? error : DORY_E_CUT);
    CHECK_EQ(dory_ssh_recvpkt_eof(&side->ssh), error ? DORY_OK : DORY_E_CUT);
    dory_snap_restore(&snap);
    dory_snap_free(&snap);
}

static uint64_t taken[2];
static unsigned cuts[2];

static void cut_each(struct dory_pair *pair)
{
    for (int i = 0; i < 2; i++) {
        struct dory_pair_side *side = i ? &pair->server : &pair->client;
        struct dory_pair_side *other = i ? &pair->client : &pair->server;
        uint64_t now = other->out.total - dory_pipe_size(&other->out);
        if (now == taken[i] && pair->rounds > 1)
            continue;
        taken[i] = now;
        cuts[i]++;
        dory_kit_case("%s, cut after %llu bytes", i ? "server" : "client", (unsigned long long)now);
        cut_here(side);
    }
}

static void T11_cut_after_every_byte(void **state)
{
    (void)state;
    for (int variant = 0; variant < 3; variant++) {
        dory_pair_new(&p);
        memset(taken, 0, sizeof taken);
        memset(cuts, 0, sizeof cuts);
        p.up = 300;
        p.down = 500;
        p.conversations = 2;
        p.method = variant == 1 ? DORY_AUTH_PUBLICKEY : DORY_AUTH_PASSWORD;
        p.ask = true;
        p.client.config.rekey_bytes = variant == 2 ? 600 : 0;
        for (int i = 0; i < 2; i++) {
            struct dory_pair_side *side = i ? &p.server : &p.client;
            side->read_max = 1;
            side->config.rx_size = side->config.tx_size = DORY_MIN_BUFFER;
            side->config.read_ahead = variant == 1;
        }
        p.on_round = cut_each;
        dory_pair_start(&p);
        dory_pair_run(&p);
        dory_pair_check(&p);
        CHECK(cuts[0] > 1000 && cuts[1] > 1000);
        dory_kit_say("cut at %u places of the client's input, %u of the server's", cuts[0], cuts[1]);
        dory_pair_free(&p);
    }
}

/* ---- K4 ---- */

/* What the engine sent after randomness failed must not need any: at most the DISCONNECT. */
static void fail_at(bool server, long n, bool for_good, long *calls)
{
    struct dory_pair_side *side;
    int rc;

    dory_pair_new(&p);
    p.up = p.down = 5000;
    side = server ? &p.server : &p.client;
    p.client.config.rekey_bytes = 2500;
    side->rng.fail_at = n;
    side->rng.fail_after = for_good;
    p.client.config.rx = malloc(p.client.config.rx_size);
    p.client.config.tx = malloc(p.client.config.tx_size);
    p.server.config.rx = malloc(p.server.config.rx_size);
    p.server.config.tx = malloc(p.server.config.tx_size);
    rc = dory_ssh_init(&p.client.ssh, &p.client.config, p.now);
    CHECK(rc == DORY_OK || (!server && rc == DORY_E_RNG));
    rc = dory_ssh_init(&p.server.ssh, &p.server.config, p.now);
    CHECK(rc == DORY_OK || (server && rc == DORY_E_RNG));
    if (!n) {
        dory_pair_run(&p);
        dory_pair_check(&p);
        *calls = side->rng.calls;
    } else {
        dory_pair_try(&p);
        CHECK_EQ(side->rng.calls, n); /* no second try behind our back */
        CHECK_EQ(dory_ssh_error(&side->ssh), DORY_E_RNG);
        CHECK(dory_ssh_state(&side->ssh) & DORY_DONE);
        CHECK(p.finished < p.conversations);
    }
    dory_pair_free(&p);
}

static void K4_randomness_fails_at_each_call(void **state)
{
    (void)state;
    for (int server = 0; server < 2; server++) {
        long calls = 0;
        fail_at(server, 0, false, &calls);
        CHECK(calls >= 4);
        for (long n = 1; n <= calls; n++)
            for (int for_good = 0; for_good < 2; for_good++) {
                dory_kit_case("%s, call %ld of %ld, %s", server ? "server" : "client", n, calls, for_good ? "for good" : "once");
                fail_at(server, n, for_good, NULL);
            }
        dory_kit_say("%s: %ld calls", server ? "server" : "client", calls);
    }
}

static void K4_init_says_so(const struct dory_ssh_role *role)
{
    static struct dory_wire w;
    static uint8_t rx[4096], tx[4096];
    struct dory_hostkey host;
    size_t n;

    dory_wire_new(&w, role);
    w.config.rx = rx;
    w.config.tx = tx;
    w.config.rx_size = w.config.tx_size = sizeof rx;
    host = (struct dory_hostkey){"ssh-ed25519", w.hostkey.blob, w.hostkey.n};
    w.config.hostkeys = &host;
    w.config.hostkey_count = 1;
    w.engine_rng.fail_at = 1;
    CHECK_EQ(dory_ssh_init(&w.ssh, &w.config, 0), DORY_E_RNG);
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_E_RNG);
    CHECK(!dory_ssh_recvpkt_buf(&w.ssh, &n));
}
DORY_BOTH_ROLES(K4_init_says_so)

/* Another seed, another session: what is random differs, so nothing is fixed behind our back. */
static void different_randomness_different_keys(void **state)
{
    static struct dory_wire a, b;
    (void)state;

    for (int server = 0; server < 2; server++) {
        dory_wire_new(&a, server ? &dory_ssh_server : &dory_ssh_client);
        dory_wire_new(&b, server ? &dory_ssh_server : &dory_ssh_client);
        dory_kit_rng_init(&b.engine_rng, 99);
        dory_wire_to(&a, WIRE_NEWKEYS);
        dory_wire_to(&b, WIRE_NEWKEYS);
        CHECK(memcmp(a.their_kexinit.p + 1, b.their_kexinit.p + 1, 16) != 0);
        CHECK(memcmp(a.session_id, b.session_id, 32) != 0);
        CHECK(memcmp(a.key[0], b.key[0], 32) != 0);
        dory_wire_free(&a);
        dory_wire_free(&b);
    }
}

/* ---- K3: wiping ---- */

static bool all_zero(const void *at, size_t n)
{
    const uint8_t *b = at;
    while (n && !*b) b++, n--;
    return n == 0;
}

static void K3_wipe_leaves_nothing(void **state)
{
    (void)state;
    dory_pair_new(&p);
    p.stay = true;
    p.up = p.down = 3000;
    dory_pair_start(&p);
    dory_pair_run(&p);
    for (int i = 0; i < 2; i++) {
        struct dory_pair_side *side = i ? &p.server : &p.client;
        dory_ssh_wipe(&side->ssh);
        CHECK(all_zero(side->config.rx, side->config.rx_size));
        CHECK(all_zero(side->config.tx, side->config.tx_size));
        CHECK(all_zero(&side->ssh.rx, sizeof side->ssh.rx));
        CHECK(all_zero(&side->ssh.tx, sizeof side->ssh.tx));
        CHECK(all_zero(side->ssh.session_id, 32) && all_zero(side->ssh.h, 32) && all_zero(side->ssh.k, sizeof side->ssh.k));
        CHECK(all_zero(side->ssh.kex_secret, sizeof side->ssh.kex_secret));
        free(side->config.rx);
        free(side->config.tx);
        dory_pipe_free(&side->out);
    }
}

/* The shared secret and the ephemeral key are gone once the keys are in use. */
static void K3_key_exchange_secrets_do_not_stay(void **state)
{
    (void)state;
    dory_pair_new(&p);
    p.stay = true;
    dory_pair_start(&p);
    dory_pair_run(&p);
    for (int i = 0; i < 2; i++) {
        const struct dory_ssh *s = i ? &p.server.ssh : &p.client.ssh;
        dory_kit_case("%s", i ? "server" : "client");
        CHECK(all_zero(s->k, sizeof s->k));
        CHECK(all_zero(s->kex_secret, sizeof s->kex_secret));
    }
    dory_pair_free(&p);
}

/* ---- calls that do not fit ---- */

static void calls_out_of_place_change_nothing(const struct dory_ssh_role *role)
{
    static struct dory_wire w;

    for (enum dory_wire_phase phase = WIRE_VERSION; phase < WIRE_PHASES; phase++) {
        size_t n;
        dory_kit_case("phase %s", dory_wire_phase_name(phase));
        dory_wire_new(&w, role);
        dory_wire_to(&w, phase);
        dory_wire_pump(&w);
        CHECK_EQ(dory_ssh_accept(&w.ssh), DORY_E_STATE);
        CHECK_EQ(dory_ssh_refuse(&w.ssh), DORY_E_STATE);
        CHECK_EQ(dory_ssh_sign(&w.ssh, (const uint8_t *)"x", 1), DORY_E_STATE);
        CHECK_EQ(dory_ssh_auth_none(&w.ssh), DORY_E_STATE);
        CHECK_EQ(dory_ssh_auth_password(&w.ssh, (const uint8_t *)"x", 1), DORY_E_STATE);
        CHECK_EQ(dory_ssh_auth_publickey(&w.ssh, "ssh-ed25519", (const uint8_t *)"x", 1, false), DORY_E_STATE);
        CHECK_EQ(dory_ssh_recvdata_ack(&w.ssh, 1), DORY_E_STATE);
        CHECK_EQ(dory_ssh_senddata_ack(&w.ssh, 1), DORY_E_STATE);
        CHECK_EQ(dory_ssh_sendpkt_ack(&w.ssh, 1), DORY_E_ARG);
        CHECK_EQ(dory_ssh_recvpkt_ack(&w.ssh, 1 << 30), DORY_E_ARG);
        CHECK_EQ(dory_ssh_channel_eof(&w.ssh, 3), DORY_E_ARG);
        CHECK_EQ(dory_ssh_channel_close(&w.ssh, -1), DORY_E_ARG);
        CHECK_EQ(dory_ssh_channel_exit(&w.ssh, 200, 0), DORY_E_ARG);
        CHECK_EQ(dory_ssh_channel_state(&w.ssh, 200), 0);
        CHECK_EQ(dory_ssh_channel_state(&w.ssh, -1), 0);
        CHECK_EQ(dory_ssh_channel_status(&w.ssh, 200), -1);
        dory_ssh_channel_release(&w.ssh, 200);
        dory_ssh_channel_release(&w.ssh, -1);
        CHECK(dory_ssh_recvpkt_buf(&w.ssh, &n) && n > 0);
        CHECK_EQ(dory_ssh_recvpkt_ack(&w.ssh, 0), DORY_OK);
        dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(calls_out_of_place_change_nothing)

/* Acknowledging more than was offered is refused, whatever the window. */
static void acknowledging_too_much(const struct dory_ssh_role *role)
{
    static struct dory_wire w;
    static struct dory_bytes b;
    int channel;
    uint32_t extended;
    size_t n;

    dory_wire_new(&w, role);
    dory_wire_to(&w, WIRE_CHANNEL);
    CHECK_EQ(dory_ssh_recvpkt_ack(&w.ssh, w.config.rx_size), DORY_E_ARG);
    w.hold_data = w.hold_drain = true;
    dory_wire_put_data(&b, w.engine_channel, 10);
    dory_wire_send_bytes(&w, &b);
    CHECK(dory_ssh_recvdata_buf(&w.ssh, &channel, &extended, &n));
    CHECK_EQ(n, 10);
    CHECK_EQ(dory_ssh_recvdata_ack(&w.ssh, 11), DORY_E_ARG);
    CHECK_EQ(dory_ssh_recvdata_ack(&w.ssh, 4), DORY_OK);
    CHECK(dory_ssh_recvdata_buf(&w.ssh, &channel, &extended, &n));
    CHECK_EQ(n, 6);
    CHECK_EQ(dory_ssh_recvdata_ack(&w.ssh, 7), DORY_E_ARG);
    w.hold_data = w.hold_drain = false;
    dory_wire_pump(&w);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(acknowledging_too_much)

/* ---- ending in order ---- */

static void disconnect_in_every_phase(const struct dory_ssh_role *role)
{
    static struct dory_wire w;
    struct dory_wire_msg m;

    for (enum dory_wire_phase phase = WIRE_VERSION; phase < WIRE_PHASES; phase++) {
        bool told = false;
        dory_kit_case("phase %s", dory_wire_phase_name(phase));
        dory_wire_new(&w, role);
        dory_wire_to(&w, phase);
        dory_ssh_disconnect(&w.ssh, SSH_DISCONNECT_TOO_MANY_CONNECTIONS, "come back later");
        CHECK_EQ(dory_ssh_error(&w.ssh), DORY_E_CLOSED);
        CHECK(dory_ssh_state(&w.ssh) & DORY_DONE);
        while (dory_wire_recv(&w, &m))
            if (m.type == MSG_DISCONNECT) {
                told = true;
                CHECK_EQ(dory_get32(&m.body), SSH_DISCONNECT_TOO_MANY_CONNECTIONS);
                CHECK(dory_view_is(dory_get_string(&m.body), "come back later"));
                CHECK(dory_view_is(dory_get_string(&m.body), ""));
            }
        CHECK_EQ(told, phase != WIRE_VERSION);
        CHECK_EQ(dory_ssh_recvpkt_eof(&w.ssh), DORY_OK);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(disconnect_in_every_phase)

static void the_peers_goodbye_is_kept_for_people(const struct dory_ssh_role *role)
{
    static struct dory_wire w;
    static struct dory_bytes b;

    for (enum dory_wire_phase phase = WIRE_KEXINIT; phase < WIRE_PHASES; phase++) {
        size_t n;
        const uint8_t *detail;
        dory_kit_case("phase %s", dory_wire_phase_name(phase));
        dory_wire_new(&w, role);
        dory_wire_to(&w, phase);
        b.n = 0;
        dory_put8(&b, MSG_DISCONNECT);
        dory_put32(&b, 12);
        dory_put_text(&b, "too many \x1b[31musers");
        dory_put_text(&b, "");
        dory_wire_send_bytes(&w, &b);
        CHECK_EQ(dory_ssh_error(&w.ssh), DORY_E_DISCONNECTED);
        CHECK_EQ(dory_ssh_disconnect_reason(&w.ssh), 12);
        CHECK_EQ(dory_ssh_recvpkt_eof(&w.ssh), DORY_OK);
        detail = dory_ssh_error_detail(&w.ssh, &n);
        CHECK(detail && dory_view_is(dory_view(detail, n), "too many \x1b[31musers"));
        CHECK_EQ(dory_wire_end_reason(&w), 0); /* no answer to it */
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(the_peers_goodbye_is_kept_for_people)

static void malformed_goodbyes(const struct dory_ssh_role *role)
{
    static struct dory_wire w;
    static struct dory_bytes b;
    size_t whole;

    for (size_t n = 1; n < 20; n++) {
        dory_kit_case("DISCONNECT of %zu bytes", n);
        dory_wire_new(&w, role);
        dory_wire_to(&w, WIRE_CHANNEL);
        b.n = 0;
        dory_put8(&b, MSG_DISCONNECT);
        dory_put32(&b, 2);
        dory_put32(&b, 0xfffffff0);
        dory_put_fill(&b, 'x', 20);
        whole = n;
        dory_wire_send(&w, b.p, whole);
        CHECK(dory_ssh_error(&w.ssh) == DORY_E_DISCONNECTED || dory_ssh_error(&w.ssh) == DORY_E_PROTOCOL);
        dory_ssh_error_detail(&w.ssh, &whole);
        CHECK(whole <= 20);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(malformed_goodbyes)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T11_cut_after_every_byte),
        cmocka_unit_test(K4_randomness_fails_at_each_call),
        DORY_BOTH_TESTS(K4_init_says_so),
        cmocka_unit_test(different_randomness_different_keys),
        cmocka_unit_test(K3_wipe_leaves_nothing),
        cmocka_unit_test(K3_key_exchange_secrets_do_not_stay),
        DORY_BOTH_TESTS(calls_out_of_place_change_nothing),
        DORY_BOTH_TESTS(acknowledging_too_much),
        DORY_BOTH_TESTS(disconnect_in_every_phase),
        DORY_BOTH_TESTS(the_peers_goodbye_is_kept_for_people),
        DORY_BOTH_TESTS(malformed_goodbyes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
