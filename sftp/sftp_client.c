#include "sftp_client.h"

#include <string.h>

/* ---- Requests */

bool dory_i_sftp_can_ask(const struct dory_sftp_client *c)
{
    return !c->out_n && !c->body_left && c->asked < DORY_SFTP_REQUESTS;
}

/* An identifier is the place of its request in the table, and above that a number that does not come again soon. */
struct dory_sftp_request *dory_i_sftp_ask(struct dory_sftp_client *c, struct sftp_writer *w, uint8_t type, enum sftp_kind kind,
                                          uint8_t owner, uint8_t expect)
{
    uint8_t at = (uint8_t)(c->serial % DORY_SFTP_REQUESTS);
    struct dory_sftp_request *r;

    while (c->requests[at].kind != SFTP_FREE) at = (uint8_t)((at + 1) % DORY_SFTP_REQUESTS);
    r = &c->requests[at];
    memset(r, 0, sizeof *r);
    r->id = c->serial++ << 8 | at;
    r->kind = (uint8_t)kind;
    r->owner = owner;
    r->expect = expect;
    c->asked++;
    *w = (struct sftp_writer){.p = c->out, .end = c->out + sizeof c->out};
    dory_sftp_begin(w, (enum sftp_type)type, r->id);
    return r;
}

int dory_i_sftp_ask_end(struct dory_sftp_client *c, struct sftp_writer *w, struct dory_sftp_request *r)
{
    if (w->bad) {
        r->kind = SFTP_FREE;
        c->asked--;
        return DORY_E_NAME;
    }
    dory_sftp_finish(w, c->out);
    c->out_n = (uint16_t)(w->p - c->out);
    c->out_sent = 0;
    return DORY_OK;
}

int dory_i_sftp_ask_path(struct dory_sftp_client *c, uint8_t type, enum sftp_kind kind, uint8_t owner, uint8_t expect, const char *path,
                         const struct sftp_attrs *attrs)
{
    struct sftp_writer w;
    struct dory_sftp_request *r = dory_i_sftp_ask(c, &w, type, kind, owner, expect);

    dory_sftp_put_text(&w, *path ? path : ".");
    if (attrs)
        dory_sftp_put_attrs(&w, attrs);
    return dory_i_sftp_ask_end(c, &w, r);
}

void dory_i_sftp_ask_handle(struct dory_sftp_client *c, uint8_t type, enum sftp_kind kind, uint8_t owner, uint8_t expect,
                            const struct dory_sftp_client_handle *handle, const struct sftp_attrs *attrs)
{
    struct sftp_writer w;
    struct dory_sftp_request *r = dory_i_sftp_ask(c, &w, type, kind, owner, expect);

    dory_sftp_put_string(&w, handle->bytes, handle->n);
    if (attrs)
        dory_sftp_put_attrs(&w, attrs);
    dory_i_sftp_ask_end(c, &w, r);
}

void dory_i_sftp_ask_close(struct dory_sftp_client *c, enum sftp_kind kind, uint8_t owner, struct dory_sftp_client_handle *handle)
{
    dory_i_sftp_ask_handle(c, SSH_FXP_CLOSE, kind, owner, SSH_FXP_STATUS, handle, NULL);
    handle->n = 0;
    c->handles--;
}

void dory_i_sftp_take_handle(struct dory_sftp_client *c, struct dory_sftp_client_handle *handle, const struct sftp_answer *answer)
{
    if (!answer->text.n || answer->text.n > sizeof handle->bytes) {
        dory_i_sftp_fatal(c, "the host gave a handle that is none");
        return;
    }
    handle->n = (uint16_t)answer->text.n;
    memcpy(handle->bytes, answer->text.p, answer->text.n);
}

/* ---- Paths */

bool dory_i_sftp_name(char path[DORY_SFTP_PATH_ROOM], uint16_t at, const char *name, size_t n)
{
    if (n + at > DORY_SFTP_PATH_MAX)
        return false;
    memcpy(path + at, name, n);
    path[at + n] = '\0';
    return true;
}

uint16_t dory_i_sftp_join(char path[DORY_SFTP_PATH_ROOM], uint16_t at)
{
    size_t n = strlen(path);

    if (n == 0 || path[n - 1] == '/')
        return (uint16_t)n;
    if (n > DORY_SFTP_PATH_MAX)
        return at;
    path[n++] = '/';
    path[n] = '\0';
    return (uint16_t)n;
}

void dory_i_sftp_show(struct dory_sftp_client *c, const char *path)
{
    size_t n = strlen(path);

    dory_i_sftp_name(c->shown, 0, path, n < DORY_SFTP_PATH_MAX ? n : DORY_SFTP_PATH_MAX);
}

/* "~" is left out where the host cannot expand it: a session begins at home. Of others it knows nothing then. */
bool dory_i_sftp_tilde(struct dory_sftp_client *c)
{
    const char *word = c->config.path;
    size_t n = word[0] == '~' ? strcspn(word, "/") : 0;
    struct dory_sftp_request *r;
    struct sftp_writer w;

    c->word_at = 0;
    c->path[0] = '\0';
    if (!n || (!c->has_expand && n > 1))
        return false;
    c->word_at = (uint16_t)n;
    if (!c->has_expand) {
        c->word_at = (uint16_t)(n + strspn(word + n, "/"));
        return false;
    }
    r = dory_i_sftp_ask(c, &w, SSH_FXP_EXTENDED, SFTP_WALK, 0, SSH_FXP_NAME);
    dory_sftp_put_text(&w, SSH_FXE_EXPAND_PATH);
    dory_sftp_put_string(&w, word, n);
    return dory_i_sftp_ask_end(c, &w, r) == DORY_OK;
}

void dory_i_sftp_tilde_is(struct dory_sftp_client *c, const struct sftp_answer *answer)
{
    if (!answer->text.n || memchr(answer->text.p, '\0', answer->text.n) || answer->text.n > DORY_SFTP_PATH_MAX)
        dory_i_sftp_fatal(c, "the host expanded a path to none");
    else
        dory_i_sftp_name(c->path, 0, (const char *)answer->text.p, answer->text.n);
}

/* ---- Messages */

void dory_i_sftp_error(struct dory_sftp_client *c, const char *path, const char *text)
{
    const struct dory_transfer_events *events = c->config.events;

    c->failed = true;
    if (events->error)
        events->error(c->config.events_ctx, path, text);
}

void dory_i_sftp_error_is(struct dory_sftp_client *c, const char *path, int error)
{
    dory_i_sftp_error(c, path, dory_strerror(error));
}

static size_t append(char *line, size_t at, size_t cap, const char *text, size_t n)
{
    if (n > cap - at)
        n = cap - at;
    memcpy(line + at, text, n);
    return at + n;
}

static void tell(struct dory_sftp_client *c, const char *path, const char *text, size_t text_n, const char *more)
{
    const struct dory_transfer_events *events = c->config.events;
    char line[2 * DORY_SFTP_SHOWN_MAX];
    size_t n = strlen(path), tail = n > DORY_SFTP_SHOWN_MAX ? DORY_SFTP_SHOWN_MAX : n, at;

    c->failed = true;
    at = append(line, 0, sizeof line, path + n - tail, tail);
    at = append(line, at, sizeof line, ": ", 2);
    at = append(line, at, sizeof line, text, text_n);
    at = append(line, at, sizeof line, more, strlen(more));
    if (events->message)
        events->message(c->config.events_ctx, line, at);
}

void dory_i_sftp_complain(struct dory_sftp_client *c, const char *path, const char *text)
{
    tell(c, path, text, strlen(text), "");
}

/* The words that people know; only of a failure without a name the host's own are shown. */
void dory_i_sftp_told(struct dory_sftp_client *c, const char *path, const struct sftp_answer *answer, const char *more)
{
    const char *known = answer->status == SSH_FX_FAILURE ? "Failure" : dory_strerror(dory_sftp_error_of(answer->status));
    bool own = answer->status == SSH_FX_FAILURE && answer->text.n;

    tell(c, path, own ? (const char *)answer->text.p : known, own ? answer->text.n : strlen(known), more);
}

/* ---- Files under way */

bool dory_i_sftp_has_room(const struct dory_sftp_client *c)
{
    return c->file_count < c->files_max && (!c->handles_max || !c->file_count || c->handles < c->handles_max);
}

static void keep_path(char out[DORY_SFTP_SHOWN_MAX + 1], const char *path)
{
    size_t n = strlen(path), keep = n > DORY_SFTP_SHOWN_MAX ? DORY_SFTP_SHOWN_MAX : n;

    memcpy(out, path + n - keep, keep + 1);
}

struct dory_sftp_file *dory_i_sftp_new_file(struct dory_sftp_client *c)
{
    struct dory_sftp_file *f = &c->files[(c->file_first + c->file_count++) % DORY_SFTP_FILES];
    size_t name = strlen(c->name);

    memset(f, 0, offsetof(struct dory_sftp_file, handle));
    f->handle.n = 0;
    f->file = -1;
    f->level = c->depth;
    f->size = c->info.size;
    f->mode = c->info.mode;
    f->mtime = c->info.mtime;
    f->atime = c->info.atime;
    keep_path(f->shown, c->shown);
    keep_path(f->there, c->path);
    if (strlen(f->shown) < name || strcmp(f->shown + strlen(f->shown) - name, c->name) != 0)
        keep_path(f->shown, c->name);
    f->name_at = (uint16_t)(strlen(f->shown) - name);
    if (c->depth)
        c->levels[c->depth - 1].pending++;
    return f;
}

struct dory_sftp_file *dory_i_sftp_file(struct dory_sftp_client *c, unsigned i, uint8_t *owner)
{
    *owner = (uint8_t)((c->file_first + i) % DORY_SFTP_FILES);
    return &c->files[*owner];
}

void dory_i_sftp_begin(struct dory_sftp_client *c, struct dory_sftp_file *f)
{
    const struct dory_transfer_events *events = c->config.events;

    f->shown_begun = true;
    if (events->begin)
        events->begin(c->config.events_ctx, f->shown, f->shown + f->name_at, f->size);
    if (f->done && events->progress)
        events->progress(c->config.events_ctx, f->done);
}

void dory_i_sftp_advance(struct dory_sftp_client *c, struct dory_sftp_file *f, uint64_t n)
{
    const struct dory_transfer_events *events = c->config.events;

    f->done += n;
    if (f->shown_begun && events->progress)
        events->progress(c->config.events_ctx, f->done);
}

void dory_i_sftp_drop_first(struct dory_sftp_client *c)
{
    const struct dory_transfer_events *events = c->config.events;
    struct dory_sftp_file *f = &c->files[c->file_first];

    if (f->shown_begun && events->end)
        events->end(c->config.events_ctx, f->shown, f->size, f->error);
    if (f->level)
        c->levels[f->level - 1].pending--;
    c->file_first = (uint8_t)((c->file_first + 1) % DORY_SFTP_FILES);
    c->file_count--;
}

/* ---- Ends */

static void close_by(struct dory_fs *fs, int (*how)(struct dory_fs *fs, int handle), int *handle)
{
    /* A close has nowhere to come back to, so it is asked again at once; a file system should not be busy here. */
    if (*handle >= 0)
        for (int tries = 0; tries < 100 && how(fs, *handle) == DORY_E_AGAIN; tries++) continue;
    *handle = -1;
}

void dory_i_sftp_close(struct dory_fs *fs, int *handle)
{
    close_by(fs, fs->ops->close, handle);
}

void dory_i_sftp_abort(struct dory_fs *fs, int *handle)
{
    close_by(fs, fs->ops->abort, handle);
}

void dory_i_sftp_leave(struct dory_sftp_client *c)
{
    dory_i_sftp_close(c->config.fs, &c->levels[--c->depth].dir);
}

void dory_i_sftp_release(struct dory_sftp_client *c)
{
    struct dory_fs *fs = c->config.fs;

    while (c->file_count) {
        struct dory_sftp_file *f = &c->files[c->file_first];

        close_by(fs, c->engine->receives ? fs->ops->abort : fs->ops->close, &f->file);
        f->error = f->error ? f->error : DORY_E_CUT;
        dory_i_sftp_drop_first(c);
    }
    while (c->depth) dory_i_sftp_leave(c);
    dory_i_sftp_close(fs, &c->file);
    dory_i_sftp_close(fs, &c->dir);
    c->ended = true;
}

void dory_i_sftp_fatal(struct dory_sftp_client *c, const char *text)
{
    if (c->ended)
        return;
    dory_i_sftp_error(c, "protocol error", text);
    c->out_n = 0;
    c->body_left = 0;
    dory_i_sftp_release(c);
}

static struct dory_sftp_client *of(struct dory_stream *stream)
{
    return (struct dory_sftp_client *)stream;
}

static void stop(struct dory_stream *stream)
{
    struct dory_sftp_client *c = of(stream);

    c->failed |= !c->ended;
    c->out_n = 0;
    c->body_left = 0;
    dory_i_sftp_release(c);
}

static void eof(struct dory_stream *stream)
{
    struct dory_sftp_client *c = of(stream);

    if (!c->ended)
        dory_i_sftp_error(c, "", dory_strerror(DORY_E_CUT));
    stop(stream);
}

static int status(const struct dory_stream *stream)
{
    const struct dory_sftp_client *c = (const struct dory_sftp_client *)stream;

    if (!c->ended)
        return DORY_E_AGAIN;
    return c->failed ? 1 : 0;
}

/* ---- Bytes to the host */

static bool greet(struct dory_sftp_client *c)
{
    struct sftp_writer w = {.p = c->out, .end = c->out + sizeof c->out};

    dory_sftp_begin(&w, SSH_FXP_INIT, SFTP_VERSION);
    dory_sftp_finish(&w, c->out);
    c->out_n = (uint16_t)(w.p - c->out);
    c->out_sent = 0;
    c->greeted = true;
    return true;
}

static bool ask_limits(struct dory_sftp_client *c)
{
    struct sftp_writer w;
    struct dory_sftp_request *r = dory_i_sftp_ask(c, &w, SSH_FXP_EXTENDED, SFTP_LIMITS, 0, SSH_FXP_EXTENDED_REPLY);

    dory_sftp_put_text(&w, SSH_FXE_LIMITS);
    dory_i_sftp_ask_end(c, &w, r);
    c->has_limits = false;
    return true;
}

static bool step(struct dory_sftp_client *c)
{
    if (c->ended || c->out_n || c->body_left)
        return false;
    if (!c->greeted)
        return greet(c);
    if (!c->ready)
        return false;
    if (c->has_limits)
        return ask_limits(c);
    return c->engine->step(c);
}

static size_t drain(struct dory_sftp_client *c, uint8_t *buf, size_t cap)
{
    size_t n = (size_t)(c->out_n - c->out_sent);

    if (n > cap)
        n = cap;
    memcpy(buf, c->out + c->out_sent, n);
    c->out_sent = (uint16_t)(c->out_sent + n);
    if (c->out_sent == c->out_n)
        c->out_n = 0;
    return n;
}

static size_t pull(struct dory_stream *stream, uint8_t *buf, size_t cap)
{
    struct dory_sftp_client *c = of(stream);
    size_t n = 0;

    while (n < cap) {
        size_t got = 0;

        if (c->out_n)
            got = drain(c, buf + n, cap - n);
        else if (c->body_left)
            got = c->engine->fill(c, buf + n, cap - n < c->body_left ? cap - n : c->body_left);
        else if (step(c))
            continue;
        if (!got)
            break;
        n += got;
    }
    return n;
}

static const struct dory_stream_ops ops = {.push = dory_i_sftp_push, .pull = pull, .eof = eof, .stop = stop, .status = status};

void dory_i_sftp_init(struct dory_sftp_client *c, const struct dory_sftp_engine *engine, const struct dory_sftp_client_config *config)
{
    static const struct dory_transfer_events nobody;

    memset(c, 0, sizeof *c);
    c->stream.ops = &ops;
    c->engine = engine;
    c->config = *config;
    if (!c->config.events)
        c->config.events = &nobody;
    c->files_max = config->files && config->files < DORY_SFTP_FILES ? config->files : DORY_SFTP_FILES;
    c->chunk = DORY_SFTP_CHUNK;
    c->dir = c->file = -1;
}
