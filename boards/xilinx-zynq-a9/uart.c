/* The first of the two Cadence UARTs. */
#include "dory_board.h"
#include "zynq.h"

enum { BASE = (int)0xE0000000, CONTROL = 0, INTERRUPT_ENABLE = 8, INTERRUPT = 0x14, TRIGGER = 0x20, STATUS = 0x2C, FIFO = 0x30 };
enum { RESET_BOTH = 3, RECEIVE = 4, TRANSMIT = 0x10, RECEIVED = 1, EMPTY = 2, FULL = 0x10 };

static volatile uint32_t *reg(uint32_t offset)
{
    return zynq_reg((uint32_t)BASE + offset);
}

void zynq_uart_start(void)
{
    *reg(CONTROL) = RESET_BOTH;
    *reg(CONTROL) = RECEIVE | TRANSMIT;
    *reg(TRIGGER) = 1;
    *reg(INTERRUPT_ENABLE) = RECEIVED;
}

bool zynq_uart_waits(void)
{
    return !(*reg(STATUS) & EMPTY);
}

void zynq_uart_acknowledge(void)
{
    *reg(INTERRUPT) = RECEIVED;
}

void dory_board_put(const char *text, size_t n)
{
    for (; n > 0; n--) {
        while (*reg(STATUS) & FULL) {
        }
        *reg(FIFO) = (uint8_t)*text++;
    }
}

int dory_board_get(void)
{
    return zynq_uart_waits() ? (int)(*reg(FIFO) & 0xff) : -1;
}
