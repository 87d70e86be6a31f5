/* From host to host through this machine: real engines on both sides, and source hosts that cheat. */
#include "scp_kit.h"
#include "scp_relay.h"

static struct dory_relay relay;
static char heard_from[1024], heard_to[1024], refused[256];

static void hear(void *ctx, const char *text, size_t n)
{
    strncat(ctx, text, n);
    strcat(ctx, "\n");
}

static void on_error(void *ctx, const char *path, const char *text)
{
    (void)ctx, (void)path;
    snprintf(refused, sizeof refused, "%s", text);
}

static const struct dory_transfer_events events = {.error = on_error};

static void begin(unsigned flags, const char *const *names, size_t count)
{
    const struct dory_relay_config config = {
        .flags = flags,
        .names = names,
        .name_count = count,
        .events = &events,
        .from_message = hear,
        .from_ctx = heard_from,
        .to_message = hear,
        .to_ctx = heard_to,
    };

    *heard_from = *heard_to = *refused = '\0';
    dory_relay_init(&relay, &config);
}

/* Moves up to `bite` bytes; what was not taken is offered again. */
static bool move(struct dory_stream *from, struct dory_stream *to, uint8_t *held, size_t *held_n, size_t bite)
{
    size_t took;

    if (!*held_n)
        *held_n = from->ops->pull(from, held, bite);
    if (!*held_n)
        return false;
    took = to->ops->push(to, held, *held_n);
    memmove(held, held + took, *held_n - took);
    *held_n -= took;
    return took > 0;
}

/* Source at a, sink at b, the relay between them. */
static int run(size_t bite)
{
    static uint8_t held[4][4096];
    size_t n[4] = {0};
    struct dory_stream *source = &scp_a.engine.stream, *sink = &scp_b.engine.stream;
    bool source_told = false, sink_told = false, moved;

    do {
        moved = move(source, &relay.from, held[0], &n[0], bite);
        moved |= move(&relay.to, sink, held[1], &n[1], bite);
        moved |= move(sink, &relay.to, held[2], &n[2], bite);
        moved |= move(&relay.from, source, held[3], &n[3], bite);
        if (moved)
            continue;
        if (!source_told && source->ops->status(source) != DORY_E_AGAIN) {
            relay.from.ops->eof(&relay.from);
            source_told = moved = true;
        } else if (!sink_told && relay.to.ops->status(&relay.to) != DORY_E_AGAIN) {
            sink->ops->eof(sink);
            source->ops->eof(source);
            sink_told = moved = true;
        }
    } while (moved);
    assert_int_not_equal(relay.from.ops->status(&relay.from), DORY_E_AGAIN);
    assert_int_equal(relay.from.ops->status(&relay.from), relay.to.ops->status(&relay.to));
    source->ops->stop(source);
    sink->ops->stop(sink);
    return relay.to.ops->status(&relay.to);
}

static void test_tree(void **state)
{
    static const char *const names[] = {"tree"};
    static const size_t bites[] = {1, 2, 3, 7, 100, 4096};

    (void)state;
    for (size_t i = 0; i < sizeof bites / sizeof *bites; i++) {
        scp_kit_reset();
        scp_fill(&scp_a, "tree/one", 1, 0640, 1000000000);
        scp_fill(&scp_a, "tree/none", 0, 0600, 1000000001);
        scp_fill(&scp_a, "tree/sub/much", 100000, 0644, 1000000002);
        assert_int_equal(scp_serve(&scp_a, "scp -r -p -f tree"), DORY_OK);
        assert_int_equal(scp_serve(&scp_b, "scp -r -p -t ."), DORY_OK);
        begin(DORY_SCP_RECURSE | DORY_SCP_TIMES, names, 1);
        assert_int_equal(run(bites[i]), 0);
        scp_assert_same_tree("tree", "tree", SCP_TREE_MODES | SCP_TREE_TIMES);
        assert_string_equal(refused, "");
    }
}

/* A file that the source host cannot read, one that the target host cannot write: the others arrive, the copy has failed. */
static void test_some_fail(void **state)
{
    static const char *const names[] = {"*"};

    (void)state;
    scp_kit_reset();
    scp_put(&scp_a, "a", "aaa");
    scp_put(&scp_a, "b", "bbb");
    scp_put(&scp_a, "c", "ccc");
    scp_put(&scp_b, "b/x", "a directory in the way");
    assert_int_equal(scp_serve(&scp_a, "scp -f a missing b c"), DORY_OK);
    assert_int_equal(scp_serve(&scp_b, "scp -d -t ."), DORY_OK);
    begin(0, names, 1);
    assert_int_equal(run(4096), 1);
    assert_string_equal(scp_content(&scp_b.disk.ram, "a"), "aaa");
    assert_string_equal(scp_content(&scp_b.disk.ram, "c"), "ccc");
    assert_non_null(strstr(heard_from, "missing"));
    assert_non_null(strstr(heard_to, "b"));
}

static void test_no_target(void **state)
{
    (void)state;
    scp_kit_reset();
    scp_put(&scp_a, "a", "aaa");
    assert_int_equal(scp_serve(&scp_a, "scp -f a"), DORY_OK);
    assert_int_equal(scp_serve(&scp_b, "scp -t none/x"), DORY_OK);
    begin(0, NULL, 0);
    assert_int_equal(run(4096), 1);
    assert_non_null(strstr(heard_to, "none/x"));
}

/* What a source host sends, after the target host has said that it is ready; the target host answers everything with 0. */
static void cheat(unsigned flags, const char *name, const char *bytes, size_t n, const char *said)
{
    const char *const names[] = {name};
    char passed[4096];
    size_t at = 0, got = 0;

    print_message("case: %.*s\n", (int)n, bytes);
    begin(flags, names, name ? 1 : 0);
    if (!name)
        relay.config.names = NULL;
    relay.to.ops->push(&relay.to, (const uint8_t *)"", 1);
    while (at < n && relay.state != UINT8_MAX) {
        size_t took = relay.from.ops->push(&relay.from, (const uint8_t *)bytes + at, n - at);
        size_t out = relay.to.ops->pull(&relay.to, (uint8_t *)passed + got, sizeof passed - 1 - got);

        got += out;
        at += took;
        if (!took && !out)
            break;
        if (out)
            relay.to.ops->push(&relay.to, (const uint8_t *)"", 1);
    }
    relay.from.ops->eof(&relay.from);
    passed[got] = '\0';
    assert_int_not_equal(relay.to.ops->status(&relay.to), DORY_E_AGAIN);
    if (!strstr(refused, said))
        fail_msg("'%s' does not say '%s'", refused, said);
    assert_null(strstr(passed, "evil"));
    if (*said)
        assert_int_equal(relay.to.ops->status(&relay.to), 1);
}

#define CHEAT(flags, name, text, said) cheat(flags, name, text, sizeof text - 1, said)

/* THREATS C10 and C1, C2, C5, C7, C9 in this role. */
static void test_cheats(void **state)
{
    static char endless[5000];

    (void)state;
    memset(endless, 'C', sizeof endless);
    CHEAT(0, "a", "C0644 1 evil\n", "not asked for");
    CHEAT(0, "a", "C0644 1 a\nx\0C0644 1 evil\n", "not asked for");
    CHEAT(0, "*.c", "C0644 1 evil\n", "not asked for");
    CHEAT(0, "a", "C0644 1 ../evil\n", "a name that is none");
    CHEAT(0, "*", "C0644 1 x/evil\n", "a name that is none");
    CHEAT(0, NULL, "C0644 1 /evil\n", "a name that is none");
    CHEAT(0, "*", "C0644 1 ..\n", "a name that is none");
    CHEAT(0, "*", "C0644 1 .\n", "a name that is none");
    CHEAT(0, "*", "C0644 1 \n", "a name that is none");
    CHEAT(0, "*", "C0644 1 a\0evil\n", "NUL");
    CHEAT(0, "a", "D0755 0 a\nC0644 1 evil\n", "-r was not given");
    CHEAT(1, "a", "E\nC0644 1 evil\n", "did not begin");
    CHEAT(1, "a", "D0755 0 a\nE\nE\n", "did not begin");
    CHEAT(1, "a", "D0755 0 evil\n", "not asked for");
    CHEAT(1, "/", "D0755 0 x\nE\nC0644 1 evil\n", "not asked for");
    CHEAT(0, "a", "C0644 -1 a\n", "bad size");
    CHEAT(0, "a", "C0644 +1 a\n", "bad size");
    CHEAT(0, "a", "C0644  1 a\n", "bad size");
    CHEAT(0, "a", "C0644 9223372036854775808 a\n", "bad size");
    CHEAT(0, "a", "C0684 1 a\n", "bad mode");
    CHEAT(0, "a", "C644 1 a\n", "bad mode");
    CHEAT(0, "a", "T1 0 1 0\n", "bad times");
    CHEAT(2, "a", "T-1 0 1 0\n", "bad times");
    CHEAT(2, "a", "T1 0 1 0\nT1 0 1 0\n", "bad times");
    CHEAT(0, "a", "X\n", "does not speak SCP");
    CHEAT(0, "a", "\n", "too long or empty");
    CHEAT(0, "a", "C0644 1 a\nxyz", "longer than announced");
    CHEAT(0, "a", "Last login: today\n", "does not speak SCP");
    cheat(0, "a", endless, sizeof endless, "too long");
    CHEAT(0, "a", "C0644 1 a\nx\0", ""); /* what is good stays good */
    assert_int_equal(relay.to.ops->status(&relay.to), 0);
}

/* setuid, setgid and sticky go to the target host with -p alone. */
static void test_special_bits(void **state)
{
    static const char *const names[] = {"a"};
    char passed[64];

    (void)state;
    for (unsigned flags = 0; flags <= (DORY_SCP_TIMES | DORY_SCP_RECURSE); flags++) {
        const char *record = flags & DORY_SCP_RECURSE ? "D7755 0 a\n" : "C6711 0 a\n";
        size_t n;

        begin(flags, names, 1);
        relay.to.ops->push(&relay.to, (const uint8_t *)"", 1);
        relay.from.ops->push(&relay.from, (const uint8_t *)record, strlen(record));
        n = relay.to.ops->pull(&relay.to, (uint8_t *)passed, sizeof passed - 1);
        passed[n] = '\0';
        if (flags & DORY_SCP_TIMES)
            assert_string_equal(passed, record);
        else
            assert_string_equal(passed, flags & DORY_SCP_RECURSE ? "D0755 0 a\n" : "C0711 0 a\n");
        relay.from.ops->stop(&relay.from);
        relay.to.ops->stop(&relay.to);
    }
}

static void test_cuts(void **state)
{
    static const char whole[] = "D0755 0 d\nC0644 3 f\nabc\0E\n";

    (void)state;
    for (size_t n = 1; n < sizeof whole - 1; n++) {
        cheat(DORY_SCP_RECURSE, "d", whole, n, "");
        assert_int_equal(relay.to.ops->status(&relay.to), 1);
    }
    cheat(DORY_SCP_RECURSE, "d", whole, sizeof whole - 1, "");
    assert_int_equal(relay.to.ops->status(&relay.to), 0);
}

/* The target host answers what nobody asked, or not in SCP. */
static void test_bad_target(void **state)
{
    static const char *const names[] = {"a"};

    (void)state;
    begin(0, names, 1);
    relay.to.ops->push(&relay.to, (const uint8_t *)"\0", 2);
    relay.to.ops->push(&relay.to, (const uint8_t *)"", 1);
    assert_non_null(strstr(refused, "reply to nothing"));
    begin(0, names, 1);
    relay.to.ops->push(&relay.to, (const uint8_t *)"Welcome!\n", 9);
    assert_non_null(strstr(refused, "target host does not speak SCP"));
    begin(0, names, 1);
    relay.to.ops->push(&relay.to, (const uint8_t *)"\002gone\n", 6);
    assert_string_equal(heard_to, "gone\n");
    assert_int_equal(relay.to.ops->status(&relay.to), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),       cmocka_unit_test(test_some_fail),    cmocka_unit_test(test_no_target),
        cmocka_unit_test(test_cheats),     cmocka_unit_test(test_special_bits), cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_bad_target),
    };

    return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
