#include "broker/access/rules.h"

#include "broker/base/mem.h"

#include <stdio.h>

_Static_assert(PASSWD_ERR_MAX <= ACCESS_ERR_MAX && ACL_ERR_MAX <= ACCESS_ERR_MAX, "messages fit");

static int read_passwords(struct rules *r, const struct access_config *cfg, size_t i,
                          const struct env *env, char *err)
{
    const struct access_file *f = cfg->listeners[i].passwords;
    for (size_t j = 0; j < i && f != NULL; j++) {
        if (cfg->listeners[j].passwords == f) {
            r->listener[i].passwords = r->listener[j].passwords;
            return MD_OK;
        }
    }
    return f == NULL ? MD_OK : passwd_parse(&r->listener[i].passwords, f->name, f->text, env, err);
}

static int read_acl(struct rules *r, const struct access_config *cfg, size_t i,
                    const struct env *env, char *err)
{
    const struct access_file *f = cfg->listeners[i].acl;
    for (size_t j = 0; j < i && f != NULL; j++) {
        if (cfg->listeners[j].acl == f) {
            r->listener[i].acl = r->listener[j].acl;
            return MD_OK;
        }
    }
    return f == NULL ? MD_OK : acl_parse(&r->listener[i].acl, f->name, f->text, env, err);
}

static int copy_text(char **out, const char *text, char *err)
{
    if (text == NULL)
        return MD_OK;
    *out = mem_strdup(text);
    if (*out != NULL)
        return MD_OK;
    (void)snprintf(err, ACCESS_ERR_MAX, "out of memory");
    return MD_NOMEM;
}

static int read_listener(struct rules *r, const struct access_config *cfg, size_t i,
                         const struct env *env, char *err)
{
    struct rules_listener *l = &r->listener[i];
    l->cfg = cfg->listeners[i];
    int rc = copy_text(&l->auto_id_prefix, l->cfg.auto_id_prefix, err);
    if (rc == MD_OK)
        rc = read_passwords(r, cfg, i, env, err);
    if (rc == MD_OK)
        rc = read_acl(r, cfg, i, env, err);
    return rc;
}

int rules_new(struct rules **out, const struct access_config *cfg, const struct env *env,
              char err[ACCESS_ERR_MAX])
{
    struct rules *r = mem_alloc(sizeof *r + cfg->n * sizeof r->listener[0]);
    if (r == NULL) {
        (void)snprintf(err, ACCESS_ERR_MAX, "out of memory");
        return MD_NOMEM;
    }
    r->n = cfg->n;
    r->one_acl = true;
    int rc = copy_text(&r->client_id_prefix, cfg->client_id_prefix, err);
    for (size_t i = 0; i < cfg->n && rc == MD_OK; i++) {
        rc = read_listener(r, cfg, i, env, err);
        r->one_acl = r->one_acl && cfg->listeners[i].acl == cfg->listeners[0].acl;
    }
    if (rc == MD_OK)
        *out = r;
    else
        rules_free(r);
    return rc;
}

/* The first listener with a file frees it for all. */
static bool is_first(const struct rules *r, size_t i, bool passwords)
{
    for (size_t j = 0; j < i; j++)
        if (passwords ? r->listener[j].passwords == r->listener[i].passwords
                      : r->listener[j].acl == r->listener[i].acl)
            return false;
    return true;
}

void rules_free(struct rules *r)
{
    if (r == NULL)
        return;
    for (size_t i = r->n; i-- > 0;) {
        struct rules_listener *l = &r->listener[i];
        if (is_first(r, i, true))
            passwd_free(l->passwords);
        if (is_first(r, i, false))
            acl_free(l->acl);
        mem_free(l->auto_id_prefix);
    }
    mem_free(r->client_id_prefix);
    mem_free(r);
}

const struct rules_listener *rules_find(const struct rules *r, unsigned listener)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->listener[i].cfg.id == listener)
            return &r->listener[i];
    return NULL;
}

bool rules_anonymous(const struct rules_listener *l, bool loopback)
{
    switch (l->cfg.anonymous) {
    case ACCESS_THIS_HOST:
        return loopback && l->passwords == NULL;
    case ACCESS_EVERYBODY:
        return true;
    case ACCESS_NOBODY:
        break;
    }
    return false;
}

/* Is it one level that equals `level`?  Cuts it off *rest. */
static bool next_is(struct span *rest, const char *level)
{
    if (!span_starts(*rest, level))
        return false;
    *rest = span_skip(*rest, strlen(level));
    return true;
}

/* $SYS is the broker's; only the state of a bridge comes from outside, as in mosquitto. */
static bool may_write_sys(struct span topic)
{
    if (!next_is(&topic, "$SYS/broker/connection/"))
        return false;
    const uint8_t *slash = topic.n > 0 ? memchr(topic.p, '/', topic.n) : NULL;
    return slash != NULL && span_is(span_skip(topic, (size_t)(slash - topic.p)), "/state");
}

static const struct acl *acl_of(const struct rules *r, const struct broker_client *who)
{
    const struct rules_listener *l = rules_find(r, who->listener);
    if (l != NULL)
        return l->acl;
    return r->one_acl && r->n > 0 ? r->listener[0].acl : NULL;
}

bool rules_may(const struct rules *r, const struct broker_client *who, enum acl_right right,
               struct span topic)
{
    if (right == ACL_WRITE && span_starts(topic, "$SYS") && !may_write_sys(topic))
        return false;
    const struct acl *acl = acl_of(r, who);
    struct acl_who names = {who->client_id, who->username};
    return acl == NULL || acl_may(acl, &names, right, topic);
}
