/* What is kept of matches is true after every change, bounded, and nothing without memory. */
#include "broker/base/mem.h"
#include "broker/codec/topic.h"
#include "broker/core/match_cache.h"
#include "tests/fake/fake_env.h"
#include "tests/unit/no_leak.h"

#include <stdio.h>

#define N_WHO   12
#define FILTERS 4

struct client {
    struct subscriber sub;
    char filter[FILTERS][40];
    unsigned qos[FILTERS], n;
};

static struct fake_env fake;

static unsigned roll(unsigned sides)
{
    uint16_t r;
    env_random(&fake.env, &r, sizeof r);
    return r % sides;
}

/* Up to five levels: more than those that tell beginnings apart. */
static void random_path(char out[40], bool filter)
{
    static const char *const names[] = {"a", "b", "", "cc", "$x", "d"};
    unsigned levels = 1 + roll(5);
    size_t n = 0;
    for (unsigned i = 0; i < levels; i++) {
        const char *level = names[roll(6)];
        if (filter && roll(4) == 0)
            level = i + 1 == levels && roll(2) == 0 ? "#" : "+";
        n += (size_t)snprintf(out + n, 40 - n, "%s%s", i ? "/" : "", level);
    }
    if (n == 0)
        memcpy(out, "a", 2);
}

static int best_qos(const struct client *c, const char *topic)
{
    int best = -1;
    for (unsigned k = 0; k < c->n; k++)
        if (topic_match(span_str(c->filter[k]), span_str(topic)) && (int)c->qos[k] > best)
            best = (int)c->qos[k];
    return best;
}

static void check(struct subs *t, const struct client *v, const char *topic)
{
    struct subs_hits hits;
    size_t expected = 0;
    assert_int_equal(subs_match(t, span_str(topic), &hits), MD_OK);
    for (unsigned i = 0; i < N_WHO; i++) {
        int found = -1, best = best_qos(&v[i], topic);
        for (size_t h = 0; h < hits.n; h++)
            if (hits.v[h].who == &v[i].sub)
                found = (int)hits.v[h].qos;
        assert_int_equal(found, best);
        expected += best >= 0;
    }
    assert_int_equal(hits.n, expected);
}

static void subscribe(struct subs *t, struct client *c)
{
    bool added;
    char filter[40];
    random_path(filter, true);
    unsigned k = 0, qos = roll(3);
    while (k < c->n && strcmp(c->filter[k], filter) != 0)
        k++;
    if (k == FILTERS)
        return;
    memcpy(c->filter[k], filter, sizeof filter);
    c->qos[k] = qos;
    assert_int_equal(subs_add(t, span_str(filter), &c->sub, qos, &added), MD_OK);
    assert_int_equal(added, k == c->n);
    c->n += added;
}

static void unsubscribe(struct subs *t, struct client *c)
{
    if (c->n == 0)
        return;
    unsigned k = roll(c->n);
    assert_true(subs_remove(t, span_str(c->filter[k]), &c->sub));
    c->n--;
    memmove(c->filter[k], c->filter[c->n], sizeof c->filter[k]);
    c->qos[k] = c->qos[c->n];
}

/* A house where clients come and go while few topics are published again and again. */
static void what_is_kept_is_true_after_every_change(void **state)
{
    (void)state;
    static struct client v[N_WHO];
    static char topic[40][40];
    struct subs *t;
    memset(v, 0, sizeof v);
    assert_int_equal(subs_new(&t, map_seed(&fake.env)), MD_OK);
    for (unsigned i = 0; i < 40; i++)
        random_path(topic[i], false);
    for (unsigned i = 0; i < 6000; i++) {
        struct client *c = &v[roll(N_WHO)];
        switch (roll(8)) {
        case 0:
            subscribe(t, c);
            break;
        case 1:
            unsubscribe(t, c);
            break;
        case 2:
            if (roll(4) == 0) {
                subs_remove_all(t, &c->sub);
                c->n = 0;
            }
            break;
        default:
            check(t, v, topic[roll(40)]);
        }
    }
    for (unsigned i = 0; i < N_WHO; i++)
        subs_remove_all(t, &v[i].sub);
    subs_free(t);
}

/* --- the cache by itself ---------------------------------------------------------------------- */

static struct subscriber somebody[2];

static void keep(struct match_cache *c, const char *topic, size_t n_hits)
{
    static struct subs_hit hits[1000];
    struct subs_hits found;
    uint32_t at;
    for (size_t i = 0; i < n_hits; i++)
        hits[i] = (struct subs_hit){&somebody[i % 2], (unsigned)(i % 3)};
    if (match_cache_get(c, span_str(topic), &at, &found))
        return;
    match_cache_put(c, span_str(topic), at, (struct subs_hits){hits, n_hits});
}

static bool kept(struct match_cache *c, const char *topic)
{
    struct subs_hits found;
    uint32_t at;
    return match_cache_get(c, span_str(topic), &at, &found);
}

static void change(struct match_cache *c, const char *filter, size_t n_subs)
{
    match_cache_changed(c, match_cache_key(c, span_str(filter)), n_subs);
}

static void start(struct match_cache *c, size_t n_subs)
{
    match_cache_init(c, map_seed(&fake.env).k[0]);
    change(c, "first", n_subs);
}

static void a_change_concerns_what_it_may_match(void **state)
{
    (void)state;
    static const struct {
        const char *filter, *topic;
        bool concerned;
    } cases[] = {
        {"home/kitchen/temp", "home/kitchen/temp", true},
        {"home/kitchen/temp", "home/kitchen/tem", false},
        {"home/kitchen/temp", "home/kitchen/temp/x", false},
        {"home/#", "home", true},
        {"home/#", "home/kitchen/temp", true},
        {"home/#", "lab/kitchen/temp", false},
        {"home/+/temp", "home/kitchen/temp", true},
        {"home/kitchen/+", "home/attic/temp", false},
        {"home/kitchen/#", "home/kitchen", true},
        {"a/b/c/d/+", "a/b/c/d/e", true},
        {"a/b/c/#", "a/b/c", true},
        {"a/b/c/d/+", "a/b/x/d/e", false},
        {"#", "home/kitchen/temp", true},
        {"+/kitchen/#", "lab/kitchen", true},
        {"/+", "/x", true},
        {"/x/#", "/x/y", true},
        {"/x/#", "/y/x", false},
        {"a//#", "a//b", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct match_cache c;
        start(&c, 1);
        keep(&c, cases[i].topic, 1);
        assert_true(kept(&c, cases[i].topic));
        change(&c, cases[i].filter, 1);
        assert_int_equal(kept(&c, cases[i].topic), !cases[i].concerned);
        match_cache_clear(&c);
    }
}

static void nothing_is_left_when_nobody_subscribes(void **state)
{
    (void)state;
    struct match_cache c;
    start(&c, 1);
    keep(&c, "a/b", 0);
    assert_true(kept(&c, "a/b"));
    change(&c, "x/+", 0);
    assert_int_equal(c.n_entries, 0);
    assert_int_equal(mem_used(), 0);
}

/* Many subscriptions make it large, and few small again. */
static void it_is_as_large_as_the_subscriptions_are_many(void **state)
{
    (void)state;
    struct match_cache c;
    char topic[40];
    start(&c, 1);
    for (unsigned i = 0; i < 5000; i++) {
        (void)snprintf(topic, sizeof topic, "t/%u", i);
        keep(&c, topic, 1);
    }
    assert_in_range(c.n_entries, 1, 64);
    change(&c, "x", 10000);
    for (unsigned i = 0; i < 50000; i++) {
        (void)snprintf(topic, sizeof topic, "t/%u", i);
        keep(&c, topic, 1);
    }
    assert_in_range(c.n_entries, MATCH_CACHE_ENTRIES / 2, MATCH_CACHE_ENTRIES);
    assert_true(c.bytes <= MATCH_CACHE_BYTES);
    change(&c, "x", 5);
    assert_int_equal(c.n_entries, 0);
    assert_int_equal(mem_used(), 0);
}

static void what_is_in_use_outlasts_a_flood(void **state)
{
    (void)state;
    struct match_cache c;
    char topic[40];
    unsigned left = 0;
    start(&c, 10000);
    for (unsigned i = 0; i < 200000; i++) {
        (void)snprintf(topic, sizeof topic, "flood/%u", i);
        keep(&c, topic, 1);
        (void)snprintf(topic, sizeof topic, "used/%u", i % 100);
        keep(&c, topic, 1);
    }
    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(topic, sizeof topic, "used/%u", i);
        left += kept(&c, topic);
    }
    assert_in_range(left, 90, 100);
    match_cache_clear(&c);
}

static size_t largest_hits(size_t topic_n)
{
    size_t n = 0;
    struct match_cache c;
    start(&c, 1);
    for (;; n++) {
        char topic[8] = "aaaaaaa";
        topic[topic_n] = '\0';
        match_cache_clear(&c);
        change(&c, "x", 1);
        keep(&c, topic, n);
        if (!kept(&c, topic))
            break;
        assert_true(c.bytes <= MATCH_ENTRY_BYTES);
    }
    match_cache_clear(&c);
    return n;
}

/* One entry is as large as MATCH_ENTRY_BYTES, and none is larger. */
static void a_long_list_of_subscribers_is_not_copied(void **state)
{
    (void)state;
    size_t past = largest_hits(3);
    assert_in_range(past * sizeof(struct subs_hit),
                    MATCH_ENTRY_BYTES - 64 - sizeof(struct subs_hit), MATCH_ENTRY_BYTES);
}

static void large_entries_stay_within_the_bytes(void **state)
{
    (void)state;
    struct match_cache c;
    char topic[40];
    bool last = false;
    start(&c, 10000);
    for (unsigned i = 0; i < 3000; i++) {
        (void)snprintf(topic, sizeof topic, "t/%u", i % 300);
        keep(&c, topic, 400);
        assert_true(c.bytes <= MATCH_CACHE_BYTES);
        last = last || (i >= 2000 && kept(&c, topic));
    }
    assert_true(c.bytes > MATCH_CACHE_BYTES / 2);
    assert_true(last); /* newcomers get their turn */
    match_cache_clear(&c);
}

static void a_very_long_topic_is_not_wanted(void **state)
{
    (void)state;
    static char topic[MATCH_TOPIC_BYTES + 2];
    struct match_cache c;
    start(&c, 1);
    memset(topic, 'x', sizeof topic - 1);
    assert_true(match_cache_wants(&c, span_of(topic, MATCH_TOPIC_BYTES)));
    assert_false(match_cache_wants(&c, span_of(topic, MATCH_TOPIC_BYTES + 1)));
    match_cache_clear(&c);
}

/* Returns how many of `n` different topics were asked for. */
static unsigned wanted(struct match_cache *c, unsigned n, unsigned again)
{
    unsigned asked = 0;
    char topic[40];
    for (unsigned i = 0; i < n; i++) {
        (void)snprintf(topic, sizeof topic, "t/%u", again != 0 && i % again == 0 ? 0 : i);
        if (!match_cache_wants(c, span_str(topic)))
            continue;
        asked++;
        keep(c, topic, 1);
    }
    return asked;
}

/* One in 16 has to be found for the cache to be asked at all. */
static void it_rests_while_no_topic_comes_again(void **state)
{
    (void)state;
    struct match_cache c;
    start(&c, 1);
    assert_in_range(wanted(&c, 18 * MATCH_TRIAL, 0), 2 * MATCH_TRIAL, 3 * MATCH_TRIAL);
    match_cache_clear(&c);
    start(&c, 1);
    assert_int_equal(wanted(&c, 18 * MATCH_TRIAL, 8), 18 * MATCH_TRIAL);
    match_cache_clear(&c);
}

static void without_memory_nothing_is_kept(void **state)
{
    (void)state;
    struct match_cache c;
    start(&c, 1);
    for (long after = 1; after <= 3; after++) { /* the table of changes, the sets, the entry */
        (void)mem_fail_after(after);
        keep(&c, "a/b", 1);
        (void)mem_fail_after(-1);
        assert_false(kept(&c, "a/b"));
        match_cache_clear(&c);
        change(&c, "x", 1);
    }
    keep(&c, "a/b", 1);
    assert_true(kept(&c, "a/b"));
    match_cache_clear(&c);
}

static void a_match_without_memory_for_the_cache_is_a_match(void **state)
{
    (void)state;
    struct subs *t;
    struct subscriber who = {0};
    struct subs_hits hits;
    bool added;
    assert_int_equal(subs_new(&t, map_seed(&fake.env)), MD_OK);
    assert_int_equal(subs_add(t, span_str("a/+"), &who, 1, &added), MD_OK);
    for (long after = 1; after <= 6; after++) {
        (void)mem_fail_after(after);
        int err = subs_match(t, span_str("a/b"), &hits);
        (void)mem_fail_after(-1);
        assert_int_equal(hits.n, err == MD_OK ? 1 : 0);
        assert_true(err == MD_OK || err == MD_NOMEM);
    }
    assert_int_equal(subs_match(t, span_str("a/b"), &hits), MD_OK);
    assert_int_equal(hits.n, 1);
    subs_remove_all(t, &who);
    subs_free(t);
}

/* At memory_limit. */
static void what_is_remembered_is_freed_and_learned_again(void **state)
{
    (void)state;
    struct subs *t;
    struct subscriber who = {0};
    struct subs_hits hits;
    bool added;
    assert_int_equal(subs_new(&t, map_seed(&fake.env)), MD_OK);
    assert_int_equal(subs_add(t, span_str("a/+"), &who, 1, &added), MD_OK);
    subs_remember(t, false);
    assert_int_equal(subs_match(t, span_str("a/b"), &hits), MD_OK);
    size_t without = mem_used();
    subs_remember(t, true);
    assert_int_equal(subs_match(t, span_str("a/b"), &hits), MD_OK);
    assert_true(mem_used() > without);
    subs_remember(t, false);
    assert_int_equal(mem_used(), without);
    assert_int_equal(subs_match(t, span_str("a/b"), &hits), MD_OK);
    assert_int_equal(hits.n, 1);
    assert_int_equal(mem_used(), without);
    subs_remove_all(t, &who);
    subs_free(t);
}

int main(void)
{
    fake_env_init(&fake);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_is_kept_is_true_after_every_change, no_leak),
        cmocka_unit_test_teardown(a_change_concerns_what_it_may_match, no_leak),
        cmocka_unit_test_teardown(nothing_is_left_when_nobody_subscribes, no_leak),
        cmocka_unit_test_teardown(it_is_as_large_as_the_subscriptions_are_many, no_leak),
        cmocka_unit_test_teardown(what_is_in_use_outlasts_a_flood, no_leak),
        cmocka_unit_test_teardown(a_long_list_of_subscribers_is_not_copied, no_leak),
        cmocka_unit_test_teardown(large_entries_stay_within_the_bytes, no_leak),
        cmocka_unit_test_teardown(a_very_long_topic_is_not_wanted, no_leak),
        cmocka_unit_test_teardown(it_rests_while_no_topic_comes_again, no_leak),
        cmocka_unit_test_teardown(without_memory_nothing_is_kept, no_leak),
        cmocka_unit_test_teardown(what_is_remembered_is_freed_and_learned_again, no_leak),
        cmocka_unit_test_teardown(a_match_without_memory_for_the_cache_is_a_match, no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
