/* File names of ssh_config(5): ~ and % tokens. */
#include "scp_client.h"

#include <pwd.h>
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
static const char *token(const struct dory_client *c, char letter, char room[256])
{
    switch (letter) {
    case '%': return "%";
    case 'd': return dory_cli_home();
    case 'h': return c->address;
    case 'n': return c->host;
    case 'k': return c->known_as;
    case 'r': return c->user;
    case 'u': return dory_cli_local_user();
    case 'i': snprintf(room, 256, "%lu", (unsigned long)getuid()); return room;
    case 'p': snprintf(room, 256, "%u", c->port); return room;
    case 'l':
    case 'L':
        if (gethostname(room, 256))
            return NULL;
        room[letter == 'L' ? strcspn(room, ".") : strlen(room)] = '\0';
        return room;
    default: return NULL;
    }
}

static const char *tilde(const char **name)
{
    char user[128];
    size_t n = strcspn(*name, "/");
    const struct passwd *account;

    if (n >= sizeof user)
        return NULL;
    snprintf(user, sizeof user, "%.*s", (int)(n - 1), *name + 1);
    *name += n;
    if (!*user)
        return dory_cli_home();
    account = getpwnam(user);
    return account ? account->pw_dir : NULL;
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

int dory_client_expand(const struct dory_client *c, const char *name, char *out, size_t cap)
{
    const char *text;
    char room[256];
    size_t at = 0;

    *out = '\0';
    if (*name == '~' && (!(text = tilde(&name)) || append(out, cap, &at, text, strlen(text)) < 0))
        return -1;
    for (; *name; name++) {
        if (*name != '%') {
            if (append(out, cap, &at, name, 1) < 0)
                return -1;
        } else if (!(text = token(c, *++name, room)) || append(out, cap, &at, text, strlen(text)) < 0) {
            return -1;
        }
    }
    return 0;
}
