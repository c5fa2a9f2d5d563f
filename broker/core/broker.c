#include "broker/broker.h"

#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "broker/core/bridge_int.h"
#include "broker/core/broker_int.h"
#include "broker/core/conn_int.h"
#include "broker/core/replay.h"

void broker_limits_default(struct broker_limits *out)
{
    *out = (struct broker_limits){.max_packet_size = (size_t)2 << 20,
                                  .max_queued_bytes = (size_t)1 << 20,
                                  .max_queued_messages = 1000,
                                  .max_inflight_messages = 20,
                                  .max_topic_levels = 201,
                                  .connect_timeout_s = 10,
                                  .max_qos = MQTT_QOS2,
                                  .retain_available = true};
}

static void use_limits(struct broker *b, const struct broker_limits *limits)
{
    b->limits = *limits;
    b->queue_limits = (struct outq_limits){.max_messages = limits->max_queued_messages,
                                           .max_bytes = limits->max_queued_bytes,
                                           .max_inflight = limits->max_inflight_messages,
                                           .max_inflight_bytes = limits->max_inflight_bytes};
}

static void init(struct broker *b, const struct broker_limits *limits,
                 const struct broker_hooks *hooks, const struct env *env)
{
    b->env = env;
    use_limits(b, limits);
    if (hooks != NULL)
        b->hooks = *hooks;
    list_init(&b->conns);
    list_init(&b->lost);
    list_init(&b->bridges);
    list_init(&b->replays);
    list_init(&b->replays_paused);
    b->replay_budget = REPLAY_BUDGET;
    list_init(&b->app_timers);
    local_init(b);
}

int broker_new(struct broker **out, const struct broker_limits *limits,
               const struct broker_hooks *hooks, const struct env *env)
{
    struct broker *b = mem_alloc(sizeof *b);
    if (b == NULL)
        return MD_NOMEM;
    init(b, limits, hooks, env);
    int err = map_init(&b->sessions, map_seed(env));
    if (err == MD_OK)
        err = subs_new(&b->subs, map_seed(env));
    if (err == MD_OK)
        err = retain_new(&b->retain, map_seed(env));
    if (err != MD_OK) {
        broker_free(b);
        return err;
    }
    *out = b;
    return MD_OK;
}

static void renew_expiry(void *ctx, struct map_node *node)
{
    (void)ctx;
    session_expire_later(MAP_OF(node, struct session, by_id));
}

void broker_set_limits(struct broker *b, const struct broker_limits *limits)
{
    use_limits(b, limits);
    map_each(&b->sessions, renew_expiry, NULL);
    LIST_EACH (it, &b->conns) {
        struct conn *c = LIST_OF(it, struct conn, link);
        c->in.max = limits->max_packet_size ? limits->max_packet_size : SIZE_MAX;
        if (c->session != NULL)
            conn_wake(c); /* a wider window may let something go */
    }
}

static void free_lost(struct broker *b)
{
    LIST_EACH (it, &b->lost) {
        struct conn *c = LIST_OF(it, struct conn, link);
        list_remove(it);
        message_unref(c->will);
        buf_free(&c->in);
        buf_free(&c->ctl);
        mem_free(c->username);
        conn_forget_start(c);
        mem_free(c);
    }
}

struct broker_timer {
    struct timer timer;
    struct list link;
    struct broker *broker;
    void (*cb)(void *ctx);
    void *ctx;
};

static void free_session(void *ctx, struct map_node *node)
{
    (void)ctx;
    session_free(MAP_OF(node, struct session, by_id));
}

void broker_free(struct broker *b)
{
    if (b == NULL)
        return;
    LIST_EACH (it, &b->conns)
        conn_lost(LIST_OF(it, struct conn, link), "the broker stops");
    free_lost(b);
    sys_free(b);
    bridges_free(b);
    local_clear(b);
    LIST_EACH (it, &b->app_timers)
        broker_timer_stop(LIST_OF(it, struct broker_timer, link));
    if (b->sessions.bucket != NULL)
        map_each(&b->sessions, free_session, NULL);
    map_clear(&b->sessions);
    subs_free(b->subs);
    retain_free(b->retain);
    timers_free(&b->timers);
    mem_free(b);
}

static void fire(struct timer *t)
{
    struct broker_timer *bt = LIST_OF(t, struct broker_timer, timer);
    void (*cb)(void *ctx) = bt->cb;
    void *ctx = bt->ctx;
    list_remove(&bt->link);
    mem_free(bt);
    cb(ctx);
}

int broker_timer_start(struct broker *b, uint64_t delay_ms, void (*cb)(void *ctx), void *ctx,
                       struct broker_timer **out)
{
    struct broker_timer *t = mem_alloc(sizeof *t);
    if (t == NULL)
        return MD_NOMEM;
    *t = (struct broker_timer){.timer = {.fire = fire}, .broker = b, .cb = cb, .ctx = ctx};
    int err = timers_start(&b->timers, &t->timer, env_mono_ms(b->env) + delay_ms);
    if (err != MD_OK) {
        mem_free(t);
        return err;
    }
    list_append(&b->app_timers, &t->link);
    *out = t;
    return MD_OK;
}

void broker_timer_stop(struct broker_timer *t)
{
    if (t == NULL)
        return;
    timers_stop(&t->broker->timers, &t->timer);
    list_remove(&t->link);
    mem_free(t);
}

bool broker_disconnect(struct broker *b, struct span client_id, const char *why)
{
    struct session *s = session_find(b, client_id);
    if (s == NULL || s->conn == NULL)
        return false;
    conn_close(s->conn, why);
    return true;
}

void broker_review(struct broker *b,
                   const char *(*objection)(void *ctx, const struct broker_client *who), void *ctx)
{
    LIST_EACH (it, &b->conns) {
        struct conn *c = LIST_OF(it, struct conn, link);
        const char *why = NULL;
        if (c->state == CONN_OPEN && c->bridge == NULL)
            why = objection(ctx, &c->who);
        if (why != NULL)
            conn_close(c, why);
    }
}

uint64_t broker_turn(struct broker *b)
{
    uint64_t now = env_mono_ms(b->env);
    timers_turn(&b->timers, now);
    bool again = local_turn(b);
    again = replays_turn(b) || again;
    free_lost(b);
    if (again)
        return 0;
    uint64_t next = timers_next(&b->timers);
    return next == UINT64_MAX ? UINT64_MAX : next > now ? next - now : 0;
}

void broker_stats(const struct broker *b, struct broker_stats *out)
{
    *out = b->stats;
    out->clients = b->n_open;
    out->sessions = (unsigned)b->sessions.n;
    out->subscriptions = (unsigned)subs_count(b->subs);
    out->retained = (unsigned)retain_count(b->retain);
}
