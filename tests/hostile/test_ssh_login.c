/* A1-A4, A6: the course of authentication, against a hostile client and a hostile server. */
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

/* ---- A1, A2: a client that claims to be in ---- */

static void A1_client_sends_the_servers_messages(void **state)
{
    static const unsigned types[] = {MSG_USERAUTH_SUCCESS, MSG_USERAUTH_FAILURE, MSG_USERAUTH_60};
    (void)state;

    for (enum dory_wire_phase phase = WIRE_KEXINIT; phase <= WIRE_CHANNEL; phase++)
        for (int i = 0; i < 3; i++) {
            dory_kit_case("phase %s, message %u", dory_wire_phase_name(phase), types[i]);
            begin(&dory_ssh_server, phase);
            put_text_message(types[i], "ssh-ed25519", "key");
            if (types[i] == MSG_USERAUTH_SUCCESS)
                b.n = 1;
            dory_wire_send_bytes(&w, &b);
            expect_protocol_error();
            CHECK_EQ(w.events[DORY_EV_AUTH_REQUEST], phase > WIRE_AUTH);
            dory_wire_free(&w);
        }
}

static void put_early(int which)
{
    switch (which) {
    case 0: dory_wire_put_open(&b, "session", 1, 1000, 1000); break;
    case 1: dory_wire_put_exec(&b, 0, "reboot", false); break;
    case 2: dory_wire_put_data(&b, 0, 10); break;
    case 3: dory_wire_put_channel(&b, MSG_CLOSE, 0); break;
    case 4: dory_wire_put_global(&b, "keepalive@openssh.com", true); break;
    default: dory_wire_put_channel(&b, MSG_REQUEST_SUCCESS, 0); break;
    }
}

static void A2_connection_messages_before_login(void **state)
{
    (void)state;
    for (enum dory_wire_phase phase = WIRE_SERVICE; phase <= WIRE_AUTH; phase++)
        for (int i = 0; i < 6; i++) {
            dory_kit_case("phase %s, message %d", dory_wire_phase_name(phase), i);
            begin(&dory_ssh_server, phase);
            put_early(i);
            dory_wire_send_bytes(&w, &b);
            expect_protocol_error();
            CHECK_EQ(w.events[DORY_EV_CHANNEL_REQUEST], 0);
            dory_wire_free(&w);
        }
}

/* The same sent right behind a login request that is still being thought about, and then refused. */
static void A2_connection_messages_behind_a_refused_request(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        dory_kit_case("message %d", i);
        begin(&dory_ssh_server, WIRE_AUTH);
        w.hold = 1U << DORY_EV_AUTH_REQUEST;
        dory_wire_put_password(&b, "alice", "wrong");
        dory_wire_send_bytes(&w, &b);
        put_early(i);
        dory_wire_send_bytes(&w, &b);
        CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
        w.hold = 0;
        dory_wire_pump(&w);
        expect_protocol_error();
        dory_wire_free(&w);
    }
}

/* RFC 4252 5.1: what comes behind the request that succeeds belongs to the service. */
static void connection_messages_behind_an_accepted_request(void **state)
{
    (void)state;
    begin(&dory_ssh_server, WIRE_AUTH);
    w.hold = 1U << DORY_EV_AUTH_REQUEST;
    dory_wire_put_password(&b, "alice", "secret");
    dory_wire_send_bytes(&w, &b);
    dory_wire_put_open(&b, "session", 1, 1000, 1000);
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(w.seen[MSG_OPEN_CONFIRMATION], 0);
    w.hold = 0;
    dory_wire_expect(&w, MSG_USERAUTH_SUCCESS, NULL);
    dory_wire_expect(&w, MSG_OPEN_CONFIRMATION, NULL);
    dory_wire_free(&w);
}

static void services_that_do_not_exist(void **state)
{
    (void)state;
    begin(&dory_ssh_server, WIRE_SERVICE);
    put_text_message(MSG_SERVICE_REQUEST, "ssh-connection", NULL);
    dory_wire_send_bytes(&w, &b);
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_SERVICE_NOT_AVAILABLE, DORY_E_PROTOCOL);
    dory_wire_free(&w);

    begin(&dory_ssh_server, WIRE_AUTH);
    put_text_message(MSG_USERAUTH_REQUEST, "alice", "ssh-userauth");
    dory_put_text(&b, "none");
    dory_wire_send_bytes(&w, &b);
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_SERVICE_NOT_AVAILABLE, DORY_E_PROTOCOL);
    dory_wire_free(&w);
}

/* ---- A3: a server that hurries ---- */

static void A3_success_before_the_service_is_there(void **state)
{
    (void)state;
    begin(&dory_ssh_client, WIRE_SERVICE);
    dory_wire_send_type(&w, MSG_USERAUTH_SUCCESS);
    expect_protocol_error();
    dory_wire_free(&w);
}

static void A3_success_before_keys(void **state)
{
    (void)state;
    for (enum dory_wire_phase phase = WIRE_KEXINIT; phase <= WIRE_NEWKEYS; phase++) {
        dory_kit_case("phase %s", dory_wire_phase_name(phase));
        begin(&dory_ssh_client, phase);
        dory_wire_send_type(&w, MSG_USERAUTH_SUCCESS);
        expect_protocol_error();
        dory_wire_free(&w);
    }
}

static void A3_success_when_only_asked(void **state)
{
    (void)state;
    dory_wire_new(&w, &dory_ssh_client);
    w.auth_plan = DORY_AUTH_PUBLICKEY;
    w.auth_ask = true;
    dory_wire_to(&w, WIRE_AUTH);
    dory_wire_send_type(&w, MSG_USERAUTH_SUCCESS);
    expect_protocol_error();
    dory_wire_free(&w);
}

static void A3_success_twice(void **state)
{
    (void)state;
    begin(&dory_ssh_client, WIRE_CONNECTION);
    dory_wire_send_type(&w, MSG_USERAUTH_SUCCESS);
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PROTOCOL);
    dory_wire_free(&w);
}

static void A3_service_accepted_twice(void **state)
{
    (void)state;
    begin(&dory_ssh_client, WIRE_AUTH);
    put_text_message(MSG_SERVICE_ACCEPT, "ssh-userauth", NULL);
    dory_wire_send_bytes(&w, &b);
    expect_protocol_error();
    dory_wire_free(&w);
}

/* Two answers to one request, both there before the caller is asked again. */
static void A3_a_second_answer_behind_the_first(void **state)
{
    static const unsigned second[] = {MSG_USERAUTH_FAILURE, MSG_USERAUTH_SUCCESS, MSG_USERAUTH_60};
    (void)state;

    for (int i = 0; i < 3; i++) {
        dory_kit_case("message %u behind a FAILURE", second[i]);
        dory_wire_new(&w, &dory_ssh_client);
        w.config.read_ahead = true;
        dory_wire_to(&w, WIRE_AUTH);
        put_text_message(MSG_USERAUTH_FAILURE, "password", NULL);
        dory_put8(&b, 0);
        dory_wire_queue(&w, &b, 1);
        if (i == 1)
            b.n = 1;
        if (i == 2)
            b.n--, dory_put_text(&b, "");
        b.p[0] = (uint8_t)second[i];
        dory_wire_queue(&w, &b, 1);
        dory_wire_pump(&w);
        expect_protocol_error();
        CHECK_EQ(w.events[DORY_EV_AUTH], 1);
        CHECK_EQ(w.events[DORY_EV_PASSWD_CHANGE], 0);
        dory_wire_free(&w);
    }
}

static void A3_another_service_accepted(void **state)
{
    (void)state;
    begin(&dory_ssh_client, WIRE_SERVICE);
    put_text_message(MSG_SERVICE_ACCEPT, "ssh-connection", NULL);
    dory_wire_send_bytes(&w, &b);
    expect_protocol_error();
    dory_wire_free(&w);
}

static void put_pk_ok(const char *algorithm, const struct dory_kit_key *key)
{
    b.n = 0;
    dory_put8(&b, MSG_USERAUTH_60);
    dory_put_text(&b, algorithm);
    dory_put_string(&b, key->blob, key->n);
}

static void A3_pk_ok_for_another_key(void **state)
{
    struct dory_kit_key other;
    (void)state;

    dory_kit_key(&other, 66);
    for (int i = 0; i < 5; i++) {
        dory_kit_case("case %d", i);
        dory_wire_new(&w, &dory_ssh_client);
        w.auth_plan = DORY_AUTH_PUBLICKEY;
        w.auth_ask = i != 4;
        dory_wire_to(&w, WIRE_AUTH);
        put_pk_ok(i == 1 ? "rsa-sha2-256" : "ssh-ed25519", i == 0 ? &other : &w.userkey);
        if (i == 2)
            b.n--;
        if (i == 3) { /* a good one first, then again */
            dory_wire_send_bytes(&w, &b);
            CHECK_EQ(w.events[DORY_EV_SIGN], 1);
            dory_wire_expect(&w, MSG_USERAUTH_REQUEST, NULL);
        }
        dory_wire_send_bytes(&w, &b);
        expect_protocol_error();
        CHECK_EQ(w.events[DORY_EV_SIGN], i >= 3);
        dory_wire_free(&w);
    }
}

static void A3_pk_ok_to_a_password_is_a_change_request_at_most(void **state)
{
    (void)state;
    begin(&dory_ssh_client, WIRE_AUTH);
    w.auth_limit = 1;
    put_pk_ok("ssh-ed25519", &w.userkey);
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(w.events[DORY_EV_SIGN], 0);
    CHECK_EQ(w.events[DORY_EV_PASSWD_CHANGE], 1);
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_AUTH_CANCELLED_BY_USER, DORY_E_AUTH);
    dory_wire_free(&w);
}

static void A3_prompts_out_of_order(void **state)
{
    (void)state;
    for (int plan = 0; plan < 2; plan++) {
        dory_kit_case("plan %d", plan);
        dory_wire_new(&w, &dory_ssh_client);
        w.auth_plan = plan ? DORY_AUTH_NONE : DORY_AUTH_PUBLICKEY;
        dory_wire_to(&w, WIRE_AUTH);
        put_text_message(MSG_USERAUTH_60, "Your password has expired", "");
        dory_wire_send_bytes(&w, &b);
        expect_protocol_error();
        CHECK_EQ(w.events[DORY_EV_PASSWD_CHANGE], 0);
        dory_wire_free(&w);
    }
}

/* The whole handshake sent at once, while the person still looks at the fingerprint. */
static void A3_no_password_before_the_host_key_is_accepted(void **state)
{
    uint64_t before;
    (void)state;

    for (int accept = 0; accept < 2; accept++) {
        dory_kit_case("host key %s", accept ? "accepted" : "refused");
        begin(&dory_ssh_client, WIRE_KEX);
        w.hold = 1U << DORY_EV_HOSTKEY;
        dory_wire_send_kex(&w);
        CHECK_EQ(w.events[DORY_EV_HOSTKEY], 1);
        before = w.drained;
        CHECK_EQ(dory_ssh_auth_password(&w.ssh, (const uint8_t *)"secret", 6), DORY_E_STATE);
        CHECK_EQ(dory_ssh_auth_none(&w.ssh), DORY_E_STATE);
        dory_wire_send_newkeys(&w);
        put_text_message(MSG_SERVICE_ACCEPT, "ssh-userauth", NULL);
        dory_wire_send_bytes(&w, &b);
        CHECK_EQ(dory_ssh_tick(&w.ssh, w.now + 1) > w.now, true);
        dory_wire_pump(&w);
        CHECK_EQ(w.drained, before);
        CHECK_EQ(w.events[DORY_EV_AUTH], 0);
        CHECK(!(dory_ssh_state(&w.ssh) & (DORY_READY | DORY_RECVPKT)));
        w.hold = 0;
        w.refuse = accept ? 0 : 1U << DORY_EV_HOSTKEY;
        dory_wire_pump(&w);
        if (accept)
            dory_wire_expect(&w, MSG_USERAUTH_REQUEST, NULL);
        else
            dory_wire_expect_disconnect(&w, SSH_DISCONNECT_HOST_KEY_NOT_VERIFIABLE, DORY_E_HOSTKEY);
        CHECK_EQ(w.events[DORY_EV_AUTH], accept);
        dory_wire_free(&w);
    }
}

/* Without the server's NEWKEYS there is no login. */
static void A3_no_password_before_newkeys(void **state)
{
    struct dory_wire_msg m;
    (void)state;

    begin(&dory_ssh_client, WIRE_NEWKEYS);
    while (dory_wire_recv(&w, &m))
        ;
    CHECK_EQ(w.seen[MSG_USERAUTH_REQUEST], 0);
    CHECK_EQ(w.events[DORY_EV_AUTH], 0);
    dory_wire_free(&w);
}

static void A3_failure_for_ever_ends_when_the_caller_says_so(void **state)
{
    (void)state;
    begin(&dory_ssh_client, WIRE_AUTH);
    w.auth_limit = 1000;
    for (int i = 0; i < 1000; i++) {
        put_text_message(MSG_USERAUTH_FAILURE, "password", NULL);
        dory_put8(&b, 0);
        dory_wire_send_bytes(&w, &b);
    }
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_AUTH_CANCELLED_BY_USER, DORY_E_AUTH);
    CHECK_EQ(w.seen[MSG_USERAUTH_REQUEST], 1000);
    dory_wire_free(&w);
}

/* RFC 4252 5.1: what can continue, and whether a part of the login was accepted. */
static void the_servers_answer_reaches_the_caller(void **state)
{
    static const struct {
        const char *methods;
        uint8_t bits;
    } lists[] = {{"publickey,password", DORY_AUTH_PUBLICKEY | DORY_AUTH_PASSWORD},
                 {"", 0},
                 {"hostbased,gssapi-with-mic", 0},
                 {"password", DORY_AUTH_PASSWORD},
                 {"keyboard-interactive,passwordx,xpassword", DORY_AUTH_KEYBOARD_INTERACTIVE}};
    struct dory_event e;
    (void)state;

    for (size_t i = 0; i < 2 * sizeof lists / sizeof *lists; i++) {
        dory_kit_case("\"%s\", partial %zu", lists[i / 2].methods, i % 2);
        begin(&dory_ssh_client, WIRE_AUTH);
        w.hold = 1U << DORY_EV_AUTH;
        put_text_message(MSG_USERAUTH_FAILURE, lists[i / 2].methods, NULL);
        dory_put8(&b, i % 2);
        dory_wire_send_bytes(&w, &b);
        CHECK_EQ(dory_ssh_event(&w.ssh, &e), DORY_EV_AUTH);
        CHECK_EQ(e.methods, lists[i / 2].bits);
        CHECK_EQ(e.partial, i % 2);
        dory_wire_free(&w);
    }
}

/* ---- A4: nothing tells a user that exists from one that does not ---- */

struct attempt {
    const char *name, *user, *password; /* NULL: a key */
    uint8_t key;
};

static size_t reply_to(const struct attempt *a, uint8_t *out)
{
    struct dory_kit_key key;
    struct dory_wire_msg m;
    size_t n = 0;

    begin(&dory_ssh_server, WIRE_AUTH);
    if (a->password) {
        dory_wire_put_password(&b, a->user, a->password);
    } else {
        dory_kit_key(&key, a->key);
        dory_wire_put_publickey(&w, &b, a->user, "ssh-ed25519", &key, a->key & 1);
    }
    dory_wire_send_bytes(&w, &b);
    while (dory_wire_recv(&w, &m)) {
        memcpy(out + n, m.whole.p, m.whole.n);
        n += m.whole.n;
    }
    CHECK_EQ(w.events[DORY_EV_AUTH_REQUEST], 1); /* the caller decides, in each case */
    dory_wire_free(&w);
    return n;
}

static void A4_same_replies_for_known_and_unknown_users(void **state)
{
    static const struct attempt attempts[] = {
        {"known user, wrong password", "alice", "wrong", 0},
        {"unknown user", "mallory", "wrong", 0},
        {"root", "root", "secret", 0},
        {"known user, another's key, asked", "alice", NULL, 70},
        {"unknown user, key asked", "mallory", NULL, 70},
        {"known user, another's key, signed", "alice", NULL, 71},
        {"unknown user, signed", "mallory", NULL, 71},
    };
    uint8_t first[256], reply[256];
    size_t first_n = reply_to(&attempts[0], first);
    (void)state;

    for (size_t i = 1; i < sizeof attempts / sizeof *attempts; i++) {
        dory_kit_case("%s", attempts[i].name);
        CHECK_EQ(reply_to(&attempts[i], reply), first_n);
        CHECK(memcmp(first, reply, first_n) == 0);
    }
    CHECK_EQ(first[0], MSG_USERAUTH_FAILURE);
}

/* ---- A6: limits ---- */

static void A6_tries_are_counted(void **state)
{
    (void)state;
    for (uint8_t tries = 0; tries < 10; tries++) {
        unsigned limit = tries ? tries : 6;
        dory_kit_case("auth_tries %u", tries);
        dory_wire_new(&w, &dory_ssh_server);
        w.config.auth_tries = tries;
        dory_wire_to(&w, WIRE_AUTH);
        dory_wire_put_request(&b, "alice", "none"); /* the first one is free */
        dory_wire_send_bytes(&w, &b);
        dory_wire_expect(&w, MSG_USERAUTH_FAILURE, NULL);
        for (unsigned i = 1; i <= limit; i++) {
            CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
            dory_wire_put_password(&b, i & 1 ? "alice" : "bob", "wrong");
            dory_wire_send_bytes(&w, &b);
            if (i < limit)
                dory_wire_expect(&w, MSG_USERAUTH_FAILURE, NULL);
        }
        dory_wire_expect_disconnect(&w, SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE, DORY_E_AUTH);
        dory_wire_free(&w);
    }
}

/* Whatever the failure is: methods that do not exist, bad signatures, "none" again. */
static void A6_every_kind_of_failure_counts(void **state)
{
    (void)state;
    for (int kind = 0; kind < 5; kind++) {
        int sent = 0;
        dory_kit_case("kind %d", kind);
        begin(&dory_ssh_server, WIRE_AUTH);
        while (!dory_ssh_error(&w.ssh) && sent < 50) {
            dory_wire_put_request(&b, "alice", kind == 0 ? "none" : kind == 1 ? "hostbased" : "keyboard-interactive");
            if (kind == 2) {
                dory_put_text(&b, "");
                dory_put_text(&b, "");
            } else if (kind == 3) {
                dory_wire_put_publickey(&w, &b, "alice", "ssh-ed25519", &w.userkey, true);
                b.p[b.n - 1] ^= 0x40;
            } else if (kind == 4) {
                dory_wire_put_publickey(&w, &b, "alice", "ssh-ed25519", &w.hostkey, false);
            }
            dory_wire_send_bytes(&w, &b);
            sent++;
        }
        CHECK_EQ(sent, kind == 0 ? 7 : 6);
        dory_wire_expect_disconnect(&w, SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE, DORY_E_AUTH);
        dory_wire_free(&w);
    }
}

static void A6_login_grace_time(const struct dory_ssh_role *role)
{
    for (enum dory_wire_phase phase = WIRE_VERSION; phase <= WIRE_CONNECTION; phase++) {
        dory_kit_case("phase %s", dory_wire_phase_name(phase));
        dory_wire_new(&w, role);
        w.config.login_grace_ms = 20000;
        w.config.reply_ms = 100000;
        dory_wire_to(&w, phase);
        dory_wire_tick(&w, 19999);
        CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
        dory_wire_tick(&w, 1);
        CHECK_EQ(dory_ssh_error(&w.ssh), phase == WIRE_CONNECTION ? DORY_OK : DORY_E_TIMEOUT);
        if (phase == WIRE_CONNECTION)
            dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(A6_login_grace_time)

/* Being busy does not stretch it: tries, rekeys, IGNOREs. */
static void A6_grace_time_does_not_stretch(void **state)
{
    int i;
    (void)state;

    dory_wire_new(&w, &dory_ssh_server);
    w.config.login_grace_ms = 10000;
    w.config.auth_tries = 255;
    dory_wire_to(&w, WIRE_AUTH);
    for (i = 0; i < 30 && !dory_ssh_error(&w.ssh); i++) {
        dory_wire_rekey(&w);
        dory_wire_put_password(&b, "alice", "wrong");
        dory_wire_send_bytes(&w, &b);
        dory_wire_tick(&w, 1000);
    }
    CHECK_EQ(i, 10);
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_E_TIMEOUT);
    dory_wire_free(&w);
}

/* An answer that comes after the deadline changes nothing. */
static void A6_late_answer(void **state)
{
    (void)state;
    dory_wire_new(&w, &dory_ssh_server);
    w.config.login_grace_ms = 10000;
    dory_wire_to(&w, WIRE_AUTH);
    w.hold = 1U << DORY_EV_AUTH_REQUEST;
    dory_wire_put_password(&b, "alice", "secret");
    dory_wire_send_bytes(&w, &b);
    dory_wire_tick(&w, 10000);
    CHECK_EQ(dory_ssh_accept(&w.ssh), DORY_E_TIMEOUT);
    CHECK(!(dory_ssh_state(&w.ssh) & DORY_READY));
    dory_wire_pump(&w);
    CHECK_EQ(w.seen[MSG_USERAUTH_SUCCESS], 0);
    dory_wire_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A1_client_sends_the_servers_messages),
        cmocka_unit_test(A2_connection_messages_before_login),
        cmocka_unit_test(A2_connection_messages_behind_a_refused_request),
        cmocka_unit_test(connection_messages_behind_an_accepted_request),
        cmocka_unit_test(services_that_do_not_exist),
        cmocka_unit_test(A3_success_before_the_service_is_there),
        cmocka_unit_test(A3_success_before_keys),
        cmocka_unit_test(A3_success_when_only_asked),
        cmocka_unit_test(A3_success_twice),
        cmocka_unit_test(A3_service_accepted_twice),
        cmocka_unit_test(A3_a_second_answer_behind_the_first),
        cmocka_unit_test(A3_another_service_accepted),
        cmocka_unit_test(A3_pk_ok_for_another_key),
        cmocka_unit_test(A3_pk_ok_to_a_password_is_a_change_request_at_most),
        cmocka_unit_test(A3_prompts_out_of_order),
        cmocka_unit_test(A3_no_password_before_the_host_key_is_accepted),
        cmocka_unit_test(A3_no_password_before_newkeys),
        cmocka_unit_test(A3_failure_for_ever_ends_when_the_caller_says_so),
        cmocka_unit_test(the_servers_answer_reaches_the_caller),
        cmocka_unit_test(A4_same_replies_for_known_and_unknown_users),
        cmocka_unit_test(A6_tries_are_counted),
        cmocka_unit_test(A6_every_kind_of_failure_counts),
        DORY_BOTH_TESTS(A6_login_grace_time),
        cmocka_unit_test(A6_grace_time_does_not_stretch),
        cmocka_unit_test(A6_late_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
