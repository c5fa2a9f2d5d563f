#include "broker/access/live.h"

#include "broker/base/mem.h"

struct entry {
    struct map_node node;
    uint64_t ticket;
    unsigned listener;
    bool loopback;
    bool by_record; /* it gave the password of `hash`          */
    uint8_t hash[PASSWD_HASH];
    size_t id_n, user_n;
    uint8_t names[]; /* the Client Identifier, then the user name */
};

struct judging {
    const struct rules *rules;
    struct broker *broker;
};

int live_init(struct live *v, const struct env *env)
{
    return map_init(&v->by_ticket, map_seed(env));
}

static void free_entry(void *ctx, struct map_node *node)
{
    (void)ctx;
    mem_free(MAP_OF(node, struct entry, node));
}

void live_clear(struct live *v)
{
    map_each(&v->by_ticket, free_entry, NULL);
    map_clear(&v->by_ticket);
}

static const struct passwd_record *record_of(const struct rules_listener *l, struct span user)
{
    if (l == NULL || l->passwords == NULL || user.n == 0 || l->cfg.cn_is_username ||
        l->cfg.subject_is_username)
        return NULL;
    return passwd_find(l->passwords, user);
}

int live_add(struct live *v, const struct rules *r, const struct broker_client *who)
{
    struct entry *e = mem_alloc(sizeof *e + who->client_id.n + who->username.n);
    if (e == NULL)
        return MD_NOMEM;
    const struct passwd_record *record = record_of(rules_find(r, who->listener), who->username);
    e->ticket = who->ticket;
    e->listener = who->listener;
    e->loopback = who->loopback;
    e->by_record = record != NULL;
    if (record != NULL)
        memcpy(e->hash, record->hash, sizeof e->hash);
    e->id_n = who->client_id.n;
    e->user_n = who->username.n;
    memcpy(e->names, who->client_id.p, e->id_n);
    if (e->user_n > 0)
        memcpy(e->names + e->id_n, who->username.p, e->user_n);
    map_put(&v->by_ticket, &e->node, span_of(&e->ticket, sizeof e->ticket));
    return MD_OK;
}

void live_remove(struct live *v, const struct broker_client *who)
{
    struct map_node *node = map_get(&v->by_ticket, span_of(&who->ticket, sizeof who->ticket));
    if (node == NULL)
        return;
    map_del(&v->by_ticket, node);
    free_entry(NULL, node);
}

/* Why it would not be let in again; NULL: it would. */
static const char *objection(const struct rules *r, const struct entry *e)
{
    const struct rules_listener *l = rules_find(r, e->listener);
    struct span user = span_of(e->names + e->id_n, e->user_n);
    if (l == NULL)
        return "its listener is gone from the configuration";
    if (l->cfg.cn_is_username || l->cfg.subject_is_username)
        return NULL;
    if (user.n == 0 || l->passwords == NULL)
        return rules_anonymous(l, e->loopback) ? NULL : "it may not connect without a user";
    const struct passwd_record *record = passwd_find(l->passwords, user);
    if (record == NULL)
        return "its user was removed";
    if (!e->by_record || memcmp(record->hash, e->hash, sizeof e->hash) != 0)
        return "its user has another password now";
    return NULL;
}

static void judge(void *ctx, struct map_node *node)
{
    struct judging *j = ctx;
    const struct entry *e = MAP_OF(node, struct entry, node);
    const char *why = objection(j->rules, e);
    if (why != NULL) /* on_disconnect removes the entry */
        (void)broker_disconnect(j->broker, span_of(e->names, e->id_n), why);
}

void live_judge(struct live *v, const struct rules *r, struct broker *b)
{
    struct judging j = {r, b};
    map_each(&v->by_ticket, judge, &j);
}
