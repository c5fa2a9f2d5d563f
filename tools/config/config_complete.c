/* config_complete.c - what follows from a configuration once all files are read: the listeners that
 * nobody named, and whose rights hold at each. */
#include "tools/config/config.h"

#include "broker/base/mem.h"
#include "tools/config/config_listener.h"

#include <stdio.h>

const struct config_access *config_access_of(const struct config *c, size_t i)
{
    const struct config_listener *l = &c->listeners[i];
    /* What stands above the first `listener` is for the default one and for those we add. */
    bool own = c->per_listener_settings && !l->is_default && l->line != 0;
    return own ? &l->access : &c->access;
}

static int add_home(struct config *c, const char *host, unsigned port, bool tls, bool optional)
{
    struct config_listener *l;
    int err = config_listener_add(c, &l);
    if (err != MD_OK)
        return err;
    l->port = port;
    l->tls_auto = tls;
    l->optional = optional;
    if (host == NULL)
        return MD_OK;
    l->host = mem_strdup(host);
    return l->host == NULL ? MD_NOMEM : MD_OK;
}

static int add_plain(struct config *c, unsigned port)
{
    int err = add_home(c, "127.0.0.1", port, false, false);
    if (err == MD_OK && port != 0) /* "any free port" would be two different ones */
        err = add_home(c, "::1", port, false, true);
    return err;
}

void config_listener_limits(struct config *c)
{
    memset(c->limits.max_qos_at, 0, sizeof c->limits.max_qos_at);
    for (size_t i = 0; i < c->n_listeners; i++)
        if (c->listeners[i].max_qos < 2)
            c->limits.max_qos_at[i + 1] = (uint8_t)(1 + c->listeners[i].max_qos);
}

int config_complete(struct config *c, int plain_port, char err[CONFIG_ERR_MAX])
{
    int rc = MD_OK;
    if (c->log_types == 0)
        c->log_types = CONFIG_LOG_ALL & ~(unsigned)CONFIG_LOG_DEBUG;
    for (size_t i = 0; i < c->n_listeners; i++) {
        if (plain_port <= 0 || c->listeners[i].port != (unsigned)plain_port)
            continue;
        (void)snprintf(err, CONFIG_ERR_MAX,
                       "-p %d: the configuration file opens that port too, "
                       "in line %u; leave out -p",
                       plain_port, c->listeners[i].line);
        return MD_EXIST;
    }
    config_listener_limits(c);
    c->home_listeners = c->n_listeners == 0;
    if (c->home_listeners)
        rc = add_home(c, NULL, CONFIG_TLS_PORT, true, false);
    if (rc == MD_OK && (c->home_listeners || plain_port >= 0))
        rc = add_plain(c, plain_port >= 0 ? (unsigned)plain_port : CONFIG_PLAIN_PORT);
    if (rc != MD_OK)
        (void)snprintf(err, CONFIG_ERR_MAX, "cannot add the listener of -p: %s", md_err_text(rc));
    return rc;
}
