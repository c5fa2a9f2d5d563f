/* The simulated plug on HTTP: its access point, its habits, what it encrypts. */
#include "tests/plugsim/lan/sim_http.h"
#include "tests/plugsim/lan/sim_seal.h"
#include "tests/sim/plug_asserts.h"

#include <stdio.h>

#define KEY       "Appliance.Config.Key"
#define WIFI      "Appliance.Config.Wifi"
#define WIFIX     "Appliance.Config.WifiX"
#define WIFI_LIST "Appliance.Config.WifiList"
#define TRACE     "Appliance.Config.Trace"
#define UUID      "2101011234567890123448e1e9123456"
#define MAC       "48:e1:e9:12:34:56"
#define LONG_KEY  "00112233445566778899aabbccddeeff"

struct exchange {
    char head[512], body[8192]; /* of the reply; "" when there was none */
    bool reset, over;
    uint64_t took_ms;
};

static unsigned serial;

static void put_request(struct buf *out, const char *key, const char *method, const char *ns,
                        const char *payload)
{
    char id[33], sign[33];
    (void)snprintf(id, sizeof id, "%031xf", ++serial);
    bench_sign(id, key, "1700000000", sign);
    assert_int_equal(
        buf_putf(out,
                 "{\"header\":{\"messageId\":\"%s\",\"namespace\":\"%s\",\"method\":\"%s\","
                 "\"payloadVersion\":1,\"from\":\"\",\"timestamp\":1700000000,\"sign\":\"%s\"},"
                 "\"payload\":%s}",
                 id, ns, method, sign, payload),
        MD_OK);
}

static void take_reply(struct exchange *x, struct sim_http *h, const char *seal_key)
{
    struct span out = sim_http_output(h);
    size_t head = 0;
    while (head + 2 < out.n && memcmp(out.p + head, "\n\n", 2) != 0 &&
           memcmp(out.p + head, "\r\n\r", 3) != 0)
        head++;
    (void)span_to_str(span_of(out.p, head), x->head, sizeof x->head);
    struct span body = span_skip(out, head + (out.n > 0 && out.p[head] == '\n' ? 2 : 4));
    if (seal_key != NULL) {
        struct buf plain;
        buf_init(&plain, sizeof x->body);
        assert_int_equal(sim_unseal(seal_key, body, &plain), MD_OK);
        (void)span_to_str(buf_view(&plain), x->body, sizeof x->body);
        buf_free(&plain);
    } else {
        (void)span_to_str(body, x->body, sizeof x->body);
    }
    sim_http_sent(h, out.n);
}

/* One connection, at most 30 s; the request byte by byte when `drip`. */
static struct exchange post(struct bench *b, struct span body, const char *seal_key, bool drip)
{
    static struct exchange x;
    struct sim_http h;
    struct buf request;
    memset(&x, 0, sizeof x);
    buf_init(&request, 1u << 16);
    assert_int_equal(buf_putf(&request,
                              "POST /config HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\n\r\n",
                              (unsigned)body.n),
                     MD_OK);
    assert_int_equal(buf_put(&request, body), MD_OK);
    sim_http_init(&h, b->plug);
    for (size_t i = 0; i < request.n; i += drip ? 1 : request.n)
        sim_http_feed(&h, span_of(request.p + i, drip ? 1 : request.n), b->now);
    for (; x.took_ms < 30000 && !h.answered; x.took_ms += 10) {
        bench_run(b, 10);
        (void)sim_http_tick(&h, b->now);
    }
    if (sim_http_output(&h).n > 0)
        take_reply(&x, &h, seal_key);
    x.reset = sim_http_reset(&h);
    x.over = sim_http_over(&h);
    sim_http_free(&h);
    buf_free(&request);
    return x;
}

static struct exchange ask_with(struct bench *b, const char *key, const char *method,
                                const char *ns, const char *payload)
{
    struct buf json;
    buf_init(&json, 1u << 16);
    put_request(&json, key, method, ns, payload);
    struct exchange x = post(b, buf_view(&json), NULL, false);
    buf_free(&json);
    return x;
}

static struct exchange ask(struct bench *b, const char *method, const char *ns, const char *payload)
{
    return ask_with(b, "", method, ns, payload);
}

static struct exchange ask_sealed(struct bench *b, const char *seal_key, const char *key,
                                  const char *method, const char *ns)
{
    struct buf json, sealed;
    buf_init(&json, 1u << 16);
    buf_init(&sealed, 1u << 16);
    put_request(&json, key, method, ns, "{}");
    assert_int_equal(sim_seal(seal_key, buf_view(&json), &sealed), MD_OK);
    struct exchange x = post(b, buf_view(&sealed), seal_key, false);
    buf_free(&sealed);
    buf_free(&json);
    return x;
}

static void holds(const struct exchange *x, const char *part)
{
    if (strstr(x->body, part) == NULL)
        fail_msg("\"%s\" is not in %s", part, x->body);
}

static struct bench *access_point(const char *option, const char *option2)
{
    struct simplug_options o = preset("mss310");
    o.ap = true;
    if (option != NULL)
        assert_int_equal(simplug_options_set(&o, option), MD_OK);
    if (option2 != NULL)
        assert_int_equal(simplug_options_set(&o, option2), MD_OK);
    struct bench *b = open_bench(&o);
    b->ack_bind = b->answer_clock = b->answer_config = true;
    return b;
}

static void set_key(struct bench *b)
{
    struct exchange x = ask(
        b, "SET", KEY,
        "{\"key\":{\"gateway\":{\"host\":\"192.0.2.1\",\"port\":8883,\"secondHost\":\"192.0.2.1\","
        "\"secondPort\":\"8883\",\"redirect\":1},\"key\":\"" LONG_KEY "\",\"userId\":\"0\"}}");
    holds(&x, "\"method\":\"SETACK\"");
    holds(&x, "\"payload\":{}");
    b->key = LONG_KEY;
}

/* Section 11 of the sheet. */
static void test_the_seals_are_those_of_the_sheet(void **state)
{
    (void)state;
    char key[33];
    struct buf out;
    buf_init(&out, 256);
    sim_seal_lan_key(UUID, LONG_KEY, MAC, key);
    assert_string_equal(key, "069fecd1a28953d4ee625fd7855a1613");
    assert_int_equal(sim_seal(key, span_str("{\"a\":1}"), &out), MD_OK);
    assert_true(span_is(buf_view(&out), "vYDVYb1dbivxrTZZQ1GWtA=="));
    buf_consume(&out, out.n);
    sim_seal_lan_key(UUID, "meross", MAC, key);
    assert_string_equal(key, "0f8f5cf962671a3165504e9a4db3840c");
    sim_seal_wifi_key("mss310", UUID, MAC, key);
    assert_string_equal(key, "2acc8f755e906d4e894f37fdb58af777");
    assert_int_equal(sim_seal(key, span_str("hunter2secret"), &out), MD_OK);
    assert_true(span_is(buf_view(&out), "JSbdAdTuOrxueteSURAdzg=="));
    buf_consume(&out, out.n);
    /* 16 bytes get a whole block of zeros behind them: 32 bytes, 44 characters. */
    assert_int_equal(sim_seal(key, span_str("0123456789abcdef"), &out), MD_OK);
    assert_int_equal(out.n, 44);
    buf_free(&out);
}

static void test_set_up_from_the_access_point_to_the_first_bind(void **state)
{
    (void)state;
    struct bench *b = access_point("wifi_list_ms=9000", NULL);
    bench_run(b, 1000);
    assert_led(b, SIMPLUG_LED_AMBER_GREEN);
    assert_int_equal(b->connects, 0);
    struct exchange x = ask(b, "GET", ALL, "{}");
    holds(&x, "\"uuid\":\"" UUID "\"");
    x = ask(b, "GET", WIFI_LIST, "{}");
    assert_in_range(x.took_ms, 9000, 9020);
    holds(&x, "\"ssid\":\"aG9tZQ==\",\"bssid\":\"de-ad-00-00-be-ef\",\"signal\":96,\"channel\":3,"
              "\"encryption\":6,\"cipher\":3}");
    set_key(b);
    x = ask(b, "SET", WIFI,
            "{\"wifi\":{\"ssid\":\"aG9tZQ==\",\"password\":\"aHVudGVyMnNlY3JldA==\",\"bssid\":"
            "\"de-ad-00-00-be-ef\",\"channel\":3,\"encryption\":6,\"cipher\":3}}");
    holds(&x, "\"payload\":{}");
    bench_run(b, 1000);
    assert_false(sim_http_open(b->plug));
    bench_run(b, 10000);
    assert_true(sim_http_open(b->plug));
    assert_true(simplug_status(b->plug)->bound);
    assert_led(b, SIMPLUG_LED_SOLID_GREEN);
    const char *host = "";
    unsigned port = 0;
    assert_true(simplug_destination(b->plug, &host, &port));
    assert_string_equal(host, "192.0.2.1");
    assert_int_equal(port, 8883);
    /* Now the sign counts. */
    x = ask(b, "GET", ALL, "{}");
    holds(&x, "\"error\":{\"code\":5001");
    x = ask_with(b, LONG_KEY, "GET", ALL, "{}");
    holds(&x, "\"online\":{\"status\":1}");
    assert_clean(b);
    bench_free(b);
}

static void test_wifix_and_a_lost_acknowledgement(void **state)
{
    (void)state;
    struct bench *b = access_point("wifix=1", "lost_setack=1");
    set_key(b);
    struct exchange x = ask(b, "SET", WIFIX,
                            "{\"wifi\":{\"ssid\":\"aG9tZQ==\",\"password\":"
                            "\"JSbdAdTuOrxueteSURAdzg==\"}}");
    assert_true(x.reset);
    assert_string_equal(x.body, "");
    bench_run(b, 10000);
    assert_true(simplug_status(b->plug)->bound);
    assert_clean(b);
    bench_free(b);
}

static void test_wrong_password_brings_the_access_point_back(void **state)
{
    (void)state;
    struct bench *b = access_point(NULL, NULL);
    set_key(b);
    (void)ask(b, "SET", WIFI, "{\"wifi\":{\"ssid\":\"aG9tZQ==\",\"password\":\"bm8=\"}}");
    bench_run(b, 3000);
    assert_led(b, SIMPLUG_LED_BLINKING_GREEN);
    assert_false(sim_http_open(b->plug));
    bench_run(b, 3000);
    assert_led(b, SIMPLUG_LED_AMBER_GREEN);
    struct exchange x = ask(b, "GET", TRACE, "{\"trace\":{}}");
    holds(&x, "{\"trace\":{\"ssid\":\"aG9tZQ==\",\"bssid\":\"\",\"rssi\":\"100\",\"code\":2,");
    assert_int_equal(b->connects, 0);
    assert_clean(b);
    bench_free(b);
}

static void test_what_the_list_told_must_come_back_unchanged(void **state)
{
    (void)state;
    struct bench *b = access_point(NULL, NULL);
    (void)ask(b, "SET", WIFI,
              "{\"wifi\":{\"ssid\":\"aG9tZQ==\",\"password\":\"aHVudGVyMnNlY3JldA==\",\"bssid\":"
              "\"de:ad:00:00:be:ef\",\"channel\":3,\"encryption\":6,\"cipher\":3}}");
    assert_violation(b, "came back changed");
    bench_free(b);
}

static void test_the_first_list_may_never_come(void **state)
{
    (void)state;
    struct bench *b = access_point("wifi_list_lost=1", NULL);
    struct exchange x = ask(b, "GET", WIFI_LIST, "{}");
    assert_int_equal(x.took_ms, 30000);
    assert_string_equal(x.body, "");
    x = ask(b, "GET", WIFI_LIST, "{}");
    holds(&x, "\"wifiList\":[");
    bench_free(b);
}

static void test_bad_values_of_the_set_up_are_violations(void **state)
{
    (void)state;
    const struct {
        const char *ns, *payload, *violation;
    } cases[] = {
        {WIFI, "{\"wifi\":{\"ssid\":\"aG9tZQ==\\n\",\"password\":\"bm8=\"}}", "cannot read"},
        {WIFI, "{\"wifi\":{\"ssid\":\"\",\"password\":\"bm8=\"}}", "cannot read"},
        {KEY,
         "{\"key\":{\"gateway\":{\"host\":\"a\",\"port\":1,\"secondHost\":\"\",\"secondPort\":1},"
         "\"key\":\"\",\"userId\":\"0\"}}",
         "without both hosts"},
        {KEY,
         "{\"key\":{\"gateway\":{\"host\":\"a\",\"port\":65536,\"secondHost\":\"a\",\"secondPort\":"
         "1},"
         "\"key\":\"\",\"userId\":\"0\"}}",
         "port"},
        {KEY,
         "{\"key\":{\"gateway\":{\"host\":\"a\",\"port\":1,\"secondHost\":\"a\",\"secondPort\":1},"
         "\"key\":\"\",\"userId\":0}}",
         "userId"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench *b = access_point(NULL, NULL);
        struct exchange x = ask(b, "SET", cases[i].ns, cases[i].payload);
        holds(&x, "\"error\":{\"code\":5000}");
        assert_violation(b, cases[i].violation);
        bench_free(b);
    }
}

static void test_an_encrypting_plug_resets_what_is_in_clear(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    char seal_key[33];
    assert_int_equal(simplug_options_set(&o, "key=" LONG_KEY), MD_OK);
    assert_int_equal(simplug_options_set(&o, "ecdhe=1"), MD_OK);
    struct bench *b = open_bench(&o);
    struct exchange x = ask_with(b, LONG_KEY, "GET", ALL, "{}");
    assert_true(x.reset);
    x = ask_with(b, LONG_KEY, "GET", ABILITY, "{}");
    holds(&x, "\"Appliance.Encrypt.ECDHE\":{}");
    sim_seal_lan_key(UUID, LONG_KEY, MAC, seal_key);
    x = ask_sealed(b, seal_key, LONG_KEY, "GET", ALL);
    holds(&x, "\"uuid\":\"" UUID "\"");
    x = ask_sealed(b, "0123456789abcdef0123456789abcdef", LONG_KEY, "GET", ALL);
    assert_true(x.reset);
    assert_clean(b);
    bench_free(b);
}

static int counted(void *ctx, unsigned char *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)(++*(unsigned *)ctx * 37u);
    return 0;
}

static void test_the_exchange_of_keys(void **state)
{
    (void)state;
    struct bench *b = access_point("ecdhe=1", NULL);
    char own[SIM_SEAL_POINT_MAX], session[33], payload[200];
    unsigned seed = 1;
    /* A throw-away pair, to have a point; its secret answers when the seed is the same. */
    static const char generator[] =
        "BGsX0fLhLEJH+Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT+NC4v4af5uO5+tKfA+eFivO"
        "M1drMV7Oy7ZAaDe/UfU=";
    assert_int_equal(sim_seal_exchange(counted, &seed, span_str(generator), own, session), MD_OK);
    (void)snprintf(payload, sizeof payload, "{\"ecdhe\":{\"step\":1,\"pubkey\":\"%s\"}}", own);
    struct exchange x = ask(b, "SET", "Appliance.Encrypt.ECDHE", payload);
    const char *peer = strstr(x.body, "\"pubkey\":\"");
    assert_non_null(peer);
    seed = 1;
    struct span point = span_of(peer + 10, 88);
    assert_int_equal(sim_seal_exchange(counted, &seed, point, own, session), MD_OK);
    x = ask_sealed(b, session, "", "GET", ALL);
    holds(&x, "\"uuid\":\"" UUID "\"");
    (void)ask(b, "SET", "Appliance.Encrypt.ECDHE", "{\"ecdhe\":{\"step\":1,\"pubkey\":\"AAAA\"}}");
    assert_violation(b, "point on the curve");
    bench_free(b);
}

static void test_bare_line_feeds_and_replies_cut_off(void **state)
{
    (void)state;
    struct bench *b = access_point("http_bare_lf=1", "http_max=100");
    struct exchange x = ask(b, "GET", ALL, "{}");
    assert_null(strchr(x.head, '\r'));
    assert_non_null(strstr(x.head, "Content-Length: 100"));
    assert_int_equal(strlen(x.body), 100);
    bench_free(b);
}

static void test_requests_in_pieces_and_none_at_all(void **state)
{
    (void)state;
    struct bench *b = access_point(NULL, NULL);
    struct buf json;
    buf_init(&json, 4096);
    put_request(&json, "", "GET", ALL, "{}");
    struct exchange x = post(b, buf_view(&json), NULL, true);
    holds(&x, "\"uuid\":\"" UUID "\"");
    assert_clean(b);
    x = post(b, span_str("nonsense"), NULL, false);
    assert_true(x.reset);
    assert_violation(b, "HTTP body is not an envelope");
    assert_int_equal(simplug_status(b->plug)->reboots, 1);
    x = ask(b, "GET", "Appliance.Control.Nothing", "{}");
    assert_true(x.reset);
    assert_violation(b, "which it does not know");
    buf_free(&json);
    bench_free(b);
}

/* Sheet 7.7: set up by Bluetooth, then on the LAN like the others. */
static void test_some_have_no_access_point(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss710-8.3.12");
    struct bench *b = open_bench(&o);
    assert_true(sim_http_open(b->plug));
    bench_free(b);
    o.ap = true;
    b = open_bench(&o);
    bench_run(b, 60000);
    assert_false(sim_http_open(b->plug));
    assert_int_equal(b->connects, 0);
    bench_free(b);
}

static void test_two_connections_at_a_time_are_a_violation(void **state)
{
    (void)state;
    struct bench *b = access_point(NULL, NULL);
    struct sim_http one, two;
    sim_http_init(&one, b->plug);
    sim_http_init(&two, b->plug);
    assert_violation(b, "two HTTP connections");
    sim_http_free(&two);
    sim_http_free(&one);
    bench_free(b);
}

static void test_a_re_key_over_mqtt_moves_it(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    struct bench *b = open_bench(&o);
    const char *host;
    unsigned port;
    b->ack_bind = b->answer_clock = b->answer_config = true;
    bench_run(b, 1000);
    assert_false(simplug_destination(b->plug, &host, &port));
    bench_ask(b, "SET", KEY, NULL,
              "{\"key\":{\"gateway\":{\"host\":\"one\",\"port\":1,\"secondHost\":\"two\","
              "\"secondPort\":2,\"redirect\":2},\"key\":\"" LONG_KEY "\",\"userId\":\"1234\"}}");
    bench_run(b, 100);
    assert_string_equal(bench_answer(b)->method, "SETACK");
    b->key = LONG_KEY;
    bench_run(b, 3000);
    assert_int_equal(b->disconnects, 1);
    assert_int_equal(b->connects, 2);
    assert_string_equal(b->password, "1234_06a100ddbabbe250dd918cb61b390978");
    assert_true(simplug_destination(b->plug, &host, &port) && strcmp(host, "one") == 0);
    assert_true(simplug_status(b->plug)->bound);
    /* Nobody there: the second host, then the first again. */
    bench_cut(b);
    simplug_connect_failed(b->plug, b->now);
    assert_true(simplug_destination(b->plug, &host, &port) && strcmp(host, "two") == 0);
    assert_int_equal(port, 2);
    simplug_connect_failed(b->plug, b->now);
    assert_true(simplug_destination(b->plug, &host, &port) && strcmp(host, "one") == 0);
    assert_clean(b);
    bench_free(b);
}

static void test_unbind_is_a_factory_reset(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    struct bench *b = open_bench(&o);
    b->ack_bind = b->answer_clock = b->answer_config = true;
    bench_run(b, 1000);
    struct exchange x = ask(b, "PUSH", "Appliance.Control.Unbind", "{}");
    assert_true(x.reset);
    assert_led(b, SIMPLUG_LED_AMBER_GREEN);
    bench_run(b, 60000);
    assert_int_equal(b->connects, 1);
    assert_true(sim_http_open(b->plug));
    assert_clean(b);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_seals_are_those_of_the_sheet),
        TEST(test_set_up_from_the_access_point_to_the_first_bind),
        TEST(test_wifix_and_a_lost_acknowledgement),
        TEST(test_wrong_password_brings_the_access_point_back),
        TEST(test_what_the_list_told_must_come_back_unchanged),
        TEST(test_the_first_list_may_never_come),
        TEST(test_bad_values_of_the_set_up_are_violations),
        TEST(test_an_encrypting_plug_resets_what_is_in_clear),
        TEST(test_the_exchange_of_keys),
        TEST(test_bare_line_feeds_and_replies_cut_off),
        TEST(test_requests_in_pieces_and_none_at_all),
        TEST(test_some_have_no_access_point),
        TEST(test_two_connections_at_a_time_are_a_violation),
        TEST(test_a_re_key_over_mqtt_moves_it),
        TEST(test_unbind_is_a_factory_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
