/* A client of ssh-agent (draft-ietf-sshm-ssh-agent; OpenSSH's PROTOCOL.agent): lists its keys and lets it sign.
 *
 * What an agent says is not trusted: lengths, counts and types are checked, memory is bounded, and nothing is waited for longer than the
 * caller allows. An agent that answers nonsense or not at all is given up: every later call on it is DORY_E_CLOSED.
 */
#ifndef DORY_POSIX_AGENT_H
#define DORY_POSIX_AGENT_H

#include <stdbool.h>

#include "dory_posix_text.h"

#define DORY_AGENT_MESSAGE_MAX (256 * 1024) /* of an answer */
#define DORY_AGENT_KEYS_MAX    2048

/* Slices of the agent's answer, raw: escape the comment before printing. */
struct dory_agent_key {
    const uint8_t *blob; /* public key, RFC 4253 6.6 */
    size_t blob_n;
    const uint8_t *comment;
    size_t comment_n;
};

/* All members are private. */
struct dory_agent {
    int fd;
    const char *path;
    uint8_t *answer; /* of dory_agent_list, on the heap */
    size_t answer_n, at;
};

/* Connects to the socket at `path`, which must live until dory_agent_close. DORY_E_NOENT: nobody listens there. DORY_E_NAME: the path is
   too long for a socket. DORY_E_ACCESS, DORY_E_IO. `why` says it in words. On an error nothing has to be closed. */
int dory_agent_open(struct dory_agent *agent, const char *path, char why[DORY_WHY_MAX]);

/* False: given up. */
bool dory_agent_is_open(const struct dory_agent *agent);

/* Asks for the keys; returns how many there are (0 also for a locked agent), to be fetched with dory_agent_next until dory_agent_close.
   DORY_E_AUTH: the agent refuses. DORY_E_TIMEOUT, DORY_E_CUT (closed), DORY_E_PROTOCOL (nonsense), DORY_E_CLOSED (given up earlier). */
int dory_agent_list(struct dory_agent *agent, uint32_t timeout_ms, char why[DORY_WHY_MAX]);

/* The next key of the list; false: no more. */
bool dory_agent_next(struct dory_agent *agent, struct dory_agent_key *key);

/* Has data[0..n) signed with the key blob[0..blob_n) by the signature algorithm `algorithm` ("rsa-sha2-512" and its like set the flags of
   RFC 8332; "…-cert-v01@openssh.com" stands for what it certifies). The signature blob goes into out[0..cap); returns its size.
   DORY_E_AUTH: refused, or signed by another algorithm than asked for. DORY_E_SPACE: larger than cap. Else as dory_agent_list. */
int dory_agent_sign(struct dory_agent *agent, const struct dory_agent_key *key, const char *algorithm, const uint8_t *data, size_t n,
                    uint8_t *out, size_t cap, uint32_t timeout_ms, char why[DORY_WHY_MAX]);

/* Safe on a struct of zeros and after an error. */
void dory_agent_close(struct dory_agent *agent);

#endif
