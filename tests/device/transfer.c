/* A client and a server in one image, over a wire of bytes in memory: key exchange, login by key, and a file up and down again. */
#include <string.h>

#include "device.h"
#include "dory_ram_fs.h"
#include "session.h"

enum { SIZE = 100 * 1000, NODES = 4, BLOCKS = 2 * SIZE / DORY_RAM_BLOCK, TURNS = 20000 };

static struct session server;
static struct dory_ram_fs ram;
static struct dory_ram_node nodes[NODES];
static struct dory_ram_block blocks[BLOCKS];
static uint8_t content[SIZE], back[SIZE];

static struct dory_ssh ssh; /* the client */
static struct dory_ssh_config config;
static struct dory_channel channel;
static uint8_t rx[SESSION_RX], tx[SESSION_TX], user_blob[64];
static struct dory_key hostkey, userkey;
static uint8_t counter;

static int fill_test(void *ctx, uint8_t *out, size_t n) /* never in a product: a test wants the same bytes every time */
{
    for (uint8_t *c = ctx; n-- > 0; out++) *out = (*c)++;
    return DORY_OK;
}

static void move(struct dory_ssh *from, struct dory_ssh *to)
{
    size_t have, room;
    const uint8_t *out;
    uint8_t *in;

    while ((out = dory_ssh_sendpkt_buf(from, &have)) != NULL && have > 0 && (in = dory_ssh_recvpkt_buf(to, &room)) != NULL && room > 0) {
        if (have > room) have = room;
        memcpy(in, out, have);
        dory_ssh_recvpkt_ack(to, have);
        dory_ssh_sendpkt_ack(from, have);
    }
}

static void answer(const struct dory_event *event)
{
    uint8_t blob[128];
    int n;

    switch (event->type) {
    case DORY_EV_HOSTKEY:
        if (event->key_n == server.hostkey.n && memcmp(event->key, server.hostkey_blob, event->key_n) == 0)
            dory_ssh_accept(&ssh);
        else
            dory_ssh_refuse(&ssh);
        break;
    case DORY_EV_AUTH:
        dory_ssh_auth_publickey(&ssh, "ssh-ed25519", user_blob, server.user_key_n, false);
        break;
    case DORY_EV_SIGN:
        n = userkey.type->sign(&userkey, event->algorithm, event->data, event->n, blob, sizeof blob, &config.rng);
        dory_ssh_sign(&ssh, blob, (size_t)n);
        break;
    default:
        dory_ssh_accept(&ssh);
    }
}

static void turn(void)
{
    struct dory_event event;

    move(&ssh, &server.ssh);
    session_turn(&server, 1);
    move(&server.ssh, &ssh);
    while (dory_ssh_event(&ssh, &event) != DORY_EV_NONE) answer(&event);
}

/* Runs `command`, gives it in[0..in_n) and takes what it says into out; the exit status, or -1. With `after`, byte i goes once after[i]
   bytes have come. */
static int run(const char *command, const uint8_t *in, size_t in_n, const size_t *after, uint8_t *out, size_t cap, size_t *out_n)
{
    int ch = dory_ssh_channel_open(&ssh, DORY_REQUEST_EXEC, command, strlen(command)), from, status;
    bool told = false;
    uint32_t extended;
    size_t n;

    *out_n = 0;
    for (int i = 0; ch >= 0 && i < TURNS && !(dory_ssh_channel_state(&ssh, ch) & DORY_CH_CLOSED); i++) {
        const uint8_t *data;
        uint8_t *room;
        turn();
        while ((data = dory_ssh_recvdata_buf(&ssh, &from, &extended, &n)) != NULL && n > 0) {
            if (n <= cap - *out_n) memcpy(out + *out_n, data, n);
            *out_n += n <= cap - *out_n ? n : 0;
            dory_ssh_recvdata_ack(&ssh, n);
        }
        if (!(dory_ssh_channel_state(&ssh, ch) & DORY_CH_STARTED)) continue;
        while (in_n > 0 && (!after || *out_n >= *after) && (room = dory_ssh_senddata_buf(&ssh, ch, 0, &n)) != NULL && n > 0) {
            if (n > in_n) n = in_n;
            if (after) n = 1, after++;
            memcpy(room, in, n);
            dory_ssh_senddata_ack(&ssh, n);
            in += n;
            in_n -= n;
            move(&ssh, &server.ssh);
        }
        if (in_n == 0 && !told) told = dory_ssh_channel_eof(&ssh, ch) == DORY_OK;
    }
    status = ch >= 0 ? dory_ssh_channel_status(&ssh, ch) : -1;
    if (ch >= 0) dory_ssh_channel_release(&ssh, ch);
    turn(); /* the server has one channel and must learn that it is free */
    return status;
}

static unsigned failures;

static void verdict(bool good, const char *name)
{
    device_print(good ? "ok - " : "not ok - ");
    device_print(name);
    device_print("\n");
    failures += !good;
}

static void cost(const char *name, uint32_t start)
{
    uint32_t instructions = device_instructions() - start;

    device_print("# ");
    device_print(name);
    device_print(": ");
    device_print_number(instructions);
    device_print(" instructions\n");
}

static bool log_in(void)
{
    static const uint8_t seeds[2][32] = {{1}, {2}};
    const struct dory_rng rng = {fill_test, &counter};
    int n;

    if (dory_crypto_init() != DORY_OK) return false;
    dory_ed25519_from_seed(&hostkey, seeds[0]);
    dory_ed25519_from_seed(&userkey, seeds[1]);
    n = userkey.type->public_blob(&userkey, user_blob, sizeof user_blob);
    if (session_start(&server, &ram.fs, &rng, &hostkey, user_blob, (size_t)n) != DORY_OK) return false;
    config = server.config;
    config.role = &dory_ssh_client;
    config.software = "Dory_client";
    config.user = "user";
    config.rx = rx;
    config.tx = tx;
    config.channels = &channel;
    if (dory_ssh_init(&ssh, &config, 0) != DORY_OK) return false;
    for (int i = 0; i < TURNS && !(dory_ssh_state(&ssh) & (DORY_READY | DORY_DONE)); i++) turn();
    return (dory_ssh_state(&ssh) & DORY_READY) != 0;
}

int main(void)
{
    static const char head[] = "C0644 100000 file\n";
    static uint8_t record[sizeof head - 1 + SIZE + 1], got[sizeof head + SIZE + 8];
    static const size_t steps[] = {0, sizeof head - 1, sizeof head - 1 + SIZE + 1};
    uint32_t start;
    size_t n;
    int status, node;

    dory_ram_init(&ram, nodes, NODES, blocks, BLOCKS);
    for (uint32_t i = 0, x = 1; i < SIZE; i++, x = x * 1664525u + 1013904223u) content[i] = (uint8_t)(x >> 24);
    memcpy(record, head, sizeof head - 1);
    memcpy(record + sizeof head - 1, content, SIZE);

    start = device_instructions();
    verdict(log_in(), "key exchange and login by key");
    cost("key exchange and login, both sides", start);
    if (failures) {
        device_print(dory_ssh_error_text(&ssh));
        device_print("\n");
        return 1;
    }

    start = device_instructions();
    status = run("scp -t file", record, sizeof record, NULL, got, sizeof got, &n);
    cost("100,000 bytes up, both sides", start);
    node = dory_ram_find(&ram, "file");
    verdict(status == 0 && n == 3 && node >= 0 && dory_ram_content(&ram, node, 0, back, SIZE) == SIZE && memcmp(back, content, SIZE) == 0,
            "a file arrives and is committed");

    status = run("sh -c id", NULL, 0, NULL, got, sizeof got, &n);
    verdict(status == -1 && n == 0, "another command is refused");

    start = device_instructions();
    status = run("scp -f file", (const uint8_t *)"\0\0\0", 3, steps, got, sizeof got, &n);
    cost("100,000 bytes down, both sides", start);
    verdict(status == 0 && n == sizeof head - 1 + SIZE + 1 && memcmp(got + sizeof head - 1, content, SIZE) == 0, "and comes back");

    status = run("scp -t file", (const uint8_t *)"C0644 5 file\nab", 15, NULL, got, sizeof got, &n);
    verdict(status > 0 && dory_ram_content(&ram, dory_ram_find(&ram, "file"), 0, back, SIZE) == SIZE && memcmp(back, content, SIZE) == 0,
            "an upload that is cut leaves the old file");
    session_end(&server);
    return failures ? 1 : 0;
}
