/* -S: another ssh carries a command; its standard input and output are the channel. */
#ifndef DORY_CLI_PROGRAM_H
#define DORY_CLI_PROGRAM_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dory_stream.h"

#define DORY_PROGRAM_ROOM (128 * 1024)

struct dory_client;

/* One command at a time. */
struct dory_program {
    pid_t child; /* 0: none */
    int fd;
    struct dory_stream *stream;
    unsigned state; /* DORY_CH_*, as of a channel */
    int status;     /* of the program; -1: a signal ended it */
    bool wants_end; /* no more input for it once what is there has gone */
    bool shut, deaf, stalled, heard;
    size_t in_at, in_n, out_at, out_n;
    uint8_t in[DORY_PROGRAM_ROOM], out[DORY_PROGRAM_ROOM];
};

/* Starts it for a command, or the subsystem sftp where that is NULL. False: why has been said. */
bool dory_program_start(struct dory_client *client, const char *command, struct dory_stream *stream);
/* As the pump does for a channel. True: something moved. */
bool dory_program_turn(struct dory_client *client, uint64_t now, bool *busy);
struct pollfd dory_program_interest(const struct dory_client *client);
/* The command is over, or is given up. */
void dory_program_end(struct dory_client *client);

#endif
