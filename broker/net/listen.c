/* listen.c - listening sockets and their TLS configuration. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/net/server_int.h"
#include "broker/net/stream.h"

#include <stdio.h>

#define BACKLOG   512
#define MAX_LANES 4u /* the size of libuv's thread pool */

static unsigned lanes(void)
{
    unsigned n = uv_available_parallelism();
    return n < 1 ? 1 : n > MAX_LANES ? MAX_LANES : n;
}

void tls_holder_unref(struct tls_holder *h)
{
    if (h == NULL || --h->refs > 0)
        return;
    tls_ctx_free(h->ctx);
    mem_free(h);
}

int tls_holder_new(struct tls_holder **out, const struct server_tls *t, bool server,
                   char err[SERVER_ERR_MAX])
{
    static const enum tls_version versions[] = {TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3};
    struct tls_config cfg = {.server = server,
                             .cert_file = t->cert_file,
                             .key_file = t->key_file,
                             .cert_file2 = t->cert_file2,
                             .key_file2 = t->key_file2,
                             .ca_file = t->ca_file};
    if (t->min_version >= 10 && t->min_version <= 13)
        cfg.min = versions[t->min_version - 10];
    struct tls_holder *h = mem_alloc(sizeof *h);
    if (h == NULL)
        return MD_NOMEM;
    char why[TLS_ERR_MAX] = "out of memory";
    int rc = tls_ctx_new(&h->ctx, &cfg, lanes(), why);
    if (rc != MD_OK) {
        (void)snprintf(err, SERVER_ERR_MAX, "%s", why);
        mem_free(h);
        return rc;
    }
    h->refs = 1;
    *out = h;
    return MD_OK;
}

static void on_connection(uv_stream_t *h, int status)
{
    struct listener *l = h->data;
    if (status < 0)
        log_warn("net", "a connection could not be accepted: %s; see `ulimit -n`",
                 uv_strerror(status));
    else if (!stream_accept(l, h))
        l->waiting[(uv_tcp_t *)h - l->tcp] = true;
}

/* libuv holds a connection that was not accepted, and takes no other until it is. */
void listener_retry(struct listener *l)
{
    for (unsigned i = 0; i < l->n_sockets; i++)
        if (l->waiting[i])
            l->waiting[i] = !stream_accept(l, (uv_stream_t *)&l->tcp[i]);
}

static const char *next_step(int err)
{
    switch (err) {
    case UV_EADDRINUSE:
        return "; another program has it (mosquitto? `ss -ltnp` names it): stop that, or choose "
               "another port";
    case UV_EACCES:
        return "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
    case UV_EADDRNOTAVAIL:
        return "; no interface of this host has that address";
    default:
        return "";
    }
}

static int say(char err[SERVER_ERR_MAX], const struct server_listener *l, int uv)
{
    (void)snprintf(err, SERVER_ERR_MAX, "cannot listen on %s port %u: %s%s",
                   l->host != NULL && l->host[0] != '\0' ? l->host : "every address", l->port,
                   uv_strerror(uv), next_step(uv));
    return uv == UV_ENOMEM ? MD_NOMEM : MD_IO;
}

static int open_socket(struct listener *l, const struct sockaddr *addr)
{
    uv_tcp_t *tcp = &l->tcp[l->n_sockets];
    int err = uv_tcp_init(&l->server->loop, tcp);
    if (err != 0)
        return err;
    tcp->data = l;
    l->n_sockets++; /* from here on it has to be closed */
    err = uv_tcp_bind(tcp, addr, 0);
    return err != 0 ? err : uv_listen((uv_stream_t *)tcp, BACKLOG, on_connection);
}

/* Every address: one IPv6 socket that takes IPv4 too, or IPv4 alone where there is no IPv6. */
static int open_any(struct listener *l, uint16_t port)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    (void)uv_ip6_addr("::", port, &six);
    (void)uv_ip4_addr("0.0.0.0", port, &four);
    int err = open_socket(l, (const struct sockaddr *)&six);
    if (err == 0 || err == UV_EADDRINUSE || err == UV_EACCES)
        return err;
    return open_socket(l, (const struct sockaddr *)&four);
}

static int open_named(struct listener *l, const char *host, uint16_t port)
{
    uv_getaddrinfo_t req;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    char service[8];
    (void)snprintf(service, sizeof service, "%u", port);
    int err = uv_getaddrinfo(&l->server->loop, &req, NULL, host, service, &hints);
    if (err != 0)
        return err;
    for (struct addrinfo *a = req.addrinfo; a != NULL && err == 0; a = a->ai_next)
        if (l->n_sockets < sizeof l->tcp / sizeof l->tcp[0])
            err = open_socket(l, a->ai_addr);
    uv_freeaddrinfo(req.addrinfo);
    return err;
}

static void on_socket_closed(uv_handle_t *h)
{
    struct listener *l = h->data;
    if (--l->n_sockets > 0)
        return;
    tls_holder_unref(l->tls);
    mem_free(l);
}

void listener_close(struct listener *l)
{
    list_remove(&l->link);
    if (l->n_sockets == 0) {
        tls_holder_unref(l->tls);
        mem_free(l);
        return;
    }
    for (unsigned i = 0, n = l->n_sockets; i < n; i++)
        uv_close((uv_handle_t *)&l->tcp[i], on_socket_closed);
}

int server_listen(struct server *s, const struct server_listener *cfg, char err[SERVER_ERR_MAX])
{
    struct listener *l = mem_alloc(sizeof *l);
    if (l == NULL)
        return say(err, cfg, UV_ENOMEM);
    l->server = s;
    l->id = cfg->id;
    list_append(&s->listeners, &l->link);
    int rc = cfg->tls == NULL ? MD_OK : tls_holder_new(&l->tls, cfg->tls, true, err);
    if (rc == MD_OK) {
        bool any = cfg->host == NULL || cfg->host[0] == '\0';
        int uv = any ? open_any(l, cfg->port) : open_named(l, cfg->host, cfg->port);
        if (uv != 0)
            rc = say(err, cfg, uv);
    }
    if (rc != MD_OK)
        listener_close(l);
    return rc;
}

static struct listener *by_id(const struct server *s, unsigned id)
{
    const struct list *head = &s->listeners;
    for (struct list *it = head->next; it != head; it = it->next) {
        struct listener *l = LIST_OF(it, struct listener, link);
        if (l->id == id)
            return l;
    }
    return NULL;
}

uint16_t server_port(const struct server *s, unsigned id)
{
    struct sockaddr_storage a = {0};
    int n = sizeof a;
    const struct listener *l = by_id(s, id);
    if (l == NULL || l->n_sockets == 0)
        return 0;
    const uv_tcp_t *tcp = &l->tcp[l->n_sockets - 1]; /* the last is the one that is bound */
    if (uv_tcp_getsockname(tcp, (struct sockaddr *)&a, &n) != 0)
        return 0;
    return ntohs(((const struct sockaddr_in *)(const void *)&a)->sin_port);
}

int server_reload_tls(struct server *s, unsigned id, const struct server_tls *tls,
                      char err[SERVER_ERR_MAX])
{
    struct tls_holder *fresh;
    struct listener *l = by_id(s, id);
    if (l == NULL || l->tls == NULL) {
        (void)snprintf(err, SERVER_ERR_MAX, "there is no TLS listener %u", id);
        return MD_NOENT;
    }
    int rc = tls_holder_new(&fresh, tls, true, err);
    if (rc != MD_OK)
        return rc;
    tls_holder_unref(l->tls);
    l->tls = fresh;
    return MD_OK;
}
