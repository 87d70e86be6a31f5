/* Semihosting (Arm's specification, as RISC-V calls it): arguments, files of the host, the exit status. Emulators and debuggers only. */
#include <string.h>

#include "dory_board.h"
#include "virt.h"

enum { SYS_OPEN = 0x01, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_SEEK = 0x0A, SYS_FLEN = 0x0C, SYS_GET_CMDLINE = 0x15, SYS_EXIT_EXTENDED = 0x20 };
enum { APPLICATION_EXIT = 0x20026, UPDATE_BINARY = 3 };

static uint32_t call(uint32_t operation, const void *block)
{
    register uint32_t a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = block;

    __asm__ volatile(".option push\n.option norvc\n.balign 16\n"
                     "slli x0, x0, 0x1f\nebreak\nsrai x0, x0, 7\n"
                     ".option pop" : "+r"(a0) : "r"(a1) : "memory");
    return a0;
}

_Noreturn void virt_exit(uint32_t status)
{
    const uint32_t block[2] = {APPLICATION_EXIT, status};

    for (;;)
        call(SYS_EXIT_EXTENDED, block);
}

/* The machine's own reset: QEMU loads the image again. */
_Noreturn void dory_board_reset(void)
{
    for (;;)
        *(volatile uint32_t *)0x00100000u = 0x7777;
}

int virt_arguments(char *text, size_t cap)
{
    uint32_t block[2] = {(uint32_t)(uintptr_t)text, cap};

    return call(SYS_GET_CMDLINE, block) == 0 ? 0 : -1;
}

int virt_file_open(const char *path)
{
    const uint32_t block[3] = {(uint32_t)(uintptr_t)path, UPDATE_BINARY, strlen(path)};

    return (int)call(SYS_OPEN, block);
}

uint32_t virt_file_size(int file)
{
    const uint32_t block[1] = {(uint32_t)file};

    return call(SYS_FLEN, block);
}

static bool transfer(uint32_t operation, int file, uint32_t offset, const void *bytes, uint32_t n)
{
    const uint32_t seek[2] = {(uint32_t)file, offset}, block[3] = {(uint32_t)file, (uint32_t)(uintptr_t)bytes, n};

    return call(SYS_SEEK, seek) == 0 && call(operation, block) == 0;
}

bool virt_file_read(int file, uint32_t offset, void *bytes, uint32_t n)
{
    return transfer(SYS_READ, file, offset, bytes, n);
}

bool virt_file_write(int file, uint32_t offset, const void *bytes, uint32_t n)
{
    return transfer(SYS_WRITE, file, offset, bytes, n);
}
