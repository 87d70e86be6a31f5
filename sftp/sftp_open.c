/* OPEN and CLOSE, and what is open. */
#include "sftp_internal.h"

#include <string.h>

/* Steps of an OPEN: what is there, a new file, its appearance at once (where an upload cannot be), the file in place, its emptying. */
enum { LOOK, CREATE, APPEAR, PLACE, EMPTY, OPENED };

/* ---- handles */

uint32_t dory_sftp_handle_number(const struct dory_sftp_server *s, unsigned i)
{
    return (uint32_t)s->handles[i].serial << 8 | i;
}

struct dory_sftp_handle *dory_sftp_handle(struct dory_sftp_server *s, uint32_t number)
{
    uint32_t i = number & 0xFF;

    return i < DORY_SFTP_HANDLES && s->handles[i].flags && dory_sftp_handle_number(s, i) == number ? &s->handles[i] : NULL;
}

static int free_slot(const struct dory_sftp_server *s)
{
    for (int i = 0; i < DORY_SFTP_HANDLES; i++)
        if (!s->handles[i].flags)
            return i;
    return DORY_E_NFILE;
}

bool dory_sftp_handle_free(const struct dory_sftp_server *s)
{
    return free_slot(s) >= 0;
}

/* A hash of where a path leads by its words, so that ways of writing it are one. */
static uint32_t identify(struct sftp_slice path)
{
    struct dory_path_part part;
    uint32_t identity = 2166136261u;

    for (size_t at = 0; dory_path_part((const char *)path.p, path.n, at, true, &part) == 1; at = part.next)
        for (size_t i = 0; i <= part.n; i++) identity = (identity ^ (i < part.n ? (uint8_t)part.text[i] : '/')) * 16777619u;
    return identity;
}

struct dory_sftp_handle *dory_sftp_upload(struct dory_sftp_server *s, struct sftp_slice path)
{
    uint32_t identity = identify(path);

    for (int i = 0; i < DORY_SFTP_HANDLES; i++)
        if (s->handles[i].flags & SFTP_UPLOAD && s->handles[i].identity == identity)
            return &s->handles[i];
    return NULL;
}

void dory_sftp_handle_new(struct dory_sftp_server *s, int fs_handle, uint8_t flags, struct sftp_slice path)
{
    int i = free_slot(s);
    struct dory_sftp_handle *h = &s->handles[i];
    const struct dory_sftp_events *events = s->config.events;

    h->fs = fs_handle;
    h->serial++;
    h->flags = flags;
    h->error = DORY_OK;
    h->set = 0;
    h->identity = identify(path);
    s->file = (uint8_t)i;
    s->answer = SFTP_HANDLE;
    if (events->opened && !(flags & SFTP_IS_DIR))
        events->opened(s->config.events_ctx, (unsigned)i, (const char *)path.p, path.n, flags & SFTP_MAY_WRITE);
}

static void gone(struct dory_sftp_server *s, struct dory_sftp_handle *h, int status)
{
    const struct dory_sftp_events *events = s->config.events;
    struct dory_fs *fs = s->config.fs;
    uint8_t flags = h->flags;

    if (flags >= SFTP_SPARE)
        dory_fs_drop(fs, flags & SFTP_SPARE ? fs->ops->abort : fs->ops->close, &h->spare);
    h->flags = 0;
    if (events->closed && !(flags & SFTP_IS_DIR))
        events->closed(s->config.events_ctx, (unsigned)(h - s->handles), status);
}

void dory_sftp_release(struct dory_sftp_server *s)
{
    struct dory_fs *fs = s->config.fs;

    for (int i = 0; i < DORY_SFTP_HANDLES; i++) {
        struct dory_sftp_handle *h = &s->handles[i];
        bool upload = h->flags & SFTP_UPLOAD;

        if (!h->flags)
            continue;
        s->failed |= upload;
        dory_fs_drop(fs, upload ? fs->ops->abort : fs->ops->close, &h->fs);
        gone(s, h, upload ? DORY_E_CUT : DORY_OK);
    }
    for (int i = 0; i < SFTP_OPENS; i++) dory_fs_drop(fs, i == SFTP_MADE && s->creating ? fs->ops->abort : fs->ops->close, &s->open[i]);
}

/* ---- OPEN */

static uint8_t flags_of(uint32_t pflags)
{
    uint8_t flags = 0;

    if (pflags & SSH_FXF_READ || !(pflags & SSH_FXF_WRITE))
        flags |= SFTP_MAY_READ;
    if (pflags & SSH_FXF_WRITE)
        flags |= SFTP_MAY_WRITE;
    if (pflags & SSH_FXF_APPEND)
        flags |= SFTP_AT_END;
    return flags;
}

/* What is there decides how it goes on. */
static int look(struct dory_sftp_server *s, struct sftp_slice path, uint32_t pflags)
{
    struct dory_fs *fs = s->config.fs;
    bool must_be_new = pflags & SSH_FXF_CREAT && pflags & SSH_FXF_EXCL, there;
    int r;

    s->step = PLACE;
    if (!(pflags & (SSH_FXF_CREAT | SSH_FXF_TRUNC)))
        return DORY_OK;
    r = fs->ops->lookup(fs, s->open[SFTP_DIR], s->name, !must_be_new, &s->info);
    there = r >= 0;
    if (must_be_new && (there || dory_sftp_upload(s, path)))
        r = DORY_E_EXIST;
    if (r < 0 && (r != DORY_E_NOENT || !(pflags & SSH_FXF_CREAT))) {
        s->step = LOOK;
        return r;
    }
    if (!there || (pflags & SSH_FXF_TRUNC && flags_of(pflags) == SFTP_MAY_WRITE))
        s->step = CREATE;
    return DORY_OK;
}

/* A file under a temporary identity: an upload where its writer neither reads it nor means to go on with it some other time. */
static int create(struct dory_sftp_server *s, const struct sftp_request *request)
{
    const struct sftp_attrs *attrs = &request->attrs;
    uint16_t mode = attrs->flags & SSH_FILEXFER_ATTR_PERMISSIONS ? (uint16_t)(attrs->permissions & 07777) : 0666;
    uint8_t flags = flags_of(request->flags);
    int r = s->config.fs->ops->create(s->config.fs, s->open[SFTP_DIR], s->name, mode, UINT64_MAX);

    if (r < 0)
        return r;
    s->step = APPEAR;
    s->open[SFTP_MADE] = r;
    s->creating = true;
    if (flags == SFTP_MAY_WRITE) {
        flags |= SFTP_UPLOAD;
        if (request->flags & SSH_FXF_EXCL)
            flags |= SFTP_NEW;
        s->open[SFTP_MADE] = -1;
        s->step = OPENED;
        dory_sftp_handle_new(s, r, flags, request->path);
    }
    return DORY_OK;
}

static int appear(struct dory_sftp_server *s, uint32_t pflags)
{
    int r = s->config.fs->ops->commit(s->config.fs, s->open[SFTP_MADE], DORY_FS_COMMIT_NEW, NULL);

    if (r == DORY_E_AGAIN)
        return r;
    s->open[SFTP_MADE] = -1;
    s->step = PLACE;
    return r == DORY_E_EXIST && !(pflags & SSH_FXF_EXCL) ? DORY_OK : r;
}

static int place(struct dory_sftp_server *s, const struct sftp_request *request)
{
    struct dory_fs *fs = s->config.fs;
    uint8_t flags = flags_of(request->flags);
    bool undecided = flags == SFTP_MAY_WRITE && request->flags & SSH_FXF_CREAT;
    int r;

    s->creating = false;
    if (undecided && s->config.rewrite)
        r = s->config.rewrite->open(s);
    else
        r = fs->ops->open(fs, s->open[SFTP_DIR], s->name, flags & (DORY_FS_OPEN_READ | DORY_FS_OPEN_WRITE));
    if (r == DORY_E_NOSYS && undecided) { /* nothing is written in place, as in flash: the client gets what it most likely wants */
        s->step = CREATE;
        return create(s, request);
    }
    if (r < 0)
        return r;
    s->open[SFTP_MADE] = r;
    s->step = EMPTY;
    return DORY_OK;
}

static int empty(struct dory_sftp_server *s, const struct sftp_request *request)
{
    uint8_t flags = flags_of(request->flags);
    int r = DORY_OK;

    s->info.size = 0;
    if (request->flags & SSH_FXF_TRUNC && flags & SFTP_MAY_WRITE)
        r = SFTP_CALL(s, setinfo, s->open[SFTP_MADE], DORY_FS_SET_SIZE, &s->info);
    if (r < 0)
        return r;
    if (s->open[SFTP_FROM] >= 0)
        flags |= SFTP_SPARE;
    dory_sftp_handle_new(s, s->open[SFTP_MADE], flags, request->path);
    s->handles[s->file].spare = s->open[SFTP_FROM];
    s->open[SFTP_MADE] = s->open[SFTP_FROM] = -1;
    s->step = OPENED;
    return DORY_OK;
}

int dory_sftp_open(struct dory_sftp_server *s, const struct sftp_request *request)
{
    int r = DORY_OK;

    if (!request->named)
        return DORY_E_ISDIR;
    if (!dory_sftp_handle_free(s))
        return DORY_E_NFILE;
    if (s->step == LOOK)
        r = look(s, request->path, request->flags);
    if (r >= 0 && s->step == CREATE)
        r = create(s, request);
    if (r >= 0 && s->step == APPEAR)
        r = appear(s, request->flags);
    if (r >= 0 && s->step == PLACE)
        r = place(s, request);
    if (r >= 0 && s->step == EMPTY)
        r = empty(s, request);
    return r < 0 ? r : DORY_OK;
}

/* ---- of what is open */

static void overlay(const struct dory_sftp_handle *h, struct dory_fs_info *info)
{
    if (h->set & DORY_FS_SET_MODE)
        info->mode = h->mode;
    if (h->set & DORY_FS_SET_TIMES) {
        info->mtime = h->mtime;
        info->atime = h->atime;
    }
}

int dory_sftp_handle_info(struct dory_sftp_server *s, const struct dory_sftp_handle *h, struct dory_fs_info *info)
{
    int r = s->config.fs->ops->info(s->config.fs, h->fs, info);

    if (r >= 0)
        overlay(h, info);
    return r;
}

/* What the present call means to a file that may be replaced; DORY_OK for others. */
int dory_sftp_reach(struct dory_sftp_server *s, struct dory_sftp_handle *h, uint64_t offset, bool last)
{
    return h->flags >= SFTP_SPARE ? s->config.rewrite->reach(s, h, offset, last) : DORY_OK;
}

/* Mode and times of an upload are for its CLOSE, because writing changes the one and replacing a file the other. */
int dory_sftp_handle_set(struct dory_sftp_server *s, struct dory_sftp_handle *h, const struct sftp_attrs *attrs)
{
    unsigned set = dory_sftp_settings(attrs), later;
    struct dory_fs_info info;
    int r = set & DORY_FS_SET_SIZE ? dory_sftp_reach(s, h, attrs->size, true) : DORY_OK;

    later = h->flags & SFTP_UPLOAD ? set & (DORY_FS_SET_MODE | DORY_FS_SET_TIMES) : 0;
    dory_sftp_to_settings(&info, attrs);
    if (r >= 0 && set & ~later)
        r = SFTP_CALL(s, setinfo, h->fs, set & ~later, &info);
    if (r < 0)
        return r;
    h->set |= (uint8_t)later;
    if (later & DORY_FS_SET_MODE)
        h->mode = info.mode;
    if (later & DORY_FS_SET_TIMES) {
        h->mtime = attrs->mtime;
        h->atime = attrs->atime;
    }
    return DORY_OK;
}

int dory_sftp_close(struct dory_sftp_server *s, const struct sftp_request *request)
{
    struct dory_fs *fs = s->config.fs;
    struct dory_sftp_handle *h = request->handle;
    struct dory_fs_info info;
    int r = dory_sftp_reach(s, h, UINT64_MAX, true);

    if (r == DORY_E_AGAIN)
        return r;
    memset(&info, 0, sizeof info);
    overlay(h, &info);
    if (!(h->flags & SFTP_UPLOAD))
        r = fs->ops->close(fs, h->fs);
    else if (h->error)
        r = fs->ops->abort(fs, h->fs);
    else
        r = fs->ops->commit(fs, h->fs, h->set | (h->flags & SFTP_NEW ? (unsigned)DORY_FS_COMMIT_NEW : 0), &info);
    if (r == DORY_E_AGAIN)
        return r;
    if (h->error)
        r = h->error;
    gone(s, h, r < 0 ? r : DORY_OK);
    return r > 0 ? SFTP_HALF : r;
}
