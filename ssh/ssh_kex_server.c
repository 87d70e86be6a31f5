/* The server's half of a key exchange (RFC 5656 4, RFC 8731). */
#include "ssh_roles.h"

/* Writes SSH_MSG_KEX_ECDH_REPLY up to its signature, which DORY_EV_SIGN asks for. */
int dory_i_server_kex_message(struct dory_ssh *s, struct dory_reader *r)
{
    const struct dory_hostkey *key = &s->config->hostkeys[s->hostkey_index];
    struct dory_slice init = dory_i_get_string(r);
    struct dory_writer w;
    uint8_t secret[32], *reply;
    int rc;

    if (!dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_KEX_ECDH_INIT");
    if (init.n != s->kex->init_size)
        return dory_i_error(s, DORY_E_KEX, "public value of the wrong size");
    w = dory_i_begin(s, SSH_MSG_KEX_ECDH_REPLY);
    dory_i_put_string(&w, key->blob, key->n);
    dory_i_put32(&w, s->kex->reply_size);
    reply = dory_i_put(&w, s->kex->reply_size);
    if (!reply)
        return DORY_E_SPACE;
    rc = s->kex->enc(init.p, reply, secret, &s->config->rng);
    if (rc)
        return dory_i_error(s, rc == DORY_E_RNG ? rc : DORY_E_KEX, "bad public value");
    dory_i_kex_secret(s, key->blob, key->n, init.p, reply, secret);
    s->pending.data = s->h;
    s->pending.n = sizeof s->h;
    s->pending.key = key->blob;
    s->pending.key_n = key->n;
    s->pending.algorithm = key->algorithm;
    s->pending.index = s->hostkey_index;
    s->tx_open = w.p;
    s->building = BUILD_HELD;
    dory_i_raise(s, DORY_EV_SIGN);
    return DORY_OK;
}

/* RFC 8308 2.3, 3.1: the first message under the new keys. */
static int send_ext_info(struct dory_ssh *s)
{
    struct dory_writer w = dory_i_begin(s, SSH_MSG_EXT_INFO);

    dory_i_put32(&w, 2);
    dory_i_put_text(&w, "server-sig-algs");
    dory_i_put_signatures(s, &w);
    dory_i_put_text(&w, "ping@openssh.com");
    dory_i_put_text(&w, "0");
    return dory_i_end(s, &w);
}

int dory_i_server_kex_signed(struct dory_ssh *s)
{
    int rc = dory_i_send_newkeys(s);

    if (rc == 0 && !s->first_kex_done && s->peer_wants_ext_info)
        rc = send_ext_info(s);
    return rc;
}
