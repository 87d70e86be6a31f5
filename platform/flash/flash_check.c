/* A board's table against its flash: for the tests of a board, so that firmware need not hold it. */
#include <string.h>

#include "flash_internal.h"

static bool slot_is_good(const struct dory_flash *flash, const struct dory_flash_slot *slots, unsigned slot)
{
    const struct dory_flash_slot *s = &slots[slot];
    size_t n = strlen(s->name);

    if (n == 0 || n > DORY_NAME_MAX || strchr(s->name, '/') || s->kind < DORY_FLASH_FIRMWARE || s->kind > DORY_FLASH_LOG)
        return false;
    if (s->pages == 0 || s->first >= flash->pages || s->pages > flash->pages - s->first)
        return false;
    if ((s->kind == DORY_FLASH_CONFIG && s->pages % 2) || (s->kind == DORY_FLASH_LOG && s->pages < 2))
        return false;
    for (unsigned i = 0; i < slot; i++) {
        const struct dory_flash_slot *o = &slots[i];

        if (strcmp(o->name, s->name) == 0 || (s->first < o->first + o->pages && o->first < s->first + s->pages))
            return false;
        if (o->kind == DORY_FLASH_LOG && s->kind == DORY_FLASH_LOG)
            return false;
    }
    return true;
}

static bool geometry_is_good(const struct dory_flash *flash, unsigned count)
{
    return flash->page >= 256 && !(flash->page & (flash->page - 1)) && flash->unit >= 1 && flash->unit <= DORY_FLASH_UNIT_MAX &&
           flash->unit <= FLASH_BODY && !(flash->unit & (flash->unit - 1)) && flash->pages <= UINT32_MAX / flash->page &&
           count <= DORY_FLASH_SLOTS;
}

int dory_flash_check(const struct dory_flash *flash, const struct dory_flash_slot *slots, unsigned count)
{
    if (!geometry_is_good(flash, count))
        return DORY_E_ARG;
    for (unsigned i = 0; i < count; i++)
        if (!slot_is_good(flash, slots, i))
            return DORY_E_ARG;
    return DORY_OK;
}
