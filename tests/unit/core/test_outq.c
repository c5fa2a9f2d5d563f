/* The queue of a Session: order, window, resending, limits. */
#include "broker/base/mem.h"
#include "broker/core/outq.h"
#include "tests/unit/no_leak.h"

static const struct outq_limits roomy = {
    .max_messages = 1000, .max_bytes = 1 << 20, .max_inflight = 20};

static struct message *message(const char *topic)
{
    struct message *m;
    assert_int_equal(message_new(&m, span_str(topic), span_str("payload"), 2, false), MD_OK);
    return m;
}

static int push(struct outq *q, const struct outq_limits *l, const char *topic, unsigned qos)
{
    struct message *m = message(topic);
    struct delivery *d;
    int err = outq_push(q, l, m, qos, false, &d);
    message_unref(m);
    return err;
}

static bool take(struct outq *q, const struct outq_limits *l, struct delivery *d)
{
    struct delivery *admitted;
    while (outq_admit(q, l, &admitted))
        assert_true(admitted->packet_id > 0);
    return outq_next(q, d);
}

static int ack(struct outq *q, enum mqtt_type type, uint16_t id)
{
    struct delivery was = {0};
    int err = outq_ack(q, type, id, &was);
    message_unref(was.m);
    return err;
}

static struct delivery next(struct outq *q, const struct outq_limits *l, const char *topic)
{
    struct delivery d = {0};
    assert_true(take(q, l, &d));
    if (topic != NULL)
        assert_true(span_is(message_topic(d.m), topic));
    message_unref(d.m);
    return d;
}

static void nothing(struct outq *q, const struct outq_limits *l)
{
    struct delivery d;
    assert_false(take(q, l, &d));
    assert_false(outq_ready(q));
}

/* [MQTT-4.6.0-6] */
static void messages_leave_in_the_order_they_came(void **state)
{
    (void)state;
    struct outq q;
    outq_init(&q);
    assert_int_equal(push(&q, &roomy, "a", 0), MD_OK);
    assert_int_equal(push(&q, &roomy, "b", 1), MD_OK);
    assert_int_equal(push(&q, &roomy, "c", 0), MD_OK);
    assert_int_equal(push(&q, &roomy, "d", 2), MD_OK);
    next(&q, &roomy, "a");
    next(&q, &roomy, "b");
    next(&q, &roomy, "c");
    next(&q, &roomy, "d");
    nothing(&q, &roomy);
    outq_clear(&q);
}

/* [MQTT-2.3.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1] */
static void packet_ids_count_up_and_acks_finish(void **state)
{
    (void)state;
    struct outq q;
    outq_init(&q);
    assert_int_equal(push(&q, &roomy, "a", 1), MD_OK);
    assert_int_equal(push(&q, &roomy, "b", 2), MD_OK);
    struct delivery a = next(&q, &roomy, "a"), b = next(&q, &roomy, "b");
    assert_int_equal(a.packet_id, 1);
    assert_int_equal(b.packet_id, 2);
    assert_false(a.dup);
    assert_int_equal(ack(&q, MQTT_PUBACK, 1), MD_OK);
    assert_int_equal(ack(&q, MQTT_PUBACK, 1), MD_NOENT); /* F66 */
    assert_int_equal(ack(&q, MQTT_PUBREC, 2), MD_OK);
    assert_int_equal(ack(&q, MQTT_PUBREC, 2), MD_OK); /* repeated: PUBREL again */
    assert_int_equal(ack(&q, MQTT_PUBCOMP, 2), MD_OK);
    assert_int_equal(ack(&q, MQTT_PUBCOMP, 2), MD_NOENT);
    assert_int_equal(ack(&q, MQTT_PUBACK, 0), MD_NOENT);
    assert_int_equal(ack(&q, MQTT_PUBACK, 65535), MD_NOENT);
    assert_int_equal(q.n_inflight, 0);
    assert_int_equal(ring_n(q.window), 0);
    outq_clear(&q);
}

/* [MQTT-4.8.0-1] F65 */
static void an_ack_of_the_wrong_kind_is_a_violation(void **state)
{
    (void)state;
    struct outq q;
    outq_init(&q);
    assert_int_equal(push(&q, &roomy, "a", 1), MD_OK);
    assert_int_equal(push(&q, &roomy, "b", 2), MD_OK);
    next(&q, &roomy, "a");
    next(&q, &roomy, "b");
    assert_int_equal(ack(&q, MQTT_PUBREC, 1), MD_PROTO);
    assert_int_equal(ack(&q, MQTT_PUBCOMP, 1), MD_PROTO);
    assert_int_equal(ack(&q, MQTT_PUBACK, 2), MD_PROTO);
    assert_int_equal(ack(&q, MQTT_PUBCOMP, 2), MD_PROTO); /* before PUBREC */
    outq_clear(&q);
}

/* F131: at the window and one past it; QoS 0 is not held back. */
static void a_full_window_waits_and_qos0_passes(void **state)
{
    (void)state;
    struct outq q;
    struct outq_limits l = roomy;
    l.max_inflight = 2;
    outq_init(&q);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(push(&q, &l, "q", 1), MD_OK);
    assert_int_equal(push(&q, &l, "zero", 0), MD_OK);
    next(&q, &l, "q");
    next(&q, &l, "q");
    next(&q, &l, "zero");
    nothing(&q, &l);
    assert_int_equal(ack(&q, MQTT_PUBACK, 2), MD_OK); /* out of turn: a hole */
    assert_int_equal(next(&q, &l, "q").packet_id, 3);
    nothing(&q, &l);
    assert_int_equal(ack(&q, MQTT_PUBACK, 1), MD_OK);
    assert_int_equal(ack(&q, MQTT_PUBACK, 3), MD_OK);
    assert_int_equal(ring_n(q.window), 0);
    outq_clear(&q);
}

/* [MQTT-3.3.1-1] [MQTT-4.4.0-1] [MQTT-4.6.0-1] F58 F63 */
static void a_resumed_session_sends_again_in_order(void **state)
{
    (void)state;
    struct outq q;
    outq_init(&q);
    assert_int_equal(push(&q, &roomy, "a", 1), MD_OK);
    assert_int_equal(push(&q, &roomy, "b", 2), MD_OK);
    assert_int_equal(push(&q, &roomy, "c", 1), MD_OK);
    assert_int_equal(push(&q, &roomy, "d", 1), MD_OK);
    next(&q, &roomy, "a");
    next(&q, &roomy, "b");
    next(&q, &roomy, "c");
    assert_int_equal(ack(&q, MQTT_PUBREC, 2), MD_OK);
    outq_rewind(&q);
    struct delivery a = next(&q, &roomy, "a");
    assert_int_equal(a.packet_id, 1);
    assert_true(a.dup);
    struct delivery b = next(&q, &roomy, NULL);
    assert_int_equal(b.packet_id, 2);
    assert_int_equal(b.state, DELIVERY_RELEASED);
    assert_null(b.m);
    assert_int_equal(next(&q, &roomy, "c").packet_id, 3);
    struct delivery d = next(&q, &roomy, "d");
    assert_int_equal(d.packet_id, 4);
    assert_false(d.dup); /* it was never sent before */
    nothing(&q, &roomy);
    outq_clear(&q);
}

/* A hole that goes before it was passed again must not lose what follows. */
static void holes_survive_a_rewind(void **state)
{
    (void)state;
    struct outq q;
    outq_init(&q);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(push(&q, &roomy, "a", 1), MD_OK);
        next(&q, &roomy, "a");
    }
    assert_int_equal(ack(&q, MQTT_PUBACK, 2), MD_OK);
    assert_int_equal(ack(&q, MQTT_PUBACK, 3), MD_OK);
    outq_rewind(&q);
    assert_int_equal(next(&q, &roomy, "a").packet_id, 1);
    assert_int_equal(ack(&q, MQTT_PUBACK, 1), MD_OK); /* 2 and 3 go with it */
    assert_int_equal(next(&q, &roomy, "a").packet_id, 4);
    nothing(&q, &roomy);
    assert_int_equal(ack(&q, MQTT_PUBACK, 4), MD_OK);
    assert_int_equal(ring_n(q.window), 0);
    outq_clear(&q);
}

/* F151 F154: what was stored comes back with its identifiers, order and states. */
static void a_queue_can_be_restored(void **state)
{
    (void)state;
    struct outq q;
    outq_init(&q);
    struct delivery v[] = {
        {.m = message("a"), .order = 7, .packet_id = 65534, .qos = 1, .state = DELIVERY_PUBLISHED},
        {.order = 8, .packet_id = 2, .qos = 2, .state = DELIVERY_RELEASED},
        {.m = message("c"), .order = 9, .packet_id = 3, .qos = 2, .state = DELIVERY_PUBLISHED},
        {.m = message("d"), .order = 12, .qos = 1, .state = DELIVERY_QUEUED}};
    assert_int_equal(outq_restore(&q, v, 4), MD_OK);
    assert_int_equal(q.n_inflight, 3);
    assert_int_equal(outq_waiting(&q), 1);
    struct delivery a = next(&q, &roomy, "a");
    assert_int_equal(a.packet_id, 65534);
    assert_true(a.dup);
    struct delivery b = next(&q, &roomy, NULL);
    assert_int_equal(b.packet_id, 2);
    assert_int_equal(b.state, DELIVERY_RELEASED);
    assert_int_equal(next(&q, &roomy, "c").packet_id, 3);
    struct delivery d = next(&q, &roomy, "d");
    assert_int_equal(d.packet_id, 4);
    assert_false(d.dup);
    nothing(&q, &roomy);
    assert_int_equal(ack(&q, MQTT_PUBACK, 65535), MD_NOENT); /* a hole */
    assert_int_equal(ack(&q, MQTT_PUBACK, 65534), MD_OK);
    assert_int_equal(ack(&q, MQTT_PUBCOMP, 2), MD_OK);
    assert_int_equal(q.first_id, 3);
    assert_int_equal(push(&q, &roomy, "e", 1), MD_OK);
    assert_int_equal(next(&q, &roomy, "e").order, 13);
    outq_clear(&q);
}

/* F69: the identifiers wrap and skip 0 and what is in flight. */
static void packet_ids_wrap(void **state)
{
    (void)state;
    struct outq q;
    outq_init(&q);
    for (uint32_t i = 0; i < 70000; i++) {
        assert_int_equal(push(&q, &roomy, "a", 1), MD_OK);
        struct delivery d = next(&q, &roomy, "a");
        assert_int_equal(d.packet_id, 1 + i % 65535);
        if (i % 7 != 0) /* every seventh is acknowledged with the next */
            assert_int_equal(ack(&q, MQTT_PUBACK, d.packet_id), MD_OK);
        if (i % 7 == 1)
            assert_int_equal(ack(&q, MQTT_PUBACK, (uint16_t)(1 + (i - 1) % 65535)), MD_OK);
    }
    outq_clear(&q);
}

/* A peer that never acknowledges its first message does not make the window grow for ever. */
static void the_window_does_not_stretch_without_end(void **state)
{
    (void)state;
    struct outq q;
    outq_init(&q);
    unsigned sent = 0;
    for (unsigned i = 0; i < 3000; i++) {
        struct delivery d;
        assert_int_equal(push(&q, &roomy, "a", 1), MD_OK);
        if (!take(&q, &roomy, &d))
            break;
        message_unref(d.m);
        sent++;
        if (d.packet_id > 1)
            assert_int_equal(ack(&q, MQTT_PUBACK, d.packet_id), MD_OK);
    }
    assert_int_equal(sent, 1024 + 20);
    outq_clear(&q);
}

/* F131 F132: messages and bytes, at the limit and one past it; 0 means no limit. */
static void limits_hold(void **state)
{
    (void)state;
    struct outq q;
    const size_t size = 1 + sizeof "payload" - 1;
    struct outq_limits three = {.max_messages = 3}, bytes = {.max_bytes = 2 * size}, none = {0};
    outq_init(&q);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(push(&q, &three, "a", i % 2), MD_OK);
    assert_int_equal(push(&q, &three, "a", 0), MD_FULL);
    assert_int_equal(push(&q, &three, "a", 1), MD_FULL);
    outq_clear(&q);

    assert_int_equal(push(&q, &bytes, "a", 0), MD_OK);
    assert_int_equal(push(&q, &bytes, "a", 1), MD_OK);
    assert_int_equal(push(&q, &bytes, "a", 0), MD_FULL);
    next(&q, &bytes, "a");
    assert_int_equal(push(&q, &bytes, "a", 0), MD_OK);
    outq_clear(&q);

    bytes.max_bytes = 1; /* one always fits */
    assert_int_equal(push(&q, &bytes, "a", 1), MD_OK);
    assert_int_equal(push(&q, &bytes, "a", 1), MD_FULL);
    outq_clear(&q);

    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(push(&q, &none, "a", 1), MD_OK);
    assert_int_equal(outq_waiting(&q), 5000);
    outq_clear(&q);
}

/* [MQTT-3.1.2-5]: QoS 0 is not kept for an absent client. */
static void qos0_is_dropped_when_the_client_leaves(void **state)
{
    (void)state;
    struct outq q;
    outq_init(&q);
    assert_int_equal(push(&q, &roomy, "a", 0), MD_OK);
    assert_int_equal(push(&q, &roomy, "b", 1), MD_OK);
    outq_drop_qos0(&q);
    assert_int_equal(q.queued_bytes, 1 + sizeof "payload" - 1);
    next(&q, &roomy, "b");
    nothing(&q, &roomy);
    outq_clear(&q);
}

static void out_of_memory_keeps_the_queue(void **state)
{
    (void)state;
    struct outq q;
    struct delivery d;
    outq_init(&q);
    struct message *m = message("a");
    struct delivery *e;
    mem_fail_after(1);
    assert_int_equal(outq_push(&q, &roomy, m, 1, false, &e), MD_NOMEM);
    mem_fail_after(-1);
    assert_int_equal(m->refs, 1);
    assert_int_equal(outq_push(&q, &roomy, m, 1, false, &e), MD_OK);
    outq_unpush(&q, 1);
    assert_int_equal(m->refs, 1);
    assert_int_equal(outq_push(&q, &roomy, m, 1, false, &e), MD_OK);
    mem_fail_after(1);
    assert_false(take(&q, &roomy, &d)); /* no room for the window: it stays queued */
    mem_fail_after(-1);
    assert_int_equal(outq_waiting(&q), 1);
    next(&q, &roomy, "a");
    message_unref(m);
    outq_clear(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(messages_leave_in_the_order_they_came, no_leak),
        cmocka_unit_test_teardown(packet_ids_count_up_and_acks_finish, no_leak),
        cmocka_unit_test_teardown(an_ack_of_the_wrong_kind_is_a_violation, no_leak),
        cmocka_unit_test_teardown(a_full_window_waits_and_qos0_passes, no_leak),
        cmocka_unit_test_teardown(a_resumed_session_sends_again_in_order, no_leak),
        cmocka_unit_test_teardown(holes_survive_a_rewind, no_leak),
        cmocka_unit_test_teardown(a_queue_can_be_restored, no_leak),
        cmocka_unit_test_teardown(packet_ids_wrap, no_leak),
        cmocka_unit_test_teardown(the_window_does_not_stretch_without_end, no_leak),
        cmocka_unit_test_teardown(limits_hold, no_leak),
        cmocka_unit_test_teardown(qos0_is_dropped_when_the_client_leaves, no_leak),
        cmocka_unit_test_teardown(out_of_memory_keeps_the_queue, no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
