/* Globs, paths and command lines. */
#include "scp_kit.h"

static void test_glob(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool match;
    } cases[] = {
        {"a", "a", true}, {"a", "b", false}, {"a", "", false}, {"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "abc", true},
        {"*", ".a", false}, {".*", ".a", true}, {"?a", ".a", false}, {"[.]a", ".a", false}, {"\\.a", ".a", true}, {"*.c", "x.c", true},
        {"*.c", ".c", false}, {"*.c", "x.cc", false}, {"a*b*c", "aXbYbZc", true}, {"a*b*c", "aXbYbZ", false}, {"**", "x", true},
        {"*a*", "bab", true}, {"*ab", "aab", true}, {"?", "a", true}, {"?", "", false}, {"?", "ab", false}, {"??", "ab", true},
        {"?", "\xc3\xa4", true}, {"x?y", "x\xe2\x82\xacy", true}, {"??", "\xc3\xa4", false}, {"[abc]", "b", true}, {"[abc]", "d", false},
        {"[a-c]x", "bx", true}, {"[a-c]x", "dx", false}, {"[!a-c]", "d", true}, {"[!a-c]", "b", false}, {"[^a]", "b", true},
        {"[]]", "]", true}, {"[!]]", "]", false}, {"[]-a]", "^", true}, {"[a-]", "-", true}, {"[-a]", "-", true}, {"[a\\-c]", "b", false},
        {"[\\]]", "]", true}, {"[a", "[a", true}, {"[a", "a", false}, {"[", "[", true}, {"x[", "x[", true}, {"[a-", "[a-", true},
        {"[!", "[!", true}, {"[]", "[]", true}, {"\\*", "*", true}, {"\\*", "a", false}, {"\\?", "?", true}, {"\\[a]", "[a]", true},
        {"a\\", "a\\", true}, {"\\\\", "\\", true}, {"[\\", "[\\", true}, {"*[0-9]", "a10", true}, {"[\x80-\xff]*", "\xc3\xa4", true},
        {"a*", "a", true}, {"*a", "a", true}, {"*?", "a", true}, {"*?", "", false}, {"[[]", "[", true}, {"*]", "a]", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (dory_scp_glob(cases[i].pattern, cases[i].name) != cases[i].match)
            fail_msg("%s against %s", cases[i].pattern, cases[i].name);
}

static void test_glob_is_not_exponential(void **state)
{
    char name[201], pattern[201];

    (void)state;
    memset(name, 'a', 200);
    name[200] = '\0';
    for (int i = 0; i < 198; i += 2)
        memcpy(pattern + i, "*a", 2);
    strcpy(pattern + 198, "*b");
    assert_false(dory_scp_glob(pattern, name));
}

/* What a path gives, as "dirs/name" a line: the directory is told by what it lists, through a file of its own name in it. */
static const char *items(const char *word, bool literal)
{
    static char text[2 * DORY_SCP_PATH_MAX];
    static struct dory_scp_path path;
    struct dory_fs *fs = &scp_a.disk.ram.fs;
    int r;

    *text = '\0';
    dory_scp_path_begin(&path, fs, word, literal);
    for (;;) {
        struct dory_transfer_item item = {.dir = -1};
        size_t at = strlen(text);

        r = dory_scp_path_next(&path, &item);
        if (r == 0)
            break;
        if (r < 0) {
            snprintf(text + at, sizeof text - at, "%s: %s\n", item.path, dory_strerror(r));
            continue;
        }
        snprintf(text + at, sizeof text - at, "%s|%s%s%s of node %d\n", item.path, item.self ? "self " : "", item.name,
                 item.slash ? " slash" : "", scp_a.disk.ram.handles[item.dir].node);
        assert_int_equal(fs->ops->close(fs, item.dir), 0);
    }
    dory_scp_path_stop(&path);
    return text;
}

static void plant(void)
{
    static const char *const names[] = {"/a.c", "/b.c", "/.h.c", "/d/x.c", "/d/y", "/e/x.c", "/e/deep/x.c", "/st*r", "/back\\slash", "/~"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        scp_put(&scp_a, names[i], "");
}

static int node(const char *path)
{
    return dory_ram_find(&scp_a.disk.ram, path);
}

static void test_paths(void **state)
{
    static const struct {
        const char *word, *items;
    } cases[] = {
        {"a.c", "a.c|a.c of node 0\n"},
        {"/a.c", "/a.c|a.c of node 0\n"},
        {"./a.c", "./a.c|a.c of node 0\n"},
        {"//./a.c", "//./a.c|a.c of node 0\n"},
        {"~/a.c", "~/a.c|a.c of node 0\n"},
        {"\\~", "~|~ of node 0\n"},
        {"a.c/", "a.c/|a.c slash of node 0\n"},
        {"nothing", "nothing|nothing of node 0\n"},
        {"", "|self root of node 0\n"},
        {".", ".|self root of node 0\n"},
        {"/", "/|self root of node 0\n"},
        {"~", "~|self root of node 0\n"},
        {"~/", "~/|self root of node 0\n"},
        {"d/..", "d/..|self root of node 0\n"},
        {"d/../a.c", "d/../a.c|a.c of node 0\n"},
        {"none/../a.c", "none/../a.c|a.c of node 0\n"},
        {"d/../e/./x.c", "d/../e/./x.c|x.c of node E\n"},
        {"..", "..: Permission denied\n"},
        {"/..", "/..: Permission denied\n"},
        {"../x", "../x: Permission denied\n"},
        {"/../x", "/../x: Permission denied\n"},
        {"d/../../x", "d/../../x: Permission denied\n"},
        {"a/../../x", "a/../../x: Permission denied\n"},
        {"d/x.c/../../..", "d/x.c/../../..: Permission denied\n"},
        {"d/none/x", "d/none/x: No such file or directory\n"},
        {"a.c/x", "a.c/x: Not a directory\n"},
        {"*.c", "a.c|a.c of node 0\nb.c|b.c of node 0\n"},
        {"/*.c", "/a.c|a.c of node 0\n/b.c|b.c of node 0\n"},
        {"~/*.c", "~/a.c|a.c of node 0\n~/b.c|b.c of node 0\n"},
        {".*.c", ".h.c|.h.c of node 0\n"},
        {"*/x.c", "d/x.c|x.c of node D\ne/x.c|x.c of node E\n"},
        {"*/y", "d/y|y of node D\n"},
        {"*/*", "d/x.c|x.c of node D\nd/y|y of node D\ne/x.c|x.c of node E\ne/deep|deep of node E\n"},
        {"*/*/*", "e/deep/x.c|x.c of node F\n"},
        {"./d/../[de]/x.?", "d/x.c|x.c of node D\ne/x.c|x.c of node E\n"},
        {"*/..", "*/..|self root of node 0\n"},
        {"z*", "z*: No such file or directory\n"},
        {"*/none", "*/none: No such file or directory\n"},
        {"st\\*r", "st*r|st*r of node 0\n"},
        {"s\\t*", "st*r|st*r of node 0\n"},
        {"back\\\\slash", "back\\slash|back\\slash of node 0\n"},
    };

    (void)state;
    plant();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[1000] = "";

        for (const char *p = cases[i].items; *p; p++)
            if (strchr("DEF", *p))
                sprintf(expected + strlen(expected), "%d", node(*p == 'D' ? "/d" : *p == 'E' ? "/e" : "/e/deep"));
            else
                strncat(expected, p, 1);
        /* "Permission denied" and the like hold none of these letters. */
        assert_string_equal(items(cases[i].word, false), expected);
    }
    assert_string_equal(items("st*r", true), "st*r|st*r of node 0\n");
    assert_string_equal(items("back\\slash", true), "back\\slash|back\\slash of node 0\n");
    assert_string_equal(items("~", true), "~|~ of node 0\n");
}

static void test_path_limits(void **state)
{
    static char word[20000];

    (void)state;
    memset(word, 'n', DORY_NAME_MAX + 1);
    assert_non_null(strstr(items(word, true), dory_strerror(DORY_E_NAME)));
    memset(word, 0, sizeof word);
    for (int i = 0; i < 9000; i++)
        strcat(word + i * 2, "a/");
    assert_non_null(strstr(items(word, true), dory_strerror(DORY_E_NOENT)));
}

static void test_paths_while_busy_and_failing(void **state)
{
    unsigned long calls = 0;

    (void)state;
    for (unsigned long n = 1; n < 60; n++) {
        static struct dory_scp_path path;
        struct dory_transfer_item item;
        int given = 0, r;

        scp_kit_reset();
        plant();
        if (n % 2)
            scp_a.disk.ram.busy_every = n / 2 + 2;
        else
            scp_a.disk.ram.fail_at = n / 2, scp_a.disk.ram.fail_with = DORY_E_IO;
        dory_scp_path_begin(&path, &scp_a.disk.ram.fs, "*/*", false);
        while ((r = dory_scp_path_next(&path, &item)) != 0)
            if (r == 1) {
                given++;
                while (scp_a.disk.ram.fs.ops->close(&scp_a.disk.ram.fs, item.dir) == DORY_E_AGAIN)
                    continue;
            }
        if (n % 2)
            assert_int_equal(given, 4);
        assert_true(given <= 4);
        calls = scp_a.disk.ram.calls;
        dory_scp_path_stop(&path);
        assert_int_equal(dory_ram_open_handles(&scp_a.disk.ram), 0);
    }
    assert_true(calls > 15);
}

static void test_stopped_inside_globs(void **state)
{
    static struct dory_scp_path path;
    struct dory_transfer_item item;

    (void)state;
    plant();
    dory_scp_path_begin(&path, &scp_a.disk.ram.fs, "*/*/*", false);
    assert_int_equal(dory_scp_path_next(&path, &item), 1);
    scp_a.disk.ram.fs.ops->close(&scp_a.disk.ram.fs, item.dir);
    assert_int_equal(dory_ram_open_handles(&scp_a.disk.ram), 3);
    dory_scp_path_stop(&path);
    dory_scp_path_stop(&path);
}

static struct dory_scp_command command;

/* The words behind the options, joined by bars; or the refusal. */
static const char *parsed(const char *line, size_t n)
{
    static char text[DORY_COMMAND_MAX + 10];
    int r = dory_scp_command_parse(&command, &scp_a.disk.ram.fs, line, n);

    if (r) {
        assert_non_null(command.words.error);
        assert_true(r == DORY_E_PROTOCOL || r == DORY_E_SPACE);
        assert_int_equal(command.words.next == 0 || command.words.error != NULL, 1);
        return "refused";
    }
    assert_null(command.words.error);
    memcpy(text, command.words.words + command.words.next, (size_t)(command.words.end - command.words.next));
    for (int i = 0; i + 1 < command.words.end - command.words.next; i++)
        if (!text[i])
            text[i] = '|';
    dory_scp_command_stop(&command);
    return text;
}

/* One directory of names: the root by every spelling of it, a name, nothing else. */
static void test_flat(void **state)
{
    static const struct {
        const char *word, *name; /* NULL: the root; "": refused */
    } cases[] = {
        {".", NULL}, {"/", NULL}, {"~", NULL}, {"~/", NULL}, {"./", NULL}, {"//", NULL}, {"/./", NULL},
        {"x", "x"}, {"/x", "x"}, {"~/x", "x"}, {"./x", "x"}, {"'a b'", "a b"}, {"\\*", "*"}, {"*", "*"}, {".x", ".x"},
        {"x/", ""}, {"x/y", ""}, {"../x", ""}, {"x/..", ""},
    };
    static struct dory_scp_flat flat;
    struct dory_transfer_item item;
    char line[64];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *name = cases[i].name;
        int r, n = snprintf(line, sizeof line, "scp -f %s", cases[i].word);

        assert_int_equal(dory_scp_flat_parse(&flat, &scp_a.disk.ram.fs, line, (size_t)n), DORY_OK);
        r = dory_scp_flat_item(&flat, &item);
        if (name && !*name) {
            assert_int_equal(r, DORY_E_NOENT);
            continue;
        }
        assert_int_equal(r, 1);
        assert_int_equal(item.self, name == NULL);
        assert_string_equal(item.name, name ? name : "root");
        scp_a.disk.ram.fs.ops->close(&scp_a.disk.ram.fs, item.dir);
        assert_int_equal(dory_scp_flat_item(&flat, &item), 0);
    }
    assert_int_equal(dory_scp_flat_parse(&flat, &scp_a.disk.ram.fs, "scp -t `x`", 10), DORY_E_PROTOCOL);
    assert_int_equal(dory_scp_flat_parse(&flat, &scp_a.disk.ram.fs, "scp -f a/b c", 12), DORY_OK);
    assert_int_equal(dory_scp_flat_item(&flat, &item), DORY_E_NOENT);
    assert_string_equal(item.path, "a/b");
    assert_int_equal(dory_scp_flat_item(&flat, &item), 1);
    assert_string_equal(item.path, "c");
    scp_a.disk.ram.fs.ops->close(&scp_a.disk.ram.fs, item.dir);
}

static void test_words(void **state)
{
    static const struct {
        const char *line, *words;
        unsigned flags;
    } cases[] = {
        {"scp -t x", "x", DORY_SCP_TO},
        {"scp -f x", "x", DORY_SCP_FROM},
        {"  /usr/bin/scp\t-t\t x  ", "x", DORY_SCP_TO},
        {"scp -v -r -p -d -q -t -- x", "x", DORY_SCP_TO | DORY_SCP_VERBOSE | DORY_SCP_RECURSE | DORY_SCP_TIMES | DORY_SCP_DIR | DORY_SCP_QUIET},
        {"scp -rpdvqt x", "x", DORY_SCP_TO | DORY_SCP_VERBOSE | DORY_SCP_RECURSE | DORY_SCP_TIMES | DORY_SCP_DIR | DORY_SCP_QUIET},
        {"scp -f a b  c", "a|b|c", DORY_SCP_FROM},
        {"scp -f -- -r", "-r", DORY_SCP_FROM},
        {"scp -f a -r", "a|-r", DORY_SCP_FROM},
        {"scp -f -- --", "--", DORY_SCP_FROM},
        {"scp -t -", "-", DORY_SCP_TO},
        {"'scp' \"-t\" x", "x", DORY_SCP_TO},
        {"scp -t 'a b'", "a b", DORY_SCP_TO},
        {"scp -t a\\ b", "a b", DORY_SCP_TO},
        {"scp -t \"a b\"'c d'e", "a bc de", DORY_SCP_TO},
        {"scp -t ''", "", DORY_SCP_TO},
        {"scp -t a''b", "ab", DORY_SCP_TO},
        {"scp -t '$(x)`y`;|&<>()#'", "$(x)`y`;|&<>()\\#", DORY_SCP_TO},
        {"scp -t 'a\nb'", "a\nb", DORY_SCP_TO},
        {"scp -t \"\\$x\\\"\\`\\\\y\\z\"", "$x\"`\\\\y\\\\z", DORY_SCP_TO},
        {"scp -t \"it's\"", "it's", DORY_SCP_TO},
        {"scp -t it\\'s", "it's", DORY_SCP_TO},
        {"scp -t a#b", "a#b", DORY_SCP_TO},
        {"scp -f *.c", "*.c", DORY_SCP_FROM},
        {"scp -f '*.c'", "\\*.c", DORY_SCP_FROM},
        {"scp -f \"[a]?\"", "\\[a\\]\\?", DORY_SCP_FROM},
        {"scp -f \\*", "\\*", DORY_SCP_FROM},
        {"scp -f \\\\", "\\\\", DORY_SCP_FROM},
        {"scp -t ~/x", "~/x", DORY_SCP_TO},
        {"scp -t ~", "~", DORY_SCP_TO},
        {"scp -t ~ ", "~", DORY_SCP_TO},
        {"scp -t '~'/x", "\\~/x", DORY_SCP_TO},
        {"scp -t \\~x", "\\~x", DORY_SCP_TO},
        {"scp -t a~", "a~", DORY_SCP_TO},
        {"scp -t \xc3\xa4", "\xc3\xa4", DORY_SCP_TO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(parsed(cases[i].line, strlen(cases[i].line)), cases[i].words);
        assert_int_equal(command.words.flags, cases[i].flags);
    }
}

static void test_refused_lines(void **state)
{
    static const char *const lines[] = {
        "", " ", "scp", "scp x", "scp -t", "scp -f", "scp -t -f x", "scp -r x", "scp -t --", "scp -x -t y", "scp -tS x y", "scp --recursive -t x",
        "sh -c 'scp -t x'", "scpx -t x", "xscp -t x", "/bin/scp/ -t x", "rcp -t x", "sftp-server", "PATH=. scp -t x", "scp/ -t x",
        "scp -t 'x", "scp -t \"x", "scp -t x\\", "scp -t \"x\\\"", "scp -t ~root", "scp -t ~root/x", "scp -t #", "scp -t x #y", "scp -t x\ny",
        "scp -t x\\\ny", "scp -t a;b", "scp -oProxyCommand=x -t y"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (strcmp(parsed(lines[i], strlen(lines[i])), "refused") != 0)
            fail_msg("accepted: %s", lines[i]);
    assert_string_equal(parsed("scp -t x\0y", 10), "refused");
}

static void test_longest_line(void **state)
{
    static char line[DORY_COMMAND_MAX + 100];
    bool refused = false;

    (void)state;
    for (size_t n = DORY_COMMAND_MAX - 20; n < sizeof line; n++)
        for (int quoted = 0; quoted < 2; quoted++) {
            bool fits;

            memset(line, quoted ? '*' : 'x', n);
            memcpy(line, "scp -t '", 8);
            line[n - 1] = '\'';
            fits = strcmp(parsed(line, n), "refused") != 0;
            /* Without the quotes, "scp", "-t" and the path, each with its NUL. */
            assert_int_equal(fits, !quoted && 4 + 3 + (n - 9) + 1 <= DORY_COMMAND_MAX);
            assert_true(!quoted || !fits);
            if (quoted)
                continue;
            assert_false(fits && refused);
            refused = !fits;
            if (refused)
                assert_string_equal(command.words.error, "command line too long");
        }
    assert_true(refused);
}

/* The client's line and the server's parser agree, and so does a shell: see the hostile tests. */
static void test_format(void **state)
{
    static const struct {
        unsigned flags;
        const char *path, *line;
    } cases[] = {
        {DORY_SCP_TO, "x", "scp -t -- x"},
        {DORY_SCP_FROM | DORY_SCP_RECURSE | DORY_SCP_TIMES, "x", "scp -r -p -f -- x"},
        {DORY_SCP_TO | DORY_SCP_DIR | DORY_SCP_VERBOSE | DORY_SCP_QUIET, "x", "scp -d -v -q -t -- x"},
        {DORY_SCP_TO, "-rf", "scp -t -- -rf"},
        {DORY_SCP_TO, "a b", "scp -t -- a' b'"},
        {DORY_SCP_TO, "it's", "scp -t -- it\\'s"},
        {DORY_SCP_TO, "$(x) '`y`", "scp -t -- '$(x) '\\''`y`'"},
        {DORY_SCP_TO, "*.c", "scp -t -- '*.c'"},
        {DORY_SCP_FROM, "*.c", "scp -f -- *.c"},
        {DORY_SCP_FROM, "a b*[cd]?", "scp -f -- a' b'*[cd]?"},
        {DORY_SCP_FROM, "\\*\\a", "scp -f -- '*a'"},
        {DORY_SCP_TO, "~/x", "scp -t -- ~/x"},
        {DORY_SCP_TO, "~", "scp -t -- ~"},
        {DORY_SCP_TO, "~root/a b", "scp -t -- ~root/a' b'"},
        {DORY_SCP_TO, "~$x/y", "scp -t -- '~$x/y'"},
        {DORY_SCP_TO, "a~", "scp -t -- a'~'"},
        {DORY_SCP_TO, "", "scp -t -- ."},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(dory_scp_command_format(out, sizeof out, cases[i].flags, cases[i].path), strlen(cases[i].line));
        assert_string_equal(out, cases[i].line);
        for (size_t cap = 0; cap <= strlen(cases[i].line); cap++) {
            memset(out, 7, sizeof out);
            assert_int_equal(dory_scp_command_format(out, cap, cases[i].flags, cases[i].path), DORY_E_SPACE);
            assert_int_equal(out[cap], 7);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, scp_kit_setup, scp_kit_teardown)
        T(test_glob),
        T(test_glob_is_not_exponential),
        T(test_paths),
        T(test_path_limits),
        T(test_paths_while_busy_and_failing),
        T(test_stopped_inside_globs),
        T(test_words),
        T(test_flat),
        T(test_refused_lines),
        T(test_longest_line),
        T(test_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
