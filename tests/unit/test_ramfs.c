/* The RAM file system: the conformance of all, once as it is and once in a bad mood, and what is its own. */
#include "fs_conformance.h"
#include "scp_kit.h"

struct mood {
    unsigned long busy_every;
    size_t bite;
};

static struct dory_fs *fresh(void *ctx)
{
    const struct mood *mood = ctx;

    scp_kit_reset();
    scp_a.disk.ram.busy_every = mood->busy_every;
    scp_a.disk.ram.bite = mood->bite;
    return &scp_a.disk.ram.fs;
}

static bool clean(void *ctx, struct dory_fs *fs)
{
    (void)ctx;
    (void)fs;
    return !dory_ram_open_handles(&scp_a.disk.ram) && !dory_ram_nameless(&scp_a.disk.ram);
}

static void symlink(void *ctx, struct dory_fs *fs, const char *name, const char *target)
{
    (void)ctx;
    (void)fs;
    dory_ram_put(&scp_a.disk.ram, name, DORY_FS_LINK, 0777, target, strlen(target));
}

static void test_blocks_come_back(void **state)
{
    struct dory_fs *fs = &scp_a.disk.ram.fs;
    int root = fs->ops->root(fs), all = scp_a.disk.ram.free_blocks;
    static uint8_t bytes[10000];

    (void)state;
    for (int i = 0; i < 500; i++) {
        int handle = fs->ops->create(fs, root, "f", 0644, sizeof bytes);

        assert_true(handle >= 0);
        assert_int_equal(fs->ops->write(fs, handle, 0, bytes, sizeof bytes), sizeof bytes);
        assert_int_equal(i % 3 ? fs->ops->abort(fs, handle) : fs->ops->commit(fs, handle, 0, NULL), 0);
    }
    assert_int_equal(fs->ops->remove(fs, root, "f"), 0);
    assert_int_equal(scp_a.disk.ram.free_blocks, all);
    fs->ops->close(fs, root);
}

static void test_full(void **state)
{
    struct dory_fs *fs = &scp_a.disk.ram.fs;
    int root = fs->ops->root(fs), handle;
    static uint8_t bytes[(SCP_KIT_BLOCKS + 1) * DORY_RAM_BLOCK];
    const size_t room = SCP_KIT_BLOCKS * DORY_RAM_BLOCK;

    (void)state;
    assert_int_equal(fs->ops->create(fs, root, "f", 0644, room + 1), DORY_E_NOSPC);
    handle = fs->ops->create(fs, root, "f", 0644, UINT64_MAX);
    assert_int_equal(fs->ops->write(fs, handle, 0, bytes, sizeof bytes), room);
    assert_int_equal(fs->ops->write(fs, handle, room, bytes, 1), DORY_E_NOSPC);
    assert_int_equal(fs->ops->abort(fs, handle), 0);
    assert_int_equal(scp_a.disk.ram.free_blocks, SCP_KIT_BLOCKS);
    fs->ops->close(fs, root);
}

static void test_permissions(void **state)
{
    struct dory_fs *fs = &scp_a.disk.ram.fs;
    int root = fs->ops->root(fs), dir;

    (void)state;
    scp_put(&scp_a, "/d/f", "x");
    scp_a.disk.nodes[dory_ram_find(&scp_a.disk.ram, "/d")].mode = 0555;
    scp_a.disk.nodes[dory_ram_find(&scp_a.disk.ram, "/d/f")].mode = 0;
    dir = fs->ops->open(fs, root, "d", DORY_FS_OPEN_DIR);
    assert_int_equal(fs->ops->create(fs, dir, "g", 0644, 1), DORY_E_ACCESS);
    assert_int_equal(fs->ops->mkdir(fs, dir, "g", 0755), DORY_E_ACCESS);
    assert_int_equal(fs->ops->open(fs, dir, "f", DORY_FS_OPEN_READ), DORY_E_ACCESS);
    fs->ops->close(fs, dir);
    fs->ops->close(fs, root);
}

int main(void)
{
    struct mood good = {0}, bad = {.busy_every = 3, .bite = 2};
    const struct fs_conformance plain = {.fresh = fresh, .clean = clean, .symlink = symlink, .ctx = &good};
    const struct fs_conformance moody = {.fresh = fresh, .clean = clean, .symlink = symlink, .ctx = &bad};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_blocks_come_back, scp_kit_setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_full, scp_kit_setup, scp_kit_teardown),
        cmocka_unit_test_setup_teardown(test_permissions, scp_kit_setup, scp_kit_teardown),
    };

    return fs_conformance("ram", &plain) + fs_conformance("ram, busy and slow", &moody) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
