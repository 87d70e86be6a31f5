#include "scp_sshopt.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef int setter(struct dory_cli_ssh *o, const char *value, void *member);

static setter set_flag, set_number, set_time, set_text, set_port, set_strict, set_log, set_family, set_rekey, set_identity, set_none_only;

/* A name without a setter is one that changes nothing for a copy; it is accepted as ssh accepts it. */
static const struct keyword {
    const char *name;
    setter *set;
    size_t member;
} keywords[] = {
#define IN(m) offsetof(struct dory_cli_ssh, m)
    {"port", set_port, IN(port)},
    {"user", set_text, IN(user)},
    {"hostname", set_text, IN(hostname)},
    {"hostkeyalias", set_text, IN(host_key_alias)},
    {"identityfile", set_identity, 0},
    {"identitiesonly", set_flag, IN(identities_only)},
    {"userknownhostsfile", set_text, IN(user_known_hosts)},
    {"globalknownhostsfile", set_text, IN(global_known_hosts)},
    {"stricthostkeychecking", set_strict, IN(strict)},
    {"batchmode", set_flag, IN(batch)},
    {"ciphers", set_text, IN(ciphers)},
    {"macs", set_text, IN(macs)},
    {"kexalgorithms", set_text, IN(kex)},
    {"hostkeyalgorithms", set_text, IN(hostkey_algorithms)},
    {"connecttimeout", set_time, IN(connect_timeout)},
    {"connectionattempts", set_number, IN(connect_attempts)},
    {"serveraliveinterval", set_time, IN(alive_interval)},
    {"serveralivecountmax", set_number, IN(alive_max)},
    {"numberofpasswordprompts", set_number, IN(password_prompts)},
    {"passwordauthentication", set_flag, IN(password_auth)},
    {"pubkeyauthentication", set_flag, IN(pubkey_auth)},
    {"preferredauthentications", set_text, IN(preferred_auth)},
    {"loglevel", set_log, IN(log)},
    {"rekeylimit", set_rekey, 0},
    {"addressfamily", set_family, IN(family)},
    {"hashknownhosts", set_flag, IN(hash_known_hosts)},
    {"tcpkeepalive", set_flag, IN(tcp_keepalive)},
    {"proxycommand", set_none_only, 0},
    {"proxyjump", set_none_only, 0},
    {"bindaddress", set_none_only, 0},
    {"bindinterface", set_none_only, 0},
    {"knownhostscommand", set_none_only, 0},
    {"revokedhostkeys", set_none_only, 0},
#undef IN
};

static const char harmless[] =
    ",addkeystoagent,canonicaldomains,canonicalizefallbacklocal,canonicalizehostname,canonicalizemaxdots,"
    "canonicalizepermittedcnames,casignaturealgorithms,certificatefile,challengeresponseauthentication,checkhostip,"
    "clearallforwardings,compression,compressionlevel,controlmaster,controlpath,controlpersist,dynamicforward,"
    "enableescapecommandline,enablesshkeysign,escapechar,exitonforwardfailure,fingerprinthash,forkafterauthentication,"
    "forwardagent,forwardx11,forwardx11timeout,forwardx11trusted,gatewayports,gssapiauthentication,gssapidelegatecredentials,"
    "gssapikeyexchange,gssapitrustdns,host,hostbasedacceptedalgorithms,hostbasedauthentication,identityagent,ignoreunknown,"
    "ipqos,kbdinteractiveauthentication,kbdinteractivedevices,localcommand,localforward,logverbose,"
    "nohostauthenticationforlocalhost,obscurekeystroketiming,permitlocalcommand,permitremoteopen,pkcs11provider,"
    "proxyusefdpass,pubkeyacceptedalgorithms,pubkeyacceptedkeytypes,remotecommand,remoteforward,requesttty,requiredrsasize,"
    "securitykeyprovider,sendenv,sessiontype,setenv,stdinnull,streamlocalbindmask,streamlocalbindunlink,"
    "syslogfacility,tag,tunnel,tunneldevice,updatehostkeys,verifyhostkeydns,visualhostkey,xauthlocation,channeltimeout,"
    "hostbasedkeytypes,smartcarddevice,protocol,";

bool dory_cli_lists(const char *list, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = list; n && (at = strcasestr(at, name)); at++)
        if (at > list && at[-1] == ',' && at[n] == ',')
            return true;
    return false;
}

void dory_cli_ssh_init(struct dory_cli_ssh *o)
{
    memset(o, 0, sizeof *o);
    o->port = o->strict = o->log = o->family = -1;
    o->batch = o->password_auth = o->pubkey_auth = o->identities_only = o->hash_known_hosts = o->tcp_keepalive = -1;
    o->connect_timeout = o->alive_interval = o->alive_max = o->password_prompts = o->connect_attempts = -1;
    o->rekey_bytes = o->rekey_seconds = -1;
}

static const char *keep(struct dory_cli_ssh *o, const char *text)
{
    size_t n = strlen(text) + 1;
    char *at = o->text + o->text_used;

    if (n > sizeof o->text - o->text_used)
        return NULL;
    memcpy(at, text, n);
    o->text_used += n;
    return at;
}

static int choose(const char *const names[], size_t count, const char *value)
{
    for (size_t i = 0; i < count; i++)
        if (names[i] && !strcasecmp(names[i], value))
            return (int)i;
    return -1;
}

static int first_wins(int *member, int value)
{
    if (value < 0)
        return -1;
    if (*member < 0)
        *member = value;
    return 0;
}

static int yes_no(const char *value)
{
    static const char *const names[] = {"no", "yes", "false", "true"};
    int i = choose(names, COUNT(names), value);

    return i < 0 ? -1 : i & 1;
}

static int set_flag(struct dory_cli_ssh *o, const char *value, void *member)
{
    (void)o;
    return first_wins(member, yes_no(value));
}

/* Decimal digits only, no sign, no blank. */
static int number(const char *value, const char **end)
{
    unsigned long n;
    char *stop;

    if (!isdigit((unsigned char)*value))
        return -1;
    errno = 0;
    n = strtoul(value, &stop, 10);
    *end = stop;
    return errno || n > INT_MAX ? -1 : (int)n;
}

static int set_number(struct dory_cli_ssh *o, const char *value, void *member)
{
    const char *end = "";
    int n = number(value, &end);

    (void)o;
    return *end ? -1 : first_wins(member, n);
}

/* ssh_config(5) TIME FORMATS: 90, 90s, 1m30s, 1h. */
static int seconds(const char *value)
{
    static const char units[] = "smhdw";
    static const int factors[] = {1, 60, 3600, 86400, 604800};
    long long total = 0;

    if (!*value)
        return -1;
    while (*value) {
        int n = number(value, &value), factor = 1;

        if (n < 0)
            return -1;
        if (*value) {
            const char *unit = strchr(units, tolower((unsigned char)*value++));

            if (!unit)
                return -1;
            factor = factors[unit - units];
        }
        total += (long long)n * factor;
        if (total > INT_MAX)
            return -1;
    }
    return (int)total;
}

static int set_time(struct dory_cli_ssh *o, const char *value, void *member)
{
    (void)o;
    return first_wins(member, strcasecmp(value, "none") ? seconds(value) : 0);
}

static int set_text(struct dory_cli_ssh *o, const char *value, void *member)
{
    const char **text = member;

    if (!*value)
        return -1;
    if (!*text)
        *text = keep(o, value);
    return *text ? 0 : -1;
}

int dory_cli_port(const char *text)
{
    const char *end = "";
    int n = number(text, &end);

    return *end || n < 1 || n > 65535 ? -1 : n;
}

static int set_port(struct dory_cli_ssh *o, const char *value, void *member)
{
    (void)o;
    return first_wins(member, dory_cli_port(value));
}

static int set_strict(struct dory_cli_ssh *o, const char *value, void *member)
{
    static const char *const names[] = {"no", "yes", "ask", "accept-new", "false", "true", "off"};
    static const int values[] = {DORY_STRICT_NO, DORY_STRICT_YES, DORY_STRICT_ASK, DORY_STRICT_ACCEPT_NEW,
                                 DORY_STRICT_NO, DORY_STRICT_YES, DORY_STRICT_NO};
    int i = choose(names, COUNT(names), value);

    (void)o;
    return first_wins(member, i < 0 ? -1 : values[i]);
}

static int set_log(struct dory_cli_ssh *o, const char *value, void *member)
{
    static const char *const names[] = {"quiet", "fatal", "error", "info", "verbose", "debug", "debug1", "debug2", "debug3"};
    static const int values[] = {DORY_LOG_QUIET, DORY_LOG_QUIET, DORY_LOG_ERROR, DORY_LOG_INFO, DORY_LOG_VERBOSE,
                                 DORY_LOG_DEBUG, DORY_LOG_DEBUG, DORY_LOG_DEBUG, DORY_LOG_DEBUG};
    int i = choose(names, COUNT(names), value);

    (void)o;
    return first_wins(member, i < 0 ? -1 : values[i]);
}

static int set_family(struct dory_cli_ssh *o, const char *value, void *member)
{
    static const char *const names[] = {"any", "inet", "inet6"};
    static const int values[] = {AF_UNSPEC, AF_INET, AF_INET6};
    int i = choose(names, COUNT(names), value);

    (void)o;
    return first_wins(member, i < 0 ? -1 : values[i]);
}

static int64_t bytes(const char *value)
{
    static const char units[] = "kmg";
    const char *end = "", *unit;
    int64_t n = number(value, &end);

    if (n < 0 || !*end)
        return n;
    unit = strchr(units, tolower((unsigned char)*end));
    if (!unit || end[1])
        return -1;
    return n << (10 * (unit - units + 1));
}

/* "1G", "1G 1h", "default none"; below 16 bytes ssh refuses it. */
static int set_rekey(struct dory_cli_ssh *o, const char *value, void *member)
{
    char amount[32] = "", time[32] = "";
    int64_t n = 0, s = 0;

    (void)member;
    if (sscanf(value, "%31s %31s", amount, time) < 1)
        return -1;
    if (strcasecmp(amount, "default")) {
        n = bytes(amount);
        if (n < 16)
            return -1;
    }
    if (*time && strcasecmp(time, "none") && (s = seconds(time)) <= 0)
        return -1;
    if (o->rekey_bytes < 0) {
        o->rekey_bytes = n;
        o->rekey_seconds = s;
    }
    return 0;
}

static int set_identity(struct dory_cli_ssh *o, const char *value, void *member)
{
    const char *path;

    (void)member;
    if (o->identity_count == DORY_CLI_IDENTITIES_MAX || !(path = keep(o, value)))
        return -1;
    o->identities[o->identity_count++] = path;
    return 0;
}

/* What would change the way to the host, or whom to trust, cannot be ignored. */
static int set_none_only(struct dory_cli_ssh *o, const char *value, void *member)
{
    (void)o, (void)member;
    return strcasecmp(value, "none") ? -1 : 0;
}

int dory_cli_ssh_identity(struct dory_cli_ssh *o, const char *path, char *why, size_t cap)
{
    if (*path && set_identity(o, path, NULL) == 0)
        return 0;
    snprintf(why, cap, "more than %d identity files", DORY_CLI_IDENTITIES_MAX);
    return -1;
}

int dory_cli_ssh_set(struct dory_cli_ssh *o, const char *name, const char *value, char *why, size_t cap)
{
    for (size_t i = 0; i < COUNT(keywords); i++) {
        if (strcasecmp(keywords[i].name, name))
            continue;
        if (!*value)
            snprintf(why, cap, "no argument after keyword \"%s\"", name);
        else if (keywords[i].set(o, value, (char *)o + keywords[i].member) == 0)
            return 0;
        else if (keywords[i].set == set_none_only)
            snprintf(why, cap, "%s is not supported by this version", name);
        else
            snprintf(why, cap, "bad value for %s: '%s'", name, value);
        return -1;
    }
    if (dory_cli_lists(harmless, name))
        return 0;
    snprintf(why, cap, "Bad configuration option: %s", name);
    return -1;
}

int dory_cli_ssh_option(struct dory_cli_ssh *o, const char *argument, char *why, size_t cap)
{
    static const char blank[] = " \t\r\n\f";
    char name[64], value[4096];
    size_t n, end;

    argument += strspn(argument, blank);
    n = strcspn(argument, " \t=");
    if (!n || n >= sizeof name) {
        snprintf(why, cap, "Bad configuration option: %.60s", argument);
        return -1;
    }
    memcpy(name, argument, n);
    name[n] = '\0';
    argument += n;
    argument += strspn(argument, blank);
    if (*argument == '=')
        argument++;
    argument += strspn(argument, blank);
    end = strlen(argument);
    while (end && strchr(blank, argument[end - 1])) end--;
    if (end >= 2 && argument[0] == '"' && argument[end - 1] == '"') {
        argument++;
        end -= 2;
    }
    if (end >= sizeof value) {
        snprintf(why, cap, "value of %s is too long", name);
        return -1;
    }
    memcpy(value, argument, end);
    value[end] = '\0';
    return dory_cli_ssh_set(o, name, value, why, cap);
}
