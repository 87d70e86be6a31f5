/* A libFuzzer target for keys and signatures: key and signature blobs from a peer, key files, the DER inside of them. The first byte of an
   input says what it is; what is accepted must come out again as it went in. */
#include <stdlib.h>
#include <string.h>

#include "crypto-port/posix/key_der.h"
#include "platform/posix/dory_posix_keyfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);

static void check(bool good)
{
    if (!good)
        abort();
}

/* Two bytes of length, the key, and the rest is the signature. */
static void verify(const struct dory_sigalg *alg, const uint8_t *p, size_t n)
{
    size_t key_n = n < 2 ? 0 : (size_t)p[0] << 8 | p[1];

    if (n < 2 || key_n > n - 2)
        return;
    alg->verify(p + 2, key_n, (const uint8_t *)"message", 7, p + 2 + key_n, n - 2 - key_n);
}

/* A key that was read can be used, written and read again. */
static void use(const struct dory_key *key)
{
    uint8_t blob[DORY_KEY_BLOB_MAX], same[DORY_KEY_BLOB_MAX];
    static uint8_t bytes[6144];
    struct dory_key again;
    const char *label;
    int size = key->type->public_blob(key, blob, sizeof blob);

    check(size > 0);
    int n = dory_key_to_der(key, true, NULL, NULL, bytes, sizeof bytes, &label);
    check(n > 0);
    check(dory_der_pkcs8(&again, (struct dory_der){bytes, bytes + n, false}) == DORY_OK);
    check(again.type->public_blob(&again, same, sizeof same) == size && memcmp(blob, same, (size_t)size) == 0);
}

static void der(int (*parse)(struct dory_key *, struct dory_der), const uint8_t *p, size_t n)
{
    static uint8_t copy[16384];
    struct dory_key key;

    if (n > sizeof copy)
        return;
    memcpy(copy, p, n);
    if (parse(&key, (struct dory_der){copy, copy + n, false}) == DORY_OK)
        use(&key);
}

static void decrypt(const uint8_t *p, size_t n)
{
    static uint8_t copy[16384];
    struct dory_der in = {copy, copy + n, false};

    if (n > sizeof copy || n < 60 || memchr(p, 0x02, n) == NULL)
        return;
    memcpy(copy, p, n);
    dory_der_decrypt(&in, "x");
}

static void file(const uint8_t *p, size_t n)
{
    struct dory_key key;
    struct dory_public_key public;
    char comment[DORY_COMMENT_MAX], why[DORY_WHY_MAX];

    if (dory_keyfile_parse("file", (const char *)p, n, "x", &key, comment, why) == DORY_OK)
        use(&key);
    else
        check(why[0] != 0);
    dory_public_key_parse((const char *)p, n, &public);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
    const uint8_t *p = input + 1;

    if (n-- == 0)
        return 0;
    switch (input[0] % 9) {
    case 0: verify(&dory_sig_ssh_ed25519, p, n); break;
    case 1: verify(&dory_sig_ecdsa_sha2_nistp256, p, n); break;
    case 2: verify(&dory_sig_rsa_sha2_256, p, n); break;
    case 3: verify(&dory_sig_rsa_sha2_512, p, n); break;
    case 4: der(dory_der_rsa, p, n); break;
    case 5: der(dory_der_ec, p, n); break;
    case 6: der(dory_der_pkcs8, p, n); break;
    case 7: decrypt(p, n); break;
    default: file(p, n); break;
    }
    return 0;
}
