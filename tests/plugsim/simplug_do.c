#include "tests/plugsim/simplug_int.h"

#include <stdio.h>

#define MULTIPLE     "Appliance.Control.Multiple"
#define MULTIPLE_MAX 5

/* A handler appends the answer's payload to `out`.  payload: token of the request's.
 * MD_INVAL: answered with ERROR 5000 (sheet 1.5). */
typedef int (*deed_cb)(struct simplug *p, int payload, struct buf *out, uint64_t now);

enum needs { ALL, METER, TOGGLE, TOGGLEX, CLOCK, NEWER, NEWER_METER, WIFIX, ECDHE };

struct deed {
    const char *ns;
    enum needs needs;
    deed_cb get, set;
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

static int get_electricity(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)payload;
    (void)now;
    return simplug_state_electricity(p, out);
}

static int get_consumption(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)payload;
    return simplug_state_consumption(p, out, now);
}

static int get_config(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)p;
    (void)payload;
    (void)now;
    return buf_put_str(out, "{\"config\":{\"voltageRatio\":188,\"electricityRatio\":102}}");
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
    *changed |= 1u << channel;
    simplug_event(p, "relay", "%u %s by %s", channel, on ? "on" : "off", by);
}

/* Channel 0 of several is the master: it switches all, and is on while any outlet is. */
bool simplug_switch(struct simplug *p, unsigned channel, bool on, const char *by, uint64_t now,
                    unsigned *changed)
{
    if (channel >= p->opt.channels)
        return false;
    simplug_state_meter(p, now);
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

/* Both the list it tells in System.Ability and what it does.  Those without a handler are sent by
 * the plug, or are not simulated; a request for one of them is silently dropped, as a real plug
 * does with what it does not like. */
static const struct deed deeds[] = {
    {"Appliance.Config.Key", ALL, NULL, sim_setup_set_key},
    {"Appliance.Config.WifiList", ALL, sim_setup_get_list, NULL},
    {"Appliance.Config.Wifi", ALL, NULL, sim_setup_set_wifi},
    {"Appliance.Config.WifiX", WIFIX, NULL, sim_setup_set_wifix},
    {"Appliance.Config.Trace", ALL, sim_setup_get_trace, NULL},
    {"Appliance.Encrypt.Suite", ECDHE, sim_setup_get_suite, NULL},
    {"Appliance.Encrypt.ECDHE", ECDHE, NULL, sim_setup_set_ecdhe},
    {"Appliance.System.All", ALL, get_all, NULL},
    {"Appliance.System.Hardware", ALL, get_hardware, NULL},
    {"Appliance.System.Firmware", ALL, get_firmware, NULL},
    {"Appliance.System.Debug", ALL, get_debug, NULL},
    {"Appliance.System.Online", ALL, get_online, NULL},
    {"Appliance.System.Time", ALL, get_time, set_time},
    {"Appliance.System.Clock", CLOCK, NULL, NULL},
    {"Appliance.System.Ability", ALL, get_ability, NULL},
    {"Appliance.System.Runtime", NEWER, get_runtime, NULL},
    {"Appliance.System.Report", ALL, NULL, NULL},
    {"Appliance.System.DNDMode", NEWER, get_dnd, set_dnd},
    {MULTIPLE, NEWER, NULL, NULL},
    {"Appliance.Control.Bind", ALL, NULL, NULL},
    {"Appliance.Control.Unbind", ALL, NULL, NULL},
    {"Appliance.Control.Upgrade", ALL, NULL, NULL},
    {"Appliance.Control.Toggle", TOGGLE, get_toggle, set_toggle},
    {"Appliance.Control.ToggleX", TOGGLEX, get_togglex, set_togglex},
    {"Appliance.Control.ConsumptionX", METER, get_consumption, NULL},
    {"Appliance.Control.Electricity", METER, get_electricity, NULL},
    {"Appliance.Control.ConsumptionConfig", NEWER_METER, get_config, NULL},
};

#define N_DEEDS (sizeof deeds / sizeof deeds[0])

static bool has(const struct simplug_options *o, enum needs needs)
{
    switch (needs) {
    case ALL:
        return true;
    case METER:
        return o->metering;
    case TOGGLE:
        return o->old_toggle;
    case TOGGLEX:
        return !o->old_toggle;
    case CLOCK:
        return o->clock_ability;
    case NEWER:
        return !o->bind_as_push;
    case NEWER_METER:
        return o->metering && !o->bind_as_push;
    case WIFIX:
        return o->wifix;
    case ECDHE:
        return o->ecdhe;
    }
    return false;
}

static int get_ability(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)payload;
    (void)now;
    TRY(buf_put_str(out, "{\"payloadVersion\":1,\"ability\":{"));
    const char *comma = "";
    for (size_t i = 0; i < N_DEEDS; i++) {
        if (!has(&p->opt, deeds[i].needs))
            continue;
        bool multiple = strcmp(deeds[i].ns, MULTIPLE) == 0;
        TRY(buf_putf(out, "%s\"%s\":%s", comma, deeds[i].ns,
                     multiple ? "{\"maxCmdNum\":5}" : "{}"));
        comma = ",";
    }
    return buf_put_str(out, "}}");
}

static deed_cb find(const struct simplug *p, const char *ns, const char *method)
{
    for (size_t i = 0; i < N_DEEDS; i++) {
        if (strcmp(deeds[i].ns, ns) == 0 && has(&p->opt, deeds[i].needs))
            return strcmp(method, "SET") == 0 ? deeds[i].set : deeds[i].get;
    }
    return NULL;
}

static bool is_multiple(const struct simplug *p, const char *ns, const char *method)
{
    return strcmp(ns, MULTIPLE) == 0 && strcmp(method, "SET") == 0 && has(&p->opt, NEWER);
}

bool simplug_has(const struct simplug *p, const char *ns)
{
    for (size_t i = 0; i < N_DEEDS; i++) {
        if (strcmp(deeds[i].ns, ns) == 0)
            return has(&p->opt, deeds[i].needs);
    }
    return false;
}

bool simplug_can(const struct simplug *p, const char *ns, const char *method)
{
    return is_multiple(p, ns, method) || find(p, ns, method) != NULL;
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

/* Runs one request; `out` gains the payload of the answer. */
static int run(struct simplug *p, const struct simplug_envelope *e, struct buf *out, uint64_t now)
{
    size_t before = out->n;
    deed_cb deed = find(p, e->ns, e->method);
    int err = deed == NULL ? MD_INVAL : deed(p, e->payload, out, now);
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

static int run_multiple(struct simplug *p, const struct simplug_envelope *e, struct buf *out,
                        uint64_t now)
{
    int list = sim_json_get(&p->json, e->payload, "multiple");
    int at = sim_json_first(&p->json, list), n = sim_json_count(&p->json, list);
    if (n > MULTIPLE_MAX)
        simplug_violate(p, "%d requests in one Control.Multiple, it takes %d", n, MULTIPLE_MAX);
    TRY(buf_put_str(out, "{\"multiple\":["));
    for (int i = 0; i < n && i < MULTIPLE_MAX; i++, at = sim_json_next(&p->json, at)) {
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
}

int simplug_do_lan(struct simplug *p, const struct simplug_envelope *e, struct buf *out,
                   uint64_t now)
{
    struct simplug_envelope a = carry_out(p, e, now);
    int err = p->broken ? MD_NOMEM : simplug_envelope_put(p, out, &a, buf_view(&p->work), now);
    simplug_say_relays(p, p->changed, now);
    return err;
}
