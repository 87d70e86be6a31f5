/* Runs on the machine that builds: the slots of a board's main.c, which is compiled with it, against the flash that the board names. What else main.c
 * refers to is not there (the linker leaves it at 0). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dory_device.h"
#undef main

int firmware_main(void);

static void wrong(const char *name, const char *what)
{
    fprintf(stderr, "main.c: slot %s: %s\n", name, what);
    exit(1);
}

/* Slots that mean something to platform/device must be what they are there (docs/FLASH.md). */
static void check_meaning(const struct dory_flash_slot *slot)
{
    static const struct {
        const char *name;
        uint8_t kind;
        bool hidden;
    } known[] = {{"hostkey", DORY_FLASH_CONFIG, true},  {"userkey", DORY_FLASH_CONFIG, true},          {"boot", DORY_FLASH_CONFIG, true}, {"log", DORY_FLASH_LOG, false},
                 {"password", DORY_FLASH_CONFIG, false}, {"authorized_keys", DORY_FLASH_CONFIG, false}, {"known_hosts", DORY_FLASH_CONFIG, false}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(slot->name, known[i].name) != 0)
            continue;
        if (slot->kind != known[i].kind)
            wrong(slot->name, "is of another kind than docs/FLASH.md says");
        if (slot->hidden != known[i].hidden)
            wrong(slot->name, known[i].hidden ? "must be hidden: whoever logs in could read and write it" : "must not be hidden: nobody could set it");
    }
}

static const struct dory_flash_slot *find(const struct dory_device_config *config, const char *name)
{
    for (unsigned i = 0; i < config->slot_count; i++)
        if (strcmp(config->slots[i].name, name) == 0)
            return &config->slots[i];
    return NULL;
}

_Noreturn void dory_device_run(struct dory_device *device, const struct dory_device_config *config)
{
    const struct dory_flash_slot *running = config->running ? find(config, config->running) : NULL;

    (void)device;
    for (unsigned n = 1; n <= config->slot_count; n++) {
        if (dory_flash_check(config->flash, config->slots, n) != DORY_OK)
            wrong(config->slots[n - 1].name, "pages that are not there, are another's, or too few; or its name or kind; or DORY_FLASH_SLOTS, or the flash itself");
        check_meaning(&config->slots[n - 1]);
    }
    if (!find(config, "hostkey"))
        wrong("hostkey", "is missing");
    if (config->running && (!running || running->kind != DORY_FLASH_FIRMWARE))
        wrong(config->running, "is said to run, and is no firmware slot");
    exit(0);
}

int main(void)
{
    return firmware_main();
}
