/* A secret, or another answer, from the terminal, or through the program in $SSH_ASKPASS where there is none (ssh(1), ENVIRONMENT). */
#include "scp_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/posix/dory_posix_text.h"
#include "scp_spawn.h"

static bool wanted(const char *program, bool terminal)
{
    const char *require = getenv("SSH_ASKPASS_REQUIRE");

    if (!program || !*program || (require && !strcmp(require, "never")))
        return false;
    if (require && (!strcmp(require, "force") || !strcmp(require, "prefer")))
        return true;
    return !terminal && (getenv("DISPLAY") || getenv("WAYLAND_DISPLAY"));
}

static int read_line(int fd, char *buf, size_t cap)
{
    size_t n = 0;

    for (;;) {
        ssize_t got = read(fd, buf + n, cap - 1 - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
        if (n == cap - 1)
            return DORY_E_SPACE;
    }
    buf[n] = '\0';
    buf[strcspn(buf, "\r\n")] = '\0';
    return (int)strlen(buf);
}

static int run(const char *program, const char *prompt, char *buf, size_t cap)
{
    char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)prompt, NULL};
    int ends[2], n;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return DORY_E_NOSYS;
    child = dory_cli_spawn(argv, STDIN_FILENO, ends[1]);
    close(ends[1]);
    n = child < 0 ? DORY_E_NOSYS : read_line(ends[0], buf, cap);
    close(ends[0]);
    if (child > 0 && dory_cli_wait(child) != 0 && n >= 0)
        n = DORY_E_CLOSED;
    if (n < 0)
        dory_wipe(buf, cap);
    return n;
}

static int ask(const char *prompt, char *buf, size_t cap, int (*at_terminal)(const char *prompt, char *buf, size_t cap))
{
    const char *program = getenv("SSH_ASKPASS");
    int n;

    if (wanted(program, true))
        return run(program, prompt, buf, cap);
    n = at_terminal(prompt, buf, cap);
    return n == DORY_E_NOSYS && wanted(program, false) ? run(program, prompt, buf, cap) : n;
}

int dory_cli_ask_secret(const char *prompt, char *buf, size_t cap)
{
    return ask(prompt, buf, cap, dory_tty_password);
}

int dory_cli_ask(const char *prompt, char *buf, size_t cap)
{
    return ask(prompt, buf, cap, dory_tty_ask);
}
