#include "scp_record.h"

#include <string.h>

/* RECORD, DATA and VERDICT (the source's word after the data) await bytes from the peer; the others are steps that may find the
   file system busy and are then tried again. */
enum { TARGET, TARGET_ONLY, PROBE, RECORD, CREATE, DATA, VERDICT, COMMIT, OPEN_DIR, MAKE_DIR, LEAVE };

static struct dory_scp_sink *sink_of(struct dory_stream *stream)
{
    return (struct dory_scp_sink *)stream;
}

/* Throws the present file away: what its name held before stays. */
static void drop_file(struct dory_scp *scp, int why)
{
    struct dory_fs *fs = scp->config.fs;

    if (scp->file >= 0)
        for (int tries = 0; tries < 100 && fs->ops->abort(fs, scp->file) == DORY_E_AGAIN; tries++)
            continue;
    scp->file = -1;
    dory_scp_done(scp, why);
}

static void release(struct dory_scp_sink *sink)
{
    struct dory_scp *scp = &sink->base;

    drop_file(scp, scp->error ? scp->error : DORY_E_CUT);
    while (scp->depth)
        dory_scp_close(scp->config.fs, &sink->stack[--scp->depth].dir);
    dory_scp_close(scp->config.fs, &sink->target_dir);
    scp->ended = true;
}

static void give_up(struct dory_scp_sink *sink, const char *text)
{
    dory_scp_complain(&sink->base, sink->base.path, text);
    release(sink);
}

static void protocol_error(struct dory_scp_sink *sink, const char *text)
{
    dory_scp_protocol_error(&sink->base, text);
    release(sink);
}

/* The one answer to the present record; the next may come. */
static void answer(struct dory_scp_sink *sink, int error)
{
    if (error)
        dory_scp_complain_error(&sink->base, error);
    else
        dory_scp_say_good(&sink->base);
    sink->base.state = RECORD;
}

static int present_dir(const struct dory_scp_sink *sink)
{
    unsigned depth = sink->base.depth;

    return depth ? sink->stack[depth - 1].dir : sink->target_dir;
}

/* The target itself, not a name inside it. */
static bool at_target(const struct dory_scp_sink *sink)
{
    return sink->base.depth == 0 && !sink->is_dir;
}

static bool take_target(struct dory_scp_sink *sink)
{
    struct dory_scp *scp = &sink->base;
    struct dory_scp_item item = {.dir = -1, .path = ""};
    bool first = scp->state == TARGET;
    int r = scp->config.item(scp->config.item_ctx, &item);

    if (r == DORY_E_AGAIN)
        return false;
    if (r == 0 && !first) {
        scp->state = PROBE;
        return true;
    }
    if (r == 1 && first) {
        dory_scp_path_put(scp, item.path);
        sink->target_dir = item.dir;
        sink->name = item.name;
        sink->is_dir = item.self;
        sink->slash = item.slash;
        scp->state = TARGET_ONLY;
        return true;
    }
    dory_scp_close(scp->config.fs, &item.dir);
    dory_scp_path_put(scp, item.path);
    give_up(sink, r < 0 ? dory_strerror(r) : first ? dory_strerror(DORY_E_NOENT) : "ambiguous target");
    return true;
}

static bool probe_target(struct dory_scp_sink *sink)
{
    struct dory_scp *scp = &sink->base;
    struct dory_fs *fs = scp->config.fs;

    if (!sink->is_dir) {
        int r = fs->ops->open(fs, sink->target_dir, sink->name, DORY_FS_OPEN_DIR);

        if (r == DORY_E_AGAIN)
            return false;
        if (r >= 0) {
            dory_scp_close(fs, &sink->target_dir);
            sink->target_dir = r;
            sink->is_dir = true;
        } else if ((r != DORY_E_NOENT && r != DORY_E_NOTDIR) || scp->config.flags & DORY_SCP_DIR) {
            give_up(sink, dory_strerror(r));
            return true;
        }
    }
    sink->target_name = sink->name;
    sink->target_len = (uint16_t)strlen(scp->path);
    if (sink->is_dir)
        scp->prefix = dory_scp_join(scp->path, 0);
    answer(sink, DORY_OK);
    return true;
}

static bool asked_for(const struct dory_scp_sink *sink, const char *name)
{
    const struct dory_scp_config *config = &sink->base.config;

    for (size_t i = 0; i < config->name_count; i++)
        if (strcmp(config->names[i], "/") == 0 ? !sink->seen : dory_scp_glob(config->names[i], name))
            return true;
    return config->names == NULL;
}

/* Where the present object goes: its name for the file system and its path for messages. */
static bool place(struct dory_scp_sink *sink, const char *name)
{
    struct dory_scp *scp = &sink->base;
    size_t n = strlen(name);

    if (at_target(sink)) {
        scp->path[sink->target_len] = '\0';
        sink->name = sink->target_name;
        return true;
    }
    sink->name = scp->path + scp->prefix;
    if (n > DORY_NAME_MAX)
        n = DORY_NAME_MAX;
    memcpy(scp->path + scp->prefix, name, n);
    scp->path[scp->prefix + n] = '\0';
    return name[n] == '\0';
}

/* `scp -r host:. x` against OpenSSH: a directory named ".", which means the target itself if the person asked for such. */
static bool is_target_itself(const struct dory_scp_sink *sink, char kind, const char *name)
{
    const struct dory_scp_config *config = &sink->base.config;

    return kind == 'D' && strcmp(name, ".") == 0 && sink->base.depth == 0 && config->name_count && !sink->seen &&
           strcmp(config->names[0], "/") == 0;
}

/* A C or D record: the checks that need no file system. */
static void begin_object(struct dory_scp_sink *sink, char kind, const struct scp_record *record)
{
    struct dory_scp *scp = &sink->base;
    unsigned flags = scp->config.flags;

    sink->itself = is_target_itself(sink, kind, record->name);
    if (strcmp(record->name, ".") == 0 && !sink->itself) {
        protocol_error(sink, "unexpected filename");
    } else if (kind == 'D' && !(flags & DORY_SCP_RECURSE)) {
        protocol_error(sink, "received directory without -r");
    } else if (scp->depth == 0 && !asked_for(sink, record->name)) {
        protocol_error(sink, "filename does not match request");
    } else {
        sink->seen = true;
        sink->created = false;
        sink->mode = flags & DORY_SCP_TIMES ? record->mode : record->mode & 0777;
        scp->size = (uint64_t)record->size;
        if (!place(sink, record->name))
            answer(sink, DORY_E_NAME);
        else if (kind == 'C' && sink->slash && at_target(sink))
            answer(sink, DORY_E_NOTDIR);
        else if (kind == 'D' && scp->depth == DORY_SCP_DEPTH_MAX)
            answer(sink, DORY_E_DEPTH);
        else
            scp->state = kind == 'C' ? CREATE : OPEN_DIR;
    }
}

static void take_record(struct dory_scp_sink *sink)
{
    struct dory_scp *scp = &sink->base;
    struct scp_record record;
    char kind = scp->line[0];
    size_t n = scp->line_len;
    const char *wrong = NULL;

    if (kind == 'C' || kind == 'D' || kind == 'T') {
        wrong = dory_scp_parse_record(scp->line, n, &record);
    } else if (kind != 'E') {
        /* Often what a login script of the peer printed: the person should see it. */
        wrong = n ? "expected control record" : "unexpected <newline>";
        dory_scp_told(scp);
    } else if (n != 1 || !scp->depth) {
        wrong = "unexpected end of directory";
    }
    scp->line_len = 0;

    if (wrong) {
        protocol_error(sink, wrong);
    } else if (kind == 'T') {
        sink->times = true;
        sink->mtime = record.mtime;
        sink->atime = record.atime;
        answer(sink, DORY_OK);
    } else if (kind == 'E') {
        scp->state = LEAVE;
    } else {
        begin_object(sink, kind, &record);
    }
}

/* What a commit or a setinfo is to apply. */
static unsigned settings(const struct dory_scp_sink *sink, struct dory_fs_info *info, bool times, int64_t mtime, int64_t atime)
{
    if (!(sink->base.config.flags & DORY_SCP_TIMES))
        return 0;
    info->mtime = mtime;
    info->atime = atime;
    return DORY_FS_SET_MODE | (times ? (unsigned)DORY_FS_SET_TIMES : 0);
}

static bool create_file(struct dory_scp_sink *sink)
{
    struct dory_scp *scp = &sink->base;
    struct dory_fs *fs = scp->config.fs;
    int r = fs->ops->create(fs, present_dir(sink), sink->name, sink->mode & 0777, scp->size);

    if (r == DORY_E_AGAIN)
        return false;
    if (r < 0) {
        sink->times = false;
        answer(sink, r);
        return true;
    }
    scp->file = r;
    dory_scp_begin(scp, sink->name);
    dory_scp_say_good(scp);
    scp->state = scp->size ? DATA : VERDICT;
    return true;
}

static bool commit_file(struct dory_scp_sink *sink)
{
    struct dory_scp *scp = &sink->base;
    struct dory_fs_info info = {.mode = sink->mode};
    unsigned set = settings(sink, &info, sink->times, sink->mtime, sink->atime);
    int r = scp->error;

    if (!r)
        r = scp->config.fs->ops->commit(scp->config.fs, scp->file, set, &info);
    if (r == DORY_E_AGAIN)
        return false;
    scp->file = -1;
    sink->times = false;
    dory_scp_done(scp, r < 0 ? r : DORY_OK);
    answer(sink, r < 0 ? r : DORY_OK);
    if (r > 0)
        dory_scp_complain(scp, scp->path, "mode or times could not be set");
    return true;
}

static void enter(struct dory_scp_sink *sink, int dir)
{
    struct dory_scp *scp = &sink->base;

    sink->stack[scp->depth].dir = dir;
    sink->stack[scp->depth].prefix = scp->prefix;
    sink->stack[scp->depth].mode = sink->mode;
    sink->stack[scp->depth].created = sink->created;
    sink->stack[scp->depth].keep = sink->itself && !sink->created;
    sink->stack[scp->depth].times = sink->times;
    sink->stack[scp->depth].mtime = sink->mtime;
    sink->stack[scp->depth].atime = sink->atime;
    dory_scp_enter(scp);
}

/* Enters the directory of a D record. A link in its place is not followed: it might lead out of the target. */
static bool open_dir(struct dory_scp_sink *sink)
{
    struct dory_scp *scp = &sink->base;
    struct dory_fs *fs = scp->config.fs;
    int r = sink->itself && sink->is_dir
                ? fs->ops->dup(fs, sink->target_dir)
                : fs->ops->open(fs, present_dir(sink), sink->name, DORY_FS_OPEN_DIR | DORY_FS_OPEN_NOFOLLOW);

    if (r == DORY_E_AGAIN)
        return false;
    if (r == DORY_E_NOENT && !sink->created) {
        scp->state = MAKE_DIR;
        return true;
    }
    if (r >= 0)
        enter(sink, r);
    sink->times = false;
    answer(sink, r < 0 ? r : DORY_OK);
    return true;
}

static bool make_dir(struct dory_scp_sink *sink)
{
    struct dory_fs *fs = sink->base.config.fs;
    int r = fs->ops->mkdir(fs, present_dir(sink), sink->name, (sink->mode & 0777) | 0700);

    if (r == DORY_E_AGAIN)
        return false;
    if (r < 0) {
        sink->times = false;
        answer(sink, r);
        return true;
    }
    sink->created = true;
    sink->base.state = OPEN_DIR;
    return true;
}

/* The mode that a directory gets once it is filled, and its times. */
static int finish_dir(struct dory_scp_sink *sink)
{
    struct dory_fs *fs = sink->base.config.fs;
    unsigned top = sink->base.depth - 1u;
    struct dory_fs_info info = {0};
    unsigned set = settings(sink, &info, sink->stack[top].times, sink->stack[top].mtime, sink->stack[top].atime);
    uint16_t mode = sink->stack[top].mode;
    int r;

    if (sink->stack[top].keep)
        return DORY_OK;
    if (!set && sink->stack[top].created && (mode & 0700) != 0700) {
        /* It was made with more than it is to have; what the umask took stays taken. */
        r = fs->ops->info(fs, sink->stack[top].dir, &info);
        if (r < 0)
            return r;
        mode &= info.mode;
        set = DORY_FS_SET_MODE;
    }
    info.mode = mode;
    return set ? fs->ops->setinfo(fs, sink->stack[top].dir, set, &info) : DORY_OK;
}

static bool leave_dir(struct dory_scp_sink *sink)
{
    struct dory_scp *scp = &sink->base;
    unsigned top = scp->depth - 1u;
    int r = finish_dir(sink);

    if (r == DORY_E_AGAIN)
        return false;
    dory_scp_close(scp->config.fs, &sink->stack[top].dir);
    scp->path[scp->prefix] = '\0';
    dory_scp_leave(scp, sink->stack[top].prefix);
    sink->times = false;
    answer(sink, r);
    return true;
}

/* The peer will say nothing more, and everything that it said was taken. */
static void finish(struct dory_scp_sink *sink)
{
    struct dory_scp *scp = &sink->base;

    if (scp->state != RECORD || scp->depth || scp->line_len)
        dory_scp_tell(scp, scp->path, dory_strerror(DORY_E_CUT));
    else if (scp->config.names && !sink->seen && !scp->failed)
        dory_scp_tell(scp, scp->path, "the peer sent nothing");
    release(sink);
}

/* One step that needs neither bytes from the peer nor room for them. False: nothing could be done now. */
static bool step(struct dory_scp_sink *sink)
{
    if (sink->base.ended || sink->base.sending)
        return false;
    switch (sink->base.state) {
    case TARGET:
    case TARGET_ONLY: return take_target(sink);
    case PROBE: return probe_target(sink);
    case CREATE: return create_file(sink);
    case COMMIT: return commit_file(sink);
    case OPEN_DIR: return open_dir(sink);
    case MAKE_DIR: return make_dir(sink);
    case LEAVE: return leave_dir(sink);
    default: break;
    }
    if (!sink->base.cut)
        return false;
    finish(sink);
    return true;
}

static size_t pull(struct dory_stream *stream, uint8_t *buf, size_t cap)
{
    struct dory_scp_sink *sink = sink_of(stream);
    size_t n = 0;

    do {
        if (sink->base.sending)
            n += dory_scp_drain(&sink->base, buf + n, cap - n);
    } while (n < cap && step(sink));
    return n;
}

static size_t take_line(struct dory_scp_sink *sink, const uint8_t *bytes, size_t n)
{
    struct dory_scp *scp = &sink->base;
    size_t used;
    bool whole = dory_scp_gather(scp, bytes, n, &used);
    bool text = scp->line_len && (scp->line[0] == 1 || scp->line[0] == 2);

    if (scp->line_lost && !(text && scp->line_lost < SCP_TEXT_MAX)) {
        protocol_error(sink, "record too long");
    } else if (whole && text) {
        bool fatal = scp->line[0] == 2;

        dory_scp_told(scp);
        if (fatal)
            release(sink);
    } else if (whole) {
        take_record(sink);
    }
    return used;
}

/* Straight from the peer's buffer into the file system; what comes behind a failure is dropped, so that the stream stays in step. */
static size_t take_data(struct dory_scp_sink *sink, const uint8_t *bytes, size_t n)
{
    struct dory_scp *scp = &sink->base;
    uint64_t left = scp->size - scp->done;

    if (n > left)
        n = (size_t)left;
    if (!scp->error) {
        long r = scp->config.fs->ops->write(scp->config.fs, scp->file, scp->done, bytes, n);

        if (r == DORY_E_AGAIN)
            return 0;
        if (r >= 0) {
            n = (size_t)r;
        } else {
            scp->error = (int)r;
            drop_file(scp, scp->error);
        }
    }
    if (scp->error)
        scp->done += n;
    else
        dory_scp_advance(scp, n);
    if (scp->done == scp->size)
        scp->state = VERDICT;
    return n;
}

static size_t take_verdict(struct dory_scp_sink *sink, const uint8_t *bytes, size_t n)
{
    struct dory_scp *scp = &sink->base;
    size_t used;
    int reply = dory_scp_reply(scp, bytes, n, &used);

    if (reply == SCP_REPLY_GOOD) {
        scp->state = COMMIT;
    } else if (reply == SCP_REPLY_ERROR) {
        drop_file(scp, DORY_E_IO);
        sink->times = false;
        answer(sink, scp->error);
    } else if (reply == SCP_REPLY_FATAL) {
        release(sink);
    }
    return used;
}

static size_t push(struct dory_stream *stream, const uint8_t *bytes, size_t n)
{
    struct dory_scp_sink *sink = sink_of(stream);
    struct dory_scp *scp = &sink->base;
    size_t taken = 0, used;

    while (taken < n && !scp->ended) {
        if (step(sink))
            continue;
        if (scp->sending)
            return taken;
        if (scp->state == DATA)
            used = take_data(sink, bytes + taken, n - taken);
        else if (scp->state == VERDICT)
            used = take_verdict(sink, bytes + taken, n - taken);
        else if (scp->state == RECORD)
            used = take_line(sink, bytes + taken, n - taken);
        else
            used = 0;
        if (!used)
            return taken;
        taken += used;
    }
    return n;
}

static void stop(struct dory_stream *stream)
{
    struct dory_scp_sink *sink = sink_of(stream);

    if (!sink->base.ended)
        sink->base.failed = true;
    sink->base.sending = false;
    release(sink);
}

static void eof(struct dory_stream *stream)
{
    sink_of(stream)->base.cut = true;
}

static const struct dory_stream_ops ops = {.push = push, .pull = pull, .eof = eof, .stop = stop, .status = dory_scp_status};

void dory_scp_sink_init(struct dory_scp_sink *sink, const struct dory_scp_config *config)
{
    memset(sink, 0, sizeof *sink);
    dory_scp_init(&sink->base, &ops, config);
    sink->target_dir = -1;
    sink->base.state = TARGET;
}
