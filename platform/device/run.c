/* The device on lwIP: one loop. */
#include "device_internal.h"
#include "platform/lwip/dory_lwip.h"

_Static_assert((int)DORY_CONN_OPEN == (int)DORY_LWIP_OPEN && (int)DORY_CONN_ENDED == (int)DORY_LWIP_ENDED && (int)DORY_CONN_DEAD == (int)DORY_LWIP_DEAD &&
                   DORY_CONN_PEER_MAX == DORY_LWIP_PEER_MAX,
               "the two say the same");

static enum dory_conn_state state(void *conn)
{
    return (enum dory_conn_state)dory_lwip_state(conn);
}

static const uint8_t *recv_buf(void *conn, size_t *n)
{
    return dory_lwip_recv_buf(conn, n);
}

static void recv_ack(void *conn, size_t n)
{
    dory_lwip_recv_ack(conn, n);
}

static size_t send(void *conn, const uint8_t *bytes, size_t n)
{
    return dory_lwip_send(conn, bytes, n);
}

static void close(void *conn)
{
    dory_lwip_close(conn);
}

static void abort_conn(void *conn)
{
    dory_lwip_abort(conn);
}

static void peer(void *conn, char text[DORY_CONN_PEER_MAX])
{
    dory_lwip_peer(conn, text);
}

const struct dory_conn_ops dory_conn_lwip = {state, recv_buf, recv_ack, send, close, abort_conn, peer};

static int pools(struct dory_device *device, const char *args, struct dory_text *out)
{
    struct dory_lwip_pool pool;

    (void)device;
    (void)args;
    for (unsigned i = 0; dory_lwip_pool(i, &pool); i++) {
        dory_text_say(out, "%s%t%u now, %u most, of %u\n", pool.name, 24u, (uint32_t)pool.now, (uint32_t)pool.most, (uint32_t)pool.size);
    }
    return 0;
}

const struct dory_device_command dory_device_pools = {.name = "pools", .help = "high-water marks of the network's memory", .run = pools};

_Noreturn static void stop(const char *why)
{
    dory_i_device_say(why);
    for (;;)
        dory_board_wait(UINT32_MAX);
}

_Noreturn void dory_device_run(struct dory_device *device, const struct dory_device_config *config)
{
    uint16_t port = config->port ? config->port : 22;
    uint32_t wait, next;
    const uint8_t *address;
    struct dory_lwip *conn;

    if (dory_device_init(device, config) != DORY_OK)
        stop("");
    if (dory_lwip_init(config->net) != DORY_OK || dory_lwip_listen(port) != DORY_OK)
        stop("Dory does not start: no network\n");
    address = config->net->address;
    dory_i_device_print("Listening on %u.%u.%u.%u port %u\n", (uint32_t)address[0], (uint32_t)address[1], (uint32_t)address[2], (uint32_t)address[3],
                        (uint32_t)port);
    for (;;) {
        next = dory_lwip_poll();
        while (dory_device_has_room(device) && (conn = dory_lwip_accept()) != NULL)
            dory_device_accept(device, &dory_conn_lwip, conn);
        wait = dory_device_turn(device, dory_board_millis());
        if (wait)
            dory_board_wait(wait < next ? wait : next);
    }
}
