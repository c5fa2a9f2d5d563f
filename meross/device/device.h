/* device.h - what is known about one plug, connected or not, and its record on disk.
 *
 * Knows neither the broker nor the session with the plug (plug.h). */
#ifndef MEROSS_DEVICE_H
#define MEROSS_DEVICE_H

#include "broker/base/list.h"
#include "broker/base/map.h"
#include "meross/device/askers.h"
#include "meross/device/facts.h"
#include "meross/device/health.h"
#include "meross/device/subdevs.h"
#include "meross/wire/json.h"
#include "meross/wire/json_write.h"
#include "meross/wire/topics.h"

#define DEVICE_UUID_MAX      32
#define DEVICE_TEXT_MAX      31     /* bytes of a type, a version, a chip                        */
#define DEVICE_ADDRESS_MAX   45     /* bytes of an IP address                                    */
#define DEVICE_WHY_MAX       63     /* bytes of why a connection ended; the rest is cut          */
#define DEVICE_CHANNELS_MAX  16     /* further channels are ignored                              */
#define DEVICE_ABILITIES_MAX 6144u  /* bytes of all ability names; further ones are left out  */
#define DEVICE_STATE_MAX     49152u /* bytes of the state topic                               */

/* Which key the plug signs with. */
enum device_key {
    DEVICE_KEY_UNKNOWN,
    DEVICE_KEY_CONFIGURED,
    DEVICE_KEY_EMPTY,
    DEVICE_KEY_DEFAULT, /* "meross" */
    DEVICE_KEY_OWN,     /* one that no other plug has: device.own_key */
    DEVICE_KEYS
};

enum device_switch { DEVICE_TOGGLEX, DEVICE_TOGGLE, DEVICE_NO_SWITCH, DEVICE_SWITCHES };

enum device_wish { DEVICE_NO_WISH, DEVICE_WISH_OFF, DEVICE_WISH_ON };

struct device_channel {
    uint8_t number; /* 0 = the outlet, or all outlets of a strip */
    int8_t on;      /* 0, 1, or -1 when nobody knows             */
    int8_t wanted;  /* what the last SET under way asks for      */
    uint8_t asks;   /* SETs under way                            */
};

struct plug;

struct device {
    char uuid[DEVICE_UUID_MAX + 1]; /* in the case the plug itself uses */
    char name[TOPICS_NAME_MAX + 1];
    char mac[18]; /* lower case */
    char type[DEVICE_TEXT_MAX + 1], hardware[DEVICE_TEXT_MAX + 1], firmware[DEVICE_TEXT_MAX + 1];
    char chip[DEVICE_TEXT_MAX + 1], address[DEVICE_ADDRESS_MAX + 1];
    int64_t user_id;
    enum device_key key;
    /* Secret: in the record, and nowhere else.  NULL = none.  A plug that is given a new key has
     * both, until it shows with which it signs; so a change that fails loses nothing. */
    char *own_key, *pending_key;
    bool expected; /* its key was told, and it has not come yet: it has a record, and no topics */
    enum device_switch switches;
    bool bound;
    bool nameless; /* the name was made before the type was known */
    unsigned n_channels;
    struct device_channel channel[DEVICE_CHANNELS_MAX]; /* ascending */
    const char *abilities; /* shared.h: each followed by '\n'; NULL = unknown   */
    char ability_firmware[DEVICE_TEXT_MAX + 1]; /* the firmware they were read from        */
    uint8_t led_wish;       /* of people, for the status LED: enum device_wish */
    uint8_t light_capacity; /* bits of what a lamp can: colour, temperature, brightness, effect */
    uint8_t max_commands;   /* in one Control.Multiple; 0 = it has none, or nobody knows       */
    int64_t last_seen;      /* seconds since 1970 of the last message  */
    struct facts facts;     /* what else is known, facts.h             */
    struct subdevs subs;    /* of a hub                                */
    int64_t battery_s;      /* since 1970, when they were asked for their batteries; 0 = never */
    struct health health;   /* in part, health.h                       */

    /* Not on disk. */
    struct plug *plug;      /* the session; NULL when not connected                        */
    struct plug *lan;       /* the one over the LAN (lan.h); NULL: none                    */
    uint64_t watch_ms;      /* watchdog.c's: when it is looked at again; 0 = no need  */
    unsigned watch_pause_s; /* and the pause after that                               */
    uint64_t lan_failed_ms; /* monotonic: when it did not answer there; 0 = it did    */
    bool online;            /* bound in this session, or away for a moment (presence.h)    */
    uint64_t gone_ms;       /* monotonic: not bound since then; 0 = it is, or is offline   */
    char *gone_why;         /* and why; NULL = nobody knows                                */
    bool announced;         /* has its topics and its record; false until first bound      */
    bool dirty;             /* differs from the record                                     */
    bool due;               /* the registry's: it is among those that are being saved      */
    bool precious;          /* and in what nobody would say again: its name, a key         */
    int64_t saved_seen;     /* last_seen of the record                                     */
    uint64_t told;          /* text_mark() of the state topic as published last; 0 = none  */
    bool clock_jumped;      /* the host's clock was set, and this plug not looked at since */
    uint64_t time_set_ms;   /* monotonic, of the last System.Time SET; 0 = never          */
    char *effects;         /* names of a lamp's effects, each followed by '\n'; NULL = unknown    */
    uint64_t key_until_ms; /* monotonic: until then a key is on its way to it            */
    uint64_t refused_ms;   /* monotonic, of the last event about a refused message       */
    struct askers askers;  /* where it may answer                                        */
    /* The registry's. */
    char uuid_key[DEVICE_UUID_MAX + 1], name_key[TOPICS_NAME_MAX + 1];
    struct map_node by_uuid, by_name;
    struct list link;
};

const char *device_key_name(enum device_key k);       /* "configured"; lent, static */
const char *device_switch_name(enum device_switch s); /* "togglex"; lent, static    */

/* It will sign with this key: from now on if none was known, else once it has shown so.
 * key  copied; not empty, at most SIGN_KEY_MAX bytes.
 * Errors: MD_NOMEM; nothing changed. */
MD_MUST_USE int device_expect_key(struct device *d, const char *key);

/* The key that was told last, and not shown yet, is not to be its key after all. */
void device_forget_pending(struct device *d);

/* It signed with pending_key, which is its own key now. */
void device_key_shown(struct device *d);

/* Nobody knows it but its owner: what is signed with it a stranger has not made up. */
static inline bool device_key_is_secret(enum device_key k)
{
    return k == DEVICE_KEY_CONFIGURED || k == DEVICE_KEY_OWN;
}

/* What nobody would say again: it is on the medium soon, whatever is written rarely.  For what the
 * owner did, and for the first sight of a plug that has shown a secret key; never for what a
 * stranger can say, or flash would be written as often as it is said. */
static inline void device_changed(struct device *d) { d->dirty = d->precious = true; }

/* Has it a record? */
static inline bool device_is_kept(const struct device *d) { return d->announced || d->expected; }

/* Copies text of a plug into a member of struct device; false when it is the same
 * already, is no text, does not fit or holds control characters: then nothing changes. */
bool device_set_text(char *member, size_t cap, struct json_at v);

/* lent; NULL when there is no such channel. */
struct device_channel *device_channel(struct device *d, unsigned number);

/* The channel, which is made when there is room; NULL when there is none. */
struct device_channel *device_channel_add(struct device *d, unsigned number);

/* What the channel is, or is about to be: 0, 1, -1 unknown. */
int device_expected(struct device *d, unsigned number);

bool device_has_ability(const struct device *d, const char *ability); /* false if unknown */

/* A garage opener has a ToggleX, too, but its door is what people mean; likewise shutters and
 * thermostats. */
bool device_hides_relays(const struct device *d);

/* Replaces the list by the member names of `ability`, an object as in System.Ability.
 * Errors: MD_INVAL no object, MD_NOMEM; the old list stays. */
MD_MUST_USE int device_set_abilities(struct device *d, struct json_at ability);

/* Replaces the names of the effects by those of a list as in Control.Light.Effect.  Without memory
 * there are none. */
void device_set_effects(struct device *d, struct json_at list);

/* The name of an effect by its place in that list; false when there is none. */
bool device_effect_name(const struct device *d, size_t index, char out[FACTS_TEXT_MAX + 1]);

/* Major number of the firmware, 0 if unknown. */
unsigned device_major(const struct device *d);

/* The payload of the state topic: {"state":"ON","channels":[{"channel":0,"state":"ON"}]} and the
 * facts: those of the device and of its only channel on top, those of several in "channels";
 * and "subdevices" of a hub. */
void device_write_state(struct json_writer *w, const struct device *d);

/* The plug as people see it, without secrets: an object.  The list of the abilities, which is
 * longer than all the rest, is only in DEVICE_ALL. */
enum device_view { DEVICE_BRIEF, DEVICE_WITH_STATE, DEVICE_ALL };
void device_write_public(struct json_writer *w, const struct device *d, enum device_view view);

/* The record: a JSON object.  Holds the plug's own key, if it has one, so it is secret. */
void device_write_record(struct json_writer *w, const struct device *d);

/* Fills the members that the record has; `d` is zeroed but for what registry.c needs.
 * Errors: MD_CORRUPT not a record, or of a newer format; MD_NOMEM. */
MD_MUST_USE int device_read_record(struct device *d, struct span record);

void device_clear(struct device *d); /* frees what it owns, not d */

#endif
