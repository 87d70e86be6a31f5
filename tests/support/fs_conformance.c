#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fs_conformance.h"

/* The one file system under test: CMocka's group state would need a cast in each line. */
static const struct fs_conformance *what;
static struct dory_fs *fs;
static int root;

/* ---- calls that are repeated while busy */

#define AGAIN(call)                                                                                                                \
    ({                                                                                                                             \
        __typeof__(call) r_;                                                                                                       \
        unsigned tries_ = 0;                                                                                                       \
        do                                                                                                                         \
            r_ = (call);                                                                                                           \
        while (r_ == DORY_E_AGAIN && ++tries_ < 100000);                                                                           \
        r_;                                                                                                                        \
    })
#define CALL(op, ...) AGAIN(fs->ops->op(fs, __VA_ARGS__))

static void write_all(int handle, const char *text)
{
    size_t n = strlen(text), at = 0;

    while (at < n) {
        long r = CALL(write, handle, at, (const uint8_t *)text + at, n - at);

        assert_true(r >= 0 && (size_t)r <= n - at);
        at += (size_t)r;
    }
}

static void put(int dir, const char *name, const char *text)
{
    int handle = CALL(create, dir, name, 0644, strlen(text));

    assert_true(handle >= 0);
    write_all(handle, text);
    assert_int_equal(CALL(commit, handle, 0, NULL), DORY_OK);
}

/* As many bytes as there are up to n. */
static long read_at(int handle, uint64_t offset, uint8_t *bytes, size_t n)
{
    size_t at = 0;
    long r = 0;

    while (at < n && (r = CALL(read, handle, offset + at, bytes + at, n - at)) > 0)
        at += (size_t)r;
    return r < 0 ? r : (long)at;
}

static const char *content(int dir, const char *name)
{
    static char text[8192];
    long r;
    int handle = CALL(open, dir, name, DORY_FS_OPEN_READ);

    if (handle < 0)
        return dory_strerror(handle);
    r = read_at(handle, 0, (uint8_t *)text, sizeof text - 1);
    assert_true(r >= 0);
    text[r] = '\0';
    assert_int_equal(CALL(close, handle), DORY_OK);
    return text;
}

static struct dory_fs_info looked_up(int dir, const char *name)
{
    struct dory_fs_info info = {0};

    assert_int_equal(CALL(lookup, dir, name, true, &info), DORY_OK);
    return info;
}

/* How often `name` is listed, and how many names there are. */
static int listed(int dir, const char *name, int *total)
{
    char entry[DORY_NAME_MAX + 1];
    int found = 0, r, again = CALL(dup, dir);

    assert_true(again >= 0);
    *total = 0;
    while ((r = CALL(next, again, entry, sizeof entry)) == 1) {
        assert_true(strcmp(entry, ".") != 0 && strcmp(entry, "..") != 0);
        found += strcmp(entry, name) == 0;
        ++*total;
    }
    assert_int_equal(r, 0);
    assert_int_equal(CALL(next, again, entry, sizeof entry), 0);
    assert_int_equal(CALL(close, again), DORY_OK);
    return found;
}

static int make_dir(int dir, const char *name)
{
    int r;

    assert_int_equal(CALL(mkdir, dir, name, 0755), DORY_OK);
    r = CALL(open, dir, name, DORY_FS_OPEN_DIR);
    assert_true(r >= 0);
    return r;
}

/* ---- the tests */

static void test_create_write_commit_read(void **state)
{
    struct dory_fs_info info;
    int handle = CALL(create, root, "file", 0644, 11);

    (void)state;
    assert_true(handle >= 0);
    write_all(handle, "hello world");
    assert_string_equal(content(root, "file"), dory_strerror(DORY_E_NOENT));
    assert_int_equal(CALL(commit, handle, 0, NULL), DORY_OK);
    assert_string_equal(content(root, "file"), "hello world");
    info = looked_up(root, "file");
    assert_int_equal(info.type, DORY_FS_FILE);
    assert_int_equal(info.size, 11);
}

static void test_empty_file(void **state)
{
    (void)state;
    put(root, "empty", "");
    assert_string_equal(content(root, "empty"), "");
    assert_int_equal(looked_up(root, "empty").size, 0);
}

static void test_unknown_size(void **state)
{
    int handle = CALL(create, root, "file", 0600, UINT64_MAX);

    (void)state;
    assert_true(handle >= 0);
    write_all(handle, "any size");
    assert_int_equal(CALL(commit, handle, 0, NULL), DORY_OK);
    assert_string_equal(content(root, "file"), "any size");
}

static void test_commit_replaces_and_only_then(void **state)
{
    int handle, total;

    (void)state;
    put(root, "file", "old content that is longer");
    handle = CALL(create, root, "file", 0644, 3);
    assert_true(handle >= 0);
    write_all(handle, "new");
    assert_string_equal(content(root, "file"), "old content that is longer");
    assert_int_equal(CALL(commit, handle, 0, NULL), DORY_OK);
    assert_string_equal(content(root, "file"), "new");
    assert_int_equal(listed(root, "file", &total), 1);
    assert_int_equal(total, 1);
}

static void test_abort_leaves_the_old_one(void **state)
{
    int handle, total;

    (void)state;
    put(root, "file", "old");
    handle = CALL(create, root, "file", 0644, 3);
    write_all(handle, "new");
    assert_int_equal(CALL(abort, handle), DORY_OK);
    assert_string_equal(content(root, "file"), "old");
    handle = CALL(create, root, "other", 0644, 3);
    assert_int_equal(CALL(abort, handle), DORY_OK);
    assert_int_equal(listed(root, "other", &total), 0);
    assert_int_equal(total, 1);
}

static void test_commit_of_a_new_name_replaces_nothing(void **state)
{
    int handle, total;

    (void)state;
    if (what->flat)
        return;
    handle = CALL(create, root, "file", 0644, 3);
    write_all(handle, "new");
    assert_int_equal(CALL(commit, handle, DORY_FS_COMMIT_NEW, NULL), DORY_OK);
    assert_string_equal(content(root, "file"), "new");
    handle = CALL(create, root, "file", 0644, 5);
    write_all(handle, "newer");
    assert_int_equal(CALL(commit, handle, DORY_FS_COMMIT_NEW, NULL), DORY_E_EXIST);
    assert_string_equal(content(root, "file"), "new");
    assert_int_equal(listed(root, "file", &total), 1);
    assert_int_equal(total, 1);
}

static void test_a_reader_keeps_what_it_opened(void **state)
{
    uint8_t bytes[8];
    int handle;

    (void)state;
    put(root, "file", "old");
    handle = CALL(open, root, "file", DORY_FS_OPEN_READ);
    assert_true(handle >= 0);
    put(root, "file", "newer");
    assert_int_equal(read_at(handle, 0, bytes, sizeof bytes), 3);
    assert_memory_equal(bytes, "old", 3);
    assert_int_equal(CALL(close, handle), DORY_OK);
    assert_string_equal(content(root, "file"), "newer");
}

static void test_reads_at_offsets(void **state)
{
    uint8_t bytes[16];
    int handle;

    (void)state;
    put(root, "file", "0123456789");
    handle = CALL(open, root, "file", DORY_FS_OPEN_READ);
    assert_int_equal(read_at(handle, 7, bytes, 2), 2);
    assert_memory_equal(bytes, "78", 2);
    assert_int_equal(read_at(handle, 0, bytes, 3), 3);
    assert_memory_equal(bytes, "012", 3);
    assert_int_equal(read_at(handle, 8, bytes, 16), 2);
    assert_int_equal(read_at(handle, 10, bytes, 16), 0);
    assert_int_equal(read_at(handle, UINT64_C(1) << 40, bytes, 16), 0);
    assert_int_equal(CALL(close, handle), DORY_OK);
}

static void test_bad_names(void **state)
{
    static const char *const bad[] = {"", ".", "..", "a/b", "/", "/a", "a/", "../a"};
    char longer[DORY_NAME_MAX + 2];
    struct dory_fs_info info;
    int total;

    (void)state;
    memset(longer, 'n', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    for (size_t i = 0; i <= sizeof bad / sizeof *bad; i++) {
        const char *name = i < sizeof bad / sizeof *bad ? bad[i] : longer;

        assert_int_equal(CALL(create, root, name, 0644, 1), DORY_E_NAME);
        assert_int_equal(CALL(open, root, name, DORY_FS_OPEN_READ), DORY_E_NAME);
        assert_int_equal(CALL(open, root, name, DORY_FS_OPEN_DIR), DORY_E_NAME);
        assert_int_equal(CALL(lookup, root, name, true, &info), DORY_E_NAME);
        if (!what->flat)
            assert_int_equal(CALL(mkdir, root, name, 0755), DORY_E_NAME);
        if (fs->ops->remove)
            assert_int_equal(CALL(remove, root, name), DORY_E_NAME);
        if (fs->ops->rmdir)
            assert_int_equal(CALL(rmdir, root, name), DORY_E_NAME);
    }
    listed(root, "", &total);
    assert_int_equal(total, 0);
}

static void test_odd_names(void **state)
{
    static const char *const odd[] = {" ", "-rf", "a b", "'\"`$(x)", "new\nline", "\x1b[31m", "\xc3\xa4\xe2\x82\xac", "...", "*", "\\", ".hidden"};
    int total;

    (void)state;
    if (what->flat)
        return;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        put(root, odd[i], odd[i]);
        assert_string_equal(content(root, odd[i]), odd[i]);
        assert_int_equal(listed(root, odd[i], &total), 1);
        assert_int_equal(total, i + 1);
    }
}

static void test_longest_name(void **state)
{
    char name[DORY_NAME_MAX + 1], room[DORY_NAME_MAX];
    int total, again;

    (void)state;
    if (what->flat)
        return;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    put(root, name, "x");
    put(root, "short", "y");
    assert_string_equal(content(root, name), "x");
    assert_int_equal(listed(root, name, &total), 1);
    assert_int_equal(total, 2);
    /* One that does not fit the caller's room is left out. */
    again = CALL(dup, root);
    assert_int_equal(CALL(next, again, room, sizeof room), 1);
    assert_string_equal(room, "short");
    assert_int_equal(CALL(next, again, room, sizeof room), 0);
    assert_int_equal(CALL(close, again), DORY_OK);
}

static void test_what_is_not_there(void **state)
{
    struct dory_fs_info info;

    (void)state;
    assert_int_equal(CALL(open, root, "no", DORY_FS_OPEN_READ), DORY_E_NOENT);
    assert_int_equal(CALL(open, root, "no", DORY_FS_OPEN_DIR), DORY_E_NOENT);
    assert_int_equal(CALL(open, root, "no", DORY_FS_OPEN_DIR | DORY_FS_OPEN_NOFOLLOW), DORY_E_NOENT);
    assert_int_equal(CALL(lookup, root, "no", true, &info), DORY_E_NOENT);
    if (fs->ops->remove)
        assert_int_equal(CALL(remove, root, "no"), DORY_E_NOENT);
}

static void test_files_are_not_directories(void **state)
{
    int dir;

    (void)state;
    put(root, "file", "x");
    assert_int_equal(CALL(open, root, "file", DORY_FS_OPEN_DIR), DORY_E_NOTDIR);
    assert_int_equal(CALL(open, root, "file", DORY_FS_OPEN_DIR | DORY_FS_OPEN_NOFOLLOW), DORY_E_NOTDIR);
    if (what->flat)
        return;
    assert_int_equal(CALL(mkdir, root, "file", 0755), DORY_E_EXIST);
    dir = make_dir(root, "dir");
    assert_int_equal(CALL(mkdir, root, "dir", 0755), DORY_E_EXIST);
    assert_int_equal(CALL(open, root, "dir", DORY_FS_OPEN_READ), DORY_E_ISDIR);
    assert_int_equal(CALL(create, root, "dir", 0644, 1), DORY_E_ISDIR);
    assert_int_equal(looked_up(root, "dir").type, DORY_FS_DIR);
    assert_int_equal(CALL(close, dir), DORY_OK);
}

static void test_directories(void **state)
{
    struct dory_fs_info info;
    int a, b, again, total;

    (void)state;
    if (what->flat)
        return;
    a = make_dir(root, "a");
    b = make_dir(a, "b");
    put(b, "file", "deep");
    put(a, "file", "less deep");
    assert_string_equal(content(b, "file"), "deep");
    assert_string_equal(content(a, "file"), "less deep");
    assert_int_equal(CALL(info, b, &info), DORY_OK);
    assert_int_equal(info.type, DORY_FS_DIR);
    assert_int_equal(listed(a, "b", &total), 1);
    assert_int_equal(total, 2);
    /* A second handle has a place of its own. */
    again = CALL(dup, a);
    assert_int_equal(listed(again, "b", &total), 1);
    assert_int_equal(listed(a, "file", &total), 1);
    assert_int_equal(CALL(close, a), DORY_OK);
    assert_string_equal(content(again, "file"), "less deep");
    assert_int_equal(CALL(close, b), DORY_OK);
    assert_int_equal(CALL(close, again), DORY_OK);
}

static void test_many_entries_while_they_come(void **state)
{
    char name[16], entry[DORY_NAME_MAX + 1];
    bool seen[100] = {false};
    int dir, n = 0, r;

    (void)state;
    if (what->flat)
        return;
    dir = make_dir(root, "many");
    for (int i = 0; i < 100; i++) {
        name[0] = (char)('a' + i / 10), name[1] = (char)('a' + i % 10), name[2] = '\0';
        put(dir, name, name);
    }
    /* Files that are opened, and others created, between two calls of next. */
    while ((r = CALL(next, dir, entry, sizeof entry)) == 1) {
        if (strlen(entry) == 2) {
            int i = (entry[0] - 'a') * 10 + entry[1] - 'a';

            assert_true(i >= 0 && i < 100 && !seen[i]);
            seen[i] = true;
            n++;
            assert_string_equal(content(dir, entry), entry);
        }
        if (n == 50)
            put(root, "beside", "x");
    }
    assert_int_equal(r, 0);
    assert_int_equal(n, 100);
    assert_int_equal(CALL(close, dir), DORY_OK);
}

static void test_modes_and_times(void **state)
{
    struct dory_fs_info info = {.mode = 0640, .mtime = 1000000000, .atime = 1100000000}, got;
    int handle, dir;

    (void)state;
    if (what->no_modes)
        return;
    handle = CALL(create, root, "file", 0600, 1);
    write_all(handle, "x");
    assert_int_equal(CALL(commit, handle, DORY_FS_SET_MODE | DORY_FS_SET_TIMES, &info), DORY_OK);
    got = looked_up(root, "file");
    assert_int_equal(got.mode, 0640);
    assert_int_equal(got.mtime, 1000000000);
    assert_int_equal(got.atime, 1100000000);

    /* A file that replaces another keeps the other's mode. */
    handle = CALL(create, root, "file", 0600, 1);
    write_all(handle, "y");
    assert_int_equal(CALL(commit, handle, 0, NULL), DORY_OK);
    assert_int_equal(looked_up(root, "file").mode, 0640);
    handle = CALL(create, root, "new", 0600, 0);
    assert_int_equal(CALL(commit, handle, 0, NULL), DORY_OK);
    assert_int_equal(looked_up(root, "new").mode, 0600);
    if (what->flat)
        return;

    dir = make_dir(root, "dir");
    info.mode = 0750;
    assert_int_equal(CALL(setinfo, dir, DORY_FS_SET_MODE | DORY_FS_SET_TIMES, &info), DORY_OK);
    assert_int_equal(CALL(info, dir, &got), DORY_OK);
    assert_int_equal(got.mode, 0750);
    assert_int_equal(got.mtime, 1000000000);
    assert_int_equal(CALL(close, dir), DORY_OK);
}

static void test_extreme_times(void **state)
{
    static const int64_t times[] = {0, 1, 2147483647, 2147483648LL, 4294967296LL};

    (void)state;
    if (what->no_modes)
        return;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct dory_fs_info info = {.mtime = times[i], .atime = times[i]};
        int handle = CALL(create, root, "file", 0600, 0);

        assert_int_equal(CALL(commit, handle, DORY_FS_SET_TIMES, &info), DORY_OK);
        assert_int_equal(looked_up(root, "file").mtime, times[i]);
    }
}

static void test_read_only(void **state)
{
    struct dory_fs_info info = {.mode = 0777};
    int handle, total;

    (void)state;
    put(root, "file", "x");
    fs->read_only = true;
    assert_int_equal(CALL(create, root, "file", 0644, 1), DORY_E_ROFS);
    assert_int_equal(CALL(create, root, "new", 0644, 1), DORY_E_ROFS);
    assert_int_equal(CALL(open, root, "file", DORY_FS_OPEN_WRITE), DORY_E_ROFS);
    if (!what->flat)
        assert_int_equal(CALL(mkdir, root, "dir", 0755), DORY_E_ROFS);
    if (fs->ops->remove)
        assert_int_equal(CALL(remove, root, "file"), DORY_E_ROFS);
    if (fs->ops->rename)
        assert_int_equal(CALL(rename, root, "file", root, "other", true), DORY_E_ROFS);
    handle = CALL(open, root, "file", DORY_FS_OPEN_READ);
    assert_true(handle >= 0);
    if (fs->ops->setinfo)
        assert_int_equal(CALL(setinfo, handle, DORY_FS_SET_MODE, &info), DORY_E_ROFS);
    assert_int_equal(CALL(close, handle), DORY_OK);
    assert_string_equal(content(root, "file"), "x");
    assert_int_equal(listed(root, "file", &total), 1);
    assert_int_equal(total, 1);
    fs->read_only = false;
}

static void test_remove_rmdir_rename(void **state)
{
    int dir, total;

    (void)state;
    if (what->flat || !fs->ops->remove || !fs->ops->rmdir || !fs->ops->rename)
        return;
    dir = make_dir(root, "dir");
    put(dir, "file", "1");
    put(root, "other", "2");
    assert_int_equal(CALL(rmdir, root, "dir"), DORY_E_NOTEMPTY);
    assert_int_equal(CALL(rmdir, root, "other"), DORY_E_NOTDIR);
    assert_int_equal(CALL(remove, root, "dir"), DORY_E_ISDIR);
    assert_int_equal(CALL(rename, dir, "file", root, "other", false), DORY_E_EXIST);
    assert_string_equal(content(root, "other"), "2");
    assert_int_equal(CALL(rename, dir, "file", root, "other", true), DORY_OK);
    assert_string_equal(content(root, "other"), "1");
    assert_int_equal(CALL(rename, root, "other", dir, "third", false), DORY_OK);
    assert_string_equal(content(dir, "third"), "1");
    assert_int_equal(CALL(remove, dir, "third"), DORY_OK);
    assert_int_equal(CALL(close, dir), DORY_OK);
    assert_int_equal(CALL(rmdir, root, "dir"), DORY_OK);
    listed(root, "", &total);
    assert_int_equal(total, 0);
}

static void test_write_in_place(void **state)
{
    int handle;

    (void)state;
    put(root, "file", "0123456789");
    handle = CALL(open, root, "file", DORY_FS_OPEN_WRITE);
    if (handle == DORY_E_NOSYS)
        return;
    assert_true(handle >= 0);
    for (uint64_t at = 4; at < 6;) {
        long r = CALL(write, handle, at, (const uint8_t *)"xy" + at - 4, (size_t)(6 - at));

        assert_true(r >= 0);
        at += (uint64_t)r;
    }
    assert_int_equal(CALL(close, handle), DORY_OK);
    assert_string_equal(content(root, "file"), "0123xy6789");
}

static void test_two_under_creation(void **state)
{
    int one = CALL(create, root, "one", 0644, 1), two = CALL(create, root, "one", 0644, 1);

    (void)state;
    assert_true(one >= 0);
    if (two < 0) /* a slot that is being written may refuse a second writer */
        assert_true(what->flat);
    else
        write_all(two, "2");
    write_all(one, "1");
    assert_int_equal(CALL(commit, one, 0, NULL), DORY_OK);
    assert_string_equal(content(root, "one"), "1");
    if (two < 0)
        return;
    assert_int_equal(CALL(commit, two, 0, NULL), DORY_OK);
    assert_string_equal(content(root, "one"), "2");
}

static void test_created_files_hide(void **state)
{
    struct dory_fs_info info;
    int handle = CALL(create, root, "file", 0644, 1), total;

    (void)state;
    write_all(handle, "x");
    assert_int_equal(CALL(lookup, root, "file", true, &info), DORY_E_NOENT);
    assert_int_equal(listed(root, "file", &total), 0);
    assert_int_equal(CALL(abort, handle), DORY_OK);
}

static void test_bad_handles(void **state)
{
    static const int bad[] = {-1, -100, 1 << 20};
    struct dory_fs_info info;
    uint8_t byte = 0;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_true(CALL(read, bad[i], 0, &byte, 1) < 0);
        assert_true(CALL(write, bad[i], 0, &byte, 1) < 0);
        assert_true(CALL(info, bad[i], &info) < 0);
        assert_true(CALL(close, bad[i]) < 0);
        assert_true(CALL(commit, bad[i], 0, NULL) < 0);
        assert_true(CALL(abort, bad[i]) < 0);
        assert_true(CALL(open, bad[i], "x", DORY_FS_OPEN_READ) < 0);
    }
}

static void test_handles_run_out_and_come_back(void **state)
{
    int handles[2000], n = 0, r;

    (void)state;
    put(root, "file", "x");
    while (n < 2000 && (r = CALL(open, root, "file", DORY_FS_OPEN_READ)) >= 0)
        handles[n++] = r;
    if (n < 2000)
        assert_int_equal(r, DORY_E_NFILE);
    assert_true(n > 0);
    while (n--)
        assert_int_equal(CALL(close, handles[n]), DORY_OK);
    assert_string_equal(content(root, "file"), "x");
}

static void test_links(void **state)
{
    struct dory_fs_info info;
    char target[64];
    int r;

    (void)state;
    if (!what->symlink)
        return;
    put(root, "file", "behind");
    assert_int_equal(CALL(mkdir, root, "dir", 0755), DORY_OK);
    what->symlink(what->ctx, fs, "good", "file");
    what->symlink(what->ctx, fs, "gooddir", "dir");
    what->symlink(what->ctx, fs, "out", "../outside");
    what->symlink(what->ctx, fs, "abs", "/etc");
    what->symlink(what->ctx, fs, "loop", "loop");
    assert_int_equal(CALL(open, root, "good", DORY_FS_OPEN_READ | DORY_FS_OPEN_NOFOLLOW), DORY_E_LOOP);
    assert_int_equal(CALL(open, root, "gooddir", DORY_FS_OPEN_DIR | DORY_FS_OPEN_NOFOLLOW), DORY_E_LOOP);
    assert_int_equal(CALL(lookup, root, "good", false, &info), DORY_OK);
    assert_int_equal(info.type, DORY_FS_LINK);
    for (int i = 0; i < 3; i++) {
        const char *bad = i == 0 ? "out" : i == 1 ? "abs" : "loop";

        r = CALL(open, root, bad, DORY_FS_OPEN_READ);
        assert_true(r == DORY_E_ACCESS || r == DORY_E_LOOP);
        r = CALL(open, root, bad, DORY_FS_OPEN_DIR);
        assert_true(r == DORY_E_ACCESS || r == DORY_E_LOOP);
    }
    if (fs->ops->readlink) {
        assert_int_equal(CALL(readlink, root, "out", target, sizeof target), 10);
        assert_memory_equal(target, "../outside", 10);
    }
    /* An upload onto a link that leads out changes nothing outside: it is refused, or replaces the link. */
    r = CALL(create, root, "out", 0644, 1);
    if (r >= 0) {
        write_all(r, "x");
        if (CALL(commit, r, 0, NULL) == DORY_OK) {
            assert_int_equal(CALL(lookup, root, "out", false, &info), DORY_OK);
            assert_int_equal(info.type, DORY_FS_FILE);
        }
    }
}

static int setup(void **state)
{
    (void)state;
    fs = what->fresh(what->ctx);
    if (!fs)
        return -1;
    root = AGAIN(fs->ops->root(fs));
    return root < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    CALL(close, root);
    return !what->clean || what->clean(what->ctx, fs) ? 0 : -1;
}

int fs_conformance(const char *name, const struct fs_conformance *implementation)
{
    const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        T(test_create_write_commit_read),
        T(test_empty_file),
        T(test_unknown_size),
        T(test_commit_replaces_and_only_then),
        T(test_commit_of_a_new_name_replaces_nothing),
        T(test_abort_leaves_the_old_one),
        T(test_a_reader_keeps_what_it_opened),
        T(test_reads_at_offsets),
        T(test_bad_names),
        T(test_odd_names),
        T(test_longest_name),
        T(test_what_is_not_there),
        T(test_files_are_not_directories),
        T(test_directories),
        T(test_many_entries_while_they_come),
        T(test_modes_and_times),
        T(test_extreme_times),
        T(test_read_only),
        T(test_remove_rmdir_rename),
        T(test_write_in_place),
        T(test_two_under_creation),
        T(test_created_files_hide),
        T(test_bad_handles),
        T(test_handles_run_out_and_come_back),
        T(test_links),
    };

    what = implementation;
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
