/* A server that tells all its host keys, and proves those that it is asked for (OpenSSH's PROTOCOL 2.5). The engine is the client. */
#include "ssh_peer.h"

static struct dory_wire w;
static struct dory_bytes b, keys;
static struct dory_wire_msg m;

static void begin(bool wanted)
{
    struct dory_kit_key other;

    dory_wire_new(&w, &dory_ssh_client);
    w.config.hostkeys_wanted = wanted;
    dory_wire_to(&w, WIRE_CONNECTION);
    dory_kit_key(&other, 77);
    keys.n = 0;
    dory_put_string(&keys, w.hostkey.blob, w.hostkey.n);
    dory_put_string(&keys, other.blob, other.n);
}

static void tell(bool want_reply)
{
    dory_wire_put_global(&b, "hostkeys-00@openssh.com", want_reply);
    dory_put_raw(&b, keys.p, keys.n);
    dory_wire_send_bytes(&w, &b);
}

static void prove(int expected)
{
    CHECK_EQ(dory_ssh_prove_hostkeys(&w.ssh, keys.p, keys.n), expected);
    if (expected == DORY_OK)
        w.event_counted = false;
}

static void keys_are_told_and_proved(void **state)
{
    (void)state;
    begin(true);
    CHECK_EQ(dory_ssh_prove_hostkeys(&w.ssh, keys.p, keys.n), DORY_E_STATE);
    w.hold = 1U << DORY_EV_HOSTKEYS | 1U << DORY_EV_HOSTKEYS_PROOF;
    tell(false);
    CHECK_EQ(w.events[DORY_EV_HOSTKEYS], 1);
    CHECK_EQ(w.last.e.n, keys.n);
    CHECK(memcmp(w.last.e.data, keys.p, keys.n) == 0);
    prove(DORY_OK);
    dory_wire_pump(&w);
    dory_wire_expect(&w, MSG_GLOBAL_REQUEST, &m);
    CHECK(dory_view_is(dory_get_string(&m.body), "hostkeys-prove-00@openssh.com"));
    CHECK_EQ(dory_get8(&m.body), 1);
    CHECK_EQ(m.body.n, keys.n);
    CHECK(memcmp(m.body.p, keys.p, keys.n) == 0);
    b.n = 0;
    dory_put8(&b, MSG_REQUEST_SUCCESS);
    dory_put_text(&b, "signature");
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(w.events[DORY_EV_HOSTKEYS_PROOF], 1);
    CHECK_EQ(w.last.e.n, 13);
    CHECK_EQ(w.last.e.key_n, 32);
    w.hold = 0;
    dory_wire_pump(&w);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

static void keys_nobody_wants(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        dory_kit_case("case %d", i);
        begin(i == 1);
        tell(i == 1); /* one that wants an answer is any global request */
        CHECK_EQ(w.events[DORY_EV_HOSTKEYS], 0);
        if (i == 1)
            dory_wire_expect(&w, MSG_REQUEST_FAILURE, NULL);
        else
            dory_wire_expect_silence(&w);
        dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}

static void a_refused_proof_is_nothing(void **state)
{
    (void)state;
    begin(true);
    w.hold = 1U << DORY_EV_HOSTKEYS;
    tell(false);
    prove(DORY_OK);
    dory_wire_send_type(&w, MSG_REQUEST_FAILURE);
    CHECK_EQ(w.events[DORY_EV_HOSTKEYS_PROOF], 0);
    dory_wire_prove_alive(&w);
    dory_wire_send_type(&w, MSG_REQUEST_FAILURE); /* once only */
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PROTOCOL);
    dory_wire_free(&w);
}

/* Answers come in the order of the requests: that to a keepalive is no proof. */
static void keepalives_before_the_proof(void **state)
{
    (void)state;
    dory_wire_new(&w, &dory_ssh_client);
    w.config.hostkeys_wanted = true;
    w.config.keepalive_ms = 1000;
    dory_wire_to(&w, WIRE_CONNECTION);
    dory_wire_tick(&w, 1500);
    dory_wire_expect(&w, MSG_GLOBAL_REQUEST, NULL);
    keys.n = 0;
    dory_put_string(&keys, w.hostkey.blob, w.hostkey.n);
    w.hold = 1U << DORY_EV_HOSTKEYS;
    tell(false);
    prove(DORY_OK);
    b.n = 0;
    dory_put8(&b, MSG_REQUEST_SUCCESS);
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(w.events[DORY_EV_HOSTKEYS_PROOF], 0);
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(w.events[DORY_EV_HOSTKEYS_PROOF], 1);
    CHECK_EQ(w.last.e.n, 0);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

/* Told again while a proof is awaited, or during a key exchange, or more than fits: not now, and nothing is lost. */
static void not_now(void **state)
{
    static uint8_t many[DORY_KIT_BYTES];
    (void)state;

    begin(true);
    w.hold = 1U << DORY_EV_HOSTKEYS;
    tell(false);
    CHECK_EQ(dory_ssh_prove_hostkeys(&w.ssh, many, sizeof many), DORY_E_SPACE);
    prove(DORY_OK);
    tell(false);
    prove(DORY_E_AGAIN);
    CHECK_EQ(dory_ssh_accept(&w.ssh), DORY_OK);
    w.event_counted = false;
    w.hold = 0;
    dory_wire_send_type(&w, MSG_REQUEST_FAILURE);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_told_and_proved),    cmocka_unit_test(keys_nobody_wants), cmocka_unit_test(a_refused_proof_is_nothing),
        cmocka_unit_test(keepalives_before_the_proof), cmocka_unit_test(not_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
