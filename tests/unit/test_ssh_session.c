/* Whole sessions, client against server in memory: every chunk size, buffer size, algorithm and way to log in (THREATS.md T11). */
#include "ssh_pair.h"
#include "ssh_peer.h"

struct chunks {
    size_t read, write;
    bool server_too;
};

static void set_chunks(struct dory_pair *p, void *ctx)
{
    const struct chunks *c = ctx;

    p->up = 3000;
    p->down = 2500;
    p->err = 40;
    p->client.read_max = c->read;
    p->client.write_max = c->write;
    if (c->server_too) {
        p->server.read_max = c->read;
        p->server.write_max = c->write;
    }
}

static const size_t larger[] = {100, 127, 128, 255, 256, 257, 511, 1000, 1024, 2047, 4095, 8191};

static void sweep(void (*one)(size_t n))
{
    for (size_t n = 1; n <= 64; n++) one(n);
    for (size_t i = 0; i < sizeof larger / sizeof *larger; i++) one(larger[i]);
}

static void read_both(size_t n)
{
    struct chunks c = {n, 0, true};
    dory_kit_case("read %zu bytes at once", n);
    dory_pair_whole(set_chunks, &c);
}

static void write_both(size_t n)
{
    struct chunks c = {0, n, true};
    dory_kit_case("write %zu bytes at once", n);
    dory_pair_whole(set_chunks, &c);
}

static void uneven(size_t n)
{
    struct chunks c = {n, 65 - (n < 65 ? n : 64), false};
    dory_kit_case("client reads %zu, writes %zu bytes at once", c.read, c.write);
    dory_pair_whole(set_chunks, &c);
}

static void T11_every_read_size(void **state)
{
    (void)state;
    sweep(read_both);
}

static void T11_every_write_size(void **state)
{
    (void)state;
    sweep(write_both);
}

static void T11_sizes_that_differ(void **state)
{
    (void)state;
    sweep(uneven);
}

static void T11_one_byte_reads_and_writes(void **state)
{
    struct chunks c = {1, 1, true};
    (void)state;
    dory_kit_case("one byte at a time");
    dory_pair_whole(set_chunks, &c);
}

/* ---- buffers ---- */

struct buffers {
    size_t rx, tx;
    bool read_ahead;
    size_t read;
};

static void set_buffers(struct dory_pair *p, void *ctx)
{
    const struct buffers *b = ctx;

    p->up = 30000;
    p->down = 20000;
    for (int i = 0; i < 2; i++) {
        struct dory_pair_side *side = i ? &p->server : &p->client;
        side->config.rx_size = b->rx;
        side->config.tx_size = b->tx;
        side->config.read_ahead = b->read_ahead;
        side->read_max = b->read;
    }
}

static void buffer_sizes(void **state)
{
    static const size_t sizes[] = {DORY_MIN_BUFFER, DORY_MIN_BUFFER + 1, 3000, 4096, 4097, 8192, 20000, 36000, 66000, 100000};
    enum { N = sizeof sizes / sizeof *sizes };
    (void)state;

    for (int i = 0; i < N * 2; i++) {
        struct buffers b = {sizes[i % N], sizes[i % N], i >= N, 0};
        dory_kit_case("buffers of %zu bytes, read ahead %d", b.rx, b.read_ahead);
        dory_pair_whole(set_buffers, &b);
        b.tx = sizes[(i + 3) % N];
        dory_kit_case("receive %zu, transmit %zu bytes, read ahead %d", b.rx, b.tx, b.read_ahead);
        dory_pair_whole(set_buffers, &b);
    }
}

static void read_ahead_at_every_chunk_size(void **state)
{
    (void)state;
    for (size_t n = 1; n < 300; n += n < 40 ? 1 : 37) {
        struct buffers b = {4096, 4096, true, n};
        dory_kit_case("read ahead, %zu bytes at once", n);
        dory_pair_whole(set_buffers, &b);
    }
}

static void exact_reads_never_offer_more_than_a_packet(void **state)
{
    static struct dory_wire w;
    size_t n;
    (void)state;

    dory_wire_new(&w, &dory_ssh_server);
    dory_wire_to(&w, WIRE_CHANNEL);
    CHECK(dory_ssh_recvpkt_buf(&w.ssh, &n));
    CHECK_EQ(n, 4); /* chacha20-poly1305: the length field */
    dory_wire_free(&w);
}

/* ---- algorithms ---- */

struct algorithms {
    const struct dory_kex *kex[2];
    const struct dory_cipher *cipher[2];
    const struct dory_mac *mac[2];
};

static void set_algorithms(struct dory_pair *p, void *ctx)
{
    struct algorithms *a = ctx;

    p->up = 9000;
    p->down = 7000;
    p->err = 300;
    p->client.config.kex = a->kex;
    p->client.config.ciphers = a->cipher;
    if (a->mac[0])
        p->client.config.macs = a->mac;
    p->client.config.rekey_bytes = 3000;
}

static void every_cipher_and_key_exchange(void **state)
{
    (void)state;
    for (int k = 0; dory_wire_all_kex[k]; k++)
        for (int c = 0; dory_wire_all_ciphers[c]; c++) {
            struct algorithms a = {{dory_wire_all_kex[k], NULL}, {dory_wire_all_ciphers[c], NULL}, {NULL}};
            dory_kit_case("%s with %s", a.kex[0]->name, a.cipher[0]->name);
            dory_pair_whole(set_algorithms, &a);
        }
}

static void every_mac(void **state)
{
    (void)state;
    for (int m = 0; dory_wire_all_macs[m]; m++) {
        struct algorithms a = {{&dory_kex_curve25519_sha256, NULL}, {&dory_cipher_aes256_ctr, NULL}, {dory_wire_all_macs[m], NULL}};
        dory_kit_case("%s", a.mac[0]->name);
        dory_pair_whole(set_algorithms, &a);
    }
}

static void two_implementations_of_one_cipher_agree(void **state)
{
    struct algorithms a = {{&dory_kex_curve25519_sha256, NULL}, {&dory_cipher_aes256_gcm_fast, NULL}, {NULL}};
    (void)state;

    if (!dory_aes_is_fast())
        skip();
    dory_kit_case("aes256-gcm: one end with CPU instructions, the other without");
    dory_pair_whole(set_algorithms, &a);
}

static void names_of_what_was_agreed(void **state)
{
    static struct dory_pair p;
    static const struct dory_cipher *const ciphers[] = {&dory_cipher_aes256_ctr, &dory_cipher_aes256_gcm, NULL};
    struct dory_ssh_names names;
    (void)state;

    dory_pair_new(&p);
    p.client.config.ciphers = ciphers;
    dory_pair_start(&p);
    dory_ssh_names(&p.client.ssh, &names);
    CHECK(names.kex[0] == 0 && names.cipher_out[0] == 0 && names.peer_version[0] == 0);
    dory_pair_run(&p);
    dory_pair_check(&p);
    for (int i = 0; i < 2; i++) {
        dory_ssh_names(i ? &p.server.ssh : &p.client.ssh, &names);
        assert_string_equal(names.kex, "curve25519-sha256");
        assert_string_equal(names.hostkey, "ssh-ed25519");
        assert_string_equal(names.cipher_out, "aes256-ctr");
        assert_string_equal(names.cipher_in, "aes256-ctr");
        assert_string_equal(names.mac_in, "hmac-sha2-256-etm@openssh.com");
        assert_string_equal(names.peer_version, "SSH-2.0-Dory_test");
        CHECK(dory_ssh_is_strict(i ? &p.server.ssh : &p.client.ssh));
    }
    dory_pair_free(&p);
}

/* ---- logging in ---- */

struct login {
    const char *name;
    uint8_t method, offered;
    bool ask, none_first, accept_none;
};

static void set_login(struct dory_pair *p, void *ctx)
{
    const struct login *l = ctx;
    p->method = l->method;
    p->ask = l->ask;
    p->none_first = l->none_first;
    p->accept_none = l->accept_none;
    p->server.config.auth_methods = l->offered;
}

static void every_way_to_log_in(void **state)
{
    static const struct login logins[] = {
        {"password", DORY_AUTH_PASSWORD, DORY_AUTH_PASSWORD, false, false, false},
        {"none, then password", DORY_AUTH_PASSWORD, DORY_AUTH_PASSWORD | DORY_AUTH_PUBLICKEY, false, true, false},
        {"publickey at once", DORY_AUTH_PUBLICKEY, DORY_AUTH_PUBLICKEY, false, false, false},
        {"publickey asked first", DORY_AUTH_PUBLICKEY, DORY_AUTH_PUBLICKEY, true, false, false},
        {"none, then publickey asked", DORY_AUTH_PUBLICKEY, DORY_AUTH_PASSWORD | DORY_AUTH_PUBLICKEY, true, true, false},
        {"keyboard-interactive", DORY_AUTH_KEYBOARD_INTERACTIVE, DORY_AUTH_KEYBOARD_INTERACTIVE, false, true, false},
        {"none where it is allowed", DORY_AUTH_NONE, DORY_AUTH_NONE, false, false, true},
    };
    (void)state;

    for (size_t i = 0; i < sizeof logins / sizeof *logins; i++) {
        struct login l = logins[i];
        dory_kit_case("%s", l.name);
        dory_pair_whole(set_login, &l);
    }
}

static void methods_that_can_continue_are_told(void **state)
{
    static struct dory_pair p;
    struct dory_event e;
    (void)state;

    dory_pair_new(&p);
    p.none_first = true;
    p.client.event_delay = 3;
    dory_pair_start(&p);
    while (p.client.events[DORY_EV_AUTH] < 1 || !p.client.event_seen) CHECK(dory_pair_round(&p));
    CHECK_EQ(dory_ssh_event(&p.client.ssh, &e), DORY_EV_AUTH);
    CHECK_EQ(e.methods, 0);
    while (p.client.events[DORY_EV_AUTH] < 2) CHECK(dory_pair_round(&p));
    CHECK_EQ(dory_ssh_event(&p.client.ssh, &e), DORY_EV_AUTH);
    CHECK_EQ(e.methods, DORY_AUTH_PASSWORD | DORY_AUTH_PUBLICKEY);
    CHECK(!e.partial);
    dory_pair_free(&p);
}

static void server_sig_algs_reach_the_client(void **state)
{
    static struct dory_pair p;
    (void)state;

    dory_pair_new(&p);
    dory_pair_start(&p);
    CHECK_EQ(dory_ssh_server_sig_algs(&p.client.ssh), UINT32_MAX);
    dory_pair_run(&p);
    dory_pair_check(&p);
    CHECK_EQ(dory_ssh_server_sig_algs(&p.client.ssh), 1);
    dory_pair_free(&p);
}

static void set_banner(struct dory_pair *p, void *ctx)
{
    p->server.config.banner = ctx;
    p->none_first = true;
}

static void banner_is_shown_once(void **state)
{
    static char text[] = "Authorised users only.\r\n";
    static struct dory_pair p;
    (void)state;

    dory_pair_new(&p);
    set_banner(&p, text);
    dory_pair_start(&p);
    dory_pair_run(&p);
    dory_pair_check(&p);
    CHECK_EQ(p.client.events[DORY_EV_BANNER], 1);
    dory_pair_free(&p);
}

/* ---- what is asked, and how it ends ---- */

struct work {
    const char *name;
    enum dory_request request;
    uint64_t up, down, err;
    bool echo;
    uint32_t status;
};

static void set_work(struct dory_pair *p, void *ctx)
{
    const struct work *k = ctx;
    p->request = k->request;
    p->up = k->up;
    p->down = k->down;
    p->err = k->err;
    p->echo = k->echo;
    p->status = k->status;
}

static void requests_and_exit_statuses(void **state)
{
    static const struct work works[] = {
        {"exec, nothing said", DORY_REQUEST_EXEC, 0, 0, 0, false, 0},
        {"one byte up", DORY_REQUEST_EXEC, 1, 0, 0, false, 1},
        {"one byte down", DORY_REQUEST_EXEC, 0, 1, 0, false, 255},
        {"one byte of stderr", DORY_REQUEST_EXEC, 0, 0, 1, false, 127},
        {"subsystem", DORY_REQUEST_SUBSYSTEM, 5000, 6000, 0, false, 0},
        {"echo", DORY_REQUEST_EXEC, 30000, 0, 0, true, 0}, /* below the window: see recvdata */
        {"stderr in bulk", DORY_REQUEST_EXEC, 100, 100000, 100000, false, 2},
        {"a megabyte each way", DORY_REQUEST_EXEC, 1 << 20, 1 << 20, 0, false, 0},
    };
    (void)state;

    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        struct work k = works[i];
        dory_kit_case("%s", k.name);
        dory_pair_whole(set_work, &k);
    }
}

/* ---- determinism ---- */

static void record(struct dory_pair *p, uint32_t seed)
{
    dory_pair_new(p);
    dory_kit_rng_init(&p->client.rng, seed);
    p->record = true;
    p->up = p->down = 20000;
    p->conversations = 3;
    p->client.config.rekey_bytes = 4000;
    dory_pair_start(p);
    dory_pair_run(p);
    dory_pair_check(p);
}

static bool same(const struct dory_pipe *a, const struct dory_pipe *b)
{
    return dory_pipe_size(a) == dory_pipe_size(b) && memcmp(dory_pipe_peek(a), dory_pipe_peek(b), dory_pipe_size(a)) == 0;
}

static void same_seeds_same_bytes(void **state)
{
    static struct dory_pair a, b, c;
    (void)state;

    record(&a, 7);
    record(&b, 7);
    record(&c, 8);
    CHECK(same(&a.client.record, &b.client.record));
    CHECK(same(&a.server.record, &b.server.record));
    CHECK(!same(&a.client.record, &c.client.record));
    dory_pair_free(&a);
    dory_pair_free(&b);
    dory_pair_free(&c);
}

/* Two engines in one process share nothing: a session between the steps of another changes neither. */
static void sessions_do_not_touch_each_other(void **state)
{
    static struct dory_pair alone, a, b;
    bool moved = true;
    (void)state;

    record(&alone, 7);
    for (int i = 0; i < 2; i++) {
        struct dory_pair *p = i ? &b : &a;
        dory_pair_new(p);
        dory_kit_rng_init(&p->client.rng, 7);
        p->record = true;
        p->up = p->down = 20000;
        p->conversations = 3;
        p->client.config.rekey_bytes = 4000;
        dory_pair_start(p);
    }
    while (moved) {
        moved = dory_pair_round(&a);
        moved |= dory_pair_round(&b);
    }
    CHECK(same(&alone.client.record, &a.client.record));
    CHECK(same(&alone.server.record, &b.server.record));
    dory_pair_free(&alone);
    dory_pair_free(&a);
    dory_pair_free(&b);
}

/* ---- configurations that cannot work ---- */

static void broken_configs_are_refused(void **state)
{
    static struct dory_wire w;
    static uint8_t rx[DORY_MIN_BUFFER], tx[DORY_MIN_BUFFER];
    static char banner[DORY_MIN_BUFFER + 1];
    (void)state;

    memset(banner, 'b', DORY_MIN_BUFFER);
    for (int i = 0; i < 12; i++) {
        struct dory_ssh_config *c = &w.config;
        bool server = i != 9;
        dory_kit_case("broken config %d", i);
        dory_wire_new(&w, server ? &dory_ssh_server : &dory_ssh_client);
        c->rx = rx;
        c->tx = tx;
        c->rx_size = i == 0 ? DORY_MIN_BUFFER - 1 : DORY_MIN_BUFFER;
        c->tx_size = i == 1 ? DORY_MIN_BUFFER - 1 : DORY_MIN_BUFFER;
        c->hostkeys = &(struct dory_hostkey){"ssh-ed25519", w.hostkey.blob, w.hostkey.n};
        c->hostkey_count = i != 2;
        if (i == 3)
            c->rng.fill = NULL;
        if (i == 4)
            c->role = NULL;
        if (i == 5)
            c->software = "";
        if (i == 6)
            c->kex = NULL;
        if (i == 7)
            c->rx = NULL;
        if (i == 8)
            c->ciphers = NULL;
        if (i == 9)
            c->user = NULL;
        if (i == 10)
            c->channels = NULL;
        if (i == 11)
            c->banner = banner;
        CHECK_EQ(dory_ssh_init(&w.ssh, c, 0), DORY_E_ARG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T11_every_read_size),
        cmocka_unit_test(T11_every_write_size),
        cmocka_unit_test(T11_sizes_that_differ),
        cmocka_unit_test(T11_one_byte_reads_and_writes),
        cmocka_unit_test(buffer_sizes),
        cmocka_unit_test(read_ahead_at_every_chunk_size),
        cmocka_unit_test(exact_reads_never_offer_more_than_a_packet),
        cmocka_unit_test(every_cipher_and_key_exchange),
        cmocka_unit_test(every_mac),
        cmocka_unit_test(two_implementations_of_one_cipher_agree),
        cmocka_unit_test(names_of_what_was_agreed),
        cmocka_unit_test(every_way_to_log_in),
        cmocka_unit_test(methods_that_can_continue_are_told),
        cmocka_unit_test(server_sig_algs_reach_the_client),
        cmocka_unit_test(banner_is_shown_once),
        cmocka_unit_test(requests_and_exit_statuses),
        cmocka_unit_test(same_seeds_same_bytes),
        cmocka_unit_test(sessions_do_not_touch_each_other),
        cmocka_unit_test(broken_configs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
