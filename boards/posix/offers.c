#include "offers.h"

#include <stdio.h>
#include <string.h>

#include "platform/posix/dory_posix_text.h"

#define LIST_MAX 1024

enum { KEX, HOST_KEY, CIPHER_UP, CIPHER_DOWN, MAC_UP, MAC_DOWN, KINDS };

static const char *own(const struct dory_ssh_config *c, bool server, int kind, unsigned i)
{
    switch (kind) {
    case KEX: return c->kex[i] ? c->kex[i]->name : NULL;
    case HOST_KEY:
        if (server)
            return i < c->hostkey_count ? c->hostkeys[i].algorithm : NULL;
        return c->signatures[i] ? c->signatures[i]->name : NULL;
    case CIPHER_UP:
    case CIPHER_DOWN: return c->ciphers[i] ? c->ciphers[i]->name : NULL;
    default: return c->macs[i] ? c->macs[i]->name : NULL;
    }
}

static void put_ours(char *out, size_t cap, const struct dory_ssh_config *c, bool server, int kind)
{
    const char *name;
    size_t n = 0;

    *out = '\0';
    for (unsigned i = 0; (name = own(c, server, kind, i)) != NULL && n + strlen(name) + 2 < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s", i ? "," : "", name);
}

static void put_theirs(char *out, size_t cap, const uint8_t *list, size_t n)
{
    size_t put = dory_escape_text(out, cap - 4, list ? (const void *)list : "", n);

    if (put + 8 > cap - 4)
        strcpy(out + put, "...");
}

void dory_offers(const struct dory_ssh *ssh, const struct dory_ssh_config *config, bool server, void (*say)(void *ctx, const char *line),
                 void *ctx)
{
    static const char *const labels[] = {"key exchange", "host key", "cipher", "cipher to the client", "MAC", "MAC to the client"};

    for (int kind = KEX; kind < KINDS; kind++) {
        char theirs[LIST_MAX], ours[LIST_MAX], line[2 * LIST_MAX + 64];
        size_t n, before;
        const uint8_t *list = dory_ssh_peer_offer(ssh, (unsigned)kind, &n);
        const uint8_t *other = kind == CIPHER_DOWN || kind == MAC_DOWN ? dory_ssh_peer_offer(ssh, (unsigned)kind - 1, &before) : NULL;

        if (other && list && n == before && !memcmp(list, other, n))
            continue; /* nearly always the same both ways */
        put_theirs(theirs, sizeof theirs, list, n);
        put_ours(ours, sizeof ours, config, server, kind);
        snprintf(line, sizeof line, "%s: theirs %s; ours %s", labels[kind], *theirs ? theirs : "none", *ours ? ours : "none");
        say(ctx, line);
    }
}
