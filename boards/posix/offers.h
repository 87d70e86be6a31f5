/* After DORY_E_NO_COMMON: what each side offered, for people. */
#ifndef DORY_OFFERS_H
#define DORY_OFFERS_H

#include "dory_ssh.h"

/* Says one line for each kind of algorithm, "cipher: theirs a,b; ours c,d", safe to print; long lists are cut. config is that of ssh. */
void dory_offers(const struct dory_ssh *ssh, const struct dory_ssh_config *config, bool server, void (*say)(void *ctx, const char *line),
                 void *ctx);

#endif
