/* The Ethernet controller (Cadence GEM): one ring of buffers it fills, one it empties, one copy each way. */
#include <string.h>

#include "dory_board.h"
#include "zynq.h"

enum {
    CONTROL = 0, CONFIG = 4, DMA = 0x10, TX_STATUS = 0x14, RX_RING = 0x18, TX_RING = 0x1C, RX_STATUS = 0x20, INTERRUPT = 0x24,
    INTERRUPT_ENABLE = 0x28, MAC_LOW = 0x88, MAC_HIGH = 0x8C
};
enum { RECEIVE = 4, TRANSMIT = 8, START = 0x200 };
enum { SPEED_100 = 1, FULL_DUPLEX = 2, DROP_CRC = 1 << 17, MDC_DIVIDE_224 = 5 << 18 };
enum { NO_BUFFER = 1, RECEIVED = 2, SIZE = 1536, FRAME_MAX = 1514, IN = 8, OUT = 4, PATIENCE_MS = 2 };
/* Descriptors: address and flags, length and flags. The first word says whose a receive descriptor is, the second a transmit one. */
enum { RX_OURS = 1, RX_LAST = 2, RX_WHOLE = 3 << 14, RX_LENGTH = 0x1fff, TX_END = 1 << 15, TX_LAST = 1 << 30 };
#define TX_OURS (1u << 31)

struct descriptor {
    uint32_t address, status;
};

static _Alignas(8) volatile struct descriptor receive[IN], transmit[OUT];
static _Alignas(8) uint8_t in[IN][SIZE], out[OUT][SIZE];
static unsigned in_next, out_next;

static volatile uint32_t *reg(uint32_t offset)
{
    return zynq_reg(0xE000B000u + offset);
}

static void barrier(void)
{
    __asm__ volatile("dsb" ::: "memory");
}

static uint32_t address(const void *p)
{
    return (uint32_t)(uintptr_t)p;
}

static void make_rings(void)
{
    for (unsigned i = 0; i < IN; i++) {
        receive[i].status = 0;
        receive[i].address = address(in[i]) | (i == IN - 1 ? RX_LAST : 0);
    }
    for (unsigned i = 0; i < OUT; i++) {
        transmit[i].address = address(out[i]);
        transmit[i].status = TX_OURS | (i == OUT - 1 ? TX_LAST : 0);
    }
    barrier();
}

void zynq_net_start(void)
{
    const uint8_t *mac = dory_board_mac;

    *reg(CONTROL) = 0;
    make_rings();
    *reg(CONFIG) = SPEED_100 | FULL_DUPLEX | DROP_CRC | MDC_DIVIDE_224;
    *reg(DMA) = SIZE / 64 << 16 | 7 << 8 | 4; /* buffer memory of the controller in full use, bursts of 4 */
    *reg(RX_RING) = address((const void *)receive);
    *reg(TX_RING) = address((const void *)transmit);
    *reg(MAC_LOW) = mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24;
    *reg(MAC_HIGH) = mac[4] | (uint32_t)mac[5] << 8;
    *reg(INTERRUPT_ENABLE) = RECEIVED;
    *reg(CONTROL) = RECEIVE | TRANSMIT;
}

void zynq_net_acknowledge(void)
{
    *reg(INTERRUPT) = *reg(INTERRUPT);
    *reg(RX_STATUS) = RECEIVED;
}

/* A controller that found no buffer looks again when it is told to receive. */
static void give_back(void)
{
    receive[in_next].status = 0;
    barrier();
    receive[in_next].address &= ~(uint32_t)RX_OURS;
    barrier();
    in_next = (in_next + 1) % IN;
    if (*reg(RX_STATUS) & NO_BUFFER) {
        *reg(RX_STATUS) = NO_BUFFER;
        *reg(CONTROL) = RECEIVE | TRANSMIT;
    }
}

size_t dory_board_frame_size(void)
{
    for (; receive[in_next].address & RX_OURS; give_back()) {
        uint32_t status = receive[in_next].status, n = status & RX_LENGTH;

        if ((status & RX_WHOLE) == RX_WHOLE && n > 0 && n <= FRAME_MAX)
            return n;
    }
    return 0;
}

void dory_board_frame_take(uint8_t *to)
{
    size_t n = dory_board_frame_size();

    if (n == 0)
        return;
    barrier();
    if (to)
        memcpy(to, in[in_next], n);
    give_back();
}

/* The controller empties them while this processor goes on, some microseconds later. */
static bool free_buffer(void)
{
    uint64_t end = dory_board_millis() + PATIENCE_MS;

    while (!(transmit[out_next].status & TX_OURS))
        if (dory_board_millis() > end)
            return false;
    return true;
}

int dory_board_frame_send(const struct dory_board_piece *pieces, unsigned count)
{
    size_t n = 0;

    if (!free_buffer())
        return DORY_E_AGAIN;
    for (; count > 0; count--, pieces++) {
        if (pieces->n > FRAME_MAX - n)
            return DORY_E_ARG;
        memcpy(out[out_next] + n, pieces->p, pieces->n);
        n += pieces->n;
    }
    barrier();
    transmit[out_next].status = (transmit[out_next].status & TX_LAST) | TX_END | (uint32_t)n;
    barrier();
    out_next = (out_next + 1) % OUT;
    *reg(CONTROL) = RECEIVE | TRANSMIT | START;
    return DORY_OK;
}
