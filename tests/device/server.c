/* The least that a device links to serve scp both ways: its size is what Dory costs in flash, without a network and a file system. */
#include <string.h>

#include "device.h"
#include "session.h"

static int fill_test(void *ctx, uint8_t *out, size_t n) /* never in a product: a test wants the same bytes every time */
{
    memset(out, ++*(uint8_t *)ctx, n);
    return DORY_OK;
}

static struct session session;
static struct dory_fs no_files;

int main(void)
{
    static const uint8_t seed[32] = {1};
    static const char hello[] = "SSH-2.0-OpenSSH_9.2\r\n", version[] = "SSH-2.0-Dory_test\r\n";
    struct dory_key hostkey;
    uint8_t counter = 0, *in;
    const uint8_t *out;
    const struct dory_rng rng = {fill_test, &counter};
    size_t n, at = 0;
    bool good;

    good = dory_crypto_init() == DORY_OK && dory_ed25519_from_seed(&hostkey, seed) == DORY_OK &&
           session_start(&session, &no_files, &rng, &hostkey, seed, sizeof seed) == DORY_OK;
    out = dory_ssh_sendpkt_buf(&session.ssh, &n);
    good = good && out && n >= sizeof version - 1 && memcmp(out, version, sizeof version - 1) == 0;
    dory_ssh_sendpkt_ack(&session.ssh, n);
    while (good && at < sizeof hello - 1 && (in = dory_ssh_recvpkt_buf(&session.ssh, &n)) != NULL) {
        if (n > sizeof hello - 1 - at) n = sizeof hello - 1 - at;
        memcpy(in, hello + at, n);
        at += n;
        good = dory_ssh_recvpkt_ack(&session.ssh, n) >= 0;
        session_turn(&session, 1);
    }
    good = good && at == sizeof hello - 1 && dory_ssh_error(&session.ssh) == DORY_OK;
    session_end(&session);
    device_print(good ? "ok - a server of scp links and greets\n" : "not ok - a server of scp links and greets\n");
    return good ? 0 : 1;
}
