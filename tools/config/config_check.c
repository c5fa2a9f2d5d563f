#include "tools/config/config_check.h"

#include "broker/base/mem.h"
#include "broker/tls/tls.h"
#include "certs/certs.h"
#include "tools/config/access_input.h"
#include "tools/hostzone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int bad_listener(const struct config_listener *l, const char *why, char *err)
{
    (void)snprintf(err, CONFIG_ERR_MAX, "%.150s:%u: listener %u: %.300s",
                   l->file != NULL ? l->file : "defaults", l->line, l->port, why);
    return MD_INVAL;
}

static int readable(const struct config_listener *l, const char *what, const char *file, char *err)
{
    char why[480];
    if (file == NULL || access(file, R_OK) == 0)
        return MD_OK;
    (void)snprintf(why, sizeof why, "cannot read %s %.200s: %s", what, file, strerror(errno));
    return bad_listener(l, why, err);
}

/* As the broker will load it: readable, and the key belongs to the certificate. */
static int check_pair(const struct config *c, const struct config_listener *l, char *err)
{
    static const enum tls_version versions[] = {TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3};
    struct tls_config t = {.server = true,
                           .cert_file = l->certfile,
                           .key_file = l->keyfile,
                           .ca_file = l->require_certificate ? l->cafile : NULL,
                           .ca_path = l->require_certificate ? l->capath : NULL,
                           .crl_file = l->require_certificate ? l->crlfile : NULL,
                           .ciphers = l->ciphers,
                           .psk_file = l->psk_hint != NULL ? c->psk_file : NULL};
    struct tls_ctx *ctx;
    char why[TLS_ERR_MAX] = "out of memory";
    if (l->certfile == NULL && l->psk_hint == NULL)
        return MD_OK;
    if (l->tls_version != 0)
        t.min = versions[l->tls_version - 10];
    if (tls_ctx_new(&ctx, &t, 1, why) != MD_OK)
        return bad_listener(l, why, err);
    tls_ctx_free(ctx);
    return MD_OK;
}

static int check_ca(const struct config *c, const struct config_listener *l, char *err)
{
    (void)c;
    char why[CERTS_ERR_MAX] = "is no certificate";
    if (l->cafile == NULL)
        return MD_OK;
    struct certs_info *info = mem_alloc(sizeof *info);
    if (info == NULL)
        return bad_listener(l, "out of memory", err);
    int rc = certs_read(l->cafile, info, why);
    mem_free(info);
    return rc == MD_OK ? MD_OK : bad_listener(l, why, err);
}

static int check_files(const struct config *c, const struct config_listener *l, char *err)
{
    (void)c;
    int rc = readable(l, "certfile", l->certfile, err);
    if (rc == MD_OK)
        rc = readable(l, "keyfile", l->keyfile, err);
    if (rc == MD_OK)
        rc = readable(l, "cafile", l->cafile, err);
    if (rc == MD_OK)
        rc = readable(l, "crlfile", l->crlfile, err);
    return rc;
}

/* What a listener names, in the order in which faults are told. */
static int (*const of_listener[])(const struct config *c, const struct config_listener *l,
                                  char *err) = {check_files, check_pair, check_ca};

static int check_listeners(const struct config *c, const struct env *env, char *err)
{
    (void)env;
    int rc = MD_OK;
    for (size_t i = 0; i < c->n_listeners && rc == MD_OK; i++)
        for (size_t k = 0; k < sizeof of_listener / sizeof of_listener[0] && rc == MD_OK; k++)
            rc = of_listener[k](c, &c->listeners[i], err);
    return rc;
}

/* Its CA and its certificate, as the broker will load them. */
static int check_bridge(const struct config_bridge *b, char *err)
{
    struct tls_config t = {.cert_file = b->certfile, .key_file = b->keyfile, .ca_file = b->cafile};
    struct tls_ctx *ctx;
    char why[TLS_ERR_MAX] = "out of memory";
    if (b->cafile == NULL)
        return MD_OK;
    if (tls_ctx_new(&ctx, &t, 1, why) == MD_OK) {
        tls_ctx_free(ctx);
        return MD_OK;
    }
    (void)snprintf(err, CONFIG_ERR_MAX, "%.150s:%u: connection %.60s: %s", b->file, b->line,
                   b->name, why);
    return MD_INVAL;
}

static int check_bridges(const struct config *c, const struct env *env, char *err)
{
    int rc = MD_OK;
    (void)env;
    for (size_t i = 0; i < c->n_bridges && rc == MD_OK; i++)
        rc = check_bridge(&c->bridges[i], err);
    return rc;
}

static int check_zone(const struct config *c, const struct env *env, char *err)
{
    (void)env;
    char what[HOSTZONE_WHAT_MAX] = "out of memory";
    struct hostzone_places p = {.option = c->meross_timezone, .tz = getenv("TZ"), .root = ""};
    struct zone *z = mem_alloc(sizeof *z);
    int rc = z == NULL ? MD_NOMEM : hostzone_find(z, &p, what);
    mem_free(z);
    if (rc != MD_OK)
        (void)snprintf(err, CONFIG_ERR_MAX, "%.400s", what);
    return rc;
}

static int check_access(const struct config *c, const struct env *env, char *err)
{
    struct rules *r;
    int rc = access_input_read(&r, c, env, err);
    if (rc == MD_OK)
        access_drop(r);
    return rc;
}

/* What the file as a whole names. */
static int (*const of_file[])(const struct config *c, const struct env *env, char *err) = {
    check_zone, check_access, check_listeners, check_bridges};

int config_check(const struct config *c, const struct env *env, char err[CONFIG_ERR_MAX])
{
    int rc = MD_OK;
    for (size_t i = 0; i < sizeof of_file / sizeof of_file[0] && rc == MD_OK; i++)
        rc = of_file[i](c, env, err);
    return rc;
}
