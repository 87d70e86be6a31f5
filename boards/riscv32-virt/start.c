/* From reset to main, and what happens when something goes wrong. */
#include "dory_board.h"
#include "platform/emulated/emulated.h"
#include "virt.h"

void virt_start(void);
__attribute__((used)) void virt_reset(void); /* called from the assembler text alone */
__attribute__((used)) void virt_fault(uint32_t cause, uint32_t where, uint32_t address);

const char dory_board_name[] = "riscv32-virt";
const uint8_t dory_board_mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56}; /* QEMU's own default */

/* mstatus.MIE stays 0: nothing ever interrupts, wfi returns when something waits, and the loop looks. */
__attribute__((naked, used, section(".start"))) void virt_start(void)
{
    __asm__ volatile(".option push\n.option norelax\nla gp, __global_pointer$\n.option pop\n"
                     "la sp, dory_board_stack_end\n"
                     "la t0, virt_trap\n"
                     ".option push\n.option arch, +zicsr\ncsrw mtvec, t0\n.option pop\n"
                     "j virt_reset\n"
                     ".balign 4\n"
                     "virt_trap:\n"
                     "la sp, dory_board_stack_end\n" /* the fault may have been the stack's end */
                     ".option push\n.option arch, +zicsr\ncsrr a0, mcause\ncsrr a1, mepc\ncsrr a2, mtval\n.option pop\n"
                     "j virt_fault\n");
}

/* Physical memory protection, locked and so in force for this mode too: code cannot be written, and what lies under the stack not touched. */
static void protect(void)
{
    const uint32_t guard = (0x800F0000u >> 2) | ((64u << 10) / 8 - 1), code = (0x80000000u >> 2) | ((1u << 20) / 8 - 1);
    const uint32_t napot = 3u << 3, locked = 1u << 7, read = 1, execute = 4;

    __asm__ volatile(".option push\n.option arch, +zicsr\n"
                     "csrw pmpaddr0, %0\ncsrw pmpaddr1, %1\ncsrw pmpcfg0, %2\n"
                     ".option pop" ::"r"(guard), "r"(code), "r"((napot | locked) | (napot | locked | read | execute) << 8)
                     : "memory");
}

void virt_reset(void)
{
    static const char missing[] = "no virtio network device (version 2: -global virtio-mmio.force-legacy=false)\r\n";

    protect();
    dory_board_ram();
    virt_uart_start();
    virt_clock_start();
    if (!virt_net_start())
        dory_board_put(missing, sizeof missing - 1);
    dory_host_exit((uint32_t)main());
}

/* The machine's own reset: QEMU loads the image again. */
_Noreturn void dory_board_reset(void)
{
    for (;;)
        *(volatile uint32_t *)0x00100000u = 0x7777;
}

void virt_fault(uint32_t cause, uint32_t where, uint32_t address)
{
    dory_board_fault((const struct dory_board_word[]){{"cause", cause}, {"at", where}, {"address", address}}, 3);
    dory_host_exit(3);
}
