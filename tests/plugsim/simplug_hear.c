#include "tests/plugsim/simplug_int.h"

#include <stdio.h>

#include "broker/base/mem.h"
#include "broker/codec/topic.h"

#define TIME_KNOWN_S 1000000000 /* 2001: before that nobody in the house knows the time */

#define CLOCK_TOLERANCE_MS 2000
#define BIND_ANSWER_MS     5000u
#define GENTLE_FOR_MS      60000u /* after the transport is up */

void simplug_hear_reset(struct simplug *p)
{
    for (size_t i = 0; i < p->queued; i++)
        mem_free(p->queue[i].json);
    p->queued = 0;
    p->requested_at = 0;
    memset(p->awaited, 0, sizeof p->awaited);
}

static bool hex32(const char *s) { return strlen(s) == 32 && strspn(s, "0123456789abcdef") == 32; }

int simplug_envelope_read(struct simplug *p, struct simplug_envelope *e, const char **wrong)
{
    const struct sim_json *j = &p->json;
    int h = sim_json_get(j, 0, "header"), stamp = sim_json_get(j, h, "timestamp");
    *e = (struct simplug_envelope){.payload = sim_json_get(j, 0, "payload")};
    *wrong = NULL;
    if (!sim_json_str(j, sim_json_get(j, h, "messageId"), e->id, sizeof e->id) || !hex32(e->id))
        *wrong = "messageId is not 32 lower-case hex digits";
    else if (!sim_json_str(j, sim_json_get(j, h, "namespace"), e->ns, sizeof e->ns))
        *wrong = "no namespace in the header";
    else if (!sim_json_str(j, sim_json_get(j, h, "method"), e->method, sizeof e->method))
        *wrong = "no method in the header";
    else if (!sim_json_int(j, stamp, &e->timestamp))
        *wrong = "no timestamp in the header";
    else if (!sim_json_str(j, sim_json_get(j, h, "sign"), e->sign, sizeof e->sign))
        *wrong = "no sign in the header";
    else if (!sim_json_is(j, e->payload, JSMN_OBJECT))
        *wrong = "no payload object";
    (void)sim_json_str(j, sim_json_get(j, h, "from"), e->from, sizeof e->from);
    e->stamp = sim_json_raw(j, stamp);
    e->stamp_is_string = sim_json_is(j, stamp, JSMN_STRING);
    e->uuid = sim_json_get(j, h, "uuid") >= 0;
    return *wrong == NULL ? MD_OK : MD_INVAL;
}

static bool is_request(const struct simplug_envelope *e)
{
    return strcmp(e->method, "GET") == 0 || strcmp(e->method, "SET") == 0 ||
           strcmp(e->method, "DELETE") == 0;
}

/* Sheet 1.5: old firmware says 5001, new firmware nothing. */
static void wrong_sign(struct simplug *p, const struct simplug_envelope *e, uint64_t now)
{
    struct simplug_envelope answer = *e;
    p->st.bad_signs++;
    simplug_violate(p, "wrong sign on %s %s", e->method, e->ns);
    if (p->opt.wrong_key == SIMPLUG_WRONG_KEY_SILENCE || !is_request(e) || e->from[0] == '\0')
        return;
    memcpy(answer.method, "ERROR", sizeof "ERROR");
    (void)snprintf(answer.from, sizeof answer.from, "/appliance/%s/publish", p->opt.uuid);
    simplug_say(p, e->from, &answer,
                span_str("{\"error\":{\"code\":5001,\"detail\":\"sign error\"}}"), now);
}

/* Takes the message that `id` answers off the list; SIMPLUG_WISH_NONE when it answers none. */
static struct simplug_awaited take_awaited(struct simplug *p, const char *id)
{
    for (size_t i = 0; i < SIMPLUG_AWAITED; i++) {
        struct simplug_awaited a = p->awaited[i];
        if (a.wish != SIMPLUG_WISH_NONE && strcmp(a.id, id) == 0) {
            p->awaited[i].wish = SIMPLUG_WISH_NONE;
            return a;
        }
    }
    return (struct simplug_awaited){.wish = SIMPLUG_WISH_NONE};
}

/* Sheet 1.3: false when it has seen the id. */
static bool fresh(struct simplug *p, const char *id)
{
    for (size_t i = 0; i < SIMPLUG_SEEN; i++) {
        if (strcmp(p->seen[i], id) == 0)
            return false;
    }
    memcpy(p->seen[p->seen_at++ % SIMPLUG_SEEN], id, sizeof p->seen[0]);
    return true;
}

static void on_repeat(struct simplug *p, const struct simplug_envelope *e, bool dup)
{
    p->st.repeats++;
    simplug_event(p, "ignored", "repeated messageId of %s %s", e->method, e->ns);
    if (!dup && !p->opt.dup_republish)
        simplug_violate(p, "messageId of %s %s is not new", e->method, e->ns);
}

static void on_bind_ack(struct simplug *p, const struct simplug_envelope *e,
                        const struct simplug_awaited *a, uint64_t now)
{
    if (a->wish != SIMPLUG_WISH_BIND) {
        simplug_violate(p, "Bind SETACK that answers no Bind SET");
        return;
    }
    if (now > a->sent_at + BIND_ANSWER_MS)
        simplug_violate(p, "Bind answered after more than 5 s");
    if (sim_json_count(&p->json, e->payload) != 0)
        simplug_violate(p, "Bind SETACK with a payload");
    simplug_bound(p, now);
    simplug_review(p, now);
}

static void on_clock(struct simplug *p, const struct simplug_envelope *e, uint64_t now)
{
    int clock = sim_json_get(&p->json, e->payload, "clock");
    int64_t s = 0;
    if (!p->opt.clock_ability)
        simplug_violate(p, "System.Clock to a plug that has none");
    if (sim_json_count(&p->json, e->payload) == 0) {
        simplug_say_clock(p, now);
        return;
    }
    if (!sim_json_int(&p->json, sim_json_get(&p->json, clock, "timestamp"), &s)) {
        simplug_violate(p, "System.Clock without a timestamp");
        return;
    }
    int64_t off = s * 1000 - simplug_true_ms(p, now);
    if (off > CLOCK_TOLERANCE_MS || off < -CLOCK_TOLERANCE_MS - 999)
        simplug_violate(p, "System.Clock is %lld ms off", (long long)off);
    if (e->uuid)
        simplug_violate(p, "System.Clock answer names a uuid");
    sim_meter_count(p, now);
    p->clock_offset_ms = s * 1000 - (int64_t)now;
    p->clock_at = SIMPLUG_NEVER;
    p->st.clock = true;
    simplug_event(p, "clock", "%lld", (long long)s);
    simplug_review(p, now);
}

static void on_config(struct simplug *p, const struct simplug_envelope *e,
                      const struct simplug_awaited *a, uint64_t now)
{
    int config = sim_json_get(&p->json, e->payload, "config");
    int64_t voltage = 0, electricity = 0;
    (void)sim_json_int(&p->json, sim_json_get(&p->json, config, "voltageRatio"), &voltage);
    (void)sim_json_int(&p->json, sim_json_get(&p->json, config, "electricityRatio"), &electricity);
    if (a->wish != SIMPLUG_WISH_CONFIG)
        simplug_violate(p, "ConsumptionConfig PUSH that answers none");
    else if (voltage != 188 || electricity != 102)
        simplug_violate(p, "ConsumptionConfig came back changed");
    else if (e->uuid)
        simplug_violate(p, "ConsumptionConfig answer names a uuid");
    else
        p->st.config = true;
    simplug_review(p, now);
}

static void on_push(struct simplug *p, const struct simplug_envelope *e,
                    const struct simplug_awaited *a, uint64_t now)
{
    if (strcmp(e->ns, "Appliance.System.Clock") == 0)
        on_clock(p, e, now);
    else if (strcmp(e->ns, "Appliance.Control.ConsumptionConfig") == 0)
        on_config(p, e, a, now);
    else if (strcmp(e->ns, "Appliance.Control.Unbind") == 0)
        simplug_give_up(p, now);
    else if (strcmp(e->ns, "Appliance.Control.ElectricityX") == 0 && simplug_has(p, e->ns))
        simplug_say_meters(p, now);
    else if (!sim_space_query(p, e->ns, now))
        simplug_violate(p, "PUSH %s, which it does not know", e->ns);
}

/* A request waits its turn: the chips are slow and answer one after the other. */
static void enqueue(struct simplug *p, struct span json, uint64_t now)
{
    if (p->queued > 0)
        simplug_violate(p, "a request before the one before it was answered");
    uint8_t *copy = p->queued < SIMPLUG_QUEUE ? mem_dup(json.p, json.n) : NULL;
    if (copy == NULL) {
        simplug_violate(p, "more requests than it can hold");
        return;
    }
    uint64_t free_at = p->queued > 0 ? p->queue[p->queued - 1].due : now;
    p->queue[p->queued++] =
        (struct simplug_request){copy, json.n, free_at + p->opt.answer_delay_ms};
}

/* How far a timestamp is off; in a house where nobody knows the time, by the plug's own clock. */
static int64_t seconds_off(const struct simplug *p, const struct simplug_envelope *e, uint64_t now)
{
    int64_t is = simplug_true_ms(p, now);
    if (is / 1000 < TIME_KNOWN_S)
        is = simplug_device_ms(p, now);
    return e->timestamp - is / 1000;
}

static void on_request(struct simplug *p, const struct simplug_envelope *e, struct span json,
                       uint64_t now)
{
    int64_t off_s = seconds_off(p, e, now);
    if (off_s < -2 || off_s > 2)
        simplug_violate(p, "timestamp of %s %s is %lld s off", e->method, e->ns, (long long)off_s);
    if (e->stamp_is_string)
        simplug_violate(p, "timestamp of %s %s is a string", e->method, e->ns);
    if (!topic_name_valid(span_str(e->from)))
        simplug_violate(p, "no topic to answer to in `from` of %s %s", e->method, e->ns);
    /* Firmware 8 and 9 cannot bear a burst right after it connected (sheet 2.4). */
    bool young = now < p->connected_at + GENTLE_FOR_MS;
    if (young && p->requested_at != 0 && now < p->requested_at + p->opt.gentle_ms) {
        simplug_malformed(p, "a burst of requests right after it connected", now);
        return;
    }
    p->requested_at = now;
    int64_t window = p->opt.timestamp_window_s;
    if (window > 0 && (off_s < -window || off_s > window)) {
        simplug_event(p, "ignored", "too old: %s %s", e->method, e->ns);
    } else if (!simplug_listens(p)) {
        simplug_violate(p, "%s %s before it is bound", e->method, e->ns);
    } else if (!simplug_can(p, e->ns, e->method)) {
        simplug_violate(p, "%s %s, which it does not know", e->method, e->ns);
    } else {
        enqueue(p, json, now);
    }
}

void simplug_hear(struct simplug *p, const struct mqtt_publish *m, uint64_t now)
{
    struct simplug_envelope e;
    const char *wrong;
    char sign[33];
    if (sim_json_parse(&p->json, m->payload) != MD_OK) {
        simplug_malformed(p, "payload is not a JSON object", now);
        return;
    }
    if (simplug_envelope_read(p, &e, &wrong) != MD_OK) {
        simplug_malformed(p, wrong, now);
        return;
    }
    simplug_sign(p, e.id, e.stamp, sign);
    if (strcmp(sign, e.sign) != 0) {
        wrong_sign(p, &e, now);
        return;
    }
    struct simplug_awaited a = take_awaited(p, e.id);
    if (!fresh(p, e.id)) {
        on_repeat(p, &e, m->dup);
        return;
    }
    if (is_request(&e))
        on_request(p, &e, m->payload, now);
    else if (sim_alarm_answered(p, &e))
        ;
    else if (strcmp(e.method, "SETACK") == 0 && strcmp(e.ns, "Appliance.Control.Bind") == 0)
        on_bind_ack(p, &e, &a, now);
    else if (strcmp(e.method, "PUSH") == 0)
        on_push(p, &e, &a, now);
    else
        simplug_violate(p, "unexpected %s %s", e.method, e.ns);
}

static int error_5001(struct simplug *p, const struct simplug_envelope *e, struct buf *out,
                      uint64_t now)
{
    struct simplug_envelope a = *e;
    p->st.bad_signs++;
    memcpy(a.method, "ERROR", sizeof "ERROR");
    (void)snprintf(a.from, sizeof a.from, "/appliance/%s/publish", p->opt.uuid);
    return simplug_envelope_put(
        p, out, &a, span_str("{\"error\":{\"code\":5001,\"detail\":\"sign error\"}}"), now);
}

int simplug_hear_lan(struct simplug *p, const struct simplug_envelope *e, struct buf *out,
                     uint64_t now)
{
    char sign[33];
    simplug_sign(p, e->id, e->stamp, sign);
    if (!p->pairing && strcmp(sign, e->sign) != 0) /* in set-up mode nothing is checked */
        return error_5001(p, e, out, now);
    if (!fresh(p, e->id)) {
        on_repeat(p, e, false);
        return MD_CLOSED;
    }
    if (strcmp(e->method, "PUSH") == 0 && strcmp(e->ns, "Appliance.Control.Unbind") == 0) {
        simplug_give_up(p, now);
        return MD_CLOSED;
    }
    if (!is_request(e) || !simplug_can(p, e->ns, e->method)) {
        simplug_violate(p, "HTTP %s %s, which it does not know", e->method, e->ns);
        return MD_CLOSED;
    }
    return simplug_do_lan(p, e, out, now);
}
