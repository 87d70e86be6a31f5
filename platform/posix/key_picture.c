/* The picture of a key by which people recognise it (VisualHostKey, ssh-keygen -lv): a walk over a small field, steered by the bits of its
   SHA-256 fingerprint, two for each step on the diagonal. */
#include <stdio.h>
#include <string.h>

#include "dory_posix_keyfile.h"

#define WIDTH  17
#define HEIGHT 9

static const char marks[] = " .o+=*BOX@%&#/^SE"; /* the more often a place was met; the last two: where it began and ended */
enum { MOST = 14, BEGAN = 15, ENDED = 16 };

static int step(int at, int most, unsigned bit)
{
    at += bit ? 1 : -1;
    return at < 0 ? 0 : at > most ? most : at;
}

static void walk(uint8_t field[HEIGHT][WIDTH], const uint8_t digest[32])
{
    int x = WIDTH / 2, y = HEIGHT / 2;

    for (unsigned i = 0; i < 32 * 4; i++) {
        unsigned bits = (unsigned)digest[i / 4] >> i % 4 * 2;

        x = step(x, WIDTH - 1, bits & 1);
        y = step(y, HEIGHT - 1, bits & 2);
        if (field[y][x] < MOST)
            field[y][x]++;
    }
    field[HEIGHT / 2][WIDTH / 2] = BEGAN;
    field[y][x] = ENDED;
}

static char *put_border(char *out, const char *title)
{
    size_t n = strlen(title), left = n < WIDTH ? (WIDTH - n) / 2 : 0;

    *out++ = '+';
    memset(out, '-', WIDTH);
    memcpy(out + left, title, n < WIDTH ? n : WIDTH);
    out += WIDTH;
    *out++ = '+';
    *out++ = '\n';
    return out;
}

void dory_key_picture(char out[DORY_PICTURE_MAX], const uint8_t *blob, size_t n)
{
    uint8_t field[HEIGHT][WIDTH] = {{0}}, digest[32];
    struct dory_sha256 hash;
    char title[64];

    dory_sha256_init(&hash);
    dory_sha256_update(&hash, blob, n);
    dory_sha256_final(&hash, digest);
    walk(field, digest);
    snprintf(title, sizeof title, "[%s %u]", dory_key_label(blob, n), dory_key_bits(blob, n));
    out = put_border(out, title);
    for (int y = 0; y < HEIGHT; y++) {
        *out++ = '|';
        for (int x = 0; x < WIDTH; x++) *out++ = marks[field[y][x]];
        *out++ = '|';
        *out++ = '\n';
    }
    out = put_border(out, "[SHA256]");
    out[-1] = '\0';
}
