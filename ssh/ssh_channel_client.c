/* RFC 4254 5 and 6, as a client has it. */
#include "ssh_roles.h"

enum { SSH_OPEN_ADMINISTRATIVELY_PROHIBITED = 1 };

int dory_ssh_channel_open(struct dory_ssh *s, enum dory_request request, const char *text, size_t n)
{
    struct dory_channel *c;
    unsigned i;

    if (s->error)
        return s->error;
    if (s->phase != PHASE_CONNECTION)
        return DORY_E_STATE;
    if (n > UINT16_MAX || n + dory_i_reserve(s) > s->config->tx_size)
        return DORY_E_ARG;
    for (i = 0; i < s->config->channel_count && s->config->channels[i].flags; i++)
        ;
    if (i == s->config->channel_count)
        return DORY_E_SPACE;
    c = &s->config->channels[i];
    dory_i_channel_start(s, c, CH_WANT_OPEN);
    c->request = (uint8_t)request;
    c->text = text;
    c->text_n = (uint16_t)n;
    dory_i_progress(s);
    return s->error ? s->error : (int)i;
}

static int send_open(struct dory_ssh *s, struct dory_channel *c)
{
    struct dory_writer w = dory_i_begin(s, SSH_MSG_CHANNEL_OPEN);

    dory_i_put_text(&w, "session");
    dory_i_put32(&w, (uint32_t)(c - s->config->channels));
    dory_i_put32(&w, s->window);
    dory_i_put32(&w, s->max_packet);
    c->flags = (c->flags & ~(uint32_t)CH_WANT_OPEN) | CH_OPENING;
    return dory_i_end(s, &w);
}

static int send_request(struct dory_ssh *s, struct dory_channel *c)
{
    struct dory_writer w = dory_i_begin(s, SSH_MSG_CHANNEL_REQUEST);

    dory_i_put32(&w, c->peer);
    dory_i_put_text(&w, c->request == DORY_REQUEST_EXEC ? "exec" : "subsystem");
    dory_i_put8(&w, 1);
    dory_i_put_string(&w, c->text, c->text_n);
    c->flags = (c->flags & ~(uint32_t)CH_WANT_REQUEST) | CH_REQUEST_SENT;
    return dory_i_end(s, &w);
}

int dory_i_client_flush_channel(struct dory_ssh *s, struct dory_channel *c)
{
    if (c->flags & CH_WANT_OPEN)
        return send_open(s, c);
    if (c->flags & CH_WANT_REQUEST && !(c->flags & (CH_WANT_CLOSE | CH_CLOSE_SENT)) && dory_i_room(s) >= c->text_n + 64U)
        return send_request(s, c);
    return DORY_OK;
}

static int refuse_open(struct dory_ssh *s, struct dory_reader *r)
{
    uint32_t peer;

    dory_i_get_string(r);
    peer = dory_i_get32(r);
    if (r->bad)
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_CHANNEL_OPEN");
    return dory_i_refuse_open(s, peer, SSH_OPEN_ADMINISTRATIVELY_PROHIBITED);
}

static int confirmation(struct dory_ssh *s, struct dory_channel *c, struct dory_reader *r)
{
    c->peer = dory_i_get32(r);
    c->tx_window = dory_i_get32(r);
    c->tx_max = dory_i_get32(r);
    if (!dory_i_at_end(r) || c->tx_max == 0)
        return dory_i_error(s, DORY_E_PROTOCOL, "bad SSH_MSG_CHANNEL_OPEN_CONFIRMATION");
    c->flags = (c->flags & ~(uint32_t)CH_OPENING) | CH_OPEN | (c->request ? (uint32_t)CH_WANT_REQUEST : (uint32_t)DORY_CH_STARTED);
    return DORY_OK;
}

static int open_failure(struct dory_ssh *s, struct dory_channel *c, struct dory_reader *r)
{
    c->status = dory_i_get32(r);
    dory_i_get_string(r);
    dory_i_get_string(r);
    if (!dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_CHANNEL_OPEN_FAILURE");
    c->flags = c->flags & CH_RELEASED ? 0 : DORY_CH_USED | DORY_CH_FAILED | DORY_CH_CLOSED | DORY_CH_EOF;
    return DORY_OK;
}

static int request_answer(struct dory_ssh *s, struct dory_channel *c, struct dory_reader *r, bool yes)
{
    if (!dory_i_at_end(r) || !(c->flags & CH_REQUEST_SENT))
        return dory_i_error(s, DORY_E_PROTOCOL, "an answer to no channel request");
    c->flags = (c->flags & ~(uint32_t)CH_REQUEST_SENT) | (yes ? DORY_CH_STARTED : DORY_CH_FAILED);
    return DORY_OK;
}

static int channel_request(struct dory_ssh *s, struct dory_channel *c, struct dory_reader *r)
{
    struct dory_slice type = dory_i_get_string(r);
    bool want_reply = dory_i_get8(r) != 0;

    if (dory_i_is(type, "exit-status")) {
        c->status = dory_i_get32(r);
        c->flags |= DORY_CH_EXITED;
    } else if (dory_i_is(type, "exit-signal")) {
        c->status = UINT32_MAX;
        c->flags |= DORY_CH_EXITED;
    }
    if (r->bad)
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_CHANNEL_REQUEST");
    return want_reply ? dory_i_reply(s, c, false) : DORY_OK;
}

int dory_i_client_channel(struct dory_ssh *s, uint8_t type, struct dory_reader *r)
{
    bool opening = type == SSH_MSG_CHANNEL_OPEN_CONFIRMATION || type == SSH_MSG_CHANNEL_OPEN_FAILURE;
    struct dory_channel *c;

    if (type == SSH_MSG_CHANNEL_OPEN)
        return refuse_open(s, r);
    c = dory_i_get_channel(s, r, opening ? CH_OPENING : CH_OPEN);
    if (!c)
        return DORY_E_PROTOCOL;
    switch (type) {
    case SSH_MSG_CHANNEL_OPEN_CONFIRMATION:
        return confirmation(s, c, r);
    case SSH_MSG_CHANNEL_OPEN_FAILURE:
        return open_failure(s, c, r);
    case SSH_MSG_CHANNEL_REQUEST:
        return channel_request(s, c, r);
    default:
        return request_answer(s, c, r, type == SSH_MSG_CHANNEL_SUCCESS);
    }
}
