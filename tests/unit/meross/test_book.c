/* The energy records: written, read again, damaged, forgotten. */
#include "tests/unit/cmocka.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/energy/book.h"
#include "meross/energy/ledger_record.h"
#include "tests/fake/fake_env.h"

#include <stdio.h>
#include <string.h>

#define UUID "2101011234567890123448e1e9123456"
#define DAY0 20782
#define NOON 1795604400 /* of DAY0 in UTC + 1 h */

static struct fake_env fake;
static struct store *store;
static struct book *book;
static unsigned warnings;
static struct ledger_now now;

static void on_log(void *ctx, enum log_level lv, const char *module, const char *line)
{
    (void)ctx;
    (void)line;
    warnings += lv <= LOG_WARN && strcmp(module, "energy") == 0;
}

static int start(void **state)
{
    (void)state;
    fake_env_init(&fake);
    log_set_sink(on_log, NULL);
    warnings = 0;
    now = (struct ledger_now){NOON, 5000, NULL};
    assert_int_equal(store_mem_open(&store), MD_OK);
    assert_int_equal(book_new(&book, &fake.env, store), MD_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    book_free(book);
    store_close(store);
    log_set_sink(NULL, NULL);
    assert_int_equal(mem_used(), 0);
    return 0;
}

static void again(void)
{
    book_free(book);
    assert_int_equal(book_new(&book, &fake.env, store), MD_OK);
}

static void count(struct ledger *l, int32_t day, uint32_t wh)
{
    struct ledger_day_count c[] = {{day, 0, wh}};
    assert_int_equal(ledger_count_days(l, &now, c, 1), MD_OK);
}

struct sum {
    unsigned n;
    size_t bytes;
};

static int add(void *ctx, struct span key, struct span value)
{
    struct sum *s = ctx;
    s->n++;
    s->bytes += key.n + value.n;
    assert_true(value.n <= LEDGER_RECORD_MAX);
    return MD_OK;
}

static struct sum stored(void)
{
    struct sum s = {0, 0};
    assert_int_equal(store_each(store, STORE_ENERGY, add, &s), MD_OK);
    return s;
}

static void test_round_trip(void **state)
{
    (void)state;
    uint32_t wh;
    struct ledger *l = book_ledger(book, UUID, 3);
    assert_ptr_equal(book_ledger(book, UUID, 3), l);
    count(l, DAY0 - 40, 700);
    count(l, DAY0, 100);
    now.s += 7200;
    count(l, DAY0, 160);
    count(l, DAY0, 10); /* cleared: nothing known */
    struct ledger_hour_count h[] = {{now.s - 60, 33}};
    assert_int_equal(ledger_count_hours(l, &now, h, 1, false), MD_OK);
    assert_int_equal(ledger_power(l, &now, 12345, false), MD_OK);
    struct ledger before = *l;
    assert_int_equal(book_save(book, UUID), MD_OK);
    assert_int_equal(stored().n, 4);
    again();
    l = book_find(book, UUID, 3);
    assert_non_null(l);
    assert_int_equal(l->total, 860);
    assert_int_equal(l->total, before.total);
    assert_int_equal(l->counted_at, now.s);
    assert_int_equal(l->last_day, DAY0);
    assert_int_equal(l->last_seen, 10);
    assert_int_equal(l->hour_slot, before.hour_slot);
    assert_true(ledger_day(l, DAY0 - 40, &wh) && wh == 700);
    assert_true(ledger_day(l, DAY0, &wh) && wh == 160);
    assert_false(ledger_day(l, DAY0 - 1, &wh));
    assert_true(ledger_hour(l, ledger_slot(NULL, now.s - 61), &wh) && wh == 33);
    count(l, DAY0, 15); /* goes on from what the plug said last */
    assert_int_equal(l->total, 865);
    assert_int_equal(book_next(book, UUID, -1), 3);
    assert_int_equal(book_next(book, UUID, 3), -1);
}

/* A plug whose load is off costs one write in an hour. */
static void test_few_writes(void **state)
{
    (void)state;
    struct ledger *l = book_ledger(book, UUID, 0);
    count(l, DAY0, 100);
    assert_int_equal(book_save(book, UUID), MD_OK);
    assert_int_equal(store_del(store, STORE_ENERGY, span_str(UUID "/0/total"), STORE_SOON), MD_OK);
    for (int i = 0; i < 5; i++) {
        now.s += 600;
        count(l, DAY0, 100);
        assert_int_equal(book_save(book, UUID), MD_OK);
    }
    assert_int_equal(stored().n, 1); /* the month */
    now.s += 600;
    count(l, DAY0, 100);
    assert_int_equal(book_save(book, UUID), MD_OK);
    assert_int_equal(stored().n, 2);
}

/* The store stays within what the header says, however long it runs. */
static void test_bounded(void **state)
{
    (void)state;
    struct ledger *l = book_ledger(book, UUID, 15);
    for (int i = 0; i < 500; i++, now.s += 86400) {
        struct ledger_hour_count h[24];
        count(l, DAY0 + i, 40000);
        for (int k = 0; k < 24; k++)
            h[k] = (struct ledger_hour_count){now.s - k * 3600, 3999};
        assert_int_equal(ledger_count_hours(l, &now, h, 24, false), MD_OK);
        assert_int_equal(book_save(book, UUID), MD_OK);
    }
    assert_int_equal(stored().n, 1 + LEDGER_MONTHS + LEDGER_SPANS);
    assert_true(stored().bytes <= 25000);
    again();
    uint32_t wh;
    l = book_find(book, UUID, 15);
    assert_int_equal(l->total, 500LL * 40000);
    for (int i = 100; i < 500; i++)
        assert_true(ledger_day(l, DAY0 + i, &wh) && wh == 40000);
    assert_int_equal(warnings, 0);
}

static void test_damaged(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
    } bad[] = {
        {UUID "/0/m0", "{\"format\":2,\"month\":\"2026-11\"}"},
        {UUID "/0/m1", "{\"format\":1,\"month\":\"2026-11\",\"wh\":[1,2,3]}"},
        {UUID "/0/m2", "{\"format\":1,\"month\":\"2026-13\",\"wh\":[]}"},
        {UUID "/0/total", "{\"format\":1,\"total\":-1}"},
        {UUID "/0/h1", "{\"format\":1,\"day\":20782,\"wh\":[1],\"own\":0}"},
        {UUID "/0/h2", "{\"format\":1"},
        {UUID "/0/h3", "[]"},
        {UUID "/0/h4", ""},
        {UUID "/256/total", "{\"format\":1,\"total\":1}"},
        {UUID "/total", "{\"format\":1,\"total\":1}"},
        {UUID, "{\"format\":1,\"total\":1}"},
        {"/0/total", "{\"format\":1,\"total\":1}"},
    };
    struct ledger *l = book_ledger(book, UUID, 0);
    count(l, DAY0 - 100, 700);
    count(l, DAY0, 100);
    assert_int_equal(book_save(book, UUID), MD_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(store_put(store, STORE_ENERGY, span_str(bad[i].key),
                                   span_str(bad[i].value), STORE_SOON),
                         MD_OK);
    again();
    assert_int_equal(warnings, sizeof bad / sizeof bad[0]);
    l = book_find(book, UUID, 0);
    assert_int_equal(l->total, 800); /* its own record was lost: what the days add up to */
}

static void test_forget(void **state)
{
    (void)state;
    count(book_ledger(book, UUID, 0), DAY0, 100);
    count(book_ledger(book, UUID, 1), DAY0, 100);
    count(book_ledger(book, "other", 1), DAY0, 100);
    assert_int_equal(book_save_all(book), MD_OK);
    assert_int_equal(stored().n, 6);
    book_forget(book, UUID);
    book_forget(book, "nobody");
    assert_null(book_find(book, UUID, 0));
    assert_int_equal(stored().n, 2);
    again();
    assert_null(book_find(book, UUID, 1));
    assert_int_equal(book_find(book, "other", 1)->total, 100);
}

static void test_limits(void **state)
{
    (void)state;
    for (unsigned c = 0; c < BOOK_CHANNELS_MAX; c++)
        assert_non_null(book_ledger(book, UUID, 15 - c));
    assert_null(book_ledger(book, UUID, BOOK_CHANNELS_MAX));
    assert_null(book_ledger(book, "x", 256));
    for (int c = -1; c < 15; c++)
        assert_int_equal(book_next(book, UUID, c), c + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, start, end),
        cmocka_unit_test_setup_teardown(test_few_writes, start, end),
        cmocka_unit_test_setup_teardown(test_bounded, start, end),
        cmocka_unit_test_setup_teardown(test_damaged, start, end),
        cmocka_unit_test_setup_teardown(test_forget, start, end),
        cmocka_unit_test_setup_teardown(test_limits, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
