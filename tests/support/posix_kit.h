/* For tests that touch real files and real programs: a scratch folder, whole files, commands. */
#ifndef POSIX_KIT_H
#define POSIX_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* cmocka's setup and teardown of one test: a fresh folder, and the current one is in it; all of it is removed again. */
int posix_kit_enter(void **state);
int posix_kit_leave(void **state);

/* Of the scratch folder, absolute. */
const char *posix_kit_dir(void);

void posix_kit_write(const char *path, const char *text, unsigned mode);
/* The content, NUL-terminated, in one static buffer; fails the test if there is no such file. */
const char *posix_kit_read(const char *path);
bool posix_kit_exists(const char *path); /* does not follow links */
unsigned posix_kit_mode(const char *path);
/* Entries of a folder, without . and .. */
unsigned posix_kit_count(const char *path);
unsigned posix_kit_open_fds(void);

/* Runs a shell command; its exit status. What it printed (stderr too) is in posix_kit_output(). */
int posix_kit_sh(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *posix_kit_output(void);
bool posix_kit_has(const char *program);

#endif
