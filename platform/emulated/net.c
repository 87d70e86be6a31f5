/* The address that an emulator's user network gives to its guest. */
#include "platform/lwip/dory_lwip.h"

#include "emulated_net.h"

const struct dory_lwip_config dory_emulated_net = {.address = {10, 0, 2, 15}, .mask = {255, 255, 255, 0}, .gateway = {10, 0, 2, 2}};
