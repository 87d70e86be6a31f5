/* The command line of dory scp, -o names, and the choice among algorithms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sys/socket.h>

#include "dory_scp.h"
#include "scp_algorithms.h"
#include "scp_options.h"
#include "scp_say.h"

static struct dory_cli_options options;

/* Words separated by blanks, "scp" in front of them. */
static int parse(const char *line)
{
    static char text[512];
    char *argv[40] = {"scp"};
    int argc = 1;

    strcpy(text, line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) argv[argc++] = word;
    dory_say_level(DORY_LOG_QUIET);
    return dory_cli_options_parse(&options, argc, argv);
}

static void test_letters(void **state)
{
    (void)state;
    assert_int_equal(parse("-rp -P 2222 -l 8 -C -3 -A -O -T -B -4 a h:b"), -1);
    assert_int_equal(options.flags, DORY_SCP_RECURSE | DORY_SCP_TIMES);
    assert_int_equal(options.port, 2222);
    assert_int_equal(options.limit, 1024);
    assert_true(options.classic);
    assert_true(options.any_name);
    assert_int_equal(options.ssh.batch, 1);
    assert_int_equal(options.ssh.family, AF_INET);
    assert_int_equal(options.path_count, 2);
    assert_string_equal(options.paths[1], "h:b");
    assert_int_equal(parse("-6q -i one -i two -o IdentityFile=three -- -r h:"), -1);
    assert_int_equal(options.ssh.family, AF_INET6);
    assert_int_equal(options.ssh.identity_count, 3);
    assert_string_equal(options.ssh.identities[1], "two");
    assert_string_equal(options.paths[0], "-r");
    assert_int_equal(dory_say_is_level(), DORY_LOG_ERROR);
    assert_int_equal(parse("-F file -J one,u@two:22 -S program -D server -s -R a b"), -1);
    assert_string_equal(options.config_file, "file");
    assert_string_equal(options.ssh.proxy_jump, "one,u@two:22");
    assert_string_equal(options.program, "program");
    assert_string_equal(options.sftp_server, "server");
    assert_true(options.sftp && options.direct);
    assert_int_equal(parse("-R -3 a b"), -1);
    assert_false(options.direct);
    assert_int_equal(parse("-v a b"), -1);
    assert_int_equal(dory_say_is_level(), DORY_LOG_DEBUG);
    assert_int_equal(parse("a -r b"), -1); /* no option behind a path */
    assert_int_equal(options.path_count, 3);
    assert_int_equal(options.flags, 0);
}

static void test_remote_side(void **state)
{
    (void)state;
    assert_int_equal(parse("-v -r -p -d -t -- -x"), -1);
    assert_int_equal(options.flags, DORY_SCP_VERBOSE | DORY_SCP_RECURSE | DORY_SCP_TIMES | DORY_SCP_DIR | DORY_SCP_TO);
    assert_int_equal(parse("-f a b c"), -1);
    assert_int_equal(options.path_count, 3);
    assert_int_equal(parse("-t a b"), 1);
    assert_int_equal(parse("-t"), 1);
    assert_int_equal(parse("-f"), 1);
    assert_int_equal(parse("-t -f a"), 1);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *line;
        int status;
    } cases[] = {
        {"", 1},
        {"one", 1},
        {"-Z a b", 1},
        {"-P", 1},
        {"-l 0 a b", 1},
        {"-l x a b", 1},
        {"-l 8k a b", 1},
        {"-P 0 a b", 255},
        {"-P 65536 a b", 255},
        {"-P 22x a b", 255},
        {"-P -1 a b", 255},
        {"-o Foo=1 a b", 255},
        {"-O -o Foo=1 a b", 1},
        {"-o Port=0 a b", 255},
        {"-o Port a b", 255},
        {"-o =1 a b", 255},
        {"-o StrictHostKeyChecking=maybe a b", 255},
        {"-o ProxyJump=:h a b", 255},
        {"-c nonsense a b", 255},
        {"-J :h a b", 255},
        {"-J h -J i a b", 255},
        {"-J h/x a b", 255},
        {"-o ProxyCommand=x -J h a b", 255},
        {"-o BatchMode=2 a b", 255},
        {"-o ConnectTimeout=-1 a b", 255},
        {"-o RekeyLimit=1X a b", 255},
        {"-o RekeyLimit=15 a b", 255},
        {"-o LogLevel=LOUD a b", 255},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("case: %s\n", cases[i].line);
        assert_int_equal(parse(cases[i].line), cases[i].status);
    }
}

static int set(struct dory_cli_ssh *o, const char *argument)
{
    char why[512];

    return dory_cli_ssh_option(o, argument, why, sizeof why);
}

static void test_names(void **state)
{
    static struct dory_cli_ssh o;

    (void)state;
    dory_cli_ssh_init(&o);
    assert_int_equal(set(&o, "port = 2200"), 0);
    assert_int_equal(set(&o, "Port=1"), 0);
    assert_int_equal(o.port, 2200); /* the first one wins */
    assert_int_equal(set(&o, "  User   somebody  "), 0);
    assert_string_equal(o.user, "somebody");
    assert_int_equal(set(&o, "UserKnownHostsFile=\"/a b/c\""), 0);
    assert_int_equal(o.user_known_hosts.n, 1);
    assert_string_equal(o.user_known_hosts.at[0], "/a b/c");
    assert_int_equal(set(&o, "stricthostkeychecking ACCEPT-NEW"), 0);
    assert_int_equal(o.strict, DORY_STRICT_ACCEPT_NEW);
    assert_int_equal(set(&o, "ConnectTimeout=1m30s"), 0);
    assert_int_equal(o.connect_timeout, 90);
    assert_int_equal(set(&o, "ServerAliveInterval=none"), 0);
    assert_int_equal(o.alive_interval, 0);
    assert_int_equal(set(&o, "RekeyLimit=16M 2h"), 0);
    assert_int_equal(o.rekey_bytes, 16 << 20);
    assert_int_equal(o.rekey_seconds, 7200);
    assert_int_equal(set(&o, "AddressFamily=inet6"), 0);
    assert_int_equal(o.family, AF_INET6);
    assert_int_equal(set(&o, "LogLevel=verbose"), 0);
    assert_int_equal(o.log, DORY_LOG_VERBOSE);
    assert_int_equal(set(&o, "PasswordAuthentication no"), 0);
    assert_int_equal(o.password_auth, 0);
    assert_int_equal(set(&o, "ProxyCommand=none"), 0);
    assert_int_equal(set(&o, "CheckHostIP=no"), 0);
    assert_int_equal(set(&o, "Compression=yes"), 0);
    assert_int_equal(set(&o, "ControlMaster=auto"), 0);
    assert_int_equal(set(&o, "Nonsense=yes"), -1);
}

static void test_too_many(void **state)
{
    static struct dory_cli_ssh o;
    char why[256];

    (void)state;
    dory_cli_ssh_init(&o);
    for (int i = 0; i < DORY_CLI_IDENTITIES_MAX; i++) assert_int_equal(dory_cli_ssh_identity(&o, "key", why, sizeof why), 0);
    assert_int_equal(dory_cli_ssh_identity(&o, "key", why, sizeof why), -1);
    assert_non_null(strstr(why, "more than"));
}

/* An option that another ssh would not get to see may be the one that makes it safe. */
static void test_too_many_to_pass(void **state)
{
    static char *argv[DORY_CLI_PASSED_MAX + 8];
    int argc;

    (void)state;
    dory_say_level(DORY_LOG_QUIET);
    for (int with = 0; with < 2; with++) {
        argc = 0;
        argv[argc++] = "scp";
        if (with) {
            argv[argc++] = "-S";
            argv[argc++] = "ssh";
        }
        for (int i = 0; i < DORY_CLI_PASSED_MAX; i++) argv[argc++] = "-q";
        argv[argc++] = "h:f";
        argv[argc++] = ".";
        assert_int_equal(dory_cli_options_parse(&options, argc, argv), with ? 255 : -1);
    }
}

static void pick(const char *list, const char *expected)
{
    static const char *const names[] = {"aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr"};
    char got[64] = "", why[256] = "";
    int order[DORY_CLI_ALGORITHMS_MAX], n = dory_cli_pick(names, 3, list, order, why, sizeof why);

    for (int i = 0; i < n; i++) strcat(got, (const char *[]){"g", "p", "c"}[order[i]]);
    print_message("case: %s\n", list ? list : "(none)");
    assert_string_equal(n < 0 ? "-" : got, expected);
}

static void test_pick(void **state)
{
    (void)state;
    pick(NULL, "gpc");
    pick("aes256-ctr", "c");
    pick("aes256-ctr,aes256-gcm@openssh.com", "cg");
    pick("aes256-ctr,aes256-ctr", "c");
    pick("aes128-cbc,aes256-ctr", "c"); /* OpenSSH knows it, this program does not */
    pick("aes128-cbc", "-");
    pick("aes", "-");
    pick("aes256*", "gc");
    pick("^aes256-ctr", "cgp");
    pick("+aes128-ctr", "gpc");
    pick("-chacha*", "gc");
    pick("-*", "-");
    pick("-nonsense", "gpc");
    pick("", "-");
}

static void test_known_names(void **state)
{
    (void)state;
    assert_true(dory_cli_algorithms_known("aes256-ctr,aes128-cbc", false));
    assert_false(dory_cli_algorithms_known("aes256-ctr,aes257-ctr", false));
    assert_false(dory_cli_algorithms_known("", false));
    assert_false(dory_cli_algorithms_known("+nonsense", false));
    assert_false(dory_cli_algorithms_known("aes*", false));
    assert_true(dory_cli_algorithms_known("ssh-*", true));
    assert_true(dory_cli_algorithms_known("^aes256-ctr", false));
    assert_true(dory_cli_algorithms_known("-nonsense", false));
}

static void test_prefer(void **state)
{
    static const struct dory_sigalg a = {.name = "rsa-sha2-512", .key_type = "ssh-rsa"},
                                    b = {.name = "ssh-ed25519", .key_type = "ssh-ed25519"},
                                    c = {.name = "rsa-sha2-256", .key_type = "ssh-rsa"};
    struct dory_cli_algorithms list = {.signatures = {&b, &a, &c}};

    (void)state;
    dory_cli_algorithms_prefer(&list, "ecdsa-sha2-nistp256,ssh-rsa");
    assert_ptr_equal(list.signatures[0], &a);
    assert_ptr_equal(list.signatures[1], &c);
    assert_ptr_equal(list.signatures[2], &b);
    assert_null(list.signatures[3]);
    dory_cli_algorithms_prefer(&list, "");
    assert_ptr_equal(list.signatures[0], &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters),  cmocka_unit_test(test_remote_side), cmocka_unit_test(test_mistakes), cmocka_unit_test(test_names),
        cmocka_unit_test(test_too_many), cmocka_unit_test(test_too_many_to_pass), cmocka_unit_test(test_pick),        cmocka_unit_test(test_known_names), cmocka_unit_test(test_prefer),
    };

    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
