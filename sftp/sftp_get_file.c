#include "sftp_get.h"

#include <string.h>

unsigned dory_i_sftp_settings(const struct dory_sftp_client *c, bool times)
{
    if (!(c->config.flags & DORY_SFTP_TIMES))
        return 0;
    return times ? DORY_FS_SET_MODE | DORY_FS_SET_TIMES : DORY_FS_SET_MODE;
}

int dory_i_sftp_fetch(struct dory_sftp_client *c)
{
    struct dory_sftp_file *f;
    struct dory_sftp_request *r;
    struct sftp_writer w;
    uint8_t owner;
    int result;

    if (!dory_i_sftp_can_ask(c) || !dory_i_sftp_has_room(c))
        return DORY_E_AGAIN;
    dory_i_sftp_file(c, c->file_count, &owner);
    r = dory_i_sftp_ask(c, &w, SSH_FXP_OPEN, SFTP_OPEN, owner, SSH_FXP_HANDLE);
    dory_sftp_put_text(&w, c->path);
    dory_sftp_put32(&w, SSH_FXF_READ);
    dory_sftp_put32(&w, 0);
    result = dory_i_sftp_ask_end(c, &w, r);
    if (result < 0)
        return result;
    f = dory_i_sftp_new_file(c);
    f->times = c->times;
    f->waiting = 1;
    c->handles++;
    return DORY_OK;
}

static void read_from(struct dory_sftp_client *c, struct dory_sftp_file *f, uint8_t owner, uint64_t offset, uint32_t n)
{
    struct sftp_writer w;
    struct dory_sftp_request *r = dory_i_sftp_ask(c, &w, SSH_FXP_READ, SFTP_READ, owner, SSH_FXP_DATA);

    r->offset = offset;
    r->length = n;
    dory_sftp_put_string(&w, f->handle.bytes, f->handle.n);
    dory_sftp_put64(&w, offset);
    dory_sftp_put32(&w, n);
    dory_i_sftp_ask_end(c, &w, r);
}

/* What came short is asked for again, and less at once from then on: a host that gives less than it is asked for would make holes of all
   that was asked for ahead. */
static bool read_again(struct dory_sftp_client *c)
{
    for (unsigned i = 0; c->again && i < DORY_SFTP_REQUESTS; i++) {
        struct dory_sftp_request r = c->requests[i];
        struct dory_sftp_file *f;

        if (r.kind != SFTP_READ_AGAIN)
            continue;
        f = &c->files[r.owner];
        c->requests[i].kind = SFTP_FREE;
        c->asked--;
        c->again--;
        if (f->size && r.length < c->chunk)
            c->chunk = c->chunk - r.length > 1024 ? c->chunk - r.length : 1024;
        if (f->error || f->rewind) {
            c->moving--;
            f->waiting--;
            return true;
        }
        read_from(c, f, r.owner, r.offset, r.length);
        return true;
    }
    return false;
}

static int create(struct dory_sftp_client *c, struct dory_sftp_file *f)
{
    int dir = f->level ? c->levels[f->level - 1].dir : -1, r;

    c->about = (struct dory_fs_info){.type = DORY_FS_FILE, .mode = f->mode, .size = f->size, .mtime = f->mtime, .atime = f->atime};
    r = c->config.fs->ops->create(c->config.fs, dir >= 0 ? dir : c->dir, f->shown + f->name_at, f->mode & 0777, f->size);
    if (r == DORY_E_AGAIN)
        return r;
    if (r < 0) {
        f->error = r;
        dory_i_sftp_error_is(c, f->shown, r);
    } else {
        f->file = r;
        f->begun = true;
    }
    f->state = SFTP_FILE_MOVING;
    return r;
}

/* Asks for more of it; false: nothing is to be asked for now. A file without a size (they are found in /proc, and at hosts that tell none)
   is read until its end comes. */
static bool ask_more(struct dory_sftp_client *c, struct dory_sftp_file *f, uint8_t owner)
{
    uint64_t left;
    uint32_t n;

    if (f->rewind && !f->waiting) {
        f->next = f->done;
        f->rewind = false;
    }
    left = f->size - f->next;
    n = f->size && left < c->chunk ? (uint32_t)left : c->chunk;
    if (f->error || f->rewind || !dory_i_sftp_can_ask(c) || c->moving >= DORY_SFTP_MOVING)
        return false;
    if (f->size ? !left : f->waiting || f->set)
        return false;
    read_from(c, f, owner, f->size ? f->next : f->done, n);
    f->next += n;
    f->waiting++;
    c->moving++;
    return true;
}

static bool is_whole(const struct dory_sftp_file *f)
{
    return f->size ? f->done == f->size : f->set;
}

static bool commit(struct dory_sftp_client *c, struct dory_sftp_file *f)
{
    struct dory_fs_info info = {.mode = f->mode, .mtime = f->mtime, .atime = f->atime};
    int r = f->error;

    if (!r)
        r = c->config.fs->ops->commit(c->config.fs, f->file, dory_i_sftp_settings(c, f->times), &info);
    if (r == DORY_E_AGAIN)
        return false;
    if (!f->error) {
        f->file = -1;
        f->error = r < 0 ? r : DORY_OK;
        if (r)
            dory_i_sftp_error(c, f->shown, dory_strerror(r < 0 ? r : DORY_E_ATTRS));
    }
    dory_i_sftp_abort(c->config.fs, &f->file);
    if (!f->size && !f->error)
        f->size = f->done;
    dory_i_sftp_drop_first(c);
    return true;
}

static bool step_file(struct dory_sftp_client *c, struct dory_sftp_file *f, uint8_t owner, bool first)
{
    if (first && f->begun && !f->shown_begun)
        dory_i_sftp_begin(c, f);
    switch (f->state) {
    case SFTP_FILE_OPEN: return (first || !c->config.in_order) && create(c, f) != DORY_E_AGAIN;
    case SFTP_FILE_MOVING:
        if (!f->waiting && (f->error || is_whole(f))) {
            f->state = SFTP_FILE_CLOSING;
            return true;
        }
        return ask_more(c, f, owner);
    case SFTP_FILE_CLOSING:
        if (!dory_i_sftp_can_ask(c))
            return false;
        dory_i_sftp_ask_close(c, SFTP_FORGOTTEN, owner, &f->handle);
        f->state = SFTP_FILE_DONE;
        return true;
    case SFTP_FILE_DONE: return first && commit(c, f);
    default: return false;
    }
}

bool dory_i_sftp_get_file_step(struct dory_sftp_client *c)
{
    uint8_t owner;

    if (c->again && dory_i_sftp_can_ask(c) && read_again(c))
        return true;
    for (unsigned i = 0; i < c->file_count; i++) {
        struct dory_sftp_file *f = dory_i_sftp_file(c, i, &owner);

        if (step_file(c, f, owner, i == 0))
            return true;
    }
    return false;
}

static void failed_there(struct dory_sftp_client *c, struct dory_sftp_file *f, const struct sftp_answer *a)
{
    bool short_of = a->status == SSH_FX_EOF;

    if (!f->error && short_of)
        dory_i_sftp_complain(c, f->there, dory_strerror(DORY_E_SHRANK));
    else if (!f->error)
        dory_i_sftp_told(c, f->there, a, "");
    f->error = f->error ? f->error : dory_sftp_error_of(a->status);
}

void dory_i_sftp_get_file_answer(struct dory_sftp_client *c, const struct dory_sftp_request *r, const struct sftp_answer *a)
{
    struct dory_sftp_file *f = &c->files[r->owner];

    f->waiting--;
    if (r->kind == SFTP_OPEN && a->type == SSH_FXP_HANDLE) {
        dory_i_sftp_take_handle(c, &f->handle, a);
        f->state = SFTP_FILE_OPEN;
    } else if (r->kind == SFTP_OPEN) {
        failed_there(c, f, a);
        c->handles--;
        f->state = SFTP_FILE_DONE;
    } else {
        c->moving--;
        if (a->type != SSH_FXP_STATUS)
            return;
        if (a->status == SSH_FX_EOF && !f->size)
            f->set = true;
        else
            failed_there(c, f, a);
    }
}

/* Straight from the host's packet into the file system. What comes behind a failure is dropped, and so is what comes too early for a file
   system that wants content in its order; then all is asked for again from there, once nothing is under way. */
size_t dory_i_sftp_get_data(struct dory_sftp_client *c, struct dory_sftp_request *r, const uint8_t *bytes, size_t n)
{
    struct dory_sftp_file *f = &c->files[r->owner];
    long took;

    if (c->config.in_order && r->offset != f->done) {
        f->rewind = true;
        r->length = 0;
    }
    if (f->error || !r->length)
        return n;
    took = c->config.fs->ops->write(c->config.fs, f->file, r->offset, bytes, n);
    if (took == DORY_E_AGAIN || took == 0)
        return 0;
    if (took < 0) {
        f->error = (int)took;
        dory_i_sftp_error_is(c, f->shown, f->error);
        dory_i_sftp_abort(c->config.fs, &f->file);
        return n;
    }
    r->offset += (uint64_t)took;
    r->length -= (uint32_t)took;
    dory_i_sftp_advance(c, f, (uint64_t)took);
    return (size_t)took;
}
