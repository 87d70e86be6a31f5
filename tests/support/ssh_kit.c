#include "ssh_kit.h"

static char case_text[256];

void dory_kit_case(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(case_text, sizeof case_text, format, ap);
    va_end(ap);
}

void dory_kit_failed(const char *file, int line, const char *what, bool values, long long got, long long want)
{
    if (case_text[0])
        print_error("case: %s\n", case_text);
    if (values)
        print_error("%s: %lld, wanted %lld\n", what, got, want);
    else
        print_error("not true: %s\n", what);
    case_text[0] = 0;
    _fail(file, line);
}

void dory_kit_say(const char *format, ...)
{
    va_list ap;
    char text[256];
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    print_message("# %s\n", text);
}

/* ---- randomness ---- */

static int rng_fill(void *ctx, uint8_t *out, size_t n)
{
    struct dory_kit_rng *rng = ctx;

    rng->calls++;
    if (rng->fail_at && (rng->calls == rng->fail_at || (rng->fail_after && rng->calls > rng->fail_at)))
        return DORY_E_RNG;
    while (n--) {
        if (rng->left == 0) {
            struct dory_sha256 h;
            uint32_t in[2] = {rng->seed, rng->counter++};
            dory_sha256_init(&h);
            dory_sha256_update(&h, in, sizeof in);
            dory_sha256_final(&h, rng->block);
            rng->left = sizeof rng->block;
        }
        *out++ = rng->block[--rng->left];
    }
    return DORY_OK;
}

void dory_kit_rng_init(struct dory_kit_rng *rng, uint32_t seed)
{
    memset(rng, 0, sizeof *rng);
    rng->seed = seed;
}

struct dory_rng dory_kit_rng(struct dory_kit_rng *rng)
{
    return (struct dory_rng){.fill = rng_fill, .ctx = rng};
}

uint32_t dory_kit_random(struct dory_kit_rng *rng, uint32_t below)
{
    uint32_t v;
    rng_fill(rng, (uint8_t *)&v, sizeof v);
    return below ? v % below : 0;
}

/* ---- keys ---- */

void dory_kit_key(struct dory_kit_key *key, uint8_t number)
{
    uint8_t seed[32];
    int n;

    memset(key, 0, sizeof *key);
    memset(seed, number, sizeof seed);
    CHECK_EQ(dory_ed25519_from_seed(&key->key, seed), DORY_OK);
    n = key->key.type->public_blob(&key->key, key->blob, sizeof key->blob);
    CHECK(n > 0);
    key->n = (size_t)n;
}

size_t dory_kit_sign(const struct dory_kit_key *key, const uint8_t *data, size_t n, uint8_t *out, size_t cap)
{
    int r = key->key.type->sign(&key->key, "ssh-ed25519", data, n, out, cap, NULL);
    CHECK(r > 0);
    return (size_t)r;
}

/* ---- bytes ---- */

void dory_put_raw(struct dory_bytes *b, const void *p, size_t n)
{
    CHECK(n <= sizeof b->p - b->n);
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
}

void dory_put_fill(struct dory_bytes *b, uint8_t v, size_t n)
{
    CHECK(n <= sizeof b->p - b->n);
    memset(b->p + b->n, v, n);
    b->n += n;
}

void dory_put8(struct dory_bytes *b, unsigned v)
{
    uint8_t byte = (uint8_t)v;
    dory_put_raw(b, &byte, 1);
}

void dory_put32(struct dory_bytes *b, uint32_t v)
{
    uint8_t be[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    dory_put_raw(b, be, 4);
}

void dory_put_string(struct dory_bytes *b, const void *p, size_t n)
{
    dory_put32(b, (uint32_t)n);
    dory_put_raw(b, p, n);
}

void dory_put_text(struct dory_bytes *b, const char *text)
{
    dory_put_string(b, text, strlen(text));
}

void dory_put_mpint(struct dory_bytes *b, const uint8_t *be, size_t n)
{
    while (n && *be == 0) be++, n--;
    if (n && *be >= 0x80) {
        dory_put32(b, (uint32_t)n + 1);
        dory_put8(b, 0);
        dory_put_raw(b, be, n);
    } else {
        dory_put_string(b, be, n);
    }
}

struct dory_view dory_view(const void *p, size_t n)
{
    return (struct dory_view){.p = p, .n = n, .bad = false};
}

static const uint8_t *take(struct dory_view *v, size_t n)
{
    const uint8_t *p = v->p;
    if (v->bad || n > v->n) {
        v->bad = true;
        return NULL;
    }
    v->p += n;
    v->n -= n;
    return p;
}

unsigned dory_get8(struct dory_view *v)
{
    const uint8_t *p = take(v, 1);
    return p ? *p : 0;
}

uint32_t dory_get32(struct dory_view *v)
{
    const uint8_t *p = take(v, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

struct dory_view dory_get_string(struct dory_view *v)
{
    size_t n = dory_get32(v);
    const uint8_t *p = take(v, n);
    return p ? dory_view(p, n) : dory_view("", 0);
}

bool dory_view_is(struct dory_view v, const char *text)
{
    return v.n == strlen(text) && memcmp(v.p, text, v.n) == 0;
}

bool dory_list_has(struct dory_view list, const char *name)
{
    size_t n = strlen(name), i = 0;

    while (i < list.n) {
        const uint8_t *comma = memchr(list.p + i, ',', list.n - i);
        size_t end = comma ? (size_t)(comma - list.p) : list.n;
        if (end - i == n && memcmp(list.p + i, name, n) == 0)
            return true;
        i = end + 1;
    }
    return false;
}

bool dory_view_contains(struct dory_view v, const void *p, size_t n)
{
    return n && memmem(v.p, v.n, p, n) != NULL;
}

/* ---- snapshots ---- */

void dory_snap_add(struct dory_snap *s, void *at, size_t n)
{
    CHECK(s->count < DORY_SNAP_REGIONS);
    s->region[s->count].at = at;
    s->region[s->count].n = n;
    s->region[s->count].copy = malloc(n ? n : 1);
    CHECK(s->region[s->count].copy);
    memcpy(s->region[s->count].copy, at, n);
    s->count++;
}

void dory_snap_restore(const struct dory_snap *s)
{
    for (int i = 0; i < s->count; i++) memcpy(s->region[i].at, s->region[i].copy, s->region[i].n);
}

void dory_snap_free(struct dory_snap *s)
{
    for (int i = 0; i < s->count; i++) free(s->region[i].copy);
    s->count = 0;
}

/* ---- queue ---- */

void dory_pipe_put(struct dory_pipe *q, const void *p, size_t n)
{
    if (q->head && q->head == q->tail)
        q->head = q->tail = 0;
    if (q->cap - q->tail < n) {
        q->cap = (q->tail + n) * 2;
        q->p = realloc(q->p, q->cap);
        CHECK(q->p);
    }
    if (n)
        memcpy(q->p + q->tail, p, n);
    q->tail += n;
    q->total += n;
}

size_t dory_pipe_size(const struct dory_pipe *q)
{
    return q->tail - q->head;
}

const uint8_t *dory_pipe_peek(const struct dory_pipe *q)
{
    return q->p ? q->p + q->head : (const uint8_t *)"";
}

void dory_pipe_drop(struct dory_pipe *q, size_t n)
{
    CHECK(n <= dory_pipe_size(q));
    q->head += n;
}

void dory_pipe_free(struct dory_pipe *q)
{
    free(q->p);
    memset(q, 0, sizeof *q);
}
