/* Passwords whose hash is in flash. The check is done in parts: PBKDF2 takes seconds on a small processor. */
#include <string.h>

#include "device_internal.h"

enum { PART_MS = 10, PARTS = 16, ROUNDS = 16 }; /* a turn: so long, but at most PARTS times ROUNDS */

/* The first line that could let somebody in. */
static int scan(struct dory_device *device, struct dory_password_verifier *v)
{
    struct device_lines in = {.device = device};
    int slot = dory_flash_find(&device->flash, "password"), r = 0;
    bool found = false;
    size_t n = strlen(device->config->user);

    in.slot = (unsigned)slot;
    while (slot >= 0 && !found && (r = dory_i_device_line(&in)) == 1) {
        const char *hash = in.text;

        if (strncmp(hash, device->config->user, n) == 0 && hash[n] == ':')
            hash += n + 1;
        found = dory_password_verifier_parse(hash, strlen(hash), DORY_DEVICE_ROUNDS_MAX, v);
    }
    dory_wipe(in.text, sizeof in.text);
    return r < 0 ? r : found;
}

static void begin(struct dory_device_session *session, const struct dory_event *event, bool right_user, const struct dory_password_verifier *v)
{
    struct dory_device_password *check = &session->device->password;

    check->owner = session;
    check->possible = right_user && event->n > 0;
    memcpy(check->expected, v->hash, sizeof v->hash);
    dory_pbkdf2_begin(&check->kdf, event->data, event->n, v->salt, v->salt_n, v->rounds);
}

/* Between two turns others have as much time as this took. */
static int go_on(struct dory_device *device)
{
    struct dory_device_password *check = &device->password;
    uint64_t start = dory_board_millis(), now = start;
    uint32_t left = 1;
    bool fits;

    if (start < check->rest_until)
        return DORY_E_AGAIN;
    for (int i = 0; left && i < PARTS && now - start < PART_MS; i++) {
        left = dory_pbkdf2_step(&check->kdf, ROUNDS);
        now = dory_board_millis();
    }
    check->rest_until = now + (now - start);
    if (left)
        return DORY_E_AGAIN;
    fits = dory_equal(check->kdf.out, check->expected, sizeof check->expected) && check->possible;
    dory_i_device_leave_password(check->owner);
    return fits;
}

const struct dory_device_passwords dory_device_passwords = {scan, begin, go_on};
