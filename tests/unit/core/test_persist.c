/* The broker dies and comes back on the same store: what it had acknowledged is there. */
#include "broker/codec/mqtt_encode.h"
#include "tests/unit/core/bench.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int count_one(void *ctx, struct span key, struct span value)
{
    (void)key;
    (void)value;
    ++*(size_t *)ctx;
    return MD_OK;
}

static size_t records_in(struct bench *b, enum store_ns ns)
{
    size_t n = 0;
    assert_int_equal(store_each(b->store, ns, count_one, &n), MD_OK);
    return n;
}

static size_t records(struct bench *b)
{
    size_t n = 0;
    for (int ns = STORE_META; ns <= STORE_QOS2; ns++)
        n += records_in(b, (enum store_ns)ns);
    return n;
}

static bool open_as(struct wire *w, struct bench *b, const char *id, bool clean)
{
    wire_open(w, b->broker, 0);
    wire_connect(w, id, clean, MQTT_3_1_1);
    struct mqtt_packet p = expect(w, MQTT_CONNACK);
    assert_int_equal(p.u.connack.code, MQTT_ACCEPTED);
    return p.u.connack.session_present;
}

static void leave(struct wire *w, struct bench *b)
{
    wire_close(w);
    (void)broker_turn(b->broker);
}

static uint16_t expect_publish(struct wire *w, const char *payload, bool dup)
{
    struct mqtt_packet p = expect(w, MQTT_PUBLISH);
    assert_true(span_is(p.u.publish.payload, payload));
    assert_int_equal(p.u.publish.dup, dup);
    return p.u.publish.packet_id;
}

/* [MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-4.1.0-1] [MQTT-3.2.2-2] F49 */
static void a_session_its_filters_and_its_queue_come_back(void **state)
{
    struct bench *b = *state;
    struct wire sub, pub;
    setup_stored(b);
    assert_false(open_as(&sub, b, "sub", false));
    wire_subscribe(&sub, "a/+", MQTT_QOS2);
    expect(&sub, MQTT_SUBACK);
    leave(&sub, b);
    open_as(&pub, b, "pub", true);
    wire_publish(&pub, "a/b", "one", MQTT_QOS1, false, 1);
    expect(&pub, MQTT_PUBACK);
    wire_publish(&pub, "a/c", "two", MQTT_QOS2, false, 2);
    expect(&pub, MQTT_PUBREC);
    wire_publish(&pub, "a/c", "zero", MQTT_QOS0, false, 0); /* F122 */
    leave(&pub, b);
    restart(b);
    assert_true(open_as(&sub, b, "sub", false));
    uint16_t one = expect_publish(&sub, "one", false);
    uint16_t two = expect_publish(&sub, "two", false);
    expect_nothing(&sub);
    wire_ack(&sub, MQTT_PUBACK, one);
    wire_ack(&sub, MQTT_PUBREC, two);
    expect(&sub, MQTT_PUBREL);
    wire_ack(&sub, MQTT_PUBCOMP, two);
    wire_take(&sub);
    assert_int_equal(records_in(b, STORE_QUEUE), 0);
    assert_int_equal(records_in(b, STORE_MESSAGE), 0);
    open_as(&pub, b, "pub", true);
    wire_publish(&pub, "a/x", "live", MQTT_QOS1, false, 1);
    expect_publish(&sub, "live", false); /* the filter is still there */
    wire_close(&pub);
    wire_close(&sub);
    finish(b);
}

/* [MQTT-4.4.0-1] [MQTT-3.3.1-1] F58 F63 F152: what was in flight keeps its identifier and state. */
static void what_was_in_flight_goes_on(void **state)
{
    struct bench *b = *state;
    struct wire sub, pub;
    setup_stored(b);
    open_as(&sub, b, "sub", false);
    wire_subscribe(&sub, "#", MQTT_QOS2);
    expect(&sub, MQTT_SUBACK);
    open_as(&pub, b, "pub", true);
    const char *const payloads[] = {"a", "b", "c", "d"};
    uint16_t ids[4];
    for (unsigned i = 0; i < 4; i++) {
        wire_publish(&pub, "t", payloads[i], MQTT_QOS2, false, (uint16_t)(i + 1));
        ids[i] = expect_publish(&sub, payloads[i], false);
    }
    wire_ack(&sub, MQTT_PUBREC, ids[1]); /* b: PUBREL outstanding */
    expect(&sub, MQTT_PUBREL);
    wire_ack(&sub, MQTT_PUBREC, ids[2]); /* c: done */
    expect(&sub, MQTT_PUBREL);
    wire_ack(&sub, MQTT_PUBCOMP, ids[2]);
    wire_close(&sub);
    wire_close(&pub);
    restart(b);
    assert_true(open_as(&sub, b, "sub", false));
    assert_int_equal(expect_publish(&sub, "a", true), ids[0]);
    assert_int_equal(expect(&sub, MQTT_PUBREL).u.ack.packet_id, ids[1]);
    assert_int_equal(expect_publish(&sub, "d", true), ids[3]);
    expect_nothing(&sub);
    wire_close(&sub);
    finish(b);
}

/* [MQTT-4.3.3-2] F62: the receiver's half of QoS 2. */
static void a_qos2_message_is_not_delivered_twice(void **state)
{
    struct bench *b = *state;
    struct wire sub, pub;
    setup_stored(b);
    open_as(&sub, b, "sub", false);
    wire_subscribe(&sub, "#", MQTT_QOS1);
    expect(&sub, MQTT_SUBACK);
    open_as(&pub, b, "pub", false);
    wire_publish(&pub, "t", "once", MQTT_QOS2, false, 77);
    expect(&pub, MQTT_PUBREC);
    wire_ack(&sub, MQTT_PUBACK, expect_publish(&sub, "once", false));
    wire_close(&sub);
    wire_close(&pub);
    restart(b);
    open_as(&sub, b, "sub", false);
    assert_true(open_as(&pub, b, "pub", false));
    wire_publish(&pub, "t", "once", MQTT_QOS2, false, 77); /* it did not see PUBREC */
    expect(&pub, MQTT_PUBREC);
    expect_nothing(&sub);
    wire_ack(&pub, MQTT_PUBREL, 77);
    expect(&pub, MQTT_PUBCOMP);
    wire_close(&sub);
    wire_close(&pub);
    restart(b);
    assert_int_equal(records_in(b, STORE_QOS2), 0);
    finish(b);
}

/* [MQTT-3.1.2.7] [MQTT-3.3.1-5] [MQTT-3.3.1-10] F103 */
static void retained_messages_come_back(void **state)
{
    struct bench *b = *state;
    struct wire w;
    setup_stored(b);
    open_as(&w, b, "w", true);
    wire_publish(&w, "r/1", "one", MQTT_QOS1, true, 1);
    wire_publish(&w, "r/2", "two", MQTT_QOS0, true, 0);
    wire_publish(&w, "r/3", "three", MQTT_QOS0, true, 0);
    wire_publish(&w, "r/3", "", MQTT_QOS0, true, 0);
    wire_publish(&w, "$SYS/x", "never", MQTT_QOS0, true, 0); /* F158 */
    struct broker_message own = {span_str("r/own"), span_str("x"), 0, true};
    assert_int_equal(broker_publish(b->broker, &own), MD_OK); /* who made it makes it again */
    leave(&w, b);
    restart(b);
    open_as(&w, b, "w", true);
    wire_subscribe(&w, "r/+", MQTT_QOS2);
    expect(&w, MQTT_SUBACK);
    for (unsigned i = 0; i < 2; i++) {
        struct mqtt_packet p = expect(&w, MQTT_PUBLISH);
        bool first = span_is(p.u.publish.topic, "r/1");
        assert_true(p.u.publish.retain);
        assert_true(span_is(p.u.publish.payload, first ? "one" : "two"));
        assert_int_equal(p.u.publish.qos, first ? 1 : 0);
    }
    expect_nothing(&w);
    wire_close(&w);
    finish(b);
}

/* [MQTT-3.1.2-6] F120: Clean Session 1 leaves nothing, also of what another left. */
static void a_clean_session_leaves_nothing_in_the_store(void **state)
{
    struct bench *b = *state;
    struct wire sub, pub;
    setup_stored(b);
    open_as(&pub, b, "pub", true);
    open_as(&sub, b, "sub", false);
    wire_subscribe(&sub, "#", MQTT_QOS2);
    expect(&sub, MQTT_SUBACK);
    for (uint16_t i = 1; i < 40; i++) /* more than the window takes */
        wire_publish(&pub, "t", "x", MQTT_QOS2, false, i);
    wire_publish(&sub, "own", "x", MQTT_QOS2, false, 9);
    assert_true(records(b) > 40);
    wire_close(&sub);
    (void)broker_turn(b->broker);
    assert_false(open_as(&sub, b, "sub", true));
    wire_subscribe(&sub, "#", MQTT_QOS2);
    wire_publish(&pub, "t", "x", MQTT_QOS2, false, 50);
    assert_int_equal(records(b), 0);
    wire_close(&sub);
    wire_close(&pub);
    finish(b);
}

/* One message for many: stored once, gone when the last is done. */
static void a_message_is_stored_once(void **state)
{
    struct bench *b = *state;
    struct wire subs[5], pub;
    setup_stored(b);
    for (unsigned i = 0; i < 5; i++) {
        char id[4];
        (void)snprintf(id, sizeof id, "s%u", i);
        open_as(&subs[i], b, id, false);
        wire_subscribe(&subs[i], "#", MQTT_QOS1);
    }
    open_as(&pub, b, "pub", true);
    wire_publish(&pub, "t", "x", MQTT_QOS1, false, 1);
    assert_int_equal(records_in(b, STORE_MESSAGE), 1);
    assert_int_equal(records_in(b, STORE_QUEUE), 5);
    for (unsigned i = 0; i < 5; i++) {
        expect(&subs[i], MQTT_SUBACK);
        wire_ack(&subs[i], MQTT_PUBACK, expect_publish(&subs[i], "x", false));
        wire_close(&subs[i]);
    }
    assert_int_equal(records_in(b, STORE_MESSAGE), 0);
    assert_int_equal(records_in(b, STORE_QUEUE), 0);
    wire_close(&pub);
    finish(b);
}

/* A Session has a filter and a message that waits; then its record is lost. */
static void lose_a_session(struct bench *b)
{
    struct wire w;
    open_as(&w, b, "secret", false);
    wire_subscribe(&w, "secret", MQTT_QOS1);
    leave(&w, b);
    open_as(&w, b, "pub", true);
    wire_publish(&w, "secret", "x", MQTT_QOS1, false, 1);
    leave(&w, b);
    assert_int_equal(store_del(b->store, STORE_SESSION, span_str("secret"), STORE_NOW), MD_OK);
}

/* Another one is given its number, and gets nothing of it. */
static void another_comes(struct bench *b, bool again)
{
    struct wire w;
    assert_int_equal(open_as(&w, b, "other", false), again);
    wire_publish(&w, "secret", "y", MQTT_QOS0, false, 0);
    expect_nothing(&w);
    leave(&w, b);
}

/* F153: the record of a Session is damaged.  What belonged to it may not become another's, who is
 * given its number later. */
static void what_belonged_to_a_lost_session_is_nobodys(void **state)
{
    struct bench *b = *state;
    setup_stored(b);
    lose_a_session(b);
    for (unsigned i = 0; i < 2; i++) {
        restart(b);
        another_comes(b, i == 1);
    }
    assert_int_equal(records(b), 1);
    finish(b);
}

static struct store *open_file(const char *dir)
{
    char note[256];
    struct store *s;
    struct store_file_config cfg = {.dir = dir, .sync = STORE_SYNC_PERIOD, .period_s = 2};
    assert_int_equal(store_file_open(&s, &cfg, note), MD_OK);
    return s;
}

static void remove_dir(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    assert_non_null(d);
    while ((e = readdir(d)) != NULL)
        (void)unlinkat(dirfd(d), e->d_name, 0);
    (void)closedir(d);
    assert_int_equal(rmdir(dir), 0);
}

/* The same when nothing has reached the medium before the next kill -9. */
static void it_is_nobodys_after_a_kill_either(void **state)
{
    struct bench *b = *state;
    char dir[] = "/tmp/merossd-core-XXXXXX";
    assert_non_null(mkdtemp(dir));
    fake_env_init(&b->fake);
    b->store = open_file(dir);
    start_stored(b);
    lose_a_session(b);
    for (unsigned i = 0; i < 2; i++) {
        broker_free(b->broker);
        if (i == 0)
            store_close(b->store);
        else
            b->store->ops->close(b->store); /* without the last write, as a kill leaves it */
        b->store = open_file(dir);
        start_stored(b);
        another_comes(b, i == 1);
        assert_int_equal(store_write(b->store), MD_OK);
    }
    finish(b);
    remove_dir(dir);
}

/* F150 F153: records that do not fit together cost only themselves. */
static void odd_records_are_left_out(void **state)
{
    struct bench *b = *state;
    struct wire sub;
    setup_stored(b);
    open_as(&sub, b, "sub", false);
    wire_subscribe(&sub, "good", MQTT_QOS1);
    leave(&sub, b);
    broker_free(b->broker);
    static const struct {
        enum store_ns ns;
        const char *key, *value;
        size_t key_n, value_n;
    } odd[] = {{STORE_RETAIN, "a/#", "\0x", 3, 2},
               {STORE_RETAIN, "a", "\7x", 1, 2},
               {STORE_RETAIN, "a", "\1", 1, 1},
               {STORE_SESSION, "x", "\0\0\0\0\0", 1, 5},
               {STORE_SESSION, "", "\0\0\0\7\0", 0, 5},
               {STORE_SUB, "\0\0\0\7good", "\1", 8, 1},
               {STORE_SUB, "\0\0\0\1a/#/b", "\1", 9, 1},
               {STORE_SUB, "\0\0", "\1", 2, 1},
               {STORE_QUEUE, "\0\0\0\1\0\0\0\1", "\0\0\0\0\0\0\0\7\0\0\1", 8, 11},
               {STORE_QUEUE, "\0\0\0\1\0\0\0\2", "\0\0\0\0\0\0\0\0\0\0\x12", 8, 11},
               {STORE_QUEUE, "\0\0\0\1", "", 4, 0},
               {STORE_QOS2, "\0\0\0\1\0\0", "", 6, 0},
               {STORE_MESSAGE, "\0\0\0\0\0\0\0\11", "\1\0\5ab", 8, 5},
               {STORE_MESSAGE, "\0\0\0\0\0\0\0\12", "\1\0\2abpayload", 8, 12}};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        assert_int_equal(store_put(b->store, odd[i].ns, span_of(odd[i].key, odd[i].key_n),
                                   span_of(odd[i].value, odd[i].value_n), STORE_NOW),
                         MD_OK);
    start_stored(b);
    assert_int_equal(records(b), 2); /* "sub" and "good"; the others are gone from the store, too */
    assert_true(open_as(&sub, b, "sub", false));
    wire_publish(&sub, "good", "works", MQTT_QOS0, false, 0);
    expect_publish(&sub, "works", false);
    wire_close(&sub);
    finish(b);
}

/* F141: memory ends anywhere during a restart or a stored delivery; nothing crashes or leaks. */
static void out_of_memory_is_survived(void **state)
{
    struct bench *b = *state;
    for (long n = 1; n < 150; n++) {
        struct wire sub, pub;
        setup_stored(b);
        open_as(&sub, b, "sub", false);
        wire_subscribe(&sub, "#", MQTT_QOS2);
        open_as(&pub, b, "pub", false);
        long left = n;
        pub.fail_after = sub.fail_after = &left;
        wire_publish(&pub, "t", "x", MQTT_QOS2, true, 1);
        wire_publish(&pub, "t", "y", MQTT_QOS1, false, 2);
        pub.fail_after = sub.fail_after = NULL;
        wire_close(&sub);
        wire_close(&pub);
        broker_free(b->broker);
        struct broker_limits limits;
        broker_limits_default(&limits);
        assert_int_equal(broker_new(&b->broker, &limits, NULL, &b->fake.env), MD_OK);
        (void)mem_fail_after(n);
        int err = broker_restore(b->broker, b->store);
        (void)mem_fail_after(-1);
        assert_true(err == MD_OK || err == MD_NOMEM);
        finish(b);
    }
}

/* F141: nor does such a start lose anything: what is stored is all there for the next one. */
static void a_start_without_memory_removes_nothing(void **state)
{
    struct bench *b = *state;
    int err = MD_NOMEM;
    for (long n = 1; err != MD_OK; n++) {
        struct wire sub, pub;
        setup_stored(b);
        open_as(&sub, b, "sub", false);
        wire_subscribe(&sub, "#", MQTT_QOS2);
        leave(&sub, b);
        open_as(&pub, b, "pub", true);
        wire_publish(&pub, "t", "x", MQTT_QOS2, true, 1);
        wire_publish(&pub, "t", "y", MQTT_QOS1, false, 2);
        leave(&pub, b);
        size_t before = records(b);
        broker_free(b->broker);
        assert_int_equal(broker_new(&b->broker, &b->limits, NULL, &b->fake.env), MD_OK);
        (void)mem_fail_after(n);
        err = broker_restore(b->broker, b->store);
        (void)mem_fail_after(-1);
        assert_int_equal(records(b), before);
        restart(b);
        assert_true(open_as(&sub, b, "sub", false));
        expect_publish(&sub, "x", false);
        expect_publish(&sub, "y", false);
        leave(&sub, b);
        finish(b);
        assert_true(n < 150);
    }
}

int main(void)
{
    static struct bench bench;
    void *initial = &bench;
#define T(f) cmocka_unit_test_prestate(f, initial)
    const struct CMUnitTest tests[] = {
        T(a_session_its_filters_and_its_queue_come_back),
        T(what_was_in_flight_goes_on),
        T(a_qos2_message_is_not_delivered_twice),
        T(retained_messages_come_back),
        T(a_clean_session_leaves_nothing_in_the_store),
        T(a_message_is_stored_once),
        T(what_belonged_to_a_lost_session_is_nobodys),
        T(it_is_nobodys_after_a_kill_either),
        T(odd_records_are_left_out),
        T(out_of_memory_is_survived),
        T(a_start_without_memory_removes_nothing),
    };
#undef T
    log_set_sink(quiet, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
