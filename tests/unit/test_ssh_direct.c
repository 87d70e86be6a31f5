/* A client's channel to a TCP port beyond the server (RFC 4254 7.2), byte by byte, against the scripted peer. */
#include "ssh_peer.h"

static struct dory_wire w;
static struct dory_bytes b;
static struct dory_wire_msg m;

static void begin(enum dory_wire_phase phase)
{
    dory_wire_new(&w, &dory_ssh_client);
    dory_wire_to(&w, phase);
}

static int open_direct(void)
{
    int channel = dory_ssh_channel_open_direct(&w.ssh, "inner.example", 13, 2222);

    dory_wire_pump(&w);
    return channel;
}

/* What the engine must have sent, made by other code. */
static void expect_open(int channel)
{
    dory_wire_expect(&w, MSG_OPEN, &m);
    dory_wire_put_open(&b, "direct-tcpip", (uint32_t)channel, 0, 0);
    assert_int_equal(m.whole.n, b.n + 4 + 13 + 4 + 4 + 9 + 4);
    assert_memory_equal(m.whole.p, b.p, 1 + 4 + 12 + 4); /* the window and the maximum packet are its own */
    b.n = 0;
    dory_put_text(&b, "inner.example");
    dory_put32(&b, 2222);
    dory_put_text(&b, "127.0.0.1");
    dory_put32(&b, 0);
    assert_memory_equal(m.whole.p + m.whole.n - b.n, b.p, b.n);
}

static void confirm(int channel)
{
    dory_wire_put_channel(&b, MSG_OPEN_CONFIRMATION, (uint32_t)channel);
    dory_put32(&b, DORY_WIRE_CHANNEL);
    dory_put32(&b, 1000);
    dory_put32(&b, 1000);
    dory_wire_send_bytes(&w, &b);
}

static void test_opens_and_carries(void **state)
{
    size_t n;
    uint8_t *room;
    int channel;

    (void)state;
    begin(WIRE_CONNECTION);
    channel = open_direct();
    assert_true(channel >= 0);
    expect_open(channel);
    assert_int_equal(dory_ssh_channel_state(&w.ssh, channel), DORY_CH_USED);
    assert_null(dory_ssh_senddata_buf(&w.ssh, channel, 0, &n));
    confirm(channel);
    assert_int_equal(dory_ssh_channel_state(&w.ssh, channel), DORY_CH_USED | DORY_CH_STARTED);
    assert_int_equal(dory_ssh_channel_refusal(&w.ssh, channel), 0);
    dory_wire_expect_silence(&w); /* no request follows */
    room = dory_ssh_senddata_buf(&w.ssh, channel, 0, &n);
    assert_non_null(room);
    memcpy(room, "to the inside", 13);
    assert_int_equal(dory_ssh_senddata_ack(&w.ssh, 13), DORY_OK);
    dory_wire_pump(&w);
    dory_wire_expect(&w, MSG_DATA, &m);
    assert_memory_equal(m.whole.p + m.whole.n - 13, "to the inside", 13);
    dory_wire_put_data(&b, (uint32_t)channel, 40);
    dory_wire_send_bytes(&w, &b);
    assert_int_equal(w.got, 40);
    dory_wire_put_channel(&b, MSG_CLOSE, (uint32_t)channel);
    dory_wire_send_bytes(&w, &b);
    dory_wire_expect(&w, MSG_CLOSE, &m);
    assert_true(dory_ssh_channel_state(&w.ssh, channel) & DORY_CH_CLOSED);
    dory_wire_free(&w);
}

static void test_refused(void **state)
{
    (void)state;
    for (uint32_t reason = 1; reason <= 4; reason++) {
        int channel;

        begin(WIRE_CONNECTION);
        channel = open_direct();
        dory_wire_put_channel(&b, MSG_OPEN_FAILURE, (uint32_t)channel);
        dory_put32(&b, reason);
        dory_put_text(&b, "no");
        dory_put_text(&b, "");
        dory_wire_send_bytes(&w, &b);
        assert_true(dory_ssh_channel_state(&w.ssh, channel) & DORY_CH_FAILED);
        assert_int_equal(dory_ssh_channel_refusal(&w.ssh, channel), reason);
        dory_ssh_channel_release(&w.ssh, channel);
        assert_int_equal(open_direct(), channel);
        dory_wire_free(&w);
    }
}

static void test_when_it_cannot(void **state)
{
    (void)state;
    begin(WIRE_AUTH);
    assert_int_equal(open_direct(), DORY_E_STATE);
    dory_wire_free(&w);

    begin(WIRE_CONNECTION);
    for (int i = 0; i < w.config.channel_count; i++) assert_true(open_direct() >= 0);
    assert_int_equal(open_direct(), DORY_E_SPACE);
    dory_wire_free(&w);

    begin(WIRE_CONNECTION); /* nothing but the key exchange may be sent, and nothing waits: the caller asks again */
    assert_int_equal(dory_ssh_rekey(&w.ssh), DORY_OK);
    assert_int_equal(open_direct(), DORY_E_AGAIN);
    dory_wire_rekey(&w);
    assert_true(open_direct() >= 0);
    dory_wire_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens_and_carries),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_when_it_cannot),
    };

    return cmocka_run_group_tests_name("direct", tests, NULL, NULL);
}
