#include "sftp_get.h"

#include <string.h>

/* The walk through what is to be fetched. WAIT_* await the answer to the walk's one request; the others are steps that may find the file
   system busy, or no room for a request or a file, and are then tried again. Errors before START end the copy. */
enum {
    TARGET,
    PROBE,
    START,
    WAIT_TILDE,
    PART,
    SCAN,
    WAIT_SCAN,
    STAT,
    WAIT_STAT,
    OBJECT,
    LIST,
    WAIT_LIST,
    OPEN_DIR,
    MAKE_DIR,
    DROP_DIR,
    ENTRY,
    LEAVE,
    OVER
};

static struct dory_sftp_level *top(struct dory_sftp_client *c)
{
    return &c->levels[c->depth - 1];
}

/* The present object is one that was asked for, not one inside it. */
static bool is_asked_for(const struct dory_sftp_client *c)
{
    return !c->depth || c->levels[c->depth - 1].dir < 0;
}

static void next_object(struct dory_sftp_client *c)
{
    c->state = c->depth ? ENTRY : OVER;
}

/* ---- The target here */

static int take_target(struct dory_sftp_client *c)
{
    struct dory_transfer_item item = {.dir = -1, .path = ""};
    int r = c->config.item(c->config.item_ctx, &item);

    if (r == DORY_E_AGAIN)
        return r;
    if (r == 0) {
        c->state = PROBE;
        return c->dir >= 0 ? DORY_OK : DORY_E_NOENT;
    }
    dory_i_sftp_show(c, item.path);
    if (r < 0)
        return r;
    if (c->dir >= 0) {
        dory_i_sftp_close(c->config.fs, &item.dir);
        return DORY_E_ARG;
    }
    c->dir = item.dir;
    c->name = c->target_name = item.name;
    c->is_dir = item.self;
    c->slash = item.slash;
    return DORY_OK;
}

static int probe_target(struct dory_sftp_client *c)
{
    struct dory_fs *fs = c->config.fs;

    if (!c->is_dir) {
        int r = fs->ops->open(fs, c->dir, c->name, DORY_FS_OPEN_DIR);

        if (r >= 0) {
            dory_i_sftp_close(fs, &c->dir);
            c->dir = r;
            c->is_dir = true;
        } else if ((r != DORY_E_NOENT && r != DORY_E_NOTDIR) || c->config.flags & DORY_SFTP_DIR) {
            return r;
        }
    }
    if (c->is_dir)
        c->shown_at = dory_i_sftp_join(c->shown, 0);
    c->target_at = c->shown_at;
    c->target_len = (uint16_t)strlen(c->shown);
    c->state = START;
    return DORY_OK;
}

/* ---- The path at the host */

static int start(struct dory_sftp_client *c)
{
    if (!dory_i_sftp_can_ask(c))
        return DORY_E_AGAIN;
    c->state = dory_i_sftp_tilde(c) ? WAIT_TILDE : PART;
    c->path_at = 0;
    c->tilde = c->word_at;
    return DORY_OK;
}

static bool has_glob(const struct dory_sftp_client *c, const char *text, size_t n)
{
    if (!c->config.match || c->literal)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\\')
            i++;
        else if (text[i] == '*' || text[i] == '?' || text[i] == '[')
            return true;
    }
    return false;
}

static bool add_to_path(struct dory_sftp_client *c, const char *text, size_t n)
{
    size_t at = strlen(c->path);

    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\\' && c->config.match && i + 1 < n)
            i++;
        if (at == DORY_SFTP_PATH_MAX)
            return false;
        c->path[at++] = text[i];
    }
    c->path[at] = '\0';
    return true;
}

/* Takes one component of config.path, or finds that it is a glob, or the end. */
static int next_part(struct dory_sftp_client *c)
{
    const char *word = c->config.path + c->word_at;
    size_t slashes = strspn(word, "/"), n = strcspn(word + slashes, "/");

    if (!add_to_path(c, word, slashes))
        return DORY_E_NAME;
    c->word_at = (uint16_t)(c->word_at + slashes);
    if (has_glob(c, word + slashes, n)) {
        c->state = SCAN;
        return DORY_OK;
    }
    if (!n) {
        c->quiet = c->depth > 0;
        c->state = STAT;
    }
    c->word_at = (uint16_t)(c->word_at + n);
    return add_to_path(c, word + slashes, n) ? DORY_OK : DORY_E_NAME;
}

/* Nothing matched the globs: as a shell would, the path is taken as it stands. */
static void no_match(struct dory_sftp_client *c)
{
    c->literal = true;
    c->path[c->path_at] = '\0';
    c->word_at = c->tilde;
    c->state = PART;
}

/* ---- Directories */

static void ask_names(struct dory_sftp_client *c, struct dory_sftp_level *level)
{
    level->reading++;
    dory_i_sftp_ask_handle(c, SSH_FXP_READDIR, SFTP_LIST, (uint8_t)(c->depth - 1), SSH_FXP_NAME, &level->handle, NULL);
}

/* The present level is listed to its end, if there is room, and closed before another one is opened: a small host has few handles. Does
   that still take a request? */
static bool close_list(struct dory_sftp_client *c)
{
    struct dory_sftp_level *level = top(c);

    if (!level->eof && dory_i_sftp_names_have_room(c, level))
        ask_names(c, level);
    else if (level->eof && level->handle.n)
        dory_i_sftp_ask_close(c, SFTP_FORGOTTEN, 0, &level->handle);
    else
        return false;
    return true;
}

/* For the listing of `path`, whose handle will be that of the level to come. What the present level has asked for comes first. */
static int list(struct dory_sftp_client *c)
{
    int r;

    if (!dory_i_sftp_can_ask(c) || (c->depth && top(c)->reading))
        return DORY_E_AGAIN;
    if (c->depth && close_list(c))
        return DORY_OK;
    if (c->depth == DORY_SFTP_DEPTH_MAX)
        return DORY_E_DEPTH;
    r = dory_i_sftp_ask_path(c, SSH_FXP_OPENDIR, SFTP_WALK, 0, SSH_FXP_HANDLE, c->path, NULL);
    if (r < 0)
        return r;
    c->levels[c->depth].created = false;
    c->handles++;
    c->state = c->state == SCAN ? WAIT_SCAN : WAIT_LIST;
    return DORY_OK;
}

static void enter(struct dory_sftp_client *c, int dir)
{
    struct dory_sftp_level *level = &c->levels[c->depth++];

    level->dir = dir;
    level->pending = 0;
    level->reading = 0;
    level->eof = level->short_of = false;
    level->word_at = c->word_at;
    level->itself = c->itself && c->is_dir;
    level->mode = c->info.mode;
    level->mtime = c->info.mtime;
    level->atime = c->info.atime;
    level->times = c->times;
    level->path_at = dory_i_sftp_join(c->path, 0);
    level->shown_at = dir < 0 ? c->shown_at : dory_i_sftp_join(c->shown, c->shown_at);
    dory_i_sftp_names_begin(c, level);
    c->shown_at = level->shown_at;
    c->state = ENTRY;
}

/* Its directory here, after all that came before it where order matters. A link in its place is not followed: it might lead out of the
   target. */
static int open_dir(struct dory_sftp_client *c)
{
    struct dory_fs *fs = c->config.fs;
    int dir = is_asked_for(c) ? c->dir : top(c)->dir, r;
    bool made = c->levels[c->depth].created;

    if (c->config.in_order && c->file_count)
        return DORY_E_AGAIN;
    r = c->itself && c->is_dir ? fs->ops->dup(fs, dir) : fs->ops->open(fs, dir, c->name, DORY_FS_OPEN_DIR | DORY_FS_OPEN_NOFOLLOW);
    if (r == DORY_E_NOENT && !made) {
        c->state = MAKE_DIR;
        return DORY_OK;
    }
    if (r >= 0)
        enter(c, r);
    return r < 0 ? r : DORY_OK;
}

static int make_dir(struct dory_sftp_client *c)
{
    struct dory_fs *fs = c->config.fs;
    int r;

    c->about = c->info;
    r = fs->ops->mkdir(fs, is_asked_for(c) ? c->dir : top(c)->dir, c->name, (c->info.mode & 0777) | 0700);
    if (r < 0)
        return r;
    c->levels[c->depth].created = true;
    c->state = OPEN_DIR;
    return DORY_OK;
}

/* It could not be had here: its handle is given back. */
static int drop_dir(struct dory_sftp_client *c)
{
    if (!dory_i_sftp_can_ask(c))
        return DORY_E_AGAIN;
    dory_i_sftp_ask_close(c, SFTP_FORGOTTEN, 0, &c->levels[c->depth].handle);
    next_object(c);
    return DORY_OK;
}

/* The mode that a directory gets once it is filled, and its times. */
static int finish_dir(struct dory_sftp_client *c, const struct dory_sftp_level *level)
{
    struct dory_fs *fs = c->config.fs;
    struct dory_fs_info info = {.mode = level->mode, .mtime = level->mtime, .atime = level->atime}, now;
    unsigned set = dory_i_sftp_settings(c, level->times);

    if (level->itself)
        return DORY_OK;
    if (!set && level->created && (level->mode & 0700) != 0700) {
        /* It was made with more than it is to have; what the umask took stays taken. */
        int r = fs->ops->info(fs, level->dir, &now);

        if (r < 0)
            return r;
        info.mode &= now.mode & 0777;
        set = DORY_FS_SET_MODE;
    }
    return set ? fs->ops->setinfo(fs, level->dir, set, &info) : DORY_OK;
}

static int leave(struct dory_sftp_client *c)
{
    struct dory_sftp_level *level = top(c);
    int r = DORY_OK;

    if (level->handle.n) {
        if (!dory_i_sftp_can_ask(c))
            return DORY_E_AGAIN;
        dory_i_sftp_ask_close(c, SFTP_FORGOTTEN, 0, &level->handle);
    }
    if (level->pending)
        return DORY_E_AGAIN;
    c->shown[c->shown_at] = '\0';
    if (level->dir >= 0)
        r = finish_dir(c, level);
    if (r == DORY_E_AGAIN)
        return r;
    dory_i_sftp_leave(c);
    c->shown_at = c->depth ? top(c)->shown_at : c->target_at;
    next_object(c);
    if (c->state == OVER && level->dir < 0 && !c->matched)
        no_match(c);
    return r;
}

/* More names are asked for before those that came are dealt with; two requests at once, because the second one often only says that
   nothing follows. */
static bool list_more(struct dory_sftp_client *c)
{
    struct dory_sftp_level *level;

    if (c->state != ENTRY || !dory_i_sftp_can_ask(c))
        return false;
    level = top(c);
    if (level->eof || level->reading == 2 || !dory_i_sftp_names_have_room(c, level))
        return false;
    ask_names(c, level);
    return true;
}

/* ---- Objects */

static size_t last_component(const char *path, size_t *n)
{
    size_t end = strlen(path), begin;

    while (end && path[end - 1] == '/') end--;
    for (begin = end; begin && path[begin - 1] != '/';) begin--;
    *n = end - begin;
    return begin;
}

/* Where it goes: its name for the file system and its path for messages. The host's "." and such have no name: they are the target. */
static int place(struct dory_sftp_client *c)
{
    size_t n, begin = last_component(c->path, &n);
    const char *name = c->path + begin;
    char *at = c->shown + c->shown_at;

    c->itself = false;
    if (is_asked_for(c)) {
        c->itself = n == 0 || (n == 1 && *name == '.') || (n == 2 && name[0] == '.' && name[1] == '.');
        if (!c->is_dir && c->seen)
            return DORY_E_NOTDIR;
        c->seen = c->matched = true;
        if (!c->is_dir) {
            c->shown[c->target_len] = '\0';
            c->name = c->target_name;
            return c->slash && c->info.type != DORY_FS_DIR ? DORY_E_NOTDIR : DORY_OK;
        }
    }
    if (c->itself)
        n = 0;
    if (n > DORY_NAME_MAX)
        return DORY_E_NAME;
    memcpy(at, name, n);
    at[n] = '\0';
    c->name = at;
    return DORY_OK;
}

static int object(struct dory_sftp_client *c)
{
    int r = place(c);

    if (r < 0)
        return r;
    if (c->info.type == DORY_FS_DIR && c->config.flags & DORY_SFTP_RECURSE) {
        c->state = LIST;
        return DORY_OK;
    }
    if (c->info.type != DORY_FS_FILE || c->itself) {
        dory_i_sftp_complain(c, c->path, dory_strerror(DORY_E_NOTREG));
        next_object(c);
        return DORY_OK;
    }
    r = dory_i_sftp_fetch(c);
    if (r == DORY_E_AGAIN && is_asked_for(c) && !c->is_dir)
        c->seen = false;
    if (r == DORY_OK)
        next_object(c);
    return r;
}

/* A name that matched; with more of the pattern behind it must be a directory, and a link may be one. */
static void matched(struct dory_sftp_client *c, const struct dory_sftp_level *level)
{
    const char *word = c->config.path + level->word_at;
    size_t n = strcspn(word, "/"), slashes = strspn(word + n, "/");
    bool dir = c->info.type == DORY_FS_DIR || !c->info.type;

    if (slashes && !dir)
        return;
    c->word_at = (uint16_t)(level->word_at + n);
    if (word[n + slashes])
        c->state = PART;
    else
        c->state = c->info.type ? OBJECT : STAT;
}

static int next_entry(struct dory_sftp_client *c)
{
    struct dory_sftp_level *level = top(c);
    struct sftp_entry entry;

    if (!dory_i_sftp_names_next(c, level, &entry)) {
        if (!level->eof || level->reading) /* names may come behind the end: none may be left for the level above */
            return DORY_E_AGAIN;
        c->state = LEAVE;
        return DORY_OK;
    }
    c->info = entry.info;
    c->times = entry.times;
    c->quiet = false;
    if (!dory_i_sftp_name(c->path, level->path_at, entry.name, strlen(entry.name)))
        return DORY_E_NAME;
    if (level->dir < 0)
        matched(c, level);
    else
        c->state = c->info.type ? OBJECT : STAT;
    return DORY_OK;
}

static int ask_info(struct dory_sftp_client *c)
{
    int r;

    if (!dory_i_sftp_can_ask(c))
        return DORY_E_AGAIN;
    r = dory_i_sftp_ask_path(c, SSH_FXP_STAT, SFTP_WALK, 0, SSH_FXP_ATTRS, c->path, NULL);
    if (r == DORY_OK)
        c->state = WAIT_STAT;
    return r;
}

/* ---- Steps and answers */

/* All steps return a negative error, which skips the present object, or DORY_OK; DORY_E_AGAIN where nothing could be done. */
static int walk(struct dory_sftp_client *c)
{
    switch (c->state) {
    case TARGET: return take_target(c);
    case PROBE: return probe_target(c);
    case START: return start(c);
    case PART: return next_part(c);
    case SCAN:
    case LIST: return list(c);
    case STAT: return ask_info(c);
    case OBJECT: return object(c);
    case OPEN_DIR: return open_dir(c);
    case MAKE_DIR: return make_dir(c);
    case DROP_DIR: return drop_dir(c);
    case ENTRY: return next_entry(c);
    case LEAVE: return leave(c);
    default: return DORY_E_AGAIN;
    }
}

/* What went wrong here concerns the present object, whose path here is not known before it was placed. */
static void skip(struct dory_sftp_client *c, int error)
{
    uint8_t state = c->state;

    if (state < OBJECT && state > PROBE)
        dory_i_sftp_complain(c, state == PART ? c->config.path : c->path, dory_strerror(error));
    else
        dory_i_sftp_error_is(c, c->shown, error);
    if (state == OPEN_DIR || state == MAKE_DIR)
        c->state = DROP_DIR;
    else if (state < START)
        c->state = OVER;
    else if (state != ENTRY && state != OVER)
        next_object(c);
}

static bool step(struct dory_sftp_client *c)
{
    int r;

    if (dory_i_sftp_get_file_step(c) || list_more(c))
        return true;
    r = walk(c);
    if (r == DORY_E_AGAIN) {
        if (c->state != OVER || c->file_count || c->asked)
            return false;
        dory_i_sftp_release(c);
    } else if (r < 0) {
        skip(c, r);
    }
    return true;
}

static void listed(struct dory_sftp_client *c, const struct dory_sftp_request *r, const struct sftp_answer *a)
{
    struct dory_sftp_level *level = &c->levels[r->owner];

    level->reading--;
    if (a->type == SSH_FXP_NAME)
        return;
    if (a->status != SSH_FX_EOF && !level->eof)
        dory_i_sftp_told_of(c, level, a);
    level->eof = true;
}

static void scan_answer(struct dory_sftp_client *c, bool good, const struct sftp_answer *a)
{
    if (good) {
        dory_i_sftp_take_handle(c, &c->levels[c->depth].handle, a);
        c->times = c->itself = false;
        enter(c, -1);
        return;
    }
    c->handles--;
    next_object(c);
    if (!c->depth)
        no_match(c);
}

static void list_answer(struct dory_sftp_client *c, bool good, const struct sftp_answer *a)
{
    if (good) {
        dory_i_sftp_take_handle(c, &c->levels[c->depth].handle, a);
        c->state = OPEN_DIR;
        return;
    }
    c->handles--;
    dory_i_sftp_told(c, c->path, a, "");
    next_object(c);
}

/* A path that only a glob has led to need not be there. */
static void stat_answer(struct dory_sftp_client *c, bool good, const struct sftp_answer *a)
{
    if (good) {
        dory_i_sftp_info_of(c, &a->attrs, &c->info, &c->times);
        c->state = OBJECT;
        return;
    }
    if (!c->quiet)
        dory_i_sftp_told(c, c->path, a, "");
    next_object(c);
}

static void tilde_answer(struct dory_sftp_client *c, bool good, const struct sftp_answer *a)
{
    c->state = PART;
    if (good) {
        dory_i_sftp_tilde_is(c, a);
        c->path_at = (uint16_t)strlen(c->path);
        return;
    }
    dory_i_sftp_told(c, c->config.path, a, "");
    next_object(c);
}

static void answer(struct dory_sftp_client *c, const struct dory_sftp_request *r, const struct sftp_answer *a)
{
    bool good = a->type != SSH_FXP_STATUS;

    if (r->kind == SFTP_LIST)
        listed(c, r, a);
    else if (r->kind != SFTP_WALK)
        dory_i_sftp_get_file_answer(c, r, a);
    else if (c->state == WAIT_TILDE)
        tilde_answer(c, good, a);
    else if (c->state == WAIT_SCAN)
        scan_answer(c, good, a);
    else if (c->state == WAIT_LIST)
        list_answer(c, good, a);
    else
        stat_answer(c, good, a);
}

static const struct dory_sftp_engine engine = {
    .receives = true, .step = step, .answer = answer, .entry = dory_i_sftp_names_add, .data = dory_i_sftp_get_data};

void dory_sftp_get_init(struct dory_sftp_get *get, const struct dory_sftp_client_config *config)
{
    dory_i_sftp_init(&get->base, &engine, config);
    get->names_end = 0;
}

const struct dory_fs_info *dory_sftp_get_info(const void *get)
{
    return &((const struct dory_sftp_get *)get)->base.about;
}
