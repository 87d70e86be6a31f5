/* Addresses as people write them, and the sockets that listen there. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve.h"

#define BACKLOG 128

void dory_serve_name_address(const struct sockaddr *address, socklen_t n, char *host, char *host_and_port)
{
    char numeric[SERVE_PEER_MAX - 10], port[8];

    if (getnameinfo(address, n, numeric, sizeof numeric, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        strcpy(numeric, "?");
        strcpy(port, "?");
    }
    if (host)
        snprintf(host, SERVE_PEER_MAX, "%s", numeric);
    snprintf(host_and_port, SERVE_PEER_MAX, strchr(numeric, ':') ? "[%s]:%s" : "%s:%s", numeric, port);
}

void dory_serve_name_socket(int fd, char *host_and_port)
{
    struct sockaddr_storage address;
    socklen_t n = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &n) == 0)
        dory_serve_name_address((struct sockaddr *)&address, n, NULL, host_and_port);
    else
        snprintf(host_and_port, SERVE_PEER_MAX, "?");
}

static int open_socket(const struct addrinfo *info)
{
    int on = 1, error;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* A wildcard of one family does not take the port of the other. */
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Splits ADDR:PORT or [ADDR]:PORT. "*" or nothing as address becomes "": every address. */
static int split(const char *where, char host[256], const char **port)
{
    const char *colon = strrchr(where, ':');
    size_t n;

    if (!colon || !colon[1])
        return -1;
    *port = colon + 1;
    n = (size_t)(colon - where);
    if (n >= 2 && where[0] == '[' && colon[-1] == ']') {
        where++;
        n -= 2;
    } else if (memchr(where, ':', n)) {
        return -1;
    }
    if (n >= 256)
        return -1;
    memcpy(host, where, n);
    host[n] = '\0';
    if (strcmp(host, "*") == 0)
        host[0] = '\0';
    return 0;
}

/* getaddrinfo takes 65537 for 1. */
static bool is_port(const char *port)
{
    char *end;
    unsigned long number = strtoul(port, &end, 10);

    return *end != '\0' || number <= 65535;
}

int dory_serve_listen(struct serve *serve, const char *where)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list, *info;
    char host[256];
    const char *port;
    unsigned before = serve->socket_count;
    int error, last = 0;

    if (split(where, host, &port) != 0 || !is_port(port)) {
        fprintf(stderr, "dory serve: --listen %s: write ADDRESS:PORT, [IPV6-ADDRESS]:PORT or *:PORT\n", where);
        return -1;
    }
    error = getaddrinfo(host[0] ? host : NULL, port, &hints, &list);
    if (error) {
        fprintf(stderr, "dory serve: --listen %s: %s\n", where, gai_strerror(error));
        return -1;
    }
    for (info = list; info && serve->socket_count < SERVE_SOCKETS; info = info->ai_next) {
        int fd = open_socket(info);

        if (fd >= 0)
            serve->sockets[serve->socket_count++].fd = fd;
        else
            last = errno;
    }
    freeaddrinfo(list);
    if (serve->socket_count > before)
        return 0;
    fprintf(stderr, "dory serve: --listen %s: %s\n", where, last ? strerror(last) : "too many addresses");
    return -1;
}
