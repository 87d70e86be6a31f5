/* OpenSSH's private key files, as keyfile.c needs them. */
#ifndef KEYFILE_INTERNAL_H
#define KEYFILE_INTERNAL_H

#include "dory_posix_keyfile.h"
#include "posix_internal.h"

#define OPENSSH_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define OPENSSH_END   "-----END OPENSSH PRIVATE KEY-----"

/* A file taken apart; slices of the bytes that openssh_open made. priv is encrypted unless cipher is "none". */
struct dory_openssh_file {
    struct dory_blob cipher, kdf, kdf_options, pub, priv;
};

/* text[0..n) without its armour goes to bytes[DORY_KEYFILE_MAX]. DORY_E_CRYPTO: it is no such file, or damaged. */
int dory_openssh_open(const char *text, size_t n, uint8_t *bytes, struct dory_openssh_file *file);
/* Decrypts the private half, in the bytes that openssh_open made. Whether it was the right passphrase shows in dory_openssh_read.
   DORY_E_NOSYS: encrypted in a way that is not known here. */
int dory_openssh_unlock(struct dory_openssh_file *file, const char *passphrase, uint8_t *bytes);
/* The private half, held against the public one. DORY_E_NOSYS: of a type or size that is not known here. The comment may be NULL. */
int dory_openssh_read(const struct dory_openssh_file *file, struct dory_key *key, char *comment);
/* The whole file into text, encrypted where there is a passphrase (NULL or "": none); its length.
   DORY_E_NOSYS: nothing here can do that. */
int dory_openssh_write(const struct dory_key *key, const char *comment, const char *passphrase, const struct dory_rng *rng, char *text,
                       size_t cap);

/* BEGIN label, lines of `width` characters of base64, END label. The length; DORY_E_SPACE. */
int dory_armour(const char *label, size_t width, const uint8_t *bytes, size_t n, char *text, size_t cap);

/* Cut to DORY_COMMENT_MAX - 1 bytes. */
void dory_copy_comment(char *out, const uint8_t *text, size_t n);

/* Bytes on their way out; n counts on where cap is too small. */
struct dory_writer {
    uint8_t *p;
    size_t n, cap;
};
void dory_writer_put(struct dory_writer *out, const void *bytes, size_t n);
void dory_writer_string(struct dory_writer *out, const void *bytes, size_t n);

/* The type and the private fields of a key, as ssh-agent's protocol and OpenSSH's files have them (draft-ietf-sshm-ssh-agent 4.2). read
   returns DORY_E_CRYPTO for fields that do not belong together, DORY_E_NOSYS for a type or size that is not known here. */
int dory_key_fields_read(struct dory_blob *in, struct dory_key *key);
int dory_key_fields_put(struct dory_writer *out, const struct dory_key *key);

#endif
