/* What the SSH tests share: checks that name the case, seeded randomness, test keys, byte building and reading, snapshots.
 * Test only: nothing here is random or secret. */
#ifndef DORY_TEST_SSH_KIT_H
#define DORY_TEST_SSH_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dory_ssh.h"

/* ---- Checks. A sweep says which case it is at; a failing check prints it. ---- */

void dory_kit_case(const char *format, ...) __attribute__((format(printf, 1, 2)));
void dory_kit_failed(const char *file, int line, const char *what, bool values, long long got, long long want);

#define CHECK(cond)                                                                                                                        \
    do {                                                                                                                                   \
        if (!(cond))                                                                                                                       \
            dory_kit_failed(__FILE__, __LINE__, #cond, false, 0, 0);                                                                       \
    } while (0)
#define CHECK_EQ(got, want)                                                                                                                \
    do {                                                                                                                                   \
        long long got_ = (long long)(got), want_ = (long long)(want);                                                                      \
        if (got_ != want_)                                                                                                                 \
            dory_kit_failed(__FILE__, __LINE__, #got " == " #want, true, got_, want_);                                                     \
    } while (0)
#define FAIL(text) dory_kit_failed(__FILE__, __LINE__, text, false, 0, 0)
/* Everyone is told: prints a figure that the test wants in the log. */
void dory_kit_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- Randomness: SHA-256 of a seed and a counter ---- */

struct dory_kit_rng {
    uint32_t seed, counter;
    uint8_t block[32];
    size_t left;
    long calls;
    long fail_at;    /* this call fails, counted from 1; 0: none */
    bool fail_after; /* and all later ones too */
};
void dory_kit_rng_init(struct dory_kit_rng *rng, uint32_t seed);
struct dory_rng dory_kit_rng(struct dory_kit_rng *rng);
uint32_t dory_kit_random(struct dory_kit_rng *rng, uint32_t below);

/* ---- Keys ---- */

struct dory_kit_key {
    struct dory_key key;
    uint8_t blob[DORY_KEY_BLOB_MAX];
    size_t n;
};
/* An ed25519 key made from one number. */
void dory_kit_key(struct dory_kit_key *key, uint8_t number);
size_t dory_kit_sign(const struct dory_kit_key *key, const uint8_t *data, size_t n, uint8_t *out, size_t cap);

/* ---- Bytes: RFC 4251 5, written apart from ssh/ ---- */

#define DORY_KIT_BYTES (72 * 1024)
struct dory_bytes {
    size_t n;
    uint8_t p[DORY_KIT_BYTES];
};
void dory_put_raw(struct dory_bytes *b, const void *p, size_t n);
void dory_put8(struct dory_bytes *b, unsigned v);
void dory_put32(struct dory_bytes *b, uint32_t v);
void dory_put_string(struct dory_bytes *b, const void *p, size_t n);
void dory_put_text(struct dory_bytes *b, const char *text);
void dory_put_mpint(struct dory_bytes *b, const uint8_t *be, size_t n);
void dory_put_fill(struct dory_bytes *b, uint8_t v, size_t n);

struct dory_view {
    const uint8_t *p;
    size_t n;
    bool bad;
};
struct dory_view dory_view(const void *p, size_t n);
unsigned dory_get8(struct dory_view *v);
uint32_t dory_get32(struct dory_view *v);
struct dory_view dory_get_string(struct dory_view *v);
bool dory_view_is(struct dory_view v, const char *text);
bool dory_list_has(struct dory_view list, const char *name);
bool dory_view_contains(struct dory_view v, const void *p, size_t n);

/* ---- Snapshots: everything an engine is lies in memory that the caller gave, so copying it back is going back in time ---- */

#define DORY_SNAP_REGIONS 12
struct dory_snap {
    int count;
    struct {
        void *at;
        size_t n;
        uint8_t *copy;
    } region[DORY_SNAP_REGIONS];
};
void dory_snap_add(struct dory_snap *s, void *at, size_t n); /* saves now */
void dory_snap_restore(const struct dory_snap *s);
void dory_snap_free(struct dory_snap *s);

/* ---- A growing byte queue ---- */

struct dory_pipe {
    uint8_t *p;
    size_t head, tail, cap;
    uint64_t total; /* ever put in */
};
void dory_pipe_put(struct dory_pipe *q, const void *p, size_t n);
size_t dory_pipe_size(const struct dory_pipe *q);
const uint8_t *dory_pipe_peek(const struct dory_pipe *q);
void dory_pipe_drop(struct dory_pipe *q, size_t n);
void dory_pipe_free(struct dory_pipe *q);

#endif
