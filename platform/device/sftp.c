/* The subsystem "sftp" over the slots. */
#include "device_internal.h"
#include "dory_sftp.h"

static void opened(void *ctx, unsigned handle, const char *path, size_t n, bool writes)
{
    (void)handle;
    dory_i_session_say(ctx, "sftp %s of %b", writes ? "upload" : "download", path, n);
}

static void closed(void *ctx, unsigned handle, int status)
{
    struct dory_device_session *session = ctx;

    (void)handle;
    dory_i_session_say(session, "sftp: %s", status ? dory_strerror(status) : "done");
    session->device->transfers += !status;
}

static void changed(void *ctx, unsigned type, const char *path, size_t n, const char *to, size_t to_n, int status)
{
    (void)type;
    (void)to;
    (void)to_n;
    if (!status)
        dory_i_session_say(ctx, "sftp changed %b", path, n);
}

static const struct dory_sftp_events events = {.opened = opened, .closed = closed, .changed = changed};

static void init(void *engine, struct dory_device_session *session)
{
    const struct dory_sftp_config config = {.fs = &session->device->flash.fs, .events = &events, .events_ctx = session};

    dory_sftp_server_init(engine, &config);
}

const struct dory_device_subsystem dory_device_sftp = {.name = "sftp", .size = sizeof(struct dory_sftp_server), .init = init};
