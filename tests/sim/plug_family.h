/* plug_family.h - a bound device on the bench, questions to it, and what it tells: for the tests of
 * the models. */
#ifndef TESTS_SIM_PLUG_FAMILY_H
#define TESTS_SIM_PLUG_FAMILY_H

#include "tests/sim/plug_asserts.h"

#include <stdio.h>

#define BERLIN                                                                                     \
    "{\"time\":{\"timestamp\":%lld,\"timezone\":\"Europe/Berlin\",\"timeRule\":"                   \
    "[[1698541200,3600,0],[1711846800,7200,1],[1729990800,3600,0]]}}"

static inline struct bench *bound_with(const struct simplug_options *o)
{
    struct bench *b = bound_after(o, 3000);
    bench_forget(b);
    return b;
}

static inline struct bench *bound(const char *model)
{
    struct simplug_options o = preset(model);
    return bound_with(&o);
}

static inline const char *ask(struct bench *b, const char *method, const char *ns,
                              const char *payload, const char *want)
{
    bench_ask(b, method, ns, NULL, payload);
    bench_run(b, 500);
    const struct bench_message *m = bench_answer(b);
    if (m == NULL)
        fail_msg("no answer to %s %s", method, ns);
    if (strcmp(m->method, want) != 0)
        fail_msg("%s to %s %s %s", m->method, method, ns, payload);
    assert_int_equal(sim_json_parse(&b->json, span_of(m->payload, m->n)), MD_OK);
    return strstr(m->payload, "\"payload\":");
}

static inline void holds(const char *text, const char *part)
{
    assert_non_null(text);
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in %s", part, text);
}

static inline const char *pushed(struct bench *b, const char *ns, size_t nth)
{
    const struct bench_message *m = bench_find(b, ns, "PUSH", nth);
    if (m == NULL)
        fail_msg("no PUSH %s", ns);
    return m->payload;
}

static inline void set_zone(struct bench *b)
{
    char payload[256];
    int64_t now_s = ((int64_t)b->now + b->opt.wall_offset_ms) / 1000;
    (void)snprintf(payload, sizeof payload, BERLIN, (long long)now_s);
    (void)ask(b, "SET", TIME, payload, "SETACK");
}

#endif
