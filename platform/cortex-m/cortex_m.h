/* What Cortex-M boards share: start-up, SysTick as the clock, sleep until an interrupt, word-wise FIFOs of network chips. A board gives its
 * linker script, its interrupts, and board.c.
 *
 * Network interrupts are levels: the one handler that all have masks its interrupt in the NVIC, and dory_cortex_wait lets it in again.
 */
#ifndef DORY_CORTEX_M_H
#define DORY_CORTEX_M_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Interrupts of the chip up to the last that the board lets in: the length of the vector table. A board's dory_limits.h says otherwise. */
#ifndef DORY_CORTEX_IRQS
#define DORY_CORTEX_IRQS 48
#endif

/* board.c: console and network hardware; called before main with RAM set up. */
void dory_cortex_board_start(void);
/* board.c: instructions since the start, where the machine counts them; else 0. */
uint32_t dory_cortex_count(void);
int main(void);

/* Starts the clock of dory_board_millis. hz: of SysTick. */
void dory_cortex_clock(uint32_t hz);
/* One wfi, unless `something` says that it waits already. irqs: those that may end the sleep. */
void dory_cortex_wait(const uint8_t *irqs, unsigned count, bool (*something)(void));

static inline volatile uint32_t *dory_reg(uint32_t address)
{
    return (volatile uint32_t *)address;
}

/* Bytes to a FIFO that takes words: `have` bytes wait in `word` for their word to be full. */
struct dory_fifo {
    volatile uint32_t *to;
    uint32_t word;
    unsigned have;
};
void dory_fifo_put(struct dory_fifo *fifo, const uint8_t *bytes, size_t n);
void dory_fifo_end(struct dory_fifo *fifo); /* fills the last word up with zeros */
/* n bytes from a FIFO that gives words. */
void dory_fifo_get(volatile uint32_t *from, uint8_t *to, size_t n);
void dory_fifo_drop(volatile uint32_t *from, size_t words);

#endif
