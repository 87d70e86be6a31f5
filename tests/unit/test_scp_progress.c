/* The progress meter's line at every width, stage and script. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scp_progress.h"

#define MIB ((uint64_t)1 << 20)

static char line[2048];

static const char *show(const struct dory_progress *p, bool final, uint64_t now, int columns)
{
    dory_progress_line(p, final, now, columns, line, sizeof line);
    return line;
}

static void test_stages(void **state)
{
    struct dory_progress p;

    (void)state;
    dory_progress_begin(&p, "image.bin", 200 * MIB, 1000);
    assert_string_equal(show(&p, false, 1000, 60), "image.bin                   0%    0     0.0KB/s    --:-- ETA");
    for (uint64_t s = 1; s <= 10; s++) dory_progress_update(&p, s * 10 * MIB, 1000 + s * 1000);
    assert_string_equal(show(&p, false, 11000, 60), "image.bin                  50%  100MB  10.0MB/s    00:10 ETA");
    assert_string_equal(show(&p, false, 15500, 60), "image.bin                  50%  100MB  10.0MB/s    00:10 ETA");
    assert_string_equal(show(&p, false, 16000, 60), "image.bin                  50%  100MB  10.0MB/s - stalled - ");
    dory_progress_update(&p, 200 * MIB, 21000);
    assert_string_equal(show(&p, true, 21000, 60), "image.bin                 100%  200MB  10.0MB/s    00:20    ");
}

static void test_bounds(void **state)
{
    struct dory_progress p;

    (void)state;
    dory_progress_begin(&p, "x", 0, 0);
    assert_string_equal(show(&p, true, 0, 40), "x     100%    0     0.0KB/s    00:00    ");
    dory_progress_begin(&p, "x", UINT64_MAX, 0);
    dory_progress_update(&p, UINT64_MAX - 1, 1000);
    assert_string_equal(show(&p, false, 1000, 40), "x      99%   16EB  16.0EB/s    00:00 ETA");
    dory_progress_begin(&p, "x", 100000 * MIB, 0);
    dory_progress_update(&p, MIB / 1024, 1000);
    assert_string_equal(show(&p, false, 1000, 40), "x       0% 1024     1.0KB/s 99:59:59 ETA");
    dory_progress_update(&p, 9999, 2000);
    show(&p, false, 2000, 40);
    assert_non_null(strstr(line, " 9999  "));
    dory_progress_update(&p, 10240, 3000);
    assert_non_null(strstr(show(&p, false, 3000, 40), "   10KB "));
}

/* Exactly as wide as asked, from nothing to very wide; narrower than the figures: cut. */
static void test_widths(void **state)
{
    struct dory_progress p;

    (void)state;
    dory_progress_begin(&p, "a rather long name of a file that does not fit.tar.gz", 10 * MIB, 0);
    dory_progress_update(&p, 5 * MIB, 1000);
    for (int columns = 0; columns <= 300; columns++) assert_int_equal(strlen(show(&p, false, 1000, columns)), columns);
    assert_string_equal(show(&p, false, 1000, 45), "a rather l  50% 5120KB   5.0MB/s    00:01 ETA");
}

static void begin(struct dory_progress *p, const char *name)
{
    dory_progress_begin(p, name, 0, 0);
}

static void test_scripts(void **state)
{
    struct dory_progress p;
    size_t n;

    (void)state;
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        skip();
    begin(&p, "gr\303\274n");
    assert_memory_equal(show(&p, true, 0, 45), "gr\303\274n       100%", 16);
    begin(&p, "\346\227\245\346\234\254\350\252\236"); /* two columns each */
    assert_memory_equal(show(&p, true, 0, 40), "\346\227\245\346\234\254  100%", 12);
    assert_memory_equal(show(&p, true, 0, 41), "\346\227\245\346\234\254\350\252\236 100%", 14);
    begin(&p, "e\314\201"); /* a combining accent takes no column */
    assert_memory_equal(show(&p, true, 0, 40), "e\314\201     100%", 12);
    n = strlen("\346\227\245x");
    assert_int_equal(dory_progress_fit("\346\227\245x", &n, 2), 2);
    assert_int_equal(n, 3);
    n = strlen("\346\227\245x");
    assert_int_equal(dory_progress_fit("\346\227\245x", &n, 1), 0);
    assert_int_equal(n, 0);
}

static void test_foreign_bytes(void **state)
{
    struct dory_progress p;

    (void)state;
    setlocale(LC_CTYPE, "C");
    begin(&p, "a\033[31m\nb");
    show(&p, true, 0, 80);
    for (const char *c = line; *c; c++) assert_true(*c >= ' ' && *c < 0x7f);
    begin(&p, "gr\303\274n"); /* a locale that cannot show it */
    assert_memory_equal(show(&p, true, 0, 45), "gr?n       100%", 15);
    begin(&p, "\377\376x");
    show(&p, true, 0, 80);
    for (const char *c = line; *c; c++) assert_true(*c >= ' ' && *c < 0x7f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stages),  cmocka_unit_test(test_bounds),        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_scripts), cmocka_unit_test(test_foreign_bytes),
    };

    return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
