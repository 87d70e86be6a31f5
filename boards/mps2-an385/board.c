/* QEMU's mps2-an385 (Cortex-M3) and, with the same image, mps2-an386 (Cortex-M4): CMSDK UART, LAN9118. Nothing here ran on silicon. */
#include "platform/cortex-m/cortex_m.h"

#include "dory_board.h"

enum { UART_IRQ = 0, NET_IRQ = 13, SYSTICK_HZ = 25000000 };

const char dory_board_name[] = "mps2-an385";
const uint8_t dory_board_mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x58};

#define UART           0x40004000u
#define UART_DATA      (UART + 0x00)
#define UART_STATE     (UART + 0x04)
#define UART_CTRL      (UART + 0x08)
#define UART_INT_CLEAR (UART + 0x0C)
#define UART_BAUDDIV   (UART + 0x10)
enum { STATE_FULL = 1, STATE_RECEIVED = 2, CTRL_SEND = 1, CTRL_RECEIVE = 2, CTRL_RECEIVE_INTERRUPT = 8, INT_RECEIVED = 2 };

#define FPGAIO_COUNTER 0x40028018u

#define NET                0x40200000u
#define NET_RX_DATA        (NET + 0x00)
#define NET_TX_DATA        (NET + 0x20)
#define NET_RX_STATUS      (NET + 0x40)
#define NET_TX_STATUS      (NET + 0x48)
#define NET_IRQ_CFG        (NET + 0x54)
#define NET_INT_STS        (NET + 0x58)
#define NET_INT_EN         (NET + 0x5C)
#define NET_FIFO_INT       (NET + 0x68)
#define NET_RX_CFG         (NET + 0x6C)
#define NET_TX_CFG         (NET + 0x70)
#define NET_HW_CFG         (NET + 0x74)
#define NET_RX_FIFO_INF    (NET + 0x7C)
#define NET_TX_FIFO_INF    (NET + 0x80)
#define NET_MAC_CSR_CMD    (NET + 0xA4)
#define NET_MAC_CSR_DATA   (NET + 0xA8)
enum { MAC_CR = 1, MAC_HIGH = 2, MAC_LOW = 3, FRAME_WAITS = 8, CRC = 4, TX_ONE_PIECE = 0x3000, TX_WORDS_AROUND = 8 };

static size_t waiting; /* the size of the frame whose status was taken; 0: none */

static void mac_write(uint32_t number, uint32_t value)
{
    while (*dory_reg(NET_MAC_CSR_CMD) & 0x80000000u) {}
    *dory_reg(NET_MAC_CSR_DATA) = value;
    *dory_reg(NET_MAC_CSR_CMD) = 0x80000000u | number;
}

static void net_start(void)
{
    const uint8_t *mac = dory_board_mac;

    *dory_reg(NET_HW_CFG) = 1; /* reset */
    while (*dory_reg(NET_HW_CFG) & 1) {}
    *dory_reg(NET_HW_CFG) = 0x00150000; /* store and forward, 5 KiB to send */
    *dory_reg(NET_FIFO_INT) = 0;        /* at the first frame */
    *dory_reg(NET_RX_CFG) = 0;
    mac_write(MAC_LOW, mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24);
    mac_write(MAC_HIGH, mac[4] | (uint32_t)mac[5] << 8);
    mac_write(MAC_CR, 0x0010000C);
    *dory_reg(NET_TX_CFG) = 2;
    *dory_reg(NET_INT_EN) = FRAME_WAITS;
    *dory_reg(NET_IRQ_CFG) = 0x111;
}

void dory_cortex_board_start(void)
{
    *dory_reg(UART_BAUDDIV) = 16;
    *dory_reg(UART_CTRL) = CTRL_SEND | CTRL_RECEIVE | CTRL_RECEIVE_INTERRUPT;
    net_start();
    dory_cortex_clock(SYSTICK_HZ);
}

/* FPGAIO counts at 25 MHz, 40 ns a tick; an instruction takes 2^10 ns under -icount shift=10. */
uint32_t dory_cortex_count(void)
{
    return (uint32_t)((uint64_t)*dory_reg(FPGAIO_COUNTER) * 40 / 1024);
}

void dory_board_put(const char *text, size_t n)
{
    for (; n > 0; n--) {
        while (*dory_reg(UART_STATE) & STATE_FULL) {}
        *dory_reg(UART_DATA) = (uint8_t)*text++;
    }
}

int dory_board_get(void)
{
    return *dory_reg(UART_STATE) & STATE_RECEIVED ? (int)(*dory_reg(UART_DATA) & 0xff) : -1;
}

static bool frame_waits(void)
{
    return (*dory_reg(NET_RX_FIFO_INF) >> 16 & 0xff) != 0;
}

size_t dory_board_frame_size(void)
{
    if (!waiting && frame_waits())
        waiting = (*dory_reg(NET_RX_STATUS) >> 16 & 0x3fff) - CRC;
    return waiting;
}

void dory_board_frame_take(uint8_t *to)
{
    size_t n = dory_board_frame_size(), words = (n + CRC + 3) / 4;

    if (!n)
        return;
    if (to) {
        dory_fifo_get(dory_reg(NET_RX_DATA), to, n);
        words -= (n + 3) / 4;
    }
    dory_fifo_drop(dory_reg(NET_RX_DATA), words);
    waiting = 0;
}

int dory_board_frame_send(const struct dory_board_piece *pieces, unsigned count)
{
    struct dory_fifo fifo = {.to = dory_reg(NET_TX_DATA)};
    uint32_t n = 0, space = *dory_reg(NET_TX_FIFO_INF);

    while (space >> 16 & 0xff) {
        (void)*dory_reg(NET_TX_STATUS);
        space = *dory_reg(NET_TX_FIFO_INF);
    }
    for (unsigned i = 0; i < count; i++)
        n += (uint32_t)pieces[i].n;
    if (n + TX_WORDS_AROUND + 4 > (space & 0xffff))
        return DORY_E_AGAIN;
    *fifo.to = TX_ONE_PIECE | n;
    *fifo.to = n;
    for (unsigned i = 0; i < count; i++)
        dory_fifo_put(&fifo, pieces[i].p, pieces[i].n);
    dory_fifo_end(&fifo);
    return DORY_OK;
}

static bool something_waits(void)
{
    *dory_reg(NET_INT_STS) = FRAME_WAITS;
    *dory_reg(UART_INT_CLEAR) = INT_RECEIVED;
    return waiting || frame_waits() || (*dory_reg(UART_STATE) & STATE_RECEIVED);
}

void dory_board_wait(uint32_t ms)
{
    static const uint8_t irqs[] = {NET_IRQ, UART_IRQ};

    if (ms)
        dory_cortex_wait(irqs, sizeof irqs, something_waits);
}
