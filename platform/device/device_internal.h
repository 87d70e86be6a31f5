/* The inside of platform/device.
 *
 *   device.c    start, first boot, the turn       session.c   one connection: bytes in and out, events, what runs on its channel
 *   auth.c      who may log in                    commands.c  the registry and the commands that every board has
 *   lines.c     text in a slot                    passwords.c hashed passwords, where a board links them
 *   log.c       lines to the console              log_flash.c and to flash, where a board keeps them
 *   console.c   commands typed at the UART, likewise
 *   run.c       the loop on lwIP                  text.c      text without printf
 *   sftp.c      the subsystem, likewise
 */
#ifndef DEVICE_INTERNAL_H
#define DEVICE_INTERNAL_H

#include "dory_board.h"
#include "dory_device.h"

#define DEVICE_SOFTWARE "Dory_1.0"

/* device.c */
/* To the console, with "\r\n" for each "\n": a text as it is; one put together as dory_text_say does. */
void dory_i_device_say(const char *text);
void dory_i_device_print(const char *format, ...);
#define DEVICE_FINGERPRINT 52 /* "SHA256:" and base64 with its NUL */
void dory_i_device_fingerprint(char out[DEVICE_FINGERPRINT], const uint8_t *blob, size_t n);
void dory_i_device_print_setup(struct dory_device *device); /* how to log in the first time, if nobody can log in otherwise */
uint32_t dory_i_device_seconds(const struct dory_device *device); /* since the start, good for a year */
uint8_t dory_i_device_live(const struct dory_device *device); /* sessions */

/* auth.c */
/* A DORY_EV_AUTH_REQUEST: 1: let in, 0: refuse, DORY_E_AGAIN: not known yet, ask again. */
int dory_i_device_authenticate(struct dory_device_session *session, const struct dory_event *event);
void dory_i_device_leave_password(struct dory_device_session *session);
/* 1: a key or a password in flash lets somebody in. 0: none. DORY_E_AGAIN, DORY_E_IO. */
int dory_i_device_has_credentials(struct dory_device *device);

/* lines.c */
enum { DEVICE_LINE = 256 };
struct device_lines {
    struct dory_device *device;
    unsigned slot;
    uint32_t at;
    char text[DEVICE_LINE];
};
/* 1: `text` holds the next line, NUL-terminated; longer ones come as "". 0: no more. Negative: cannot be read now, or at all. */
int dory_i_device_line(struct device_lines *in);

/* session.c */
void dory_i_session_begin(struct dory_device_session *session, const struct dory_conn_ops *ops, void *conn);
/* Returns the milliseconds until the next turn is due; 0: at once. */
uint32_t dory_i_session_turn(struct dory_device_session *session);
void dory_i_session_disconnect(struct dory_device_session *session, const char *text);
void dory_i_session_abort(struct dory_device_session *session);

/* A line of the log about this connection, put together as dory_text_say does. */
void dory_i_session_say(struct dory_device_session *session, const char *format, ...);

/* commands.c */
/* The command that line[0..n) names; *args is where its arguments begin. NULL: there is none such. */
const struct dory_device_command *dory_i_device_command(const struct dory_device *device, const char *line, bool console, const char **args);

#endif
