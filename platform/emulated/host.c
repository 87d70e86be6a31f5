#include <string.h>

#include "emulated.h"

enum { SYS_OPEN = 0x01, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_SEEK = 0x0A, SYS_FLEN = 0x0C, SYS_GET_CMDLINE = 0x15, SYS_EXIT_EXTENDED = 0x20 };
enum { APPLICATION_EXIT = 0x20026, ARGUMENTS_MAX = 192 };

static uint32_t word(const void *p)
{
    return (uint32_t)(uintptr_t)p;
}

int dory_host_open(const char *path, uint32_t mode)
{
    const uint32_t block[3] = {word(path), mode, (uint32_t)strlen(path)};

    return (int)dory_semihost(SYS_OPEN, block);
}

bool dory_host_seek(int file, uint32_t offset)
{
    const uint32_t block[2] = {(uint32_t)file, offset};

    return dory_semihost(SYS_SEEK, block) == 0;
}

bool dory_host_read(int file, void *bytes, size_t n)
{
    const uint32_t block[3] = {(uint32_t)file, word(bytes), (uint32_t)n};

    return dory_semihost(SYS_READ, block) == 0;
}

bool dory_host_write(int file, const void *bytes, size_t n)
{
    const uint32_t block[3] = {(uint32_t)file, word(bytes), (uint32_t)n};

    return dory_semihost(SYS_WRITE, block) == 0;
}

uint32_t dory_host_size(int file)
{
    const uint32_t block[1] = {(uint32_t)file};

    return dory_semihost(SYS_FLEN, block);
}

bool dory_host_argument(const char *name, char *value, size_t cap)
{
    char text[ARGUMENTS_MAX];
    const uint32_t block[2] = {word(text), sizeof text};
    size_t name_n = strlen(name), n;

    if (dory_semihost(SYS_GET_CMDLINE, block) != 0)
        return false;
    text[sizeof text - 1] = '\0';
    for (const char *p = text; *p; p += n + (p[n] == ' ')) {
        n = strcspn(p, " ");
        if (n <= name_n || memcmp(p, name, name_n) != 0 || p[name_n] != '=' || n - name_n > cap)
            continue;
        memcpy(value, p + name_n + 1, n - name_n - 1);
        value[n - name_n - 1] = '\0';
        return true;
    }
    return false;
}

_Noreturn void dory_host_exit(uint32_t status)
{
    const uint32_t block[2] = {APPLICATION_EXIT, status};

    for (;;)
        dory_semihost(SYS_EXIT_EXTENDED, block);
}
