#include "sftp_get.h"

#include <string.h>

/* What is kept of an entry, without alignment; the name and its NUL follow. */
struct kept {
    uint64_t size;
    uint32_t mtime, atime;
    uint16_t mode;
    uint8_t type;
    bool times;
};

static struct dory_sftp_get *get_of(struct dory_sftp_client *c)
{
    return (struct dory_sftp_get *)c;
}

void dory_i_sftp_names_begin(struct dory_sftp_client *c, struct dory_sftp_level *level)
{
    level->names_base = level->names_at = get_of(c)->names_end;
}

void dory_i_sftp_info_of(struct dory_sftp_client *c, const struct sftp_attrs *attrs, struct dory_fs_info *info, bool *times)
{
    (void)c;
    dory_sftp_to_info(info, attrs);
    *times = (attrs->flags & SSH_FILEXFER_ATTR_ACMODTIME) != 0;
    if (!(attrs->flags & SSH_FILEXFER_ATTR_PERMISSIONS))
        info->mode = 0666;
    info->mode &= info->type == DORY_FS_DIR ? 01777 : 0777; /* no host says whose rights a program here has, as with OpenSSH's scp */
}

/* A link's attributes are not those of what it leads to; of others some may be missing. */
static bool is_enough(const struct dory_sftp_client *c, const struct sftp_attrs *attrs, const struct dory_fs_info *info)
{
    if (!(attrs->permissions & SFTP_MODE_TYPE) || info->type == DORY_FS_LINK)
        return false;
    if (c->config.flags & DORY_SFTP_TIMES && !(attrs->flags & SSH_FILEXFER_ATTR_ACMODTIME))
        return false;
    return (attrs->flags & SSH_FILEXFER_ATTR_SIZE) || info->type != DORY_FS_FILE;
}

static bool is_dots(struct sftp_slice name)
{
    return dory_sftp_is(name, ".") || dory_sftp_is(name, "..");
}

bool dory_i_sftp_pattern(const struct dory_sftp_client *c, const struct dory_sftp_level *level, char pattern[DORY_NAME_MAX + 1])
{
    const char *word = c->config.path + level->word_at;
    size_t n = strcspn(word, "/");

    if (n > DORY_NAME_MAX)
        return false;
    memcpy(pattern, word, n);
    pattern[n] = '\0';
    return true;
}

static bool is_wanted(const struct dory_sftp_client *c, const struct dory_sftp_level *level, const char *name)
{
    char pattern[DORY_NAME_MAX + 1];

    return level->dir >= 0 || (dory_i_sftp_pattern(c, level, pattern) && c->config.match(pattern, name));
}

/* The present object may be one in it, whose path stays. */
void dory_i_sftp_told_of(struct dory_sftp_client *c, const struct dory_sftp_level *level, const struct sftp_answer *answer)
{
    char kept = c->path[level->path_at];

    c->path[level->path_at] = '\0';
    dory_i_sftp_told(c, c->path, answer, "");
    c->path[level->path_at] = kept;
}

/* Said once of a directory. */
static void leave_out(struct dory_sftp_client *c, struct dory_sftp_level *level, const char *why)
{
    struct sftp_answer a = {.status = SSH_FX_FAILURE, .text = {(const uint8_t *)why, strlen(why)}};

    if (!level->short_of)
        dory_i_sftp_told_of(c, level, &a);
    level->short_of = true;
}

void dory_i_sftp_names_add(struct dory_sftp_client *c, struct dory_sftp_level *level, struct sftp_slice name,
                           const struct sftp_attrs *attrs)
{
    struct dory_sftp_get *get = get_of(c);
    struct dory_fs_info info;
    struct kept kept = {0};
    char text[DORY_NAME_MAX + 1];

    if (is_dots(name))
        return;
    if (!name.n || memchr(name.p, '/', name.n) || memchr(name.p, '\0', name.n)) {
        dory_i_sftp_fatal(c, "the host listed a name that is none");
        return;
    }
    if (name.n > DORY_NAME_MAX || get->names_end + sizeof kept + name.n + 1 > sizeof get->names) {
        leave_out(c, level, name.n > DORY_NAME_MAX ? dory_strerror(DORY_E_NAME) : "a directory too large to list");
        return;
    }
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    if (!is_wanted(c, level, text))
        return;
    dory_i_sftp_info_of(c, attrs, &info, &kept.times);
    kept.size = info.size;
    kept.mtime = attrs->mtime;
    kept.atime = attrs->atime;
    kept.mode = info.mode;
    kept.type = is_enough(c, attrs, &info) ? info.type : 0;
    memcpy(get->names + get->names_end, &kept, sizeof kept);
    memcpy(get->names + get->names_end + sizeof kept, text, name.n + 1);
    get->names_end += (uint32_t)(sizeof kept + name.n + 1);
}

bool dory_i_sftp_names_next(struct dory_sftp_client *c, struct dory_sftp_level *level, struct sftp_entry *entry)
{
    struct dory_sftp_get *get = get_of(c);
    struct kept kept;

    if (level->names_at == get->names_end) {
        level->names_at = get->names_end = level->names_base;
        return false;
    }
    memcpy(&kept, get->names + level->names_at, sizeof kept);
    entry->info = (struct dory_fs_info){.type = kept.type, .mode = kept.mode, .size = kept.size, .mtime = kept.mtime, .atime = kept.atime};
    entry->times = kept.times;
    entry->name = (const char *)get->names + level->names_at + sizeof kept;
    level->names_at += (uint32_t)(sizeof kept + strlen(entry->name) + 1);
    return true;
}

bool dory_i_sftp_names_have_room(struct dory_sftp_client *c, struct dory_sftp_level *level)
{
    struct dory_sftp_get *get = get_of(c);
    uint32_t used = get->names_end - level->names_at;

    if (!used || get->names_end > sizeof get->names / 2) {
        memmove(get->names + level->names_base, get->names + level->names_at, used);
        level->names_at = level->names_base;
        get->names_end = level->names_base + used;
    }
    return !used || get->names_end <= sizeof get->names / 2;
}
