/* What `put` and `get` share: requests and their answers, files under way, messages. */
#ifndef SFTP_CLIENT_H
#define SFTP_CLIENT_H

#include "dory_sftp_client.h"
#include "sftp_wire.h"

/* Who asked: the walk through the tree (one request at a time), or a file, whose state the answer changes. */
enum sftp_kind {
    SFTP_FREE,
    SFTP_LIMITS,
    SFTP_WALK,
    SFTP_LIST,
    SFTP_OPEN,
    SFTP_READ,
    SFTP_READ_AGAIN,
    SFTP_WRITE,
    SFTP_SETTING,
    SFTP_CLOSE,
    SFTP_FORGOTTEN
};

/* Of a file under way. LOST: its handle never came. */
enum sftp_file_state { SFTP_FILE_OPENING, SFTP_FILE_OPEN, SFTP_FILE_MOVING, SFTP_FILE_CLOSING, SFTP_FILE_DONE };

struct sftp_answer {
    uint8_t type;
    uint32_t status;        /* of SSH_FXP_STATUS */
    struct sftp_slice text; /* its text, a handle, or the first name */
    struct sftp_attrs attrs;
};

struct dory_sftp_engine {
    bool receives; /* files here are created, not opened */
    /* One step that needs no answer. False: nothing could be done now. */
    bool (*step)(struct dory_sftp_client *c);
    void (*answer)(struct dory_sftp_client *c, const struct dory_sftp_request *r, const struct sftp_answer *answer);
    /* One entry of a directory. */
    void (*entry)(struct dory_sftp_client *c, struct dory_sftp_level *level, struct sftp_slice name, const struct sftp_attrs *attrs);
    /* Content of a file that was asked for: how much was taken. */
    size_t (*data)(struct dory_sftp_client *c, struct dory_sftp_request *r, const uint8_t *bytes, size_t n);
    /* Content of a file that was announced: how much was given. */
    size_t (*fill)(struct dory_sftp_client *c, uint8_t *buf, size_t cap);
};

/* Bytes from the host (sftp_client_in.c). */
size_t dory_i_sftp_push(struct dory_stream *stream, const uint8_t *bytes, size_t n);
void dory_i_sftp_init(struct dory_sftp_client *c, const struct dory_sftp_engine *engine, const struct dory_sftp_client_config *config);

/* ---- Requests. May one be made now? One for each `true`. */
bool dory_i_sftp_can_ask(const struct dory_sftp_client *c);
/* Begins a request: `expect` is the type of a good answer. `end` sends it; DORY_E_NAME where it does not fit: a path is too long. */
struct dory_sftp_request *dory_i_sftp_ask(struct dory_sftp_client *c, struct sftp_writer *w, uint8_t type, enum sftp_kind kind,
                                          uint8_t owner, uint8_t expect);
int dory_i_sftp_ask_end(struct dory_sftp_client *c, struct sftp_writer *w, struct dory_sftp_request *r);
/* Whole requests. */
int dory_i_sftp_ask_path(struct dory_sftp_client *c, uint8_t type, enum sftp_kind kind, uint8_t owner, uint8_t expect, const char *path,
                         const struct sftp_attrs *attrs);
void dory_i_sftp_ask_handle(struct dory_sftp_client *c, uint8_t type, enum sftp_kind kind, uint8_t owner, uint8_t expect,
                            const struct dory_sftp_client_handle *handle, const struct sftp_attrs *attrs);
void dory_i_sftp_ask_close(struct dory_sftp_client *c, enum sftp_kind kind, uint8_t owner, struct dory_sftp_client_handle *handle);
void dory_i_sftp_take_handle(struct dory_sftp_client *c, struct dory_sftp_client_handle *handle, const struct sftp_answer *answer);
/* The walk's request to expand "~" or "~user" at the beginning of config.path; false: there is none, or the host cannot and path begins
   without it. Afterwards word_at is behind it and `path` holds what it stands for. */
bool dory_i_sftp_tilde(struct dory_sftp_client *c);
void dory_i_sftp_tilde_is(struct dory_sftp_client *c, const struct sftp_answer *answer);

/* ---- Messages. What went wrong here, and what the host said of a path there; `more` stands behind. */
void dory_i_sftp_error(struct dory_sftp_client *c, const char *path, const char *text);
void dory_i_sftp_error_is(struct dory_sftp_client *c, const char *path, int error);
void dory_i_sftp_complain(struct dory_sftp_client *c, const char *path, const char *text);
void dory_i_sftp_told(struct dory_sftp_client *c, const char *path, const struct sftp_answer *answer, const char *more);
/* The host broke the protocol: all is over. */
void dory_i_sftp_fatal(struct dory_sftp_client *c, const char *text);
/* All is over: what is open is closed, what was not committed is dropped. */
void dory_i_sftp_release(struct dory_sftp_client *c);

/* ---- Paths, each of DORY_SFTP_PATH_MAX bytes at most. `name` puts a name at path[at]; false: too long. `join` puts a slash behind if
   there is none: where names begin. A path for messages may be longer by one name, and what does not fit then is left out of it: names go
   to `at` again. */
bool dory_i_sftp_name(char path[DORY_SFTP_PATH_ROOM], uint16_t at, const char *name, size_t n);
uint16_t dory_i_sftp_join(char path[DORY_SFTP_PATH_ROOM], uint16_t at);
void dory_i_sftp_show(struct dory_sftp_client *c, const char *path);

/* ---- Files under way, in the order in which they were begun. */
bool dory_i_sftp_has_room(const struct dory_sftp_client *c);
struct dory_sftp_file *dory_i_sftp_new_file(struct dory_sftp_client *c);
struct dory_sftp_file *dory_i_sftp_file(struct dory_sftp_client *c, unsigned i, uint8_t *owner);
void dory_i_sftp_begin(struct dory_sftp_client *c, struct dory_sftp_file *f);
void dory_i_sftp_advance(struct dory_sftp_client *c, struct dory_sftp_file *f, uint64_t n);
/* The first one is done with: tells its end and forgets it. */
void dory_i_sftp_drop_first(struct dory_sftp_client *c);

/* Closes a handle and forgets it; -1 is none. `abort` drops what was created. */
void dory_i_sftp_close(struct dory_fs *fs, int *handle);
void dory_i_sftp_abort(struct dory_fs *fs, int *handle);
void dory_i_sftp_leave(struct dory_sftp_client *c);

#endif
