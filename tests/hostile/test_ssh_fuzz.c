/* A short run of the fuzzer of tests/fuzz, with mutations that are the same every time. */
#include "ssh_fuzz.h"

#define INPUT_MAX 20000
#define SEEDS     4000
#define RUNS      30000

static struct {
    uint8_t p[INPUT_MAX];
    size_t n;
} a, b, c;

static unsigned seeds(void)
{
    static unsigned count;
    while (!count || (count < SEEDS && dory_fuzz_seed(count, a.p, INPUT_MAX))) count++;
    return count;
}

static void seeds_do_no_harm(void **state)
{
    (void)state;
    for (unsigned i = 0; i < seeds(); i++) {
        dory_kit_case("seed %u", i);
        a.n = dory_fuzz_seed(i, a.p, INPUT_MAX);
        CHECK(a.n > 2);
        /* A recorded session is the same session again, encryption and all; but for a client that reads ahead, as answers that lie there
           before their questions are refused. */
        if (i < DORY_FUZZ_SESSIONS && (i & 5) != 5)
            CHECK_EQ(dory_fuzz_ssh(a.p, a.n) & (DORY_READY | DORY_DONE), DORY_READY);
        else
            dory_fuzz_ssh(a.p, a.n);
    }
    dory_kit_say("%u seeds", seeds());
}

static void mutations_do_no_harm(void **state)
{
    struct dory_kit_rng rng;
    (void)state;

    dory_kit_rng_init(&rng, 20260101);
    for (unsigned i = 0; i < RUNS; i++) {
        a.n = dory_fuzz_seed(dory_kit_random(&rng, seeds()), a.p, INPUT_MAX);
        b.n = dory_fuzz_seed(dory_kit_random(&rng, seeds()), b.p, INPUT_MAX);
        memcpy(c.p, a.p, a.n);
        c.n = dory_fuzz_mutate(&rng, c.p, a.n, INPUT_MAX, b.p, b.n);
        dory_fuzz_ssh(c.p, c.n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_do_no_harm),
        cmocka_unit_test(mutations_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
