/* workers.c: everything is run once, beside the loop, and finished once, in it. */
#include "broker/net/workers.h"
#include "tests/unit/cmocka.h"

#include <string.h>

#define ITEMS 200

struct bench;

struct item {
    struct worker_item base;
    struct bench *bench;
    unsigned ran, finished;
    uv_thread_t ran_in;
};

struct bench {
    uv_loop_t loop;
    struct workers workers;
    uv_thread_t self;
    unsigned n_finished, again; /* again: items that are queued once more by finish() */
    struct item item[ITEMS];
};

static void run(struct worker_item *base)
{
    struct item *it = LIST_OF(base, struct item, base);
    it->ran++;
    it->ran_in = uv_thread_self();
}

static void finish(struct worker_item *base)
{
    struct item *it = LIST_OF(base, struct item, base);
    struct bench *b = it->bench;
    uv_thread_t here = uv_thread_self();
    assert_true(uv_thread_equal(&here, &b->self));
    assert_false(uv_thread_equal(&it->ran_in, &b->self));
    it->finished++;
    assert_int_equal(it->ran, it->finished);
    b->n_finished++;
    if (b->again == 0)
        return;
    b->again--;
    assert_int_equal(workers_queue(&b->workers, &it->base), MD_OK);
}

static void start(struct bench *b, unsigned threads)
{
    memset(b, 0, sizeof *b);
    b->self = uv_thread_self();
    assert_int_equal(uv_loop_init(&b->loop), 0);
    b->workers = (struct workers){.run = run, .finish = finish, .n = threads};
    assert_int_equal(workers_init(&b->workers, &b->loop), MD_OK);
    for (unsigned i = 0; i < ITEMS; i++)
        b->item[i].bench = b;
}

static void end(struct bench *b)
{
    workers_stop(&b->workers);
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&b->loop), 0);
}

static void queue_all(struct bench *b)
{
    for (unsigned i = 0; i < ITEMS; i++)
        assert_int_equal(workers_queue(&b->workers, &b->item[i].base), MD_OK);
}

static void runs_everything_once(void **state)
{
    struct bench b;
    (void)state;
    for (unsigned threads = 1; threads <= WORKERS_MAX; threads++) {
        start(&b, threads);
        queue_all(&b);
        while (b.n_finished < ITEMS)
            (void)uv_run(&b.loop, UV_RUN_ONCE);
        for (unsigned i = 0; i < ITEMS; i++)
            assert_int_equal(b.item[i].finished, 1);
        assert_int_equal(b.workers.n_started, threads);
        end(&b);
        assert_int_equal(b.n_finished, ITEMS);
    }
}

static void takes_work_while_it_gives_back(void **state)
{
    struct bench b;
    (void)state;
    start(&b, 2);
    b.again = 3 * ITEMS;
    queue_all(&b);
    while (b.n_finished < 4 * ITEMS)
        (void)uv_run(&b.loop, UV_RUN_ONCE);
    end(&b);
    assert_int_equal(b.n_finished, 4 * ITEMS);
}

static void ends_only_when_all_is_done(void **state)
{
    struct bench b;
    (void)state;
    start(&b, 2);
    queue_all(&b);
    end(&b);
    assert_int_equal(b.n_finished, ITEMS);
}

static void starts_no_thread_without_work(void **state)
{
    struct bench b;
    (void)state;
    start(&b, WORKERS_MAX);
    assert_int_equal(b.workers.n_started, 0);
    end(&b);
}

static void finish_one(struct bench *b, unsigned i)
{
    assert_int_equal(workers_queue(&b->workers, &b->item[i].base), MD_OK);
    for (unsigned before = b->n_finished; b->n_finished == before;) {
        assert_false(workers_rest(&b->workers)); /* it is under way */
        (void)uv_run(&b->loop, UV_RUN_ONCE);
    }
}

static void threads_end_when_there_is_no_work(void **state)
{
    struct bench b;
    (void)state;
    start(&b, 2);
    for (unsigned round = 0; round < 4; round++) {
        finish_one(&b, 0);
        for (unsigned i = 1; i < WORKERS_PATIENCE; i++)
            assert_false(workers_rest(&b.workers));
        if (round == 0)
            finish_one(&b, 1); /* just in time */
        assert_int_equal(b.workers.n_started, 2);
        for (unsigned i = round == 0 ? 0 : WORKERS_PATIENCE - 1; i < WORKERS_PATIENCE; i++)
            assert_false(workers_rest(&b.workers));
        assert_true(b.workers.resting);
        if (round == 1)
            finish_one(&b, 1); /* while they end */
        else if (round < 3)
            assert_true(workers_rest(&b.workers));
        assert_int_equal(b.workers.n_started, round == 1 || round == 3 ? 2 : 0);
    }
    end(&b); /* while they end */
    assert_int_equal(b.n_finished, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_everything_once),
        cmocka_unit_test(takes_work_while_it_gives_back),
        cmocka_unit_test(ends_only_when_all_is_done),
        cmocka_unit_test(starts_no_thread_without_work),
        cmocka_unit_test(threads_end_when_there_is_no_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
