/* What source and sink share: bytes to the peer, lines from it, the path of the present object. */
#ifndef SCP_INTERNAL_H
#define SCP_INTERNAL_H

#include "dory_scp.h"

/* Text of an error record that is swallowed before the peer is taken for mad. */
#define SCP_TEXT_MAX 8192

/* What a sink answered, or a source said in its place. */
enum { SCP_REPLY_MORE, SCP_REPLY_GOOD, SCP_REPLY_ERROR, SCP_REPLY_FATAL };

void dory_scp_init(struct dory_scp *scp, const struct dory_stream_ops *ops, const struct dory_scp_config *config);
/* Where the present object is: the directory entered last, or that of the item or target. */
int dory_scp_dir(const struct dory_scp *scp);
int dory_scp_status(const struct dory_stream *stream);

/* Out. `say` sends what stands in line[0..n). */
void dory_scp_say(struct dory_scp *scp, size_t n);
void dory_scp_say_good(struct dory_scp *scp);
size_t dory_scp_drain(struct dory_scp *scp, uint8_t *buf, size_t cap);
/* An error record "scp: path: text" to the peer, the same to this side's events; exit status 1. */
void dory_scp_complain(struct dory_scp *scp, const char *path, const char *text);
void dory_scp_complain_error(struct dory_scp *scp, int error);
/* The same on this side only. */
void dory_scp_tell(struct dory_scp *scp, const char *path, const char *text);
/* A fatal record, after which the conversation is over; the caller closes what is open. */
void dory_scp_protocol_error(struct dory_scp *scp, const char *text);

/* In. `gather` takes bytes of a line and says how many; true: the line is whole, without its end, in line[0..line_len). */
bool dory_scp_gather(struct dory_scp *scp, const uint8_t *bytes, size_t n, size_t *used);
/* The gathered line is an error text of the peer: tells it and forgets it. */
void dory_scp_told(struct dory_scp *scp);
/* A reply byte with the text that may follow; one of SCP_REPLY_*. After FATAL the conversation is over. */
int dory_scp_reply(struct dory_scp *scp, const uint8_t *bytes, size_t n, size_t *used);

/* The path for messages. `put` sets it. `enter` makes `present` the directory that names are put behind; `leave` closes it again. */
void dory_scp_path_put(struct dory_scp *scp, const char *path);
void dory_scp_enter(struct dory_scp *scp);
void dory_scp_leave(struct dory_scp *scp);

void dory_scp_begin(struct dory_scp *scp, const char *name);
void dory_scp_advance(struct dory_scp *scp, size_t n);
void dory_scp_done(struct dory_scp *scp, int status);

/* Closes a handle and forgets it; -1 is none. */
void dory_scp_close(struct dory_fs *fs, int *handle);
/* Everything is over: directories are closed, and `file` too unless it was taken care of. */
void dory_scp_release(struct dory_scp *scp);

/* Behind `path`, a slash if there is none; where the next component begins. What does not fit a path for display is left out. */
uint16_t dory_scp_join(char path[DORY_SCP_PATH_MAX + DORY_NAME_MAX + 2], uint16_t prefix);

/* A number of a record: reads digits at *at, exactly, up to 2^63 - 1. */
bool dory_scp_get_number(const char **at, int64_t *value);

#endif
