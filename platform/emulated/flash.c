/* Flash that is a file of the host, so that it survives a reset and the end of the emulator. As strict as silicon: only an erase sets bits, and
   while one runs the flash is busy. The board sets the geometry (EMULATED_FLASH_*, in its dory_limits.h). */
#include <string.h>

#include "dory_board.h"
#include "emulated.h"
#include "platform/flash/dory_flash.h"

#define SIZE (EMULATED_FLASH_PAGE * EMULATED_FLASH_PAGES)
#define FILE_NAME_MAX 128
#define CHUNK 64 /* on the stack */

static int file = -1;
static uint32_t erase_ms;
static uint64_t busy_until;

static uint32_t number(const char *text)
{
    uint32_t n = 0;

    for (; *text >= '0' && *text <= '9'; text++)
        n = 10 * n + (uint32_t)(*text - '0');
    return n;
}

static bool fill(uint32_t at, uint32_t n)
{
    uint8_t erased[CHUNK];

    memset(erased, 0xff, sizeof erased);
    if (!dory_host_seek(file, at))
        return false;
    for (; n > 0; n -= CHUNK)
        if (!dory_host_write(file, erased, CHUNK))
            return false;
    return true;
}

static bool ready(void)
{
    char name[FILE_NAME_MAX] = "flash.tmp", ms[8];
    bool kept;

    if (file >= 0)
        return true;
    kept = dory_host_argument("flash", name, sizeof name);
    if (dory_host_argument("erase_ms", ms, sizeof ms))
        erase_ms = number(ms);
    if (kept)
        file = dory_host_open(name, DORY_HOST_UPDATE);
    if (file >= 0 && dory_host_size(file) == SIZE)
        return true;
    file = dory_host_open(name, DORY_HOST_CREATE);
    return file >= 0 && fill(0, SIZE);
}

static int state(void)
{
    if (!ready())
        return DORY_E_IO;
    return dory_board_millis() < busy_until ? DORY_E_AGAIN : DORY_OK;
}

static int read(struct dory_flash *flash, uint32_t at, void *out, size_t n)
{
    int error = state();

    (void)flash;
    if (error != DORY_OK || n == 0)
        return error;
    return at <= SIZE && n <= SIZE - at && dory_host_seek(file, at) && dory_host_read(file, out, n) ? DORY_OK : DORY_E_IO;
}

static int erase(struct dory_flash *flash, uint32_t page)
{
    int error = state();

    (void)flash;
    if (error != DORY_OK)
        return error;
    if (page >= EMULATED_FLASH_PAGES || !fill(page * EMULATED_FLASH_PAGE, EMULATED_FLASH_PAGE))
        return DORY_E_IO;
    busy_until = dory_board_millis() + erase_ms;
    return DORY_OK;
}

static int program(struct dory_flash *flash, uint32_t at, const uint8_t *bytes, size_t n)
{
    int error = state();

    if (error != DORY_OK)
        return error;
    if (at % EMULATED_FLASH_UNIT || n % EMULATED_FLASH_UNIT)
        return DORY_E_IO;
    while (n > 0) {
        uint8_t cells[CHUNK];
        size_t part = n < CHUNK ? n : CHUNK;

        if (read(flash, at, cells, part) != DORY_OK)
            return DORY_E_IO;
        for (size_t i = 0; i < part; i++)
            cells[i] &= bytes[i];
        if (!dory_host_seek(file, at) || !dory_host_write(file, cells, part))
            return DORY_E_IO;
        at += (uint32_t)part;
        bytes += part;
        n -= part;
    }
    return DORY_OK;
}

static const struct dory_flash_ops ops = {.read = read, .erase = erase, .program = program};

struct dory_flash dory_board_flash = {
    .ops = &ops, .page = EMULATED_FLASH_PAGE, .pages = EMULATED_FLASH_PAGES, .unit = EMULATED_FLASH_UNIT};
