/* Copies by SFTP: what scp_copy.h does by SCP. `client` may be NULL: options->sftp_server is a program of this machine then (-D). */
#ifndef DORY_CLI_SFTP_H
#define DORY_CLI_SFTP_H

#include "scp_copy.h"

enum dory_copy_result dory_sftp_up(struct dory_client *client, const struct dory_cli_options *options, char **paths, int count,
                                   const struct dory_cli_location *target, bool several);
enum dory_copy_result dory_sftp_down(struct dory_client *client, const struct dory_cli_options *options,
                                     const struct dory_cli_location *source, struct dory_cli_target *target, bool several);
enum dory_copy_result dory_sftp_across(struct dory_client *from, struct dory_client *to, const struct dory_cli_options *options,
                                       const struct dory_cli_location *source, const struct dory_cli_location *target, bool several);

#endif
