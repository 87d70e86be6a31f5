/* What one server session costs in RAM, seen by the compiler: `make size` reads the sizes of these arrays from the symbol table. */
#include "platform/device/dory_device.h"
#include "dory_sftp.h"
#include "dory_sftp_client.h"

enum { BUDGET = 8 * 1024 };

_Static_assert(sizeof(struct dory_device_session) <= BUDGET, "a session on a device must fit 8 KiB");
_Static_assert(sizeof(struct dory_sftp_server) <= 1024, "an SFTP conversation on a device must fit 1 KiB");

const char size_ssh[sizeof(struct dory_ssh)] = {0};
const char size_ssh_config[sizeof(struct dory_ssh_config)] = {0};
const char size_channel[sizeof(struct dory_channel)] = {0};
const char size_pump[sizeof(struct dory_pump)] = {0};
const char size_scp_engine[sizeof(struct dory_scp_sink)] = {0};
const char size_sftp_put[sizeof(struct dory_sftp_put)] = {0};
const char size_sftp_get[sizeof(struct dory_sftp_get)] = {0};
const char size_sftp_engine[sizeof(struct dory_sftp_server)] = {0};
const char size_command_output[sizeof(struct dory_device_output)] = {0}; /* in the place of an engine */
const char size_scp_command[sizeof(struct dory_scp_flat)] = {0};
const char size_buffers[DORY_DEVICE_RX + DORY_DEVICE_TX] = {0};
const char size_session[sizeof(struct dory_device_session)] = {0};
/* Once, for all sessions. */
const char size_flash_slots[sizeof(struct dory_flash_fs)] = {0};
const char size_device_but_sessions[sizeof(struct dory_device) - DORY_DEVICE_SESSIONS * sizeof(struct dory_device_session)] = {0};
