/* The SFTP server in small pieces, over a file system that is busy, broken or slow, and with a client that reads nothing. */
#include "sftp_kit.h"

#define UPLOAD (SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_TRUNC)

/* Handles are known beforehand: the first slot, first to third use. */
enum { FIRST = 0x100, SECOND = 0x200, THIRD = 0x300, FOURTH = 0x400 };

static const struct sftp_attrs none;
static uint8_t reference[SFTPK_BYTES];
static size_t reference_n;

static void fresh(void)
{
    sftpk_reset();
    sftpk_file("dir/old", "what was there before");
    sftpk_file("dir/sub/deep", "0123456789abcdef");
    sftpk_file("gone", "x");
    assert_true(dory_ram_put(&k.ram, "link", DORY_FS_LINK, 0777, "dir/old", 7) >= 0);
    k.id = SFTP_VERSION - 1;
    sftpk_ask(SSH_FXP_INIT, "");
    k.id = 99;
}

/* One of everything, in a row and without waiting. */
static void script(void)
{
    static const char data[] = "new content for the old file, some thirty bytes and more of it";
    const struct sftp_attrs attrs = {.flags = 12, .permissions = 0640, .atime = 5, .mtime = 6};
    const struct sftp_attrs size = {.flags = 1, .size = 7};

    sftpk_ask(SSH_FXP_REALPATH, "s", "dir/../dir/./old");
    sftpk_ask(SSH_FXP_OPEN, "s4a", "/dir/old", UPLOAD, &attrs);
    sftpk_ask(SSH_FXP_WRITE, "h8s", FIRST, (uint64_t)0, data);
    sftpk_ask(SSH_FXP_WRITE, "h8s", FIRST, (uint64_t)sizeof data - 1, data);
    sftpk_ask(SSH_FXP_WRITE, "h8s", FIRST, (uint64_t)0, "");
    sftpk_ask(SSH_FXP_FSTAT, "h", FIRST);
    sftpk_ask(SSH_FXP_FSETSTAT, "ha", FIRST, &attrs);
    sftpk_ask(SSH_FXP_STAT, "s", "dir/old");
    sftpk_ask(SSH_FXP_EXTENDED, "sh", "fsync@openssh.com", FIRST);
    sftpk_ask(SSH_FXP_CLOSE, "h", FIRST);
    sftpk_ask(SSH_FXP_OPEN, "s4a", "dir/sub/deep", SSH_FXF_READ | SSH_FXF_WRITE, &none);
    for (uint64_t at = 0; at < 20; at += 3) sftpk_ask(SSH_FXP_READ, "h84", SECOND, at, 3);
    sftpk_ask(SSH_FXP_WRITE, "h8s", SECOND, (uint64_t)4, "WXYZ");
    sftpk_ask(SSH_FXP_READ, "h84", SECOND, (uint64_t)0, 100);
    sftpk_ask(SSH_FXP_FSETSTAT, "ha", SECOND, &size);
    sftpk_ask(SSH_FXP_CLOSE, "h", SECOND);
    sftpk_ask(SSH_FXP_OPEN, "s4a", "log", SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_APPEND, &none);
    sftpk_ask(SSH_FXP_WRITE, "h8s", THIRD, (uint64_t)0, "a line\n");
    sftpk_ask(SSH_FXP_CLOSE, "h", THIRD);
    sftpk_ask(SSH_FXP_MKDIR, "sa", "made", &none);
    sftpk_ask(SSH_FXP_OPENDIR, "s", "/dir/sub");
    sftpk_ask(SSH_FXP_READDIR, "h", FOURTH);
    sftpk_ask(SSH_FXP_READDIR, "h", FOURTH);
    sftpk_ask(SSH_FXP_CLOSE, "h", FOURTH);
    sftpk_ask(SSH_FXP_RENAME, "ss", "dir/sub/deep", "made/moved");
    sftpk_ask(SSH_FXP_EXTENDED, "sss", "posix-rename@openssh.com", "made/moved", "dir/sub/moved");
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "dir", &attrs);
    sftpk_ask(SSH_FXP_SETSTAT, "sa", "/log", &size);
    sftpk_ask(SSH_FXP_RMDIR, "s", "made");
    sftpk_ask(SSH_FXP_REMOVE, "s", "gone");
    sftpk_ask(SSH_FXP_READLINK, "s", "link");
    sftpk_ask(SSH_FXP_LSTAT, "s", "link");
    sftpk_ask(SSH_FXP_EXTENDED, "ss", "statvfs@openssh.com", "dir/sub");
    sftpk_ask(SSH_FXP_EXTENDED, "s", "limits@openssh.com");
    sftpk_ask(SSH_FXP_EXTENDED, "s", "unknown@example.com");
    sftpk_ask(SSH_FXP_EXTENDED, "ss", "expand-path@openssh.com", "~/x");
    sftpk_ask(77, "s", "?");
}

static void check_tree(void)
{
    assert_int_equal(strlen(sftpk_content("dir/old")), 124);
    assert_string_equal(sftpk_content("dir/sub/moved"), "0123WXY");
    assert_string_equal(sftpk_content("dir/sub/deep"), "(none)");
    assert_string_equal(sftpk_content("gone"), "(none)");
    assert_memory_equal(sftpk_content("log"), "a line\n", 7);
}

static void make_reference(void)
{
    fresh();
    script();
    assert_int_equal(sftpk_end(), 0);
    check_tree();
    memcpy(reference, k.out, k.out_n);
    reference_n = k.out_n;
}

static void test_pieces_of_every_size(void **state)
{
    (void)state;
    make_reference();
    for (size_t push = 1; push <= 64; push++)
        for (size_t pull = 1; pull <= 64; pull++) {
            fresh();
            script();
            k.push = push;
            k.pull = pull;
            assert_int_equal(sftpk_end(), 0);
            assert_int_equal(k.out_n, reference_n);
            assert_memory_equal(k.out, reference, reference_n);
            check_tree();
            sftpk_teardown(NULL);
        }
}

/* Busy at every call in turn, and in bites: the same answers. */
static void test_a_busy_file_system_changes_nothing(void **state)
{
    static const size_t pieces[] = {1, 5, 29, 300, 0};

    (void)state;
    make_reference();
    for (unsigned long every = 2; every < 40; every++)
        for (size_t i = 0; i < 25; i++) {
            fresh();
            script();
            k.push = pieces[i / 5];
            k.pull = pieces[i % 5];
            k.ram.busy_every = every;
            k.ram.bite = every % 7;
            sftpk_run();
            k.ram.busy_every = 0;
            assert_int_equal(sftpk_end(), 0);
            assert_int_equal(k.out_n, reference_n);
            assert_memory_equal(k.out, reference, reference_n);
            check_tree();
            sftpk_teardown(NULL);
        }
}

/* Answers are whole and one for each request, whatever fails. */
static void check_answers(bool all)
{
    size_t at = 0;
    uint32_t id = SFTP_VERSION;

    while (k.out_n - at >= 9) {
        size_t n = 4 + dory_sftp_load32(k.out + at);

        if (n > k.out_n - at)
            break;
        assert_int_equal(dory_sftp_load32(k.out + at + 5), id);
        id = id == SFTP_VERSION ? 100 : id + 1;
        at += n;
    }
    if (all) {
        assert_int_equal(at, k.out_n);
        assert_int_equal(id, k.id + 1);
    }
}

static void test_every_call_fails_once(void **state)
{
    static const int errors[] = {DORY_E_IO, DORY_E_NOSPC, DORY_E_ACCESS, DORY_E_NFILE, DORY_E_NOSYS};
    unsigned long total;

    (void)state;
    make_reference();
    total = k.ram.calls;
    assert_true(total > 100);
    for (size_t e = 0; e < sizeof errors / sizeof *errors; e++)
        for (unsigned long n = 1; n <= total; n++) {
            const char *old;
            int status;

            fresh();
            script();
            k.ram.fail_at = n;
            k.ram.fail_with = errors[e];
            status = sftpk_end();
            /* Content that cannot be read on after its answer began ends the conversation; all else is a status. */
            assert_true(status == 0 || k.errors == 1);
            check_answers(status == 0);
            old = sftpk_content("dir/old");
            assert_true(strlen(old) == 124 || strcmp(old, "what was there before") == 0);
            k.ram.fail_at = 0;
            sftpk_teardown(NULL);
        }
}

/* Cut at every byte: nothing stays open, the old file is whole, or the new one. */
static void test_cut_at_every_byte(void **state)
{
    size_t total;

    (void)state;
    make_reference();
    total = k.in_n;
    for (size_t n = 0; n < total; n++) {
        const char *old;

        fresh();
        script();
        k.in_n = n;
        sftpk_end();
        old = sftpk_content("dir/old");
        assert_true(strlen(old) == 124 || strcmp(old, "what was there before") == 0);
        sftpk_teardown(NULL);
    }
}

/* A client that reads nothing: what window() promised is always taken. */
static void test_the_window_is_kept(void **state)
{
    struct dory_stream *stream = &k.server.stream;
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < 300; round++) {
        size_t promised;

        fresh();
        for (int i = 0; i < 400; i++) {
            switch ((seed = seed * 1103515245 + 12345) >> 16 & 7) {
            case 0: sftpk_ask(SSH_FXP_STAT, "s", "dir/sub/deep"); break;
            case 1: sftpk_ask(SSH_FXP_OPEN, "s4a", "new", UPLOAD, &none); break;
            case 2: sftpk_ask(SSH_FXP_WRITE, "h8b", FIRST, (uint64_t)0, k.ram.handles, (size_t)(seed >> 8 & 0xFFF)); break;
            case 3: sftpk_ask(SSH_FXP_CLOSE, "h", FIRST); break;
            case 4: sftpk_ask(SSH_FXP_READDIR, "h", FIRST); break;
            case 5: sftpk_ask(99, ""); break;
            default: sftpk_ask(SSH_FXP_READ, "h84", FIRST, (uint64_t)(seed & 0xFFF), 100); break;
            }
        }
        /* Some way into it with answers read, then none any more. A window once given cannot be taken back. */
        k.pull = 1 + (seed >> 8 & 0xFF);
        k.in_at = stream->ops->push(stream, k.in, seed >> 4 & 0x1FFF);
        for (int i = 0; i < round; i++) stream->ops->pull(stream, k.out, k.pull);
        promised = stream->ops->window(stream);
        if (k.server.uploading)
            promised -= DORY_SFTP_WINDOW;
        if (promised > k.in_n - k.in_at)
            promised = k.in_n - k.in_at;
        assert_int_equal(stream->ops->push(stream, k.in + k.in_at, promised), promised);
        sftpk_teardown(NULL);
    }
}

/* WRITE after WRITE needs nothing sent, as long as their answers find room. */
static void test_an_upload_needs_no_answers_read(void **state)
{
    struct dory_stream *stream = &k.server.stream;
    uint32_t h;

    (void)state;
    sftpk_reset();
    sftpk_init();
    h = sftpk_open("file", UPLOAD);
    for (uint64_t i = 0; i < DORY_SFTP_WRITES; i++) sftpk_ask(SSH_FXP_WRITE, "h8b", h, i * 1000, k.nodes, (size_t)1000);
    assert_int_equal(stream->ops->push(stream, k.in + k.in_at, 40), 40);
    assert_true(stream->ops->window(stream) >= DORY_SFTP_WINDOW);
    k.in_at += 40;
    assert_int_equal(stream->ops->push(stream, k.in + k.in_at, k.in_n - k.in_at), k.in_n - k.in_at);
    k.in_at = k.in_n;
    sftpk_ask(SSH_FXP_WRITE, "h8b", h, (uint64_t)0, k.nodes, (size_t)20000);
    assert_true(stream->ops->push(stream, k.in + k.in_at, k.in_n - k.in_at) < k.in_n - k.in_at);
    k.in_at = k.in_n;
    for (int i = 0; i < DORY_SFTP_WRITES; i++) sftpk_expect(SSH_FX_OK);
    sftpk_teardown(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_of_every_size),  cmocka_unit_test(test_a_busy_file_system_changes_nothing),
        cmocka_unit_test(test_every_call_fails_once), cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_the_window_is_kept),    cmocka_unit_test(test_an_upload_needs_no_answers_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
