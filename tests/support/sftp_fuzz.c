#include "sftp_fuzz.h"
#include "sftp_kit.h"

#define UPLOAD (SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_TRUNC)

enum { CIRCUMSTANCES = 8 };

static void promise(bool kept, const char *what)
{
    if (!kept) {
        fprintf(stderr, "the SFTP server broke a promise: %s\n", what);
        abort();
    }
}

static void put(const char *path, uint8_t type, const char *content)
{
    promise(dory_ram_put(&k.ram, path, type, type == DORY_FS_DIR ? 0755 : 0644, content, strlen(content)) >= 0, "the disk of the test");
}

static void prepare(const uint8_t how[CIRCUMSTANCES])
{
    static const int errors[] = {DORY_E_IO, DORY_E_NOSPC, DORY_E_ACCESS, DORY_E_NFILE};

    sftpk_reset();
    put("dir/old", DORY_FS_FILE, "what was there before");
    put("dir/sub/deep", DORY_FS_FILE, "0123456789abcdef");
    put("link", DORY_FS_LINK, "dir/old");
    put("out", DORY_FS_LINK, "../../etc");
    k.ram.busy_every = how[0] & 8 ? how[0] & 7 : 0;
    k.ram.fail_at = (unsigned long)how[1] << 4;
    k.ram.fail_with = errors[how[2] & 3];
    k.ram.bite = how[3] & 1 ? how[3] : 0;
    k.push = 1 + how[4];
    k.pull = 1 + (size_t)how[5] * how[5];
    k.ram.fs.read_only = how[6] & 1;
    if (how[6] & 2)
        k.server.config.rewrite = NULL;
}

/* Room for what is to come is always made; whole answers are looked at. */
static void hear(void)
{
    size_t at = 0;

    while (k.out_n - at >= 9) {
        size_t n = 4 + dory_sftp_load32(k.out + at);
        uint8_t type = k.out[at + 4];

        promise(n >= 9 && n <= SFTPK_BYTES / 2, "an answer's length");
        promise(type == SSH_FXP_VERSION || (type >= SSH_FXP_STATUS && type <= SSH_FXP_ATTRS) || type == SSH_FXP_EXTENDED_REPLY,
                "an answer's type");
        if (n > k.out_n - at)
            break;
        at += n;
    }
    memmove(k.out, k.out + at, k.out_n - at);
    k.out_n -= at;
}

static size_t say(const uint8_t *bytes, size_t n)
{
    struct dory_stream *stream = &k.server.stream;
    uint32_t window = stream->ops->window(stream);
    size_t sure = window < n ? window : n, took;

    if (k.server.uploading)
        sure = window > DORY_SFTP_WINDOW && window - DORY_SFTP_WINDOW < n ? window - DORY_SFTP_WINDOW : 0;
    took = stream->ops->push(stream, bytes, n);
    promise(took <= n && (took >= sure || k.ram.busy_every), "window()");
    return took;
}

void sftp_fuzz(const uint8_t *input, size_t n)
{
    struct dory_stream *stream = &k.server.stream;
    unsigned idle = 0;
    size_t took, gave;

    if (n < CIRCUMSTANCES)
        return;
    prepare(input);
    for (size_t at = CIRCUMSTANCES; idle < 40; idle = took || gave ? 0 : idle + 1) {
        size_t left = n - at;

        took = say(input + at, left < k.push ? left : k.push);
        at += took;
        gave = stream->ops->pull(stream, k.out + k.out_n, SFTPK_BYTES - k.out_n < k.pull ? SFTPK_BYTES - k.out_n : k.pull);
        promise(gave <= k.pull, "pull's room");
        k.out_n += gave;
        hear();
        if (at == n)
            stream->ops->eof(stream);
    }
    stream->ops->stop(stream);
    promise(stream->ops->status(stream) != DORY_E_AGAIN, "the end");
    promise(dory_ram_open_handles(&k.ram) == 0 && dory_ram_nameless(&k.ram) == 0, "nothing left open");
    promise(k.opened == k.closed, "an event for each file");
}

size_t sftp_fuzz_seed(uint8_t *out, size_t cap)
{
    static const struct sftp_attrs none;
    const struct sftp_attrs attrs = {.flags = 15, .size = 5, .permissions = 0640, .mtime = 6, .atime = 6};

    sftpk_reset();
    k.id = SFTP_VERSION - 1;
    sftpk_ask(SSH_FXP_INIT, "");
    sftpk_ask(SSH_FXP_OPEN, "s4a", "/dir/old", UPLOAD, &attrs);
    sftpk_ask(SSH_FXP_WRITE, "h8s", 0x100, (uint64_t)0, "some content that is new");
    sftpk_ask(SSH_FXP_WRITE, "h8s", 0x100, (uint64_t)24, "and some more");
    sftpk_ask(SSH_FXP_FSETSTAT, "ha", 0x100, &attrs);
    sftpk_ask(SSH_FXP_STAT, "s", "dir/old");
    sftpk_ask(SSH_FXP_CLOSE, "h", 0x100);
    sftpk_ask(SSH_FXP_OPEN, "s4a", "dir/old", SSH_FXF_WRITE | SSH_FXF_CREAT, &none);
    sftpk_ask(SSH_FXP_WRITE, "h8s", 0x200, (uint64_t)0, "scp's way");
    sftpk_ask(SSH_FXP_FSETSTAT, "ha", 0x200, &attrs);
    sftpk_ask(SSH_FXP_CLOSE, "h", 0x200);
    sftpk_ask(SSH_FXP_OPEN, "s4a", "dir/sub/deep", SSH_FXF_READ | SSH_FXF_WRITE, &none);
    for (uint64_t at = 0; at < 20; at += 4) sftpk_ask(SSH_FXP_READ, "h84", 0x300, at, 4);
    sftpk_ask(SSH_FXP_WRITE, "h8s", 0x300, (uint64_t)3, "in place");
    sftpk_ask(SSH_FXP_FSTAT, "h", 0x300);
    sftpk_ask(SSH_FXP_OPENDIR, "s", "dir");
    sftpk_ask(SSH_FXP_READDIR, "h", 0x101);
    sftpk_ask(SSH_FXP_READDIR, "h", 0x101);
    sftpk_ask(SSH_FXP_CLOSE, "h", 0x101);
    sftpk_ask(SSH_FXP_MKDIR, "sa", "made", &attrs);
    sftpk_ask(SSH_FXP_RENAME, "ss", "dir/sub/deep", "made/x");
    sftpk_ask(SSH_FXP_EXTENDED, "sss", "posix-rename@openssh.com", "made/x", "dir/old");
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "dir/old", &attrs);
    sftpk_ask(SSH_FXP_READLINK, "s", "link");
    sftpk_ask(SSH_FXP_REALPATH, "s", "a/../b/./c");
    sftpk_ask(SSH_FXP_EXTENDED, "ss", "statvfs@openssh.com", "dir");
    sftpk_ask(SSH_FXP_EXTENDED, "ss", "expand-path@openssh.com", "~/x");
    sftpk_ask(SSH_FXP_EXTENDED, "s", "limits@openssh.com");
    sftpk_ask(SSH_FXP_REMOVE, "s", "link");
    sftpk_ask(SSH_FXP_RMDIR, "s", "made");
    if (cap < CIRCUMSTANCES + k.in_n)
        return 0;
    memcpy(out, "\0\0\0\0\377\377\0\0", CIRCUMSTANCES);
    memcpy(out + CIRCUMSTANCES, k.in, k.in_n);
    return CIRCUMSTANCES + k.in_n;
}
