/* What the hooks are asked, in which order, and what their answers do. */
#include "tests/unit/core/bench.h"

#include <stdio.h>

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
/* Asks, from inside on_publish, whether the publisher may use the topic in the payload. */
struct asker {
    struct broker *broker;
    const char *closed;
    bool answer;
};

static bool not_closed(void *ctx, const struct broker_client *who, enum broker_action what,
                       struct span topic)
{
    const struct asker *a = ctx;
    (void)who;
    return what == BROKER_PUBLISH && !span_is(topic, a->closed);
}

static bool ask_for_payload(void *ctx, const struct broker_client *who,
                            const struct broker_message *m)
{
    struct asker *a = ctx;
    a->answer = broker_may(a->broker, who, BROKER_PUBLISH, m->payload);
    return true;
}

/* A hook can ask whether a client may use another topic: by the hooks, and behind a mount_point only
 * inside of it. */
static void a_hook_may_ask_what_a_client_may(void **state)
{
    struct bench *b = *state;
    struct asker a = {.closed = "secret"};
    struct broker_hooks hooks = {.may = not_closed, .on_publish = ask_for_payload, .ctx = &a};
    struct conn_peer peer = {.address = "test:2", .mount = "house/"};
    struct wire w, mounted;
    broker_limits_default(&b->limits);
    setup_with(b, &hooks);
    a.broker = b->broker;
    connected(&w, b, "x", true);
    wire_publish(&w, "t", "open", MQTT_QOS0, false, 0);
    assert_true(a.answer);
    wire_publish(&w, "t", "secret", MQTT_QOS0, false, 0);
    assert_false(a.answer);
    wire_open_peer(&mounted, b->broker, &peer);
    wire_connect(&mounted, "y", true, MQTT_3_1_1);
    wire_publish(&mounted, "t", "house/x", MQTT_QOS0, false, 0);
    assert_true(a.answer);
    static const char *const outside[] = {"house/", "house", "x", "houses/x"};
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        a.answer = true;
        wire_publish(&mounted, "t", outside[i], MQTT_QOS0, false, 0);
        assert_false(a.answer);
    }
    a.closed = "house/x";
    wire_publish(&mounted, "t", "house/x", MQTT_QOS0, false, 0);
    assert_false(a.answer);
    wire_close(&mounted);
    wire_close(&w);
    finish(b);
}

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

/* How connections came about, and those that came to nothing. */
struct arrivals {
    enum broker_verdict verdict;
    char text[600];
};

static void note_arrival(struct arrivals *a, const char *what, const struct broker_client *who,
                         const char *why)
{
    size_t n = strlen(a->text);
    const struct broker_arrival *at = who->arrival;
    (void)snprintf(a->text + n, sizeof a->text - n, "%s id=%.*s %u+%u %s %s: %s\n", what,
                   SPAN_ARG(who->client_id), at == NULL ? 0 : (unsigned)at->opened_ms,
                   at == NULL || at->secured_ms == 0 ? 0
                                                     : (unsigned)(at->secured_ms - at->opened_ms),
                   at == NULL || at->cipher == NULL ? "-" : at->cipher,
                   at == NULL || at->hello == NULL ? "-" : at->hello, why);
}

static enum broker_verdict arrival_connect(void *ctx, struct broker_client *who,
                                           const struct broker_message *will)
{
    (void)will;
    note_arrival(ctx, "connect", who, "");
    return ((struct arrivals *)ctx)->verdict;
}

static void arrival_connected(void *ctx, const struct broker_client *who)
{
    note_arrival(ctx, "connected", who, "");
}

static bool arrival_may(void *ctx, const struct broker_client *who, enum broker_action what,
                        struct span topic)
{
    (void)ctx;
    (void)what;
    (void)topic;
    assert_null(who->arrival); /* it is told once and not kept */
    return true;
}

static void arrival_failed(void *ctx, const struct broker_client *who, const char *why)
{
    note_arrival(ctx, "failed", who, why);
}

static void how_a_connection_came_about(void **state)
{
    struct bench *b = *state;
    struct arrivals a = {.verdict = BROKER_ALLOW};
    struct broker_hooks hooks = {.on_connect = arrival_connect,
                                 .on_connected = arrival_connected,
                                 .may = arrival_may,
                                 .on_failed = arrival_failed,
                                 .ctx = &a};
    struct wire w;
    char want[600];
    broker_limits_default(&b->limits);
    setup_with(b, &hooks);
    unsigned at = (unsigned)b->fake.mono_ms;
    wire_open(&w, b->broker, 0);
    step(b, 30);
    conn_secured(w.conn, "TLSv1.2 SUITE", "771,47");
    wire_connect(&w, "x", true, MQTT_3_1_1);
    expect(&w, MQTT_CONNACK);
    wire_subscribe(&w, "#", MQTT_QOS0);
    (void)snprintf(want, sizeof want,
                   "connect id=x %u+30 TLSv1.2 SUITE 771,47: \n"
                   "connected id=x %u+30 TLSv1.2 SUITE 771,47: \n",
                   at, at);
    assert_string_equal(a.text, want);
    wire_close(&w);
    assert_string_equal(a.text, want); /* it did not fail */
    finish(b);
}

static void connections_that_came_to_nothing(void **state)
{
    struct bench *b = *state;
    struct arrivals a = {.verdict = BROKER_NOT_AUTHORIZED};
    struct broker_hooks hooks = {
        .on_connect = arrival_connect, .on_failed = arrival_failed, .ctx = &a};
    struct wire w;
    char want[600];
    broker_limits_default(&b->limits);
    setup_with(b, &hooks);
    unsigned at = (unsigned)b->fake.mono_ms;
    wire_open(&w, b->broker, 0); /* TLS fails: it is told once, with the reason */
    conn_secured(w.conn, NULL, "769,10");
    conn_failed(w.conn, "TLS: no suite");
    wire_close(&w);
    wire_open(&w, b->broker, 0); /* refused */
    wire_connect(&w, "x", true, MQTT_3_1_1);
    wire_close(&w);
    wire_open(&w, b->broker, 0); /* CONNECT itself is wrong */
    wire_connect(&w, "", true, MQTT_3_1);
    wire_close(&w);
    wire_open(&w, b->broker, 0); /* no CONNECT */
    wire_close(&w);
    (void)snprintf(want, sizeof want,
                   "failed id= %u+0 - 769,10: TLS: no suite\n"
                   "connect id=x %u+0 - -: \n"
                   "failed id=x %u+0 - -: it was refused\n"
                   "failed id= %u+0 - -: an empty Client Identifier needs MQTT 3.1.1 and Clean "
                   "Session 1\n"
                   "failed id= %u+0 - -: ",
                   at, at, at, at, at);
    a.text[strlen(want)] = '\0';
    assert_string_equal(a.text, want);
    finish(b);
}

int main(void)
{
    static struct bench bench;
    void *initial = &bench;
#define T(f) cmocka_unit_test_prestate(f, initial)
    const struct CMUnitTest tests[] = {
        T(hooks_see_a_takeover_in_order),       T(a_refused_connect_touches_nothing),
        T(denied_messages_are_acknowledged),    T(a_hook_may_ask_what_a_client_may),
        T(a_verdict_may_come_later),
        T(a_hook_may_end_a_subscribing_client), T(delivery_may_be_refused),
        T(how_a_connection_came_about),         T(connections_that_came_to_nothing),
    };
#undef T
    log_set_sink(quiet, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
