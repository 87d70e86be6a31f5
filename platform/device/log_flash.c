/* The log in flash. Lines reach it when it has time. Flash wears out: a page may be given up for new lines once in PAGE_MS, with PAGES in
 * reserve for a busy hour, so that nobody outside can wear it out by knocking at the door. */
#include <string.h>

#include "device_internal.h"

enum { PAGES = 4, PAGE_MS = 10 * 60 * 1000, BUSY_MS = 2, READ_MS = 100 };

static int mount(struct dory_device *device)
{
    int r = dory_flash_mount_log(&device->flash);

    device->log.pages = 1;
    return r == DORY_E_NOENT ? DORY_E_ARG : r;
}

static void keep(struct dory_device *device, const char *line, size_t n)
{
    struct dory_device_log *log = &device->log;

    if (sizeof log->pending - log->n < n + 1) {
        log->lost++;
        return;
    }
    log->pending[log->n] = (char)n;
    memcpy(log->pending + log->n + 1, line, n);
    log->n = (uint16_t)(log->n + n + 1);
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

static uint32_t turn(struct dory_device *device)
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

const struct dory_device_log_keeper dory_device_log_flash = {mount, keep, turn};
