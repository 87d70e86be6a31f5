/* lwIP's options that are the same on every board: one thread, raw API, TCP over IPv4, nothing that Dory does not use. A board's lwipopts.h
   sets its sizes and includes this. */
#ifndef DORY_LWIPOPTS_H
#define DORY_LWIPOPTS_H

#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN         0
#define LWIP_SOCKET          0
#define LWIP_RAW             0
#define LWIP_UDP             0
#define LWIP_DHCP            0
#define LWIP_ACD             0
#define LWIP_IGMP            0
#define LWIP_SINGLE_NETIF    1
#define IP_REASSEMBLY        0
#define IP_FRAG              0
#define ARP_QUEUEING         0
#define TCP_QUEUE_OOSEQ      0
#define LWIP_NOASSERT        1
#define MEM_ALIGNMENT        4
#define ETH_PAD_SIZE         0
#define ARP_TABLE_SIZE       4
#define LWIP_CHKSUM_ALGORITHM 3

/* A listener takes what dory_lwip.c can hold and resets the rest; one pcb more is for the newcomer who is told so, or for a
   connection that is closed and whose peer has not taken all yet. */
#define MEMP_NUM_TCP_PCB        (DORY_LWIP_CONNECTIONS + 1)
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_PBUF           4
#define MEMP_NUM_TCP_SEG        (4 * DORY_LWIP_CONNECTIONS + 4)
#define TCP_SND_QUEUELEN        8

/* A segment as the peer sends it lies in one piece, frame and all. */
#define TCP_MSS            1460
#define PBUF_POOL_BUFSIZE  1516
/* Every connection's window and spare for ACKs, or two connections starve each other. */
#ifndef TCP_WND
#define TCP_WND            (2 * TCP_MSS)
#endif
#ifndef PBUF_POOL_SIZE
#define PBUF_POOL_SIZE     ((TCP_WND / TCP_MSS) * DORY_LWIP_CONNECTIONS + 2)
#endif
#define TCP_SND_BUF        (2 * TCP_MSS)
#define TCP_OVERSIZE       0
#ifndef MEM_SIZE
#define MEM_SIZE           3400
#endif

/* The pools' high-water marks, for `stats`. */
#ifndef LWIP_STATS
#define LWIP_STATS         1
#endif
#define LWIP_STATS_DISPLAY 0
#define LINK_STATS         0
#define ETHARP_STATS       0
#define IP_STATS           0
#define ICMP_STATS         0
#define TCP_STATS          0
#define SYS_STATS          0
#define MEM_STATS          LWIP_STATS
#define MEMP_STATS         LWIP_STATS

/* RFC 6528 in spirit: nobody guesses where a connection begins. */
#define LWIP_HOOK_TCP_ISN(local_ip, local_port, remote_ip, remote_port) dory_lwip_random()

#endif
