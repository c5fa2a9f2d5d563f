/* fake_broker.h - the half of broker.h that meross/ calls, as a recorder; for the test programs of
 * this folder.  It defines broker_publish() and its like, so the linker does not take the real
 * ones; each program includes it once.
 *
 *   what was published   rig_next(), in order
 *   time                 rig_step(): fires due timers
 *   a client             rig_connect(), rig_say(), rig_drop(): the calls the broker would make */
#ifndef TESTS_UNIT_MEROSS_FAKE_BROKER_H
#define TESTS_UNIT_MEROSS_FAKE_BROKER_H

#include "tests/unit/cmocka.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/broker.h"
#include "meross/wire/envelope.h"
#include "meross/meross.h"
#include "meross/wire/topics.h"
#include "tests/fake/fake_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RIG_PUBS   16384
#define RIG_TIMERS 8192
#define RIG_SUBS   2048
#define RIG_UUID   "2101011234567890123448e1e9123456"
#define RIG_MAC    "48:e1:e9:12:34:56"
#define RIG_TO     "/appliance/" RIG_UUID "/subscribe"
#define RIG_FROM   "/appliance/" RIG_UUID "/publish"

struct rig_pub {
    char *topic, *payload;
    unsigned qos;
    bool retain;
};

struct broker_timer {
    uint64_t at;
    void (*cb)(void *ctx);
    void *ctx;
    bool live;
};

struct broker_sub {
    char filter[256];
    broker_message_cb cb;
    void *ctx;
    bool live;
};

struct broker {
    int unused;
};

struct rig {
    struct fake_env env;
    struct broker broker;
    struct store *store;
    struct meross *m;
    struct broker_hooks hooks;
    struct rig_pub pub[RIG_PUBS];
    size_t n, read; /* published; looked at */
    struct broker_timer *timer[RIG_TIMERS];
    size_t n_timers;
    struct broker_sub *sub[RIG_SUBS];
    size_t n_subs;
    char ended[64][80]; /* client ids given to broker_disconnect() */
    size_t n_ended;
    char log[1 << 20]; /* every line */
    size_t log_n;
    bool no_timers; /* broker_timer_start() fails */
    const char
        *closed_topic; /* where broker_may() lets no client publish; NULL: as the hooks say */
};

static struct rig *rig; /* of the running test */

struct rig_client {
    struct broker_client c;
    struct broker_arrival arrival;
    char id[80], user[32], password[80];
    char topic[96]; /* where it publishes */
};

int broker_publish(struct broker *b, const struct broker_message *m)
{
    (void)b;
    assert_true(rig->n < RIG_PUBS);
    struct rig_pub *p = &rig->pub[rig->n++];
    p->topic = strndup((const char *)m->topic.p, m->topic.n);
    p->payload = m->payload.n ? strndup((const char *)m->payload.p, m->payload.n) : strdup("");
    p->qos = m->qos;
    p->retain = m->retain;
    return MD_OK;
}

int broker_subscribe(struct broker *b, struct span filter, broker_message_cb cb, void *ctx,
                     struct broker_sub **out)
{
    (void)b;
    assert_true(rig->n_subs < RIG_SUBS);
    struct broker_sub *s = calloc(1, sizeof *s);
    assert_true(span_to_str(filter, s->filter, sizeof s->filter));
    s->cb = cb;
    s->ctx = ctx;
    s->live = true;
    rig->sub[rig->n_subs++] = s;
    *out = s;
    return MD_OK;
}

void broker_unsubscribe(struct broker_sub *s)
{
    if (s != NULL)
        s->live = false;
}

int broker_timer_start(struct broker *b, uint64_t delay_ms, void (*cb)(void *ctx), void *ctx,
                       struct broker_timer **out)
{
    (void)b;
    if (rig->no_timers)
        return MD_NOMEM;
    assert_true(rig->n_timers < RIG_TIMERS);
    struct broker_timer *t = calloc(1, sizeof *t);
    *t = (struct broker_timer){rig->env.mono_ms + delay_ms, cb, ctx, true};
    rig->timer[rig->n_timers++] = t;
    *out = t;
    return MD_OK;
}

void broker_timer_stop(struct broker_timer *t)
{
    if (t == NULL)
        return;
    assert_true(t->live); /* never after it fired */
    t->live = false;
}

void broker_stats(const struct broker *b, struct broker_stats *out)
{
    (void)b;
    *out = (struct broker_stats){.connections = 2, .messages_in = 7};
}

bool broker_may(struct broker *b, const struct broker_client *who, enum broker_action what,
                struct span topic)
{
    (void)b;
    return (rig->closed_topic == NULL || !span_is(topic, rig->closed_topic)) &&
           rig->hooks.may(rig->hooks.ctx, who, what, topic);
}

bool broker_disconnect(struct broker *b, struct span client_id, const char *why)
{
    (void)b;
    (void)why;
    assert_true(rig->n_ended < 64);
    assert_true(span_to_str(client_id, rig->ended[rig->n_ended++], 80));
    return true;
}

static inline struct broker_timer *rig_earliest(uint64_t until)
{
    struct broker_timer *first = NULL;
    for (size_t i = 0; i < rig->n_timers; i++) {
        struct broker_timer *t = rig->timer[i];
        if (t->live && t->at <= until && (first == NULL || t->at < first->at))
            first = t;
    }
    return first;
}

static inline unsigned rig_live_timers(void)
{
    unsigned n = 0;
    for (size_t i = 0; i < rig->n_timers; i++)
        n += rig->timer[i]->live;
    return n;
}

/* Time passes; timers fire in order, each at its moment. */
static inline void rig_step(uint64_t ms)
{
    uint64_t until = rig->env.mono_ms + ms;
    struct broker_timer *t;
    while ((t = rig_earliest(until)) != NULL) {
        if (t->at > rig->env.mono_ms)
            fake_env_step(&rig->env, t->at - rig->env.mono_ms);
        t->live = false;
        t->cb(t->ctx);
    }
    fake_env_step(&rig->env, until - rig->env.mono_ms);
}

static inline void rig_log(void *ctx, enum log_level lv, const char *module, const char *line)
{
    (void)ctx;
    size_t left = sizeof rig->log - rig->log_n;
    int n = snprintf(rig->log + rig->log_n, left, "%s %s %s\n", log_level_name(lv), module, line);
    if (n > 0 && (size_t)n < left)
        rig->log_n += (size_t)n;
}

static inline unsigned rig_logged(const char *part)
{
    unsigned n = 0;
    for (const char *at = rig->log; (at = strstr(at, part)) != NULL; at++)
        n++;
    return n;
}

/* The next message published, or NULL. */
static inline const struct rig_pub *rig_next(void)
{
    return rig->read < rig->n ? &rig->pub[rig->read++] : NULL;
}

static inline void rig_skip(void) { rig->read = rig->n; }

/* The next one on this topic, passing over others; NULL when there is none. */
static inline const struct rig_pub *rig_find(const char *topic)
{
    const struct rig_pub *p;
    while ((p = rig_next()) != NULL && strcmp(p->topic, topic) != 0)
        continue;
    return p;
}

/* The last one on this topic since the beginning; NULL when there is none. */
static inline const struct rig_pub *rig_last(const char *topic)
{
    for (size_t i = rig->n; i-- > 0;)
        if (strcmp(rig->pub[i].topic, topic) == 0)
            return &rig->pub[i];
    return NULL;
}

static inline unsigned rig_count(const char *topic)
{
    unsigned n = 0;
    for (size_t i = 0; i < rig->n; i++)
        n += strcmp(rig->pub[i].topic, topic) == 0;
    return n;
}

static inline void rig_attach_auth(const char *const *keys, enum meross_auth auth)
{
    static const struct meross_listener listeners[] = {{NULL, 8883, true},
                                                       {"127.0.0.1", 1883, false}};
    struct meross_config cfg = {
        .keys = keys, .version = "1.2.3", .auth = auth, .listeners = listeners, .n_listeners = 2};
    assert_int_equal(meross_new(&rig->m, &cfg, &rig->env.env, rig->store), MD_OK);
    rig->hooks = meross_hooks(rig->m);
    assert_int_equal(meross_attach(rig->m, &rig->broker), MD_OK);
}

static inline void rig_attach(const char *const *keys) { rig_attach_auth(keys, MEROSS_AUTH_OPEN); }

static inline void rig_detach(void)
{
    meross_detach(rig->m);
    assert_int_equal(rig_live_timers(), 0);
    meross_free(rig->m);
    rig->m = NULL;
}

/* A broker, an empty store, the time 2024-06-01 12:00 UTC. */
static inline int rig_setup(void **state)
{
    (void)state;
    rig = calloc(1, sizeof *rig);
    fake_env_init(&rig->env);
    rig->env.wall_ms = 1717243200000;
    log_set_sink(rig_log, NULL);
    log_set_level(LOG_DEBUG);
    return store_mem_open(&rig->store);
}

static inline int rig_teardown(void **state)
{
    (void)state;
    if (rig->m != NULL)
        rig_detach();
    store_close(rig->store);
    for (size_t i = 0; i < rig->n; i++) {
        free(rig->pub[i].topic);
        free(rig->pub[i].payload);
    }
    for (size_t i = 0; i < rig->n_timers; i++)
        free(rig->timer[i]);
    for (size_t i = 0; i < rig->n_subs; i++)
        free(rig->sub[i]);
    free(rig);
    rig = NULL;
    log_set_sink(NULL, NULL);
    assert_int_equal(mem_used(), 0);
    return 0;
}

/* A client of any kind, not connected yet. */
static inline void rig_client(struct rig_client *c, const char *id, const char *user,
                              const char *password)
{
    memset(c, 0, sizeof *c);
    (void)snprintf(c->id, sizeof c->id, "%s", id);
    (void)snprintf(c->user, sizeof c->user, "%s", user ? user : "");
    (void)snprintf(c->password, sizeof c->password, "%s", password ? password : "");
    c->c = (struct broker_client){
        .client_id = span_str(c->id), .peer = "192.0.2.7:51234", .tls = true, .level = 3};
    if (user != NULL)
        c->c.username = span_str(c->user);
    if (password != NULL)
        c->arrival.password = span_str(c->password);
    c->c.arrival = &c->arrival;
}

static inline void rig_plug(struct rig_client *c, const char *uuid, const char *mac,
                            const char *tail)
{
    char id[80];
    (void)snprintf(id, sizeof id, "fmware:%s%s", uuid, tail);
    rig_client(c, id, mac, "0_ab3ffddc9a9b94dab1487702ddd054d2"); /* of RIG_MAC and "" */
    (void)snprintf(c->topic, sizeof c->topic, "/appliance/%s/publish", uuid);
}

static inline enum broker_verdict rig_connect(struct rig_client *c)
{
    enum broker_verdict v = rig->hooks.on_connect(rig->hooks.ctx, &c->c, NULL);
    c->arrival.password = span_of(NULL, 0);
    if (v == BROKER_ALLOW)
        rig->hooks.on_connected(rig->hooks.ctx, &c->c);
    return v;
}

static inline bool rig_may(struct rig_client *c, enum broker_action what, const char *topic)
{
    return rig->hooks.may(rig->hooks.ctx, &c->c, what, span_str(topic));
}

static inline void rig_listen(struct rig_client *c, const char *filter)
{
    assert_true(rig_may(c, BROKER_SUBSCRIBE, filter));
    rig->hooks.on_subscribe(rig->hooks.ctx, &c->c, span_str(filter));
}

static inline bool rig_publish(struct rig_client *c, const char *topic, const char *payload,
                               bool retain)
{
    struct broker_message m = {span_str(topic), span_str(payload), 1, retain};
    return rig_may(c, BROKER_PUBLISH, topic) && rig->hooks.on_publish(rig->hooks.ctx, &c->c, &m);
}

static inline void rig_drop(struct rig_client *c, const char *why)
{
    rig->hooks.on_disconnect(rig->hooks.ctx, &c->c, why);
    c->c.tag = NULL;
}

/* A plug says something, signed with `key`. */
static inline void rig_say(struct rig_client *c, const char *topic, const char *method,
                           const char *ns, const char *id, const char *key, const char *payload)
{
    static char text[70000];
    char sign[SIGN_HEX];
    sign_message(sign, span_str(id), key, span_str("1700000000"));
    int n = snprintf(text, sizeof text,
                     "{\"header\":{\"messageId\":\"%s\",\"namespace\":\"%s\",\"method\":\"%s\","
                     "\"payloadVersion\":1,\"from\":\"%s\",\"uuid\":\"" RIG_UUID "\","
                     "\"timestamp\":1700000000,\"timestampMs\":338,\"sign\":\"%s\"},"
                     "\"payload\":%s}",
                     id, ns, method, c->topic, sign, payload);
    assert_true(n > 0 && (size_t)n < sizeof text);
    assert_true(rig_publish(c, topic, text, false));
}

/* People ask something on one of our topics. */
static inline void rig_ask(const char *topic, const char *payload)
{
    struct broker_message m = {span_str(topic), span_str(payload), 0, false};
    struct rig_client c;
    rig_client(&c, "cli", NULL, NULL);
    assert_true(rig_publish(&c, topic, payload, false));
    bool taken = false;
    for (size_t i = 0; i < rig->n_subs; i++) { /* every one that matches, as the broker does */
        /* Every filter of ours ends in what the topic ends in, and has as many levels. */
        const char *f = rig->sub[i]->filter, *t = topic;
        bool match = rig->sub[i]->live;
        while (match && (*f != '\0' || *t != '\0')) {
            if (*f == '+') {
                f++;
                t += strcspn(t, "/");
            } else {
                match = *f == *t;
                f += *f != '\0';
                t += *t != '\0';
            }
        }
        if (match) {
            rig->sub[i]->cb(rig->sub[i]->ctx, &m);
            taken = true;
        }
    }
    assert_true(taken);
}

/* A request that went to a plug, with what is needed to answer it. */
struct rig_request {
    char ns[96], method[16], id[65], from[256], sign[33], timestamp[24];
    char payload[2048];
};

static inline bool rig_request_to(const char *to, struct rig_request *r)
{
    struct envelope e;
    const struct rig_pub *p = rig_find(to);
    if (p == NULL)
        return false;
    assert_false(p->retain);
    assert_int_equal(envelope_parse(&e, span_str(p->payload)), MD_OK);
    (void)snprintf(r->ns, sizeof r->ns, "%s", e.ns);
    (void)snprintf(r->method, sizeof r->method, "%s", envelope_method_name(e.method));
    (void)snprintf(r->id, sizeof r->id, "%s", e.message_id);
    (void)snprintf(r->from, sizeof r->from, "%s", e.from);
    (void)snprintf(r->sign, sizeof r->sign, "%s", e.sign);
    (void)snprintf(r->timestamp, sizeof r->timestamp, "%s", e.timestamp);
    assert_true(span_to_str(json_raw(e.payload), r->payload, sizeof r->payload));
    envelope_free(&e);
    return true;
}

/* The next message to the plug must be this; it is answered with `payload` unless NULL. */
static inline void rig_expect(struct rig_client *c, const char *method, const char *ns,
                              const char *key, const char *reply)
{
    struct rig_request r;
    char to[96], want[SIGN_HEX];
    (void)snprintf(to, sizeof to, "%.*s/subscribe", (int)(strlen(c->topic) - strlen("/publish")),
                   c->topic);
    assert_true(rig_request_to(to, &r));
    assert_string_equal(r.ns, ns);
    assert_string_equal(r.method, method);
    sign_message(want, span_str(r.id), key, span_str(r.timestamp));
    assert_string_equal(r.sign, want);
    if (reply == NULL)
        return;
    char ack[16];
    (void)snprintf(ack, sizeof ack, "%sACK", method);
    rig_say(c, r.from, ack, ns, r.id, key, reply);
}

#define RIG_BIND_OF(type, firmware)                                                                \
    "{\"bind\":{\"bindTime\":1700000000,\"time\":{\"timestamp\":1700000000,\"timezone\":\"\","     \
    "\"timeRule\":[]},\"hardware\":{\"type\":\"" type "\",\"subType\":\"eu\","                     \
    "\"version\":\"6.0.0\",\"chipType\":\"rtl8710cf\",\"uuid\":\"" RIG_UUID                        \
    "\",\"macAddress\":\"" RIG_MAC "\"},\"firmware\":{\"version\":\"" firmware                     \
    "\",\"innerIp\":\"192.168.1.50\",\"server\":\"192.168.1.10\",\"port\":8883,\"userId\":0}}}"
#define RIG_BIND RIG_BIND_OF("mss310", "6.3.21")
#define RIG_ABILITY                                                                                \
    "{\"payloadVersion\":1,\"ability\":{\"Appliance.System.All\":{},\"Appliance.System.Time\":"    \
    "{},\"Appliance.Control.ToggleX\":{},\"Appliance.Control.Multiple\":{\"maxCmdNum\":5}}}"
#define RIG_ALL_OF(time, togglex)                                                                  \
    "{\"all\":{\"system\":{\"hardware\":{\"type\":\"mss310\",\"version\":\"6.0.0\"},"              \
    "\"firmware\":{\"version\":\"6.3.21\"},\"time\":" time ",\"online\":{\"status\":1}},"          \
    "\"digest\":{\"togglex\":" togglex "}}}"
#define RIG_ALL                                                                                    \
    RIG_ALL_OF("{\"timestamp\":1717243200,\"timezone\":\"\",\"timeRule\":[]}",                     \
               "[{\"channel\":0,\"onoff\":1,\"lmTime\":1699990000}]")

/* The standard plug: connected, bound, set up with the key ""; no zone is known. */
static inline void rig_ready(struct rig_client *c)
{
    rig_plug(c, RIG_UUID, RIG_MAC, "_AbCdEfGhIjKlMnOp");
    assert_int_equal(rig_connect(c), BROKER_ALLOW);
    rig_listen(c, RIG_TO);
    rig_say(c, RIG_FROM, "SET", "Appliance.Control.Bind", "b1", "", RIG_BIND);
    rig_expect(c, "SETACK", "Appliance.Control.Bind", "", NULL);
    rig_expect(c, "GET", "Appliance.System.Ability", "", RIG_ABILITY);
    rig_expect(c, "GET", "Appliance.System.All", "", RIG_ALL);
    rig_step(1000);
    rig_skip();
}

#endif
