#include "sftp_wire.h"

#include <string.h>

void dory_sftp_store32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

uint64_t dory_sftp_load64(const uint8_t *p)
{
    return (uint64_t)dory_sftp_load32(p) << 32 | dory_sftp_load32(p + 4);
}

void dory_sftp_store64(uint8_t *p, uint64_t v)
{
    dory_sftp_store32(p, (uint32_t)(v >> 32));
    dory_sftp_store32(p + 4, (uint32_t)v);
}

static const uint8_t *take(struct sftp_reader *r, size_t n)
{
    if (r->bad || (size_t)(r->end - r->p) < n) {
        r->bad = true;
        return NULL;
    }
    r->p += n;
    return r->p - n;
}

uint8_t dory_sftp_get8(struct sftp_reader *r)
{
    const uint8_t *p = take(r, 1);

    return p ? *p : 0;
}

uint32_t dory_sftp_get32(struct sftp_reader *r)
{
    const uint8_t *p = take(r, 4);

    return p ? dory_sftp_load32(p) : 0;
}

uint64_t dory_sftp_get64(struct sftp_reader *r)
{
    const uint8_t *p = take(r, 8);

    return p ? dory_sftp_load64(p) : 0;
}

void dory_sftp_read_string(struct sftp_reader *r, struct sftp_slice *s)
{
    s->n = dory_sftp_get32(r);
    s->p = take(r, s->n);
    if (!s->p)
        s->n = 0;
}

bool dory_sftp_is(struct sftp_slice s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

void dory_sftp_put_bytes(struct sftp_writer *w, const void *bytes, size_t n)
{
    const uint8_t *from = bytes;
    size_t skip = w->skip < n ? w->skip : n, room = (size_t)(w->end - w->p);

    w->skip -= skip;
    n -= skip;
    if (w->bad || !n)
        return;
    if (n > room) {
        w->bad = true;
        n = w->part ? room : 0;
    }
    if (n) {
        memcpy(w->p, from + skip, n);
        w->p += n;
    }
}

void dory_sftp_put8(struct sftp_writer *w, uint8_t v)
{
    dory_sftp_put_bytes(w, &v, 1);
}

void dory_sftp_put32(struct sftp_writer *w, uint32_t v)
{
    uint8_t bytes[4];

    dory_sftp_store32(bytes, v);
    dory_sftp_put_bytes(w, bytes, sizeof bytes);
}

void dory_sftp_put64(struct sftp_writer *w, uint64_t v)
{
    dory_sftp_put32(w, (uint32_t)(v >> 32));
    dory_sftp_put32(w, (uint32_t)v);
}

void dory_sftp_put_string(struct sftp_writer *w, const void *bytes, size_t n)
{
    dory_sftp_put32(w, (uint32_t)n);
    dory_sftp_put_bytes(w, bytes, n);
}

void dory_sftp_put_text(struct sftp_writer *w, const char *text)
{
    dory_sftp_put_string(w, text, strlen(text));
}
