/* Commands typed at the UART: a line, Backspace, Enter. */
#include <string.h>

#include "device_internal.h"

enum { BUSY_MS = 2 };

static void prompt(struct dory_device_console *console)
{
    console->n = 0;
    console->too_long = false;
    console->command = NULL;
    dory_i_device_say("> ");
}

static const char *args_of(const struct dory_device *device)
{
    const char *args = "";

    dory_i_device_command(device, device->console.line, true, &args);
    return args;
}

/* False: it is not over yet. */
static bool run(struct dory_device *device)
{
    char buf[DORY_DEVICE_OUTPUT];
    struct dory_text text;

    dory_text_init(&text, buf, sizeof buf);
    if (device->console.command->run(device, args_of(device), &text) == DORY_E_AGAIN)
        return false;
    dory_i_device_say(buf);
    prompt(&device->console);
    return true;
}

static void enter(struct dory_device *device)
{
    struct dory_device_console *console = &device->console;
    const char *args;

    dory_i_device_say("\n");
    console->line[console->n] = '\0';
    console->command = console->n && !console->too_long ? dory_i_device_command(device, console->line, true, &args) : NULL;
    if (console->n && !console->command)
        dory_i_device_say(console->too_long ? "the line is too long\n" : "no such command; `help` lists them\n");
    if (!console->command)
        prompt(console);
}

static void type(struct dory_device *device, char c)
{
    struct dory_device_console *console = &device->console;

    if (c == '\r' || c == '\n') {
        enter(device);
    } else if (c == '\b' || c == 0x7F) {
        if (console->n) {
            console->n--;
            dory_i_device_say("\b \b");
        }
    } else if (c >= ' ' && c <= '~') {
        console->too_long |= console->n + 1u == sizeof console->line;
        if (console->too_long)
            return;
        console->line[console->n++] = c;
        dory_board_put(&c, 1);
    }
}

uint32_t dory_device_console(struct dory_device *device)
{
    struct dory_device_console *console = &device->console;
    int c;

    while (!console->command && (c = dory_board_get()) >= 0)
        type(device, (char)c);
    if (console->command && !run(device))
        return BUSY_MS;
    return UINT32_MAX;
}
