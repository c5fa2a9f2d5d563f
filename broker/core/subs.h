/* subs.h - subscriptions: which subscribers want a Topic Name.
 *
 * Matching is in two steps so that nothing is called back while the tree is
 * being walked: subs_match() collects, the caller acts.  A subscriber that
 * several of its filters select appears once, with the highest QoS
 * [MQTT-3.3.5-1].
 *
 * The walk goes level by level and keeps the set of nodes that are still in the running, so it
 * needs no recursion whatever the filters are. */
#ifndef BROKER_CORE_SUBS_H
#define BROKER_CORE_SUBS_H

#include "broker/core/message.h"
#include "broker/core/tree.h"

struct subscriber { /* embedded in struct session and struct broker_sub */
    void (*deliver)(struct subscriber *me, struct message *m, unsigned qos);
    struct subscription *filters; /* private to subs.c: what it holds, newest first */
    uint32_t stamp;               /* private: the match that saw it last   */
    uint32_t hit;                 /* private: its place in that result     */
};

struct subs_hit {
    struct subscriber *who;
    unsigned qos; /* the highest granted */
};

struct subs_hits { /* lent by subs_match() until the next call of any function here */
    const struct subs_hit *v;
    size_t n;
};

struct subs;

/* Errors: MD_NOMEM. */
MD_MUST_USE int subs_new(struct subs **out, struct map_seed seed);
void subs_shrink(struct subs *t); /* frees what it does not need now; ends what subs_match() lent */
void subs_free(struct subs *t);   /* NULL is fine; no subscriber may be left */

/* `who` is kept until removed.  Replaces the QoS of an equal filter of the
 * same subscriber [MQTT-3.8.4-3]; *added is false then.  Errors: MD_NOMEM: as before. */
MD_MUST_USE int subs_add(struct subs *t, struct span filter, struct subscriber *who, unsigned qos,
                         bool *added);
bool subs_has(const struct subs *t, struct span filter, const struct subscriber *who);
/* Byte-exact [MQTT-3.10.4-1]; false when there was none. */
bool subs_remove(struct subs *t, struct span filter, struct subscriber *who);
void subs_remove_all(struct subs *t, struct subscriber *who);

/* Topic Names that begin with '$' are not matched by a leading wildcard
 * [MQTT-4.7.2-1].  Errors: MD_NOMEM. */
MD_MUST_USE int subs_match(struct subs *t, struct span topic, struct subs_hits *out);
/* Whether memory may be used to remember what matched (match_cache.h); false: what is remembered is
 * freed.  True at first. */
void subs_remember(struct subs *t, bool may);
/* Whether the tree says the same as `kept`, which match_cache.h kept; test builds check each. */
bool subs_agrees(struct subs *t, struct span topic, struct subs_hits kept);

unsigned subs_held(const struct subscriber *who); /* filters of one subscriber */
size_t subs_count(const struct subs *t);          /* subscriptions                              */
size_t subs_nodes(const struct subs *t);          /* tree nodes: 0 when nothing is subscribed   */

/* Calls each with every filter of `who` and its QoS; `filter` is lent, `each` may not change
 * subscriptions.  Errors: MD_NOMEM. */
int subs_each(struct subs *t, const struct subscriber *who,
              void (*each)(void *ctx, struct span filter, unsigned qos), void *ctx);

#endif
