/* Private key files of all formats, and the public halves beside them. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "keyfile_internal.h"

static bool begins(const char *text, size_t n, const char *with)
{
    return n >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

/* What else people have lying about under the name of a key. */
static int explain_foreign(const char *name, const char *text, size_t n, char why[DORY_WHY_MAX])
{
    static const char dropbear[] = {0, 0, 0};
    if (begins(text, n, "PuTTY-User-Key-File"))
        return dory_why(why, DORY_E_NOSYS, "%s is a PuTTY key; to convert it: puttygen %s -O private-openssh-new -o NEW", name, name);
    if (n > 8 && memcmp(text, dropbear, sizeof dropbear) == 0 && (begins(text + 4, n - 4, "ssh-") || begins(text + 4, n - 4, "ecdsa-")))
        return dory_why(why, DORY_E_NOSYS, "%s is a Dropbear key; to convert it: dropbearconvert dropbear openssh %s NEW", name, name);
    if (begins(text, n, "ssh-") || begins(text, n, "ecdsa-"))
        return dory_why(why, DORY_E_NOSYS,
                        strstr(text, "-cert-v01@openssh.com ")
                            ? "%s is a certificate; dory uses no certificates, only the private key itself"
                            : "%s is a public key; the private key is in the file without .pub",
                        name);
    return dory_why(why, DORY_E_CRYPTO, n == 0 ? "%s is empty" : "%s is not a private key, or damaged or truncated", name);
}

static int explain_type(const char *name, const struct dory_blob *pub, char why[DORY_WHY_MAX])
{
    char type[DORY_KEY_TYPE_MAX];
    if (!dory_blob_type(pub->p, pub->n, type, sizeof type))
        return explain_foreign(name, "?", 1, why);
    if (strcmp(type, "ssh-rsa") == 0)
        return dory_why(why, DORY_E_NOSYS, "%s is an RSA key of %u bits; dory uses those of %d to %d bits", name,
                        dory_key_bits(pub->p, pub->n), DORY_RSA_BITS_MIN, DORY_RSA_BITS_MAX);
    return dory_why(why, DORY_E_NOSYS, "%s is a key of the type %s; dory uses ssh-ed25519, ecdsa-sha2-nistp256 and ssh-rsa", name, type);
}

/* Its key derivation, bcrypt_pbkdf, is in none of the libraries that dory is linked with. */
static int explain_encrypted(const char *name, const struct dory_blob *pub, char why[DORY_WHY_MAX])
{
    char type[DORY_KEY_TYPE_MAX];
    bool converts = dory_blob_type(pub->p, pub->n, type, sizeof type) && strcmp(type, "ssh-ed25519") != 0;
    return dory_why(why, DORY_E_NOSYS,
                    "%s is protected by a passphrase in a way that dory cannot undo here: load it into ssh-agent (ssh-add %s)%s, or use a "
                    "copy %s: cp %s COPY && ssh-keygen -p %s -f COPY",
                    name, name, dory_bcrypt_is_there() ? "" : ", install Botan's library (libbotan-2-19 on Debian 12)",
                    converts ? "in PKCS #8 format" : "without passphrase", name, converts ? "-m PKCS8" : "-N ''");
}

/* For both formats: what the person has to be asked, or told. */
static int explain_passphrase(const char *name, int error, char why[DORY_WHY_MAX])
{
    return dory_why(why, error, error == DORY_E_PASSPHRASE ? "%s is protected by a passphrase" : "%s: wrong passphrase", name);
}

static int read_locked(const char *name, struct dory_openssh_file *file, const char *passphrase, uint8_t *bytes, struct dory_key *key,
                       char *comment, char why[DORY_WHY_MAX])
{
    int r = passphrase ? dory_openssh_unlock(file, passphrase, bytes) : dory_bcrypt_is_there() ? DORY_E_PASSPHRASE : DORY_E_NOSYS;
    if (r == DORY_E_NOSYS)
        return explain_encrypted(name, &file->pub, why);
    if (r == DORY_OK)
        r = dory_openssh_read(file, key, comment);
    if (r == DORY_E_CRYPTO) /* the two check numbers differ */
        r = DORY_E_BAD_PASSPHRASE;
    if (r == DORY_E_NOSYS)
        return explain_type(name, &file->pub, why);
    return r == DORY_OK ? r : explain_passphrase(name, r, why);
}

static int parse_openssh(const char *name, const char *text, size_t n, const char *passphrase, struct dory_key *key, char *comment,
                         char why[DORY_WHY_MAX])
{
    uint8_t bytes[DORY_KEYFILE_MAX];
    struct dory_openssh_file file;
    int r = dory_openssh_open(text, n, bytes, &file);
    if (r != DORY_OK)
        r = explain_foreign(name, "?", 1, why);
    else if (!dory_blob_is(&file.cipher, "none"))
        r = read_locked(name, &file, passphrase, bytes, key, comment, why);
    else if ((r = dory_openssh_read(&file, key, comment)) != DORY_OK)
        r = r == DORY_E_NOSYS ? explain_type(name, &file.pub, why) : explain_foreign(name, "?", 1, why);
    dory_wipe(bytes, sizeof bytes);
    return r;
}

static int parse_pem(const char *name, const char *text, const char *passphrase, struct dory_key *key, char why[DORY_WHY_MAX])
{
    int r = dory_key_from_pem(key, text, passphrase);
    switch (r) {
    case DORY_OK: return r;
    case DORY_E_PASSPHRASE:
    case DORY_E_BAD_PASSPHRASE: return explain_passphrase(name, r, why);
    case DORY_E_NOSYS:
        return dory_why(
            why, r,
            "%s is a PEM file with a key or an encryption that dory does not know: it uses Ed25519, ECDSA on P-256 and RSA of %d "
            "to %d bits, encrypted with AES-CBC",
            name, DORY_RSA_BITS_MIN, DORY_RSA_BITS_MAX);
    default: return explain_foreign(name, "?", 1, why);
    }
}

int dory_keyfile_parse(const char *name, const char *text, size_t n, const char *passphrase, struct dory_key *key, char *comment,
                       char why[DORY_WHY_MAX])
{
    char copy[DORY_KEYFILE_MAX + 1];
    int r;
    why[0] = 0;
    if (comment)
        comment[0] = 0;
    if (n > DORY_KEYFILE_MAX)
        return dory_why(why, DORY_E_CRYPTO, "%s is too large for a key file", name);
    memcpy(copy, text, n);
    copy[n] = 0;
    if (begins(copy, n, OPENSSH_BEGIN))
        r = parse_openssh(name, copy, n, passphrase, key, comment, why);
    else if (strstr(copy, "-----BEGIN ") != NULL)
        r = parse_pem(name, copy, passphrase, key, why);
    else
        r = explain_foreign(name, copy, n, why);
    dory_wipe(copy, sizeof copy);
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

int dory_keyfile_load(const char *path, const char *passphrase, struct dory_key *key, char *comment, char why[DORY_WHY_MAX])
{
    char text[DORY_KEYFILE_MAX];
    mode_t others = 0;
    int r = read_key_text(path, text, &others, why);
    if (r >= 0)
        r = dory_keyfile_parse(path, text, (size_t)r, passphrase, key, comment, why);
    /* Other users may have read it: it is no secret any more, and using it silently would hide that. */
    if (others != 0 && (r == DORY_OK || r == DORY_E_PASSPHRASE || r == DORY_E_BAD_PASSPHRASE)) {
        dory_wipe(key, sizeof *key);
        r = dory_why(why, DORY_E_ACCESS, "%s can be used by other people (mode %04o), so it is ignored: chmod 600 %s", path,
                     (unsigned)others | 0600, path);
    }
    dory_wipe(text, sizeof text);
    return r;
}

/* ---- writing */

static int save_public(const char *path, const struct dory_key *key, const char *comment)
{
    uint8_t blob[DORY_KEY_BLOB_MAX];
    char name[PATH_MAX], line[2 * DORY_KEY_BLOB_MAX + DORY_COMMENT_MAX];
    if (snprintf(name, sizeof name, "%s.pub", path) >= (int)sizeof name)
        return DORY_E_NAME;
    int n = key->type->public_blob(key, blob, sizeof blob);
    if (n >= 0)
        n = dory_public_key_line(line, sizeof line - 1, blob, (size_t)n, comment);
    if (n < 0)
        return n;
    line[n] = '\n';
    return dory_write_file(name, 0644, line, (size_t)n + 1, true);
}

static int write_pem(const struct dory_key *key, const struct dory_keyfile_form *form, const struct dory_rng *rng, char *text, size_t cap)
{
    uint8_t der[6144];
    const char *label;
    int n = dory_key_to_der(key, form->format == DORY_FORMAT_PKCS8, form->passphrase, rng, der, sizeof der, &label);
    if (n >= 0)
        n = dory_armour(label, 64, der, (size_t)n, text, cap);
    dory_wipe(der, sizeof der);
    return n;
}

static int write_format(const struct dory_key *key, const struct dory_keyfile_form *form, const char *comment, const struct dory_rng *rng,
                        char *text, size_t cap)
{
    bool openssh = form->format == DORY_FORMAT_OPENSSH || (form->format == DORY_FORMAT_PEM && key->type == &dory_key_ed25519);
    return openssh ? dory_openssh_write(key, comment, form->passphrase, rng, text, cap) : write_pem(key, form, rng, text, cap);
}

static int explain_save(const char *path, int error, char why[DORY_WHY_MAX])
{
    if (error == DORY_E_NOSYS)
        return dory_why(why, error,
                        "%s cannot be protected by a passphrase in this format: take PKCS8, or for OpenSSH's own install Botan's "
                        "library (libbotan-2-19 on Debian 12)",
                        path);
    return dory_why(why, error, "cannot save %s: %s", path, dory_strerror(error));
}

int dory_keyfile_save(const char *path, const struct dory_key *key, const struct dory_keyfile_form *form, const char *comment, bool replace,
                      const struct dory_rng *rng, char why[DORY_WHY_MAX])
{
    char text[DORY_KEYFILE_MAX], note[DORY_COMMENT_MAX];
    why[0] = 0;
    dory_copy_comment(note, (const uint8_t *)comment, strlen(comment));
    int n = write_format(key, form, note, rng, text, sizeof text);
    int r = n >= 0 ? dory_write_file(path, 0600, text, (size_t)n, replace) : n;
    dory_wipe(text, sizeof text);
    if (r != DORY_OK)
        return explain_save(path, r, why);
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

static bool set_public(struct dory_public_key *key, const uint8_t *blob, size_t n)
{
    if (n > sizeof key->blob || !dory_blob_type(blob, n, key->type, sizeof key->type))
        return false;
    memcpy(key->blob, blob, n);
    key->blob_n = n;
    return true;
}

/* OpenSSH's files show their public half even where they are encrypted, or of a type that is not used here. */
static int public_of_openssh(const char *text, size_t n, struct dory_public_key *key)
{
    uint8_t bytes[DORY_KEYFILE_MAX];
    struct dory_openssh_file file;
    int r = dory_openssh_open(text, n, bytes, &file);
    if (r == DORY_OK && !set_public(key, file.pub.p, file.pub.n))
        r = DORY_E_CRYPTO;
    dory_wipe(bytes, sizeof bytes);
    return r;
}

static int public_of_private(const char *path, const char *text, size_t n, struct dory_public_key *key)
{
    uint8_t blob[DORY_KEY_BLOB_MAX];
    struct dory_key secret;
    struct dory_public_key side;
    char why[DORY_WHY_MAX];
    int r = public_of_openssh(text, n, key), size = 0;
    if (dory_keyfile_parse(path, text, n, NULL, &secret, key->comment, why) == DORY_OK)
        size = secret.type->public_blob(&secret, blob, sizeof blob);
    dory_wipe(&secret, sizeof secret);
    if (r != DORY_OK && size > 0 && set_public(key, blob, (size_t)size))
        r = DORY_OK;
    /* What is encrypted, and PEM, has no comment; FILE.pub has it. */
    if (r == DORY_OK && key->comment[0] == 0 && load_sidecar(path, &side) && side.blob_n == key->blob_n &&
        memcmp(side.blob, key->blob, key->blob_n) == 0)
        memcpy(key->comment, side.comment, sizeof key->comment);
    return r;
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
