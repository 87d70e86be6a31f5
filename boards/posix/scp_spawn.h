/* Other programs that a copy needs: ProxyCommand, Match exec, another ssh, $SSH_ASKPASS. */
#ifndef DORY_CLI_SPAWN_H
#define DORY_CLI_SPAWN_H

#include <sys/types.h>

/* Starts argv[0], found in PATH, with `in` and `out` as its standard input and output (-1: /dev/null); every other descriptor but standard
   error is closed in it. The process, or -1 with errno. Both descriptors stay open here. */
pid_t dory_cli_spawn(char *const argv[], int in, int out);

/* The same for a command of the person's shell ($SHELL, else /bin/sh). */
pid_t dory_cli_spawn_shell(const char *command, int in, int out);

/* Waits: the exit status, -1 where a signal ended it. */
int dory_cli_wait(pid_t child);

/* Runs a shell command to its end, with no input and its output dropped. */
int dory_cli_shell_status(const char *command);

/* In a child: no descriptor beyond standard error but `keep`, and signals as a new program has them. */
void dory_cli_shed(int keep);

#endif
