#include "dory_error.h"

#include <stddef.h>

/* Indexed by the negated code. Words that people know from scp where there are such. */
static const char *const texts[] = {
    [0] = "Success",
    [-DORY_E_ARG] = "invalid argument",
    [-DORY_E_STATE] = "not possible now",
    [-DORY_E_AGAIN] = "busy",
    [-DORY_E_SPACE] = "too long for the buffer",
    [-DORY_E_RNG] = "no entropy",
    [-DORY_E_CRYPTO] = "cryptographic input refused",
    [-DORY_E_PASSPHRASE] = "a passphrase is needed",
    [-DORY_E_BAD_PASSPHRASE] = "wrong passphrase",
    [-DORY_E_VERSION] = "the peer does not speak SSH-2",
    [-DORY_E_PACKET] = "bad packet length",
    [-DORY_E_MAC] = "integrity check failed",
    [-DORY_E_PROTOCOL] = "protocol error",
    [-DORY_E_NO_COMMON] = "no common algorithm",
    [-DORY_E_KEX] = "key exchange failed",
    [-DORY_E_HOSTKEY] = "host key refused",
    [-DORY_E_AUTH] = "Permission denied (authentication failed)",
    [-DORY_E_TIMEOUT] = "timed out",
    [-DORY_E_DISCONNECTED] = "disconnected by the peer",
    [-DORY_E_CUT] = "lost connection",
    [-DORY_E_CLOSED] = "connection closed",
    [-DORY_E_NOENT] = "No such file or directory",
    [-DORY_E_EXIST] = "File exists",
    [-DORY_E_NOTDIR] = "Not a directory",
    [-DORY_E_ISDIR] = "Is a directory",
    [-DORY_E_ACCESS] = "Permission denied",
    [-DORY_E_ROFS] = "Read-only file system",
    [-DORY_E_NOSPC] = "No space left on device",
    [-DORY_E_IO] = "Input/output error",
    [-DORY_E_NAME] = "invalid or too long name",
    [-DORY_E_LOOP] = "symbolic link not followed",
    [-DORY_E_NFILE] = "Too many open files",
    [-DORY_E_NOTEMPTY] = "Directory not empty",
    [-DORY_E_NOSYS] = "Operation not supported",
    [-DORY_E_DEPTH] = "directories nested too deep",
    [-DORY_E_NOTREG] = "not a regular file",
};

const char *dory_strerror(int error)
{
    const char *text = NULL;

    if (error <= 0 && error > -(int)(sizeof texts / sizeof *texts))
        text = texts[-error];
    return text ? text : "unknown error";
}
