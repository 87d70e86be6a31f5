/* Our engines against the scp of the machine (openssh-client): the source against `scp -t`, the sink against `scp -f`, and what both
 * say to the same bytes. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scp_kit.h"

static char place[64];

struct peer {
    pid_t pid;
    int in, out; /* what it reads, what it writes */
};

/* `scp ARGUMENTS` in the temporary place. */
static struct peer start(const char *arguments)
{
    int to[2], from[2];
    struct peer peer;
    char command[300];

    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    snprintf(command, sizeof command, "cd %s && exec scp %s 2>/dev/null", place, arguments);
    fflush(NULL);
    peer.pid = fork();
    assert_true(peer.pid >= 0);
    if (peer.pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[0]), close(to[1]), close(from[0]), close(from[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(99);
    }
    close(to[0]);
    close(from[1]);
    peer.in = to[1];
    peer.out = from[0];
    assert_int_equal(fcntl(peer.in, F_SETFL, O_NONBLOCK), 0);
    return peer;
}

static int finish(struct peer *peer)
{
    int status;

    if (peer->in >= 0)
        close(peer->in);
    close(peer->out);
    assert_int_equal(waitpid(peer->pid, &status, 0), peer->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* One engine against the peer, until the engine ends. The peer's exit status. */
static int talk(struct scp_end *end, const char *arguments, int *ours)
{
    struct peer peer = start(arguments);
    struct dory_stream *s = &end->engine.stream;
    uint8_t out[3000], in[5000];
    size_t out_n = 0, in_at = 0, in_n = 0;
    bool told = false;

    while (s->ops->status(s) == DORY_E_AGAIN) {
        struct pollfd p[2] = {{.fd = peer.out, .events = POLLIN}, {.fd = peer.in, .events = POLLOUT}};
        ssize_t r;

        in_at += s->ops->push(s, in + in_at, in_n - in_at);
        if (!out_n)
            out_n = s->ops->pull(s, out, sizeof out);
        if (!out_n && s->ops->status(s) != DORY_E_AGAIN)
            break;
        p[0].events = in_at == in_n && !told ? POLLIN : 0;
        p[1].fd = out_n ? peer.in : -1;
        if (!out_n && in_at < in_n)
            continue;
        if (told && !out_n)
            continue;
        assert_true(poll(p, 2, 10000) > 0);
        if (in_at == in_n && p[0].revents && !told) {
            r = read(peer.out, in, sizeof in);
            assert_true(r >= 0);
            in_at = 0;
            in_n = (size_t)r;
            if (r == 0) {
                told = true;
                s->ops->eof(s);
            }
        }
        if (p[1].revents & POLLOUT) {
            r = write(peer.in, out, out_n);
            assert_true(r > 0);
            memmove(out, out + r, out_n - (size_t)r);
            out_n -= (size_t)r;
        } else if (p[1].revents) {
            out_n = 0;
        }
    }
    *ours = s->ops->status(s);
    s->ops->stop(s);
    return finish(&peer);
}

static void plant(void)
{
    scp_fill(&scp_a, "/tree/empty", 0, 0600, 1000000001);
    scp_fill(&scp_a, "/tree/one", 1, 0644, 1000000002);
    scp_fill(&scp_a, "/tree/sub/32k", 32768, 0755, 1000000003);
    scp_fill(&scp_a, "/tree/sub/32k+1", 32769, 0444, 86400);
    scp_fill(&scp_a, "/tree/sub/deep/more", 300001, 04711, 2147483648LL);
    scp_fill(&scp_a, "/tree/sub/deep/-odd name 'x\"$`\\", 33, 0644, 1700000000);
    scp_fill(&scp_a, "/tree/sub/\xc3\xa4\xe2\x82\xac", 33, 0640, 1700000001);
    dory_ram_put(&scp_a.disk.ram, "/tree/void", DORY_FS_DIR, 0700, NULL, 0);
    dory_ram_put(&scp_a.disk.ram, "/tree/locked", DORY_FS_DIR, 0555, NULL, 0);
    scp_fill(&scp_a, "/tree/locked/in", 12, 0400, 99);
    for (int i = 0; i < SCP_KIT_NODES; i++)
        if (scp_a.disk.nodes[i].type == DORY_FS_DIR) {
            scp_a.disk.nodes[i].mtime = 1234500000 + i;
            scp_a.disk.nodes[i].atime = 1234600000 + i;
        }
}

/* Up into the real scp, down from it, the same on the other disk. */
static void there_and_back(unsigned flags, const char *options, unsigned compare)
{
    const char *names[1] = {"tree"};
    char arguments[100];
    int ours;

    plant();
    scp_source(&scp_a, flags, "tree", NULL);
    snprintf(arguments, sizeof arguments, "%s -t copy", options);
    assert_int_equal(talk(&scp_a, arguments, &ours), 0);
    assert_int_equal(ours, 0);
    assert_string_equal(scp_a.ear.messages, "");
    snprintf(arguments, sizeof arguments, "%s -f copy", options);
    names[0] = "copy";
    scp_sink_names(&scp_b, flags, "tree", names, 1);
    assert_int_equal(talk(&scp_b, arguments, &ours), 0);
    assert_int_equal(ours, 0);
    assert_string_equal(scp_b.ear.messages, "");
    assert_string_equal(scp_b.ear.errors, "");
    scp_assert_same_tree("/tree", "/tree", compare);
}

static void test_tree(void **state)
{
    (void)state;
    there_and_back(DORY_SCP_RECURSE, "-r", 0);
}

static void test_tree_with_times(void **state)
{
    struct stat st;
    char path[200];

    (void)state;
    there_and_back(DORY_SCP_RECURSE | DORY_SCP_TIMES, "-r -p", SCP_TREE_MODES | SCP_TREE_TIMES);
    snprintf(path, sizeof path, "%s/copy/sub/deep/more", place);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 300001);
    assert_int_equal(st.st_mode & 07777, 04711);
    assert_int_equal(st.st_mtime, 2147483648LL);
}

/* OpenSSH's source calls it ".", which it then refuses itself. */
static void test_the_directory_itself(void **state)
{
    const char *any[1] = {"/"};
    int ours;

    (void)state;
    plant();
    scp_source(&scp_a, DORY_SCP_RECURSE, "tree", NULL);
    assert_int_equal(talk(&scp_a, "-r -t tree", &ours), 0);
    for (unsigned there = 0; there < 2; there++) {
        dory_ram_init(&scp_b.disk.ram, scp_b.disk.nodes, SCP_KIT_NODES, scp_b.disk.blocks, SCP_KIT_BLOCKS);
        if (there)
            dory_ram_put(&scp_b.disk.ram, "/all", DORY_FS_DIR, 0755, NULL, 0);
        scp_sink_names(&scp_b, DORY_SCP_RECURSE, "all", any, 1);
        assert_int_equal(talk(&scp_b, "-r -f .", &ours), 0);
        assert_int_equal(ours, 0);
        scp_assert_same_tree("/", "/all/", 0);
    }
}

static void test_missing_files_both_ways(void **state)
{
    const char *names[1] = {"*"};
    int ours;

    (void)state;
    scp_put(&scp_a, "/f", "x");
    scp_source(&scp_a, 0, "none", "f", NULL);
    assert_int_equal(talk(&scp_a, "-t copy", &ours), 1);
    assert_int_equal(ours, 1);
    dory_ram_put(&scp_b.disk.ram, "/d", DORY_FS_DIR, 0755, NULL, 0);
    scp_sink_names(&scp_b, 0, "d", names, 1);
    assert_int_equal(talk(&scp_b, "-f none copy", &ours), 1);
    assert_int_equal(ours, 1);
    assert_string_equal(scp_b.ear.messages, "scp: none: No such file or directory\n");
    assert_string_equal(scp_content(&scp_b.disk.ram, "/d/copy"), "x");
}

static void test_refusals_of_the_other_side(void **state)
{
    int ours;

    (void)state;
    scp_put(&scp_a, "/f", "x");
    scp_source(&scp_a, 0, "f", NULL);
    assert_int_equal(talk(&scp_a, "-t none/copy", &ours), 1);
    assert_int_equal(ours, 1);
    assert_string_equal(scp_a.ear.messages, "scp: none/copy: No such file or directory\n");
    scp_source(&scp_a, 0, "f", NULL);
    talk(&scp_a, "-d -t none", &ours);
    assert_int_equal(ours, 1);
}

/* Writes all of the script at once, then reads all. */
static size_t say(const char *arguments, const char *script, size_t n, char *out, size_t cap)
{
    struct peer peer = start(arguments);
    size_t at = 0;
    ssize_t r;

    assert_int_equal(write(peer.in, script, n), n);
    close(peer.in);
    peer.in = -1;
    while (at < cap && (r = read(peer.out, out + at, cap - at)) > 0)
        at += (size_t)r;
    finish(&peer);
    return at;
}

/* The same bytes to scp and to our server: the same bytes back. The disks hold: d/, f, x.sh, d/g. */
static void test_golden_bytes(void **state)
{
    static const struct {
        const char *arguments, *script;
        size_t n;
    } cases[] = {
#define CASE(arguments, script) {arguments, script, sizeof(script) - 1}
        CASE("-t new", "C0644 3 a\nabc\0"),
        CASE("-t d", "C0644 3 a\nabc\0C0755 0 empty\n\0"),
        CASE("-p -t d", "T1000000000 0 1000000001 0\nC0644 3 b\nabc\0"),
        CASE("-r -t d", "D0755 0 e\nC0644 1 x\nx\0D0700 0 f\nE\nE\nC0644 1 y\ny\0"),
        CASE("-rp -t d", "T1 0 1 0\nD0755 0 e2\nT1 0 1 0\nC0644 1 x\nx\0E\n"),
        CASE("-t d", "C0644 3 e\n\1scp: e: gone\nC0644 1 ok\n1\0"),
        CASE("-d -t none", ""),
        CASE("-d -t f", ""),
        CASE("-r -t f", "D0755 0 d\n"),
        CASE("-f f", "\0\0\0"),
        CASE("-p -f f", "\0\0\0\0"),
        CASE("-p -f x.sh", "\0\0\0\0"),
        CASE("-r -f d2", "\0\0\0\0\0"),
        CASE("-rp -f d2", "\0\0\0\0\0\0\0"),
        CASE("-f none", "\0"),
        CASE("-f none/x f", "\0\0\0"),
        CASE("-f f/x", "\0"),
        CASE("-f d2", "\0"),
        CASE("-f d2 f", "\0\0\0"),
        CASE("-f f/", "\0\0\0"),
        CASE("-f ./d2//../f", "\0\0\0"),
        CASE("-f f x.sh", "\0\1no\n\0\0"),
    };
    static char theirs[5000], ours[5000];
    char setup[600];

    (void)state;
    snprintf(setup, sizeof setup,
             "cd %s && rm -rf * && mkdir d d2 && printf content > f && printf '#!' > x.sh && chmod 755 x.sh d d2 && chmod 644 f && "
             "printf g > d2/g && chmod 600 d2/g && TZ=UTC touch -d '2001-09-09 01:46:40' f x.sh d2/g d2", place);
    assert_int_equal(system(setup), 0);
    dory_ram_put(&scp_b.disk.ram, "/d", DORY_FS_DIR, 0755, NULL, 0);
    dory_ram_put(&scp_b.disk.ram, "/d2", DORY_FS_DIR, 0755, NULL, 0);
    scp_put(&scp_b, "/f", "content");
    scp_put(&scp_b, "/x.sh", "#!");
    scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/x.sh")].mode = 0755;
    scp_put(&scp_b, "/d2/g", "g");
    scp_b.disk.nodes[dory_ram_find(&scp_b.disk.ram, "/d2/g")].mode = 0600;
    for (int i = 0; i < 10; i++)
        scp_b.disk.nodes[i].mtime = scp_b.disk.nodes[i].atime = 1000000000;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t theirs_n, ours_n;
        char line[100];

        snprintf(setup, sizeof setup, "cd %s && TZ=UTC touch -d '2001-09-09 01:46:40' f x.sh d2/g d2", place);
        assert_int_equal(system(setup), 0);
        theirs_n = say(cases[i].arguments, cases[i].script, cases[i].n, theirs, sizeof theirs);
        snprintf(line, sizeof line, "scp %s", cases[i].arguments);
        assert_int_equal(scp_serve(&scp_b, line), 0);
        scp_feed(&scp_b, cases[i].script, cases[i].n, 0, ours, sizeof ours, &ours_n);
        if (theirs_n != ours_n || memcmp(theirs, ours, ours_n) != 0) {
            theirs[theirs_n] = '\0';
            fail_msg("%s: theirs (%zu) \"%s\" ours (%zu) \"%s\"", line, theirs_n, theirs + !*theirs, ours_n, ours + !*ours);
        }
    }
}

static int make_place(void **state)
{
    (void)state;
    scp_kit_reset();
    signal(SIGPIPE, SIG_IGN);
    strcpy(place, "/tmp/dory-scp-XXXXXX");
    return mkdtemp(place) ? 0 : -1;
}

static int remove_place(void **state)
{
    char command[200];

    snprintf(command, sizeof command, "chmod -R u+rwx %s && rm -rf %s", place, place);
    return system(command) || scp_kit_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)
        T(test_tree),
        T(test_tree_with_times),
        T(test_the_directory_itself),
        T(test_missing_files_both_ways),
        T(test_refusals_of_the_other_side),
        T(test_golden_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
