#include "dory_config.h"
#include "dory_error.h"

#include <stddef.h>

/* What DORY_ERROR_TEXTS 0 leaves out. The rest is what an upload can fail with at its user's side. */
#define MORE(text) (DORY_ERROR_TEXTS ? (text) : NULL)

/* Indexed by the negated code. Words that people know from scp where there are such. */
static const char *const texts[] = {
    [0] = MORE("Success"),
    [-DORY_E_ARG] = MORE("invalid argument"),
    [-DORY_E_STATE] = MORE("not possible now"),
    [-DORY_E_AGAIN] = MORE("busy"),
    [-DORY_E_SPACE] = MORE("too long for the buffer"),
    [-DORY_E_RNG] = MORE("no entropy"),
    [-DORY_E_CRYPTO] = MORE("cryptographic input refused"),
    [-DORY_E_PASSPHRASE] = MORE("a passphrase is needed"),
    [-DORY_E_BAD_PASSPHRASE] = MORE("wrong passphrase"),
    [-DORY_E_VERSION] = MORE("the peer does not speak SSH-2"),
    [-DORY_E_PACKET] = MORE("bad packet length"),
    [-DORY_E_MAC] = MORE("integrity check failed"),
    [-DORY_E_PROTOCOL] = MORE("protocol error"),
    [-DORY_E_NO_COMMON] = MORE("no common algorithm"),
    [-DORY_E_KEX] = MORE("key exchange failed"),
    [-DORY_E_HOSTKEY] = MORE("host key refused"),
    [-DORY_E_AUTH] = MORE("Permission denied (authentication failed)"),
    [-DORY_E_TIMEOUT] = MORE("timed out"),
    [-DORY_E_DISCONNECTED] = MORE("disconnected by the peer"),
    [-DORY_E_CUT] = MORE("lost connection"),
    [-DORY_E_CLOSED] = MORE("connection closed"),
    [-DORY_E_NOENT] = "No such file or directory",
    [-DORY_E_EXIST] = MORE("File exists"),
    [-DORY_E_NOTDIR] = MORE("Not a directory"),
    [-DORY_E_ISDIR] = MORE("Is a directory"),
    [-DORY_E_ACCESS] = "Permission denied",
    [-DORY_E_ROFS] = MORE("Read-only file system"),
    [-DORY_E_NOSPC] = "No space left on device",
    [-DORY_E_IO] = "Input/output error",
    [-DORY_E_NAME] = MORE("invalid or too long name"),
    [-DORY_E_LOOP] = MORE("symbolic link not followed"),
    [-DORY_E_NFILE] = MORE("Too many open files"),
    [-DORY_E_NOTEMPTY] = MORE("Directory not empty"),
    [-DORY_E_NOSYS] = MORE("Operation not supported"),
    [-DORY_E_DEPTH] = MORE("directories nested too deep"),
    [-DORY_E_NOTREG] = "not a regular file",
    [-DORY_E_ATTRS] = MORE("mode or times could not be set"),
    [-DORY_E_AMBIGUOUS] = MORE("ambiguous target"),
    [-DORY_E_SHRANK] = MORE("file shrank while it was read"),
};

/* Valid until the next call. */
static const char *number(int error)
{
    static char text[] = "error 00";

    text[6] = (char)('0' + -error / 10);
    text[7] = (char)('0' + -error % 10);
    return text;
}

const char *dory_strerror(int error)
{
    if (error > 0 || error <= -(int)(sizeof texts / sizeof *texts))
        return "unknown error";
    if (texts[-error])
        return texts[-error];
    return DORY_ERROR_TEXTS ? "unknown error" : number(error);
}
