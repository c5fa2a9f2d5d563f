/* The timeline of a plug, the connections that came to nothing, and what a plug says of itself. */
#include "meross/device/attempts.h"
#include "meross/device/health.h"

#include "broker/base/mem.h"
#include "meross/wire/text.h"
#include "tests/fake/fake_env.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>

static char json[16384];

typedef void (*write_cb)(struct json_writer *w, const void *what);

static const char *as_json(write_cb write, const void *what)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, sizeof json - 1);
    json_write_start(&w, &b);
    write(&w, what);
    assert_int_equal(w.err, MD_OK);
    assert_true(span_to_str(buf_view(&b), json, sizeof json));
    buf_free(&b);
    return json;
}

/* A hundred seconds after the monotonic clock began. */
static void now(struct fake_env *env)
{
    fake_env_init(env);
    env->mono_ms = 100000;
    env->wall_ms = 1700000099000;
}

static void write_timeline(struct json_writer *w, const void *t)
{
    struct fake_env env;
    now(&env);
    timeline_write(w, t, &env.env);
}

static void one_connection(void **state)
{
    (void)state;
    struct timeline t = {.begun = 0};
    timeline_step(&t, TIMELINE_BIND, 5); /* without a session: nothing */
    timeline_end(&t, 5, "nothing");
    assert_null(timeline_now(&t));
    assert_null(timeline_at(&t, 0));
    struct timeline_session *s = timeline_begin(&t, 1000, "192.0.2.7");
    s->level = 3;
    s->tail = true;
    timeline_cipher(s, "TLSv1.2 X");
    timeline_step(&t, TIMELINE_TLS, 1040);
    timeline_step(&t, TIMELINE_CONNECT, 1050);
    timeline_step(&t, TIMELINE_BIND, 1060);
    timeline_step(&t, TIMELINE_BIND, 6060); /* counted, but the first is the one */
    timeline_step(&t, TIMELINE_BOUND, 900); /* a clock of ours never goes back; 0 if it did */
    assert_string_equal(
        as_json(write_timeline, &t),
        "[{\"opened\":1700000000,\"address\":\"192.0.2.7\",\"tls\":\"TLSv1.2 X\",\"level\":3,"
        "\"client_id\":\"uuid_tail\",\"steps\":{\"tls\":40,\"connect\":50,\"bind\":60,\"bound\":0},"
        "\"binds\":2,\"seconds\":99}]");
    timeline_end(&t, 31000, "it closed the connection");
    assert_null(timeline_now(&t));
    timeline_step(&t, TIMELINE_READING, 32000); /* too late */
    assert_string_equal(
        as_json(write_timeline, &t),
        "[{\"opened\":1700000000,\"address\":\"192.0.2.7\",\"tls\":\"TLSv1.2 X\",\"level\":3,"
        "\"client_id\":\"uuid_tail\",\"steps\":{\"tls\":40,\"connect\":50,\"bind\":60,\"bound\":0},"
        "\"binds\":2,\"seconds\":30,\"end\":\"it closed the connection\"}]");
    timeline_clear(&t);
}

static void the_newest_are_kept(void **state)
{
    (void)state;
    struct timeline t = {.begun = 0};
    for (unsigned i = 1; i <= TIMELINE_SESSIONS + 1; i++) {
        char address[8];
        (void)snprintf(address, sizeof address, "a%u", i);
        (void)timeline_begin(&t, i * 1000, address);
        assert_ptr_equal(timeline_at(&t, 0), timeline_now(&t));
        assert_true(timeline_at(&t, i) == NULL); /* one past the last there is */
    }
    assert_string_equal(timeline_at(&t, 0)->address, "a7");
    assert_string_equal(timeline_at(&t, TIMELINE_SESSIONS - 1)->address, "a2");
    assert_null(timeline_at(&t, TIMELINE_SESSIONS));
    assert_int_equal(timeline_at(&t, 0)->ended_ms, 0);
    assert_string_equal(timeline_at(&t, 1)->end, "the plug connected again");
    assert_int_equal(timeline_seconds(timeline_at(&t, 1), 99999), 1);
    assert_int_equal(timeline_seconds(timeline_at(&t, 0), 12000), 5);
    /* They ended at 3, 4, 5, 6 and 7 s. */
    assert_int_equal(timeline_ended_within(&t, 7000, 1), 1);
    assert_int_equal(timeline_ended_within(&t, 7000, 3001), 4);
    assert_int_equal(timeline_ended_within(&t, 7000, 100000), 5);
    assert_int_equal(timeline_ended_within(&t, 60000, 100), 0);
    timeline_clear(&t);
}

static void only_sessions_take_memory(void **state)
{
    (void)state;
    struct timeline t = {.begun = 0};
    size_t before = mem_used(), used[TIMELINE_SESSIONS + 2] = {0};
    for (unsigned i = 1; i <= TIMELINE_SESSIONS + 1; i++) {
        assert_non_null(timeline_begin(&t, i * 1000, "a"));
        used[i] = mem_used() - before;
    }
    assert_true(used[1] > 0 && used[1] < 400);
    assert_int_equal(used[TIMELINE_SESSIONS], TIMELINE_SESSIONS * used[1]);
    assert_int_equal(used[TIMELINE_SESSIONS + 1], TIMELINE_SESSIONS * used[1]);
    timeline_clear(&t);
    assert_int_equal(mem_used(), before);
    assert_null(timeline_at(&t, 0));
}

static void a_session_without_memory_is_none(void **state)
{
    (void)state;
    struct timeline t = {.begun = 0};
    assert_non_null(timeline_begin(&t, 1000, "a"));
    (void)mem_fail_after(1);
    struct timeline_session *s = timeline_begin(&t, 2000, "b");
    (void)mem_fail_after(-1);
    assert_null(s);
    timeline_step(&t, TIMELINE_BIND, 3000); /* not one of the session before */
    assert_null(timeline_now(&t));
    assert_int_equal(timeline_at(&t, 0)->binds, 0);
    assert_int_equal(timeline_at(&t, 0)->ended_ms, 2000);
    assert_null(timeline_at(&t, 1));
    timeline_clear(&t);
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    struct timeline t = {.begun = 0};
    char text[TIMELINE_END_MAX + 2];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)timeline_begin(&t, 1, text);
    timeline_end(&t, 2, text);
    assert_int_equal(strlen(timeline_at(&t, 0)->end), TIMELINE_END_MAX);
    assert_int_equal(strlen(timeline_at(&t, 0)->address), TIMELINE_ADDRESS_MAX);
    timeline_begin(&t, 1, "");
    timeline_end(&t, 2, text + 1);
    assert_int_equal(strlen(timeline_at(&t, 0)->end), TIMELINE_END_MAX);
    timeline_clear(&t);
}

static void note(struct attempts *a, const char *address, const char *uuid, const char *why,
                 uint64_t at)
{
    attempts_note(a, &(struct attempt_news){.at = ATTEMPT_TLS,
                                            .address = address,
                                            .uuid = span_str(uuid),
                                            .why = why,
                                            .hello = "771,47,,,",
                                            .now_ms = at * 1000});
}

static void write_attempt(struct json_writer *w, const void *it)
{
    struct fake_env env;
    now(&env);
    attempts_write(w, it, &env.env);
    json_write_close(w, '}');
}

static void failures_by_address(void **state)
{
    (void)state;
    struct attempts a = {.total = 0};
    assert_null(attempts_of(&a, "192.0.2.7", ""));
    note(&a, "192.0.2.7", "", "no suite", 10);
    note(&a, "192.0.2.8", "", "no suite", 15);
    note(&a, "192.0.2.7", "", "no suite", 20); /* the same again */
    note(&a, "192.0.2.7", "", "closed", 18);
    assert_int_equal(a.total, 4);
    assert_string_equal(
        as_json(write_attempt, attempts_of(&a, "192.0.2.7", "")),
        "{\"address\":\"192.0.2.7\",\"step\":\"tls\",\"why\":\"no suite\","
        "\"count\":2,\"first\":1700000009,\"last\":1700000019,\"hello\":\"771,47,,,\"}");
    /* Whoever gives a uuid is known by that, wherever it is. */
    note(&a, "192.0.2.7", "ABC", "refused", 30);
    assert_string_equal(attempts_of(&a, "192.0.2.99", "abc")->why, "refused");
    assert_string_equal(attempts_of(&a, "192.0.2.7", "other")->why, "no suite");
    assert_null(attempts_of(&a, "", ""));
    attempts_clear(&a);
}

/* Each place is taken; the failure that is longest ago makes room. */
static void failures_make_room(void **state)
{
    (void)state;
    struct attempts a = {.total = 0};
    char address[16];
    for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
        (void)snprintf(address, sizeof address, "192.0.2.%u", i);
        note(&a, address, "", "why", 100 + i);
    }
    assert_non_null(attempts_of(&a, "192.0.2.0", ""));
    note(&a, "192.0.2.0", "", "why", 200); /* fresh again */
    note(&a, "192.0.2.200", "", "why", 201);
    assert_non_null(attempts_of(&a, "192.0.2.0", ""));
    assert_null(attempts_of(&a, "192.0.2.1", ""));
    assert_non_null(attempts_of(&a, "192.0.2.2", ""));
    assert_non_null(attempts_of(&a, "192.0.2.200", ""));
    attempts_clear(&a);
    assert_int_equal(mem_used(), 0);
}

static void long_reasons_are_the_same_reason(void **state)
{
    (void)state;
    struct attempts a = {.total = 0};
    char why[ATTEMPTS_WHY_MAX + 2];
    memset(why, 'x', sizeof why - 1);
    why[sizeof why - 1] = '\0';
    note(&a, "192.0.2.1", "", why, 1);
    note(&a, "192.0.2.1", "", why, 2);
    assert_int_equal(a.v[0].n, 2);
    assert_int_equal(strlen(a.v[0].why), ATTEMPTS_WHY_MAX);
    attempts_clear(&a);
}

static struct json parsed;

static struct json_at from(const char *text)
{
    json_free(&parsed);
    assert_int_equal(json_parse(&parsed, span_str(text)), MD_OK);
    return json_root(&parsed);
}

static void write_health(struct json_writer *w, const void *h) { health_write(w, h, 5000); }

static void write_record(struct json_writer *w, const void *h)
{
    json_write_open(w, '{');
    health_write_record(w, h);
    json_write_close(w, '}');
}

static void servers_of_a_plug(void **state)
{
    (void)state;
    struct health h = {.connects = 0}, back = {.connects = 0};
    assert_false(health_take_firmware(&h, from("{\"version\":\"6.3.21\"}")));
    assert_true(health_take_firmware(&h, from("{\"server\":\"192.0.2.1\",\"port\":\"8883\"}")));
    assert_false(health_take_firmware(&h, from("{\"server\":\"192.0.2.1\",\"port\":8883}")));
    assert_false(h.second.told);
    assert_true(health_take_debug(
        &h, from("{\"cloud\":{\"mainServer\":\"192.0.2.1\",\"mainPort\":8883,\"secondServer\":\"\","
                 "\"secondPort\":0},\"network\":{\"rssi\":-81}}")));
    assert_true(h.second.told);
    assert_int_equal(h.rssi, -81);
    assert_true(health_take_firmware(
        &h, from("{\"server\":\"a\\u001bb\",\"port\":1,\"secondServer\":\"c\",\"secondPort\":2}")));
    assert_string_equal(h.main.host, "a?b");
    assert_false(health_take_debug(&h, from("{\"network\":{\"rssi\":12}}"))); /* no such thing */
    assert_int_equal(h.rssi, -81);
    bool first;
    assert_true(health_take_hello(&h, "771,47 # 1", &first));
    assert_string_equal(as_json(write_record, &h),
                        "{\"server\":\"a?b\",\"port\":1,\"second_server\":\"c\",\"second_port\":2,"
                        "\"hello\":\"771,47 # 1\"}");
    health_read_record(&back, from(json));
    assert_string_equal(as_json(write_record, &back),
                        "{\"server\":\"a?b\",\"port\":1,\"second_server\":\"c\",\"second_port\":2,"
                        "\"hello\":\"771,47 # 1\"}");
    health_clear(&h);
    health_clear(&back);
    json_free(&parsed);
}

static void host_names_at_the_limit(void **state)
{
    (void)state;
    struct health h = {.connects = 0};
    char text[HEALTH_HOST_MAX + 40], host[HEALTH_HOST_MAX + 2];
    for (size_t n = HEALTH_HOST_MAX; n <= HEALTH_HOST_MAX + 1; n++) {
        memset(host, 'h', n);
        host[n] = '\0';
        (void)snprintf(text, sizeof text, "{\"server\":\"%s\",\"port\":1}", host);
        assert_int_equal(health_take_firmware(&h, from(text)), n == HEALTH_HOST_MAX);
    }
    assert_int_equal(strlen(h.main.host), HEALTH_HOST_MAX);
    struct json_at other = from("{\"server\":\"a\",\"port\":2}");
    (void)mem_fail_after(1);
    bool news = health_take_firmware(&h, other);
    (void)mem_fail_after(-1);
    assert_false(news);
    assert_int_equal(strlen(h.main.host), HEALTH_HOST_MAX); /* without memory as before */
    assert_true(health_take_firmware(&h, from("{\"server\":\"\",\"port\":0}")));
    assert_string_equal(health_host(&h.main), "");
    health_clear(&h);
    json_free(&parsed);
}

static void a_hello_that_changes(void **state)
{
    (void)state;
    struct health h = {.connects = 0};
    bool first;
    static char big[HEALTH_HELLO_MAX + 2];
    assert_true(health_take_hello(&h, "771,47 sni=none # 769x1 100", &first));
    assert_true(first);
    assert_false(
        health_take_hello(&h, "771,47 sni=none # 769x2 300", &first)); /* not what counts */
    assert_string_equal(h.hello, "771,47 sni=none # 769x1 100");
    assert_true(health_take_hello(&h, "771,47-53 sni=none # 769x1 100", &first));
    assert_false(first);
    assert_true(health_take_hello(&h, "771,47", &first)); /* a prefix is not the same */
    memset(big, '7', sizeof big - 1);
    assert_false(health_take_hello(&h, big, &first));
    assert_string_equal(h.hello, "771,47");
    assert_true(health_take_hello(&h, big + 1, &first));
    health_clear(&h);
    assert_int_equal(mem_used(), 0);
}

static void what_is_told_of_health(void **state)
{
    (void)state;
    struct health h = {.connects = 2, .mutes = 1, .refused = 3, .zone = HEALTH_ZONE_MISSING};
    assert_null(strstr(as_json(write_health, &h), "online_status")); /* it did not say */
    health_take_online(&h, from("{\"status\":99}"));
    assert_null(strstr(as_json(write_health, &h), "online_status"));
    health_take_online(&h, from("{\"status\":0}"));
    (void)timeline_begin(&h.timeline, 1000, "a");
    timeline_end(&h.timeline, 3000, "gone");
    (void)timeline_begin(&h.timeline, 4000, "a");
    timeline_step(&h.timeline, TIMELINE_BIND, 4100);
    assert_string_equal(
        as_json(write_health, &h),
        "{\"zone\":\"missing\",\"connects\":2,\"ended_last_hour\":1,"
        "\"address_changes\":0,\"mutes\":1,\"mute\":false,\"refused\":3,\"binds\":1,"
        "\"online_status\":0,\"uptimes\":[1,2],\"hello\":false}");
    health_clear(&h);
    json_free(&parsed);
}

static void peers(void **state)
{
    (void)state;
    static const char *const t[][2] = {{"192.0.2.7:51234", "192.0.2.7"},
                                       {"[2001:db8::1]:5", "2001:db8::1"},
                                       {"unix:pid1,uid0", "unix"},
                                       {"nothing", ""},
                                       {"", ""},
                                       {":", ""},
                                       {"[]:1", ""}};
    char out[16], small[4];
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        text_peer_address(t[i][0], out, sizeof out);
        assert_string_equal(out, t[i][1]);
    }
    text_peer_address(NULL, out, sizeof out);
    assert_string_equal(out, "");
    text_peer_address("abcd:1", small, sizeof small);
    assert_string_equal(small, "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_connection),
        cmocka_unit_test(the_newest_are_kept),
        cmocka_unit_test(only_sessions_take_memory),
        cmocka_unit_test(a_session_without_memory_is_none),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(failures_by_address),
        cmocka_unit_test(failures_make_room),
        cmocka_unit_test(long_reasons_are_the_same_reason),
        cmocka_unit_test(servers_of_a_plug),
        cmocka_unit_test(host_names_at_the_limit),
        cmocka_unit_test(a_hello_that_changes),
        cmocka_unit_test(what_is_told_of_health),
        cmocka_unit_test(peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
