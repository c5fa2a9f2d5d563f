#include "meross/device/facts.h"

#include "broker/base/check.h"
#include "broker/base/mem.h"

enum keep { AT_ONCE, SOME_TIME, NEVER };

/* The order is that of the state people see. */
static const struct {
    const char *name;
    enum keep keep;
} names[] = {
    {FACT_NAME, AT_ONCE},
    {FACT_POWER, NEVER},
    {FACT_VOLTAGE, NEVER},
    {FACT_CURRENT, NEVER},
    {FACT_POWER_FACTOR, NEVER},
    {FACT_ENERGY, SOME_TIME},
    {FACT_ENERGY_TODAY, SOME_TIME},
    {FACT_ENERGY_MONTH, SOME_TIME},
    {FACT_BRIGHTNESS, AT_ONCE},
    {FACT_COLOR, AT_ONCE},
    {FACT_COLOR_TEMPERATURE, AT_ONCE},
    {FACT_EFFECT, AT_ONCE},
    {FACT_POSITION, AT_ONCE},
    {FACT_MOVING, AT_ONCE},
    {FACT_DOOR, AT_ONCE},
    {FACT_TEMPERATURE, SOME_TIME},
    {FACT_TARGET_TEMPERATURE, AT_ONCE},
    {FACT_TARGET_COOL, AT_ONCE},
    {FACT_MIN_TEMPERATURE, AT_ONCE},
    {FACT_MAX_TEMPERATURE, AT_ONCE},
    {FACT_HUMIDITY, SOME_TIME},
    {FACT_MODE, AT_ONCE},
    {FACT_FAN_MODE, AT_ONCE},
    {FACT_HEATING, AT_ONCE},
    {FACT_COOLING, AT_ONCE},
    {FACT_WINDOW_OPEN, AT_ONCE},
    {FACT_WINDOW_DETECTION, AT_ONCE},
    {FACT_SENSOR, AT_ONCE},
    {FACT_CALIBRATION, AT_ONCE},
    {FACT_DEAD_ZONE, AT_ONCE},
    {FACT_FROST_PROTECTION, AT_ONCE},
    {FACT_OVERHEAT, AT_ONCE},
    {FACT_OVERHEAT_ACTION, AT_ONCE},
    {FACT_OVERHEAT_LIMIT, AT_ONCE},
    {FACT_COMFORT, AT_ONCE},
    {FACT_ECONOMY, AT_ONCE},
    {FACT_AWAY, AT_ONCE},
    {FACT_SCHEDULE, AT_ONCE},
    {FACT_TIMER, AT_ONCE},
    {FACT_HOLD, AT_ONCE},
    {FACT_SEASON, AT_ONCE},
    {FACT_DOOR_ENABLED, AT_ONCE},
    {FACT_BUZZER, AT_ONCE},
    {FACT_SIGNAL_TIME, AT_ONCE},
    {FACT_SIGNAL_OPEN, AT_ONCE},
    {FACT_SIGNAL_CLOSE, AT_ONCE},
    {FACT_OPEN_TIME, AT_ONCE},
    {FACT_CLOSE_TIME, AT_ONCE},
    {FACT_AUTO_ADJUST, AT_ONCE},
    {FACT_OPEN, AT_ONCE},
    {FACT_SMOKE, AT_ONCE},
    {FACT_LEAK, AT_ONCE},
    {FACT_MOTION, AT_ONCE},
    {FACT_PRESENCE, AT_ONCE},
    {FACT_DISTANCE, SOME_TIME},
    {FACT_LIGHT, SOME_TIME},
    {FACT_SPEED, AT_ONCE},
    {FACT_MAX_SPEED, AT_ONCE},
    {FACT_SPRAY, AT_ONCE},
    {FACT_FILTER_LIFE, SOME_TIME},
    {FACT_BATTERY, SOME_TIME},
    {FACT_OVERHEATED, AT_ONCE},
    {FACT_ALARM, AT_ONCE},
    {FACT_LOCKED, AT_ONCE},
    {FACT_STANDBY_KILLER, AT_ONCE},
    {FACT_SONG, AT_ONCE},
    {FACT_VOLUME, AT_ONCE},
    {FACT_MUTE, AT_ONCE},
    {FACT_SCREEN, AT_ONCE},
    {FACT_SCREEN_STANDBY, AT_ONCE},
    {FACT_UNIT, AT_ONCE},
    {FACT_LED, AT_ONCE},
    {FACT_SIGNAL, NEVER},
};

#define NAMES (sizeof names / sizeof names[0])

static size_t number_of(const char *name)
{
    size_t i = 0;
    while (i < NAMES && strcmp(names[i].name, name) != 0)
        i++;
    return i;
}

bool facts_named(const char *name) { return number_of(name) < NAMES; }

const char *facts_name(const struct fact *it) { return names[it->name].name; }

/* Where it is, or would have to stand. */
static unsigned place_of(const struct facts *f, uint32_t at, size_t name)
{
    unsigned i = 0;
    while (i < f->n && (f->v[i].at < at || (f->v[i].at == at && f->v[i].name < name)))
        i++;
    return i;
}

static bool stands(const struct facts *f, unsigned place, uint32_t at, size_t name)
{
    return place < f->n && f->v[place].at == at && f->v[place].name == name;
}

static bool make_room(struct facts *f)
{
    if (f->n == FACTS_MAX)
        return false;
    if (f->n < f->cap)
        return true;
    unsigned cap = f->cap + 4 + f->cap / 4; /* a device soon has all it will ever have */
    struct fact *v = mem_realloc(f->v, cap * sizeof *v);
    if (v == NULL)
        return false;
    f->v = v;
    f->cap = cap;
    return true;
}

bool facts_same(const struct fact *a, const struct fact *b)
{
    return a->kind == b->kind && a->decimals == b->decimals && a->value == b->value &&
           strcmp(a->text, b->text) == 0;
}

/* The text is the fact's own from now on; most have none, and need no memory for that. */
static bool own_text(struct fact *it)
{
    if (it->text[0] == '\0')
        it->text = "";
    else
        it->text = mem_strdup(it->text);
    return it->text != NULL;
}

static void drop_text(const struct fact *it)
{
    if (it->text[0] != '\0')
        mem_free((char *)it->text);
}

/* The text of `is` is copied. */
static bool put(struct facts *f, const char *name, struct fact *is)
{
    size_t number = number_of(name);
    MD_ASSERT(number < NAMES);
    is->name = (uint8_t)number;
    unsigned place = place_of(f, is->at, number);
    bool there = stands(f, place, is->at, number);
    if (there ? facts_same(&f->v[place], is) : !make_room(f))
        return false;
    if (!own_text(is))
        return false;
    if (there) {
        drop_text(&f->v[place]);
    } else {
        memmove(f->v + place + 1, f->v + place, (f->n - place) * sizeof *f->v);
        f->n++;
    }
    f->v[place] = *is;
    f->v[place].news = there ? FACT_REPLACED : FACT_FIRST;
    f->unsaved |= names[number].keep == AT_ONCE;
    return true;
}

/* Without the zeros at the end, 1.50 is 1.5.  False: it is too long, or too large. */
static bool settle_number(int64_t *value, unsigned *decimals)
{
    while (*decimals > 0 && *value % 10 == 0) {
        *value /= 10;
        --*decimals;
    }
    return *decimals <= FACTS_DECIMALS && *value <= FACTS_NUMBER && *value >= -FACTS_NUMBER;
}

bool facts_number(struct facts *f, uint32_t at, const char *name, int64_t value, unsigned decimals)
{
    if (!settle_number(&value, &decimals))
        return false;
    struct fact is = {
        .at = at, .kind = FACT_NUMBER, .decimals = (uint8_t)decimals, .value = value, .text = ""};
    return put(f, name, &is);
}

bool facts_text(struct facts *f, uint32_t at, const char *name, const char *text)
{
    struct fact is = {.at = at, .kind = FACT_TEXT, .text = text};
    return strlen(text) <= FACTS_TEXT_MAX && put(f, name, &is);
}

bool facts_bool(struct facts *f, uint32_t at, const char *name, bool value)
{
    struct fact is = {.at = at, .kind = FACT_BOOL, .value = value, .text = ""};
    return put(f, name, &is);
}

bool facts_copy(struct facts *f, uint32_t at, const struct fact *it)
{
    struct fact is = *it;
    is.at = at;
    return put(f, facts_name(it), &is);
}

static void take_out(struct facts *f, unsigned place)
{
    f->unsaved |= names[f->v[place].name].keep == AT_ONCE;
    drop_text(&f->v[place]);
    f->n--;
    memmove(f->v + place, f->v + place + 1, (f->n - place) * sizeof *f->v);
}

bool facts_forget(struct facts *f, uint32_t at, const char *name)
{
    size_t number = number_of(name);
    MD_ASSERT(number < NAMES);
    unsigned place = place_of(f, at, number);
    if (!stands(f, place, at, number))
        return false;
    take_out(f, place);
    return true;
}

bool facts_forget_all(struct facts *f, uint32_t at)
{
    unsigned before = f->n;
    for (unsigned i = f->n; i-- > 0;)
        if (f->v[i].at == at)
            take_out(f, i);
    return f->n != before;
}

const struct fact *facts_get(const struct facts *f, uint32_t at, const char *name)
{
    size_t number = number_of(name);
    unsigned place = place_of(f, at, number);
    return stands(f, place, at, number) ? &f->v[place] : NULL;
}

int64_t facts_scaled(const struct fact *it, unsigned decimals)
{
    int64_t value = it->value;
    for (unsigned i = it->decimals; i < decimals; i++)
        value *= 10;
    for (unsigned i = it->decimals; i > decimals; i--)
        value /= 10;
    return value;
}

int64_t facts_value(const struct facts *f, uint32_t at, const char *name, unsigned decimals,
                    int64_t other)
{
    const struct fact *it = facts_get(f, at, name);
    return it != NULL && it->kind == FACT_NUMBER ? facts_scaled(it, decimals) : other;
}

void facts_write_one(struct json_writer *w, const struct fact *it)
{
    json_write_name(w, facts_name(it));
    if (it->kind == FACT_NUMBER)
        json_write_scaled(w, it->value, it->decimals);
    else if (it->kind == FACT_TEXT)
        json_write_str(w, it->text);
    else
        json_write_bool(w, it->value != 0);
}

static void write_all(struct json_writer *w, const struct facts *f, uint32_t at, bool kept_only)
{
    for (unsigned i = 0; i < f->n; i++)
        if (f->v[i].at == at && !(kept_only && names[f->v[i].name].keep == NEVER))
            facts_write_one(w, &f->v[i]);
}

void facts_write(struct json_writer *w, const struct facts *f, uint32_t at)
{
    write_all(w, f, at, false);
}

void facts_write_kept(struct json_writer *w, const struct facts *f, uint32_t at)
{
    write_all(w, f, at, true);
}

bool facts_read_one(struct facts *f, uint32_t at, const char *name, struct json_at value)
{
    char text[FACTS_TEXT_MAX + 1];
    int64_t number;
    unsigned decimals = FACTS_DECIMALS;
    if (json_type(value) == JSON_BOOL && json_int(value, &number))
        (void)facts_bool(f, at, name, number != 0);
    else if (json_type(value) == JSON_STRING && json_text(value, text, sizeof text))
        (void)facts_text(f, at, name, text);
    else if (json_type(value) == JSON_NUMBER && json_scaled(value, FACTS_DECIMALS, &number) &&
             settle_number(&number, &decimals))
        (void)facts_number(f, at, name, number, decimals);
    else
        return false;
    return true;
}

void facts_read(struct facts *f, uint32_t at, struct json_at object)
{
    for (struct json_at n = json_first_name(object); json_exists(n); n = json_next_name(n)) {
        char name[32];
        if (json_text(n, name, sizeof name) && facts_named(name))
            (void)facts_read_one(f, at, name, json_value(n));
    }
}

void facts_clear(struct facts *f)
{
    for (unsigned i = 0; i < f->n; i++)
        drop_text(&f->v[i]);
    mem_free(f->v);
    *f = (struct facts){.n = 0};
}
