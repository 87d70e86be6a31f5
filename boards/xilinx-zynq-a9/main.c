/* The firmware: what the server offers on this board, and the client that fetches. Flash: 16 KiB for a boot loader, two slots of an image,
   the small ones. */
#include "dory_algorithms.h"
#include "dory_board.h"
#include "dory_device.h"
#include "platform/emulated/emulated_net.h"
#include "pull_board.h"

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

static struct dory_device device;

static const struct dory_device_command *const commands[] = {&dory_device_help,
                                                             &dory_device_version,
                                                             &dory_device_slots,
                                                             &dory_device_stats,
                                                             &dory_device_pools,
                                                             &dory_device_activate,
                                                             &dory_pull_board_run,
                                                             &dory_pull_board_pubkey,
                                                             &dory_device_reboot,
                                                             &dory_device_forget,
                                                             NULL};

static const struct dory_device_config config = {
    .user = "user",
    .version = "1.0",
    .net = &dory_emulated_net,
    .flash = &dory_board_flash,
    .slots = slots,
    .slot_count = sizeof slots / sizeof *slots,
    .running = "slot-a",
    .commands = commands,
    .passwords = &dory_device_passwords,
    .log = &dory_device_log_flash,
    .console = dory_device_console,
    .subsystem = &dory_device_sftp,
    .kex = dory_device_kex_hybrid,
    .ciphers = dory_device_ciphers,
    .macs = dory_device_macs,
    .signatures = dory_device_signatures,
    .turn = dory_pull_board_turn,
};

int main(void)
{
    dory_device_run(&device, &config);
}
