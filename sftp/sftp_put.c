#include "sftp_client.h"

#include <string.h>

/* The walk through what is to be sent. WAIT_* await the answer to the walk's one request, the others are steps that may find the file
   system busy, or no room for a request or a file, and are then tried again. */
enum {
    START,
    WAIT_TILDE,
    TARGET,
    WAIT_TARGET,
    MAKE_TARGET,
    WAIT_MADE,
    ITEM,
    ENTRY,
    OPEN,
    OPEN_DIR,
    INFO,
    SEND,
    MAKE,
    WAIT_MAKE,
    CHECK,
    WAIT_CHECK,
    LEAVE,
    WAIT_LEAVE,
    OVER
};

/* ---- Files under way */

static void attrs_of(const struct dory_sftp_client *c, struct sftp_attrs *attrs, uint16_t mode, int64_t mtime, int64_t atime)
{
    struct dory_fs_info info = {.mode = mode, .mtime = mtime, .atime = atime};

    dory_sftp_from_info(attrs, &info);
    attrs->flags = SSH_FILEXFER_ATTR_PERMISSIONS;
    if (c->config.flags & DORY_SFTP_TIMES)
        attrs->flags |= SSH_FILEXFER_ATTR_ACMODTIME;
    else
        attrs->permissions &= 0777;
}

static void announce(struct dory_sftp_client *c, struct dory_sftp_file *f, uint8_t owner)
{
    uint64_t left = f->size - f->next;
    struct sftp_writer w;
    struct dory_sftp_request *r = dory_i_sftp_ask(c, &w, SSH_FXP_WRITE, SFTP_WRITE, owner, SSH_FXP_STATUS);

    r->length = left < c->chunk ? (uint32_t)left : c->chunk;
    dory_sftp_put_string(&w, f->handle.bytes, f->handle.n);
    dory_sftp_put64(&w, f->next);
    dory_sftp_put32(&w, r->length);
    dory_i_sftp_ask_end(c, &w, r);
    dory_sftp_store32(c->out, (uint32_t)(w.p - c->out - 4) + r->length);
    c->body_left = r->length;
    c->body_file = owner;
    c->moving++;
    f->waiting++;
}

/* Mode and times, or, of a file that could not be read to its announced end, its true size. */
static bool finish_there(struct dory_sftp_client *c, struct dory_sftp_file *f, uint8_t owner)
{
    struct sftp_attrs attrs;
    bool cut = f->cut_here;

    attrs_of(c, &attrs, f->mode, f->mtime, f->atime);
    if (cut) {
        attrs.flags = SSH_FILEXFER_ATTR_SIZE;
        attrs.size = f->next;
    } else if (f->error || !(c->config.flags & DORY_SFTP_TIMES)) {
        return false;
    }
    dory_i_sftp_ask_handle(c, SSH_FXP_FSETSTAT, SFTP_SETTING, owner, SSH_FXP_STATUS, &f->handle, &attrs);
    f->waiting++;
    return true;
}

/* Content goes out, then what stays to be said of the file; false: nothing can be done for it now. */
static bool move(struct dory_sftp_client *c, struct dory_sftp_file *f, uint8_t owner)
{
    if (!dory_i_sftp_can_ask(c))
        return false;
    if (!f->error && f->next < f->size) {
        if (c->moving >= DORY_SFTP_MOVING)
            return false;
        announce(c, f, owner);
        return true;
    }
    dory_i_sftp_close(c->config.fs, &f->file);
    if (!f->set && (f->set = true, finish_there(c, f, owner)))
        return true;
    dory_i_sftp_ask_close(c, SFTP_CLOSE, owner, &f->handle);
    f->waiting++;
    f->state = SFTP_FILE_CLOSING;
    return true;
}

static bool step_file(struct dory_sftp_client *c, struct dory_sftp_file *f, uint8_t owner, bool first)
{
    if (first && f->state >= SFTP_FILE_MOVING && !f->shown_begun && f->begun)
        dory_i_sftp_begin(c, f);
    if (f->state == SFTP_FILE_MOVING)
        return move(c, f, owner);
    if (f->state == SFTP_FILE_CLOSING && !f->waiting)
        f->state = SFTP_FILE_DONE;
    if (!first || f->state != SFTP_FILE_DONE)
        return false;
    dory_i_sftp_drop_first(c);
    return true;
}

static void failed_there(struct dory_sftp_client *c, struct dory_sftp_file *f, const struct sftp_answer *a, const char *more)
{
    if (!f->error)
        dory_i_sftp_told(c, f->there, a, more);
    f->error = f->error ? f->error : dory_sftp_error_of(a->status);
}

static void file_answer(struct dory_sftp_client *c, const struct dory_sftp_request *r, const struct sftp_answer *a)
{
    struct dory_sftp_file *f = &c->files[r->owner];
    bool good = a->type == SSH_FXP_HANDLE || a->status == SSH_FX_OK;

    f->waiting--;
    if (r->kind == SFTP_OPEN && good) {
        dory_i_sftp_take_handle(c, &f->handle, a);
        f->state = SFTP_FILE_MOVING;
        f->begun = true;
        return;
    }
    if (r->kind == SFTP_OPEN) {
        failed_there(c, f, a, "");
        dory_i_sftp_close(c->config.fs, &f->file);
        c->handles--;
        f->state = SFTP_FILE_DONE;
        return;
    }
    if (r->kind == SFTP_WRITE) {
        c->moving--;
        if (good)
            dory_i_sftp_advance(c, f, r->length);
    }
    if (!good && r->kind == SFTP_SETTING)
        dory_i_sftp_told(c, f->there, a, " (mode or times could not be set)");
    else if (!good)
        failed_there(c, f, a, " (what is there now is incomplete)");
}

/* File content straight into the buffer for the host; once the file fails, zeros in its place, so that the count holds: they are cut off
   again when all was sent. */
static size_t fill(struct dory_sftp_client *c, uint8_t *buf, size_t cap)
{
    struct dory_sftp_file *f = &c->files[c->body_file];
    long r = (long)cap;

    if (!f->cut_here) {
        r = c->config.fs->ops->read(c->config.fs, f->file, f->next, buf, cap);
        if (r == DORY_E_AGAIN)
            return 0;
        if (r > 0) {
            f->next += (uint64_t)r;
        } else {
            f->cut_here = true;
            f->error = r ? (int)r : DORY_E_CUT;
            dory_i_sftp_error(c, f->shown, dory_strerror(r ? (int)r : DORY_E_SHRANK));
            r = (long)cap;
        }
    }
    if (f->cut_here)
        memset(buf, 0, (size_t)r);
    c->body_left -= (uint32_t)r;
    return (size_t)r;
}

/* ---- The walk */

static void next_object(struct dory_sftp_client *c)
{
    dory_i_sftp_close(c->config.fs, &c->file);
    if (!c->depth)
        dory_i_sftp_close(c->config.fs, &c->dir);
    c->state = c->depth ? ENTRY : ITEM;
}

/* Nothing else can be sent; the answers that are due still come. */
static void give_up(struct dory_sftp_client *c)
{
    dory_i_sftp_close(c->config.fs, &c->file);
    dory_i_sftp_close(c->config.fs, &c->dir);
    c->state = OVER;
}

/* All steps return a negative error, which skips the present object, or DORY_OK; DORY_E_AGAIN where nothing could be done. */
static int start(struct dory_sftp_client *c)
{
    if (!dory_i_sftp_can_ask(c))
        return DORY_E_AGAIN;
    c->state = dory_i_sftp_tilde(c) ? WAIT_TILDE : TARGET;
    return DORY_OK;
}

static int ask_target(struct dory_sftp_client *c)
{
    const char *rest = c->config.path + c->word_at;

    if (!dory_i_sftp_can_ask(c))
        return DORY_E_AGAIN;
    if (!dory_i_sftp_name(c->path, (uint16_t)strlen(c->path), rest, strlen(rest))) {
        dory_i_sftp_error_is(c, c->config.path, DORY_E_NAME);
        give_up(c);
        return DORY_OK;
    }
    dory_i_sftp_ask_path(c, SSH_FXP_STAT, SFTP_WALK, 0, SSH_FXP_ATTRS, c->path, NULL);
    c->state = WAIT_TARGET;
    return DORY_OK;
}

static bool is_dir_there(const struct sftp_answer *a)
{
    return a->type == SSH_FXP_ATTRS && (a->attrs.permissions & SFTP_MODE_TYPE) == SFTP_MODE_DIR;
}

static void into_target(struct dory_sftp_client *c)
{
    c->is_dir = true;
    if (strcmp(c->path, ".") == 0)
        c->path[0] = '\0';
    c->path_at = dory_i_sftp_join(c->path, 0);
}

static void target_is(struct dory_sftp_client *c, const struct sftp_answer *a)
{
    bool there = a->type == SSH_FXP_ATTRS, must = c->config.flags & DORY_SFTP_DIR;

    c->state = ITEM;
    if (is_dir_there(a)) {
        into_target(c);
    } else if (there && must) {
        dory_i_sftp_complain(c, c->path, dory_strerror(DORY_E_NOTDIR));
        give_up(c);
    } else if (!there && a->status != SSH_FX_NO_SUCH_FILE) {
        dory_i_sftp_told(c, c->path, a, "");
        give_up(c);
    } else if (!there && must) {
        c->state = MAKE_TARGET;
    }
    c->target_len = (uint16_t)strlen(c->path);
}

static int ask_mkdir(struct dory_sftp_client *c, uint16_t mode)
{
    struct sftp_attrs attrs;

    attrs_of(c, &attrs, mode, 0, 0);
    attrs.flags = SSH_FILEXFER_ATTR_PERMISSIONS;
    return dory_i_sftp_ask_path(c, SSH_FXP_MKDIR, SFTP_WALK, 0, SSH_FXP_STATUS, c->path, &attrs);
}

static int make_target(struct dory_sftp_client *c)
{
    if (!dory_i_sftp_can_ask(c))
        return DORY_E_AGAIN;
    (void)ask_mkdir(c, 0777); /* a path that was just asked about */
    c->state = WAIT_MADE;
    return DORY_OK;
}

/* What "failure" means nobody knows: then the target is just not there. */
static void target_made(struct dory_sftp_client *c, const struct sftp_answer *a)
{
    struct sftp_answer missing = {.status = SSH_FX_NO_SUCH_FILE};

    c->state = ITEM;
    if (a->status == SSH_FX_OK) {
        into_target(c);
        c->target_len = (uint16_t)strlen(c->path);
        return;
    }
    dory_i_sftp_told(c, c->path, a->status == SSH_FX_FAILURE ? &missing : a, "");
    give_up(c);
}

static int name_there(struct dory_sftp_client *c)
{
    if (!c->depth && !c->is_dir) {
        c->path[c->target_len] = '\0';
        return c->seen ? DORY_E_NOTDIR : DORY_OK;
    }
    return dory_i_sftp_name(c->path, c->path_at, c->name, strlen(c->name)) ? DORY_OK : DORY_E_NAME;
}

static int next_item(struct dory_sftp_client *c)
{
    struct dory_transfer_item item = {.dir = -1, .path = ""};
    int r = c->config.item(c->config.item_ctx, &item);

    if (r == DORY_E_AGAIN)
        return r;
    if (r == 0) {
        give_up(c);
        return DORY_OK;
    }
    dory_i_sftp_show(c, item.path);
    if (r < 0)
        return r;
    c->name = item.name;
    *(item.self ? &c->file : &c->dir) = item.dir;
    c->info.type = DORY_FS_DIR;
    c->state = item.self ? INFO : OPEN;
    r = name_there(c);
    c->seen = true;
    return r;
}

static int next_entry(struct dory_sftp_client *c)
{
    struct dory_fs *fs = c->config.fs;
    char *name = c->shown + c->shown_at;
    int r = fs->ops->next(fs, c->levels[c->depth - 1].dir, name, DORY_NAME_MAX + 1);

    if (r == DORY_E_AGAIN)
        return r;
    c->name = name;
    c->state = r == 1 ? OPEN : LEAVE;
    if (r == 1)
        return name_there(c);
    *name = '\0';
    if (r < 0)
        dory_i_sftp_error_is(c, c->shown, r);
    return DORY_OK;
}

static int open_object(struct dory_sftp_client *c)
{
    struct dory_fs *fs = c->config.fs;
    bool dir = c->state == OPEN_DIR;
    int r = fs->ops->open(fs, c->depth ? c->levels[c->depth - 1].dir : c->dir, c->name, dir ? DORY_FS_OPEN_DIR : DORY_FS_OPEN_READ);

    if (r == DORY_E_ISDIR && !dir) {
        c->state = OPEN_DIR;
        return DORY_OK;
    }
    if (r < 0)
        return r;
    c->file = r;
    c->state = INFO;
    return DORY_OK;
}

static int take_info(struct dory_sftp_client *c)
{
    int r = c->config.fs->ops->info(c->config.fs, c->file, &c->info);
    bool dir = c->info.type == DORY_FS_DIR;

    if (r < 0)
        return r;
    if (dir ? !(c->config.flags & DORY_SFTP_RECURSE) : c->info.type != DORY_FS_FILE)
        return DORY_E_NOTREG;
    if (dir && c->depth == DORY_SFTP_DEPTH_MAX)
        return DORY_E_DEPTH;
    c->state = dir ? MAKE : SEND;
    return DORY_OK;
}

static int send_file(struct dory_sftp_client *c)
{
    struct dory_sftp_file *f;
    struct dory_sftp_request *r;
    struct sftp_attrs attrs;
    struct sftp_writer w;
    uint8_t owner;
    int result;

    if (!dory_i_sftp_can_ask(c) || !dory_i_sftp_has_room(c))
        return DORY_E_AGAIN;
    if (!c->depth && !c->is_dir && c->target_len && c->path[c->target_len - 1] == '/') { /* not every server minds it */
        dory_i_sftp_complain(c, c->path, dory_strerror(DORY_E_NOTDIR));
        next_object(c);
        return DORY_OK;
    }
    dory_i_sftp_file(c, c->file_count, &owner);
    r = dory_i_sftp_ask(c, &w, SSH_FXP_OPEN, SFTP_OPEN, owner, SSH_FXP_HANDLE);
    attrs_of(c, &attrs, c->info.mode, 0, 0);
    attrs.flags = SSH_FILEXFER_ATTR_PERMISSIONS;
    attrs.permissions &= 0777;
    dory_sftp_put_text(&w, c->path);
    dory_sftp_put32(&w, SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_TRUNC);
    dory_sftp_put_attrs(&w, &attrs);
    result = dory_i_sftp_ask_end(c, &w, r);
    if (result < 0)
        return result;
    f = dory_i_sftp_new_file(c);
    f->file = c->file;
    f->waiting = 1;
    c->file = -1;
    c->handles++;
    next_object(c);
    return DORY_OK;
}

/* A directory is made with more than it is to have, as long as it is filled. */
static int make_dir(struct dory_sftp_client *c)
{
    int r;

    if (!dory_i_sftp_can_ask(c))
        return DORY_E_AGAIN;
    r = ask_mkdir(c, (c->info.mode & 0777) | 0700);
    if (r == DORY_OK)
        c->state = WAIT_MAKE;
    return r;
}

static void enter(struct dory_sftp_client *c, bool created)
{
    struct dory_sftp_level *level = &c->levels[c->depth++];

    memset(level, 0, offsetof(struct dory_sftp_level, handle));
    level->dir = c->file;
    level->path_at = c->path_at;
    level->shown_at = c->shown_at;
    level->created = created;
    level->mode = c->info.mode;
    level->mtime = c->info.mtime;
    level->atime = c->info.atime;
    c->file = -1;
    c->path_at = dory_i_sftp_join(c->path, c->path_at);
    c->shown_at = dory_i_sftp_join(c->shown, c->shown_at);
    c->state = ENTRY;
}

static void left(struct dory_sftp_client *c)
{
    const struct dory_sftp_level *level = &c->levels[c->depth - 1];

    c->path_at = level->path_at;
    c->shown_at = level->shown_at;
    dory_i_sftp_leave(c);
    next_object(c);
}

/* Once all of its files are there a directory gets its own mode and times, where that is asked for or it was made with more. */
static int leave(struct dory_sftp_client *c)
{
    struct dory_sftp_level *level = &c->levels[c->depth - 1];
    struct sftp_attrs attrs;

    if (level->pending || !dory_i_sftp_can_ask(c))
        return DORY_E_AGAIN;
    if (!(c->config.flags & DORY_SFTP_TIMES) && (!level->created || (level->mode & 0700) == 0700)) {
        left(c);
        return DORY_OK;
    }
    attrs_of(c, &attrs, level->mode, level->mtime, level->atime);
    c->path[c->path_at] = '\0';
    dory_i_sftp_ask_path(c, SSH_FXP_SETSTAT, SFTP_WALK, 0, SSH_FXP_STATUS, c->path, &attrs);
    c->state = WAIT_LEAVE;
    return DORY_OK;
}

static int check(struct dory_sftp_client *c)
{
    if (!dory_i_sftp_can_ask(c))
        return DORY_E_AGAIN;
    dory_i_sftp_ask_path(c, SSH_FXP_STAT, SFTP_WALK, 0, SSH_FXP_ATTRS, c->path, NULL);
    c->state = WAIT_CHECK;
    return DORY_OK;
}

/* That a directory is there already is said by no status of its own. */
static void checked(struct dory_sftp_client *c, const struct sftp_answer *a)
{
    struct sftp_answer refused = {.status = c->refused};

    if (is_dir_there(a)) {
        enter(c, false);
        return;
    }
    if (a->type == SSH_FXP_ATTRS)
        dory_i_sftp_complain(c, c->path, dory_strerror(DORY_E_NOTDIR));
    else
        dory_i_sftp_told(c, c->path, &refused, "");
    next_object(c);
}

static void walk_answer(struct dory_sftp_client *c, const struct sftp_answer *a)
{
    bool good = a->type != SSH_FXP_STATUS || a->status == SSH_FX_OK;

    switch (c->state) {
    case WAIT_TILDE:
        if (good) {
            dory_i_sftp_tilde_is(c, a);
            c->state = TARGET;
        } else {
            dory_i_sftp_told(c, c->config.path, a, "");
            give_up(c);
        }
        break;
    case WAIT_TARGET: target_is(c, a); break;
    case WAIT_MADE: target_made(c, a); break;
    case WAIT_MAKE:
        if (good)
            enter(c, true);
        else
            c->state = CHECK;
        c->refused = a->status;
        break;
    case WAIT_CHECK: checked(c, a); break;
    default: /* WAIT_LEAVE */
        if (!good)
            dory_i_sftp_told(c, c->path, a, " (mode or times could not be set)");
        left(c);
    }
}

static int walk(struct dory_sftp_client *c)
{
    switch (c->state) {
    case START: return start(c);
    case TARGET: return ask_target(c);
    case MAKE_TARGET: return make_target(c);
    case ITEM: return next_item(c);
    case ENTRY: return next_entry(c);
    case OPEN:
    case OPEN_DIR: return open_object(c);
    case INFO: return take_info(c);
    case SEND: return send_file(c);
    case MAKE: return make_dir(c);
    case CHECK: return check(c);
    case LEAVE: return leave(c);
    default: return DORY_E_AGAIN;
    }
}

static bool step(struct dory_sftp_client *c)
{
    uint8_t owner;
    int r;

    for (unsigned i = 0; i < c->file_count; i++) {
        struct dory_sftp_file *f = dory_i_sftp_file(c, i, &owner);

        if (step_file(c, f, owner, i == 0))
            return true;
    }
    r = walk(c);
    if (r == DORY_E_AGAIN) {
        if (c->state != OVER || c->file_count || c->asked)
            return false;
        dory_i_sftp_release(c);
        return true;
    }
    if (r < 0) {
        dory_i_sftp_error_is(c, c->shown, r);
        next_object(c);
    }
    return true;
}

static void answer(struct dory_sftp_client *c, const struct dory_sftp_request *r, const struct sftp_answer *a)
{
    if (r->kind == SFTP_WALK)
        walk_answer(c, a);
    else
        file_answer(c, r, a);
}

static const struct dory_sftp_engine engine = {.step = step, .answer = answer, .fill = fill};

void dory_sftp_put_init(struct dory_sftp_put *put, const struct dory_sftp_client_config *config)
{
    dory_i_sftp_init(&put->base, &engine, config);
}
