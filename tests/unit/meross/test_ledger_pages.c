/* ledger_pages.h: what is packed comes out as it went in, and takes little. */
#include "tests/unit/cmocka.h"

#include "broker/base/mem.h"
#include "meross/energy/ledger_pages.h"

#include <string.h>

static struct ledger l;

static int setup(void **state)
{
    (void)state;
    memset(&l, 0, sizeof l);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ledger_clear(&l);
    assert_int_equal(mem_used(), 0);
    return 0;
}

static void put(enum ledger_kind kind, const struct ledger_page *page)
{
    struct ledger_page old;
    assert_int_equal(ledger_pages_open(&l, kind, page->number, &old), MD_OK);
    ledger_pages_close(&l, kind, page);
}

static void is_there(enum ledger_kind kind, const struct ledger_page *page)
{
    struct ledger_page p;
    assert_true(ledger_pages_look(&l, kind, page->number, &p));
    assert_memory_equal(p.wh, page->wh, sizeof p.wh);
    assert_memory_equal(p.seen, page->seen, sizeof p.seen);
    assert_int_equal(p.known, page->known);
    assert_int_equal(p.own, page->own);
    assert_int_equal(p.dirty, page->dirty);
}

/* At each length that a number can have, and one past it. */
static void test_numbers(void **state)
{
    (void)state;
    static const uint32_t edge[] = {0,       127,     128,       16383,     16384,
                                    2097151, 2097152, 268435455, 268435456, UINT32_MAX};
    struct ledger_page days = {.number = 680, .known = 0x3ff, .dirty = true}, hours = days;
    memcpy(days.wh, edge, sizeof edge);
    memcpy(days.seen, edge, sizeof edge);
    days.seen[0] = UINT32_MAX;
    days.seen[9] = 0;
    memcpy(hours.wh + 10, edge, sizeof edge);
    hours.known = 0x3ff << 10;
    hours.own = 0x200 << 10;
    put(LEDGER_DAYS, &days);
    put(LEDGER_HOURS, &hours);
    is_there(LEDGER_DAYS, &days);
    is_there(LEDGER_HOURS, &hours);
    ledger_pages_saved(&l, LEDGER_DAYS, 680);
    days.dirty = false;
    is_there(LEDGER_DAYS, &days);
    is_there(LEDGER_HOURS, &hours);
}

static void fill(struct ledger_page *p, int32_t number, uint32_t wh)
{
    *p = (struct ledger_page){.number = number, .known = INT32_MAX};
    for (unsigned i = 0; i < LEDGER_VALUES; i++) {
        p->wh[i] = wh + i;
        p->seen[i] = UINT32_MAX - i;
    }
}

/* Pages that grow and shrink do not touch those beside them; the largest has room. */
static void test_beside(void **state)
{
    (void)state;
    struct ledger_page p[LEDGER_MONTHS];
    for (int32_t i = 0; i < LEDGER_MONTHS; i++) {
        fill(&p[i], 700 + i, i % 2 == 0 ? 1 : UINT32_MAX - 40);
        put(LEDGER_DAYS, &p[i]);
    }
    fill(&p[5], 705, UINT32_MAX - 31);
    put(LEDGER_DAYS, &p[5]);
    fill(&p[4], 704 + LEDGER_MONTHS, 3); /* makes the older one go */
    put(LEDGER_DAYS, &p[4]);
    for (int32_t i = 0; i < LEDGER_MONTHS; i++)
        is_there(LEDGER_DAYS, &p[i]);
    struct ledger_page older;
    assert_false(ledger_pages_look(&l, LEDGER_DAYS, 704, &older));
    assert_int_equal(ledger_pages_open(&l, LEDGER_DAYS, 704, &older), MD_EXIST);
    unsigned n = 0;
    for (size_t at = 0; ledger_pages_next(&l, LEDGER_DAYS, &at, &older);)
        n++;
    assert_int_equal(n, LEDGER_MONTHS);
    assert_true(ledger_pages_any_after(&l, LEDGER_DAYS, 713));
    ledger_pages_drop_after(&l, LEDGER_DAYS, 702);
    assert_false(ledger_pages_any_after(&l, LEDGER_DAYS, 702));
    assert_true(ledger_pages_look(&l, LEDGER_DAYS, 702, &older));
    assert_false(ledger_pages_look(&l, LEDGER_DAYS, 703, &older));
}

/* What is opened and not closed changes nothing. */
static void test_not_closed(void **state)
{
    (void)state;
    struct ledger_page p, q;
    fill(&p, 705, 12);
    put(LEDGER_DAYS, &p);
    assert_int_equal(ledger_pages_open(&l, LEDGER_DAYS, 705, &q), MD_OK);
    assert_int_equal(ledger_pages_open(&l, LEDGER_DAYS, 706, &q), MD_OK);
    assert_int_equal(q.known, 0);
    is_there(LEDGER_DAYS, &p);
    assert_false(ledger_pages_look(&l, LEDGER_DAYS, 706, &q));
    assert_false(ledger_pages_look(&l, LEDGER_DAYS, -1, &q));
}

/* Sixty days and fourteen months of a plug that takes 100 W to 4 kW. */
static void test_small(void **state)
{
    (void)state;
    struct ledger_page p = {.known = INT32_MAX};
    for (unsigned i = 0; i < LEDGER_VALUES; i++)
        p.wh[i] = p.seen[i] = 96000;
    for (p.number = 0; p.number < LEDGER_MONTHS; p.number++)
        put(LEDGER_DAYS, &p);
    p = (struct ledger_page){.known = 0xffffff};
    for (unsigned i = 0; i < 24; i++)
        p.wh[i] = i % 2 == 0 ? 100 : 4000;
    for (p.number = 0; p.number < LEDGER_SPANS; p.number++)
        put(LEDGER_HOURS, &p);
    assert_true(mem_used() <= 5200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_beside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_small, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
