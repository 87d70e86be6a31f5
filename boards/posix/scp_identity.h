/* The keys that a person can log in with, in the order of ssh: keys of the agent that an identity file names, the agent's other keys, then
   the files whose keys it does not hold. */
#ifndef DORY_CLI_IDENTITY_H
#define DORY_CLI_IDENTITY_H

#include <limits.h>

#include "dory_crypto.h"
#include "dory_ssh.h"
#include "platform/posix/dory_posix_agent.h"

struct dory_client;

struct dory_identity {
    char *path;          /* of the file; NULL: the agent's alone. On the heap */
    const uint8_t *blob; /* NULL: unknown until the private key is read */
    size_t blob_n;
    uint8_t *own_blob;      /* where the file's public half is kept, on the heap */
    const uint8_t *comment; /* the agent's */
    size_t comment_n;
    bool in_agent, given, public_only; /* given: by the person, not a default; public_only: the file holds no private half */
    bool accepted;                     /* in part: the server takes it no second time */
    bool done;
    unsigned next_algorithm;
};

struct dory_identities {
    bool ready;
    struct dory_identity *list;
    int n, room;
    int current; /* the one that was offered last; -1 */
    char agent_path[PATH_MAX];
    struct dory_agent agent;
    struct dory_key key; /* of the current one, when it is a file's */
    uint8_t blob[DORY_KEY_BLOB_MAX];
};

/* Inside: scp_identity_algorithms.c. Which signature algorithm the key blob[0..n) is offered with next; NULL: none is left that this
   program, PubkeyAcceptedAlgorithms and the server take. */
const char *dory_client_next_algorithm(const struct dory_client *client, struct dory_identity *id, const uint8_t *blob, size_t n);
/* There are several, and the server has not said yet which it takes. */
bool dory_client_needs_server(const struct dory_client *client, const uint8_t *blob, size_t n);

enum dory_offer { DORY_OFFER_NONE, DORY_OFFER_MADE, DORY_OFFER_PROBE_FIRST };

/* Offers the next key. PROBE_FIRST: which signatures the server takes decides how, and it has not been asked anything yet (`asked`). */
enum dory_offer dory_client_offer_key(struct dory_client *client, bool asked);
/* Answers DORY_EV_SIGN. */
void dory_client_on_sign(struct dory_client *client, const struct dory_event *event);
/* The server took something in part (RFC 4252 5.1): keys that it refused before may now do, the one that it took will not. */
void dory_client_keys_again(struct dory_client *client, bool key_was_accepted);
void dory_client_forget_keys(struct dory_client *client);

#endif
