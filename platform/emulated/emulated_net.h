/* The network of an emulated board. */
#ifndef DORY_EMULATED_NET_H
#define DORY_EMULATED_NET_H

struct dory_lwip_config;
extern const struct dory_lwip_config dory_emulated_net;

#endif
