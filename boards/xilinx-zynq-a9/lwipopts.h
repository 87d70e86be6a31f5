/* lwIP's sizes on this board; the rest is common. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#include "platform/lwip/dory_lwipopts.h"

#endif
