/* map.h - seeded hash map, bytes to an intrusive node.
 *
 * The node lives in the object it finds, so inserting allocates nothing but
 * buckets, and a map whose buckets cannot grow only gets slower.  The seed keeps a
 * peer who chooses the keys from choosing the collisions. */
#ifndef BROKER_BASE_MAP_H
#define BROKER_BASE_MAP_H

#include "broker/base/env.h"
#include "broker/base/err.h"
#include "broker/base/span.h"

struct map_seed {
    uint64_t k[2];
};

struct map_node {
    struct map_node *next;
    const uint8_t *key; /* see map_key() */
    uint32_t key_n, hash;
};

struct map {
    struct map_node **bucket;
    size_t n_buckets, n;
    struct map_seed seed;
};

#define MAP_OF(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline struct span map_key(const struct map_node *node) /* of map_put() */
{
    return (struct span){node->key, node->key_n};
}

struct map_seed map_seed(const struct env *env);
uint32_t map_hash(const struct map_seed *seed, struct span key); /* SipHash-1-3, folded */

/* Errors: MD_NOMEM. */
MD_MUST_USE int map_init(struct map *m, struct map_seed seed);
void map_clear(struct map *m); /* frees the buckets; the nodes are their owners' */

struct map_node *map_get(const struct map *m, struct span key); /* lent; NULL if absent */
/* The key must be absent, and shorter than 4 GB; it is kept while the node is in the map. */
void map_put(struct map *m, struct map_node *node, struct span key);
void map_del(struct map *m, struct map_node *node); /* must be present */
void map_shrink(struct map *m); /* fewer buckets, if so few nodes and memory allow it */

/* Walks in no order; the current node may be deleted by the callback, no other
 * and none may be added. */
void map_each(struct map *m, void (*each)(void *ctx, struct map_node *node), void *ctx);

#endif
