/* SFTP version 3 (draft-ietf-secsh-filexfer-02), client side: `put` sends objects of this machine's file system to a host, `get` fetches.
 * Each is a dory_stream (platform/dory_stream.h) over a dory_fs (platform/dory_fs.h) and does one copy, from SSH_FXP_INIT to the last
 * answer, with many requests under way and several files at once. What is sent, where it is stored and who is told is said as to scp/
 * (platform/dory_transfer.h), so a program offers both protocols with the same options.
 * No allocation, no I/O: everything is inside the struct. While status() is DORY_E_AGAIN, call pull again (push, when bytes came) whenever
 * time has passed: a busy file system is retried there, and nowhere else.
 */
#ifndef DORY_SFTP_CLIENT_H
#define DORY_SFTP_CLIENT_H

#include "dory_fs.h"
#include "dory_stream.h"
#include "dory_transfer.h"

/* The longest path at the host, and of those shown in messages. */
#ifndef DORY_SFTP_PATH_MAX
#define DORY_SFTP_PATH_MAX DORY_COMMAND_MAX
#endif
#define DORY_SFTP_PATH_ROOM (DORY_SFTP_PATH_MAX + DORY_NAME_MAX + 3)
/* What a file under way keeps of its paths for messages; of a longer one the beginning is left out. */
#ifndef DORY_SFTP_SHOWN_MAX
#define DORY_SFTP_SHOWN_MAX (2 * DORY_NAME_MAX)
#endif

/* Of `scp`, with its values. */
enum {
    DORY_SFTP_RECURSE = 1, /* -r */
    DORY_SFTP_TIMES = 2,   /* -p: times and full modes; of what comes without setuid and setgid */
    DORY_SFTP_DIR = 4      /* the target must be a directory */
};

/* Copied by the init functions; what it points to must outlive the engine. */
struct dory_sftp_client_config {
    struct dory_fs *fs;
    unsigned flags; /* DORY_SFTP_* */
    /* At the host. put: the target; an existing directory gets the objects inside. get: what to fetch. "~" and "~user" in front are the
       host's to expand (expand-path@openssh.com; without it "~" is where the session begins). */
    const char *path;
    dory_transfer_item_fn item; /* put: what to send, one after the other. get: the one target */
    void *item_ctx;
    const struct dory_transfer_events *events; /* may be NULL; one file at a time is begun and ended, in the order of their requests */
    void *events_ctx;
    /* get: does a glob match a name? `path` is then a pattern, a backslash takes the next character as it is, and where nothing matches
       the path is asked for literally. NULL: `path` is taken literally. */
    bool (*match)(const char *pattern, const char *name);
    /* get: one file after the other is created, and content is written at ascending offsets only, for a file system that wants it so
       (pipes, flash). */
    bool in_order;
    /* The most files under way, at most DORY_SFTP_FILES; 0: so many. */
    uint8_t files;
};

/* From here on all is private. A request that is not answered yet. */
struct dory_sftp_request {
    uint64_t offset;
    uint32_t id, length;
    uint8_t kind, expect;
    uint8_t owner; /* the file or the level that asked */
};

struct dory_sftp_client_handle {
    uint16_t n;
    uint8_t bytes[DORY_SFTP_HANDLE_MAX];
};

struct dory_sftp_file {
    uint8_t state;
    uint8_t level;           /* directories entered when it was met */
    bool begun, shown_begun; /* there is something to tell; begin was told */
    bool cut_here;           /* put: it could not be read to its end */
    bool set;                /* put: its mode, times or size were asked for; get: its end was found */
    bool times;              /* mtime and atime are known */
    bool rewind;             /* get: what is under way is dropped and asked for again */
    uint16_t mode;
    uint16_t name_at; /* where the name begins in `shown` */
    uint16_t waiting; /* requests without an answer */
    int file;         /* here; -1: none */
    int error;
    uint64_t size, next, done; /* announced, asked for, arrived */
    int64_t mtime, atime;
    struct dory_sftp_client_handle handle;
    char shown[DORY_SFTP_SHOWN_MAX + 1]; /* its path here */
    char there[DORY_SFTP_SHOWN_MAX + 1]; /* and at the host */
};

/* A directory that is read or filled. */
struct dory_sftp_level {
    int dir;                    /* here; -1: none, names are those of a glob */
    uint16_t path_at, shown_at; /* where names in it begin in `path` and `shown` */
    uint16_t word_at;           /* of the glob's component in config.path */
    uint16_t pending;           /* files under way in it */
    uint16_t mode;
    uint8_t reading; /* SSH_FXP_READDIR without an answer */
    bool eof, created, itself, times;
    bool short_of;                 /* names were left out */
    uint32_t names_base, names_at; /* in dory_sftp_get.names */
    int64_t mtime, atime;
    struct dory_sftp_client_handle handle;
};

struct dory_sftp_engine;

struct dory_sftp_client {
    struct dory_stream stream;
    const struct dory_sftp_engine *engine;
    struct dory_sftp_client_config config;
    uint8_t state, in_state, depth;
    bool greeted, ready, failed, ended, cut;
    bool has_limits, has_expand;
    bool is_dir, slash;                 /* of the target */
    bool seen, matched, literal, quiet; /* an object was met; a glob matched; globs are none; an object need not be there */
    bool itself, times;                 /* of the present object: it has no name; its times are known */
    uint8_t file_first, file_count, files_max;
    uint16_t asked, moving, again; /* requests without an answer; of these carry content; of these are to be asked again */
    uint32_t refused;              /* put: the status that SSH_FXP_MKDIR met */
    uint32_t serial, handles, handles_max, chunk;
    int dir;                    /* the target's directory (get), or that of the item (put); -1 */
    int file;                   /* put: the present object; -1 */
    const char *name;           /* of the present object, for the file system here */
    const char *target_name;    /* get */
    uint16_t word_at;           /* in config.path */
    uint16_t path_at, shown_at; /* where names begin */
    uint16_t target_len, target_at, tilde;

    /* From the host: the packet that comes. */
    uint32_t left, entries;
    uint8_t type, request;
    uint16_t in_n;
    uint8_t in[2 * DORY_SFTP_PATH_MAX + 512];
    /* To the host: one request, and the content that follows it. */
    uint16_t out_n, out_sent;
    uint32_t body_left;
    uint8_t body_file;
    uint8_t out[DORY_SFTP_PATH_ROOM + DORY_SFTP_HANDLE_MAX + 64];

    struct dory_fs_info info;        /* of the present object */
    struct dory_fs_info about;       /* get: of what the file system is asked to make */
    char path[DORY_SFTP_PATH_ROOM];  /* of it at the host */
    char shown[DORY_SFTP_PATH_ROOM]; /* of it here, for messages */
    struct dory_sftp_request requests[DORY_SFTP_REQUESTS];
    struct dory_sftp_file files[DORY_SFTP_FILES];
    struct dory_sftp_level levels[DORY_SFTP_DEPTH_MAX];
};

struct dory_sftp_put {
    struct dory_sftp_client base;
};

struct dory_sftp_get {
    struct dory_sftp_client base;
    uint32_t names_end;
    uint8_t names[DORY_SFTP_NAMES]; /* entries of directories that are not dealt with yet */
};

/* Both end by themselves, after the last answer; then status() is 0 (all transferred and, here, committed) or 1. An engine that was only
   initialised owns nothing. */
void dory_sftp_put_init(struct dory_sftp_put *put, const struct dory_sftp_client_config *config);
void dory_sftp_get_init(struct dory_sftp_get *get, const struct dory_sftp_client_config *config);

/* Within calls of the file system that `get` makes: what is known of the object that create or mkdir is about. */
const struct dory_fs_info *dory_sftp_get_info(const void *get);

#endif
