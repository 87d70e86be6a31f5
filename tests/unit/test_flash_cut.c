/* Power goes at every single flash operation of everything that writes, in four ways: nothing of the operation done, half, bits here and there,
 * all. After each cut the flash is mounted again: what there was is there, or what was to come, never neither; and the same work then succeeds. */
#include "flash_sim.h"
#include "ssh_kit.h"

enum { PAGE = 512, PAGES = 40 };

static const struct dory_flash_slot slots[] = {
    {"slot-a", 0, 8, DORY_FLASH_FIRMWARE, false}, {"slot-b", 8, 8, DORY_FLASH_FIRMWARE, false}, {"keys", 16, 4, DORY_FLASH_CONFIG, false},
    {"boot", 20, 2, DORY_FLASH_CONFIG, true},     {"log", 22, 3, DORY_FLASH_LOG, false}};
enum { SLOT_A, SLOT_B, KEYS, BOOT, LOG, SLOTS };

static struct flash_sim sim;
static struct dory_flash_fs fs;
static uint8_t bytes[PAGE * PAGES], before[PAGE * PAGES], spoilt[PAGE * PAGES];
static bool checked; /* the flash checks itself: what was torn cannot be read */
static unsigned long cuts;

static void mount(const char *running)
{
    int r;

    while ((r = dory_flash_mount(&fs, &sim.flash, slots, SLOTS, running)) == DORY_E_AGAIN) {
    }
    CHECK_EQ(r, DORY_OK);
    while ((r = dory_flash_mount_log(&fs)) == DORY_E_AGAIN) {
    }
    CHECK_EQ(r, DORY_OK);
}

/* ---- contents: made of a number and a size */

struct content {
    uint32_t seed, n; /* seed 0: none */
};
static const struct content none, old_image = {1, 2900}, new_image = {2, 3600}, third_image = {3, 1}, old_keys = {4, 700}, new_keys = {5, 900},
                                  other_keys = {6, 0};

static uint8_t byte_of(struct content c, uint32_t i)
{
    return (uint8_t)((i * 7 + i / 253) ^ (c.seed * 37));
}

static bool is(unsigned slot, struct content c)
{
    struct dory_flash_status status;
    uint8_t b;
    int r;

    while ((r = dory_flash_status(&fs, slot, &status)) == DORY_E_AGAIN) {
    }
    CHECK_EQ(r, DORY_OK);
    if (!c.seed || !status.valid)
        return !c.seed && !status.valid;
    if (status.size != c.n)
        return false;
    CHECK_EQ(dory_flash_verify(&fs, slot), DORY_OK);
    for (uint32_t i = 0; i < c.n; i++)
        if (dory_flash_get(&fs, slot, i, &b, 1) != 1 || b != byte_of(c, i))
            return false;
    return true;
}

#define BUSY(call)                                                                                                                         \
    do                                                                                                                                     \
        r = (int)(call);                                                                                                                   \
    while (r == DORY_E_AGAIN)

static int store(unsigned slot, struct content c)
{
    const struct dory_fs_ops *ops = fs.fs.ops;
    uint8_t piece[100];
    int root, handle, r;

    BUSY(ops->root(&fs.fs));
    root = r;
    BUSY(ops->create(&fs.fs, root, slots[slot].name, 0644, c.n));
    handle = r;
    ops->close(&fs.fs, root);
    for (uint32_t at = 0; handle >= 0 && at < c.n; at += (uint32_t)r) {
        uint32_t n = c.n - at < sizeof piece ? c.n - at : (uint32_t)sizeof piece;

        for (uint32_t i = 0; i < n; i++)
            piece[i] = byte_of(c, at + i);
        BUSY(ops->write(&fs.fs, handle, at, piece, n));
        if (r < 0) {
            ops->abort(&fs.fs, handle);
            return r;
        }
    }
    if (handle < 0)
        return handle;
    BUSY(ops->commit(&fs.fs, handle, 0, NULL));
    return r;
}

static int activate(unsigned slot)
{
    int r;

    BUSY(dory_flash_activate(&fs, slot));
    return r;
}

static int erase_keys(void)
{
    int root, r;

    BUSY(fs.fs.ops->root(&fs.fs));
    root = r;
    BUSY(fs.fs.ops->remove(&fs.fs, root, "keys"));
    fs.fs.ops->close(&fs.fs, root);
    return r;
}

/* ---- one piece of work after the other */

/* `begin` makes what is there before, without a cut. `work` is cut at every operation. `check` says what must hold after a cut (whole: no cut). */
struct work {
    const char *name;
    void (*begin)(void);
    int (*work)(void);
    void (*check)(bool whole);
};

static void sweep(const struct work *w, uint32_t unit, unsigned busy, enum flash_sim_torn torn)
{
    memset(bytes, 0x42, sizeof bytes);
    flash_sim_init(&sim, bytes, PAGE, PAGES, unit);
    mount("slot-a");
    w->begin();
    memcpy(before, bytes, sizeof bytes);
    for (unsigned long cut = 1;; cut++) {
        int r;

        dory_kit_case("%s, unit %u, busy %u, torn %d, checked %d, operation %lu", w->name, unit, busy, torn, checked, cut);
        memcpy(bytes, before, sizeof bytes);
        flash_sim_init(&sim, bytes, PAGE, PAGES, unit);
        memset(spoilt, 0, sizeof spoilt);
        sim.spoilt = checked ? spoilt : NULL;
        sim.busy_calls = busy;
        sim.random = (uint32_t)cut;
        mount("slot-a");
        sim.cut_at = cut;
        sim.torn = torn;
        r = w->work();
        if (!sim.dead) {
            CHECK_EQ(r, DORY_OK);
            CHECK(cut > 3);
            break;
        }
        CHECK_EQ(r, DORY_E_IO);
        cuts++;
        flash_sim_reboot(&sim);
        mount("slot-a");
        w->check(false);
        CHECK_EQ(w->work(), DORY_OK);
        CHECK_EQ(sim.violations, 0);
    }
    mount("slot-a");
    w->check(true);
}

static void everywhere(const struct work *w)
{
    unsigned long first = cuts;

    for (uint32_t unit = 1; unit <= DORY_FLASH_UNIT_MAX; unit *= 2)
        for (unsigned busy = 0; busy <= 2; busy += 2)
            for (int torn = 0; torn < 2 * FLASH_SIM_TORN_KINDS; torn++) {
                checked = torn >= FLASH_SIM_TORN_KINDS;
                sweep(w, unit, busy, (enum flash_sim_torn)(torn % FLASH_SIM_TORN_KINDS));
            }
    checked = false;
    dory_kit_say("%s: %lu cuts", w->name, cuts - first);
}

/* ---- the work */

static void begin_images(void)
{
    CHECK_EQ(store(SLOT_B, old_image), DORY_OK);
    /* slot-a, which runs, came from a factory that writes trailers as well: uploaded while slot-b was the one that ran. */
    mount("slot-b");
    CHECK_EQ(activate(SLOT_B), DORY_OK);
    CHECK_EQ(store(SLOT_A, third_image), DORY_OK);
    CHECK_EQ(activate(SLOT_A), DORY_OK);
    mount("slot-a");
}

static int upload(void)
{
    return store(SLOT_B, new_image);
}

/* The choice names a whole image, whatever happened. */
static void check_boots(void)
{
    CHECK(fs.chosen == SLOT_A || fs.chosen == SLOT_B);
    CHECK_EQ(dory_flash_verify(&fs, fs.chosen), DORY_OK);
}

static void check_upload(bool whole)
{
    check_boots();
    CHECK(is(SLOT_A, third_image));
    CHECK(is(SLOT_B, new_image) || (!whole && (is(SLOT_B, old_image) || is(SLOT_B, none))));
}

static void test_firmware_upload(void **state)
{
    (void)state;
    everywhere(&(struct work){"firmware upload", begin_images, upload, check_upload});
}

static int choose_b(void)
{
    return activate(SLOT_B);
}

static void check_choice(bool whole)
{
    check_boots();
    CHECK(fs.chosen == SLOT_B || !whole);
    CHECK(is(SLOT_A, third_image) && is(SLOT_B, old_image));
}

static void test_boot_choice(void **state)
{
    (void)state;
    everywhere(&(struct work){"boot choice", begin_images, choose_b, check_choice});
}

static int update(void)
{
    int r = fs.chosen == SLOT_A ? store(SLOT_B, new_image) : DORY_OK; /* chosen already: the cut came behind */

    return r ? r : activate(SLOT_B);
}

static void check_update(bool whole)
{
    check_boots();
    CHECK(is(SLOT_A, third_image));
    CHECK(fs.chosen == SLOT_B ? is(SLOT_B, new_image) : !whole);
}

static void test_whole_update(void **state)
{
    (void)state;
    everywhere(&(struct work){"upload and activation", begin_images, update, check_update});
}

static void begin_keys(void)
{
    CHECK_EQ(store(KEYS, other_keys), DORY_OK);
    CHECK_EQ(store(KEYS, old_keys), DORY_OK);
}

static int set_keys(void)
{
    return store(KEYS, new_keys);
}

static void check_keys(bool whole)
{
    CHECK(is(KEYS, new_keys) || (!whole && is(KEYS, old_keys)));
}

static void test_config(void **state)
{
    (void)state;
    everywhere(&(struct work){"config", begin_keys, set_keys, check_keys});
}

static int set_keys_twice(void)
{
    int r = store(KEYS, other_keys);

    return r ? r : store(KEYS, new_keys);
}

static void check_keys_twice(bool whole)
{
    CHECK(is(KEYS, new_keys) || (!whole && (is(KEYS, old_keys) || is(KEYS, other_keys))));
}

static void test_config_twice(void **state)
{
    (void)state;
    everywhere(&(struct work){"config twice", begin_keys, set_keys_twice, check_keys_twice});
}

static void begin_nothing(void)
{
}

static void check_first_keys(bool whole)
{
    CHECK(is(KEYS, new_keys) || (!whole && is(KEYS, none)));
}

static void test_first_config(void **state)
{
    (void)state;
    everywhere(&(struct work){"first config", begin_nothing, set_keys, check_first_keys});
}

static int forget_keys(void)
{
    return is(KEYS, none) ? DORY_OK : erase_keys(); /* gone already: the cut came behind */
}

static void check_forgotten(bool whole)
{
    CHECK(is(KEYS, none) || (!whole && is(KEYS, old_keys)));
}

static void test_removal(void **state)
{
    (void)state;
    everywhere(&(struct work){"removal", begin_keys, forget_keys, check_forgotten});
}

/* ---- the log: each line that was taken before the cut is there, but for those of a page that was given up */

enum { LINES = 70 };
static unsigned lines_taken;

static int write_lines(void)
{
    char line[40];
    int r = DORY_OK;

    for (lines_taken = 0; lines_taken < LINES && !r; lines_taken++) {
        snprintf(line, sizeof line, "%03u a line of the log", lines_taken);
        BUSY(dory_flash_log(&fs, line, strlen(line)));
    }
    if (r)
        lines_taken--;
    return r;
}

static void check_lines(bool whole)
{
    static char text[PAGE * 4];
    unsigned seen[LINES] = {0}, first = LINES, taken = whole ? LINES : lines_taken;
    size_t n = 0;
    long r;

    while ((r = dory_flash_get(&fs, LOG, (uint32_t)n, text + n, sizeof text - 1 - n)) > 0)
        n += (size_t)r;
    CHECK_EQ(r, 0);
    text[n] = '\0';
    for (char *p = text, *end; (end = strchr(p, '\n')) != NULL; p = end + 1)
        if (end - p >= 21 && memcmp(p + 3, " a line of the log", 18) == 0 && p[0] == '0') {
            unsigned i = (unsigned)(p[1] - '0') * 10 + (unsigned)(p[2] - '0');

            CHECK(i < LINES);
            seen[i]++;
            if (i < first)
                first = i;
        }
    /* The last page and, but while one is being erased, the one before. */
    for (unsigned i = taken > 20 ? taken - 20 : 0; i < taken; i++)
        CHECK_EQ(seen[i], 1);
}

static bool again;

/* After a cut the lines begin again: their numbers would be there twice. */
static int write_lines_once(void)
{
    int r;

    again = !again;
    if (!again) {
        BUSY(dory_flash_log(&fs, "after a cut", 11));
        return r;
    }
    return write_lines();
}

static void begin_log(void)
{
    again = false;
}

static void test_log(void **state)
{
    const struct work w = {"log", begin_log, write_lines_once, check_lines};

    (void)state;
    for (uint32_t unit = 1; unit <= DORY_FLASH_UNIT_MAX; unit *= 2)
        for (int torn = 0; torn < 2 * FLASH_SIM_TORN_KINDS; torn++) {
            unsigned long first = cuts;

            checked = torn >= FLASH_SIM_TORN_KINDS;
            sweep(&w, unit, 0, (enum flash_sim_torn)(torn % FLASH_SIM_TORN_KINDS));
            CHECK(cuts - first >= LINES);
        }
    checked = false;
}

/* Power that goes again and again, at random, while one works on: nothing is ever lost that was whole. */
static void test_random_cuts(void **state)
{
    struct dory_kit_rng rng;
    struct content keys = none;

    (void)state;
    dory_kit_rng_init(&rng, 7);
    memset(bytes, 0xFF, sizeof bytes);
    flash_sim_init(&sim, bytes, PAGE, PAGES, 4);
    memset(spoilt, 0, sizeof spoilt);
    sim.spoilt = spoilt;
    mount("slot-a");
    begin_images();
    for (uint32_t i = 0; i < 3000; i++) {
        struct content next = {100 + i, dory_kit_random(&rng, 940)};
        uint8_t chosen = fs.chosen;
        int r;

        dory_kit_case("round %u", i);
        sim.operations = 0;
        sim.cut_at = dory_kit_random(&rng, 40) + 1;
        sim.torn = (enum flash_sim_torn)dory_kit_random(&rng, FLASH_SIM_TORN_KINDS);
        sim.busy_calls = i % 3;
        r = store(KEYS, next);
        if (!r && i % 5 == 0)
            activate(fs.chosen == SLOT_A ? SLOT_B : SLOT_A);
        if (sim.dead) {
            cuts++;
            flash_sim_reboot(&sim);
            mount("slot-a");
        }
        sim.cut_at = 0;
        CHECK(is(KEYS, next) || (r && is(KEYS, keys)));
        keys = is(KEYS, next) ? next : keys;
        check_boots();
        CHECK(i % 5 == 0 || fs.chosen == chosen);
    }
    CHECK_EQ(sim.violations, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_firmware_upload), cmocka_unit_test(test_boot_choice), cmocka_unit_test(test_whole_update), cmocka_unit_test(test_config),
        cmocka_unit_test(test_config_twice),    cmocka_unit_test(test_first_config), cmocka_unit_test(test_removal),     cmocka_unit_test(test_log),
        cmocka_unit_test(test_random_cuts)};
    int failed = cmocka_run_group_tests_name("flash, power cuts", tests, NULL, NULL);

    dory_kit_say("%lu cuts in all", cuts);
    return failed;
}
