/* Who we are: keys first, then a password. No round trip that is not needed: a key is offered before the server has been asked what it
   takes, and signed at once. */
#include "scp_client.h"

#include <stdio.h>
#include <string.h>

#include "platform/posix/dory_posix_keyfile.h"
#include "scp_say.h"

#define PASSWORD_MAX 1024

static const char *const default_identities[] = {"~/.ssh/id_ed25519"};

static bool is_on(int option)
{
    return option != 0;
}

/* PreferredAuthentications: which methods, in which order. */
void dory_client_auth_begin(struct dory_client *c)
{
    const struct dory_cli_ssh *o = &c->options->ssh;
    const char *list = o->preferred_auth ? o->preferred_auth : "publickey,password";
    struct dory_client_auth *a = &c->auth;

    while (*list && a->order_n < 2) {
        size_t n = strcspn(list, ",");

        if (n == 9 && !strncmp(list, "publickey", n) && is_on(o->pubkey_auth))
            a->order[a->order_n++] = DORY_AUTH_PUBLICKEY;
        if (n == 8 && !strncmp(list, "password", n) && is_on(o->password_auth) && o->batch != 1)
            a->order[a->order_n++] = DORY_AUTH_PASSWORD;
        list += n;
        list += strspn(list, ", ");
    }
}

static bool load_identity(struct dory_client *c, const char *name, bool chosen)
{
    char path[4096], why[DORY_WHY_MAX];
    int result;

    if (dory_client_expand(c, name, path, sizeof path) < 0) {
        dory_say(DORY_LOG_ERROR, "scp: identity file %s: bad name", name);
        return false;
    }
    result = dory_keyfile_load(path, &c->auth.key, NULL, why);
    if (result == DORY_OK) {
        dory_say(DORY_LOG_DEBUG, "debug1: Offering public key: %s", path);
        return true;
    }
    if (!chosen && result == DORY_E_NOENT)
        return false;
    if (result == DORY_E_NOENT)
        dory_say(DORY_LOG_INFO, "Warning: Identity file %s not accessible: No such file or directory.", path);
    else
        dory_say_plain(DORY_LOG_ERROR, why);
    return false;
}

/* The next key that can be loaded is offered. */
static bool try_key(struct dory_client *c)
{
    const struct dory_cli_ssh *o = &c->options->ssh;
    struct dory_client_auth *a = &c->auth;
    bool chosen = o->identity_count > 0;
    int count = chosen ? o->identity_count : (int)(sizeof default_identities / sizeof *default_identities);

    while (a->next_identity < count) {
        const char *name = chosen ? o->identities[a->next_identity] : default_identities[a->next_identity];
        int n;

        a->next_identity++;
        if (!load_identity(c, name, chosen))
            continue;
        n = a->key.type->public_blob(&a->key, a->blob, sizeof a->blob);
        if (n > 0 && dory_ssh_auth_publickey(&c->ssh, a->key.type->name, a->blob, (size_t)n, false) == DORY_OK) {
            a->keys_offered++;
            return true;
        }
        dory_wipe(&a->key, sizeof a->key);
    }
    return false;
}

static bool try_password(struct dory_client *c)
{
    int most = c->options->ssh.password_prompts >= 0 ? c->options->ssh.password_prompts : 3, n, result;
    char prompt[640], password[PASSWORD_MAX];

    if (c->auth.no_password || c->auth.passwords_tried >= most)
        return false;
    if (c->auth.passwords_tried++)
        dory_say(DORY_LOG_ERROR, "Permission denied, please try again.");
    snprintf(prompt, sizeof prompt, "%s@%s's password: ", c->user, c->host);
    n = dory_cli_ask_secret(prompt, password, sizeof password);
    if (n < 0) {
        c->auth.no_password = true;
        if (n == DORY_E_NOSYS)
            dory_say(DORY_LOG_ERROR, "scp: no terminal to ask for the password of %s@%s", c->user, c->host);
        return false;
    }
    result = dory_ssh_auth_password(&c->ssh, (const uint8_t *)password, (size_t)n);
    dory_wipe(password, sizeof password);
    return result == DORY_OK;
}

static bool try_method(struct dory_client *c, uint8_t method)
{
    return method == DORY_AUTH_PUBLICKEY ? try_key(c) : try_password(c);
}

void dory_client_on_auth(struct dory_client *c, const struct dory_event *event)
{
    struct dory_client_auth *a = &c->auth;
    bool asked = a->probed || event->methods;

    if (!a->last)
        dory_client_say_ciphers(c);
    dory_wipe(&a->key, sizeof a->key);
    a->methods = event->methods;
    if (event->partial)
        dory_say(DORY_LOG_DEBUG, "debug1: Authenticated in part; another method is needed");
    for (int i = 0; i < a->order_n; i++) {
        uint8_t method = a->order[i];

        if (asked && !(event->methods & method))
            continue;
        if (!asked && method == DORY_AUTH_PASSWORD)
            break; /* nobody should type a password that the server will not take */
        if (try_method(c, method)) {
            a->last = method;
            return;
        }
    }
    if (asked) {
        dory_ssh_refuse(&c->ssh);
        return;
    }
    a->probed = true;
    a->last = DORY_AUTH_NONE;
    dory_ssh_auth_none(&c->ssh);
}

void dory_client_on_sign(struct dory_client *c, const struct dory_event *event)
{
    const struct dory_key *key = &c->auth.key;
    uint8_t signature[DORY_KEY_BLOB_MAX];
    int n = DORY_E_STATE;

    if (key->type)
        n = key->type->sign(key, event->algorithm, event->data, event->n, signature, sizeof signature, &c->config.rng);
    if (n > 0)
        dory_ssh_sign(&c->ssh, signature, (size_t)n);
    else
        dory_ssh_refuse(&c->ssh);
}
