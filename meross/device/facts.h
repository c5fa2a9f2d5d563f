/* facts.h - what is known about a device beside its relays, as named values: of the device, of one
 * of its channels, or of a sub-device of a hub.
 *
 * Pure; knows no messages.  The names are those below and no others, so that every family says the
 * same thing in the same word and unit.  Numbers are exact: 12.3 is 123 with one decimal.
 *
 *     if (facts_number(&d->facts, facts_channel(0), FACT_POWER, 12345, 3))  12.345 W is news
 *
 * Whether the caller tells people and when it is written down: announce_state() publishes what
 * changed, and the record of the device follows by itself. */
#ifndef MEROSS_FACTS_H
#define MEROSS_FACTS_H

#include "meross/wire/json.h"
#include "meross/wire/json_write.h"

#define FACTS_MAX      512 /* per device; further ones are not remembered         */
#define FACTS_TEXT_MAX 47  /* bytes of a text; a longer one is not taken          */
#define FACTS_DECIMALS 6
#define FACTS_NUMBER   1000000000000 /* the digits of a number, without its point, at most   */

/* Measured all the time; not in the record. */
#define FACT_POWER        "power"        /* W  */
#define FACT_VOLTAGE      "voltage"      /* V  */
#define FACT_CURRENT      "current"      /* A  */
#define FACT_POWER_FACTOR "power_factor" /* -1 to 1 */
#define FACT_SIGNAL       "signal"       /* % of the Wi-Fi */
/* Measured; written down with the next thing that is, or within half an hour. */
#define FACT_ENERGY       "energy"       /* kWh, grows only */
#define FACT_ENERGY_TODAY "energy_today" /* kWh */
#define FACT_ENERGY_MONTH "energy_month" /* kWh */
#define FACT_TEMPERATURE  "temperature"  /* degrees Celsius */
#define FACT_HUMIDITY     "humidity"     /* % */
#define FACT_BATTERY      "battery"      /* % */
#define FACT_DISTANCE     "distance"     /* m */
#define FACT_LIGHT        "light"        /* lx */
#define FACT_FILTER_LIFE  "filter_life"  /* % */
/* States and settings; written down at once. */
#define FACT_NAME               "name"              /* of a channel, given by people */
#define FACT_BRIGHTNESS         "brightness"        /* 0 to 100 */
#define FACT_COLOR              "color"             /* "#rrggbb" */
#define FACT_COLOR_TEMPERATURE  "color_temperature" /* 1 warm to 100 cold */
#define FACT_EFFECT             "effect"            /* a word, or its number */
#define FACT_POSITION           "position"          /* 0 closed to 100 open */
#define FACT_MOVING             "moving"            /* "opening" "closing" "stopped" */
#define FACT_DOOR               "door"              /* "open" "closed" */
#define FACT_TARGET_TEMPERATURE "target_temperature"
#define FACT_TARGET_COOL        "target_temperature_cool" /* where there are two */
#define FACT_MIN_TEMPERATURE    "min_temperature"
#define FACT_MAX_TEMPERATURE    "max_temperature"
#define FACT_MODE               "mode" /* a word */
#define FACT_FAN_MODE           "fan_mode"
#define FACT_HEATING            "heating"
#define FACT_COOLING            "cooling"
#define FACT_WINDOW_OPEN        "window_open"
#define FACT_WINDOW_DETECTION   "window_detection"
#define FACT_SENSOR             "sensor" /* which one a thermostat goes by */
#define FACT_CALIBRATION        "calibration"
#define FACT_DEAD_ZONE          "dead_zone"
#define FACT_FROST_PROTECTION   "frost_protection"
#define FACT_OVERHEAT           "overheat_protection"  /* is there one, and is it on */
#define FACT_OVERHEAT_ACTION    "overheat_action"      /* "warn" "cut" */
#define FACT_OVERHEAT_LIMIT     "overheat_temperature" /* from which on */
#define FACT_COMFORT            "comfort_temperature"  /* presets of a valve */
#define FACT_ECONOMY            "economy_temperature"
#define FACT_AWAY               "away_temperature"
#define FACT_SCHEDULE           "schedule" /* has one been made */
#define FACT_TIMER              "timer"    /* a number of the device */
#define FACT_HOLD               "hold"
#define FACT_SEASON             "season" /* "heating" "cooling" */
#define FACT_DOOR_ENABLED       "door_enabled"
#define FACT_BUZZER             "buzzer"
#define FACT_SIGNAL_TIME        "signal_duration" /* s, of the pulse for the motor */
#define FACT_SIGNAL_OPEN        "signal_open"     /* s, likewise for each way */
#define FACT_SIGNAL_CLOSE       "signal_close"
#define FACT_OPEN_TIME          "open_duration" /* s, that it may take to open */
#define FACT_CLOSE_TIME         "close_duration"
#define FACT_AUTO_ADJUST        "auto_adjust" /* of a shutter: it measures those itself */
#define FACT_OPEN               "open"
#define FACT_SMOKE              "smoke" /* a word */
#define FACT_LEAK               "leak"
#define FACT_MOTION             "motion"
#define FACT_PRESENCE           "presence"
#define FACT_SPEED              "speed"
#define FACT_MAX_SPEED          "max_speed"
#define FACT_SPRAY              "spray" /* a word */
#define FACT_SONG               "song"
#define FACT_VOLUME             "volume"
#define FACT_MUTE               "mute"
#define FACT_SCREEN             "screen_brightness" /* % while it is used */
#define FACT_SCREEN_STANDBY     "screen_brightness_standby"
#define FACT_UNIT               "temperature_unit" /* on its screen: "celsius" "fahrenheit" */
#define FACT_LED                "led"              /* the status LED */
#define FACT_OVERHEATED         "overheated"
#define FACT_ALARM              "alarm" /* a word */
#define FACT_LOCKED             "locked"
#define FACT_STANDBY_KILLER     "standby_killer"

enum fact_kind { FACT_NUMBER, FACT_TEXT, FACT_BOOL };

enum fact_news { FACT_OLD, FACT_REPLACED, FACT_FIRST };

struct fact {
    uint32_t at;
    uint8_t name; /* a number of facts.c */
    uint8_t kind; /* enum fact_kind */
    uint8_t decimals;
    uint8_t news;     /* enum fact_news; whoever tells of it clears it */
    int64_t value;    /* of a number, without its point; of a bool 0 or 1 */
    const char *text; /* of a text, at most FACTS_TEXT_MAX bytes; else "", never NULL */
};

struct facts {      /* a zeroed one is empty */
    struct fact *v; /* by `at`, then in the order of the names above */
    unsigned n, cap;
    bool unsaved; /* something that is written down at once changed; the registry clears it */
};

/* What a fact is about. */
#define FACTS_DEVICE 0u
static inline uint32_t facts_channel(unsigned number) { return 0x100u + (number & 0xffu); }
static inline uint32_t facts_sub(unsigned number) { return 0x10000u + number; }

/* Each is true when that changed something.  One that does not fit any more, or memory that ran
 * out, leaves the rest as it was and is no news.
 *
 * at        FACTS_DEVICE, facts_channel() or facts_sub().
 * name      one of the names above; anything else is a mistake of ours.
 * value     scaled: 12345 with 3 decimals is 12.345.
 * text      copied. */
bool facts_number(struct facts *f, uint32_t at, const char *name, int64_t value, unsigned decimals);
bool facts_text(struct facts *f, uint32_t at, const char *name, const char *text);
bool facts_bool(struct facts *f, uint32_t at, const char *name, bool value);
bool facts_copy(struct facts *f, uint32_t at, const struct fact *it); /* of another struct facts */
bool facts_forget(struct facts *f, uint32_t at, const char *name);
bool facts_forget_all(struct facts *f, uint32_t at); /* of one channel or sub-device */

/* lent until the next change; NULL when it is not known. */
const struct fact *facts_get(const struct facts *f, uint32_t at, const char *name);

/* A number with `decimals` places; `other` when it is not known or no number. */
int64_t facts_value(const struct facts *f, uint32_t at, const char *name, unsigned decimals,
                    int64_t other);

int64_t facts_scaled(const struct fact *it, unsigned decimals); /* of a number */

const char *facts_name(const struct fact *it); /* lent, static */
bool facts_named(const char *name);            /* is it one of ours? */

/* The same value, whatever it is of. */
bool facts_same(const struct fact *a, const struct fact *b);

/* Writes "name":value for each, into an object that is open. */
void facts_write(struct json_writer *w, const struct facts *f, uint32_t at);
void facts_write_one(struct json_writer *w, const struct fact *it);
void facts_write_kept(struct json_writer *w, const struct facts *f, uint32_t at); /* the record */
/* Takes the members of an object as written above; unknown ones are left out. */
void facts_read(struct facts *f, uint32_t at, struct json_at object);

/* One of them: `name` is one of ours.  False when the value is none that a fact can have. */
bool facts_read_one(struct facts *f, uint32_t at, const char *name, struct json_at value);

void facts_clear(struct facts *f); /* frees what it owns, not f */

#endif
