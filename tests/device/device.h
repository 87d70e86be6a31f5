/* What a test image needs of its machine: mps2.c on QEMU's mps2-an385, virt.c on its 32-bit RISC-V; both with semihosting. */
#ifndef TESTS_DEVICE_H
#define TESTS_DEVICE_H

#include <stddef.h>
#include <stdint.h>

/* The whole of a file of the host, which ends with a NUL in `out`. Returns its size; 0 where it cannot be read or does not fit. */
size_t device_read(const char *path, char *out, size_t cap);
void device_print(const char *text);
void device_print_number(uint32_t n);
uint32_t device_instructions(void); /* counts on; needs -icount shift=10, on RISC-V shift=0 */
void device_stack_paint(void);      /* ... the free part of the stack, */
uint32_t device_stack_used(void);   /* and how deep it was used since, below the caller of paint */

int main(void); /* its result is the exit status */

#endif
