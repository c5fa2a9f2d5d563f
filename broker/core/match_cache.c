#include "broker/core/match_cache.h"

#include "broker/base/mem.h"
#include "broker/codec/topic.h"

#define WAYS       4u
#define FIRST_SETS 16u
#define LEVELS     3u   /* of the beginning of a filter that tell it from others     */
#define BEGINNINGS 256u /* places for them                                           */
#define ONE_IN     8u   /* newcomers are kept where another has to go for it         */
#define SWEEP      8u   /* sets looked at for bytes to be freed, at most             */
#define PER_SUB    16u  /* entries for each subscription, at most                    */

struct match_entry {
    uint64_t born; /* match_cache.now */
    uint32_t topic_n, n_hits;
    uint8_t below[LEVELS + 1]; /* the beginnings it has: of no level, one, two, three */
    bool used;                 /* since somebody looked for one to push out           */
    struct subs_hit hits[];    /* then the Topic Name                                 */
};

struct match_set {
    struct match_entry *way[WAYS];
    uint32_t hash[WAYS];
};

static const uint8_t *topic_of(const struct match_entry *e)
{
    return (const uint8_t *)(e->hits + e->n_hits);
}

static size_t size_of(size_t n_hits, size_t topic_n)
{
    return sizeof(struct match_entry) + n_hits * sizeof(struct subs_hit) + topic_n;
}

static uint64_t mix(uint64_t h, uint64_t w)
{
    h = (h ^ w) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

static uint64_t load32(const uint8_t *p)
{
    uint32_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* Less than eight bytes. */
static uint64_t load_few(const uint8_t *p, size_t n)
{
    if (n >= 4)
        return load32(p) << 32 | load32(p + n - 4);
    return n == 0 ? 0 : (uint64_t)p[0] << 16 | (uint64_t)p[n / 2] << 8 | p[n - 1];
}

/* Quick, and no more than hard to guess: collisions push out, and lengthen nothing. */
static uint32_t hash(const struct match_cache *c, struct span s)
{
    uint64_t h = c->seed ^ s.n;
    for (size_t i = 8; i < s.n; i += 8)
        h = mix(h, load64(s.p + i - 8));
    h = mix(h, s.n >= 8 ? load64(s.p + s.n - 8) : load_few(s.p, s.n));
    return (uint32_t)(mix(h, 0) >> 16);
}

static uint8_t beginning(const struct match_cache *c, struct span levels)
{
    return (uint8_t)(hash(c, levels) % BEGINNINGS);
}

void match_cache_init(struct match_cache *c, uint64_t seed)
{
    *c = (struct match_cache){.seed = seed};
}

static void drop(struct match_cache *c, struct match_set *s, unsigned way)
{
    struct match_entry *e = s->way[way];
    c->bytes -= size_of(e->n_hits, e->topic_n);
    c->n_entries--;
    mem_free(e);
    s->way[way] = NULL;
}

void match_cache_clear(struct match_cache *c)
{
    for (size_t i = 0; i < c->n_sets; i++)
        for (unsigned way = 0; way < WAYS; way++)
            if (c->set[i].way[way] != NULL)
                drop(c, &c->set[i], way);
    mem_free(c->set);
    mem_free(c->changed);
    *c = (struct match_cache){.seed = c->seed, .now = c->now, .max_sets = c->max_sets};
}

static bool is_true(const struct match_cache *c, const struct match_entry *e)
{
    bool yes = true;
    for (unsigned i = 0; i <= LEVELS; i++)
        yes = yes && c->changed[e->below[i]] <= e->born;
    return yes;
}

static struct match_set *set_of(const struct match_cache *c, uint32_t h)
{
    return &c->set[h & (c->n_sets - 1)];
}

bool match_cache_wants(struct match_cache *c, struct span topic)
{
    if (c->rest > 0) {
        c->rest--;
        return false;
    }
    if (c->asked == MATCH_TRIAL) {
        c->rest = c->found < MATCH_TRIAL / 16 ? MATCH_TRIAL * 8 : 0;
        c->asked = c->found = 0;
    }
    c->asked++;
    return topic.n <= MATCH_TOPIC_BYTES;
}

bool match_cache_get(struct match_cache *c, struct span topic, uint32_t *at, struct subs_hits *out)
{
    uint32_t h = *at = hash(c, topic);
    struct match_set *s = c->n_sets == 0 ? NULL : set_of(c, h);
    for (unsigned way = 0; s != NULL && way < WAYS; way++) {
        struct match_entry *e = s->way[way];
        if (s->hash[way] != h || e == NULL || !span_eq(span_of(topic_of(e), e->topic_n), topic))
            continue;
        if (!is_true(c, e)) {
            drop(c, s, way);
            return false;
        }
        e->used = true;
        c->found++;
        *out = (struct subs_hits){e->hits, e->n_hits};
        return true;
    }
    return false;
}

/* A power of two. */
static size_t max_sets(size_t n_subs)
{
    size_t sets = FIRST_SETS;
    while (sets < MATCH_CACHE_ENTRIES / WAYS && sets * WAYS < n_subs * PER_SUB)
        sets *= 2;
    return sets;
}

/* The upper half of what is in set i belongs to set i + n_sets afterwards. */
static void split(struct match_set *low, struct match_set *high, size_t n_sets)
{
    for (unsigned way = 0; way < WAYS; way++)
        if (low->way[way] != NULL && (low->hash[way] & n_sets) != 0) {
            high->way[way] = low->way[way];
            high->hash[way] = low->hash[way];
            low->way[way] = NULL;
        }
}

static bool grow(struct match_cache *c)
{
    size_t n = c->n_sets == 0 ? FIRST_SETS : c->n_sets * 2;
    if (n > c->max_sets)
        return false;
    if (c->changed == NULL)
        c->changed = mem_calloc(BEGINNINGS, sizeof *c->changed);
    struct match_set *set = c->changed == NULL ? NULL : mem_calloc(n, sizeof *set);
    if (set == NULL)
        return false;
    for (size_t i = 0; i < c->n_sets; i++) {
        set[i] = c->set[i];
        split(&set[i], &set[i + c->n_sets], c->n_sets);
    }
    mem_free(c->set);
    c->set = set;
    c->n_sets = n;
    return true;
}

/* Drops what is not true any more, and what was not used since the last time. */
static void sweep(struct match_cache *c, struct match_set *s)
{
    for (unsigned way = 0; way < WAYS; way++) {
        struct match_entry *e = s->way[way];
        if (e == NULL)
            continue;
        bool stays = e->used && is_true(c, e);
        e->used = false;
        if (!stays)
            drop(c, s, way);
    }
}

/* Whether this newcomer is one for which others may have to go. */
static bool admitted(struct match_cache *c) { return ++c->newcomers % ONE_IN == 0; }

static bool free_way(const struct match_set *s, unsigned *way)
{
    for (*way = 0; *way < WAYS; ++*way)
        if (s->way[*way] == NULL)
            return true;
    return false;
}

/* The set for a new entry, with a free way; NULL: it is not kept. */
static struct match_set *place(struct match_cache *c, uint32_t h, unsigned *way)
{
    struct match_set *s = c->n_sets == 0 ? NULL : set_of(c, h);
    while ((s == NULL || !free_way(s, way)) && grow(c))
        s = set_of(c, h);
    if (s == NULL || free_way(s, way))
        return s;
    if (!admitted(c))
        return NULL;
    sweep(c, s);
    return free_way(s, way) ? s : NULL;
}

static bool bytes_for(struct match_cache *c, size_t size)
{
    if (c->bytes + size <= MATCH_CACHE_BYTES)
        return true;
    if (!admitted(c))
        return false;
    for (unsigned i = 0; i < SWEEP && c->bytes + size > MATCH_CACHE_BYTES; i++)
        sweep(c, &c->set[c->hand++ & (c->n_sets - 1)]);
    return c->bytes + size <= MATCH_CACHE_BYTES;
}

/* Where each of its first levels ends is the end of a beginning. */
static void find_beginnings(const struct match_cache *c, struct match_entry *e, struct span topic)
{
    struct span rest = topic, level;
    bool more = true;
    e->below[0] = beginning(c, span_of(topic.p, 0));
    for (unsigned i = 1; i <= LEVELS; i++)
        e->below[i] = topic_next_level(&rest, &more, &level)
                          ? beginning(c, span_of(topic.p, (size_t)(level.p + level.n - topic.p)))
                          : e->below[i - 1];
}

void match_cache_put(struct match_cache *c, struct span topic, uint32_t at, struct subs_hits hits)
{
    unsigned way;
    size_t size = size_of(hits.n, topic.n);
    struct match_set *s = size > MATCH_ENTRY_BYTES ? NULL : place(c, at, &way);
    struct match_entry *e = s == NULL || !bytes_for(c, size) ? NULL : mem_alloc_raw(size);
    if (e == NULL)
        return;
    *e = (struct match_entry){
        .born = c->now, .topic_n = (uint32_t)topic.n, .n_hits = (uint32_t)hits.n};
    find_beginnings(c, e, topic);
    if (hits.n > 0)
        memcpy(e->hits, hits.v, hits.n * sizeof *hits.v);
    if (topic.n > 0)
        memcpy(e->hits + hits.n, topic.p, topic.n);
    s->way[way] = e;
    s->hash[way] = at;
    c->bytes += size;
    c->n_entries++;
}

static bool has_wildcard(struct span level) { return span_is(level, "+") || span_is(level, "#"); }

struct match_key match_cache_key(const struct match_cache *c, struct span filter)
{
    struct span rest = filter, level;
    size_t levels = 0, n = 0;
    bool more = true;
    while (topic_next_level(&rest, &more, &level)) {
        if (has_wildcard(level))
            return (struct match_key){beginning(c, span_of(filter.p, n)), false};
        if (levels++ < LEVELS)
            n = (size_t)(level.p + level.n - filter.p);
    }
    return (struct match_key){hash(c, filter), true};
}

void match_cache_changed(struct match_cache *c, struct match_key key, size_t n_subs)
{
    c->now++;
    c->max_sets = max_sets(n_subs);
    if (c->n_sets == 0)
        return;
    if (n_subs == 0 || c->max_sets < c->n_sets / 4) {
        match_cache_clear(c); /* what is left is soon found again */
        return;
    }
    if (!key.exact) {
        c->changed[key.at] = c->now;
        return;
    }
    struct match_set *s = set_of(c, key.at);
    for (unsigned way = 0; way < WAYS; way++)
        if (s->way[way] != NULL && s->hash[way] == key.at)
            drop(c, s, way);
}
