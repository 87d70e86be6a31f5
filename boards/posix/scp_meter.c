/* The meter on the terminal. There is one terminal, so there is one meter. */
#include "scp_progress.h"

#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "platform/posix/dory_posix_sys.h"

#define REFRESH_MS 500

static struct {
    struct dory_progress progress;
    bool enabled, running, drawn;
    uint64_t drawn_ms;
    int columns;
} meter;

static volatile sig_atomic_t resized = 1;

static void on_resize(int signal_number)
{
    (void)signal_number;
    resized = 1;
}

void dory_meter_enable(bool wanted)
{
    struct sigaction action = {.sa_handler = on_resize, .sa_flags = SA_RESTART};

    meter.enabled = wanted && isatty(STDOUT_FILENO);
    if (meter.enabled)
        sigaction(SIGWINCH, &action, NULL);
}

/* One less than there are: a terminal may begin a new line when the last one is filled. */
static int columns(void)
{
    struct winsize size;

    if (resized) {
        resized = 0;
        meter.columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
    }
    return (meter.columns > 512 ? 512 : meter.columns) - 1;
}

static void put(const char *text, size_t n)
{
    while (n) {
        ssize_t put_now = write(STDOUT_FILENO, text, n);

        if (put_now <= 0)
            return;
        text += put_now;
        n -= (size_t)put_now;
    }
}

static void draw(bool final, uint64_t now)
{
    char line[4096] = "\r";
    size_t n;

    meter.drawn_ms = now;
    if (tcgetpgrp(STDOUT_FILENO) != getpgrp())
        return;
    dory_progress_line(&meter.progress, final, now, columns(), line + 1, sizeof line - 8);
    n = strlen(line);
    if (final)
        line[n++] = '\n';
    meter.drawn = !final;
    put(line, n);
}

void dory_meter_begin(const char *name, uint64_t size)
{
    uint64_t now;

    if (!meter.enabled)
        return;
    now = dory_posix_now_ms();
    dory_progress_begin(&meter.progress, name, size, now);
    meter.running = true;
    draw(false, now);
}

void dory_meter_update(uint64_t done)
{
    uint64_t now;

    if (!meter.running)
        return;
    now = dory_posix_now_ms();
    dory_progress_update(&meter.progress, done, now);
    if (now - meter.drawn_ms >= REFRESH_MS || resized)
        draw(false, now);
}

void dory_meter_end(void)
{
    if (meter.running)
        draw(true, dory_posix_now_ms());
    meter.running = false;
}

int dory_meter_tick(void)
{
    if (!meter.running)
        return -1;
    dory_meter_update(meter.progress.done);
    return REFRESH_MS;
}

void dory_meter_break(void)
{
    if (meter.drawn)
        put("\n", 1);
    meter.drawn = false;
}
