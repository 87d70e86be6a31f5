/* RFC 4253 7: algorithm negotiation, key derivation, taking keys into use. Strict key exchange as OpenSSH's PROTOCOL 1.10 has it. */
#include <string.h>

#include "ssh_internal.h"

enum {
    LIST_KEX,
    LIST_HOSTKEY,
    LIST_CIPHER_CS,
    LIST_CIPHER_SC,
    LIST_MAC_CS,
    LIST_MAC_SC,
    LIST_COMP_CS,
    LIST_COMP_SC,
    LIST_LANG_CS,
    LIST_LANG_SC,
    LISTS
};

static const char *const no_common[] = {
    "no common key exchange method", "no common host key algorithm", "no common cipher", "no common cipher",
    "no common MAC", "no common MAC", "no common compression", "no common compression",
};

/* Appended to the first SSH_MSG_KEXINIT only, and never part of a list that users edit. */
static const char *const client_marks[] = {"ext-info-c", "kex-strict-c-v00@openssh.com", "kex-strict-c", NULL};
static const char *const server_marks[] = {"ext-info-s", "kex-strict-s-v00@openssh.com", "kex-strict-s", NULL};

/* Name number i of what this side offers in a list; NULL behind the last. */
static const char *offered(const struct dory_ssh *s, unsigned list, unsigned i)
{
    const struct dory_ssh_config *c = s->config;

    switch (list) {
    case LIST_KEX:
        return c->kex[i] ? c->kex[i]->name : NULL;
    case LIST_HOSTKEY:
        if (dory_i_is_server(s))
            return i < c->hostkey_count ? c->hostkeys[i].algorithm : NULL;
        return c->signatures[i] ? c->signatures[i]->name : NULL;
    case LIST_CIPHER_CS:
    case LIST_CIPHER_SC:
        return c->ciphers[i] ? c->ciphers[i]->name : NULL;
    case LIST_MAC_CS:
    case LIST_MAC_SC:
        return c->macs[i] ? c->macs[i]->name : NULL;
    case LIST_COMP_CS:
    case LIST_COMP_SC:
        return i == 0 ? "none" : NULL;
    default:
        return NULL;
    }
}

static void put_name(struct dory_writer *w, const uint8_t *start, const char *name)
{
    if (w->p != start)
        dory_i_put8(w, ',');
    dory_i_put_bytes(w, name, strlen(name));
}

static void put_list(const struct dory_ssh *s, struct dory_writer *w, unsigned list)
{
    uint8_t *length = dory_i_put(w, 4);
    const uint8_t *start = w->p;
    const char *name;
    unsigned i;

    for (i = 0; (name = offered(s, list, i)) != NULL; i++)
        put_name(w, start, name);
    if (list == LIST_KEX && !s->first_kex_done) {
        const char *const *mark = dory_i_is_server(s) ? server_marks : client_marks;
        for (; *mark; mark++)
            put_name(w, start, *mark);
    }
    if (!w->bad)
        dory_i_store32(length, (uint32_t)(w->p - start));
}

static struct dory_writer write_kexinit(struct dory_ssh *s)
{
    struct dory_writer w = dory_i_begin(s, SSH_MSG_KEXINIT);
    unsigned list;

    dory_i_put_bytes(&w, s->cookie, sizeof s->cookie);
    for (list = 0; list < LISTS; list++)
        put_list(s, &w, list);
    dory_i_put8(&w, 0);
    dory_i_put32(&w, 0);
    return w;
}

int dory_i_kex_start(struct dory_ssh *s)
{
    struct dory_writer w;

    if (s->config->rng.fill(s->config->rng.ctx, s->cookie, sizeof s->cookie))
        return DORY_E_RNG;
    w = write_kexinit(s);
    s->kex_state = KEX_SENT;
    s->kex_tx = true;
    s->kex_wanted = false;
    s->kex_started = s->now;
    return dory_i_end(s, &w);
}

static void hash_bytes(struct dory_ssh *s, const uint8_t *p, size_t n)
{
    uint8_t length[4];
    dory_i_store32(length, (uint32_t)n);
    dory_sha256_update(&s->hash, length, 4);
    dory_sha256_update(&s->hash, p, n);
}

/* Our own SSH_MSG_KEXINIT is made again from its cookie: cheaper than keeping it. */
static int hash_own_kexinit(struct dory_ssh *s)
{
    const uint8_t *payload = s->config->tx + s->tx_tail + 5;
    struct dory_writer w = write_kexinit(s);

    if (w.bad)
        return DORY_E_SPACE;
    hash_bytes(s, payload, (size_t)(w.p - payload));
    return DORY_OK;
}

static int hash_kexinits(struct dory_ssh *s)
{
    const uint8_t *theirs = dory_i_payload(s);
    int rc;

    s->hash = s->version_hash;
    if (!dory_i_is_server(s) && (rc = hash_own_kexinit(s)) != 0)
        return rc;
    hash_bytes(s, theirs, s->payload_n);
    return dory_i_is_server(s) ? hash_own_kexinit(s) : DORY_OK;
}

static bool list_has(struct dory_slice list, const char *text)
{
    struct dory_slice name;

    while (dory_i_next_name(&list, &name))
        if (dory_i_is(name, text))
            return true;
    return false;
}

/* The client's first name that the server has too. Returns its index in what this side offers. */
static int negotiate(struct dory_ssh *s, unsigned list, struct dory_slice theirs)
{
    struct dory_slice rest = theirs, name;
    const char *own;
    int i;

    if (dory_i_is_server(s)) {
        while (dory_i_next_name(&rest, &name))
            for (i = 0; (own = offered(s, list, (unsigned)i)) != NULL; i++)
                if (dory_i_is(name, own))
                    return i;
    } else {
        for (i = 0; (own = offered(s, list, (unsigned)i)) != NULL; i++)
            if (list_has(theirs, own))
                return i;
    }
    s->detail = theirs.p;
    s->detail_n = theirs.n;
    return dory_i_error(s, DORY_E_NO_COMMON, no_common[list]);
}

/* The packet that had nothing in common is still there. */
const uint8_t *dory_ssh_peer_offer(const struct dory_ssh *s, unsigned kind, size_t *n)
{
    const uint8_t *payload = dory_i_payload(s);
    struct dory_reader r = {payload + 1 + sizeof s->cookie, payload + s->payload_n, false};
    struct dory_slice list = {NULL, 0};
    unsigned i;

    *n = 0;
    if (s->error != DORY_E_NO_COMMON || kind > LIST_COMP_SC)
        return NULL;
    for (i = 0; i <= kind; i++)
        list = dory_i_get_string(&r);
    *n = list.n;
    return list.p;
}

static int negotiate_direction(struct dory_ssh *s, const struct dory_slice lists[LISTS], unsigned dir)
{
    int i = negotiate(s, LIST_CIPHER_CS + dir, lists[LIST_CIPHER_CS + dir]);

    if (i < 0)
        return i;
    s->next_cipher[dir] = s->config->ciphers[i];
    s->next_mac[dir] = NULL;
    if (s->next_cipher[dir]->tag_size == 0) {
        i = negotiate(s, LIST_MAC_CS + dir, lists[LIST_MAC_CS + dir]);
        if (i < 0)
            return i;
        s->next_mac[dir] = s->config->macs[i];
    }
    i = negotiate(s, LIST_COMP_CS + dir, lists[LIST_COMP_CS + dir]);
    return i < 0 ? i : DORY_OK;
}

static int negotiate_all(struct dory_ssh *s, const struct dory_slice lists[LISTS])
{
    int kex = negotiate(s, LIST_KEX, lists[LIST_KEX]);
    int hostkey = kex < 0 ? kex : negotiate(s, LIST_HOSTKEY, lists[LIST_HOSTKEY]);
    int rc;

    if (hostkey < 0)
        return hostkey;
    s->kex = s->config->kex[kex];
    s->hostkey_index = (uint8_t)hostkey;
    s->hostkey_algorithm = offered(s, LIST_HOSTKEY, (unsigned)hostkey);
    rc = negotiate_direction(s, lists, 0);
    return rc ? rc : negotiate_direction(s, lists, 1);
}

/* RFC 4253 7: the guess is right only if both sides put the same method and host key algorithm first. */
static bool guessed_wrong(const struct dory_ssh *s, const struct dory_slice lists[LISTS])
{
    unsigned list;

    for (list = LIST_KEX; list <= LIST_HOSTKEY; list++) {
        struct dory_slice rest = lists[list], first = {NULL, 0};
        const char *own = offered(s, list, 0);
        dory_i_next_name(&rest, &first);
        if (!own || !dory_i_is(first, own))
            return true;
    }
    return false;
}

static int read_marks(struct dory_ssh *s, struct dory_slice kex_list)
{
    bool server = dory_i_is_server(s);
    const char *const *marks = server ? client_marks : server_marks;

    if (s->first_kex_done)
        return DORY_OK;
    s->peer_wants_ext_info = list_has(kex_list, marks[0]);
    s->strict = list_has(kex_list, marks[1]) || list_has(kex_list, marks[2]);
    if (s->strict && s->rx.seq != 1)
        return dory_i_error(s, DORY_E_PROTOCOL, "strict key exchange: SSH_MSG_KEXINIT was not the first message");
    return DORY_OK;
}

int dory_i_kexinit(struct dory_ssh *s, struct dory_reader *r)
{
    struct dory_slice lists[LISTS];
    bool follows;
    unsigned i;
    int rc;

    if (s->kex_state == KEX_NONE && (rc = dory_i_kex_start(s)) != 0)
        return rc;
    for (i = 0; i < 16; i++)
        dory_i_get8(r);
    for (i = 0; i < LISTS; i++)
        lists[i] = dory_i_get_string(r);
    follows = dory_i_get8(r) != 0;
    dory_i_get32(r);
    if (!dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_KEXINIT");
    rc = read_marks(s, lists[LIST_KEX]);
    if (rc == 0)
        rc = negotiate_all(s, lists);
    if (rc == 0)
        rc = hash_kexinits(s);
    if (rc)
        return rc;
    s->guess_wrong = follows && guessed_wrong(s, lists);
    s->kex_state = KEX_AGREED;
    return s->config->role->kex_agreed(s);
}

static size_t encode_secret(const struct dory_ssh *s, const uint8_t secret[32], uint8_t k[40])
{
    struct dory_writer w = {k, k + 40, false};
    size_t skip = 0;

    if (s->kex->secret_is_string) {
        dory_i_put_string(&w, secret, 32);
        return 36;
    }
    while (skip < 32 && secret[skip] == 0)
        skip++;
    if (skip < 32 && secret[skip] & 0x80) {
        dory_i_put32(&w, (uint32_t)(33 - skip));
        dory_i_put8(&w, 0);
    } else {
        dory_i_put32(&w, (uint32_t)(32 - skip));
    }
    dory_i_put_bytes(&w, secret + skip, 32 - skip);
    return (size_t)(w.p - k);
}

/* The exchange hash H (RFC 8731 3.1, RFC 5656 4); the first one is the session identifier. */
void dory_i_kex_secret(struct dory_ssh *s, const uint8_t *host_key, size_t host_key_n, const uint8_t *init, const uint8_t *reply,
                       uint8_t secret[32])
{
    uint8_t h[32], k[40];
    size_t k_n = encode_secret(s, secret, k);

    dory_wipe(secret, 32);
    hash_bytes(s, host_key, host_key_n);
    hash_bytes(s, init, s->kex->init_size);
    hash_bytes(s, reply, s->kex->reply_size);
    dory_sha256_update(&s->hash, k, k_n);
    dory_sha256_final(&s->hash, h);
    memcpy(s->h, h, sizeof h);
    memcpy(s->k, k, k_n);
    s->k_n = (uint8_t)k_n;
    dory_wipe(k, sizeof k);
    if (!s->first_kex_done)
        memcpy(s->session_id, h, sizeof h);
}

/* RFC 4253 7.2; up to 64 bytes. */
static void derive(const struct dory_ssh *s, char letter, uint8_t out[64], size_t n)
{
    struct dory_sha256 h;

    dory_sha256_init(&h);
    dory_sha256_update(&h, s->k, s->k_n);
    dory_sha256_update(&h, s->h, sizeof s->h);
    dory_sha256_update(&h, &letter, 1);
    dory_sha256_update(&h, s->session_id, sizeof s->session_id);
    dory_sha256_final(&h, out);
    if (n > 32) {
        dory_sha256_init(&h);
        dory_sha256_update(&h, s->k, s->k_n);
        dory_sha256_update(&h, s->h, sizeof s->h);
        dory_sha256_update(&h, out, 32);
        dory_sha256_final(&h, out + 32);
    }
    dory_wipe(&h, sizeof h);
}

static int take_keys(struct dory_ssh *s, struct dory_direction *d, unsigned dir)
{
    uint8_t key[64], iv[64];
    int rc;

    d->cipher = s->next_cipher[dir];
    d->mac = s->next_mac[dir];
    derive(s, (char)('A' + dir), iv, d->cipher->iv_size);
    derive(s, (char)('C' + dir), key, d->cipher->key_size);
    rc = d->cipher->init(d->cipher_ctx, key, iv);
    if (d->mac) {
        derive(s, (char)('E' + dir), key, d->mac->key_size);
        d->mac->init(d->mac_ctx, key);
    }
    dory_wipe(key, sizeof key);
    dory_wipe(iv, sizeof iv);
    if (s->strict)
        d->seq = 0;
    d->first_seq = d->seq;
    d->bytes = 0;
    return rc;
}

int dory_i_send_newkeys(struct dory_ssh *s)
{
    struct dory_writer w = dory_i_begin(s, SSH_MSG_NEWKEYS);
    int rc = dory_i_end(s, &w);

    if (rc == 0)
        rc = take_keys(s, &s->tx, dory_i_is_server(s));
    s->tx_limit = s->config->tx_size;
    s->kex_tx = false;
    s->kex_state = KEX_NEWKEYS;
    return rc;
}

int dory_i_newkeys(struct dory_ssh *s, struct dory_reader *r)
{
    int rc;

    if (s->kex_state != KEX_NEWKEYS || !dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "SSH_MSG_NEWKEYS out of place");
    rc = take_keys(s, &s->rx, !dory_i_is_server(s));
    dory_wipe(s->k, sizeof s->k);
    dory_wipe(s->h, sizeof s->h);
    if (rc)
        return rc;
    s->kex_state = KEX_NONE;
    s->keyed = s->now;
    if (s->first_kex_done) {
        s->rekeys++;
        return DORY_OK;
    }
    s->first_kex_done = true;
    s->phase = PHASE_SERVICE;
    return s->config->role->keys_ready(s);
}

const struct dory_sigalg *dory_i_find_signature(const struct dory_ssh *s, struct dory_slice name)
{
    const struct dory_sigalg *const *alg;

    for (alg = s->config->signatures; *alg; alg++)
        if (dory_i_is(name, (*alg)->name))
            return *alg;
    return NULL;
}

void dory_i_put_signatures(const struct dory_ssh *s, struct dory_writer *w)
{
    uint8_t *length = dory_i_put(w, 4);
    const uint8_t *start = w->p;
    const struct dory_sigalg *const *alg;

    for (alg = s->config->signatures; *alg; alg++)
        put_name(w, start, (*alg)->name);
    if (!w->bad)
        dory_i_store32(length, (uint32_t)(w->p - start));
}
