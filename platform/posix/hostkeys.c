/* What a server says of its own host keys: which are news, and whether it holds them (OpenSSH's PROTOCOL 2.5). */
#include <string.h>

#include "dory_posix_known_hosts.h"
#include "posix_internal.h"

#define PROOF_OF "hostkeys-prove-00@openssh.com"

static const struct dory_sigalg *find(const struct dory_sigalg *const *algorithms, const char *name, const char *key_type)
{
    for (; *algorithms; algorithms++)
        if ((!name || !strcmp((*algorithms)->name, name)) && !strcmp((*algorithms)->key_type, key_type))
            return *algorithms;
    return NULL;
}

static uint8_t *put_string(uint8_t *to, const void *bytes, size_t n)
{
    const uint8_t length[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};

    memcpy(to, length, 4);
    memcpy(to + 4, bytes, n);
    return to + 4 + n;
}

static bool holds(const uint8_t *strings, size_t n, const struct dory_blob *key)
{
    struct dory_blob in = {strings, n, false};

    while (in.n && !in.bad) {
        struct dory_blob one = dory_blob_string(&in);

        if (one.n == key->n && !memcmp(one.p, key->p, key->n))
            return true;
    }
    return false;
}

int dory_hostkeys_news(const char *const *files, const char *host, unsigned port, const struct dory_sigalg *const *algorithms,
                       const uint8_t *keys, size_t n, uint8_t *news, size_t cap, char why[DORY_WHY_MAX])
{
    struct dory_blob in = {keys, n, false};
    uint8_t *at = news;

    while (in.n && !in.bad) {
        struct dory_blob key = dory_blob_string(&in);
        struct dory_known_result known;
        char type[DORY_KEY_TYPE_MAX];
        int r;

        if (in.bad || !dory_blob_type(key.p, key.n, type, sizeof type) || !find(algorithms, NULL, type) ||
            holds(news, (size_t)(at - news), &key))
            continue;
        r = dory_known_hosts_check(files, host, port, key.p, key.n, &known, why);
        if (r < 0)
            return r;
        if (known.verdict == DORY_KNOWN_MATCH || known.verdict == DORY_KNOWN_REVOKED)
            continue;
        if (key.n + 4 > cap - (size_t)(at - news))
            break;
        at = put_string(at, key.p, key.n);
    }
    return (int)(at - news);
}

/* The signature over one key names its own algorithm; an RSA key may come with any of its own. */
static bool proves(const struct dory_sigalg *const *algorithms, const uint8_t *session_id, size_t id_n, const struct dory_blob *key,
                   const struct dory_blob *signature)
{
    uint8_t text[4 + sizeof PROOF_OF + 4 + 64 + 4 + DORY_KEY_BLOB_MAX], *at = text;
    char type[DORY_KEY_TYPE_MAX], name[DORY_KEY_TYPE_MAX];
    const struct dory_sigalg *algorithm;

    if (key->n > DORY_KEY_BLOB_MAX || id_n > 64 || !dory_blob_type(key->p, key->n, type, sizeof type) ||
        !dory_blob_type(signature->p, signature->n, name, sizeof name))
        return false;
    algorithm = find(algorithms, name, type);
    at = put_string(at, PROOF_OF, sizeof PROOF_OF - 1);
    at = put_string(at, session_id, id_n);
    at = put_string(at, key->p, key->n);
    return algorithm && algorithm->verify(key->p, key->n, text, (size_t)(at - text), signature->p, signature->n) == DORY_OK;
}

bool dory_hostkeys_proved(const struct dory_sigalg *const *algorithms, const uint8_t *session_id, size_t id_n, const uint8_t *keys,
                          size_t n, const uint8_t *proof, size_t proof_n)
{
    struct dory_blob in = {keys, n, false}, signatures = {proof, proof_n, false};

    if (!n)
        return false;
    while (in.n && !in.bad) {
        struct dory_blob key = dory_blob_string(&in), signature = dory_blob_string(&signatures);

        if (in.bad || signatures.bad || !proves(algorithms, session_id, id_n, &key, &signature))
            return false;
    }
    return !in.bad && !signatures.n;
}
