/* Paths without a file system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dory_path.h"

/* The components joined, or "refused". */
static const char *joined(const char *path, bool stay)
{
    static char out[256];
    struct dory_path_part part = {0};
    size_t at = 0, n = 0;
    int r;

    while ((r = dory_path_part(path, strlen(path), at, stay, &part)) == 1) {
        if (n)
            out[n++] = '/';
        memcpy(out + n, part.text, part.n);
        n += part.n;
        at = part.next;
    }
    if (n && part.slash)
        out[n++] = '+';
    out[n] = '\0';
    return r < 0 ? "refused" : out;
}

static void test_components(void **state)
{
    static const struct {
        const char *path, *stays, *refused;
    } table[] = {
        {"", "", ""},
        {"/", "", ""},
        {".", "", ""},
        {"//././/", "", ""},
        {"a", "a", "a"},
        {"/a//b/./c", "a/b/c", "a/b/c"},
        {"a/", "a+", "a+"},
        {"a/.", "a+", "a+"},
        {"a/..", "", ""},
        {"a/../b", "b", "b"},
        {"a/b/../../c/d/..", "c+", "c+"},
        {"..", "", "refused"},
        {"../x", "x", "refused"},
        {"/../x", "x", "refused"},
        {"a/../../x", "x", "refused"},
        {"x/../../../y/../../z", "z", "refused"},
        {"a/b/../../../..", "", "refused"},
        {"...", "...", "..."},
        {"a/..b/.c./..", "a/..b+", "a/..b+"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_string_equal(joined(table[i].path, true), table[i].stays);
        assert_string_equal(joined(table[i].path, false), table[i].refused);
    }
}

static void test_the_length_is_obeyed(void **state)
{
    struct dory_path_part part;

    (void)state;
    assert_int_equal(dory_path_part("ab/cd", 1, 0, true, &part), 1);
    assert_int_equal(part.n, 1);
    assert_true(part.last && !part.slash);
    assert_int_equal(dory_path_part("ab/cd", 2, 0, true, &part), 1);
    assert_true(part.n == 2 && part.last && !part.slash);
    assert_int_equal(dory_path_part("ab/cd", 3, 0, true, &part), 1);
    assert_true(part.n == 2 && part.last && part.slash);
    assert_int_equal(dory_path_part("ab/..", 4, 0, true, &part), 1);
    assert_true(part.n == 2 && part.last && part.slash);
}

static int calls, busy;

static int close_it(struct dory_fs *fs, int handle)
{
    assert_null(fs);
    assert_int_equal(handle, 7);
    return ++calls <= busy ? DORY_E_AGAIN : DORY_OK;
}

static void test_drop_asks_again_but_not_for_ever(void **state)
{
    (void)state;
    for (busy = 0; busy < 300; busy += 99) {
        int handle = 7;

        calls = 0;
        dory_fs_drop(NULL, close_it, &handle);
        assert_int_equal(handle, -1);
        assert_int_equal(calls, busy < 100 ? busy + 1 : 100);
        dory_fs_drop(NULL, close_it, &handle);
        assert_int_equal(calls, busy < 100 ? busy + 1 : 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_components),
        cmocka_unit_test(test_the_length_is_obeyed),
        cmocka_unit_test(test_drop_asks_again_but_not_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
