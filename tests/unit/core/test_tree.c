/* The tree against the slow matcher of codec/topic.h, and its memory. */
#include "broker/base/mem.h"
#include "broker/codec/topic.h"
#include "broker/core/retain.h"
#include "broker/core/subs.h"
#include "tests/fake/fake_env.h"
#include "tests/unit/no_leak.h"

#include <stdio.h>

#define N_SUBS    200
#define N_FILTERS 3

struct listener {
    struct subscriber sub;
    char filter[N_FILTERS][32];
    unsigned qos[N_FILTERS], n;
};

static struct fake_env fake;

/* Random levels out of a small alphabet, so that filters overlap. */
static void random_path(char out[32], bool filter)
{
    static const char *const names[] = {"a", "b", "", "cc", "$x", "a"};
    size_t n = 0;
    uint8_t r[8];
    env_random(&fake.env, r, sizeof r);
    unsigned levels = 1 + r[0] % 4;
    for (unsigned i = 0; i < levels; i++) {
        const char *level = names[r[i + 1] % 6];
        if (filter && r[i + 1] % 16 == 7)
            level = "+";
        if (filter && r[i + 1] % 16 == 9 && i + 1 == levels)
            level = "#";
        n += (size_t)snprintf(out + n, 32 - n, "%s%s", i ? "/" : "", level);
    }
    if (n == 0)
        memcpy(out, "a", 2); /* a topic has at least one character */
}

static void check_match(struct subs *t, struct listener *v, const char *topic)
{
    struct subs_hits hits;
    assert_int_equal(subs_match(t, span_str(topic), &hits), MD_OK);
    size_t expected = 0;
    for (unsigned i = 0; i < N_SUBS; i++) {
        int best = -1, found = -1;
        for (unsigned k = 0; k < v[i].n; k++)
            if (topic_match(span_str(v[i].filter[k]), span_str(topic)) && (int)v[i].qos[k] > best)
                best = (int)v[i].qos[k];
        for (size_t h = 0; h < hits.n; h++)
            if (hits.v[h].who == &v[i].sub) {
                assert_int_equal(found, -1); /* once, not twice */
                found = (int)hits.v[h].qos;
            }
        assert_int_equal(found, best);
        expected += best >= 0;
    }
    assert_int_equal(hits.n, expected);
}

static void subscribe(struct subs *t, struct listener *l, unsigned k)
{
    bool added;
    random_path(l->filter[k], true);
    l->qos[k] = k % 3;
    for (unsigned j = 0; j < k; j++)
        if (strcmp(l->filter[j], l->filter[k]) == 0)
            l->qos[j] = l->qos[k]; /* an equal filter is replaced [MQTT-3.8.4-3] */
    assert_int_equal(subs_add(t, span_str(l->filter[k]), &l->sub, l->qos[k], &added), MD_OK);
    l->n = k + 1;
}

/* [MQTT-3.3.5-1] [MQTT-4.7.1-1] [MQTT-4.7.2-1] [MQTT-4.7.3-4] F87-F92 */
static void subs_match_agrees_with_the_plain_matcher(void **state)
{
    (void)state;
    struct subs *t;
    static struct listener v[N_SUBS];
    memset(v, 0, sizeof v);
    assert_int_equal(subs_new(&t, map_seed(&fake.env)), MD_OK);
    for (unsigned i = 0; i < N_SUBS; i++)
        for (unsigned k = 0; k < N_FILTERS; k++)
            subscribe(t, &v[i], k);
    for (unsigned i = 0; i < 500; i++) {
        char topic[32];
        random_path(topic, false);
        check_match(t, v, topic);
    }
    for (unsigned i = 0; i < N_SUBS; i += 2) {
        subs_remove_all(t, &v[i].sub);
        v[i].n = 0;
    }
    for (unsigned i = 0; i < 200; i++) {
        char topic[32];
        random_path(topic, false);
        check_match(t, v, topic);
    }
    for (unsigned i = 1; i < N_SUBS; i += 2)
        subs_remove_all(t, &v[i].sub);
    assert_int_equal(subs_count(t), 0);
    assert_int_equal(subs_nodes(t), 0); /* F99: memory returns */
    subs_free(t);
}

/* [MQTT-3.10.4-1] F97 */
static void unsubscribe_is_byte_exact(void **state)
{
    (void)state;
    struct subs *t;
    struct subscriber who = {0};
    bool added;
    assert_int_equal(subs_new(&t, map_seed(&fake.env)), MD_OK);
    assert_int_equal(subs_add(t, span_str("a/+"), &who, 1, &added), MD_OK);
    assert_true(added);
    assert_int_equal(subs_add(t, span_str("a/+"), &who, 2, &added), MD_OK);
    assert_false(added);
    assert_false(subs_remove(t, span_str("a/b"), &who));
    assert_false(subs_remove(t, span_str("a/#"), &who));
    assert_false(subs_remove(t, span_str("a"), &who));
    assert_int_equal(subs_count(t), 1);
    assert_true(subs_remove(t, span_str("a/+"), &who));
    assert_false(subs_remove(t, span_str("a/+"), &who));
    assert_int_equal(subs_nodes(t), 0);
    subs_free(t);
}

/* F79: 65,400 levels must cost memory in proportion, not stack. */
static void the_deepest_filter_is_walked_without_recursion(void **state)
{
    (void)state;
    static char deep[65401];
    struct subs *t;
    struct subs_hits hits;
    struct subscriber who = {0};
    bool added;
    memset(deep, '/', sizeof deep - 1);
    assert_int_equal(subs_new(&t, map_seed(&fake.env)), MD_OK);
    assert_int_equal(subs_add(t, span_str(deep), &who, 0, &added), MD_OK);
    assert_int_equal(subs_match(t, span_str(deep), &hits), MD_OK);
    assert_int_equal(hits.n, 1);
    subs_remove_all(t, &who);
    assert_int_equal(subs_nodes(t), 0);
    subs_free(t);
}

static void out_of_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    struct subs *t;
    struct subscriber who = {0};
    bool added;
    assert_int_equal(subs_new(&t, map_seed(&fake.env)), MD_OK);
    int err = MD_NOMEM;
    for (long n = 1; err != MD_OK; n++) {
        mem_fail_after(n);
        err = subs_add(t, span_str("a/b/c/d/e"), &who, 0, &added);
        mem_fail_after(-1);
        assert_true(n < 100);
        if (err != MD_OK)
            assert_int_equal(subs_nodes(t), 0);
    }
    subs_remove_all(t, &who);
    subs_free(t);
}

static struct message *retained(const char *topic, const char *payload)
{
    struct message *m;
    assert_int_equal(message_new(&m, span_str(topic), span_str(payload), 1, true), MD_OK);
    return m;
}

struct seen {
    unsigned n;
    const char *filter;
};

static int see(void *ctx, struct message *m)
{
    struct seen *s = ctx;
    assert_true(topic_match(span_str(s->filter), message_topic(m)));
    s->n++;
    return MD_OK;
}

/* F91: the same matcher for live and retained.  [MQTT-3.3.1-6] */
static void retain_match_agrees_with_the_plain_matcher(void **state)
{
    (void)state;
    struct retain *r;
    static char topics[300][32];
    size_t n = 0;
    assert_int_equal(retain_new(&r, map_seed(&fake.env)), MD_OK);
    while (n < 60) {
        bool known = false;
        random_path(topics[n], false);
        for (size_t i = 0; i < n; i++)
            known = known || strcmp(topics[i], topics[n]) == 0;
        if (known)
            continue;
        struct message *m = retained(topics[n++], "x");
        assert_int_equal(retain_set(r, m), MD_OK);
        message_unref(m);
    }
    assert_int_equal(retain_count(r), n);
    for (unsigned i = 0; i < 500; i++) {
        char filter[32];
        random_path(filter, true);
        unsigned expected = 0;
        for (size_t k = 0; k < n; k++)
            expected += topic_match(span_str(filter), span_str(topics[k]));
        struct seen s = {0, filter};
        assert_int_equal(retain_match(r, span_str(filter), see, &s), MD_OK);
        assert_int_equal(s.n, expected);
    }
    retain_free(r);
}

/* [MQTT-3.3.1-5] [MQTT-3.3.1-7] [MQTT-3.3.1-10] [MQTT-3.3.1-11] F102 F104 F107 */
static void retain_replaces_and_removes(void **state)
{
    (void)state;
    struct retain *r;
    assert_int_equal(retain_new(&r, map_seed(&fake.env)), MD_OK);
    struct message *parent = retained("a", "1"), *child = retained("a/b", "2");
    struct message *newer = retained("a", "3"), *empty = retained("a", "");
    assert_int_equal(retain_set(r, parent), MD_OK);
    assert_int_equal(retain_set(r, child), MD_OK);
    assert_int_equal(retain_set(r, newer), MD_OK);
    assert_int_equal(parent->refs, 1);
    assert_int_equal(newer->refs, 2);
    assert_int_equal(retain_set(r, empty), MD_OK);
    assert_int_equal(retain_count(r), 1);
    assert_int_equal(child->refs, 2); /* the child stays */
    assert_int_equal(empty->refs, 1); /* an empty one is not kept */
    assert_int_equal(retain_set(r, empty), MD_OK);
    message_unref(parent);
    message_unref(newer);
    message_unref(empty);
    message_unref(child);
    retain_free(r);
}

int main(void)
{
    fake_env_init(&fake);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(subs_match_agrees_with_the_plain_matcher, no_leak),
        cmocka_unit_test_teardown(unsubscribe_is_byte_exact, no_leak),
        cmocka_unit_test_teardown(the_deepest_filter_is_walked_without_recursion, no_leak),
        cmocka_unit_test_teardown(out_of_memory_leaves_nothing_behind, no_leak),
        cmocka_unit_test_teardown(retain_match_agrees_with_the_plain_matcher, no_leak),
        cmocka_unit_test_teardown(retain_replaces_and_removes, no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
