/* T1, T2, T3: the binary packet layer against lengths, padding, tampering, injection, loss and reordering. */
#include "ssh_peer.h"

static struct dory_wire w;
static struct dory_bytes b;

static void begin(const struct dory_ssh_role *role, int cipher, enum dory_wire_phase phase)
{
    dory_wire_new(&w, role);
    dory_wire_use_cipher(&w, cipher);
    dory_wire_to(&w, phase);
}

/* ---- T1: lengths ---- */

static const uint32_t bad_lengths[] = {0,          1,          2,          3,          4,          5,          6,          8,
                                       11,         13,         17,         35001,      40004,      65540,      65541,      0x00100004,
                                       0x00fffffc, 0x7ffffffc, 0x7fffffff, 0x80000000, 0x80000004, 0xfffffff4, 0xfffffffc, 0xffffffff};

static void T1_impossible_lengths_in_the_clear(const struct dory_ssh_role *role)
{
    struct dory_wire_saved saved;

    begin(role, 0, WIRE_KEXINIT);
    dory_wire_save(&w, &saved);
    for (size_t i = 0; i < sizeof bad_lengths / sizeof *bad_lengths; i++) {
        dory_kit_case("packet_length %u in the clear", bad_lengths[i]);
        dory_wire_restore(&w, &saved);
        b.n = 0;
        dory_put32(&b, bad_lengths[i]);
        dory_wire_raw(&w, b.p, b.n); /* refused on sight: nothing more is waited for */
        dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PACKET);
    }
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T1_impossible_lengths_in_the_clear)

static void expect_refused_packet(void)
{
    uint32_t reason;
    int error = dory_ssh_error(&w.ssh);

    CHECK(error == DORY_E_PACKET || error == DORY_E_MAC);
    reason = dory_wire_end_reason(&w);
    CHECK_EQ(reason, error == DORY_E_MAC ? SSH_DISCONNECT_MAC_ERROR : SSH_DISCONNECT_PROTOCOL_ERROR);
}

/* RFC 4253 6, with the block of the cipher, whose length field is not counted. */
static bool impossible(uint32_t length)
{
    return length < w.cipher->block_size || length % w.cipher->block_size || length > w.config.rx_size;
}

static void T1_impossible_lengths_under_each_cipher(const struct dory_ssh_role *role)
{
    size_t n;
    static uint8_t junk[80000], packet[600];
    struct dory_wire_saved saved;

    for (int c = 0; c < DORY_WIRE_CIPHERS; c++) {
        begin(role, c, WIRE_CHANNEL);
        dory_wire_save(&w, &saved);
        for (size_t i = 0; i < sizeof bad_lengths / sizeof *bad_lengths; i++) {
            dory_kit_case("%s, packet_length %u", w.cipher->name, bad_lengths[i]);
            dory_wire_restore(&w, &saved);
            w.forge_length = bad_lengths[i];
            dory_wire_put_data(&b, w.engine_channel, 40);
            n = dory_wire_seal(&w, b.p, b.n, packet, sizeof packet);
            dory_wire_raw(&w, packet, 4);
            if (impossible(bad_lengths[i])) { /* on sight */
                CHECK_EQ(dory_ssh_error(&w.ssh), DORY_E_PACKET);
            } else {
                dory_wire_raw(&w, packet + 4, n - 4);
                CHECK(dory_wire_raw(&w, junk, sizeof junk) < w.config.rx_size);
            }
            expect_refused_packet();
            CHECK_EQ(w.got, 0);
        }
        dory_wire_forget(&saved);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T1_impossible_lengths_under_each_cipher)

static void T1_impossible_padding(const struct dory_ssh_role *role)
{
    struct dory_wire_saved saved;
    int clear, c, padding;

    for (c = 0; c < DORY_WIRE_CIPHERS; c++)
        for (clear = 0; clear < 2; clear++) {
            begin(role, c, clear ? WIRE_KEXINIT : WIRE_CHANNEL);
            dory_wire_save(&w, &saved);
            for (padding = 0; padding < 256; padding++) {
                /* IGNORE and 30 bytes: 5 + 35 and at least 4 make a packet of 44..63 bytes behind the length */
                if (padding >= 4 && padding < 44)
                    continue;
                dory_kit_case("%s, padding_length %d", clear ? "clear" : w.cipher->name, padding);
                dory_wire_restore(&w, &saved);
                w.forge_padding = padding;
                b.n = 0;
                dory_put8(&b, MSG_IGNORE);
                dory_put32(&b, 30);
                dory_put_fill(&b, 'i', 30);
                if (padding < 4 || padding > 62) {
                    dory_wire_send_bytes(&w, &b);
                    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PACKET);
                }
            }
            dory_wire_forget(&saved);
            dory_wire_free(&w);
        }
}
DORY_BOTH_ROLES(T1_impossible_padding)

static void T1_packet_without_payload(const struct dory_ssh_role *role)
{
    begin(role, 0, WIRE_CHANNEL);
    dory_wire_send(&w, "", 0);
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PACKET);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T1_packet_without_payload)

/* RFC 4253 6.1: a payload of 32768 bytes and a packet of 35000 bytes must be possible where there is memory for it. */
static void T1_largest_packets_of_the_rfc_pass(const struct dory_ssh_role *role)
{
    static const size_t sizes[] = {32768, 34900};

    for (int c = 0; c < DORY_WIRE_CIPHERS; c++) {
        begin(role, c, WIRE_CHANNEL);
        for (int i = 0; i < 2; i++) {
            dory_kit_case("%s, IGNORE with a payload of %zu bytes", w.cipher->name, sizes[i]);
            b.n = 0;
            dory_put8(&b, MSG_IGNORE);
            dory_put32(&b, (uint32_t)sizes[i] - 5);
            dory_put_fill(&b, 'i', sizes[i] - 5);
            dory_wire_send_bytes(&w, &b);
            dory_wire_expect_silence(&w);
        }
        dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T1_largest_packets_of_the_rfc_pass)

/* The edge of the buffer: the largest packet that the header promises to accept passes; one that cannot fit is refused on its length. */
static void edge(const struct dory_ssh_role *role, size_t rx, size_t packet_length, bool fits)
{
    dory_kit_case("receive buffer %zu, packet_length %zu", rx, packet_length);
    dory_wire_new(&w, role);
    w.config.rx_size = rx;
    dory_wire_to(&w, WIRE_CHANNEL);
    b.n = 0;
    dory_put8(&b, MSG_IGNORE);
    dory_put_fill(&b, 0, packet_length - 1 - 4 - 1);
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(dory_ssh_error(&w.ssh), fits ? DORY_OK : DORY_E_PACKET);
    if (fits)
        dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

static void T1_edge_of_the_receive_buffer(const struct dory_ssh_role *role)
{
    for (size_t rx = DORY_MIN_BUFFER; rx < DORY_MIN_BUFFER + 20; rx++) {
        edge(role, rx, (rx - DORY_PACKET_OVERHEAD - 4) / 8 * 8, true);
        edge(role, rx, (rx / 8 + 1) * 8, false);
    }
}
DORY_BOTH_ROLES(T1_edge_of_the_receive_buffer)

/* ---- T2: tampering ---- */

static const char marker[] = "ATTACK AT DAWN, BRING THE BIG BUCKET";

static size_t sealed_marker(uint8_t *packet, size_t cap)
{
    dory_wire_put_channel(&b, MSG_DATA, w.engine_channel);
    dory_put_text(&b, marker);
    return dory_wire_seal(&w, b.p, b.n, packet, cap);
}

/* The next bytes cannot be opened: a wrong length may first have to be filled. */
static void expect_unreadable(void)
{
    static uint8_t junk[80000];

    if (dory_ssh_error(&w.ssh) == DORY_OK)
        dory_wire_raw(&w, junk, sizeof junk);
    expect_refused_packet();
}

static void expect_mac_error(bool length_spoiled)
{
    if (length_spoiled)
        expect_unreadable();
    else
        dory_wire_expect_disconnect(&w, SSH_DISCONNECT_MAC_ERROR, DORY_E_MAC);
    CHECK_EQ(w.got, 0);
    CHECK(!dory_view_contains(dory_view(w.config.rx, w.config.rx_size), marker, sizeof marker - 1));
}

static void T2_one_bit_wrong_at_every_position(const struct dory_ssh_role *role)
{
    uint8_t packet[256];
    struct dory_wire_saved saved;

    for (int c = 0; c < DORY_WIRE_CIPHERS; c++) {
        size_t n;
        begin(role, c, WIRE_CHANNEL);
        n = sealed_marker(packet, sizeof packet);
        dory_wire_save(&w, &saved);
        for (size_t bit = 0; bit < n * 8; bit++) {
            dory_kit_case("%s, bit %zu of byte %zu of %zu", w.cipher->name, bit % 8, bit / 8, n);
            dory_wire_restore(&w, &saved);
            packet[bit / 8] ^= (uint8_t)(1U << bit % 8);
            dory_wire_raw(&w, packet, n);
            packet[bit / 8] ^= (uint8_t)(1U << bit % 8);
            expect_mac_error(bit / 8 < 4);
        }
        dory_wire_restore(&w, &saved);
        dory_wire_raw(&w, packet, n); /* and untouched it is good */
        CHECK_EQ(w.got, sizeof marker - 1);
        dory_wire_forget(&saved);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T2_one_bit_wrong_at_every_position)

static void T2_replay_loss_and_reordering(const struct dory_ssh_role *role)
{
    static uint8_t one[256], two[256];
    struct dory_wire_saved saved;

    for (int c = 0; c < DORY_WIRE_CIPHERS; c++) {
        size_t n1, n2;
        begin(role, c, WIRE_CHANNEL);
        n1 = sealed_marker(one, sizeof one);
        n2 = sealed_marker(two, sizeof two);
        dory_wire_save(&w, &saved);
        dory_kit_case("%s, a packet twice", w.cipher->name);
        dory_wire_raw(&w, one, n1);
        dory_wire_raw(&w, one, n1);
        expect_unreadable();
        CHECK_EQ(w.got, sizeof marker - 1);
        dory_kit_case("%s, a packet lost", w.cipher->name);
        dory_wire_restore(&w, &saved);
        dory_wire_raw(&w, two, n2);
        expect_unreadable();
        CHECK_EQ(w.got, 0);
        dory_wire_forget(&saved);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T2_replay_loss_and_reordering)

/* Bytes of one direction sent back to their sender are not taken for the other's. */
static void T2_reflection(const struct dory_ssh_role *role)
{
    for (int c = 0; c < DORY_WIRE_CIPHERS; c++) {
        static uint8_t back[512];
        size_t n, room;
        uint8_t *p;

        begin(role, c, WIRE_CHANNEL);
        dory_kit_case("%s", w.cipher->name);
        w.hold_drain = true;
        p = dory_ssh_senddata_buf(&w.ssh, w.channel, 0, &room);
        CHECK(p && room >= 50);
        memset(p, 'r', 50);
        CHECK_EQ(dory_ssh_senddata_ack(&w.ssh, 50), DORY_OK);
        p = (uint8_t *)(uintptr_t)dory_ssh_sendpkt_buf(&w.ssh, &n);
        CHECK(p && n < sizeof back);
        memcpy(back, p, n);
        w.hold_drain = false;
        dory_wire_raw(&w, back, n);
        expect_unreadable();
        CHECK_EQ(w.got, 0);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T2_reflection)

/* ---- T3: Terrapin ---- */

static void put_optional(unsigned type)
{
    b.n = 0;
    dory_put8(&b, type);
    if (type == MSG_UNIMPLEMENTED) {
        dory_put32(&b, 0);
    } else if (type == MSG_DEBUG) {
        dory_put8(&b, 0);
        dory_put_text(&b, "d");
        dory_put_text(&b, "");
    } else {
        dory_put_text(&b, "i");
    }
}

static void T3_injected_before_kexinit(const struct dory_ssh_role *role)
{
    for (unsigned type = MSG_IGNORE; type <= MSG_DEBUG; type++) {
        dory_kit_case("message %u", type);
        begin(role, 0, WIRE_KEXINIT);
        put_optional(type);
        dory_wire_send_bytes(&w, &b);
        if (dory_ssh_error(&w.ssh) == DORY_OK)
            dory_wire_send_kexinit(&w); /* only now it is known to be strict */
        dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PROTOCOL);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T3_injected_before_kexinit)

static void T3_injected_before_newkeys(const struct dory_ssh_role *role)
{
    for (enum dory_wire_phase phase = WIRE_KEX; phase <= WIRE_NEWKEYS; phase++)
        for (unsigned type = MSG_IGNORE; type <= MSG_DEBUG; type++) {
            dory_kit_case("phase %s, message %u", dory_wire_phase_name(phase), type);
            begin(role, 0, phase);
            CHECK(dory_ssh_is_strict(&w.ssh));
            put_optional(type);
            dory_wire_send_bytes(&w, &b);
            dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PROTOCOL);
            dory_wire_free(&w);
        }
}
DORY_BOTH_ROLES(T3_injected_before_newkeys)

/* What the attack wants: one packet put in before NEWKEYS, one taken away behind it, and the numbers meet again. */
static void T3_terrapin_itself(const struct dory_ssh_role *role)
{
    for (int c = 0; c < DORY_WIRE_CIPHERS; c++) {
        uint8_t lost[256];
        dory_kit_case("%s", dory_wire_all_ciphers[c]->name);
        begin(role, c, WIRE_NEWKEYS);
        dory_wire_send_newkeys(&w);
        put_optional(MSG_IGNORE);
        dory_wire_seal(&w, b.p, b.n, lost, sizeof lost); /* never arrives */
        dory_wire_send_bytes(&w, &b);
        expect_unreadable();
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T3_terrapin_itself)

static void T3_numbers_start_again_at_newkeys(const struct dory_ssh_role *role)
{
    begin(role, 0, WIRE_NEWKEYS);
    w.no_strict_reset = true;
    dory_wire_send_newkeys(&w);
    put_optional(MSG_IGNORE);
    dory_wire_send_bytes(&w, &b);
    expect_unreadable();
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T3_numbers_start_again_at_newkeys)

static void prove_rekeys(void)
{
    for (int i = 0; i < 3; i++) {
        dory_wire_prove_alive(&w);
        dory_wire_rekey(&w);
    }
    dory_wire_to(&w, WIRE_REKEY_KEXINIT);
    dory_wire_prove_alive(&w);
}

static void T3_numbers_go_on_without_the_marker(const struct dory_ssh_role *role)
{
    for (int c = 0; c < DORY_WIRE_CIPHERS; c++) {
        dory_wire_new(&w, role);
        dory_wire_use_cipher(&w, c);
        w.lists[0] = "curve25519-sha256";
        dory_wire_to(&w, WIRE_KEX);
        put_optional(MSG_IGNORE); /* legal here, and it counts */
        dory_wire_send_bytes(&w, &b);
        CHECK(!dory_ssh_is_strict(&w.ssh));
        prove_rekeys();
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T3_numbers_go_on_without_the_marker)

static void T3_marker_spellings(const struct dory_ssh_role *role)
{
    static const char *const client[] = {"curve25519-sha256,kex-strict-c-v00@openssh.com", "kex-strict-c,curve25519-sha256",
                                         "curve25519-sha256,kex-strict-c,kex-strict-c-v00@openssh.com"};
    static const char *const server[] = {"curve25519-sha256,kex-strict-s-v00@openssh.com", "kex-strict-s,curve25519-sha256",
                                         "curve25519-sha256,kex-strict-s,kex-strict-s-v00@openssh.com"};
    for (int i = 0; i < 3; i++) {
        dory_wire_new(&w, role);
        w.lists[0] = w.server ? server[i] : client[i];
        dory_kit_case("%s", w.lists[0]);
        dory_wire_to(&w, WIRE_NEWKEYS);
        CHECK(dory_ssh_is_strict(&w.ssh));
        CHECK(dory_list_has(w.their_kexinit_lists[0], w.server ? "kex-strict-c" : "kex-strict-s"));
        dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T3_marker_spellings)

static void T3_the_other_sides_marker_does_not_count(const struct dory_ssh_role *role)
{
    dory_wire_new(&w, role);
    w.lists[0] = w.server ? "curve25519-sha256,kex-strict-c-v00@openssh.com" : "curve25519-sha256,kex-strict-s-v00@openssh.com";
    dory_wire_to(&w, WIRE_NEWKEYS);
    CHECK(!dory_ssh_is_strict(&w.ssh));
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T3_the_other_sides_marker_does_not_count)

static void T3_markers_are_not_algorithms(const struct dory_ssh_role *role)
{
    dory_wire_new(&w, role);
    w.lists[0] = "kex-strict-s-v00@openssh.com,kex-strict-c-v00@openssh.com,kex-strict-s,kex-strict-c,ext-info-c,ext-info-s";
    dory_wire_to(&w, WIRE_KEXINIT);
    dory_wire_send_kexinit(&w);
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_KEY_EXCHANGE_FAILED, DORY_E_NO_COMMON);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T3_markers_are_not_algorithms)

static void T3_strictness_is_settled_by_the_first_exchange(const struct dory_ssh_role *role)
{
    const char *with, *without = "curve25519-sha256";

    begin(role, 0, WIRE_CHANNEL);
    with = w.lists[0];
    w.lists[0] = without;
    prove_rekeys();
    CHECK(dory_ssh_is_strict(&w.ssh));
    dory_wire_free(&w);

    dory_wire_new(&w, role);
    w.lists[0] = without;
    dory_wire_to(&w, WIRE_CHANNEL);
    w.lists[0] = with;
    prove_rekeys();
    CHECK(!dory_ssh_is_strict(&w.ssh));
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T3_strictness_is_settled_by_the_first_exchange)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DORY_BOTH_TESTS(T1_impossible_lengths_in_the_clear),
        DORY_BOTH_TESTS(T1_impossible_lengths_under_each_cipher),
        DORY_BOTH_TESTS(T1_impossible_padding),
        DORY_BOTH_TESTS(T1_packet_without_payload),
        DORY_BOTH_TESTS(T1_largest_packets_of_the_rfc_pass),
        DORY_BOTH_TESTS(T1_edge_of_the_receive_buffer),
        DORY_BOTH_TESTS(T2_one_bit_wrong_at_every_position),
        DORY_BOTH_TESTS(T2_replay_loss_and_reordering),
        DORY_BOTH_TESTS(T2_reflection),
        DORY_BOTH_TESTS(T3_injected_before_kexinit),
        DORY_BOTH_TESTS(T3_injected_before_newkeys),
        DORY_BOTH_TESTS(T3_terrapin_itself),
        DORY_BOTH_TESTS(T3_numbers_start_again_at_newkeys),
        DORY_BOTH_TESTS(T3_numbers_go_on_without_the_marker),
        DORY_BOTH_TESTS(T3_marker_spellings),
        DORY_BOTH_TESTS(T3_the_other_sides_marker_does_not_count),
        DORY_BOTH_TESTS(T3_markers_are_not_algorithms),
        DORY_BOTH_TESTS(T3_strictness_is_settled_by_the_first_exchange),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
