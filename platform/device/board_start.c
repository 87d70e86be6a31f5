/* What the reset and fault handlers of all boards do alike. */
#include <string.h>

#include "dory_board.h"

#define OWN_FRAME 64 /* bytes below a local variable that may be in use */

/* No variable of static storage before .bss is cleared. */
void dory_board_ram(void)
{
    volatile uint32_t here = 0;
    uintptr_t end = (uintptr_t)&here - OWN_FRAME;

    memcpy(dory_board_data, dory_board_data_from, (size_t)((char *)dory_board_data_end - (char *)dory_board_data));
    memset(dory_board_bss, 0, (size_t)((char *)dory_board_bss_end - (char *)dory_board_bss));
    for (volatile uint32_t *p = dory_board_stack; (uintptr_t)p < end; p++)
        *p = DORY_BOARD_PAINT;
}

static void print(const char *text)
{
    dory_board_put(text, strlen(text));
}

static void print_hex(uint32_t n)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        dory_board_put(&"0123456789abcdef"[n >> shift & 15], 1);
}

void dory_board_fault(const struct dory_board_word *words, unsigned n)
{
    print("\r\nfault");
    for (unsigned i = 0; i < n; i++) {
        print(i ? ", " : ": ");
        print(words[i].name);
        print(" ");
        print_hex(words[i].value);
    }
    print("\r\n");
}
