/* known_hosts: which host keys were seen before. Files in OpenSSH's format, plain and hashed; they may be edited by others meanwhile.
   `files` is a NULL-ended array of paths; one that does not exist is empty. `host` is the name or address as the user means it (case does
   not matter), `port` the TCP port: other than 22, entries are sought as `[host]:port`. Lines over 16 KiB are skipped. */
#ifndef DORY_POSIX_KNOWN_HOSTS_H
#define DORY_POSIX_KNOWN_HOSTS_H

#include <stdbool.h>

#include "dory_posix_keyfile.h"

enum dory_known {
    DORY_KNOWN_UNKNOWN = 0,    /* no key of this host: ask, or obey StrictHostKeyChecking */
    DORY_KNOWN_MATCH = 1,      /* this key */
    DORY_KNOWN_CHANGED = 2,    /* a key of the same type, another one: refuse loudly */
    DORY_KNOWN_OTHER_TYPE = 3, /* only keys of other types: never offer it as merely new; see dory_known_hosts_types */
    DORY_KNOWN_REVOKED = 4     /* marked @revoked, whatever else is there: refuse */
};

struct dory_known_result {
    enum dory_known verdict;
    const char *file;             /* where; one of `files`, NULL for UNKNOWN */
    unsigned line;                /* from 1 */
    char type[DORY_KEY_TYPE_MAX]; /* of the key in that line */
    char fingerprint[DORY_FINGERPRINT_MAX];
};

/* Looks for the host key blob[0..n). DORY_OK, and *result says what was found. A negative error (DORY_E_ACCESS, DORY_E_IO: a file exists
   and cannot be read; DORY_E_ARG: impossible host) must end the connection: never treat it as unknown. */
int dory_known_hosts_check(const char *const *files, const char *host, unsigned port, const uint8_t *blob, size_t n,
                           struct dory_known_result *result, char why[DORY_WHY_MAX]);

/* Is the key listed in `file`, one public key a line (ssh_config(5), RevokedHostKeys)? 1 yes, 0 no. A negative error (the file is missing
   or cannot be read; DORY_E_CRYPTO: a line is too long to be read; DORY_E_NOSYS: it is a binary key revocation list) must end the
   connection. */
int dory_key_is_revoked(const char *file, const uint8_t *blob, size_t n, char why[DORY_WHY_MAX]);

/* Key types known for the host, not revoked ones, each once, separated by commas, NUL-terminated ("" if none): the client asks for these
   first, so that a host is met with the key that is known. Returns how many, or an error as above. What does not fit is left out. */
int dory_known_hosts_types(const char *const *files, const char *host, unsigned port, char *out, size_t cap);

/* Appends a line for the key to `file` in one write; `hash` hides the name (HashKnownHosts). Makes the file (0600) and its directory (0700)
   where missing. Errors of the file system. */
int dory_known_hosts_add(const char *file, const char *host, unsigned port, const uint8_t *blob, size_t n, bool hash,
                         const struct dory_rng *rng, char why[DORY_WHY_MAX]);

/* A server that was met with a known key tells all of its keys (hostkeys-00@openssh.com, OpenSSH's PROTOCOL 2.5): strings, one after the
   other, in keys[0..n). Writes those that `files` do not hold yet, and that one of the algorithms can prove, to news[0..cap) in the same
   form, each once; their bytes, 0: none. What does not fit, and what is marked as revoked, is left
   out. Errors as dory_known_hosts_check. */
int dory_hostkeys_news(const char *const *files, const char *host, unsigned port, const struct dory_sigalg *const *algorithms,
                       const uint8_t *keys, size_t n, uint8_t *news, size_t cap, char why[DORY_WHY_MAX]);
/* Is proof a good signature for each of the keys, over this session? */
bool dory_hostkeys_proved(const struct dory_sigalg *const *algorithms, const uint8_t *session_id, size_t id_n, const uint8_t *keys,
                          size_t n, const uint8_t *proof, size_t proof_n);

#endif
