#include "tools/tcp.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* MD_OK: something of `events` (or an error, which the next call will report) is there. */
static int wait_for(int fd, short events, const struct env *env, uint64_t deadline_ms)
{
    for (;;) {
        uint64_t now = env_mono_ms(env);
        uint64_t left = deadline_ms > now ? deadline_ms - now : 0;
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
        if (n > 0)
            return MD_OK;
        if (n == 0 && env_mono_ms(env) >= deadline_ms)
            return MD_TIMEOUT;
        if (n < 0 && errno != EINTR)
            return MD_IO;
    }
}

static int finish_connect(int fd, const struct env *env, uint64_t deadline_ms)
{
    int why = 0;
    socklen_t n = sizeof why;
    int err = wait_for(fd, POLLOUT, env, deadline_ms);
    if (err != MD_OK) {
        errno = ETIMEDOUT;
        return err;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &n) != 0)
        return MD_IO;
    errno = why;
    return why == 0 ? MD_OK : MD_IO;
}

static int try_address(int *out, const struct addrinfo *a, const struct env *env,
                       uint64_t deadline_ms)
{
    int one = 1;
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0)
        return MD_IO;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int err = MD_OK;
    if (connect(fd, a->ai_addr, a->ai_addrlen) != 0)
        err = errno == EINPROGRESS ? finish_connect(fd, env, deadline_ms) : MD_IO;
    if (err == MD_OK) {
        *out = fd;
        return MD_OK;
    }
    int why = errno;
    (void)close(fd);
    errno = why;
    return err;
}

static void lower_first(char *s)
{
    if (s[0] >= 'A' && s[0] <= 'Z')
        s[0] = (char)(s[0] | 0x20);
}

/* Small systems have no /etc/hosts, and no name server knows "localhost".  No name at all stands
 * for this host, over IPv6 and over IPv4. */
static int resolve(const char *host, unsigned port, struct addrinfo **out)
{
    char service[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    (void)snprintf(service, sizeof service, "%u", port);
    int bad = getaddrinfo(host, service, &hints, out);
    if (bad != 0 && strcmp(host, "localhost") == 0 && getaddrinfo(NULL, service, &hints, out) == 0)
        return 0;
    return bad;
}

int tcp_connect(int *out, const char *host, unsigned port, const struct env *env,
                uint64_t deadline_ms, char err[TCP_ERR_MAX])
{
    struct addrinfo *list = NULL;
    int bad = resolve(host, port, &list);
    if (bad != 0) {
        (void)snprintf(err, TCP_ERR_MAX, "no such host (%s)", gai_strerror(bad));
        return MD_NOENT;
    }
    int rc = MD_IO, why = ENETUNREACH;
    for (const struct addrinfo *a = list; a != NULL && rc != MD_OK && rc != MD_TIMEOUT;
         a = a->ai_next) {
        rc = try_address(out, a, env, deadline_ms);
        why = errno;
    }
    freeaddrinfo(list);
    if (rc == MD_TIMEOUT)
        (void)snprintf(err, TCP_ERR_MAX, "no answer");
    else if (rc != MD_OK)
        (void)snprintf(err, TCP_ERR_MAX, "%s", strerror(why));
    if (rc != MD_OK)
        lower_first(err);
    return rc;
}

int tcp_send(int fd, struct span bytes, const struct env *env, uint64_t deadline_ms)
{
    while (bytes.n > 0) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n >= 0) {
            bytes = span_skip(bytes, (size_t)n);
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno == EPIPE || errno == ECONNRESET)
            return MD_CLOSED;
        if (errno != EAGAIN)
            return MD_IO;
        int err = wait_for(fd, POLLOUT, env, deadline_ms);
        if (err != MD_OK)
            return err;
    }
    return MD_OK;
}

int tcp_receive(int fd, void *out, size_t cap, size_t *n, const struct env *env,
                uint64_t deadline_ms)
{
    for (;;) {
        ssize_t got = recv(fd, out, cap, 0);
        if (got > 0) {
            *n = (size_t)got;
            return MD_OK;
        }
        if (got == 0 || errno == ECONNRESET)
            return MD_CLOSED;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return MD_IO;
        int err = wait_for(fd, POLLIN, env, deadline_ms);
        if (err != MD_OK)
            return err;
    }
}
