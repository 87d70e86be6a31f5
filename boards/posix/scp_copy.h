/* Copies: to a host, from a host, within this machine, and as the remote side of somebody else's copy. */
#ifndef DORY_CLI_COPY_H
#define DORY_CLI_COPY_H

#include "dory_scp.h"
#include "scp_client.h"
#include "scp_files.h"

/* How a copy went; the worst of several counts. */
enum dory_copy_result { DORY_COPY_OK, DORY_COPY_FAILED, DORY_COPY_LOST /* nothing can be copied any more: the connection is over */ };

/* What is under way, for the meter and for messages. */
struct dory_copy_view {
    const char *host; /* whose messages come; NULL: this machine's */
    char path[1024];
    uint64_t size, done;
    bool active, heard; /* a file is under way; the peer reported something */
    bool sftp;          /* the program there speaks it */
};
extern const struct dory_transfer_events dory_copy_events; /* their ctx is a view */
/* Without `message`: where both sides are ours, each reports its own. */
extern const struct dory_transfer_events dory_copy_local_events;
/* One line that the peer reported. */
void dory_copy_message(void *view, const char *text, size_t n);
/* A file was under way when the connection broke. */
void dory_copy_say_lost(const struct dory_copy_view *view);

/* By SCP, or where the person wants it or the host has nothing else, by SFTP. `several`: the target must be a directory. `client` may be
   NULL for the server of -D. */
enum dory_copy_result dory_copy_up(struct dory_client *client, const struct dory_cli_options *options, char **paths, int count,
                                   const struct dory_cli_location *target, bool several);
enum dory_copy_result dory_copy_down(struct dory_client *client, const struct dory_cli_options *options,
                                     const struct dory_cli_location *source, struct dory_cli_target *target, bool several);
enum dory_copy_result dory_copy_here(const struct dory_cli_options *options, char *path, struct dory_cli_target *target, bool several);
enum dory_copy_result dory_copy_across(struct dory_client *from, struct dory_client *to, const struct dory_cli_options *options,
                                       const struct dory_cli_location *source, const struct dory_cli_location *target, bool several);

/* -R: by the source host's own scp. */
enum dory_copy_result dory_copy_direct(struct dory_client *from, const struct dory_cli_options *options,
                                       const struct dory_cli_location *source, const struct dory_cli_location *target);

/* Runs a command with the copy's engine; NULL: the subsystem sftp. With `no_scp` it is set where the command is none and nothing has begun:
   then nothing was said, and the result does not matter. */
enum dory_copy_result dory_copy_converse(struct dory_client *client, const char *command, struct dory_stream *stream,
                                         const struct dory_copy_view *view, bool *no_scp);
/* Judges the end of a command on a channel: its exit status and whether anything was said. */
enum dory_copy_result dory_copy_judge(struct dory_client *client, const struct dory_copy_view *view, int stream_status, int exit_status);

/* The same, and what comes before: the host refused the command, or the connection is over. */
enum dory_copy_result dory_copy_settle(struct dory_client *client, bool refused, int stream_status, int exit_status,
                                       const struct dory_copy_view *view);

/* `scp -t` and `scp -f`: the exit status. */
int dory_copy_remote_side(const struct dory_cli_options *options);

#endif
