/* The SSH engine's fuzzer. What an input means: tests/support/ssh_fuzz.h.
 *
 * With clang -fsanitize=fuzzer it is a libFuzzer target (tests/fuzz/run builds and runs it); with -DDORY_FUZZ_MAIN it is a program that
 * takes files (or standard input, for AFL), and with --seeds DIR it writes the starting corpus.
 */
#include "ssh_fuzz.h"

#define CAP 65536

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);
size_t LLVMFuzzerCustomMutator(uint8_t *input, size_t n, size_t cap, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *input, size_t n, size_t cap);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
    dory_fuzz_ssh(input, n);
    return 0;
}

#ifdef DORY_FUZZ_MAIN

static uint8_t bytes[CAP];

static int write_seeds(const char *dir)
{
    size_t n;

    for (unsigned i = 0; (n = dory_fuzz_seed(i, bytes, CAP)) != 0; i++) {
        char path[4096];
        FILE *f;
        snprintf(path, sizeof path, "%s/seed-%04u", dir, i);
        f = fopen(path, "wb");
        if (!f || fwrite(bytes, 1, n, f) != n || fclose(f)) {
            perror(path);
            return 1;
        }
    }
    return 0;
}

static int run_file(const char *path)
{
    FILE *f = path ? fopen(path, "rb") : stdin;
    size_t n;

    if (!f) {
        perror(path);
        return 1;
    }
    n = fread(bytes, 1, CAP, f);
    if (path)
        fclose(f);
    return LLVMFuzzerTestOneInput(bytes, n);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0)
        return write_seeds(argv[2]);
    if (argc == 1)
        return run_file(NULL);
    for (int i = 1; i < argc; i++)
        if (run_file(argv[i]))
            return 1;
    return 0;
}

#else

/* Half of the time libFuzzer's own changes, else ours, which know odd numbers and cut whole steps. */
size_t LLVMFuzzerCustomMutator(uint8_t *input, size_t n, size_t cap, unsigned int seed)
{
    static uint8_t other[CAP];
    struct dory_kit_rng rng;
    size_t other_n;

    if (seed & 1 || n < 3)
        return LLVMFuzzerMutate(input, n, cap);
    dory_kit_rng_init(&rng, seed);
    other_n = dory_fuzz_seed(dory_kit_random(&rng, 3000), other, CAP);
    return dory_fuzz_mutate(&rng, input, n, cap, other, other_n);
}

#endif
