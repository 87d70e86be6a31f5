/* CMocka 2 where the tests are written for 1: its macro would catch every member called stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef stop
