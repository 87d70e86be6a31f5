/* The POSIX file system: what is not confinement (tests/hostile/test_confine.c) nor common to all file systems. */
#include "posix_kit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dory_posix_fs.h"
#include "fs_conformance.h"

static struct dory_posix_fs P;
static struct dory_fs *const F = &P.fs;
#define DO(op, ...) F->ops->op(F, __VA_ARGS__)

static int begin(unsigned flags)
{
    assert_int_equal(dory_posix_fs_init(&P, ".", flags), DORY_OK);
    int root = F->ops->root(F);
    assert_true(root >= 0);
    return root;
}

static void put(int dir, const char *name, const char *text, unsigned set, const struct dory_fs_info *info)
{
    int h = DO(create, dir, name, 0644, strlen(text));
    assert_true(h >= 0);
    assert_int_equal(DO(write, h, 0, (const uint8_t *)text, strlen(text)), strlen(text));
    assert_int_equal(DO(commit, h, set, info), DORY_OK);
}

static void test_upload_appears_only_at_commit(void **state)
{
    (void)state;
    int root = begin(0), h;
    posix_kit_write("f", "old", 0640);
    char name[300];

    assert_true((h = DO(create, root, "f", 0666, 3)) >= 0);
    assert_int_equal(DO(write, h, 0, (const uint8_t *)"new", 3), 3);
    assert_string_equal(posix_kit_read("f"), "old");
    assert_int_equal(posix_kit_count("."), 2);
    assert_int_equal(DO(next, root, name, sizeof name), 1); /* the temporary file is not listed */
    assert_string_equal(name, "f");
    assert_int_equal(DO(next, root, name, sizeof name), 0);
    assert_int_equal(DO(commit, h, 0, NULL), DORY_OK);
    assert_string_equal(posix_kit_read("f"), "new");
    assert_int_equal(posix_kit_mode("f"), 0640);
    assert_int_equal(posix_kit_count("."), 1);

    assert_true((h = DO(create, root, "f", 0666, 3)) >= 0);
    assert_int_equal(DO(write, h, 0, (const uint8_t *)"bad", 3), 3);
    assert_int_equal(DO(abort, h), DORY_OK);
    assert_string_equal(posix_kit_read("f"), "new");
    assert_int_equal(posix_kit_count("."), 1);
    dory_posix_fs_close(&P);
}

static void test_modes_and_times(void **state)
{
    (void)state;
    struct dory_fs_info info = {.mode = 04755, .mtime = 1000000000, .atime = 1100000000}, seen;
    int root = begin(0);
    umask(027);
    put(root, "umask", "x", 0, NULL);
    assert_int_equal(posix_kit_mode("umask"), 0640);
    put(root, "exact", "x", DORY_FS_SET_MODE | DORY_FS_SET_TIMES, &info);
    assert_int_equal(posix_kit_mode("exact"), 04755);
    assert_int_equal(DO(lookup, root, "exact", true, &seen), DORY_OK);
    assert_int_equal(seen.mtime, 1000000000);
    assert_int_equal(seen.atime, 1100000000);
    assert_int_equal(seen.size, 1);
    put(root, "exact", "y", 0, NULL); /* replaced: keeps its mode, but not who it runs as */
    assert_int_equal(posix_kit_mode("exact"), 0755);
    info.size = 5;
    put(root, "grown", "abc", DORY_FS_SET_SIZE, &info);
    assert_int_equal(DO(lookup, root, "grown", true, &seen), DORY_OK);
    assert_int_equal(seen.size, 5);
    dory_posix_fs_close(&P);
}

static void test_replacing_a_private_file_stays_private(void **state)
{
    (void)state;
    int root = begin(0), h;
    posix_kit_write("secret", "old", 0600);
    assert_true((h = DO(create, root, "secret", 0644, 3)) >= 0);
    assert_int_equal(posix_kit_sh("stat -c %%a .secret.*.dory-part"), 0);
    assert_string_equal(posix_kit_output(), "600\n");
    assert_int_equal(DO(commit, h, 0, NULL), DORY_OK);
    assert_int_equal(posix_kit_mode("secret"), 0600);
    dory_posix_fs_close(&P);
}

static void test_replacing_keeps_the_owner(void **state)
{
    (void)state;
    struct stat st;
    if (geteuid() != 0)
        skip();
    int root = begin(0);
    posix_kit_write("theirs", "old", 0644);
    assert_int_equal(chown("theirs", 1234, 5678), 0);
    put(root, "theirs", "new", 0, NULL);
    assert_int_equal(stat("theirs", &st), 0);
    assert_int_equal(st.st_uid, 1234);
    assert_int_equal(st.st_gid, 5678);
    dory_posix_fs_close(&P);
}

static void test_odd_names(void **state)
{
    (void)state;
    static const char *const good[] = {"-rf", " ", "a\nb", "\xff\xfe", "...", "*?[", "\"'`$(x)", ".hidden", "\033[31m"};
    static const char *const bad[] = {"", ".", "..", "a/b", "/", "/a", "a/", "../x"};
    char longest[257], utf8[256], name[300];
    unsigned seen = 0;
    int root = begin(0);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) put(root, good[i], good[i], 0, NULL);
    memset(longest, 'n', 256);
    longest[256] = 0;
    assert_int_equal(DO(create, root, longest, 0644, 0), DORY_E_NAME);
    longest[255] = 0;
    put(root, longest, "long", 0, NULL);
    for (int i = 0; i < 85; i++) memcpy(utf8 + 3 * i, "\xe2\x82\xac", 4);
    put(root, utf8, "euro", 0, NULL);
    while (DO(next, root, name, sizeof name) == 1) seen++;
    assert_int_equal(seen, sizeof good / sizeof *good + 2);
    assert_string_equal(posix_kit_read("a\nb"), "a\nb");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct dory_fs_info info;
        assert_int_equal(DO(create, root, bad[i], 0644, 0), DORY_E_NAME);
        assert_int_equal(DO(open, root, bad[i], DORY_FS_OPEN_READ), DORY_E_NAME);
        assert_int_equal(DO(lookup, root, bad[i], true, &info), DORY_E_NAME);
        assert_int_equal(DO(mkdir, root, bad[i], 0755), DORY_E_NAME);
        assert_int_equal(DO(remove, root, bad[i]), DORY_E_NAME);
        assert_int_equal(DO(rmdir, root, bad[i]), DORY_E_NAME);
        assert_int_equal(DO(rename, root, "-rf", root, bad[i], true), DORY_E_NAME);
        assert_int_equal(DO(readlink, root, bad[i], name, sizeof name), DORY_E_NAME);
    }
    dory_posix_fs_close(&P);
}

static void test_two_listings_share_the_buffer(void **state)
{
    (void)state;
    enum { FILES = 700 };
    static uint8_t seen[2][FILES];
    char name[64];
    memset(seen, 0, sizeof seen);
    for (unsigned i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "a-name-that-fills-the-buffer-%u", i);
        posix_kit_write(name, "", 0644);
    }
    int dirs[2] = {begin(0), 0};
    dirs[1] = DO(dup, dirs[0]);
    for (unsigned turn = 0, total = 0; total < 2 * FILES; turn++) {
        unsigned number, at = turn % 3 == 0; /* one listing runs ahead of the other */
        int r = DO(next, dirs[at], name, sizeof name);
        assert_in_range(r, 0, 1);
        if (r == 0)
            continue;
        assert_int_equal(sscanf(name, "a-name-that-fills-the-buffer-%u", &number), 1);
        assert_int_equal(seen[at][number]++, 0);
        total++;
    }
    for (int i = 0; i < FILES; i++) assert_int_equal(seen[0][i] + seen[1][i], 2);
    dory_posix_fs_close(&P);
}

static void test_a_short_buffer_leaves_long_names_out(void **state)
{
    (void)state;
    char name[4];
    posix_kit_write("abc", "", 0644);
    posix_kit_write("abcd", "", 0644);
    int root = begin(0);
    assert_int_equal(DO(next, root, name, sizeof name), 1);
    assert_string_equal(name, "abc");
    assert_int_equal(DO(next, root, name, sizeof name), 0);
    dory_posix_fs_close(&P);
}

static void test_handles_run_out_and_none_leaks(void **state)
{
    (void)state;
    unsigned before = posix_kit_open_fds();
    int root = begin(0), r, n = 0;
    while ((r = DO(dup, root)) >= 0) n++;
    assert_int_equal(r, DORY_E_NFILE);
    assert_int_equal(n, DORY_POSIX_HANDLES - 1);
    assert_int_equal(DO(create, root, "f", 0644, 0), DORY_E_NFILE);
    assert_int_equal(posix_kit_count("."), 0);
    assert_int_equal(DO(close, 5), DORY_OK);
    assert_int_equal(DO(close, 5), DORY_E_ARG);
    assert_int_equal(DO(create, root, "f", 0644, 0), 5);
    dory_posix_fs_close(&P); /* an upload that was not committed goes with it */
    assert_int_equal(posix_kit_count("."), 0);
    assert_int_equal(posix_kit_open_fds(), before);
}

static void test_wrong_handles(void **state)
{
    (void)state;
    struct dory_fs_info info = {0};
    uint8_t byte = 0;
    int root = begin(0);
    const int wrong[] = {-1, 99, DORY_POSIX_HANDLES, 1 << 30};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(DO(open, wrong[i], "f", DORY_FS_OPEN_READ), DORY_E_ARG);
        assert_int_equal(DO(info, wrong[i], &info), DORY_E_ARG);
        assert_int_equal(DO(read, wrong[i], 0, &byte, 1), DORY_E_ARG);
        assert_int_equal(DO(write, wrong[i], 0, &byte, 1), DORY_E_ARG);
        assert_int_equal(DO(commit, wrong[i], 0, NULL), DORY_E_ARG);
        assert_int_equal(DO(abort, wrong[i]), DORY_E_ARG);
        assert_int_equal(DO(close, wrong[i]), DORY_E_ARG);
    }
    assert_int_equal(DO(commit, root, 0, NULL), DORY_E_ARG); /* not created */
    assert_int_equal(DO(abort, root), DORY_E_ARG);
    posix_kit_write("f", "x", 0644);
    assert_int_equal(DO(open, root, "f", DORY_FS_OPEN_DIR), DORY_E_NOTDIR);
    assert_int_equal(DO(open, root, "none", DORY_FS_OPEN_READ), DORY_E_NOENT);
    assert_int_equal(mkdir("d", 0755), 0);
    assert_int_equal(DO(open, root, "d", DORY_FS_OPEN_READ), DORY_E_ISDIR);
    assert_int_equal(DO(create, root, "d", 0644, 0), DORY_E_ISDIR);
    dory_posix_fs_close(&P);
}

static void test_rename(void **state)
{
    (void)state;
    int root = begin(0);
    posix_kit_write("a", "a", 0644);
    posix_kit_write("b", "b", 0644);
    assert_int_equal(DO(rename, root, "a", root, "b", false), DORY_E_EXIST);
    assert_int_equal(DO(rename, root, "a", root, "c", false), DORY_OK);
    assert_int_equal(DO(rename, root, "c", root, "b", true), DORY_OK);
    assert_string_equal(posix_kit_read("b"), "a");
    assert_int_equal(DO(mkdir, root, "d", 0755), DORY_OK);
    assert_int_equal(DO(rename, root, "b", root, "d", true), DORY_E_ISDIR);
    posix_kit_write("d/x", "", 0644);
    assert_int_equal(DO(rmdir, root, "d"), DORY_E_NOTEMPTY);
    assert_int_equal(DO(remove, root, "d"), DORY_E_ISDIR);
    dory_posix_fs_close(&P);
}

static void test_trusting_writes_devices_and_fifos_in_place(void **state)
{
    (void)state;
    char got[8] = "";
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(symlink("/dev/null", "null"), 0);
    int reader = open("fifo", O_RDONLY | O_NONBLOCK), root = begin(DORY_POSIX_FS_TRUSTING);
    put(root, "fifo", "hello", DORY_FS_SET_MODE, &(struct dory_fs_info){.mode = 0777});
    assert_int_equal(read(reader, got, sizeof got), 5);
    assert_string_equal(got, "hello");
    assert_int_equal(posix_kit_mode("fifo"), 0600);
    put(root, "null", "gone", 0, NULL);
    assert_true(posix_kit_exists("null"));
    int ends[2];
    char link[32];
    assert_int_equal(pipe(ends), 0); /* a link that leads to no path, as /dev/stdout may */
    snprintf(link, sizeof link, "/proc/self/fd/%d", ends[1]);
    assert_int_equal(symlink(link, "out"), 0);
    put(root, "out", "bytes", 0, NULL);
    assert_int_equal(read(ends[0], got, sizeof got), 5);
    assert_string_equal(got, "bytes");
    close(ends[0]);
    close(ends[1]);
    int dev = dory_posix_fs_open_dir(&P, "/dev");
    put(dev, "null", "gone", 0, NULL);
    assert_int_equal(posix_kit_sh("test -c /dev/null"), 0);
    close(reader);
    dory_posix_fs_close(&P);
}

/* As somebody who is not root, whom no mode keeps out. */
static void test_in_place_where_no_file_can_be_made(void **state)
{
    (void)state;
    bool root_user = geteuid() == 0;
    posix_kit_write("f", "a long old content", 0666);
    assert_int_equal(posix_kit_sh("mkdir d && mv f d && chmod 666 d/f && chmod 555 d ."), 0);
    for (int i = 0; i < 3; i++) {
        int root = begin(i == 0 ? 0 : i == 1 ? DORY_POSIX_FS_IN_PLACE : DORY_POSIX_FS_IN_PLACE | DORY_POSIX_FS_TRUSTING);
        if (root_user)
            assert_int_equal(seteuid(65534), 0);
        int dir = DO(open, root, "d", DORY_FS_OPEN_DIR), h = DO(create, dir, "f", 0644, 3);
        if (i > 0) {
            assert_true(h >= 0);
            assert_int_equal(DO(write, h, 0, (const uint8_t *)"new", 3), 3);
            assert_int_equal(DO(commit, h, 0, NULL), DORY_OK);
            assert_int_equal(DO(create, dir, "missing", 0644, 3), DORY_E_ACCESS);
        } else {
            assert_int_equal(h, DORY_E_ACCESS);
        }
        if (root_user)
            assert_int_equal(seteuid(0), 0);
        assert_string_equal(posix_kit_read("d/f"), i ? "new" : "a long old content");
        assert_int_equal(posix_kit_mode("d/f"), 0666);
        assert_int_equal(posix_kit_count("d"), 1);
        dory_posix_fs_close(&P);
    }
    assert_int_equal(posix_kit_sh("chmod 755 d ."), 0);
}

static void test_trusting_follows_links(void **state)
{
    (void)state;
    assert_int_equal(posix_kit_sh("mkdir in out && echo -n o > out/f && ln -s ../out in/l && ln -s ../out/f in/f && ln -s nowhere in/no"),
                     0);
    int root = begin(DORY_POSIX_FS_TRUSTING), in = DO(open, root, "in", DORY_FS_OPEN_DIR), l = DO(open, in, "l", DORY_FS_OPEN_DIR);
    struct dory_fs_info info;
    assert_true(l >= 0);
    assert_int_equal(DO(lookup, in, "f", true, &info), DORY_OK);
    assert_int_equal(info.type, DORY_FS_FILE);
    assert_int_equal(DO(lookup, in, "f", false, &info), DORY_OK);
    assert_int_equal(info.type, DORY_FS_LINK);
    assert_int_equal(DO(lookup, in, "no", true, &info), DORY_E_NOENT);
    assert_int_equal(DO(open, in, "l", DORY_FS_OPEN_DIR | DORY_FS_OPEN_NOFOLLOW), DORY_E_LOOP);
    assert_int_equal(DO(open, in, "f", DORY_FS_OPEN_READ | DORY_FS_OPEN_NOFOLLOW), DORY_E_LOOP);
    put(in, "f", "new", 0, NULL); /* the link stays, what it leads to is replaced */
    assert_int_equal(posix_kit_sh("test -L in/f && cat out/f"), 0);
    assert_string_equal(posix_kit_output(), "new");
    assert_int_equal(posix_kit_count("in"), 3);
    dory_posix_fs_close(&P);
}

static void test_interrupted_process_leaves_no_debris(void **state)
{
    (void)state;
    int ready[2];
    char byte;
    posix_kit_write("f", "old", 0644);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        int root = begin(0), a = DO(create, root, "f", 0644, UINT64_MAX), b = DO(create, root, "g", 0644, UINT64_MAX);
        DO(write, a, 0, (const uint8_t *)"xx", 2);
        DO(write, b, 0, (const uint8_t *)"xx", 2);
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        sigset_t term;
        int signal;
        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        sigprocmask(SIG_BLOCK, &term, NULL);
        sigwait(&term, &signal);
        dory_posix_fs_cleanup(&P);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(posix_kit_count("."), 3);
    usleep(100000);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    assert_int_equal(posix_kit_count("."), 1);
    assert_string_equal(posix_kit_read("f"), "old");
    close(ready[0]);
    close(ready[1]);
}

static void test_durable(void **state)
{
    (void)state;
    int root = begin(DORY_POSIX_FS_DURABLE);
    put(root, "f", "on the disk", 0, NULL);
    assert_string_equal(posix_kit_read("f"), "on the disk");
    dory_posix_fs_close(&P);
}

static void test_the_root_must_be_a_directory(void **state)
{
    (void)state;
    posix_kit_write("f", "", 0644);
    assert_int_equal(dory_posix_fs_init(&P, "none", 0), DORY_E_NOENT);
    assert_int_equal(dory_posix_fs_init(&P, "", 0), DORY_E_NOENT);
    assert_int_equal(dory_posix_fs_init(&P, "f", 0), DORY_E_NOTDIR);
    dory_posix_fs_close(&P); /* harmless after a failed start */
    assert_int_equal(begin(0), 0);
    assert_int_equal(dory_posix_fs_open_dir(&P, "/"), DORY_E_STATE);
    dory_posix_fs_close(&P);
}

static void test_directories_without_permission(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(
        posix_kit_sh("chmod 755 . && mkdir -m 711 pass && mkdir -m 700 shut && echo x > pass/f && echo x > 600 && chmod 600 600"), 0);
    assert_int_equal(seteuid(65534), 0);
    struct dory_fs_info info;
    char name[8];
    int root = begin(0), pass = DO(open, root, "pass", DORY_FS_OPEN_DIR), shut = DO(open, root, "shut", DORY_FS_OPEN_DIR);
    assert_true(pass >= 0);
    assert_int_equal(DO(lookup, pass, "f", true, &info), DORY_OK);
    assert_int_equal(DO(next, pass, name, sizeof name), DORY_E_ACCESS);
    if (shut >= 0)
        assert_int_equal(DO(lookup, shut, "f", true, &info), DORY_E_ACCESS);
    assert_int_equal(DO(open, root, "600", DORY_FS_OPEN_READ), DORY_E_ACCESS);
    assert_int_equal(DO(create, root, "f", 0644, 0), DORY_E_ACCESS);
    assert_int_equal(DO(mkdir, root, "f", 0755), DORY_E_ACCESS);
    dory_posix_fs_close(&P);
    assert_int_equal(seteuid(0), 0);
}

/* ---- what all file systems share */

static unsigned conformance_flags;

static struct dory_fs *conformance_fresh(void *ctx)
{
    (void)ctx;
    return posix_kit_enter(NULL) == 0 && dory_posix_fs_init(&P, ".", conformance_flags) == DORY_OK ? F : NULL;
}

static bool conformance_clean(void *ctx, struct dory_fs *fs)
{
    bool clean = posix_kit_sh("find . -name '*.dory-part' | grep .") != 0;
    (void)ctx, (void)fs;
    for (int i = 0; i < DORY_POSIX_HANDLES; i++) clean = clean && !P.handles[i].used;
    dory_posix_fs_close(&P);
    return posix_kit_leave(NULL) == 0 && clean;
}

static void conformance_symlink(void *ctx, struct dory_fs *fs, const char *name, const char *target)
{
    (void)ctx, (void)fs;
    assert_int_equal(symlink(target, name), 0);
}

static int conformance(const char *name, unsigned flags, bool links)
{
    const struct fs_conformance what = {conformance_fresh, conformance_clean, links ? conformance_symlink : NULL, NULL, false, false};
    conformance_flags = flags;
    return fs_conformance(name, &what);
}

#define T(f) cmocka_unit_test_setup_teardown(f, posix_kit_enter, posix_kit_leave)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_upload_appears_only_at_commit),
        T(test_modes_and_times),
        T(test_replacing_a_private_file_stays_private),
        T(test_replacing_keeps_the_owner),
        T(test_odd_names),
        T(test_two_listings_share_the_buffer),
        T(test_a_short_buffer_leaves_long_names_out),
        T(test_handles_run_out_and_none_leaks),
        T(test_wrong_handles),
        T(test_rename),
        T(test_trusting_writes_devices_and_fifos_in_place),
        T(test_in_place_where_no_file_can_be_made),
        T(test_trusting_follows_links),
        T(test_interrupted_process_leaves_no_debris),
        T(test_durable),
        T(test_the_root_must_be_a_directory),
        T(test_directories_without_permission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) + conformance("openat2", 0, true) +
           conformance("no openat2", DORY_POSIX_FS_NO_OPENAT2, true) + conformance("trusting", DORY_POSIX_FS_TRUSTING, false);
}
