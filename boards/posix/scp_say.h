/* Messages of `dory scp` for people, on standard error. */
#ifndef DORY_CLI_SAY_H
#define DORY_CLI_SAY_H

#include "scp_sshopt.h"

/* What is said from now on: messages of this level and of graver ones. */
void dory_say_level(enum dory_cli_log level);
enum dory_cli_log dory_say_is_level(void);

/* One line. All of it is escaped, so foreign bytes may be among the arguments; it is cut at 4 KiB. */
__attribute__((format(printf, 2, 3))) void dory_say(enum dory_cli_log level, const char *format, ...);

/* Text that is safe already, of one or more lines without a last line end. */
void dory_say_plain(enum dory_cli_log level, const char *text);

#endif
