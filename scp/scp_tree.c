/* What a sink does with directories; one that takes files alone does not link it. */
#include "scp_sink.h"

#include <string.h>

enum { OPEN_DIR = SCP_SINK_TREE, MAKE_DIR, LEAVE };

/* Enters the directory of a D record. A link in its place is not followed: it might lead out of the target. */
static int open_dir(struct dory_scp *scp)
{
    struct dory_fs *fs = scp->config.fs;
    int r = scp->present.itself ? fs->ops->dup(fs, scp->dir)
                                : fs->ops->open(fs, dory_scp_dir(scp), scp->name, DORY_FS_OPEN_DIR | DORY_FS_OPEN_NOFOLLOW);

    if (r == DORY_E_NOENT && !scp->present.created) {
        scp->state = MAKE_DIR;
        return DORY_OK;
    }
    if (r < 0)
        return r;
    scp->present.dir = r;
    dory_scp_enter(scp);
    dory_i_scp_answer(scp, DORY_OK);
    return DORY_OK;
}

static int make_dir(struct dory_scp *scp)
{
    struct dory_fs *fs = scp->config.fs;
    int r = fs->ops->mkdir(fs, dory_scp_dir(scp), scp->name, (scp->present.info.mode & 0777) | 0700);

    if (r < 0)
        return r;
    scp->present.created = true;
    scp->state = OPEN_DIR;
    return DORY_OK;
}

/* The mode that a directory gets once it is filled, and its times. */
static int finish_dir(const struct dory_scp *scp, struct dory_scp_level *level)
{
    struct dory_fs *fs = scp->config.fs;
    unsigned set = dory_i_scp_settings(scp, level);
    struct dory_fs_info now;

    if (level->itself)
        return DORY_OK;
    if (!set && level->created && (level->info.mode & 0700) != 0700) {
        /* It was made with more than it is to have; what the umask took stays taken. */
        int r = fs->ops->info(fs, level->dir, &now);

        if (r < 0)
            return r;
        level->info.mode &= now.mode;
        set = DORY_FS_SET_MODE;
    }
    return set ? fs->ops->setinfo(fs, level->dir, set, &level->info) : DORY_OK;
}

static int leave_dir(struct dory_scp *scp)
{
    int r = finish_dir(scp, &scp->stack[scp->depth - 1]);

    if (r == DORY_E_AGAIN)
        return r;
    dory_scp_leave(scp);
    dory_i_scp_answer(scp, r);
    return DORY_OK;
}

static int step(struct dory_scp *scp)
{
    if (scp->state == OPEN_DIR)
        return open_dir(scp);
    return scp->state == MAKE_DIR ? make_dir(scp) : leave_dir(scp);
}

/* `scp -r host:. x` against OpenSSH: a directory named ".", which means the target itself if the person asked for such. */
static bool may_be_target(const struct dory_scp *scp)
{
    return scp->depth == 0 && scp->config.name_count && !scp->seen && scp->config.names[0][0] == '/';
}

static const char *begin_dir(struct dory_scp *scp, const char *name)
{
    bool dot = strcmp(name, ".") == 0;
    const char *wrong;

    if (dot && !may_be_target(scp))
        return "unexpected filename";
    if (!(scp->config.flags & DORY_SCP_RECURSE))
        return "received directory without -r";
    scp->present.created = false;
    scp->present.itself = dot && scp->is_dir;
    wrong = dory_i_scp_store(scp, name, OPEN_DIR);
    if (!wrong && scp->state == OPEN_DIR && scp->depth == DORY_SCP_DEPTH_MAX)
        dory_i_scp_answer(scp, DORY_E_DEPTH);
    return wrong;
}

static const char *take(struct dory_scp *scp, char kind, const char *name)
{
    if (kind == 'D')
        return begin_dir(scp, name);
    scp->state = LEAVE;
    return scp->depth ? NULL : "unexpected end of directory";
}

const struct dory_scp_tree dory_scp_tree = {take, step};
