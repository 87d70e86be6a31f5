/* Start-up and semihosting for QEMU's mps2-an385 (Arm's "Semihosting for AArch32 and AArch64"). Nothing here is for silicon. */
#include "device.h"

enum { SYS_OPEN = 0x01, SYS_CLOSE = 0x02, SYS_WRITE0 = 0x04, SYS_READ = 0x06, SYS_FLEN = 0x0C, SYS_EXIT_EXTENDED = 0x20 };
enum { APPLICATION_EXIT = 0x20026, READ_BINARY = 1, PAINT = 0x5a };

extern uint32_t device_stack[], device_stack_end[], device_data[], device_data_end[], device_bss[], device_bss_end[];
extern const uint32_t device_data_from[];
void device_reset(void);

static uint32_t call(uint32_t operation, const void *block)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = block;

    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

_Noreturn static void leave(uint32_t status)
{
    const uint32_t block[2] = {APPLICATION_EXIT, status};

    for (;;) call(SYS_EXIT_EXTENDED, block);
}

void device_reset(void)
{
    const uint32_t *from = device_data_from;

    for (uint32_t *to = device_data; to < device_data_end; to++) *to = *from++;
    for (uint32_t *to = device_bss; to < device_bss_end; to++) *to = 0;
    leave((uint32_t)main());
}

static void fault(void)
{
    device_print("Bail out! The processor took an exception: a bad address, or a stack overflow\n");
    leave(3);
}

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    device_stack_end, device_reset, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault,
};

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

/* FPGAIO's counter at 25 MHz: 40 ns a tick; an instruction takes 2^10 ns under -icount shift=10. The counter wraps after
   168 million instructions, so the time between two calls must be less. */
uint32_t device_instructions(void)
{
    static uint64_t ticks;
    const volatile uint32_t *counter = (const volatile uint32_t *)0x40028018u;

    ticks += (uint32_t)(*counter - (uint32_t)ticks);
    return (uint32_t)(ticks * 40 / 1024);
}

static uint8_t *stack_pointer(void)
{
    uint8_t *sp;

    __asm__ volatile("mov %0, sp" : "=r"(sp));
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
