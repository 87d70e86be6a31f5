#include "scp_algorithms.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "algorithms.h"
#include "platform/posix/dory_posix_text.h"

/* What OpenSSH's configurations name; one that is not linked is no mistake of the person. */
static const char elsewhere[] =
    ",3des-cbc,aes128-cbc,aes192-cbc,aes256-cbc,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com,"
    "chacha20-poly1305@openssh.com,hmac-sha1,hmac-sha1-96,hmac-sha2-256,hmac-sha2-512,hmac-md5,hmac-md5-96,umac-64@openssh.com,"
    "umac-128@openssh.com,hmac-sha1-etm@openssh.com,hmac-sha1-96-etm@openssh.com,hmac-sha2-256-etm@openssh.com,"
    "hmac-sha2-512-etm@openssh.com,hmac-md5-etm@openssh.com,hmac-md5-96-etm@openssh.com,umac-64-etm@openssh.com,"
    "umac-128-etm@openssh.com,diffie-hellman-group1-sha1,diffie-hellman-group14-sha1,diffie-hellman-group14-sha256,"
    "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group-exchange-sha1,"
    "diffie-hellman-group-exchange-sha256,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,curve25519-sha256,"
    "curve25519-sha256@libssh.org,sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,mlkem768x25519-sha256,ssh-ed25519,"
    "ssh-ed25519-cert-v01@openssh.com,sk-ssh-ed25519@openssh.com,sk-ssh-ed25519-cert-v01@openssh.com,ecdsa-sha2-nistp256,"
    "ecdsa-sha2-nistp256-cert-v01@openssh.com,ecdsa-sha2-nistp384,ecdsa-sha2-nistp384-cert-v01@openssh.com,ecdsa-sha2-nistp521,"
    "ecdsa-sha2-nistp521-cert-v01@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,sk-ecdsa-sha2-nistp256-cert-v01@openssh.com,"
    "ssh-dss,ssh-dss-cert-v01@openssh.com,ssh-rsa,ssh-rsa-cert-v01@openssh.com,rsa-sha2-256,rsa-sha2-256-cert-v01@openssh.com,"
    "rsa-sha2-512,rsa-sha2-512-cert-v01@openssh.com,webauthn-sk-ecdsa-sha2-nistp256@openssh.com,rijndael-cbc@lysator.liu.se,"
    "blowfish-cbc,cast128-cbc,arcfour,arcfour128,arcfour256,sntrup4591761x25519-sha512@tinyssh.org,";

/* The next element of a list separated by commas; false: no more. */
static bool element(const char **list, char name[128])
{
    size_t n;

    *list += strspn(*list, ", ");
    n = strcspn(*list, ", ");
    if (!n || n >= 128)
        return false;
    memcpy(name, *list, n);
    name[n] = '\0';
    *list += n;
    return true;
}

static bool has(const int *order, int n, int index)
{
    while (n--)
        if (order[n] == index)
            return true;
    return false;
}

static bool is_pattern(const char *name)
{
    return strpbrk(name, "*?") != NULL;
}

/* What stands behind the sign, which says what the list does to the ones there are; '=': it replaces them. */
static char how_of(const char **list)
{
    return **list && strchr("+-^", **list) ? *(*list)++ : '=';
}

bool dory_cli_algorithms_known(const char *list, bool patterns)
{
    char name[128];
    bool any = false;

    if (how_of(&list) == '-')
        return true;
    while (element(&list, name)) {
        if (!(patterns && is_pattern(name)) && !dory_cli_lists(elsewhere, name))
            return false;
        any = true;
    }
    return any && !*list;
}

/* The indices that the list names, in its order. A pattern may name several. */
static int named(const char *const *names, int count, const char *list, int *order, char *why, size_t cap)
{
    char name[128];
    int n = 0;

    while (element(&list, name))
        for (int i = 0; i < count; i++)
            if (dory_match_pattern(names[i], name) && !has(order, n, i))
                order[n++] = i;
    if (!*list)
        return n;
    snprintf(why, cap, "a name is too long");
    return -1;
}

int dory_cli_pick(const char *const *names, int count, const char *list, int *order, char *why, size_t cap)
{
    int chosen[DORY_CLI_ALGORITHMS_MAX], chosen_n, n = 0;
    char how;

    if (!list) {
        while (n < count) {
            order[n] = n;
            n++;
        }
        return n;
    }
    how = how_of(&list);
    chosen_n = named(names, count, list, chosen, why, cap);
    if (chosen_n < 0)
        return -1;
    for (int i = 0; (how == '=' || how == '^') && i < chosen_n; i++) order[n++] = chosen[i];
    for (int i = 0; how != '=' && i < count; i++)
        if (how == '+' || !has(chosen, chosen_n, i))
            order[n++] = i;
    if (n)
        return n;
    snprintf(why, cap, "none of '%s' is known here", list);
    return -1;
}

/* Fills one NULL-ended array. The arrays differ in type only, and each element begins with its name. */
#define CHOOSE(member, all, option, list)                                                                                                  \
    do {                                                                                                                                   \
        const char *names_[DORY_CLI_ALGORITHMS_MAX] = {NULL};                                                                              \
        int order_[DORY_CLI_ALGORITHMS_MAX], count_ = 0, n_;                                                                               \
        while (count_ < DORY_CLI_ALGORITHMS_MAX && (all)[count_]) {                                                                        \
            names_[count_] = (all)[count_]->name;                                                                                          \
            count_++;                                                                                                                      \
        }                                                                                                                                  \
        n_ = dory_cli_pick(names_, count_, (list), order_, reason, sizeof reason);                                                         \
        if (n_ < 0)                                                                                                                        \
            return bad_list((option), reason, names_, count_, why, cap);                                                                   \
        for (int i_ = 0; i_ < n_; i_++) a->member[i_] = (all)[order_[i_]];                                                                 \
        a->member[n_] = NULL;                                                                                                              \
    } while (0)

static int bad_list(const char *option, const char *reason, const char *const *names, int count, char *why, size_t cap)
{
    int n = snprintf(why, cap, "%s: %s; there are ", option, reason);

    for (int i = 0; i < count && n > 0 && (size_t)n < cap; i++) n += snprintf(why + n, cap - (size_t)n, "%s%s", i ? "," : "", names[i]);
    return -1;
}

int dory_cli_algorithms_choose(struct dory_cli_algorithms *a, const struct dory_cli_ssh *options, char *why, size_t cap)
{
    const struct dory_cipher *const *ciphers = dory_cipher_list();
    char reason[256];

    memset(a, 0, sizeof *a);
    CHOOSE(kex, dory_kex_list, "KexAlgorithms", options->kex);
    CHOOSE(ciphers, ciphers, "Ciphers", options->ciphers);
    CHOOSE(macs, dory_mac_list, "MACs", options->macs);
    CHOOSE(signatures, dory_signature_list, "HostKeyAlgorithms", options->hostkey_algorithms);
    return 0;
}

static bool lists(const char *types, const char *type)
{
    char name[128];

    while (element(&types, name))
        if (!strcmp(name, type))
            return true;
    return false;
}

void dory_cli_algorithms_prefer(struct dory_cli_algorithms *a, const char *types)
{
    const struct dory_sigalg *sorted[DORY_CLI_ALGORITHMS_MAX + 1] = {NULL};
    int n = 0;

    for (int first = 1; first >= 0; first--)
        for (int i = 0; a->signatures[i]; i++)
            if (lists(types, a->signatures[i]->key_type) == first)
                sorted[n++] = a->signatures[i];
    memcpy(a->signatures, sorted, sizeof sorted);
}
