/* user:$pbkdf2-sha256$ROUNDS$SALT$HASH, one a line. */
#include "dory_posix_auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "password.h"
#include "dory_posix_sys.h"
#include "posix_internal.h"

#define SALT_SIZE 16

/* Splits "user:verifier" in place. */
static bool parse_line(char *line, struct dory_password_verifier *v)
{
    char *colon = strchr(line, ':');
    if (line[0] == '#' || colon == NULL || colon == line ||
        !dory_password_verifier_parse(colon + 1, strlen(colon + 1), DORY_PASSWORD_ROUNDS_MAX, v))
        return false;
    *colon = 0;
    return true;
}

/* Finds the user's verifier and the most rounds of any. 1: found, 0: no such user, or an error. */
static int find(struct dory_lines *lines, const char *user, struct dory_password_verifier *found, uint32_t *most)
{
    char *line;
    struct dory_password_verifier v;
    int r, hit = 0;
    while ((r = dory_lines_next(lines, &line)) == 1) {
        if (!parse_line(line, &v))
            continue;
        if (v.rounds > *most)
            *most = v.rounds;
        if (!hit && strcmp(line, user) == 0) {
            *found = v;
            hit = 1;
        }
    }
    dory_wipe(&v, sizeof v);
    return r < 0 ? r : hit;
}

static int check_mode(int fd, const char *file, char why[DORY_WHY_MAX])
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return dory_why(why, DORY_E_IO, "cannot examine %s", file);
    if (S_ISREG(st.st_mode) && (st.st_mode & 077))
        return dory_why(why, DORY_E_ACCESS, "%s can be used by other people (mode %04o), so it is ignored: chmod 600 %s", file,
                        (unsigned)st.st_mode & 07777, file);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return dory_why(why, DORY_E_ACCESS, "%s belongs to somebody else, so it is ignored", file);
    return DORY_OK;
}

/* The same number of rounds whoever asks: a user with fewer has the rest done for nothing, an unknown one all of it. */
static int verify(const struct dory_password_verifier *v, uint32_t most, const uint8_t *password, size_t n)
{
    uint8_t hash[32], waste[32];
    int r = dory_pbkdf2_sha256(password, n, v->salt, v->salt_n, v->rounds, hash);
    if (r == DORY_OK && most > v->rounds)
        r = dory_pbkdf2_sha256(password, n, v->salt, v->salt_n, most - v->rounds, waste);
    if (r == DORY_OK && !dory_equal(hash, v->hash, sizeof hash))
        r = DORY_E_AUTH;
    dory_wipe(hash, sizeof hash);
    return r;
}

int dory_password_check(const char *file, const char *user, const uint8_t *password, size_t n, char why[DORY_WHY_MAX])
{
    struct dory_lines lines;
    struct dory_password_verifier v = {.salt_n = SALT_SIZE};
    uint32_t most = 0;
    why[0] = 0;
    int r = dory_lines_open(&lines, file);
    if (r != DORY_OK)
        return dory_why(why, r == DORY_E_NOENT ? r : DORY_E_IO, "cannot read %s: %s", file, dory_strerror(r));
    r = check_mode(lines.fd, file, why);
    if (r == DORY_OK) {
        r = find(&lines, user, &v, &most);
        if (r < 0)
            r = dory_why(why, DORY_E_IO, "cannot read %s: %s", file, dory_strerror(r));
    }
    dory_lines_close(&lines);
    if (r < 0)
        return r;
    bool possible = r == 1 && n > 0 && n <= DORY_PASSWORD_MAX;
    if (r == 0)
        v.rounds = most ? most : DORY_PASSWORD_ROUNDS;
    if (n > DORY_PASSWORD_MAX)
        n = DORY_PASSWORD_MAX;
    r = verify(&v, most, password, n);
    dory_wipe(&v, sizeof v);
    if (r == DORY_OK && possible)
        return DORY_OK;
    return DORY_E_AUTH;
}

int dory_password_hash(char out[DORY_PASSWORD_HASH_MAX], const uint8_t *password, size_t n, uint32_t rounds, const struct dory_rng *rng)
{
    uint8_t salt[SALT_SIZE], hash[32];
    char salt64[32], hash64[64];
    if (rounds == 0)
        rounds = DORY_PASSWORD_ROUNDS;
    if (n == 0 || n > DORY_PASSWORD_MAX || rounds > DORY_PASSWORD_ROUNDS_MAX)
        return DORY_E_ARG;
    int r = rng->fill(rng->ctx, salt, sizeof salt);
    if (r == DORY_OK)
        r = dory_pbkdf2_sha256(password, n, salt, sizeof salt, rounds, hash);
    if (r != DORY_OK)
        return r;
    dory_base64_encode(salt64, sizeof salt64, salt, sizeof salt, false);
    dory_base64_encode(hash64, sizeof hash64, hash, sizeof hash, false);
    dory_wipe(hash, sizeof hash);
    return snprintf(out, DORY_PASSWORD_HASH_MAX, DORY_PASSWORD_SCHEME "%lu$%s$%s", (unsigned long)rounds, salt64, hash64);
}

/* ---- dory serve --hash-password */

static int read_stdin_line(char *buf, size_t cap)
{
    size_t n = 0;
    char c;
    while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n') {
        if (n + 1 >= cap)
            return DORY_E_SPACE;
        buf[n++] = c;
    }
    buf[n] = 0;
    return (int)n;
}

static int get_password(char *buf, size_t cap)
{
    char again[DORY_PASSWORD_MAX + 1];
    if (!isatty(STDIN_FILENO))
        return read_stdin_line(buf, cap);
    int n = dory_tty_password("Password: ", buf, cap);
    if (n < 0)
        return n;
    int r = dory_tty_password("The same again: ", again, sizeof again);
    bool same = r == n && dory_equal(buf, again, (size_t)n);
    dory_wipe(again, sizeof again);
    if (same || r < 0)
        return r;
    fprintf(stderr, "dory: the two differ\n");
    return DORY_E_AUTH;
}

int dory_cmd_hash_password(const char *user)
{
    char password[DORY_PASSWORD_MAX + 1], line[DORY_PASSWORD_HASH_MAX];
    const struct dory_rng rng = {.fill = dory_posix_rng};
    if (user && (*user == 0 || *user == '#' || strpbrk(user, ":\n\r") != NULL)) {
        fprintf(stderr, "dory: a user name must not be empty, hold ':' or begin with '#'\n");
        return 1;
    }
    int r = dory_crypto_init();
    if (r == DORY_OK)
        r = get_password(password, sizeof password);
    if (r > 0)
        r = dory_password_hash(line, (const uint8_t *)password, (size_t)r, 0, &rng);
    else if (r == 0)
        r = DORY_E_ARG, fprintf(stderr, "dory: an empty password is not accepted\n");
    else if (r == DORY_E_SPACE)
        fprintf(stderr, "dory: the password is longer than %d bytes\n", DORY_PASSWORD_MAX);
    dory_wipe(password, sizeof password);
    if (r < 0) {
        if (r != DORY_E_AUTH && r != DORY_E_ARG && r != DORY_E_SPACE)
            fprintf(stderr, "dory: %s\n", dory_strerror(r));
        return 1;
    }
    printf("%s%s%s\n", user ? user : "", user ? ":" : "", line);
    return fflush(stdout) == 0 ? 0 : 1;
}
