/* platform/device/pull: a device that fetches its firmware, against a host in memory whose connection is cut, whose key is another, which
   has no such file, or which is not there; and the flash keeps what it held. */
#include "flash_sim.h"
#include "platform/device/pull.h"
#include "platform/ram/dory_ram_fs.h"
#include "ssh/ssh_internal.h"
#include "ssh_kit.h"
#include "tests/device/session.h"

enum { PAGE = 1024, PAGES = 80, SIZE = 9000, NODES = 8, BLOCKS = 200, PIPE = 3000, TURNS = 400000 };

/* ---- the device */

static const struct dory_flash_slot slots[] = {{"slot-a", 0, 12, DORY_FLASH_FIRMWARE, false},      {"slot-b", 12, 12, DORY_FLASH_FIRMWARE, false},
                                               {"known_hosts", 24, 4, DORY_FLASH_CONFIG, false},   {"userkey", 28, 2, DORY_FLASH_CONFIG, true},
                                               {"boot", 30, 2, DORY_FLASH_CONFIG, true}};
enum { SLOT_A, SLOT_B, KNOWN, USERKEY, BOOT, SLOTS };

static struct flash_sim sim;
static struct dory_flash_fs flash;
static uint8_t cells[PAGE * PAGES], content[SIZE];
static struct dory_pull pull;
static struct dory_kit_rng device_rng, host_rng;
static uint64_t now;
static char told[8192]; /* what was said, a line each */
static unsigned turns;

/* ---- the host */

static struct session host;
static struct dory_ram_fs files;
static struct dory_ram_node nodes[NODES];
static struct dory_ram_block blocks[BLOCKS];
static struct dory_key host_key, other_key;
static bool host_lives, answers, lets_in;
static const char *host_stderr; /* said once the command runs */
static int host_status;         /* instead of its own; -1: killed without a word; 0: its own */
static unsigned calls;     /* how often it was called */
static uint64_t called_at; /* its clock begins with each call */

/* ---- the line between them, which can be cut after so many bytes of one direction */

struct pipe {
    uint8_t bytes[PIPE];
    size_t from, to;
    uint64_t total, cut_at; /* 0: never */
};
static struct pipe to_host, to_device;
static bool cut, opened;
static unsigned cuts;

static void lay_line(void)
{
    uint64_t a = to_host.cut_at, b = to_device.cut_at;

    memset(&to_host, 0, sizeof to_host);
    memset(&to_device, 0, sizeof to_device);
    to_host.cut_at = a;
    to_device.cut_at = b;
    cut = false;
}

static size_t pipe_put(struct pipe *p, const uint8_t *bytes, size_t n)
{
    if (p->from == p->to)
        p->from = p->to = 0;
    if (n > PIPE - p->to)
        n = PIPE - p->to;
    if (p->cut_at && p->total + n >= p->cut_at) {
        n = (size_t)(p->cut_at - p->total);
        cut = true;
        cuts++;
        p->cut_at = 0; /* the next line is whole */
    }
    memcpy(p->bytes + p->to, bytes, n);
    p->to += n;
    p->total += n;
    return n;
}

static enum dory_conn_state line_state(void *conn)
{
    (void)conn;
    return !answers ? DORY_CONN_OPENING : cut ? DORY_CONN_DEAD : DORY_CONN_OPEN;
}

static const uint8_t *line_recv_buf(void *conn, size_t *n)
{
    (void)conn;
    *n = to_device.to - to_device.from;
    return *n ? to_device.bytes + to_device.from : NULL;
}

static void line_recv_ack(void *conn, size_t n)
{
    (void)conn;
    to_device.from += n;
}

static size_t line_send(void *conn, const uint8_t *bytes, size_t n)
{
    (void)conn;
    return cut ? n : pipe_put(&to_host, bytes, n);
}

static void line_close(void *conn)
{
    (void)conn;
    CHECK(opened);
    opened = false;
}

static void line_peer(void *conn, char text[DORY_CONN_PEER_MAX])
{
    (void)conn;
    strcpy(text, "10.0.2.2:22");
}

static const struct dory_conn_ops line = {line_state, line_recv_buf, line_recv_ack, line_send, line_close, line_close, line_peer};

static void *call_host(void *ctx, const uint8_t address[4], uint16_t port)
{
    const struct dory_rng rng = dory_kit_rng(&host_rng);

    (void)ctx;
    calls++;
    called_at = now;
    CHECK(!opened);
    CHECK(address[0] == 10 && address[3] == 2 && (port == 22 || port == 2222));
    if (!host_lives)
        return NULL;
    lay_line();
    if (host.config.role)
        session_end(&host);
    CHECK_EQ(session_start(&host, &files.fs, &rng, &host_key, lets_in ? pull.key_blob : (const uint8_t *)"x", lets_in ? pull.key_n : 1), DORY_OK);
    opened = true;
    return &pull;
}

/* What is not scp's own: a login script's words before it, another exit status behind it. */
static void host_mind(void)
{
    size_t n, room;
    uint8_t *buf;

    if (!(dory_ssh_channel_state(&host.ssh, 0) & DORY_CH_STARTED))
        return;
    if (host_stderr && (buf = dory_ssh_senddata_buf(&host.ssh, 0, SSH_EXTENDED_DATA_STDERR, &room)) != NULL) {
        n = strlen(host_stderr) < room ? strlen(host_stderr) : room;
        memcpy(buf, host_stderr, n);
        dory_ssh_senddata_ack(&host.ssh, n);
        host_stderr = host_stderr[n] ? host_stderr + n : NULL;
    }
    if (host_status == -1 && to_device.total > 5000) {
        dory_pump_attach(&host.pump, 0, NULL);
        dory_ssh_channel_close(&host.ssh, 0);
    } else if (host_status > 0 && host.streams[0] && host.streams[0]->ops->status(host.streams[0]) != DORY_E_AGAIN) {
        dory_ssh_channel_exit(&host.ssh, 0, (uint32_t)host_status);
    }
}

static void host_turn(void)
{
    const uint8_t *out;
    uint8_t *in;
    size_t have, room;

    if (cut || !host.config.role)
        return;
    while ((in = dory_ssh_recvpkt_buf(&host.ssh, &room)) != NULL && room > 0 && (have = to_host.to - to_host.from) > 0) {
        have = have < room ? have : room;
        memcpy(in, to_host.bytes + to_host.from, have);
        to_host.from += have;
        dory_ssh_recvpkt_ack(&host.ssh, have);
    }
    host.pump.server = host_status == 0;
    session_turn(&host, now - called_at);
    host_mind();
    while (!cut && (out = dory_ssh_sendpkt_buf(&host.ssh, &have)) != NULL && have > 0 && (have = pipe_put(&to_device, out, have)) > 0)
        dory_ssh_sendpkt_ack(&host.ssh, have);
}

/* ---- set-up */

static void hear(void *ctx, const struct dory_text *said)
{
    (void)ctx;
    CHECK(!said->cut);
    CHECK(strlen(told) + said->n + 2 < sizeof told);
    strcat(strcat(told, said->p), "\n");
}

static bool heard(const char *words)
{
    return strstr(told, words) != NULL;
}

static const struct dory_kex *const kex[] = {&dory_kex_mlkem768x25519_sha256, &dory_kex_curve25519_sha256, NULL};
static const struct dory_cipher *const ciphers[] = {&dory_cipher_chacha20_poly1305, NULL};
static const struct dory_mac *const macs[] = {NULL};
static const struct dory_sigalg *const signatures[] = {&dory_sig_ssh_ed25519, NULL};
static struct dory_pull_config config = {
    .flash = &flash,
    .kex = kex,
    .ciphers = ciphers,
    .macs = macs,
    .signatures = signatures,
    .connect = call_host,
    .ops = &line,
    .say = hear,
    .comment = "device",
};

static int put(unsigned slot, const void *bytes, size_t n)
{
    int r;

    do r = dory_flash_put(&flash, slot, bytes, n);
    while (r == DORY_E_AGAIN);
    return r;
}

static void know(const char *host_name, const struct dory_key *key)
{
    uint8_t blob[64];
    char text[512];
    int n = key->type->public_blob(key, blob, sizeof blob);
    size_t at = (size_t)snprintf(text, sizeof text, "# a comment\n10.9.9.9 ssh-ed25519 AAAA\n|1|aGFzaA==|aGFzaA== ssh-ed25519 AAAA\n%s ssh-ed25519 ",
                                 host_name);

    at += (size_t)dory_base64_encode(text + at, sizeof text - at, blob, (size_t)n, true);
    strcpy(text + at, " comment\r\n");
    CHECK_EQ(put(KNOWN, text, strlen(text)), DORY_OK);
}

static void boot(void)
{
    int r;

    do r = dory_flash_mount(&flash, &sim.flash, slots, SLOTS, "slot-a");
    while (r == DORY_E_AGAIN);
    CHECK_EQ(r, DORY_OK);
    dory_pull_init(&pull, &config);
    while (dory_pull_turn(&pull, now) != UINT32_MAX) now++;
}

static void fill(uint8_t seed)
{
    for (unsigned i = 0; i < SIZE; i++) content[i] = (uint8_t)(i * 13 + i / 250 + seed);
}

static int setup(void **state)
{
    static const uint8_t seeds[2][32] = {{1}, {2}};

    (void)state;
    memset(cells, 0xff, sizeof cells);
    memset(cells, 0x5a, PAGE * slots[SLOT_A].pages);
    flash_sim_init(&sim, cells, PAGE, PAGES, 4);
    dory_kit_rng_init(&device_rng, 1);
    config.rng = dory_kit_rng(&device_rng);
    dory_kit_rng_init(&host_rng, 2);
    dory_ed25519_from_seed(&host_key, seeds[0]);
    dory_ed25519_from_seed(&other_key, seeds[1]);
    fill(1);
    dory_ram_init(&files, nodes, NODES, blocks, BLOCKS);
    dory_ram_put(&files, "fw.bin", DORY_FS_FILE, 0644, content, SIZE);
    to_host.cut_at = to_device.cut_at = cuts = calls = 0;
    cut = opened = false;
    host_lives = answers = lets_in = true;
    host_stderr = NULL;
    host_status = 0;
    told[0] = '\0';
    now = 1000;
    boot();
    know("10.0.2.2,name", &host_key);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    CHECK_EQ(sim.violations, 0);
    for (size_t i = 0; i < PAGE * slots[SLOT_A].pages; i++) CHECK_EQ(cells[i], 0x5a); /* the slot that runs was not touched */
    CHECK(!opened);
    for (int i = 0; i < DORY_FLASH_HANDLES; i++) CHECK(!flash.handles[i].used);
    for (int i = 0; i < DORY_FLASH_WRITERS; i++) CHECK(!flash.writers[i].used);
    if (host.config.role)
        session_end(&host);
    memset(&host, 0, sizeof host);
    return 0;
}

/* The slot holds the file of that seed, whole and by its hash. */
static bool holds(unsigned slot, uint8_t seed)
{
    struct dory_flash_status status;
    uint8_t got[64];
    int r;

    do r = dory_flash_verify(&flash, slot);
    while (r == DORY_E_AGAIN);
    if (r != DORY_OK || dory_flash_status(&flash, slot, &status) != DORY_OK || status.size != SIZE)
        return false;
    fill(seed);
    for (uint32_t at = 0; at < SIZE; at += (uint32_t)r) {
        do r = (int)dory_flash_get(&flash, slot, at, got, sizeof got);
        while (r == DORY_E_AGAIN);
        if (r <= 0 || memcmp(got, content + at, (size_t)r) != 0)
            return false;
    }
    return true;
}

/* Runs the command as a registry does, until it ends; its exit status. Time goes on as the device sleeps. */
static int run_with(const char *args, void (*between)(void))
{
    char buf[256];
    struct dory_text out;
    int status;

    dory_text_init(&out, buf, sizeof buf);
    for (turns = 0; (status = dory_pull_run(&pull, args, &out)) == DORY_E_AGAIN; turns++) {
        uint32_t wait;
        CHECK(turns < TURNS);
        if (turns >= TURNS)
            return -1;
        host_turn();
        wait = dory_pull_turn(&pull, now);
        host_turn();
        now += wait < 1000 ? wait : 1000;
        if (between)
            between();
    }
    strcat(told, buf);
    host_turn(); /* the last words */
    return status;
}

static int run(const char *args)
{
    return run_with(args, NULL);
}

#define GOOD "user@10.0.2.2:fw.bin slot-b"

/* ---- it works */

static void test_fetches(void **state)
{
    (void)state;
    assert_int_equal(run(GOOD), 0);
    assert_true(holds(SLOT_B, 1));
    assert_true(heard("pull: exit status 0: 9000 bytes in slot-b"));
    assert_int_equal(calls, 1);
    assert_int_equal(run("user@10.0.2.2:./fw.bin  slot-b "), 0);
}

static void test_another_port_is_another_name(void **state)
{
    (void)state;
    assert_int_equal(run("-P 2222 user@10.0.2.2:fw.bin slot-b"), 1);
    assert_int_equal(calls, 0);
    know("[10.0.2.2]:2222", &host_key);
    assert_int_equal(run("-P 2222 user@10.0.2.2:fw.bin slot-b"), 0);
    assert_int_equal(run(GOOD), 1);
    assert_int_equal(calls, 1);
}

static void test_the_key_is_made_once(void **state)
{
    char buf[256], line_of_first[256];
    struct dory_text out;

    (void)state;
    assert_true(strncmp(told, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", 32) == 0);
    assert_true(heard(" device\n"));
    dory_text_init(&out, line_of_first, sizeof line_of_first);
    assert_int_equal(dory_pull_pubkey(&pull, "", &out), 0);
    boot();
    dory_text_init(&out, buf, sizeof buf);
    assert_int_equal(dory_pull_pubkey(&pull, "", &out), 0);
    assert_string_equal(buf, line_of_first);
    assert_int_equal(run(GOOD), 0);
}

static void test_no_entropy_no_key(void **state)
{
    (void)state;
    memset(cells + PAGE * slots[USERKEY].first, 0xff, PAGE * slots[USERKEY].pages);
    device_rng.fail_at = device_rng.calls + 1;
    boot();
    assert_true(heard("cannot be used"));
    assert_int_equal(run(GOOD), 1);
    assert_int_equal(calls, 0);
    device_rng.fail_at = 0;
}

/* ---- whom it trusts */

static void test_another_host_key_is_told_nothing(void **state)
{
    (void)state;
    know("10.0.2.2", &other_key);
    assert_int_equal(run(GOOD), 1);
    assert_true(heard("WRONG host key of 10.0.2.2, refused: SHA256:"));
    assert_int_equal(calls, 1);
    /* Behind the client's key exchange message came a disconnect and nothing else: no user name, no key. */
    assert_int_equal(dory_ssh_error(&host.ssh), DORY_E_DISCONNECTED);
    assert_int_equal(host.ssh.phase, PHASE_KEX);
    assert_false(holds(SLOT_B, 1));
}

static void test_an_unknown_host_is_not_called(void **state)
{
    (void)state;
    know("10.0.2.20", &host_key);
    assert_int_equal(run(GOOD), 1);
    know("|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=", &host_key);
    assert_int_equal(run(GOOD), 1);
    assert_int_equal(put(KNOWN, "", 0), DORY_OK);
    assert_int_equal(run(GOOD), 1);
    assert_true(heard("known_hosts has no key of 10.0.2.2"));
    assert_int_equal(calls, 0);
}

/* For this host, for all, for others, and behind more names than a line of ours holds. */
static void test_a_revoked_key(void **state)
{
    static char long_list[320];
    const char *const listed[] = {"10.0.2.2", "*", "10.9.9.9", "#", long_list};
    char text[1024], key[128];
    uint8_t blob[64];
    int n = host_key.type->public_blob(&host_key, blob, sizeof blob);

    (void)state;
    memset(long_list, 'x', sizeof long_list - 1);
    dory_base64_encode(key, sizeof key, blob, (size_t)n, true);
    for (size_t i = 0; i < sizeof listed / sizeof *listed; i++) {
        snprintf(text, sizeof text, "10.0.2.2 ssh-ed25519 %s\n@revoked %s ssh-ed25519 %s", key, listed[i], key);
        assert_int_equal(put(KNOWN, text, strlen(text)), DORY_OK);
        assert_int_equal(run(GOOD), 1);
        assert_true(heard("REVOKED host key"));
        told[0] = 0;
    }
}

/* What is revoked makes no host known. */
static void test_nothing_but_a_revoked_key(void **state)
{
    char text[1024];

    (void)state;
    snprintf(text, sizeof text, "@revoked 10.0.2.2 ssh-ed25519 AAAA\n@revoked %0300d ssh-ed25519 AAAA", 0);
    assert_int_equal(put(KNOWN, text, strlen(text)), DORY_OK);
    assert_int_equal(run(GOOD), 1);
    assert_true(heard("known_hosts has no key of 10.0.2.2"));
    assert_int_equal(calls, 0);
}

/* What ssh-keyscan writes without -t: keys of types that the device does not ask for say nothing, neither good nor bad. */
static void test_keys_of_other_types(void **state)
{
    char text[768], key[128];
    uint8_t blob[64];
    int n = host_key.type->public_blob(&host_key, blob, sizeof blob);

    (void)state;
    dory_base64_encode(key, sizeof key, blob, (size_t)n, true);
    snprintf(text, sizeof text, "10.0.2.2 ssh-rsa AAAAB3NzaC1yc2E=\n10.0.2.2 ecdsa-sha2-nistp256 AAAA\n10.0.2.2\n10.0.2.2 ssh-ed25519");
    assert_int_equal(put(KNOWN, text, strlen(text) - 12), DORY_OK);
    assert_int_equal(run(GOOD), 1);
    assert_true(heard("known_hosts has no key of 10.0.2.2: scp one there (ssh-keyscan -t ed25519)"));
    assert_int_equal(calls, 0);
    snprintf(text, sizeof text, "10.0.2.2 ssh-rsa AAAAB3NzaC1yc2E=\n 10.0.2.2\tssh-ed25519 %s\n10.0.2.2 ecdsa-sha2-nistp256 AAAA\n", key);
    assert_int_equal(put(KNOWN, text, strlen(text)), DORY_OK);
    assert_int_equal(run(GOOD), 0);
    snprintf(text, sizeof text, "10.0.2.2 ssh-ed25519 %s\n  @revoked\t* ssh-ed25519 %s", key, key);
    assert_int_equal(put(KNOWN, text, strlen(text)), DORY_OK);
    assert_int_equal(run(GOOD), 1);
    assert_true(heard("REVOKED host key"));
}

/* Nothing of a session stays in memory. */
static void test_buffers_are_wiped(void **state)
{
    (void)state;
    assert_int_equal(run(GOOD), 0);
    for (unsigned i = 0; i < sizeof pull.rx; i++) assert_int_equal(pull.rx[i], 0);
    for (unsigned i = 0; i < sizeof pull.tx; i++) assert_int_equal(pull.tx[i], 0);
}

static void test_a_host_that_does_not_know_the_key(void **state)
{
    (void)state;
    lets_in = false;
    assert_int_equal(run(GOOD), 1);
    assert_true(heard("user@10.0.2.2: Permission denied"));
    assert_int_equal(calls, 1);
}

/* ---- what no second try mends */

static void test_no_such_file(void **state)
{
    (void)state;
    assert_int_equal(run("user@10.0.2.2:other.bin slot-b"), 1);
    assert_true(heard("No such file or directory") || heard("no such file"));
    assert_int_equal(calls, 1);
}

static void test_too_large(void **state)
{
    static uint8_t large[PAGE * 13];

    (void)state;
    assert_int_equal(run(GOOD), 0);
    dory_ram_put(&files, "large", DORY_FS_FILE, 0644, large, sizeof large);
    assert_int_equal(run("user@10.0.2.2:large slot-b"), 1);
    assert_int_equal(calls, 2);
    assert_true(holds(SLOT_B, 1));
}

static void test_the_slot_that_runs(void **state)
{
    (void)state;
    assert_int_equal(run("user@10.0.2.2:fw.bin slot-a"), 1);
    assert_int_equal(calls, 1);
}

static void test_lines_that_make_no_sense(void **state)
{
    static const char *const lines[] = {
        "", "slot-b", "user@10.0.2.2:fw.bin", "user@10.0.2.2:fw.bin slot-b more", "10.0.2.2:fw.bin slot-b", "@10.0.2.2:fw.bin slot-b",
        "user@10.0.2:fw.bin slot-b", "user@10.0.2.256:fw.bin slot-b", "user@10.0.2.2.2:fw.bin slot-b", "user@10.0.2.2: slot-b",
        "user@10.0.2.2:dir/ slot-b", "user@host:fw.bin slot-b", "-P 0 user@10.0.2.2:fw.bin slot-b", "-P 65536 user@10.0.2.2:fw.bin slot-b",
        "-P x user@10.0.2.2:fw.bin slot-b", "-P", "user@10.0.2.2:fw.bin slot-c"};

    (void)state;
    for (unsigned i = 0; i < sizeof lines / sizeof lines[0]; i++) assert_int_equal(run(lines[i]), 1);
    assert_int_equal(calls, 0);
}

static void test_the_path_is_one_word(void **state)
{
    static const char *const cases[][2] = {
        {"user@10.0.2.2:a*b?[c]$(d)`e`\\;f slot-b", "scp -f -- 'a*b?[c]$(d)`e`\\;f'"},
        {"user@10.0.2.2:it's slot-b", "scp -f -- 'it'\\''s'"},
        {"user@10.0.2.2:~/~x slot-b", "scp -f -- ~/'~x'"},
        {"user@10.0.2.2:~x/y slot-b", "scp -f -- '~x/y'"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)run(cases[i][0]);
        assert_string_equal(pull.command, cases[i][1]);
    }
}

static void ask_for_another(void)
{
    strcpy(pull.name, "FW.BIN");
}

static void test_a_name_that_was_not_asked_for(void **state)
{
    (void)state;
    assert_int_equal(run_with(GOOD, ask_for_another), 1);
    assert_true(heard("filename does not match request"));
    assert_false(holds(SLOT_B, 1));
}

/* ---- what else the host says */

static void test_words_on_stderr_decide_nothing(void **state)
{
    (void)state;
    host_stderr = "Welcome to \33[1mhost\33[0m.\r\n\nwarning: disk nearly full";
    assert_int_equal(run(GOOD), 0);
    assert_true(heard("pull: 10.0.2.2: Welcome to ?[1mhost?[0m.\npull: 10.0.2.2: warning: disk nearly full\n"));
    assert_true(heard("pull: exit status 0: 9000 bytes in slot-b"));
    assert_true(holds(SLOT_B, 1));
    assert_int_equal(calls, 1);
}

static void test_stderr_without_end(void **state)
{
    static char flood[3001];
    unsigned lines = 0;

    (void)state;
    for (unsigned i = 0; i < sizeof flood - 1; i++) flood[i] = i % 50 == 49 ? '\n' : 'x';
    host_stderr = flood;
    assert_int_equal(run(GOOD), 0);
    for (const char *p = told; (p = strstr(p, "pull: 10.0.2.2: xxx")) != NULL; p++) lines++;
    assert_int_equal(lines, 8);
}

/* Scp's own error decides, whatever was said before it. */
static void test_an_error_behind_words_on_stderr(void **state)
{
    (void)state;
    host_stderr = "Welcome.\n";
    assert_int_equal(run("user@10.0.2.2:other.bin slot-b"), 1);
    assert_true(heard("pull: exit status 1: other.bin: No such file") || heard("pull: exit status 1: other.bin: no such file"));
    assert_int_equal(calls, 1);
}

static void test_another_exit_status(void **state)
{
    (void)state;
    host_stderr = "Welcome.\n";
    host_status = 3;
    assert_int_equal(run(GOOD), 1);
    assert_true(heard("pull: exit status 1: the host's scp ended with status 3, though the whole file is in slot-b"));
    assert_true(holds(SLOT_B, 1));
    assert_int_equal(calls, 1);
}

static void back_to_life(void)
{
    if (calls == 2)
        host_status = 0;
}

/* The host's scp is killed behind words of a login script: nobody said why, so another try may do. */
static void test_killed_behind_words_on_stderr(void **state)
{
    (void)state;
    host_stderr = "Welcome.\n";
    host_status = -1;
    assert_int_equal(run_with(GOOD, back_to_life), 0);
    assert_int_equal(calls, 2);
    assert_true(heard("; again in 1000 ms"));
    assert_true(holds(SLOT_B, 1));
}

/* ---- what is tried again */

/* The connection is cut after every so many bytes, in each direction: the old image is whole until the second try has brought the new one. */
static void cut_everywhere(struct pipe *direction, unsigned step)
{
    uint64_t last = direction->total;
    unsigned at;

    for (at = 1; at < last; at += step) {
        uint8_t seed = (uint8_t)(at % 200 + 2);
        fill(seed);
        dory_ram_put(&files, "fw.bin", DORY_FS_FILE, 0644, content, SIZE);
        direction->cut_at = at;
        cuts = calls = 0;
        told[0] = '\0';
        assert_int_equal(run(GOOD), 0);
        assert_int_equal(cuts, 1);
        /* A cut after the last byte of the file counts as no cut. */
        assert_true(calls == 2 || (calls == 1 && at + 1000 > last));
        if (!holds(SLOT_B, seed))
            fail_msg("cut at byte %u: the slot is not what was sent", at);
    }
}

static void test_cut_on_the_way_to_the_device(void **state)
{
    (void)state;
    assert_int_equal(run(GOOD), 0);
    cut_everywhere(&to_device, 7);
}

static void test_cut_on_the_way_to_the_host(void **state)
{
    (void)state;
    assert_int_equal(run(GOOD), 0);
    cut_everywhere(&to_host, 3);
}

static void test_nobody_there(void **state)
{
    uint64_t start = now;

    (void)state;
    host_lives = false;
    assert_int_equal(run(GOOD), 1);
    assert_int_equal(calls, DORY_PULL_TRIES);
    assert_true(now - start >= 31 * DORY_PULL_RETRY_MS); /* 1 + 2 + 4 + 8 + 16 */
    assert_true(now - start < 60 * DORY_PULL_RETRY_MS);
    assert_true(heard("again in 16000 ms"));
    host_lives = true;
    assert_int_equal(run(GOOD), 0);
}

static void test_nobody_answers(void **state)
{
    (void)state;
    answers = false;
    assert_int_equal(run(GOOD), 1);
    assert_int_equal(calls, DORY_PULL_TRIES);
    assert_true(heard("no answer"));
}

static void freeze(void)
{
    if (to_device.total > 7000)
        to_device.from = to_device.to = PIPE; /* what comes is lost: no further packet is ever whole */
}

static void test_a_host_that_falls_silent(void **state)
{
    uint64_t start = now;

    (void)state;
    assert_int_equal(run_with(GOOD, freeze), 1);
    assert_int_equal(calls, DORY_PULL_TRIES);
    assert_true(now - start < (uint64_t)DORY_PULL_TRIES * (DORY_PULL_TRY_MS + 60000));
    assert_int_equal(run(GOOD), 0);
}

static void back(void)
{
    host_lives |= calls == 1;
}

static void test_comes_back(void **state)
{
    (void)state;
    host_lives = false;
    assert_int_equal(run_with(GOOD, back), 0);
    assert_int_equal(calls, 2);
    assert_true(holds(SLOT_B, 1));
}

/* ---- the flash */

static void test_a_busy_flash(void **state)
{
    (void)state;
    sim.busy_calls = 7;
    assert_int_equal(run(GOOD), 0);
    assert_true(holds(SLOT_B, 1));
}

static void test_a_flash_that_fails(void **state)
{
    unsigned long first;

    (void)state;
    assert_int_equal(run(GOOD), 0);
    first = sim.operations;
    assert_int_equal(run(GOOD), 0);
    for (unsigned long at = 1, n = sim.operations - first; at <= n; at += 7) {
        sim.fail_at = sim.operations + at;
        calls = 0;
        assert_int_equal(run(GOOD), 1);
        assert_int_equal(calls, 1);
        sim.fail_at = 0;
    }
    assert_int_equal(run(GOOD), 0);
    assert_true(holds(SLOT_B, 1));
}

/* The power goes in the middle, here and there: what boots is untouched, the slot is whole or empty, the key and known_hosts stay, and the
   next start fetches the file. */
static void test_power_cuts(void **state)
{
    static uint8_t spoilt[sizeof cells];
    uint8_t blob[64];
    unsigned long first, n;
    unsigned cut_off = 0;

    (void)state;
    assert_int_equal(run(GOOD), 0);
    memcpy(blob, pull.key_blob, sizeof blob);
    first = sim.operations;
    assert_int_equal(run(GOOD), 0);
    n = sim.operations - first;
    assert_true(n > 20);
    sim.spoilt = spoilt;
    for (unsigned long at = 1; at <= n; at++) {
        struct dory_flash_status status;

        told[0] = '\0';
        sim.torn = (enum flash_sim_torn)(at % FLASH_SIM_TORN_KINDS);
        sim.cut_at = sim.operations + at;
        assert_int_equal(run(GOOD), 1);
        assert_true(sim.dead);
        cut_off++;
        flash_sim_reboot(&sim);
        boot();
        assert_memory_equal(pull.key_blob, blob, sizeof blob);
        assert_int_equal(flash.chosen, SLOT_A);
        assert_int_equal(dory_flash_status(&flash, SLOT_B, &status), DORY_OK);
        assert_true(!status.valid || holds(SLOT_B, 1));
        told[0] = '\0';
        assert_int_equal(run(GOOD), 0);
        assert_true(holds(SLOT_B, 1));
    }
    assert_int_equal(cut_off, n);
}

/* ---- two at once */

static void test_one_at_a_time(void **state)
{
    char buf[256];
    struct dory_text out;

    (void)state;
    dory_text_init(&out, buf, sizeof buf);
    assert_int_equal(dory_pull_start(&pull, GOOD), DORY_OK);
    assert_int_equal(dory_pull_start(&pull, GOOD), DORY_E_STATE);
    assert_int_equal(dory_pull_run(&pull, "user@10.0.2.2:other slot-b", &out), 1);
    assert_string_equal(buf, "pull: another one is running\n");
    assert_int_equal(run(GOOD), 0);
    assert_int_equal(calls, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_fetches),
        TEST(test_another_port_is_another_name),
        TEST(test_the_key_is_made_once),
        TEST(test_no_entropy_no_key),
        TEST(test_another_host_key_is_told_nothing),
        TEST(test_an_unknown_host_is_not_called),
        TEST(test_a_revoked_key),
        TEST(test_nothing_but_a_revoked_key),
        TEST(test_keys_of_other_types),
        TEST(test_buffers_are_wiped),
        TEST(test_a_host_that_does_not_know_the_key),
        TEST(test_no_such_file),
        TEST(test_too_large),
        TEST(test_the_slot_that_runs),
        TEST(test_lines_that_make_no_sense),
        TEST(test_the_path_is_one_word),
        TEST(test_a_name_that_was_not_asked_for),
        TEST(test_words_on_stderr_decide_nothing),
        TEST(test_stderr_without_end),
        TEST(test_an_error_behind_words_on_stderr),
        TEST(test_another_exit_status),
        TEST(test_killed_behind_words_on_stderr),
        TEST(test_cut_on_the_way_to_the_device),
        TEST(test_cut_on_the_way_to_the_host),
        TEST(test_nobody_there),
        TEST(test_nobody_answers),
        TEST(test_a_host_that_falls_silent),
        TEST(test_comes_back),
        TEST(test_a_busy_flash),
        TEST(test_a_flash_that_fails),
        TEST(test_power_cuts),
        TEST(test_one_at_a_time),
    };

    return dory_crypto_init() == DORY_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
