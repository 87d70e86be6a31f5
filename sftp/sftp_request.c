/* Requests: taken apart, executed, their directories closed again. */
#include "sftp_internal.h"

#include <string.h>

/* ---- ways through the tree */

static bool to_name(char name[DORY_NAME_MAX + 1], const struct dory_path_part *part)
{
    if (part->n > DORY_NAME_MAX || memchr(part->text, 0, part->n))
        return false;
    memcpy(name, part->text, part->n);
    name[part->n] = '\0';
    return true;
}

int dory_sftp_walk(struct dory_sftp_server *s, struct sftp_slice path, char name[DORY_NAME_MAX + 1])
{
    struct dory_fs *fs = s->config.fs;
    struct dory_path_part part;
    int r;

    if (s->open[SFTP_DIR] < 0) {
        s->open[SFTP_DIR] = fs->ops->root(fs);
        s->at = 0;
    }
    if (s->open[SFTP_DIR] < 0)
        return s->open[SFTP_DIR];
    for (;;) {
        if (s->open[SFTP_BELOW] >= 0) {
            if (fs->ops->close(fs, s->open[SFTP_DIR]) == DORY_E_AGAIN)
                return DORY_E_AGAIN;
            s->open[SFTP_DIR] = s->open[SFTP_BELOW];
            s->open[SFTP_BELOW] = -1;
        }
        r = dory_path_part((const char *)path.p, path.n, s->at, true, &part);
        if (r <= 0)
            return r;
        if (!to_name(name, &part))
            return DORY_E_NAME;
        if (part.last)
            return 1;
        r = fs->ops->open(fs, s->open[SFTP_DIR], name, DORY_FS_OPEN_DIR);
        if (r < 0)
            return r;
        s->open[SFTP_BELOW] = r;
        s->at = part.next;
    }
}

/* Closes what the request needed. */
static int leave(struct dory_sftp_server *s)
{
    struct dory_fs *fs = s->config.fs;

    for (int i = 0; i < SFTP_OPENS; i++) {
        if (s->open[i] >= 0 && (s->creating ? fs->ops->abort : fs->ops->close)(fs, s->open[i]) == DORY_E_AGAIN)
            return DORY_E_AGAIN;
        s->creating = false; /* that was the first one */
        s->open[i] = -1;
    }
    return DORY_OK;
}

/* ---- requests by handle */

static int init(struct dory_sftp_server *s, const struct sftp_request *request)
{
    (void)request;
    s->id = SFTP_VERSION;
    s->answer = SFTP_VERSIONS;
    return DORY_OK;
}

static int read(struct dory_sftp_server *s, const struct sftp_request *request)
{
    const struct dory_sftp_handle *h = request->handle;
    uint64_t n;
    int r;

    if (!(h->flags & SFTP_MAY_READ))
        return DORY_E_ACCESS;
    r = s->config.fs->ops->info(s->config.fs, h->fs, &s->info);
    if (r < 0)
        return r;
    if (request->offset >= s->info.size || !request->length)
        return SFTP_END;
    n = s->info.size - request->offset;
    if (n > request->length)
        n = request->length;
    s->length = n < DORY_SFTP_READ_MAX ? (uint32_t)n : DORY_SFTP_READ_MAX;
    s->offset = request->offset;
    s->file = (uint8_t)(h - s->handles);
    s->answer = SFTP_DATA;
    return DORY_OK;
}

static int fstat(struct dory_sftp_server *s, const struct sftp_request *request)
{
    s->answer = SFTP_ATTRS;
    return dory_sftp_handle_info(s, request->handle, &s->info);
}

static int fsetstat(struct dory_sftp_server *s, const struct sftp_request *request)
{
    return dory_sftp_handle_set(s, request->handle, &request->attrs);
}

static int readdir(struct dory_sftp_server *s, const struct sftp_request *request)
{
    if (!(request->handle->flags & SFTP_IS_DIR))
        return DORY_E_NOTDIR;
    s->file = (uint8_t)(request->handle - s->handles);
    s->answer = SFTP_NAMES;
    return DORY_OK;
}

static int fsync(struct dory_sftp_server *s, const struct sftp_request *request)
{
    return SFTP_CALL(s, sync, request->handle->fs);
}

/* ---- requests by name */

/* STAT and LSTAT */
static int stat(struct dory_sftp_server *s, const struct sftp_request *request)
{
    const struct dory_sftp_handle *upload = dory_sftp_upload(s, request->path);
    struct dory_fs *fs = s->config.fs;
    int dir = s->open[SFTP_DIR];

    s->answer = SFTP_ATTRS;
    if (upload)
        return dory_sftp_handle_info(s, upload, &s->info);
    return request->named ? fs->ops->lookup(fs, dir, s->name, request->type == SSH_FXP_STAT, &s->info) : fs->ops->info(fs, dir, &s->info);
}

static int setstat(struct dory_sftp_server *s, const struct sftp_request *request)
{
    struct dory_sftp_handle *upload = dory_sftp_upload(s, request->path);
    unsigned set = dory_sftp_settings(&request->attrs), how;
    int r = request->named;

    if (upload)
        return dory_sftp_handle_set(s, upload, &request->attrs);
    /* A directory, a file that may be read, or perhaps one that may only be written. */
    while (r > 0 && s->open[SFTP_MADE] < 0) {
        how = s->step == 0 ? DORY_FS_OPEN_DIR : s->step > 1 || set & DORY_FS_SET_SIZE ? DORY_FS_OPEN_WRITE : DORY_FS_OPEN_READ;
        r = s->config.fs->ops->open(s->config.fs, s->open[SFTP_DIR], s->name, how);
        s->open[SFTP_MADE] = r;
        if (r < 0 && r != DORY_E_AGAIN && s->step++ < 2)
            r = 1;
    }
    if (r < 0)
        return r;
    dory_sftp_to_settings(&s->info, &request->attrs);
    return set ? SFTP_CALL(s, setinfo, s->open[s->open[SFTP_MADE] >= 0 ? SFTP_MADE : SFTP_DIR], set, &s->info) : DORY_OK;
}

static int opendir(struct dory_sftp_server *s, const struct sftp_request *request)
{
    int r = s->open[SFTP_DIR];

    if (!dory_sftp_handle_free(s))
        return DORY_E_NFILE;
    if (request->named)
        r = s->config.fs->ops->open(s->config.fs, r, s->name, DORY_FS_OPEN_DIR);
    else
        s->open[SFTP_DIR] = -1;
    if (r >= 0)
        dory_sftp_handle_new(s, r, SFTP_IS_DIR, request->path);
    return r < 0 ? r : DORY_OK;
}

/* REMOVE and RMDIR */
static int remove(struct dory_sftp_server *s, const struct sftp_request *request)
{
    struct dory_fs *fs = s->config.fs;
    int (*how)(struct dory_fs *, int, const char *) = request->type == SSH_FXP_REMOVE ? fs->ops->remove : fs->ops->rmdir;

    if (!request->named)
        return DORY_E_ACCESS;
    return how ? how(fs, s->open[SFTP_DIR], s->name) : DORY_E_NOSYS;
}

static int mkdir(struct dory_sftp_server *s, const struct sftp_request *request)
{
    uint32_t mode = request->attrs.flags & SSH_FILEXFER_ATTR_PERMISSIONS ? request->attrs.permissions & 07777 : 0777;

    return request->named ? SFTP_CALL(s, mkdir, s->open[SFTP_DIR], s->name, (uint16_t)mode) : DORY_E_EXIST;
}

/* RENAME, and posix-rename@openssh.com, which replaces */
static int rename(struct dory_sftp_server *s, const struct sftp_request *request)
{
    char to_name[DORY_NAME_MAX + 1];
    int r;

    if (s->open[SFTP_FROM] < 0) {
        r = dory_sftp_walk(s, request->path, s->name);
        if (r <= 0)
            return r ? r : DORY_E_ACCESS;
        s->open[SFTP_FROM] = s->open[SFTP_DIR];
        s->open[SFTP_DIR] = -1;
    }
    r = dory_sftp_walk(s, request->to, to_name);
    if (r <= 0)
        return r ? r : DORY_E_EXIST;
    return SFTP_CALL(s, rename, s->open[SFTP_FROM], s->name, s->open[SFTP_DIR], to_name, request->type == SSH_FXP_EXTENDED);
}

static int realpath(struct dory_sftp_server *s, const struct sftp_request *request)
{
    s->text = (uint32_t)(request->path.p - (s->queue + s->head));
    s->text_n = (uint32_t)request->path.n;
    s->answer = SFTP_PATH;
    return DORY_OK;
}

/* The root is everybody's home. */
static int expand_path(struct dory_sftp_server *s, const struct sftp_request *request)
{
    const struct sftp_slice *path = &request->path;
    bool home = path->n && path->p[0] == '~';

    if (home && path->n > 1 && path->p[1] != '/')
        return DORY_E_NOENT;
    realpath(s, request);
    s->text += home;
    s->text_n -= home;
    return DORY_OK;
}

static int readlink(struct dory_sftp_server *s, const struct sftp_request *request)
{
    char name[DORY_NAME_MAX + 1];
    long n = DORY_E_ARG;

    if (request->named)
        n = SFTP_CALL(s, readlink, s->open[SFTP_DIR], strcpy(name, s->name), s->name, sizeof s->name);
    if (n < 0)
        return (int)n;
    s->text_n = (uint32_t)n;
    s->answer = SFTP_TARGET;
    return DORY_OK;
}

static int limits(struct dory_sftp_server *s, const struct sftp_request *request)
{
    (void)request;
    s->answer = SFTP_LIMITS;
    return DORY_OK;
}

/* ---- all requests */

static const struct {
    uint8_t type, fields;
    int (*run)(struct dory_sftp_server *s, const struct sftp_request *request);
} requests[] = {
    {SSH_FXP_INIT, 0, init},
    {SSH_FXP_OPEN, SFTP_F_WALK | SFTP_F_FLAGS | SFTP_F_ATTRS, dory_sftp_open},
    {SSH_FXP_CLOSE, SFTP_F_HANDLE, dory_sftp_close},
    {SSH_FXP_READ, SFTP_F_HANDLE | SFTP_F_RANGE, read},
    {SSH_FXP_LSTAT, SFTP_F_WALK, stat},
    {SSH_FXP_FSTAT, SFTP_F_HANDLE, fstat},
    {SSH_FXP_SETSTAT, SFTP_F_WALK | SFTP_F_ATTRS | SFTP_F_CHANGES, setstat},
    {SSH_FXP_FSETSTAT, SFTP_F_HANDLE | SFTP_F_ATTRS, fsetstat},
    {SSH_FXP_OPENDIR, SFTP_F_WALK, opendir},
    {SSH_FXP_READDIR, SFTP_F_HANDLE, readdir},
    {SSH_FXP_REMOVE, SFTP_F_WALK | SFTP_F_CHANGES, remove},
    {SSH_FXP_MKDIR, SFTP_F_WALK | SFTP_F_ATTRS | SFTP_F_CHANGES, mkdir},
    {SSH_FXP_RMDIR, SFTP_F_WALK | SFTP_F_CHANGES, remove},
    {SSH_FXP_REALPATH, SFTP_F_PATH, realpath},
    {SSH_FXP_STAT, SFTP_F_WALK, stat},
    {SSH_FXP_RENAME, SFTP_F_PATH | SFTP_F_TO | SFTP_F_CHANGES, rename},
    {SSH_FXP_READLINK, SFTP_F_WALK, readlink},
};

static const struct sftp_extension extensions[] = {
    {SSH_FXE_POSIX_RENAME, rename, SFTP_F_PATH | SFTP_F_TO | SFTP_F_CHANGES, "1"},
    {SSH_FXE_FSYNC, fsync, SFTP_F_HANDLE, "1"},
    {SSH_FXE_LIMITS, limits, 0, "1"},
    {SSH_FXE_EXPAND_PATH, expand_path, SFTP_F_PATH, "1"},
};

enum { EXTENSIONS = sizeof extensions / sizeof *extensions };

const struct sftp_extension *dory_sftp_extension(const struct dory_sftp_server *s, unsigned i)
{
    const struct dory_sftp_statvfs *statvfs = s->config.statvfs;

    if (i < EXTENSIONS)
        return &extensions[i];
    return i < EXTENSIONS + 2 && statvfs && s->config.fs->ops->space ? &statvfs->extensions[i - EXTENSIONS] : NULL;
}

/* DORY_OK, or why the request cannot be executed. */
static int parse(struct dory_sftp_server *s, struct sftp_reader *r, unsigned fields, struct sftp_request *request)
{
    struct sftp_slice handle;

    if (fields & SFTP_F_HANDLE) {
        dory_sftp_read_string(r, &handle);
        request->handle = handle.n == 4 ? dory_sftp_handle(s, dory_sftp_load32(handle.p)) : NULL;
    }
    if (fields & SFTP_F_PATH)
        dory_sftp_read_string(r, &request->path);
    if (fields & SFTP_F_TO)
        dory_sftp_read_string(r, &request->to);
    if (fields & SFTP_F_FLAGS)
        request->flags = dory_sftp_get32(r);
    if (fields & SFTP_F_ATTRS)
        dory_sftp_read_attrs(r, &request->attrs);
    if (fields & SFTP_F_RANGE) {
        request->offset = dory_sftp_get64(r);
        request->length = dory_sftp_get32(r);
    }
    if (r->bad)
        return DORY_E_PROTOCOL;
    return fields & SFTP_F_HANDLE && !request->handle ? DORY_E_ARG : DORY_OK;
}

static void tell(const struct dory_sftp_server *s, const struct sftp_request *request, int r)
{
    const struct dory_sftp_events *events = s->config.events;

    if (events->changed && request->path.p)
        events->changed(s->config.events_ctx, request->type, (const char *)request->path.p, request->path.n, (const char *)request->to.p,
                        request->to.n, r);
}

static int run(struct dory_sftp_server *s, struct sftp_reader *r)
{
    struct sftp_request request;
    const struct sftp_extension *extension;
    struct sftp_slice name;
    unsigned fields = 0;
    int (*how)(struct dory_sftp_server *, const struct sftp_request *) = NULL;
    int result;

    memset(&request, 0, sizeof request);
    request.type = dory_sftp_get8(r);
    s->id = dory_sftp_get32(r);
    if (request.type == SSH_FXP_EXTENDED) {
        dory_sftp_read_string(r, &name);
        for (unsigned i = 0; (extension = dory_sftp_extension(s, i)) != NULL; i++)
            if (dory_sftp_is(name, extension->name)) {
                fields = extension->fields;
                how = extension->run;
            }
    }
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        if (requests[i].type == request.type) {
            fields = requests[i].fields;
            how = requests[i].run;
        }
    if (!how)
        return request.type ? DORY_E_NOSYS : DORY_E_NAME;
    result = parse(s, r, fields, &request);
    if (result == DORY_OK && (fields & SFTP_F_WALK) == SFTP_F_WALK) {
        result = dory_sftp_walk(s, request.path, s->name);
        request.named = result > 0;
    }
    if (result >= 0)
        result = how(s, &request);
    if (result != DORY_E_AGAIN && fields & SFTP_F_CHANGES)
        tell(s, &request, result);
    return result;
}

int dory_sftp_execute(struct dory_sftp_server *s, const uint8_t *packet, size_t n)
{
    struct sftp_reader r = {packet + 4, packet + n, false};

    if (!s->leaving) {
        int result = run(s, &r);

        if (result == DORY_E_AGAIN) {
            s->answer = SFTP_NOTHING;
            return result;
        }
        s->error = (int8_t)result;
        if (result || !s->answer)
            s->answer = SFTP_STATUS;
        s->leaving = true;
    }
    if (leave(s) == DORY_E_AGAIN)
        return DORY_E_AGAIN;
    s->leaving = false;
    s->step = 0;
    return DORY_OK;
}
