/* OpenSSH's private key files: "openssh-key-v1", then cipher, kdf and its options, the number of keys, the public blob, and a string
   with the private half, padded with 1, 2, 3, … to a multiple of eight. */
#include "dory_posix_keyfile.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "posix_internal.h"

#define BEGIN        "-----BEGIN OPENSSH PRIVATE KEY-----"
#define END          "-----END OPENSSH PRIVATE KEY-----"
#define MAGIC        "openssh-key-v1" /* with its NUL */
#define CHARS_A_LINE 70

struct container {
    struct dory_blob cipher, pub, priv;
};

/* Removes blanks and line ends, up to END; the length, or DORY_E_CRYPTO. */
static int collect_base64(const char *text, size_t n, char *out)
{
    size_t used = 0, end_n = strlen(END);
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '-')
            return n - i >= end_n && memcmp(text + i, END, end_n) == 0 ? (int)used : DORY_E_CRYPTO;
        if (strchr(" \t\r\n", text[i]) == NULL || text[i] == 0)
            out[used++] = text[i];
    }
    return DORY_E_CRYPTO;
}

/* The bytes between the BEGIN and END lines, in `bytes` of DORY_KEYFILE_MAX; their number, or an error. */
static int unarmour(const char *text, size_t n, uint8_t *bytes)
{
    char base64[DORY_KEYFILE_MAX];
    size_t begin = strlen(BEGIN);
    if (n > DORY_KEYFILE_MAX)
        return DORY_E_SPACE;
    if (n < begin || memcmp(text, BEGIN, begin) != 0)
        return DORY_E_CRYPTO;
    int r = collect_base64(text + begin, n - begin, base64);
    if (r >= 0)
        r = dory_base64_decode(bytes, DORY_KEYFILE_MAX, base64, (size_t)r);
    dory_wipe(base64, sizeof base64);
    return r >= 0 ? r : DORY_E_CRYPTO;
}

static int open_container(const uint8_t *bytes, size_t n, struct container *key)
{
    if (n < sizeof MAGIC || memcmp(bytes, MAGIC, sizeof MAGIC) != 0)
        return DORY_E_CRYPTO;
    struct dory_blob in = {.p = bytes + sizeof MAGIC, .n = n - sizeof MAGIC};
    key->cipher = dory_blob_string(&in);
    dory_blob_string(&in); /* kdf */
    dory_blob_string(&in); /* its options */
    if (dory_blob_u32(&in) != 1)
        in.bad = true;
    key->pub = dory_blob_string(&in);
    key->priv = dory_blob_string(&in);
    return in.bad ? DORY_E_CRYPTO : DORY_OK;
}

static void copy_comment(char *out, const uint8_t *text, size_t n)
{
    if (n >= DORY_COMMENT_MAX)
        n = DORY_COMMENT_MAX - 1;
    memcpy(out, text, n);
    out[n] = 0;
}

/* The private half of an ed25519 key. Each of its three copies of the public key must be the one that the seed gives. */
static int read_private(const struct container *file, struct dory_key *key, char *comment)
{
    uint8_t blob[DORY_KEY_BLOB_MAX];
    struct dory_blob in = file->priv;
    uint32_t check = dory_blob_u32(&in);
    bool same = check == dory_blob_u32(&in);
    struct dory_blob type = dory_blob_string(&in), pub = dory_blob_string(&in), secret = dory_blob_string(&in),
                     note = dory_blob_string(&in);
    if (in.bad || !same || !dory_blob_is(&type, "ssh-ed25519") || pub.n != 32 || secret.n != 64)
        return DORY_E_CRYPTO;
    for (size_t i = 0; i < in.n; i++)
        if (in.p[i] != i + 1)
            return DORY_E_CRYPTO;
    int r = dory_ed25519_from_seed(key, secret.p);
    if (r != DORY_OK)
        return r;
    int n = dory_key_ed25519.public_blob(key, blob, sizeof blob);
    if (n < 32 || !dory_equal(blob + n - 32, pub.p, 32) || !dory_equal(blob + n - 32, secret.p + 32, 32) || (size_t)n != file->pub.n ||
        !dory_equal(blob, file->pub.p, file->pub.n))
        return DORY_E_CRYPTO;
    if (comment)
        copy_comment(comment, note.p, note.n);
    return DORY_OK;
}

static bool begins(const char *text, size_t n, const char *with)
{
    return n >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

/* What else people have lying about under the name of a key. */
static int explain_foreign(const char *name, const char *text, size_t n, char why[DORY_WHY_MAX])
{
    static const char dropbear[] = {0, 0, 0, 11, 's', 's', 'h', '-'};
    const char *kind = NULL;
    if (begins(text, n, "-----BEGIN ") && !begins(text, n, BEGIN))
        kind = "a PEM key";
    else if (begins(text, n, "PuTTY-User-Key-File"))
        kind = "a PuTTY key";
    else if (n >= sizeof dropbear && memcmp(text, dropbear, sizeof dropbear) == 0)
        kind = "a Dropbear key";
    else if (begins(text, n, "ssh-") || begins(text, n, "ecdsa-"))
        return dory_why(why, DORY_E_NOSYS, "%s is a public key; the private key is in the file without .pub", name);
    if (kind)
        return dory_why(why, DORY_E_NOSYS,
                        "%s is %s; only ed25519 keys in OpenSSH's format can be used (dory keygen -f FILE makes one, dropbearconvert and "
                        "puttygen convert)",
                        name, kind);
    return dory_why(why, DORY_E_CRYPTO, n == 0 ? "%s is empty" : "%s is not a private key, or damaged or truncated", name);
}

static int explain_type(const char *name, const struct container *file, char why[DORY_WHY_MAX])
{
    char type[DORY_KEY_TYPE_MAX];
    if (!dory_blob_type(file->pub.p, file->pub.n, type, sizeof type))
        return explain_foreign(name, "?", 1, why);
    return dory_why(why, DORY_E_NOSYS, "%s is a key of the type %s; only ssh-ed25519 can be used (dory keygen -f FILE makes one)", name,
                    type);
}

static int parse_bytes(const char *name, const char *text, size_t n, uint8_t *bytes, struct dory_key *key, char *comment,
                       char why[DORY_WHY_MAX])
{
    static const uint8_t ed25519[] = "\0\0\0\13ssh-ed25519";
    struct container file;
    int size = unarmour(text, n, bytes);
    if (size < 0 || open_container(bytes, (size_t)size, &file) != DORY_OK)
        return explain_foreign(name, text, n, why);
    if (!dory_blob_is(&file.cipher, "none"))
        return dory_why(why, DORY_E_NOSYS,
                        "%s is protected by a passphrase, and dory cannot ask for it: use a key without one. To make such a copy: cp %s "
                        "COPY && ssh-keygen -p -N '' -f COPY",
                        name, name);
    if (file.pub.n < sizeof ed25519 - 1 || memcmp(file.pub.p, ed25519, sizeof ed25519 - 1) != 0)
        return explain_type(name, &file, why);
    int r = read_private(&file, key, comment);
    return r == DORY_OK ? r : explain_foreign(name, "?", 1, why);
}

int dory_keyfile_parse(const char *name, const char *text, size_t n, struct dory_key *key, char *comment, char why[DORY_WHY_MAX])
{
    uint8_t bytes[DORY_KEYFILE_MAX];
    why[0] = 0;
    if (comment)
        comment[0] = 0;
    int r = parse_bytes(name, text, n, bytes, key, comment, why);
    dory_wipe(bytes, sizeof bytes);
    if (r != DORY_OK)
        dory_wipe(key, sizeof *key);
    return r;
}

/* Reads a key file into text[DORY_KEYFILE_MAX]; explains what is wrong. */
static int read_key_text(const char *path, char *text, mode_t *others, char why[DORY_WHY_MAX])
{
    int n = dory_read_file(path, text, DORY_KEYFILE_MAX, others);
    if (n == DORY_E_SPACE)
        return dory_why(why, DORY_E_CRYPTO, "%s is too large for a key file", path);
    return n >= 0 ? n : dory_why(why, n, "cannot read %s: %s", path, dory_strerror(n));
}

int dory_keyfile_load(const char *path, struct dory_key *key, char *comment, char why[DORY_WHY_MAX])
{
    char text[DORY_KEYFILE_MAX];
    mode_t others = 0;
    int r = read_key_text(path, text, &others, why);
    /* Other users may have read it: it is no secret any more, and using it silently would hide that. */
    if (r >= 0 && others != 0)
        r = dory_why(why, DORY_E_ACCESS, "%s can be used by other people (mode %04o), so it is ignored: chmod 600 %s", path,
                     (unsigned)others | 0600, path);
    if (r >= 0)
        r = dory_keyfile_parse(path, text, (size_t)r, key, comment, why);
    dory_wipe(text, sizeof text);
    return r;
}

/* ---- writing */

struct writer {
    uint8_t *p;
    size_t n, cap;
};

static void put(struct writer *out, const void *bytes, size_t n)
{
    if (n > 0 && out->n + n <= out->cap)
        memcpy(out->p + out->n, bytes, n);
    out->n += n;
}

static void put_u32(struct writer *out, size_t v)
{
    uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    put(out, b, 4);
}

static void put_string(struct writer *out, const void *bytes, size_t n)
{
    put_u32(out, n);
    put(out, bytes, n);
}

static void put_private(struct writer *out, const struct dory_key *key, const uint8_t check[4], const char *comment)
{
    size_t start = out->n;
    put(out, check, 4);
    put(out, check, 4);
    put_string(out, "ssh-ed25519", 11);
    put_string(out, key->secret + 32, 32);
    put_string(out, key->secret, 64);
    put_string(out, comment, strlen(comment));
    for (uint8_t i = 1; (out->n - start) % 8 != 0; i++) put(out, &i, 1);
}

/* The file's bytes before armour; their number, or an error. */
static int build(const struct dory_key *key, const char *comment, const struct dory_rng *rng, uint8_t *bytes, size_t cap)
{
    uint8_t blob[DORY_KEY_BLOB_MAX], check[4];
    struct writer out = {.p = bytes, .cap = cap}, length = {.cap = 0};
    int n = dory_key_ed25519.public_blob(key, blob, sizeof blob);
    if (n < 0)
        return n;
    int r = rng->fill(rng->ctx, check, sizeof check);
    if (r != DORY_OK)
        return r;
    put(&out, MAGIC, sizeof MAGIC);
    put_string(&out, "none", 4);
    put_string(&out, "none", 4);
    put_string(&out, "", 0);
    put_u32(&out, 1);
    put_string(&out, blob, (size_t)n);
    put_private(&length, key, check, comment);
    put_u32(&out, length.n);
    put_private(&out, key, check, comment);
    return out.n <= cap ? (int)out.n : DORY_E_SPACE;
}

/* BEGIN, lines of base64, END. The length, or an error. */
static int armour(const uint8_t *bytes, size_t n, char *text, size_t cap)
{
    char base64[4096];
    size_t used = 0;
    int r = dory_base64_encode(base64, sizeof base64, bytes, n, true);
    if (r >= 0 && cap < (size_t)r + (size_t)r / CHARS_A_LINE + sizeof BEGIN + sizeof END + 4)
        r = DORY_E_SPACE;
    if (r >= 0) {
        used += (size_t)sprintf(text, BEGIN "\n");
        for (int i = 0; i < r; i += CHARS_A_LINE) used += (size_t)sprintf(text + used, "%.*s\n", CHARS_A_LINE, base64 + i);
        used += (size_t)sprintf(text + used, END "\n");
    }
    dory_wipe(base64, sizeof base64);
    return r >= 0 ? (int)used : r;
}

static int save_public(const char *path, const struct dory_key *key, const char *comment)
{
    uint8_t blob[DORY_KEY_BLOB_MAX];
    char name[PATH_MAX], line[2 * DORY_KEY_BLOB_MAX + DORY_COMMENT_MAX];
    if (snprintf(name, sizeof name, "%s.pub", path) >= (int)sizeof name)
        return DORY_E_NAME;
    int n = dory_key_ed25519.public_blob(key, blob, sizeof blob);
    if (n >= 0)
        n = dory_public_key_line(line, sizeof line - 1, blob, (size_t)n, comment);
    if (n < 0)
        return n;
    line[n] = '\n';
    return dory_write_file(name, 0644, line, (size_t)n + 1, true);
}

int dory_keyfile_save(const char *path, const struct dory_key *key, const char *comment, bool replace, const struct dory_rng *rng,
                      char why[DORY_WHY_MAX])
{
    uint8_t bytes[2048];
    char text[4096], note[DORY_COMMENT_MAX];
    why[0] = 0;
    if (key->type != &dory_key_ed25519)
        return dory_why(why, DORY_E_NOSYS, "only ed25519 keys can be saved");
    copy_comment(note, (const uint8_t *)comment, strlen(comment));
    int n = build(key, note, rng, bytes, sizeof bytes);
    if (n >= 0)
        n = armour(bytes, (size_t)n, text, sizeof text);
    int r = n >= 0 ? dory_write_file(path, 0600, text, (size_t)n, replace) : n;
    dory_wipe(bytes, sizeof bytes);
    dory_wipe(text, sizeof text);
    if (r != DORY_OK)
        return dory_why(why, r, "cannot save %s: %s", path, dory_strerror(r));
    r = save_public(path, key, note);
    return r == DORY_OK ? r : dory_why(why, r, "cannot save %s.pub: %s", path, dory_strerror(r));
}

/* ---- the public half */

static bool load_sidecar(const char *path, struct dory_public_key *key)
{
    char name[PATH_MAX], text[DORY_KEYFILE_MAX];
    if (snprintf(name, sizeof name, "%s.pub", path) >= (int)sizeof name)
        return false;
    int n = dory_read_file(name, text, sizeof text, NULL);
    return n > 0 && dory_public_key_parse(text, (size_t)n, key) == DORY_OK;
}

/* An encrypted file shows its public half but not its comment; FILE.pub has it. */
static int public_of_private(const char *path, const char *text, size_t n, struct dory_public_key *key)
{
    uint8_t bytes[DORY_KEYFILE_MAX];
    struct container file;
    struct dory_key secret;
    char why[DORY_WHY_MAX];
    int size = unarmour(text, n, bytes), r = DORY_E_CRYPTO;
    if (size >= 0 && open_container(bytes, (size_t)size, &file) == DORY_OK && file.pub.n <= sizeof key->blob &&
        dory_blob_type(file.pub.p, file.pub.n, key->type, sizeof key->type)) {
        memcpy(key->blob, file.pub.p, file.pub.n);
        key->blob_n = file.pub.n;
        r = DORY_OK;
    }
    dory_wipe(bytes, sizeof bytes);
    if (r != DORY_OK)
        return r;
    if (dory_keyfile_parse(path, text, n, &secret, key->comment, why) != DORY_OK) {
        struct dory_public_key side;
        key->comment[0] = 0;
        if (load_sidecar(path, &side) && side.blob_n == key->blob_n && memcmp(side.blob, key->blob, key->blob_n) == 0)
            memcpy(key->comment, side.comment, sizeof key->comment);
    }
    dory_wipe(&secret, sizeof secret);
    return DORY_OK;
}

int dory_public_key_load(const char *path, struct dory_public_key *key, char why[DORY_WHY_MAX])
{
    char text[DORY_KEYFILE_MAX + 1];
    why[0] = 0;
    int r = read_key_text(path, text, NULL, why);
    if (r < 0)
        return r;
    size_t n = (size_t)r;
    text[n] = 0;
    bool is_private = strstr(text, "PRIVATE KEY-----") != NULL;
    r = is_private ? public_of_private(path, text, n, key) : dory_public_key_parse(text, n, key);
    if (is_private && r != DORY_OK && load_sidecar(path, key))
        r = DORY_OK;
    dory_wipe(text, sizeof text);
    return r == DORY_OK ? is_private : dory_why(why, r, "%s is not a key file", path);
}
