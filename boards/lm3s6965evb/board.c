/* QEMU's lm3s6965evb: PL011 UART, the Stellaris Ethernet controller. Only what the emulator needs; silicon also wants clocks and pins. */
#include "platform/cortex-m/cortex_m.h"

#include "dory_board.h"

enum { UART_IRQ = 5, NET_IRQ = 42, SYSTICK_HZ = 12500000 };

const char dory_board_name[] = "lm3s6965evb";
const uint8_t dory_board_mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x57};

#define UART      0x4000C000u
#define UART_DR   (UART + 0x00)
#define UART_FR   (UART + 0x18)
#define UART_IMSC (UART + 0x38)
enum { FR_EMPTY = 1 << 4, FR_FULL = 1 << 5, IMSC_RECEIVED = 1 << 4, IMSC_TIMEOUT = 1 << 6 };

#define NET      0x40048000u
#define NET_RIS  (NET + 0x00) /* write: acknowledge */
#define NET_IM   (NET + 0x04)
#define NET_RCTL (NET + 0x08)
#define NET_TCTL (NET + 0x0C)
#define NET_DATA (NET + 0x10)
#define NET_IA0  (NET + 0x14)
#define NET_IA1  (NET + 0x18)
#define NET_NP   (NET + 0x34)
#define NET_TR   (NET + 0x38)
enum { RCTL_RESET_FIFO = 0x10, RCTL_ON = 0x0B, TCTL_ON = 0x17, RECEIVED = 1, LENGTH_AND_CRC = 6, TYPE_AND_ADDRESSES = 14 };

/* The first word of a frame holds its length and first two bytes, and can be read once. */
static uint32_t head;
static size_t waiting; /* the size of that frame; 0: none was looked at */

void dory_cortex_board_start(void)
{
    const uint8_t *mac = dory_board_mac;

    *dory_reg(UART_IMSC) = IMSC_RECEIVED | IMSC_TIMEOUT;
    *dory_reg(NET_IM) = 0;
    *dory_reg(NET_RCTL) = RCTL_RESET_FIFO;
    *dory_reg(NET_RCTL) = RCTL_ON;
    *dory_reg(NET_IA0) = mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24;
    *dory_reg(NET_IA1) = mac[4] | (uint32_t)mac[5] << 8;
    *dory_reg(NET_TCTL) = TCTL_ON;
    *dory_reg(NET_RIS) = 0x7F;
    *dory_reg(NET_IM) = RECEIVED;
    dory_cortex_clock(SYSTICK_HZ);
}

uint32_t dory_cortex_count(void)
{
    return 0;
}

void dory_board_put(const char *text, size_t n)
{
    for (; n > 0; n--) {
        while (*dory_reg(UART_FR) & FR_FULL) {}
        *dory_reg(UART_DR) = (uint8_t)*text++;
    }
}

int dory_board_get(void)
{
    return *dory_reg(UART_FR) & FR_EMPTY ? -1 : (int)(*dory_reg(UART_DR) & 0xff);
}

size_t dory_board_frame_size(void)
{
    if (!waiting && (*dory_reg(NET_NP) & 0x3f)) {
        head = *dory_reg(NET_DATA);
        waiting = (head & 0xffff) - LENGTH_AND_CRC;
    }
    return waiting;
}

void dory_board_frame_take(uint8_t *to)
{
    size_t n = dory_board_frame_size(), words = (n + LENGTH_AND_CRC + 3) / 4 - 1;

    if (!n)
        return;
    if (to) {
        to[0] = (uint8_t)(head >> 16);
        to[1] = (uint8_t)(head >> 24);
        dory_fifo_get(dory_reg(NET_DATA), to + 2, n - 2);
        words -= (n - 2 + 3) / 4;
    }
    dory_fifo_drop(dory_reg(NET_DATA), words);
    waiting = 0;
}

int dory_board_frame_send(const struct dory_board_piece *pieces, unsigned count)
{
    struct dory_fifo fifo = {.to = dory_reg(NET_DATA), .have = 2};
    size_t n = 0;

    if (*dory_reg(NET_TR) & 1)
        return DORY_E_AGAIN;
    for (unsigned i = 0; i < count; i++)
        n += pieces[i].n;
    fifo.word = (uint32_t)(n - TYPE_AND_ADDRESSES);
    for (unsigned i = 0; i < count; i++)
        dory_fifo_put(&fifo, pieces[i].p, pieces[i].n);
    dory_fifo_end(&fifo);
    *dory_reg(NET_TR) = 1;
    return DORY_OK;
}

static bool something_waits(void)
{
    *dory_reg(NET_RIS) = RECEIVED;
    return waiting || (*dory_reg(NET_NP) & 0x3f) || !(*dory_reg(UART_FR) & FR_EMPTY);
}

void dory_board_wait(uint32_t ms)
{
    static const uint8_t irqs[] = {NET_IRQ, UART_IRQ};

    if (ms)
        dory_cortex_wait(irqs, sizeof irqs, something_waits);
}
