/* UpdateHostKeys: a server that is trusted already says which other keys it has, and those that it proves are remembered, so that a key can
   be replaced before the old one goes. Keys that the server no longer names stay where they are. */
#include <strings.h>

#include "platform/posix/dory_posix_known_hosts.h"
#include "platform/posix/dory_posix_sys.h"
#include "scp_known_files.h"
#include "scp_say.h"

bool dory_client_updates_hostkeys(const struct dory_client *c)
{
    const struct dory_cli_ssh *o = &c->options->ssh;

    if (o->update_hostkeys < 0)
        return o->user_known_hosts.n == 0;
    return o->update_hostkeys == DORY_UPDATE_YES || (o->update_hostkeys == DORY_UPDATE_ASK && o->batch != 1);
}

void dory_client_on_hostkeys(struct dory_client *c, const struct dory_event *event)
{
    struct dory_known_files files;
    char why[DORY_WHY_MAX];
    int n = 0;

    if (c->keys_told) { /* ssh ends the connection; here a server cannot fill the file either, or have it read for ever */
        dory_ssh_accept(&c->ssh);
        return;
    }
    c->keys_told = true;
    dory_client_known_files(c, &files);
    if (files.writable && c->known)
        n = dory_hostkeys_news(files.list, c->known_as, c->known_port, c->config.signatures, event->data, event->n, c->told_keys,
                               sizeof c->told_keys, why);
    c->told_keys_n = n > 0 ? (size_t)n : 0;
    if (!c->told_keys_n || dory_ssh_prove_hostkeys(&c->ssh, c->told_keys, c->told_keys_n) != DORY_OK)
        dory_ssh_accept(&c->ssh);
}

/* Calls `with` for each of the keys. */
static void each(const struct dory_client *c, void (*with)(const struct dory_client *c, const uint8_t *key, size_t n, void *ctx), void *ctx)
{
    const uint8_t *at = c->told_keys, *end = at + c->told_keys_n;

    while (at < end) {
        size_t n = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];

        with(c, at + 4, n, ctx);
        at += 4 + n;
    }
}

static void show(const struct dory_client *c, const uint8_t *key, size_t n, void *ctx)
{
    char fingerprint[DORY_FINGERPRINT_MAX];

    (void)c;
    (void)ctx;
    dory_fingerprint(fingerprint, key, n);
    dory_say(DORY_LOG_INFO, "Learned new hostkey: %s %s", dory_key_label(key, n), fingerprint);
}

static void add(const struct dory_client *c, const uint8_t *key, size_t n, void *ctx)
{
    const struct dory_known_files *files = ctx;
    char why[DORY_WHY_MAX];

    if (dory_known_hosts_add(files->list[0], c->known_as, c->known_port, key, n, c->options->ssh.hash_known_hosts == 1, &c->config.rng,
                             why) < 0)
        dory_say_plain(DORY_LOG_ERROR, why);
}

static bool person_agrees(const struct dory_client *c)
{
    char answer[16];

    if (c->options->ssh.update_hostkeys != DORY_UPDATE_ASK)
        return true;
    return dory_tty_ask("Accept updated hostkeys? (yes/no): ", answer, sizeof answer) >= 0 && !strcasecmp(answer, "yes");
}

void dory_client_on_hostkeys_proof(struct dory_client *c, const struct dory_event *event)
{
    struct dory_known_files files;

    if (!dory_hostkeys_proved(c->config.signatures, event->key, event->key_n, c->told_keys, c->told_keys_n, event->data, event->n)) {
        dory_say(DORY_LOG_ERROR, "%s told of further host keys and could not prove that it holds them.", c->known_as);
    } else {
        dory_client_known_files(c, &files);
        each(c, show, NULL);
        if (person_agrees(c))
            each(c, add, &files);
    }
    c->told_keys_n = 0;
    dory_ssh_accept(&c->ssh);
}
