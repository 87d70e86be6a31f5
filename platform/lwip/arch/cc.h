/* What lwIP asks of a compiler; picolibc's headers and lwIP's own defaults do the rest. */
#ifndef DORY_LWIP_CC_H
#define DORY_LWIP_CC_H

#include <stdint.h>

uint32_t dory_lwip_random(void);
#define LWIP_RAND() dory_lwip_random()

#define LWIP_NO_CTYPE_H          1
#define LWIP_PLATFORM_DIAG(x)    do { } while (0)
#define LWIP_PLATFORM_ASSERT(x)  do { } while (0)

#endif
