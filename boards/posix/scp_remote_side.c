/* `scp -t` and `scp -f`: the program that a client's sshd runs. Standard input and output are the channel. */
#include <signal.h>
#include <unistd.h>

#include "scp_copy.h"
#include "scp_pipe.h"

static int converse(struct dory_stream *stream)
{
    return dory_pipe_converse(stream, STDIN_FILENO, STDOUT_FILENO);
}

static int be_sink(const struct dory_cli_options *o, struct dory_scp_config *config)
{
    static struct dory_cli_target target;
    static struct dory_scp_sink sink;
    int status;

    dory_cli_target_open(&target, o->paths[0], true);
    config->fs = &target.fs.fs;
    config->item = dory_cli_target_item;
    config->item_ctx = &target;
    config->tree = &dory_scp_tree;
    dory_scp_sink_init(&sink, config);
    dory_cli_guard_on(&target.fs);
    status = converse(&sink.base.stream);
    dory_cli_guard_off();
    dory_cli_target_close(&target);
    return status;
}

static int be_source(const struct dory_cli_options *o, struct dory_scp_config *config)
{
    static struct dory_cli_sources sources;
    static struct dory_scp_source source;
    int status;

    if (dory_cli_sources_open(&sources, o->paths, o->path_count, false) < 0)
        return 1;
    config->fs = &sources.fs.fs;
    config->item = dory_cli_sources_item;
    config->item_ctx = &sources;
    dory_scp_source_init(&source, config);
    dory_cli_guard_on(NULL);
    status = converse(&source.base.stream);
    dory_cli_guard_off();
    dory_cli_sources_close(&sources);
    return status;
}

int dory_copy_remote_side(const struct dory_cli_options *o)
{
    struct dory_scp_config config = {.flags = o->flags};

    signal(SIGPIPE, SIG_IGN);
    return o->flags & DORY_SCP_TO ? be_sink(o, &config) : be_source(o, &config);
}
