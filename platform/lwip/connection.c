/* TCP connections over lwIP's raw API: callbacks note, holders ask. */
#include <string.h>

#include "dory_board.h"
#include "lwip_internal.h"

#define LEAST_SEND 64

/* Whose pcb goes first when a newcomer needs one: that of a connection that is closed, then one whose peer has not answered SYN-ACK yet. */
enum { PRIO_CLOSED = 1, PRIO_LISTEN, PRIO_OPEN = TCP_PRIO_NORMAL };

/* How long a closed connection gets, in lwIP's ticks of 500 ms, for the peer's end after ours, and to take what was sent. lwIP itself would repeat
   what a peer does not acknowledge, and keep it, for many minutes. */
enum { CLOSE_TICKS = 4, LINGER_TICKS = 20 };

static struct dory_lwip connections[DORY_LWIP_CONNECTIONS];
static uint32_t newcomers;

static struct dory_lwip *claim(uint8_t use)
{
    for (unsigned i = 0; i < DORY_LWIP_CONNECTIONS; i++) {
        struct dory_lwip *c = &connections[i];

        if (c->use != LWIP_FREE)
            continue;
        memset(c, 0, sizeof *c);
        c->use = use;
        c->number = newcomers++;
        return c;
    }
    return NULL;
}

static void drop_input(struct dory_lwip *c)
{
    if (!c->in)
        return;
    if (c->pcb)
        tcp_recved(c->pcb, c->in->tot_len);
    pbuf_free(c->in);
    c->in = NULL;
}

/* From now on lwIP tells us nothing of this pcb. */
static struct tcp_pcb *detach(struct dory_lwip *c)
{
    struct tcp_pcb *pcb = c->pcb;

    if (pcb) {
        tcp_arg(pcb, NULL);
        tcp_recv(pcb, NULL);
        tcp_err(pcb, NULL);
        c->pcb = NULL;
    }
    return pcb;
}

/* ---- what lwIP tells */

/* Many small segments must not use up the pool: what fits behind the last bytes is copied there. */
static bool append(struct pbuf *chain, struct pbuf *p)
{
    struct pbuf *last = chain, *q;
    uint8_t *end, *limit;

    while (last->next)
        last = last->next;
    end = (uint8_t *)last->payload + last->len;
    limit = (uint8_t *)last + LWIP_MEM_ALIGN_SIZE(sizeof *last) + PBUF_POOL_BUFSIZE;
    if (p->next || last->ref != 1 || pbuf_match_allocsrc(last, PBUF_TYPE_ALLOC_SRC_MASK_STD_MEMP_PBUF_POOL) == 0 ||
        p->len > (size_t)(limit - end))
        return false;
    memcpy(end, p->payload, p->len);
    last->len = (u16_t)(last->len + p->len);
    for (q = chain; q; q = q->next)
        q->tot_len = (u16_t)(q->tot_len + p->len);
    pbuf_free(p);
    return true;
}

static err_t on_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    struct dory_lwip *c = arg;

    (void)pcb;
    (void)error;
    if (!p)
        c->state = DORY_LWIP_ENDED;
    else if (!c->in)
        c->in = p;
    else if (!append(c->in, p))
        pbuf_cat(c->in, p);
    return ERR_OK;
}

/* lwIP has freed the pcb. */
static void on_error(void *arg, err_t error)
{
    struct dory_lwip *c = arg;

    (void)error;
    c->pcb = NULL;
    c->state = DORY_LWIP_DEAD;
    if (c->use != LWIP_HELD) {
        drop_input(c);
        c->use = LWIP_FREE;
    }
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t error)
{
    struct dory_lwip *c = arg;

    (void)pcb;
    (void)error;
    c->state = DORY_LWIP_OPEN;
    return ERR_OK;
}

static void adopt(struct dory_lwip *c, struct tcp_pcb *pcb)
{
    c->pcb = pcb;
    tcp_setprio(pcb, PRIO_OPEN);
    tcp_nagle_disable(pcb);
    tcp_arg(pcb, c);
    tcp_recv(pcb, on_receive);
    tcp_err(pcb, on_error);
}

/* All pcbs are taken, and none of a closed connection: SYNs that nobody follows up must not keep others out. As if one were needed to call
   somebody, the oldest of these is given up; the peer that was refused will repeat its SYN. */
static err_t make_room(void)
{
    struct tcp_pcb *pcb = tcp_new();

    if (pcb)
        tcp_abort(pcb);
    return ERR_MEM;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t error)
{
    struct dory_lwip *c;

    (void)arg;
    (void)error;
    if (!pcb)
        return make_room();
    c = claim(LWIP_WAITING);
    if (!c) {
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    adopt(c, pcb);
    c->state = DORY_LWIP_OPEN;
    c->port = pcb->remote_port;
    memcpy(c->address, &ip_2_ip4(&pcb->remote_ip)->addr, 4);
    return ERR_OK;
}

/* ---- beginning */

int dory_lwip_listen(uint16_t port)
{
    struct tcp_pcb *pcb = tcp_new(), *listener;

    if (!pcb || tcp_bind(pcb, IP4_ADDR_ANY, port) != ERR_OK || !(listener = tcp_listen(pcb))) {
        if (pcb)
            tcp_abort(pcb);
        return DORY_E_SPACE;
    }
    tcp_setprio(listener, PRIO_LISTEN);
    tcp_accept(listener, on_accept);
    return DORY_OK;
}

static struct dory_lwip *oldest_newcomer(void)
{
    struct dory_lwip *oldest = NULL;

    for (unsigned i = 0; i < DORY_LWIP_CONNECTIONS; i++) {
        struct dory_lwip *c = &connections[i];

        if (c->use == LWIP_WAITING && (!oldest || (int32_t)(c->number - oldest->number) < 0))
            oldest = c;
    }
    return oldest;
}

struct dory_lwip *dory_lwip_accept(void)
{
    struct dory_lwip *c = oldest_newcomer();

    if (c)
        c->use = LWIP_HELD;
    return c;
}

bool dory_lwip_waiting(void)
{
    return oldest_newcomer() != NULL;
}

struct dory_lwip *dory_lwip_connect(const uint8_t address[4], uint16_t port)
{
    struct dory_lwip *c = claim(LWIP_HELD), *other = oldest_newcomer();
    struct tcp_pcb *pcb;
    ip_addr_t peer;

    if (!c && other) {
        dory_lwip_abort(other);
        c = claim(LWIP_HELD);
    }
    if (!c)
        return NULL;
    pcb = tcp_new();
    if (!pcb) {
        c->use = LWIP_FREE;
        return NULL;
    }
    adopt(c, pcb);
    c->port = port;
    memcpy(c->address, address, 4);
    IP_ADDR4(&peer, address[0], address[1], address[2], address[3]);
    if (tcp_connect(pcb, &peer, port, on_connected) == ERR_OK)
        return c;
    dory_lwip_abort(c);
    return NULL;
}

/* ---- the bytes */

enum dory_lwip_state dory_lwip_state(const struct dory_lwip *c)
{
    return (enum dory_lwip_state)c->state;
}

const uint8_t *dory_lwip_recv_buf(const struct dory_lwip *c, size_t *n)
{
    *n = c->in ? c->in->len : 0;
    return c->in ? c->in->payload : NULL;
}

void dory_lwip_recv_ack(struct dory_lwip *c, size_t n)
{
    struct pbuf *rest;

    if (!c->in || !n || n > c->in->len)
        return;
    if (n < c->in->len) {
        pbuf_remove_header(c->in, n);
    } else {
        rest = c->in->next;
        if (rest)
            pbuf_ref(rest);
        pbuf_free(c->in);
        c->in = rest;
    }
    if (c->pcb)
        tcp_recved(c->pcb, (u16_t)n);
}

static bool can_send(const struct dory_lwip *c)
{
    return c->pcb && (c->state == DORY_LWIP_OPEN || c->state == DORY_LWIP_ENDED);
}

size_t dory_lwip_send_room(const struct dory_lwip *c)
{
    return can_send(c) && tcp_sndqueuelen(c->pcb) < TCP_SND_QUEUELEN ? tcp_sndbuf(c->pcb) : 0;
}

size_t dory_lwip_send(struct dory_lwip *c, const uint8_t *bytes, size_t n)
{
    size_t room = dory_lwip_send_room(c);

    if (c->state == DORY_LWIP_DEAD)
        return n;
    if (n > room)
        n = room;
    /* Short of memory for all of it: less may fit. */
    while (n > 0 && tcp_write(c->pcb, bytes, (u16_t)n, TCP_WRITE_FLAG_COPY) != ERR_OK)
        n = n > LEAST_SEND ? n / 2 : 0;
    if (n)
        c->unsent = tcp_output(c->pcb) != ERR_OK;
    return n;
}

/* ---- the end */

void dory_lwip_abort(struct dory_lwip *c)
{
    struct tcp_pcb *pcb;

    drop_input(c);
    pcb = detach(c);
    c->use = LWIP_FREE;
    if (pcb)
        tcp_abort(pcb);
}

static err_t on_linger(void *arg, struct tcp_pcb *pcb)
{
    uintptr_t ticks = (uintptr_t)arg + 1;

    tcp_arg(pcb, (void *)ticks);
    if (ticks < CLOSE_TICKS)
        return ERR_OK;
    tcp_setprio(pcb, PRIO_CLOSED);
    if (pcb->state != FIN_WAIT_2 && ticks < LINGER_TICKS)
        return ERR_OK;
    tcp_abort(pcb);
    return ERR_ABRT;
}

/* Nobody holds the pcb from here on: lwIP drops what still comes, frees it when the peer has ended too, and asks on_linger meanwhile. */
void dory_lwip_close(struct dory_lwip *c)
{
    struct tcp_pcb *pcb = c->state == DORY_LWIP_OPENING ? NULL : c->pcb;

    if (!pcb) {
        dory_lwip_abort(c);
        return;
    }
    drop_input(c);
    detach(c);
    c->use = LWIP_FREE;
    tcp_poll(pcb, on_linger, 1);
    tcp_shutdown(pcb, 0, 1);
}

/* An acknowledgement that no answer has carried is not kept back: the peer's next packet may wait for it (Nagle's algorithm). */
void dory_i_lwip_retry(void)
{
    for (unsigned i = 0; i < DORY_LWIP_CONNECTIONS; i++) {
        struct dory_lwip *c = &connections[i];

        if (!c->pcb || !(c->unsent || (c->pcb->flags & TF_ACK_DELAY)))
            continue;
        tcp_set_flags(c->pcb, TF_ACK_NOW);
        c->unsent = tcp_output(c->pcb) != ERR_OK;
    }
}

static char *put_number(char *p, unsigned n)
{
    char digits[5];
    int i = 0;

    do
        digits[i++] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    while (i > 0)
        *p++ = digits[--i];
    return p;
}

void dory_lwip_peer(const struct dory_lwip *c, char text[DORY_LWIP_PEER_MAX])
{
    char *p = text;

    for (int i = 0; i < 4; i++) {
        p = put_number(p, c->address[i]);
        *p++ = i < 3 ? '.' : ':';
    }
    *put_number(p, c->port) = '\0';
}
