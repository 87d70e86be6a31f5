/* RFC 4253 4.2: protocol version exchange. */
#include <string.h>

#include "ssh_internal.h"

#define VERSION_LINE_MAX 255
#define OTHER_LINE_MAX 1024
#define OTHER_LINES_MAX 64

static const char prefix[] = "SSH-2.0-";

static void hash_string(struct dory_sha256 *h, const void *p, size_t n)
{
    uint8_t length[4];
    dory_i_store32(length, (uint32_t)n);
    dory_sha256_update(h, length, 4);
    dory_sha256_update(h, p, n);
}

static size_t own_version(const struct dory_ssh *s, char out[VERSION_LINE_MAX])
{
    size_t n = strlen(s->config->software);
    memcpy(out, prefix, 8);
    memcpy(out + 8, s->config->software, n);
    return 8 + n;
}

int dory_i_send_version(struct dory_ssh *s)
{
    size_t n = strlen(s->config->software);

    if (n == 0 || n > VERSION_LINE_MAX - 10)
        return DORY_E_ARG;
    n = own_version(s, (char *)s->config->tx);
    s->config->tx[n] = '\r';
    s->config->tx[n + 1] = '\n';
    s->tx_tail = n + 2;
    return DORY_OK;
}

static void keep_for_people(struct dory_ssh *s, const uint8_t *line, size_t n)
{
    size_t i;

    if (n > sizeof s->peer_version - 1)
        n = sizeof s->peer_version - 1;
    for (i = 0; i < n; i++)
        s->peer_version[i] = line[i] >= 0x20 && line[i] < 0x7f ? (char)line[i] : '?';
    s->peer_version[n] = 0;
}

static int accept_version(struct dory_ssh *s, const uint8_t *line, size_t n)
{
    char own[VERSION_LINE_MAX];
    size_t own_n = own_version(s, own);
    bool server = dory_i_is_server(s);

    keep_for_people(s, line, n);
    if (!(n >= 8 && memcmp(line, prefix, 8) == 0) && !(n >= 9 && memcmp(line, "SSH-1.99-", 9) == 0))
        return dory_i_error(s, DORY_E_VERSION, "the peer does not speak SSH 2.0");
    dory_sha256_init(&s->version_hash);
    hash_string(&s->version_hash, server ? (const void *)line : own, server ? n : own_n);
    hash_string(&s->version_hash, server ? (const void *)own : line, server ? own_n : n);
    s->phase = PHASE_KEX;
    return DORY_OK;
}

/* A server may send other lines first; a client may not. */
static int judge_line(struct dory_ssh *s, const uint8_t *line, size_t n, bool whole)
{
    size_t seen = n < 4 ? n : 4;
    bool version = memcmp(line, prefix, seen) == 0 && (seen == 4 || !whole);

    if (!version && dory_i_is_server(s))
        return dory_i_error(s, DORY_E_VERSION, "the peer does not speak SSH");
    if (memchr(line, 0, n))
        return dory_i_error(s, DORY_E_VERSION, "NUL in the version exchange");
    if (n >= (version ? VERSION_LINE_MAX : OTHER_LINE_MAX))
        return dory_i_error(s, DORY_E_VERSION, "line too long in the version exchange");
    return version && whole;
}

int dory_i_version(struct dory_ssh *s)
{
    const uint8_t *line = s->config->rx + s->rx_pos;
    const uint8_t *lf = memchr(line, '\n', s->rx_len);
    size_t n = lf ? (size_t)(lf - line) : s->rx_len;
    int version = judge_line(s, line, n, lf != NULL);

    if (version < 0)
        return version;
    if (!lf)
        return 0;
    s->rx_need = n + 1;
    if (n && line[n - 1] == '\r')
        n--;
    if (version) {
        int rc = accept_version(s, line, n);
        if (rc)
            return rc;
        dory_i_consume(s);
    } else {
        if (++s->version_lines > OTHER_LINES_MAX)
            return dory_i_error(s, DORY_E_VERSION, "too many lines before the version");
        dory_i_consume(s);
        s->rx_state = RX_VERSION;
    }
    return 1;
}
