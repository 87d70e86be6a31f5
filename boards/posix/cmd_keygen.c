/* dory keygen: makes keys, shows fingerprints and public halves. The options and the output are those of ssh-keygen. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "platform/posix/dory_posix_keyfile.h"
#include "platform/posix/dory_posix_sys.h"
#include "platform/posix/posix_internal.h"

struct options {
    bool quiet, list, public_half, change;
    const char *type, *bits, *format, *new_passphrase, *passphrase, *comment, *file;
};

/* The types as ssh-keygen -t names them, with the size where none is asked for. */
static const struct kind {
    const char *name;
    const struct dory_keytype *type;
    unsigned bits;
} kinds[] = {{"ed25519", &dory_key_ed25519, 0}, {"ecdsa", &dory_key_ecdsa_nistp256, 256}, {"rsa", &dory_key_rsa, 3072}};

#define PASSPHRASE_MAX 1024
static const char too_long[] = "a passphrase may have 1023 bytes";

static int usage(void)
{
    fprintf(stderr, "usage: dory keygen [-q] [-t ed25519 | ecdsa | rsa] [-b bits] [-m RFC4716 | PKCS8 | PEM]\n"
                    "                   [-N new_passphrase] [-C comment] -f file\n"
                    "       dory keygen -p [-P old_passphrase] [-N new_passphrase] [-m format] -f file\n"
                    "       dory keygen -l -f file\n"
                    "       dory keygen -y [-P passphrase] -f file\n");
    return 1;
}

static int fail(const char *why)
{
    fprintf(stderr, "dory keygen: %s\n", why);
    return 1;
}

/* ---- -l */

static void show(const struct dory_public_key *key, const char *comment)
{
    char line[3 * DORY_COMMENT_MAX];
    dory_key_describe(line, sizeof line, key->blob, key->blob_n, comment);
    puts(line);
}

/* A public key alone, or behind the options of authorized_keys or the names of known_hosts; these stand in for a comment. */
static bool show_line(char *line)
{
    struct dory_public_key key;
    char *text = dory_skip_blanks(line), *end = text;
    bool quoted = false;
    if (*text == 0 || *text == '#')
        return false;
    if (dory_public_key_parse(text, strlen(text), &key) == DORY_OK) {
        show(&key, key.comment);
        return true;
    }
    for (; *end && (quoted || (*end != ' ' && *end != '\t')); end++)
        if (*end == '"')
            quoted = !quoted;
    if (*end == 0)
        return false;
    *end++ = 0;
    if (dory_public_key_parse(end, strlen(end), &key) != DORY_OK)
        return false;
    show(&key, key.comment[0] ? key.comment : text);
    return true;
}

static int list_lines(struct dory_lines *lines, const char *file)
{
    char *line;
    int r, found = 0;
    while ((r = dory_lines_next(lines, &line)) == 1) found += show_line(line);
    if (r == 0 && found == 0)
        fprintf(stderr, "dory keygen: %s is not a public key file.\n", file);
    if (r < 0)
        fprintf(stderr, "dory keygen: cannot read %s: %s\n", file, dory_strerror(r));
    return r == 0 && found > 0 ? 0 : 1;
}

static int list(const char *file)
{
    struct dory_public_key key;
    struct dory_lines lines;
    char why[DORY_WHY_MAX];
    int r = dory_public_key_load(file, &key, why);
    if (r == 1) { /* a private key file, with one key in many lines */
        show(&key, key.comment);
        return 0;
    }
    if (dory_lines_open(&lines, file) != DORY_OK)
        return fail(why);
    r = list_lines(&lines, file);
    dory_lines_close(&lines);
    return r;
}

/* ---- -y */

/* Asks for a passphrase where one is needed and none was given. */
static int load(const struct options *o, const char *prompt, struct dory_key *key, char *comment, char *why)
{
    char passphrase[PASSPHRASE_MAX];
    int r = dory_keyfile_load(o->file, o->passphrase, key, comment, why);
    if (r != DORY_E_PASSPHRASE)
        return r;
    if (dory_tty_password(prompt, passphrase, sizeof passphrase) >= 0)
        r = dory_keyfile_load(o->file, passphrase, key, comment, why);
    dory_wipe(passphrase, sizeof passphrase);
    return r;
}

static int print_public(const struct options *o)
{
    struct dory_key key;
    uint8_t blob[DORY_KEY_BLOB_MAX];
    char comment[DORY_COMMENT_MAX], shown[2 * DORY_COMMENT_MAX], line[2 * DORY_KEY_BLOB_MAX + 2 * DORY_COMMENT_MAX], why[DORY_WHY_MAX];
    char prompt[PATH_MAX + 64];
    snprintf(prompt, sizeof prompt, "Enter passphrase for \"%s\": ", o->file);
    if (load(o, prompt, &key, comment, why) != DORY_OK)
        return fail(why);
    int n = key.type->public_blob(&key, blob, sizeof blob);
    dory_wipe(&key, sizeof key);
    dory_escape_text(shown, sizeof shown, comment, strlen(comment));
    if (n < 0 || dory_public_key_line(line, sizeof line, blob, (size_t)n, shown) < 0)
        return fail("cannot print the key");
    puts(line);
    return 0;
}

/* ---- making a key */

/* user@host, as ssh-keygen writes. */
static void default_comment(char *out, size_t cap)
{
    char host[256] = "";
    const struct passwd *user = getpwuid(getuid());
    gethostname(host, sizeof host - 1);
    snprintf(out, cap, "%s@%s", user ? user->pw_name : "user", host);
}

static bool may_overwrite(const char *file)
{
    struct stat st;
    char answer[16];
    if (lstat(file, &st) != 0)
        return true;
    printf("%s already exists.\nOverwrite (y/n)? ", file);
    fflush(stdout);
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static const struct kind *find_kind(const char *type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(type, kinds[i].name) == 0 || strcmp(type, kinds[i].type->name) == 0)
            return &kinds[i];
    return NULL;
}

/* The size of the key that -t and -b ask for; -1: there is none such, which has been said. */
static int choose_bits(const struct options *o, const struct kind *kind)
{
    char *end = NULL;
    unsigned long bits = o->bits ? strtoul(o->bits, &end, 10) : kind->bits;
    if (kind->bits == 0)
        return 0; /* ssh-keygen ignores -b for ed25519 */
    if (o->bits && (*o->bits < '0' || *o->bits > '9' || *end != 0))
        fprintf(stderr, "dory keygen: %s is not a number of bits\n", o->bits);
    else if (kind->type == &dory_key_ecdsa_nistp256 && bits != 256)
        fprintf(stderr, "dory keygen: ECDSA keys have 256 bits here\n");
    else if (kind->type == &dory_key_rsa && (bits < DORY_RSA_BITS_MIN || bits > DORY_RSA_BITS_MAX || bits % 2 != 0))
        fprintf(stderr, "dory keygen: RSA keys have %d to %d bits here, an even number\n", DORY_RSA_BITS_MIN, DORY_RSA_BITS_MAX);
    else
        return (int)bits;
    return -1;
}

static int choose_format(const char *name)
{
    if (name == NULL || strcmp(name, "RFC4716") == 0)
        return DORY_FORMAT_OPENSSH;
    return strcmp(name, "PEM") == 0 ? DORY_FORMAT_PEM : strcmp(name, "PKCS8") == 0 ? DORY_FORMAT_PKCS8 : -1;
}

static int check_options(const struct options *o)
{
    if (o->file == NULL)
        return usage();
    if (find_kind(o->type) == NULL) {
        fprintf(stderr, "dory keygen: unknown key type %s; there are ed25519, ecdsa and rsa\n", o->type);
        return 1;
    }
    if (choose_format(o->format) < 0)
        return fail("-m: the formats are RFC4716 (OpenSSH's own), PKCS8 and PEM");
    if (o->comment && o->comment[strcspn(o->comment, "\r\n")] != 0)
        return fail("a comment must be one line");
    return 0;
}

static void announce(const char *file, const struct dory_key *key, const char *comment)
{
    uint8_t blob[DORY_KEY_BLOB_MAX];
    char fingerprint[DORY_FINGERPRINT_MAX];
    int n = key->type->public_blob(key, blob, sizeof blob);
    dory_fingerprint(fingerprint, blob, n > 0 ? (size_t)n : 0);
    printf("Your identification has been saved in %s\nYour public key has been saved in %s.pub\nThe key fingerprint is:\n%s %s\n", file,
           file, fingerprint, comment);
}

static int save(const struct options *o, const struct dory_key *key, const char *passphrase, const char *comment,
                const struct dory_rng *rng, char *why)
{
    struct dory_keyfile_form form = {.passphrase = passphrase};
    int format = choose_format(o->format);
    form.format = format == DORY_FORMAT_PKCS8 ? DORY_FORMAT_PKCS8 : format == DORY_FORMAT_PEM ? DORY_FORMAT_PEM : DORY_FORMAT_OPENSSH;
    return dory_keyfile_save(o->file, key, &form, comment, true, rng, why);
}

/* Twice the same, typed blindly; `patient`: as often as that takes. */
static int ask_new(const char *prompt, bool patient, char passphrase[PASSPHRASE_MAX])
{
    char again[PASSPHRASE_MAX];
    bool same = false;
    int r;
    do {
        r = dory_tty_password(prompt, passphrase, PASSPHRASE_MAX);
        if (r >= 0)
            r = dory_tty_password("Enter same passphrase again: ", again, sizeof again);
        same = r >= 0 && strcmp(passphrase, again) == 0;
        if (r >= 0 && !same)
            fprintf(stderr, "Passphrases do not match.  Try again.\n");
    } while (r >= 0 && !same && patient);
    dory_wipe(again, sizeof again);
    return same ? 0 : fail(r == DORY_E_SPACE ? too_long : "there is no new passphrase; nothing was written");
}

/* -N, or what is typed; where nobody is there to be asked, none for a new key. */
static int choose_passphrase(const struct options *o, const char *prompt, char passphrase[PASSPHRASE_MAX])
{
    passphrase[0] = 0;
    if (!o->new_passphrase)
        return o->change || isatty(STDIN_FILENO) ? ask_new(prompt, !o->change, passphrase) : 0;
    if (strlen(o->new_passphrase) >= PASSPHRASE_MAX)
        return fail(too_long);
    strcpy(passphrase, o->new_passphrase);
    return 0;
}

static int make_key(const struct options *o)
{
    const struct dory_rng rng = {.fill = dory_posix_rng};
    const struct kind *kind = find_kind(o->type);
    int bits = choose_bits(o, kind);
    struct dory_key key;
    char comment[DORY_COMMENT_MAX], passphrase[PASSPHRASE_MAX], why[DORY_WHY_MAX];
    if (bits < 0)
        return 1;
    if (!o->quiet)
        printf("Generating public/private %s key pair.\n", kind->name);
    if (!may_overwrite(o->file) || choose_passphrase(o, "Enter passphrase (empty for no passphrase): ", passphrase) != 0)
        return 1;
    if (o->comment)
        snprintf(comment, sizeof comment, "%s", o->comment);
    else
        default_comment(comment, sizeof comment);
    int r = kind->type->generate(&key, (unsigned)bits, &rng);
    if (r != DORY_OK)
        snprintf(why, sizeof why, "%s", dory_strerror(r));
    else
        r = save(o, &key, passphrase, comment, &rng, why);
    if (r == DORY_OK && !o->quiet)
        announce(o->file, &key, comment);
    dory_wipe(passphrase, sizeof passphrase);
    dory_wipe(&key, sizeof key);
    return r == DORY_OK ? 0 : fail(why);
}

/* ---- -p */

/* PEM has none; FILE.pub, which is written anew, has it. */
static void keep_comment(const char *file, char comment[DORY_COMMENT_MAX])
{
    struct dory_public_key key;
    char why[DORY_WHY_MAX];
    if (comment[0] == 0 && dory_public_key_load(file, &key, why) >= 0)
        memcpy(comment, key.comment, DORY_COMMENT_MAX);
}

static int change_passphrase(const struct options *o)
{
    const struct dory_rng rng = {.fill = dory_posix_rng};
    struct dory_key key;
    char comment[DORY_COMMENT_MAX], passphrase[PASSPHRASE_MAX], why[DORY_WHY_MAX];
    int r = load(o, "Enter old passphrase: ", &key, comment, why);
    if (r != DORY_OK)
        return fail(why);
    keep_comment(o->file, comment);
    r = choose_passphrase(o, "Enter new passphrase (empty for no passphrase): ", passphrase);
    if (r == 0 && (r = save(o, &key, passphrase, comment, &rng, why)) != DORY_OK)
        r = fail(why);
    dory_wipe(passphrase, sizeof passphrase);
    dory_wipe(&key, sizeof key);
    if (r == 0 && !o->quiet)
        puts("Your identification has been saved with the new passphrase.");
    return r;
}

int dory_cmd_keygen(int argc, char **argv)
{
    struct options o = {.type = "ed25519"};
    int c;
    optind = 1;
    while ((c = getopt(argc, argv, "qlypt:b:m:N:P:C:f:")) != -1) {
        switch (c) {
        case 'q': o.quiet = true; break;
        case 'l': o.list = true; break;
        case 'y': o.public_half = true; break;
        case 'p': o.change = true; break;
        case 't': o.type = optarg; break;
        case 'b': o.bits = optarg; break;
        case 'm': o.format = optarg; break;
        case 'N': o.new_passphrase = optarg; break;
        case 'P': o.passphrase = optarg; break;
        case 'C': o.comment = optarg; break;
        case 'f': o.file = optarg; break;
        default: return usage();
        }
    }
    if (optind < argc)
        return usage();
    int r = check_options(&o);
    if (r != 0)
        return r;
    if (dory_crypto_init() != DORY_OK)
        return fail("the cryptographic libraries cannot run here");
    r = o.list ? list(o.file) : o.public_half ? print_public(&o) : o.change ? change_passphrase(&o) : make_key(&o);
    return fflush(stdout) == 0 ? r : fail(strerror(errno));
}
