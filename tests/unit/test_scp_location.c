/* Sources and targets as people type them, and which names a server may then send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dory_scp.h"
#include "scp_location.h"

static void expect(const char *text, const char *user, const char *host, int port, const char *path)
{
    struct dory_cli_location l;
    char why[256] = "";

    print_message("case: %s\n", text);
    assert_int_equal(dory_cli_location_parse(&l, text, why, sizeof why), 0);
    assert_int_equal(l.remote, host != NULL);
    assert_int_equal(l.port, port);
    assert_string_equal(l.path, path);
    assert_string_equal(l.text, text);
    if (host)
        assert_string_equal(l.host, host);
    if (user)
        assert_string_equal(l.user, user);
    else
        assert_null(l.user);
}

static void refuse(const char *text, const char *said)
{
    struct dory_cli_location l;
    char why[256] = "";

    print_message("case: %s\n", text);
    assert_int_equal(dory_cli_location_parse(&l, text, why, sizeof why), -1);
    if (!strstr(why, said))
        fail_msg("'%s' does not say '%s'", why, said);
}

static void test_local(void **state)
{
    (void)state;
    expect("file", NULL, NULL, -1, "file");
    expect("./a:b", NULL, NULL, -1, "./a:b");
    expect("/x/a:b", NULL, NULL, -1, "/x/a:b");
    expect("dir/a:b", NULL, NULL, -1, "dir/a:b");
    expect(":a", NULL, NULL, -1, ":a");
    expect("-x", NULL, NULL, -1, "-x");
    expect("a b", NULL, NULL, -1, "a b");
    expect("[x]", NULL, NULL, -1, "[x]");
    expect("[::1]/x", NULL, NULL, -1, "[::1]/x");
    expect("sftp:/x", NULL, "sftp", -1, "/x");
    refuse("", "empty");
}

static void test_host(void **state)
{
    (void)state;
    expect("host:path", NULL, "host", -1, "path");
    expect("host:", NULL, "host", -1, ".");
    expect("host:/", NULL, "host", -1, "/");
    expect("user@host:/a:b", "user", "host", -1, "/a:b");
    expect("a@b@host:x", "a@b", "host", -1, "x");
    expect("dom+user.n@host:~/x", "dom+user.n", "host", -1, "~/x");
    expect("[::1]:x", NULL, "::1", -1, "x");
    expect("u@[fe80::1%eth0]:x", "u", "fe80::1%eth0", -1, "x");
    expect("[host]:x", NULL, "host", -1, "x");
    expect("host:a@b:c", NULL, "host", -1, "a@b:c");
    refuse("-oProxyCommand=x:y", "invalid host");
    refuse("-u@host:y", "invalid user");
    refuse("@host:y", "invalid user");
    refuse("u@:y", "invalid host");
    refuse("a b:y", "invalid host");
    refuse("u;v@h:y", "invalid user");
    refuse("$(x):y", "invalid host");
}

/* Hosts and users go into ProxyCommand and Match exec (CVE-2023-51385): nothing that a shell acts on comes so far, escaped in a URI either. */
static void test_what_a_shell_acts_on(void **state)
{
    static const char bad[] = "'\"`$\\;&<>|(){}\n\t\r \x01\x7f\x80\xff";
    struct dory_cli_location hop;
    char text[64], rest[64];

    (void)state;
    for (const char *c = bad; *c; c++)
        for (int user = 0; user < 2; user++) {
            snprintf(text, sizeof text, user ? "a%cb@host:x" : "u@a%cb:x", *c);
            refuse(text, user ? "invalid user" : "invalid host");
            snprintf(text, sizeof text, user ? "scp://a%%%02xb@host/x" : "scp://u@a%%%02xb/x", (unsigned char)*c);
            refuse(text, user ? "invalid user" : "invalid host");
            snprintf(text, sizeof text, user ? "one,a%cb@host" : "one,u@a%cb", *c);
            assert_false(dory_cli_jump_parse(text, &hop, rest, sizeof rest));
            assert_false(dory_cli_jump_is_good(text));
        }
    refuse("scp://a%00b/x", "bad %-escape");
    refuse("scp://%2doProxyCommand=x/y", "invalid host");
    refuse("scp://%2dl@host/y", "invalid user");
}

static void test_uri(void **state)
{
    (void)state;
    expect("scp://host", NULL, "host", -1, ".");
    expect("scp://host/", NULL, "host", -1, ".");
    expect("scp://host/a/b", NULL, "host", -1, "a/b");
    expect("scp://host//a/b", NULL, "host", -1, "/a/b");
    expect("scp://user@host:2222/a", "user", "host", 2222, "a");
    expect("scp://u;fingerprint=x@host/a", "u", "host", -1, "a");
    expect("scp://[::1]:22/a", NULL, "::1", 22, "a");
    expect("scp://[::1]/a", NULL, "::1", -1, "a");
    expect("SCP://host/a%20b%2fc", NULL, "host", -1, "a b/c");
    refuse("scp://host:0/x", "bad port");
    refuse("scp://host:65536/x", "bad port");
    refuse("scp://host:22x/x", "bad port");
    refuse("scp://host/a%zz", "escape");
    refuse("scp://host/a%00b", "escape");
    refuse("scp:///x", "invalid host");
}

static void names(const char *path, const char *first, const char *second)
{
    char got[2][512];

    print_message("case: %s\n", path);
    assert_int_equal(dory_cli_location_names(path, got), second ? 2 : 1);
    assert_string_equal(got[0], first);
    if (second)
        assert_string_equal(got[1], second);
}

static void test_names(void **state)
{
    char got[2][512];

    (void)state;
    names("a/b/file", "file", NULL);
    names("file", "file", NULL);
    names("dir//", "dir", NULL);
    names("*.c", "*.c", "\\*.c");
    names("x/a[1]", "a[1]", "a\\[1\\]");
    names("x/a\\*b", "a\\*b", NULL);
    names("x\\", "x\\", "x\\\\");
    names(".", "/", NULL);
    names("..", "/", NULL);
    names("a/..", "/", NULL);
    names("a/./", "/", NULL);
    names("/", "/", NULL);
    names("~", "/", NULL);
    names("~user", "/", NULL);
    names("~/f", "f", NULL);
    names("x/~y", "~y", NULL);
    assert_int_equal(dory_cli_location_names("d/a[1]?", got), 2);
    assert_true(dory_scp_glob(got[0], "a1z"));
    assert_false(dory_scp_glob(got[0], "a[1]?"));
    assert_true(dory_scp_glob(got[1], "a[1]?"));
}

/* host NULL: it is none. */
static void jump(const char *list, const char *user, const char *host, int port, const char *before)
{
    struct dory_cli_location hop;
    char rest[64];
    bool good = dory_cli_jump_parse(list, &hop, rest, sizeof rest);

    print_message("case: %s\n", list);
    assert_int_equal(good, host != NULL);
    assert_int_equal(dory_cli_jump_is_good(list), host != NULL);
    if (!host)
        return;
    assert_string_equal(hop.user ? hop.user : "", user);
    assert_string_equal(hop.host, host);
    assert_int_equal(hop.port, port);
    assert_string_equal(rest, before);
}

static void test_jumps(void **state)
{
    (void)state;
    jump("h", "", "h", -1, "");
    jump("u@h:22", "u", "h", 22, "");
    jump("ssh://u@h:22", "u", "h", 22, "");
    jump("u@[::1]:22", "u", "::1", 22, "");
    jump("a,u@b:1,ssh://c", "", "c", -1, "a,u@b:1");
    jump("u@x@h", "u@x", "h", -1, "");
    jump("", NULL, NULL, 0, NULL);
    jump(":22", NULL, NULL, 0, NULL);
    jump("h:0", NULL, NULL, 0, NULL);
    jump("h:65536", NULL, NULL, 0, NULL);
    jump("h/x", NULL, NULL, 0, NULL);
    jump("-h", NULL, NULL, 0, NULL);
    jump("@h", NULL, NULL, 0, NULL);
    jump("a,", NULL, NULL, 0, NULL);
    jump("h;x", NULL, NULL, 0, NULL);
    assert_false(dory_cli_jump_is_good("a,,b"));
    assert_false(dory_cli_jump_is_good("$(x),b"));
    assert_true(dory_cli_jump_is_good("none"));
}

static void test_too_long(void **state)
{
    static char text[5001];

    (void)state;
    memset(text, 'a', 5000);
    refuse(text, "too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_local), cmocka_unit_test(test_host),  cmocka_unit_test(test_what_a_shell_acts_on),
        cmocka_unit_test(test_uri),   cmocka_unit_test(test_names), cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_jumps),
    };

    return cmocka_run_group_tests_name("locations", tests, NULL, NULL);
}
