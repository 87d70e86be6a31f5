/* What a hostile server sends to a client that fetches (C1 to C11 of the list of threats); where a line applies to the server's sink
 * as well, it is run in both roles. Each case says which reply ends the script and what is on the disk afterwards. */
#include "scp_kit.h"

static char out[70000];
static size_t said;

/* A client that asked for `name` into the existing directory dst, which holds one file with a known mode and time. */
static void ask(unsigned flags, const char *name)
{
    static const char *names[1];
    int dir;

    scp_kit_reset();
    scp_put(&scp_b, "/dst/kept", "kept");
    scp_put(&scp_b, "/outside", "outside");
    dir = dory_ram_find(&scp_b.disk.ram, "/dst");
    scp_b.disk.nodes[dir].mode = 0711;
    scp_b.disk.nodes[dir].mtime = 4242;
    names[0] = name;
    scp_sink_names(&scp_b, flags, "dst", name ? names : NULL, name ? 1 : 0);
}

static int feed(const char *script, size_t n)
{
    int status = scp_feed(&scp_b, script, n, 0, out, sizeof out, &said);

    assert_int_equal(dory_ram_open_handles(&scp_b.disk.ram), 0);
    assert_int_equal(dory_ram_nameless(&scp_b.disk.ram), 0);
    return status;
}

#define FEED(text) feed(text, sizeof(text) - 1)

/* The disk is as it was, the directory's own mode and time included. */
static void assert_untouched(void)
{
    char *tree = scp_tree(&scp_b.disk.ram, "/", SCP_TREE_MODES | SCP_TREE_TIMES);

    assert_string_equal(tree, "dst 2 0711 0 4242 0 00000000\n"
                              "dst/kept 1 0644 4 0 0 e8614759\n"
                              "outside 1 0644 7 0 0 c38eecc4\n");
    free(tree);
}

static void assert_rejected(const char *why)
{
    char expected[200];

    snprintf(expected, sizeof expected, "protocol error: %s\n", why);
    assert_string_equal(scp_b.ear.errors, expected);
    assert_non_null(memchr(out, 2, said));
    assert_untouched();
}

static void test_c1_names(void **state)
{
    static const struct {
        const char *name;
        size_t n;
    } bad[] = {{"", 0}, {".", 1}, {"..", 2}, {"a/b", 3}, {"/", 1}, {"../outside", 10}, {"/outside", 8}, {"a\0b", 3}, {"..\0", 3},
               {"kept/", 5}};

    (void)state;
    for (size_t role = 0; role < 2; role++)
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
            for (const char *kind = "CD"; *kind; kind++) {
                char script[64] = "";
                size_t n = (size_t)sprintf(script, "T1 0 1 0\n%c0777 1 ", *kind);

                memcpy(script + n, bad[i].name, bad[i].n);
                n += bad[i].n;
                script[n++] = '\n';
                memcpy(script + n, "x", 2);
                ask(DORY_SCP_RECURSE | DORY_SCP_TIMES, role ? NULL : "*");
                assert_int_equal(feed(script, n + 2), 1);
                assert_rejected("unexpected filename");
            }
}

static void test_c1_names_too_long(void **state)
{
    char script[DORY_SCP_LINE_MAX + 100];

    (void)state;
    for (size_t length = DORY_NAME_MAX; length < DORY_SCP_LINE_MAX + 50; length++) {
        size_t n = (size_t)sprintf(script, "C0644 1 ");

        memset(script + n, 'n', length);
        memcpy(script + n + length, "\nx", 3);
        ask(0, "*");
        if (length == DORY_NAME_MAX) {
            assert_int_equal(feed(script, n + length + 3), 0);
            continue;
        }
        assert_int_equal(feed(script, n + length + 1), 1);
        assert_untouched();
        assert_true(out[1] == 1 || out[1] == 2);
    }
}

static void test_c2_names_that_were_not_asked_for(void **state)
{
    static const struct {
        const char *asked, *sent;
    } bad[] = {{"file", "fil"}, {"file", "file2"}, {"file", "FILE"}, {"*.txt", "evil.sh"}, {"*", ".bashrc"}, {"?bashrc", ".bashrc"},
               {"[.]bashrc", ".bashrc"}, {"a\\*", "ab"}, {"[a-c]x", "dx"}, {"[!a]x", "ax"}, {"*.*", "plain"}, {"", "x"}};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (unsigned recurse = 0; recurse < 2; recurse++) {
            char script[64];
            size_t n = (size_t)sprintf(script, "%c0644 1 %s\nx", recurse ? 'D' : 'C', bad[i].sent) + 1;

            ask(recurse ? DORY_SCP_RECURSE : 0, bad[i].asked);
            assert_int_equal(feed(script, n), 1);
            assert_rejected("filename does not match request");
        }
}

static void test_c2_a_second_name(void **state)
{
    (void)state;
    ask(0, "file");
    assert_int_equal(FEED("C0644 1 file\nx\0C0600 1 authorized_keys\ny\0"), 1);
    assert_string_equal(scp_content(&scp_b.disk.ram, "/dst/file"), "x");
    assert_int_equal(dory_ram_find(&scp_b.disk.ram, "/dst/authorized_keys"), DORY_E_NOENT);
    assert_string_equal(scp_b.ear.errors, "protocol error: filename does not match request\n");
}

static void test_c2_inside_a_directory_all_is_asked_for(void **state)
{
    (void)state;
    ask(DORY_SCP_RECURSE, "d");
    assert_int_equal(FEED("D0755 0 d\nC0644 1 any\nx\0E\n"), 0);
    assert_string_equal(scp_content(&scp_b.disk.ram, "/dst/d/any"), "x");
    ask(DORY_SCP_RECURSE, "d");
    assert_int_equal(FEED("D0755 0 d\nC0644 1 any\nx\0E\nC0644 1 after\nx\0"), 1);
    assert_int_equal(dory_ram_find(&scp_b.disk.ram, "/dst/after"), DORY_E_NOENT);
}

static void test_c2_one_name_of_the_servers_choice(void **state)
{
    (void)state;
    ask(DORY_SCP_RECURSE, "/");
    assert_int_equal(FEED("D0755 0 home\nE\nD0755 0 second\nE\n"), 1);
    assert_int_equal(dory_ram_find(&scp_b.disk.ram, "/dst/second"), DORY_E_NOENT);
    /* "." then means the target itself, whose mode and times stay. */
    ask(DORY_SCP_RECURSE | DORY_SCP_TIMES, "/");
    assert_int_equal(FEED("T1 0 1 0\nD0777 0 .\nE\n"), 0);
    assert_untouched();
    ask(DORY_SCP_RECURSE, "/");
    assert_int_equal(FEED("D0777 0 .\nC0644 1 f\nx\0D0755 0 .\nE\nE\n"), 1);
    assert_string_equal(scp_content(&scp_b.disk.ram, "/dst/f"), "x");
    assert_string_equal(scp_b.ear.errors, "protocol error: unexpected filename\n");
    ask(DORY_SCP_RECURSE, "/");
    assert_int_equal(FEED("C0644 1 .\nx\0"), 1);
    assert_rejected("unexpected filename");
}

/* Text is handed on raw and whole, one event a line: escaping is the terminal's business, losing or splitting it would not be. */
static void test_c3_control_bytes_reach_the_escaper_as_text_only(void **state)
{
    (void)state;
    ask(0, "*");
    assert_int_equal(FEED("\1scp: \033[2J\007\0\r\t\177\377\nC0644 1 \033]0;x\n1\0"), 1);
    assert_memory_equal(scp_b.ear.messages, "scp: \033[2J\007\0\r\t\177\377\n", 16);
    assert_string_equal(scp_content(&scp_b.disk.ram, "/dst/\033]0;x"), "1");
    assert_int_equal(said, 3);
}

static void test_c4_special_bits_without_p(void **state)
{
    (void)state;
    ask(DORY_SCP_RECURSE, "*");
    assert_int_equal(FEED("C7777 1 f\nx\0D7777 0 d\nE\n"), 0);
    assert_int_equal(scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/dst/f")].mode, 0777);
    assert_int_equal(scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/dst/d")].mode, 0777);
    ask(DORY_SCP_RECURSE, "*");
    scp_put(&scp_b, "/dst/f", "old");
    assert_int_equal(FEED("C7777 1 f\nx\0"), 0);
    assert_int_equal(scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/dst/f")].mode, 0644);
    ask(DORY_SCP_RECURSE | DORY_SCP_TIMES, "*");
    assert_int_equal(FEED("C4755 1 f\nx\0"), 0);
    assert_int_equal(scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/dst/f")].mode, 04755);
}

static void test_c5_directory_without_r(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        ask(0, i ? NULL : "*");
        assert_int_equal(FEED("D0755 0 d\nC0644 1 f\nx\0"), 1);
        assert_rejected("received directory without -r");
    }
}

static void test_c5_more_ends_than_directories(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        ask(DORY_SCP_RECURSE | DORY_SCP_TIMES, i ? NULL : "*");
        assert_int_equal(FEED("E\nC0644 1 f\nx\0"), 1);
        assert_rejected("unexpected end of directory");
        ask(DORY_SCP_RECURSE, i ? NULL : "*");
        assert_int_equal(FEED("D0755 0 d\nEE\n"), 1);
        assert_string_equal(scp_b.ear.errors, "protocol error: invalid record\n");
        ask(DORY_SCP_RECURSE, i ? NULL : "*");
        assert_int_equal(FEED("D0755 0 d\nE\nE\nC0644 1 outside\nx\0"), 1);
        assert_string_equal(scp_content(&scp_b.disk.ram, "/outside"), "outside");
    }
}

static void test_c5_depth(void **state)
{
    char script[16 * DORY_SCP_DEPTH_MAX + 100] = "";

    (void)state;
    for (int i = 0; i <= DORY_SCP_DEPTH_MAX; i++)
        strcat(script, "D0755 0 d\n");
    strcat(script, "D0755 0 e\n");
    ask(DORY_SCP_RECURSE, "d");
    assert_int_equal(feed(script, strlen(script)), 1);
    assert_non_null(strstr(scp_b.ear.errors, "directories nested too deep"));
    /* One good reply at the start and for each that was entered, then errors; and the end inside directories is one more error. */
    for (int i = 0; i <= DORY_SCP_DEPTH_MAX; i++)
        assert_int_equal(out[i], 0);
    assert_int_equal(out[DORY_SCP_DEPTH_MAX + 1], 1);
    assert_non_null(strstr(scp_b.ear.errors, "lost connection"));
}

static void test_c6_links_inside_the_target(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        ask(DORY_SCP_RECURSE, i ? NULL : "*");
        dory_ram_put(&scp_b.disk.ram, "/etc", DORY_FS_DIR, 0755, NULL, 0);
        dory_ram_put(&scp_b.disk.ram, "/dst/link", DORY_FS_LINK, 0777, "../etc", 6);
        dory_ram_put(&scp_b.disk.ram, "/dst/flink", DORY_FS_LINK, 0777, "../outside", 10);
        /* A directory in the place of a link, deeper down as well; and a file in the place of a link to a file. */
        assert_int_equal(FEED("D0755 0 link\nC0644 1 flink\nx\0"), 1);
        assert_string_equal(scp_content(&scp_b.disk.ram, "/outside"), "outside");
        assert_string_equal(scp_b.ear.errors, "dst/link: symbolic link not followed\n");
        assert_string_equal(scp_content(&scp_b.disk.ram, "/dst/flink"), "x");
        assert_string_equal(scp_content(&scp_b.disk.ram, "/etc/flink"), "(none)");
    }
}

static struct dory_ram_fs *swapped;

static void swap_for_link(struct dory_ram_fs *ram, enum dory_ram_call which)
{
    int dir = dory_ram_find(ram, "/dst/d");

    (void)which;
    if (dir < 0)
        return;
    /* As soon as the directory is there, its name leads elsewhere. */
    strcpy(ram->nodes[dir].name, "moved");
    dory_ram_put(ram, "/dst/d", DORY_FS_LINK, 0777, "../etc", 6);
    ram->before = NULL;
    swapped = ram;
}

static void test_c6_a_directory_becomes_a_link_during_the_transfer(void **state)
{
    (void)state;
    ask(DORY_SCP_RECURSE, "d");
    dory_ram_put(&scp_b.disk.ram, "/etc", DORY_FS_DIR, 0755, NULL, 0);
    swapped = NULL;
    scp_b.disk.ram.before = swap_for_link;
    assert_int_equal(FEED("D0755 0 d\nC0644 1 passwd\nx\0"), 1);
    assert_ptr_equal(swapped, &scp_b.disk.ram);
    assert_int_equal(dory_ram_find(&scp_b.disk.ram, "/etc/passwd"), DORY_E_NOENT);
}

/* As soon as it is made, somebody takes it away again. */
static void take_away(struct dory_ram_fs *ram, enum dory_ram_call which)
{
    int dir = dory_ram_find(ram, "/dst/d");

    if (which == DORY_RAM_OPEN && dir >= 0)
        ram->nodes[dir].type = 0;
}

static void test_c6_a_directory_vanishes_when_it_is_made(void **state)
{
    (void)state;
    ask(DORY_SCP_RECURSE, "*");
    scp_b.disk.ram.before = take_away;
    assert_int_equal(FEED("D0755 0 d\nC0644 1 f\nx\0"), 1);
    assert_string_equal(scp_b.ear.errors, "dst/d: No such file or directory\n");
    assert_string_equal(scp_content(&scp_b.disk.ram, "/dst/f"), "x");
}

static void test_c7_sizes_and_modes(void **state)
{
    static const char *const bad[] = {
        "C0644 -1 f", "C0644 +1 f", "C0644  1 f", "C0644 9223372036854775808 f", "C0644 18446744073709551616 f",
        "C0644 18446744073709551617 f", "C0644 99999999999999999999999999 f", "C0644 x1 f", "C0644 1x f", "C0644 0x10 f", "C0644 1",
        "C0644 f", "C0644  f", "C0644", "C", "C 0644 1 f", "C644 1 f", "C00644 1 f", "C0648 1 f", "C-644 1 f", "C+644 1 f",
        "C06a4 1 f", "C0644\t1 f", "C0644 1\tf", "C0644 \t1 f", "C0644 1.0 f", "D0755 -1 d", "D0755 d", "D755 0 d"};

    (void)state;
    for (unsigned role = 0; role < 2; role++)
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            char script[100];
            size_t n = (size_t)sprintf(script, "%s\nxxxx", bad[i]) + 1;

            ask(DORY_SCP_RECURSE, role ? NULL : "*");
            assert_int_equal(feed(script, n), 1);
            assert_untouched();
            assert_memory_equal(out, "\0\2scp: protocol error: ", 23);
        }
}

static void test_c7_what_is_accepted(void **state)
{
    (void)state;
    ask(0, "*");
    assert_int_equal(FEED("C0644 00000000000000000000000001  f\nx\0"), 0);
    assert_string_equal(scp_content(&scp_b.disk.ram, "/dst/ f"), "x");
    /* 2^63 - 1 is a size; it does not fit here, which is the file's error and no one else's. */
    ask(0, "*");
    assert_int_equal(FEED("C0644 9223372036854775807 f\nC0644 1 g\nx\0"), 1);
    assert_string_equal(scp_b.ear.errors, "dst/f: No space left on device\n");
    assert_string_equal(scp_content(&scp_b.disk.ram, "/dst/g"), "x");
}

static void test_c7_times(void **state)
{
    static const char *const bad[] = {"T", "T1", "T1 0", "T1 0 1", "T1 0 1 ", "T1 0 1 0 ", "T1 0 1 0 0", "T-1 0 1 0", "T1 -1 1 0", "T+1 0 1 0",
                                      "T1 1000000 1 0", "T1 0 1 1000000", "T9223372036854775808 0 1 0", "T1 0 99999999999999999999 0",
                                      "T 1 0 1 0", "T1  0 1 0", "T1 0 1 0x"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char script[100];
        size_t n = (size_t)sprintf(script, "%s\nC0644 1 f\nx", bad[i]) + 1;

        ask(DORY_SCP_TIMES, "*");
        assert_int_equal(feed(script, n), 1);
        assert_rejected("invalid record");
    }
    ask(DORY_SCP_TIMES, "*");
    assert_int_equal(FEED("T9223372036854775807 999999 0 0\nC0644 1 f\nx\0"), 0);
    assert_true(scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/dst/f")].mtime == INT64_MAX);
    /* Not asked for: parsed as exactly, not applied. And times belong to the next object only. */
    ask(0, "*");
    assert_int_equal(FEED("T5 0 5 0\nC0644 1 f\nx\0"), 0);
    assert_int_equal(scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/dst/f")].mtime, 0);
    ask(DORY_SCP_TIMES, "*");
    assert_int_equal(FEED("T5 0 5 0\nC0644 1 f\nx\0C0644 1 g\nx\0"), 0);
    assert_int_equal(scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/dst/g")].mtime, 0);
}

static void test_c8_end_at_each_byte(void **state)
{
    static const char script[] = "T1 0 1 0\nD0755 0 d\nT1 0 1 0\nC0644 5 kept\nabcde\0E\nT1 0 1 0\nC0644 5 kept\nabcde";

    (void)state;
    for (unsigned role = 0; role < 2; role++)
        for (size_t n = 1; n < sizeof script; n++)
            for (size_t bite = 1; bite < 9; bite += 3) {
                /* Between records at the top, and nowhere else, an end is an end: behind E and behind T. A client wants a file. */
                bool good = n == 49 || n == 58 || (n == 9 && role);
                int status;
                const char *kept;

                ask(DORY_SCP_RECURSE | DORY_SCP_TIMES, role ? NULL : "*");
                status = scp_feed(&scp_b, script, n, bite, out, sizeof out, &said);
                assert_int_equal(dory_ram_open_handles(&scp_b.disk.ram), 0);
                assert_int_equal(dory_ram_nameless(&scp_b.disk.ram), 0);
                assert_int_equal(status, !good);
                kept = scp_content(&scp_b.disk.ram, "/dst/kept");
                assert_string_equal(kept, "kept");
                kept = scp_content(&scp_b.disk.ram, "/dst/d/kept");
                assert_string_equal(kept, n < 47 ? "(none)" : "abcde");
                if (status)
                    assert_string_not_equal(scp_b.ear.errors, "");
            }
}

static void test_c8_shorter_than_announced(void **state)
{
    (void)state;
    for (unsigned role = 0; role < 2; role++) {
        ask(0, role ? NULL : "kept");
        assert_int_equal(FEED("C0644 100 kept\nabc"), 1);
        assert_string_equal(scp_b.ear.errors, "dst/kept: lost connection\n");
        assert_int_equal(scp_b.ear.last_status, DORY_E_CUT);
        assert_untouched();
    }
}

static void test_c8_longer_than_announced(void **state)
{
    (void)state;
    for (unsigned role = 0; role < 2; role++) {
        ask(0, role ? NULL : "kept");
        assert_int_equal(FEED("C0644 3 kept\nabcdef\n\0"), 1);
        assert_untouched();
        assert_string_equal(scp_b.ear.messages, "def\n");
    }
}

static void test_c8_error_byte_after_the_data(void **state)
{
    (void)state;
    for (unsigned role = 0; role < 2; role++) {
        ask(0, role ? NULL : "*");
        assert_int_equal(FEED("C0644 3 kept\nabc\1scp: kept: Input/output error\nC0644 1 next\nx\0"), 1);
        assert_string_equal(scp_content(&scp_b.disk.ram, "/dst/kept"), "kept");
        assert_string_equal(scp_content(&scp_b.disk.ram, "/dst/next"), "x");
        assert_string_equal(scp_b.ear.messages, "scp: kept: Input/output error\n");
        assert_memory_equal(out, "\0\0\0\0\0", 5);
        assert_int_equal(said, 5);
        ask(0, role ? NULL : "*");
        assert_int_equal(FEED("C0644 3 kept\nabc\2gone\nC0644 1 next\nx\0"), 1);
        assert_untouched();
    }
}

static void test_c8_error_in_place_of_a_record(void **state)
{
    (void)state;
    ask(DORY_SCP_RECURSE, "*");
    assert_int_equal(FEED("\1scp: a: No such file\nC0644 1 b\nx\0\1scp: c: x\n"), 1);
    assert_string_equal(scp_content(&scp_b.disk.ram, "/dst/b"), "x");
    assert_string_equal(scp_b.ear.messages, "scp: a: No such file\nscp: c: x\n");
    assert_int_equal(said, 3);
    ask(DORY_SCP_RECURSE, "*");
    assert_int_equal(FEED("\2fatal\nC0644 1 b\nx\0"), 1);
    assert_untouched();
    assert_int_equal(said, 1);
}

static void test_c8_nothing_at_all(void **state)
{
    (void)state;
    ask(0, "f");
    assert_int_equal(feed("", 0), 1);
    assert_untouched();
    assert_string_equal(scp_b.ear.errors, "dst/: the peer sent nothing\n");
}

static void test_c9_unknown_records(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 256; kind++) {
        char script[] = "?0644 1 f\nx";

        if (kind == 1 || kind == 2 || kind == 'C' || kind == '\n')
            continue;
        script[0] = (char)kind;
        ask(0, "*");
        assert_int_equal(feed(script, sizeof script), 1);
        assert_untouched();
        assert_int_equal(out[1], 2);
    }
    ask(0, "*");
    assert_int_equal(FEED("\nC0644 1 f\nx\0"), 1);
    assert_rejected("expected control record");
    ask(0, "*");
    assert_int_equal(FEED("Welcome to this host!\nC0644 1 f\nx\0"), 1);
    assert_rejected("expected control record");
    assert_string_equal(scp_b.ear.messages, "Welcome to this host!\n");
}

static void test_c9_records_without_end(void **state)
{
    static char script[1 << 20];

    (void)state;
    for (const char *kind = "CDTE\1\2x"; *kind; kind++)
        for (size_t bite = 1000; bite <= sizeof script; bite *= 4) {
            memset(script, *kind == 'T' ? '1' : 'C', sizeof script);
            script[0] = *kind;
            ask(DORY_SCP_RECURSE, "*");
            assert_int_equal(scp_feed(&scp_b, script, sizeof script, bite, out, sizeof out, &said), 1);
            assert_rejected("line too long");
        }
    /* In place of the verdict after data. */
    memset(script, 'x', sizeof script);
    memcpy(script, "C0644 1 f\nx\1", 12);
    ask(0, "*");
    assert_int_equal(feed(script, sizeof script), 1);
    assert_rejected("line too long");
}

static void test_c9_long_error_text_is_cut_not_refused(void **state)
{
    static char script[4000];

    (void)state;
    memset(script, 'x', sizeof script);
    script[0] = 1;
    memcpy(script + sizeof script - 13, "\nC0644 1 f\nx", 13);
    ask(0, "*");
    assert_int_equal(feed(script, sizeof script), 1);
    assert_string_equal(scp_content(&scp_b.disk.ram, "/dst/f"), "x");
    assert_true(strlen(scp_b.ear.messages) >= 1000);
}

/* The source of a remote-to-remote copy names what it likes; the sink of the other host still has its own target. */
static void test_c10_paths_for_the_other_host(void **state)
{
    static const char *const evil[] = {"C0644 1 ../outside\nx", "C0644 1 /outside\nx", "D0755 0 ..\nC0644 1 outside\nx"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        ask(DORY_SCP_RECURSE, NULL);
        assert_int_equal(feed(evil[i], strlen(evil[i]) + 1), 1);
        assert_rejected("unexpected filename");
    }
}

static void test_c11_one_reply_a_record(void **state)
{
    static const char script[] = "T1 0 1 0\nD0755 0 d\nT1 0 1 0\nC0644 1 a\nx\0C0600 0 b\n\0E\nC0644 1 c\nx";
    /* Start, T, D, T, C, data, C, data, E, C, data. */
    static const unsigned replies = 11;
    unsigned long calls;

    (void)state;
    for (unsigned half = 0; half < 2; half++)
        for (unsigned long n = 0;; n++) {
            unsigned count = 0;

            ask(DORY_SCP_RECURSE | DORY_SCP_TIMES, "*");
            scp_b.disk.ram.half_commit = half;
            scp_b.disk.ram.only = 1u << DORY_RAM_SETINFO | 1u << DORY_RAM_COMMIT | 1u << DORY_RAM_WRITE;
            scp_b.disk.ram.fail_at = n;
            scp_b.disk.ram.fail_with = DORY_E_ACCESS;
            assert_int_equal(feed(script, sizeof script), half || n);
            calls = scp_b.disk.ram.calls;
            for (size_t i = 0; i < said; i++)
                if (out[i] == 0) {
                    count++;
                } else {
                    assert_int_equal(out[i], 1);
                    count++;
                    i += (size_t)((char *)memchr(out + i, '\n', said - i) - (out + i));
                }
            assert_int_equal(count, replies);
            if (half)
                assert_string_equal(scp_content(&scp_b.disk.ram, "/dst/d/a"), n && n < 3 ? "(none)" : "x");
            if (n && n >= calls)
                break;
        }
}

static void test_s5_failure_in_the_middle(void **state)
{
    static uint8_t script[3000];
    size_t n = (size_t)sprintf((char *)script, "C0644 2000 kept\n");

    (void)state;
    memset(script + n, 'y', 2000);
    n += 2000;
    memcpy(script + n, "\0C0644 4 next\ngood", 19);
    for (unsigned role = 0; role < 2; role++)
        for (size_t bite = 1; bite < 2500; bite = bite * 3 + 1) {
            ask(0, role ? NULL : "*");
            scp_b.disk.ram.only = 1u << DORY_RAM_WRITE;
            scp_b.disk.ram.fail_at = bite < 500 ? 3 : 1;
            scp_b.disk.ram.fail_with = bite % 2 ? DORY_E_NOSPC : DORY_E_IO;
            assert_int_equal(scp_feed(&scp_b, script, n + 19, bite, out, sizeof out, &said), 1);
            assert_string_equal(scp_content(&scp_b.disk.ram, "/dst/kept"), "kept");
            assert_string_equal(scp_content(&scp_b.disk.ram, "/dst/next"), "good");
            assert_string_equal(scp_b.ear.errors, bite % 2 ? "dst/kept: No space left on device\n" : "dst/kept: Input/output error\n");
            assert_memory_equal(out, "\0\0\1scp: dst/kept: ", 18);
        }
}

static void test_the_reason_goes_out_before_the_end(void **state)
{
    struct dory_stream *s = &scp_b.engine.stream;
    uint8_t byte;
    size_t n = 0;

    (void)state;
    ask(0, "*");
    assert_int_equal(s->ops->pull(s, &byte, 1), 1);
    assert_int_equal(s->ops->push(s, (const uint8_t *)"x\n", 2), 2);
    while (s->ops->status(s) == DORY_E_AGAIN)
        n += s->ops->pull(s, &byte, 1);
    assert_int_equal(n, strlen("\2scp: protocol error: expected control record\n"));
    s->ops->stop(s);
}

static void test_nothing_after_the_end(void **state)
{
    char more[] = "C0644 1 f\nx";
    struct dory_stream *s = &scp_b.engine.stream;
    uint8_t byte;

    (void)state;
    ask(0, "*");
    assert_int_equal(FEED("\2gone\n"), 1);
    assert_int_equal(s->ops->push(s, (uint8_t *)more, sizeof more), sizeof more);
    assert_int_equal(s->ops->pull(s, &byte, 1), 0);
    s->ops->eof(s);
    assert_int_equal(s->ops->status(s), 1);
    assert_untouched();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, scp_kit_setup, scp_kit_teardown)
        T(test_c1_names),
        T(test_c1_names_too_long),
        T(test_c2_names_that_were_not_asked_for),
        T(test_c2_a_second_name),
        T(test_c2_inside_a_directory_all_is_asked_for),
        T(test_c2_one_name_of_the_servers_choice),
        T(test_c3_control_bytes_reach_the_escaper_as_text_only),
        T(test_c4_special_bits_without_p),
        T(test_c5_directory_without_r),
        T(test_c5_more_ends_than_directories),
        T(test_c5_depth),
        T(test_c6_links_inside_the_target),
        T(test_c6_a_directory_becomes_a_link_during_the_transfer),
        T(test_c6_a_directory_vanishes_when_it_is_made),
        T(test_c7_sizes_and_modes),
        T(test_c7_what_is_accepted),
        T(test_c7_times),
        T(test_c8_end_at_each_byte),
        T(test_c8_shorter_than_announced),
        T(test_c8_longer_than_announced),
        T(test_c8_error_byte_after_the_data),
        T(test_c8_error_in_place_of_a_record),
        T(test_c8_nothing_at_all),
        T(test_c9_unknown_records),
        T(test_c9_records_without_end),
        T(test_c9_long_error_text_is_cut_not_refused),
        T(test_c10_paths_for_the_other_host),
        T(test_c11_one_reply_a_record),
        T(test_s5_failure_in_the_middle),
        T(test_the_reason_goes_out_before_the_end),
        T(test_nothing_after_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
