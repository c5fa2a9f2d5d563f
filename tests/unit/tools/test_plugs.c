/* The broker's list, finding a plug in it, cutting long JSON, and tables. */
#include "broker/base/mem.h"
#include "meross/wire/json_check.h"
#include "tests/unit/no_leak.h"
#include "tools/json_cut.h"
#include "tools/json_print.h"
#include "tools/plugs.h"
#include "tools/table.h"

#include <stdio.h>
#include <stdlib.h>

static const char list_text[] =
    "[{\"name\":\"Kettle\",\"uuid\":\"2101010000000000000048e1e9001122\","
    "\"mac\":\"48:e1:e9:00:11:22\",\"type\":\"mss310\",\"firmware\":\"6.2.3\",\"online\":true,"
    "\"bound\":true,\"last_seen\":1700000000,\"key\":\"empty\",\"channels\":[0],"
    "\"abilities\":[\"a\",\"b\"],\"state\":{\"state\":\"ON\",\"channels\":[{\"channel\":0,"
    "\"state\":\"ON\"}],\"power\":12.3}},\n"
    " {\"name\":\"kettle two\",\"uuid\":\"22\",\"mac\":\"48:e1:e9:00:11:23\",\"channels\":[0,1,2],"
    "\"state\":{\"state\":\"ON\",\"channels\":[{\"channel\":1,\"state\":\"OFF\"},{\"channel\":0,"
    "\"state\":\"ON\"}]}},"
    "{\"name\":\"M\xc3\xbchle\",\"mac\":\"48:e1:e9:00:11:24\",\"type\":\"x\\u001b[2J\"}]";

static struct plugs parse(const char *text)
{
    struct plugs p;
    assert_int_equal(plugs_parse(&p, span_str(text)), MD_OK);
    return p;
}

static void a_list_is_read(void **state)
{
    (void)state;
    char text[64];
    struct plugs p = parse(list_text);
    assert_int_equal(p.n, 3);
    assert_string_equal(p.v[0].name, "Kettle");
    assert_string_equal(p.v[0].type, "mss310");
    assert_string_equal(p.v[0].firmware, "6.2.3");
    assert_string_equal(p.v[0].key, "empty");
    assert_true(p.v[0].online);
    assert_int_equal(p.v[0].last_seen_s, 1700000000);
    assert_int_equal(p.v[0].n_abilities, 2);
    assert_int_equal(p.v[0].n_channels, 1);
    assert_string_equal(p.v[0].address, "");
    plugs_state(&p.v[0], text, sizeof text);
    assert_string_equal(text, "ON");
    plugs_state(&p.v[1], text, sizeof text);
    assert_string_equal(text, "ON,OFF,-");
    plugs_state(&p.v[2], text, sizeof text);
    assert_string_equal(text, "-");
    assert_string_equal(p.v[2].type, "x?[2J"); /* nothing for a terminal to obey */
    assert_false(p.v[2].online);
    plugs_free(&p);
}

/* A name that no topic can be made of is not this program's to use. */
/* As people look for them, whatever the order of the broker. */
static void the_order_is_that_of_the_names(void **state)
{
    (void)state;
    struct plugs p = parse("[{\"name\":\"b\"},{\"name\":\"C\"},{\"name\":\"a\"}]");
    assert_string_equal(p.v[0].name, "a");
    assert_string_equal(p.v[1].name, "b");
    assert_string_equal(p.v[2].name, "C");
    plugs_free(&p);
}

static void foreign_names_are_left_out(void **state)
{
    (void)state;
    struct plugs p =
        parse("[{\"name\":\"a/#\"},{\"name\":\"123456789012345678901234567890123\"},"
              "{\"name\":\"lamp\"},{\"name\":\"x\\u202ey\"},{},{\"name\":\"broker\"}]");
    assert_int_equal(p.n, 1);
    assert_string_equal(p.v[0].name, "lamp");
    plugs_free(&p);
    assert_int_equal(plugs_parse_one(&p, span_str("{\"name\":\"a+\"}")), MD_PROTO);
    assert_int_equal(plugs_parse_one(&p, span_str("[]")), MD_PROTO);
    assert_int_equal(plugs_parse_one(&p, span_str("{\"name\":\"lamp\",\"type\":\"t\"}")), MD_OK);
    assert_string_equal(p.v[0].type, "t");
    plugs_free(&p);
}

static void prints(const char *json, int want, const char *text)
{
    char *out = NULL;
    size_t n;
    FILE *f = open_memstream(&out, &n);
    assert_int_equal(json_print(f, span_str(json)), want);
    fclose(f);
    assert_string_equal(out, text);
    free(out);
}

static void printed_json_is_harmless(void **state)
{
    (void)state;
    prints("{\"a\": [1,\r\n \"M\xc3\xbchle\"]}", MD_OK, "{\"a\": [1,   \"M\xc3\xbchle\"]}\n");
    prints("[\"\xc2\x9b[2J\x7f\xe2\x80\xae\"]", MD_OK, "[\"\\u009b[2J\\u007f\\u202e\"]\n");
    prints("[\"\\\"\xc2\x85\", \"\\\\\"]", MD_OK, "[\"\\\"\\u0085\", \"\\\\\"]\n");
    prints("[\"\x1b]0;pwn\x07\"]", MD_PROTO, "");
    prints("{\"x\":\x1b[31m}", MD_PROTO, "");
    prints("[\"\xff\"]", MD_PROTO, "");
    prints("", MD_PROTO, "");
    /* Longer than what json_parse() takes. */
    size_t n = JSON_TEXT_MAX + 1000;
    char *big = malloc(n + 1);
    memset(big, ' ', n);
    big[0] = '[';
    big[n - 1] = ']';
    big[n] = '\0';
    FILE *f = fopen("/dev/null", "w");
    assert_int_equal(json_print(f, span_str(big)), MD_OK);
    fclose(f);
    free(big);
}

static void indented(const char *json, int want, const char *text)
{
    char *out = NULL;
    size_t n;
    FILE *f = open_memstream(&out, &n);
    assert_int_equal(json_print_indented(f, span_str(json)), want);
    fclose(f);
    assert_string_equal(out, text);
    free(out);
}

static void json_is_laid_out_for_eyes(void **state)
{
    (void)state;
    indented("{\"a\":[1, {\"b\" : \"x, {y\\\"\"}],\"c\":{},\"d\":[ ]}", MD_OK,
             "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x, {y\\\"\"\n    }\n  ],\n  \"c\": {},"
             "\n  \"d\": []\n}\n");
    indented("{}", MD_OK, "{}\n");
    indented("[\"\xc2\x9b[2J\"]", MD_OK, "[\n  \"\\u009b[2J\"\n]\n");
    indented("{\"a\":1", MD_PROTO, "");
}

static void lists_that_are_none_are_refused(void **state)
{
    (void)state;
    struct plugs p;
    assert_int_equal(plugs_parse(&p, span_str("")), MD_PROTO);
    assert_int_equal(plugs_parse(&p, span_str("{}")), MD_PROTO);
    assert_int_equal(plugs_parse(&p, span_str("[{\"name\":\"a\"},{x}]")), MD_PROTO);
    assert_int_equal(plugs_parse(&p, span_str("[]")), MD_OK);
    assert_int_equal(p.n, 0);
    plugs_free(&p);
}

static void check(const struct plugs *p, const char *ref, int rc, size_t index)
{
    const struct plug *found = NULL;
    int got = plugs_find(p, ref, &found);
    if (got != rc)
        fail_msg("%s: %d", ref, got);
    if (rc == MD_OK)
        assert_ptr_equal(found, &p->v[index]);
}

static void plugs_are_found_as_people_name_them(void **state)
{
    (void)state;
    struct plugs p = parse(list_text);
    check(&p, "Kettle", MD_OK, 0);
    check(&p, "KETTLE", MD_OK, 0); /* exact, although "kettle two" begins so as well */
    check(&p, "kettle t", MD_OK, 1);
    check(&p, "ket", MD_EXIST, 0);
    check(&p, "m\xc3\xbch", MD_OK, 2);
    check(&p, "M\xc3\x9cHLE", MD_OK, 2);
    check(&p, "2101010000000000000048E1E9001122", MD_OK, 0);
    check(&p, "48:E1:E9:00:11:23", MD_OK, 1);
    check(&p, "48-e1-e9-00-11-23", MD_OK, 1);
    check(&p, "48e1.e900.1124", MD_OK, 2);
    check(&p, "48e1e9001124", MD_OK, 2);
    check(&p, "48e1e900112", MD_NOENT, 0);
    check(&p, "48e1e90011244", MD_NOENT, 0);
    check(&p, "22", MD_OK, 1);
    check(&p, "2", MD_NOENT, 0); /* only names may be shortened */
    check(&p, "", MD_NOENT, 0);
    check(&p, "lamp", MD_NOENT, 0);
    check(&p, "\xff", MD_NOENT, 0);
    plugs_free(&p);
}

static void candidates_are_listed_and_cut(void **state)
{
    (void)state;
    char text[64];
    struct plugs p = parse(list_text);
    plugs_names(&p, "KE", text, sizeof text);
    assert_string_equal(text, "Kettle, kettle two");
    plugs_names(&p, "", text, sizeof text);
    assert_string_equal(text, "Kettle, kettle two, M\xc3\xbchle");
    plugs_names(&p, "", text, 20);
    assert_string_equal(text, "Kettle, ...");
    plugs_names(&p, "zz", text, sizeof text);
    assert_string_equal(text, "");
    plugs_free(&p);
}

/* A house of 300 plugs is more than one JSON document may hold here. */
static void a_long_list_is_read_piece_by_piece(void **state)
{
    (void)state;
    size_t cap = 300 * 400, n = 1;
    char *text = mem_alloc(cap);
    text[0] = '[';
    for (unsigned i = 0; i < 300; i++)
        n += (size_t)snprintf(
            text + n, cap - n,
            "%s{\"name\":\"p%u\",\"note\":\"%0200u\",\"abilities\":[1,2,3,4,5,6,7,8,"
            "9,10,11,12,13,14,15,16]}",
            i ? "," : "", i, 7u);
    (void)snprintf(text + n, cap - n, "]");
    struct plugs p = parse(text);
    assert_int_equal(p.n, 300);
    assert_string_equal(p.v[299].name, "p99");
    plugs_free(&p);
    mem_free(text);
}

static void too_many_channels_are_left_out(void **state)
{
    (void)state;
    struct plugs p =
        parse("[{\"name\":\"x\",\"channels\":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,-1,999]}]");
    assert_int_equal(p.v[0].n_channels, PLUGS_MAX_CHANNELS);
    plugs_free(&p);
}

static void members_are_cut_out(void **state)
{
    (void)state;
    struct span v;
    struct span o = span_str(" { \"a\" : [1,{\"b\":\"}]\\\"\"}] , \"b\":\"x\\\"y\",\"c\":12 } ");
    assert_true(json_cut_member(o, "a", &v));
    assert_true(span_is(v, "[1,{\"b\":\"}]\\\"\"}]"));
    assert_true(json_cut_member(o, "b", &v));
    assert_true(span_is(v, "\"x\\\"y\""));
    assert_true(json_cut_member(o, "c", &v));
    assert_true(span_is(v, "12"));
    assert_false(json_cut_member(o, "d", &v));
    static const char *const broken[] = {"",
                                         "{",
                                         "{\"a\"",
                                         "{\"a\":",
                                         "{\"a\":[",
                                         "{\"a\":\"x",
                                         "{\"a\":\"x\\",
                                         "[\"a\"]",
                                         "{\"b\":1 \"a\":2}",
                                         "{:}"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        assert_false(json_cut_member(span_str(broken[i]), "a", &v));
}

static void elements_are_cut_out(void **state)
{
    (void)state;
    struct span e, rest = span_str("[ 1 , {\"a\":[2]},\"]\"]");
    assert_true(json_cut_element(&rest, &e));
    assert_true(span_is(e, "1"));
    assert_true(json_cut_element(&rest, &e));
    assert_true(span_is(e, "{\"a\":[2]}"));
    assert_true(json_cut_element(&rest, &e));
    assert_true(span_is(e, "\"]\""));
    assert_false(json_cut_element(&rest, &e));
    rest = span_str("[]");
    assert_false(json_cut_element(&rest, &e));
}

static char *printed(const struct table *t, bool coloured)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    table_print(t, f, coloured);
    fclose(f);
    return text;
}

static void columns_line_up(void **state)
{
    (void)state;
    static const char *const cells[] = {"NAME", "X", "M\xc3\xbchle", "1", "a", "22"};
    struct table *t;
    assert_int_equal(table_new(&t, 2), MD_OK);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(table_add(t, cells[i], i == 2 ? TABLE_GREEN : TABLE_PLAIN), MD_OK);
    char *text = printed(t, false);
    assert_string_equal(text, "NAME   X\nM\xc3\xbchle  1\na      22\n");
    free(text);
    text = printed(t, true);
    assert_string_equal(text, "NAME   X\n\033[32mM\xc3\xbchle\033[0m  1\na      22\n");
    free(text);
    table_free(t);
}

static void unseen_characters_are_shown(void **state)
{
    (void)state;
    char out[16];
    table_clean(span_str("a\xe2\x80\xae\xc2\x9b\xff\xe2\x80\xa8z"), out, sizeof out);
    assert_string_equal(out, "a????z");
}

static void nothing_dangerous_reaches_a_terminal(void **state)
{
    (void)state;
    char out[8];
    table_clean(span_str("a\033[\x7f\n"), out, sizeof out);
    assert_string_equal(out, "a?[??");
    table_clean(span_str("\xc2\x9b!"), out, sizeof out); /* CSI as one code point */
    assert_string_equal(out, "?!");
    table_clean(span_str("1234567"), out, sizeof out);
    assert_string_equal(out, "1234567");
    table_clean(span_str("123456\xc3\xbc"), out, sizeof out); /* no half character */
    assert_string_equal(out, "123456");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_read),
        cmocka_unit_test(the_order_is_that_of_the_names),
        cmocka_unit_test(foreign_names_are_left_out),
        cmocka_unit_test(printed_json_is_harmless),
        cmocka_unit_test(json_is_laid_out_for_eyes),
        cmocka_unit_test(lists_that_are_none_are_refused),
        cmocka_unit_test(plugs_are_found_as_people_name_them),
        cmocka_unit_test(candidates_are_listed_and_cut),
        cmocka_unit_test(a_long_list_is_read_piece_by_piece),
        cmocka_unit_test(too_many_channels_are_left_out),
        cmocka_unit_test(members_are_cut_out),
        cmocka_unit_test(elements_are_cut_out),
        cmocka_unit_test(columns_line_up),
        cmocka_unit_test(unseen_characters_are_shown),
        cmocka_unit_test(nothing_dangerous_reaches_a_terminal),
        LAST_TEST(no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
