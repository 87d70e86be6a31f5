#include "sftp_internal.h"

#include <string.h>

/* A request in the queue: its length, its type and its identifier, then what belongs to the type. */
enum { TYPE_AT = 4, ID_AT = 5, HEAD_N = 9 };

/* READ is always of one size, so its length is free to count the READs that follow it without a gap: prefetching takes no room. */
enum { READ_N = 29, READ_OFFSET_AT = 17, READ_LENGTH_AT = 25 };

/* WRITE up to its data. */
enum { WRITE_N = 29, WRITE_HANDLE_AT = 13, WRITE_OFFSET_AT = 17, WRITE_LENGTH_AT = 25 };

/* The type of a request that cannot be taken apart as it stands in the queue. */
enum { UNFIT = 0 };

static struct dory_sftp_server *server_of(struct dory_stream *stream)
{
    return (struct dory_sftp_server *)stream;
}

void dory_sftp_die(struct dory_sftp_server *s, const char *text)
{
    const struct dory_sftp_events *events = s->config.events;

    if (s->ended)
        return;
    s->failed = s->ended = true;
    if (events->error)
        events->error(s->config.events_ctx, text);
    dory_sftp_release(s);
}

/* ---- the queue */

static uint32_t size_of(const uint8_t *request)
{
    return request[TYPE_AT] == SSH_FXP_READ ? READ_N : 4 + dory_sftp_load32(request);
}

static void forget(struct dory_sftp_server *s, size_t n)
{
    s->head += (uint32_t)n;
    if (s->last < s->head)
        s->last = s->head;
    if (s->head == s->tail)
        s->head = s->last = s->tail = 0;
}

static void move_to_front(struct dory_sftp_server *s)
{
    memmove(s->queue, s->queue + s->head, s->tail - s->head);
    s->tail -= s->head;
    s->last -= s->head;
    s->prev -= s->head;
    s->head = 0;
}

/* Makes of a READ, from its identifier on, the one that goes on where it ends. */
static void go_on(uint8_t *read)
{
    dory_sftp_store32(read, dory_sftp_load32(read) + 1);
    dory_sftp_store64(read + READ_OFFSET_AT - ID_AT,
                      dory_sftp_load64(read + READ_OFFSET_AT - ID_AT) + dory_sftp_load32(read + READ_LENGTH_AT - ID_AT));
}

static void take_read(struct dory_sftp_server *s)
{
    uint8_t *request = s->queue + s->last, *run;

    if (s->tail - s->last < READ_N || dory_sftp_load32(request + HEAD_N) != 4) {
        request[TYPE_AT] = UNFIT;
        return;
    }
    s->tail = s->last + READ_N;
    dory_sftp_store32(request, 0);
    if (s->prev >= s->head && s->prev < s->last && (run = s->queue + s->prev)[TYPE_AT] == SSH_FXP_READ &&
        memcmp(request + ID_AT, s->next_read, sizeof s->next_read) == 0) {
        dory_sftp_store32(run, dory_sftp_load32(run) + 1);
        s->tail = s->last;
    }
    memcpy(s->next_read, request + ID_AT, sizeof s->next_read);
    go_on(s->next_read);
}

static void complete(struct dory_sftp_server *s)
{
    if (s->queue[s->last + TYPE_AT] == SSH_FXP_READ)
        take_read(s);
    if (s->tail == s->last)
        return;
    s->prev = s->last;
    s->last = s->tail;
}

/* The type is known: may it come now? */
static void admit(struct dory_sftp_server *s)
{
    uint8_t *request = s->queue + s->last;
    bool init = request[TYPE_AT] == SSH_FXP_INIT;
    uint32_t n = dory_sftp_load32(request);

    if (init == s->greeted) {
        dory_sftp_die(s, "INIT missing or twice");
        return;
    }
    s->greeted = true;
    s->uploading = request[TYPE_AT] == SSH_FXP_WRITE;
    if (!s->uploading && n > sizeof s->queue - 4) {
        s->skip = n - (HEAD_N - 4);
        dory_sftp_store32(request, HEAD_N - 4);
        if (!init)
            request[TYPE_AT] = UNFIT;
    }
}

/* A byte of the request that is not complete. False: no room. */
static bool take(struct dory_sftp_server *s, uint8_t byte)
{
    const uint8_t *request;
    uint32_t have;

    if (s->skip) {
        s->skip--;
        return true;
    }
    if (s->tail == sizeof s->queue) {
        if (!s->head)
            return false;
        move_to_front(s);
    }
    s->queue[s->tail++] = byte;
    request = s->queue + s->last;
    have = s->tail - s->last;
    if (have < 4)
        return true;
    if (dory_sftp_load32(request) - (HEAD_N - 4) > DORY_SFTP_PACKET_MAX - (HEAD_N - 4))
        dory_sftp_die(s, "bad packet length");
    else if (have == HEAD_N)
        admit(s);
    if (!s->ended && have == 4 + dory_sftp_load32(request))
        complete(s);
    return true;
}

/* ---- WRITE */

/* An upload, or what may become one, that misses bytes is not kept. */
static void lose(struct dory_sftp_handle *h, int error)
{
    if (h->flags >= SFTP_UPLOAD)
        h->error = (int8_t)error;
}

/* Where in its file the WRITE at the head of the queue begins. */
static int find_place(struct dory_sftp_server *s, struct dory_sftp_handle *h, const uint8_t *request)
{
    struct dory_fs_info info;
    int r;

    if (!(h->flags & SFTP_MAY_WRITE))
        return DORY_E_ACCESS;
    s->target = (uint8_t)(h - s->handles);
    s->write_at = dory_sftp_load64(request + WRITE_OFFSET_AT);
    if (h->flags & SFTP_AT_END) {
        r = s->config.fs->ops->info(s->config.fs, h->fs, &info);
        if (r < 0)
            return r;
        s->write_at = info.size;
    }
    if (s->write_at > (uint64_t)INT64_MAX - s->left)
        return DORY_E_NOSPC;
    r = dory_sftp_reach(s, h, s->write_at, false);
    return r < 0 ? r : h->error;
}

/* Takes the WRITE at the head of the queue apart; only its data stays there. Of one that cannot be done the data is dropped. */
static bool begin_write(struct dory_sftp_server *s)
{
    const uint8_t *request = s->queue + s->head;
    struct dory_sftp_handle *h = NULL;
    uint32_t size = 4 + dory_sftp_load32(request), n = size < WRITE_N ? size : WRITE_N;
    int error = DORY_E_PROTOCOL;

    if (s->tail - s->head < n)
        return false;
    s->left = size - n;
    if (n >= WRITE_OFFSET_AT && dory_sftp_load32(request + HEAD_N) == 4) {
        h = dory_sftp_handle(s, dory_sftp_load32(request + WRITE_HANDLE_AT));
        if (!h)
            error = DORY_E_ARG;
        else if (n == WRITE_N && dory_sftp_load32(request + WRITE_LENGTH_AT) == s->left)
            error = find_place(s, h, request);
    }
    if (error == DORY_E_AGAIN)
        return false;
    if (h)
        lose(h, error);
    s->write_id = dory_sftp_load32(request + ID_AT);
    s->write_error = (int8_t)error;
    s->writing = true;
    forget(s, n);
    return true;
}

static void end_write(struct dory_sftp_server *s)
{
    uint32_t at = (s->status_first + s->status_count++) % DORY_SFTP_WRITES;

    s->status_ids[at] = s->write_id;
    s->status_errors[at] = s->write_error;
    s->writing = false;
}

/* Data straight into the file; what was taken. */
static size_t write_data(struct dory_sftp_server *s, const uint8_t *bytes, size_t n)
{
    struct dory_fs *fs = s->config.fs;
    const struct dory_sftp_events *events = s->config.events;

    if (n > s->left)
        n = s->left;
    if (!s->write_error) {
        long r = fs->ops->write(fs, s->handles[s->target].fs, s->write_at, bytes, n);

        if (r == DORY_E_AGAIN || r == 0)
            return 0;
        if (r > 0) {
            n = (size_t)r;
            s->write_at += n;
            if (events->moved)
                events->moved(s->config.events_ctx, s->target, n);
        } else {
            s->write_error = (int8_t)r;
            lose(&s->handles[s->target], (int)r);
        }
    }
    s->left -= (uint32_t)n;
    if (!s->left)
        end_write(s);
    return n;
}

/* Goes on with the WRITE at the head of the queue as far as its bytes are there. True: something was done. */
static bool step_write(struct dory_sftp_server *s)
{
    size_t n;

    if (!s->writing) {
        if (s->running || s->tail - s->head <= TYPE_AT || s->queue[s->head + TYPE_AT] != SSH_FXP_WRITE ||
            s->status_count == DORY_SFTP_WRITES || !begin_write(s))
            return false;
        if (!s->left)
            end_write(s);
        return true;
    }
    n = s->tail - s->head;
    if (n)
        n = write_data(s, s->queue + s->head, n);
    forget(s, n);
    return n > 0;
}

/* ---- the stream */

static size_t push(struct dory_stream *stream, const uint8_t *bytes, size_t n)
{
    struct dory_sftp_server *s = server_of(stream);
    size_t taken = 0, used;

    while (taken < n && !s->ended) {
        if (step_write(s))
            continue;
        if (s->writing && s->head == s->tail)
            used = write_data(s, bytes + taken, n - taken);
        else if (s->writing && s->head == s->last)
            used = 0; /* busy with bytes of the same WRITE that came before these */
        else
            used = take(s, bytes[taken]);
        if (!used)
            return taken;
        taken += used;
    }
    /* What came whole is executed as far as that needs nothing sent. */
    while (!s->ended && step_write(s)) continue;
    return n;
}

/* Goes on with the request at the head of the queue. True: something was done. */
static bool step(struct dory_sftp_server *s)
{
    if (s->status_count && !s->running) {
        s->id = s->status_ids[s->status_first];
        s->error = s->status_errors[s->status_first];
        s->answer = SFTP_STATUS;
        s->status_first = (s->status_first + 1) % DORY_SFTP_WRITES;
        s->status_count--;
        return true;
    }
    if (step_write(s))
        return true;
    if (s->writing || s->head == s->last || s->queue[s->head + TYPE_AT] == SSH_FXP_WRITE)
        return false;
    s->running = true;
    return dory_sftp_execute(s, s->queue + s->head, size_of(s->queue + s->head)) != DORY_E_AGAIN;
}

void dory_sftp_answered(struct dory_sftp_server *s)
{
    uint8_t *request = s->queue + s->head;
    uint32_t more;

    s->answer = SFTP_NOTHING;
    s->sent = 0;
    if (!s->running)
        return;
    s->running = false;
    more = request[TYPE_AT] == SSH_FXP_READ ? dory_sftp_load32(request) : 0;
    if (!more) {
        forget(s, size_of(request));
        return;
    }
    dory_sftp_store32(request, more - 1);
    go_on(request + ID_AT);
}

static void finish(struct dory_sftp_server *s)
{
    s->failed |= s->head != s->tail || s->writing || s->skip;
    s->ended = true;
    dory_sftp_release(s);
}

static size_t pull(struct dory_stream *stream, uint8_t *buf, size_t cap)
{
    struct dory_sftp_server *s = server_of(stream);
    size_t n = 0, said;

    while (n < cap && !s->ended) {
        if (s->answer && !s->leaving) {
            said = dory_sftp_say(s, buf + n, cap - n);
            if (!said)
                break;
            n += said;
        } else if (!step(s)) {
            /* With all bytes here, what cannot go on now is a busy file system or the end. */
            if (s->cut && !s->running && s->head == s->last && !(s->writing && s->head != s->tail))
                finish(s);
            break;
        }
    }
    return n;
}

static void eof(struct dory_stream *stream)
{
    server_of(stream)->cut = true;
}

static void stop(struct dory_stream *stream)
{
    struct dory_sftp_server *s = server_of(stream);

    if (!s->ended) {
        s->failed = s->ended = true;
        dory_sftp_release(s);
    }
}

static int status(const struct dory_stream *stream)
{
    const struct dory_sftp_server *s = (const struct dory_sftp_server *)stream;

    return !s->ended ? DORY_E_AGAIN : s->failed ? 1 : 0;
}

static uint32_t window(const struct dory_stream *stream)
{
    const struct dory_sftp_server *s = (const struct dory_sftp_server *)stream;
    uint32_t n = (uint32_t)sizeof s->queue - (s->tail - s->head) + s->skip;

    if (s->writing && s->head == s->tail)
        n += s->left;
    return s->uploading ? n + DORY_SFTP_WINDOW : n;
}

static const struct dory_stream_ops ops = {.push = push, .pull = pull, .eof = eof, .stop = stop, .status = status, .window = window};

void dory_sftp_server_init(struct dory_sftp_server *s, const struct dory_sftp_config *config)
{
    static const struct dory_sftp_events nobody;

    memset(s, 0, offsetof(struct dory_sftp_server, name));
    s->stream.ops = &ops;
    s->config = *config;
    if (!s->config.events)
        s->config.events = &nobody;
    memset(s->open, -1, sizeof s->open);
}
