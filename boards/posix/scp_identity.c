#include "scp_identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "platform/posix/dory_posix_keyfile.h"
#include "scp_client.h"
#include "scp_say.h"

/* A list comes at once; a signature may wait for a person who has to confirm it. */
#define LIST_MS 10000
#define SIGN_MS 120000
#define PASSPHRASE_TRIES 3
#define PASSPHRASE_MAX 1024

static const char *const default_identities[] = {"~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519"};
#define DEFAULTS ((int)(sizeof default_identities / sizeof *default_identities))

/* ---- The list ---- */

static struct dory_identity *add(struct dory_identities *ids)
{
    struct dory_identity *more;

    if (ids->n == ids->room) {
        more = realloc(ids->list, sizeof *more * (size_t)(ids->room + 16));
        if (!more)
            return NULL;
        ids->list = more;
        ids->room += 16;
    }
    memset(&ids->list[ids->n], 0, sizeof *ids->list);
    return &ids->list[ids->n++];
}

static struct dory_identity *find(const struct dory_identities *ids, const uint8_t *blob, size_t n)
{
    for (int i = 0; i < ids->n; i++)
        if (ids->list[i].blob && ids->list[i].blob_n == n && !memcmp(ids->list[i].blob, blob, n))
            return &ids->list[i];
    return NULL;
}

/* The public half, where FILE or FILE.pub shows it. */
static void learn_public(struct dory_identity *id)
{
    struct dory_public_key key;
    char why[DORY_WHY_MAX], side[PATH_MAX + 8];
    int result = dory_public_key_load(id->path, &key, why);

    id->public_only = result == 0;
    if (result < 0) {
        snprintf(side, sizeof side, "%s.pub", id->path);
        if (dory_public_key_load(side, &key, why) != 0)
            return;
    }
    id->own_blob = malloc(key.blob_n);
    if (!id->own_blob)
        return;
    memcpy(id->own_blob, key.blob, key.blob_n);
    id->blob = id->own_blob;
    id->blob_n = key.blob_n;
}

static void release(struct dory_identity *id)
{
    free(id->path);
    free(id->own_blob);
}

enum origin { BY_DEFAULT, BY_SETTING, BY_OPTION };

static void say_missing(const char *path, enum origin origin)
{
    if (origin == BY_OPTION)
        dory_say(DORY_LOG_INFO, "Warning: Identity file %s not accessible: No such file or directory.", path);
    else if (origin == BY_SETTING)
        dory_say(DORY_LOG_INFO, "no such identity: %s: No such file or directory", path);
}

static void add_file(struct dory_client *c, const char *name, enum origin origin)
{
    struct dory_identities *ids = &c->auth.identities;
    struct dory_identity *id, *same;
    char path[PATH_MAX];

    if (dory_client_expand(c, name, path, sizeof path) < 0) {
        dory_say(DORY_LOG_ERROR, "scp: identity file %s: bad name", name);
        return;
    }
    if (access(path, F_OK) < 0 && errno == ENOENT) {
        say_missing(path, origin);
        return;
    }
    if (!(id = add(ids)) || !(id->path = strdup(path))) {
        ids->n -= id != NULL;
        return;
    }
    id->given = origin != BY_DEFAULT;
    learn_public(id);
    same = id->blob ? find(ids, id->blob, id->blob_n) : id;
    if (same == id)
        return;
    if (same->public_only && !id->public_only) { /* of KEY.pub and KEY the one that can sign */
        char *old = same->path;

        same->path = id->path;
        same->public_only = false;
        id->path = old;
    }
    release(id);
    ids->n--;
}

static void add_files(struct dory_client *c)
{
    const struct dory_cli_ssh *o = &c->options->ssh;

    for (int i = 0; i < o->identity_count; i++)
        if (strcasecmp(o->identities[i], "none"))
            add_file(c, o->identities[i], o->identity_given[i] ? BY_OPTION : BY_SETTING);
    for (int i = 0; !o->identity_count && i < DEFAULTS; i++) add_file(c, default_identities[i], BY_DEFAULT);
}

/* Where the agent listens; NULL: nowhere. */
static const char *agent_path(struct dory_client *c)
{
    const char *name = c->options->ssh.identity_agent;
    char *room = c->auth.identities.agent_path;

    if (!name || !strcmp(name, "SSH_AUTH_SOCK"))
        name = getenv("SSH_AUTH_SOCK");
    else if (!strcasecmp(name, "none"))
        return NULL;
    else if (*name == '$')
        name = getenv(name + 1);
    else
        return dory_client_expand(c, name, room, PATH_MAX) < 0 ? NULL : room;
    if (!name || !*name || strlen(name) >= PATH_MAX)
        return NULL;
    return strcpy(room, name);
}

static int open_agent(struct dory_client *c)
{
    struct dory_identities *ids = &c->auth.identities;
    const char *path = agent_path(c);
    char why[DORY_WHY_MAX];
    int result;

    if (!path)
        return 0;
    result = dory_agent_open(&ids->agent, path, why);
    if (result == DORY_OK)
        result = dory_agent_list(&ids->agent, LIST_MS, why);
    if (result == DORY_E_NOENT) /* a socket that an old session left behind is nothing to tell */
        dory_say(DORY_LOG_DEBUG, "debug1: %s", why);
    else if (result < 0)
        dory_say(DORY_LOG_ERROR, "scp: %s", why);
    return result;
}

static void take_agent_key(struct dory_client *c, const struct dory_agent_key *key)
{
    struct dory_identities *ids = &c->auth.identities;
    struct dory_identity *id = find(ids, key->blob, key->blob_n);

    if (!id) {
        if (c->options->ssh.identities_only == 1 || !(id = add(ids)))
            return;
        id->blob = key->blob;
        id->blob_n = key->blob_n;
    }
    id->in_agent = true;
    id->comment = key->comment;
    id->comment_n = key->comment_n;
}

static int rank(const struct dory_identity *id)
{
    return !id->in_agent ? 2 : id->path ? 0 : 1;
}

/* Those the agent holds first; what is equal keeps its order. */
static void sort(struct dory_identities *ids)
{
    for (int i = 1; i < ids->n; i++)
        for (int j = i; j > 0 && rank(&ids->list[j - 1]) > rank(&ids->list[j]); j--) {
            struct dory_identity swapped = ids->list[j];

            ids->list[j] = ids->list[j - 1];
            ids->list[j - 1] = swapped;
        }
}

static void prepare(struct dory_client *c)
{
    struct dory_identities *ids = &c->auth.identities;
    struct dory_agent_key key;

    if (ids->ready)
        return;
    ids->ready = true;
    ids->current = -1;
    add_files(c);
    if (open_agent(c) > 0)
        while (dory_agent_next(&ids->agent, &key)) take_agent_key(c, &key);
    sort(ids);
}

/* ---- Offers ---- */

static void say_offer(const struct dory_identity *id, const uint8_t *blob, size_t n)
{
    char fingerprint[DORY_FINGERPRINT_MAX];

    dory_fingerprint(fingerprint, blob, n);
    dory_say(DORY_LOG_DEBUG, "debug1: Offering public key: %.*s %s %s%s%s", id->path ? (int)strlen(id->path) : (int)id->comment_n,
             id->path      ? id->path
             : id->comment ? (const char *)id->comment
                           : "",
             dory_key_label(blob, n), fingerprint, id->given ? " explicit" : "", id->in_agent ? " agent" : "");
}

/* Asks for the passphrase of a file; an empty one gives the key up. DORY_OK: the key is in ids->key. */
static int unlock(struct dory_client *c, const struct dory_identity *id)
{
    struct dory_key *key = &c->auth.identities.key;
    char prompt[PATH_MAX + 32], passphrase[PASSPHRASE_MAX], why[DORY_WHY_MAX];
    int result = DORY_E_BAD_PASSPHRASE;

    snprintf(prompt, sizeof prompt, "Enter passphrase for key '%s': ", id->path);
    for (int i = 0; i < PASSPHRASE_TRIES && result == DORY_E_BAD_PASSPHRASE; i++) {
        int n = c->options->ssh.batch == 1 ? DORY_E_NOSYS : dory_cli_ask_secret(prompt, passphrase, sizeof passphrase);

        if (n == DORY_E_NOSYS)
            dory_say(DORY_LOG_ERROR, "scp: %s is protected by a passphrase, and nobody can be asked for it", id->path);
        if (n <= 0)
            return DORY_E_PASSPHRASE;
        result = dory_keyfile_load(id->path, passphrase, key, NULL, why);
        dory_wipe(passphrase, sizeof passphrase);
    }
    if (result != DORY_OK)
        dory_say_plain(DORY_LOG_ERROR, why);
    return result;
}

/* The private key into ids->key, its public half into ids->blob; that one's size. An encrypted key whose public half is known stays
   closed (0) until the server says that it would do: nobody should type a passphrase for nothing. */
static int load(struct dory_client *c, struct dory_identity *id)
{
    struct dory_identities *ids = &c->auth.identities;
    char why[DORY_WHY_MAX];
    int result;

    if (id->public_only) {
        dory_say(DORY_LOG_ERROR, "scp: %s is a public key, and no ssh-agent holds its private half", id->path);
        return DORY_E_NOENT;
    }
    result = dory_keyfile_load(id->path, NULL, &ids->key, NULL, why);
    if (result == DORY_E_PASSPHRASE && id->blob)
        return 0;
    if (result == DORY_E_PASSPHRASE)
        result = unlock(c, id);
    else if (result != DORY_OK)
        dory_say_plain(DORY_LOG_ERROR, why);
    return result == DORY_OK ? ids->key.type->public_blob(&ids->key, ids->blob, sizeof ids->blob) : result;
}

/* Without its agent a key is one of a file, or none. */
static void fall_back(struct dory_identity *id)
{
    id->in_agent = false;
    id->done = !id->path;
    id->next_algorithm = 0;
}

/* A key of the agent is signed with only once the server says that it would do: somebody may have to confirm it. */
static enum dory_offer offer(struct dory_client *c, struct dory_identity *id, bool asked)
{
    struct dory_identities *ids = &c->auth.identities;
    const uint8_t *blob = id->blob;
    size_t n = id->blob_n;
    const char *algorithm;
    bool ask = id->in_agent;
    int result;

    if (!asked && blob && dory_client_needs_server(c, blob, n))
        return DORY_OFFER_PROBE_FIRST;
    if (!id->in_agent) {
        result = load(c, id);
        id->done = result < 0;
        if (result < 0)
            return DORY_OFFER_NONE;
        ask = result == 0;
        blob = ask ? id->blob : ids->blob;
        n = ask ? id->blob_n : (size_t)result;
    }
    if (!asked && dory_client_needs_server(c, blob, n))
        return DORY_OFFER_PROBE_FIRST;
    algorithm = dory_client_next_algorithm(c, id, blob, n);
    if (!algorithm) {
        dory_say(DORY_LOG_DEBUG, "debug1: send_pubkey_test: no mutual signature algorithm");
        return DORY_OFFER_NONE;
    }
    say_offer(id, blob, n);
    return dory_ssh_auth_publickey(&c->ssh, algorithm, blob, n, ask) == DORY_OK ? DORY_OFFER_MADE : DORY_OFFER_NONE;
}

enum dory_offer dory_client_offer_key(struct dory_client *c, bool asked)
{
    struct dory_identities *ids = &c->auth.identities;

    prepare(c);
    for (int i = 0; i < ids->n; i++) {
        enum dory_offer result;

        dory_wipe(&ids->key, sizeof ids->key);
        if (ids->list[i].in_agent && !dory_agent_is_open(&ids->agent))
            fall_back(&ids->list[i]);
        if (ids->list[i].done || ids->list[i].accepted)
            continue;
        ids->current = i;
        result = offer(c, &ids->list[i], asked);
        if (result == DORY_OFFER_NONE)
            continue;
        c->auth.keys_offered += result == DORY_OFFER_MADE;
        return result;
    }
    return DORY_OFFER_NONE;
}

static int sign_by_agent(struct dory_client *c, const struct dory_identity *id, const struct dory_event *event, uint8_t *out, size_t cap)
{
    struct dory_agent_key key = {.blob = id->blob, .blob_n = id->blob_n};
    char why[DORY_WHY_MAX];
    int n = dory_agent_sign(&c->auth.identities.agent, &key, event->algorithm, event->data, event->n, out, cap, SIGN_MS, why);

    if (n == DORY_E_AUTH)
        dory_say(DORY_LOG_ERROR, "sign_and_send_pubkey: signing failed for %s \"%.*s\" from agent: %s",
                 dory_key_label(id->blob, id->blob_n), (int)id->comment_n, (const char *)id->comment, why);
    else if (n < 0)
        dory_say(DORY_LOG_ERROR, "scp: %s", why);
    return n;
}

void dory_client_on_sign(struct dory_client *c, const struct dory_event *event)
{
    struct dory_identities *ids = &c->auth.identities;
    const struct dory_identity *id = ids->current >= 0 ? &ids->list[ids->current] : NULL;
    uint8_t signature[DORY_KEY_BLOB_MAX];
    int n = DORY_E_STATE;

    if (id && id->in_agent)
        n = sign_by_agent(c, id, event, signature, sizeof signature);
    else if (id && (ids->key.type || unlock(c, id) == DORY_OK))
        n = ids->key.type->sign(&ids->key, event->algorithm, event->data, event->n, signature, sizeof signature, &c->config.rng);
    c->auth.sign_failed |= n <= 0;
    if (n > 0)
        dory_ssh_sign(&c->ssh, signature, (size_t)n);
    else
        dory_ssh_refuse(&c->ssh);
}

void dory_client_keys_again(struct dory_client *c, bool key_was_accepted)
{
    struct dory_identities *ids = &c->auth.identities;

    for (int i = 0; i < ids->n; i++) {
        ids->list[i].accepted |= key_was_accepted && i == ids->current;
        ids->list[i].done = false;
        ids->list[i].next_algorithm = 0;
    }
}

void dory_client_forget_keys(struct dory_client *c)
{
    struct dory_identities *ids = &c->auth.identities;

    dory_wipe(&ids->key, sizeof ids->key);
    for (int i = 0; i < ids->n; i++) release(&ids->list[i]);
    free(ids->list);
    dory_agent_close(&ids->agent);
    memset(ids, 0, sizeof *ids);
}
