/* T7: all 256 message numbers in every phase and role, with and without strict key exchange, against what the RFCs and the strict-kex
 * draft allow. The table is derived from them, not from the engine:
 *
 *   RFC 4253 7.1    during a key exchange only 1-4, 7 (RFC 8308), 20-49; not a second KEXINIT, not service messages
 *   strict-kex      in the first key exchange not even 2, 3, 4
 *   RFC 4253 11.4   what is not recognised is answered UNIMPLEMENTED
 *   RFC 4252 6      80 and higher before authentication: disconnect
 *   RFC 4252 5.1    USERAUTH_REQUEST after success: silently ignored
 *   RFC 4254 5      a channel message must name an open channel
 */
#include "ssh_peer.h"

enum {
    R = 1, /* rejected: DISCONNECT */
    U = 2, /* UNIMPLEMENTED with its sequence number */
    K = 4, /* taken or ignored; the conversation goes on */
    V = 8, /* the proper next step, or one that ends the channel: only must not be rejected */
    B = 16 /* the peer says goodbye */
};

struct range {
    int from, to;
    unsigned server, client; /* role of the engine */
};

/* Later entries win. */
static const struct range first_kex_strict[] = {{0, 255, R, R}, {1, 1, B, B}};
static const struct range first_kex_lax[] = {
    {0, 255, R, R}, {1, 1, B, B}, {2, 4, K, K}, {5, 6, R | U, R | U}, {7, 7, R | U | K, R | U | K}, {8, 19, R | U, R | U}};
static const struct range rekey[] = {{0, 255, R, R},       {1, 1, B, B}, {2, 4, K, K}, {5, 6, R, R}, {7, 7, R | U | K, R | U | K},
                                     {8, 19, R | U, R | U}};

static const struct range encrypted[] =
    {/* common to all phases outside a key exchange */
     {0, 0, R | U, R | U}, {1, 1, B, B},           {2, 4, K, K},   {5, 6, R | U, R | U},   {7, 7, R | U | K, R | U | K},
     {8, 8, R | U, R | U}, {9, 19, U, U},          {20, 20, V, V}, {21, 21, R, R},         {22, 29, R | U, R | U},
     {30, 31, R, R},       {32, 49, R | U, R | U}, {50, 53, R, R}, {54, 79, R | U, R | U}, {60, 60, R, R | U}};

static const struct range before_login[] = {{80, 127, R, R}, {128, 255, R | U, R | U}, {192, 192, R | U | K, R | U | K}};
static const struct range service[] = {{5, 5, V, R | U}, {6, 6, R | U, V}, {7, 7, K, K}};
static const struct range login[] = {{50, 50, V, R}, {5, 5, V, R | U}, {51, 52, R, V},       {53, 53, R, K},
                                     {60, 60, R, V}, {7, 7, R | U | K, K}, {6, 6, R | U, R}};

static const struct range logged_in[] = {
    {50, 50, K, R | U}, {53, 53, R, R | U | K}, {80, 80, K, K},   {81, 82, R | K, R | K},           {83, 89, U, U},  {90, 90, K, K},
    {91, 100, R, R},    {101, 191, U, U},       {192, 192, K, K}, {193, 193, R | U | K, R | U | K}, {194, 255, U, U}};
static const struct range opening[] = {{91, 92, R, V}};
static const struct range open_channel[] = {{93, 93, K, K}, {94, 95, K, K}, {96, 97, V, V}, {98, 98, V, K}};
static const struct range requested[] = {{99, 100, R, V}, {94, 95, R | K, K}};
static const struct range running[] = {{98, 98, K, K}};

static void apply(unsigned *table, const struct range *ranges, size_t n, bool server)
{
    for (size_t i = 0; i < n; i++)
        for (int t = ranges[i].from; t <= ranges[i].to; t++) table[t] = server ? ranges[i].server : ranges[i].client;
}
#define APPLY(ranges) apply(table, ranges, sizeof ranges / sizeof *ranges, server)

static void expect_kex(unsigned table[256], enum dory_wire_phase phase, bool server, bool strict)
{
    if (phase == WIRE_REKEY_KEX || phase == WIRE_REKEY_NEWKEYS)
        APPLY(rekey);
    else if (strict)
        APPLY(first_kex_strict);
    else
        APPLY(first_kex_lax);
    if (phase == WIRE_KEXINIT) {
        table[2] = table[3] = table[4] = R | K; /* strictness is not known yet; see below */
        table[20] = V;
    } else if (phase == WIRE_KEX || phase == WIRE_REKEY_KEX) {
        table[server ? 30 : 31] = V;
    } else {
        table[21] = V;
    }
}

static void expect(unsigned table[256], enum dory_wire_phase phase, bool server, bool strict)
{
    if (phase < WIRE_SERVICE || phase > WIRE_REKEY_KEXINIT) {
        expect_kex(table, phase, server, strict);
        return;
    }
    APPLY(encrypted);
    if (phase <= WIRE_AUTH) {
        APPLY(before_login);
        if (phase == WIRE_SERVICE)
            APPLY(service);
        else
            APPLY(login);
        return;
    }
    APPLY(logged_in);
    if (phase == WIRE_OPENING && !server)
        APPLY(opening);
    if (phase >= WIRE_REQUESTED || (phase == WIRE_OPENING && server))
        APPLY(open_channel);
    if (phase == WIRE_REQUESTED || (phase == WIRE_OPENING && server))
        APPLY(requested);
    if (phase >= WIRE_CHANNEL)
        APPLY(running);
}

/* ---- what happened ---- */

static unsigned outcome(struct dory_wire *w, uint32_t seq)
{
    struct dory_wire_msg m;
    unsigned got = K;

    if (dory_ssh_error(&w->ssh) == DORY_E_DISCONNECTED) {
        CHECK_EQ(dory_wire_end_reason(w), 0); /* a DISCONNECT is not answered */
        return B;
    }
    if (dory_ssh_error(&w->ssh)) {
        CHECK_EQ(dory_ssh_error(&w->ssh), DORY_E_PROTOCOL);
        CHECK_EQ(dory_wire_end_reason(w), SSH_DISCONNECT_PROTOCOL_ERROR);
        return R;
    }
    while (dory_wire_recv(w, &m)) {
        if (m.type != MSG_UNIMPLEMENTED)
            continue;
        CHECK_EQ(dory_get32(&m.body), seq);
        got = U;
    }
    return got;
}

/* A message before the first KEXINIT must spoil a strict exchange even where it was not refused at once. */
static void check_spoiled(struct dory_wire *w)
{
    dory_wire_send_kexinit(w);
    CHECK(dory_ssh_error(&w->ssh) != DORY_OK);
}

static void try_message(struct dory_wire *w, unsigned type, unsigned allowed, bool strict)
{
    static struct dory_bytes b;
    unsigned got;
    uint32_t seq;

    dory_wire_build_message(w, &b, type);
    seq = dory_wire_send_bytes(w, &b);
    if (allowed == V) {
        CHECK(dory_ssh_error(&w->ssh) == DORY_OK || dory_ssh_error(&w->ssh) == DORY_E_KEX);
        return;
    }
    got = outcome(w, seq);
    if (!(got & allowed))
        dory_kit_failed(__FILE__, __LINE__, "outcome (1 reject, 2 unimplemented, 4 go on, 16 bye)", true, got, allowed);
    if (got == K && strict && w->phase == WIRE_KEXINIT)
        check_spoiled(w);
    else if (got == K || got == U)
        dory_wire_prove_alive(w);
}

static void sweep(const struct dory_ssh_role *role, bool strict)
{
    static struct dory_wire w;
    struct dory_wire_saved saved;
    bool server = role == &dory_ssh_server;

    for (enum dory_wire_phase phase = WIRE_KEXINIT; phase < WIRE_PHASES; phase++) {
        unsigned table[256];
        dory_wire_new(&w, role);
        if (!strict)
            w.lists[0] = "curve25519-sha256";
        dory_kit_case("%s, reaching %s", server ? "server" : "client", dory_wire_phase_name(phase));
        dory_wire_to(&w, phase);
        dory_wire_save(&w, &saved);
        expect(table, phase, server, strict);
        for (unsigned type = 0; type < 256; type++) {
            dory_kit_case("%s, %s, phase %s, message %u", server ? "server" : "client", strict ? "strict" : "lax",
                          dory_wire_phase_name(phase), type);
            dory_wire_restore(&w, &saved);
            try_message(&w, type, table[type], strict);
        }
        dory_wire_forget(&saved);
        dory_wire_free(&w);
    }
}

static void T7_every_message_in_every_phase_server_strict(void **state)
{
    (void)state;
    sweep(&dory_ssh_server, true);
}

static void T7_every_message_in_every_phase_client_strict(void **state)
{
    (void)state;
    sweep(&dory_ssh_client, true);
}

static void T7_every_message_in_every_phase_server_lax(void **state)
{
    (void)state;
    sweep(&dory_ssh_server, false);
}

static void T7_every_message_in_every_phase_client_lax(void **state)
{
    (void)state;
    sweep(&dory_ssh_client, false);
}

/* The same messages cut short: each known number with every shorter length. Nothing may be read beyond the packet, nothing is accepted
   half (the sanitizers watch), and no engine goes on with a field it did not get. */
static bool without_effect(const struct dory_ssh_role *role, enum dory_wire_phase phase, unsigned type)
{
    bool server = role == &dory_ssh_server; /* these may be skipped unread, or refused without reading all */
    return type <= MSG_DEBUG || type == (server ? MSG_EXT_INFO : MSG_OPEN) ||
           (server && type == MSG_CHANNEL_REQUEST && phase >= WIRE_CHANNEL); /* the second exec, refused anyway */
}

static void cut_short(const struct dory_ssh_role *role)
{
    static struct dory_wire w;
    static struct dory_bytes whole;
    struct dory_wire_saved saved;

    for (enum dory_wire_phase phase = WIRE_KEXINIT; phase < WIRE_PHASES; phase++) {
        dory_wire_new(&w, role);
        dory_wire_to(&w, phase);
        dory_wire_save(&w, &saved);
        for (unsigned type = 1; type <= 100; type++) {
            dory_wire_build_message(&w, &whole, type);
            if (without_effect(role, phase, type) || whole.n == 1)
                continue;
            for (size_t n = 1; n<whole.n; n += whole.n> 150 ? 13 : 1) {
                unsigned got;
                uint32_t seq;
                dory_kit_case("phase %s, message %u, %zu of %zu bytes", dory_wire_phase_name(phase), type, n, whole.n);
                dory_wire_restore(&w, &saved);
                seq = dory_wire_send(&w, whole.p, n);
                got = dory_ssh_error(&w.ssh) == DORY_E_KEX ? R : outcome(&w, seq);
                if (got == K && type != MSG_USERAUTH_REQUEST)
                    dory_kit_failed(__FILE__, __LINE__, "malformed and taken", false, 0, 0);
            }
        }
        dory_wire_forget(&saved);
        dory_wire_free(&w);
    }
}

static void malformed_messages_are_rejected_server(void **state)
{
    (void)state;
    cut_short(&dory_ssh_server);
}

static void malformed_messages_are_rejected_client(void **state)
{
    (void)state;
    cut_short(&dory_ssh_client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T7_every_message_in_every_phase_server_strict), cmocka_unit_test(T7_every_message_in_every_phase_client_strict),
        cmocka_unit_test(T7_every_message_in_every_phase_server_lax),    cmocka_unit_test(T7_every_message_in_every_phase_client_lax),
        cmocka_unit_test(malformed_messages_are_rejected_server),        cmocka_unit_test(malformed_messages_are_rejected_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
