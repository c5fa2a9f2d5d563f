/* The intrusive ring. */
#include "broker/base/list.h"
#include "tests/unit/cmocka.h"

struct thing {
    int number;
    struct list link;
};

static void fill(struct list *head, struct thing *things, int n)
{
    list_init(head);
    for (int i = 0; i < n; i++) {
        things[i].number = i;
        list_append(head, &things[i].link);
    }
}

static void test_empty(void **state)
{
    (void)state;
    struct list head;
    list_init(&head);
    assert_true(list_empty(&head));
    assert_null(list_first(&head));
    LIST_EACH (it, &head) {
        fail();
    }
}

static void test_order(void **state)
{
    (void)state;
    struct list head;
    struct thing things[5];
    fill(&head, things, 5);
    int i = 0;
    LIST_EACH (it, &head) {
        assert_int_equal(LIST_OF(it, struct thing, link)->number, i++);
    }
    assert_int_equal(i, 5);
    assert_ptr_equal(LIST_OF(list_first(&head), struct thing, link), &things[0]);
}

static void test_remove(void **state)
{
    (void)state;
    struct list head;
    struct thing things[3];
    fill(&head, things, 3);
    list_remove(&things[1].link);
    list_remove(&things[1].link); /* twice is once */
    assert_ptr_equal(things[0].link.next, &things[2].link);
    assert_ptr_equal(things[2].link.prev, &things[0].link);
    list_remove(&things[0].link);
    assert_ptr_equal(list_first(&head), &things[2].link);
    list_remove(&things[2].link);
    assert_true(list_empty(&head));
    list_append(&head, &things[1].link);
    assert_ptr_equal(list_first(&head), &things[1].link);
}

static void test_remove_while_walking(void **state)
{
    (void)state;
    struct list head;
    struct thing things[6];
    int seen = 0;
    fill(&head, things, 6);
    LIST_EACH (it, &head) {
        seen++;
        if (LIST_OF(it, struct thing, link)->number != 3)
            list_remove(it);
    }
    assert_int_equal(seen, 6);
    assert_ptr_equal(list_first(&head), &things[3].link);
    assert_ptr_equal(things[3].link.next, &head);
    assert_ptr_equal(things[3].link.prev, &head);
}

static void test_take(void **state)
{
    (void)state;
    struct list from, to;
    struct thing things[3], later;
    fill(&from, things, 3);
    list_take(&to, &from);
    assert_true(list_empty(&from));
    list_append(&from, &later.link);
    int i = 0;
    LIST_EACH (it, &to) {
        assert_int_equal(LIST_OF(it, struct thing, link)->number, i++);
    }
    assert_int_equal(i, 3);
    assert_ptr_equal(things[2].link.next, &to);
    assert_ptr_equal(to.prev, &things[2].link);
    struct list none;
    list_init(&none);
    list_take(&to, &none);
    assert_true(list_empty(&to));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),  cmocka_unit_test(test_order),
        cmocka_unit_test(test_remove), cmocka_unit_test(test_remove_while_walking),
        cmocka_unit_test(test_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
