/* A 16550 at 115,200 or whatever QEMU takes it for. */
#include "dory_board.h"
#include "virt.h"

enum { DATA = 0, INTERRUPT_ENABLE = 1, LINE_STATUS = 5, RECEIVED = 1, CAN_SEND = 0x20 };

static volatile uint8_t *reg(unsigned offset)
{
    return (volatile uint8_t *)(0x10000000u + offset);
}

void virt_uart_start(void)
{
    *reg(INTERRUPT_ENABLE) = 1; /* a key wakes the processor */
}

void dory_board_put(const char *text, size_t n)
{
    for (; n > 0; n--) {
        while (!(*reg(LINE_STATUS) & CAN_SEND)) {}
        *reg(DATA) = (uint8_t)*text++;
    }
}

int dory_board_get(void)
{
    return *reg(LINE_STATUS) & RECEIVED ? *reg(DATA) : -1;
}
