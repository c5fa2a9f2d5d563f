/* family.h - the families of devices: what their messages say, and what a wish becomes.
 *
 *   a message (namespace, payload)  -> family_take()  -> channels, facts and sub-devices of a device
 *   {"brightness":80}, checked      -> family_plan()  -> the SETs that make it so
 *
 * Tables, by namespace; each device has those namespaces that are among its abilities, whatever its
 * model is called.  Pure: knows the device, but neither its session nor who is told.
 *
 * Reading is tolerant (sheet 5.0, traps 20-22): an object or a list, numbers as strings, floats, junk
 * beside.  What makes no sense changes nothing. */
#ifndef MEROSS_FAMILY_H
#define MEROSS_FAMILY_H

#include "meross/device/device.h"

#define FAMILY_STEPS_MAX 8 /* SETs that one order may become */
#define FAMILY_WHY_MAX   320

/* Is there anything here that understands this namespace? */
bool family_knows(const char *ns);

/* Its name, lent and static, when it is about a state that people can set, so that an older message
 * would undo a newer one; NULL when not.  Sub-devices are many, and each tells of itself.
 * ack  of an acknowledgement; some say nothing about the state. */
const char *family_orders(const char *ns, bool ack);

/* Does System.All tell it as well? */
bool family_in_digest(const char *ns);

/* Takes over what a payload says, of a PUSH, a GETACK or a SET that was acknowledged.  False when
 * nothing understands the namespace. */
bool family_take(struct device *d, const char *ns, struct json_at payload);

/* The same for `digest` of System.All.  Sub-devices that a hub no longer lists are forgotten. */
void family_take_digest(struct device *d, struct json_at digest);

/* --- orders -------------------------------------------------------------------------------- */

struct family_row;

struct family_target { /* what an order is about */
    uint32_t at;       /* FACTS_DEVICE, facts_channel(), facts_sub() */
    bool named;        /* people said which; otherwise the only one that fits is meant */
};

struct family_step { /* one SET */
    const struct family_row *row;
    const char *ns;
    uint32_t at;
    struct buf payload; /* a JSON object */
};

struct family_steps { /* a zeroed one is empty */
    unsigned n;
    struct family_step v[FAMILY_STEPS_MAX];
};

/* Adds what makes a wish true.
 *
 * wish   its facts stand at FACTS_DEVICE.
 * on     1 or 0: to be switched on or off as well, by something that is no relay; -1: no.
 * why    what is wrong, a sentence without its subject (the caller puts the name before it).
 * Errors: MD_INVAL out of range or ambiguous; MD_NOENT the device cannot do that; MD_FULL more
 *         than FAMILY_STEPS_MAX; MD_NOMEM.  Then the steps are as before. */
MD_MUST_USE int family_plan(struct family_steps *steps, const struct device *d,
                            const struct family_target *target, const struct facts *wish, int on,
                            char why[FAMILY_WHY_MAX]);

/* Is it switched by something that is no relay? */
bool family_switches(const struct device *d, uint32_t at);

/* Can this be set there (on the device or one of its channels, or on a sub-device)? */
bool family_settable(const struct device *d, bool sub, const char *name);

/* "brightness, color, led", or "nothing". */
void family_list_settable(const struct device *d, bool sub, char *out, size_t cap);

/* A step was acknowledged by `reply`: what is known now. */
void family_acknowledged(struct device *d, const struct family_step *step, struct json_at reply);

void family_steps_clear(struct family_steps *steps);

#endif
