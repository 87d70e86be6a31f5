/* What a client needs of the wire and a server does not: packets made in one piece, what attributes and status codes mean. */
#include "sftp_wire.h"

uint8_t *dory_sftp_put(struct sftp_writer *w, size_t n)
{
    if (w->bad || (size_t)(w->end - w->p) < n) {
        w->bad = true;
        return NULL;
    }
    w->p += n;
    return w->p - n;
}

uint8_t *dory_sftp_begin(struct sftp_writer *w, enum sftp_type type, uint32_t id)
{
    uint8_t *begun = dory_sftp_put(w, 9);

    if (begun) {
        begun[4] = (uint8_t)type;
        dory_sftp_store32(begun + 5, id);
    }
    return begun;
}

void dory_sftp_finish(struct sftp_writer *w, uint8_t *begun)
{
    if (!w->bad)
        dory_sftp_store32(begun, (uint32_t)(w->p - begun - 4));
}

struct sftp_slice dory_sftp_get_string(struct sftp_reader *r)
{
    struct sftp_slice s;

    dory_sftp_read_string(r, &s);
    return s;
}

void dory_sftp_get_attrs(struct sftp_reader *r, struct sftp_attrs *attrs)
{
    uint32_t more;

    dory_sftp_read_attrs(r, attrs);
    more = attrs->flags & SSH_FILEXFER_ATTR_EXTENDED ? dory_sftp_get32(r) : 0;
    for (; more && !r->bad; more--) {
        dory_sftp_get_string(r);
        dory_sftp_get_string(r);
    }
}

void dory_sftp_to_info(struct dory_fs_info *info, const struct sftp_attrs *attrs)
{
    dory_sftp_to_settings(info, attrs);
    switch (attrs->permissions & SFTP_MODE_TYPE) {
    case 0:
    case SFTP_MODE_FILE: info->type = DORY_FS_FILE; break;
    case SFTP_MODE_DIR: info->type = DORY_FS_DIR; break;
    case SFTP_MODE_LINK: info->type = DORY_FS_LINK; break;
    default: info->type = DORY_FS_OTHER;
    }
}

int dory_sftp_error_of(uint32_t status)
{
    switch (status) {
    case SSH_FX_OK: return DORY_OK;
    case SSH_FX_EOF: return DORY_E_CUT;
    case SSH_FX_NO_SUCH_FILE: return DORY_E_NOENT;
    case SSH_FX_PERMISSION_DENIED: return DORY_E_ACCESS;
    case SSH_FX_BAD_MESSAGE: return DORY_E_PROTOCOL;
    case SSH_FX_NO_CONNECTION:
    case SSH_FX_CONNECTION_LOST: return DORY_E_CUT;
    case SSH_FX_OP_UNSUPPORTED: return DORY_E_NOSYS;
    default: return DORY_E_IO;
    }
}
