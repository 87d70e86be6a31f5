/* The two halves, each used by its own role table only. */
#ifndef DORY_SSH_ROLES_H
#define DORY_SSH_ROLES_H

#include "ssh_internal.h"

int dory_i_client_kex_agreed(struct dory_ssh *s);
int dory_i_client_kex_message(struct dory_ssh *s, struct dory_reader *r);
int dory_i_client_service(struct dory_ssh *s);
int dory_i_client_auth(struct dory_ssh *s, uint8_t type, struct dory_reader *r);
int dory_i_client_auth_signed(struct dory_ssh *s, bool yes);
int dory_i_client_auth_responded(struct dory_ssh *s, bool yes);
int dory_i_client_channel(struct dory_ssh *s, uint8_t type, struct dory_reader *r);
int dory_i_client_flush_channel(struct dory_ssh *s, struct dory_channel *c);

int dory_i_server_kex_message(struct dory_ssh *s, struct dory_reader *r);
int dory_i_server_kex_signed(struct dory_ssh *s);
int dory_i_server_service(struct dory_ssh *s, struct dory_reader *r);
int dory_i_server_auth(struct dory_ssh *s, struct dory_reader *r);
int dory_i_server_auth_response(struct dory_ssh *s, struct dory_reader *r);
int dory_i_server_auth_answer(struct dory_ssh *s, bool yes);
int dory_i_server_channel(struct dory_ssh *s, uint8_t type, struct dory_reader *r);
int dory_i_server_flush_channel(struct dory_ssh *s, struct dory_channel *c);
int dory_i_server_channel_answer(struct dory_ssh *s, bool yes);

#endif
