/* Questions on the controlling terminal. A signal while echo is off must not leave a silent terminal: it is noted, the terminal is
   restored, and only then is it raised again for whoever handles it. */
#include "dory_posix_text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "dory_crypto.h"

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU};
#define SIGNALS (sizeof signals / sizeof *signals)

static volatile sig_atomic_t seen[SIGNALS];

static void note(int signal)
{
    for (size_t i = 0; i < SIGNALS; i++)
        if (signals[i] == signal)
            seen[i] = 1;
}

/* Blocks the signals too, so that none can slip in before the wait for a key: only wait_for_key lets them through. Not the last two, which
   the calls on the terminal themselves cause where the program is in the background. */
static void catch_signals(struct sigaction old[SIGNALS], sigset_t *mask)
{
    struct sigaction catch = {.sa_handler = note};
    sigset_t set;
    sigemptyset(&catch.sa_mask);
    sigemptyset(&set);
    for (size_t i = 0; i < SIGNALS - 2; i++) sigaddset(&set, signals[i]);
    sigprocmask(SIG_BLOCK, &set, mask);
    for (size_t i = 0; i < SIGNALS; i++) {
        seen[i] = 0;
        sigaction(signals[i], NULL, &old[i]);
        if (old[i].sa_handler != SIG_IGN)
            sigaction(signals[i], &catch, NULL);
    }
}

static bool any_seen(void)
{
    for (size_t i = 0; i < SIGNALS; i++)
        if (seen[i])
            return true;
    return false;
}

/* Gives the signals back. True if all that came was a stop, after which the question is asked again. */
static bool release_signals(const struct sigaction old[SIGNALS], const sigset_t *mask)
{
    bool stopped = false, ended = false;
    sigprocmask(SIG_SETMASK, mask, NULL);
    for (size_t i = 0; i < SIGNALS; i++) sigaction(signals[i], &old[i], NULL);
    for (size_t i = 0; i < SIGNALS; i++) {
        if (!seen[i])
            continue;
        bool stop = signals[i] == SIGTSTP || signals[i] == SIGTTIN || signals[i] == SIGTTOU;
        *(stop ? &stopped : &ended) = true;
        kill(getpid(), signals[i]);
    }
    return stopped && !ended;
}

static bool write_text(int fd, const char *text)
{
    size_t n = strlen(text);
    while (n > 0) {
        ssize_t r = write(fd, text, n);
        if (r < 0 && errno == EINTR && !any_seen())
            continue;
        if (r <= 0)
            return false;
        text += r;
        n -= (size_t)r;
    }
    return true;
}

static bool wait_for_key(int fd, const sigset_t *mask)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (!any_seen())
        if (ppoll(&p, 1, NULL, mask) > 0)
            return true;
    return false;
}

/* Returns the length of the line, DORY_E_SPACE after reading all of a longer one, DORY_E_CLOSED at end of file or on a signal. */
static int read_line(int fd, char *buf, size_t cap, const sigset_t *mask)
{
    size_t n = 0;
    bool overlong = false;
    for (;;) {
        char c;
        if (!wait_for_key(fd, mask) || read(fd, &c, 1) <= 0)
            return DORY_E_CLOSED;
        if (c == '\n' || c == '\r')
            break;
        if (n + 1 < cap)
            buf[n++] = c;
        else
            overlong = true;
    }
    buf[n] = 0;
    return overlong ? DORY_E_SPACE : (int)n;
}

static int ask_once(int fd, const char *prompt, char *buf, size_t cap, bool echo, bool *again)
{
    struct sigaction old[SIGNALS];
    struct termios saved, silent;
    sigset_t mask;
    catch_signals(old, &mask);
    bool changed = !echo && tcgetattr(fd, &saved) == 0;
    if (changed) {
        silent = saved;
        silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
        tcsetattr(fd, TCSAFLUSH, &silent);
    }
    int r = write_text(fd, prompt) ? read_line(fd, buf, cap, &mask) : DORY_E_CLOSED;
    if (changed) {
        write_text(fd, "\n");
        while (tcsetattr(fd, TCSAFLUSH, &saved) != 0 && errno == EINTR && !seen[SIGNALS - 1]) {
        }
    }
    *again = release_signals(old, &mask) && r == DORY_E_CLOSED;
    return r;
}

static int ask(const char *prompt, char *buf, size_t cap, bool echo)
{
    bool again = true;
    int r = DORY_E_CLOSED, fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (cap == 0)
        r = DORY_E_SPACE, again = false;
    if (fd < 0)
        return DORY_E_NOSYS;
    while (again) r = ask_once(fd, prompt, buf, cap, echo, &again);
    if (r < 0)
        dory_wipe(buf, cap);
    close(fd);
    return r;
}

int dory_tty_password(const char *prompt, char *buf, size_t cap)
{
    return ask(prompt, buf, cap, false);
}
int dory_tty_ask(const char *prompt, char *buf, size_t cap)
{
    return ask(prompt, buf, cap, true);
}
