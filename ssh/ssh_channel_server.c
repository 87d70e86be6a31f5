/* RFC 4254 5 and 6, as a server has it. */
#include "ssh_roles.h"

enum { SSH_OPEN_ADMINISTRATIVELY_PROHIBITED = 1, SSH_OPEN_UNKNOWN_CHANNEL_TYPE = 3, SSH_OPEN_RESOURCE_SHORTAGE = 4 };

static struct dory_channel *free_channel(struct dory_ssh *s)
{
    unsigned i;

    for (i = 0; i < s->config->channel_count; i++)
        if (!s->config->channels[i].flags)
            return &s->config->channels[i];
    return NULL;
}

static int channel_open(struct dory_ssh *s, struct dory_reader *r)
{
    struct dory_slice type = dory_i_get_string(r);
    uint32_t peer = dory_i_get32(r);
    uint32_t window = dory_i_get32(r);
    uint32_t most = dory_i_get32(r);
    struct dory_channel *c;

    if (r->bad)
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_CHANNEL_OPEN");
    if (!dory_i_is(type, "session"))
        return dory_i_refuse_open(s, peer, SSH_OPEN_UNKNOWN_CHANNEL_TYPE);
    if (most == 0)
        return dory_i_refuse_open(s, peer, SSH_OPEN_ADMINISTRATIVELY_PROHIBITED);
    c = free_channel(s);
    if (!c)
        return dory_i_refuse_open(s, peer, SSH_OPEN_RESOURCE_SHORTAGE);
    dory_i_channel_start(s, c, CH_WANT_CONFIRM);
    c->peer = peer;
    c->tx_window = window;
    c->tx_max = most;
    return DORY_OK;
}

static int channel_request(struct dory_ssh *s, struct dory_reader *r)
{
    struct dory_channel *c = dory_i_get_channel(s, r, CH_OPEN);
    struct dory_slice type = dory_i_get_string(r), text;
    bool want_reply = dory_i_get8(r) != 0;
    bool exec = dory_i_is(type, "exec"), subsystem = dory_i_is(type, "subsystem");
    int rc;

    if (!c || r->bad)
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_CHANNEL_REQUEST");
    if (!(exec || subsystem) || c->flags & (CH_HAS_REQUEST | CH_WANT_CLOSE | CH_CLOSE_SENT))
        return want_reply ? dory_i_reply(s, c, false) : DORY_OK;
    text = dory_i_get_string(r);
    if (!dory_i_at_end(r))
        return dory_i_error(s, DORY_E_PROTOCOL, "malformed SSH_MSG_CHANNEL_REQUEST");
    rc = dory_i_may_reply(s, c);
    if (rc)
        return rc;
    s->want_reply = want_reply;
    s->pending.data = text.p;
    s->pending.n = text.n;
    s->pending.request = exec ? DORY_REQUEST_EXEC : DORY_REQUEST_SUBSYSTEM;
    s->pending.channel = s->slice_channel = (int)(c - s->config->channels);
    dory_i_raise(s, DORY_EV_CHANNEL_REQUEST);
    return DORY_OK;
}

int dory_i_server_channel_answer(struct dory_ssh *s, bool yes)
{
    struct dory_channel *c = &s->config->channels[s->slice_channel];

    if (yes)
        c->flags |= CH_HAS_REQUEST | DORY_CH_STARTED;
    return s->want_reply ? dory_i_reply(s, c, yes) : DORY_OK;
}

int dory_i_server_channel(struct dory_ssh *s, uint8_t type, struct dory_reader *r)
{
    return type == SSH_MSG_CHANNEL_OPEN ? channel_open(s, r) : channel_request(s, r);
}

int dory_i_server_flush_channel(struct dory_ssh *s, struct dory_channel *c)
{
    struct dory_writer w;

    if (!(c->flags & CH_WANT_CONFIRM))
        return DORY_OK;
    w = dory_i_begin(s, SSH_MSG_CHANNEL_OPEN_CONFIRMATION);
    dory_i_put32(&w, c->peer);
    dory_i_put32(&w, (uint32_t)(c - s->config->channels));
    dory_i_put32(&w, s->window);
    dory_i_put32(&w, s->max_packet);
    c->flags = (c->flags & ~(uint32_t)CH_WANT_CONFIRM) | CH_OPEN;
    return dory_i_end(s, &w);
}
