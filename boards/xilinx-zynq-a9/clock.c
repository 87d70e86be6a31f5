/* The Cortex-A9's global timer and interrupt controller, as far as sleeping needs them: interrupts are never taken, they only end a wfi. */
#include "dory_board.h"
#include "zynq.h"

enum { TICKS_PER_MS = 100000, PRESCALE = 0, TIMER_IRQ = 27, NET_IRQ = 54, UART_IRQ = 59, IRQS = 3, NONE = 1023 };
enum {
    CPU = 0x100, PRIORITY_MASK = 0x104, TAKE = 0x10C, DONE = 0x110, LOW = 0x200, HIGH = 0x204, CONTROL = 0x208, EVENT = 0x20C,
    ALARM_LOW = 0x210, ALARM_HIGH = 0x214, DISTRIBUTOR = 0x1000, ENABLE = 0x1100, TARGET = 0x1800
};
enum { RUN = 1, RUN_WITH_ALARM = 7 };

static volatile uint32_t *reg(uint32_t offset)
{
    return zynq_reg(0xF8F00000u + offset);
}

static uint64_t ticks(void)
{
    uint32_t high, low;

    do {
        high = *reg(HIGH);
        low = *reg(LOW);
    } while (*reg(HIGH) != high);
    return (uint64_t)high << 32 | low;
}

uint64_t dory_board_millis(void)
{
    return ticks() / TICKS_PER_MS;
}

static void enable(uint32_t irq)
{
    ((volatile uint8_t *)reg(TARGET))[irq] = 1; /* this processor */
    *reg(ENABLE + irq / 32 * 4) = 1u << irq % 32;
}

/* At reset the timer stands still, but not after every reset at 0. */
void zynq_clock_start(void)
{
    *reg(CONTROL) = 0;
    *reg(LOW) = 0;
    *reg(HIGH) = 0;
    *reg(CONTROL) = RUN;
    enable(TIMER_IRQ);
    enable(NET_IRQ);
    enable(UART_IRQ);
    *reg(PRIORITY_MASK) = 0xff;
    *reg(DISTRIBUTOR) = 1;
    *reg(CPU) = 1;
}

static void alarm_at(uint64_t tick)
{
    *reg(CONTROL) = RUN;
    *reg(ALARM_LOW) = (uint32_t)tick;
    *reg(ALARM_HIGH) = (uint32_t)(tick >> 32);
    *reg(EVENT) = 1;
    *reg(CONTROL) = RUN_WITH_ALARM;
}

/* Each source once, at the device and at the controller: a line that is still up ends the next wait. */
static void acknowledge(void)
{
    for (unsigned i = 0; i < IRQS; i++) {
        uint32_t irq = *reg(TAKE);

        if (irq == NONE)
            return;
        *reg(CONTROL) = RUN;
        *reg(EVENT) = 1;
        zynq_net_acknowledge();
        zynq_uart_acknowledge();
        *reg(DONE) = irq;
    }
}

/* What came before was acknowledged already and must be asked for; what comes from here on raises its interrupt: wfi returns at once. */
void dory_board_wait(uint32_t ms)
{
    if (ms == 0 || dory_board_frame_size() > 0 || zynq_uart_waits())
        return;
    alarm_at(ticks() + (uint64_t)ms * TICKS_PER_MS);
    __asm__ volatile("dsb\n wfi" ::: "memory");
    acknowledge();
}

uint32_t dory_board_instructions(void)
{
    return 0;
}
