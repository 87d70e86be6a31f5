/* Randomness of the emulator's host. A product that links this file by accident does not link: only EMULATED = 1 defines the symbol. */
#include "dory_board.h"
#include "emulated.h"

extern const char dory_this_image_is_for_an_emulator_only[];
static const char *const volatile mark = dory_this_image_is_for_an_emulator_only;

const bool dory_board_emulated = true;

int dory_board_entropy(uint8_t *out, size_t n)
{
    static int file = -1;

    if (file < 0 && mark)
        file = dory_host_open("/dev/urandom", DORY_HOST_READ);
    return file >= 0 && dory_host_read(file, out, n) ? DORY_OK : DORY_E_RNG;
}
