/* One request and its answer: envelopes, sealing, and what went wrong, in a word; the lists. */
#include "tests/unit/pairing/world.h"

static struct talk plug_talk(void)
{
    return (struct talk){.env = &w->env.env, .post = world_post, .host = "10.10.10.1", .key = ""};
}

static void test_results(void **state)
{
    (void)state;
    static const struct {
        enum world_way way;
        int code;
        enum talk_result result;
    } all[] = {{WORLD_ANSWERS, 0, TALK_OK},         {WORLD_LATER, 0, TALK_SILENT},
               {WORLD_RESETS, 0, TALK_RESET},       {WORLD_CUTS, 0, TALK_CUT_OFF},
               {WORLD_CUTS_JSON, 0, TALK_CUT_OFF},  {WORLD_AWAY, 0, TALK_AWAY},
               {WORLD_ERROR, 5001, TALK_WRONG_KEY}, {WORLD_ERROR, 5000, TALK_REFUSED},
               {WORLD_NOT_JSON, 0, TALK_STRANGE},   {WORLD_NOT_FOUND, 0, TALK_STRANGE}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct talk_reply r;
        world_reset();
        struct talk t = plug_talk();
        w->rule[0] = (struct world_rule){NS_ALL, all[i].way, 0, all[i].code};
        enum talk_result got =
            talk_ask(&t, ENVELOPE_GET, NS_ALL, span_str("{}"), TALK_SHORT_MS, &r);
        assert_int_equal(got, all[i].result);
        assert_true(talk_result_text(got)[0] != '\0');
        if (got == TALK_REFUSED)
            assert_int_equal(t.code, 5000);
        talk_reply_free(&r); /* fine whatever came */
    }
}

/* [trap 18] Each request has a messageId of its own, and the second of its moment. */
static char seen[3][65], stamp[3][24];
static unsigned n_seen;

static enum talk_net spy(void *ctx, struct span request, unsigned timeout_ms,
                         struct http_reader *in)
{
    struct envelope e;
    const uint8_t *end = memmem(request.p, request.n, "\r\n\r\n", 4);
    (void)ctx;
    (void)timeout_ms;
    (void)in;
    assert_int_equal(envelope_parse(&e, span_skip(request, (size_t)(end + 4 - request.p))), MD_OK);
    assert_true(span_starts(request, "POST /config HTTP/1.1\r\nHost: 10.10.10.1\r\n"));
    (void)snprintf(seen[n_seen], sizeof seen[0], "%s", e.message_id);
    (void)snprintf(stamp[n_seen++], sizeof stamp[0], "%s", e.timestamp);
    envelope_free(&e);
    return TALK_NET_SILENT;
}

static void test_fresh(void **state)
{
    (void)state;
    struct talk t = plug_talk();
    t.post = spy;
    n_seen = 0;
    for (int i = 0; i < 2; i++) {
        struct talk_reply r;
        assert_int_equal(talk_ask(&t, ENVELOPE_GET, NS_ALL, span_str("{}"), 1000, &r), TALK_SILENT);
        fake_env_step(&w->env, 1000);
    }
    assert_int_equal(strlen(seen[0]), 32);
    assert_string_not_equal(seen[0], seen[1]);
    assert_string_equal(stamp[0], "1717243200");
    assert_string_equal(stamp[1], "1717243201");
}

static bool answers_another;

static enum talk_net liar(void *ctx, struct span request, unsigned timeout_ms,
                          struct http_reader *in)
{
    (void)ctx;
    (void)request;
    (void)timeout_ms;
    static const char other[] = "{\"header\":{\"messageId\":\"x\",\"namespace\":\"" NS_ALL
                                "\",\"method\":\"GETACK\"},\"payload\":{}}";
    char head[64];
    (void)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                   sizeof other - 1);
    (void)http_reader_feed(in, span_str(head));
    (void)http_reader_feed(in, span_str(other));
    answers_another = true;
    return TALK_NET_DONE;
}

static void test_not_our_answer(void **state)
{
    (void)state;
    struct talk t = plug_talk();
    struct talk_reply r;
    t.post = liar;
    assert_int_equal(talk_ask(&t, ENVELOPE_GET, NS_ALL, span_str("{}"), 1000, &r), TALK_STRANGE);
    assert_true(answers_another);
}

/* Memory runs out at each moment: it is told, and nothing is lost. */
static void test_no_memory(void **state)
{
    (void)state;
    enum talk_result got = TALK_FAILED;
    for (long n = 1; got != TALK_SILENT && n < 200; n++) {
        struct talk t = plug_talk();
        struct talk_reply r;
        t.post = NULL;
        struct network net = {.encryption = 0};
        struct buf b;
        buf_init(&b, NETWORKS_PAYLOAD_MAX);
        mem_fail_after(n);
        int err = network_write(&b, &net, span_str("x"), &(struct about){.cloud = 0}, n % 2 == 0);
        mem_fail_after(-1);
        buf_free(&b);
        (void)r;
        (void)t;
        if (err == MD_OK)
            got = TALK_SILENT;
        else
            assert_int_equal(err, MD_NOMEM);
    }
}

/* --- lists ------------------------------------------------------------------------------------ */

static void read_list(struct networks *out, const char *text)
{
    struct json j;
    assert_int_equal(json_parse(&j, span_str(text)), MD_OK);
    assert_true(networks_read(out, json_root(&j)));
    json_free(&j);
}

static void test_lists(void **state)
{
    (void)state;
    struct networks all;
    read_list(&all, WORLD_NETWORKS);
    assert_int_equal(all.n, 4);
    assert_int_equal(all.v[0].signal, 99); /* the strongest first */
    assert_false(network_usable(&all.v[0]));
    assert_string_equal(network_security(&all.v[0]), "WPA3 only?");
    const struct network *home = networks_find(&all, span_str("MyHomeWifi"), NULL);
    assert_non_null(home);
    assert_string_equal(network_security(home), "WPA/WPA2");
    assert_ptr_equal(networks_find(&all, span_str("MyHomeWifi"), "DEAD.0000.BEEF"), home);
    assert_null(networks_find(&all, span_str("MyHomeWifi"), "de:ad:00:00:be:00"));
    assert_null(networks_find(&all, span_str("MyHomeWif"), NULL));
    /* Twice the same: the stronger is shown; hidden, broken and over-long ones are not. */
    read_list(&all,
              "{\"wifilist\":[{\"ssid\":\"QQ==\",\"bssid\":\"1\",\"signal\":10,\"encryption\":6},"
              "{\"ssid\":\"QQ==\",\"bssid\":\"2\",\"signal\":50,\"encryption\":6},"
              "{\"ssid\":\"QQ==\",\"bssid\":\"3\",\"signal\":70,\"encryption\":9},"
              "{\"ssid\":\"\"},{\"ssid\":\"AAAA\"},{\"ssid\":\"!\"},{\"ssid\":7},{},"
              "{\"ssid\":\"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\",\"encryption\":6},"
              "{\"ssid\":\"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\",\"encryption\":6}]}");
    assert_int_equal(all.n, 3);
    assert_int_equal(all.v[0].encryption, 9);
    assert_false(all.v[1].again); /* the same name, another security */
    assert_true(all.v[2].again);
    /* Of the same name the one a plug can join, though it is weaker. */
    assert_int_equal(networks_find(&all, span_str("A"), NULL)->signal, 50);
}

static void test_list_limit(void **state)
{
    (void)state;
    static char text[16384];
    struct networks all;
    size_t n = (size_t)snprintf(text, sizeof text, "{\"wifiList\":[");
    for (int i = 0; i <= NETWORKS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "%s{\"ssid\":\"QQ==\",\"signal\":%d,\"encryption\":%d}",
                              i > 0 ? "," : "", i, i);
    (void)snprintf(text + n, sizeof text - n, "]}");
    read_list(&all, text);
    assert_int_equal(all.n, NETWORKS_MAX);
    assert_int_equal(all.v[0].signal, NETWORKS_MAX);
    assert_int_equal(all.v[NETWORKS_MAX - 1].signal, 1); /* the weakest made room */
}

static void test_ssid_limit(void **state)
{
    (void)state;
    struct networks all;
    read_list(&all, "{\"wifiList\":{\"ssid\":"
                    "\"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\",\"encryption\":5}}");
    assert_int_equal(all.n, 1);
    assert_int_equal(all.v[0].ssid_n, 32);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {T(test_results),   T(test_fresh), T(test_not_our_answer),
                                       T(test_no_memory), T(test_lists), T(test_list_limit),
                                       T(test_ssid_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
