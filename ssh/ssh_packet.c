/* RFC 4253 6: the binary packet protocol. */
#include <string.h>

#include "ssh_internal.h"

#define TX_TAIL (132 + 64) /* largest padding, largest tag */

static size_t tag_size(const struct dory_direction *d)
{
    if (!d->cipher)
        return 0;
    return d->mac ? d->mac->tag_size : d->cipher->tag_size;
}

static int check_length(const struct dory_ssh *s, uint32_t length)
{
    const struct dory_direction *d = &s->rx;
    uint32_t block = d->cipher ? d->cipher->block_size : 8;
    uint32_t in_clear = d->cipher ? 0 : 4;
    uint32_t least = d->cipher ? block : 12;
    size_t most = s->config->rx_size - DORY_PACKET_HEADROOM - 4 - tag_size(d);

    if (length < least || length > most || length > DORY_MAX_PACKET_LENGTH || (length + in_clear) % block != 0)
        return DORY_E_PACKET;
    return DORY_OK;
}

static int open_packet(struct dory_ssh *s, uint8_t *pkt, size_t n)
{
    struct dory_direction *d = &s->rx;

    if (!d->cipher)
        return DORY_OK;
    if (d->mac) {
        uint8_t tag[64];
        d->mac->compute(d->mac_ctx, d->seq, pkt, n, tag);
        if (!dory_equal(tag, pkt + n, d->mac->tag_size))
            return DORY_E_MAC;
    }
    return d->cipher->open(d->cipher_ctx, d->seq, pkt, n);
}

/* The next sequence number was used with these keys before. The peer would not let us rekey in time. */
static bool used_up(const struct dory_direction *d)
{
    return d->seq == d->first_seq - 1;
}

static int receive_head(struct dory_ssh *s)
{
    const uint8_t *head = s->config->rx + s->rx_pos;
    uint32_t length;

    s->rx_need = 4;
    if (s->rx_len < 4)
        return 0;
    length = s->rx.cipher ? s->rx.cipher->length(s->rx.cipher_ctx, s->rx.seq, head) : dory_i_load32(head);
    if (check_length(s, length))
        return dory_i_error(s, DORY_E_PACKET, "impossible packet length");
    s->rx_need = 4 + (size_t)length + tag_size(&s->rx);
    s->rx_state = RX_BODY;
    return 1;
}

static int receive_body(struct dory_ssh *s)
{
    uint8_t *pkt = s->config->rx + s->rx_pos;
    size_t n = s->rx_need - tag_size(&s->rx);
    int rc;

    if (s->rx_len < s->rx_need)
        return 0;
    if (used_up(&s->rx))
        return dory_i_error(s, DORY_E_PROTOCOL, "sequence numbers used up");
    rc = open_packet(s, pkt, n);
    if (rc)
        return rc;
    if (pkt[4] < 4 || (size_t)pkt[4] + 2 > n - 4)
        return dory_i_error(s, DORY_E_PACKET, "impossible padding length");
    s->payload_n = n - 5 - pkt[4];
    s->rx.seq++;
    s->rx.bytes += s->rx_need;
    s->heard = s->now;
    s->keepalives = 0;
    s->rx_state = RX_PACKET;
    return 1;
}

int dory_i_receive(struct dory_ssh *s)
{
    return s->rx_state == RX_HEAD ? receive_head(s) : receive_body(s);
}

void dory_i_consume(struct dory_ssh *s)
{
    s->rx_pos += s->rx_need;
    s->rx_len -= s->rx_need;
    if (s->rx_len == 0)
        s->rx_pos = DORY_PACKET_HEADROOM;
    s->rx_need = 4;
    s->rx_state = RX_HEAD;
}

uint8_t *dory_ssh_recvpkt_buf(struct dory_ssh *s, size_t *n)
{
    const struct dory_ssh_config *c = s->config;
    size_t need, room;

    *n = 0;
    if (s->error || s->pending.type || s->building || s->rx_state >= RX_PACKET)
        return NULL;
    need = s->rx_state == RX_VERSION ? s->rx_len + 1 : s->rx_need;
    room = c->rx_size - s->rx_pos - s->rx_len;
    if (s->rx_pos + need > c->rx_size || (c->read_ahead && room < c->rx_size / 2 && s->rx_pos > DORY_PACKET_HEADROOM)) {
        memmove(c->rx + DORY_PACKET_HEADROOM, c->rx + s->rx_pos, s->rx_len);
        s->rx_pos = DORY_PACKET_HEADROOM;
        room = c->rx_size - s->rx_pos - s->rx_len;
    }
    *n = c->read_ahead ? room : need - s->rx_len;
    return c->rx + s->rx_pos + s->rx_len;
}

int dory_ssh_recvpkt_ack(struct dory_ssh *s, size_t n)
{
    size_t offered;

    if (s->error)
        return s->error;
    (void)dory_ssh_recvpkt_buf(s, &offered);
    if (n > offered)
        return DORY_E_ARG;
    s->rx_len += n;
    dory_i_progress(s);
    return s->error;
}

const uint8_t *dory_ssh_sendpkt_buf(struct dory_ssh *s, size_t *n)
{
    *n = s->tx_tail - s->tx_head;
    return *n ? s->config->tx + s->tx_head : NULL;
}

int dory_ssh_sendpkt_ack(struct dory_ssh *s, size_t n)
{
    if (n > s->tx_tail - s->tx_head)
        return DORY_E_ARG;
    s->tx_head += n;
    if (s->tx_head == s->tx_tail && !s->building)
        s->tx_head = s->tx_tail = 0;
    if (!s->error)
        dory_i_progress(s);
    return s->error;
}

size_t dory_i_room(const struct dory_ssh *s)
{
    size_t used = s->tx_tail + 5 + TX_TAIL;
    return used < s->tx_limit ? s->tx_limit - used : 0;
}

static struct dory_writer begin_at(struct dory_ssh *s, size_t start)
{
    struct dory_writer w = {NULL, NULL, false};

    s->tx_start = start;
    if (start + 5 + TX_TAIL > s->tx_limit) {
        w.bad = true;
        return w;
    }
    w.p = s->config->tx + start + 5;
    w.end = s->config->tx + s->tx_limit - TX_TAIL;
    return w;
}

struct dory_writer dory_i_begin(struct dory_ssh *s, uint8_t type)
{
    struct dory_writer w = begin_at(s, s->tx_tail);
    dory_i_put8(&w, type);
    return w;
}

struct dory_writer dory_i_begin_signed(struct dory_ssh *s, uint8_t type)
{
    struct dory_writer w = begin_at(s, s->tx_tail + DORY_PACKET_HEADROOM);
    if (!w.bad) {
        uint8_t *front = w.p - 36;
        dory_i_store32(front, 32);
        memcpy(front + 4, s->session_id, 32);
    }
    dory_i_put8(&w, type);
    return w;
}

static size_t padding(const struct dory_direction *d, size_t payload_n, size_t round)
{
    size_t block = d->cipher ? d->cipher->block_size : 8;
    size_t covered = (d->cipher ? 0U : 4U) + 1 + payload_n;
    size_t pad;

    if (round < block)
        round = block;
    pad = round - covered % round;
    return pad < 4 ? pad + round : pad;
}

/* Padding bytes are zero: every cipher here authenticates, and none leaks them. PROTOCOL.md deviation 2. */
int dory_i_seal(struct dory_ssh *s, size_t payload_n, size_t round)
{
    struct dory_direction *d = &s->tx;
    uint8_t *pkt = s->config->tx + s->tx_start;
    size_t pad = padding(d, payload_n, round);
    size_t n = 5 + payload_n + pad;

    if (used_up(d))
        return dory_i_error(s, DORY_E_PROTOCOL, "sequence numbers used up");
    memset(pkt + 5 + payload_n, 0, pad);
    dory_i_store32(pkt, (uint32_t)(n - 4));
    pkt[4] = (uint8_t)pad;
    if (d->cipher) {
        int rc = d->cipher->seal(d->cipher_ctx, d->seq, pkt, n);
        if (rc)
            return rc;
        if (d->mac)
            d->mac->compute(d->mac_ctx, d->seq, pkt, n, pkt + n);
    }
    n += tag_size(d);
    d->seq++;
    d->bytes += n;
    s->tx_tail = s->tx_start + n;
    return DORY_OK;
}

static int end(struct dory_ssh *s, const struct dory_writer *w, size_t round)
{
    const uint8_t *payload = s->config->tx + s->tx_start + 5;
    size_t n;

    if (w->bad)
        return DORY_E_SPACE;
    n = (size_t)(w->p - payload);
    if (s->tx_start != s->tx_tail) {
        memmove(s->config->tx + s->tx_tail + 5, payload, n);
        s->tx_start = s->tx_tail;
    }
    return dory_i_seal(s, n, round);
}

int dory_i_end(struct dory_ssh *s, const struct dory_writer *w)
{
    return end(s, w, 0);
}

int dory_i_end_padded(struct dory_ssh *s, const struct dory_writer *w)
{
    return end(s, w, 128);
}
