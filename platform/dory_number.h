/* Numbers as text, for the engines, which have no printf. */
#ifndef DORY_NUMBER_H
#define DORY_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Writes `value` in decimal digits, 20 at most and no NUL behind them; how many. */
size_t dory_put_number(char *out, uint64_t value);

#endif
