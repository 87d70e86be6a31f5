#include "scp_say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "platform/posix/dory_posix_text.h"
#include "scp_progress.h"

static enum dory_cli_log said = DORY_LOG_INFO;

void dory_say_level(enum dory_cli_log level)
{
    said = level;
}

enum dory_cli_log dory_say_is_level(void)
{
    return said;
}

void dory_say_plain(enum dory_cli_log level, const char *text)
{
    if (level > said)
        return;
    dory_meter_break();
    fprintf(stderr, "%s\n", text);
}

void dory_say(enum dory_cli_log level, const char *format, ...)
{
    char text[4096], shown[4 * sizeof text + 1];
    va_list arguments;

    if (level > said)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    dory_escape_text(shown, sizeof shown, text, strlen(text));
    dory_say_plain(level, shown);
}
