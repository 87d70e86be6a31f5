#include "scp_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scp_say.h"

void dory_cli_shed(int keep)
{
    static const int signals[] = {SIGPIPE, SIGWINCH, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD};
    long most = sysconf(_SC_OPEN_MAX);
    sigset_t none;

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction old;

        if (sigaction(signals[i], NULL, &old) == 0 && (old.sa_handler != SIG_IGN || signals[i] == SIGPIPE))
            signal(signals[i], SIG_DFL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int fd = 3; fd < (most > 0 && most < 4096 ? most : 4096); fd++)
        if (fd != keep)
            close(fd);
}

static void become(char *const argv[], int in, int out)
{
    int null = open("/dev/null", O_RDWR);

    /* Copies beyond the three first, so that neither is overwritten by the other. */
    in = fcntl(in < 0 ? null : in, F_DUPFD, 10);
    out = fcntl(out < 0 ? null : out, F_DUPFD, 10);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dory_cli_shed(-1);
    execvp(argv[0], argv);
    dory_say(DORY_LOG_QUIET, "%s: %s", argv[0], strerror(errno));
    _exit(255); /* as ssh ends where there is no connection */
}

pid_t dory_cli_spawn(char *const argv[], int in, int out)
{
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0)
        become(argv, in, out);
    return child;
}

pid_t dory_cli_spawn_shell(const char *command, int in, int out)
{
    const char *shell = getenv("SHELL");
    char *argv[] = {(char *)(shell && *shell ? shell : "/bin/sh"), "-c", (char *)command, NULL};

    return dory_cli_spawn(argv, in, out);
}

int dory_cli_wait(pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int dory_cli_shell_status(const char *command)
{
    pid_t child = dory_cli_spawn_shell(command, -1, -1);

    return child < 0 ? -1 : dory_cli_wait(child);
}
