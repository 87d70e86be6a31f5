/* Who may log in. What is in flash decides: keys in "authorized_keys", a password hash in "password". While neither holds anything that could let
 * somebody in, the password that this boot printed on the console does, so that a file with a mistake in it locks nobody out for good.
 * Users that do not exist cost the same work and get the same replies as the one that does. */
#include <string.h>

#include "device_internal.h"

enum { BLOB = 160 };

struct credentials {
    bool key_fits;  /* the key asked about is listed */
    bool any;       /* some key or password lets somebody in */
    bool password;  /* there is one */
    struct dory_password_verifier verifier;
};

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

/* Strings to its end, the type and another. A key that a careless paste has cut short lets nobody in, so it may lock nobody out. */
static bool is_whole(const uint8_t *blob, size_t size)
{
    size_t at = 0, n = 0;

    while (at < size) {
        if (size - at < 4)
            return false;
        n = (size_t)blob[at] << 24 | (size_t)blob[at + 1] << 16 | (size_t)blob[at + 2] << 8 | blob[at + 3];
        at += 4;
        if (n > size - at)
            return false;
        at += n;
    }
    return n < size - 4;
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
    if (size < (int)(4 + type_n) || blob[3] != type_n || memcmp(blob + 4, type, type_n) != 0 || !is_whole(blob, (size_t)size))
        return 0;
    return (size_t)size;
}

static int scan_keys(struct dory_device *device, const uint8_t *key, size_t key_n, struct credentials *found)
{
    struct device_lines in = {.device = device};
    int slot = dory_flash_find(&device->flash, "authorized_keys"), r = 0;
    uint8_t blob[BLOB];

    in.slot = (unsigned)slot;
    while (slot >= 0 && (r = dory_i_device_line(&in)) == 1) {
        size_t n = key_of(device, in.text, blob);

        found->any |= n > 0;
        found->key_fits |= n > 0 && n == key_n && memcmp(blob, key, n) == 0;
    }
    return r;
}

/* ---- */

static int scan(struct dory_device *device, const uint8_t *key, size_t key_n, struct credentials *found)
{
    int r;

    memset(found, 0, sizeof *found);
    r = scan_keys(device, key, key_n, found);
    if (r >= 0 && device->config->passwords)
        r = device->config->passwords->scan(device, &found->verifier);
    found->password = r == 1;
    found->any |= found->password;
    return r < 0 ? r : 0;
}

int dory_i_device_has_credentials(struct dory_device *device)
{
    struct credentials found;
    int r = scan(device, NULL, 0, &found);

    dory_wipe(&found, sizeof found);
    return r < 0 ? r : found.any;
}

static int check_password(struct dory_device_session *session, const struct dory_event *event, bool right_user, const struct credentials *found)
{
    if (!found->any)
        return event->n == DORY_DEVICE_SETUP_SIZE && dory_equal(event->data, session->device->setup, event->n) && right_user;
    if (!found->password)
        return 0;
    session->device->config->passwords->begin(session, event, right_user, &found->verifier);
    return DORY_E_AGAIN;
}

void dory_i_device_leave_password(struct dory_device_session *session)
{
    struct dory_device_password *check = &session->device->password;

    if (check->owner == session)
        dory_wipe(check, offsetof(struct dory_device_password, rest_until)); /* the next one's check rests as well */
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
        return device->config->passwords->go_on(device);
    if (event->method != DORY_AUTH_PUBLICKEY && device->password.owner)
        return DORY_E_AGAIN;
    r = scan(device, event->key, event->key_n, &found);
    if (r == DORY_OK)
        r = event->method == DORY_AUTH_PUBLICKEY ? found.key_fits && right_user : check_password(session, event, right_user, &found);
    dory_wipe(&found, sizeof found);
    return r < 0 && r != DORY_E_AGAIN ? 0 : r;
}
