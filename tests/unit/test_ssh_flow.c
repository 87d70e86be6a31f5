/* Several channels at once: nothing is mixed up, nothing starves, windows of any size, consumers of any speed, ends in the middle. */
#include "ssh_pair.h"
#include "ssh_peer.h"

/* ---- many conversations ---- */

struct crowd {
    int conversations;
    uint8_t channels;
    uint64_t up, down, err;
    uint32_t window;
    size_t ack, send, read, buffer;
    unsigned ack_every;
    uint64_t rekey;
    size_t pipe;
};

static void set_crowd(struct dory_pair *p, void *ctx)
{
    const struct crowd *c = ctx;

    p->conversations = c->conversations;
    p->up = c->up;
    p->down = c->down;
    p->err = c->err;
    if (c->pipe)
        p->pipe_max = c->pipe;
    for (int i = 0; i < 2; i++) {
        struct dory_pair_side *side = i ? &p->server : &p->client;
        side->config.channel_count = c->channels;
        side->config.window = c->window;
        side->config.rekey_bytes = c->rekey;
        side->ack_max = c->ack;
        side->ack_every = c->ack_every;
        side->send_max = c->send;
        side->read_max = c->read;
        if (c->buffer)
            side->config.rx_size = side->config.tx_size = c->buffer;
    }
}

static void run(const char *name, struct crowd c)
{
    dory_kit_case("%s", name);
    dory_pair_whole(set_crowd, &c);
}

static void sixteen_channels_in_bulk_both_ways(void **state)
{
    (void)state;
    run("16 channels", (struct crowd){.conversations = 16, .channels = 16, .up = 60000, .down = 70000, .err = 5000});
    run("16 channels, rekeying", (struct crowd){.conversations = 16, .channels = 16, .up = 20000, .down = 20000, .rekey = 9000});
    run("16 channels, small buffers",
        (struct crowd){.conversations = 16, .channels = 16, .up = 9000, .down = 9000, .buffer = DORY_MIN_BUFFER});
    run("16 channels, odd pieces", (struct crowd){.conversations = 16, .channels = 16, .up = 9000, .down = 9000, .read = 97, .send = 61});
}

/* Both ways full of data, and a message that wants an answer in front of each reader: neither may wait for the other. */
static void full_pipes_both_ways_do_not_stand_still(void **state)
{
    (void)state;
    for (uint8_t channels = 2; channels <= 16; channels++)
        for (size_t pipe = 1; pipe <= 70000; pipe = pipe * 6 + 1)
            for (size_t buffer = DORY_MIN_BUFFER; buffer <= 32768; buffer *= 4) {
                dory_kit_case("%u channels, buffers of %zu, a way that holds %zu", channels, buffer, pipe);
                dory_pair_whole(set_crowd, &(struct crowd){.conversations = channels + 3,
                                                           .channels = channels,
                                                           .up = 20000,
                                                           .down = 20000,
                                                           .read = 1000,
                                                           .buffer = buffer,
                                                           .pipe = pipe,
                                                           .rekey = channels % 3 ? 0 : 30000});
            }
}

/* The peer's last words are heard though nothing of ours can be written any more. */
static void goodbye_is_heard_with_a_full_output(void **state)
{
    static struct dory_wire w;
    static struct dory_bytes b;
    (void)state;

    dory_wire_new(&w, &dory_ssh_server);
    dory_wire_to(&w, WIRE_CHANNEL);
    dory_wire_fill_output(&w);
    b.n = 0;
    dory_put8(&b, MSG_DISCONNECT);
    dory_put32(&b, 11);
    dory_put_text(&b, "bye");
    dory_put_text(&b, "");
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_E_DISCONNECTED);
    dory_wire_free(&w);
}

/* However much data waits to be sent, there is room for our own last words. */
static void own_goodbye_has_room(void **state)
{
    static struct dory_wire w;
    static struct dory_bytes b;
    uint8_t *p;
    size_t n;
    (void)state;

    for (size_t size = DORY_MIN_BUFFER; size < 50000; size = size * 2 + 3) {
        dory_kit_case("buffer of %zu", size);
        dory_wire_new(&w, &dory_ssh_server);
        w.config.tx_size = size;
        dory_wire_to(&w, WIRE_CHANNEL);
        w.hold_drain = true;
        while ((p = dory_ssh_senddata_buf(&w.ssh, w.channel, 0, &n)) != NULL) {
            memset(p, 'f', n);
            CHECK_EQ(dory_ssh_senddata_ack(&w.ssh, n), DORY_OK);
        }
        dory_wire_put_data(&b, 99, 1); /* no such channel */
        dory_wire_send_bytes(&w, &b);
        w.hold_drain = false;
        dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PROTOCOL);
        dory_wire_free(&w);
    }
}

static void more_conversations_than_channels(void **state)
{
    (void)state;
    for (uint8_t channels = 1; channels <= 8; channels++) {
        dory_kit_case("40 conversations over %u channels", channels);
        dory_pair_whole(set_crowd, &(struct crowd){.conversations = 40, .channels = channels, .up = 700, .down = 500, .err = 5});
    }
}

/* ---- fairness ---- */

static uint64_t least, most;
static bool measured;

/* When the first of the streams has all its bytes, how far are the others? */
static void measure(struct dory_pair *p)
{
    uint64_t low = UINT64_MAX, high = 0;
    bool first = false;

    for (int i = 0; i < p->client.config.channel_count; i++) {
        const struct dory_pair_stream *st = &p->client.stream[i];
        if (!st->used)
            continue;
        low = st->got < low ? st->got : low;
        high = st->got > high ? st->got : high;
        first |= st->got >= p->down * 9 / 10;
    }
    if (measured || !first)
        return;
    measured = true;
    least = low;
    most = high;
}

static void fair_with(uint8_t channels, size_t read, uint32_t window)
{
    static struct dory_pair p;

    dory_kit_case("%u channels, reads of %zu, window %u", channels, read, window);
    dory_pair_new(&p);
    set_crowd(
        &p, &(struct crowd){.conversations = channels, .channels = channels, .up = 20000, .down = 200000, .read = read, .window = window});
    p.on_round = measure;
    measured = false;
    dory_pair_start(&p);
    dory_pair_run(&p);
    dory_pair_check(&p);
    CHECK(measured);
    dory_kit_say("%u channels: the least %llu, the most %llu bytes", channels, (unsigned long long)least, (unsigned long long)most);
    CHECK(least * 2 > most);
    dory_pair_free(&p);
}

static void no_channel_starves(void **state)
{
    (void)state;
    fair_with(2, 0, 0);
    fair_with(8, 0, 0);
    fair_with(16, 1000, 0);
    fair_with(16, 0, 3000);
}

/* Against the scripted peer: one channel has no window, the other goes on. */
static void a_channel_without_window_holds_up_nobody(void **state)
{
    static struct dory_wire w;
    static struct dory_bytes b;
    uint32_t blocked, open;
    (void)state;

    dory_wire_new(&w, &dory_ssh_server);
    w.window = 0;
    dory_wire_to(&w, WIRE_CONNECTION);
    blocked = dory_wire_open_session(&w, 1, "run");
    w.window = 50000;
    open = dory_wire_open_session(&w, 2, "run");
    for (int i = 0; i < 40; i++) {
        size_t n;
        uint8_t *p;
        CHECK(!dory_ssh_senddata_buf(&w.ssh, (int)blocked, 0, &n));
        CHECK(dory_ssh_state(&w.ssh) & DORY_SENDDATA);
        p = dory_ssh_senddata_buf(&w.ssh, (int)open, 0, &n);
        CHECK(p && n >= 1000);
        memset(p, 'o', 1000);
        CHECK_EQ(dory_ssh_senddata_ack(&w.ssh, 1000), DORY_OK);
        dory_wire_expect(&w, MSG_DATA, NULL);
        dory_wire_put_data(&b, i & 1 ? open : blocked, 100);
        dory_wire_send_bytes(&w, &b);
    }
    CHECK_EQ(w.got, 4000);
    dory_wire_free(&w);
}

/* A command that is still being looked up (DORY_EV_CHANNEL_REQUEST unanswered) does not stop what the others have to say. */
static void a_waiting_request_does_not_stop_the_others_output(void **state)
{
    static struct dory_wire w;
    static struct dory_bytes b;
    struct dory_event e;
    uint8_t *p;
    size_t n;
    (void)state;

    dory_wire_new(&w, &dory_ssh_server);
    dory_wire_to(&w, WIRE_CHANNEL);
    dory_wire_put_open(&b, "session", 9, 1000, 1000);
    dory_wire_send_bytes(&w, &b);
    dory_wire_expect(&w, MSG_OPEN_CONFIRMATION, NULL);
    w.hold = 1U << DORY_EV_CHANNEL_REQUEST;
    dory_wire_put_exec(&b, 1, "slow command", true);
    dory_wire_send_bytes(&w, &b);
    for (int i = 0; i < 20; i++) {
        p = dory_ssh_senddata_buf(&w.ssh, w.channel, 0, &n);
        CHECK(p && n >= 500);
        memset(p, 'o', 500);
        CHECK_EQ(dory_ssh_senddata_ack(&w.ssh, 500), DORY_OK);
        dory_wire_expect(&w, MSG_DATA, NULL);
        CHECK_EQ(dory_ssh_event(&w.ssh, &e), DORY_EV_CHANNEL_REQUEST);
        CHECK(dory_view_is(dory_view(e.data, e.n), "slow command"));
    }
    w.hold = 0;
    dory_wire_expect(&w, MSG_CHANNEL_SUCCESS, NULL);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

/* ---- windows and consumers ---- */

static void tiny_windows(void **state)
{
    (void)state;
    for (uint32_t window = 1; window <= 40; window += window < 10 ? 1 : 7) {
        dory_kit_case("window %u", window);
        dory_pair_whole(set_crowd, &(struct crowd){.conversations = 3, .channels = 3, .up = 400, .down = 300, .err = 20, .window = window});
        dory_kit_case("window %u, one byte at a time", window);
        dory_pair_whole(set_crowd, &(struct crowd){.conversations = 2, .channels = 2, .up = 200, .down = 200, .window = window, .ack = 1});
    }
}

static void slow_consumers(void **state)
{
    (void)state;
    for (unsigned every = 1; every <= 20; every += 6)
        for (size_t ack = 1; ack <= 4096; ack *= 16) {
            dory_kit_case("%zu bytes taken in every %u. round", ack, every);
            dory_pair_whole(
                set_crowd,
                &(struct crowd){.conversations = 4, .channels = 2, .up = 40 * ack, .down = 30 * ack, .ack = ack, .ack_every = every});
        }
}

static void one_byte_packets(void **state)
{
    (void)state;
    run("one byte a packet", (struct crowd){.conversations = 3, .channels = 3, .up = 2000, .down = 2000, .send = 1});
}

/* ---- ends in the middle ---- */

static void set_early(struct dory_pair *p, void *ctx)
{
    int who = *(int *)ctx;

    p->conversations = 12;
    p->up = 30000;
    p->down = 30000;
    p->client.closed_early = who & 1;
    p->server.closed_early = who & 2;
    p->client.config.rekey_bytes = who & 4 ? 5000 : 0;
    p->client.ack_max = who & 8 ? 10 : 0;
    p->client.config.channel_count = p->server.config.channel_count = 3;
}

static void closing_in_the_middle_of_bulk(void **state)
{
    (void)state;
    for (int who = 1; who < 16; who++) {
        if (!(who & 3))
            continue;
        dory_kit_case("variant %d", who);
        dory_pair_whole(set_early, &who);
    }
}

/* Data that nobody will take any more does not stand in the others' way. */
static void closing_drops_what_was_not_taken(void **state)
{
    static struct dory_wire w;
    static struct dory_bytes b;
    (void)state;

    for (int how = 0; how < 3; how++) {
        uint32_t one, two;
        dory_kit_case("how %d", how);
        dory_wire_new(&w, &dory_ssh_server);
        dory_wire_to(&w, WIRE_CONNECTION);
        one = dory_wire_open_session(&w, 1, "run");
        two = dory_wire_open_session(&w, 2, "run");
        w.hold_data = true;
        dory_wire_put_data(&b, one, 100);
        dory_wire_send_bytes(&w, &b);
        dory_wire_put_data(&b, two, 50);
        dory_wire_send_bytes(&w, &b);
        CHECK(!(dory_ssh_state(&w.ssh) & DORY_RECVPKT));
        if (how == 0)
            CHECK_EQ(dory_ssh_channel_close(&w.ssh, (int)one), DORY_OK);
        else if (how == 1)
            CHECK_EQ(dory_ssh_channel_exit(&w.ssh, (int)one, 1), DORY_OK);
        else
            dory_ssh_channel_release(&w.ssh, (int)one);
        w.hold_data = false;
        dory_wire_pump(&w);
        CHECK_EQ(w.got, 50);
        dory_wire_expect(&w, MSG_CLOSE, NULL);
        dory_wire_free(&w);
    }
}

/* Let go of while the open was under way, and then it was refused: the place is free again. */
static void released_and_then_refused(void **state)
{
    static struct dory_wire w;
    static struct dory_bytes b;
    (void)state;

    dory_wire_new(&w, &dory_ssh_client);
    dory_wire_to(&w, WIRE_OPENING);
    dory_ssh_channel_release(&w.ssh, w.channel);
    dory_wire_put_channel(&b, MSG_OPEN_FAILURE, w.engine_channel);
    dory_put32(&b, 4);
    dory_put_text(&b, "no");
    dory_put_text(&b, "");
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(dory_ssh_channel_state(&w.ssh, w.channel), 0);
    w.phase = WIRE_CONNECTION;
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

/* A client that lets go of a channel at once, in each of its states. */
static void released_in_every_state(void **state)
{
    static struct dory_wire w;
    (void)state;

    for (enum dory_wire_phase phase = WIRE_OPENING; phase <= WIRE_CHANNEL; phase++) {
        static struct dory_bytes b;
        int channel;
        dory_kit_case("phase %s", dory_wire_phase_name(phase));
        dory_wire_new(&w, &dory_ssh_client);
        dory_wire_to(&w, phase);
        dory_ssh_channel_release(&w.ssh, w.channel);
        if (phase == WIRE_OPENING) {
            dory_wire_expect_silence(&w); /* the answer is still to come: nothing can be closed yet */
            dory_wire_put_channel(&b, MSG_OPEN_CONFIRMATION, w.engine_channel);
            dory_put32(&b, DORY_WIRE_CHANNEL);
            dory_put32(&b, 1000);
            dory_put32(&b, 1000);
            dory_wire_send_bytes(&w, &b);
        }
        dory_wire_expect(&w, MSG_CLOSE, NULL);
        dory_wire_put_data(&b, w.engine_channel, 100);
        dory_wire_send_bytes(&w, &b);
        CHECK_EQ(w.got, 0);
        dory_wire_put_channel(&b, MSG_CLOSE, w.engine_channel);
        dory_wire_send_bytes(&w, &b);
        CHECK_EQ(dory_ssh_channel_state(&w.ssh, w.channel), 0);
        channel = dory_ssh_channel_open(&w.ssh, DORY_REQUEST_EXEC, "again", 5);
        CHECK_EQ(channel, w.channel);
        dory_wire_free(&w);
    }
}

static void release_before_the_open_is_sent(void **state)
{
    static struct dory_wire w;
    int channel;
    (void)state;

    dory_wire_new(&w, &dory_ssh_client);
    dory_wire_to(&w, WIRE_REKEY_KEXINIT);
    channel = dory_ssh_channel_open(&w.ssh, DORY_REQUEST_EXEC, "never", 5);
    CHECK(channel >= 0);
    dory_ssh_channel_release(&w.ssh, channel);
    dory_wire_prove_alive(&w);
    CHECK_EQ(w.seen[MSG_OPEN], 1);
    dory_wire_free(&w);
}

static void all_channels_in_use(void **state)
{
    static struct dory_wire w;
    (void)state;

    dory_wire_new(&w, &dory_ssh_client);
    w.config.channel_count = 3;
    dory_wire_to(&w, WIRE_CONNECTION);
    for (int i = 0; i < 3; i++) CHECK_EQ(dory_ssh_channel_open(&w.ssh, DORY_REQUEST_EXEC, "x", 1), i);
    CHECK_EQ(dory_ssh_channel_open(&w.ssh, DORY_REQUEST_EXEC, "x", 1), DORY_E_SPACE);
    dory_wire_free(&w);
}

static void commands_larger_than_the_buffer(void **state)
{
    static struct dory_wire w;
    static char text[100000];
    size_t longest = 0;
    (void)state;

    memset(text, 'c', sizeof text);
    for (size_t n = 1; n < sizeof text; n += n < 3000 ? 331 : 9973) {
        int channel;
        dory_kit_case("%zu bytes", n);
        dory_wire_new(&w, &dory_ssh_client);
        w.config.tx_size = 4096;
        dory_wire_to(&w, WIRE_CONNECTION);
        channel = dory_ssh_channel_open(&w.ssh, DORY_REQUEST_EXEC, text, n);
        CHECK(channel == 0 || channel == DORY_E_ARG);
        CHECK(channel == 0 || n > 1000);
        if (channel == 0) { /* what is taken is also sent, whole */
            longest = n;
            w.phase = WIRE_OPENING;
            w.engine_channel = 0;
            dory_wire_to(&w, WIRE_REQUESTED);
        }
        dory_wire_free(&w);
    }
    CHECK(longest >= 1000);
}

static void channels_only_after_login(void **state)
{
    static struct dory_wire w;
    (void)state;

    for (enum dory_wire_phase phase = WIRE_VERSION; phase <= WIRE_AUTH; phase++) {
        dory_wire_new(&w, &dory_ssh_client);
        dory_wire_to(&w, phase);
        CHECK_EQ(dory_ssh_channel_open(&w.ssh, DORY_REQUEST_EXEC, "x", 1), DORY_E_STATE);
        dory_wire_free(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixteen_channels_in_bulk_both_ways),
        cmocka_unit_test(full_pipes_both_ways_do_not_stand_still),
        cmocka_unit_test(goodbye_is_heard_with_a_full_output),
        cmocka_unit_test(own_goodbye_has_room),
        cmocka_unit_test(more_conversations_than_channels),
        cmocka_unit_test(no_channel_starves),
        cmocka_unit_test(a_channel_without_window_holds_up_nobody),
        cmocka_unit_test(a_waiting_request_does_not_stop_the_others_output),
        cmocka_unit_test(tiny_windows),
        cmocka_unit_test(slow_consumers),
        cmocka_unit_test(one_byte_packets),
        cmocka_unit_test(closing_in_the_middle_of_bulk),
        cmocka_unit_test(closing_drops_what_was_not_taken),
        cmocka_unit_test(released_and_then_refused),
        cmocka_unit_test(released_in_every_state),
        cmocka_unit_test(release_before_the_open_is_sent),
        cmocka_unit_test(all_channels_in_use),
        cmocka_unit_test(commands_larger_than_the_buffer),
        cmocka_unit_test(channels_only_after_login),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
