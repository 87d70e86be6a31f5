/* The pull of a board on lwIP: one at a time, begun by a command or at boot. A main.c that wants it names these three in its tables. */
#ifndef DORY_PULL_BOARD_H
#define DORY_PULL_BOARD_H

#include "dory_device.h"

/* .turn of struct dory_device_config */
uint32_t dory_pull_board_turn(struct dory_device *device, uint64_t now_ms);
/* Commands: "pull [-P PORT] USER@ADDRESS:PATH SLOT", and "pubkey", the public key that it shows. */
extern const struct dory_device_command dory_pull_board_run, dory_pull_board_pubkey;

/* The board's: the arguments of a pull to begin at boot; false: none. */
bool dory_pull_at_boot(char args[DORY_COMMAND_MAX]);

#endif
