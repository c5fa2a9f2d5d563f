/* mount_point: names get the prefix on their way in and lose it on their way out. */
#include "broker/core/mount.h"

#include "broker/base/mem.h"
#include "broker/codec/mqtt_decode.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>

static struct mqtt_packet decoded(const char *bytes, size_t n)
{
    struct mqtt_packet p;
    const char *why = "";
    assert_int_equal(mqtt_decode(span_of(bytes, n), MQTT_3_1_1, &p, &why), MD_OK);
    return p;
}

static void every_packet_with_names_is_changed(void **state)
{
    (void)state;
    static const char publish[] = "\x30\x05\x00\x03"
                                  "a/b";
    static const char subscribe[] = "\x82\x0b\x00\x07\x00\x01#\x01\x00\x02"
                                    "+/\x02";
    static const char unsubscribe[] = "\xa2\x05\x00\x08\x00\x01x";
    static const char ping[] = "\xc0\x00";
    struct span mount = span_str("m/"), filter;
    enum mqtt_qos qos;
    struct buf room;
    buf_init(&room, 1000);
    struct mqtt_packet p = decoded(publish, sizeof publish - 1);
    assert_int_equal(mount_packet(mount, &p, &room), MD_OK);
    assert_true(span_is(p.u.publish.topic, "m/a/b"));
    buf_free(&room);
    p = decoded(subscribe, sizeof subscribe - 1);
    assert_int_equal(mount_packet(mount, &p, &room), MD_OK);
    assert_true(mqtt_next_filter(&p.u.filters, &filter, &qos));
    assert_true(span_is(filter, "m/#") && qos == MQTT_QOS1);
    assert_true(mqtt_next_filter(&p.u.filters, &filter, &qos));
    assert_true(span_is(filter, "m/+/") && qos == MQTT_QOS2);
    assert_false(mqtt_next_filter(&p.u.filters, &filter, &qos));
    buf_free(&room);
    p = decoded(unsubscribe, sizeof unsubscribe - 1);
    assert_int_equal(mount_packet(mount, &p, &room), MD_OK);
    assert_true(mqtt_next_filter(&p.u.filters, &filter, NULL));
    assert_true(span_is(filter, "m/x"));
    assert_false(mqtt_next_filter(&p.u.filters, &filter, NULL));
    buf_free(&room);
    p = decoded(ping, sizeof ping - 1);
    assert_int_equal(mount_packet(mount, &p, &room), MD_OK);
    assert_int_equal(room.n, 0);
    p = decoded(publish, sizeof publish - 1);
    assert_int_equal(mount_packet(span_of(NULL, 0), &p, &room), MD_OK);
    assert_true(span_is(p.u.publish.topic, "a/b"));
    assert_int_equal(mem_used(), 0);
}

/* At the limit of a string and one past it. */
static void a_name_has_to_fit(void **state)
{
    (void)state;
    static char topic[65535];
    struct buf room;
    memset(topic, 'x', sizeof topic);
    for (size_t over = 0; over < 2; over++) {
        struct mqtt_packet p = {.type = MQTT_PUBLISH};
        p.u.publish.topic = span_of(topic, sizeof topic - 2 + over);
        buf_init(&room, SIZE_MAX);
        assert_int_equal(mount_packet(span_str("m/"), &p, &room), over ? MD_TOOBIG : MD_OK);
        buf_free(&room);
    }
}

static void memory_that_ends_is_an_error(void **state)
{
    (void)state;
    struct mqtt_packet p = {.type = MQTT_PUBLISH};
    struct buf room;
    p.u.publish.topic = span_str("x");
    buf_init(&room, 1000);
    (void)mem_fail_after(1);
    assert_int_equal(mount_packet(span_str("m/"), &p, &room), MD_NOMEM);
    (void)mem_fail_after(-1);
    buf_free(&room);
}

static void only_names_inside_are_cut(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        size_t hidden;
    } names[] = {{"m/x", 2}, {"m/", 0}, {"m", 0}, {"n/x", 0}, {"mm/x", 0}, {"m//", 2}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct message *m;
        assert_int_equal(message_new(&m, span_str(names[i].topic), span_str("p"), 0, false), MD_OK);
        assert_int_equal(mount_hidden(span_str("m/"), m), names[i].hidden);
        assert_int_equal(mount_hidden(span_of(NULL, 0), m), 0);
        message_unref(m);
    }
    assert_int_equal(mem_used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_packet_with_names_is_changed),
        cmocka_unit_test(a_name_has_to_fit),
        cmocka_unit_test(memory_that_ends_is_an_error),
        cmocka_unit_test(only_names_inside_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
