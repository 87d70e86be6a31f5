/* A 16550 at 115,200 or whatever QEMU takes it for. */
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

void virt_uart_write(char c)
{
    while (!(*reg(LINE_STATUS) & CAN_SEND)) {}
    *reg(DATA) = (uint8_t)c;
}

int virt_uart_read(void)
{
    return *reg(LINE_STATUS) & RECEIVED ? *reg(DATA) : -1;
}

void virt_print(const char *text)
{
    while (*text)
        virt_uart_write(*text++);
}
