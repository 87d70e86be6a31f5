/* Fixed slots in flash: the conformance of every file system, as far as fixed slots can, and what is their own. Power cuts: test_flash_cut.c. */
#include "fs_conformance.h"
#include "flash_sim.h"
#include "ssh_kit.h"

enum { PAGE = 1024, PAGES = 64 };

static struct flash_sim sim;
static struct dory_flash_fs fs;
static uint8_t bytes[PAGE * PAGES];
static unsigned unit, busy;

static const struct dory_flash_slot slots[] = {
    {"slot-a", 0, 16, DORY_FLASH_FIRMWARE, false}, {"slot-b", 16, 16, DORY_FLASH_FIRMWARE, false},
    {"authorized_keys", 32, 4, DORY_FLASH_CONFIG, false}, {"hostkey", 36, 2, DORY_FLASH_CONFIG, true},
    {"boot", 38, 2, DORY_FLASH_CONFIG, true}, {"log", 40, 4, DORY_FLASH_LOG, false}};
enum { SLOT_A, SLOT_B, KEYS, HOSTKEY, BOOT, LOG, SLOTS };

#define AGAIN(call)                                                                                                                        \
    ({                                                                                                                                     \
        __typeof__(call) r_;                                                                                                               \
        do                                                                                                                                 \
            r_ = (call);                                                                                                                   \
        while (r_ == DORY_E_AGAIN);                                                                                                        \
        r_;                                                                                                                                \
    })
#define CALL(op, ...) AGAIN(fs.fs.ops->op(&fs.fs, __VA_ARGS__))

static int open_root(void)
{
    return AGAIN(fs.fs.ops->root(&fs.fs));
}

/* ---- conformance, on config slots with the names that it uses */

static const struct dory_flash_slot files[] = {{"file", 0, 2, DORY_FLASH_CONFIG, false},   {"other", 2, 4, DORY_FLASH_CONFIG, false},
                                               {"empty", 6, 2, DORY_FLASH_CONFIG, false},  {"one", 8, 2, DORY_FLASH_CONFIG, false},
                                               {"new", 10, 2, DORY_FLASH_CONFIG, false},   {"hidden", 12, 2, DORY_FLASH_CONFIG, true}};

static struct dory_fs *fresh(void *ctx)
{
    (void)ctx;
    memset(bytes, 0x3C, sizeof bytes); /* whatever was there before */
    flash_sim_init(&sim, bytes, PAGE, PAGES, unit);
    sim.busy_calls = busy;
    assert_int_equal(AGAIN(dory_flash_mount(&fs, &sim.flash, files, 6, NULL)), DORY_OK);
    return &fs.fs;
}

static bool clean(void *ctx, struct dory_fs *base)
{
    (void)ctx;
    (void)base;
    for (int i = 0; i < DORY_FLASH_HANDLES; i++)
        if (fs.handles[i].used)
            return false;
    return sim.violations == 0;
}

/* ---- its own */

static void mount(void)
{
    CHECK_EQ(AGAIN(dory_flash_mount(&fs, &sim.flash, slots, SLOTS, "slot-a")), DORY_OK);
    CHECK_EQ(AGAIN(dory_flash_mount_log(&fs)), DORY_OK);
}

static int setup(void **state)
{
    (void)state;
    memset(bytes, 0xFF, sizeof bytes);
    flash_sim_init(&sim, bytes, PAGE, PAGES, unit);
    sim.busy_calls = busy;
    mount();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    CHECK_EQ(sim.violations, 0);
    return 0;
}

static uint8_t pattern(uint32_t seed, uint32_t i)
{
    return (uint8_t)((i * 7 + i / 251) ^ (seed * 31));
}

/* Uploads n bytes in pieces of `bite`; the last result. */
static int upload(const char *name, uint32_t seed, uint32_t n, uint32_t bite)
{
    int root = open_root(), handle = CALL(create, root, name, 0644, n);
    uint8_t piece[5000];

    CALL(close, root);
    if (handle < 0)
        return handle;
    for (uint32_t at = 0, k; at < n; at += k) {
        long r;

        k = n - at < bite ? n - at : bite;
        for (uint32_t i = 0; i < k; i++)
            piece[i] = pattern(seed, at + i);
        r = CALL(write, handle, at, piece, k);
        if (r <= 0) {
            CALL(abort, handle);
            return (int)r;
        }
        k = (uint32_t)r;
    }
    return CALL(commit, handle, 0, NULL);
}

static bool holds(unsigned slot, uint32_t seed, uint32_t n)
{
    struct dory_flash_status status;
    uint8_t byte;

    CHECK_EQ(AGAIN(dory_flash_status(&fs, slot, &status)), DORY_OK);
    if (!status.valid || status.size != n || AGAIN(dory_flash_verify(&fs, slot)) != DORY_OK)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (AGAIN(dory_flash_get(&fs, slot, i, &byte, 1)) != 1 || byte != pattern(seed, i))
            return false;
    return true;
}

/* One operation fails, half done: what the slot says is so, nothing is programmed twice, and the next upload is as good as any. */
static void test_an_operation_that_fails(void **state)
{
    unsigned long operations;

    (void)state;
    CHECK_EQ(upload("slot-b", 1, 3000, 500), DORY_OK);
    operations = sim.operations;
    CHECK_EQ(upload("slot-b", 1, 3000, 500), DORY_OK);
    operations = sim.operations - operations;
    for (unsigned long at = 1; at <= operations; at++) {
        struct dory_flash_status status;

        dory_kit_case("operation %lu", at);
        sim.fail_at = sim.operations + at;
        CHECK_EQ(upload("slot-b", 2, 3000, 500), DORY_E_IO);
        CHECK_EQ(AGAIN(dory_flash_status(&fs, SLOT_B, &status)), DORY_OK);
        CHECK(!status.valid);
        CHECK_EQ(AGAIN(dory_flash_verify(&fs, SLOT_B)), DORY_E_NOENT);
        CHECK_EQ(upload("slot-b", 1, 3000, 500), DORY_OK);
        CHECK(holds(SLOT_B, 1, 3000));
    }
}

/* The copy that counts cannot be read for a while: nothing is written that would not count, or would count too early, later. */
static void test_a_trailer_that_cannot_be_read(void **state)
{
    static uint8_t spoilt[sizeof bytes];

    (void)state;
    CHECK_EQ(upload("authorized_keys", 1, 700, 700), DORY_OK);
    CHECK_EQ(upload("authorized_keys", 2, 700, 700), DORY_OK);
    sim.spoilt = spoilt;
    memset(spoilt + 34 * PAGE, 1, 2 * PAGE); /* the second copy */
    CHECK_EQ(upload("authorized_keys", 3, 700, 700), DORY_E_IO);
    memset(spoilt, 0, sizeof spoilt);
    mount();
    CHECK(holds(KEYS, 2, 700));
    CHECK_EQ(upload("authorized_keys", 3, 700, 700), DORY_OK);
    mount();
    CHECK(holds(KEYS, 3, 700));
    memset(spoilt + 32 * PAGE, 1, 2 * PAGE); /* for good: the older copy, which was good once, and then new ones */
    mount();
    CHECK_EQ(upload("authorized_keys", 4, 700, 700), DORY_OK);
    mount();
    CHECK(holds(KEYS, 4, 700));
    sim.spoilt = NULL;
}

static void test_a_log_that_fails(void **state)
{
    char text[64], line[64];

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        snprintf(line, sizeof line, "line %03u of a log", i);
        sim.fail_at = i % 3 ? 0 : sim.operations + 1;
        CHECK_EQ(AGAIN(dory_flash_log(&fs, line, strlen(line))), i % 3 ? DORY_OK : DORY_E_IO);
        CHECK_EQ(sim.violations, 0);
    }
    mount();
    CHECK(AGAIN(dory_flash_get(&fs, LOG, 0, text, sizeof text)) > 0);
    for (uint32_t at = 0, found = 0;; at++) {
        long n = AGAIN(dory_flash_get(&fs, LOG, at, text, strlen(line)));

        CHECK(n > 0);
        found += n == (long)strlen(line) && memcmp(text, line, strlen(line)) == 0;
        if (n <= 0 || found)
            break;
    }
}

/* A promise to have written is given for what counts, and for nothing before. */
static void test_sync(void **state)
{
    int root = open_root(), handle;

    (void)state;
    handle = CALL(create, root, "slot-b", 0644, 100);
    CHECK_EQ(CALL(write, handle, 0, (const uint8_t *)"12345678", 8), 8);
    CHECK_EQ(CALL(sync, handle), DORY_E_NOSYS);
    CHECK_EQ(CALL(commit, handle, 0, NULL), DORY_OK);
    CHECK_EQ(CALL(sync, handle), DORY_E_ARG);
    handle = CALL(open, root, "slot-b", DORY_FS_OPEN_READ);
    CHECK_EQ(CALL(sync, handle), DORY_OK);
    CHECK_EQ(CALL(sync, root), DORY_OK);
    CALL(close, handle);
    CALL(close, root);
}

static void test_every_size_and_bite(void **state)
{
    static const uint32_t sizes[] = {0, 1, 3, 4, 5, 31, 32, 33, 1023, 1024, 1025, 1950, 1951, 1952, 1953, 1975, 1976};
    static const uint32_t bites[] = {1, 2, 3, 5, 64, 1000, 1024, 4999};

    (void)state;
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint32_t k = 0; k < sizeof bites / sizeof *bites; k++) {
            struct dory_flash_status status;

            dory_kit_case("size %u, bite %u", sizes[i], bites[k]);
            CHECK_EQ(AGAIN(dory_flash_status(&fs, KEYS, &status)), DORY_OK);
            if (sizes[i] > status.room)
                continue;
            CHECK_EQ(upload("authorized_keys", i * 8 + k, sizes[i], bites[k]), DORY_OK);
            CHECK(holds(KEYS, i * 8 + k, sizes[i]));
            mount();
            CHECK(holds(KEYS, i * 8 + k, sizes[i]));
        }
}

static void test_too_large_is_refused_before_anything_is_touched(void **state)
{
    struct dory_flash_status status;
    unsigned long before;

    (void)state;
    CHECK_EQ(upload("slot-b", 1, 9000, 1460), DORY_OK);
    before = sim.operations;
    CHECK_EQ(AGAIN(dory_flash_status(&fs, SLOT_B, &status)), DORY_OK);
    CHECK_EQ(upload("slot-b", 2, status.room + 1, 1460), DORY_E_NOSPC);
    CHECK_EQ(sim.operations, before);
    CHECK(holds(SLOT_B, 1, 9000));
    CHECK_EQ(upload("slot-b", 2, status.room, 1460), DORY_OK);
    CHECK(holds(SLOT_B, 2, status.room));
}

static void test_unknown_size_ends_at_the_room(void **state)
{
    int root = open_root(), handle = CALL(create, root, "authorized_keys", 0600, UINT64_MAX);
    static uint8_t much[4096];
    long total = 0, r;

    (void)state;
    while ((r = CALL(write, handle, (uint64_t)total, much, sizeof much)) > 0)
        total += r;
    CHECK_EQ(r, DORY_E_NOSPC);
    CHECK_EQ(CALL(abort, handle), DORY_OK);
    CALL(close, root);
}

static void test_the_image_that_is_needed_is_never_written(void **state)
{
    int root = open_root();

    (void)state;
    CHECK_EQ(upload("slot-a", 1, 100, 100), DORY_E_ACCESS); /* runs */
    CHECK_EQ(upload("slot-b", 2, 3000, 1000), DORY_OK);
    CHECK_EQ(AGAIN(dory_flash_activate(&fs, SLOT_B)), DORY_OK);
    CHECK_EQ(upload("slot-a", 1, 100, 100), DORY_E_ACCESS); /* still runs */
    CHECK_EQ(upload("slot-b", 1, 100, 100), DORY_E_ACCESS); /* will run */
    CHECK_EQ(CALL(remove, root, "slot-b"), DORY_E_ACCESS);
    CHECK_EQ(AGAIN(dory_flash_mount(&fs, &sim.flash, slots, SLOTS, "slot-b")), DORY_OK); /* it does */
    CHECK_EQ(AGAIN(dory_flash_mount_log(&fs)), DORY_OK);
    CHECK_EQ(upload("slot-b", 1, 100, 100), DORY_E_ACCESS);
    CHECK_EQ(upload("slot-a", 5, 4000, 1000), DORY_OK);
    CHECK(holds(SLOT_A, 5, 4000));
    CHECK(holds(SLOT_B, 2, 3000));
    CALL(close, root);
}

static void test_activate(void **state)
{
    struct dory_flash_status status;

    (void)state;
    CHECK_EQ(AGAIN(dory_flash_activate(&fs, SLOT_B)), DORY_E_NOENT);
    CHECK_EQ(AGAIN(dory_flash_activate(&fs, KEYS)), DORY_E_ARG);
    CHECK_EQ(AGAIN(dory_flash_activate(&fs, SLOT_A)), DORY_OK); /* it runs, though it never was uploaded */
    CHECK_EQ(upload("slot-b", 2, 3000, 1000), DORY_OK);
    bytes[16 * PAGE + 2999] ^= 4; /* a bit that was lost in flash */
    CHECK_EQ(AGAIN(dory_flash_activate(&fs, SLOT_B)), DORY_E_CRYPTO);
    bytes[16 * PAGE + 2999] ^= 4;
    CHECK_EQ(AGAIN(dory_flash_activate(&fs, SLOT_B)), DORY_OK);
    mount();
    CHECK_EQ(AGAIN(dory_flash_status(&fs, SLOT_B, &status)), DORY_OK);
    CHECK(status.chosen && !status.running && status.valid);
    CHECK_EQ(AGAIN(dory_flash_status(&fs, SLOT_A, &status)), DORY_OK);
    CHECK(!status.chosen && status.running);
}

static void test_not_while_it_is_uploaded(void **state)
{
    int root, handle;

    (void)state;
    CHECK_EQ(upload("slot-b", 2, 3000, 1000), DORY_OK);
    root = open_root();
    handle = CALL(create, root, "slot-b", 0644, 10);
    CHECK(handle >= 0);
    CHECK_EQ(AGAIN(dory_flash_activate(&fs, SLOT_B)), DORY_E_STATE);
    CHECK_EQ(CALL(create, root, "slot-b", 0644, 10), DORY_E_STATE);
    CHECK_EQ(CALL(abort, handle), DORY_OK);
    CHECK(holds(SLOT_B, 2, 3000)); /* nothing was written: the old one is whole */
    CHECK_EQ(AGAIN(dory_flash_activate(&fs, SLOT_B)), DORY_OK);
    CALL(close, root);
}

static void test_hidden_slots(void **state)
{
    struct dory_fs_info info;
    int root = open_root();
    char name[32];
    uint8_t seed[32] = {7}, got[40];

    (void)state;
    CHECK_EQ(AGAIN(dory_flash_get(&fs, HOSTKEY, 0, got, 32)), DORY_E_NOENT);
    CHECK_EQ(AGAIN(dory_flash_put(&fs, HOSTKEY, seed, 32)), DORY_OK);
    CHECK_EQ(AGAIN(dory_flash_get(&fs, HOSTKEY, 0, got, 40)), 32);
    CHECK(memcmp(seed, got, 32) == 0);
    CHECK_EQ(CALL(lookup, root, "hostkey", true, &info), DORY_E_NOENT);
    CHECK_EQ(CALL(open, root, "hostkey", DORY_FS_OPEN_READ), DORY_E_NOENT);
    CHECK_EQ(CALL(create, root, "hostkey", 0600, 32), DORY_E_NOENT);
    CHECK_EQ(CALL(remove, root, "hostkey"), DORY_E_NOENT);
    while (CALL(next, root, name, sizeof name) == 1)
        CHECK(strcmp(name, "hostkey") != 0 && strcmp(name, "boot") != 0);
    CALL(close, root);
}

static void test_remove(void **state)
{
    int root = open_root();

    (void)state;
    CHECK_EQ(upload("slot-b", 2, 3000, 1000), DORY_OK);
    CHECK_EQ(upload("authorized_keys", 3, 300, 100), DORY_OK);
    CHECK_EQ(CALL(remove, root, "slot-b"), DORY_OK);
    CHECK_EQ(CALL(remove, root, "authorized_keys"), DORY_OK);
    CHECK_EQ(CALL(remove, root, "authorized_keys"), DORY_E_NOENT);
    CHECK_EQ(CALL(remove, root, "log"), DORY_E_ACCESS);
    mount();
    CHECK(!holds(SLOT_B, 2, 3000) && !holds(KEYS, 3, 300));
    CHECK_EQ(upload("authorized_keys", 4, 200, 100), DORY_OK);
    mount();
    CHECK(holds(KEYS, 4, 200));
}

static void test_times_are_kept(void **state)
{
    struct dory_fs_info info = {.mtime = 4294967300, .atime = 5}, got;
    int root = open_root(), handle = CALL(create, root, "authorized_keys", 0644, 1);

    (void)state;
    CHECK_EQ(CALL(write, handle, 0, (const uint8_t *)"x", 1), 1);
    got.size = 1;
    CHECK_EQ(CALL(setinfo, handle, DORY_FS_SET_SIZE, &got), DORY_OK);
    got.size = 2;
    CHECK_EQ(CALL(setinfo, handle, DORY_FS_SET_SIZE, &got), DORY_E_NOSYS);
    CHECK_EQ(CALL(setinfo, root, DORY_FS_SET_MODE, &got), DORY_E_NOSYS);
    CHECK_EQ(CALL(commit, handle, DORY_FS_SET_TIMES | DORY_FS_SET_MODE, &info), DORY_OK);
    mount();
    root = open_root();
    CHECK_EQ(CALL(lookup, root, "authorized_keys", true, &got), DORY_OK);
    CHECK_EQ(got.mtime, 4294967300);
    CHECK_EQ(got.size, 1);
    CALL(close, root);
}

/* A flash that takes a program and loses it: told, and nothing counts. */
static void test_lost_bits_are_found(void **state)
{
    (void)state;
    CHECK_EQ(upload("authorized_keys", 1, 700, 700), DORY_OK);
    for (unsigned long at = 1; at < 40; at++) {
        unsigned long programs;
        int r;

        flash_sim_reboot(&sim);
        sim.forget_at = at;
        r = upload("authorized_keys", 2, 650, 70);
        programs = sim.operations;
        sim.forget_at = 0;
        dory_kit_case("operation %lu", at);
        if (at > programs)
            break;
        CHECK_EQ(r, sim.forgot ? DORY_E_IO : DORY_OK);
        if (!r)
            CHECK_EQ(upload("authorized_keys", 1, 700, 700), DORY_OK);
        mount();
        CHECK(holds(KEYS, 1, 700));
    }
}

static void test_bad_tables(void **state)
{
    struct dory_flash_slot t[2] = {{"a", 0, 2, DORY_FLASH_CONFIG, false}, {"b", 2, 2, DORY_FLASH_CONFIG, false}};
    struct dory_flash flash = sim.flash;

    (void)state;
#define BAD(change)                                                                                                                        \
    do {                                                                                                                                   \
        struct dory_flash_slot was[2] = {t[0], t[1]};                                                                                      \
        change;                                                                                                                            \
        CHECK_EQ(dory_flash_check(&sim.flash, t, 2), DORY_E_ARG);                                                                          \
        memcpy(t, was, sizeof t);                                                                                                          \
    } while (0)
    CHECK_EQ(dory_flash_check(&sim.flash, t, 2), DORY_OK);
    CHECK_EQ(AGAIN(dory_flash_mount(&fs, &sim.flash, t, 2, "a")), DORY_E_ARG); /* no firmware */
    BAD(t[1].first = 1);
    BAD(t[1].first = PAGES);
    BAD(t[1].pages = PAGES);
    BAD(t[1].pages = 3);
    BAD(t[1].pages = 0);
    BAD(t[1].name = "a");
    BAD(t[1].name = "a/b");
    BAD(t[1].name = "");
    BAD(t[1].kind = 4);
    sim.flash.unit = 3;
    CHECK_EQ(dory_flash_check(&sim.flash, t, 2), DORY_E_ARG);
    sim.flash = flash;
    CHECK_EQ(dory_flash_mount(&fs, &sim.flash, t, DORY_FLASH_SLOTS + 1, NULL), DORY_E_ARG);
    mount();
}

/* ---- the log */

static size_t whole_log(char *text, size_t cap)
{
    int root = open_root(), handle = CALL(open, root, "log", DORY_FS_OPEN_READ);
    struct dory_fs_info info;
    size_t n = 0;
    long r;

    CHECK(handle >= 0);
    CHECK_EQ(CALL(info, handle, &info), DORY_OK);
    while ((r = CALL(read, handle, n, (uint8_t *)text + n, n + 77 < cap ? 77 : cap - n)) > 0)
        n += (size_t)r;
    CHECK_EQ(r, 0);
    CHECK_EQ(n, info.size);
    text[n] = '\0';
    CALL(close, handle);
    CALL(close, root);
    return n;
}

static void line_of(char *line, unsigned i)
{
    snprintf(line, 32, "line %u of the log%.*s", i, (int)(i % 5), "xxxxx");
}

/* The lines of the log are consecutive and end with `last`; the first. */
static unsigned check_log(unsigned last)
{
    static char text[8 * PAGE];
    char line[32], *p = text;
    unsigned first, i;

    whole_log(text, sizeof text);
    CHECK_EQ(sscanf(text, "line %u", &first), 1);
    for (i = first; *p; i++) {
        size_t n;

        line_of(line, i);
        n = strlen(line);
        CHECK(strncmp(p, line, n) == 0);
        p += n;
        p += strspn(p, " ");
        CHECK_EQ(*p, '\n');
        p++;
    }
    CHECK_EQ(i, last + 1);
    return first;
}

static void test_log_goes_round(void **state)
{
    char line[32], text[8];
    unsigned first = 0;

    (void)state;
    CHECK_EQ(whole_log(text, sizeof text), 0);
    for (unsigned i = 0; i < 700; i++) {
        line_of(line, i);
        CHECK_EQ(AGAIN(dory_flash_log(&fs, line, strlen(line))), DORY_OK);
        if (i % 13 == 0)
            mount();
        dory_kit_case("line %u", i);
        first = check_log(i);
        CHECK(i < 90 ? first == 0 : i - first >= 80);
    }
    CHECK(first > 0);
}

static void test_log_is_not_given_up_under_a_reader(void **state)
{
    char line[32];
    int root, handle, r;
    unsigned i = 0;

    (void)state;
    for (; i < 300; i++) {
        line_of(line, i);
        CHECK_EQ(AGAIN(dory_flash_log(&fs, line, strlen(line))), DORY_OK);
    }
    root = open_root();
    handle = CALL(open, root, "log", DORY_FS_OPEN_READ);
    for (unsigned tries = 0; tries < 200; tries++) {
        line_of(line, i);
        r = dory_flash_log(&fs, line, strlen(line));
        CHECK(r == DORY_OK || r == DORY_E_AGAIN);
        i += r == DORY_OK;
    }
    CHECK_EQ(r, DORY_E_AGAIN);
    CHECK(i < 350);
    CALL(close, handle);
    for (unsigned k = 0; k < 40; k++, i++) {
        line_of(line, i);
        CHECK_EQ(AGAIN(dory_flash_log(&fs, line, strlen(line))), DORY_OK);
    }
    check_log(i - 1);
    CALL(close, root);
}

static void test_a_log_that_is_not_mounted_is_not_there(void **state)
{
    struct dory_flash_status status;
    int root;

    (void)state;
    CHECK_EQ(AGAIN(dory_flash_log(&fs, "a line", 6)), DORY_OK);
    CHECK_EQ(AGAIN(dory_flash_mount(&fs, &sim.flash, slots, SLOTS, "slot-a")), DORY_OK);
    root = open_root();
    CHECK_EQ(CALL(open, root, "log", DORY_FS_OPEN_READ), DORY_E_NOENT);
    CHECK_EQ(upload("log", 1, 100, 100), DORY_E_ACCESS);
    CHECK_EQ(AGAIN(dory_flash_status(&fs, LOG, &status)), DORY_OK);
    CHECK(!status.valid && status.size == 0);
    CHECK_EQ(dory_flash_get(&fs, LOG, 0, &status, 1), DORY_E_NOENT);
    CHECK_EQ(dory_flash_log(&fs, "a line", 6), DORY_E_NOENT);
    CALL(close, root);
    CHECK_EQ(AGAIN(dory_flash_mount_log(&fs)), DORY_OK);
    CHECK_EQ(AGAIN(dory_flash_status(&fs, LOG, &status)), DORY_OK);
    CHECK_EQ(status.size, unit == 1 ? 7 : 8);
}

static void test_log_lines_are_clean(void **state)
{
    char text[256], longer[300];

    (void)state;
    CHECK_EQ(AGAIN(dory_flash_log(&fs, "a\x1b[31m\nb\xff", 9)), DORY_OK);
    memset(longer, 'x', sizeof longer);
    CHECK_EQ(AGAIN(dory_flash_log(&fs, longer, sizeof longer)), DORY_OK);
    whole_log(text, sizeof text);
    CHECK(strncmp(text, "a?[31m?b?", 9) == 0);
    CHECK_EQ(strspn(strchr(text, 'x'), "x"), DORY_FLASH_LINE_MAX);
}

int main(void)
{
    const struct fs_conformance conformance = {.fresh = fresh, .clean = clean, .flat = true, .no_modes = true};
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_sync), T(test_an_operation_that_fails), T(test_a_trailer_that_cannot_be_read), T(test_a_log_that_fails), T(test_every_size_and_bite), T(test_too_large_is_refused_before_anything_is_touched), T(test_unknown_size_ends_at_the_room),
        T(test_the_image_that_is_needed_is_never_written), T(test_activate), T(test_not_while_it_is_uploaded),
        T(test_hidden_slots), T(test_remove), T(test_times_are_kept), T(test_lost_bits_are_found), T(test_bad_tables), T(test_log_goes_round),
        T(test_log_is_not_given_up_under_a_reader), T(test_a_log_that_is_not_mounted_is_not_there), T(test_log_lines_are_clean)};
    int failed = 0;

    for (unit = 1; unit <= DORY_FLASH_UNIT_MAX; unit *= 2)
        for (busy = 0; busy <= 3; busy += 3) {
            failed += fs_conformance(busy ? "flash, busy" : "flash", &conformance);
            failed += cmocka_run_group_tests_name(busy ? "flash slots, busy" : "flash slots", tests, NULL, NULL);
        }
    return failed;
}
