/* Private key files (OpenSSH's, PEM, PKCS #8), public key lines, fingerprints. */
#ifndef DORY_POSIX_KEYFILE_H
#define DORY_POSIX_KEYFILE_H

#include <stdbool.h>

#include "dory_crypto.h"
#include "dory_posix_text.h"

#define DORY_KEYFILE_MAX     16384 /* bytes of a key file */
#define DORY_COMMENT_MAX     512   /* with NUL; longer ones are cut */
#define DORY_KEY_TYPE_MAX    64    /* with NUL */
#define DORY_FINGERPRINT_MAX 52    /* "SHA256:" and 43 characters, with NUL */

/* Loads the private key in the file `path`: OpenSSH's format, PEM or PKCS #8; ed25519, ECDSA on P-256, RSA of DORY_RSA_BITS_MIN to
   DORY_RSA_BITS_MAX bits. `passphrase` is used where the file is encrypted, NULL: there is none. The comment may be NULL, else it has
   DORY_COMMENT_MAX bytes (PEM has none). The caller wipes *key and the passphrase.
   DORY_E_NOENT: no such file. DORY_E_ACCESS: not readable, or readable by others than its owner. DORY_E_PASSPHRASE: encrypted, and
   passphrase is NULL: ask for one and call again. DORY_E_BAD_PASSPHRASE. DORY_E_NOSYS: of a type, or encrypted in a way, not known here
   (OpenSSH's own encryption is one). DORY_E_CRYPTO: damaged. `why` tells it in words and names the path. */
int dory_keyfile_load(const char *path, const char *passphrase, struct dory_key *key, char *comment, char why[DORY_WHY_MAX]);

/* The same from text[0..n) in memory; `name` stands for the path in `why`. */
int dory_keyfile_parse(const char *name, const char *text, size_t n, const char *passphrase, struct dory_key *key, char *comment,
                       char why[DORY_WHY_MAX]);

/* Writes `path` (mode 0600) and `path`.pub (0644), each in one step. DORY_E_EXIST: `path` exists and `replace` is false.
   DORY_E_NOSYS: the passphrase cannot be used with this format here. */
struct dory_keyfile_form {
    enum { DORY_FORMAT_OPENSSH, DORY_FORMAT_PEM, DORY_FORMAT_PKCS8 } format; /* PEM: PKCS #1 or SEC 1; ed25519 has none, so OpenSSH's */
    const char *passphrase;                                                 /* NULL or "": not encrypted */
};
int dory_keyfile_save(const char *path, const struct dory_key *key, const struct dory_keyfile_form *form, const char *comment, bool replace,
                      const struct dory_rng *rng, char why[DORY_WHY_MAX]);

/* A public key of any type, as in a .pub file or a line of authorized_keys without options. */
struct dory_public_key {
    char type[DORY_KEY_TYPE_MAX];
    uint8_t blob[DORY_KEY_BLOB_MAX];
    size_t blob_n;
    char comment[DORY_COMMENT_MAX];
};

/* Parses `type base64 [comment]` in line[0..n), no line end needed. DORY_E_CRYPTO: not a key, or the blob is of another type.
   DORY_E_SPACE: larger than any key this program handles. */
int dory_public_key_parse(const char *line, size_t n, struct dory_public_key *key);

/* From a public key file (returns 0), or the public half of a private key file, encrypted or not (returns 1). Errors as
   dory_keyfile_load, but others may read the file. */
int dory_public_key_load(const char *path, struct dory_public_key *key, char why[DORY_WHY_MAX]);

/* `type base64 comment` without a line end. DORY_E_SPACE if cap is too small; else the length. */
int dory_public_key_line(char *out, size_t cap, const uint8_t *blob, size_t n, const char *comment);

/* "SHA256:…" of a public blob, as OpenSSH shows it. */
void dory_fingerprint(char out[DORY_FINGERPRINT_MAX], const uint8_t *blob, size_t n);

/* The picture that OpenSSH draws of a fingerprint (VisualHostKey): 11 lines, the last without its end, NUL-terminated. */
#define DORY_PICTURE_MAX 220
void dory_key_picture(char out[DORY_PICTURE_MAX], const uint8_t *blob, size_t n);

/* Of a public blob: the type as people write it ("ED25519", "RSA", "ECDSA"; "UNKNOWN") and its size in bits, 0 if unknown. */
const char *dory_key_label(const uint8_t *blob, size_t n);
unsigned dory_key_bits(const uint8_t *blob, size_t n);

/* `256 SHA256:… comment (ED25519)`: the line of ssh-keygen -l, escaped, NUL-terminated. */
void dory_key_describe(char *out, size_t cap, const uint8_t *blob, size_t n, const char *comment);

#endif
