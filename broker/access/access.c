#include "broker/access/access.h"

#include "broker/access/live.h"
#include "broker/access/rules.h"
#include "broker/access/verify.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"

struct access {
    struct broker_hooks inner;
    const struct env *env;
    struct broker *broker;
    struct rules *rules;
    struct verify *verify;
    struct live live;
};

int access_read(struct rules **out, const struct access_config *cfg, const struct env *env,
                char err[ACCESS_ERR_MAX])
{
    return rules_new(out, cfg, env, err);
}

void access_drop(struct rules *r) { rules_free(r); }

static int build(struct access *a, const struct access_config *cfg, struct access_work work,
                 char err[ACCESS_ERR_MAX])
{
    int rc = live_init(&a->live, a->env);
    if (rc == MD_OK)
        rc = verify_new(&a->verify, work, a->env);
    if (rc == MD_OK)
        return rules_new(&a->rules, cfg, a->env, err);
    memcpy(err, "out of memory", sizeof "out of memory");
    return rc;
}

int access_new(struct access **out, const struct access_config *cfg,
               const struct broker_hooks *inner, struct access_work work, const struct env *env,
               char err[ACCESS_ERR_MAX])
{
    struct access *a = mem_alloc(sizeof *a);
    if (a == NULL) {
        memcpy(err, "out of memory", sizeof "out of memory");
        return MD_NOMEM;
    }
    a->inner = *inner;
    a->env = env;
    int rc = build(a, cfg, work, err);
    if (rc == MD_OK)
        *out = a;
    else
        access_free(a);
    return rc;
}

void access_free(struct access *a)
{
    if (a == NULL)
        return;
    verify_free(a->verify);
    rules_free(a->rules);
    live_clear(&a->live);
    mem_free(a);
}

void access_attach(struct access *a, struct broker *b)
{
    a->broker = b;
    verify_attach(a->verify, b);
}

void access_swap(struct access *a, struct rules *r)
{
    rules_free(a->rules);
    a->rules = r;
    verify_forget(a->verify);
    live_judge(&a->live, r, a->broker);
}

void access_stop(struct access *a) { verify_stop(a->verify); }

/* --- who are you --------------------------------------------------------------------------- */

static enum broker_verdict refuse(const struct broker_client *who, enum broker_verdict v,
                                  const char *why)
{
    log_warn("access", "peer=%s client=%s user=%s refused: %s", who->peer, log_q(who->client_id),
             log_q(who->username), why);
    return v;
}

static enum broker_verdict nameless(const struct rules_listener *l, const struct broker_client *who)
{
    if (rules_anonymous(l, who->loopback))
        return BROKER_ALLOW;
    if (l->passwords != NULL)
        return refuse(who, BROKER_NOT_AUTHORIZED,
                      "it sent no user name; give it one of password_file, or set "
                      "`allow_anonymous true`");
    if (l->cfg.anonymous == ACCESS_NOBODY)
        return refuse(who, BROKER_NOT_AUTHORIZED,
                      "`allow_anonymous false`, and there is no password_file");
    return refuse(who, BROKER_NOT_AUTHORIZED,
                  "this address may not connect without being a plug; connect from the "
                  "broker's own host, or set password_file or `allow_anonymous true`");
}

static enum broker_verdict by_password(struct access *a, const struct rules_listener *l,
                                       const struct broker_client *who)
{
    /* Without a password file there is nothing to compare with: a name is no better than none. */
    if (who->username.n == 0 || l->passwords == NULL)
        return nameless(l, who);
    if (who->arrival->password.p == NULL) /* F168 */
        return refuse(who, BROKER_NOT_AUTHORIZED, "it sent a user name without a password");
    const struct passwd_record *r = passwd_find(l->passwords, who->username);
    bool known = r != NULL;
    enum broker_verdict v =
        verify_ask(a->verify, who, known ? r : passwd_nobody(l->passwords), known);
    return v;
}

static enum broker_verdict by_certificate(const struct rules_listener *l, struct broker_client *who)
{
    const char *name = l->cfg.cn_is_username ? who->arrival->tls_cn : who->arrival->tls_subject;
    if (name == NULL || name[0] == '\0')
        return refuse(who, BROKER_BAD_CREDENTIALS,
                      "its certificate is to say who it is, but it has none with a name");
    who->username = span_str(name);
    return BROKER_ALLOW;
}

static bool id_fits(const struct rules *r, const struct rules_listener *l,
                    const struct broker_client *who)
{
    const char *made = l->auto_id_prefix != NULL ? l->auto_id_prefix : "auto-";
    struct span id = who->client_id.n > 0 ? who->client_id : span_str(made);
    return r->client_id_prefix == NULL || span_starts(id, r->client_id_prefix);
}

static enum broker_verdict judge(struct access *a, struct broker_client *who)
{
    const struct rules_listener *l = rules_find(a->rules, who->listener);
    if (l == NULL)
        return refuse(who, BROKER_NOT_AUTHORIZED, "its listener is not in the configuration");
    if (who->client_id.n == 0 && l->cfg.needs_client_id)
        return refuse(who, BROKER_BAD_ID,
                      "it sent no Client Identifier, and `allow_zero_length_clientid false`");
    if (!id_fits(a->rules, l, who))
        return refuse(who, BROKER_NOT_AUTHORIZED,
                      "its Client Identifier does not begin as clientid_prefixes says");
    who->arrival->auto_id_prefix = l->auto_id_prefix;
    enum broker_verdict v = BROKER_ALLOW;
    bool certificate = l->cfg.cn_is_username || l->cfg.subject_is_username;
    if (certificate)
        v = by_certificate(l, who);
    if (v != BROKER_ALLOW)
        return v;
    if (l->cfg.username_is_client_id && who->username.n == 0)
        return refuse(who, BROKER_NOT_AUTHORIZED,
                      "it sent no user name, and `use_username_as_clientid true`");
    if (l->cfg.username_is_client_id)
        who->client_id = who->username;
    return certificate ? v : by_password(a, l, who);
}

static enum broker_verdict on_connect(void *ctx, struct broker_client *who,
                                      const struct broker_message *will)
{
    struct access *a = ctx;
    enum broker_verdict v =
        a->inner.on_connect == NULL ? BROKER_ABSTAIN : a->inner.on_connect(a->inner.ctx, who, will);
    return v == BROKER_ABSTAIN ? judge(a, who) : v;
}

/* --- what may you -------------------------------------------------------------------------- */

static bool may(void *ctx, const struct broker_client *who, enum broker_action what,
                struct span topic)
{
    struct access *a = ctx;
    if (a->inner.may != NULL && !a->inner.may(a->inner.ctx, who, what, topic))
        return false;
    if (who->tag != NULL || what == BROKER_SUBSCRIBE)
        return true;
    bool ok = rules_may(a->rules, who, ACL_WRITE, topic);
    if (!ok)
        log_debug("access", "client=%s user=%s may not publish to %s", log_q(who->client_id),
                  log_q(who->username), log_q(topic));
    return ok;
}

static bool may_receive(void *ctx, const struct broker_client *who, struct span topic)
{
    struct access *a = ctx;
    if (a->inner.may_receive != NULL && !a->inner.may_receive(a->inner.ctx, who, topic))
        return false;
    return who->tag != NULL || rules_may(a->rules, who, ACL_READ, topic);
}

/* --- what happens -------------------------------------------------------------------------- */

static void on_connected(void *ctx, const struct broker_client *who)
{
    struct access *a = ctx;
    if (who->tag == NULL && live_add(&a->live, a->rules, who) != MD_OK)
        (void)broker_disconnect(a->broker, who->client_id, "out of memory");
    else if (a->inner.on_connected != NULL)
        a->inner.on_connected(a->inner.ctx, who);
}

static bool on_publish(void *ctx, const struct broker_client *who, const struct broker_message *m)
{
    struct access *a = ctx;
    return a->inner.on_publish == NULL || a->inner.on_publish(a->inner.ctx, who, m);
}

static void on_subscribe(void *ctx, const struct broker_client *who, struct span filter)
{
    struct access *a = ctx;
    if (a->inner.on_subscribe != NULL)
        a->inner.on_subscribe(a->inner.ctx, who, filter);
}

static void on_disconnect(void *ctx, const struct broker_client *who, const char *why)
{
    struct access *a = ctx;
    live_remove(&a->live, who);
    if (a->inner.on_disconnect != NULL)
        a->inner.on_disconnect(a->inner.ctx, who, why);
}

static void on_failed(void *ctx, const struct broker_client *who, const char *why)
{
    const struct access *a = ctx;
    if (a->inner.on_failed != NULL)
        a->inner.on_failed(a->inner.ctx, who, why);
}

struct broker_hooks access_hooks(struct access *a)
{
    return (struct broker_hooks){.on_connect = on_connect,
                                 .on_connected = on_connected,
                                 .may = may,
                                 .may_receive = may_receive,
                                 .on_publish = on_publish,
                                 .on_subscribe = on_subscribe,
                                 .on_disconnect = on_disconnect,
                                 .on_failed = on_failed,
                                 .ctx = a};
}
