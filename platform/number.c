#include "dory_number.h"

/* By 16-bit digits: a 64-bit division would be a library call on a 32-bit machine. */
static unsigned divide_by_ten(uint16_t limbs[4])
{
    uint32_t rest = 0;

    for (int i = 3; i >= 0; i--) {
        rest = rest << 16 | limbs[i];
        limbs[i] = (uint16_t)(rest / 10);
        rest %= 10;
    }
    return (unsigned)rest;
}

size_t dory_put_number(char *out, uint64_t value)
{
    uint16_t limbs[4] = {(uint16_t)value, (uint16_t)(value >> 16), (uint16_t)(value >> 32), (uint16_t)(value >> 48)};
    char digits[20];
    size_t n = 0, at = 0;

    do digits[n++] = (char)('0' + divide_by_ten(limbs));
    while (limbs[0] | limbs[1] | limbs[2] | limbs[3]);
    while (n) out[at++] = digits[--n];
    return at;
}
