#include "ssh_roles.h"

static int message(struct dory_ssh *s, uint8_t type, struct dory_reader *r)
{
    switch (type) {
    case SSH_MSG_SERVICE_REQUEST:
        return dory_i_server_service(s, r);
    case SSH_MSG_EXT_INFO:
        return DORY_OK; /* nothing in it concerns a server */
    case SSH_MSG_USERAUTH_REQUEST:
        return dory_i_server_auth(s, r);
    case SSH_MSG_USERAUTH_INFO_RESPONSE:
        return dory_i_server_auth_response(s, r);
    default:
        return dory_i_server_channel(s, type, r);
    }
}

static int kex_agreed(struct dory_ssh *s)
{
    (void)s;
    return DORY_OK;
}

static int keys_ready(struct dory_ssh *s)
{
    (void)s;
    return DORY_OK;
}

static int answer(struct dory_ssh *s, enum dory_event_type event, bool yes)
{
    switch (event) {
    case DORY_EV_SIGN:
        return yes ? dory_i_server_kex_signed(s) : dory_i_error(s, DORY_E_KEX, "no signature by the host key");
    case DORY_EV_AUTH_REQUEST:
        return dory_i_server_auth_answer(s, yes);
    default:
        return dory_i_server_channel_answer(s, yes);
    }
}

const struct dory_ssh_role dory_ssh_server = {
    true, kex_agreed, dory_i_server_kex_message, keys_ready, message, answer, dory_i_server_flush_channel,
};
