/* Key files and dory keygen, in both directions against the real ssh-keygen. */
#include "posix_kit.h"

#include <dlfcn.h>
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
static bool botan; /* it is there: else what OpenSSH encrypts cannot be opened here */

/* Instead of libc's: a machine without Botan's library, where `hidden` says so. */
static bool hidden;

void *dlopen(const char *name, int flags)
{
    void *(*real)(const char *, int);
    void *symbol = dlsym(RTLD_NEXT, "dlopen");
    if (hidden && name && strncmp(name, "libbotan", 8) == 0)
        return NULL;
    memcpy(&real, &symbol, sizeof real);
    return real(name, flags);
}

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
        assert_int_equal(dory_keyfile_load("k", NULL, &key, comment, why), DORY_OK);
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
    assert_int_equal(dory_keyfile_load("k", NULL, &key, NULL, why), DORY_OK);
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
    static const char *const sizes[] = {"1024", "2047", "2046", "8194", "16384", "-2048", "x", "3072x", ""};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) assert_int_equal(KEYGEN("", "-t", "rsa", "-b", sizes[i], "-f", "k"), 1);
    assert_int_equal(KEYGEN("", "-t", "rsa", "-b", "1024", "-f", "k"), 1);
    assert_non_null(strstr(posix_kit_read("out"), "2048 to 8192"));
    assert_int_equal(KEYGEN("", "-t", "ecdsa", "-b", "384", "-f", "k"), 1);
    assert_non_null(strstr(posix_kit_read("out"), "256"));
    assert_int_equal(KEYGEN("", "-t", "dsa", "-f", "k"), 1);
    assert_non_null(strstr(posix_kit_read("out"), "ed25519, ecdsa and rsa"));
    assert_int_equal(KEYGEN("", "-m", "DER", "-f", "k"), 1);
    assert_int_equal(KEYGEN("", "-t", "ecdsa", "-m", "PEM", "-N", "sesame", "-f", "k"), 1);
    assert_non_null(strstr(posix_kit_read("out"), "PKCS8"));
    assert_null(strstr(posix_kit_read("out"), "sesame"));
    assert_int_equal(KEYGEN("", "-C", "two\nlines", "-f", "k"), 1);
    assert_int_equal(KEYGEN("", "-q"), 1);
    assert_int_equal(KEYGEN("", "-f", "none/k"), 1);
    assert_non_null(strstr(posix_kit_read("out"), "cannot save none/k"));
    assert_false(posix_kit_exists("k"));
    assert_int_equal(KEYGEN("", "-l", "-f", "none"), 1);
    assert_int_equal(KEYGEN("", "-l", "-f", "in"), 1);
    assert_int_equal(KEYGEN("", "-y", "-f", "in"), 1);
}

/* ---- every type in every format, from here to there and back */

static const struct {
    const char *type, *bits, *size;
} types[] = {{"ed25519", NULL, "256"}, {"ecdsa", "256", "256"}, {"rsa", "2048", "2048"}, {"rsa", "3072", "3072"}};
static const char *const formats[] = {"RFC4716", "PEM", "PKCS8"};
#define TYPES (sizeof types / sizeof *types)

static void make_ours(size_t type, const char *format)
{
    posix_kit_sh("rm -f k k.pub");
    if (types[type].bits)
        assert_int_equal(KEYGEN("", "-q", "-t", types[type].type, "-b", types[type].bits, "-m", format, "-C", "a note", "-f", "k"), 0);
    else
        assert_int_equal(KEYGEN("", "-q", "-t", types[type].type, "-m", format, "-C", "a note", "-f", "k"), 0);
}

/* That `other`, a command that prints a public key, means the one in k.pub. */
static void same_public(const char *other)
{
    if (posix_kit_sh("test \"$(%s | cut -d' ' -f1,2)\" = \"$(cut -d' ' -f1,2 k.pub)\"", other) != 0)
        fail_msg("%s: %s", other, posix_kit_output());
}

/* Debian 12's ssh-keygen reads no Ed25519 key in PKCS #8 (OpenSSH 9.6 does), OpenSSL no OpenSSH format. */
static void test_others_read_every_format_of_ours(void **state)
{
    (void)state;
    need_ssh_keygen();
    for (size_t t = 0; t < TYPES; t++)
        for (size_t f = 0; f < 3; f++) {
            bool openssh = f == 0 || (f == 1 && t == 0);
            make_ours(t, formats[f]);
            assert_int_equal(posix_kit_mode("k"), 0600);
            assert_int_equal(posix_kit_sh("grep -q -- '-----BEGIN %s' k", openssh  ? "OPENSSH"
                                                                          : f == 2 ? "PRIVATE"
                                                                          : t == 1 ? "EC"
                                                                                   : "RSA"),
                             0);
            if (f != 2 || t != 0)
                same_public("ssh-keygen -y -f k");
            if (!openssh) {
                if (posix_kit_sh("openssl pkey -in k -check -noout") != 0)
                    fail_msg("%s %s: %s", types[t].type, formats[f], posix_kit_output());
                if (t != 0)
                    same_public("openssl pkey -in k -pubout -out p && ssh-keygen -i -m PKCS8 -f p");
            }
            assert_int_equal(KEYGEN("", "-y", "-f", "k"), 0);
            same_public("cat out");
            assert_int_equal(KEYGEN("", "-l", "-f", "k"), 0);
            assert_int_equal(posix_kit_sh("ssh-keygen -l -f k.pub | cmp - out"), 0);
        }
}

static void test_we_read_every_format_of_theirs(void **state)
{
    (void)state;
    need_ssh_keygen();
    for (size_t t = 0; t < (hidden ? 2 : TYPES); t++)
        for (size_t f = 0; f < 3; f++)
            for (int locked = 0; locked < 2; locked++) {
                assert_int_equal(posix_kit_sh("rm -f k k.pub; ssh-keygen -q -t %s -b %s -m %s -N '%s' -f k", types[t].type, types[t].size,
                                              formats[f], locked ? "open sesame" : ""),
                                 0);
                if (locked && !botan && (f == 0 || t == 0)) {
                    assert_int_equal(KEYGEN("", "-y", "-P", "open sesame", "-f", "k"), 1);
                    assert_non_null(strstr(posix_kit_read("out"), "ssh-agent"));
                    continue;
                }
                assert_int_equal(KEYGEN("", "-y", "-P", "open sesame", "-f", "k"), 0);
                same_public("cat out");
                if (locked) {
                    assert_int_equal(KEYGEN("", "-y", "-P", "wrong", "-f", "k"), 1);
                    assert_non_null(strstr(posix_kit_read("out"), "k: wrong passphrase"));
                }
                assert_int_equal(KEYGEN("", "-l", "-f", "k"), 0);
                assert_int_equal(posix_kit_sh("ssh-keygen -l -f k.pub | cmp - out"), 0);
            }
}

/* Keys that we lock, opened by ssh-keygen and openssl; then changed by each program in turn. Debian 12's ssh-keygen reads no Ed25519 key in
   PKCS #8. */
static void test_others_open_what_we_lock(void **state)
{
    (void)state;
    need_ssh_keygen();
    for (size_t t = 0; t < (hidden ? 2 : TYPES); t++)
        for (size_t f = 0; f < 3; f += 2) {
            bool can = f != 0 || botan;
            posix_kit_sh("rm -f k k.pub");
            assert_int_equal(KEYGEN("", "-q", "-t", types[t].type, "-b", types[t].size, "-m", formats[f], "-N", "open sesame", "-C",
                                    "a note", "-f", "k"),
                             !can);
            if (!can) {
                assert_non_null(strstr(posix_kit_read("out"), "take PKCS8"));
                assert_false(posix_kit_exists("k"));
                continue;
            }
            if (f == 0 || t != 0)
                same_public("ssh-keygen -y -P 'open sesame' -f k");
            if (f != 0)
                assert_int_equal(posix_kit_sh("openssl pkey -in k -passin 'pass:open sesame' -check -noout"), 0);
            assert_int_not_equal(posix_kit_sh("ssh-keygen -y -P wrong -f k"), 0);
            assert_int_equal(KEYGEN("", "-y", "-P", "open sesame", "-f", "k"), 0);
            same_public("cat out");
            assert_int_equal(KEYGEN("", "-p", "-P", "wrong", "-N", "x", "-f", "k"), 1);
            assert_non_null(strstr(posix_kit_read("out"), "wrong passphrase"));
            if (!botan) { /* the new format would be OpenSSH's */
                assert_int_equal(KEYGEN("", "-p", "-P", "open sesame", "-N", "other", "-f", "k"), 1);
                assert_non_null(strstr(posix_kit_read("out"), "take PKCS8"));
                assert_int_equal(KEYGEN("", "-p", "-P", "open sesame", "-N", "other", "-m", "PKCS8", "-f", "k"), 0);
                continue;
            }
            assert_int_equal(KEYGEN("", "-p", "-P", "open sesame", "-N", "other", "-f", "k"), 0);
            assert_int_equal(posix_kit_sh("ssh-keygen -y -P other -f k | cmp - k.pub && grep -q 'a note' k.pub"), 0);
            assert_int_equal(posix_kit_sh("ssh-keygen -q -p -P other -N third -f k"), 0);
            assert_int_equal(KEYGEN("", "-q", "-p", "-P", "third", "-N", "", "-f", "k"), 0);
            assert_string_equal(posix_kit_read("out"), "");
            assert_int_equal(posix_kit_sh("ssh-keygen -y -f k | cmp - k.pub && grep -q 'a note' k.pub"), 0);
            assert_int_equal(posix_kit_mode("k"), 0600);
        }
}

/* What OpenSSL writes: ciphers and digests by name, and those that are not used here. */
static void test_we_read_what_openssl_writes(void **state)
{
    (void)state;
    static const struct {
        const char *how;
        int error;
    } cases[] = {
        {"genpkey -algorithm ed25519", DORY_OK},
        {"genpkey -algorithm ed25519 -aes-256-cbc -pass pass:sesame", DORY_OK},
        {"ecparam -genkey -name prime256v1", DORY_OK},
        {"ecparam -genkey -name prime256v1 -noout", DORY_OK},
        {"genrsa 2048", DORY_OK},
        {"genrsa -traditional 2048", DORY_OK},
        {"genrsa -traditional -aes256 -passout pass:sesame 2048", DORY_OK},
        {"genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048", DORY_OK},
        {"genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3", DORY_OK},
        {"genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -aes-128-cbc -pass pass:sesame", DORY_OK},
        {"genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -aes-192-cbc -pass pass:sesame", DORY_OK},
        {"genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 | openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA512 -passout "
         "pass:sesame",
         DORY_OK},
        {"genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 | openssl pkcs8 -topk8 -v2 aes-256-cbc -iter 1 -passout pass:sesame",
         DORY_OK},
        {"genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 | openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA1 -passout "
         "pass:sesame",
         DORY_E_NOSYS},
        {"genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 | openssl pkcs8 -topk8 -scrypt -passout pass:sesame", DORY_E_NOSYS},
        {"genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 | openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -passout pass:sesame",
         DORY_E_NOSYS},
        {"genrsa -traditional -des3 -passout pass:sesame 2048", DORY_E_NOSYS},
        {"genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-384", DORY_E_NOSYS},
        {"ecparam -genkey -name secp384r1 -noout", DORY_E_NOSYS},
        {"genpkey -algorithm x25519", DORY_E_NOSYS},
        {"genpkey -algorithm ed448", DORY_E_NOSYS},
        {"genrsa -traditional 1024", DORY_E_NOSYS},
        {"genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2040", DORY_E_NOSYS},
    };
    if (!posix_kit_has("openssl"))
        skip();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dory_key key;
        uint8_t blob[DORY_KEY_BLOB_MAX];
        if (posix_kit_sh("openssl %s > k 2> err && test -s k && chmod 600 k", cases[i].how) != 0)
            fail_msg("openssl %s: %s", cases[i].how, posix_kit_read("err"));
        int r = dory_keyfile_load("k", "sesame", &key, NULL, why);
        if (r != cases[i].error)
            fail_msg("openssl %s: %d (%s)", cases[i].how, r, why);
        if (r == DORY_OK) {
            char line[4096];
            int n = key.type->public_blob(&key, blob, sizeof blob);
            n = dory_public_key_line(line, sizeof line, blob, (size_t)n, "");
            assert_true(n > 0);
            posix_kit_write("k.pub", line, 0600);
            if (strstr(cases[i].how, "ed25519") == NULL)
                same_public("openssl pkey -in k -passin pass:sesame -pubout -out p && ssh-keygen -i -m PKCS8 -f p");
        }
        if (r == DORY_OK && strstr(cases[i].how, "pass:")) {
            assert_int_equal(dory_keyfile_load("k", NULL, &key, NULL, why), DORY_E_PASSPHRASE);
            assert_non_null(strstr(why, "passphrase"));
            assert_int_equal(dory_keyfile_load("k", "Sesame", &key, NULL, why), DORY_E_BAD_PASSPHRASE);
            assert_int_equal(dory_keyfile_load("k", "", &key, NULL, why), DORY_E_BAD_PASSPHRASE);
        }
    }
}

/* By bcrypt_pbkdf, which Botan has. What is encrypted with a cipher that is not known here is told with what to do about it. */
static void test_openssh_encryption(void **state)
{
    (void)state;
    static const struct {
        const char *how, *hint;
        int error;
    } cases[] = {
        {"-t ed25519", "", DORY_OK},
        {"-t ed25519 -a 50", "", DORY_OK},
        {"-t ed25519 -a 1 -Z aes256-cbc", "", DORY_OK},
        {"-t ecdsa", "", DORY_OK},
        {"-t rsa -b 2048", "", DORY_OK},
        {"-t ed25519 -Z aes128-ctr", "ssh-add k), or use a copy without passphrase", DORY_E_NOSYS},
        {"-t ecdsa -Z aes256-gcm@openssh.com", "ssh-keygen -p -m PKCS8", DORY_E_NOSYS},
        {"-t ecdsa -b 384", "ecdsa-sha2-nistp384", DORY_E_NOSYS},
    };
    need_ssh_keygen();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dory_key key;
        char comment[DORY_COMMENT_MAX];
        assert_int_equal(posix_kit_sh("rm -f k k.pub; ssh-keygen -q %s -C 'a note' -N 'open sesame' -f k", cases[i].how), 0);
        assert_int_equal(dory_keyfile_load("k", NULL, &key, comment, why), botan ? DORY_E_PASSPHRASE : DORY_E_NOSYS);
        int r = dory_keyfile_load("k", "open sesame", &key, comment, why);
        if (r != (botan ? cases[i].error : DORY_E_NOSYS) || strstr(why, botan ? cases[i].hint : "install Botan's library") == NULL)
            fail_msg("%s: %d (%s)", cases[i].how, r, why);
        if (r != DORY_OK)
            continue;
        assert_string_equal(comment, "a note");
        assert_int_equal(KEYGEN("", "-y", "-P", "open sesame", "-f", "k"), 0);
        assert_int_equal(posix_kit_sh("cmp out k.pub"), 0);
        assert_int_equal(dory_keyfile_load("k", "open sesamf", &key, comment, why), DORY_E_BAD_PASSPHRASE);
        assert_int_equal(dory_keyfile_load("k", "", &key, comment, why), DORY_E_BAD_PASSPHRASE);
    }
}

/* One wrong passphrase in 256 gives bytes whose padding looks right: still a wrong passphrase, not a damaged file. */
static void test_a_wrong_passphrase_is_never_anything_else(void **state)
{
    (void)state;
    static const char *const ways[] = {
        "genrsa -traditional -aes128 -passout pass:x 2048",
        "genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 | openssl pkcs8 -topk8 -v2 aes-128-cbc -iter 1 -passout pass:x"};
    if (!posix_kit_has("openssl"))
        skip();
    for (size_t i = 0; i < 2; i++) {
        struct dory_key key;
        char wrong[16];
        assert_int_equal(posix_kit_sh("openssl %s > k 2> err && chmod 600 k", ways[i]), 0);
        for (unsigned n = 0; n < 1500; n++) {
            snprintf(wrong, sizeof wrong, "wrong %u", n);
            assert_int_equal(dory_keyfile_load("k", wrong, &key, NULL, why), DORY_E_BAD_PASSPHRASE);
        }
    }
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
    assert_int_equal(dory_keyfile_load("none", NULL, &key, NULL, why), DORY_E_NOENT);
    assert_non_null(strstr(why, "none"));
    assert_int_equal(
        posix_kit_sh("ssh-keygen -q -t ed25519 -N secret -f enc && ssh-keygen -q -t ecdsa -N secret -f enc2 &&"
                     "ssh-keygen -q -t rsa -b 1024 -N '' -f rsa && ssh-keygen -q -t ecdsa -b 384 -N '' -f p384 &&"
                     "ssh-keygen -q -t ecdsa -m PEM -N secret -f pem && ssh-keygen -q -t ed25519 -N '' -f ok &&"
                     "ssh-keygen -q -s ok -I id ok.pub && cp ok open && chmod 640 open && : > empty &&"
                     "head -c 20000 /dev/zero > zero && mkdir dir && chmod 600 *.pub &&"
                     "printf 'PuTTY-User-Key-File-3: x\\n' > putty && printf '\\0\\0\\0\\013ssh-ed25519' > dropbear &&"
                     "printf -- '-----BEGIN CERTIFICATE-----\\n' > x509 && printf -- '-----BEGIN RSA PRIVATE KEY-----\\nAAAA\\n' > cut"),
        0);
    const struct {
        const char *file, *text;
        int error;
    } cases[] = {
        {"enc", botan ? "passphrase" : "ssh-agent", botan ? DORY_E_PASSPHRASE : DORY_E_NOSYS},
        {"enc2", botan ? "passphrase" : "ssh-agent", botan ? DORY_E_PASSPHRASE : DORY_E_NOSYS},
        {"rsa", "1024 bits", DORY_E_NOSYS},
        {"open", "chmod 600", DORY_E_ACCESS},
        {"p384", "ecdsa-sha2-nistp384", DORY_E_NOSYS},
        {"pem", "passphrase", DORY_E_PASSPHRASE},
        {"empty", "is empty", DORY_E_CRYPTO},
        {"zero", "too large", DORY_E_CRYPTO},
        {"ok.pub", "is a public key", DORY_E_NOSYS},
        {"ok-cert.pub", "is a certificate", DORY_E_NOSYS},
        {"putty", "PuTTY", DORY_E_NOSYS},
        {"dropbear", "dropbearconvert", DORY_E_NOSYS},
        {"x509", "PEM", DORY_E_NOSYS},
        {"cut", "damaged", DORY_E_CRYPTO},
        {"dir", "cannot read dir", 0},
        {"ok", "", DORY_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        chmod(cases[i].file, i == 3 ? 0640 : 0600);
        int r = dory_keyfile_load(cases[i].file, NULL, &key, NULL, why);
        if (strcmp(cases[i].file, "dir") != 0)
            assert_int_equal(r, cases[i].error);
        else
            assert_true(r < 0);
        if (strstr(why, cases[i].text) == NULL)
            fail_msg("%s: %s", cases[i].file, why);
    }
    chmod("ok.pub", 0644); /* as all public keys are: that is not what is wrong with it */
    assert_int_equal(dory_keyfile_load("ok.pub", NULL, &key, NULL, why), DORY_E_NOSYS);
    assert_non_null(strstr(why, "is a public key"));
    chmod("pem", 0644);
    assert_int_equal(dory_keyfile_load("pem", NULL, &key, NULL, why), DORY_E_ACCESS);
    assert_int_equal(dory_keyfile_load("pem", "wrong", &key, NULL, why), DORY_E_ACCESS);
    assert_int_equal(dory_keyfile_load("pem", "secret", &key, NULL, why), DORY_E_ACCESS);
}

/* Each prefix, and each byte damaged: refused without a crash, or (in the comment, or blanks) the same key. */
static void damage_it(size_t type, const char *format, size_t step)
{
    struct dory_key key, good;
    char text[DORY_KEYFILE_MAX], comment[DORY_COMMENT_MAX];
    uint8_t blob[DORY_KEY_BLOB_MAX], same[DORY_KEY_BLOB_MAX];
    make_ours(type, format);
    strcpy(text, posix_kit_read("k"));
    size_t n = strlen(text);
    assert_int_equal(dory_keyfile_parse("k", text, n, NULL, &good, comment, why), DORY_OK);
    int blob_n = good.type->public_blob(&good, blob, sizeof blob);
    for (size_t i = 0; i + 1 < n; i++) {
        if (dory_keyfile_parse("k", text, i, NULL, &key, comment, why) >= 0)
            fail_msg("%s %s: %zu of %zu bytes", types[type].type, format, i, n);
        assert_string_not_equal(why, "");
    }
    for (size_t i = 0; i < n; i += step) {
        static const char damage[] = {'A', 'z', '/', '-', '\n', 0, '\xff', '='};
        char was = text[i];
        for (size_t j = 0; j < sizeof damage; j++) {
            text[i] = damage[j];
            if (dory_keyfile_parse("k", text, n, NULL, &key, comment, why) == DORY_OK) {
                assert_int_equal(key.type->public_blob(&key, same, sizeof same), blob_n);
                if (type != 0 || strcmp(format, "PKCS8") != 0) /* that is a seed and nothing to hold it against */
                    assert_memory_equal(same, blob, (size_t)blob_n);
            }
        }
        text[i] = was;
    }
}

static void test_truncated_and_damaged(void **state)
{
    (void)state;
    for (size_t f = 0; f < 3; f++) {
        damage_it(0, formats[f], 1);
        damage_it(1, formats[f], 1);
        damage_it(2, formats[f], 7);
    }
}

static void test_save_does_not_replace(void **state)
{
    (void)state;
    struct dory_key key;
    assert_int_equal(dory_key_ed25519.generate(&key, 0, &rng), DORY_OK);
    const struct dory_keyfile_form form = {.passphrase = NULL};
    posix_kit_write("k", "precious", 0600);
    assert_int_equal(dory_keyfile_save("k", &key, &form, "c", false, &rng, why), DORY_E_EXIST);
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

static void test_botan_is_there(void **state)
{
    (void)state;
    if (!botan)
        skip();
}

#define T(f) cmocka_unit_test_setup_teardown(f, posix_kit_enter, posix_kit_leave)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_botan_is_there),
        T(test_we_read_what_ssh_keygen_writes),
        T(test_ssh_keygen_reads_what_we_write),
        T(test_keygen_asks_before_overwriting),
        T(test_keygen_refuses_clearly),
        T(test_others_read_every_format_of_ours),
        T(test_others_open_what_we_lock),
        T(test_we_read_every_format_of_theirs),
        T(test_we_read_what_openssl_writes),
        T(test_a_wrong_passphrase_is_never_anything_else),
        T(test_openssh_encryption),
        T(test_fingerprints_of_all_kinds),
        T(test_what_cannot_be_used_is_said),
        T(test_truncated_and_damaged),
        T(test_save_does_not_replace),
        T(test_public_lines),
    };
    const struct CMUnitTest without[] = {
        T(test_others_open_what_we_lock),
        T(test_we_read_every_format_of_theirs),
        T(test_openssh_encryption),
        T(test_what_cannot_be_used_is_said),
    };
    if (dory_crypto_init() != DORY_OK)
        return 1;
    botan = dory_bcrypt_is_there();
    int failed = cmocka_run_group_tests_name("keys", tests, NULL, NULL);
    hidden = true;
    botan = false;
    return failed + cmocka_run_group_tests_name("without Botan's library", without, NULL, NULL);
}
