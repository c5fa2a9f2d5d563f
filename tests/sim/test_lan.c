/* Plugs that lost their connection for good, and stand in the Wi-Fi all the same: what is asked of
 * them, and how they come back by themselves. */
#include "meross/meross.h"
#include "tests/plugsim/lan/sim_http.h"
#include "tests/sim/house.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME  "meross/mss310-3456"
#define THERE NAME "/availability"
#define ABOUT NAME "/response"
#define EVENT NAME "/event"
#define LANS  8
#define KEY   "00112233445566778899aabbccddeeff"

struct exchange { /* one connection to a plug's HTTP server */
    struct meross_lan_ask ask;
    struct sim_http http;
    uint64_t until_ms;
    bool open, there;
};

static struct house *h;
static struct house_plug *plug;
static struct exchange lan[LANS];
static unsigned asked;
static bool rekeyed;

static uint64_t now(void) { return h->fake.mono_ms; }

static int ask(void *ctx, const struct meross_lan_ask *a)
{
    (void)ctx;
    for (unsigned i = 0; i < LANS; i++) {
        struct exchange *x = &lan[i];
        if (x->open)
            continue;
        *x = (struct exchange){.ask = *a, .until_ms = now() + a->timeout_ms, .open = true};
        x->there =
            strcmp(a->host, "192.168.1.50") == 0 && a->port == 80 && sim_http_open(plug->sim);
        if (x->there) {
            sim_http_init(&x->http, plug->sim);
            sim_http_feed(&x->http, a->send, now());
        }
        asked++;
        return MD_OK;
    }
    return MD_FULL;
}

static void end_exchange(struct exchange *x, int err)
{
    x->open = false;
    if (x->there)
        sim_http_free(&x->http);
    x->ask.done(x->ask.ctx, err);
}

static void step_exchange(struct exchange *x)
{
    bool enough = false;
    if (!x->there) {
        end_exchange(x, MD_IO);
        return;
    }
    (void)sim_http_tick(&x->http, now());
    struct span out = sim_http_output(&x->http);
    if (out.n > 0) {
        enough = !x->ask.take(x->ask.ctx, out);
        sim_http_sent(&x->http, out.n);
    }
    if (enough || sim_http_over(&x->http) || sim_http_reset(&x->http))
        end_exchange(x, MD_OK);
    else if (now() >= x->until_ms)
        end_exchange(x, MD_TIMEOUT);
}

static void on_event(void *ctx, const char *what, const char *detail)
{
    (void)ctx;
    (void)detail;
    rekeyed |= strcmp(what, "rekey") == 0;
}

/* One that was re-keyed gives its dead connection up. */
static void run(uint64_t ms)
{
    for (uint64_t t = 0; t < ms; t += HOUSE_STEP) {
        house_run(h, HOUSE_STEP);
        for (unsigned i = 0; i < LANS; i++)
            if (lan[i].open)
                step_exchange(&lan[i]);
        (void)simplug_tick(plug->sim, now());
        if (rekeyed && plug->unplugged) {
            plug->unplugged = false;
            simplug_closed(plug->sim, now());
        }
    }
}

/* Runs until the hand hears `part` on a topic; how long that took. */
static uint64_t run_until(const char *topic, const char *part, uint64_t max_ms)
{
    uint64_t t = 0;
    for (; t <= max_ms && house_count(h, topic, part) == 0; t += 100)
        run(100);
    assert_true(t <= max_ms);
    return t;
}

/* A plug with these options was here; then its connection broke, and it does not notice. */
static void lost(const char *const *options, const char *key)
{
    struct simplug_options o;
    house_start(h, key);
    o = house_options(h, "mss310", 0);
    for (; options != NULL && *options != NULL; options++)
        assert_int_equal(simplug_options_set(&o, *options), MD_OK);
    if (key != NULL)
        (void)snprintf(o.key, sizeof o.key, "%s", key);
    plug = house_plug(h, &o);
    (void)snprintf(plug->address, sizeof plug->address, "192.168.1.50:5000");
    simplug_watch(plug->sim, on_event, NULL);
    assert_true(house_run_until_bound(h, 60000) < 60000);
    house_run(h, 20000);
    struct conn *c = plug->conn;
    plug->unplugged = true;
    plug->conn = NULL;
    conn_lost(c, "the network failed");
    const struct meross_lan way = {ask, NULL};
    meross_set_lan(h->meross, &way, 80);
    run(1000);
    assert_string_equal(house_heard(h, THERE), "offline");
    house_forget(h);
}

static int begin(void **state)
{
    (void)state;
    h = calloc(1, sizeof *h);
    memset(lan, 0, sizeof lan);
    asked = 0;
    rekeyed = false;
    return 0;
}

static int end(void **state)
{
    (void)state;
    meross_detach(h->meross);
    for (unsigned i = 0; i < LANS; i++)
        if (lan[i].open)
            end_exchange(&lan[i], MD_CLOSED);
    house_stop(h);
    free(h);
    return 0;
}

static void switched(const char *order, bool on)
{
    house_forget(h);
    house_say(h, NAME "/set", order);
    run(3000);
    if (strstr(house_heard(h, ABOUT), "\"status\":\"ok\"") == NULL)
        fail_msg("%s: %s", order, house_heard(h, ABOUT));
    assert_int_equal(house_status(plug)->relay[0], on);
}

/* It saw nothing that it should not, but that its dead connection was silent. */
static void clean(void)
{
    for (size_t i = 0; i < simplug_violations(plug->sim); i++)
        if (strncmp(simplug_violation(plug->sim, i), "no PUBACK", 9) != 0 &&
            strncmp(simplug_violation(plug->sim, i), "no PINGRESP", 11) != 0)
            fail_msg("%s", simplug_violation(plug->sim, i));
}

static void is_switched_and_comes_back(void)
{
    switched("{\"state\":\"ON\",\"transaction\":\"1\"}", true);
    switched("{\"state\":\"OFF\",\"transaction\":\"2\"}", false);
    switched("{\"state\":\"TOGGLE\",\"transaction\":\"3\"}", true);
    house_forget(h);
    uint64_t took = run_until(THERE, "online", 300000);
    assert_true(took > 120000); /* it had its chance to come by itself */
    run(20000);
    assert_int_equal(house_count(h, EVENT, "\"event\":\"woken\""), 1);
    assert_true(house_status(plug)->bound);
    assert_int_equal(house_status(plug)->reboots, 0);
    unsigned n = asked;
    house_forget(h);
    switched("{\"state\":\"OFF\",\"transaction\":\"4\"}", false);
    run(600000);
    assert_int_equal(asked, n); /* over MQTT, and it is left alone */
    clean();
}

/* [trap 35] [trap 37] */
static void a_mute_plug_comes_back_by_itself(void **state)
{
    (void)state;
    lost(NULL, NULL);
    is_switched_and_comes_back();
}

/* [trap 45] */
static void one_that_ends_its_lines_in_lf(void **state)
{
    (void)state;
    static const char *const options[] = {"http_bare_lf=1", NULL};
    lost(options, NULL);
    is_switched_and_comes_back();
}

/* [trap 46] */
static void one_that_wants_everything_sealed(void **state)
{
    (void)state;
    static const char *const options[] = {"ecdhe=1", NULL};
    lost(options, KEY);
    is_switched_and_comes_back();
    assert_null(strstr(h->log, KEY));
}

/* Its answers are cut off: it is not taken for another one, and nothing is done to it. */
static void one_that_cuts_its_answers_off(void **state)
{
    (void)state;
    static const char *const options[] = {"http_max=300", NULL};
    lost(options, NULL);
    house_say(h, NAME "/set", "{\"state\":\"ON\",\"transaction\":\"1\"}");
    run(3000);
    assert_non_null(strstr(house_heard(h, ABOUT), "\"code\":\"offline\""));
    assert_false(house_status(plug)->relay[0]);
    run(300000);
    assert_false(rekeyed);
    clean();
}

/* Nobody is there any more: it is asked, but seldom. */
static void one_that_is_gone(void **state)
{
    (void)state;
    lost(NULL, NULL);
    simplug_die(plug->sim);
    for (unsigned i = 0; i < 24; i++) { /* a day */
        house_forget(h);
        run(3600000);
    }
    assert_in_range(asked, 4, 14);
    assert_int_equal(house_count(h, EVENT, "woken"), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_mute_plug_comes_back_by_itself), T(one_that_ends_its_lines_in_lf),
        T(one_that_wants_everything_sealed), T(one_that_cuts_its_answers_off), T(one_that_is_gone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
