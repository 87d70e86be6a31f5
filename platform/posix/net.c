#include "dory_posix_net.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dory_posix_sys.h"

void dory_net_quickack(int fd)
{
#ifdef TCP_QUICKACK
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
#else
    (void)fd;
#endif
}

/* Waits for a connect that is under way; 0 or an errno. */
static int finish_connect(int fd, uint32_t timeout_ms)
{
    uint64_t end = dory_posix_now_ms() + timeout_ms;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int error = 0, ready;
    socklen_t n = sizeof error;

    do {
        uint64_t now = dory_posix_now_ms();
        int left = !timeout_ms ? -1 : now >= end ? 0 : (int)(end - now);

        ready = poll(&wait, 1, left);
    } while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return ETIMEDOUT;
    if (ready < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
        return errno;
    return error;
}

/* 0, or an errno: this end of the connection is to be the address in target->from. */
static int bind_to(int fd, int family, const struct dory_net_target *target)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *own;
    int error = 0;

    if (!target->from)
        return 0;
    if (getaddrinfo(target->from, NULL, &hints, &own))
        return EADDRNOTAVAIL;
    if (bind(fd, own->ai_addr, own->ai_addrlen) < 0)
        error = errno;
    freeaddrinfo(own);
    return error;
}

/* A socket, or a negative errno. */
static int connect_one(const struct addrinfo *to, const struct dory_net_target *target)
{
    int fd = socket(to->ai_family, to->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, to->ai_protocol), error = 0;

    if (fd < 0)
        return -errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){target->keepalive}, sizeof(int));
    error = bind_to(fd, to->ai_family, target);
    if (!error && connect(fd, to->ai_addr, to->ai_addrlen) < 0)
        error = errno == EINPROGRESS || errno == EINTR ? finish_connect(fd, target->timeout_ms) : errno;
    if (!error)
        return fd;
    close(fd);
    return -error;
}

static void say(const struct dory_net_target *target, const struct addrinfo *to, const char *failed)
{
    char host[NI_MAXHOST];

    if (target->trying && getnameinfo(to->ai_addr, to->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST) == 0)
        target->trying(target->ctx, host, failed);
}

int dory_net_connect(const struct dory_net_target *target, char why[DORY_WHY_MAX])
{
    struct addrinfo hints = {.ai_family = target->family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list;
    char service[8];
    int result, fd = -ENOENT;

    *why = '\0';
    snprintf(service, sizeof service, "%u", target->port);
    result = getaddrinfo(target->host, service, &hints, &list);
    if (result) {
        snprintf(why, DORY_WHY_MAX, "Could not resolve hostname %s: %s", target->host,
                 result == EAI_SYSTEM ? strerror(errno) : gai_strerror(result));
        return DORY_E_NOENT;
    }
    for (const struct addrinfo *to = list; to && fd < 0; to = to->ai_next) {
        say(target, to, NULL);
        fd = connect_one(to, target);
        if (fd < 0)
            say(target, to, strerror(-fd));
    }
    freeaddrinfo(list);
    if (fd >= 0)
        return fd;
    snprintf(why, DORY_WHY_MAX, "connect to host %s port %u: %s", target->host, target->port, strerror(-fd));
    return fd == -ETIMEDOUT ? DORY_E_TIMEOUT : DORY_E_CUT;
}
