/* simplug.h - the model of one Meross plug.
 *
 * Bytes in, bytes out, time as an argument: no socket, no clock, no TLS.  It knows nothing of
 * our Meross code and shares only broker/base and broker/codec with the product, so that it can
 * catch our mistakes: whatever a real plug would choke on, and whatever is forbidden toward one, is
 * kept as a violation that tests can assert to be absent.  (Its names begin with simplug_, because
 * it is linked into one program with meross/session/plug.c.)
 *
 *   DOWN --connected--> CONNACK? --accepted--> UP --hang-up, reboot--> CLOSING --closed--> DOWN
 *
 * A driver does, as often as it likes:
 *
 *     if (simplug_wants_connect(p, now)) { open a transport; simplug_connected(p, now); }
 *     simplug_feed(p, received, now);
 *     due = simplug_tick(p, now);
 *     while ((out = simplug_output(p)).n > 0) { k = write(out); simplug_sent(p, k); }
 *     if (simplug_wants_close(p)) { close the transport; simplug_closed(p, now); }
 *
 * `now` is in monotonic milliseconds and never goes back. */
#ifndef TESTS_PLUGSIM_SIMPLUG_H
#define TESTS_PLUGSIM_SIMPLUG_H

#include "broker/base/buf.h"
#include "tests/plugsim/simplug_options.h"

#define SIMPLUG_NEVER        UINT64_MAX
#define SIMPLUG_MAX_PAYLOAD  2048 /* keep what you send below 2 kB */
#define SIMPLUG_MAX_CHANNELS 8

struct simplug;

enum simplug_led {
    SIMPLUG_LED_BLINKING_GREEN, /* booted, not bound yet                             */
    SIMPLUG_LED_SOLID_GREEN,    /* bound                                             */
    SIMPLUG_LED_SOLID_AMBER,    /* was bound, the session is gone        */
    SIMPLUG_LED_AMBER_GREEN     /* pairing mode: gave up, forgot its configuration   */
};

struct simplug_status {
    enum simplug_led led;
    bool session; /* CONNACK 0 received on this connection                        */
    bool bound;   /* Bind is done with on this connection                         */
    bool clock;   /* knows the time                                               */
    bool config;  /* ConsumptionConfig was answered on this connection            */
    bool zone;    /* System.Time gave it a zone and rules: meters read            */
    bool dead;    /* simplug_die() or the option silent_after_ms                     */
    bool relay[SIMPLUG_MAX_CHANNELS];
    unsigned connects;      /* transports opened                                      */
    unsigned sessions;      /* CONNACK 0 received                                     */
    unsigned binds;         /* Bind messages sent                                     */
    unsigned clocks;        /* Clock messages sent                                    */
    unsigned requests;      /* GET and SET obeyed                                     */
    unsigned repeats;       /* messages dropped because their messageId was known     */
    unsigned bad_signs;     /* messages whose sign did not fit the key                */
    unsigned reboots;       /* by malformed input or simplug_power_cycle()               */
    unsigned times;         /* System.Time SETs accepted                              */
    unsigned refused;       /* CONNACK with another code than 0                       */
    unsigned http_requests; /* understood by its HTTP server                      */
    unsigned answered;      /* alarms and the like that were answered                 */
    uint64_t bound_ms;      /* from the transport's opening to bound, last time       */
};

/* A change worth a line: "connected" "session" "refused" "bound" "led" "relay" "clock" "time"
 * "reboot" "pairing" "disconnect" "closed" "ignored" "violation"; `detail` may be "". */
typedef void (*simplug_event_cb)(void *ctx, const char *what, const char *detail);

/* Plugs it in at `now`.  options  copied; result given: simplug_free().
 * Errors: MD_NOMEM; MD_INVAL when uuid or mac are empty or `channels` is 0 or too large. */
MD_MUST_USE int simplug_new(const struct simplug_options *options, uint64_t now,
                            struct simplug **out);
void simplug_free(struct simplug *p); /* NULL is fine */

void simplug_watch(struct simplug *p, simplug_event_cb cb,
                   void *ctx); /* ctx kept until simplug_free() */

bool simplug_wants_connect(const struct simplug *p, uint64_t now);
void simplug_connected(struct simplug *p, uint64_t now);      /* TCP and TLS are up               */
void simplug_connect_failed(struct simplug *p, uint64_t now); /* nobody there: it tries again     */
/* Where it wants to connect to now, after a Config.Key; false: to where the driver knows.
 * host  lent until the next call. */
bool simplug_destination(const struct simplug *p, const char **host, unsigned *port);
void simplug_feed(struct simplug *p, struct span bytes, uint64_t now);
struct span
simplug_output(const struct simplug *p); /* lent until the next call; option `fragment` cuts */
void simplug_sent(struct simplug *p,
                  size_t n); /* n <= simplug_output().n                             */
bool simplug_wants_close(
    const struct simplug *p); /* what had to be said is said                      */
void simplug_closed(struct simplug *p,
                    uint64_t now); /* by whomever                                     */

/* Does what is due; returns when the next thing is, SIMPLUG_NEVER for nothing.  Call it after
 * simplug_feed() as well: answers take the option answer_delay_ms. */
uint64_t simplug_tick(struct simplug *p, uint64_t now);

void simplug_button(struct simplug *p, unsigned channel, uint64_t now);
/* Tells ElectricityX of all channels, as it does by itself with the option meter_push_s. */
void simplug_say_meters(struct simplug *p, uint64_t now);
/* The world changes an entry of a namespace of its model's file, and the device tells it:
 * simplug_sense(p, "Appliance.GarageDoor.State", "{\"channel\":1,\"open\":1}", now).
 * Errors: MD_NOENT no such namespace or entry, MD_NOMEM. */
MD_MUST_USE int simplug_sense(struct simplug *p, const char *ns, const char *json, uint64_t now);
/* Appends what a namespace of its model's file holds now: its entries, with commas between.
 * Errors: MD_NOENT no such namespace, MD_NOMEM. */
MD_MUST_USE int simplug_holds(const struct simplug *p, const char *ns, struct buf *out);
/* Tells something again and again until it is answered: by a PUSH of the same namespace when it
 * has needReply in it, else by SETACK. */
void simplug_alarm(struct simplug *p, const char *ns, const char *payload, uint64_t now);
/* What hangs on a channel, in milliwatts while it is on; negative: it feeds the mains. */
void simplug_set_load(struct simplug *p, unsigned channel, int64_t milliwatts, uint64_t now);
/* Its counter of today begins again at 0. */
void simplug_clear_counter(struct simplug *p, uint64_t now);
/* What really flowed on a channel since its zone was set, in Wh, whatever the device tells. */
int64_t simplug_true_wh(struct simplug *p, unsigned channel, uint64_t now);
void simplug_die(struct simplug *p); /* neither talks nor closes from now on      */
void simplug_power_cycle(struct simplug *p,
                         uint64_t now); /* also revives a dead one                   */
/* When the simulation's wall clock is stepped: true milliseconds since 1970 = now + offset. */
void simplug_set_wall(struct simplug *p, int64_t wall_offset_ms);

const struct simplug_status *
simplug_status(const struct simplug *p); /* lent                          */
const struct simplug_options *
simplug_options_of(const struct simplug *p);        /* lent                       */
size_t simplug_violations(const struct simplug *p); /* how many since simplug_new()     */
const char *simplug_violation(const struct simplug *p,
                              size_t i);            /* lent; "" past the kept ones   */
const char *simplug_led_name(enum simplug_led led); /* "solid_green"; lent, static   */

#endif
