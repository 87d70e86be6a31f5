/* The bytes of SFTP, against sections 3 to 7 of draft-ietf-secsh-filexfer-02. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sftp_wire.h"

static struct sftp_reader reader(const void *p, size_t n)
{
    return (struct sftp_reader){p, (const uint8_t *)p + n, false};
}

static void test_numbers_are_big_endian(void **state)
{
    static const uint8_t bytes[] = {7, 1, 2, 3, 4, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0, 0, 0, 2, 'h', 'i'};
    uint8_t copy[sizeof bytes];
    struct sftp_reader r = reader(bytes, sizeof bytes);
    struct sftp_writer w = {copy, copy + sizeof copy, false, false, 0};
    struct sftp_slice s;

    (void)state;
    assert_int_equal(dory_sftp_get8(&r), 7);
    assert_int_equal(dory_sftp_get32(&r), 0x01020304);
    assert_true(dory_sftp_get64(&r) == UINT64_C(0x1020304050607080));
    s = dory_sftp_get_string(&r);
    assert_true(dory_sftp_is(s, "hi"));
    assert_false(dory_sftp_is(s, "h") || dory_sftp_is(s, "hit"));
    assert_false(r.bad);
    assert_ptr_equal(r.p, r.end);

    dory_sftp_put8(&w, 7);
    dory_sftp_put32(&w, 0x01020304);
    dory_sftp_put64(&w, UINT64_C(0x1020304050607080));
    dory_sftp_put_text(&w, "hi");
    assert_false(w.bad);
    assert_memory_equal(copy, bytes, sizeof bytes);
}

static void test_a_short_message_is_bad_and_stays_so(void **state)
{
    static const uint8_t bytes[] = {0, 0, 0, 3, 'h', 'i'};

    (void)state;
    for (size_t n = 0; n <= sizeof bytes; n++) {
        struct sftp_reader r = reader(bytes, n);

        assert_null(dory_sftp_get_string(&r).p);
        assert_true(r.bad);
        assert_int_equal(dory_sftp_get8(&r), 0);
    }
    static const uint8_t huge[] = {255, 255, 255, 255, 1};
    struct sftp_reader r = reader(huge, sizeof huge);

    assert_int_equal(dory_sftp_get_string(&r).n, 0);
    assert_true(r.bad);
}

static void test_writing_stops_at_the_end(void **state)
{
    uint8_t room[9];

    (void)state;
    for (size_t n = 0; n < sizeof room; n++) {
        struct sftp_writer w = {room, room + n, false, false, 0};

        memset(room, 0xEE, sizeof room);
        dory_sftp_put_text(&w, "hello");
        assert_true(w.bad);
        dory_sftp_put8(&w, 1);
        for (size_t i = n; i < sizeof room; i++) assert_int_equal(room[i], 0xEE);
        assert_true(w.p <= w.end);
    }
    struct sftp_writer w = {room, room + sizeof room, false, false, 0};

    dory_sftp_put_text(&w, "hello");
    assert_false(w.bad);
}

/* The same message in pieces of every size, and measured. */
static void test_writing_in_parts(void **state)
{
    static const char whole[] = "\x01\x00\x00\x00\x02\x00\x00\x00\x05hello\x11\x22\x33\x44\x55\x66\x77\x88";
    const size_t n = sizeof whole - 1;

    (void)state;
    for (size_t piece = 1; piece <= n + 1; piece++) {
        uint8_t out[64];
        size_t at = 0;

        while (at < n) {
            struct sftp_writer w = {out + at, out + at + piece, false, true, at};

            dory_sftp_put8(&w, 1);
            dory_sftp_put32(&w, 2);
            dory_sftp_put_text(&w, "hello");
            dory_sftp_put64(&w, UINT64_C(0x1122334455667788));
            assert_int_equal(w.bad, at + piece < n);
            assert_int_equal(w.p - out, at + piece < n ? at + piece : n);
            at = (size_t)(w.p - out);
        }
        assert_memory_equal(out, whole, n);
    }
    struct sftp_writer w = {NULL, NULL, false, true, SIZE_MAX};

    dory_sftp_put_text(&w, "hello");
    dory_sftp_put64(&w, 1);
    assert_int_equal(SIZE_MAX - w.skip, 17);
    assert_false(w.bad);
}

static void test_a_packet_has_its_length_in_front(void **state)
{
    static const uint8_t expected[] = {0, 0, 0, 9, SSH_FXP_STATUS, 0, 0, 0, 5, 0, 0, 0, SSH_FX_EOF};
    uint8_t room[32];
    struct sftp_writer w = {room, room + sizeof room, false, false, 0};
    uint8_t *begun = dory_sftp_begin(&w, SSH_FXP_STATUS, 5);

    (void)state;
    dory_sftp_put32(&w, SSH_FX_EOF);
    dory_sftp_finish(&w, begun);
    assert_int_equal(w.p - room, sizeof expected);
    assert_memory_equal(room, expected, sizeof expected);
    w = (struct sftp_writer){room, room + 8, false, false, 0};
    assert_null(dory_sftp_begin(&w, SSH_FXP_STATUS, 5));
    dory_sftp_finish(&w, NULL);
    assert_true(w.bad);
}

/* Every combination of attributes comes back as it went. */
static void test_attributes(void **state)
{
    (void)state;
    for (uint32_t flags = 0; flags < 16; flags++) {
        struct sftp_attrs in = {flags, 0, 0, 0, 0, 0, 0}, out;
        uint8_t room[64];
        struct sftp_writer w = {room, room + sizeof room, false, false, 0};
        struct sftp_reader r;
        size_t n;

        if (flags & SSH_FILEXFER_ATTR_SIZE)
            in.size = UINT64_C(0x123456789A);
        if (flags & SSH_FILEXFER_ATTR_UIDGID)
            in.uid = 1000, in.gid = 100;
        if (flags & SSH_FILEXFER_ATTR_PERMISSIONS)
            in.permissions = 0100644;
        if (flags & SSH_FILEXFER_ATTR_ACMODTIME)
            in.atime = 5, in.mtime = 0x80000000u;
        dory_sftp_put_attrs(&w, &in);
        assert_false(w.bad);
        n = (size_t)(w.p - room);
        assert_int_equal(n, 4 + 8 * !!(flags & 1) + 8 * !!(flags & 2) + 4 * !!(flags & 4) + 8 * !!(flags & 8));
        r = reader(room, n);
        dory_sftp_get_attrs(&r, &out);
        assert_false(r.bad);
        assert_ptr_equal(r.p, r.end);
        assert_memory_equal(&in, &out, sizeof in);
        for (size_t cut = 0; cut < n; cut++) {
            r = reader(room, cut);
            dory_sftp_get_attrs(&r, &out);
            assert_true(r.bad);
        }
    }
}

static void test_extended_attributes_are_read_over(void **state)
{
    static const uint8_t good[] = {0x80, 0, 0, 4, 0, 0, 1, 0xA4, 0, 0, 0, 2, 0, 0, 0, 1, 'a', 0, 0, 0, 1, 'b', 0, 0, 0, 0, 0, 0, 0, 0, 9};
    static const uint8_t bad[] = {0x80, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0};
    struct sftp_attrs attrs;
    struct sftp_reader r = reader(good, sizeof good);

    (void)state;
    dory_sftp_get_attrs(&r, &attrs);
    assert_int_equal(attrs.permissions, 0644);
    assert_int_equal(dory_sftp_get8(&r), 9);
    assert_false(r.bad);
    r = reader(bad, sizeof bad);
    dory_sftp_get_attrs(&r, &attrs);
    assert_true(r.bad);
}

static void test_info_and_attributes(void **state)
{
    static const struct {
        uint8_t type;
        uint32_t permissions;
    } table[] = {{DORY_FS_FILE, 0100754}, {DORY_FS_DIR, 0040754}, {DORY_FS_LINK, 0120754}, {DORY_FS_OTHER, 0010754}};
    struct sftp_attrs attrs = {0};
    struct dory_fs_info info;

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct dory_fs_info in = {table[i].type, 0754, 3, 4, 5, INT64_C(1) << 33, -1};

        dory_sftp_from_info(&attrs, &in);
        assert_int_equal(attrs.permissions, table[i].permissions);
        assert_int_equal(attrs.flags, 15);
        assert_true(attrs.uid == 3 && attrs.gid == 4 && attrs.size == 5 && attrs.mtime == UINT32_MAX && attrs.atime == 0);
        dory_sftp_to_info(&info, &attrs);
        assert_true(info.type == table[i].type && info.mode == 0754 && info.size == 5 && info.mtime == (int64_t)UINT32_MAX);
    }
    attrs.permissions = 0060644; /* a block device */
    dory_sftp_to_info(&info, &attrs);
    assert_int_equal(info.type, DORY_FS_OTHER);
    attrs.permissions = 0644;
    dory_sftp_to_info(&info, &attrs);
    assert_int_equal(info.type, DORY_FS_FILE);
    for (uint32_t flags = 0; flags < 16; flags++) {
        unsigned set;

        attrs.flags = flags | SSH_FILEXFER_ATTR_EXTENDED;
        set = dory_sftp_settings(&attrs);
        assert_int_equal(!!(set & DORY_FS_SET_SIZE), flags & 1);
        assert_int_equal(!!(set & DORY_FS_SET_OWNER), flags >> 1 & 1);
        assert_int_equal(!!(set & DORY_FS_SET_MODE), flags >> 2 & 1);
        assert_int_equal(!!(set & DORY_FS_SET_TIMES), flags >> 3 & 1);
    }
}

static void test_status_codes(void **state)
{
    static const struct {
        int error;
        uint32_t status;
    } table[] = {{DORY_OK, 0},       {7, 0},
                 {DORY_E_NOENT, 2},  {DORY_E_NOTDIR, 2},
                 {DORY_E_ACCESS, 3}, {DORY_E_ROFS, 3},
                 {DORY_E_LOOP, 3},   {DORY_E_NOSPC, 4},
                 {DORY_E_EXIST, 4},  {DORY_E_NOTEMPTY, 4},
                 {DORY_E_NAME, 4},   {DORY_E_PROTOCOL, 5},
                 {DORY_E_NOSYS, 8}};

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) assert_int_equal(dory_sftp_status_of(table[i].error), table[i].status);
    assert_int_equal(dory_sftp_error_of(SSH_FX_OK), DORY_OK);
    assert_int_equal(dory_sftp_error_of(SSH_FX_EOF), DORY_E_CUT);
    for (uint32_t status = 2; status < 9; status++)
        if (status != SSH_FX_NO_CONNECTION && status != SSH_FX_CONNECTION_LOST)
            assert_int_equal(dory_sftp_status_of(dory_sftp_error_of(status)), status);
    assert_int_equal(dory_sftp_error_of(SSH_FX_CONNECTION_LOST), DORY_E_CUT);
    assert_int_equal(dory_sftp_error_of(9), DORY_E_IO);
    assert_int_equal(dory_sftp_error_of(UINT32_MAX), DORY_E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_big_endian),
        cmocka_unit_test(test_a_short_message_is_bad_and_stays_so),
        cmocka_unit_test(test_writing_stops_at_the_end),
        cmocka_unit_test(test_writing_in_parts),
        cmocka_unit_test(test_a_packet_has_its_length_in_front),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_extended_attributes_are_read_over),
        cmocka_unit_test(test_info_and_attributes),
        cmocka_unit_test(test_status_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
