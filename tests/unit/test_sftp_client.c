/* SFTP's client engines against a peer of the tests' own, in every chunking and with every misbehaviour of file system and peer. */
#include "sftp_peer.h"

static struct dory_sftp_put put;
static struct dory_sftp_get get;
static struct sftp_peer peer;

static const size_t sizes[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
                               26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50,
                               51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 127, 1021, 4096, 65521};
#define N_SIZES (sizeof sizes / sizeof *sizes)

/* Here is end a, the host is end b. */
static void plant(struct scp_end *end)
{
    scp_fill(end, "/tree/empty", 0, 0600, 1000000001);
    scp_fill(end, "/tree/one", 1, 0644, 1000000002);
    scp_fill(end, "/tree/sub/block", 256, 0755, 1000000003);
    scp_fill(end, "/tree/sub/block+1", 257, 0444, 1);
    scp_fill(end, "/tree/sub/deep/er/more", 1000, 0711, 2147483648LL);
    scp_fill(end, "/tree/sub/deep/-odd name 'x\"$`*", 33, 0644, 4102444800LL);
    dory_ram_put(&end->disk.ram, "/tree/void", DORY_FS_DIR, 0700, NULL, 0);
    dory_ram_put(&end->disk.ram, "/tree/locked", DORY_FS_DIR, 0555, NULL, 0);
    scp_fill(end, "/tree/locked/in", 12, 0400, 99);
    for (int i = 0; i < SCP_KIT_NODES; i++)
        if (end->disk.nodes[i].type == DORY_FS_DIR) {
            end->disk.nodes[i].mtime = 1234500000 + i;
            end->disk.nodes[i].atime = 1234600000 + i;
        }
}

static struct dory_sftp_client_config config_of(unsigned flags, const char *path)
{
    return (struct dory_sftp_client_config){.fs = &scp_a.disk.ram.fs, .flags = flags, .path = path, .item = scp_a.config.item,
                                     .item_ctx = scp_a.config.item_ctx, .events = &scp_kit_events, .events_ctx = &scp_a.ear,
                                     .match = dory_scp_glob};
}

static struct dory_stream *begin_put(unsigned flags, const char *from, const char *to)
{
    struct dory_sftp_client_config config;

    scp_source(&scp_a, flags, from, NULL);
    config = config_of(flags, to);
    dory_sftp_put_init(&put, &config);
    return &put.base.stream;
}

static struct dory_stream *begin_get(unsigned flags, const char *from, const char *to)
{
    struct dory_sftp_client_config config;

    scp_sink(&scp_a, flags, to);
    config = config_of(flags, from);
    dory_sftp_get_init(&get, &config);
    return &get.base.stream;
}

static void reset(void)
{
    scp_kit_reset();
    sftp_peer_init(&peer, &scp_b.disk.ram);
}

static int setup(void **state)
{
    (void)state;
    reset();
    return 0;
}

static void assert_said(const char *messages, const char *errors)
{
    assert_string_equal(scp_a.ear.messages, messages);
    assert_string_equal(scp_a.ear.errors, errors);
}

static void assert_good(int status)
{
    assert_said("", "");
    assert_int_equal(status, 0);
    assert_int_equal(peer.handles_open, 0);
    assert_int_equal(scp_a.ear.good_ends, scp_a.ear.begins);
}

#define ALL (DORY_SFTP_RECURSE | DORY_SFTP_TIMES)

/* ---- whole trees */

static void test_tree_in_every_chunking(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SIZES; i++)
        for (size_t j = 0; j < 4; j++) {
            size_t up = sizes[i], down = sizes[(i * 7 + j * 17) % N_SIZES];

            reset();
            plant(&scp_a);
            assert_good(sftp_run(begin_put(ALL, "tree", "copy"), &peer, up, down));
            scp_assert_same_tree("/tree", "/copy", SCP_TREE_MODES | SCP_TREE_TIMES);
            assert_int_equal(scp_a.ear.begins, 7);

            reset();
            plant(&scp_b);
            peer.list_most = (unsigned)j;
            assert_good(sftp_run(begin_get(ALL, "tree", "copy"), &peer, up, down));
            scp_assert_same_tree("/copy", "/tree", SCP_TREE_MODES | SCP_TREE_TIMES);
            assert_int_equal(scp_a.ear.begins, 7);
        }
}

static void test_peers_of_all_kinds(void **state)
{
    static const size_t reads[] = {0, 1, 7, 100, 256};
    static const unsigned lists[] = {0, 1, 2, 3};

    (void)state;
    for (unsigned kind = 0; kind < 8; kind++)
        for (size_t i = 0; i < 5; i++)
            for (unsigned in_order = 0; in_order < 2; in_order++) {
                struct dory_stream *s;

                reset();
                plant(&scp_b);
                peer.plain = kind & 1;
                peer.bare = kind & 2;
                peer.backwards = kind & 4;
                peer.read_most = reads[i];
                peer.list_most = lists[i % 4];
                s = begin_get(ALL, "tree", "copy");
                get.base.config.in_order = in_order;
                assert_good(sftp_run(s, &peer, 0, 0));
                scp_assert_same_tree("/copy", "/tree", peer.bare ? 0 : SCP_TREE_MODES | SCP_TREE_TIMES);
            }
}

static void test_a_server_of_few_handles(void **state)
{
    char name[40];

    (void)state;
    for (unsigned up = 0; up < 2; up++)
        for (unsigned handles = 1; handles < 6; handles++) {
            if (!up && handles < 2)
                continue; /* the directory takes one */
            reset();
            for (int i = 0; i < 50; i++) {
                sprintf(name, "/d/f%d", i);
                scp_fill(up ? &scp_a : &scp_b, name, 300, 0644, 5);
            }
            peer.limit_handles = handles;
            assert_good(sftp_run(up ? begin_put(DORY_SFTP_RECURSE, "d", "c") : begin_get(DORY_SFTP_RECURSE, "d", "c"), &peer, 0, 0));
            scp_assert_same_tree(up ? "/d" : "/c", up ? "/c" : "/d", 0);
        }
}

/* However deep: a directory that was listed is closed before the next one is opened. */
static void test_a_deep_tree_at_a_server_of_two_handles(void **state)
{
    char path[200] = "/tree";

    (void)state;
    for (int i = 0; i < 30; i++) {
        char name[220];

        sprintf(name, "%s/before", path);
        scp_fill(&scp_b, name, 300, 0644, 5);
        strcat(path, "/d");
        sprintf(name, "%s/x", path);
        scp_fill(&scp_b, name, 10, 0644, 5);
    }
    for (unsigned most = 0; most < 4; most++) {
        peer.limit_handles = 2;
        peer.list_most = most;
        assert_good(sftp_run(begin_get(DORY_SFTP_RECURSE, "tree", most ? "again" : "copy"), &peer, 0, 0));
        scp_assert_same_tree(most ? "/again/tree" : "/copy", "/tree", 0);
        dory_ram_put(&scp_a.disk.ram, "/again", DORY_FS_DIR, 0755, NULL, 0);
    }
}

static void test_requests_of_the_size_that_the_host_takes(void **state)
{
    (void)state;
    scp_fill(&scp_a, "/f", 100000, 0644, 1);
    peer.limit_write = 1000;
    assert_good(sftp_run(begin_put(0, "f", "g"), &peer, 0, 0));
    assert_int_equal(peer.longest_write, 1000);
    assert_int_equal(peer.requests[6], 100);
    reset();
    scp_fill(&scp_b, "/f", 100000, 0644, 1);
    peer.limit_read = 1000;
    assert_good(sftp_run(begin_get(0, "f", "g"), &peer, 0, 0));
    assert_int_equal(peer.requests[5], 100);
}

/* A file system that minds the order: one file at a time, and each byte behind the one before. */
static uint64_t next_offset;
static unsigned created;

static int one_create(struct dory_fs *fs, int dir, const char *name, uint16_t mode, uint64_t size)
{
    assert_int_equal(created++, 0);
    next_offset = 0;
    return scp_b.disk.ram.fs.ops->create(fs, dir, name, mode, size);
}

static int one_commit(struct dory_fs *fs, int handle, unsigned set, const struct dory_fs_info *info)
{
    assert_int_equal(created--, 1);
    return scp_b.disk.ram.fs.ops->commit(fs, handle, set, info);
}

static int one_mkdir(struct dory_fs *fs, int dir, const char *name, uint16_t mode)
{
    assert_int_equal(created, 0);
    return scp_b.disk.ram.fs.ops->mkdir(fs, dir, name, mode);
}

static long one_write(struct dory_fs *fs, int handle, uint64_t offset, const uint8_t *buf, size_t n)
{
    long r = scp_b.disk.ram.fs.ops->write(fs, handle, offset, buf, n);

    assert_true(offset == next_offset);
    next_offset += (uint64_t)(r > 0 ? r : 0);
    return r;
}

static void test_in_order(void **state)
{
    static const size_t reads[] = {0, 1, 7, 100, 2000};
    struct dory_fs_ops ops;

    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (unsigned backwards = 0; backwards < 2; backwards++) {
            struct dory_stream *s;

            reset();
            plant(&scp_b);
            scp_fill(&scp_b, "/tree/large", reads[i] == 1 ? 400 : 200000, 0644, 1);
            ops = *scp_b.disk.ram.fs.ops;
            ops.create = one_create;
            ops.commit = one_commit;
            ops.mkdir = one_mkdir;
            ops.write = one_write;
            scp_a.disk.ram.fs.ops = &ops;
            created = 0;
            peer.read_most = reads[i];
            peer.backwards = backwards;
            s = begin_get(ALL, "tree", "copy");
            get.base.config.in_order = true;
            assert_good(sftp_run(s, &peer, 0, 0));
            scp_assert_same_tree("/copy", "/tree", SCP_TREE_MODES | SCP_TREE_TIMES);
        }
}

/* A host that gives less than it is asked for is soon asked for less, so that what was asked for ahead is not thrown away for ever. */
static void test_short_answers_teach(void **state)
{
    (void)state;
    for (unsigned in_order = 0; in_order < 2; in_order++) {
        struct dory_stream *s;

        reset();
        scp_fill(&scp_b, "/f", 900000, 0644, 1);
        peer.read_most = 2000;
        s = begin_get(0, "f", "g");
        get.base.config.in_order = in_order;
        assert_good(sftp_run(s, &peer, 0, 0));
        scp_assert_same_tree("/g", "/f", 0);
        assert_in_range(peer.requests[5], 450, in_order ? 1000 : 600);
    }
}

static void test_sizes_around_chunks(void **state)
{
    static const size_t lengths[] = {0, 1, 32767, 32768, 32769, 65536, 300000};

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t j = N_SIZES - 4; j < N_SIZES; j++) {
            reset();
            scp_fill(&scp_a, "/f", lengths[i], 0640, 77);
            assert_good(sftp_run(begin_put(DORY_SFTP_TIMES, "f", "g"), &peer, sizes[j], 0));
            scp_assert_same_tree("/f", "/g", SCP_TREE_MODES | SCP_TREE_TIMES);
            assert_good(sftp_run(begin_get(DORY_SFTP_TIMES, "g", "h"), &peer, sizes[j], sizes[N_SIZES - 1]));
            scp_assert_same_tree("/h", "/g", SCP_TREE_MODES | SCP_TREE_TIMES);
        }
}

/* ---- much at once */

/* What a client asks before any answer but those to `first` requests comes. */
static void test_a_long_link_is_filled(void **state)
{
    static uint8_t buf[1 << 18], more[70000];
    struct dory_stream *s;
    size_t n;

    (void)state;
    /* The size that a host tells is believed until its content is read. */
    scp_fill(&scp_b, "/f", 900000, 0644, 1);
    scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/f")].size = 100 << 20;
    scp_a.disk.ram.late_full = true;
    s = begin_get(0, "f", "g");
    for (int turn = 0; turn < 4; turn++) {
        sftp_peer_push(&peer, buf, s->ops->pull(s, buf, sizeof buf));
        if (peer.requests[5])
            break;
        while ((n = sftp_peer_pull(&peer, more, sizeof more)) > 0) s->ops->push(s, more, n);
    }
    assert_int_equal(peer.requests[5], 64);
    assert_int_equal(peer.read_asked, 64 * 32768);
    s->ops->stop(s);

    reset();
    scp_fill(&scp_a, "/f", 900000, 0644, 1);
    s = begin_put(0, "f", "g");
    for (int turn = 0; turn < 4 && !peer.requests[6]; turn++) {
        while ((n = s->ops->pull(s, buf, sizeof buf)) > 0) sftp_peer_push(&peer, buf, n);
        if (peer.requests[6])
            break;
        while ((n = sftp_peer_pull(&peer, more, sizeof more)) > 0) s->ops->push(s, more, n);
    }
    assert_int_equal(peer.requests[6], 900000 / 32768 + 1);
    assert_int_equal(peer.requests[4], 1); /* the close goes with them */
    s->ops->stop(s);
}

static void many(struct scp_end *end, int n)
{
    char name[40];

    for (int i = 0; i < n; i++) {
        sprintf(name, "/d/file%d", i);
        scp_fill(end, name, 1000, 0644, 5);
    }
}

/* Round trips: each turn all that was asked is answered. */
static unsigned round_trips(struct dory_stream *s)
{
    static uint8_t buf[1 << 18], more[1 << 18];
    unsigned turns = 0;
    size_t n;

    for (; s->ops->status(s) == DORY_E_AGAIN && turns < 2000; turns++) {
        while ((n = s->ops->pull(s, buf, sizeof buf)) > 0) sftp_peer_push(&peer, buf, n);
        while ((n = sftp_peer_pull(&peer, more, sizeof more)) > 0) s->ops->push(s, more, n);
    }
    assert_int_equal(s->ops->status(s), 0);
    return turns;
}

static void test_small_files_share_round_trips(void **state)
{
    (void)state;
    many(&scp_a, 320);
    assert_in_range(round_trips(begin_put(DORY_SFTP_RECURSE, "d", "c")), 20, 40);
    scp_assert_same_tree("/d", "/c", 0);
    assert_in_range(peer.handles_most, 2, 32);
    reset();
    many(&scp_b, 320);
    assert_in_range(round_trips(begin_get(DORY_SFTP_RECURSE, "d", "c")), 20, 40);
    scp_assert_same_tree("/c", "/d", 0);
    assert_int_equal(scp_a.ear.good_ends, 320);
}

/* ---- paths */

/* Those of one's own files go where -p sends them; what becomes of them there is the host's business. */
static void test_special_bits_go_up_with_times(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags <= DORY_SFTP_TIMES; flags += DORY_SFTP_TIMES) {
        reset();
        scp_fill(&scp_a, "/s", 10, 04711, 1);
        assert_good(sftp_run(begin_put(flags, "s", "there"), &peer, 0, 0));
        assert_int_equal(scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/there")].mode, flags ? 04711 : 0711);
    }
}

static void test_targets_of_put(void **state)
{
    (void)state;
    scp_put(&scp_a, "/f", "content");
    dory_ram_put(&scp_b.disk.ram, "/dir/sub", DORY_FS_DIR, 0755, NULL, 0);
    assert_good(sftp_run(begin_put(0, "f", "dir"), &peer, 0, 0));
    assert_string_equal(scp_content(&scp_b.disk.ram, "/dir/f"), "content");
    assert_good(sftp_run(begin_put(0, "f", "dir/sub/"), &peer, 0, 0));
    assert_string_equal(scp_content(&scp_b.disk.ram, "/dir/sub/f"), "content");
    assert_good(sftp_run(begin_put(0, "f", "dir/g"), &peer, 0, 0));
    assert_string_equal(scp_content(&scp_b.disk.ram, "/dir/g"), "content");
    assert_good(sftp_run(begin_put(0, "f", "."), &peer, 0, 0));
    assert_string_equal(scp_content(&scp_b.disk.ram, "/f"), "content");
    assert_good(sftp_run(begin_put(DORY_SFTP_DIR, "f", "dir/made"), &peer, 0, 0)); /* as OpenSSH's scp */
    assert_string_equal(scp_content(&scp_b.disk.ram, "/dir/made/f"), "content");
    peer.home = "/dir/sub";
    assert_good(sftp_run(begin_put(0, "f", "~/h"), &peer, 0, 0));
    assert_string_equal(scp_content(&scp_b.disk.ram, "/dir/sub/h"), "content");
    peer.plain = true;
    assert_good(sftp_run(begin_put(0, "f", "~/i"), &peer, 0, 0));
    assert_string_equal(scp_content(&scp_b.disk.ram, "/i"), "content");
}

static void test_targets_that_are_refused(void **state)
{
    (void)state;
    scp_put(&scp_a, "/f", "content");
    scp_put(&scp_a, "/tree/f", "content");
    scp_put(&scp_b, "/old", "old");
    assert_int_equal(sftp_run(begin_put(DORY_SFTP_DIR, "f", "old"), &peer, 0, 0), 1);
    assert_int_equal(sftp_run(begin_put(DORY_SFTP_DIR, "f", "none/dir"), &peer, 0, 0), 1);
    assert_int_equal(sftp_run(begin_put(0, "f", "none/f"), &peer, 0, 0), 1);
    assert_int_equal(sftp_run(begin_put(DORY_SFTP_RECURSE, "tree", "old"), &peer, 0, 0), 1);
    assert_int_equal(sftp_run(begin_put(0, "f", "~stranger/f"), &peer, 0, 0), 1);
    assert_int_equal(sftp_run(begin_put(0, "tree", "x"), &peer, 0, 0), 1);
    assert_said("old: Not a directory\nnone/dir: No such file or directory\nnone/f: No such file or directory\nold: Not a directory\n"
                "~stranger/f: No such file or directory\n",
                "tree: not a regular file\n");
    assert_string_equal(scp_content(&scp_b.disk.ram, "/old"), "old");
}

static void test_paths_of_get(void **state)
{
    (void)state;
    scp_put(&scp_b, "/home/f", "content");
    scp_put(&scp_b, "/home/sub/g", "inside");
    dory_ram_put(&scp_a.disk.ram, "/dst", DORY_FS_DIR, 0755, NULL, 0);
    assert_good(sftp_run(begin_get(0, "home/f", "dst"), &peer, 0, 0));
    assert_string_equal(scp_content(&scp_a.disk.ram, "/dst/f"), "content");
    assert_good(sftp_run(begin_get(0, "/home//f", "dst/new"), &peer, 0, 0));
    assert_string_equal(scp_content(&scp_a.disk.ram, "/dst/new"), "content");
    peer.home = "/home";
    assert_good(sftp_run(begin_get(0, "~/sub/g", "dst"), &peer, 0, 0));
    assert_string_equal(scp_content(&scp_a.disk.ram, "/dst/g"), "inside");
    assert_good(sftp_run(begin_get(DORY_SFTP_RECURSE, "~", "dst"), &peer, 0, 0));
    assert_string_equal(scp_content(&scp_a.disk.ram, "/dst/home/sub/g"), "inside");
    assert_good(sftp_run(begin_get(DORY_SFTP_RECURSE, "home/", "other"), &peer, 0, 0));
    assert_string_equal(scp_content(&scp_a.disk.ram, "/other/sub/g"), "inside");
    /* "." has no name of its own: what is in it goes into the target. */
    assert_good(sftp_run(begin_get(DORY_SFTP_RECURSE, ".", "dst"), &peer, 0, 0));
    assert_string_equal(scp_content(&scp_a.disk.ram, "/dst/home/f"), "content");
}

static void test_paths_of_get_that_are_refused(void **state)
{
    (void)state;
    scp_put(&scp_b, "/d/f", "content");
    scp_put(&scp_a, "/old", "old");
    assert_int_equal(sftp_run(begin_get(0, "none", "x"), &peer, 0, 0), 1);
    assert_int_equal(sftp_run(begin_get(0, "d", "x"), &peer, 0, 0), 1);
    assert_int_equal(sftp_run(begin_get(0, "d/f", "x/"), &peer, 0, 0), 1);
    assert_int_equal(sftp_run(begin_get(0, "d/f", "none/x"), &peer, 0, 0), 1);
    assert_int_equal(sftp_run(begin_get(DORY_SFTP_RECURSE, "d", "old"), &peer, 0, 0), 1);
    assert_int_equal(sftp_run(begin_get(DORY_SFTP_DIR, "d/f", "old"), &peer, 0, 0), 1);
    assert_said("none: No such file or directory\nd: not a regular file\n",
                "x/: Not a directory\nnone/x: No such file or directory\nold: Not a directory\nold: Not a directory\n");
    assert_int_equal(peer.handles_open, 0);
    assert_string_equal(scp_content(&scp_a.disk.ram, "/old"), "old");
}

static void glob(const char *pattern, const char *expected)
{
    char *tree, names[400];

    reset();
    scp_put(&scp_b, "/p/a1/x.txt", "1");
    scp_put(&scp_b, "/p/a1/y.txt", "2");
    scp_put(&scp_b, "/p/a2/x.txt", "3");
    scp_put(&scp_b, "/p/a2/.hidden.txt", "4");
    scp_put(&scp_b, "/p/b/z.txt", "5");
    scp_put(&scp_b, "/p/file", "6");
    scp_put(&scp_b, "/p/[x]", "7");
    scp_put(&scp_b, "/p/b/st*ar", "8");
    dory_ram_put(&scp_a.disk.ram, "/dst", DORY_FS_DIR, 0755, NULL, 0);
    assert_good(sftp_run(begin_get(DORY_SFTP_RECURSE, pattern, "dst"), &peer, 0, 0));
    tree = scp_tree(&scp_a.disk.ram, "/dst/", 0);
    *names = '\0';
    for (char *line = strtok(tree, "\n"); line; line = strtok(NULL, "\n")) {
        strncat(names, line, strcspn(line, " "));
        strcat(names, " ");
    }
    assert_string_equal(names, expected);
    free(tree);
}

static void test_globs(void **state)
{
    (void)state;
    glob("p/*/z.txt", "z.txt ");
    glob("p/a?/*.txt", "x.txt y.txt ");
    glob("p/a*", "a1 a1/x.txt a1/y.txt a2 a2/.hidden.txt a2/x.txt ");
    glob("p/a2/.h*", ".hidden.txt ");
    glob("p/[b]/st\\*a[r]", "st*ar ");
    glob("p/[x]", "[x] "); /* nothing matches the glob, so it is a name, as to a shell */
    glob("p/b/st\\*ar", "st*ar ");
    glob("p/b*/", "b b/st*ar b/z.txt ");
    glob("/p/f*", "file ");
    glob("~/p/f*", "file ");
}

static void test_globs_without_a_match(void **state)
{
    (void)state;
    scp_put(&scp_b, "/p/a", "1");
    scp_put(&scp_b, "/p/b", "2");
    assert_int_equal(sftp_run(begin_get(0, "p/*.txt", "x"), &peer, 0, 0), 1);
    assert_int_equal(sftp_run(begin_get(0, "q/*", "x"), &peer, 0, 0), 1);
    assert_said("p/*.txt: No such file or directory\nq/*: No such file or directory\n", "");
    /* More than one for a target that is one file. */
    assert_int_equal(sftp_run(begin_get(0, "p/*", "x"), &peer, 0, 0), 1);
    assert_int_equal(scp_a.ear.good_ends, 1);
    assert_int_equal(peer.handles_open, 0);
}

static void test_links_are_followed(void **state)
{
    (void)state;
    scp_put(&scp_b, "/elsewhere/f", "content");
    dory_ram_put(&scp_b.disk.ram, "/d/to-file", DORY_FS_LINK, 0777, "/elsewhere/f", 12);
    dory_ram_put(&scp_b.disk.ram, "/d/to-dir", DORY_FS_LINK, 0777, "/elsewhere", 10);
    dory_ram_put(&scp_b.disk.ram, "/d/broken", DORY_FS_LINK, 0777, "/nowhere", 8);
    scp_put(&scp_b, "/d/plain", "plain");
    assert_int_equal(sftp_run(begin_get(ALL, "d/[a-z]*", "."), &peer, 0, 0), 1);
    assert_said("d/broken: No such file or directory\n", "");
    assert_int_equal(sftp_run(begin_get(ALL, "d", "c"), &peer, 0, 0), 1);
    assert_string_equal(scp_content(&scp_a.disk.ram, "/c/plain"), "plain");
}

/* ---- misbehaviour */

/* Whatever happened: nothing is open, nothing nameless is left, and what was committed is whole. */
static void assert_clean(void)
{
    char *tree = scp_tree(&scp_a.disk.ram, "/copy", SCP_TREE_MODES), *whole = scp_tree(&scp_b.disk.ram, "/tree", SCP_TREE_MODES), *line;

    assert_int_equal(dory_ram_open_handles(&scp_a.disk.ram), 0);
    assert_int_equal(dory_ram_nameless(&scp_a.disk.ram), 0);
    assert_int_equal(scp_a.ear.begins, scp_a.ear.ends);
    for (line = strtok(tree, "\n"); line; line = strtok(NULL, "\n"))
        if (strstr(line, " 1 ")) {
            char *name = strdup(line), *mode = strstr(name, " 1 ");

            *mode = '\0';
            assert_non_null(strstr(whole, name));
            free(name);
        }
    free(tree);
    free(whole);
}

static void run_broken(bool up, size_t upward, size_t downward, int expected)
{
    int status = sftp_run(up ? begin_put(ALL, "tree", "copy") : begin_get(ALL, "tree", "copy"), &peer, upward, downward);

    if (expected == 1)
        assert_int_equal(status, 1);
    else
        assert_good(status);
}

static void test_busy_at_every_nth_call(void **state)
{
    (void)state;
    for (unsigned up = 0; up < 2; up++)
        for (unsigned n = 2; n < 40; n++) {
            reset();
            plant(up ? &scp_a : &scp_b);
            scp_a.disk.ram.busy_every = n;
            run_broken(up, 0, 0, 0);
            scp_assert_same_tree(up ? "/tree" : "/copy", up ? "/copy" : "/tree", SCP_TREE_MODES | SCP_TREE_TIMES);
        }
}

static void test_short_reads_and_writes(void **state)
{
    (void)state;
    for (unsigned up = 0; up < 2; up++)
        for (size_t bite = 1; bite < 40; bite++) {
            reset();
            plant(up ? &scp_a : &scp_b);
            scp_a.disk.ram.bite = bite;
            run_broken(up, 0, 0, 0);
            scp_assert_same_tree(up ? "/tree" : "/copy", up ? "/copy" : "/tree", SCP_TREE_MODES | SCP_TREE_TIMES);
        }
}

static void test_every_call_of_the_file_system_fails_once(void **state)
{
    (void)state;
    for (unsigned up = 0; up < 2; up++)
        for (unsigned long n = 1; n < 300; n++) {
            unsigned long calls;
            int status;

            reset();
            plant(up ? &scp_a : &scp_b);
            scp_a.disk.ram.fail_at = n;
            scp_a.disk.ram.fail_with = DORY_E_IO;
            status = sftp_run(up ? begin_put(ALL, "tree", "copy") : begin_get(ALL, "tree", "copy"), &peer, 0, 0);
            calls = scp_a.disk.ram.calls;
            if (n > calls) {
                assert_good(status);
                break;
            }
            /* A close or abort that fails loses nothing. */
            assert_true(status == 0 || status == 1);
            if (status)
                assert_true(*scp_a.ear.errors != '\0');
            assert_int_equal(peer.handles_open, 0);
            scp_a.disk.ram.fail_at = 0;
            if (!up && dory_ram_open_handles(&scp_a.disk.ram) == 0)
                assert_clean();
        }
}

static void test_every_request_is_refused_once(void **state)
{
    static const unsigned types[] = {3, 4, 5, 6, 9, 10, 11, 12, 14, 17, 200};
    static const unsigned codes[] = {2, 3, 4, 8, 77};

    (void)state;
    for (unsigned up = 0; up < 2; up++)
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
            for (unsigned skip = 0; skip < 9; skip++) {
                int status;

                reset();
                plant(up ? &scp_a : &scp_b);
                peer.refuse = types[i];
                peer.refuse_with = codes[(i + skip) % 5];
                peer.refuse_skip = skip;
                status = sftp_run(up ? begin_put(ALL, "tree", "copy") : begin_get(ALL, "tree", "copy"), &peer, 0, 0);
                assert_int_not_equal(status, DORY_E_AGAIN);
                if (status == 1)
                    assert_true(*scp_a.ear.messages != '\0');
                assert_int_equal(scp_a.ear.begins, scp_a.ear.ends);
                if (!up)
                    assert_clean();
                /* Without limits a copy goes on, and so it does where a handle could not be given back. */
                if (types[i] == 200 || (types[i] == 4 && !up) || peer.requests[types[i]] <= skip ||
                    (types[i] == 17 && up && !skip && codes[i % 5] == 2))
                    assert_int_equal(status, 0);
                else
                    assert_int_equal(status, 1);
            }
}

static void test_cut_at_every_byte(void **state)
{
    static uint8_t all[1 << 20], buf[70000];
    size_t total = 0;

    (void)state;
    for (unsigned up = 0; up < 2; up++)
        for (size_t cut = 0; cut == 0 || cut < total; cut += cut < 400 ? 1 : 37) {
            struct dory_stream *s;
            size_t given = 0, n;

            reset();
            plant(up ? &scp_a : &scp_b);
            s = up ? begin_put(ALL, "tree", "copy") : begin_get(ALL, "tree", "copy");
            while ((n = s->ops->pull(s, buf, sizeof buf)) > 0 || peer.out_n) {
                sftp_peer_push(&peer, buf, n);
                n = sftp_peer_pull(&peer, all, sizeof all);
                if (cut && given + n > cut)
                    n = cut - given;
                s->ops->push(s, all, n);
                given += n;
                if (cut && given == cut)
                    break;
            }
            if (!cut) {
                total = given;
                assert_int_equal(s->ops->status(s), 0);
                cut = 1;
                continue;
            }
            s->ops->eof(s);
            assert_int_equal(s->ops->status(s), 1);
            assert_string_equal(scp_a.ear.errors, "lost connection\n");
            s->ops->stop(s);
            assert_clean();
        }
}

/* Behind the end that was found there is nothing of this machine's memory. */
static bool sees_zeros(struct sftp_peer *p, unsigned type, uint32_t id, const uint8_t *body, size_t n)
{
    size_t at = type == 6 ? 8 + 8 + 4 : n;
    uint32_t offset = type == 6 ? (uint32_t)body[13] << 16 | (uint32_t)body[14] << 8 | body[15] : 0;

    (void)p, (void)id;
    for (; at < n; at++)
        assert_true(offset + at - 20 < 20000 || body[at] == 0);
    return false;
}

static void test_a_file_that_shrinks(void **state)
{
    int node;

    (void)state;
    scp_fill(&scp_a, "/f", 50000, 0644, 1);
    peer.answers = sees_zeros;
    node = dory_ram_find(&scp_a.disk.ram, "/f");
    {
        struct dory_stream *s = begin_put(0, "f", "g");
        static uint8_t buf[5000];
        size_t n;

        for (int i = 0; i < 200 && s->ops->status(s) == DORY_E_AGAIN; i++) {
            sftp_peer_push(&peer, buf, s->ops->pull(s, buf, sizeof buf));
            if (put.base.files[0].next)
                scp_a.disk.nodes[node].size = 20000;
            n = sftp_peer_pull(&peer, buf, sizeof buf);
            s->ops->push(s, buf, n);
        }
        assert_int_equal(s->ops->status(s), 1);
    }
    assert_said("", "f: file shrank while it was read\n");
    assert_int_equal(scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/g")].size, 20000);

    reset();
    scp_fill(&scp_b, "/f", 50000, 0644, 1);
    scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/f")].size = 50001;
    scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/f")].first = -1;
    scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/f")].size = 60000;
    assert_int_not_equal(sftp_run(begin_get(0, "f", "g"), &peer, 0, 0), DORY_E_AGAIN);
}

static void test_files_without_a_size(void **state)
{
    (void)state;
    scp_fill(&scp_b, "/f", 100000, 0644, 1);
    peer.bare = true;
    assert_good(sftp_run(begin_get(0, "f", "g"), &peer, 0, 0));
    scp_assert_same_tree("/g", "/f", 0);
}

static void test_full_disks(void **state)
{
    (void)state;
    scp_fill(&scp_b, "/f", SCP_KIT_BLOCKS * 256 - 600, 0644, 1);
    scp_fill(&scp_a, "/old", 100000, 0644, 1);
    for (unsigned late = 0; late < 2; late++) {
        scp_a.disk.ram.late_full = late;
        assert_int_equal(sftp_run(begin_get(0, "f", "old"), &peer, 0, 0), 1);
        assert_int_equal(dory_ram_nameless(&scp_a.disk.ram), 0);
        assert_int_equal(scp_a.disk.nodes[dory_ram_find(&scp_a.disk.ram, "/old")].size, 100000);
    }
    assert_said("", "old: No space left on device\nold: No space left on device\n");
    memset(scp_a.ear.errors, 0, sizeof scp_a.ear.errors);
    assert_int_equal(sftp_run(begin_put(0, "old", "g"), &peer, 0, 0), 1);
    assert_said("g: No space left on device (what is there now is incomplete)\n", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tree_in_every_chunking, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_peers_of_all_kinds, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_a_server_of_few_handles, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_a_deep_tree_at_a_server_of_two_handles, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_requests_of_the_size_that_the_host_takes, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_in_order, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_short_answers_teach, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_sizes_around_chunks, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_a_long_link_is_filled, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_small_files_share_round_trips, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_special_bits_go_up_with_times, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_targets_of_put, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_targets_that_are_refused, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_paths_of_get, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_paths_of_get_that_are_refused, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_globs, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_globs_without_a_match, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_links_are_followed, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_busy_at_every_nth_call, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_short_reads_and_writes, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_every_call_of_the_file_system_fails_once, setup, NULL),
        cmocka_unit_test_setup_teardown(test_every_request_is_refused_once, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_cut_at_every_byte, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_a_file_that_shrinks, setup, NULL),
        cmocka_unit_test_setup_teardown(test_files_without_a_size, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_full_disks, setup, scp_kit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
