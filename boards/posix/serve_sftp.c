/* The subsystem sftp on a channel, and what the log says of it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "serve.h"

static bool is_verbose(const struct serve_work *work)
{
    return work->session->serve->options.verbose;
}

static void on_opened(void *ctx, unsigned handle, const char *path, size_t n, bool writes)
{
    struct serve_work *work = ctx;

    work->sftp.files[handle].bytes = 0;
    work->sftp.files[handle].writes = writes;
    dory_escape_text(work->sftp.files[handle].path, sizeof work->sftp.files[handle].path, path, n);
}

static void on_moved(void *ctx, unsigned handle, size_t n)
{
    struct serve_work *work = ctx;

    work->sftp.files[handle].bytes += n;
}

static void on_closed(void *ctx, unsigned handle, int status)
{
    struct serve_work *work = ctx;
    bool writes = work->sftp.files[handle].writes;
    uint64_t bytes = work->sftp.files[handle].bytes;

    work->sftp.bytes[writes] += bytes;
    if (status == DORY_OK)
        work->sftp.done[writes]++;
    if (is_verbose(work))
        dory_serve_log("%s: file %s: %" PRIu64 " bytes %s: %s", work->session->peer, work->sftp.files[handle].path, bytes,
                       writes ? "up" : "down", status == DORY_OK ? "done" : dory_strerror(status));
}

/* By SSH_FXP_ numbers. */
static const char *name_of(unsigned type)
{
    switch (type) {
    case 9: return "setstat";
    case 13: return "remove";
    case 14: return "mkdir";
    case 15: return "rmdir";
    case 18: return "rename";
    default: return "posix-rename";
    }
}

static void on_changed(void *ctx, unsigned type, const char *path, size_t n, const char *to, size_t to_n, int status)
{
    struct serve_work *work = ctx;
    char shown[SERVE_PATHS_SHOWN], shown_to[SERVE_PATHS_SHOWN];

    if (!is_verbose(work))
        return;
    dory_escape_text(shown, sizeof shown, path, n);
    dory_escape_text(shown_to, sizeof shown_to, to, to_n);
    dory_serve_log("%s: %s %s%s%s: %s", work->session->peer, name_of(type), shown, to_n ? " to " : "", to_n ? shown_to : "",
                   status == DORY_OK ? "done" : dory_strerror(status));
}

static void on_error(void *ctx, const char *text)
{
    const struct serve_work *work = ctx;

    dory_serve_log("%s: sftp: %s", work->session->peer, text);
}

static const struct dory_sftp_events events = {
    .opened = on_opened, .moved = on_moved, .closed = on_closed, .changed = on_changed, .error = on_error};

void dory_session_start_sftp(struct serve_session *session, struct serve_work *work, int channel)
{
    const struct dory_sftp_config config = {.fs = &session->fs.fs,
                                            .rewrite = &dory_sftp_rewrite,
                                            .statvfs = &dory_sftp_statvfs,
                                            .events = &events,
                                            .events_ctx = work,
                                            .now = (int64_t)time(NULL)};

    memset(work->sftp.done, 0, sizeof work->sftp.done);
    memset(work->sftp.bytes, 0, sizeof work->sftp.bytes);
    dory_sftp_server_init(&work->engine.sftp, &config);
    dory_pump_attach(&session->pump, channel, &work->engine.stream);
}

void dory_session_log_sftp(const struct serve_work *work, const char *result)
{
    const uint32_t *done = work->sftp.done;
    const uint64_t *bytes = work->sftp.bytes;

    dory_serve_log("%s: %s: sftp: %" PRIu32 " file%s up, %" PRIu64 " bytes; %" PRIu32 " file%s down, %" PRIu64 " bytes: %s",
                   work->session->peer, work->session->user, done[true], done[true] == 1 ? "" : "s", bytes[true], done[false],
                   done[false] == 1 ? "" : "s", bytes[false], result);
}
