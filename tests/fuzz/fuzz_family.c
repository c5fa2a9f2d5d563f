/* fuzz_family.c - any payload for any namespace into a device, and the same as an order: the limits
 * hold, what is told of it is JSON, and its record reads back as the same. */
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "meross/family/family.h"
#include "meross/people/wishes.h"
#include "meross/wire/namespaces.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {
    NS_DND,         NS_RUNTIME,      NS_LOCK,        NS_LIGHT,       NS_EFFECT,
    NS_GARAGE,      NS_POSITION,     NS_SHUTTER,     NS_ADJUST,      NS_MODE,
    NS_MODE_B,      NS_MODE_C,       NS_WINDOW,      NS_CALIBRATION, NS_DEAD_ZONE,
    NS_FROST,       NS_HOLD,         NS_SENSOR,      NS_SUMMER,      NS_THERMO_ALARM,
    NS_SPRAY,       NS_DIFF_SPRAY,   NS_DIFF_LIGHT,  NS_DIFF_SENSOR, NS_FAN,
    NS_FILTER,      NS_LATEST,       NS_OVERTEMP,    NS_ALARM,       NS_ALERT,
    NS_STANDBY,     NS_HUB_ONLINE,   NS_HUB_BATTERY, NS_HUB_TOGGLEX, NS_VALVE_ALL,
    NS_VALVE_MODE,  NS_VALVE_TEMP,   NS_SENSOR_ALL,  NS_TEMP_HUM,    NS_SUB_LATEST,
    NS_DOOR_WINDOW, NS_SMOKE,        NS_WATER_LEAK,  NS_MOTION,      NS_SUBDEVICES,
    NS_DOORS_SETUP, NS_GARAGE_SETUP, NS_BLIND_SETUP, NS_OVERHEAT,    NS_SCHEDULE,
    NS_SCHEDULE_B,  NS_THERMO_TIMER, NS_HOT_SETUP,   NS_SCREEN,      NS_TEMP_UNIT,
    NS_MP3,         NS_VALVE_PLAN};

#define NAMES (sizeof names / sizeof names[0])

/* Of two kinds: with a relay, and with what takes its place. */
static void give_abilities(struct device *d, bool relay)
{
    struct buf b;
    struct json_writer w;
    struct json j;
    buf_init(&b, 8192);
    json_write_start(&w, &b);
    json_write_open(&w, '{');
    json_write_pair(&w, relay ? NS_TOGGLEX : NS_SPRAY, "");
    for (size_t i = 0; i < NAMES; i++)
        if (!relay || (strcmp(names[i], NS_GARAGE) != 0 && strcmp(names[i], NS_SPRAY) != 0))
            json_write_pair(&w, names[i], "");
    json_write_close(&w, '}');
    if (json_parse(&j, buf_view(&b)) == MD_OK) {
        MD_ASSERT(device_set_abilities(d, json_root(&j)) == MD_OK);
        json_free(&j);
    }
    d->light_capacity = 15;
    buf_free(&b);
}

static void write_and_check(struct buf *out, const struct device *d,
                            void (*write)(struct json_writer *w, const struct device *d))
{
    struct json_writer w;
    unsigned tokens;
    buf_init(out, JSON_TEXT_MAX);
    json_write_start(&w, out);
    write(&w, d);
    MD_ASSERT(w.err == MD_OK && json_check(buf_view(out), &tokens) == MD_OK);
}

static void check_device(const struct device *d)
{
    struct device again = {.n_channels = 0};
    struct buf state, record, back;
    MD_ASSERT(d->facts.n <= FACTS_MAX && d->subs.n <= SUBDEVS_MAX);
    write_and_check(&state, d, device_write_state);
    MD_ASSERT(state.n <= DEVICE_STATE_MAX);
    write_and_check(&record, d, device_write_record);
    MD_ASSERT(device_read_record(&again, buf_view(&record)) == MD_OK);
    write_and_check(&back, &again, device_write_record);
    MD_ASSERT(again.facts.n <= d->facts.n && back.n <= record.n);
    buf_free(&state);
    buf_free(&record);
    buf_free(&back);
    device_clear(&again);
}

static void order(struct device *d, uint32_t at, struct json_at wish)
{
    struct family_steps steps = {.n = 0};
    struct family_target target = {.at = at, .named = at != facts_channel(0)};
    struct facts f = {.n = 0};
    char why[FAMILY_WHY_MAX];
    unsigned tokens;
    facts_read(&f, FACTS_DEVICE, wish);
    int err = family_plan(&steps, d, &target, &f, at == facts_channel(0) ? 1 : -1, why);
    MD_ASSERT((err == MD_OK) == (why[0] == '\0') && steps.n <= FAMILY_STEPS_MAX);
    for (unsigned i = 0; i < steps.n; i++) {
        MD_ASSERT(json_check(buf_view(&steps.v[i].payload), &tokens) == MD_OK);
        family_acknowledged(d, &steps.v[i], wish);
    }
    family_steps_clear(&steps);
    facts_clear(&f);
}

/* The same as the whole of a set. */
static void order_all(struct device *d, struct json_at root)
{
    struct family_steps steps = {.n = 0};
    struct orders orders = {.n = 1, .v = {{0, WANT_TOGGLE}}};
    char reason[WISHES_WHY_MAX];
    (void)wishes_switch(root);
    int err = wishes_plan(&steps, &orders, d, span_of(NULL, 0), root, reason);
    MD_ASSERT(err == MD_OK || (steps.n == 0 && reason[0] != '\0'));
    family_steps_clear(&steps);
}

static void live(struct json_at payload, bool relay)
{
    struct device d = {.uuid = "2101011234567890123448e1e9123456", .mac = "48:e1:e9:12:34:56"};
    give_abilities(&d, relay);
    family_take_digest(&d, payload);
    for (size_t i = 0; i < NAMES; i++)
        (void)family_take(&d, names[i], payload);
    order(&d, facts_channel(0), payload);
    order(&d, facts_channel(1), payload);
    if (d.subs.n > 0)
        order(&d, facts_sub(d.subs.v[0].number), payload);
    order_all(&d, payload);
    check_device(&d);
    device_clear(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json j;
    if (json_parse(&j, span_of(data, size)) != MD_OK)
        return 0;
    live(json_root(&j), true);
    live(json_root(&j), false);
    json_free(&j);
    MD_ASSERT(mem_used() == 0);
    return 0;
}
