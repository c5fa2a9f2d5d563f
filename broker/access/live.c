#include "broker/access/live.h"

#include "broker/base/mem.h"

#define PRINT 8u /* bytes of a salted hash, by which it is known again */

struct entry {
    struct map_node node;
    uint64_t ticket;
    uint8_t print[PRINT];
};

struct judging {
    const struct live *live;
    const struct rules *rules;
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
    const struct passwd_record *record = record_of(rules_find(r, who->listener), who->username);
    if (record == NULL)
        return MD_OK;
    struct entry *e = mem_alloc(sizeof *e);
    if (e == NULL)
        return MD_NOMEM;
    e->ticket = who->ticket;
    memcpy(e->print, record->hash, PRINT);
    map_put(&v->by_ticket, &e->node, span_of(&e->ticket, sizeof e->ticket));
    return MD_OK;
}

static struct map_node *find(const struct live *v, const struct broker_client *who)
{
    return map_get(&v->by_ticket, span_of(&who->ticket, sizeof who->ticket));
}

void live_remove(struct live *v, const struct broker_client *who)
{
    struct map_node *node = find(v, who);
    if (node == NULL)
        return;
    map_del(&v->by_ticket, node);
    free_entry(NULL, node);
}

/* Why it would not be let in again; NULL: it would. */
static const char *objection(void *ctx, const struct broker_client *who)
{
    const struct judging *j = ctx;
    if (who->tag != NULL)
        return NULL;
    const struct rules_listener *l = rules_find(j->rules, who->listener);
    if (l == NULL)
        return "its listener is gone from the configuration";
    if (l->cfg.cn_is_username || l->cfg.subject_is_username)
        return NULL;
    if (who->username.n == 0 || l->passwords == NULL)
        return rules_anonymous(l, who->loopback) ? NULL : "it may not connect without a user";
    const struct passwd_record *record = passwd_find(l->passwords, who->username);
    if (record == NULL)
        return "its user was removed";
    const struct map_node *node = find(j->live, who);
    if (node == NULL || memcmp(record->hash, MAP_OF(node, struct entry, node)->print, PRINT) != 0)
        return "its user has another password now";
    return NULL;
}

void live_judge(struct live *v, const struct rules *r, struct broker *b)
{
    struct judging j = {v, r};
    broker_review(b, objection, &j); /* on_disconnect removes the entries of those that go */
}
