/* The SFTP server and conversations with changed, lost and repeated bytes, the same ones in every run. tests/fuzz/ goes on from here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sftp_fuzz.h"

enum { ROUNDS = 6000, CAP = 8192 };

static uint32_t random_state = 1;

static uint32_t any(uint32_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % below;
}

static size_t change(uint8_t *bytes, size_t n)
{
    static const uint8_t odd[] = {0, 1, 4, 5, 127, 128, 200, 255};
    size_t at = any((uint32_t)n), count = 1 + any(40);

    if (count > n - at)
        count = n - at;
    switch (any(5)) {
    case 0: bytes[at] = odd[any(sizeof odd)]; break;
    case 1: bytes[at] ^= (uint8_t)(1 << any(8)); break;
    case 2: memset(bytes + at, odd[any(sizeof odd)], count); break;
    case 3: memmove(bytes + at, bytes + at + count, n - at - count); return n - count;
    default:
        if (n + count > CAP)
            break;
        memmove(bytes + at + count, bytes + at, n - at);
        return n + count;
    }
    return n;
}

static void test_changed_conversations(void **state)
{
    static uint8_t seed[CAP], bytes[CAP];
    size_t whole = sftp_fuzz_seed(seed, sizeof seed);

    (void)state;
    assert_true(whole > 1000);
    sftp_fuzz(seed, whole);
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = whole;

        memcpy(bytes, seed, n);
        for (uint32_t i = 1 + any(6); i && n > 8; i--) n = change(bytes, n);
        if (any(2))
            for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)any(256);
        sftp_fuzz(bytes, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_changed_conversations)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
