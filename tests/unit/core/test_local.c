/* Modules in the same process: clients of the broker without a socket. */
#include "tests/unit/core/bench.h"

/* Local subscribers and publishers: queued, in order, never inside a call. */
struct echo {
    struct broker *broker;
    unsigned seen;
};

static void on_message(void *ctx, const struct broker_message *m)
{
    struct echo *e = ctx;
    struct broker_message answer = {span_str("answer"), m->payload, 1, false};
    e->seen++;
    assert_int_equal(broker_publish(e->broker, &answer), MD_OK);
}

static void modules_in_the_process_are_clients_too(void **state)
{
    struct bench *b = *state;
    struct wire w;
    struct broker_sub *sub;
    setup(b);
    struct echo e = {b->broker, 0};
    assert_int_equal(broker_subscribe(b->broker, span_str("a/#/b"), on_message, &e, &sub),
                     MD_INVAL);
    assert_int_equal(broker_subscribe(b->broker, span_str("ask/+"), on_message, &e, &sub), MD_OK);
    connected(&w, b, "w", true);
    wire_subscribe(&w, "answer", MQTT_QOS2);
    expect(&w, MQTT_SUBACK);
    wire_publish(&w, "ask/1", "one", MQTT_QOS0, false, 0);
    assert_int_equal(e.seen, 0);
    expect_nothing(&w);
    (void)broker_turn(b->broker);
    assert_int_equal(e.seen, 1);
    struct mqtt_packet p = expect(&w, MQTT_PUBLISH);
    assert_int_equal(p.u.publish.qos, 1);
    assert_true(span_is(p.u.publish.payload, "one"));
    wire_publish(&w, "ask/2", "two", MQTT_QOS0, false, 0);
    broker_unsubscribe(sub); /* with a message waiting for it */
    (void)broker_turn(b->broker);
    assert_int_equal(e.seen, 1);
    struct broker_message bad = {span_str("a/+"), span_str(""), 0, false};
    assert_int_equal(broker_publish(b->broker, &bad), MD_INVAL);
    wire_close(&w);
    finish(b);
}

static void on_big(void *ctx, const struct broker_message *m)
{
    struct echo *e = ctx;
    static uint8_t big[100000];
    (void)m;
    e->seen++;
    struct broker_message answer = {span_str("answer"), span_of(big, sizeof big), 0, false};
    assert_int_equal(broker_publish(e->broker, &answer), MD_OK);
}

/* Small requests with large answers: a turn has a budget, and the inbox the limits of a Session. */
static void requests_cannot_flood_the_program(void **state)
{
    struct bench *b = *state;
    struct wire w;
    struct broker_sub *sub;
    struct broker_stats stats;
    setup(b);
    struct echo e = {b->broker, 0};
    assert_int_equal(broker_subscribe(b->broker, span_str("ask"), on_big, &e, &sub), MD_OK);
    connected(&w, b, "w", true);
    for (unsigned i = 0; i < 1500; i++)
        wire_publish(&w, "ask", "", MQTT_QOS0, false, 0);
    broker_stats(b->broker, &stats);
    assert_int_equal(stats.dropped, 500);
    assert_int_equal(broker_turn(b->broker), 0);
    assert_int_equal(e.seen, 3); /* until 256 KiB were said */
    for (unsigned i = 0; i < 1000 && broker_turn(b->broker) == 0; i++)
        assert_true(mem_used() < 2000000);
    assert_int_equal(e.seen, 1000);
    wire_close(&w);
    finish(b);
}

static void count(void *ctx) { ++*(unsigned *)ctx; }

static void timers_of_modules_fire_once(void **state)
{
    struct bench *b = *state;
    unsigned fired = 0, never = 0;
    struct broker_timer *a, *c;
    setup(b);
    assert_int_equal(broker_timer_start(b->broker, 100, count, &fired, &a), MD_OK);
    assert_int_equal(broker_timer_start(b->broker, 50, count, &never, &c), MD_OK);
    broker_timer_stop(c);
    assert_int_equal(broker_turn(b->broker), 100);
    step(b, 99);
    assert_int_equal(fired, 0);
    step(b, 1);
    assert_int_equal(fired, 1);
    step(b, 1000);
    assert_int_equal(fired, 1);
    assert_int_equal(never, 0);
    assert_int_equal(broker_timer_start(b->broker, 5, count, &fired, &a), MD_OK);
    finish(b); /* one that still runs is freed */
}

int main(void)
{
    static struct bench bench;
    void *initial = &bench;
#define T(f) cmocka_unit_test_prestate(f, initial)
    const struct CMUnitTest tests[] = {
        T(modules_in_the_process_are_clients_too),
        T(requests_cannot_flood_the_program),
        T(timers_of_modules_fire_once),
    };
#undef T
    log_set_sink(quiet, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
