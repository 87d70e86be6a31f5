/* The SFTP server, request by request. */
#include "sftp_kit.h"

#define UPLOAD (SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_TRUNC)

static const struct sftp_attrs none;

static struct sftp_attrs stat_of(const char *path)
{
    sftpk_ask(SSH_FXP_STAT, "s", path);
    return sftpk_attrs();
}

static void test_version_and_extensions(void **state)
{
    static const char *const offered[] = {"posix-rename@openssh.com", "1", "fsync@openssh.com",   "1", "limits@openssh.com",   "1",
                                          "expand-path@openssh.com",  "1", "statvfs@openssh.com", "2", "fstatvfs@openssh.com", "2"};
    static struct dory_fs_ops without;

    (void)state;
    for (unsigned most = 12; most; most = most == 12 ? 8 : 0) {
        struct sftpk_answer a;

        sftpk_begin();
        without = *k.ram.fs.ops;
        without.space = NULL;
        if (most == 8)
            k.ram.fs.ops = &without;
        k.id = SFTP_VERSION - 1;
        sftpk_ask(SSH_FXP_INIT, "ss", "some@extension", "of the client");
        k.answered = SFTP_VERSION - 1;
        a = sftpk_answer();
        assert_int_equal(a.type, SSH_FXP_VERSION);
        for (unsigned i = 0; i < most; i++) assert_true(dory_sftp_is(dory_sftp_get_string(&a.r), offered[i]));
        assert_true(!a.r.bad && a.r.p == a.r.end);
        assert_int_equal(sftpk_end(), 0);
    }
}

static void test_realpath_and_expand_path(void **state)
{
    static const char *const table[][3] = {
        {"", "/", "/"},
        {".", "/", "/"},
        {"/", "/", "/"},
        {"..", "/", "/"},
        {"a", "/a", "/a"},
        {"/a/", "/a", "/a"},
        {"a//b/./c", "/a/b/c", "/a/b/c"},
        {"a/b/../../../c", "/c", "/c"},
        {"/../x", "/x", "/x"},
        {"~", "/~", "/"},
        {"~/x/..", "/~", "/"},
        {"~/a b", "/~/a b", "/a b"},
    };

    (void)state;
    sftpk_init();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        sftpk_ask(SSH_FXP_REALPATH, "s", table[i][0]);
        assert_string_equal(sftpk_name(), table[i][1]);
        sftpk_ask(SSH_FXP_EXTENDED, "ss", "expand-path@openssh.com", table[i][0]);
        assert_string_equal(sftpk_name(), table[i][2]);
    }
    sftpk_ask(SSH_FXP_EXTENDED, "ss", "expand-path@openssh.com", "~other/x");
    sftpk_expect(SSH_FX_NO_SUCH_FILE);
}

/* What scp, sftp, curl and others do. */
static void test_an_upload_appears_whole(void **state)
{
    const struct sftp_attrs mode = {.flags = SSH_FILEXFER_ATTR_PERMISSIONS, .permissions = 0100640};
    const struct sftp_attrs times = {.flags = 12, .permissions = 0600, .atime = 1000, .mtime = 2000};
    struct sftp_attrs got;
    uint32_t h;

    (void)state;
    sftpk_init();
    sftpk_file("dir/file", "old content");
    sftpk_ask(SSH_FXP_OPEN, "s4a", "/dir/file", UPLOAD, &mode);
    h = sftpk_handle();
    sftpk_write(h, 0, "new ");
    assert_string_equal(sftpk_content("dir/file"), "old content");
    sftpk_write(h, 4, "content, longer");
    sftpk_ask(SSH_FXP_FSTAT, "h", h);
    got = sftpk_attrs();
    assert_int_equal(got.size, 19);
    /* By name, in whatever way it is written. */
    got = stat_of("dir/../dir//./file");
    assert_int_equal(got.size, 19);
    sftpk_ask(SSH_FXP_LSTAT, "s", "dir/file");
    assert_int_equal(sftpk_attrs().size, 19);
    sftpk_ask(SSH_FXP_FSETSTAT, "ha", h, &times);
    sftpk_expect(SSH_FX_OK);
    sftpk_ask(SSH_FXP_FSTAT, "h", h);
    got = sftpk_attrs();
    assert_int_equal(got.permissions, 0100600);
    assert_true(got.mtime == 2000 && got.atime == 1000);
    sftpk_write(h, 19, ".");
    sftpk_ask(SSH_FXP_EXTENDED, "sh", "fsync@openssh.com", h);
    sftpk_expect(SSH_FX_OK);
    assert_string_equal(sftpk_content("dir/file"), "old content");
    sftpk_close(h);
    assert_string_equal(sftpk_content("dir/file"), "new content, longer.");
    got = stat_of("dir/file");
    assert_int_equal(got.permissions, 0100600);
    assert_true(got.mtime == 2000 && got.atime == 1000 && got.size == 20);
    assert_int_equal(sftpk_end(), 0);
    assert_int_equal(k.good, 1);
    assert_int_equal(k.moved, 20);
}

static void test_setstat_by_name_of_an_upload(void **state)
{
    const struct sftp_attrs attrs = {.flags = 12, .permissions = 0604, .atime = 1, .mtime = 2};
    uint32_t h;

    (void)state;
    sftpk_init();
    h = sftpk_open("new", UPLOAD);
    sftpk_write(h, 0, "x");
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "./new", &attrs);
    sftpk_expect(SSH_FX_OK);
    assert_int_equal(dory_ram_find(&k.ram, "new"), DORY_E_NOENT);
    sftpk_close(h);
    assert_int_equal(stat_of("new").permissions, 0100604);
    assert_int_equal(stat_of("new").mtime, 2);
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "new2", &attrs);
    sftpk_expect(SSH_FX_NO_SUCH_FILE);
}

static void test_truncating_an_upload(void **state)
{
    const struct sftp_attrs three = {.flags = SSH_FILEXFER_ATTR_SIZE, .size = 3};
    uint32_t h;

    (void)state;
    sftpk_init();
    h = sftpk_open("new", UPLOAD);
    sftpk_write(h, 0, "abcdef");
    sftpk_ask(SSH_FXP_FSETSTAT, "ha", h, &three);
    sftpk_expect(SSH_FX_OK);
    sftpk_close(h);
    assert_string_equal(sftpk_content("new"), "abc");
}

static void test_an_upload_that_is_cut_off_leaves_no_trace(void **state)
{
    uint32_t h;

    (void)state;
    for (int how = 0; how < 2; how++) {
        sftpk_reset();
        sftpk_init();
        sftpk_file("file", "old");
        h = sftpk_open("file", UPLOAD);
        sftpk_write(h, 0, "new");
        h = sftpk_open("other", UPLOAD);
        sftpk_write(h, 0, "new");
        if (how)
            k.server.stream.ops->stop(&k.server.stream);
        else
            assert_int_equal(sftpk_end(), 1);
        assert_int_equal(k.server.stream.ops->status(&k.server.stream), 1);
        assert_string_equal(sftpk_content("file"), "old");
        assert_string_equal(sftpk_content("other"), "(none)");
        assert_int_equal(dory_ram_nameless(&k.ram), 0);
        assert_int_equal(k.good, 0);
        assert_int_equal(k.closed, 2);
    }
}

/* In the middle of a WRITE's data. */
static void test_cut_in_a_write(void **state)
{
    uint32_t h;

    (void)state;
    sftpk_init();
    h = sftpk_open("file", UPLOAD);
    sftpk_ask(SSH_FXP_WRITE, "h8s", h, (uint64_t)0, "content");
    k.in_n -= 3;
    assert_int_equal(sftpk_end(), 1);
    assert_string_equal(sftpk_content("file"), "(none)");
}

static void test_in_place(void **state)
{
    uint32_t h;

    (void)state;
    sftpk_init();
    sftpk_file("file", "0123456789");
    /* A resumed upload: its first WRITE is not at the beginning. */
    h = sftpk_open("file", SSH_FXF_WRITE | SSH_FXF_CREAT);
    sftpk_write(h, 8, "ab");
    assert_string_equal(sftpk_content("file"), "01234567ab");
    sftpk_write(h, 10, "c");
    sftpk_write(h, 0, "X");
    assert_string_equal(sftpk_content("file"), "X1234567abc");
    sftpk_close(h);
    h = sftpk_open("file", SSH_FXF_WRITE);
    sftpk_write(h, 0, "Y");
    assert_string_equal(sftpk_content("file"), "Y1234567abc");
    sftpk_close(h);
    /* APPEND does not look at offsets. */
    h = sftpk_open("file", SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_APPEND);
    sftpk_write(h, 0, "d");
    sftpk_write(h, 5, "e");
    sftpk_close(h);
    assert_string_equal(sftpk_content("file"), "Y1234567abcde");
    h = sftpk_open("log", SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_APPEND);
    assert_string_equal(sftpk_content("log"), "");
    sftpk_write(h, 0, "kept");
    assert_int_equal(sftpk_end(), 0);
    assert_string_equal(sftpk_content("log"), "kept");
}

/* OpenSSH's scp: OPEN without TRUNC, WRITE from the beginning, SIZE, CLOSE. */
static void test_scp_replaces_a_file_in_one_step(void **state)
{
    const struct sftp_attrs shorter = {.flags = SSH_FILEXFER_ATTR_SIZE, .size = 3},
                            mode = {.flags = 12, .permissions = 0640, .mtime = 7, .atime = 7};
    uint32_t h;

    (void)state;
    sftpk_init();
    sftpk_file("file", "what was there");
    h = sftpk_open("file", SSH_FXF_WRITE | SSH_FXF_CREAT);
    sftpk_ask(SSH_FXP_FSTAT, "h", h);
    assert_int_equal(sftpk_attrs().size, 14);
    sftpk_write(h, 0, "new");
    assert_string_equal(sftpk_content("file"), "what was there");
    sftpk_ask(SSH_FXP_STAT, "s", "file");
    assert_int_equal(sftpk_attrs().size, 3);
    sftpk_ask(SSH_FXP_FSETSTAT, "ha", h, &shorter);
    sftpk_expect(SSH_FX_OK);
    sftpk_ask(SSH_FXP_FSETSTAT, "ha", h, &mode);
    sftpk_expect(SSH_FX_OK);
    assert_string_equal(sftpk_content("file"), "what was there");
    sftpk_close(h);
    assert_string_equal(sftpk_content("file"), "new");
    assert_int_equal(stat_of("file").permissions, 0100640);
    assert_int_equal(stat_of("file").mtime, 7);
    /* Cut off before its CLOSE, also when it is larger than what was there. */
    h = sftpk_open("file", SSH_FXF_WRITE | SSH_FXF_CREAT);
    sftpk_write(h, 0, "newer and longer");
    assert_int_equal(sftpk_end(), 1);
    assert_string_equal(sftpk_content("file"), "new");
}

static void test_an_empty_file_over_another(void **state)
{
    const struct sftp_attrs nothing = {.flags = SSH_FILEXFER_ATTR_SIZE};
    uint32_t h;

    (void)state;
    sftpk_init();
    sftpk_file("file", "old");
    h = sftpk_open("file", SSH_FXF_WRITE | SSH_FXF_CREAT);
    sftpk_close(h);
    assert_string_equal(sftpk_content("file"), "old");
    h = sftpk_open("file", SSH_FXF_WRITE | SSH_FXF_CREAT);
    sftpk_ask(SSH_FXP_FSETSTAT, "ha", h, &nothing);
    sftpk_expect(SSH_FX_OK);
    assert_string_equal(sftpk_content("file"), "old");
    sftpk_close(h);
    assert_string_equal(sftpk_content("file"), "");
}

/* What such a client leaves out stays. */
static void test_a_rewrite_keeps_what_is_not_written(void **state)
{
    static char big[40000];
    const struct sftp_attrs longer = {.flags = SSH_FILEXFER_ATTR_SIZE, .size = 12}, seven = {.flags = SSH_FILEXFER_ATTR_SIZE, .size = 7};
    uint32_t h;

    (void)state;
    /* Copying a piece takes three calls, and begins again at the first when the file system is busy: not every second or third one. */
    for (unsigned busy = 0; busy < 12; busy += 4) {
        sftpk_reset();
        sftpk_init();
        k.ram.busy_every = busy ? busy + 1 : 0;
        sftpk_file("file", "0123456789");
        h = sftpk_open("file", SSH_FXF_WRITE | SSH_FXF_CREAT);
        sftpk_write(h, 0, "ab");
        sftpk_close(h);
        assert_string_equal(sftpk_content("file"), "ab23456789");
        h = sftpk_open("file", SSH_FXF_WRITE | SSH_FXF_CREAT);
        sftpk_write(h, 0, "A");
        sftpk_write(h, 4, "E");
        sftpk_write(h, 2, "C");
        sftpk_close(h);
        assert_string_equal(sftpk_content("file"), "AbC3E56789");
        h = sftpk_open("file", SSH_FXF_WRITE | SSH_FXF_CREAT);
        sftpk_write(h, 0, "x");
        sftpk_ask(SSH_FXP_FSETSTAT, "ha", h, &seven);
        sftpk_expect(SSH_FX_OK);
        sftpk_write(h, 9, "y");
        sftpk_close(h);
        assert_memory_equal(sftpk_content("file"), "xbC3E56\0\0y", 11);
        h = sftpk_open("file", SSH_FXF_WRITE | SSH_FXF_CREAT);
        sftpk_ask(SSH_FXP_FSETSTAT, "ha", h, &longer);
        sftpk_expect(SSH_FX_OK);
        sftpk_close(h);
        assert_int_equal(stat_of("file").size, 12);
        memset(big, 'q', sizeof big - 1);
        sftpk_file("big", big);
        h = sftpk_open("big", SSH_FXF_WRITE | SSH_FXF_CREAT);
        sftpk_write(h, 0, "new");
        sftpk_close(h);
        assert_memory_equal(sftpk_content("big"), "newq", 4);
        assert_memory_equal(sftpk_content("big") + 3, big + 3, sizeof big - 3);
        k.ram.busy_every = 0;
        sftpk_teardown(NULL);
    }
}

/* What an upload leaves out may be long: one call copies a part of it, and says that it would go on. */
static void test_a_long_rewrite_goes_by_portions(void **state)
{
    struct dory_stream *stream = &k.server.stream;
    static char old[1001];
    unsigned portions = 0;
    uint32_t h;
    size_t n;

    (void)state;
    memset(old, 'o', sizeof old - 1);
    sftpk_init();
    sftpk_file("file", old);
    h = sftpk_open("file", SSH_FXF_WRITE | SSH_FXF_CREAT);
    sftpk_write(h, 0, "a");
    k.ram.bite = 3;
    sftpk_ask(SSH_FXP_CLOSE, "h", h);
    k.in_at += stream->ops->push(stream, k.in + k.in_at, k.in_n - k.in_at);
    for (; (n = stream->ops->pull(stream, k.out + k.out_n, 100)) == 0 && portions < 100; portions++) {
        assert_true(k.server.copying);
        k.server.copying = false;
    }
    assert_int_equal(portions, 5);
    assert_false(k.server.copying);
    k.out_n += n;
    sftpk_expect(SSH_FX_OK);
    k.ram.bite = 0;
    old[0] = 'a';
    assert_string_equal(sftpk_content("file"), old);
}

static void test_a_rewrite_where_there_can_be_no_spare(void **state)
{
    uint32_t h;

    (void)state;
    sftpk_init();
    sftpk_file("dir/file", "0123456789");
    k.nodes[dory_ram_find(&k.ram, "dir")].mode = 0500; /* no new name */
    h = sftpk_open("dir/file", SSH_FXF_WRITE | SSH_FXF_CREAT);
    sftpk_write(h, 0, "ab");
    assert_string_equal(sftpk_content("dir/file"), "ab23456789");
    sftpk_close(h);
    k.nodes[dory_ram_find(&k.ram, "dir")].mode = 0700;
    k.nodes[dory_ram_find(&k.ram, "dir/file")].mode = 0200; /* nothing to copy from */
    h = sftpk_open("dir/file", SSH_FXF_WRITE | SSH_FXF_CREAT);
    sftpk_write(h, 0, "cd");
    sftpk_close(h);
    assert_string_equal(sftpk_content("dir/file"), "cd23456789");
    sftpk_begin();
    k.server.config.rewrite = NULL;
    sftpk_init();
    h = sftpk_open("dir/file", SSH_FXF_WRITE | SSH_FXF_CREAT);
    sftpk_write(h, 0, "ef");
    assert_string_equal(sftpk_content("dir/file"), "ef23456789");
    sftpk_close(h);
}

static void test_read_and_write_on_one_handle(void **state)
{
    uint32_t h;

    (void)state;
    sftpk_init();
    sftpk_file("file", "0123456789");
    h = sftpk_open("file", SSH_FXF_READ | SSH_FXF_WRITE);
    sftpk_write(h, 2, "ab");
    sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)1, 4);
    sftpk_data("1ab4", 4);
    sftpk_close(h);
    h = sftpk_open("file", SSH_FXF_READ | SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_TRUNC);
    assert_string_equal(sftpk_content("file"), "");
    sftpk_write(h, 0, "yz");
    sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)0, 9);
    sftpk_data("yz", 2);
    sftpk_close(h);
    h = sftpk_open("new", SSH_FXF_READ | SSH_FXF_WRITE | SSH_FXF_CREAT);
    sftpk_write(h, 0, "q");
    assert_string_equal(sftpk_content("new"), "q");
    sftpk_close(h);
}

static void test_a_new_file_without_trunc_is_an_upload_too(void **state)
{
    uint32_t h;

    (void)state;
    sftpk_init();
    h = sftpk_open("new", SSH_FXF_WRITE | SSH_FXF_CREAT);
    sftpk_write(h, 0, "x");
    assert_string_equal(sftpk_content("new"), "(none)");
    sftpk_close(h);
    assert_string_equal(sftpk_content("new"), "x");
}

static void test_excl(void **state)
{
    uint32_t h;

    (void)state;
    sftpk_init();
    sftpk_file("old", "old");
    sftpk_ask(SSH_FXP_OPEN, "s4a", "old", UPLOAD | SSH_FXF_EXCL, &none);
    sftpk_expect_text(SSH_FX_FAILURE, "File exists");
    h = sftpk_open("new", UPLOAD | SSH_FXF_EXCL);
    sftpk_ask(SSH_FXP_OPEN, "s4a", "new", UPLOAD | SSH_FXF_EXCL, &none);
    sftpk_expect(SSH_FX_FAILURE);
    sftpk_write(h, 0, "mine");
    sftpk_file("new", "somebody else's");
    sftpk_ask(SSH_FXP_CLOSE, "h", h);
    sftpk_expect_text(SSH_FX_FAILURE, "File exists");
    assert_string_equal(sftpk_content("new"), "somebody else's");
    h = sftpk_open("new2", UPLOAD | SSH_FXF_EXCL);
    sftpk_close(h);
    assert_string_equal(sftpk_content("new2"), "");
    h = sftpk_open("new3", SSH_FXF_READ | SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_EXCL);
    sftpk_close(h);
    assert_string_equal(sftpk_content("new3"), "");
}

static void test_open_errors(void **state)
{
    (void)state;
    sftpk_init();
    sftpk_file("dir/file", "x");
    sftpk_ask(SSH_FXP_OPEN, "s4a", "no", SSH_FXF_READ, &none);
    sftpk_expect_text(SSH_FX_NO_SUCH_FILE, "No such file or directory");
    sftpk_ask(SSH_FXP_OPEN, "s4a", "no/file", UPLOAD, &none);
    sftpk_expect(SSH_FX_NO_SUCH_FILE);
    sftpk_ask(SSH_FXP_OPEN, "s4a", "no", SSH_FXF_WRITE | SSH_FXF_TRUNC, &none);
    sftpk_expect(SSH_FX_NO_SUCH_FILE);
    sftpk_ask(SSH_FXP_OPEN, "s4a", "no", SSH_FXF_WRITE, &none);
    sftpk_expect(SSH_FX_NO_SUCH_FILE);
    sftpk_ask(SSH_FXP_OPEN, "s4a", "dir", SSH_FXF_READ, &none);
    sftpk_expect_text(SSH_FX_FAILURE, "Is a directory");
    sftpk_ask(SSH_FXP_OPEN, "s4a", "dir", UPLOAD, &none);
    sftpk_expect_text(SSH_FX_FAILURE, "Is a directory");
    sftpk_ask(SSH_FXP_OPEN, "s4a", "/", SSH_FXF_READ, &none);
    sftpk_expect_text(SSH_FX_FAILURE, "Is a directory");
    sftpk_ask(SSH_FXP_OPEN, "s4a", "dir/file/x", SSH_FXF_READ, &none);
    sftpk_expect_text(SSH_FX_NO_SUCH_FILE, "Not a directory");
    sftpk_ask(SSH_FXP_OPEN, "b4a", "a\0b", (size_t)3, SSH_FXF_READ, &none);
    sftpk_expect(SSH_FX_FAILURE);
    k.nodes[dory_ram_find(&k.ram, "dir/file")].mode = 0;
    sftpk_ask(SSH_FXP_OPEN, "s4a", "dir/file", SSH_FXF_READ, &none);
    sftpk_expect_text(SSH_FX_PERMISSION_DENIED, "Permission denied");
    sftpk_nothing();
}

static void test_reading(void **state)
{
    static char bytes[5000];
    uint32_t h;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 7 + i / 256);
    assert_true(dory_ram_put(&k.ram, "file", DORY_FS_FILE, 0644, bytes, sizeof bytes) >= 0);
    sftpk_init();
    h = sftpk_open("file", SSH_FXF_READ);
    sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)0, 1000);
    sftpk_data(bytes, 1000);
    sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)4990, 100);
    sftpk_data(bytes + 4990, 10);
    sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)5000, 100);
    sftpk_expect_text(SSH_FX_EOF, "End of file");
    sftpk_ask(SSH_FXP_READ, "h84", h, UINT64_MAX, 100);
    sftpk_expect(SSH_FX_EOF);
    sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)0, 0);
    sftpk_expect(SSH_FX_EOF);
    sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)0, UINT32_MAX);
    sftpk_data(bytes, sizeof bytes);
    sftpk_ask(SSH_FXP_WRITE, "h8s", h, (uint64_t)0, "x");
    sftpk_expect_text(SSH_FX_PERMISSION_DENIED, "Permission denied");
    sftpk_close(h);
    h = sftpk_open("new", UPLOAD);
    sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)0, 10);
    sftpk_expect(SSH_FX_PERMISSION_DENIED);
    sftpk_close(h);
}

/* READs that follow each other are kept as one; an answer does not show it. */
static void test_many_reads_at_once(void **state)
{
    static char bytes[60000];
    struct dory_stream *stream = &k.server.stream;
    uint32_t h, window;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 3 + i / 128);
    assert_true(dory_ram_put(&k.ram, "file", DORY_FS_FILE, 0644, bytes, sizeof bytes) >= 0);
    sftpk_init();
    h = sftpk_open("file", SSH_FXF_READ);
    window = stream->ops->window(stream);
    for (unsigned i = 0; i < 6000; i++) sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)10 * i, 10);
    assert_int_equal(stream->ops->push(stream, k.in + k.in_at, k.in_n - k.in_at), k.in_n - k.in_at);
    k.in_at = k.in_n;
    assert_int_equal(stream->ops->window(stream), window - 29);
    for (unsigned i = 0; i < 100; i++) sftpk_data(bytes + 10 * i, 10);
    /* Others in between, and backwards. */
    sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)10 * 6000, 10);
    sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)100, 10);
    sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)110, 20);
    sftpk_ask(SSH_FXP_FSTAT, "h", h);
    sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)130, 20);
    for (unsigned i = 100; i < 6000; i++) sftpk_data(bytes + 10 * i, 10);
    sftpk_expect(SSH_FX_EOF);
    sftpk_data(bytes + 100, 10);
    sftpk_data(bytes + 110, 20);
    sftpk_attrs();
    sftpk_data(bytes + 130, 20);
    sftpk_nothing();
}

static void test_a_file_that_shrinks_ends_it(void **state)
{
    const struct dory_fs_info empty = {.size = 3};
    struct dory_stream *stream = &k.server.stream;
    uint32_t h;
    int f, dir;

    (void)state;
    sftpk_init();
    sftpk_file("file", "0123456789");
    h = sftpk_open("file", SSH_FXF_READ);
    sftpk_ask(SSH_FXP_READ, "h84", h, (uint64_t)0, 10);
    assert_int_equal(stream->ops->push(stream, k.in + k.in_at, k.in_n - k.in_at), k.in_n - k.in_at);
    assert_int_equal(stream->ops->pull(stream, k.out, 15), 15);
    dir = k.ram.fs.ops->root(&k.ram.fs);
    f = k.ram.fs.ops->open(&k.ram.fs, dir, "file", DORY_FS_OPEN_WRITE);
    assert_int_equal(k.ram.fs.ops->setinfo(&k.ram.fs, f, DORY_FS_SET_SIZE, &empty), DORY_OK);
    k.ram.fs.ops->close(&k.ram.fs, f);
    k.ram.fs.ops->close(&k.ram.fs, dir);
    assert_int_equal(stream->ops->pull(stream, k.out, 100), 1);
    assert_int_equal(k.out[0], '2');
    assert_int_equal(stream->ops->pull(stream, k.out, 100), 0);
    assert_int_equal(stream->ops->status(stream), 1);
    assert_int_equal(k.errors, 1);
}

static void test_stat_lstat_and_links(void **state)
{
    struct sftp_attrs a;

    (void)state;
    sftpk_init();
    sftpk_file("dir/file", "12345");
    assert_true(dory_ram_put(&k.ram, "link", DORY_FS_LINK, 0777, "dir/file", 8) >= 0);
    assert_true(dory_ram_put(&k.ram, "out", DORY_FS_LINK, 0777, "../../etc", 9) >= 0);
    a = stat_of("link");
    assert_true(a.permissions == 0100644 && a.size == 5);
    sftpk_ask(SSH_FXP_LSTAT, "s", "link");
    assert_int_equal(sftpk_attrs().permissions, 0120777);
    assert_int_equal(stat_of("/").permissions, 0040755);
    assert_int_equal(stat_of("dir").permissions, 0040755);
    sftpk_ask(SSH_FXP_STAT, "s", "out");
    sftpk_expect(SSH_FX_PERMISSION_DENIED);
    sftpk_ask(SSH_FXP_STAT, "s", "no");
    sftpk_expect(SSH_FX_NO_SUCH_FILE);
    sftpk_ask(SSH_FXP_READLINK, "s", "link");
    assert_string_equal(sftpk_name(), "dir/file");
    sftpk_ask(SSH_FXP_READLINK, "s", "dir/file");
    sftpk_expect(SSH_FX_FAILURE);
    sftpk_ask(SSH_FXP_READLINK, "s", "/");
    sftpk_expect(SSH_FX_FAILURE);
    sftpk_ask(SSH_FXP_SYMLINK, "ss", "dir/file", "another");
    sftpk_expect_text(SSH_FX_OP_UNSUPPORTED, "Operation not supported");
}

static void test_setstat(void **state)
{
    struct sftp_attrs attrs = {.flags = 15, .uid = 7, .gid = 8, .permissions = 0100600, .atime = 1, .mtime = 2, .size = 3}, got;
    uint32_t h;

    (void)state;
    sftpk_init();
    sftpk_file("file", "12345");
    sftpk_file("dir/x", "");
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "file", &attrs);
    sftpk_expect(SSH_FX_OK);
    got = stat_of("file");
    assert_memory_equal(&got, &attrs, sizeof got);
    attrs.flags = SSH_FILEXFER_ATTR_PERMISSIONS;
    attrs.permissions = 0700;
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "dir", &attrs);
    sftpk_expect(SSH_FX_OK);
    assert_int_equal(stat_of("dir").permissions, 0040700);
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "/", &attrs);
    sftpk_expect(SSH_FX_OK);
    assert_int_equal(stat_of("/").permissions, 0040700);
    attrs.permissions = 0200;
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "file", &attrs);
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "file", &attrs); /* one that may not be read */
    sftpk_expect(SSH_FX_OK);
    sftpk_expect(SSH_FX_OK);
    attrs.flags = SSH_FILEXFER_ATTR_SIZE;
    attrs.size = 100;
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "file", &attrs);
    sftpk_expect(SSH_FX_OK);
    assert_int_equal(stat_of("file").size, 100);
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "dir", &attrs);
    sftpk_expect(SSH_FX_FAILURE);
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "file", &none);
    sftpk_expect(SSH_FX_OK);
    h = sftpk_open("file", SSH_FXF_WRITE);
    attrs.size = 2;
    sftpk_ask(SSH_FXP_FSETSTAT, "ha", h, &attrs);
    sftpk_expect(SSH_FX_OK);
    sftpk_ask(SSH_FXP_FSTAT, "h", h);
    assert_int_equal(sftpk_attrs().size, 2);
    sftpk_close(h);
    assert_int_equal(k.changed, 8);
}

static void test_names(void **state)
{
    (void)state;
    sftpk_init();
    sftpk_ask(SSH_FXP_MKDIR, "sa", "dir", &none);
    sftpk_expect(SSH_FX_OK);
    assert_int_equal(stat_of("dir").permissions, 0040777);
    sftpk_ask(SSH_FXP_MKDIR, "sa", "dir", &none);
    sftpk_expect_text(SSH_FX_FAILURE, "File exists");
    sftpk_ask(SSH_FXP_MKDIR, "sa", "/", &none);
    sftpk_expect_text(SSH_FX_FAILURE, "File exists");
    sftpk_put("dir/a", "a");
    sftpk_put("b", "b");
    sftpk_ask(SSH_FXP_RMDIR, "s", "dir");
    sftpk_expect_text(SSH_FX_FAILURE, "Directory not empty");
    sftpk_ask(SSH_FXP_RMDIR, "s", "b");
    sftpk_expect(SSH_FX_NO_SUCH_FILE);
    sftpk_ask(SSH_FXP_RMDIR, "s", "/");
    sftpk_expect(SSH_FX_PERMISSION_DENIED);
    sftpk_ask(SSH_FXP_REMOVE, "s", "dir");
    sftpk_expect_text(SSH_FX_FAILURE, "Is a directory");
    sftpk_ask(SSH_FXP_REMOVE, "s", "/");
    sftpk_expect(SSH_FX_PERMISSION_DENIED);
    sftpk_ask(SSH_FXP_RENAME, "ss", "dir/a", "b");
    sftpk_expect_text(SSH_FX_FAILURE, "File exists");
    sftpk_ask(SSH_FXP_RENAME, "ss", "dir/a", "/dir/c");
    sftpk_expect(SSH_FX_OK);
    assert_string_equal(sftpk_content("dir/c"), "a");
    sftpk_ask(SSH_FXP_EXTENDED, "sss", "posix-rename@openssh.com", "dir/c", "b");
    sftpk_expect(SSH_FX_OK);
    assert_string_equal(sftpk_content("b"), "a");
    sftpk_ask(SSH_FXP_RENAME, "ss", "dir", "dir/in/itself");
    sftpk_expect(SSH_FX_NO_SUCH_FILE);
    sftpk_ask(SSH_FXP_RENAME, "ss", "/", "x");
    sftpk_expect(SSH_FX_PERMISSION_DENIED);
    sftpk_ask(SSH_FXP_RENAME, "ss", "b", "/");
    sftpk_expect(SSH_FX_FAILURE);
    sftpk_ask(SSH_FXP_RENAME, "ss", "no", "x");
    sftpk_expect(SSH_FX_NO_SUCH_FILE);
    sftpk_ask(SSH_FXP_RMDIR, "s", "dir");
    sftpk_expect(SSH_FX_OK);
    sftpk_ask(SSH_FXP_REMOVE, "s", "b");
    sftpk_expect(SSH_FX_OK);
    sftpk_ask(SSH_FXP_REMOVE, "s", "b");
    sftpk_expect(SSH_FX_NO_SUCH_FILE);
    assert_int_equal(k.changed, 18);
    assert_int_equal(sftpk_end(), 0);
}

/* Reads a directory to its end: how many names, each seen once. */
static unsigned list(const char *path, char seen[400])
{
    struct sftpk_answer a;
    unsigned count = 0;
    uint32_t h;

    memset(seen, 0, 400);
    sftpk_ask(SSH_FXP_OPENDIR, "s", path);
    h = sftpk_handle();
    for (;;) {
        uint32_t n;

        sftpk_ask(SSH_FXP_READDIR, "h", h);
        a = sftpk_answer();
        if (a.type == SSH_FXP_STATUS)
            break;
        assert_int_equal(a.type, SSH_FXP_NAME);
        n = dory_sftp_get32(&a.r);
        assert_true(n > 0);
        while (n--) {
            struct sftp_slice name = dory_sftp_get_string(&a.r), line = dory_sftp_get_string(&a.r);
            struct sftp_attrs attrs;
            unsigned i;

            dory_sftp_get_attrs(&a.r, &attrs);
            assert_false(a.r.bad);
            assert_true(name.n >= 2 && name.p[0] == 'f' && line.n > name.n);
            assert_memory_equal(line.p + line.n - name.n, name.p, name.n);
            i = (unsigned)strtoul((const char *)name.p + 1, NULL, 10);
            assert_true(i < 400 && !seen[i]);
            if (attrs.flags)
                assert_int_equal(attrs.size, i % 3);
            seen[i] = 1;
            count++;
        }
        assert_ptr_equal(a.r.p, a.r.end);
    }
    assert_int_equal(dory_sftp_get32(&a.r), SSH_FX_EOF);
    sftpk_ask(SSH_FXP_READDIR, "h", h);
    sftpk_expect(SSH_FX_EOF);
    sftpk_close(h);
    return count;
}

static void test_directories_are_read_whole(void **state)
{
    static const size_t pulls[] = {1, 7, 13, 64, 500, 700, 1000, 2048, 32768};
    char name[32], seen[400];

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "dir/f%u", i);
        assert_true(dory_ram_put(&k.ram, name, DORY_FS_FILE, 0644, "xy", i % 3) >= 0);
    }
    dory_ram_put(&k.ram, "empty", DORY_FS_DIR, 0755, NULL, 0);
    for (unsigned busy = 0; busy < 6; busy++)
        for (size_t p = 0; p < sizeof pulls / sizeof *pulls; p++) {
            sftpk_begin();
            sftpk_init();
            k.pull = pulls[p];
            k.ram.busy_every = busy ? busy + 1 : 0;
            assert_int_equal(list("dir", seen), 300);
            assert_int_equal(list("empty", seen), 0);
            k.ram.busy_every = 0;
            assert_int_equal(sftpk_end(), 0);
        }
    sftpk_ask(SSH_FXP_OPENDIR, "s", "dir/f1");
    sftpk_begin();
    sftpk_init();
    sftpk_ask(SSH_FXP_OPENDIR, "s", "dir/f1");
    sftpk_expect_text(SSH_FX_NO_SUCH_FILE, "Not a directory");
}

static void test_two_directories_at_once(void **state)
{
    uint32_t one, two;

    (void)state;
    sftpk_init();
    sftpk_file("a/f1", "x");
    sftpk_file("f2", "x");
    k.nodes[dory_ram_find(&k.ram, "a/f1")].mode = 0;
    sftpk_ask(SSH_FXP_OPENDIR, "s", "a");
    one = sftpk_handle();
    sftpk_ask(SSH_FXP_OPENDIR, "s", "/");
    two = sftpk_handle();
    sftpk_ask(SSH_FXP_READDIR, "h", one);
    assert_string_equal(sftpk_name(), "f1");
    sftpk_ask(SSH_FXP_READDIR, "h", two);
    assert_int_equal(sftpk_answer().type, SSH_FXP_NAME);
    sftpk_ask(SSH_FXP_READDIR, "h", one);
    sftpk_expect(SSH_FX_EOF);
    sftpk_ask(SSH_FXP_READ, "h84", two, (uint64_t)0, 10);
    sftpk_expect(SSH_FX_PERMISSION_DENIED);
    sftpk_ask(SSH_FXP_FSTAT, "h", two);
    assert_int_equal(sftpk_attrs().permissions, 0040755);
    sftpk_close(two);
    sftpk_close(one);
}

static const char *line_of(const char *dir)
{
    static char line[400];
    struct sftpk_answer a;
    struct sftp_slice s;
    uint32_t h;

    sftpk_ask(SSH_FXP_OPENDIR, "s", dir);
    h = sftpk_handle();
    sftpk_ask(SSH_FXP_READDIR, "h", h);
    a = sftpk_answer();
    assert_int_equal(a.type, SSH_FXP_NAME);
    assert_int_equal(dory_sftp_get32(&a.r), 1);
    dory_sftp_get_string(&a.r);
    s = dory_sftp_get_string(&a.r);
    assert_true(s.n < sizeof line);
    memcpy(line, s.p, s.n);
    line[s.n] = '\0';
    sftpk_close(h);
    return line;
}

static void test_lines_as_ls_writes_them(void **state)
{
    static const struct {
        uint8_t type;
        uint16_t mode;
        uint32_t uid, gid;
        uint64_t size;
        int64_t mtime, now;
        const char *line;
    } table[] = {
        {DORY_FS_FILE, 0644, 0, 0, 0, 0, 0, "-rw-r--r--   1 0          0                             0 Jan  1  1970 x"},
        {DORY_FS_FILE, 0751, 1000, 100, 123, 1700000000, 1700000001,
         "-rwxr-x--x   1 1000       100                         123 Nov 14 22:13 x"},
        {DORY_FS_FILE, 07777, 1, 2, 99999999, 1709164799, 1709164800,
         "-rwsrwsrwt   1 1          2                      99999999 Feb 28 23:59 x"},
        {DORY_FS_FILE, 07000, 1, 2, 1, 1709164800, 1709164800, "---S--S--T   1 1          2                             1 Feb 29 00:00 x"},
        {DORY_FS_DIR, 0755, 4294967295u, 0, 0, 951868799, 951868799 + 183 * 86400,
         "drwxr-xr-x   1 4294967295 0                             0 Feb 29  2000 x"},
        {DORY_FS_LINK, 0777, 0, 0, 7, 951868800, 951868800 + 183 * 86400 - 1,
         "lrwxrwxrwx   1 0          0                             7 Mar  1 00:00 x"},
        {DORY_FS_OTHER, 0600, 0, 0, 0, 1700000000, 1699999999, "prw-------   1 0          0                             0 Nov 14  2023 x"},
        {DORY_FS_FILE, 0600, 0, 0, 0, 4294967295, 0, "-rw-------   1 0          0                             0 Feb  7  2106 x"},
        {DORY_FS_FILE, 0600, 0, 0, 0, 4107542400, 0, "-rw-------   1 0          0                             0 Mar  1  2100 x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int node = dory_ram_put(&k.ram, "d/x", table[i].type, 0, NULL, 0);

        k.nodes[node].type = table[i].type;
        k.nodes[node].mode = table[i].mode;
        k.nodes[node].uid = table[i].uid;
        k.nodes[node].gid = table[i].gid;
        k.nodes[node].size = table[i].size;
        k.nodes[node].mtime = table[i].mtime;
        sftpk_begin();
        k.server.config.now = table[i].now;
        sftpk_init();
        assert_string_equal(line_of("d"), table[i].line);
        assert_int_equal(sftpk_end(), 0);
    }
}

static void test_limits_and_space(void **state)
{
    struct sftpk_answer a;
    uint64_t v[11];
    uint32_t h;

    (void)state;
    sftpk_init();
    sftpk_file("dir/file", "x");
    sftpk_ask(SSH_FXP_EXTENDED, "s", "limits@openssh.com");
    a = sftpk_answer();
    assert_int_equal(a.type, SSH_FXP_EXTENDED_REPLY);
    assert_true(dory_sftp_get64(&a.r) == DORY_SFTP_PACKET_MAX);
    assert_true(dory_sftp_get64(&a.r) == DORY_SFTP_READ_MAX);
    assert_true(dory_sftp_get64(&a.r) == DORY_SFTP_READ_MAX);
    assert_true(dory_sftp_get64(&a.r) == DORY_SFTP_HANDLES);
    assert_true(!a.r.bad && a.r.p == a.r.end);
    h = sftpk_open("dir/file", SSH_FXF_READ);
    for (unsigned how = 0; how < 4; how++) {
        static const char *const paths[] = {"/", "dir", "dir/file"};

        k.ram.fs.read_only = how == 2;
        if (how < 3)
            sftpk_ask(SSH_FXP_EXTENDED, "ss", "statvfs@openssh.com", paths[how]);
        else
            sftpk_ask(SSH_FXP_EXTENDED, "sh", "fstatvfs@openssh.com", h);
        a = sftpk_answer();
        assert_int_equal(a.type, SSH_FXP_EXTENDED_REPLY);
        for (unsigned i = 0; i < 11; i++) v[i] = dory_sftp_get64(&a.r);
        assert_true(!a.r.bad && a.r.p == a.r.end);
        assert_true(v[0] == DORY_RAM_BLOCK && v[1] == 1 && v[2] == SFTPK_BLOCKS * DORY_RAM_BLOCK && v[3] == v[2] - DORY_RAM_BLOCK &&
                    v[4] == v[3]);
        assert_true(v[5] == SFTPK_NODES && v[6] == SFTPK_NODES - 3);
        assert_int_equal(v[9], how == 2 ? 3 : 2);
        assert_true(v[10] == DORY_NAME_MAX);
    }
    sftpk_ask(SSH_FXP_EXTENDED, "ss", "statvfs@openssh.com", "no");
    sftpk_expect(SSH_FX_NO_SUCH_FILE);
    sftpk_close(h);
}

static void test_a_commit_that_half_succeeds_is_told(void **state)
{
    const struct sftp_attrs mode = {.flags = SSH_FILEXFER_ATTR_PERMISSIONS, .permissions = 0600};
    uint32_t h;

    (void)state;
    sftpk_init();
    k.ram.half_commit = true;
    h = sftpk_open("file", UPLOAD);
    sftpk_write(h, 0, "x");
    sftpk_ask(SSH_FXP_FSETSTAT, "ha", h, &mode);
    sftpk_expect(SSH_FX_OK);
    sftpk_ask(SSH_FXP_CLOSE, "h", h);
    sftpk_expect_text(SSH_FX_FAILURE, "stored, but not mode or times");
    assert_string_equal(sftpk_content("file"), "x");
}

/* Calls that a file system need not have. */
static void test_a_file_system_that_can_do_little(void **state)
{
    static struct dory_fs_ops few;
    uint32_t h;

    (void)state;
    sftpk_file("file", "x");
    few = *k.ram.fs.ops;
    few.dup = NULL;
    few.mkdir = NULL;
    few.setinfo = NULL;
    few.sync = NULL;
    few.remove = few.rmdir = NULL;
    few.rename = NULL;
    few.readlink = NULL;
    few.space = NULL;
    k.ram.fs.ops = &few;
    sftpk_init();
    h = sftpk_open("file", SSH_FXF_READ);
    sftpk_ask(SSH_FXP_EXTENDED, "sh", "fsync@openssh.com", h);
    sftpk_ask(SSH_FXP_FSETSTAT, "ha", h, &(struct sftp_attrs){.flags = 4});
    sftpk_ask(SSH_FXP_EXTENDED, "sh", "fstatvfs@openssh.com", h);
    sftpk_ask(SSH_FXP_MKDIR, "sa", "d", &none);
    sftpk_ask(SSH_FXP_REMOVE, "s", "file");
    sftpk_ask(SSH_FXP_RMDIR, "s", "file");
    sftpk_ask(SSH_FXP_RENAME, "ss", "file", "x");
    sftpk_ask(SSH_FXP_READLINK, "s", "file");
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "file", &(struct sftp_attrs){.flags = 4});
    sftpk_ask(SSH_FXP_EXTENDED, "ss", "statvfs@openssh.com", "file");
    for (int i = 0; i < 10; i++) sftpk_expect(SSH_FX_OP_UNSUPPORTED);
    sftpk_close(h);
}

static int (*open_of_ram)(struct dory_fs *fs, int dir, const char *name, unsigned flags);

static int open_to_read(struct dory_fs *fs, int dir, const char *name, unsigned flags)
{
    return flags & DORY_FS_OPEN_WRITE ? DORY_E_NOSYS : open_of_ram(fs, dir, name, flags);
}

/* As in flash. */
static void test_a_file_system_that_writes_nothing_in_place(void **state)
{
    static struct dory_fs_ops ops;
    uint32_t h;

    (void)state;
    sftpk_file("file", "old content");
    ops = *k.ram.fs.ops;
    open_of_ram = ops.open;
    ops.open = open_to_read;
    k.ram.fs.ops = &ops;
    for (int how = 0; how < 2; how++) {
        sftpk_begin();
        if (how)
            k.server.config.rewrite = NULL;
        sftpk_init();
        h = sftpk_open("file", SSH_FXF_WRITE | SSH_FXF_CREAT);
        sftpk_write(h, 0, how ? "NEW" : "new");
        sftpk_close(h);
        assert_string_equal(sftpk_content("file"), how ? "NEW" : "new");
        sftpk_ask(SSH_FXP_OPEN, "s4a", "file", SSH_FXF_WRITE, &none);
        sftpk_expect(SSH_FX_OP_UNSUPPORTED);
        assert_int_equal(sftpk_end(), 0);
        sftpk_teardown(NULL);
    }
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, sftpk_setup, sftpk_teardown)
    const struct CMUnitTest tests[] = {
        T(test_version_and_extensions),
        T(test_realpath_and_expand_path),
        T(test_an_upload_appears_whole),
        T(test_setstat_by_name_of_an_upload),
        T(test_truncating_an_upload),
        T(test_an_upload_that_is_cut_off_leaves_no_trace),
        T(test_cut_in_a_write),
        T(test_in_place),
        T(test_scp_replaces_a_file_in_one_step),
        T(test_an_empty_file_over_another),
        T(test_a_rewrite_keeps_what_is_not_written),
        T(test_a_long_rewrite_goes_by_portions),
        T(test_a_rewrite_where_there_can_be_no_spare),
        T(test_read_and_write_on_one_handle),
        T(test_a_new_file_without_trunc_is_an_upload_too),
        T(test_excl),
        T(test_open_errors),
        T(test_reading),
        T(test_many_reads_at_once),
        T(test_a_file_that_shrinks_ends_it),
        T(test_stat_lstat_and_links),
        T(test_setstat),
        T(test_names),
        T(test_directories_are_read_whole),
        T(test_two_directories_at_once),
        T(test_lines_as_ls_writes_them),
        T(test_limits_and_space),
        T(test_a_commit_that_half_succeeds_is_told),
        T(test_a_file_system_that_can_do_little),
        T(test_a_file_system_that_writes_nothing_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
