/* SFTP version 3 (draft-ietf-secsh-filexfer-02) as a server: a dory_stream (platform/dory_stream.h) over a dory_fs (platform/dory_fs.h),
 * for a channel on which the subsystem "sftp" was asked for. No allocation, no I/O: everything is inside the struct. Moved by push and pull
 * alone; while status() is DORY_E_AGAIN, call pull again whenever time has passed: a busy file system is retried there and in push.
 *
 * Requests are executed strictly in the order in which they came. What cannot be executed yet waits as it came, in a queue of bytes;
 * window() says how many more it takes, so a peer that reads no answers is never held up (consecutive READs take the room of one).
 * The data of a WRITE goes straight from push's bytes into the file system, content straight from the file system into pull's.
 *
 * An OPEN that creates or truncates and does not read or append is an upload: nobody sees it until its CLOSE, and what the name held before
 * stays until then; a conversation that ends before leaves no trace of it. docs/PROTOCOL.md lists which calls cannot be so.
 */
#ifndef DORY_SFTP_H
#define DORY_SFTP_H

#include "dory_fs.h"
#include "dory_stream.h"

/* Bytes of requests that may wait, at most 65535. One with its paths must fit (a longer one is refused): RENAME takes 21 and both paths. */
#ifndef DORY_SFTP_QUEUE
#define DORY_SFTP_QUEUE 12288
#endif
/* Answers to WRITE that may wait to be pulled. */
#ifndef DORY_SFTP_WRITES
#define DORY_SFTP_WRITES 256
#endif
/* Open files and directories of one conversation, at most 255. */
#ifndef DORY_SFTP_HANDLES
#define DORY_SFTP_HANDLES 48
#endif
/* Bytes of data that a client which is writing may have under way. */
#ifndef DORY_SFTP_WINDOW
#define DORY_SFTP_WINDOW (2 * 1024 * 1024)
#endif
/* The most content in one answer, and the largest WRITE that is announced (any up to 256 KiB is taken). */
#ifndef DORY_SFTP_READ_MAX
#define DORY_SFTP_READ_MAX 261120
#endif
/* The longest target of a symbolic link that READLINK tells. */
#ifndef DORY_SFTP_LINK_MAX
#define DORY_SFTP_LINK_MAX 1023
#endif
/* The largest packet accepted, without its length (the draft asks for 34,000 bytes); nothing of this size is kept. */
#define DORY_SFTP_PACKET_MAX 262144

/* Who wants to know. Every member may be NULL. Paths are raw bytes of the peer, not NUL-terminated, valid for the call: escape them before
   a terminal sees them. */
struct dory_sftp_events {
    /* A file is open; `handle` < DORY_SFTP_HANDLES names it below until `closed`. */
    void (*opened)(void *ctx, unsigned handle, const char *path, size_t n, bool writes);
    /* n bytes of it were read or written. */
    void (*moved)(void *ctx, unsigned handle, size_t n);
    /* Exactly one for each `opened`: DORY_OK, or why what was written is not there (DORY_E_CUT: the conversation ended before CLOSE). */
    void (*closed)(void *ctx, unsigned handle, int status);
    /* A request that changes something by name was executed: `type` is its SSH_FXP_ number (200 for posix-rename@openssh.com); to_n is 0
       unless it has a second path. */
    void (*changed)(void *ctx, unsigned type, const char *path, size_t n, const char *to, size_t to_n, int status);
    /* The conversation ends because of this. */
    void (*error)(void *ctx, const char *text);
};

/* Parts that a small device may leave out, by not naming them in its config. */
extern const struct dory_sftp_rewrite dory_sftp_rewrite;
extern const struct dory_sftp_statvfs dory_sftp_statvfs;

/* Copied by the init function; what it points to must outlive the engine. */
struct dory_sftp_config {
    struct dory_fs *fs;
    /* &dory_sftp_rewrite: an OPEN with CREAT and without TRUNC of a file that is there, which is how OpenSSH's scp begins, is an upload if
       its first WRITE is at offset 0. NULL: the file is written in place (where the file system can; else it is an upload). What an upload
       leaves out is copied a portion a call; `copying` says that the next call need not wait for anything. */
    const struct dory_sftp_rewrite *rewrite;
    /* &dory_sftp_statvfs: `df` works where the file system can say; or NULL. */
    const struct dory_sftp_statvfs *statvfs;
    const struct dory_sftp_events *events; /* may be NULL */
    void *events_ctx;
    int64_t now; /* seconds since 1970, for `ls -l` of recent files; 0: unknown, which shows the year */
};

/* All below is private. */
struct dory_sftp_handle {
    int fs;          /* handle of the file system */
    int spare;       /* another one, with SFTP_SPARE or SFTP_OVER */
    uint16_t serial; /* grows with each use, so that an old handle is known for one */
    uint8_t flags;   /* 0: free */
    int8_t error;    /* of an upload: why it cannot be kept */
    uint8_t set;     /* of an upload: what CLOSE applies, DORY_FS_SET_MODE and _TIMES */
    uint16_t mode;
    uint32_t mtime, atime;
    uint32_t identity; /* of an upload: a hash of its path */
};

struct dory_sftp_server { /* what is used most comes first, which makes small code */
    struct dory_stream stream;
    bool greeted;   /* INIT came */
    bool uploading; /* the last request was a WRITE */
    bool cut;       /* the peer sends no more */
    bool ended, failed;
    bool running;  /* the request at `head` is being executed or answered */
    bool leaving;  /* it was executed; directories are still to be closed */
    bool creating; /* open[0] is not committed */
    bool writing;  /* a WRITE is being taken */
    bool named;    /* READDIR: a name was taken from the directory and not said */
    bool looked;   /* its attributes were asked for */
    bool known;    /* and given */
    bool copying;  /* dory_sftp_rewrite has copied for as long as a call may take and wants to go on: to be looked at and taken back */
    uint8_t step;
    uint8_t answer;
    int8_t error;
    uint8_t file;   /* DATA, NAME and HANDLE: index of the handle */
    uint8_t target; /* WRITE: index of the handle */
    int8_t write_error;
    uint32_t head, last, prev, tail; /* in `queue`: the first request, the one that is not complete, the one before it, the end */
    uint32_t id, sent, length;
    uint32_t write_id, left; /* WRITE: bytes still to come */
    uint32_t status_first, status_count;
    uint32_t at;           /* the walk through a path */
    uint32_t text, text_n; /* REALPATH: the path, counted from head */
    uint32_t skip;         /* bytes of a request that does not fit */
    int open[4];           /* what the present request has open in the file system, or -1 */
    struct dory_sftp_config config;
    uint64_t offset, write_at;
    union {
        struct dory_fs_info info;
        struct dory_fs_space space;
    };
    struct dory_sftp_handle handles[DORY_SFTP_HANDLES];
    uint8_t next_read[24]; /* what a READ that goes on where the last one ended looks like */
    uint32_t status_ids[DORY_SFTP_WRITES];
    int8_t status_errors[DORY_SFTP_WRITES];
    char name[(DORY_SFTP_LINK_MAX > DORY_NAME_MAX ? DORY_SFTP_LINK_MAX : DORY_NAME_MAX) + 1];
    uint8_t queue[DORY_SFTP_QUEUE];
};

/* Ends by itself once the peer's eof() was told and every answer pulled: status() is then 0, or 1 if the protocol was broken or an upload
   was left unfinished. An engine that was only initialised owns nothing. */
void dory_sftp_server_init(struct dory_sftp_server *server, const struct dory_sftp_config *config);

#endif
