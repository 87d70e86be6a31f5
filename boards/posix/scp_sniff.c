#include "scp_sniff.h"

#include <string.h>

static const char only[] = "This service allows sftp connections only.";

static struct dory_sniff *of(struct dory_stream *stream)
{
    return (struct dory_sniff *)stream;
}

/* It was something else: the copy's own engine judges it, first what was held back. That text is a constant, so it needs no room. False:
   the engine does not take it all now. */
static bool replay(struct dory_sniff *s)
{
    size_t took = 1;

    s->spoke = true;
    for (; took && s->at < s->n; s->at += took) took = s->inner->ops->push(s->inner, (const uint8_t *)only + s->at, s->n - s->at);
    return s->at == s->n;
}

static size_t push(struct dory_stream *stream, const uint8_t *bytes, size_t n)
{
    struct dory_sniff *s = of(stream);
    size_t left = sizeof only - 1 - s->n, part = n < left ? n : left;

    if (s->sftp_only)
        return n;
    if (s->spoke || memcmp(bytes, only + s->n, part) != 0)
        return replay(s) ? s->inner->ops->push(s->inner, bytes, n) : 0;
    s->n += part;
    s->sftp_only = part == left;
    return s->sftp_only ? n : part;
}

static size_t pull(struct dory_stream *stream, uint8_t *buf, size_t cap)
{
    return of(stream)->inner->ops->pull(of(stream)->inner, buf, cap);
}

/* An end without a word is judged before the engine hears of it (dory_sniff_end). */
static void eof(struct dory_stream *stream)
{
    if (of(stream)->spoke)
        of(stream)->inner->ops->eof(of(stream)->inner);
}

static void stop(struct dory_stream *stream)
{
    if (of(stream)->spoke)
        of(stream)->inner->ops->stop(of(stream)->inner);
}

static int status(const struct dory_stream *stream)
{
    const struct dory_sniff *s = (const struct dory_sniff *)stream;

    return s->sftp_only ? 1 : s->inner->ops->status(s->inner);
}

static const struct dory_stream_ops ops = {.push = push, .pull = pull, .eof = eof, .stop = stop, .status = status};

void dory_sniff_init(struct dory_sniff *s, struct dory_stream *inner)
{
    memset(s, 0, sizeof *s);
    s->stream.ops = &ops;
    s->inner = inner;
}

void dory_sniff_end(struct dory_sniff *s, bool gone)
{
    uint8_t unsent[64];

    if (!s->spoke && !gone) {
        replay(s);
        s->inner->ops->eof(s->inner);
        for (int i = 0; i < 4 && s->inner->ops->status(s->inner) == DORY_E_AGAIN; i++) s->inner->ops->pull(s->inner, unsent, sizeof unsent);
    }
    s->inner->ops->stop(s->inner);
}

bool dory_sniff_no_scp(const struct dory_sniff *s, bool refused, int exit_status, const char *errors)
{
    if (s->spoke)
        return false;
    return s->sftp_only || refused || exit_status == 127 || strstr(errors, "not found") || strstr(errors, "not recognized") ||
           strstr(errors, only);
}
