/* What the test images for devices share: tests that tell the first thing that is wrong by its line, vectors, costs. For one file a program. */
#ifndef TESTS_DEVICE_CHECK_H
#define TESTS_DEVICE_CHECK_H

#include <stdbool.h>
#include <string.h>

#include "device.h"

/* ---- one test at a time: the first thing that is wrong is told by its line */

static unsigned failures;
static int wrong_line;

static inline void expect_at(bool good, int line)
{
    if (!good && wrong_line == 0) wrong_line = line;
}
#define expect(condition) expect_at((condition), __LINE__)

static inline void run(const char *name, void (*test)(void))
{
    wrong_line = 0;
    test();
    device_print(wrong_line ? "not ok - " : "ok - ");
    device_print(name);
    if (wrong_line) {
        device_print(" (line ");
        device_print_number((uint32_t)wrong_line);
        device_print(")");
        failures++;
    }
    device_print("\n");
}

/* ---- vectors: "Name = hex" lines, records parted by blank lines, comments */

static char file[192 * 1024], *position;
static struct {
    const char *name, *text;
    uint8_t *bytes; /* over the text, once asked for */
    size_t n;
} fields[8];
static unsigned count, records;

static inline int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static inline size_t hex(uint8_t *out, const char *text)
{
    size_t n = 0;

    for (; digit(text[0]) >= 0 && digit(text[1]) >= 0; text += 2) out[n++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
    return n;
}

static inline void open_vectors(const char *path)
{
    expect(device_read(path, file, sizeof file) > 0);
    position = file;
    records = 0;
}

static inline bool next_record(void)
{
    count = 0;
    while (*position) {
        char *line = position, *end = strchr(line, '\n'), *equals;
        if (!end) break;
        *end = 0;
        position = end + 1;
        equals = strstr(line, " =");
        if (line[0] == 0 && count > 0) break;
        if (line[0] == 0 || line[0] == '#' || !equals || count == sizeof fields / sizeof fields[0]) continue;
        *equals = 0;
        fields[count].name = line;
        fields[count].text = equals + 2 + (equals[2] == ' ');
        fields[count++].bytes = NULL;
    }
    records += count > 0;
    return count > 0;
}

static inline const char *text(const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0) return fields[i].text;
    expect(false);
    return "";
}

static inline uint8_t *bytes(const char *name, size_t *n)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) != 0) continue;
        if (!fields[i].bytes) {
            fields[i].bytes = (uint8_t *)fields[i].text;
            fields[i].n = hex(fields[i].bytes, fields[i].text);
        }
        if (n) *n = fields[i].n;
        return fields[i].bytes;
    }
    expect(false);
    return (uint8_t *)file;
}

static inline bool valid(void)
{
    return strcmp(text("Result"), "valid") == 0;
}

/* ---- costs */

static inline void measure(const char *name, void (*operation)(void))
{
    uint32_t start, instructions, stack;

    device_stack_paint();
    start = device_instructions();
    operation();
    instructions = device_instructions() - start;
    stack = device_stack_used();
    device_print("# ");
    device_print(name);
    device_print(": ");
    device_print_number(instructions);
    device_print(" instructions, ");
    device_print_number(stack);
    device_print(" bytes of stack\n");
}

#endif
