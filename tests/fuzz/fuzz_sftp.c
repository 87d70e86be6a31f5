/* The SFTP server's fuzzer: tests/support/sftp_fuzz.h under libFuzzer, which is given its first input by --seed (with -DDORY_FUZZ_MAIN). */
#include <stdio.h>

#include "sftp_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
    sftp_fuzz(input, n);
    return 0;
}

#ifdef DORY_FUZZ_MAIN
int main(int argc, char **argv)
{
    static uint8_t seed[65536];
    size_t n = sftp_fuzz_seed(seed, sizeof seed);
    FILE *f = argc == 2 ? fopen(argv[1], "wb") : NULL;

    return !f || fwrite(seed, 1, n, f) != n || fclose(f) != 0;
}
#endif
