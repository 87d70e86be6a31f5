#include "scp_expand.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *dory_cli_home(void)
{
    const char *home = getenv("HOME");
    const struct passwd *account;

    if (home && *home == '/')
        return home;
    account = getpwuid(getuid());
    return account ? account->pw_dir : "/";
}

const char *dory_cli_local_user(void)
{
    const struct passwd *account = getpwuid(getuid());
    const char *name = account ? account->pw_name : getenv("LOGNAME");

    return name && *name ? name : "root";
}

/* What a token stands for; NULL: unknown. */
static const char *token(const struct dory_cli_tokens *t, char letter, char room[256])
{
    switch (letter) {
    case 'd': return dory_cli_home();
    case 'h': return t->address;
    case 'j': return t->jump;
    case 'n': return t->host;
    case 'k': return t->known_as;
    case 'r': return t->user;
    case 'u': return dory_cli_local_user();
    case 'i': snprintf(room, 256, "%lu", (unsigned long)getuid()); return room;
    case 'p': snprintf(room, 256, "%u", t->port); return room;
    case 'l':
    case 'L':
        if (gethostname(room, 256))
            return NULL;
        room[letter == 'L' ? strcspn(room, ".") : strlen(room)] = '\0';
        return room;
    default: return NULL;
    }
}

static int append(char *out, size_t cap, size_t *at, const char *text, size_t n)
{
    if (n >= cap - *at)
        return -1;
    memcpy(out + *at, text, n);
    *at += n;
    out[*at] = '\0';
    return 0;
}

int dory_cli_percent(const struct dory_cli_tokens *t, const char *letters, const char *text, char *out, size_t cap)
{
    char room[256];
    size_t at = 0;

    *out = '\0';
    for (; *text; text++) {
        const char *value = text;
        size_t n = 1;

        if (*text == '%' && *++text != '%') {
            value = !*text || (letters && !strchr(letters, *text)) ? NULL : token(t, *text, room);
            n = value ? strlen(value) : 0;
        }
        if (!value || append(out, cap, &at, value, n) < 0)
            return -1;
    }
    return 0;
}

int dory_cli_tilde(const char *name, char *out, size_t cap)
{
    size_t n = strcspn(name, "/"), at = 0;
    const struct passwd *account;
    const char *home;
    char user[128];

    *out = '\0';
    if (*name != '~')
        return append(out, cap, &at, name, strlen(name));
    if (n >= sizeof user)
        return -1;
    snprintf(user, sizeof user, "%.*s", (int)(n - 1), name + 1);
    account = *user ? getpwnam(user) : NULL;
    home = !*user ? dory_cli_home() : account ? account->pw_dir : NULL;
    if (!home || append(out, cap, &at, home, strlen(home)) < 0)
        return -1;
    return append(out, cap, &at, name + n, strlen(name + n));
}

static int environment(const char *name, char *out, size_t cap)
{
    size_t at = 0;

    for (*out = '\0'; *name;) {
        const char *end = !strncmp(name, "${", 2) ? strchr(name, '}') : NULL, *value;
        char variable[128];

        if (!end) {
            if (append(out, cap, &at, name++, 1) < 0)
                return -1;
            continue;
        }
        if ((size_t)(end - name) >= sizeof variable)
            return -1;
        snprintf(variable, sizeof variable, "%.*s", (int)(end - name - 2), name + 2);
        value = getenv(variable);
        if (!value || append(out, cap, &at, value, strlen(value)) < 0)
            return -1;
        name = end + 1;
    }
    return 0;
}

int dory_cli_path(const struct dory_cli_tokens *t, const char *name, char *out, size_t cap)
{
    char whole[4096], put[4096];

    if (dory_cli_tilde(name, whole, sizeof whole) < 0 || environment(whole, put, sizeof put) < 0)
        return -1;
    return dory_cli_percent(t, NULL, put, out, cap);
}
