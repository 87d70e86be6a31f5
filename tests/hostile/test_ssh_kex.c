/* T5, T6, T9 and the host key's part of A7: negotiation, public values, signatures. */
#include "ssh_peer.h"

static struct dory_wire w;
static struct dory_bytes b;

/* ---- T5: KEXINIT ---- */

static void expect_no_common(const char *theirs)
{
    size_t n;
    const uint8_t *detail;

    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_KEY_EXCHANGE_FAILED, DORY_E_NO_COMMON);
    CHECK(strstr(dory_ssh_error_text(&w.ssh), "no common"));
    detail = dory_ssh_error_detail(&w.ssh, &n);
    CHECK_EQ(n, strlen(theirs));
    CHECK((detail == NULL) == (n == 0));
    CHECK(n == 0 || memcmp(detail, theirs, n) == 0);
    for (unsigned kind = 0; kind < 8; kind++) {
        detail = dory_ssh_peer_offer(&w.ssh, kind, &n);
        CHECK(detail && dory_view_is(dory_view(detail, n), w.lists[kind]));
    }
    CHECK(dory_ssh_peer_offer(&w.ssh, 8, &n) == NULL && n == 0);
}

static void T5_nothing_in_common(const struct dory_ssh_role *role)
{
    static const char *const useless[] = {"",
                                          "unknown@example.com,diffie-hellman-group1-sha1",
                                          "curve25519-sha25,ssh-ed2551,chacha20-poly1305@openssh.co,non",
                                          "curve25519-sha2567,ssh-ed255190,chacha20-poly1305@openssh.comm,none2",
                                          "CURVE25519-SHA256,SSH-ED25519,NONE",
                                          " curve25519-sha256, ssh-ed25519, none"};

    for (int list = 0; list < 8; list++)
        for (size_t i = 0; i < sizeof useless / sizeof *useless; i++) {
            if (list == 4 || list == 5)
                continue; /* the MAC, which this cipher needs none of */
            dory_kit_case("list %d: \"%s\"", list, useless[i]);
            dory_wire_new(&w, role);
            w.lists[list] = useless[i];
            dory_wire_to(&w, WIRE_KEXINIT);
            dory_wire_send_kexinit(&w);
            expect_no_common(useless[i]);
            CHECK_EQ(w.events[DORY_EV_SIGN] + w.events[DORY_EV_HOSTKEY], 0);
            dory_wire_free(&w);
        }
}
DORY_BOTH_ROLES(T5_nothing_in_common)

static void T5_mac_lists_matter_only_where_a_mac_is_used(const struct dory_ssh_role *role)
{
    for (int list = 4; list < 6; list++)
        for (int with_tag = 0; with_tag < 2; with_tag++) {
            dory_kit_case("list %d empty, cipher with a tag: %d", list, with_tag);
            dory_wire_new(&w, role);
            dory_wire_use_cipher(&w, with_tag ? 0 : 2);
            w.lists[list] = "";
            dory_wire_to(&w, WIRE_KEXINIT);
            if (with_tag) {
                dory_wire_prove_alive(&w);
            } else {
                dory_wire_send_kexinit(&w);
                expect_no_common("");
            }
            dory_wire_free(&w);
        }
}
DORY_BOTH_ROLES(T5_mac_lists_matter_only_where_a_mac_is_used)

/* "a,a,a,...,name" of n bytes */
static const char *long_list(size_t n, const char *name)
{
    static char text[40000];

    CHECK(n < sizeof text);
    memset(text, 'a', n);
    for (size_t i = 1; i < n; i += 2) text[i] = ',';
    snprintf(text + n - strlen(name) - 1, strlen(name) + 2, ",%s", name);
    return text;
}

static void T5_lists_of_30_kib(const struct dory_ssh_role *role)
{
    const char *marker = role == &dory_ssh_client ? "curve25519-sha256,kex-strict-s-v00@openssh.com" : "curve25519-sha256";

    dory_wire_new(&w, role);
    w.lists[0] = long_list(30720, marker);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);

    dory_kit_case("names only that nobody has");
    dory_wire_new(&w, role);
    w.lists[0] = long_list(30720, "nothing");
    dory_wire_to(&w, WIRE_KEXINIT);
    dory_wire_send_kexinit(&w);
    expect_no_common(w.lists[0]);
    dory_wire_free(&w);

    dory_kit_case("into a buffer of 4 KiB");
    dory_wire_new(&w, role);
    w.config.rx_size = 4096;
    w.lists[0] = long_list(30720, marker);
    dory_wire_to(&w, WIRE_KEXINIT);
    dory_wire_send_kexinit(&w);
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PACKET);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T5_lists_of_30_kib)

static const struct dory_kex *const without_mlkem[] = {&dory_kex_curve25519_sha256, NULL};

/* DORY_MIN_BUFFER is what it is because of this one. */
static void openssh_kexinit_fits_the_smallest_buffer(const struct dory_ssh_role *role)
{
    static char kex[600];

    dory_wire_new(&w, role);
    w.config.rx_size = w.config.tx_size = DORY_MIN_BUFFER;
    snprintf(kex, sizeof kex, "%s,%s",
             "mlkem768x25519-sha256,sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,diffie-hellman-group16-sha512,"
             "diffie-hellman-group18-sha512,diffie-hellman-group14-sha256",
             w.server ? "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
                        "ext-info-s,kex-strict-s-v00@openssh.com"
                      : "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
                        "ext-info-c,kex-strict-c-v00@openssh.com");
    w.config.kex = without_mlkem;
    w.lists[0] = kex;
    w.lists[1] = "ssh-ed25519-cert-v01@openssh.com,ecdsa-sha2-nistp256-cert-v01@openssh.com,ecdsa-sha2-nistp384-cert-v01@openssh.com,"
                 "ecdsa-sha2-nistp521-cert-v01@openssh.com,sk-ssh-ed25519-cert-v01@openssh.com,"
                 "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com,rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com,"
                 "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,sk-ssh-ed25519@openssh.com,"
                 "sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256";
    w.lists[2] = w.lists[3] =
        "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr";
    w.lists[4] = w.lists[5] =
        "umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
        "hmac-sha1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1";
    w.lists[6] = w.lists[7] = "none,zlib@openssh.com,zlib";
    dory_wire_prove_alive(&w);
    CHECK(w.my_kexinit.n > 1500);
    dory_wire_rekey(&w);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(openssh_kexinit_fits_the_smallest_buffer)

static void T5_list_lengths_that_lie(const struct dory_ssh_role *role)
{
    static const uint32_t lengths[] = {0xffffffff, 0x80000000, 0x7fffffff, 65536, 1000};

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (int list = 0; list < 10; list++) {
            dory_kit_case("list %d of %u bytes", list, lengths[i]);
            dory_wire_new(&w, role);
            dory_wire_to(&w, WIRE_KEXINIT);
            b.n = 0;
            dory_put8(&b, MSG_KEXINIT);
            dory_put_fill(&b, 'c', 16);
            for (int k = 0; k < list; k++) dory_put_text(&b, w.lists[k]);
            dory_put32(&b, lengths[i]);
            dory_put_fill(&b, 'x', 40);
            dory_wire_send_bytes(&w, &b);
            dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PROTOCOL);
            dory_wire_free(&w);
        }
}
DORY_BOTH_ROLES(T5_list_lengths_that_lie)

/* RFC 4251 5 forbids empty names. Refused or stepped over, but never more than that. */
static void T5_odd_commas(const struct dory_ssh_role *role)
{
    static const char *const odd[] = {",ssh-ed25519", "ssh-ed25519,", ",,,,ssh-ed25519,,", ",", ",,,,"};

    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        int error;
        dory_kit_case("\"%s\"", odd[i]);
        dory_wire_new(&w, role);
        w.lists[1] = odd[i];
        dory_wire_to(&w, WIRE_KEXINIT);
        dory_wire_send_kexinit(&w);
        error = dory_ssh_error(&w.ssh);
        CHECK(error == DORY_OK || error == DORY_E_PROTOCOL || error == DORY_E_NO_COMMON);
        CHECK((error == DORY_OK) <= (strlen(odd[i]) > 5));
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T5_odd_commas)

/* RFC 4253 7.1: the first name of the client's list that the server has too. */
static void T5_the_clients_order_decides(const struct dory_ssh_role *role)
{
    struct dory_ssh_names names;

    dory_wire_new(&w, role);
    w.lists[0] = w.server ? "curve25519-sha256@libssh.org,curve25519-sha256" : "nothing,curve25519-sha256@libssh.org,curve25519-sha256";
    w.lists[2] = w.lists[3] = "nothing,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com";
    w.cipher = w.server ? &dory_cipher_chacha20_poly1305 : &dory_cipher_aes256_gcm;
    dory_wire_prove_alive(&w);
    dory_ssh_names(&w.ssh, &names);
    assert_string_equal(names.kex, w.server ? "curve25519-sha256" : "curve25519-sha256@libssh.org");
    assert_string_equal(names.cipher_in, w.server ? "chacha20-poly1305@openssh.com" : "aes256-gcm@openssh.com");
    assert_string_equal(names.cipher_out, names.cipher_in);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T5_the_clients_order_decides)

static void T5_each_direction_has_its_own_cipher(const struct dory_ssh_role *role)
{
    struct dory_ssh_names names;

    for (int c = 0; c < DORY_WIRE_CIPHERS; c++) {
        dory_wire_new(&w, role);
        dory_wire_use_cipher(&w, c);
        w.cipher_sc = c == 1 ? &dory_cipher_chacha20_poly1305 : &dory_cipher_aes256_gcm;
        w.lists[3] = w.cipher_sc->name;
        dory_kit_case("%s, back %s", w.cipher->name, w.cipher_sc->name);
        dory_wire_prove_alive(&w);
        dory_wire_rekey(&w);
        dory_wire_prove_alive(&w);
        dory_ssh_names(&w.ssh, &names);
        assert_string_equal(w.server ? names.cipher_out : names.cipher_in, w.cipher->name);
        assert_string_equal(w.server ? names.cipher_in : names.cipher_out, w.cipher_sc->name);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T5_each_direction_has_its_own_cipher)

static void T5_reserved_field_is_ignored(const struct dory_ssh_role *role)
{
    dory_wire_new(&w, role);
    dory_wire_to(&w, WIRE_KEXINIT);
    dory_wire_build_kexinit(&w, &w.my_kexinit);
    memset(w.my_kexinit.p + w.my_kexinit.n - 4, 0xff, 4);
    dory_wire_send_bytes(&w, &w.my_kexinit);
    if (w.server)
        dory_wire_recv_kex(&w);
    w.phase = WIRE_KEX;
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T5_reserved_field_is_ignored)

/* ---- T5: guesses ---- */

static const char *const wrong_kex[] = {"sntrup761x25519-sha512,curve25519-sha256,kex-strict-c-v00@openssh.com",
                                        "sntrup761x25519-sha512,curve25519-sha256,kex-strict-s-v00@openssh.com"};

/* A guess is wrong if the first method or the first host key algorithm differs. */
static void guess(const struct dory_ssh_role *role, bool kex_wrong, bool key_wrong, unsigned guess_type)
{
    dory_kit_case("guess: method %s, host key %s, packet %u", kex_wrong ? "wrong" : "right", key_wrong ? "wrong" : "right", guess_type);
    dory_wire_new(&w, role);
    w.follows = true;
    if (kex_wrong)
        w.lists[0] = wrong_kex[w.server];
    if (key_wrong)
        w.lists[1] = "rsa-sha2-512,ssh-ed25519";
    dory_wire_to(&w, WIRE_KEXINIT);
    if (kex_wrong || key_wrong) {
        dory_wire_send_kexinit(&w);
        b.n = 0;
        dory_put8(&b, guess_type);
        dory_put_fill(&b, 0xee, 500);
        dory_wire_send_bytes(&w, &b);
        if (w.server)
            dory_wire_recv_kex(&w);
        w.phase = WIRE_KEX;
    }
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

static void T5_guesses_right_and_wrong(const struct dory_ssh_role *role)
{
    unsigned type = role == &dory_ssh_client ? MSG_KEX_REPLY : MSG_KEX_INIT;

    guess(role, false, false, type);
    guess(role, true, false, type);
    guess(role, false, true, type);
    guess(role, true, true, type);
}
DORY_BOTH_ROLES(T5_guesses_right_and_wrong)

/* Only one packet is skipped, only a key exchange packet, and only where a guess was announced. */
static void T5_what_a_guess_does_not_excuse(const struct dory_ssh_role *role)
{
    unsigned type = role == &dory_ssh_client ? MSG_KEX_REPLY : MSG_KEX_INIT;

    for (int i = 0; i < 4; i++) {
        int error;
        dory_kit_case("case %d", i);
        dory_wire_new(&w, role);
        w.follows = i != 0;
        w.lists[0] = wrong_kex[w.server];
        dory_wire_to(&w, WIRE_KEXINIT);
        dory_wire_send_kexinit(&w);
        b.n = 0;
        dory_put8(&b, i == 2 ? MSG_NEWKEYS : i == 3 ? MSG_IGNORE : type);
        dory_put_fill(&b, 0xee, 500);
        dory_wire_send_bytes(&w, &b);
        if (i == 1) {
            CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
            dory_wire_send_bytes(&w, &b);
        }
        error = dory_ssh_error(&w.ssh);
        CHECK(error == DORY_E_PROTOCOL || error == DORY_E_KEX);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T5_what_a_guess_does_not_excuse)

/* ---- T6: public values ---- */

static const uint8_t low_order[7][32] = {
    {0},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
     0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
     0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

/* The script goes on as if the secret were good (all zero), so that an engine without the check would be content. */
static void send_public_value(const uint8_t *value, size_t n)
{
    static const uint8_t zero[32];

    if (w.server) {
        dory_wire_send_reply(&w, value, n, zero, NULL, 0);
        return;
    }
    b.n = 0;
    dory_put8(&b, MSG_KEX_INIT);
    dory_put_string(&b, value, n);
    dory_wire_send_bytes(&w, &b);
}

static void expect_kex_failed(void)
{
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_KEY_EXCHANGE_FAILED, DORY_E_KEX);
    CHECK_EQ(w.events[DORY_EV_SIGN] + w.events[DORY_EV_HOSTKEY], 0);
}

static void T6_low_order_points(const struct dory_ssh_role *role)
{
    struct dory_wire_saved saved;

    dory_wire_new(&w, role);
    dory_wire_to(&w, WIRE_KEX);
    dory_wire_save(&w, &saved);
    for (int i = 0; i < 14; i++) {
        uint8_t point[32];
        dory_kit_case("low-order point %d, top bit %d", i % 7, i / 7);
        memcpy(point, low_order[i % 7], 32);
        point[31] |= i < 7 ? 0 : 0x80;
        dory_wire_restore(&w, &saved);
        send_public_value(point, 32);
        expect_kex_failed();
    }
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T6_low_order_points)

static void T6_public_values_of_the_wrong_size(const struct dory_ssh_role *role)
{
    static const size_t sizes[] = {0, 1, 31, 33, 64, 65, 1216, 30000};
    static uint8_t value[30000];
    struct dory_wire_saved saved;

    memset(value, 9, sizeof value);
    dory_wire_new(&w, role);
    dory_wire_to(&w, WIRE_KEX);
    dory_wire_save(&w, &saved);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        dory_kit_case("public value of %zu bytes", sizes[i]);
        dory_wire_restore(&w, &saved);
        send_public_value(value, sizes[i]);
        expect_kex_failed();
    }
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T6_public_values_of_the_wrong_size)

/* RFC 4251 5: leading zero bytes of the shared secret are not hashed. One key exchange in 512 has one that shows. */
static void shared_secret_with_a_leading_zero(const struct dory_ssh_role *role)
{
    struct dory_wire_saved saved;
    uint32_t seed;

    dory_wire_new(&w, role);
    dory_wire_to(&w, WIRE_KEX);
    dory_wire_save(&w, &saved);
    for (seed = 1; seed < 6000; seed++) {
        dory_kit_case("seed %u", seed);
        dory_wire_restore(&w, &saved);
        dory_kit_rng_init(w.server ? &w.rng : &w.engine_rng, seed);
        dory_wire_send_kex(&w);
        if (!w.server)
            dory_wire_recv_kex(&w); /* checks the signature over the exchange hash */
        if (w.secret[0] == 0 && w.secret[1] > 0 && w.secret[1] < 0x80)
            break;
    }
    CHECK(w.secret[0] == 0 && w.secret[1] < 0x80);
    dory_wire_expect(&w, MSG_NEWKEYS, NULL);
    w.phase = WIRE_NEWKEYS;
    dory_wire_prove_alive(&w);
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(shared_secret_with_a_leading_zero)

/* Hybrid methods hash their secret as a string, not as an mpint: tried with a method that differs in nothing else. */
static void shared_secret_as_a_string(const struct dory_ssh_role *role)
{
    static struct dory_kex hybrid;
    static const struct dory_kex *const methods[] = {&hybrid, NULL};

    hybrid = dory_kex_curve25519_sha256;
    hybrid.name = "string@example.com";
    hybrid.secret_is_string = true;
    dory_wire_new(&w, role);
    w.config.kex = methods;
    w.kex = &hybrid;
    w.lists[0] = w.server ? "string@example.com,kex-strict-s-v00@openssh.com" : "string@example.com,kex-strict-c-v00@openssh.com";
    dory_wire_prove_alive(&w);
    dory_wire_rekey(&w);
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(shared_secret_as_a_string)

/* ---- A7, T9: the host key and its signature ---- */

static uint8_t honest_reply[32], honest_secret[32];

static void client_awaits_reply(struct dory_wire_saved *saved)
{
    struct dory_rng rng;

    dory_wire_new(&w, &dory_ssh_client);
    dory_wire_to(&w, WIRE_KEX);
    rng = dory_kit_rng(&w.rng);
    CHECK_EQ(w.kex->enc(w.kex_theirs, honest_reply, honest_secret, &rng), DORY_OK);
    dory_wire_save(&w, saved);
}

static void T6_host_key_signature_wrong_at_every_byte(void **state)
{
    struct dory_wire_saved saved;
    uint8_t signature[DORY_KEY_BLOB_MAX];
    size_t n;
    (void)state;

    client_awaits_reply(&saved);
    dory_wire_send_reply(&w, honest_reply, 32, honest_secret, NULL, 0);
    CHECK_EQ(w.events[DORY_EV_HOSTKEY], 1);
    n = dory_kit_sign(&w.hostkey, w.h, 32, signature, sizeof signature);
    CHECK_EQ(n, 83);
    for (size_t i = 0; i < n; i++) {
        dory_kit_case("signature byte %zu", i);
        dory_wire_restore(&w, &saved);
        signature[i] ^= (uint8_t)(1U << i % 8);
        dory_wire_send_reply(&w, honest_reply, 32, honest_secret, signature, n);
        signature[i] ^= (uint8_t)(1U << i % 8);
        expect_kex_failed();
    }
    for (size_t cut = 0; cut < n; cut++) {
        dory_kit_case("signature of %zu bytes", cut);
        dory_wire_restore(&w, &saved);
        dory_wire_send_reply(&w, honest_reply, 32, honest_secret, signature, cut);
        expect_kex_failed();
    }
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}

/* RFC 8032 5.1.7: S must be below the group order; S + L verifies where that is not looked at. */
static void A5_host_key_signature_with_S_beyond_the_order(void **state)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    struct dory_wire_saved saved;
    uint8_t signature[DORY_KEY_BLOB_MAX];
    unsigned carry = 0;
    size_t n;
    (void)state;

    client_awaits_reply(&saved);
    dory_wire_send_reply(&w, honest_reply, 32, honest_secret, NULL, 0);
    n = dory_kit_sign(&w.hostkey, w.h, 32, signature, sizeof signature);
    for (int i = 0; i < 32; i++) {
        carry += (unsigned)signature[n - 32 + (size_t)i] + order[i];
        signature[n - 32 + (size_t)i] = (uint8_t)carry;
        carry >>= 8;
    }
    CHECK_EQ(carry, 0);
    dory_wire_restore(&w, &saved);
    dory_wire_send_reply(&w, honest_reply, 32, honest_secret, signature, n);
    expect_kex_failed();
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}

/* All is signed well, but the public value has a byte behind it that the hash does not know. */
static void T6_public_value_with_a_byte_behind(void **state)
{
    struct dory_wire_saved saved;
    uint8_t signature[DORY_KEY_BLOB_MAX];
    size_t n;
    (void)state;

    client_awaits_reply(&saved);
    dory_wire_send_reply(&w, honest_reply, 32, honest_secret, NULL, 0);
    n = dory_kit_sign(&w.hostkey, w.h, 32, signature, sizeof signature);
    dory_wire_restore(&w, &saved);
    b.n = 0;
    dory_put8(&b, MSG_KEX_REPLY);
    dory_put_string(&b, w.hostkey.blob, w.hostkey.n);
    dory_put32(&b, 33);
    dory_put_raw(&b, honest_reply, 32);
    dory_put8(&b, 0);
    dory_put_string(&b, signature, n);
    dory_wire_send_bytes(&w, &b);
    expect_kex_failed();
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}

/* With the neutral element as key and R, and S = 0, the equation holds for every message. */
static void A5_host_key_of_small_order(void **state)
{
    struct dory_wire_saved saved;
    uint8_t signature[83];
    (void)state;

    client_awaits_reply(&saved);
    dory_kit_sign(&w.hostkey, w.h, 32, signature, sizeof signature);
    memset(signature + 19, 0, 64);
    signature[19] = 1;
    dory_wire_restore(&w, &saved);
    memset(w.hostkey.blob + w.hostkey.n - 32, 0, 32);
    w.hostkey.blob[w.hostkey.n - 32] = 1;
    dory_wire_send_reply(&w, honest_reply, 32, honest_secret, signature, 83);
    expect_kex_failed();
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}

static void A7_host_key_blob_of_another_type(void **state)
{
    struct dory_wire_saved saved;
    (void)state;

    client_awaits_reply(&saved);
    for (size_t i = 0; i < 51 + 52; i++) {
        dory_kit_case(i < 51 ? "host key blob changed at byte %zu" : "host key blob of %zu bytes", i < 51 ? i : i - 51);
        dory_wire_restore(&w, &saved);
        if (i < 51)
            w.hostkey.blob[i] ^= 0x10;
        else
            w.hostkey.n = i == 51 + 51 ? 52 : i - 51;
        dory_wire_send_reply(&w, honest_reply, 32, honest_secret, NULL, 0);
        expect_kex_failed();
    }
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}

/* Signed well, but by a key that is not the one shown. */
static void A7_signature_by_another_key(void **state)
{
    struct dory_wire_saved saved;
    struct dory_kit_key other;
    uint8_t signature[DORY_KEY_BLOB_MAX];
    size_t n;
    (void)state;

    client_awaits_reply(&saved);
    dory_kit_key(&other, 99);
    dory_wire_send_reply(&w, honest_reply, 32, honest_secret, NULL, 0);
    n = dory_kit_sign(&other, w.h, 32, signature, sizeof signature);
    dory_wire_restore(&w, &saved);
    dory_wire_send_reply(&w, honest_reply, 32, honest_secret, signature, n);
    expect_kex_failed();
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}

static void A7_refused_host_key_ends_the_connection(void **state)
{
    (void)state;
    dory_wire_new(&w, &dory_ssh_client);
    w.refuse = 1U << DORY_EV_HOSTKEY;
    dory_wire_to(&w, WIRE_KEX);
    dory_wire_send_kex(&w);
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_HOST_KEY_NOT_VERIFIABLE, DORY_E_HOSTKEY);
    CHECK_EQ(w.seen[MSG_NEWKEYS], 0);
    dory_wire_free(&w);
}

static void T9_host_key_changes_at_a_rekey(void **state)
{
    (void)state;
    for (int by_engine = 0; by_engine < 2; by_engine++) {
        dory_kit_case("rekey begun by the %s", by_engine ? "client" : "server");
        dory_wire_new(&w, &dory_ssh_client);
        dory_wire_to(&w, by_engine ? WIRE_REKEY_KEXINIT : WIRE_CHANNEL);
        dory_wire_send_kexinit(&w);
        if (!by_engine)
            dory_wire_recv_kexinit(&w);
        dory_wire_recv_kex(&w);
        dory_kit_key(&w.hostkey, 42);
        dory_wire_send_kex(&w);
        dory_wire_expect_disconnect(&w, SSH_DISCONNECT_HOST_KEY_NOT_VERIFIABLE, DORY_E_HOSTKEY);
        CHECK_EQ(w.events[DORY_EV_HOSTKEY], 1); /* the first one; nobody is asked about the second */
        dory_wire_free(&w);
    }
}

static void T9_bad_signature_at_a_rekey(void **state)
{
    struct dory_wire_saved saved;
    uint8_t signature[83];
    (void)state;

    dory_wire_new(&w, &dory_ssh_client);
    dory_wire_to(&w, WIRE_REKEY_KEX);
    dory_wire_save(&w, &saved);
    dory_kit_sign(&w.hostkey, w.session_id, 32, signature, sizeof signature); /* the first exchange's hash again */
    send_public_value(low_order[0], 32);
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_E_KEX);
    dory_wire_restore(&w, &saved);
    w.config.rng.fill(&w.rng, honest_reply, 32);
    dory_wire_send_reply(&w, honest_reply, 32, honest_secret, signature, sizeof signature);
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_KEY_EXCHANGE_FAILED, DORY_E_KEX);
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}

static void newkeys_with_something_behind(const struct dory_ssh_role *role)
{
    for (int rekey = 0; rekey < 2; rekey++) {
        dory_wire_new(&w, role);
        dory_wire_to(&w, rekey ? WIRE_REKEY_NEWKEYS : WIRE_NEWKEYS);
        dory_wire_send(&w, "\x15\x00", 2);
        dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PROTOCOL);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(newkeys_with_something_behind)

/* A rekey may not bring worse algorithms that nobody has, nor end half way. */
static void T5_nothing_in_common_at_a_rekey(const struct dory_ssh_role *role)
{
    dory_wire_new(&w, role);
    dory_wire_to(&w, WIRE_CHANNEL);
    w.lists[2] = w.lists[3] = "aes128-cbc";
    dory_wire_send_kexinit(&w);
    expect_no_common("aes128-cbc");
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T5_nothing_in_common_at_a_rekey)

/* New algorithms may be chosen at a rekey. */
static void cipher_changes_at_a_rekey(const struct dory_ssh_role *role)
{
    dory_wire_new(&w, role);
    dory_wire_prove_alive(&w);
    for (int i = 0; i < 9; i++) {
        dory_wire_use_cipher(&w, (i * 2 + 1) % DORY_WIRE_CIPHERS);
        dory_kit_case("rekey %d to %s", i, w.cipher->name);
        dory_wire_rekey(&w);
        dory_wire_prove_alive(&w);
    }
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(cipher_changes_at_a_rekey)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DORY_BOTH_TESTS(T5_nothing_in_common),
        DORY_BOTH_TESTS(T5_mac_lists_matter_only_where_a_mac_is_used),
        DORY_BOTH_TESTS(T5_lists_of_30_kib),
        DORY_BOTH_TESTS(openssh_kexinit_fits_the_smallest_buffer),
        DORY_BOTH_TESTS(T5_list_lengths_that_lie),
        DORY_BOTH_TESTS(T5_odd_commas),
        DORY_BOTH_TESTS(T5_the_clients_order_decides),
        DORY_BOTH_TESTS(T5_each_direction_has_its_own_cipher),
        DORY_BOTH_TESTS(T5_reserved_field_is_ignored),
        DORY_BOTH_TESTS(T5_guesses_right_and_wrong),
        DORY_BOTH_TESTS(T5_what_a_guess_does_not_excuse),
        DORY_BOTH_TESTS(T5_nothing_in_common_at_a_rekey),
        DORY_BOTH_TESTS(newkeys_with_something_behind),
        DORY_BOTH_TESTS(cipher_changes_at_a_rekey),
        DORY_BOTH_TESTS(shared_secret_with_a_leading_zero),
        DORY_BOTH_TESTS(shared_secret_as_a_string),
        DORY_BOTH_TESTS(T6_low_order_points),
        DORY_BOTH_TESTS(T6_public_values_of_the_wrong_size),
        cmocka_unit_test(T6_host_key_signature_wrong_at_every_byte),
        cmocka_unit_test(A5_host_key_signature_with_S_beyond_the_order),
        cmocka_unit_test(T6_public_value_with_a_byte_behind),
        cmocka_unit_test(A5_host_key_of_small_order),
        cmocka_unit_test(A7_host_key_blob_of_another_type),
        cmocka_unit_test(A7_signature_by_another_key),
        cmocka_unit_test(A7_refused_host_key_ends_the_connection),
        cmocka_unit_test(T9_host_key_changes_at_a_rekey),
        cmocka_unit_test(T9_bad_signature_at_a_rekey),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
