/* listen.c - listening sockets and their TLS configuration. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/net/server_int.h"
#include "broker/net/stream.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 512

void tls_holder_unref(struct tls_holder *h)
{
    if (h == NULL || --h->refs > 0)
        return;
    list_remove(&h->link);
    tls_ctx_free(h->ctx);
    mem_free(h);
}

int tls_holder_new(struct tls_holder **out, struct server *s, const struct server_tls *t,
                   bool server, char err[SERVER_ERR_MAX])
{
    static const enum tls_version versions[] = {TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3};
    struct tls_config cfg = {.server = server,
                             .cert_file = t->cert_file,
                             .key_file = t->key_file,
                             .cert_file2 = t->cert_file2,
                             .key_file2 = t->key_file2,
                             .ca_file = t->ca_file,
                             .ca_path = t->ca_path,
                             .crl_file = t->crl_file,
                             .ciphers = t->ciphers,
                             .psk_file = t->psk_file};
    if (t->min_version >= 10 && t->min_version <= 13)
        cfg.min = versions[t->min_version - 10];
    struct tls_holder *h = mem_alloc(sizeof *h);
    if (h == NULL)
        return MD_NOMEM;
    char why[TLS_ERR_MAX] = "out of memory";
    int rc = tls_ctx_new(&h->ctx, &cfg, limits_cores(), why);
    if (rc != MD_OK) {
        (void)snprintf(err, SERVER_ERR_MAX, "%s", why);
        mem_free(h);
        return rc;
    }
    h->refs = 1;
    list_append(&s->holders, &h->link);
    *out = h;
    return MD_OK;
}

static void on_connection(uv_stream_t *h, int status)
{
    unsigned n;
    struct listener *l = h->data;
    if (status >= 0)
        l->waiting[(union socket *)h - l->socket] = !listener_room(l) || !stream_accept(l, h);
    else if (seldom(&l->server->no_files, uv_now(&l->server->loop), &n))
        log_warn("net", "%u connections could not be accepted: %s%s", n, uv_strerror(status),
                 status == UV_EMFILE || status == UV_ENFILE
                     ? "; raise the limit on open files (`ulimit -n`, LimitNOFILE=)"
                     : "; they are tried again");
}

/* libuv holds a connection that was not accepted, and takes no other until it is. */
void listener_retry(struct listener *l)
{
    for (unsigned i = 0; i < l->n_sockets; i++)
        if (l->waiting[i])
            l->waiting[i] = !listener_room(l) || !stream_accept(l, &l->socket[i].stream);
}

const char *listener_next_step(int uv, const char *in_use)
{
    switch (uv) {
    case UV_EADDRINUSE:
        return in_use;
    case UV_EACCES:
        return "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
    case UV_EADDRNOTAVAIL:
        return "; no interface of this host has that address";
    default:
        return "";
    }
}

static const char *next_step(int uv)
{
    return listener_next_step(uv, "; another program has it (mosquitto? `ss -ltnp` names it): stop "
                                  "that, or choose another port");
}

static int say(char err[SERVER_ERR_MAX], const struct server_listener *l, int uv)
{
    (void)snprintf(err, SERVER_ERR_MAX, "cannot listen on %s port %u: %s%s",
                   l->host != NULL && l->host[0] != '\0' ? l->host : "every address", l->port,
                   uv_strerror(uv), next_step(uv));
    return uv == UV_ENOMEM ? MD_NOMEM : MD_IO;
}

static int say_unix(char err[SERVER_ERR_MAX], const char *path, int uv)
{
    const char *next = "; does its folder exist, and may this user write there?";
    if (uv == UV_EADDRINUSE)
        next = "; another program listens there: stop that, or choose another path";
    else if (uv == UV_EEXIST)
        next = "; what is there is no socket, and is left alone: remove it, or choose another path";
    else if (uv == UV_ENAMETOOLONG)
        next = "; the path of a socket has at most 107 bytes";
    (void)snprintf(err, SERVER_ERR_MAX, "cannot listen on the Unix socket %.150s: %s%s", path,
                   uv_strerror(uv), next);
    return uv == UV_ENOMEM ? MD_NOMEM : MD_IO;
}

/* The next of l->socket; from here on it has to be closed. */
static union socket *add_socket(struct listener *l)
{
    union socket *s = &l->socket[l->n_sockets++];
    s->handle.data = l;
    l->refs++;
    return s;
}

static int bind_interface(union socket *s, const char *interface)
{
    uv_os_fd_t fd;
    int err = uv_fileno(&s->handle, &fd);
    if (err == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) != 0)
        err = uv_translate_sys_error(errno);
    return err;
}

static int open_socket(struct listener *l, const struct sockaddr *addr,
                       const struct server_listener *cfg)
{
    int err = uv_tcp_init_ex(&l->server->loop, &l->socket[l->n_sockets].tcp, addr->sa_family);
    if (err != 0)
        return err;
    union socket *s = add_socket(l);
    if (cfg->interface != NULL)
        err = bind_interface(s, cfg->interface);
    bool six_only = cfg->domain == SERVER_IPV6 && addr->sa_family == AF_INET6;
    if (err == 0)
        err = uv_tcp_bind(&s->tcp, addr, six_only ? UV_TCP_IPV6ONLY : 0);
    return err != 0 ? err : uv_listen(&s->stream, BACKLOG, on_connection);
}

/* Every address: one IPv6 socket that takes IPv4 too, or IPv4 alone where there is no IPv6. */
static int open_any(struct listener *l, const struct server_listener *cfg)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    (void)uv_ip6_addr("::", cfg->port, &six);
    (void)uv_ip4_addr("0.0.0.0", cfg->port, &four);
    int err = UV_EAFNOSUPPORT;
    if (cfg->domain != SERVER_IPV4)
        err = open_socket(l, (const struct sockaddr *)&six, cfg);
    if (err == 0 || err == UV_EADDRINUSE || err == UV_EACCES || cfg->domain == SERVER_IPV6)
        return err;
    return open_socket(l, (const struct sockaddr *)&four, cfg);
}

static int open_named(struct listener *l, const struct server_listener *cfg)
{
    uv_getaddrinfo_t req;
    struct addrinfo hints = {.ai_family = cfg->domain == SERVER_IPV4   ? AF_INET
                                          : cfg->domain == SERVER_IPV6 ? AF_INET6
                                                                       : AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    char service[8];
    (void)snprintf(service, sizeof service, "%u", cfg->port);
    int err = uv_getaddrinfo(&l->server->loop, &req, NULL, cfg->host, service, &hints);
    if (err != 0)
        return err;
    for (struct addrinfo *a = req.addrinfo; a != NULL && err == 0; a = a->ai_next)
        if (l->n_sockets < LISTEN_SOCKETS)
            err = open_socket(l, a->ai_addr, cfg);
    uv_freeaddrinfo(req.addrinfo);
    return err;
}

/* A socket file outlives a program that was killed; nobody answers there any more. */
static int remove_stale(const char *path)
{
    struct stat st;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path)
        return UV_ENAMETOOLONG;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : uv_translate_sys_error(errno);
    if (!S_ISSOCK(st.st_mode))
        return UV_EEXIST;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return uv_translate_sys_error(errno);
    memcpy(a.sun_path, path, strlen(path));
    int err = connect(fd, (const struct sockaddr *)&a, sizeof a) == 0 ? EADDRINUSE : errno;
    (void)close(fd);
    if (err == ECONNREFUSED)
        err = unlink(path) == 0 ? 0 : errno;
    else if (err == EAGAIN) /* somebody listens, with a full queue */
        err = EADDRINUSE;
    return err == 0 ? 0 : uv_translate_sys_error(err);
}

/* libuv removes the file when the socket is closed. */
static int open_unix(struct listener *l, const struct server_listener *cfg)
{
    int err = remove_stale(cfg->unix_path);
    if (err != 0)
        return err;
    err = uv_pipe_init(&l->server->loop, &l->socket[0].pipe, 0);
    if (err != 0)
        return err;
    union socket *s = add_socket(l);
    err = uv_pipe_bind(&s->pipe, cfg->unix_path);
    if (err == 0 && chmod(cfg->unix_path, (mode_t)cfg->unix_mode) != 0)
        err = uv_translate_sys_error(errno);
    return err != 0 ? err : uv_listen(&s->stream, BACKLOG, on_connection);
}

static void free_origins(struct listener *l)
{
    for (size_t i = 0; l->origins != NULL && l->origins[i] != NULL; i++)
        mem_free(l->origins[i]);
    mem_free(l->origins);
}

static int copy_origins(struct listener *l, const char *const *list)
{
    size_t n = 0;
    while (list != NULL && list[n] != NULL)
        n++;
    if (n == 0)
        return MD_OK;
    l->origins = mem_calloc(n + 1, sizeof *l->origins);
    for (size_t i = 0; l->origins != NULL && i < n; i++)
        if ((l->origins[i] = mem_strdup(list[i])) == NULL)
            return MD_NOMEM;
    return l->origins == NULL ? MD_NOMEM : MD_OK;
}

void listener_unref(struct listener *l)
{
    if (--l->refs > 0)
        return;
    tls_holder_unref(l->tls);
    free_origins(l);
    mem_free(l->mount);
    mem_free(l);
}

static void on_socket_closed(uv_handle_t *h) { listener_unref(h->data); }

void listener_close(struct listener *l)
{
    list_remove(&l->link);
    for (unsigned i = 0; i < l->n_sockets; i++)
        uv_close(&l->socket[i].handle, on_socket_closed);
    listener_unref(l);
}

static int open_all(struct listener *l, const struct server_listener *cfg, char err[SERVER_ERR_MAX])
{
    bool any = cfg->host == NULL || cfg->host[0] == '\0';
    int uv = l->is_unix ? open_unix(l, cfg) : any ? open_any(l, cfg) : open_named(l, cfg);
    if (uv == 0)
        return MD_OK;
    if (l->is_unix)
        return say_unix(err, cfg->unix_path, uv);
    if (cfg->interface == NULL)
        return say(err, cfg, uv);
    (void)snprintf(err, SERVER_ERR_MAX, "cannot listen on interface %.32s, port %u: %s%s",
                   cfg->interface, cfg->port, uv_strerror(uv),
                   uv == UV_EPERM    ? "; `bind_interface` needs CAP_NET_RAW here"
                   : uv == UV_ENODEV ? "; `ip link` lists the interfaces of this host"
                                     : next_step(uv));
    return MD_IO;
}

static struct listener *listener_new(struct server *s, const struct server_listener *cfg)
{
    struct listener *l = mem_alloc(sizeof *l);
    if (l == NULL)
        return NULL;
    l->server = s;
    l->refs = 1;
    l->id = cfg->id;
    l->is_unix = cfg->unix_path != NULL;
    l->websockets = cfg->websockets;
    l->nagle = cfg->nagle;
    l->max_packet = cfg->max_packet;
    l->max_connections = cfg->max_connections;
    l->max_handshakes = cfg->max_handshakes;
    list_init(&l->handshakes);
    list_append(&s->listeners, &l->link);
    return l;
}

int server_listen(struct server *s, const struct server_listener *cfg, char err[SERVER_ERR_MAX])
{
    struct listener *l = listener_new(s, cfg);
    if (l == NULL)
        return say(err, cfg, UV_ENOMEM);
    int rc = copy_origins(l, cfg->origins);
    if (rc == MD_OK && cfg->mount != NULL && (l->mount = mem_strdup(cfg->mount)) == NULL)
        rc = MD_NOMEM;
    if (rc != MD_OK)
        (void)say(err, cfg, UV_ENOMEM);
    else if (cfg->tls != NULL)
        rc = tls_holder_new(&l->tls, s, cfg->tls, true, err);
    if (rc == MD_OK)
        rc = open_all(l, cfg, err);
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
    if (l == NULL || l->n_sockets == 0 || l->is_unix)
        return 0;
    const uv_tcp_t *tcp = &l->socket[l->n_sockets - 1].tcp; /* the last is the one that is bound */
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
    int rc = tls_holder_new(&fresh, s, tls, true, err);
    if (rc != MD_OK)
        return rc;
    tls_holder_unref(l->tls);
    l->tls = fresh;
    return MD_OK;
}

void server_set_max_packet(struct server *s, size_t max)
{
    LIST_EACH (it, &s->listeners)
        LIST_OF(it, struct listener, link)->max_packet = max;
}
