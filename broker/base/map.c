#include "broker/base/map.h"

#include "broker/base/check.h"
#include "broker/base/mem.h"

#define FIRST_BUCKETS 16 /* a power of two */

struct map_seed map_seed(const struct env *env)
{
    struct map_seed s;
    env_random(env, &s, sizeof s);
    return s;
}

static inline uint64_t rotl(uint64_t x, int b) { return x << b | x >> (64 - b); }

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

/* Unaligned, and in host order: a hash never leaves this process. */
static inline uint64_t load64(const uint8_t *p, size_t n)
{
    uint64_t w = 0;
    memcpy(&w, p, n);
    return w;
}

uint32_t map_hash(const struct map_seed *seed, struct span key)
{
    uint64_t v[4] = {seed->k[0] ^ 0x736f6d6570736575u, seed->k[1] ^ 0x646f72616e646f6du,
                     seed->k[0] ^ 0x6c7967656e657261u, seed->k[1] ^ 0x7465646279746573u};
    size_t i = 0;
    for (; i + 8 <= key.n; i += 8) {
        uint64_t w = load64(key.p + i, 8);
        v[3] ^= w;
        sip_round(v);
        v[0] ^= w;
    }
    uint64_t last = (uint64_t)key.n << 56;
    if (key.n > i)
        last ^= load64(key.p + i, key.n - i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    uint64_t h = v[0] ^ v[1] ^ v[2] ^ v[3];
    return (uint32_t)(h ^ h >> 32);
}

int map_init(struct map *m, struct map_seed seed)
{
    *m = (struct map){.seed = seed};
    m->bucket = mem_calloc(FIRST_BUCKETS, sizeof *m->bucket);
    if (m->bucket == NULL)
        return MD_NOMEM;
    m->n_buckets = FIRST_BUCKETS;
    return MD_OK;
}

void map_clear(struct map *m)
{
    mem_free(m->bucket);
    *m = (struct map){0};
}

static struct map_node **slot_of(const struct map *m, uint32_t hash)
{
    return &m->bucket[hash & (m->n_buckets - 1)];
}

struct map_node *map_get(const struct map *m, struct span key)
{
    uint32_t hash = map_hash(&m->seed, key);
    struct map_node *node = *slot_of(m, hash);
    while (node != NULL && (node->hash != hash || !span_eq(map_key(node), key)))
        node = node->next;
    return node;
}

/* n: a power of two.  Without memory it stays as it is: longer chains, nothing worse. */
static void rehash(struct map *m, size_t n)
{
    struct map_node **bucket = mem_calloc(n, sizeof *bucket);
    if (bucket == NULL)
        return;
    for (size_t i = 0; i < m->n_buckets; i++) {
        struct map_node *node = m->bucket[i];
        while (node != NULL) {
            struct map_node *next = node->next;
            node->next = bucket[node->hash & (n - 1)];
            bucket[node->hash & (n - 1)] = node;
            node = next;
        }
    }
    mem_free(m->bucket);
    m->bucket = bucket;
    m->n_buckets = n;
}

void map_put(struct map *m, struct map_node *node, struct span key)
{
    MD_DCHECK(map_get(m, key) == NULL && key.n <= UINT32_MAX);
    if (m->n >= m->n_buckets)
        rehash(m, m->n_buckets * 2);
    node->key = key.p;
    node->key_n = (uint32_t)key.n;
    node->hash = map_hash(&m->seed, key);
    struct map_node **slot = slot_of(m, node->hash);
    node->next = *slot;
    *slot = node;
    m->n++;
}

void map_del(struct map *m, struct map_node *node)
{
    struct map_node **at = slot_of(m, node->hash);
    while (*at != NULL && *at != node)
        at = &(*at)->next;
    MD_ASSERT(*at == node);
    *at = node->next;
    node->next = NULL;
    m->n--;
}

void map_shrink(struct map *m)
{
    size_t n = FIRST_BUCKETS;
    while (n < m->n)
        n *= 2;
    if (n <= m->n_buckets / 4) /* not at once again */
        rehash(m, n);
}

void map_each(struct map *m, void (*each)(void *ctx, struct map_node *node), void *ctx)
{
    for (size_t i = 0; i < m->n_buckets; i++) {
        struct map_node *node = m->bucket[i];
        while (node != NULL) {
            struct map_node *next = node->next;
            each(ctx, node);
            node = next;
        }
    }
}
