/* The cryptography of build/posix/crypto-port.a as it ships, run under valgrind by tests/ct/run. One argument says what: each algorithm is a
   test of its own, and "leak" is one that must be found. p256.c alone is compiled once more, with p256-m's own marks. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "crypto-port/dory_crypto.h"
#include "tests/ct/secret.h"

/* SHAKE128 makes ML-KEM's matrix from rho alone, the half of the hashed seed that is part of the public key. */
int __real_crypto_xof_shake128_update(crypto_xof_shake128_state *state, const unsigned char *in, unsigned long long n);
int __wrap_crypto_xof_shake128_update(crypto_xof_shake128_state *state, const unsigned char *in, unsigned long long n);
int __wrap_crypto_xof_shake128_update(crypto_xof_shake128_state *state, const unsigned char *in, unsigned long long n)
{
    make_public((void *)(uintptr_t)in, n);
    return __real_crypto_xof_shake128_update(state, in, n);
}

/* Whether a peer's point had small order is told to it. */
int __real_crypto_scalarmult_curve25519(unsigned char *q, const unsigned char *n, const unsigned char *p);
int __wrap_crypto_scalarmult_curve25519(unsigned char *q, const unsigned char *n, const unsigned char *p);
int __wrap_crypto_scalarmult_curve25519(unsigned char *q, const unsigned char *n, const unsigned char *p)
{
    int r = __real_crypto_scalarmult_curve25519(q, n, p);

    make_public(&r, sizeof r);
    return r;
}

/* As dory_equal: the libraries' own, over the tags of AES-GCM. */
int __real_mbedtls_ct_memcmp(const void *a, const void *b, size_t n);
int __wrap_mbedtls_ct_memcmp(const void *a, const void *b, size_t n);
int __wrap_mbedtls_ct_memcmp(const void *a, const void *b, size_t n)
{
    int r = __real_mbedtls_ct_memcmp(a, b, n);

    make_public(&r, sizeof r);
    return r;
}

int __real_crypto_verify_16(const unsigned char *a, const unsigned char *b);
int __wrap_crypto_verify_16(const unsigned char *a, const unsigned char *b);
int __wrap_crypto_verify_16(const unsigned char *a, const unsigned char *b)
{
    int r = __real_crypto_verify_16(a, b);

    make_public(&r, sizeof r);
    return r;
}

static const uint8_t message[] = "message";
static bool failed;

static void expect(bool good, const char *what)
{
    if (!good) printf("wrong: %s\n", what);
    failed |= !good;
}

/* What the caller draws is secret. */
static int draw(void *ctx, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)(++*(unsigned *)ctx * 2654435761u >> 24);
    make_secret(out, n);
    return DORY_OK;
}
static unsigned counter;
static const struct dory_rng rng = {draw, &counter};

/* Both ends, the server's public value once as it should be and once not. */
static void exchange(const struct dory_kex *kex)
{
    uint8_t state[DORY_KEX_STATE_SIZE], init[2048], reply[2048], ours[32], theirs[32];

    for (int damaged = 0; damaged < 2; damaged++) {
        expect(kex->keypair(state, init, &rng) == DORY_OK, "keypair");
        make_public(init, kex->init_size);
        expect(kex->enc(init, reply, theirs, &rng) == DORY_OK, "enc");
        make_public(reply, kex->reply_size);
        if (damaged) reply[5] ^= 1;
        int r = kex->dec(state, reply, ours);
        expect((r == DORY_OK && dory_equal(ours, theirs, 32)) == !damaged, "dec");
    }
}

static void sign(const struct dory_keytype *type, const struct dory_sigalg *alg)
{
    struct dory_key key;
    uint8_t blob[DORY_KEY_BLOB_MAX], sig[DORY_KEY_BLOB_MAX];

    expect(type->generate(&key, 0, &rng) == DORY_OK, "generate");
    int blob_n = type->public_blob(&key, blob, sizeof blob);
    make_public(blob, sizeof blob);
    int n = type->sign(&key, alg->name, message, sizeof message, sig, sizeof sig, &rng);
    make_public(&n, sizeof n);
    make_public(sig, sizeof sig);
    expect(n > 0 && alg->verify(blob, (size_t)blob_n, message, sizeof message, sig, (size_t)n) == DORY_OK, "signature");
}

static void seal(const struct dory_cipher *cipher)
{
    _Alignas(16) uint8_t ctx[DORY_CIPHER_CTX_SIZE];
    uint8_t key[64] = {1}, iv[64] = {2}, packet[4 + 80 + 16] = {0, 0, 0, 80};

    make_secret(key, sizeof key);
    make_secret(packet + 4, 80);
    expect(cipher->init(ctx, key, iv) == DORY_OK, "init");
    expect(cipher->seal(ctx, 3, packet, 84) == DORY_OK, "seal");
    make_public(packet, sizeof packet);
    cipher->init(ctx, key, iv);
    expect(cipher->open(ctx, 3, packet, 84) == DORY_OK, "open");
}

static void mac(const struct dory_mac *m)
{
    _Alignas(16) uint8_t ctx[DORY_MAC_CTX_SIZE];
    uint8_t key[64] = {1}, tag[64], other[64];

    make_secret(key, sizeof key);
    m->init(ctx, key);
    m->compute(ctx, 3, message, sizeof message, tag);
    memcpy(other, tag, sizeof other);
    expect(dory_equal(tag, other, m->tag_size), "compare");
    other[m->tag_size - 1] ^= 1;
    expect(!dory_equal(tag, other, m->tag_size), "compare");
}

static void password(void)
{
    uint8_t secret[] = "a password", out[32];

    make_secret(secret, sizeof secret - 1);
    dory_pbkdf2_sha256(secret, sizeof secret - 1, message, sizeof message, 3, out);
    expect(!dory_equal(out, message, sizeof message), "pbkdf2");
}

static void leak(void)
{
    uint8_t secret = 1;

    make_secret(&secret, 1);
    if (secret) puts("a leak");
}

static void curve25519(void) { exchange(&dory_kex_curve25519_sha256); }
static void nistp256(void) { exchange(&dory_kex_ecdh_sha2_nistp256); }
static void mlkem(void) { exchange(&dory_kex_mlkem768x25519_sha256); }
static void ed25519(void) { sign(&dory_key_ed25519, &dory_sig_ssh_ed25519); }
static void ecdsa(void) { sign(&dory_key_ecdsa_nistp256, &dory_sig_ecdsa_sha2_nistp256); }
static void chacha20(void) { seal(&dory_cipher_chacha20_poly1305); }
static void gcm_fast(void) { seal(&dory_cipher_aes256_gcm_fast); }
static void gcm(void) { seal(&dory_cipher_aes128_gcm); }
static void ctr(void) { seal(&dory_cipher_aes256_ctr); }
static void hmac256(void) { mac(&dory_mac_hmac_sha2_256_etm); }
static void hmac512(void) { mac(&dory_mac_hmac_sha2_512_etm); }

static const struct {
    const char *name;
    void (*run)(void);
    bool fast_aes; /* without AES in the CPU there are tables, and no promise */
} all[] = {{"curve25519-sha256", curve25519, false},
           {"ecdh-sha2-nistp256", nistp256, false},
           {"mlkem768x25519-sha256", mlkem, false},
           {"ssh-ed25519", ed25519, false},
           {"ecdsa-sha2-nistp256", ecdsa, false},
           {"chacha20-poly1305@openssh.com", chacha20, false},
           {"aes256-gcm@openssh.com", gcm_fast, true},
           {"aes128-gcm@openssh.com", gcm, true},
           {"aes256-ctr", ctr, true},
           {"hmac-sha2-256-etm@openssh.com", hmac256, false},
           {"hmac-sha2-512-etm@openssh.com", hmac512, false},
           {"pbkdf2", password, false},
           {"leak", leak, false}};

int main(int argc, char **argv)
{
    bool list = argc == 2 && strcmp(argv[1], "--list") == 0;

    if (argc != 2 || dory_crypto_init() != DORY_OK) return 2;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (list && (!all[i].fast_aes || dory_aes_is_fast())) puts(all[i].name);
        if (strcmp(argv[1], all[i].name) == 0) {
            all[i].run();
            return failed;
        }
    }
    return list ? 0 : 2;
}
