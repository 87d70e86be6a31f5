/* Key files and dory keygen, in both directions against the real ssh-keygen. */
#include "posix_kit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "commands.h"
#include "dory_posix_keyfile.h"
#include "dory_posix_sys.h"

static const struct dory_rng rng = {.fill = dory_posix_rng};
static char why[DORY_WHY_MAX];

static void need_ssh_keygen(void)
{
    if (!posix_kit_has("ssh-keygen"))
        skip();
}

/* `dory keygen` with these words, in a process of its own. What it printed is in the file "out". */
static int keygen(const char *input, const char *const *words)
{
    char *argv[16] = {"keygen"};
    int argc = 1, status;
    for (; *words; words++) argv[argc++] = (char *)(uintptr_t)*words;
    posix_kit_write("in", input, 0600);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600), in = open("in", O_RDONLY);
        dup2(in, 0), dup2(out, 1), dup2(out, 2);
        int r = dory_cmd_keygen(argc, argv);
        fflush(NULL);
        _exit(r);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}
#define KEYGEN(input, ...) keygen(input, (const char *const[]){__VA_ARGS__, NULL})

static void assert_same_output(const char *command, const char *mode, const char *file)
{
    if (posix_kit_sh("%s", command) != 0)
        fail_msg("%s: %s", command, posix_kit_output());
    assert_int_equal(KEYGEN("", mode, "-f", file), 0);
    assert_string_equal(posix_kit_read("out"), posix_kit_output());
}

static void test_we_read_what_ssh_keygen_writes(void **state)
{
    (void)state;
    need_ssh_keygen();
    struct dory_key key;
    uint8_t blob[DORY_KEY_BLOB_MAX];
    char comment[DORY_COMMENT_MAX], line[2048];
    static const char *const comments[] = {"", "a", "me@here", "with blanks  in it", "\xc3\xa9t\xc3\xa9", "1234567", "12345678"};
    for (size_t i = 0; i < sizeof comments / sizeof *comments; i++) {
        assert_int_equal(posix_kit_sh("rm -f k*; ssh-keygen -q -t ed25519 -N '' -C '%s' -f k", comments[i]), 0);
        assert_int_equal(dory_keyfile_load("k", &key, comment, why), DORY_OK);
        assert_string_equal(comment, comments[i]);
        assert_string_equal(why, "");
        int n = key.type->public_blob(&key, blob, sizeof blob);
        int length = dory_public_key_line(line, sizeof line, blob, (size_t)n, comment);
        assert_true(length > 0);
        const char *theirs = posix_kit_read("k.pub");
        assert_memory_equal(line, theirs, (size_t)length);
        if (i > 0)
            assert_same_output("ssh-keygen -l -f k", "-l", "k"); /* it shows a file name for an empty comment */
        assert_same_output("ssh-keygen -l -f k.pub", "-l", "k.pub");
        assert_same_output("ssh-keygen -y -f k", "-y", "k");
    }
}

static void test_ssh_keygen_reads_what_we_write(void **state)
{
    (void)state;
    need_ssh_keygen();
    assert_int_equal(KEYGEN("", "-q", "-t", "ed25519", "-N", "", "-C", "it's me", "-f", "k"), 0);
    assert_string_equal(posix_kit_read("out"), "");
    assert_int_equal(posix_kit_mode("k"), 0600);
    assert_int_equal(posix_kit_mode("k.pub"), 0644);
    assert_int_equal(posix_kit_sh("ssh-keygen -y -f k | cmp - k.pub"), 0);
    assert_int_equal(posix_kit_sh("ssh-keygen -l -f k | grep -q \"it's me (ED25519)\""), 0);
    assert_same_output("ssh-keygen -l -f k", "-l", "k");
    assert_int_equal(
        posix_kit_sh("echo text > m && ssh-keygen -q -Y sign -n file -f k m && echo it\\'s $(cut -d' ' -f1,2 k.pub) > allowed &&"
                     "ssh-keygen -Y verify -f allowed -I \"it's\" -n file -s m.sig < m"),
        0);
    assert_int_equal(
        posix_kit_sh("ssh-keygen -q -p -N secret -f k && ssh-keygen -q -p -P secret -N '' -f k && ssh-keygen -y -f k | cmp - k.pub"), 0);
    struct dory_key key;
    assert_int_equal(dory_keyfile_load("k", &key, NULL, why), DORY_OK);
}

static void test_keygen_asks_before_overwriting(void **state)
{
    (void)state;
    posix_kit_write("k", "precious", 0644);
    assert_int_equal(KEYGEN("n\n", "-f", "k"), 1);
    assert_non_null(strstr(posix_kit_read("out"), "k already exists.\nOverwrite (y/n)? "));
    assert_int_equal(KEYGEN("", "-q", "-f", "k"), 1); /* no answer is no */
    assert_string_equal(posix_kit_read("k"), "precious");
    assert_false(posix_kit_exists("k.pub"));
    assert_int_equal(KEYGEN("y\n", "-f", "k"), 0);
    assert_non_null(strstr(posix_kit_read("out"), "Your identification has been saved in k\nYour public key has been saved in k.pub\n"));
    assert_int_equal(posix_kit_mode("k"), 0600);
    assert_int_equal(posix_kit_count("."), 4); /* k, k.pub, in, out */
}

static void test_keygen_refuses_clearly(void **state)
{
    (void)state;
    assert_int_equal(KEYGEN("", "-t", "rsa", "-f", "k"), 1);
    assert_non_null(strstr(posix_kit_read("out"), "rsa cannot be made yet"));
    assert_int_equal(KEYGEN("", "-t", "dsa", "-f", "k"), 1);
    assert_int_equal(KEYGEN("", "-N", "secret", "-f", "k"), 1);
    assert_non_null(strstr(posix_kit_read("out"), "passphrase"));
    assert_null(strstr(posix_kit_read("out"), "secret"));
    assert_int_equal(KEYGEN("", "-C", "two\nlines", "-f", "k"), 1);
    assert_int_equal(KEYGEN("", "-q"), 1);
    assert_int_equal(KEYGEN("", "-f", "none/k"), 1);
    assert_non_null(strstr(posix_kit_read("out"), "cannot save none/k"));
    assert_false(posix_kit_exists("k"));
    assert_int_equal(KEYGEN("", "-l", "-f", "none"), 1);
    assert_int_equal(KEYGEN("", "-l", "-f", "in"), 1);
    assert_int_equal(KEYGEN("", "-y", "-f", "in"), 1);
}

static void test_fingerprints_of_all_kinds(void **state)
{
    (void)state;
    need_ssh_keygen();
    static const char *const kinds[] = {"rsa -b 2048",  "rsa -b 3072",  "rsa -b 1025", "ecdsa -b 256",
                                        "ecdsa -b 384", "ecdsa -b 521", "ed25519"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        assert_int_equal(posix_kit_sh("rm -f k*; ssh-keygen -q -t %s -N '' -C c%zu -f k && cat k.pub >> all", kinds[i], i), 0);
        assert_same_output("ssh-keygen -l -f k", "-l", "k");
        assert_same_output("ssh-keygen -l -f k.pub", "-l", "k.pub");
    }
    assert_int_equal(
        posix_kit_sh(
            "(echo '# comment'; echo; sed 's/^/no-pty,from=\"a b\" /' all; sed 's/^/host.example,1.2.3.4 /; s/ c[0-9]*$//' all) > many"),
        0);
    assert_same_output("ssh-keygen -l -f many", "-l", "many");
    assert_int_equal(posix_kit_sh("ssh-keygen -q -p -N secret -f k"), 0);
    assert_same_output("ssh-keygen -l -f k", "-l", "k");
}

static void test_what_cannot_be_used_is_said(void **state)
{
    (void)state;
    need_ssh_keygen();
    struct dory_key key;
    assert_int_equal(dory_keyfile_load("none", &key, NULL, why), DORY_E_NOENT);
    assert_non_null(strstr(why, "none"));
    assert_int_equal(
        posix_kit_sh(
            "ssh-keygen -q -t ed25519 -N secret -f enc && ssh-keygen -q -t rsa -N '' -f rsa && ssh-keygen -q -t rsa -m PEM -N '' -f pem &&"
            "ssh-keygen -q -t ed25519 -N '' -f ok && cp ok open && chmod 640 open && : > empty && head -c 20000 /dev/zero > zero &&"
            "mkdir dir && chmod 600 *.pub"),
        0);
    const struct {
        const char *file, *text;
        int error;
    } cases[] = {
        {"enc", "passphrase", DORY_E_NOSYS},    {"rsa", "ssh-rsa", DORY_E_NOSYS},     {"pem", "PEM", DORY_E_NOSYS},
        {"open", "chmod 600", DORY_E_ACCESS},   {"empty", "is empty", DORY_E_CRYPTO}, {"zero", "too large", DORY_E_CRYPTO},
        {"ok.pub", "public key", DORY_E_NOSYS}, {"dir", "cannot read dir", 0},        {"ok", "", DORY_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        chmod(cases[i].file, i == 3 ? 0640 : 0600);
        int r = dory_keyfile_load(cases[i].file, &key, NULL, why);
        if (i != 7)
            assert_int_equal(r, cases[i].error);
        else
            assert_true(r < 0);
        if (strstr(why, cases[i].text) == NULL)
            fail_msg("%s: %s", cases[i].file, why);
    }
}

/* Each prefix, and each byte damaged: refused without a crash, or (in the comment, or blanks) the same key. */
static void test_truncated_and_damaged(void **state)
{
    (void)state;
    struct dory_key key, good;
    char text[2048], comment[DORY_COMMENT_MAX];
    assert_int_equal(KEYGEN("", "-q", "-C", "abc", "-f", "k"), 0);
    strcpy(text, posix_kit_read("k"));
    size_t n = strlen(text);
    assert_int_equal(dory_keyfile_parse("k", text, n, &good, comment, why), DORY_OK);
    for (size_t i = 0; i + 1 < n; i++) {
        assert_true(dory_keyfile_parse("k", text, i, &key, comment, why) < 0);
        assert_string_not_equal(why, "");
    }
    for (size_t i = 0; i < n; i++) {
        static const char damage[] = {'A', 'z', '/', '-', '\n', 0, '\xff', '='};
        char was = text[i];
        for (size_t j = 0; j < sizeof damage; j++) {
            text[i] = damage[j];
            if (dory_keyfile_parse("k", text, n, &key, comment, why) == DORY_OK)
                assert_memory_equal(key.secret, good.secret, sizeof key.secret);
        }
        text[i] = was;
    }
}

static void test_save_does_not_replace(void **state)
{
    (void)state;
    struct dory_key key;
    assert_int_equal(dory_key_ed25519.generate(&key, 0, &rng), DORY_OK);
    posix_kit_write("k", "precious", 0600);
    assert_int_equal(dory_keyfile_save("k", &key, "c", false, &rng, why), DORY_E_EXIST);
    assert_string_equal(posix_kit_read("k"), "precious");
    assert_int_equal(posix_kit_count("."), 1);
}

static void test_public_lines(void **state)
{
    (void)state;
    static const char good[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4tTrJ5vJCEkjLsQVl7JTtLyqvbZwfPM5Xmek4ZZV8n";
    static const char *const bad[] = {"",
                                      "ssh-ed25519",
                                      "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJ4tTrJ5vJCEkjLsQVl7JTtLyqvbZwfPM5Xmek4ZZV8n",
                                      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4tTrJ5vJCEkjLsQVl7JTtLyqvbZwfPM5Xmek4ZZV8",
                                      "ssh-ed25519 !!!!",
                                      "ssh-ed25519 AAAA",
                                      "ssh-ed25519 =",
                                      "AAAAC3NzaC1lZDI1NTE5AAAAIJ4tTrJ5vJCEkjLsQVl7JTtLyqvbZwfPM5Xmek4ZZV8n"};
    struct dory_public_key key;
    char line[9000];
    assert_int_equal(dory_public_key_parse(good, strlen(good), &key), DORY_OK);
    assert_string_equal(key.comment, "");
    assert_int_equal(key.blob_n, 51);
    int n = snprintf(line, sizeof line, "\t %s   my  comment \r\nsecond line", good);
    assert_int_equal(dory_public_key_parse(line, (size_t)n, &key), DORY_OK);
    assert_string_equal(key.comment, "my  comment");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_true(dory_public_key_parse(bad[i], strlen(bad[i]), &key) < 0);
    memset(line, 'A', sizeof line);
    memcpy(line, "ssh-rsa ", 8);
    assert_int_equal(dory_public_key_parse(line, sizeof line, &key), DORY_E_SPACE);
}

#define T(f) cmocka_unit_test_setup_teardown(f, posix_kit_enter, posix_kit_leave)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_we_read_what_ssh_keygen_writes), T(test_ssh_keygen_reads_what_we_write), T(test_keygen_asks_before_overwriting),
        T(test_keygen_refuses_clearly),         T(test_fingerprints_of_all_kinds),      T(test_what_cannot_be_used_is_said),
        T(test_truncated_and_damaged),          T(test_save_does_not_replace),          T(test_public_lines),
    };
    return dory_crypto_init() == DORY_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
