/* Who we are: keys first, then questions to the person. No round trip that is not needed: a key is offered before the server has been asked
   what it takes, and one from a file is signed with at once. */
#include "scp_client.h"

#include <stdio.h>
#include <string.h>

#include "scp_say.h"

#define PASSWORD_MAX 1024
/* A server that is content in part for ever is no server. */
#define PARTIALS_MAX 8

static bool is_on(int option)
{
    return option != 0;
}

static const struct {
    uint8_t method;
    const char *name;
} names[] = {
    {DORY_AUTH_PUBLICKEY, "publickey"},
    {DORY_AUTH_KEYBOARD_INTERACTIVE, "keyboard-interactive"},
    {DORY_AUTH_PASSWORD, "password"},
    {DORY_AUTH_NONE, "none"},
};

const char *dory_client_method_name(uint8_t method)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].method == method)
            return names[i].name;
    return "none";
}

static bool is_allowed(const struct dory_cli_ssh *o, uint8_t method)
{
    switch (method) {
    case DORY_AUTH_PUBLICKEY: return is_on(o->pubkey_auth);
    case DORY_AUTH_KEYBOARD_INTERACTIVE: return is_on(o->interactive_auth) && o->batch != 1;
    case DORY_AUTH_PASSWORD: return is_on(o->password_auth) && o->batch != 1;
    default: return false;
    }
}

static void append(struct dory_client_auth *a, uint8_t method)
{
    for (int i = 0; i < a->order_n; i++)
        if (a->order[i] == method)
            return;
    a->order[a->order_n++] = method;
}

/* PreferredAuthentications: which methods, in which order. Those that nobody here can do are passed over. */
void dory_client_auth_begin(struct dory_client *c)
{
    const struct dory_cli_ssh *o = &c->options->ssh;
    const char *list = o->preferred_auth ? o->preferred_auth : "publickey,keyboard-interactive,password";

    while (*list) {
        size_t n = strcspn(list, ",");

        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (strlen(names[i].name) == n && !strncmp(list, names[i].name, n) && is_allowed(o, names[i].method))
                append(&c->auth, names[i].method);
        list += n;
        list += strspn(list, ", ");
    }
}

static bool try_password(struct dory_client *c)
{
    int most = c->options->ssh.password_prompts >= 0 ? c->options->ssh.password_prompts : 3, n, result;
    char prompt[640], password[PASSWORD_MAX];

    if (c->auth.no_password || c->auth.passwords_tried >= most)
        return false;
    if (c->auth.passwords_tried++)
        dory_say(DORY_LOG_ERROR, "Permission denied, please try again.");
    snprintf(prompt, sizeof prompt, "%s@%s's password: ", c->user, c->host);
    n = dory_cli_ask_secret(prompt, password, sizeof password);
    if (n < 0) {
        c->auth.no_password = true;
        if (n == DORY_E_NOSYS)
            dory_say(DORY_LOG_ERROR, "scp: no terminal to ask for the password of %s@%s", c->user, c->host);
        else if (n == DORY_E_SPACE)
            dory_say(DORY_LOG_ERROR, "scp: a password has at most %d bytes", PASSWORD_MAX - 1);
        return false;
    }
    result = dory_ssh_auth_password(&c->ssh, (const uint8_t *)password, (size_t)n);
    dory_wipe(password, sizeof password);
    return result == DORY_OK;
}

static enum dory_offer try_method(struct dory_client *c, uint8_t method, bool asked)
{
    if (method == DORY_AUTH_PUBLICKEY)
        return dory_client_offer_key(c, asked);
    if (!asked)
        return DORY_OFFER_PROBE_FIRST; /* nobody should type a password that the server will not take */
    if (method == DORY_AUTH_KEYBOARD_INTERACTIVE)
        return dory_client_try_interactive(c) ? DORY_OFFER_MADE : DORY_OFFER_NONE;
    return try_password(c) ? DORY_OFFER_MADE : DORY_OFFER_NONE;
}

/* What the server answered to the last try. False: it never will be content. */
static bool take_answer(struct dory_client *c, const struct dory_event *event)
{
    struct dory_client_auth *a = &c->auth;

    a->methods = event->methods;
    if (!event->partial)
        return true;
    dory_say(DORY_LOG_VERBOSE, "Authenticated using \"%s\" with partial success.", dory_client_method_name(a->last));
    dory_client_keys_again(c, a->last == DORY_AUTH_PUBLICKEY);
    return ++a->partials <= PARTIALS_MAX;
}

void dory_client_on_auth(struct dory_client *c, const struct dory_event *event)
{
    struct dory_client_auth *a = &c->auth;
    bool asked = a->probed || event->methods || event->partial;

    if (!a->last)
        dory_client_say_ciphers(c);
    if (!take_answer(c, event)) {
        dory_ssh_refuse(&c->ssh);
        return;
    }
    for (int i = 0; i < a->order_n; i++) {
        uint8_t method = a->order[i];
        enum dory_offer result;

        if (asked && !(event->methods & method))
            continue;
        result = try_method(c, method, asked);
        if (result == DORY_OFFER_MADE) {
            a->last = method;
            dory_say(DORY_LOG_DEBUG, "debug1: Next authentication method: %s", dory_client_method_name(method));
            return;
        }
        if (result == DORY_OFFER_PROBE_FIRST)
            break;
    }
    if (asked) {
        dory_ssh_refuse(&c->ssh);
        return;
    }
    a->probed = true;
    a->last = DORY_AUTH_NONE;
    dory_ssh_auth_none(&c->ssh);
}
