/* Reads test vectors in NIST's layout: "Name = hex" lines, records parted by blank lines, '#' comments, [sections].
   A line of one word ("FAIL") is a field without bytes. CMocka tests only: what cannot be read fails the test. */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { VEC_FIELDS = 16, VEC_BYTES = 16384 };

struct vec_field {
    char name[24];
    char text[32]; /* the value as it stands in the file, cut */
    size_t n;
    uint8_t bytes[VEC_BYTES];
};

struct vectors {
    FILE *file;
    size_t count; /* fields of this record */
    unsigned records;
    char section[48]; /* that the record stands in */
    struct vec_field fields[VEC_FIELDS];
};

static inline struct vectors *vec_open(const char *folder, const char *name)
{
    struct vectors *v = calloc(1, sizeof *v);
    char path[512];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    v->file = fopen(path, "r");
    if (!v->file) fail_msg("cannot read the vectors in %s", path);
    return v;
}

/* Says how much was tested, so that an empty file cannot pass for a good one. */
static inline void vec_close(struct vectors *v, unsigned at_least)
{
    unsigned records = v->records;

    fclose(v->file);
    free(v);
    assert_true(records >= at_least);
}

/* Debian's python3-cryptography-vectors, or the folder in $DORY_VECTORS. */
static inline const char *vec_debian(void)
{
    static char folder[400];
    const char *given = getenv("DORY_VECTORS");
    FILE *p;

    if (given) return given;
    if (folder[0]) return folder;
    p = popen("/usr/bin/python3 -c 'import cryptography_vectors as v; print(v.__path__[0])'", "r");
    if (!p || !fgets(folder, sizeof folder, p) || pclose(p) != 0)
        fail_msg("install python3-cryptography-vectors, or set DORY_VECTORS to the folder of the vectors");
    folder[strcspn(folder, "\n")] = 0;
    return folder;
}

static inline size_t vec_hex(uint8_t *out, size_t cap, const char *hex)
{
    size_t n = 0;
    unsigned byte;

    for (; isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1]); hex += 2) {
        assert_true(n < cap && sscanf(hex, "%2x", &byte) == 1);
        out[n++] = (uint8_t)byte;
    }
    return n;
}

static inline void vec_field(struct vectors *v, char *line)
{
    struct vec_field *f = &v->fields[v->count++];
    char *equals = strstr(line, " =");

    assert_true(v->count <= VEC_FIELDS);
    if (equals) *equals = 0;
    snprintf(f->name, sizeof f->name, "%.23s", line);
    line = equals ? equals + 2 : line + strlen(line);
    line += strspn(line, " ");
    snprintf(f->text, sizeof f->text, "%.31s", line);
    f->n = vec_hex(f->bytes, sizeof f->bytes, line);
}

static inline bool vec_next(struct vectors *v)
{
    static char line[2 * VEC_BYTES + 64];

    v->count = 0;
    while (fgets(line, sizeof line, v->file)) {
        line[strcspn(line, "\r\n")] = 0;
        if (line[0] == 0 && v->count > 0) break;
        if (line[0] == '[') snprintf(v->section, sizeof v->section, "%.47s", line);
        else if (line[0] != 0 && line[0] != '#') vec_field(v, line);
    }
    v->records += v->count > 0;
    return v->count > 0;
}

static inline const struct vec_field *vec_find(const struct vectors *v, const char *name)
{
    for (size_t i = 0; i < v->count; i++)
        if (strcmp(v->fields[i].name, name) == 0) return &v->fields[i];
    return NULL;
}

static inline const struct vec_field *vec(const struct vectors *v, const char *name)
{
    const struct vec_field *f = vec_find(v, name);

    if (!f) {
        fail_msg("record %u has no field %s", v->records, name);
        abort(); /* for gcc, which does not know that the line above ends it */
    }
    return f;
}

static inline unsigned long vec_number(const struct vectors *v, const char *name) { return strtoul(vec(v, name)->text, NULL, 10); }

#endif
