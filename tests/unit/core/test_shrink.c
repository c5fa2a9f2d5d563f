/* broker_shrink(): what messages and clients needed comes back, with them still there or not. */
#include "tests/unit/core/bench.h"

#include "broker/core/broker_int.h"

#include <stdio.h>

#define CLIENTS 200u

static void crowd(struct bench *b, struct wire *w)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "c%u", i);
        wire_open(&w[i], b->broker, 0);
        wire_connect(&w[i], id, true, MQTT_3_1_1);
        wire_subscribe(&w[i], "to/all", i % 2 ? MQTT_QOS0 : MQTT_QOS1);
        wire_take(&w[i]);
        buf_free(&w[i].in);
    }
}

/* Everybody gets it and acknowledges it. */
static void tell_all(struct wire *w)
{
    struct mqtt_packet p;
    wire_publish(&w[0], "to/all", "hello", MQTT_QOS1, false, 7);
    for (unsigned i = 0; i < CLIENTS; i++) {
        unsigned got = 0;
        while (wire_next(&w[i], &p)) {
            got += p.type == MQTT_PUBLISH;
            if (p.type == MQTT_PUBLISH && p.u.publish.qos == MQTT_QOS1)
                wire_ack(&w[i], MQTT_PUBACK, p.u.publish.packet_id);
        }
        assert_int_equal(got, 1);
        buf_free(&w[i].in);
    }
}

static void an_idle_client_has_no_queue(void **state)
{
    static struct wire w[CLIENTS];
    struct bench *b = *state;
    setup(b);
    crowd(b, w);
    tell_all(w); /* what matched is remembered */
    broker_shrink(b->broker);
    size_t idle = mem_used();
    tell_all(w);
    assert_true(mem_used() > idle); /* it was kept for the next message */
    broker_shrink(b->broker);
    assert_int_equal(mem_used(), idle);
    mem_fail_after(1); /* nothing has happened since: nothing is touched */
    broker_shrink(b->broker);
    mem_fail_after(-1);
    tell_all(w); /* and they can still be told */
    for (unsigned i = 0; i < CLIENTS; i++)
        wire_close(&w[i]);
    finish(b);
}

static void clients_that_left_take_nothing(void **state)
{
    static struct wire w[CLIENTS];
    struct bench *b = *state;
    struct wire one;
    setup(b);
    wire_open(&one, b->broker, 0);
    wire_connect(&one, "one", true, MQTT_3_1_1);
    wire_take(&one);
    buf_free(&one.in);
    broker_shrink(b->broker);
    size_t idle = mem_used();
    crowd(b, w);
    tell_all(w);
    for (unsigned i = 0; i < CLIENTS; i++)
        wire_close(&w[i]);
    (void)broker_turn(b->broker);
    assert_true(mem_used() > idle); /* the tables */
    broker_shrink(b->broker);
    assert_int_equal(mem_used(), idle);
    wire_close(&one);
    finish(b);
}

/* Tables that cannot be made smaller stay as they are. */
static void without_memory_it_changes_nothing(void **state)
{
    static struct wire w[CLIENTS];
    struct bench *b = *state;
    setup(b);
    crowd(b, w);
    for (unsigned i = 3; i < CLIENTS; i++)
        wire_close(&w[i]);
    (void)broker_turn(b->broker);
    mem_fail_after(1);
    broker_shrink(b->broker);
    mem_fail_after(-1);
    wire_publish(&w[0], "to/all", "hello", MQTT_QOS0, false, 0);
    for (unsigned i = 0; i < 3; i++) {
        struct mqtt_packet p;
        assert_true(wire_next(&w[i], &p));
        assert_int_equal(p.type, MQTT_PUBLISH);
        wire_close(&w[i]);
    }
    finish(b);
}

int main(void)
{
    static struct bench bench;
    void *initial = &bench;
#define T(f) cmocka_unit_test_prestate(f, initial)
    const struct CMUnitTest tests[] = {
        T(an_idle_client_has_no_queue),
        T(clients_that_left_take_nothing),
        T(without_memory_it_changes_nothing),
    };
#undef T
    log_set_sink(quiet, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
