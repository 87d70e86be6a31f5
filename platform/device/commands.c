/* The registry of commands, and those that every board has. */
#include <string.h>

#include "device_internal.h"

enum { REBOOT_MS = 300 };

const struct dory_device_command *dory_i_device_command(const struct dory_device *device, const char *line, bool console, const char **args)
{
    size_t n;

    line += strspn(line, " \t");
    n = strcspn(line, " \t");
    *args = line + n + strspn(line + n, " \t");
    for (const struct dory_device_command *const *c = device->config->commands; *c; c++)
        if (strlen((*c)->name) == n && memcmp((*c)->name, line, n) == 0 && (console || !(*c)->console))
            return *c;
    return NULL;
}

static int help(struct dory_device *device, const char *args, struct dory_text *out)
{
    (void)args;
    for (const struct dory_device_command *const *c = device->config->commands; *c; c++) {
        dory_text_say(out, "%s%t%s%s\n", (*c)->name, 16u, (*c)->help, (*c)->console ? " (console only)" : "");
    }
    return 0;
}

const struct dory_device_command dory_device_help = {.name = "help", .help = "this list", .run = help};

static int version(struct dory_device *device, const char *args, struct dory_text *out)
{
    (void)args;
    dory_text_say(out, DEVICE_SOFTWARE " on %s, firmware %s\n%s", dory_board_name, device->config->version,
                  dory_board_emulated ? "The entropy is emulated: not for real use\n" : "");
    return 0;
}

const struct dory_device_command dory_device_version = {.name = "version", .help = "what runs here", .run = version};

/* NAME STATE SIZE ROOM HASH, a line a slot */
static int list_slots(struct dory_device *device, const char *args, struct dory_text *out)
{
    const struct dory_flash_slot *slots = device->config->slots;
    struct dory_flash_status status;
    int r;

    (void)args;
    for (unsigned i = 0; i < device->config->slot_count; i++) {
        if (slots[i].hidden)
            continue;
        r = dory_flash_status(&device->flash, i, &status);
        if (r == DORY_E_AGAIN)
            return r;
        dory_text_say(out, "%s%t%s%s%t%u of %u", slots[i].name, 17u, status.running ? "running" : status.valid ? "valid" : "empty",
                      status.chosen ? ",active" : "", 33u, status.size, status.room);
        if (status.valid && slots[i].kind != DORY_FLASH_LOG)
            dory_text_say(out, "%t%h", 52u, status.sha256, slots[i].kind == DORY_FLASH_FIRMWARE ? (size_t)32 : (size_t)4);
        dory_text_put(out, "\n");
    }
    return 0;
}

const struct dory_device_command dory_device_slots = {.name = "slots", .help = "what the flash holds", .run = list_slots};

static uint32_t stack_used(void)
{
    const uint32_t *p = dory_board_stack;

    while (p < dory_board_stack_end && *p == DORY_BOARD_PAINT)
        p++;
    return (uint32_t)((size_t)(dory_board_stack_end - p) * sizeof *p);
}

static int stats(struct dory_device *device, const char *args, struct dory_text *out)
{
    static const char *const names[] = {"seconds", "sessions", "sessions most", "sessions possible", "session bytes", "connections", "logins",
                                        "transfers", "log lines lost", "stack bytes", "stack used"};
    const uint32_t counts[] = {dory_i_device_seconds(device), dory_i_device_live(device), device->sessions_most, DORY_DEVICE_SESSIONS,
                               sizeof(struct dory_device_session), device->connections, device->logins, device->transfers, device->log.lost,
                               (uint32_t)((size_t)(dory_board_stack_end - dory_board_stack) * sizeof *dory_board_stack), stack_used()};

    (void)args;
    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++) {
        dory_text_say(out, "%s%t%u\n", names[i], 24u, counts[i]);
    }
    return 0;
}

const struct dory_device_command dory_device_stats = {.name = "stats", .help = "sessions, memory, stack", .run = stats};

static const char *why_not(int error)
{
    switch (error) {
    case DORY_E_NOENT: return "holds no image";
    case DORY_E_CRYPTO: return "the image is damaged";
    case DORY_E_ARG: return "not a firmware slot";
    case DORY_E_STATE: return "it is in use";
    default: return dory_strerror(error);
    }
}

/* 1: `hex` is the SHA-256 of the slot's content. 0: it is not. DORY_E_AGAIN. */
static int has_hash(struct dory_device *device, unsigned slot, const char *hex)
{
    struct dory_flash_status status;
    struct dory_text text;
    char digits[65];
    int r = dory_flash_status(&device->flash, slot, &status);

    if (r)
        return r == DORY_E_AGAIN ? r : 0;
    dory_text_init(&text, digits, sizeof digits);
    dory_text_hex(&text, status.sha256, sizeof status.sha256);
    return strcmp(hex, digits) == 0;
}

/* SLOT, or SLOT SHA256: an image that sftp was interrupted at is valid as well. */
static int activate(struct dory_device *device, const char *args, struct dory_text *out)
{
    char name[DORY_COMMAND_MAX];
    size_t n = strcspn(args, " \t");
    const char *hex = args + n + strspn(args + n, " \t"), *error = "not a firmware slot";
    int slot, r;

    memcpy(name, args, n);
    name[n] = '\0';
    slot = dory_flash_find(&device->flash, name);
    if (slot >= 0) {
        r = *hex ? has_hash(device, (unsigned)slot, hex) : 1;
        if (r == DORY_E_AGAIN)
            return r;
        error = "its SHA-256 is another";
        if (r) {
            r = dory_flash_activate(&device->flash, (unsigned)slot);
            error = r ? why_not(r) : NULL;
        }
    }
    dory_text_say(out, "activate: %b: %s", name, n, error ? error : "runs from the next boot on");
    if (!error)
        dory_device_log(device, out->p);
    dory_text_put(out, "\n");
    return error ? 1 : 0;
}

const struct dory_device_command dory_device_activate = {.name = "activate", .help = "SLOT [SHA256]: the firmware to boot next", .run = activate};

static int reboot(struct dory_device *device, const char *args, struct dory_text *out)
{
    (void)args;
    dory_device_log(device, "reboot");
    device->reboot_at = device->now + REBOOT_MS;
    dory_text_put(out, "rebooting\n");
    return 0;
}

const struct dory_device_command dory_device_reboot = {.name = "reboot", .help = "starts again", .run = reboot};

static int forget(struct dory_device *device, const char *args, struct dory_text *out)
{
    static const char *const names[] = {"authorized_keys", "password"};
    int slot, r = DORY_OK;

    (void)args;
    for (unsigned i = 0; i < 2 && !r; i++)
        if ((slot = dory_flash_find(&device->flash, names[i])) >= 0)
            r = dory_flash_put(&device->flash, (unsigned)slot, NULL, 0);
    if (r) {
        dory_text_say(out, "%s\n", dory_strerror(r));
        return 1;
    }
    dory_device_log(device, "keys and password forgotten");
    dory_i_device_print_setup(device);
    return 0;
}

const struct dory_device_command dory_device_forget = {.name = "forget", .help = "removes keys and password", .run = forget, .console = true};
