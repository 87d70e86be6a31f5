/* For programs under valgrind: whatever is secret is marked as undefined while it is used, so that a branch or an index that depends on it
   is an error. Linked with --wrap=dory_equal. */
#ifndef TESTS_CT_SECRET_H
#define TESTS_CT_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <valgrind/memcheck.h>

static inline void make_secret(void *p, size_t n)
{
    VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

static inline void make_public(void *p, size_t n)
{
    VALGRIND_MAKE_MEM_DEFINED(p, n);
}

/* Whether two secrets are equal is told to the world, how they differ is not. */
bool __real_dory_equal(const void *a, const void *b, size_t n);
bool __wrap_dory_equal(const void *a, const void *b, size_t n);
bool __wrap_dory_equal(const void *a, const void *b, size_t n)
{
    bool same = __real_dory_equal(a, b, n);

    make_public(&same, sizeof same);
    return same;
}

#endif
