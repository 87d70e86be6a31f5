/* keyboard-interactive (RFC 4256): the server asks what it likes, the person answers. Everything it sends is shown escaped. */
#include "scp_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/posix/dory_posix_text.h"
#include "scp_say.h"

#define ANSWER_MAX 1024
#define PROMPT_MAX 4096
/* Questions without an end are not for people. */
#define ROUNDS_MAX 64

/* Lines stay lines, everything else is escaped. NUL-terminated, cut if need be. */
static void escape_lines(char *out, size_t cap, const uint8_t *text, size_t n)
{
    const uint8_t *end = text + n;
    size_t at = strlen(out);

    while (text < end && at + 2 < cap) {
        const uint8_t *line_end = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((line_end ? line_end : end) - text);

        at += dory_escape_text(out + at, cap - at, text, length && text[length - 1] == '\r' ? length - 1 : length);
        if (line_end && at + 1 < cap) {
            out[at++] = '\n';
            out[at] = '\0';
        }
        text += length + 1;
    }
}

/* Asks one prompt; the length of the answer, or why there is none. */
static int ask(const struct dory_client *c, unsigned i, char *answer)
{
    char shown[PROMPT_MAX];
    const uint8_t *text;
    bool echo;
    size_t n;

    if (!dory_ssh_prompt(&c->ssh, i, &text, &n, &echo))
        return DORY_E_STATE;
    snprintf(shown, sizeof shown, "(%s@%s) ", c->user, c->options->ssh.host_key_alias ? c->options->ssh.host_key_alias : c->host);
    escape_lines(shown, sizeof shown, text, n);
    return echo ? dory_cli_ask(shown, answer, ANSWER_MAX) : dory_cli_ask_secret(shown, answer, ANSWER_MAX);
}

static int ask_all(struct dory_client *c, unsigned count, struct dory_response *responses, char (*answers)[ANSWER_MAX])
{
    for (unsigned i = 0; i < count; i++) {
        int n = ask(c, i, answers[i]);

        c->auth.no_password |= n == DORY_E_NOSYS; /* once is enough said */
        if (n == DORY_E_NOSYS)
            dory_say(DORY_LOG_ERROR, "scp: no terminal to ask what %s@%s wants to know", c->user, c->host);
        else if (n == DORY_E_SPACE)
            dory_say(DORY_LOG_ERROR, "scp: an answer has at most %d bytes", ANSWER_MAX - 1);
        if (n < 0)
            return n;
        responses[i] = (struct dory_response){(const uint8_t *)answers[i], (size_t)n};
    }
    return dory_ssh_auth_respond(&c->ssh, responses, count);
}

static void give_up(struct dory_client *c)
{
    c->auth.no_interactive = true;
    dory_ssh_refuse(&c->ssh);
}

void dory_client_on_prompts(struct dory_client *c, const struct dory_event *event)
{
    size_t size = ((size_t)event->count + 1) * ANSWER_MAX;
    struct dory_response responses[UINT8_MAX];
    char(*answers)[ANSWER_MAX];

    c->auth.was_asked = true;
    if (++c->auth.rounds > ROUNDS_MAX) {
        dory_say(DORY_LOG_ERROR, "scp: %s@%s has asked %d times in a row and does not stop", c->user, c->host, ROUNDS_MAX);
        give_up(c);
        return;
    }
    dory_client_show_text(event->data, event->n);
    dory_client_show_text(event->user, event->user_n);
    answers = malloc(size);
    if (!answers || ask_all(c, event->count, responses, answers) < 0)
        give_up(c);
    if (answers)
        dory_wipe(answers, size);
    free(answers);
}

bool dory_client_try_interactive(struct dory_client *c)
{
    struct dory_client_auth *a = &c->auth;
    int most = c->options->ssh.password_prompts >= 0 ? c->options->ssh.password_prompts : 3;

    if (a->last == DORY_AUTH_KEYBOARD_INTERACTIVE && !a->was_asked)
        a->no_interactive = true; /* the server has no question for this user, and would have none the next time */
    if (a->no_interactive || a->interactive_tried >= most)
        return false;
    a->was_asked = false;
    a->rounds = 0;
    a->interactive_tried++;
    return dory_ssh_auth_interactive(&c->ssh) == DORY_OK;
}
