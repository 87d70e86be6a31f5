/* The firmware in 64 KiB: scp up and down, two slots of an image, a host key made at the first boot, keys in a slot. The first key is set with the
   password that each boot prints until then. No passwords, no log but the UART's lines, and nobody types there: who loses the last key
   programs the flash anew. */
#include "dory_board.h"
#include "dory_device.h"
#include "platform/lwip/dory_lwip.h"

static const struct dory_flash_slot slots[] = {
    {.name = "slot-a", .kind = DORY_FLASH_FIRMWARE, .first = 8, .pages = 118},
    {.name = "slot-b", .kind = DORY_FLASH_FIRMWARE, .first = 126, .pages = 118},
    {.name = "authorized_keys", .kind = DORY_FLASH_CONFIG, .first = 244, .pages = 6},
    {.name = "hostkey", .kind = DORY_FLASH_CONFIG, .first = 252, .pages = 2, .hidden = true},
    {.name = "boot", .kind = DORY_FLASH_CONFIG, .first = 254, .pages = 2, .hidden = true},
};

static const struct dory_device_command commands[] = {
    {.name = "help", .help = "this list", .run = dory_device_help},
    {.name = "version", .help = "what runs here", .run = dory_device_version},
    {.name = "slots", .help = "what the flash holds", .run = dory_device_slots},
    {.name = "activate", .help = "SLOT: the firmware to boot next", .run = dory_device_activate},
    {.name = "reboot", .help = "starts again", .run = dory_device_reboot},
    {0},
};

static const struct dory_kex *const kex[] = {&dory_kex_curve25519_sha256, &dory_kex_curve25519_sha256_libssh, NULL};
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
    .kex = kex,
    .ciphers = ciphers,
    .macs = macs,
    .signatures = signatures,
};

static struct dory_device device;

int main(void)
{
    dory_device_run(&device, &config);
}
