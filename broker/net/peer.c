#include "broker/net/peer.h"

#include <stdio.h>
#include <sys/socket.h>

static bool is_loopback(const struct sockaddr_storage *a)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)a;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)a;
    const uint8_t *b = (const uint8_t *)&six->sin6_addr;
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (a->ss_family == AF_INET)
        return *(const uint8_t *)&four->sin_addr == 127;
    if (memcmp(b, mapped, sizeof mapped) == 0)
        return b[12] == 127;
    return memcmp(b, &in6addr_loopback, 16) == 0;
}

static bool learn_host(const uv_tcp_t *h, char text[PEER_MAX])
{
    struct sockaddr_storage a = {0};
    int n = sizeof a;
    char ip[48] = "?";
    unsigned port = 0;
    bool loopback = false;
    if (uv_tcp_getpeername(h, (struct sockaddr *)&a, &n) == 0) {
        const struct sockaddr *sa = (const struct sockaddr *)&a;
        (void)(a.ss_family == AF_INET6 ? uv_ip6_name((const void *)sa, ip, sizeof ip)
                                       : uv_ip4_name((const void *)sa, ip, sizeof ip));
        port = ntohs(((const struct sockaddr_in *)(const void *)sa)->sin_port);
        loopback = is_loopback(&a);
    }
    const char *v4 = strncmp(ip, "::ffff:", 7) == 0 && strchr(ip, '.') != NULL ? ip + 7 : ip;
    (void)snprintf(text, PEER_MAX, strchr(v4, ':') != NULL ? "[%s]:%u" : "%s:%u", v4, port);
    return loopback;
}

static void learn_process(const uv_handle_t *h, char text[PEER_MAX])
{
    struct ucred who = {0};
    socklen_t n = sizeof who;
    uv_os_fd_t fd;
    if (uv_fileno(h, &fd) == 0)
        (void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n);
    (void)snprintf(text, PEER_MAX, "unix:pid%ld,uid%lu", (long)who.pid, (unsigned long)who.uid);
}

bool peer_learn(const union socket *h, char text[PEER_MAX])
{
    if (h->handle.type != UV_NAMED_PIPE)
        return learn_host(&h->tcp, text);
    learn_process(&h->handle, text);
    return true;
}
