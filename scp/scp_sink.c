#include "scp_record.h"
#include "dory_path.h"

#include <string.h>

/* RECORD, DATA and VERDICT (the source's word after the data) await bytes from the peer; the others are steps that may find the
   file system busy and are then tried again. Errors before RECORD are fatal, later ones are the answer to the present record. */
enum { TARGET, PROBE, RECORD, CREATE, DATA, VERDICT, COMMIT, OPEN_DIR, MAKE_DIR, LEAVE };

static struct dory_scp *scp_of(struct dory_stream *stream)
{
    return (struct dory_scp *)stream;
}

/* Throws the present file away: what its name held before stays. */
static void drop_file(struct dory_scp *scp, int why)
{
    dory_fs_drop(scp->config.fs, scp->config.fs->ops->abort, &scp->file);
    dory_scp_done(scp, why);
}

static void release(struct dory_scp *scp)
{
    drop_file(scp, scp->error ? scp->error : DORY_E_CUT);
    dory_scp_release(scp);
}

static void protocol_error(struct dory_scp *scp, const char *text)
{
    dory_scp_protocol_error(scp, text);
    release(scp);
}

/* The one answer to the present record; the next may come. */
static void answer(struct dory_scp *scp, int error)
{
    if (error)
        dory_scp_complain_error(scp, error);
    else
        dory_scp_say_good(scp);
    scp->present.times = false;
    if (scp->state < RECORD && error)
        release(scp);
    scp->state = RECORD;
}

/* The target itself, not a name inside it. */
static bool at_target(const struct dory_scp *scp)
{
    return scp->depth == 0 && !scp->is_dir;
}

/* All steps return a negative error, which is the answer, or DORY_OK when they have gone on to another state. */
static int take_target(struct dory_scp *scp)
{
    struct dory_transfer_item item = {.dir = -1, .path = ""};
    int r = scp->config.item(scp->config.item_ctx, &item);

    if (r == DORY_E_AGAIN)
        return r;
    if (r == 0) {
        scp->state = PROBE;
        return scp->dir >= 0 ? DORY_OK : DORY_E_NOENT;
    }
    dory_scp_path_put(scp, item.path);
    if (r < 0)
        return r;
    if (scp->dir >= 0) {
        dory_scp_close(scp->config.fs, &item.dir);
        dory_scp_complain(scp, item.path, "ambiguous target");
        release(scp);
        return DORY_OK;
    }
    scp->dir = item.dir;
    scp->name = scp->target_name = item.name;
    scp->is_dir = item.self;
    scp->slash = item.slash;
    scp->target_len = (uint16_t)strlen(scp->path);
    return DORY_OK;
}

static int probe_target(struct dory_scp *scp)
{
    struct dory_fs *fs = scp->config.fs;

    if (!scp->is_dir) {
        int r = fs->ops->open(fs, scp->dir, scp->name, DORY_FS_OPEN_DIR);

        if (r >= 0) {
            dory_scp_close(fs, &scp->dir);
            scp->dir = r;
            scp->is_dir = true;
        } else if ((r != DORY_E_NOENT && r != DORY_E_NOTDIR) || scp->config.flags & DORY_SCP_DIR) {
            return r;
        }
    }
    if (scp->is_dir)
        scp->prefix = dory_scp_join(scp->path, 0);
    answer(scp, DORY_OK);
    return DORY_OK;
}

static bool asked_for(const struct dory_scp *scp, const char *name)
{
    const struct dory_scp_config *config = &scp->config;

    for (size_t i = 0; i < config->name_count; i++)
        if (config->names[i][0] == '/' ? !scp->seen : config->match(config->names[i], name))
            return true;
    return config->names == NULL;
}

/* Where the present object goes: its name for the file system and its path for messages. */
static bool place(struct dory_scp *scp, const char *name)
{
    size_t n = strlen(name);
    char *at = scp->path + scp->prefix;

    if (at_target(scp)) {
        scp->path[scp->target_len] = '\0';
        scp->name = scp->target_name;
        return true;
    }
    scp->name = at;
    if (n > DORY_NAME_MAX)
        n = DORY_NAME_MAX;
    memcpy(at, name, n);
    at[n] = '\0';
    return name[n] == '\0';
}

/* `scp -r host:. x` against OpenSSH: a directory named ".", which means the target itself if the person asked for such. */
static bool is_target_itself(const struct dory_scp *scp, char kind)
{
    return kind == 'D' && scp->depth == 0 && scp->config.name_count && !scp->seen && scp->config.names[0][0] == '/';
}

/* A C or D record: the checks that need no file system. NULL, or why the conversation ends. */
static const char *begin_object(struct dory_scp *scp, char kind, const struct scp_record *record)
{
    bool dot = strcmp(record->name, ".") == 0;
    int r = DORY_OK;

    if (dot && !is_target_itself(scp, kind))
        return "unexpected filename";
    if (kind == 'D' && !(scp->config.flags & DORY_SCP_RECURSE))
        return "received directory without -r";
    if (scp->depth == 0 && !asked_for(scp, record->name))
        return "filename does not match request";

    scp->seen = true;
    scp->present.created = false;
    scp->present.itself = dot && scp->is_dir;
    scp->present.mode = record->mode;
    scp->size = (uint64_t)record->size;
    scp->state = kind == 'C' ? CREATE : OPEN_DIR;
    if (!place(scp, record->name))
        r = DORY_E_NAME;
    else if (kind == 'C' && scp->slash && at_target(scp))
        r = DORY_E_NOTDIR;
    else if (kind == 'D' && scp->depth == DORY_SCP_DEPTH_MAX)
        r = DORY_E_DEPTH;
    if (r)
        answer(scp, r);
    return NULL;
}

static const char *take_times(struct dory_scp *scp, const struct scp_record *record)
{
    answer(scp, DORY_OK);
    scp->present.times = true;
    scp->present.mtime = record->mtime;
    scp->present.atime = record->atime;
    return NULL;
}

static void take_record(struct dory_scp *scp)
{
    struct scp_record record;
    char kind = scp->line[0];
    size_t n = scp->line_len;
    const char *wrong = NULL;

    if (kind == 'C' || kind == 'D' || kind == 'T')
        wrong = dory_scp_parse_record(scp->line, n, &record);
    else if (kind != 'E')
        wrong = "expected control record";

    if (wrong) {
        /* Often what a login script of the peer printed: the person should see it. */
        dory_scp_told(scp);
    } else if (kind == 'E') {
        wrong = n != 1 || !scp->depth ? "unexpected end of directory" : NULL;
        scp->state = LEAVE;
    } else {
        wrong = kind == 'T' ? take_times(scp, &record) : begin_object(scp, kind, &record);
    }
    if (wrong)
        protocol_error(scp, wrong);
    else if (!scp->sending)
        scp->line_len = 0;
}

/* What a commit or a setinfo is to apply. */
static unsigned settings(const struct dory_scp *scp, const struct dory_scp_level *level, struct dory_fs_info *info)
{
    memset(info, 0, sizeof *info);
    info->mode = level->mode;
    info->mtime = level->mtime;
    info->atime = level->atime;
    if (!(scp->config.flags & DORY_SCP_TIMES))
        return 0;
    return level->times ? DORY_FS_SET_MODE | DORY_FS_SET_TIMES : DORY_FS_SET_MODE;
}

static int create_file(struct dory_scp *scp)
{
    struct dory_fs *fs = scp->config.fs;
    int r = fs->ops->create(fs, dory_scp_dir(scp), scp->name, scp->present.mode & 0777, scp->size);

    if (r < 0)
        return r;
    scp->file = r;
    dory_scp_begin(scp, scp->name);
    dory_scp_say_good(scp);
    scp->state = scp->size ? DATA : VERDICT;
    return DORY_OK;
}

static int commit_file(struct dory_scp *scp)
{
    struct dory_fs *fs = scp->config.fs;
    struct dory_fs_info info;
    unsigned set = settings(scp, &scp->present, &info);
    int r = scp->error;

    if (!r)
        r = fs->ops->commit(fs, scp->file, set, &info);
    if (r == DORY_E_AGAIN)
        return r;
    scp->file = -1;
    dory_scp_done(scp, r < 0 ? r : DORY_OK);
    if (r < 0)
        return r;
    answer(scp, DORY_OK);
    if (r > 0)
        dory_scp_complain(scp, scp->path, "mode or times could not be set");
    return DORY_OK;
}

/* Enters the directory of a D record. A link in its place is not followed: it might lead out of the target. */
static int open_dir(struct dory_scp *scp)
{
    struct dory_fs *fs = scp->config.fs;
    int r = scp->present.itself ? fs->ops->dup(fs, scp->dir)
                                : fs->ops->open(fs, dory_scp_dir(scp), scp->name, DORY_FS_OPEN_DIR | DORY_FS_OPEN_NOFOLLOW);

    if (r == DORY_E_NOENT && !scp->present.created) {
        scp->state = MAKE_DIR;
        return DORY_OK;
    }
    if (r < 0)
        return r;
    scp->present.dir = r;
    dory_scp_enter(scp);
    answer(scp, DORY_OK);
    return DORY_OK;
}

static int make_dir(struct dory_scp *scp)
{
    struct dory_fs *fs = scp->config.fs;
    int r = fs->ops->mkdir(fs, dory_scp_dir(scp), scp->name, (scp->present.mode & 0777) | 0700);

    if (r < 0)
        return r;
    scp->present.created = true;
    scp->state = OPEN_DIR;
    return DORY_OK;
}

/* The mode that a directory gets once it is filled, and its times. */
static int finish_dir(struct dory_scp *scp, const struct dory_scp_level *level)
{
    struct dory_fs *fs = scp->config.fs;
    struct dory_fs_info info, now;
    unsigned set = settings(scp, level, &info);

    if (level->itself)
        return DORY_OK;
    if (!set && level->created && (level->mode & 0700) != 0700) {
        /* It was made with more than it is to have; what the umask took stays taken. */
        int r = fs->ops->info(fs, level->dir, &now);

        if (r < 0)
            return r;
        info.mode &= now.mode;
        set = DORY_FS_SET_MODE;
    }
    return set ? fs->ops->setinfo(fs, level->dir, set, &info) : DORY_OK;
}

static int leave_dir(struct dory_scp *scp)
{
    int r = finish_dir(scp, &scp->stack[scp->depth - 1]);

    if (r == DORY_E_AGAIN)
        return r;
    dory_scp_leave(scp);
    answer(scp, r);
    return DORY_OK;
}

/* The peer will say nothing more, and everything that it said was taken. */
static void finish(struct dory_scp *scp)
{
    if (scp->state != RECORD || scp->depth || scp->line_len)
        dory_scp_tell(scp, scp->path, dory_strerror(DORY_E_CUT));
    else if (scp->config.names && !scp->seen && !scp->failed)
        dory_scp_tell(scp, scp->path, "the peer sent nothing");
    release(scp);
}

/* One step that needs neither bytes from the peer nor room for them. False: nothing could be done now. */
static bool step(struct dory_scp *scp)
{
    int r = DORY_OK;

    if (scp->ended || scp->sending)
        return false;
    switch (scp->state) {
    case TARGET: r = take_target(scp); break;
    case PROBE: r = probe_target(scp); break;
    case CREATE: r = create_file(scp); break;
    case COMMIT: r = commit_file(scp); break;
    case OPEN_DIR: r = open_dir(scp); break;
    case MAKE_DIR: r = make_dir(scp); break;
    case LEAVE: r = leave_dir(scp); break;
    default:
        if (!scp->cut)
            return false;
        finish(scp);
    }
    if (r == DORY_E_AGAIN)
        return false;
    if (r < 0)
        answer(scp, r);
    return true;
}

static size_t pull(struct dory_stream *stream, uint8_t *buf, size_t cap)
{
    struct dory_scp *scp = scp_of(stream);
    size_t n = 0;

    do {
        if (scp->sending)
            n += dory_scp_drain(scp, buf + n, cap - n);
    } while (n < cap && step(scp));
    return n;
}

static size_t take_line(struct dory_scp *scp, const uint8_t *bytes, size_t n)
{
    size_t used;
    bool whole = dory_scp_gather(scp, bytes, n, &used);
    char kind = scp->line[0];
    bool text = scp->line_len && (kind == 1 || kind == 2);

    if (scp->line_lost && !(text && scp->line_lost < SCP_TEXT_MAX)) {
        protocol_error(scp, "record too long");
    } else if (whole && text) {
        dory_scp_told(scp);
        if (kind == 2)
            release(scp);
    } else if (whole) {
        take_record(scp);
    }
    return used;
}

/* Straight from the peer's buffer into the file system; what comes behind a failure is dropped, so that the stream stays in step. */
static size_t take_data(struct dory_scp *scp, const uint8_t *bytes, size_t n)
{
    uint64_t left = scp->size - scp->done;

    if (n > left)
        n = (size_t)left;
    if (!scp->error) {
        long r = scp->config.fs->ops->write(scp->config.fs, scp->file, scp->done, bytes, n);

        if (r == DORY_E_AGAIN || r == 0)
            return 0;
        if (r > 0) {
            n = (size_t)r;
            dory_scp_advance(scp, n);
        } else {
            scp->error = (int)r;
            drop_file(scp, scp->error);
        }
    }
    if (scp->error)
        scp->done += n;
    if (scp->done == scp->size)
        scp->state = VERDICT;
    return n;
}

static size_t take_verdict(struct dory_scp *scp, const uint8_t *bytes, size_t n)
{
    size_t used;
    int reply = dory_scp_reply(scp, bytes, n, &used);

    if (reply == SCP_REPLY_GOOD) {
        scp->state = COMMIT;
    } else if (reply == SCP_REPLY_ERROR) {
        drop_file(scp, DORY_E_IO);
        answer(scp, scp->error);
    } else if (reply == SCP_REPLY_FATAL) {
        release(scp);
    }
    return used;
}

static size_t push(struct dory_stream *stream, const uint8_t *bytes, size_t n)
{
    struct dory_scp *scp = scp_of(stream);
    size_t taken = 0, used;

    while (taken < n && !scp->ended) {
        if (step(scp))
            continue;
        used = 0;
        if (scp->sending)
            return taken;
        if (scp->state == DATA)
            used = take_data(scp, bytes + taken, n - taken);
        else if (scp->state == VERDICT)
            used = take_verdict(scp, bytes + taken, n - taken);
        else if (scp->state == RECORD)
            used = take_line(scp, bytes + taken, n - taken);
        if (!used)
            return taken;
        taken += used;
    }
    return n;
}

static void stop(struct dory_stream *stream)
{
    struct dory_scp *scp = scp_of(stream);

    scp->failed |= !scp->ended;
    scp->sending = false;
    release(scp);
}

static void eof(struct dory_stream *stream)
{
    scp_of(stream)->cut = true;
}

static const struct dory_stream_ops ops = {.push = push, .pull = pull, .eof = eof, .stop = stop, .status = dory_scp_status};

void dory_scp_sink_init(struct dory_scp_sink *sink, const struct dory_scp_config *config)
{
    dory_scp_init(&sink->base, &ops, config);
}
