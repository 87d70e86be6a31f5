/* A3, A8 and K3 for keyboard-interactive (RFC 4256), and partial success (RFC 4252 5.1), in both roles. */
#include "ssh_peer.h"

static struct dory_wire w;
static struct dory_bytes b;
static struct dory_wire_msg m;

static void expect_protocol_error(void)
{
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_PROTOCOL_ERROR, DORY_E_PROTOCOL);
    CHECK(!(dory_ssh_state(&w.ssh) & DORY_READY));
}

static void expect_failure(const char *methods, bool partial)
{
    dory_wire_expect(&w, MSG_USERAUTH_FAILURE, &m);
    CHECK(dory_view_is(dory_get_string(&m.body), methods));
    CHECK_EQ(dory_get8(&m.body), partial);
    CHECK_EQ(m.body.n, 0);
}

/* ---- the engine is the server ---- */

static const uint8_t all_methods = DORY_AUTH_PASSWORD | DORY_AUTH_PUBLICKEY | DORY_AUTH_KEYBOARD_INTERACTIVE;
static const char all_names[] = "publickey,password,keyboard-interactive";

static void begin_server(uint8_t methods)
{
    dory_wire_new(&w, &dory_ssh_server);
    w.config.auth_methods = methods;
    dory_wire_to(&w, WIRE_AUTH);
}

static void ask(const char *user)
{
    dory_wire_put_request(&b, user, "keyboard-interactive");
    dory_put_text(&b, "en");
    dory_put_text(&b, "pam");
    dory_wire_send_bytes(&w, &b);
}

static void expect_prompt(void)
{
    dory_wire_expect(&w, MSG_USERAUTH_60, &m);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(dory_get_string(&m.body).n, 0);
    CHECK_EQ(dory_get32(&m.body), 1);
    CHECK(dory_view_is(dory_get_string(&m.body), "Password: "));
    CHECK_EQ(dory_get8(&m.body), 0);
    CHECK_EQ(m.body.n, 0);
}

static void put_response(uint32_t count, const char *one)
{
    b.n = 0;
    dory_put8(&b, MSG_USERAUTH_61);
    dory_put32(&b, count);
    if (one)
        dory_put_text(&b, one);
}

static void server_takes_the_right_answer(void **state)
{
    (void)state;
    begin_server(all_methods);
    ask("alice");
    expect_prompt();
    put_response(1, "wrong");
    dory_wire_send_bytes(&w, &b);
    expect_failure(all_names, false);
    ask("alice");
    expect_prompt();
    put_response(1, "secret");
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(w.last.e.method, DORY_AUTH_KEYBOARD_INTERACTIVE);
    CHECK(dory_view_is(dory_view(w.last.e.user, w.last.e.user_n), "alice"));
    CHECK(dory_view_is(dory_view(w.last.e.data, w.last.e.n), "secret"));
    dory_wire_expect(&w, MSG_USERAUTH_SUCCESS, NULL);
    dory_wire_free(&w);
}

/* A4: nothing tells who exists. */
static void A4_unknown_users_are_asked_too(void **state)
{
    (void)state;
    begin_server(all_methods);
    ask("mallory");
    expect_prompt();
    put_response(1, "secret");
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(w.events[DORY_EV_AUTH_REQUEST], 1);
    expect_failure(all_names, false);
    dory_wire_free(&w);
}

static void A8_any_number_of_answers(void **state)
{
    static const uint32_t counts[] = {0, 2, 256, 0x7fffffff, 0xffffffff};
    (void)state;

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        dory_kit_case("%u answers", counts[i]);
        begin_server(all_methods);
        ask("alice");
        put_response(counts[i], counts[i] ? "secret" : NULL);
        dory_wire_send_bytes(&w, &b);
        expect_failure(all_names, false);
        CHECK_EQ(w.events[DORY_EV_AUTH_REQUEST], 0);
        dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}

static void A8_answers_that_are_malformed(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        dory_kit_case("case %d", i);
        begin_server(all_methods);
        ask("alice");
        put_response(1, "secret");
        b.n = i == 0 ? b.n - 1 : i == 1 ? 5 : i == 2 ? 1 : b.n;
        if (i == 3)
            dory_put8(&b, 0);
        dory_wire_send_bytes(&w, &b);
        expect_protocol_error();
        CHECK_EQ(w.events[DORY_EV_AUTH_REQUEST], 0);
        dory_wire_free(&w);
    }
}

/* An answer belongs to the last question, and to one only. */
static void A3_answers_to_no_question(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        dory_kit_case("case %d", i);
        begin_server(i == 2 ? DORY_AUTH_PASSWORD : all_methods);
        ask("alice");
        if (i == 0) {
            put_response(1, "wrong");
            dory_wire_send_bytes(&w, &b);
        } else if (i == 1) {
            dory_wire_put_password(&b, "alice", "wrong");
            dory_wire_send_bytes(&w, &b);
        }
        put_response(1, "secret");
        dory_wire_send_bytes(&w, &b);
        expect_protocol_error();
        dory_wire_free(&w);
    }
}

static void A8_names_that_are_too_long(void **state)
{
    static char name[DORY_USER_NAME_MAX + 2];
    (void)state;

    for (size_t n = DORY_USER_NAME_MAX; n <= DORY_USER_NAME_MAX + 1; n++) {
        dory_kit_case("%zu bytes", n);
        memset(name, 'u', n);
        name[n] = 0;
        begin_server(all_methods);
        ask(name);
        if (n == DORY_USER_NAME_MAX) {
            expect_prompt();
            put_response(1, "secret");
            dory_wire_send_bytes(&w, &b);
            CHECK_EQ(w.last.e.user_n, n);
        }
        expect_failure(all_names, false);
        dory_wire_free(&w);
    }
}

static void A6_each_wrong_answer_is_a_try(void **state)
{
    (void)state;
    dory_wire_new(&w, &dory_ssh_server);
    w.config.auth_methods = all_methods;
    w.config.auth_tries = 3;
    dory_wire_to(&w, WIRE_AUTH);
    for (int i = 0; i < 3; i++) {
        ask("alice");
        put_response(1, "wrong");
        dory_wire_send_bytes(&w, &b);
    }
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE, DORY_E_AUTH);
    dory_wire_free(&w);
}

static void K3_answer_is_wiped(void **state)
{
    static const char password[] = "a long password that is easy to find in memory";
    (void)state;

    begin_server(all_methods);
    ask("alice");
    w.hold = 1U << DORY_EV_AUTH_REQUEST;
    put_response(1, password);
    dory_wire_send_bytes(&w, &b);
    CHECK(dory_view_contains(dory_view(w.config.rx, w.config.rx_size), password, sizeof password - 1));
    w.hold = 0;
    dory_wire_pump(&w);
    CHECK(!dory_view_contains(dory_view(w.config.rx, w.config.rx_size), password, sizeof password - 1));
    dory_wire_free(&w);
}

/* First a key, then a password: neither alone, and not the key twice. */
static void server_wants_two_methods(void **state)
{
    (void)state;
    begin_server(DORY_AUTH_PUBLICKEY);
    CHECK_EQ(dory_ssh_accept_partial(&w.ssh, DORY_AUTH_PASSWORD), DORY_E_STATE);
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        w.hold = 1U << DORY_EV_AUTH_REQUEST;
        dory_wire_put_publickey(&w, &b, "alice", "ssh-ed25519", &w.userkey, is_signed);
        dory_wire_send_bytes(&w, &b);
        w.event_counted = false;
        CHECK_EQ(dory_ssh_accept_partial(&w.ssh, DORY_AUTH_PASSWORD), DORY_OK);
        w.hold = 0;
        dory_wire_pump(&w);
        if (is_signed)
            expect_failure("password", true);
        else
            dory_wire_expect(&w, MSG_USERAUTH_60, NULL);
    }
    CHECK(!(dory_ssh_state(&w.ssh) & DORY_READY));
    dory_wire_send_bytes(&w, &b); /* the same key once more */
    expect_failure("password", false);
    dory_wire_put_password(&b, "alice", "secret");
    dory_wire_send_bytes(&w, &b);
    dory_wire_expect(&w, MSG_USERAUTH_SUCCESS, NULL);
    dory_wire_free(&w);
}

static void partial_success(const char *user)
{
    begin_server(DORY_AUTH_PUBLICKEY);
    w.hold = 1U << DORY_EV_AUTH_REQUEST;
    dory_wire_put_publickey(&w, &b, user, "ssh-ed25519", &w.userkey, true);
    dory_wire_send_bytes(&w, &b);
    w.event_counted = false;
}

/* The key of one user and the password of another are no login of either (RFC 4252 5). */
static void A4_another_user_after_a_partial_success(void **state)
{
    static const char *const others[] = {"root", "alic", "alice2", ""};
    (void)state;
    for (int i = 0; i < 4; i++)
        for (int interactive = 0; interactive < 2; interactive++) {
            partial_success("alice");
            CHECK_EQ(dory_ssh_accept_partial(&w.ssh, DORY_AUTH_PASSWORD | DORY_AUTH_KEYBOARD_INTERACTIVE), DORY_OK);
            w.hold = 0;
            dory_wire_pump(&w);
            expect_failure("password,keyboard-interactive", true);
            if (interactive) {
                ask(others[i]);
            } else {
                dory_wire_put_password(&b, others[i], "secret");
                dory_wire_send_bytes(&w, &b);
            }
            dory_wire_expect_disconnect(&w, SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE, DORY_E_AUTH);
            CHECK(!(dory_ssh_state(&w.ssh) & DORY_READY));
            dory_wire_free(&w);
        }
}

static void partial_success_of_a_long_name(void **state)
{
    char name[DORY_USER_NAME_MAX + 2];
    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    partial_success(name);
    CHECK_EQ(dory_ssh_accept_partial(&w.ssh, DORY_AUTH_PASSWORD), DORY_E_SPACE);
    CHECK_EQ(dory_ssh_refuse(&w.ssh), DORY_OK);
    w.hold = 0;
    dory_wire_pump(&w);
    expect_failure("publickey", false);
    dory_wire_free(&w);
}

/* ---- the engine is the client ---- */

static void begin_client(void)
{
    dory_wire_new(&w, &dory_ssh_client);
    w.auth_plan = DORY_AUTH_KEYBOARD_INTERACTIVE;
    dory_wire_to(&w, WIRE_SERVICE);
    b.n = 0;
    dory_put8(&b, MSG_SERVICE_ACCEPT);
    dory_put_text(&b, "ssh-userauth");
    dory_wire_send_bytes(&w, &b);
    dory_wire_expect(&w, MSG_USERAUTH_REQUEST, &m);
    CHECK(dory_view_is(dory_get_string(&m.body), "alice"));
    CHECK(dory_view_is(dory_get_string(&m.body), "ssh-connection"));
    CHECK(dory_view_is(dory_get_string(&m.body), "keyboard-interactive"));
    CHECK_EQ(dory_get_string(&m.body).n, 0);
    CHECK_EQ(dory_get_string(&m.body).n, 0);
    CHECK_EQ(m.body.n, 0);
}

static void put_prompts(uint32_t said, unsigned really)
{
    char text[24];

    b.n = 0;
    dory_put8(&b, MSG_USERAUTH_60);
    dory_put_text(&b, "name");
    dory_put_text(&b, "instruction");
    dory_put_text(&b, "");
    dory_put32(&b, said);
    for (unsigned i = 0; i < really; i++) {
        snprintf(text, sizeof text, "prompt %u", i);
        dory_put_text(&b, text);
        dory_put8(&b, i & 1);
    }
}

static void client_is_asked(void **state)
{
    static const unsigned counts[] = {0, 1, 3, 255};
    (void)state;

    begin_client();
    for (int i = 0; i < 4; i++) {
        const uint8_t *text;
        char want[24];
        size_t n;
        bool echo;

        dory_kit_case("%u prompts", counts[i]);
        w.hold = 1U << DORY_EV_PROMPTS;
        put_prompts(counts[i], counts[i]);
        dory_wire_send_bytes(&w, &b);
        CHECK_EQ(w.events[DORY_EV_PROMPTS], i + 1);
        CHECK_EQ(w.last.e.count, counts[i]);
        CHECK(dory_view_is(dory_view(w.last.e.data, w.last.e.n), "name"));
        CHECK(dory_view_is(dory_view(w.last.e.user, w.last.e.user_n), "instruction"));
        for (unsigned k = 0; k < counts[i]; k++) {
            snprintf(want, sizeof want, "prompt %u", k);
            CHECK(dory_ssh_prompt(&w.ssh, k, &text, &n, &echo));
            CHECK(dory_view_is(dory_view(text, n), want));
            CHECK_EQ(echo, k & 1);
        }
        CHECK(!dory_ssh_prompt(&w.ssh, counts[i], &text, &n, &echo));
        w.hold = 0;
        dory_wire_pump(&w);
        dory_wire_expect(&w, MSG_USERAUTH_61, &m);
        CHECK_EQ(dory_get32(&m.body), counts[i]);
        for (unsigned k = 0; k < counts[i]; k++)
            CHECK(dory_view_is(dory_get_string(&m.body), w.password));
        CHECK_EQ(m.body.n, 0);
    }
    dory_wire_send_type(&w, MSG_USERAUTH_SUCCESS);
    CHECK(dory_ssh_state(&w.ssh) & DORY_READY);
    dory_wire_free(&w);
}

static void A8_prompts_that_are_malformed(void **state)
{
    static const struct {
        uint32_t said;
        unsigned really;
    } cases[] = {{0, 1}, {1, 0}, {2, 1}, {1, 2}, {256, 256}, {0x7fffffff, 1}, {0xffffffff, 2}};
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dory_kit_case("%u prompts said, %u there", cases[i].said, cases[i].really);
        begin_client();
        put_prompts(cases[i].said, cases[i].really);
        dory_wire_send_bytes(&w, &b);
        expect_protocol_error();
        CHECK_EQ(w.events[DORY_EV_PROMPTS], 0);
        dory_wire_free(&w);
    }
}

static void A3_prompts_nobody_asked_for(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        dory_kit_case("case %d", i);
        dory_wire_new(&w, &dory_ssh_client);
        w.auth_plan = i ? DORY_AUTH_NONE : DORY_AUTH_PUBLICKEY;
        dory_wire_to(&w, WIRE_AUTH);
        put_prompts(1, 1);
        dory_wire_send_bytes(&w, &b);
        expect_protocol_error();
        CHECK_EQ(w.events[DORY_EV_PROMPTS], 0);
        dory_wire_free(&w);
    }
}

static void client_answers_that_do_not_fit(void **state)
{
    static uint8_t much[9000];
    const struct dory_response one[2] = {{much, sizeof much}, {much, 0}};
    const uint8_t *text;
    size_t n;
    bool echo;
    (void)state;

    dory_wire_new(&w, &dory_ssh_client);
    w.config.tx_size = 4096;
    w.auth_plan = DORY_AUTH_KEYBOARD_INTERACTIVE;
    dory_wire_to(&w, WIRE_AUTH);
    CHECK_EQ(dory_ssh_auth_respond(&w.ssh, one, 1), DORY_E_STATE);
    CHECK(!dory_ssh_prompt(&w.ssh, 0, &text, &n, &echo));
    w.hold = 1U << DORY_EV_PROMPTS;
    put_prompts(1, 1);
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(dory_ssh_auth_respond(&w.ssh, one, 1), DORY_E_SPACE);
    CHECK_EQ(dory_ssh_auth_respond(&w.ssh, one, 0), DORY_E_ARG);
    CHECK_EQ(dory_ssh_auth_respond(&w.ssh, one, 2), DORY_E_ARG);
    CHECK_EQ(dory_ssh_accept(&w.ssh), DORY_E_STATE);
    CHECK_EQ(dory_ssh_auth_respond(&w.ssh, one + 1, 1), DORY_OK);
    w.event_counted = false;
    w.hold = 0;
    dory_wire_expect(&w, MSG_USERAUTH_61, &m);
    CHECK_EQ(dory_get32(&m.body), 1);
    CHECK_EQ(dory_get_string(&m.body).n, 0);
    dory_wire_free(&w);
}

/* Whoever does not want to answer tries something else. */
static void client_refuses_prompts(void **state)
{
    (void)state;
    begin_client();
    w.refuse = 1U << DORY_EV_PROMPTS;
    w.auth_plan = DORY_AUTH_PASSWORD;
    put_prompts(1, 1);
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(w.seen[MSG_USERAUTH_61], 0);
    dory_wire_expect(&w, MSG_USERAUTH_REQUEST, &m);
    CHECK(dory_view_is(dory_get_string(&m.body), "alice"));
    dory_get_string(&m.body);
    CHECK(dory_view_is(dory_get_string(&m.body), "password"));
    dory_wire_send_type(&w, MSG_USERAUTH_SUCCESS);
    CHECK(dory_ssh_state(&w.ssh) & DORY_READY);
    dory_wire_free(&w);
}

/* RFC 4256 3.4 with RFC 4252 8: the packet's length does not tell the password's. */
static void length_of_an_answer_is_hidden(void **state)
{
    uint64_t size[2];
    (void)state;

    for (int i = 0; i < 2; i++) {
        uint64_t before;
        begin_client();
        w.password = i ? "a password of forty bytes, more or less." : "1";
        before = w.drained;
        put_prompts(1, 1);
        dory_wire_send_bytes(&w, &b);
        size[i] = w.drained - before;
        dory_wire_free(&w);
    }
    CHECK(size[0] > 0);
    CHECK_EQ(size[0], size[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_takes_the_right_answer),
        cmocka_unit_test(A4_unknown_users_are_asked_too),
        cmocka_unit_test(A8_any_number_of_answers),
        cmocka_unit_test(A8_answers_that_are_malformed),
        cmocka_unit_test(A3_answers_to_no_question),
        cmocka_unit_test(A8_names_that_are_too_long),
        cmocka_unit_test(A6_each_wrong_answer_is_a_try),
        cmocka_unit_test(K3_answer_is_wiped),
        cmocka_unit_test(server_wants_two_methods),
        cmocka_unit_test(A4_another_user_after_a_partial_success),
        cmocka_unit_test(partial_success_of_a_long_name),
        cmocka_unit_test(client_is_asked),
        cmocka_unit_test(A8_prompts_that_are_malformed),
        cmocka_unit_test(A3_prompts_nobody_asked_for),
        cmocka_unit_test(client_answers_that_do_not_fit),
        cmocka_unit_test(client_refuses_prompts),
        cmocka_unit_test(length_of_an_answer_is_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
