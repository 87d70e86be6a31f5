/* The cryptography of build/cortex-m3/crypto-port.a on the processor that it is for, through dory_crypto.h: published vectors, forgeries,
   and what each operation costs. Prints "ok - name" or "not ok - name" a test. */
#include <stdbool.h>
#include <string.h>

#include "check.h"
#include "dory_crypto.h"
#include "mlkem.h"

enum { HEAD = 19, KEY = HEAD + 32, SIG = HEAD + 64 };

static const struct dory_kex *const kex = &dory_kex_curve25519_sha256;
static const struct dory_keytype *const type = &dory_key_ed25519;
static const struct dory_sigalg *const alg = &dory_sig_ssh_ed25519;
static const struct dory_cipher *const cipher = &dory_cipher_chacha20_poly1305;

static const char small_order_x25519[][65] = {"0000000000000000000000000000000000000000000000000000000000000000",
                                              "0100000000000000000000000000000000000000000000000000000000000000",
                                              "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                                              "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                                              "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                              "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                              "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
static const char small_order_ed25519[][65] = {"0100000000000000000000000000000000000000000000000000000000000000",
                                               "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                               "0000000000000000000000000000000000000000000000000000000000000000",
                                               "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                                               "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                                               "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                               "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
static const char group_order[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
static const char base_point[] = "5866666666666666666666666666666666666666666666666666666666666666";

/* ---- X25519 */

static int fill_fixed(void *ctx, uint8_t *out, size_t n)
{
    memcpy(out, ctx, n);
    return DORY_OK;
}

static int fill_short(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    memset(out, 1, n / 2);
    return DORY_E_RNG;
}

static int agree(const uint8_t private[32], const uint8_t public[32], uint8_t reply[32], uint8_t secret[32])
{
    uint8_t scalar[32];
    const struct dory_rng rng = {fill_fixed, scalar};

    memcpy(scalar, private, 32);
    return kex->enc(public, reply, secret, &rng);
}

static void x25519_file(const char *path, bool all_valid, unsigned at_least)
{
    uint8_t reply[32], secret[32];

    open_vectors(path);
    while (next_record()) {
        bool good = all_valid || valid();
        expect(agree(bytes("Private", NULL), bytes("Public", NULL), reply, secret) == (good ? DORY_OK : DORY_E_CRYPTO));
        expect(!good || memcmp(secret, bytes("Shared", NULL), 32) == 0);
    }
    expect(records >= at_least);
}

static void test_rfc7748(void)
{
    x25519_file("tests/vectors/rfc7748.txt", true, 3);
}

static void test_rfc7748_public_values(void)
{
    uint8_t scalar[32], expected[32], state[32], init[32];
    const struct dory_rng rng = {fill_fixed, scalar};

    hex(scalar, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    hex(expected, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    expect(kex->keypair(state, init, &rng) == DORY_OK && memcmp(init, expected, 32) == 0);
    hex(scalar, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    hex(expected, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    expect(kex->keypair(state, init, &rng) == DORY_OK && memcmp(init, expected, 32) == 0);
}

static void test_small_order_x25519(void)
{
    uint8_t private[32] = {1, 2, 3}, public[32], reply[32], secret[32];

    for (unsigned i = 0; i < 14; i++) {
        hex(public, small_order_x25519[i / 2]);
        public[31] |= (uint8_t)(i % 2 << 7);
        expect(agree(private, public, reply, secret) == DORY_E_CRYPTO);
    }
}

static void test_no_entropy(void)
{
    const struct dory_rng none = {fill_short, NULL};
    uint8_t init[32] = {9}, reply[32], secret[32];
    struct dory_key key;

    expect(kex->enc(init, reply, secret, &none) == DORY_E_RNG);
    expect(type->generate(&key, 256, &none) == DORY_E_RNG);
}

/* ---- Ed25519 */

static void blob(uint8_t *out, const uint8_t *from, size_t n)
{
    memcpy(out, "\0\0\0\013ssh-ed25519\0\0\0", HEAD - 1);
    out[HEAD - 1] = (uint8_t)n;
    memcpy(out + HEAD, from, n);
}

static int verify(const uint8_t public[32], const uint8_t *msg, size_t n, const uint8_t *sig, size_t sig_n)
{
    uint8_t key_blob[KEY], sig_blob[HEAD + 255];

    if (sig_n > 255) return DORY_E_ARG;
    blob(key_blob, public, 32);
    blob(sig_blob, sig, sig_n);
    return alg->verify(key_blob, KEY, msg, n, sig_blob, HEAD + sig_n);
}

static void test_rfc8032(void)
{
    struct dory_key key;
    uint8_t got[SIG];

    open_vectors("tests/vectors/rfc8032.txt");
    while (next_record()) {
        size_t n;
        uint8_t *msg = bytes("Msg", &n), *sig = bytes("Sig", NULL), *public = bytes("Public", NULL);
        expect(dory_ed25519_from_seed(&key, bytes("Seed", NULL)) == DORY_OK);
        expect(type->public_blob(&key, got, sizeof got) == KEY && memcmp(got + HEAD, public, 32) == 0);
        expect(type->sign(&key, "ssh-ed25519", msg, n, got, sizeof got, NULL) == SIG && memcmp(got + HEAD, sig, 64) == 0);
        expect(verify(public, msg, n, sig, 64) == DORY_OK);
        for (unsigned i = 0; i < 64; i += 7) {
            sig[i] ^= 1;
            expect(verify(public, msg, n, sig, 64) == DORY_E_CRYPTO);
            sig[i] ^= 1;
        }
    }
    expect(records >= 4);
}

static void test_s_not_below_the_group_order(void)
{
    static const uint8_t seed[32] = {42}, message[] = "a message";
    struct dory_key key;
    uint8_t sig[SIG], order[32];
    unsigned carry = 0;

    hex(order, group_order);
    dory_ed25519_from_seed(&key, seed);
    expect(type->sign(&key, "ssh-ed25519", message, sizeof message, sig, SIG, NULL) == SIG);
    expect(verify(key.secret + 32, message, sizeof message, sig + HEAD, 64) == DORY_OK);
    for (unsigned i = 0; i < 32; i++, carry >>= 8) {
        carry += (unsigned)sig[HEAD + 32 + i] + order[i];
        sig[HEAD + 32 + i] = (uint8_t)carry;
    }
    expect(verify(key.secret + 32, message, sizeof message, sig + HEAD, 64) == DORY_E_CRYPTO);
}

/* What only the key's owner can make: R is the neutral point, S = ka. */
static void test_small_order_of_r(void)
{
    static const uint8_t seed[32] = {42}, message[] = "a message";
    struct dory_key key;
    uint8_t sig[64] = {1};

    hex(sig + 32, "7533e0d59a45c875b845cf911c561d8b00e41354674da808a110a8f33e8f4001");
    dory_ed25519_from_seed(&key, seed);
    expect(verify(key.secret + 32, message, sizeof message, sig, 64) == DORY_E_CRYPTO);
}

/* S = 1 and R = the base point: good for one message in eight at least, where keys of small order are let in. */
static void test_small_order_ed25519(void)
{
    uint8_t public[32], sig[64] = {0};

    hex(sig, base_point);
    sig[32] = 1;
    for (unsigned i = 0; i < 14; i++) {
        hex(public, small_order_ed25519[i / 2]);
        public[31] |= (uint8_t)(i % 2 << 7);
        for (uint8_t m = 0; m < 64; m++) expect(verify(public, &m, 1, sig, 64) == DORY_E_CRYPTO);
    }
}

/* ---- ChaCha20-Poly1305 */

static uint32_t number(const char *decimal)
{
    uint32_t n = 0;

    for (; *decimal >= '0' && *decimal <= '9'; decimal++) n = 10 * n + (uint32_t)(*decimal - '0');
    return n;
}

static void cipher_file(const char *path, unsigned at_least)
{
    static uint8_t buffer[8192];
    _Alignas(16) uint8_t ctx[DORY_CIPHER_CTX_SIZE];

    open_vectors(path);
    while (next_record()) {
        size_t n, sealed_n;
        const uint8_t *packet = bytes("Packet", &n), *sealed = bytes("Sealed", &sealed_n);
        uint32_t seq = number(text("Seq"));
        expect(sealed_n == n + 16 && sealed_n <= sizeof buffer);
        if (wrong_line) return;
        cipher->init(ctx, bytes("Key", NULL), NULL);
        memcpy(buffer, packet, n);
        expect(cipher->seal(ctx, seq, buffer, n) == DORY_OK && memcmp(buffer, sealed, sealed_n) == 0);
        for (size_t i = 0; i < sealed_n; i += 5) {
            buffer[i] ^= 0x80;
            expect(cipher->open(ctx, seq, buffer, n) == DORY_E_MAC);
            buffer[i] ^= 0x80;
        }
        expect(memcmp(buffer, sealed, sealed_n) == 0); /* nothing released */
        expect(cipher->length(ctx, seq, buffer) == ((uint32_t)packet[2] << 8 | packet[3]));
        expect(cipher->open(ctx, seq, buffer, n) == DORY_OK && memcmp(buffer, packet, n) == 0);
    }
    expect(records >= at_least);
}

static void test_draft_chacha20_poly1305(void)
{
    cipher_file("tests/vectors/draft-ietf-sshm-chacha20-poly1305.txt", 1);
}

static void test_openssl_chacha20_poly1305(void)
{
    cipher_file("tests/vectors/openssl-chacha20-poly1305.txt", 100);
}

/* ---- ML-KEM-768 */

static uint8_t encapsulation_key[DORY_MLKEM_PUBLIC], ciphertext[DORY_MLKEM_CIPHERTEXT], kem_seed[DORY_MLKEM_SEED], shared[32];

/* What libsodium's own gives for these seeds, hashed; every other ciphertext is tampered with. That libsodium's is the standard's is shown
   by the interop tests, and that small/mlkem.c is libsodium's on more values by tests/unit/test_crypto_mlkem.c (tests/device/native). */
static void test_mlkem(void)
{
    struct dory_sha256 all;
    uint8_t digest[32], wanted[32];

    dory_sha256_init(&all);
    for (uint8_t i = 0; i < 10; i++) {
        memset(kem_seed, 7 * i, 32);
        memset(kem_seed + 32, 11 * i + 1, 32);
        dory_mlkem_public(encapsulation_key, kem_seed);
        expect(dory_mlkem_enc(ciphertext, shared, encapsulation_key, kem_seed + i) == DORY_OK);
        dory_sha256_update(&all, encapsulation_key, sizeof encapsulation_key);
        dory_sha256_update(&all, ciphertext, sizeof ciphertext);
        dory_sha256_update(&all, shared, sizeof shared);
        ciphertext[i * 100] ^= i % 2;
        dory_mlkem_dec(shared, ciphertext, kem_seed);
        dory_sha256_update(&all, shared, sizeof shared);
    }
    dory_sha256_final(&all, digest);
    hex(wanted, "954283e4b3e61c269a5a22eb323fe1a2e567b89b4004db841402e98e0fded7e2");
    expect(memcmp(digest, wanted, 32) == 0);
    encapsulation_key[0] = encapsulation_key[1] = 0xff;
    expect(dory_mlkem_enc(ciphertext, shared, encapsulation_key, kem_seed) == DORY_E_CRYPTO);
}

/* ---- SHA-256, PBKDF2, and the small things */

static bool digest_is(const char *piece, unsigned times, const char *expected)
{
    struct dory_sha256 sha;
    uint8_t digest[32], wanted[32];

    dory_sha256_init(&sha);
    while (times-- > 0) dory_sha256_update(&sha, piece, strlen(piece));
    dory_sha256_final(&sha, digest);
    hex(wanted, expected);
    return memcmp(digest, wanted, 32) == 0;
}

static void test_sha256(void)
{
    expect(digest_is("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    expect(digest_is("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    expect(digest_is("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
                     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
    expect(digest_is("aaaaaaaaaa", 100000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

/* RFC 7914, section 11 */
static void test_pbkdf2(void)
{
    uint8_t key[32], wanted[32];

    hex(wanted, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    expect(dory_pbkdf2_sha256((const uint8_t *)"passwd", 6, (const uint8_t *)"salt", 4, 1, key) == DORY_OK);
    expect(memcmp(key, wanted, 32) == 0);
    hex(wanted, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
    expect(dory_pbkdf2_sha256((const uint8_t *)"Password", 8, (const uint8_t *)"NaCl", 4, 80000, key) == DORY_OK);
    expect(memcmp(key, wanted, 32) == 0);
}

/* RFC 4648, section 10 */
static void test_base64(void)
{
    static const char *const vectors[][2] = {{"", ""},         {"f", "Zg=="},       {"fo", "Zm8="},        {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    static const char *const bad[] = {"Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zm9v\n", "Zm 9", "Zm9vZg==Zm9v", "Zm9-"};
    char text[16];
    uint8_t got[16];

    for (unsigned i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const char *plain = vectors[i][0], *coded = vectors[i][1];
        const int plain_n = (int)strlen(plain), coded_n = (int)strlen(coded), bare_n = (int)strcspn(coded, "=");
        expect(dory_base64_encode(text, sizeof text, (const uint8_t *)plain, (size_t)plain_n, true) == coded_n && strcmp(text, coded) == 0);
        expect(dory_base64_encode(text, sizeof text, (const uint8_t *)plain, (size_t)plain_n, false) == bare_n &&
               memcmp(text, coded, (size_t)bare_n) == 0 && text[bare_n] == 0);
        expect(dory_base64_encode(text, (size_t)coded_n, (const uint8_t *)plain, (size_t)plain_n, true) == DORY_E_SPACE);
        expect(dory_base64_decode(got, (size_t)plain_n, coded, (size_t)coded_n) == plain_n && memcmp(got, plain, (size_t)plain_n) == 0);
        expect(i == 0 || dory_base64_decode(got, (size_t)plain_n - 1, coded, (size_t)coded_n) == DORY_E_SPACE);
    }
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect(dory_base64_decode(got, sizeof got, bad[i], strlen(bad[i])) == DORY_E_ARG);
}

static void test_init_wipe_equal(void)
{
    uint8_t a[9] = "12345678", b[9] = "12345678";

    expect(dory_crypto_init() == DORY_OK && dory_crypto_init() == DORY_OK);
    expect(dory_equal(a, b, 9));
    for (unsigned i = 0; i < 72; i++) {
        b[i / 8] ^= (uint8_t)(1u << i % 8);
        expect(!dory_equal(a, b, 9));
        b[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    dory_wipe(a, 9);
    memset(b, 0, 9);
    expect(memcmp(a, b, 9) == 0);
}

/* ---- what each operation costs */

static struct dory_key key;
static uint8_t packet[4096 + 16], signature[SIG], key_blob[KEY], seed[32] = {3};
static _Alignas(16) uint8_t context[DORY_CIPHER_CTX_SIZE];

static void do_key(void)
{
    dory_ed25519_from_seed(&key, seed);
}

static void do_sign(void)
{
    type->sign(&key, "ssh-ed25519", seed, sizeof seed, signature, SIG, NULL);
}

static void do_verify(void)
{
    expect(alg->verify(key_blob, KEY, seed, sizeof seed, signature, SIG) == DORY_OK);
}

static void do_exchange(void)
{
    uint8_t peer[32] = {9}, reply[32], secret[32];

    agree(seed, peer, reply, secret);
}

static void do_seal(void)
{
    cipher->seal(context, 1, packet, 4096);
}

static void do_sha256(void)
{
    struct dory_sha256 sha;
    uint8_t digest[32];

    dory_sha256_init(&sha);
    dory_sha256_update(&sha, packet, 4096);
    dory_sha256_final(&sha, digest);
}

static void do_kem_key(void)
{
    dory_mlkem_public(encapsulation_key, kem_seed);
}

static void do_kem_enc(void)
{
    expect(dory_mlkem_enc(ciphertext, shared, encapsulation_key, kem_seed) == DORY_OK);
}

static void do_kem_dec(void)
{
    dory_mlkem_dec(shared, ciphertext, kem_seed);
}

static void test_costs(void)
{
    measure("ed25519 key", do_key);
    type->public_blob(&key, key_blob, KEY);
    measure("ed25519 sign", do_sign);
    measure("ed25519 verify", do_verify);
    measure("curve25519 exchange, server", do_exchange);
    cipher->init(context, packet, NULL);
    measure("chacha20-poly1305, packet of 4096 bytes", do_seal);
    measure("sha256 of 4096 bytes", do_sha256);
    measure("ML-KEM-768 key", do_kem_key);
    measure("ML-KEM-768 encapsulation", do_kem_enc);
    measure("ML-KEM-768 decapsulation from the seed", do_kem_dec);
}

int main(void)
{
    run("init, wipe, equal", test_init_wipe_equal);
    run("base64: RFC 4648", test_base64);
    run("ML-KEM-768: libsodium's values, a bad key refused", test_mlkem);
    run("SHA-256: FIPS 180-4", test_sha256);
    run("PBKDF2: RFC 7914", test_pbkdf2);
    run("X25519: RFC 7748", test_rfc7748);
    run("X25519: public values of RFC 7748", test_rfc7748_public_values);
    run("X25519: points of small order are refused", test_small_order_x25519);
    run("no entropy, no key", test_no_entropy);
    run("Ed25519: RFC 8032, keys, signatures, forgeries", test_rfc8032);
    run("Ed25519: S + L is refused", test_s_not_below_the_group_order);
    run("Ed25519: keys of small order are refused", test_small_order_ed25519);
    run("Ed25519: an R of small order is refused", test_small_order_of_r);
    run("chacha20-poly1305: the draft's example", test_draft_chacha20_poly1305);
    run("chacha20-poly1305: OpenSSL's packets, and every fifth byte forged", test_openssl_chacha20_poly1305);
    run("costs", test_costs);
    return failures ? 1 : 0;
}
