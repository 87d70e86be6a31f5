/* Who may log in. What is in flash decides: keys in "authorized_keys", a password hash in "password". While neither holds anything that could let
 * somebody in, the password that this boot printed on the console does, so that a file with a mistake in it locks nobody out for good.
 * Users that do not exist cost the same work and get the same replies as the one that does. */
#include <string.h>

#include "device_internal.h"

enum { LINE = 256, BLOB = 160, ROUNDS_A_TURN = 32 };

struct credentials {
    bool key_fits;  /* the key asked about is listed */
    bool any;       /* some key or password lets somebody in */
    bool password;  /* there is one */
    struct dory_password_verifier verifier;
};

/* ---- lines of a slot */

struct lines {
    struct dory_device *device;
    unsigned slot;
    uint32_t at;
    char text[LINE];
};

/* 1: `text` holds the next line, NUL-terminated; longer ones come as "". 0: no more. Negative: cannot be read now, or at all. */
static int next_line(struct lines *in)
{
    bool whole = true;
    char *end;
    long n;

    while ((n = dory_flash_get(&in->device->flash, in->slot, in->at, in->text, LINE - 1)) > 0) {
        end = memchr(in->text, '\n', (size_t)n);
        in->at += end ? (uint32_t)(end - in->text) + 1 : (uint32_t)n;
        if (!end && n == LINE - 1) {
            whole = false;
            continue;
        }
        if (!end)
            end = in->text + n;
        if (end > in->text && end[-1] == '\r')
            end--;
        *end = '\0';
        if (!whole || strlen(in->text) != (size_t)(end - in->text))
            in->text[0] = '\0';
        return 1;
    }
    return n == DORY_E_NOENT ? 0 : (int)n;
}

/* ---- authorized_keys */

static bool same_word(const char *p, size_t n, const char *word)
{
    if (strlen(word) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((p[i] >= 'A' && p[i] <= 'Z' ? p[i] + 32 : p[i]) != word[i])
            return false;
    return true;
}

/* Options that restrict what this server does not have. A line with any other is not accepted. */
static bool options_are_moot(const char *p, size_t n)
{
    static const char *const moot[] = {"restrict", "no-port-forwarding", "no-agent-forwarding", "no-x11-forwarding", "no-pty", "no-user-rc"};
    size_t at = 0, word, i;

    do {
        const char *comma = memchr(p + at, ',', n - at);

        word = comma ? (size_t)(comma - p) - at : n - at;
        for (i = 0; i < sizeof moot / sizeof *moot && !same_word(p + at, word, moot[i]); i++) {
        }
        if (i == sizeof moot / sizeof *moot)
            return false;
        at += word + 1;
    } while (at <= n);
    return true;
}

static const char *next_word(const char *p, size_t *n)
{
    p += strspn(p, " \t");
    *n = strcspn(p, " \t");
    return p;
}

static bool is_key_type(const struct dory_device *device, const char *p, size_t n)
{
    for (const struct dory_sigalg *const *s = device->config->signatures; *s; s++)
        if (strlen((*s)->key_type) == n && memcmp((*s)->key_type, p, n) == 0)
            return true;
    return false;
}

/* The key blob of a line that lets it in: its size, or 0. */
static size_t key_of(const struct dory_device *device, const char *line, uint8_t blob[BLOB])
{
    size_t n, type_n;
    const char *word = next_word(line, &n), *type;
    int size;

    if (n == 0 || *word == '#')
        return 0;
    if (!is_key_type(device, word, n)) {
        if (!options_are_moot(word, n))
            return 0;
        word = next_word(word + n, &n);
        if (!is_key_type(device, word, n))
            return 0;
    }
    type = word;
    type_n = n;
    word = next_word(word + n, &n);
    size = dory_base64_decode(blob, BLOB, word, n);
    /* The blob begins with its type as a string (RFC 4253 6.6). */
    if (size < (int)(4 + type_n) || blob[0] || blob[1] || blob[2] || blob[3] != type_n || memcmp(blob + 4, type, type_n) != 0)
        return 0;
    return (size_t)size;
}

static int scan_keys(struct dory_device *device, const uint8_t *key, size_t key_n, struct credentials *found)
{
    struct lines in = {.device = device};
    int slot = dory_flash_find(&device->flash, "authorized_keys"), r = 0;
    uint8_t blob[BLOB];

    in.slot = (unsigned)slot;
    while (slot >= 0 && (r = next_line(&in)) == 1) {
        size_t n = key_of(device, in.text, blob);

        found->any |= n > 0;
        found->key_fits |= n > 0 && n == key_n && memcmp(blob, key, n) == 0;
    }
    return r;
}

/* ---- password */

static int scan_password(struct dory_device *device, struct credentials *found)
{
    struct lines in = {.device = device};
    int slot = dory_flash_find(&device->flash, "password"), r = 0;
    size_t n = strlen(device->config->user);

    in.slot = (unsigned)slot;
    while (slot >= 0 && !found->password && (r = next_line(&in)) == 1) {
        const char *hash = in.text;

        if (strncmp(hash, device->config->user, n) == 0 && hash[n] == ':')
            hash += n + 1;
        found->password = dory_password_verifier_parse(hash, strlen(hash), DORY_DEVICE_ROUNDS_MAX, &found->verifier);
    }
    dory_wipe(in.text, sizeof in.text);
    found->any |= found->password;
    return r < 0 ? r : 0;
}

static int scan(struct dory_device *device, const uint8_t *key, size_t key_n, struct credentials *found)
{
    int r;

    memset(found, 0, sizeof *found);
    r = scan_keys(device, key, key_n, found);
    return r < 0 ? r : scan_password(device, found);
}

int dory_i_device_has_credentials(struct dory_device *device)
{
    struct credentials found;
    int r = scan(device, NULL, 0, &found);

    dory_wipe(&found, sizeof found);
    return r < 0 ? r : found.any;
}

static int begin_password(struct dory_device_session *session, const struct dory_event *event, bool right_user, const struct credentials *found)
{
    struct dory_device_password *check = &session->device->password;
    const struct dory_password_verifier *v = &found->verifier;

    if (!found->any)
        return event->n == DORY_DEVICE_SETUP_SIZE && dory_equal(event->data, session->device->setup, event->n) && right_user;
    if (!found->password)
        return 0;
    check->owner = session;
    check->possible = right_user && event->n > 0;
    memcpy(check->expected, v->hash, sizeof v->hash);
    dory_pbkdf2_begin(&check->kdf, event->data, event->n, v->salt, v->salt_n, v->rounds);
    return DORY_E_AGAIN;
}

/* Between two parts others have as much time as the part took. */
static int go_on(struct dory_device *device)
{
    struct dory_device_password *check = &device->password;
    uint64_t start = dory_board_millis(), end;
    bool fits;

    if (start < check->rest_until)
        return DORY_E_AGAIN;
    if (dory_pbkdf2_step(&check->kdf, ROUNDS_A_TURN) > 0) {
        end = dory_board_millis();
        check->rest_until = end + (end - start);
        return DORY_E_AGAIN;
    }
    fits = dory_equal(check->kdf.out, check->expected, sizeof check->expected) && check->possible;
    dory_i_device_leave_password(check->owner);
    return fits;
}

void dory_i_device_leave_password(struct dory_device_session *session)
{
    struct dory_device_password *check = &session->device->password;

    if (check->owner == session)
        dory_wipe(check, sizeof *check);
}

/* ---- */

int dory_i_device_authenticate(struct dory_device_session *session, const struct dory_event *event)
{
    struct dory_device *device = session->device;
    size_t n = strlen(device->config->user);
    bool right_user = event->user_n == n && memcmp(event->user, device->config->user, n) == 0;
    struct credentials found;
    int r;

    if (device->password.owner == session)
        return go_on(device);
    if (event->method != DORY_AUTH_PUBLICKEY && device->password.owner)
        return DORY_E_AGAIN;
    r = scan(device, event->key, event->key_n, &found);
    if (r == DORY_OK)
        r = event->method == DORY_AUTH_PUBLICKEY ? found.key_fits && right_user : begin_password(session, event, right_user, &found);
    dory_wipe(&found, sizeof found);
    return r < 0 && r != DORY_E_AGAIN ? 0 : r;
}
