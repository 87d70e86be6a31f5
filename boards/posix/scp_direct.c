/* -R: the source host runs its own scp to the target host, with its own keys there. Nothing that a person typed here goes along: its scp
   is told to ask for nothing (-B). */
#include <stdio.h>
#include <string.h>

#include "scp_copy.h"
#include "scp_say.h"

/* What that scp prints. */
struct listener {
    struct dory_stream stream; /* first */
    struct dory_client *client;
};

static size_t hear(struct dory_stream *stream, const uint8_t *bytes, size_t n)
{
    dory_client_on_stderr(((struct listener *)stream)->client, 0, bytes, n);
    return n;
}

static size_t say_nothing(struct dory_stream *stream, uint8_t *buf, size_t cap)
{
    (void)stream, (void)buf, (void)cap;
    return 0;
}

static void ignore(struct dory_stream *stream)
{
    (void)stream;
}

static int for_ever(const struct dory_stream *stream)
{
    (void)stream;
    return DORY_E_AGAIN;
}

static const struct dory_stream_ops ops = {.push = hear, .pull = say_nothing, .eof = ignore, .stop = ignore, .status = for_ever};

/* "scp -r -B -P 22 -- source host:target", each path quoted as for `scp -f` and `scp -t`. */
static bool make_command(char *out, size_t cap, unsigned flags, const struct dory_cli_location *from, const struct dory_cli_location *to)
{
    char source[DORY_COMMAND_MAX], target[DORY_COMMAND_MAX], text[DORY_COMMAND_MAX], port[16] = "";
    const char *v6 = strchr(to->host, ':') ? "[]" : "", *paths = " -- ";
    char *letters;
    int n = snprintf(text, sizeof text, "%s%s%.1s%s%s:%s", to->user ? to->user : "", to->user ? "@" : "", v6, to->host, *v6 ? v6 + 1 : v6,
                     to->path);

    if (n < 0 || (size_t)n >= sizeof text || dory_scp_command_format(source, sizeof source, flags | DORY_SCP_FROM, from->path) < 0 ||
        dory_scp_command_format(target, sizeof target, DORY_SCP_TO, text) < 0)
        return false;
    if (to->port > 0)
        snprintf(port, sizeof port, " -P %d", to->port);
    letters = strstr(source, " -f -- ");
    *letters = '\0';
    n = snprintf(out, cap, "%s -B%s%s%s %s", source, port, paths, letters + strlen(" -f -- "), strstr(target, paths) + strlen(paths));
    return n >= 0 && (size_t)n < cap;
}

enum dory_copy_result dory_copy_direct(struct dory_client *c, const struct dory_cli_options *o, const struct dory_cli_location *from,
                                       const struct dory_cli_location *to)
{
    struct listener listener = {.stream = {&ops}, .client = c};
    const struct dory_copy_view view = {.host = c->host};
    char command[3 * DORY_COMMAND_MAX];
    int channel, status;

    if (!make_command(command, sizeof command, o->flags & (DORY_SCP_RECURSE | DORY_SCP_TIMES | DORY_SCP_VERBOSE), from, to)) {
        dory_say(DORY_LOG_QUIET, "scp: %s: the path is too long", from->text);
        return DORY_COPY_FAILED;
    }
    channel = dory_client_start(c, command, &listener.stream);
    if (channel < 0)
        return DORY_COPY_FAILED;
    status = dory_client_finish(c, channel, true);
    if (dory_client_is_over(c) && status != 0) {
        dory_client_report(c);
        dory_copy_say_lost(&view);
        return DORY_COPY_LOST;
    }
    return dory_copy_judge(c, &view, status == 0 ? 0 : 1, status);
}
