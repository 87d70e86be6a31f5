/* An argument pull=user@10.0.2.2:fw.bin,slot-b begins a pull at boot. */
#include "dory_config.h"
#include "emulated.h"

bool dory_pull_at_boot(char args[DORY_COMMAND_MAX]);

bool dory_pull_at_boot(char args[DORY_COMMAND_MAX])
{
    if (!dory_host_argument("pull", args, DORY_COMMAND_MAX))
        return false;
    for (char *p = args; *p; p++)
        if (*p == ',')
            *p = ' ';
    return true;
}
