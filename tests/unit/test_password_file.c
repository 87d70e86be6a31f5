/* The password file; and what people type and see on a terminal. */
#include "posix_kit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "dory_posix_auth.h"
#include "dory_posix_sys.h"

static const struct dory_rng rng = {.fill = dory_posix_rng};
static char why[DORY_WHY_MAX];

static int check(const char *user, const char *password)
{
    return dory_password_check("passwords", user, (const uint8_t *)password, strlen(password), why);
}

static void make_line(char *out, size_t cap, const char *user, const char *password, uint32_t rounds)
{
    char hash[DORY_PASSWORD_HASH_MAX];
    assert_true(dory_password_hash(hash, (const uint8_t *)password, strlen(password), rounds, &rng) > 0);
    size_t n = strlen(out);
    snprintf(out + n, cap - n, "%s:%s\n", user, hash);
}

static void test_right_and_wrong(void **state)
{
    (void)state;
    char text[2048] = "# comment\n\nbroken\n:nobody\n";
    make_line(text, sizeof text, "alice", "correct horse", 1000);
    make_line(text, sizeof text, "bob", "p\xc3\xa4ss:w\"rd $", 2000);
    strcat(text, "carol:$pbkdf2-sha256$0$AAAA$AAAA\ncarol:plain\n");
    posix_kit_write("passwords", text, 0600);
    assert_int_equal(check("alice", "correct horse"), DORY_OK);
    assert_int_equal(check("bob", "p\xc3\xa4ss:w\"rd $"), DORY_OK);
    static const char *const wrong[][2] = {{"alice", "correct horse "},
                                           {"alice", "Correct horse"},
                                           {"alice", ""},
                                           {"bob", "correct horse"},
                                           {"", ""},
                                           {"Alice", "correct horse"},
                                           {"carol", "plain"},
                                           {"carol", ""},
                                           {"# comment", ""},
                                           {"mallory", "x"},
                                           {"broken", ""},
                                           {"", "nobody"},
                                           {"alice:", "x"},
                                           {"alice", "correct"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_int_equal(check(wrong[i][0], wrong[i][1]), DORY_E_AUTH);
    assert_int_equal(dory_password_check("passwords", "alice", (const uint8_t *)"correct horse\0x", 15, why), DORY_E_AUTH);
    static uint8_t longest[10240];
    assert_int_equal(dory_password_check("passwords", "alice", longest, sizeof longest, why), DORY_E_AUTH);
}

static void test_known_hash(void **state)
{
    (void)state;
    /* python3: hashlib.pbkdf2_hmac("sha256", b"password", b"saltsaltsaltsalt", 1000) */
    posix_kit_write("passwords", "u:$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0c2FsdA$8nX7hwFEzIB8aPajJTYK8weHQc5Ngz0pFVAKvSu4jQA\n", 0600);
    assert_int_equal(check("u", "password"), DORY_OK);
}

static void test_damaged_lines_let_nobody_in(void **state)
{
    (void)state;
    char text[512] = "", line[512];
    make_line(text, sizeof text, "u", "password", 1000);
    size_t n = strlen(text) - 1;
    for (size_t i = 0; i < n; i++) {
        snprintf(line, sizeof line, "%.*s\n", (int)i, text);
        posix_kit_write("passwords", line, 0600);
        int r = dory_password_check("passwords", "u", (const uint8_t *)"x", 1, why);
        assert_int_equal(r, DORY_E_AUTH);
        if (i > 25)
            i += 6; /* each try costs the work of a real one */
    }
    static const char *const bad[] = {"u:$pbkdf2-sha256$99999999999999999999$c2FsdHNhbHQ$", "u:$pbkdf2-sha256$-1$c2FsdHNhbHQ$",
                                      "u:$pbkdf2-sha256$ 1$c2FsdHNhbHQ$", "u:$pbkdf2-sha256$1000$$", "u:$pbkdf2-sha512$1000$c2FsdHNhbHQ$"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(line, sizeof line, "%sAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", bad[i]);
        posix_kit_write("passwords", line, 0600);
        assert_int_equal(check("u", "x"), DORY_E_AUTH);
    }
}

static uint64_t cpu_time(const char *user, const char *password)
{
    struct timespec a, b;
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 5; i++) {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
        check(user, password);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
        uint64_t t = (uint64_t)(b.tv_sec - a.tv_sec) * 1000000000 + (uint64_t)b.tv_nsec - (uint64_t)a.tv_nsec;
        if (t < best)
            best = t;
    }
    return best;
}

/* THREATS A4: known or not, cheap line or costly one, the work is the same. */
static void test_the_same_work_for_everybody(void **state)
{
    (void)state;
    char text[2048] = "";
    make_line(text, sizeof text, "cheap", "a", 1000);
    make_line(text, sizeof text, "dear", "b", 60000);
    posix_kit_write("passwords", text, 0600);
    uint64_t known = cpu_time("dear", "wrong"), cheap = cpu_time("cheap", "wrong"), unknown = cpu_time("nobody", "wrong"),
             right = cpu_time("cheap", "a");
    const uint64_t times[] = {cheap, unknown, right};
    for (size_t i = 0; i < 3; i++) assert_in_range(times[i], known / 2, known * 2);
}

static void test_files_that_others_can_use(void **state)
{
    (void)state;
    char text[512] = "";
    make_line(text, sizeof text, "u", "password", 1000);
    static const unsigned bad[] = {0640, 0604, 0620, 0666};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        posix_kit_write("passwords", text, bad[i]);
        assert_int_equal(check("u", "password"), DORY_E_ACCESS);
        assert_non_null(strstr(why, "chmod 600 passwords"));
    }
    unlink("passwords");
    assert_int_equal(check("u", "password"), DORY_E_NOENT);
    assert_non_null(strstr(why, "passwords"));
}

static void test_hash_password_command(void **state)
{
    (void)state;
    int status;
    posix_kit_write("in", "the password\nmore\n", 0600);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(open("in", O_RDONLY), 0);
        dup2(open("passwords", O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
        _exit(dory_cmd_hash_password("me"));
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_memory_equal(posix_kit_read("passwords"), "me:$pbkdf2-sha256$100000$", 24);
    assert_int_equal(check("me", "the password"), DORY_OK);
    assert_int_equal(check("me", "more"), DORY_E_AUTH);
}

/* ---- text */

static void assert_escaped(const char *bytes, size_t n, const char *expected)
{
    char out[256];
    assert_int_equal(dory_escape_text(out, sizeof out, bytes, n), strlen(expected));
    assert_string_equal(out, expected);
}
#define ESCAPED(bytes, expected) assert_escaped(bytes, sizeof(bytes) - 1, expected)

static void test_escape(void **state)
{
    (void)state;
    ESCAPED("", "");
    ESCAPED("plain text ~", "plain text ~");
    ESCAPED("a\nb\tc\rd\\", "a\\nb\\tc\\rd\\\\");
    ESCAPED("\033[2J\007\177\0x", "\\033[2J\\007\\177\\000x");
    ESCAPED("\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9f", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9f");
    ESCAPED("\xc2\x9b"
            "31m",
            "\\302\\23331m"); /* C1 as UTF-8 */
    ESCAPED("\x9b"
            "31m",
            "\\23331m");                        /* and as a byte */
    ESCAPED("\xe2\x80\xae", "\\342\\200\\256"); /* right-to-left override */
    ESCAPED("\xe2\x81\xa6\xe2\x80\xa8\xef\xbb\xbf", "\\342\\201\\246\\342\\200\\250\\357\\273\\277");
    ESCAPED("\xc0\xaf\xe0\x80\xaf", "\\300\\257\\340\\200\\257"); /* overlong */
    ESCAPED("\xed\xa0\x80", "\\355\\240\\200");                   /* surrogate */
    ESCAPED("\xf4\x90\x80\x80\xff\xfe", "\\364\\220\\200\\200\\377\\376");
    ESCAPED("\xe2\x82", "\\342\\202"); /* cut */
    char out[8];
    assert_int_equal(dory_escape_text(out, 4, "ab\xc3\xa4", 4), 2); /* between characters */
    assert_string_equal(out, "ab");
    assert_int_equal(dory_escape_text(out, 5, "ab\n\n", 4), 4);
    assert_string_equal(out, "ab\\n");
    assert_int_equal(dory_escape_text(out, 1, "abc", 3), 0);
    assert_string_equal(out, "");
}

/* ---- the terminal: a child on a pseudo-terminal asks, this process is the person */

static pid_t person(int *master, int (*child_main)(void))
{
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(*master >= 0 && grantpt(*master) == 0 && unlockpt(*master) == 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        int tty = open(ptsname(*master), O_RDWR);
        ioctl(tty, TIOCSCTTY, 0);
        close(*master);
        _exit(child_main());
    }
    return child;
}

static void read_until(int master, const char *text)
{
    char got[512] = "";
    size_t n = 0;
    while (strstr(got, text) == NULL && n + 1 < sizeof got) {
        ssize_t r = read(master, got + n, sizeof got - 1 - n);
        if (r <= 0)
            fail_msg("waiting for %s: %s", text, got);
        n += (size_t)r;
        got[n] = 0;
    }
}

static bool echoes(int master)
{
    struct termios t;
    assert_int_equal(tcgetattr(master, &t), 0);
    return t.c_lflag & ECHO;
}

static int asks_password(void)
{
    char buf[16];
    int r = dory_tty_password("Password: ", buf, sizeof buf);
    return r == 6 && strcmp(buf, "secret") == 0 ? 0 : r == DORY_E_SPACE ? 3 : r == DORY_E_CLOSED ? 4 : 1;
}

static int asks_with_echo(void)
{
    char buf[16];
    return dory_tty_ask("Sure? ", buf, sizeof buf) == 3 && strcmp(buf, "yes") == 0 ? 0 : 1;
}

static void on_interrupt(int signal)
{
    (void)signal;
}

static int survives_interrupt(void)
{
    signal(SIGINT, on_interrupt);
    return asks_password();
}

static void type(int master, const char *text)
{
    assert_int_equal(write(master, text, strlen(text)), strlen(text));
}

static int ended(pid_t child, int master)
{
    int status;
    waitpid(child, &status, 0);
    close(master);
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_password_on_a_terminal(void **state)
{
    (void)state;
    int master;
    pid_t child = person(&master, asks_password);
    int held = open(ptsname(master), O_RDWR | O_NOCTTY); /* keeps the terminal's settings after the child */
    read_until(master, "Password: ");
    assert_false(echoes(master));
    type(master, "secret\n");
    read_until(master, "\n");
    assert_int_equal(ended(child, master), 0);
    close(held);

    child = person(&master, asks_password);
    read_until(master, "Password: ");
    type(master, "much too long for it\n");
    assert_int_equal(ended(child, master), 3);

    child = person(&master, asks_password);
    read_until(master, "Password: ");
    type(master, "\004");
    assert_int_equal(ended(child, master), 4);

    child = person(&master, asks_with_echo);
    read_until(master, "Sure? ");
    assert_true(echoes(master));
    type(master, "yes\n");
    assert_int_equal(ended(child, master), 0);
}

static void test_interrupt_restores_the_terminal(void **state)
{
    (void)state;
    int master;
    for (int i = 0; i < 2; i++) {
        pid_t child = person(&master, i ? survives_interrupt : asks_password);
        int held = open(ptsname(master), O_RDWR | O_NOCTTY);
        read_until(master, "Password: ");
        assert_false(echoes(master));
        type(master, "\003");
        read_until(master, "\n");
        int r = ended(child, dup(master));
        assert_int_equal(r, i ? 4 : 1000 + SIGINT);
        assert_true(echoes(master));
        close(held);
        close(master);
    }
}

static int asks_without_terminal(void)
{
    char buf[16];
    setsid();
    return dory_tty_password("Password: ", buf, sizeof buf) == DORY_E_NOSYS ? 0 : 1;
}

static void test_no_terminal(void **state)
{
    (void)state;
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(asks_without_terminal());
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, posix_kit_enter, posix_kit_leave)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_right_and_wrong),
        T(test_known_hash),
        T(test_damaged_lines_let_nobody_in),
        T(test_the_same_work_for_everybody),
        T(test_files_that_others_can_use),
        T(test_hash_password_command),
        T(test_escape),
        T(test_password_on_a_terminal),
        T(test_interrupt_restores_the_terminal),
        T(test_no_terminal),
    };
    return dory_crypto_init() == DORY_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
