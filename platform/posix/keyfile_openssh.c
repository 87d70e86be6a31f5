/* OpenSSH's private key files: "openssh-key-v1", then cipher, kdf and its options, the number of keys, the public blob, and a string
   with the private half, padded with 1, 2, 3, … to a multiple of eight. */
#include <string.h>

#include "keyfile_internal.h"

#define MAGIC     "openssh-key-v1" /* with its NUL */
#define CIPHER    "aes256-ctr"
#define BLOCK     16 /* of it; files that are not encrypted are padded to eight */
#define SALT      16
#define ROUNDS    24   /* as OpenSSH's since 9.4 */
#define BYTES_MAX 6144 /* of a file with an RSA key of 8192 bits: 4.8 KB and a comment */

/* Removes blanks and line ends, up to END; the length, or DORY_E_CRYPTO. */
static int collect_base64(const char *text, size_t n, char *out)
{
    size_t used = 0, end_n = strlen(OPENSSH_END);
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '-')
            return n - i >= end_n && memcmp(text + i, OPENSSH_END, end_n) == 0 ? (int)used : DORY_E_CRYPTO;
        if (strchr(" \t\r\n", text[i]) == NULL || text[i] == 0)
            out[used++] = text[i];
    }
    return DORY_E_CRYPTO;
}

/* The bytes between the BEGIN and END lines, in `bytes` of DORY_KEYFILE_MAX; their number, or an error. */
static int unarmour(const char *text, size_t n, uint8_t *bytes)
{
    char base64[DORY_KEYFILE_MAX];
    size_t begin = strlen(OPENSSH_BEGIN);
    if (n > DORY_KEYFILE_MAX)
        return DORY_E_SPACE;
    if (n < begin || memcmp(text, OPENSSH_BEGIN, begin) != 0)
        return DORY_E_CRYPTO;
    int r = collect_base64(text + begin, n - begin, base64);
    if (r >= 0)
        r = dory_base64_decode(bytes, DORY_KEYFILE_MAX, base64, (size_t)r);
    dory_wipe(base64, sizeof base64);
    return r >= 0 ? r : DORY_E_CRYPTO;
}

int dory_openssh_open(const char *text, size_t n, uint8_t *bytes, struct dory_openssh_file *file)
{
    int size = unarmour(text, n, bytes);
    if (size < (int)sizeof MAGIC || memcmp(bytes, MAGIC, sizeof MAGIC) != 0)
        return DORY_E_CRYPTO;
    struct dory_blob in = {.p = bytes + sizeof MAGIC, .n = (size_t)size - sizeof MAGIC};
    file->cipher = dory_blob_string(&in);
    file->kdf = dory_blob_string(&in);
    file->kdf_options = dory_blob_string(&in);
    if (dory_blob_u32(&in) != 1)
        in.bad = true;
    file->pub = dory_blob_string(&in);
    file->priv = dory_blob_string(&in);
    return in.bad ? DORY_E_CRYPTO : DORY_OK;
}

int dory_openssh_unlock(struct dory_openssh_file *file, const char *passphrase, uint8_t *bytes)
{
    struct dory_blob options = file->kdf_options, salt = dory_blob_string(&options);
    uint32_t rounds = dory_blob_u32(&options);
    char cipher[32] = "";
    if (!dory_blob_is(&file->kdf, "bcrypt") || file->cipher.n >= sizeof cipher)
        return DORY_E_NOSYS;
    if (options.bad || options.n > 0)
        return DORY_E_CRYPTO;
    memcpy(cipher, file->cipher.p, file->cipher.n);
    return dory_bcrypt_decrypt(cipher, passphrase, salt.p, salt.n, rounds, bytes + (file->priv.p - bytes), file->priv.n);
}

void dory_copy_comment(char *out, const uint8_t *text, size_t n)
{
    if (n >= DORY_COMMENT_MAX)
        n = DORY_COMMENT_MAX - 1;
    memcpy(out, text, n);
    out[n] = 0;
}

/* Behind the comment stand 1, 2, 3, …; and the key is the one of the public half. */
static bool is_whole(const struct dory_openssh_file *file, const struct dory_blob *rest, const struct dory_key *key)
{
    uint8_t blob[DORY_KEY_BLOB_MAX];
    for (size_t i = 0; i < rest->n; i++)
        if (rest->p[i] != i + 1)
            return false;
    int n = key->type->public_blob(key, blob, sizeof blob);
    return n > 0 && (size_t)n == file->pub.n && dory_equal(blob, file->pub.p, file->pub.n);
}

int dory_openssh_read(const struct dory_openssh_file *file, struct dory_key *key, char *comment)
{
    struct dory_blob in = file->priv;
    uint32_t check = dory_blob_u32(&in);
    if (check != dory_blob_u32(&in) || in.bad)
        return DORY_E_CRYPTO;
    int r = dory_key_fields_read(&in, key);
    if (r != DORY_OK)
        return r;
    struct dory_blob note = dory_blob_string(&in);
    if (in.bad || !is_whole(file, &in, key))
        return DORY_E_CRYPTO;
    if (comment)
        dory_copy_comment(comment, note.p, note.n);
    return DORY_OK;
}

/* ---- writing */

static int put_private(struct dory_writer *out, const struct dory_key *key, const uint8_t check[4], const char *comment, size_t block)
{
    size_t start = out->n;
    dory_writer_put(out, check, 4);
    dory_writer_put(out, check, 4);
    int r = dory_key_fields_put(out, key);
    dory_writer_string(out, comment, strlen(comment));
    for (uint8_t i = 1; (out->n - start) % block != 0; i++) dory_writer_put(out, &i, 1);
    return r;
}

/* Cipher, kdf, and the kdf's options: salt and rounds. */
static void put_protection(struct dory_writer *out, bool encrypted, const uint8_t salt[SALT])
{
    static const uint8_t rounds[4] = {0, 0, 0, ROUNDS};
    uint8_t room[4 + SALT + 4];
    struct dory_writer options = {.p = room, .cap = sizeof room};
    dory_writer_string(out, encrypted ? CIPHER : "none", encrypted ? strlen(CIPHER) : 4);
    dory_writer_string(out, encrypted ? "bcrypt" : "none", encrypted ? 6 : 4);
    dory_writer_string(&options, salt, SALT);
    dory_writer_put(&options, rounds, sizeof rounds);
    dory_writer_string(out, room, encrypted ? options.n : 0);
}

/* The file's bytes before armour; their number, or an error. */
static int build(const struct dory_key *key, const char *comment, const char *passphrase, const struct dory_rng *rng, uint8_t *bytes,
                 size_t cap)
{
    static const uint8_t one[4] = {0, 0, 0, 1};
    uint8_t blob[DORY_KEY_BLOB_MAX], drawn[4 + SALT], private[BYTES_MAX];
    struct dory_writer out = {.p = bytes, .cap = cap}, secret = {.p = private, .cap = sizeof private};
    bool encrypted = passphrase && *passphrase;
    int n = key->type->public_blob(key, blob, sizeof blob);
    if (n < 0)
        return n;
    int r = rng->fill(rng->ctx, drawn, sizeof drawn);
    if (r == DORY_OK)
        r = put_private(&secret, key, drawn, comment, encrypted ? BLOCK : 8);
    if (r == DORY_OK && secret.n > secret.cap)
        r = DORY_E_SPACE;
    if (r == DORY_OK && encrypted)
        r = dory_bcrypt_decrypt(CIPHER, passphrase, drawn + 4, SALT, ROUNDS, private, secret.n);
    if (r == DORY_OK) {
        dory_writer_put(&out, MAGIC, sizeof MAGIC);
        put_protection(&out, encrypted, drawn + 4);
        dory_writer_put(&out, one, sizeof one);
        dory_writer_string(&out, blob, (size_t)n);
        dory_writer_string(&out, private, secret.n);
        r = out.n <= cap ? (int)out.n : DORY_E_SPACE;
    }
    dory_wipe(private, sizeof private);
    return r;
}

int dory_openssh_write(const struct dory_key *key, const char *comment, const char *passphrase, const struct dory_rng *rng, char *text,
                       size_t cap)
{
    uint8_t bytes[BYTES_MAX];
    int n = build(key, comment, passphrase, rng, bytes, sizeof bytes);
    if (n >= 0)
        n = dory_armour("OPENSSH PRIVATE KEY", 70, bytes, (size_t)n, text, cap);
    dory_wipe(bytes, sizeof bytes);
    return n;
}
