/* THREATS S3, S4, S5 and C6 against the POSIX file system: `tree/root` is what is served, everything beside it must stay out of reach.
   Each test runs with openat2 and as on a kernel without it. */
#include "posix_kit.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dory_posix_fs.h"
#include "posix_fs_internal.h"
#include "dory_posix_sys.h"

static struct dory_posix_fs P;
static struct dory_fs *const F = &P.fs;
static unsigned mode; /* DORY_POSIX_FS_NO_OPENAT2 or 0 */
#define DO(op, ...) F->ops->op(F, __VA_ARGS__)

static int enter(void **state)
{
    if (posix_kit_enter(state) != 0)
        return -1;
    return posix_kit_sh("mkdir -p root/d/e root2 out && echo -n outside > out/secret && echo -n outside > root2/secret &&"
                        "echo -n inside > root/file && echo -n inside > root/d/file && mkdir out/dir");
}

static int begin(unsigned flags)
{
    assert_int_equal(dory_posix_fs_init(&P, "root", flags | mode), DORY_OK);
    int root = F->ops->root(F);
    assert_true(root >= 0);
    return root;
}

static bool refused(int error)
{
    return error == DORY_E_ACCESS || error == DORY_E_LOOP || error == DORY_E_NAME;
}

static void assert_outside_untouched(void)
{
    assert_string_equal(posix_kit_read("out/secret"), "outside");
    assert_string_equal(posix_kit_read("root2/secret"), "outside");
    assert_int_equal(posix_kit_count("out"), 2);
    assert_int_equal(posix_kit_count("out/dir"), 0);
    assert_int_equal(posix_kit_count("root2"), 1);
}

/* Every way to use a name that must not lead outside. */
static void assert_no_way_out(int dir, const char *name)
{
    struct dory_fs_info info;
    int h = DO(open, dir, name, DORY_FS_OPEN_READ);
    if (!refused(h))
        fail_msg("open %s: %d", name, h);
    if (!refused(h = DO(open, dir, name, DORY_FS_OPEN_WRITE)))
        fail_msg("open %s for writing: %d", name, h);
    if (!refused(h = DO(open, dir, name, DORY_FS_OPEN_DIR)))
        fail_msg("open %s as a directory: %d", name, h);
    if (!refused(h = DO(lookup, dir, name, true, &info)))
        fail_msg("lookup %s: %d", name, h);
    if (!refused(h = DO(create, dir, name, 0644, 1)))
        fail_msg("create %s: %d", name, h);
    assert_outside_untouched();
}

static void test_links_out_of_the_root(void **state)
{
    (void)state;
    assert_int_equal(
        posix_kit_sh(
            "cd root && ln -s ../out/secret up && ln -s ../out updir && ln -s ../root2/secret two && ln -s ../root2 twodir &&"
            "ln -s $PWD/../out/secret abs && ln -s $PWD/file absin && ln -s / slash && ln -s .. dotdot && ln -s d/../../out/secret mixed &&"
            "ln -s up chain && ln -s /proc/self/root/etc/passwd magic && ln -s /proc/self/cwd/out/secret magic2 &&"
            "ln -s loop loop && ln -s d/../../root/file back && ln -s ../../../out/secret d/e/deep && ln -s ../../out d/deepdir"),
        0);
    static const char *const names[] = {"up",     "updir", "two",   "twodir", "abs",    "absin", "slash",
                                        "dotdot", "mixed", "chain", "magic",  "magic2", "loop",  "back"};
    int root = begin(0), d = DO(open, root, "d", DORY_FS_OPEN_DIR), e = DO(open, d, "e", DORY_FS_OPEN_DIR);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) assert_no_way_out(root, names[i]);
    assert_no_way_out(e, "deep");
    assert_no_way_out(d, "deepdir");
    dory_posix_fs_close(&P);
}

static void test_names_with_paths(void **state)
{
    (void)state;
    static const char *const names[] = {"../out/secret", "/etc/passwd", "d/../../out/secret", "..", ".", "",
                                        "//x",           "d/file",      "../root2/secret"};
    int root = begin(0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) assert_no_way_out(root, names[i]);
    dory_posix_fs_close(&P);
}

static void read_inside(int dir, const char *name)
{
    uint8_t got[16] = {0};
    int h = DO(open, dir, name, DORY_FS_OPEN_READ);
    if (mode) {
        assert_int_equal(h, DORY_E_LOOP);
        return;
    }
    assert_true(h >= 0);
    assert_int_equal(DO(read, h, 0, got, sizeof got), 6);
    assert_memory_equal(got, "inside", 6);
    assert_int_equal(DO(close, h), DORY_OK);
}

static void test_links_within_the_root(void **state)
{
    (void)state;
    assert_int_equal(posix_kit_sh("cd root && ln -s d/file down && ln -s ../file d/up && ln -s ../../d/e/../file d/e/around && ln -s d dir "
                                  "&& ln -s ../d d/self &&"
                                  "ln -s ../nowhere d/dangling"),
                     0);
    int root = begin(0), d = DO(open, root, "d", DORY_FS_OPEN_DIR), e = DO(open, d, "e", DORY_FS_OPEN_DIR);
    read_inside(root, "down");
    read_inside(d, "up");
    read_inside(e, "around");
    int r = DO(open, d, "self", DORY_FS_OPEN_DIR);
    if (mode)
        assert_int_equal(r, DORY_E_LOOP);
    else
        read_inside(r, "up");
    assert_int_equal(DO(create, d, "dangling", 0644, 1), DORY_E_LOOP);
    dory_posix_fs_close(&P);
}

/* An upload to a link within the root replaces what it means; the link stays. */
static void test_upload_through_a_link_within_the_root(void **state)
{
    (void)state;
    assert_int_equal(posix_kit_sh("cd root && ln -s ../file d/up"), 0);
    int root = begin(0), d = DO(open, root, "d", DORY_FS_OPEN_DIR), h = DO(create, d, "up", 0644, 3);
    if (mode) {
        assert_int_equal(h, DORY_E_LOOP);
    } else {
        assert_int_equal(DO(write, h, 0, (const uint8_t *)"new", 3), 3);
        assert_int_equal(DO(commit, h, 0, NULL), DORY_OK);
        assert_string_equal(posix_kit_read("root/file"), "new");
        assert_int_equal(posix_kit_sh("test -L root/d/up"), 0);
    }
    assert_int_equal(posix_kit_count("root/d"), 3);
    dory_posix_fs_close(&P);
}

/* A link put where an upload is under way is replaced, not followed. */
static void test_link_appears_during_an_upload(void **state)
{
    (void)state;
    int root = begin(0), h = DO(create, root, "file", 0644, 3);
    assert_int_equal(DO(write, h, 0, (const uint8_t *)"new", 3), 3);
    assert_int_equal(posix_kit_sh("ln -sf ../out/secret root/file"), 0);
    assert_int_equal(DO(commit, h, 0, NULL), DORY_OK);
    assert_string_equal(posix_kit_read("root/file"), "new");
    assert_int_equal(posix_kit_sh("test ! -L root/file"), 0);
    assert_outside_untouched();
    dory_posix_fs_close(&P);
}

/* So is a directory: the upload ends where it began. */
static void test_directory_becomes_a_link_during_an_upload(void **state)
{
    (void)state;
    int root = begin(0), d = DO(open, root, "d", DORY_FS_OPEN_DIR), h = DO(create, d, "secret", 0644, 3);
    assert_int_equal(DO(write, h, 0, (const uint8_t *)"new", 3), 3);
    assert_int_equal(posix_kit_sh("mv root/d root/moved && ln -s ../out root/d"), 0);
    assert_int_equal(DO(commit, h, 0, NULL), DORY_OK);
    assert_string_equal(posix_kit_read("root/moved/secret"), "new");
    assert_outside_untouched();
    dory_posix_fs_close(&P);
}

/* Swaps root/x between a directory, a link out, and root/y between a file and a link out, as fast as it can. */
static void swap_forever(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (mkdir("root/x-dir", 0755) != 0 || symlink("../out", "root/x-link") != 0 || symlink("../out/secret", "root/y-link") != 0)
        _exit(1);
    posix_kit_write("root/y-file", "inside", 0644);
    posix_kit_write("root/x-dir/secret", "inside", 0644);
    for (;;) {
        if (rename("root/x-dir", "root/x") != 0 || rename("root/x", "root/x-dir") != 0)
            _exit(1);
        if (rename("root/x-link", "root/x") != 0 || rename("root/x", "root/x-link") != 0)
            _exit(1);
        if (rename("root/y-file", "root/y") != 0 || rename("root/y", "root/y-file") != 0)
            _exit(1);
        if (rename("root/y-link", "root/y") != 0 || rename("root/y", "root/y-link") != 0)
            _exit(1);
    }
}

static bool read_must_be_inside(int dir, const char *name)
{
    uint8_t got[16] = {0};
    int h = dir < 0 ? dir : DO(open, dir, name, DORY_FS_OPEN_READ);
    if (h < 0)
        return false;
    long n = DO(read, h, 0, got, sizeof got);
    assert_int_equal(n, 6);
    assert_memory_equal(got, "inside", 6);
    assert_int_equal(DO(close, h), DORY_OK);
    return true;
}

static void upload(int dir, const char *name)
{
    int h = dir < 0 ? dir : DO(create, dir, name, 0644, 6);
    if (h < 0)
        return;
    assert_int_equal(DO(write, h, 0, (const uint8_t *)"inside", 6), 6);
    DO(commit, h, 0, NULL);
}

static void test_links_swapped_all_the_time(void **state)
{
    (void)state;
    unsigned hits = 0;
    pid_t child = fork();
    if (child == 0)
        swap_forever();
    usleep(20000);
    int root = begin(0);
    for (uint64_t end = dory_posix_now_ms() + 1500; dory_posix_now_ms() < end;) {
        int x = DO(open, root, "x", DORY_FS_OPEN_DIR);
        hits += read_must_be_inside(x, "secret");
        upload(x, "new");
        if (x >= 0)
            DO(close, x);
        hits += read_must_be_inside(root, "y");
        int h = DO(open, root, "y", DORY_FS_OPEN_WRITE);
        if (h >= 0) {
            DO(write, h, 0, (const uint8_t *)"inside", 6);
            DO(close, h);
        }
        assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_outside_untouched();
    assert_true(hits > 10); /* the race was on */
    dory_posix_fs_close(&P);
}

/* A directory that is moved out while it is held gives no way further out. */
static void test_moved_directory_gives_no_way_further(void **state)
{
    (void)state;
    assert_int_equal(posix_kit_sh("ln -s ../secret root/d/e/link"), 0);
    int root = begin(0), d = DO(open, root, "d", DORY_FS_OPEN_DIR), e = DO(open, d, "e", DORY_FS_OPEN_DIR);
    assert_int_equal(posix_kit_sh("mv root/d/e out/e"), 0);
    assert_true(refused(DO(open, e, "link", DORY_FS_OPEN_READ)));
    assert_true(refused(DO(create, e, "link", 0644, 1)));
    dory_posix_fs_close(&P);
}

static void test_devices_are_not_opened(void **state)
{
    (void)state;
    assert_int_equal(mkfifo("root/fifo", 0666), 0);
    int root = begin(0);
    assert_int_equal(DO(open, root, "fifo", DORY_FS_OPEN_READ), DORY_E_NOTREG); /* and it does not hang */
    assert_true(DO(open, root, "fifo", DORY_FS_OPEN_WRITE) < 0);
    assert_int_equal(DO(create, root, "fifo", 0644, 1), DORY_E_NOTREG);
    dory_posix_fs_close(&P);
}

static void test_read_only(void **state)
{
    (void)state;
    struct dory_fs_info info = {.mode = 0777};
    uint8_t byte = 'x';
    int root = begin(DORY_POSIX_FS_READ_ONLY), h = DO(open, root, "file", DORY_FS_OPEN_READ);
    assert_true(h >= 0);
    assert_int_equal(DO(read, h, 0, &byte, 1), 1);
    assert_int_equal(DO(write, h, 0, &byte, 1), DORY_E_ROFS);
    assert_int_equal(DO(setinfo, h, DORY_FS_SET_MODE, &info), DORY_E_ROFS);
    assert_int_equal(DO(open, root, "file", DORY_FS_OPEN_WRITE), DORY_E_ROFS);
    assert_int_equal(DO(open, root, "file", DORY_FS_OPEN_READ | DORY_FS_OPEN_WRITE), DORY_E_ROFS);
    assert_int_equal(DO(create, root, "new", 0644, 0), DORY_E_ROFS);
    assert_int_equal(DO(mkdir, root, "new", 0755), DORY_E_ROFS);
    assert_int_equal(DO(remove, root, "file"), DORY_E_ROFS);
    assert_int_equal(DO(rmdir, root, "d"), DORY_E_ROFS);
    assert_int_equal(DO(rename, root, "file", root, "f2", true), DORY_E_ROFS);
    assert_int_equal(posix_kit_sh("find root | sort"), 0);
    assert_string_equal(posix_kit_output(), "root\nroot/d\nroot/d/e\nroot/d/file\nroot/file\n");
    assert_string_equal(posix_kit_read("root/file"), "inside");
    dory_posix_fs_close(&P);
}

/* Writes until it fails with `error`; the old file is as it was, nothing else is left. */
static void fill_up(int root, const char *name, int error)
{
    static uint8_t block[4096];
    uint64_t at = 0;
    int h = DO(create, root, name, 0644, UINT64_MAX);
    assert_true(h >= 0);
    for (;;) {
        long r = DO(write, h, at, block, sizeof block);
        if (r < 0) {
            assert_int_equal(r, error);
            break;
        }
        at += (uint64_t)r;
        assert_true(at < 4 << 20);
    }
    assert_int_equal(DO(abort, h), DORY_OK);
}

static void full_disk(void)
{
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        _exit(77);
    if (mount("none", "root", "tmpfs", 0, "size=256k") != 0)
        _exit(77);
    posix_kit_write("root/file", "old", 0644);
    int root = begin(0);
    assert_int_equal(DO(create, root, "file", 0644, 1 << 20), DORY_E_NOSPC); /* announced */
    assert_int_equal(DO(create, root, "file", 0644, (uint64_t)1 << 62), DORY_E_NOSPC);
    fill_up(root, "file", DORY_E_NOSPC);
    fill_up(root, "other", DORY_E_NOSPC);
    assert_string_equal(posix_kit_read("root/file"), "old");
    assert_int_equal(posix_kit_count("root"), 1);
    int h = DO(create, root, "file", 0644, 3); /* and it goes on */
    assert_int_equal(DO(write, h, 0, (const uint8_t *)"new", 3), 3);
    assert_int_equal(DO(commit, h, 0, NULL), DORY_OK);
    assert_string_equal(posix_kit_read("root/file"), "new");
    _exit(0);
}

static void test_full_disk(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0)
        full_disk();
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
}

static void test_file_size_limit(void **state)
{
    (void)state;
    struct rlimit old, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = old;
    limit.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    int root = begin(0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    fill_up(root, "file", DORY_E_NOSPC);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_string_equal(posix_kit_read("root/file"), "inside");
    assert_int_equal(posix_kit_count("root"), 2);
    assert_int_equal(DO(write, DO(create, root, "f", 0644, 1), UINT64_MAX, (const uint8_t *)"x", 1), DORY_E_NOSPC);
    dory_posix_fs_close(&P);
}

#define T(f) cmocka_unit_test_setup_teardown(f, enter, posix_kit_leave)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_links_out_of_the_root),
        T(test_names_with_paths),
        T(test_links_within_the_root),
        T(test_upload_through_a_link_within_the_root),
        T(test_link_appears_during_an_upload),
        T(test_directory_becomes_a_link_during_an_upload),
        T(test_links_swapped_all_the_time),
        T(test_moved_directory_gives_no_way_further),
        T(test_devices_are_not_opened),
        T(test_read_only),
        T(test_full_disk),
        T(test_file_size_limit),
    };
    int failed = 0;
    if (dory_posix_detect_openat2(AT_FDCWD))
        failed = cmocka_run_group_tests_name("openat2", tests, NULL, NULL);
    else
        puts("ok - openat2 # SKIP this kernel or emulator has no openat2");
    mode = DORY_POSIX_FS_NO_OPENAT2;
    return failed + cmocka_run_group_tests_name("no openat2", tests, NULL, NULL);
}
