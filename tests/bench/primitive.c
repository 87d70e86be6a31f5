/* The rate of each cipher alone, through the same door that the engine uses: packets of 32 KiB, sealed, then opened.
   Prints one line a cipher: name, MiB/s sealing, MiB/s opening, by CPU time. */
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dory_crypto.h"

enum { PAYLOAD = 32768, PACKET = 4 + PAYLOAD, SLOT = PACKET + 64, BATCH = 64, ROUNDS = 128 };

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void measure(const char *label, const struct dory_cipher *cipher)
{
    static uint8_t packets[BATCH][SLOT];
    static alignas(16) uint8_t seal_ctx[DORY_CIPHER_CTX_SIZE], open_ctx[DORY_CIPHER_CTX_SIZE];
    uint8_t key[64], iv[64];
    double sealing = 0, opening = 0;
    const double mib = (double)PAYLOAD * BATCH * ROUNDS / (1024 * 1024);
    uint32_t seq = 0;

    memset(key, 0x42, sizeof key);
    memset(iv, 0x17, sizeof iv);
    if (cipher->init(seal_ctx, key, iv) != DORY_OK || cipher->init(open_ctx, key, iv) != DORY_OK) {
        printf("%s: cannot run here\n", label);
        return;
    }
    for (int round = 0; round < ROUNDS; round++, seq += BATCH) {
        int bad = 0;
        double start;

        for (int i = 0; i < BATCH; i++)
            memcpy(packets[i], (const uint8_t[]){0, 0, PAYLOAD >> 8, PAYLOAD & 0xff}, 4);
        start = cpu_seconds();
        for (uint32_t i = 0; i < BATCH; i++)
            bad |= cipher->seal(seal_ctx, seq + i, packets[i], PACKET);
        sealing += cpu_seconds() - start;
        start = cpu_seconds();
        for (uint32_t i = 0; i < BATCH; i++) {
            bad |= cipher->length(open_ctx, seq + i, packets[i]) != PAYLOAD;
            bad |= cipher->open(open_ctx, seq + i, packets[i], PACKET);
        }
        opening += cpu_seconds() - start;
        if (bad) {
            fprintf(stderr, "%s: a packet did not open\n", label);
            exit(1);
        }
    }
    printf("%s %.0f %.0f\n", label, mib / sealing, mib / opening);
}

int main(void)
{
    if (dory_crypto_init() != DORY_OK)
        return 1;
    measure("chacha20-poly1305@openssh.com", &dory_cipher_chacha20_poly1305);
    if (dory_aes_is_fast())
        measure("aes256-gcm@openssh.com", &dory_cipher_aes256_gcm_fast);
    measure("aes256-gcm@openssh.com,portable", &dory_cipher_aes256_gcm);
    return 0;
}
