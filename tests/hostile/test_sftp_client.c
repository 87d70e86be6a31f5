/* What a hostile SFTP server sends to a client (C1 to C8 of the list of threats, as far as SFTP has them). Each case is a server that behaves
 * but for one answer; it says what the person is told and what is on the disk afterwards: what was there before, and nothing else. */
#include "sftp_peer.h"

static struct dory_sftp_put put;
static struct dory_sftp_get get;
static struct sftp_peer peer;
static size_t at_once; /* bytes that the client is given in one go; 0: many */

/* The answer that is given in place of the right one, to the first request of a type. */
static struct {
    unsigned to, type;
    uint32_t id_more;
    uint8_t body[70000];
    size_t n;
    bool given;
} evil;

static bool answer_evil(struct sftp_peer *p, unsigned type, uint32_t id, const uint8_t *body, size_t n)
{
    (void)body, (void)n;
    if (type != evil.to || evil.given)
        return false;
    evil.given = true;
    sftp_peer_say(p, evil.type, id + evil.id_more, evil.body, evil.n);
    return true;
}

static void reset(void)
{
    int dir;

    at_once = 0;
    scp_kit_reset();
    sftp_peer_init(&peer, &scp_b.disk.ram);
    peer.answers = answer_evil;
    memset(&evil, 0, sizeof evil);
    scp_put(&scp_b, "/d/a", "content of a");
    scp_put(&scp_b, "/d/b", "content of b");
    scp_put(&scp_b, "/file", "content");
    scp_put(&scp_a, "/dst/kept", "kept");
    scp_put(&scp_a, "/outside", "outside");
    dir = dory_ram_find(&scp_a.disk.ram, "/dst");
    scp_a.disk.nodes[dir].mode = 0711;
    scp_a.disk.nodes[dir].mtime = 4242;
}

static int setup(void **state)
{
    (void)state;
    reset();
    return 0;
}

static void plan(unsigned to, unsigned type, const void *body, size_t n)
{
    reset();
    evil.to = to;
    evil.type = type;
    memcpy(evil.body, body, n);
    evil.n = n;
}

/* Fetches into the existing directory dst. */
static int fetch(unsigned flags, const char *path)
{
    struct dory_sftp_client_config config;

    scp_sink(&scp_a, flags, "dst");
    config = (struct dory_sftp_client_config){.fs = &scp_a.disk.ram.fs, .flags = flags, .path = path, .item = scp_a.config.item,
                                       .item_ctx = scp_a.config.item_ctx, .events = &scp_kit_events, .events_ctx = &scp_a.ear,
                                       .match = dory_scp_glob};
    dory_sftp_get_init(&get, &config);
    return sftp_run(&get.base.stream, &peer, 0, at_once);
}

static int send(unsigned flags, const char *from, const char *path)
{
    struct dory_sftp_client_config config;

    scp_source(&scp_a, flags, from, NULL);
    config = (struct dory_sftp_client_config){.fs = &scp_a.disk.ram.fs, .flags = flags, .path = path, .item = scp_a.config.item,
                                       .item_ctx = scp_a.config.item_ctx, .events = &scp_kit_events, .events_ctx = &scp_a.ear};
    dory_sftp_put_init(&put, &config);
    return sftp_run(&put.base.stream, &peer, 0, 0);
}

static void assert_untouched(void)
{
    char *tree = scp_tree(&scp_a.disk.ram, "/", SCP_TREE_MODES | SCP_TREE_TIMES);

    assert_string_equal(tree, "dst 2 0711 0 4242 0 00000000\n"
                              "dst/kept 1 0644 4 0 0 e8614759\n"
                              "outside 1 0644 7 0 0 c38eecc4\n");
    free(tree);
    assert_int_equal(dory_ram_open_handles(&scp_a.disk.ram), 0);
    assert_int_equal(dory_ram_nameless(&scp_a.disk.ram), 0);
    assert_int_equal(scp_a.ear.begins, scp_a.ear.ends);
}

static void assert_rejected(int status, const char *why)
{
    char expected[200];

    assert_int_equal(status, 1);
    snprintf(expected, sizeof expected, "protocol error: %s\n", why);
    assert_string_equal(scp_a.ear.errors, expected);
    assert_untouched();
}

static uint8_t *store(uint8_t *p, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8) *p++ = (uint8_t)(v >> shift);
    return p;
}

static uint8_t *store_bytes(uint8_t *p, const void *bytes, size_t n)
{
    p = store(p, (uint32_t)n);
    memcpy(p, bytes, n);
    return p + n;
}

/* An answer to SSH_FXP_READDIR with one name of a regular file, or of a directory. */
static void plan_name(const char *name, size_t n, uint32_t mode)
{
    uint8_t body[1000], *p = store(body, 1);

    p = store_bytes(p, name, n);
    p = store_bytes(p, "", 0);
    p = store(store(store(store(p, 4 | 1), 0), 1), mode);
    plan(12, PEER_NAME, body, (size_t)(p - body));
}

static void test_c1_names(void **state)
{
    static const struct {
        const char *name;
        size_t n;
    } bad[] = {{"", 0}, {"a/b", 3}, {"/", 1}, {"../outside", 10}, {"/outside", 8}, {"a\0b", 3}, {"..\0", 3}, {"a/", 2}};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (unsigned glob = 0; glob < 2; glob++)
            for (unsigned dir = 0; dir < 2; dir++) {
                plan_name(bad[i].name, bad[i].n, dir ? 0040755 : 0100644);
                if (glob) {
                    assert_rejected(fetch(DORY_SFTP_RECURSE, "d/*"), "the host listed a name that is none");
                    continue;
                }
                assert_int_equal(fetch(DORY_SFTP_RECURSE, "d"), 1);
                assert_string_equal(scp_a.ear.errors, "protocol error: the host listed a name that is none\n");
                assert_int_equal(scp_a.ear.begins, 0);
                assert_string_equal(scp_content(&scp_a.disk.ram, "/outside"), "outside");
            }
}

/* Every server lists these two; they are passed over and change nothing. */
static void test_c1_dots(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 3; i++) {
        plan_name("..", i, 0040777);
        assert_int_equal(fetch(DORY_SFTP_RECURSE | DORY_SFTP_TIMES, "d/*"), 0);
        assert_int_equal(dory_ram_find(&scp_a.disk.ram, "/dst/kept"), dory_ram_find(&scp_a.disk.ram, "/dst/kept"));
        assert_int_equal(scp_a.disk.nodes[dory_ram_find(&scp_a.disk.ram, "/dst")].mode, 0711);
    }
}

static void test_c1_a_name_too_long(void **state)
{
    char name[DORY_NAME_MAX + 2];

    (void)state;
    memset(name, 'n', sizeof name);
    plan_name(name, sizeof name - 1, 0100644);
    assert_int_equal(fetch(0, "d/*"), 1);
    assert_string_equal(scp_a.ear.messages, "d/: invalid or too long name\n");
    assert_string_equal(scp_content(&scp_a.disk.ram, "/dst/a"), "content of a");
}

/* A glob is matched here: what the host lists beside it is not fetched. */
static void test_c2_names_that_were_not_asked_for(void **state)
{
    static const char *const asked[] = {"d/*.txt", "d/a*", "d/?ile", "d/[!a]*"};
    static const char *const listed[] = {"evil.sh", "bashrc", ".ile", "authorized_keys"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        plan_name(listed[i], strlen(listed[i]), 0100644);
        fetch(DORY_SFTP_RECURSE, asked[i]);
        for (size_t j = 0; j < 4; j++) {
            char path[40];

            snprintf(path, sizeof path, "/dst/%s", listed[j]);
            assert_int_equal(dory_ram_find(&scp_a.disk.ram, path), DORY_E_NOENT);
        }
    }
}

/* A directory is said to be at its end, and then the answer to the client's second question for names still brings one. */
static bool names_behind_the_end(struct sftp_peer *p, unsigned type, uint32_t id, const uint8_t *body, size_t n)
{
    static unsigned asked;
    uint8_t out[100], *o = store(out, 1);

    if (type == 11)
        asked = n == 5 && !memcmp(body + 4, "d", 1) ? 1 : 0;
    if (type != 12 || !asked)
        return false;
    if (asked++ == 1) {
        sftp_peer_status(p, id, 1, "");
        return true;
    }
    o = store_bytes(store_bytes(o, "evil.sh", 7), "", 0);
    o = store(store(store(store(o, 4 | 1), 0), 4), 0100644);
    sftp_peer_say(p, PEER_NAME, id, out, (size_t)(o - out));
    return true;
}

/* It is not taken for one of the directory above, where a pattern has decided. */
static void test_c2_names_behind_the_end(void **state)
{
    (void)state;
    reset();
    scp_put(&scp_b, "/evil.sh", "evil");
    peer.answers = names_behind_the_end;
    at_once = 1;
    fetch(DORY_SFTP_RECURSE, "?");
    assert_int_equal(dory_ram_find(&scp_a.disk.ram, "/dst/evil.sh"), DORY_E_NOENT);
    assert_true(dory_ram_find(&scp_a.disk.ram, "/dst/d") >= 0);
}

/* A home directory of the host's choice gives one name, and a good one. */
static void test_c2_expanded_paths(void **state)
{
    static const char *const homes[] = {"/d/..", "..", "/", "/d/.", ""};

    (void)state;
    for (size_t i = 0; i < sizeof homes / sizeof *homes; i++) {
        reset();
        peer.home = homes[i];
        fetch(DORY_SFTP_TIMES, "~");
        assert_untouched();
    }
    reset();
    peer.home = "/file";
    assert_int_equal(fetch(0, "~"), 0);
    assert_string_equal(scp_content(&scp_a.disk.ram, "/dst/file"), "content");
}

static void test_c4_special_bits(void **state)
{
    int node;

    (void)state;
    for (unsigned flags = 0; flags <= (DORY_SFTP_TIMES | DORY_SFTP_RECURSE); flags++) {
        reset();
        scp_fill(&scp_b, "/s/s", 10, 07755, 1);
        scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/s")].mode = 07755;
        assert_int_equal(fetch(flags, flags & DORY_SFTP_RECURSE ? "s" : "s/s"), 0);
        node = dory_ram_find(&scp_a.disk.ram, flags & DORY_SFTP_RECURSE ? "/dst/s/s" : "/dst/s");
        assert_int_equal(scp_a.disk.nodes[node].mode, 0755);
        if (!(flags & DORY_SFTP_RECURSE))
            continue;
        node = dory_ram_find(&scp_a.disk.ram, "/dst/s");
        assert_int_equal(scp_a.disk.nodes[node].mode, flags & DORY_SFTP_TIMES ? 01755 : 0755);
    }
}

static void test_c5_a_directory_that_was_not_asked_for(void **state)
{
    (void)state;
    assert_int_equal(fetch(0, "d"), 1);
    assert_untouched();
    assert_int_equal(fetch(0, "*d*"), 1);
    assert_untouched();
    assert_string_equal(scp_a.ear.messages, "d: not a regular file\nd: not a regular file\n");
}

/* Each directory holds itself. */
static bool endless(struct sftp_peer *p, unsigned type, uint32_t id, const uint8_t *body, size_t n)
{
    uint8_t out[100], *o = store(out, 1);

    (void)body, (void)n;
    if (type == 17 || type == 11)
        return type == 17 ? (o = store(store(out, 4), 0040755), sftp_peer_say(p, PEER_ATTRS, id, out, 8), true)
                          : (sftp_peer_say(p, PEER_HANDLE, id, store_bytes(out, "h", 1) - 5, 5), true);
    if (type == 4)
        return sftp_peer_status(p, id, 0, ""), true;
    if (type != 12)
        return false;
    if (p->requests[12] % 2 == 0) {
        sftp_peer_status(p, id, 1, "");
        return true;
    }
    o = store_bytes(store_bytes(o, "d", 1), "", 0);
    o = store(store(o, 4), 0040755);
    sftp_peer_say(p, PEER_NAME, id, out, (size_t)(o - out));
    return true;
}

static void test_c5_depth(void **state)
{
    (void)state;
    peer.answers = endless;
    assert_int_equal(fetch(DORY_SFTP_RECURSE, "d"), 1);
    assert_non_null(strstr(scp_a.ear.errors, ": directories nested too deep\n"));
    assert_int_equal(dory_ram_open_handles(&scp_a.disk.ram), 0);
}

/* A link in the target is not followed by a directory, wherever it leads. */
static void test_c6_links_at_the_destination(void **state)
{
    (void)state;
    dory_ram_put(&scp_a.disk.ram, "/elsewhere", DORY_FS_DIR, 0755, NULL, 0);
    dory_ram_put(&scp_a.disk.ram, "/dst/d", DORY_FS_LINK, 0777, "/elsewhere", 10);
    assert_int_equal(fetch(DORY_SFTP_RECURSE, "d"), 1);
    assert_int_equal(dory_ram_find(&scp_a.disk.ram, "/elsewhere/a"), DORY_E_NOENT);
    assert_int_equal(scp_a.ear.begins, 0);
    assert_true(*scp_a.ear.errors != '\0');
}

static void test_c7_numbers(void **state)
{
    static const uint64_t huge[] = {(uint64_t)1 << 40, (uint64_t)1 << 63, UINT64_MAX};
    uint8_t body[100], *p;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        p = store(store(store(body, 1 | 4), (uint32_t)(huge[i] >> 32)), (uint32_t)huge[i]);
        p = store(p, 0100644);
        plan(17, PEER_ATTRS, body, (size_t)(p - body));
        assert_int_equal(fetch(0, "file"), 1);
        assert_untouched();
    }
}

static void test_c8_shorter_than_announced(void **state)
{
    (void)state;
    plan(17, PEER_ATTRS, "\0\0\0\5\0\0\0\0\0\0\0\x20\0\0\x81\xa4", 16); /* 32 bytes */
    assert_int_equal(fetch(0, "file"), 1);
    assert_untouched();
    assert_string_equal(scp_a.ear.messages, "file: file shrank while it was read\n");
}

static void test_c8_longer_than_asked(void **state)
{
    (void)state;
    plan(5, PEER_DATA, "\0\0\0\x8" "contents", 12);
    assert_rejected(fetch(0, "file"), "more content than was asked for");
    plan(5, PEER_DATA, "\0\0\0\x7" "contents", 12);
    assert_rejected(fetch(0, "file"), "malformed answer");
    plan(5, PEER_DATA, "\0\0\0\x9" "contents", 12);
    assert_rejected(fetch(0, "file"), "malformed answer");
    plan(5, PEER_DATA, "\xff\xff\xff\xff" "contents", 12);
    assert_rejected(fetch(0, "file"), "malformed answer");
    plan(5, PEER_DATA, "\0\0\0\0", 4);
    assert_rejected(fetch(0, "file"), "content without a byte");
    plan(5, PEER_DATA, "\0\0", 2);
    assert_rejected(fetch(0, "file"), "malformed answer");
}

/* ---- answers that are none */

static void test_answers_to_nothing(void **state)
{
    static const uint32_t more[] = {1, 0x100, 0x80, 0xffffff00};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        plan(5, PEER_DATA, "\0\0\0\x7" "content", 11);
        evil.id_more = more[i];
        assert_rejected(fetch(0, "file"), "an answer to nothing");
    }
}

static bool twice(struct sftp_peer *p, unsigned type, uint32_t id, const uint8_t *body, size_t n)
{
    (void)body, (void)n;
    if (type == 17)
        sftp_peer_say(p, PEER_ATTRS, id, "\0\0\0\4\0\0\x81\xa4", 8);
    return false;
}

static void test_an_answer_that_comes_twice(void **state)
{
    (void)state;
    peer.answers = twice;
    assert_rejected(fetch(0, "file"), "an answer to nothing");
}

static void test_answers_of_the_wrong_kind(void **state)
{
    static const unsigned asked[] = {3, 5, 17, 12, 11};
    static const struct {
        unsigned type;
        const char *body;
        size_t n;
    } answers[] = {{PEER_HANDLE, "\0\0\0\1h", 5}, {PEER_DATA, "\0\0\0\1h", 5}, {PEER_NAME, "\0\0\0\1\0\0\0\1n\0\0\0\0\0\0\0\0", 17},
                   {PEER_ATTRS, "\0\0\0\0", 4}, {PEER_STATUS, "\0\0\0\0\0\0\0\0\0\0\0\0", 12}, {PEER_EXTENDED_REPLY, "", 0},
                   {2, "\0\0\0\3", 4}, {1, "", 0}, {5, "\0\0\0\1h", 5}, {200, "", 0}, {255, "", 0}, {0, "", 0}};
    static const unsigned good[] = {PEER_HANDLE, PEER_DATA, PEER_ATTRS, PEER_NAME, PEER_HANDLE};

    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < sizeof answers / sizeof *answers; j++) {
            if (answers[j].type == good[i])
                continue;
            plan(asked[i], answers[j].type, answers[j].body, answers[j].n);
            assert_int_equal(fetch(DORY_SFTP_RECURSE, i < 3 ? "file" : "d"), 1);
            assert_true(!strcmp(scp_a.ear.errors, "protocol error: an answer of the wrong kind\n") ||
                        !strcmp(scp_a.ear.errors, "protocol error: malformed answer\n"));
            assert_int_equal(scp_a.ear.good_ends, 0);
            assert_int_equal(dory_ram_open_handles(&scp_a.disk.ram), 0);
            assert_int_equal(dory_ram_nameless(&scp_a.disk.ram), 0);
        }
}

static void test_handles(void **state)
{
    static uint8_t body[400];

    (void)state;
    for (uint32_t n = 0; n < 300; n += n == 256 ? 1 : n ? 43 : 256) {
        store(body, n);
        plan(3, PEER_HANDLE, body, 4 + n);
        if (n == 256) /* good, but the test's server does not know it */
            continue;
        if (n == 0 || n > 256)
            assert_rejected(fetch(0, "file"), "the host gave a handle that is none");
    }
    plan(3, PEER_HANDLE, "\0\0\1\1h", 5);
    assert_rejected(fetch(0, "file"), "malformed answer");
    plan(3, PEER_HANDLE, "\xff\xff\xff\xffh", 5);
    assert_rejected(fetch(0, "file"), "malformed answer");
}

static void test_counts(void **state)
{
    (void)state;
    plan(12, PEER_NAME, "\xff\xff\xff\xff\0\0\0\1a\0\0\0\0\0\0\0\0", 17);
    assert_int_equal(fetch(0, "d/*"), 1);
    assert_string_equal(scp_a.ear.errors, "protocol error: malformed answer\n");
    assert_untouched();
    plan(12, PEER_NAME, "\0\0\0\1\0\0\0\1a\0\0\0\0\0\0\0\0more", 21);
    assert_rejected(fetch(0, "d/*"), "malformed answer");
    plan(12, PEER_NAME, "\0\0\0\1\xff\xff\xff\xff" "a\0\0\0\0\0\0\0\0", 17);
    assert_rejected(fetch(0, "d/*"), "malformed answer");
    /* 2^32-1 extended attributes */
    plan(12, PEER_NAME, "\0\0\0\1\0\0\0\1a\0\0\0\0\x80\0\0\0\xff\xff\xff\xff", 21);
    assert_rejected(fetch(0, "d/*"), "malformed answer");
    plan(17, PEER_ATTRS, "\x80\0\0\0\xff\xff\xff\xff", 8);
    assert_rejected(fetch(0, "file"), "malformed answer");
}

/* Answers of 256 KiB with the shortest names there are, to each of the first requests. */
static bool crowd(struct sftp_peer *p, unsigned type, uint32_t id, const uint8_t *body, size_t n)
{
    static uint8_t out[4 + 13 * 20160];

    (void)body, (void)n;
    if (type != 12 || p->requests[12] > 4)
        return false;
    store(out, 20160);
    for (int i = 0; i < 20160; i++) memcpy(out + 4 + 13 * i, "\0\0\0\1q\0\0\0\0\0\0\0\0", 13);
    sftp_peer_say(p, PEER_NAME, id, out, sizeof out);
    return true;
}

/* More names than there is room for: told once, and those that were kept are asked for. */
static void test_a_listing_without_end(void **state)
{
    (void)state;
    peer.answers = crowd;
    assert_int_equal(fetch(DORY_SFTP_RECURSE, "d"), 1);
    assert_non_null(strstr(scp_a.ear.messages, "a directory too large to list\n"));
    assert_null(strstr(strstr(scp_a.ear.messages, "too large") + 1, "too large"));
    assert_in_range(peer.requests[17], 20160, 60000);
    assert_string_equal(scp_content(&scp_a.disk.ram, "/dst/d/q"), "(none)");
}

static void test_lengths(void **state)
{
    static const char bad[][10] = {"\0\0\0\0", "\0\0\0\1\x65", "\0\0\0\4\x65\0\0\0", "\0\4\0\1\x65\0\0\0\0", "\xff\xff\xff\xff\x65\0\0\0\0",
                                  "\x7f\xff\xff\xff\x67\0\0\0\0"};
    static uint8_t buf[70000];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct dory_stream *s = &get.base.stream;
        size_t n;

        reset();
        fetch(0, "none");
        memset(&scp_a.ear, 0, sizeof scp_a.ear);
        reset();
        scp_sink(&scp_a, 0, "dst");
        dory_sftp_get_init(&get, &(struct dory_sftp_client_config){.fs = &scp_a.disk.ram.fs, .path = "file", .item = scp_a.config.item,
                                                             .item_ctx = scp_a.config.item_ctx, .events = &scp_kit_events,
                                                             .events_ctx = &scp_a.ear});
        for (int turn = 0; turn < 2; turn++) {
            while ((n = s->ops->pull(s, buf, sizeof buf)) > 0) sftp_peer_push(&peer, buf, n);
            n = sftp_peer_pull(&peer, buf, sizeof buf);
            s->ops->push(s, buf, n);
        }
        s->ops->push(s, (const uint8_t *)bad[i], 9);
        assert_rejected(s->ops->status(s), "malformed answer");
        s->ops->stop(s);
    }
}

static void test_what_is_not_sftp(void **state)
{
    static const char *const said[] = {"Welcome to the machine\n", "\0\0\0\5\2\0\0\0\2", "\0\0\0\5\2\0\0\0\4", "\0\0\0\4\2\0\0\3",
                                       "\0\0\0\5\x65\0\0\0\3", "\0\0\0\x9\2\0\0\0\3\0\0\0\x9x"};
    static const size_t n[] = {23, 9, 9, 8, 9, 14};
    static const char *const why[] = {"the host does not speak SFTP; a login script that prints something can be the cause",
                                      "the host speaks another version of SFTP than 3"};
    static const unsigned which[] = {0, 1, 1, 0, 0, 2};

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct dory_stream *s = &get.base.stream;
        static uint8_t buf[1000];

        reset();
        scp_sink(&scp_a, 0, "dst");
        dory_sftp_get_init(&get, &(struct dory_sftp_client_config){.fs = &scp_a.disk.ram.fs, .path = "file", .item = scp_a.config.item,
                                                             .item_ctx = scp_a.config.item_ctx, .events = &scp_kit_events,
                                                             .events_ctx = &scp_a.ear});
        while (s->ops->pull(s, buf, sizeof buf)) continue;
        s->ops->push(s, (const uint8_t *)said[i], n[i]);
        if (which[i] == 0 && n[i] < 9)
            s->ops->push(s, (const uint8_t *)"x", 1);
        assert_rejected(s->ops->status(s), which[i] == 2 ? "malformed answer" : why[which[i]]);
        s->ops->stop(s);
    }
}

/* ---- sending to a hostile server: what it says changes nothing here, and ends in order */

static void test_every_answer_to_an_upload_is_turned(void **state)
{
    static const unsigned asked[] = {3, 6, 4, 10, 14, 9, 17};

    (void)state;
    for (size_t i = 0; i < 7; i++)
        for (unsigned type = 0; type < 256; type++) {
            if (asked[i] == 3 && type == PEER_HANDLE) /* a good answer, but the test's server does not know the handle */
                continue;
            plan(asked[i], type, "\0\0\0\4\0\0\0\1x\0\0\0\0\0\0\0\0", 17);
            assert_int_equal(send(DORY_SFTP_RECURSE | DORY_SFTP_TIMES, "dst", "new") & ~1, 0);
            assert_untouched();
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_c1_names, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_c1_dots, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_c1_a_name_too_long, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_c2_names_that_were_not_asked_for, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_c2_names_behind_the_end, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_c2_expanded_paths, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_c4_special_bits, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_c5_a_directory_that_was_not_asked_for, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_c5_depth, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_c6_links_at_the_destination, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_c7_numbers, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_c8_shorter_than_announced, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_c8_longer_than_asked, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_answers_to_nothing, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_an_answer_that_comes_twice, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_answers_of_the_wrong_kind, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_handles, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_counts, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_a_listing_without_end, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_lengths, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_not_sftp, setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_every_answer_to_an_upload_is_turned, setup, scp_kit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
