/* The firmware: what the server offers on this board, and the client that fetches. Flash: 16 KiB for a boot loader, two slots of an image,
   the small ones. */
#include <string.h>

#include "dory_board.h"
#include "dory_device.h"
#include "platform/emulated/emulated.h"
#include "platform/lwip/dory_lwip.h"
#include "pull.h"

static const struct dory_flash_slot slots[] = {
    {.name = "slot-a", .kind = DORY_FLASH_FIRMWARE, .first = 4, .pages = 112},
    {.name = "slot-b", .kind = DORY_FLASH_FIRMWARE, .first = 116, .pages = 112},
    {.name = "authorized_keys", .kind = DORY_FLASH_CONFIG, .first = 228, .pages = 2},
    {.name = "password", .kind = DORY_FLASH_CONFIG, .first = 230, .pages = 2},
    {.name = "known_hosts", .kind = DORY_FLASH_CONFIG, .first = 232, .pages = 2},
    {.name = "log", .kind = DORY_FLASH_LOG, .first = 234, .pages = 8},
    {.name = "hostkey", .kind = DORY_FLASH_CONFIG, .first = 250, .pages = 2, .hidden = true},
    {.name = "userkey", .kind = DORY_FLASH_CONFIG, .first = 252, .pages = 2, .hidden = true},
    {.name = "boot", .kind = DORY_FLASH_CONFIG, .first = 254, .pages = 2, .hidden = true},
};

static const struct dory_kex *const kex[] = {&dory_kex_mlkem768x25519_sha256, &dory_kex_curve25519_sha256, &dory_kex_curve25519_sha256_libssh,
                                             NULL};
static const struct dory_cipher *const ciphers[] = {&dory_cipher_chacha20_poly1305, NULL};
static const struct dory_mac *const macs[] = {NULL};
static const struct dory_sigalg *const signatures[] = {&dory_sig_ssh_ed25519, NULL};

static const struct dory_lwip_config net = {.address = {10, 0, 2, 15}, .mask = {255, 255, 255, 0}, .gateway = {10, 0, 2, 2}};

static struct dory_device device;
static struct dory_pull pull;

/* ---- the client */

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
    dory_board_put("\n", 1);
}

/* For an emulator: an argument pull=user@10.0.2.2:fw.bin,slot-b begins one at boot. */
static bool at_boot(char args[DORY_COMMAND_MAX])
{
    if (!dory_host_argument("pull", args, DORY_COMMAND_MAX))
        return false;
    for (char *p = args; *p; p++)
        if (*p == ',')
            *p = ' ';
    return true;
}

static uint32_t turn(struct dory_device *d, uint64_t now_ms)
{
    static struct dory_pull_config config = {
        .kex = kex,
        .ciphers = ciphers,
        .macs = macs,
        .signatures = signatures,
        .connect = connect,
        .ops = &dory_conn_lwip,
        .say = say,
        .comment = dory_board_name,
    };
    static bool begun;
    char args[DORY_COMMAND_MAX];

    if (!config.flash) {
        config.flash = &d->flash;
        config.rng = d->rng;
        config.ctx = d;
        dory_pull_init(&pull, &config);
    }
    if (!begun && (!at_boot(args) || dory_pull_start(&pull, args) != DORY_E_AGAIN))
        begun = true;
    return dory_pull_turn(&pull, now_ms);
}

static int run_pull(struct dory_device *d, const char *args, struct dory_text *out)
{
    (void)d;
    return dory_pull_run(&pull, args, out);
}

static int run_pubkey(struct dory_device *d, const char *args, struct dory_text *out)
{
    (void)d;
    return dory_pull_pubkey(&pull, args, out);
}

/* ---- the server */

static const struct dory_device_command commands[] = {
    {.name = "help", .help = "this list", .run = dory_device_help},
    {.name = "version", .help = "what runs here", .run = dory_device_version},
    {.name = "slots", .help = "what the flash holds", .run = dory_device_slots},
    {.name = "stats", .help = "sessions, memory, stack", .run = dory_device_stats},
    {.name = "pools", .help = "high-water marks of the network's memory", .run = dory_device_pools},
    {.name = "activate", .help = "SLOT: the firmware to boot next", .run = dory_device_activate},
    {.name = "pull", .help = "[-P PORT] USER@ADDRESS:PATH SLOT: fetches a file from a host that known_hosts knows", .run = run_pull},
    {.name = "pubkey", .help = "the key that pull shows, for authorized_keys of that host", .run = run_pubkey},
    {.name = "reboot", .help = "starts again", .run = dory_device_reboot},
    {.name = "forget", .help = "removes keys and password", .run = dory_device_forget, .console = true},
    {0},
};

static const struct dory_device_config config = {
    .user = "user",
    .version = "1.0",
    .net = &net,
    .flash = &dory_board_flash,
    .slots = slots,
    .slot_count = sizeof slots / sizeof *slots,
    .running = "slot-a",
    .commands = commands,
    .subsystem = &dory_device_sftp,
    .kex = kex,
    .ciphers = ciphers,
    .macs = macs,
    .signatures = signatures,
    .turn = turn,
};

int main(void)
{
    dory_device_run(&device, &config);
}
