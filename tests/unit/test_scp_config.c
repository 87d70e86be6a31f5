/* Configuration files: what they say for a host, held against `ssh -G`, which reads the same file. */
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "posix_kit.h"
#include "scp_config.h"
#include "scp_expand.h"
#include "scp_say.h"

#define TEXT 8192

static char mine[4 * TEXT];

static void put(const char *key, const char *value)
{
    size_t n = strlen(mine);

    snprintf(mine + n, sizeof mine - n, "%s %s\n", key, value);
}

static void put_number(const char *key, long long value)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", value);
    put(key, text);
}

static void put_flag(const char *key, int value, const char *otherwise)
{
    put(key, value < 0 ? otherwise : value ? "yes" : "no");
}

static void put_text(const char *key, const char *value)
{
    if (value)
        put(key, value);
}

static void put_names(const char *key, const struct dory_cli_names *names)
{
    char line[TEXT] = "", one[TEXT];

    for (int i = 0; i < names->n; i++) {
        assert_int_equal(dory_cli_tilde(names->at[i], one, sizeof one), 0);
        strcat(strcat(line, i ? " " : ""), one);
    }
    if (names->n)
        put(key, line);
}

/* In the words of ssh -G; what it shows otherwise (lists of algorithms that are edited, for one) is left out. */
static void show(const struct dory_cli_ssh *o, const char *host)
{
    static const char *const strict[] = {"false", "true", "ask", "accept-new"}, *const log[] = {"QUIET", "ERROR", "INFO", "VERBOSE",
                                                                                                "DEBUG"};
    const struct dory_cli_tokens tokens = {.host = host, .address = host};
    char text[TEXT];

    *mine = '\0';
    put("user", o->user ? o->user : dory_cli_local_user());
    assert_int_equal(dory_cli_percent(&tokens, "h", o->hostname ? o->hostname : host, text, sizeof text), 0);
    put("hostname", text);
    put_number("port", o->port < 0 ? 22 : o->port);
    put("addressfamily", o->family == AF_INET ? "inet" : o->family == AF_INET6 ? "inet6" : "any");
    put_flag("batchmode", o->batch, "no");
    put_flag("hashknownhosts", o->hash_known_hosts, "no");
    put_flag("identitiesonly", o->identities_only, "no");
    put_flag("kbdinteractiveauthentication", o->interactive_auth, "yes");
    put_flag("passwordauthentication", o->password_auth, "yes");
    put_flag("tcpkeepalive", o->tcp_keepalive, "yes");
    put_flag("visualhostkey", o->visual_host_key, "no");
    put("stricthostkeychecking", strict[o->strict < 0 ? DORY_STRICT_ASK : o->strict]);
    put_number("connectionattempts", o->connect_attempts < 0 ? 1 : o->connect_attempts);
    put_number("numberofpasswordprompts", o->password_prompts < 0 ? 3 : o->password_prompts);
    put_number("serveralivecountmax", o->alive_max < 0 ? 3 : o->alive_max);
    put_number("serveraliveinterval", o->alive_interval < 0 ? 0 : o->alive_interval);
    put_number("requiredrsasize", o->rsa_bits < 0 ? 1024 : o->rsa_bits);
    put("loglevel", log[o->log < 0 ? DORY_LOG_INFO : o->log]);
    snprintf(text, sizeof text, "%lld %lld", o->rekey_bytes < 0 ? 0LL : (long long)o->rekey_bytes,
             o->rekey_bytes < 0 ? 0LL : (long long)o->rekey_seconds);
    put("rekeylimit", text);
    if (o->connect_timeout > 0)
        put_number("connecttimeout", o->connect_timeout);
    else
        put("connecttimeout", "none");
    put_text("proxycommand", o->proxy_command && strcasecmp(o->proxy_command, "none") ? o->proxy_command : NULL);
    put_text("proxyjump", o->proxy_jump && strcasecmp(o->proxy_jump, "none") ? o->proxy_jump : NULL);
    put_text("hostkeyalias", o->host_key_alias);
    put_text("bindaddress", o->bind_address);
    put_text("preferredauthentications", o->preferred_auth);
    put_text("ignoreunknown", o->ignore_unknown);
    put_text("revokedhostkeys", o->revoked_host_keys);
    put_text("identityagent", o->identity_agent);
    put_text("ciphers", o->ciphers);
    put_text("macs", o->macs);
    put_text("kexalgorithms", o->kex);
    put_names("userknownhostsfile", &o->user_known_hosts);
    put_names("globalknownhostsfile", &o->global_known_hosts);
    for (int i = 0; i < o->identity_count; i++) put("identityfile", o->identities[i]);
}

/* Each of our lines must be among ssh's, and its identities, which have an order, in that order. */
static void compare(const char *theirs)
{
    const char *last_identity = theirs;

    for (char *line = strtok(mine, "\n"); line; line = strtok(NULL, "\n")) {
        bool ordered = !strncmp(line, "identityfile ", 13);
        char wanted[TEXT];
        const char *found;

        snprintf(wanted, sizeof wanted, "\n%s\n", line);
        found = strstr(ordered ? last_identity : theirs, wanted);
        if (!found)
            print_message("ssh does not say \"%s\"; it says\n%s\n", line, theirs);
        assert_non_null(found);
        if (ordered)
            last_identity = found + 1;
    }
}

static void same_as_ssh(const char *text, const char *host)
{
    static struct dory_cli_ssh o;
    static char theirs[65536];

    print_message("case: for %s\n%s\n", host, text);
    posix_kit_write("config", text, 0600);
    dory_cli_ssh_init(&o);
    assert_true(dory_cli_config_read(&o, "config", host));
    show(&o, host);
    assert_int_equal(posix_kit_sh("ssh -G -F config %s 2>/dev/null", host), 0);
    snprintf(theirs, sizeof theirs, "\n%s\n", posix_kit_output());
    compare(theirs);
}

static const char *const texts[] = {
    "",
    "Host h\n User u\n Port 99\nHost *\n User v\n Port 98\n",
    "Host a !h h\n Port 5\nHost !a\n Port 6\nHost !a *\n Port 7\n",
    "Host H\n Port 5\nHost ?\n Port 6\nHost h* g*\n HostName %h.example%%x\n",
    "Host \"h\" 'g'\n User \"a\\\"b\"\nHost a,h\n Port 8\n",
    "user=u\nPORT\t=\t77 # seventy-seven\n  hostname   other  \n",
    "# nothing\n\n   \n\t# Port 3\nPort 4\r\nUser u#v\n",
    "Match host h\n Port 5\nMatch all\n Port 6\nUser q\n",
    "Match !host h\n Port 5\nMatch host=h user root\n User never\nMatch host h,!h\n Port 9\n",
    "HostName other\nMatch host h\n Port 5\nMatch host other\n Port 6\nMatch originalhost h\n User o\n",
    "User u\nMatch user u,v\n Port 5\nMatch user U\n Port 6\n",
    "Match exec \"test %n = h\"\n Port 5\nMatch exec \"test %n != h\"\n User n\nMatch !exec false host h\n HashKnownHosts yes\n",
    "HostName x.%h\nPort 7\nUser u\nMatch exec \"test %h:%p:%r = x.h:7:u\"\n Compression yes\n HashKnownHosts true\n",
    "Match exec false exec \"touch touched\"\n Port 5\n",
    "Match final\n Port 5\nHost other\n User o\nHost h\n HostName other\n",
    "Match canonical\n Port 5\nMatch !canonical\n Port 6\n",
    "Match final host h\n Port 5\nMatch all\nPort 6\nIdentityFile a\n",
    "IdentityFile ~/.ssh/b\nIdentityFile ~/.ssh/a\nIdentityFile \"with blank\"\nIdentityFile ~/.ssh/b\n",
    "Host h\n IdentityFile none\nHost *\n IdentityFile c\n",
    "UserKnownHostsFile ~/a \"/b c\" /d\\ e\nGlobalKnownHostsFile none\n",
    "StrictHostKeyChecking off\nLogLevel debug1\nServerAliveInterval 1m30\nServerAliveCountMax 7\nConnectTimeout 2m\n",
    "StrictHostKeyChecking accept-new\nRekeyLimit 1G 1h\nConnectionAttempts 4\nNumberOfPasswordPrompts 1\n",
    "RekeyLimit default none\nRequiredRSASize 3072\nVisualHostKey yes\nHashKnownHosts yes\nTCPKeepAlive no\n",
    "ProxyCommand  /bin/nc  -X \"a b\" %h %p # not a comment \nProxyJump x\n",
    "ProxyJump a@b:33,c\nProxyCommand x\n",
    "ProxyJump none\nProxyCommand x\nPort 5\n",
    "ProxyCommand none\nProxyJump x\n",
    "HostKeyAlias k\nBindAddress 1.2.3.4\nPreferredAuthentications password,publickey\nRevokedHostKeys /r\nIdentityAgent /x\n",
    "Ciphers aes256-ctr,aes128-ctr\nMACs hmac-sha2-256-etm@openssh.com\nKexAlgorithms curve25519-sha256\n",
    "IgnoreUnknown Foo*,bar\nFooBar 1\nBAR x y z\nPort 5\nHost other\n foo x\n",
    "PasswordAuthentication no\nChallengeResponseAuthentication no\nPubkeyAuthentication unbound\nIdentitiesOnly yes\nAddressFamily "
    "inet6\n",
    "KeepAlive no\nProtocolKeepAlives 3\nSkeyAuthentication no\nIdentityFile2 z\n",
    "AddKeysToAgent 1h\nCanonicalDomains a b\nForwardAgent yes\nSendEnv LANG LC_*\nSetEnv A=b C=d\nLocalForward 1 h:2\nControlPath x\nPort "
    "5\n",
    "GSSAPIAuthentication yes\nProtocol 2\nCipher 3des\nIPQoS lowdelay\nCheckHostIP no\nVerifyHostKeyDNS yes\nUpdateHostKeys ask\nPort 5\n",
    "Include inc/*.conf\nPort 4\n",
    "Host other\n Include inc/*.conf\nHost *\n Port 4\n",
    "Include missing/* inc/b.conf\nInclude inc/a.conf\n",
};

static void test_as_ssh(void **state)
{
    (void)state;
    assert_true(posix_kit_has("ssh"));
    assert_int_equal(posix_kit_sh("mkdir inc"), 0);
    posix_kit_write("inc/a.conf", "Port 50\nHost g\n User a\nHost other\n", 0600);
    posix_kit_write("inc/b.conf", "User b\nMatch host h\n Port 60\n", 0600);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[TEXT];
        const char *inc = strstr(texts[i], "Include ");

        snprintf(text, sizeof text, "%s", texts[i]);
        if (inc) { /* relative names would mean ~/.ssh */
            char *at = text;

            for (size_t n = 0; (at = strstr(text + n, "inc/")); n = (size_t)(at - text) + strlen(posix_kit_dir()) + 5) {
                memmove(at + strlen(posix_kit_dir()) + 1, at, strlen(at) + 1);
                memcpy(at, posix_kit_dir(), strlen(posix_kit_dir()));
                at[strlen(posix_kit_dir())] = '/';
            }
        }
        same_as_ssh(text, "h");
        same_as_ssh(text, "g.example");
    }
    assert_false(posix_kit_exists("touched"));
}

static bool reads(const char *text)
{
    static struct dory_cli_ssh o;

    posix_kit_write("config", text, 0600);
    dory_cli_ssh_init(&o);
    return dory_cli_config_read(&o, "config", "h");
}

/* The words of refusals are held against ssh's in tests/interop/cases_config.py. */
static void test_refusals(void **state)
{
    static const char *const bad[] = {
        "Nonsense yes\n",
        "Host other\n Port x\n",
        "Match foo\n",
        "Match host\n",
        "Match all user x\n",
        "Host other\n Foo 1\n",
        "Port 1 2\n",
        "User \"a\n",
        "ProxyJump :x\n",
        "Match localnetwork 1.2.3.0/24\n",
        "RekeyLimit 8\n",
        "Include /etc/\"\n",
        "KexAlgorithms +foo\n",
        "Ciphers aes256-*\n",
        "StrictHostKeyChecking maybe\n",
    };

    (void)state;
    dory_say_level(DORY_LOG_QUIET);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        print_message("case: %s", bad[i]);
        assert_false(reads(bad[i]));
    }
    assert_true(reads("HostKeyAlgorithms ssh-*\nCiphers -aes*\nMatch tagged x\n Port 5\n"));
    assert_false(dory_cli_config_read(&(struct dory_cli_ssh){0}, "missing", "h"));
    assert_true(dory_cli_config_read(&(struct dory_cli_ssh){0}, "none", "h"));
}

static void test_include_loop(void **state)
{
    char text[TEXT];

    (void)state;
    snprintf(text, sizeof text, "Include %s/config\n", posix_kit_dir());
    assert_false(reads(text));
    posix_kit_write("open.conf", "Port 5\n", 0666);
    assert_int_equal(posix_kit_sh("chmod 666 open.conf"), 0);
    snprintf(text, sizeof text, "Include %s/open.conf\n", posix_kit_dir());
    assert_false(reads(text));
}

static void test_home(void **state)
{
    static struct dory_cli_ssh o;

    (void)state;
    assert_int_equal(setenv("HOME", posix_kit_dir(), 1), 0);
    assert_int_equal(posix_kit_sh("mkdir .ssh"), 0);
    posix_kit_write(".ssh/more", "Port 50\nUserKnownHostsFile known\n", 0600);
    posix_kit_write(".ssh/config", "Include more\nUser u\n", 0600);
    dory_cli_ssh_init(&o);
    assert_true(dory_cli_config_read(&o, NULL, "h"));
    assert_int_equal(o.port, 50);
    assert_string_equal(o.user, "u");
    assert_int_equal(posix_kit_sh("chmod 620 .ssh/config"), 0);
    assert_false(dory_cli_config_read(&o, NULL, "h"));
    assert_int_equal(posix_kit_sh("rm -r .ssh"), 0);
    dory_cli_ssh_init(&o);
    assert_true(dory_cli_config_read(&o, NULL, "h"));
    assert_int_equal(o.port, -1);
}

static void expands(const char *name, const char *expected)
{
    const struct dory_cli_tokens t = {.host = "n", .address = "h", .known_as = "k", .user = "r", .jump = "j", .port = 7};
    char out[64];
    int result = dory_cli_path(&t, name, out, sizeof out);

    print_message("case: %s\n", name);
    assert_int_equal(result, expected ? 0 : -1);
    if (expected)
        assert_string_equal(out, expected);
}

static void test_expand(void **state)
{
    char out[4];

    (void)state;
    setenv("HOME", "/home/x", 1);
    setenv("SOME", "thing", 1);
    unsetenv("OTHER");
    expands("~/a", "/home/x/a");
    expands("~", "/home/x");
    expands("~root/a", "/root/a");
    expands("~nobody-of-that-name/a", NULL);
    expands("a~", "a~");
    expands("%n%h%k%r%j%p%%%d", "nhkrj7%/home/x");
    expands("${SOME}/${SOME}", "thing/thing");
    expands("${OTHER}", NULL);
    expands("$SOME ${", "$SOME ${");
    expands("%", NULL);
    expands("%Z", NULL);
    expands("0123456789012345678901234567890123456789012345678901234567890123", NULL);
    assert_int_equal(dory_cli_percent(&(struct dory_cli_tokens){.host = "n"}, "h", "%n", out, sizeof out), -1);
    assert_int_equal(dory_cli_percent(&(struct dory_cli_tokens){.host = "abcd"}, NULL, "%n", out, sizeof out), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_as_ssh, posix_kit_enter, posix_kit_leave),
        cmocka_unit_test_setup_teardown(test_refusals, posix_kit_enter, posix_kit_leave),
        cmocka_unit_test_setup_teardown(test_include_loop, posix_kit_enter, posix_kit_leave),
        cmocka_unit_test_setup_teardown(test_home, posix_kit_enter, posix_kit_leave),
        cmocka_unit_test(test_expand),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
