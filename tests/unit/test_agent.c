/* The client of ssh-agent: against OpenSSH's agent, and against one that says what a script tells it (a hostile one, too). */
#include "posix_kit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dory_crypto.h"
#include "dory_posix_agent.h"
#include "dory_posix_keyfile.h"

#define PATIENCE 60000 /* ms; only the silent agent is waited for */

static char why[DORY_WHY_MAX];
static struct dory_agent agent;
static uint8_t signature[8192];
static pid_t child; /* the scripted agent */

/* ---- an agent that sends what it is told, after it has read `after` bytes; then it waits, or hangs up */

enum { THEN_WAIT, THEN_HANG_UP };

static void scripted(const void *bytes, size_t n, size_t after, int then)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "sock"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    unlink("sock");
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char in[4096];
        int peer = accept(fd, NULL, NULL);
        while (after > 0) {
            ssize_t r = read(peer, in, after < sizeof in ? after : sizeof in);
            if (r <= 0)
                _exit(0);
            after -= (size_t)r;
        }
        if (write(peer, bytes, n) < 0)
            _exit(1);
        while (then == THEN_WAIT && read(peer, in, sizeof in) > 0) {
        }
        _exit(0);
    }
    close(fd);
    assert_int_equal(dory_agent_open(&agent, "sock", why), DORY_OK);
}

static void bury(void)
{
    dory_agent_close(&agent);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

#define SCRIPT(text, then) scripted(text, sizeof text - 1, 5, then)

static int listed(uint32_t patience)
{
    int r = dory_agent_list(&agent, patience, why);
    if (r < 0)
        assert_true(why[0] != 0);
    return r;
}

static void test_list_by_script(void **state)
{
    (void)state;
    struct dory_agent_key key;
    SCRIPT("\0\0\0\x19\x0c\0\0\0\2\0\0\0\3abc\0\0\0\1x\0\0\0\0\0\0\0\0", THEN_WAIT);
    assert_int_equal(listed(PATIENCE), 2);
    assert_true(dory_agent_next(&agent, &key));
    assert_int_equal(key.blob_n, 3);
    assert_memory_equal(key.blob, "abc", 3);
    assert_int_equal(key.comment_n, 1);
    assert_true(dory_agent_next(&agent, &key));
    assert_int_equal(key.blob_n, 0);
    assert_false(dory_agent_next(&agent, &key));
    bury();
}

static void test_nonsense(void **state)
{
    (void)state;
#define N(text)                                                                                                                            \
    {                                                                                                                                      \
        text, sizeof text - 1                                                                                                              \
    }
    static const struct {
        const char *bytes;
        size_t n;
    } answers[] = {
        N("\0\0\0\0"),                                       /* no type */
        N("\xff\xff\xff\xff\x0c"),                           /* 4 GiB */
        N("\0\4\0\1\x0c"),                                   /* just over the limit */
        N("\0\0\0\1\x0c"),                                   /* no count */
        N("\0\0\0\4\x0c\0\0\0"),                             /* half a count */
        N("\0\0\0\5\x0c\0\0\0\1"),                           /* a key that is not there */
        N("\0\0\0\5\x0c\xff\xff\xff\xff"),                   /* 2^32-1 keys */
        N("\0\0\0\x0d\x0c\x80\0\0\0\0\0\0\0\0\0\0\0"),       /* 2^31 keys, one is there */
        N("\0\0\0\x0d\x0c\0\0\0\1\xff\xff\xff\xff\0\0\0\0"), /* a blob beyond the end */
        N("\0\0\0\x0d\x0c\0\0\0\1\0\0\0\5\0\0\0\0"),         /* a blob that runs into its comment's length */
        N("\0\0\0\x0d\x0c\0\0\0\1\0\0\0\0\0\0\0\1"),         /* a comment beyond the end */
        N("\0\0\0\6\x0c\0\0\0\0x"),                          /* more than its keys */
        N("\0\0\0\5\x0e\0\0\0\0"),                           /* a signature that nobody asked for */
        N("\0\0\0\1\0"),
        N("\0\0\0\1\x06"), /* success without a list */
        N("\0\0\0\5\x0d\0\0\0\0"),
        N("SSH-2.0-OpenSSH_9.2p1\r\n"), /* not an agent at all */
        N("HTTP/1.1 400 Bad Request\r\n\r\n"),
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        scripted(answers[i].bytes, answers[i].n, 5, THEN_WAIT);
        int r = listed(PATIENCE);
        if (r != DORY_E_PROTOCOL)
            fail_msg("answer %zu: %d %s", i, r, why);
        assert_non_null(strstr(why, "sock"));
        assert_int_equal(listed(PATIENCE), DORY_E_CLOSED); /* given up */
        bury();
    }
}

/* Every byte of a good answer, changed in a few ways: whatever is taken lies inside of the answer. */
static void test_every_byte_wrong(void **state)
{
    (void)state;
    static const char good[] = "\0\0\0\x19\x0c\0\0\0\2\0\0\0\3abc\0\0\0\1x\0\0\0\0\0\0\0\0";
    static const uint8_t flips[] = {0x01, 0x04, 0x80, 0xff};
    char bad[sizeof good];
    for (size_t i = 0; i < 4 * (sizeof good - 1); i++) {
        struct dory_agent_key key;
        size_t total = 0;
        memcpy(bad, good, sizeof good);
        bad[i / 4] = (char)(bad[i / 4] ^ flips[i % 4]);
        scripted(bad, sizeof good - 1, 5, THEN_HANG_UP);
        if (listed(PATIENCE) >= 0)
            while (dory_agent_next(&agent, &key)) total += 8 + key.blob_n + key.comment_n;
        assert_true(total + 5 <= 0x19);
        bury();
    }
}

static void test_refusal_keeps_the_agent(void **state)
{
    (void)state;
    SCRIPT("\0\0\0\1\5\0\0\0\5\x0c\0\0\0\0", THEN_WAIT);
    assert_int_equal(listed(PATIENCE), DORY_E_AUTH);
    assert_int_equal(listed(PATIENCE), 0);
    bury();
}

static void test_silence_and_closed_sockets(void **state)
{
    (void)state;
    SCRIPT("", THEN_WAIT);
    assert_int_equal(listed(50), DORY_E_TIMEOUT);
    assert_non_null(strstr(why, "does not answer"));
    bury();
    SCRIPT("\0\0\0\x19\x0c\0\0\0", THEN_WAIT); /* stops in the middle */
    assert_int_equal(listed(50), DORY_E_TIMEOUT);
    bury();
    for (size_t n = 0; n < 9; n++) {
        scripted("\0\0\0\5\x0c\0\0\0\0", n, 5, THEN_HANG_UP);
        assert_int_equal(listed(PATIENCE), DORY_E_CUT);
        assert_non_null(strstr(why, "hung up"));
        bury();
    }
    scripted("", 0, 0, THEN_HANG_UP); /* before it has read anything */
    assert_int_equal(listed(PATIENCE), DORY_E_CUT);
    bury();
}

static void test_nobody_there(void **state)
{
    (void)state;
    char path[300];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = 0;
    assert_int_equal(dory_agent_open(&agent, "none", why), DORY_E_NOENT);
    dory_agent_close(&agent);
    posix_kit_write("file", "", 0600);
    assert_int_equal(dory_agent_open(&agent, "file", why), DORY_E_NOENT);
    assert_int_equal(dory_agent_open(&agent, "", why) < 0, 1);
    assert_int_equal(dory_agent_open(&agent, path, why), DORY_E_NAME);
    SCRIPT("", THEN_HANG_UP);
    bury();
    assert_int_equal(dory_agent_open(&agent, "sock", why), DORY_E_NOENT); /* left behind by one that died */
    assert_non_null(strstr(why, "sock"));
}

static int sign(const char *algorithm, size_t cap)
{
    const struct dory_agent_key key = {.blob = (const uint8_t *)"key", .blob_n = 3};
    int r = dory_agent_sign(&agent, &key, algorithm, (const uint8_t *)"data", 4, signature, cap, PATIENCE, why);
    if (r < 0)
        assert_true(why[0] != 0);
    return r;
}

#define QUESTION 24 /* bytes of the question above */

static void test_signatures_by_script(void **state)
{
    (void)state;
    static const char good[] = "\0\0\0\x1d\x0e\0\0\0\x18\0\0\0\x0bssh-ed25519\0\0\0\5"
                               "12345";
    static const char wrong[] = "\0\0\0\x19\x0e\0\0\0\x14\0\0\0\7ssh-rsa\0\0\0\5\x1b[31m";
    scripted(good, sizeof good - 1, QUESTION, THEN_WAIT);
    assert_int_equal(sign("ssh-ed25519", sizeof signature), 24);
    assert_memory_equal(signature, good + 9, 24);
    bury();
    scripted(good, sizeof good - 1, QUESTION, THEN_WAIT);
    assert_int_equal(sign("ssh-ed25519", 23), DORY_E_SPACE);
    bury();
    scripted(good, sizeof good - 1, QUESTION, THEN_WAIT);
    assert_int_equal(sign("ssh-ed25519-cert-v01@openssh.com", sizeof signature), 24);
    bury();
    scripted(good, sizeof good - 1, QUESTION, THEN_WAIT);
    assert_int_equal(sign("ssh-ed25519x", sizeof signature), DORY_E_AUTH);
    bury();
    scripted(good, sizeof good - 1, QUESTION, THEN_WAIT);
    assert_int_equal(sign("ssh-ed2551", sizeof signature), DORY_E_AUTH);
    bury();
    scripted(wrong, sizeof wrong - 1, QUESTION, THEN_WAIT); /* an agent that knows no flags signs with SHA-1 */
    assert_int_equal(sign("rsa-sha2-512", sizeof signature), DORY_E_AUTH);
    assert_non_null(strstr(why, "ssh-rsa"));
    bury();
    scripted("\0\0\0\1\5", 5, QUESTION, THEN_WAIT);
    assert_int_equal(sign("ssh-ed25519", sizeof signature), DORY_E_AUTH);
    bury();
}

static void test_signatures_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } answers[] = {
        N("\0\0\0\1\x0e"),
        N("\0\0\0\5\x0e\0\0\0\0"),
        N("\0\0\0\5\x0e\0\0\0\1"),
        N("\0\0\0\5\x0e\xff\xff\xff\xff"),
        N("\0\0\0\x09\x0e\0\0\0\4\0\0\0\1"),
        N("\0\0\0\x09\x0e\0\0\0\4\xff\xff\xff\xff"),
        N("\0\0\0\x0a\x0e\0\0\0\4\0\0\0\0x"),
        N("\0\0\0\5\x0c\0\0\0\0"),
        N("\xff\xff\xff\xff\x0e"),
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        scripted(answers[i].bytes, answers[i].n, QUESTION, THEN_WAIT);
        int r = sign("ssh-ed25519", sizeof signature);
        if (r != DORY_E_PROTOCOL)
            fail_msg("answer %zu: %d %s", i, r, why);
        assert_int_equal(sign("ssh-ed25519", sizeof signature), DORY_E_CLOSED);
        bury();
    }
}

/* ---- OpenSSH's agent, and its judgement of what it signed */

static pid_t their_agent;

static void start_theirs(const char *arguments)
{
    if (!posix_kit_has("ssh-agent"))
        skip();
    assert_int_equal(posix_kit_sh("ssh-agent -a real %s | sed -n 's/.*SSH_AGENT_PID=\\([0-9]*\\).*/\\1/p'", arguments), 0);
    their_agent = (pid_t)atoi(posix_kit_output());
    assert_true(their_agent > 1);
    setenv("SSH_AUTH_SOCK", "real", 1);
}

static int leave_theirs(void **state)
{
    dory_agent_close(&agent);
    if (their_agent > 1)
        kill(their_agent, SIGTERM);
    their_agent = 0;
    return posix_kit_leave(state);
}

static void save(const char *path, const uint8_t *bytes, size_t n)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* ssh-keygen -Y verify judges a signature in an envelope of its own: what is signed is made by the envelope's rules (PROTOCOL.sshsig). */
static size_t put(uint8_t *to, const void *bytes, size_t n)
{
    to[0] = to[1] = 0, to[2] = (uint8_t)(n >> 8), to[3] = (uint8_t)n;
    memcpy(to + 4, bytes, n);
    return n + 4;
}

static size_t to_be_signed(uint8_t *out, const char *message)
{
    struct dory_sha256 hash;
    uint8_t digest[32];
    size_t n = 6;
    dory_sha256_init(&hash);
    dory_sha256_update(&hash, message, strlen(message));
    dory_sha256_final(&hash, digest);
    memcpy(out, "SSHSIG", 6);
    n += put(out + n, "test", 4);
    n += put(out + n, "", 0);
    n += put(out + n, "sha256", 6);
    return n + put(out + n, digest, sizeof digest);
}

static void wrap(const struct dory_agent_key *key, size_t signature_n)
{
    static uint8_t blob[8192];
    static char base64[12000];
    size_t n = 10;
    memcpy(blob, "SSHSIG\0\0\0\1", 10);
    n += put(blob + n, key->blob, key->blob_n);
    n += put(blob + n, "test", 4);
    n += put(blob + n, "", 0);
    n += put(blob + n, "sha256", 6);
    n += put(blob + n, signature, signature_n);
    assert_true(dory_base64_encode(base64, sizeof base64, blob, n, true) > 0);
    save("base64", (const uint8_t *)base64, strlen(base64));
    assert_int_equal(
        posix_kit_sh("{ echo -----BEGIN SSH SIGNATURE-----; fold -w 70 base64; echo; echo -----END SSH SIGNATURE-----; } > sig"), 0);
}

static void assert_signs(const struct dory_agent_key *key, const char *algorithm)
{
    uint8_t data[512];
    char base64[4096], name[64];
    size_t n = to_be_signed(data, "hello\n");
    int r = dory_agent_sign(&agent, key, algorithm, data, n, signature, sizeof signature, PATIENCE, why);
    if (r < 0)
        fail_msg("%s: %d %s", algorithm, r, why);
    assert_true(dory_base64_encode(base64, sizeof base64, key->blob, key->blob_n, true) > 0);
    snprintf(name, sizeof name, "%.*s", key->blob[3], (const char *)key->blob + 4);
    assert_int_equal(posix_kit_sh("echo 'me %s %s' > allowed", name, base64), 0);
    wrap(key, (size_t)r);
    if (posix_kit_sh("echo hello | ssh-keygen -Y verify -f allowed -I me -n test -s sig") != 0)
        fail_msg("%s: ssh-keygen says %s", algorithm, posix_kit_output());
    assert_memory_equal(signature + 4, algorithm, strlen(algorithm));
}

static void test_every_key_of_openssh(void **state)
{
    (void)state;
    static const char *const algorithms[] = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
                                             "rsa-sha2-512"};
    struct dory_agent_key key;
    char comment[16];
    start_theirs("");
    assert_int_equal(posix_kit_sh("for k in 'ed25519 256' 'ecdsa 256' 'ecdsa 384' 'ecdsa 521' 'rsa 3072'; do i=$((i+1)); set -- $k;"
                                  " ssh-keygen -q -t $1 -b $2 -N '' -C key$i -f k$i && ssh-add -q k$i || exit 1; done"),
                     0);
    assert_int_equal(dory_agent_open(&agent, "real", why), DORY_OK);
    assert_int_equal(listed(PATIENCE), 5);
    for (int i = 0; i < 5; i++) {
        assert_true(dory_agent_next(&agent, &key));
        snprintf(comment, sizeof comment, "key%d", i + 1);
        assert_int_equal(key.comment_n, strlen(comment));
        assert_memory_equal(key.comment, comment, key.comment_n);
        assert_signs(&key, algorithms[i]);
    }
    assert_signs(&key, "rsa-sha2-256");
    assert_int_equal(dory_agent_sign(&agent, &key, "ssh-ed25519", (const uint8_t *)"x", 1, signature, sizeof signature, PATIENCE, why),
                     DORY_E_AUTH); /* an RSA key cannot */
    assert_int_equal(dory_agent_sign(&agent, &key, "rsa-sha2-512", (const uint8_t *)"x", 1, signature, 100, PATIENCE, why), DORY_E_SPACE);
}

static void test_empty_locked_and_refusing_agents(void **state)
{
    (void)state;
    struct dory_agent_key key;
    start_theirs("");
    assert_int_equal(dory_agent_open(&agent, "real", why), DORY_OK);
    assert_int_equal(listed(PATIENCE), 0);
    assert_false(dory_agent_next(&agent, &key));
    assert_int_equal(posix_kit_sh("ssh-keygen -q -t ed25519 -N '' -f k && SSH_ASKPASS=/bin/false ssh-add -q -c k"), 0);
    assert_int_equal(listed(PATIENCE), 1);
    assert_true(dory_agent_next(&agent, &key));
    assert_int_equal(dory_agent_sign(&agent, &key, "ssh-ed25519", (const uint8_t *)"x", 1, signature, sizeof signature, PATIENCE, why),
                     DORY_E_AUTH); /* the agent has no way to ask, so it does not sign */
    assert_non_null(strstr(why, "refused"));
    posix_kit_write("ask", "#!/bin/sh\necho word\n", 0700);
    assert_int_equal(posix_kit_sh("SSH_ASKPASS=./ask SSH_ASKPASS_REQUIRE=force setsid -w ssh-add -x"), 0);
    assert_int_equal(listed(PATIENCE), 0); /* a locked agent says that it has none */
}

static void test_an_agent_that_dies(void **state)
{
    (void)state;
    struct dory_agent_key key;
    start_theirs("");
    assert_int_equal(posix_kit_sh("ssh-keygen -q -t ed25519 -N '' -f k && ssh-add -q k"), 0);
    assert_int_equal(dory_agent_open(&agent, "real", why), DORY_OK);
    assert_int_equal(listed(PATIENCE), 1);
    assert_true(dory_agent_next(&agent, &key));
    kill(their_agent, SIGKILL);
    their_agent = 0;
    assert_int_equal(dory_agent_sign(&agent, &key, "ssh-ed25519", (const uint8_t *)"x", 1, signature, sizeof signature, PATIENCE, why),
                     DORY_E_CUT);
}

#define T(f)      cmocka_unit_test_setup_teardown(f, posix_kit_enter, posix_kit_leave)
#define THEIRS(f) cmocka_unit_test_setup_teardown(f, posix_kit_enter, leave_theirs)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_list_by_script),
        T(test_nonsense),
        T(test_every_byte_wrong),
        T(test_refusal_keeps_the_agent),
        T(test_silence_and_closed_sockets),
        T(test_nobody_there),
        T(test_signatures_by_script),
        T(test_signatures_that_are_none),
        THEIRS(test_every_key_of_openssh),
        THEIRS(test_empty_locked_and_refusing_agents),
        THEIRS(test_an_agent_that_dies),
    };
    signal(SIGPIPE, SIG_IGN); /* in the scripted agent */
    if (dory_crypto_init() != DORY_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
