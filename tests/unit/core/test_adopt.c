/* What another broker kept is brought in, stays over a restart, and reaches its clients. */
#include "tests/unit/core/bench.h"

/* The client returns and finds its Session. */
static void returns(struct bench *b, struct wire *w, const char *id)
{
    wire_open(w, b->broker, 0);
    wire_connect(w, id, false, MQTT_3_1_1);
    assert_true(expect(w, MQTT_CONNACK).u.connack.session_present);
}

static int session(struct bench *b, const char *id)
{
    return broker_adopt_session(b->broker, span_str(id), span_of(NULL, 0));
}

static int subscription(struct bench *b, const char *id, const char *filter, unsigned qos)
{
    return broker_adopt_subscription(b->broker, span_str(id), span_str(filter), qos);
}

static int waiting(struct bench *b, const char *id, const char *payload, unsigned qos,
                   enum broker_stage stage, uint16_t packet_id)
{
    struct broker_waiting w = {.message = {span_str("t"), span_str(payload), qos, false},
                               .stage = stage,
                               .packet_id = packet_id};
    return broker_adopt_waiting(b->broker, span_str(id), &w);
}

static void expect_publish(struct wire *w, const char *payload, uint16_t id, bool dup)
{
    struct mqtt_publish p = expect(w, MQTT_PUBLISH).u.publish;
    assert_true(span_eq(p.payload, span_str(payload)));
    assert_int_equal(p.packet_id, id);
    assert_int_equal(p.dup, dup);
}

static void each_stage_goes_on_where_it_was(void **state)
{
    (void)state;
    struct bench b;
    struct wire w;
    setup_stored(&b);
    assert_int_equal(session(&b, "c"), MD_OK);
    assert_int_equal(waiting(&b, "c", "released", 2, BROKER_STAGE_RELEASED, 7), MD_OK);
    assert_int_equal(waiting(&b, "c", "sent", 1, BROKER_STAGE_PUBLISHED, 9), MD_OK);
    assert_int_equal(waiting(&b, "c", "new", 1, BROKER_STAGE_QUEUED, 0), MD_OK);
    restart(&b);
    returns(&b, &w, "c");
    assert_int_equal(expect(&w, MQTT_PUBREL).u.ack.packet_id, 7);
    expect_publish(&w, "sent", 9, true);
    expect_publish(&w, "new", 10, false);
    wire_ack(&w, MQTT_PUBCOMP, 7);
    wire_ack(&w, MQTT_PUBACK, 9);
    wire_ack(&w, MQTT_PUBACK, 10);
    assert_false(w.closed);
    wire_close(&w);
    finish(&b);
}

static void what_was_received_is_routed_once(void **state)
{
    (void)state;
    struct bench b;
    struct wire to, from;
    setup_stored(&b);
    assert_int_equal(session(&b, "from"), MD_OK);
    assert_int_equal(session(&b, "to"), MD_OK);
    assert_int_equal(subscription(&b, "to", "t", 2), MD_OK);
    assert_int_equal(waiting(&b, "from", "m", 2, BROKER_STAGE_RECEIVED, 3), MD_OK);
    assert_int_equal(waiting(&b, "from", "m", 2, BROKER_STAGE_RECEIVED, 3), MD_EXIST);
    restart(&b);
    returns(&b, &from, "from");
    wire_publish(&from, "t", "m", MQTT_QOS2, false, 3); /* again: its PUBREC was lost */
    (void)expect(&from, MQTT_PUBREC);
    returns(&b, &to, "to");
    expect_publish(&to, "m", 1, false);
    struct mqtt_packet p;
    assert_false(wire_next(&to, &p));
    wire_close(&to);
    wire_close(&from);
    finish(&b);
}

static void retained_messages_come_with_it(void **state)
{
    (void)state;
    struct bench b;
    struct wire w;
    struct broker_message m = {span_str("r"), span_str("theirs"), 1, true};
    setup_stored(&b);
    assert_int_equal(session(&b, "c"), MD_OK);
    assert_int_equal(broker_adopt_retained(b.broker, &m), MD_OK);
    m.payload = span_str("later");
    assert_int_equal(broker_adopt_retained(b.broker, &m), MD_EXIST);
    m.payload.n = 0;
    assert_int_equal(broker_adopt_retained(b.broker, &m), MD_INVAL);
    restart(&b);
    returns(&b, &w, "c");
    wire_subscribe(&w, "r", MQTT_QOS1);
    (void)expect(&w, MQTT_SUBACK);
    expect_publish(&w, "theirs", 1, false);
    wire_close(&w);
    finish(&b);
}

static void ours_is_left_as_it_is(void **state)
{
    (void)state;
    struct bench b;
    setup_stored(&b);
    assert_int_equal(session(&b, "c"), MD_OK);
    restart(&b);
    assert_int_equal(session(&b, "c"), MD_EXIST);
    assert_int_equal(subscription(&b, "c", "x", 0), MD_EXIST);
    assert_int_equal(waiting(&b, "c", "m", 1, BROKER_STAGE_QUEUED, 0), MD_EXIST);
    finish(&b);
}

static void what_is_impossible_is_refused(void **state)
{
    (void)state;
    struct bench b;
    struct broker_message m = {span_str("r/#"), span_str("x"), 0, true};
    setup_stored(&b);
    assert_int_equal(broker_adopt_retained(b.broker, &m), MD_INVAL);
    assert_int_equal(session(&b, ""), MD_INVAL);
    assert_int_equal(subscription(&b, "c", "x", 0), MD_NOENT);
    assert_int_equal(waiting(&b, "c", "m", 1, BROKER_STAGE_QUEUED, 0), MD_NOENT);
    assert_int_equal(session(&b, "c"), MD_OK);
    assert_int_equal(subscription(&b, "c", "a/#/b", 0), MD_INVAL);
    assert_int_equal(subscription(&b, "c", "a", 3), MD_INVAL);
    assert_int_equal(waiting(&b, "c", "m", 0, BROKER_STAGE_QUEUED, 0), MD_INVAL);
    assert_int_equal(waiting(&b, "c", "m", 1, BROKER_STAGE_QUEUED, 1), MD_INVAL);
    assert_int_equal(waiting(&b, "c", "m", 1, BROKER_STAGE_PUBLISHED, 0), MD_INVAL);
    assert_int_equal(waiting(&b, "c", "m", 1, BROKER_STAGE_RELEASED, 1), MD_INVAL);
    assert_int_equal(waiting(&b, "c", "m", 1, BROKER_STAGE_RECEIVED, 1), MD_INVAL);
    assert_int_equal(waiting(&b, "c", "m", 1, BROKER_STAGE_QUEUED, 0), MD_OK);
    assert_int_equal(waiting(&b, "c", "m", 1, BROKER_STAGE_PUBLISHED, 1), MD_FULL);
    finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stage_goes_on_where_it_was),
        cmocka_unit_test(what_was_received_is_routed_once),
        cmocka_unit_test(retained_messages_come_with_it),
        cmocka_unit_test(ours_is_left_as_it_is),
        cmocka_unit_test(what_is_impossible_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
