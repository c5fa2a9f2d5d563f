/* A plug that meters: what it is asked and how often, what people see of it, and what is kept. */
#include "tests/unit/meross/conversation.h"

#define ELECTRICITY  "Appliance.Control.Electricity"
#define ELECTRICITYX "Appliance.Control.ElectricityX"
#define DAYS         "Appliance.Control.ConsumptionX"
#define HOURS        "Appliance.Control.ConsumptionH"
#define STATE        "meross/" NAME
#define NIGHT        1790114400 /* 2026-09-23 00:00 in Berlin */

static struct {
    const char *abilities, *firmware;
    char power[256], days[512], hours[512];
    unsigned asked_power, asked_days, asked_hours;
    char payload[2048]; /* of the last question about power or hours */
} sim;

static const char *reply_to(const struct rig_request *r)
{
    static char text[1024];
    if (strcmp(r->ns, "Appliance.System.Ability") == 0)
        return sim.abilities;
    if (strcmp(r->ns, ALL) == 0) {
        (void)snprintf(
            text, sizeof text,
            "{\"all\":{\"system\":{\"hardware\":{\"type\":\"mss310\"},\"firmware\":"
            "{\"version\":\"%s\"}},\"digest\":{\"togglex\":[{\"channel\":0,\"onoff\":1}]}}}",
            sim.firmware);
        return text;
    }
    if (strcmp(r->ns, DAYS) == 0) {
        sim.asked_days++;
        return sim.days;
    }
    (void)snprintf(sim.payload, sizeof sim.payload, "%s", r->payload);
    if (strcmp(r->ns, HOURS) == 0) {
        sim.asked_hours++;
        return sim.hours;
    }
    assert_true(strcmp(r->ns, ELECTRICITY) == 0 || strcmp(r->ns, ELECTRICITYX) == 0);
    sim.asked_power++;
    return sim.power;
}

static void answer_all(void)
{
    struct rig_request r;
    while (rig_request_to(RIG_TO, &r)) {
        char ack[16];
        bool push = strcmp(r.method, "PUSH") == 0;
        if (strcmp(r.method, "GET") != 0 && !push)
            continue;
        (void)snprintf(ack, sizeof ack, push ? "PUSH" : "%sACK", r.method);
        rig_say(&plug, push ? RIG_FROM : r.from, ack, r.ns, push ? "p1" : r.id, "", reply_to(&r));
    }
}

/* Time passes and the plug answers what it is asked. */
static void run(unsigned seconds)
{
    sim.asked_power = sim.asked_days = sim.asked_hours = 0;
    for (unsigned i = 0; i <= seconds; i++) {
        answer_all();
        if (i < seconds)
            rig_step(1000);
    }
}

#define ABILITIES(more)                                                                            \
    "{\"ability\":{\"Appliance.System.All\":{},\"Appliance.System.Time\":{},"                      \
    "\"Appliance.Control.ToggleX\":{}" more "}}"
#define PLUG  ABILITIES(",\"" ELECTRICITY "\":{},\"" DAYS "\":{}")
#define POWER "{\"electricity\":{\"channel\":0,\"current\":290,\"voltage\":2331,\"power\":%d}}"

static void power(int mw) { (void)snprintf(sim.power, sizeof sim.power, POWER, mw); }

static void today(const char *date, int wh)
{
    (void)snprintf(sim.days, sizeof sim.days,
                   "{\"consumptionx\":[{\"date\":\"%s\",\"time\":%lld,\"value\":%d},{\"date\":"
                   "\"2026-09-22\",\"time\":1790114340,\"value\":512}]}",
                   date, (long long)(rig->env.wall_ms / 1000), wh);
}

static void begin(const char *abilities, const char *firmware)
{
    sim.abilities = abilities;
    sim.firmware = firmware;
    rig->env.wall_ms = (int64_t)NIGHT * 1000;
    rig_attach(NULL);
    zone_berlin();
    power(60000);
    today("2026-09-23", 0);
    arrive("_AbCdEfGhIjKlMnOp");
    char bind[1024];
    (void)snprintf(bind, sizeof bind, "%s", RIG_BIND_OF("mss310", "6.3.21"));
    memcpy(strstr(bind, "6.3.21"), firmware, 6);
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", bind);
    run(10);
}

static const char *state_of(void)
{
    const struct rig_pub *p = rig_last(STATE);
    return p != NULL ? p->payload : "";
}

static void has(const char *part)
{
    if (strstr(state_of(), part) == NULL)
        fail_msg("%s is not in %s", part, state_of());
}

static void test_state(void **state)
{
    (void)state;
    begin(PLUG, "6.3.21");
    has("\"power\":60,\"voltage\":233.1,\"current\":0.29,");
    has("\"energy\":0.512,\"energy_today\":0,\"energy_month\":0.512");
    assert_string_equal(sim.payload, "{\"electricity\":{\"channel\":0}}");
    /* Between counts it grows by the power, and the counter has the last word. */
    run(300);
    has("\"energy\":0.517,\"energy_today\":0.005,\"energy_month\":0.517");
    today("2026-09-23", 11);
    run(310);
    has("\"energy\":0.523,\"energy_today\":0.011");
    /* Power factor, and power that flows back, as others have it. */
    rig_say(&plug, RIG_FROM, "PUSH", ELECTRICITYX, "x", "",
            "{\"electricity\":[{\"channel\":0,\"current\":90,\"voltage\":233680,\"power\":-12345,"
            "\"mConsume\":3,\"factor\":-0.97}]}");
    has("\"power\":-12.3,\"voltage\":233.7,\"current\":0.09,\"power_factor\":-0.97");
}

/* Gently: each minute, every ten seconds for two minutes after somebody asked or it changed. */
static void test_how_often(void **state)
{
    (void)state;
    begin(PLUG, "6.3.21");
    run(600);
    assert_in_range(sim.asked_power, 9, 10);
    assert_in_range(sim.asked_days, 1, 1);
    run(3600);
    assert_in_range(sim.asked_days, 5, 7);
    assert_in_range(sim.asked_power, 59, 60);
    rig_ask("meross/" NAME "/get", "");
    run(120);
    assert_in_range(sim.asked_power, 11, 13);
    run(600);
    assert_in_range(sim.asked_power, 9, 11);
    /* 9.9 W more is nothing, 10 W is. */
    power(69900);
    run(600);
    assert_in_range(sim.asked_power, 9, 11);
    power(89900);
    run(240);
    assert_in_range(sim.asked_power, 13, 16);
    /* Somebody pressed the button. */
    run(600);
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.Control.ToggleX", "p", "",
            "{\"togglex\":[{\"channel\":0,\"onoff\":0}]}");
    run(120);
    assert_in_range(sim.asked_power, 11, 13);
}

/* [trap 39] New firmware is asked half as often. */
static void test_gentle(void **state)
{
    (void)state;
    begin(PLUG, "8.3.15");
    run(1200);
    assert_in_range(sim.asked_power, 9, 10);
    rig_ask("meross/" NAME "/get", "");
    run(120);
    assert_in_range(sim.asked_power, 5, 7);
}

/* A plug that has no meter is not asked for one. */
static void test_no_meter(void **state)
{
    (void)state;
    begin(ABILITIES(""), "6.3.21");
    run(7200);
    rig_ask("meross/" NAME "/get", "");
    run(60);
    assert_int_equal(sim.asked_power + sim.asked_days + sim.asked_hours, 0);
    assert_null(strstr(state_of(), "power"));
    assert_null(strstr(state_of(), "energy"));
}

/* [trap 32] Without a zone meters read zero: said once, and the zone is looked at again. */
static void test_no_volts(void **state)
{
    (void)state;
    begin(PLUG, "6.3.21");
    (void)snprintf(sim.power, sizeof sim.power,
                   "{\"electricity\":{\"channel\":0,\"current\":0,\"voltage\":0,\"power\":0}}");
    run(100);
    assert_int_equal(rig_logged("measures 0 V"), 0);
    run(1000);
    assert_int_equal(rig_logged("measures 0 V"), 1);
    unsigned events = 0;
    for (size_t i = 0; i < rig->n; i++)
        events += strcmp(rig->pub[i].topic, STATE "/event") == 0 &&
                  strstr(rig->pub[i].payload, "\"no_voltage\"") != NULL;
    assert_int_equal(events, 1);
    power(60000);
    run(120);
    (void)snprintf(sim.power, sizeof sim.power, "{\"electricity\":{\"power\":0,\"voltage\":0}}");
    run(600);
    assert_int_equal(rig_logged("measures 0 V"), 2);
}

/* em06: it answers pushes by pushes, has six meters, and its hours are the account. */
static void test_six_meters(void **state)
{
    (void)state;
    (void)snprintf(sim.hours, sizeof sim.hours,
                   "{\"consumptionH\":[{\"channel\":1,\"total\":9,\"data\":[{\"timestamp\":%d,"
                   "\"value\":253}]},{\"channel\":6,\"total\":1,\"data\":[{\"value\":1,"
                   "\"timestamp\":%d}]}]}",
                   NIGHT - 60, NIGHT - 60);
    begin("{\"ability\":{\"" ELECTRICITYX "\":{},\"" HOURS "\":{}}}", "2.3.08");
    (void)snprintf(sim.power, sizeof sim.power,
                   "{\"electricity\":[{\"channel\":1,\"current\":500,\"voltage\":233680,\"power\":"
                   "100000,\"mConsume\":9,\"factor\":0.5},{\"channel\":6,\"voltage\":0,\"power\":0,"
                   "\"current\":0}]}");
    run(120);
    has("\"channel\":1,\"power\":100,\"voltage\":233.7,\"current\":0.5,\"power_factor\":0.5,"
        "\"energy\":0.25");
    rig_say(&plug, RIG_FROM, "PUSH", ELECTRICITYX, "x", "",
            "{\"electricity\":{\"channel\":4,\"power\":-100000000,\"voltage\":233000}}");
    has("\"channel\":4,\"power\":-100000,\"voltage\":233,");
    has("\"channel\":6,\"power\":0,\"voltage\":0,\"current\":0,\"energy\":0.001");
    assert_int_equal(rig_logged("measures 0 V"), 0);
}

/* Neither days nor hours: power is the account. */
static void test_power_only(void **state)
{
    (void)state;
    begin(ABILITIES(",\"" ELECTRICITY "\":{}"), "6.3.21");
    power(120000);
    run(7200);
    has("\"energy\":0.23");
    rig_detach();
    rig_attach(NULL);
    has("\"energy\":0.23");
}

/* A host without time books nothing: it would book it on a wrong day. */
static void test_no_time(void **state)
{
    (void)state;
    rig->env.wall_ms = 1000;
    sim.abilities = PLUG;
    sim.firmware = "6.3.21";
    rig_attach(NULL);
    power(60000);
    today("1970-01-01", 77);
    arrive("_AbCdEfGhIjKlMnOp");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
    run(1000);
    has("\"power\":60,");
    assert_null(strstr(state_of(), "energy"));
}

/* Kept over a restart and a new name, gone when the plug is forgotten. */
static void test_kept(void **state)
{
    (void)state;
    begin(PLUG, "6.3.21");
    power(0);
    today("2026-09-23", 40);
    run(900);
    has("\"energy\":0.552");
    rig_ask("meross/broker/request/rename", "{\"plug\":\"" NAME "\",\"name\":\"kettle\"}");
    rig_detach();
    rig_attach(NULL);
    zone_berlin();
    arrive("_AbCdEfGhIjKlMnOp");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
    today("2026-09-23", 45);
    run(10);
    const struct rig_pub *p = rig_last("meross/kettle");
    assert_non_null(p);
    assert_non_null(strstr(p->payload, "\"energy\":0.557,\"energy_today\":0.045"));
    rig_ask("meross/broker/request/forget", "{\"plug\":\"kettle\"}");
    rig_detach();
    rig_attach(NULL);
    zone_berlin();
    arrive("_AbCdEfGhIjKlMnOp");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
    today("2026-09-23", 3);
    run(10);
    has("\"energy\":0.515,\"energy_today\":0.003");
}

/* The days are those of the whole device: of its further channels the power is the account. */
static void test_channels_without_days(void **state)
{
    (void)state;
    begin(ABILITIES(",\"" ELECTRICITYX "\":{},\"" DAYS "\":{}"), "6.3.21");
    (void)snprintf(sim.power, sizeof sim.power,
                   "{\"electricity\":[{\"channel\":1,\"voltage\":230000,\"power\":3600000}]}");
    run(3800);
    rig_ask("meross/broker/request/energy", "{\"plug\":\"" NAME "\",\"channel\":1}");
    const struct rig_pub *p = rig_last("meross/broker/response/energy");
    assert_non_null(p);
    if (strstr(p->payload, "\"channel\":1,\"total\":3") == NULL)
        fail_msg("%s", p->payload);
    rig_ask("meross/broker/request/energy", "{\"plug\":\"" NAME "\",\"channel\":0}");
    assert_non_null(strstr(rig_last("meross/broker/response/energy")->payload, "\"total\":512"));
}

/* What is no reading changes nothing. */
static void test_junk(void **state)
{
    (void)state;
    static const char *const junk[] = {"{}",
                                       "{\"electricity\":7}",
                                       "{\"electricity\":[{}]}",
                                       "{\"consumptionx\":[{\"date\":\"x\",\"value\":1}]}",
                                       "{\"consumptionx\":{}}",
                                       "{\"consumptionH\":[[]]}"};
    begin(PLUG, "6.3.21");
    char before[512];
    (void)snprintf(before, sizeof before, "%s", state_of());
    for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++) {
        rig_say(&plug, RIG_FROM, "PUSH", ELECTRICITY, "a", "", junk[i]);
        rig_say(&plug, RIG_FROM, "PUSH", DAYS, "b", "", junk[i]);
        rig_say(&plug, RIG_FROM, "PUSH", HOURS, "c", "", junk[i]);
    }
    assert_string_equal(state_of(), before);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_state),
                                       T(test_how_often),
                                       T(test_gentle),
                                       T(test_no_meter),
                                       T(test_no_volts),
                                       T(test_no_time),
                                       T(test_six_meters),
                                       T(test_power_only),
                                       T(test_kept),
                                       T(test_junk),
                                       T(test_channels_without_days)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
