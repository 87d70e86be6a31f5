/* What emulated boards take from their host by semihosting (Arm's "Semihosting for AArch32 and AArch64"): arguments, a file as flash,
 * randomness. Nothing here is for silicon: it links only where board.mk says EMULATED = 1.
 *
 * Arguments are words behind the first, e.g. `-semihosting-config enable=on,target=native,arg=fw,arg=flash=slots.bin,arg=erase_ms=20`:
 *     flash=FILE     backs the flash; made, erased, where it is not there. Without it the file is flash.tmp, erased at every start
 *     erase_ms=N     each erase takes so long, and the flash is busy meanwhile
 */
#ifndef DORY_EMULATED_H
#define DORY_EMULATED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The processor's own way of a semihosting call; what the operation returns. */
uint32_t dory_semihost(uint32_t operation, const void *block);

enum { DORY_HOST_READ = 1, DORY_HOST_UPDATE = 3, DORY_HOST_CREATE = 7 };
int dory_host_open(const char *path, uint32_t mode); /* -1: cannot */
bool dory_host_seek(int file, uint32_t offset);
bool dory_host_read(int file, void *bytes, size_t n); /* all of it */
bool dory_host_write(int file, const void *bytes, size_t n);
uint32_t dory_host_size(int file);
/* The value of argument `name`, NUL-terminated into value[cap]; false: it was not given. */
bool dory_host_argument(const char *name, char *value, size_t cap);
_Noreturn void dory_host_exit(uint32_t status);

#endif
