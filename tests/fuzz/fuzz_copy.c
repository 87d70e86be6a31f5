/* The fuzzer of the clients' engines: tests/support/copy_fuzz.h under libFuzzer. */
#include "copy_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
    copy_fuzz(input, n);
    return 0;
}
