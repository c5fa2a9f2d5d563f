/* The client against a scripted broker: what it sends, what it makes of the answers, and how it
 * says what went wrong. */
#include "tests/unit/no_leak.h"
#include "tests/unit/tools/peer.h"
#include "tools/host_env.h"
#include "tools/mqtt_client.h"

#include <stdio.h>

static char err[MQTT_CLIENT_ERR_MAX];

static int open_port(struct mqtt_client **c, unsigned port, unsigned timeout_ms)
{
    struct mqtt_client_config cfg = {.host = "127.0.0.1",
                                     .port = port,
                                     .timeout_ms = timeout_ms,
                                     .username = "me",
                                     .password = "pw"};
    err[0] = '\0';
    return mqtt_client_open(c, &cfg, host_env(), err);
}

static struct mqtt_client *connected(struct peer *p, void (*script)(struct peer *p),
                                     const void *arg)
{
    struct mqtt_client *c = NULL;
    assert_true(peer_start(p, script, arg));
    if (open_port(&c, p->port, 20000) != MD_OK)
        fail_msg("%s", err);
    return c;
}

/* --- opening ------------------------------------------------------------------------------- */

static void accept_and_note(struct peer *p)
{
    struct mqtt_packet k;
    if (!peer_read(p, &k, MQTT_LEVEL_NONE))
        return;
    const struct mqtt_connect *c = &k.u.connect;
    (void)snprintf(p->note, sizeof p->note, "level %d clean %d keep %u id %.12s user %.*s pw %.*s",
                   (int)c->level, c->clean_session, c->keep_alive_s, (const char *)c->client_id.p,
                   SPAN_ARG(c->username), SPAN_ARG(c->password));
    peer_connack(p, MQTT_ACCEPTED);
    if (peer_read(p, &k, MQTT_3_1_1) && k.type == MQTT_DISCONNECT)
        strcat(p->note, " bye");
}

static void connect_says_who_it_is_and_goodbye(void **state)
{
    (void)state;
    struct peer p;
    struct mqtt_client *c = connected(&p, accept_and_note, NULL);
    mqtt_client_close(c);
    peer_stop(&p);
    assert_string_equal(p.note, "level 4 clean 1 keep 60 id merossd-cli- user me pw pw bye");
}

static void answer_connect_with(struct peer *p)
{
    struct mqtt_packet k;
    const struct span *answer = p->arg;
    if (peer_read(p, &k, MQTT_LEVEL_NONE))
        peer_send(p, *answer);
}

static void refused(const void *answer, size_t n, int rc, const char *word)
{
    struct peer p;
    struct span s = span_of(answer, n);
    struct mqtt_client *c = NULL;
    assert_true(peer_start(&p, answer_connect_with, &s));
    assert_int_equal(open_port(&c, p.port, 20000), rc);
    peer_stop(&p);
    assert_null(c);
    if (strstr(err, word) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", err, word);
}

static void refusals_say_what_to_do(void **state)
{
    (void)state;
    refused("\x20\x02\x00\x04", 4, MD_DENIED, "-u and -P");
    refused("\x20\x02\x00\x05", 4, MD_DENIED, "not authorised");
    refused("\x20\x02\x00\x03", 4, MD_DENIED, "try again later");
    refused("", 0, MD_CLOSED, "does not answer as an MQTT broker");
    refused("HTTP/1.1 400 Bad Request\r\n\r\n", 28, MD_CLOSED, "does not answer as an MQTT broker");
    refused("\x15\x03\x01\x00\x02\x02\x0a", 7, MD_PROTO, "--cafile");
}

static void say_nothing(struct peer *p)
{
    struct mqtt_packet k;
    while (peer_read(p, &k, MQTT_LEVEL_NONE))
        continue;
}

static void silence_ends_in_a_timeout(void **state)
{
    (void)state;
    struct peer p;
    struct mqtt_client *c = NULL;
    assert_true(peer_start(&p, say_nothing, NULL));
    assert_int_equal(open_port(&c, p.port, 30), MD_TIMEOUT);
    peer_stop(&p);
    assert_non_null(strstr(err, "no answer in time"));
}

static void a_closed_port_is_explained(void **state)
{
    (void)state;
    struct mqtt_client *c = NULL;
    assert_int_equal(open_port(&c, peer_dead_port(), 20000), MD_IO);
    assert_non_null(strstr(err, "connection refused. Is merossd running? Start it with `merossd`"));
}

static void an_unknown_host_is_explained(void **state)
{
    (void)state;
    struct mqtt_client *c = NULL;
    struct mqtt_client_config cfg = {.host = "no such host", .port = 1, .timeout_ms = 20000};
    assert_int_equal(mqtt_client_open(&c, &cfg, host_env(), err), MD_NOENT);
    assert_non_null(strstr(err, "no such host"));
}

static void a_missing_ca_is_named(void **state)
{
    (void)state;
    struct peer p;
    struct mqtt_client *c = NULL;
    assert_true(peer_start(&p, say_nothing, NULL));
    struct mqtt_client_config cfg = {
        .host = "127.0.0.1", .port = p.port, .timeout_ms = 20000, .ca_file = "/nowhere/ca.pem"};
    assert_int_not_equal(mqtt_client_open(&c, &cfg, host_env(), err), MD_OK);
    peer_stop(&p);
    assert_non_null(strstr(err, "/nowhere/ca.pem"));
}

/* --- use ----------------------------------------------------------------------------------- */

static void subscribe_script(struct peer *p)
{
    struct mqtt_packet k;
    const uint8_t *code = p->arg;
    if (!peer_read(p, &k, MQTT_LEVEL_NONE))
        return;
    peer_connack(p, MQTT_ACCEPTED);
    if (!peer_read(p, &k, MQTT_3_1_1) || k.type != MQTT_SUBSCRIBE)
        return;
    uint16_t id = k.u.filters.packet_id;
    peer_publish(p, "a/1", "one", MQTT_QOS0, true); /* retained messages may come first */
    peer_publish(p, "a/2", "two", MQTT_QOS1, false);
    peer_suback(p, id, *code);
    while (peer_read(p, &k, MQTT_3_1_1))
        if (k.type == MQTT_PUBACK)
            (void)snprintf(p->note, sizeof p->note, "puback %u", k.u.ack.packet_id);
}

static void messages_before_suback_are_kept(void **state)
{
    (void)state;
    struct peer p;
    struct mqtt_publish m;
    uint8_t code = 1;
    struct mqtt_client *c = connected(&p, subscribe_script, &code);
    assert_int_equal(mqtt_client_subscribe(c, span_str("a/#"), MQTT_QOS1), MD_OK);
    assert_int_equal(mqtt_client_next(c, 20000, &m), MD_OK);
    assert_true(span_is(m.topic, "a/1") && span_is(m.payload, "one") && m.retain);
    assert_int_equal(mqtt_client_next(c, 20000, &m), MD_OK);
    assert_true(span_is(m.topic, "a/2") && span_is(m.payload, "two") && !m.retain);
    assert_int_equal(mqtt_client_next(c, 0, &m), MD_TIMEOUT);
    mqtt_client_close(c);
    peer_stop(&p);
    assert_string_equal(p.note, "puback 77");
}

static void a_refused_subscription_is_an_error(void **state)
{
    (void)state;
    struct peer p;
    uint8_t code = MQTT_SUBACK_FAILURE;
    struct mqtt_client *c = connected(&p, subscribe_script, &code);
    assert_int_equal(mqtt_client_subscribe(c, span_str("a/#"), MQTT_QOS1), MD_DENIED);
    mqtt_client_close(c);
    peer_stop(&p);
}

static void byte_by_byte(struct peer *p)
{
    static const char bytes[] = "\x20\x02\x00\x00\x30\x05\x00\x01tab";
    struct mqtt_packet k;
    if (!peer_read(p, &k, MQTT_LEVEL_NONE))
        return;
    for (size_t i = 0; i < sizeof bytes - 1; i++)
        peer_send(p, span_of(bytes + i, 1));
}

static void packets_may_come_in_pieces_and_the_end_is_told(void **state)
{
    (void)state;
    struct peer p;
    struct mqtt_publish m;
    struct mqtt_client *c = connected(&p, byte_by_byte, NULL);
    assert_int_equal(mqtt_client_next(c, 20000, &m), MD_OK);
    assert_true(span_is(m.topic, "t") && span_is(m.payload, "ab"));
    assert_int_equal(mqtt_client_next(c, 20000, &m), MD_CLOSED);
    mqtt_client_close(c);
    peer_stop(&p);
}

static void note_publish(struct peer *p)
{
    struct mqtt_packet k;
    if (!peer_read(p, &k, MQTT_LEVEL_NONE))
        return;
    peer_connack(p, MQTT_ACCEPTED);
    while (peer_read(p, &k, MQTT_3_1_1))
        if (k.type == MQTT_PUBLISH)
            (void)snprintf(p->note, sizeof p->note, "%.*s=%.*s", SPAN_ARG(k.u.publish.topic),
                           SPAN_ARG(k.u.publish.payload));
}

static void publish_sends_and_refuses_wildcards(void **state)
{
    (void)state;
    struct peer p;
    struct mqtt_client *c = connected(&p, note_publish, NULL);
    assert_int_equal(mqtt_client_publish(c, span_str("a/+"), span_str("x")), MD_INVAL);
    assert_int_equal(mqtt_client_publish(c, span_str("a/b"), span_str("x")), MD_OK);
    mqtt_client_close(c);
    peer_stop(&p);
    assert_string_equal(p.note, "a/b=x");
}

/* --- keep alive, on a clock that jumps ------------------------------------------------------ */

static uint64_t jump_ms(void *ctx)
{
    const uint64_t *ahead = ctx;
    return env_mono_ms(host_env()) + *ahead;
}

static void ping_script(struct peer *p)
{
    struct mqtt_packet k;
    const int *answers = p->arg;
    if (!peer_read(p, &k, MQTT_LEVEL_NONE))
        return;
    peer_connack(p, MQTT_ACCEPTED);
    for (int pings = 0; peer_read(p, &k, MQTT_3_1_1);) {
        if (k.type != MQTT_PINGREQ)
            continue;
        (void)snprintf(p->note, sizeof p->note, "%d pings", ++pings);
        if (pings > *answers)
            continue;
        peer_send(p, span_of("\xd0\x00", 2));
        peer_publish(p, "t", "x", MQTT_QOS0, false);
    }
}

static void idle_connections_are_kept_alive_and_dead_ones_noticed(void **state)
{
    (void)state;
    struct peer p;
    struct mqtt_publish m;
    struct mqtt_client *c = NULL;
    uint64_t ahead = 0;
    int answers = 1;
    struct env env = *host_env();
    env.mono_ms = jump_ms;
    env.ctx = &ahead;
    assert_true(peer_start(&p, ping_script, &answers));
    struct mqtt_client_config cfg = {.host = "127.0.0.1", .port = p.port, .timeout_ms = 20000};
    assert_int_equal(mqtt_client_open(&c, &cfg, &env, err), MD_OK);
    ahead += MQTT_CLIENT_KEEP_ALIVE_S * 500;
    assert_int_equal(mqtt_client_next(c, 20000, &m), MD_OK); /* after PINGREQ and PINGRESP */
    ahead += MQTT_CLIENT_KEEP_ALIVE_S * 500;
    assert_int_equal(mqtt_client_next(c, 1, &m), MD_TIMEOUT); /* pinged, and nobody answers */
    ahead += MQTT_CLIENT_KEEP_ALIVE_S * 500;
    assert_int_equal(mqtt_client_next(c, 20000, &m), MD_CLOSED);
    mqtt_client_close(c);
    peer_stop(&p);
    assert_string_equal(p.note, "2 pings");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_says_who_it_is_and_goodbye),
        cmocka_unit_test(refusals_say_what_to_do),
        cmocka_unit_test(silence_ends_in_a_timeout),
        cmocka_unit_test(a_closed_port_is_explained),
        cmocka_unit_test(an_unknown_host_is_explained),
        cmocka_unit_test(a_missing_ca_is_named),
        cmocka_unit_test(messages_before_suback_are_kept),
        cmocka_unit_test(a_refused_subscription_is_an_error),
        cmocka_unit_test(packets_may_come_in_pieces_and_the_end_is_told),
        cmocka_unit_test(publish_sends_and_refuses_wildcards),
        cmocka_unit_test(idle_connections_are_kept_alive_and_dead_ones_noticed),
        LAST_TEST(no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
