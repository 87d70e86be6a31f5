#include "scp_internal.h"

#include <string.h>

/* GREET awaits the sink's first reply, REPLY that to a record; DATA is served by pull; the others are steps that may find the
   file system busy and are then tried again. */
enum { GREET, REPLY, ITEM, ENTRY, OPEN, OPEN_DIR, INFO, HEAD, ENTER, DATA, TAIL, LEAVE };

static struct dory_scp_source *source_of(struct dory_stream *stream)
{
    return (struct dory_scp_source *)stream;
}

static void release(struct dory_scp_source *source)
{
    struct dory_scp *scp = &source->base;

    dory_scp_close(scp->config.fs, &scp->file);
    dory_scp_close(scp->config.fs, &source->item_dir);
    while (scp->depth)
        dory_scp_close(scp->config.fs, &source->stack[--scp->depth].dir);
    scp->ended = true;
    dory_scp_done(scp, scp->error ? scp->error : DORY_E_CUT);
}

static int present_dir(const struct dory_scp_source *source)
{
    unsigned depth = source->base.depth;

    return depth ? source->stack[depth - 1].dir : source->item_dir;
}

/* Done with the present object, whatever came of it. */
static void next_object(struct dory_scp_source *source)
{
    struct dory_scp *scp = &source->base;

    dory_scp_close(scp->config.fs, &scp->file);
    if (!scp->depth)
        dory_scp_close(scp->config.fs, &source->item_dir);
    scp->state = scp->depth ? ENTRY : ITEM;
}

static void skip(struct dory_scp_source *source, const char *why)
{
    dory_scp_complain(&source->base, source->base.path, why);
    next_object(source);
}

static void send_and_wait(struct dory_scp_source *source, size_t n, uint8_t after)
{
    dory_scp_say(&source->base, n);
    source->base.state = REPLY;
    source->after = after;
}

static bool next_item(struct dory_scp_source *source)
{
    struct dory_scp *scp = &source->base;
    struct dory_scp_item item = {.dir = -1, .path = ""};
    int r = scp->config.item(scp->config.item_ctx, &item);

    if (r == DORY_E_AGAIN)
        return false;
    if (r == 0) {
        release(source);
        return true;
    }
    dory_scp_path_put(scp, item.path);
    if (r < 0) {
        dory_scp_complain_error(scp, r);
        return true;
    }
    source->name = item.name;
    source->is_dir = item.self;
    *(item.self ? &scp->file : &source->item_dir) = item.dir;
    scp->state = item.self ? INFO : OPEN;
    return true;
}

static bool next_entry(struct dory_scp_source *source)
{
    struct dory_scp *scp = &source->base;
    int r = scp->config.fs->ops->next(scp->config.fs, present_dir(source), scp->path + scp->prefix, DORY_NAME_MAX + 1);

    if (r == DORY_E_AGAIN)
        return false;
    source->name = scp->path + scp->prefix;
    scp->state = r == 1 ? OPEN : LEAVE;
    if (r < 0) {
        scp->path[scp->prefix] = '\0';
        dory_scp_complain_error(scp, r);
    }
    return true;
}

static bool open_object(struct dory_scp_source *source)
{
    struct dory_scp *scp = &source->base;
    bool dir = scp->state == OPEN_DIR;
    int r = scp->config.fs->ops->open(scp->config.fs, present_dir(source), source->name,
                                      dir ? DORY_FS_OPEN_DIR : DORY_FS_OPEN_READ);

    if (r == DORY_E_AGAIN)
        return false;
    source->is_dir = dir;
    if (r >= 0) {
        scp->file = r;
        scp->state = INFO;
    } else if (r == DORY_E_ISDIR && !dir) {
        scp->state = OPEN_DIR;
    } else {
        skip(source, dory_strerror(r));
    }
    return true;
}

static size_t put_times(char *line, const struct dory_fs_info *info)
{
    size_t n = 1;

    line[0] = 'T';
    n += dory_scp_put_number(line + n, info->mtime > 0 ? (uint64_t)info->mtime : 0);
    memcpy(line + n, " 0 ", 3);
    n += 3;
    n += dory_scp_put_number(line + n, info->atime > 0 ? (uint64_t)info->atime : 0);
    memcpy(line + n, " 0\n", 3);
    return n + 3;
}

static bool take_info(struct dory_scp_source *source)
{
    struct dory_scp *scp = &source->base;
    int r = scp->config.fs->ops->info(scp->config.fs, scp->file, &source->info);

    if (r == DORY_E_AGAIN)
        return false;
    if (r < 0)
        skip(source, dory_strerror(r));
    else if (!(source->is_dir && scp->config.flags & DORY_SCP_RECURSE) && source->info.type != DORY_FS_FILE)
        skip(source, "not a regular file");
    else if (source->is_dir && scp->depth == DORY_SCP_DEPTH_MAX)
        skip(source, dory_strerror(DORY_E_DEPTH));
    else if (scp->config.flags & DORY_SCP_TIMES)
        send_and_wait(source, put_times(scp->line, &source->info), HEAD);
    else
        scp->state = HEAD;
    return true;
}

/* A line end cannot stand in a record; OpenSSH sends it in this way too. */
static size_t put_name(char *out, const char *name)
{
    size_t n = 0;

    for (; *name && n < 3 * DORY_NAME_MAX; name++) {
        if (*name == '\n') {
            memcpy(out + n, "\\^J", 3);
            n += 3;
        } else {
            out[n++] = *name;
        }
    }
    return n;
}

static void send_head(struct dory_scp_source *source)
{
    struct dory_scp *scp = &source->base;
    char *line = scp->line;
    size_t n = 0;

    scp->size = source->is_dir ? 0 : source->info.size;
    scp->done = 0;
    scp->error = DORY_OK;
    line[n++] = source->is_dir ? 'D' : 'C';
    for (int shift = 9; shift >= 0; shift -= 3)
        line[n++] = (char)('0' + (source->info.mode >> shift & 7));
    line[n++] = ' ';
    n += dory_scp_put_number(line + n, scp->size);
    line[n++] = ' ';
    n += put_name(line + n, source->name);
    line[n++] = '\n';
    send_and_wait(source, n, source->is_dir ? ENTER : DATA);
}

static void enter(struct dory_scp_source *source)
{
    struct dory_scp *scp = &source->base;

    source->stack[scp->depth].dir = scp->file;
    source->stack[scp->depth].prefix = scp->prefix;
    scp->file = -1;
    dory_scp_enter(scp);
    scp->state = ENTRY;
}

static void leave(struct dory_scp_source *source)
{
    struct dory_scp *scp = &source->base;

    dory_scp_close(scp->config.fs, &source->stack[scp->depth - 1].dir);
    dory_scp_leave(scp, source->stack[scp->depth - 1].prefix);
    memcpy(scp->line, "E\n", 2);
    send_and_wait(source, 2, ITEM);
}

/* After the announced bytes: whether they were the file's. */
static void send_tail(struct dory_scp_source *source)
{
    struct dory_scp *scp = &source->base;

    dory_scp_close(scp->config.fs, &scp->file);
    if (!scp->error)
        dory_scp_say_good(scp);
    else if (scp->error == DORY_E_CUT)
        dory_scp_complain(scp, scp->path, "file shrank while it was read");
    else
        dory_scp_complain_error(scp, scp->error);
    scp->state = REPLY;
    source->after = ITEM;
}

/* One step that needs neither bytes from the peer nor room for them. False: nothing could be done now. */
static bool step(struct dory_scp_source *source)
{
    if (source->base.ended)
        return false;
    switch (source->base.state) {
    case ITEM: return next_item(source);
    case ENTRY: return next_entry(source);
    case OPEN:
    case OPEN_DIR: return open_object(source);
    case INFO: return take_info(source);
    case HEAD: send_head(source); return true;
    case ENTER: enter(source); return true;
    case TAIL: send_tail(source); return true;
    case LEAVE: leave(source); return true;
    default: return false;
    }
}

/* File content straight into the peer's buffer; once the file fails, zeros in its place, so that the count holds. */
static size_t read_data(struct dory_scp_source *source, uint8_t *buf, size_t cap)
{
    struct dory_scp *scp = &source->base;
    uint64_t left = scp->size - scp->done;
    size_t n = left < cap ? (size_t)left : cap;

    if (!scp->error) {
        long r = scp->config.fs->ops->read(scp->config.fs, scp->file, scp->done, buf, n);

        if (r == DORY_E_AGAIN)
            return 0;
        if (r > 0)
            n = (size_t)r;
        else
            scp->error = r ? (int)r : DORY_E_CUT;
    }
    if (scp->error)
        memset(buf, 0, n);
    dory_scp_advance(scp, n);
    return n;
}

static size_t pull(struct dory_stream *stream, uint8_t *buf, size_t cap)
{
    struct dory_scp_source *source = source_of(stream);
    struct dory_scp *scp = &source->base;
    size_t n = 0, got;

    while (n < cap) {
        if (scp->sending) {
            n += dory_scp_drain(scp, buf + n, cap - n);
        } else if (scp->state == DATA && !scp->ended) {
            if (scp->done == scp->size) {
                scp->state = TAIL;
                continue;
            }
            got = read_data(source, buf + n, cap - n);
            if (!got)
                break;
            n += got;
        } else if (!step(source)) {
            break;
        }
    }
    return n;
}

static void take_good(struct dory_scp_source *source)
{
    struct dory_scp *scp = &source->base;

    if (scp->state == GREET) {
        scp->state = ITEM;
        return;
    }
    dory_scp_done(scp, scp->error);
    if (source->after == ITEM) {
        next_object(source);
        return;
    }
    scp->state = source->after;
    if (source->after == DATA)
        dory_scp_begin(scp, source->name);
}

static void take_reply(struct dory_scp_source *source, int reply)
{
    struct dory_scp *scp = &source->base;

    if (reply == SCP_REPLY_GOOD) {
        take_good(source);
    } else if (reply == SCP_REPLY_FATAL || (reply == SCP_REPLY_ERROR && scp->state == GREET)) {
        release(source);
    } else if (reply == SCP_REPLY_ERROR) {
        dory_scp_done(scp, scp->error ? scp->error : DORY_E_IO);
        next_object(source);
    }
}

static size_t push(struct dory_stream *stream, const uint8_t *bytes, size_t n)
{
    struct dory_scp_source *source = source_of(stream);
    struct dory_scp *scp = &source->base;
    size_t taken = 0, used;

    while (taken < n && !scp->ended) {
        /* The sink's turn is after the data, but it may give up at any time. */
        if (scp->state == DATA && bytes[taken] == 2)
            scp->state = REPLY;
        if (scp->sending || (scp->state != REPLY && scp->state != GREET))
            return taken;
        take_reply(source, dory_scp_reply(scp, bytes + taken, n - taken, &used));
        taken += used;
    }
    return n;
}

static void stop(struct dory_stream *stream)
{
    struct dory_scp_source *source = source_of(stream);

    if (!source->base.ended)
        source->base.failed = true;
    source->base.sending = false;
    release(source);
}

static void eof(struct dory_stream *stream)
{
    struct dory_scp_source *source = source_of(stream);

    if (source->base.ended)
        return;
    dory_scp_tell(&source->base, "", dory_strerror(DORY_E_CUT));
    stop(stream);
}

static const struct dory_stream_ops ops = {.push = push, .pull = pull, .eof = eof, .stop = stop, .status = dory_scp_status};

void dory_scp_source_init(struct dory_scp_source *source, const struct dory_scp_config *config)
{
    memset(source, 0, sizeof *source);
    dory_scp_init(&source->base, &ops, config);
    source->item_dir = -1;
    source->base.state = GREET;
}
