/* What a remote scp's first bytes are told from, however they are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "scp_sniff.h"

static const char only[] = "This service allows sftp connections only.";

/* An engine that remembers what it was given and takes `most` bytes at once. */
static struct {
    struct dory_stream stream;
    char got[200];
    size_t n, most;
    int ends, stops;
} inner;

static size_t push(struct dory_stream *stream, const uint8_t *bytes, size_t n)
{
    (void)stream;
    if (inner.most && n > inner.most)
        n = inner.most;
    memcpy(inner.got + inner.n, bytes, n);
    inner.n += n;
    return n;
}

static size_t pull(struct dory_stream *stream, uint8_t *buf, size_t cap)
{
    (void)stream, (void)buf, (void)cap;
    return 0;
}

static void eof(struct dory_stream *stream)
{
    (void)stream;
    inner.ends++;
}

static void stop(struct dory_stream *stream)
{
    (void)stream;
    inner.stops++;
}

static int status(const struct dory_stream *stream)
{
    (void)stream;
    return DORY_E_AGAIN;
}

static const struct dory_stream_ops ops = {.push = push, .pull = pull, .eof = eof, .stop = stop, .status = status};

static struct dory_sniff sniff;

static void begin(size_t most)
{
    memset(&inner, 0, sizeof inner);
    inner.stream.ops = &ops;
    inner.most = most;
    dory_sniff_init(&sniff, &inner.stream);
}

static void say(const char *text, size_t n, size_t bite)
{
    struct dory_stream *s = &sniff.stream;

    for (size_t at = 0, idle = 0; at < n && idle < 5;) {
        size_t part = bite < n - at ? bite : n - at, took = s->ops->push(s, (const uint8_t *)text + at, part);

        assert_true(took <= part);
        at += took;
        idle = took ? 0 : idle + 1;
    }
}

static void test_the_refusal_in_every_cut(void **state)
{
    (void)state;
    for (size_t bite = 1; bite < sizeof only + 2; bite++) {
        begin(0);
        say("This service allows sftp connections only.\n", sizeof only, bite);
        assert_true(sniff.sftp_only);
        assert_int_equal(inner.n, 0);
        assert_int_equal(sniff.stream.ops->status(&sniff.stream), 1);
        assert_true(dory_sniff_no_scp(&sniff, false, 1, ""));
        dory_sniff_end(&sniff, true);
        assert_int_equal(inner.ends, 0);
        assert_int_equal(inner.stops, 1);
    }
}

/* What only begins like it goes to the engine as it came. */
static void test_all_else_passes_in_every_cut(void **state)
{
    (void)state;
    for (size_t same = 0; same < sizeof only - 1; same++)
        for (size_t bite = 1; bite < 60; bite++)
            for (size_t most = 0; most < 4; most++) {
                char text[100];

                memcpy(text, only, same);
                strcpy(text + same, "\001 1234 0 5678 0\nC0644 5 x\n");
                begin(most);
                say(text, strlen(text), bite);
                assert_true(sniff.spoke);
                assert_int_equal(inner.n, strlen(text));
                assert_memory_equal(inner.got, text, inner.n);
                assert_false(dory_sniff_no_scp(&sniff, false, 127, "not found"));
            }
}

static void test_a_beginning_of_it_that_is_all(void **state)
{
    (void)state;
    begin(0);
    say("T", 1, 1);
    sniff.stream.ops->eof(&sniff.stream);
    sniff.stream.ops->stop(&sniff.stream);
    assert_int_equal(inner.ends + inner.stops, 0);
    assert_false(dory_sniff_no_scp(&sniff, false, 0, ""));
    dory_sniff_end(&sniff, false);
    assert_int_equal(inner.n, 1);
    assert_int_equal(inner.got[0], 'T');
    assert_int_equal(inner.ends, 1);
    assert_int_equal(inner.stops, 1);
}

static void test_ends_without_a_word(void **state)
{
    (void)state;
    begin(0);
    assert_true(dory_sniff_no_scp(&sniff, true, -1, ""));
    assert_true(dory_sniff_no_scp(&sniff, false, 127, ""));
    assert_true(dory_sniff_no_scp(&sniff, false, 1, "scp: Command not found.\n"));
    assert_true(dory_sniff_no_scp(&sniff, false, 1, "'scp' is not recognized as an internal or external command\n"));
    assert_true(dory_sniff_no_scp(&sniff, false, 1, "This service allows sftp connections only.\n"));
    assert_false(dory_sniff_no_scp(&sniff, false, 1, "scp: x: Permission denied\n"));
    assert_false(dory_sniff_no_scp(&sniff, false, 0, ""));
    assert_false(dory_sniff_no_scp(&sniff, false, -1, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_refusal_in_every_cut),
        cmocka_unit_test(test_all_else_passes_in_every_cut),
        cmocka_unit_test(test_a_beginning_of_it_that_is_all),
        cmocka_unit_test(test_ends_without_a_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
