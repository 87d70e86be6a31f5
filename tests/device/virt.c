/* Start-up and semihosting for QEMU's riscv32 virt machine. Nothing here is for silicon. */
#include "device.h"

enum { SYS_OPEN = 0x01, SYS_CLOSE = 0x02, SYS_WRITE0 = 0x04, SYS_READ = 0x06, SYS_FLEN = 0x0C, SYS_EXIT_EXTENDED = 0x20 };
enum { APPLICATION_EXIT = 0x20026, READ_BINARY = 1, PAINT = 0x5a };

extern uint32_t device_stack[], device_stack_end[], device_data[], device_data_end[], device_bss[], device_bss_end[];
extern const uint32_t device_data_from[];
void device_reset(void);
void device_main(void);
void device_fault(void);

static uint32_t call(uint32_t operation, const void *block)
{
    register uint32_t a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = block;

    __asm__ volatile(".option push\n.option norvc\n.balign 16\nslli x0, x0, 0x1f\nebreak\nsrai x0, x0, 7\n.option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
}

_Noreturn static void leave(uint32_t status)
{
    const uint32_t block[2] = {APPLICATION_EXIT, status};

    for (;;) call(SYS_EXIT_EXTENDED, block);
}

/* The guard below the stack is a locked entry of physical memory protection, which binds machine mode too. */
__attribute__((naked, used, section(".start"))) void device_reset(void)
{
    __asm__ volatile(".option push\n.option norelax\nla gp, __global_pointer$\n.option pop\n"
                     "la sp, device_stack_end\n"
                     ".option push\n.option arch, +zicsr\n"
                     "la t0, device_trap\ncsrw mtvec, t0\n"
                     "li t0, (0x801f0000 >> 2) | 0x1fff\ncsrw pmpaddr0, t0\n"
                     "li t0, 0x98\ncsrw pmpcfg0, t0\n"
                     ".option pop\n"
                     "j device_main\n"
                     ".balign 4\ndevice_trap:\nla sp, device_stack_end\nj device_fault\n");
}

void device_main(void)
{
    const uint32_t *from = device_data_from;

    for (uint32_t *to = device_data; to < device_data_end; to++) *to = *from++;
    for (uint32_t *to = device_bss; to < device_bss_end; to++) *to = 0;
    leave((uint32_t)main());
}

void device_fault(void)
{
    device_print("Bail out! The processor took an exception: a bad address, or a stack overflow\n");
    leave(3);
}

void device_print(const char *text)
{
    call(SYS_WRITE0, text);
}

void device_print_number(uint32_t n)
{
    char text[11], *p = text + sizeof text;

    *--p = 0;
    do *--p = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    device_print(p);
}

size_t device_read(const char *path, char *out, size_t cap)
{
    uint32_t length = 0;

    while (path[length]) length++;
    const uint32_t open[3] = {(uint32_t)path, READ_BINARY, length};
    const uint32_t handle = call(SYS_OPEN, open);
    if (handle == UINT32_MAX) return 0;
    const uint32_t n = call(SYS_FLEN, &handle), read[3] = {handle, (uint32_t)out, n};
    if (n >= cap || call(SYS_READ, read) != 0) return 0;
    call(SYS_CLOSE, &handle);
    out[n] = 0;
    return n;
}

/* -icount shift=0 makes it exact. */
uint32_t device_instructions(void)
{
    uint32_t n;

    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrr %0, minstret\n.option pop" : "=r"(n));
    return n;
}

static uint8_t *stack_pointer(void)
{
    uint8_t *sp;

    __asm__ volatile("mv %0, sp" : "=r"(sp));
    return sp;
}

void device_stack_paint(void)
{
    for (volatile uint8_t *p = (uint8_t *)device_stack, *end = stack_pointer(); p < end; p++) *p = PAINT;
}

uint32_t device_stack_used(void)
{
    const uint8_t *p = (uint8_t *)device_stack;

    while (*p == PAINT) p++;
    return (uint32_t)(stack_pointer() - p);
}
