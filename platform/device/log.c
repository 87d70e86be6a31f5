/* Lines of the log: to the console, and to flash where the board keeps them. */
#include <string.h>

#include "device_internal.h"

void dory_device_log(struct dory_device *device, const char *line)
{
    char buf[DORY_FLASH_LINE_MAX + 1];
    struct dory_text text;

    dory_text_init(&text, buf, sizeof buf);
    dory_text_say(&text, "[%u] %b", dory_i_device_seconds(device), line, strlen(line));
    dory_i_device_print("%s\n", buf);
    if (device->config->log)
        device->config->log->keep(device, buf, text.n);
}
