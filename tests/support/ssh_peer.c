/* The scripted peer: transport, and the application above the engine under test. The steps of a conversation are in ssh_peer_script.c. */
#include "ssh_peer.h"

const struct dory_kex *const dory_wire_all_kex[] = {&dory_kex_curve25519_sha256, &dory_kex_curve25519_sha256_libssh,
                                                     &dory_kex_mlkem768x25519_sha256, &dory_kex_ecdh_sha2_nistp256, NULL};
const struct dory_cipher *const dory_wire_all_ciphers[] = {&dory_cipher_chacha20_poly1305, &dory_cipher_aes256_gcm,
                                                           &dory_cipher_aes256_ctr, &dory_cipher_aes128_gcm, &dory_cipher_aes128_ctr,
                                                           NULL};
const struct dory_mac *const dory_wire_all_macs[] = {&dory_mac_hmac_sha2_256_etm, &dory_mac_hmac_sha2_512_etm, NULL};
const struct dory_sigalg *const dory_wire_all_signatures[] = {&dory_sig_ssh_ed25519, NULL};

/* ---- life ---- */

static void default_config(struct dory_wire *w, const struct dory_ssh_role *role)
{
    struct dory_ssh_config *c = &w->config;

    c->role = role;
    c->software = "Dory_test";
    c->rng = dory_kit_rng(&w->engine_rng);
    c->kex = dory_wire_all_kex;
    c->ciphers = dory_wire_all_ciphers;
    c->macs = dory_wire_all_macs;
    c->signatures = dory_wire_all_signatures;
    c->rx_size = c->tx_size = 40000;
    c->channels = w->channels;
    c->channel_count = 4;
    c->user = "alice";
    c->auth_methods = DORY_AUTH_PASSWORD | DORY_AUTH_PUBLICKEY;
}

static void default_peer(struct dory_wire *w)
{
    w->version = "SSH-2.0-wire\r\n";
    w->lists[0] = w->server ? "curve25519-sha256,kex-strict-s-v00@openssh.com" : "curve25519-sha256,kex-strict-c-v00@openssh.com";
    w->lists[1] = "ssh-ed25519";
    w->lists[2] = w->lists[3] = "chacha20-poly1305@openssh.com";
    w->lists[4] = w->lists[5] = "hmac-sha2-256-etm@openssh.com";
    w->lists[6] = w->lists[7] = "none";
    w->lists[8] = w->lists[9] = "";
    w->kex = &dory_kex_curve25519_sha256;
    w->cipher = &dory_cipher_chacha20_poly1305;
    w->window = 1U << 20;
    w->max_packet = 32768;
    w->password = "secret";
    w->auth_plan = DORY_AUTH_PASSWORD;
    w->forge_length = w->forge_padding = -1;
    dory_kit_key(&w->hostkey, 1);
    dory_kit_key(&w->userkey, 2);
}

void dory_wire_new(struct dory_wire *w, const struct dory_ssh_role *engine_role)
{
    CHECK_EQ(dory_crypto_init(), DORY_OK);
    memset(w, 0, sizeof *w);
    w->server = engine_role == &dory_ssh_client;
    dory_kit_rng_init(&w->engine_rng, 1);
    dory_kit_rng_init(&w->rng, 2);
    w->now = 1000;
    default_config(w, engine_role);
    default_peer(w);
}

void dory_wire_use_cipher(struct dory_wire *w, int number)
{
    w->cipher = dory_wire_all_ciphers[number];
    w->mac = w->cipher->tag_size ? NULL : dory_wire_all_macs[0];
    w->lists[2] = w->lists[3] = w->cipher->name;
}

/* The engine keeps the pointer; its content never changes. */
static const struct dory_hostkey *host_keys(void)
{
    static struct dory_kit_key key;
    static struct dory_hostkey entry;
    dory_kit_key(&key, 1);
    entry = (struct dory_hostkey){"ssh-ed25519", key.blob, key.n};
    return &entry;
}

void dory_wire_start(struct dory_wire *w)
{
    if (w->started)
        return;
    w->started = true;
    if (!w->server && !w->config.hostkeys) {
        w->config.hostkeys = host_keys();
        w->config.hostkey_count = 1;
    }
    if (!w->config.rx)
        w->config.rx = malloc(w->config.rx_size);
    if (!w->config.tx)
        w->config.tx = malloc(w->config.tx_size);
    CHECK(w->config.rx && w->config.tx);
    memset(&w->ssh, 0xa5, sizeof w->ssh); /* given uninitialised */
    memset(w->channels, 0xa5, sizeof w->channels);
    CHECK_EQ(dory_ssh_init(&w->ssh, &w->config, w->now), DORY_OK);
}

void dory_wire_free(struct dory_wire *w)
{
    if (w->started)
        dory_ssh_wipe(&w->ssh);
    free(w->config.rx);
    free(w->config.tx);
    dory_pipe_free(&w->to_engine);
    dory_pipe_free(&w->from_engine);
    dory_pipe_free(&w->recorded);
}

/* ---- the application above the engine ---- */

static void keep_bytes(uint8_t *to, const uint8_t *from, size_t n)
{
    if (from && n)
        memcpy(to, from, n < DORY_WIRE_KEEP ? n : DORY_WIRE_KEEP);
}

static void keep_event(struct dory_wire *w, const struct dory_event *e)
{
    w->events[e->type & 15]++;
    w->last.e = *e;
    keep_bytes(w->last.data, e->data, e->n);
    keep_bytes(w->last.user, e->user, e->user_n);
    w->last.e.data = w->last.data;
    w->last.e.user = w->last.user;
    w->last.e.key = NULL;
}

static bool good_credentials(const struct dory_wire *w, const struct dory_event *e)
{
    if (!dory_view_is(dory_view(e->user, e->user_n), "alice"))
        return false;
    if (e->method == DORY_AUTH_PASSWORD || e->method == DORY_AUTH_KEYBOARD_INTERACTIVE)
        return dory_view_is(dory_view(e->data, e->n), "secret");
    return e->method == DORY_AUTH_PUBLICKEY && e->key_n == w->userkey.n && memcmp(e->key, w->userkey.blob, e->key_n) == 0;
}

static void authenticate(struct dory_wire *w)
{
    if (w->auth_limit && w->events[DORY_EV_AUTH] > (unsigned)w->auth_limit)
        dory_ssh_refuse(&w->ssh);
    else if (w->auth_plan == DORY_AUTH_PUBLICKEY)
        dory_ssh_auth_publickey(&w->ssh, "ssh-ed25519", w->userkey.blob, w->userkey.n, w->auth_ask);
    else if (w->auth_plan == DORY_AUTH_NONE)
        dory_ssh_auth_none(&w->ssh);
    else if (w->auth_plan == DORY_AUTH_KEYBOARD_INTERACTIVE)
        dory_ssh_auth_interactive(&w->ssh);
    else
        dory_ssh_auth_password(&w->ssh, (const uint8_t *)w->password, strlen(w->password));
}

static void sign(struct dory_wire *w, const struct dory_event *e)
{
    uint8_t blob[DORY_KEY_BLOB_MAX];
    const struct dory_kit_key *key = w->server ? &w->userkey : &w->hostkey;
    dory_ssh_sign(&w->ssh, blob, dory_kit_sign(key, e->data, e->n, blob, sizeof blob));
}

static void respond(struct dory_wire *w, unsigned count)
{
    struct dory_response responses[UINT8_MAX];

    for (unsigned i = 0; i < count; i++)
        responses[i] = (struct dory_response){(const uint8_t *)w->password, strlen(w->password)};
    w->last_error = dory_ssh_auth_respond(&w->ssh, responses, count);
}

static bool answer_event(struct dory_wire *w)
{
    struct dory_event e;
    enum dory_event_type type = dory_ssh_event(&w->ssh, &e);

    if (type == DORY_EV_NONE || dory_ssh_error(&w->ssh)) {
        w->event_counted = false;
        return false;
    }
    if (!w->event_counted)
        keep_event(w, &e);
    w->event_counted = true;
    if (w->hold & 1U << type)
        return false;
    w->event_counted = false;
    if (w->refuse & 1U << type)
        dory_ssh_refuse(&w->ssh);
    else if (type == DORY_EV_SIGN)
        sign(w, &e);
    else if (type == DORY_EV_AUTH)
        authenticate(w);
    else if (type == DORY_EV_PROMPTS)
        respond(w, e.count);
    else if (type == DORY_EV_AUTH_REQUEST && !good_credentials(w, &e))
        dory_ssh_refuse(&w->ssh);
    else {
        w->logins += type == DORY_EV_AUTH_REQUEST && (e.method != DORY_AUTH_PUBLICKEY || e.signed_ok);
        dory_ssh_accept(&w->ssh);
    }
    return true;
}

static bool take_data(struct dory_wire *w)
{
    int channel;
    uint32_t extended;
    size_t n;
    const uint8_t *p = w->hold_data ? NULL : dory_ssh_recvdata_buf(&w->ssh, &channel, &extended, &n);

    if (!p)
        return false;
    CHECK(n > 0);
    if (w->take && n > w->take)
        n = w->take;
    for (size_t i = 0; i < n; i++) {
        w->got_bytes[(w->got + i) % sizeof w->got_bytes] = p[i];
        w->got_sum += p[i];
    }
    w->got += n;
    w->last_error = dory_ssh_recvdata_ack(&w->ssh, n);
    return true;
}

static bool drain(struct dory_wire *w)
{
    size_t n;
    const uint8_t *p = w->hold_drain ? NULL : dory_ssh_sendpkt_buf(&w->ssh, &n);

    if (!p)
        return false;
    CHECK(n > 0);
    dory_pipe_put(&w->from_engine, p, n);
    w->drained += n;
    dory_ssh_sendpkt_ack(&w->ssh, n);
    return true;
}

static bool feed(struct dory_wire *w)
{
    size_t have = dory_pipe_size(&w->to_engine), room;
    uint8_t *p = have ? dory_ssh_recvpkt_buf(&w->ssh, &room) : NULL;

    if (!p)
        return false;
    CHECK(room > 0);
    if (room > have)
        room = have;
    if (w->chunk && room > w->chunk)
        room = w->chunk;
    memcpy(p, dory_pipe_peek(&w->to_engine), room);
    if (w->record)
        dory_pipe_put(&w->recorded, p, room);
    dory_pipe_drop(&w->to_engine, room);
    w->last_error = dory_ssh_recvpkt_ack(&w->ssh, room);
    return true;
}

void dory_wire_pump(struct dory_wire *w)
{
    bool moved = true;

    dory_wire_start(w);
    while (moved) {
        moved = answer_event(w);
        moved |= take_data(w);
        moved |= drain(w);
        moved |= feed(w);
    }
}

uint64_t dory_wire_tick(struct dory_wire *w, uint64_t ms)
{
    uint64_t next;
    w->now += ms;
    next = dory_ssh_tick(&w->ssh, w->now);
    dory_wire_pump(w);
    return next;
}

/* ---- packets out ---- */

size_t dory_wire_raw(struct dory_wire *w, const void *p, size_t n)
{
    size_t before;

    dory_wire_start(w);
    before = dory_pipe_size(&w->to_engine);
    dory_pipe_put(&w->to_engine, p, n);
    dory_wire_pump(w);
    return before + n - dory_pipe_size(&w->to_engine);
}

static void store32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

size_t dory_wire_seal(struct dory_wire *w, const void *payload, size_t n, uint8_t *out, size_t cap)
{
    struct dory_wire_direction *d = &w->out;
    size_t block = d->cipher ? d->cipher->block_size : 8;
    size_t counted = (d->cipher ? 0U : 4U) + 1 + n;
    size_t pad = block - counted % block, size, tag = 0;

    if (pad < 4)
        pad += block;
    size = 5 + n + pad;
    CHECK(size + 64 <= cap);
    store32(out, w->forge_length >= 0 ? (uint32_t)w->forge_length : (uint32_t)(size - 4));
    out[4] = w->forge_padding >= 0 ? (uint8_t)w->forge_padding : (uint8_t)pad;
    w->forge_length = w->forge_padding = -1;
    if (n)
        memcpy(out + 5, payload, n);
    w->config.rng.fill(&w->rng, out + 5 + n, pad);
    if (d->cipher) {
        tag = d->mac ? d->mac->tag_size : d->cipher->tag_size;
        CHECK_EQ(d->cipher->seal(d->cipher_ctx, d->seq, out, size), DORY_OK);
        if (d->mac)
            d->mac->compute(d->mac_ctx, d->seq, out, size, out + size);
    }
    d->seq++;
    return size + tag;
}

uint32_t dory_wire_send(struct dory_wire *w, const void *payload, size_t n)
{
    uint32_t seq;
    uint8_t *out = malloc(n + 512);

    CHECK(out);
    dory_wire_start(w);
    seq = w->out.seq;
    dory_wire_raw(w, out, dory_wire_seal(w, payload, n, out, n + 512));
    free(out);
    return seq;
}

void dory_wire_queue(struct dory_wire *w, const struct dory_bytes *b, int times)
{
    static uint8_t packet[DORY_KIT_BYTES + 512];

    dory_wire_start(w);
    while (times--) dory_pipe_put(&w->to_engine, packet, dory_wire_seal(w, b->p, b->n, packet, sizeof packet));
}

uint32_t dory_wire_send_bytes(struct dory_wire *w, const struct dory_bytes *b)
{
    return dory_wire_send(w, b->p, b->n);
}

uint32_t dory_wire_send_type(struct dory_wire *w, unsigned type)
{
    uint8_t byte = (uint8_t)type;
    return dory_wire_send(w, &byte, 1);
}

/* ---- packets in ---- */

static uint32_t load32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void open_packet(struct dory_wire_direction *d, uint8_t *pkt, size_t size)
{
    if (d->mac) {
        uint8_t tag[64];
        d->mac->compute(d->mac_ctx, d->seq, pkt, size, tag);
        CHECK(memcmp(tag, pkt + size, d->mac->tag_size) == 0);
    }
    CHECK_EQ(d->cipher->open(d->cipher_ctx, d->seq, pkt, size), DORY_OK);
}

static bool recv_payload(struct dory_wire *w, struct dory_view *payload)
{
    struct dory_wire_direction *d = &w->in;
    size_t have = dory_pipe_size(&w->from_engine), length, tag = 0;
    const uint8_t *p = dory_pipe_peek(&w->from_engine);
    unsigned block = d->cipher ? d->cipher->block_size : 8;

    if (have < 4)
        return false;
    length = d->cipher ? d->cipher->length(d->cipher_ctx, d->seq, p) : load32(p);
    if (d->cipher)
        tag = d->mac ? d->mac->tag_size : d->cipher->tag_size;
    CHECK(length >= 5 && length <= sizeof w->packet - 100);
    CHECK_EQ((length + (d->cipher ? 0U : 4U)) % block, 0);
    if (have < 4 + length + tag)
        return false;
    memcpy(w->packet, p, 4 + length + tag);
    dory_pipe_drop(&w->from_engine, 4 + length + tag);
    if (d->cipher)
        open_packet(d, w->packet, 4 + length);
    CHECK(w->packet[4] >= 4 && (size_t)w->packet[4] + 2 <= length);
    *payload = dory_view(w->packet + 5, length - 1 - w->packet[4]);
    d->seq++;
    return true;
}

void dory_wire_take_keys(struct dory_wire *w, struct dory_wire_direction *d, int side)
{
    bool other = side == 1 && w->cipher_sc;

    d->cipher = other ? w->cipher_sc : w->cipher;
    d->mac = other ? NULL : w->mac;
    CHECK_EQ(d->cipher->init(d->cipher_ctx, w->key[side], w->iv[side]), DORY_OK);
    if (d->mac)
        d->mac->init(d->mac_ctx, w->mac_key[side]);
    if (w->strict && !(d == &w->out && w->no_strict_reset))
        d->seq = 0;
}

static void new_keys_in(struct dory_wire *w)
{
    CHECK(w->keys_pending[1]);
    w->keys_pending[1] = false;
    dory_wire_take_keys(w, &w->in, w->server ? 0 : 1);
}

static bool skip_version(struct dory_wire *w)
{
    const uint8_t *p = dory_pipe_peek(&w->from_engine);
    size_t n = dory_pipe_size(&w->from_engine);
    const uint8_t *lf = n ? memchr(p, '\n', n) : NULL;

    if (!lf)
        return false;
    n = (size_t)(lf - p) + 1;
    CHECK(n >= 11 && n <= 255 && lf[-1] == '\r' && memcmp(p, "SSH-2.0-", 8) == 0);
    memcpy(w->their_version, p, n - 2);
    dory_pipe_drop(&w->from_engine, n);
    return true;
}

/* RFC 4253 7.1: after its KEXINIT a side sends nothing but transport messages, without service ones, until its NEWKEYS. */
static void check_kex_discipline(struct dory_wire *w, unsigned type)
{
    if (w->engine_in_kex && (type > 49 || type == MSG_KEXINIT || type == MSG_SERVICE_REQUEST || type == MSG_SERVICE_ACCEPT))
        dory_kit_failed(__FILE__, __LINE__, "only key exchange messages during a key exchange; type", true, type, 0);
    if (w->engine_in_kex && w->strict && !w->in.cipher && type > 1 && type < 20)
        dory_kit_failed(__FILE__, __LINE__, "nothing optional in a strict first key exchange; type", true, type, 0);
    if (type == MSG_KEXINIT)
        w->engine_in_kex = true;
    if (type == MSG_NEWKEYS) {
        CHECK(w->engine_in_kex);
        w->engine_in_kex = false;
    }
}

bool dory_wire_recv(struct dory_wire *w, struct dory_wire_msg *m)
{
    dory_wire_pump(w);
    if (!w->their_version[0] && !skip_version(w))
        return false;
    m->seq = w->in.seq;
    if (!recv_payload(w, &m->whole))
        return false;
    CHECK(m->whole.n >= 1);
    m->body = m->whole;
    m->type = dory_get8(&m->body);
    w->seen[m->type]++;
    check_kex_discipline(w, m->type);
    if (m->type == MSG_NEWKEYS)
        new_keys_in(w);
    return true;
}

bool dory_wire_find(struct dory_wire *w, unsigned type, struct dory_wire_msg *m)
{
    while (dory_wire_recv(w, m))
        if (m->type == type)
            return true;
    return false;
}

void dory_wire_expect(struct dory_wire *w, unsigned type, struct dory_wire_msg *m)
{
    struct dory_wire_msg mine;

    if (!m)
        m = &mine;
    while (dory_wire_recv(w, m)) {
        if (m->type == type)
            return;
        if (m->type == MSG_DISCONNECT)
            break;
    }
    print_error("waited for message %u; engine: %s (%s)\n", type, dory_strerror(dory_ssh_error(&w->ssh)), dory_ssh_error_text(&w->ssh));
    FAIL("the message came");
}

uint32_t dory_wire_end_reason(struct dory_wire *w)
{
    struct dory_wire_msg m;
    uint32_t reason = 0;

    dory_wire_pump(w);
    CHECK(dory_ssh_error(&w->ssh) != DORY_OK);
    CHECK(dory_ssh_state(&w->ssh) & DORY_DONE);
    while (dory_wire_recv(w, &m)) {
        CHECK_EQ(reason, 0); /* nothing may follow a DISCONNECT */
        if (m.type == MSG_DISCONNECT)
            reason = dory_get32(&m.body);
    }
    return reason;
}

void dory_wire_expect_disconnect(struct dory_wire *w, uint32_t reason, int error)
{
    uint32_t got;

    dory_wire_pump(w);
    CHECK_EQ(dory_ssh_error(&w->ssh), error);
    got = dory_wire_end_reason(w);
    CHECK_EQ(got, reason);
    CHECK_EQ(dory_ssh_disconnect_reason(&w->ssh), reason);
}

void dory_wire_expect_silence(struct dory_wire *w)
{
    struct dory_wire_msg m;

    dory_wire_pump(w);
    CHECK_EQ(dory_ssh_error(&w->ssh), DORY_OK);
    if (dory_wire_recv(w, &m))
        CHECK_EQ(m.type, 0);
    CHECK_EQ(dory_pipe_size(&w->to_engine), 0);
}

/* ---- going back in time ---- */

void dory_wire_save(struct dory_wire *w, struct dory_wire_saved *saved)
{
    memset(saved, 0, sizeof *saved);
    dory_wire_pump(w);
    dory_snap_add(&saved->snap, w, sizeof *w);
    dory_snap_add(&saved->snap, w->config.rx, w->config.rx_size);
    dory_snap_add(&saved->snap, w->config.tx, w->config.tx_size);
    dory_pipe_put(&saved->to_engine, dory_pipe_peek(&w->to_engine), dory_pipe_size(&w->to_engine));
    dory_pipe_put(&saved->from_engine, dory_pipe_peek(&w->from_engine), dory_pipe_size(&w->from_engine));
}

static void refill(struct dory_pipe *live, const struct dory_pipe *copy)
{
    live->head = live->tail = 0;
    dory_pipe_put(live, dory_pipe_peek(copy), dory_pipe_size(copy));
}

void dory_wire_restore(struct dory_wire *w, const struct dory_wire_saved *saved)
{
    struct dory_pipe to = w->to_engine, from = w->from_engine;

    dory_snap_restore(&saved->snap);
    w->to_engine = to;
    w->from_engine = from;
    refill(&w->to_engine, &saved->to_engine);
    refill(&w->from_engine, &saved->from_engine);
}

void dory_wire_forget(struct dory_wire_saved *saved)
{
    dory_snap_free(&saved->snap);
    dory_pipe_free(&saved->to_engine);
    dory_pipe_free(&saved->from_engine);
}
