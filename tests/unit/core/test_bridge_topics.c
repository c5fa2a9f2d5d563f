/* The names of a topic on both sides of a bridge: rows by hand, then properties of random ones. */
#include "broker/base/mem.h"
#include "broker/codec/topic.h"
#include "broker/core/bridge_topics.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>

static int map(const struct bridge_topic *t, size_t n, bool outward, const char *name,
               char out[256])
{
    const struct bridge_topic *found;
    struct buf b;
    buf_init(&b, UINT16_MAX);
    int err = bridge_topics_map(t, n, outward, span_str(name), &found, &b);
    (void)span_to_str(buf_view(&b), out, 256);
    buf_free(&b);
    return err;
}

static void names_change_their_prefix(void **state)
{
    (void)state;
    static const struct {
        struct bridge_topic t;
        const char *here, *there; /* there NULL: it does not cross */
    } rows[] = {
        {{"#", 3, 0, "", ""}, "a/b", "a/b"},
        {{"#", 3, 0, NULL, NULL}, "a/b", "a/b"},
        {{"#", 3, 0, "", ""}, "$SYS/x", NULL},
        {{"+/x", 3, 0, "", ""}, "$a/x", NULL},
        {{"$SYS/#", 3, 0, "", "r/"}, "$SYS/x", "r/$SYS/x"},
        {{"#", 3, 0, "l/", "r/"}, "l/a", "r/a"},
        {{"#", 3, 0, "l/", "r/"}, "l/$a", "r/$a"},
        {{"#", 3, 0, "l/", "r/"}, "l/", "r/"},
        {{"#", 3, 0, "l/", ""}, "l/", NULL},
        {{"#", 3, 0, "l/", "r/"}, "l", NULL},
        {{"#", 3, 0, "l/", "r/"}, "m/a", NULL},
        {{"a/#", 3, 0, "l/", ""}, "l/a", "a"},
        {{"a/#", 3, 0, "l/", ""}, "l/a/", "a/"},
        {{"a/+", 3, 0, "l/", "r/s/"}, "l/a/b", "r/s/a/b"},
        {{"a/+", 3, 0, "l/", "r/"}, "l/a/b/c", NULL},
        {{"a/+", 3, 0, "l/", "r/"}, "l/a", NULL},
        {{"b/+", 3, 0, "x/a", "y"}, "x/ab/c", "yb/c"},
        {{"", 3, 0, "one", "two"}, "one", "two"},
        {{"", 3, 0, "one", "two"}, "one/x", NULL},
        {{"+", 3, 0, "l/l/", "l/"}, "l/l/l", "l/l"},
    };
    char out[256];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int err = map(&rows[i].t, 1, true, rows[i].here, out);
        assert_int_equal(err, rows[i].there == NULL ? MD_NOENT : MD_OK);
        if (rows[i].there == NULL)
            continue;
        assert_string_equal(out, rows[i].there);
        assert_int_equal(map(&rows[i].t, 1, false, rows[i].there, out), MD_OK);
        assert_string_equal(out, rows[i].here);
    }
}

static void the_first_entry_of_the_right_way_wins(void **state)
{
    (void)state;
    static const struct bridge_topic v[] = {{"a/#", BRIDGE_IN, 0, "in/", ""},
                                            {"in/a/b", BRIDGE_OUT, 0, "", "1/"},
                                            {"#", BRIDGE_BOTH, 0, "", "2/"}};
    char out[256];
    assert_int_equal(map(v, 3, true, "in/a/b", out), MD_OK);
    assert_string_equal(out, "1/in/a/b");
    assert_int_equal(map(v, 3, true, "in/a/c", out), MD_OK);
    assert_string_equal(out, "2/in/a/c");
    assert_int_equal(map(v, 3, false, "a/c", out), MD_OK);
    assert_string_equal(out, "in/a/c");
    assert_int_equal(map(v, 3, false, "1/in/a/b", out), MD_NOENT);
    assert_int_equal(map(v, 2, false, "b", out), MD_NOENT);
}

/* F197: never cut, never past what a PUBLISH can carry. */
static void long_names_are_refused_not_cut(void **state)
{
    (void)state;
    static char name[65536 + 1], remote[3] = "rr";
    struct bridge_topic t = {"#", BRIDGE_OUT, 0, "", remote};
    const struct bridge_topic *found;
    struct buf b;
    memset(name, 'a', 65535);
    buf_init(&b, UINT16_MAX);
    int err = bridge_topics_map(&t, 1, true, span_of(name, 65533), &found, &b);
    assert_int_equal(err, MD_OK);
    assert_int_equal(b.n, 65535);
    b.n = 0;
    err = bridge_topics_map(&t, 1, true, span_of(name, 65534), &found, &b);
    assert_int_equal(err, MD_TOOBIG);
    assert_int_equal(b.n, 0);
    buf_free(&b);
}

static const char *pick(uint32_t *rng, const char *const *v, size_t n)
{
    *rng = *rng * 1664525u + 1013904223u;
    return v[(*rng >> 16) % n];
}

/* What crosses is what the two filters say, and the way back gives the same name: for every name,
 * not only for the first. */
static void there_and_back_is_the_same(void **state)
{
    (void)state;
    static const char *const patterns[] = {"#", "+", "a/#", "+/b", "a", "a/+/c", ""};
    static const char *const prefixes[] = {"", "l/", "l/m/", "x", "a/"};
    static const char *const levels[] = {"a", "b", "c", "", "l", "m", "x", "xa"};
    uint32_t rng = 7;
    unsigned crossed = 0;
    for (unsigned i = 0; i < 200000; i++) {
        struct bridge_topic t = {pick(&rng, patterns, 7), BRIDGE_BOTH, 0, pick(&rng, prefixes, 5),
                                 pick(&rng, prefixes, 5)};
        char name[64], whole[64], there[256], back[256];
        (void)snprintf(name, sizeof name, "%s%s", pick(&rng, prefixes, 5), pick(&rng, levels, 8));
        if (i % 2 == 0)
            (void)snprintf(name + strlen(name), 32, "/%s", pick(&rng, levels, 8));
        (void)snprintf(whole, sizeof whole, "%s%s", t.local, t.pattern);
        if (!topic_name_valid(span_str(name)) || !topic_filter_valid(span_str(whole)))
            continue;
        int err = map(&t, 1, true, name, there);
        if (err != MD_OK) {
            assert_int_equal(err, MD_NOENT);
            /* "l" matches "l/#" and has no prefix to change; "l/" may be all prefix. */
            bool edge = strlen(name) <= strlen(t.local);
            assert_true(edge || !topic_match(span_str(whole), span_str(name)));
            continue;
        }
        crossed++;
        assert_true(topic_match(span_str(whole), span_str(name)));
        assert_int_equal(strlen(there) + strlen(t.local), strlen(name) + strlen(t.remote));
        assert_int_equal(map(&t, 1, false, there, back), MD_OK);
        assert_string_equal(back, name);
    }
    assert_true(crossed > 10000);
    assert_int_equal(mem_used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_change_their_prefix),
                                       cmocka_unit_test(the_first_entry_of_the_right_way_wins),
                                       cmocka_unit_test(long_names_are_refused_not_cut),
                                       cmocka_unit_test(there_and_back_is_the_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
