/* The pairing machine: the whole way, every failure of it, and Ctrl-C at each moment. */
#include "tests/unit/pairing/world.h"

#define WIFIX  ",\"Appliance.Config.WifiX\":{}"
#define ECDHE  ",\"Appliance.Encrypt.ECDHE\":{}"
#define METERS ",\"Appliance.Control.Electricity\":{}"

static void rule(const char *ns, enum world_way way, unsigned times, int code)
{
    w->rule[0] = (struct world_rule){ns, way, times, code};
}

/* [trap 37] [trap 41] [trap 43] [trap 45] Both hosts are set; what the list says goes back as it
 * came; base64 is one line; header lines may end in LF. */
static void test_whole_way(void **state)
{
    (void)state;
    world_run(PAIR_FINE);
    static const char *const order[] = {NS_ABILITY, NS_ALL,        NS_ABILITY, NS_WIFI_LIST,
                                        NS_TIME,    NS_CONFIG_KEY, NS_WIFI};
    assert_int_equal(w->n_asked, sizeof order / sizeof order[0]);
    for (size_t i = 0; i < w->n_asked; i++)
        assert_string_equal(w->asked[i], order[i]);
    char want[512];
    (void)snprintf(want, sizeof want,
                   "{\"key\":{\"gateway\":{\"host\":\"192.0.2.9\",\"port\":8883,\"secondHost\":"
                   "\"192.0.2.9\",\"secondPort\":8883,\"redirect\":1},\"key\":\"%s\",\"userId\":"
                   "\"0\"}}",
                   w->key_told);
    assert_string_equal(w->key_payload, want);
    assert_string_equal(
        w->wifi_payload,
        "{\"wifi\":{\"ssid\":\"" WORLD_HOME "\",\"password\":"
        "\"aHVudGVyMnNlY3JldA==\",\"bssid\":\"de-ad-00-00-be-ef\",\"channel\":\"3\","
        "\"encryption\":8,\"cipher\":4}}");
    assert_non_null(strstr(w->time_payload, "{\"time\":{\"timestamp\":17172432"));
    assert_non_null(strstr(w->time_payload, "\"timezone\":\"Europe/Berlin\",\"timeRule\":[["
                                            "1711846800,7200,1],[1729990800,3600,0],"));
    assert_string_equal(w->name_told, "kettle");
    SAID("found mss310, " WORLD_MAC ", firmware 6.3.21");
    SAID("LED: a click, then it blinks green");
    SAID("LED: steady");
    SAID("first reading: ON");
    assert_string_equal(w->p.arrival.name, "kettle");
}

static void test_crlf(void **state)
{
    (void)state;
    w->crlf = true;
    world_run(PAIR_FINE);
}

/* [trap 42] [vector WifiX password for hunter2secret] The values of section 11. */
static void test_wifix(void **state)
{
    (void)state;
    w->ability = WORLD_ABILITY(WIFIX);
    world_run(PAIR_FINE);
    assert_string_equal(w->wifi_ns, NS_WIFIX);
    assert_non_null(strstr(w->wifi_payload, "\"password\":\"JSbdAdTuOrxueteSURAdzg==\","));
    SAID("the Wi-Fi, encrypted,");
}

/* [trap 46] Only Ability and the exchange are open; everything else is sealed. */
static void test_ecdhe(void **state)
{
    (void)state;
    w->ability = WORLD_ABILITY(WIFIX ECDHE);
    w->wants_seal = true;
    world_run(PAIR_FINE);
    assert_true(w->sealed);
    assert_int_equal(world_asked(NS_ECDHE), 1);
    SAID("firmware 6.3.21, encrypted");
}

/* A plug that has the ability and still takes plain requests is asked plainly. */
static void test_ecdhe_unneeded(void **state)
{
    (void)state;
    w->ability = WORLD_ABILITY(ECDHE);
    world_run(PAIR_FINE);
    assert_int_equal(world_asked(NS_ECDHE), 0);
}

static void test_metering(void **state)
{
    (void)state;
    w->ability = WORLD_ABILITY(METERS);
    w->power = "0.0";
    w->connects_after_s = 9;
    w->binds_after_s = 12;
    w->reads_after_s = 15;
    world_run(PAIR_FINE);
    SAID("at 192.0.2.37");
    SAID("first reading: 231.0 V, 0.0 W");
}

/* [trap 26] Names of networks are bytes. */
static void test_strange_names(void **state)
{
    (void)state;
    w->ssid = "Caf\xc3\xa9 \xff\"\\";
    w->networks = "{\"wifiList\":{\"ssid\":\"Q2Fmw6kg/yJc\",\"bssid\":\"a\",\"signal\":1,"
                  "\"encryption\":6}}"; /* an object in place of a list, and members missing */
    w->password = "p\xc3\xa4ssw\xf6rt\"\\";
    world_run(PAIR_FINE);
    assert_string_equal(w->wifi_payload, "{\"wifi\":{\"ssid\":\"Q2Fmw6kg/yJc\",\"password\":"
                                         "\"cMOkc3N39nJ0Ilw=\",\"bssid\":\"a\",\"encryption\":6}}");
}

static void test_open_network(void **state)
{
    (void)state;
    w->ssid = "Open";
    w->no_password = true; /* nobody is asked for one */
    world_run(PAIR_FINE);
    assert_non_null(strstr(w->wifi_payload, "\"password\":\"\","));
}

/* [trap 40] The list takes long, and the first try may end in nothing. */
static void test_slow_list(void **state)
{
    (void)state;
    rule(NS_WIFI_LIST, WORLD_LATER, 1, 0);
    world_run(PAIR_FINE);
    assert_int_equal(world_asked(NS_WIFI_LIST), 2);
    world_reset();
    rule(NS_WIFI_LIST, WORLD_CUTS, 1, 0);
    world_run(PAIR_FINE);
    world_reset();
    rule(NS_WIFI_LIST, WORLD_LATER, 0, 0);
    world_run(PAIR_LOST_PLUG);
    assert_int_equal(world_asked(NS_WIFI_LIST), 2);
    TEXT_HAS("Join it again");
}

/* [trap 44] The answer to Wifi may never come: that is success. */
static void test_lost_setack(void **state)
{
    (void)state;
    static const enum world_way ways[] = {WORLD_LATER, WORLD_RESETS, WORLD_CUTS, WORLD_CUTS_JSON};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        world_reset();
        rule(NS_WIFI, ways[i], 0, 0);
        world_run(PAIR_FINE);
        assert_int_equal(world_asked(NS_WIFI), 1); /* and it is not told twice */
    }
}

/* A plug that was never reached was not told anything. */
static void test_wifi_not_sent(void **state)
{
    (void)state;
    rule(NS_WIFI, WORLD_AWAY, 2, 0);
    world_run(PAIR_FINE);
    world_reset();
    rule(NS_WIFI, WORLD_AWAY, 0, 0);
    world_run(PAIR_WIFI_REFUSED);
    assert_non_null(strstr(w->p.state, "knows the broker but not the Wi-Fi"));
    assert_int_equal(w->keys_back, 1);
    world_reset();
    rule(NS_WIFI, WORLD_ERROR, 0, 5000);
    world_run(PAIR_WIFI_REFUSED);
    TEXT_HAS("refuses the request");
}

/* From the moment it has a key it may check signatures. */
static void test_checks_key(void **state)
{
    (void)state;
    w->checks_key = true;
    world_run(PAIR_FINE);
    assert_int_equal(world_asked(NS_WIFI), 2);
}

/* It took the key and said so in vain: from then on it answers only those who have it. */
static void test_key_taken_unheard(void **state)
{
    (void)state;
    static const enum world_way ways[] = {WORLD_LATER, WORLD_RESETS, WORLD_CUTS};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        world_reset();
        w->checks_key = true;
        rule(NS_CONFIG_KEY, ways[i], 1, 0);
        world_run(PAIR_FINE);
        assert_int_equal(world_asked(NS_CONFIG_KEY), 3);
    }
}

/* The address of set-up mode is the same for all: another plug's trace is not ours. */
static void test_another_plug_in_setup(void **state)
{
    (void)state;
    w->back = true;
    w->connects_after_s = 60;
    w->trace = "{\"trace\":{\"ssid\":\"x\",\"code\":\"3\",\"info\":\"password error\"}}";
    w->trace_from = "/appliance/2101011234567890123448e1e9654321/publish";
    world_run(PAIR_FINE);
    assert_true(w->looks_back > 0);
}

/* The computer did not come back into its network: no tick, for that is for people to mend. */
static void test_leave_fails(void **state)
{
    (void)state;
    w->leave_fails = true;
    world_run(PAIR_FINE);
    SAID("9i the former network is not back");
    world_reset();
    world_run(PAIR_FINE);
    SAID("9+ back in the former network");
}

static void test_key_answers(void **state)
{
    (void)state;
    static const enum world_way ways[] = {WORLD_LATER, WORLD_RESETS, WORLD_CUTS, WORLD_AWAY};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        world_reset();
        rule(NS_CONFIG_KEY, ways[i], 1, 0);
        world_run(PAIR_FINE);
        world_reset();
        rule(NS_CONFIG_KEY, ways[i], 0, 0);
        world_run(PAIR_BROKER_REFUSED);
        assert_int_equal(world_asked(NS_WIFI), 0);
        assert_int_equal(w->keys_back, 1);
        assert_non_null(strstr(w->p.state, ways[i] == WORLD_AWAY ? "untouched" : "not the Wi-Fi"));
    }
    world_reset();
    rule(NS_CONFIG_KEY, WORLD_ERROR, 0, 5000);
    world_run(PAIR_BROKER_REFUSED);
    assert_non_null(strstr(w->p.state, "untouched"));
}

static void test_time_is_optional(void **state)
{
    (void)state;
    rule(NS_TIME, WORLD_ERROR, 0, 5000);
    world_run(PAIR_FINE);
    SAID("did not take the time");
    world_reset();
    w->p.zone = NULL;
    world_run(PAIR_FINE);
    assert_false(w->has_time);
    world_reset();
    w->env.wall_ms = 60000; /* [trap 33] */
    world_run(PAIR_FINE);
    assert_false(w->has_time);
}

static void test_no_broker(void **state)
{
    (void)state;
    w->probe_fails = true;
    world_run(PAIR_NO_BROKER);
    assert_int_equal(w->n_asked + w->joins, 0); /* nothing was touched */
    TEXT_HAS("refuses connections");
    assert_non_null(strstr(w->p.state, "untouched"));
}

/* [trap 47] No access point at all: the newer ones that use Bluetooth. */
static void test_no_access_point(void **state)
{
    (void)state;
    w->ap_after_ms = UINT64_MAX;
    world_run(PAIR_NO_AP);
    TEXT_HAS("Bluetooth");
    TEXT_HAS("merossd adopt");
    assert_in_range(w->joins, 30, 61);
    world_reset();
    w->ap_after_ms = w->env.mono_ms + 40000;
    world_run(PAIR_FINE);
    world_reset();
    w->join_fails = true;
    world_run(PAIR_NO_AP);
    TEXT_HAS("no network Meross_*");
}

static void test_bad_plug(void **state)
{
    (void)state;
    rule(NS_ALL, WORLD_CUTS, 2, 0);
    world_run(PAIR_FINE);
    static const struct {
        enum world_way way;
        int code;
        enum pair_fault fault;
        const char *word;
    } all[] = {{WORLD_CUTS, 0, PAIR_CUT_OFF, "ends in the middle"},
               {WORLD_CUTS_JSON, 0, PAIR_CUT_OFF, "ends in the middle"},
               {WORLD_RESETS, 0, PAIR_SEALED, "in clear and encrypted"},
               {WORLD_LATER, 0, PAIR_LOST_PLUG, "go nearer"},
               {WORLD_AWAY, 0, PAIR_LOST_PLUG, "go nearer"},
               {WORLD_ERROR, 5001, PAIR_NOT_SETUP, "set up already"},
               {WORLD_ERROR, 5000, PAIR_NO_PLUG, "error 5000"},
               {WORLD_NOT_JSON, 0, PAIR_NO_PLUG, "really in the plug's network"},
               {WORLD_NOT_FOUND, 0, PAIR_NO_PLUG, "really in the plug's network"}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        world_reset();
        rule(NS_ALL, all[i].way, 0, all[i].code);
        world_run(all[i].fault);
        TEXT_HAS(all[i].word);
        assert_int_equal(w->keys_told, 0);
        world_reset();
        rule(NS_ABILITY, all[i].way, 0, all[i].code);
        if (all[i].way != WORLD_AWAY)
            world_run(all[i].fault);
    }
    static const char *const strange[] = {
        "{}", "{\"all\":{\"system\":{\"hardware\":{\"uuid\":\"x\",\"macAddress\":\"y\"}}}}",
        "{\"all\":{\"system\":{\"hardware\":{\"uuid\":\"" WORLD_UUID "\"}}}}"};
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        world_reset();
        w->all = strange[i];
        world_run(PAIR_NO_PLUG);
    }
}

/* The exchange of keys goes wrong. */
static void test_bad_exchange(void **state)
{
    (void)state;
    w->ability = WORLD_ABILITY(ECDHE);
    w->wants_seal = true;
    rule(NS_ECDHE, WORLD_RESETS, 0, 0);
    world_run(PAIR_SEALED);
    world_reset();
    w->ability = WORLD_ABILITY(ECDHE);
    w->wants_seal = true;
    rule(NS_ECDHE, WORLD_ERROR, 0, 5000);
    world_run(PAIR_NO_PLUG);
    world_reset();
    w->wants_seal = true; /* closes what is plain, and knows no other way */
    world_run(PAIR_SEALED);
}

static void test_networks(void **state)
{
    (void)state;
    w->networks = "{\"wifiList\":[]}";
    world_run(PAIR_NO_NETWORKS);
    TEXT_HAS("2.4 GHz");
    world_reset();
    w->networks = "{}";
    world_run(PAIR_NO_NETWORKS);
    world_reset();
    w->ssid = "Home5G";
    world_run(PAIR_NOT_SEEN);
    world_reset();
    w->ssid = "WPA3";
    world_run(PAIR_UNUSABLE);
    assert_int_equal(w->keys_told, 0);
}

static void test_passwords(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "seven77", "12345678901234567890123456789012345678901234567890123456789012345",
        "123456789012345678901234567890123456789012345678901234567890123x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        world_reset();
        w->password = bad[i];
        pair_run(&w->p);
        assert_int_equal(w->p.fault, PAIR_BAD_PASSWORD);
        assert_int_equal(w->keys_told, 0);
    }
    static const char *const good[] = {
        "eight888", "123456789012345678901234567890123456789012345678901234567890abc",
        "123456789012345678901234567890123456789012345678901234567890abcd"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        world_reset();
        w->password = good[i];
        world_run(PAIR_FINE);
    }
    world_reset();
    w->no_password = true;
    world_run(PAIR_NO_CHOICE);
}

static void test_key_refused(void **state)
{
    (void)state;
    w->key_refused = true;
    world_run(PAIR_KEY_REFUSED);
    TEXT_HAS("another plug is called that");
    assert_false(w->has_key);
}

/* The plug comes back to set-up mode and says why: its key is nobody's then. */
static void test_wrong_password(void **state)
{
    (void)state;
    w->never = true;
    w->back = true;
    w->trace = "{\"trace\":{\"ssid\":\"x\",\"code\":\"3\",\"info\":\"password error\"}}";
    world_run(PAIR_JOIN_FAILED);
    TEXT_HAS("says \"password error\" (code 3)");
    TEXT_HAS("Mostly the password is wrong");
    assert_int_equal(w->keys_back, 1);
    assert_int_equal(w->looks_back, 1);
    assert_non_null(strstr(w->p.state, "untouched"));
}

/* It stays away; the list of what its LED may show is the help. */
static void test_never_comes(void **state)
{
    (void)state;
    w->never = true;
    uint64_t before = w->env.mono_ms;
    world_run(PAIR_NOT_ARRIVED);
    assert_in_range(w->env.mono_ms - before, 90000, 130000);
    TEXT_HAS("Amber and green in turn");
    TEXT_HAS("Blinking green");
    TEXT_HAS("within 90 s");
    assert_int_equal(w->keys_back, 0);
    assert_non_null(strstr(w->p.state, "its key is kept"));
    SAID("still waiting");
    world_reset();
    w->connects_after_s = 89;
    world_run(PAIR_FINE);
    world_reset();
    w->arrival_fails = true;
    world_run(PAIR_NOT_ARRIVED);
    world_reset();
    w->never = true;
    w->back = true; /* its network is there, and it has nothing to complain about */
    world_run(PAIR_NOT_ARRIVED);
}

static void test_arrives_and_no_more(void **state)
{
    (void)state;
    w->no_bind = true;
    world_run(PAIR_NOT_BOUND);
    TEXT_HAS("did not bind");
    world_reset();
    w->other_key = true;
    world_run(PAIR_OTHER_KEY);
    TEXT_HAS("knows it as \"empty\"");
    world_reset();
    w->no_read = true;
    world_run(PAIR_NOT_READ);
    TEXT_HAS("merossd show");
}

/* Ctrl-C at each moment at which anybody asks whether it was pressed. */
static void test_interrupts(void **state)
{
    (void)state;
    static const struct {
        const char *ability;
        bool never, back;
    } ways[] = {{WORLD_ABILITY(""), false, false},
                {WORLD_ABILITY(WIFIX ECDHE), false, false},
                {WORLD_ABILITY(""), true, true}};
    unsigned untouched = 0, sent = 0;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        for (unsigned n = 1;; n++) {
            world_reset();
            w->ability = ways[i].ability;
            w->wants_seal = i == 1;
            w->never = ways[i].never;
            w->back = ways[i].back;
            w->ap_after_ms = w->env.mono_ms + 3000;
            w->stop_at = n;
            pair_run(&w->p);
            world_is_whole();
            assert_int_equal(w->has_key, w->has_wifi); /* never the one without the other */
            if (w->p.fault != PAIR_STOPPED)
                break;
            untouched += !w->has_key;
            sent += w->p.sent;
            assert_non_null(strstr(w->p.state, w->p.sent ? "goes on by itself" : "untouched"));
            assert_true(n < 1000);
        }
        assert_int_equal(w->p.fault, ways[i].never ? PAIR_NOT_ARRIVED : PAIR_FINE);
    }
    assert_true(untouched > 20 && sent > 20);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {T(test_whole_way),
                                       T(test_crlf),
                                       T(test_wifix),
                                       T(test_ecdhe),
                                       T(test_ecdhe_unneeded),
                                       T(test_metering),
                                       T(test_strange_names),
                                       T(test_open_network),
                                       T(test_slow_list),
                                       T(test_lost_setack),
                                       T(test_wifi_not_sent),
                                       T(test_checks_key),
                                       T(test_leave_fails),
                                       T(test_key_taken_unheard),
                                       T(test_another_plug_in_setup),
                                       T(test_key_answers),
                                       T(test_time_is_optional),
                                       T(test_no_broker),
                                       T(test_no_access_point),
                                       T(test_bad_plug),
                                       T(test_bad_exchange),
                                       T(test_networks),
                                       T(test_passwords),
                                       T(test_key_refused),
                                       T(test_wrong_password),
                                       T(test_never_comes),
                                       T(test_arrives_and_no_more),
                                       T(test_interrupts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
