#include "ssh_roles.h"

static int message(struct dory_ssh *s, uint8_t type, struct dory_reader *r)
{
    return type < SSH_MSG_GLOBAL_REQUEST ? dory_i_client_auth(s, type, r) : dory_i_client_channel(s, type, r);
}

static int answer(struct dory_ssh *s, enum dory_event_type event, bool yes)
{
    switch (event) {
    case DORY_EV_HOSTKEY:
        return yes ? dory_i_send_newkeys(s) : dory_i_error(s, DORY_E_HOSTKEY, "host key refused");
    case DORY_EV_SIGN:
        return dory_i_client_auth_signed(s, yes);
    case DORY_EV_PROMPTS:
        return dory_i_client_auth_responded(s, yes);
    case DORY_EV_AUTH:
        return dory_i_error(s, DORY_E_AUTH, "no authentication method left");
    default:
        return DORY_OK;
    }
}

const struct dory_ssh_role dory_ssh_client = {
    false,  dory_i_client_kex_agreed, dory_i_client_kex_message, dory_i_client_service, message,
    answer, dory_i_client_flush_channel,
};
