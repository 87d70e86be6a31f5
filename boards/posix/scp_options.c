#include "scp_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "dory_scp.h"
#include "scp_algorithms.h"
#include "scp_say.h"

static int usage(void)
{
    dory_say_plain(DORY_LOG_QUIET, "usage: scp [-346BCOpqrTv] [-c cipher] [-i identity_file] [-l limit] [-o ssh_option]\n"
                                   "           [-P port] source ... target");
    return 1;
}

static int bad_option(const struct dory_cli_options *o, const char *why)
{
    dory_say(DORY_LOG_QUIET, "%s", why);
    return o->classic ? 1 : 255;
}

static int unsupported(int letter, const char *what)
{
    dory_say(DORY_LOG_QUIET, "scp: -%c is not supported by this version: %s", letter, what);
    return 1;
}

static int take_text(struct dory_cli_options *o, int letter, const char *value)
{
    char why[DORY_CLI_LINE_MAX];
    long kbits;
    char *end;

    switch (letter) {
    case 'c':
        o->ssh.ciphers = value;
        if (dory_cli_algorithms_known(value, false))
            return -1;
        snprintf(why, sizeof why, "Unknown cipher type '%s'", value);
        return bad_option(o, why);
    case 'i': return dory_cli_ssh_identity(&o->ssh, value, why, sizeof why) < 0 ? bad_option(o, why) : -1;
    case 'o': return dory_cli_ssh_option(&o->ssh, value, why, sizeof why) < 0 ? bad_option(o, why) : -1;
    case 'P':
        o->port = dory_cli_port(value);
        if (o->port > 0)
            return -1;
        dory_say(DORY_LOG_QUIET, "scp: bad port \"%s\"", value);
        return 255;
    case 'l':
        kbits = strtol(value, &end, 10);
        if (end == value || *end || kbits < 1 || kbits > 100L * 1024 * 1024)
            return usage();
        o->limit = (uint64_t)kbits * 1024 / 8;
        return -1;
    case 'F':
        if (strcmp(value, "none") == 0 || strcmp(value, "/dev/null") == 0)
            return -1;
        return unsupported(letter, "no ssh_config file is read; give -o options");
    case 'J': return unsupported(letter, "it cannot pass through other hosts yet");
    case 'S': return unsupported(letter, "it speaks SSH itself");
    case 'D': return unsupported(letter, "it speaks SCP, not SFTP");
    default: /* 'X': tunes SFTP */ return -1;
    }
}

static int take_letter(struct dory_cli_options *o, int letter)
{
    switch (letter) {
    case '4': o->ssh.family = AF_INET; return -1;
    case '6': o->ssh.family = AF_INET6; return -1;
    case 'B': o->ssh.batch = 1; return -1;
    case 'O': o->classic = true; return -1;
    case 'T': o->any_name = true; return -1;
    case 'R': return unsupported(letter, "leave it out, and the copy goes through this machine");
    case 's': return unsupported(letter, "it speaks SCP, not SFTP");
    case 'v': o->flags |= DORY_SCP_VERBOSE; return -1;
    default: return -1; /* -3 is how it works, -A and -C change nothing of a copy, -1 and -2 are history */
    }
}

static unsigned flag(int letter)
{
    switch (letter) {
    case 'r': return DORY_SCP_RECURSE;
    case 'p': return DORY_SCP_TIMES;
    case 'd': return DORY_SCP_DIR;
    case 'q': return DORY_SCP_QUIET;
    case 't': return DORY_SCP_TO;
    case 'f': return DORY_SCP_FROM;
    default: return 0;
    }
}

static void set_level(const struct dory_cli_options *o)
{
    enum dory_cli_log level = DORY_LOG_INFO;

    if (o->flags & DORY_SCP_QUIET)
        level = DORY_LOG_ERROR;
    if (o->flags & DORY_SCP_VERBOSE)
        level = DORY_LOG_DEBUG;
    if (o->ssh.log >= 0)
        level = (enum dory_cli_log)o->ssh.log;
    dory_say_level(level);
}

int dory_cli_options_parse(struct dory_cli_options *o, int argc, char **argv)
{
    int letter, status;

    memset(o, 0, sizeof *o);
    dory_cli_ssh_init(&o->ssh);
    o->port = -1;
    optind = 0;
    opterr = 0;
    while ((letter = getopt(argc, argv, "+12346ABCOTRprqsvdtfc:i:l:o:P:F:J:S:D:X:")) != -1) {
        if (letter == '?') {
            dory_say(DORY_LOG_QUIET, strchr("cioPlFJSDX", optopt) ? "scp: option requires an argument -- %c" : "scp: unknown option -- %c",
                     optopt);
            return usage();
        }
        o->flags |= flag(letter);
        status = optarg && strchr("cioPlFJSDX", letter) ? take_text(o, letter, optarg) : take_letter(o, letter);
        if (status >= 0)
            return status;
    }
    set_level(o);
    o->paths = argv + optind;
    o->path_count = argc - optind;
    if (o->flags & DORY_SCP_TO)
        return o->path_count == 1 && !(o->flags & DORY_SCP_FROM) ? -1 : usage();
    if (o->flags & DORY_SCP_FROM)
        return o->path_count >= 1 ? -1 : usage();
    return o->path_count >= 2 ? -1 : usage();
}
