/* Hostile SFTP clients: THREATS.md's rows F1, F2 and S3 to S5. */
#include <sys/stat.h>
#include <unistd.h>

#include "dory_posix_fs.h"
#include "posix_kit.h"
#include "sftp_kit.h"

#define UPLOAD (SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_TRUNC)

static const struct sftp_attrs none;

/* ---- F1 */

static void test_F1_read_of_4_gib(void **state)
{
    uint32_t h;

    (void)state;
    sftpk_init();
    sftpk_file("file", "content");
    h = sftpk_open("file", SSH_FXF_READ);
    sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)0, UINT32_MAX);
    sftpk_data("content", 7);
    sftpk_ask(SSH_FXP_READ, "h84", h, UINT64_MAX, UINT32_MAX);
    sftpk_expect(SSH_FX_EOF);
    sftpk_ask(SSH_FXP_READ, "h84", h, UINT64_MAX - 1, UINT32_MAX);
    sftpk_expect(SSH_FX_EOF);
    sftpk_close(h);
}

static void test_F1_write_at_the_end_of_64_bits(void **state)
{
    static const uint64_t offsets[] = {UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63, INT64_MAX, INT64_MAX - 1};
    uint32_t h;

    (void)state;
    sftpk_init();
    sftpk_file("file", "old");
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        h = sftpk_open("file", SSH_FXF_WRITE);
        sftpk_ask(SSH_FXP_WRITE, "h8s", h, offsets[i], "xyz");
        sftpk_expect(SSH_FX_FAILURE);
        sftpk_close(h);
        assert_string_equal(sftpk_content("file"), "old");
        h = sftpk_open("file", UPLOAD);
        sftpk_ask(SSH_FXP_WRITE, "h8s", h, offsets[i], "xyz");
        sftpk_expect(SSH_FX_FAILURE);
        sftpk_ask(SSH_FXP_CLOSE, "h", h);
        sftpk_expect(SSH_FX_FAILURE);
        assert_string_equal(sftpk_content("file"), "old");
    }
}

/* In every request that takes one. */
static void ask_all(const void *handle, size_t n)
{
    sftpk_ask(SSH_FXP_CLOSE, "b", handle, n);
    sftpk_ask(SSH_FXP_READ, "b84", handle, n, (uint64_t)0, 10);
    sftpk_ask(SSH_FXP_WRITE, "b8s", handle, n, (uint64_t)0, "data");
    sftpk_ask(SSH_FXP_FSTAT, "b", handle, n);
    sftpk_ask(SSH_FXP_FSETSTAT, "ba", handle, n, &none);
    sftpk_ask(SSH_FXP_READDIR, "b", handle, n);
    sftpk_ask(SSH_FXP_EXTENDED, "sb", "fsync@openssh.com", handle, n);
    sftpk_ask(SSH_FXP_EXTENDED, "sb", "fstatvfs@openssh.com", handle, n);
}

static void test_F1_handles_that_are_none(void **state)
{
    static const char long_one[300] = "a handle";
    static const struct {
        const char *p;
        size_t n;
    } bad[] = {{"", 0},         {"\0\0\1", 3},   {"\0\0\1\0\0", 5},       {"\0\0\0\0", 4},   {"\0\0\2\0", 4},
               {"\0\0\1\1", 4}, {"\1\0\1\0", 4}, {"\xff\xff\xff\xff", 4}, {"\0\0\1\xff", 4}, {long_one, sizeof long_one}};
    uint32_t h;

    (void)state;
    sftpk_init();
    sftpk_file("file", "content");
    h = sftpk_open("file", SSH_FXF_READ | SSH_FXF_WRITE);
    assert_int_equal(h, 0x100);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ask_all(bad[i].p, bad[i].n);
        for (int j = 0; j < 8; j++) {
            struct sftpk_answer a = sftpk_answer();
            uint32_t code = dory_sftp_get32(&a.r);

            assert_true(a.type == SSH_FXP_STATUS && (code == SSH_FX_FAILURE || code == SSH_FX_BAD_MESSAGE));
        }
    }
    sftpk_close(h);
    sftpk_nothing();
    assert_string_equal(sftpk_content("file"), "content");
}

static void test_F1_a_handle_after_its_close(void **state)
{
    uint32_t old, h;
    uint8_t text[4];

    (void)state;
    sftpk_init();
    sftpk_file("file", "content");
    sftpk_file("other", "secret");
    for (int i = 0; i < 300; i++) {
        old = sftpk_open("file", SSH_FXF_READ | SSH_FXF_WRITE);
        sftpk_close(old);
        h = sftpk_open("other", SSH_FXF_READ | SSH_FXF_WRITE);
        assert_int_not_equal(old, h);
        dory_sftp_store32(text, old);
        ask_all(text, 4);
        for (int j = 0; j < 8; j++) sftpk_expect(SSH_FX_FAILURE);
        sftpk_close(h);
    }
    assert_string_equal(sftpk_content("other"), "secret");
}

static void test_F1_handle_exhaustion(void **state)
{
    uint32_t handles[DORY_SFTP_HANDLES];

    (void)state;
    sftpk_init();
    sftpk_file("dir/file", "content");
    for (int i = 0; i < DORY_SFTP_HANDLES; i++) handles[i] = sftpk_open("dir/file", i % 2 ? (uint32_t)UPLOAD : (uint32_t)SSH_FXF_READ);
    for (int i = 0; i < 300; i++) {
        sftpk_ask(SSH_FXP_OPEN, "s4a", "dir/file", i % 2 ? UPLOAD : SSH_FXF_READ, &none);
        sftpk_expect_text(SSH_FX_FAILURE, "Too many open files");
        sftpk_ask(SSH_FXP_OPENDIR, "s", i % 2 ? "dir" : "/");
        sftpk_expect_text(SSH_FX_FAILURE, "Too many open files");
    }
    assert_int_equal(dory_ram_open_handles(&k.ram), DORY_SFTP_HANDLES);
    sftpk_ask(SSH_FXP_STAT, "s", "dir"); /* needs none of them */
    sftpk_attrs();
    sftpk_close(handles[5]);
    handles[5] = sftpk_open("dir/file", SSH_FXF_READ);
    sftpk_close(handles[5]);
}

static void test_F1_paths_over_the_limit(void **state)
{
    static char path[100000];
    static const size_t sizes[] = {
        DORY_NAME_MAX + 1, 4096, DORY_SFTP_QUEUE - 14, DORY_SFTP_QUEUE - 13, DORY_SFTP_QUEUE - 12, DORY_SFTP_QUEUE, 65535, 65536,
        sizeof path};

    (void)state;
    sftpk_init();
    memset(path, 'p', sizeof path);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n = sizes[i];

        sftpk_ask(SSH_FXP_STAT, "b", path, n);
        sftpk_expect_text(SSH_FX_FAILURE, "invalid or too long name");
        sftpk_ask(SSH_FXP_OPEN, "b4a", path, n, UPLOAD, &none);
        sftpk_expect(SSH_FX_FAILURE);
        sftpk_ask(SSH_FXP_RENAME, "bb", path, n, path, n);
        sftpk_expect(SSH_FX_FAILURE);
        sftpk_ask(SSH_FXP_EXTENDED, "bb", path, n, path, n);
        assert_int_equal(sftpk_answer().type, SSH_FXP_STATUS);
        sftpk_ask(SSH_FXP_READ, "b84", path, n, (uint64_t)0, 10);
        assert_int_equal(sftpk_answer().type, SSH_FXP_STATUS);
        sftpk_ask(SSH_FXP_WRITE, "b8s", path, n, (uint64_t)0, "x");
        assert_int_equal(sftpk_answer().type, SSH_FXP_STATUS);
        k.in_at = k.in_n = k.out_at = k.out_n = 0;
    }
    sftpk_ask(SSH_FXP_STAT, "s", "/");
    sftpk_attrs();
    sftpk_nothing();
}

/* 4 KiB of "a/": quadratic work would show here as minutes. */
static void test_F1_a_path_of_many_components(void **state)
{
    static char path[4096];

    (void)state;
    sftpk_init();
    for (size_t i = 0; i < sizeof path; i += 2) {
        path[i] = 'a';
        path[i + 1] = '/';
    }
    sftpk_ask(SSH_FXP_REALPATH, "b", path, sizeof path);
    assert_int_equal(strlen(sftpk_name()), sizeof path);
    sftpk_ask(SSH_FXP_STAT, "b", path, sizeof path);
    sftpk_expect(SSH_FX_NO_SUCH_FILE);
}

static void test_F1_unknown_requests(void **state)
{
    (void)state;
    sftpk_init();
    for (int type = 0; type < 256; type++) {
        if ((type >= SSH_FXP_INIT && type < SSH_FXP_SYMLINK) || type == SSH_FXP_EXTENDED)
            continue;
        sftpk_ask(type, "ss", "x", "y");
        sftpk_expect(type ? SSH_FX_OP_UNSUPPORTED : SSH_FX_FAILURE);
    }
    sftpk_ask(SSH_FXP_EXTENDED, "s", "");
    sftpk_expect(SSH_FX_OP_UNSUPPORTED);
    sftpk_ask(SSH_FXP_EXTENDED, "ss", "hardlink@openssh.com", "x");
    sftpk_expect(SSH_FX_OP_UNSUPPORTED);
    sftpk_ask(SSH_FXP_EXTENDED, "ss", "statvfs@openssh.co", "x");
    sftpk_expect(SSH_FX_OP_UNSUPPORTED);
}

/* Each request that is known, cut short at each byte, and with lengths in it that lead beyond its end. */
static void test_F1_requests_that_end_too_early(void **state)
{
    static uint8_t whole[200];
    const struct sftp_attrs some = {.flags = 15};

    (void)state;
    for (int type = SSH_FXP_OPEN; type <= SSH_FXP_READLINK; type++) {
        size_t n;

        sftpk_begin();
        sftpk_init();
        k.in_n = k.in_at = 0;
        if (type == SSH_FXP_OPEN)
            sftpk_ask(type, "s4a", "x", SSH_FXF_READ, &some);
        else if (type == SSH_FXP_READ)
            sftpk_ask(type, "h84", 0x100, (uint64_t)0, 10);
        else if (type == SSH_FXP_WRITE)
            sftpk_ask(type, "h8s", 0x100, (uint64_t)0, "data");
        else if (type == SSH_FXP_RENAME)
            sftpk_ask(type, "ss", "x", "y");
        else if (type == SSH_FXP_SETSTAT || type == SSH_FXP_MKDIR)
            sftpk_ask(type, "sa", "x", &some);
        else if (type == SSH_FXP_FSETSTAT)
            sftpk_ask(type, "ha", 0x100, &some);
        else if (type == SSH_FXP_CLOSE || type == SSH_FXP_FSTAT || type == SSH_FXP_READDIR)
            sftpk_ask(type, "h", 0x100);
        else
            sftpk_ask(type, "s", "x");
        n = k.in_n;
        memcpy(whole, k.in, n);
        for (size_t cut = 9; cut < n; cut++) {
            k.in_n = k.in_at = 0;
            memcpy(k.in, whole, cut);
            dory_sftp_store32(k.in, (uint32_t)cut - 4);
            k.in_n = cut;
            k.answered = k.id - 1;
            assert_int_equal(sftpk_answer().type, SSH_FXP_STATUS);
            k.in_n = k.in_at = 0;
            memcpy(k.in, whole, n);
            memset(k.in + cut, 0xFF, n - cut < 4 ? n - cut : 4);
            k.in_n = n;
            k.answered = k.id - 1;
            sftpk_answer();
            sftpk_nothing();
        }
        assert_int_equal(k.server.stream.ops->status(&k.server.stream), DORY_E_AGAIN);
        sftpk_teardown(NULL);
    }
}

/* A WRITE that cannot be taken apart, to an upload: what it should have written is missing, so CLOSE must not store the rest. */
static void test_F1_a_malformed_write_loses_its_upload(void **state)
{
    static const uint32_t opens[] = {UPLOAD, SSH_FXF_WRITE | SSH_FXF_CREAT}; /* sftp's; scp's, which decides at the first WRITE */
    size_t cut;
    uint32_t h;

    (void)state;
    for (int first = 0; first < 2; first++)
        for (size_t i = 0; i < 2 * (29 - 17 + 1); i++) {
            bool alone = i % 2;

            sftpk_reset();
            sftpk_init();
            sftpk_file("file", "old");
            h = sftpk_open("file", opens[first]);
            if (!alone)
                sftpk_write(h, 0, "new ");
            /* Cut behind the handle, within the offset, within the length; then whole, but with another length than it says. */
            cut = 17 + i / 2;
            k.in_n = k.in_at = 0;
            sftpk_ask(SSH_FXP_WRITE, "h84", h, (uint64_t)4, 1);
            assert_int_equal(k.in_n, 29);
            k.in_n = cut;
            dory_sftp_store32(k.in, (uint32_t)cut - 4);
            sftpk_expect(SSH_FX_BAD_MESSAGE);
            sftpk_ask(SSH_FXP_WRITE, "h8s", h, (uint64_t)11, "!");
            sftpk_expect(SSH_FX_BAD_MESSAGE);
            sftpk_ask(SSH_FXP_CLOSE, "h", h);
            sftpk_expect(SSH_FX_BAD_MESSAGE);
            assert_string_equal(sftpk_content("file"), "old");
            sftpk_put("file", "the session goes on");
            assert_string_equal(sftpk_content("file"), "the session goes on");
            assert_int_equal(sftpk_end(), 0);
            sftpk_teardown(NULL);
        }
}

/* ---- F2 */

static void ends_badly(const void *bytes, size_t n, bool greet)
{
    struct dory_stream *stream = &k.server.stream;

    sftpk_reset();
    if (greet)
        sftpk_init();
    assert_int_equal(stream->ops->push(stream, bytes, n), n);
    assert_int_equal(stream->ops->status(stream), 1);
    assert_int_equal(k.errors, 1);
    /* From then on everything is swallowed and nothing said. */
    assert_int_equal(stream->ops->push(stream, bytes, n), n);
    assert_int_equal(stream->ops->pull(stream, k.out, sizeof k.out), 0);
    assert_int_equal(stream->ops->status(stream), 1);
}

static void test_F2_impossible_lengths(void **state)
{
    static const uint32_t lengths[] = {0, 1, 3, 4, DORY_SFTP_PACKET_MAX + 1, 0x7FFFFFFF, 0x80000000u, UINT32_MAX};
    uint8_t bytes[4];

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        dory_sftp_store32(bytes, lengths[i]);
        ends_badly(bytes, 4, false);
        ends_badly(bytes, 4, true);
    }
}

static void test_F2_a_request_before_init(void **state)
{
    (void)state;
    for (int type = 0; type < 256; type++) {
        uint8_t bytes[9] = {0, 0, 0, 5, (uint8_t)type, 0, 0, 0, 3};

        if (type != SSH_FXP_INIT)
            ends_badly(bytes, sizeof bytes, false);
    }
}

static void test_F2_two_inits(void **state)
{
    static const uint8_t init[] = {0, 0, 0, 5, SSH_FXP_INIT, 0, 0, 0, 3};

    (void)state;
    ends_badly(init, sizeof init, true);
}

static void test_F2_an_end_aborts_uploads(void **state)
{
    static const uint8_t bad[4];
    struct dory_stream *stream = &k.server.stream;
    uint32_t h;

    (void)state;
    sftpk_init();
    sftpk_file("file", "old");
    h = sftpk_open("file", UPLOAD);
    sftpk_write(h, 0, "new");
    stream->ops->push(stream, bad, 4);
    assert_int_equal(stream->ops->status(stream), 1);
    assert_string_equal(sftpk_content("file"), "old");
    assert_int_equal(dory_ram_nameless(&k.ram), 0);
}

/* ---- S3 */

static const char *const ways_out[] = {"../secret",   "/../secret",   "a/../../secret",   "//secret",         "../root2/secret",
                                       "link/secret", "abs/secret",   "./.././../secret", "dir/../../secret", "a/b/c/../../../../secret",
                                       "link2",       "dir/up/secret"};

/* A tree root/ beside root2/ and a secret; whatever is asked for, what is outside is not read, changed or made. */
static void ask_everything(const char *path, const char *other)
{
    const struct sftp_attrs attrs = {.flags = 5, .size = 1, .permissions = 0777};

    sftpk_ask(SSH_FXP_OPEN, "s4a", path, SSH_FXF_READ, &none);
    sftpk_ask(SSH_FXP_OPEN, "s4a", path, SSH_FXF_WRITE, &none);
    sftpk_ask(SSH_FXP_OPEN, "s4a", path, SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_APPEND, &none);
    sftpk_ask(SSH_FXP_OPEN, "s4a", path, UPLOAD, &none);
    sftpk_ask(SSH_FXP_STAT, "s", path);
    sftpk_ask(SSH_FXP_SETSTAT, "sa", path, &attrs);
    sftpk_ask(SSH_FXP_OPENDIR, "s", path);
    sftpk_ask(SSH_FXP_MKDIR, "sa", path, &none);
    sftpk_ask(SSH_FXP_SYMLINK, "ss", "/etc", path);
    sftpk_ask(SSH_FXP_RENAME, "ss", other, path);
    sftpk_ask(SSH_FXP_EXTENDED, "sss", "posix-rename@openssh.com", path, other);
    sftpk_ask(SSH_FXP_RMDIR, "s", path);
    sftpk_ask(SSH_FXP_EXTENDED, "ss", "statvfs@openssh.com", path);
}

static void test_S3_nothing_outside_the_root(void **state)
{
    static struct dory_posix_fs fs;
    struct stat before, after;

    assert_int_equal(posix_kit_enter(state), 0);
    assert_int_equal(
        posix_kit_sh("mkdir -p root/dir root2 && printf secret > secret && printf secret > root2/secret && ln -s .. root/link && "
                     "ln -s '%s' root/abs && ln -s ../secret root/link2 && ln -s ../.. root/dir/up && echo x > root/file",
                     posix_kit_dir()),
        0);
    assert_int_equal(stat("secret", &before), 0);
    for (unsigned flags = 0; flags <= DORY_POSIX_FS_NO_OPENAT2; flags += DORY_POSIX_FS_NO_OPENAT2)
        for (size_t i = 0; i < sizeof ways_out / sizeof *ways_out; i++) {
            assert_int_equal(dory_posix_fs_init(&fs, "root", flags), DORY_OK);
            sftpk_begin();
            k.server.config.fs = &fs.fs;
            sftpk_init();
            ask_everything(ways_out[i], "file");
            sftpk_run();
            k.server.stream.ops->stop(&k.server.stream);
            dory_posix_fs_close(&fs);
            assert_null(memmem(k.out, k.out_n, "secret", 6));
            assert_int_equal(stat("secret", &after), 0);
            assert_true(before.st_ino == after.st_ino && before.st_mode == after.st_mode &&
                        before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
        }
    assert_string_equal(posix_kit_read("secret"), "secret");
    assert_string_equal(posix_kit_read("root2/secret"), "secret");
    assert_int_equal(posix_kit_count("."), 3);
    assert_int_equal(posix_kit_count("root2"), 1);
    assert_int_equal(posix_kit_leave(state), 0);
}

/* A directory of the path becomes a link to the outside between two steps of its walk. */
static int swaps;

static void swap(struct dory_ram_fs *ram, enum dory_ram_call call)
{
    int dir = dory_ram_find(ram, "dir");

    if (call == DORY_RAM_OPEN && dir >= 0 && ram->nodes[dir].type == DORY_FS_DIR && swaps-- == 0)
        ram->nodes[dir].type = DORY_FS_LINK;
}

static void test_S3_a_directory_swapped_for_a_link(void **state)
{
    (void)state;
    for (int at = 0; at < 4; at++) {
        sftpk_reset();
        sftpk_init();
        sftpk_file("dir/sub/file", "content");
        k.ram.before = swap;
        swaps = at;
        sftpk_ask(SSH_FXP_OPEN, "s4a", "dir/sub/file", SSH_FXF_READ, &none);
        sftpk_answer();
        k.ram.before = NULL;
        sftpk_teardown(NULL);
    }
}

/* ---- S4 */

static void test_S4_a_read_only_server_changes_nothing(void **state)
{
    static struct dory_ram_node before[SFTPK_NODES];
    const struct sftp_attrs attrs = {.flags = 15, .size = 1, .permissions = 0777, .mtime = 1, .atime = 1};
    uint32_t h, d;

    (void)state;
    sftpk_file("dir/file", "content");
    sftpk_file("dir/other", "more");
    k.ram.fs.read_only = true;
    memcpy(before, k.nodes, sizeof before);
    sftpk_init();
    for (uint32_t pflags = 1; pflags < 64; pflags++) {
        if (!(pflags & SSH_FXF_WRITE))
            continue;
        sftpk_ask(SSH_FXP_OPEN, "s4a", "dir/file", pflags, &attrs);
        sftpk_ask(SSH_FXP_OPEN, "s4a", "dir/new", pflags | SSH_FXF_CREAT, &attrs);
        for (int i = 0; i < 2; i++) assert_int_equal(sftpk_answer().type, SSH_FXP_STATUS);
    }
    sftpk_ask(SSH_FXP_OPEN, "s4a", "dir/file", UPLOAD, &none);
    sftpk_expect_text(SSH_FX_PERMISSION_DENIED, "Read-only file system");
    h = sftpk_open("dir/file", SSH_FXF_READ);
    sftpk_ask(SSH_FXP_OPENDIR, "s", "dir");
    d = sftpk_handle();
    sftpk_ask(SSH_FXP_WRITE, "h8s", h, (uint64_t)0, "x");
    sftpk_ask(SSH_FXP_FSETSTAT, "ha", h, &attrs);
    sftpk_ask(SSH_FXP_FSETSTAT, "ha", d, &attrs);
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "dir/file", &attrs);
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "dir", &attrs);
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "/", &attrs);
    sftpk_ask(SSH_FXP_MKDIR, "sa", "new", &none);
    sftpk_ask(SSH_FXP_REMOVE, "s", "dir/file");
    sftpk_ask(SSH_FXP_RMDIR, "s", "dir");
    sftpk_ask(SSH_FXP_RENAME, "ss", "dir/file", "dir/new");
    sftpk_ask(SSH_FXP_EXTENDED, "sss", "posix-rename@openssh.com", "dir/file", "dir/other");
    for (int i = 0; i < 11; i++) sftpk_expect(SSH_FX_PERMISSION_DENIED);
    sftpk_ask(SSH_FXP_SYMLINK, "ss", "dir/file", "link");
    sftpk_expect(SSH_FX_OP_UNSUPPORTED);
    sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)0, 10);
    sftpk_data("content", 7);
    sftpk_close(h);
    sftpk_close(d);
    assert_memory_equal(before, k.nodes, sizeof before);
    assert_int_equal(sftpk_end(), 0);
}

/* ---- S5 */

static void test_S5_full_in_the_middle(void **state)
{
    static const int errors[] = {DORY_E_NOSPC, DORY_E_IO};
    static const char *const texts[] = {"No space left on device", "Input/output error"};
    uint32_t h;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        sftpk_reset();
        sftpk_init();
        sftpk_file("file", "old");
        h = sftpk_open("file", UPLOAD);
        sftpk_write(h, 0, "new ");
        k.ram.only = 1u << DORY_RAM_WRITE;
        k.ram.calls = 0;
        k.ram.fail_at = 1;
        k.ram.fail_with = errors[i];
        sftpk_ask(SSH_FXP_WRITE, "h8s", h, (uint64_t)4, "content");
        sftpk_expect_text(SSH_FX_FAILURE, texts[i]);
        sftpk_ask(SSH_FXP_WRITE, "h8s", h, (uint64_t)11, "!"); /* there is a hole before it */
        sftpk_expect_text(SSH_FX_FAILURE, texts[i]);
        sftpk_ask(SSH_FXP_CLOSE, "h", h);
        sftpk_expect_text(SSH_FX_FAILURE, texts[i]);
        assert_string_equal(sftpk_content("file"), "old");
        assert_int_equal(dory_ram_nameless(&k.ram), 0);
        sftpk_put("file", "the session goes on");
        assert_string_equal(sftpk_content("file"), "the session goes on");
        assert_int_equal(sftpk_end(), 0);
        sftpk_teardown(NULL);
    }
}

static void test_S5_really_full(void **state)
{
    static char big[SFTPK_BLOCKS * DORY_RAM_BLOCK / 4];
    uint32_t h;

    (void)state;
    sftpk_init();
    sftpk_file("file", "old");
    h = sftpk_open("file", UPLOAD);
    for (uint64_t i = 0; i < 5; i++) {
        k.in_at = k.in_n = 0;
        sftpk_ask(SSH_FXP_WRITE, "h8b", h, i * sizeof big, big, sizeof big);
        if (i < 3)
            sftpk_expect(SSH_FX_OK);
        else
            sftpk_expect_text(SSH_FX_FAILURE, "No space left on device");
    }
    sftpk_ask(SSH_FXP_CLOSE, "h", h);
    sftpk_expect(SSH_FX_FAILURE);
    assert_string_equal(sftpk_content("file"), "old");
    sftpk_put("file", "room again");
    assert_string_equal(sftpk_content("file"), "room again");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, sftpk_setup, sftpk_teardown)
    const struct CMUnitTest tests[] = {
        T(test_F1_read_of_4_gib),
        T(test_F1_write_at_the_end_of_64_bits),
        T(test_F1_handles_that_are_none),
        T(test_F1_a_handle_after_its_close),
        T(test_F1_handle_exhaustion),
        T(test_F1_paths_over_the_limit),
        T(test_F1_a_path_of_many_components),
        T(test_F1_unknown_requests),
        T(test_F1_requests_that_end_too_early),
        T(test_F1_a_malformed_write_loses_its_upload),
        T(test_F2_impossible_lengths),
        T(test_F2_a_request_before_init),
        T(test_F2_two_inits),
        T(test_F2_an_end_aborts_uploads),
        T(test_S3_nothing_outside_the_root),
        T(test_S3_a_directory_swapped_for_a_link),
        T(test_S4_a_read_only_server_changes_nothing),
        T(test_S5_full_in_the_middle),
        T(test_S5_really_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
