/* What source and sink share: bytes to the peer, lines from it, the path of the present object. */
#ifndef SCP_INTERNAL_H
#define SCP_INTERNAL_H

#include "dory_scp.h"

/* Text of an error record that is swallowed before the peer is taken for mad. */
#define SCP_TEXT_MAX 8192

/* What the peer said: not all of it yet; a zero byte; an error text, which was told; something after which the conversation is over; any other
   line, which stands in line[0..line_len). */
enum { SCP_HEARD_MORE, SCP_HEARD_GOOD, SCP_HEARD_ERROR, SCP_HEARD_FATAL, SCP_HEARD_LINE };

void dory_scp_init(struct dory_scp *scp, const struct dory_stream_ops *ops, const struct dory_scp_config *config,
                   int (*drop)(struct dory_fs *fs, int handle));
/* Where the present object is: the directory entered last, or that of the item or target. */
int dory_scp_dir(const struct dory_scp *scp);
int dory_scp_status(const struct dory_stream *stream);

/* Out. `say` sends what stands in line[0..n). */
void dory_scp_say(struct dory_scp *scp, size_t n);
void dory_scp_say_good(struct dory_scp *scp);
size_t dory_scp_drain(struct dory_scp *scp, uint8_t *buf, size_t cap);
/* An error record "scp: path: text" to the peer, the same to this side's events; exit status 1. */
void dory_scp_complain(struct dory_scp *scp, int error);
/* The same on this side only. */
void dory_scp_tell(struct dory_scp *scp, const char *text);
/* A fatal record; the conversation is over. */
void dory_scp_protocol_error(struct dory_scp *scp, const char *text);

/* In: takes what the peer says, `used` of n > 0 bytes; one of SCP_HEARD_*. Of GOOD and LINE, `wanted` says which may come; told of the other,
   the peer gets a fatal record. */
int dory_scp_hear(struct dory_scp *scp, const uint8_t *bytes, size_t n, size_t *used, int wanted);
/* The line that was heard is for the person: tells it and forgets it. */
void dory_scp_told(struct dory_scp *scp);

/* Copies at most max bytes and puts a NUL behind them; whether that was all. */
bool dory_scp_copy(char *out, const char *text, size_t max);
/* The path for messages. `put` sets it. `enter` makes `present` the directory that names are put behind; `leave` closes it again. */
void dory_scp_path_put(struct dory_scp *scp, const char *path);
void dory_scp_enter(struct dory_scp *scp);
void dory_scp_leave(struct dory_scp *scp);

void dory_scp_begin(struct dory_scp *scp);
void dory_scp_advance(struct dory_scp *scp, size_t n);
void dory_scp_done(struct dory_scp *scp, int status);

/* Closes a handle and forgets it; -1 is none. */
void dory_scp_close(struct dory_fs *fs, int *handle);
/* Done with the present file, which is not, or no more, to be committed. */
void dory_scp_drop(struct dory_scp *scp, int why);
/* Everything is over: all is closed. */
void dory_scp_release(struct dory_scp *scp);
void dory_scp_stop(struct dory_stream *stream);

/* Behind `path`, a slash if there is none; where the next component begins. What does not fit a path for display is left out. */
uint16_t dory_scp_join(char path[DORY_SCP_PATH_MAX + DORY_NAME_MAX + 2], uint16_t prefix);

#endif
