#include "pull_board.h"

#include <string.h>

#include "dory_board.h"
#include "platform/lwip/dory_lwip.h"
#include "pull.h"

static struct dory_pull pull;
static struct dory_pull_config config;

static void *connect(void *ctx, const uint8_t address[4], uint16_t port)
{
    (void)ctx;
    return dory_lwip_connect(address, port);
}

/* How a pull goes belongs to the log; the public key only to the person at the console. */
static void say(void *ctx, const struct dory_text *line)
{
    if (strncmp(line->p, "pull: ", 6) == 0) {
        dory_device_log(ctx, line->p);
        return;
    }
    dory_board_put(line->p, line->n);
    dory_board_put("\r\n", 2);
}

static void set_up(struct dory_device *device)
{
    const struct dory_device_config *given = device->config;

    config = (struct dory_pull_config){
        .flash = &device->flash,
        .rng = device->rng,
        .kex = given->kex,
        .ciphers = given->ciphers,
        .macs = given->macs,
        .signatures = given->signatures,
        .connect = connect,
        .ops = &dory_conn_lwip,
        .say = say,
        .ctx = device,
        .comment = dory_board_name,
    };
    dory_pull_init(&pull, &config);
}

uint32_t dory_pull_board_turn(struct dory_device *device, uint64_t now_ms)
{
    static bool begun;
    char args[DORY_COMMAND_MAX];

    if (!config.flash)
        set_up(device);
    if (!begun && (!dory_pull_at_boot(args) || dory_pull_start(&pull, args) != DORY_E_AGAIN))
        begun = true;
    return dory_pull_turn(&pull, now_ms);
}

static int run(struct dory_device *device, const char *args, struct dory_text *out)
{
    (void)device;
    return dory_pull_run(&pull, args, out);
}

const struct dory_device_command dory_pull_board_run = {
    .name = "pull", .help = "[-P PORT] USER@ADDRESS:PATH SLOT: fetches a file from a host that known_hosts knows", .run = run};

static int pubkey(struct dory_device *device, const char *args, struct dory_text *out)
{
    (void)device;
    return dory_pull_pubkey(&pull, args, out);
}

const struct dory_device_command dory_pull_board_pubkey = {
    .name = "pubkey", .help = "the key that pull shows, for authorized_keys of that host", .run = pubkey};
