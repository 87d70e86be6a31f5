/* The bytes of SFTP version 3 (draft-ietf-secsh-filexfer-02) and of OpenSSH's extensions to it: names, cursors with one sticky flag that is
   checked once a message, attributes, status codes. Used by the server and by the client. */
#ifndef SFTP_WIRE_H
#define SFTP_WIRE_H

#include "dory_fs.h"

enum { SFTP_VERSION = 3 };

/* Message types, section 3. */
enum sftp_type {
    SSH_FXP_INIT = 1,
    SSH_FXP_VERSION = 2,
    SSH_FXP_OPEN = 3,
    SSH_FXP_CLOSE = 4,
    SSH_FXP_READ = 5,
    SSH_FXP_WRITE = 6,
    SSH_FXP_LSTAT = 7,
    SSH_FXP_FSTAT = 8,
    SSH_FXP_SETSTAT = 9,
    SSH_FXP_FSETSTAT = 10,
    SSH_FXP_OPENDIR = 11,
    SSH_FXP_READDIR = 12,
    SSH_FXP_REMOVE = 13,
    SSH_FXP_MKDIR = 14,
    SSH_FXP_RMDIR = 15,
    SSH_FXP_REALPATH = 16,
    SSH_FXP_STAT = 17,
    SSH_FXP_RENAME = 18,
    SSH_FXP_READLINK = 19,
    SSH_FXP_SYMLINK = 20,
    SSH_FXP_STATUS = 101,
    SSH_FXP_HANDLE = 102,
    SSH_FXP_DATA = 103,
    SSH_FXP_NAME = 104,
    SSH_FXP_ATTRS = 105,
    SSH_FXP_EXTENDED = 200,
    SSH_FXP_EXTENDED_REPLY = 201
};

/* Flags of SSH_FXP_OPEN, section 6.3. */
enum { SSH_FXF_READ = 0x01, SSH_FXF_WRITE = 0x02, SSH_FXF_APPEND = 0x04, SSH_FXF_CREAT = 0x08, SSH_FXF_TRUNC = 0x10, SSH_FXF_EXCL = 0x20 };

/* Which attributes are there, section 5. */
#define SSH_FILEXFER_ATTR_SIZE        0x00000001u
#define SSH_FILEXFER_ATTR_UIDGID      0x00000002u
#define SSH_FILEXFER_ATTR_PERMISSIONS 0x00000004u
#define SSH_FILEXFER_ATTR_ACMODTIME   0x00000008u
#define SSH_FILEXFER_ATTR_EXTENDED    0x80000000u

/* Status codes, section 7. */
enum sftp_status {
    SSH_FX_OK = 0,
    SSH_FX_EOF = 1,
    SSH_FX_NO_SUCH_FILE = 2,
    SSH_FX_PERMISSION_DENIED = 3,
    SSH_FX_FAILURE = 4,
    SSH_FX_BAD_MESSAGE = 5,
    SSH_FX_NO_CONNECTION = 6,
    SSH_FX_CONNECTION_LOST = 7,
    SSH_FX_OP_UNSUPPORTED = 8
};

/* Extensions, OpenSSH's PROTOCOL section 4. SSH_FXE_STATVFS_RDONLY and _NOSUID are bits of f_flag. */
#define SSH_FXE_POSIX_RENAME "posix-rename@openssh.com"
#define SSH_FXE_STATVFS      "statvfs@openssh.com"
#define SSH_FXE_FSTATVFS     "fstatvfs@openssh.com"
#define SSH_FXE_FSYNC        "fsync@openssh.com"
#define SSH_FXE_LIMITS       "limits@openssh.com"
#define SSH_FXE_EXPAND_PATH  "expand-path@openssh.com"
enum { SSH_FXE_STATVFS_RDONLY = 1, SSH_FXE_STATVFS_NOSUID = 2 };

/* The type bits that `permissions` carries above 07777. */
enum { SFTP_MODE_TYPE = 0170000, SFTP_MODE_PIPE = 0010000, SFTP_MODE_DIR = 0040000, SFTP_MODE_FILE = 0100000, SFTP_MODE_LINK = 0120000 };

struct sftp_reader {
    const uint8_t *p, *end;
    bool bad;
};

struct sftp_slice {
    const uint8_t *p; /* NULL: not there */
    size_t n;
};

struct sftp_writer {
    uint8_t *p, *end;
    bool bad;    /* something had no room */
    bool part;   /* what has no room for all of it is cut, not left out */
    size_t skip; /* so many bytes are left out first: with `part`, a way to write a message piece by piece, and to measure it */
};

/* Only the members that `flags` names are meaningful; the others are 0 after reading. */
struct sftp_attrs {
    uint32_t flags; /* SSH_FILEXFER_ATTR_* */
    uint32_t uid, gid, permissions, atime, mtime;
    uint64_t size;
};

/* In the header because they are two instructions where a call would be three. */
static inline uint32_t dory_sftp_load32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint64_t dory_sftp_load64(const uint8_t *p);
void dory_sftp_store32(uint8_t *p, uint32_t v);
void dory_sftp_store64(uint8_t *p, uint64_t v);

/* Each gives 0, or no string, when the message is too short, and from then on. */
uint8_t dory_sftp_get8(struct sftp_reader *r);
uint32_t dory_sftp_get32(struct sftp_reader *r);
uint64_t dory_sftp_get64(struct sftp_reader *r);
struct sftp_slice dory_sftp_get_string(struct sftp_reader *r);
void dory_sftp_read_string(struct sftp_reader *r, struct sftp_slice *s);
/* Extended attributes are read over; `read_attrs` stops before them, which will do at the end of a message. */
void dory_sftp_get_attrs(struct sftp_reader *r, struct sftp_attrs *attrs);
void dory_sftp_read_attrs(struct sftp_reader *r, struct sftp_attrs *attrs);
bool dory_sftp_is(struct sftp_slice s, const char *text);

/* Where the room is too small the writer is bad, writes nothing from then on, and the message is of no use (with `part`: not whole). */
uint8_t *dory_sftp_put(struct sftp_writer *w, size_t n); /* room for n bytes, or NULL; knows neither `skip` nor `part` */
void dory_sftp_put_bytes(struct sftp_writer *w, const void *p, size_t n);
void dory_sftp_put8(struct sftp_writer *w, uint8_t v);
void dory_sftp_put32(struct sftp_writer *w, uint32_t v);
void dory_sftp_put64(struct sftp_writer *w, uint64_t v);
void dory_sftp_put_string(struct sftp_writer *w, const void *p, size_t n);
void dory_sftp_put_text(struct sftp_writer *w, const char *text);
void dory_sftp_put_attrs(struct sftp_writer *w, const struct sftp_attrs *attrs);

/* A whole packet: `begin` leaves room for its length and writes the type and the identifier (of INIT and VERSION: the version);
   `finish` fills in the length of what stands from there to w->p. */
uint8_t *dory_sftp_begin(struct sftp_writer *w, enum sftp_type type, uint32_t id);
void dory_sftp_finish(struct sftp_writer *w, uint8_t *begun);

/* What a file system says, as attributes; times that 32 bits do not hold are bent to what they hold. And back: the type is DORY_FS_FILE
   where `permissions` is missing or has no type bits. `to_settings` is the same without the type, for a setinfo. */
void dory_sftp_from_info(struct sftp_attrs *attrs, const struct dory_fs_info *info);
void dory_sftp_to_info(struct dory_fs_info *info, const struct sftp_attrs *attrs);
void dory_sftp_to_settings(struct dory_fs_info *info, const struct sftp_attrs *attrs);
/* What of `attrs` a setinfo or commit is to set: bits DORY_FS_SET_*. */
unsigned dory_sftp_settings(const struct sftp_attrs *attrs);

/* The code that tells a client of an error; SSH_FX_OK for DORY_OK and counts. And back, for a client: DORY_E_CUT for SSH_FX_EOF,
   DORY_E_IO for SSH_FX_FAILURE and codes that version 3 does not know. */
enum sftp_status dory_sftp_status_of(int error);
int dory_sftp_error_of(uint32_t status);

#endif
