/* One SSH connection of `dory scp`: connect, meet the host key, log in, run commands on channels. */
#ifndef DORY_CLI_CLIENT_H
#define DORY_CLI_CLIENT_H

#include <poll.h>
#include <sys/types.h>

#include "dory_ssh.h"
#include "platform/pump.h"
#include "scp_algorithms.h"
#include "scp_expand.h"
#include "scp_identity.h"
#include "scp_location.h"
#include "scp_options.h"
#include "scp_program.h"

#define DORY_CLIENT_CHANNELS 4
#define DORY_CLIENT_RX       (128 * 1024 + DORY_PACKET_OVERHEAD)
#define DORY_CLIENT_TX       (256 * 1024)
#define DORY_CLIENT_WINDOW   (2 * 1024 * 1024)

struct dory_client_auth {
    uint8_t order[4]; /* DORY_AUTH_*, preferred first */
    int order_n;
    struct dory_identities identities;
    int keys_offered, passwords_tried, interactive_tried, partials;
    int rounds;      /* of questions in the present keyboard-interactive */
    bool was_asked;  /* anything in it */
    uint8_t last;    /* the method that was tried last */
    uint8_t methods; /* what the server said last */
    bool sign_failed; /* a key that the server would take could not be used: said already */
    bool probed, no_password, no_interactive, done;
};

struct dory_client {
    const struct dory_cli_options *options; /* own: with the settings that files make for this host */
    struct dory_cli_options own;
    bool user_named, port_named;                            /* by the location that it was opened for */
    struct dory_program *program;                           /* -S: it is the connection, and there is no engine of ours; NULL */
    int asked_port;                                         /* for it; -1 */
    bool lost;                                              /* it has failed */
    char user[256], host[256], address[256], known_as[256]; /* the host as named by the person, to connect to, in known_hosts */
    uint16_t port, known_port;                              /* known_port: in known_hosts */
    int fd;
    pid_t proxy;         /* the process behind fd; 0: fd is a TCP connection */
    struct pollfd *also; /* one more descriptor to wait for; NULL */
    int error_number;    /* of the socket, 0: none */
    bool readable, broken, met, reported;
    bool known;          /* the host key is one of those remembered, or a person has just confirmed it */
    uint64_t free_at_us; /* -l: nothing moves before */
    bool *also_moved;    /* something else that is looked at before poll waits, or NULL; taken back then */
    uint64_t wake_at;    /* poll no longer than until then; 0: no matter */
    struct dory_client_auth auth;
    struct dory_cli_algorithms algorithms;
    struct dory_ssh_config config;
    struct dory_ssh ssh;
    struct dory_pump pump;
    struct dory_stream *streams[DORY_CLIENT_CHANNELS];
    struct dory_channel channels[DORY_CLIENT_CHANNELS];
    bool remote_spoke;    /* standard error of the present command was not empty */
    bool has_scp, no_scp; /* what the host has shown to have, or not */
    bool holding;         /* lines of it are kept in `held` until it is known whether the command is there at all */
    size_t held_n;
    char held[2048];
    size_t line_n;
    char line[1024]; /* of it, not yet shown */
    bool keys_told; /* one message of them counts */
    size_t told_keys_n;
    uint8_t told_keys[8192]; /* further host keys that the server is to prove */
    uint8_t rx[DORY_CLIENT_RX];
    uint8_t tx[DORY_CLIENT_TX];
};

/* Connects and logs in. NULL: it failed, and why has been said. */
struct dory_client *dory_client_open(const struct dory_cli_options *options, const struct dory_cli_location *location);
/* Is this the connection that the location needs? */
bool dory_client_is_for(const struct dory_client *client, const struct dory_cli_options *options, const struct dory_cli_location *location);
/* Moves what can be moved on all of them, or waits until something can. */
void dory_clients_step(struct dory_client *const *clients, int count);
bool dory_client_is_over(const struct dory_client *client);
/* The state of a channel: DORY_CH_* bits. */
unsigned dory_client_channel(const struct dory_client *client, int channel);
/* Says why a connection is over, once; nothing where it ended in order. */
void dory_client_report(struct dory_client *client);
/* Ends in order and frees it. NULL is allowed. */
void dory_client_close(struct dory_client *client);

/* Starts the command, or the subsystem sftp where it is NULL, on a channel that carries stream; `command` lives until the end. The channel,
   or -1: why has been said. */
int dory_client_start(struct dory_client *client, const char *command, struct dory_stream *stream);
/* Lets the command end: no more data from here, then waits for its close; not for long unless `in_order`. The exit status, or why none. */
enum { DORY_FINISH_SILENT = -1, DORY_FINISH_SIGNAL = -2, DORY_FINISH_NEVER = -3 };
int dory_client_finish(struct dory_client *client, int channel, bool in_order);

/* Inside: scp_hostkey.c, scp_auth.c, scp_report.c, scp_proxy.c. */
void dory_client_on_hostkey(struct dory_client *client, const struct dory_event *event);
bool dory_client_updates_hostkeys(const struct dory_client *client);
void dory_client_on_hostkeys(struct dory_client *client, const struct dory_event *event);
void dory_client_on_hostkeys_proof(struct dory_client *client, const struct dory_event *event);
void dory_client_auth_begin(struct dory_client *client);
void dory_client_on_auth(struct dory_client *client, const struct dory_event *event);
int dory_client_by_proxy(struct dory_client *client);
void dory_client_end_proxy(struct dory_client *client);
void dory_client_on_prompts(struct dory_client *client, const struct dory_event *event);
/* False: nothing more to try. */
bool dory_client_try_interactive(struct dory_client *client);
const char *dory_client_method_name(uint8_t method);
/* Foreign text of one or more lines, escaped, on standard error. */
void dory_client_show_text(const uint8_t *text, size_t n);
bool dory_client_is_held(const struct dory_client *client, uint64_t now_ms); /* -l: nothing may move now */
size_t dory_client_portion(const struct dory_client *client, size_t n);      /* how much of n bytes may move at once */
void dory_client_charge(struct dory_client *client, size_t n, uint64_t now_ms);
void dory_client_prefer_known(struct dory_client *client);
void dory_client_say_names(const struct dory_client *client);
void dory_client_say_ciphers(const struct dory_client *client);
void dory_client_on_stderr(void *client, int channel, const uint8_t *bytes, size_t n);
void dory_client_flush_stderr(struct dory_client *client);
/* Shows what was held back, or, where it does not matter any more, only to those who want to know. */
void dory_client_release_stderr(struct dory_client *client, bool matters);

/* What the % tokens mean for this connection. */
struct dory_cli_tokens dory_client_tokens(const struct dory_client *client);
/* ~, ${VARIABLE} and the % tokens of ssh_config(5) in a file name. 0; -1: too long or an unknown token. */
int dory_client_expand(const struct dory_client *client, const char *name, char *out, size_t cap);
/* Asks for a secret on the terminal, or through $SSH_ASKPASS as ssh does. As dory_tty_password. */
int dory_cli_ask_secret(const char *prompt, char *buf, size_t cap);
/* The same for an answer that may be seen. */
int dory_cli_ask(const char *prompt, char *buf, size_t cap);

#endif
