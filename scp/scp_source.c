#include "scp_internal.h"
#include "dory_number.h"

#include <string.h>

/* GREET awaits the sink's first reply, REPLY that to a record; DATA is served by pull; the others are steps that may find the
   file system busy and are then tried again. */
enum { GREET, REPLY, ITEM, ENTRY, OPEN, OPEN_DIR, INFO, HEAD, ENTER, DATA, TAIL, LEAVE };

static struct dory_scp *scp_of(struct dory_stream *stream)
{
    return (struct dory_scp *)stream;
}

/* Done with the present object, whatever came of it. */
static void next_object(struct dory_scp *scp)
{
    dory_scp_drop(scp, scp->error);
    if (!scp->depth)
        dory_scp_close(scp->config.fs, &scp->dir);
    scp->state = scp->depth ? ENTRY : ITEM;
}

static void skip(struct dory_scp *scp, int why)
{
    dory_scp_complain(scp, why);
    next_object(scp);
}

static void send_and_wait(struct dory_scp *scp, size_t n, uint8_t after)
{
    dory_scp_say(scp, n);
    scp->state = REPLY;
    scp->after = after;
}

/* All steps return a negative error, which skips the present object, or DORY_OK. */
static int next_item(struct dory_scp *scp)
{
    struct dory_transfer_item item = {.dir = -1, .path = ""};
    int r = scp->config.item(scp->config.item_ctx, &item);

    if (r == DORY_E_AGAIN)
        return r;
    if (r == 0) {
        dory_scp_release(scp);
        return DORY_OK;
    }
    dory_scp_path_put(scp, item.path);
    if (r < 0)
        return r;
    scp->name = item.name;
    scp->is_dir = item.self;
    *(item.self ? &scp->file : &scp->dir) = item.dir;
    scp->state = item.self ? INFO : OPEN;
    return DORY_OK;
}

static int next_entry(struct dory_scp *scp)
{
    struct dory_fs *fs = scp->config.fs;
    char *name = scp->path + scp->prefix;
    int r = fs->ops->next(fs, dory_scp_dir(scp), name, DORY_NAME_MAX + 1);

    if (r == DORY_E_AGAIN)
        return r;
    scp->name = name;
    scp->state = r == 1 ? OPEN : LEAVE;
    if (r < 0) {
        *name = '\0';
        dory_scp_complain(scp, r);
    }
    return DORY_OK;
}

static int open_object(struct dory_scp *scp)
{
    struct dory_fs *fs = scp->config.fs;
    bool dir = scp->state == OPEN_DIR;
    int r = fs->ops->open(fs, dory_scp_dir(scp), scp->name, dir ? DORY_FS_OPEN_DIR : DORY_FS_OPEN_READ);

    if (r == DORY_E_ISDIR && !dir) {
        scp->state = OPEN_DIR;
        return DORY_OK;
    }
    if (r < 0)
        return r;
    scp->is_dir = dir;
    scp->file = r;
    scp->state = INFO;
    return DORY_OK;
}

static void send_times(struct dory_scp *scp)
{
    const int64_t times[2] = {scp->present.info.mtime, scp->present.info.atime};
    char *line = scp->line;
    size_t n = 1;

    line[0] = 'T';
    for (int i = 0; i < 2; i++) {
        n += dory_put_number(line + n, times[i] > 0 ? (uint64_t)times[i] : 0);
        line[n++] = ' ';
        line[n++] = '0';
        line[n++] = i ? '\n' : ' ';
    }
    send_and_wait(scp, n, HEAD);
}

static int take_info(struct dory_scp *scp)
{
    struct dory_fs_info *info = &scp->present.info;
    int r = scp->config.fs->ops->info(scp->config.fs, scp->file, info);

    if (r < 0)
        return r;
    if (scp->is_dir ? !(scp->config.flags & DORY_SCP_RECURSE) : info->type != DORY_FS_FILE)
        return DORY_E_NOTREG;
    if (scp->is_dir) {
        if (scp->depth == DORY_SCP_DEPTH_MAX)
            return DORY_E_DEPTH;
        info->size = 0;
    }
    scp->state = HEAD;
    if (scp->config.flags & DORY_SCP_TIMES)
        send_times(scp);
    return DORY_OK;
}

/* A line end cannot stand in a record; OpenSSH sends it in this way too, and doubles the backslashes of such a name. */
static size_t put_name(char *out, const char *name)
{
    bool encoded = strchr(name, '\n') != NULL;
    size_t n = 0;

    for (; *name && n < 3 * DORY_NAME_MAX; name++) {
        if (*name == '\n') {
            memcpy(out + n, "\\^J", 3);
            n += 3;
        } else {
            if (encoded && *name == '\\')
                out[n++] = '\\';
            out[n++] = *name;
        }
    }
    return n;
}

static void send_head(struct dory_scp *scp)
{
    char *line = scp->line;
    size_t n = 0;

    line[n++] = scp->is_dir ? 'D' : 'C';
    for (int shift = 9; shift >= 0; shift -= 3)
        line[n++] = (char)('0' + (scp->present.info.mode >> shift & 7));
    line[n++] = ' ';
    n += dory_put_number(line + n, scp->present.info.size);
    line[n++] = ' ';
    n += put_name(line + n, scp->name);
    line[n++] = '\n';
    send_and_wait(scp, n, scp->is_dir ? ENTER : DATA);
}

static void enter(struct dory_scp *scp)
{
    scp->present.dir = scp->file;
    scp->file = -1;
    dory_scp_enter(scp);
    scp->state = ENTRY;
}

static void leave(struct dory_scp *scp)
{
    dory_scp_leave(scp);
    memcpy(scp->line, "E\n", 2);
    send_and_wait(scp, 2, ITEM);
}

/* After the announced bytes: whether they were the file's. */
static void send_tail(struct dory_scp *scp)
{
    dory_scp_close(scp->config.fs, &scp->file);
    if (scp->error)
        dory_scp_complain(scp, scp->error);
    else
        dory_scp_say_good(scp);
    scp->state = REPLY;
    scp->after = ITEM;
}

/* The sink will reply no more. What still needs a reply has failed; but the last reply and the end of data may come together. */
static void give_up_if_cut(struct dory_scp *scp)
{
    if (!scp->cut || scp->ended || (scp->state > REPLY && scp->state != DATA))
        return;
    dory_scp_stop(&scp->stream);
    scp->path[0] = '\0';
    dory_scp_tell(scp, dory_strerror(DORY_E_CUT));
}

/* One step that needs neither bytes from the peer nor room for them. False: nothing could be done now. */
static bool step(struct dory_scp *scp)
{
    int r = DORY_OK;

    if (scp->ended)
        return false;
    switch (scp->state) {
    case ITEM: r = next_item(scp); break;
    case ENTRY: r = next_entry(scp); break;
    case OPEN:
    case OPEN_DIR: r = open_object(scp); break;
    case INFO: r = take_info(scp); break;
    case HEAD: send_head(scp); break;
    case ENTER: enter(scp); break;
    case TAIL: send_tail(scp); break;
    case LEAVE: leave(scp); break;
    default: return false;
    }
    if (r == DORY_E_AGAIN)
        return false;
    if (r < 0)
        skip(scp, r);
    return true;
}

/* File content straight into the peer's buffer; once the file fails, zeros in its place, so that the count holds. */
static size_t read_data(struct dory_scp *scp, uint8_t *buf, size_t cap)
{
    uint64_t left = scp->present.info.size - scp->done;
    size_t n = left < cap ? (size_t)left : cap;

    if (!scp->error) {
        long r = scp->config.fs->ops->read(scp->config.fs, scp->file, scp->done, buf, n);

        if (r == DORY_E_AGAIN)
            return 0;
        if (r > 0)
            n = (size_t)r;
        else
            scp->error = r ? (int)r : DORY_E_SHRANK;
    }
    if (scp->error)
        memset(buf, 0, n);
    dory_scp_advance(scp, n);
    if (scp->done == scp->present.info.size)
        scp->state = TAIL;
    return n;
}

static size_t pull(struct dory_stream *stream, uint8_t *buf, size_t cap)
{
    struct dory_scp *scp = scp_of(stream);
    size_t n = 0;

    while (n < cap) {
        size_t got = 0;

        give_up_if_cut(scp);
        if (scp->sending)
            got = dory_scp_drain(scp, buf + n, cap - n);
        else if (scp->state == DATA && !scp->ended)
            got = read_data(scp, buf + n, cap - n);
        else if (step(scp))
            continue;
        if (!got)
            break;
        n += got;
    }
    return n;
}

static void take_good(struct dory_scp *scp)
{
    if (scp->state == GREET) {
        scp->state = ITEM;
        return;
    }
    dory_scp_done(scp, scp->error);
    if (scp->after == ITEM) {
        next_object(scp);
        return;
    }
    scp->state = scp->after;
    if (scp->state == DATA) {
        dory_scp_begin(scp);
        if (!scp->present.info.size)
            scp->state = TAIL;
    }
}

static void take_error(struct dory_scp *scp)
{
    dory_scp_drop(scp, scp->error ? scp->error : DORY_E_IO);
    next_object(scp);
}

static size_t push(struct dory_stream *stream, const uint8_t *bytes, size_t n)
{
    struct dory_scp *scp = scp_of(stream);
    size_t taken = 0, used;

    while (taken < n && !scp->ended) {
        int heard;

        /* The sink's turn is after the data, but it may give up at any time. */
        if (scp->state == DATA && bytes[taken] == 2)
            scp->state = REPLY;
        if (scp->sending || scp->state > REPLY)
            return taken;
        heard = dory_scp_hear(scp, bytes + taken, n - taken, &used, SCP_HEARD_GOOD);
        taken += used;
        if (heard == SCP_HEARD_GOOD)
            take_good(scp);
        else if (heard == SCP_HEARD_ERROR && scp->state > GREET)
            take_error(scp);
        else if (heard == SCP_HEARD_ERROR)
            dory_scp_release(scp);
    }
    return n;
}

/* At once: there may never be room to pull again. */
static void eof(struct dory_stream *stream)
{
    scp_of(stream)->cut = true;
    give_up_if_cut(scp_of(stream));
}

static const struct dory_stream_ops ops = {.push = push, .pull = pull, .eof = eof, .stop = dory_scp_stop, .status = dory_scp_status};

void dory_scp_source_init(struct dory_scp_source *source, const struct dory_scp_config *config)
{
    dory_scp_init(&source->base, &ops, config, config->fs->ops->close);
}
