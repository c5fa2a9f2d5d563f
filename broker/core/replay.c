#include "broker/core/replay.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/codec/mqtt_decode.h"
#include "broker/core/broker_int.h"

struct replay {
    struct list link; /* in broker->replays */
    struct session *to;
    struct mqtt_filters left;
    const struct grant *grant; /* of the first that is left */
    struct grant copy[];       /* then the filters          */
};

struct receiver {
    struct session *to;
    unsigned qos;
    bool upgrade;
};

static int deliver(void *ctx, struct message *m)
{
    struct receiver *r = ctx;
    unsigned qos = m->qos < r->qos && !r->upgrade ? m->qos : r->qos;
    return session_deliver_retained(r->to, m, qos);
}

static void spend(struct broker *b, size_t steps)
{
    b->replay_budget -= steps < b->replay_budget ? steps : b->replay_budget;
}

static int one(struct session *to, struct span filter, const struct grant *g)
{
    struct broker *b = to->broker;
    struct receiver r = {to, g->code, b->limits.upgrade_outgoing_qos};
    size_t before = retain_steps(b->retain);
    int err = g->replay ? retain_match(b->retain, filter, deliver, &r) : MD_OK;
    spend(b, retain_steps(b->retain) - before + REPLAY_PER_FILTER);
    return err;
}

/* As many as the budget lets.  MD_AGAIN: some are left. */
static int some(struct session *to, struct mqtt_filters *left, const struct grant **grant)
{
    struct span filter;
    enum mqtt_qos qos;
    int err = MD_OK;
    while (err == MD_OK && left->list.n > 0) {
        if (to->broker->replay_budget == 0)
            return MD_AGAIN;
        (void)mqtt_next_filter(left, &filter, &qos);
        left->count--;
        err = one(to, filter, (*grant)++);
    }
    /* A full queue ends it: a packet may name "#" half a million times. */
    return err == MD_FULL ? MD_OK : err;
}

static int later(struct session *to, struct mqtt_filters left, const struct grant *grant)
{
    size_t n = left.count * sizeof *grant;
    struct replay *r = mem_alloc_raw(sizeof *r + n + left.list.n);
    if (r == NULL)
        return MD_NOMEM;
    memcpy(r->copy, grant, n);
    memcpy(r->copy + left.count, left.list.p, left.list.n);
    left.list.p = (const uint8_t *)(r->copy + left.count);
    r->left = left;
    r->grant = r->copy;
    r->to = to;
    to->replaying = true;
    list_append(&to->broker->replays, &r->link);
    return MD_OK;
}

int replay_start(struct conn *c, struct mqtt_filters list, const struct grant *grant)
{
    int err = some(c->session, &list, &grant);
    return err == MD_AGAIN ? later(c->session, list, grant) : err;
}

static void end(struct replay *r)
{
    r->to->replaying = false;
    list_remove(&r->link);
    mem_free(r);
}

static struct replay *find(const struct session *s)
{
    LIST_EACH (it, &s->broker->replays)
        if (LIST_OF(it, struct replay, link)->to == s)
            return LIST_OF(it, struct replay, link);
    return NULL;
}

void replay_stop(struct session *s)
{
    struct replay *r = find(s);
    if (r != NULL)
        end(r);
}

void replay_away(struct session *s)
{
    struct replay *r = find(s);
    if (r != NULL && r->left.count > REPLAY_AWAY)
        end(r);
}

/* What came behind the SUBSCRIBE has its turn. */
static void finish(struct replay *r, int err)
{
    struct session *s = r->to;
    struct conn *c = s->conn;
    end(r);
    if (c == NULL && err != MD_OK)
        log_warn("broker", "client=%s out of memory: Retained Messages for it are lost",
                 log_q(s->by_id.key));
    if (c == NULL)
        return;
    c->last_packet_ms = env_mono_ms(c->broker->env); /* it was we who did not read */
    if (err == MD_OK)
        conn_resume(c);
    else
        conn_close(c, "out of memory for its subscriptions"); /* [MQTT-4.8.0-2] */
    conn_wake(c);
}

bool replays_turn(struct broker *b)
{
    struct list *it;
    b->replay_budget = REPLAY_BUDGET;
    while (b->replay_budget > 0 && (it = list_first(&b->replays)) != NULL) {
        struct replay *r = LIST_OF(it, struct replay, link);
        int err = some(r->to, &r->left, &r->grant);
        if (err != MD_AGAIN) {
            finish(r, err);
            continue;
        }
        list_remove(it); /* the next turn begins with another */
        list_append(&b->replays, it);
    }
    return !list_empty(&b->replays);
}
