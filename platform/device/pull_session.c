/* One try: the SSH session, the command on its channel, and what becomes of it. */
#include <string.h>

#include "pull_internal.h"

enum { TURNS = 8, PATIENCE_MS = 5000, SOON_MS = 2, FINGERPRINT = 44 };
enum { HEARD_MOST = 8, DELIBERATE_MOST = 127 }; /* a shell adds 128 for a signal */

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void over(struct dory_pull *p, uint8_t verdict)
{
    if (p->verdict == DORY_PULL_GOES_ON)
        p->verdict = verdict;
}

/* ---- What the copy tells */

static void on_begin(void *ctx, const char *path, const char *name, uint64_t size)
{
    struct dory_pull *p = ctx;

    (void)path, (void)name;
    p->size = size;
    p->done = 0;
}

static void on_progress(void *ctx, uint64_t done)
{
    ((struct dory_pull *)ctx)->done = done;
}

static void on_end(void *ctx, const char *path, uint64_t size, int status)
{
    struct dory_pull *p = ctx;

    (void)path, (void)size;
    p->arrived = status == DORY_OK;
    if (status == DORY_E_CUT)
        p->hearsay = true; /* why the host said no more is not known */
}

/* What the host's scp said: one line of it. */
static void said(struct dory_pull *p, const char *words, size_t n)
{
    char buf[DORY_PULL_REASON_MAX];
    struct dory_text text;
    const char *end = memchr(words, '\n', n);

    if (end)
        n = (size_t)(end - words);
    if (n > 5 && memcmp(words, "scp: ", 5) == 0)
        words += 5, n -= 5;
    if (n == 0)
        return;
    dory_text_init(&text, buf, sizeof buf);
    dory_text_bytes(&text, words, n);
    dory_i_pull_because(p, buf);
}

static void on_message(void *ctx, const char *words, size_t n)
{
    said(ctx, words, n);
}

/* A line of the host's standard error: a login script's greeting, a shell's complaint. It is shown, and decides nothing. */
static void overhear(struct dory_pull *p, const char *words, size_t n)
{
    char buf[DORY_PULL_REASON_MAX];
    struct dory_text line;

    if (n && words[n - 1] == '\r')
        n--;
    if (n == 0 || p->heard == HEARD_MOST)
        return;
    p->heard++;
    dory_text_init(&line, buf, sizeof buf);
    dory_text_say(&line, "pull: %s: %b", p->host, words, n);
    p->config->say(p->config->ctx, &line);
    if (!p->reason[0]) {
        said(p, words, n);
        p->hearsay = true;
    }
}

static void on_stderr(void *ctx, int channel, const uint8_t *bytes, size_t n)
{
    const char *at = (const char *)bytes, *behind = at + n, *end;

    (void)channel;
    for (; at < behind; at = end + 1) {
        end = memchr(at, '\n', (size_t)(behind - at));
        if (!end)
            end = behind;
        overhear(ctx, at, (size_t)(end - at));
    }
}

static void on_error(void *ctx, const char *path, const char *words)
{
    char buf[DORY_PULL_REASON_MAX];
    struct dory_text text;

    dory_text_init(&text, buf, sizeof buf);
    dory_text_put(&text, path);
    dory_text_put(&text, *path ? ": " : "");
    dory_text_put(&text, words);
    dory_i_pull_because(ctx, buf);
}

static const struct dory_transfer_events events = {on_begin, on_progress, on_end, on_message, on_error};

/* The slot, as the one target. */
static int target(void *ctx, struct dory_transfer_item *item)
{
    struct dory_pull *p = ctx;
    struct dory_fs *fs = &p->config->flash->fs;
    int dir;

    item->path = p->slot;
    if (p->item_given)
        return 0;
    dir = fs->ops->root(fs);
    if (dir < 0)
        return dir;
    *item = (struct dory_transfer_item){.dir = dir, .name = p->slot, .path = p->slot};
    p->item_given = true;
    return 1;
}

/* ---- Events of the engine */

static void refuse_host(struct dory_pull *p, const struct dory_event *event, int verdict)
{
    char buf[DORY_PULL_REASON_MAX], print[FINGERPRINT];
    struct dory_text text;
    struct dory_sha256 sha;
    uint8_t digest[32];

    dory_sha256_init(&sha);
    dory_sha256_update(&sha, event->key, event->key_n);
    dory_sha256_final(&sha, digest);
    dory_base64_encode(print, sizeof print, digest, sizeof digest, false);
    dory_text_init(&text, buf, sizeof buf);
    dory_text_put(&text, verdict == DORY_PULL_REVOKED ? "REVOKED host key of " : "WRONG host key of ");
    dory_text_put(&text, p->host);
    dory_text_put(&text, ", refused: SHA256:");
    dory_text_put(&text, print);
    dory_i_pull_because(p, buf);
    over(p, DORY_PULL_FINAL);
    dory_ssh_refuse(&p->ssh);
}

static bool on_hostkey(struct dory_pull *p, const struct dory_event *event)
{
    int verdict = dory_i_pull_known(p, event->key, event->key_n);

    if (verdict == DORY_E_AGAIN)
        return false;
    if (verdict == DORY_PULL_KNOWN) {
        dory_ssh_accept(&p->ssh);
        return true;
    }
    if (verdict < 0)
        dory_i_pull_because(p, "known_hosts cannot be read");
    refuse_host(p, event, verdict);
    return true;
}

/* There is one key: asked a second time, the host does not take it. */
static void on_auth(struct dory_pull *p, const struct dory_event *event)
{
    char buf[DORY_PULL_REASON_MAX];
    struct dory_text text;

    if (event->methods == 0) {
        dory_ssh_auth_publickey(&p->ssh, p->key.type->name, p->key_blob, p->key_n, false);
        return;
    }
    dory_text_init(&text, buf, sizeof buf);
    dory_text_put(&text, p->user);
    dory_text_put(&text, "@");
    dory_text_put(&text, p->host);
    dory_text_put(&text, ": Permission denied: its authorized_keys lacks what `pubkey` prints");
    dory_i_pull_because(p, buf);
    over(p, DORY_PULL_FINAL);
    dory_ssh_refuse(&p->ssh);
}

static void on_sign(struct dory_pull *p, const struct dory_event *event)
{
    uint8_t blob[128];
    int n = p->key.type->sign(&p->key, event->algorithm, event->data, event->n, blob, sizeof blob, &p->config->rng);

    if (n < 0)
        dory_ssh_refuse(&p->ssh);
    else
        dory_ssh_sign(&p->ssh, blob, (size_t)n);
}

/* False: none waits, or its answer must wait for the flash. */
static bool answer(struct dory_pull *p)
{
    struct dory_event event;

    switch (dory_ssh_event(&p->ssh, &event)) {
    case DORY_EV_NONE: return false;
    case DORY_EV_HOSTKEY: return on_hostkey(p, &event);
    case DORY_EV_AUTH: on_auth(p, &event); return true;
    case DORY_EV_SIGN: on_sign(p, &event); return true;
    case DORY_EV_BANNER: dory_ssh_accept(&p->ssh); return true;
    default: dory_ssh_refuse(&p->ssh); return true;
    }
}

/* ---- The channel */

static void say_login(struct dory_pull *p)
{
    char buf[DORY_PULL_REASON_MAX];
    struct dory_text line;
    struct dory_ssh_names names;

    dory_ssh_names(&p->ssh, &names);
    dory_text_init(&line, buf, sizeof buf);
    dory_text_put(&line, "pull: logged in at ");
    dory_text_put(&line, p->host);
    dory_text_put(&line, ", ");
    dory_text_put(&line, names.kex);
    p->config->say(p->config->ctx, &line);
}

static bool is_the_file(const struct dory_scp_config *config, const char *name, bool first)
{
    return first && strcmp(config->names[0], name) == 0;
}

static void start_copy(struct dory_pull *p)
{
    const struct dory_scp_config config = {
        .fs = &p->config->flash->fs,
        .item = target,
        .item_ctx = p,
        .events = &events,
        .events_ctx = p,
        .names = p->names,
        .name_count = 1,
        .asked_for = is_the_file,
    };

    if (dory_ssh_channel_open(&p->ssh, DORY_REQUEST_EXEC, p->command, strlen(p->command)) != 0)
        return;
    say_login(p);
    dory_scp_sink_init(&p->sink, &config);
    dory_pump_attach(&p->pump, 0, &p->sink.base.stream);
}

static void because_lost(struct dory_pull *p)
{
    char buf[DORY_PULL_REASON_MAX];
    struct dory_text text;
    size_t n;
    const uint8_t *detail = dory_ssh_error_detail(&p->ssh, &n);
    const char *more = dory_ssh_error_text(&p->ssh);

    dory_text_init(&text, buf, sizeof buf);
    dory_text_put(&text, p->host);
    dory_text_put(&text, ": ");
    dory_text_put(&text, dory_ssh_error(&p->ssh) == DORY_E_CUT ? "connection lost" : dory_strerror(dory_ssh_error(&p->ssh)));
    dory_text_put(&text, *more ? ": " : "");
    dory_text_put(&text, more);
    if (detail && n) {
        dory_text_put(&text, ": ");
        dory_text_bytes(&text, detail, n);
    }
    dory_i_pull_because(p, buf);
}

/* The connection is over before the copy was. Which errors the same host would give again, a person must see to. */
static void lost(struct dory_pull *p)
{
    int error = dory_ssh_error(&p->ssh);

    if (p->arrived) {
        over(p, DORY_PULL_GOOD);
        return;
    }
    because_lost(p);
    over(p, error == DORY_E_HOSTKEY || error == DORY_E_AUTH || error == DORY_E_NO_COMMON || error == DORY_E_RNG ? DORY_PULL_FINAL
                                                                                                             : DORY_PULL_AGAIN);
}

static void because_of_status(struct dory_pull *p, int remote)
{
    char buf[DORY_PULL_REASON_MAX];
    struct dory_text text;

    dory_text_init(&text, buf, sizeof buf);
    dory_text_say(&text, "the host's scp ended with status %u%s%s", (uint32_t)remote, p->arrived ? ", though the whole file is in " : "",
                  p->arrived ? p->slot : "");
    dory_i_pull_because(p, buf);
}

/* The command has ended. Its scp or ours said why it failed, or its status is a program's own: no try can mend that. Else it was killed: another
   try may. */
static void judge(struct dory_pull *p)
{
    unsigned state = dory_ssh_channel_state(&p->ssh, 0);
    int status = p->sink.base.stream.ops->status(&p->sink.base.stream);
    int remote = dory_ssh_channel_status(&p->ssh, 0);
    bool final = (p->reason[0] && !p->hearsay) || p->arrived || (state & DORY_CH_FAILED) || (remote > 0 && remote <= DELIBERATE_MOST);

    if (status == 0 && p->arrived && remote <= 0) {
        over(p, DORY_PULL_GOOD);
        return;
    }
    if (state & DORY_CH_FAILED)
        dory_i_pull_because(p, "the host refuses to run scp");
    else if (remote == 127)
        dory_i_pull_because(p, "no scp program was found there");
    else if (remote > 0 && (p->arrived || !p->reason[0]))
        because_of_status(p, remote);
    if (!p->reason[0])
        dory_i_pull_because(p, "the copy ended before its time");
    over(p, final ? DORY_PULL_FINAL : DORY_PULL_AGAIN);
}

static void look_at_channel(struct dory_pull *p, uint64_t now)
{
    unsigned state = dory_ssh_channel_state(&p->ssh, 0);

    if (!(state & DORY_CH_USED)) {
        if (dory_ssh_state(&p->ssh) & DORY_READY)
            start_copy(p);
        return;
    }
    if (state & (DORY_CH_CLOSED | DORY_CH_FAILED)) {
        judge(p);
    } else if (p->sink.base.stream.ops->status(&p->sink.base.stream) != DORY_E_AGAIN) {
        if (!p->over_at)
            p->over_at = now + PATIENCE_MS;
        if (now >= p->over_at)
            judge(p);
    }
}

/* ---- Bytes */

static bool receive(struct dory_pull *p)
{
    const struct dory_conn_ops *ops = p->config->ops;
    bool moved = false;
    size_t n, room;
    const uint8_t *bytes;
    uint8_t *to;

    while ((bytes = ops->recv_buf(p->conn, &n)) != NULL && n > 0 && (to = dory_ssh_recvpkt_buf(&p->ssh, &room)) != NULL && room > 0) {
        if (n > room)
            n = room;
        memcpy(to, bytes, n);
        ops->recv_ack(p->conn, n);
        dory_ssh_recvpkt_ack(&p->ssh, n);
        moved = true;
    }
    if (!p->eof_told && ops->state(p->conn) >= DORY_CONN_ENDED && !ops->recv_buf(p->conn, &n)) {
        p->eof_told = moved = true;
        dory_ssh_recvpkt_eof(&p->ssh);
    }
    return moved;
}

static bool transmit(struct dory_pull *p)
{
    bool moved = false;
    const uint8_t *bytes;
    size_t n, took;

    while ((bytes = dory_ssh_sendpkt_buf(&p->ssh, &n)) != NULL && n > 0 && (took = p->config->ops->send(p->conn, bytes, n)) > 0) {
        dory_ssh_sendpkt_ack(&p->ssh, took);
        moved = true;
    }
    return moved;
}

void dory_i_pull_open(struct dory_pull *p, uint64_t now)
{
    p->ssh_config = (struct dory_ssh_config){
        .role = &dory_ssh_client,
        .software = "Dory_device",
        .rng = p->config->rng,
        .kex = p->config->kex,
        .ciphers = p->config->ciphers,
        .macs = p->config->macs,
        .signatures = p->config->signatures,
        .rx = p->rx,
        .rx_size = sizeof p->rx,
        .tx = p->tx,
        .tx_size = sizeof p->tx,
        .channels = &p->channel,
        .channel_count = 1,
        .login_grace_ms = DORY_PULL_IDLE_MS,
        .idle_ms = DORY_PULL_IDLE_MS,
        .user = p->user,
    };
    p->eof_told = p->arrived = p->item_given = p->hearsay = false;
    p->heard = 0;
    p->over_at = p->size = p->done = 0;
    if (dory_ssh_init(&p->ssh, &p->ssh_config, now) < 0) {
        dory_i_pull_because(p, dory_strerror(dory_ssh_error(&p->ssh)));
        over(p, DORY_PULL_FINAL);
    }
    dory_pump_init(&p->pump, &p->ssh, p->streams, 1, false);
    p->pump.extended = on_stderr;
    p->pump.ctx = p;
}

/* A stream that waits for the flash looks like one that waits for the host: it is asked again soon in either case. */
static bool is_copying(const struct dory_pull *p)
{
    return p->streams[0] && p->streams[0]->ops->status(p->streams[0]) == DORY_E_AGAIN;
}

uint32_t dory_i_pull_go(struct dory_pull *p, uint64_t now)
{
    uint64_t next = dory_ssh_tick(&p->ssh, now);
    bool moved = receive(p);
    unsigned pumped;

    while (answer(p))
        moved = true;
    pumped = dory_pump(&p->pump, TURNS);
    look_at_channel(p, now);
    moved |= transmit(p) | ((pumped & DORY_PUMP_MOVED) != 0);
    if (dory_ssh_state(&p->ssh) & DORY_DONE)
        lost(p);
    if (moved || p->verdict != DORY_PULL_GOES_ON)
        return 0;
    if (pumped & DORY_PUMP_AGAIN || dory_ssh_state(&p->ssh) & DORY_EVENT || is_copying(p))
        return SOON_MS;
    if (p->over_at)
        next = sooner(next, p->over_at);
    return next <= now ? 0 : next - now > UINT32_MAX ? UINT32_MAX : (uint32_t)(next - now);
}

void dory_i_pull_close(struct dory_pull *p)
{
    dory_pump_stop(&p->pump);
    dory_ssh_disconnect(&p->ssh, SSH_DISCONNECT_BY_APPLICATION, "");
    transmit(p);
    dory_ssh_wipe(&p->ssh);
    p->config->ops->close(p->conn);
    p->conn = NULL;
}
