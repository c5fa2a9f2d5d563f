/* bench.h - a broker with a stepped clock, and the short words of the tests of broker/core. */
#ifndef TESTS_UNIT_CORE_BENCH_H
#define TESTS_UNIT_CORE_BENCH_H

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "tests/fake/fake_env.h"
#include "tests/fake/fake_wire.h"
#include "tests/unit/cmocka.h"

struct bench {
    struct fake_env fake;
    struct broker *broker;
    struct broker_limits limits;
    struct store *store; /* NULL: nothing is kept */
};

static inline void setup_with(struct bench *b, const struct broker_hooks *hooks)
{
    fake_env_init(&b->fake);
    b->store = NULL;
    assert_int_equal(broker_new(&b->broker, &b->limits, hooks, &b->fake.env), MD_OK);
}

static inline void setup(struct bench *b)
{
    broker_limits_default(&b->limits);
    setup_with(b, NULL);
}

static inline void start_stored(struct bench *b)
{
    broker_limits_default(&b->limits);
    assert_int_equal(broker_new(&b->broker, &b->limits, NULL, &b->fake.env), MD_OK);
    assert_int_equal(broker_restore(b->broker, b->store), MD_OK);
}

static inline void setup_stored(struct bench *b)
{
    fake_env_init(&b->fake);
    assert_int_equal(store_mem_open(&b->store), MD_OK);
    start_stored(b);
}

/* Memory is gone, the store is not. */
static inline void restart(struct bench *b)
{
    broker_free(b->broker);
    start_stored(b);
}

static inline void finish(struct bench *b)
{
    broker_free(b->broker);
    store_close(b->store);
    assert_int_equal(mem_used(), 0);
}

/* The next packet must be of this type. */
static inline struct mqtt_packet expect(struct wire *w, enum mqtt_type type)
{
    struct mqtt_packet p = {0};
    assert_true(wire_next(w, &p));
    assert_int_equal(p.type, type);
    return p;
}

static inline void expect_nothing(struct wire *w)
{
    struct mqtt_packet p;
    assert_false(wire_next(w, &p));
}

static inline void connected(struct wire *w, struct bench *b, const char *id, bool clean)
{
    wire_open(w, b->broker, 0);
    wire_connect(w, id, clean, MQTT_3_1_1);
    assert_int_equal(expect(w, MQTT_CONNACK).u.connack.code, MQTT_ACCEPTED);
}

static inline void step(struct bench *b, uint64_t ms)
{
    fake_env_step(&b->fake, ms);
    (void)broker_turn(b->broker);
}

/* For log_set_sink(). */
static inline void quiet(void *ctx, enum log_level lv, const char *module, const char *line)
{
    (void)ctx;
    (void)lv;
    (void)module;
    assert_true(strlen(line) > 0);
}

#endif
