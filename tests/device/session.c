#include "session.h"

#include <string.h>

static const struct dory_kex *const kex[] = {&dory_kex_curve25519_sha256, &dory_kex_curve25519_sha256_libssh, NULL};
static const struct dory_cipher *const ciphers[] = {&dory_cipher_chacha20_poly1305, NULL};
static const struct dory_mac *const macs[] = {NULL};
static const struct dory_sigalg *const signatures[] = {&dory_sig_ssh_ed25519, NULL};

int session_start(struct session *s, struct dory_fs *fs, const struct dory_rng *rng, const struct dory_key *hostkey, const uint8_t *user_key,
                  size_t user_key_n)
{
    int n;

    memset(s, 0, sizeof *s);
    s->fs = fs;
    s->key = hostkey;
    s->user_key = user_key;
    s->user_key_n = user_key_n;
    n = hostkey->type->public_blob(hostkey, s->hostkey_blob, sizeof s->hostkey_blob);
    if (n < 0) return n;
    s->hostkey = (struct dory_hostkey){hostkey->type->name, s->hostkey_blob, (size_t)n};
    s->config = (struct dory_ssh_config){
        .role = &dory_ssh_server,
        .software = "Dory_test",
        .rng = *rng,
        .kex = kex,
        .ciphers = ciphers,
        .macs = macs,
        .signatures = signatures,
        .hostkeys = &s->hostkey,
        .hostkey_count = 1,
        .rx = s->rx,
        .rx_size = sizeof s->rx,
        .tx = s->tx,
        .tx_size = sizeof s->tx,
        .channels = &s->channel,
        .channel_count = 1,
        .auth_methods = DORY_AUTH_PUBLICKEY,
        .login_grace_ms = 120000,
    };
    dory_pump_init(&s->pump, &s->ssh, s->streams, 1, true);
    return dory_ssh_init(&s->ssh, &s->config, 0);
}

static void sign(struct session *s, const struct dory_event *event)
{
    uint8_t blob[128];
    int n = s->key->type->sign(s->key, event->algorithm, event->data, event->n, blob, sizeof blob, &s->config.rng);

    if (n < 0)
        dory_ssh_refuse(&s->ssh);
    else
        dory_ssh_sign(&s->ssh, blob, (size_t)n);
}

static bool may_log_in(const struct session *s, const struct dory_event *event)
{
    return event->method == DORY_AUTH_PUBLICKEY && event->key_n == s->user_key_n && memcmp(event->key, s->user_key, s->user_key_n) == 0;
}

static bool start_scp(struct session *s, const struct dory_event *event)
{
    struct dory_scp_config config = {.fs = s->fs, .item = dory_scp_flat_item, .item_ctx = &s->command};

    if (event->request != DORY_REQUEST_EXEC) return false;
    if (dory_scp_flat_parse(&s->command, s->fs, (const char *)event->data, event->n) != DORY_OK) return false;
    config.flags = s->command.words.flags;
    if (config.flags & DORY_SCP_TO)
        dory_scp_sink_init(&s->engine.sink, &config);
    else
        dory_scp_source_init(&s->engine.source, &config);
    dory_pump_attach(&s->pump, event->channel, &s->engine.stream);
    return true;
}

static void answer(struct session *s, const struct dory_event *event)
{
    bool good = false;

    if (event->type == DORY_EV_SIGN) {
        sign(s, event);
        return;
    }
    if (event->type == DORY_EV_AUTH_REQUEST) good = may_log_in(s, event);
    if (event->type == DORY_EV_CHANNEL_REQUEST) good = start_scp(s, event);
    if (good)
        dory_ssh_accept(&s->ssh);
    else
        dory_ssh_refuse(&s->ssh);
}

static void stop(struct session *s)
{
    dory_pump_attach(&s->pump, 0, NULL);
}

void session_turn(struct session *s, uint64_t now_ms)
{
    struct dory_event event;

    dory_ssh_tick(&s->ssh, now_ms);
    while (dory_ssh_event(&s->ssh, &event) != DORY_EV_NONE) answer(s, &event);
    dory_pump(&s->pump, 4);
    if (dory_ssh_channel_state(&s->ssh, 0) & DORY_CH_CLOSED) {
        stop(s);
        dory_ssh_channel_release(&s->ssh, 0);
    }
}

void session_end(struct session *s)
{
    stop(s);
    dory_ssh_wipe(&s->ssh);
}
