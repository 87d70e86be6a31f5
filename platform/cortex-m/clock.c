/* SysTick: a coarse interrupt, read finely. */
#include "cortex_m.h"
#include "dory_board.h"

enum { TICK_MS = 5 };

#define SYST_CSR 0xE000E010u
#define SYST_RVR 0xE000E014u
#define SYST_CVR 0xE000E018u

static volatile uint64_t ticks;
static uint32_t per_ms;
static uint32_t waited; /* instructions */

void dory_cortex_tick(void);
void dory_cortex_tick(void)
{
    ticks++;
}

void dory_cortex_clock(uint32_t hz)
{
    per_ms = hz / 1000;
    *dory_reg(SYST_RVR) = per_ms * TICK_MS - 1;
    *dory_reg(SYST_CVR) = 0;
    *dory_reg(SYST_CSR) = 7;
}

/* A tick may be pending while the counter has begun again: time stands still then, it does not go back. */
uint64_t dory_board_millis(void)
{
    static uint64_t last;
    uint64_t before, now;
    uint32_t left;

    do {
        before = ticks;
        left = *dory_reg(SYST_CVR);
    } while (before != ticks);
    now = before * TICK_MS + (per_ms * TICK_MS - 1 - left) / per_ms;
    if (now > last)
        last = now;
    return last;
}

static void let_in(const uint8_t *irqs, unsigned count)
{
    while (count-- > 0)
        *dory_reg(0xE000E100u + irqs[count] / 32u * 4) = 1u << irqs[count] % 32; /* NVIC_ISER */
}

/* With interrupts held back, one that comes after the look still ends wfi. */
void dory_cortex_wait(const uint8_t *irqs, unsigned count, bool (*something)(void))
{
    uint32_t start = dory_board_instructions();

    __asm__ volatile("cpsid i" ::: "memory");
    let_in(irqs, count);
    if (!something())
        __asm__ volatile("wfi" ::: "memory");
    __asm__ volatile("cpsie i" ::: "memory");
    waited += dory_board_instructions() - start;
}

uint32_t dory_board_instructions(void)
{
    return dory_cortex_count() - waited;
}
