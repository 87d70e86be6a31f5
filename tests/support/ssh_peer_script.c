/* The scripted peer: the steps of a proper conversation, each from the RFC's text. */
#include "ssh_peer.h"

const char *dory_wire_phase_name(enum dory_wire_phase phase)
{
    static const char *const names[] = {"VERSION", "KEXINIT",   "KEX",     "NEWKEYS",       "SERVICE",   "AUTH",         "CONNECTION",
                                        "OPENING", "REQUESTED", "CHANNEL", "REKEY_KEXINIT", "REKEY_KEX", "REKEY_NEWKEYS"};
    return names[phase];
}

/* ---- version and KEXINIT ---- */

void dory_wire_versions(struct dory_wire *w)
{
    dory_wire_start(w);
    dory_wire_raw(w, w->version, strlen(w->version));
}

void dory_wire_build_kexinit(struct dory_wire *w, struct dory_bytes *b)
{
    uint8_t cookie[16];

    b->n = 0;
    w->config.rng.fill(&w->rng, cookie, sizeof cookie);
    dory_put8(b, MSG_KEXINIT);
    dory_put_raw(b, cookie, sizeof cookie);
    for (int i = 0; i < 10; i++) dory_put_text(b, w->lists[i]);
    dory_put8(b, w->follows);
    dory_put32(b, 0);
}

void dory_wire_send_kexinit(struct dory_wire *w)
{
    dory_wire_build_kexinit(w, &w->my_kexinit);
    dory_wire_send_bytes(w, &w->my_kexinit);
}

static bool ours_has_marker(const struct dory_wire *w)
{
    struct dory_view ours = dory_view(w->lists[0], strlen(w->lists[0]));
    return w->server ? dory_list_has(ours, "kex-strict-s-v00@openssh.com") || dory_list_has(ours, "kex-strict-s")
                     : dory_list_has(ours, "kex-strict-c-v00@openssh.com") || dory_list_has(ours, "kex-strict-c");
}

/* Strictness is settled by the first KEXINITs and never again; the engine must always offer it there. */
void dory_wire_recv_kexinit(struct dory_wire *w)
{
    struct dory_wire_msg m;

    dory_wire_expect(w, MSG_KEXINIT, &m);
    w->their_kexinit.n = 0;
    dory_put_raw(&w->their_kexinit, m.whole.p, m.whole.n);
    m.body = dory_view(w->their_kexinit.p + 17, m.whole.n - 17);
    for (int i = 0; i < 10; i++) w->their_kexinit_lists[i] = dory_get_string(&m.body);
    CHECK_EQ(dory_get8(&m.body), 0);
    CHECK_EQ(dory_get32(&m.body), 0);
    CHECK(!m.body.bad && m.body.n == 0);
    if (!w->strict_fixed) {
        CHECK(dory_list_has(w->their_kexinit_lists[0], w->server ? "kex-strict-c-v00@openssh.com" : "kex-strict-s-v00@openssh.com"));
        w->strict = ours_has_marker(w);
    }
    w->strict_fixed = true;
}

/* ---- key exchange ---- */

static void hash_string(struct dory_sha256 *h, const void *p, size_t n)
{
    uint8_t be[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    dory_sha256_update(h, be, 4);
    dory_sha256_update(h, p, n);
}

static void encode_secret(const struct dory_wire *w, struct dory_bytes *b, const uint8_t secret[32])
{
    b->n = 0;
    if (w->kex->secret_is_string)
        dory_put_string(b, secret, 32);
    else
        dory_put_mpint(b, secret, 32);
}

/* RFC 4253 7.2: K1 = HASH(K || H || X || session_id), K2 = HASH(K || H || K1). */
static void derive(const struct dory_wire *w, const struct dory_bytes *k, char x, uint8_t out[64])
{
    struct dory_sha256 h;

    dory_sha256_init(&h);
    dory_sha256_update(&h, k->p, k->n);
    dory_sha256_update(&h, w->h, 32);
    dory_sha256_update(&h, &x, 1);
    dory_sha256_update(&h, w->session_id, 32);
    dory_sha256_final(&h, out);
    dory_sha256_init(&h);
    dory_sha256_update(&h, k->p, k->n);
    dory_sha256_update(&h, w->h, 32);
    dory_sha256_update(&h, out, 32);
    dory_sha256_final(&h, out + 32);
}

/* RFC 5656 4: the exchange hash, then the keys, which wait for NEWKEYS. */
static void settle(struct dory_wire *w, const uint8_t *host, size_t host_n, const uint8_t *init, size_t init_n, const uint8_t *reply,
                   size_t reply_n, const uint8_t secret[32])
{
    static struct dory_bytes k;
    char version[256];
    struct dory_sha256 h;
    size_t version_n = strcspn(w->version, "\r\n");

    memcpy(version, w->version, version_n);
    memcpy(w->secret, secret, 32);
    encode_secret(w, &k, secret);
    dory_sha256_init(&h);
    hash_string(&h, w->server ? w->their_version : version, w->server ? strlen(w->their_version) : version_n);
    hash_string(&h, w->server ? version : w->their_version, w->server ? version_n : strlen(w->their_version));
    hash_string(&h, w->server ? w->their_kexinit.p : w->my_kexinit.p, w->server ? w->their_kexinit.n : w->my_kexinit.n);
    hash_string(&h, w->server ? w->my_kexinit.p : w->their_kexinit.p, w->server ? w->my_kexinit.n : w->their_kexinit.n);
    hash_string(&h, host, host_n);
    hash_string(&h, init, init_n);
    hash_string(&h, reply, reply_n);
    dory_sha256_update(&h, k.p, k.n);
    dory_sha256_final(&h, w->h);
    if (!w->have_session)
        memcpy(w->session_id, w->h, 32);
    w->have_session = true;
    for (int i = 0; i < 2; i++) {
        derive(w, &k, (char)('A' + i), w->iv[i]);
        derive(w, &k, (char)('C' + i), w->key[i]);
        derive(w, &k, (char)('E' + i), w->mac_key[i]);
    }
    w->keys_pending[0] = w->keys_pending[1] = true;
}

static void client_sends_init(struct dory_wire *w)
{
    static struct dory_bytes b;
    struct dory_rng rng = dory_kit_rng(&w->rng);

    CHECK_EQ(w->kex->keypair(w->kex_state, w->kex_mine, &rng), DORY_OK);
    b.n = 0;
    dory_put8(&b, MSG_KEX_INIT);
    dory_put_string(&b, w->kex_mine, w->kex->init_size);
    dory_wire_send_bytes(w, &b);
}

static void client_gets_reply(struct dory_wire *w)
{
    struct dory_wire_msg m;
    struct dory_view host, reply, signature;
    uint8_t secret[32];

    dory_wire_expect(w, MSG_KEX_REPLY, &m);
    host = dory_get_string(&m.body);
    reply = dory_get_string(&m.body);
    signature = dory_get_string(&m.body);
    CHECK(!m.body.bad && m.body.n == 0);
    CHECK_EQ(reply.n, w->kex->reply_size);
    CHECK_EQ(w->kex->dec(w->kex_state, reply.p, secret), DORY_OK);
    settle(w, host.p, host.n, w->kex_mine, w->kex->init_size, reply.p, reply.n, secret);
    CHECK_EQ(dory_sig_ssh_ed25519.verify(host.p, host.n, w->h, 32, signature.p, signature.n), DORY_OK);
}

static void server_gets_init(struct dory_wire *w)
{
    struct dory_wire_msg m;
    struct dory_view init;

    dory_wire_expect(w, MSG_KEX_INIT, &m);
    init = dory_get_string(&m.body);
    CHECK(!m.body.bad && m.body.n == 0);
    CHECK_EQ(init.n, w->kex->init_size);
    memcpy(w->kex_theirs, init.p, init.n);
    w->kex_theirs_n = init.n;
}

void dory_wire_send_reply(struct dory_wire *w, const uint8_t *reply, size_t n, const uint8_t secret[32], const uint8_t *signature,
                          size_t signature_n)
{
    static struct dory_bytes b;
    uint8_t good[DORY_KEY_BLOB_MAX];

    settle(w, w->hostkey.blob, w->hostkey.n, w->kex_theirs, w->kex_theirs_n, reply, n, secret);
    if (!signature) {
        signature_n = dory_kit_sign(&w->hostkey, w->h, 32, good, sizeof good);
        signature = good;
    }
    b.n = 0;
    dory_put8(&b, MSG_KEX_REPLY);
    dory_put_string(&b, w->hostkey.blob, w->hostkey.n);
    dory_put_string(&b, reply, n);
    dory_put_string(&b, signature, signature_n);
    dory_wire_send_bytes(w, &b);
}

static void server_sends_reply(struct dory_wire *w)
{
    uint8_t secret[32];
    struct dory_rng rng = dory_kit_rng(&w->rng);

    CHECK_EQ(w->kex->enc(w->kex_theirs, w->kex_mine, secret, &rng), DORY_OK);
    dory_wire_send_reply(w, w->kex_mine, w->kex->reply_size, secret, NULL, 0);
}

void dory_wire_send_kex(struct dory_wire *w)
{
    if (w->server)
        server_sends_reply(w);
    else
        client_sends_init(w);
}

void dory_wire_recv_kex(struct dory_wire *w)
{
    if (w->server)
        server_gets_init(w);
    else
        client_gets_reply(w);
}

void dory_wire_send_newkeys(struct dory_wire *w)
{
    dory_wire_send_type(w, MSG_NEWKEYS);
    CHECK(w->keys_pending[0]);
    w->keys_pending[0] = false;
    dory_wire_take_keys(w, &w->out, w->server ? 1 : 0);
}

/* Both KEXINITs are exchanged: up to the engine's NEWKEYS. */
static void exchange(struct dory_wire *w)
{
    if (w->server)
        dory_wire_send_kex(w);
    else
        dory_wire_send_kex(w), dory_wire_recv_kex(w);
    dory_wire_expect(w, MSG_NEWKEYS, NULL);
}

void dory_wire_rekey(struct dory_wire *w)
{
    dory_wire_send_kexinit(w);
    dory_wire_recv_kexinit(w);
    if (w->server)
        dory_wire_recv_kex(w);
    exchange(w);
    dory_wire_send_newkeys(w);
}

/* ---- messages of the upper layers ---- */

void dory_wire_put_request(struct dory_bytes *b, const char *user, const char *method)
{
    b->n = 0;
    dory_put8(b, MSG_USERAUTH_REQUEST);
    dory_put_text(b, user);
    dory_put_text(b, "ssh-connection");
    dory_put_text(b, method);
}

void dory_wire_put_password(struct dory_bytes *b, const char *user, const char *password)
{
    dory_wire_put_request(b, user, "password");
    dory_put8(b, 0);
    dory_put_text(b, password);
}

void dory_wire_put_publickey(struct dory_wire *w, struct dory_bytes *b, const char *user, const char *algorithm,
                             const struct dory_kit_key *key, bool with_signature)
{
    static struct dory_bytes data;
    uint8_t signature[DORY_KEY_BLOB_MAX];

    dory_wire_put_request(b, user, "publickey");
    dory_put8(b, with_signature);
    dory_put_text(b, algorithm);
    dory_put_string(b, key->blob, key->n);
    if (!with_signature)
        return;
    data.n = 0;
    dory_put_string(&data, w->session_id, 32);
    dory_put_raw(&data, b->p, b->n);
    dory_put_string(b, signature, dory_kit_sign(key, data.p, data.n, signature, sizeof signature));
}

void dory_wire_put_open(struct dory_bytes *b, const char *type, uint32_t channel, uint32_t window, uint32_t max)
{
    b->n = 0;
    dory_put8(b, MSG_OPEN);
    dory_put_text(b, type);
    dory_put32(b, channel);
    dory_put32(b, window);
    dory_put32(b, max);
}

void dory_wire_put_channel(struct dory_bytes *b, unsigned type, uint32_t channel)
{
    b->n = 0;
    dory_put8(b, type);
    dory_put32(b, channel);
}

void dory_wire_put_exec(struct dory_bytes *b, uint32_t channel, const char *command, bool reply)
{
    dory_wire_put_channel(b, MSG_CHANNEL_REQUEST, channel);
    dory_put_text(b, "exec");
    dory_put8(b, reply);
    dory_put_text(b, command);
}

void dory_wire_put_data(struct dory_bytes *b, uint32_t channel, size_t n)
{
    dory_wire_put_channel(b, MSG_DATA, channel);
    dory_put32(b, (uint32_t)n);
    dory_put_fill(b, 'd', n);
}

void dory_wire_put_global(struct dory_bytes *b, const char *name, bool reply)
{
    b->n = 0;
    dory_put8(b, MSG_GLOBAL_REQUEST);
    dory_put_text(b, name);
    dory_put8(b, reply);
}

/* ---- steps: each does what is due when `phase` is reached, and moves to the next ---- */

static struct dory_bytes out; /* the message being built */

static void step_kexinit(struct dory_wire *w)
{
    dory_wire_send_kexinit(w);
    if (w->server)
        dory_wire_recv_kex(w);
}

static void step_newkeys(struct dory_wire *w)
{
    struct dory_wire_msg m;

    dory_wire_send_newkeys(w);
    if (w->server && w->phase == WIRE_NEWKEYS) {
        dory_wire_expect(w, MSG_SERVICE_REQUEST, &m);
        CHECK(dory_view_is(dory_get_string(&m.body), "ssh-userauth"));
    }
}

static void step_service(struct dory_wire *w)
{
    out.n = 0;
    dory_put8(&out, w->server ? MSG_SERVICE_ACCEPT : MSG_SERVICE_REQUEST);
    dory_put_text(&out, "ssh-userauth");
    dory_wire_send_bytes(w, &out);
    if (!w->server)
        dory_wire_expect(w, MSG_SERVICE_ACCEPT, NULL);
    else if (!w->seen[MSG_USERAUTH_REQUEST]) /* a client need not wait for the accept */
        dory_wire_expect(w, MSG_USERAUTH_REQUEST, NULL);
}

static void step_auth(struct dory_wire *w)
{
    if (w->server) {
        dory_wire_send_type(w, MSG_USERAUTH_SUCCESS);
    } else {
        dory_wire_put_password(&out, "alice", "secret");
        dory_wire_send_bytes(w, &out);
        dory_wire_expect(w, MSG_USERAUTH_SUCCESS, NULL);
    }
    CHECK(dory_ssh_state(&w->ssh) & DORY_READY);
}

static void step_connection(struct dory_wire *w)
{
    struct dory_wire_msg m;

    if (w->server) {
        w->channel = dory_ssh_channel_open(&w->ssh, DORY_REQUEST_EXEC, "run", 3);
        CHECK(w->channel >= 0);
        dory_wire_expect(w, MSG_OPEN, &m);
        CHECK(dory_view_is(dory_get_string(&m.body), "session"));
    } else {
        dory_wire_put_open(&out, "session", DORY_WIRE_CHANNEL, w->window, w->max_packet);
        dory_wire_send_bytes(w, &out);
        dory_wire_expect(w, MSG_OPEN_CONFIRMATION, &m);
        CHECK_EQ(dory_get32(&m.body), DORY_WIRE_CHANNEL);
    }
    w->engine_channel = dory_get32(&m.body);
    w->engine_window = dory_get32(&m.body);
    w->engine_max = dory_get32(&m.body);
    CHECK(!m.body.bad && m.body.n == 0);
}

static void step_opening(struct dory_wire *w)
{
    if (!w->server)
        return;
    dory_wire_put_channel(&out, MSG_OPEN_CONFIRMATION, w->engine_channel);
    dory_put32(&out, DORY_WIRE_CHANNEL);
    dory_put32(&out, w->window);
    dory_put32(&out, w->max_packet);
    dory_wire_send_bytes(w, &out);
    dory_wire_expect(w, MSG_CHANNEL_REQUEST, NULL);
}

static void step_requested(struct dory_wire *w)
{
    if (w->server) {
        dory_wire_put_channel(&out, MSG_CHANNEL_SUCCESS, w->engine_channel);
        dory_wire_send_bytes(w, &out);
    } else {
        dory_wire_put_exec(&out, w->engine_channel, "run", true);
        dory_wire_send_bytes(w, &out);
        dory_wire_expect(w, MSG_CHANNEL_SUCCESS, NULL);
        w->channel = w->last.e.channel;
    }
    CHECK(dory_ssh_channel_state(&w->ssh, w->channel) & DORY_CH_STARTED);
}

static void step(struct dory_wire *w)
{
    switch (w->phase) {
    case WIRE_VERSION:
        dory_wire_versions(w);
        dory_wire_recv_kexinit(w);
        break;
    case WIRE_KEXINIT:
    case WIRE_REKEY_KEXINIT: step_kexinit(w); break;
    case WIRE_KEX:
    case WIRE_REKEY_KEX: exchange(w); break;
    case WIRE_NEWKEYS:
    case WIRE_REKEY_NEWKEYS: step_newkeys(w); break;
    case WIRE_SERVICE: step_service(w); break;
    case WIRE_AUTH: step_auth(w); break;
    case WIRE_CONNECTION: step_connection(w); break;
    case WIRE_OPENING: step_opening(w); break;
    case WIRE_REQUESTED: step_requested(w); break;
    case WIRE_CHANNEL:
        CHECK_EQ(dory_ssh_rekey(&w->ssh), DORY_OK);
        dory_wire_recv_kexinit(w);
        break;
    default: FAIL("a phase");
    }
    w->phase = w->phase == WIRE_REKEY_NEWKEYS ? WIRE_CHANNEL : w->phase + 1;
}

void dory_wire_to(struct dory_wire *w, enum dory_wire_phase phase)
{
    dory_wire_start(w);
    while (w->phase != phase) step(w);
}

uint32_t dory_wire_open_session(struct dory_wire *w, uint32_t our_number, const char *command)
{
    struct dory_wire_msg m;
    uint32_t number;

    CHECK(!w->server);
    dory_wire_put_open(&out, "session", our_number, w->window, w->max_packet);
    dory_wire_send_bytes(w, &out);
    dory_wire_expect(w, MSG_OPEN_CONFIRMATION, &m);
    CHECK_EQ(dory_get32(&m.body), our_number);
    number = dory_get32(&m.body);
    dory_wire_put_exec(&out, number, command, true);
    dory_wire_send_bytes(w, &out);
    dory_wire_expect(w, MSG_CHANNEL_SUCCESS, NULL);
    return number;
}

void dory_wire_fill_output(struct dory_wire *w)
{
    uint8_t *p;
    size_t n;

    w->hold_drain = true;
    while ((p = dory_ssh_senddata_buf(&w->ssh, w->channel, 0, &n)) != NULL) {
        memset(p, 'f', n);
        CHECK_EQ(dory_ssh_senddata_ack(&w->ssh, n), DORY_OK);
    }
    dory_wire_put_global(&out, "fill@example.com", true);
    dory_wire_queue(w, &out, 500);
    dory_wire_pump(w);
}

/* ---- proof of life ---- */

void dory_wire_prove_alive(struct dory_wire *w)
{
    static const char word[] = "alive";
    struct dory_wire_msg m;
    uint64_t before;
    uint8_t *p;
    size_t n;

    dory_wire_to(w, WIRE_CHANNEL);
    before = w->got;
    dory_wire_put_channel(&out, MSG_DATA, w->engine_channel);
    dory_put_text(&out, word);
    dory_wire_send_bytes(w, &out);
    CHECK_EQ(w->got, before + sizeof word - 1);
    p = dory_ssh_senddata_buf(&w->ssh, w->channel, 0, &n);
    CHECK(p && n >= sizeof word);
    memcpy(p, word, sizeof word - 1);
    CHECK_EQ(dory_ssh_senddata_ack(&w->ssh, sizeof word - 1), DORY_OK);
    do dory_wire_expect(w, MSG_DATA, &m);
    while (dory_get32(&m.body) != DORY_WIRE_CHANNEL || !dory_view_is(dory_get_string(&m.body), word));
}
