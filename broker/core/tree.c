#include "broker/core/tree.h"

#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "broker/codec/topic.h"

#define FIRST_BUCKETS 64 /* a power of two */

int tree_init(struct tree *t, struct map_seed seed)
{
    *t = (struct tree){.seed = seed};
    t->bucket = mem_calloc(FIRST_BUCKETS, sizeof *t->bucket);
    t->root = mem_alloc(sizeof *t->root);
    if (t->bucket == NULL || t->root == NULL) {
        mem_free(t->bucket);
        mem_free(t->root);
        return MD_NOMEM;
    }
    t->n_buckets = FIRST_BUCKETS;
    t->plus = tree_hash(t, span_str("+"));
    t->multi = tree_hash(t, span_str("#"));
    return MD_OK;
}

void tree_clear(struct tree *t)
{
    for (size_t i = 0; i < t->n_buckets; i++) {
        struct tree_node *n = t->bucket[i];
        while (n != NULL) {
            struct tree_node *next = n->hash_next;
            mem_free(n);
            n = next;
        }
    }
    mem_free(t->bucket);
    mem_free(t->root);
    *t = (struct tree){0};
}

uint32_t tree_hash(const struct tree *t, struct span level) { return map_hash(&t->seed, level); }

/* Mixes the place of the parent into the (seeded, so unpredictable) hash of the name. */
static struct tree_node **slot(const struct tree *t, const struct tree_node *parent, uint32_t hash)
{
    uintptr_t p = (uintptr_t)parent >> 4;
    uint32_t mixed = (hash ^ (uint32_t)p) * 0x9e3779b1u;
    return &t->bucket[(mixed ^ mixed >> 15) & (t->n_buckets - 1)];
}

struct tree_node *tree_child(const struct tree *t, const struct tree_node *parent,
                             struct span level, uint32_t hash)
{
    if (parent->child == NULL)
        return NULL;
    struct tree_node *n = *slot(t, parent, hash);
    while (n != NULL && !(n->parent == parent && n->hash == hash && span_eq(tree_name(n), level)))
        n = n->hash_next;
    return n;
}

struct tree_node *tree_plus(const struct tree *t, const struct tree_node *parent)
{
    return (parent->wild & TREE_PLUS) == 0 ? NULL : tree_child(t, parent, span_str("+"), t->plus);
}

struct tree_node *tree_multi(const struct tree *t, const struct tree_node *parent)
{
    return (parent->wild & TREE_MULTI) == 0 ? NULL : tree_child(t, parent, span_str("#"), t->multi);
}

struct tree_node *tree_find(const struct tree *t, struct span path)
{
    const struct tree_node *n = t->root;
    bool more = true;
    struct span level;
    while (n != NULL && topic_next_level(&path, &more, &level))
        n = tree_child(t, n, level, tree_hash(t, level));
    return (struct tree_node *)n;
}

/* n_buckets: a power of two.  Without memory it stays as it is: longer chains, nothing worse. */
static void rehash(struct tree *t, size_t n_buckets)
{
    struct tree other = *t;
    other.n_buckets = n_buckets;
    other.bucket = mem_calloc(n_buckets, sizeof *other.bucket);
    if (other.bucket == NULL)
        return;
    for (size_t i = 0; i < t->n_buckets; i++) {
        struct tree_node *n = t->bucket[i];
        while (n != NULL) {
            struct tree_node *next = n->hash_next;
            struct tree_node **s = slot(&other, n->parent, n->hash);
            n->hash_next = *s;
            *s = n;
            n = next;
        }
    }
    mem_free(t->bucket);
    t->bucket = other.bucket;
    t->n_buckets = other.n_buckets;
}

void tree_shrink(struct tree *t)
{
    size_t n = FIRST_BUCKETS;
    while (n < t->n)
        n *= 2;
    if (n <= t->n_buckets / 4) /* not at once again */
        rehash(t, n);
}

static uint8_t wildness(const struct tree_node *n)
{
    if (n->name_n != 1)
        return 0;
    return n->name[0] == '+' ? TREE_PLUS : n->name[0] == '#' ? TREE_MULTI : 0;
}

static struct tree_node *node_new(struct tree *t, struct tree_node *parent, struct span level,
                                  uint32_t hash)
{
    struct tree_node *n = mem_alloc_raw(sizeof *n + level.n);
    if (n == NULL)
        return NULL;
    if (t->n >= t->n_buckets)
        rehash(t, t->n_buckets * 2);
    *n = (struct tree_node){
        .parent = parent, .next = parent->child, .hash = hash, .name_n = (uint16_t)level.n};
    if (level.n > 0)
        memcpy(n->name, level.p, level.n);
    if (parent->child != NULL)
        parent->child->prev = n;
    parent->child = n;
    parent->wild |= wildness(n);
    struct tree_node **s = slot(t, parent, hash);
    n->hash_next = *s;
    *s = n;
    t->n++;
    return n;
}

int tree_add(struct tree *t, struct span path, struct tree_node **out)
{
    struct tree_node *n = t->root;
    bool more = true;
    struct span level;
    while (topic_next_level(&path, &more, &level)) {
        uint32_t hash = tree_hash(t, level);
        struct tree_node *child = tree_child(t, n, level, hash);
        if (child == NULL)
            child = node_new(t, n, level, hash);
        if (child == NULL) {
            tree_prune(t, n);
            return MD_NOMEM;
        }
        n = child;
    }
    *out = n;
    return MD_OK;
}

static void node_free(struct tree *t, struct tree_node *n)
{
    struct tree_node **at = slot(t, n->parent, n->hash);
    while (*at != NULL && *at != n)
        at = &(*at)->hash_next;
    MD_ASSERT(*at == n);
    *at = n->hash_next;
    if (n->prev != NULL)
        n->prev->next = n->next;
    else
        n->parent->child = n->next;
    if (n->next != NULL)
        n->next->prev = n->prev;
    n->parent->wild &= (uint8_t)~wildness(n);
    t->n--;
    mem_free(n);
}

void tree_prune(struct tree *t, struct tree_node *node)
{
    while (node != t->root && node->value == NULL && node->child == NULL) {
        struct tree_node *parent = node->parent;
        node_free(t, node);
        node = parent;
    }
}

struct tree_node *tree_next(const struct tree_node *top, struct tree_node *node)
{
    if (node->child != NULL)
        return node->child;
    while (node != top && node->next == NULL)
        node = node->parent;
    return node == top ? NULL : node->next;
}

int tree_path(const struct tree *t, const struct tree_node *node, struct buf *out)
{
    size_t n = 0;
    for (const struct tree_node *at = node; at != t->root; at = at->parent)
        n += at->name_n + (at->parent != t->root ? 1u : 0u);
    int err = buf_reserve(out, n);
    if (err != MD_OK)
        return err;
    uint8_t *end = out->p + out->n + n;
    out->n += n;
    for (const struct tree_node *at = node; at != t->root; at = at->parent) {
        end -= at->name_n;
        memcpy(end, at->name, at->name_n);
        if (at->parent != t->root)
            *--end = '/';
    }
    return MD_OK;
}
