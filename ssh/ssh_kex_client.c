/* The client's half of a key exchange (RFC 5656 4, RFC 8731). */
#include <string.h>

#include "ssh_roles.h"

/* Until the reply comes, our public value waits at the end of the transmit buffer: it is part of the exchange hash. */
static uint8_t *own_init(const struct dory_ssh *s)
{
    return s->config->tx + s->config->tx_size - s->kex->init_size;
}

int dory_i_client_kex_agreed(struct dory_ssh *s)
{
    struct dory_writer w = dory_i_begin(s, SSH_MSG_KEX_ECDH_INIT);
    uint8_t *init;
    int rc;

    dory_i_put32(&w, s->kex->init_size);
    init = dory_i_put(&w, s->kex->init_size);
    if (!init || s->kex->state_size > sizeof s->kex_secret)
        return DORY_E_SPACE;
    rc = s->kex->keypair(s->kex_secret, init, &s->config->rng);
    if (rc)
        return rc;
    s->tx_limit = s->config->tx_size - s->kex->init_size;
    if (w.p + 196 > s->config->tx + s->tx_limit)
        return DORY_E_SPACE;
    memcpy(own_init(s), init, s->kex->init_size);
    return dory_i_end(s, &w);
}

static int verify_signature(struct dory_ssh *s, struct dory_slice key, struct dory_slice signature)
{
    struct dory_slice name = {(const uint8_t *)s->hostkey_algorithm, strlen(s->hostkey_algorithm)};
    const struct dory_sigalg *alg = dory_i_find_signature(s, name);

    int rc = alg->verify(key.p, key.n, s->h, sizeof s->h, signature.p, signature.n);

    if (rc == DORY_E_NOSYS)
        return dory_i_error(s, DORY_E_KEX, "the host key has too few bits to be safe, or more than are handled here");
    return rc ? dory_i_error(s, DORY_E_KEX, "the host key's signature is wrong") : DORY_OK;
}

/* The first key is shown to the caller; any other at a rekey is an attack. */
static int judge_host_key(struct dory_ssh *s, struct dory_slice key)
{
    struct dory_sha256 h;
    uint8_t id[32];

    dory_sha256_init(&h);
    dory_sha256_update(&h, key.p, key.n);
    dory_sha256_final(&h, id);
    if (s->first_kex_done) {
        if (!dory_equal(id, s->hostkey_id, sizeof id))
            return dory_i_error(s, DORY_E_HOSTKEY, "the host key changed at a rekey");
        return dory_i_send_newkeys(s);
    }
    memcpy(s->hostkey_id, id, sizeof id);
    s->pending.key = key.p;
    s->pending.key_n = key.n;
    s->pending.algorithm = s->hostkey_algorithm;
    dory_i_raise(s, DORY_EV_HOSTKEY);
    return DORY_OK;
}

int dory_i_client_kex_message(struct dory_ssh *s, struct dory_reader *r)
{
    struct dory_slice key = dory_i_get_string(r);
    struct dory_slice reply = dory_i_get_string(r);
    struct dory_slice signature = dory_i_get_string(r);
    uint8_t secret[32];
    int rc;

    if (!dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_KEX_ECDH_REPLY");
    if (reply.n != s->kex->reply_size)
        return dory_i_error(s, DORY_E_KEX, "public value of the wrong size");
    rc = s->kex->dec(s->kex_secret, reply.p, secret);
    dory_wipe(s->kex_secret, sizeof s->kex_secret);
    if (rc)
        return dory_i_error(s, DORY_E_KEX, "bad public value");
    dory_i_kex_secret(s, key.p, key.n, own_init(s), reply.p, secret);
    rc = verify_signature(s, key, signature);
    return rc ? rc : judge_host_key(s, key);
}
