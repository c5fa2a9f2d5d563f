/* Other clients and a plug: their turn, their answers, and what they are refused. */
#include "tests/unit/meross/foreign_words.h"

#include "meross/device/askers.h"
#include "meross/session/command.h"
#include "meross/session/foreign.h"
#include "meross/session/refusal.h"

#define ABILITY_OF(list) "{\"ability\":{\"Appliance.System.All\":{}," list "}}"

static const char *id_of(unsigned i)
{
    static char id[33];
    (void)snprintf(id, sizeof id, "%032x", 0xabc000u + i);
    return id;
}

/* [trap 6] The same bytes; the answer goes where it was asked for, and both feed the state. */
static void test_passes_unchanged(void **state)
{
    (void)state;
    ready_with_a_client();
    foreign_ask("SET", TOGGLEX, ID("01"), "{\"togglex\":{\"channel\":0,\"onoff\":0}}");
    foreign_arrives();
    foreign_is_answered("SETACK", TOGGLEX, ID("01"), "{}");
    rig_say(&plug, RIG_FROM, "PUSH", TOGGLEX, ID("02"), "",
            "{\"togglex\":[{\"channel\":0,\"onoff\":0,\"lmTime\":7}]}");
    payload_is("meross/" NAME,
               "{\"state\":\"OFF\",\"channels\":[{\"channel\":0,\"state\":\"OFF\"}]}");
    foreign_ask("GET", ALL, ID("03"), "{}");
    foreign_arrives();
    foreign_is_answered("GETACK", ALL, ID("03"), RIG_ALL);
    payload_is("meross/" NAME,
               "{\"state\":\"ON\",\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
    assert_int_equal(rig_logged("refused"), 0);
}

/* A client that spells the uuid in capitals reaches the plug. */
static void test_spelling_of_the_uuid(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_plug(&plug, "2101011234567890123448e1e9abcdef", "48:e1:e9:ab:cd:ef", "");
    assert_int_equal(rig_connect(&plug), BROKER_ALLOW);
    rig_listen(&plug, "/appliance/2101011234567890123448e1e9abcdef/subscribe");
    rig_step(3000);
    rig_client(&other, "script", NULL, NULL);
    assert_int_equal(rig_connect(&other), BROKER_ABSTAIN);
    rig_say(&plug, plug.topic, "PUSH", "Appliance.System.Report", "r", "", "{}");
    rig_skip();
    assert_false(rig_publish(&other, "/appliance/2101011234567890123448E1E9ABCDEF/subscribe",
                             foreign_write("GET", ALL, ID("01"), "", APP, "{}"), false));
    rig_step(20000);
    bool found = false;
    for (size_t i = 0; i < rig->n; i++)
        found |=
            strcmp(rig->pub[i].payload, message) == 0 &&
            strcmp(rig->pub[i].topic, "/appliance/2101011234567890123448e1e9abcdef/subscribe") == 0;
    assert_true(found);
}

/* [trap 23] One at a time; silence costs one time-out and blocks nobody for ever. */
static void test_one_in_flight(void **state)
{
    (void)state;
    ready_with_a_client();
    foreign_ask("GET", ALL, ID("01"), "{}");
    foreign_arrives();
    foreign_ask("GET", "Appliance.System.Ability", ID("02"), "{}");
    assert_null(rig_find(RIG_TO));
    foreign_is_answered("GETACK", ALL, ID("01"), RIG_ALL);
    foreign_arrives();
    rig_step(2500);
    foreign_ask("GET", TIME, ID("03"), "{}"); /* waits behind the silent one */
    rig_step(2499);
    assert_null(rig_find(RIG_TO));
    rig_step(1);
    foreign_arrives();
    assert_int_equal(rig_logged("refused"), 0);
}

/* What waits too long is not sent any more: its timestamp is old, and its sender is told. */
static void test_deadline(void **state)
{
    (void)state;
    ready_with_a_client();
    foreign_ask("GET", ALL, ID("01"), "{}");
    foreign_arrives();
    rig_step(999);
    foreign_ask("GET", TIME, ID("02"), "{}"); /* the first ends 5 s after it was sent */
    rig_step(FOREIGN_WAIT_MS - 1);
    assert_null(rig_find(APP));
    rig_step(1);
    foreign_is_refused("too many messages wait");
    assert_non_null(rig_last(EVENT));
    rig_skip();
    rig_step(5000);
    assert_null(rig_find(RIG_TO));
}

/* An answer cannot go to many topics, and it is not tried. */
static void test_no_answer_to_a_filter(void **state)
{
    (void)state;
    static const char *const topics[] = {"#", "+", "a/#", "a/+/b"};
    ready_with_a_client();
    for (size_t i = 0; i < 4; i++) {
        assert_false(rig_publish(&other, RIG_TO,
                                 foreign_write("GET", ALL, id_of((unsigned)i), "", topics[i], "{}"),
                                 false));
        assert_null(rig_find(topics[i]));
    }
    assert_null(rig_find(RIG_TO));
    assert_null(strstr(rig->log, "not published"));
}

/* At the limit of the queue and one past it; people have places of their own and go first. */
static void test_queue_is_bounded(void **state)
{
    (void)state;
    ready_with_a_client();
    foreign_ask("GET", ALL, ID("01"), "{}");
    foreign_arrives();
    for (unsigned i = 0; i < FOREIGN_QUEUE_MAX; i++)
        foreign_ask("GET", TIME, id_of(i), "{}");
    assert_null(rig_find(APP));
    foreign_ask("GET", TIME, id_of(FOREIGN_QUEUE_MAX), "{}");
    foreign_is_refused("too many messages wait");
    rig_ask("meross/" NAME "/set", "{\"state\":\"OFF\",\"transaction\":1}");
    rig_step(COMMAND_YIELD_MS - 1);
    assert_null(rig_find(RIG_TO));
    rig_step(1);
    rig_expect(&plug, "SET", TOGGLEX, "", "{}");
    assert_non_null(strstr(rig_last("meross/" NAME "/response")->payload, "\"ok\""));
    (void)foreign_write("GET", TIME, id_of(0), "", APP, "{}"); /* next is the first that waited */
    assert_string_equal(rig_last(RIG_TO)->payload, message);
}

/* [trap 39] New firmware: a second between them. */
static void test_gentle(void **state)
{
    (void)state;
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, ID("b1"), "", RIG_BIND_OF("mss305", "8.3.15"));
    rig_client(&other, "script", NULL, NULL);
    assert_int_equal(rig_connect(&other), BROKER_ABSTAIN);
    rig_skip();
    foreign_ask("GET", ALL, ID("01"), "{}");
    rig_step(999);
    assert_null(rig_find(RIG_TO));
    rig_step(1);
    foreign_arrives();
    rig_step(100);
    foreign_is_answered("GETACK", ALL, ID("01"), "{}");
    rig_skip();
    foreign_ask("GET", TIME, ID("02"), "{}");
    rig_step(999);
    assert_null(rig_find(RIG_TO));
    rig_step(1);
    foreign_arrives();
}

/* Before Bind it waits; what comes to a plug that is away is refused. */
static void test_waits_for_bind(void **state)
{
    (void)state;
    rig_attach(NULL);
    arrive("");
    rig_client(&other, "script", NULL, NULL);
    assert_int_equal(rig_connect(&other), BROKER_ABSTAIN);
    foreign_ask("GET", ALL, ID("01"), "{}");
    assert_null(rig_find(RIG_TO));
    rig_say(&plug, RIG_FROM, "SET", BIND, ID("b1"), "", RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    foreign_arrives();
    foreign_ask("GET", TIME, ID("02"), "{}");
    rig_drop(&plug, "x");
    foreign_is_refused("not connected"); /* what waited */
    foreign_ask("GET", ALL, ID("03"), "{}");
    foreign_is_refused("not connected");
}

/* [trap 13] [trap 25] Nobody hears of what is refused but its sender, the log and the event; a
 * flood is counted. */
static void test_refusals_are_told(void **state)
{
    (void)state;
    ready_with_a_client();
    unsigned events = rig_count(EVENT);
    assert_false(rig_publish(&other, RIG_TO, "1", false));
    assert_int_equal(rig_logged("refused: it is no well-formed"), 1);
    assert_non_null(strstr(rig_find(EVENT)->payload,
                           "{\"event\":\"shield\",\"reason\":\"it is no well-formed"));
    assert_null(rig_find(APP));
    for (unsigned i = 0; i < 5; i++)
        assert_false(rig_publish(&other, RIG_TO, "1", false));
    assert_int_equal(rig_logged("refused"), 1);
    assert_int_equal(rig_count(EVENT), events + 1);
    rig_step(10000);
    assert_false(
        rig_publish(&other, RIG_TO, foreign_write("GET", ALL, ID("01"), "", APP, "{}"), true));
    assert_int_equal(rig_logged("(5 more since"), 1);
    foreign_is_refused("retain flag");
    const struct rig_pub *p = rig_last(APP);
    assert_non_null(strstr(p->payload, "\"messageId\":\"" ID("01") "\""));
    assert_non_null(strstr(p->payload, "\"namespace\":\"" ALL "\""));
    assert_non_null(strstr(p->payload, "\"from\":\"" RIG_FROM "\""));
    assert_non_null(strstr(p->payload, "{\"error\":{\"code\":5000,\"detail\":\""));
    rig_step(60000);
    assert_non_null(
        strstr(rig_last("meross/broker/info")->payload, "\"shield\":{\"passed\":0,\"refused\":7}"));
    rig_skip();
    assert_false(rig_publish(&other, RIG_TO, "1", false));
    assert_null(rig_find(RIG_TO));
    /* What is no plug is none of our business, but it is no place for rubbish either. */
    assert_true(rig_publish(&other, "/appliance/3101011234567890123448e1e9123456/subscribe",
                            foreign_write("GET", ALL, ID("01"), "", APP, "{}"), false));
    assert_false(
        rig_publish(&other, "/appliance/3101011234567890123448e1e9123456/subscribe", "1", false));
}

/* Whoever does not know the key hears so at once, and is told nothing that is signed with it. */
static void test_signature(void **state)
{
    (void)state;
    static const char *const keys[] = {"secret", NULL};
    struct envelope e;
    rig_attach(keys);
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, ID("b1"), "secret", RIG_BIND);
    rig_client(&other, "script", NULL, NULL);
    assert_int_equal(rig_connect(&other), BROKER_ABSTAIN);
    rig_step(20000);
    rig_skip();
    for (unsigned right = 0; right < 2; right++) {
        const char *ns = right ? "Appliance.Config.Key" : ALL;
        assert_false(rig_publish(
            &other, RIG_TO, foreign_write("GET", ns, ID("01"), right ? "secret" : "", APP, "{}"),
            false));
        const struct rig_pub *p = rig_find(APP);
        assert_non_null(p);
        assert_non_null(strstr(p->payload, right ? "\"code\":5000" : "\"code\":5001"));
        assert_int_equal(envelope_parse(&e, span_str(p->payload)), MD_OK);
        assert_int_equal(envelope_signed(&e, "secret"), right);
        assert_int_equal(envelope_signed(&e, ""), !right);
        envelope_free(&e);
    }
}

/* A plug of which nobody knows the key: its owner's other programs may. */
static void test_unknown_key(void **state)
{
    (void)state;
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, ID("b1"), "their secret", RIG_BIND);
    rig_client(&other, "script", NULL, NULL);
    assert_int_equal(rig_connect(&other), BROKER_ABSTAIN);
    rig_skip();
    assert_false(rig_publish(
        &other, RIG_TO, foreign_write("GET", ALL, ID("01"), "their secret", APP, "{}"), false));
    foreign_arrives();
}

/* [trap 18] A messageId that the plug has seen. */
static void test_repeated_id(void **state)
{
    (void)state;
    ready_with_a_client();
    foreign_ask("GET", ALL, ID("01"), "{}");
    foreign_arrives();
    foreign_is_answered("GETACK", ALL, ID("01"), RIG_ALL);
    foreign_ask("GET", ALL, ID("01"), "{}");
    foreign_is_refused("messageId was used before");
    foreign_ask("GET", ALL, ID("02"), "{}");
    foreign_ask("GET", ALL, ID("02"), "{}"); /* while the first is in flight */
    foreign_is_refused("messageId was used before");
}

/* [trap 7] [trap 31] Somebody else acknowledges Bind and answers Clock as well: the plug hears each
 * answer once.  What it has not asked is not answered. */
static void test_other_partners_answers(void **state)
{
    (void)state;
    ready_with_a_client();
    rig_say(&plug, RIG_FROM, "SET", BIND, ID("b2"), "", RIG_BIND);
    assert_non_null(rig_find(RIG_TO));
    assert_false(rig_publish(
        &other, RIG_TO, foreign_write("SETACK", BIND, ID("b2"), "", "/cloud/hook/subscribe", "{}"),
        false));
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Clock", ID("c1"), "",
            "{\"clock\":{\"timestamp\":6}}");
    assert_non_null(rig_find(RIG_TO));
    assert_false(rig_publish(&other, RIG_TO,
                             foreign_write("PUSH", "Appliance.System.Clock", ID("c1"), "", RIG_FROM,
                                           "{\"clock\":{\"timestamp\":1717243200}}"),
                             false));
    assert_null(rig_find(RIG_TO));
    assert_int_equal(rig_logged("refused"), 0);
    /* What merossd does not answer itself goes through, once. */
    rig_say(&plug, RIG_FROM, "SET", "Appliance.Control.Novelty", ID("d1"), "", "{}");
    rig_skip();
    for (unsigned i = 0; i < 2; i++)
        assert_false(rig_publish(
            &other, RIG_TO,
            foreign_write("SETACK", "Appliance.Control.Novelty", ID("d1"), "", "", "{}"), false));
    foreign_arrives();
    assert_null(rig_find(RIG_TO));
    foreign_ask("SETACK", BIND, ID("e1"), "{}");
    foreign_is_refused("answers nothing");
}

/* A question by PUSH is over when the plug pushes, or after a second. */
static void test_push_queries(void **state)
{
    (void)state;
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, ID("b1"), "", RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", "Appliance.System.Ability", "",
               ABILITY_OF("\"Appliance.Control.AlertConfig\":{},\"Appliance.Config.Info\":{}"));
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    rig_client(&other, "script", NULL, NULL);
    assert_int_equal(rig_connect(&other), BROKER_ABSTAIN);
    foreign_ask("PUSH", "Appliance.Control.AlertConfig", ID("01"), "{}");
    foreign_arrives();
    foreign_ask("PUSH", "Appliance.Config.Info", ID("02"), "{}");
    assert_null(rig_find(RIG_TO));
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.Control.AlertConfig", ID("03"), "",
            "{\"config\":[{\"channel\":0,\"onoff\":0}]}");
    foreign_arrives();
    rig_step(999);
    foreign_ask("GET", ALL, ID("04"), "{}");
    assert_null(rig_find(RIG_TO));
    rig_step(1);
    foreign_arrives();
}

/* The deputy: what a client may not publish itself, no plug publishes for it. */
static void test_deputy(void **state)
{
    (void)state;
    static const char *const never[] = {"meross/" NAME,
                                        "meross/" NAME "/set",
                                        "meross/broker/request/forget",
                                        "meross/x/y/z",
                                        "$SYS/broker/uptime",
                                        "/appliance/merossd/publish",
                                        RIG_TO,
                                        "/appliance/3101011234567890123448e1e9123456/publish",
                                        "/appliance/3101011234567890123448e1e9123456/subscribe"};
    ready_with_a_client();
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        assert_false(rig_publish(&other, RIG_TO,
                                 foreign_write("GET", ALL, id_of((unsigned)i), "", never[i], "{}"),
                                 false));
        assert_null(rig_find(RIG_TO));
        assert_null(rig_last(never[i]) != NULL &&
                            strstr(rig_last(never[i])->payload, "ERROR") != NULL
                        ? never[i]
                        : NULL);
        assert_false(rig_may(&plug, BROKER_PUBLISH, never[i]) &&
                     strcmp(never[i], "/appliance/merossd/publish") != 0);
    }
    rig->closed_topic = APP;
    foreign_ask("GET", ALL, ID("01"), "{}");
    assert_null(rig_find(APP)); /* nor do we */
    rig->read = 0;
    assert_int_equal(rig_count(APP), 0);
    rig->closed_topic = NULL;
    rig_skip();
    foreign_ask("GET", ALL, ID("02"), "{}");
    foreign_arrives();
    /* On its own topic the plug speaks for itself. */
    foreign_is_answered("GETACK", ALL, ID("02"), RIG_ALL);
    rig->closed_topic = RIG_FROM;
    rig_skip();
    assert_false(rig_publish(&other, RIG_TO,
                             foreign_write("GET", ALL, ID("03"), "", RIG_FROM, "{}"), false));
    foreign_arrives();
}

/* A plug answers where a request said, and nowhere else: the latest places, for a while. */
static void test_answers_where_it_was_asked(void **state)
{
    (void)state;
    char topic[32];
    ready_with_a_client();
    assert_false(rig_may(&plug, BROKER_PUBLISH, "reply/0"));
    for (unsigned i = 0; i <= ASKERS_MAX; i++) {
        (void)snprintf(topic, sizeof topic, "reply/%u", i);
        assert_false(rig_may(&plug, BROKER_PUBLISH, topic));
        assert_false(rig_publish(&other, RIG_TO,
                                 foreign_write("GET", ALL, id_of(i), "", topic, "{}"), false));
        assert_true(rig_may(&plug, BROKER_PUBLISH, topic));
        assert_int_equal(rig_may(&plug, BROKER_PUBLISH, "reply/0"), i < ASKERS_MAX);
        rig_say(&plug, topic, "GETACK", ALL, id_of(i), "", RIG_ALL);
        rig_step(1);
    }
    assert_true(rig_may(&plug, BROKER_PUBLISH, "reply/1"));
    rig_step(ASKERS_VALID_MS);
    assert_false(rig_may(&plug, BROKER_PUBLISH, "reply/1"));
    assert_false(rig_may(&plug, BROKER_SUBSCRIBE, "reply/1"));
    assert_true(rig_may(&other, BROKER_PUBLISH, "reply/99"));
}

/* Out of memory at every place: nothing leaks, and nothing unchecked passes. */
static void test_no_memory(void **state)
{
    (void)state;
    ready_with_a_client();
    for (long n = 1; n < 40; n++) {
        mem_fail_after(n);
        foreign_ask("GET", ALL, id_of((unsigned)n), "{}");
        mem_fail_after(-1);
        rig_say(&plug, RIG_FROM, "GETACK", ALL, id_of((unsigned)n), "", RIG_ALL);
    }
}

/* A tag of somebody else is not mistaken for a plug. */
static void test_tags(void **state)
{
    (void)state;
    int foreign = 0;
    ready_with_a_client();
    assert_false(rig_may(&other, BROKER_PUBLISH, "meross/" NAME));
    other.c.tag = &foreign;
    assert_true(rig_may(&other, BROKER_PUBLISH, "meross/" NAME "/set"));
    rig->hooks.on_disconnect(rig->hooks.ctx, &other.c, "x");
    rig->hooks.on_subscribe(rig->hooks.ctx, &other.c, span_str(RIG_TO));
    rig->hooks.on_connected(rig->hooks.ctx, &other.c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_passes_unchanged),
                                       T(test_spelling_of_the_uuid),
                                       T(test_one_in_flight),
                                       T(test_deadline),
                                       T(test_no_answer_to_a_filter),
                                       T(test_queue_is_bounded),
                                       T(test_gentle),
                                       T(test_waits_for_bind),
                                       T(test_refusals_are_told),
                                       T(test_signature),
                                       T(test_unknown_key),
                                       T(test_repeated_id),
                                       T(test_other_partners_answers),
                                       T(test_push_queries),
                                       T(test_deputy),
                                       T(test_answers_where_it_was_asked),
                                       T(test_no_memory),
                                       T(test_tags)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
