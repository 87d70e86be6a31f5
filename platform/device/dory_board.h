/* What a board gives to the application that all boards share. One board is one folder, boards/<name>, that implements every function here;
 * docs/PORTING.md walks through one. One thread calls them; interrupt handlers of the board do no more than wake up dory_board_wait.
 */
#ifndef DORY_BOARD_H
#define DORY_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dory_error.h"

/* ---- start: the board's reset handler sets up RAM, clocks, console and network hardware, then calls main(), which is in boards/<name>/main.c. */

/* From platform/device/sections.ld. The stack grows down from its end. */
extern uint32_t dory_board_stack[], dory_board_stack_end[], dory_board_data[], dory_board_data_end[], dory_board_bss[], dory_board_bss_end[];
extern const uint32_t dory_board_data_from[];

/* For the reset handler, once the stack pointer is at dory_board_stack_end: copies .data, clears .bss, fills the rest of the stack with
   DORY_BOARD_PAINT, by which `stats` tells how deep it was used. */
void dory_board_ram(void);
#define DORY_BOARD_PAINT 0x5a5a5a5au

/* For a fault handler: "fault: cause 0000000f, at 80001234" on the console. Takes about 100 bytes of stack. */
struct dory_board_word {
    const char *name;
    uint32_t value;
};
void dory_board_fault(const struct dory_board_word *words, unsigned n);

/* "lm3s6965evb": for `version` and the greeting on the console. */
extern const char dory_board_name[];

/* Starts the firmware from the beginning, as after power-on. Flash keeps what it holds. */
_Noreturn void dory_board_reset(void);

/* ---- time: milliseconds since the start, never backwards, never wrapping. */
uint64_t dory_board_millis(void);

/* Sleeps until a frame, a byte on the console or another wake-up interrupt comes, at most `ms` milliseconds (rounded up to the board's timer
   tick); returns at once if something waits already. May return early without a reason: whoever calls looks again. */
void dory_board_wait(uint32_t ms);

/* ---- entropy: fills out[0..n) from a true source. DORY_OK, or DORY_E_RNG: not one byte may be used, and the application does not start.
   A source that is none (an emulator's) is linked only where board.mk says EMULATED = 1, and dory_board_emulated is then true, which the
   console and `version` tell. */
int dory_board_entropy(uint8_t *out, size_t n);
extern const bool dory_board_emulated;

/* ---- console: a UART for a person, 8N1. */
void dory_board_put(const char *text, size_t n); /* waits until the hardware has taken all */
int dory_board_get(void);                        /* the next byte typed, 0..255; -1: none */

/* ---- Ethernet: one interface, frames without the CRC. */
extern const uint8_t dory_board_mac[6];
/* The size of the frame that waits; 0: none. */
size_t dory_board_frame_size(void);
/* Takes it: copies its frame_size() bytes to `to`, which is aligned to 4, or drops it where `to` is NULL. */
void dory_board_frame_take(uint8_t *to);
/* Sends a frame given in pieces (each piece's n > 0; pieces need not be aligned). DORY_OK: it is on its way and the memory is free again.
   DORY_E_AGAIN: the hardware is still busy with earlier ones; lwIP keeps what it must and tries again from its timers, up to 250 ms later. */
struct dory_board_piece {
    const uint8_t *p;
    size_t n;
};
int dory_board_frame_send(const struct dory_board_piece *pieces, unsigned count);

/* ---- flash: the driver, as platform/flash/dory_flash.h wants it. main.c has the table of slots. */
struct dory_flash;
extern struct dory_flash dory_board_flash;

/* ---- work: instructions since the start where the machine can count them (an emulator), without those of dory_board_wait; else 0. */
uint32_t dory_board_instructions(void);

#endif
