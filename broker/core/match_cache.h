/* match_cache.h - what subs_match() found for a Topic Name, kept while it is true.
 *
 * Devices publish to the same few topics for years; walking the tree again finds the same again.
 *
 * Exact: whenever a subscription comes, goes or changes, subs.c tells the key of its filter.
 *   - A filter without wildcards concerns one Topic Name: what is kept for it is dropped.
 *   - One with wildcards concerns the topics that begin with its levels before the first wildcard,
 *     of which three count.  When something below such a beginning last changed stands in a
 *     small table; what was kept earlier is not used any more.
 * So clients may come and go: "home/#" costs what is kept for "lab/..." nothing.
 *
 * Bounded: by the number of subscriptions (a small tree is walked soon), MATCH_CACHE_ENTRIES and
 * MATCH_CACHE_BYTES.  Topic Names are hashed into sets of four, so whoever chooses them can push
 * out what is kept and make nothing longer; where there is no room one newcomer in eight is taken.
 * While hardly any topic is asked for again, the cache is not used at all, so a flood of ever new
 * topics costs next to nothing.  Out of memory, nothing is kept. */
#ifndef BROKER_CORE_MATCH_CACHE_H
#define BROKER_CORE_MATCH_CACHE_H

#include "broker/core/subs.h"

#define MATCH_CACHE_ENTRIES 1024u
#define MATCH_CACHE_BYTES   ((size_t)128 << 10) /* of all entries                */
#define MATCH_ENTRY_BYTES   ((size_t)8 << 10)   /* of one: 500 subscribers or so */
#define MATCH_TOPIC_BYTES   1024u
/* If less than a 16th of so many were found, eight times so many are not asked for. */
#define MATCH_TRIAL 1024u

struct match_key { /* of a filter: which Topic Names it concerns */
    uint32_t at;
    bool exact;
};

struct match_cache { /* embedded in struct subs */
    struct match_set *set;
    uint64_t *changed;       /* by beginning: the value of `now` at the last change */
    size_t n_sets, max_sets; /* powers of two */
    size_t n_entries, bytes;
    uint64_t seed;
    uint64_t now;          /* counts changes */
    size_t hand;           /* the set to be looked at next when bytes run out */
    unsigned newcomers;    /* that another would have to go for                     */
    unsigned asked, found; /* of the last MATCH_TRIAL                               */
    unsigned rest;         /* so many are not asked for                             */
};

void match_cache_init(struct match_cache *c, uint64_t seed); /* allocates nothing */
void match_cache_clear(struct match_cache *c);               /* forgets everything */

/* False: this Topic Name is neither asked for nor put. */
bool match_cache_wants(struct match_cache *c, struct span topic);

/* True: *out, lent until the next call of any function here but this one.  False: *at is for
 * match_cache_put(). */
bool match_cache_get(struct match_cache *c, struct span topic, uint32_t *at, struct subs_hits *out);

/* Copies what the tree has said, if it is worth it. */
void match_cache_put(struct match_cache *c, struct span topic, uint32_t at, struct subs_hits hits);

struct match_key match_cache_key(const struct match_cache *c, struct span filter);

/* A subscription with a filter of this key came, went or changed; `n_subs` there are now. */
void match_cache_changed(struct match_cache *c, struct match_key key, size_t n_subs);

#endif
