/* TCP on lwIP's raw API without an operating system: connections that a main loop fills and drains. lwIP's callbacks only note what came;
 * whoever holds a connection asks. Nothing is allocated but from lwIP's static pools; nothing blocks.
 *
 *     loop:   next = dory_lwip_poll();                 frames in, timers, retries
 *             c = dory_lwip_accept();                  a newcomer, or NULL
 *             for each session: recv, send, state      (below)
 *             dory_board_wait(min(next, deadlines));
 *
 * Back-pressure: bytes that came are kept in the pool until dory_lwip_recv_ack says that they were taken; only then does TCP's window open
 * again (tcp_recved). A holder that takes nothing stops its peer, and only that one: the pool holds every connection's window.
 */
#ifndef DORY_LWIP_H
#define DORY_LWIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dory_error.h"

/* IPv4 addresses are four bytes, as written: {10, 0, 2, 15}. */
struct dory_lwip_config {
    uint8_t address[4], mask[4], gateway[4];
};

struct dory_lwip; /* one connection; there are DORY_LWIP_CONNECTIONS (the board's dory_limits.h) */

/* Brings up lwIP and the one interface, whose frames are dory_board_frame_*. Once, before anything else. */
int dory_lwip_init(const struct dory_lwip_config *config);

/* Takes all waiting frames, runs lwIP's timers, retries what lwIP refused. Returns the milliseconds until it must be called again, though no
   frame comes (never 0). Call it after the board woke up, and after each round in which a session sent or took bytes. */
uint32_t dory_lwip_poll(void);

/* DORY_OK, or DORY_E_SPACE: no listening pcb left, or the port is taken. */
int dory_lwip_listen(uint16_t port);

/* The oldest connection that came in and that nobody holds yet; NULL: none. Newcomers wait here, with what they send kept, while they fit
   DORY_LWIP_CONNECTIONS; further ones are reset at once. One that is reset while it waits is forgotten. A call that was not completed (SYN, and
   nothing behind our answer) is forgotten after 20 s, the oldest one at once when another call finds no room. */
struct dory_lwip *dory_lwip_accept(void);
/* True: somebody waits for dory_lwip_accept. */
bool dory_lwip_waiting(void);

/* Begins to connect; the state is DORY_LWIP_OPENING until it is known. Where no connection is left, the oldest that came in and that nobody holds
   yet is reset for it. NULL: there is none such, or lwIP has no room. */
struct dory_lwip *dory_lwip_connect(const uint8_t address[4], uint16_t port);

enum dory_lwip_state {
    DORY_LWIP_OPENING = 0,
    DORY_LWIP_OPEN = 1,
    DORY_LWIP_ENDED = 2, /* the peer sends no more. Bytes that came before can still be taken, and this side may still send */
    DORY_LWIP_DEAD = 3   /* reset, timed out, refused, or lwIP's memory was short. Bytes that came before can still be taken; no more go out */
};
enum dory_lwip_state dory_lwip_state(const struct dory_lwip *c);

/* The next bytes that came, in one piece; NULL and 0: none now. Valid until the ack. */
const uint8_t *dory_lwip_recv_buf(const struct dory_lwip *c, size_t *n);
/* n of them were taken, at most what recv_buf said: the peer may send as many more. */
void dory_lwip_recv_ack(struct dory_lwip *c, size_t n);

/* How many bytes dory_lwip_send would take now. 0: none; ask again after the next dory_lwip_poll. */
size_t dory_lwip_send_room(const struct dory_lwip *c);
/* Copies up to n bytes into TCP's send buffer and starts them on their way; the count taken, which may be 0 (full: not an error, ask
   again after dory_lwip_poll). On a dead connection all are taken and thrown away. */
size_t dory_lwip_send(struct dory_lwip *c, const uint8_t *bytes, size_t n);

/* Ends in order: what was sent still arrives, then FIN; what the peer still sends is dropped. A peer that does not end within 2 s of that, or
   does not acknowledge all within 10 s, is reset; after 2 s also as soon as a newcomer needs lwIP's memory of it. `c` is gone for the caller. */
void dory_lwip_close(struct dory_lwip *c);
/* Ends with a reset. `c` is gone for the caller. */
void dory_lwip_abort(struct dory_lwip *c);

/* "10.0.2.2:50312", NUL-terminated; of a dead connection as well. */
#define DORY_LWIP_PEER_MAX 22
void dory_lwip_peer(const struct dory_lwip *c, char text[DORY_LWIP_PEER_MAX]);

/* lwIP's pools, in elements, and its heap, in bytes: for `pools`. */
struct dory_lwip_pool {
    const char *name;
    unsigned now, most, size; /* used, used at once since the start, there are */
};
/* False: there is no pool number i. */
bool dory_lwip_pool(unsigned i, struct dory_lwip_pool *pool);

#endif
