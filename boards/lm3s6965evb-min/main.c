/* The firmware in 64 KiB: scp up and down, two slots of an image, a host key made at the first boot, keys in a slot. The first key is set with the
   password that each boot prints until then. No passwords, no log but the UART's lines, and nobody types there: who loses the last key
   programs the flash anew. */
#include "dory_algorithms.h"
#include "dory_board.h"
#include "dory_device.h"
#include "platform/emulated/emulated_net.h"

static const struct dory_flash_slot slots[] = {
    {.name = "slot-a", .kind = DORY_FLASH_FIRMWARE, .first = 8, .pages = 118},
    {.name = "slot-b", .kind = DORY_FLASH_FIRMWARE, .first = 126, .pages = 118},
    {.name = "authorized_keys", .kind = DORY_FLASH_CONFIG, .first = 244, .pages = 6},
    {.name = "hostkey", .kind = DORY_FLASH_CONFIG, .first = 252, .pages = 2, .hidden = true},
    {.name = "boot", .kind = DORY_FLASH_CONFIG, .first = 254, .pages = 2, .hidden = true},
};

static const struct dory_device_command *const commands[] = {
    &dory_device_help, &dory_device_version, &dory_device_slots, &dory_device_activate, &dory_device_reboot, NULL};

static const struct dory_device_config config = {
    .user = "user",
    .version = "1.0",
    .net = &dory_emulated_net,
    .flash = &dory_board_flash,
    .slots = slots,
    .slot_count = sizeof slots / sizeof *slots,
    .running = "slot-a",
    .commands = commands,
    .kex = dory_device_kex_classic,
    .ciphers = dory_device_ciphers,
    .macs = dory_device_macs,
    .signatures = dory_device_signatures,
};

static struct dory_device device;

int main(void)
{
    dory_device_run(&device, &config);
}
