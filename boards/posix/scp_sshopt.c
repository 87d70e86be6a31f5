#include "scp_sshopt.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "platform/posix/dory_posix_text.h"
#include "scp_setters.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A name without a setter is one that changes nothing for a copy; it is accepted as ssh accepts it (docs/CONFIG.md). */
static const struct keyword {
    const char *name;
    dory_cli_setter *set;
    size_t member;
    int most; /* words; 0: any number */
} keywords[] = {
#define IN(m) offsetof(struct dory_cli_ssh, m)
    {"port", dory_set_port, IN(port), 1},
    {"user", dory_set_text, IN(user), 1},
    {"hostname", dory_set_text, IN(hostname), 1},
    {"hostkeyalias", dory_set_text, IN(host_key_alias), 1},
    {"bindaddress", dory_set_text, IN(bind_address), 1},
    {"identityfile", dory_set_identity, 0, 1},
    {"identityfile2", dory_set_identity, 0, 1},
    {"identitiesonly", dory_set_flag, IN(identities_only), 1},
    {"identityagent", dory_set_text, IN(identity_agent), 1},
    {"userknownhostsfile", dory_set_names, IN(user_known_hosts), 0},
    {"globalknownhostsfile", dory_set_names, IN(global_known_hosts), 0},
    {"revokedhostkeys", dory_set_text, IN(revoked_host_keys), 1},
    {"stricthostkeychecking", dory_set_strict, IN(strict), 1},
    {"updatehostkeys", dory_set_update, IN(update_hostkeys), 1},
    {"batchmode", dory_set_flag, IN(batch), 1},
    {"ciphers", dory_set_ciphers, IN(ciphers), 1},
    {"macs", dory_set_macs, IN(macs), 1},
    {"kexalgorithms", dory_set_kex, IN(kex), 1},
    {"hostkeyalgorithms", dory_set_key_types, IN(hostkey_algorithms), 1},
    {"pubkeyacceptedalgorithms", dory_set_key_types, IN(pubkey_algorithms), 1},
    {"pubkeyacceptedkeytypes", dory_set_key_types, IN(pubkey_algorithms), 1},
    {"requiredrsasize", dory_set_number, IN(rsa_bits), 1},
    {"connecttimeout", dory_set_time, IN(connect_timeout), 1},
    {"connectionattempts", dory_set_number, IN(connect_attempts), 1},
    {"serveraliveinterval", dory_set_time, IN(alive_interval), 1},
    {"protocolkeepalives", dory_set_time, IN(alive_interval), 1},
    {"serveralivecountmax", dory_set_number, IN(alive_max), 1},
    {"numberofpasswordprompts", dory_set_number, IN(password_prompts), 1},
    {"passwordauthentication", dory_set_flag, IN(password_auth), 1},
    {"pubkeyauthentication", dory_set_pubkey, IN(pubkey_auth), 1},
    {"dsaauthentication", dory_set_pubkey, IN(pubkey_auth), 1},
    {"kbdinteractiveauthentication", dory_set_flag, IN(interactive_auth), 1},
    {"challengeresponseauthentication", dory_set_flag, IN(interactive_auth), 1},
    {"skeyauthentication", dory_set_flag, IN(interactive_auth), 1},
    {"tisauthentication", dory_set_flag, IN(interactive_auth), 1},
    {"preferredauthentications", dory_set_text, IN(preferred_auth), 1},
    {"loglevel", dory_set_log, IN(log), 1},
    {"rekeylimit", dory_set_rekey, 0, 2},
    {"addressfamily", dory_set_family, IN(family), 1},
    {"hashknownhosts", dory_set_flag, IN(hash_known_hosts), 1},
    {"visualhostkey", dory_set_flag, IN(visual_host_key), 1},
    {"tcpkeepalive", dory_set_flag, IN(tcp_keepalive), 1},
    {"keepalive", dory_set_flag, IN(tcp_keepalive), 1},
    {"proxycommand", dory_set_command, IN(proxy_command), 0},
    {"proxyjump", dory_set_jump, IN(proxy_jump), 0},
    {"ignoreunknown", dory_set_text, IN(ignore_unknown), 1},
    {"tag", dory_set_text, IN(tag), 1},
    {"bindinterface", dory_set_proper, 0, 1},
    {"knownhostscommand", dory_set_proper, 0, 0},
    {"refuseconnection", dory_set_proper, 0, 0},
    {"proxyusefdpass", dory_set_proper, 0, 1},
#undef IN
};

static const char harmless[] =
    ",addkeystoagent,afstokenpassing,canonicaldomains,canonicalizefallbacklocal,canonicalizehostname,canonicalizemaxdots,"
    "canonicalizepermittedcnames,casignaturealgorithms,certificatefile,channeltimeout,checkhostip,cipher,clearallforwardings,compression,"
    "compressionlevel,controlmaster,controlpath,controlpersist,dynamicforward,enableescapecommandline,enablesshkeysign,escapechar,"
    "exitonforwardfailure,fallbacktorsh,fingerprinthash,forkafterauthentication,forwardagent,forwardx11,forwardx11timeout,"
    "forwardx11trusted,gatewayports,globalknownhostsfile2,gssapiauthentication,gssapiclientidentity,gssapidelegatecredentials,"
    "gssapikexalgorithms,gssapikeyexchange,gssapirenewalforcesrekey,gssapiserveridentity,gssapitrustdns,host,hostbasedacceptedalgorithms,"
    "hostbasedauthentication,hostbasedkeytypes,include,ipqos,kbdinteractivedevices,kerberosauthentication,kerberostgtpassing,localcommand,"
    "localforward,logverbose,match,nohostauthenticationforlocalhost,obscurekeystroketiming,permitlocalcommand,permitremoteopen,"
    "pkcs11provider,protocol,remotecommand,remoteforward,requesttty,rhostsauthentication,rhostsrsaauthentication,"
    "rsaauthentication,securitykeyprovider,sendenv,sessiontype,setenv,setuptimeout,smartcarddevice,stdinnull,streamlocalbindmask,"
    "streamlocalbindunlink,syslogfacility,tunnel,tunneldevice,useblacklistedkeys,useprivilegedport,userknownhostsfile2,"
    "useroaming,usersh,verifyhostkeydns,versionaddendum,warnweakcrypto,xauthlocation,";

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
    o->batch = o->password_auth = o->pubkey_auth = o->interactive_auth = o->identities_only = o->hash_known_hosts = o->visual_host_key = -1;
    o->connect_timeout = o->alive_interval = o->alive_max = o->password_prompts = o->connect_attempts = -1;
    o->tcp_keepalive = o->rsa_bits = o->update_hostkeys = -1;
    o->rekey_bytes = o->rekey_seconds = -1;
}

int dory_cli_ssh_identity(struct dory_cli_ssh *o, const char *path, char *why, size_t cap)
{
    if (o->identity_count < DORY_CLI_IDENTITIES_MAX) {
        o->identity_given[o->identity_count] = true;
        o->identities[o->identity_count++] = dory_cli_keep(path);
        return 0;
    }
    snprintf(why, cap, "more than %d identity files", DORY_CLI_IDENTITIES_MAX);
    return -1;
}

static const struct keyword *find(const char *name)
{
    for (size_t i = 0; i < COUNT(keywords); i++)
        if (!strcmp(keywords[i].name, name))
            return &keywords[i];
    return NULL;
}

static int known(struct dory_cli_ssh *o, const struct keyword *k, const struct dory_cli_words *w, char *why, size_t cap)
{
    const char *wrong;

    if (k->most && w->n && !*w->word[0])
        return snprintf(why, cap, "Missing argument."), -1;
    wrong = k->set(o, w, (char *)o + k->member);
    if (wrong)
        return snprintf(why, cap, wrong, w->n ? w->word[0] : ""), -1;
    if (!k->most || w->n <= k->most)
        return 0;
    snprintf(why, cap, "keyword %s extra arguments at end of line", w->name);
    return -1;
}

/* The colon in this message alone is ssh's. */
static int unknown(const char *name, const char *file, unsigned line, char *why, size_t cap)
{
    snprintf(why, cap, "%s: line %u: Bad configuration option: %s", file, line, name);
    return -1;
}

int dory_cli_ssh_apply(struct dory_cli_ssh *o, const struct dory_cli_words *w, const char *file, unsigned line, char *why, size_t cap)
{
    const struct keyword *k = find(w->name);
    int result = -1, n;

    if (!*w->name && !w->n)
        return 0;
    n = snprintf(why, cap, "%s line %u: ", file, line);
    if (n < 0 || (size_t)n >= cap)
        n = 0;
    if (!*w->rest)
        snprintf(why + n, cap - (size_t)n, "no argument after keyword \"%s\"", w->name);
    else if (!k && !dory_cli_lists(harmless, w->name))
        result = o->ignore_unknown && dory_match_list(w->name, o->ignore_unknown) ? 0 : unknown(w->name, file, line, why, cap);
    else if (w->bad)
        snprintf(why + n, cap - (size_t)n, "invalid quotes");
    else
        result = k ? known(o, k, w, why + n, cap - (size_t)n) : 0;
    return result;
}

int dory_cli_ssh_option(struct dory_cli_ssh *o, const char *argument, char *why, size_t cap)
{
    struct dory_cli_words words;
    const char *name = words.name;

    dory_cli_words_split(&words, argument);
    if (!strcmp(name, "host") || !strcmp(name, "match"))
        return snprintf(why, cap, "Host directive not supported as a command-line option"), -1;
    if (!strcmp(name, "include"))
        return snprintf(why, cap, "Include directive not supported as a command-line option"), -1;
    if (!*name)
        return unknown(argument, "command-line", 0, why, cap);
    return dory_cli_ssh_apply(o, &words, "command-line", 0, why, cap);
}
