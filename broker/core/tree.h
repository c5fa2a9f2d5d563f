/* tree.h - topics and filters as a tree of levels; what subs.c and retain.c share.
 *
 *     "home/+/temp" and "home/kitchen"          (root)
 *                                                  |
 *                                                "home"
 *                                                /    \
 *                                             "+"      "kitchen" -> value
 *                                              |
 *                                           "temp" -> value
 *
 * A node knows its parent, its siblings and one child, so a walk needs no stack.  A child is
 * found by name through one hash table for the whole tree, keyed by (parent, level), so a node
 * with a million children is as fast as one with two.  Level names are byte-exact
 * [MQTT-4.7.3-4]; wildcards are ordinary names here.
 *
 * A node exists while it has a value or children: tree_prune() keeps it so, and memory returns
 * to what it was. */
#ifndef BROKER_CORE_TREE_H
#define BROKER_CORE_TREE_H

#include "broker/base/buf.h"
#include "broker/base/map.h"

struct tree_node {
    struct tree_node *parent, *child, *next, *prev; /* siblings in no order */
    struct tree_node *hash_next;
    void *value; /* the user's; NULL = none */
    uint32_t hash;
    uint16_t name_n;
    uint8_t wild; /* TREE_PLUS, TREE_MULTI: it has a child of that name */
    char name[];
};

enum { TREE_PLUS = 1, TREE_MULTI = 2 };

struct tree {
    struct tree_node **bucket;
    size_t n_buckets, n;
    struct map_seed seed;
    struct tree_node *root;
    uint32_t plus, multi; /* hashes of the names "+" and "#" */
};

/* Errors: MD_NOMEM. */
MD_MUST_USE int tree_init(struct tree *t, struct map_seed seed);
void tree_clear(struct tree *t);  /* frees nodes, not values */
void tree_shrink(struct tree *t); /* fewer buckets, if so few nodes and memory allow it */

uint32_t tree_hash(const struct tree *t, struct span level);
/* The child called `level`, whose tree_hash() is `hash`; lent; NULL if there is none. */
struct tree_node *tree_child(const struct tree *t, const struct tree_node *parent,
                             struct span level, uint32_t hash);
struct tree_node *tree_plus(const struct tree *t, const struct tree_node *parent);
struct tree_node *tree_multi(const struct tree *t, const struct tree_node *parent);

/* The node of a whole topic or filter; NULL if there is none. */
struct tree_node *tree_find(const struct tree *t, struct span path);
/* The same, made where it is missing.  Errors: MD_NOMEM: nothing is left behind. */
MD_MUST_USE int tree_add(struct tree *t, struct span path, struct tree_node **out);
/* Removes `node` and its ancestors as far as they have neither value nor children. */
void tree_prune(struct tree *t, struct tree_node *node);

/* The next node of the subtree of `top` in depth-first order, starting with node = top; NULL after
 * the last. */
struct tree_node *tree_next(const struct tree_node *top, struct tree_node *node);

/* Appends the whole topic or filter of a node.  Errors: MD_NOMEM, MD_TOOBIG. */
MD_MUST_USE int tree_path(const struct tree *t, const struct tree_node *node, struct buf *out);

static inline struct span tree_name(const struct tree_node *n)
{
    return span_of(n->name, n->name_n);
}

#endif
