/* Reset, faults and the vector table. */
#include "cortex_m.h"
#include "dory_board.h"

#define CORE 16 /* the core's own vectors */

void dory_cortex_reset(void);
void dory_cortex_tick(void);

void dory_cortex_reset(void)
{
    dory_board_ram();
    dory_cortex_board_start();
    main();
    dory_board_reset();
}

/* The stack is at the bottom of RAM: its overflow comes here as well, and the stack is begun anew to say so. */
static void halt(void)
{
    static const char text[] = "\r\nfault: a bad address, or the stack overflowed; starting again\r\n";

    dory_board_put(text, sizeof text - 1);
    dory_board_reset();
}

__attribute__((naked)) static void fault(void)
{
    __asm__ volatile("mov sp, %0\n bx %1" ::"r"(dory_board_stack_end), "r"(halt));
}

static void interrupt(void)
{
    uint32_t number;

    __asm__ volatile("mrs %0, ipsr" : "=r"(number));
    number -= 16;
    *dory_reg(0xE000E180u + number / 32 * 4) = 1u << number % 32; /* NVIC_ICER */
}

__attribute__((section(".vectors"), used)) static void (*const vectors[CORE + DORY_CORTEX_IRQS])(void) = {
    (void (*)(void))dory_board_stack_end,
    dory_cortex_reset,
    [2 ... 14] = fault,
    dory_cortex_tick,
    [CORE ... CORE + DORY_CORTEX_IRQS - 1] = interrupt,
};

_Noreturn void dory_board_reset(void)
{
    __asm__ volatile("dsb");
    for (;;)
        *dory_reg(0xE000ED0Cu) = 0x05FA0004u; /* AIRCR: SYSRESETREQ */
}
