/* The one door to cryptography. Nothing above it includes a library's header.
 *
 * Algorithms are const descriptors; a program lists the ones it wants in NULL-ended arrays, and what is not listed is not linked.
 * Functions return DORY_OK, a byte count, or a negative enum dory_error (DORY_E_CRYPTO, DORY_E_RNG, DORY_E_SPACE, DORY_E_ARG).
 * No function allocates; pointers live for the call only unless said otherwise.
 */
#ifndef DORY_CRYPTO_H
#define DORY_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dory_config.h"
#include "dory_error.h"

/* Once per process, before anything else; safe to call again. DORY_E_CRYPTO: the libraries cannot run here. */
int dory_crypto_init(void);

/* Randomness is handed in. fill returns DORY_OK only if all n bytes are from a good source; else DORY_E_RNG. */
struct dory_rng {
    int (*fill)(void *ctx, uint8_t *out, size_t n);
    void *ctx;
};

void dory_wipe(void *p, size_t n);                               /* not optimised away */
bool dory_equal(const void *a, const void *b, size_t n);         /* in constant time */

/* SHA-256 (FIPS 180-4). The context may be copied by assignment; final leaves it unusable until init. */
struct dory_sha256 {
    uint64_t opaque[14];
};
void dory_sha256_init(struct dory_sha256 *ctx);
void dory_sha256_update(struct dory_sha256 *ctx, const void *bytes, size_t n);
void dory_sha256_final(struct dory_sha256 *ctx, uint8_t digest[32]);

void dory_hmac_sha1(const uint8_t *key, size_t key_n, const uint8_t *bytes, size_t n, uint8_t mac[20]); /* hashed known_hosts only */
int dory_pbkdf2_sha256(const uint8_t *password, size_t n, const uint8_t *salt, size_t salt_n, uint32_t rounds, uint8_t out[32]);
/* The same in parts, for who must not be away for long. step does at most `rounds` of those that are left, which it returns; at 0 `out` is
   the result. Wipe the struct afterwards. */
struct dory_pbkdf2 {
    struct dory_sha256 keyed[2];
    uint32_t left;
    uint8_t u[32], out[32];
};
int dory_pbkdf2_begin(struct dory_pbkdf2 *kdf, const uint8_t *password, size_t n, const uint8_t *salt, size_t salt_n, uint32_t rounds);
uint32_t dory_pbkdf2_step(struct dory_pbkdf2 *kdf, uint32_t rounds);

/* Key exchange in the shape of a KEM (RFC 5656 4, RFC 8731, draft-ietf-sshm-mlkem-hybrid-kex). The exchange hash is SHA-256 for all. */
struct dory_kex {
    const char *name;
    uint16_t init_size;       /* bytes of Q_C or C_INIT */
    uint16_t reply_size;      /* bytes of Q_S or S_REPLY */
    uint16_t state_size;      /* what keypair leaves for dec; <= DORY_KEX_STATE_SIZE */
    bool secret_is_string;    /* K is hashed as a string (hybrids) and not as an mpint */
    int (*keypair)(void *state, uint8_t *init, const struct dory_rng *rng);                                /* client */
    int (*enc)(const uint8_t *init, uint8_t *reply, uint8_t secret[32], const struct dory_rng *rng);       /* server */
    int (*dec)(void *state, const uint8_t *reply, uint8_t secret[32]);                                     /* client; wipes state */
};
extern const struct dory_kex dory_kex_curve25519_sha256;
extern const struct dory_kex dory_kex_curve25519_sha256_libssh; /* the same under its older name */
extern const struct dory_kex dory_kex_ecdh_sha2_nistp256;
extern const struct dory_kex dory_kex_mlkem768x25519_sha256;

/* Verification of a signature algorithm. key and sig are whole SSH blobs, type strings included (RFC 4253 6.6, RFC 8709, RFC 8332);
   verify parses them strictly and returns DORY_OK only for a good signature by that very algorithm. DORY_E_NOSYS: the key is of a size
   that is not used here, whatever the signature; DORY_E_CRYPTO: anything else. */
struct dory_sigalg {
    const char *name;      /* signature algorithm, as in name-lists: "ssh-ed25519", "rsa-sha2-256" */
    const char *key_type;  /* first string of the key blob: "ssh-ed25519", "ssh-rsa" */
    int (*verify)(const uint8_t *key, size_t key_n, const uint8_t *msg, size_t n, const uint8_t *sig, size_t sig_n);
};
extern const struct dory_sigalg dory_sig_ssh_ed25519;
extern const struct dory_sigalg dory_sig_ecdsa_sha2_nistp256;
extern const struct dory_sigalg dory_sig_rsa_sha2_512; /* keys of DORY_RSA_BITS_MIN to DORY_RSA_BITS_MAX bits */
extern const struct dory_sigalg dory_sig_rsa_sha2_256;

/* Private keys. A board that keeps keys in a secure element has no use for these. */
#define DORY_KEY_BLOB_MAX 1100  /* largest public blob or signature blob of any key type (RSA-8192) */
#define DORY_RSA_BITS_MIN 2048
#define DORY_RSA_BITS_MAX 8192
struct dory_keytype;
struct dory_key {
    const struct dory_keytype *type;
    uint8_t secret[DORY_KEY_SECRET_SIZE]; /* as the type lays it out. Wipe with dory_wipe(key, sizeof *key). */
};
struct dory_keytype {
    const char *name; /* "ssh-ed25519", the first string of the public blob */
    const char *algorithms[3]; /* the signature algorithms, NULL-ended, most preferred first */
    /* bits: the size of an RSA key; 0 or the only size for the others. DORY_E_ARG: no such size. */
    int (*generate)(struct dory_key *key, unsigned bits, const struct dory_rng *rng);
    int (*public_blob)(const struct dory_key *key, uint8_t *out, size_t cap);                    /* returns its size */
    /* The whole signature blob into out; returns its size. alg is one of this type's signature algorithms, else DORY_E_ARG. RSA draws on
       rng to hide the key from whoever measures, and verifies before it returns; the others need no rng (RFC 8032, RFC 6979).
       DORY_E_SPACE: cap is below DORY_KEY_BLOB_MAX and may be too small. */
    int (*sign)(const struct dory_key *key, const char *alg, const uint8_t *msg, size_t n, uint8_t *out, size_t cap,
                const struct dory_rng *rng);
};
extern const struct dory_keytype dory_key_ed25519;
extern const struct dory_keytype dory_key_ecdsa_nistp256;
extern const struct dory_keytype dory_key_rsa;
int dory_ed25519_from_seed(struct dory_key *key, const uint8_t seed[32]); /* secret becomes seed || public key */
/* secret becomes the scalar, then the point x || y (big-endian). DORY_E_CRYPTO: the scalar is 0 or not below the group's order. */
int dory_ecdsa_nistp256_from_scalar(struct dory_key *key, const uint8_t scalar[32]);

/* Big-endian, zeros in front allowed. */
struct dory_number {
    const uint8_t *p;
    size_t n;
};
/* RFC 8017 3.2 */
enum dory_rsa_number { DORY_RSA_N, DORY_RSA_E, DORY_RSA_D, DORY_RSA_P, DORY_RSA_Q, DORY_RSA_DP, DORY_RSA_DQ, DORY_RSA_IQMP };
/* numbers: n, e, d, p, q. DORY_E_NOSYS: of a size that is not used here. DORY_E_CRYPTO: they do not belong together. */
int dory_rsa_from_numbers(struct dory_key *key, const struct dory_number numbers[5]);
/* Without zeros in front; returns its size. */
int dory_rsa_number(const struct dory_key *key, enum dory_rsa_number which, uint8_t *out, size_t cap);

/* A private key in PEM: PKCS #1 "RSA PRIVATE KEY", SEC 1 "EC PRIVATE KEY", PKCS #8 "PRIVATE KEY" and "ENCRYPTED PRIVATE KEY"; text ends
   with NUL. The passphrase is used where the key is encrypted; NULL: there is none. DORY_E_PASSPHRASE: one is needed.
   DORY_E_BAD_PASSPHRASE: it is the wrong one. DORY_E_NOSYS: a type, size or encryption that is not known here. DORY_E_CRYPTO: damaged. */
int dory_key_from_pem(struct dory_key *key, const char *text, const char *passphrase);
/* What such a file holds, and its label ("PRIVATE KEY"): PKCS #8, encrypted where there is a passphrase (NULL or "": none), or the older
   form of the type, which is not encrypted here and which ed25519 does not have (DORY_E_NOSYS for both). Returns its size; the rest of
   der[0..cap) is wiped. 6,144 bytes hold any. */
int dory_key_to_der(const struct dory_key *key, bool pkcs8, const char *passphrase, const struct dory_rng *rng, uint8_t *der, size_t cap,
                    const char **label);

/* OpenSSH's encryption of private keys, bcrypt_pbkdf and AES ("aes256-ctr", "aes256-cbc"): bytes[0..n) in place, n a multiple of 16.
   Whether the passphrase was right shows in what comes out. With aes256-ctr the same call encrypts. DORY_E_NOSYS: another cipher, or too
   many rounds, or Botan, which has the derivation, is not installed. */
bool dory_bcrypt_is_there(void);
int dory_bcrypt_decrypt(const char *cipher, const char *passphrase, const uint8_t *salt, size_t salt_n, uint32_t rounds, uint8_t *bytes,
                        size_t n);

/* A packet cipher (RFC 4253 6). One context a direction, `ctx` aligned to 16 and at least ctx_size bytes.
   A packet is pkt[0..n): 4 bytes packet_length, then packet_length bytes; the tag follows at pkt[n..n+tag_size).
   seq is the packet's sequence number. seal encrypts in place and writes the tag; open verifies, then decrypts in place, and on
   DORY_E_MAC has released nothing. tag_size 0: the cipher is used with a struct dory_mac, encrypt-then-MAC: n covers the same bytes
   and packet_length stays in the clear. */
struct dory_cipher {
    const char *name;
    uint8_t key_size, iv_size;
    uint8_t block_size; /* packet_length is a multiple of this */
    uint8_t tag_size;
    uint16_t ctx_size;
    int (*init)(void *ctx, const uint8_t *key, const uint8_t *iv);
    uint32_t (*length)(void *ctx, uint32_t seq, const uint8_t head[4]); /* packet_length, not yet authenticated */
    int (*seal)(void *ctx, uint32_t seq, uint8_t *pkt, size_t n);
    int (*open)(void *ctx, uint32_t seq, uint8_t *pkt, size_t n);
};
extern const struct dory_cipher dory_cipher_chacha20_poly1305;
extern const struct dory_cipher dory_cipher_aes256_gcm;        /* the library that runs everywhere */
extern const struct dory_cipher dory_cipher_aes256_gcm_fast;   /* same name; needs CPU instructions: dory_aes_is_fast() */
extern const struct dory_cipher dory_cipher_aes128_gcm;
extern const struct dory_cipher dory_cipher_aes256_ctr;
extern const struct dory_cipher dory_cipher_aes128_ctr;
bool dory_aes_is_fast(void);

/* Encrypt-then-MAC. compute writes tag_size bytes over uint32 seq || pkt[0..n). */
struct dory_mac {
    const char *name;
    uint8_t key_size, tag_size;
    uint16_t ctx_size;
    void (*init)(void *ctx, const uint8_t *key);
    void (*compute)(void *ctx, uint32_t seq, const uint8_t *pkt, size_t n, uint8_t *tag);
};
extern const struct dory_mac dory_mac_hmac_sha2_256_etm;
extern const struct dory_mac dory_mac_hmac_sha2_512_etm;

/* Base64 (RFC 4648 4). encode: without line breaks, NUL-terminated, padded if `pad`; decode: strict. Return bytes written or an error. */
int dory_base64_encode(char *out, size_t cap, const uint8_t *bytes, size_t n, bool pad);
int dory_base64_decode(uint8_t *out, size_t cap, const char *text, size_t n);

#endif
