/* A file that is there, opened to be written by a client that does not say at the beginning what is to become of it. OpenSSH's scp opens so
 * whatever it sends, writes it from the first byte on and truncates at the end. Others change a piece of a file in this way.
 *
 * So the file is opened in place, and one under a temporary identity as well, the spare. The first WRITE decides: at offset 0 it begins an
 * upload into the spare, elsewhere the file is changed in place. What an upload leaves out, before a WRITE or behind the last one, is
 * copied from the file that it replaces, unless it was truncated there.
 */
#include "sftp_internal.h"

/* No device has this file linked. A call copies 1 MiB at most: others wait for its end. */
enum { COPY_N = 16384, COPIES = 64 };

/* One that may not be read, or whose directory may not be written, is changed in place alone. */
static int open_both(struct dory_sftp_server *s)
{
    struct dory_fs *fs = s->config.fs;
    int *file = &s->open[SFTP_MADE], r;

    if (*file < 0)
        *file = fs->ops->open(fs, s->open[SFTP_DIR], s->name, DORY_FS_OPEN_READ | DORY_FS_OPEN_WRITE);
    if (*file == DORY_E_ACCESS)
        return fs->ops->open(fs, s->open[SFTP_DIR], s->name, DORY_FS_OPEN_WRITE);
    if (*file < 0)
        return *file;
    r = fs->ops->create(fs, s->open[SFTP_DIR], s->name, 0666, UINT64_MAX);
    if (r == DORY_E_AGAIN)
        return r;
    s->open[SFTP_FROM] = r < 0 ? -1 : r;
    return *file;
}

/* Copies from the old file what the new one lacks before `offset`. */
static int fill(struct dory_sftp_server *s, const struct dory_sftp_handle *h, uint64_t offset)
{
    struct dory_fs *fs = s->config.fs;
    struct dory_fs_info info;
    uint8_t bytes[COPY_N];
    long n;
    int r;

    for (int i = 0; i < COPIES; i++) {
        r = fs->ops->info(fs, h->fs, &info);
        if (r < 0 || info.size >= offset)
            return r;
        n = fs->ops->read(fs, h->spare, info.size, bytes, offset - info.size < COPY_N ? (size_t)(offset - info.size) : COPY_N);
        if (n <= 0)
            return (int)n;
        n = fs->ops->write(fs, h->fs, info.size, bytes, (size_t)n);
        if (n <= 0)
            return n ? (int)n : DORY_E_AGAIN;
    }
    s->copying = true;
    return DORY_E_AGAIN;
}

/* One of the two is not needed any more. */
static int drop_spare(struct dory_sftp_server *s, struct dory_sftp_handle *h)
{
    const struct dory_fs_ops *ops = s->config.fs->ops;

    if ((h->flags & SFTP_SPARE ? ops->abort : ops->close)(s->config.fs, h->spare) == DORY_E_AGAIN)
        return DORY_E_AGAIN;
    h->flags &= (uint8_t) ~(SFTP_SPARE | SFTP_OVER);
    return DORY_OK;
}

static int reach(struct dory_sftp_server *s, struct dory_sftp_handle *h, uint64_t offset, bool last)
{
    int r, old = h->fs;

    if (h->error)
        return h->error;
    if (h->flags & SFTP_SPARE) {
        if (offset)
            return drop_spare(s, h);
        h->fs = h->spare;
        h->spare = old;
        h->flags = (uint8_t)((h->flags & ~SFTP_SPARE) | SFTP_OVER | SFTP_UPLOAD);
    }
    r = fill(s, h, offset);
    if (r < 0 && r != DORY_E_AGAIN)
        h->error = (int8_t)r;
    return r < 0 || !last ? r : drop_spare(s, h);
}

const struct dory_sftp_rewrite dory_sftp_rewrite = {open_both, reach};
