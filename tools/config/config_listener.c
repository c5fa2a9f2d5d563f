#include "tools/config/config_listener.h"

#include "broker/base/mem.h"
#include "broker/codec/topic.h"
#include "tools/config/config.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

__attribute__((format(printf, 2, 3))) static int fault(char *what, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(what, CONFIG_FAULT_MAX, fmt, ap);
    va_end(ap);
    return MD_INVAL;
}

/* An option that means nothing without TLS; NULL = none is there. */
static const char *tls_option(const struct config_listener *l)
{
    return l->cafile != NULL        ? "cafile"
           : l->capath != NULL      ? "capath"
           : l->crlfile != NULL     ? "crlfile"
           : l->tls_version != 0    ? "tls_version"
           : l->ciphers != NULL     ? "ciphers"
           : l->require_certificate ? "require_certificate"
                                    : NULL;
}

static int check_tls(const struct config *c, const struct config_listener *l, char *what)
{
    if ((l->certfile == NULL) != (l->keyfile == NULL))
        return fault(what, "listener %u has %s but no %s; both are needed", l->port,
                     l->certfile ? "certfile" : "keyfile", l->certfile ? "keyfile" : "certfile");
    if (l->tls_auto && l->certfile != NULL)
        return fault(what, "listener %u has both `tls auto` and certfile; keep one", l->port);
    if (!config_has_tls(l) && tls_option(l) != NULL)
        return fault(what,
                     "listener %u has %s but no certificate; add `tls auto`, or certfile and "
                     "keyfile",
                     l->port, tls_option(l));
    if (l->tls_auto && l->cafile != NULL && !l->require_certificate)
        return fault(what, "listener %u has both `tls auto` and cafile; keep one", l->port);
    if (l->psk_hint != NULL && c->psk_file == NULL)
        return fault(what, "listener %u has psk_hint, but there is no psk_file", l->port);
    return MD_OK;
}

/* Who a client is can be told by its certificate only where one is asked for, or by its key. */
static int check_clients(const struct config *c, const struct config_listener *l, char *what)
{
    (void)c;
    if (l->require_certificate && l->cafile == NULL && l->capath == NULL)
        return fault(what, "listener %u has require_certificate but neither cafile nor capath",
                     l->port);
    if (l->cn_is_username && !l->require_certificate && l->psk_hint == NULL)
        return fault(what,
                     "listener %u has use_identity_as_username, but its clients have no "
                     "certificate; add require_certificate and cafile, or psk_hint",
                     l->port);
    if (l->subject_is_username && !l->require_certificate)
        return fault(what,
                     "listener %u has use_subject_as_username, but its clients have no "
                     "certificate; add require_certificate and cafile",
                     l->port);
    return MD_OK;
}

static int check_transport(const struct config *c, const struct config_listener *l, char *what)
{
    (void)c;
    if (l->origins != NULL && l->protocol != CONFIG_WEBSOCKETS)
        return fault(what, "listener %u has websockets_origin but not `protocol websockets`",
                     l->port);
    if (l->mount_point != NULL && !topic_name_valid(span_str(l->mount_point)))
        return fault(what, "listener %u: a mount_point holds no + and #", l->port);
    if (l->unix_mode != NULL && l->unix_mode[strspn(l->unix_mode, "01234567")] != '\0')
        return fault(what, "listener %u: unix_socket_mode %s is not octal; 660 is usual", l->port,
                     l->unix_mode);
    return MD_OK;
}

#define UNIX_PATH_MAX_BYTES (sizeof((struct sockaddr_un){.sun_family = 0}.sun_path) - 1)

/* `listener 0 ADDRESS` is any free port there.  A name that is none of these was meant as a
 * path. */
static bool is_address(const char *host)
{
    struct in_addr a;
    return strchr(host, ':') != NULL || strcmp(host, "localhost") == 0 ||
           inet_pton(AF_INET, host, &a) == 1;
}

/* A relative path would depend on where the broker was started, and what the system cannot take
 * would be told only at the start, as an address that nobody knows. */
static int check_unix(const struct config *c, const struct config_listener *l, char *what)
{
    (void)c;
    if (l->port != 0 || l->is_default || l->host == NULL || is_address(l->host))
        return MD_OK;
    if (l->host[0] != '/')
        return fault(what,
                     "listener 0 %.100s: a Unix socket needs an absolute path, as in "
                     "`listener 0 /run/merossd.sock`",
                     l->host);
    if (strlen(l->host) > UNIX_PATH_MAX_BYTES)
        return fault(what, "listener 0: the path of a Unix socket has at most %zu bytes, not %zu",
                     UNIX_PATH_MAX_BYTES, strlen(l->host));
    return MD_OK;
}

static bool same_host(const char *a, const char *b)
{
    return a == NULL ? b == NULL : b != NULL && strcmp(a, b) == 0;
}

static int check_place(const struct config *c, const struct config_listener *l, char *what)
{
    for (const struct config_listener *o = c->listeners; o != l; o++)
        if ((l->port != 0 || config_unix_path(l) != NULL) && o->port == l->port &&
            same_host(o->host, l->host))
            return fault(what, "port %u is already taken by the listener of line %u", l->port,
                         o->line);
    return MD_OK;
}

static int (*const checks[])(const struct config *c, const struct config_listener *l,
                             char *what) = {check_tls, check_clients, check_transport, check_unix,
                                            check_place};

int config_listener_check(const struct config *c, size_t i, char what[CONFIG_FAULT_MAX])
{
    int err = MD_OK;
    for (size_t k = 0; k < sizeof checks / sizeof checks[0] && err == MD_OK; k++)
        err = checks[k](c, &c->listeners[i], what);
    return err;
}

void config_access_free(struct config_access *a)
{
    mem_free(a->password_file);
    mem_free(a->acl_file);
    mem_free(a->auto_id_prefix);
}

void config_listener_free(struct config_listener *l)
{
    char *const texts[] = {l->file,       l->host,        l->certfile,       l->keyfile,
                           l->cafile,     l->capath,      l->crlfile,        l->ciphers,
                           l->psk_hint,   l->dhparamfile, l->bind_interface, l->unix_mode,
                           l->mount_point};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        mem_free(texts[i]);
    for (size_t i = 0; l->origins != NULL && l->origins[i] != NULL; i++)
        mem_free(l->origins[i]);
    mem_free(l->origins);
    config_access_free(&l->access);
}

int config_listener_add(struct config *c, struct config_listener **out)
{
    if (c->n_listeners >= CONFIG_MAX_LISTENERS)
        return MD_FULL;
    struct config_listener *grown = mem_realloc(c->listeners, (c->n_listeners + 1) * sizeof *grown);
    if (grown == NULL)
        return MD_NOMEM;
    c->listeners = grown;
    *out = &grown[c->n_listeners++];
    **out = (struct config_listener){
        .port = CONFIG_PLAIN_PORT, .max_qos = 2, .max_handshakes = CONFIG_HANDSHAKES};
    return MD_OK;
}
