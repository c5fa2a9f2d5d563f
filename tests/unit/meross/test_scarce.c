/* Memory that runs out at every allocation of a whole session: polls, families, energy, requests of
 * people and of other clients, the LAN.  Nothing breaks, nothing is lost for good: once there is
 * memory again, the plug obeys. */
#include "tests/unit/meross/foreign_words.h"

#include "meross/wire/namespaces.h"

#define ABILITIES                                                                                  \
    "{\"ability\":{\"Appliance.System.All\":{},\"Appliance.System.Time\":{},"                      \
    "\"Appliance.Control.ToggleX\":{},\"Appliance.Control.Electricity\":{},"                       \
    "\"Appliance.Control.ConsumptionX\":{},\"Appliance.Control.Light\":{\"capacity\":7},"          \
    "\"Appliance.Hub.SubdeviceList\":{},\"Appliance.Hub.Sensor.All\":{},"                          \
    "\"Appliance.System.DNDMode\":{},\"Appliance.Control.Multiple\":{\"maxCmdNum\":3}}}"
#define LIGHT "Appliance.Control.Light"

static const struct meross_lan no_lan = {.ask = NULL};
static struct meross_lan_ask under_way[64];
static unsigned n_under_way;

static int ask_lan(void *ctx, const struct meross_lan_ask *a)
{
    (void)ctx;
    void *p = mem_alloc(1); /* as the real one */
    if (p == NULL || n_under_way == 64)
        return MD_NOMEM;
    mem_free(p);
    under_way[n_under_way++] = *a;
    return MD_OK;
}

static void end_lan(void)
{
    while (n_under_way > 0) {
        struct meross_lan_ask a = under_way[--n_under_way];
        a.done(a.ctx, MD_IO);
    }
}

/* A plug has its own memory. */
static bool asked(struct rig_request *r)
{
    long left = mem_fail_after(-1);
    bool any = rig_request_to(RIG_TO, r);
    mem_fail_after(left);
    return any;
}

/* Answers whatever the plug is asked. */
static void answer_all(void)
{
    struct rig_request r;
    for (unsigned i = 0; i < 50 && asked(&r); i++) {
        char ack[24];
        const char *payload = strcmp(r.ns, NS_ALL) == 0       ? RIG_ALL
                              : strcmp(r.ns, NS_ABILITY) == 0 ? ABILITIES
                                                              : "{}";
        (void)snprintf(ack, sizeof ack, "%sACK", r.method);
        if (strcmp(r.method, "GET") == 0 || strcmp(r.method, "SET") == 0)
            rig_say(&plug, TOPICS_ANSWERS, ack, r.ns, r.id, "", payload);
    }
}

static void come(void)
{
    if (plug.c.tag != NULL)
        rig_drop(&plug, "again");
    rig_plug(&plug, RIG_UUID, "48:e1:e9:12:34:56", "_AbCdEfGhIjKlMnOp");
    plug.c.peer = "192.168.1.50:1";
    if (rig_connect(&plug) != BROKER_ALLOW || !rig_may(&plug, BROKER_SUBSCRIBE, RIG_TO))
        return;
    rig_listen(&plug, RIG_TO);
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
}

static void say(const char *method, const char *ns, const char *payload)
{
    if (plug.c.tag != NULL)
        rig_say(&plug, RIG_FROM, method, ns, "m", "", payload);
}

static void switched(unsigned round)
{
    (void)round;
    say("PUSH", TOGGLEX, "{\"togglex\":[{\"channel\":0,\"onoff\":1},{\"channel\":3,\"onoff\":0}]}");
}

static void lit(unsigned round)
{
    (void)round;
    say("PUSH", LIGHT, "{\"light\":{\"channel\":0,\"rgb\":255,\"luminance\":7,\"capacity\":5}}");
}

static void sensed(unsigned round)
{
    (void)round;
    say("PUSH", "Appliance.Hub.Sensor.All",
        "{\"all\":[{\"id\":\"01008C11\",\"ms100\":{\"latestTemperature\":215}},{\"id\":\"A\"},{"
        "\"id\":\"B\"}]}");
}

static void measured(unsigned round)
{
    (void)round;
    say("PUSH", "Appliance.Control.Electricity",
        "{\"electricity\":{\"channel\":0,\"power\":12345,\"voltage\":2301,\"current\":55}}");
    say("GETACK", "Appliance.Control.ConsumptionX",
        "{\"consumptionx\":[{\"date\":\"2024-06-01\",\"time\":1717243200,\"value\":17}]}");
}

static void hot(unsigned round)
{
    (void)round;
    say("SET", "Appliance.Control.OverTemp",
        "{\"overTemp\":{\"channel\":0,\"value\":1,\"type\":1}}");
}

static void people(unsigned round)
{
    (void)round;
    rig_ask("meross/" NAME "/set",
            "{\"state\":\"TOGGLE\",\"brightness\":5,\"color\":\"#ff0000\",\"led\":"
            "false,\"transaction\":\"t\"}");
    rig_ask("meross/broker/request/raw",
            "{\"plug\":\"" NAME "\",\"method\":\"GET\",\"namespace\":\"" ALL "\"}");
}

static void another_client(unsigned round)
{
    char id[33];
    (void)snprintf(id, sizeof id, "%032x", 4096 + round);
    (void)rig_publish(&other, RIG_TO, foreign_write("SET", TOGGLEX, id, "", APP, SWITCH_ON), false);
}

static void new_keys(unsigned round)
{
    static const char *const keys[] = {"some other key", NULL};
    int err = meross_set_keys(rig->m, round % 2 == 0 ? keys : NULL);
    assert_true(err == MD_OK || err == MD_NOMEM);
}

static void renamed(unsigned round)
{
    rig_ask("meross/broker/request/rename",
            round % 2 == 0 ? "{\"plug\":\"" RIG_MAC "\",\"name\":\"Lampe\"}"
                           : "{\"plug\":\"" RIG_MAC "\",\"name\":\"" NAME "\"}");
}

static void forgotten(unsigned round)
{
    if (round % 5 == 0)
        rig_ask("meross/broker/request/forget", "{\"plug\":\"" RIG_MAC "\"}");
}

static void over_the_lan(unsigned round)
{
    (void)round;
    if (plug.c.tag != NULL)
        rig_drop(&plug, "gone");
    rig_ask("meross/" NAME "/set", "{\"state\":\"ON\",\"transaction\":\"lan\"}");
    rig_ask("meross/Lampe/set", "{\"state\":\"ON\",\"transaction\":\"lan\"}");
}

static void comes(unsigned round)
{
    (void)round;
    come();
}

static void answers(unsigned round)
{
    (void)round;
    answer_all();
}

static void a_moment(unsigned round)
{
    (void)round;
    rig_step(1500);
}

static void a_minute(unsigned round)
{
    (void)round;
    rig_step(61000);
    end_lan();
}

static void (*const steps[])(unsigned round) = {
    comes,    answers, a_moment,       answers,      switched, lit, sensed,
    measured, people,  another_client, a_moment,     answers,  hot, new_keys,
    renamed,  people,  forgotten,      over_the_lan, a_minute};
#define STEPS (sizeof steps / sizeof steps[0])

static void obeys(void)
{
    rig_ask("meross/broker/request/rename", "{\"plug\":\"" RIG_MAC "\",\"name\":\"" NAME "\"}");
    assert_int_equal(meross_set_keys(rig->m, NULL), MD_OK);
    come();
    rig_step(2000);
    answer_all();
    rig_step(8000);
    answer_all();
    unsigned before = rig_count("meross/" NAME "/response");
    rig_ask("meross/" NAME "/set", "{\"state\":\"OFF\",\"transaction\":\"z\"}");
    rig_step(1500);
    answer_all();
    assert_true(rig_count("meross/" NAME "/response") > before);
    const struct rig_pub *p = rig_last("meross/" NAME "/response");
    if (strstr(p->payload, "\"transaction\":\"z\",\"status\":\"ok\"") == NULL)
        fail_msg("%s", p->payload);
}

static void sweep(bool timers_fail, long most)
{
    static const struct meross_lan lan = {ask_lan, NULL};
    ready_with_a_client();
    meross_set_lan(rig->m, &lan, 80);
    zone_berlin();
    for (long n = 1; n <= most; n++) {
        for (size_t i = 0; i < STEPS; i++) {
            mem_fail_after(n);
            rig->no_timers = timers_fail && ((size_t)n + i) % 3 == 0;
            steps[i]((unsigned)n);
            rig->no_timers = false;
            mem_fail_after(-1);
        }
        if (n % 4 == 0)
            obeys();
    }
    obeys();
    meross_set_lan(rig->m, &no_lan, 0);
}

static void test_memory(void **state)
{
    (void)state;
    sweep(false, 80);
}

static void test_timers(void **state)
{
    (void)state;
    sweep(true, 80);
}

static int teardown(void **state)
{
    if (plug.c.tag != NULL)
        rig_drop(&plug, "the end");
    rig_detach();
    end_lan();
    memset(&plug, 0, sizeof plug);
    return rig_teardown(state);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_memory), T(test_timers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
