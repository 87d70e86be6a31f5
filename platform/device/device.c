/* Start, first boot, and the turn of all that there is. */
#include "device_internal.h"

#include <string.h>

enum { RESET_MS = 200, TURN_MAX_MS = 60 * 1000 };

/* ---- the console */

void dory_i_device_say(const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");

        if (n)
            dory_board_put(text, n);
        text += n;
        if (*text) {
            dory_board_put("\r\n", 2);
            text++;
        }
    }
}

void dory_i_device_print(const char *format, ...)
{
    char buf[256];
    struct dory_text text;
    va_list args;

    dory_text_init(&text, buf, sizeof buf);
    va_start(args, format);
    dory_text_vsay(&text, format, args);
    va_end(args);
    dory_i_device_say(buf);
}

void dory_i_device_fingerprint(char out[DEVICE_FINGERPRINT], const uint8_t *blob, size_t n)
{
    struct dory_sha256 hash;
    uint8_t digest[32];

    dory_sha256_init(&hash);
    dory_sha256_update(&hash, blob, n);
    dory_sha256_final(&hash, digest);
    memcpy(out, "SHA256:", 7);
    dory_base64_encode(out + 7, DEVICE_FINGERPRINT - 7, digest, sizeof digest, false);
}

/* Milliseconds by 1000 without the long division of 64 bits. */
uint32_t dory_i_device_seconds(const struct dory_device *device)
{
    return (uint32_t)(device->now >> 3) / 125;
}

static void greet(struct dory_device *device)
{
    char buf[128], fingerprint[DEVICE_FINGERPRINT];
    struct dory_text text;

    dory_text_init(&text, buf, sizeof buf);
    dory_device_version.run(device, "", &text);
    dory_i_device_fingerprint(fingerprint, device->hostkey.blob, device->hostkey.n);
    dory_i_device_print("\n%shost key %s (ED25519)\n", buf, fingerprint);
}

void dory_i_device_print_setup(struct dory_device *device)
{
    const char *user = device->config->user;

    if (dory_i_device_has_credentials(device) == 1)
        return;
    dory_i_device_print("No key and no password is set. Until one is, the password of this boot lets in %s: %s\n"
                        "To set a key: scp%s ~/.ssh/id_ed25519.pub %s@THIS-DEVICE:authorized_keys\n",
                        user, device->setup, device->config->subsystem ? "" : " -O", user);
}

/* ---- first boot */

static int fill(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    return dory_board_entropy(out, n) == DORY_OK ? DORY_OK : DORY_E_RNG;
}

/* Four groups of four characters that are not mistaken for each other: 80 bits. */
static int make_setup(struct dory_device *device)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
    uint8_t bytes[16];
    int r = fill(NULL, bytes, sizeof bytes);

    for (int i = 0, at = 0; !r && i < 16; i++) {
        if (i && i % 4 == 0)
            device->setup[at++] = '-';
        device->setup[at++] = letters[bytes[i] % 32];
    }
    dory_wipe(bytes, sizeof bytes);
    return r;
}

/* The seed in flash, made if there is none. */
static int host_key(struct dory_device *device)
{
    int slot = dory_flash_find(&device->flash, "hostkey"), r = DORY_OK;
    uint8_t seed[32];
    long n;

    if (slot < 0)
        return DORY_E_ARG;
    while ((n = dory_flash_get(&device->flash, (unsigned)slot, 0, seed, sizeof seed)) == DORY_E_AGAIN)
        dory_board_wait(1);
    if (n != sizeof seed) {
        r = n == DORY_E_NOENT || n >= 0 ? fill(NULL, seed, sizeof seed) : (int)n;
        if (!r)
            r = dory_flash_put(&device->flash, (unsigned)slot, seed, sizeof seed);
        if (!r)
            dory_device_log(device, "first boot: a host key was made");
    }
    if (!r)
        r = dory_ed25519_from_seed(&device->key, seed);
    dory_wipe(seed, sizeof seed);
    if (r)
        return r;
    n = device->key.type->public_blob(&device->key, device->key_blob, sizeof device->key_blob);
    device->hostkey = (struct dory_hostkey){device->key.type->name, device->key_blob, n > 0 ? (size_t)n : 0};
    return n > 0 ? DORY_OK : (int)n;
}

static int start(struct dory_device *device)
{
    const struct dory_device_config *config = device->config;
    int r = dory_crypto_init();

    if (!r)
        r = make_setup(device);
    if (r)
        return r;
    while ((r = dory_flash_mount(&device->flash, config->flash, config->slots, config->slot_count, config->running)) == DORY_E_AGAIN)
        dory_board_wait(1);
    while (!r && config->log && (r = config->log->mount(device)) == DORY_E_AGAIN) {
        dory_board_wait(1);
        r = DORY_OK;
    }
    return r ? r : host_key(device);
}

int dory_device_init(struct dory_device *device, const struct dory_device_config *config)
{
    int r;

    memset(device, 0, sizeof *device);
    device->config = config;
    device->now = dory_board_millis();
    device->rng.fill = fill;
    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++)
        device->sessions[i].device = device;
    r = start(device);
    if (r) {
        dory_i_device_print("\nDory does not start: %s\n", r == DORY_E_RNG   ? "no entropy, so no key would be safe"
                                                          : r == DORY_E_ARG ? "the table of slots cannot work"
                                                                            : dory_strerror(r));
        return r;
    }
    greet(device);
    dory_i_device_print_setup(device);
    dory_device_log(device, "start");
    return DORY_OK;
}

/* ---- sessions */

/* A free seat; if need be that of the oldest who has not logged in for a while. -1: none. */
static int seat(const struct dory_device *device)
{
    int oldest = -1;

    if (device->reboot_at)
        return -1;
    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++) {
        const struct dory_device_session *s = &device->sessions[i];

        if (!s->ops)
            return i;
        if (!s->authenticated && device->now - s->started >= DORY_DEVICE_EVICT_MS && (oldest < 0 || s->started < device->sessions[oldest].started))
            oldest = i;
    }
    return oldest;
}

bool dory_device_has_room(const struct dory_device *device)
{
    return seat(device) >= 0;
}

uint8_t dory_i_device_live(const struct dory_device *device)
{
    uint8_t live = 0;

    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++)
        if (device->sessions[i].ops)
            live++;
    return live;
}

bool dory_device_accept(struct dory_device *device, const struct dory_conn_ops *ops, void *conn)
{
    int i = seat(device);

    if (i < 0)
        return false;
    if (device->sessions[i].ops) {
        dory_i_session_say(&device->sessions[i], "no login: gave way");
        dory_i_session_abort(&device->sessions[i]);
    }
    dory_i_session_begin(&device->sessions[i], ops, conn);
    device->connections++;
    if (dory_i_device_live(device) > device->sessions_most)
        device->sessions_most = dory_i_device_live(device);
    return true;
}

/* ---- the turn */

static uint32_t reboot_turn(struct dory_device *device)
{
    if (!device->reboot_at)
        return UINT32_MAX;
    if (device->now >= device->reboot_at + RESET_MS)
        dory_board_reset();
    if (device->now >= device->reboot_at)
        for (int i = 0; i < DORY_DEVICE_SESSIONS; i++)
            if (device->sessions[i].ops && !device->sessions[i].ending)
                dory_i_session_disconnect(&device->sessions[i], "the device reboots");
    return 10;
}

static void sooner(uint32_t *wait, uint32_t ms)
{
    if (ms < *wait)
        *wait = ms;
}

uint32_t dory_device_turn(struct dory_device *device, uint64_t now_ms)
{
    uint32_t wait = TURN_MAX_MS;

    device->now = now_ms;
    for (int i = 0; i < DORY_DEVICE_SESSIONS; i++)
        if (device->sessions[i].ops)
            sooner(&wait, dory_i_session_turn(&device->sessions[i]));
    if (device->config->log)
        sooner(&wait, device->config->log->turn(device));
    if (device->config->console)
        sooner(&wait, device->config->console(device));
    if (device->config->turn)
        sooner(&wait, device->config->turn(device, now_ms));
    sooner(&wait, reboot_turn(device));
    return wait;
}
