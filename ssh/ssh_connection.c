/* RFC 4254: channels, and everything that waits for its turn to be sent. What must not be sent during a key exchange is a flag, a
   counter or a bit, never a queue of packets. */
#include <string.h>

#include "ssh_internal.h"

#define FLUSH_ROOM 128
#define GLOBAL_FAILURES_MAX 1000
#define REKEY_BYTES_MIN 256
#define SSH_OPEN_RESOURCE_SHORTAGE 4

/* ---- Sending ---- */

bool dory_i_may_send(const struct dory_ssh *s)
{
    return !s->error && s->first_kex_done && !s->kex_tx && !s->building;
}

static uint64_t rekey_bytes(const struct dory_ssh *s)
{
    uint64_t limit = s->config->rekey_bytes ? s->config->rekey_bytes : UINT64_C(1) << 30;
    return limit < REKEY_BYTES_MIN ? REKEY_BYTES_MIN : limit;
}

static bool keys_used_up(const struct dory_ssh *s, const struct dory_direction *d)
{
    uint32_t packets = s->config->rekey_packets;

    if (packets == 0 || packets > UINT32_C(1) << 31)
        packets = UINT32_C(1) << 31;
    return d->bytes >= rekey_bytes(s) || d->seq - d->first_seq >= packets;
}

/* Before authentication is over only the client begins a re-exchange, and only when no request of its is under way: the server could
   not answer in between. */
bool dory_i_rekey_due(const struct dory_ssh *s)
{
    if (s->kex_state != KEX_NONE || !s->first_kex_done)
        return false;
    if (s->phase != PHASE_CONNECTION && !(s->phase == PHASE_AUTH && s->auth_wanted && !s->pending.type))
        return false;
    return s->kex_wanted || keys_used_up(s, &s->tx) || keys_used_up(s, &s->rx);
}

int dory_ssh_rekey(struct dory_ssh *s)
{
    if (s->error)
        return s->error;
    if (s->phase != PHASE_CONNECTION || s->kex_state != KEX_NONE)
        return DORY_E_STATE;
    s->kex_wanted = true;
    dory_i_progress(s);
    return s->error;
}

static int send_simple(struct dory_ssh *s, uint8_t type, const uint32_t *value)
{
    struct dory_writer w = dory_i_begin(s, type);
    if (value)
        dory_i_put32(&w, *value);
    return dory_i_end(s, &w);
}

/* What the peer may be given: the target less what it may send already and what lies here untaken. */
static uint32_t credit(const struct dory_ssh *s, const struct dory_channel *c)
{
    bool holds = s->rx_state == RX_DATA && &s->config->channels[s->slice_channel] == c;
    uint64_t open = (uint64_t)c->rx_window + (holds ? s->slice_n : 0);

    return c->rx_target > open ? (uint32_t)(c->rx_target - open) : 0;
}

/* A window is worth a message when half of it is used up; of a large one less, because what it lacks at the end of a burst is missing for a
   round trip. */
enum { WORTH_A_MESSAGE = 128 * 1024 };

static bool adjust_is_due(const struct dory_ssh *s, const struct dory_channel *c)
{
    uint32_t n = credit(s, c);

    return n && (n >= c->rx_target / 2 || n >= WORTH_A_MESSAGE) && !(c->flags & (DORY_CH_EOF | CH_CLOSE_CAME | CH_WANT_CLOSE));
}

static int send_adjust(struct dory_ssh *s, struct dory_channel *c)
{
    struct dory_writer w = dory_i_begin(s, SSH_MSG_CHANNEL_WINDOW_ADJUST);
    uint32_t n = credit(s, c);

    dory_i_put32(&w, c->peer);
    dory_i_put32(&w, n);
    c->rx_window += n;
    return dory_i_end(s, &w);
}

static int send_exit_status(struct dory_ssh *s, const struct dory_channel *c)
{
    struct dory_writer w = dory_i_begin(s, SSH_MSG_CHANNEL_REQUEST);

    dory_i_put32(&w, c->peer);
    dory_i_put_text(&w, "exit-status");
    dory_i_put8(&w, 0);
    dory_i_put32(&w, c->status);
    return dory_i_end(s, &w);
}

static int send_open_failure(struct dory_ssh *s, uint32_t peer, uint8_t reason)
{
    struct dory_writer w = dory_i_begin(s, SSH_MSG_CHANNEL_OPEN_FAILURE);

    dory_i_put32(&w, peer);
    dory_i_put32(&w, reason);
    dory_i_put_text(&w, reason == SSH_OPEN_RESOURCE_SHORTAGE ? "no channel left" : "refused");
    dory_i_put_text(&w, "");
    return dory_i_end(s, &w);
}

static int send_pong(struct dory_ssh *s, const uint8_t *data, size_t n)
{
    struct dory_writer w = dory_i_begin(s, SSH_MSG_PONG);
    dory_i_put_string(&w, data, n);
    return dory_i_end(s, &w);
}

static int send_keepalive(struct dory_ssh *s)
{
    struct dory_writer w = dory_i_begin(s, SSH_MSG_GLOBAL_REQUEST);

    s->global_awaited++;
    dory_i_put_text(&w, "keepalive@openssh.com");
    dory_i_put8(&w, 1);
    return dory_i_end(s, &w);
}

void dory_i_channel_settle(struct dory_channel *c)
{
    const uint32_t both = CH_CLOSE_SENT | CH_CLOSE_CAME;

    if ((c->flags & both) != both)
        return;
    if (c->flags & CH_RELEASED)
        c->flags = 0;
    else
        c->flags = (c->flags & ~(uint32_t)CH_OPEN) | DORY_CH_CLOSED | DORY_CH_EOF;
}

/* The next thing that this channel has to say: 1 said, 0 nothing. */
static int say_one(struct dory_ssh *s, struct dory_channel *c)
{
    int rc;

    if (!(c->flags & CH_OPEN) || c->flags & CH_CLOSE_SENT)
        return 0;
    if (c->reply_count) {
        rc = send_simple(s, c->replies & 1 ? SSH_MSG_CHANNEL_SUCCESS : SSH_MSG_CHANNEL_FAILURE, &c->peer);
        c->replies >>= 1;
        c->reply_count--;
    } else if (adjust_is_due(s, c)) {
        rc = send_adjust(s, c);
    } else if (c->flags & CH_WANT_EXIT) {
        rc = send_exit_status(s, c);
        c->flags &= ~(uint32_t)CH_WANT_EXIT;
    } else if (c->flags & CH_WANT_EOF) {
        rc = send_simple(s, SSH_MSG_CHANNEL_EOF, &c->peer);
        c->flags = (c->flags & ~(uint32_t)CH_WANT_EOF) | CH_EOF_SENT;
    } else if (c->flags & CH_WANT_CLOSE) {
        rc = send_simple(s, SSH_MSG_CHANNEL_CLOSE, &c->peer);
        c->flags = (c->flags & ~(uint32_t)CH_WANT_CLOSE) | CH_CLOSE_SENT;
        dory_i_channel_settle(c);
    } else {
        return 0;
    }
    return rc ? rc : 1;
}

static int flush_channel(struct dory_ssh *s, struct dory_channel *c)
{
    int rc = s->config->role->flush_channel(s, c);

    while (rc >= 0 && dory_i_room(s) >= FLUSH_ROOM) {
        rc = say_one(s, c);
        if (rc == 0)
            break;
    }
    return rc < 0 ? rc : DORY_OK;
}

/* Answers that belong to no channel: 1 said, 0 nothing. */
static int say_global(struct dory_ssh *s)
{
    int rc;

    if (s->global_failures) {
        s->global_failures--;
        rc = send_simple(s, SSH_MSG_REQUEST_FAILURE, NULL);
    } else if (s->ping_count) {
        s->ping_count--;
        rc = send_pong(s, s->ping, s->ping_n);
    } else if (s->open_fail_count) {
        s->open_fail_count--;
        rc = send_open_failure(s, s->open_fail_peer[s->open_fail_count], s->open_fail_reason[s->open_fail_count]);
    } else if (s->keepalive_due) {
        s->keepalive_due = false;
        rc = send_keepalive(s);
    } else {
        return 0;
    }
    return rc ? rc : 1;
}

int dory_i_flush(struct dory_ssh *s)
{
    int rc = 1;
    unsigned i;

    if (!dory_i_may_send(s))
        return DORY_OK;
    if (dory_i_rekey_due(s))
        return dory_i_has_room(s) ? dory_i_kex_start(s) : DORY_OK;
    if (s->phase != PHASE_CONNECTION)
        return DORY_OK;
    while (rc > 0 && dory_i_room(s) >= FLUSH_ROOM)
        rc = say_global(s);
    for (i = 0; rc >= 0 && i < s->config->channel_count && dory_i_room(s) >= FLUSH_ROOM; i++)
        if (s->config->channels[i].flags & DORY_CH_USED)
            rc = flush_channel(s, &s->config->channels[i]);
    return rc < 0 ? rc : DORY_OK;
}

/* ---- What comes in ---- */

/* Reads the recipient channel, which must be in one of the states `flags`. */
struct dory_channel *dory_i_get_channel(struct dory_ssh *s, struct dory_reader *r, uint32_t flags)
{
    uint32_t id = dory_i_get32(r);
    struct dory_channel *c = id < s->config->channel_count ? &s->config->channels[id] : NULL;

    if (r->bad || !c || !(c->flags & flags) || c->flags & CH_CLOSE_CAME) {
        (void)dory_i_error(s, DORY_E_PROTOCOL, "a message for a channel that is not open");
        return NULL;
    }
    return c;
}

void dory_i_channel_start(struct dory_ssh *s, struct dory_channel *c, uint32_t flags)
{
    memset(c, 0, sizeof *c);
    c->flags = DORY_CH_USED | flags;
    c->rx_window = c->rx_target = s->window;
}

/* No place for one more answer: the message waits until some are said, which during a key exchange cannot be. */
static int full(struct dory_ssh *s)
{
    if (dory_i_may_send(s))
        return DORY_E_AGAIN;
    return dory_i_error(s, DORY_E_PROTOCOL, "too many requests during a key exchange");
}

int dory_i_may_reply(struct dory_ssh *s, const struct dory_channel *c)
{
    return c->reply_count == 32 ? full(s) : DORY_OK;
}

int dory_i_reply(struct dory_ssh *s, struct dory_channel *c, bool success)
{
    int rc = dory_i_may_reply(s, c);

    if (rc || c->flags & (CH_WANT_CLOSE | CH_CLOSE_SENT))
        return rc;
    c->replies |= (uint32_t)success << c->reply_count++;
    return DORY_OK;
}

int dory_i_refuse_open(struct dory_ssh *s, uint32_t peer, uint8_t reason)
{
    if (s->open_fail_count == sizeof s->open_fail_reason)
        return full(s);
    s->open_fail_peer[s->open_fail_count] = peer;
    s->open_fail_reason[s->open_fail_count++] = reason;
    return DORY_OK;
}

static int raise_with_rest(struct dory_ssh *s, const struct dory_reader *r, enum dory_event_type type)
{
    s->pending.data = r->p;
    s->pending.n = (size_t)(r->end - r->p);
    dory_i_raise(s, type);
    return DORY_OK;
}

static int global_request(struct dory_ssh *s, struct dory_reader *r)
{
    struct dory_slice name = dory_i_get_string(r);
    bool want_reply = dory_i_get8(r) != 0;

    if (r->bad)
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_GLOBAL_REQUEST");
    if (s->config->hostkeys_wanted && !want_reply && dory_i_is(name, "hostkeys-00@openssh.com"))
        return raise_with_rest(s, r, DORY_EV_HOSTKEYS);
    if (!want_reply)
        return DORY_OK;
    if (s->global_failures == GLOBAL_FAILURES_MAX)
        return full(s);
    s->global_failures++;
    return DORY_OK;
}

static int global_reply(struct dory_ssh *s, struct dory_reader *r, bool success)
{
    if (s->global_awaited == 0)
        return dory_i_error(s, DORY_E_PROTOCOL, "an answer to no global request");
    s->global_awaited--;
    if (s->proof_awaited && --s->proof_awaited == 0 && success) {
        s->pending.key = s->session_id;
        s->pending.key_n = sizeof s->session_id;
        return raise_with_rest(s, r, DORY_EV_HOSTKEYS_PROOF);
    }
    return DORY_OK;
}

/* PROTOCOL.md departure 3: what waits for the end of a key exchange is a count and the last ping's data. */
static int ping(struct dory_ssh *s, struct dory_reader *r)
{
    struct dory_slice data = dory_i_get_string(r);

    if (!dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_PING");
    if (dory_i_may_send(s))
        return dory_i_room(s) >= data.n + FLUSH_ROOM || s->tx_tail == 0 ? send_pong(s, data.p, data.n) : DORY_E_AGAIN;
    if (data.n > sizeof s->ping || s->ping_count == UINT8_MAX)
        return full(s);
    memcpy(s->ping, data.p, data.n);
    s->ping_n = (uint8_t)data.n;
    s->ping_count++;
    return DORY_OK;
}

static int window_adjust(struct dory_ssh *s, struct dory_channel *c, struct dory_reader *r)
{
    uint32_t n = dory_i_get32(r);

    if (!dory_i_at_end(r) || n > UINT32_MAX - c->tx_window)
        return dory_i_error(s, DORY_E_PROTOCOL, "bad SSH_MSG_CHANNEL_WINDOW_ADJUST");
    c->tx_window += n;
    return DORY_OK;
}

static int data(struct dory_ssh *s, struct dory_channel *c, struct dory_reader *r, bool extended)
{
    uint32_t code = extended ? dory_i_get32(r) : 0;
    struct dory_slice bytes = dory_i_get_string(r);

    if (!dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed channel data");
    if (bytes.n > c->rx_window || bytes.n > s->max_packet || c->flags & DORY_CH_EOF)
        return dory_i_error(s, DORY_E_PROTOCOL, "channel data beyond the window, the maximum packet size or the end");
    c->rx_window -= (uint32_t)bytes.n;
    s->data_moved = s->now;
    if (bytes.n == 0 || c->flags & (CH_WANT_CLOSE | CH_CLOSE_SENT))
        return DORY_OK;
    if (extended && code != SSH_EXTENDED_DATA_STDERR)
        return DORY_OK;
    s->slice_pos = (size_t)(bytes.p - s->config->rx);
    s->slice_n = bytes.n;
    s->slice_extended = code;
    s->slice_channel = (int)(c - s->config->channels);
    s->rx_state = RX_DATA;
    return DORY_OK;
}

static int end_of_data(struct dory_ssh *s, struct dory_channel *c, struct dory_reader *r)
{
    if (!dory_i_at_end(r) || c->flags & DORY_CH_EOF)
        return dory_i_error(s, DORY_E_PROTOCOL, "bad SSH_MSG_CHANNEL_EOF");
    c->flags |= DORY_CH_EOF;
    return DORY_OK;
}

/* RFC 4254 5.3: a CLOSE is answered by a CLOSE at once; what was still to be said is void. */
static int close_came(struct dory_ssh *s, struct dory_channel *c, struct dory_reader *r)
{
    if (!dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_CHANNEL_CLOSE");
    c->flags |= CH_CLOSE_CAME | DORY_CH_EOF;
    if (!(c->flags & CH_CLOSE_SENT)) {
        c->flags = (c->flags & ~(uint32_t)(CH_WANT_EOF | CH_WANT_EXIT)) | CH_WANT_CLOSE;
        c->reply_count = 0;
    }
    dory_i_channel_settle(c);
    return DORY_OK;
}

static int channel_message(struct dory_ssh *s, uint8_t type, struct dory_reader *r)
{
    struct dory_channel *c;

    if (type < SSH_MSG_CHANNEL_WINDOW_ADJUST || type > SSH_MSG_CHANNEL_CLOSE)
        return s->config->role->message(s, type, r);
    c = dory_i_get_channel(s, r, CH_OPEN);
    if (!c)
        return DORY_E_PROTOCOL;
    switch (type) {
    case SSH_MSG_CHANNEL_WINDOW_ADJUST:
        return window_adjust(s, c, r);
    case SSH_MSG_CHANNEL_DATA:
        return data(s, c, r, false);
    case SSH_MSG_CHANNEL_EXTENDED_DATA:
        return data(s, c, r, true);
    case SSH_MSG_CHANNEL_EOF:
        return end_of_data(s, c, r);
    default:
        return close_came(s, c, r);
    }
}

int dory_i_connection(struct dory_ssh *s, uint8_t type, struct dory_reader *r)
{
    switch (type) {
    case SSH_MSG_GLOBAL_REQUEST:
        return global_request(s, r);
    case SSH_MSG_REQUEST_SUCCESS:
    case SSH_MSG_REQUEST_FAILURE:
        return global_reply(s, r, type == SSH_MSG_REQUEST_SUCCESS);
    case SSH_MSG_PING:
        return ping(s, r);
    default:
        return channel_message(s, type, r);
    }
}

/* ---- The caller's side ---- */

struct dory_channel *dory_i_channel(struct dory_ssh *s, int channel)
{
    if (channel < 0 || channel >= s->config->channel_count || !(s->config->channels[channel].flags & DORY_CH_USED))
        return NULL;
    return &s->config->channels[channel];
}

unsigned dory_ssh_channel_state(const struct dory_ssh *s, int channel)
{
    if (channel < 0 || channel >= s->config->channel_count)
        return 0;
    return s->config->channels[channel].flags & 0xff;
}

int dory_ssh_channel_status(const struct dory_ssh *s, int channel)
{
    if (!(dory_ssh_channel_state(s, channel) & DORY_CH_EXITED))
        return -1;
    return (int)s->config->channels[channel].status;
}

static int ask(struct dory_ssh *s, int channel, uint32_t wish, uint32_t done)
{
    struct dory_channel *c = dory_i_channel(s, channel);

    if (s->error)
        return s->error;
    if (!c)
        return DORY_E_ARG;
    c->flags |= wish & ~(c->flags & done ? wish : 0);
    dory_i_progress(s);
    return s->error;
}

int dory_ssh_channel_window(struct dory_ssh *s, int channel, uint32_t bytes)
{
    struct dory_channel *c = dory_i_channel(s, channel);

    if (s->error)
        return s->error;
    if (!c)
        return DORY_E_ARG;
    if (c->rx_target == bytes)
        return DORY_OK;
    c->rx_target = bytes;
    dory_i_progress(s);
    return s->error;
}

int dory_ssh_channel_eof(struct dory_ssh *s, int channel)
{
    return ask(s, channel, CH_WANT_EOF, CH_EOF_SENT | CH_WANT_CLOSE | CH_CLOSE_SENT);
}

/* A slice of a channel that its owner has done with is dropped, so that the other channels go on. */
static void drop_slice(struct dory_ssh *s, int channel)
{
    if (s->rx_state == RX_DATA && s->slice_channel == channel)
        dory_i_consume(s);
}

int dory_ssh_channel_close(struct dory_ssh *s, int channel)
{
    if (!s->error)
        drop_slice(s, channel);
    return ask(s, channel, CH_WANT_CLOSE, CH_CLOSE_SENT);
}

int dory_ssh_channel_exit(struct dory_ssh *s, int channel, uint32_t status)
{
    struct dory_channel *c = dory_i_channel(s, channel);
    uint32_t wish = CH_WANT_EXIT | CH_WANT_CLOSE;

    if (s->error)
        return s->error;
    if (!c)
        return DORY_E_ARG;
    drop_slice(s, channel);
    c->status = status;
    if (!(c->flags & CH_EOF_SENT))
        wish |= CH_WANT_EOF;
    return ask(s, channel, wish, CH_WANT_CLOSE | CH_CLOSE_SENT);
}

void dory_ssh_channel_release(struct dory_ssh *s, int channel)
{
    struct dory_channel *c = dory_i_channel(s, channel);

    if (!c)
        return;
    if (s->error || c->flags & DORY_CH_CLOSED || c->flags & CH_WANT_OPEN) {
        c->flags = 0;
        return;
    }
    c->flags |= CH_RELEASED;
    (void)dory_ssh_channel_close(s, channel);
}

const uint8_t *dory_ssh_recvdata_buf(struct dory_ssh *s, int *channel, uint32_t *extended, size_t *n)
{
    *n = 0;
    if (s->error || s->rx_state != RX_DATA)
        return NULL;
    *channel = s->slice_channel;
    *extended = s->slice_extended;
    *n = s->slice_n;
    return s->config->rx + s->slice_pos;
}

int dory_ssh_recvdata_ack(struct dory_ssh *s, size_t n)
{
    if (s->error)
        return s->error;
    if (s->rx_state != RX_DATA)
        return DORY_E_STATE;
    if (n > s->slice_n)
        return DORY_E_ARG;
    s->slice_pos += n;
    s->slice_n -= n;
    if (s->slice_n == 0)
        dory_i_consume(s);
    dory_i_progress(s);
    return s->error;
}

/* Bytes that one data packet on this channel may carry now. A packet smaller than it could be is not begun while the transmit buffer
   still drains. */
static size_t data_room(const struct dory_ssh *s, const struct dory_channel *c, size_t header)
{
    const uint32_t shut = CH_WANT_REQUEST | CH_WANT_EOF | CH_EOF_SENT | CH_WANT_CLOSE | CH_CLOSE_SENT | CH_CLOSE_CAME;
    size_t want = c->tx_window < c->tx_max ? c->tx_window : c->tx_max;
    size_t keep = header + dory_i_reserve(s);
    size_t room = dory_i_room(s);
    size_t most = room + s->tx_tail;

    if (!(c->flags & CH_OPEN) || c->flags & shut || c->reply_count || most <= keep)
        return 0;
    most -= keep;
    if (want > most)
        want = most;
    return room >= want + keep ? want : 0;
}

static bool data_may_flow(const struct dory_ssh *s)
{
    return dory_i_may_send(s) && s->phase == PHASE_CONNECTION && !dory_i_rekey_due(s);
}

uint8_t *dory_ssh_senddata_buf(struct dory_ssh *s, int channel, uint32_t extended, size_t *n)
{
    const struct dory_channel *c = dory_i_channel(s, channel);
    size_t header = extended ? 13 : 9;

    *n = c && data_may_flow(s) ? data_room(s, c, header) : 0;
    if (*n == 0)
        return NULL;
    s->building = BUILD_DATA;
    s->tx_start = s->tx_tail;
    s->tx_channel = channel;
    s->tx_extended = extended;
    return s->config->tx + s->tx_start + 5 + header;
}

int dory_ssh_senddata_ack(struct dory_ssh *s, size_t n)
{
    struct dory_channel *c;
    struct dory_writer w;
    int rc;

    if (s->error)
        return s->error;
    if (s->building != BUILD_DATA)
        return DORY_E_STATE;
    s->building = BUILD_NONE;
    c = &s->config->channels[s->tx_channel];
    if (n > data_room(s, c, s->tx_extended ? 13 : 9))
        return DORY_E_ARG;
    if (n == 0)
        return DORY_OK;
    w = dory_i_begin(s, s->tx_extended ? SSH_MSG_CHANNEL_EXTENDED_DATA : SSH_MSG_CHANNEL_DATA);
    dory_i_put32(&w, c->peer);
    if (s->tx_extended)
        dory_i_put32(&w, s->tx_extended);
    dory_i_put32(&w, (uint32_t)n);
    w.p += n;
    rc = dory_i_end(s, &w);
    c->tx_window -= (uint32_t)n;
    s->data_moved = s->now;
    if (rc)
        dory_i_fail(s, rc);
    dory_i_progress(s);
    return s->error;
}

unsigned dory_ssh_state(const struct dory_ssh *s)
{
    unsigned bits = 0, i;

    if (s->tx_tail != s->tx_head)
        bits |= DORY_SENDPKT;
    if (s->error)
        return bits | DORY_DONE;
    if (s->pending.type)
        bits |= DORY_EVENT;
    else if (!s->building && s->rx_state < RX_PACKET)
        bits |= DORY_RECVPKT;
    if (s->rx_state == RX_DATA)
        bits |= DORY_RECVDATA;
    if (s->phase == PHASE_CONNECTION)
        bits |= DORY_READY;
    for (i = 0; data_may_flow(s) && i < s->config->channel_count; i++)
        if (s->config->channels[i].flags & CH_OPEN && data_room(s, &s->config->channels[i], 9))
            return bits | DORY_SENDDATA;
    return bits;
}
