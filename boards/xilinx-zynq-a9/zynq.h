/* What the files of this board tell each other. */
#ifndef ZYNQ_H
#define ZYNQ_H

#include <stdbool.h>
#include <stdint.h>

static inline volatile uint32_t *zynq_reg(uint32_t address)
{
    return (volatile uint32_t *)address;
}

/* ---- started by reset, before main */
void zynq_uart_start(void);
void zynq_clock_start(void);
void zynq_net_start(void);

/* ---- what ends a wait */
bool zynq_uart_waits(void);
void zynq_uart_acknowledge(void);
void zynq_net_acknowledge(void);

int main(void); /* its result is the exit status */

#endif
