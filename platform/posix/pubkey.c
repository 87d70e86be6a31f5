/* Public key lines and fingerprints. */
#include "dory_posix_keyfile.h"

#include <stdio.h>
#include <string.h>

#include "posix_internal.h"

int dory_public_key_parse(const char *line, size_t n, struct dory_public_key *key)
{
    char text[2 * DORY_KEY_BLOB_MAX + DORY_COMMENT_MAX], inner[DORY_KEY_TYPE_MAX];
    const char *end = memchr(line, '\n', n);
    if (end)
        n = (size_t)(end - line);
    while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == ' ' || line[n - 1] == '\t')) n--;
    if (n >= sizeof text)
        return DORY_E_SPACE;
    if (memchr(line, 0, n) != NULL)
        return DORY_E_CRYPTO;
    memcpy(text, line, n);
    text[n] = 0;

    char *rest = text, *type = dory_next_word(&rest), *base64 = dory_next_word(&rest);
    if (base64 == NULL || strlen(type) >= sizeof key->type)
        return DORY_E_CRYPTO;
    int size = dory_base64_decode(key->blob, sizeof key->blob, base64, strlen(base64));
    if (size < 0)
        return size == DORY_E_SPACE ? DORY_E_SPACE : DORY_E_CRYPTO;
    key->blob_n = (size_t)size;
    if (!dory_blob_type(key->blob, key->blob_n, inner, sizeof inner) || strcmp(inner, type) != 0)
        return DORY_E_CRYPTO;
    strcpy(key->type, type);
    snprintf(key->comment, sizeof key->comment, "%s", dory_skip_blanks(rest));
    return DORY_OK;
}

int dory_public_key_line(char *out, size_t cap, const uint8_t *blob, size_t n, const char *comment)
{
    char type[DORY_KEY_TYPE_MAX], base64[2 * DORY_KEY_BLOB_MAX];
    if (!dory_blob_type(blob, n, type, sizeof type))
        return DORY_E_CRYPTO;
    int r = dory_base64_encode(base64, sizeof base64, blob, n, true);
    if (r < 0)
        return r;
    r = snprintf(out, cap, "%s %s%s%s", type, base64, comment && *comment ? " " : "", comment ? comment : "");
    return r < 0 || (size_t)r >= cap ? DORY_E_SPACE : r;
}

void dory_fingerprint(char out[DORY_FINGERPRINT_MAX], const uint8_t *blob, size_t n)
{
    struct dory_sha256 hash;
    uint8_t digest[32];
    dory_sha256_init(&hash);
    dory_sha256_update(&hash, blob, n);
    dory_sha256_final(&hash, digest);
    memcpy(out, "SHA256:", 7);
    dory_base64_encode(out + 7, DORY_FINGERPRINT_MAX - 7, digest, sizeof digest, false);
}

static const struct {
    const char *type, *label;
    unsigned bits; /* 0: counted in the key */
} kinds[] = {
    {"ssh-ed25519", "ED25519", 256},
    {"ssh-rsa", "RSA", 0},
    {"ecdsa-sha2-nistp256", "ECDSA", 256},
    {"ecdsa-sha2-nistp384", "ECDSA", 384},
    {"ecdsa-sha2-nistp521", "ECDSA", 521},
    {"sk-ssh-ed25519@openssh.com", "ED25519-SK", 256},
    {"sk-ecdsa-sha2-nistp256@openssh.com", "ECDSA-SK", 256},
    {"ssh-dss", "DSA", 0},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static size_t kind_of(const uint8_t *blob, size_t n)
{
    char type[DORY_KEY_TYPE_MAX];
    size_t i = 0;
    if (!dory_blob_type(blob, n, type, sizeof type))
        return KINDS;
    while (i < KINDS && strcmp(kinds[i].type, type) != 0) i++;
    return i;
}

const char *dory_key_label(const uint8_t *blob, size_t n)
{
    size_t kind = kind_of(blob, n);
    return kind < KINDS ? kinds[kind].label : "UNKNOWN";
}

static unsigned mpint_bits(struct dory_blob v)
{
    while (v.n > 0 && *v.p == 0) v.p++, v.n--;
    if (v.bad || v.n == 0)
        return 0;
    unsigned bits = (unsigned)v.n * 8;
    for (unsigned top = *v.p; !(top & 0x80); top <<= 1) bits--;
    return bits;
}

unsigned dory_key_bits(const uint8_t *blob, size_t n)
{
    size_t kind = kind_of(blob, n);
    if (kind == KINDS || kinds[kind].bits)
        return kind == KINDS ? 0 : kinds[kind].bits;
    struct dory_blob in = {.p = blob, .n = n};
    dory_blob_string(&in);
    if (strcmp(kinds[kind].type, "ssh-rsa") == 0)
        dory_blob_string(&in); /* e, then n */
    return mpint_bits(dory_blob_string(&in));
}

void dory_key_describe(char *out, size_t cap, const uint8_t *blob, size_t n, const char *comment)
{
    char fingerprint[DORY_FINGERPRINT_MAX], shown[2 * DORY_COMMENT_MAX];
    if (comment == NULL || *comment == 0)
        comment = "no comment";
    dory_fingerprint(fingerprint, blob, n);
    dory_escape_text(shown, sizeof shown, comment, strlen(comment));
    snprintf(out, cap, "%u %s %s (%s)", dory_key_bits(blob, n), fingerprint, shown, dory_key_label(blob, n));
}
