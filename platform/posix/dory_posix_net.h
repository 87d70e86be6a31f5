/* TCP connections of a client. */
#ifndef DORY_POSIX_NET_H
#define DORY_POSIX_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "dory_posix_text.h"

struct dory_net_target {
    const char *host; /* name or address, without brackets */
    uint16_t port;
    int family;                                                         /* AF_UNSPEC, AF_INET, AF_INET6 */
    uint32_t timeout_ms;                                                /* for each address; 0: as long as the system tries */
    const char *from;                                                   /* address or name of this machine to connect from; NULL */
    bool keepalive;                                                     /* SO_KEEPALIVE */
    void (*trying)(void *ctx, const char *address, const char *failed); /* each address, then why it failed; may be NULL */
    void *ctx;
};

/* Tries the addresses of the host in the system's order. A connected, non-blocking, close-on-exec socket without Nagle's delay; or
   DORY_E_NOENT (no such host), DORY_E_TIMEOUT, DORY_E_CUT (refused or unreachable), with a sentence in `why`. */
int dory_net_connect(const struct dory_net_target *target, char why[DORY_WHY_MAX]);

/* Asks the kernel to acknowledge at once instead of waiting 40 ms for more; it forgets, so ask after each short read. */
void dory_net_quickack(int fd);

#endif
