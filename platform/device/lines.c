/* Text in a slot, line by line. */
#include <string.h>

#include "device_internal.h"

int dory_i_device_line(struct device_lines *in)
{
    bool whole = true;
    char *end;
    long n;

    while ((n = dory_flash_get(&in->device->flash, in->slot, in->at, in->text, DEVICE_LINE - 1)) > 0) {
        end = memchr(in->text, '\n', (size_t)n);
        in->at += end ? (uint32_t)(end - in->text) + 1 : (uint32_t)n;
        if (!end && n == DEVICE_LINE - 1) {
            whole = false;
            continue;
        }
        if (!end)
            end = in->text + n;
        if (end > in->text && end[-1] == '\r')
            end--;
        *end = '\0';
        if (!whole || strlen(in->text) != (size_t)(end - in->text))
            in->text[0] = '\0';
        return 1;
    }
    return n == DORY_E_NOENT ? 0 : (int)n;
}
