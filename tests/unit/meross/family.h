/* family.h - what the tests of the families of devices have in common: a device with abilities, a
 * message into it, its state. */
#ifndef TESTS_UNIT_MEROSS_FAMILY_H
#define TESTS_UNIT_MEROSS_FAMILY_H

#include "tests/unit/cmocka.h"

#include "broker/base/mem.h"
#include "meross/family/family.h"

#include <stdio.h>
#include <string.h>

static struct device dev;
static char state_text[DEVICE_STATE_MAX];
static char why[FAMILY_WHY_MAX];

/* abilities  the members of the object: "\"Appliance.Control.Light\":{\"capacity\":6}". */
static inline void device_is(const char *type, const char *firmware, const char *abilities)
{
    char text[2048];
    struct json j;
    device_clear(&dev);
    dev = (struct device){.uuid = "2101011234567890123448e1e9123456"};
    (void)snprintf(dev.type, sizeof dev.type, "%s", type);
    (void)snprintf(dev.firmware, sizeof dev.firmware, "%s", firmware);
    (void)snprintf(text, sizeof text, "{%s}", abilities);
    assert_int_equal(json_parse(&j, span_str(text)), MD_OK);
    assert_int_equal(device_set_abilities(&dev, json_root(&j)), MD_OK);
    json_free(&j);
}

static inline void hears(const char *ns, const char *payload)
{
    struct json j;
    assert_int_equal(json_parse(&j, span_str(payload)), MD_OK);
    assert_true(family_take(&dev, ns, json_root(&j)));
    json_free(&j);
}

static inline void hears_digest(const char *digest)
{
    struct json j;
    assert_int_equal(json_parse(&j, span_str(digest)), MD_OK);
    family_take_digest(&dev, json_root(&j));
    json_free(&j);
}

static inline const char *state_now(void)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, sizeof state_text - 1);
    json_write_start(&w, &b);
    device_write_state(&w, &dev);
    assert_int_equal(w.err, MD_OK);
    assert_true(span_to_str(buf_view(&b), state_text, sizeof state_text));
    buf_free(&b);
    return state_text;
}

static inline void state_is(const char *want) { assert_string_equal(state_now(), want); }

/* An order for `at` becomes these SETs ("Namespace payload", each on its own line), or is refused
 * with `want` in the reason. */
static inline int wish_at(uint32_t at, bool named, const char *wish, int on, const char *want)
{
    struct json j;
    struct facts f = {.n = 0};
    struct family_steps steps = {.n = 0};
    struct family_target target = {.at = at, .named = named};
    char got[2048] = "";
    size_t n = 0;
    assert_int_equal(json_parse(&j, span_str(wish)), MD_OK);
    facts_read(&f, FACTS_DEVICE, json_root(&j));
    int err = family_plan(&steps, &dev, &target, &f, on, why);
    for (unsigned i = 0; i < steps.n; i++)
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%s %.*s", n > 0 ? "\n" : "",
                              strrchr(steps.v[i].ns, '.') + 1,
                              SPAN_ARG(buf_view(&steps.v[i].payload)));
    if (err == MD_OK)
        assert_string_equal(got, want);
    else if (strstr(why, want) == NULL)
        fail_msg("%s: \"%s\" has no \"%s\"", wish, why, want);
    family_steps_clear(&steps);
    facts_clear(&f);
    json_free(&j);
    return err;
}

static inline void obeys(const char *wish, const char *want)
{
    assert_int_equal(wish_at(facts_channel(0), false, wish, -1, want), MD_OK);
}

static inline void refuses(const char *wish, const char *reason)
{
    int err = wish_at(facts_channel(0), false, wish, -1, reason);
    assert_true(err == MD_INVAL || err == MD_NOENT);
}

/* The device acknowledges the only SET that a wish becomes. */
static inline void acknowledges(uint32_t at, const char *wish, int on, const char *reply)
{
    struct json j;
    struct facts f = {.n = 0};
    struct family_steps steps = {.n = 0};
    struct family_target target = {.at = at, .named = true};
    assert_int_equal(json_parse(&j, span_str(wish)), MD_OK);
    facts_read(&f, FACTS_DEVICE, json_root(&j));
    json_free(&j);
    assert_int_equal(family_plan(&steps, &dev, &target, &f, on, why), MD_OK);
    assert_int_equal(json_parse(&j, span_str(reply)), MD_OK);
    for (unsigned i = 0; i < steps.n; i++)
        family_acknowledged(&dev, &steps.v[i], json_root(&j));
    json_free(&j);
    family_steps_clear(&steps);
    facts_clear(&f);
}

static inline int family_teardown(void **state)
{
    (void)state;
    device_clear(&dev);
    dev = (struct device){.n_channels = 0};
    assert_int_equal(mem_used(), 0);
    return 0;
}

#define T(f) cmocka_unit_test_teardown(f, family_teardown)

#endif
