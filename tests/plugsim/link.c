#include "tests/plugsim/link.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/base/mem.h"
#include "broker/tls/tls_compat.h"

struct link_way {
    struct sockaddr_storage address;
    socklen_t address_n;
    bool plain;
    /* Zero-ended, as mbedTLS keeps pointers to them. */
    int ciphers[2];
    tlsc_group groups[2];
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_ssl_config tls;
};

struct link_session {
    mbedtls_ssl_session tls;
};

enum stage { TCP, TLS, READY };

struct link {
    const struct link_way *way;
    int fd;
    enum stage stage;
    bool wants_write;
    mbedtls_ssl_context tls;
};

static int resolve(struct link_way *w, const char *host, unsigned port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    char service[8];
    (void)snprintf(service, sizeof service, "%u", port % 65536);
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return MD_NOENT;
    memcpy(&w->address, found->ai_addr, found->ai_addrlen);
    w->address_n = found->ai_addrlen;
    freeaddrinfo(found);
    return MD_OK;
}

static int prepare_tls(struct link_way *w, const char *cipher)
{
    if (mbedtls_ctr_drbg_seed(&w->random, mbedtls_entropy_func, &w->entropy, NULL, 0) != 0 ||
        mbedtls_ssl_config_defaults(&w->tls, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        return MD_TLS;
    mbedtls_ssl_conf_rng(&w->tls, mbedtls_ctr_drbg_random, &w->random);
    mbedtls_ssl_conf_authmode(&w->tls, MBEDTLS_SSL_VERIFY_NONE);
    tlsc_set_versions(&w->tls, 3, 3); /* TLS 1.2 */
    if (cipher == NULL)
        return MD_OK;
    w->ciphers[0] = mbedtls_ssl_get_ciphersuite_id(cipher);
    if (w->ciphers[0] == 0)
        return MD_INVAL;
    mbedtls_ssl_conf_ciphersuites(&w->tls, w->ciphers);
    return MD_OK;
}

int link_way_new(const char *host, unsigned port, bool plain, const char *cipher,
                 struct link_way **out)
{
    struct link_way *w = mem_alloc(sizeof *w);
    if (w == NULL)
        return MD_NOMEM;
    w->plain = plain;
    mbedtls_entropy_init(&w->entropy);
    mbedtls_ctr_drbg_init(&w->random);
    mbedtls_ssl_config_init(&w->tls);
    int err = resolve(w, host, port);
    if (err == MD_OK && !plain)
        err = prepare_tls(w, cipher);
    if (err != MD_OK) {
        link_way_free(w);
        return err;
    }
    *out = w;
    return MD_OK;
}

void link_way_free(struct link_way *w)
{
    if (w == NULL)
        return;
    mbedtls_ssl_config_free(&w->tls);
    mbedtls_ctr_drbg_free(&w->random);
    mbedtls_entropy_free(&w->entropy);
    mem_free(w);
}

void link_way_one_curve(struct link_way *w)
{
    w->groups[0] = TLSC_GROUP(mbedtls_ecp_curve_info_from_grp_id(MBEDTLS_ECP_DP_SECP256R1));
    w->groups[1] = 0;
    if (!w->plain)
        tlsc_conf_groups(&w->tls, w->groups);
}

static int push(void *ctx, const unsigned char *bytes, size_t n)
{
    ssize_t k = send(((struct link *)ctx)->fd, bytes, n, MSG_NOSIGNAL);
    if (k >= 0)
        return (int)k;
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE
                                             : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int pull(void *ctx, unsigned char *bytes, size_t n)
{
    ssize_t k = recv(((struct link *)ctx)->fd, bytes, n, 0);
    if (k >= 0)
        return (int)k;
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ
                                             : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int dial(struct link *l)
{
    const struct link_way *w = l->way;
    const int one = 1;
    l->fd = socket(w->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return MD_IO;
    (void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(l->fd, (const struct sockaddr *)&w->address, w->address_n) != 0 &&
        errno != EINPROGRESS)
        return MD_IO;
    return MD_OK;
}

int link_open(const struct link_way *way, struct link **out)
{
    struct link *l = mem_alloc(sizeof *l);
    if (l == NULL)
        return MD_NOMEM;
    l->way = way;
    l->fd = -1;
    l->wants_write = true;
    mbedtls_ssl_init(&l->tls);
    int err = dial(l);
    if (err == MD_OK && !way->plain && mbedtls_ssl_setup(&l->tls, &way->tls) != 0)
        err = MD_TLS;
    if (err != MD_OK) {
        link_close(l);
        return err;
    }
    mbedtls_ssl_set_bio(&l->tls, l, push, pull, NULL);
    *out = l;
    return MD_OK;
}

void link_close(struct link *l)
{
    if (l == NULL)
        return;
    if (l->stage == READY && !l->way->plain)
        (void)mbedtls_ssl_close_notify(&l->tls);
    mbedtls_ssl_free(&l->tls);
    if (l->fd >= 0)
        (void)close(l->fd);
    mem_free(l);
}

static int finish_tcp(struct link *l)
{
    int error = 0;
    socklen_t n = sizeof error;
    struct sockaddr_storage peer;
    socklen_t peer_n = sizeof peer;
    if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0 || error != 0)
        return MD_IO;
    if (getpeername(l->fd, (struct sockaddr *)&peer, &peer_n) != 0)
        return errno == ENOTCONN ? MD_AGAIN : MD_IO;
    l->stage = l->way->plain ? READY : TLS;
    l->wants_write = false;
    return MD_OK;
}

int link_handshake(struct link *l)
{
    if (l->stage == TCP) {
        int err = finish_tcp(l);
        if (err != MD_OK)
            return err;
    }
    if (l->stage == TLS) {
        int ret = mbedtls_ssl_handshake(&l->tls);
        l->wants_write = ret == MBEDTLS_ERR_SSL_WANT_WRITE;
        if (ret == MBEDTLS_ERR_SSL_WANT_READ || ret == MBEDTLS_ERR_SSL_WANT_WRITE)
            return MD_AGAIN;
        if (ret != 0)
            return MD_TLS;
        l->stage = READY;
    }
    return MD_OK;
}

int link_keep_session(const struct link *l, struct link_session **s)
{
    if (*s == NULL)
        *s = mem_alloc(sizeof **s);
    if (*s == NULL)
        return MD_NOMEM;
    mbedtls_ssl_session_free(&(*s)->tls);
    mbedtls_ssl_session_init(&(*s)->tls);
    return mbedtls_ssl_get_session(&l->tls, &(*s)->tls) == 0 ? MD_OK : MD_TLS;
}

void link_session_free(struct link_session *s)
{
    if (s == NULL)
        return;
    mbedtls_ssl_session_free(&s->tls);
    mem_free(s);
}

int link_resume(struct link *l, const struct link_session *s)
{
    return mbedtls_ssl_set_session(&l->tls, &s->tls) == 0 ? MD_OK : MD_TLS;
}

static int moved(struct link *l, int ret, size_t *n)
{
    l->wants_write = ret == MBEDTLS_ERR_SSL_WANT_WRITE;
    if (ret == MBEDTLS_ERR_SSL_WANT_READ || ret == MBEDTLS_ERR_SSL_WANT_WRITE)
        return MD_AGAIN;
    if (ret <= 0)
        return MD_CLOSED;
    *n = (size_t)ret;
    return MD_OK;
}

int link_read(struct link *l, uint8_t *to, size_t cap, size_t *n)
{
    return moved(l, l->way->plain ? pull(l, to, cap) : mbedtls_ssl_read(&l->tls, to, cap), n);
}

int link_write(struct link *l, struct span bytes, size_t *n)
{
    int ret =
        l->way->plain ? push(l, bytes.p, bytes.n) : mbedtls_ssl_write(&l->tls, bytes.p, bytes.n);
    return moved(l, ret, n);
}

int link_fd(const struct link *l) { return l->fd; }

bool link_wants_write(const struct link *l) { return l->wants_write; }
