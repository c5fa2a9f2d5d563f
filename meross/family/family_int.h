/* family_int.h - what the files of this folder share; for them only. */
#ifndef MEROSS_FAMILY_INT_H
#define MEROSS_FAMILY_INT_H

#include "meross/family/family.h"
#include "meross/wire/namespaces.h"

struct family_at { /* where an entry of a message belongs */
    struct device *d;
    uint32_t at;
    unsigned channel;
    struct subdev *sub; /* NULL unless it is about one */
};

enum family_by { FAMILY_BY_CHANNEL, FAMILY_BY_DEVICE, FAMILY_BY_SUB };

/* Something that can be set. */
struct family_key {
    const char *name; /* of a fact */
    enum fact_kind kind;
    int64_t min, max; /* of a number, in units of its last decimal; 0 and 0: any */
    unsigned decimals;
    bool or_text;                        /* a number that may also be called by its name */
    const char *const *words;            /* of a text: NULL after the last; a NULL list: any text */
    bool (*can)(const struct device *d); /* NULL: every device with the namespace */
    /* Looks further; wish->at is where it shall be so; false and `why` ("knows no effect \"x\"")
     * when it is no good.  NULL: fine. */
    bool (*check)(const struct device *d, const struct fact *wish, char why[FAMILY_WHY_MAX]);
};

struct family_ask { /* an order, checked */
    const struct device *d;
    uint32_t at;
    unsigned channel;
    const struct subdev *sub;
    const struct facts *wish; /* at FACTS_DEVICE */
    int on;                   /* 1, 0; -1: not asked for */
};

/* What an acknowledgement means. */
enum family_ack {
    FAMILY_ASSUME,    /* it is so now: what was asked for is taken for true */
    FAMILY_ACK_TELLS, /* the acknowledgement says what is so, unless it is empty */
    FAMILY_ACK_WAITS  /* nothing yet: a push will tell */
};

struct family_row {
    const char *ns;
    const char *key; /* the main member of the payload */
    enum family_by by;
    void (*take)(const struct family_at *at, struct json_at entry);
    void (*take_all)(struct device *d, struct json_at list); /* in place of `take`, when not NULL */
    /* The rest: for what can be set. */
    const struct family_key *keys; /* name NULL after the last; NULL: none */
    void (*write)(struct json_writer *w, const struct family_ask *ask); /* members of the entry */
    bool (*switches)(
        const struct device *d); /* NULL: never; else "ON" and "OFF" go there as well */
    bool list;                   /* the entry stands in a list */
    bool with_type;              /* the type of the device stands beside it */
    enum family_ack ack;
    void (*acked)(const struct family_at *at, struct json_at asked, struct json_at reply);
};

/* The tables. */
const struct family_row *family_of_lights(size_t *n);
const struct family_row *family_of_doors(size_t *n);
const struct family_row *family_of_thermostats(size_t *n);
const struct family_row *family_of_air(size_t *n);
const struct family_row *family_of_hubs(size_t *n);
const struct family_row *family_of_sensors(size_t *n);
const struct family_row *family_of_setups(size_t *n);
const struct family_row *family_of_sound(size_t *n);
const struct family_row *family_of_all(size_t *n); /* what any device may have */

const struct family_row *family_row(const char *ns); /* NULL: nobody knows it */

/* Every row, until cb answers false. */
void family_each(bool (*cb)(void *ctx, const struct family_row *row), void *ctx);

/* hub.c: a valve keeps a target that people set only in its manual mode. */
bool family_needs_manual(const struct device *d, uint32_t at, const struct facts *wish);

/* --- reading ------------------------------------------------------------------------------- */

/* Each takes one member of an entry over; one that is missing or odd changes nothing. */
void family_number(const struct family_at *at, struct json_at value, const char *fact,
                   unsigned decimals); /* whole units of the last decimal: 215 with 1 is 21.5 */
void family_flag(const struct family_at *at, struct json_at value, const char *fact); /* 0 and 1 */
/* A number that may have a fraction: 12.5. */
void family_fraction(const struct family_at *at, struct json_at value, const char *fact,
                     unsigned decimals);
/* 1 is yes and 2 is no, as in the settings of plugs; anything else is neither. */
void family_one_two(const struct family_at *at, struct json_at value, const char *fact);
/* Of a schedule, {"mon":[[minutes,value],...],...}: has any day something in it? */
void family_schedule(const struct family_at *at, struct json_at entry);
/* The word of a number; of one that is out of the list, the number itself. */
void family_word(const struct family_at *at, struct json_at value, const char *fact,
                 const char *const *words);
void family_relay(const struct family_at *at,
                  bool on); /* the channel (or sub-device) is on or off */

/* door.c: what an entry of a door says about being in use; one that is not has no state. */
void family_door_enabled(const struct family_at *at, struct json_at entry);

/* light.c: a check for a colour. */
bool family_check_color(const struct device *d, const struct fact *wish, char why[FAMILY_WHY_MAX]);

/* --- writing ------------------------------------------------------------------------------- */

bool family_wishes(const struct family_ask *ask, const char *name);
int64_t family_wish(const struct family_ask *ask, const char *name, unsigned decimals);
/* Its place in the list, -1 when it is not wished for. */
int family_wish_word(const struct family_ask *ask, const char *name, const char *const *words);

/* Several families call their modes by the same numbers; NULL stands for one that nobody uses. */
#define FAMILY_NO_WORD "?"

/* One member of a setting that has several: what is wished for, else what is known, so that a
 * device that takes the whole of it keeps the rest; nothing when neither is there. */
void family_write_kept(struct json_writer *w, const struct family_ask *ask, const char *member,
                       const char *fact, unsigned decimals);

#endif
