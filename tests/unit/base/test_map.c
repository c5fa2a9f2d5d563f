/* The hash map, small and with 10,000 keys. */
#include "broker/base/map.h"
#include "broker/base/mem.h"
#include "tests/fake/fake_env.h"
#include "tests/unit/no_leak.h"

#include <stdio.h>

#define MANY 10000

struct item {
    struct map_node node;
    unsigned number;
    char key[16];
};

static const struct map_seed seed = {{1, 2}};

static struct item *new_items(void)
{
    struct item *items = mem_calloc(MANY, sizeof *items);
    assert_non_null(items);
    for (unsigned i = 0; i < MANY; i++) {
        items[i].number = i;
        (void)snprintf(items[i].key, sizeof items[i].key, "key%u", i);
    }
    return items;
}

static void check_present(const struct map *m, struct item *item)
{
    struct map_node *node = map_get(m, span_str(item->key));
    assert_ptr_equal(node, &item->node);
    assert_ptr_equal(MAP_OF(node, struct item, node), item);
}

static void test_empty(void **state)
{
    (void)state;
    struct map m;
    assert_int_equal(map_init(&m, seed), MD_OK);
    assert_int_equal(m.n, 0);
    assert_null(map_get(&m, span_str("a")));
    assert_null(map_get(&m, (struct span){NULL, 0}));
    map_clear(&m);
}

static void test_keys_are_bytes(void **state)
{
    (void)state;
    struct map m;
    struct map_node empty, nul, ab, abc;
    assert_int_equal(map_init(&m, seed), MD_OK);
    map_put(&m, &empty, (struct span){NULL, 0});
    map_put(&m, &nul, span_of("\0", 1));
    map_put(&m, &ab, span_of("abc", 2));
    map_put(&m, &abc, span_of("abc", 3));
    assert_ptr_equal(map_get(&m, span_str("")), &empty);
    assert_ptr_equal(map_get(&m, span_of("\0", 1)), &nul);
    assert_ptr_equal(map_get(&m, span_str("ab")), &ab);
    assert_ptr_equal(map_get(&m, span_str("abc")), &abc);
    assert_null(map_get(&m, span_of("\0\0", 2)));
    assert_int_equal(m.n, 4);
    map_clear(&m);
}

static void test_ten_thousand(void **state)
{
    (void)state;
    struct map m;
    struct item *items = new_items();
    assert_int_equal(map_init(&m, seed), MD_OK);
    for (unsigned i = 0; i < MANY; i++)
        map_put(&m, &items[i].node, span_str(items[i].key));
    assert_int_equal(m.n, MANY);
    assert_true(m.n_buckets >= MANY / 2);
    for (unsigned i = 0; i < MANY; i++)
        check_present(&m, &items[i]);
    for (unsigned i = 0; i < MANY; i += 2)
        map_del(&m, &items[i].node);
    assert_int_equal(m.n, MANY / 2);
    for (unsigned i = 0; i < MANY; i++) {
        if (i % 2)
            check_present(&m, &items[i]);
        else
            assert_null(map_get(&m, span_str(items[i].key)));
    }
    map_put(&m, &items[0].node, span_str(items[0].key));
    check_present(&m, &items[0]);
    map_clear(&m);
    mem_free(items);
}

struct visit {
    struct map *m;
    unsigned seen, delete_every;
    uint64_t sum;
};

static void count(void *ctx, struct map_node *node)
{
    struct visit *v = ctx;
    v->seen++;
    v->sum += MAP_OF(node, struct item, node)->number;
    if (v->delete_every != 0 && v->seen % v->delete_every == 0)
        map_del(v->m, node);
}

static void test_each(void **state)
{
    (void)state;
    struct map m;
    struct item *items = new_items();
    assert_int_equal(map_init(&m, seed), MD_OK);
    for (unsigned i = 0; i < MANY; i++)
        map_put(&m, &items[i].node, span_str(items[i].key));
    struct visit v = {.m = &m, .delete_every = 3};
    map_each(&m, count, &v);
    assert_int_equal(v.seen, MANY);
    assert_int_equal(v.sum, (uint64_t)MANY * (MANY - 1) / 2);
    assert_int_equal(m.n, MANY - MANY / 3);
    v = (struct visit){.m = &m, .delete_every = 1};
    map_each(&m, count, &v);
    assert_int_equal(v.seen, MANY - MANY / 3);
    assert_int_equal(m.n, 0);
    map_clear(&m);
    mem_free(items);
}

/* The longest chain of 10,000 keys in 16,384 buckets: a good hash has 6 to 9. */
static void test_spread(void **state)
{
    (void)state;
    struct map m;
    struct item *items = new_items();
    assert_int_equal(map_init(&m, seed), MD_OK);
    for (unsigned i = 0; i < MANY; i++)
        map_put(&m, &items[i].node, span_str(items[i].key));
    unsigned longest = 0;
    for (size_t i = 0; i < m.n_buckets; i++) {
        unsigned n = 0;
        for (struct map_node *node = m.bucket[i]; node != NULL; node = node->next)
            n++;
        longest = n > longest ? n : longest;
    }
    assert_in_range(longest, 2, 16);
    map_clear(&m);
    mem_free(items);
}

static void test_hash(void **state)
{
    (void)state;
    const struct map_seed other = {{1, 3}}, other_half = {{2, 2}};
    struct span key = span_str("client-0123456789");
    assert_int_equal(map_hash(&seed, key), map_hash(&seed, key));
    assert_int_not_equal(map_hash(&seed, key), map_hash(&other, key));
    assert_int_not_equal(map_hash(&seed, key), map_hash(&other_half, key));
    assert_int_not_equal(map_hash(&seed, span_of("\0", 1)), map_hash(&seed, span_of("\0\0", 2)));
    for (size_t n = 1; n < key.n; n++) /* each length, each byte counts */
        assert_int_not_equal(map_hash(&seed, span_of(key.p, n)),
                             map_hash(&seed, span_of(key.p, n + 1)));
}

static void test_seed_comes_from_the_env(void **state)
{
    (void)state;
    struct fake_env fake;
    fake_env_init(&fake);
    struct map_seed a = map_seed(&fake.env), b = map_seed(&fake.env);
    assert_memory_not_equal(&a, &b, sizeof a);
    fake_env_init(&fake);
    b = map_seed(&fake.env);
    assert_memory_equal(&a, &b, sizeof a);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct map m;
    mem_fail_after(1);
    assert_int_equal(map_init(&m, seed), MD_NOMEM);
    mem_fail_after(-1);
    struct item *items = new_items();
    assert_int_equal(map_init(&m, seed), MD_OK);
    mem_fail_after(1); /* the buckets cannot grow: slower, not broken */
    for (unsigned i = 0; i < 500; i++)
        map_put(&m, &items[i].node, span_str(items[i].key));
    mem_fail_after(-1);
    for (unsigned i = 0; i < 500; i++)
        check_present(&m, &items[i]);
    map_clear(&m);
    mem_free(items);
}

static void test_shrink(void **state)
{
    (void)state;
    struct map m;
    struct item *items = new_items();
    assert_int_equal(map_init(&m, seed), MD_OK);
    size_t empty = mem_used();
    for (unsigned i = 0; i < 500; i++)
        map_put(&m, &items[i].node, span_str(items[i].key));
    size_t full = mem_used();
    map_shrink(&m);
    assert_int_equal(mem_used(), full); /* they need it */
    for (unsigned i = 3; i < 500; i++)
        map_del(&m, &items[i].node);
    mem_fail_after(1);
    map_shrink(&m);
    mem_fail_after(-1);
    assert_int_equal(mem_used(), full);
    map_shrink(&m);
    assert_int_equal(mem_used(), empty);
    for (unsigned i = 0; i < 3; i++)
        check_present(&m, &items[i]);
    map_clear(&m);
    mem_free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_keys_are_bytes),
        cmocka_unit_test(test_ten_thousand),
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_seed_comes_from_the_env),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_shrink),
        LAST_TEST(no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
