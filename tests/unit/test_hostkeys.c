/* What a server tells of its other host keys: which are news, and what counts as a proof. */
#include "posix_kit.h"

#include "dory_posix_known_hosts.h"
#include "dory_posix_sys.h"

static const struct dory_rng rng = {.fill = dory_posix_rng};
static const struct dory_sigalg *const algorithms[] = {&dory_sig_ssh_ed25519, NULL};
static const uint8_t session[32] = {9, 8, 7};
static const char *const files[] = {"known", NULL};
static char why[DORY_WHY_MAX];

struct bytes {
    uint8_t p[1024];
    size_t n;
};

struct test_key {
    struct dory_key key;
    uint8_t blob[128];
    size_t n;
};
static struct test_key keys[3];

static void put_string(struct bytes *b, const void *p, size_t n)
{
    const uint8_t length[4] = {0, 0, (uint8_t)(n >> 8), (uint8_t)n};

    memcpy(b->p + b->n, length, 4);
    memcpy(b->p + b->n + 4, p, n);
    b->n += 4 + n;
}

static int enter(void **state)
{
    for (uint8_t i = 0; i < 3; i++) {
        const uint8_t seed[32] = {i};
        int n;

        dory_ed25519_from_seed(&keys[i].key, seed);
        n = keys[i].key.type->public_blob(&keys[i].key, keys[i].blob, sizeof keys[i].blob);
        if (n < 0)
            return -1;
        keys[i].n = (size_t)n;
    }
    return posix_kit_enter(state);
}

static struct bytes told(unsigned which)
{
    struct bytes b = {.n = 0};

    for (unsigned i = 0; i < 3; i++)
        if (which >> i & 1)
            put_string(&b, keys[i].blob, keys[i].n);
    return b;
}

static void know(unsigned i)
{
    assert_int_equal(dory_known_hosts_add("known", "host", 2222, keys[i].blob, keys[i].n, false, &rng, why), DORY_OK);
}

static void expect_news(unsigned which, unsigned expected)
{
    struct bytes all = told(which), want = told(expected);
    uint8_t news[1024];
    int n = dory_hostkeys_news(files, "host", 2222, algorithms, all.p, all.n, news, sizeof news, why);

    assert_int_equal(n, want.n);
    assert_memory_equal(news, want.p, want.n);
}

static void test_news(void **state)
{
    struct bytes other = {.n = 0}, twice = told(1);
    uint8_t news[64], more[128];

    (void)state;
    expect_news(7, 7);
    know(1);
    expect_news(7, 5);
    expect_news(2, 0);
    know(0);
    know(2);
    expect_news(7, 0);
    expect_news(0, 0);
    posix_kit_write("known", "", 0600);
    put_string(&twice, keys[0].blob, keys[0].n);
    assert_int_equal(dory_hostkeys_news(files, "host", 2222, algorithms, twice.p, twice.n, more, sizeof more, why), told(1).n);

    posix_kit_write("known", "", 0600);
    put_string(&other, "\0\0\0\7ssh-rsa\0\0\0\1x", 16); /* a type that nothing here proves */
    put_string(&other, "junk", 4);
    assert_int_equal(dory_hostkeys_news(files, "host", 2222, algorithms, other.p, other.n, news, sizeof news, why), 0);
    other = told(3);
    assert_int_equal(dory_hostkeys_news(files, "host", 2222, algorithms, other.p, other.n - 1, news, sizeof news, why), 4 + keys[0].n);
    assert_int_equal(dory_hostkeys_news(files, "host", 2222, algorithms, other.p, other.n, news, sizeof news, why), 4 + keys[0].n);
}

static void test_revoked(void **state)
{
    char line[512] = "@revoked [host]:2222 ";
    size_t at = strlen(line);

    (void)state;
    assert_true(dory_public_key_line(line + at, sizeof line - at, keys[1].blob, keys[1].n, "") > 0);
    posix_kit_write("known", line, 0600);
    expect_news(7, 5);
}

static struct bytes proof_of(unsigned which, const uint8_t id[32], const char *text)
{
    struct bytes proof = {.n = 0};

    for (unsigned i = 0; i < 3; i++) {
        struct bytes said = {.n = 0};
        uint8_t signature[128];
        int n;

        if (!(which >> i & 1))
            continue;
        put_string(&said, text, strlen(text));
        put_string(&said, id, 32);
        put_string(&said, keys[i].blob, keys[i].n);
        n = keys[i].key.type->sign(&keys[i].key, "ssh-ed25519", said.p, said.n, signature, sizeof signature, &rng);
        assert_true(n > 0);
        put_string(&proof, signature, (size_t)n);
    }
    return proof;
}

static bool proved(const struct bytes *asked, const struct bytes *proof, size_t proof_n)
{
    return dory_hostkeys_proved(algorithms, session, sizeof session, asked->p, asked->n, proof->p, proof_n);
}

static void test_proof(void **state)
{
    static const uint8_t another[32] = {1};
    struct bytes asked = told(5), good = proof_of(5, session, "hostkeys-prove-00@openssh.com"), bad;

    (void)state;
    assert_true(proved(&asked, &good, good.n));
    for (size_t n = 0; n < good.n; n++)
        assert_false(proved(&asked, &good, n));
    for (size_t i = 0; i < good.n; i++) {
        bad = good;
        bad.p[i] ^= 1;
        assert_false(proved(&asked, &bad, bad.n));
    }
    bad = proof_of(5, another, "hostkeys-prove-00@openssh.com");
    assert_false(proved(&asked, &bad, bad.n));
    bad = proof_of(5, session, "hostkeys-00@openssh.com");
    assert_false(proved(&asked, &bad, bad.n));
    bad = proof_of(7, session, "hostkeys-prove-00@openssh.com");
    assert_false(proved(&asked, &bad, bad.n)); /* one signature too many, and in another order */
    bad = proof_of(3, session, "hostkeys-prove-00@openssh.com");
    assert_false(proved(&asked, &bad, bad.n));
    asked.n = 0;
    good.n = 0;
    assert_false(proved(&asked, &good, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_news, enter, posix_kit_leave),
        cmocka_unit_test_setup_teardown(test_revoked, enter, posix_kit_leave),
        cmocka_unit_test_setup_teardown(test_proof, enter, posix_kit_leave),
    };

    return cmocka_run_group_tests_name("host keys that are told", tests, NULL, NULL);
}
