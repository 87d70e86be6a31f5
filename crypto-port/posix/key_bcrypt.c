/* OpenSSH's own encryption of private keys: bcrypt_pbkdf and AES-256. The key derivation is Botan's, whose C interface is loaded when a key
   needs it and only then: neither Mbed TLS nor libsodium has it, and a program for routers is not linked with a C++ library for this. */
#include <dlfcn.h>
#include <string.h>

#include <mbedtls/aes.h>

#include "../dory_crypto.h"

enum { KEY = 32, IV = 16, ROUNDS_MAX = 100000 };

/* botan/ffi.h, the same since 2.8 */
typedef int pwdhash(const char *algo, size_t param1, size_t param2, size_t param3, uint8_t out[], size_t out_len, const char *passphrase,
                    size_t passphrase_len, const uint8_t salt[], size_t salt_len);

static pwdhash *find_pwdhash(void)
{
    static const char *const names[] = {"libbotan-2.so.19", "libbotan-3.so.13", "libbotan-3.so.12", "libbotan-3.so.11", "libbotan-3.so.10",
                                        "libbotan-3.so.9",  "libbotan-3.so.8",  "libbotan-3.so.7",  "libbotan-3.so.6",  "libbotan-3.so.5"};
    pwdhash *function = NULL;
    void *library, *symbol;

    for (size_t i = 0; i < sizeof names / sizeof *names && !function; i++)
        if ((library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL)) != NULL && (symbol = dlsym(library, "botan_pwdhash")) != NULL)
            memcpy(&function, &symbol, sizeof function);
    return function;
}

bool dory_bcrypt_is_there(void)
{
    return find_pwdhash() != NULL;
}

static int decrypt(bool ctr, const uint8_t secret[KEY + IV], uint8_t *bytes, size_t n)
{
    mbedtls_aes_context aes;
    uint8_t iv[IV], stream[IV];
    size_t used = 0;
    int e;

    memcpy(iv, secret + KEY, IV);
    mbedtls_aes_init(&aes);
    if (ctr)
        e = mbedtls_aes_setkey_enc(&aes, secret, 8 * KEY) || mbedtls_aes_crypt_ctr(&aes, n, &used, iv, stream, bytes, bytes);
    else
        e = mbedtls_aes_setkey_dec(&aes, secret, 8 * KEY) || mbedtls_aes_crypt_cbc(&aes, MBEDTLS_AES_DECRYPT, n, iv, bytes, bytes);
    mbedtls_aes_free(&aes);
    dory_wipe(stream, sizeof stream);
    return e == 0 ? DORY_OK : DORY_E_CRYPTO;
}

int dory_bcrypt_decrypt(const char *cipher, const char *passphrase, const uint8_t *salt, size_t salt_n, uint32_t rounds, uint8_t *bytes,
                        size_t n)
{
    bool ctr = strcmp(cipher, "aes256-ctr") == 0;
    pwdhash *derive = find_pwdhash();
    uint8_t secret[KEY + IV];
    int r;

    if (!derive || (!ctr && strcmp(cipher, "aes256-cbc") != 0) || rounds > ROUNDS_MAX)
        return DORY_E_NOSYS;
    if (*passphrase == 0)
        return DORY_E_BAD_PASSPHRASE; /* bcrypt_pbkdf has no answer to none */
    if (rounds == 0 || salt_n == 0 || n % IV != 0 ||
        derive("Bcrypt-PBKDF", rounds, 0, 0, secret, sizeof secret, passphrase, strlen(passphrase), salt, salt_n) != 0)
        return DORY_E_CRYPTO;
    r = decrypt(ctr, secret, bytes, n);
    dory_wipe(secret, sizeof secret);
    return r;
}
