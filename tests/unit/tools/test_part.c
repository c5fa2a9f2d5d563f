/* Parts of a plug as people name them: sockets of a strip, sub-devices of a hub. */
#include "broker/base/mem.h"
#include "tests/unit/cmocka.h"
#include "tools/part.h"

#define STRIP                                                                                      \
    "{\"state\":{\"state\":\"ON\",\"channels\":[{\"channel\":0,\"state\":\"ON\"},{\"channel\":1,"  \
    "\"name\":\"Lamp\",\"state\":\"OFF\"},{\"channel\":2,\"name\":\"\xc3\x84pfel\"}]}}"
#define HUB                                                                                        \
    "{\"state\":{\"channels\":[],\"subdevices\":[{\"id\":\"01008C11\",\"name\":\"bath\"},"         \
    "{\"id\":\"0100\"},{\"id\":\"02AA\"}]}}"

static void test_split(void **state)
{
    (void)state;
    char plug[PART_REF_MAX + 1], ref[PART_REF_MAX + 1], longest[2 * PART_REF_MAX + 3];
    assert_true(part_split("kettle", plug, ref));
    assert_string_equal(plug, "kettle");
    assert_string_equal(ref, "");
    assert_true(part_split("strip/lamp", plug, ref));
    assert_string_equal(plug, "strip");
    assert_string_equal(ref, "lamp");
    assert_false(part_split("", plug, ref));
    assert_false(part_split("/lamp", plug, ref));
    assert_false(part_split("strip/", plug, ref));
    memset(longest, 'x', sizeof longest);
    longest[PART_REF_MAX] = '/';
    longest[2 * PART_REF_MAX + 1] = '\0';
    assert_true(part_split(longest, plug, ref));
    longest[2 * PART_REF_MAX + 1] = 'x';
    longest[2 * PART_REF_MAX + 2] = '\0';
    assert_false(part_split(longest, plug, ref));
}

static void is(const char *plug, const char *ref, int channel, const char *sub)
{
    struct part p;
    assert_int_equal(part_find(&p, span_str(plug), ref), MD_OK);
    assert_int_equal(p.channel, channel);
    assert_string_equal(p.sub, sub);
}

static void is_none(const char *plug, const char *ref)
{
    struct part p;
    assert_int_equal(part_find(&p, span_str(plug), ref), MD_NOENT);
}

static void test_find(void **state)
{
    (void)state;
    is(STRIP, "0", 0, "");
    is(STRIP, "1", 1, "");
    is(STRIP, "lamp", 1, "");
    is(STRIP, "\xc3\xa4PFEL", 2, "");
    is_none(STRIP, "la");
    is_none(STRIP, "3");
    is(HUB, "BATH", -1, "01008C11");
    is(HUB, "0100", -1, "0100"); /* exactly, though another begins so */
    is(HUB, "01008c", -1, "01008C11");
    is(HUB, "02", -1, "02AA");
    is_none(HUB, "0");
    is_none(HUB, "0300");
    is_none("not JSON", "1");
    is_none("{}", "1");
}

static void test_state(void **state)
{
    (void)state;
    struct json j;
    char text[20];
    struct part p = {.channel = 1};
    assert_int_equal(json_parse(&j, span_str(STRIP)), MD_OK);
    struct json_at at = json_get(json_root(&j), "state");
    assert_true(json_text(json_get(part_of_state(&p, at), "state"), text, sizeof text));
    assert_string_equal(text, "OFF");
    p.channel = -1;
    assert_true(json_text(json_get(part_of_state(&p, at), "state"), text, sizeof text));
    assert_string_equal(text, "ON");
    p.channel = 9;
    assert_int_equal(part_of_state(&p, at).i, at.i);
    json_free(&j);
    assert_int_equal(json_parse(&j, span_str(HUB)), MD_OK);
    at = json_get(json_root(&j), "state");
    assert_int_equal(part_find(&p, span_str(HUB), "bath"), MD_OK);
    assert_true(json_text(json_get(part_of_state(&p, at), "id"), text, sizeof text));
    assert_string_equal(text, "01008C11");
    json_free(&j);
    assert_int_equal(mem_used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_split), cmocka_unit_test(test_find),
                                       cmocka_unit_test(test_state)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
