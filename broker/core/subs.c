#include "broker/core/subs.h"

#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "broker/codec/topic.h"
#include "broker/core/match_cache.h"

/* One filter of one subscriber: in the list of its node and in the list of its subscriber. */
struct subscription {
    struct subscriber *who;
    struct tree_node *node;
    struct subscription *node_next, **node_at; /* node->value is the head */
    struct subscription *who_next, **who_at;   /* who->filters is the head */
    uint32_t concerns;                         /* match_key.at */
    bool exact;                                /* match_key.exact */
    uint8_t qos;
};

struct nodes { /* the set still in the running */
    struct tree_node **v;
    size_t n, cap;
};

struct subs {
    struct tree tree;
    size_t n;
    uint32_t stamp;
    struct nodes now, next;
    struct subs_hit *hits;
    size_t n_hits, cap_hits;
    struct match_cache cache;
    bool forgetful; /* the cache is not to be used */
};

int subs_new(struct subs **out, struct map_seed seed)
{
    struct subs *t = mem_alloc(sizeof *t);
    if (t == NULL)
        return MD_NOMEM;
    if (tree_init(&t->tree, seed) != MD_OK) {
        mem_free(t);
        return MD_NOMEM;
    }
    match_cache_init(&t->cache, seed.k[0]);
    *out = t;
    return MD_OK;
}

void subs_free(struct subs *t)
{
    if (t == NULL)
        return;
    MD_ASSERT(t->n == 0);
    tree_clear(&t->tree);
    match_cache_clear(&t->cache);
    mem_free(t->now.v);
    mem_free(t->next.v);
    mem_free(t->hits);
    mem_free(t);
}

static void forget(struct nodes *s)
{
    mem_free(s->v);
    *s = (struct nodes){0};
}

void subs_shrink(struct subs *t)
{
    match_cache_clear(&t->cache);
    tree_shrink(&t->tree);
    forget(&t->now);
    forget(&t->next);
    mem_free(t->hits);
    t->hits = NULL;
    t->n_hits = t->cap_hits = 0;
}

size_t subs_count(const struct subs *t) { return t->n; }

size_t subs_nodes(const struct subs *t) { return t->tree.n; }

/* Walks both lists it would be in at once: as fast as the shorter one, so neither ten thousand
 * subscribers of one filter nor ten thousand filters of one subscriber make it slow. */
static struct subscription *held(const struct tree_node *node, const struct subscriber *who)
{
    struct subscription *a = node->value, *b = who->filters;
    while (a != NULL && b != NULL) {
        if (a->who == who)
            return a;
        if (b->node == node)
            return b;
        a = a->node_next;
        b = b->who_next;
    }
    return NULL;
}

static void link_in(struct subscription *s)
{
    struct subscription *head = s->node->value;
    s->node_next = head;
    s->node_at = NULL; /* the head: node->value points here */
    if (head != NULL)
        head->node_at = &s->node_next;
    s->node->value = s;

    s->who_next = s->who->filters;
    s->who_at = &s->who->filters;
    if (s->who_next != NULL)
        s->who_next->who_at = &s->who_next;
    s->who->filters = s;
}

/* What was found for the Topic Names that it concerns is not true any more. */
static void changed(struct subs *t, const struct subscription *s)
{
    match_cache_changed(&t->cache, (struct match_key){s->concerns, s->exact}, t->n);
}

static void unlink_and_free(struct subs *t, struct subscription *s)
{
    if (s->node_at != NULL)
        *s->node_at = s->node_next;
    else
        s->node->value = s->node_next;
    if (s->node_next != NULL)
        s->node_next->node_at = s->node_at;
    *s->who_at = s->who_next;
    if (s->who_next != NULL)
        s->who_next->who_at = s->who_at;
    tree_prune(&t->tree, s->node);
    t->n--;
    changed(t, s);
    mem_free(s);
}

int subs_add(struct subs *t, struct span filter, struct subscriber *who, unsigned qos, bool *added)
{
    struct tree_node *node;
    int err = tree_add(&t->tree, filter, &node);
    if (err != MD_OK)
        return err;
    struct subscription *s = held(node, who);
    *added = s == NULL;
    if (s == NULL) {
        s = mem_alloc(sizeof *s);
        if (s == NULL) {
            tree_prune(&t->tree, node);
            return MD_NOMEM;
        }
        struct match_key key = match_cache_key(&t->cache, filter);
        s->who = who;
        s->node = node;
        s->concerns = key.at;
        s->exact = key.exact;
        link_in(s);
        t->n++;
    }
    s->qos = (uint8_t)qos;
    changed(t, s);
    return MD_OK;
}

bool subs_has(const struct subs *t, struct span filter, const struct subscriber *who)
{
    struct tree_node *node = tree_find(&t->tree, filter);
    return node != NULL && held(node, who) != NULL;
}

bool subs_remove(struct subs *t, struct span filter, struct subscriber *who)
{
    struct tree_node *node = tree_find(&t->tree, filter);
    struct subscription *s = node == NULL ? NULL : held(node, who);
    if (s == NULL)
        return false;
    unlink_and_free(t, s);
    return true;
}

void subs_remove_all(struct subs *t, struct subscriber *who)
{
    while (who->filters != NULL)
        unlink_and_free(t, who->filters);
}

int subs_each(struct subs *t, const struct subscriber *who,
              void (*each)(void *ctx, struct span filter, unsigned qos), void *ctx)
{
    struct buf path;
    int err = MD_OK;
    buf_init(&path, SIZE_MAX);
    for (const struct subscription *s = who->filters; s != NULL && err == MD_OK; s = s->who_next) {
        path.n = 0;
        err = tree_path(&t->tree, s->node, &path);
        if (err == MD_OK)
            each(ctx, buf_view(&path), s->qos);
    }
    buf_free(&path);
    return err;
}

unsigned subs_held(const struct subscriber *who)
{
    unsigned n = 0;
    for (const struct subscription *s = who->filters; s != NULL; s = s->who_next)
        n++;
    return n;
}

static int nodes_add(struct nodes *s, struct tree_node *node)
{
    if (node == NULL)
        return MD_OK;
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 16;
        struct tree_node **v = mem_realloc(s->v, cap * sizeof *v);
        if (v == NULL)
            return MD_NOMEM;
        s->v = v;
        s->cap = cap;
    }
    s->v[s->n++] = node;
    return MD_OK;
}

static int hits_add(struct subs *t, struct subscriber *who, unsigned qos)
{
    if (who->stamp == t->stamp) {
        if (t->hits[who->hit].qos < qos)
            t->hits[who->hit].qos = qos;
        return MD_OK;
    }
    if (t->n_hits == t->cap_hits) {
        size_t cap = t->cap_hits ? t->cap_hits * 2 : 16;
        struct subs_hit *v = mem_realloc(t->hits, cap * sizeof *v);
        if (v == NULL)
            return MD_NOMEM;
        t->hits = v;
        t->cap_hits = cap;
    }
    who->stamp = t->stamp;
    who->hit = (uint32_t)t->n_hits;
    t->hits[t->n_hits++] = (struct subs_hit){who, qos};
    return MD_OK;
}

static int collect(struct subs *t, const struct tree_node *node)
{
    int err = MD_OK;
    const struct subscription *s = node == NULL ? NULL : node->value;
    for (; s != NULL && err == MD_OK; s = s->node_next)
        err = hits_add(t, s->who, s->qos);
    return err;
}

/* One level of the Topic Name: from t->now to t->next. */
static int advance(struct subs *t, struct span level, bool wildcards)
{
    uint32_t hash = tree_hash(&t->tree, level);
    int err = MD_OK;
    t->next.n = 0;
    for (size_t i = 0; i < t->now.n && err == MD_OK; i++) {
        const struct tree_node *node = t->now.v[i];
        if (wildcards) {
            err = collect(t, tree_multi(&t->tree, node));
            if (err == MD_OK)
                err = nodes_add(&t->next, tree_plus(&t->tree, node));
        }
        if (err == MD_OK)
            err = nodes_add(&t->next, tree_child(&t->tree, node, level, hash));
    }
    struct nodes swap = t->now;
    t->now = t->next;
    t->next = swap;
    return err;
}

/* A stamp that no subscriber carries: on wrap-around the old ones must go. */
static void new_stamp(struct subs *t)
{
    if (++t->stamp != 0)
        return;
    for (struct tree_node *n = t->tree.root; n != NULL; n = tree_next(t->tree.root, n))
        for (struct subscription *s = n->value; s != NULL; s = s->node_next)
            s->who->stamp = 0;
    t->stamp = 1;
}

static int walk(struct subs *t, struct span topic, struct subs_hits *out)
{
    bool wildcards = topic.n == 0 || topic.p[0] != '$';
    bool more = true;
    struct span level;
    new_stamp(t);
    t->n_hits = 0;
    t->now.n = 0;
    int err = nodes_add(&t->now, t->tree.root);
    while (err == MD_OK && t->now.n > 0 && topic_next_level(&topic, &more, &level)) {
        err = advance(t, level, wildcards);
        wildcards = true;
    }
    for (size_t i = 0; i < t->now.n && err == MD_OK; i++) {
        err = collect(t, t->now.v[i]);
        if (err == MD_OK) /* "a/#" matches "a" [MQTT 4.7.1.2] */
            err = collect(t, tree_multi(&t->tree, t->now.v[i]));
    }
    *out = (struct subs_hits){t->hits, t->n_hits};
    return err;
}

bool subs_agrees(struct subs *t, struct span topic, struct subs_hits kept)
{
    struct subs_hits now;
    if (walk(t, topic, &now) != MD_OK)
        return true;
    bool same = now.n == kept.n;
    for (size_t i = 0; i < now.n && same; i++)
        same = now.v[i].who == kept.v[i].who && now.v[i].qos == kept.v[i].qos;
    return same;
}

void subs_remember(struct subs *t, bool may)
{
    if (!may && !t->forgetful)
        match_cache_clear(&t->cache);
    t->forgetful = !may;
}

int subs_match(struct subs *t, struct span topic, struct subs_hits *out)
{
    uint32_t at;
    *out = (struct subs_hits){NULL, 0};
    if (t->n == 0)
        return MD_OK;
    if (t->forgetful || !match_cache_wants(&t->cache, topic))
        return walk(t, topic, out);
    if (match_cache_get(&t->cache, topic, &at, out)) {
        MD_DCHECK(subs_agrees(t, topic, *out));
        return MD_OK;
    }
    int err = walk(t, topic, out);
    if (err == MD_OK)
        match_cache_put(&t->cache, topic, at, *out);
    return err;
}
