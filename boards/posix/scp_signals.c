/* An interrupted copy leaves nothing half done, and the descriptors that it shares as they were. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scp_files.h"

#define SHARED_MAX 4

static struct dory_posix_fs *volatile guarded;
static struct {
    int fd, flags;
} shared[SHARED_MAX];
static volatile sig_atomic_t shared_n;

static const int fatal[] = {SIGINT, SIGTERM, SIGHUP};

void dory_cli_restore_blocking(void)
{
    while (shared_n > 0) {
        shared_n = shared_n - 1;
        fcntl(shared[shared_n].fd, F_SETFL, shared[shared_n].flags);
    }
}

static void on_fatal(int number)
{
    if (guarded)
        dory_posix_fs_cleanup(guarded);
    dory_cli_restore_blocking();
    signal(number, SIG_DFL);
    raise(number);
}

void dory_cli_guard_on(struct dory_posix_fs *fs)
{
    struct sigaction action = {.sa_handler = on_fatal}, old;

    guarded = fs;
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) sigaddset(&action.sa_mask, fatal[i]);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        if (sigaction(fatal[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(fatal[i], &action, NULL);
}

void dory_cli_guard_off(void)
{
    struct sigaction old;

    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        if (sigaction(fatal[i], NULL, &old) == 0 && old.sa_handler == on_fatal)
            signal(fatal[i], SIG_DFL);
    guarded = NULL;
}

void dory_cli_unblock(int fd)
{
    struct stat st;
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || (flags & O_NONBLOCK) || shared_n == SHARED_MAX || fstat(fd, &st) < 0)
        return;
    if (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode))
        return;
    shared[shared_n].fd = fd;
    shared[shared_n].flags = flags;
    shared_n = shared_n + 1;
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}
