/* The application of a device, whole: the server of platform/device over simulated flash, with a client engine at the other end of a wire in
 * memory. The board is here: its console is a string, its entropy a counter, its time a number. */
#include "platform/device/dory_board.h"
#include "flash_sim.h"
#include "platform/device/dory_device.h"
#include "ssh_kit.h"

enum { PAGE = 1024, PAGES = 128, UNIT = 4 };

/* ---- the board */

const char dory_board_name[] = "test";
const bool dory_board_emulated = true;
uint32_t dory_board_stack[4] = {DORY_BOARD_PAINT, DORY_BOARD_PAINT, 1, 2};
__asm__(".globl dory_board_stack_end\n.set dory_board_stack_end, dory_board_stack + 16");

static struct {
    uint64_t now;
    /* The check of a password: what a part takes, how many there were, when the last one was over. */
    const uint32_t *left;
    unsigned part_ms, parts;
    uint32_t left_before;
    uint64_t part_over;
    bool no_entropy;
    unsigned resets;
    char console[16384];
    size_t console_n;
    const char *typed;
    struct dory_kit_rng rng;
    jmp_buf reset;
} board;

static struct flash_sim sim;
static uint8_t bytes[PAGE * PAGES];

void dory_board_reset(void)
{
    board.resets++;
    longjmp(board.reset, 1);
}

uint64_t dory_board_millis(void)
{
    if (board.left && *board.left < board.left_before) {
        if (board.parts++)
            CHECK(board.now - board.part_over >= board.part_ms); /* others had as much time */
        board.now += board.part_ms;
        board.part_over = board.now;
    }
    board.left_before = board.left ? *board.left : 0;
    return board.now;
}

void dory_board_wait(uint32_t ms)
{
    board.now += ms;
}

int dory_board_entropy(uint8_t *out, size_t n)
{
    struct dory_rng rng = dory_kit_rng(&board.rng);

    return board.no_entropy ? DORY_E_RNG : rng.fill(rng.ctx, out, n);
}

void dory_board_put(const char *text, size_t n)
{
    if (board.console_n + n < sizeof board.console)
        memcpy(board.console + board.console_n, text, n);
    board.console_n += n;
}

int dory_board_get(void)
{
    return board.typed && *board.typed ? *board.typed++ : -1;
}

/* ---- the device */

static const struct dory_flash_slot slots[] = {
    {"slot-a", 0, 40, DORY_FLASH_FIRMWARE, false}, {"slot-b", 40, 40, DORY_FLASH_FIRMWARE, false},
    {"authorized_keys", 80, 4, DORY_FLASH_CONFIG, false}, {"password", 84, 2, DORY_FLASH_CONFIG, false},
    {"hostkey", 86, 2, DORY_FLASH_CONFIG, true}, {"boot", 88, 2, DORY_FLASH_CONFIG, true}, {"log", 90, 4, DORY_FLASH_LOG, false}};

static int slow_runs;

/* Answers at its third call. */
static int slow(struct dory_device *device, const char *args, struct dory_text *out)
{
    (void)device;
    if (++slow_runs % 3)
        return DORY_E_AGAIN;
    dory_text_put(out, "slow ");
    dory_text_put(out, args);
    dory_text_put(out, "\n");
    return 0;
}

/* As much as fits. */
static int much(struct dory_device *device, const char *args, struct dory_text *out)
{
    (void)device;
    (void)args;
    while (!out->cut)
        dory_text_put(out, "0123456789");
    return 0;
}

static const struct dory_device_command slow_command = {.name = "slow", .help = "takes a while", .run = slow};
static const struct dory_device_command much_command = {.name = "much", .help = "says much", .run = much};
static const struct dory_device_command *const commands[] = {&dory_device_help,   &dory_device_version, &dory_device_slots, &dory_device_stats, &dory_device_activate,
                                                             &dory_device_reboot, &dory_device_forget,  &slow_command,      &much_command,      NULL};

static const struct dory_kex *const kex[] = {&dory_kex_curve25519_sha256, NULL};
static const struct dory_cipher *const ciphers[] = {&dory_cipher_chacha20_poly1305, NULL};
static const struct dory_mac *const macs[] = {NULL};
static const struct dory_sigalg *const signatures[] = {&dory_sig_ssh_ed25519, NULL};

static const struct dory_device_config config = {.user = "admin", .version = "7", .flash = &sim.flash, .slots = slots, .slot_count = 7,
                                                 .running = "slot-a", .commands = commands, .passwords = &dory_device_passwords,
                                                 .log = &dory_device_log_flash, .console = dory_device_console, .kex = kex, .ciphers = ciphers, .macs = macs,
                                                 .signatures = signatures};
static struct dory_device device;

/* ---- the wire: two queues. The device's side is a struct dory_conn. */

struct wire {
    struct dory_pipe to_device, to_client;
    size_t send_max; /* room for the device's bytes */
    bool client_gone, device_gone, used;
};

static enum dory_conn_state wire_state(void *conn)
{
    struct wire *w = conn;

    return w->client_gone ? DORY_CONN_ENDED : DORY_CONN_OPEN;
}

static const uint8_t *wire_recv_buf(void *conn, size_t *n)
{
    struct wire *w = conn;

    *n = dory_pipe_size(&w->to_device);
    return *n ? dory_pipe_peek(&w->to_device) : NULL;
}

static void wire_recv_ack(void *conn, size_t n)
{
    dory_pipe_drop(&((struct wire *)conn)->to_device, n);
}

static size_t wire_send(void *conn, const uint8_t *p, size_t n)
{
    struct wire *w = conn;
    size_t used = dory_pipe_size(&w->to_client);

    if (w->client_gone)
        return n;
    if (n > w->send_max - used)
        n = w->send_max - used;
    dory_pipe_put(&w->to_client, p, n);
    return n;
}

static void wire_close(void *conn)
{
    ((struct wire *)conn)->device_gone = true;
}

static void wire_peer(void *conn, char text[DORY_CONN_PEER_MAX])
{
    (void)conn;
    strcpy(text, "10.0.0.1:1234");
}

static const struct dory_conn_ops wire_ops = {wire_state, wire_recv_buf, wire_recv_ack, wire_send, wire_close, wire_close, wire_peer};

/* ---- the client */

struct client {
    struct wire wire;
    struct dory_ssh ssh;
    struct dory_ssh_config config;
    struct dory_channel channel;
    struct dory_kit_rng rng;
    uint8_t rx[8192], tx[8192];
    /* what it does */
    const char *user, *password;       /* NULL: a key */
    const struct dory_kit_key *key;
    const char *command;
    const uint8_t *input;
    size_t input_n;
    bool eof;
    unsigned read_max; /* bytes a turn; 0: all */
    uint64_t spoil_at; /* this byte to the device is another; 0: none */
    /* how it went */
    bool tried, opened, closed;
    int error, status;
    char hostkey[128];
    size_t hostkey_n, input_at, out_n, err_n;
    uint8_t out[64 * 1024];
    char err[1024];
};

static void client_start(struct client *c, const char *user, const char *command)
{
    memset(c, 0, sizeof *c);
    c->user = user;
    c->command = command;
    c->wire.send_max = 4096;
    c->status = -2;
    dory_kit_rng_init(&c->rng, 99);
    c->config = (struct dory_ssh_config){.role = &dory_ssh_client, .software = "Test", .rng = dory_kit_rng(&c->rng), .kex = kex, .ciphers = ciphers,
                                         .macs = macs, .signatures = signatures, .rx = c->rx, .rx_size = sizeof c->rx, .tx = c->tx,
                                         .tx_size = sizeof c->tx, .channels = &c->channel, .channel_count = 1, .user = user};
    CHECK_EQ(dory_ssh_init(&c->ssh, &c->config, board.now), DORY_OK);
}

static void client_free(struct client *c)
{
    dory_pipe_free(&c->wire.to_device);
    dory_pipe_free(&c->wire.to_client);
}

static void client_event(struct client *c)
{
    struct dory_event event;
    uint8_t signature[128];

    switch (dory_ssh_event(&c->ssh, &event)) {
    case DORY_EV_NONE: return;
    case DORY_EV_HOSTKEY:
        c->hostkey_n = event.key_n;
        memcpy(c->hostkey, event.key, event.key_n);
        dory_ssh_accept(&c->ssh);
        return;
    case DORY_EV_AUTH:
        if (c->tried)
            dory_ssh_refuse(&c->ssh);
        else if (c->password)
            dory_ssh_auth_password(&c->ssh, (const uint8_t *)c->password, strlen(c->password));
        else
            dory_ssh_auth_publickey(&c->ssh, "ssh-ed25519", c->key->blob, c->key->n, true);
        c->tried = true;
        return;
    case DORY_EV_SIGN:
        dory_ssh_sign(&c->ssh, signature, dory_kit_sign(c->key, event.data, event.n, signature, sizeof signature));
        return;
    default: dory_ssh_accept(&c->ssh); return;
    }
}

static bool client_channel(struct client *c)
{
    unsigned state = dory_ssh_channel_state(&c->ssh, 0);
    const uint8_t *in;
    uint32_t extended;
    int channel;
    size_t n;
    uint8_t *buf;
    bool moved = false;

    if (!c->opened && c->command && (dory_ssh_state(&c->ssh) & DORY_READY)) {
        c->opened = dory_ssh_channel_open(&c->ssh, DORY_REQUEST_EXEC, c->command, strlen(c->command)) == 0;
        return true;
    }
    while ((in = dory_ssh_recvdata_buf(&c->ssh, &channel, &extended, &n)) != NULL && n) {
        CHECK(extended ? c->err_n + n < sizeof c->err : c->out_n + n < sizeof c->out);
        memcpy(extended ? (uint8_t *)c->err + c->err_n : c->out + c->out_n, in, n);
        *(extended ? &c->err_n : &c->out_n) += n;
        dory_ssh_recvdata_ack(&c->ssh, n);
        moved = true;
    }
    if ((state & DORY_CH_STARTED) && c->input_at < c->input_n && (buf = dory_ssh_senddata_buf(&c->ssh, 0, 0, &n)) != NULL) {
        if (n > c->input_n - c->input_at)
            n = c->input_n - c->input_at;
        memcpy(buf, c->input + c->input_at, n);
        c->input_at += n;
        dory_ssh_senddata_ack(&c->ssh, n);
        return true;
    }
    if ((state & DORY_CH_STARTED) && c->input_at == c->input_n && !c->eof) {
        c->eof = true;
        dory_ssh_channel_eof(&c->ssh, 0);
        return true;
    }
    if (c->opened && !c->closed && (state & DORY_CH_CLOSED)) {
        c->closed = true;
        c->status = state & DORY_CH_FAILED ? -3 : dory_ssh_channel_status(&c->ssh, 0);
        dory_ssh_disconnect(&c->ssh, SSH_DISCONNECT_BY_APPLICATION, "");
        return true;
    }
    return moved;
}

/* True: something moved. */
static bool client_turn(struct client *c)
{
    uint64_t total = c->wire.to_client.total + c->wire.to_device.total;
    size_t n, room;
    const uint8_t *out;
    uint8_t *in;
    bool moved;

    while ((n = dory_pipe_size(&c->wire.to_client)) > 0 && (in = dory_ssh_recvpkt_buf(&c->ssh, &room)) != NULL) {
        if (n > room)
            n = room;
        if (c->read_max && n > c->read_max)
            n = c->read_max;
        memcpy(in, dory_pipe_peek(&c->wire.to_client), n);
        dory_pipe_drop(&c->wire.to_client, n);
        dory_ssh_recvpkt_ack(&c->ssh, n);
        if (c->read_max)
            break;
    }
    client_event(c);
    moved = client_channel(c);
    while ((out = dory_ssh_sendpkt_buf(&c->ssh, &n)) != NULL && n) {
        dory_pipe_put(&c->wire.to_device, out, n);
        if (c->spoil_at && c->wire.to_device.total >= c->spoil_at) {
            c->wire.to_device.p[c->wire.to_device.tail - 1 - (size_t)((c->wire.to_device.total - c->spoil_at) % n)] ^= 0x10;
            c->spoil_at = 0;
        }
        dory_ssh_sendpkt_ack(&c->ssh, n);
    }
    c->error = dory_ssh_error(&c->ssh);
    if (c->error)
        c->wire.client_gone = true;
    dory_ssh_tick(&c->ssh, board.now);
    return moved || c->wire.to_client.total + c->wire.to_device.total != total;
}

/* One turn of the device, with time passing as it asks for. */
static void device_turn(void)
{
    uint32_t wait = dory_device_turn(&device, board.now);

    board.now += wait < 5 ? wait : 5;
}

static void client_connect(struct client *c)
{
    CHECK(dory_device_accept(&device, &wire_ops, &c->wire));
}

static void client_run(struct client *c)
{
    client_connect(c);
    for (int turn = 0; turn < 200000 && !(c->error && c->wire.device_gone); turn++) {
        client_turn(c);
        device_turn();
        if (c->wire.device_gone && !c->error && !dory_pipe_size(&c->wire.to_client))
            dory_ssh_recvpkt_eof(&c->ssh);
    }
    CHECK(c->error && c->wire.device_gone);
}

/* ---- set-up */

static int start_device(void)
{
    board.console_n = 0;
    memset(board.console, 0, sizeof board.console);
    return dory_device_init(&device, &config);
}

static int setup(void **state)
{
    (void)state;
    memset(&board, 0, sizeof board);
    dory_kit_rng_init(&board.rng, 5);
    memset(bytes, 0xFF, sizeof bytes);
    flash_sim_init(&sim, bytes, PAGE, PAGES, UNIT);
    sim.busy_calls = 3;
    CHECK_EQ(start_device(), DORY_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    CHECK_EQ(sim.violations, 0);
    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++)
        CHECK(!device.sessions[i].ops);
    for (int i = 0; i < DORY_FLASH_HANDLES; i++)
        CHECK(!device.flash.handles[i].used);
    for (int i = 0; i < DORY_FLASH_WRITERS; i++)
        CHECK(!device.flash.writers[i].used);
    return 0;
}

static struct client client;

/* Runs a command with the password of this boot; the exit status. */
static int run_with(const char *user, const char *password, const char *command)
{
    client_free(&client);
    client_start(&client, user, command);
    client.password = password;
    client_run(&client);
    return client.status;
}

static int run(const char *command)
{
    return run_with("admin", device.setup, command);
}

static bool said(const char *text)
{
    return strstr((const char *)client.out, text) != NULL;
}

static void put_file(const char *name, const char *text)
{
    struct dory_fs *fs = &device.flash.fs;
    int root = fs->ops->root(fs), handle, r;
    size_t n = strlen(text), at = 0;

    while ((handle = fs->ops->create(fs, root, name, 0600, n)) == DORY_E_AGAIN) {
    }
    CHECK(handle >= 0);
    while (at < n) {
        long k = fs->ops->write(fs, handle, at, (const uint8_t *)text + at, n - at);

        CHECK(k > 0 || k == DORY_E_AGAIN);
        at += k > 0 ? (size_t)k : 0;
    }
    while ((r = fs->ops->commit(fs, handle, 0, NULL)) == DORY_E_AGAIN) {
    }
    CHECK_EQ(r, DORY_OK);
    fs->ops->close(fs, root);
}

static void key_line(char *line, size_t cap, const char *before, const struct dory_kit_key *key, const char *after)
{
    char base64[128];

    dory_base64_encode(base64, sizeof base64, key->blob, key->n, true);
    snprintf(line, cap, "%sssh-ed25519 %s%s", before, base64, after);
}

/* ---- first boot */

static void test_first_boot_and_the_next(void **state)
{
    char first[64], setup_first[32];
    const char *print = strstr(board.console, "SHA256:");

    (void)state;
    CHECK(print && strstr(board.console, device.setup) && strstr(board.console, "emulated"));
    snprintf(first, sizeof first, "%.50s", print);
    strcpy(setup_first, device.setup);
    CHECK_EQ(run("version"), 0);
    CHECK(said("on test, firmware 7"));
    CHECK_EQ(start_device(), DORY_OK);
    CHECK(strstr(board.console, first)); /* the host key was kept */
    CHECK(strcmp(setup_first, device.setup) != 0);
    CHECK_EQ(run_with("admin", setup_first, "version"), -2);
    CHECK_EQ(run("version"), 0);
}

/* The power goes at every operation of the first boot: a fingerprint that was shown stays the device's, and the next boot serves. */
static void test_first_boot_cut_anywhere(void **state)
{
    static uint8_t spoilt[sizeof bytes];
    unsigned long cuts = 0;
    bool whole = false;

    (void)state;
    for (int torn = 0; torn < FLASH_SIM_TORN_KINDS; torn++, whole = false)
        for (unsigned long at = 1; !whole; at++) {
            char shown[64] = "";
            const char *print;

            dory_kit_case("torn %d, operation %lu", torn, at);
            memset(bytes, 0xFF, sizeof bytes);
            memset(spoilt, 0, sizeof spoilt);
            flash_sim_init(&sim, bytes, PAGE, PAGES, UNIT);
            sim.spoilt = spoilt;
            sim.cut_at = at;
            sim.torn = (enum flash_sim_torn)torn;
            start_device();
            for (int i = 0; i < 100; i++) /* lines of the log */
                device_turn();
            whole = !sim.dead;
            cuts += sim.dead;
            if ((print = strstr(board.console, "SHA256:")) != NULL)
                snprintf(shown, sizeof shown, "%.50s", print);
            CHECK(!whole || print);
            flash_sim_reboot(&sim);
            CHECK_EQ(start_device(), DORY_OK);
            CHECK(strstr(board.console, shown));
            CHECK_EQ(run("version"), 0);
        }
    CHECK(cuts >= 4 * 6);
}

static void test_no_entropy_no_start(void **state)
{
    (void)state;
    board.no_entropy = true;
    CHECK_EQ(start_device(), DORY_E_RNG);
    CHECK(strstr(board.console, "no entropy"));
    CHECK(!strstr(board.console, "SHA256:"));
    board.no_entropy = false;
    CHECK_EQ(start_device(), DORY_OK);
}

static void test_flash_that_fails_no_start(void **state)
{
    (void)state;
    memset(bytes, 0xFF, sizeof bytes);
    sim.fail_at = sim.operations + 3;
    CHECK_EQ(start_device(), DORY_E_IO);
    CHECK(strstr(board.console, "does not start"));
    CHECK_EQ(start_device(), DORY_OK);
}

/* ---- logins */

static void test_logins(void **state)
{
    struct dory_kit_key mine, other;
    char line[256];

    (void)state;
    dory_kit_key(&mine, 1);
    dory_kit_key(&other, 2);
    CHECK_EQ(run_with("admin", "wrong", "version"), -2);
    CHECK_EQ(run_with("admin", "", "version"), -2);
    CHECK_EQ(run_with("root", device.setup, "version"), -2);
    CHECK_EQ(run_with("", device.setup, "version"), -2);
    CHECK_EQ(run_with("admin", device.setup, "version"), 0);

    key_line(line, sizeof line, "# mine\r\n\r\nrestrict,No-Pty ", &mine, " me@home\r\n");
    put_file("authorized_keys", line);
    CHECK_EQ(run_with("admin", device.setup, "version"), -2); /* a key is set: the boot's password is no good any more */
    for (int i = 0; i < 3; i++) {
        client_free(&client);
        client_start(&client, i == 1 ? "root" : "admin", "version");
        client.key = i == 2 ? &other : &mine;
        client_run(&client);
        CHECK_EQ(client.status, i == 0 ? 0 : -2);
    }
    CHECK_EQ(device.logins, 2);
}

static bool lets_in(const char *before, const char *after)
{
    struct dory_kit_key mine;
    char line[512];

    dory_kit_key(&mine, 1);
    key_line(line, sizeof line, before, &mine, after);
    put_file("authorized_keys", line);
    client_free(&client);
    client_start(&client, "admin", "version");
    client.key = &mine;
    client_run(&client);
    return client.status == 0;
}

static void test_lines_of_authorized_keys(void **state)
{
    char longer[300];

    (void)state;
    CHECK(lets_in("", ""));
    CHECK(lets_in(" \t", " comment with words"));
    CHECK(lets_in("ssh-rsa AAAAB3NzaC1yc2E= x\nnonsense\n", "\n# end"));
    CHECK(lets_in("no-agent-forwarding,no-port-forwarding,no-X11-forwarding,no-user-rc ", ""));
    CHECK(!lets_in("command=\"x\" ", ""));
    CHECK(!lets_in("from=\"10.0.0.1\" ", ""));
    CHECK(!lets_in("expiry-time=\"20300101\" ", ""));
    CHECK(!lets_in("restrict,cert-authority ", ""));
    CHECK(!lets_in("restrict, ", ""));
    CHECK(!lets_in(",restrict ", ""));
    CHECK(!lets_in("#", ""));
    CHECK(!lets_in("x", ""));
    CHECK(!lets_in("", "AAAA"));
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    longer[298] = '\n';
    CHECK(lets_in(longer, ""));      /* one line too long, then the good one */
    longer[298] = ' ';
    CHECK(!lets_in(longer, ""));
    /* Nothing usable in it: the password of this boot lets in again, so that nobody is locked out. */
    CHECK_EQ(run("version"), 0);
}

static void test_password_file(void **state)
{
    /* hashlib.pbkdf2_hmac("sha256", b"secret", b"saltsaltsalt", 1000) */
    static const char hash[] = "$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0$sVaWem31qy3rw+Ldi3plA/XzhMSNi9/XHnnD1Ytj05o";
    char line[256];

    (void)state;
    snprintf(line, sizeof line, "other:%s\nadmin:%s\n", hash, hash);
    put_file("password", line);
    CHECK_EQ(run_with("admin", "secret", "version"), 0);
    CHECK_EQ(run_with("admin", "secre", "version"), -2);
    CHECK_EQ(run_with("admin", "", "version"), -2);
    CHECK_EQ(run_with("root", "secret", "version"), -2);
    CHECK_EQ(run_with("other", "secret", "version"), -2);
    CHECK_EQ(run_with("admin", device.setup, "version"), -2);
    put_file("password", hash);
    CHECK_EQ(run_with("admin", "secret", "version"), 0);
    /* More rounds than this device does: no password at all, so that of the boot. */
    snprintf(line, sizeof line, "admin:$pbkdf2-sha256$%u%s", DORY_DEVICE_ROUNDS_MAX + 1, strchr(hash + 15, '$'));
    put_file("password", line);
    CHECK_EQ(run_with("admin", "secret", "version"), -2);
    CHECK_EQ(run("version"), 0);
}

/* Lines that hold no password that this device can check leave that of the boot in force, and let nobody else in. */
static void test_bad_password_files(void **state)
{
    static const char *const files[] = {
        "", "\n", "secret\n", "admin:secret\n", "admin:$6$salt$hash\n", "admin:$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0$sVaWem31qy3rw+Ldi3plA\n",
        "admin:$pbkdf2-sha256$0$c2FsdHNhbHRzYWx0$sVaWem31qy3rw+Ldi3plA/XzhMSNi9/XHnnD1Ytj05o\n", "admin:$pbkdf2-sha256$1000$c2FsdA$sVaWem31qy3rw+Ldi3plA/XzhMSNi9/XHnnD1Ytj05o\n",
        "admin:$pbkdf2-sha256$-1$c2FsdHNhbHRzYWx0$sVaWem31qy3rw+Ldi3plA/XzhMSNi9/XHnnD1Ytj05o\n", "admin:$pbkdf2-sha256$1000$$\n", "$pbkdf2-sha256$",
        "other:$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0$sVaWem31qy3rw+Ldi3plA/XzhMSNi9/XHnnD1Ytj05o\n",
        "admin:$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0$sVaWem31qy3rw+Ldi3plA/XzhMSNi9/XHnnD1Ytj05o x\n"};

    (void)state;
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
        dory_kit_case("file %u", i);
        put_file("password", files[i]);
        CHECK_EQ(run_with("admin", "secret", "version"), -2);
        CHECK_EQ(run_with("admin", "", "version"), -2);
        CHECK_EQ(run("version"), 0);
    }
    put_file("password", "\r\n# mine\r\nadmin:$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0$sVaWem31qy3rw+Ldi3plA/XzhMSNi9/XHnnD1Ytj05o\r\n");
    CHECK_EQ(run_with("admin", "secret", "version"), 0);
    CHECK_EQ(run("version"), -2);
}

/* How many rounds of PBKDF2 a login costs: the sum of what is seen left, falling. */
static uint32_t rounds_for(const char *user, const char *password)
{
    uint32_t left = 0, done = 0;

    client_free(&client);
    client_start(&client, user, "version");
    client.password = password;
    client_connect(&client);
    for (int turn = 0; turn < 200000 && !(client.error && client.wire.device_gone); turn++) {
        client_turn(&client);
        device_turn();
        if (device.password.owner && left > device.password.kdf.left)
            done += left - device.password.kdf.left;
        left = device.password.owner ? device.password.kdf.left : 0;
    }
    return done;
}

static void test_unknown_users_cost_the_same(void **state)
{
    uint32_t cost;

    (void)state;
    put_file("password", "$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0$sVaWem31qy3rw+Ldi3plA/XzhMSNi9/XHnnD1Ytj05o");
    cost = rounds_for("admin", "wrong");
    CHECK(cost > 500); /* all but what the last turn does */
    CHECK_EQ(rounds_for("admin", "secret"), cost);
    CHECK_EQ(rounds_for("root", "wrong"), cost);
    CHECK_EQ(rounds_for("root", "secret"), cost);
    CHECK_EQ(rounds_for("", ""), cost);
}

/* Between two parts of a check, and between the checks of two, others have as much time as the last part took. */
static void test_guesses_leave_half_the_time(void **state)
{
    enum { GUESSERS = DORY_DEVICE_SESSIONS };
    static struct client guesser[GUESSERS];

    (void)state;
    /* So few rounds are one part. */
    put_file("password", "$pbkdf2-sha256$16$c2FsdHNhbHRzYWx0$sVaWem31qy3rw+Ldi3plA/XzhMSNi9/XHnnD1Ytj05o");
    for (int i = 0; i < GUESSERS; i++) {
        client_start(&guesser[i], "admin", "version");
        guesser[i].password = "guess";
        client_connect(&guesser[i]);
    }
    board.left = &device.password.kdf.left;
    board.part_ms = 7;
    for (int turn = 0; turn < 20000 && board.parts < GUESSERS; turn++) {
        for (int i = 0; i < GUESSERS; i++)
            client_turn(&guesser[i]);
        dory_device_turn(&device, board.now);
        board.now++;
    }
    board.left = NULL;
    CHECK_EQ(board.parts, GUESSERS);
    for (int i = 0; i < GUESSERS; i++)
        guesser[i].wire.client_gone = true;
    for (int i = 0; i < 3000; i++)
        device_turn();
    for (int i = 0; i < GUESSERS; i++)
        client_free(&guesser[i]);
}

/* A client that goes away while its password is checked does not keep the others from theirs. */
static void test_a_password_left_in_the_middle(void **state)
{
    static struct client gone;

    (void)state;
    put_file("password", "$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0$sVaWem31qy3rw+Ldi3plA/XzhMSNi9/XHnnD1Ytj05o");
    client_start(&gone, "admin", "version");
    gone.password = "secret";
    client_connect(&gone);
    for (int turn = 0; turn < 2000 && !device.password.owner; turn++) {
        client_turn(&gone);
        device_turn();
    }
    CHECK(device.password.owner);
    gone.wire.client_gone = true;
    CHECK_EQ(run_with("admin", "secret", "version"), 0);
    client_free(&gone);
}

static uint8_t *upload_of(const char *name, size_t size, size_t *n)
{
    static uint8_t all[128 * 1024];
    int head = snprintf((char *)all, 100, "C0644 %zu %s\n", size, name);

    for (size_t i = 0; i < size; i++)
        all[(size_t)head + i] = (uint8_t)(i * 11 + i / 256);
    all[(size_t)head + size] = 0;
    *n = (size_t)head + size + 1;
    return all;
}

/* Config slots as people and editors leave them, uploaded by scp: what cannot let anybody in leaves the password of the boot in force. */
static void test_uploads_of_keys(void **state)
{
    enum { ROOM = 2 * PAGE - 72 }; /* docs/FLASH.md: half of four pages, less the trailer */
    struct dory_kit_key mine;
    char key[160], base64[128];
    static char large[ROOM + 2];
    struct {
        const char *text;
        size_t n; /* 0: strlen */
        bool lets_in;
    } files[] = {
        {"", 0, false},
        {"\n\r\n \t\n#\n", 0, false},
        {"not a key at all", 0, false},
        {"ssh-ed25519", 0, false},
        {"ssh-ed25519 ", 0, false},
        {"ssh-ed25519 ====", 0, false},
        {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", 0, false}, /* the type alone */
        {"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==", 0, false},
        {"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBA==", 0, false},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU=\n-----END OPENSSH PRIVATE KEY-----\n", 0, false},
        {"\xEF\xBB\xBF", 0, false}, /* a mark in front, as some editors write it, makes another word of the type */
        {"\0\0\0", 3, false},
        {key, 0, true},
        {key, 40, false}, /* cut short, at whole groups of base64 and else */
        {key, 78, false},
        {key, 79, false},
    };

    (void)state;
    dory_kit_key(&mine, 1);
    dory_base64_encode(base64, sizeof base64, mine.blob, mine.n, true);
    snprintf(key, sizeof key, "ssh-ed25519 %s", base64);
    CHECK_EQ(strlen(key), 80);
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
        size_t n = files[i].n ? files[i].n : strlen(files[i].text);
        static uint8_t all[256];
        int head = snprintf((char *)all, 64, "C0600 %zu keys\n", n);

        dory_kit_case("file %u", i);
        memcpy(all + head, files[i].text, n);
        all[(size_t)head + n] = 0;
        client_free(&client);
        client_start(&client, "admin", "scp -t authorized_keys");
        client.password = device.setup;
        client.input = all;
        client.input_n = (size_t)head + n + 1;
        client_run(&client);
        CHECK_EQ(client.status, 0);
        CHECK_EQ(run("version"), files[i].lets_in ? -2 : 0);
        client_free(&client);
        client_start(&client, "admin", "version");
        client.key = &mine;
        client_run(&client);
        CHECK_EQ(client.status, files[i].lets_in ? 0 : -2);
        CHECK_EQ(dory_flash_put(&device.flash, 2, NULL, 0), DORY_OK);
    }
    /* As large as fits, the key at its end; a byte more is refused, and what was there stays. */
    memset(large, '#', sizeof large);
    for (unsigned i = 100; i < ROOM; i += 100)
        large[i] = '\n';
    memcpy(large + ROOM - 81, "\n", 1);
    memcpy(large + ROOM - 80, key, 80);
    large[ROOM] = '\0';
    put_file("authorized_keys", large);
    CHECK_EQ(run("version"), -2);
    client_free(&client);
    client_start(&client, "admin", "scp -t authorized_keys");
    client.key = &mine;
    client.input = upload_of("x", ROOM + 1, &client.input_n);
    client_run(&client);
    CHECK_EQ(client.status, 1);
    CHECK_EQ(run("version"), -2);
}

/* ---- commands */

static void test_commands(void **state)
{
    (void)state;
    CHECK_EQ(run("help"), 0);
    CHECK(said("version") && said("(console only)"));
    CHECK_EQ(run("  slots  "), 0);
    CHECK(said("slot-a           running,active") && said("slot-b           empty") && !said("hostkey"));
    CHECK_EQ(run("stats"), 0);
    CHECK(said("logins"));
    CHECK_EQ(run("slow  two words "), 0);
    CHECK(said("slow two words\n"));
    CHECK_EQ(run("much"), 0);
    CHECK_EQ(client.out_n, DORY_DEVICE_OUTPUT - 1);
    CHECK_EQ(run("nothing x"), 127);
    CHECK_EQ(client.out_n, 0);
    CHECK(strstr(client.err, "nothing: no such command"));
    CHECK_EQ(run("forget"), 127); /* console only */
    CHECK_EQ(run(""), 127);
    CHECK_EQ(run("versionx"), 127);
    CHECK_EQ(run("activate slot-b"), 1);
    CHECK(strstr(client.err, "holds no image"));
    CHECK_EQ(run("activate nowhere"), 1);
    CHECK_EQ(run("activate log"), 1);
    CHECK_EQ(run("scp"), 127);
}

static void test_reboot(void **state)
{
    int root;

    (void)state;
    CHECK_EQ(run("reboot"), 0);
    CHECK(said("rebooting"));
    CHECK(!dory_device_has_room(&device));
    if (setjmp(board.reset) == 0)
        for (int i = 0; i < 1000; i++)
            device_turn();
    CHECK_EQ(board.resets, 1);
    root = start_device();
    CHECK_EQ(root, DORY_OK);
}

static void test_console(void **state)
{
    (void)state;
    put_file("password", "$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0$sVaWem31qy3rw+Ldi3plA/XzhMSNi9/XHnnD1Ytj05o");
    CHECK_EQ(run("version"), -2);
    board.typed = "versioM\x7fn\rbad\rforget\r";
    for (int i = 0; i < 1000; i++)
        device_turn();
    CHECK(strstr(board.console, "firmware 7"));
    CHECK(strstr(board.console, "no such command"));
    CHECK_EQ(run("version"), 0);
}

/* A line that does not fit is not run as far as it fits. */
static void test_a_long_line_on_the_console(void **state)
{
    enum { LINE = sizeof device.console.line };
    char typed[2 * LINE + 40];

    (void)state;
    memset(typed, ' ', sizeof typed);
    memcpy(typed, "slow", 4);
    strcpy(typed + LINE - 1, "x\rslow ");
    memset(typed + LINE + 6, 'y', 100);
    strcpy(typed + LINE + 106, "\r");
    board.typed = typed;
    slow_runs = 0;
    for (int i = 0; i < 1000; i++)
        device_turn();
    CHECK(strstr(board.console, "the line is too long"));
    CHECK(!strstr(board.console, "slow \r\n"));
    CHECK(strstr(board.console, "slow yyy"));
    CHECK_EQ(slow_runs, 3);
}

/* ---- scp */

static int upload(const char *command, const char *name, size_t size)
{
    client_free(&client);
    client_start(&client, "admin", command);
    client.password = device.setup;
    client.input = upload_of(name, size, &client.input_n);
    client_run(&client);
    return client.status;
}

static bool holds(const char *name, size_t size)
{
    struct dory_flash_status status;
    int slot = dory_flash_find(&device.flash, name), r;
    uint8_t b;

    while ((r = dory_flash_status(&device.flash, (unsigned)slot, &status)) == DORY_E_AGAIN) {
    }
    CHECK_EQ(r, DORY_OK);
    if (!status.valid || status.size != size)
        return false;
    for (uint32_t i = 0; i < size; i++)
        if (dory_flash_get(&device.flash, (unsigned)slot, i, &b, 1) != 1 || b != (uint8_t)(i * 11 + i / 256))
            return false;
    return true;
}

static int download(const char *command)
{
    static const uint8_t good[8] = {0};

    client_free(&client);
    client_start(&client, "admin", command);
    client.password = device.setup;
    client.input = good;
    client.input_n = 3;
    client_run(&client);
    return client.status;
}

static void test_scp(void **state)
{
    (void)state;
    CHECK_EQ(upload("scp -t slot-b", "fw.bin", 30000), 0);
    CHECK(holds("slot-b", 30000));
    CHECK_EQ(upload("scp -t -- ./slot-b", "fw.bin", 29999), 0);
    CHECK(holds("slot-b", 29999));
    CHECK_EQ(upload("scp -t slot-b", "fw.bin", 41000), 1); /* larger than the slot: refused before anything was touched */
    CHECK(holds("slot-b", 29999));
    CHECK_EQ(upload("scp -t slot-a", "fw.bin", 100), 1);
    CHECK_EQ(upload("scp -t log", "fw.bin", 100), 1);
    CHECK_EQ(upload("scp -t hostkey", "fw.bin", 32), 1);
    CHECK_EQ(upload("scp -t .", "slot-b", 100), 0);
    CHECK(holds("slot-b", 100));
    CHECK_EQ(upload("scp -t .", "other", 100), 1);
    CHECK_EQ(upload("scp -t slot-b", "empty", 0), 0);
    CHECK_EQ(run("activate slot-b"), 1); /* nothing would start */
    CHECK(strstr(client.err, "holds no image"));
    CHECK_EQ(upload("scp -t slot-b", "fw.bin", 100), 0);
    CHECK_EQ(download("scp -f slot-b"), 0);
    CHECK(strncmp((char *)client.out, "C0644 100 slot-b\n", 17) == 0);
    /* With a hash, that image and no other; sha256sum's words. */
    for (int i = 0; i < 3; i++) {
        struct dory_flash_status status;
        char command[128], hex[66];

        while (dory_flash_status(&device.flash, 1, &status) == DORY_E_AGAIN) {
        }
        for (int k = 0; k < 32; k++)
            snprintf(hex + 2 * k, 3, "%02x", status.sha256[k]);
        if (i == 0)
            hex[63] = (char)(hex[63] == '0' ? '1' : '0');
        if (i == 1)
            hex[62] = '\0';
        snprintf(command, sizeof command, "activate  slot-b  %s", hex);
        CHECK_EQ(run(command), i == 2 ? 0 : 1);
        CHECK(i == 2 || strstr(client.err, "SHA-256 is another"));
        CHECK_EQ(device.flash.chosen, i == 2 ? 1 : 0);
    }
    CHECK_EQ(run("activate slot-a"), 0);
    CHECK_EQ(run("activate slot-b"), 0);
    CHECK_EQ(upload("scp -t slot-b", "fw.bin", 100), 1);
    CHECK(strstr((char *)client.out + 1, "Permission denied")); /* behind the first reply */
}

static void test_the_log(void **state)
{
    (void)state;
    CHECK_EQ(upload("scp -t slot-b", "fw.bin", 3000), 0);
    CHECK_EQ(run("nothing"), 127);
    CHECK_EQ(download("scp -f log"), 0);
    CHECK(said("C0444 "));
    CHECK(said("first boot: a host key was made"));
    CHECK(said("10.0.0.1:1234: login of admin, password"));
    CHECK(said("10.0.0.1:1234: upload of slot-b, 3000 bytes: done"));
}

/* Words of others in a line neither begin another one nor command the terminal of who reads it; nor do they in what commands say. */
static void test_the_log_is_plain(void **state)
{
    (void)state;
    dory_device_log(&device, "pull: who\n[9] forged\x1b[2J\x07\xc2\x9b\x7f");
    CHECK(strstr(board.console, "\n[0] pull: who?[9] forged?[2J????\r\n"));
    CHECK_EQ(run("version"), 0); /* it reaches the flash meanwhile */
    CHECK_EQ(download("scp -f log"), 0);
    CHECK(said("\n[0] pull: who?[9] forged?[2J????"));
    CHECK_EQ(run("activate x\n\x1b[2J"), 1);
    CHECK(strstr(client.err, "activate: x??[2J: "));
    CHECK_EQ(run("\x1b]0;x\x07 y"), 127);
    CHECK(strstr(client.err, "?]0;x?: no such command"));
}

/* The door can be knocked at for days: the flash's pages are given up no faster than the budget says. */
static void test_the_log_bounds_wear(void **state)
{
    unsigned long before;

    (void)state;
    for (int i = 0; i < 50; i++) {
        dory_device_log(&device, "somebody knocks at the door, somebody knocks at the door, somebody");
        for (int k = 0; k < 20; k++)
            device_turn();
    }
    before = sim.erases;
    for (int i = 0; i < 2000; i++) {
        dory_device_log(&device, "somebody knocks at the door, somebody knocks at the door, somebody");
        board.now += 1800;
        for (int k = 0; k < 20; k++)
            device_turn();
    }
    /* 2000 lines of 80 bytes are 160 pages; an hour and a few pages in reserve are 10. */
    CHECK(sim.erases - before <= 12);
    CHECK(sim.erases - before >= 5);
    CHECK(device.log.lost > 1000);
}

/* ---- sessions */

static void test_cut_anywhere(void **state)
{
    static struct client c;

    (void)state;
    CHECK_EQ(upload("scp -t slot-b", "fw.bin", 5000), 0);
    for (unsigned turns = 1; turns < 400; turns += 3) {
        dory_kit_case("cut after %u turns", turns);
        client_start(&c, "admin", "scp -t authorized_keys");
        c.password = device.setup;
        c.input = upload_of("x", 1900, &c.input_n);
        client_connect(&c);
        for (unsigned i = 0; i < turns; i++) {
            client_turn(&c);
            device_turn();
        }
        c.wire.client_gone = true;
        for (int i = 0; i < 2000 && !c.wire.device_gone; i++)
            device_turn();
        CHECK(c.wire.device_gone);
        client_free(&c);
    }
    CHECK_EQ(upload("scp -t slot-b", "fw.bin", 30000), 0);
    CHECK(holds("slot-b", 30000));
}

/* One byte of a whole session is another, at every place in turn: the device says goodbye, drops what was half done, and serves the next. */
static void test_spoilt_bytes(void **state)
{
    static struct client c;
    uint64_t total;
    unsigned harmless = 0;
    uint8_t b;
    long r;

    (void)state;
    CHECK_EQ(upload("scp -t authorized_keys", "x", 1500), 0);
    CHECK_EQ(dory_flash_put(&device.flash, 2, NULL, 0), DORY_OK);
    total = client.wire.to_device.total;
    CHECK(total > 2000);
    for (uint64_t at = 1; at <= total; at += at < 400 ? 7 : 61) {
        dory_kit_case("byte %u", (unsigned)at);
        client_start(&c, "admin", "scp -t authorized_keys");
        c.password = device.setup;
        c.input = upload_of("x", 1500, &c.input_n);
        c.spoil_at = at;
        client_connect(&c);
        for (int turn = 0; turn < 3000 && !c.wire.device_gone; turn++) {
            client_turn(&c);
            device_turn();
            if (turn == 1500)
                c.wire.client_gone = true;
        }
        for (int i = 0; i < 2000 && !c.wire.device_gone; i++)
            device_turn();
        CHECK(c.wire.device_gone);
        while ((r = dory_flash_get(&device.flash, 2, 0, &b, 1)) == DORY_E_AGAIN) {
        }
        if (r == 1) { /* padding of a packet before the keys, which nobody can tell, or what came behind the upload */
            CHECK(at < 600 ? ++harmless < 10 : at + 300 > total);
            CHECK_EQ(dory_flash_put(&device.flash, 2, NULL, 0), DORY_OK);
        } else {
            CHECK_EQ(r, DORY_E_NOENT);
        }
        client_free(&c);
    }
    CHECK_EQ(upload("scp -t authorized_keys", "x", 1500), 0);
}

static void test_noise(void **state)
{
    static struct wire noise;
    uint8_t byte[64];

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        memset(&noise, 0, sizeof noise);
        noise.send_max = 4096;
        if (i % 2)
            dory_pipe_put(&noise.to_device, "SSH-2.0-x\r\n", 11);
        CHECK(dory_device_accept(&device, &wire_ops, &noise));
        for (unsigned turn = 0; turn < 100 && !noise.device_gone; turn++) {
            for (size_t k = 0; k < sizeof byte; k++)
                byte[k] = (uint8_t)dory_kit_random(&board.rng, i % 3 ? 256 : 8);
            dory_pipe_put(&noise.to_device, byte, sizeof byte);
            device_turn();
        }
        noise.client_gone = true;
        for (int k = 0; k < 3000 && !noise.device_gone; k++)
            device_turn();
        CHECK(noise.device_gone);
        dory_pipe_free(&noise.to_device);
        dory_pipe_free(&noise.to_client);
    }
    CHECK_EQ(run("version"), 0);
}

static void test_two_at_once_and_no_third(void **state)
{
    static struct client more[DORY_DEVICE_SESSIONS + 1];
    bool moved = true;

    (void)state;
    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++) {
        client_start(&more[i], "admin", i ? "scp -t authorized_keys" : "scp -t slot-b");
        more[i].password = device.setup;
        more[i].input = upload_of("x", 1500, &more[i].input_n);
        client_connect(&more[i]);
    }
    CHECK(!dory_device_has_room(&device));
    CHECK(!dory_device_accept(&device, &wire_ops, &more[DORY_DEVICE_SESSIONS].wire));
    for (int turn = 0; turn < 20000 && moved; turn++) {
        moved = false;
        for (int i = 0; i < DORY_DEVICE_SESSIONS; i++) {
            client_turn(&more[i]);
            moved |= !more[i].wire.device_gone;
        }
        device_turn();
    }
    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++) {
        CHECK_EQ(more[i].status, 0);
        client_free(&more[i]);
    }
    CHECK(holds("slot-b", 1500) && holds("authorized_keys", 1500));
    CHECK_EQ(device.sessions_most, DORY_DEVICE_SESSIONS);
}

/* Connections that never log in do not keep others out. */
static void test_the_idle_give_way(void **state)
{
    static struct client idle[DORY_DEVICE_SESSIONS];

    (void)state;
    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++) {
        client_start(&idle[i], "admin", NULL);
        client_connect(&idle[i]);
        device_turn();
    }
    board.now = device.sessions[0].started + DORY_DEVICE_EVICT_MS - 1;
    device.now = board.now;
    CHECK(!dory_device_has_room(&device));
    board.now++;
    device_turn();
    CHECK(dory_device_has_room(&device));
    CHECK_EQ(run("version"), 0);
    CHECK(idle[0].wire.device_gone); /* the oldest */
    CHECK(strstr(board.console, "no login: gave way"));
    for (int i = 1; i < DORY_DEVICE_SESSIONS; i++)
        CHECK(!idle[i].wire.device_gone);
    board.now += 120000; /* the grace time of the others is over */
    for (int i = 0; i < 1000; i++)
        device_turn();
    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++) {
        CHECK(idle[i].wire.device_gone);
        client_free(&idle[i]);
    }
}

/* Whoever has logged in stays, however many knock and however long it takes. */
static void test_a_login_keeps_its_seat(void **state)
{
    static struct client busy[DORY_DEVICE_SESSIONS];

    (void)state;
    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++) {
        client_start(&busy[i], "admin", NULL);
        busy[i].password = device.setup;
        client_connect(&busy[i]);
        for (int turn = 0; turn < 2000 && !device.sessions[i].authenticated; turn++) {
            client_turn(&busy[i]);
            device_turn();
        }
        CHECK(device.sessions[i].authenticated);
    }
    board.now += 2 * DORY_DEVICE_EVICT_MS;
    device_turn();
    CHECK(!dory_device_has_room(&device));
    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++)
        CHECK(!busy[i].wire.device_gone);
    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++)
        busy[i].wire.client_gone = true;
    for (int i = 0; i < 1000; i++)
        device_turn();
    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++)
        client_free(&busy[i]);
}

/* Who is thrown out in the middle of a check leaves nothing of it to who comes in his place. */
static void test_the_seat_is_clean(void **state)
{
    static struct client gone[DORY_DEVICE_SESSIONS];

    (void)state;
    put_file("password", "$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0$sVaWem31qy3rw+Ldi3plA/XzhMSNi9/XHnnD1Ytj05o");
    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++) {
        client_start(&gone[i], "admin", "version");
        gone[i].password = "secret";
        client_connect(&gone[i]);
        for (int turn = 0; turn < 30 && !device.password.owner; turn++) {
            client_turn(&gone[i]);
            device_turn();
        }
    }
    CHECK(device.password.owner == &device.sessions[0]);
    board.now += DORY_DEVICE_EVICT_MS;
    device_turn();
    CHECK_EQ(run_with("admin", "wrong", "version"), -2);
    CHECK_EQ(device.logins, 0);
    CHECK_EQ(run_with("admin", "secret", "version"), 0);
    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++)
        gone[i].wire.client_gone = true;
    for (int i = 0; i < 1000; i++)
        device_turn();
    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++)
        client_free(&gone[i]);
}

static void test_one_byte_at_a_time(void **state)
{
    (void)state;
    client_free(&client);
    client_start(&client, "admin", "slots");
    client.password = device.setup;
    client.read_max = 1;
    client.wire.send_max = 1;
    client_run(&client);
    CHECK_EQ(client.status, 0);
    CHECK(said("slot-b"));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_first_boot_and_the_next), T(test_first_boot_cut_anywhere), T(test_no_entropy_no_start), T(test_flash_that_fails_no_start), T(test_logins),
        T(test_lines_of_authorized_keys), T(test_password_file), T(test_bad_password_files), T(test_unknown_users_cost_the_same), T(test_a_password_left_in_the_middle), T(test_guesses_leave_half_the_time), T(test_uploads_of_keys), T(test_commands), T(test_reboot), T(test_console), T(test_a_long_line_on_the_console), T(test_scp), T(test_the_log), T(test_the_log_is_plain),
        T(test_the_log_bounds_wear), T(test_cut_anywhere), T(test_spoilt_bytes), T(test_noise), T(test_two_at_once_and_no_third), T(test_the_idle_give_way), T(test_a_login_keeps_its_seat), T(test_the_seat_is_clean), T(test_one_byte_at_a_time)};
    int failed = cmocka_run_group_tests_name("device", tests, NULL, NULL);

    client_free(&client);
    return failed;
}
