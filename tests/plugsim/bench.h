/* bench.h - holds one simulated plug on the bench: a broker scripted by hand, without our
 * broker, for the tests of the model itself.
 *
 * It accepts the connection, acknowledges packets, and answers what the test tells it to answer;
 * it keeps what the plug said, with the moment. */
#ifndef TESTS_PLUGSIM_BENCH_H
#define TESTS_PLUGSIM_BENCH_H

#include "broker/base/buf.h"
#include "broker/codec/mqtt.h"
#include "tests/plugsim/simplug.h"
#include "tests/plugsim/sim_json.h"

#define BENCH_MESSAGES 256
#define BENCH_START_MS 1000000u
#define BENCH_WALL_S   1700000000

struct bench_message {
    uint64_t at; /* milliseconds since the start */
    bool dup, retain;
    enum mqtt_qos qos;
    uint16_t packet_id;
    char topic[128], id[33], ns[64], method[12];
    char *payload; /* the whole envelope, NUL-terminated; owned */
    size_t n;
};

struct bench {
    struct simplug *plug;
    struct simplug_options opt;
    uint64_t now;
    struct buf in; /* from the plug, not decoded yet */

    /* What the test wants; set any time. */
    bool ack_bind, answer_clock, answer_config, no_connack, no_puback, no_pong;
    bool drip;                 /* feeds the plug byte by byte */
    enum mqtt_connack connack; /* MQTT_ACCEPTED unless told otherwise */
    const char *key;           /* the broker's */

    /* What was seen. */
    bool open;
    enum mqtt_level level;
    bool clean_session, will;
    uint16_t keep_alive_s, first_id; /* the latter: of the last connection's SUBSCRIBE */
    char client_id[128], username[64], password[64], filter[128];
    enum mqtt_qos filter_qos;
    unsigned connects, disconnects, closes, pings, pubacks,
        broken; /* broken: undecodable packets */
    uint64_t connect_at, disconnect_at, ping_at,
        longest_piece; /* the first three since the start */
    struct bench_message said[BENCH_MESSAGES];
    size_t n_said;
    unsigned serial;
    char last_id[33]; /* messageId of the last bench_ask() */

    struct sim_json json;
};

/* options  copied, with the bench's wall clock put in; result given.  Errors: as simplug_new(). */
MD_MUST_USE int bench_new(const struct simplug_options *options, struct bench **out);
void bench_free(struct bench *b); /* NULL is fine */

void bench_run(struct bench *b, uint64_t ms); /* lets time pass; 0: only what is due now */
uint64_t bench_time(const struct bench *b);   /* milliseconds since the start */
void bench_cut(struct bench *b);              /* the connection breaks */

void bench_feed(struct bench *b, struct span bytes);                     /* raw bytes to the plug */
void bench_publish(struct bench *b, struct span payload, uint8_t flags); /* flags: first byte's low
                                                                            nibble */
/* A signed message to the plug; from "/app/0-test/subscribe"; id NULL: a new one. */
void bench_ask(struct bench *b, const char *method, const char *ns, const char *id,
               const char *payload);
/* The same with any timestamp and sign; sign NULL: computed with b->key. */
void bench_say(struct bench *b, const char *method, const char *ns, const char *id, int64_t stamp,
               const char *sign, const char *payload);

/* The nth message (0 = first) of that namespace and method since the start; NULL: none. */
const struct bench_message *bench_find(const struct bench *b, const char *ns, const char *method,
                                       size_t nth);
size_t bench_count(const struct bench *b, const char *ns, const char *method);
/* The answer to the last bench_ask(); NULL: none. */
const struct bench_message *bench_answer(const struct bench *b);
/* Forgets what was said so far. */
void bench_forget(struct bench *b);

void bench_sign(const char *id, const char *key, const char *stamp, char out[33]);

#endif
