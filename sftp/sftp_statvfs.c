/* statvfs@openssh.com and fstatvfs@openssh.com: how much room there is. */
#include "sftp_internal.h"

static int space(struct dory_sftp_server *s, int fs_handle)
{
    s->answer = SFTP_SPACE;
    return s->config.fs->ops->space(s->config.fs, fs_handle, &s->space);
}

static int fstatvfs(struct dory_sftp_server *s, const struct sftp_request *request)
{
    return space(s, request->handle->fs);
}

/* Where the last component is a file, its directory tells. */
static int statvfs(struct dory_sftp_server *s, const struct sftp_request *request)
{
    int r = s->open[SFTP_DIR];

    if (s->open[SFTP_MADE] < 0 && request->named)
        r = s->open[SFTP_MADE] = s->config.fs->ops->open(s->config.fs, r, s->name, DORY_FS_OPEN_DIR);
    if (r < 0 && r != DORY_E_NOTDIR)
        return r;
    return space(s, s->open[s->open[SFTP_MADE] >= 0 ? SFTP_MADE : SFTP_DIR]);
}

/* OpenSSH's PROTOCOL 4.4, counted in fragments of one byte, so that nothing is to be divided. */
static void put_space(struct sftp_writer *w, const struct dory_sftp_server *s)
{
    const struct dory_fs_space *space = &s->space;

    dory_sftp_put64(w, space->block);
    dory_sftp_put64(w, 1);
    dory_sftp_put64(w, space->total);
    dory_sftp_put64(w, space->free);
    dory_sftp_put64(w, space->free);
    dory_sftp_put64(w, space->files);
    dory_sftp_put64(w, space->files_free);
    dory_sftp_put64(w, space->files_free);
    dory_sftp_put64(w, 0);
    dory_sftp_put64(w, SSH_FXE_STATVFS_NOSUID | (s->config.fs->read_only ? SSH_FXE_STATVFS_RDONLY : 0u));
    dory_sftp_put64(w, DORY_NAME_MAX);
}

static const struct sftp_extension extensions[] = {
    {SSH_FXE_STATVFS, statvfs, SFTP_F_WALK, "2"},
    {SSH_FXE_FSTATVFS, fstatvfs, SFTP_F_HANDLE, "2"},
};

const struct dory_sftp_statvfs dory_sftp_statvfs = {extensions, put_space};
