/* Shared by the files of platform/lwip. */
#ifndef DORY_LWIP_INTERNAL_H
#define DORY_LWIP_INTERNAL_H

#include "dory_lwip.h"
#include <lwip/pbuf.h>
#include <lwip/tcp.h>

enum { LWIP_FREE, LWIP_WAITING, LWIP_HELD };

struct dory_lwip {
    struct tcp_pcb *pcb; /* NULL: gone */
    struct pbuf *in;     /* received, not yet taken */
    uint8_t use;         /* LWIP_* */
    uint8_t state;       /* enum dory_lwip_state */
    bool unsent;         /* tcp_output is due */
    uint8_t address[4];  /* of the peer */
    uint16_t port;
    uint32_t number;     /* newcomers are given in their order */
};

/* connection.c: what the last calls could not do, or left. */
void dory_i_lwip_retry(void);

#endif
