/* A command on a channel of a connection. */
#include <string.h>

#include "platform/posix/dory_posix_sys.h"
#include "scp_client.h"
#include "scp_say.h"

/* How long a command that has failed may take to end. */
#define PATIENCE_MS 5000

int dory_client_start(struct dory_client *c, const char *command, struct dory_stream *stream)
{
    const char *text = command ? command : "sftp";
    int channel;

    if (c->program) {
        c->remote_spoke = false; /* it writes to standard error itself */
        return dory_program_start(c, command, stream) ? 0 : -1;
    }
    channel = dory_ssh_channel_open(&c->ssh, command ? DORY_REQUEST_EXEC : DORY_REQUEST_SUBSYSTEM, text, strlen(text));

    dory_say(DORY_LOG_DEBUG, "debug1: Sending %s to %s: %s", command ? "command" : "subsystem", c->host, text);
    c->remote_spoke = false;
    if (channel >= 0)
        dory_pump_attach(&c->pump, channel, stream);
    else
        dory_say(DORY_LOG_ERROR, "scp: %s: %s", c->host, dory_strerror(channel));
    return channel;
}

static int exit_status(const struct dory_client *c, int channel)
{
    unsigned state = dory_ssh_channel_state(&c->ssh, channel);
    int status = dory_ssh_channel_status(&c->ssh, channel);

    if (!(state & (DORY_CH_CLOSED | DORY_CH_EXITED)))
        return DORY_FINISH_NEVER;
    if (!(state & DORY_CH_EXITED))
        return DORY_FINISH_SILENT;
    return status < 0 ? DORY_FINISH_SIGNAL : status;
}

static int finish_program(struct dory_client *c, bool in_order)
{
    struct dory_program *p = c->program;

    p->wants_end = true;
    c->wake_at = in_order ? 0 : dory_posix_now_ms() + PATIENCE_MS;
    while (!(p->state & DORY_CH_CLOSED) && (in_order || dory_posix_now_ms() < c->wake_at)) dory_clients_step(&c, 1);
    c->wake_at = 0;
    dory_program_end(c);
    return p->status < 0 ? DORY_FINISH_SIGNAL : p->status;
}

int dory_client_finish(struct dory_client *c, int channel, bool in_order)
{
    int status;

    if (c->program)
        return finish_program(c, in_order);
    c->wake_at = in_order ? 0 : dory_posix_now_ms() + PATIENCE_MS;
    dory_ssh_channel_eof(&c->ssh, channel);
    while (!dory_client_is_over(c) && !(dory_ssh_channel_state(&c->ssh, channel) & (DORY_CH_CLOSED | DORY_CH_FAILED)) &&
           (in_order || dory_posix_now_ms() < c->wake_at))
        dory_clients_step(&c, 1);
    c->wake_at = 0;
    status = exit_status(c, channel);
    dory_say(DORY_LOG_DEBUG, "debug1: %s: exit status %d", c->host, status);
    dory_ssh_channel_close(&c->ssh, channel);
    dory_pump_attach(&c->pump, channel, NULL);
    dory_ssh_channel_release(&c->ssh, channel);
    dory_client_flush_stderr(c);
    return status;
}
