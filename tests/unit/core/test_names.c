/* What on_connect may change about a client: its names, and every way to refuse it. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "tests/fake/fake_env.h"
#include "tests/fake/fake_wire.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>

enum change { CHANGE_NOTHING, CHANGE_ID, CHANGE_USER };

static struct {
    struct fake_env fake;
    struct broker *broker;
    enum broker_verdict verdict;
    enum change change;
    const char *prefix;
    bool was_empty;
    char id[64], user[64]; /* of the last on_connected */
} rig;

static enum broker_verdict on_connect(void *ctx, struct broker_client *who,
                                      const struct broker_message *will)
{
    (void)ctx;
    (void)will;
    rig.was_empty = who->client_id.n == 0;
    if (rig.change == CHANGE_ID)
        who->client_id = who->username;
    if (rig.change == CHANGE_USER)
        who->username = span_str(who->arrival->tls_cn);
    who->arrival->auto_id_prefix = rig.prefix;
    return rig.verdict;
}

static void on_connected(void *ctx, const struct broker_client *who)
{
    (void)ctx;
    assert_null(who->arrival->auto_id_prefix); /* it was lent for a moment only */
    assert_true(span_to_str(who->client_id, rig.id, sizeof rig.id));
    assert_true(span_to_str(who->username, rig.user, sizeof rig.user));
}

static void start(enum broker_verdict verdict, enum change change, const char *prefix)
{
    struct broker_hooks hooks = {.on_connect = on_connect, .on_connected = on_connected};
    struct broker_limits limits;
    memset(&rig, 0, sizeof rig);
    rig.verdict = verdict;
    rig.change = change;
    rig.prefix = prefix;
    fake_env_init(&rig.fake);
    broker_limits_default(&limits);
    assert_int_equal(broker_new(&rig.broker, &limits, &hooks, &rig.fake.env), MD_OK);
}

static void finish(void)
{
    broker_free(rig.broker);
    assert_int_equal(mem_used(), 0);
}

/* The code of CONNACK; the ticket is that of the first connection. */
static unsigned connect(const char *id, const char *user, enum broker_verdict later)
{
    struct wire w;
    struct mqtt_packet p;
    struct mqtt_connect c = {.level = MQTT_3_1_1,
                             .clean_session = true,
                             .client_id = span_str(id),
                             .has_username = user != NULL,
                             .username = user != NULL ? span_str(user) : span_of(NULL, 0)};
    wire_open(&w, rig.broker, 0);
    assert_int_equal(conn_identify(w.conn, "common", NULL), MD_OK);
    wire_connect_with(&w, &c);
    if (rig.verdict == BROKER_PENDING) {
        assert_false(wire_next(&w, &p));
        assert_true(broker_decide(rig.broker, 1, later, NULL));
    }
    assert_true(wire_next(&w, &p));
    assert_int_equal(p.type, MQTT_CONNACK);
    unsigned code = (unsigned)p.u.connack.code;
    wire_close(&w);
    return code;
}

/* The same at once and later, for every verdict. */
static void every_verdict_has_its_code(void **state)
{
    (void)state;
    static const struct {
        enum broker_verdict verdict;
        unsigned code;
    } rows[] = {{BROKER_ALLOW, 0},           {BROKER_BAD_ID, 2},         {BROKER_BUSY, 3},
                {BROKER_BAD_CREDENTIALS, 4}, {BROKER_NOT_AUTHORIZED, 5}, {BROKER_ABSTAIN, 5}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        start(rows[i].verdict, CHANGE_NOTHING, NULL);
        assert_int_equal(connect("c", NULL, BROKER_ALLOW), rows[i].code);
        finish();
        start(BROKER_PENDING, CHANGE_NOTHING, NULL);
        assert_int_equal(connect("c", NULL, rows[i].verdict), rows[i].code);
        finish();
    }
}

/* [MQTT-3.1.3-6] */
static void ids_are_made_after_the_hook(void **state)
{
    (void)state;
    static const enum broker_verdict verdicts[] = {BROKER_ALLOW, BROKER_PENDING};
    for (size_t i = 0; i < 2; i++) {
        start(verdicts[i], CHANGE_NOTHING, NULL);
        assert_int_equal(connect("", "u", BROKER_ALLOW), 0);
        assert_true(rig.was_empty);
        assert_int_equal(strlen(rig.id), 5 + 32);
        assert_int_equal(strncmp(rig.id, "auto-", 5), 0);
        assert_string_equal(rig.user, "u");
        finish();
        start(verdicts[i], CHANGE_NOTHING, "home/");
        assert_int_equal(connect("", NULL, BROKER_ALLOW), 0);
        assert_int_equal(strlen(rig.id), 5 + 32);
        assert_int_equal(strncmp(rig.id, "home/", 5), 0);
        finish();
        start(verdicts[i], CHANGE_NOTHING, "home/"); /* it has one */
        assert_int_equal(connect("own", NULL, BROKER_ALLOW), 0);
        assert_string_equal(rig.id, "own");
        finish();
    }
}

static void names_may_be_replaced(void **state)
{
    (void)state;
    static const enum broker_verdict verdicts[] = {BROKER_ALLOW, BROKER_PENDING};
    static const char *const ids[] = {"own", ""};
    for (size_t i = 0; i < 4; i++) {
        start(verdicts[i / 2], CHANGE_ID, NULL);
        assert_int_equal(connect(ids[i % 2], "user", BROKER_ALLOW), 0);
        assert_string_equal(rig.id, "user");
        assert_string_equal(rig.user, "user");
        finish();
        start(verdicts[i / 2], CHANGE_USER, NULL);
        assert_int_equal(connect("own", i % 2 ? NULL : "user", BROKER_ALLOW), 0);
        assert_string_equal(rig.id, "own");
        assert_string_equal(rig.user, "common");
        finish();
    }
}

/* Every allocation of a client that goes by its certificate fails in turn: it is not let in, and
 * nothing is left of it. */
static void a_name_that_there_is_no_memory_for(void **state)
{
    (void)state;
    struct mqtt_connect c = {
        .level = MQTT_3_1_1, .clean_session = true, .client_id = span_str("c")};
    bool open = false;
    for (long n = 1; !open && n < 30; n++) {
        struct wire w;
        start(BROKER_ALLOW, CHANGE_USER, NULL);
        wire_open(&w, rig.broker, 0);
        assert_int_equal(conn_identify(w.conn, "common", "CN=common"), MD_OK);
        long left = n;
        w.fail_after = &left;
        wire_connect_with(&w, &c);
        w.fail_after = NULL;
        wire_take(&w);
        open = !w.closed;
        assert_string_equal(rig.user, open ? "common" : "");
        wire_close(&w);
        finish();
    }
    assert_true(open);
}

static void quiet(void *ctx, enum log_level lv, const char *module, const char *line)
{
    (void)ctx;
    (void)lv;
    (void)module;
    (void)line;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_verdict_has_its_code),
                                       cmocka_unit_test(ids_are_made_after_the_hook),
                                       cmocka_unit_test(names_may_be_replaced),
                                       cmocka_unit_test(a_name_that_there_is_no_memory_for)};
    log_set_sink(quiet, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
