#include "posix_kit.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[128], output[65536], content[65536];

int posix_kit_enter(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/dory-test-XXXXXX");
    umask(022);
    return mkdtemp(dir) == NULL || chdir(dir) != 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

int posix_kit_leave(void **state)
{
    (void)state;
    return chdir("/") != 0 || nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0;
}

const char *posix_kit_dir(void)
{
    return dir;
}

void posix_kit_write(const char *path, const char *text, unsigned mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

const char *posix_kit_read(const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    content[fread(content, 1, sizeof content - 1, f)] = 0;
    fclose(f);
    return content;
}

bool posix_kit_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

unsigned posix_kit_mode(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

unsigned posix_kit_count(const char *path)
{
    unsigned n = 0;
    DIR *d = opendir(path);
    assert_non_null(d);
    while (readdir(d)) n++;
    closedir(d);
    return n - 2;
}

unsigned posix_kit_open_fds(void)
{
    return posix_kit_count("/proc/self/fd");
}

int posix_kit_sh(const char *format, ...)
{
    char command[8192];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(command, sizeof command - 16, format, args);
    va_end(args);
    assert_in_range(n, 1, sizeof command - 17);
    char whole[sizeof command + 16];
    snprintf(whole, sizeof whole, "exec 2>&1\n%s", command);
    FILE *p = popen(whole, "r");
    assert_non_null(p);
    output[fread(output, 1, sizeof output - 1, p)] = 0;
    int status = pclose(p);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

const char *posix_kit_output(void)
{
    return output;
}

bool posix_kit_has(const char *program)
{
    return posix_kit_sh("command -v %s", program) == 0;
}
