/* $SYS/broker/...: what is counted, when it is published, and when not. */
#include "tests/unit/core/bench.h"

#include <stdio.h>

static void read_sys(struct bench *b, struct wire *reader)
{
    struct mqtt_packet p;
    connected(reader, b, "reader", true);
    wire_subscribe(reader, "$SYS/#", MQTT_QOS0);
    do
        assert_true(wire_next(reader, &p));
    while (p.type != MQTT_SUBACK);
}

/* The last value of a topic among all that came since; "" when none did. */
static void last_value(struct wire *reader, const char *topic, char out[64])
{
    struct mqtt_packet p;
    out[0] = '\0';
    while (wire_next(reader, &p)) {
        assert_int_equal(p.type, MQTT_PUBLISH);
        if (span_eq(p.u.publish.topic, span_str(topic)))
            (void)snprintf(out, 64, "%.*s", SPAN_ARG(p.u.publish.payload));
    }
}

static void the_first_round_comes_at_once_and_is_retained(void **state)
{
    (void)state;
    char text[64];
    struct bench b;
    struct wire reader;
    setup(&b);
    assert_int_equal(broker_sys(b.broker, 10, "1.2.3"), MD_OK);
    (void)broker_turn(b.broker);
    read_sys(&b, &reader);
    last_value(&reader, "$SYS/broker/version", text);
    assert_string_equal(text, "merossd 1.2.3");
    wire_close(&reader);
    finish(&b);
}

static void a_value_is_published_when_it_changed(void **state)
{
    (void)state;
    char text[64];
    struct bench b;
    struct wire reader;
    struct wire other;
    setup(&b);
    assert_int_equal(broker_sys(b.broker, 10, "1"), MD_OK);
    (void)broker_turn(b.broker);
    read_sys(&b, &reader);
    step(&b, 9999);
    last_value(&reader, "$SYS/broker/clients/connected", text);
    assert_string_equal(text, "0"); /* as it was kept: the time is not over */
    step(&b, 1);
    last_value(&reader, "$SYS/broker/clients/connected", text);
    assert_string_equal(text, "1");
    step(&b, 10000);
    last_value(&reader, "$SYS/broker/clients/connected", text);
    assert_string_equal(text, "");
    connected(&other, &b, "other", true);
    step(&b, 10000);
    last_value(&reader, "$SYS/broker/clients/connected", text);
    assert_string_equal(text, "2");
    step(&b, 10000);
    last_value(&reader, "$SYS/broker/uptime", text);
    assert_string_equal(text, "40 seconds");
    wire_close(&other);
    step(&b, 10000);
    last_value(&reader, "$SYS/broker/clients/maximum", text);
    assert_string_equal(text, ""); /* said when it became 2 */
    wire_close(&reader);
    finish(&b);
}

static void messages_and_their_bytes_are_counted(void **state)
{
    (void)state;
    struct bench b;
    struct wire w;
    struct broker_stats before, after;
    struct mqtt_packet p;
    setup(&b);
    connected(&w, &b, "w", true);
    wire_subscribe(&w, "t", MQTT_QOS0);
    assert_true(wire_next(&w, &p));
    broker_stats(b.broker, &before);
    wire_publish(&w, "t", "12345", MQTT_QOS0, false, 0);
    assert_true(wire_next(&w, &p));
    broker_stats(b.broker, &after);
    assert_int_equal(after.packets_in - before.packets_in, 1);
    assert_int_equal(after.packets_out - before.packets_out, 1);
    assert_int_equal(after.messages_in - before.messages_in, 1);
    assert_int_equal(after.messages_out - before.messages_out, 1);
    assert_int_equal(after.message_bytes_in - before.message_bytes_in, 5);
    assert_int_equal(after.message_bytes_out - before.message_bytes_out, 5);
    assert_int_equal(after.bytes_in - before.bytes_in, 2 + 3 + 5);
    assert_int_equal(after.bytes_out - before.bytes_out, 2 + 3 + 5);
    wire_close(&w);
    finish(&b);
}

/* 60 messages in one minute, and then none: the average over a minute falls by e each minute. */
static void loads_are_moving_averages_per_minute(void **state)
{
    (void)state;
    char text[64];
    struct bench b;
    struct wire reader;
    struct wire w;
    setup(&b);
    assert_int_equal(broker_sys(b.broker, 60, "1"), MD_OK);
    (void)broker_turn(b.broker);
    read_sys(&b, &reader);
    connected(&w, &b, "w", true);
    for (int i = 0; i < 60; i++)
        wire_publish(&w, "t", "x", MQTT_QOS0, false, 0);
    step(&b, 60000);
    last_value(&reader, "$SYS/broker/load/publish/received/1min", text);
    assert_string_equal(text, "37.93"); /* 60 * (1 - 1/e) */
    step(&b, 60000);
    last_value(&reader, "$SYS/broker/load/publish/received/1min", text);
    assert_string_equal(text, "13.95"); /* that / e */
    wire_close(&w);
    wire_close(&reader);
    finish(&b);
}

static void zero_stops_it_and_a_new_interval_starts_it(void **state)
{
    (void)state;
    char text[64];
    struct bench b;
    struct wire reader;
    struct wire w;
    setup(&b);
    assert_int_equal(broker_sys(b.broker, 10, "1"), MD_OK);
    (void)broker_turn(b.broker);
    read_sys(&b, &reader);
    assert_int_equal(broker_sys(b.broker, 0, "1"), MD_OK);
    connected(&w, &b, "w", true);
    step(&b, 100000);
    last_value(&reader, "$SYS/broker/clients/connected", text);
    assert_string_equal(text, "0"); /* the kept one */
    assert_int_equal(broker_sys(b.broker, 5, "1"), MD_OK);
    (void)broker_turn(b.broker);
    last_value(&reader, "$SYS/broker/clients/connected", text);
    assert_string_equal(text, "2");
    wire_close(&w);
    wire_close(&reader);
    finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_round_comes_at_once_and_is_retained),
        cmocka_unit_test(a_value_is_published_when_it_changed),
        cmocka_unit_test(messages_and_their_bytes_are_counted),
        cmocka_unit_test(loads_are_moving_averages_per_minute),
        cmocka_unit_test(zero_stops_it_and_a_new_interval_starts_it),
    };
    log_set_sink(quiet, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
