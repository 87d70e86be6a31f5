/* The firmware: what the server offers on this board. Flash: 64 KiB for a boot loader, two slots of an image, the small ones. */
#include "dory_board.h"
#include "dory_device.h"
#include "platform/lwip/dory_lwip.h"
#include "pull_board.h"

static const struct dory_flash_slot slots[] = {
    {.name = "slot-a", .kind = DORY_FLASH_FIRMWARE, .first = 16, .pages = 104},
    {.name = "slot-b", .kind = DORY_FLASH_FIRMWARE, .first = 120, .pages = 104},
    {.name = "authorized_keys", .kind = DORY_FLASH_CONFIG, .first = 224, .pages = 4},
    {.name = "password", .kind = DORY_FLASH_CONFIG, .first = 228, .pages = 2},
    {.name = "known_hosts", .kind = DORY_FLASH_CONFIG, .first = 230, .pages = 2},
    {.name = "log", .kind = DORY_FLASH_LOG, .first = 232, .pages = 8},
    {.name = "userkey", .kind = DORY_FLASH_CONFIG, .first = 250, .pages = 2, .hidden = true},
    {.name = "hostkey", .kind = DORY_FLASH_CONFIG, .first = 252, .pages = 2, .hidden = true},
    {.name = "boot", .kind = DORY_FLASH_CONFIG, .first = 254, .pages = 2, .hidden = true},
};

static const struct dory_device_command commands[] = {
    {.name = "help", .help = "this list", .run = dory_device_help},
    {.name = "version", .help = "what runs here", .run = dory_device_version},
    {.name = "slots", .help = "what the flash holds", .run = dory_device_slots},
    {.name = "stats", .help = "sessions, memory, stack", .run = dory_device_stats},
    {.name = "pools", .help = "high-water marks of the network's memory", .run = dory_device_pools},
    {.name = "activate", .help = "SLOT: the firmware to boot next", .run = dory_device_activate},
    {.name = "pull", .help = "[-P PORT] USER@ADDRESS:PATH SLOT: fetches a file from a host that known_hosts knows", .run = dory_pull_board_run},
    {.name = "pubkey", .help = "the key that pull shows, for authorized_keys of that host", .run = dory_pull_board_pubkey},
    {.name = "reboot", .help = "starts again", .run = dory_device_reboot},
    {.name = "forget", .help = "removes keys and password", .run = dory_device_forget, .console = true},
    {0},
};

static const struct dory_kex *const kex[] = {&dory_kex_mlkem768x25519_sha256, &dory_kex_curve25519_sha256, &dory_kex_curve25519_sha256_libssh, NULL};
static const struct dory_cipher *const ciphers[] = {&dory_cipher_chacha20_poly1305, NULL};
static const struct dory_mac *const macs[] = {NULL};
static const struct dory_sigalg *const signatures[] = {&dory_sig_ssh_ed25519, NULL};

static const struct dory_lwip_config net = {.address = {10, 0, 2, 15}, .mask = {255, 255, 255, 0}, .gateway = {10, 0, 2, 2}};

static const struct dory_device_config config = {
    .user = "user",
    .version = "1.0",
    .net = &net,
    .flash = &dory_board_flash,
    .slots = slots,
    .slot_count = sizeof slots / sizeof *slots,
    .running = "slot-a",
    .commands = commands,
    .passwords = &dory_device_passwords,
    .log = &dory_device_log_flash,
    .console = dory_device_console,
    .subsystem = &dory_device_sftp,
    .kex = kex,
    .ciphers = ciphers,
    .macs = macs,
    .signatures = signatures,
    .turn = dory_pull_board_turn,
};

static struct dory_device device;

int main(void)
{
    dory_device_run(&device, &config);
}
