#include "tests/plugsim/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

void web_init(struct web *w, struct simplug *plug)
{
    *w = (struct web){.plug = plug, .fd = -1};
    for (size_t i = 0; i < WEB_CONNS; i++)
        w->conn[i].fd = -1;
}

static int start(struct web *w, const struct sockaddr_in *at)
{
    const int one = 1;
    struct sockaddr_in bound;
    socklen_t n = sizeof bound;
    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (w->fd < 0)
        return MD_IO;
    (void)setsockopt(w->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(w->fd, (const struct sockaddr *)at, sizeof *at) != 0 || listen(w->fd, 8) != 0 ||
        getsockname(w->fd, (struct sockaddr *)&bound, &n) != 0)
        return MD_IO;
    w->port = ntohs(bound.sin_port);
    return MD_OK;
}

int web_open(struct web *w, const char *address, unsigned port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, address, &at.sin_addr) != 1)
        return MD_INVAL;
    return start(w, &at);
}

static void drop(struct web_conn *c, bool reset)
{
    const struct linger abort = {.l_onoff = 1, .l_linger = 0};
    if (reset)
        (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    (void)close(c->fd);
    c->fd = -1;
    sim_http_free(&c->http);
}

void web_close(struct web *w)
{
    for (size_t i = 0; i < WEB_CONNS; i++) {
        if (w->conn[i].fd >= 0)
            drop(&w->conn[i], false);
    }
    if (w->fd >= 0)
        (void)close(w->fd);
    w->fd = -1;
}

static void refuse(int fd)
{
    const struct linger abort = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    (void)close(fd);
}

static void take_new(struct web *w)
{
    int fd;
    while ((fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        size_t i = 0;
        while (i < WEB_CONNS && w->conn[i].fd >= 0)
            i++;
        if (i == WEB_CONNS || !sim_http_open(w->plug)) {
            refuse(fd);
            continue;
        }
        w->conn[i].fd = fd;
        sim_http_init(&w->conn[i].http, w->plug);
    }
}

/* false when the other side is gone. */
static bool receive(struct web_conn *c, uint64_t now)
{
    uint8_t bytes[2048];
    ssize_t n;
    while ((n = recv(c->fd, bytes, sizeof bytes, 0)) > 0)
        sim_http_feed(&c->http, span_of(bytes, (size_t)n), now);
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static bool transmit(struct web_conn *c)
{
    struct span out;
    while ((out = sim_http_output(&c->http)).n > 0) {
        ssize_t n = send(c->fd, out.p, out.n, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        sim_http_sent(&c->http, (size_t)n);
    }
    return true;
}

static void step(struct web_conn *c, uint64_t now)
{
    bool here = receive(c, now);
    (void)sim_http_tick(&c->http, now);
    if (sim_http_reset(&c->http))
        drop(c, true);
    else if (!here || !transmit(c) || sim_http_over(&c->http))
        drop(c, false);
}

void web_step(struct web *w, uint64_t now)
{
    if (w->fd < 0)
        return;
    take_new(w);
    for (size_t i = 0; i < WEB_CONNS; i++) {
        struct web_conn *c = &w->conn[i];
        if (c->fd >= 0 && !sim_http_open(w->plug))
            drop(c, true); /* its network is gone */
        else if (c->fd >= 0)
            step(c, now);
    }
}

uint64_t web_poll(const struct web *w, struct pollfd *fds)
{
    uint64_t due = SIMPLUG_NEVER;
    fds[WEB_CONNS] = (struct pollfd){.fd = w->fd, .events = POLLIN};
    for (size_t i = 0; i < WEB_CONNS; i++) {
        const struct web_conn *c = &w->conn[i];
        bool out = c->fd >= 0 && sim_http_output(&c->http).n > 0;
        fds[i] = (struct pollfd){.fd = c->fd, .events = (short)(out ? POLLIN | POLLOUT : POLLIN)};
        if (c->fd >= 0 && c->http.due < due)
            due = c->http.due;
    }
    return due;
}
