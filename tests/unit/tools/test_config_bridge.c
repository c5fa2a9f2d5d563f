/* `connection` sections: every option at its ends, mosquitto's ways to write a topic, and what is
 * wrong with a section as a whole. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/server.h"
#include "tests/unit/cmocka.h"
#include "tools/config/config.h"
#include "tools/config/config_options.h"

#include <stdio.h>

#define OK "connection a\naddress h\ntopic x\n"

static char err[CONFIG_ERR_MAX];

static struct config good(const char *text)
{
    struct config c;
    int rc = config_parse(&c, "x.conf", span_str(text), err);
    if (rc != MD_OK)
        fail_msg("refused: %s", err);
    return c;
}

static void bad(const char *text, const char *place, const char *word)
{
    struct config c;
    assert_int_equal(config_parse(&c, "x.conf", span_str(text), err), MD_INVAL);
    if (strncmp(err, place, strlen(place)) != 0 || strstr(err, word) == NULL)
        fail_msg("%s: does not begin with %s and say %s", err, place, word);
}

static void a_section_begins_with_the_defaults(void **state)
{
    (void)state;
    struct config c = good(OK);
    assert_int_equal(c.n_bridges, 1);
    const struct config_bridge *b = &c.bridges[0];
    assert_string_equal(b->name, "a");
    assert_int_equal(b->line, 1);
    assert_int_equal(b->addresses.v[0].port, 1883);
    assert_int_equal(b->keepalive_s, 60);
    assert_int_equal(b->restart.base, 5);
    assert_int_equal(b->restart.cap, 30);
    assert_int_equal(b->level, 4);
    assert_int_equal(b->start, SERVER_AUTOMATIC);
    assert_true(b->notify && b->try_private && b->attempt_unsubscribe && b->outgoing_retain);
    assert_false(b->clean_session || b->round_robin || b->insecure);
    assert_true(config_bridge_usable(b));
    config_free(&c);
}

/* Each number and text at its ends and one past them, straight from the table. */
static void values_end_where_the_table_says(void **state)
{
    (void)state;
    const struct config_option *o;
    static char text[3000];
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        if (o->scope != CONFIG_OF_BRIDGE)
            continue;
        int n = snprintf(text, sizeof text, OK "%s ", o->name);
        char *at = text + n;
        size_t cap = sizeof text - (size_t)n;
        if (o->type == CONFIG_NUMBER || o->type == CONFIG_BYTES) {
            (void)snprintf(at, cap, "%llu", (unsigned long long)o->max);
            struct config c = good(text);
            config_free(&c);
            (void)snprintf(at, cap, "%llu", (unsigned long long)o->max + 1);
            bad(text, "x.conf:4: bad value", "a number from");
            (void)snprintf(at, cap, "%llu", (unsigned long long)o->min - 1);
            if (!o->zero_is_off || o->min > 1)
                bad(text, "x.conf:4: bad value", "a number from");
        } else if (o->type == CONFIG_TEXT) {
            memset(at, 'a', (size_t)o->max + 1);
            at[(size_t)o->max + 1] = '\0';
            bad(text, "x.conf:4: bad value", "bytes");
            assert_true(strstr(err, "aaaa") == NULL || !o->secret);
        } else if (o->type == CONFIG_BOOL) {
            (void)snprintf(at, cap, "perhaps");
            bad(text, "x.conf:4: bad value", "true or false");
        }
        (void)snprintf(text, sizeof text, "%s x\n", o->name);
        bad(text, "x.conf:1:", "connection NAME");
    }
}

static void a_topic_is_written_as_in_mosquitto(void **state)
{
    (void)state;
    static const struct {
        const char *line, *pattern, *local, *remote;
        unsigned direction, qos;
    } rows[] = {{"a/#", "a/#", "", "", BRIDGE_OUT, 0},
                {"a/# in", "a/#", "", "", BRIDGE_IN, 0},
                {"a/# both 2", "a/#", "", "", BRIDGE_BOTH, 2},
                {"a/# out 1 l/", "a/#", "l/", "", BRIDGE_OUT, 1},
                {"a/# out 1 \"\" r/", "a/#", "", "r/", BRIDGE_OUT, 1},
                {"\"\" both 1 l r", "", "l", "r", BRIDGE_BOTH, 1},
                {"#   in\t0  l/  r/", "#", "l/", "r/", BRIDGE_IN, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[200];
        (void)snprintf(text, sizeof text, "connection a\naddress h\ntopic %s\n", rows[i].line);
        struct config c = good(text);
        const struct config_topic *t = &c.bridges[0].topics.v[0];
        assert_string_equal(t->pattern, rows[i].pattern);
        assert_string_equal(t->local, rows[i].local);
        assert_string_equal(t->remote, rows[i].remote);
        assert_int_equal(t->direction, rows[i].direction);
        assert_int_equal(t->qos, rows[i].qos);
        config_free(&c);
    }
    static const char *const wrong[] = {"a/#/b",        "a out 3",          "a up",
                                        "a out 0 +/",   "a out 0 l/ r/ x",  "\"\"",
                                        "\"\" out 0 l", "a out 0 \"\" r#/", "# out 0 l"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[200];
        (void)snprintf(text, sizeof text, "connection a\naddress h\ntopic %s\n", wrong[i]);
        bad(text, "x.conf:3: bad value", "PATTERN");
    }
}

static void addresses_have_their_forms(void **state)
{
    (void)state;
    static const struct {
        const char *word, *host;
        unsigned port;
    } rows[] = {{"h", "h", 1883},
                {"h:1", "h", 1},
                {"h:65535", "h", 65535},
                {"10.0.0.1:80", "10.0.0.1", 80},
                {"[::1]:80", "::1", 80},
                {"[::1]", "::1", 1883},
                {"fe80::1", "fe80::1", 1883}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[200];
        (void)snprintf(text, sizeof text, "connection a\naddresses first:2 %s\ntopic x\n",
                       rows[i].word);
        struct config c = good(text);
        assert_int_equal(c.bridges[0].addresses.n, 2);
        assert_string_equal(c.bridges[0].addresses.v[1].host, rows[i].host);
        assert_int_equal(c.bridges[0].addresses.v[1].port, rows[i].port);
        config_free(&c);
    }
    static const char *const wrong[] = {"h:0", "h:65536", "h:", ":1", "[::1", "[::1]x", "[]:1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[200];
        (void)snprintf(text, sizeof text, "connection a\naddress %s\n", wrong[i]);
        bad(text, "x.conf:2: bad value", "HOST");
    }
    char many[200] = "connection a\naddress";
    for (unsigned i = 0; i <= CONFIG_MAX_ADDRESSES; i++)
        strcat(many, " h");
    bad(many, "x.conf:2:", "more than 16");
}

static void pauses_have_one_number_or_two(void **state)
{
    (void)state;
    struct config c = good(OK "restart_timeout 7\n");
    assert_int_equal(c.bridges[0].restart.base, 7);
    assert_int_equal(c.bridges[0].restart.cap, 7);
    config_free(&c);
    c = good(OK "restart_timeout 2 86400\n");
    assert_int_equal(c.bridges[0].restart.cap, 86400);
    config_free(&c);
    bad(OK "restart_timeout 0\n", "x.conf:4: bad value", "numbers from");
    bad(OK "restart_timeout 5 4\n", "x.conf:4: bad value", "smaller first");
    bad(OK "restart_timeout 1 86401\n", "x.conf:4: bad value", "numbers from");
}

/* F200 */
static void sections_do_not_share_names(void **state)
{
    (void)state;
    bad(OK OK, "x.conf:4:", "already a connection");
    bad(OK "local_clientid i\nconnection b\naddress h\ntopic x\nlocal_clientid i\n",
        "x.conf:5:", "local_clientid");
    bad(OK "remote_clientid i\nconnection b\naddress h\ntopic x\nlocal_clientid local.i\n",
        "x.conf:5:", "local_clientid");
    bad(OK "remote_clientid i\nconnection b\naddress h\ntopic x\nremote_clientid i\n",
        "x.conf:5:", "local_clientid");
    struct config c = good(OK "local_clientid i\nconnection b\naddress h\ntopic x\n");
    assert_int_equal(c.n_bridges, 2);
    config_free(&c);
}

static void a_section_is_whole(void **state)
{
    (void)state;
    bad("connection a\naddress h\n", "x.conf:1:", "topic");
    bad("connection a\ntopic x\n", "x.conf:1:", "address");
    bad("connection\n", "x.conf:1:", "no value");
    bad(OK "password p\n", "x.conf:1:", "remote_username");
    bad(OK "username u\nremote_username v\n", "x.conf:5:", "set twice");
    bad(OK "bridge_cafile c\nbridge_certfile f\n", "x.conf:1:", "bridge_keyfile");
    bad(OK "bridge_tls_version tlsv1.2\n", "x.conf:1:", "bridge_cafile");
}

/* Never in clear what was meant to be encrypted. */
static void what_cannot_be_honoured_is_not_started(void **state)
{
    (void)state;
    static const char *const lines[] = {"bridge_psk aa\nbridge_identity i\n", "bridge_capath /c\n",
                                        "bridge_tls_use_os_certs true\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char text[200];
        (void)snprintf(text, sizeof text, OK "%s", lines[i]);
        struct config c = good(text);
        assert_false(config_bridge_usable(&c.bridges[0]));
        assert_non_null(c.warnings);
        config_free(&c);
    }
    struct config c = good(OK "bridge_capath /c\nbridge_cafile f\n");
    assert_true(config_bridge_usable(&c.bridges[0]));
    config_free(&c);
    c = good(OK "bridge_protocol_version mqttv50\n");
    assert_int_equal(c.bridges[0].level, 4);
    assert_non_null(strstr(c.warnings[0], "MQTT 5"));
    config_free(&c);
    assert_int_equal(mem_used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_section_begins_with_the_defaults),
                                       cmocka_unit_test(values_end_where_the_table_says),
                                       cmocka_unit_test(a_topic_is_written_as_in_mosquitto),
                                       cmocka_unit_test(addresses_have_their_forms),
                                       cmocka_unit_test(pauses_have_one_number_or_two),
                                       cmocka_unit_test(sections_do_not_share_names),
                                       cmocka_unit_test(a_section_is_whole),
                                       cmocka_unit_test(what_cannot_be_honoured_is_not_started)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
