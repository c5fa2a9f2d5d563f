/* Every topic we spell, and the names plugs may have. */
#include "tests/unit/cmocka.h"

#include "meross/wire/topics.h"

static struct topics t;

static int setup(void **state)
{
    (void)state;
    return topics_init(&t, "meross");
}

static void test_base(void **state)
{
    (void)state;
    struct topics x;
    char longest[TOPICS_BASE_MAX + 2];
    memset(longest, 'b', sizeof longest);
    longest[TOPICS_BASE_MAX + 1] = '\0';
    assert_int_equal(topics_init(&x, longest), MD_INVAL);
    longest[TOPICS_BASE_MAX] = '\0';
    assert_int_equal(topics_init(&x, longest), MD_OK);
    assert_int_equal(topics_init(&x, "home/plugs"), MD_OK);
    static const char *const bad[] = {"", "/meross", "meross/", "$SYS", "a+", "#", "a\x01", "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(topics_init(&x, bad[i]), MD_INVAL);
    assert_string_equal(x.base, "home/plugs");
    assert_int_equal(topics_read(&x, span_str("home/plugs/a/set")).kind, TOPICS_ASK_SET);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "mss310-3456", "K\303\274che 2",
                                       "12345678901234567890123456789012", "Broker2"};
    static const char *const bad[] = {"",
                                      "a/b",
                                      "a+",
                                      "#",
                                      "a\nb",
                                      "\x7f",
                                      "\xc2\x85",
                                      "a\xe2\x80\x8b", /* U+200B zero width space       */
                                      "\xe2\x80\xaex", /* U+202E right-to-left override */
                                      "\xe2\x80\xa8x", /* U+2028 line separator         */
                                      "\xe2\x81\xa0x", /* U+2060 word joiner            */
                                      "\xe2\x81\xa9x", /* U+2069 pop isolate            */
                                      "\xef\xbb\xbfx", /* U+FEFF byte order mark        */
                                      "\xff",
                                      "broker",
                                      "BROKER",
                                      " a",
                                      "a ",
                                      "123456789012345678901234567890123"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(topics_name_ok(span_str(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(topics_name_ok(span_str(bad[i])));
    assert_false(topics_name_ok(span_of("a\0b", 3)));
    assert_false(topics_name_ok(span_of(NULL, 0)));
}

static enum topics_kind kind(const char *topic) { return topics_read(&t, span_str(topic)).kind; }

static void test_read(void **state)
{
    (void)state;
    assert_int_equal(kind("meross/kitchen"), TOPICS_OWNED);
    assert_int_equal(kind("meross/kitchen/availability"), TOPICS_OWNED);
    assert_int_equal(kind("meross/kitchen/response"), TOPICS_OWNED);
    assert_int_equal(kind("meross/kitchen/event"), TOPICS_OWNED);
    assert_int_equal(kind("meross/broker/state"), TOPICS_OWNED);
    assert_int_equal(kind("meross/broker/response/list"), TOPICS_OWNED);
    assert_int_equal(kind("meross/broker/set"), TOPICS_OWNED);
    assert_int_equal(kind("meross/broker"), TOPICS_OWNED);
    assert_int_equal(kind("meross/kitchen/set"), TOPICS_ASK_SET);
    assert_int_equal(kind("meross/kitchen/2/set"), TOPICS_ASK_SET);
    assert_int_equal(kind("meross/kitchen/get"), TOPICS_ASK_GET);
    assert_int_equal(kind("meross/broker/request/list"), TOPICS_ASK_BROKER);
    assert_int_equal(kind("meross/kitchen/1/2/set"), TOPICS_BELOW_BASE);
    assert_int_equal(kind("meross/kitchen/other"), TOPICS_BELOW_BASE);
    assert_int_equal(kind("meross"), TOPICS_OTHER);
    assert_int_equal(kind("merossx/kitchen/set"), TOPICS_OTHER);
    assert_int_equal(kind("/meross/kitchen/set"), TOPICS_OTHER); /* [trap 4] */
    assert_int_equal(kind("appliance/x/subscribe"), TOPICS_OTHER);
    assert_int_equal(kind("/appliance/x/subscribe"), TOPICS_TO_PLUG);
    assert_int_equal(kind("/appliance/x/publish"), TOPICS_FROM_PLUG);
    assert_int_equal(kind("/appliance/x/y/publish"), TOPICS_OTHER);
    assert_int_equal(kind("/appliance/x"), TOPICS_OTHER);
    struct topics_ref r = topics_read(&t, span_str("meross/kitchen/2/set"));
    assert_true(span_is(r.plug, "kitchen") && span_is(r.part, "2"));
    r = topics_read(&t, span_str("meross/broker/request/rename"));
    assert_true(span_is(r.verb, "rename"));
    r = topics_read(&t, span_str("/appliance/abc/publish"));
    assert_true(span_is(r.uuid, "abc"));
    assert_int_equal(kind(""), TOPICS_OTHER);
}

static void test_write(void **state)
{
    (void)state;
    char out[TOPICS_MAX];
    topics_to_plug(out, span_str("abc"));
    assert_string_equal(out, "/appliance/abc/subscribe");
    topics_of_plug(&t, out, span_str("kitchen"), NULL);
    assert_string_equal(out, "meross/kitchen");
    topics_of_plug(&t, out, span_str("kitchen"), TOPICS_EVENT);
    assert_string_equal(out, "meross/kitchen/event");
    topics_of_broker(&t, out, TOPICS_PLUGS);
    assert_string_equal(out, "meross/broker/plugs");
    topics_answer(&t, out, span_str("list"));
    assert_string_equal(out, "meross/broker/response/list");
    enum topics_kind kind;
    assert_string_equal(topics_filter(&t, 1, out, &kind), "meross/+/+/set");
    assert_int_equal(kind, TOPICS_ASK_SET);
    assert_string_equal(topics_filter(&t, 3, out, &kind), "meross/broker/request/+");
    assert_int_equal(kind, TOPICS_ASK_BROKER);
    assert_null(topics_filter(&t, 4, out, &kind));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_base), cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_read), cmocka_unit_test(test_write)};
    return cmocka_run_group_tests(tests, setup, NULL);
}
