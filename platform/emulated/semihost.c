/* The call of each kind of processor (Arm's "Semihosting for AArch32 and AArch64"; RISC-V's "Semihosting", after it). */
#include "emulated.h"

#ifdef __riscv
/* Three instructions of full length, in one page. */
uint32_t dory_semihost(uint32_t operation, const void *block)
{
    register uint32_t a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = block;

    __asm__ volatile(".option push\n.option norvc\n.balign 16\n"
                     "slli x0, x0, 0x1f\nebreak\nsrai x0, x0, 7\n"
                     ".option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
}
#else
#if __ARM_ARCH_PROFILE == 'M'
#define CALL "bkpt 0xAB"
#elif defined __thumb__
#define CALL "svc 0xAB"
#else
#define CALL "svc 0x123456"
#endif
uint32_t dory_semihost(uint32_t operation, const void *block)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = block;

    __asm__ volatile(CALL : "+r"(r0) : "r"(r1) : "memory", "lr", "cc");
    return r0;
}
#endif
