#include "ssh_pair.h"

#include "ssh_peer.h" /* the algorithm lists */

enum { UP, DOWN, ERR };

uint8_t dory_pair_pattern(int index, int direction, uint64_t offset)
{
    return (uint8_t)(offset * 131 + (offset >> 8) * 17 + (offset >> 16) * 5 + (unsigned)index * 29 + (unsigned)direction * 71);
}

/* ---- life ---- */

static void side_defaults(struct dory_pair_side *side, const struct dory_ssh_role *role, uint32_t seed)
{
    struct dory_ssh_config *c = &side->config;

    dory_kit_rng_init(&side->rng, seed);
    c->role = role;
    c->software = "Dory_test";
    c->rng = dory_kit_rng(&side->rng);
    c->kex = dory_wire_all_kex;
    c->ciphers = dory_wire_all_ciphers;
    c->macs = dory_wire_all_macs;
    c->signatures = dory_wire_all_signatures;
    c->rx_size = c->tx_size = 8192;
    c->channels = side->channels;
    c->channel_count = 4;
}

void dory_pair_new(struct dory_pair *p)
{
    CHECK_EQ(dory_crypto_init(), DORY_OK);
    memset(p, 0, sizeof *p);
    dory_kit_key(&p->hostkey, 1);
    dory_kit_key(&p->userkey, 2);
    side_defaults(&p->client, &dory_ssh_client, 11);
    side_defaults(&p->server, &dory_ssh_server, 12);
    p->client.config.user = "alice";
    p->server.config.auth_methods = DORY_AUTH_PASSWORD | DORY_AUTH_PUBLICKEY;
    p->hostkey_entry = (struct dory_hostkey){"ssh-ed25519", p->hostkey.blob, p->hostkey.n};
    p->server.config.hostkeys = &p->hostkey_entry;
    p->server.config.hostkey_count = 1;
    p->conversations = 1;
    p->up = p->down = 1000;
    p->request = DORY_REQUEST_EXEC;
    p->status = 3;
    p->method = DORY_AUTH_PASSWORD;
    p->now = 5000;
    p->pipe_max = 65536;
}

static void start_side(struct dory_pair *p, struct dory_pair_side *side)
{
    /* of exactly that size, so that the address sanitizer sees a step over the edge */
    side->config.rx = malloc(side->config.rx_size);
    side->config.tx = malloc(side->config.tx_size);
    CHECK(side->config.rx && side->config.tx);
    memset(&side->ssh, 0xa5, sizeof side->ssh); /* given uninitialised */
    memset(side->channels, 0xa5, sizeof side->channels);
    CHECK_EQ(dory_ssh_init(&side->ssh, &side->config, p->now), DORY_OK);
}

void dory_pair_start(struct dory_pair *p)
{
    start_side(p, &p->client);
    start_side(p, &p->server);
}

static void free_side(struct dory_pair_side *side)
{
    dory_ssh_wipe(&side->ssh);
    free(side->config.rx);
    free(side->config.tx);
    dory_pipe_free(&side->out);
    dory_pipe_free(&side->record);
}

void dory_pair_free(struct dory_pair *p)
{
    free_side(&p->client);
    free_side(&p->server);
}

/* ---- events ---- */

static void sign(struct dory_pair_side *side, const struct dory_kit_key *key, const struct dory_event *e)
{
    uint8_t blob[DORY_KEY_BLOB_MAX];
    CHECK_EQ(dory_ssh_sign(&side->ssh, blob, dory_kit_sign(key, e->data, e->n, blob, sizeof blob)), DORY_OK);
}

static void authenticate(struct dory_pair *p)
{
    struct dory_ssh *s = &p->client.ssh;

    if ((p->none_first && p->client.events[DORY_EV_AUTH] == 1) || p->method == DORY_AUTH_NONE)
        CHECK_EQ(dory_ssh_auth_none(s), DORY_OK);
    else if (p->method == DORY_AUTH_PASSWORD)
        CHECK_EQ(dory_ssh_auth_password(s, (const uint8_t *)"secret", 6), DORY_OK);
    else if (p->method == DORY_AUTH_KEYBOARD_INTERACTIVE)
        CHECK_EQ(dory_ssh_auth_interactive(s), DORY_OK);
    else
        CHECK_EQ(dory_ssh_auth_publickey(s, "ssh-ed25519", p->userkey.blob, p->userkey.n, p->ask), DORY_OK);
}

static bool credentials_good(const struct dory_pair *p, const struct dory_event *e)
{
    CHECK(dory_view_is(dory_view(e->user, e->user_n), "alice"));
    if (e->method == DORY_AUTH_PASSWORD || e->method == DORY_AUTH_KEYBOARD_INTERACTIVE)
        return dory_view_is(dory_view(e->data, e->n), "secret");
    if (e->method == DORY_AUTH_PUBLICKEY)
        return e->key_n == p->userkey.n && memcmp(e->key, p->userkey.blob, e->key_n) == 0;
    return p->accept_none;
}

static void start_stream(struct dory_pair *p, const struct dory_event *e)
{
    struct dory_pair_stream *st;
    char text[16] = {0};

    CHECK(e->channel >= 0 && e->channel < p->server.config.channel_count);
    CHECK_EQ(e->request, p->request);
    CHECK(e->n > 4 && e->n < sizeof text && memcmp(e->data, "run ", 4) == 0);
    memcpy(text, e->data + 4, e->n - 4);
    st = &p->server.stream[e->channel];
    memset(st, 0, sizeof *st);
    st->used = true;
    st->index = atoi(text);
}

static void respond(struct dory_ssh *s)
{
    const struct dory_response secret = {(const uint8_t *)"secret", 6};
    const uint8_t *text;
    size_t n;
    bool echo;

    CHECK(dory_ssh_prompt(s, 0, &text, &n, &echo));
    CHECK(dory_view_is(dory_view(text, n), "Password: ") && !echo);
    CHECK_EQ(dory_ssh_auth_respond(s, &secret, 1), DORY_OK);
}

static void answer(struct dory_pair *p, struct dory_pair_side *side, const struct dory_event *e)
{
    bool nth = !side->refuse_nth || side->events[e->type] == side->refuse_nth;

    if ((side->refuse & 1U << e->type) && nth)
        CHECK(dory_ssh_refuse(&side->ssh) == DORY_OK || dory_ssh_error(&side->ssh));
    else if (e->type == DORY_EV_SIGN)
        sign(side, side == &p->server ? &p->hostkey : &p->userkey, e);
    else if (e->type == DORY_EV_AUTH)
        authenticate(p);
    else if (e->type == DORY_EV_PROMPTS)
        respond(&side->ssh);
    else if (e->type == DORY_EV_AUTH_REQUEST && !credentials_good(p, e))
        CHECK_EQ(dory_ssh_refuse(&side->ssh), DORY_OK);
    else {
        if (e->type == DORY_EV_CHANNEL_REQUEST)
            start_stream(p, e);
        if (e->type == DORY_EV_HOSTKEY)
            CHECK(e->key_n == p->hostkey.n && memcmp(e->key, p->hostkey.blob, e->key_n) == 0);
        CHECK_EQ(dory_ssh_accept(&side->ssh), DORY_OK);
    }
}

static bool serve_event(struct dory_pair *p, struct dory_pair_side *side)
{
    struct dory_event e;

    if (dory_ssh_error(&side->ssh) || dory_ssh_event(&side->ssh, &e) == DORY_EV_NONE)
        return false;
    CHECK(dory_ssh_state(&side->ssh) & DORY_EVENT);
    if (!side->event_seen) {
        side->events[e.type]++;
        side->event_seen = true;
        side->waited = 0;
    }
    if (side->waited++ < side->event_delay)
        return true;
    side->event_seen = false;
    answer(p, side, &e);
    return true;
}

/* ---- streams ---- */

static uint64_t to_send(const struct dory_pair *p, const struct dory_pair_side *side)
{
    if (side == &p->client)
        return p->up;
    return p->echo ? p->up : p->down;
}

static void fill(const struct dory_pair *p, const struct dory_pair_side *side, struct dory_pair_stream *st, uint8_t *to, size_t n)
{
    int direction = side == &p->client ? UP : DOWN;

    if (p->echo && direction == DOWN) {
        memcpy(to, st->echo, n);
        memmove(st->echo, st->echo + n, st->echo_n - n);
        st->echo_n -= n;
    } else {
        for (size_t i = 0; i < n; i++) to[i] = dory_pair_pattern(st->index, direction, st->sent + i);
    }
    st->sent += n;
}

static bool send_data(struct dory_pair *p, struct dory_pair_side *side, int channel)
{
    struct dory_pair_stream *st = &side->stream[channel];
    uint64_t left = to_send(p, side) - st->sent;
    size_t n, want;
    uint8_t *to;

    if (p->echo && side == &p->server)
        left = st->echo_n;
    if (!left || !(to = dory_ssh_senddata_buf(&side->ssh, channel, 0, &n)))
        return false;
    CHECK(n > 0);
    want = n < left ? n : (size_t)left;
    if (side->send_max && want > side->send_max)
        want = side->send_max;
    fill(p, side, st, to, want);
    CHECK_EQ(dory_ssh_senddata_ack(&side->ssh, want), DORY_OK);
    return true;
}

static bool send_err(struct dory_pair *p, struct dory_pair_side *side, int channel)
{
    struct dory_pair_stream *st = &side->stream[channel];
    uint64_t left = side == &p->server ? p->err - st->err_sent : 0;
    size_t n;
    uint8_t *to;

    if (!left || !(to = dory_ssh_senddata_buf(&side->ssh, channel, 1, &n)))
        return false;
    if (n > left)
        n = (size_t)left;
    for (size_t i = 0; i < n; i++) to[i] = dory_pair_pattern(st->index, ERR, st->err_sent + i);
    CHECK_EQ(dory_ssh_senddata_ack(&side->ssh, n), DORY_OK);
    st->err_sent += n;
    return true;
}

static size_t take(const struct dory_pair *p, const struct dory_pair_side *side, struct dory_pair_stream *st, bool err, const uint8_t *from,
                   size_t n)
{
    int direction = side == &p->server ? UP : err ? ERR : p->echo ? UP : DOWN;
    uint64_t *count = err ? &st->err_got : &st->got;

    if (side->ack_max && n > side->ack_max)
        n = side->ack_max;
    if (p->echo && side == &p->server) {
        if (n > sizeof st->echo - st->echo_n)
            n = sizeof st->echo - st->echo_n;
        memcpy(st->echo + st->echo_n, from, n);
        st->echo_n += n;
    }
    for (size_t i = 0; i < n; i++) CHECK_EQ(from[i], dory_pair_pattern(st->index, direction, *count + i));
    *count += n;
    return n;
}

static bool receive_data(struct dory_pair *p, struct dory_pair_side *side)
{
    int channel;
    uint32_t extended;
    size_t n;
    const uint8_t *from;

    if (side->ack_every && p->rounds % side->ack_every)
        return false;
    from = dory_ssh_recvdata_buf(&side->ssh, &channel, &extended, &n);
    if (!from)
        return false;
    CHECK(channel >= 0 && channel < side->config.channel_count && side->stream[channel].used);
    CHECK(extended <= 1);
    n = take(p, side, &side->stream[channel], extended == 1, from, n);
    if (n)
        CHECK_EQ(dory_ssh_recvdata_ack(&side->ssh, n), DORY_OK);
    return n > 0;
}

/* ---- the applications ---- */

static bool open_more(struct dory_pair *p)
{
    struct dory_pair_side *c = &p->client;
    static char names[64][16];
    int n, channel;

    if (p->opened == p->conversations || !(dory_ssh_state(&c->ssh) & DORY_READY))
        return false;
    n = snprintf(names[p->opened % 64], sizeof names[0], "run %d", p->opened);
    channel = dory_ssh_channel_open(&c->ssh, p->request, names[p->opened % 64], (size_t)n);
    if (channel == DORY_E_SPACE)
        return false;
    CHECK(channel >= 0 && channel < c->config.channel_count && !c->stream[channel].used);
    memset(&c->stream[channel], 0, sizeof c->stream[channel]);
    c->stream[channel].used = true;
    c->stream[channel].index = p->opened++;
    return true;
}

static void finish(struct dory_pair *p, int channel, unsigned state)
{
    struct dory_pair_stream *st = &p->client.stream[channel];

    if (state & DORY_CH_FAILED) {
        p->failed++;
    } else if (!p->client.closed_early && !p->server.closed_early) {
        CHECK(state & DORY_CH_EXITED);
        CHECK(state & DORY_CH_EOF);
        CHECK_EQ(dory_ssh_channel_status(&p->client.ssh, channel), p->status + (uint32_t)st->index);
        CHECK_EQ(st->got, p->echo ? p->up : p->down);
        CHECK_EQ(st->err_got, p->err);
        CHECK_EQ(st->sent, p->up);
    }
    dory_ssh_channel_release(&p->client.ssh, channel);
    CHECK_EQ(dory_ssh_channel_state(&p->client.ssh, channel), 0);
    st->used = false;
    p->finished++;
}

static bool client_channel(struct dory_pair *p, int channel)
{
    struct dory_pair_side *c = &p->client;
    struct dory_pair_stream *st = &c->stream[channel];
    unsigned state = dory_ssh_channel_state(&c->ssh, channel);
    bool moved = false;

    CHECK(state & DORY_CH_USED);
    if (state & DORY_CH_CLOSED) {
        finish(p, channel, state);
        return true;
    }
    if (state & DORY_CH_FAILED) {
        if (!st->exit_said)
            dory_ssh_channel_close(&c->ssh, channel), st->exit_said = true, moved = true;
        return moved;
    }
    if (!(state & DORY_CH_STARTED))
        return false;
    if (c->closed_early && st->sent > p->up / 2 && !st->exit_said) {
        CHECK_EQ(dory_ssh_channel_close(&c->ssh, channel), DORY_OK);
        st->exit_said = true;
    }
    if (!st->exit_said)
        moved = send_data(p, c, channel);
    if (!st->eof_said && !st->exit_said && st->sent == p->up) {
        CHECK_EQ(dory_ssh_channel_eof(&c->ssh, channel), DORY_OK);
        st->eof_said = moved = true;
    }
    return moved;
}

static bool server_done(const struct dory_pair *p, const struct dory_pair_stream *st, unsigned state)
{
    if (p->server.closed_early)
        return st->sent > p->down / 2;
    return (state & DORY_CH_EOF) && st->got == p->up && st->sent == to_send(p, &p->server) && st->err_sent == p->err;
}

static bool server_channel(struct dory_pair *p, int channel)
{
    struct dory_pair_side *s = &p->server;
    struct dory_pair_stream *st = &s->stream[channel];
    unsigned state = dory_ssh_channel_state(&s->ssh, channel);
    bool moved = false;

    if (state & DORY_CH_CLOSED) {
        if (!p->client.closed_early && !s->closed_early)
            CHECK(st->exit_said);
        dory_ssh_channel_release(&s->ssh, channel);
        st->used = false;
        return true;
    }
    if (st->exit_said)
        return false;
    moved = send_data(p, s, channel);
    moved |= send_err(p, s, channel);
    if (server_done(p, st, state)) {
        CHECK_EQ(dory_ssh_channel_exit(&s->ssh, channel, p->status + (uint32_t)st->index), DORY_OK);
        st->exit_said = moved = true;
    }
    return moved;
}

static bool run_application(struct dory_pair *p, struct dory_pair_side *side)
{
    bool moved = false;

    if (dory_ssh_error(&side->ssh))
        return false;
    if (side == &p->client)
        while (open_more(p)) moved = true;
    for (int i = 0, first = side->next; i < side->config.channel_count; i++) {
        int channel = (first + i) % side->config.channel_count;
        uint64_t before = side->stream[channel].sent;
        if (!side->stream[channel].used)
            continue;
        moved |= side == &p->client ? client_channel(p, channel) : server_channel(p, channel);
        if (side->stream[channel].sent != before)
            side->next = (channel + 1) % side->config.channel_count; /* who has sent is last in the next round */
    }
    if (side == &p->client && p->finished == p->conversations && !p->stay) {
        dory_ssh_disconnect(&side->ssh, SSH_DISCONNECT_BY_APPLICATION, "");
        moved = true;
    }
    return moved;
}

/* ---- bytes ---- */

static bool write_out(struct dory_pair *p, struct dory_pair_side *side)
{
    size_t n;
    const uint8_t *from = dory_ssh_sendpkt_buf(&side->ssh, &n);

    if (!from || dory_pipe_size(&side->out) >= p->pipe_max)
        return false;
    CHECK(n > 0);
    if (side->write_max && n > side->write_max)
        n = side->write_max;
    dory_pipe_put(&side->out, from, n);
    if (p->record)
        dory_pipe_put(&side->record, from, n);
    dory_ssh_sendpkt_ack(&side->ssh, n);
    return true;
}

static bool read_in(struct dory_pair_side *side, struct dory_pair_side *from)
{
    size_t have = dory_pipe_size(&from->out), room;
    uint8_t *to;

    if (have && dory_ssh_error(&side->ssh)) { /* nobody reads it any more */
        dory_pipe_drop(&from->out, have);
        return true;
    }
    if (!have) {
        if (!(dory_ssh_state(&from->ssh) & DORY_DONE) || dory_ssh_sendpkt_buf(&from->ssh, &room) || side->eof_told)
            return false;
        side->eof_told = true;
        side->eof_result = dory_ssh_recvpkt_eof(&side->ssh);
        return true;
    }
    to = dory_ssh_recvpkt_buf(&side->ssh, &room);
    CHECK((to != NULL) == (room > 0));
    CHECK((to != NULL) == ((dory_ssh_state(&side->ssh) & DORY_RECVPKT) != 0));
    if (!to)
        return false;
    if (room > have)
        room = have;
    if (side->read_max && room > side->read_max)
        room = side->read_max;
    memcpy(to, dory_pipe_peek(&from->out), room);
    dory_pipe_drop(&from->out, room);
    side->last_error = dory_ssh_recvpkt_ack(&side->ssh, room);
    return true;
}

static bool side_round(struct dory_pair *p, struct dory_pair_side *side, struct dory_pair_side *other)
{
    bool moved = serve_event(p, side);

    moved |= receive_data(p, side);
    moved |= run_application(p, side);
    moved |= write_out(p, side);
    moved |= read_in(side, other);
    return moved;
}

bool dory_pair_round(struct dory_pair *p)
{
    bool moved;

    p->rounds++;
    if (p->tick_ms) {
        p->now += p->tick_ms;
        dory_ssh_tick(&p->client.ssh, p->now);
        dory_ssh_tick(&p->server.ssh, p->now);
    }
    if (p->on_round)
        p->on_round(p);
    moved = side_round(p, &p->client, &p->server);
    moved |= side_round(p, &p->server, &p->client);
    return moved;
}

static bool over(const struct dory_pair *p)
{
    if (p->stay && p->finished == p->conversations)
        return true;
    return p->client.eof_told && p->server.eof_told;
}

bool dory_pair_try(struct dory_pair *p)
{
    unsigned idle = 0, patience = 2 + p->client.ack_every + p->server.ack_every;

    while (!over(p)) {
        idle = dory_pair_round(p) ? 0 : idle + 1;
        if (idle > patience || p->rounds > 4000000)
            return false;
    }
    return true;
}

static void tell(const char *name, const struct dory_pair_side *side)
{
    print_error("%s: %s (%s), state %#x, event %d, %zu bytes on the way\n", name, dory_strerror(dory_ssh_error(&side->ssh)),
                dory_ssh_error_text(&side->ssh), dory_ssh_state(&side->ssh), (int)dory_ssh_event(&side->ssh, &(struct dory_event){0}),
                dory_pipe_size(&side->out));
}

void dory_pair_run(struct dory_pair *p)
{
    if (dory_pair_try(p))
        return;
    tell("client", &p->client);
    tell("server", &p->server);
    FAIL("the session does not stand still");
}

void dory_pair_check(struct dory_pair *p)
{
    if (p->finished != p->conversations || dory_ssh_error(&p->client.ssh) != DORY_E_CLOSED) {
        tell("client", &p->client);
        tell("server", &p->server);
    }
    CHECK_EQ(p->finished, p->conversations);
    CHECK_EQ(p->failed, 0);
    CHECK_EQ(dory_ssh_error(&p->client.ssh), DORY_E_CLOSED);
    CHECK_EQ(dory_ssh_error(&p->server.ssh), DORY_E_DISCONNECTED);
    CHECK_EQ(dory_ssh_disconnect_reason(&p->server.ssh), SSH_DISCONNECT_BY_APPLICATION);
    CHECK_EQ(p->server.eof_result, DORY_OK);
    for (int i = 0; i < DORY_PAIR_CHANNELS; i++) CHECK(!p->client.stream[i].used);
}

void dory_pair_whole(void (*set)(struct dory_pair *p, void *ctx), void *ctx)
{
    static struct dory_pair p;

    dory_pair_new(&p);
    if (set)
        set(&p, ctx);
    dory_pair_start(&p);
    dory_pair_run(&p);
    dory_pair_check(&p);
    dory_pair_free(&p);
}
