/* A5, A8, K3: signatures over something else, odd user names, passwords and prompts. */
#include "ssh_peer.h"

static struct dory_wire w;
static struct dory_bytes b;

static void begin(const struct dory_ssh_role *role, enum dory_wire_phase phase)
{
    dory_wire_new(&w, role);
    dory_wire_to(&w, phase);
}

static void expect_protocol_error(void)
{
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PROTOCOL);
    CHECK(!(dory_ssh_state(&w.ssh) & DORY_READY));
}

static void put_text_message(unsigned type, const char *one, const char *two)
{
    b.n = 0;
    dory_put8(&b, type);
    dory_put_text(&b, one);
    if (two)
        dory_put_text(&b, two);
}

/* ---- A5: signatures over something else ---- */

enum { GOOD, SESSION, SESSION_WITHOUT_LENGTH, USER, SERVICE, METHOD, FLAG, ALGORITHM, KEY, EMPTY, LIES };

static void sign_over(struct dory_bytes *data, int lie, const struct dory_kit_key *key)
{
    uint8_t session[32];

    memcpy(session, w.session_id, 32);
    session[31] ^= lie == SESSION;
    data->n = 0;
    if (lie == SESSION_WITHOUT_LENGTH)
        dory_put_raw(data, session, 32);
    else
        dory_put_string(data, session, 32);
    dory_put8(data, MSG_USERAUTH_REQUEST);
    dory_put_text(data, lie == USER ? "alicf" : "alice");
    dory_put_text(data, lie == SERVICE ? "ssh-connectiom" : "ssh-connection");
    dory_put_text(data, lie == METHOD ? "hostbased" : "publickey");
    dory_put8(data, lie != FLAG);
    dory_put_text(data, lie == ALGORITHM ? "ssh-ed25518" : "ssh-ed25519");
    dory_put_string(data, lie == KEY ? w.hostkey.blob : key->blob, key->n);
    if (lie == EMPTY)
        data->n = 0;
}

static void put_signed_request(const char *algorithm, const uint8_t *key, size_t key_n, const uint8_t *signature, size_t n)
{
    dory_wire_put_request(&b, "alice", "publickey");
    dory_put8(&b, 1);
    dory_put_text(&b, algorithm);
    dory_put_string(&b, key, key_n);
    dory_put_string(&b, signature, n);
}

/* A refused signature: FAILURE, and the caller is never told of it. */
static void expect_failure(void)
{
    struct dory_wire_msg m;

    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
    CHECK(dory_wire_recv(&w, &m));
    CHECK_EQ(m.type, MSG_USERAUTH_FAILURE);
    CHECK_EQ(w.events[DORY_EV_AUTH_REQUEST], 0);
    CHECK(!(dory_ssh_state(&w.ssh) & DORY_READY));
    dory_wire_expect_silence(&w);
}

static void A5_signature_over_something_else(void **state)
{
    static struct dory_bytes data;
    struct dory_wire_saved saved;
    uint8_t signature[DORY_KEY_BLOB_MAX];
    size_t n;
    (void)state;

    begin(&dory_ssh_server, WIRE_AUTH);
    dory_wire_save(&w, &saved);
    for (int lie = GOOD; lie < LIES; lie++) {
        dory_kit_case("lie %d", lie);
        dory_wire_restore(&w, &saved);
        sign_over(&data, lie, &w.userkey);
        n = dory_kit_sign(&w.userkey, data.p, data.n, signature, sizeof signature);
        put_signed_request("ssh-ed25519", w.userkey.blob, w.userkey.n, signature, n);
        dory_wire_send_bytes(&w, &b);
        if (lie != GOOD) {
            expect_failure();
            continue;
        }
        CHECK_EQ(w.events[DORY_EV_AUTH_REQUEST], 1);
        CHECK(w.last.e.signed_ok);
        CHECK_EQ(w.last.e.method, DORY_AUTH_PUBLICKEY);
        assert_string_equal(w.last.e.algorithm, "ssh-ed25519");
        dory_wire_expect(&w, MSG_USERAUTH_SUCCESS, NULL);
    }
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}

static void A5_signature_wrong_at_every_byte_and_length(void **state)
{
    static struct dory_bytes data;
    struct dory_wire_saved saved;
    uint8_t signature[128];
    size_t n;
    (void)state;

    begin(&dory_ssh_server, WIRE_AUTH);
    sign_over(&data, GOOD, &w.userkey);
    n = dory_kit_sign(&w.userkey, data.p, data.n, signature, sizeof signature);
    memset(signature + n, 0, sizeof signature - n);
    dory_wire_save(&w, &saved);
    for (size_t i = 0; i < n; i++) {
        dory_kit_case("signature byte %zu", i);
        dory_wire_restore(&w, &saved);
        signature[i] ^= (uint8_t)(1U << i % 8);
        put_signed_request("ssh-ed25519", w.userkey.blob, w.userkey.n, signature, n);
        signature[i] ^= (uint8_t)(1U << i % 8);
        dory_wire_send_bytes(&w, &b);
        expect_failure();
    }
    for (size_t size = 0; size < sizeof signature; size++) {
        if (size == n)
            continue;
        dory_kit_case("signature of %zu bytes", size);
        dory_wire_restore(&w, &saved);
        put_signed_request("ssh-ed25519", w.userkey.blob, w.userkey.n, signature, size);
        dory_wire_send_bytes(&w, &b);
        expect_failure();
    }
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}

/* CVE-2026-16516 and its like: algorithm name, key blob and signature blob must name the same thing. */
static void A5_algorithm_and_key_disagree(void **state)
{
    static const char *const algorithms[] = {
        "ssh-rsa",    "rsa-sha2-256", "ecdsa-sha2-nistp256", "ssh-ed25519-cert-v01@openssh.com", "", "ssh-dss", "none",
        "ssh-ed2551", "ssh-ed25519 ", "ssh-ed25519,ssh-rsa"};
    static struct dory_bytes data;
    struct dory_wire_saved saved;
    uint8_t signature[DORY_KEY_BLOB_MAX], key[64];
    size_t n;
    (void)state;

    begin(&dory_ssh_server, WIRE_AUTH);
    dory_wire_save(&w, &saved);
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        dory_kit_case("algorithm \"%s\" with an ed25519 key", algorithms[i]);
        dory_wire_restore(&w, &saved);
        data.n = 0;
        dory_put_string(&data, w.session_id, 32);
        dory_wire_put_request(&b, "alice", "publickey");
        dory_put8(&b, 1);
        dory_put_text(&b, algorithms[i]);
        dory_put_string(&b, w.userkey.blob, w.userkey.n);
        dory_put_raw(&data, b.p, b.n);
        n = dory_kit_sign(&w.userkey, data.p, data.n, signature, sizeof signature);
        dory_put_string(&b, signature, n);
        dory_wire_send_bytes(&w, &b);
        expect_failure();
    }
    for (size_t i = 0; i < 15; i++) {
        dory_kit_case("key blob's type changed at byte %zu", i);
        dory_wire_restore(&w, &saved);
        memcpy(key, w.userkey.blob, w.userkey.n);
        key[i] ^= 1;
        sign_over(&data, GOOD, &w.userkey);
        memcpy(data.p + data.n - w.userkey.n, key, w.userkey.n);
        n = dory_kit_sign(&w.userkey, data.p, data.n, signature, sizeof signature);
        put_signed_request("ssh-ed25519", key, w.userkey.n, signature, n);
        dory_wire_send_bytes(&w, &b);
        expect_failure();
    }
    for (size_t size = 0; size < w.userkey.n; size++) { /* only asked: a stump of a key is not shown to anyone either */
        dory_kit_case("key blob of %zu bytes", size);
        dory_wire_restore(&w, &saved);
        dory_wire_put_request(&b, "alice", "publickey");
        dory_put8(&b, 0);
        dory_put_text(&b, "ssh-ed25519");
        dory_put_string(&b, w.userkey.blob, size);
        dory_wire_send_bytes(&w, &b);
        if (size < 15)
            expect_failure();
        else
            CHECK(!(dory_ssh_state(&w.ssh) & DORY_READY));
    }
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}

static void A5_user_key_of_small_order(void **state)
{
    struct dory_kit_key key;
    uint8_t signature[83];
    (void)state;

    begin(&dory_ssh_server, WIRE_AUTH);
    key = w.userkey;
    memset(key.blob + key.n - 32, 0, 32);
    key.blob[key.n - 32] = 1;
    dory_kit_sign(&w.userkey, key.blob, key.n, signature, sizeof signature);
    memset(signature + 19, 0, 64);
    signature[19] = 1;
    put_signed_request("ssh-ed25519", key.blob, key.n, signature, 83);
    dory_wire_send_bytes(&w, &b);
    expect_failure();
    dory_wire_free(&w);
}

/* A signature that was good once opens no second session. */
static void A5_replay_in_another_session(void **state)
{
    static struct dory_bytes kept;
    (void)state;

    begin(&dory_ssh_server, WIRE_AUTH);
    dory_wire_put_publickey(&w, &kept, "alice", "ssh-ed25519", &w.userkey, true);
    dory_wire_send_bytes(&w, &kept);
    dory_wire_expect(&w, MSG_USERAUTH_SUCCESS, NULL);
    dory_wire_free(&w);

    dory_wire_new(&w, &dory_ssh_server);
    dory_kit_rng_init(&w.rng, 12345);
    dory_wire_to(&w, WIRE_AUTH);
    dory_wire_send_bytes(&w, &kept);
    expect_failure();
    dory_wire_free(&w);
}

/* The session identifier stays the first exchange's hash; after a rekey the new hash signs nothing. */
static void A5_session_identifier_survives_a_rekey(void **state)
{
    uint8_t first[32];
    (void)state;

    begin(&dory_ssh_server, WIRE_AUTH);
    memcpy(first, w.session_id, 32);
    dory_wire_rekey(&w);
    CHECK(memcmp(w.h, first, 32) != 0);
    memcpy(w.session_id, w.h, 32);
    dory_wire_put_publickey(&w, &b, "alice", "ssh-ed25519", &w.userkey, true);
    dory_wire_send_bytes(&w, &b);
    expect_failure();
    memcpy(w.session_id, first, 32);
    dory_wire_put_publickey(&w, &b, "alice", "ssh-ed25519", &w.userkey, true);
    dory_wire_send_bytes(&w, &b);
    dory_wire_expect(&w, MSG_USERAUTH_SUCCESS, NULL);
    dory_wire_free(&w);
}

/* A question, answered yes, is not yet a login; nor is the password's flag taken for the key's. */
static void A5_asking_is_not_logging_in(void **state)
{
    struct dory_wire_msg m;
    (void)state;

    begin(&dory_ssh_server, WIRE_AUTH);
    dory_wire_put_publickey(&w, &b, "alice", "ssh-ed25519", &w.userkey, false);
    dory_wire_send_bytes(&w, &b);
    dory_wire_expect(&w, MSG_USERAUTH_60, &m);
    CHECK(dory_view_is(dory_get_string(&m.body), "ssh-ed25519"));
    CHECK_EQ(dory_get_string(&m.body).n, w.userkey.n);
    CHECK(!w.last.e.signed_ok);
    CHECK(!(dory_ssh_state(&w.ssh) & DORY_READY));
    dory_wire_put_open(&b, "session", 1, 1000, 1000);
    dory_wire_send_bytes(&w, &b);
    expect_protocol_error();
    dory_wire_free(&w);
}

/* What lies behind a question in the buffer does not become part of it. */
static void A5_asking_with_more_behind_it(void **state)
{
    struct dory_wire_msg m;
    (void)state;

    for (int sign = 0; sign < 2; sign++) {
        dory_kit_case("signed %d", sign);
        dory_wire_new(&w, &dory_ssh_server);
        w.config.read_ahead = true;
        dory_wire_to(&w, WIRE_AUTH);
        dory_wire_put_publickey(&w, &b, "alice", "ssh-ed25519", &w.userkey, sign);
        dory_wire_queue(&w, &b, 1);
        dory_wire_put_publickey(&w, &b, "alice", "ssh-ed25519", &w.userkey, !sign);
        dory_wire_queue(&w, &b, 1);
        CHECK(dory_wire_recv(&w, &m));
        CHECK_EQ(m.type, sign ? MSG_USERAUTH_SUCCESS : MSG_USERAUTH_60);
        if (!sign) {
            CHECK(dory_view_is(dory_get_string(&m.body), "ssh-ed25519"));
            CHECK_EQ(dory_get_string(&m.body).n, w.userkey.n);
            CHECK(dory_wire_recv(&w, &m));
            CHECK_EQ(m.type, MSG_USERAUTH_SUCCESS);
        }
        dory_wire_expect_silence(&w);
        dory_wire_free(&w);
    }
}

/* ---- A8: odd names and passwords ---- */

static const size_t odd_sizes[] = {0, 1, 31, 32, 33, 63, 64, 65, 255, 256, 1000, 10240};

static void expect_whole_or_refused(size_t user_n, size_t password_n)
{
    struct dory_wire_msg m;

    if (dory_ssh_error(&w.ssh) == DORY_OK) {
        CHECK(dory_wire_recv(&w, &m));
        CHECK_EQ(m.type, MSG_USERAUTH_FAILURE);
    }
    CHECK(!(dory_ssh_state(&w.ssh) & DORY_READY));
    if (w.events[DORY_EV_AUTH_REQUEST] == 0)
        return;
    CHECK_EQ(w.last.e.user_n, user_n); /* never cut to a name that exists */
    CHECK_EQ(w.last.e.n, password_n);
}

static void A8_odd_user_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof odd_sizes / sizeof *odd_sizes; i++) {
        dory_kit_case("user name of %zu bytes", odd_sizes[i]);
        begin(&dory_ssh_server, WIRE_AUTH);
        b.n = 0;
        dory_put8(&b, MSG_USERAUTH_REQUEST);
        dory_put32(&b, (uint32_t)odd_sizes[i]);
        dory_put_fill(&b, 'u', odd_sizes[i]);
        dory_put_text(&b, "ssh-connection");
        dory_put_text(&b, "password");
        dory_put8(&b, 0);
        dory_put_text(&b, "secret");
        dory_wire_send_bytes(&w, &b);
        expect_whole_or_refused(odd_sizes[i], 6);
        dory_wire_free(&w);
    }
}

static void A8_user_names_that_begin_like_a_real_one(void **state)
{
    static const char name[] = "alice\0bob";
    (void)state;

    for (size_t n = 4; n < sizeof name; n++) {
        dory_kit_case("%zu bytes of \"alice\\0bob\"", n);
        begin(&dory_ssh_server, WIRE_AUTH);
        b.n = 0;
        dory_put8(&b, MSG_USERAUTH_REQUEST);
        dory_put_string(&b, name, n);
        dory_put_text(&b, "ssh-connection");
        dory_put_text(&b, "password");
        dory_put8(&b, 0);
        dory_put_text(&b, "secret");
        dory_wire_send_bytes(&w, &b);
        CHECK_EQ((dory_ssh_state(&w.ssh) & DORY_READY) != 0, n == 5);
        if (w.events[DORY_EV_AUTH_REQUEST])
            CHECK(w.last.e.user_n == n && memcmp(w.last.user, name, n) == 0);
        dory_wire_free(&w);
    }
}

static void A8_odd_passwords(void **state)
{
    static const char with_nul[] = "secret\0x";
    (void)state;

    for (size_t i = 0; i < sizeof odd_sizes / sizeof *odd_sizes; i++) {
        dory_kit_case("password of %zu bytes", odd_sizes[i]);
        begin(&dory_ssh_server, WIRE_AUTH);
        dory_wire_put_request(&b, "alice", "password");
        dory_put8(&b, 0);
        dory_put32(&b, (uint32_t)odd_sizes[i]);
        dory_put_fill(&b, 'p', odd_sizes[i]);
        dory_wire_send_bytes(&w, &b);
        CHECK_EQ(w.events[DORY_EV_AUTH_REQUEST], 1);
        expect_whole_or_refused(5, odd_sizes[i]);
        dory_wire_free(&w);
    }
    dory_kit_case("NUL behind the right password");
    begin(&dory_ssh_server, WIRE_AUTH);
    dory_wire_put_request(&b, "alice", "password");
    dory_put8(&b, 0);
    dory_put_string(&b, with_nul, 8);
    dory_wire_send_bytes(&w, &b);
    expect_whole_or_refused(5, 8);
    CHECK(memcmp(w.last.data, with_nul, 8) == 0);
    dory_wire_free(&w);
}

static void A8_password_change_is_refused(void **state)
{
    struct dory_wire_msg m;
    (void)state;

    begin(&dory_ssh_server, WIRE_AUTH);
    dory_wire_put_request(&b, "alice", "password");
    dory_put8(&b, 1);
    dory_put_text(&b, "secret");
    dory_put_text(&b, "new secret");
    dory_wire_send_bytes(&w, &b);
    CHECK(dory_wire_recv(&w, &m));
    CHECK_EQ(m.type, MSG_USERAUTH_FAILURE);
    CHECK_EQ(w.events[DORY_EV_AUTH_REQUEST], 0);
    dory_wire_free(&w);
}

static void A8_methods_that_are_not_offered(void **state)
{
    struct dory_wire_msg m;
    (void)state;

    for (int i = 0; i < 4; i++) {
        dory_kit_case("case %d", i);
        dory_wire_new(&w, &dory_ssh_server);
        w.config.auth_methods = i & 1 ? DORY_AUTH_PASSWORD : DORY_AUTH_PUBLICKEY;
        dory_wire_to(&w, WIRE_AUTH);
        if (i & 1)
            dory_wire_put_publickey(&w, &b, "alice", "ssh-ed25519", &w.userkey, i & 2);
        else
            dory_wire_put_password(&b, "alice", "secret");
        dory_wire_send_bytes(&w, &b);
        CHECK(dory_wire_recv(&w, &m));
        CHECK_EQ(m.type, MSG_USERAUTH_FAILURE);
        CHECK(dory_view_is(dory_get_string(&m.body), i & 1 ? "password" : "publickey"));
        CHECK_EQ(w.events[DORY_EV_AUTH_REQUEST], 0);
        dory_wire_free(&w);
    }
}

/* Keyboard-interactive is not offered; its requests and answers, with any number of prompts, do no harm. */
static void A8_keyboard_interactive_answers_unasked(void **state)
{
    static const uint32_t counts[] = {0, 1, 0x7fffffff, 0xffffffff};
    (void)state;

    for (size_t i = 0; i < 4; i++) {
        dory_kit_case("%u answers", counts[i]);
        begin(&dory_ssh_server, WIRE_AUTH);
        b.n = 0;
        dory_put8(&b, MSG_USERAUTH_61);
        dory_put32(&b, counts[i]);
        dory_put_text(&b, "secret");
        dory_wire_send_bytes(&w, &b);
        expect_protocol_error();
        dory_wire_free(&w);
    }
}

static void A8_info_request_to_a_client(void **state)
{
    static const uint32_t counts[] = {0, 1, 0x7fffffff, 0xffffffff};
    (void)state;

    for (size_t i = 0; i < 4; i++) {
        dory_kit_case("%u prompts", counts[i]);
        begin(&dory_ssh_client, WIRE_AUTH);
        put_text_message(MSG_USERAUTH_60, "name", "instruction");
        dory_put_text(&b, "");
        dory_put32(&b, counts[i]);
        dory_put_text(&b, "Password: ");
        dory_put8(&b, 0);
        dory_wire_send_bytes(&w, &b);
        expect_protocol_error(); /* it is no well-formed PASSWD_CHANGEREQ */
        dory_wire_free(&w);
    }
}

/* What the client is given leaves it byte for byte, or not at all. */
static void A8_client_sends_passwords_whole(void **state)
{
    static char long_one[10241];
    static const char *const passwords[] = {"", "x", long_one};
    struct dory_wire_msg m;
    (void)state;

    memset(long_one, 'q', 10240);
    for (int i = 0; i < 3; i++) {
        dory_kit_case("password of %zu bytes", strlen(passwords[i]));
        dory_wire_new(&w, &dory_ssh_client);
        w.password = passwords[i];
        dory_wire_to(&w, WIRE_SERVICE);
        put_text_message(MSG_SERVICE_ACCEPT, "ssh-userauth", NULL);
        dory_wire_send_bytes(&w, &b);
        dory_wire_expect(&w, MSG_USERAUTH_REQUEST, &m);
        CHECK(dory_view_is(dory_get_string(&m.body), "alice"));
        CHECK(dory_view_is(dory_get_string(&m.body), "ssh-connection"));
        CHECK(dory_view_is(dory_get_string(&m.body), "password"));
        CHECK_EQ(dory_get8(&m.body), 0);
        CHECK(dory_view_is(dory_get_string(&m.body), passwords[i]));
        CHECK_EQ(m.body.n, 0);
        dory_wire_free(&w);
    }
}

static void A8_password_larger_than_the_buffer(void **state)
{
    static uint8_t password[9000];
    (void)state;

    dory_wire_new(&w, &dory_ssh_client);
    w.config.tx_size = 4096;
    w.hold = 1U << DORY_EV_AUTH;
    dory_wire_to(&w, WIRE_NEWKEYS);
    dory_wire_send_newkeys(&w);
    CHECK_EQ(w.events[DORY_EV_AUTH], 1);
    CHECK_EQ(dory_ssh_auth_password(&w.ssh, password, sizeof password), DORY_E_SPACE);
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
    CHECK(dory_ssh_state(&w.ssh) & DORY_EVENT); /* another method can be tried */
    w.hold = 0;
    dory_wire_pump(&w);
    dory_wire_expect(&w, MSG_USERAUTH_REQUEST, NULL);
    dory_wire_free(&w);
}

static void keys_larger_than_the_buffer(void **state)
{
    static uint8_t key[9000];
    (void)state;

    for (int ask = 0; ask < 2; ask++) {
        dory_kit_case("ask %d", ask);
        dory_wire_new(&w, &dory_ssh_client);
        w.config.tx_size = 4096;
        w.hold = 1U << DORY_EV_AUTH;
        dory_wire_to(&w, WIRE_NEWKEYS);
        dory_wire_send_newkeys(&w);
        CHECK_EQ(dory_ssh_auth_publickey(&w.ssh, "ssh-ed25519", key, sizeof key, ask), DORY_E_SPACE);
        CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
        CHECK_EQ(dory_ssh_auth_publickey(&w.ssh, "ssh-ed25519", w.userkey.blob, w.userkey.n, false), DORY_OK);
        w.hold = 0;
        dory_wire_expect(&w, MSG_USERAUTH_REQUEST, NULL);
        dory_wire_free(&w);
    }
}

/* RFC 4251: a message ends where its fields end. */
static void requests_with_something_behind(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        dory_kit_case("case %d", i);
        begin(&dory_ssh_server, WIRE_AUTH);
        if (i < 2)
            dory_wire_put_publickey(&w, &b, "alice", "ssh-ed25519", &w.userkey, i);
        else
            dory_wire_put_password(&b, "alice", "secret");
        if (i == 3) { /* one password where two are announced */
            b.p[b.n - 11] = 1;
        } else {
            dory_put8(&b, 0);
        }
        dory_wire_send_bytes(&w, &b);
        expect_protocol_error();
        CHECK_EQ(w.events[DORY_EV_AUTH_REQUEST], 0);
        dory_wire_free(&w);
    }
}

/* RFC 4252 8: the length of a packet does not tell that of a password. */
static void password_length_is_hidden(void **state)
{
    uint64_t size[2];
    (void)state;

    for (int i = 0; i < 2; i++) {
        uint64_t before;
        dory_wire_new(&w, &dory_ssh_client);
        w.hold = 1U << DORY_EV_AUTH;
        w.password = i ? "a password of forty bytes, more or less." : "1";
        dory_wire_to(&w, WIRE_NEWKEYS);
        dory_wire_send_newkeys(&w);
        before = w.drained;
        w.hold = 0;
        dory_wire_pump(&w);
        size[i] = w.drained - before;
        dory_wire_free(&w);
    }
    CHECK(size[0] > 0);
    CHECK_EQ(size[0], size[1]);
}

/* A password is gone from the engine's memory once it has been judged. */
static void K3_password_is_wiped_with_the_answer(void **state)
{
    static const char password[] = "a long password that is easy to find in memory";
    (void)state;

    for (int held = 0; held < 2; held++) {
        bool found;
        dory_kit_case("%s", held ? "while judged" : "afterwards");
        begin(&dory_ssh_server, WIRE_AUTH);
        w.hold = held ? 1U << DORY_EV_AUTH_REQUEST : 0;
        dory_wire_put_password(&b, "alice", password);
        dory_wire_send_bytes(&w, &b);
        found = dory_view_contains(dory_view(w.config.rx, w.config.rx_size), password, sizeof password - 1);
        CHECK_EQ(found, held);
        dory_wire_free(&w);
    }
}

static void A8_banner_of_the_server(void **state)
{
    static char text[20001];
    (void)state;

    memset(text, 0x1b, 20000);
    begin(&dory_ssh_client, WIRE_AUTH);
    for (int i = 0; i < 50; i++) {
        put_text_message(MSG_USERAUTH_BANNER, i ? "line\r\n" : text, "en");
        dory_wire_send_bytes(&w, &b);
        CHECK_EQ(w.events[DORY_EV_BANNER], i + 1);
        CHECK_EQ(w.last.e.n, i ? 6 : 20000);
    }
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A5_signature_over_something_else),
        cmocka_unit_test(A5_signature_wrong_at_every_byte_and_length),
        cmocka_unit_test(A5_algorithm_and_key_disagree),
        cmocka_unit_test(A5_user_key_of_small_order),
        cmocka_unit_test(A5_replay_in_another_session),
        cmocka_unit_test(A5_session_identifier_survives_a_rekey),
        cmocka_unit_test(A5_asking_is_not_logging_in),
        cmocka_unit_test(A5_asking_with_more_behind_it),
        cmocka_unit_test(A8_odd_user_names),
        cmocka_unit_test(A8_user_names_that_begin_like_a_real_one),
        cmocka_unit_test(A8_odd_passwords),
        cmocka_unit_test(A8_password_change_is_refused),
        cmocka_unit_test(A8_methods_that_are_not_offered),
        cmocka_unit_test(A8_keyboard_interactive_answers_unasked),
        cmocka_unit_test(A8_info_request_to_a_client),
        cmocka_unit_test(A8_client_sends_passwords_whole),
        cmocka_unit_test(A8_password_larger_than_the_buffer),
        cmocka_unit_test(keys_larger_than_the_buffer),
        cmocka_unit_test(requests_with_something_behind),
        cmocka_unit_test(password_length_is_hidden),
        cmocka_unit_test(K3_password_is_wiped_with_the_answer),
        cmocka_unit_test(A8_banner_of_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
