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

    if (s->dir < 0) {
        s->dir = fs->ops->root(fs);
        s->at = 0;
    }
    if (s->dir < 0)
        return s->dir;
    for (;;) {
        if (s->below >= 0) {
            if (fs->ops->close(fs, s->dir) == DORY_E_AGAIN)
                return DORY_E_AGAIN;
            s->dir = s->below;
            s->below = -1;
        }
        r = dory_path_part((const char *)path.p, path.n, s->at, true, &part);
        if (r <= 0)
            return r;
        if (!to_name(name, &part))
            return DORY_E_NAME;
        if (part.last)
            return 1;
        r = fs->ops->open(fs, s->dir, name, DORY_FS_OPEN_DIR);
        if (r < 0)
            return r;
        s->below = r;
        s->at = part.next;
    }
}

/* The name that a path ends in, once more. */
static void last_name(struct sftp_slice path, char name[DORY_NAME_MAX + 1])
{
    struct dory_path_part part = {.last = false};

    for (size_t at = 0; !part.last && dory_path_part((const char *)path.p, path.n, at, true, &part) == 1; at = part.next)
        continue;
    to_name(name, &part);
}

/* Closes what the request needed. */
static int leave(struct dory_sftp_server *s)
{
    int *const handles[] = {&s->made, &s->below, &s->dir, &s->from};
    struct dory_fs *fs = s->config.fs;

    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++) {
        if (*handles[i] < 0)
            continue;
        if ((i == 0 && s->creating ? fs->ops->abort : fs->ops->close)(fs, *handles[i]) == DORY_E_AGAIN)
            return DORY_E_AGAIN;
        *handles[i] = -1;
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

static int space(struct dory_sftp_server *s, int fs_handle)
{
    s->answer = SFTP_SPACE;
    return SFTP_CALL(s, space, fs_handle, &s->space);
}

static int fstatvfs(struct dory_sftp_server *s, const struct sftp_request *request)
{
    return space(s, request->handle->fs);
}

/* ---- requests by name */

static int stat_by(struct dory_sftp_server *s, struct sftp_slice path, bool follow)
{
    const struct dory_sftp_handle *upload = dory_sftp_upload(s, path);
    struct dory_fs *fs = s->config.fs;
    char name[DORY_NAME_MAX + 1];
    int r;

    s->answer = SFTP_ATTRS;
    if (upload)
        return dory_sftp_handle_info(s, upload, &s->info);
    r = dory_sftp_walk(s, path, name);
    if (r < 0)
        return r;
    return r ? fs->ops->lookup(fs, s->dir, name, follow, &s->info) : fs->ops->info(fs, s->dir, &s->info);
}

static int lstat(struct dory_sftp_server *s, const struct sftp_request *request)
{
    return stat_by(s, request->path, false);
}

static int stat(struct dory_sftp_server *s, const struct sftp_request *request)
{
    return stat_by(s, request->path, true);
}

/* Opens what a SETSTAT names: how, the present step says; a file that may not be read is perhaps one that may be written. */
static int open_any(struct dory_sftp_server *s, const char *name)
{
    static const uint8_t how[] = {DORY_FS_OPEN_READ, DORY_FS_OPEN_WRITE, DORY_FS_OPEN_DIR};
    struct dory_fs *fs = s->config.fs;

    while (s->made < 0) {
        int r = fs->ops->open(fs, s->dir, name, how[s->step]);

        if (r == DORY_E_ISDIR && s->step < 2)
            s->step = 2;
        else if (r == DORY_E_ACCESS && s->step == 0)
            s->step = 1;
        else if (r < 0)
            return r;
        else
            s->made = r;
    }
    return DORY_OK;
}

static int setstat(struct dory_sftp_server *s, const struct sftp_request *request)
{
    struct dory_sftp_handle *upload = dory_sftp_upload(s, request->path);
    unsigned set = dory_sftp_settings(&request->attrs);
    char name[DORY_NAME_MAX + 1];
    struct dory_fs_info info;
    int r;

    if (upload)
        return dory_sftp_handle_set(s, upload, &request->attrs);
    r = dory_sftp_walk(s, request->path, name);
    if (r > 0) {
        s->creating = false;
        if (set & DORY_FS_SET_SIZE && s->step == 0)
            s->step = 1;
        r = open_any(s, name);
    }
    if (r < 0)
        return r;
    dory_sftp_to_info(&info, &request->attrs);
    return set ? SFTP_CALL(s, setinfo, s->made >= 0 ? s->made : s->dir, set, &info) : DORY_OK;
}

static int opendir(struct dory_sftp_server *s, const struct sftp_request *request)
{
    char name[DORY_NAME_MAX + 1];
    int r = dory_sftp_walk(s, request->path, name);

    if (r < 0)
        return r;
    if (!dory_sftp_handle_free(s))
        return DORY_E_NFILE;
    r = r ? s->config.fs->ops->open(s->config.fs, s->dir, name, DORY_FS_OPEN_DIR) : s->dir;
    if (r < 0)
        return r;
    if (r == s->dir)
        s->dir = -1;
    dory_sftp_handle_new(s, r, SFTP_IS_DIR, request->path);
    return DORY_OK;
}

static int remove(struct dory_sftp_server *s, const struct sftp_request *request)
{
    char name[DORY_NAME_MAX + 1];
    int r = dory_sftp_walk(s, request->path, name);

    return r > 0 ? SFTP_CALL(s, remove, s->dir, name) : r ? r : DORY_E_ISDIR;
}

static int rmdir(struct dory_sftp_server *s, const struct sftp_request *request)
{
    char name[DORY_NAME_MAX + 1];
    int r = dory_sftp_walk(s, request->path, name);

    return r > 0 ? SFTP_CALL(s, rmdir, s->dir, name) : r ? r : DORY_E_ACCESS;
}

static int mkdir(struct dory_sftp_server *s, const struct sftp_request *request)
{
    uint32_t mode = request->attrs.flags & SSH_FILEXFER_ATTR_PERMISSIONS ? request->attrs.permissions & 07777 : 0777;
    char name[DORY_NAME_MAX + 1];
    int r = dory_sftp_walk(s, request->path, name);

    return r > 0 ? SFTP_CALL(s, mkdir, s->dir, name, (uint16_t)mode) : r ? r : DORY_E_EXIST;
}

static int rename_by(struct dory_sftp_server *s, const struct sftp_request *request, bool replace)
{
    char name[DORY_NAME_MAX + 1], to_name[DORY_NAME_MAX + 1];
    int r;

    if (s->from < 0) {
        r = dory_sftp_walk(s, request->path, name);
        if (r <= 0)
            return r ? r : DORY_E_ACCESS;
        s->from = s->dir;
        s->dir = -1;
    }
    r = dory_sftp_walk(s, request->to, to_name);
    if (r <= 0)
        return r ? r : DORY_E_EXIST;
    last_name(request->path, name);
    return SFTP_CALL(s, rename, s->from, name, s->dir, to_name, replace);
}

static int rename(struct dory_sftp_server *s, const struct sftp_request *request)
{
    return rename_by(s, request, false);
}

static int posix_rename(struct dory_sftp_server *s, const struct sftp_request *request)
{
    return rename_by(s, request, true);
}

static int realpath(struct dory_sftp_server *s, const struct sftp_request *request)
{
    s->text = (uint16_t)(request->path.p - (s->queue + s->head));
    s->text_n = (uint16_t)request->path.n;
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
    s->text = (uint16_t)(s->text + home);
    s->text_n = (uint16_t)(s->text_n - home);
    return DORY_OK;
}

static int readlink(struct dory_sftp_server *s, const struct sftp_request *request)
{
    char name[DORY_NAME_MAX + 1];
    long n = dory_sftp_walk(s, request->path, name);

    if (n > 0)
        n = SFTP_CALL(s, readlink, s->dir, name, s->name, sizeof s->name);
    else if (n == 0)
        n = DORY_E_ARG;
    if (n < 0)
        return (int)n;
    s->text_n = (uint16_t)n;
    s->answer = SFTP_TARGET;
    return DORY_OK;
}

/* Where the last component is a file, its directory tells. */
static int statvfs(struct dory_sftp_server *s, const struct sftp_request *request)
{
    char name[DORY_NAME_MAX + 1];
    int r = dory_sftp_walk(s, request->path, name);

    if (r < 0)
        return r;
    if (r > 0 && s->made < 0 && s->step == 0) {
        s->creating = false;
        r = s->config.fs->ops->open(s->config.fs, s->dir, name, DORY_FS_OPEN_DIR);
        if (r < 0 && r != DORY_E_NOTDIR)
            return r;
        s->made = r >= 0 ? r : -1;
        s->step = 1;
    }
    return space(s, s->made >= 0 ? s->made : s->dir);
}

static int limits(struct dory_sftp_server *s, const struct sftp_request *request)
{
    (void)request;
    s->answer = SFTP_LIMITS;
    return DORY_OK;
}

/* ---- all requests */

/* The fields of a request in their order: h handle, p path, t second path, f flags, a attributes, o offset, l length;
   ! is none, it marks what changes something by name. */
static const struct {
    uint8_t type;
    char shape[4];
    int (*run)(struct dory_sftp_server *s, const struct sftp_request *request);
} requests[] = {
    {SSH_FXP_INIT, "", init},
    {SSH_FXP_OPEN, "pfa", dory_sftp_open},
    {SSH_FXP_CLOSE, "h", dory_sftp_close},
    {SSH_FXP_READ, "hol", read},
    {SSH_FXP_LSTAT, "p", lstat},
    {SSH_FXP_FSTAT, "h", fstat},
    {SSH_FXP_SETSTAT, "pa!", setstat},
    {SSH_FXP_FSETSTAT, "ha", fsetstat},
    {SSH_FXP_OPENDIR, "p", opendir},
    {SSH_FXP_READDIR, "h", readdir},
    {SSH_FXP_REMOVE, "p!", remove},
    {SSH_FXP_MKDIR, "pa!", mkdir},
    {SSH_FXP_RMDIR, "p!", rmdir},
    {SSH_FXP_REALPATH, "p", realpath},
    {SSH_FXP_STAT, "p", stat},
    {SSH_FXP_RENAME, "pt!", rename},
    {SSH_FXP_READLINK, "p", readlink},
};

static const struct sftp_extension extensions[] = {
    {SSH_FXE_POSIX_RENAME, "1", "pt!", posix_rename},
    {SSH_FXE_FSYNC, "1", "h", fsync},
    {SSH_FXE_LIMITS, "1", "", limits},
    {SSH_FXE_EXPAND_PATH, "1", "p", expand_path},
    /* From here on only where the file system can say. */
    {SSH_FXE_STATVFS, "2", "p", statvfs},
    {SSH_FXE_FSTATVFS, "2", "h", fstatvfs},
};

enum { WITHOUT_SPACE = 4, WITH_SPACE = 6 };

const struct sftp_extension *dory_sftp_extension(const struct dory_sftp_server *s, unsigned i)
{
    return i < (s->config.fs->ops->space ? (unsigned)WITH_SPACE : (unsigned)WITHOUT_SPACE) ? &extensions[i] : NULL;
}

/* DORY_OK, or why the request cannot be executed. */
static int parse(struct dory_sftp_server *s, struct sftp_reader *r, const char *shape, struct sftp_request *request)
{
    bool lost = false;

    for (; *shape; shape++) {
        switch (*shape) {
        case 'h':
            request->handle = dory_sftp_handle(s, dory_sftp_get_string(r));
            lost = !request->handle;
            break;
        case 'p': request->path = dory_sftp_get_string(r); break;
        case 't': request->to = dory_sftp_get_string(r); break;
        case 'f': request->flags = dory_sftp_get32(r); break;
        case 'a': dory_sftp_get_attrs(r, &request->attrs); break;
        case 'o': request->offset = dory_sftp_get64(r); break;
        case 'l': request->length = dory_sftp_get32(r); break;
        default: break;
        }
    }
    return r->bad ? DORY_E_PROTOCOL : lost ? DORY_E_ARG : DORY_OK;
}

static void tell(const struct dory_sftp_server *s, const char *shape, const struct sftp_request *request, int r)
{
    const struct dory_sftp_events *events = s->config.events;

    if (events->changed && strchr(shape, '!') && request->path.p)
        events->changed(s->config.events_ctx, request->type, (const char *)request->path.p, request->path.n, (const char *)request->to.p,
                        request->to.n, r);
}

static int run(struct dory_sftp_server *s, struct sftp_reader *r)
{
    struct sftp_request request;
    const struct sftp_extension *extension;
    struct sftp_slice name;
    const char *shape = NULL;
    int (*how)(struct dory_sftp_server *, const struct sftp_request *) = NULL;
    int result;

    memset(&request, 0, sizeof request);
    request.type = dory_sftp_get8(r);
    s->id = dory_sftp_get32(r);
    if (request.type == SSH_FXP_EXTENDED) {
        name = dory_sftp_get_string(r);
        for (unsigned i = 0; (extension = dory_sftp_extension(s, i)) != NULL; i++)
            if (dory_sftp_is(name, extension->name)) {
                shape = extension->shape;
                how = extension->run;
            }
    }
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        if (requests[i].type == request.type) {
            shape = requests[i].shape;
            how = requests[i].run;
        }
    if (!how)
        return request.type ? DORY_E_NOSYS : DORY_E_NAME;
    result = parse(s, r, shape, &request);
    if (result == DORY_OK)
        result = how(s, &request);
    if (result != DORY_E_AGAIN)
        tell(s, shape, &request, result);
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
