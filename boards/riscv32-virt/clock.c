/* CLINT time and PLIC interrupts, as far as sleeping needs them: interrupts are never taken, they only end a wfi. */
#include "dory_board.h"
#include "virt.h"

enum { TICKS_PER_MS = 10000, UART_IRQ = 10, VIRTIO_IRQ = 1, VIRTIO_IRQS = 8 };
enum { TIMER_ENABLE = 1 << 7, EXTERNAL_ENABLE = 1 << 11 };

#define PLIC 0x0C000000u

static volatile uint32_t *reg(uint32_t address)
{
    return (volatile uint32_t *)address;
}

static uint64_t ticks(void)
{
    uint32_t high, low;

    do {
        high = *reg(0x0200BFFCu);
        low = *reg(0x0200BFF8u);
    } while (*reg(0x0200BFFCu) != high);
    return (uint64_t)high << 32 | low;
}

uint64_t dory_board_millis(void)
{
    return ticks() / TICKS_PER_MS;
}

static void alarm_at(uint64_t tick)
{
    *reg(0x02004004u) = UINT32_MAX; /* never a moment in between that is earlier */
    *reg(0x02004000u) = (uint32_t)tick;
    *reg(0x02004004u) = (uint32_t)(tick >> 32);
}

static void enable(uint32_t irq)
{
    *reg(PLIC + 4 * irq) = 1;
    *reg(PLIC + 0x2000) |= 1u << irq;
}

void virt_clock_start(void)
{
    for (uint32_t i = 0; i < VIRTIO_IRQS; i++)
        enable(VIRTIO_IRQ + i);
    enable(UART_IRQ);
    *reg(PLIC + 0x200000) = 0;
}

/* Takes back what woke us, at the device first: the lines are level. */
static void acknowledge(void)
{
    uint32_t irq;

    while ((irq = *reg(PLIC + 0x200004)) != 0) {
        if (irq >= VIRTIO_IRQ && irq < VIRTIO_IRQ + VIRTIO_IRQS) {
            uint32_t base = 0x10001000u + (irq - VIRTIO_IRQ) * 0x1000u;
            *reg(base + 0x64) = *reg(base + 0x60);
        }
        *reg(PLIC + 0x200004) = irq;
        if (irq == UART_IRQ)
            break; /* it stays up until somebody reads the byte */
    }
}

static uint32_t instructions(void)
{
    uint32_t n;

    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrr %0, minstret\n.option pop" : "=r"(n));
    return n;
}

static uint32_t waited; /* instructions */

/* What came before was acknowledged already and must be asked for; what comes from here on raises its interrupt, and wfi returns at once. */
void dory_board_wait(uint32_t ms)
{
    uint32_t start = instructions();

    if (ms == 0 || dory_board_frame_size() > 0)
        return;
    alarm_at(ticks() + (uint64_t)ms * TICKS_PER_MS);
    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrw mie, %0\nwfi\n.option pop" ::"r"(TIMER_ENABLE | EXTERNAL_ENABLE) : "memory");
    acknowledge();
    waited += instructions() - start;
}

uint32_t dory_board_instructions(void)
{
    return instructions() - waited;
}
