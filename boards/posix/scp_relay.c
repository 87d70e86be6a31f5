#include "scp_relay.h"

#include <stdio.h>
#include <string.h>

enum {
    REPLY,  /* something went to the target, whose reply is awaited */
    RECORD, /* a record of the source comes */
    DATA,   /* content comes */
    STATUS, /* the byte behind the content comes */
    OVER
};

static struct dory_relay *of_from(const struct dory_stream *stream)
{
    return (struct dory_relay *)(void *)((char *)(uintptr_t)stream - offsetof(struct dory_relay, from));
}

static struct dory_relay *of_to(const struct dory_stream *stream)
{
    return (struct dory_relay *)(void *)((char *)(uintptr_t)stream - offsetof(struct dory_relay, to));
}

static size_t room(struct dory_relay_queue *q)
{
    if (q->at == q->n)
        q->at = q->n = 0;
    return sizeof q->bytes - q->n;
}

static size_t put(struct dory_relay_queue *q, const void *bytes, size_t n)
{
    size_t most = room(q);

    if (n > most)
        n = most;
    memcpy(q->bytes + q->n, bytes, n);
    q->n += n;
    return n;
}

static size_t take(struct dory_relay_queue *q, uint8_t *out, size_t cap)
{
    size_t n = q->n - q->at;

    if (n > cap)
        n = cap;
    memcpy(out, q->bytes + q->at, n);
    q->at += n;
    return n;
}

/* ---- Telling ---- */

static void begin(struct dory_relay *r)
{
    const struct dory_transfer_events *events = r->config.events;

    r->left = r->size;
    r->bad = false;
    r->shown = true;
    if (events && events->begin)
        events->begin(r->config.events_ctx, r->name, r->name, r->size);
}

static void end(struct dory_relay *r, int status)
{
    const struct dory_transfer_events *events = r->config.events;

    if (r->shown && events && events->end)
        events->end(r->config.events_ctx, r->name, r->size, status);
    r->shown = false;
}

static void over(struct dory_relay *r, int why)
{
    if (r->state == OVER)
        return;
    r->failed = true;
    r->state = OVER;
    end(r, why);
}

/* What came is not passed on, and the copy ends. */
static void refuse(struct dory_relay *r, const char *why)
{
    const struct dory_transfer_events *events = r->config.events;

    if (r->state == OVER)
        return;
    over(r, DORY_E_PROTOCOL);
    put(&r->back, "\002scp: refused\n", 14);
    if (events && events->error)
        events->error(r->config.events_ctx, "", why);
}

/* A line of error text, `text` being its first byte, 1 or 2, and a line end the last. */
static void reported(struct dory_relay *r, void (*tell)(void *, const char *, size_t), void *ctx, const char *text, size_t n)
{
    r->failed = true;
    if (tell && n > 2)
        tell(ctx, text + 1, n - 2);
    if (text[0] == 2)
        over(r, DORY_E_IO);
}

static void await(struct dory_relay *r, char sent)
{
    r->sent = sent;
    r->state = REPLY;
}

/* ---- Records of the source ---- */

/* Digits only, without overflow. */
static bool digits(const char **at, uint64_t *value)
{
    const char *begin = *at;
    uint64_t n = 0;

    while (**at >= '0' && **at <= '9') {
        unsigned digit = (unsigned)(*(*at)++ - '0');

        if (n > ((uint64_t)INT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *value = n;
    return *at != begin;
}

static bool skip(const char **at, char c)
{
    return *(*at)++ == c;
}

/* T mtime usec atime usec */
static bool is_good_times(const char *line)
{
    uint64_t n;

    return digits(&line, &n) && skip(&line, ' ') && digits(&line, &n) && n < 1000000 && skip(&line, ' ') && digits(&line, &n) &&
           skip(&line, ' ') && digits(&line, &n) && n < 1000000 && !*line;
}

/* mode size name, behind C or D */
static const char *parse_entry(struct dory_relay *r, const char *line)
{
    for (int i = 0; i < 4; i++, line++)
        if (*line < '0' || *line > '7')
            return "bad mode in a record";
    if (!skip(&line, ' ') || !digits(&line, &r->size) || !skip(&line, ' '))
        return "bad size in a record";
    if (!*line || strlen(line) > DORY_NAME_MAX || strchr(line, '/') || !strcmp(line, ".") || !strcmp(line, ".."))
        return "the source host sent a name that is none";
    snprintf(r->name, sizeof r->name, "%s", line);
    return NULL;
}

static bool is_asked_for(struct dory_relay *r)
{
    if (r->depth || !r->config.names)
        return true;
    for (size_t i = 0; i < r->config.name_count; i++) {
        if (!strcmp(r->config.names[i], "/")) {
            if (!r->seen)
                return true;
        } else if (dory_scp_glob(r->config.names[i], r->name)) {
            return true;
        }
    }
    return false;
}

static const char *entry(struct dory_relay *r)
{
    bool is_dir = r->line[0] == 'D';
    const char *why = parse_entry(r, r->line + 1);

    if (why)
        return why;
    if (is_dir && !(r->config.flags & DORY_SCP_RECURSE))
        return "the source host sent a directory; -r was not given";
    if (!is_asked_for(r))
        return "the source host sent a name that was not asked for";
    if (r->depth >= DORY_SCP_DEPTH_MAX)
        return "directories nested too deep";
    if (!(r->config.flags & DORY_SCP_TIMES))
        r->line[1] = '0'; /* not every scp clears these bits itself */
    r->seen = true;
    r->has_times = false;
    if (!is_dir)
        begin(r);
    return NULL;
}

/* A whole line without its end. */
static const char *record(struct dory_relay *r)
{
    switch (r->line[0]) {
    case 'T':
        if (r->has_times || !(r->config.flags & DORY_SCP_TIMES) || !is_good_times(r->line + 1))
            return "bad times in a record";
        r->has_times = true;
        return NULL;
    case 'C':
    case 'D': return entry(r);
    case 'E':
        if (!r->depth || r->line[1] || r->has_times)
            return "the end of a directory that did not begin";
        return NULL;
    default: return "the source host does not speak SCP";
    }
}

static void line_is_whole(struct dory_relay *r)
{
    size_t n = r->line_n;
    const char *why;

    r->line_n = 0;
    if (r->line[0] == 1 || r->line[0] == 2) {
        reported(r, r->config.from_message, r->config.from_ctx, r->line, n);
        return;
    }
    r->line[n - 1] = '\0';
    why = strlen(r->line) == n - 1 ? record(r) : "a NUL in a record";
    if (why) {
        refuse(r, why);
        return;
    }
    r->line[n - 1] = '\n';
    put(&r->forth, r->line, n);
    await(r, r->line[0]);
}

/* One byte of a record or of an error text. false: it must wait for room to be passed on. */
static bool take_byte(struct dory_relay *r, uint8_t byte)
{
    if (room(&r->forth) < sizeof r->line)
        return false;
    r->line[r->line_n++] = (char)byte;
    if (byte == '\n' && r->line_n > 1)
        line_is_whole(r);
    else if (r->line_n == sizeof r->line || byte == '\n')
        refuse(r, "a record that is too long or empty");
    return true;
}

/* Behind the content: 0, or why it is not good. The target host learns only that it is not. */
static bool take_status(struct dory_relay *r, uint8_t byte)
{
    static const char bad[] = "\001scp: the source failed\n";

    if (room(&r->forth) < sizeof bad)
        return false;
    if (byte == 0 && r->line_n == 0) {
        put(&r->forth, &byte, 1);
        await(r, 'S');
        return true;
    }
    if (r->line_n == 0 && byte != 1 && byte != 2) {
        refuse(r, "content that is longer than announced");
        return true;
    }
    r->line[r->line_n++] = (char)byte;
    if (byte != '\n' && r->line_n < sizeof r->line)
        return true;
    reported(r, r->config.from_message, r->config.from_ctx, r->line, r->line_n);
    r->line_n = 0;
    if (r->state != OVER) {
        r->bad = true;
        put(&r->forth, bad, sizeof bad - 1);
        await(r, 'S');
    }
    return true;
}

static size_t take_data(struct dory_relay *r, const uint8_t *bytes, size_t n)
{
    const struct dory_transfer_events *events = r->config.events;

    n = put(&r->forth, bytes, n < r->left ? n : (size_t)r->left);
    r->left -= n;
    if (n && events && events->progress)
        events->progress(r->config.events_ctx, r->size - r->left);
    if (!r->left)
        r->state = STATUS;
    return n;
}

static size_t from_push(struct dory_stream *stream, const uint8_t *bytes, size_t n)
{
    struct dory_relay *r = of_from(stream);
    size_t used = 0, took = 1;

    while (used < n && took) {
        switch (r->state) {
        case RECORD: took = take_byte(r, bytes[used]); break;
        case DATA: took = take_data(r, bytes + used, n - used); break;
        case STATUS: took = take_status(r, bytes[used]); break;
        case REPLY: /* what comes ahead of the reply waits */ took = 0; break;
        default: return n;
        }
        used += took;
    }
    return used;
}

static size_t from_pull(struct dory_stream *stream, uint8_t *out, size_t cap)
{
    return take(&of_from(stream)->back, out, cap);
}

static void from_eof(struct dory_stream *stream)
{
    struct dory_relay *r = of_from(stream);

    if (r->state == RECORD && !r->depth && !r->line_n && !r->has_times)
        r->state = OVER;
    else
        over(r, DORY_E_CUT);
}

/* ---- Replies of the target ---- */

static void after_reply(struct dory_relay *r, bool good)
{
    r->state = RECORD;
    if (r->sent == 'C' && good)
        r->state = r->left ? DATA : STATUS;
    else if (r->sent == 'C' || r->sent == 'S')
        end(r, good && !r->bad ? DORY_OK : DORY_E_IO);
    else if (r->sent == 'D' && good)
        r->depth++;
    else if (r->sent == 'E')
        r->depth--;
    else if (r->sent == 'T' && !good)
        r->has_times = false; /* the source leaves that object out */
}

static void reply_is_whole(struct dory_relay *r)
{
    size_t n = r->reply_n;
    bool good = r->reply[0] == 0, awaited = r->state == REPLY;

    r->reply_n = 0;
    if (r->reply[0] != 0 && r->reply[0] != 1 && r->reply[0] != 2) {
        refuse(r, "the target host does not speak SCP");
        return;
    }
    if (good && !awaited) {
        refuse(r, "the target host sent a reply to nothing");
        return;
    }
    if (awaited)
        put(&r->back, good ? "" : r->reply[0] == 1 ? "\001scp: refused\n" : "\002scp: refused\n", good ? 1 : 14);
    if (!good)
        reported(r, r->config.to_message, r->config.to_ctx, r->reply, n);
    if (awaited && r->state != OVER)
        after_reply(r, good);
}

static size_t to_push(struct dory_stream *stream, const uint8_t *bytes, size_t n)
{
    struct dory_relay *r = of_to(stream);

    for (size_t i = 0; i < n && r->state != OVER; i++) {
        if (r->reply_n < sizeof r->reply)
            r->reply[r->reply_n++] = (char)bytes[i];
        if (r->reply[0] == 0 || bytes[i] == '\n')
            reply_is_whole(r);
    }
    return n;
}

static size_t to_pull(struct dory_stream *stream, uint8_t *out, size_t cap)
{
    return take(&of_to(stream)->forth, out, cap);
}

static void to_eof(struct dory_stream *stream)
{
    over(of_to(stream), DORY_E_CUT);
}

/* ---- Ends ---- */

static void from_stop(struct dory_stream *stream)
{
    over(of_from(stream), DORY_E_CUT);
}

static int from_status(const struct dory_stream *stream)
{
    const struct dory_relay *r = of_from(stream);

    return r->state != OVER || r->back.at < r->back.n ? DORY_E_AGAIN : r->failed;
}

static int to_status(const struct dory_stream *stream)
{
    const struct dory_relay *r = of_to(stream);

    return r->state != OVER || r->forth.at < r->forth.n ? DORY_E_AGAIN : r->failed;
}

static const struct dory_stream_ops from_ops = {from_push, from_pull, from_eof, from_stop, from_status, NULL};
static const struct dory_stream_ops to_ops = {to_push, to_pull, to_eof, to_eof, to_status, NULL};

void dory_relay_init(struct dory_relay *r, const struct dory_relay_config *config)
{
    memset(r, 0, sizeof *r);
    r->from.ops = &from_ops;
    r->to.ops = &to_ops;
    r->config = *config;
    await(r, 'O');
}
