/* libsodium's portable Poly1305 by a direct call, as in chacha20.c. */
#define sodium_memzero dory_wipe
#include <crypto_onetimeauth/poly1305/donna/poly1305_donna.c>

int crypto_onetimeauth_poly1305(unsigned char *out, const unsigned char *in, unsigned long long inlen, const unsigned char *k)
{
    return crypto_onetimeauth_poly1305_donna(out, in, inlen, k);
}
