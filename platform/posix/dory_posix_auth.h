/* Who may log in: authorized_keys in OpenSSH's format, and a password file of our own. */
#ifndef DORY_POSIX_AUTH_H
#define DORY_POSIX_AUTH_H

#include <stdbool.h>

#include "dory_posix_keyfile.h"

/* What a line of authorized_keys says of whoever comes in by it. */
#define DORY_FORCED_MAX 1024
struct dory_key_grant {
    char command[DORY_FORCED_MAX]; /* command=: to be done in place of what the client asks for; "": nothing forced */
};

/* Is the public key blob[0..n) listed in the file, and do the options of its line allow it now, from `peer` (a numeric address, NULL if
   unknown: no from= matches then)? `now` is seconds since 1970.
   DORY_OK: yes, and *grant says as what. DORY_E_AUTH: no; `why` is "" if it is not listed at all, else it names the line and the reason,
   for the log; a line that could not be read (over 16 KiB, or with a NUL) is named, too.
   DORY_E_NOENT, DORY_E_IO: the file cannot be read. DORY_E_ACCESS: it, or a directory that leads to it, can be written by others than its
   owner, so nobody is let in.
   Honoured: restrict and everything about forwarding, terminals and user-rc (Dory offers none of them), from=, expiry-time=, and
   command= where it is `internal-sftp` or an `scp -t|-f`, which the caller must then enforce. A line with any other option is not
   accepted. */
int dory_authorized_keys_match(const char *file, const uint8_t *blob, size_t n, const char *peer, int64_t now, struct dory_key_grant *grant,
                               char why[DORY_WHY_MAX]);

/* Lines of the password file: user:$pbkdf2-sha256$ROUNDS$SALT$HASH (base64 without padding). */
#define DORY_PASSWORD_ROUNDS     100000
#define DORY_PASSWORD_ROUNDS_MAX 2000000
#define DORY_PASSWORD_HASH_MAX   128
#define DORY_PASSWORD_MAX        1024 /* bytes; longer ones never match */

/* Is password[0..n) that of `user`? The same work is done for every user, known or not: as much as the costliest line of the file, about
   50 ms at DORY_PASSWORD_ROUNDS on a PC. DORY_OK: yes. DORY_E_AUTH: no. DORY_E_NOENT, DORY_E_IO, DORY_E_ACCESS (readable or writable by
   others than its owner): nobody is let in, and `why` says what to do. */
int dory_password_check(const char *file, const char *user, const uint8_t *password, size_t n, char why[DORY_WHY_MAX]);

/* `$pbkdf2-sha256$…` of the password with fresh salt. rounds 0: DORY_PASSWORD_ROUNDS. Returns the length, or an error. */
int dory_password_hash(char out[DORY_PASSWORD_HASH_MAX], const uint8_t *password, size_t n, uint32_t rounds, const struct dory_rng *rng);

/* `dory serve --hash-password [USER]`: asks twice on the terminal, or reads one line from standard input where that is no terminal, and
   prints the line for the password file ("USER:" in front where given; user may be NULL). Returns the exit status. */
int dory_cmd_hash_password(const char *user);

#endif
