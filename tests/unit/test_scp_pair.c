/* Source wired to sink in memory, in every chunking and with every misbehaviour of the file system. */
#include "scp_kit.h"

static const size_t sizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 31, 127, 1021, 4096, 65521};
#define N_SIZES (sizeof sizes / sizeof *sizes)

static void plant(void)
{
    scp_fill(&scp_a, "/tree/empty", 0, 0600, 1000000001);
    scp_fill(&scp_a, "/tree/one", 1, 0644, 1000000002);
    scp_fill(&scp_a, "/tree/sub/block", 256, 0755, 1000000003);
    scp_fill(&scp_a, "/tree/sub/block+1", 257, 0444, 1);
    scp_fill(&scp_a, "/tree/sub/deep/er/more", 1000, 04711, 2147483648LL);
    scp_fill(&scp_a, "/tree/sub/deep/-odd name 'x\"$`", 33, 0644, 4102444800LL);
    dory_ram_put(&scp_a.disk.ram, "/tree/void", DORY_FS_DIR, 0700, NULL, 0);
    dory_ram_put(&scp_a.disk.ram, "/tree/locked", DORY_FS_DIR, 0555, NULL, 0);
    scp_fill(&scp_a, "/tree/locked/in", 12, 0400, 99);
    for (int i = 0; i < SCP_KIT_NODES; i++)
        if (scp_a.disk.nodes[i].type == DORY_FS_DIR) {
            scp_a.disk.nodes[i].mtime = 1234500000 + i;
            scp_a.disk.nodes[i].atime = 1234600000 + i;
        }
}

/* Both ways, as programs would: client source with `scp -t` served, and client sink with `scp -f` served. */
static void up(unsigned flags, const char *options, const char *from, const char *to, struct scp_wire *wire, int result[2])
{
    char line[256];

    snprintf(line, sizeof line, "scp %s -t -- %s", options, to);
    scp_source(&scp_a, flags, from, NULL);
    assert_int_equal(scp_serve(&scp_b, line), 0);
    scp_run(&scp_a, &scp_b, wire, result);
    dory_scp_command_stop(&scp_b.command);
}

static void down(unsigned flags, const char *options, const char *from, const char *to, const char *name, struct scp_wire *wire,
                 int result[2])
{
    const char *names[1] = {name};
    char line[256];

    snprintf(line, sizeof line, "scp %s -f -- %s", options, from);
    assert_int_equal(scp_serve(&scp_a, line), 0);
    scp_sink_names(&scp_b, flags, to, names, 1);
    scp_run(&scp_a, &scp_b, wire, result);
    dory_scp_command_stop(&scp_a.command);
}

static void assert_good(const int result[2])
{
    assert_string_equal(scp_a.ear.errors, "");
    assert_string_equal(scp_b.ear.errors, "");
    assert_string_equal(scp_a.ear.messages, "");
    assert_string_equal(scp_b.ear.messages, "");
    assert_int_equal(result[0], 0);
    assert_int_equal(result[1], 0);
    assert_int_equal(scp_a.ear.good_ends, scp_b.ear.good_ends);
}

static void test_tree_in_every_chunking(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SIZES; i++)
        for (size_t j = 0; j < N_SIZES; j++) {
            struct scp_wire wire = {.pull = sizes[i], .push = sizes[j]};
            int result[2];

            scp_kit_reset();
            plant();
            up(DORY_SCP_RECURSE | DORY_SCP_TIMES, "-r -p", "tree", "copy", &wire, result);
            assert_good(result);
            scp_assert_same_tree("/tree", "/copy", SCP_TREE_MODES | SCP_TREE_TIMES);
            assert_int_equal(scp_a.ear.begins, 7);

            memset(&scp_a.ear, 0, sizeof scp_a.ear);
            memset(&scp_b.ear, 0, sizeof scp_b.ear);
            down(DORY_SCP_RECURSE | DORY_SCP_TIMES, "-rp", "/tree", "again", "tree", &wire, result);
            assert_good(result);
            scp_assert_same_tree("/tree", "/again", SCP_TREE_MODES | SCP_TREE_TIMES);
        }
}

static void test_sizes_around_buffers(void **state)
{
    static const size_t lengths[] = {0, 1, 2, 255, 256, 257, 4095, 4096, 4097, 8192, 65535, 65536, 65537, 300000};

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t j = 10; j < N_SIZES; j++) {
            struct scp_wire wire = {.pull = sizes[j], .push = sizes[N_SIZES - 1 - j % 7]};
            int result[2];

            scp_kit_reset();
            scp_fill(&scp_a, "/d/f", lengths[i], 0640, 77);
            up(0, "", "d/f", "d", &wire, result);
            assert_good(result);
            scp_assert_same_tree("/d/f", "/d", SCP_TREE_MODES);
        }
}

static void test_short_reads_and_writes(void **state)
{
    (void)state;
    for (size_t bite = 1; bite < 40; bite++) {
        int result[2];

        scp_kit_reset();
        plant();
        scp_a.disk.ram.bite = bite;
        scp_b.disk.ram.bite = 41 - bite;
        up(DORY_SCP_RECURSE | DORY_SCP_TIMES, "-rp", "tree", "copy", NULL, result);
        assert_good(result);
        scp_assert_same_tree("/tree", "/copy", SCP_TREE_MODES | SCP_TREE_TIMES);
    }
}

static void test_busy_at_every_nth_call(void **state)
{
    (void)state;
    for (unsigned long n = 2; n < 60; n++) {
        int result[2];

        scp_kit_reset();
        plant();
        scp_a.disk.ram.busy_every = n;
        scp_b.disk.ram.busy_every = 62 - n;
        up(DORY_SCP_RECURSE | DORY_SCP_TIMES, "-rp", "tree", "copy", NULL, result);
        assert_good(result);
        scp_assert_same_tree("/tree", "/copy", SCP_TREE_MODES | SCP_TREE_TIMES);
        assert_int_equal(dory_ram_open_handles(&scp_a.disk.ram) + dory_ram_open_handles(&scp_b.disk.ram), 0);
    }
}

/* No file under a final name holds anything but the whole content. */
static void assert_whole_or_absent(const char *below_a, const char *below_b)
{
    char *a = scp_tree(&scp_a.disk.ram, below_a, 0), *b = scp_tree(&scp_b.disk.ram, below_b, 0);

    for (char *line = strtok(b, "\n"); line; line = strtok(NULL, "\n"))
        if (!strstr(a, line))
            fail_msg("not of the source: %s", line);
    free(a);
    free(b);
}

static void fail_each(unsigned which, int error)
{
    struct scp_end *end = which ? &scp_b : &scp_a;
    unsigned long calls;

    for (unsigned long n = 1;; n++) {
        int result[2];

        scp_kit_reset();
        plant();
        scp_put(&scp_a, "/tree/last", "the file after it");
        end->disk.ram.fail_at = n;
        end->disk.ram.fail_with = error;
        up(DORY_SCP_RECURSE | DORY_SCP_TIMES, "-rp", "tree", "copy", NULL, result);
        calls = end->disk.ram.calls;
        assert_int_equal(dory_ram_open_handles(&scp_a.disk.ram) + dory_ram_open_handles(&scp_b.disk.ram), 0);
        assert_int_equal(dory_ram_nameless(&scp_a.disk.ram) + dory_ram_nameless(&scp_b.disk.ram), 0);
        assert_whole_or_absent("/tree", "/copy");
        assert_null(strstr(scp_a.ear.messages, "protocol error"));
        assert_null(strstr(scp_b.ear.messages, "protocol error"));
        if (n > calls)
            break;
        /* A failed close of what was only read or entered is not an error; everything else shows on both sides. */
        assert_int_equal(result[0] != 0, result[1] != 0);
        if (result[0] == 0)
            scp_assert_same_tree("/tree", "/copy", SCP_TREE_MODES | SCP_TREE_TIMES);
    }
    assert_true(calls > 40);
}

static void test_each_call_of_the_source_fails(void **state)
{
    (void)state;
    fail_each(0, DORY_E_IO);
    fail_each(0, DORY_E_ACCESS);
    fail_each(0, DORY_E_NOENT);
}

static void test_each_call_of_the_sink_fails(void **state)
{
    (void)state;
    fail_each(1, DORY_E_IO);
    fail_each(1, DORY_E_NOSPC);
    fail_each(1, DORY_E_NOENT);
}

/* Cut at each byte: nothing partial, nothing left open. */
static void test_stop_at_each_byte(void **state)
{
    (void)state;
    for (size_t n = 0; n < 400; n++) {
        static uint8_t sent[1], got;
        struct dory_stream *a = &scp_a.engine.stream, *b = &scp_b.engine.stream;
        size_t moved = 0;

        scp_kit_reset();
        scp_fill(&scp_a, "/t/x", 100, 0644, 5);
        scp_fill(&scp_a, "/t/y/z", 3, 0644, 5);
        scp_put(&scp_b, "/c/x", "old");
        scp_source(&scp_a, DORY_SCP_RECURSE | DORY_SCP_TIMES, "t/x", "t", NULL);
        assert_int_equal(scp_serve(&scp_b, "scp -rpt c"), 0);
        for (unsigned idle = 0; moved < n && idle < 9;) {
            idle++;
            if (b->ops->pull(b, &got, 1))
                idle = 0, a->ops->push(a, &got, 1);
            if (a->ops->pull(a, sent, 1))
                idle = 0, moved++, b->ops->push(b, sent, 1);
        }
        a->ops->stop(a);
        if (n % 2)
            b->ops->eof(b), b->ops->pull(b, &got, 1), b->ops->pull(b, &got, 1);
        b->ops->stop(b);
        dory_scp_command_stop(&scp_b.command);
        assert_int_equal(dory_ram_open_handles(&scp_a.disk.ram) + dory_ram_open_handles(&scp_b.disk.ram), 0);
        assert_int_equal(dory_ram_nameless(&scp_b.disk.ram), 0);
        if (strcmp(scp_content(&scp_b.disk.ram, "/c/x"), "old") != 0)
            assert_int_equal(scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/c/x")].size, 100);
        assert_int_not_equal(a->ops->status(a), DORY_E_AGAIN);
        assert_int_not_equal(b->ops->status(b), DORY_E_AGAIN);
    }
}

static void test_several_sources_and_one_missing(void **state)
{
    int result[2];

    (void)state;
    scp_put(&scp_a, "/one", "1");
    scp_put(&scp_a, "/two", "2");
    dory_ram_put(&scp_b.disk.ram, "/d", DORY_FS_DIR, 0755, NULL, 0);
    scp_source(&scp_a, 0, "one", "gone/x", "gone", "/two", NULL);
    scp_serve(&scp_b, "scp -d -t d");
    scp_run(&scp_a, &scp_b, NULL, result);
    assert_string_equal(scp_content(&scp_b.disk.ram, "/d/one"), "1");
    assert_string_equal(scp_content(&scp_b.disk.ram, "/d/two"), "2");
    assert_string_equal(scp_a.ear.errors, "gone/x: No such file or directory\ngone: No such file or directory\n");
    assert_string_equal(scp_b.ear.messages, "scp: gone/x: No such file or directory\nscp: gone: No such file or directory\n");
    assert_int_equal(result[0], 1);
    assert_int_equal(result[1], 1);
}

static uint64_t new_size;

/* The file changes between its announcement and its first read. */
static void change_size(struct dory_ram_fs *ram, enum dory_ram_call which)
{
    struct dory_fs_info info = {.size = new_size};

    if (which != DORY_RAM_READ)
        return;
    ram->before = NULL;
    ram->fs.ops->setinfo(&ram->fs, scp_a.engine.source.base.file, DORY_FS_SET_SIZE, &info);
}

static void test_file_shrinks_and_grows(void **state)
{
    static const size_t now[] = {0, 10, 999, 1001, 3000};

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct scp_wire wire = {.pull = 64, .push = 64};
        int result[2];

        scp_kit_reset();
        scp_fill(&scp_a, "/f", 1000, 0644, 0);
        scp_put(&scp_a, "/g", "next");
        dory_ram_put(&scp_b.disk.ram, "/d", DORY_FS_DIR, 0755, NULL, 0);
        scp_source(&scp_a, 0, "f", "g", NULL);
        scp_sink(&scp_b, 0, "d");
        new_size = now[i];
        scp_a.disk.ram.before = change_size;
        scp_run(&scp_a, &scp_b, &wire, result);
        assert_string_equal(scp_content(&scp_b.disk.ram, "/d/g"), "next");
        assert_int_equal(dory_ram_find(&scp_b.disk.ram, "/d/f") >= 0, now[i] > 1000);
        assert_int_equal(result[0], now[i] < 1000);
        assert_int_equal(result[1], now[i] < 1000);
        if (now[i] < 1000)
            assert_string_equal(scp_b.ear.messages, "scp: f: file shrank while it was read\n");
    }
}

static void test_depth_limit_is_an_error_of_the_item(void **state)
{
    char path[1024] = "";
    int result[2];

    (void)state;
    for (int i = 0; i < DORY_SCP_DEPTH_MAX + 1; i++)
        strcat(path, "/d");
    strcat(path, "/f");
    scp_put(&scp_a, path, "too deep");
    scp_put(&scp_a, "/d/zz", "after it");
    up(DORY_SCP_RECURSE, "-r", "d", "copy", NULL, result);
    assert_int_equal(result[0], 1);
    assert_int_equal(result[1], 1);
    assert_non_null(strstr(scp_a.ear.errors, "directories nested too deep"));
    assert_string_equal(scp_content(&scp_b.disk.ram, "/copy/zz"), "after it");
}

static void test_loop_of_links_ends(void **state)
{
    int result[2];

    (void)state;
    scp_put(&scp_a, "/d/f", "x");
    dory_ram_put(&scp_a.disk.ram, "/d/loop", DORY_FS_LINK, 0777, ".", 1);
    up(DORY_SCP_RECURSE, "-r", "d", "copy", NULL, result);
    assert_int_equal(result[0], 1);
    assert_string_equal(scp_content(&scp_b.disk.ram, "/copy/loop/loop/f"), "x");
}

static void test_modes_without_p(void **state)
{
    int result[2], d;

    (void)state;
    scp_b.disk.ram.umask = 022;
    dory_ram_put(&scp_a.disk.ram, "/t", DORY_FS_DIR, 02577, NULL, 0);
    scp_fill(&scp_a, "/t/suid", 5, 06777, 5);
    scp_fill(&scp_a, "/t/ro", 5, 0444, 5);
    scp_put(&scp_b, "/c/ro", "old");
    up(DORY_SCP_RECURSE, "-r", "t", "new", NULL, result);
    assert_good(result);
    d = dory_ram_find(&scp_b.disk.ram, "/new");
    assert_int_equal(scp_b.disk.nodes[d].mode, 0555);
    assert_int_equal(scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/new/suid")].mode, 0755);
    assert_int_equal(scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/new/ro")].mode, 0444);
    up(0, "", "t/ro", "c", NULL, result);
    assert_int_equal(scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/c/ro")].mode, 0644);
}

static void test_existing_directory_takes_files_inside(void **state)
{
    int result[2];

    (void)state;
    plant();
    dory_ram_put(&scp_b.disk.ram, "/have/tree/void", DORY_FS_DIR, 0700, NULL, 0);
    up(DORY_SCP_RECURSE | DORY_SCP_TIMES, "-rp", "tree", "have", NULL, result);
    assert_good(result);
    scp_assert_same_tree("/tree", "/have/tree", SCP_TREE_MODES | SCP_TREE_TIMES);
}

static void test_the_root_itself(void **state)
{
    static const char *const ways[] = {".", "/", "~", "~/", "./", "a/.."};

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        const char *any[1] = {"/"};
        char line[64];
        int result[2];

        scp_kit_reset();
        plant();
        snprintf(line, sizeof line, "scp -r -f -- %s", ways[i]);
        assert_int_equal(scp_serve(&scp_a, line), 0);
        scp_sink_names(&scp_b, DORY_SCP_RECURSE, "all", any, 1);
        scp_run(&scp_a, &scp_b, NULL, result);
        assert_good(result);
        scp_assert_same_tree("/", "/all/", 0);
    }
}

static void test_newline_in_a_name(void **state)
{
    int result[2];

    (void)state;
    scp_put(&scp_a, "/t/a\nC0644 1 evil", "x");
    scp_put(&scp_a, "/t/no\nread", "y");
    scp_a.disk.nodes[dory_ram_find(&scp_a.disk.ram, "/t/no\nread")].mode = 0;
    scp_put(&scp_a, "/t/z", "z");
    up(DORY_SCP_RECURSE, "-r", "t", "c", NULL, result);
    assert_string_equal(scp_content(&scp_b.disk.ram, "/c/a\\^JC0644 1 evil"), "x");
    assert_string_equal(scp_content(&scp_b.disk.ram, "/c/z"), "z");
    assert_string_equal(scp_b.ear.messages, "scp: t/no?read: Permission denied\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, scp_kit_setup, scp_kit_teardown)
        T(test_tree_in_every_chunking),
        T(test_sizes_around_buffers),
        T(test_short_reads_and_writes),
        T(test_busy_at_every_nth_call),
        T(test_each_call_of_the_source_fails),
        T(test_each_call_of_the_sink_fails),
        T(test_stop_at_each_byte),
        T(test_several_sources_and_one_missing),
        T(test_file_shrinks_and_grows),
        T(test_depth_limit_is_an_error_of_the_item),
        T(test_loop_of_links_ends),
        T(test_modes_without_p),
        T(test_existing_directory_takes_files_inside),
        T(test_the_root_itself),
        T(test_newline_in_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
