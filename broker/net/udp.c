/* udp.c - sockets that answer single datagrams.
 *
 * A socket for every address of the host must answer from the address it was asked at: a client
 * that asked another takes the answer for a stranger's.  libuv cannot do that, so reading and
 * writing are done here, and libuv only says when. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/net/pace.h"
#include "broker/net/server_int.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define AT_ONCE 64u /* datagrams before the other sockets have their turn */

struct udp_socket {
    uv_poll_t poll;
    int fd;
    struct udp *owner;
};

struct udp {
    struct list link; /* in server->udps */
    struct server *server;
    struct server_udp cfg; /* host is not kept */
    unsigned refs;         /* the server's one, and its open sockets */
    unsigned n_sockets;
    struct udp_socket socket[LISTEN_SOCKETS];
    struct pace pace;
};

/* What came, from whom, and to which of our addresses: all but the first goes back as it is. */
struct datagram {
    uint8_t bytes[SERVER_UDP_MAX];
    struct sockaddr_storage from;
    _Alignas(struct cmsghdr) uint8_t to[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    struct iovec iov;
    struct msghdr head;
};

static struct span address_of(const struct sockaddr_storage *a)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)a;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)a;
    return a->ss_family == AF_INET6 ? span_of(&six->sin6_addr, sizeof six->sin6_addr)
                                    : span_of(&four->sin_addr, sizeof four->sin_addr);
}

/* False: nothing more is there now. */
static bool receive(int fd, struct datagram *d, struct span *out)
{
    ssize_t n;
    d->iov = (struct iovec){d->bytes, sizeof d->bytes};
    d->head = (struct msghdr){.msg_name = &d->from,
                              .msg_namelen = sizeof d->from,
                              .msg_iov = &d->iov,
                              .msg_iovlen = 1,
                              .msg_control = d->to,
                              .msg_controllen = sizeof d->to};
    do {
        n = recvmsg(fd, &d->head, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return false;
    *out = span_of(d->bytes, (size_t)n);
    return true;
}

static void answer(struct udp *u, int fd, struct datagram *d, struct span request)
{
    uint8_t out[SERVER_UDP_MAX];
    struct server_moment now = server_now();
    size_t n = u->cfg.answer(u->cfg.ctx, request, &now, out);
    /* The pace is asked last: what gets no answer costs its sender none. */
    if (n == 0 || n > request.n || (d->head.msg_flags & MSG_CTRUNC) != 0 ||
        !pace_allows(&u->pace, address_of(&d->from), uv_now(&u->server->loop)))
        return;
    d->iov = (struct iovec){out, n};
    d->head.msg_flags = 0;
    (void)sendmsg(fd, &d->head, MSG_DONTWAIT | MSG_NOSIGNAL); /* lost like any other datagram */
}

static void on_readable(uv_poll_t *h, int status, int events)
{
    struct udp_socket *s = h->data;
    struct datagram d;
    struct span request;
    (void)events;
    if (status < 0)
        return;
    for (unsigned i = 0; i < AT_ONCE && receive(s->fd, &d, &request); i++)
        answer(s->owner, s->fd, &d, request);
}

static int use(int fd, const struct sockaddr *a, socklen_t n)
{
    int one = 1, off = 0;
    int level = a->sa_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    int told = a->sa_family == AF_INET6 ? IPV6_RECVPKTINFO : IP_PKTINFO;
    if (a->sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (setsockopt(fd, level, told, &one, sizeof one) != 0 || bind(fd, a, n) != 0)
        return uv_translate_sys_error(errno);
    return 0;
}

static int open_socket(struct udp *u, const struct sockaddr *a, socklen_t n)
{
    struct udp_socket *s = &u->socket[u->n_sockets];
    s->fd = socket(a->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0)
        return uv_translate_sys_error(errno);
    int err = use(s->fd, a, n);
    if (err == 0)
        err = uv_poll_init_socket(&u->server->loop, &s->poll, s->fd);
    if (err != 0) {
        (void)close(s->fd);
        return err;
    }
    s->owner = u;
    s->poll.data = s;
    u->n_sockets++;
    u->refs++;
    return uv_poll_start(&s->poll, UV_READABLE, on_readable);
}

/* One socket for IPv6 and IPv4, or for IPv4 alone where there is no IPv6. */
static int open_any(struct udp *u)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    (void)uv_ip6_addr("::", u->cfg.port, &six);
    (void)uv_ip4_addr("0.0.0.0", u->cfg.port, &four);
    int err = open_socket(u, (const struct sockaddr *)&six, sizeof six);
    if (err == 0 || err == UV_EADDRINUSE || err == UV_EACCES)
        return err;
    return open_socket(u, (const struct sockaddr *)&four, sizeof four);
}

static int open_named(struct udp *u, const char *host)
{
    uv_getaddrinfo_t req;
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    char service[8];
    (void)snprintf(service, sizeof service, "%u", u->cfg.port);
    int err = uv_getaddrinfo(&u->server->loop, &req, NULL, host, service, &hints);
    if (err != 0)
        return err;
    for (struct addrinfo *a = req.addrinfo; a != NULL && err == 0; a = a->ai_next)
        if (u->n_sockets < LISTEN_SOCKETS)
            err = open_socket(u, a->ai_addr, a->ai_addrlen);
    uv_freeaddrinfo(req.addrinfo);
    return err;
}

static void unref(struct udp *u)
{
    if (--u->refs == 0)
        mem_free(u);
}

static void on_closed(uv_handle_t *h)
{
    struct udp_socket *s = h->data;
    unref(s->owner);
}

static void close_one(struct udp *u)
{
    list_remove(&u->link);
    for (unsigned i = 0; i < u->n_sockets; i++) {
        (void)uv_poll_stop(&u->socket[i].poll);
        (void)close(u->socket[i].fd);
        uv_close((uv_handle_t *)&u->socket[i].poll, on_closed);
    }
    unref(u);
}

void udps_close(struct server *s)
{
    LIST_EACH (it, &s->udps)
        close_one(LIST_OF(it, struct udp, link));
}

static int say(char err[SERVER_ERR_MAX], const struct server_udp *cfg, int uv)
{
    (void)snprintf(err, SERVER_ERR_MAX, "cannot listen on %s, UDP port %u: %s%s",
                   cfg->host != NULL ? cfg->host : "every address", cfg->port, uv_strerror(uv),
                   listener_next_step(uv, "; another program has it (ntpd or chronyd? `ss -lnup` "
                                          "names it): stop that, or choose an address"));
    return uv == UV_ENOMEM ? MD_NOMEM : MD_IO;
}

int server_udp(struct server *s, const struct server_udp *cfg, char err[SERVER_ERR_MAX])
{
    struct udp *u = mem_alloc(sizeof *u);
    if (u == NULL)
        return say(err, cfg, UV_ENOMEM);
    u->server = s;
    u->refs = 1;
    u->cfg = *cfg;
    u->cfg.host = NULL;
    u->pace.seed = map_seed(&s->env);
    list_append(&s->udps, &u->link);
    int uv = cfg->host == NULL ? open_any(u) : open_named(u, cfg->host);
    if (uv == 0)
        return MD_OK;
    close_one(u);
    return say(err, cfg, uv);
}

uint16_t server_udp_port(const struct server *s, unsigned id)
{
    struct sockaddr_storage a = {0};
    socklen_t n = sizeof a;
    const struct list *head = &s->udps;
    for (const struct list *it = head->next; it != head; it = it->next) {
        const struct udp *u = LIST_OF(it, const struct udp, link);
        if (u->cfg.id == id && u->n_sockets > 0 &&
            getsockname(u->socket[0].fd, (struct sockaddr *)&a, &n) == 0)
            return ntohs(((const struct sockaddr_in *)(const void *)&a)->sin_port);
    }
    return 0;
}
