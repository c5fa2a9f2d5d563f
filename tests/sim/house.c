#include "tests/sim/house.h"

#include "broker/access/access.h"
#include "broker/base/check.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/meross.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>

#define LEAP_SMALL 10 /* steps in which what a large one began is finished */

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"

static void on_log(void *ctx, enum log_level lv, const char *module, const char *line)
{
    struct house *h = ctx;
    size_t n = strlen(h->log);
    if (lv <= LOG_WARN)
        (void)snprintf(h->log + n, sizeof h->log - n, "%s %s\n", module, line);
}

static void on_wake(void *ctx) { (void)ctx; /* every step takes from everybody */ }

void house_broker_start(struct house *h)
{
    struct meross_config cfg = {.keys = h->keys, .topic = "meross", .version = "test"};
    struct broker_limits limits;
    static struct zone zone;
    broker_limits_default(&limits);
    assert_int_equal(meross_new(&h->meross, &cfg, &h->fake.env, h->store), MD_OK);
    assert_int_equal(zone_parse_posix(&zone, "Europe/Berlin", BERLIN), MD_OK);
    meross_set_zone(h->meross, &zone);
    struct broker_hooks hooks = meross_hooks(h->meross);
    static const struct access_listener listeners[] = {{.id = 0}, {.id = 1}};
    struct access_config local = {.listeners = listeners, .n = 2};
    struct access_work none = {NULL, NULL}; /* there is no password file */
    char why[ACCESS_ERR_MAX];
    assert_int_equal(access_new(&h->access, &local, &hooks, none, &h->fake.env, why), MD_OK);
    hooks = access_hooks(h->access);
    assert_int_equal(broker_new(&h->broker, &limits, &hooks, &h->fake.env), MD_OK);
    assert_int_equal(broker_restore(h->broker, h->store), MD_OK);
    assert_int_equal(meross_attach(h->meross, h->broker), MD_OK);
    wire_open(&h->hand, h->broker, 1);
    wire_connect(&h->hand, "hand", true, MQTT_3_1_1);
    wire_subscribe(&h->hand, "meross/#", MQTT_QOS1);
}

void house_broker_stop(struct house *h)
{
    meross_detach(h->meross);
    (void)broker_turn(h->broker);
    wire_close(&h->hand);
    for (unsigned i = 0; i < h->n_plugs; i++) {
        struct house_plug *p = &h->plugs[i];
        if (p->conn == NULL)
            continue;
        conn_lost(p->conn, "the broker stops");
        p->conn = NULL;
        if (!p->unplugged)
            simplug_closed(p->sim, h->fake.mono_ms);
    }
    broker_free(h->broker);
    access_free(h->access);
    meross_free(h->meross);
}

void house_start(struct house *h, const char *key)
{
    struct store *store;
    size_t before = mem_used();
    assert_int_equal(store_mem_open(&store), MD_OK);
    house_start_on(h, key, store);
    h->mem_before = before;
}

void house_start_on(struct house *h, const char *key, struct store *store)
{
    memset(h, 0, sizeof *h); /* too large for a literal on the stack */
    fake_env_init(&h->fake);
    h->fake.wall_ms = HOUSE_WALL_MS;
    h->keys[0] = key;
    log_set_sink(on_log, h);
    h->store = store;
    house_broker_start(h);
}

void house_stop(struct house *h)
{
    house_broker_stop(h);
    for (unsigned i = 0; i < h->n_plugs; i++)
        simplug_free(h->plugs[i].sim);
    store_close(h->store);
    log_set_sink(NULL, NULL);
    assert_int_equal(mem_used(), h->mem_before);
}

struct simplug_options house_options(const struct house *h, const char *type, unsigned index)
{
    struct simplug_options o;
    assert_int_equal(simplug_options_preset(&o, type, index), MD_OK);
    o.wall_offset_ms = h->fake.wall_ms - (int64_t)h->fake.mono_ms;
    return o;
}

struct house_plug *house_plug(struct house *h, const struct simplug_options *o)
{
    MD_ASSERT(h->n_plugs < HOUSE_PLUGS);
    struct house_plug *p = &h->plugs[h->n_plugs++];
    p->house = h;
    (void)snprintf(p->address, sizeof p->address, "192.0.2.%u:5000", h->n_plugs);
    assert_int_equal(simplug_new(o, h->fake.mono_ms, &p->sim), MD_OK);
    return p;
}

const struct simplug_status *house_status(const struct house_plug *p)
{
    return simplug_status(p->sim);
}

static void open_transport(struct house_plug *p)
{
    struct conn_peer peer = {.address = p->address, .listener = 0, .tls = true};
    int err = conn_new(&p->conn, p->house->broker, &peer, (struct conn_io){on_wake, p});
    MD_ASSERT(err == MD_OK);
    if (p->hello != NULL)
        conn_secured(p->conn, "TLSv1.2 SIMULATED", p->hello);
    simplug_connected(p->sim, p->house->fake.mono_ms);
}

static void to_broker(struct house_plug *p)
{
    struct span out;
    while ((out = simplug_output(p->sim)).n > 0 && !p->unplugged) {
        if (p->conn != NULL)
            conn_feed(p->conn, out);
        simplug_sent(p->sim, out.n);
    }
}

static void to_plug(struct house_plug *p)
{
    static uint8_t stage[CONN_OUT_STAGE];
    static struct conn_out out;
    bool more = p->conn != NULL;
    while (more) {
        out.stage = stage;
        more = conn_take(p->conn, &out);
        for (unsigned i = 0; i < out.n && !p->unplugged; i++)
            simplug_feed(p->sim, span_of(out.piece[i].p, out.piece[i].n), p->house->fake.mono_ms);
        conn_out_release(&out);
    }
}

static void close_transport(struct house_plug *p)
{
    conn_lost(p->conn, "it closed the connection");
    p->conn = NULL;
    if (!p->unplugged)
        simplug_closed(p->sim, p->house->fake.mono_ms);
}

static void step_plug(struct house_plug *p)
{
    uint64_t now = p->house->fake.mono_ms;
    if (p->conn == NULL && !p->unplugged && simplug_wants_connect(p->sim, now))
        open_transport(p);
    (void)simplug_tick(p->sim, now);
    to_broker(p);
    to_plug(p);
    (void)simplug_tick(p->sim, now);
    to_broker(p);
    if (p->conn != NULL && (conn_closing(p->conn) || simplug_wants_close(p->sim)))
        close_transport(p);
}

static void write_down(struct house *h, const struct mqtt_publish *m)
{
    MD_ASSERT(h->n_notes < HOUSE_NOTES);
    struct house_note *n = &h->notes[h->n_notes++];
    n->retain = m->retain;
    (void)span_to_str(m->topic, n->topic, sizeof n->topic);
    (void)span_to_str(m->payload, n->payload, sizeof n->payload);
}

static void step_hand(struct house *h)
{
    struct mqtt_packet p;
    while (wire_next(&h->hand, &p)) {
        if (p.type != MQTT_PUBLISH)
            continue;
        if (p.u.publish.qos == MQTT_QOS1)
            wire_ack(&h->hand, MQTT_PUBACK, p.u.publish.packet_id);
        write_down(h, &p.u.publish);
    }
}

static void step_by(struct house *h, uint64_t ms)
{
    fake_env_step(&h->fake, ms);
    for (unsigned i = 0; i < h->n_plugs; i++)
        step_plug(&h->plugs[i]);
    (void)broker_turn(h->broker);
    for (unsigned i = 0; i < h->n_plugs; i++)
        to_plug(&h->plugs[i]);
    step_hand(h);
}

static void step(struct house *h) { step_by(h, HOUSE_STEP); }

void house_leap(struct house *h, uint64_t ms, uint64_t step_ms)
{
    for (uint64_t t = 0; t < ms; t += step_ms) {
        step_by(h, step_ms);
        for (unsigned i = 0; i < LEAP_SMALL; i++)
            step(h);
        house_forget(h);
    }
}

void house_run(struct house *h, uint64_t ms)
{
    for (uint64_t t = 0; t < ms; t += HOUSE_STEP)
        step(h);
}

static bool all_bound(const struct house *h)
{
    for (unsigned i = 0; i < h->n_plugs; i++)
        if (!house_status(&h->plugs[i])->bound || !house_status(&h->plugs[i])->session)
            return false;
    return true;
}

uint64_t house_run_until_bound(struct house *h, uint64_t ms)
{
    for (uint64_t t = 0; t <= ms; t += HOUSE_STEP) {
        if (all_bound(h))
            return t;
        step(h);
    }
    return UINT64_MAX;
}

void house_wall(struct house *h, int64_t wall_ms)
{
    h->fake.wall_ms = wall_ms;
    for (unsigned i = 0; i < h->n_plugs; i++)
        simplug_set_wall(h->plugs[i].sim, wall_ms - (int64_t)h->fake.mono_ms);
}

void house_say(struct house *h, const char *topic, const char *payload)
{
    wire_publish(&h->hand, topic, payload, MQTT_QOS0, false, 0);
}

const char *house_heard(const struct house *h, const char *topic)
{
    for (unsigned i = h->n_notes; i > 0; i--)
        if (strcmp(h->notes[i - 1].topic, topic) == 0)
            return h->notes[i - 1].payload;
    return "";
}

unsigned house_count(const struct house *h, const char *topic, const char *part)
{
    unsigned n = 0;
    for (unsigned i = 0; i < h->n_notes; i++)
        n += strcmp(h->notes[i].topic, topic) == 0 && strstr(h->notes[i].payload, part) != NULL;
    return n;
}

void house_forget(struct house *h) { h->n_notes = 0; }

void house_assert_clean(const struct house *h)
{
    for (unsigned i = 0; i < h->n_plugs; i++)
        if (simplug_violations(h->plugs[i].sim) > 0)
            fail_msg("plug %u: %s", i, simplug_violation(h->plugs[i].sim, 0));
}
