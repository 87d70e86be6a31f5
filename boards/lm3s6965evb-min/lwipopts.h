/* lwIP's sizes on this board; the rest is common. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

/* Nobody asks for the pools' high-water marks here. */
#define LWIP_STATS        0

#include "platform/lwip/dory_lwipopts.h"

#endif
