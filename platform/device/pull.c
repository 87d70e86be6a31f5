#include "pull.h"

#include <string.h>

#include "pull_internal.h"

enum { STATE_NO_KEY, STATE_IDLE, STATE_WAITING, STATE_CONNECTING, STATE_SESSION, STATE_OVER };
enum { RETRY_MOST_MS = 60000, SOON_MS = 5, SEED = 32, OUTCOME_KEPT_MS = 10000 };

static void say(struct dory_pull *p, const struct dory_text *line)
{
    p->config->say(p->config->ctx, line);
}

static void say_words(struct dory_pull *p, const char *words)
{
    char buf[DORY_PULL_REASON_MAX];
    struct dory_text line;

    dory_text_init(&line, buf, sizeof buf);
    dory_text_put(&line, "pull: ");
    dory_text_put(&line, words);
    say(p, &line);
}

/* ---- The device's own key */

static void public_line(const struct dory_pull *p, struct dory_text *out)
{
    char base64[96];

    dory_base64_encode(base64, sizeof base64, p->key_blob, p->key_n, true);
    dory_text_put(out, p->key.type->name);
    dory_text_put(out, " ");
    dory_text_put(out, base64);
    dory_text_put(out, p->config->comment ? " " : "");
    dory_text_put(out, p->config->comment ? p->config->comment : "");
}

static int take_seed(struct dory_pull *p, const uint8_t seed[SEED])
{
    int n = dory_ed25519_from_seed(&p->key, seed);

    if (n == DORY_OK)
        n = p->key.type->public_blob(&p->key, p->key_blob, sizeof p->key_blob);
    return n;
}

static int make_key(struct dory_pull *p)
{
    uint8_t seed[SEED];
    int n = p->config->rng.fill(p->config->rng.ctx, seed, sizeof seed);

    if (n == DORY_OK)
        n = take_seed(p, seed);
    dory_wipe(seed, sizeof seed);
    p->key_made = n > 0;
    return n;
}

/* The kept key, or at first boot a new one, which counts only once it is kept. Its blob's size, or an error. */
static int load_key(struct dory_pull *p)
{
    struct dory_flash_fs *flash = p->config->flash;
    int slot = dory_flash_find(flash, "userkey"), n;
    uint8_t seed[SEED + 1];
    long got;

    if (slot < 0)
        return slot;
    if (!p->key_made) {
        got = dory_flash_get(flash, (unsigned)slot, 0, seed, sizeof seed);
        n = got == SEED ? take_seed(p, seed) : got == DORY_E_NOENT ? make_key(p) : got < 0 ? (int)got : DORY_E_IO;
        dory_wipe(seed, sizeof seed);
        if (!p->key_made)
            return n;
    }
    n = dory_flash_put(flash, (unsigned)slot, p->key.secret, SEED);
    return n == DORY_OK ? p->key.type->public_blob(&p->key, p->key_blob, sizeof p->key_blob) : n;
}

static uint32_t prepare(struct dory_pull *p)
{
    char buf[192];
    struct dory_text line;
    int n = load_key(p);

    if (n == DORY_E_AGAIN)
        return SOON_MS;
    p->state = STATE_IDLE;
    dory_text_init(&line, buf, sizeof buf);
    if (n > 0) {
        p->key_n = (uint8_t)n;
        public_line(p, &line);
    } else {
        dory_text_put(&line, "pull: the key in slot userkey cannot be used: ");
        dory_text_put(&line, dory_strerror(n));
    }
    say(p, &line);
    return 0;
}

/* ---- Tries */

static void finish(struct dory_pull *p, uint64_t now)
{
    char buf[DORY_PULL_REASON_MAX + 64];
    struct dory_text line;

    p->status = p->verdict == DORY_PULL_GOOD ? 0 : 1;
    p->state = STATE_OVER;
    p->due = now + OUTCOME_KEPT_MS;
    if (p->status == 0) {
        dory_text_init(&line, p->reason, sizeof p->reason);
        dory_text_number(&line, (uint32_t)p->done);
        dory_text_put(&line, " bytes in ");
        dory_text_put(&line, p->slot);
    }
    dory_text_init(&line, buf, sizeof buf);
    dory_text_put(&line, p->status == 0 ? "pull: exit status 0: " : "pull: exit status 1: ");
    dory_text_put(&line, p->reason);
    say(p, &line);
}

static uint32_t retry_ms(const struct dory_pull *p)
{
    uint32_t ms = DORY_PULL_RETRY_MS;

    for (int i = 1; i < p->tries && ms < RETRY_MOST_MS; i++)
        ms *= 2;
    return ms < RETRY_MOST_MS ? ms : RETRY_MOST_MS;
}

static void try_again(struct dory_pull *p, uint64_t now)
{
    char buf[DORY_PULL_REASON_MAX + 64];
    struct dory_text line;

    if (p->tries >= DORY_PULL_TRIES) {
        finish(p, now);
        return;
    }
    p->state = STATE_WAITING;
    p->due = now + retry_ms(p);
    dory_text_init(&line, buf, sizeof buf);
    dory_text_put(&line, "pull: ");
    dory_text_put(&line, p->reason);
    dory_text_put(&line, "; again in ");
    dory_text_number(&line, retry_ms(p));
    dory_text_put(&line, " ms");
    say(p, &line);
}

static void end_try(struct dory_pull *p, uint64_t now)
{
    if (p->verdict == DORY_PULL_AGAIN)
        try_again(p, now);
    else
        finish(p, now);
}

static void no_connection(struct dory_pull *p, const char *why, uint64_t now)
{
    char buf[DORY_PULL_REASON_MAX];
    struct dory_text text;

    dory_text_init(&text, buf, sizeof buf);
    dory_text_put(&text, p->host);
    dory_text_put(&text, why);
    dory_i_pull_because(p, buf);
    if (p->conn)
        p->config->ops->abort(p->conn);
    p->conn = NULL;
    p->verdict = DORY_PULL_AGAIN;
    end_try(p, now);
}

static void refuse_unknown(struct dory_pull *p, int known, uint64_t now)
{
    char buf[DORY_PULL_REASON_MAX];
    struct dory_text text;

    dory_text_init(&text, buf, sizeof buf);
    if (known < 0) {
        dory_text_put(&text, "known_hosts: ");
        dory_text_put(&text, dory_strerror(known));
    } else {
        dory_text_put(&text, "the slot known_hosts has no key of ");
        dory_text_put(&text, p->host);
        dory_text_put(&text, ": scp one there (ssh-keyscan -t ed25519)");
    }
    dory_i_pull_because(p, buf);
    p->verdict = DORY_PULL_FINAL;
    finish(p, now);
}

static uint32_t connect(struct dory_pull *p, uint64_t now)
{
    int known = dory_i_pull_known(p, NULL, 0);

    if (known == DORY_E_AGAIN)
        return SOON_MS;
    p->reason[0] = '\0';
    p->verdict = DORY_PULL_GOES_ON;
    p->tries++;
    if (known <= DORY_PULL_UNKNOWN) {
        refuse_unknown(p, known, now);
        return 0;
    }
    p->state = STATE_CONNECTING;
    p->due = now + DORY_PULL_CONNECT_MS;
    p->try_ends = now + DORY_PULL_TRY_MS;
    p->conn = p->config->connect(p->config->ctx, p->address, p->port);
    if (!p->conn)
        no_connection(p, ": no connection is free", now);
    return 0;
}

static uint32_t until(uint64_t due, uint64_t now)
{
    return due <= now ? 0 : due - now > UINT32_MAX ? UINT32_MAX : (uint32_t)(due - now);
}

static uint32_t look_whether_open(struct dory_pull *p, uint64_t now)
{
    enum dory_conn_state state = p->config->ops->state(p->conn);

    if (state == DORY_CONN_OPENING && now < p->due)
        return until(p->due, now);
    if (state == DORY_CONN_OPENING || state == DORY_CONN_DEAD) {
        no_connection(p, state == DORY_CONN_DEAD ? ": connection refused or lost" : ": no answer", now);
        return 0;
    }
    p->state = STATE_SESSION;
    dory_i_pull_open(p, now);
    return 0;
}

static uint32_t session(struct dory_pull *p, uint64_t now)
{
    uint32_t wait = dory_i_pull_go(p, now), left = until(p->try_ends, now);

    if (p->verdict == DORY_PULL_GOES_ON && left == 0) {
        dory_i_pull_because(p, "it takes too long");
        p->verdict = DORY_PULL_AGAIN;
    }
    if (p->verdict == DORY_PULL_GOES_ON)
        return wait < left ? wait : left;
    dory_i_pull_close(p);
    end_try(p, now);
    return 0;
}

/* ---- The door */

void dory_pull_init(struct dory_pull *pull, const struct dory_pull_config *config)
{
    memset(pull, 0, sizeof *pull);
    pull->config = config;
}

uint32_t dory_pull_turn(struct dory_pull *p, uint64_t now)
{
    switch (p->state) {
    case STATE_NO_KEY: return prepare(p);
    case STATE_WAITING: return now < p->due ? until(p->due, now) : connect(p, now);
    case STATE_CONNECTING: return look_whether_open(p, now);
    case STATE_SESSION: return session(p, now);
    case STATE_OVER:
        if (now < p->due)
            return until(p->due, now);
        p->state = STATE_IDLE;
        return UINT32_MAX;
    default: return UINT32_MAX;
    }
}

bool dory_pull_is_running(const struct dory_pull *p)
{
    return p->state == STATE_WAITING || p->state == STATE_CONNECTING || p->state == STATE_SESSION;
}

int dory_pull_start(struct dory_pull *p, const char *args)
{
    int error;

    if (p->state == STATE_NO_KEY)
        return DORY_E_AGAIN;
    if (dory_pull_is_running(p))
        return DORY_E_STATE;
    p->reason[0] = '\0';
    error = dory_i_pull_parse(p, args);
    if (error == DORY_OK && p->key_n == 0) {
        dory_i_pull_because(p, "this device has no key");
        error = DORY_E_ARG;
    }
    if (error != DORY_OK) {
        say_words(p, p->reason);
        return error;
    }
    memcpy(p->args, args, strlen(args) + 1);
    p->tries = 0;
    p->due = 0;
    p->state = STATE_WAITING;
    return DORY_OK;
}

static int outcome(struct dory_pull *p, struct dory_text *out)
{
    dory_text_put(out, "pull: ");
    dory_text_put(out, p->reason);
    dory_text_put(out, "\n");
    p->state = STATE_IDLE;
    return p->status;
}

int dory_pull_run(struct dory_pull *p, const char *args, struct dory_text *out)
{
    int error;

    if (p->state == STATE_OVER && strcmp(args, p->args) == 0)
        return outcome(p, out);
    if (dory_pull_is_running(p) && strcmp(args, p->args) == 0)
        return DORY_E_AGAIN;
    error = dory_pull_start(p, args);
    if (error == DORY_OK || error == DORY_E_AGAIN)
        return DORY_E_AGAIN;
    dory_text_put(out, "pull: ");
    dory_text_put(out, error == DORY_E_STATE ? "another one is running" : p->reason);
    dory_text_put(out, "\n");
    return 1;
}

int dory_pull_pubkey(struct dory_pull *p, const char *args, struct dory_text *out)
{
    (void)args;
    if (p->state == STATE_NO_KEY)
        return DORY_E_AGAIN;
    if (p->key_n == 0) {
        dory_text_put(out, "this device has no key\n");
        return 1;
    }
    public_line(p, out);
    dory_text_put(out, "\n");
    return 0;
}
