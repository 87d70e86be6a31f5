/* The other direction of a firmware update: the device fetches a file from a host's sshd, with SCP, into one of its slots.
 *
 *     pull [-P port] user@10.0.2.2:path slot          on the console, over ssh, or from main() at boot
 *
 * The path is taken as it is, without globs; "~/" before it is the home there.
 *
 * The host must be known: its key stands in the config slot "known_hosts", in OpenSSH's format (ssh-keyscan writes it; names are addresses,
 * plain, not hashed). A host that is not there is not called; one that shows another key is told nothing. The device logs in with an ed25519
 * key of its own, made at first boot and kept in the hidden config slot "userkey"; its public half is printed as authorized_keys wants it.
 *
 * The slot that runs, and the one that boots next, are never written; what a config slot held stays until the new file is whole; a firmware slot is
 * empty from the first byte of the new image until it is whole. A connection that fails or is cut is tried again from the beginning, later each
 * time and not for ever; what a new try cannot mend (another host key, no such file, no room) ends it at once.
 *
 * Only an image whose main.c names these functions holds client code. One struct, no heap.
 */
#ifndef DORY_PULL_H
#define DORY_PULL_H

#include "dory_conn.h"
#include "dory_scp.h"
#include "dory_ssh.h"
#include "dory_text.h"
#include "platform/flash/dory_flash.h"
#include "platform/pump.h"

/* Limits; a board overrides them in its dory_limits.h. */
#ifndef DORY_PULL_RX /* packets from the host; OpenSSH's SSH_MSG_KEXINIT is 1.6 KiB */
#define DORY_PULL_RX (DORY_MAX_PACKET_LENGTH < 4096 ? DORY_MAX_PACKET_LENGTH : 4096)
#endif
#ifndef DORY_PULL_TX /* the reserve, and room to speak beside it */
#define DORY_PULL_TX (DORY_TX_RESERVE + 2048)
#endif
#ifndef DORY_PULL_TRIES
#define DORY_PULL_TRIES 6
#endif
#ifndef DORY_PULL_RETRY_MS /* before the second try; twice as long before each further one, a minute at most */
#define DORY_PULL_RETRY_MS 1000
#endif
#ifndef DORY_PULL_CONNECT_MS
#define DORY_PULL_CONNECT_MS 15000
#endif
#ifndef DORY_PULL_IDLE_MS /* without a byte of the file, and to log in */
#define DORY_PULL_IDLE_MS 60000
#endif
#ifndef DORY_PULL_TRY_MS /* one try */
#define DORY_PULL_TRY_MS 1800000
#endif
#define DORY_PULL_REASON_MAX 128

/* All of it must live as long as the struct dory_pull. */
struct dory_pull_config {
    struct dory_flash_fs *flash; /* mounted */
    struct dory_rng rng;
    /* Algorithms, as in struct dory_ssh_config; `signatures` are those of host keys. */
    const struct dory_kex *const *kex;
    const struct dory_cipher *const *ciphers;
    const struct dory_mac *const *macs;
    const struct dory_sigalg *const *signatures;
    /* Begins to connect; NULL: no connection is free, which counts as a try that failed. */
    void *(*connect)(void *ctx, const uint8_t address[4], uint16_t port);
    const struct dory_conn_ops *ops; /* of what connect gives */
    /* One line for the person: how it goes, and at the end "pull: exit status N" with the reason. Without a line end. */
    void (*say)(void *ctx, const struct dory_text *line);
    void *ctx;
    const char *comment; /* behind the public key, e.g. the board's name */
};

/* Private from here on. */
struct dory_pull {
    const struct dory_pull_config *config;
    uint8_t state;  /* enum of pull.c */
    uint8_t tries;  /* begun */
    uint8_t verdict; /* of the present try: enum of pull_internal.h */
    bool key_made;  /* and not yet kept */
    bool eof_told, arrived, item_given;
    bool hearsay;   /* `reason` is a line of the host's standard error, which may mean nothing */
    uint8_t heard;  /* such lines, in the present try */
    uint16_t port;
    uint8_t address[4];
    int status; /* of the last pull, once it is over */
    uint64_t due, try_ends, over_at;
    uint64_t size, done;
    const char *user, *path, *slot; /* in `words` */
    char args[DORY_COMMAND_MAX], words[DORY_COMMAND_MAX];
    char host[24]; /* as known_hosts has it: "10.0.2.2" or "[10.0.2.2]:2222" */
    char reason[DORY_PULL_REASON_MAX];
    struct dory_key key;
    uint8_t key_blob[64];
    uint8_t key_n; /* 0: there is no key yet */
    void *conn;
    struct dory_ssh_config ssh_config;
    struct dory_ssh ssh;
    struct dory_channel channel;
    struct dory_stream *streams[1];
    struct dory_pump pump;
    struct dory_scp_sink sink;
    const char *names[1];
    char name[DORY_NAME_MAX + 1]; /* of the file on the host */
    char command[2 * DORY_COMMAND_MAX];
    uint8_t rx[DORY_PULL_RX], tx[DORY_PULL_TX];
};

void dory_pull_init(struct dory_pull *pull, const struct dory_pull_config *config);

/* Goes on as far as it can without waiting: makes the key at first boot, connects, moves bytes, ends. Returns the milliseconds until it must
   be called again though nothing comes (0: at once; UINT32_MAX: no need). now_ms: the clock of every call. */
uint32_t dory_pull_turn(struct dory_pull *pull, uint64_t now_ms);

/* Begins. args as above, without "pull"; copied. DORY_OK; DORY_E_AGAIN: the key is not there yet, call again; DORY_E_STATE: one pull is
   running; DORY_E_ARG: args make no sense, and the reason is said. */
int dory_pull_start(struct dory_pull *pull, const char *args);
bool dory_pull_is_running(const struct dory_pull *pull);

/* Commands for a board's registry (dory_device.h), without their first argument. run: DORY_E_AGAIN until the pull is over, then its exit
   status with the reason in *out; whoever waits no longer does not end it. */
int dory_pull_run(struct dory_pull *pull, const char *args, struct dory_text *out);
/* The public key, as a line for ~/.ssh/authorized_keys of the host. */
int dory_pull_pubkey(struct dory_pull *pull, const char *args, struct dory_text *out);

#endif
