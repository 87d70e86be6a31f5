/* Lines of the log. They reach the console at once and the flash when it has time. Flash wears out: a page may be given up for new lines once
 * in PAGE_MS, with PAGES in reserve for a busy hour, so that nobody outside can wear it out by knocking at the door. */
#include <string.h>

#include "device_internal.h"

enum { PAGES = 4, PAGE_MS = 10 * 60 * 1000, BUSY_MS = 2, READ_MS = 100 };

void dory_device_log(struct dory_device *device, const char *line)
{
    struct dory_device_log *log = &device->log;
    char buf[DORY_FLASH_LINE_MAX + 1];
    struct dory_text text;

    dory_text_init(&text, buf, sizeof buf);
    dory_text_say(&text, "[%u] %b", dory_i_device_seconds(device), line, strlen(line));
    dory_i_device_print("%s\n", buf);
    if (sizeof log->pending - log->n < text.n + 1) {
        log->lost++;
        return;
    }
    log->pending[log->n] = (char)text.n;
    memcpy(log->pending + log->n + 1, buf, text.n);
    log->n = (uint16_t)(log->n + text.n + 1);
}

static void drop_first(struct dory_device_log *log)
{
    size_t n = (size_t)(uint8_t)log->pending[0] + 1;

    log->n = (uint16_t)(log->n - n);
    memmove(log->pending, log->pending + n, log->n);
}

static bool may_erase(struct dory_device *device)
{
    struct dory_device_log *log = &device->log;

    if (device->now >= log->next_page) {
        log->next_page = device->now + PAGE_MS;
        if (log->pages < PAGES)
            log->pages++;
    }
    return log->pages > 0;
}

uint32_t dory_i_log_turn(struct dory_device *device)
{
    struct dory_device_log *log = &device->log;
    int r;

    while (log->n) {
        size_t n = (uint8_t)log->pending[0];
        bool erases = dory_flash_log_erases(&device->flash, n);

        if (erases && !may_erase(device)) {
            log->lost++;
            drop_first(log);
            continue;
        }
        r = dory_flash_log(&device->flash, log->pending + 1, n);
        if (r == DORY_E_AGAIN)
            return erases ? READ_MS : BUSY_MS;
        if (erases)
            log->pages--;
        drop_first(log);
    }
    return UINT32_MAX;
}
