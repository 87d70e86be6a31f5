#include "scp_internal.h"
#include "dory_path.h"

#include <string.h>

/* ROOT opens the root, WALK goes to the next component, SCAN looks for names that match a glob, FOUND has one. */
enum { IDLE, ROOT, WALK, SCAN, FOUND };

static int next_component(const struct dory_scp_path *path, struct dory_path_part *c)
{
    return dory_path_part(path->word, strlen(path->word), path->pos, false, c);
}

static bool has_glob(const struct dory_scp_path *path, const struct dory_path_part *c)
{
    if (path->literal)
        return false;
    for (size_t i = 0; i < c->n; i++) {
        if (c->text[i] == '\\')
            i++;
        else if (c->text[i] == '*' || c->text[i] == '?' || c->text[i] == '[')
            return true;
    }
    return false;
}

/* Copies without backslashes; false if there is no room for all. */
static bool unescape(const struct dory_scp_path *path, char *out, size_t cap, const char *text, size_t n)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\\' && !path->literal && i + 1 < n)
            i++;
        if (at + 1 == cap)
            break;
        out[at++] = text[i];
        if (i + 1 == n) {
            out[at] = '\0';
            return true;
        }
    }
    out[at] = '\0';
    return n == 0;
}

static char *tail(struct dory_scp_path *path)
{
    return path->path + path->prefix;
}

/* The word as the person wrote it, for messages about it as a whole. */
static const char *as_written(struct dory_scp_path *path)
{
    unescape(path, path->path, DORY_SCP_PATH_MAX, path->word, strlen(path->word));
    return path->path;
}

static int fail(struct dory_scp_path *path, struct dory_transfer_item *item, int error)
{
    dory_scp_path_stop(path);
    item->path = as_written(path);
    return error;
}

static int give(struct dory_scp_path *path, struct dory_transfer_item *item, int dir, const struct dory_path_part *c)
{
    item->dir = dir;
    item->self = !c;
    item->slash = c && c->slash;
    item->name = c ? strcpy(path->name, tail(path)) : "root";
    item->path = path->levels ? path->path : as_written(path);
    path->matched = true;
    path->state = path->levels ? SCAN : IDLE;
    return 1;
}

/* Into a directory, which must be opened already; its name stands at the tail. */
static void descend(struct dory_scp_path *path, int dir, uint16_t next)
{
    path->dir = dir;
    path->pos = next;
    path->prefix = dory_scp_join(path->path, path->prefix);
    path->state = WALK;
}

static int begin_scan(struct dory_scp_path *path)
{
    if (path->levels == DORY_SCP_DEPTH_MAX)
        return DORY_E_DEPTH;
    path->level[path->levels].dir = path->dir;
    path->level[path->levels].pos = path->pos;
    path->level[path->levels].prefix = path->prefix;
    path->levels++;
    path->dir = -1;
    path->state = SCAN;
    return 0;
}

/* Gives the directory under way to the caller, with the name at the tail. */
static int give_dir(struct dory_scp_path *path, struct dory_transfer_item *item, const struct dory_path_part *c)
{
    int dir = path->dir;

    path->dir = -1;
    return give(path, item, dir, c);
}

/* 1: an item, 0: go on, negative: an error; so do all steps below. */
static int walk(struct dory_scp_path *path, struct dory_transfer_item *item)
{
    struct dory_fs *fs = path->fs;
    struct dory_fs_info info;
    struct dory_path_part c;
    int r = next_component(path, &c);

    if (r < 0)
        return r;
    if (r == 0)
        return give_dir(path, item, NULL);
    if (has_glob(path, &c))
        return begin_scan(path);
    if (!unescape(path, tail(path), DORY_NAME_MAX + 1, c.text, c.n))
        return DORY_E_NAME;

    r = DORY_OK;
    if (!c.last)
        r = fs->ops->open(fs, path->dir, tail(path), DORY_FS_OPEN_DIR);
    else if (path->levels)
        r = fs->ops->lookup(fs, path->dir, tail(path), false, &info);
    if (r == DORY_E_AGAIN || (r < 0 && !path->levels))
        return r;
    if (c.last && r == DORY_OK)
        return give_dir(path, item, &c);
    dory_scp_close(fs, &path->dir);
    path->state = SCAN;
    if (r >= 0)
        descend(path, r, c.next);
    return 0;
}

static int scan(struct dory_scp_path *path, struct dory_transfer_item *item)
{
    unsigned top = path->levels - 1u;
    struct dory_path_part c;
    char pattern[DORY_NAME_MAX + 1];
    int r;

    (void)item;
    path->prefix = path->level[top].prefix;
    path->pos = path->level[top].pos;
    r = path->fs->ops->next(path->fs, path->level[top].dir, tail(path), DORY_NAME_MAX + 1);
    if (r < 0)
        return r;
    if (r == 0) {
        dory_scp_close(path->fs, &path->level[top].dir);
        path->levels--;
        if (path->levels)
            return 0;
        path->state = IDLE;
        return path->matched ? 0 : DORY_E_NOENT;
    }
    next_component(path, &c);
    if (c.n > DORY_NAME_MAX)
        return DORY_E_NAME;
    memcpy(pattern, c.text, c.n);
    pattern[c.n] = '\0';
    if (dory_scp_glob(pattern, tail(path)))
        path->state = FOUND;
    return 0;
}

static int found(struct dory_scp_path *path, struct dory_transfer_item *item)
{
    struct dory_fs *fs = path->fs;
    int dir = path->level[path->levels - 1].dir, r;
    struct dory_path_part c;

    next_component(path, &c);
    r = c.last ? fs->ops->dup(fs, dir) : fs->ops->open(fs, dir, tail(path), DORY_FS_OPEN_DIR);
    if (r == DORY_E_AGAIN)
        return r;
    path->state = SCAN;
    if (r < 0)
        return c.last ? r : 0;
    if (c.last)
        return give(path, item, r, &c);
    descend(path, r, c.next);
    return 0;
}

static int open_root(struct dory_scp_path *path, struct dory_transfer_item *item)
{
    int r = path->fs->ops->root(path->fs);

    (void)item;
    if (r < 0)
        return r;
    path->dir = r;
    path->state = WALK;
    return 0;
}

void dory_scp_path_begin(struct dory_scp_path *path, struct dory_fs *fs, const char *word, bool literal)
{
    memset(path, 0, sizeof *path);
    path->fs = fs;
    path->word = word;
    path->literal = literal;
    path->dir = -1;
    path->state = ROOT;
    /* What comes before the first name is shown as it is. */
    if (word[0] == '~' && !literal)
        path->path[path->prefix++] = *word++;
    path->pos = path->prefix;
    if (word[0] == '/')
        path->path[path->prefix++] = '/';
}

int dory_scp_path_next(struct dory_scp_path *path, struct dory_transfer_item *item)
{
    while (path->state != IDLE) {
        int r = 0;

        switch (path->state) {
        case ROOT: r = open_root(path, item); break;
        case WALK: r = walk(path, item); break;
        case SCAN: r = scan(path, item); break;
        case FOUND: r = found(path, item); break;
        default: break;
        }
        if (r == 1 || r == DORY_E_AGAIN)
            return r;
        if (r < 0)
            return fail(path, item, r);
    }
    return 0;
}

void dory_scp_path_stop(struct dory_scp_path *path)
{
    dory_scp_close(path->fs, &path->dir);
    while (path->levels)
        dory_scp_close(path->fs, &path->level[--path->levels].dir);
    path->state = IDLE;
}
