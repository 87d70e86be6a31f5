/* What one server session costs in RAM, seen by the compiler: `make size` reads the sizes of these arrays from the symbol table. */
#include <stdint.h>

#include "dory_scp.h"
#include "dory_ssh.h"
#include "dory_ssh_struct.h"
#include "pump.h"

enum { RX = 3584, TX = 2048, BUDGET = 8 * 1024 };

union engine {
    struct dory_scp_source source;
    struct dory_scp_sink sink;
};

struct session {
    struct dory_ssh ssh;
    struct dory_ssh_config config;
    struct dory_channel channel;
    struct dory_pump pump;
    union engine engine;
    struct dory_scp_flat command;
    uint8_t rx[RX], tx[TX];
};

_Static_assert(sizeof(struct session) <= BUDGET, "a session on a device must fit 8 KiB");

const char size_ssh[sizeof(struct dory_ssh)] = {0};
const char size_ssh_config[sizeof(struct dory_ssh_config)] = {0};
const char size_channel[sizeof(struct dory_channel)] = {0};
const char size_pump[sizeof(struct dory_pump)] = {0};
const char size_scp_engine[sizeof(union engine)] = {0};
const char size_scp_command[sizeof(struct dory_scp_flat)] = {0};
const char size_buffers[RX + TX] = {0};
const char size_session[sizeof(struct session)] = {0};
