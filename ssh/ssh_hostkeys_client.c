/* OpenSSH's PROTOCOL 2.5: a client that wants to know all host keys of a server has them proved. */
#include "ssh_internal.h"

int dory_ssh_prove_hostkeys(struct dory_ssh *s, const uint8_t *keys, size_t n)
{
    struct dory_writer w;
    int rc;

    if (s->error)
        return s->error;
    if (s->pending.type != DORY_EV_HOSTKEYS)
        return DORY_E_STATE;
    if (!dory_i_may_send(s) || s->proof_awaited)
        return DORY_E_AGAIN;
    w = dory_i_begin(s, SSH_MSG_GLOBAL_REQUEST);
    dory_i_put_text(&w, "hostkeys-prove-00@openssh.com");
    dory_i_put8(&w, 1);
    dory_i_put_bytes(&w, keys, n);
    rc = dory_i_end(s, &w);
    if (rc == DORY_E_SPACE)
        return rc;
    s->proof_awaited = ++s->global_awaited;
    return dory_i_answer(s, true, rc);
}
