/* fake_pool.h - a thread pool that works when told, and the three calls of broker.h that this room
 * makes, as recorders: the linker then does not take the real ones.  Included once per program. */
#ifndef TESTS_UNIT_ACCESS_FAKE_POOL_H
#define TESTS_UNIT_ACCESS_FAKE_POOL_H

#include "tests/unit/cmocka.h"

#include "broker/access/access.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "tests/fake/fake_env.h"

#include <stdio.h>

#define POOL_MAX 600u

struct pool_job {
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

static struct pool {
    struct pool_job job[POOL_MAX];
    unsigned n, next;
    bool refuses;
    struct {
        uint64_t ticket;
        enum broker_verdict verdict;
    } decided[POOL_MAX];
    unsigned n_decided;
    struct broker_client live[16]; /* connected, with the tests' literals as names */
    unsigned n_live;
    char ended[8][32]; /* client ids of those whose connection was ended */
    unsigned n_ended;
    struct broker_hooks hooks; /* told of the ends */
    char log[1 << 16];
    size_t log_n;
} pool;

bool broker_decide(struct broker *b, uint64_t ticket, enum broker_verdict verdict, void *tag)
{
    (void)b;
    assert_null(tag);
    assert_true(pool.n_decided < POOL_MAX);
    pool.decided[pool.n_decided].ticket = ticket;
    pool.decided[pool.n_decided++].verdict = verdict;
    return true;
}

bool broker_disconnect(struct broker *b, struct span client_id, const char *why)
{
    (void)b;
    assert_true(pool.n_ended < 8);
    assert_true(span_to_str(client_id, pool.ended[pool.n_ended++], 32));
    struct broker_client who = {.client_id = client_id, .peer = "p", .ticket = client_id.p[0]};
    pool.hooks.on_disconnect(pool.hooks.ctx, &who, why);
    return true;
}

/* On its way out a client is none any more before the hooks are told. */
void broker_review(struct broker *b,
                   const char *(*objection)(void *ctx, const struct broker_client *who), void *ctx)
{
    for (unsigned i = pool.n_live; i-- > 0;) {
        struct broker_client who = pool.live[i];
        const char *why = objection(ctx, &who);
        if (why == NULL)
            continue;
        pool.live[i] = pool.live[--pool.n_live];
        (void)broker_disconnect(b, who.client_id, why);
    }
}

static int pool_run(void *ctx, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    assert_ptr_equal(ctx, &pool);
    if (pool.refuses)
        return MD_NOMEM;
    assert_true(pool.n < POOL_MAX);
    pool.job[pool.n++] = (struct pool_job){work, done, arg};
    return MD_OK;
}

/* One job to its end; false: there is none. */
static bool pool_step(void)
{
    if (pool.next == pool.n)
        return false;
    struct pool_job j = pool.job[pool.next++];
    j.work(j.arg);
    j.done(j.arg);
    return true;
}

static void pool_log(void *ctx, enum log_level lv, const char *module, const char *line)
{
    (void)ctx;
    (void)lv;
    int n = snprintf(pool.log + pool.log_n, sizeof pool.log - pool.log_n, "%s %s\n", module, line);
    if (n > 0 && (size_t)n < sizeof pool.log - pool.log_n)
        pool.log_n += (size_t)n;
}

static inline unsigned pool_logged(const char *part)
{
    unsigned n = 0;
    for (const char *at = pool.log; (at = strstr(at, part)) != NULL; at++)
        n++;
    return n;
}

#endif
