#include "flash_sim.h"

#include <string.h>

static struct flash_sim *sim_of(struct dory_flash *flash)
{
    return (struct flash_sim *)flash;
}

static uint8_t random_byte(struct flash_sim *sim)
{
    sim->random = sim->random * 1664525 + 1013904223;
    return (uint8_t)(sim->random >> 24);
}

/* What was under way when the power went cannot be read; the unit is what the flash checks. */
static void spoil(struct flash_sim *sim, uint32_t at, size_t n)
{
    if (sim->spoilt)
        memset(sim->spoilt + at, sim->dead && (sim->torn == FLASH_SIM_HALF || sim->torn == FLASH_SIM_SCATTERED), n);
}

static bool readable(const struct flash_sim *sim, uint32_t at, size_t n)
{
    return !sim->spoilt || n == 0 || !memchr(sim->spoilt + at, 1, n);
}

/* Goes on to `to` as far as the power lasts. */
static void change(struct flash_sim *sim, uint8_t *at, const uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t mask = 0xFF;

        if (sim->dead && sim->torn == FLASH_SIM_NOTHING)
            mask = 0;
        else if (sim->dead && sim->torn == FLASH_SIM_HALF)
            mask = i < n / 2 ? 0xFF : 0;
        else if (sim->dead && sim->torn == FLASH_SIM_SCATTERED)
            mask = random_byte(sim);
        at[i] = (uint8_t)((at[i] & ~mask) | (to[i] & mask));
    }
}

/* What every call of the driver begins with. */
static int enter(struct flash_sim *sim, bool operation)
{
    if (sim->dead)
        return DORY_E_IO;
    if (sim->busy) {
        sim->busy--;
        return DORY_E_AGAIN;
    }
    if (!operation)
        return DORY_OK;
    sim->operations++;
    sim->dead = sim->operations == sim->cut_at;
    sim->busy = sim->busy_calls;
    return DORY_OK;
}

static int read(struct dory_flash *flash, uint32_t at, void *out, size_t n)
{
    struct flash_sim *sim = sim_of(flash);
    int r = enter(sim, false);

    if (r)
        return r;
    if (at > flash->page * flash->pages || n > flash->page * flash->pages - at) {
        sim->violations++;
        return DORY_E_IO;
    }
    if (!readable(sim, at, n))
        return DORY_E_IO;
    memcpy(out, sim->bytes + at, n);
    return DORY_OK;
}

static int erase(struct dory_flash *flash, uint32_t page)
{
    struct flash_sim *sim = sim_of(flash);
    static const uint8_t ones[64] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    int r;

    if (page >= flash->pages) {
        sim->violations++;
        return DORY_E_IO;
    }
    r = enter(sim, true);
    if (r)
        return r;
    sim->erases++;
    if (sim->operations == sim->fail_at) {
        memset(sim->bytes + (size_t)page * flash->page, 0xFF, flash->page / 2);
        return DORY_E_IO;
    }
    if (sim->wear)
        sim->wear[page]++;
    spoil(sim, page * flash->page, flash->page);
    /* Half an erase is the first half of the page. */
    if (sim->dead && sim->torn == FLASH_SIM_HALF) {
        memset(sim->bytes + (size_t)page * flash->page, 0xFF, flash->page / 2);
        return DORY_E_IO;
    }
    for (uint32_t i = 0; i < flash->page; i += sizeof ones)
        change(sim, sim->bytes + (size_t)page * flash->page + i, ones, sizeof ones);
    return sim->dead ? DORY_E_IO : DORY_OK;
}

static int program(struct dory_flash *flash, uint32_t at, const uint8_t *bytes, size_t n)
{
    struct flash_sim *sim = sim_of(flash);
    int r = enter(sim, true);

    if (r)
        return r;
    if (n == 0 || at % flash->unit || n % flash->unit || at / flash->page >= flash->pages || at % flash->page + n > flash->page) {
        sim->violations++;
        return DORY_E_IO;
    }
    for (size_t i = 0; i < n; i++)
        if (sim->bytes[at + i] != 0xFF) {
            sim->violations++;
            break;
        }
    if (sim->operations == sim->fail_at) {
        change(sim, sim->bytes + at, bytes, (n + 1) / 2);
        return DORY_E_IO;
    }
    spoil(sim, at, n);
    change(sim, sim->bytes + at, bytes, n);
    if (sim->operations == sim->forget_at) {
        sim->bytes[at + n / 2] ^= 1;
        sim->forgot = true;
    }
    return sim->dead ? DORY_E_IO : DORY_OK;
}

static const struct dory_flash_ops ops = {.read = read, .erase = erase, .program = program};

void flash_sim_init(struct flash_sim *sim, uint8_t *bytes, uint32_t page, uint32_t pages, uint32_t unit)
{
    memset(sim, 0, sizeof *sim);
    sim->flash = (struct dory_flash){.ops = &ops, .page = page, .pages = pages, .unit = unit};
    sim->bytes = bytes;
}

void flash_sim_reboot(struct flash_sim *sim)
{
    sim->dead = sim->forgot = false;
    sim->busy = 0;
    sim->cut_at = sim->fail_at = sim->forget_at = 0;
    sim->operations = sim->erases = 0;
}
