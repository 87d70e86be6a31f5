/* Between the files of the server:
 *
 *   sftp_server.c   the stream: bytes in, the queue, WRITE, bytes out      sftp_answer.c   answers
 *   sftp_request.c  requests that name a path or a handle                  sftp_names.c    directory entries
 *   sftp_open.c     OPEN and CLOSE, handles                                sftp_rewrite.c  files replaced by who does not say so
 *   sftp_statvfs.c  how much room there is
 */
#ifndef SFTP_INTERNAL_H
#define SFTP_INTERNAL_H

#include "dory_path.h"
#include "dory_sftp.h"
#include "sftp_wire.h"

/* Among values of enum dory_error: the end of a file or directory; a file is stored, but not with all that was asked for. */
enum { SFTP_END = 1, SFTP_HALF = 2 };

/* What is being said. CONTENT follows DATA, and ENTRY follows NAMES when attributes were not known in time. */
enum {
    SFTP_NOTHING,
    SFTP_STATUS,
    SFTP_HANDLE,
    SFTP_ATTRS,
    SFTP_DATA,
    SFTP_PATH,
    SFTP_TARGET,
    SFTP_VERSIONS,
    SFTP_LIMITS,
    SFTP_SPACE,
    SFTP_NAMES,
    SFTP_NAME,
    SFTP_ENTRY,
    SFTP_CONTENT
};

/* Flags of a handle. */
enum {
    SFTP_MAY_READ = 1,
    SFTP_MAY_WRITE = 2,
    SFTP_AT_END = 4,
    SFTP_IS_DIR = 8,
    SFTP_UPLOAD = 16,
    SFTP_NEW = 32,
    SFTP_SPARE = 64,
    SFTP_OVER = 128
};

/* Indices of `open`: a file on its way to a handle, the directory where a walk is, the next one, that of a RENAME's first name. */
enum { SFTP_MADE, SFTP_DIR, SFTP_BELOW, SFTP_FROM, SFTP_OPENS };

/* A request taken apart. */
struct sftp_request {
    uint8_t type;
    bool named; /* the path was gone through and leads to s->name, else to the root */
    struct dory_sftp_handle *handle;
    struct sftp_slice path, to;
    struct sftp_attrs attrs;
    uint32_t flags, length;
    uint64_t offset;
};

/* The fields of a request, in the order in which all requests have them; the last two are none: CHANGES marks what changes something by
   name, WALK what wants its path gone through. */
enum {
    SFTP_F_HANDLE = 1,
    SFTP_F_PATH = 2,
    SFTP_F_TO = 4,
    SFTP_F_FLAGS = 8,
    SFTP_F_ATTRS = 16,
    SFTP_F_RANGE = 32,
    SFTP_F_CHANGES = 64,
    SFTP_F_WALK = 128 | SFTP_F_PATH
};

struct sftp_extension {
    const char *name;
    int (*run)(struct dory_sftp_server *s, const struct sftp_request *request);
    uint8_t fields;
    char version[2];
};

/* sftp_rewrite.c, reached through the config only. SFTP_SPARE: handle.spare is a created file that may take the place of the one in
   handle.fs; SFTP_OVER: it has, and handle.spare is the old one. */
struct dory_sftp_rewrite {
    /* Opens s->name in place, and the spare as s->open[SFTP_FROM] unless none can be had; a handle. */
    int (*open)(struct dory_sftp_server *s);
    /* Something is to happen at `offset`: what the file lacks before must be there, and with `last` neither flag stays, as what was behind
       must not. An error is the handle's from then on. */
    int (*reach)(struct dory_sftp_server *s, struct dory_sftp_handle *h, uint64_t offset, bool last);
};

/* sftp_statvfs.c, reached through the config only. */
struct dory_sftp_statvfs {
    const struct sftp_extension *extensions; /* two */
    void (*put)(struct sftp_writer *w, const struct dory_sftp_server *s);
};

/* A call that a file system may leave out. */
#define SFTP_CALL(s, op, ...) ((s)->config.fs->ops->op ? (s)->config.fs->ops->op((s)->config.fs, __VA_ARGS__) : DORY_E_NOSYS)

/* sftp_server.c: ends the conversation, whatever is open. */
void dory_sftp_die(struct dory_sftp_server *s, const char *text);

/* sftp_request.c. `execute` goes on with the complete request packet[0..n); DORY_E_AGAIN: later. Then s->answer is set. */
int dory_sftp_execute(struct dory_sftp_server *s, const uint8_t *packet, size_t n);
/* Goes through `path` component by component; s->open[SFTP_DIR] is then the directory of the last one, whose name is in `name`. 1: so it
   is, 0: the path means the root, which is open there; or an error. */
int dory_sftp_walk(struct dory_sftp_server *s, struct sftp_slice path, char name[DORY_NAME_MAX + 1]);
/* The i-th extension that is offered, or NULL. */
const struct sftp_extension *dory_sftp_extension(const struct dory_sftp_server *s, unsigned i);

/* sftp_open.c */
/* `number` is what stands in the 4 bytes of a handle; NULL: none is open under it. */
struct dory_sftp_handle *dory_sftp_handle(struct dory_sftp_server *s, uint32_t number);
bool dory_sftp_handle_free(const struct dory_sftp_server *s);
void dory_sftp_handle_new(struct dory_sftp_server *s, int fs_handle, uint8_t flags, struct sftp_slice path);
uint32_t dory_sftp_handle_number(const struct dory_sftp_server *s, unsigned i);
int dory_sftp_open(struct dory_sftp_server *s, const struct sftp_request *request);
int dory_sftp_close(struct dory_sftp_server *s, const struct sftp_request *request);
/* The upload that will appear under this path, or NULL. */
struct dory_sftp_handle *dory_sftp_upload(struct dory_sftp_server *s, struct sftp_slice path);
int dory_sftp_handle_info(struct dory_sftp_server *s, const struct dory_sftp_handle *h, struct dory_fs_info *info);
int dory_sftp_handle_set(struct dory_sftp_server *s, struct dory_sftp_handle *h, const struct sftp_attrs *attrs);
int dory_sftp_reach(struct dory_sftp_server *s, struct dory_sftp_handle *h, uint64_t offset, bool last);
/* Everything is closed, uploads are thrown away: then the conversation has failed. */
void dory_sftp_release(struct dory_sftp_server *s);

/* sftp_answer.c: up to cap bytes of the answer under way; 0: the file system is busy. */
size_t dory_sftp_say(struct dory_sftp_server *s, uint8_t *buf, size_t cap);
void dory_sftp_answered(struct dory_sftp_server *s);

/* sftp_names.c. 0: busy; or the answer is one of those that dory_sftp_say composes. */
size_t dory_sftp_say_names(struct dory_sftp_server *s, uint8_t *buf, size_t cap);
void dory_sftp_put_entry(struct sftp_writer *w, const struct dory_sftp_server *s);
/* DORY_OK when s->name's attributes were asked for, or DORY_E_AGAIN. */
int dory_sftp_look(struct dory_sftp_server *s);

#endif
