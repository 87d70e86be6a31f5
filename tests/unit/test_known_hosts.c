/* known_hosts, alone and with the real ssh-keygen on the other side. */
#include "posix_kit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dory_posix_known_hosts.h"
#include "dory_posix_sys.h"

#define K1    "AAAAC3NzaC1lZDI1NTE5AAAAIJ4tTrJ5vJCEkjLsQVl7JTtLyqvbZwfPM5Xmek4ZZV8n"
#define K2    "AAAAC3NzaC1lZDI1NTE5AAAAIBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define ECDSA "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABB"
#define ED    "ssh-ed25519 "

static const struct dory_rng rng = {.fill = dory_posix_rng};
static struct dory_public_key key1, key2;
static char why[DORY_WHY_MAX];

static int enter(void **state)
{
    if (dory_public_key_parse(ED K1, strlen(ED K1), &key1) != DORY_OK)
        return -1;
    if (dory_public_key_parse(ED K2, strlen(ED K2), &key2) != DORY_OK)
        return -1;
    return posix_kit_enter(state);
}

static struct dory_known_result look(const char *host, unsigned port, const struct dory_public_key *key)
{
    static const char *const files[] = {"missing", "one", "two", NULL};
    struct dory_known_result result;
    int r = dory_known_hosts_check(files, host, port, key->blob, key->blob_n, &result, why);
    if (r != DORY_OK)
        fail_msg("%s: %d %s", host, r, why);
    return result;
}

static enum dory_known verdict(const char *lines, const char *host, unsigned port)
{
    posix_kit_write("one", lines, 0600);
    return look(host, port, &key1).verdict;
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *names, *host;
        unsigned port;
        enum dory_known verdict;
    } cases[] = {
        {"host.example", "host.example", 22, DORY_KNOWN_MATCH},
        {"host.example", "HOST.Example", 22, DORY_KNOWN_MATCH},
        {"Host.EXAMPLE", "host.example", 22, DORY_KNOWN_MATCH},
        {"host.example", "host.example.org", 22, DORY_KNOWN_UNKNOWN},
        {"host.example", "ost.example", 22, DORY_KNOWN_UNKNOWN},
        {"a,host.example,1.2.3.4", "host.example", 22, DORY_KNOWN_MATCH},
        {"a,host.example,1.2.3.4", "1.2.3.4", 22, DORY_KNOWN_MATCH},
        {"*.example", "host.example", 22, DORY_KNOWN_MATCH},
        {"*.example", "example", 22, DORY_KNOWN_UNKNOWN},
        {"hos?.exampl?", "host.example", 22, DORY_KNOWN_MATCH},
        {"*a*b*c*", "xxaxxbxxcxx", 22, DORY_KNOWN_MATCH},
        {"*a*b*c*d", "xxaxxbxxcxx", 22, DORY_KNOWN_UNKNOWN},
        {"*.example,!host.example", "host.example", 22, DORY_KNOWN_UNKNOWN},
        {"!host.example,*.example", "host.example", 22, DORY_KNOWN_UNKNOWN},
        {"!host.example,*.example", "other.example", 22, DORY_KNOWN_MATCH},
        {"!host.example", "other.example", 22, DORY_KNOWN_UNKNOWN},
        {"[host.example]:2222", "host.example", 2222, DORY_KNOWN_MATCH},
        {"[host.example]:2222", "host.example", 22, DORY_KNOWN_UNKNOWN},
        {"[host.example]:2222", "host.example", 222, DORY_KNOWN_UNKNOWN},
        {"host.example", "host.example", 2222, DORY_KNOWN_MATCH}, /* the key of the plain name vouches for other ports */
        {"::1", "::1", 22, DORY_KNOWN_MATCH},
        {"[::1]:2222", "::1", 2222, DORY_KNOWN_MATCH},
        {"|1|", "host.example", 22, DORY_KNOWN_UNKNOWN},
        {"|1|x|y", "host.example", 22, DORY_KNOWN_UNKNOWN},
        {"|", "host.example", 22, DORY_KNOWN_UNKNOWN},
        {",,", "host.example", 22, DORY_KNOWN_UNKNOWN},
    };
    char line[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(line, sizeof line, "%s " ED K1 "\n", cases[i].names);
        if (verdict(line, cases[i].host, cases[i].port) != cases[i].verdict)
            fail_msg("%s, port %u, in %s", cases[i].host, cases[i].port, cases[i].names);
    }
}

static void test_lines(void **state)
{
    (void)state;
    assert_int_equal(verdict("# h " ED K1 "\n", "h", 22), DORY_KNOWN_UNKNOWN);
    assert_int_equal(verdict("\n \n\t\nh\nh x\n" ED K1 "\n h\t" ED "  " K1 " a comment\r\n", "h", 22), DORY_KNOWN_MATCH);
    assert_int_equal(verdict("h " ED K1, "h", 22), DORY_KNOWN_MATCH); /* no line end */
    assert_int_equal(verdict("@cert-authority h " ED K1 "\n", "h", 22), DORY_KNOWN_UNKNOWN);
    assert_int_equal(verdict("@unknown h " ED K1 "\n", "h", 22), DORY_KNOWN_UNKNOWN);
    assert_int_equal(verdict("h ssh-rsa " K1 "\n", "h", 22), DORY_KNOWN_UNKNOWN); /* the type is not the blob's */
    assert_int_equal(verdict("h 1024 35 1234567890\n", "h", 22), DORY_KNOWN_UNKNOWN);
    assert_int_equal(verdict("", "h", 22), DORY_KNOWN_UNKNOWN);
}

static void test_overlong_lines_are_skipped(void **state)
{
    (void)state;
    static char text[200000];
    memset(text, 'x', sizeof text);
    memcpy(text, "h ", 2);
    strcpy(text + 100000, "\nh " ED K1 "\n");
    assert_int_equal(verdict(text, "h", 22), DORY_KNOWN_MATCH);
    assert_int_equal(look("h", 22, &key1).line, 2);
    memset(text, ',', 100000); /* the rest of a long line must not pass for a line of its own */
    strcpy(text + 99000, " " ED K1 "\n");
    for (size_t at = 16300; at < 16400; at++) memcpy(text + at, "h", 1);
    assert_int_equal(verdict(text, "h", 22), DORY_KNOWN_UNKNOWN);
}

static void test_verdicts(void **state)
{
    (void)state;
    assert_int_equal(verdict("# one\nh " ED K2 "\n", "h", 22), DORY_KNOWN_CHANGED);
    struct dory_known_result result = look("h", 22, &key1);
    assert_string_equal(result.file, "one");
    assert_int_equal(result.line, 2);
    assert_string_equal(result.type, "ssh-ed25519");
    char fingerprint[DORY_FINGERPRINT_MAX];
    dory_fingerprint(fingerprint, key2.blob, key2.blob_n);
    assert_string_equal(result.fingerprint, fingerprint);

    assert_int_equal(verdict("h " ED K2 "\nh " ED K1 "\n", "h", 22), DORY_KNOWN_MATCH);
    posix_kit_write("two", "h " ED K1 "\n", 0600);
    assert_int_equal(verdict("h " ED K2 "\n", "h", 22), DORY_KNOWN_MATCH); /* in another file */
    assert_string_equal(look("h", 22, &key1).file, "two");
    assert_int_equal(verdict("@revoked * " ED K1 "\n", "h", 22), DORY_KNOWN_REVOKED);
    assert_int_equal(verdict("@revoked * " ED K1 "\n", "h", 2222), DORY_KNOWN_REVOKED);
    assert_int_equal(verdict("@revoked other " ED K1 "\n", "h", 22), DORY_KNOWN_MATCH);
    assert_int_equal(verdict("@revoked * " ED K2 "\n", "h", 22), DORY_KNOWN_MATCH);
    assert_int_equal(unlink("two"), 0);
    assert_int_equal(verdict("@revoked h " ED K2 "\n", "h", 22), DORY_KNOWN_UNKNOWN);
    assert_int_equal(verdict("h " ED K2 "\n", "h", 2222), DORY_KNOWN_UNKNOWN);
    assert_int_equal(verdict("[h]:2222 " ED K2 "\nh " ED K1 "\n", "h", 2222), DORY_KNOWN_CHANGED);
}

static void test_types(void **state)
{
    (void)state;
    static const char *const files[] = {"one", "two", NULL};
    char types[128];
    posix_kit_write("one", "h " ED K1 "\nh " ED K2 "\n@revoked h " ED K1 "\nother ecdsa-sha2-nistp256 " ECDSA "\n", 0600);
    posix_kit_write("two", "h ecdsa-sha2-nistp256 " ECDSA "\n", 0600);
    assert_int_equal(dory_known_hosts_types(files, "h", 22, types, sizeof types), 2);
    assert_string_equal(types, "ssh-ed25519,ecdsa-sha2-nistp256");
    assert_int_equal(dory_known_hosts_types(files, "h", 22, types, 20), 1);
    assert_string_equal(types, "ssh-ed25519");
    assert_int_equal(dory_known_hosts_types(files, "other", 22, types, sizeof types), 1);
    assert_int_equal(look("other", 22, &key1).verdict, DORY_KNOWN_OTHER_TYPE);
    assert_int_equal(dory_known_hosts_types(files, "none", 22, types, sizeof types), 0);
    assert_string_equal(types, "");
}

static void test_impossible_hosts_and_unreadable_files(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "*", "a,b", "!a", "a b", "a\nb", "|1|x", "a?", "[a]:22", "#", "@revoked"};
    const char *const dir[] = {".", NULL}, *const none[] = {NULL};
    struct dory_known_result result;
    posix_kit_write("one", "* " ED K1 "\n", 0600);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(dory_known_hosts_check(none, bad[i], 22, key1.blob, key1.blob_n, &result, why), DORY_E_ARG);
        assert_int_equal(dory_known_hosts_add("two", bad[i], 22, key1.blob, key1.blob_n, false, &rng, why), DORY_E_ARG);
    }
    assert_false(posix_kit_exists("two"));
    assert_true(dory_known_hosts_check(dir, "h", 22, key1.blob, key1.blob_n, &result, why) < 0);
    assert_int_equal(result.verdict, DORY_KNOWN_UNKNOWN);
    assert_true(dory_known_hosts_check(dir, "h", 22, (const uint8_t *)"\0\0\0\1", 4, &result, why) < 0);
    if (geteuid() != 0)
        return;
    assert_int_equal(posix_kit_sh("chmod 755 . && chmod 600 one"), 0);
    assert_int_equal(seteuid(65534), 0);
    const char *const one[] = {"one", NULL};
    assert_int_equal(dory_known_hosts_check(one, "h", 22, key1.blob, key1.blob_n, &result, why), DORY_E_ACCESS);
    assert_int_equal(seteuid(0), 0);
}

static void test_add(void **state)
{
    (void)state;
    assert_int_equal(dory_known_hosts_add(".ssh/known_hosts", "Host.Example", 22, key1.blob, key1.blob_n, false, &rng, why), DORY_OK);
    assert_int_equal(posix_kit_mode(".ssh"), 0700);
    assert_int_equal(posix_kit_mode(".ssh/known_hosts"), 0600);
    assert_string_equal(posix_kit_read(".ssh/known_hosts"), "host.example " ED K1 "\n");
    posix_kit_write("one", "other " ED K2, 0644); /* no line end */
    assert_int_equal(dory_known_hosts_add("one", "h", 2222, key1.blob, key1.blob_n, false, &rng, why), DORY_OK);
    assert_string_equal(posix_kit_read("one"), "other " ED K2 "\n[h]:2222 " ED K1 "\n");
    assert_int_equal(posix_kit_mode("one"), 0644);
    assert_int_equal(dory_known_hosts_add("one", "hidden", 22, key1.blob, key1.blob_n, true, &rng, why), DORY_OK);
    assert_null(strstr(posix_kit_read("one"), "hidden"));
    assert_int_equal(look("hidden", 22, &key1).verdict, DORY_KNOWN_MATCH);
    assert_int_equal(look("hidden", 22, &key2).verdict, DORY_KNOWN_CHANGED);
    assert_int_equal(look("hidde", 22, &key1).verdict, DORY_KNOWN_UNKNOWN);
    assert_int_equal(dory_known_hosts_add("/dev/null", "h", 22, key1.blob, key1.blob_n, false, &rng, why), DORY_OK);
    assert_true(dory_known_hosts_add("a/b/c", "h", 22, key1.blob, key1.blob_n, false, &rng, why) < 0);
    assert_non_null(strstr(why, "a/b/c"));
}

static void test_with_ssh_keygen(void **state)
{
    (void)state;
    if (!posix_kit_has("ssh-keygen"))
        skip();
    /* It finds what we wrote, plain and hashed, with and without a port. */
    for (int hash = 0; hash < 2; hash++) {
        unlink("one");
        assert_int_equal(dory_known_hosts_add("one", "host.example", 22, key1.blob, key1.blob_n, hash, &rng, why), DORY_OK);
        assert_int_equal(dory_known_hosts_add("one", "fe80::1", 2222, key2.blob, key2.blob_n, hash, &rng, why), DORY_OK);
        assert_int_equal(posix_kit_sh("ssh-keygen -F host.example -f one"), 0);
        assert_non_null(strstr(posix_kit_output(), K1));
        assert_int_equal(posix_kit_sh("ssh-keygen -F '[fe80::1]:2222' -f one"), 0);
        assert_non_null(strstr(posix_kit_output(), K2));
        assert_int_not_equal(posix_kit_sh("ssh-keygen -F other -f one"), 0);
    }
    /* We read what it hashed. */
    posix_kit_write("one", "host.example,1.2.3.4 " ED K1 "\n[h]:2222 " ED K2 "\n", 0600);
    assert_int_equal(posix_kit_sh("ssh-keygen -H -f one && rm one.old && ! grep -E 'host|1.2.3.4' one"), 0);
    assert_int_equal(look("host.example", 22, &key1).verdict, DORY_KNOWN_MATCH);
    assert_int_equal(look("1.2.3.4", 22, &key1).verdict, DORY_KNOWN_MATCH);
    assert_int_equal(look("1.2.3.4", 22, &key2).verdict, DORY_KNOWN_CHANGED);
    assert_int_equal(look("h", 2222, &key2).verdict, DORY_KNOWN_MATCH);
    assert_int_equal(look("h", 22, &key2).verdict, DORY_KNOWN_UNKNOWN);
}

static void test_revoked_keys(void **state)
{
    (void)state;
    posix_kit_write("list", "# a comment\n\nnonsense\n" ED K2 " with a comment\n", 0600);
    assert_int_equal(dory_key_is_revoked("list", key1.blob, key1.blob_n, why), 0);
    assert_int_equal(dory_key_is_revoked("list", key2.blob, key2.blob_n, why), 1);
    posix_kit_write("blanks", " \t" ED K2 "\n", 0600);
    assert_int_equal(dory_key_is_revoked("blanks", key2.blob, key2.blob_n, why), 1);
    assert_int_equal(dory_key_is_revoked("missing", key1.blob, key1.blob_n, why), DORY_E_NOENT);
    assert_non_null(strstr(why, "missing"));
    /* What cannot be read may be the key. */
    assert_int_equal(posix_kit_sh("{ head -c 20000 /dev/zero | tr '\\0' ' '; cat list; } > long"), 0);
    assert_true(dory_key_is_revoked("long", key1.blob, key1.blob_n, why) < 0);
    assert_non_null(strstr(why, "long:1"));
    posix_kit_write("key.pub", ED K2 "\n", 0600);
    assert_int_equal(posix_kit_sh("ssh-keygen -q -k -f krl key.pub"), 0);
    assert_int_equal(dory_key_is_revoked("krl", key2.blob, key2.blob_n, why), DORY_E_NOSYS);
    assert_non_null(strstr(why, "binary"));
}

static void test_picture(void **state)
{
    static const char *const types[] = {"ed25519", "rsa -b 2048", "ecdsa"};
    char picture[DORY_PICTURE_MAX];
    struct dory_public_key key;

    (void)state;
    for (int i = 0; i < 9; i++) {
        assert_int_equal(posix_kit_sh("rm -f k && ssh-keygen -q -N '' -t %s -f k", types[i % 3]), 0);
        assert_int_equal(dory_public_key_load("k.pub", &key, why), 0);
        dory_key_picture(picture, key.blob, key.blob_n);
        assert_int_equal(posix_kit_sh("ssh-keygen -lv -f k.pub"), 0);
        assert_non_null(strstr(posix_kit_output(), picture));
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, enter, posix_kit_leave)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_names),    T(test_lines),           T(test_overlong_lines_are_skipped),
        T(test_verdicts), T(test_types),           T(test_impossible_hosts_and_unreadable_files),
        T(test_add),      T(test_with_ssh_keygen), T(test_revoked_keys),
        T(test_picture),
    };
    return dory_crypto_init() == DORY_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
