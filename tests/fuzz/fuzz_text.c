/* A libFuzzer target for texts: what people, servers, agents and files say to the POSIX programs. An input's first byte says which. Names
   that are let through must be harmless where they go: in a shell's command line, on a terminal, in a log. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "boards/posix/scp_config.h"
#include "boards/posix/scp_expand.h"
#include "boards/posix/scp_location.h"
#include "boards/posix/scp_say.h"
#include "dory_path.h"
#include "dory_scp.h"
#include "password.h"
#include "platform/posix/dory_posix_agent.h"
#include "platform/posix/dory_posix_auth.h"
#include "platform/posix/dory_posix_known_hosts.h"
#include "platform/posix/dory_posix_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { TEXT = 8192 };

static const uint8_t key[] = "\0\0\0\x0bssh-ed25519\0\0\0\x20"
                             "0123456789abcdef0123456789abcdef";
static const size_t key_n = sizeof key - 1;
static char file[64] = "/tmp/dory-fuzz-XXXXXX";
static int fd;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    fd = mkstemp(file);
    dory_say_level(DORY_LOG_QUIET);
    return fd < 0;
}

static void check(bool good)
{
    if (!good)
        abort();
}

static const char *file_of(const char *text, size_t n)
{
    check(ftruncate(fd, 0) == 0 && pwrite(fd, text, n, 0) == (ssize_t)n);
    return file;
}

/* ---- Where a name could become a command */

static void is_harmless(const char *text)
{
    for (; *text; text++) check((unsigned char)*text > ' ' && (unsigned char)*text < 0x7f && !strchr("'\"`$\\;&<>|(){}", *text));
}

static void in_a_command(const struct dory_cli_location *l)
{
    const struct dory_cli_tokens t = {
        .host = l->host, .address = l->host, .known_as = l->host, .user = l->user ? l->user : "u", .jump = "", .port = 22};
    char out[TEXT];

    check(*l->host && *l->host != '-' && (!l->user || (*l->user && *l->user != '-')));
    check(dory_cli_percent(&t, NULL, "%h%n%k%r", out, sizeof out) == 0);
    is_harmless(out);
}

static void location(const char *text)
{
    struct dory_cli_location l;
    char why[TEXT], names[2][512];

    if (dory_cli_location_parse(&l, text, why, sizeof why) < 0)
        return;
    if (l.remote)
        in_a_command(&l);
    dory_cli_location_names(l.path, names);
}

static void jump(const char *text)
{
    struct dory_cli_location l;
    char rest[TEXT];

    if (dory_cli_jump_parse(text, &l, rest, sizeof rest))
        in_a_command(&l);
    dory_cli_jump_is_good(text);
}

/* ---- Files */

/* Commands are not run, and files not read, by a fuzzer. */
static void config_line(struct dory_cli_ssh *settings, char *line)
{
    struct dory_cli_subject subject = {.host = "host", .named = "host"};
    struct dory_cli_words words;
    char why[TEXT];

    dory_cli_words_split(&words, line);
    if (strcmp(words.name, "match") == 0 && !words.bad && !strcasestr(line, "exec"))
        dory_cli_match(&subject, settings, &words, "here", why, sizeof why);
    else if (strcmp(words.name, "match") != 0)
        dory_cli_ssh_apply(settings, &words, "file", 1, why, sizeof why);
}

static void config(char *text)
{
    struct dory_cli_ssh settings;
    char *line;

    dory_cli_ssh_init(&settings);
    while ((line = strsep(&text, "\n")) != NULL) config_line(&settings, line);
}

static void known_hosts(const char *text, size_t n)
{
    const char *const files[] = {file_of(text, n), NULL};
    struct dory_known_result result;
    char why[DORY_WHY_MAX], types[256];

    dory_known_hosts_check(files, "host", 2222, key, key_n, &result, why);
    dory_known_hosts_types(files, "host", 22, types, sizeof types);
    dory_key_is_revoked(file, key, key_n, why);
}

static void told_keys(const uint8_t *p, size_t n)
{
    static const struct dory_sigalg *const algorithms[] = {&dory_sig_ssh_ed25519, NULL};
    static const char *const none[] = {NULL};
    uint8_t news[1024];
    char why[DORY_WHY_MAX];
    int size = dory_hostkeys_news(none, "host", 22, algorithms, p, n, news, sizeof news, why);

    check(size <= (int)sizeof news);
    check(!dory_hostkeys_proved(algorithms, key, 32, p, n, p, n));
}

static void authorized_keys(const char *text, size_t n)
{
    struct dory_key_grant grant;
    char why[DORY_WHY_MAX];
    int r = dory_authorized_keys_match(file_of(text, n), key, key_n, "10.1.2.3", 1800000000, &grant, why);

    check(strlen(grant.command) < sizeof grant.command && (r == DORY_OK || !grant.command[0]));
}

static void password_line(const char *text, size_t n)
{
    struct dory_password_verifier v;

    if (dory_password_verifier_parse(text, n, DORY_PASSWORD_ROUNDS_MAX, &v))
        check(v.rounds > 0 && v.rounds <= DORY_PASSWORD_ROUNDS_MAX && v.salt_n >= 8 && v.salt_n <= sizeof v.salt);
}

/* ---- An agent */

static void agent(const uint8_t *p, size_t n)
{
    struct dory_agent a = {.path = "agent"};
    struct dory_agent_key one;
    uint8_t out[256];
    char why[DORY_WHY_MAX];
    int ends[2];

    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    check(write(ends[1], p, n) == (ssize_t)n && shutdown(ends[1], SHUT_WR) == 0);
    a.fd = ends[0];
    if (n && p[0])
        check(dory_agent_sign(&a, &(struct dory_agent_key){.blob = key, .blob_n = key_n}, "ssh-ed25519", key, 4, out, sizeof out, 1000,
                              why) <= (int)sizeof out);
    else if (dory_agent_list(&a, 1000, why) >= 0)
        while (dory_agent_next(&a, &one)) check(one.blob_n + one.comment_n < n);
    dory_agent_close(&a);
    close(ends[1]);
}

/* ---- Command lines and paths */

static void words(const char *line, size_t n)
{
    struct dory_scp_words w;
    const char *word;
    size_t total = 0;

    if (dory_scp_words_parse(&w, line, n) != DORY_OK) {
        check(w.error != NULL);
        return;
    }
    while ((word = dory_scp_words_next(&w)) != NULL) total += strlen(word);
    check(total <= 2 * n);
}

/* What the client writes for a shell, the server's own parser must read as one word and nothing else; it puts a backslash before what was
   quoted. */
static void formatted(const char *path)
{
    struct dory_scp_words w;
    char line[TEXT];
    const char *word;
    int n = dory_scp_command_format(line, sizeof line, DORY_SCP_TO, path);

    if (n < 0 || !*path || *path == '~' || dory_scp_words_parse(&w, line, (size_t)n) == DORY_E_SPACE)
        return;
    word = dory_scp_words_next(&w);
    check(word != NULL);
    for (; *path; path++, word++) {
        word += *word == '\\';
        check(*word == *path);
    }
    check(!*word && dory_scp_words_next(&w) == NULL);
}

static void path(const char *text, size_t n)
{
    struct dory_path_part part;
    size_t at = 0;

    while (dory_path_part(text, n, at, true, &part) == 1) {
        check(part.n > 0 && !memchr(part.text, '/', part.n) && (part.n != 2 || memcmp(part.text, "..", 2) != 0));
        if (part.last)
            break;
        check(part.next > at && part.next <= n);
        at = part.next;
    }
}

/* No control character is left, of whatever encoding, and nothing grows beyond its room. */
static void shown(const uint8_t *p, size_t n)
{
    char out[TEXT];
    size_t cap = n ? 1 + p[0] * 16U : 1, used = dory_escape_text(out, cap, p, n);

    check(used < cap && out[used] == '\0');
    for (size_t i = 0; i < used; i++) {
        uint8_t c = (uint8_t)out[i];

        check(c >= ' ' && c != 0x7f && (c != 0xc2 || (uint8_t)out[i + 1] >= 0xa0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
    const uint8_t *p = input + 1;
    char text[TEXT];

    if (n-- == 0 || n >= TEXT)
        return 0;
    memcpy(text, p, n);
    text[n] = '\0';
    switch (input[0] % 13) {
    case 0: location(text); break;
    case 1: jump(text); break;
    case 2: config(text); break;
    case 3: known_hosts(text, n); break;
    case 4: told_keys(p, n); break;
    case 5: authorized_keys(text, n); break;
    case 6: password_line(text, n); break;
    case 7: agent(p, n); break;
    case 8: words(text, n); break;
    case 9: formatted(text); break;
    case 10: path(text, n); break;
    default: shown(p, n); break;
    }
    return 0;
}
