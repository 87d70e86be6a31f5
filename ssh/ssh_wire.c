#include "ssh_wire.h"

#include <string.h>

uint32_t dory_i_load32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void dory_i_store32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static const uint8_t *take(struct dory_reader *r, size_t n)
{
    if (r->bad || (size_t)(r->end - r->p) < n) {
        r->bad = true;
        return NULL;
    }
    r->p += n;
    return r->p - n;
}

uint8_t dory_i_get8(struct dory_reader *r)
{
    const uint8_t *p = take(r, 1);
    return p ? *p : 0;
}

uint32_t dory_i_get32(struct dory_reader *r)
{
    const uint8_t *p = take(r, 4);
    return p ? dory_i_load32(p) : 0;
}

struct dory_slice dory_i_get_string(struct dory_reader *r)
{
    struct dory_slice s = {NULL, dory_i_get32(r)};
    s.p = take(r, s.n);
    if (!s.p)
        s.n = 0;
    return s;
}

bool dory_i_at_end(const struct dory_reader *r)
{
    return !r->bad && r->p == r->end;
}

uint8_t *dory_i_put(struct dory_writer *w, size_t n)
{
    if (w->bad || (size_t)(w->end - w->p) < n) {
        w->bad = true;
        return NULL;
    }
    w->p += n;
    return w->p - n;
}

void dory_i_put8(struct dory_writer *w, uint8_t v)
{
    dory_i_put_bytes(w, &v, 1);
}

void dory_i_put32(struct dory_writer *w, uint32_t v)
{
    uint8_t *p = dory_i_put(w, 4);
    if (p)
        dory_i_store32(p, v);
}

void dory_i_put_bytes(struct dory_writer *w, const void *bytes, size_t n)
{
    uint8_t *p = dory_i_put(w, n);
    if (p && n)
        memcpy(p, bytes, n);
}

void dory_i_put_string(struct dory_writer *w, const void *p, size_t n)
{
    dory_i_put32(w, (uint32_t)n);
    dory_i_put_bytes(w, p, n);
}

void dory_i_put_text(struct dory_writer *w, const char *text)
{
    dory_i_put_string(w, text, strlen(text));
}

bool dory_i_is(struct dory_slice s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

bool dory_i_next_name(struct dory_slice *list, struct dory_slice *name)
{
    const uint8_t *comma;

    if (list->n == 0)
        return false;
    comma = memchr(list->p, ',', list->n);
    name->p = list->p;
    name->n = comma ? (size_t)(comma - list->p) : list->n;
    list->p += name->n;
    list->n -= name->n;
    if (comma) {
        list->p++;
        list->n--;
    }
    return true;
}
