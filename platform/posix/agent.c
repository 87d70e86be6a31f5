/* ssh-agent's client. One question at a time, each with a deadline; a broken conversation is never continued, because a late answer
   would be taken for that of the next question. */
#include "dory_posix_agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dory_posix_sys.h"
#include "posix_internal.h"

enum {
    SSH_AGENT_FAILURE = 5,
    SSH_AGENTC_REQUEST_IDENTITIES = 11,
    SSH_AGENT_IDENTITIES_ANSWER = 12,
    SSH_AGENTC_SIGN_REQUEST = 13,
    SSH_AGENT_SIGN_RESPONSE = 14
};
enum { SSH_AGENT_RSA_SHA2_256 = 2, SSH_AGENT_RSA_SHA2_512 = 4 };

static void hang_up(struct dory_agent *agent)
{
    if (agent->fd >= 0)
        close(agent->fd);
    agent->fd = -1;
}

int dory_agent_open(struct dory_agent *agent, const char *path, char why[DORY_WHY_MAX])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memset(agent, 0, sizeof *agent);
    agent->fd = -1;
    agent->path = path;
    why[0] = 0;
    if (strlen(path) >= sizeof address.sun_path)
        return dory_why(why, DORY_E_NAME, "the socket of ssh-agent has a name of more than %zu bytes: %s", sizeof address.sun_path - 1,
                        path);
    strcpy(address.sun_path, path);
    agent->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (agent->fd >= 0 && connect(agent->fd, (struct sockaddr *)&address, sizeof address) == 0)
        return DORY_OK;
    int err = errno;
    hang_up(agent);
    if (err == ENOENT || err == ECONNREFUSED || err == ENOTSOCK || err == ENOTDIR)
        return dory_why(why, DORY_E_NOENT, "no ssh-agent listens at %s", path);
    return dory_why(why, err == EACCES || err == EPERM ? DORY_E_ACCESS : DORY_E_IO, "cannot reach the ssh-agent at %s: %s", path,
                    err == EAGAIN ? "it does not answer" : strerror(err));
}

bool dory_agent_is_open(const struct dory_agent *agent)
{
    return agent->path && agent->fd >= 0;
}

/* ---- one question, one answer */

static int give_up(struct dory_agent *agent, int error, const char *what, char why[DORY_WHY_MAX])
{
    hang_up(agent);
    return dory_why(why, error, "the ssh-agent at %s %s; going on without it", agent->path, what);
}

static int nonsense(struct dory_agent *agent, char why[DORY_WHY_MAX])
{
    return give_up(agent, DORY_E_PROTOCOL, "answers nonsense", why);
}

static int wait_for(int fd, short events, uint64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = events};
    for (;;) {
        uint64_t now = dory_posix_now_ms();
        uint64_t left = deadline > now ? deadline - now : 0;
        int r = poll(&p, 1, left > 60000 ? 60000 : (int)left);
        if (r > 0)
            return DORY_OK;
        if (r < 0 && errno != EINTR)
            return DORY_E_IO;
        if (r == 0 && left == 0)
            return DORY_E_TIMEOUT;
    }
}

/* All n bytes, out or in. */
static int move(int fd, uint8_t *bytes, size_t n, bool out, uint64_t deadline)
{
    while (n > 0) {
        ssize_t r = out ? send(fd, bytes, n, MSG_NOSIGNAL) : recv(fd, bytes, n, 0);
        if (r > 0) {
            bytes += r;
            n -= (size_t)r;
            continue;
        }
        if (r == 0 || (errno != EAGAIN && errno != EINTR))
            return DORY_E_CUT;
        int waited = wait_for(fd, out ? POLLOUT : POLLIN, deadline);
        if (waited != DORY_OK)
            return waited;
    }
    return DORY_OK;
}

/* *answer is set on success only. */
static int exchange(struct dory_agent *agent, uint8_t *question, size_t n, uint64_t deadline, uint8_t **answer, size_t *answer_n)
{
    uint8_t head[4], *bytes;
    int r = move(agent->fd, question, n, true, deadline);
    if (r == DORY_OK)
        r = move(agent->fd, head, sizeof head, false, deadline);
    if (r != DORY_OK)
        return r;
    struct dory_blob length = {.p = head, .n = sizeof head};
    *answer_n = dory_blob_u32(&length);
    if (*answer_n == 0 || *answer_n > DORY_AGENT_MESSAGE_MAX)
        return DORY_E_PROTOCOL;
    bytes = malloc(*answer_n);
    if (!bytes)
        return DORY_E_SPACE;
    r = move(agent->fd, bytes, *answer_n, false, deadline);
    if (r == DORY_OK)
        *answer = bytes;
    else
        free(bytes);
    return r;
}

/* The whole question, its length in front, against an answer of type `wanted`; the caller frees *answer. */
static int ask(struct dory_agent *agent, uint8_t *question, size_t n, uint8_t wanted, uint32_t timeout_ms, uint8_t **answer,
               size_t *answer_n, char why[DORY_WHY_MAX])
{
    why[0] = 0;
    if (agent->fd < 0)
        return dory_why(why, DORY_E_CLOSED, "the ssh-agent was given up");
    int r = exchange(agent, question, n, dory_posix_now_ms() + timeout_ms, answer, answer_n);
    if (r == DORY_E_TIMEOUT)
        return give_up(agent, r, "does not answer", why);
    if (r == DORY_E_CUT)
        return give_up(agent, r, "hung up", why);
    if (r != DORY_OK)
        return r == DORY_E_PROTOCOL ? nonsense(agent, why) : give_up(agent, r, "cannot be spoken to", why);
    uint8_t type = **answer;
    if (type == wanted)
        return DORY_OK;
    free(*answer);
    *answer = NULL;
    return type == SSH_AGENT_FAILURE ? dory_why(why, DORY_E_AUTH, "agent refused operation") : nonsense(agent, why);
}

/* ---- the keys */

static int count_keys(const uint8_t *answer, size_t n)
{
    struct dory_blob in = {.p = answer + 1, .n = n - 1};
    uint32_t count = dory_blob_u32(&in);
    if (count > DORY_AGENT_KEYS_MAX)
        return DORY_E_PROTOCOL;
    for (uint32_t i = 0; i < count && !in.bad; i++) {
        dory_blob_string(&in);
        dory_blob_string(&in);
    }
    return in.bad || in.n > 0 ? DORY_E_PROTOCOL : (int)count;
}

int dory_agent_list(struct dory_agent *agent, uint32_t timeout_ms, char why[DORY_WHY_MAX])
{
    uint8_t question[5] = {0, 0, 0, 1, SSH_AGENTC_REQUEST_IDENTITIES};
    free(agent->answer);
    agent->answer = NULL;
    int r = ask(agent, question, sizeof question, SSH_AGENT_IDENTITIES_ANSWER, timeout_ms, &agent->answer, &agent->answer_n, why);
    if (r != DORY_OK)
        return r;
    agent->at = 5; /* behind the type and the count */
    r = count_keys(agent->answer, agent->answer_n);
    if (r >= 0)
        return r;
    free(agent->answer);
    agent->answer = NULL;
    return nonsense(agent, why);
}

bool dory_agent_next(struct dory_agent *agent, struct dory_agent_key *key)
{
    if (!agent->answer || agent->at >= agent->answer_n)
        return false;
    struct dory_blob in = {.p = agent->answer + agent->at, .n = agent->answer_n - agent->at};
    struct dory_blob blob = dory_blob_string(&in), comment = dory_blob_string(&in);
    agent->at = agent->answer_n - in.n;
    *key = (struct dory_agent_key){.blob = blob.p, .blob_n = blob.n, .comment = comment.p, .comment_n = comment.n};
    return true;
}

/* ---- signatures */

static uint8_t *put_u32(uint8_t *to, size_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8) *to++ = (uint8_t)(v >> shift);
    return to;
}

static uint8_t *put_string(uint8_t *to, const uint8_t *bytes, size_t n)
{
    to = put_u32(to, n);
    memcpy(to, bytes, n);
    return to + n;
}

static uint32_t flags_of(const char *algorithm)
{
    if (strncmp(algorithm, "rsa-sha2-512", 12) == 0)
        return SSH_AGENT_RSA_SHA2_512;
    return strncmp(algorithm, "rsa-sha2-256", 12) == 0 ? SSH_AGENT_RSA_SHA2_256 : 0;
}

/* A certificate is signed for by the key in it: the signature bears the plain name, and for security keys the @openssh.com as well. */
static bool is_by(const struct dory_blob *name, const char *algorithm)
{
    const char *cert = strstr(algorithm, "-cert-v01@openssh.com");
    size_t n = cert ? (size_t)(cert - algorithm) : strlen(algorithm);
    if (name->bad || name->n < n || memcmp(name->p, algorithm, n) != 0)
        return false;
    size_t more = name->n - n;
    return more == 0 || (cert && strncmp(algorithm, "sk-", 3) == 0 && more == 12 && memcmp(name->p + n, "@openssh.com", 12) == 0);
}

static int take_signature(struct dory_agent *agent, const uint8_t *answer, size_t n, const char *algorithm, uint8_t *out, size_t cap,
                          char why[DORY_WHY_MAX])
{
    struct dory_blob in = {.p = answer + 1, .n = n - 1}, signature = dory_blob_string(&in), inner = signature;
    struct dory_blob name = dory_blob_string(&inner);
    if (in.bad || in.n > 0 || name.bad)
        return nonsense(agent, why);
    if (!is_by(&name, algorithm))
        return dory_why(why, DORY_E_AUTH, "agent signed with %.*s instead of %s", (int)(name.n > 64 ? 64 : name.n), (const char *)name.p,
                        algorithm);
    if (signature.n > cap)
        return dory_why(why, DORY_E_SPACE, "agent made a signature of %zu bytes, more than any key does", signature.n);
    memcpy(out, signature.p, signature.n);
    return (int)signature.n;
}

int dory_agent_sign(struct dory_agent *agent, const struct dory_agent_key *key, const char *algorithm, const uint8_t *data, size_t n,
                    uint8_t *out, size_t cap, uint32_t timeout_ms, char why[DORY_WHY_MAX])
{
    size_t length = 1 + 4 + key->blob_n + 4 + n + 4, answer_n;
    uint8_t *answer = NULL, *question = length <= DORY_AGENT_MESSAGE_MAX ? malloc(4 + length) : NULL;
    if (!question)
        return dory_why(why, DORY_E_SPACE, "no memory to ask the ssh-agent");
    uint8_t *at = put_u32(question, length);
    *at++ = SSH_AGENTC_SIGN_REQUEST;
    at = put_string(at, key->blob, key->blob_n);
    at = put_string(at, data, n);
    put_u32(at, flags_of(algorithm));
    int r = ask(agent, question, 4 + length, SSH_AGENT_SIGN_RESPONSE, timeout_ms, &answer, &answer_n, why);
    free(question);
    if (r != DORY_OK)
        return r;
    r = take_signature(agent, answer, answer_n, algorithm, out, cap, why);
    free(answer);
    return r;
}

void dory_agent_close(struct dory_agent *agent)
{
    if (agent->path)
        hang_up(agent);
    free(agent->answer);
    memset(agent, 0, sizeof *agent);
    agent->fd = -1;
}
