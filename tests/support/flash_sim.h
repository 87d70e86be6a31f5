/* NOR flash in memory that holds a driver to its rules and can lose power at any operation: programming only clears bits of erased units,
 * in whole units within a page; erasing takes pages; and while the flash is busy it does nothing else.
 */
#ifndef FLASH_SIM_H
#define FLASH_SIM_H

#include "platform/flash/dory_flash.h"

/* What an operation has done when the power goes. */
enum flash_sim_torn { FLASH_SIM_NOTHING, FLASH_SIM_HALF, FLASH_SIM_SCATTERED, FLASH_SIM_ALL, FLASH_SIM_TORN_KINDS };

struct flash_sim {
    struct dory_flash flash; /* first */
    uint8_t *bytes;          /* pages * page, of the caller; not cleared by init */
    unsigned busy_calls;     /* after an erase or program so many calls find the flash busy */
    unsigned busy;           /* how many are left */
    unsigned long operations, erases; /* erase and program, counted from 1 */
    unsigned long cut_at;    /* this operation is the last one; 0: none */
    enum flash_sim_torn torn;
    bool dead;               /* the power is gone: every call fails until flash_sim_reboot */
    unsigned long violations; /* of the rules above */
    unsigned long fail_at;   /* this operation returns DORY_E_IO and has done half of its work; 0: none */
    unsigned long forget_at; /* this one says that it is done and has lost a bit, if it was a program; 0: none */
    bool forgot;              /* it was */
    uint32_t random;
    uint8_t *spoilt;         /* a byte for each of `bytes`, of the caller: what was torn cannot be read until it is erased, as in flash that
                                checks itself (ECC); NULL: it can, and is noise */
    uint32_t *wear;          /* erases of each page, of the caller; NULL: not counted */
};

void flash_sim_init(struct flash_sim *sim, uint8_t *bytes, uint32_t page, uint32_t pages, uint32_t unit);
/* The power is back; what was torn stays so. */
void flash_sim_reboot(struct flash_sim *sim);

#endif
