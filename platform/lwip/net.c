/* lwIP's only interface: frames of the board in and out, time, randomness. */
#include <string.h>

#include "dory_board.h"
#include "lwip_internal.h"

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/memp.h>
#include <lwip/netif.h>
#include <lwip/stats.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#define MTU             1500
#define PIECES          8
#define FRAMES_AT_ONCE  8
#define LONGEST_WAIT_MS 1000

static struct netif interface;

u32_t sys_now(void)
{
    return (u32_t)dory_board_millis();
}

uint32_t dory_lwip_random(void)
{
    uint32_t n = 0;

    if (dory_board_entropy((uint8_t *)&n, sizeof n) != DORY_OK)
        n = sys_now() * 2654435761u; /* sequence numbers and ports: SSH does not rely on them */
    return n;
}

static err_t send_frame(struct netif *netif, struct pbuf *p)
{
    struct dory_board_piece pieces[PIECES];
    unsigned count = 0;

    (void)netif;
    for (; p; p = p->next) {
        if (!p->len)
            continue;
        if (count == PIECES)
            return ERR_BUF;
        pieces[count++] = (struct dory_board_piece){p->payload, p->len};
    }
    return dory_board_frame_send(pieces, count) == DORY_OK ? ERR_OK : ERR_MEM; /* ERR_MEM: TCP keeps the segment and tries again */
}

static err_t set_up(struct netif *netif)
{
    netif->name[0] = 'e';
    netif->name[1] = '0';
    netif->mtu = MTU;
    netif->hwaddr_len = sizeof dory_board_mac;
    memcpy(netif->hwaddr, dory_board_mac, sizeof dory_board_mac);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    netif->output = etharp_output;
    netif->linkoutput = send_frame;
    return ERR_OK;
}

static ip4_addr_t address_of(const uint8_t bytes[4])
{
    ip4_addr_t address;

    IP4_ADDR(&address, bytes[0], bytes[1], bytes[2], bytes[3]);
    return address;
}

int dory_lwip_init(const struct dory_lwip_config *config)
{
    const ip4_addr_t address = address_of(config->address), mask = address_of(config->mask), gateway = address_of(config->gateway);

    lwip_init();
    if (!netif_add(&interface, &address, &mask, &gateway, NULL, set_up, ethernet_input))
        return DORY_E_STATE;
    netif_set_default(&interface);
    netif_set_up(&interface);
    return DORY_OK;
}

/* A frame that does not fit one buffer is none that a peer of ours sends. One for which there is no buffer is lost; its sender repeats it. */
static void take_frame(size_t n)
{
    struct pbuf *p = n <= PBUF_POOL_BUFSIZE ? pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_POOL) : NULL;

    dory_board_frame_take(p ? p->payload : NULL);
    if (p && interface.input(p, &interface) != ERR_OK)
        pbuf_free(p);
}

uint32_t dory_lwip_poll(void)
{
    size_t n;
    uint32_t ms;

    dory_i_lwip_retry();
    for (int i = 0; i < FRAMES_AT_ONCE && (n = dory_board_frame_size()) > 0; i++)
        take_frame(n);
    sys_check_timeouts();
    ms = sys_timeouts_sleeptime();
    if (ms > LONGEST_WAIT_MS)
        ms = LONGEST_WAIT_MS;
    return ms ? ms : 1;
}

#if LWIP_STATS
bool dory_lwip_pool(unsigned i, struct dory_lwip_pool *pool)
{
    static const struct {
        const char *name;
        memp_t pool;
    } pools[] = {{"tcp-pcb", MEMP_TCP_PCB}, {"tcp-segment", MEMP_TCP_SEG}, {"pbuf", MEMP_PBUF}, {"pbuf-pool", MEMP_PBUF_POOL}};
    const unsigned count = sizeof pools / sizeof pools[0];
    const struct stats_mem *stats = i < count ? lwip_stats.memp[pools[i].pool] : &lwip_stats.mem;

    if (i > count)
        return false;
    *pool = (struct dory_lwip_pool){i < count ? pools[i].name : "heap", stats->used, stats->max, stats->avail};
    return true;
}
#else
bool dory_lwip_pool(unsigned i, struct dory_lwip_pool *pool)
{
    (void)i;
    (void)pool;
    return false;
}
#endif
