/* libsodium's portable ChaCha20 by direct calls: its own entry points choose an implementation at run time, through a writable pointer. */
#define sodium_memzero dory_wipe
#include <crypto_stream/chacha20/ref/chacha20_ref.c>

int crypto_stream_chacha20(unsigned char *c, unsigned long long clen, const unsigned char *n, const unsigned char *k)
{
    return stream_ref(c, clen, n, k);
}

int crypto_stream_chacha20_xor_ic(unsigned char *c, const unsigned char *m, unsigned long long mlen, const unsigned char *n, uint64_t ic,
                                  const unsigned char *k)
{
    return stream_ref_xor_ic(c, m, mlen, n, ic, k);
}

int crypto_stream_chacha20_xor(unsigned char *c, const unsigned char *m, unsigned long long mlen, const unsigned char *n,
                               const unsigned char *k)
{
    return stream_ref_xor_ic(c, m, mlen, n, 0, k);
}
