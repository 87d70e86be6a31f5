/* Clients of SCP and SFTP, and hosts that answer at random, the same ones in every run. tests/fuzz/ goes on from here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "copy_fuzz.h"

enum { ROUNDS = 700, CAP = 600 };

static uint32_t random_state = 1;

static uint8_t any(void)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint8_t)(random_state >> 16);
}

static void test_random_hosts(void **state)
{
    static uint8_t input[CAP];

    (void)state;
    for (int round = 0; round < ROUNDS; round++)
        for (uint8_t plan = 0; plan < COPY_FUZZ_PLANS; plan++) {
            size_t n = 20 + (size_t)any() * 2;

            for (size_t i = 0; i < n; i++) input[i] = any();
            input[0] = plan;
            if (any() & 1)
                memset(input + 1, 0, 4); /* nothing fails here */
            if (any() & 1)
                memset(input + 5, 200, 2); /* and nothing comes in pieces */
            copy_fuzz(input, n);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_hosts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
