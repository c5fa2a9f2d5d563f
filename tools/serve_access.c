/* serve_access.c - users and rights, read again while the broker runs. */
#include "broker/base/log.h"
#include "tools/access_input.h"
#include "tools/serve_int.h"

static bool same_text(const char *a, const char *b)
{
    return a == NULL ? b == NULL : b != NULL && strcmp(a, b) == 0;
}

/* Rights go by the number of a listener, and listeners do not change while the broker runs. */
static bool same_listeners(const struct config *a, const struct config *b)
{
    if (a->n_listeners != b->n_listeners)
        return false;
    for (size_t i = 0; i < a->n_listeners; i++)
        if (a->listeners[i].port != b->listeners[i].port ||
            !same_text(a->listeners[i].host, b->listeners[i].host))
            return false;
    return true;
}

static int reload(struct serve *s, const struct config *fresh, char *why)
{
    struct access_input *in;
    if (!same_listeners(&s->cfg, fresh)) {
        (void)snprintf(why, ACCESS_ERR_MAX, "the listeners have changed; restart the broker");
        return MD_INVAL;
    }
    int err = access_input_load(&in, fresh, why);
    if (err != MD_OK)
        return err;
    err = access_reload(s->access, access_input_config(in), why);
    access_input_free(in);
    if (err == MD_OK)
        meross_set_auth(s->meross, fresh->meross_auth);
    return err;
}

void serve_access_reload(struct serve *s)
{
    struct config fresh = {.n_listeners = 0};
    char why[CONFIG_ERR_MAX];
    int err = config_load(&fresh, s->config, why);
    if (err == MD_OK)
        err = config_complete(&fresh, s->port, why);
    if (err == MD_OK)
        err = reload(s, &fresh, why);
    config_free(&fresh);
    if (err == MD_OK)
        log_info("access", "users and rights were read again");
    else
        log_error("access", "users and rights stay as they were: %s", why);
}
