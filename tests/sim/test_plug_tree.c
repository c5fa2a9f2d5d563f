/* What the simulated devices remember: JSON that changes; and the files they are read from. */
#include "tests/plugsim/family/sim_model.h"
#include "tests/sim/plug_asserts.h"

static struct sim_tree *tree(const char *text)
{
    struct sim_tree *t = NULL;
    assert_int_equal(sim_tree_parse(span_str(text), &t), MD_OK);
    return t;
}

static void assert_json(const struct sim_tree *t, const char *want)
{
    char text[512];
    struct buf out;
    buf_init(&out, sizeof text);
    assert_int_equal(sim_tree_put(t, &out), MD_OK);
    assert_true(span_to_str(buf_view(&out), text, sizeof text));
    assert_string_equal(text, want);
    buf_free(&out);
}

static void test_it_comes_out_as_it_went_in(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,-2.50,\"x\\\"\\u00e9\",null,true,{}],\"b\":{\"c\":[]}}";
    struct sim_tree *t = tree(text), *copy = sim_tree_copy(t);
    assert_json(t, text);
    assert_json(copy, text);
    assert_true(sim_tree_same(t, copy));
    assert_int_equal(sim_tree_set_int(sim_tree_get(copy, "b"), "c", 7), MD_OK);
    assert_false(sim_tree_same(t, copy));
    sim_tree_free(copy);
    sim_tree_free(t);
}

static void test_what_is_no_object(void **state)
{
    (void)state;
    const char *const texts[] = {"", "[]", "1", "{", "{\"a\":}", "{\"a\":1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct sim_tree *t = NULL;
        assert_int_equal(sim_tree_parse(span_str(texts[i]), &t), MD_PROTO);
        assert_null(t);
    }
}

static void test_members_are_set_merged_and_dropped(void **state)
{
    (void)state;
    struct sim_tree *t = tree("{\"a\":1,\"b\":{\"x\":1,\"y\":2},\"c\":[1]}");
    struct sim_tree *over = tree("{\"b\":{\"y\":3,\"z\":4},\"c\":[2,3],\"d\":\"new\"}");
    assert_int_equal(sim_tree_merge(t, over), MD_OK);
    assert_json(t, "{\"a\":1,\"b\":{\"x\":1,\"y\":3,\"z\":4},\"c\":[2,3],\"d\":\"new\"}");
    sim_tree_drop(t, sim_tree_get(t, "b"));
    sim_tree_drop(t, sim_tree_get(t, "nothing"));
    assert_int_equal(sim_tree_set_text(t, "a", "text"), MD_OK);
    sim_tree_add(sim_tree_get(t, "c"), sim_tree_copy(sim_tree_get(t, "d")));
    assert_json(t, "{\"a\":\"text\",\"c\":[2,3,\"new\"],\"d\":\"new\"}");
    assert_int_equal(sim_tree_count(sim_tree_get(t, "c")), 3);
    sim_tree_free(over);
    sim_tree_free(t);
}

static void test_numbers(void **state)
{
    (void)state;
    struct sim_tree *t = tree("{\"a\":4294967295,\"b\":\"-12\",\"c\":1.5,\"d\":\"x\",\"e\":{}}");
    int64_t n = 0;
    assert_true(sim_tree_int(sim_tree_get(t, "a"), &n) && n == 4294967295);
    assert_true(sim_tree_int(sim_tree_get(t, "b"), &n) && n == -12);
    assert_false(sim_tree_int(sim_tree_get(t, "c"), &n));
    assert_false(sim_tree_int(sim_tree_get(t, "d"), &n));
    assert_false(sim_tree_int(sim_tree_get(t, "e"), &n));
    assert_int_equal(sim_tree_number(sim_tree_get(t, "nothing"), 9), 9);
    sim_tree_free(t);
}

/* A model may be like another: what it says goes over that, and what it is without is gone. */
static void test_a_model_is_like_another(void **state)
{
    (void)state;
    struct sim_model m;
    struct simplug_options o = preset("mts960-4.2.6");
    assert_int_equal(sim_model_load("mts960-4.2.6", &m), MD_OK);
    assert_non_null(sim_tree_get(m.ability, "Appliance.Control.Thermostat.ModeB"));
    assert_non_null(sim_tree_get(m.ability, "Appliance.System.All"));
    assert_null(sim_tree_get(m.ability, "Appliance.Control.ToggleX"));
    assert_null(sim_tree_get(m.digest, "togglex"));
    sim_model_free(&m);
    assert_string_equal(o.type, "mts960");
    assert_string_equal(o.chip, "MT7686");
    assert_true(o.wifix && o.metering && !o.ecdhe && !o.old_toggle);
    assert_int_equal(sim_model_load("mts960", &m), MD_NOENT);
    assert_null(m.root);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct sim_model m;
    int err = MD_NOMEM;
    for (long n = 1; err == MD_NOMEM && n < 2000; n++) {
        (void)mem_fail_after(n);
        err = sim_model_load("msl450-7.3.9", &m);
        (void)mem_fail_after(0);
        assert_true(err == MD_OK || m.root == NULL);
    }
    assert_int_equal(err, MD_OK);
    sim_model_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_it_comes_out_as_it_went_in),
        TEST(test_what_is_no_object),
        TEST(test_members_are_set_merged_and_dropped),
        TEST(test_numbers),
        TEST(test_a_model_is_like_another),
        TEST(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
