#include "tests/plugsim/simplug_int.h"

#include <stdio.h>

#define MULTIPLE "Appliance.Control.Multiple"

/* A handler appends the answer's payload to `out`.  payload: token of the request's.
 * MD_INVAL: answered with ERROR 5000 (sheet 1.5). */
typedef int (*deed_cb)(struct simplug *p, int payload, struct buf *out, uint64_t now);

struct deed {
    const char *ns;
    deed_cb get, set, del;
};

#define TRY(call)                                                                                  \
    do {                                                                                           \
        int try_err = (call);                                                                      \
        if (try_err != MD_OK)                                                                      \
            return try_err;                                                                        \
    } while (0)

static int get_all(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)payload;
    return simplug_state_all(p, out, now);
}

static int get_hardware(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)payload;
    (void)now;
    TRY(buf_put_str(out, "{\"hardware\":"));
    TRY(simplug_state_hardware(p, out));
    return buf_put_str(out, "}");
}

static int get_firmware(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)payload;
    (void)now;
    TRY(buf_put_str(out, "{\"firmware\":"));
    TRY(simplug_state_firmware(p, out, false));
    return buf_put_str(out, "}");
}

static int get_time(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)payload;
    TRY(buf_put_str(out, "{\"time\":"));
    TRY(simplug_state_time(p, out, now));
    return buf_put_str(out, "}");
}

static int set_time(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    TRY(simplug_time_set(p, sim_json_get(&p->json, payload, "time"), now));
    simplug_review(p, now);
    return buf_put_str(out, "{}");
}

static int get_online(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)payload;
    (void)now;
    return buf_putf(out, "{\"online\":{\"status\":%d}}", p->st.bound ? 1 : 0);
}

static int get_runtime(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)p;
    (void)payload;
    (void)now;
    return buf_put_str(out, "{\"runtime\":{\"signal\":83}}");
}

static int get_debug(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)payload;
    return simplug_state_debug(p, out, now);
}

static int get_dnd(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)payload;
    (void)now;
    return buf_putf(out, "{\"DNDMode\":{\"mode\":%d}}", p->led_off);
}

static int set_dnd(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    int64_t mode = -1;
    int at = sim_json_get(&p->json, sim_json_get(&p->json, payload, "DNDMode"), "mode");
    (void)now;
    if (!sim_json_int(&p->json, at, &mode) || (mode != 0 && mode != 1)) {
        simplug_violate(p, "DNDMode that is neither 0 nor 1");
        return MD_INVAL;
    }
    p->led_off = mode == 1;
    return buf_put_str(out, "{}");
}

static int get_togglex(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)payload;
    (void)now;
    if (p->opt.channels == 1 && p->opt.shape != SIMPLUG_SHAPE_LIST) {
        TRY(buf_put_str(out, "{\"channel\":0,\"togglex\":"));
        TRY(simplug_state_relay(p, out, 0));
        return buf_put_str(out, "}");
    }
    TRY(buf_put_str(out, "{\"togglex\":["));
    TRY(simplug_state_relays(p, out, ~0u));
    return buf_put_str(out, "]}");
}

static void turn(struct simplug *p, unsigned channel, bool on, const char *by, uint64_t now,
                 unsigned *changed)
{
    if (p->st.relay[channel] == on)
        return;
    p->st.relay[channel] = on;
    p->relay[channel].changed_s = simplug_device_ms(p, now) / 1000;
    sim_timers_switched(p, channel, on, now);
    *changed |= 1u << channel;
    simplug_event(p, "relay", "%u %s by %s", channel, on ? "on" : "off", by);
}

/* Channel 0 of several is the master: it switches all, and is on while any outlet is. */
bool simplug_switch(struct simplug *p, unsigned channel, bool on, const char *by, uint64_t now,
                    unsigned *changed)
{
    if (channel >= p->opt.channels)
        return false;
    sim_meter_count(p, now);
    bool any = false;
    for (unsigned c = 1; c < p->opt.channels; c++) {
        if (channel == 0 || channel == c)
            turn(p, c, on, by, now, changed);
        any = any || p->st.relay[c];
    }
    if (p->opt.channels == 1)
        any = on;
    turn(p, 0, any, by, now, changed);
    return true;
}

/* One {"channel":0,"onoff":1}; `fallback` is the channel when it names none. */
static int obey(struct simplug *p, int wish, int64_t fallback, uint64_t now, unsigned *changed)
{
    int64_t channel = fallback, onoff = -1;
    (void)sim_json_int(&p->json, sim_json_get(&p->json, wish, "channel"), &channel);
    if (!sim_json_int(&p->json, sim_json_get(&p->json, wish, "onoff"), &onoff) ||
        (onoff != 0 && onoff != 1)) {
        simplug_violate(p, "onoff that is neither 0 nor 1 locks the relay");
        return MD_INVAL;
    }
    if (channel < 0 || channel >= (int64_t)p->opt.channels ||
        !simplug_switch(p, (unsigned)channel, onoff == 1, "command", now, changed)) {
        simplug_violate(p, "there is no channel %lld", (long long)channel);
        return MD_INVAL;
    }
    return MD_OK;
}

static int obey_all(struct simplug *p, int wishes, int64_t fallback, uint64_t now,
                    unsigned *changed)
{
    if (!sim_json_is(&p->json, wishes, JSMN_ARRAY))
        return obey(p, wishes, fallback, now, changed);
    int at = sim_json_first(&p->json, wishes);
    for (int i = 0; i < sim_json_count(&p->json, wishes); i++, at = sim_json_next(&p->json, at))
        TRY(obey(p, at, fallback, now, changed));
    return MD_OK;
}

static int set_togglex(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    TRY(obey_all(p, sim_json_get(&p->json, payload, "togglex"), 0, now, &p->changed));
    return buf_put_str(out, "{}");
}

static int get_toggle(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)payload;
    (void)now;
    return buf_putf(out, "{\"channel\":0,\"toggle\":{\"onoff\":%d,\"lmTime\":%lld}}",
                    p->st.relay[0], (long long)p->relay[0].changed_s);
}

static int set_toggle(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    int64_t channel = 0;
    (void)sim_json_int(&p->json, sim_json_get(&p->json, payload, "channel"), &channel);
    TRY(obey_all(p, sim_json_get(&p->json, payload, "toggle"), channel, now, &p->changed));
    return buf_put_str(out, "{}");
}

static int get_ability(struct simplug *p, int payload, struct buf *out, uint64_t now);

/* What is more than entries to read and set; those are in the files of the models. */
static const struct deed deeds[] = {
    {"Appliance.Config.Key", NULL, sim_setup_set_key, NULL},
    {"Appliance.Config.WifiList", sim_setup_get_list, NULL, NULL},
    {"Appliance.Config.Wifi", NULL, sim_setup_set_wifi, NULL},
    {"Appliance.Config.WifiX", NULL, sim_setup_set_wifix, NULL},
    {"Appliance.Config.Trace", sim_setup_get_trace, NULL, NULL},
    {"Appliance.Encrypt.Suite", sim_setup_get_suite, NULL, NULL},
    {"Appliance.Encrypt.ECDHE", NULL, sim_setup_set_ecdhe, NULL},
    {"Appliance.System.All", get_all, NULL, NULL},
    {"Appliance.System.Hardware", get_hardware, NULL, NULL},
    {"Appliance.System.Firmware", get_firmware, NULL, NULL},
    {"Appliance.System.Debug", get_debug, NULL, NULL},
    {"Appliance.System.Online", get_online, NULL, NULL},
    {"Appliance.System.Time", get_time, set_time, NULL},
    {"Appliance.System.Ability", get_ability, NULL, NULL},
    {"Appliance.System.Runtime", get_runtime, NULL, NULL},
    {"Appliance.System.DNDMode", get_dnd, set_dnd, NULL},
    {"Appliance.Control.Toggle", get_toggle, set_toggle, NULL},
    {"Appliance.Control.ToggleX", get_togglex, set_togglex, NULL},
    {"Appliance.Control.ConsumptionX", sim_meter_get_days, NULL, NULL},
    {"Appliance.Control.ConsumptionH", sim_meter_get_hours, NULL, NULL},
    {"Appliance.Control.Electricity", sim_meter_get_electricity, NULL, NULL},
    {"Appliance.Control.ElectricityX", sim_meter_get_x, NULL, NULL},
    {"Appliance.Control.ConsumptionConfig", sim_meter_get_config, NULL, NULL},
    {"Appliance.Control.TimerX", sim_timers_get_timer, sim_timers_set_timer,
     sim_timers_delete_timer},
    {"Appliance.Control.TriggerX", sim_timers_get_trigger, sim_timers_set_trigger,
     sim_timers_delete_trigger},
    {"Appliance.Digest.TimerX", sim_timers_digest_timers, NULL, NULL},
    {"Appliance.Digest.TriggerX", sim_timers_digest_triggers, NULL, NULL},
};

#define N_DEEDS (sizeof deeds / sizeof deeds[0])

static bool lists(const struct simplug *p, const char *ns)
{
    return sim_tree_get(p->model.ability, ns) != NULL;
}

/* Options add to the model's list and take away from it. */
bool simplug_has(const struct simplug *p, const char *ns)
{
    const struct simplug_options *o = &p->opt;
    bool relays = lists(p, "Appliance.Control.Toggle") || lists(p, "Appliance.Control.ToggleX");
    if (strcmp(ns, "Appliance.Control.ToggleX") == 0)
        return relays && !o->old_toggle;
    if (strcmp(ns, "Appliance.Control.Toggle") == 0)
        return o->old_toggle ? relays : lists(p, ns);
    if (strcmp(ns, "Appliance.Config.WifiX") == 0)
        return o->wifix;
    if (strncmp(ns, "Appliance.Encrypt.", 18) == 0)
        return o->ecdhe;
    if (strcmp(ns, "Appliance.System.Clock") == 0)
        return o->clock_ability;
    if (strcmp(ns, "Appliance.Control.Electricity") == 0)
        return o->metering;
    return lists(p, ns);
}

static int put_ability(const struct simplug *p, const char *ns, bool *any, struct buf *out)
{
    const struct sim_tree *value = sim_tree_get(p->model.ability, ns);
    if (!simplug_has(p, ns))
        return MD_OK;
    TRY(buf_putf(out, "%s\"%s\":", *any ? "," : "", ns));
    *any = true;
    return value != NULL ? sim_tree_put(value, out) : buf_put_str(out, "{}");
}

static int get_ability(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    static const char *const added[] = {"Appliance.Control.Toggle",     "Appliance.Control.ToggleX",
                                        "Appliance.Config.WifiX",       "Appliance.Encrypt.ECDHE",
                                        "Appliance.Encrypt.Suite",      "Appliance.System.Clock",
                                        "Appliance.Control.Electricity"};
    bool any = false;
    (void)payload;
    (void)now;
    TRY(buf_put_str(out, "{\"payloadVersion\":1,\"ability\":{"));
    for (const struct sim_tree *c = p->model.ability->child; c != NULL; c = c->next)
        TRY(put_ability(p, c->key, &any, out));
    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++) {
        if (!lists(p, added[i]))
            TRY(put_ability(p, added[i], &any, out));
    }
    return buf_put_str(out, "}}");
}

static deed_cb find(const struct simplug *p, const char *ns, const char *method)
{
    /* What the model's file describes goes first. */
    bool here = simplug_has(p, ns) && sim_space_of(p, ns) == NULL;
    for (size_t i = 0; i < N_DEEDS && here; i++) {
        if (strcmp(deeds[i].ns, ns) != 0)
            continue;
        if (strcmp(method, "DELETE") == 0)
            return deeds[i].del;
        return strcmp(method, "SET") == 0 ? deeds[i].set : deeds[i].get;
    }
    return NULL;
}

static bool is_multiple(const struct simplug *p, const char *ns, const char *method)
{
    return strcmp(ns, MULTIPLE) == 0 && strcmp(method, "SET") == 0 && lists(p, MULTIPLE);
}

bool simplug_can(const struct simplug *p, const char *ns, const char *method)
{
    return is_multiple(p, ns, method) || find(p, ns, method) != NULL ||
           sim_space_can(p, ns, method);
}

/* The envelope of the answer to `e`: same id, same namespace, from .../publish. */
static struct simplug_envelope answer_to(const struct simplug *p, const struct simplug_envelope *e,
                                         int err)
{
    struct simplug_envelope a = *e;
    if (err != MD_OK)
        (void)snprintf(a.method, sizeof a.method, "ERROR");
    else /* the longest known is DELETE */
        (void)snprintf(a.method, sizeof a.method, "%.8sACK", e->method);
    (void)snprintf(a.from, sizeof a.from, "/appliance/%s/publish", p->opt.uuid);
    return a;
}

/* One of the namespaces that the model's file describes. */
static int run_space(struct simplug *p, const struct simplug_envelope *e, struct buf *out,
                     uint64_t now)
{
    const struct sim_tree *space = sim_space_of(p, e->ns);
    if (!sim_space_can(p, e->ns, e->method))
        return MD_INVAL;
    return strcmp(e->method, "SET") == 0 ? sim_space_set(p, space, e->payload, out, now)
                                         : sim_space_get(p, space, e->payload, out, now);
}

/* Runs one request; `out` gains the payload of the answer. */
static int run(struct simplug *p, const struct simplug_envelope *e, struct buf *out, uint64_t now)
{
    size_t before = out->n;
    deed_cb deed = find(p, e->ns, e->method);
    int err = deed != NULL ? deed(p, e->payload, out, now) : run_space(p, e, out, now);
    if (err == MD_OK)
        p->st.requests++;
    if (err != MD_INVAL)
        return err;
    out->n = before;
    TRY(buf_put_str(out, "{\"error\":{\"code\":5000}}"));
    return MD_INVAL;
}

/* One member of Control.Multiple: its whole envelope is appended to the list (sheet 5.11). */
static int run_member(struct simplug *p, int member, struct buf *out, uint64_t now)
{
    struct simplug_envelope e = {.payload = sim_json_get(&p->json, member, "payload")};
    int h = sim_json_get(&p->json, member, "header");
    struct buf payload;
    (void)sim_json_str(&p->json, sim_json_get(&p->json, h, "namespace"), e.ns, sizeof e.ns);
    (void)sim_json_str(&p->json, sim_json_get(&p->json, h, "method"), e.method, sizeof e.method);
    if (!sim_json_str(&p->json, sim_json_get(&p->json, h, "messageId"), e.id, sizeof e.id))
        simplug_hex(p, e.id);
    buf_init(&payload, SIMPLUG_JSON_MAX);
    int err = run(p, &e, &payload, now);
    if (err == MD_OK || err == MD_INVAL) {
        struct simplug_envelope a = answer_to(p, &e, err);
        err = simplug_envelope_put(p, out, &a, buf_view(&payload), now);
    }
    buf_free(&payload);
    return err;
}

/* No surplus is forgiven. */
static int run_multiple(struct simplug *p, const struct simplug_envelope *e, struct buf *out,
                        uint64_t now)
{
    int list = sim_json_get(&p->json, e->payload, "multiple");
    int at = sim_json_first(&p->json, list), n = sim_json_count(&p->json, list);
    int max = (int)sim_tree_number(
        sim_tree_get(sim_tree_get(p->model.ability, MULTIPLE), "maxCmdNum"), 1);
    if (n > max)
        simplug_violate(p, "%d requests in one Control.Multiple, it takes %d", n, max);
    TRY(buf_put_str(out, "{\"multiple\":["));
    for (int i = 0; i < n && i < max; i++, at = sim_json_next(&p->json, at)) {
        TRY(buf_put_str(out, i > 0 ? "," : ""));
        TRY(run_member(p, at, out, now));
    }
    return buf_put_str(out, "]}");
}

/* Does what `e` asks; the payload of the answer is in p->work. */
static struct simplug_envelope carry_out(struct simplug *p, const struct simplug_envelope *e,
                                         uint64_t now)
{
    struct buf *out = &p->work;
    buf_consume(out, out->n);
    p->changed = 0;
    int err = is_multiple(p, e->ns, e->method) ? run_multiple(p, e, out, now) : run(p, e, out, now);
    if (err != MD_OK && err != MD_INVAL)
        p->broken = true;
    return answer_to(p, e, err);
}

void simplug_do(struct simplug *p, const struct simplug_envelope *e, uint64_t now)
{
    struct simplug_envelope a = carry_out(p, e, now);
    if (e->from[0] != '\0' && !p->broken)
        simplug_say(p, e->from, &a, buf_view(&p->work), now);
    simplug_say_relays(p, p->changed, now);
    sim_space_tell(p, now);
}

int simplug_do_lan(struct simplug *p, const struct simplug_envelope *e, struct buf *out,
                   uint64_t now)
{
    struct simplug_envelope a = carry_out(p, e, now);
    int err = p->broken ? MD_NOMEM : simplug_envelope_put(p, out, &a, buf_view(&p->work), now);
    simplug_say_relays(p, p->changed, now);
    sim_space_tell(p, now);
    return err;
}
