#include "broker/core/replay.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/base/rd.h"
#include "broker/codec/mqtt_decode.h"
#include "broker/codec/topic.h"
#include "broker/core/broker_int.h"
#include "broker/core/conn_int.h"
#include "broker/core/persist.h"

struct replay {
    struct list link; /* in broker->replays, or ->replays_paused */
    struct session *to;
    struct buf list;
    struct span left; /* of it                     */
    uint32_t n;       /* filters that are left     */
    uint32_t done;    /* filters that were before  */
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

static int one(struct session *to, struct span filter, unsigned qos)
{
    struct broker *b = to->broker;
    struct receiver r = {to, qos, b->limits.upgrade_outgoing_qos};
    size_t before = retain_steps(b->retain);
    int err = retain_match(b->retain, filter, deliver, &r);
    spend(b, retain_steps(b->retain) - before + REPLAY_PER_FILTER);
    return err;
}

/* As many as the budget lets, off *left; *n is how many.  MD_AGAIN: some are left. */
static int some(struct session *to, struct span *left, uint32_t *n)
{
    struct mqtt_filters f = {.list = *left};
    struct span filter;
    enum mqtt_qos qos;
    for (*n = 0; to->broker->replay_budget > 0 && mqtt_next_filter(&f, &filter, &qos); ++*n) {
        int err = one(to, filter, (unsigned)qos);
        if (err != MD_OK) /* a full queue ends it: a packet may name "#" half a million times */
            return err == MD_FULL ? MD_OK : err;
        *left = f.list;
    }
    return left->n > 0 ? MD_AGAIN : MD_OK;
}

/* Errors: MD_INVAL. */
static int count(struct span list, uint32_t *n)
{
    struct rd r = rd_of(list);
    for (*n = 0; rd_left(&r) > 0; ++*n) {
        struct span filter = rd_bin16(&r);
        unsigned qos = rd_u8(&r);
        if (!rd_ok(&r) || qos > MQTT_QOS2 || !topic_filter_valid(filter))
            return MD_INVAL;
    }
    return *n > 0 ? MD_OK : MD_INVAL;
}

static void end(struct replay *r)
{
    r->to->replaying = false;
    list_remove(&r->link);
    buf_free(&r->list);
    mem_free(r);
}

/* Whoever is away has a limit. */
static struct list *place(const struct replay *r)
{
    struct broker *b = r->to->broker;
    return r->to->conn == NULL && r->n > REPLAY_AWAY ? &b->replays_paused : &b->replays;
}

static void put_in_place(struct replay *r)
{
    list_remove(&r->link);
    list_append(place(r), &r->link);
}

static void advance(struct replay *r, struct span left, uint32_t n)
{
    r->left = left;
    r->n -= n;
    r->done += n;
}

/* Takes the list, unless there is no memory; `left` is the end of it, n filters. */
static int make(struct replay **out, struct session *s, struct buf *list, struct span left,
                uint32_t n)
{
    struct replay *r = mem_alloc(sizeof *r);
    if (r == NULL)
        return MD_NOMEM;
    *r = (struct replay){.to = s, .list = *list, .left = left, .n = n};
    buf_init(list, SIZE_MAX);
    list_append(place(r), &r->link);
    s->replaying = true;
    *out = r;
    return MD_OK;
}

/* The turn is over before it. */
static int later(struct session *s, struct buf *todo, struct span left)
{
    struct replay *r;
    uint32_t n;
    int err = count(left, &n);
    if (err == MD_OK)
        err = make(&r, s, todo, left, n);
    if (err != MD_OK)
        return err;
    err = persist_replay(s, left);
    if (err != MD_OK) /* what is stored has a replay, and is forgotten with it */
        end(r);
    return err;
}

int replay_start(struct session *s, struct buf *todo)
{
    struct span left = buf_view(todo);
    uint32_t n;
    int err = some(s, &left, &n);
    if (err == MD_AGAIN)
        err = later(s, todo, left);
    buf_free(todo);
    return err;
}

/* Nothing but what a Session is subscribed to; `list` passed count(). */
static bool all_held(const struct session *s, struct span list)
{
    struct mqtt_filters f = {.list = list};
    struct span filter;
    enum mqtt_qos qos;
    while (mqtt_next_filter(&f, &filter, &qos))
        if (!subs_has(s->broker->subs, filter, &s->sub))
            return false;
    return true;
}

int replay_restore(struct session *s, struct span list)
{
    struct replay *r;
    struct buf copy;
    uint32_t n;
    int err = s->replaying ? MD_INVAL : count(list, &n);
    if (err == MD_OK && !all_held(s, list))
        err = MD_INVAL;
    if (err != MD_OK)
        return err;
    buf_init(&copy, SIZE_MAX);
    err = buf_put(&copy, list);
    if (err == MD_OK)
        err = make(&r, s, &copy, buf_view(&copy), n);
    buf_free(&copy);
    return err;
}

static struct replay *find_in(struct list *all, const struct session *s)
{
    LIST_EACH (it, all)
        if (LIST_OF(it, struct replay, link)->to == s)
            return LIST_OF(it, struct replay, link);
    return NULL;
}

static struct replay *find(const struct session *s)
{
    struct replay *r = find_in(&s->broker->replays, s);
    return r != NULL ? r : find_in(&s->broker->replays_paused, s);
}

int replay_skip(struct session *s, uint32_t done)
{
    struct replay *r = find(s);
    if (r == NULL || r->done != 0 || done >= r->n)
        return MD_INVAL;
    struct mqtt_filters f = {.list = r->left};
    struct span filter;
    enum mqtt_qos qos;
    for (uint32_t i = 0; i < done; i++)
        (void)mqtt_next_filter(&f, &filter, &qos);
    advance(r, f.list, done);
    return MD_OK;
}

void replay_stop(struct session *s) { end(find(s)); }
void replay_away(struct session *s) { put_in_place(find(s)); }
void replay_back(struct session *s) { put_in_place(find(s)); }

/* What came behind the SUBSCRIBE has its turn. */
static void finish(struct replay *r)
{
    struct session *s = r->to;
    struct conn *c = s->conn;
    persist_replay_gone(s);
    end(r);
    if (c == NULL)
        return;
    c->last_packet_ms = env_mono_ms(c->broker->env); /* it was we who did not read */
    conn_resume(c);
    conn_wake(c);
}

/* Out of memory: a Session that is kept tries again when it comes back. */
static void fail(struct replay *r)
{
    struct session *s = r->to;
    struct conn *c = s->conn;
    list_remove(&r->link);
    list_append(&s->broker->replays_paused, &r->link);
    if (c == NULL) {
        log_warn("broker", "client=%s out of memory: it gets its Retained Messages when it is back",
                 log_q(session_id(s)));
        return;
    }
    conn_close(c, "out of memory for its subscriptions"); /* [MQTT-4.8.0-2] */
    conn_wake(c);
}

static void progress(struct replay *r)
{
    struct span left = r->left;
    uint32_t n;
    int err = some(r->to, &left, &n);
    if (err == MD_OK) {
        finish(r);
        return;
    }
    advance(r, left, n);
    if (n > 0 && persist_replay_done(r->to, r->done) != MD_OK)
        err = MD_NOMEM;
    if (err == MD_AGAIN)
        put_in_place(r); /* the next turn begins with another */
    else
        fail(r);
}

bool replays_turn(struct broker *b)
{
    struct list *it;
    b->replay_budget = REPLAY_BUDGET;
    while (b->replay_budget > 0 && (it = list_first(&b->replays)) != NULL)
        progress(LIST_OF(it, struct replay, link));
    return !list_empty(&b->replays);
}
