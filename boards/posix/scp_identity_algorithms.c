/* By which signature algorithm a key is used: what its type can do, what the person allows, and what the server takes. */
#include <string.h>

#include "platform/posix/dory_posix_keyfile.h"
#include "scp_client.h"
#include "scp_identity.h"

#define RSA_BITS_MIN 2048

/* Signature algorithms of a key type, preferred first. An agent may hold keys that this program could not use itself. */
#define CERT "-cert-v01@openssh.com"
static const struct {
    const char *type, *algorithms[2];
} kinds[] = {
    {"ssh-ed25519", {"ssh-ed25519"}},
    {"ecdsa-sha2-nistp256", {"ecdsa-sha2-nistp256"}},
    {"ecdsa-sha2-nistp384", {"ecdsa-sha2-nistp384"}},
    {"ecdsa-sha2-nistp521", {"ecdsa-sha2-nistp521"}},
    {"ssh-rsa", {"rsa-sha2-512", "rsa-sha2-256"}},
    {"sk-ssh-ed25519@openssh.com", {"sk-ssh-ed25519@openssh.com"}},
    {"sk-ecdsa-sha2-nistp256@openssh.com", {"sk-ecdsa-sha2-nistp256@openssh.com"}},
    {"ssh-ed25519" CERT, {"ssh-ed25519" CERT}},
    {"ecdsa-sha2-nistp256" CERT, {"ecdsa-sha2-nistp256" CERT}},
    {"ecdsa-sha2-nistp384" CERT, {"ecdsa-sha2-nistp384" CERT}},
    {"ecdsa-sha2-nistp521" CERT, {"ecdsa-sha2-nistp521" CERT}},
    {"ssh-rsa" CERT, {"rsa-sha2-512" CERT, "rsa-sha2-256" CERT}},
    {"sk-ssh-ed25519" CERT, {"sk-ssh-ed25519" CERT}},
    {"sk-ecdsa-sha2-nistp256" CERT, {"sk-ecdsa-sha2-nistp256" CERT}},
};

#define KINDS      (sizeof kinds / sizeof *kinds)
#define ALGORITHMS 2 /* of one type */

/* PubkeyAcceptedAlgorithms */
static bool is_allowed(const struct dory_client *c, const char *algorithm)
{
    const char *list = c->options->ssh.pubkey_algorithms, *names[1] = {algorithm};
    int order[DORY_CLI_ALGORITHMS_MAX];
    char why[256];

    return !list || dory_cli_pick(names, 1, list, order, why, sizeof why) == 1;
}

/* RequiredRSASize, and what is weak whatever it says. */
static bool is_weak(const struct dory_client *c, const uint8_t *blob, size_t n)
{
    unsigned wanted = c->options->ssh.rsa_bits > RSA_BITS_MIN ? (unsigned)c->options->ssh.rsa_bits : RSA_BITS_MIN;

    return !strcmp(dory_key_label(blob, n), "RSA") && dory_key_bits(blob, n) < wanted;
}

/* Number `index` of those that a key can be used with; NULL: no more. */
static const char *algorithm_of(const uint8_t *blob, size_t n, unsigned index)
{
    size_t length = n >= 4 ? (size_t)blob[0] << 24 | (size_t)blob[1] << 16 | (size_t)blob[2] << 8 | blob[3] : 0;

    if (index >= ALGORITHMS || n < 4 || length > n - 4)
        return NULL;
    for (size_t i = 0; i < KINDS; i++)
        if (strlen(kinds[i].type) == length && !memcmp(kinds[i].type, blob + 4, length))
            return kinds[i].algorithms[index];
    return NULL;
}

/* server-sig-algs (RFC 8308 3.1). What the list does not tell may be tried. */
enum answer { REFUSED, UNKNOWN, TAKEN };

static enum answer server_takes(const struct dory_client *c, const char *algorithm)
{
    uint32_t known = dory_ssh_server_sig_algs(&c->ssh);

    if (known == UINT32_MAX)
        return UNKNOWN;
    for (int i = 0; i < 32 && c->config.user_signatures[i]; i++)
        if (!strcmp(c->config.user_signatures[i]->name, algorithm))
            return known >> i & 1 ? TAKEN : REFUSED;
    return UNKNOWN;
}

/* One that is known to be taken is the last. */
const char *dory_client_next_algorithm(const struct dory_client *c, struct dory_identity *id, const uint8_t *blob, size_t n)
{
    const char *algorithm;

    while (!is_weak(c, blob, n) && (algorithm = algorithm_of(blob, n, id->next_algorithm))) {
        enum answer answer = server_takes(c, algorithm);

        id->next_algorithm++;
        if (answer == REFUSED || !is_allowed(c, algorithm))
            continue;
        id->done = answer == TAKEN || !algorithm_of(blob, n, id->next_algorithm);
        return algorithm;
    }
    id->done = true;
    return NULL;
}

bool dory_client_needs_server(const struct dory_client *c, const uint8_t *blob, size_t n)
{
    return algorithm_of(blob, n, 1) && dory_ssh_server_sig_algs(&c->ssh) == UINT32_MAX;
}
