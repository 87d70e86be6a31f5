/* The commands of the multi-call program. Each takes its own argv, argv[0] being its name, and returns the exit status. */
#ifndef DORY_COMMANDS_H
#define DORY_COMMANDS_H

#define DORY_VERSION "0.1"
/* RFC 4253 4.2 softwareversion */
#define DORY_SOFTWARE "Dory_" DORY_VERSION

int dory_cmd_scp(int argc, char **argv);
int dory_cmd_serve(int argc, char **argv);
int dory_cmd_keygen(int argc, char **argv);

#endif
