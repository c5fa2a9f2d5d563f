/* simplug_int.h - the inside of the simulated plug.  Only tests/plugsim/simplug_*.c includes it.
 *
 *   simplug.c       its life: boot, connect, time-outs, reboot, pairing
 *   simplug_tick.c  what it does when its time has come
 *   simplug_wire.c  MQTT packets in and out
 *   simplug_say.c   the messages it sends by itself
 *   simplug_hear.c  envelope, sign, replay and who may say what
 *   simplug_do.c    the namespaces it answers
 *   simplug_state.c the JSON that describes it
 *   simplug_time.c  System.Time and calendar days */
#ifndef TESTS_PLUGSIM_SIMPLUG_INT_H
#define TESTS_PLUGSIM_SIMPLUG_INT_H

#include "broker/base/buf.h"
#include "broker/codec/mqtt.h"
#include "tests/plugsim/simplug.h"
#include "tests/plugsim/family/sim_alarm.h"
#include "tests/plugsim/family/sim_meter.h"
#include "tests/plugsim/family/sim_model.h"
#include "tests/plugsim/family/sim_space.h"
#include "tests/plugsim/family/sim_timers.h"
#include "tests/plugsim/lan/sim_setup.h"
#include "tests/plugsim/sim_json.h"

#define SIMPLUG_IN_MAX          65536
#define SIMPLUG_OUT_MAX         262144
#define SIMPLUG_JSON_MAX        16384
#define SIMPLUG_KEPT_VIOLATIONS 64
#define SIMPLUG_INFLIGHT        32
#define SIMPLUG_SEEN            64 /* size of its memory of messageIds; the real one is unknown */
#define SIMPLUG_AWAITED         16
#define SIMPLUG_QUEUE           16
#define SIMPLUG_RULES           20 /* entries of System.Time */
#define SIMPLUG_TOPIC_MAX       128

#define SIMPLUG_BIND_MS  5000u /* between two Bind messages  */
#define SIMPLUG_CLOCK_MS 2000u /* between two Clock messages */

enum simplug_link { SIMPLUG_DOWN, SIMPLUG_WAIT_CONNACK, SIMPLUG_UP, SIMPLUG_CLOSING };

struct simplug_inflight { /* a QoS 1 PUBLISH of ours; packet_id 0: free */
    uint16_t packet_id;
    unsigned acks; /* still to come */
    uint64_t by;   /* SIMPLUG_NEVER once its lateness was told */
};

enum simplug_wish { SIMPLUG_WISH_NONE, SIMPLUG_WISH_BIND, SIMPLUG_WISH_CLOCK, SIMPLUG_WISH_CONFIG };

struct simplug_awaited { /* a message of ours that wants an answer */
    char id[33];
    enum simplug_wish wish;
    uint64_t sent_at;
};

struct simplug_request {
    uint8_t *json; /* owned */
    size_t n;
    uint64_t due;
};

struct simplug_envelope {
    char id[33], ns[64], method[12], from[SIMPLUG_TOPIC_MAX], sign[33];
    struct span stamp; /* the digits as they came */
    int64_t timestamp;
    bool uuid, stamp_is_string;
    int payload; /* token */
};

struct simplug_relay {
    int64_t changed_s; /* lmTime: seconds since 1970, 0 = never */
};

struct simplug {
    struct simplug_options opt;
    struct simplug_status st;
    simplug_event_cb on_event;
    void *on_event_ctx;

    enum simplug_link link;
    bool abrupt, pairing, broken; /* broken: out of memory, the connection is given up */
    bool bound_before;            /* since the boot */
    struct buf in, out, work, message;
    struct sim_json json;
    uint64_t rng;
    char tail[17];

    uint16_t packet_id, subscribe_id; /* the latter: waiting for its SUBACK */
    struct simplug_inflight inflight[SIMPLUG_INFLIGHT];
    char seen[SIMPLUG_SEEN][33];
    size_t seen_at;
    struct simplug_awaited awaited[SIMPLUG_AWAITED];
    size_t awaited_at;
    struct simplug_request queue[SIMPLUG_QUEUE]; /* oldest first */
    size_t queued;

    uint64_t boot_at, connect_at, connected_at, sent_at;
    uint64_t connack_by, bind_at, hangup_at, clock_at, pong_by, give_up_at, die_at;
    unsigned binds_left;
    char bind_id[33];
    int64_t bind_time_s;

    int64_t clock_offset_ms; /* the device's milliseconds since 1970 = now + this */
    int64_t rules[SIMPLUG_RULES][3];
    size_t n_rules;
    bool led_off; /* DNDMode */
    struct simplug_relay relay[SIMPLUG_MAX_CHANNELS];
    unsigned changed; /* channels, by the request that is being obeyed */

    struct sim_model model;
    struct sim_spaces space;
    struct sim_meter meter;
    uint64_t meter_push_at; /* option meter_push_s; SIMPLUG_NEVER: not */
    struct sim_timers timers;
    struct sim_alarm alarm[SIM_ALARMS];

    struct sim_setup setup;
    uint64_t requested_at; /* of this connection; 0: not yet */
    unsigned http_open;    /* connections to its HTTP server */

    char *violation[SIMPLUG_KEPT_VIOLATIONS];
    size_t n_violations;
};

/* simplug.c */
void simplug_event(struct simplug *p, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void simplug_violate(struct simplug *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void simplug_led(struct simplug *p, enum simplug_led led);
void simplug_session(struct simplug *p, uint64_t now); /* CONNACK 0 came             */
bool simplug_listens(const struct simplug *p);         /* commands are obeyed, changes are told */
void simplug_bound(struct simplug *p, uint64_t now);   /* Bind is done with          */
void simplug_review(struct simplug *p, uint64_t now);  /* an answer came: satisfied? */
void simplug_lose(struct simplug *p, const char *why,
                  uint64_t now); /* closes without DISCONNECT  */
void simplug_malformed(struct simplug *p, const char *why,
                       uint64_t now);                  /* clicks and reboots    */
void simplug_give_up(struct simplug *p, uint64_t now); /* pairing mode               */
/* Says DISCONNECT if it can, and connects again at `back_at`. */
void simplug_hang_up(struct simplug *p, const char *why, uint64_t back_at, uint64_t now);
void simplug_hex(struct simplug *p, char out[33]); /* a new messageId            */
int64_t simplug_device_ms(const struct simplug *p, uint64_t now);
int64_t simplug_true_ms(const struct simplug *p, uint64_t now);

/* simplug_wire.c */
void simplug_wire_connect(struct simplug *p, uint64_t now);
void simplug_wire_subscribe(struct simplug *p, uint64_t now);
void simplug_wire_publish(struct simplug *p, const char *topic, struct span payload, uint64_t now);
void simplug_wire_ping(struct simplug *p, uint64_t now);
void simplug_wire_disconnect(struct simplug *p, uint64_t now);
void simplug_wire_read(struct simplug *p, uint64_t now); /* everything whole in p->in */
void simplug_wire_late(struct simplug *p, uint64_t now); /* PUBACKs that did not come */
uint64_t simplug_wire_due(const struct simplug *p);
void simplug_wire_reset(struct simplug *p);

/* simplug_say.c */
void simplug_sign(const struct simplug *p, const char *id, struct span stamp, char out[33]);
void simplug_md5_hex(const char *const *parts, char out[33]); /* NULL-ended */
/* {"header":{...},"payload":...} appended to `out`; the payload is the bytes given. */
MD_MUST_USE int simplug_envelope_put(struct simplug *p, struct buf *out,
                                     const struct simplug_envelope *e, struct span payload,
                                     uint64_t now);
void simplug_say(struct simplug *p, const char *topic, const struct simplug_envelope *e,
                 struct span payload, uint64_t now);
void simplug_say_report(struct simplug *p, uint64_t now);
void simplug_say_bind(struct simplug *p, uint64_t now);
void simplug_say_clock(struct simplug *p, uint64_t now);
void simplug_say_config(struct simplug *p, uint64_t now);
/* A PUSH of its own with a new messageId; and any message with a given one. */
void simplug_say_push(struct simplug *p, const char *ns, struct span payload, uint64_t now);
void simplug_say_own(struct simplug *p, const char *ns, const char *method, const char *id,
                     struct span payload, uint64_t now);
/* The channels whose bit is set, after a change. */
void simplug_say_relays(struct simplug *p, unsigned channels, uint64_t now);

/* simplug_hear.c */
void simplug_hear(struct simplug *p, const struct mqtt_publish *m, uint64_t now);
MD_MUST_USE int simplug_envelope_read(struct simplug *p, struct simplug_envelope *e,
                                      const char **wrong);
void simplug_hear_reset(struct simplug *p);
/* A request over HTTP; the whole answer is appended.  MD_CLOSED: it closes without a word. */
MD_MUST_USE int simplug_hear_lan(struct simplug *p, const struct simplug_envelope *e,
                                 struct buf *out, uint64_t now);

/* simplug_do.c */
void simplug_do(struct simplug *p, const struct simplug_envelope *e, uint64_t now);
MD_MUST_USE int simplug_do_lan(struct simplug *p, const struct simplug_envelope *e, struct buf *out,
                               uint64_t now);
bool simplug_can(const struct simplug *p, const char *ns, const char *method);
bool simplug_has(const struct simplug *p, const char *ns); /* in its System.Ability */
bool simplug_switch(struct simplug *p, unsigned channel, bool on, const char *by, uint64_t now,
                    unsigned *changed); /* false: no such channel; changed gains bits */

/* simplug_state.c: each appends one JSON value. */
MD_MUST_USE int simplug_state_hardware(const struct simplug *p, struct buf *out);
MD_MUST_USE int simplug_state_firmware(const struct simplug *p, struct buf *out, bool bind);
MD_MUST_USE int simplug_state_time(const struct simplug *p, struct buf *out, uint64_t now);
MD_MUST_USE int simplug_state_all(const struct simplug *p, struct buf *out, uint64_t now);
MD_MUST_USE int simplug_state_relay(const struct simplug *p, struct buf *out, unsigned channel);
MD_MUST_USE int simplug_state_relays(const struct simplug *p, struct buf *out, unsigned channels);
MD_MUST_USE int simplug_state_debug(const struct simplug *p, struct buf *out, uint64_t now);

/* simplug_time.c */
/* Checks and takes the value of "time" at token t; MD_INVAL (and a violation) when a plug could
 * not live with it. */
MD_MUST_USE int simplug_time_set(struct simplug *p, int t, uint64_t now);
int64_t simplug_time_offset(const struct simplug *p, int64_t utc_s); /* local minus UTC */
void simplug_time_date(const struct simplug *p, int64_t utc_s,
                       char out[11]); /* local "2024-04-03" */

#endif
