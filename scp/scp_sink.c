#include "scp_sink.h"
#include "dory_path.h"

#include <string.h>

/* RECORD, DATA and VERDICT (the source's word after the data) await bytes from the peer; the others are steps that may find the
   file system busy and are then tried again, from TREE on in scp_tree.c. Errors before RECORD are fatal, later ones are the answer to the
   present record. */
enum { TARGET, PROBE, RECORD, CREATE, DATA, VERDICT, COMMIT };
_Static_assert((int)COMMIT < (int)SCP_SINK_TREE, "states of scp_tree.c follow those of the sink");

static struct dory_scp *scp_of(struct dory_stream *stream)
{
    return (struct dory_scp *)stream;
}

/* The one answer to the present record; the next may come. */
void dory_i_scp_answer(struct dory_scp *scp, int error)
{
    if (error)
        dory_scp_complain(scp, error);
    else
        dory_scp_say_good(scp);
    scp->present.times = false;
    if (scp->state < RECORD && error)
        dory_scp_release(scp);
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
        return DORY_E_AMBIGUOUS;
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
    dory_i_scp_answer(scp, DORY_OK);
    return DORY_OK;
}

/* Where the present object goes: its name for the file system and its path for messages. */
static bool place(struct dory_scp *scp, const char *name)
{
    if (at_target(scp)) {
        scp->path[scp->target_len] = '\0';
        scp->name = scp->target_name;
        return true;
    }
    scp->name = scp->path + scp->prefix;
    return dory_scp_copy(scp->path + scp->prefix, name, DORY_NAME_MAX);
}

const char *dory_i_scp_store(struct dory_scp *scp, const char *name, uint8_t state)
{
    int r = DORY_OK;

    if (scp->depth == 0 && scp->config.names && !scp->config.asked_for(&scp->config, name, !scp->seen))
        return "filename does not match request";

    scp->seen = true;
    scp->state = state;
    if (!place(scp, name))
        r = DORY_E_NAME;
    else if (state == CREATE && scp->slash && at_target(scp))
        r = DORY_E_NOTDIR;
    if (r)
        dory_i_scp_answer(scp, r);
    return NULL;
}

static void take_record(struct dory_scp *scp)
{
    const struct dory_scp_tree *tree = scp->config.tree;
    char kind = scp->line[0];
    const char *name = "", *wrong = dory_i_scp_parse(scp, &name);

    if (wrong) {
        dory_scp_told(scp); /* often what a login script of the peer printed: the person should see it */
    } else if (kind == 'T') {
        dory_i_scp_answer(scp, DORY_OK);
        scp->present.times = true;
    } else if (kind == 'C') {
        wrong = strcmp(name, ".") == 0 ? "unexpected filename" : dory_i_scp_store(scp, name, CREATE);
    } else if (tree) {
        wrong = tree->take(scp, kind, name);
    } else {
        dory_i_scp_answer(scp, DORY_E_NOSYS);
    }

    if (wrong)
        dory_scp_protocol_error(scp, wrong);
    else if (!scp->sending)
        scp->line_len = 0;
}

unsigned dory_i_scp_settings(const struct dory_scp *scp, const struct dory_scp_level *level)
{
    if (!(scp->config.flags & DORY_SCP_TIMES))
        return 0;
    return level->times ? DORY_FS_SET_MODE | DORY_FS_SET_TIMES : DORY_FS_SET_MODE;
}

static int create_file(struct dory_scp *scp)
{
    struct dory_fs *fs = scp->config.fs;
    int r = fs->ops->create(fs, dory_scp_dir(scp), scp->name, scp->present.info.mode & 0777, scp->present.info.size);

    if (r < 0)
        return r;
    scp->file = r;
    dory_scp_begin(scp);
    dory_scp_say_good(scp);
    scp->state = scp->present.info.size ? DATA : VERDICT;
    return DORY_OK;
}

static int commit_file(struct dory_scp *scp)
{
    struct dory_fs *fs = scp->config.fs;
    unsigned set = dory_i_scp_settings(scp, &scp->present);
    int r = scp->error;

    if (!r)
        r = fs->ops->commit(fs, scp->file, set, &scp->present.info);
    if (r == DORY_E_AGAIN)
        return r;
    scp->file = -1;
    dory_scp_done(scp, r < 0 ? r : DORY_OK);
    dory_i_scp_answer(scp, r > 0 ? DORY_E_ATTRS : r);
    return DORY_OK;
}

/* The peer will say nothing more, and everything that it said was taken. */
static void finish(struct dory_scp *scp)
{
    if (scp->state != RECORD || scp->depth || scp->line_len)
        dory_scp_tell(scp, dory_strerror(DORY_E_CUT));
    else if (scp->config.names && !scp->seen && !scp->failed)
        dory_scp_tell(scp, "the peer sent nothing");
    dory_scp_release(scp);
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
    case RECORD:
    case DATA:
    case VERDICT:
        if (!scp->cut)
            return false;
        finish(scp);
        break;
    default: r = scp->config.tree->step(scp);
    }
    if (r == DORY_E_AGAIN)
        return false;
    if (r < 0)
        dory_i_scp_answer(scp, r);
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

/* Straight from the peer's buffer into the file system; what comes behind a failure is dropped, so that the stream stays in step. */
static size_t take_data(struct dory_scp *scp, const uint8_t *bytes, size_t n)
{
    uint64_t left = scp->present.info.size - scp->done;

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
            dory_scp_drop(scp, scp->error);
        }
    }
    if (scp->error)
        scp->done += n;
    if (scp->done == scp->present.info.size)
        scp->state = VERDICT;
    return n;
}

/* A record, or after the data the source's verdict on it. */
static size_t take_words(struct dory_scp *scp, const uint8_t *bytes, size_t n)
{
    size_t used;

    switch (dory_scp_hear(scp, bytes, n, &used, scp->state == RECORD ? SCP_HEARD_LINE : SCP_HEARD_GOOD)) {
    case SCP_HEARD_LINE: take_record(scp); break;
    case SCP_HEARD_GOOD: scp->state = COMMIT; break;
    case SCP_HEARD_ERROR:
        if (scp->state == RECORD)
            break;
        dory_scp_drop(scp, DORY_E_IO);
        dory_i_scp_answer(scp, scp->error);
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
        else if (scp->state == VERDICT || scp->state == RECORD)
            used = take_words(scp, bytes + taken, n - taken);
        if (!used)
            return taken;
        taken += used;
    }
    return n;
}

static void eof(struct dory_stream *stream)
{
    scp_of(stream)->cut = true;
}

static const struct dory_stream_ops ops = {.push = push, .pull = pull, .eof = eof, .stop = dory_scp_stop, .status = dory_scp_status};

void dory_scp_sink_init(struct dory_scp_sink *sink, const struct dory_scp_config *config)
{
    dory_scp_init(&sink->base, &ops, config, config->fs->ops->abort);
}
