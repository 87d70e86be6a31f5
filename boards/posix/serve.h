/* The inside of `dory serve`: one process, one poll loop, sessions of a fixed size that are allocated once.
 *
 *   cmd_serve.c      options, keys, start            serve_session.c  one connection: bytes in and out, how it ends
 *   serve_listen.c   addresses and sockets           serve_auth.c     who may log in; signatures of the host key
 *   serve_loop.c     poll, accept, limits, the end   serve_channel.c  requests and transfers    serve_sftp.c  the subsystem sftp
 */
#ifndef DORY_SERVE_H
#define DORY_SERVE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "commands.h"
#include "dory_scp.h"
#include "dory_sftp.h"
#include "dory_ssh.h"
#include "platform/posix/dory_posix_auth.h"
#include "platform/posix/dory_posix_fs.h"
#include "platform/posix/dory_posix_sys.h"
#include "platform/pump.h"

#define SERVE_CHANNELS 16
/* Several of the largest packets: fewer system calls, and less of a packet's beginning to move to
   the front (measured: docs/BENCHMARKS.md). */
#define SERVE_RX (256 * 1024)
#define SERVE_TX (256 * 1024)
#define SERVE_WINDOW (2 * 1024 * 1024)
/* Before it is known what a channel carries: no more requests than a queue of them holds. */
#define SERVE_FIRST_WINDOW 8192
#define SERVE_HOSTKEYS 3 /* files, one of each type */
#define SERVE_ALGORITHMS 4 /* that they sign with: RSA has two */
#define SERVE_LISTENS 8
#define SERVE_SOCKETS 16
#define SERVE_LINGERS 16
#define SERVE_LINGER_MS 1000
#define SERVE_END_MS 2000 /* for the last words of a session, and for the end of the server */
#define SERVE_PEER_MAX 64
#define SERVE_USER_SHOWN (4 * DORY_USER_NAME_MAX + 1)
#define SERVE_PATHS_SHOWN 512
#define SERVE_PATH_SHOWN 160 /* of an open file */

struct serve_options {
    const char *listen[SERVE_LISTENS], *hostkey[SERVE_HOSTKEYS];
    unsigned listens, hostkeys;
    const char *root, *user, *authorized_keys, *password_file;
    bool read_only;
    unsigned max_sessions, max_auth_tries, login_grace_s, idle_s, verbose;
};

/* Of an SFTP conversation, for the log; [true]: up, [false]: down. */
struct serve_sftp {
    uint32_t done[2]; /* files */
    uint64_t bytes[2];
    struct {
        uint64_t bytes;
        bool writes;
        char path[SERVE_PATH_SHOWN]; /* escaped */
    } files[DORY_SFTP_HANDLES];
};

/* What runs on one channel. */
struct serve_work {
    enum { WORK_NONE, WORK_SCP, WORK_SFTP, WORK_REFUSAL } kind;
    struct serve_session *session;
    char refusal[160]; /* for the client's stderr */
    size_t refusal_sent;
    char paths[SERVE_PATHS_SHOWN]; /* escaped */
    bool logged;
    uint32_t files, failures;
    uint64_t file_bytes; /* of the present file */
    uint64_t bytes;
    union {
        struct dory_scp_command command;
        struct serve_sftp sftp;
    };
    union {
        struct dory_stream stream;
        struct dory_sftp_server sftp;
        struct dory_scp_source source;
        struct dory_scp_sink sink;
    } engine;
};

/* One connection, with its buffers and 16 channels; untouched pages cost nothing, and a single transfer leaves most of the channels so. */
struct serve_session {
    bool live;
    struct serve *serve;
    int fd;
    int poll_at;        /* in serve->polls; -1: not watched */
    bool peer_closed;   /* nothing more comes from the socket */
    bool write_dead;    /* nothing more goes out */
    bool again;         /* has more to do without waiting for the socket */
    bool authenticated;
    bool ending;
    int socket_error;
    uint64_t started, end_by, wake; /* clock of dory_posix_now_ms; wake: deadline of the engine */
    char address[SERVE_PEER_MAX];   /* numeric, without the port */
    char peer[SERVE_PEER_MAX];      /* with the port */
    char user[SERVE_USER_SHOWN];    /* escaped; the last one tried */
    const char *method;
    const char *sent_away; /* why this side ended it */
    char fingerprint[DORY_FINGERPRINT_MAX];
    struct dory_key_grant grant; /* of the key that came in */
    unsigned transfers;

    struct dory_ssh_config config;
    struct dory_ssh ssh;
    struct dory_channel channels[SERVE_CHANNELS];
    struct dory_stream *streams[SERVE_CHANNELS];
    struct dory_pump pump;
    struct dory_posix_fs fs;
    struct serve_work work[SERVE_CHANNELS];
    uint8_t rx[SERVE_RX];
    uint8_t tx[SERVE_TX];
};
_Static_assert(sizeof(struct serve_session) <= 1024 * 1024, "a session outgrew what docs promise");

struct serve {
    struct serve_options options;
    struct dory_rng rng;
    int root_fd;
    struct dory_key keys[SERVE_HOSTKEYS];
    uint8_t key_blobs[SERVE_HOSTKEYS][DORY_KEY_BLOB_MAX];
    struct dory_hostkey hostkeys[SERVE_ALGORITHMS]; /* what is offered */
    uint8_t hostkey_file[SERVE_ALGORITHMS];         /* and whose key signs */
    uint8_t hostkey_count;
    struct {
        int fd, poll_at;
    } sockets[SERVE_SOCKETS];
    unsigned socket_count;
    struct serve_session *sessions;
    unsigned first; /* whose turn comes first */
    struct {
        int fd, poll_at; /* fd -1: free */
        uint64_t until;
    } lingers[SERVE_LINGERS];
    struct pollfd *polls;
    unsigned poll_count;
    uint64_t now;
    uint64_t accept_after;   /* out of descriptors: no accept before */
    uint64_t password_after; /* no password is checked before: checking them all day must not stop the transfers */
    uint64_t stop_by;        /* set by a signal */
};

/* cmd_serve.c */
void dory_serve_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* serve_listen.c. Both say on stderr what went wrong. */
int dory_serve_listen(struct serve *serve, const char *where);
void dory_serve_name_address(const struct sockaddr *address, socklen_t n, char *host, char *host_and_port);
void dory_serve_name_socket(int fd, char *host_and_port);

/* serve_loop.c: until a signal; the exit status. */
int dory_serve_loop(struct serve *serve);
/* Closes a socket in order: what was written arrives although the peer still sends. */
void dory_serve_linger(struct serve *serve, int fd);

/* serve_session.c */
/* False: it could not begin; fd is still the caller's. */
bool dory_session_begin(struct serve *serve, struct serve_session *session, int fd, const struct sockaddr *address, socklen_t n);
short dory_session_interest(struct serve_session *session);
void dory_session_turn(struct serve_session *session, short revents);
void dory_session_disconnect(struct serve_session *session, enum dory_disconnect reason, const char *text);

/* serve_auth.c. False: answer later, serve->password_after says when. */
bool dory_session_sign(struct serve_session *session, const struct dory_event *event);
bool dory_session_authenticate(struct serve_session *session, const struct dory_event *event);
/* The command that the key's line forces stands in for what the client asks for. */
void dory_session_force(const struct serve_session *session, struct dory_event *request);

/* serve_channel.c */
void dory_session_request(struct serve_session *session, const struct dory_event *event);
/* Refusals go out, ended channels are released. True: something moved. */
bool dory_session_channels(struct serve_session *session);
/* Whatever runs is stopped: no half of a file stays. */
void dory_session_stop_channels(struct serve_session *session);

/* serve_sftp.c */
void dory_session_start_sftp(struct serve_session *session, struct serve_work *work, int channel);
void dory_session_log_sftp(const struct serve_work *work, const char *result);

#endif
