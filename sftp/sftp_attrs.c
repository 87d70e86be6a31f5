/* Attributes and status codes, between the wire and a file system. */
#include "sftp_wire.h"

#include <string.h>

void dory_sftp_read_attrs(struct sftp_reader *r, struct sftp_attrs *attrs)
{
    memset(attrs, 0, sizeof *attrs);
    attrs->flags = dory_sftp_get32(r);
    if (attrs->flags & SSH_FILEXFER_ATTR_SIZE)
        attrs->size = dory_sftp_get64(r);
    if (attrs->flags & SSH_FILEXFER_ATTR_UIDGID) {
        attrs->uid = dory_sftp_get32(r);
        attrs->gid = dory_sftp_get32(r);
    }
    if (attrs->flags & SSH_FILEXFER_ATTR_PERMISSIONS)
        attrs->permissions = dory_sftp_get32(r);
    if (attrs->flags & SSH_FILEXFER_ATTR_ACMODTIME) {
        attrs->atime = dory_sftp_get32(r);
        attrs->mtime = dory_sftp_get32(r);
    }
}

void dory_sftp_put_attrs(struct sftp_writer *w, const struct sftp_attrs *attrs)
{
    dory_sftp_put32(w, attrs->flags & ~SSH_FILEXFER_ATTR_EXTENDED);
    if (attrs->flags & SSH_FILEXFER_ATTR_SIZE)
        dory_sftp_put64(w, attrs->size);
    if (attrs->flags & SSH_FILEXFER_ATTR_UIDGID) {
        dory_sftp_put32(w, attrs->uid);
        dory_sftp_put32(w, attrs->gid);
    }
    if (attrs->flags & SSH_FILEXFER_ATTR_PERMISSIONS)
        dory_sftp_put32(w, attrs->permissions);
    if (attrs->flags & SSH_FILEXFER_ATTR_ACMODTIME) {
        dory_sftp_put32(w, attrs->atime);
        dory_sftp_put32(w, attrs->mtime);
    }
}

static uint32_t bent(int64_t time)
{
    return time < 0 ? 0 : time > (int64_t)UINT32_MAX ? UINT32_MAX : (uint32_t)time;
}

void dory_sftp_from_info(struct sftp_attrs *attrs, const struct dory_fs_info *info)
{
    static const uint16_t types[] = {0, SFTP_MODE_FILE, SFTP_MODE_DIR, SFTP_MODE_LINK, SFTP_MODE_PIPE};

    attrs->flags = SSH_FILEXFER_ATTR_SIZE | SSH_FILEXFER_ATTR_UIDGID | SSH_FILEXFER_ATTR_PERMISSIONS | SSH_FILEXFER_ATTR_ACMODTIME;
    attrs->size = info->size;
    attrs->uid = info->uid;
    attrs->gid = info->gid;
    attrs->permissions = types[info->type] | (info->mode & 07777u);
    attrs->atime = bent(info->atime);
    attrs->mtime = bent(info->mtime);
}

void dory_sftp_to_settings(struct dory_fs_info *info, const struct sftp_attrs *attrs)
{
    memset(info, 0, sizeof *info);
    info->mode = (uint16_t)(attrs->permissions & 07777);
    info->uid = attrs->uid;
    info->gid = attrs->gid;
    info->size = attrs->size;
    info->mtime = attrs->mtime;
    info->atime = attrs->atime;
}

unsigned dory_sftp_settings(const struct sftp_attrs *attrs)
{
    unsigned set = 0;

    if (attrs->flags & SSH_FILEXFER_ATTR_SIZE)
        set |= DORY_FS_SET_SIZE;
    if (attrs->flags & SSH_FILEXFER_ATTR_UIDGID)
        set |= DORY_FS_SET_OWNER;
    if (attrs->flags & SSH_FILEXFER_ATTR_PERMISSIONS)
        set |= DORY_FS_SET_MODE;
    if (attrs->flags & SSH_FILEXFER_ATTR_ACMODTIME)
        set |= DORY_FS_SET_TIMES;
    return set;
}

enum sftp_status dory_sftp_status_of(int error)
{
    switch (error) {
    case DORY_E_NOENT:
    case DORY_E_NOTDIR: return SSH_FX_NO_SUCH_FILE;
    case DORY_E_ACCESS:
    case DORY_E_ROFS:
    case DORY_E_LOOP: return SSH_FX_PERMISSION_DENIED;
    case DORY_E_PROTOCOL: return SSH_FX_BAD_MESSAGE;
    case DORY_E_NOSYS: return SSH_FX_OP_UNSUPPORTED;
    default: return error < 0 ? SSH_FX_FAILURE : SSH_FX_OK;
    }
}
