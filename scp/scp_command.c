#include "dory_scp.h"

int dory_scp_command_parse(struct dory_scp_command *command, struct dory_fs *fs, const char *line, size_t n)
{
    dory_scp_path_begin(&command->path, fs, "", false);
    dory_scp_path_stop(&command->path);
    return dory_scp_words_parse(&command->words, line, n);
}

int dory_scp_command_item(void *ctx, struct dory_transfer_item *item)
{
    struct dory_scp_command *command = ctx;
    const char *word;
    int r;

    while ((r = dory_scp_path_next(&command->path, item)) == 0 && (word = dory_scp_words_next(&command->words)) != NULL)
        dory_scp_path_begin(&command->path, command->path.fs, word, false);
    return r;
}

void dory_scp_command_stop(struct dory_scp_command *command)
{
    dory_scp_path_stop(&command->path);
    command->words.next = command->words.end;
}
