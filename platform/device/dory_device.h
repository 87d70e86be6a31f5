/* The application that every board shares: an SSH server over fixed flash slots, with commands, a log and a console.
 *
 *     main():   dory_device_run(&config);                      on lwIP; never returns
 *
 * or, for another network (tests):
 *
 *     dory_device_init(&device, &config);
 *     loop:  for each newcomer: dory_device_accept(&device, &ops, conn)
 *            wait = dory_device_turn(&device, now_ms)
 *
 * First boot: an ed25519 host key is made from the board's entropy and kept in the hidden config slot "hostkey". Each boot prints its
 * fingerprint. Who may log in stands in the config slots "authorized_keys" (OpenSSH's format) and "password" (`dory serve --hash-password`).
 * While neither holds anything usable, a password made for this boot is printed on the console, and it alone lets in.
 *
 * The board's side (console, entropy, reset, name) is dory_board.h. No heap, no printf; everything is in the caller's struct dory_device.
 */
#ifndef DORY_DEVICE_H
#define DORY_DEVICE_H

#include "dory_conn.h"
#include "dory_scp.h"
#include "dory_ssh.h"
#include "dory_text.h"
#include "platform/flash/dory_flash.h"
#include "platform/password.h"
#include "platform/pump.h"

/* Limits; a board overrides them in its dory_limits.h. */
#ifndef DORY_DEVICE_SESSIONS
#define DORY_DEVICE_SESSIONS 2
#endif
#ifndef DORY_DEVICE_RX /* a session's packet buffers */
#define DORY_DEVICE_RX 3584
#endif
#ifndef DORY_DEVICE_TX
#define DORY_DEVICE_TX 2048
#endif
#ifndef DORY_DEVICE_OUTPUT /* the longest output of a command */
#define DORY_DEVICE_OUTPUT 640
#endif
#ifndef DORY_DEVICE_ENGINE /* bytes a session has for the engine of config.subsystem */
#define DORY_DEVICE_ENGINE 8
#endif
#ifndef DORY_DEVICE_ROUNDS_MAX /* of PBKDF2 for a password; lines of the password file that want more are not accepted */
#define DORY_DEVICE_ROUNDS_MAX 100000
#endif
#ifndef DORY_DEVICE_LOG_PENDING /* bytes of log lines that wait for the flash */
#define DORY_DEVICE_LOG_PENDING 256
#endif

#ifndef DORY_DEVICE_EVICT_MS /* a login that takes longer gives its seat to a newcomer, if no other is free. A person compares a fingerprint and
                                types; a password of 100,000 rounds is checked */
#define DORY_DEVICE_EVICT_MS 30000
#endif

struct dory_device;
struct dory_lwip_config;

/* One command of the registry: `ssh user@device NAME args`, or typed on the console. */
struct dory_device_command {
    const char *name, *help;
    /* args: what followed the name, without blanks around, NUL-terminated. Writes its answer (whole lines) to out; returns the exit status
       0..255, or DORY_E_AGAIN: nothing written, call again later with the same arguments. */
    int (*run)(struct dory_device *device, const char *args, struct dory_text *out);
    bool console; /* only on the console */
};
/* Commands of this folder, for a board's table. */
extern const struct dory_device_command dory_device_help;
extern const struct dory_device_command dory_device_version;
extern const struct dory_device_command dory_device_slots;
extern const struct dory_device_command dory_device_stats;
extern const struct dory_device_command dory_device_activate;
extern const struct dory_device_command dory_device_reboot;
extern const struct dory_device_command dory_device_pools;  /* lwIP's pools with their high-water marks */
extern const struct dory_device_command dory_device_forget; /* console: forgets authorized_keys and password; the boot's own lets in, printed again */

/* An engine that a session's channel can carry beside scp. It begins with a struct dory_stream. */
struct dory_device_session;
struct dory_device_subsystem {
    const char *name;
    size_t size; /* of the engine; a board gives it so many bytes by DORY_DEVICE_ENGINE, or it is not offered */
    void (*init)(void *engine, struct dory_device_session *session);
};
extern const struct dory_device_subsystem dory_device_sftp;

/* Passwords whose hash is in the slot "password". A board that does not name it has keys alone, and the password of the boot. */
struct dory_device_passwords {
    int (*scan)(struct dory_device *device, struct dory_password_verifier *v); /* 1: there is one; 0: none; DORY_E_AGAIN, DORY_E_IO */
    void (*begin)(struct dory_device_session *session, const struct dory_event *event, bool right_user, const struct dory_password_verifier *v);
    int (*go_on)(struct dory_device *device); /* 1: it is right; 0: not; DORY_E_AGAIN */
};
extern const struct dory_device_passwords dory_device_passwords;

/* The log in the slot "log". A board that does not name it has the console's lines alone. */
struct dory_device_log_keeper {
    int (*mount)(struct dory_device *device); /* DORY_E_AGAIN: call again; DORY_E_ARG: the table has no log */
    void (*keep)(struct dory_device *device, const char *line, size_t n);
    uint32_t (*turn)(struct dory_device *device); /* the milliseconds until it is due again */
};
extern const struct dory_device_log_keeper dory_device_log_flash;

/* Commands at the UART; the milliseconds until it wants to be called again. */
uint32_t dory_device_console(struct dory_device *device);

/* All of it must live as long as the device. */
struct dory_device_config {
    const char *user;    /* the one user name */
    const char *version; /* of the firmware, for `version` and the greeting */
    uint16_t port;       /* dory_device_run: 0: 22 */
    const struct dory_lwip_config *net; /* dory_device_run */
    struct dory_flash *flash;
    const struct dory_flash_slot *slots;
    uint8_t slot_count;
    const char *running; /* the firmware slot that this program runs from; NULL: none */
    const struct dory_device_command *const *commands; /* ends with NULL */
    /* What is not named is not linked. */
    const struct dory_device_subsystem *subsystem; /* &dory_device_sftp; NULL: scp is all */
    const struct dory_device_passwords *passwords; /* &dory_device_passwords; NULL: none */
    const struct dory_device_log_keeper *log;      /* &dory_device_log_flash; NULL: none */
    uint32_t (*console)(struct dory_device *device); /* dory_device_console; NULL: the UART is not read */
    /* Algorithms, as in struct dory_ssh_config; lists: dory_algorithms.h. */
    const struct dory_kex *const *kex;
    const struct dory_cipher *const *ciphers;
    const struct dory_mac *const *macs;
    const struct dory_sigalg *const *signatures;
    /* More work of the board's main.c in each turn (a pull that runs); returns the milliseconds until the next is due. NULL: none. */
    uint32_t (*turn)(struct dory_device *device, uint64_t now_ms);
    void *ctx; /* for the board's own commands and turn */
};

/* ---- Private from here on ---- */

/* A command's answer on its way to the client. */
struct dory_device_output {
    const struct dory_device_command *command; /* NULL: `text` is the answer already */
    struct dory_text text;
    size_t sent;
    int status;
    char args[DORY_COMMAND_MAX];
    char buf[DORY_DEVICE_OUTPUT];
};

struct dory_device_session {
    struct dory_device *device;
    const struct dory_conn_ops *ops; /* NULL: free */
    void *conn;
    uint8_t work; /* on the channel: enum of session.c */
    bool refused, authenticated, ending, again;
    uint64_t started, end_by, wake;
    struct dory_ssh_config config;
    struct dory_ssh ssh;
    struct dory_channel channel;
    struct dory_stream *streams[1];
    struct dory_pump pump;
    struct dory_scp_flat command;
    union {
        struct dory_stream stream;
        struct dory_scp_source source;
        struct dory_scp_sink sink;
        struct dory_device_output output;
        uint64_t other[DORY_DEVICE_ENGINE / 8];
    } engine;
    uint8_t rx[DORY_DEVICE_RX], tx[DORY_DEVICE_TX];
};

/* A password that is being checked, a part in each turn; one at a time. */
struct dory_device_password {
    struct dory_device_session *owner; /* NULL: none */
    bool possible;                     /* the user is the right one */
    uint8_t expected[32];
    struct dory_pbkdf2 kdf;
    uint64_t rest_until; /* last: outlives the check */
};

/* Lines that wait for the flash, each with its length in front. A page of flash is given up for lines at most so often: see log.c. */
struct dory_device_log {
    uint8_t pages; /* that may be given up now */
    uint16_t n;
    uint32_t lost; /* lines */
    uint64_t next_page;
    char pending[DORY_DEVICE_LOG_PENDING];
};

struct dory_device_console {
    uint8_t n;
    bool too_long;
    const struct dory_device_command *command; /* runs */
    char line[128];
};

#define DORY_DEVICE_SETUP_SIZE 19 /* characters of the password of one boot */

struct dory_device {
    const struct dory_device_config *config;
    uint64_t now;
    struct dory_rng rng;
    struct dory_key key;
    uint8_t key_blob[64];
    struct dory_hostkey hostkey;
    char setup[DORY_DEVICE_SETUP_SIZE + 1];
    struct dory_device_password password;
    struct dory_device_log log;
    struct dory_device_console console;
    uint64_t reboot_at; /* 0: not asked for */
    uint32_t connections, logins, transfers;
    uint8_t sessions_most;
    struct dory_flash_fs flash;
    struct dory_device_session sessions[DORY_DEVICE_SESSIONS];
};

/* DORY_E_RNG: no entropy; DORY_E_ARG: the table of slots cannot work; DORY_E_IO: the flash cannot. The console says so. Nothing may be served. */
int dory_device_init(struct dory_device *device, const struct dory_device_config *config);

/* A newcomer. Where all sessions are taken, the oldest of those that have not logged in for DORY_DEVICE_EVICT_MS is reset for it; one that has
   logged in never is. False: there is none such; conn is still the caller's. */
bool dory_device_accept(struct dory_device *device, const struct dory_conn_ops *ops, void *conn);
/* True: dory_device_accept has room. */
bool dory_device_has_room(const struct dory_device *device);

/* Moves every session as far as it goes without waiting, the log, the console, a reboot that was asked for. Returns the milliseconds until it
   must be called again though nothing comes; 0: at once. */
uint32_t dory_device_turn(struct dory_device *device, uint64_t now_ms);

/* A struct dory_lwip as the connection of a session. */
extern const struct dory_conn_ops dory_conn_lwip;

/* init, then serves on lwIP for ever (platform/lwip/dory_lwip.h); without entropy or flash it stops, after saying so on the console. */
_Noreturn void dory_device_run(struct dory_device *device, const struct dory_device_config *config);

/* One line, with the seconds since the start in front, to the console and, where there is one, to the log slot. */
void dory_device_log(struct dory_device *device, const char *line);

#endif
