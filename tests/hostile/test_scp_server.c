/* The server's command line and its file system under attack (S1 to S5), and a hostile sink against a source. */
#include <sys/wait.h>
#include <unistd.h>

#include "scp_kit.h"

static char out[70000];
static size_t said;

static int feed(const char *script, size_t n)
{
    int status = scp_feed(&scp_b, script, n, 0, out, sizeof out, &said);

    assert_int_equal(dory_ram_open_handles(&scp_b.disk.ram), 0);
    assert_int_equal(dory_ram_nameless(&scp_b.disk.ram), 0);
    return status;
}

#define FEED(text) feed(text, sizeof(text) - 1)

static const char *const odd[] = {
    "a b", " ", "it's", "\"q\"", "`id`", "$(id)", "$HOME", "a;b", "a|b", "a&b", "a>b", "a<b", "(a)", "a\nb", "\n", "\ta", "#a", "a#b", "-rf", "--",
    "!x", "a\\b", "\\", "\\n", "{a,b}", "a=b", "^", "%s%n", "\xc3\xa4\xff", "\x1b[2J", "~x;y", "''", "a'\"b", "=a", "a*b", "a?b", "[ab]", "~ "};
#define N_ODD (sizeof odd / sizeof *odd)

/* What a real shell makes of the line: the last argument that the command gets. */
static void shell_words(const char *line, char *word, size_t cap)
{
    int fds[2], status;
    size_t n = 0;
    ssize_t r;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char command[600];

        /* `scp` becomes a function that tells its last argument and their number. */
        snprintf(command, sizeof command, "scp() { for last; do :; done; printf '%%s' \"$#:$last\"; }; %s", line);
        dup2(fds[1], 1);
        close(fds[0]);
        close(fds[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(99);
    }
    close(fds[1]);
    while (n < cap - 1 && (r = read(fds[0], word + n, cap - 1 - n)) > 0)
        n += (size_t)r;
    word[n] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void test_s1_a_remote_shell_gets_the_path_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ODD; i++) {
        char line[512], word[512], expected[512];

        assert_true(dory_scp_command_format(line, sizeof line, DORY_SCP_TO, odd[i]) > 0);
        shell_words(line, word, sizeof word);
        snprintf(expected, sizeof expected, "3:%s", odd[i]);
        assert_string_equal(word, expected);
    }
}

static void test_s1_our_server_gets_the_path_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ODD; i++) {
        char line[512], path[128];

        scp_kit_reset();
        assert_true(dory_scp_command_format(line, sizeof line, DORY_SCP_TO, odd[i]) > 0);
        assert_int_equal(scp_serve(&scp_b, line), 0);
        assert_int_equal(FEED("C0644 1 sent\nx\0"), 0);
        snprintf(path, sizeof path, "/%s", odd[i]);
        if (strcmp(scp_content(&scp_b.disk.ram, path), "x") != 0)
            fail_msg("%s: %s", line, scp_tree(&scp_b.disk.ram, "/", 0));
        assert_int_equal(dory_ram_find(&scp_b.disk.ram, "/sent"), DORY_E_NOENT);
    }
}

/* Fetched by the name that a person would type with its special characters escaped. */
static void test_s1_fetching_odd_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ODD; i++) {
        char line[512], path[128], typed[128] = "";
        const char *names[1];
        int result[2];

        if (strchr(odd[i], '\n'))
            continue; /* arrives under another name, as with OpenSSH */
        scp_kit_reset();
        for (const char *p = odd[i]; *p; p++)
            snprintf(typed + strlen(typed), 3, strchr("*?[]\\", *p) ? "\\%c" : "%c", *p);
        snprintf(path, sizeof path, "/%s", odd[i]);
        scp_put(&scp_a, path, "found");
        assert_true(dory_scp_command_format(line, sizeof line, DORY_SCP_FROM, typed) > 0);
        assert_int_equal(scp_serve(&scp_a, line), 0);
        names[0] = typed;
        scp_sink_names(&scp_b, 0, "got", names, 1);
        scp_run(&scp_a, &scp_b, NULL, result);
        assert_int_equal(result[0] | result[1], 0);
        assert_string_equal(scp_content(&scp_b.disk.ram, "/got"), "found");
    }
}

static void test_s2_commands_that_only_a_shell_would_run(void **state)
{
    static const char *const lines[] = {
        "scp -t x; reboot", "scp -t x;reboot", ";scp -t x", "scp -t $(reboot)", "scp -t \"$(reboot)\"", "scp -t `reboot`", "scp -t \"`reboot`\"",
        "scp -t x | sh", "scp -t x & reboot", "scp -t x && reboot", "scp -t x || reboot", "scp -t x > /etc/passwd", "scp -t < x", "(scp -t x)",
        "scp -t x\nreboot", "scp -t $HOME", "scp -t \"$HOME\"", "scp -t ${IFS}x", "scp -t x #", "$(scp) -t x", "scp$IFS-t x", "sh", "sh -c reboot",
        "reboot", "/bin/sh", "", "scpd -t x", "scp", "scp -S reboot -t x", "scp -o ProxyCommand=reboot x y:", "scp x y:z", "scp -t x\\\n;reboot"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (scp_serve(&scp_b, lines[i]) == 0)
            fail_msg("accepted: %s", lines[i]);
        assert_non_null(scp_b.command.words.error);
    }
    assert_int_not_equal(dory_scp_command_parse(&scp_b.command, &scp_b.disk.ram.fs, "scp -t x\0; reboot", 17), 0);
    assert_int_equal(scp_b.disk.ram.calls, 0);
}

static void test_s2_every_byte_in_every_place(void **state)
{
    static const char good[] = "scp -f 'a b' \"c\" d\\ e *";

    (void)state;
    for (size_t at = 0; at < sizeof good - 1; at++)
        for (unsigned byte = 0; byte < 256; byte++) {
            char line[sizeof good];
            int r;

            memcpy(line, good, sizeof good);
            line[at] = (char)byte;
            /* Must end, one way or the other; with an error text if refused; exact bounds are the sanitizer's business. */
            r = dory_scp_command_parse(&scp_b.command, &scp_b.disk.ram.fs, line, sizeof good - 1);
            assert_int_equal(r != 0, scp_b.command.words.error != NULL);
        }
}

static const char *const climbing[] = {"../x", "/../x", "a/../../x", "..", "/..", "./../x", "d/../../x", "d/d/../../../x", "~/../x", "//../x",
                                       "'..'/x", "\\../x", "d/.\\./../x"};

static void test_s3_paths_above_the_root(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof climbing / sizeof *climbing; i++)
        for (unsigned from = 0; from < 2; from++) {
            char line[64], *tree;

            scp_kit_reset();
            dory_ram_put(&scp_b.disk.ram, "/d/d", DORY_FS_DIR, 0755, NULL, 0);
            snprintf(line, sizeof line, "scp -r -%c -- %s", from ? 'f' : 't', climbing[i]);
            assert_int_equal(scp_serve(&scp_b, line), 0);
            assert_int_equal(FEED("\0\0\0"), 1);
            assert_non_null(strstr(out, "Permission denied"));
            tree = scp_tree(&scp_b.disk.ram, "/", 0);
            assert_string_equal(tree, "d 2 0000 0 0 0 00000000\nd/d 2 0000 0 0 0 00000000\n");
            free(tree);
        }
}

static void test_s3_harmless_paths_work(void **state)
{
    static const char *const paths[] = {"//x", "/x", "./x", "d/../x", "root2/../x", "d//..//x", "~/x", "...", "x..", "..x"};

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char line[64], path[64];

        scp_kit_reset();
        dory_ram_put(&scp_b.disk.ram, "/d", DORY_FS_DIR, 0755, NULL, 0);
        snprintf(line, sizeof line, "scp -t %s", paths[i]);
        assert_int_equal(scp_serve(&scp_b, line), 0);
        assert_int_equal(FEED("C0644 1 sent\nx\0"), 0);
        snprintf(path, sizeof path, "/%s", i < 7 ? "x" : paths[i]);
        assert_string_equal(scp_content(&scp_b.disk.ram, path), "x");
    }
}

static void test_s3_links_out_of_the_root(void **state)
{
    static const char *const lines[] = {"scp -t out/x", "scp -t abs/x", "scp -r -t out", "scp -f out/x", "scp -f out", "scp -r -f out", "scp -r -f abs",
                                        "scp -f loop"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        scp_kit_reset();
        dory_ram_put(&scp_b.disk.ram, "/out", DORY_FS_LINK, 0777, "../outside", 10);
        dory_ram_put(&scp_b.disk.ram, "/abs", DORY_FS_LINK, 0777, "/outside", 8);
        dory_ram_put(&scp_b.disk.ram, "/loop", DORY_FS_LINK, 0777, "loop", 4);
        assert_int_equal(scp_serve(&scp_b, lines[i]), 0);
        assert_int_equal(FEED("\0\0\0"), 1);
        assert_true(strstr(out, "Permission denied") || strstr(out, "symbolic link not followed"));
    }
    /* A link that stays inside is as good as its target. */
    scp_kit_reset();
    scp_put(&scp_b, "/d/f", "inside");
    dory_ram_put(&scp_b.disk.ram, "/in", DORY_FS_LINK, 0777, "d", 1);
    assert_int_equal(scp_serve(&scp_b, "scp -f in/f"), 0);
    assert_int_equal(FEED("\0\0\0"), 0);
    assert_memory_equal(out, "C0644 6 f\ninside", 17);
}

static void swap_target(struct dory_ram_fs *ram, enum dory_ram_call which)
{
    int dir = dory_ram_find(ram, "/d");

    if (which != DORY_RAM_WRITE)
        return;
    strcpy(ram->nodes[dir].name, "moved");
    dory_ram_put(ram, "/d", DORY_FS_LINK, 0777, "../outside", 10);
    ram->before = NULL;
}

static void test_s3_target_swapped_during_the_transfer(void **state)
{
    (void)state;
    dory_ram_put(&scp_b.disk.ram, "/d", DORY_FS_DIR, 0755, NULL, 0);
    assert_int_equal(scp_serve(&scp_b, "scp -t d"), 0);
    scp_b.disk.ram.before = swap_target;
    assert_int_equal(FEED("C0644 1 f\nx\0C0644 1 g\ny\0"), 0);
    /* It goes on in the directory that was opened, wherever its name leads by now. */
    assert_string_equal(scp_content(&scp_b.disk.ram, "/moved/f"), "x");
    assert_string_equal(scp_content(&scp_b.disk.ram, "/moved/g"), "y");
}

static void test_s4_read_only(void **state)
{
    static const char *const lines[] = {"scp -t f", "scp -t new", "scp -r -t d", "scp -rp -t new", "scp -p -t d"};
    char *before, *after;

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        scp_kit_reset();
        scp_put(&scp_b, "/f", "old");
        scp_fill(&scp_b, "/d/d/g", 9, 0600, 1);
        before = scp_tree(&scp_b.disk.ram, "/", SCP_TREE_MODES | SCP_TREE_TIMES);
        scp_b.disk.ram.fs.read_only = true;
        assert_int_equal(scp_serve(&scp_b, lines[i]), 0);
        if (strchr(lines[i], 'r'))
            assert_int_equal(FEED("D0700 0 d\nC0644 1 f\nx\0E\n"), 1);
        else
            assert_int_equal(FEED("C0644 1 f\nC0644 1 g\n"), 1);
        assert_non_null(memchr(out, 1, said));
        after = scp_tree(&scp_b.disk.ram, "/", SCP_TREE_MODES | SCP_TREE_TIMES);
        assert_string_equal(before, after);
        free(before);
        free(after);
    }
    scp_b.disk.ram.fs.read_only = true;
    assert_int_equal(scp_serve(&scp_b, "scp -f f"), 0);
    assert_int_equal(FEED("\0\0\0"), 0);
}

static void test_s4_times_of_an_existing_directory(void **state)
{
    (void)state;
    dory_ram_put(&scp_b.disk.ram, "/d/d", DORY_FS_DIR, 0755, NULL, 0);
    scp_b.disk.ram.fs.read_only = true;
    assert_int_equal(scp_serve(&scp_b, "scp -rp -t d"), 0);
    assert_int_equal(FEED("T1 0 1 0\nD0700 0 d\nE\n"), 1);
    assert_memory_equal(out, "\0\0\0\1scp: d/d/: Read-only file system\n", said);
    assert_int_equal(scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/d/d")].mtime, 0);
}

static void test_s5_full(void **state)
{
    static char script[600] = "C0644 500 old\n";

    (void)state;
    memset(script + 14, 'y', 500);
    memcpy(script + 514, "\0C0644 1 small\nx", 17);
    for (unsigned late = 0; late < 2; late++) {
        scp_kit_reset();
        scp_put(&scp_b, "/d/old", "old");
        scp_b.disk.ram.block_count = 2;
        scp_b.disk.ram.free_blocks = 1;
        scp_b.disk.ram.late_full = late;
        assert_int_equal(scp_serve(&scp_b, "scp -t d"), 0);
        if (late)
            assert_int_equal(feed(script, 531), 1);
        else
            assert_int_equal(FEED("C0644 500 old\nC0644 1 small\nx\0"), 1);
        assert_string_equal(scp_content(&scp_b.disk.ram, "/d/old"), "old");
        assert_string_equal(scp_content(&scp_b.disk.ram, "/d/small"), "x");
        assert_string_equal(scp_b.ear.errors, "d/old: No space left on device\n");
        assert_non_null(memmem(out, said, "\1scp: d/old: No space left on device\n", 37));
    }
}

static void test_targets_as_people_know_them(void **state)
{
    static const struct {
        const char *line, *said;
    } cases[] = {
        {"scp -d -t none", "\1scp: none: No such file or directory\n"},
        {"scp -d -t f", "\1scp: f: Not a directory\n"},
        {"scp -t none/", "_\1scp: none/: Not a directory\n"},
        {"scp -t f/", "_\1scp: f/: Not a directory\n"},
        {"scp -t none/x", "\1scp: none/x: No such file or directory\n"},
        {"scp -t f/x", "\1scp: f/x: Not a directory\n"},
        {"scp -t f g", "\1scp: g: ambiguous target\n"},
        {"scp -t *", "\1scp: f: ambiguous target\n"},
        {"scp -t z*", "\1scp: z*: No such file or directory\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scp_kit_reset();
        dory_ram_put(&scp_b.disk.ram, "/d", DORY_FS_DIR, 0755, NULL, 0);
        scp_put(&scp_b, "/f", "old");
        assert_int_equal(scp_serve(&scp_b, cases[i].line), 0);
        assert_int_equal(FEED("C0644 1 f\n"), 1);
        for (size_t j = 0; j < said; j++)
            if (!out[j])
                out[j] = '_';
        assert_string_equal(out, cases[i].said);
        assert_string_equal(scp_content(&scp_b.disk.ram, "/f"), "old");
    }
    assert_int_equal(scp_serve(&scp_b, "scp -t d*"), 0);
    assert_int_equal(FEED("C0644 1 f\nx\0"), 0);
    assert_string_equal(scp_content(&scp_b.disk.ram, "/d/f"), "x");
    assert_int_equal(scp_serve(&scp_b, "scp -r -t made/"), 0);
    assert_int_equal(FEED("D0755 0 any\nE\n"), 0);
    assert_int_equal(scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/made")].type, DORY_FS_DIR);
}

/* A device's sink: a folder is refused in order, and what comes behind it is stored. */
static void test_a_sink_without_directories(void **state)
{
    (void)state;
    assert_int_equal(scp_serve(&scp_b, "scp -r -t ."), 0);
    scp_b.engine.sink.base.config.tree = NULL;
    assert_int_equal(FEED("D0755 0 d\nC0644 1 f\nx\0"), 1);
    assert_memory_equal(out, "\0\1scp: ", 7);
    assert_non_null(strstr(out + 2, "Operation not supported\n"));
    assert_string_equal(scp_content(&scp_b.disk.ram, "/f"), "x");
    assert_true(dory_ram_find(&scp_b.disk.ram, "/d") < 0);
    assert_int_equal(scp_serve(&scp_b, "scp -r -t ."), 0);
    scp_b.engine.sink.base.config.tree = NULL;
    assert_int_equal(FEED("E\nE\n"), 1);
}

/* ---- a hostile sink */

static int serve_source(const char *line)
{
    scp_kit_reset();
    scp_put(&scp_b, "/f", "content");
    scp_put(&scp_b, "/g", "more");
    assert_int_equal(scp_serve(&scp_b, line), 0);
    return 0;
}

static void test_sink_replies_nonsense(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++)
        for (size_t at = 0; at < 4; at++) {
            char script[8] = {0};

            script[at] = (char)byte;
            script[at + 1] = '\n';
            serve_source("scp -f f g");
            if (byte == 0)
                continue;
            assert_int_equal(feed(script, at + 2), 1);
            assert_int_equal(scp_b.ear.begins, scp_b.ear.ends);
        }
}

static void test_sink_refuses_each_record(void **state)
{
    (void)state;
    serve_source("scp -f f g");
    assert_int_equal(FEED("\0\1f: no\n\0\0"), 1);
    assert_memory_equal(out, "C0644 7 f\nC0644 4 g\nmore", 25);
    assert_string_equal(scp_b.ear.messages, "f: no\n");
    serve_source("scp -f f g");
    assert_int_equal(FEED("\1not at all\n\0\0\0"), 1);
    assert_int_equal(said, 0);
    serve_source("scp -f f g");
    assert_int_equal(FEED("\0\0\1disk full\n\0\0"), 1);
    assert_int_equal(scp_b.ear.good_ends, 1);
    serve_source("scp -f f g");
    assert_int_equal(FEED("\0\2gone\n\0\0"), 1);
    assert_int_equal(said, 10);
}

static void test_sink_gives_up_during_the_data(void **state)
{
    struct dory_stream *s = &scp_b.engine.stream;
    uint8_t buf[64];

    (void)state;
    scp_fill(&scp_b, "/big", 100000, 0644, 0);
    assert_int_equal(scp_serve(&scp_b, "scp -f big"), 0);
    assert_int_equal(s->ops->push(s, (const uint8_t *)"\0", 1), 1);
    while (scp_b.engine.source.base.present.info.size == 0 || s->ops->pull(s, buf, 64))
        s->ops->pull(s, buf, 1);
    assert_int_equal(s->ops->push(s, (const uint8_t *)"\0", 1), 1);
    assert_int_equal(s->ops->pull(s, buf, 64), 64);
    /* An early good reply waits; an early fatal one ends. */
    assert_int_equal(s->ops->push(s, (const uint8_t *)"\0", 1), 0);
    assert_int_equal(s->ops->push(s, (const uint8_t *)"\2out of disk\n", 13), 13);
    assert_int_equal(s->ops->pull(s, buf, 64), 0);
    assert_int_equal(s->ops->status(s), 1);
    assert_string_equal(scp_b.ear.messages, "out of disk\n");
    assert_int_equal(scp_b.ear.ends, 1);
}

static void test_sink_replies_before_its_turn(void **state)
{
    struct dory_stream *s = &scp_b.engine.stream;
    uint8_t byte;

    (void)state;
    serve_source("scp -f f");
    assert_int_equal(s->ops->push(s, (const uint8_t *)"\0\0", 2), 1);
    for (size_t i = 0; i < strlen("C0644 7 f\n"); i++) {
        assert_int_equal(s->ops->push(s, (const uint8_t *)"\0", 1), 0);
        assert_int_equal(s->ops->pull(s, &byte, 1), 1);
    }
    assert_int_equal(s->ops->push(s, (const uint8_t *)"\0", 1), 1);
    s->ops->stop(s);
}

/* The last reply and the end of data come in one packet: that is an end in order, if it was the last. */
static void test_sink_ends_with_its_last_reply(void **state)
{
    struct dory_stream *s = &scp_b.engine.stream;
    uint8_t buf[64];

    (void)state;
    for (unsigned files = 1; files <= 2; files++) {
        serve_source(files == 1 ? "scp -f f" : "scp -f f g");
        for (unsigned reply = 0; reply < 3; reply++) {
            assert_int_equal(s->ops->push(s, (const uint8_t *)"\0", 1), 1);
            if (reply < 2)
                assert_true(s->ops->pull(s, buf, sizeof buf) > 0);
        }
        s->ops->eof(s);
        while (s->ops->pull(s, buf, sizeof buf))
            continue;
        assert_int_equal(s->ops->status(s), files == 1 ? 0 : 1);
        assert_string_equal(scp_b.ear.errors, files == 1 ? "" : "lost connection\n");
        s->ops->stop(s);
    }
}

/* What could not be read is sent as zeros, not as whatever the buffer held before. */
static void test_s5_nothing_of_the_buffer_leaks_into_a_broken_file(void **state)
{
    struct dory_stream *s = &scp_b.engine.stream;
    uint8_t buf[64];
    size_t n;

    (void)state;
    scp_fill(&scp_b, "/big", 1000, 0644, 0);
    assert_int_equal(scp_serve(&scp_b, "scp -f big"), 0);
    scp_b.disk.ram.only = 1u << DORY_RAM_READ;
    scp_b.disk.ram.fail_at = 1;
    scp_b.disk.ram.fail_with = DORY_E_IO;
    s->ops->push(s, (const uint8_t *)"\0", 1);
    assert_int_equal(s->ops->pull(s, buf, sizeof buf), strlen("C0644 1000 big\n"));
    s->ops->push(s, (const uint8_t *)"\0", 1);
    for (size_t left = 1000; left; left -= n) {
        memset(buf, 's', sizeof buf);
        n = s->ops->pull(s, buf, left < sizeof buf ? left : sizeof buf);
        assert_true(n > 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(buf[i], 0);
    }
    n = s->ops->pull(s, buf, sizeof buf);
    assert_memory_equal(buf, "\1scp: big: Input/output error\n", n);
    s->ops->stop(s);
}

static void test_a_path_longer_than_a_message(void **state)
{
    static char line[DORY_COMMAND_MAX];

    (void)state;
    memset(line, 'p', sizeof line - 1);
    memcpy(line, "scp -f head", 11);
    line[500] = line[700] = line[900] = line[1100] = line[1300] = line[1500] = '/';
    line[1600] = '\0';
    assert_int_equal(scp_serve(&scp_b, line), 0);
    assert_int_equal(FEED("\0"), 1);
    assert_true(said <= DORY_SCP_LINE_MAX);
    assert_memory_equal(out, "\1scp: ppp", 9);
    assert_non_null(strstr(out, "ppp: invalid or too long name\n"));
    /* This side is told the whole path. */
    assert_memory_equal(scp_b.ear.errors, "headp", 5);
}

static void test_sink_reply_without_end(void **state)
{
    static char script[1 << 20];

    (void)state;
    for (const char *kind = "\1\2x"; *kind; kind++) {
        memset(script, 'x', sizeof script);
        script[0] = *kind;
        serve_source("scp -f f");
        assert_int_equal(feed(script, sizeof script), 1);
        assert_string_equal(scp_b.ear.errors, "protocol error: line too long\n");
    }
}

static void test_sink_ends_at_each_reply(void **state)
{
    (void)state;
    for (size_t n = 0; n < 6; n++) {
        serve_source("scp -f f g");
        assert_int_equal(feed("\0\0\0\0\0", n), n < 5);
        assert_int_equal(scp_b.ear.begins, scp_b.ear.ends);
        assert_int_equal(scp_b.ear.good_ends, n < 3 ? 0 : n < 5 ? 1 : 2);
    }
}

/* The end of data counts though there is no room to pull, and never will be. */
static void test_sink_ends_and_takes_no_more(void **state)
{
    struct dory_stream *s = &scp_b.engine.stream;
    uint8_t buf[64];

    (void)state;
    scp_fill(&scp_b, "/big", 100000, 0644, 0);
    for (int data = 0; data < 2; data++) {
        assert_int_equal(scp_serve(&scp_b, "scp -f big"), 0);
        assert_int_equal(s->ops->push(s, (const uint8_t *)"\0", 1), 1);
        while (s->ops->pull(s, buf, sizeof buf)) continue;
        if (data)
            assert_int_equal(s->ops->push(s, (const uint8_t *)"\0", 1), 1);
        assert_int_equal(s->ops->status(s), DORY_E_AGAIN);
        s->ops->eof(s);
        assert_int_equal(s->ops->status(s), 1);
        assert_int_equal(dory_ram_open_handles(&scp_b.disk.ram), 0);
    }
}

static void test_missing_and_unreadable_sources(void **state)
{
    (void)state;
    serve_source("scp -f none f z* none/x d");
    dory_ram_put(&scp_b.disk.ram, "/d", DORY_FS_DIR, 0755, NULL, 0);
    assert_int_equal(FEED("\0\0\0"), 1);
    assert_string_equal(out, "\1scp: none: No such file or directory\nC0644 7 f\ncontent");
    assert_memory_equal(out + strlen(out), "\0\1scp: z*: No such file or directory\n\1scp: none/x: No such file or directory\n"
                                           "\1scp: d: not a regular file\n", said - strlen(out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, scp_kit_setup, scp_kit_teardown)
        T(test_s1_a_remote_shell_gets_the_path_and_nothing_else),
        T(test_s1_our_server_gets_the_path_and_nothing_else),
        T(test_s1_fetching_odd_names),
        T(test_s2_commands_that_only_a_shell_would_run),
        T(test_s2_every_byte_in_every_place),
        T(test_s3_paths_above_the_root),
        T(test_s3_harmless_paths_work),
        T(test_s3_links_out_of_the_root),
        T(test_s3_target_swapped_during_the_transfer),
        T(test_s4_read_only),
        T(test_s4_times_of_an_existing_directory),
        T(test_s5_full),
        T(test_targets_as_people_know_them),
        T(test_sink_replies_nonsense),
        T(test_sink_refuses_each_record),
        T(test_sink_gives_up_during_the_data),
        T(test_sink_replies_before_its_turn),
        T(test_sink_ends_with_its_last_reply),
        T(test_s5_nothing_of_the_buffer_leaks_into_a_broken_file),
        T(test_a_path_longer_than_a_message),
        T(test_sink_reply_without_end),
        T(test_sink_ends_at_each_reply),
        T(test_a_sink_without_directories),
        T(test_sink_ends_and_takes_no_more),
        T(test_missing_and_unreadable_sources),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
