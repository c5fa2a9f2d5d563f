/* h_family.c - what the families of devices say (meross/family): taken over, published, told as an
 * event where somebody may want to know at once, and acknowledged where the device repeats itself
 * until it is (sheet 8.10).  Also what they are asked, and the LED that is as people want it. */
#include "broker/base/log.h"
#include "meross/family/family.h"
#include "meross/people/announce.h"
#include "meross/session/command.h"
#include "meross/session/inbound.h"
#include "meross/session/polls.h"
#include "meross/wire/namespaces.h"

/* --- events -------------------------------------------------------------------------------- */

static bool is_event(const struct fact *it)
{
    static const char *const names[] = {FACT_DOOR,       FACT_OPEN,   FACT_SMOKE,
                                        FACT_LEAK,       FACT_MOTION, FACT_PRESENCE,
                                        FACT_OVERHEATED, FACT_ALARM,  FACT_WINDOW_OPEN};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(facts_name(it), names[i]) == 0)
            return true;
    return false;
}

/* What a device says by itself just happened; the first answer to a question is no event. */
static void tell(struct plug *p, bool by_itself)
{
    struct device *d = p->dev;
    for (unsigned i = 0; i < d->facts.n; i++) {
        struct fact *it = &d->facts.v[i];
        if ((it->news == FACT_REPLACED || (it->news == FACT_FIRST && by_itself)) && is_event(it))
            announce_fact(p->m, d, it);
        it->news = FACT_OLD;
    }
}

struct relays {
    unsigned n;
    struct device_channel v[DEVICE_CHANNELS_MAX];
};

static struct relays relays_of(const struct device *d)
{
    struct relays r = {.n = d->n_channels};
    memcpy(r.v, d->channel, sizeof r.v);
    return r;
}

static void tell_relays(struct plug *p, const struct relays *before, bool by_us)
{
    struct device *d = p->dev;
    if (before->n != d->n_channels)
        announce_soon(p->m);
    for (unsigned i = 0; i < before->n; i++) {
        const struct device_channel *was = &before->v[i];
        const struct device_channel *c = device_channel(d, was->number);
        if (c != NULL && was->on >= 0 && was->on != c->on)
            announce_switched(p->m, d, c->number, c->on == 1, by_us);
    }
}

static void publish(struct plug *p)
{
    if (p->dev->dirty)
        announce_save_soon(p->m);
    announce_state(p->m, p->dev);
}

void family_on_digest(struct plug *p, struct json_at digest)
{
    struct relays before = relays_of(p->dev);
    family_take_digest(p->dev, digest);
    tell_relays(p, &before, false);
    tell(p, false);
    publish(p);
}

void family_on_step(struct plug *p, const struct family_step *step, struct json_at reply)
{
    struct device *d = p->dev;
    struct relays before = relays_of(d);
    family_acknowledged(d, step, reply);
    if (strcmp(step->ns, NS_DND) == 0) {
        const struct fact *led = facts_get(&d->facts, FACTS_DEVICE, FACT_LED);
        d->led_wish = led != NULL && led->value == 1 ? DEVICE_WISH_ON : DEVICE_WISH_OFF;
        d->dirty = true;
    }
    tell_relays(p, &before, true);
    tell(p, false);
    publish(p);
}

/* --- the LED ------------------------------------------------------------------------------- */

static void on_led(void *ctx, int err, const struct envelope *reply)
{
    struct plug *p = ctx;
    (void)reply;
    if (err != MD_OK) {
        p->led_checked = false; /* when its LED is read again, what it says is nobody's wish */
        return;
    }
    (void)facts_bool(&p->dev->facts, FACTS_DEVICE, FACT_LED, p->dev->led_wish == DEVICE_WISH_ON);
    publish(p);
}

static void set_led(struct plug *p)
{
    bool on = p->dev->led_wish == DEVICE_WISH_ON;
    struct command_ask ask = {
        .method = ENVELOPE_SET,
        .ns = NS_DND,
        .payload = span_str(on ? "{\"DNDMode\":{\"mode\":0}}" : "{\"DNDMode\":{\"mode\":1}}"),
        .background = true,
        .cb = on_led,
        .ctx = p};
    log_info("meross", "plug=%s its LED is switched %s again", log_q(span_str(p->dev->name)),
             on ? "on" : "off");
    int err = command_send(p, &ask);
    if (err != MD_OK)
        on_led(p, err, NULL);
}

/* After a connection the LED is as people wanted it last, whatever happened meanwhile.  A change
 * later in the connection is somebody's wish, too. */
static void check_led(struct plug *p)
{
    struct device *d = p->dev;
    const struct fact *led = facts_get(&d->facts, FACTS_DEVICE, FACT_LED);
    if (led == NULL || d->led_wish == DEVICE_NO_WISH)
        return;
    uint8_t is = led->value == 1 ? DEVICE_WISH_ON : DEVICE_WISH_OFF;
    bool first = !p->led_checked;
    p->led_checked = true; /* before it is set, which may fail at once */
    if (is != d->led_wish && first)
        set_led(p);
    else if (is != d->led_wish && !command_setting(p, NS_DND)) {
        d->led_wish = is;
        d->dirty = true;
    }
}

/* --- messages ------------------------------------------------------------------------------ */

static void acknowledge(struct plug *p, const struct envelope *e)
{
    struct buf text;
    buf_init(&text, 2 * ENVELOPE_TO_PLUG_MAX);
    if (envelope_write_echo(&text, e, ENVELOPE_SETACK, NULL, span_str("{}")) == MD_OK)
        plug_send(p, buf_view(&text));
    buf_free(&text);
}

/* A device SETs something here when it wants to know that it was heard. */
bool family_on_message(struct plug *p, const struct envelope *e)
{
    bool by_itself = e->method == ENVELOPE_PUSH || e->method == ENVELOPE_SET;
    if ((!by_itself && e->method != ENVELOPE_GETACK) || !family_knows(e->ns))
        return false;
    struct relays before = relays_of(p->dev);
    if (e->method == ENVELOPE_SET)
        acknowledge(p, e);
    (void)family_take(p->dev, e->ns, e->payload);
    if (strcmp(e->ns, NS_DND) == 0)
        check_led(p);
    tell_relays(p, &before, command_setting(p, e->ns));
    tell(p, by_itself);
    publish(p);
    return true;
}

/* --- questions ----------------------------------------------------------------------------- */

#define BATTERY_S 21600 /* reading it wakes sub-devices */

static unsigned five_minutes(const struct plug *p)
{
    (void)p;
    return 300;
}

static unsigned quarter(const struct plug *p)
{
    (void)p;
    return 900;
}

static unsigned hour(const struct plug *p)
{
    (void)p;
    return 3600;
}

static unsigned battery_time(const struct plug *p)
{
    (void)p;
    return BATTERY_S;
}

/* Not more often either because the hub, or the broker, begins again and again.  A clock that was
 * put back does not count. */
static bool battery_wanted(const struct plug *p)
{
    int64_t last = p->dev->battery_s, now = env_wall_s(p->m->env);
    return last == 0 || now < last || now >= last + BATTERY_S;
}

static void on_battery(struct plug *p, int err)
{
    (void)err;
    p->dev->battery_s = env_wall_s(p->m->env);
    p->dev->dirty = true;
}

static bool is_single(const struct plug *p) { return p->dev->n_channels <= 1; }

/* A hub tells of its sensors by their own numbers, not by channels. */
static bool is_no_hub(const struct plug *p) { return !device_has_ability(p->dev, NS_SUBDEVICES); }

static bool has_one_door(const struct plug *p)
{
    return !device_has_ability(p->dev, NS_DOORS_SETUP);
}

/* Its doors are not its relays; the digest has told of them, also of those that are not in use. */
static void write_doors(struct json_writer *w, const struct device *d)
{
    uint32_t last = FACTS_DEVICE;
    json_write_name(w, "config");
    json_write_open(w, '[');
    for (unsigned i = 0; i < d->facts.n; i++) {
        uint32_t at = d->facts.v[i].at;
        if (at == last || at < facts_channel(0) || at > facts_channel(255))
            continue;
        json_write_open(w, '{');
        json_write_pair_int(w, "channel", at - facts_channel(0));
        json_write_close(w, '}');
        last = at;
    }
    json_write_close(w, ']');
}

#define GET  .how = ENVELOPE_GET
#define PUSH .how = ENVELOPE_PUSH

const struct poll_row *polls_of_family(size_t *n)
{
    static const struct poll_row rows[] = {
        {.ns = NS_SUBDEVICES, GET},
        {.ns = NS_VALVE_ALL, GET, .list = "all", .every_s = five_minutes},
        {.ns = NS_SENSOR_ALL, GET, .list = "all", .every_s = five_minutes},
        {.ns = NS_VALVE_PLAN, GET, .list = "schedule", .every_s = hour},
        {.ns = NS_HUB_BATTERY,
         GET,
         .list = "battery",
         .every_s = battery_time,
         .wanted = battery_wanted,
         .done = on_battery},
        {.ns = NS_EFFECT, GET},
        {.ns = NS_POSITION, GET, .list = "position", .every_s = five_minutes},
        {.ns = NS_SHUTTER, GET, .list = "state", .every_s = five_minutes},
        {.ns = NS_GARAGE_SETUP, GET, .every_s = hour, .wanted = has_one_door},
        {.ns = NS_DOORS_SETUP, GET, .payload = write_doors, .every_s = hour},
        {.ns = NS_BLIND_SETUP, GET, .list = "config", .every_s = hour},
        {.ns = NS_MODE_C, GET, .channels = "control", .every_s = five_minutes},
        {.ns = NS_CALIBRATION, GET, .channels = "calibration", .every_s = hour},
        {.ns = NS_DEAD_ZONE, GET, .channels = "deadZone", .every_s = hour},
        {.ns = NS_FROST, GET, .channels = "frost", .every_s = hour},
        {.ns = NS_OVERHEAT, GET, .channels = "overheat", .every_s = hour},
        {.ns = NS_SCHEDULE, GET, .channels = "schedule", .every_s = hour},
        {.ns = NS_SCHEDULE_B, GET, .channels = "scheduleB", .every_s = hour},
        {.ns = NS_THERMO_TIMER, GET, .channels = "timer", .every_s = hour},
        {.ns = NS_HOLD, GET, .channels = "holdAction", .every_s = hour},
        {.ns = NS_SENSOR, GET, .channels = "sensor", .every_s = hour},
        {.ns = NS_DIFF_SENSOR, GET, .every_s = five_minutes},
        {.ns = NS_FAN, GET, .channels = "fan", .every_s = five_minutes, .wanted = is_single},
        {.ns = NS_FILTER, PUSH, .every_s = battery_time},
        {.ns = NS_LATEST, GET, .channels = "latest", .every_s = five_minutes, .wanted = is_no_hub},
        {.ns = NS_MP3, GET, .every_s = five_minutes},
        {.ns = NS_HOT_SETUP, GET, .every_s = hour},
        {.ns = NS_SCREEN, GET, .channels = "brightness", .every_s = hour},
        {.ns = NS_TEMP_UNIT, GET, .channels = "tempUnit", .every_s = hour},
        {.ns = NS_LOCK, PUSH, .every_s = hour},
        {.ns = NS_STANDBY, GET, .channels = "config", .every_s = hour},
        {.ns = NS_DND, GET, .every_s = hour},
        {.ns = NS_RUNTIME, GET, .every_s = quarter},
    };
    *n = sizeof rows / sizeof rows[0];
    return rows;
}
