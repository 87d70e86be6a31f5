/* From reset to main, and what happens when something goes wrong. */
#include "dory_board.h"
#include "platform/emulated/emulated.h"
#include "zynq.h"

void zynq_start(void);
__attribute__((used)) _Noreturn void zynq_reset(void); /* called from the assembler text alone */
__attribute__((used)) _Noreturn void zynq_fault(uint32_t mode, uint32_t before, uint32_t address);

const char dory_board_name[] = "xilinx-zynq-a9";
const uint8_t dory_board_mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56}; /* QEMU's own default */

/* Interrupts stay masked: nothing is ever interrupted, wfi returns when something waits, and the loop looks. */
__attribute__((naked, used, target("arm"), section(".start"))) void zynq_start(void)
{
    __asm__ volatile("ldr sp, =dory_board_stack_end\n"
                     "ldr r0, =zynq_vectors\n"
                     "mcr p15, 0, r0, c12, c0, 0\n" /* VBAR */
                     "ldr r0, =zynq_reset\n"
                     "bx r0\n"
                     ".balign 32\n"
                     "zynq_vectors:\n"
                     "b .\n b zynq_trap\n b zynq_trap\n b zynq_trap\n b zynq_trap\n b .\n b zynq_trap\n b zynq_trap\n"
                     "zynq_trap:\n"
                     "ldr sp, =dory_board_stack_end\n" /* the fault may have been the stack's end */
                     "mrs r0, cpsr\n"
                     "and r0, r0, #31\n"
                     "mov r1, lr\n"
                     "mrc p15, 0, r2, c6, c0, 0\n" /* DFAR */
                     "ldr r3, =zynq_fault\n"
                     "bx r3\n"
                     ".ltorg\n");
}

/* One entry a MiB; what is not named faults. Code cannot be written, data not be executed, nothing is cached: the network's DMA sees it. */
#define SECTION(mib, bits) [mib] = (uint32_t)(mib) << 20 | 2u | (bits)
enum { NORMAL = 1 << 12, DEVICE = 1 << 2, WRITABLE = 1 << 10, READ_ONLY = 1 << 10 | 1 << 15, DATA = 1 << 4 };
static const _Alignas(16384) __attribute__((section(".vectors"))) uint32_t map[4096] = {
    SECTION(0x001, NORMAL | READ_ONLY),       SECTION(0x003, NORMAL | WRITABLE | DATA),
    SECTION(0xE00, DEVICE | WRITABLE | DATA), /* UART, Ethernet */
    SECTION(0xF80, DEVICE | WRITABLE | DATA), /* system control */
    SECTION(0xF8F, DEVICE | WRITABLE | DATA), /* timers, interrupt controller */
};

static void protect(void)
{
    uint32_t control;

    __asm__ volatile("mcr p15, 0, %1, c2, c0, 0\n" /* TTBR0 */
                     "mcr p15, 0, %2, c3, c0, 0\n" /* domain 0 obeys the entries */
                     "mcr p15, 0, %3, c8, c7, 0\n" /* TLB emptied */
                     "dsb\n isb\n"
                     "mrc p15, 0, %0, c1, c0, 0"
                     : "=r"(control)
                     : "r"(map), "r"(1), "r"(0)
                     : "memory");
    __asm__ volatile("mcr p15, 0, %0, c1, c0, 0\n isb" ::"r"(control | 1) : "memory");
}

void zynq_reset(void)
{
    protect();
    dory_board_ram();
    zynq_uart_start();
    zynq_clock_start();
    zynq_net_start();
    dory_host_exit((uint32_t)main());
}

_Noreturn void dory_board_reset(void)
{
    *zynq_reg(0xF8000008u) = 0xDF0D; /* unlocks what follows */
    for (;;) *zynq_reg(0xF8000200u)
        = 1;
}

void zynq_fault(uint32_t mode, uint32_t before, uint32_t address)
{
    dory_board_fault((const struct dory_board_word[]){{"mode", mode}, {"before", before}, {"address", address}}, 3);
    dory_host_exit(3);
}
