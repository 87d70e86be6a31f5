/* The command line of `dory scp`. */
#ifndef DORY_CLI_OPTIONS_H
#define DORY_CLI_OPTIONS_H

#include <stdbool.h>

#include "scp_sshopt.h"

#define DORY_CLI_PASSED_MAX 256

struct dory_cli_options {
    struct dory_cli_ssh ssh;
    unsigned flags;                          /* DORY_SCP_* */
    bool any_name;                           /* -T: take names that were not asked for */
    bool classic;                            /* -O: exit statuses of the classic scp */
    uint64_t limit;                          /* -l, in bytes a second; 0: none */
    bool sftp;                               /* -s */
    bool direct;                             /* -R */
    const char *sftp_server;                 /* -D; NULL */
    const char *config_file;                 /* -F; NULL */
    const char *program;                     /* -S; NULL */
    const char *passed[DORY_CLI_PASSED_MAX]; /* words of the command line that go to it */
    int passed_n;
    const char *complaint; /* about a word that only our own ssh minds; NULL */
    int port;              /* -P, for locations that name none; -1 */
    char **paths;
    int path_count;
};

/* -1: go on. Otherwise the exit status; why is on standard error. */
int dory_cli_options_parse(struct dory_cli_options *options, int argc, char **argv);

#endif
