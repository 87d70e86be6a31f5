/* The one error enum of the house. Functions return zero or a count on success and one of these on failure. */
#ifndef DORY_ERROR_H
#define DORY_ERROR_H

enum dory_error {
    DORY_OK = 0,
    DORY_E_ARG = -1,         /* the caller broke the contract of a header */
    DORY_E_STATE = -2,       /* the call does not fit the present state */
    DORY_E_AGAIN = -3,       /* nothing wrong: call again later */
    DORY_E_SPACE = -4,       /* a buffer or table that the caller gave is too small */
    DORY_E_RNG = -5,         /* no entropy */
    DORY_E_CRYPTO = -6,      /* a primitive refused its input: bad point, bad key, bad signature */
    DORY_E_PASSPHRASE = -7,  /* a private key is encrypted, and no passphrase was given */
    DORY_E_BAD_PASSPHRASE = -8, /* the passphrase of a private key is wrong */
    DORY_E_VERSION = -10,    /* RFC 4253 4.2: not an SSH-2 peer */
    DORY_E_PACKET = -11,     /* RFC 4253 6: impossible length or padding */
    DORY_E_MAC = -12,        /* RFC 4253 6.4: integrity check failed */
    DORY_E_PROTOCOL = -13,   /* a message that must not come here, or that is malformed */
    DORY_E_NO_COMMON = -14,  /* RFC 4253 7.1: no algorithm in common */
    DORY_E_KEX = -15,        /* key exchange failed: bad public value or host key signature */
    DORY_E_HOSTKEY = -16,    /* host key refused, or changed at a rekey */
    DORY_E_AUTH = -17,       /* authentication given up: no method left, or too many tries */
    DORY_E_TIMEOUT = -18,    /* a deadline passed: login grace, idle, silent peer */
    DORY_E_DISCONNECTED = -19, /* the peer sent SSH_MSG_DISCONNECT */
    DORY_E_CUT = -20,        /* the byte stream ended before its time */
    DORY_E_CLOSED = -21,     /* closed in order by this side */
    DORY_E_NOENT = -30,      /* file system: no such name */
    DORY_E_EXIST = -31,
    DORY_E_NOTDIR = -32,
    DORY_E_ISDIR = -33,
    DORY_E_ACCESS = -34,     /* permission, or outside the root */
    DORY_E_ROFS = -35,       /* read-only */
    DORY_E_NOSPC = -36,      /* full, quota, or larger than the slot */
    DORY_E_IO = -37,
    DORY_E_NAME = -38,       /* a name that is empty, too long, ".", "..", or holds '/' or NUL */
    DORY_E_LOOP = -39,       /* a symbolic link that may not be followed */
    DORY_E_NFILE = -40,      /* no handle left */
    DORY_E_NOTEMPTY = -41,
    DORY_E_NOSYS = -42,      /* this file system cannot do that */
    DORY_E_DEPTH = -43,      /* directories nested deeper than the limit */
    DORY_E_NOTREG = -44,     /* a device, pipe or socket, which is not served */
    DORY_E_ATTRS = -45,      /* content was stored, but its mode or times could not be set */
    DORY_E_AMBIGUOUS = -46,  /* more than one target */
    DORY_E_SHRANK = -47      /* a file ended before the size that was announced */
};

/* A short English text for any of the above, without a line end; never NULL. With DORY_ERROR_TEXTS 0 (dory_config.h) most are "error 14": the
   negated code; such a text is valid until the next call. */
const char *dory_strerror(int error);

#endif
