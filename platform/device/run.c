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

int dory_device_pools(struct dory_device *device, const char *args, struct dory_text *out)
{
    struct dory_lwip_pool pool;

    (void)device;
    (void)args;
    for (unsigned i = 0; dory_lwip_pool(i, &pool); i++) {
        dory_text_put(out, pool.name);
        dory_text_column(out, 24);
        dory_text_number(out, pool.now);
        dory_text_put(out, " now, ");
        dory_text_number(out, pool.most);
        dory_text_put(out, " most, of ");
        dory_text_number(out, pool.size);
        dory_text_put(out, "\n");
    }
    return 0;
}

static void print_address(const struct dory_lwip_config *net, uint16_t port)
{
    char buf[64];
    struct dory_text text;

    dory_text_init(&text, buf, sizeof buf);
    dory_text_put(&text, "Listening on ");
    for (int i = 0; i < 4; i++) {
        dory_text_put(&text, i ? "." : "");
        dory_text_number(&text, net->address[i]);
    }
    dory_text_put(&text, " port ");
    dory_text_number(&text, port);
    dory_text_put(&text, "\n");
    dory_i_device_say(buf);
}

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
    struct dory_lwip *conn;

    if (dory_device_init(device, config) != DORY_OK)
        stop("");
    if (dory_lwip_init(config->net) != DORY_OK || dory_lwip_listen(port) != DORY_OK)
        stop("Dory does not start: no network\n");
    print_address(config->net, port);
    for (;;) {
        next = dory_lwip_poll();
        while (dory_device_has_room(device) && (conn = dory_lwip_accept()) != NULL)
            dory_device_accept(device, &dory_conn_lwip, conn);
        wait = dory_device_turn(device, dory_board_millis());
        if (wait)
            dory_board_wait(wait < next ? wait : next);
    }
}
