/* RFC 4254 7.2, as a client has it: a channel to a TCP port beyond the server. In a file of its own, so that who jumps nowhere pays
   nothing. */
#include "ssh_internal.h"

enum { ROOM_BESIDE_THE_HOST = 128 };

int dory_ssh_channel_open_direct(struct dory_ssh *s, const char *host, size_t n, uint16_t port)
{
    struct dory_channel *c;
    struct dory_writer w;
    unsigned i;
    int rc;

    if (s->error)
        return s->error;
    if (s->phase != PHASE_CONNECTION)
        return DORY_E_STATE;
    for (i = 0; i < s->config->channel_count && s->config->channels[i].flags; i++)
        ;
    if (i == s->config->channel_count)
        return DORY_E_SPACE;
    if (!dory_i_may_send(s) || dory_i_rekey_due(s) || dory_i_room(s) < n + ROOM_BESIDE_THE_HOST)
        return DORY_E_AGAIN;
    c = &s->config->channels[i];
    dory_i_channel_start(s, c, CH_OPENING);
    w = dory_i_begin(s, SSH_MSG_CHANNEL_OPEN);
    dory_i_put_text(&w, "direct-tcpip");
    dory_i_put32(&w, i);
    dory_i_put32(&w, s->window);
    dory_i_put32(&w, s->max_packet);
    dory_i_put_string(&w, (const uint8_t *)host, n);
    dory_i_put32(&w, port);
    dory_i_put_text(&w, "127.0.0.1"); /* whence: only for the server's log */
    dory_i_put32(&w, 0);
    rc = dory_i_end(s, &w);
    return rc < 0 ? rc : (int)i;
}

uint32_t dory_ssh_channel_refusal(const struct dory_ssh *s, int channel)
{
    return dory_ssh_channel_state(s, channel) & DORY_CH_FAILED ? s->config->channels[channel].status : 0;
}
