#include "scp_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "dory_scp.h"
#include "scp_algorithms.h"
#include "scp_location.h"
#include "scp_say.h"

static int usage(void)
{
    dory_say_plain(DORY_LOG_QUIET, "usage: scp [-346ABCOpqRrsTv] [-c cipher] [-D sftp_server_path] [-F ssh_config]\n"
                                   "           [-i identity_file] [-J destination] [-l limit] [-o ssh_option]\n"
                                   "           [-P port] [-S program] [-X sftp_option] source ... target");
    return 1;
}

/* It is told when the whole line has been read, and not where another ssh has to understand it. */
static int bad_option(struct dory_cli_options *o, const char *why)
{
    if (!o->complaint)
        o->complaint = dory_cli_keep(why);
    return -1;
}

static int complain(const struct dory_cli_options *o)
{
    if (!o->complaint || o->program)
        return -1;
    dory_say(DORY_LOG_QUIET, "%s", o->complaint);
    return o->classic ? 1 : 255;
}

static void pass(struct dory_cli_options *o, const char *word)
{
    if (o->passed_n < DORY_CLI_PASSED_MAX)
        o->passed[o->passed_n++] = word;
}

/* What OpenSSH's scp hands to ssh, as it does. */
static void pass_on(struct dory_cli_options *o, int letter, const char *value)
{
    static const char *const alone[] = {"-v", "-C", "-4", "-6", "-A", "-q"}, *const with[] = {"-o", "-i", "-F", "-J", "-c"};

    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
        if (alone[i][1] == letter)
            pass(o, alone[i]);
    for (size_t i = 0; i < sizeof with / sizeof *with; i++)
        if (with[i][1] == letter) {
            pass(o, with[i]);
            pass(o, value);
        }
    if (letter == 'B')
        pass(o, "-oBatchmode=yes");
}

static int set_jump(struct dory_cli_options *o, const char *value)
{
    if (o->ssh.proxy_jump)
        return bad_option(o, "Only a single -J option is permitted (use commas to separate multiple jump hops)");
    if (o->ssh.proxy_command)
        return bad_option(o, "Cannot specify -J with ProxyCommand");
    if (!dory_cli_jump_is_good(value))
        return bad_option(o, "Invalid -J argument");
    o->ssh.proxy_jump = dory_cli_keep(value);
    return -1;
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
    case 'F': o->config_file = value; return -1;
    case 'J': return set_jump(o, value);
    case 'S': o->program = value; return -1;
    case 'D': o->sftp_server = value; return -1;
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
    case 'R': o->direct = true; return -1;
    case '3': o->direct = false; return -1;
    case 's': o->sftp = true; return -1;
    case 'v': o->flags |= DORY_SCP_VERBOSE; return -1;
    default: return -1; /* -A and -C change nothing of a copy, -1 and -2 are history */
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

/* As in ssh, -q and -v go before -o LogLevel, and that before the files. */
static void set_level(struct dory_cli_options *o)
{
    if (o->flags & DORY_SCP_QUIET)
        o->ssh.log = DORY_LOG_ERROR;
    if (o->flags & DORY_SCP_VERBOSE)
        o->ssh.log = DORY_LOG_DEBUG;
    dory_say_level(o->ssh.log >= 0 ? (enum dory_cli_log)o->ssh.log : DORY_LOG_INFO);
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
        pass_on(o, letter, optarg);
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
    if (o->program && o->passed_n == DORY_CLI_PASSED_MAX) {
        dory_say(DORY_LOG_QUIET, "scp: too many options to hand to %s", o->program);
        return 255;
    }
    return o->path_count >= 2 ? complain(o) : usage();
}
