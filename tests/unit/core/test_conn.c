/* The whole broker without sockets: what needs a stepped clock, a failing allocator or a look
 * inside.  What bytes on a socket can show is in tests/spec. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/codec/mqtt_encode.h"
#include "tests/fake/fake_env.h"
#include "tests/fake/fake_wire.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>

struct bench {
    struct fake_env fake;
    struct broker *broker;
    struct broker_limits limits;
};

static void setup_with(struct bench *b, const struct broker_hooks *hooks)
{
    fake_env_init(&b->fake);
    assert_int_equal(broker_new(&b->broker, &b->limits, hooks, &b->fake.env), MD_OK);
}

static void setup(struct bench *b)
{
    broker_limits_default(&b->limits);
    setup_with(b, NULL);
}

static void finish(struct bench *b)
{
    broker_free(b->broker);
    assert_int_equal(mem_used(), 0);
}

/* The next packet must be of this type. */
static struct mqtt_packet expect(struct wire *w, enum mqtt_type type)
{
    struct mqtt_packet p = {0};
    assert_true(wire_next(w, &p));
    assert_int_equal(p.type, type);
    return p;
}

static void expect_nothing(struct wire *w)
{
    struct mqtt_packet p;
    assert_false(wire_next(w, &p));
}

static void connected(struct wire *w, struct bench *b, const char *id, bool clean)
{
    wire_open(w, b->broker, 0);
    wire_connect(w, id, clean, MQTT_3_1_1);
    assert_int_equal(expect(w, MQTT_CONNACK).u.connack.code, MQTT_ACCEPTED);
}

static void step(struct bench *b, uint64_t ms)
{
    fake_env_step(&b->fake, ms);
    (void)broker_turn(b->broker);
}

/* MQTT 3.1.4: no CONNECT in reasonable time.  At the limit and one past it. */
static void a_silent_connection_is_closed_after_ten_seconds(void **state)
{
    struct bench *b = *state;
    struct wire w;
    setup(b);
    wire_open(&w, b->broker, 0);
    wire_send(&w, span_of("\x10\x20\x00", 3)); /* part of a packet is no packet: F20 */
    step(b, 9999);
    wire_take(&w);
    assert_false(w.closed);
    step(b, 1);
    wire_take(&w);
    assert_true(w.closed);
    wire_close(&w);
    finish(b);
}

/* [MQTT-3.1.2-24]: one and a half times the Keep Alive, at the limit and one past it. */
static void keep_alive_is_one_and_a_half_times(void **state)
{
    struct bench *b = *state;
    struct wire w;
    struct mqtt_connect c = {.level = MQTT_3_1,
                             .clean_session = true,
                             .keep_alive_s = 120,
                             .client_id = span_str("plug")};
    setup(b);
    wire_open(&w, b->broker, 0);
    wire_connect_with(&w, &c);
    expect(&w, MQTT_CONNACK);
    step(b, 179000);
    wire_ping(&w); /* starts it anew */
    expect(&w, MQTT_PINGRESP);
    step(b, 179999);
    wire_take(&w);
    assert_false(w.closed);
    step(b, 1);
    wire_take(&w);
    assert_true(w.closed);
    wire_close(&w);
    finish(b);
}

static void keep_alive_zero_is_off(void **state)
{
    struct bench *b = *state;
    struct wire w;
    setup(b);
    connected(&w, b, "x", true);
    step(b, UINT64_C(10) * 365 * 86400 * 1000);
    wire_ping(&w);
    expect(&w, MQTT_PINGRESP);
    wire_close(&w);
    finish(b);
}

static void max_connections_refuses_politely(void **state)
{
    struct bench *b = *state;
    struct wire w[3];
    broker_limits_default(&b->limits);
    b->limits.max_connections = 2;
    setup_with(b, NULL);
    connected(&w[0], b, "a", true);
    connected(&w[1], b, "b", true);
    wire_open(&w[2], b->broker, 0);
    wire_connect(&w[2], "c", true, MQTT_3_1_1);
    assert_int_equal(expect(&w[2], MQTT_CONNACK).u.connack.code, MQTT_REFUSED_UNAVAILABLE);
    assert_true(w[2].closed);
    wire_close(&w[2]);
    connected(&w[2], b, "a", true); /* who takes its own place is not one more */
    wire_close(&w[2]);
    wire_close(&w[0]);
    (void)broker_turn(b->broker);
    connected(&w[2], b, "c", true);
    wire_close(&w[1]);
    wire_close(&w[2]);
    finish(b);
}

/* F131 F135 F144: a stalled subscriber keeps max_queued_messages, then newer ones are dropped;
 * its own acknowledgements are not. */
static void a_stalled_subscriber_drops_the_newest(void **state)
{
    struct bench *b = *state;
    struct wire slow, fast;
    struct broker_stats stats;
    broker_limits_default(&b->limits);
    b->limits.max_queued_messages = 10;
    setup_with(b, NULL);
    connected(&slow, b, "slow", true);
    connected(&fast, b, "fast", true);
    wire_subscribe(&slow, "t", MQTT_QOS0);
    expect(&slow, MQTT_SUBACK);
    char payload[2] = "0";
    for (unsigned i = 0; i < 12; i++) {
        payload[0] = (char)('a' + i);
        wire_publish(&fast, "t", payload, MQTT_QOS1, false, (uint16_t)(i + 1));
        expect(&fast, MQTT_PUBACK); /* [MQTT-4.5.0-1] F75 */
    }
    wire_ping(&slow);
    expect(&slow, MQTT_PINGRESP); /* before the messages */
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(expect(&slow, MQTT_PUBLISH).u.publish.payload.p[0], 'a' + i);
    expect_nothing(&slow);
    broker_stats(b->broker, &stats);
    assert_int_equal(stats.dropped, 2);
    wire_close(&slow);
    wire_close(&fast);
    finish(b);
}

/* A replay larger than the queue limit arrives whole. */
static void retained_messages_are_not_cut_by_the_queue_limit(void **state)
{
    struct bench *b = *state;
    struct wire w;
    broker_limits_default(&b->limits);
    b->limits.max_queued_messages = 10;
    setup_with(b, NULL);
    connected(&w, b, "a", true);
    char topic[16];
    for (unsigned i = 0; i < 500; i++) {
        (void)snprintf(topic, sizeof topic, "r/%u", i);
        wire_publish(&w, topic, "x", MQTT_QOS0, true, 0);
    }
    wire_subscribe(&w, "r/#", MQTT_QOS1);
    expect(&w, MQTT_SUBACK);
    for (unsigned i = 0; i < 500; i++)
        assert_true(expect(&w, MQTT_PUBLISH).u.publish.retain);
    expect_nothing(&w);
    wire_close(&w);
    finish(b);
}

/* F5 F8: nothing is reserved for a length that is only claimed. */
static void memory_follows_received_bytes_not_claims(void **state)
{
    struct bench *b = *state;
    struct wire w;
    setup(b);
    connected(&w, b, "a", true);
    wire_take(&w);
    size_t before = mem_used();
    const uint8_t claim[] = {0x30, 0x80, 0x80, 0x40}; /* 1 MiB follows, it says */
    wire_send(&w, span_of(claim, sizeof claim));
    assert_true(mem_used() - before < 1024);
    wire_close(&w);
    finish(b);
}

/* A large packet in pieces of every size, mixed with small ones. */
static void packets_may_be_cut_anywhere(void **state)
{
    struct bench *b = *state;
    struct wire in, out;
    static char big[3000];
    memset(big, 'x', sizeof big - 1);
    setup(b);
    connected(&out, b, "out", true);
    wire_subscribe(&out, "#", MQTT_QOS0);
    expect(&out, MQTT_SUBACK);
    struct buf bytes;
    buf_init(&bytes, SIZE_MAX);
    struct mqtt_publish small = {.topic = span_str("s"), .payload = span_str("1")};
    struct mqtt_publish large = {.topic = span_str("l"), .payload = span_str(big)};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(mqtt_put_publish(&bytes, &small), MD_OK);
        assert_int_equal(mqtt_put_publish(&bytes, &large), MD_OK);
    }
    for (size_t piece = 1; piece < 40; piece++) {
        connected(&in, b, "in", true);
        for (size_t at = 0; at < bytes.n; at += piece)
            wire_send(&in, span_of(bytes.p + at, piece < bytes.n - at ? piece : bytes.n - at));
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(expect(&out, MQTT_PUBLISH).u.publish.payload.n, 1);
            struct mqtt_packet p = expect(&out, MQTT_PUBLISH);
            assert_true(span_is(p.u.publish.payload, big));
        }
        expect_nothing(&out);
        wire_close(&in);
        (void)broker_turn(b->broker);
    }
    buf_free(&bytes);
    wire_close(&out);
    finish(b);
}

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

/* One hook set that writes down what it is asked. */
struct diary {
    char text[512];
    enum broker_verdict verdict;
    bool may, pass;
};

static void write_down(struct diary *d, const char *what, struct span id)
{
    size_t n = strlen(d->text);
    (void)snprintf(d->text + n, sizeof d->text - n, "%s(%.*s) ", what, SPAN_ARG(id));
}

static enum broker_verdict on_connect(void *ctx, struct broker_client *who,
                                      const struct broker_message *will)
{
    struct diary *d = ctx;
    write_down(d, will != NULL ? "connect+will" : "connect", who->client_id);
    who->tag = d;
    return d->verdict;
}

static void on_connected(void *ctx, const struct broker_client *who)
{
    assert_ptr_equal(who->tag, ctx);
    write_down(ctx, "connected", who->client_id);
}

static bool may(void *ctx, const struct broker_client *who, enum broker_action what,
                struct span topic)
{
    struct diary *d = ctx;
    (void)topic;
    write_down(d, what == BROKER_PUBLISH ? "pub?" : "sub?", who->client_id);
    return d->may;
}

static bool on_publish(void *ctx, const struct broker_client *who, const struct broker_message *m)
{
    struct diary *d = ctx;
    (void)who;
    write_down(d, "publish", m->topic);
    return d->pass;
}

static void on_disconnect(void *ctx, const struct broker_client *who, const char *why)
{
    assert_ptr_equal(who->tag, ctx);
    assert_true(strlen(why) > 0);
    write_down(ctx, "disconnect", who->client_id);
}

static struct broker_hooks diary_hooks(struct diary *d)
{
    return (struct broker_hooks){.on_connect = on_connect,
                                 .on_connected = on_connected,
                                 .may = may,
                                 .on_publish = on_publish,
                                 .on_disconnect = on_disconnect,
                                 .ctx = d};
}

/* [MQTT-3.1.4-2]: on a takeover the old one is gone before the new one is there. */
static void hooks_see_a_takeover_in_order(void **state)
{
    struct bench *b = *state;
    struct diary d = {.verdict = BROKER_ALLOW, .may = true, .pass = true};
    struct broker_hooks hooks = diary_hooks(&d);
    struct wire old, new;
    broker_limits_default(&b->limits);
    setup_with(b, &hooks);
    connected(&old, b, "x", true);
    connected(&new, b, "x", true);
    wire_take(&old);
    assert_true(old.closed);
    assert_string_equal(d.text, "connect(x) connected(x) connect(x) disconnect(x) connected(x) ");
    wire_close(&old);
    (void)broker_turn(b->broker);
    wire_ping(&new);
    expect(&new, MQTT_PINGRESP); /* F112: the late end of the old one hurts nobody */
    d.text[0] = '\0';
    wire_close(&new);
    assert_string_equal(d.text, "disconnect(x) ");
    finish(b);
}

/* F45 F117: a refused CONNECT changes nothing and its will is not sent. */
static void a_refused_connect_touches_nothing(void **state)
{
    struct bench *b = *state;
    struct diary d = {.verdict = BROKER_ALLOW, .may = true, .pass = true};
    struct broker_hooks hooks = diary_hooks(&d);
    struct wire old, new;
    struct mqtt_connect c = {.level = MQTT_3_1_1,
                             .clean_session = true,
                             .has_will = true,
                             .will_topic = span_str("w"),
                             .will_payload = span_str("dead"),
                             .client_id = span_str("x")};
    broker_limits_default(&b->limits);
    setup_with(b, &hooks);
    connected(&old, b, "x", true);
    d.verdict = BROKER_BAD_CREDENTIALS;
    wire_open(&new, b->broker, 0);
    wire_connect_with(&new, &c);
    assert_int_equal(expect(&new, MQTT_CONNACK).u.connack.code, MQTT_REFUSED_CREDENTIALS);
    assert_true(new.closed);
    wire_ping(&old);
    expect(&old, MQTT_PINGRESP);
    assert_string_equal(d.text, "connect(x) connected(x) connect+will(x) ");
    wire_close(&new);
    wire_close(&old);
    finish(b);
}

/* [MQTT-3.3.5-2]: denied and swallowed messages are acknowledged and go nowhere. */
static void denied_messages_are_acknowledged(void **state)
{
    struct bench *b = *state;
    struct diary d = {.verdict = BROKER_ALLOW, .may = true, .pass = true};
    struct broker_hooks hooks = diary_hooks(&d);
    struct wire w;
    broker_limits_default(&b->limits);
    setup_with(b, &hooks);
    connected(&w, b, "x", true);
    wire_subscribe(&w, "#", MQTT_QOS2);
    expect(&w, MQTT_SUBACK);
    d.may = false;
    wire_publish(&w, "t", "1", MQTT_QOS1, false, 1);
    expect(&w, MQTT_PUBACK);
    expect_nothing(&w);
    wire_subscribe(&w, "u", MQTT_QOS1);
    assert_int_equal(expect(&w, MQTT_SUBACK).u.suback.codes.p[0], MQTT_SUBACK_FAILURE);
    d.may = true;
    d.pass = false;
    wire_publish(&w, "t", "1", MQTT_QOS2, true, 2);
    expect(&w, MQTT_PUBREC);
    expect_nothing(&w);
    wire_close(&w);
    finish(b);
}

/* F22 F23: what comes behind a CONNECT waits for the verdict, and goes with it. */
static void a_verdict_may_come_later(void **state)
{
    struct bench *b = *state;
    struct diary d = {.verdict = BROKER_PENDING, .may = true, .pass = true};
    struct broker_hooks hooks = diary_hooks(&d);
    struct wire w, refused;
    broker_limits_default(&b->limits);
    setup_with(b, &hooks);
    wire_open(&w, b->broker, 0); /* ticket 1 */
    wire_connect(&w, "x", true, MQTT_3_1_1);
    assert_false(conn_reading(w.conn));
    wire_ping(&w);
    expect_nothing(&w);
    assert_false(broker_decide(b->broker, 7, BROKER_ALLOW, NULL));
    assert_true(broker_decide(b->broker, 1, BROKER_ALLOW, &d));
    assert_false(broker_decide(b->broker, 1, BROKER_ALLOW, &d)); /* once */
    assert_int_equal(expect(&w, MQTT_CONNACK).u.connack.code, MQTT_ACCEPTED);
    expect(&w, MQTT_PINGRESP);
    assert_true(conn_reading(w.conn));
    wire_open(&refused, b->broker, 0);
    wire_connect(&refused, "y", true, MQTT_3_1_1);
    wire_subscribe(&refused, "#", MQTT_QOS1);
    assert_true(broker_decide(b->broker, 2, BROKER_BAD_CREDENTIALS, NULL));
    assert_int_equal(expect(&refused, MQTT_CONNACK).u.connack.code, MQTT_REFUSED_CREDENTIALS);
    expect_nothing(&refused);
    assert_true(refused.closed);
    wire_close(&refused);
    wire_open(&refused, b->broker, 0); /* goes away, or is too slow, while it waits */
    wire_connect(&refused, "z", true, MQTT_3_1_1);
    step(b, 10000);
    wire_take(&refused);
    assert_false(refused.closed); /* it is not to blame for the queue before it */
    step(b, 60000);
    wire_take(&refused);
    assert_true(refused.closed);
    assert_false(broker_decide(b->broker, 3, BROKER_ALLOW, NULL));
    wire_close(&refused);
    wire_close(&w);
    finish(b);
}

static void end_it(void *ctx, const struct broker_client *who, struct span filter)
{
    struct broker *b = *(struct broker **)ctx;
    (void)filter;
    assert_true(broker_disconnect(b, who->client_id, "test"));
}

/* A hook may end the client in the middle of its packet. */
static void a_hook_may_end_a_subscribing_client(void **state)
{
    struct bench *b = *state;
    struct wire w;
    struct broker_hooks hooks = {.on_subscribe = end_it, .ctx = &b->broker};
    const uint8_t two[] = {0x82, 10, 0, 1, 0, 1, 'a', 0, 0, 1, 'b', 0};
    broker_limits_default(&b->limits);
    setup_with(b, &hooks);
    connected(&w, b, "x", true);
    wire_send(&w, span_of(two, sizeof two));
    wire_take(&w);
    assert_true(w.closed);
    wire_close(&w);
    finish(b);
}

/* One packet may name "#" thousands of times; the replay ends with the queue. */
static void a_replay_is_bounded(void **state)
{
    struct bench *b = *state;
    struct wire w;
    struct broker_stats stats;
    struct buf packet;
    setup(b);
    connected(&w, b, "a", true);
    char topic[16];
    for (unsigned i = 0; i < 200; i++) {
        (void)snprintf(topic, sizeof topic, "r/%u", i);
        wire_publish(&w, topic, "x", MQTT_QOS0, true, 0);
    }
    buf_init(&packet, SIZE_MAX);
    const uint8_t head[] = {0x82, 0xa2, 0x9c, 0x01, 0, 1}; /* 2 + 5,000 filters of 4 bytes */
    assert_int_equal(buf_put(&packet, span_of(head, sizeof head)), MD_OK);
    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(buf_put(&packet, span_of("\0\1#", 4)), MD_OK);
    wire_send(&w, buf_view(&packet));
    buf_free(&packet);
    expect(&w, MQTT_SUBACK);
    unsigned n = 0;
    struct mqtt_packet p;
    while (wire_next(&w, &p))
        n++;
    assert_int_equal(n, 1000 + 200); /* max_queued_messages and one whole replay */
    broker_stats(b->broker, &stats);
    assert_int_equal(stats.dropped, 1);
    wire_close(&w);
    finish(b);
}

/* When the program stood still, what clients sent meanwhile is read before they are judged. */
static void a_stall_of_ours_does_not_expire_clients(void **state)
{
    struct bench *b = *state;
    struct wire w;
    struct mqtt_connect c = {
        .level = MQTT_3_1_1, .clean_session = true, .keep_alive_s = 2, .client_id = span_str("x")};
    setup(b);
    wire_open(&w, b->broker, 0);
    wire_connect_with(&w, &c);
    expect(&w, MQTT_CONNACK);
    step(b, 20000);
    wire_take(&w);
    assert_false(w.closed);
    wire_ping(&w);
    expect(&w, MQTT_PINGRESP);
    step(b, 2999);
    wire_take(&w);
    assert_false(w.closed);
    step(b, 1);
    wire_take(&w);
    assert_true(w.closed);
    wire_close(&w);
    finish(b);
}

static bool not_secret(void *ctx, const struct broker_client *who, struct span topic)
{
    (void)who;
    return *(bool *)ctx || !span_is(topic, "secret");
}

/* F126 F127: each delivery is asked, live, retained, and what waited for an absent client. */
static void delivery_may_be_refused(void **state)
{
    struct bench *b = *state;
    bool open = false;
    struct broker_hooks hooks = {.may_receive = not_secret, .ctx = &open};
    struct wire pub, sub;
    broker_limits_default(&b->limits);
    setup_with(b, &hooks);
    connected(&pub, b, "pub", true);
    connected(&sub, b, "sub", false);
    wire_publish(&pub, "secret", "retained", MQTT_QOS0, true, 0);
    wire_subscribe(&sub, "#", MQTT_QOS1);
    expect(&sub, MQTT_SUBACK);
    wire_publish(&pub, "secret", "1", MQTT_QOS1, false, 1);
    wire_publish(&pub, "open", "2", MQTT_QOS1, false, 2);
    struct mqtt_packet p = expect(&sub, MQTT_PUBLISH);
    assert_true(span_is(p.u.publish.topic, "open"));
    wire_ack(&sub, MQTT_PUBACK, p.u.publish.packet_id);
    expect_nothing(&sub);
    wire_close(&sub);
    (void)broker_turn(b->broker);
    open = true;
    wire_publish(&pub, "secret", "3", MQTT_QOS1, false, 3);
    open = false; /* revoked while it was away */
    wire_open(&sub, b->broker, 0);
    wire_connect(&sub, "sub", false, MQTT_3_1_1);
    expect(&sub, MQTT_CONNACK);
    expect_nothing(&sub);
    wire_close(&sub);
    wire_close(&pub);
    finish(b);
}

static void broker_disconnect_ends_a_client(void **state)
{
    struct bench *b = *state;
    struct wire w;
    setup(b);
    connected(&w, b, "x", true);
    assert_false(broker_disconnect(b->broker, span_str("y"), "test"));
    assert_true(broker_disconnect(b->broker, span_str("x"), "test"));
    assert_true(w.woken);
    wire_take(&w);
    assert_true(w.closed);
    assert_false(broker_disconnect(b->broker, span_str("x"), "test"));
    wire_close(&w);
    finish(b);
}

/* [MQTT-4.8.0-2], house C34, F141: every allocation of a two-client dialogue fails in turn; nothing crashes, nothing
 * leaks, and a bystander goes on. */
static void dialogue(struct bench *b, long fail_after)
{
    struct wire a, c;
    struct mqtt_packet p;
    struct mqtt_connect will = {.level = MQTT_3_1_1,
                                .has_will = true,
                                .will_qos = MQTT_QOS1,
                                .will_topic = span_str("will"),
                                .will_payload = span_str("x"),
                                .client_id = span_str("a"),
                                .has_username = true,
                                .username = span_str("user")};
    wire_open(&a, b->broker, 0);
    wire_open(&c, b->broker, 0);
    a.fail_after = c.fail_after = &fail_after;
    wire_connect_with(&a, &will);
    wire_connect(&c, "", true, MQTT_3_1_1);
    wire_subscribe(&c, "a/+/#", MQTT_QOS2);
    wire_subscribe(&c, "will", MQTT_QOS2);
    wire_publish(&a, "a/b/c", "hello", MQTT_QOS2, true, 1);
    wire_ack(&a, MQTT_PUBREL, 1);
    wire_publish(&a, "a/b", "world", MQTT_QOS1, false, 2);
    wire_subscribe(&a, "#", MQTT_QOS1);
    a.fail_after = c.fail_after = NULL;
    while (wire_next(&c, &p) || wire_next(&a, &p))
        if (p.type == MQTT_PUBLISH && p.u.publish.qos == MQTT_QOS2)
            wire_ack(&c, MQTT_PUBREC, p.u.publish.packet_id);
    wire_lose(&a);
    while (wire_next(&c, &p))
        ;
    (void)broker_turn(b->broker);
    wire_close(&a);
    wire_close(&c);
    (void)broker_turn(b->broker);
}

static void out_of_memory_costs_one_connection(void **state)
{
    struct bench *b = *state;
    for (long n = 1; n < 120; n++) {
        struct wire bystander;
        setup(b);
        connected(&bystander, b, "bystander", true);
        wire_subscribe(&bystander, "alive", MQTT_QOS1);
        expect(&bystander, MQTT_SUBACK);
        dialogue(b, n);
        wire_publish(&bystander, "alive", "yes", MQTT_QOS1, false, 9);
        expect(&bystander, MQTT_PUBACK);
        expect(&bystander, MQTT_PUBLISH);
        wire_close(&bystander);
        finish(b);
    }
}

static void quiet(void *ctx, enum log_level lv, const char *module, const char *line)
{
    (void)ctx;
    (void)lv;
    (void)module;
    assert_true(strlen(line) > 0);
}

int main(void)
{
    static struct bench bench;
    void *initial = &bench;
#define T(f) cmocka_unit_test_prestate(f, initial)
    const struct CMUnitTest tests[] = {
        T(a_silent_connection_is_closed_after_ten_seconds),
        T(keep_alive_is_one_and_a_half_times),
        T(keep_alive_zero_is_off),
        T(max_connections_refuses_politely),
        T(a_stalled_subscriber_drops_the_newest),
        T(retained_messages_are_not_cut_by_the_queue_limit),
        T(memory_follows_received_bytes_not_claims),
        T(packets_may_be_cut_anywhere),
        T(modules_in_the_process_are_clients_too),
        T(requests_cannot_flood_the_program),
        T(timers_of_modules_fire_once),
        T(hooks_see_a_takeover_in_order),
        T(a_refused_connect_touches_nothing),
        T(denied_messages_are_acknowledged),
        T(a_verdict_may_come_later),
        T(a_hook_may_end_a_subscribing_client),
        T(a_replay_is_bounded),
        T(a_stall_of_ours_does_not_expire_clients),
        T(delivery_may_be_refused),
        T(broker_disconnect_ends_a_client),
        T(out_of_memory_costs_one_connection),
    };
#undef T
    log_set_sink(quiet, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
