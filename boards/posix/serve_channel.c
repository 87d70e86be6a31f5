/* What clients ask for: scp and sftp, in process and below the root; anything else is told so and ends. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "serve.h"

/* A tree of unreadable files does not fill the log. */
#define ERRORS_SHOWN 10

static void on_begin(void *ctx, const char *path, const char *name, uint64_t size)
{
    struct serve_work *work = ctx;

    (void)path;
    (void)name;
    (void)size;
    work->file_bytes = 0;
}

static void on_progress(void *ctx, uint64_t done)
{
    struct serve_work *work = ctx;

    work->file_bytes = done;
}

static void on_end(void *ctx, const char *path, uint64_t size, int status)
{
    struct serve_work *work = ctx;
    char shown[SERVE_PATHS_SHOWN];

    work->bytes += work->file_bytes;
    if (status == DORY_OK)
        work->files++;
    if (!work->session->serve->options.verbose)
        return;
    dory_escape_text(shown, sizeof shown, path, strlen(path));
    dory_serve_log("%s: file %s: %" PRIu64 " of %" PRIu64 " bytes: %s", work->session->peer, shown, work->file_bytes, size,
                   status == DORY_OK ? "done" : dory_strerror(status));
}

static void on_message(void *ctx, const char *text, size_t n)
{
    struct serve_work *work = ctx;
    char shown[SERVE_PATHS_SHOWN];

    if (work->failures++ >= ERRORS_SHOWN)
        return;
    dory_escape_text(shown, sizeof shown, text, n);
    dory_serve_log("%s: the client says: %s", work->session->peer, shown);
}

static void on_error(void *ctx, const char *path, const char *text)
{
    struct serve_work *work = ctx;
    char shown[SERVE_PATHS_SHOWN], what[SERVE_PATHS_SHOWN];

    if (work->failures++ >= ERRORS_SHOWN)
        return;
    dory_escape_text(shown, sizeof shown, path, strlen(path));
    dory_escape_text(what, sizeof what, text, strlen(text));
    dory_serve_log("%s: %s%s%s", work->session->peer, shown, shown[0] ? ": " : "", what);
}

static const struct dory_transfer_events events = {
    .begin = on_begin, .progress = on_progress, .end = on_end, .message = on_message, .error = on_error};

/* The words of the command that are paths, for the log. */
static void name_paths(struct serve_work *work)
{
    const struct dory_scp_words *command = &work->command.words;
    size_t at = 0;

    for (size_t i = command->next; i < command->end && at + 2 < sizeof work->paths;) {
        size_t n = strnlen(command->words + i, command->end - i);

        if (at)
            work->paths[at++] = ' ';
        at += dory_escape_text(work->paths + at, sizeof work->paths - at, command->words + i, n);
        i += n + 1;
    }
}

static void start_scp(struct serve_session *session, struct serve_work *work, int channel)
{
    struct dory_scp_config config = {.fs = &session->fs.fs,
                                     .flags = work->command.words.flags,
                                     .item = dory_scp_command_item,
                                     .item_ctx = &work->command,
                                     .events = &events,
                                     .events_ctx = work,
                                     .tree = &dory_scp_tree};

    work->kind = WORK_SCP;
    name_paths(work);
    if (config.flags & DORY_SCP_TO)
        dory_scp_sink_init(&work->engine.sink, &config);
    else
        dory_scp_source_init(&work->engine.source, &config);
    dory_pump_attach(&session->pump, channel, &work->engine.stream);
    session->transfers++;
}

static bool names_scp(const uint8_t *line, size_t n)
{
    while (n && (*line == ' ' || *line == '\t')) {
        line++;
        n--;
    }
    return n >= 3 && memcmp(line, "scp", 3) == 0 && (n == 3 || line[3] == ' ' || line[3] == '\t');
}

static bool is_sftp(const struct dory_event *event)
{
    return event->request == DORY_REQUEST_SUBSYSTEM && event->n == 4 && memcmp(event->data, "sftp", 4) == 0;
}

void dory_session_request(struct serve_session *session, const struct dory_event *event)
{
    char shown[SERVE_PATHS_SHOWN];
    struct serve_work *work;

    dory_escape_text(shown, sizeof shown, event->data, event->n);
    if ((event->request != DORY_REQUEST_EXEC && !is_sftp(event)) || event->channel < 0 || event->channel >= SERVE_CHANNELS) {
        dory_serve_log("%s: refused subsystem %s", session->peer, shown);
        dory_ssh_refuse(&session->ssh);
        return;
    }
    work = &session->work[event->channel];
    work->session = session;
    work->logged = false;
    work->files = work->failures = 0;
    work->bytes = work->file_bytes = 0;
    work->refusal_sent = 0;
    work->paths[0] = '\0';
    if (is_sftp(event)) {
        work->kind = WORK_SFTP;
        session->transfers++;
        dory_session_start_sftp(session, work, event->channel);
        dory_ssh_accept(&session->ssh);
        return;
    }
    work->command.words.error = NULL;

    /* The command is parsed before the answer: the slice is valid only until then. */
    if (!names_scp(event->data, event->n)) {
        snprintf(work->refusal, sizeof work->refusal, "dory: %s\n",
                 session->grant.command[0] ? "this key is for sftp only"
                                           : "this server offers scp and sftp only, no shell and no other command");
        work->kind = WORK_REFUSAL;
    } else if (dory_scp_command_parse(&work->command, &session->fs.fs, (const char *)event->data, event->n) != DORY_OK) {
        const char *error = work->command.words.error;

        snprintf(work->refusal, sizeof work->refusal, "dory: %s\n", error ? error : "bad command line");
        work->kind = WORK_REFUSAL;
    } else {
        start_scp(session, work, event->channel);
    }
    if (work->kind == WORK_REFUSAL)
        dory_serve_log("%s: refused command %s", session->peer, shown);
    dory_ssh_accept(&session->ssh);
}

/* The reason goes to the client's stderr, where people see it. */
static bool refuse(struct serve_session *session, int channel)
{
    struct serve_work *work = &session->work[channel];
    size_t left = strlen(work->refusal) - work->refusal_sent, room;
    uint8_t *buf;

    if (work->logged)
        return false;
    if (left) {
        buf = dory_ssh_senddata_buf(&session->ssh, channel, 1, &room);
        if (!buf)
            return false;
        if (room > left)
            room = left;
        memcpy(buf, work->refusal + work->refusal_sent, room);
        work->refusal_sent += room;
        dory_ssh_senddata_ack(&session->ssh, room);
        return true;
    }
    work->logged = dory_ssh_channel_exit(&session->ssh, channel, 127) == DORY_OK;
    return work->logged;
}

static void log_transfer(struct serve_work *work, bool by_itself)
{
    const char *result;

    if ((work->kind != WORK_SCP && work->kind != WORK_SFTP) || work->logged)
        return;
    work->logged = true;
    if (work->engine.stream.ops->status(&work->engine.stream) == 0)
        result = "done";
    else
        result = by_itself ? "failed" : "cut off";
    if (work->kind == WORK_SFTP) {
        dory_session_log_sftp(work, result);
        return;
    }
    dory_serve_log("%s: %s: %s %s: %" PRIu32 " file%s, %" PRIu64 " bytes: %s", work->session->peer, work->session->user,
                   work->command.words.flags & DORY_SCP_TO ? "upload to" : "download of", work->paths, work->files,
                   work->files == 1 ? "" : "s", work->bytes, result);
}

static void end_work(struct serve_session *session, int channel)
{
    struct serve_work *work = &session->work[channel];

    dory_pump_attach(&session->pump, channel, NULL);
    log_transfer(work, false);
    if (work->kind == WORK_SCP)
        dory_scp_command_stop(&work->command);
    work->kind = WORK_NONE;
}

bool dory_session_channels(struct serve_session *session)
{
    bool moved = false;

    for (int i = 0; i < SERVE_CHANNELS; i++) {
        struct serve_work *work = &session->work[i];
        unsigned state = dory_ssh_channel_state(&session->ssh, i);

        if (work->kind == WORK_REFUSAL)
            moved |= refuse(session, i);
        if (session->pump.exited >> i & 1)
            log_transfer(work, true);
        if (!(state & DORY_CH_CLOSED))
            continue;
        end_work(session, i);
        dory_ssh_channel_release(&session->ssh, i);
        moved = true;
    }
    return moved;
}

void dory_session_stop_channels(struct serve_session *session)
{
    for (int i = 0; i < SERVE_CHANNELS; i++)
        end_work(session, i);
}
