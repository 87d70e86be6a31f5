/* One byte stream to a peer, as the session loop of a device sees it: lwIP on a board, memory or a socket in a test. No call waits.
   (platform/lwip/dory_lwip.h has the same calls; dory_conn_lwip in dory_device.h lends them.) */
#ifndef DORY_CONN_H
#define DORY_CONN_H

#include <stddef.h>
#include <stdint.h>

enum dory_conn_state {
    DORY_CONN_OPENING = 0, /* this side connects */
    DORY_CONN_OPEN = 1,
    DORY_CONN_ENDED = 2, /* the peer sends no more; bytes that came before can still be taken, and this side may still send */
    DORY_CONN_DEAD = 3   /* nothing goes out any more; bytes that came before can still be taken */
};

#define DORY_CONN_PEER_MAX 22

struct dory_conn_ops {
    enum dory_conn_state (*state)(void *conn);
    const uint8_t *(*recv_buf)(void *conn, size_t *n); /* the next bytes that came, valid until the ack; NULL and 0: none now */
    void (*recv_ack)(void *conn, size_t n);            /* n of them were taken */
    size_t (*send)(void *conn, const uint8_t *bytes, size_t n); /* copies up to n; 0: no room now */
    void (*close)(void *conn);                         /* what was sent still arrives; `conn` is gone for the caller */
    void (*abort)(void *conn);                         /* with a reset; `conn` is gone for the caller */
    void (*peer)(void *conn, char text[DORY_CONN_PEER_MAX]); /* "10.0.2.2:50312" */
};

#endif
