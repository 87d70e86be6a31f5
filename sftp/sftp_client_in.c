/* What the host sends: packets are gathered up to what their type needs; names are handed on one by one and content as it comes. */
#include "sftp_client.h"

#include <string.h>

/* The longest packet, as OpenSSH has it. */
#define PACKET_MAX (256 * 1024)
#define HEAD       9

enum { IN_HEAD, IN_WHOLE, IN_COUNT, IN_NAMES, IN_DATA_LENGTH, IN_DATA, IN_REST };

/* ---- Answers that were gathered */

static void take_extension(struct dory_sftp_client *c, struct sftp_slice name)
{
    c->has_limits |= dory_sftp_is(name, SSH_FXE_LIMITS);
    c->has_expand |= dory_sftp_is(name, SSH_FXE_EXPAND_PATH);
}

static void take_version(struct dory_sftp_client *c)
{
    struct sftp_reader r = {.p = c->in + 5, .end = c->in + c->in_n};
    uint32_t version = dory_sftp_get32(&r);

    while (r.p < r.end && !r.bad) {
        take_extension(c, dory_sftp_get_string(&r));
        dory_sftp_get_string(&r);
    }
    if (r.bad)
        dory_i_sftp_fatal(c, "malformed answer");
    else if (version != SFTP_VERSION)
        dory_i_sftp_fatal(c, "the host speaks another version of SFTP than 3");
    c->ready = !c->ended;
}

static uint32_t at_most(uint64_t limit, uint32_t now)
{
    return limit && limit < now ? (uint32_t)limit : now;
}

static void take_limits(struct dory_sftp_client *c, struct sftp_reader *r)
{
    uint64_t read, write, handles;

    dory_sftp_get64(r);
    read = dory_sftp_get64(r);
    write = dory_sftp_get64(r);
    handles = dory_sftp_get64(r);
    if (r->bad)
        return;
    c->chunk = at_most(c->engine->receives ? read : write, c->chunk);
    c->handles_max = handles < UINT32_MAX ? (uint32_t)handles : 0;
}

static bool is_out_of_place(const struct dory_sftp_request *r, const struct sftp_answer *a)
{
    return a->type != r->expect && (a->type != SSH_FXP_STATUS || a->status == SSH_FX_OK);
}

static void deliver(struct dory_sftp_client *c, const struct sftp_answer *a)
{
    struct dory_sftp_request r = c->requests[c->request];

    c->requests[c->request].kind = SFTP_FREE;
    c->asked--;
    if (is_out_of_place(&r, a))
        dory_i_sftp_fatal(c, "an answer of the wrong kind");
    else if (r.kind != SFTP_LIMITS && r.kind != SFTP_FORGOTTEN)
        c->engine->answer(c, &r, a);
}

static void take_whole(struct dory_sftp_client *c)
{
    struct sftp_reader r = {.p = c->in + HEAD, .end = c->in + c->in_n};
    struct sftp_answer a = {.type = c->type};

    switch (c->type) {
    case SSH_FXP_STATUS:
        a.status = dory_sftp_get32(&r);
        if (r.p < r.end && !r.bad) {
            a.text = dory_sftp_get_string(&r); /* cut, or not there in old servers: no matter */
            r.bad = false;
        }
        break;
    case SSH_FXP_HANDLE: a.text = dory_sftp_get_string(&r); break;
    case SSH_FXP_ATTRS: dory_sftp_get_attrs(&r, &a.attrs); break;
    default: /* SSH_FXP_EXTENDED_REPLY */ take_limits(c, &r); break;
    }
    if (r.bad)
        dory_i_sftp_fatal(c, "malformed answer");
    else
        deliver(c, &a);
}

/* ---- Names */

static void names_done(struct dory_sftp_client *c)
{
    struct sftp_answer a = {.type = SSH_FXP_NAME};

    c->in_state = IN_HEAD;
    c->in_n = 0;
    if (c->left)
        dory_i_sftp_fatal(c, "malformed answer");
    else if (c->requests[c->request].kind == SFTP_LIST)
        deliver(c, &a);
    else
        dory_i_sftp_fatal(c, "an answer without a name");
}

/* The one name that a path stands for. */
static void take_name(struct dory_sftp_client *c, struct sftp_slice name)
{
    struct sftp_answer a = {.type = SSH_FXP_NAME, .text = name};

    c->in_state = IN_HEAD;
    if (c->entries || c->left)
        dory_i_sftp_fatal(c, "more names than were asked for");
    else
        deliver(c, &a);
    c->in_n = 0;
}

/* One entry out of what was gathered; false: more is needed. */
static bool take_entry(struct dory_sftp_client *c)
{
    struct sftp_reader r = {.p = c->in, .end = c->in + c->in_n};
    struct sftp_slice name = dory_sftp_get_string(&r);
    struct dory_sftp_request *request = &c->requests[c->request];
    struct sftp_attrs attrs;
    size_t used;

    dory_sftp_get_string(&r); /* as ls -l would show it */
    dory_sftp_get_attrs(&r, &attrs);
    if (r.bad)
        return false;
    c->entries--;
    used = (size_t)(r.p - c->in);
    if (request->kind != SFTP_LIST) {
        c->left += (uint32_t)(c->in_n - used);
        take_name(c, name);
        return true;
    }
    c->engine->entry(c, &c->levels[request->owner], name, &attrs);
    c->in_n = (uint16_t)(c->in_n - used);
    memmove(c->in, c->in + used, c->in_n);
    return true;
}

static size_t gather(struct dory_sftp_client *c, const uint8_t *bytes, size_t n, size_t up_to)
{
    size_t take = up_to - c->in_n;

    if (take > n)
        take = n;
    memcpy(c->in + c->in_n, bytes, take);
    c->in_n = (uint16_t)(c->in_n + take);
    return take;
}

static size_t take_names(struct dory_sftp_client *c, const uint8_t *bytes, size_t n)
{
    size_t room = c->in_n + (size_t)c->left, took;

    took = gather(c, bytes, n, room < sizeof c->in ? room : sizeof c->in);
    c->left -= (uint32_t)took;
    while (c->entries && !c->ended && c->in_state == IN_NAMES && take_entry(c)) continue;
    if (c->ended || c->in_state != IN_NAMES)
        return took;
    if (!c->entries) {
        c->left += c->in_n;
        names_done(c);
    } else if (!c->left || c->in_n == sizeof c->in) {
        dory_i_sftp_fatal(c, "malformed answer");
    }
    return took;
}

/* ---- Content */

static void take_data_length(struct dory_sftp_client *c)
{
    const struct dory_sftp_request *r = &c->requests[c->request];
    uint32_t n = dory_sftp_load32(c->in + HEAD);

    c->in_n = 0;
    c->in_state = IN_DATA;
    if (r->expect != SSH_FXP_DATA)
        dory_i_sftp_fatal(c, "an answer of the wrong kind");
    else if (n != c->left)
        dory_i_sftp_fatal(c, "malformed answer");
    else if (n > r->length)
        dory_i_sftp_fatal(c, "more content than was asked for");
    else if (!n)
        dory_i_sftp_fatal(c, "content without a byte");
}

/* What did not come is asked for again. */
static void data_done(struct dory_sftp_client *c)
{
    struct sftp_answer a = {.type = SSH_FXP_DATA};
    struct dory_sftp_request *r = &c->requests[c->request];

    c->in_state = IN_HEAD;
    if (r->length) {
        r->kind = SFTP_READ_AGAIN;
        c->again++;
    } else {
        deliver(c, &a);
    }
}

static size_t take_data(struct dory_sftp_client *c, const uint8_t *bytes, size_t n)
{
    size_t took = c->engine->data(c, &c->requests[c->request], bytes, n < c->left ? n : c->left);

    c->left -= (uint32_t)took;
    if (!c->left)
        data_done(c);
    return took;
}

/* ---- Packets */

static bool is_asked(struct dory_sftp_client *c, uint32_t id)
{
    c->request = (uint8_t)(id & 0xff);
    return c->request < DORY_SFTP_REQUESTS && c->requests[c->request].kind != SFTP_FREE && c->requests[c->request].id == id &&
           c->requests[c->request].kind != SFTP_READ_AGAIN;
}

/* What a packet of this type is gathered as; IN_HEAD: none of ours. */
static uint8_t way_of(uint8_t type)
{
    switch (type) {
    case SSH_FXP_STATUS:
    case SSH_FXP_HANDLE:
    case SSH_FXP_ATTRS:
    case SSH_FXP_EXTENDED_REPLY: return IN_WHOLE;
    case SSH_FXP_NAME: return IN_COUNT;
    case SSH_FXP_DATA: return IN_DATA_LENGTH;
    default: return IN_HEAD;
    }
}

static void take_head(struct dory_sftp_client *c)
{
    uint32_t length = dory_sftp_load32(c->in);

    c->type = c->in[4];
    if (!c->ready && (c->type != SSH_FXP_VERSION || length < 5 || length > PACKET_MAX)) {
        dory_i_sftp_fatal(c, "the host does not speak SFTP; a login script that prints something can be the cause");
        return;
    }
    if (length < 5 || length > PACKET_MAX) {
        dory_i_sftp_fatal(c, "malformed answer");
        return;
    }
    c->left = length - 5;
    c->in_state = c->ready ? way_of(c->type) : IN_WHOLE;
    if (c->in_state == IN_HEAD)
        dory_i_sftp_fatal(c, "an answer of the wrong kind");
    else if (c->ready && !is_asked(c, dory_sftp_load32(c->in + 5)))
        dory_i_sftp_fatal(c, "an answer to nothing");
    else if ((c->in_state == IN_COUNT || c->in_state == IN_DATA_LENGTH) && c->left < 4)
        dory_i_sftp_fatal(c, "malformed answer");
}

static void take_count(struct dory_sftp_client *c)
{
    c->entries = dory_sftp_load32(c->in + HEAD);
    c->in_n = 0;
    c->in_state = IN_NAMES;
    if (c->requests[c->request].expect != SSH_FXP_NAME)
        dory_i_sftp_fatal(c, "an answer of the wrong kind");
    else if (!c->entries)
        names_done(c);
}

/* What is gathered is enough for its state. */
static void advance(struct dory_sftp_client *c)
{
    switch (c->in_state) {
    case IN_HEAD: take_head(c); break;
    case IN_COUNT: take_count(c); break;
    case IN_DATA_LENGTH: take_data_length(c); break;
    default:
        c->in_state = c->left ? IN_REST : IN_HEAD;
        if (c->ready)
            take_whole(c);
        else
            take_version(c);
        c->in_n = 0;
        break;
    }
}

/* How much of the packet must be gathered in its present state; what is longer than the room is cut, which only texts can bear. */
static size_t wanted(const struct dory_sftp_client *c)
{
    size_t all = c->in_n + (size_t)c->left;

    if (c->in_state == IN_HEAD)
        return HEAD;
    if (c->in_state != IN_WHOLE)
        return HEAD + 4;
    return all < sizeof c->in ? all : sizeof c->in;
}

static bool is_gathering(const struct dory_sftp_client *c)
{
    return c->in_state != IN_DATA && c->in_state != IN_NAMES && c->in_state != IN_REST;
}

static size_t take_some(struct dory_sftp_client *c, const uint8_t *bytes, size_t n)
{
    bool counted = c->in_state != IN_HEAD;
    size_t took = gather(c, bytes, n, wanted(c));

    if (counted)
        c->left -= (uint32_t)took;
    while (!c->ended && is_gathering(c) && c->in_n == wanted(c)) advance(c);
    return took;
}

size_t dory_i_sftp_push(struct dory_stream *stream, const uint8_t *bytes, size_t n)
{
    struct dory_sftp_client *c = (struct dory_sftp_client *)stream;
    size_t taken = 0, took;

    while (taken < n && !c->ended) {
        if (c->in_state == IN_DATA) {
            took = take_data(c, bytes + taken, n - taken);
            if (!took)
                return taken;
        } else if (c->in_state == IN_NAMES) {
            took = take_names(c, bytes + taken, n - taken);
        } else if (c->in_state == IN_REST) {
            took = n - taken < c->left ? n - taken : c->left;
            c->left -= (uint32_t)took;
            c->in_state = c->left ? IN_REST : IN_HEAD;
        } else {
            took = take_some(c, bytes + taken, n - taken);
        }
        taken += took;
    }
    return n;
}
