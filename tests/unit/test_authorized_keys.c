/* authorized_keys: an option is honoured, or the key is not accepted (THREATS A10). */
#include "posix_kit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "dory_posix_auth.h"

#define K1  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4tTrJ5vJCEkjLsQVl7JTtLyqvbZwfPM5Xmek4ZZV8n"
#define K2  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define NOW 1700000000 /* 2023-11-14 22:13:20 UTC */

static struct dory_public_key key;
static struct dory_key_grant grant;
static char why[DORY_WHY_MAX];

static int match(const char *text, const char *peer)
{
    posix_kit_write("keys", text, 0644);
    return dory_authorized_keys_match("keys", key.blob, key.blob_n, peer, NOW, &grant, why);
}

static void assert_option(const char *option, const char *peer, int expected)
{
    char line[1024];
    snprintf(line, sizeof line, "%s " K1 " me\n", option);
    int r = match(line, peer);
    if (r != expected)
        fail_msg("%s from %s: %d %s", option, peer ? peer : "nowhere", r, why);
    assert_int_equal(why[0] == 0, expected == DORY_OK);
}

static void test_lines(void **state)
{
    (void)state;
    assert_int_equal(match(K1 "\n", NULL), DORY_OK);
    assert_int_equal(match(K1, NULL), DORY_OK);
    assert_int_equal(match("# " K1 "\n\n \t\n" K2 "\r\n\t " K1 " with a comment\r\n", NULL), DORY_OK);
    assert_int_equal(match("", NULL), DORY_E_AUTH);
    assert_string_equal(why, "");
    assert_int_equal(match("#" K1 "\n" K2 "\n", NULL), DORY_E_AUTH);
    assert_string_equal(why, "");
    assert_int_equal(match(K2 " " K1 "\n", NULL), DORY_E_AUTH); /* in a comment */
    assert_int_equal(match(K2 " # " K1 "\n", NULL), DORY_E_AUTH);
    assert_int_equal(match("a b " K1 "\n", NULL), DORY_E_AUTH);
    assert_int_equal(match("ssh-rsa " K1 "\n", NULL), DORY_E_AUTH); /* "ssh-rsa" would be an unknown option */
    assert_int_equal(match("\xff\xfe\n\x01\x02" K1 "\n" K1 "\n", NULL), DORY_OK);
}

static void test_options_without_meaning_here(void **state)
{
    (void)state;
    static const char *const fine[] = {"restrict",
                                       "no-pty",
                                       "no-port-forwarding,no-X11-forwarding,no-agent-forwarding,no-user-rc",
                                       "RESTRICT,pty",
                                       "restrict,port-forwarding",
                                       "permitopen=\"host:22\",permitlisten=\"8080\"",
                                       "permitopen=\"a\\\"b, c\",no-pty"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) assert_option(fine[i], NULL, DORY_OK);
}

static void test_options_that_cannot_be_honoured(void **state)
{
    (void)state;
    static const char *const refused[] = {"command=\"sh -c 'scp -t x'\"",
                                          "command=\"/usr/bin/scp -t /x\"",
                                          "command=\"scp /x /y\"",
                                          "command=\"scp\"",
                                          "command=\"scp -v\"",
                                          "command=\"scp -v /t -f\"",
                                          "command=\"scp- -t\"",
                                          "command=\"internal-sftp -R\"",
                                          "command=\"internal-sftp\",command=\"internal-sftp\"",
                                          "command=\"internal-sftp\",unknown",
                                          "command=\"\"",
                                          "restrict,command=\"x y \\\" z\"",
                                          "cert-authority",
                                          "environment=\"A=B\"",
                                          "principals=\"a\"",
                                          "tunnel=\"1\"",
                                          "verify-required",
                                          "no-touch-required",
                                          "unknown",
                                          "unknown=\"x\"",
                                          "restrict,unknown",
                                          "restrict=\"x\"",
                                          "from",
                                          "expiry-time",
                                          "no-pty,",
                                          ",no-pty",
                                          ",",
                                          "from=",
                                          "from=1.2.3.4",
                                          "from=\"1.2.3.4\"x",
                                          "from=\"1.2.3.4\"\"x\"",
                                          "restrict;",
                                          "=",
                                          "=\"\"",
                                          "zos-key-ring-label=\"x\""};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) assert_option(refused[i], "1.2.3.4", DORY_E_AUTH);
    assert_int_equal(match("from=\"1.2.3.4 " K1 "\n", "1.2.3.4"), DORY_E_AUTH); /* the quote never ends */
    assert_int_equal(match("command=\"x\" " K1 "\n", NULL), DORY_E_AUTH);
    assert_non_null(strstr(why, "keys:1:"));
    assert_non_null(strstr(why, "command="));
    assert_int_equal(match("command=\"x\" " K1 "\n" K1 "\n", NULL), DORY_OK); /* another line lets it in */
    assert_string_equal(why, "");
}

static void test_forced_commands(void **state)
{
    (void)state;
    static const char *const fine[] = {"internal-sftp", "scp -t /x", "scp -f a b", "scp -v -r -t .", "scp -prt x", "scp  -d -t -- -x"};
    char line[DORY_FORCED_MAX + 200];
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        snprintf(line, sizeof line, "restrict,command=\"%s\",no-pty " K1 "\n", fine[i]);
        assert_int_equal(match(line, NULL), DORY_OK);
        assert_string_equal(grant.command, fine[i]);
    }
    assert_int_equal(match(K1 "\n", NULL), DORY_OK);
    assert_string_equal(grant.command, "");
    assert_int_equal(match("command=\"scp -t \\\"a b\\\"\" " K1 "\n", NULL), DORY_OK);
    assert_string_equal(grant.command, "scp -t \"a b\"");
    /* a line that is refused leaves nothing behind */
    assert_int_equal(match("command=\"internal-sftp\",unknown " K1 "\n" K1 "\n", NULL), DORY_OK);
    assert_string_equal(grant.command, "");
    for (int n = DORY_FORCED_MAX - 4; n < DORY_FORCED_MAX + 4; n++) {
        snprintf(line, sizeof line, "command=\"scp -t %0*d\" " K1 "\n", n - 7, 0);
        assert_int_equal(match(line, NULL), n < DORY_FORCED_MAX ? DORY_OK : DORY_E_AUTH);
    }
}

static void test_what_was_refused_is_named(void **state)
{
    (void)state;
    static const char *const options[] = {"cert-authority", "principals=\"a,b\"", "verify-required", "environment=\"A=B\""};
    char line[1024], name[64];
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        snprintf(line, sizeof line, "# a comment\nrestrict,%s " K1 "\n", options[i]);
        assert_int_equal(match(line, NULL), DORY_E_AUTH);
        snprintf(name, sizeof name, "keys:2: key not accepted: it has the option %.*s,", (int)strcspn(options[i], "="), options[i]);
        if (strncmp(why, name, strlen(name)) != 0)
            fail_msg("%s instead of %s", why, name);
    }
}

static void test_from(void **state)
{
    (void)state;
    static const struct {
        const char *from, *peer;
        int expected;
    } cases[] = {
        {"1.2.3.4", "1.2.3.4", DORY_OK},
        {"1.2.3.4", "1.2.3.5", DORY_E_AUTH},
        {"1.2.3.4", "11.2.3.4", DORY_E_AUTH},
        {"1.2.3.4", NULL, DORY_E_AUTH},
        {"*", NULL, DORY_E_AUTH},
        {"*", "::1", DORY_OK},
        {"1.2.3.*", "1.2.3.99", DORY_OK},
        {"1.2.3.?", "1.2.3.99", DORY_E_AUTH},
        {"9.9.9.9,1.2.3.4", "1.2.3.4", DORY_OK},
        {"9.9.9.9, 1.2.3.4", "1.2.3.4", DORY_OK},
        {"10.0.0.0/8", "10.255.0.1", DORY_OK},
        {"10.0.0.0/8", "11.0.0.1", DORY_E_AUTH},
        {"192.168.4.0/22", "192.168.7.255", DORY_OK},
        {"192.168.4.0/22", "192.168.8.0", DORY_E_AUTH},
        {"1.2.3.4/32", "1.2.3.4", DORY_OK},
        {"1.2.3.4/32", "1.2.3.5", DORY_E_AUTH},
        {"0.0.0.0/0", "8.8.8.8", DORY_OK},
        {"0.0.0.0/0", "::1", DORY_E_AUTH},
        {"2001:db8::/33", "2001:db8:7fff::1", DORY_OK},
        {"2001:db8::/33", "2001:db8:8000::1", DORY_E_AUTH},
        {"fe80::/10", "fe80::1%eth0", DORY_OK},
        {"10.0.0.0/8", "::ffff:10.1.2.3", DORY_OK},
        {"10.1.2.3", "::ffff:10.1.2.3", DORY_OK},
        {"*,!1.2.3.4", "1.2.3.4", DORY_E_AUTH},
        {"*,!1.2.3.4", "1.2.3.5", DORY_OK},
        {"!1.2.3.4", "1.2.3.5", DORY_E_AUTH},
        {"10.0.0.0/8,!10.1.0.0/16", "10.1.2.3", DORY_E_AUTH},
        {"10.0.0.0/8,!10.1.0.0/16", "10.2.2.3", DORY_OK},
        {"host.example", "1.2.3.4", DORY_E_AUTH},
        {"host.example,1.2.3.4", "1.2.3.4", DORY_OK},
        {"*,!host.example", "1.2.3.4", DORY_E_AUTH}, /* it might be this very client */
        {"*,10.0.0.0/33", "1.2.3.4", DORY_E_AUTH},
        {"*,10.0.0.0/", "1.2.3.4", DORY_E_AUTH},
        {"*,10.0.0.0/-1", "1.2.3.4", DORY_E_AUTH},
        {"*,10.0.0.0/8x", "1.2.3.4", DORY_E_AUTH},
        {"*,x/8", "1.2.3.4", DORY_E_AUTH},
        {"*,10.0.0.0/99999999999999999999", "1.2.3.4", DORY_E_AUTH},
        {"", "1.2.3.4", DORY_E_AUTH},
        {",,", "1.2.3.4", DORY_E_AUTH},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char option[256];
        snprintf(option, sizeof option, "restrict,from=\"%s\"", cases[i].from);
        assert_option(option, cases[i].peer, cases[i].expected);
    }
    assert_option("from=\"1.2.3.4\",from=\"*\"", "9.9.9.9", DORY_E_AUTH);
}

static void test_expiry_time(void **state)
{
    (void)state;
    static const struct {
        const char *when;
        int expected;
    } cases[] = {
        {"20231115Z", DORY_OK},         {"20231114Z", DORY_E_AUTH},   {"202311142214Z", DORY_OK},
        {"202311142213Z", DORY_E_AUTH}, {"20231114221321Z", DORY_OK}, {"20231114221320Z", DORY_E_AUTH},
        {"99991231Z", DORY_OK},         {"19700101Z", DORY_E_AUTH},   {"20231115", DORY_OK},
        {"20231114", DORY_E_AUTH},      {"2023111", DORY_E_AUTH},     {"20301301Z", DORY_E_AUTH},
        {"20300132Z", DORY_E_AUTH},     {"20300631Z", DORY_E_AUTH},   {"203001012460Z", DORY_E_AUTH},
        {"20300101z", DORY_E_AUTH},     {"20300101 Z", DORY_E_AUTH},  {"", DORY_E_AUTH},
        {"never", DORY_E_AUTH},         {"-2030101Z", DORY_E_AUTH},
    };
    setenv("TZ", "UTC", 1);
    tzset();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char option[256];
        snprintf(option, sizeof option, "expiry-time=\"%s\"", cases[i].when);
        assert_option(option, NULL, cases[i].expected);
    }
    setenv("TZ", "UTC+6", 1); /* six hours behind: the 15th begins later */
    tzset();
    assert_option("expiry-time=\"20231114161321\"", NULL, DORY_OK);
    assert_option("expiry-time=\"20231114161320\"", NULL, DORY_E_AUTH);
    assert_option("expiry-time=\"20231115Z\",expiry-time=\"20231101Z\"", NULL, DORY_E_AUTH);
}

static void test_overlong_lines_are_skipped(void **state)
{
    (void)state;
    static char text[100000];
    memset(text, 'x', sizeof text);
    strcpy(text + 50000, " " K1 "\n");
    assert_int_equal(match(text, NULL), DORY_E_AUTH);
    assert_non_null(strstr(why, "keys:1: line left out: over 16384 bytes"));
    strcpy(text + 50000, "\n" K1 "\n");
    assert_int_equal(match(text, NULL), DORY_OK);
    for (size_t start = 16200; start < 16420; start += 3) { /* the end of a long line is no line of its own */
        memset(text, 'x', start);
        strcpy(text + start, " " K1 "\n");
        assert_int_equal(match(text, NULL), DORY_E_AUTH);
    }
}

static void test_files_that_others_can_write(void **state)
{
    (void)state;
    static const unsigned bad[] = {0664, 0646, 0620, 0602, 0777};
    posix_kit_write("keys", K1 "\n", 0600);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(chmod("keys", bad[i]), 0);
        assert_int_equal(dory_authorized_keys_match("keys", key.blob, key.blob_n, NULL, NOW, &grant, why), DORY_E_ACCESS);
        assert_non_null(strstr(why, "chmod go-w keys"));
    }
    assert_int_equal(posix_kit_sh("mkdir -m 777 open && cp keys open/keys && chmod 600 open/keys keys"), 0);
    assert_int_equal(dory_authorized_keys_match("open/keys", key.blob, key.blob_n, NULL, NOW, &grant, why), DORY_E_ACCESS);
    assert_int_equal(chmod("open", 0770), 0);
    assert_int_equal(dory_authorized_keys_match("open/keys", key.blob, key.blob_n, NULL, NOW, &grant, why), DORY_E_ACCESS);
    assert_non_null(strstr(why, "chmod go-w open"));
    assert_int_equal(posix_kit_sh("mkdir open/inner && cp keys open/inner && ln -s open/inner/keys link && chmod go-w open/inner/keys"), 0);
    assert_int_equal(dory_authorized_keys_match("open/inner/keys", key.blob, key.blob_n, NULL, NOW, &grant, why), DORY_E_ACCESS);
    assert_int_equal(dory_authorized_keys_match("link", key.blob, key.blob_n, NULL, NOW, &grant, why), DORY_E_ACCESS);
    assert_int_equal(chmod("open", 01777), 0);
    assert_int_equal(dory_authorized_keys_match("open/inner/keys", key.blob, key.blob_n, NULL, NOW, &grant, why), DORY_OK);
    assert_int_equal(dory_authorized_keys_match("link", key.blob, key.blob_n, NULL, NOW, &grant, why), DORY_OK);
    assert_int_equal(dory_authorized_keys_match("open/keys", key.blob, key.blob_n, NULL, NOW, &grant, why), DORY_OK);
    assert_int_equal(dory_authorized_keys_match("none", key.blob, key.blob_n, NULL, NOW, &grant, why), DORY_E_NOENT);
    assert_int_equal(dory_authorized_keys_match("open", key.blob, key.blob_n, NULL, NOW, &grant, why) < 0, 1);
    if (geteuid() != 0)
        return;
    assert_int_equal(chown("open/inner", 1234, 1234), 0);
    assert_int_equal(dory_authorized_keys_match("link", key.blob, key.blob_n, NULL, NOW, &grant, why), DORY_E_ACCESS);
    assert_int_equal(chown("keys", 1234, 1234), 0);
    assert_int_equal(dory_authorized_keys_match("keys", key.blob, key.blob_n, NULL, NOW, &grant, why), DORY_E_ACCESS);
}

static void test_every_key_of_ssh_keygen(void **state)
{
    (void)state;
    if (!posix_kit_has("ssh-keygen"))
        skip();
    struct dory_public_key theirs;
    assert_int_equal(posix_kit_sh("for t in ed25519 ecdsa rsa; do ssh-keygen -q -t $t -N '' -f k-$t && cat k-$t.pub >> keys; done"), 0);
    static const char *const files[] = {"k-ed25519.pub", "k-ecdsa.pub", "k-rsa.pub"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(dory_public_key_load(files[i], &theirs, why), DORY_OK);
        assert_int_equal(dory_authorized_keys_match("keys", theirs.blob, theirs.blob_n, NULL, NOW, &grant, why), DORY_OK);
        theirs.blob[theirs.blob_n - 1] ^= 1;
        assert_int_equal(dory_authorized_keys_match("keys", theirs.blob, theirs.blob_n, NULL, NOW, &grant, why), DORY_E_AUTH);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, posix_kit_enter, posix_kit_leave)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_lines),
        T(test_options_without_meaning_here),
        T(test_options_that_cannot_be_honoured),
        T(test_from),
        T(test_forced_commands),
        T(test_what_was_refused_is_named),
        T(test_expiry_time),
        T(test_overlong_lines_are_skipped),
        T(test_files_that_others_can_write),
        T(test_every_key_of_ssh_keygen),
    };
    if (dory_crypto_init() != DORY_OK || dory_public_key_parse(K1, strlen(K1), &key) != DORY_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
